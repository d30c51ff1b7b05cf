//! Fields: at a known offset when the struct is known, else by helper.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, field_of};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::StructInfo;
use ruff_runtime::context::DECLARED_SHAPES_OFFSET;
use ruff_runtime::heap::record::{FIELDS_OFFSET, SHAPE_OFFSET};
use ruff_runtime::names::NameId;
use ruff_runtime::value::Tag;

impl Translator<'_, '_, '_> {
    /// The position of a field in a struct that an entry surely is.
    pub fn field_position(&self, ty: Type, name: NameId) -> Option<(u32, usize)> {
        let declaration = ty.declaration().filter(|_| ty.is(Tags::STRUCT))?;
        if self.source.facts.may_be_method(ty, name) {
            // An absent field gives way to a method, which is a fresh value.
            return None;
        }
        let fields = &self.source.program.structs[declaration as usize].fields;
        Some((declaration, fields.iter().position(|field| *field == name)?))
    }

    /// The shape of a declaration's own fields.
    pub fn declared_shape(&mut self, declaration: u32) -> Value {
        let table = self.load_context_constant(DECLARED_SHAPES_OFFSET);
        let (row, offset) = self.row(table, Table::Structs, declaration, (8, 0));
        let flags = trusted().with_readonly().with_can_move();
        self.builder.ins().load(types::I64, flags, row, offset)
    }

    pub fn field(&mut self, name: NameId) {
        let whole = self.stack[self.stack.len() - 1];
        if let Some(field) = self.field_of_words(whole, name) {
            self.record(Decision::FieldInRegister);
            self.pop();
            self.push(field);
            return;
        }
        // It has no such field; what looks for it wants an object.
        self.make_objects(1);
        let object = self.pop();
        if self.regular_field(object, name) {
            self.record(Decision::FieldInObject);
            return;
        }
        if self.field_if_struct(object, name) {
            self.record(Decision::FieldInObject);
            return;
        }
        let ty = self.field_type(object.ty, name);
        let known = self.field_position(object.ty, name);
        let Some((declaration, position)) = known.or_else(|| self.likely_field(object, name))
        else {
            self.record(Decision::ByRuntime);
            let words = self.field_by_helper(object, name);
            self.release_entry(object);
            self.push_words(ty, &words);
            return;
        };
        self.record(Decision::FieldIfShape);
        let (fast, slow, done) = (
            self.builder.create_block(),
            self.cold_block(),
            self.builder.create_block(),
        );
        let pointer = match known {
            Some(_) => self.payload_word(object),
            None => self.expect_tag(object, Tag::Struct, slow),
        };
        let shape = self.load_word(pointer, SHAPE_OFFSET);
        let declared = self.declared_shape(declaration);
        let same = self.builder.ins().icmp(IntCC::Equal, shape, declared);
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        self.builder.ins().brif(same, fast, &[], slow, &[]);
        self.switch_sealed(fast);
        let offset = (FIELDS_OFFSET + 16 * position) as i32;
        let tag = self
            .builder
            .ins()
            .load(types::I64, trusted(), pointer, offset);
        let payload = self
            .builder
            .ins()
            .load(types::I64, trusted(), pointer, offset + 8);
        let absent = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, tag, Tag::Unset as u64 as i64);
        // An owned object goes away after the read, so its field needs an owner.
        // So does what the helper gives where it may be a method.
        let keeps = object.owner != Owner::Entry && known.is_some();
        if keeps {
            self.builder.ins().brif(
                absent,
                slow,
                &[],
                done,
                &[BlockArg::Value(tag), BlockArg::Value(payload)],
            );
        } else {
            let take = self.builder.create_block();
            self.builder.ins().brif(absent, slow, &[], take, &[]);
            self.switch_sealed(take);
            let entry = self.entry_from_words(ty, tag, payload, Owner::Slot(u32::MAX));
            self.own(entry);
            self.builder
                .ins()
                .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
        }
        self.switch_sealed(slow);
        let words = self.field_by_helper(object, name);
        if keeps {
            self.keep_borrowed_result(ty, &words);
        }
        self.builder.ins().jump(
            done,
            &[BlockArg::Value(words[0]), BlockArg::Value(words[1])],
        );
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.release_entry(object);
        let owner = if keeps { object.owner } else { Owner::Entry };
        let entry = self.entry_from_words(ty, params[0], params[1], owner);
        self.push(entry);
    }

    /// Where a field is in the struct that something of unknown kind most likely is:
    /// the one whose method this is, or the only one with such a field.  Only code
    /// that is not made for a whole program has to guess.
    fn likely_field(&self, object: Entry, name: NameId) -> Option<(u32, usize)> {
        let may_be = object.class == Class::Dynamic && object.ty.may_be(Tags::STRUCT);
        if self.source.alone.is_none() || !may_be {
            return None;
        }
        let structs = &self.source.program.structs;
        let position = |info: &StructInfo| info.fields.iter().position(|field| *field == name);
        let with_field = (0u32..).zip(structs);
        let mut with_field =
            with_field.filter_map(|(number, info)| Some((number, position(info)?)));
        let is_own = |(number, _): &(u32, usize)| {
            let methods = &structs[*number as usize].methods;
            methods.iter().any(|(_, func)| *func == self.func)
        };
        if let Some(own) = with_field.clone().find(is_own) {
            return Some(own);
        }
        let only = with_field.next()?;
        with_field.next().is_none().then_some(only)
    }

    /// A field of a struct that surely has it, at a known place; false if
    /// that is not known.
    fn regular_field(&mut self, object: Entry, name: NameId) -> bool {
        let declaration = object.ty.declaration();
        let declaration = declaration.filter(|_| object.ty.is(Tags::STRUCT));
        let facts = self.source.facts;
        let Some((declaration, position)) =
            declaration.and_then(|known| Some((known, facts.position(known, name)?)))
        else {
            return false;
        };
        let ty = facts.structs[declaration as usize].fields[position];
        let pointer = self.payload_word(object);
        let offset = (FIELDS_OFFSET + 16 * position) as i32;
        let keeper = match object.owner {
            Owner::Entry => Owner::Slot(u32::MAX),
            other => other,
        };
        let mut field = self.load_value(ty, pointer, offset, keeper);
        if object.owner == Owner::Entry {
            // The object goes away, so its field needs an owner.
            field = self.own(field);
            self.release_entry(object);
        }
        self.push(field);
        true
    }

    /// The same of what is such a struct or no struct at all; false if that is not
    /// known.
    fn field_if_struct(&mut self, object: Entry, name: NameId) -> bool {
        let may_be = object.ty.may_be(Tags::STRUCT);
        let declaration = object.ty.declaration().filter(|_| may_be);
        let facts = self.source.facts;
        let Some((declaration, position)) =
            declaration.and_then(|known| Some((known, facts.position(known, name)?)))
        else {
            return false;
        };
        if object.class != Class::Dynamic {
            return false;
        }
        let ty = self.field_type(object.ty, name);
        let class = Class::of(ty);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let keeps = object.owner != Owner::Entry;
        let keeper = match object.owner {
            Owner::Entry => Owner::Slot(u32::MAX),
            other => other,
        };
        let pointer = self.expect_tag(object, Tag::Struct, slow);
        let held = facts.structs[declaration as usize].fields[position];
        let offset = (FIELDS_OFFSET + 16 * position) as i32;
        let mut field = self.load_value(held, pointer, offset, keeper);
        if !keeps {
            // The object goes away, so its field needs an owner.
            field = self.own(field);
            self.release_object(pointer);
        }
        let words = self.in_class(field, class);
        self.jump_with(done, &words);
        self.switch_sealed(slow);
        let words = self.field_by_helper(object, name);
        if keeps {
            self.keep_borrowed_result(ty, &words);
        } else {
            self.release_entry(object);
        }
        let words = self.narrowed(class, words[0], words[1]);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        let owner = if keeps { object.owner } else { Owner::Entry };
        self.push(Entry::borrowed(ty, class, &words, owner));
        true
    }

    /// The helper gives a count that the fast path does not; the object that
    /// the result came from keeps it alive as well, so it is given back.
    pub fn keep_borrowed_result(&mut self, ty: Type, words: &[Value]) {
        let entry = self.entry_from_words(ty, words[0], words[1], Owner::Entry);
        self.release_entry(entry);
    }

    /// What reading a field gives, methods included.
    fn field_type(&self, object: Type, name: NameId) -> Type {
        let is_method = self.source.facts.may_be_method(object, name);
        if is_method && object.may_be(Tags::STRUCT.union(Tags::STRUCT_DEF)) {
            return Type::ANY;
        }
        field_of(self.source.facts, object, name)
    }

    fn field_by_helper(&mut self, object: Entry, name: NameId) -> Vec<Value> {
        let (tag, payload) = self.both_words(object);
        let id = self.number(Table::Names, name);
        // The operand is not on the stack any more, but must not leak.
        self.push(object);
        let words = self.call_raising(Helper::Field, &[self.ctx, tag, payload, id]);
        self.pop();
        words
    }

    pub fn optional_field(&mut self, name: NameId) {
        self.record(Decision::ByRuntime);
        let object = self.pop();
        let ty = self
            .field_type(object.ty, name)
            .joined(Type::of(Tags::NULL));
        let (tag, payload) = self.both_words(object);
        let id = self.number(Table::Names, name);
        let words = self.call_helper(Helper::OptionalField, &[self.ctx, tag, payload, id]);
        self.release_entry(object);
        self.push_words(ty, &words);
    }

    pub fn field_or_unset(&mut self, name: NameId) {
        let object = self.pop();
        let (tag, payload) = self.both_words(object);
        let id = self.number(Table::Names, name);
        let words = self.call_helper(Helper::FieldOrUnset, &[tag, payload, id]);
        self.release_entry(object);
        self.push_words(Type::ANY.joined(Type::of(Tags::UNSET)), &words);
    }
}
