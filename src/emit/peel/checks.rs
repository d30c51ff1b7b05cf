//! Range checks that a whole run of a loop passes if its first and last round do.
//!
//! A counter that changes by a constant in each round stays between where it begins
//! and where the loop ends.  Whether everything that the counter indexes is that
//! long is therefore asked once before the loop: the loop then ends where the first
//! of the lengths does, if that is before its own end, and asks nothing in its
//! rounds.  What is left, such as the round in which an index is out of bounds, the
//! peeled round does, which asks everything.

use super::{Block, BlockCall, Function, entry_of, redirect};
use crate::codegen::memory::Part;
use crate::emit::simplify::Flow;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{
    Inst, InstBuilder, InstInserterBase, InstructionData, Opcode, Value, ValueDef, types,
};
use rustc_hash::FxHashSet;

/// How far from its counter an index may be, and how much a counter may change.
const FARTHEST: i64 = 1 << 16;
/// Lengths that one loop compares with.
const MOST_LENGTHS: usize = 6;
/// Rounds that are not worth asking before them what each of them would ask.
const FEW_ROUNDS: i64 = 4;
/// Additions that an index may be away from its counter.
const DEPTH: usize = 4;

/// Where a loop whose first round was peeled off can be left for that round: before
/// it begins, and at its end.
pub(super) struct Gate {
    header: Block,
    /// The loop's blocks.
    blocks: FxHashSet<Block>,
    /// The block that leads into the loop, if what it asks is true, or back to the
    /// peeled round.
    before: Block,
    /// The block at the end of a round, which leads to `again` or out of the loop.
    latch: Block,
    /// The block that leads to the header, if what it asks is true, or to the peeled
    /// round.
    again: Block,
}

impl Gate {
    /// Makes a loop's gate, open, if the loop has one end that is a comparison.
    /// `entry` begins the peeled round, which leads to the loop by `ends`.
    pub fn before(
        function: &mut Function,
        header: Block,
        fast: &[Block],
        entry: Block,
        ends: &[Inst],
    ) -> Option<Gate> {
        if ends.is_empty() {
            return None;
        }
        let leads_round = |block: &Block| {
            let targets = function.block_successors(*block);
            targets.filter(|target| *target == header).count()
        };
        let mut latches = fast.iter().copied().filter(|block| leads_round(block) > 0);
        let latch = latches.next()?;
        let is_single = latches.next().is_none() && leads_round(&latch) == 1;
        let branch = function.layout.last_inst(latch)?;
        let InstructionData::Brif { arg, blocks, .. } = function.dfg.insts[branch] else {
            return None;
        };
        comparison(function, arg)?;
        if !is_single {
            return None;
        }
        let before = entry_of(function, header);
        for end in ends {
            redirect(function, *end, |to| (to == header).then_some(before));
        }
        make_gate(function, before, entry);
        let again = function.dfg.make_block();
        function.layout.insert_block_after(again, latch);
        let pool = &function.dfg.value_lists;
        let round = blocks
            .into_iter()
            .find(|call| call.block(pool) == header)
            .expect("a latch leads to the header");
        let own = round.deep_clone(&mut function.dfg.value_lists);
        jump(function, again, own);
        let to = BlockCall::new(again, [], &mut function.dfg.value_lists);
        replace_target(function, branch, header, to);
        make_gate(function, again, entry);
        Some(Gate {
            header,
            blocks: fast.iter().copied().chain([again]).collect(),
            before,
            latch,
            again,
        })
    }

    /// Takes checks out of the loop if it has any that the gate can ask before; else
    /// removes the gate.
    pub fn use_or_remove(self, function: &mut Function, flow: &Flow) {
        match Checks::of(function, flow, &self) {
            Some(checks) => self.close(function, &checks),
            None => self.remove(function),
        }
    }

    fn remove(self, function: &mut Function) {
        let (branch, [through, back]) = branch_of(function, self.before);
        function.dfg.insts[branch] = InstructionData::Jump {
            opcode: Opcode::Jump,
            destination: through,
        };
        remove_block(function, back.block(&function.dfg.value_lists));
        let (_, [round, back]) = branch_of(function, self.again);
        // Instructions share no lists, not even with those that are gone.
        let round = round.deep_clone(&mut function.dfg.value_lists);
        let latch = function.layout.last_inst(self.latch);
        replace_target(
            function,
            latch.expect("blocks end with an instruction"),
            self.again,
            round,
        );
        remove_block(function, self.again);
        remove_block(function, back.block(&function.dfg.value_lists));
    }

