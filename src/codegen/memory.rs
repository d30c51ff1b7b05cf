//! Parts of memory that do not overlap, for Cranelift's alias analysis.
//!
//! What is stored in one part changes nothing in another one.  Storing an element
//! so leaves alone what is known of the array that it lies in, and taking a count
//! leaves alone the elements.  Every access to such a part by generated code has to
//! name it; helpers may change all of them.

use super::func::{Translator, trusted};
use cranelift_codegen::ir::{AliasRegionData, Function, InstBuilder, MemFlagsData, Value, types};
use ruff_runtime::heap::Elements;
use ruff_runtime::heap::array::{
    BUFFER_SIZE_OFFSET, DATA_OFFSET, ELEMENTS_OFFSET, FORM_OFFSET, LEN_OFFSET,
};

/// A part of memory.  Everything else is one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Variables' mirrors for debuggers.
    Mirrors = 1,
    /// How many owners objects have.
    Counts,
    /// How many elements arrays have, and how many bytes and characters strings.
    Lengths,
    /// Where the elements of arrays are, and for how many bytes there is room.
    Places,
    /// How the elements of arrays lie.
    Kinds,
    /// The elements of arrays of ints and of floats.  Some code loads what is either.
    Numbers,
    /// The elements of arrays of bools.
    Bools,
    /// The words of structs that lie flat in arrays.
    Flat,
    /// The call stack: which functions are being executed.
    Trace,
}

impl Part {
    /// For accesses that are in this part, never trap and are aligned.
    pub fn flags(self, function: &mut Function) -> MemFlagsData {
        let data = AliasRegionData {
            user_id: self as u32,
            description: format!("{self:?}").into(),
        };
        let region = function.dfg.alias_regions.insert(data);
        MemFlagsData::trusted().with_alias_region(Some(region))
    }

    /// Whether an access names this part.
    pub fn has(self, function: &Function, flags: MemFlagsData) -> bool {
        let region = flags.alias_region();
        region.is_some_and(|region| function.dfg.alias_regions[region].user_id == self as u32)
    }
}

impl Translator<'_, '_, '_> {
    /// How many owners an object has; negative if it is immortal.
    pub fn load_count(&mut self, object: Value) -> Value {
        let flags = Part::Counts.flags(self.builder.func);
        self.builder.ins().load(types::I32, flags, object, 0)
    }

    pub fn store_count(&mut self, object: Value, count: Value) {
        let flags = Part::Counts.flags(self.builder.func);
        self.builder.ins().store(flags, count, object, 0);
    }

    /// The number of an array's elements.
    pub fn array_len(&mut self, array: Value) -> Value {
        self.load_length(array, LEN_OFFSET)
    }

    /// A number of elements, bytes or characters.
    pub fn load_length(&mut self, object: Value, offset: usize) -> Value {
        let flags = Part::Lengths.flags(self.builder.func);
        let offset = offset as i32;
        self.builder.ins().load(types::I64, flags, object, offset)
    }

    /// Sets a number of elements, bytes or characters.
    pub fn store_length(&mut self, len: Value, object: Value, offset: usize) {
        let flags = Part::Lengths.flags(self.builder.func);
        let offset = offset as i32;
        self.builder.ins().store(flags, len, object, offset);
    }

    pub fn set_array_len(&mut self, array: Value, len: Value) {
        self.store_length(len, array, LEN_OFFSET);
    }

    /// The address of an array's elements.
    pub fn array_data(&mut self, array: Value) -> Value {
        let flags = Part::Places.flags(self.builder.func);
        self.builder
            .ins()
            .load(types::I64, flags, array, DATA_OFFSET as i32)
    }

    /// The number of bytes that an array has room for.
    pub fn array_room(&mut self, array: Value) -> Value {
        let flags = Part::Places.flags(self.builder.func);
        self.builder
            .ins()
            .load(types::I64, flags, array, BUFFER_SIZE_OFFSET as i32)
    }

    /// For accesses to the elements of arrays that hold such ones.
    pub fn of_elements(&mut self, elements: Elements) -> MemFlagsData {
        match elements {
            Elements::Ints | Elements::Floats => Part::Numbers.flags(self.builder.func),
            Elements::Bools => Part::Bools.flags(self.builder.func),
            Elements::Structs => Part::Flat.flags(self.builder.func),
            Elements::Values => trusted(),
        }
    }

    /// The element kind byte of an array.
    pub fn element_kind(&mut self, array: Value) -> Value {
        let flags = Part::Kinds.flags(self.builder.func);
        self.builder
            .ins()
            .uload8(types::I32, flags, array, ELEMENTS_OFFSET as i32)
    }

    /// The number by which an array of flat structs knows their declaration.
    pub fn array_form(&mut self, array: Value) -> Value {
        let flags = Part::Kinds.flags(self.builder.func);
        self.builder
            .ins()
            .load(types::I32, flags, array, FORM_OFFSET as i32)
    }
}
