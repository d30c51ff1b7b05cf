//! Arrays: a buffer of elements of one kind, widened when a misfit arrives.
//!
//! Ints, floats and bools lie flat, and so do structs of such fields where
//! compiled code asks for it (`flat`); anything else, and any mixture, is a
//! buffer of whole values.  The kind of an empty array says nothing: the
//! first element decides.  Short literals keep their elements behind the
//! object itself.

pub mod flat;
#[cfg(test)]
mod tests;

use super::{Duplicate, Header, Object, Ref, StructDef, allocator};
use crate::value::{Tag, Value};
use core::mem::{offset_of, size_of};

/// How elements are stored.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// `Value`s, 16 bytes each.
    Values = 0,
    /// `i64`s.
    Ints = 1,
    /// `f64`s.
    Floats = 2,
    /// One byte each, 0 or 1.
    Bools = 3,
    /// The fields of structs of one declaration, 8 bytes each.
    Structs = 4,
}

impl Elements {
    /// Bytes per element; of structs, per field.
    #[inline(always)]
    pub const fn size(self) -> usize {
        match self {
            Elements::Values => 16,
            Elements::Ints | Elements::Floats | Elements::Structs => 8,
            Elements::Bools => 1,
        }
    }

    /// The flat kind that holds values with this tag.
    #[inline(always)]
    pub const fn for_tag(tag: Tag) -> Elements {
        match tag {
            Tag::Int => Elements::Ints,
            Tag::Float => Elements::Floats,
            Tag::Bool => Elements::Bools,
            _ => Elements::Values,
        }
    }
}

/// An array object.  `header.flags` is its `Elements`.
#[repr(C)]
pub struct Array {
    header: Header,
    len: usize,
    data: *mut u8,
    /// Bytes of the separate buffer, or 0 while the elements are inline.
    buffer_size: usize,
    /// Bytes of room behind the object.
    inline_size: u32,
    /// Of flat structs, one more than the number of their declaration; else 0.
    form: u32,
    /// Of flat structs, their declaration, which has a layout.
    def: Option<Ref<StructDef>>,
}

/// Where generated code finds the element kind (one byte).
pub const ELEMENTS_OFFSET: usize = offset_of!(Header, flags);
/// Where generated code finds the length.
pub const LEN_OFFSET: usize = offset_of!(Array, len);
/// Where generated code finds the pointer to the first element.
pub const DATA_OFFSET: usize = offset_of!(Array, data);
/// Where generated code finds the size of the separate buffer in bytes.
pub const BUFFER_SIZE_OFFSET: usize = offset_of!(Array, buffer_size);
/// Where generated code finds which structs lie flat in the array: 32 bits, one
/// more than their declaration's number, or 0.
pub const FORM_OFFSET: usize = offset_of!(Array, form);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Array {
    const TAG: Tag = Tag::Array;

    unsafe fn destroy(object: *mut Array) {
        // SAFETY: dead; elements are dropped once, then both blocks are freed.
        unsafe {
            (*object).drop_elements();
            (*object).def = None;
            if (*object).buffer_size != 0 {
                allocator::free((*object).data, (*object).buffer_size);
            }
            let inline_size = (*object).inline_size as usize;
            allocator::free(object.cast(), size_of::<Array>() + inline_size);
        }
    }
}

impl Duplicate for Array {
    fn duplicate(&self) -> Ref<Array> {
        self.copy_range(0, self.len, self.len)
    }
}

impl Array {
    /// An empty array with room for `capacity` elements of the given kind.
    pub fn with_capacity(elements: Elements, capacity: usize) -> Ref<Array> {
        debug_assert!(elements != Elements::Structs, "they need a layout");
        Array::with_room(elements, byte_size(elements.size(), capacity))
    }

    /// An empty array with so many bytes for elements.
    fn with_room(elements: Elements, wanted: usize) -> Ref<Array> {
        let inline_size = if wanted <= allocator::LARGEST_SMALL - size_of::<Array>() {
            wanted.next_multiple_of(16)
        } else {
            0
        };
        let object: *mut Array = allocator::allocate(size_of::<Array>() + inline_size).cast();
        let mut header = Header::new(Tag::Array);
        header.flags = elements as u8;
        header.depth = 1;
        // SAFETY: fresh memory of that size.
        unsafe {
            let (data, buffer_size) = if wanted > 0 && inline_size == 0 {
                (allocator::allocate(wanted), wanted)
            } else {
                (object.add(1).cast(), 0)
            };
            object.write(Array {
                header,
                len: 0,
                data,
                buffer_size,
                inline_size: inline_size as u32,
                form: 0,
                def: None,
            });
            Ref::from_raw(object)
        }
    }