    /// Asks before the loop what its rounds would ask, and ends it where that would
    /// fail.
    fn close(self, function: &mut Function, checks: &Checks) {
        let (branch, [round, _]) = branch_of(function, self.before);
        let first = round.args(&function.dfg.value_lists).nth(checks.counter);
        let first = first.and_then(|arg| arg.as_value());
        let first = first.expect("a header is given its counter");
        let branch = self.ask_for_rounds(function, branch, checks, first);
        let mut cursor = FuncCursor::new(function).at_inst(branch);
        let end = checks.end.at(&mut cursor);
        let mut limits = Limits {
            may_begin: cursor.ins().icmp(checks.relation, first, end),
            cursor,
            relation: checks.relation,
            end,
        };
        // What the last round's counter falls short of the end by.
        let last = i64::from(matches!(
            checks.relation,
            IntCC::SignedLessThanOrEqual | IntCC::SignedGreaterThan
        ));
        if checks.by > 0 {
            for (length, farthest) in &checks.lengths {
                let end = limits.less(length, farthest + last);
                limits.end_at(end);
            }
            // The counter must not start anew from the smallest number.
            if checks.by > 1 || last > 0 {
                let end = limits.cursor.ins().iconst(types::I64, i64::MAX / 2);
                limits.end_at(end);
            }
            let nearest = -checks.nearest;
            let is_in = IntCC::SignedGreaterThanOrEqual;
            let is_in = limits.cursor.ins().icmp_imm_s(is_in, first, nearest);
            limits.require(is_in);
        } else {
            for (length, farthest) in &checks.lengths {
                let length = limits.less(length, *farthest);
                let is_in = limits.cursor.ins();
                let is_in = is_in.icmp(IntCC::SignedLessThan, first, length);
                limits.require(is_in);
            }
            let end = -checks.nearest - last;
            let end = limits.cursor.ins().iconst(types::I64, end);
            limits.end_at(end);
        }
        let is_before = limits.cursor.ins();
        let is_before = is_before.icmp(checks.relation, first, limits.end);
        limits.require(is_before);
        let Limits { may_begin, end, .. } = limits;
        if let InstructionData::Brif { arg, .. } = &mut function.dfg.insts[branch] {
            *arg = may_begin;
        }
        self.end_at(function, checks, end);
        for check in &checks.branches {
            let InstructionData::Brif { blocks, .. } = function.dfg.insts[*check] else {
                continue;
            };
            let pool = &function.dfg.value_lists;
            let stays = |call: &BlockCall| self.blocks.contains(&call.block(pool));
            if let Some(destination) = blocks.into_iter().find(stays) {
                function.dfg.insts[*check] = InstructionData::Jump {
                    opcode: Opcode::Jump,
                    destination,
                };
            }
        }
    }

    /// Leads back to the peeled round where only a few rounds are left, which are not
    /// worth asking everything; gives the branch that leads into the loop.
    fn ask_for_rounds(
        &self,
        function: &mut Function,
        branch: Inst,
        checks: &Checks,
        first: Value,
    ) -> Inst {
        let (_, [round, back]) = branch_of(function, self.before);
        let ask = function.dfg.make_block();
        function.layout.insert_block_after(ask, self.before);
        let mut cursor = FuncCursor::new(function).at_inst(branch);
        let end = checks.end.at(&mut cursor);
        // Where this overflows, what is asked then still is right.
        let later = cursor.ins().iadd_imm_s(first, FEW_ROUNDS * checks.by);
        let has_rounds = cursor.ins().icmp(checks.relation, later, end);
        let to = BlockCall::new(ask, [], &mut function.dfg.value_lists);
        if let InstructionData::Brif { arg, blocks, .. } = &mut function.dfg.insts[branch] {
            *arg = has_rounds;
            *blocks = [to, back];
        }
        let open = function.dfg.make_inst(InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm: 1.into(),
        });
        function.dfg.make_inst_results(open, types::I8);
        function.layout.append_inst(open, ask);
        let arg = function.dfg.first_result(open);
        let back = back.deep_clone(&mut function.dfg.value_lists);
        let own = function.dfg.make_inst(InstructionData::Brif {
            opcode: Opcode::Brif,
            arg,
            blocks: [round, back],
        });
        function.layout.append_inst(own, ask);
        own
    }

    /// Lets the loop's rounds end there; behind the last one, whether the loop has
    /// come to its own end is asked outside.
    fn end_at(&self, function: &mut Function, checks: &Checks, end: Value) {
        let (own, targets) = branch_of(function, self.latch);
        let (gate, [round, back]) = branch_of(function, self.again);
        let InstructionData::Brif { arg: condition, .. } = function.dfg.insts[own] else {
            unreachable!("a latch that has a gate branches");
        };
        let pool = &function.dfg.value_lists;
        let outside = targets.map(|call| match call.block(pool) == self.again {
            true => back,
            false => call,
        });
        if let InstructionData::Brif { arg, blocks, .. } = &mut function.dfg.insts[gate] {
            *arg = condition;
            *blocks = outside;
        }
        // The way back is cold, but this block is not: behind the loop, it lets the latch
        // end with one branch to the header.
        let mut cursor = FuncCursor::new(function).at_inst(own);
        let goes_on = cursor.ins().icmp(checks.relation, checks.next, end);
        let to = BlockCall::new(self.again, [], &mut function.dfg.value_lists);
        if let InstructionData::Brif { arg, blocks, .. } = &mut function.dfg.insts[own] {
            *arg = goes_on;
            *blocks = [round, to];
        }
    }
}

