//! What values look like in memory, as types of DWARF.
//!
//! Ints, floats and bools are what they are; objects are pointers to structs that
//! are named after their kind, and a value of unknown kind is a `ruff_value`.  The
//! printers for gdb know these names and the members' names, and nothing else.

use crate::codegen::Source;
use crate::codegen::mirror::value_offset;
use crate::codegen::signature::Class;
use gimli::constants::*;
use gimli::write::{AttributeValue, Unit, UnitEntryId};
use ruff_runtime::bytecode::Program;
use ruff_runtime::heap::{array, dict, record as structs, string, variant};
use ruff_runtime::value::Tag;
use rustc_hash::FxHashMap;

/// A kind of object: its tag, its name, and what it has behind the header.
type Kind = (Tag, &'static str, &'static [(&'static str, usize, Basic)]);

/// The types that members of objects have.
#[derive(Clone, Copy)]
enum Basic {
    Word,
    /// Four bytes.
    Half,
    Pointer,
    /// Text begins here.
    Text,
    /// Values begin here.
    Values,
    /// A pointer to a string.
    String,
    /// A pointer to a dict's entries.
    Entries,
    /// A pointer to the names of a struct's fields.
    Shape,
}

const KINDS: &[Kind] = &[
    (
        Tag::String,
        "ruff_string",
        &[
            ("len", string::LEN_OFFSET, Basic::Word),
            ("chars", string::CHARS_OFFSET, Basic::Word),
            ("text", string::TEXT_OFFSET, Basic::Text),
        ],
    ),
    (
        Tag::Array,
        "ruff_array",
        &[
            ("len", array::LEN_OFFSET, Basic::Word),
            ("data", array::DATA_OFFSET, Basic::Pointer),
        ],
    ),
    (
        Tag::Dict,
        "ruff_dict",
        &[
            ("len", dict::LEN_OFFSET, Basic::Word),
            ("entries", dict::ENTRIES_OFFSET, Basic::Entries),
        ],
    ),
    (
        Tag::Struct,
        "ruff_struct",
        &[
            ("shape", structs::SHAPE_OFFSET, Basic::Shape),
            ("fields", structs::FIELDS_OFFSET, Basic::Values),
        ],
    ),
    (
        Tag::Variant,
        "ruff_variant",
        &[
            ("enum_name", variant::ENUM_NAME_OFFSET, Basic::String),
            ("name", variant::NAME_OFFSET, Basic::String),
            ("len", variant::LEN_OFFSET, Basic::Half),
            ("values", variant::PAYLOAD_OFFSET, Basic::Values),
        ],
    ),
    (Tag::Function, "ruff_function", &[]),
    (Tag::StructDef, "ruff_struct_def", &[]),
    (Tag::EnumDef, "ruff_enum_def", &[]),
    (Tag::BoundMethod, "ruff_bound_method", &[]),
    (Tag::Generator, "ruff_generator", &[]),
    (Tag::Iterator, "ruff_iterator", &[]),
    (Tag::Promise, "ruff_promise", &[]),
    (Tag::Channel, "ruff_channel", &[]),
    (Tag::Bytes, "ruff_bytes", &[]),
    (Tag::Set, "ruff_set", &[]),
    (Tag::Queue, "ruff_queue", &[]),
    (Tag::Stack, "ruff_stack", &[]),
    (Tag::TaskHandle, "ruff_task", &[]),
    (Tag::Cell, "ruff_cell", &[]),
];

/// Tags of values that are no objects.
const PLAIN: &[(Tag, &str)] = &[
    (Tag::Unset, "unset"),
    (Tag::Null, "null"),
    (Tag::Bool, "bool"),
    (Tag::Int, "int"),
    (Tag::Float, "float"),
    (Tag::Builtin, "builtin"),
];

/// The types of a unit.
pub struct Types {
    int: UnitEntryId,
    float: UnitEntryId,
    bool: UnitEntryId,
    value: UnitEntryId,
    /// Pointers to objects.
    objects: Vec<(Tag, UnitEntryId)>,
    /// Structs taken apart, by declaration.
    apart: FxHashMap<u32, UnitEntryId>,
}

impl Types {
    /// Describes all types.
    pub fn new(unit: &mut Unit, source: Source) -> Types {
        let int = base(unit, "int", DW_ATE_signed, 8);
        let float = base(unit, "float", DW_ATE_float, 8);
        let bool = base(unit, "bool", DW_ATE_boolean, 1);
        let byte = base(unit, "byte", DW_ATE_unsigned, 1);
        let char = base(unit, "char", DW_ATE_unsigned_char, 1);
        let word = base(unit, "word", DW_ATE_unsigned, 8);
        let half = base(unit, "half", DW_ATE_unsigned, 4);
        let anything = pointer(unit, None);
        let tag = tags(unit, word);

        let payload = record(unit, DW_TAG_union_type, "ruff_payload", 8);
        for (name, ty) in [
            ("int", int),
            ("float", float),
            ("bool", bool),
            ("object", anything),
        ] {
            member(unit, payload, name, 0, ty);
        }
        let value = record(unit, DW_TAG_structure_type, "ruff_value", 16);
        member(unit, value, "tag", 0, tag);
        member(unit, value, "payload", 8, payload);

        let mut types = Types {
            int,
            float,
            bool,
            value,
            objects: Vec::new(),
            apart: FxHashMap::default(),
        };
        let (text, values) = (array_of(unit, char), array_of(unit, value));
        let entries = entries(unit, value);
        let shape = shape(unit, word);
        // A module's own numbers are nobody's: the program has those that values hold.
        if source.alone.is_none() {
            names(unit, source.program);
        }
        for (tag, name, members) in KINDS {
            let object = record(unit, DW_TAG_structure_type, name, 8);
            member(unit, object, "kind", 4, byte);
            member(unit, object, "flags", 5, byte);
            let reference = pointer(unit, Some(object));
            types.objects.push((*tag, reference));
            for (name, offset, basic) in *members {
                let ty = match basic {
                    Basic::Word => word,
                    Basic::Half => half,
                    Basic::Pointer => anything,
                    Basic::Text => text,
                    Basic::Values => values,
                    Basic::String => types.objects[0].1,
                    Basic::Entries => entries,
                    Basic::Shape => shape,
                };
                member(unit, object, name, *offset, ty);
            }
        }
        types
    }

    /// A value of any kind.
    pub fn value(&self) -> UnitEntryId {
        self.value
    }

    /// What the words of a variable's class are.
    pub fn of_variable(&mut self, unit: &mut Unit, program: &Program, class: Class) -> UnitEntryId {
        if let Class::Record(fields) = class
            && !self.apart.contains_key(&fields.declaration)
        {
            let declared = &program.structs[fields.declaration as usize];
            let name = |number: u32| &program.names[number as usize];
            let full = format!("ruff_apart.{}", name(declared.name));
            let size = 16 * fields.classes().count() as u8;
            let ty = record(unit, DW_TAG_structure_type, &full, size);
            for (position, class) in fields.classes().enumerate() {
                let offset = 16 * position + value_offset(class) as usize;
                let field = name(declared.fields[position]);
                member(unit, ty, field, offset, self.of(class));
            }
            self.apart.insert(fields.declaration, ty);
        }
        self.of(class)
    }

    /// What a class's words are.
    fn of(&self, class: Class) -> UnitEntryId {
        match class {
            Class::Int => self.int,
            Class::Float => self.float,
            Class::Bool => self.bool,
            // Where variables are shown, variants and characters are objects.
            Class::Null | Class::Dynamic | Class::Character | Class::Sum(_) => self.value,
            Class::Record(fields) => self.apart[&fields.declaration],
            Class::Object(tag) => self
                .objects
                .iter()
                .find(|(known, _)| *known == tag)
                .map_or(self.value, |(_, pointer)| *pointer),
        }
    }
}

/// A pointer to entries of a dict.
fn entries(unit: &mut Unit, value: UnitEntryId) -> UnitEntryId {
    let size = dict::ENTRY_SIZE as u8;
    let entry = record(unit, DW_TAG_structure_type, "ruff_entry", size);
    for (name, offset) in ["key", "value"].into_iter().zip(dict::ENTRY_OFFSETS) {
        member(unit, entry, name, offset, value);
    }
    pointer(unit, Some(entry))
}

/// A pointer to the names of a struct and its fields.
fn shape(unit: &mut Unit, word: UnitEntryId) -> UnitEntryId {
    let number = base(unit, "number", DW_ATE_unsigned, 4);
    let numbers = pointer(unit, Some(number));
    let size = (structs::SHAPE_FIELDS_OFFSET + 16) as u8;
    let shape = record(unit, DW_TAG_structure_type, "ruff_shape", size);
    member(unit, shape, "name", structs::SHAPE_NAME_OFFSET, number);
    member(unit, shape, "fields", structs::SHAPE_FIELDS_OFFSET, numbers);
    member(unit, shape, "count", structs::SHAPE_FIELDS_OFFSET + 8, word);
    pointer(unit, Some(shape))
}

/// The program's identifiers by their numbers.
fn names(unit: &mut Unit, program: &Program) {
    let entry = record(unit, DW_TAG_enumeration_type, "ruff_name", 4);
    for (number, name) in (0_u64..).zip(&program.names) {
        let one = unit.add(entry, DW_TAG_enumerator);
        let attributes = unit.get_mut(one);
        let name = format!("ruff_name.{name}");
        attributes.set(DW_AT_name, AttributeValue::String(name.into()));
        attributes.set(DW_AT_const_value, AttributeValue::Udata(number));
    }
}

fn base(unit: &mut Unit, name: &str, encoding: DwAte, size: u8) -> UnitEntryId {
    let entry = named(unit, DW_TAG_base_type, name);
    let attributes = unit.get_mut(entry);
    attributes.set(DW_AT_encoding, AttributeValue::Encoding(encoding));
    attributes.set(DW_AT_byte_size, AttributeValue::Data1(size));
    entry
}

fn record(unit: &mut Unit, tag: DwTag, name: &str, size: u8) -> UnitEntryId {
    let entry = named(unit, tag, name);
    let attributes = unit.get_mut(entry);
    attributes.set(DW_AT_byte_size, AttributeValue::Data1(size));
    entry
}

fn named(unit: &mut Unit, tag: DwTag, name: &str) -> UnitEntryId {
    let root = unit.root();
    let entry = unit.add(root, tag);
    let name = AttributeValue::String(name.into());
    unit.get_mut(entry).set(DW_AT_name, name);
    entry
}

fn member(unit: &mut Unit, of: UnitEntryId, name: &str, offset: usize, ty: UnitEntryId) {
    let entry = unit.add(of, DW_TAG_member);
    let attributes = unit.get_mut(entry);
    attributes.set(DW_AT_name, AttributeValue::String(name.into()));
    attributes.set(DW_AT_type, AttributeValue::UnitRef(ty));
    let offset = AttributeValue::Udata(offset as u64);
    attributes.set(DW_AT_data_member_location, offset);
}

fn pointer(unit: &mut Unit, to: Option<UnitEntryId>) -> UnitEntryId {
    let root = unit.root();
    let entry = unit.add(root, DW_TAG_pointer_type);
    let attributes = unit.get_mut(entry);
    attributes.set(DW_AT_byte_size, AttributeValue::Data1(8));
    if let Some(to) = to {
        attributes.set(DW_AT_type, AttributeValue::UnitRef(to));
    }
    entry
}

/// An array whose length is said elsewhere.
fn array_of(unit: &mut Unit, elements: UnitEntryId) -> UnitEntryId {
    let root = unit.root();
    let entry = unit.add(root, DW_TAG_array_type);
    let elements = AttributeValue::UnitRef(elements);
    unit.get_mut(entry).set(DW_AT_type, elements);
    let range = unit.add(entry, DW_TAG_subrange_type);
    unit.get_mut(range)
        .set(DW_AT_count, AttributeValue::Data1(0));
    entry
}

fn tags(unit: &mut Unit, word: UnitEntryId) -> UnitEntryId {
    let entry = record(unit, DW_TAG_enumeration_type, "ruff_tag", 8);
    unit.get_mut(entry)
        .set(DW_AT_type, AttributeValue::UnitRef(word));
    let objects = KINDS.iter().map(|(tag, name, _)| (*tag, *name));
    for (tag, name) in PLAIN.iter().copied().chain(objects) {
        let one = unit.add(entry, DW_TAG_enumerator);
        let attributes = unit.get_mut(one);
        let name = name.strip_prefix("ruff_").unwrap_or(name);
        let name = format!("tag_{name}");
        attributes.set(DW_AT_name, AttributeValue::String(name.into()));
        attributes.set(DW_AT_const_value, AttributeValue::Udata(tag as u64));
    }
    entry
}
