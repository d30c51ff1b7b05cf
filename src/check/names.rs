//! Names that nothing can define.
//!
//! A name that may be unset when it is used is no matter for a warning: only
//! one that no scope around it ever holds, and that is no built-in.

use super::walk::{Visitor, walk};
use super::{Checked, place};
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::{Resolved, Target, Unit};
use crate::source::Span;
use crate::syntax::ast::*;
use ruff_runtime::builtins;
use rustc_hash::FxHashSet;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let mut imports = Imports {
        resolved: &checked.lowered.resolved,
        names: checked.names(),
        have_failed: false,
    };
    walk(checked, &mut imports);
    if imports.have_failed {
        return;
    }
    walk(
        checked,
        &mut Names {
            resolved: &checked.lowered.resolved,
            names: checked.names(),
            called: FxHashSet::default(),
            known: checked
                .tree
                .embeds
                .iter()
                .map(|embed| embed.offset)
                .collect(),
            found,
        },
    );
}

/// Looks for modules that are imported as a whole and can't be loaded: nobody
/// knows what they would define.
struct Imports<'a> {
    resolved: &'a Resolved,
    names: &'a Unit,
    have_failed: bool,
}

impl Visitor for Imports<'_> {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        if let StmtKind::Import(Import::Module { .. }) = &statement.kind {
            let import = self.names.import_at(place(copy, statement.span));
            let target = &self.resolved.imports[import].target;
            self.have_failed |= matches!(target, Target::Failed(_));
        }
    }
}

struct Names<'a> {
    resolved: &'a Resolved,
    names: &'a Unit,
    /// Offsets of names that are called.
    called: FxHashSet<u32>,
    /// Offsets of names that are part of a built-in's, or that take files in.
    known: FxHashSet<u32>,
    found: &'a mut Vec<Diagnostic>,
}

impl Names<'_> {
    fn use_of(&mut self, name: &str, span: Span, copy: u32) {
        let is_variable = self.names.find_use(place(copy, span)).is_none_or(|used| {
            used.creates.is_some() || !self.resolved.candidates(used).is_empty()
        });
        if is_variable || self.known.contains(&span.start) || is_builtin(name) {
            return;
        }
        let (code, kind) = match self.called.contains(&span.start) {
            true => (Code::UndefinedFunction, "function"),
            false => (Code::UndefinedVariable, "variable"),
        };
        self.found
            .push(Diagnostic::warning(code, span).message(format!("Undefined {kind} '{name}'")));
    }
}

impl Visitor for Names<'_> {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        match &statement.kind {
            StmtKind::Assign { place, .. } if !place.steps.is_empty() => {
                self.use_of(&place.root.text, place.root.span, copy);
            }
            StmtKind::CompoundAssign { place, .. } => {
                self.use_of(&place.root.text, place.root.span, copy);
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr, copy: u32) {
        match &expr.kind {
            ExprKind::Name(name) => self.use_of(name, expr.span, copy),
            ExprKind::Call { callee, .. } => {
                self.called.insert(callee.span.start);
            }
            ExprKind::Pipe(_, function) if matches!(function.kind, ExprKind::Name(_)) => {
                self.called.insert(function.span.start);
            }
            ExprKind::MethodCall {
                receiver, method, ..
            } => {
                if let ExprKind::Name(space) = &receiver.kind
                    && builtins::find(&format!("{space}.{}", method.text)).is_some()
                {
                    self.known.insert(receiver.span.start);
                }
            }
            _ => {}
        }
    }
}

fn is_builtin(name: &str) -> bool {
    builtins::find(name).is_some_and(|builtin| !builtin.hidden)
        || builtins::CONSTANTS.iter().any(|(known, _)| *known == name)
}
