//! Generators: a body that leaves at each `yield` and comes back behind it.
//!
//! While the generator waits, slots and operands are values in its frame; while
//! it runs they are in registers like any function's.

use super::func::{Translator, trusted};
use super::layout::{Holding, SlotSet};
use super::local::Home;
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use cranelift_frontend::Switch;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Op;
use ruff_runtime::heap::GeneratorState;
use ruff_runtime::heap::generator::{
    FRAME_OFFSET, FUNCTION_OFFSET, LEN_OFFSET, POSITION_OFFSET, RESUME_OFFSET, STATE_OFFSET,
};
use ruff_runtime::value::{RAISED, Tag};

impl Translator<'_, '_, '_> {
    /// The prologue of a generator's body: takes the frame over and goes to
    /// where it left.
    pub fn enter_generator(&mut self, generator: Value) {
        let slots = self.function.slots;
        let started = std::mem::replace(
            &mut self.holding,
            Holding {
                maybe: SlotSet::new(slots),
                surely: SlotSet::new(slots),
            },
        );
        self.check_depth();
        self.holding = started;
        self.enter_trace();
        let position = self.load_word(generator, POSITION_OFFSET);
        self.set_state(generator, GeneratorState::Running);
        let frame = self
            .builder
            .ins()
            .iadd_imm_s(generator, FRAME_OFFSET as i64);
        self.generator = Some((generator, frame));
        self.callee = Some(self.load_word(generator, FUNCTION_OFFSET));
        self.mirror_surroundings();
        self.receive_slots(frame);
        let fresh = self.builder.create_block();
        let mut switch = Switch::new();
        let yields = (0..self.function.code.len() as u32)
            .filter(|pc| self.function.code[*pc as usize] == Op::Yield {});
        for (number, pc) in yields.enumerate() {
            let block = self.builder.create_block();
            self.resumptions.insert(pc, block);
            switch.set_entry(number as u128 + 1, block);
        }
        switch.emit(self.builder, position, fresh);
        self.switch_sealed(fresh);
        self.box_params(frame);
        let first = self.block_at(self.pc);
        self.builder.ins().jump(first, &[]);
    }

    /// Captured parameters come as plain values and go into cells.
    fn box_params(&mut self, frame: Value) {
        for slot in 0..self.function.info.params.len() as u32 {
            let Home::Cell { .. } = self.homes[slot as usize] else {
                continue;
            };
            let (tag, payload) = (
                self.load_word(frame, 16 * slot as usize),
                self.load_word(frame, 16 * slot as usize + 8),
            );
            let cell = self.call_helper(Helper::NewCell, &[tag, payload]);
            self.define(slot, &cell);
        }
    }

    /// Leaves with the top as the next value; goes on here when asked again.
    pub fn yield_top(&mut self) {
        self.own_all();
        let value = self.pop_owned();
        let (generator, frame) = self.generator.expect("only generators yield");
        let slots = self.function.slots as usize;
        for slot in 0..slots as u32 {
            self.save_slot(slot, frame);
        }
        for index in 0..self.stack.len() {
            let offset = 16 * (slots + index) as i32;
            self.store_value(self.stack[index], frame, offset);
        }
        let resumption = self.resumptions[&self.pc];
        let number = self.iconst(1 + self.yields_before() as i64);
        self.builder
            .ins()
            .store(trusted(), number, generator, POSITION_OFFSET as i32);
        self.set_len(generator, slots + self.stack.len());
        self.set_state(generator, GeneratorState::Suspended);
        let (tag, payload) = self.both_words(value);
        self.builder.ins().return_(&[tag, payload]);
        self.builder.switch_to_block(resumption);
        for index in 0..self.stack.len() {
            let offset = 16 * (slots + index) as i32;
            let ty = self.stack[index].ty;
            self.stack[index] = self.load_value(ty, frame, offset, Owner::Entry);
        }
        self.push(Entry::null());
    }

    /// How many `yield`s stand before this instruction.
    pub fn yields_before(&self) -> usize {
        let before = &self.function.code[..self.pc as usize];
        before.iter().filter(|op| **op == Op::Yield {}).count()
    }

    /// Writes what a slot holds to the frame as a value.
    fn save_slot(&mut self, slot: u32, frame: Value) {
        let offset = 16 * slot as i32;
        let (tag, payload) = match self.homes[slot as usize] {
            Home::Value {
                class: Class::Dynamic,
                first,
                second,
                ..
            } => (self.word_of(first), self.word_of(second)),
            Home::Value {
                class: Class::Object(tag),
                first,
                ..
            } => self.object_or_unset(first, tag),
            Home::Cell { variable } => self.object_or_unset(variable, Tag::Cell),
            Home::Value { class, first, .. } => {
                let words: Vec<Value> = (0..class.words().len())
                    .map(|_| self.word_of(first))
                    .collect();
                let entry = Entry::owned(self.slot_type(slot), class, &words);
                self.both_words(entry)
            }
            Home::Record { .. } | Home::Sum { .. } => {
                unreachable!("a generator holds objects")
            }
            Home::Number { variable } => (self.tag_word(Tag::Int), self.word_of(variable)),
            Home::Nowhere => unreachable!("a frame that is saved keeps its generators"),
            Home::Memory { room, part } => {
                let address = self.address_in(room, 16 * part as i32);
                (self.load_word(address, 0), self.load_word(address, 8))
            }
        };
        self.builder.ins().store(trusted(), tag, frame, offset);
        self.builder
            .ins()
            .store(trusted(), payload, frame, offset + 8);
    }

    /// An object's words, or those of an empty slot if the pointer is null.
    fn object_or_unset(
        &mut self,
        variable: cranelift_frontend::Variable,
        tag: Tag,
    ) -> (Value, Value) {
        let object = self.word_of(variable);
        let empty = self.builder.ins().icmp_imm_u(IntCC::Equal, object, 0);
        let (unset, tag) = (self.tag_word(Tag::Unset), self.tag_word(tag));
        (self.builder.ins().select(empty, unset, tag), object)
    }

    /// The end of a generator's body; its value counts for nothing.
    pub fn return_from_generator(&mut self, entry: Entry) {
        self.release_entry(entry);
        self.finish_generator();
        let (unset, zero) = (self.tag_word(Tag::Unset), self.iconst(0));
        self.builder.ins().return_(&[unset, zero]);
    }

    /// Notes that the generator, if this is one, has come to its end.
    pub fn finish_generator(&mut self) {
        if let Some((generator, _)) = self.generator {
            self.set_state(generator, GeneratorState::Finished);
        }
    }

    fn set_state(&mut self, generator: Value, state: GeneratorState) {
        self.store_half(generator, STATE_OFFSET, state as i64);
    }

    fn set_len(&mut self, generator: Value, len: usize) {
        self.store_half(generator, LEN_OFFSET, len as i64);
    }

    fn store_half(&mut self, object: Value, offset: usize, value: i64) {
        let value = self.builder.ins().iconst(types::I32, value);
        self.builder
            .ins()
            .store(trusted(), value, object, offset as i32);
    }

    /// Lets a generator that may be asked run to its next `yield`; gives the two
    /// words of what it hands over.  Goes to `slow` if it may not be asked, and
    /// at its end.
    pub fn resume_generator(&mut self, generator: Value, slow: Block) -> (Value, Value) {
        let state = self
            .builder
            .ins()
            .uload32(trusted(), generator, STATE_OFFSET as i32);
        let waits = self.builder.create_block();
        let can_go_on = self.builder.ins().icmp_imm_u(
            IntCC::UnsignedLessThanOrEqual,
            state,
            GeneratorState::Suspended as i64,
        );
        self.builder.ins().brif(can_go_on, waits, &[], slow, &[]);
        self.switch_sealed(waits);
        let resume = self.load_word(generator, RESUME_OFFSET);
        let signature = self
            .builder
            .import_signature(signature::resume(self.source.isa));
        let args = [self.ctx, self.callee_trace, generator];
        let call = self.builder.ins().call_indirect(signature, resume, &args);
        let (tag, payload) = {
            let results = self.builder.inst_results(call);
            (results[0], results[1])
        };
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, tag, RAISED as i64);
        self.raise_if(raised);
        let yielded = self.builder.create_block();
        let at_end = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, tag, Tag::Unset as i64);
        self.builder.ins().brif(at_end, slow, &[], yielded, &[]);
        self.switch_sealed(yielded);
        (tag, payload)
    }
}
