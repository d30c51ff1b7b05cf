//! Places behind fields and keys: `root.f[i].g = v` and the like, in place.
//!
//! A struct that surely has a field has it at a known offset.  While every
//! level on the way is nobody else's, what is at the end is changed where it
//! lies; everything else is the helper's.

use super::dict::is_key;
use super::flat::Form;
use super::func::{Translator, trusted};
use super::local::Home;
use super::record::{load_fields, store_fields};
use super::signature::{self, Class, Fields};
use super::stack::{Entry, Owner};
use super::view::View;
use crate::infer::{Tags, Type, element_of};
use crate::modules::Table;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{MethodSite, Operator, Path, Step, VarKind};
use ruff_runtime::heap::Elements;
use ruff_runtime::heap::record::FIELDS_OFFSET;
use ruff_runtime::value::Tag;

/// The last step to a place.
#[derive(Clone, Copy)]
enum Last {
    /// The offset of a field.
    Field(i32),
    /// Of an array; the index among the operands.
    Element(usize),
    /// Of a dict; the key among the operands.
    Entry(usize),
}

/// A way to a place that leads through fields which are surely there.
#[derive(Clone)]
pub(super) struct Way {
    /// The levels from the root on, the last one aside.
    inner: Vec<Last>,
    /// What the levels are, the root first.
    levels: Vec<Type>,
    last: Last,
    /// What the place holds.
    holds: Type,
}

/// The way to a flat struct in an array.
struct Around {
    way: Way,
    fields: Fields,
    /// The offset of the field that is meant, if it is one.
    field: i32,
}

