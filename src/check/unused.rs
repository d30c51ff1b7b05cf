//! Variables that are set and never read, functions inside others that nobody
//! mentions, imported names that are not used.
//!
//! Left alone: names that start with `_`; parameters; what loops, `except` and
//! clauses bind, which is often only in the way; and at the top level
//! everything that is exported, and functions, which tools may call.

use super::walk::{Visitor, walk};
use super::{Checked, place};
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::{Resolved, Unit, VariableIndex};
use crate::source::Span;
use crate::syntax::ast::*;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let mut seen = Seen {
        resolved: &checked.lowered.resolved,
        names: checked.names(),
        is_read: FxHashSet::default(),
        made: Vec::new(),
        exported: FxHashSet::default(),
    };
    walk(checked, &mut seen);
    seen.read_what_is_copied();

    // What tests share is there more than once; it is enough if one reads it.
    let mut by_place: BTreeMap<u32, (&Made, bool)> = BTreeMap::new();
    for made in &seen.made {
        let is_read = seen.is_read.contains(&made.variable);
        let row = by_place.entry(made.span.start).or_insert((made, false));
        row.1 |= is_read;
    }
    for (made, is_read) in by_place.into_values() {
        if !is_read {
            let message = format!("Unused {} '{}'", made.kind, made.name);
            found.push(Diagnostic::warning(Code::Unused, made.span).message(message));
        }
    }
}

/// Where a variable is made.
struct Made {
    name: Arc<str>,
    span: Span,
    kind: &'static str,
    variable: VariableIndex,
}

struct Seen<'a> {
    resolved: &'a Resolved,
    names: &'a Unit,
    is_read: FxHashSet<VariableIndex>,
    made: Vec<Made>,
    /// Offsets of exported names.
    exported: FxHashSet<u32>,
}

impl Visitor for Seen<'_> {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        match &statement.kind {
            StmtKind::Export(inner) => for_each_made(inner, &mut |name, _| {
                self.exported.insert(name.span.start);
            }),
            StmtKind::Assign { place, .. } if !place.steps.is_empty() => {
                self.read(place.root.span, copy);
            }
            StmtKind::CompoundAssign { place, .. } => self.read(place.root.span, copy),
            StmtKind::Import(Import::Symbols { symbols, .. }) => {
                let import = self.names.import_at(place(copy, statement.span));
                let bindings = &self.resolved.imports[import].bindings;
                for ((_, local), binding) in symbols.iter().zip(bindings) {
                    self.made(local, "import", binding.variable);
                }
            }
            _ => {}
        }
        for_each_made(statement, &mut |name, kind| self.make(name, kind, copy));
    }

    fn expr(&mut self, expr: &Expr, copy: u32) {
        match &expr.kind {
            ExprKind::Name(_) => self.read(expr.span, copy),
            ExprKind::StructLiteral { name, .. } => self.read(name.span, copy),
            ExprKind::Dict(entries) => {
                for entry in entries {
                    if let Entry::Pair {
                        key: Key::Name(name),
                        ..
                    } = entry
                    {
                        self.read(name.span, copy);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Seen<'_> {
    fn read(&mut self, span: Span, copy: u32) {
        if let Some(used) = self.names.find_use(place(copy, span)) {
            self.is_read.extend(self.resolved.candidates(used));
        }
    }

    fn make(&mut self, name: &Name, kind: &'static str, copy: u32) {
        let at = place(copy, name.span);
        let variable = match kind {
            "function" => {
                let hoist = &self.resolved.hoists[self.names.hoist_at(at)];
                hoist.variable.filter(|_| hoist.scope != self.names.scope)
            }
            _ => self
                .names
                .find_use(at)
                .filter(|used| !used.is_certain)
                .and_then(|used| used.creates),
        };
        if let Some(variable) = variable {
            self.made(name, kind, variable);
        }
    }

    fn made(&mut self, name: &Name, kind: &'static str, variable: VariableIndex) {
        if name.text.starts_with('_') || self.exported.contains(&name.span.start) {
            return;
        }
        self.made.push(Made {
            name: name.text.clone(),
            span: name.span,
            kind,
            variable,
        });
    }

    /// A `spawn` block reads copies; inner ones were made from outer ones.
    fn read_what_is_copied(&mut self) {
        for function in self.resolved.functions.iter().rev() {
            for (original, copy) in &function.snapshots {
                if self.is_read.contains(copy) {
                    self.is_read.insert(*original);
                }
            }
        }
    }
}

/// The names that a statement itself makes, with what they are.
fn for_each_made(statement: &Stmt, found: &mut dyn FnMut(&Name, &'static str)) {
    match &statement.kind {
        StmtKind::Binding { kind, pattern, .. } => {
            let kind = match kind {
                BindingKind::Const => "constant",
                BindingKind::Let | BindingKind::Mut => "variable",
            };
            for_each_name(pattern, &mut |name| found(name, kind));
        }
        StmtKind::Destructure { pattern, .. } => {
            for_each_name(pattern, &mut |name| found(name, "variable"));
        }
        StmtKind::Assign { place, .. } if place.steps.is_empty() => found(&place.root, "variable"),
        StmtKind::Func(func) => func.name.iter().for_each(|name| found(name, "function")),
        _ => {}
    }
}

fn for_each_name(pattern: &Pattern, found: &mut dyn FnMut(&Name)) {
    match &pattern.kind {
        PatternKind::Name(name) => found(name),
        PatternKind::Ignore => {}
        PatternKind::Array { items, rest } => {
            items.iter().for_each(|item| for_each_name(item, found));
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
