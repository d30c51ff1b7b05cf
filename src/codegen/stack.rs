//! The virtual operand stack: SSA values, what they are, and who owns them.
//!
//! Loading a variable does not count: the entry borrows from it until something
//! needs an owner or the variable is about to change.  Elements read out of a
//! borrowed container borrow from the same variable.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::record::load_fields;
use super::signature::{Class, MOST_WORDS};
use super::sum::load_sum;
use crate::infer::{Tags, Type};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use ruff_runtime::value::Tag;

/// Who keeps an entry's object alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The entry itself (or nobody needs to: it is not counted).
    Entry,
    /// The variable in a slot.
    Slot(u32),
    /// A variable that other code can change: a global or a cell.
    Shared,
    /// Something that lives longer than the function's activation: a value captured
    /// for good.
    Function,
    /// The program: a literal, or a function that captures nothing.  Such objects are
    /// immortal, and nobody counts their owners.
    Program,
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub ty: Type,
    pub class: Class,
    words: [Option<Value>; MOST_WORDS],
    pub owner: Owner,
    /// Whether it is all that the slot it borrows from holds.
    is_whole: bool,
}

impl Entry {
    /// An entry that owns what it holds.
    pub fn owned(ty: Type, class: Class, words: &[Value]) -> Entry {
        debug_assert_eq!(words.len(), class.words().len());
        let mut all = [None; MOST_WORDS];
        for (place, word) in all.iter_mut().zip(words) {
            *place = Some(*word);
        }
        Entry {
            ty,
            class,
            words: all,
            owner: Owner::Entry,
            is_whole: false,
        }
    }

    pub fn borrowed(ty: Type, class: Class, words: &[Value], owner: Owner) -> Entry {
        Entry {
            owner,
            ..Entry::owned(ty, class, words)
        }
    }

    /// The same entry, which is all that the slot it borrows from holds.
    pub fn whole(self) -> Entry {
        Entry {
            is_whole: true,
            ..self
        }
    }

    /// The slot that holds just what this is, as long as it borrows from it.
    pub fn whole_slot(&self) -> Option<u32> {
        match self.owner {
            Owner::Slot(slot) if self.is_whole => Some(slot),
            _ => None,
        }
    }

    pub fn int(value: Value) -> Entry {
        Entry::owned(Type::of(Tags::INT), Class::Int, &[value])
    }

    pub fn float(value: Value) -> Entry {
        Entry::owned(Type::of(Tags::FLOAT), Class::Float, &[value])
    }

    pub fn bool(value: Value) -> Entry {
        Entry::owned(Type::of(Tags::BOOL), Class::Bool, &[value])
    }

    pub fn null() -> Entry {
        Entry::owned(Type::of(Tags::NULL), Class::Null, &[])
    }

    /// The one word of an int, float, bool or object.
    pub fn word(&self) -> Value {
        debug_assert!(!matches!(
            self.class,
            Class::Dynamic | Class::Record(_) | Class::Sum(_)
        ));
        self.words[0].expect("a class with a word")
    }

    /// Tag and payload of a dynamic value.
    pub fn pair(&self) -> (Value, Value) {
        debug_assert!(self.class == Class::Dynamic);
        (
            self.words[0].expect("a tag"),
            self.words[1].expect("a payload"),
        )
    }

    /// All its words.
    pub fn all_words(&self) -> Vec<Value> {
        self.words.into_iter().flatten().collect()
    }

    /// Whether giving it up means giving a count back.
    pub fn is_counted(&self) -> bool {
        self.owner == Owner::Entry && self.may_hold_object()
    }

    /// Whether it may hold an object at all.
    fn may_hold_object(&self) -> bool {
        match self.class {
            Class::Object(_) => true,
            Class::Dynamic => self.ty.may_be_counted(),
            Class::Sum(sum) => sum.is_counted && self.ty.contents().may_be_counted(),
            Class::Null
            | Class::Int
            | Class::Float
            | Class::Bool
            | Class::Character
            | Class::Record(_) => false,
        }
    }
}

