//! Patterns: the names that they bind or assign.

use super::Recorder;
use crate::resolve::Mutability;
use crate::resolve::tape::{Declare, Event};
use crate::syntax::ast::*;
use rustc_hash::FxHashMap;

impl Recorder {
    /// The names of a pattern become variables of the current scope.
    pub(super) fn declare_pattern(
        &mut self,
        pattern: &Pattern,
        mutability: Mutability,
        is_checked: bool,
    ) {
        for_each_name(pattern, &mut |name| {
            self.declare(name, mutability, is_checked)
        });
    }

    /// A pattern without a keyword: each name is assigned.
    pub(super) fn assign_pattern(&mut self, pattern: &Pattern) {
        for_each_name(pattern, &mut |target| {
            let name = self.mention(&target.text);
            self.push(Event::Assign {
                name,
                offset: target.span.start,
                literal: None,
            });
        });
    }

    pub(super) fn may_assign_pattern(&mut self, pattern: &Pattern) {
        for_each_name(pattern, &mut |target| {
            let name = self.intern(&target.text);
            self.push(Event::MayAssign { name });
        });
    }

    /// The alternatives of a clause.
    pub(super) fn case_patterns(&mut self, patterns: &[CasePattern], has_guard: bool) {
        let mut names = Vec::new();
        for pattern in patterns {
            if let CasePatternKind::Name(name) = &pattern.kind {
                if has_guard {
                    names.push(name);
                }
            } else {
                bound_names(pattern, &mut names);
            }
        }
        // A name that not every alternative binds may be unset in the clause.
        let has_alternatives = patterns.len() > 1 || patterns.iter().any(has_inner_alternatives);
        let mut always = FxHashMap::default();
        for name in names {
            let name_is_bound_always = !has_alternatives
                || *always.entry(&*name.text).or_insert_with(|| {
                    patterns
                        .iter()
                        .all(|pattern| binds_always(pattern, &name.text, has_guard))
                });
            let declare = Declare {
                name: self.intern(&name.text),
                offset: name.span.start,
                mutability: Mutability::Mutable,
                is_parameter: false,
                is_checked: false,
                may_be_skipped: !name_is_bound_always,
                literal: None,
            };
            self.push(Event::Declare(declare));
        }
    }
}

/// Calls `found` with every name of a pattern, in the order of its assignment.
pub(super) fn for_each_name(pattern: &Pattern, found: &mut impl FnMut(&Name)) {
    match &pattern.kind {
        PatternKind::Name(name) => found(name),
        PatternKind::Ignore => {}
        PatternKind::Array { items, rest } => {
            for item in items {
                for_each_name(item, found);
            }
            rest.iter().for_each(found);
        }
        PatternKind::Dict { entries, rest } => {
            for entry in entries {
                for_each_name(&entry.pattern, found);
            }
            rest.iter().for_each(found);
        }
    }
}

/// The names that a pattern inside another (or one that is no bare name) binds.
fn bound_names<'a>(pattern: &'a CasePattern, names: &mut Vec<&'a Name>) {
    match &pattern.kind {
        CasePatternKind::Any | CasePatternKind::Literal(_) => {}
        CasePatternKind::Name(name) => names.push(name),
        CasePatternKind::Tag { payload, .. } => {
            for inner in payload.iter().flatten() {
                bound_names(inner, names);
            }
        }
        CasePatternKind::Array { items, rest } => {
            for item in items {
                bound_names(item, names);
            }
            names.extend(rest);
        }
        CasePatternKind::Dict { entries, rest } => {
            for (key, inner) in entries {
                match inner {
                    Some(inner) => bound_names(inner, names),
                    None => names.push(key),
                }
            }
            names.extend(rest);
        }
        CasePatternKind::Or(alternatives) => {
            for alternative in alternatives {
                bound_names(alternative, names);
            }
        }
    }
}

fn has_inner_alternatives(pattern: &CasePattern) -> bool {
    match &pattern.kind {
        CasePatternKind::Or(_) => true,
        CasePatternKind::Any | CasePatternKind::Literal(_) | CasePatternKind::Name(_) => false,
        CasePatternKind::Tag { payload, .. } => {
            payload.iter().flatten().any(has_inner_alternatives)
        }
        CasePatternKind::Array { items, .. } => items.iter().any(has_inner_alternatives),
        CasePatternKind::Dict { entries, .. } => entries
            .iter()
            .filter_map(|(_, inner)| inner.as_ref())
            .any(has_inner_alternatives),
    }
}

/// Whether a pattern that matched has bound this name; a bare name at the top
/// binds only with a guard.
fn binds_always(pattern: &CasePattern, name: &str, bare_name_binds: bool) -> bool {
    let is_rest = |rest: &Option<Name>| rest.as_ref().is_some_and(|rest| *rest.text == *name);
    let inner_binds = |inner: &CasePattern| binds_always(inner, name, true);
    match &pattern.kind {
        CasePatternKind::Any | CasePatternKind::Literal(_) => false,
        CasePatternKind::Name(bound) => bare_name_binds && *bound.text == *name,
        CasePatternKind::Tag { payload, .. } => payload.iter().flatten().any(inner_binds),
        CasePatternKind::Array { items, rest } => is_rest(rest) || items.iter().any(inner_binds),
        CasePatternKind::Dict { entries, rest } => {
            is_rest(rest)
                || entries.iter().any(|(key, inner)| match inner {
                    Some(inner) => inner_binds(inner),
                    None => *key.text == *name,
                })
        }
        CasePatternKind::Or(alternatives) => alternatives.iter().all(inner_binds),
    }
}
