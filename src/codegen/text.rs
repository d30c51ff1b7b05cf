//! Strings: ASCII characters, joining and comparing with short literals inline
//! or by helpers that know what they get; the rest is `index`, `arith` and so on.

use super::compare::Comparison;
use super::func::{Translator, trusted};
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, Endianness, InstBuilder, MemFlagsData, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Constant, Op, Operator, Var, VarKind};
use ruff_runtime::context::ASCII_OFFSET;
use ruff_runtime::heap::string::{
    CAPACITY_OFFSET, CHARS_OFFSET, HASH_OFFSET, LEN_OFFSET, TEXT_OFFSET,
};
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
        let bytes = self.builder.append_block_param(done, types::I64);
        let object = text.word();
        let position = self.expect_tag(index, Tag::Int, slow);
        if let Some(view) = self.text_view(text) {
            let indexable = self.word_of(view.indexable);
            self.continue_if(IntCC::UnsignedLessThan, position, indexable, slow);
        } else {
            let chars = self.load_length(object, CHARS_OFFSET);
            self.continue_if(IntCC::UnsignedLessThan, position, chars, slow);
            let len = self.load_length(object, LEN_OFFSET);
            self.continue_if(IntCC::Equal, chars, len, slow);
        }
        let byte = self.text_byte(object, position);
        let found = self.ascii_bytes(byte);
        self.jump_with(done, &[found]);
        self.switch_sealed(slow);
        let character = self.index_words(text, index)[1];
        let found = self.bytes_of_character(character);
        self.release_object(character);
        self.jump_with(done, &[found]);
        self.switch_sealed(done);
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(index);
        self.release_entry(text);
        self.push_character(bytes);
    }

    /// The bytes of a loop's next character if it is ASCII; `state` as `IterNext`
    /// has it.
    pub fn next_character(&mut self, state: Value, slow: Block, done: Block) {
        let object = self.load_word(state, 8);
        let position = self.load_word(state, 24);
        let len = self.load_length(object, LEN_OFFSET);
        self.continue_if(IntCC::UnsignedLessThan, position, len, slow);
        let byte = self.text_byte(object, position);
        let limit = self.iconst(0x80);
        self.continue_if(IntCC::UnsignedLessThan, byte, limit, slow);
        let next = self.builder.ins().iadd_imm_s(position, 1);
        self.builder.ins().store(trusted(), next, state, 24);
        let bytes = self.ascii_bytes(byte);
        self.jump_with(done, &[bytes]);
    }

    fn text_byte(&mut self, object: Value, position: Value) -> Value {
        let address = self.builder.ins().iadd(object, position);
        self.builder
            .ins()
            .uload8(types::I64, trusted(), address, TEXT_OFFSET as i32)
    }

    /// The immortal string of an ASCII character.
    pub fn ascii_character(&mut self, byte: Value) -> Value {
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

    /// Whether a variable always holds a string, if anything.
    pub fn is_text_variable(&mut self, var: Var) -> bool {
        self.variable(var).class == STRING
    }

    /// `left + right` of strings that are to be appended to a local variable by the
    /// next instruction: `left` is appended at once, and `right` is left for that.
    /// False if it is anything else.
    pub fn append_first_part(&mut self) -> bool {
        let next = self.pc + 1;
        if self.layout.leaders.get(next as usize) != Some(&false) {
            return false;
        }
        let (var, has_old) = match self.function.code[next as usize] {
            Op::Update {
                var,
                operator: Operator::Add,
            } => (var, false),
            Op::UpdateFrom {
                var,
                operator: Operator::Add,
            } => (var, true),
            _ => return false,
        };
        let is_text = |entry: &Entry| matches!(entry.class, STRING | Class::Character);
        let first = self.stack.len() - 2;
        let owner = Owner::Slot(var.number());
        if var.kind() != VarKind::Local
            || !self.stack[first..].iter().all(is_text)
            || has_old && self.stack[first - 1].owner != owner
            || !self.is_text_variable(var)
        {
            return false;
        }
        if has_old {
            self.stack[first - 1] = Entry::null();
        }
        self.own_borrows_from_slot(var.number());
        let right = self.pop();
        let is_done = self.append_to_variable(var, Operator::Add);
        debug_assert!(is_done, "all are strings");
        self.push(right);
        if has_old {
            self.stack[first - 1] = self.variable(var);
        }
        true
    }

    /// `text += right` of a variable, as far as that is all about strings;
    /// false if it isn't.
    pub fn append_to_variable(&mut self, var: Var, operator: Operator) -> bool {
        let left = self.variable(var);
        let right = self.stack[self.stack.len() - 1];
        let is_text = matches!(right.class, STRING | Class::Character);
        if operator != Operator::Add || left.class != STRING || !is_text {
            return false;
        }
        match var.kind() {
            // What borrows from the variable, `right` perhaps, becomes another
            // owner, so that the text is not changed under it.
            VarKind::Local => self.own_borrows_from_slot(var.number()),
            _ => self.own_borrows_from_shared(),
        }
        let right = self.pop();
        let text = self.appended(left.word(), right);
        let text = Entry::owned(Type::of(Tags::STRING), STRING, &[text]);
        self.overwrite_moved(var, text);
        self.release_entry(right);
        true
    }

    /// A string with another one behind it, which is taken over; in place where it
    /// has no other owner and room for a word, if that is as much as is appended.
    fn appended(&mut self, left: Value, right: Entry) -> Value {
        let is_short = right.class == Class::Character || self.short_literal(right).is_some();
        let slow = match is_short {
            true => self.cold_block(),
            // It may well be longer.
            false => self.builder.create_block(),
        };
        let done = self.builder.create_block();
        let result = self.builder.append_block_param(done, types::I64);
        let (len, chars, word) = self.short_text(right, slow);
        let count = self.load_count(left);
        let one = self.builder.ins().iconst(types::I32, 1);
        self.continue_if(IntCC::Equal, count, one, slow);
        let old_len = self.load_length(left, LEN_OFFSET);
        let capacity = self.load_word(left, CAPACITY_OFFSET);
        let end = self.builder.ins().iadd_imm_s(old_len, WORD);
        self.continue_if(IntCC::UnsignedLessThanOrEqual, end, capacity, slow);
        let hash = self.load_word(left, HASH_OFFSET);
        let zero = self.iconst(0);
        self.continue_if(IntCC::SignedGreaterThanOrEqual, hash, zero, slow);
        let place = self.builder.ins().iadd(left, old_len);
        let anywhere = MemFlagsData::new().with_notrap();
        self.builder
            .ins()
            .store(anywhere, word, place, TEXT_OFFSET as i32);
        let old_chars = self.load_length(left, CHARS_OFFSET);
        let new_len = self.builder.ins().iadd(old_len, len);
        let new_chars = self.builder.ins().iadd(old_chars, chars);
        self.store_length(new_len, left, LEN_OFFSET);
        self.store_length(new_chars, left, CHARS_OFFSET);
        self.builder
            .ins()
            .store(trusted(), zero, left, HASH_OFFSET as i32);
        self.jump_with(done, &[left]);
        self.switch_sealed(slow);
        let more = self.payload_word(right);
        let text = self.call_helper(Helper::GrowText, &[left, more])[0];
        if right.class == Class::Character {
            self.release_object(more);
        }
        self.jump_with(done, &[text]);
        self.switch_sealed(done);
        result
    }

    /// The length in bytes and in characters, and the first word, of a text that is
    /// no longer than a word; goes to `slow` for others.
    fn short_text(&mut self, text: Entry, slow: Block) -> (Value, Value, Value) {
        if text.class == Class::Character {
            let word = text.word();
            let limit = self.ascii_limit();
            self.continue_if(IntCC::UnsignedLessThan, word, limit, slow);
            let one = self.iconst(1);
            return (one, one, word);
        }
        let chars = self.load_length(text.word(), CHARS_OFFSET);
        if let Some((len, word)) = self.short_literal(text) {
            return (self.iconst(len), chars, self.iconst(word));
        }
        let (len, word) = self.text_head(text);
        let most = self.iconst(WORD);
        self.continue_if(IntCC::UnsignedLessThanOrEqual, len, most, slow);
        (len, chars, word)
    }

    /// `to_string` of an int: digits are there for ever.
    pub fn int_text(&mut self, number: Value) -> Entry {
        let done = self.builder.create_block();
        let result = self.builder.append_block_param(done, types::I64);
        let [digit, other] = [(); 2].map(|()| self.builder.create_block());
        let is_digit = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, number, 10);
        self.builder.ins().brif(is_digit, digit, &[], other, &[]);
        self.switch_sealed(digit);
        let byte = self.builder.ins().iadd_imm_s(number, i64::from(b'0'));
        let text = self.ascii_character(byte);
        self.jump_with(done, &[text]);
        self.switch_sealed(other);
        let text = self.call_helper(Helper::IntText, &[number])[0];
        self.jump_with(done, &[text]);
        self.switch_sealed(done);
        Entry::owned(Type::of(Tags::STRING), STRING, &[result])
    }

    /// Whether two strings have the same text.  Short ones are compared as words,
    /// without a branch that depends on what they say.
    pub fn same_text(&mut self, left: Entry, right: Entry) -> Value {
        if let (Some(one), Some(other)) = (self.whole_head(left), self.whole_head(right)) {
            return self.builder.ins().icmp(IntCC::Equal, one, other);
        }
        if let Some(same) = self.is_short_literal(left, right) {
            return same;
        }
        let done = self.builder.create_block();
        let result = self.builder.append_block_param(done, types::I8);
        let (left_len, left_word) = self.text_head(left);
        let (right_len, right_word) = self.text_head(right);
        let lens_differ = self.builder.ins().bxor(left_len, right_len);
        let words_differ = self.builder.ins().bxor(left_word, right_word);
        let differ = self.builder.ins().bor(lens_differ, words_differ);
        let alike = self.builder.ins().icmp_imm_u(IntCC::Equal, differ, 0);
        // Texts of different lengths are decided, so either length will do; one
        // that a loop doesn't change is better asked outside.
        let len = match self.text_view(right) {
            Some(_) => right_len,
            None => left_len,
        };
        let are_longer = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedGreaterThan, len, WORD);
        let undecided = self.builder.ins().band(alike, are_longer);
        let long = self.cold_block();
        self.builder
            .ins()
            .brif(undecided, long, &[], done, &[BlockArg::Value(alike)]);

        self.switch_sealed(long);
        let (left, right) = (left.word(), right.word());
        let (left_end, right_end) = (
            self.builder.ins().iadd(left, left_len),
            self.builder.ins().iadd(right, right_len),
        );
        let left_last = self.load_word(left_end, TEXT_OFFSET - WORD as usize);
        let right_last = self.load_word(right_end, TEXT_OFFSET - WORD as usize);
        let alike = self.builder.ins().icmp(IntCC::Equal, left_last, right_last);
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

    /// The first word of a string that is different for different ones: they fit
    /// into it, with zeros behind them, and do not end with one (but for the
    /// character that is one).
    pub fn whole_head(&mut self, text: Entry) -> Option<Value> {
        match text.class {
            Class::Character => return Some(text.word()),
            STRING if self.short_literal(text).is_none() && text.ty.is(Tags::CHARACTER) => {
                return Some(self.bytes_of_character(text.word()));
            }
            STRING => {}
            _ => return None,
        }
        let (len, word) = self.short_literal(text)?;
        let bytes = match self.source.isa.endianness() {
            Endianness::Little => word.to_le_bytes(),
            Endianness::Big => word.to_be_bytes(),
        };
        let last = bytes[usize::try_from(len).ok()?.checked_sub(1)?];
        (last != 0).then(|| self.iconst(word))
    }

    /// How two strings are ordered, where they differ in their first words; the
    /// rest is a helper's.  Texts are ordered by their bytes.
    pub fn compare_texts(&mut self, comparison: Comparison, left: Entry, right: Entry) -> Value {
        let wholes = (self.whole_head(left), self.whole_head(right));
        let are_whole = wholes.0.is_some() && wholes.1.is_some();
        let one = wholes.0.unwrap_or_else(|| self.text_head(left).1);
        let other = wholes.1.unwrap_or_else(|| self.text_head(right).1);
        let decided = self.compare_heads(comparison, one, other);
        if are_whole {
            return decided;
        }
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I8);
        let same = self.builder.ins().icmp(IntCC::Equal, one, other);
        let decided = [BlockArg::Value(decided)];
        self.builder.ins().brif(same, slow, &[], done, &decided);
        self.switch_sealed(slow);
        let tag = self.tag_word(Tag::String);
        let args = [self.ctx, tag, left.word(), tag, right.word()];
        let word = self.call_raising(comparison.helper(), &args)[1];
        let word = self.builder.ins().ireduce(types::I8, word);
        self.jump_with(done, &[word]);
        self.switch_sealed(done);
        result
    }

    /// How texts are ordered that differ in their first words, or are equal if
    /// these are.
    pub fn compare_heads(&mut self, comparison: Comparison, one: Value, other: Value) -> Value {
        let swaps = self.source.isa.endianness() == Endianness::Little && !comparison.is_equality();
        let [one, other] = [one, other].map(|word| match swaps {
            true => self.builder.ins().bswap(word),
            false => word,
        });
        self.builder.ins().icmp(comparison.unsigned(), one, other)
    }

    /// Whether a string is the literal that the other one is, if one is and it
    /// is short; the operands may be swapped.
    fn is_short_literal(&mut self, left: Entry, right: Entry) -> Option<Value> {
        if let Some(literal) = self.short_literal(right) {
            return Some(self.has_text(left, literal));
        }
        let literal = self.short_literal(left)?;
        Some(self.has_text(right, literal))
    }

    /// The length and the first word of a literal that fits into a word.
    fn short_literal(&self, literal: Entry) -> Option<(i64, i64)> {
        let index = *self.tools.literals.get(&literal.word())?;
        let Constant::Str(text) = &self.source.program.constants[index as usize] else {
            return None;
        };
        let mut bytes = [0; WORD as usize];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let word = match self.source.isa.endianness() {
            Endianness::Little => i64::from_le_bytes(bytes),
            Endianness::Big => i64::from_be_bytes(bytes),
        };
        Some((text.len() as i64, word))
    }

    fn has_text(&mut self, text: Entry, (wanted_len, wanted): (i64, i64)) -> Value {
        let (len, word) = self.text_head(text);
        let same_len = self.builder.ins().icmp_imm_u(IntCC::Equal, len, wanted_len);
        let wanted = self.iconst(wanted);
        let same_word = self.builder.ins().icmp(IntCC::Equal, word, wanted);
        self.builder.ins().band(same_len, same_word)
    }
}
