//! `match`: patterns as tests.
//!
//! The subject, and every part that is looked at more than once, lives in a
//! hidden local.  A clause's names are bound as its pattern is tested: if the
//! test fails after all, nobody sees them.

use super::Lowerer;
use super::emit::Label;
use super::expr::variant_kind;
use crate::resolve::Storage;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{Op, VariantSite};
use ruff_runtime::heap::VariantKind;

impl<'a> Lowerer<'a> {
    pub(super) fn matching(&mut self, matching: &'a Match) {
        self.expr(&matching.subject);
        let subject = self.hidden(1);
        self.emit(Op::StoreLocal { slot: subject });
        let end = self.label();
        for (index, clause) in matching.clauses.iter().enumerate() {
            let next = self.label();
            self.clause(clause, subject, next);
            let is_last = index + 1 == matching.clauses.len() && matching.default.is_none();
            if !is_last {
                self.jump(Op::Jump { to: 0 }, end);
            }
            self.bind(next);
        }
        if let Some(default) = &matching.default {
            self.block(default);
        }
        self.bind(end);
    }

    fn clause(&mut self, clause: &'a Clause, subject: u32, next: Label) {
        let scope = self.scope_at(clause.body.span.start);
        self.enter_scope(scope, &clause.body.statements);
        let has_guard = clause.guard.is_some();
        let matches = self.label();
        let (last, before) = clause.patterns.split_last().expect("a clause has patterns");
        for pattern in before {
            let other = self.label();
            if is_one_test(pattern, !has_guard) {
                self.test_alone(pattern, subject);
                self.jump(Op::JumpIfTrue { to: 0 }, matches);
            } else {
                self.test_local(pattern, subject, other);
                self.jump(Op::Jump { to: 0 }, matches);
            }
            self.bind(other);
            self.unbind(pattern);
        }
        self.last_alternative(last, subject, has_guard, next);
        self.bind(matches);
        if let Some(guard) = &clause.guard {
            self.jump_unless(guard, next);
        }
        self.statements(&clause.body.statements);
    }

    fn last_alternative(
        &mut self,
        pattern: &'a CasePattern,
        subject: u32,
        has_guard: bool,
        fails: Label,
    ) {
        // A bare name compares, unless a guard decides.
        if is_one_test(pattern, !has_guard) {
            self.test_alone(pattern, subject);
            return self.jump(Op::JumpIfFalse { to: 0 }, fails);
        }
        self.test_local(pattern, subject, fails);
    }

    /// Pushes whether a pattern that takes one test matches a hidden local.
    fn test_alone(&mut self, pattern: &CasePattern, slot: u32) {
        self.emit(Op::LoadLocal { slot });
        self.test_top(pattern);
    }

    /// Replaces the top by whether a pattern that takes one test matches it.
    fn test_top(&mut self, pattern: &CasePattern) {
        let op = match &pattern.kind {
            CasePatternKind::Literal(literal) => {
                self.constant(literal);
                Op::SameValue {}
            }
            CasePatternKind::Name(name) => Op::TestName {
                name: self.tables.name(&name.text),
            },
            CasePatternKind::Tag {
                enum_name, variant, ..
            } => Op::TestVariant {
                site: self.tested_variant(enum_name.as_ref(), variant),
            },
            _ => Op::TestArray { len: 0 },
        };
        self.emit(op);
    }

    /// Tests the value in a hidden local; a name is bound to it.
    fn test_local(&mut self, pattern: &'a CasePattern, slot: u32, fails: Label) {
        if is_one_test(pattern, false) {
            self.test_alone(pattern, slot);
            return self.jump(Op::JumpIfFalse { to: 0 }, fails);
        }
        match &pattern.kind {
            CasePatternKind::Any | CasePatternKind::Literal(_) => {}
            CasePatternKind::Name(name) => {
                self.emit(Op::LoadLocal { slot });
                self.declare_name(name);
            }
            CasePatternKind::Tag {
                enum_name,
                variant,
                payload,
            } => {
                let site = self.tested_variant(enum_name.as_ref(), variant);
                self.test(slot, fails, |_| Op::TestVariant { site });
                for (index, inner) in payload.iter().flatten().enumerate() {
                    self.test_part(
                        inner,
                        slot,
                        Op::VariantPayload {
                            site,
                            index: index as u32,
                        },
                        fails,
                    );
                }
            }
            CasePatternKind::Array { items, rest } => {
                let len = items.len() as u32;
                self.test(slot, fails, |_| match rest {
                    Some(_) => Op::TestArrayMin { len },
                    None => Op::TestArray { len },
                });
                for (index, inner) in items.iter().enumerate() {
                    self.test_part(
                        inner,
                        slot,
                        Op::ElementOrNull {
                            index: index as u32,
                        },
                        fails,
                    );
                }
                if let Some(rest) = rest {
                    self.emit(Op::LoadLocal { slot });
                    self.emit(Op::ArrayRest { from: len });
                    self.declare_name(rest);
                }
            }
            CasePatternKind::Dict { entries, rest } => {
                self.test_dict(entries, rest.as_ref(), slot, fails)
            }
            CasePatternKind::Or(alternatives) => self.test_any(alternatives, slot, fails),
        }
    }

    fn test(&mut self, slot: u32, fails: Label, op: impl FnOnce(&mut Self) -> Op) {
        self.emit(Op::LoadLocal { slot });
        let op = op(self);
        self.emit(op);
        self.jump(Op::JumpIfFalse { to: 0 }, fails);
    }

