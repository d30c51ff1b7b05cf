//! Comparison, logic and truthiness.

use super::decision::Decision;
use super::func::Translator;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::names::{self, NameId};
use ruff_runtime::value::Tag;

/// The six comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    pub fn is_equality(self) -> bool {
        matches!(self, Comparison::Equal | Comparison::NotEqual)
    }

    fn int(self) -> IntCC {
        match self {
            Comparison::Equal => IntCC::Equal,
            Comparison::NotEqual => IntCC::NotEqual,
            Comparison::Less => IntCC::SignedLessThan,
            Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
            Comparison::Greater => IntCC::SignedGreaterThan,
            Comparison::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        }
    }

    /// The same for words without sign.
    pub fn unsigned(self) -> IntCC {
        self.int().unsigned()
    }

    pub fn helper(self) -> Helper {
        match self {
            Comparison::Equal => Helper::Equal,
            Comparison::NotEqual => Helper::NotEqual,
            Comparison::Less => Helper::Less,
            Comparison::LessEqual => Helper::LessEqual,
            Comparison::Greater => Helper::Greater,
            Comparison::GreaterEqual => Helper::GreaterEqual,
        }
    }

    fn method(self) -> NameId {
        match self {
            Comparison::Equal => names::OP_EQ,
            Comparison::NotEqual => names::OP_NE,
            Comparison::Less => names::OP_LT,
            Comparison::LessEqual => names::OP_LE,
            Comparison::Greater => names::OP_GT,
            Comparison::GreaterEqual => names::OP_GE,
        }
    }
}

/// Two floats closer than this are equal (reference, 3.3).
const EPSILON: f64 = f64::EPSILON;

