//! Names that a module does not export, where they are imported or asked of
//! the module.
//!
//! Only modules that are there are looked at, and only variables that hold
//! nothing but one module: a field can be stored in it as in any struct.

use super::walk::{Visitor, walk};
use super::{Checked, place as place_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::{Imported, Resolved, Target, Unit, VariableIndex};
use crate::syntax::ast::*;
use rustc_hash::FxHashSet;
use std::sync::Arc;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let mut asked = Asked {
        resolved: &checked.lowered.resolved,
        names: checked.names(),
        members: Vec::new(),
        changed: FxHashSet::default(),
        found,
    };
    walk(checked, &mut asked);
    asked.report_members();
}

struct Asked<'a> {
    resolved: &'a Resolved,
    names: &'a Unit,
    members: Vec<Member>,
    /// Variables that something is stored in.
    changed: FxHashSet<VariableIndex>,
    found: &'a mut Vec<Diagnostic>,
}

/// What is asked of a variable.
struct Member {
    variable: VariableIndex,
    /// The variable's name.
    module: Arc<str>,
    name: Name,
}

impl Visitor for Asked<'_> {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        match &statement.kind {
            StmtKind::Assign { place, .. } | StmtKind::CompoundAssign { place, .. } => {
                if let Some(used) = self.names.find_use(place_of(copy, place.root.span)) {
                    self.changed.extend(self.resolved.candidates(used));
                }
            }
            StmtKind::Import(Import::Symbols { symbols, .. }) => {
                let import = self.names.import_at(place_of(copy, statement.span));
                let import = &self.resolved.imports[import];
                if matches!(import.target, Target::Failed(_)) {
                    return;
                }
                for ((name, _), binding) in symbols.iter().zip(&import.bindings) {
                    if matches!(binding.imported, Imported::Missing(_)) {
                        self.found.push(missing(&import.path, name));
                    }
                }
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr, copy: u32) {
        match &expr.kind {
            // `m?.f` is null where there is no `f`.
            ExprKind::Field {
                object,
                field,
                optional: false,
            } => self.member(object, field, copy),
            ExprKind::MethodCall {
                receiver, method, ..
            } => self.member(receiver, method, copy),
            _ => {}
        }
    }
}

impl Asked<'_> {
    fn member(&mut self, object: &Expr, name: &Name, copy: u32) {
        let ExprKind::Name(module) = &object.kind else {
            return;
        };
        let Some(used) = self.names.find_use(place_of(copy, object.span)) else {
            return;
        };
        if let [variable] = *self.resolved.candidates(used) {
            self.members.push(Member {
                variable,
                module: module.clone(),
                name: name.clone(),
            });
        }
    }

    fn report_members(&mut self) {
        for member in &self.members {
            if self.changed.contains(&member.variable) {
                continue;
            }
            if let Some(unit) = self.resolved.module_of(member.variable)
                && self
                    .resolved
                    .export_named(unit, &member.name.text)
                    .is_none()
            {
                self.found.push(missing(&member.module, &member.name));
            }
        }
    }
}

fn missing(module: &str, name: &Name) -> Diagnostic {
    let message = format!("Module '{module}' does not export '{}'", name.text);
    Diagnostic::warning(Code::UnknownMember, name.span).message(message)
}
