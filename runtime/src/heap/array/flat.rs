//! Structs that lie flat in an array: nothing but their fields, 8 bytes each.
//!
//! Only compiled code asks for that, where it knows that the fields of all
//! structs of a declaration are ints, floats and bools: by an array that it
//! makes, or by a mark on the struct that it appends to an empty one.  The
//! elements of an array that has some are never rearranged for it.

use super::super::record::{Record, Shape};
use super::super::{Ref, StructDef};
use super::{Array, Elements, byte_size};
use crate::value::{Tag, Value};

/// Fields that a struct has at most which lies flat.
pub const MOST_FIELDS: usize = 8;

/// The fields of a declaration's flat structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The shape of all its instances.
    shape: *const Shape,
    tags: [Tag; MOST_FIELDS],
    count: usize,
}

impl Layout {
    /// The layout of structs of a shape, whose fields have these tags.
    pub fn new(shape: *const Shape, fields: impl Iterator<Item = Tag>) -> Option<Layout> {
        let mut layout = Layout {
            shape,
            tags: [Tag::Unset; MOST_FIELDS],
            count: 0,
        };
        for tag in fields {
            if !matches!(tag, Tag::Int | Tag::Float | Tag::Bool) {
                return None;
            }
            *layout.tags.get_mut(layout.count)? = tag;
            layout.count += 1;
        }
        (layout.count > 0).then_some(layout)
    }

    fn of(record: &Record) -> Option<Layout> {
        let tags = record.fields().iter().map(Value::tag);
        Layout::new(record.shape(), tags)
    }

    /// The layout of which generated code gives the tags, a byte each.
    pub fn from_bytes(shape: *const Shape, tags: u64) -> Option<Layout> {
        let bytes = tags.to_le_bytes().into_iter().take_while(|byte| *byte != 0);
        let tags = bytes.map(|byte| match byte {
            INT => Tag::Int,
            FLOAT => Tag::Float,
            BOOL => Tag::Bool,
            _ => Tag::Unset,
        });
        Layout::new(shape, tags)
    }

    /// The tags, a byte each.
    pub fn to_bytes(self) -> u64 {
        u64::from_le_bytes(self.tags.map(|tag| tag as u64 as u8))
    }

    pub fn shape(&self) -> &Shape {
        // SAFETY: shapes outlive layouts, as they outlive instances.
        unsafe { &*self.shape }
    }
}

const INT: u8 = Tag::Int as u64 as u8;
const FLOAT: u8 = Tag::Float as u64 as u8;
const BOOL: u8 = Tag::Bool as u64 as u8;

/// The declaration of a struct that is marked to lie flat, and its layout.
fn wanted(value: &Value) -> Option<(Ref<StructDef>, Layout)> {
    let record = value.as_object::<Record>()?;
    let def = record.def().filter(|_| record.is_to_lie_flat())?;
    Some((Ref::from_borrowed(def), Layout::of(record)?))
}

impl StructDef {
    /// Fixes the layout of the declaration's flat structs, unless it has one; false
    /// if it is another one.
    fn lay_out(&self, layout: Layout) -> bool {
        *self.layout.get_or_init(|| layout) == layout
    }
}

impl Array {
    /// An empty array with room for structs that lie flat, if they can.
    pub fn of_structs(def: Ref<StructDef>, layout: Layout, capacity: usize) -> Ref<Array> {
        let room = byte_size(8 * layout.count, capacity);
        let array = Array::with_room(Elements::Values, room);
        // SAFETY: made here, so unique.
        unsafe { (*array.as_ptr()).become_flat(def, layout) };
        array
    }

    /// An array of flat structs, as the words of their fields.
    pub fn from_words(def: Ref<StructDef>, layout: Layout, words: &[u64]) -> Ref<Array> {
        let array = Array::of_structs(def, layout, words.len() / layout.count);
        // SAFETY: made here with room for that many.
        unsafe {
            let target = &mut *array.as_ptr();
            core::ptr::copy_nonoverlapping(words.as_ptr(), target.data.cast(), words.len());
            target.len = words.len() / layout.count;
        }
        array
    }

    /// The layout of the structs, if some lie flat.
    fn layout(&self) -> Option<&Layout> {
        self.def.as_ref()?.layout.get()
    }

    /// Bytes of a flat struct.
    pub(super) fn struct_size(&self) -> usize {
        8 * self.layout().map_or(1, |layout| layout.count)
    }

    /// The declaration, the layout and all words of flat structs.
    pub fn as_structs(&self) -> Option<(&StructDef, Layout, &[u64])> {
        let (def, layout) = (self.def.as_deref()?, *self.layout()?);
        let words = self.len * layout.count;
        // SAFETY: an array with a declaration holds that many words.
        let words = unsafe { core::slice::from_raw_parts(self.data.cast(), words) };
        Some((def, layout, words))
    }

