//! Loops over arrays: position and elements in registers.
//!
//! A loop owns its array, so nothing changes that meanwhile: where the elements
//! are and how many there are is looked up once.  The loop's hidden locals keep
//! the array; the position in them is up to date only for the helper, which
//! gives the elements of arrays that are of another kind than expected.

use super::flat::Form;
use super::func::{Translator, trusted};
use super::record::load_fields;
use super::signature::Class;
use super::stack::{Entry, Owner};
use super::view::has_views;
use crate::infer::Type;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::abi::Helper;
use ruff_runtime::heap::Elements;
use ruff_runtime::value::Tag;

/// Where the array and the position are in a loop's hidden locals, in bytes.
const ARRAY: usize = 8;
const POSITION: usize = 24;

/// The variables of a loop over an array.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    position: Variable,
    /// The address of the first element.
    data: Variable,
    /// How many there are, or 0 if they are of another kind.
    limit: Variable,
    form: Form,
}

impl Translator<'_, '_, '_> {
    /// Makes the variables of the loop in a slot if it is always over an array
    /// with elements of one kind.
    pub fn plan_walk(&mut self, slot: u32) {
        let form = self.viewed_form(self.slot_type(slot));
        if let Some(form) = form.filter(|_| has_views(self.start)) {
            let [position, data, limit] = [(); 3].map(|()| self.declare_word(types::I64));
            let walk = Walk {
                position,
                data,
                limit,
                form,
            };
            self.walks.insert(slot, walk);
        }
    }

    /// Begins a walk whose array and position are in the hidden locals.
    pub fn start_walk(&mut self, walk: Walk, state: Value) {
        let array = self.load_word(state, ARRAY);
        let position = self.load_word(state, POSITION);
        let is_expected = self.has_form(array, walk.form);
        let data = self.array_data(array);
        let len = BlockArg::Value(self.array_len(array));
        let zero = BlockArg::Value(self.iconst(0));
        // As a parameter of a block with two ways to it the limit is there once
        // and for all.
        let done = self.builder.create_block();
        let limit = self.builder.append_block_param(done, types::I64);
        self.builder
            .ins()
            .brif(is_expected, done, &[len], done, &[zero]);
        self.switch_sealed(done);
        self.set_word(walk.position, position);
        self.set_word(walk.data, data);
        self.set_word(walk.limit, limit);
    }

    /// Takes over a walk that the interpreter may have begun in the slot.
    pub fn resume_walk(&mut self, slot: u32) {
        let Some(walk) = self.walks.get(&slot).copied() else {
            return;
        };
        let zero = self.iconst(0);
        for variable in [walk.position, walk.data, walk.limit] {
            self.set_word(variable, zero);
        }
        let state = self.loop_state(slot);
        let (begun, done) = (self.builder.create_block(), self.builder.create_block());
        let (tag, wanted) = (self.load_word(state, 0), self.tag_word(Tag::Array));
        let is_array = self.builder.ins().icmp(IntCC::Equal, tag, wanted);
        self.builder.ins().brif(is_array, begun, &[], done, &[]);
        self.switch_sealed(begun);
        self.start_walk(walk, state);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Pushes the next element, or goes to the instruction `to` at the end.
    pub fn walk_on(&mut self, slot: u32, to: u32, ty: Type, walk: Walk) {
        let class = match walk.form {
            Form::Flat(fields) => Class::Record(fields),
            Form::Of(_) => Class::of(ty),
        };
        let (go_on, slow, done) = (
            self.builder.create_block(),
            self.cold_block(),
            self.builder.create_block(),
        );
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        self.branch_if_more(walk, go_on, slow);
        self.switch_sealed(slow);
        let words = self.next_of_other_kind((slot, to), (ty, class), walk);
        self.jump_with(done, &words);
        self.begin_turn(slot, to, go_on);
        let (data, position) = (self.word_of(walk.data), self.word_of(walk.position));
        let offset = self.element_offset(position, walk.form);
        let address = self.builder.ins().iadd(data, offset);
        let words = self.load_viewed(class, address);
        self.own(Entry::borrowed(ty, class, &words, Owner::Shared));
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        let position = self.word_of(walk.position);
        let next = self.builder.ins().iadd_imm_s(position, 1);
        self.set_word(walk.position, next);
        self.push(Entry::owned(ty, class, &words));
    }

    /// Goes to the first block if the walk has more elements of the expected
    /// kind, else to the second.
    pub fn branch_if_more(&mut self, walk: Walk, go_on: Block, other: Block) {
        let (position, limit) = (self.word_of(walk.position), self.word_of(walk.limit));
        let more = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, position, limit);
        self.builder.ins().brif(more, go_on, &[], other, &[]);
    }

    /// What follows in an array of another kind; leaves the loop at the end.
    fn next_of_other_kind(
        &mut self,
        (slot, to): (u32, u32),
        (ty, class): (Type, Class),
        walk: Walk,
    ) -> Vec<Value> {
        let state = self.loop_state(slot);
        let array = self.load_word(state, ARRAY);
        let position = self.word_of(walk.position);
        let len = self.array_len(array);
        let more = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, position, len);
        let (ask, end) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(more, ask, &[], end, &[]);
        self.switch_sealed(end);
        let null = Entry::null();
        self.store_value(null, state, 0);
        self.release_object(array);
        self.jump_to(to);
        self.switch_sealed(ask);
        let done = self.cold_block();
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        if let Form::Flat(fields) = walk.form {
            // Objects, which are only looked at.
            let other = self.cold_block();
            self.expect_elements(array, Elements::Values, other);
            let address = self.element_address(array, position, Elements::Values);
            let object = self.load_word(address, 8);
            let words = load_fields(self.builder, fields, object);
            self.jump_with(done, &words);
            self.switch_sealed(other);
        }
        self.builder
            .ins()
            .store(trusted(), position, state, POSITION as i32);
        let words = self.call_raising(Helper::IterNext, &[self.ctx, state]);
        let element = self.entry_from_words(ty, words[0], words[1], Owner::Entry);
        let words = self.in_class(element, class);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        self.builder.block_params(done).to_vec()
    }
}