/// Where a loop ends, while that is computed before it.
struct Limits<'f> {
    cursor: FuncCursor<'f>,
    /// How the counter must relate to the end.
    relation: IntCC,
    end: Value,
    may_begin: Value,
}

impl Limits<'_> {
    fn require(&mut self, condition: Value) {
        self.may_begin = self.cursor.ins().band(self.may_begin, condition);
    }

    /// Lets the loop end there, if that is before its end.
    fn end_at(&mut self, end: Value) {
        let is_before = match self.relation {
            IntCC::SignedLessThan | IntCC::SignedLessThanOrEqual => IntCC::SignedLessThan,
            _ => IntCC::SignedGreaterThan,
        };
        let is_before = self.cursor.ins().icmp(is_before, end, self.end);
        self.end = self.cursor.ins().select(is_before, end, self.end);
    }

    /// A length less a constant.
    fn less(&mut self, length: &Invariant, by: i64) -> Value {
        let length = length.at(&mut self.cursor);
        if by > 0 {
            // It is compared as an unsigned number, so it could be any.
            let is_length = IntCC::SignedGreaterThanOrEqual;
            let is_length = self.cursor.ins().icmp_imm_s(is_length, length, 0);
            self.require(is_length);
        }
        self.cursor.ins().iadd_imm_s(length, -by)
    }
}

/// Gives the block, which jumps on, a branch that does so, or leads back to the
/// peeled round with the same arguments.
fn make_gate(function: &mut Function, block: Block, entry: Block) {
    let Some(last) = function.layout.last_inst(block) else {
        return;
    };
    let InstructionData::Jump { destination, .. } = function.dfg.insts[last] else {
        unreachable!("a gate is made of a jump");
    };
    let back = function.dfg.make_block();
    function.layout.insert_block_after(back, block);
    function.layout.set_cold(back);
    let mut again = destination.deep_clone(&mut function.dfg.value_lists);
    again.set_block(entry, &mut function.dfg.value_lists);
    jump(function, back, again);
    let to = BlockCall::new(back, [], &mut function.dfg.value_lists);
    let mut cursor = FuncCursor::new(function).at_inst(last);
    let open = cursor.ins().iconst(types::I8, 1);
    function.dfg.insts[last] = InstructionData::Brif {
        opcode: Opcode::Brif,
        arg: open,
        blocks: [destination, to],
    };
}

/// Removes a block that nothing leads to.
fn remove_block(function: &mut Function, block: Block) {
    while let Some(last) = function.layout.last_inst(block) {
        function.layout.remove_inst(last);
    }
    function.layout.remove_block(block);
}

fn jump(function: &mut Function, block: Block, destination: BlockCall) {
    let jump = function.dfg.make_inst(InstructionData::Jump {
        opcode: Opcode::Jump,
        destination,
    });
    function.layout.append_inst(jump, block);
}

fn replace_target(function: &mut Function, branch: Inst, from: Block, to: BlockCall) {
    let dfg = &mut function.dfg;
    let pool = &dfg.value_lists;
    if let InstructionData::Brif { blocks, .. } = &mut dfg.insts[branch] {
        for call in blocks.iter_mut().filter(|call| call.block(pool) == from) {
            *call = to;
        }
    }
}

/// The branch at a block's end, and where it leads.
fn branch_of(function: &Function, block: Block) -> (Inst, [BlockCall; 2]) {
    let last = function.layout.last_inst(block);
    let last = last.expect("blocks end with an instruction");
    match function.dfg.insts[last] {
        InstructionData::Brif { blocks, .. } => (last, blocks),
        _ => unreachable!("this block ends with a branch"),
    }
}

