//! Arrays in which structs lie flat: nothing but their fields' words, 8 bytes each.
//!
//! Structs of which every field is an int, a float or a bool need no objects in
//! an array either.  Code that knows that an array holds nothing else makes it
//! flat where it makes it, or where it appends to an empty one.  The runtime, and
//! code that knows less, also makes arrays of objects; so whoever expects flat
//! structs asks for them, and otherwise goes on as with objects.

use super::func::{Translator, trusted};
use super::record::load_fields;
use super::signature::{self, Class, Fields};
use super::stack::{Entry, Owner};
use super::{Debug, Source};
use crate::infer::{StructFacts, Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Op;
use ruff_runtime::heap::Elements;
use ruff_runtime::heap::record::{LIES_FLAT, MARK_OFFSET};
use ruff_runtime::names::NameId;
use ruff_runtime::value::Tag;

/// How the elements of an array lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Of(Elements),
    Flat(Fields),
}

impl From<Elements> for Form {
    fn from(elements: Elements) -> Form {
        Form::Of(elements)
    }
}

impl Form {
    /// Bytes per element.
    fn size(self) -> usize {
        match self {
            Form::Of(elements) => elements.size(),
            Form::Flat(fields) => 8 * fields.classes().count(),
        }
    }
}

/// The fields of the structs that lie flat in arrays of such contents; `None` if
/// these are something else.  Debuggers are shown objects.
pub(super) fn flat_fields(source: Source, contents: Type) -> Option<Fields> {
    let Class::Record(fields) = signature::class_of(source.facts, contents) else {
        return None;
    };
    let is_word = |class| matches!(class, Class::Int | Class::Float | Class::Bool);
    let are_words = fields.classes().all(is_word);
    (are_words && source.debug != Debug::Variables).then_some(fields)
}

