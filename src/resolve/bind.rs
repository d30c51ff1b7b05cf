//! What every name means.
//!
//! The tapes are played function by function, outer ones first, keeping for
//! every variable of the playing function whether it is set.  That is simple
//! because a variable is only ever created by a statement directly in its
//! scope: what is set there stays set until the scope is left.  Match clauses
//! are the one exception, and so the one place where states are merged.

mod import;
mod lookup;
mod merge;

use super::index::{FunctionIndex, ScopeIndex, Symbol, VariableIndex};
use super::record::NEVER;
use super::tape::{Declare, Event, Recording};
use super::{HoistItem, Mutability, Place, Resolved, Storage, Use, Variable};
use merge::{Merges, State};
use rustc_hash::{FxHashMap, FxHashSet};

/// Uses of variables of other functions, in order, each once.
pub(super) type ForeignUses = Vec<(FunctionIndex, VariableIndex)>;

/// What was learned besides what every name means.
pub(super) struct Uses {
    pub foreign: ForeignUses,
    /// Members of variables that are certainly set: which one is read or, if so, called.
    pub members: Vec<MemberUse>,
}

pub(super) struct MemberUse {
    pub variable: VariableIndex,
    pub member: Symbol,
    pub is_called: bool,
}

pub(super) fn bind(recording: Recording) -> (Resolved, Uses) {
    let Recording {
        functions,
        tapes,
        scopes,
        hoists,
        symbols,
        units,
        imports,
        ..
    } = recording;
    let changing = recording
        .changing
        .iter()
        .map(|symbol| symbols.texts[symbol.0 as usize].clone())
        .collect();
    let mut binder = Binder {
        holds: FxHashMap::default(),
        is_variable: vec![false; symbols.texts.len()],
        states: Vec::new(),
        merges: Merges::default(),
        field_names: recording.field_names,
        changing: recording.changing,
        snapshots: FxHashMap::default(),
        foreign_uses: Vec::new(),
        member_uses: Vec::new(),
        seen: FxHashSet::default(),
        current: FunctionIndex(0),
        scope: ScopeIndex(0),
        part: None,
        now: 0,
        out: Resolved {
            functions,
            scopes,
            hoists,
            symbols: symbols.texts,
            units,
            imports,
            changing,
            ..Resolved::default()
        },
    };
    for (function, tape) in tapes.iter().enumerate() {
        let function = FunctionIndex(function as u32);
        if !binder.out.functions[function].is_dead {
            binder.play(function, tape);
        }
    }
    binder.note_declarations();
    let uses = Uses {
        foreign: binder.foreign_uses,
        members: binder.member_uses,
    };
    (binder.out, uses)
}

struct Binder {
    /// The variables that a scope may hold under a name.
    holds: FxHashMap<(ScopeIndex, Symbol), Vec<VariableIndex>>,
    /// Whether any scope may hold the name.
    is_variable: Vec<bool>,
    /// Whether each variable is set, at this moment of its function's tape.
    states: Vec<State>,
    merges: Merges,
    field_names: FxHashSet<Symbol>,
    changing: FxHashSet<Symbol>,
    /// The copies that `spawn` blocks work on.
    snapshots: FxHashMap<(FunctionIndex, VariableIndex), VariableIndex>,
    foreign_uses: ForeignUses,
    member_uses: Vec<MemberUse>,
    seen: FxHashSet<(FunctionIndex, VariableIndex)>,
    current: FunctionIndex,
    scope: ScopeIndex,
    /// The scope of the test's part that is played.
    part: Option<ScopeIndex>,
    now: u32,
    out: Resolved,
}

