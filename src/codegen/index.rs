//! Reading elements: flat and value arrays inline, the rest by helper.

use super::decision::Decision;
use super::flat::Form;
use super::func::Translator;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, element_of};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::heap::Elements;
use ruff_runtime::names::NameId;
use ruff_runtime::value::Tag;

impl Translator<'_, '_, '_> {
    pub fn index(&mut self) {
        let wanted = self.field_behind();
        self.index_for(wanted);
    }

    /// Takes an element, of which only one field is `wanted` if that is given.
    pub fn index_for(&mut self, wanted: Option<NameId>) {
        let index = self.stack[self.stack.len() - 1];
        let object = self.stack[self.stack.len() - 2];
        if object.class == Class::Object(Tag::String) && index.ty.may_be(Tags::INT) {
            self.record(match index.class {
                Class::Int => Decision::Element,
                _ => Decision::AsksKind,
            });
            self.index_text(object, index);
            return;
        }
        if object.class == Class::Object(Tag::Dict) && super::dict::is_key(index) {
            self.record(Decision::Element);
            self.index_dict(object, index);
            return;
        }
        let ty = element_of(object.ty);
        if let Some(row) = self.row_here()
            && object.whole_slot() == Some(row.root)
            && Class::of(ty) == Class::Object(Tag::Array)
        {
            let done = self.take_row(row);
            self.index_array(object, index, ty, None);
            let other = self.pop();
            self.jump_with(done, &[other.word()]);
            self.switch_sealed(done);
            let value = self.builder.block_params(done)[0];
            self.push_row(row, ty, value);
            return;
        }
        self.index_array(object, index, ty, wanted);
    }

    /// What may be an array, indexed by what may be an int.
    fn index_array(&mut self, object: Entry, index: Entry, ty: Type, wanted: Option<NameId>) {
        let array_like = object.ty.may_be(Tags::ARRAY)
            && matches!(object.class, Class::Object(Tag::Array) | Class::Dynamic);
        if !array_like || !index.ty.may_be(Tags::INT) {
            self.record(Decision::ByRuntime);
            self.index_by_helper(object, index, ty);
            return;
        }
        let view = self.view_of(object);
        self.record(match (view, object.class, index.class) {
            (_, Class::Dynamic, _) | (.., Class::Dynamic) => Decision::AsksKind,
            (Some(_), ..) => Decision::Viewed,
            (None, ..) => Decision::Element,
        });
        if let Some(fields) = self.flat_fields(ty) {
            self.index_flat((object, index), ty, fields, wanted);
            return;
        }
        // Elements stay alive through a container that somebody else keeps.
        // What a string gives is fresh, though, and so is an object of what lies
        // flat in an array.
        let keeps = object.owner != Owner::Entry
            && !self.may_lie_flat(ty)
            && !object.ty.may_be(Tags(!(Tags::ARRAY.0 | Tags::DICT.0)));
        let class = Class::of(ty);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        if let Some(view) = view {
            let position = self.expect_tag(index, Tag::Int, slow);
            let address = self.viewed_address(view, position, slow);
            let words = self.load_viewed(class, address);
            if !keeps {
                let entry = Entry::borrowed(ty, class, &words, Owner::Shared);
                self.own(entry);
            }
            self.jump_with(done, &words);
        } else {
            let array = self.expect_tag(object, Tag::Array, slow);
            let position = self.expect_tag(index, Tag::Int, slow);
            self.check_bounds(array, position, slow);
            self.load_element(array, position, ty, keeps, slow, done);
        }
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        let words = self.index_words(object, index);
        if keeps {
            self.keep_borrowed_result(ty, &words);
        }
        let words = self.narrowed(class, words[0], words[1]);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(index);
        self.release_entry(object);
        let owner = if keeps { object.owner } else { Owner::Entry };
        self.push(Entry::borrowed(ty, class, &words, owner));
    }

    pub fn jump_with(&mut self, block: Block, words: &[Value]) {
        let args: Vec<BlockArg> = words.iter().copied().map(BlockArg::Value).collect();
        self.builder.ins().jump(block, &args);
    }

    /// The payload of an entry that has this tag; otherwise goes to `slow`.
    pub fn expect_tag(&mut self, entry: Entry, tag: Tag, slow: Block) -> Value {
        if let Some(has) = self.has_tag(entry, tag) {
            let next = self.builder.create_block();
            self.builder.ins().brif(has, next, &[], slow, &[]);
            self.switch_sealed(next);
        }
        self.payload_word(entry)
    }

    /// Goes to `slow` unless `0 <= position < array.len`.
    pub fn check_bounds(&mut self, array: Value, position: Value, slow: Block) {
        let len = self.array_len(array);
        self.continue_if(IntCC::UnsignedLessThan, position, len, slow);
    }

    /// Goes to `slow` unless the comparison holds.
    pub fn continue_if(&mut self, condition: IntCC, left: Value, right: Value, slow: Block) {
        let holds = self.builder.ins().icmp(condition, left, right);
        let next = self.builder.create_block();
        self.builder.ins().brif(holds, next, &[], slow, &[]);
        self.switch_sealed(next);
    }

    /// The address of an element.
    pub fn element_address(
        &mut self,
        array: Value,
        position: Value,
        form: impl Into<Form>,
    ) -> Value {
        let data = self.array_data(array);
        let offset = self.element_offset(position, form);
        self.builder.ins().iadd(data, offset)
    }

    /// Loads an element that is in bounds and jumps to `done` with its words in
    /// its class.
    pub fn load_element(
        &mut self,
        array: Value,
        position: Value,
        ty: Type,
        keeps: bool,
        slow: Block,
        done: Block,
    ) {
        let class = Class::of(ty);
        let elements = match class {
            Class::Int => Elements::Ints,
            Class::Float => Elements::Floats,
            Class::Bool => Elements::Bools,
            Class::Null
            | Class::Object(_)
            | Class::Dynamic
            | Class::Character
            | Class::Record(_)
            | Class::Sum(_) => Elements::Values,
        };
        if class == Class::Dynamic && ty.may_be(Tags::NUMBER) {
            self.load_flat_number(array, position, done);
        }
        self.expect_elements(array, elements, slow);
        let address = self.element_address(array, position, elements);
        let words = self.load_viewed(class, address);
        if !keeps {
            let entry = Entry::borrowed(ty, class, &words, Owner::Shared);
            self.own(entry);
        }
        self.jump_with(done, &words);
    }

    /// Takes an element of a flat int or float array; goes on for other kinds.
    fn load_flat_number(&mut self, array: Value, position: Value, done: Block) {
        // `Ints` and `Floats` follow each other, and so do their tags.
        const _: () = assert!(Elements::Floats as u8 - Elements::Ints as u8 == 1);
        const _: () = assert!(Tag::Float as u64 - Tag::Int as u64 == 1);
        let kind = self.element_kind(array);
        let past = self
            .builder
            .ins()
            .iadd_imm_s(kind, -(Elements::Ints as u8 as i64));
        let flat = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, past, 1);
        let (number, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(flat, number, &[], next, &[]);
        self.switch_sealed(number);
        let wide = self.builder.ins().uextend(types::I64, past);
        let tag = self.builder.ins().iadd_imm_s(wide, Tag::Int as u64 as i64);
        let address = self.element_address(array, position, Elements::Ints);
        let flags = self.of_elements(Elements::Ints);
        let payload = self.builder.ins().load(types::I64, flags, address, 0);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
        self.switch_sealed(next);
    }

    /// The helper's answer; the operands stay on the stack.
    pub fn index_words(&mut self, object: Entry, index: Entry) -> Vec<Value> {
        let (object_tag, object_word) = self.both_words(object);
        let (index_tag, index_word) = self.both_words(index);
        self.call_raising(
            Helper::Index,
            &[self.ctx, object_tag, object_word, index_tag, index_word],
        )
    }

    fn index_by_helper(&mut self, object: Entry, index: Entry, ty: Type) {
        let words = self.index_words(object, index);
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(index);
        self.release_entry(object);
        self.push_words(ty, &words);
    }
}