impl Translator<'_, '_, '_> {
    /// The type of a path's root.
    pub fn root_type(&self, path: &Path) -> Type {
        let root = Path {
            steps: Vec::new(),
            ..path.clone()
        };
        self.path_type(&root)
    }

    /// The way to a place that leads through more than arrays, if all fields in it
    /// are known.
    pub fn way(&self, path: &Path) -> Option<Way> {
        let has_field = path.steps.iter().any(|step| matches!(step, Step::Field(_)));
        let has_dict = |way: &Way| way.levels.len() > 1 && way.levels.iter().any(is_dict);
        self.way_through(path)
            .filter(|way| has_field || has_dict(way))
    }

    /// The way to a place, if all fields in it are known.
    pub fn way_through(&self, path: &Path) -> Option<Way> {
        if path.root.kind() == VarKind::Local
            && let Home::Record { .. } | Home::Sum { .. } = self.homes[path.root.number() as usize]
        {
            return None;
        }
        let facts = self.source.facts;
        let mut holds = self.root_type(path);
        let mut levels = Vec::new();
        let mut steps = Vec::new();
        let mut index = 0;
        for (level, step) in path.steps.iter().enumerate() {
            levels.push(holds);
            // On the way it is asked what is there.
            if level > 0 {
                holds = holds.without(Tags::NULL);
            }
            match step {
                Step::Index if holds.is(Tags::ARRAY) => {
                    steps.push(Last::Element(index));
                    index += 1;
                    holds = element_of(holds);
                }
                Step::Index if holds.is(Tags::DICT) => {
                    steps.push(Last::Entry(index));
                    index += 1;
                    holds = element_of(holds);
                }
                Step::Field(name) if holds.is(Tags::STRUCT) => {
                    let declaration = holds.declaration()?;
                    let position = facts.position(declaration, *name)?;
                    steps.push(Last::Field((FIELDS_OFFSET + 16 * position) as i32));
                    holds = facts.structs[declaration as usize].fields[position];
                }
                _ => return None,
            }
        }
        let last = steps.pop()?;
        Some(Way {
            inner: steps,
            levels,
            last,
            holds,
        })
    }

    /// Goes to the innermost container on the way, which is nobody else's, or
    /// to `slow`.  The first index is at `indexes_at` among the operands.
    fn go(&mut self, path: &Path, way: &Way, indexes_at: usize, slow: Block) -> Value {
        let root = self.variable(path.root);
        let mut object = self.payload_word(root);
        self.expect_unique(object, slow);
        let mut view = self.view_of_root(path);
        for (step, next) in way.inner.iter().zip(&way.levels[1..]) {
            let values = Elements::Values;
            let (address, offset) = self.step_down(object, *step, (view, values), indexes_at, slow);
            view = None;
            let held = self.load_value(*next, address, offset, Owner::Shared);
            let tag = next.without(Tags::NULL).tags().single();
            object = self.expect_tag(held, tag.expect("a kind of container"), slow);
            self.expect_unique(object, slow);
        }
        object
    }

    /// Where what a step leads to lies, if it is there; else goes to `slow`.  The
    /// view is that of the object, if it is an array with one.
    fn step_down(
        &mut self,
        object: Value,
        step: Last,
        (view, elements): (Option<View>, Elements),
        indexes_at: usize,
        slow: Block,
    ) -> (Value, i32) {
        match step {
            Last::Field(offset) => (object, offset),
            Last::Element(index) => {
                let index = self.stack[indexes_at + index];
                let position = self.expect_tag(index, Tag::Int, slow);
                let address = self.checked_address(object, view, position, elements, slow);
                (address, 0)
            }
            Last::Entry(index) => {
                let key = self.stack[indexes_at + index];
                let place = match is_key(key) {
                    true => self.entry_place(object, key),
                    false => self.iconst(0),
                };
                let there = self.builder.create_block();
                self.builder.ins().brif(place, there, &[], slow, &[]);
                self.switch_sealed(there);
                (place, 0)
            }
        }
    }

    /// Gives the keys among the operands of a way back.
    fn release_keys(&mut self, way: &Way, indexes_at: usize) {
        for step in way.inner.iter().chain([&way.last]) {
            if let Last::Entry(index) = *step {
                self.release_entry(self.stack[indexes_at + index]);
            }
        }
    }

    /// The same for the way to a place whose array was changed.
    pub fn release_keys_to(&mut self, path: &Path, indexes_at: usize) {
        if let Some(way) = self.way_through(path) {
            self.release_keys(&way, indexes_at);
        }
    }

    /// Makes operands and what borrows from the root independent of it.
    pub fn own_before_change(&mut self, path: &Path, operands: usize) {
        for at in self.stack.len() - operands..self.stack.len() {
            self.stack[at] = self.own(self.stack[at]);
        }
        if path.root.kind() == VarKind::Local {
            self.own_borrows_from_slot(path.root.number());
        }
        // The helpers of the slow path may run code.
        self.own_borrows_from_shared();
    }

    /// `root… = v` behind fields; false if the way is not known.
    pub fn store_behind_fields(&mut self, number: u32, path: &Path, value_first: bool) -> bool {
        let Some(way) = self.way(path) else {
            return false;
        };
        let indexes = path.indexes() as usize;
        let first = self.stack.len() - indexes - 1;
        let (value_at, indexes_at) = if value_first {
            (first, first + 1)
        } else {
            (first + indexes, first)
        };
        let fields = self.fields_in_place(path, value_at);
        if fields.is_none() {
            self.make_objects(indexes + 1);
        }
        self.own_before_change(path, indexes + 1);
        let value = self.stack[value_at];
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let is_alike = match way.last {
            Last::Field(_) => Class::of(value.ty) == Class::of(way.holds),
            Last::Element(_) | Last::Entry(_) => {
                self.flat_fields(value.ty) == self.flat_fields(way.holds)
            }
        };
        if let Some(around) = self.flat_around(&way).filter(|_| is_alike) {
            let other = self.cold_block();
            let address = self.flat_address(path, &around, indexes_at, other);
            if let Last::Field(_) = way.last {
                let class = Class::of(way.holds);
                let words = self.in_class(value, class);
                self.store_flat_word(class, words[0], address, around.field);
            } else {
                let words = self.in_class(value, Class::Record(around.fields));
                self.store_flat(around.fields, &words, address);
            }
            self.release_keys(&way, indexes_at);
            self.builder.ins().jump(done, &[]);
            self.switch_sealed(other);
        }
        let object = self.go(path, &way, indexes_at, slow);
        match (fields, way.last) {
            (Some(fields), _) => {
                let found = self.struct_in(object, path, &way, indexes_at, slow);
                let words = self.in_class(value, value.class);
                store_fields(self.builder, fields, &words, found);
            }
            (None, Last::Field(offset)) => {
                self.expect_to_fit(value, object, slow);
                let old = self.load_value(way.holds, object, offset, Owner::Entry);
                self.store_value(value, object, offset);
                self.release_entry(old);
            }
            (None, Last::Element(index)) => {
                let index = self.stack[indexes_at + index];
                let position = self.expect_tag(index, Tag::Int, slow);
                self.store_checked((object, None, position), value, way.holds, slow);
            }
            (None, Last::Entry(index)) => {
                let key = self.stack[indexes_at + index];
                self.store_entry(object, key, value, slow);
            }
        }
        self.release_keys(&way, indexes_at);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.store_path_by_helper(number, path, value_first);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
        true
    }

    /// `root… op= v` on numbers behind fields, or in arrays within arrays; false if
    /// it is something else.
    pub fn update_behind_fields(&mut self, number: u32, path: &Path, operator: Operator) -> bool {
        let way = match path.steps.len() {
            1 => self.way(path),
            _ => self.way_through(path),
        };
        let Some(way) = way else {
            return false;
        };
        let right = self.stack[self.stack.len() - 1];
        let numbers = [Class::Int, Class::Float];
        let class = Class::of(way.holds);
        if !numbers.contains(&class) || !numbers.contains(&right.class) {
            return false;
        }
        let indexes = path.indexes() as usize;
        self.own_before_change(path, indexes + 1);
        let indexes_at = self.stack.len() - indexes - 1;
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let elements = Elements::for_tag(class.tag().expect("a number's class"));
        if let Some(around) = self.flat_around(&way) {
            let other = self.cold_block();
            let address = self.flat_address(path, &around, indexes_at, other);
            let memory = (address, around.field, self.of_elements(Elements::Structs));
            self.update_number(memory, class, operator, right);
            self.release_keys(&way, indexes_at);
            self.builder.ins().jump(done, &[]);
            self.switch_sealed(other);
        }
        let row = self.row_to_change(path, elements);
        let object = match row {
            Some((row, _)) => self.word_of(row),
            None => self.go(path, &way, indexes_at, slow),
        };
        let view = row.map(|(_, view)| view);
        let (address, offset) =
            self.step_down(object, way.last, (view, elements), indexes_at, slow);
        let memory = match way.last {
            Last::Field(_) | Last::Entry(_) => (address, offset + 8, trusted()),
            Last::Element(_) => (address, offset, self.of_elements(elements)),
        };
        self.update_number(memory, class, operator, right);
        self.release_keys(&way, indexes_at);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.update_path_by_helper(number, path, operator);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
        true
    }

    /// `place op= v` for a number in memory.
    fn update_number(
        &mut self,
        (address, offset, flags): (Value, i32, MemFlagsData),
        class: Class,
        operator: Operator,
        right: Entry,
    ) {
        let machine = class.words()[0];
        let old = self.builder.ins().load(machine, flags, address, offset);
        let old = match class {
            Class::Int => Entry::int(old),
            _ => Entry::float(old),
        };
        let result = self.operate(operator, old, right, false);
        self.builder
            .ins()
            .store(flags, result.word(), address, offset);
    }

    /// The way to the array around a place that is a flat struct, or a field of one.
    fn flat_around(&self, way: &Way) -> Option<Around> {
        let offset = match way.last {
            Last::Field(offset) => offset,
            Last::Entry(_) => return None,
            Last::Element(_) => {
                let fields = self.flat_fields(way.holds)?;
                let way = way.clone();
                return Some(Around {
                    way,
                    fields,
                    field: 0,
                });
            }
        };
        let (last, inner) = way.inner.split_last()?;
        let (holds, levels) = way.levels.split_last()?;
        let fields = self.flat_fields(*holds)?;
        let Last::Element(_) = last else { return None };
        let way = Way {
            inner: inner.to_vec(),
            levels: levels.to_vec(),
            last: *last,
            holds: *holds,
        };
        let field = (offset - FIELDS_OFFSET as i32) / 2;
        Some(Around { way, fields, field })
    }

    /// The address of a flat struct in an array that is nobody else's; goes to
    /// `slow` if there is none.
    fn flat_address(&mut self, path: &Path, around: &Around, at: usize, slow: Block) -> Value {
        let (way, form) = (&around.way, Form::Flat(around.fields));
        let Last::Element(index) = way.last else {
            unreachable!("it is an element of an array")
        };
        let (array, view) = if way.inner.is_empty() {
            let root = self.variable(path.root);
            let array = self.payload_word(root);
            let view = self.view_for_store(path, Some(form), array, slow);
            (array, view)
        } else {
            (self.go(path, way, at, slow), None)
        };
        let position = self.expect_tag(self.stack[at + index], Tag::Int, slow);
        self.checked_address(array, view, position, form, slow)
    }

    /// The address and offset of a place in a container that is nobody else's, or
    /// control goes to `slow`.
    pub fn place_at(
        &mut self,
        path: &Path,
        way: &Way,
        indexes_at: usize,
        slow: Block,
    ) -> (Value, i32) {
        let object = self.go(path, way, indexes_at, slow);
        let values = Elements::Values;
        self.step_down(object, way.last, (None, values), indexes_at, slow)
    }

    /// The array at a place behind fields or elements, for `push`: it is nobody
    /// else's, or control goes to `slow`.  `None` if the way is not known.
    pub fn array_behind(&mut self, path: &Path, indexes_at: usize, slow: Block) -> Option<Value> {
        let way = self
            .way_through(path)
            .filter(|way| way.holds.is(Tags::ARRAY))?;
        let (address, offset) = self.place_at(path, &way, indexes_at, slow);
        let array = self.load_word(address, offset as usize + 8);
        self.expect_unique(array, slow);
        Some(array)
    }

    /// Whether an array's place is known behind fields or elements.
    pub fn is_array_behind(&self, path: &Path) -> bool {
        self.way_through(path)
            .is_some_and(|way| way.holds.is(Tags::ARRAY))
    }

    /// The struct at the end of a way, in the innermost container on it; nobody
    /// else's, or control goes to `slow`.
    fn struct_in(
        &mut self,
        object: Value,
        path: &Path,
        way: &Way,
        at: usize,
        slow: Block,
    ) -> Value {
        let view = self.view_of_root(path).filter(|_| way.inner.is_empty());
        let values = Elements::Values;
        let (address, offset) = self.step_down(object, way.last, (view, values), at, slow);
        let found = self.load_word(address, offset as usize + 8);
        self.expect_unique(found, slow);
        found
    }

    /// A call of a method that changes the struct at a place of a local, or of a
    /// global that the method leaves alone; the struct is held as its fields
    /// meanwhile.  False if it is something else.  Nobody but this function can get
    /// at the place during the call.
    pub fn change_behind_fields(&mut self, number: u32, site: &MethodSite, func: u32) -> bool {
        let Some(path) = &site.place else {
            return false;
        };
        let facts = self.source.facts;
        let is_own = match path.root.kind() {
            VarKind::Local => true,
            VarKind::Global => facts.leaves_alone(func, path.root.number()),
            VarKind::Cell | VarKind::Capture => false,
        };
        let Some(way) = self.way_through(path).filter(|_| is_own) else {
            return false;
        };
        let Some(fields) = signature::self_fields(self.source.program, facts, func) else {
            return self.change_object_behind(number, site, func, &way);
        };
        let class = Class::Record(fields);
        if self.source.param_class(func, 0) != class {
            return false;
        }
        let operands = site.pops(self.source.program) as usize;
        self.own_before_change(path, operands);
        let ty = facts.functions[func as usize].result;
        let result = signature::result_class(facts, func);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in result.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let before = self.stack.clone();
        let at = self.stack.len() - operands;
        if let Some(around) = self.flat_around(&way) {
            let other = self.cold_block();
            let address = self.flat_address(path, &around, at, other);
            let words = self.load_flat(fields, address);
            let receiver = Entry::owned(Type::instance(fields.declaration), class, &words);
            let changed = self.call_direct(func, site.args.len(), Some(receiver));
            self.store_flat(fields, &changed, address);
            let value = self.pop();
            self.release_keys(&way, at);
            let words = self.in_class(value, result);
            self.jump_with(done, &words);
            self.switch_sealed(other);
            self.stack = before.clone();
        }
        let object = self.go(path, &way, at, slow);
        let found = self.struct_in(object, path, &way, at, slow);
        let words = load_fields(self.builder, fields, found);
        let receiver = Entry::owned(Type::instance(fields.declaration), class, &words);
        let changed = self.call_direct(func, site.args.len(), Some(receiver));
        store_fields(self.builder, fields, &changed, found);
        let value = self.pop();
        self.release_keys(&way, at);
        let words = self.in_class(value, result);
        self.jump_with(done, &words);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.stack = before;
        self.call_method_by_helper(number, site);
        let value = self.pop();
        let words = self.in_class(value, result);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.stack.truncate(at);
        self.push(Entry::owned(ty, result, &words));
        true
    }

    /// The same for a struct that is an object.  It is taken from its place meanwhile
    /// if nobody looks there even after an error; otherwise the method changes a copy.
    fn change_object_behind(
        &mut self,
        number: u32,
        site: &MethodSite,
        func: u32,
        way: &Way,
    ) -> bool {
        let Some(path) = &site.place else {
            return false;
        };
        let facts = self.source.facts;
        let class = Class::Object(Tag::Struct);
        if self.source.param_class(func, 0) != class {
            return false;
        }
        let operands = site.pops(self.source.program) as usize;
        self.own_before_change(path, operands);
        let known = &facts.functions[func as usize];
        let (ty, self_ty) = (known.result, known.self_result);
        let result = signature::result_class(facts, func);
        let (slow, deeper) = (self.cold_block(), self.cold_block());
        let (stored, done) = (self.builder.create_block(), self.builder.create_block());
        for word in result.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let before = self.stack.clone();
        let at = self.stack.len() - operands;
        let container = self.go(path, way, at, slow);
        let values = Elements::Values;
        let (address, offset) = self.step_down(container, way.last, (None, values), at, slow);
        let held = self.load_value(way.holds, address, offset, Owner::Shared);
        let found = self.expect_tag(held, Tag::Struct, slow);
        let receiver = Entry::borrowed(facts.param(func, 0), class, &[found], Owner::Shared);
        let receiver = match site.take {
            true => {
                self.store_value(Entry::null(), address, offset);
                Entry::owned(receiver.ty, class, &[found])
            }
            false => self.own(receiver),
        };
        self.call_direct(func, site.args.len(), Some(receiver));
        let changed = self.take_self_result(self_ty);
        self.expect_to_fit(changed, container, deeper);
        if !site.take {
            self.release_object(found);
        }
        self.store_value(changed, address, offset);
        self.builder.ins().jump(stored, &[]);
        // All around it becomes deeper.
        self.switch_sealed(deeper);
        self.store_receiver_by_helper(number, path, at, changed);
        self.builder.ins().jump(stored, &[]);
        self.switch_sealed(stored);
        let value = self.pop();
        self.release_keys(way, at);
        let words = self.in_class(value, result);
        self.jump_with(done, &words);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.stack = before;
        self.call_method_by_helper(number, site);
        let value = self.pop();
        let words = self.in_class(value, result);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.stack.truncate(at);
        self.push(Entry::owned(ty, result, &words));
        true
    }

    /// Stores what a method made of its receiver; the indexes stay on the stack.
    fn store_receiver_by_helper(&mut self, site: u32, path: &Path, at: usize, changed: Entry) {
        let count = path.indexes() as usize;
        let indexes = self.scratch(count);
        for index in 0..count {
            self.store_value(self.stack[at + index], indexes, 16 * index as i32);
        }
        let (tag, payload) = self.both_words(changed);
        let place = self.place_for_helper(path.root, 0);
        let site = self.number(Table::MethodSites, site);
        let args = [self.ctx, site, place, indexes, tag, payload];
        let status = self.call_helper(Helper::StoreReceiver, &args)[0];
        self.reload_place(path.root, 0);
        self.raise_if(status);
    }

    /// Reads a place whose steps are indexes of arrays, by ints, keys of dicts and
    /// fields that are surely there; `None` if it is something else.  What the keys
    /// own is given back.
    pub fn read_behind_fields(&mut self, path: &Path, indexes_at: usize) -> Option<Entry> {
        if path.steps.is_empty() {
            return None;
        }
        let facts = self.source.facts;
        let mut ty = self.root_type(path);
        let mut indexes = 0;
        for step in &path.steps {
            match step {
                Step::Index if ty.is(Tags::ARRAY) => {
                    if self.stack[indexes_at + indexes].class != Class::Int {
                        return None;
                    }
                    indexes += 1;
                    ty = element_of(ty);
                }
                Step::Index if ty.is(Tags::DICT) => {
                    if !is_key(self.stack[indexes_at + indexes]) {
                        return None;
                    }
                    indexes += 1;
                    ty = element_of(ty);
                }
                Step::Field(name) if ty.is(Tags::STRUCT) => {
                    let declaration = ty.declaration()?;
                    let position = facts.position(declaration, *name)?;
                    ty = facts.structs[declaration as usize].fields[position];
                }
                _ => return None,
            }
        }
        match path.root.kind() {
            VarKind::Local => self.load_local(path.root.number()),
            _ => self.load_shared(path.root),
        }
        let mut index = indexes_at;
        for (number, step) in path.steps.iter().enumerate() {
            match step {
                Step::Index => {
                    self.push(self.stack[index]);
                    index += 1;
                    self.index_for(match path.steps.get(number + 1) {
                        Some(Step::Field(name)) => Some(*name),
                        _ => None,
                    });
                }
                Step::Field(name) => self.field(*name),
            }
        }
        Some(self.pop())
    }
}

fn is_dict(level: &Type) -> bool {
    level.without(Tags::NULL).is(Tags::DICT)
}

/// Whether a value adds no level to what contains it.
pub(super) fn has_no_depth(ty: Type) -> bool {
    ty.is(Tags::UNCOUNTED.union(Tags::STRING).without(Tags::UNSET))
}