impl Binder {
    fn play(&mut self, function: FunctionIndex, tape: &[Event]) {
        self.current = function;
        for (at, event) in tape.iter().enumerate() {
            self.now = at as u32;
            self.event(*event);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Enter(scope) => self.enter(scope),
            Event::Leave => {
                if let Some(parent) = self.out.scopes[self.scope].parent {
                    self.scope = parent;
                }
            }
            Event::Declare(declare) => self.declare(declare),
            Event::Assign {
                name,
                offset,
                literal,
            } => self.assign(name, offset, literal),
            Event::Read { name, offset } => {
                let found = self.use_existing(name, offset);
                self.note_value_use(&found);
            }
            Event::ReadMember {
                name,
                offset,
                member,
            } => {
                let found = self.use_existing(name, offset);
                self.note_member_use(&found, offset, member, false);
            }
            Event::Modify { name, offset } => self.modify(name, offset),
            Event::MethodPlace {
                name,
                offset,
                method,
                is_direct,
            } => self.method_place(name, offset, method, is_direct),
            Event::MayAssign { name } => self.may_assign(name),
            Event::Make(_) | Event::Statement => {}
            Event::Import(import) => self.import(import),
            Event::Export { unit, number } => self.export(unit, number),
            Event::EnterMatch => self.merges.enter_match(),
            Event::EnterClause => self.merges.enter_clause(),
            Event::LeaveClause { diverges } => self.merges.leave_clause(diverges, &mut self.states),
            Event::LeaveMatch { has_default } => {
                self.leave_match(has_default);
            }
            Event::EnterPart => {
                // Like a match with one clause: it is left somewhere.
                self.merges.enter_match();
                self.merges.enter_clause();
                self.part = Some(self.scope);
            }
            Event::LeavePart => {
                self.merges.leave_clause(false, &mut self.states);
                self.leave_match(false);
                self.part = None;
            }
        }
    }

    fn leave_match(&mut self, has_default: bool) {
        for (variable, state) in self.merges.leave_match(has_default) {
            self.set_state(variable, state);
        }
    }

    fn enter(&mut self, scope: ScopeIndex) {
        self.scope = scope;
        for index in self.out.scopes[scope].hoists.clone() {
            let hoist = &self.out.hoists[index];
            let (name, made_at, is_replaced) = (hoist.name, hoist.made_at, hoist.is_replaced);
            let variable = self.variable(scope, name, Mutability::Mutable);
            self.out.hoists[index].variable = Some(variable);
            self.set_state(variable, State::Set);
            if !is_replaced {
                let row = &mut self.out.variables[variable];
                row.writes += 1;
                row.hoist = Some(index);
                row.ready_at = made_at;
            }
        }
    }

    fn declare(&mut self, declare: Declare) {
        let Declare {
            name,
            offset,
            mutability,
            is_parameter,
            is_checked,
            may_be_skipped,
            literal,
        } = declare;
        let mut rivals = Vec::new();
        let mut is_certain = false;
        if is_checked {
            for variable in self.holds.get(&(self.scope, name)).into_iter().flatten() {
                match self.states[variable.0 as usize] {
                    State::Unset => {}
                    State::Maybe => rivals.push(*variable),
                    State::Set => {
                        is_certain = true;
                        rivals.push(*variable);
                    }
                }
            }
        }
        let variable = self.variable(self.scope, name, mutability);
        if is_parameter {
            self.out.functions[self.current].parameters.push(variable);
        }
        for rival in &rivals {
            self.note_use(*rival, State::Maybe);
        }
        self.put_use(offset, &rivals, is_certain, Some(variable));
        if is_certain {
            return;
        }
        for rival in rivals.into_iter().filter(|rival| *rival != variable) {
            self.set_state(rival, State::Unset);
        }
        self.write(variable, literal);
        if may_be_skipped {
            self.out.variables[variable].may_be_unset = true;
            self.set_state(variable, State::Maybe);
        } else {
            self.set_state(variable, State::Set);
        }
    }

    fn assign(&mut self, name: Symbol, offset: u32, literal: Option<FunctionIndex>) {
        let (found, is_certain) = self.lookup(name);
        for variable in &found {
            self.write(*variable, literal);
        }
        if is_certain {
            return self.put_use(offset, &found, true, None);
        }
        let target = self.out.scopes[self.scope].creates_in;
        let created = self.variable(target, name, Mutability::Mutable);
        self.put_use(offset, &found, false, Some(created));
        let is_only = found.iter().all(|variable| *variable == created);
        if !found.contains(&created) {
            self.write(created, literal);
        }
        self.set_state(created, if is_only { State::Set } else { State::Maybe });
    }

    fn may_assign(&mut self, name: Symbol) {
        let (_, is_certain) = self.lookup(name);
        if !is_certain {
            let created = self.variable(self.scope, name, Mutability::Mutable);
            // The step runs again and again, so its value is not the only one.
            self.out.variables[created].writes += 1;
            self.set_state(created, State::Maybe);
        }
    }

