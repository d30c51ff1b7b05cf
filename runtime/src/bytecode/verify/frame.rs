//! What one instruction does to the kinds of slots and operands.
//!
//! Places are numbered as a frame lays them out: slots, then operands; the
//! last place stands for the `self` that a method leaves for its caller.

use super::kinds::{Kinds, State};
use super::{Body, Fault, require};
use crate::bytecode::{Capture, Op, Path, Var, VarKind};

/// A frame between two instructions.
pub(super) struct Frame<'a> {
    pub body: &'a Body<'a>,
    pub state: State,
    /// Operands on the stack.
    pub depth: usize,
    /// The place of the `self` that was left for the caller.
    pub self_place: usize,
}

impl Frame<'_> {
    /// The state if an instruction that is about to run raises.
    pub(super) fn after_error(&self, op: &Op) -> State {
        let mut state = self.state.clone();
        let mut may_be_unset = |place: usize| {
            let kinds = state.get(place).or(Kinds::UNSET);
            state.set(place, kinds);
        };
        // Whatever an error leaves in the hidden locals of a loop that was to
        // begin, it is not an iteration.
        match *op {
            Op::IterStart { slot } => (slot..slot + 2).for_each(|slot| may_be_unset(slot as usize)),
            Op::RangeStart { slot, .. } => {
                (slot..slot + 3).for_each(|slot| may_be_unset(slot as usize))
            }
            Op::CallMethod { site } => {
                let site = &self.body.program.method_sites[site as usize];
                if site.take
                    && let Some(place) = &site.place
                {
                    may_be_unset(place.root.number() as usize);
                }
            }
            _ => {}
        }
        if op.runs_code() {
            state.set(self.self_place, Kinds::UNSET);
        }
        state
    }

    /// The state at an instruction's target, after `apply`.
    pub(super) fn at_target(&self, op: &Op) -> State {
        let mut state = self.state.clone();
        if let Op::JumpIfUnset { var, .. } = op
            && var.kind() == VarKind::Local
        {
            state.set(var.number() as usize, Kinds::UNSET);
        }
        state
    }

    /// Goes on to the next instruction.
    ///
    /// # Errors
    /// If a slot or operand may not hold what the instruction takes it for.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), Fault> {
        if op.runs_code() {
            // Another method may leave its own `self`.
            self.state.set(self.self_place, Kinds::UNSET);
        }
        match *op {
            Op::LoadLocal { slot } => {
                let kinds = self.value(slot)?;
                self.push(kinds);
            }
            Op::MoveLocal { slot } => {
                let kinds = self.value(slot)?;
                self.push(kinds);
                self.set(slot, Kinds::UNSET);
            }
            Op::StoreLocal { slot } => {
                let kinds = self.pop();
                self.set(slot, kinds);
            }
            Op::ClearLocal { slot } => self.set(slot, Kinds::UNSET),
            Op::NewCell { slot } => self.set(slot, Kinds::CELL),
            Op::BoxLocal { slot } => {
                self.value_or_unset(slot)?;
                self.set(slot, Kinds::CELL);
            }
            Op::LoadCell { slot } => {
                self.cell(slot)?;
                self.push(Kinds::PLAIN);
            }
            Op::StoreCell { slot } => {
                self.cell(slot)?;
                self.pop();
            }
            // Stored as it is, set or unset.
            Op::StoreCaptureCell { .. } | Op::StoreGlobal { .. } | Op::Pop {} => {
                self.pop();
            }
            Op::Dup {} => {
                let kinds = self.pop();
                self.push(kinds);
                self.push(kinds);
            }
            Op::JumpIfUnset { var, .. } => self.known_set(var)?,
            Op::Update { var, .. } | Op::UpdateFrom { var, .. } => {
                self.operands(op)?;
                self.variable(var)?;
            }

            Op::Return {} => {
                self.operands(op)?;
                let stored = self.state.get(self.self_place).within(Kinds::VALUE);
                require(
                    stored || !self.body.function.info.flags.changes_self,
                    Fault::SelfNotStored,
                )?;
            }
            Op::StoreSelfResult {} => {
                self.operands(op)?;
                self.state.set(self.self_place, Kinds::PLAIN);
            }
            Op::CallMethod { site } => {
                self.operands(op)?;
                if let Some(place) = &self.body.program.method_sites[site as usize].place {
                    self.variable(place.root)?;
                }
            }
            Op::Mutate { site } => {
                self.operands(op)?;
                self.variable(self.body.program.builtin_sites[site as usize].place.root)?;
            }
            Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
                self.operands(op)?;
                self.variable(self.path(path).root)?;
            }
            Op::ReadPath { path } => {
                self.operands(op)?;
                self.readable(self.path(path).root)?;
            }

            Op::MakeArray { .. } => self.make(op, Kinds::ARRAY)?,
            Op::ArrayPush {} | Op::ArrayExtend {} => {
                require(self.operand(1).within(Kinds::ARRAY), Fault::NotAnArray)?;
                self.make(op, Kinds::ARRAY)?;
            }
            Op::MakeDict { .. } => self.make(op, Kinds::DICT)?,
            Op::DictInsert {} => {
                require(self.operand(2).within(Kinds::DICT), Fault::NotADict)?;
                self.make(op, Kinds::DICT)?;
            }
            Op::DictExtend {} => {
                require(self.operand(1).within(Kinds::DICT), Fault::NotADict)?;
                self.make(op, Kinds::DICT)?;
            }
            Op::MakeClosure { func } => {
                self.captures(func)?;
                self.push(Kinds::PLAIN);
            }
            Op::FieldOrUnset { .. } => self.make(op, Kinds::PLAIN.or(Kinds::UNSET))?,

            Op::IterStart { slot } => {
                self.operands(op)?;
                self.set_hidden(slot, &Kinds::ITERATION);
            }
            Op::IterNext { slot, .. } => {
                self.hidden(slot, &Kinds::ITERATION)?;
                self.push(Kinds::PLAIN);
            }
            Op::RangeStart { slot, .. } => {
                self.operands(op)?;
                self.set_hidden(slot, &Kinds::RANGE);
            }
            Op::RangeNext { slot, .. } => {
                self.hidden(slot, &Kinds::RANGE)?;
                self.push(Kinds::PLAIN);
            }

            // Values in, values out, and no slots.
            Op::Null {}
            | Op::True {}
            | Op::False {}
            | Op::Int { .. }
            | Op::Constant { .. }
            | Op::Function { .. }
            | Op::Builtin { .. }
            | Op::Callee {}
            | Op::LoadCapture { .. }
            | Op::LoadCaptureCell { .. }
            | Op::LoadGlobal { .. }
            | Op::Add {}
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
            | Op::Negate {}
            | Op::Not {}
            | Op::Truthy {}
            | Op::Falsy {}
            | Op::SameValue {}
            | Op::Jump { .. }
            | Op::JumpIfFalse { .. }
            | Op::JumpIfTrue { .. }
            | Op::JumpIfNotNull { .. }
            | Op::JumpIfNull { .. }
            | Op::JumpIfUnwrapped { .. }
            | Op::LoopHead { .. }
            | Op::Call { .. }
            | Op::CallFunction { .. }
            | Op::CallBuiltin { .. }
            | Op::CallForeign { .. }
            | Op::CallWith { .. }
            | Op::MakeStruct { .. }
            | Op::MakeVariant { .. }
            | Op::MakeStructDef { .. }
            | Op::MakeEnumDef { .. }
            | Op::Interpolate { .. }
            | Op::Index {}
            | Op::Field { .. }
            | Op::OptionalField { .. }
            | Op::ElementOrNull { .. }
            | Op::ArrayRest { .. }
            | Op::FieldOrNull { .. }
            | Op::DictRest { .. }
            | Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::TestVariant { .. }
            | Op::TestName { .. }
            | Op::TestField { .. }
            | Op::VariantPayload { .. }
            | Op::Throw {}
            | Op::Raise { .. }
            | Op::Catch {}
            | Op::Yield {}
            | Op::Await {}
            | Op::Spawn {}
            | Op::Import { .. } => self.make(op, Kinds::PLAIN)?,
        }
        Ok(())
    }

    // ---- slots

    fn get(&self, slot: u32) -> Kinds {
        self.state.get(slot as usize)
    }

    fn set(&mut self, slot: u32, kinds: Kinds) {
        self.state.set(slot as usize, kinds);
    }

    /// What a slot that is set holds.
    fn value(&self, slot: u32) -> Result<Kinds, Fault> {
        let kinds = self.value_or_unset(slot)?;
        require(kinds.within(Kinds::VALUE), Fault::MaybeUnset)?;
        Ok(kinds)
    }

    fn value_or_unset(&self, slot: u32) -> Result<Kinds, Fault> {
        let kinds = self.get(slot);
        require(
            kinds.within(Kinds::VALUE.or(Kinds::UNSET)),
            Fault::NotAValue,
        )?;
        Ok(kinds)
    }

    fn cell(&self, slot: u32) -> Result<(), Fault> {
        require(self.get(slot).within(Kinds::CELL), Fault::NotACell)
    }

    fn hidden(&self, first: u32, kinds: &[Kinds]) -> Result<(), Fault> {
        let holds = (first..)
            .zip(kinds)
            .all(|(slot, kinds)| self.get(slot).within(*kinds));
        require(holds, Fault::NotAnIteration)
    }

    fn set_hidden(&mut self, first: u32, kinds: &[Kinds]) {
        (first..)
            .zip(kinds)
            .for_each(|(slot, kinds)| self.set(slot, *kinds));
    }

    // ---- variables; captures and globals were checked with the operands

    /// A variable that is set.
    fn readable(&self, var: Var) -> Result<(), Fault> {
        match var.kind() {
            VarKind::Local => self.value(var.number()).map(|_| ()),
            VarKind::Cell => self.cell(var.number()),
            VarKind::Capture | VarKind::Global => Ok(()),
        }
    }

    /// A variable that is set, and gets another value.
    fn variable(&mut self, var: Var) -> Result<(), Fault> {
        self.readable(var)?;
        if var.kind() == VarKind::Local {
            self.set(var.number(), Kinds::PLAIN);
        }
        Ok(())
    }

    /// Control goes on past a test whether a variable is unset.
    fn known_set(&mut self, var: Var) -> Result<(), Fault> {
        match var.kind() {
            VarKind::Local => {
                let kinds = self.value_or_unset(var.number())?;
                self.set(var.number(), kinds.without(Kinds::UNSET));
                Ok(())
            }
            VarKind::Cell => self.cell(var.number()),
            VarKind::Capture | VarKind::Global => Ok(()),
        }
    }

    fn path(&self, path: u32) -> &Path {
        &self.body.program.paths[path as usize]
    }

    /// The slots that a new closure takes its captured values from.
    fn captures(&self, func: u32) -> Result<(), Fault> {
        let captures = &self.body.program.functions[func as usize].captures;
        captures.iter().try_for_each(|capture| match *capture {
            Capture::Cell(slot) => self.cell(slot),
            Capture::Value(slot) => self.value_or_unset(slot).map(|_| ()),
            Capture::Outer(_) => Ok(()),
        })
    }

    // ---- operands; that there are enough is known

    fn place(&self, operand: usize) -> usize {
        self.body.function.slots as usize + operand
    }

    /// The operand that many places below the top.
    fn operand(&self, below: usize) -> Kinds {
        self.state.get(self.place(self.depth - 1 - below))
    }

    fn push(&mut self, kinds: Kinds) {
        self.state.set(self.place(self.depth), kinds);
        self.depth += 1;
    }

    fn pop(&mut self) -> Kinds {
        self.depth -= 1;
        self.state.get(self.place(self.depth))
    }

    /// Takes an instruction's operands, all of them values, and pushes what it
    /// makes.
    fn make(&mut self, op: &Op, kinds: Kinds) -> Result<(), Fault> {
        let effect = op.effect(self.body.program);
        for _ in 0..effect.pops {
            require(self.pop().within(Kinds::VALUE), Fault::UnsetOperand)?;
        }
        (0..effect.pushes).for_each(|_| self.push(kinds));
        Ok(())
    }

    /// The same, for an instruction that makes plain values.
    fn operands(&mut self, op: &Op) -> Result<(), Fault> {
        self.make(op, Kinds::PLAIN)
    }
}
