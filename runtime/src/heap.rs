//! Heap objects: counting, freeing, and the layouts of each kind.
//!
//! Every object starts with a `Header`.  Counting is not atomic, since a
//! thread owns its objects.  Objects whose count is negative as an `i32` are
//! immortal: literals, and whatever was shared two thousand million times.
//! A kind's operations are methods of its type; what a program means by them
//! is `semantics`' business.

use core::cell::Cell;
use core::mem::{align_of, size_of};
use core::ops::Deref;
use core::ptr::NonNull;

pub mod allocator;
pub mod array;
pub mod buffer;
pub mod bytes;
pub mod closure;
pub mod cycles;
pub mod dict;
pub mod generator;
pub mod handle;
pub mod lazy;
pub mod promise;
pub mod queue;
pub mod record;
pub mod set;
pub mod stack;
pub mod string;
pub mod variant;

pub use allocator::Heap;
pub use array::{Array, Elements};
pub use bytes::Bytes;
pub use closure::{BoundMethod, CellObject, Function};
pub use dict::{Dict, Key};
pub use generator::{Generator, GeneratorState};
pub use handle::{Channel, Shared, TaskHandle};
pub use lazy::{Lazy, Stage};
pub use promise::{Outcome, Pending, Promise, State};
pub use queue::Queue;
pub use record::{EnumDef, Record, Shape, StructDef};
pub use set::Set;
pub use stack::Stack;
pub use string::Str;
pub use variant::{Variant, VariantKind};

use crate::value::Tag;

/// What every heap object starts with.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// Owners; negative for immortal objects.
    pub count: Cell<i32>,
    /// The object's `Tag`, narrowed.
    pub kind: u8,
    /// Meaning depends on the kind: an array's element kind, a string's ASCII flag.
    pub flags: u8,
    /// Levels of containers below and including this one; an upper bound.
    pub depth: u16,
}

/// Levels of containers that a value may have.
pub const MAX_DEPTH: usize = 4096;

/// Where generated code finds the levels of containers in an object.
pub const DEPTH_OFFSET: usize = core::mem::offset_of!(Header, depth);

const _: () = assert!(size_of::<Header>() == 8 && align_of::<Header>() <= 8);

/// The count of an object that is never freed.
pub const IMMORTAL: i32 = i32::MIN / 2;
/// The count of an immortal object that all threads may use.
pub const LITERAL: i32 = IMMORTAL + 1;

impl Header {
    /// A header for a new object with one owner.
    pub const fn new(tag: Tag) -> Header {
        Header {
            count: Cell::new(1),
            kind: tag as u64 as u8,
            flags: 0,
            depth: 0,
        }
    }

    #[inline(always)]
    pub fn is_unique(&self) -> bool {
        self.count.get() == 1
    }

    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        self.count.get() < 0
    }

    /// Whether all threads may use the object.
    #[inline(always)]
    pub fn is_literal(&self) -> bool {
        self.count.get() == LITERAL
    }

    /// Takes account of a new child: this object is at least one level deeper.
    #[inline(always)]
    pub fn deepen(&mut self, child_depth: usize) {
        let depth = (child_depth + 1).min(u16::MAX as usize) as u16;
        if depth > self.depth {
            self.depth = depth;
        }
    }
}

/// A kind of heap object.
///
/// # Safety
/// The type is `repr(C)`, starts with a `Header` whose `kind` is `TAG`, and
/// was allocated by `allocator`.
pub unsafe trait Object {
    const TAG: Tag;

    /// Drops what the object owns and frees its memory.
    ///
    /// # Safety
    /// `object` is live, its count has reached zero, and nobody uses it again.
    unsafe fn destroy(object: *mut Self);
}

/// Kinds with value semantics: copied when written while shared.
pub trait Duplicate: Object + Sized {
    /// A copy with one owner, one level deep.
    fn duplicate(&self) -> Ref<Self>;
}

/// A counted pointer to an object of kind `T`.
pub struct Ref<T: Object>(NonNull<T>);

impl<T: Object> Ref<T> {
    /// # Safety
    /// `object` is live and one of its counts is handed over.
    #[inline(always)]
    pub unsafe fn from_raw(object: *mut T) -> Ref<T> {
        // SAFETY: live objects are not null.
        Ref(unsafe { NonNull::new_unchecked(object) })
    }

    /// The pointer; its count goes with it.
    #[inline(always)]
    pub fn into_raw(this: Ref<T>) -> *mut T {
        core::mem::ManuallyDrop::new(this).0.as_ptr()
    }

    #[inline(always)]
    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Another owner of a borrowed object.
    #[inline]
    pub fn from_borrowed(object: &T) -> Ref<T> {
        let pointer = core::ptr::from_ref(object).cast_mut();
        // SAFETY: a borrowed object is live; the new count is taken here.
        unsafe {
            retain(pointer.cast());
            Ref::from_raw(pointer)
        }
    }

