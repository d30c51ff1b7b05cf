//! The walk from a scope outward.

use super::Binder;
use super::merge::State;
use crate::resolve::index::{FunctionIndex, ScopeIndex, Symbol, VariableIndex};
use crate::resolve::record::NEVER;
use crate::resolve::{Mutability, ScopeKind};

impl Binder {
    /// The variables that may hold a name here and now, innermost first, and
    /// whether the last of them is certainly set.
    pub(super) fn lookup(&mut self, name: Symbol) -> (Vec<VariableIndex>, bool) {
        let mut found = Vec::new();
        if !self.is_variable[name.0 as usize] && !self.field_names.contains(&name) {
            return (found, false);
        }
        let mut walk = Walk {
            inside: None,
            spawns: Vec::new(),
        };
        let mut next = Some(self.scope);
        while let Some(scope) = next {
            if self.out.scopes[scope].kind == ScopeKind::Fields {
                self.field_variable(scope, name);
            }
            for variable in self.holds.get(&(scope, name)).cloned().unwrap_or_default() {
                let state = self.state_seen(variable, walk.inside);
                if state == State::Unset {
                    continue;
                }
                let seen = self.through_spawns(variable, state, &walk.spawns);
                self.note_use(seen, state);
                found.push(seen);
                if state == State::Set {
                    return (found, true);
                }
            }
            next = self.out.scopes[scope].parent;
            self.step_out(&mut walk, scope, next);
        }
        (found, false)
    }

    fn step_out(&self, walk: &mut Walk, from: ScopeIndex, to: Option<ScopeIndex>) {
        let inner = self.out.scopes[from].function;
        if to.is_some_and(|to| self.out.scopes[to].function != inner) {
            walk.inside = Some(inner);
            if self.out.scopes[from].kind == ScopeKind::Snapshot {
                walk.spawns.push(inner);
            }
        }
    }

    /// Whether a variable is set; `inside` is the child of its function that
    /// holds the point of view, if that is not the function itself.
    fn state_seen(&self, variable: VariableIndex, inside: Option<FunctionIndex>) -> State {
        let Some(inside) = inside else {
            return self.states[variable.0 as usize];
        };
        let row = &self.out.variables[variable];
        if row.set_at < self.out.functions[inside].called_at && row.set_at != NEVER {
            State::Set
        } else if row.writes > 0 {
            State::Maybe
        } else {
            State::Unset
        }
    }

    /// The copy of an outer variable that code inside `spawn` blocks uses.
    ///
    /// Top-level variables are copied as a whole when a thread starts, and a
    /// declaration never changes, so those need no copy here.
    fn through_spawns(
        &mut self,
        variable: VariableIndex,
        state: State,
        spawns: &[FunctionIndex],
    ) -> VariableIndex {
        let mut seen = variable;
        let row = &self.out.variables[variable];
        if self.out.is_module_scope(row.scope) || row.hoist.is_some() {
            return seen;
        }
        for spawn in spawns.iter().rev() {
            seen = self.snapshot(*spawn, seen, state);
        }
        seen
    }

    fn snapshot(
        &mut self,
        spawn: FunctionIndex,
        original: VariableIndex,
        state: State,
    ) -> VariableIndex {
        if let Some(copy) = self.snapshots.get(&(spawn, original)) {
            return *copy;
        }
        let scope = self.out.functions[spawn].scope;
        let (name, mutability) = {
            let row = &self.out.variables[original];
            (row.name, row.mutability)
        };
        let copy = VariableIndex(self.out.variables.len() as u32);
        let mut row = super::new_variable(name, scope, spawn, mutability);
        row.writes = 1;
        if state == State::Set {
            row.set_at = 0;
            row.ready_at = (0, 0);
        }
        self.out.variables.push(row);
        self.states.push(state);
        self.out.functions[spawn].snapshots.push((original, copy));
        self.snapshots.insert((spawn, original), copy);
        copy
    }

    /// A receiver's field as a variable, of a method without `self`.
    fn field_variable(&mut self, scope: ScopeIndex, name: Symbol) {
        if !self.field_names.contains(&name) || self.holds.contains_key(&(scope, name)) {
            return;
        }
        let variable = self.variable(scope, name, Mutability::Mutable);
        self.states[variable.0 as usize] = State::Maybe;
        self.out.variables[variable].writes = 1;
        let function = self.out.scopes[scope].function;
        self.out.functions[function].fields.push(variable);
    }

    /// Notes that the playing function uses a variable that is in this state.
    pub(super) fn note_use(&mut self, variable: VariableIndex, state: State) {
        let row = &mut self.out.variables[variable];
        row.is_used = true;
        if row.function != self.current {
            if self.seen.insert((self.current, variable)) {
                self.foreign_uses.push((self.current, variable));
            }
        } else if state != State::Set {
            row.may_be_unset = true;
        }
    }
}

struct Walk {
    /// The function that was left last.
    inside: Option<FunctionIndex>,
    /// The `spawn` blocks that were left, innermost first.
    spawns: Vec<FunctionIndex>,
}
