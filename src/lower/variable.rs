//! Reading and writing variables by name.
//!
//! A use with several candidates becomes a chain of tests from the innermost
//! to the outermost; behind the last comes what happens when none is set.

use super::{Lowerer, NO_SLOT};
use crate::resolve::{Access, Alias, Mutability, ScopeIndex, Use, VariableIndex};
use crate::syntax::ast::Name;
use ruff_runtime::bytecode::{Op, Var, VarKind};
use std::sync::Arc;

/// The one variable that a use certainly means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certain {
    pub variable: VariableIndex,
    pub var: Var,
}

impl Lowerer<'_> {
    pub(super) fn access(&self, variable: VariableIndex) -> Access {
        self.resolved.access(self.frame.function, variable)
    }

    /// The slot of a variable of this function.
    pub(super) fn slot_of(&mut self, variable: VariableIndex) -> u32 {
        if self.slots[variable.0 as usize] == NO_SLOT {
            let name = self
                .resolved
                .text(self.resolved.variables[variable].name)
                .clone();
            let name = self.tables.name(&name);
            self.slots[variable.0 as usize] = self.slot(name);
        }
        self.slots[variable.0 as usize]
    }

    /// The operand that names a variable, unless it is one that never changes.
    pub(super) fn var(&mut self, variable: VariableIndex) -> Option<Var> {
        match self.access(variable) {
            Access::Local => Some(Var::new(VarKind::Local, self.slot_of(variable))),
            Access::Cell => Some(Var::new(VarKind::Cell, self.slot_of(variable))),
            Access::Global => Some(Var::new(VarKind::Global, self.slots[variable.0 as usize])),
            Access::CapturedCell(index) => Some(Var::new(VarKind::Capture, index)),
            Access::CapturedValue(_) | Access::Function(_) | Access::Callee => None,
        }
    }

    pub(super) fn load(&mut self, variable: VariableIndex) {
        if let Some(Alias::Function(function)) = self.resolved.variables[variable].alias {
            let func = self.id(function);
            return self.emit(Op::Function { func });
        }
        let op = match self.access(variable) {
            Access::Local => Op::LoadLocal {
                slot: self.slot_of(variable),
            },
            Access::Cell => Op::LoadCell {
                slot: self.slot_of(variable),
            },
            Access::Global => Op::LoadGlobal {
                global: self.slots[variable.0 as usize],
            },
            Access::CapturedCell(index) => Op::LoadCaptureCell { index },
            Access::CapturedValue(index) => Op::LoadCapture { index },
            Access::Function(function) => Op::Function {
                func: self.id(function),
            },
            Access::Callee => self.callee(),
        };
        self.emit(op);
    }

    /// The running function as a value.
    pub(super) fn callee(&mut self) -> Op {
        let function = self.frame.function;
        match self.resolved.functions[function].captures.is_empty() {
            true => Op::Function {
                func: self.id(function),
            },
            false => Op::Callee {},
        }
    }

    pub(super) fn store(&mut self, variable: VariableIndex) {
        let op = match self.access(variable) {
            Access::Local => Op::StoreLocal {
                slot: self.slot_of(variable),
            },
            Access::Cell => Op::StoreCell {
                slot: self.slot_of(variable),
            },
            Access::Global => Op::StoreGlobal {
                global: self.slots[variable.0 as usize],
            },
            Access::CapturedCell(index) => Op::StoreCaptureCell { index },
            Access::CapturedValue(_) | Access::Function(_) | Access::Callee => {
                unreachable!("what is assigned to does not stay the same")
            }
        };
        self.emit(op);
    }

    pub(super) fn text_of(&self, variable: VariableIndex) -> &Arc<str> {
        self.resolved.text(self.resolved.variables[variable].name)
    }

    /// The message for an assignment to (or through) an immutable variable.
    pub(super) fn immutable(&self, variable: VariableIndex, verb: &str) -> Option<String> {
        let kind = match self.resolved.variables[variable].mutability {
            Mutability::Mutable => return None,
            Mutability::Let => "immutable let",
            Mutability::Const => "const",
        };
        Some(format!(
            "Cannot {verb} {kind} binding: {}",
            self.text_of(variable)
        ))
    }

    /// The one variable that the use certainly means, if it can change at all.
    pub(super) fn certain(&mut self, used: Use) -> Option<Certain> {
        let [variable] = *self.resolved.candidates(used) else {
            return None;
        };
        if !used.is_certain || self.resolved.variables[variable].mutability != Mutability::Mutable {
            return None;
        }
        let var = self.var(variable)?;
        Some(Certain { variable, var })
    }

    /// Calls `each` for every candidate with code that runs if that is the
    /// innermost one that is set, and `none` for when none is.
    pub(super) fn for_candidates(
        &mut self,
        used: Use,
        each: &mut dyn FnMut(&mut Self, VariableIndex),
        none: &mut dyn FnMut(&mut Self),
    ) {
        let resolved = self.resolved;
        let candidates = resolved.candidates(used);
        let end = self.label();
        for (index, variable) in candidates.iter().enumerate() {
            let is_last = index + 1 == candidates.len();
            let var = match self.var(*variable) {
                Some(var) if !(is_last && used.is_certain) => var,
                _ => {
                    each(self, *variable);
                    return self.bind(end);
                }
            };
            let next = self.label();
            let depth = self.frame.depth;
            self.jump(Op::JumpIfUnset { var, to: 0 }, next);
            each(self, *variable);
            self.jump(Op::Jump { to: 0 }, end);
            self.frame.depth = depth;
            self.bind(next);
        }
        none(self);
        self.bind(end);
    }

    /// Pushes what a name means.
    pub(super) fn read(&mut self, name: &Arc<str>, offset: u32) {
        self.at(offset);
        let used = self.use_at(offset);
        self.for_candidates(
            used,
            &mut |lowerer, variable| lowerer.load(variable),
            &mut |lowerer| {
                lowerer.at(offset);
                lowerer.read_builtin(name);
            },
        );
    }

    pub(super) fn read_builtin(&mut self, name: &Arc<str>) {
        if let Some(value) = self.tables.builtin_constant(name) {
            let index = self.tables.float(value);
            return self.emit(Op::Constant { index });
        }
        match self.tables.known(name) {
            Some(known) => {
                let builtin = self.tables.builtin(known.name);
                self.emit(Op::Builtin { builtin });
            }
            None => self.raise_for_value(&format!("Undefined variable: {name}")),
        }
    }

    /// The built-in that a name certainly means.
    pub(super) fn builtin_named(
        &mut self,
        name: &str,
        offset: u32,
    ) -> Option<super::tables::Known> {
        let used = self.use_at(offset);
        match self.resolved.candidates(used) {
            [] => self.tables.known(name),
            _ => None,
        }
    }

    /// Pops the value of an assignment to a name.
    pub(super) fn assign_name(&mut self, name: &Name) {
        let used = self.use_at(name.span.start);
        let candidates = self.resolved.candidates(used);
        if let (Some(created), true) = (
            used.creates,
            candidates.iter().all(|one| Some(*one) == used.creates),
        ) {
            return self.store(created);
        }
        self.at(name.span.start);
        self.for_candidates(
            used,
            &mut |lowerer, variable| lowerer.write(variable),
            &mut |lowerer| match used.creates {
                Some(created) => lowerer.store(created),
                None => {
                    lowerer.raise(&format!("Undefined variable: {}", name.text));
                    lowerer.emit(Op::Pop {});
                }
            },
        );
    }

    /// Pops a new value of an existing variable.
    fn write(&mut self, variable: VariableIndex) {
        match self.immutable(variable, "reassign") {
            Some(message) => {
                self.raise(&message);
                self.emit(Op::Pop {});
            }
            None => self.store(variable),
        }
    }

    /// Pops the value of a declared name.
    pub(super) fn declare_name(&mut self, name: &Name) {
        let used = self.use_at(name.span.start);
        let message = format!("Duplicate declaration in the same scope: {}", name.text);
        self.at(name.span.start);
        let resolved = self.resolved;
        for variable in resolved.candidates(used) {
            let next = self.label();
            match self.var(*variable) {
                Some(var) if !used.is_certain => self.jump(Op::JumpIfUnset { var, to: 0 }, next),
                _ => {}
            }
            self.raise(&message);
            self.bind(next);
        }
        let created = used.creates.expect("a declaration creates its variable");
        if used.is_certain {
            return self.emit(Op::Pop {});
        }
        self.store(created);
    }

    /// Makes the variables of a scope fresh on entry to it.
    pub(super) fn fresh_variables(&mut self, scope: ScopeIndex) {
        let resolved = self.resolved;
        for variable in &resolved.scopes[scope].variables {
            let is_parameter = self.slots[variable.0 as usize] < self.parameter_count();
            if is_parameter {
                continue;
            }
            match resolved.variables[*variable].storage {
                crate::resolve::Storage::Cell => {
                    let slot = self.slot_of(*variable);
                    self.emit(Op::NewCell { slot });
                }
                crate::resolve::Storage::Local
                    if resolved.variables[*variable].may_be_unset
                        && !self.frame.loops.is_empty() =>
                {
                    let slot = self.slot_of(*variable);
                    self.emit(Op::ClearLocal { slot });
                }
                _ => {}
            }
        }
    }
}
