//! Iterators: a generator or another iterator, seen through a function or a
//! count.  They compute nothing before they are asked.

use super::{Header, Object, Ref, allocator};
use crate::value::{Tag, Value};
use core::cell::Cell;
use core::mem::size_of;

/// What an iterator does with what it draws.
#[derive(Debug)]
pub enum Stage {
    /// Gives what the function makes of each value.
    Map(Value),
    /// Gives the values for which the function's result is truthy.
    Filter(Value),
    /// Gives so many more values.
    Take(Cell<i64>),
    /// Drops so many more values before it gives any.
    Skip(Cell<i64>),
}

/// An iterator object.
#[repr(C)]
pub struct Lazy {
    header: Header,
    /// A generator or an iterator.
    pub source: Value,
    pub stage: Stage,
    /// The source has come to its end, or is not asked any more.
    pub is_finished: Cell<bool>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Lazy {
    const TAG: Tag = Tag::Iterator;

    unsafe fn destroy(object: *mut Lazy) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Lazy>());
        }
    }
}

impl Lazy {
    pub fn new(source: Value, stage: Stage) -> Ref<Lazy> {
        let object: *mut Lazy = allocator::allocate(size_of::<Lazy>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Lazy {
                header: Header::new(Tag::Iterator),
                source,
                stage,
                is_finished: Cell::new(false),
            });
            Ref::from_raw(object)
        }
    }

    /// The function that it calls, if it calls one.
    pub fn callback(&self) -> Option<&Value> {
        match &self.stage {
            Stage::Map(function) | Stage::Filter(function) => Some(function),
            Stage::Take(_) | Stage::Skip(_) => None,
        }
    }
}
