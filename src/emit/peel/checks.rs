//! Range checks that a whole run of a loop passes if its first and last round do.
//!
//! A counter that changes by a constant in each round stays between where it begins
//! and where the loop ends.  Whether everything that the counter indexes is that
//! long is therefore asked once before the loop: the loop then ends where the first
//! of the lengths does, if that is before its own end, and asks nothing in its
//! rounds.  What is left, such as the round in which an index is out of bounds, the
//! peeled round does, which asks everything.

use super::gate::{Gate, branch_of, comparison};
use super::{Block, Function};
use crate::codegen::memory::Part;
use crate::emit::simplify::Flow;
use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{
    Inst, InstBuilder, InstInserterBase, InstructionData, Opcode, Value, ValueDef, types,
};

/// How far from its counter an index may be, and how much a counter may change.
const FARTHEST: i64 = 1 << 16;
/// Lengths, or different indexes below one, that a loop compares with.
const MOST_BOUNDS: usize = 6;
/// What an index may be a sum of, besides the counter and a constant.
const MOST_TERMS: usize = 2;
/// How large such a term may be, so that no sum of them overflows.
pub(super) const FARTHEST_TERM: i64 = 1 << 60;
/// Additions that an index may be away from its counter.
const DEPTH: usize = 4;

/// A value that is the same in all rounds of a loop, wherever it is computed.
#[derive(Clone, Copy)]
pub(super) enum Invariant {
    /// It comes from outside.
    Outside(Value),
    Constant(i64),
    /// The length of an object that comes from outside.
    Length(Inst, Value),
}

impl Invariant {
    /// The value before the loop.
    pub fn at(&self, cursor: &mut FuncCursor) -> Value {
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
pub(super) struct Line {
    /// 1 if it rises with the counter, -1 if it falls, 0 if it stays the same.
    pub counter: i64,
    /// What is added to that, or subtracted from it.
    pub terms: Vec<(Invariant, bool)>,
    pub added: i64,
}

impl Line {
    pub fn is_plain(&self) -> bool {
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
pub(super) struct Bound {
    pub length: Invariant,
    pub line: Line,
    /// The least that is added to the line, and the most.
    pub nearest: i64,
    pub farthest: i64,
}

impl Bound {
    fn is_of(&self, length: &Invariant, line: &Line) -> bool {
        self.length.is(length) && self.line.runs_along(line)
    }
}

/// What a loop compares its counter with.
pub(super) struct Checks {
    /// The counter's position among the header's parameters.
    pub counter: usize,
    /// How much the counter changes in a round.
    pub by: i64,
    /// What the counter is in the next round.
    pub next: Value,
    /// How it must relate to the end if there shall be one.
    pub relation: IntCC,
    pub end: Invariant,
    /// The branches that are left away.
    pub branches: Vec<Inst>,
    pub bounds: Vec<Bound>,
}

impl Checks {
    pub fn of(function: &Function, flow: &Flow, gate: &Gate) -> Option<Checks> {
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
                // no other owner, which in most cases is so.  What only some rounds load a
                // length from may be no array in others.
                let is_there = match length {
                    Invariant::Length(load, _) => function
                        .layout
                        .inst_block(load)
                        .is_some_and(|home| flow.dominators.block_dominates(home, gate.latch)),
                    Invariant::Outside(_) | Invariant::Constant(_) => true,
                };
                if !is_there || checks.bounds.len() == MOST_BOUNDS {
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
