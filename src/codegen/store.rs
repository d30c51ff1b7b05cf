//! Stores through paths: in place where every level is nobody else's and the value
//! fits, else by helper.

use super::decision::Decision;
use super::flat::Form;
use super::func::{Translator, trusted};
use super::place::has_no_depth;
use super::record::store_fields;
use super::signature::{Class, Fields};
use super::stack::{Entry, Owner};
use super::view::View;
use crate::infer::{Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Path, Step, VarKind};
use ruff_runtime::heap::{DEPTH_OFFSET, Elements};
use ruff_runtime::value::{FIRST_COUNTED, Tag};

impl Translator<'_, '_, '_> {
    /// The value is below the indexes (`value_first`) or above them.
    pub fn store_path(&mut self, number: u32, value_first: bool) {
        let path = &self.source.program.paths[number as usize];
        if self.store_field_of_words(path) {
            self.record(Decision::FieldInRegister);
            return;
        }
        if self.store_in_dict(number, path, value_first) {
            self.record(Decision::InPlace);
            return;
        }
        let in_arrays = path.steps.iter().all(|step| matches!(step, Step::Index));
        if in_arrays && path.steps.len() <= 3 && self.way(path).is_none() {
            self.store_element(number, path, value_first);
            return;
        }
        if self.store_behind_fields(number, path, value_first) {
            self.record(Decision::InPlace);
        } else {
            self.record(Decision::ByRuntime);
            self.store_path_by_helper(number, path, value_first);
        }
    }

    pub fn store_path_by_helper(&mut self, number: u32, path: &Path, value_first: bool) {
        let count = path.indexes() as usize + 1;
        let values = self.pop_to_memory(count);
        let place = self.place_for_helper(path.root, 0);
        let id = self.number(Table::Paths, number);
        let helper = if value_first {
            Helper::StorePath
        } else {
            Helper::StorePathUnder
        };
        let status = self.call_helper(helper, &[self.ctx, place, id, values])[0];
        self.reload_place(path.root, 0);
        self.raise_if(status);
    }

    /// `root[i] = v`, `root[i][j] = v`, …: in place while every level is
    /// nobody else's and the element fits.
    fn store_element(&mut self, number: u32, path: &Path, value_first: bool) {
        let steps = path.steps.len();
        let first = self.stack.len() - steps - 1;
        let value_at = if value_first { first } else { first + steps };
        let indexes_at = if value_first { first + 1 } else { first };
        self.take_apart_for(path, value_at);
        let fields = self.fields_in_place(path, value_at);
        if fields.is_none() {
            self.make_objects(steps + 1);
        }
        // From here on both paths see the same owners.
        for at in first..self.stack.len() {
            self.stack[at] = self.own(self.stack[at]);
        }
        match path.root.kind() {
            VarKind::Local => self.own_borrows_from_slot(path.root.number()),
            _ => self.own_borrows_from_shared(),
        }
        let root = self.variable(path.root);
        let value = self.stack[value_at];
        if !root.ty.may_be(Tags::ARRAY)
            || !root.ty.without(Tags::ARRAY).is_none() && root.class != Class::Dynamic
        {
            self.record(Decision::ByRuntime);
            self.store_path_by_helper(number, path, value_first);
            return;
        }
        self.record(match value.class {
            _ if fields.is_some() => Decision::InPlace,
            Class::Int | Class::Float | Class::Bool => Decision::InPlace,
            Class::Object(_) => Decision::InPlace,
            Class::Dynamic | Class::Null => Decision::AsksKind,
            Class::Character | Class::Record(_) | Class::Sum(_) => Decision::ByRuntime,
        });
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        if fields.is_none()
            && let Some(elements) = stored_elements(value, self.path_type(path))
            && let Some((row, view)) = self.row_to_change(path, elements)
        {
            let row = self.word_of(row);
            let position = self.stack[indexes_at + 1];
            let position = self.expect_tag(position, Tag::Int, slow);
            let held = self.path_type(path);
            self.store_checked((row, Some(view), position), value, held, slow);
        } else {
            if let Some(fields) = fields.filter(|_| self.flat_fields(value.ty).is_some()) {
                let (other, flat) = (self.cold_block(), Form::Flat(fields));
                self.store_on_way(path, (root, indexes_at), value, Some((fields, flat)), other);
                self.builder.ins().jump(done, &[]);
                self.switch_sealed(other);
            }
            let fields = fields.map(|fields| (fields, Form::Of(Elements::Values)));
            self.store_on_way(path, (root, indexes_at), value, fields, slow);
        }
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.store_path_by_helper(number, path, value_first);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Goes from the root, whose indexes are at that place among the operands, to
    /// the element and stores it; to `slow` where that can't be done in place.  A
    /// struct's fields are overwritten in an array where they lie so.
    fn store_on_way(
        &mut self,
        path: &Path,
        (root, indexes_at): (Entry, usize),
        value: Entry,
        fields: Option<(Fields, Form)>,
        slow: Block,
    ) {
        let steps = path.steps.len();
        let mut array = self.expect_tag(root, Tag::Array, slow);
        let elements = match fields {
            _ if steps > 1 => Some(Form::Of(Elements::Values)),
            Some((_, form)) => Some(form),
            None => stored_elements(value, self.path_type(path)).map(Form::Of),
        };
        let view = self.view_for_store(path, elements, array, slow);
        for step in 0..steps {
            let index = self.stack[indexes_at + step];
            let position = self.expect_tag(index, Tag::Int, slow);
            let view = view.filter(|_| step == 0);
            if step + 1 < steps {
                let address = self.checked_address(array, view, position, Elements::Values, slow);
                let tag = self.builder.ins().load(types::I64, trusted(), address, 0);
                let is_array =
                    self.builder
                        .ins()
                        .icmp_imm_u(IntCC::Equal, tag, Tag::Array as u64 as i64);
                let next = self.builder.create_block();
                self.builder.ins().brif(is_array, next, &[], slow, &[]);
                self.switch_sealed(next);
                array = self.builder.ins().load(types::I64, trusted(), address, 8);
                self.expect_unique(array, slow);
            } else if let Some((fields, form)) = fields {
                let address = self.checked_address(array, view, position, form, slow);
                let words = self.in_class(value, value.class);
                if let Form::Flat(_) = form {
                    self.store_flat(fields, &words, address);
                } else {
                    let held = self.load_word(address, 8);
                    self.expect_unique(held, slow);
                    store_fields(self.builder, fields, &words, held);
                }
            } else {
                let held = self.path_type(path);
                self.store_checked((array, view, position), value, held, slow);
            }
        }
        if steps == 1 && path.root.kind() == VarKind::Local {
            // It may have been a row that was looked up.
            self.renew_rows(path.root.number());
        }
    }

    /// The fields of a value that is taken apart, if the place where it goes
    /// always holds such a struct: then that one is overwritten.
    pub fn fields_in_place(&self, path: &Path, value_at: usize) -> Option<Fields> {
        let Class::Record(fields) = self.stack[value_at].class else {
            return None;
        };
        let held = self.path_type(path);
        let is_same = held.is(Tags::STRUCT) && held.declaration() == Some(fields.declaration);
        is_same.then_some(fields)
    }

    /// Takes a struct apart that goes where the same fields can be overwritten:
    /// copies of numbers are better than an object with two owners, which would
    /// have to be copied as soon as one of them changes it.
    fn take_apart_for(&mut self, path: &Path, value_at: usize) {
        let value = self.stack[value_at];
        let held = self.path_type(path);
        if value.class != Class::Object(Tag::Struct)
            || !held.is(Tags::STRUCT)
            || held.declaration() != value.ty.declaration()
        {
            return;
        }
        let class = self.class_of(value.ty);
        if let Class::Record(_) = class {
            let words = self.in_class(value, class);
            self.stack[value_at] = Entry::owned(value.ty, class, &words);
        }
    }

    /// The view of the array, if there is one, through which an element of such
    /// a kind is changed.  Goes to `slow` if the array may have other owners, or
    /// will when no element is found.
    pub fn view_for_store(
        &mut self,
        path: &Path,
        elements: Option<Form>,
        array: Value,
        slow: Block,
    ) -> Option<View> {
        let found = self.store_view(path, elements);
        if !found.is_some_and(|found| found.is_unique) {
            self.expect_unique(array, slow);
        }
        found.map(|found| found.view)
    }

    /// Goes to `slow` unless the object has just one owner.
    pub fn expect_unique(&mut self, object: Value, slow: Block) {
        let count = self.load_count(object);
        let unique = self.builder.ins().icmp_imm_s(IntCC::Equal, count, 1);
        let next = self.builder.create_block();
        self.builder.ins().brif(unique, next, &[], slow, &[]);
        self.switch_sealed(next);
    }

    /// The address of an element; goes to `slow` if there is none, or if the
    /// array has another kind.
    pub fn checked_address(
        &mut self,
        array: Value,
        view: Option<View>,
        position: Value,
        form: impl Into<Form>,
        slow: Block,
    ) -> Value {
        let form = form.into();
        match view.filter(|view| view.elements == form) {
            Some(view) => self.viewed_address(view, position, slow),
            None => {
                self.check_bounds(array, position, slow);
                self.expect_elements(array, form, slow);
                self.element_address(array, position, form)
            }
        }
    }

    /// Stores an owned value into an element that can hold such a type, if it is
    /// there, fits the array's kind and makes the array no deeper.
    pub fn store_checked(
        &mut self,
        (array, view, position): (Value, Option<View>, Value),
        value: Entry,
        held: Type,
        slow: Block,
    ) {
        let flat = Tags::NUMBER.union(Tags::BOOL);
        match value.class {
            Class::Int | Class::Float | Class::Bool if Class::of(held) == value.class => {
                let tag = value.class.tag().expect("a scalar class");
                let elements = Elements::for_tag(tag);
                let address = self.checked_address(array, view, position, elements, slow);
                let flags = self.of_elements(elements);
                self.builder.ins().store(flags, value.word(), address, 0);
            }
            Class::Character | Class::Record(_) | Class::Sum(_) => {
                self.builder.ins().jump(slow, &[]);
                let dead = self.builder.create_block();
                self.switch_sealed(dead);
            }
            _ if value.ty.may_be(flat) => self.store_by_kind((array, position), value, held, slow),
            _ => {
                let address = self.checked_address(array, view, position, Elements::Values, slow);
                self.expect_to_fit(value, array, slow);
                self.replace_value(address, 0, value, held);
            }
        }
    }

    /// The same for a value that may be a number, where an array of any kind may
    /// be.
    fn store_by_kind(
        &mut self,
        (array, position): (Value, Value),
        value: Entry,
        held: Type,
        slow: Block,
    ) {
        self.check_bounds(array, position, slow);
        let kind = self.element_kind(array);
        let [whole, flat, done] = [(); 3].map(|()| self.builder.create_block());
        // `Values` is 0.
        self.builder.ins().brif(kind, flat, &[], whole, &[]);
        self.switch_sealed(flat);
        let (tag, payload) = self.both_words(value);
        if value.class == Class::Bool {
            let is_bools = self.iconst(Elements::Bools as u8 as i64);
            let kind = self.builder.ins().uextend(types::I64, kind);
            self.continue_if(IntCC::Equal, kind, is_bools, slow);
            let address = self.element_address(array, position, Elements::Bools);
            let flags = self.of_elements(Elements::Bools);
            self.builder.ins().store(flags, value.word(), address, 0);
        } else {
            // `Ints` and `Floats` follow each other, and so do their tags.
            let number = self
                .builder
                .ins()
                .iadd_imm_s(tag, -(Tag::Int as u64 as i64));
            let limit = self.iconst(1);
            self.continue_if(IntCC::UnsignedLessThanOrEqual, number, limit, slow);
            let kind = self.builder.ins().uextend(types::I64, kind);
            let kind = self
                .builder
                .ins()
                .iadd_imm_s(kind, -(Elements::Ints as u8 as i64));
            self.continue_if(IntCC::Equal, number, kind, slow);
            let address = self.element_address(array, position, Elements::Ints);
            let flags = self.of_elements(Elements::Ints);
            self.builder.ins().store(flags, payload, address, 0);
        }
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(whole);
        self.expect_to_fit(value, array, slow);
        let address = self.element_address(array, position, Elements::Values);
        self.replace_value(address, 0, value, held);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Stores an owned value over another one, which is of such a type.
    pub fn replace_value(&mut self, address: Value, offset: i32, value: Entry, held: Type) {
        let old = self.load_value(held, address, offset, Owner::Entry);
        self.store_value(value, address, offset);
        self.release_entry(old);
    }

    /// Goes to `slow` if a value has as many levels as the container that it shall
    /// be in, or more: that and what it is in would become deeper.
    pub fn expect_to_fit(&mut self, value: Entry, container: Value, slow: Block) {
        if has_no_depth(value.ty) {
            return;
        }
        let outer = self.depth(container);
        self.expect_shallower(value, outer, slow);
    }

    /// Goes to `slow` if a value has as many levels as that, or more.
    pub fn expect_shallower(&mut self, value: Entry, limit: Value, slow: Block) {
        match value.class {
            Class::Object(Tag::String) => {}
            Class::Object(_) => {
                let depth = self.depth(value.word());
                self.continue_if(IntCC::UnsignedLessThan, depth, limit, slow);
            }
            Class::Dynamic => {
                let (tag, payload) = value.pair();
                let (ask, done) = (self.builder.create_block(), self.builder.create_block());
                let first = FIRST_COUNTED as i64;
                let counted = IntCC::UnsignedGreaterThanOrEqual;
                let counted = self.builder.ins().icmp_imm_u(counted, tag, first);
                self.builder.ins().brif(counted, ask, &[], done, &[]);
                self.switch_sealed(ask);
                let depth = self.depth(payload);
                self.continue_if(IntCC::UnsignedLessThan, depth, limit, slow);
                self.builder.ins().jump(done, &[]);
                self.switch_sealed(done);
            }
            Class::Null
            | Class::Int
            | Class::Float
            | Class::Bool
            | Class::Character
            | Class::Record(_)
            | Class::Sum(_) => {}
        }
    }

    /// An upper bound of the levels of containers in an object.
    fn depth(&mut self, object: Value) -> Value {
        self.builder
            .ins()
            .uload16(types::I64, trusted(), object, DEPTH_OFFSET as i32)
    }
}

/// The kind of elements that `store_checked` stores a value into where such a type
/// is held, if it is the same for all arrays.
fn stored_elements(value: Entry, held: Type) -> Option<Elements> {
    match value.class {
        Class::Int | Class::Float | Class::Bool => {
            let tag = value.class.tag().expect("a scalar class");
            (Class::of(held) == value.class).then_some(Elements::for_tag(tag))
        }
        Class::Character | Class::Record(_) | Class::Sum(_) => None,
        Class::Null | Class::Object(_) | Class::Dynamic => {
            let flat = Tags::NUMBER.union(Tags::BOOL);
            (!value.ty.may_be(flat)).then_some(Elements::Values)
        }
    }
}
