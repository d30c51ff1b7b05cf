//! The 16-byte value: a tag and a payload, owned.
//!
//! Ints are whole `i64`s, floats whole `f64`s; everything from `Tag::String`
//! on is a pointer to a counted heap object.  A `Value` owns one count:
//! `clone` takes another, `drop` gives it back.  What an object looks like
//! inside is the business of `heap`; what operators mean is `semantics`'.

use crate::heap::{self, Header, Object, Ref};
use core::mem::{ManuallyDrop, size_of};

/// What a value is.  The order matters: tags from `String` on are counted.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// A variable that does not hold a value (yet); never visible to programs.
    Unset = 0,
    Null = 1,
    Bool = 2,
    Int = 3,
    Float = 4,
    /// A built-in function; the payload points at its static table row.
    Builtin = 5,
    String = 8,
    Array = 9,
    Dict = 10,
    Struct = 11,
    /// `Ok Err Some None` and the values of enums.
    Variant = 12,
    /// A Ruff function with what it captured.
    Function = 13,
    StructDef = 14,
    EnumDef = 15,
    /// A method together with its receiver (`o.m` without a call).
    BoundMethod = 16,
    Generator = 17,
    Iterator = 18,
    Promise = 19,
    Channel = 20,
    Bytes = 21,
    Set = 22,
    Queue = 23,
    Stack = 24,
    TaskHandle = 25,
    /// A captured variable; never visible to programs.
    Cell = 26,
}

/// The tag word by which native code and helpers say "an error is pending".
/// It is not a `Tag`: no `Value` ever carries it.
pub const RAISED: u64 = 255;

/// The first tag whose payload is a counted pointer.
pub const FIRST_COUNTED: u64 = Tag::String as u64;

/// A Ruff value.
#[repr(C)]
pub struct Value {
    tag: Tag,
    payload: u64,
}

const _: () = assert!(size_of::<Value>() == 16);
const _: () = assert!(size_of::<Option<Value>>() == 16);

/// The two words of a value without ownership, as native code passes them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawValue {
    pub tag: u64,
    pub payload: u64,
}

impl RawValue {
    /// What a helper returns when it has left an error pending.
    pub const RAISED: RawValue = RawValue {
        tag: RAISED,
        payload: 0,
    };
}

impl Value {
    pub const UNSET: Value = Value {
        tag: Tag::Unset,
        payload: 0,
    };
    pub const NULL: Value = Value {
        tag: Tag::Null,
        payload: 0,
    };
    pub const TRUE: Value = Value {
        tag: Tag::Bool,
        payload: 1,
    };
    pub const FALSE: Value = Value {
        tag: Tag::Bool,
        payload: 0,
    };

    #[inline(always)]
    pub const fn int(value: i64) -> Value {
        Value {
            tag: Tag::Int,
            payload: value as u64,
        }
    }

    #[inline(always)]
    pub const fn float(value: f64) -> Value {
        Value {
            tag: Tag::Float,
            payload: value.to_bits(),
        }
    }

    #[inline(always)]
    pub const fn bool(value: bool) -> Value {
        Value {
            tag: Tag::Bool,
            payload: value as u64,
        }
    }

    /// A built-in function, by its table row.
    #[inline]
    pub fn builtin(row: &'static crate::builtins::Builtin) -> Value {
        Value {
            tag: Tag::Builtin,
            payload: core::ptr::from_ref(row) as u64,
        }
    }

    /// A string with this text.
    #[inline]
    pub fn string(text: &str) -> Value {
        Value::from(heap::Str::new(text))
    }

    #[inline(always)]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// The payload word; what it means depends on the tag.
    #[inline(always)]
    pub const fn payload(&self) -> u64 {
        self.payload
    }

    #[inline(always)]
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    #[inline(always)]
    pub fn is_unset(&self) -> bool {
        self.tag == Tag::Unset
    }

    /// Whether the payload is a pointer to a counted object.
    #[inline(always)]
    pub fn is_counted(&self) -> bool {
        self.tag as u64 >= FIRST_COUNTED
    }

    #[inline(always)]
    pub fn as_int(&self) -> Option<i64> {
        (self.tag == Tag::Int).then_some(self.payload as i64)
    }

    #[inline(always)]
    pub fn as_float(&self) -> Option<f64> {
        (self.tag == Tag::Float).then_some(f64::from_bits(self.payload))
    }

    #[inline(always)]
    pub fn as_bool(&self) -> Option<bool> {
        (self.tag == Tag::Bool).then_some(self.payload != 0)
    }

