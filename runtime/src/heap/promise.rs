//! Promises: results that may be errors, kept for whoever awaits them.

use super::{Header, Object, Ref, allocator};
use crate::value::{Tag, Value};
use alloc::string::String;
use core::mem::size_of;

/// What became of the work.
#[derive(Debug)]
pub enum Outcome {
    Fulfilled(Value),
    Rejected {
        message: String,
        /// What was thrown; `None` for runtime errors.
        thrown: Option<Value>,
        /// The promise was made by a built-in, which shows in the message.
        by_builtin: bool,
    },
}

/// A promise object.
#[repr(C)]
pub struct Promise {
    header: Header,
    pub outcome: Outcome,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Promise {
    const TAG: Tag = Tag::Promise;

    unsafe fn destroy(object: *mut Promise) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Promise>());
        }
    }
}

impl Promise {
    pub fn new(outcome: Outcome) -> Ref<Promise> {
        let object: *mut Promise = allocator::allocate(size_of::<Promise>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Promise {
                header: Header::new(Tag::Promise),
                outcome,
            });
            Ref::from_raw(object)
        }
    }

    /// The values that it holds.
    pub fn held(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Fulfilled(value) => Some(value),
            Outcome::Rejected { thrown, .. } => thrown.as_ref(),
        }
    }
}