    /// Appends an element of another array, in the same way if it is a flat struct.
    pub fn push_from(&mut self, other: &Array, index: usize) {
        if self.len == 0 {
            self.become_flat_as(other);
        }
        let is_flat = self.form != 0 && self.is_laid_out_as(other);
        if !is_flat || index >= other.len {
            return self.push(other.get(index));
        }
        if self.len == self.capacity() {
            self.grow(self.len + 1);
        }
        let size = self.struct_size();
        // SAFETY: both are in bounds, and of one layout.
        unsafe {
            core::ptr::copy_nonoverlapping(
                other.data.add(index * size),
                self.data.add(self.len * size),
                size,
            );
        }
        self.len += 1;
    }

    /// Reverses the order of flat structs; false if it holds something else.
    pub fn reverse_structs(&mut self) -> bool {
        let Some(count) = self.layout().map(|layout| layout.count) else {
            return false;
        };
        // SAFETY: as in `as_structs`; borrowed through `&mut self`.
        let words =
            unsafe { core::slice::from_raw_parts_mut(self.data.cast::<u64>(), self.len * count) };
        words.reverse();
        words.chunks_exact_mut(count).for_each(<[u64]>::reverse);
        true
    }

    /// Gives an empty array the kind of its first element.
    #[inline]
    pub(super) fn become_kind_of(&mut self, value: &Value) {
        if value.tag() == Tag::Struct && self.become_flat_for(value) {
            return;
        }
        self.header.flags = Elements::for_tag(value.tag()) as u8;
        if self.form != 0 {
            self.form = 0;
            self.def = None;
        }
    }

    /// Makes an empty array one of flat structs, if it shall take this one so.
    #[inline(never)]
    fn become_flat_for(&mut self, value: &Value) -> bool {
        let Some((def, layout)) = wanted(value) else {
            return false;
        };
        let is_possible = def.lay_out(layout);
        if is_possible {
            self.become_flat(def, layout);
        }
        is_possible
    }

    /// Gives an empty array the kind of another one, if that holds flat structs.
    pub(super) fn become_flat_as(&mut self, other: &Array) {
        if let (Some(def), Some(layout)) = (&other.def, other.layout()) {
            self.become_flat(def.clone(), *layout);
        }
    }

    fn become_flat(&mut self, def: Ref<StructDef>, layout: Layout) {
        if !def.lay_out(layout) {
            return;
        }
        self.header.flags = Elements::Structs as u8;
        self.header.deepen(1);
        self.form = def.declaration + 1;
        self.def = Some(def);
    }

    /// Whether both arrays hold flat elements in the same way.
    pub(super) fn is_laid_out_as(&self, other: &Array) -> bool {
        self.elements() == other.elements()
            && self.form == other.form
            && self.layout() == other.layout()
    }

    /// Whether a value is a struct as those that lie flat in the array.
    #[inline(never)]
    pub(super) fn has_layout_of(&self, value: &Value) -> bool {
        let Some(record) = value.as_object::<Record>() else {
            return false;
        };
        let declaration = record.def().map(|def| def.declaration + 1);
        declaration == Some(self.form) && Layout::of(record).as_ref() == self.layout()
    }

    /// A struct of the fields at `index`, which the array has.
    #[inline(never)]
    pub(super) fn struct_at(&self, index: usize) -> Value {
        let (Some(def), Some(layout)) = (&self.def, self.layout()) else {
            unreachable!("flat structs have a layout")
        };
        // SAFETY: the shape has as many fields as the layout, which are all written.
        unsafe {
            let words = self.data.cast::<u64>().add(index * layout.count);
            let record = Record::unfilled(layout.shape, def.clone(), 1);
            for (field, tag) in layout.tags[..layout.count].iter().enumerate() {
                let word = *words.add(field);
                let value = match tag {
                    Tag::Int => Value::int(word as i64),
                    Tag::Float => Value::float(f64::from_bits(word)),
                    _ => Value::bool(word != 0),
                };
                Record::fill(record, field, value);
            }
            Value::from(Ref::from_raw(record))
        }
    }

    /// Writes the fields of a struct that has the array's layout to `index`, where
    /// there is room.
    ///
    /// # Safety
    /// Both are as said.
    pub(super) unsafe fn write_struct(&mut self, index: usize, value: &Value) {
        let Some(record) = value.as_object::<Record>() else {
            return;
        };
        let fields = record.fields();
        // SAFETY: the caller vouches for the room.
        unsafe {
            let words = self.data.cast::<u64>().add(index * fields.len());
            for (place, field) in fields.iter().enumerate() {
                *words.add(place) = field.payload();
            }
        }
    }
}
