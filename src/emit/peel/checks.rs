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
/// Lengths, or different indexes below one, that a loop compares with.
const MOST_BOUNDS: usize = 6;
/// What an index may be a sum of, besides the counter and a constant.
const MOST_TERMS: usize = 2;
/// How large such a term may be, so that no sum of them overflows.
const FARTHEST_TERM: i64 = 1 << 60;
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
#[derive(Clone, Copy)]
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

/// An index that changes with a loop's counter.
#[derive(Clone)]
struct Line {
    /// 1 if it rises with the counter, -1 if it falls, 0 if it stays the same.
    counter: i64,
    /// What is added to that, or subtracted from it.
    terms: Vec<(Invariant, bool)>,
    added: i64,
}

impl Line {
    fn is_plain(&self) -> bool {
        self.counter > 0 && self.terms.is_empty()
    }

    /// Whether it differs from another one by a constant.
    fn runs_along(&self, other: &Line) -> bool {
        let mut terms = self.terms.iter().zip(&other.terms);
        self.counter == other.counter
            && self.terms.len() == other.terms.len()
            && terms.all(|((one, sign), (other, same))| sign == same && one.is(other))
    }

    /// The sum or difference of two, if it is a line too.
    fn with(mut self, other: Line, is_negative: bool) -> Option<Line> {
        let sign = if is_negative { -1 } else { 1 };
        self.counter += sign * other.counter;
        self.added += sign * other.added;
        let more = other.terms.into_iter();
        self.terms
            .extend(more.map(|(term, is_other)| (term, is_other != is_negative)));
        let is_line = self.counter.abs() <= 1
            && self.added.abs() <= FARTHEST
            && self.terms.len() <= MOST_TERMS;
        is_line.then_some(self)
    }
}

/// Indexes that one length bounds.
struct Bound {
    length: Invariant,
    line: Line,
    /// The least that is added to the line, and the most.
    nearest: i64,
    farthest: i64,
}

impl Bound {
    fn is_of(&self, length: &Invariant, line: &Line) -> bool {
        self.length.is(length) && self.line.runs_along(line)
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
    bounds: Vec<Bound>,
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
        for block in always {
            let Some((branch, length, line)) = rounds.check(block, checks.counter) else {
                continue;
            };
            let added = line.added;
            let mut known = checks.bounds.iter_mut();
            if let Some(bound) = known.find(|bound| bound.is_of(&length, &line)) {
                bound.nearest = bound.nearest.min(added);
                bound.farthest = bound.farthest.max(added);
            } else if checks.bounds.len() < MOST_BOUNDS {
                checks.bounds.push(Bound {
                    length,
                    line,
                    nearest: added,
                    farthest: added,
                });
            } else {
                continue;
            }
            checks.branches.push(branch);
        }
        if checks.bounds.is_empty() {
            return None;
        }
        for block in sometimes {
            let Some((branch, length, line)) = rounds.check(block, checks.counter) else {
                continue;
            };
            let is_within = |bound: &&Bound| {
                bound.line.runs_along(&line)
                    && (bound.nearest..=bound.farthest).contains(&line.added)
            };
            let mut known = checks.bounds.iter().filter(is_within);
            let Some(first) = known.next() else {
                continue;
            };
            if !first.length.is(&length) && !known.any(|bound| bound.length.is(&length)) {
                // The same element for another purpose: to store one, the array must have
                // no other owner, which in most cases is so.
                if checks.bounds.len() == MOST_BOUNDS {
                    continue;
                }
                let added = line.added;
                checks.bounds.push(Bound {
                    length,
                    line,
                    nearest: added,
                    farthest: added,
                });
            }
            checks.branches.push(branch);
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
                bounds: Vec::new(),
            })
        })
    }

    /// The branch at the end of a block, if it leaves the loop unless an index is below a
    /// length, with the length and the index.
    fn check(&self, block: Block, counter: usize) -> Option<(Inst, Invariant, Line)> {
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
        let line = self.line(index, counter, DEPTH)?;
        (line.counter != 0).then_some((branch, self.invariant(length)?, line))
    }

    /// A value as a line over the counter.
    fn line(&self, value: Value, counter: usize, depth: usize) -> Option<Line> {
        let function = self.function;
        let line = |counter, terms, added| Line {
            counter,
            terms,
            added,
        };
        match (function.dfg.value_def(value), self.invariant(value)) {
            (_, Some(Invariant::Constant(value))) => {
                let is_near = value.unsigned_abs() <= FARTHEST as u64;
                return is_near.then(|| line(0, Vec::new(), value));
            }
            (_, Some(term)) => return Some(line(0, vec![(term, false)], 0)),
            (ValueDef::Param(block, position), None) => {
                let is_counter = block == self.gate.header && position == counter;
                return is_counter.then(|| line(1, Vec::new(), 0));
            }
            (ValueDef::Result(_, 0), None) if depth > 0 => {}
            _ => return None,
        }
        let inst = function.dfg.value_def(value).inst()?;
        let InstructionData::Binary { opcode, args } = function.dfg.insts[inst] else {
            return None;
        };
        let is_negative = match opcode {
            Opcode::Iadd | Opcode::SaddOverflow => false,
            Opcode::Isub | Opcode::SsubOverflow => true,
            _ => return None,
        };
        let [left, right] = args;
        let left = self.line(left, counter, depth - 1)?;
        left.with(self.line(right, counter, depth - 1)?, is_negative)
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
        if depth == 0 || added.unsigned_abs() > FARTHEST as u64 {
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
