//! Generators: functions that stop in the middle and go on when asked.
//!
//! A generator that is not running owns its frame: slots, then operands.  Who
//! executes it is behind a function pointer, as for functions.

use super::cycles::{self, Root};
use super::{Function, Object, Ref, allocator};
use crate::call::Resume;
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use core::mem::size_of;

/// Where a generator is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratorState {
    /// Nobody has asked for a value yet.
    Fresh,
    /// It waits at a `yield`.
    Suspended,
    /// It is at work, further down on the call stack.
    Running,
    /// It has come to its end.
    Finished,
}

/// A generator object.
#[repr(C)]
pub struct Generator {
    root: Root,
    pub resume: Resume,
    pub state: GeneratorState,
    /// Where it goes on; the engine's affair.
    pub position: usize,
    /// The function object that it runs.
    pub function: Ref<Function>,
    /// Slots, then operands, while it is not running.
    pub frame: Vec<Value>,
}

/// Where generated code finds the function object that a generator runs.
pub const FUNCTION_OFFSET: usize = core::mem::offset_of!(Generator, function);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Generator {
    const TAG: Tag = Tag::Generator;

    unsafe fn destroy(object: *mut Generator) {
        // SAFETY: dead; it is unlinked, dropped once, then freed.
        unsafe {
            cycles::unlink(object.cast());
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Generator>());
        }
    }
}

impl Generator {
    /// A generator that starts with these slots.
    pub fn new(function: Ref<Function>, resume: Resume, frame: Vec<Value>) -> Ref<Generator> {
        cycles::make_room();
        // SAFETY: fresh memory of that size, linked into the thread's chain.
        unsafe {
            let object: *mut Generator = allocator::allocate(size_of::<Generator>()).cast();
            object.write(Generator {
                root: Root::new(Tag::Generator),
                resume,
                state: GeneratorState::Fresh,
                position: 0,
                function,
                frame,
            });
            cycles::link(object.cast());
            Ref::from_raw(object)
        }
    }
}