    pub fn new() -> Ref<Array> {
        Array::with_capacity(Elements::Values, 0)
    }

    /// An array of these values, in the narrowest kind that holds them all.
    pub fn from_values(values: impl ExactSizeIterator<Item = Value>) -> Ref<Array> {
        let mut array: Option<Ref<Array>> = None;
        let count = values.len();
        for value in values {
            let target = array
                .get_or_insert_with(|| Array::with_capacity(Elements::for_tag(value.tag()), count));
            // SAFETY: made here, so unique.
            unsafe { (*target.as_ptr()).push(value) };
        }
        array.unwrap_or_else(Array::new)
    }

    /// An array of these values, which are taken; none has more levels than `depth`.
    pub fn from_taken(values: &mut [Value], depth: usize) -> Ref<Array> {
        let is_flat = |first: &Value| Elements::for_tag(first.tag()) != Elements::Values;
        if values.first().is_none_or(is_flat) {
            return Array::from_values(values.iter_mut().map(core::mem::take));
        }
        let array = Array::with_capacity(Elements::Values, values.len());
        // SAFETY: room for that many was made; unique.
        unsafe {
            let target = &mut *array.as_ptr();
            let data: *mut Value = target.data.cast();
            for (index, value) in values.iter_mut().enumerate() {
                data.add(index).write(core::mem::take(value));
            }
            target.len = values.len();
            target.header.deepen(depth);
        }
        array
    }

    /// A flat array of ints.
    pub fn from_ints(ints: &[i64]) -> Ref<Array> {
        let array = Array::with_capacity(Elements::Ints, ints.len());
        // SAFETY: room for that many was made; unique.
        unsafe {
            core::ptr::copy_nonoverlapping(
                ints.as_ptr(),
                (*array.as_ptr()).data.cast(),
                ints.len(),
            );
            (*array.as_ptr()).len = ints.len();
        }
        array
    }

    /// A flat array of floats.
    pub fn from_floats(floats: &[f64]) -> Ref<Array> {
        let array = Array::with_capacity(Elements::Floats, floats.len());
        // SAFETY: room for that many was made; unique.
        unsafe {
            core::ptr::copy_nonoverlapping(
                floats.as_ptr(),
                (*array.as_ptr()).data.cast(),
                floats.len(),
            );
            (*array.as_ptr()).len = floats.len();
        }
        array
    }

    /// An array of these bools, a byte each.
    pub fn from_bools(bools: &[u8]) -> Ref<Array> {
        let array = Array::with_capacity(Elements::Bools, bools.len());
        // SAFETY: made here with room for that many.
        unsafe {
            core::ptr::copy_nonoverlapping(bools.as_ptr(), (*array.as_ptr()).data, bools.len());
            (*array.as_ptr()).len = bools.len();
        }
        array
    }

    /// An array that keeps these as values, whatever they are.
    pub fn unflattened(values: impl ExactSizeIterator<Item = Value>) -> Ref<Array> {
        let array = Array::with_capacity(Elements::Values, values.len());
        // SAFETY: made here with room for that many.
        unsafe {
            let target = &mut *array.as_ptr();
            for value in values.take(target.capacity()) {
                target.header.deepen(value.depth());
                target.data.cast::<Value>().add(target.len).write(value);
                target.len += 1;
            }
        }
        array
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    pub fn elements(&self) -> Elements {
        // SAFETY: only `Elements` values are ever stored in the flags.
        unsafe { core::mem::transmute::<u8, Elements>(self.header.flags) }
    }

    /// Bytes per element.
    #[inline(always)]
    pub fn element_size(&self) -> usize {
        match self.elements() {
            Elements::Structs => self.struct_size(),
            others => others.size(),
        }
    }

    /// Bytes that there are for elements.
    #[inline(always)]
    fn room(&self) -> usize {
        match self.buffer_size {
            0 => self.inline_size as usize,
            size => size,
        }
    }

    /// Elements there is room for.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.room() / self.element_size()
    }

    /// The elements, if they are whole values.
    #[inline(always)]
    pub fn as_values(&self) -> Option<&[Value]> {
        // SAFETY: the kind says what the buffer holds.
        (self.elements() == Elements::Values)
            .then(|| unsafe { core::slice::from_raw_parts(self.data.cast(), self.len) })
    }

    /// The elements, if they are flat ints.
    #[inline(always)]
    pub fn as_ints(&self) -> Option<&[i64]> {
        // SAFETY: the kind says what the buffer holds.
        (self.elements() == Elements::Ints)
            .then(|| unsafe { core::slice::from_raw_parts(self.data.cast(), self.len) })
    }

