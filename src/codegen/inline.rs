//! Built-ins that are a few instructions on operands of known kinds.

use super::func::Translator;
use super::signature::Class;
use super::stack::Entry;
use crate::infer::Tags;
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::heap::{array, string};
use ruff_runtime::value::{RAISED, Tag};

impl Translator<'_, '_, '_> {
    /// Translates a call in place; false if it has to be a call.
    pub fn inline_builtin(&mut self, builtin: u32, argc: u32) -> bool {
        let name: &str = &self.source.program.builtins[builtin as usize];
        if argc == 2 {
            return self.inline_pair(name);
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
            _ => return false,
        }
        true
    }

    fn length(&mut self, offset: usize) {
        let operand = self.pop();
        let len = self.load_word(operand.word(), offset);
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
        let len = self.load_word(array, array::LEN_OFFSET);
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

    fn inline_pair(&mut self, name: &str) -> bool {
        let right = self.stack[self.stack.len() - 1];
        let left = self.stack[self.stack.len() - 2];
        if name == "has_key"
            && left.class == Class::Object(Tag::Dict)
            && matches!(right.class, Class::Int | Class::Object(Tag::String))
        {
            let helper = match right.class {
                Class::Int => Helper::DictHasInt,
                _ => Helper::DictHas,
            };
            let has = self.call_helper(helper, &[left.word(), right.word()])[0];
            self.stack.truncate(self.stack.len() - 2);
            self.release_entry(right);
            self.release_entry(left);
            self.push(Entry::int(has));
            return true;
        }
        if left.class != Class::Int || right.class != Class::Int {
            return false;
        }
        let (a, b) = (left.word(), right.word());
        let result = match name {
            "bit_and" => self.builder.ins().band(a, b),
            "bit_or" => self.builder.ins().bor(a, b),
            "bit_xor" => self.builder.ins().bxor(a, b),
            _ => return false,
        };
        self.stack.truncate(self.stack.len() - 2);
        self.push(Entry::int(result));
        true
    }
}