fn comparison(function: &Function, condition: Value) -> Option<(IntCC, [Value; 2])> {
    match function.dfg.insts[function.dfg.value_def(condition).inst()?] {
        InstructionData::IntCompare { cond, args, .. } => Some((cond, args)),
        _ => None,
    }
}

/// A value that is the same in all rounds of a loop, wherever it is computed.
enum Invariant {
    /// It comes from outside.
    Outside(Value),
    Constant(i64),
    /// The length of an object that comes from outside.
    Length(Inst, Value),
}

impl Invariant {
    /// The value before the loop.
    fn at(&self, cursor: &mut FuncCursor) -> Value {
        match *self {
            Invariant::Outside(value) => value,
            Invariant::Constant(value) => cursor.ins().iconst(types::I64, value),
            Invariant::Length(load, _) => {
                let copy = cursor.func.dfg.clone_inst(load);
                cursor.insert_built_inst(copy);
                cursor.func.dfg.first_result(copy)
            }
        }
    }

    fn is(&self, other: &Invariant) -> bool {
        match (self, other) {
            (Invariant::Outside(one), Invariant::Outside(other)) => one == other,
            (Invariant::Constant(one), Invariant::Constant(other)) => one == other,
            (Invariant::Length(load, object), Invariant::Length(other, same)) => {
                object == same && load == other
            }
            _ => false,
        }
    }
}

/// What a loop compares its counter with.
struct Checks {
    /// The counter's position among the header's parameters.
    counter: usize,
    /// How much the counter changes in a round.
    by: i64,
    /// What the counter is in the next round.
    next: Value,
    /// How it must relate to the end if there shall be one.
    relation: IntCC,
    end: Invariant,
    /// The branches that are left away.
    branches: Vec<Inst>,
    /// What is compared with lengths: the least that is added to the counter, and
    /// the most for each length.
    nearest: i64,
    lengths: Vec<(Invariant, i64)>,
}

impl Checks {
    fn of(function: &Function, flow: &Flow, gate: &Gate) -> Option<Checks> {
        let rounds = Rounds {
            function,
            gate,
            changes_lengths: gate
                .blocks
                .iter()
                .flat_map(|block| function.layout.block_insts(*block))
                .any(|inst| may_change_lengths(function, inst)),
        };
        let mut checks = rounds.end()?;
        let mut blocks: Vec<Block> = gate.blocks.iter().copied().collect();
        blocks.retain(|block| *block != gate.latch);
        blocks.sort_unstable();
        // What only some rounds ask may well be wrong in the others, where the loop must
        // not be left for it.
        let (always, sometimes): (Vec<Block>, Vec<Block>) = blocks
            .into_iter()
            .partition(|block| flow.dominators.block_dominates(*block, gate.latch));
        let mut nearest = None;
        for block in always {
            let Some((branch, length, added)) = rounds.check(block, checks.counter) else {
                continue;
            };
            let mut known = checks.lengths.iter_mut();
            if let Some((_, farthest)) = known.find(|(known, _)| known.is(&length)) {
                *farthest = added.max(*farthest);
            } else if checks.lengths.len() < MOST_LENGTHS {
                checks.lengths.push((length, added));
            } else {
                continue;
            }
            nearest = Some(nearest.map_or(added, |nearest: i64| nearest.min(added)));
            checks.branches.push(branch);
        }
        checks.nearest = nearest?;
        for block in sometimes {
            let Some((branch, length, added)) = rounds.check(block, checks.counter) else {
                continue;
            };
            let mut known = checks.lengths.iter();
            let known = known.find(|(known, _)| known.is(&length));
            if known.is_some_and(|(_, farthest)| (checks.nearest..=*farthest).contains(&added)) {
                checks.branches.push(branch);
            }
        }
        Some(checks)
    }
}

fn may_change_lengths(function: &Function, inst: Inst) -> bool {
    match function.dfg.insts[inst] {
        InstructionData::Store { flags, .. } => {
            Part::Lengths.has(function, function.dfg.mem_flags[flags])
        }
        ref data => data.opcode().is_call(),
    }
}

/// The rounds of a loop, to be looked at.
struct Rounds<'a> {
    function: &'a Function,
    gate: &'a Gate,
    changes_lengths: bool,
}

