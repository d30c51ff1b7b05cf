//! What integers can be, and what need not be asked because of it.
//!
//! Every value gets an interval: first from what makes it, joined over all ways
//! to a block where it is a parameter, until nothing changes; then, for as long
//! as a branch's condition holds, from that condition.  A loop's counter starts
//! somewhere and is below its end wherever it is increased, so it can't overflow
//! and is never less than its start.  Comparisons of which the outcome is known,
//! checks of overflow among them, are done away with, and divisions of what is
//! never negative become unsigned ones.
//!
//! Cranelift's own optimiser knows constants and nothing about intervals.

mod assume;
mod edit;
mod interval;
mod relation;

use super::simplify::Flow;
use crate::codegen::memory::Part;
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    Block, BlockCall, Function, Inst, InstructionData, MemFlags, Opcode, Type, Value, ValueDef,
    types,
};
use edit::{Edit, Overflow, apply, remove_unused_loads};
use interval::Interval;
use relation::Relation;
use ruff_runtime::context::TRACE_LIMIT_OFFSET;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// Passes over a function before it is given up.
const MOST_PASSES: usize = 24;
/// Passes before the ends of intervals that still grow are let go.
const PATIENCE: usize = 2;
/// Levels of conditions inside conditions that are looked at.
const DEPTH: usize = 8;

/// Where what grows may stop first: beyond this, sums may overflow.
const FAR: i64 = 1 << 61;
/// A length that nothing has: more bytes than there are addresses.
const LONGEST: i64 = 1 << 56;

/// Does away with what is known.  There are no aliases, before and after.
pub(super) fn use_ranges(function: &mut Function, flow: &Flow) {
    let edits = Analysis::new(function, flow).edits();
    if edits.is_empty() {
        return;
    }
    for edit in edits {
        apply(function, edit);
    }
    remove_unused_loads(function);
}

/// What a computation is, to see that it was done before.
type Key = (Opcode, Type, [Value; 2], i64);

/// What is undone when a block and all that it dominates are done.
enum Undo {
    Interval(Value, Interval),
    Relation((Value, Value), Option<Relation>),
    Key(Key),
    Truth(Value, Option<bool>),
}

struct Analysis<'a> {
    function: &'a Function,
    /// The function's first parameter, the context.
    ctx: Option<Value>,
    /// The blocks that a block dominates directly, in an order of execution.
    children: SecondaryMap<Block, Vec<Block>>,
    /// The branch that leads to a block, if it is the only one but for those that lead back
    /// to it.
    way_in: SecondaryMap<Block, Option<Inst>>,
    /// What was seen to come to a block.
    reached: SecondaryMap<Block, bool>,
    params: SecondaryMap<Value, Interval>,
    /// Whether the ends of an interval that still grows are let go.
    lets_go: bool,
    /// The number of the present pass, from 1 on, and of the last one that looked at a block.
    pass: u32,
    looked_at: SecondaryMap<Block, u32>,
    /// Something has changed that a block was looked at without.
    has_changed: bool,
    /// What holds at the point that is looked at.
    now: SecondaryMap<Value, Interval>,
    relations: FxHashMap<(Value, Value), Relation>,
    computed: FxHashMap<Key, Value>,
    /// Conditions that were asked, whatever they are.
    truths: FxHashMap<Value, bool>,
    /// The first value that is the same, if it is not the value itself.
    first: SecondaryMap<Value, Option<Value>>,
    undo: Vec<Undo>,
    /// Collected in the present pass; they hold if nothing changed in it.
    edits: Vec<Edit>,
}

enum Step {
    Enter(Block),
    Leave(usize),
}

