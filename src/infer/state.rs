//! What is known at a point in a function, besides what its variables can ever hold.
//!
//! Two things are followed along the ways that lead to a point: which numbers, bools
//! and nulls a local variable is *not* there, since something else was stored or an
//! operation would have failed otherwise, and which arrays have elements, since one
//! was looked up, appended or asked for.  So what `pop()` gives in a loop over a stack
//! that is not empty can't be null.

use super::flow::Flow;
use super::transfer::{element_of, field_of};
use super::values::never_calls;
use super::{Tags, Type};
use ruff_runtime::bytecode::{MethodSite, Op, Path, Program, Step, Var, VarKind};
use ruff_runtime::names::{self, NameId};
use rustc_hash::FxHashMap;

/// The kinds of values that are followed.
const SCALARS: Tags = Tags(Tags::NULL.0 | Tags::BOOL.0 | Tags::NUMBER.0);
/// What no operand of arithmetic, and no index of an array, is.
const NO_NUMBER: Tags = Tags(Tags::NULL.0 | Tags::BOOL.0);
/// Places that are followed at once.
const MOST_PLACES: usize = 8;

/// A variable, or a field of one, or a field of that, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    root: Var,
    fields: Vec<NameId>,
}

/// What is known at a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The scalars that locals are not, by slot.
    excluded: FxHashMap<u32, Tags>,
    /// Arrays that have elements.
    filled: Vec<Place>,
}

impl State {
    /// Keeps what is also known on another way; true if that is less.
    pub fn meet(&mut self, other: &State) -> bool {
        let before = (self.excluded.len(), self.filled.len());
        let mut shrank = false;
        self.excluded.retain(|slot, tags| {
            let both = other.excluded(*slot).0 & tags.0;
            shrank |= both != tags.0;
            tags.0 = both;
            both != 0
        });
        self.filled.retain(|place| other.filled.contains(place));
        shrank || before != (self.excluded.len(), self.filled.len())
    }

    /// What the local is not.
    pub fn excluded(&self, slot: u32) -> Tags {
        self.excluded.get(&slot).copied().unwrap_or(Tags::EMPTY)
    }

    fn exclude(&mut self, slot: u32, tags: Tags) {
        let known = self.excluded.entry(slot).or_default();
        *known = known.union(tags);
    }

    fn fill(&mut self, place: Place) {
        if self.filled.len() < MOST_PLACES && !self.filled.contains(&place) {
            self.filled.push(place);
        }
    }

    /// Whether the array at a place has elements.
    pub fn is_filled(&self, path: &Path) -> bool {
        let place = place_of(path);
        place.is_some_and(|place| self.filled.contains(&place))
    }

    /// A variable has got another value.
    fn forget(&mut self, root: Var) {
        self.filled.retain(|place| place.root != root);
        if matches!(root.kind(), VarKind::Local) {
            self.excluded.remove(&root.number());
        }
    }

    /// What a path leads to has changed: elements have not come or gone elsewhere.
    fn change(&mut self, path: &Path) {
        if path.steps.is_empty() {
            return self.forget(path.root);
        }
        self.filled.retain(|place| {
            if place.root != path.root {
                return true;
            }
            let mut fields = place.fields.iter();
            for step in &path.steps {
                match (fields.next(), step) {
                    // It is an element of the array that has changed.
                    (None, Step::Index) => return true,
                    (Some(field), Step::Field(name)) if field == name => {}
                    (Some(_), Step::Field(_)) => return true,
                    _ => return false,
                }
            }
            false
        });
    }

    /// Whether calls may change something that is known.
    fn follows_globals(&self) -> bool {
        let is_global = |place: &Place| !matches!(place.root.kind(), VarKind::Local);
        self.filled.iter().any(is_global)
    }

    /// Something was called that may change whatever is not a local variable.
    fn call(&mut self) {
        self.filled
            .retain(|place| matches!(place.root.kind(), VarKind::Local));
    }
}

fn local(slot: u32) -> Var {
    Var::new(VarKind::Local, slot)
}

fn global_variable(number: u32) -> Var {
    Var::new(VarKind::Global, number)
}

/// A path without indexes, as a place.  What closures share changes behind one's back.
fn place_of(path: &Path) -> Option<Place> {
    if matches!(path.root.kind(), VarKind::Cell | VarKind::Capture) {
        return None;
    }
    let fields = path.steps.iter().map(|step| match step {
        Step::Field(name) => Some(*name),
        Step::Index => None,
    });
    Some(Place {
        root: path.root,
        fields: fields.collect::<Option<Vec<NameId>>>()?,
    })
}