impl Rounds<'_> {
    /// How the loop ends, if a counter decides that.
    fn end(&self) -> Option<Checks> {
        let function = self.function;
        let (branch, targets) = branch_of(function, self.gate.latch);
        let InstructionData::Brif { arg, .. } = function.dfg.insts[branch] else {
            return None;
        };
        let pool = &function.dfg.value_lists;
        let (mut relation, [left, right]) = comparison(function, arg)?;
        if targets[0].block(pool) != self.gate.again {
            relation = relation.complement();
        }
        let (_, [round, _]) = branch_of(function, self.gate.again);
        let sides = [(relation, left, right), (relation.swap_args(), right, left)];
        sides.into_iter().find_map(|(relation, next, end)| {
            if function.dfg.value_type(next) != types::I64 {
                return None;
            }
            let (counter, by) = self.counter_and_constant(next, DEPTH)?;
            let goes_up = match relation {
                IntCC::SignedLessThan | IntCC::SignedLessThanOrEqual => true,
                IntCC::SignedGreaterThan | IntCC::SignedGreaterThanOrEqual => false,
                _ => return None,
            };
            let given = round.args(pool).nth(counter)?.as_value()?;
            (given == next && by != 0 && (by > 0) == goes_up).then_some(Checks {
                counter,
                by,
                next,
                relation,
                end: self.invariant(end)?,
                branches: Vec::new(),
                nearest: 0,
                lengths: Vec::new(),
            })
        })
    }

    /// The branch at the end of a block, if it leaves the loop unless the counter and a
    /// constant are below a length, with the length and the constant.
    fn check(&self, block: Block, counter: usize) -> Option<(Inst, Invariant, i64)> {
        let function = self.function;
        let branch = function.layout.last_inst(block)?;
        let InstructionData::Brif { arg, blocks, .. } = function.dfg.insts[branch] else {
            return None;
        };
        let pool = &function.dfg.value_lists;
        let [stays, leaves] = blocks.map(|call| self.gate.blocks.contains(&call.block(pool)));
        if stays == leaves {
            return None;
        }
        let (relation, [left, right]) = comparison(function, arg)?;
        let relation = match stays {
            true => relation,
            false => relation.complement(),
        };
        let (index, length) = match relation {
            IntCC::UnsignedLessThan => (left, right),
            IntCC::UnsignedGreaterThan => (right, left),
            _ => return None,
        };
        let (from, added) = self.counter_and_constant(index, DEPTH)?;
        (from == counter).then_some((branch, self.invariant(length)?, added))
    }

    /// Which of the header's parameters a value is, but for a constant, and that.
    fn counter_and_constant(&self, value: Value, depth: usize) -> Option<(usize, i64)> {
        let function = self.function;
        let inst = match function.dfg.value_def(value) {
            ValueDef::Param(block, position) => {
                return (block == self.gate.header).then_some((position, 0));
            }
            ValueDef::Result(inst, 0) => inst,
            ValueDef::Result(..) | ValueDef::Union(..) => return None,
        };
        let InstructionData::Binary { opcode, args } = function.dfg.insts[inst] else {
            return None;
        };
        let [left, right] = args;
        let (from, added) = match opcode {
            Opcode::Iadd | Opcode::SaddOverflow => match self.constant(right) {
                Some(added) => (left, added),
                None => (right, self.constant(left)?),
            },
            Opcode::Isub | Opcode::SsubOverflow => (left, self.constant(right)?.checked_neg()?),
            _ => return None,
        };
        if depth == 0 || added.abs() > FARTHEST {
            return None;
        }
        let (counter, before) = self.counter_and_constant(from, depth - 1)?;
        let all = before + added;
        (all.abs() <= FARTHEST).then_some((counter, all))
    }

    fn constant(&self, value: Value) -> Option<i64> {
        let inst = self.function.dfg.value_def(value).inst()?;
        match self.function.dfg.insts[inst] {
            InstructionData::UnaryImm {
                opcode: Opcode::Iconst,
                imm,
            } => Some(imm.bits()),
            _ => None,
        }
    }

    fn is_outside(&self, value: Value) -> bool {
        let home = match self.function.dfg.value_def(value) {
            ValueDef::Param(block, _) => Some(block),
            ValueDef::Result(inst, _) => self.function.layout.inst_block(inst),
            ValueDef::Union(..) => None,
        };
        home.is_some_and(|block| !self.gate.blocks.contains(&block))
    }

    fn invariant(&self, value: Value) -> Option<Invariant> {
        if let Some(constant) = self.constant(value) {
            return Some(Invariant::Constant(constant));
        }
        if self.is_outside(value) {
            return Some(Invariant::Outside(value));
        }
        let inst = self.function.dfg.value_def(value).inst()?;
        match self.function.dfg.insts[inst] {
            InstructionData::Load {
                opcode: Opcode::Load,
                flags,
                arg,
                ..
            } if !self.changes_lengths
                && self.is_outside(arg)
                && Part::Lengths.has(self.function, self.function.dfg.mem_flags[flags]) =>
            {
                Some(Invariant::Length(inst, arg))
            }
            _ => None,
        }
    }
}
