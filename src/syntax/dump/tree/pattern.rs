//! Patterns, of both kinds.

use super::Dump;
use super::expr::literal;
use crate::syntax::ast::*;

impl Dump {
    pub(super) fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Name(name) => self.line(format!("bind {}", name.text)),
            PatternKind::Ignore => self.line("ignore"),
            PatternKind::Array { items, rest } => self.node("array pattern", |dump| {
                items.iter().for_each(|item| dump.pattern(item));
                dump.rest(rest.as_ref());
            }),
            PatternKind::Dict { entries, rest } => self.node("dict pattern", |dump| {
                for entry in entries {
                    dump.node(format!("key {}", entry.key.text), |dump| {
                        dump.pattern(&entry.pattern);
                    });
                }
                dump.rest(rest.as_ref());
            }),
        }
    }

    pub(super) fn case_pattern(&mut self, pattern: &CasePattern) {
        match &pattern.kind {
            CasePatternKind::Any => self.line("any"),
            CasePatternKind::Literal(value) => self.line(literal(value)),
            CasePatternKind::Name(name) => self.line(format!("name {}", name.text)),
            CasePatternKind::Tag {
                enum_name,
                variant,
                payload,
            } => {
                let of = enum_name
                    .as_ref()
                    .map_or(String::new(), |name| format!("{}::", name.text));
                let has_payload = if payload.is_some() {
                    " with payload"
                } else {
                    ""
                };
                self.node(format!("tag {of}{}{has_payload}", variant.text), |dump| {
                    payload
                        .iter()
                        .flatten()
                        .for_each(|part| dump.case_pattern(part));
                });
            }
            CasePatternKind::Array { items, rest } => self.node("array pattern", |dump| {
                items.iter().for_each(|item| dump.case_pattern(item));
                dump.rest(rest.as_ref());
            }),
            CasePatternKind::Dict { entries, rest } => self.node("dict pattern", |dump| {
                for (key, pattern) in entries {
                    dump.node(format!("key {}", key.text), |dump| {
                        pattern
                            .iter()
                            .for_each(|pattern| dump.case_pattern(pattern));
                    });
                }
                dump.rest(rest.as_ref());
            }),
            CasePatternKind::Or(alternatives) => self.node("or", |dump| {
                alternatives
                    .iter()
                    .for_each(|pattern| dump.case_pattern(pattern));
            }),
        }
    }

    fn rest(&mut self, rest: Option<&Name>) {
        if let Some(name) = rest {
            self.line(format!("rest {}", name.text));
        }
    }
}
