//! `Ok Err Some None` and the values of enums: a name and a payload.

use super::{Duplicate, Header, Object, Ref, Str, allocator};
use crate::value::{Tag, Value};
use core::mem::{offset_of, size_of};

/// Which of the built-in variants it is, or that it is an enum's.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariantKind {
    Ok = 0,
    Err = 1,
    Some = 2,
    None = 3,
    /// `E::V`
    Tagged = 4,
}

impl VariantKind {
    /// The name of a built-in variant; empty for an enum's.
    pub const fn name(self) -> &'static str {
        match self {
            VariantKind::Ok => "Ok",
            VariantKind::Err => "Err",
            VariantKind::Some => "Some",
            VariantKind::None => "None",
            VariantKind::Tagged => "",
        }
    }
}

/// A variant object; its payload values follow it.  `header.flags` is its
/// `VariantKind`.
#[repr(C)]
pub struct Variant {
    header: Header,
    /// The enum's name; `None` for the built-in variants.
    enum_name: Option<Ref<Str>>,
    /// The variant's name; `None` for the built-in variants.
    name: Option<Ref<Str>>,
    len: u32,
    /// The program's number for the two names; `NO_ID` for the built-in variants.
    id: u32,
}

/// What the built-in variants have for a number.
pub const NO_ID: u32 = u32::MAX;

/// Where generated code finds the `VariantKind` (one byte).
pub const KIND_OFFSET: usize = offset_of!(Header, flags);
/// Where debuggers find the enum's name, or null.
pub const ENUM_NAME_OFFSET: usize = offset_of!(Variant, enum_name);
/// Where debuggers find the variant's name, or null.
pub const NAME_OFFSET: usize = offset_of!(Variant, name);
/// Where generated code finds the number of the variant's names (32 bits).
pub const ID_OFFSET: usize = offset_of!(Variant, id);
/// Where generated code finds the number of payload values (32 bits).
pub const LEN_OFFSET: usize = offset_of!(Variant, len);
/// Where the payload values start.
pub const PAYLOAD_OFFSET: usize = size_of::<Variant>();

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Variant {
    const TAG: Tag = Tag::Variant;

    unsafe fn destroy(object: *mut Variant) {
        // SAFETY: dead; everything it owns is dropped once, then freed.
        unsafe {
            let len = (*object).len as usize;
            core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(payload_of(object), len));
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), PAYLOAD_OFFSET + len * size_of::<Value>());
        }
    }
}

impl Duplicate for Variant {
    fn duplicate(&self) -> Ref<Variant> {
        Variant::make(
            self.kind(),
            self.enum_name.clone(),
            self.name.clone(),
            self.id,
            self.payload().to_vec().into_iter(),
        )
    }
}

impl Variant {
    /// `Ok(v)`, `Err(v)` or `Some(v)`.
    pub fn wrap(kind: VariantKind, value: Value) -> Ref<Variant> {
        Variant::make(kind, None, None, NO_ID, core::iter::once(value))
    }

    /// `None`.
    pub fn none() -> Ref<Variant> {
        Variant::make(VariantKind::None, None, None, NO_ID, core::iter::empty())
    }

    /// `E::V(payload…)`; `id` is the program's number for `E::V`.
    pub fn tagged(
        enum_name: Ref<Str>,
        name: Ref<Str>,
        id: u32,
        payload: impl ExactSizeIterator<Item = Value>,
    ) -> Ref<Variant> {
        Variant::make(
            VariantKind::Tagged,
            Some(enum_name),
            Some(name),
            id,
            payload,
        )
    }

    /// The enum's name and the variant's, of a `Tagged` one.
    pub fn names(&self) -> Option<(&Ref<Str>, &Ref<Str>)> {
        self.enum_name.as_ref().zip(self.name.as_ref())
    }

    /// A variant with any number of values; `names` as `names()` gives them.
    pub fn make(
        kind: VariantKind,
        enum_name: Option<Ref<Str>>,
        name: Option<Ref<Str>>,
        id: u32,
        payload: impl ExactSizeIterator<Item = Value>,
    ) -> Ref<Variant> {
        let len = payload.len();
        let object: *mut Variant =
            allocator::allocate(PAYLOAD_OFFSET + len * size_of::<Value>()).cast();
        let mut header = Header::new(Tag::Variant);
        header.flags = kind as u8;
        header.depth = 1;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Variant {
                header,
                enum_name,
                name,
                len: len as u32,
                id,
            });
            for (index, value) in payload.enumerate() {
                (*object).header.deepen(value.depth());
                payload_of(object).add(index).write(value);
            }
            Ref::from_raw(object)
        }
    }

    /// Memory for a built-in variant whose payload the caller writes before
    /// anything else happens; it must be no container.
    #[inline]
    pub fn unfilled(kind: VariantKind, len: usize) -> *mut Variant {
        let size = PAYLOAD_OFFSET + len * size_of::<Value>();
        let object: *mut Variant = allocator::allocate(size).cast();
        let mut header = Header::new(Tag::Variant);
        header.flags = kind as u8;
        header.depth = 1;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Variant {
                header,
                enum_name: None,
                name: None,
                len: len as u32,
                id: NO_ID,
            });
        }
        object
    }

    #[inline(always)]
    pub fn kind(&self) -> VariantKind {
        // SAFETY: only `VariantKind` values are ever stored in the flags.
        unsafe { core::mem::transmute::<u8, VariantKind>(self.header.flags) }
    }

    /// The program's number for the names; `NO_ID` for the built-in variants.
    #[inline(always)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The enum's name; empty for the built-in variants.
    pub fn enum_name(&self) -> &str {
        self.enum_name.as_ref().map_or("", |name| name.as_str())
    }

    /// The variant's name, `Ok`, `Err`, `Some` and `None` included.
    pub fn name(&self) -> &str {
        self.name
            .as_ref()
            .map_or(self.kind().name(), |name| name.as_str())
    }

    #[inline(always)]
    pub fn payload(&self) -> &[Value] {
        // SAFETY: `len` values follow the object.
        unsafe {
            core::slice::from_raw_parts(
                payload_of(core::ptr::from_ref(self).cast_mut()),
                self.len as usize,
            )
        }
    }
}

#[inline(always)]
fn payload_of(object: *mut Variant) -> *mut Value {
    // SAFETY: the payload follows the object.
    unsafe { object.cast::<u8>().add(PAYLOAD_OFFSET).cast() }
}
