//! Built-ins that are a few instructions on operands of known kinds.

use super::func::Translator;
use super::signature::Class;
use super::stack::Entry;
use super::text::are_texts;
use crate::infer::Tags;
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::heap::{array, string};
use ruff_runtime::value::{RAISED, Tag};

/// The size from which on every float is whole.
const WHOLE_FROM: f64 = (1_u64 << 52) as f64;

/// How a float is made whole.
#[derive(Clone, Copy)]
enum Rounding {
    Down,
    Up,
    /// Halves away from zero.
    Nearest,
}

impl Translator<'_, '_, '_> {
    /// Translates a call in place; false if it has to be a call.
    pub fn inline_builtin(&mut self, builtin: u32, argc: u32) -> bool {
        let name: &str = &self.source.program.builtins[builtin as usize];
        if matches!((name, argc), ("get", 2 | 3) | ("get_default", 3)) {
            return self.get_of_dict(name, argc as usize);
        }
        if argc == 2 {
            return self.inline_pair(builtin, name);
        }
        if argc != 1 {
            return false;
        }
        let operand = self.stack[self.stack.len() - 1];
        match (name, operand.class) {
            ("len", Class::Object(Tag::Array)) => self.length(array::LEN_OFFSET),
            ("len" | "count_chars", Class::Object(Tag::String)) => {
                self.length(string::CHARS_OFFSET)
            }
            ("len", Class::Dynamic) if operand.ty.may_be(Tags::ARRAY) => {
                self.length_of_any(builtin, operand);
            }
            ("to_string" | "str" | "string", Class::Int) => {
                self.pop();
                let text = self.int_text(operand.word());
                self.push(text);
            }
            ("to_int" | "int", Class::Int) | ("to_float" | "float", Class::Float) => {}
            ("to_int" | "int", Class::Float) => {
                self.pop();
                let word = self
                    .builder
                    .ins()
                    .fcvt_to_sint_sat(types::I64, operand.word());
                self.push(Entry::int(word));
            }
            ("to_float" | "float", Class::Int) => {
                self.pop();
                let word = self.as_float(operand);
                self.push(Entry::float(word));
            }
            ("abs", Class::Float | Class::Int) => {
                self.pop();
                let word = self.as_float(operand);
                let word = self.builder.ins().fabs(word);
                self.push(Entry::float(word));
            }
            ("sqrt", Class::Float | Class::Int) => self.square_root(builtin, operand),
            ("floor" | "ceil" | "round", Class::Int) => {
                self.pop();
                let word = self.as_float(operand);
                self.push(Entry::float(word));
            }
            ("floor", Class::Float) => self.rounded(Rounding::Down),
            ("ceil", Class::Float) => self.rounded(Rounding::Up),
            ("round", Class::Float) => self.rounded(Rounding::Nearest),
            ("bit_not", Class::Int) => {
                self.pop();
                let word = self.builder.ins().bnot(operand.word());
                self.push(Entry::int(word));
            }
            _ => return false,
        }
        true
    }

    fn length(&mut self, offset: usize) {
        let operand = self.pop();
        let len = self.load_length(operand.word(), offset);
        self.release_entry(operand);
        self.push(Entry::int(len));
    }

    /// The length of what is an array in most cases.
    fn length_of_any(&mut self, builtin: u32, operand: Entry) {
        self.own_borrows_from_shared();
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        let before = self.stack.clone();
        let array = self.expect_tag(operand, Tag::Array, slow);
        let len = self.array_len(array);
        let operand = self.pop();
        self.release_entry(operand);
        self.builder.ins().jump(done, &[BlockArg::Value(len)]);
        self.switch_sealed(slow);
        self.stack = before;
        let words = self.builtin_words(builtin, 1);
        let words = self.narrowed(Class::Int, words[0], words[1]);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        self.push(Entry::int(result));
    }

    /// Negative operands are the built-in's to refuse.
    fn square_root(&mut self, builtin: u32, operand: Entry) {
        self.pop();
        let word = self.as_float(operand);
        let zero = self.builder.ins().f64const(0.0);
        let negative = self.builder.ins().fcmp(FloatCC::LessThan, word, zero);
        let (slow, fast, done) = (
            self.cold_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        let result = self.builder.append_block_param(done, types::F64);
        self.builder.ins().brif(negative, slow, &[], fast, &[]);
        self.switch_sealed(slow);
        let args = self.scratch(1);
        self.store_value(operand, args, 0);
        let (id, one) = (self.number(Table::Builtins, builtin), self.iconst(1));
        let words = self.call_raising(Helper::CallBuiltin, &[self.ctx, id, args, one]);
        debug_assert_ne!(RAISED, Tag::Float as u64);
        let value = self
            .builder
            .ins()
            .bitcast(types::F64, MemFlagsData::new(), words[1]);
        self.builder.ins().jump(done, &[BlockArg::Value(value)]);
        self.switch_sealed(fast);
        let root = self.builder.ins().sqrt(word);
        self.builder.ins().jump(done, &[BlockArg::Value(root)]);
        self.switch_sealed(done);
        self.push(Entry::float(result));
    }

    /// A whole float, as not every processor rounds by itself: what is small
    /// enough to have a fraction fits into an int.
    fn rounded(&mut self, rounding: Rounding) {
        let word = self.pop().word();
        let (small, done) = (self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::F64);
        let size = self.builder.ins().fabs(word);
        let limit = self.builder.ins().f64const(WHOLE_FROM);
        let is_small = self.builder.ins().fcmp(FloatCC::LessThan, size, limit);
        self.builder
            .ins()
            .brif(is_small, small, &[], done, &[BlockArg::Value(word)]);
        self.switch_sealed(small);
        let whole = self.builder.ins().fcvt_to_sint_sat(types::I64, word);
        let whole = self.builder.ins().fcvt_from_sint(types::F64, whole);
        let (is_off, by) = match rounding {
            Rounding::Down => (
                self.builder.ins().fcmp(FloatCC::GreaterThan, whole, word),
                self.builder.ins().f64const(-1.0),
            ),
            Rounding::Up => (
                self.builder.ins().fcmp(FloatCC::LessThan, whole, word),
                self.builder.ins().f64const(1.0),
            ),
            Rounding::Nearest => {
                let rest = self.builder.ins().fsub(word, whole);
                let rest = self.builder.ins().fabs(rest);
                let half = self.builder.ins().f64const(0.5);
                let one = self.builder.ins().f64const(1.0);
                (
                    self.builder
                        .ins()
                        .fcmp(FloatCC::GreaterThanOrEqual, rest, half),
                    self.builder.ins().fcopysign(one, word),
                )
            }
        };
        let moved = self.builder.ins().fadd(whole, by);
        let whole = self.builder.ins().select(is_off, moved, whole);
        // Zero has the sign of what was rounded to it.
        let whole = self.builder.ins().fcopysign(whole, word);
        self.builder.ins().jump(done, &[BlockArg::Value(whole)]);
        self.switch_sealed(done);
        self.push(Entry::float(result));
    }

    /// The first number, unless the second one is beyond it or the first is none.
    fn smaller_or_larger(&mut self, wants_larger: bool) {
        let (right, left) = (self.pop(), self.pop());
        let (first, second) = (self.as_float(left), self.as_float(right));
        // With "less", never "greater", it is one instruction where there is one.
        let (less, than) = match wants_larger {
            true => (first, second),
            false => (second, first),
        };
        let is_beyond = self.builder.ins().fcmp(FloatCC::LessThan, less, than);
        let result = self.builder.ins().select(is_beyond, second, first);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, first, first);
        let result = self.builder.ins().select(is_nan, second, result);
        self.push(Entry::float(result));
    }

    /// A shift, which the built-in refuses by other than 0 to 63.
    fn shifted(&mut self, builtin: u32, is_left: bool) {
        let (right, left) = (self.pop(), self.pop());
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        let bits = self.iconst(64);
        self.continue_if(IntCC::UnsignedLessThan, right.word(), bits, slow);
        let shifted = match is_left {
            true => self.builder.ins().ishl(left.word(), right.word()),
            false => self.builder.ins().sshr(left.word(), right.word()),
        };
        self.builder.ins().jump(done, &[BlockArg::Value(shifted)]);
        self.switch_sealed(slow);
        let args = self.scratch(2);
        self.store_value(left, args, 0);
        self.store_value(right, args, 16);
        let (id, two) = (self.number(Table::Builtins, builtin), self.iconst(2));
        let words = self.call_raising(Helper::CallBuiltin, &[self.ctx, id, args, two]);
        self.builder.ins().jump(done, &[BlockArg::Value(words[1])]);
        self.switch_sealed(done);
        self.push(Entry::int(result));
    }

    /// Whether the dict below the topmost operand has that as a key, 0 or 1; takes
    /// both.
    fn has_key(&mut self, dict: Entry, key: Entry) -> Value {
        let helper = match key.class {
            Class::Int => Helper::DictHasInt,
            _ => Helper::DictHas,
        };
        let has = self.call_helper(helper, &[dict.word(), key.word()])[0];
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(key);
        self.release_entry(dict);
        has
    }

    fn inline_pair(&mut self, builtin: u32, name: &str) -> bool {
        let right = self.stack[self.stack.len() - 1];
        let left = self.stack[self.stack.len() - 2];
        if name == "has_key"
            && left.class == Class::Object(Tag::Dict)
            && matches!(right.class, Class::Int | Class::Object(Tag::String))
        {
            let has = self.has_key(left, right);
            self.push(Entry::int(has));
            return true;
        }
        if name == "contains"
            && left.class == Class::Object(Tag::Dict)
            && matches!(right.class, Class::Int | Class::Object(Tag::String))
        {
            let has = self.has_key(left, right);
            let has = self.builder.ins().ireduce(types::I8, has);
            self.push(Entry::bool(has));
            return true;
        }
        if matches!(name, "index_of" | "contains") && are_texts(left, right) {
            let args = [left.word(), right.word()];
            let found = self.call_helper(Helper::IndexOfText, &args)[0];
            self.stack.truncate(self.stack.len() - 2);
            self.release_entry(right);
            self.release_entry(left);
            let result = match name {
                "index_of" => found,
                _ => {
                    let is_there = self.builder.ins().icmp_imm_s(IntCC::NotEqual, found, -1);
                    self.builder.ins().uextend(types::I64, is_there)
                }
            };
            self.push(Entry::int(result));
            return true;
        }
        let is_number = |entry: Entry| entry.ty.is(Tags::NUMBER);
        if is_number(left) && is_number(right) {
            match name {
                "min" => {
                    self.smaller_or_larger(false);
                    return true;
                }
                "max" => {
                    self.smaller_or_larger(true);
                    return true;
                }
                _ => {}
            }
        }
        if left.class != Class::Int || right.class != Class::Int {
            return false;
        }
        let (a, b) = (left.word(), right.word());
        let result = match name {
            "bit_and" => self.builder.ins().band(a, b),
            "bit_or" => self.builder.ins().bor(a, b),
            "bit_xor" => self.builder.ins().bxor(a, b),
            "bit_shl" | "bit_shr" => {
                self.shifted(builtin, name == "bit_shl");
                return true;
            }
            _ => return false,
        };
        self.stack.truncate(self.stack.len() - 2);
        self.push(Entry::int(result));
        true
    }
}
