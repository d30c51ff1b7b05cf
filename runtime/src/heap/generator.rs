//! Generators: functions that stop in the middle and go on when asked.
//!
//! A generator that is not running owns its frame: slots, then operands.  The
//! frame lies behind the object, so generated code finds it without looking.
//! Who executes the generator is behind a function pointer, as for functions.

use super::cycles::{self, Root};
use super::{Function, Object, Ref, allocator};
use crate::call::Resume;
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use core::mem::{offset_of, size_of};
use core::ptr::slice_from_raw_parts_mut;

/// Where a generator is in its life.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratorState {
    /// Nobody has asked for a value yet.
    Fresh = 0,
    /// It waits at a `yield`.
    Suspended = 1,
    /// It is at work, further down on the call stack.
    Running = 2,
    /// It has come to its end.
    Finished = 3,
}

/// A generator object.
#[repr(C)]
pub struct Generator {
    root: Root,
    pub resume: Resume,
    /// Where it goes on; the engine's affair.
    pub position: usize,
    pub state: GeneratorState,
    /// Values that wait in the frame.
    len: u32,
    /// Values that the frame has room for.
    room: usize,
    /// The function object that it runs.
    pub function: Ref<Function>,
}

/// Where generated code finds the function object that a generator runs.
pub const FUNCTION_OFFSET: usize = offset_of!(Generator, function);
/// Where it finds the code that goes on with it.
pub const RESUME_OFFSET: usize = offset_of!(Generator, resume);
/// Which `yield` it waits at, counted from 1.
pub const POSITION_OFFSET: usize = offset_of!(Generator, position);
/// Its `GeneratorState`, in 32 bits.
pub const STATE_OFFSET: usize = offset_of!(Generator, state);
/// How many values wait in its frame, in 32 bits.
pub const LEN_OFFSET: usize = offset_of!(Generator, len);
/// Where its frame begins.
pub const FRAME_OFFSET: usize = size_of::<Generator>();

const _: () = assert!(FRAME_OFFSET.is_multiple_of(align_of::<Value>()));

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Generator {
    const TAG: Tag = Tag::Generator;

    unsafe fn destroy(object: *mut Generator) {
        // SAFETY: dead; it is unlinked, dropped once, then freed.
        unsafe {
            cycles::unlink(object.cast());
            let size = Generator::size((*object).room);
            let frame = slice_from_raw_parts_mut(Generator::frame_of(object), (*object).waiting());
            core::ptr::drop_in_place(object);
            core::ptr::drop_in_place(frame);
            allocator::free(object.cast(), size);
        }
    }
}

impl Generator {
    /// A generator whose frame has room for so many values and is empty.
    pub fn new(function: Ref<Function>, resume: Resume, room: usize) -> Ref<Generator> {
        cycles::make_room();
        // SAFETY: fresh memory of that size, linked into the thread's chain.
        unsafe {
            let object: *mut Generator = allocator::allocate(Generator::size(room)).cast();
            object.write(Generator {
                root: Root::new(Tag::Generator),
                resume,
                position: 0,
                state: GeneratorState::Fresh,
                len: 0,
                room,
                function,
            });
            cycles::link(object.cast());
            Ref::from_raw(object)
        }
    }

    const fn size(room: usize) -> usize {
        FRAME_OFFSET + room * size_of::<Value>()
    }

    /// The address of a generator's frame.
    ///
    /// # Safety
    /// The generator is live.
    #[inline(always)]
    pub unsafe fn frame_of(object: *mut Generator) -> *mut Value {
        // SAFETY: the frame lies behind the object, in the same block.
        unsafe { object.byte_add(FRAME_OFFSET).cast() }
    }

    /// How many values the frame has room for.
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many values wait in the frame.  While the generator runs they are
    /// its engine's, and at its end there are none.
    fn waiting(&self) -> usize {
        match self.state {
            GeneratorState::Fresh | GeneratorState::Suspended => self.len as usize,
            GeneratorState::Running | GeneratorState::Finished => 0,
        }
    }

    /// The values that wait in the frame.
    pub fn frame(&self) -> &[Value] {
        let object = core::ptr::from_ref(self).cast_mut();
        // SAFETY: so many values were written to the frame, and are the generator's.
        unsafe { core::slice::from_raw_parts(Generator::frame_of(object), self.waiting()) }
    }

    /// Says how many values wait in the frame.
    ///
    /// # Safety
    /// They were written to it, no more than there is room for; those that
    /// waited there before are no longer the generator's.
    pub unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.room);
        self.len = len as u32;
    }

    /// Puts values into the frame, which is empty.
    pub fn fill(&mut self, mut values: Vec<Value>) {
        assert!(self.waiting() == 0 && values.len() <= self.room);
        // SAFETY: there is room; the values move into the frame.
        unsafe {
            let frame = Generator::frame_of(self);
            core::ptr::copy_nonoverlapping(values.as_ptr(), frame, values.len());
            self.set_len(values.len());
            values.set_len(0);
        }
    }

    /// Ends a generator that is not running; gives what waited in its frame.
    pub fn finish(&mut self) -> Vec<Value> {
        let len = self.waiting();
        let mut values = Vec::with_capacity(len);
        self.state = GeneratorState::Finished;
        // SAFETY: the values move out of the frame, which holds none from now on.
        unsafe {
            let frame = Generator::frame_of(self);
            core::ptr::copy_nonoverlapping(frame, values.as_mut_ptr(), len);
            values.set_len(len);
        }
        values
    }
}