/// What is known at one instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The scalars that the local which it loads is not.
    pub excluded: Tags,
    /// The array that it takes an element from has one.
    pub is_filled: bool,
}

/// Something that a condition says.
enum Fact {
    NotNull(u32),
    Filled(Place),
}

/// A function's code, read backwards along straight lines.
struct Code<'a> {
    program: &'a Program,
    code: &'a [Op],
    /// The instructions that jumps lead to.
    targets: &'a [bool],
}

impl<'a> Code<'a> {
    /// An instruction that is executed just before what follows it here.
    fn at(&self, pc: u32) -> Option<&'a Op> {
        let next = self.targets.get(pc as usize + 1);
        self.code.get(pc as usize).filter(|_| next != Some(&true))
    }

    /// How many instructions before `pc` there are.
    fn before(&self, pc: u32, count: u32) -> Option<(u32, &'a Op)> {
        let pc = pc.checked_sub(count)?;
        Some((pc, self.at(pc)?))
    }

    /// The local whose value the instruction before `pc` pushes.
    fn local_before(&self, pc: u32) -> Option<u32> {
        match self.before(pc, 1)? {
            (_, Op::LoadLocal { slot }) => Some(*slot),
            _ => None,
        }
    }

    /// The place whose value the instructions before `pc` push.
    fn place_before(&self, pc: u32) -> Option<Place> {
        let mut fields = Vec::new();
        let mut end = pc;
        loop {
            let (at, op) = self.before(end, 1)?;
            let root = match *op {
                Op::Field { name } => {
                    fields.push(name);
                    end = at;
                    continue;
                }
                Op::LoadLocal { slot } => local(slot),
                Op::LoadGlobal { global } => global_variable(global),
                _ => return None,
            };
            fields.reverse();
            return Some(Place { root, fields });
        }
    }

    /// The place whose length the instructions before `pc` push.
    fn length_before(&self, pc: u32) -> Option<Place> {
        match self.before(pc, 1)? {
            (at, Op::CallBuiltin { builtin, argc: 1 })
                if &*self.program.builtins[*builtin as usize] == "len" =>
            {
                self.place_before(at)
            }
            (_, Op::CallMethod { site }) => {
                let site = &self.program.method_sites[*site as usize];
                let is_len = &*self.program.names[site.name as usize] == "len";
                let place = site
                    .place
                    .as_ref()
                    .filter(|_| is_len && site.args.is_empty());
                place_of(place?)
            }
            _ => None,
        }
    }

    fn int_before(&self, pc: u32) -> Option<i64> {
        match self.before(pc, 1)? {
            (_, Op::Int { value }) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// What the condition that is computed just before `pc` says, and when.
    fn condition_before(&self, pc: u32) -> Option<(Fact, bool)> {
        let (at, op) = self.before(pc, 1)?;
        match op {
            Op::Not {} => {
                let (fact, when) = self.condition_before(at)?;
                Some((fact, !when))
            }
            Op::Equal {} | Op::NotEqual {} => {
                let when = matches!(op, Op::NotEqual {});
                let not_null = |slot: &u32| Some((Fact::NotNull(*slot), when));
                match (self.before(at, 2), self.before(at, 1)?.1) {
                    (Some((_, Op::LoadLocal { slot })), Op::Null {}) => return not_null(slot),
                    (Some((_, Op::Null {})), Op::LoadLocal { slot }) => return not_null(slot),
                    _ => {}
                }
                (self.int_before(at)? == 0).then_some(())?;
                Some((Fact::Filled(self.length_before(at - 1)?), when))
            }
            Op::Greater {} | Op::GreaterEqual {} | Op::Less {} | Op::LessEqual {} => {
                if let Some(number) = self.int_before(at) {
                    let filled = Fact::Filled(self.length_before(at - 1)?);
                    return match op {
                        Op::Greater {} if number >= 0 => Some((filled, true)),
                        Op::GreaterEqual {} if number >= 1 => Some((filled, true)),
                        Op::Less {} if number >= 1 => Some((filled, false)),
                        Op::LessEqual {} if number >= 0 => Some((filled, false)),
                        _ => None,
                    };
                }
                None
            }
            _ => None,
        }
    }
}

impl Flow<'_, '_> {
    fn code(&self) -> Code<'_> {
        let program = self.analysis.program;
        Code {
            program,
            code: &program.functions[self.func as usize].code,
            targets: &self.targets,
        }
    }

    /// What is known where a jump leads, and where it does not.
    pub(super) fn states_behind(&self, pc: u32, op: &Op, operands: &[Type; 2]) -> (State, State) {
        let (mut taken, mut passed) = (self.state.clone(), self.state.clone());
        let code = self.code();
        match op {
            Op::JumpIfTrue { .. } | Op::JumpIfFalse { .. } => {
                if self.state.follows_globals() && self.may_call(op, operands) {
                    taken.call();
                    passed.call();
                }
                if let Some((fact, when)) = code.condition_before(pc) {
                    let holds_when_taken = when == matches!(op, Op::JumpIfTrue { .. });
                    let state = if holds_when_taken {
                        &mut taken
                    } else {
                        &mut passed
                    };
                    match fact {
                        Fact::NotNull(slot) if self.compares_by_itself(slot) => {
                            state.exclude(slot, Tags::NULL);
                        }
                        Fact::NotNull(_) => {}
                        // It may be a string or a dict as well, but then nobody pops.
                        Fact::Filled(place) => state.fill(place),
                    }
                }
            }
            Op::JumpIfNull { .. } => {
                if let Some(slot) = code.local_before(pc) {
                    passed.exclude(slot, Tags::NULL);
                }
            }
            Op::JumpIfNotNull { .. } => {
                if let Some(slot) = code.local_before(pc) {
                    taken.exclude(slot, Tags::NULL);
                }
            }
            _ => {}
        }
        (taken, passed)
    }

    /// Whether comparing a local with null runs no method.
    fn compares_by_itself(&self, slot: u32) -> bool {
        let methods = &self.analysis.facts.methods;
        let overloads = [names::OP_EQ, names::OP_NE];
        !self.slot(slot).may_be(Tags::STRUCT)
            || overloads.iter().all(|name| !methods.contains_key(name))
    }

    /// What a method is called on, as long as its operands are on the stack.
    fn receiver_type(&self, site: &MethodSite) -> Type {
        let Some(path) = site.place.as_ref().filter(|_| !site.early) else {
            return Type::ANY;
        };
        let facts = &self.analysis.facts;
        let root = path.root.number() as usize;
        let mut current = match path.root.kind() {
            VarKind::Local => self.slot(path.root.number()),
            VarKind::Global => facts.globals[root].without(Tags::UNSET),
            VarKind::Cell | VarKind::Capture => return Type::ANY,
        };
        for step in &path.steps {
            current = match step {
                Step::Index => element_of(current),
                Step::Field(name) => field_of(facts, current, *name),
            };
        }
        current
    }

    /// Whether an instruction may run the program's own code.
    fn may_call(&self, op: &Op, operands: &[Type; 2]) -> bool {
        let program = self.analysis.program;
        let has_methods = |above: usize| {
            let plain = SCALARS
                .union(Tags::STRING)
                .union(Tags::ARRAY)
                .union(Tags::DICT);
            let tags = operands[above].tags();
            tags.without(plain) != Tags::EMPTY
        };
        match *op {
            Op::Null {}
            | Op::True {}
            | Op::False {}
            | Op::Int { .. }
            | Op::Constant { .. }
            | Op::Function { .. }
            | Op::Builtin { .. }
            | Op::Pop {}
            | Op::Dup {}
            | Op::LoadLocal { .. }
            | Op::MoveLocal { .. }
            | Op::StoreLocal { .. }
            | Op::ClearLocal { .. }
            | Op::LoadGlobal { .. }
            | Op::StoreGlobal { .. }
            | Op::LoopHead { .. }
            | Op::Jump { .. }
            | Op::JumpIfNull { .. }
            | Op::JumpIfNotNull { .. }
            | Op::JumpIfUnset { .. }
            | Op::MakeArray { .. }
            | Op::ArrayPush {}
            | Op::MakeDict { .. }
            | Op::StorePath { .. }
            | Op::StorePathUnder { .. }
            | Op::ReadPath { .. }
            | Op::ElementOrNull { .. }
            | Op::ArrayRest { .. }
            | Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::RangeStart { .. }
            | Op::RangeNext { .. }
            | Op::SameValue {}
            | Op::Return {}
            | Op::StoreSelfResult {} => false,
            Op::Add {}
            | Op::Subtract {}
            | Op::Multiply {}
            | Op::Divide {}
            | Op::Remainder {}
            | Op::Equal {}
            | Op::NotEqual {}
            | Op::Less {}
            | Op::LessEqual {}
            | Op::Greater {}
            | Op::GreaterEqual {}
            | Op::Index {} => has_methods(0) || has_methods(1),
            Op::Negate {}
            | Op::Not {}
            | Op::Truthy {}
            | Op::Falsy {}
            | Op::JumpIfTrue { .. }
            | Op::JumpIfFalse { .. } => has_methods(0),
            Op::Field { .. } => operands[0].tags().without(Tags::STRUCT) != Tags::EMPTY,
            Op::CallBuiltin { builtin, .. } => !never_calls(&program.builtins[builtin as usize]),
            Op::Mutate { site } => {
                let site = &program.builtin_sites[site as usize];
                !never_calls(&program.builtins[site.builtin as usize])
            }
            _ => true,
        }
    }

    /// Takes account of an instruction that is no jump and was executed, with its
    /// topmost operands.
    pub(super) fn learn(&mut self, pc: u32, op: &Op, operands: &[Type; 2]) {
        let program = self.analysis.program;
        let mut state = std::mem::take(&mut self.state);
        if state.follows_globals() && self.may_call(op, operands) {
            state.call();
        }
        let code = self.code();
        match *op {
            Op::StoreLocal { slot } => {
                let stored = operands[0];
                state.forget(local(slot));
                state.exclude(slot, SCALARS.without(stored.tags()));
            }
            Op::MoveLocal { slot }
            | Op::ClearLocal { slot }
            | Op::NewCell { slot }
            | Op::BoxLocal { slot }
            | Op::IterStart { slot }
            | Op::RangeStart { slot, .. } => state.forget(local(slot)),
            Op::StoreGlobal { global } => state.forget(global_variable(global)),
            Op::Update { var, .. } | Op::UpdateFrom { var, .. } => state.forget(var),
            Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
                state.change(&program.paths[path as usize]);
            }
            Op::Mutate { site } => {
                let site = &program.builtin_sites[site as usize];
                state.change(&site.place);
                let is_push =
                    matches!(&*program.builtins[site.builtin as usize], "push" | "append");
                if is_push && let Some(place) = place_of(&site.place) {
                    state.fill(place);
                }
            }
            Op::CallMethod { site } => {
                let site = &program.method_sites[site as usize];
                if let Some(path) = &site.place {
                    let is_len = &*program.names[site.name as usize] == "len";
                    let root_is_plain = self.receiver_type(site).is(Tags::ARRAY);
                    if !(is_len && root_is_plain) {
                        state.change(path);
                    }
                    let is_push = matches!(&*program.names[site.name as usize], "push" | "append");
                    if is_push
                        && root_is_plain
                        && let Some(place) = place_of(path)
                    {
                        state.fill(place);
                    }
                }
            }
            Op::Index {} => {
                let object = operands[1];
                let is_sequence = object
                    .tags()
                    .within(Tags::ARRAY.union(Tags::STRING).union(Tags::BYTES));
                if is_sequence && let Some(slot) = code.local_before(pc) {
                    state.exclude(slot, NO_NUMBER);
                }
                let is_simple = matches!(
                    code.before(pc, 1),
                    Some((_, Op::LoadLocal { .. } | Op::Int { .. }))
                );
                if is_simple
                    && object.is(Tags::ARRAY)
                    && let Some(place) = code.place_before(pc - 1)
                {
                    state.fill(place);
                }
            }
            Op::Add {}
            | Op::Subtract {}
            | Op::Multiply {}
            | Op::Divide {}
            | Op::Remainder {}
            | Op::Less {}
            | Op::LessEqual {}
            | Op::Greater {}
            | Op::GreaterEqual {} => {
                let left = operands[1];
                let is_plain = left.tags().without(SCALARS.union(Tags::STRING)) == Tags::EMPTY;
                if is_plain {
                    if let Some(slot) = code.local_before(pc) {
                        state.exclude(slot, NO_NUMBER);
                    }
                    let is_simple = matches!(
                        code.before(pc, 1),
                        Some((
                            _,
                            Op::LoadLocal { .. } | Op::Int { .. } | Op::Constant { .. }
                        ))
                    );
                    if is_simple && let Some(slot) = code.local_before(pc - 1) {
                        state.exclude(slot, NO_NUMBER);
                    }
                }
            }
            Op::Field { .. } => {
                if let Some(slot) = code.local_before(pc) {
                    state.exclude(slot, SCALARS);
                }
            }
            _ => {}
        }
        self.state = state;
    }
}
