//! Structs: instances with their shapes, and declarations as values.
//!
//! A shape says which field lives where; instances with the same fields added
//! in the same order share one, so generated code compares one pointer and
//! then knows every offset.  Shapes live as long as the context that made them.

use super::array::flat::Layout;
use super::{Duplicate, Header, Object, Ref, Str, allocator};
use crate::names::NameId;
use crate::value::{Tag, Value};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::OnceCell;
use core::mem::{offset_of, size_of};

/// The fields of a struct instance and their order.
#[derive(Debug)]
pub struct Shape {
    /// The struct's name, for display and equality.
    pub name: NameId,
    /// Field names by position.
    pub fields: Box<[NameId]>,
    /// Positions in the order of display (by name).
    pub sorted: Vec<u32>,
    /// A caught error: shows no `value`, and missing fields are looked for
    /// in what was thrown.
    pub is_error: bool,
    /// All threads of the program know it at this address.
    pub is_everywhere: bool,
}

/// Where debuggers find the name of a shape (32 bits).
pub const SHAPE_NAME_OFFSET: usize = offset_of!(Shape, name);
/// Where debuggers find the address of the field names, and behind it how many.
pub const SHAPE_FIELDS_OFFSET: usize = offset_of!(Shape, fields);

impl Shape {
    /// The position of a field.
    #[inline]
    pub fn position(&self, field: NameId) -> Option<usize> {
        self.fields.iter().position(|name| *name == field)
    }
}

/// A struct instance; one value per field of its shape follows it.
/// `Unset` marks a declared field that is absent.
#[repr(C)]
pub struct Record {
    header: Header,
    shape: *const Shape,
    /// The declaration, for methods; `None` for a struct without one.
    def: Option<Ref<StructDef>>,
}

/// Where generated code finds the shape pointer.
pub const SHAPE_OFFSET: usize = offset_of!(Record, shape);
/// Where generated code finds the pointer to the declaration, or null.
pub const DEF_OFFSET: usize = offset_of!(Record, def);
/// Where the field values start.
pub const FIELDS_OFFSET: usize = size_of::<Record>();
/// Where generated code marks an instance.
pub const MARK_OFFSET: usize = offset_of!(Header, flags);
/// The mark of an instance that an empty array shall take flat.
pub const LIES_FLAT: u8 = 1;

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Record {
    const TAG: Tag = Tag::Struct;

    unsafe fn destroy(object: *mut Record) {
        // SAFETY: dead; everything it owns is dropped once, then freed.
        unsafe {
            let count = (*object).shape().fields.len();
            core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
                fields_of(object),
                count,
            ));
            core::ptr::drop_in_place(&raw mut (*object).def);
            allocator::free(object.cast(), FIELDS_OFFSET + count * size_of::<Value>());
        }
    }
}

impl Duplicate for Record {
    fn duplicate(&self) -> Ref<Record> {
        // SAFETY: the shape outlives every instance.
        let copy = unsafe { Record::unset(self.shape, self.def.clone()) };
        // SAFETY: made here, so unique; both have the same number of fields.
        unsafe {
            let target = &mut *copy.as_ptr();
            target.header.depth = self.header.depth;
            for (place, value) in target.fields_mut().iter_mut().zip(self.fields()) {
                *place = value.clone();
            }
        }
        copy
    }
}

impl Record {
    /// An instance with every field absent.
    ///
    /// # Safety
    /// `shape` outlives the instance.
    pub unsafe fn unset(shape: *const Shape, def: Option<Ref<StructDef>>) -> Ref<Record> {
        // SAFETY: the caller vouches for the shape; the memory is fresh.
        unsafe {
            let fields = &(*shape).fields;
            let count = fields.len();
            let object: *mut Record =
                allocator::allocate(FIELDS_OFFSET + count * size_of::<Value>()).cast();
            let mut header = Header::new(Tag::Struct);
            header.depth = 1;
            object.write(Record { header, shape, def });
            for index in 0..count {
                fields_of(object).add(index).write(Value::UNSET);
            }
            Ref::from_raw(object)
        }
    }

    /// An instance with these values, which are taken, as its fields in order.
    ///
    /// # Safety
    /// `shape` outlives the instance and has as many fields.
    pub unsafe fn from_values(
        shape: *const Shape,
        def: Option<Ref<StructDef>>,
        values: &mut [Value],
    ) -> Ref<Record> {
        let size = FIELDS_OFFSET + size_of_val(values);
        let object: *mut Record = allocator::allocate(size).cast();
        let mut header = Header::new(Tag::Struct);
        header.depth = 1;
        // SAFETY: fresh memory of that size; the caller vouches for the shape.
        unsafe {
            object.write(Record { header, shape, def });
            for (index, value) in values.iter_mut().enumerate() {
                (*object).header.deepen(value.depth());
                fields_of(object).add(index).write(core::mem::take(value));
            }
            Ref::from_raw(object)
        }
    }

    /// Memory for an instance whose fields the caller writes before anything
    /// else happens; with them it has `depth` levels.
    ///
    /// # Safety
    /// `shape` outlives the instance.
    #[inline]
    pub unsafe fn unfilled(shape: *const Shape, def: Ref<StructDef>, depth: u16) -> *mut Record {
        // SAFETY: the caller vouches for the shape; the memory is fresh.
        unsafe {
            let fields = &(*shape).fields;
            let size = FIELDS_OFFSET + fields.len() * size_of::<Value>();
            let object: *mut Record = allocator::allocate(size).cast();
            let mut header = Header::new(Tag::Struct);
            header.depth = depth;
            object.write(Record {
                header,
                shape,
                def: Some(def),
            });
            object
        }
    }

