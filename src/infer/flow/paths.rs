//! Variables, and what lies behind fields and indexes of them.

use super::Flow;
use crate::infer::transfer::element_of;
use crate::infer::{Tags, Type};
use ruff_runtime::bytecode::{Path, Step, Var, VarKind};
use ruff_runtime::names::NameId;

impl Flow<'_, '_> {
    pub(super) fn variable(&mut self, var: Var) -> Type {
        match var.kind() {
            VarKind::Local | VarKind::Cell => self.slot(var.number()),
            VarKind::Capture => self.analysis.capture(self.func, var.number() as usize),
            VarKind::Global => self.analysis.global(var.number()),
        }
    }

    pub(super) fn join_variable(&mut self, var: Var, more: Type) {
        match var.kind() {
            VarKind::Local | VarKind::Cell => self.join_slot(var.number(), more),
            VarKind::Capture => self.analysis.join_capture(self.func, var.number(), more),
            VarKind::Global => self.analysis.join_global(var.number(), more),
        }
    }

    /// What a path leads to.
    pub(in crate::infer) fn path_type(&mut self, path: &Path) -> Type {
        let mut current = self.variable(path.root);
        for step in &path.steps {
            current = match step {
                Step::Index => element_of(current),
                Step::Field(name) => self.analysis.field_of(current, *name),
            };
        }
        current
    }

    /// Lets the place at the end of a path hold more.
    pub(in crate::infer) fn join_path(&mut self, path: &Path, more: Type) {
        // Fields are followed by name; what lies behind the last field step is
        // a matter of that field's type, whatever the struct is.
        let mut current = self.variable(path.root);
        let mut field: Option<(Type, NameId)> = None;
        let mut depth = 0;
        for step in &path.steps {
            match step {
                Step::Index => {
                    depth += 1;
                    current = element_of(current);
                }
                Step::Field(name) => {
                    if current.may_be(Tags::DICT) {
                        // What lies behind a key of a dict is not followed any further.
                        self.join_at(path.root, field, depth + 1, Type::ANY);
                    }
                    field = Some((current, *name));
                    current = self.analysis.field_of(current, *name);
                    depth = 0;
                }
            }
        }
        self.join_at(path.root, field, depth, more);
    }

    fn join_at(&mut self, root: Var, field: Option<(Type, NameId)>, depth: usize, more: Type) {
        match field {
            Some((object, name)) => self.analysis.join_field_of(object, name, depth, more),
            None => {
                let mut known = self.variable(root);
                known.join_contents(depth, more);
                self.join_variable(root, known);
            }
        }
    }
}
