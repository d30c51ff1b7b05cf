//! Where every variable lives, and what functions take along.
//!
//! A top-level variable that functions use is a global.  Another one that
//! inner functions use is captured: by value if it is assigned once, before
//! any of them is made; otherwise by reference, in a cell.  A declared function
//! that captures nothing needs no variable at all, and one that captures
//! something still reaches itself without capturing itself.

use super::bind::ForeignUses;
use super::index::{FunctionIndex, VariableIndex};
use super::{Access, CaptureSource, Captured, Mutability, Resolved, Storage, bind};
use rustc_hash::FxHashMap;

pub(super) fn place(resolved: &mut Resolved, foreign_uses: &ForeignUses) {
    let mut placer = Placer {
        resolved,
        earliest: FxHashMap::default(),
        numbers: FxHashMap::default(),
    };
    placer.find_plain_functions(foreign_uses);
    placer.place_globals(foreign_uses);
    placer.place_locals(foreign_uses);
    placer.capture(foreign_uses);
}

struct Placer<'a> {
    resolved: &'a mut Resolved,
    /// When the first function is made that captures the variable.
    earliest: FxHashMap<VariableIndex, (u32, u32)>,
    /// Numbers of captures.
    numbers: FxHashMap<(FunctionIndex, VariableIndex), u32>,
}

