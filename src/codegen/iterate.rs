//! Loops: ranges in registers, as arrays of one kind are (`walk`); other arrays,
//! strings and counts inline, the rest by helper.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::local::Home;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, iterated};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Op;
use ruff_runtime::value::Tag;

/// A loop over a range or an array whose test is repeated where it is jumped back
/// to.
#[derive(Clone, Copy)]
pub(super) struct Rotated {
    slot: u32,
    /// What follows the loop.
    to: u32,
    /// Where the loop goes on if there is more.
    go_on: Block,
}

impl Translator<'_, '_, '_> {
    /// The address of a loop's source and position.
    pub fn loop_state(&mut self, slot: u32) -> Value {
        let Home::Memory { room, .. } = self.homes[slot as usize] else {
            unreachable!("the verifier keeps hidden locals apart");
        };
        self.address_in(room, 0)
    }

    pub fn iter_start(&mut self, slot: u32) {
        self.own_borrows_from_shared();
        self.own_borrows_from_slot(slot);
        let state = self.loop_state(slot);
        self.clear_loop(slot);
        let entry = self.pop_owned();
        if entry.class == Class::Object(Tag::Array) {
            let position = Entry::int(self.iconst(0));
            self.store_value(entry, state, 0);
            self.store_value(position, state, 16);
        } else {
            let (tag, payload) = self.both_words(entry);
            self.call_raising(Helper::IterStart, &[self.ctx, state, tag, payload]);
        }
        if let Some(walk) = self.walks.get(&slot).copied() {
            self.start_walk(walk, state);
        }
    }

    /// Lets go of what a loop that was left by an error still holds in the slot.
    pub fn clear_loop(&mut self, slot: u32) {
        if self.holding.maybe.contains(slot) {
            self.release_slot(slot, false);
            self.empty_slot(slot);
            self.empty_slot(slot + 1);
        }
    }

    pub fn iter_next(&mut self, slot: u32, to: u32) {
        self.own_all();
        let source = self.slot_type(slot).without(Tags::UNSET);
        let ty = iterated(source);
        let followed = Tags::NUMBER.union(Tags::STRING);
        let followed = followed.union(Tags::ARRAY).union(Tags::GENERATOR);
        self.record(match source.is(Tags::NUMBER) {
            true => Decision::Counts,
            false if source.is(followed) => Decision::Iterates,
            false => Decision::IteratesByRuntime,
        });
        if let Some(walk) = self.walks.get(&slot).copied() {
            return self.walk_on(slot, to, ty, walk);
        }
        let state = self.loop_state(slot);
        let (slow, done) = (self.builder.create_block(), self.builder.create_block());
        let is_text = source.is(Tags::STRING);
        for _ in 0..if is_text { 1 } else { 2 } {
            self.builder.append_block_param(done, types::I64);
        }
        if source.is(Tags::NUMBER) {
            self.next_count(state, slow, done);
        } else if is_text {
            self.next_character(state, slow, done);
        } else {
            self.next_by_tag(state, source, slow, done);
        }
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        // The helper also lets go of the source at the end.
        let words = self.call_raising(Helper::IterNext, &[self.ctx, state]);
        let at_end =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::Equal, words[0], Tag::Unset as u64 as i64);
        let args = self.block_args(to);
        let target = self.block_at(to);
        let more = self.builder.create_block();
        self.builder.ins().brif(at_end, target, &args, more, &[]);
        self.switch_sealed(more);
        if is_text {
            let bytes = self.bytes_of_character(words[1]);
            self.release_object(words[1]);
            self.jump_with(done, &[bytes]);
        } else {
            self.jump_with(done, &words);
        }
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        match is_text {
            true => self.push_character(params[0]),
            false => self.push_words(ty, &params),
        }
    }

    /// What an array or a generator gives next; the rest goes to `slow`.
    fn next_by_tag(&mut self, state: Value, source: Type, slow: Block, done: Block) {
        if source.may_be(Tags::ARRAY) {
            let others = self.unless_surely(state, source, Tag::Array);
            self.next_element(state, iterated(source), slow, done);
            let Some(others) = others else { return };
            self.switch_sealed(others);
        }
        if !source.may_be(Tags::GENERATOR) {
            self.builder.ins().jump(slow, &[]);
            return;
        }
        let others = self.unless_surely(state, source, Tag::Generator);
        self.next_yielded(state, slow, done);
        if let Some(others) = others {
            self.switch_sealed(others);
            self.builder.ins().jump(slow, &[]);
        }
    }

    /// Goes on only for a source with this tag; gives where others go, if there
    /// may be any.
    fn unless_surely(&mut self, state: Value, source: Type, tag: Tag) -> Option<Block> {
        if source.is(Tags::one(tag)) {
            return None;
        }
        let others = self.builder.create_block();
        let (found, wanted) = (self.load_word(state, 0), self.tag_word(tag));
        self.continue_if(IntCC::Equal, found, wanted, others);
        Some(others)
    }

    /// What a generator yields next.
    fn next_yielded(&mut self, state: Value, slow: Block, done: Block) {
        let generator = self.load_word(state, 8);
        let (tag, payload) = self.resume_generator(generator, slow);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
    }

    /// A count: the position below the end.
    fn next_count(&mut self, state: Value, slow: Block, done: Block) {
        let end = self.load_word(state, 8);
        let position = self.load_word(state, 24);
        let more = self
            .builder
            .ins()
            .icmp(IntCC::SignedLessThan, position, end);
        let go_on = self.builder.create_block();
        self.builder.ins().brif(more, go_on, &[], slow, &[]);
        self.switch_sealed(go_on);
        let next = self.builder.ins().iadd_imm_s(position, 1);
        self.builder.ins().store(trusted(), next, state, 24);
        let tag = self.tag_word(Tag::Int);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(position)]);
    }

    /// An array's element at the position.
    fn next_element(&mut self, state: Value, ty: Type, slow: Block, done: Block) {
        // At its end the source is null: then the position has no meaning,
        // but this is not reached again before the loop starts anew.
        let array = self.load_word(state, 8);
        let position = self.load_word(state, 24);
        let len = self.array_len(array);
        self.continue_if(IntCC::UnsignedLessThan, position, len, slow);
        let class = Class::of(ty);
        let element = self.builder.create_block();
        for word in class.words().iter() {
            self.builder.append_block_param(element, *word);
        }
        self.load_element(array, position, ty, false, slow, element);
        self.switch_sealed(element);
        let words = self.builder.block_params(element).to_vec();
        let entry = Entry::owned(ty, class, &words);
        let (tag, payload) = self.both_words(entry);
        let next = self.builder.ins().iadd_imm_s(position, 1);
        self.builder.ins().store(trusted(), next, state, 24);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
    }

    // ---- ranges

    fn range_variables(&self, slot: u32) -> [Variable; 3] {
        [0, 1, 2].map(|part| match self.homes[(slot + part) as usize] {
            Home::Number { variable } => variable,
            _ => unreachable!("the verifier keeps hidden locals apart"),
        })
    }

    /// Whether no range in the slot has a step of its own.
    fn counts_by_one(&mut self, slot: u32) -> bool {
        let function = self.function;
        let stepping = self.stepping.get_or_insert_with(|| {
            let slots = function.code.iter().filter_map(|op| match *op {
                Op::RangeStart { slot, argc: 3.. } => Some(slot),
                _ => None,
            });
            slots.collect()
        });
        !stepping.contains(&slot)
    }

    pub fn range_start(&mut self, slot: u32, argc: u32) {
        let [next, end, step] = self.range_variables(slot);
        let first = self.stack.len() - argc as usize;
        let ints = self.stack[first..]
            .iter()
            .all(|entry| entry.class == Class::Int);
        if ints && argc < 3 {
            let words: Vec<Value> = self.stack[first..]
                .iter()
                .map(|entry| entry.word())
                .collect();
            self.stack.truncate(first);
            let one = self.iconst(1);
            let zero = self.iconst(0);
            let (from, to) = if argc == 1 {
                (zero, words[0])
            } else {
                (words[0], words[1])
            };
            self.set_word(next, from);
            self.set_word(end, to);
            self.set_word(step, one);
            return;
        }
        let args = self.pop_to_memory(argc as usize);
        let out = self.range_room();
        let count = self.iconst(i64::from(argc));
        self.call_raising(Helper::RangeStart, &[self.ctx, out, args, count]);
        for (part, variable) in [next, end, step].into_iter().enumerate() {
            let word = self.load_word(out, 8 * part);
            self.set_word(variable, word);
        }
    }

    /// Room for three ints.
    fn range_room(&mut self) -> Value {
        let data = cranelift_codegen::ir::StackSlotData::new(
            cranelift_codegen::ir::StackSlotKind::ExplicitSlot,
            24,
            4,
        );
        let slot = self.builder.create_sized_stack_slot(data);
        self.builder.ins().stack_addr(types::I64, slot, 0)
    }

    pub fn range_next(&mut self, slot: u32, to: u32) {
        self.record(Decision::Counts);
        let go_on = self.builder.create_block();
        self.count_range(slot, to, go_on);
        self.begin_turn(slot, to, go_on);
        let [next, end, step] = self.range_variables(slot);
        let current = self.word_of(next);
        let following = if self.counts_by_one(slot) {
            // Below the end, so one more can't overflow.
            self.builder.ins().iadd_imm_s(current, 1)
        } else {
            let (by, limit) = (self.word_of(step), self.word_of(end));
            let (sum, overflow) = self.builder.ins().sadd_overflow(current, by);
            self.builder.ins().select(overflow, limit, sum)
        };
        self.set_word(next, following);
        self.push(Entry::borrowed(
            Type::of(Tags::INT),
            Class::Int,
            &[current],
            Owner::Entry,
        ));
    }

    /// Goes on in the block of a loop's turn, to which a jump back goes at once
    /// if it finds that there is more.
    pub fn begin_turn(&mut self, slot: u32, to: u32, go_on: Block) {
        let head = self.pc.wrapping_sub(1);
        let has_head = matches!(
            self.function.code.get(head as usize),
            Some(Op::LoopHead { .. })
        );
        if has_head && self.stack.is_empty() {
            self.rotated.insert(head, Rotated { slot, to, go_on });
            self.builder.switch_to_block(go_on);
        } else {
            self.switch_sealed(go_on);
        }
    }

    /// Jumps back to a loop's head, or over it.
    pub fn jump_back(&mut self, head: u32) {
        let Some(rotated) = self.rotated.get(&head).copied() else {
            return self.jump_to(head);
        };
        if !self.stack.is_empty() {
            return self.jump_to(head);
        }
        match self.walks.get(&rotated.slot).copied() {
            Some(walk) => {
                let other = self.block_at(head);
                self.branch_if_more(walk, rotated.go_on, other);
            }
            None => self.count_range(rotated.slot, rotated.to, rotated.go_on),
        }
    }

    /// Goes on if the range in a slot has more numbers, else to the instruction
    /// `to`.
    fn count_range(&mut self, slot: u32, to: u32, go_on: Block) {
        let [next, end, step] = self.range_variables(slot);
        let (current, limit) = (self.word_of(next), self.word_of(end));
        let up = self
            .builder
            .ins()
            .icmp(IntCC::SignedLessThan, current, limit);
        let more = if self.counts_by_one(slot) {
            up
        } else {
            let by = self.word_of(step);
            let down = self
                .builder
                .ins()
                .icmp(IntCC::SignedGreaterThan, current, limit);
            let rising = self
                .builder
                .ins()
                .icmp_imm_s(IntCC::SignedGreaterThan, by, 0);
            self.builder.ins().select(rising, up, down)
        };
        let args = self.block_args(to);
        let target = self.block_at(to);
        self.builder.ins().brif(more, go_on, &[], target, &args);
    }
}