impl Translator<'_, '_, '_> {
    pub fn push(&mut self, entry: Entry) {
        self.stack.push(entry);
    }

    pub fn pop(&mut self) -> Entry {
        self.stack.pop().expect("the verifier checked stack depths")
    }

    /// Pushes a value of a type in two words, as helpers return it.
    pub fn push_words(&mut self, ty: Type, words: &[Value]) {
        let entry = self.entry_from_words(ty, words[0], words[1], Owner::Entry);
        self.push(entry);
    }

    /// An entry for a value in two words whose type is known.
    pub fn entry_from_words(
        &mut self,
        ty: Type,
        tag: Value,
        payload: Value,
        owner: Owner,
    ) -> Entry {
        let class = Class::of(ty);
        let words = self.narrowed(class, tag, payload);
        Entry::borrowed(ty, class, &words, owner)
    }

    /// Narrows two words to a class that the value is known to have.
    pub fn narrowed(&mut self, class: Class, tag: Value, payload: Value) -> Vec<Value> {
        match class {
            Class::Null => vec![],
            Class::Int | Class::Object(_) => vec![payload],
            Class::Float => {
                vec![
                    self.builder
                        .ins()
                        .bitcast(types::F64, MemFlagsData::new(), payload),
                ]
            }
            Class::Bool => vec![self.builder.ins().ireduce(types::I8, payload)],
            Class::Dynamic => vec![tag, payload],
            Class::Character => vec![self.bytes_of_character(payload)],
            Class::Record(fields) => load_fields(self.builder, fields, payload),
            Class::Sum(sum) => load_sum(self.builder, sum, payload),
        }
    }

    /// An entry's words in another class: wider, or one it is known to have.
    /// They own what the entry owned.
    pub fn in_class(&mut self, entry: Entry, class: Class) -> Vec<Value> {
        if entry.class == class {
            return entry.all_words();
        }
        if let Class::Sum(sum) = class {
            return self.sum_words(sum, entry);
        }
        if let Class::Character = class {
            return vec![self.in_character(entry)];
        }
        if let Class::Record(_) = class {
            let object = self.payload_word(entry);
            let words = self.narrowed(class, object, object);
            self.release_entry(entry);
            return words;
        }
        let (tag, payload) = self.both_words(entry);
        self.narrowed(class, tag, payload)
    }

    /// Tag and payload words of an entry.
    pub fn both_words(&mut self, entry: Entry) -> (Value, Value) {
        match entry.class {
            Class::Dynamic => entry.pair(),
            class => {
                let tag = self.tag_word(class.tag().expect("only dynamic values lack a tag"));
                (tag, self.payload_word(entry))
            }
        }
    }

    /// The payload word of an entry.
    pub fn payload_word(&mut self, entry: Entry) -> Value {
        match entry.class {
            Class::Null => self.iconst(0),
            Class::Int | Class::Object(_) => entry.word(),
            Class::Float => {
                self.builder
                    .ins()
                    .bitcast(types::I64, MemFlagsData::new(), entry.word())
            }
            Class::Bool => self.builder.ins().uextend(types::I64, entry.word()),
            Class::Dynamic => entry.pair().1,
            Class::Character => self.character_string(entry.word()),
            Class::Record(fields) => self.new_object(fields, entry),
            Class::Sum(sum) => self.variant_object(sum, entry),
        }
    }

    /// Makes an entry own what it holds.
    pub fn own(&mut self, entry: Entry) -> Entry {
        if entry.owner == Owner::Entry {
            return entry;
        }
        if entry.may_hold_object() && entry.owner != Owner::Program {
            if entry.owner != Owner::Function {
                self.record(Decision::Shares);
            }
            self.retain_entry(entry);
        }
        Entry {
            owner: Owner::Entry,
            ..entry
        }
    }

    /// An entry's words in a class, owned.  A struct or variant that is taken apart
    /// needs no owner itself.
    pub fn owned_in_class(&mut self, entry: Entry, class: Class) -> Vec<Value> {
        let entry = match class {
            Class::Record(_) | Class::Character => entry,
            Class::Sum(_) => {
                let words = self.in_class(entry, class);
                self.own(Entry::borrowed(entry.ty, class, &words, entry.owner))
            }
            _ => self.own(entry),
        };
        self.in_class(entry, class)
    }

    /// Pops an operand that its user takes over.
    pub fn pop_owned(&mut self) -> Entry {
        let entry = self.pop();
        self.own(entry)
    }

    /// Makes entries that borrow from a slot independent of it.
    pub fn own_borrows_from_slot(&mut self, slot: u32) {
        self.own_borrows(|owner| owner == Owner::Slot(slot));
    }

    /// Makes entries that borrow from globals or cells independent of them.
    pub fn own_borrows_from_shared(&mut self) {
        self.own_borrows(|owner| owner == Owner::Shared);
    }

    /// Makes every entry independent of variables.
    pub fn own_all(&mut self) {
        self.own_borrows(|_| true);
    }

    fn own_borrows(&mut self, concerned: impl Fn(Owner) -> bool) {
        for index in 0..self.stack.len() {
            if concerned(self.stack[index].owner) {
                self.stack[index] = self.own(self.stack[index]);
            }
        }
    }

    /// Writes an entry to memory as a value.
    pub fn store_value(&mut self, entry: Entry, address: Value, offset: i32) {
        let (tag, payload) = self.both_words(entry);
        self.builder.ins().store(trusted(), tag, address, offset);
        self.builder
            .ins()
            .store(trusted(), payload, address, offset + 8);
    }

    /// Pops `count` operands into memory, the deepest first; whoever gets the
    /// address takes them over.
    pub fn pop_to_memory(&mut self, count: usize) -> Value {
        let address = self.scratch(count);
        self.pop_to(address, 0, count);
        address
    }

    /// Pops `count` operands into memory, the deepest first, from a place on.
    pub fn pop_to(&mut self, address: Value, offset: i32, count: usize) {
        let first = self.stack.len() - count;
        for index in 0..count {
            let entry = self.own(self.stack[first + index]);
            self.store_value(entry, address, offset + 16 * index as i32);
        }
        self.stack.truncate(first);
    }

    /// Reads a value from memory; it borrows from `owner`.
    pub fn load_value(&mut self, ty: Type, address: Value, offset: i32, owner: Owner) -> Entry {
        let class = Class::of(ty);
        // What lives as long as the function never changes (`emit/hoist.rs`).
        let flags = match owner {
            Owner::Function | Owner::Program => trusted().with_readonly(),
            Owner::Entry | Owner::Slot(_) | Owner::Shared => trusted(),
        };
        let mut load = |ty, offset| self.builder.ins().load(ty, flags, address, offset);
        let words: Vec<Value> = match class {
            Class::Null => vec![],
            Class::Int | Class::Object(_) => vec![load(types::I64, offset + 8)],
            Class::Float => vec![load(types::F64, offset + 8)],
            Class::Bool => {
                let word = load(types::I64, offset + 8);
                vec![self.builder.ins().ireduce(types::I8, word)]
            }
            Class::Dynamic => vec![load(types::I64, offset), load(types::I64, offset + 8)],
            Class::Character | Class::Record(_) | Class::Sum(_) => {
                unreachable!("memory holds objects")
            }
        };
        Entry::borrowed(ty, class, &words, owner)
    }

    /// Whether an entry is known to have this tag.
    pub fn is(&self, entry: Entry, tag: Tag) -> bool {
        entry.class.tag() == Some(tag)
    }
}