impl<'a> Analysis<'a> {
    fn new(function: &'a Function, flow: &'a Flow) -> Analysis<'a> {
        let mut children: SecondaryMap<Block, Vec<Block>> = SecondaryMap::new();
        let mut way_in = SecondaryMap::new();
        for block in flow.dominators.cfg_rpo() {
            if let Some(parent) = flow.dominators.idom(*block) {
                children[parent].push(*block);
            }
            way_in[*block] = branch_to(function, flow, *block);
        }
        let (first, now) = constants(function);
        Analysis {
            function,
            ctx: function
                .layout
                .entry_block()
                .and_then(|entry| function.dfg.block_params(entry).first().copied()),
            children,
            way_in,
            reached: SecondaryMap::new(),
            params: SecondaryMap::with_default(Interval::EMPTY),
            lets_go: false,
            pass: 0,
            looked_at: SecondaryMap::new(),
            has_changed: false,
            now,
            relations: FxHashMap::default(),
            computed: FxHashMap::default(),
            truths: FxHashMap::default(),
            first,
            undo: Vec::new(),
            edits: Vec::new(),
        }
    }

    fn edits(mut self) -> Vec<Edit> {
        let Some(entry) = self.function.layout.entry_block() else {
            return Vec::new();
        };
        self.reached[entry] = true;
        for param in self.function.dfg.block_params(entry) {
            if let Some(all) = self.all(*param) {
                self.params[*param] = all;
            }
        }
        for number in 0..MOST_PASSES {
            self.has_changed = false;
            self.lets_go = number >= PATIENCE;
            self.pass += 1;
            self.edits.clear();
            self.pass(entry);
            if !self.has_changed {
                return self.edits;
            }
        }
        Vec::new()
    }

    /// All values of a value's type, if it is an integer that we know about.
    fn all(&self, value: Value) -> Option<Interval> {
        let ty = self.function.dfg.value_type(value);
        (ty.is_int() && ty.bits() <= 64).then(|| Interval::of_type(ty))
    }

    /// Looks at every block once, those that dominate others first.
    fn pass(&mut self, entry: Block) {
        let mut steps = vec![Step::Enter(entry)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Leave(mark) => self.undo_to(mark),
                Step::Enter(block) => {
                    self.looked_at[block] = self.pass;
                    let mark = self.undo.len();
                    steps.push(Step::Leave(mark));
                    if self.reached[block] && self.enter(block) {
                        self.look_at(block);
                        let children = self.children[block].iter().rev();
                        steps.extend(children.map(|child| Step::Enter(*child)));
                    }
                }
            }
        }
    }

    fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Interval(value, before)) => self.now[value] = before,
                Some(Undo::Relation(pair, Some(before))) => {
                    self.relations.insert(pair, before);
                }
                Some(Undo::Relation(pair, None)) => {
                    self.relations.remove(&pair);
                }
                Some(Undo::Key(key)) => {
                    self.computed.remove(&key);
                }
                Some(Undo::Truth(condition, Some(before))) => {
                    self.truths.insert(condition, before);
                }
                Some(Undo::Truth(condition, None)) => {
                    self.truths.remove(&condition);
                }
                None => {}
            }
        }
    }

    /// Notes what holds where a block begins; false if control can't get there.
    fn enter(&mut self, block: Block) -> bool {
        for param in self.function.dfg.block_params(block) {
            self.first[*param] = None;
            self.now[*param] = self.params[*param];
        }
        let Some(way) = self.way_in[block] else {
            return true;
        };
        let InstructionData::Brif { arg, blocks, .. } = self.function.dfg.insts[way] else {
            return true;
        };
        let pool = &self.function.dfg.value_lists;
        let [is_first, is_second] = blocks.map(|call| call.block(pool) == block);
        // One that leads here either way says nothing.
        (is_first && is_second) || self.assume(arg, is_first, DEPTH)
    }

    fn look_at(&mut self, block: Block) {
        let function = self.function;
        for inst in function.layout.block_insts(block) {
            self.define(inst);
        }
        let Some(last) = function.layout.last_inst(block) else {
            return;
        };
        if let InstructionData::Brif { arg, blocks, .. } = function.dfg.insts[last] {
            for (destination, outcome) in blocks.into_iter().zip([true, false]) {
                let mark = self.undo.len();
                if self.assume(arg, outcome, DEPTH) {
                    self.go(destination);
                }
                self.undo_to(mark);
            }
            if let Some(outcome) = self.outcome(arg) {
                let destination = blocks[usize::from(!outcome)];
                self.edits.push(Edit::Always(last, destination));
            }
            return;
        }
        let destinations = function.dfg.insts[last]
            .branch_destination(&function.dfg.jump_tables, &function.dfg.exception_tables);
        for destination in destinations {
            self.go(*destination);
        }
    }

    /// Whether a condition holds, if that is known.
    fn outcome(&self, condition: Value) -> Option<bool> {
        let interval = self.interval(condition);
        if interval == Interval::exactly(0) {
            return Some(false);
        }
        if !interval.is_empty() && !interval.contains(Interval::exactly(0)) {
            return Some(true);
        }
        self.truths.get(&self.first(condition)).copied()
    }

    /// Joins what a jump passes with what is known of the parameters.
    fn go(&mut self, destination: BlockCall) {
        let function = self.function;
        let pool = &function.dfg.value_lists;
        let block = destination.block(pool);
        // What was not looked at yet will be, in this pass.
        let is_late = self.looked_at[block] == self.pass;
        if !self.reached[block] {
            self.reached[block] = true;
            self.has_changed |= is_late;
        }
        let params = function.dfg.block_params(block);
        for (param, arg) in params.iter().zip(destination.args(pool)) {
            let Some(all) = self.all(*param) else {
                continue;
            };
            let given = arg.as_value().map_or(all, |value| self.interval(value));
            let before = self.params[*param];
            if before.contains(given) {
                continue;
            }
            let mut joined = before.join(given);
            if self.lets_go {
                // Whatever grows on every pass has to come to an end.  What is
                // compared with something is one less than the largest number,
                // and then does not grow on.
                if joined.lo < before.lo {
                    joined.lo = match joined.lo {
                        0.. => 0,
                        lo if lo >= -FAR && -FAR > all.lo => -FAR,
                        lo => all.lo + i64::from(lo > all.lo),
                    };
                }
                if joined.hi > before.hi {
                    joined.hi = match joined.hi {
                        hi if hi <= FAR && FAR < all.hi => FAR,
                        hi => all.hi - i64::from(hi < all.hi),
                    };
                }
            }
            self.params[*param] = joined;
            self.has_changed |= is_late;
        }
    }

    /// The first value that was computed in the same way.
    fn first(&self, value: Value) -> Value {
        self.first[value].unwrap_or(value)
    }

    fn interval(&self, value: Value) -> Interval {
        self.now[self.first(value)]
    }

    fn constant(&self, value: Value) -> Option<i64> {
        self.interval(value).constant()
    }

    fn define(&mut self, inst: Inst) {
        let function = self.function;
        let data = &function.dfg.insts[inst];
        if data.opcode() == Opcode::Iconst {
            return;
        }
        let results = function.dfg.inst_results(inst);
        if let Some(key) = results
            .first()
            .and_then(|result| self.key(data, function.dfg.value_type(*result)))
        {
            let result = results[0];
            if let Some(before) = self.computed.get(&key) {
                self.first[result] = Some(*before);
                self.note_edits(inst);
                return;
            }
            self.computed.insert(key, result);
            self.undo.push(Undo::Key(key));
        }
        for (position, result) in results.iter().enumerate() {
            self.first[*result] = None;
            if let Some(all) = self.all(*result) {
                self.now[*result] = match position {
                    0 => self.made_by(data, all, *result).unwrap_or(all),
                    _ if is_checked(data.opcode()) && self.never_overflows(data) => {
                        Interval::exactly(0)
                    }
                    _ if is_checked(data.opcode()) => Interval::new(0, 1),
                    _ => all,
                };
            }
        }
        self.note_edits(inst);
    }

    /// Computations that are the same whenever their operands are.
    fn key(&self, data: &InstructionData, ty: Type) -> Option<Key> {
        Some(match *data {
            InstructionData::Binary { opcode, args }
                if matches!(
                    opcode,
                    Opcode::Iadd
                        | Opcode::Isub
                        | Opcode::Imul
                        | Opcode::Band
                        | Opcode::Ishl
                        | Opcode::Ushr
                        | Opcode::Sshr
                ) =>
            {
                (opcode, ty, args.map(|arg| self.first(arg)), 0)
            }
            InstructionData::IntCompare { opcode, args, cond } => {
                let operands = args.map(|arg| self.first(arg));
                let ty = self.function.dfg.value_type(args[0]);
                (opcode, ty, operands, cond as i64)
            }
            InstructionData::Unary { opcode, arg }
                if matches!(opcode, Opcode::Uextend | Opcode::Sextend | Opcode::Ireduce) =>
            {
                (opcode, ty, [self.first(arg); 2], 0)
            }
            // How deep calls may be nested never changes: a call in the same place
            // of the call stack as one before it need not be checked again.
            InstructionData::Load {
                opcode: Opcode::Load,
                arg,
                offset,
                ..
            } if Some(arg) == self.ctx && i64::from(offset) == TRACE_LIMIT_OFFSET as i64 => {
                (Opcode::Load, ty, [arg; 2], offset.into())
            }
            _ => return None,
        })
    }

    /// The interval of an instruction's first result.
    fn made_by(&self, data: &InstructionData, all: Interval, result: Value) -> Option<Interval> {
        let ty = self.function.dfg.value_type(result);
        match *data {
            InstructionData::Binary { opcode, args } => {
                let [left, right] = args.map(|arg| self.interval(arg));
                if left.is_empty() || right.is_empty() {
                    return None;
                }
                self.binary(opcode, ty, left, right)
            }
            InstructionData::Unary { opcode, arg } => {
                let given = self.interval(arg);
                let from = self.function.dfg.value_type(arg);
                match opcode {
                    Opcode::Uextend if given.is_natural() => Some(given),
                    Opcode::Uextend if from.bits() < 64 => Some(Interval::unsigned(from.bits())),
                    Opcode::Sextend => Some(given),
                    Opcode::Ireduce if !given.is_empty() && all.contains(given) => Some(given),
                    Opcode::Ineg => Interval::exactly(0).sub(given, ty),
                    _ => None,
                }
            }
            InstructionData::IntCompare { cond, args, .. } => {
                Some(match self.decide(cond, args[0], args[1]) {
                    Some(outcome) => Interval::exactly(outcome.into()),
                    None => Interval::new(0, 1),
                })
            }
            InstructionData::FloatCompare { cond, args, .. } => {
                Some(match self.decide_float(cond, args) {
                    Some(outcome) => Interval::exactly(outcome.into()),
                    None => Interval::new(0, 1),
                })
            }
            InstructionData::Ternary {
                opcode: Opcode::Select,
                args,
            } => Some(self.selected(args)),
            InstructionData::Load { opcode, flags, .. } => match opcode {
                Opcode::Load if self.is_length(flags) => Some(Interval::new(0, LONGEST)),
                Opcode::Uload8 => Some(Interval::unsigned(8)),
                Opcode::Uload16 => Some(Interval::unsigned(16)),
                Opcode::Uload32 => Some(Interval::unsigned(32)),
                Opcode::Sload8 => Some(Interval::of_type(types::I8)),
                Opcode::Sload16 => Some(Interval::of_type(types::I16)),
                Opcode::Sload32 => Some(Interval::of_type(types::I32)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is selected, which may be the smaller or larger of two.
    fn selected(&self, [condition, one, other]: [Value; 3]) -> Interval {
        let (a, b) = (self.interval(one), self.interval(other));
        let joined = a.join(b);
        let inst = self.function.dfg.value_def(condition).inst();
        let compared = inst.map(|inst| &self.function.dfg.insts[inst]);
        let Some(InstructionData::IntCompare { cond, args, .. }) = compared else {
            return joined;
        };
        if *args != [one, other] || a.is_empty() || b.is_empty() {
            return joined;
        }
        match cond {
            IntCC::SignedLessThan => Interval::new(joined.lo, a.hi.min(b.hi)),
            IntCC::SignedGreaterThan => Interval::new(a.lo.max(b.lo), joined.hi),
            _ => joined,
        }
    }

    /// Whether what is loaded is the length of an array or a string.
    fn is_length(&self, flags: MemFlags) -> bool {
        Part::Lengths.has(self.function, self.function.dfg.mem_flags[flags])
    }

    fn binary(
        &self,
        opcode: Opcode,
        ty: Type,
        left: Interval,
        right: Interval,
    ) -> Option<Interval> {
        let is_shift = (0..i64::from(ty.bits())).contains(&right.lo);
        let by = right.constant().filter(|_| is_shift).map(|by| by as u32);
        match opcode {
            Opcode::Iadd | Opcode::SaddOverflow => left.add(right, ty),
            Opcode::Isub | Opcode::SsubOverflow => left.sub(right, ty),
            Opcode::Imul | Opcode::SmulOverflow => left.mul(right, ty),
            Opcode::Sdiv => left.div(right),
            Opcode::Udiv if left.is_natural() => left.div(right),
            Opcode::Srem => left.rem(right),
            Opcode::Urem if left.is_natural() && right.is_natural() => left.rem(right),
            Opcode::Band => left.and(right),
            Opcode::Bor | Opcode::Bxor => left.or(right),
            Opcode::Ishl if ty == types::I64 => left.shift_left(by?),
            Opcode::Sshr => by.map(|by| Interval::new(left.lo >> by, left.hi >> by)),
            Opcode::Ushr if left.is_natural() => {
                by.map(|by| Interval::new(left.lo >> by, left.hi >> by))
            }
            Opcode::Ushr => by
                .filter(|by| *by > 0)
                .map(|by| Interval::unsigned(ty.bits() - by)),
            _ => None,
        }
    }

    /// Whether an operation that tells of overflow has nothing to tell.
    fn never_overflows(&self, data: &InstructionData) -> bool {
        let InstructionData::Binary { opcode, args } = *data else {
            return false;
        };
        let [left, right] = args.map(|arg| self.interval(arg));
        let ty = self.function.dfg.value_type(args[0]);
        !left.is_empty()
            && !right.is_empty()
            && is_checked(opcode)
            && self.binary(opcode, ty, left, right).is_some()
    }

    /// When a checked operation of 64 bits overflows, if a comparison can tell.
    fn overflow(&self, opcode: Opcode, [left, right]: [Value; 2]) -> Option<Overflow> {
        if self.function.dfg.value_type(left) != types::I64 {
            return None;
        }
        let (a, b) = (self.interval(left), self.interval(right));
        // What goes up comes out below, and the other way round.
        let (up, down) = (IntCC::SignedLessThan, IntCC::SignedGreaterThan);
        // The loop's variable need not be kept for a comparison with the other operand.
        let is_variable = |value| matches!(self.function.dfg.value_def(value), ValueDef::Param(..));
        match opcode {
            Opcode::SaddOverflow if a.is_natural() && is_variable(left) => {
                Some(Overflow::ResultIs(up, right))
            }
            Opcode::SaddOverflow if b.is_natural() => Some(Overflow::ResultIs(up, left)),
            Opcode::SaddOverflow if a.is_natural() => Some(Overflow::ResultIs(up, right)),
            Opcode::SaddOverflow if b.hi <= 0 => Some(Overflow::ResultIs(down, left)),
            Opcode::SaddOverflow if a.hi <= 0 => Some(Overflow::ResultIs(down, right)),
            Opcode::SsubOverflow if b.is_natural() => Some(Overflow::ResultIs(down, left)),
            Opcode::SsubOverflow if b.hi <= 0 => Some(Overflow::ResultIs(up, left)),
            Opcode::SmulOverflow => match (a.constant(), b.constant()) {
                (_, Some(factor)) if factor > 0 && a.is_natural() => {
                    Some(Overflow::Above(left, i64::MAX / factor))
                }
                (Some(factor), _) if factor > 0 && b.is_natural() => {
                    Some(Overflow::Above(right, i64::MAX / factor))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn note_edits(&mut self, inst: Inst) {
        let data = &self.function.dfg.insts[inst];
        let edit = match *data {
            InstructionData::IntCompare { .. } | InstructionData::FloatCompare { .. } => {
                let result = self.function.dfg.first_result(inst);
                self.constant(result)
                    .map(|outcome| Edit::Known(inst, outcome != 0))
            }
            InstructionData::Binary { opcode, args } if is_checked(opcode) => {
                if self.never_overflows(data) {
                    Some(Edit::Unchecked(inst))
                } else {
                    self.overflow(opcode, args)
                        .map(|overflow| Edit::Compared(inst, overflow))
                }
            }
            InstructionData::Binary {
                opcode: Opcode::Sdiv | Opcode::Srem,
                args,
            } => {
                let [left, right] = args.map(|arg| self.interval(arg));
                (left.is_natural() && right.lo > 0).then_some(Edit::Unsigned(inst))
            }
            _ => None,
        };
        self.edits.extend(edit);
    }

    /// The outcome of a comparison, if it is known.
    fn decide(&self, condition: IntCC, left: Value, right: Value) -> Option<bool> {
        let (left, right) = (self.first(left), self.first(right));
        if left == right {
            return Relation::of(IntCC::Equal).decides(condition);
        }
        let (a, b) = (self.now[left], self.now[right]);
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let mut relation = self.relation(left, right);
        let mut exclude = |condition: Relation| relation = relation.without(condition);
        if a.lo >= b.hi {
            exclude(Relation::of(IntCC::SignedLessThan));
        }
        if a.hi <= b.lo {
            exclude(Relation::of(IntCC::SignedGreaterThan));
        }
        if a.meet(b).is_empty() {
            exclude(Relation::of(IntCC::Equal));
        }
        if a.constant().is_some() && a == b {
            exclude(Relation::of(IntCC::NotEqual));
        }
        if (a.is_natural() && b.is_natural()) || (a.hi < 0 && b.hi < 0) {
            exclude(Relation::OPPOSED);
        } else if (a.is_natural() && b.hi < 0) || (a.hi < 0 && b.is_natural()) {
            exclude(Relation::ALIKE);
        }
        if let Some(order) = self.sum_and_operand(left, right) {
            relation = relation.both(Relation::of(order));
        } else if let Some(order) = self.sum_and_operand(right, left) {
            relation = relation.both(Relation::of(order).turned());
        }
        // Where nothing is possible, control never gets.
        (!relation.is_impossible()).then(|| relation.decides(condition))?
    }

    /// Whether an int that was made a float is zero, if that is known.
    fn decide_float(&self, condition: FloatCC, [left, right]: [Value; 2]) -> Option<bool> {
        let made_by = |value| {
            let inst = self.function.dfg.value_def(value).inst()?;
            Some(&self.function.dfg.insts[inst])
        };
        let (
            FloatCC::Equal,
            InstructionData::Unary {
                opcode: Opcode::FcvtFromSint,
                arg,
            },
            InstructionData::UnaryIeee64 { imm, .. },
        ) = (condition, made_by(left)?, made_by(right)?)
        else {
            return None;
        };
        let interval = self.interval(*arg);
        let is_certain =
            imm.as_f64() == 0.0 && !interval.is_empty() && !interval.contains(Interval::exactly(0));
        is_certain.then_some(false)
    }

    /// How a sum relates to its operand, if it is a sum, with a constant, that
    /// does not overflow.
    fn sum_and_operand(&self, sum: Value, operand: Value) -> Option<IntCC> {
        let (added, constant) = self.sum_with_constant(sum)?;
        let ty = self.function.dfg.value_type(sum);
        if added != operand || constant == 0 {
            return None;
        }
        self.now[operand].add(Interval::exactly(constant), ty)?;
        Some(match constant > 0 {
            true => IntCC::SignedGreaterThan,
            false => IntCC::SignedLessThan,
        })
    }

    /// What a value is the sum of, if one of the two is a constant.
    fn sum_with_constant(&self, sum: Value) -> Option<(Value, i64)> {
        let inst = self.function.dfg.value_def(sum).inst()?;
        let InstructionData::Binary { opcode, args } = self.function.dfg.insts[inst] else {
            return None;
        };
        let [left, right] = args.map(|arg| self.first(arg));
        match opcode {
            Opcode::Iadd => match (self.constant(left), self.constant(right)) {
                (_, Some(constant)) => Some((left, constant)),
                (Some(constant), None) => Some((right, constant)),
                (None, None) => None,
            },
            Opcode::Isub => Some((left, self.constant(right)?.checked_neg()?)),
            _ => None,
        }
    }
}

/// The branch that leads to a block, if it is the only one.  What holds where a loop begins
/// is about values that its rounds do not change, so those that lead back do not count.
fn branch_to(function: &Function, flow: &Flow, block: Block) -> Option<Inst> {
    let ways = flow.graph.pred_iter(block);
    let mut ways = ways.filter(|way| !flow.dominators.block_dominates(block, way.block));
    let (Some(way), None) = (ways.next(), ways.next()) else {
        return None;
    };
    let is_branch = function.dfg.insts[way.inst].opcode() == Opcode::Brif;
    is_branch.then_some(way.inst)
}

/// For each constant, the first one that is the same, if it is not the first, and what it
/// is if it is.
fn constants(
    function: &Function,
) -> (
    SecondaryMap<Value, Option<Value>>,
    SecondaryMap<Value, Interval>,
) {
    let mut firsts: FxHashMap<(Type, i64), Value> = FxHashMap::default();
    let mut first = SecondaryMap::new();
    let mut now = SecondaryMap::with_default(Interval::EMPTY);
    let blocks = function.layout.blocks();
    for inst in blocks.flat_map(|block| function.layout.block_insts(block)) {
        let InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } = function.dfg.insts[inst]
        else {
            continue;
        };
        let value = function.dfg.first_result(inst);
        let ty = function.dfg.value_type(value);
        let unused = 64 - ty.bits();
        let constant = (imm.bits() << unused) >> unused;
        match firsts.entry((ty, constant)) {
            Entry::Occupied(before) => first[value] = Some(*before.get()),
            Entry::Vacant(place) => {
                place.insert(value);
                now[value] = Interval::exactly(constant);
            }
        }
    }
    (first, now)
}

pub(super) fn is_checked(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::SaddOverflow | Opcode::SsubOverflow | Opcode::SmulOverflow
    )
}

fn is_bool(interval: Interval) -> bool {
    Interval::new(0, 1).contains(interval)
}

/// An interval without a value at one of its ends.
fn without(interval: Interval, value: i64) -> Interval {
    if interval.constant() == Some(value) {
        Interval::EMPTY
    } else if interval.lo == value {
        Interval::new(value + 1, interval.hi)
    } else if interval.hi == value {
        Interval::new(interval.lo, value - 1)
    } else {
        interval
    }
}