    /// An int or a float, as a float.
    #[inline]
    pub fn as_number(&self) -> Option<f64> {
        match self.tag {
            Tag::Int => Some(self.payload as i64 as f64),
            Tag::Float => Some(f64::from_bits(self.payload)),
            _ => None,
        }
    }

    #[inline]
    pub fn as_builtin(&self) -> Option<&'static crate::builtins::Builtin> {
        // SAFETY: only `Value::builtin` makes this tag, from a `&'static`.
        (self.tag == Tag::Builtin)
            .then(|| unsafe { &*(self.payload as *const crate::builtins::Builtin) })
    }

    /// The text, if this is a string.
    #[inline(always)]
    pub fn as_str(&self) -> Option<&str> {
        self.as_object::<heap::Str>().map(|string| string.as_str())
    }

    /// The heap object, if this value is one of kind `T`.
    #[inline(always)]
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        // SAFETY: the tag says what the pointer points at, and `self` keeps it alive.
        (self.tag == T::TAG).then(|| unsafe { &*(self.payload as *const T) })
    }

    /// A counted pointer to the heap object, if this value is one of kind `T`.
    #[inline]
    pub fn to_ref<T: Object>(&self) -> Option<Ref<T>> {
        self.as_object::<T>().map(Ref::from_borrowed)
    }

    /// Takes the value apart, if it is of kind `T`; gives it back otherwise.
    #[inline]
    pub fn into_ref<T: Object>(self) -> Result<Ref<T>, Value> {
        if self.tag != T::TAG {
            return Err(self);
        }
        let value = ManuallyDrop::new(self);
        // SAFETY: the tag says what it is; the count moves from the value to the `Ref`.
        Ok(unsafe { Ref::from_raw(value.payload as *mut T) })
    }

    /// The object for writing, if this value is one of kind `T`.  An object
    /// that others see too is copied first, so the change stays private.
    #[inline(always)]
    pub fn object_mut<T: Object + heap::Duplicate>(&mut self) -> Option<&mut T> {
        if self.tag != T::TAG {
            return None;
        }
        let mut object = self.payload as *mut T;
        // SAFETY: the tag says what it is.  After the branch this value holds
        // the only count, and `&mut self` is the only way to it.
        unsafe {
            if !(*object.cast::<Header>()).is_unique() {
                let copy = Ref::into_raw((*object).duplicate());
                heap::release(object.cast());
                object = copy;
                self.payload = copy as u64;
            }
            Some(&mut *object)
        }
    }

    /// The object for writing, without copying: only if nobody else sees it
    /// or if its kind is shared by nature (cells, generators, channels).
    ///
    /// # Safety
    /// No other reference to the object's contents may be in use.
    #[inline(always)]
    #[expect(
        clippy::mut_from_ref,
        reason = "the caller vouches that nobody else uses the object"
    )]
    pub unsafe fn object_mut_unchecked<T: Object>(&self) -> Option<&mut T> {
        // SAFETY: the tag says what it is; the caller vouches for exclusiveness.
        (self.tag == T::TAG).then(|| unsafe { &mut *(self.payload as *mut T) })
    }

    /// Levels of containers in this value: 0 for a scalar or string.
    #[inline]
    pub fn depth(&self) -> usize {
        if !self.is_counted() {
            return 0;
        }
        // SAFETY: counted values point at a live header.
        unsafe { (*(self.payload as *const Header)).depth as usize }
    }

    /// The two words; the count goes with them.
    #[inline(always)]
    pub fn into_raw(self) -> RawValue {
        let value = ManuallyDrop::new(self);
        RawValue {
            tag: value.tag as u64,
            payload: value.payload,
        }
    }

    /// # Safety
    /// The words come from `into_raw` (or follow its layout) and their count
    /// is handed over.
    #[inline(always)]
    pub unsafe fn from_raw(raw: RawValue) -> Value {
        // SAFETY: the caller vouches for the tag and for the count.
        unsafe { core::mem::transmute::<RawValue, Value>(raw) }
    }

    /// Replaces this value by `Unset` and returns it.
    #[inline(always)]
    pub fn take(&mut self) -> Value {
        core::mem::replace(self, Value::UNSET)
    }
}

impl<T: Object> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(object: Ref<T>) -> Value {
        Value {
            tag: T::TAG,
            payload: Ref::into_raw(object) as u64,
        }
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if self.is_counted() {
            // SAFETY: counted values point at a live header.
            unsafe { heap::retain(self.payload as *mut Header) };
        }
        Value {
            tag: self.tag,
            payload: self.payload,
        }
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_counted() {
            // SAFETY: counted values own one count of a live object.
            unsafe { heap::release(self.payload as *mut Header) };
        }
    }
}

impl Default for Value {
    fn default() -> Value {
        Value::NULL
    }
}