    /// The elements, if they are flat floats.
    #[inline(always)]
    pub fn as_floats(&self) -> Option<&[f64]> {
        // SAFETY: the kind says what the buffer holds.
        (self.elements() == Elements::Floats)
            .then(|| unsafe { core::slice::from_raw_parts(self.data.cast(), self.len) })
    }

    /// The elements, one byte each, if they are flat bools.
    #[inline(always)]
    pub fn as_bools(&self) -> Option<&[u8]> {
        // SAFETY: the kind says what the buffer holds.
        (self.elements() == Elements::Bools)
            .then(|| unsafe { core::slice::from_raw_parts(self.data, self.len) })
    }

    /// The elements for writing, one byte each, if they are flat bools.
    #[inline(always)]
    pub fn as_bools_mut(&mut self) -> Option<&mut [u8]> {
        // SAFETY: as for `as_values_mut`.
        (self.elements() == Elements::Bools)
            .then(|| unsafe { core::slice::from_raw_parts_mut(self.data, self.len) })
    }

    /// Whether this array has one owner.
    #[inline(always)]
    pub fn is_unique(&self) -> bool {
        self.header.is_unique()
    }

    /// The elements for writing, if they are whole values.
    pub fn as_values_mut(&mut self) -> Option<&mut [Value]> {
        // SAFETY: the kind says what the buffer holds; borrowed through `&mut self`.
        (self.elements() == Elements::Values)
            .then(|| unsafe { core::slice::from_raw_parts_mut(self.data.cast(), self.len) })
    }

    /// The elements for writing, if they are flat ints.
    #[inline(always)]
    pub fn as_ints_mut(&mut self) -> Option<&mut [i64]> {
        // SAFETY: as for `as_values_mut`.
        (self.elements() == Elements::Ints)
            .then(|| unsafe { core::slice::from_raw_parts_mut(self.data.cast(), self.len) })
    }

    /// The elements for writing, if they are flat floats.
    #[inline(always)]
    pub fn as_floats_mut(&mut self) -> Option<&mut [f64]> {
        // SAFETY: as for `as_values_mut`.
        (self.elements() == Elements::Floats)
            .then(|| unsafe { core::slice::from_raw_parts_mut(self.data.cast(), self.len) })
    }