impl Translator<'_, '_, '_> {
    pub fn compare(&mut self, comparison: Comparison) {
        if self.compare_by_method(comparison) {
            return;
        }
        if let Some(result) = self.compare_characters(comparison) {
            self.record(Decision::Text);
            self.replace_operands(result);
            return;
        }
        self.make_objects(2);
        let left = self.stack[self.stack.len() - 2];
        if left.ty.may_be(Tags::STRUCT) {
            // An overload may run.
            self.own_borrows_from_shared();
        }
        let right = self.stack[self.stack.len() - 1];
        let left = self.stack[self.stack.len() - 2];
        let result = self.compare_entries(comparison, left, right);
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(right);
        self.release_entry(left);
        self.push(result);
    }

    /// Calls the method that orders structs of the left operand's kind, if it is
    /// one; false if there is none, or it may be another struct.
    fn compare_by_method(&mut self, comparison: Comparison) -> bool {
        let left = self.stack[self.stack.len() - 2];
        let declaration = left.ty.declaration();
        let declaration = declaration.filter(|_| left.ty.may_be(Tags::STRUCT));
        let func = declaration
            .filter(|_| !comparison.is_equality())
            .and_then(|declaration| self.devirtualised(declaration, comparison.method()))
            .filter(|func| self.param_count(*func) == 2);
        let Some(func) = func else { return false };
        if left.ty.is(Tags::STRUCT) {
            self.call_direct(func, 2, None);
            return true;
        }
        if left.class != Class::Dynamic {
            return false;
        }
        self.make_objects(2);
        self.own_borrows_from_shared();
        let result = self.source.facts.functions[func as usize].result;
        let ty = result.joined(Type::of(Tags::BOOL));
        let class = Class::of(ty);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let before = self.stack.clone();
        let at = self.stack.len() - 2;
        let left = self.stack[at];
        let object = self.expect_tag(left, Tag::Struct, slow);
        let ty_of_left = declaration.map_or(left.ty, Type::instance);
        let class_of_left = Class::Object(Tag::Struct);
        self.stack[at] = Entry::borrowed(ty_of_left, class_of_left, &[object], left.owner);
        self.call_direct(func, 2, None);
        let result = self.pop();
        let words = self.in_class(result, class);
        self.jump_with(done, &words);
        self.switch_sealed(slow);
        self.stack = before;
        let right = self.stack[at + 1];
        let result = self.compare_entries(comparison, left, right);
        self.stack.truncate(at);
        self.release_entry(right);
        self.release_entry(left);
        let words = self.in_class(result, class);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.push(Entry::owned(ty, class, &words));
        true
    }

    /// Gives the two operands of a comparison back and pushes its result.
    fn replace_operands(&mut self, result: Value) {
        for _ in 0..2 {
            let operand = self.pop();
            self.release_entry(operand);
        }
        self.push(Entry::bool(result));
    }

    /// Compares; the operands stay whose they are.
    fn compare_entries(&mut self, comparison: Comparison, left: Entry, right: Entry) -> Entry {
        match (left.class, right.class) {
            (Class::Int, Class::Int) => {
                self.record(Decision::Numbers);
                let result = self
                    .builder
                    .ins()
                    .icmp(comparison.int(), left.word(), right.word());
                Entry::bool(result)
            }
            (Class::Float, Class::Float | Class::Int) | (Class::Int, Class::Float) => {
                self.record(Decision::Numbers);
                let (a, b) = (self.as_float(left), self.as_float(right));
                Entry::bool(self.compare_floats(comparison, a, b))
            }
            (Class::Object(Tag::String), Class::Object(Tag::String))
                if comparison.is_equality() =>
            {
                let same = self.same_text(left, right);
                Entry::bool(self.equality_result(comparison, same))
            }
            (Class::Object(Tag::String), Class::Object(Tag::String)) => {
                self.record(Decision::Text);
                Entry::bool(self.compare_texts(comparison, left, right))
            }
            (Class::Bool, Class::Bool) if comparison.is_equality() => {
                let result = self
                    .builder
                    .ins()
                    .icmp(comparison.int(), left.word(), right.word());
                Entry::bool(result)
            }
            _ if comparison.is_equality()
                && self.is_scalar(right)
                && !self.may_overload(comparison, left) =>
            {
                self.compare_with_scalar(comparison, left, right)
            }
            // Only the left operand is asked for a method.
            _ if comparison.is_equality() && self.is_scalar(left) => {
                self.compare_with_scalar(comparison, right, left)
            }
            _ => self.compare_dynamic(comparison, left, right),
        }
    }

    fn compare_floats(&mut self, comparison: Comparison, a: Value, b: Value) -> Value {
        let condition = match comparison {
            Comparison::Less => FloatCC::LessThan,
            Comparison::LessEqual => FloatCC::LessThanOrEqual,
            Comparison::Greater => FloatCC::GreaterThan,
            Comparison::GreaterEqual => FloatCC::GreaterThanOrEqual,
            Comparison::Equal | Comparison::NotEqual => {
                // Equal infinities are equal as they are; their difference is NaN.
                let same = self.builder.ins().fcmp(FloatCC::Equal, a, b);
                let difference = self.builder.ins().fsub(a, b);
                let distance = self.builder.ins().fabs(difference);
                let epsilon = self.builder.ins().f64const(EPSILON);
                let close = self
                    .builder
                    .ins()
                    .fcmp(FloatCC::LessThan, distance, epsilon);
                let equal = self.builder.ins().bor(same, close);
                return self.equality_result(comparison, equal);
            }
        };
        self.builder.ins().fcmp(condition, a, b)
    }

    pub fn equality_result(&mut self, comparison: Comparison, equal: Value) -> Value {
        match comparison {
            Comparison::NotEqual => self.builder.ins().icmp_imm_u(IntCC::Equal, equal, 0),
            _ => equal,
        }
    }

    /// Null and bools: equal exactly when both words are.
    fn is_scalar(&self, entry: Entry) -> bool {
        matches!(entry.class, Class::Null | Class::Bool)
    }

    /// Whether a method of the left operand may say whether two are equal.
    fn may_overload(&self, comparison: Comparison, left: Entry) -> bool {
        let facts = self.source.facts;
        left.ty.may_be(Tags::STRUCT)
            && (facts.may_be_method(left.ty, names::OP_EQ)
                || comparison == Comparison::NotEqual && facts.may_be_method(left.ty, names::OP_NE))
    }

    /// Compares with null or a bool, where only these are equal to it.
    fn compare_with_scalar(&mut self, comparison: Comparison, any: Entry, scalar: Entry) -> Entry {
        let (tag, word) = match any.class {
            Class::Dynamic => any.pair(),
            _ => {
                let is_same = self.builder.ins().iconst(types::I8, {
                    i64::from(any.class == Class::Null && scalar.class == Class::Null)
                });
                return Entry::bool(self.equality_result(comparison, is_same));
            }
        };
        let (scalar_tag, scalar_word) = self.both_words(scalar);
        let mut equal = self.builder.ins().icmp(IntCC::Equal, tag, scalar_tag);
        if scalar.class == Class::Bool {
            let words = self.builder.ins().icmp(IntCC::Equal, word, scalar_word);
            equal = self.builder.ins().band(equal, words);
        }
        Entry::bool(self.equality_result(comparison, equal))
    }

    /// Ints inline, the rest by helper.
    fn compare_dynamic(&mut self, comparison: Comparison, left: Entry, right: Entry) -> Entry {
        // Without overloads every comparison gives a bool.
        let overloaded = left.ty.may_be(Tags::STRUCT)
            && self
                .source
                .facts
                .may_be_method(left.ty, comparison.method())
            && !comparison.is_equality();
        let ty = if overloaded {
            Type::ANY
        } else {
            Type::of(Tags::BOOL)
        };
        let both_may_be = |tags| left.ty.may_be(tags) && right.ty.may_be(tags);
        self.record(match both_may_be(Tags::INT) || both_may_be(Tags::FLOAT) {
            true => Decision::AsksKind,
            false => Decision::ByRuntime,
        });
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
            let result = self.builder.ins().icmp(comparison.int(), a, b);
            let word = self.builder.ins().uextend(types::I64, result);
            let tag = self.tag_word(Tag::Bool);
            self.builder
                .ins()
                .jump(done, &[BlockArg::Value(tag), BlockArg::Value(word)]);
            self.switch_sealed(others);
        }
        let is_float = left.ty.may_be(Tags::FLOAT) || right.ty.may_be(Tags::FLOAT);
        if is_float && both_may_be(Tags::NUMBER) {
            let is_number = [left, right].map(|entry| self.is_number(entry));
            let both = self.builder.ins().band(is_number[0], is_number[1]);
            let (floats, others) = (self.builder.create_block(), self.builder.create_block());
            self.builder.ins().brif(both, floats, &[], others, &[]);
            self.switch_sealed(floats);
            let (a, b) = (self.as_float(left), self.as_float(right));
            let result = self.compare_floats(comparison, a, b);
            let word = self.builder.ins().uextend(types::I64, result);
            let tag = self.tag_word(Tag::Bool);
            self.jump_with(done, &[tag, word]);
            self.switch_sealed(others);
        }
        let (left_tag, left_word) = self.both_words(left);
        let (right_tag, right_word) = self.both_words(right);
        let args = [self.ctx, left_tag, left_word, right_tag, right_word];
        let words = self.call_raising(comparison.helper(), &args);
        self.builder.ins().jump(
            done,
            &[BlockArg::Value(words[0]), BlockArg::Value(words[1])],
        );
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.entry_from_words(ty, params[0], params[1], Owner::Entry)
    }

    pub fn same_value(&mut self) {
        if let Some(result) = self.compare_characters(Comparison::Equal) {
            self.replace_operands(result);
            return;
        }
        self.make_objects(2);
        let right = self.pop();
        let left = self.pop();
        let result = match (left.class, right.class) {
            (Class::Int, Class::Int) => {
                self.builder
                    .ins()
                    .icmp(IntCC::Equal, left.word(), right.word())
            }
            (Class::Object(Tag::String), Class::Object(Tag::String)) => self.same_text(left, right),
            _ => {
                let (left_tag, left_word) = self.both_words(left);
                let (right_tag, right_word) = self.both_words(right);
                let word = self.call_helper(
                    Helper::SameValue,
                    &[left_tag, left_word, right_tag, right_word],
                )[0];
                self.builder.ins().ireduce(types::I8, word)
            }
        };
        self.release_entry(right);
        self.release_entry(left);
        self.push(Entry::bool(result));
    }

    /// Truthiness as a condition; the entry stays whose it is.
    pub fn truthiness(&mut self, entry: Entry) -> Value {
        match entry.class {
            Class::Bool => entry.word(),
            Class::Null => self.builder.ins().iconst(types::I8, 0),
            Class::Int => self
                .builder
                .ins()
                .icmp_imm_u(IntCC::NotEqual, entry.word(), 0),
            Class::Float => {
                let zero = self.builder.ins().f64const(0.0);
                self.builder
                    .ins()
                    .fcmp(FloatCC::NotEqual, entry.word(), zero)
            }
            Class::Object(_) | Class::Record(_) => {
                self.record(Decision::ByRuntime);
                let (tag, payload) = self.both_words(entry);
                let word = self.call_helper(Helper::Truthy, &[tag, payload])[0];
                self.builder.ins().ireduce(types::I8, word)
            }
            Class::Sum(_) | Class::Character => {
                self.record(Decision::ByRuntime);
                let words = entry.all_words();
                let whole = Entry::borrowed(entry.ty, entry.class, &words, Owner::Shared);
                let (tag, object) = self.both_words(whole);
                let word = self.call_helper(Helper::Truthy, &[tag, object])[0];
                self.release_object(object);
                self.builder.ins().ireduce(types::I8, word)
            }
            Class::Dynamic => {
                self.record(Decision::AsksKind);
                self.dynamic_truthiness(entry)
            }
        }
    }

    fn dynamic_truthiness(&mut self, entry: Entry) -> Value {
        let (tag, payload) = entry.pair();
        let is_bool = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, tag, Tag::Bool as u64 as i64);
        let (ask, done) = (self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I8);
        let bool_word = self.builder.ins().ireduce(types::I8, payload);
        self.builder
            .ins()
            .brif(is_bool, done, &[BlockArg::Value(bool_word)], ask, &[]);
        self.switch_sealed(ask);
        let word = self.call_helper(Helper::Truthy, &[tag, payload])[0];
        let truth = self.builder.ins().ireduce(types::I8, word);
        self.builder.ins().jump(done, &[BlockArg::Value(truth)]);
        self.switch_sealed(done);
        result
    }

    pub fn not(&mut self) {
        let operand = self.pop();
        if operand.class == Class::Bool {
            let result = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::Equal, operand.word(), 0);
            self.push(Entry::bool(result));
            return;
        }
        self.own_borrows_from_shared();
        let operand = self.own(operand);
        let (tag, payload) = self.both_words(operand);
        let words = self.call_raising(Helper::Not, &[self.ctx, tag, payload]);
        let ty = if operand.ty.may_be(Tags::STRUCT) {
            Type::ANY
        } else {
            Type::of(Tags::BOOL)
        };
        self.push_words(ty, &words);
    }

    pub fn truthy(&mut self, opposite: bool) {
        let operand = self.pop();
        let mut result = self.truthiness(operand);
        self.release_entry(operand);
        if opposite {
            result = self.builder.ins().icmp_imm_u(IntCC::Equal, result, 0);
        }
        self.push(Entry::bool(result));
    }
}
