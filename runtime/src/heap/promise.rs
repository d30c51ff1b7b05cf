//! Promises: results that may be errors, or that are still to come.

use super::{Header, Object, Ref, Shared, allocator};
use crate::value::{Tag, Value};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem::size_of;

/// What became of the work.
#[derive(Clone, Debug)]
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

/// What has to happen before there is an outcome.  Times are the monotonic
/// clock's nanoseconds.
pub enum Pending {
    /// Null, at that time.
    Timer(u64),
    /// What becomes of the inner promise until that time.
    Timeout {
        inner: Value,
        at: u64,
        milliseconds: i64,
    },
    /// The results of all that are promises among the values, and the others.
    All {
        values: Vec<Value>,
        /// The outcome is the array of results, and not null.
        keeps: bool,
    },
    /// The result of a function in the background.
    Task(Shared),
}

/// How far the work is.
pub enum State {
    Pending(Pending),
    Settled {
        outcome: Outcome,
        /// When that was; 0 for what was settled from the start.
        at: u64,
    },
}

/// A promise object.
#[repr(C)]
pub struct Promise {
    header: Header,
    pub state: RefCell<State>,
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
    pub fn new(state: State) -> Ref<Promise> {
        let object: *mut Promise = allocator::allocate(size_of::<Promise>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Promise {
                header: Header::new(Tag::Promise),
                state: RefCell::new(state),
            });
            Ref::from_raw(object)
        }
    }

    pub fn settled(outcome: Outcome) -> Ref<Promise> {
        Promise::new(State::Settled { outcome, at: 0 })
    }

    pub fn pending(pending: Pending) -> Ref<Promise> {
        Promise::new(State::Pending(pending))
    }

    /// Visits the values that it holds.
    pub fn each(&self, mut visit: impl FnMut(&Value)) {
        match &*self.state.borrow() {
            State::Settled {
                outcome: Outcome::Fulfilled(value),
                ..
            } => visit(value),
            State::Settled {
                outcome: Outcome::Rejected { thrown, .. },
                ..
            } => thrown.iter().for_each(visit),
            State::Pending(Pending::Timeout { inner, .. }) => visit(inner),
            State::Pending(Pending::All { values, .. }) => values.iter().for_each(visit),
            State::Pending(Pending::Timer(_) | Pending::Task(_)) => {}
        }
    }
}
