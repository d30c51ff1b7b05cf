//! Characters: strings that are known to be one character, held as its bytes.
//!
//! They are in a word as in the first word of such a string, zeros behind them,
//! so they are compared as words and nothing is counted.  A string is made where
//! one is needed: those of ASCII are there for ever, others the runtime makes.

use super::compare::Comparison;
use super::func::Translator;
use super::signature::Class;
use super::stack::Entry;
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, Endianness, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Op;
use ruff_runtime::heap::string::{CHARS_OFFSET, TEXT_OFFSET};
use ruff_runtime::value::Tag;

const STRING: Class = Class::Object(Tag::String);
/// How far an ASCII character is from the low end of its word on machines that
/// keep the first byte at the high end.
const TO_HIGH_END: i64 = 56;

impl Translator<'_, '_, '_> {
    /// Whether an instruction knows characters; the others get strings.
    pub fn takes_characters(op: Op) -> bool {
        matches!(
            op,
            Op::Pop {}
                | Op::Dup {}
                | Op::StoreLocal { .. }
                | Op::Return {}
                | Op::CallFunction { .. }
                | Op::CallMethod { .. }
                | Op::Equal {}
                | Op::NotEqual {}
                | Op::Less {}
                | Op::LessEqual {}
                | Op::Greater {}
                | Op::GreaterEqual {}
                | Op::SameValue {}
                | Op::Update { .. }
                | Op::UpdateFrom { .. }
                | Op::JumpIfNull { .. }
                | Op::JumpIfNotNull { .. }
        )
    }

    /// Makes strings of the top operands that are characters.
    pub fn make_characters_whole(&mut self, count: usize) {
        for index in self.stack.len() - count..self.stack.len() {
            if self.stack[index].class == Class::Character {
                self.make_whole(index);
            }
        }
    }

    /// Pushes the character of a byte of ASCII or of other bytes, which are in
    /// their places in the word.
    pub fn push_character(&mut self, bytes: Value) {
        let ty = Type::of(Tags::CHARACTER);
        self.push(Entry::owned(ty, Class::Character, &[bytes]));
    }

    /// The word of an ASCII character.
    pub fn ascii_bytes(&mut self, byte: Value) -> Value {
        match self.source.isa.endianness() {
            Endianness::Little => byte,
            Endianness::Big => self.builder.ins().ishl_imm_u(byte, TO_HIGH_END),
        }
    }

    /// What the words of ASCII characters are below, as unsigned numbers, and those of
    /// others are not.
    pub fn ascii_limit(&mut self) -> Value {
        self.iconst(match self.source.isa.endianness() {
            Endianness::Little => 0x80,
            Endianness::Big => i64::MIN,
        })
    }

    /// The bytes of a string that is one character; it stays whose it is.
    pub fn bytes_of_character(&mut self, string: Value) -> Value {
        self.load_word(string, TEXT_OFFSET)
    }

    /// The string of a character, which whoever gets it owns.
    pub fn character_string(&mut self, bytes: Value) -> Value {
        let byte = match self.source.isa.endianness() {
            Endianness::Little => bytes,
            Endianness::Big => self.builder.ins().ushr_imm_u(bytes, TO_HIGH_END),
        };
        let is_ascii = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, byte, 0x80);
        let [ascii, done] = [(); 2].map(|()| self.builder.create_block());
        let other = self.cold_block();
        let result = self.builder.append_block_param(done, types::I64);
        self.builder.ins().brif(is_ascii, ascii, &[], other, &[]);
        self.switch_sealed(ascii);
        let string = self.ascii_character(byte);
        self.jump_with(done, &[string]);
        self.switch_sealed(other);
        let string = self.call_helper(Helper::Character, &[self.ctx, bytes])[0];
        self.jump_with(done, &[string]);
        self.switch_sealed(done);
        result
    }

    /// The words of a value that is known to be a character; a string that the
    /// entry owns is given back.
    pub fn in_character(&mut self, entry: Entry) -> Value {
        if let Some(bytes) = self.whole_head(entry) {
            self.release_entry(entry);
            return bytes;
        }
        let string = self.payload_word(entry);
        let bytes = self.bytes_of_character(string);
        self.release_entry(entry);
        bytes
    }

    /// Takes a string in memory into the home of a character, if there is one;
    /// gives the bytes, or those that were there.
    pub fn character_in(&mut self, tag: Value, string: Value, old: Value) -> Value {
        let wanted = Tag::String as u64 as i64;
        let there = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, wanted);
        let [take, done] = [(); 2].map(|()| self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        let old = [BlockArg::Value(old)];
        self.builder.ins().brif(there, take, &[], done, &old);
        self.switch_sealed(take);
        let bytes = self.bytes_of_character(string);
        self.release_object(string);
        self.jump_with(done, &[bytes]);
        self.switch_sealed(done);
        result
    }

    /// Compares the top operands if both are strings, one of which is known to be
    /// one character; `None` if that has to be done as for others.
    pub fn compare_characters(&mut self, comparison: Comparison) -> Option<Value> {
        let [left, right] = [2, 1].map(|from_top| self.stack[self.stack.len() - from_top]);
        let is_text = |entry: Entry| matches!(entry.class, Class::Character | STRING);
        let has_character = [left, right].map(|entry| entry.class == Class::Character);
        let are_known = [left, right].map(|entry| entry.ty.is(Tags::CHARACTER));
        if !is_text(left) || !is_text(right) || are_known == [false; 2] {
            return None;
        }
        if let (Some(one), Some(other)) = (self.whole_head(left), self.whole_head(right)) {
            return Some(self.compare_heads(comparison, one, other));
        }
        if !comparison.is_equality() || has_character == [false; 2] {
            return None;
        }
        let (character, string) = match has_character[0] {
            true => (left, right),
            false => (right, left),
        };
        let head = self.load_word(string.word(), TEXT_OFFSET);
        let chars = self.load_length(string.word(), CHARS_OFFSET);
        let same = self
            .builder
            .ins()
            .icmp(IntCC::Equal, head, character.word());
        let is_one = self.builder.ins().icmp_imm_u(IntCC::Equal, chars, 1);
        let equal = self.builder.ins().band(same, is_one);
        Some(self.equality_result(comparison, equal))
    }
}