    #[inline(always)]
    pub fn header(&self) -> &Header {
        // SAFETY: objects start with a header.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// The object for writing, if this is its only owner.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        if !self.header().is_unique() {
            return None;
        }
        // SAFETY: unique, and borrowed through `&mut self`.
        Some(unsafe { self.0.as_mut() })
    }

    /// Makes the object immortal.  For literals, before they are shared.
    pub fn make_immortal(&self) {
        self.header().count.set(IMMORTAL);
    }
}

impl<T: Object> Deref for Ref<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a `Ref` keeps its object alive.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Object> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Ref<T> {
        Ref::from_borrowed(self)
    }
}

impl<T: Object> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: a `Ref` owns one count.
        unsafe { release(self.0.as_ptr().cast()) }
    }
}

/// Adds an owner.
///
/// # Safety
/// `object` is live.
#[inline(always)]
pub unsafe fn retain(object: *mut Header) {
    // SAFETY: the caller vouches for the object.
    let count = unsafe { &(*object).count };
    if count.get() >= 0 {
        count.set(count.get().wrapping_add(1));
    }
}

/// Gives an owner's count back; the last one frees the object.
///
/// # Safety
/// `object` is live and the caller owns the count it gives back.
#[inline(always)]
pub unsafe fn release(object: *mut Header) {
    // SAFETY: the caller vouches for the object.
    let count = unsafe { &(*object).count };
    if count.get() > 1 {
        count.set(count.get() - 1);
    } else if count.get() == 1 {
        // SAFETY: that was the last owner.
        unsafe { destroy(object) }
    }
}

/// Nested frees that run on the machine stack before the rest is put off.
const MAX_NESTED_FREES: u32 = 256;

/// Frees an object that has no owner left.
///
/// Chains of closures can be of any length, so beyond some nesting the object
/// is put on a list that the outermost free works off.
///
/// # Safety
/// `object` is live and nobody owns it.
#[inline(never)]
pub unsafe fn destroy(object: *mut Header) {
    // SAFETY: the kind says what the object is.
    unsafe {
        if is_leaf(object) {
            destroy_now(object);
        } else {
            destroy_nested(object);
        }
    }
}

/// Whether freeing an object certainly frees no other one that frees more:
/// what most short-lived objects are.
///
/// # Safety
/// `object` is live.
#[inline(always)]
unsafe fn is_leaf(object: *mut Header) -> bool {
    const STRING: u8 = Tag::String as u8;
    const ARRAY: u8 = Tag::Array as u8;
    const STRUCT: u8 = Tag::Struct as u8;
    // SAFETY: the kind says what the object is.
    unsafe {
        match (*object).kind {
            STRING => true,
            ARRAY => (*object.cast::<Array>()).elements() != Elements::Values,
            // Its declaration, should it go with it, is no leaf itself.
            STRUCT => {
                let mut fields = (*object.cast::<Record>()).fields().iter();
                fields.all(|field| !field.is_counted())
            }
            _ => false,
        }
    }
}

/// # Safety
/// As for `destroy`.
#[inline(never)]
unsafe fn destroy_nested(object: *mut Header) {
    let heap = allocator::current();
    // SAFETY: the thread's heap is only touched by its thread, and no
    // reference to it is held across the call below.
    unsafe {
        if (*heap).nested_frees >= MAX_NESTED_FREES {
            // The count is free to hold nothing now; the link lives in a side list.
            (*heap).deferred.push(object);
            return;
        }
        (*heap).nested_frees += 1;
        destroy_now(object);
        (*heap).nested_frees -= 1;
        if (*heap).nested_frees == 0 {
            while let Some(next) = (*heap).deferred.pop() {
                (*heap).nested_frees += 1;
                destroy_now(next);
                (*heap).nested_frees -= 1;
            }
        }
    }
}

/// # Safety
/// As for `destroy`.
unsafe fn destroy_now(object: *mut Header) {
    // SAFETY: the kind says what the object is.
    unsafe {
        match (*object).kind {
            8 => Str::destroy(object.cast()),
            9 => Array::destroy(object.cast()),
            10 => Dict::destroy(object.cast()),
            11 => Record::destroy(object.cast()),
            12 => Variant::destroy(object.cast()),
            13 => Function::destroy(object.cast()),
            14 => StructDef::destroy(object.cast()),
            15 => EnumDef::destroy(object.cast()),
            16 => BoundMethod::destroy(object.cast()),
            17 => Generator::destroy(object.cast()),
            18 => Lazy::destroy(object.cast()),
            19 => Promise::destroy(object.cast()),
            20 => Channel::destroy(object.cast()),
            21 => Bytes::destroy(object.cast()),
            22 => Set::destroy(object.cast()),
            23 => Queue::destroy(object.cast()),
            24 => Stack::destroy(object.cast()),
            25 => TaskHandle::destroy(object.cast()),
            26 => CellObject::destroy(object.cast()),
            kind => unreachable!("an object of unknown kind {kind}"),
        }
    }
}