impl Translator<'_, '_, '_> {
    pub fn flat_fields(&self, contents: Type) -> Option<Fields> {
        flat_fields(self.source, contents)
    }

    /// Whether an array of such contents may hold structs that lie flat: then what the
    /// runtime gives as an element is an object of its own.  Other modules may have
    /// made the array, and knew as little of irregular structs as is known here.
    pub fn may_lie_flat(&self, contents: Type) -> bool {
        let is_scalar = |ty: &Type| {
            let class = Class::of(*ty);
            ty.is_none() || matches!(class, Class::Int | Class::Float | Class::Bool)
        };
        let may = |known: &StructFacts| !known.is_regular || known.fields.iter().all(is_scalar);
        let structs = &self.source.facts.structs;
        contents.may_be(Tags::STRUCT)
            && (self.source.alone.is_some()
                || match contents.declaration() {
                    Some(declaration) => may(&structs[declaration as usize]),
                    None => structs.iter().any(may),
                })
    }

    /// Whether the elements of an array lie so, as a condition.
    pub fn has_form(&mut self, array: Value, form: Form) -> Value {
        let fields = match form {
            Form::Of(elements) => {
                let kind = self.element_kind(array);
                return self
                    .builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, kind, elements as u8 as i64);
            }
            Form::Flat(fields) => fields,
        };
        let found = self.array_form(array);
        if self.source.alone.is_none() {
            let expected = i64::from(fields.declaration) + 1;
            return self.builder.ins().icmp_imm_u(IntCC::Equal, found, expected);
        }
        let number = self.number_as(types::I32, Table::Structs, fields.declaration);
        let expected = self.builder.ins().iadd_imm_s(number, 1);
        self.builder.ins().icmp(IntCC::Equal, found, expected)
    }

    /// Goes to `slow` unless the elements of the array lie so.
    pub fn expect_elements(&mut self, array: Value, form: impl Into<Form>, slow: Block) {
        let same = self.has_form(array, form.into());
        let next = self.builder.create_block();
        self.builder.ins().brif(same, next, &[], slow, &[]);
        self.switch_sealed(next);
    }

    /// How far from the first element an element is, in bytes.
    pub fn element_offset(&mut self, position: Value, form: impl Into<Form>) -> Value {
        match form.into().size() {
            1 => position,
            size if size.is_power_of_two() => {
                let shift = i64::from(size.trailing_zeros());
                self.builder.ins().ishl_imm_u(position, shift)
            }
            size => self.builder.ins().imul_imm_s(position, size as i64),
        }
    }

    /// The words of the flat struct at an address.
    pub fn load_flat(&mut self, fields: Fields, address: Value) -> Vec<Value> {
        let flags = self.of_elements(Elements::Structs);
        let classes = fields.classes().zip((0..).step_by(8));
        let words = classes.map(|(class, at)| {
            let word = match class {
                Class::Float => types::F64,
                _ => types::I64,
            };
            let word = self.builder.ins().load(word, flags, address, at);
            match class {
                Class::Bool => self.builder.ins().ireduce(types::I8, word),
                _ => word,
            }
        });
        words.collect()
    }

    /// Writes the words of a flat struct to an address.
    pub fn store_flat(&mut self, fields: Fields, words: &[Value], address: Value) {
        for (position, (class, word)) in fields.classes().zip(words).enumerate() {
            self.store_flat_word(class, *word, address, 8 * position as i32);
        }
    }

    /// Writes one field's word; all of its 8 bytes say what it is.
    pub fn store_flat_word(&mut self, class: Class, word: Value, address: Value, offset: i32) {
        let word = match class {
            Class::Bool => self.builder.ins().uextend(types::I64, word),
            _ => word,
        };
        let flags = self.of_elements(Elements::Structs);
        self.builder.ins().store(flags, word, address, offset);
    }

    /// An empty array with room for so many flat structs.
    pub fn new_structs(&mut self, fields: Fields, room: Value) -> Value {
        let tag = |class: Class| class.tag().map_or(0, |tag| tag as u64 as u8);
        let mut tags = [0; 8];
        for (place, class) in tags.iter_mut().zip(fields.classes()) {
            *place = tag(class);
        }
        let declaration = self.number(Table::Structs, fields.declaration);
        let tags = self.iconst(i64::from_le_bytes(tags));
        self.call_helper(Helper::NewStructs, &[self.ctx, declaration, tags, room])[0]
    }

    /// Makes the operand on top an object that an empty array takes flat.
    pub fn mark_flat(&mut self) {
        let top = self.stack.len() - 1;
        self.make_whole(top);
        let object = self.stack[top].word();
        let mark = self.builder.ins().iconst(types::I8, i64::from(LIES_FLAT));
        self.builder
            .ins()
            .store(trusted(), mark, object, MARK_OFFSET as i32);
    }

    /// The field that the next instruction takes of what this one gives.
    pub fn field_behind(&self) -> Option<NameId> {
        let next = self.pc as usize + 1;
        match self.function.code.get(next) {
            Some(Op::Field { name }) if !self.layout.leaders[next] => Some(*name),
            _ => None,
        }
    }

    /// An element of an array of structs that may lie flat, as its words.  If only
    /// one field is `wanted`, the other words are nothing.
    pub fn index_flat(
        &mut self,
        (object, index): (Entry, Entry),
        ty: Type,
        fields: Fields,
        wanted: Option<NameId>,
    ) {
        let wanted = wanted.and_then(|name| self.source.facts.position(fields.declaration, name));
        let of_wanted = |words: Vec<Value>| match wanted {
            Some(position) => words[fields.words_of(position)].to_vec(),
            None => words,
        };
        let (other, slow) = (self.cold_block(), self.cold_block());
        let done = self.builder.create_block();
        for (position, word) in Class::Record(fields).words().iter().enumerate() {
            if wanted.is_none_or(|wanted| wanted == position) {
                self.builder.append_block_param(done, *word);
            }
        }
        let form = Form::Flat(fields);
        let view = self.view_of(object).filter(|view| view.elements == form);
        let (array, position, address);
        if let Some(view) = view {
            array = self.payload_word(object);
            position = self.expect_tag(index, Tag::Int, slow);
            address = self.viewed_address(view, position, other);
        } else {
            array = self.expect_tag(object, Tag::Array, slow);
            position = self.expect_tag(index, Tag::Int, slow);
            self.check_bounds(array, position, slow);
            self.expect_elements(array, form, other);
            address = self.element_address(array, position, form);
        }
        let words = of_wanted(self.load_flat(fields, address));
        self.jump_with(done, &words);
        self.switch_sealed(other);
        if view.is_some() {
            self.check_bounds(array, position, slow);
        }
        self.expect_elements(array, Elements::Values, slow);
        let address = self.element_address(array, position, Elements::Values);
        let held = self.load_word(address, 8);
        let words = of_wanted(load_fields(self.builder, fields, held));
        self.jump_with(done, &words);
        self.switch_sealed(slow);
        let words = self.index_words(object, index);
        let made = self.entry_from_words(ty, words[0], words[1], Owner::Entry);
        let words = of_wanted(self.in_class(made, Class::Record(fields)));
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let found = self.builder.block_params(done).to_vec();
        let words = match wanted {
            None => found,
            Some(wanted) => self.with_nothing_but(fields, wanted, found[0]),
        };
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(index);
        self.release_entry(object);
        self.push(Entry::owned(ty, Class::Record(fields), &words));
    }

    /// The words of a struct of which only one field will be looked at.
    fn with_nothing_but(&mut self, fields: Fields, wanted: usize, word: Value) -> Vec<Value> {
        let mut words = Vec::new();
        for (position, class) in fields.classes().enumerate() {
            words.push(match class {
                _ if position == wanted => word,
                Class::Float => self.builder.ins().f64const(0.0),
                Class::Bool => self.builder.ins().iconst(types::I8, 0),
                _ => self.iconst(0),
            });
        }
        words
    }

    /// A literal of structs that lie flat; false if it has to hold something else.
    pub fn make_flat_array(&mut self, count: usize, contents: Type) -> bool {
        let Some(fields) = self.flat_fields(contents) else {
            return false;
        };
        if self.goes_among_others(contents) {
            return false;
        }
        let first = self.stack.len() - count;
        let class = Class::Record(fields);
        let mut all = Vec::new();
        for at in first..self.stack.len() {
            all.push(self.in_class(self.stack[at], class));
        }
        self.stack.truncate(first);
        let len = self.iconst(count as i64);
        let array = self.new_structs(fields, len);
        let data = self.array_data(array);
        let size = Form::Flat(fields).size();
        for (number, words) in all.iter().enumerate() {
            let address = self.builder.ins().iadd_imm_s(data, (size * number) as i64);
            self.store_flat(fields, words, address);
        }
        self.set_array_len(array, len);
        let ty = Type::array_of(contents);
        self.push(Entry::owned(ty, Class::Object(Tag::Array), &[array]));
        true
    }

    /// Whether what this instruction makes goes to a variable whose arrays have
    /// other contents as well: that is read as an array of objects.
    fn goes_among_others(&self, contents: Type) -> bool {
        let held = match self.function.code.get(self.pc as usize + 1) {
            Some(Op::StoreLocal { slot }) => self.slot_type(*slot),
            Some(Op::StoreGlobal { global }) => self.source.facts.globals[*global as usize],
            _ => return false,
        };
        self.flat_fields(held.without(Tags::UNSET).contents()) != self.flat_fields(contents)
    }
}
