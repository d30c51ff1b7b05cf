//! Strings: ASCII characters, joining and comparing with short literals inline
//! or by helpers that know what they get; the rest is `index`, `arith` and so on.

use super::func::{Translator, trusted};
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, Endianness, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Constant, Operator, Var, VarKind};
use ruff_runtime::context::ASCII_OFFSET;
use ruff_runtime::heap::string::{CHARS_OFFSET, LEN_OFFSET, TEXT_OFFSET};
use ruff_runtime::value::Tag;

const STRING: Class = Class::Object(Tag::String);
/// Bytes of a word.
const WORD: i64 = 8;

/// Whether both operands are strings for sure.
pub(super) fn are_texts(left: Entry, right: Entry) -> bool {
    left.class == STRING && right.class == STRING
}

impl Translator<'_, '_, '_> {
    /// `text[position]`: a character of ASCII text inline.
    pub fn index_text(&mut self, text: Entry, index: Entry) {
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        let (object, position) = (text.word(), index.word());
        let chars = self.load_word(object, CHARS_OFFSET);
        self.continue_if(IntCC::UnsignedLessThan, position, chars, slow);
        let len = self.load_word(object, LEN_OFFSET);
        self.continue_if(IntCC::Equal, chars, len, slow);
        let byte = self.text_byte(object, position);
        let character = self.ascii_character(byte);
        self.builder.ins().jump(done, &[BlockArg::Value(character)]);
        self.switch_sealed(slow);
        let words = self.index_words(text, index);
        self.builder.ins().jump(done, &[BlockArg::Value(words[1])]);
        self.switch_sealed(done);
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(text);
        let ty = Type::of(Tags::STRING);
        self.push(Entry::owned(ty, STRING, &[result]));
    }

    /// A loop's next character if it is ASCII; `state` as `IterNext` has it.
    pub fn next_character(&mut self, state: Value, slow: Block, done: Block) {
        let object = self.load_word(state, 8);
        let position = self.load_word(state, 24);
        let len = self.load_word(object, LEN_OFFSET);
        self.continue_if(IntCC::UnsignedLessThan, position, len, slow);
        let byte = self.text_byte(object, position);
        let limit = self.iconst(0x80);
        self.continue_if(IntCC::UnsignedLessThan, byte, limit, slow);
        let next = self.builder.ins().iadd_imm_s(position, 1);
        self.builder.ins().store(trusted(), next, state, 24);
        let character = self.ascii_character(byte);
        let tag = self.tag_word(Tag::String);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(character)]);
    }

    fn text_byte(&mut self, object: Value, position: Value) -> Value {
        let address = self.builder.ins().iadd(object, position);
        self.builder
            .ins()
            .uload8(types::I64, trusted(), address, TEXT_OFFSET as i32)
    }

    /// The immortal string of an ASCII character.
    fn ascii_character(&mut self, byte: Value) -> Value {
        let table = self.load_context_constant(ASCII_OFFSET);
        let offset = self.builder.ins().ishl_imm_u(byte, 3);
        let address = self.builder.ins().iadd(table, offset);
        self.builder
            .ins()
            .load(types::I64, trusted().with_readonly(), address, 0)
    }

    /// `left + right` of two strings, which are taken over.
    pub fn join_texts(&mut self, left: Entry, right: Entry) -> Entry {
        let helper = if left.owner == Owner::Entry {
            Helper::AppendText
        } else {
            Helper::JoinTexts
        };
        let joined = self.call_helper(helper, &[left.word(), right.word()])[0];
        self.release_entry(right);
        Entry::owned(Type::of(Tags::STRING), STRING, &[joined])
    }

    /// `text += right` of a variable, as far as that is all about strings;
    /// false if it isn't.
    pub fn append_to_variable(&mut self, var: Var, operator: Operator) -> bool {
        let left = self.variable(var);
        let right = self.stack[self.stack.len() - 1];
        if operator != Operator::Add || !are_texts(left, right) {
            return false;
        }
        match var.kind() {
            // What borrows from the variable, `right` perhaps, becomes another
            // owner, so that the text is not changed under it.
            VarKind::Local => self.own_borrows_from_slot(var.number()),
            _ => self.own_borrows_from_shared(),
        }
        let right = self.pop();
        let text = self.call_helper(Helper::AppendText, &[left.word(), right.word()])[0];
        let text = Entry::owned(Type::of(Tags::STRING), STRING, &[text]);
        self.overwrite_moved(var, text);
        self.release_entry(right);
        true
    }

    /// Whether two strings have the same text.  Short ones are compared as words,
    /// without a branch that depends on what they say.
    pub fn same_text(&mut self, left: Value, right: Value) -> Value {
        if let Some(same) = self.is_short_literal(left, right) {
            return same;
        }
        let done = self.builder.create_block();
        let result = self.builder.append_block_param(done, types::I8);
        let left_len = self.load_word(left, LEN_OFFSET);
        let right_len = self.load_word(right, LEN_OFFSET);
        // Every string has room for a word of text.
        let left_word = self.load_word(left, TEXT_OFFSET);
        let right_word = self.load_word(right, TEXT_OFFSET);
        let lens_differ = self.builder.ins().bxor(left_len, right_len);
        let words_differ = self.builder.ins().bxor(left_word, right_word);
        let either_len = self.builder.ins().bor(left_len, right_len);
        let are_short = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, either_len, WORD);
        let (short, long) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(are_short, short, &[], long, &[]);

        self.switch_sealed(short);
        // The bytes behind the text don't count.  They are shifted out in two
        // steps, since a shift by 64 bits would do nothing.
        let word = self.iconst(WORD);
        let unused = self.builder.ins().isub(word, left_len);
        let half = self.builder.ins().ishl_imm_u(unused, 2);
        let mut counting = words_differ;
        for _ in 0..2 {
            counting = match self.source.isa.endianness() {
                Endianness::Little => self.builder.ins().ishl(counting, half),
                Endianness::Big => self.builder.ins().ushr(counting, half),
            };
        }
        let differ = self.builder.ins().bor(counting, lens_differ);
        let same = self.builder.ins().icmp_imm_u(IntCC::Equal, differ, 0);
        self.builder.ins().jump(done, &[BlockArg::Value(same)]);

        self.switch_sealed(long);
        // The last word of a text that is shorter than a word begins before it,
        // in the object, and then the lengths differ.
        let (left_end, right_end) = (
            self.builder.ins().iadd(left, left_len),
            self.builder.ins().iadd(right, right_len),
        );
        let left_last = self.load_word(left_end, TEXT_OFFSET - WORD as usize);
        let right_last = self.load_word(right_end, TEXT_OFFSET - WORD as usize);
        let lasts_differ = self.builder.ins().bxor(left_last, right_last);
        let differ = self.builder.ins().bor(words_differ, lasts_differ);
        let differ = self.builder.ins().bor(differ, lens_differ);
        let alike = self.builder.ins().icmp_imm_u(IntCC::Equal, differ, 0);
        let are_two = self.builder.ins().icmp(IntCC::NotEqual, left, right);
        let are_longer =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, left_len, 2 * WORD);
        let undecided = self.builder.ins().band(alike, are_two);
        let undecided = self.builder.ins().band(undecided, are_longer);
        let compare = self.cold_block();
        self.builder
            .ins()
            .brif(undecided, compare, &[], done, &[BlockArg::Value(alike)]);
        self.switch_sealed(compare);
        let word = self.call_helper(Helper::SameText, &[left, right])[0];
        let same = self.builder.ins().ireduce(types::I8, word);
        self.builder.ins().jump(done, &[BlockArg::Value(same)]);
        self.switch_sealed(done);
        result
    }

    /// Whether a string is the literal that the other one is, if one is and it
    /// is short; the operands may be swapped.
    pub fn is_short_literal(&mut self, left: Value, right: Value) -> Option<Value> {
        if let Some(literal) = self.short_literal(right) {
            return Some(self.has_text(left, &literal));
        }
        let literal = self.short_literal(left)?;
        Some(self.has_text(right, &literal))
    }

    /// The bytes of a literal that fits into a word.
    fn short_literal(&self, object: Value) -> Option<Vec<u8>> {
        let index = *self.tools.literals.get(&object)?;
        match &self.source.program.constants[index as usize] {
            Constant::Str(text) if text.len() <= 8 => Some(text.as_bytes().to_vec()),
            _ => None,
        }
    }

    fn has_text(&mut self, object: Value, literal: &[u8]) -> Value {
        let len = self.load_word(object, LEN_OFFSET);
        let same_len = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, len, literal.len() as i64);
        // Every string has room for a word of text.
        let text = match literal.len() {
            0 => return same_len,
            1 => self
                .builder
                .ins()
                .uload8(types::I64, trusted(), object, TEXT_OFFSET as i32),
            _ => self.load_word(object, TEXT_OFFSET),
        };
        let mut bytes = [0; 8];
        bytes[..literal.len()].copy_from_slice(literal);
        let mut mask = [0; 8];
        mask[..literal.len()].fill(0xff);
        let as_word = |bytes: [u8; 8]| match self.source.isa.endianness() {
            Endianness::Little => i64::from_le_bytes(bytes),
            Endianness::Big => i64::from_be_bytes(bytes),
        };
        let (wanted, mask) = match literal {
            [byte] => (i64::from(*byte), -1),
            _ => (as_word(bytes), as_word(mask)),
        };
        let text = if mask == -1 {
            text
        } else {
            let mask = self.iconst(mask);
            self.builder.ins().band(text, mask)
        };
        let wanted = self.iconst(wanted);
        let same_text = self.builder.ins().icmp(IntCC::Equal, text, wanted);
        self.builder.ins().band(same_len, same_text)
    }
}
