//! Arithmetic: ints with overflow checks and floats inline, the rest by helper.

use super::decision::Decision;
use super::func::Translator;
use super::signature::Class;
use super::stack::Entry;
use super::text::are_texts;
use crate::infer::{Tags, Type, arithmetic};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Operator;
use ruff_runtime::names;
use ruff_runtime::value::Tag;

/// The helper that knows all of an operator.
pub fn helper_of(operator: Operator) -> Helper {
    match operator {
        Operator::Add => Helper::Add,
        Operator::Subtract => Helper::Subtract,
        Operator::Multiply => Helper::Multiply,
        Operator::Divide => Helper::Divide,
        Operator::Remainder => Helper::Remainder,
    }
}

/// The method that overloads an operator.
pub fn method_of(operator: Operator) -> names::NameId {
    match operator {
        Operator::Add => names::OP_ADD,
        Operator::Subtract => names::OP_SUB,
        Operator::Multiply => names::OP_MUL,
        Operator::Divide => names::OP_DIV,
        Operator::Remainder => names::OP_MOD,
    }
}

impl Translator<'_, '_, '_> {
    pub fn binary(&mut self, operator: Operator) {
        let left = self.stack[self.stack.len() - 2];
        if let Some(declaration) = left.ty.declaration().filter(|_| self.is(left, Tag::Struct))
            && let Some(func) = self.devirtualised(declaration, method_of(operator))
            && self.param_count(func) == 2
        {
            self.call_direct(func, 2, None);
            return;
        }
        self.make_objects(2);
        if left.ty.may_be(Tags::STRUCT) {
            // An overload may run.
            self.own_borrows_from_shared();
        }
        let right = self.stack[self.stack.len() - 1];
        let left = self.stack[self.stack.len() - 2];
        let result = self.operate(operator, left, right, true);
        self.stack.truncate(self.stack.len() - 2);
        self.push(result);
    }

    /// `left operator right`.  With `on_stack` the operands are the topmost
    /// two, and are taken over; otherwise they are plain numbers or the like
    /// that nobody needs to give back.
    pub fn operate(
        &mut self,
        operator: Operator,
        left: Entry,
        right: Entry,
        on_stack: bool,
    ) -> Entry {
        match (left.class, right.class) {
            (Class::Int, Class::Int) => {
                self.record(Decision::Numbers);
                let result = self.int_arithmetic(operator, left.word(), right.word());
                Entry::int(result)
            }
            (Class::Float, Class::Float | Class::Int) | (Class::Int, Class::Float) => {
                self.record(Decision::Numbers);
                let (a, b) = (self.as_float(left), self.as_float(right));
                let result = self.float_arithmetic(operator, left, right, a, b);
                Entry::float(result)
            }
            _ if operator == Operator::Add && on_stack && are_texts(left, right) => {
                self.record(Decision::Text);
                self.join_texts(left, right)
            }
            _ if numeric(left) && numeric(right) => {
                self.record(Decision::AsksKind);
                self.mixed(operator, left, right, on_stack)
            }
            _ => {
                self.record(Decision::ByRuntime);
                self.operate_slowly(operator, left, right, on_stack)
            }
        }
    }

    /// An int or float as a float.
    pub fn as_float(&mut self, entry: Entry) -> Value {
        match entry.class {
            Class::Int => self.builder.ins().fcvt_from_sint(types::F64, entry.word()),
            Class::Float => entry.word(),
            Class::Dynamic => {
                let (tag, payload) = entry.pair();
                let int = Tag::Int as u64 as i64;
                let is_int = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, int);
                let converted = self.builder.ins().fcvt_from_sint(types::F64, payload);
                let flags = MemFlagsData::new();
                let float = self.builder.ins().bitcast(types::F64, flags, payload);
                self.builder.ins().select(is_int, converted, float)
            }
            other => unreachable!("{other:?} is no number"),
        }
    }

    /// Checked int arithmetic; the error is the helper's.
    pub fn int_arithmetic(&mut self, operator: Operator, left: Value, right: Value) -> Value {
        if let Some(result) = self.folded(operator, left, right) {
            return self.iconst(result);
        }
        if let Some(result) = self.arithmetic_by_constant(operator, left, right) {
            return result;
        }
        match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply => {
                let (result, overflow) = match operator {
                    Operator::Add => self.builder.ins().sadd_overflow(left, right),
                    Operator::Subtract => self.builder.ins().ssub_overflow(left, right),
                    _ => self.builder.ins().smul_overflow(left, right),
                };
                self.fail_with_helper_if(overflow, operator, left, right);
                result
            }
            Operator::Divide | Operator::Remainder => self.int_division(operator, left, right),
        }
    }

    /// The result for two constants, unless it is an error.
    fn folded(&self, operator: Operator, left: Value, right: Value) -> Option<i64> {
        let (left, right) = (self.known_int(left)?, self.known_int(right)?);
        match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide => left.checked_div(right),
            Operator::Remainder => left.checked_rem(right),
        }
    }

    /// Adding or subtracting a constant: a sum is on the wrong side of the
    /// variable operand if it has overflown, which costs one comparison and no
    /// flag in a register.
    fn arithmetic_by_constant(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
    ) -> Option<Value> {
        let (variable, constant, result) = match operator {
            Operator::Add => match (self.known_int(left), self.known_int(right)) {
                (None, Some(constant)) => (left, constant, self.builder.ins().iadd(left, right)),
                (Some(constant), None) => (right, constant, self.builder.ins().iadd(left, right)),
                _ => return None,
            },
            Operator::Subtract => {
                // The least int has no counterpart.
                let constant = self.known_int(right)?.checked_neg()?;
                (left, constant, self.builder.ins().isub(left, right))
            }
            _ => return None,
        };
        if constant == 0 {
            return Some(variable);
        }
        let wrong_side = if constant > 0 {
            IntCC::SignedLessThan
        } else {
            IntCC::SignedGreaterThan
        };
        let overflow = self.builder.ins().icmp(wrong_side, result, variable);
        self.fail_with_helper_if(overflow, operator, left, right);
        Some(result)
    }

    fn int_division(&mut self, operator: Operator, left: Value, right: Value) -> Value {
        // Zero and minus one need care; a constant divisor is neither, mostly.
        match self.known_int(right) {
            Some(0 | -1) | None => {
                // `right + 1` is 0 or 1 exactly for those two.
                let shifted = self.builder.ins().iadd_imm_s(right, 1);
                let special =
                    self.builder
                        .ins()
                        .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, shifted, 1);
                return self.careful_division(operator, left, right, special);
            }
            Some(_) => {}
        }
        match operator {
            Operator::Divide => self.builder.ins().sdiv(left, right),
            _ => self.builder.ins().srem(left, right),
        }
    }

    /// Division where the divisor may be 0 or -1: the helper decides those.
    fn careful_division(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
        special: Value,
    ) -> Value {
        let (slow, fast, done) = (
            self.cold_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        let result = self.builder.append_block_param(done, types::I64);
        self.builder.ins().brif(special, slow, &[], fast, &[]);
        self.switch_sealed(slow);
        let tag = self.tag_word(Tag::Int);
        let words = self.call_raising(helper_of(operator), &[self.ctx, tag, left, tag, right]);
        self.builder.ins().jump(done, &[BlockArg::Value(words[1])]);
        self.switch_sealed(fast);
        let quotient = match operator {
            Operator::Divide => self.builder.ins().sdiv(left, right),
            _ => self.builder.ins().srem(left, right),
        };
        self.builder.ins().jump(done, &[BlockArg::Value(quotient)]);
        self.switch_sealed(done);
        result
    }

    /// The value of an int constant.
    pub fn known_int(&self, value: Value) -> Option<i64> {
        let dfg = &self.builder.func.dfg;
        let inst = dfg.value_def(value).inst()?;
        match dfg.insts[inst] {
            cranelift_codegen::ir::InstructionData::UnaryImm { imm, .. } => Some(imm.bits()),
            _ => None,
        }
    }

    /// Raises the error that the helper finds in the same operation.
    pub fn fail_with_helper_if(
        &mut self,
        failed: Value,
        operator: Operator,
        left: Value,
        right: Value,
    ) {
        let (cold, go_on) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(failed, cold, &[], go_on, &[]);
        self.switch_sealed(cold);
        let tag = self.tag_word(Tag::Int);
        self.call_helper(helper_of(operator), &[self.ctx, tag, left, tag, right]);
        self.unwind();
        self.switch_sealed(go_on);
    }

    fn float_arithmetic(
        &mut self,
        operator: Operator,
        left: Entry,
        right: Entry,
        a: Value,
        b: Value,
    ) -> Value {
        match operator {
            Operator::Add => self.builder.ins().fadd(a, b),
            Operator::Subtract => self.builder.ins().fsub(a, b),
            Operator::Multiply => self.builder.ins().fmul(a, b),
            Operator::Divide | Operator::Remainder => {
                let zero = self.builder.ins().f64const(0.0);
                let by_zero = self.builder.ins().fcmp(FloatCC::Equal, b, zero);
                let (cold, go_on) = (self.cold_block(), self.builder.create_block());
                self.builder.ins().brif(by_zero, cold, &[], go_on, &[]);
                self.switch_sealed(cold);
                let (left_tag, left_word) = self.both_words(left);
                let (right_tag, right_word) = self.both_words(right);
                let args = [self.ctx, left_tag, left_word, right_tag, right_word];
                let words = self.call_raising(helper_of(operator), &args);
                // As the parameter of a block with two ways to it, the quotient
                // is computed here, and not anew wherever it is used.
                let done = self.builder.create_block();
                let result = self.builder.append_block_param(done, types::F64);
                let flags = MemFlagsData::new();
                let word = self.builder.ins().bitcast(types::F64, flags, words[1]);
                self.builder.ins().jump(done, &[BlockArg::Value(word)]);
                self.switch_sealed(go_on);
                let quotient = if operator == Operator::Divide {
                    self.builder.ins().fdiv(a, b)
                } else {
                    self.call_helper(Helper::FloatRemainder, &[a, b])[0]
                };
                self.builder.ins().jump(done, &[BlockArg::Value(quotient)]);
                self.switch_sealed(done);
                result
            }
        }
    }

    /// Operands that may be numbers, of which at least one is dynamic: ints
    /// inline, then floats, the rest by helper.
    fn mixed(&mut self, operator: Operator, left: Entry, right: Entry, on_stack: bool) -> Entry {
        let ty = self.result_type(operator, left, right);
        let done = self.builder.create_block();
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        if left.ty.may_be(Tags::INT) && right.ty.may_be(Tags::INT) {
            let both = self.both_have(left, right, Tag::Int);
            let (ints, others) = (self.builder.create_block(), self.builder.create_block());
            self.builder.ins().brif(both, ints, &[], others, &[]);
            self.switch_sealed(ints);
            let (a, b) = (self.payload_word(left), self.payload_word(right));
            let result = self.int_arithmetic(operator, a, b);
            let tag = self.tag_word(Tag::Int);
            self.builder
                .ins()
                .jump(done, &[BlockArg::Value(tag), BlockArg::Value(result)]);
            self.switch_sealed(others);
        }
        let is_float = left.ty.may_be(Tags::FLOAT) || right.ty.may_be(Tags::FLOAT);
        let are_numbers = left.ty.is(Tags::NUMBER) && right.ty.is(Tags::NUMBER);
        let inline = is_float && operator != Operator::Remainder;
        if inline {
            let others = (!are_numbers).then(|| {
                let is_number = [left, right].map(|entry| self.is_number(entry));
                let both = self.builder.ins().band(is_number[0], is_number[1]);
                let (floats, others) = (self.builder.create_block(), self.builder.create_block());
                self.builder.ins().brif(both, floats, &[], others, &[]);
                self.switch_sealed(floats);
                others
            });
            let (a, b) = (self.as_float(left), self.as_float(right));
            let result = self.float_arithmetic(operator, left, right, a, b);
            let word = self
                .builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), result);
            let tag = self.tag_word(Tag::Float);
            self.jump_with(done, &[tag, word]);
            if let Some(others) = others {
                self.switch_sealed(others);
            }
        }
        if !inline || !are_numbers {
            let slow = self.operate_slowly(operator, left, right, on_stack);
            let (tag, payload) = self.both_words(slow);
            self.jump_with(done, &[tag, payload]);
        }
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.entry_from_words(ty, params[0], params[1], super::stack::Owner::Entry)
    }

    /// Whether an operand is an int or a float, as a condition.
    pub fn is_number(&mut self, entry: Entry) -> Value {
        // Their tags follow each other.
        const _: () = assert!(Tag::Float as u64 - Tag::Int as u64 == 1);
        let (tag, _) = self.both_words(entry);
        let past = self
            .builder
            .ins()
            .iadd_imm_s(tag, -(Tag::Int as u64 as i64));
        let within = IntCC::UnsignedLessThanOrEqual;
        self.builder.ins().icmp_imm_u(within, past, 1)
    }

    /// Whether both operands have this tag.
    pub fn both_have(&mut self, left: Entry, right: Entry, tag: Tag) -> Value {
        match (self.has_tag(left, tag), self.has_tag(right, tag)) {
            (Some(left), Some(right)) => self.builder.ins().band(left, right),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => self.builder.ins().iconst(types::I8, 1),
        }
    }

    /// Whether an entry has a tag, as a condition; `None` if it surely has.
    pub fn has_tag(&mut self, entry: Entry, tag: Tag) -> Option<Value> {
        match entry.class {
            Class::Dynamic => {
                let word = entry.pair().0;
                Some(
                    self.builder
                        .ins()
                        .icmp_imm_u(IntCC::Equal, word, tag as u64 as i64),
                )
            }
            class if class.tag() == Some(tag) => None,
            _ => Some(self.builder.ins().iconst(types::I8, 0)),
        }
    }

    fn result_type(&self, operator: Operator, left: Entry, right: Entry) -> Type {
        let plain = arithmetic(operator, left.ty, right.ty);
        if left.ty.may_be(Tags::STRUCT) {
            Type::ANY
        } else {
            plain
        }
    }

    /// The helper takes both operands over.
    fn operate_slowly(
        &mut self,
        operator: Operator,
        left: Entry,
        right: Entry,
        on_stack: bool,
    ) -> Entry {
        let ty = self.result_type(operator, left, right);
        let (left, right) = (self.own(left), self.own(right));
        let (left_tag, left_word) = self.both_words(left);
        let (right_tag, right_word) = self.both_words(right);
        // While the helper runs, its operands are its own and not our stack's.
        let operands = if on_stack {
            self.stack.split_off(self.stack.len() - 2)
        } else {
            Vec::new()
        };
        let args = [self.ctx, left_tag, left_word, right_tag, right_word];
        let words = self.call_raising(helper_of(operator), &args);
        self.stack.extend(operands);
        self.entry_from_words(ty, words[0], words[1], super::stack::Owner::Entry)
    }

    pub fn negate(&mut self) {
        let operand = self.pop();
        match operand.class {
            Class::Float => {
                self.record(Decision::Numbers);
                let result = self.builder.ins().fneg(operand.word());
                self.push(Entry::float(result));
            }
            Class::Int => {
                self.record(Decision::Numbers);
                let zero = self.iconst(0);
                let (result, overflow) = self.builder.ins().ssub_overflow(zero, operand.word());
                let (cold, go_on) = (self.cold_block(), self.builder.create_block());
                self.builder.ins().brif(overflow, cold, &[], go_on, &[]);
                self.switch_sealed(cold);
                let tag = self.tag_word(Tag::Int);
                self.call_helper(Helper::Negate, &[self.ctx, tag, operand.word()]);
                self.unwind();
                self.switch_sealed(go_on);
                self.push(Entry::int(result));
            }
            _ => {
                self.record(Decision::ByRuntime);
                let ty = if operand.ty.may_be(Tags::STRUCT) {
                    Type::ANY
                } else {
                    operand.ty.without(Tags(!Tags::NUMBER.0))
                };
                self.own_borrows_from_shared();
                let operand = self.own(operand);
                let (tag, payload) = self.both_words(operand);
                let words = self.call_raising(Helper::Negate, &[self.ctx, tag, payload]);
                self.push_words(ty, &words);
            }
        }
    }
}

/// Whether an operand can be a number and fast paths are worth their room.
fn numeric(entry: Entry) -> bool {
    entry.ty.may_be(Tags::NUMBER)
        && !matches!(entry.class, Class::Bool | Class::Null | Class::Object(_))
}
