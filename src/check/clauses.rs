//! A `match` that does nothing for a variant, although it is about variants.
//!
//! That is said only if every clause names a variant of the same enum of this
//! program, and at least two are there: whoever names just one asks about that one.

use super::Checked;
use super::walk::{Visitor, walk};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let mut enums = Enums::default();
    walk(checked, &mut enums);
    walk(
        checked,
        &mut Clauses {
            enums: &enums.0,
            found,
        },
    );
}

/// The variants of each enum; none if the program declares two of that name.
#[derive(Default)]
struct Enums(FxHashMap<Arc<str>, Vec<Arc<str>>>);

impl Visitor for Enums {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        if let StmtKind::Enum(declaration) = &statement.kind
            && copy == 0
        {
            let variants = declaration.variants.iter().map(|name| name.text.clone());
            self.0
                .entry(declaration.name.text.clone())
                .and_modify(Vec::clear)
                .or_insert_with(|| variants.collect());
        }
    }
}

struct Clauses<'a> {
    enums: &'a FxHashMap<Arc<str>, Vec<Arc<str>>>,
    found: &'a mut Vec<Diagnostic>,
}

impl Visitor for Clauses<'_> {
    fn statement(&mut self, statement: &Stmt, _copy: u32) {
        let StmtKind::Match(matching) = &statement.kind else {
            return;
        };
        if matching.default.is_some() {
            return;
        }
        let Some((enum_name, named)) = named_variants(matching) else {
            return;
        };
        let Some(variants) = self.enums.get(enum_name) else {
            return;
        };
        let is_named = |variant: &&Arc<str>| named.iter().any(|name| **name == ***variant);
        if variants.iter().filter(is_named).count() < 2 {
            return;
        }
        let missing: Vec<String> = variants
            .iter()
            .filter(|variant| !is_named(variant))
            .map(|variant| format!("{enum_name}::{variant}"))
            .collect();
        if !missing.is_empty() {
            let message = format!("No clause of this match handles {}", missing.join(", "));
            let warning = Diagnostic::warning(Code::MissingClause, matching.subject.span);
            self.found.push(warning.message(message));
        }
    }
}

/// The enum that all clauses are about, and the variants that they name.
fn named_variants(matching: &Match) -> Option<(&str, Vec<&str>)> {
    let mut enum_name = None;
    let mut named = Vec::new();
    for pattern in matching.clauses.iter().flat_map(|clause| &clause.patterns) {
        let CasePatternKind::Tag {
            enum_name: Some(name),
            variant,
            ..
        } = &pattern.kind
        else {
            return None;
        };
        if *enum_name.get_or_insert(&*name.text) != &*name.text {
            return None;
        }
        named.push(&*variant.text);
    }
    Some((enum_name?, named))
}