impl Placer<'_> {
    /// The declared function that a variable always holds.
    fn declared(&self, variable: VariableIndex) -> Option<FunctionIndex> {
        self.resolved.declared_function(variable)
    }

    /// Whether the use is of the function that runs, or that is around it.
    fn is_own(&self, user: FunctionIndex, variable: VariableIndex) -> Option<FunctionIndex> {
        self.resolved
            .only_function(variable)
            .filter(|function| self.resolved.is_within(user, *function))
    }

    /// The functions from `user` outward that are inside `outer`.
    fn up_to(&self, user: FunctionIndex, outer: FunctionIndex) -> Vec<FunctionIndex> {
        let mut functions = Vec::new();
        let mut current = user;
        while current != outer {
            functions.push(current);
            current = self.resolved.functions[current]
                .parent
                .expect("`outer` is around `user`");
        }
        functions
    }

    /// Finds the declared functions that capture nothing.
    fn find_plain_functions(&mut self, foreign_uses: &ForeignUses) {
        let mut work = Vec::new();
        let mut users: FxHashMap<FunctionIndex, Vec<FunctionIndex>> = FxHashMap::default();
        for (user, variable) in foreign_uses {
            let row = &self.resolved.variables[*variable];
            if self.resolved.is_module_scope(row.scope) {
                continue;
            }
            let own = self.is_own(*user, *variable);
            let between = self.up_to(*user, own.unwrap_or(row.function));
            match self.declared(*variable) {
                Some(function) => users.entry(function).or_default().extend(between),
                None => work.extend(between),
            }
        }
        for function in 0..self.resolved.functions.len() as u32 {
            let spawn = FunctionIndex(function);
            for (original, _) in &self.resolved.functions[spawn].snapshots {
                work.extend(self.up_to(spawn, self.resolved.variables[*original].function));
            }
        }
        while let Some(function) = work.pop() {
            if !std::mem::replace(
                &mut self.resolved.functions[function].captures_something,
                true,
            ) {
                work.extend(users.remove(&function).into_iter().flatten());
            }
        }
        for variable in 0..self.resolved.variables.len() as u32 {
            let variable = VariableIndex(variable);
            if let Some(function) = self.declared(variable)
                && !self.resolved.functions[function].captures_something
            {
                self.resolved.variables[variable].storage = Storage::Function(function);
            }
        }
    }

    fn place_globals(&mut self, foreign_uses: &ForeignUses) {
        for (_, variable) in foreign_uses {
            let row = &self.resolved.variables[*variable];
            let is_global = self.resolved.is_module_scope(row.scope);
            let row = &mut self.resolved.variables[*variable];
            if is_global && row.storage == Storage::Local {
                row.storage = Storage::Global;
                self.resolved.globals.push(*variable);
            }
        }
    }

    /// Whether using the variable means capturing it.
    fn needs_capture(&self, user: FunctionIndex, variable: VariableIndex) -> bool {
        let row = &self.resolved.variables[variable];
        matches!(row.storage, Storage::Local | Storage::Cell)
            && self.is_own(user, variable).is_none()
    }

    fn place_locals(&mut self, foreign_uses: &ForeignUses) {
        for (user, variable) in foreign_uses {
            if self.needs_capture(*user, *variable) {
                self.note_capture(*user, *variable);
            }
        }
        for function in 0..self.resolved.functions.len() as u32 {
            let spawn = FunctionIndex(function);
            for (original, _) in self.resolved.functions[spawn].snapshots.clone() {
                let parent = self.resolved.functions[spawn]
                    .parent
                    .expect("a spawn block has a parent");
                if self.resolved.variables[original].function != parent {
                    self.note_capture(parent, original);
                }
            }
        }
        for (variable, made_at) in &self.earliest {
            let row = &mut self.resolved.variables[*variable];
            row.is_captured = true;
            let is_final = row.writes == 1 || row.mutability != Mutability::Mutable;
            if !is_final || row.ready_at >= *made_at {
                row.storage = Storage::Cell;
            }
        }
    }

    fn note_capture(&mut self, user: FunctionIndex, variable: VariableIndex) {
        let owner = self.resolved.variables[variable].function;
        let outermost = *self
            .up_to(user, owner)
            .last()
            .expect("the user is not the owner");
        let made_at = self.resolved.functions[outermost].made_at;
        let earliest = self.earliest.entry(variable).or_insert(made_at);
        *earliest = made_at.min(*earliest);
    }

    /// Numbers the captures of every function.
    fn capture(&mut self, foreign_uses: &ForeignUses) {
        for function in 0..self.resolved.functions.len() as u32 {
            let spawn = FunctionIndex(function);
            for (original, _) in self.resolved.functions[spawn].snapshots.clone() {
                self.number(spawn, original);
            }
        }
        for (user, variable) in foreign_uses {
            let access = match self.is_own(*user, *variable) {
                _ if !matches!(
                    self.resolved.variables[*variable].storage,
                    Storage::Local | Storage::Cell
                ) =>
                {
                    continue;
                }
                Some(function) if function == *user => {
                    self.resolved.functions[function].names_itself = true;
                    Access::Callee
                }
                Some(function) => {
                    self.resolved.functions[function].names_itself = true;
                    let itself = self.itself(function, *variable);
                    Access::CapturedValue(self.number(*user, itself))
                }
                None => {
                    let number = self.number(*user, *variable);
                    match self.resolved.variables[*variable].storage {
                        Storage::Cell => Access::CapturedCell(number),
                        _ => Access::CapturedValue(number),
                    }
                }
            };
            self.resolved.foreign.insert((*user, *variable), access);
        }
    }

    /// The hidden variable in which a function keeps itself for inner functions.
    fn itself(&mut self, function: FunctionIndex, variable: VariableIndex) -> VariableIndex {
        if let Some(itself) = self.resolved.functions[function].itself {
            return itself;
        }
        let row = &self.resolved.variables[variable];
        let scope = self.resolved.functions[function].scope;
        let mut hidden = bind::new_variable(row.name, scope, function, Mutability::Mutable);
        hidden.writes = 1;
        hidden.is_captured = true;
        let itself = VariableIndex(self.resolved.variables.len() as u32);
        self.resolved.variables.push(hidden);
        self.resolved.functions[function].itself = Some(itself);
        itself
    }

    /// The number of a capture of `function`, made if need be.
    fn number(&mut self, function: FunctionIndex, variable: VariableIndex) -> u32 {
        if let Some(number) = self.numbers.get(&(function, variable)) {
            return *number;
        }
        let parent = self.resolved.functions[function]
            .parent
            .expect("the top level captures nothing");
        let source = match self.resolved.variables[variable].function == parent {
            true => CaptureSource::Own,
            false => CaptureSource::Outer(self.number(parent, variable)),
        };
        let captures = &mut self.resolved.functions[function].captures;
        let number = captures.len() as u32;
        captures.push(Captured { variable, source });
        self.numbers.insert((function, variable), number);
        number
    }
}
