//! What follows from a condition, and how values relate because of it.

use super::interval::Interval;
use super::relation::Relation;
use super::{Analysis, Undo, is_bool, is_checked, without};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{InstructionData, Opcode, Value, types};

impl Analysis<'_> {
    pub(super) fn relation(&self, left: Value, right: Value) -> Relation {
        let known = |pair| self.relations.get(&pair).copied().unwrap_or(Relation::ANY);
        known((left, right)).both(known((right, left)).turned())
    }

    /// Notes that a condition is true or false; false if it can't be.
    pub(super) fn assume(&mut self, condition: Value, outcome: bool, depth: usize) -> bool {
        let condition = self.first(condition);
        let asked = self.truths.insert(condition, outcome);
        self.undo.push(Undo::Truth(condition, asked));
        if asked == Some(!outcome) {
            return false;
        }
        let before = self.now[condition];
        let is_possible = if outcome {
            self.refine(condition, without(before, 0))
        } else {
            self.refine(condition, Interval::exactly(0))
        };
        if !is_possible {
            return false;
        }
        let function = self.function;
        let Some(inst) = function.dfg.value_def(condition).inst() else {
            return true;
        };
        if depth == 0 {
            return true;
        }
        match function.dfg.insts[inst] {
            InstructionData::IntCompare { cond, args, .. } => {
                let cond = if outcome { cond } else { cond.complement() };
                if self.constant(args[1]) == Some(0) {
                    let is_possible = match cond {
                        IntCC::Equal => self.assume(args[0], false, depth - 1),
                        IntCC::NotEqual => self.assume(args[0], true, depth - 1),
                        _ => true,
                    };
                    if !is_possible {
                        return false;
                    }
                }
                self.assume_order(cond, args[0], args[1])
            }
            InstructionData::Binary { opcode, args }
                if (opcode == Opcode::Band && outcome && is_bool(before))
                    || (opcode == Opcode::Bor && !outcome) =>
            {
                args.iter().all(|arg| self.assume(*arg, outcome, depth - 1))
            }
            InstructionData::Binary { opcode, args } if is_checked(opcode) && !outcome => {
                let [result, overflow] = *function.dfg.inst_results(inst) else {
                    return true;
                };
                if condition != overflow || function.dfg.value_type(result) != types::I64 {
                    return true;
                }
                let [left, right] = args.map(|arg| self.interval(arg));
                if left.is_empty() || right.is_empty() {
                    return true;
                }
                let made = match opcode {
                    Opcode::SaddOverflow => left.add_saturating(right),
                    Opcode::SsubOverflow => left.sub_saturating(right),
                    _ => left.mul_saturating(right),
                };
                self.refine(result, made)
            }
            _ => true,
        }
    }

    fn assume_order(&mut self, condition: IntCC, left: Value, right: Value) -> bool {
        let (left, right) = (self.first(left), self.first(right));
        let pair = (left, right);
        let before = self.relations.get(&pair).copied();
        let known = before
            .unwrap_or(Relation::ANY)
            .both(Relation::of(condition));
        self.relations.insert(pair, known);
        self.undo.push(Undo::Relation(pair, before));
        let (a, b) = (self.now[left], self.now[right]);
        if a.is_empty() || b.is_empty() {
            return true;
        }
        match condition {
            IntCC::Equal => self.refine(left, b) && self.refine(right, a),
            IntCC::NotEqual => {
                let others =
                    |of: Interval, value: Option<i64>| value.map_or(of, |value| without(of, value));
                self.refine(left, others(a, b.constant()))
                    && self.refine(right, others(b, a.constant()))
            }
            IntCC::SignedLessThan => self.assume_less(left, right, 1),
            IntCC::SignedLessThanOrEqual => self.assume_less(left, right, 0),
            IntCC::SignedGreaterThan => self.assume_less(right, left, 1),
            IntCC::SignedGreaterThanOrEqual => self.assume_less(right, left, 0),
            IntCC::UnsignedLessThan => self.assume_below(left, right, 1),
            IntCC::UnsignedLessThanOrEqual => self.assume_below(left, right, 0),
            IntCC::UnsignedGreaterThan => self.assume_below(right, left, 1),
            IntCC::UnsignedGreaterThanOrEqual => self.assume_below(right, left, 0),
        }
    }

    /// `less + by <= greater`, signed.
    fn assume_less(&mut self, less: Value, greater: Value, by: i64) -> bool {
        let (a, b) = (self.now[less], self.now[greater]);
        let (Some(hi), Some(lo)) = (b.hi.checked_sub(by), a.lo.checked_add(by)) else {
            return false;
        };
        self.refine(less, Interval::new(i64::MIN, hi))
            && self.refine(greater, Interval::new(lo, i64::MAX))
            && self.assume_sum(less, greater, false)
            && self.assume_sum(greater, less, true)
    }

    /// `less + by <= greater`, unsigned.
    fn assume_below(&mut self, less: Value, greater: Value, by: i64) -> bool {
        match (self.now[less].is_natural(), self.now[greater].is_natural()) {
            (_, true) => {
                self.refine(less, Interval::new(0, i64::MAX)) && self.assume_less(less, greater, by)
            }
            _ => true,
        }
    }

    /// A sum that is not on the wrong side of its operand has not overflown.
    fn assume_sum(&mut self, sum: Value, operand: Value, is_greater: bool) -> bool {
        match self.sum_with_constant(sum) {
            Some((added, constant))
                if added == operand
                    && constant != 0
                    && (constant > 0) == is_greater
                    && self.function.dfg.value_type(sum) == types::I64 =>
            {
                let made = self.now[operand].add_saturating(Interval::exactly(constant));
                self.refine(sum, made)
            }
            _ => true,
        }
    }

    /// Notes that a value is within an interval; false if it can't be.
    pub(super) fn refine(&mut self, value: Value, within: Interval) -> bool {
        let before = self.now[value];
        if before.is_empty() {
            return true;
        }
        let refined = before.meet(within);
        if refined != before {
            self.undo.push(Undo::Interval(value, before));
            self.now[value] = refined;
        }
        !refined.is_empty()
    }
}