    fn tested_variant(&mut self, enum_name: Option<&Name>, variant: &Name) -> u32 {
        let kind = variant_kind(enum_name.map(|name| &*name.text), &variant.text);
        let is_tagged = kind == VariantKind::Tagged;
        let site = VariantSite {
            kind,
            enum_name: enum_name
                .filter(|_| is_tagged)
                .map(|name| self.tables.text(&name.text)),
            name: is_tagged.then(|| self.tables.text(&variant.text)),
        };
        self.tables.variant_site(site)
    }

    fn test_dict(
        &mut self,
        entries: &'a [(Name, Option<CasePattern>)],
        rest: Option<&'a Name>,
        slot: u32,
        fails: Label,
    ) {
        if entries.is_empty() {
            self.test_any_dict(slot, fails);
        }
        for (key, inner) in entries {
            let name = self.tables.name(&key.text);
            self.test(slot, fails, |_| Op::TestField { name });
            match inner {
                Some(inner) => self.test_part(inner, slot, Op::FieldOrNull { name }, fails),
                None => {
                    self.emit(Op::LoadLocal { slot });
                    self.emit(Op::FieldOrNull { name });
                    self.declare_name(key);
                }
            }
        }
        if let Some(rest) = rest {
            self.emit(Op::LoadLocal { slot });
            self.dict_rest(entries.iter().map(|(key, _)| key));
            self.declare_name(rest);
        }
    }

    /// Any dict or struct.
    fn test_any_dict(&mut self, slot: u32, fails: Label) {
        let matches = self.label();
        let builtin = self.tables.builtin("type");
        for (name, is_last) in [("dict", false), ("struct", true)] {
            self.emit(Op::LoadLocal { slot });
            self.emit(Op::CallBuiltin { builtin, argc: 1 });
            self.constant(&Literal::Str(name.into()));
            self.emit(Op::SameValue {});
            match is_last {
                false => self.jump(Op::JumpIfTrue { to: 0 }, matches),
                true => self.jump(Op::JumpIfFalse { to: 0 }, fails),
            }
        }
        self.bind(matches);
    }

    /// Tests a part of the value in a hidden local.
    fn test_part(&mut self, pattern: &'a CasePattern, slot: u32, part: Op, fails: Label) {
        if let CasePatternKind::Any = pattern.kind {
            return;
        }
        self.emit(Op::LoadLocal { slot });
        self.emit(part);
        if let CasePatternKind::Name(name) = &pattern.kind {
            return self.declare_name(name);
        }
        if is_one_test(pattern, false) {
            self.test_top(pattern);
            return self.jump(Op::JumpIfFalse { to: 0 }, fails);
        }
        let slot = self.hidden(1);
        self.emit(Op::StoreLocal { slot });
        self.test_local(pattern, slot, fails);
    }

    fn test_any(&mut self, alternatives: &'a [CasePattern], slot: u32, fails: Label) {
        let matches = self.label();
        let Some((last, before)) = alternatives.split_last() else {
            return;
        };
        for pattern in before {
            let other = self.label();
            if is_one_test(pattern, false) {
                self.test_alone(pattern, slot);
                self.jump(Op::JumpIfTrue { to: 0 }, matches);
            } else {
                self.test_local(pattern, slot, other);
                self.jump(Op::Jump { to: 0 }, matches);
            }
            self.bind(other);
            self.unbind(pattern);
        }
        self.test_local(last, slot, fails);
        self.bind(matches);
    }

    /// Forgets what an alternative bound before it failed.
    fn unbind(&mut self, pattern: &'a CasePattern) {
        let mut waiting = vec![pattern];
        while let Some(pattern) = waiting.pop() {
            match &pattern.kind {
                CasePatternKind::Any | CasePatternKind::Literal(_) => {}
                CasePatternKind::Name(name) => self.unbind_name(name),
                CasePatternKind::Tag { payload, .. } => waiting.extend(payload.iter().flatten()),
                CasePatternKind::Array { items, rest } => {
                    waiting.extend(items);
                    rest.iter().for_each(|name| self.unbind_name(name));
                }
                CasePatternKind::Dict { entries, rest } => {
                    for (key, inner) in entries {
                        match inner {
                            Some(inner) => waiting.push(inner),
                            None => self.unbind_name(key),
                        }
                    }
                    rest.iter().for_each(|name| self.unbind_name(name));
                }
                CasePatternKind::Or(alternatives) => waiting.extend(alternatives),
            }
        }
    }

    fn unbind_name(&mut self, name: &Name) {
        let Some(variable) = self.binding_at(name.span.start) else {
            return;
        };
        if !self.resolved.variables[variable].may_be_unset {
            return;
        }
        let slot = self.slot_of(variable);
        match self.resolved.variables[variable].storage {
            Storage::Cell => self.emit(Op::NewCell { slot }),
            _ => self.emit(Op::ClearLocal { slot }),
        }
    }
}

/// Whether one instruction on the value decides the pattern; `names_compare`:
/// a bare name is not bound.
fn is_one_test(pattern: &CasePattern, names_compare: bool) -> bool {
    match &pattern.kind {
        CasePatternKind::Literal(_) => true,
        CasePatternKind::Name(_) => names_compare,
        CasePatternKind::Tag { payload, .. } => payload.as_ref().is_none_or(Vec::is_empty),
        CasePatternKind::Array { items, rest } => items.is_empty() && rest.is_none(),
        CasePatternKind::Any | CasePatternKind::Dict { .. } | CasePatternKind::Or(_) => false,
    }
}