    #[inline(always)]
    pub fn shape(&self) -> &Shape {
        // SAFETY: shapes outlive instances.
        unsafe { &*self.shape }
    }

    #[inline(always)]
    pub fn def(&self) -> Option<&StructDef> {
        self.def.as_deref()
    }

    /// Writes a field of an instance that has none there yet.
    ///
    /// # Safety
    /// The shape has a field at this position.
    pub(super) unsafe fn fill(object: *mut Record, position: usize, value: Value) {
        // SAFETY: the caller vouches for it.
        unsafe { fields_of(object).add(position).write(value) }
    }

    /// Whether an empty array that it is appended to takes it flat.
    #[inline(always)]
    pub(super) fn is_to_lie_flat(&self) -> bool {
        self.header.flags == LIES_FLAT
    }

    /// The field values by position.
    #[inline(always)]
    pub fn fields(&self) -> &[Value] {
        // SAFETY: one value per field follows the object.
        unsafe {
            core::slice::from_raw_parts(
                fields_of(core::ptr::from_ref(self).cast_mut()),
                self.shape().fields.len(),
            )
        }
    }

    /// The field values for writing.  Call `note_depth` after storing one.
    #[inline(always)]
    pub fn fields_mut(&mut self) -> &mut [Value] {
        let count = self.shape().fields.len();
        // SAFETY: one value per field follows the object; borrowed through `&mut self`.
        unsafe { core::slice::from_raw_parts_mut(fields_of(self), count) }
    }

    /// A field's value, unless it is absent.
    #[inline]
    pub fn get(&self, field: NameId) -> Option<&Value> {
        let position = self.shape().position(field)?;
        let value = &self.fields()[position];
        if value.is_unset() { None } else { Some(value) }
    }

    /// Takes account of a field that was stored.
    pub fn note_depth(&mut self, depth: usize) {
        self.header.deepen(depth);
    }

    /// The same instance with one field more, at the end of `shape`.
    ///
    /// # Safety
    /// `shape` has this instance's fields and then one more; it outlives the instance.
    pub unsafe fn extended(&self, shape: *const Shape, value: Value) -> Ref<Record> {
        // SAFETY: the caller vouches for the shape; the copy is unique.
        unsafe {
            let copy = Record::unset(shape, self.def.clone());
            let target = &mut *copy.as_ptr();
            target.header.depth = self.header.depth;
            target.header.deepen(value.depth());
            let last = target.fields_mut().len() - 1;
            for (place, old) in target.fields_mut().iter_mut().zip(self.fields()) {
                *place = old.clone();
            }
            target.fields_mut()[last] = value;
            copy
        }
    }
}

#[inline(always)]
fn fields_of(object: *mut Record) -> *mut Value {
    // SAFETY: the fields follow the object.
    unsafe { object.cast::<u8>().add(FIELDS_OFFSET).cast() }
}

/// A struct declaration as a value: what `Name.method()` and instances refer to.
#[repr(C)]
pub struct StructDef {
    header: Header,
    pub name: NameId,
    /// The image's number of the declaration (`bytecode::StructInfo`).
    pub declaration: u32,
    /// Names and function values of the methods.
    pub methods: Vec<(NameId, Value)>,
    /// The function that computes the default of a declared field, by position.
    pub defaults: Vec<(u32, Value)>,
    /// How its instances lie flat in arrays, once some do.
    pub(super) layout: OnceCell<Layout>,
}

/// Where generated code finds a declaration's number (32 bits).
pub const DECLARATION_OFFSET: usize = offset_of!(StructDef, declaration);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for StructDef {
    const TAG: Tag = Tag::StructDef;

    unsafe fn destroy(object: *mut StructDef) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<StructDef>());
        }
    }
}

impl StructDef {
    pub fn new(
        name: NameId,
        declaration: u32,
        methods: Vec<(NameId, Value)>,
        defaults: Vec<(u32, Value)>,
    ) -> Ref<StructDef> {
        let object: *mut StructDef = allocator::allocate(size_of::<StructDef>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(StructDef {
                header: Header::new(Tag::StructDef),
                name,
                declaration,
                methods,
                defaults,
                layout: OnceCell::new(),
            });
            Ref::from_raw(object)
        }
    }

    /// The method of that name.
    #[inline]
    pub fn method(&self, name: NameId) -> Option<&Value> {
        self.methods
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, method)| method)
    }
}

/// An enum declaration as a value.
#[repr(C)]
pub struct EnumDef {
    header: Header,
    pub name: Ref<Str>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for EnumDef {
    const TAG: Tag = Tag::EnumDef;

    unsafe fn destroy(object: *mut EnumDef) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<EnumDef>());
        }
    }
}

impl EnumDef {
    pub fn new(name: Ref<Str>) -> Ref<EnumDef> {
        let object: *mut EnumDef = allocator::allocate(size_of::<EnumDef>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(EnumDef {
                header: Header::new(Tag::EnumDef),
                name,
            });
            Ref::from_raw(object)
        }
    }
}
