//! Arrays that get longer or shorter in place: `push` and `pop`.

use super::decision::Decision;
use super::flat::Form;
use super::func::Translator;
use super::place::has_no_depth;
use super::signature::{self, Class, Fields};
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{ArgKind, BuiltinSite, MethodSite, Op, Path, VarKind};
use ruff_runtime::heap::Elements;
use ruff_runtime::value::Tag;

impl Translator<'_, '_, '_> {
    /// `xs = push(xs, v)`, `xs.push(v)`: inline while there is room in an array of v's
    /// kind.  The new array is not pushed.
    pub fn push_element(&mut self, place: &Path, change: Change) {
        let root = self.variable(place.root);
        let is_root = place.steps.is_empty();
        let indexes_at = self.stack.len() - 1 - place.indexes() as usize;
        let held = self.path_type(place);
        let value = self.stack[self.stack.len() - 1];
        if let Some(fields) = self.flat_fields(held.contents())
            && self.flat_fields(value.ty) == Some(fields)
            && held.may_be(Tags::ARRAY)
        {
            self.push_flat(place, change, fields);
            return;
        }
        self.own_before_change(place, place.indexes() as usize + 1);
        let value = self.stack[self.stack.len() - 1];
        let elements = pushed_elements(value).filter(|_| !is_root || root.ty.may_be(Tags::ARRAY));
        let Some(elements) = elements else {
            if is_root && root.ty.is(Tags::ARRAY) {
                self.record(Decision::InPlace);
            } else {
                self.record(Decision::ByRuntime);
            }
            self.change_by_helper(place, change);
            return;
        };
        self.record(Decision::InPlace);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let array = self.array_to_change(place, indexes_at, slow);
        self.expect_elements(array, elements, slow);
        let (word, tag) = match elements {
            Elements::Ints => (self.expect_tag(value, Tag::Int, slow), None),
            Elements::Floats | Elements::Bools => (value.word(), None),
            Elements::Values | Elements::Structs => {
                self.expect_to_fit(value, array, slow);
                let (tag, payload) = self.both_words(value);
                (payload, Some(tag))
            }
        };
        let len = self.array_len(array);
        let more = self.builder.ins().iadd_imm_s(len, 1);
        let bytes = self.element_offset(more, elements);
        let room = self.array_room(array);
        self.continue_if(IntCC::UnsignedLessThanOrEqual, bytes, room, slow);
        let address = self.element_address(array, len, elements);
        let flags = self.of_elements(elements);
        let at = match tag {
            Some(tag) => {
                self.builder.ins().store(flags, tag, address, 0);
                8
            }
            None => 0,
        };
        self.builder.ins().store(flags, word, address, at);
        self.set_array_len(array, more);
        self.renew_rows_of(place);
        self.release_keys_to(place, indexes_at);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.change_by_helper(place, change);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// The same for a struct that lies flat in the array.
    fn push_flat(&mut self, place: &Path, change: Change, fields: Fields) {
        self.record(Decision::InPlace);
        let top = self.stack.len() - 1;
        let indexes_at = top - place.indexes() as usize;
        let (value, class) = (self.stack[top], Class::Record(fields));
        let words = self.in_class(value, class);
        self.stack[top] = Entry::owned(value.ty, class, &words);
        self.own_before_change(place, place.indexes() as usize + 1);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let array = self.array_to_change(place, indexes_at, slow);
        let form = Form::Flat(fields);
        self.expect_elements(array, form, slow);
        let len = self.array_len(array);
        let more = self.builder.ins().iadd_imm_s(len, 1);
        let bytes = self.element_offset(more, form);
        let room = self.array_room(array);
        self.continue_if(IntCC::UnsignedLessThanOrEqual, bytes, room, slow);
        let address = self.element_address(array, len, form);
        self.store_flat(fields, &words, address);
        self.set_array_len(array, more);
        self.renew_rows_of(place);
        self.release_keys_to(place, indexes_at);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(slow);
        self.mark_flat();
        if place.steps.is_empty() {
            self.push_by_helper(place);
        } else {
            self.change_by_helper(place, change);
        }
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Forgets what a variable held before the arguments above it were computed, if
    /// it surely holds that still: nothing was done that could change it, as long as
    /// the operand borrows from it.  False if that is not so.
    pub fn forget_early(&mut self, place: &Path, args: usize) -> bool {
        let at = self.stack.len() - args - 1;
        let keeper = match place.root.kind() {
            VarKind::Local => Owner::Slot(place.root.number()),
            _ => Owner::Shared,
        };
        let is_unchanged = place.steps.is_empty() && self.stack[at].owner == keeper;
        if is_unchanged {
            self.stack.remove(at);
        }
        is_unchanged
    }

    /// The array at a place, which is nobody else's, or control goes to `slow`.
    fn array_to_change(&mut self, place: &Path, indexes_at: usize, slow: Block) -> Value {
        if let Some(array) = self.array_behind(place, indexes_at, slow) {
            return array;
        }
        let root = self.variable(place.root);
        let array = self.expect_tag(root, Tag::Array, slow);
        self.expect_unique(array, slow);
        array
    }

    /// Takes account of another length of an array within an array.
    pub fn renew_rows_of(&mut self, place: &Path) {
        if !place.steps.is_empty() && place.root.kind() == VarKind::Local {
            self.renew_rows(place.root.number());
        }
    }

    fn change_by_helper(&mut self, place: &Path, change: Change) {
        let is_array = place.steps.is_empty() && self.root_type(place).may_be(Tags::ARRAY);
        match change {
            Change::Builtin(..) if is_array => self.push_by_helper(place),
            Change::Builtin(number, site) => self.mutate_by_helper(number, site),
            Change::Method(number, site) => {
                self.call_method_by_helper(number, site);
                let result = self.pop();
                self.release_entry(result);
            }
        }
    }

    fn push_by_helper(&mut self, place: &Path) {
        let value = self.pop_owned();
        let (tag, payload) = self.both_words(value);
        let at = self.place_for_helper(place.root, 0);
        let status = self.call_helper(Helper::Push, &[self.ctx, at, tag, payload])[0];
        self.reload_place(place.root, 0);
        self.raise_if(status);
    }

    /// `xs.push(v)`, `xs.pop()` on an array that is changed in place; false if it
    /// is something else.
    pub fn change_by_method(&mut self, number: u32, site: &MethodSite) -> bool {
        let Some(place) = &site.place else {
            return false;
        };
        let is_plain = site.args.iter().all(|arg| *arg == ArgKind::One);
        let is_root = place.steps.is_empty();
        let contents = self.path_type(place).contents();
        let is_flat = self.flat_fields(contents).is_some();
        let is_push = matches!(
            &*self.source.program.names[site.name as usize],
            "push" | "append"
        );
        let is_array = match is_root {
            true => self.root_type(place).is(Tags::ARRAY),
            false => self.is_array_behind(place),
        };
        if !is_plain || !is_array || site.immutable.is_some() {
            return false;
        }
        let may_forget = is_push && site.args.len() == 1 && is_flat;
        if site.early && !(may_forget && self.forget_early(place, 1)) {
            return false;
        }
        match (
            &*self.source.program.names[site.name as usize],
            site.args.len(),
        ) {
            ("push" | "append", 1) => {
                let next = self.pc + 1;
                let is_dropped = self.function.code.get(next as usize) == Some(&Op::Pop {});
                if !is_dropped && !is_root {
                    return false;
                }
                self.push_element(place, Change::Method(number, site));
                let result = match is_dropped {
                    true => Entry::null(),
                    false => self.variable(place.root),
                };
                self.push(result);
                true
            }
            ("pop", 0) => {
                self.pop_element(number, site, place);
                true
            }
            _ => false,
        }
    }

    /// `xs.pop()`: inline while there are elements.
    fn pop_element(&mut self, number: u32, site: &MethodSite, place: &Path) {
        self.record(Decision::InPlace);
        let indexes = place.indexes() as usize;
        let first = self.stack.len() - indexes;
        self.own_before_change(place, indexes);
        let contents = self.path_type(place).contents();
        // Nobody needs an object that is dropped at once.
        let next = self.pc as usize + 1;
        let is_dropped =
            self.function.code.get(next) == Some(&Op::Pop {}) && !self.layout.leaders[next];
        let (ty, class) = match self.point().is_filled && !is_dropped {
            true => (contents, signature::class_of(self.source.facts, contents)),
            false => {
                let ty = contents.joined(Type::of(Tags::NULL));
                (ty, Class::of(ty))
            }
        };
        let (slow, found, done) = (
            self.cold_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let from = Class::of(contents);
        for word in from.words().iter() {
            self.builder.append_block_param(found, *word);
        }
        let array = self.array_to_change(place, first, slow);
        let len = self.array_len(array);
        let zero = self.iconst(0);
        self.continue_if(IntCC::NotEqual, len, zero, slow);
        let last = self.builder.ins().iadd_imm_s(len, -1);
        if let Some(fields) = self.flat_fields(contents) {
            let other = self.cold_block();
            self.expect_elements(array, Form::Flat(fields), other);
            let address = self.element_address(array, last, Form::Flat(fields));
            let words = self.load_flat(fields, address);
            self.set_array_len(array, last);
            self.renew_rows_of(place);
            self.release_keys_to(place, first);
            let popped = match is_dropped {
                true => Entry::null(),
                false => Entry::owned(contents, Class::Record(fields), &words),
            };
            let words = self.in_class(popped, class);
            self.jump_with(done, &words);
            self.switch_sealed(other);
        }
        self.load_element(array, last, contents, true, slow, found);
        self.switch_sealed(found);
        // The element is the array's no more.
        self.set_array_len(array, last);
        self.renew_rows_of(place);
        self.release_keys_to(place, first);
        let words = self.builder.block_params(found).to_vec();
        let words = self.in_class(Entry::owned(contents, from, &words), class);
        self.jump_with(done, &words);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.call_method_by_helper(number, site);
        let result = self.pop();
        let words = self.in_class(result, class);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.push(Entry::owned(ty, class, &words));
    }
}

/// A change of an array at a place.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// By a built-in whose result is stored there.
    Builtin(u32, &'a BuiltinSite),
    /// By a method form, which gives the array.
    Method(u32, &'a MethodSite),
}

/// The kind of array that a value is pushed to inline.
fn pushed_elements(value: Entry) -> Option<Elements> {
    match value.class {
        Class::Int | Class::Float | Class::Bool => value.class.tag().map(Elements::for_tag),
        Class::Dynamic if value.ty.may_be(Tags::INT) => Some(Elements::Ints),
        Class::Object(_) => Some(Elements::Values),
        Class::Dynamic if has_no_depth(value.ty) => Some(Elements::Values),
        Class::Null | Class::Dynamic | Class::Character | Class::Record(_) | Class::Sum(_) => None,
    }
}