    /// A use that cannot create a variable.
    fn use_existing(&mut self, name: Symbol, offset: u32) -> Vec<VariableIndex> {
        let (found, is_certain) = self.lookup(name);
        self.put_use(offset, &found, is_certain, None);
        found
    }

    fn modify(&mut self, name: Symbol, offset: u32) {
        for variable in self.use_existing(name, offset) {
            self.write(variable, None);
        }
    }

    fn method_place(&mut self, name: Symbol, offset: u32, method: Symbol, is_direct: bool) {
        let may_change = self.changing.contains(&method);
        let found = self.use_existing(name, offset);
        match is_direct {
            true => self.note_member_use(&found, offset, method, true),
            false => self.note_value_use(&found),
        }
        for variable in found {
            // A declaration's value is no instance, and a module's functions
            // don't change it; if the variable ever holds something else, that
            // is because of another write.
            let row = &self.out.variables[variable];
            if may_change && row.hoist.is_none() && !(is_direct && row.is_module) {
                self.write(variable, None);
            }
        }
    }

    fn write(&mut self, variable: VariableIndex, literal: Option<FunctionIndex>) {
        let row = &mut self.out.variables[variable];
        row.is_used = true;
        if row.mutability == Mutability::Mutable || row.writes == 0 {
            row.writes += 1;
            row.literal = literal;
        }
    }

    /// A use of a variable's whole value.
    fn note_value_use(&mut self, found: &[VariableIndex]) {
        for variable in found {
            self.out.variables[*variable].is_value_used = true;
        }
    }

    fn put_use(
        &mut self,
        offset: u32,
        found: &[VariableIndex],
        is_certain: bool,
        creates: Option<VariableIndex>,
    ) {
        let start = self.out.candidates.len() as u32;
        self.out.candidates.extend(found);
        let count = found.len() as u32;
        let row = &self.out.functions[self.current];
        let (unit, copy) = (row.unit, row.copy);
        self.out.units[unit].uses.insert(
            Place { copy, offset },
            Use {
                start,
                count,
                is_certain,
                creates,
            },
        );
    }

    /// The variable of a scope with this name and kind, made if need be.
    fn variable(
        &mut self,
        scope: ScopeIndex,
        name: Symbol,
        mutability: Mutability,
    ) -> VariableIndex {
        let held = self.holds.entry((scope, name)).or_default();
        let known = held
            .iter()
            .find(|held| self.out.variables[**held].mutability == mutability);
        if let Some(known) = known {
            return *known;
        }
        let variable = VariableIndex(self.out.variables.len() as u32);
        held.push(variable);
        self.is_variable[name.0 as usize] = true;
        let row = new_variable(name, scope, self.out.scopes[scope].function, mutability);
        self.out.variables.push(row);
        self.out.scopes[scope].variables.push(variable);
        self.states.push(State::Unset);
        variable
    }

    fn set_state(&mut self, variable: VariableIndex, state: State) {
        let old = std::mem::replace(&mut self.states[variable.0 as usize], state);
        self.merges.changed(variable, old, state);
        let row = &mut self.out.variables[variable];
        // In a clause, and in a test's part, it is set for the rest of that only.
        let is_for_good = row.scope == self.scope && self.part != Some(row.scope);
        if state == State::Set && row.set_at == NEVER && is_for_good {
            row.set_at = self.now;
            if row.hoist.is_none() {
                row.ready_at = (self.now, 0);
            }
        }
    }

    /// Which variables always hold the same declaration.
    fn note_declarations(&mut self) {
        for row in &mut self.out.variables {
            let Some(hoist) = row.hoist.filter(|_| row.writes == 1) else {
                continue;
            };
            row.declared_by = Some(hoist);
            if let HoistItem::Function(function) = self.out.hoists[hoist].item {
                row.literal = Some(function);
            }
        }
    }
}

pub(super) fn new_variable(
    name: Symbol,
    scope: ScopeIndex,
    function: FunctionIndex,
    mutability: Mutability,
) -> Variable {
    Variable {
        name,
        scope,
        function,
        mutability,
        storage: Storage::Local,
        may_be_unset: false,
        declared_by: None,
        is_used: false,
        writes: 0,
        set_at: NEVER,
        ready_at: (NEVER, 0),
        hoist: None,
        literal: None,
        is_module: false,
        is_value_used: false,
        is_captured: false,
        alias: None,
        imported_struct: None,
    }
}
