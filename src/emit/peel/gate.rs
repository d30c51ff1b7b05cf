//! Where a loop whose first round was peeled off is entered and left for that round.

use super::checks::{Bound, Checks, FARTHEST_TERM, Line};
use super::{Block, BlockCall, Function, entry_of, redirect};
use crate::emit::simplify::Flow;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Inst, InstBuilder, InstructionData, Opcode, Value, types};
use rustc_hash::FxHashSet;

/// Rounds that are not worth asking before them what each of them would ask.
const FEW_ROUNDS: i64 = 4;

/// Where a loop whose first round was peeled off can be left for that round: before
/// it begins, and at its end.
pub(super) struct Gate {
    pub header: Block,
    /// The loop's blocks.
    pub blocks: FxHashSet<Block>,
    /// The block that leads into the loop, if what it asks is true, or back to the
    /// peeled round.
    before: Block,
    /// The block at the end of a round, which leads to `again` or out of the loop.
    pub latch: Block,
    /// The block that leads to the header, if what it asks is true, or to the peeled
    /// round.
    pub again: Block,
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
        let may_begin = cursor.ins().icmp(checks.relation, first, end);
        let mut limits = Limits {
            conditions: vec![may_begin],
            asked: Vec::new(),
            cursor,
            relation: checks.relation,
            first,
            last: i64::from(matches!(
                checks.relation,
                IntCC::SignedLessThanOrEqual | IntCC::SignedGreaterThan
            )),
            end,
        };
        for bound in &checks.bounds {
            limits.keep_within(bound, checks.by > 0);
        }
        // The counter must not start anew from the smallest number.
        if checks.by > 1 || limits.last > 0 && checks.by > 0 {
            let end = limits.cursor.ins().iconst(types::I64, i64::MAX / 2);
            limits.end_at(end);
        }
        let is_before = limits.cursor.ins();
        let is_before = is_before.icmp(checks.relation, first, limits.end);
        limits.conditions.push(is_before);
        let (may_begin, end) = (limits.all(), limits.end);
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
    /// What the counter begins with.
    first: Value,
    /// What the last round's counter falls short of the end by, or beyond it.
    last: i64,
    end: Value,
    /// What must be true, or the loop is left for the peeled round.
    conditions: Vec<Value>,
    /// Comparisons with constants that are among them.
    asked: Vec<(IntCC, Value, i64)>,
}

impl Limits<'_> {
    fn require(&mut self, relation: IntCC, value: Value, limit: i64) {
        let asked = (relation, value, limit);
        if !self.asked.contains(&asked) {
            self.asked.push(asked);
            let holds = self.cursor.ins().icmp_imm_s(relation, value, limit);
            self.conditions.push(holds);
        }
    }

    /// Whether all conditions hold: `ranges` looks into conditions a few levels deep.
    fn all(&mut self) -> Value {
        let mut conditions = std::mem::take(&mut self.conditions);
        while conditions.len() > 1 {
            let pairs = conditions.chunks(2);
            let both = pairs.map(|pair| match *pair {
                [one, other] => self.cursor.ins().band(one, other),
                _ => pair[0],
            });
            conditions = both.collect();
        }
        conditions[0]
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

    /// Makes sure that all rounds' indexes are within a length.
    fn keep_within(&mut self, bound: &Bound, goes_up: bool) {
        if !bound.line.is_plain() {
            // The counter stays where sums with the terms do not overflow.
            let (condition, end) = match goes_up {
                true => (IntCC::SignedGreaterThanOrEqual, FARTHEST_TERM),
                false => (IntCC::SignedLessThanOrEqual, -FARTHEST_TERM),
            };
            self.require(condition, self.first, -end);
            let end = self.cursor.ins().iconst(types::I64, end);
            self.end_at(end);
        }
        let terms = self.sum_of_terms(&bound.line);
        let length = bound.length.at(&mut self.cursor);
        // It is compared as an unsigned number, so it could be any.
        self.require(IntCC::SignedGreaterThanOrEqual, length, 0);
        self.require(IntCC::SignedLessThanOrEqual, length, FARTHEST_TERM);
        // What the counter may be at least, and what it must be less than.
        let (least, most) = if bound.line.counter > 0 {
            let least = self.cursor.ins().iconst(types::I64, -bound.nearest);
            let least = match terms {
                Some(terms) => self.cursor.ins().isub(least, terms),
                None => least,
            };
            let most = match terms {
                Some(terms) => self.cursor.ins().isub(length, terms),
                None => length,
            };
            (least, self.cursor.ins().iadd_imm_s(most, -bound.farthest))
        } else {
            let terms = terms.unwrap_or_else(|| self.cursor.ins().iconst(types::I64, 0));
            let least = self.cursor.ins().isub(terms, length);
            let least = self.cursor.ins().iadd_imm_s(least, bound.farthest + 1);
            (
                least,
                self.cursor.ins().iadd_imm_s(terms, bound.nearest + 1),
            )
        };
        let (condition, first_limit, last_limit) = match goes_up {
            true => (IntCC::SignedGreaterThanOrEqual, least, most),
            false => (IntCC::SignedLessThan, most, least),
        };
        let is_in = self.cursor.ins().icmp(condition, self.first, first_limit);
        self.conditions.push(is_in);
        let end = self.cursor.ins().iadd_imm_s(last_limit, -self.last);
        self.end_at(end);
    }

    /// The sum of an index's terms, which are small enough for sums of them.
    fn sum_of_terms(&mut self, line: &Line) -> Option<Value> {
        let mut sum = None;
        for (term, is_negative) in &line.terms {
            let term = term.at(&mut self.cursor);
            self.require(IntCC::SignedGreaterThanOrEqual, term, -FARTHEST_TERM);
            self.require(IntCC::SignedLessThanOrEqual, term, FARTHEST_TERM);
            sum = Some(match (sum, is_negative) {
                (None, false) => term,
                (None, true) => self.cursor.ins().ineg(term),
                (Some(sum), false) => self.cursor.ins().iadd(sum, term),
                (Some(sum), true) => self.cursor.ins().isub(sum, term),
            });
        }
        sum
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
pub(super) fn branch_of(function: &Function, block: Block) -> (Inst, [BlockCall; 2]) {
    let last = function.layout.last_inst(block);
    let last = last.expect("blocks end with an instruction");
    match function.dfg.insts[last] {
        InstructionData::Brif { blocks, .. } => (last, blocks),
        _ => unreachable!("this block ends with a branch"),
    }
}

pub(super) fn comparison(function: &Function, condition: Value) -> Option<(IntCC, [Value; 2])> {
    match function.dfg.insts[function.dfg.value_def(condition).inst()?] {
        InstructionData::IntCompare { cond, args, .. } => Some((cond, args)),
        _ => None,
    }
}