    /// The element at `index`, which must be less than the length.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Value {
        assert!(index < self.len, "array index {index} of {}", self.len);
        // SAFETY: in bounds; the kind says what the buffer holds.
        unsafe {
            match self.elements() {
                Elements::Values => (*self.data.cast::<Value>().add(index)).clone(),
                Elements::Ints => Value::int(*self.data.cast::<i64>().add(index)),
                Elements::Floats => Value::float(*self.data.cast::<f64>().add(index)),
                Elements::Bools => Value::bool(*self.data.add(index) != 0),
                Elements::Structs => self.struct_at(index),
            }
        }
    }

    /// Replaces the element at `index`, which must be less than the length.
    #[inline]
    pub fn set(&mut self, index: usize, value: Value) {
        assert!(index < self.len, "array index {index} of {}", self.len);
        self.accept(&value);
        // SAFETY: in bounds; `accept` made the kinds agree.
        unsafe {
            match self.elements() {
                Elements::Values => {
                    self.header.deepen(value.depth());
                    // The old element is dropped last: it can be anything.
                    let old = core::mem::replace(&mut *self.data.cast::<Value>().add(index), value);
                    drop(old);
                }
                Elements::Ints => *self.data.cast::<u64>().add(index) = value.payload(),
                Elements::Floats => *self.data.cast::<u64>().add(index) = value.payload(),
                Elements::Bools => *self.data.add(index) = value.payload() as u8,
                Elements::Structs => self.write_struct(index, &value),
            }
        }
    }

    /// A copy in which another value is the element at `index`, which must be less than
    /// the length, if the elements are ints, floats or bools, and the value is one too.
    #[inline]
    pub fn copy_with(&self, index: usize, value: &Value) -> Option<Ref<Array>> {
        assert!(index < self.len, "array index {index} of {}", self.len);
        let elements = self.elements();
        if elements == Elements::Values || elements != Elements::for_tag(value.tag()) {
            return None;
        }
        let size = byte_size(elements.size(), self.len);
        let copy = Array::with_room(elements, size);
        // SAFETY: room was made for as many elements; the kinds agree, so it is a flat one
        // that is written.
        unsafe {
            let target = &mut *copy.as_ptr();
            core::ptr::copy_nonoverlapping(self.data, target.data, size);
            target.len = self.len;
            match elements {
                Elements::Bools => *target.data.add(index) = value.payload() as u8,
                _ => *target.data.cast::<u64>().add(index) = value.payload(),
            }
        }
        Some(copy)
    }

    /// Where the element at `index` lives, once the array holds whole values.
    /// For changes to an element in place.  The index must be in bounds.
    pub fn place(&mut self, index: usize) -> &mut Value {
        self.widen();
        let len = self.len;
        assert!(index < len, "array index {index} of {len}");
        // SAFETY: in bounds, whole values, borrowed through `&mut self`.
        unsafe { &mut *self.data.cast::<Value>().add(index) }
    }

    /// Takes account of an element changed through `place`.
    pub fn note_depth(&mut self, depth: usize) {
        self.header.deepen(depth);
    }

    /// Appends an element.
    #[inline]
    pub fn push(&mut self, value: Value) {
        if self.len == 0 {
            self.become_kind_of(&value);
        } else {
            self.accept(&value);
        }
        if (self.len + 1) * self.element_size() > self.room() {
            self.grow(self.len + 1);
        }
        // SAFETY: there is room for one more; kinds agree.
        unsafe {
            match self.elements() {
                Elements::Values => {
                    self.header.deepen(value.depth());
                    self.data.cast::<Value>().add(self.len).write(value);
                }
                Elements::Ints => *self.data.cast::<u64>().add(self.len) = value.payload(),
                Elements::Floats => *self.data.cast::<u64>().add(self.len) = value.payload(),
                Elements::Bools => *self.data.add(self.len) = value.payload() as u8,
                Elements::Structs => self.write_struct(self.len, &value),
            }
        }
        self.len += 1;
    }

    /// Removes and returns the last element.
    pub fn pop(&mut self) -> Option<Value> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        // SAFETY: the element is no longer part of the array, so moving it out is right.
        Some(unsafe { self.read(self.len) })
    }

    /// Inserts an element at `index`, at most the length.
    pub fn insert(&mut self, index: usize, value: Value) {
        assert!(index <= self.len, "array index {index} of {}", self.len);
        self.push(value);
        // SAFETY: rotates initialised elements of one kind.
        unsafe {
            match self.elements() {
                Elements::Values => {
                    core::slice::from_raw_parts_mut(self.data.cast::<Value>(), self.len)[index..]
                        .rotate_right(1)
                }
                Elements::Bools => {
                    core::slice::from_raw_parts_mut(self.data, self.len)[index..].rotate_right(1);
                }
                Elements::Ints | Elements::Floats => {
                    core::slice::from_raw_parts_mut(self.data.cast::<u64>(), self.len)[index..]
                        .rotate_right(1);
                }
                Elements::Structs => {
                    let fields = self.struct_size() / 8;
                    let words = self.len * fields;
                    core::slice::from_raw_parts_mut(self.data.cast::<u64>(), words)
                        [index * fields..]
                        .rotate_right(fields);
                }
            }
        }
    }

    /// Removes and returns the element at `index`, which must be in bounds.
    pub fn remove(&mut self, index: usize) -> Value {
        assert!(index < self.len, "array index {index} of {}", self.len);
        let size = self.element_size();
        // SAFETY: the element is moved out and the gap closed.
        unsafe {
            let removed = self.read(index);
            let gap = self.data.add(index * size);
            core::ptr::copy(gap.add(size), gap, (self.len - index - 1) * size);
            self.len -= 1;
            removed
        }
    }

    /// Drops all elements; keeps the buffer.
    pub fn clear(&mut self) {
        self.drop_elements();
        self.len = 0;
        self.header.depth = 1;
    }

    /// Makes room for `extra` more elements of the present kind.
    pub fn reserve(&mut self, extra: usize) {
        if self.len + extra > self.capacity() {
            self.grow(self.len + extra);
        }
    }

    /// Appends all elements of `other`.
    pub fn extend(&mut self, other: &Array) {
        if self.len == 0 {
            self.become_flat_as(other);
        }
        let is_flat = self.elements() != Elements::Values && self.is_laid_out_as(other);
        if is_flat && (self.len > 0 || self.form != 0) {
            self.reserve(other.len);
            let size = self.element_size();
            // SAFETY: same flat kind; room was made.
            unsafe {
                core::ptr::copy_nonoverlapping(
                    other.data,
                    self.data.add(self.len * size),
                    other.len * size,
                );
            }
            self.len += other.len;
            return;
        }
        for index in 0..other.len {
            self.push(other.get(index));
        }
    }

    /// A new array of the elements `start..end`, with room for `capacity`.
    pub fn copy_range(&self, start: usize, end: usize, capacity: usize) -> Ref<Array> {
        assert!(
            start <= end && end <= self.len,
            "array range {start}..{end} of {}",
            self.len
        );
        let size = self.element_size();
        let room = byte_size(size, capacity.max(end - start));
        let copy = Array::with_room(self.elements(), room);
        // SAFETY: room was made; whole values are cloned, flat ones copied.
        unsafe {
            let target = &mut *copy.as_ptr();
            target.header.depth = self.header.depth;
            target.form = self.form;
            target.def = self.def.clone();
            if let Some(values) = self.as_values() {
                for value in &values[start..end] {
                    target
                        .data
                        .cast::<Value>()
                        .add(target.len)
                        .write(value.clone());
                    target.len += 1;
                }
            } else {
                core::ptr::copy_nonoverlapping(
                    self.data.add(start * size),
                    target.data,
                    (end - start) * size,
                );
                target.len = end - start;
            }
        }
        copy
    }

    /// The elements one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value> + DoubleEndedIterator + '_ {
        (0..self.len).map(|index| self.get(index))
    }

    /// Widens to whole values if `value` does not fit the present kind.
    #[inline(always)]
    fn accept(&mut self, value: &Value) {
        let elements = self.elements();
        let fits = match elements {
            Elements::Values => true,
            Elements::Structs => self.has_layout_of(value),
            scalars => Elements::for_tag(value.tag()) == scalars,
        };
        if !fits {
            self.widen();
        }
    }

    /// Turns a flat array into one of whole values.
    #[cold]
    pub fn widen(&mut self) {
        if self.elements() == Elements::Values {
            return;
        }
        let bytes = byte_size(Elements::Values.size(), self.len.max(4));
        // SAFETY: a new buffer takes every element over; the old one is freed
        // unless it is the object's own room.
        unsafe {
            let wide: *mut Value = allocator::allocate(bytes).cast();
            for index in 0..self.len {
                wide.add(index).write(self.get(index));
            }
            if self.buffer_size != 0 {
                allocator::free(self.data, self.buffer_size);
            }
            self.data = wide.cast();
            self.buffer_size = bytes;
        }
        self.header.flags = Elements::Values as u8;
        self.form = 0;
        self.def = None;
    }

    /// Makes room for at least `needed` elements: twice as many as there are, or
    /// half as many again if that is much.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, needed: usize) {
        let size = self.element_size();
        let more = match self.len * size < DOUBLED {
            true => self.len,
            false => self.len / 2,
        };
        let wanted = needed.max(self.len + more).max(32 / size);
        let bytes = byte_size(size, wanted).next_multiple_of(16);
        // SAFETY: the elements move to the new buffer bit by bit.
        unsafe {
            if self.buffer_size != 0 {
                self.data = allocator::reallocate(self.data, self.buffer_size, bytes);
            } else {
                let buffer = allocator::allocate(bytes);
                core::ptr::copy_nonoverlapping(self.data, buffer, self.len * size);
                self.data = buffer;
            }
        }
        self.buffer_size = bytes;
    }

    /// Moves the element at `index` out.
    ///
    /// # Safety
    /// The index was in bounds, and the element is not used again.
    unsafe fn read(&self, index: usize) -> Value {
        // SAFETY: the caller vouches for it.
        unsafe {
            match self.elements() {
                Elements::Values => self.data.cast::<Value>().add(index).read(),
                Elements::Ints => Value::int(*self.data.cast::<i64>().add(index)),
                Elements::Floats => Value::float(*self.data.cast::<f64>().add(index)),
                Elements::Bools => Value::bool(*self.data.add(index) != 0),
                Elements::Structs => self.struct_at(index),
            }
        }
    }

    fn drop_elements(&mut self) {
        if self.elements() == Elements::Values {
            // SAFETY: the caller forgets or frees the elements right after.
            unsafe {
                core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
                    self.data.cast::<Value>(),
                    self.len,
                ));
            }
        }
    }
}

/// Bytes of elements up to which there is room made for as many again.
const DOUBLED: usize = 32 << 10;

/// Bytes for `count` elements of a size; ends the process if that is beyond any
/// memory.
fn byte_size(size: usize, count: usize) -> usize {
    match count.checked_mul(size) {
        Some(bytes) if bytes <= isize::MAX as usize => bytes,
        _ => allocator::out_of_memory(usize::MAX),
    }
}
