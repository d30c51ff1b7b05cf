//! Frames of the interpreter, and how an error leaves them.
//!
//! A frame lies on the value stack: its slots, which start with the arguments
//! as the caller pushed them; the `Link` back to the caller; its operands.
//! The caller's operands lie right below, so a call copies nothing.

use crate::bytecode::{Function, Handler, MethodSite, Op};
use crate::context::VMContext;
use crate::heap;
use crate::semantics::catch;
use crate::value::Value;
use core::mem::size_of;

/// How a frame came to be, which says what its end means.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    /// Entered from outside: the run ends with it.
    Entry,
    /// Called from the frame below.
    Call,
    /// A method called from the frame below, whose final `self` is stored back.
    Method,
    /// A generator's, resumed from outside.
    Generator,
}

/// The way back from a frame to its caller.
#[repr(C)]
pub(super) struct Link {
    pub kind: LinkKind,
    /// Where the result goes; whatever lies from here to the slots (a callee, the
    /// indexes of a receiver) is live while the frame is, and dropped with it.
    pub result: *mut Value,
    /// The caller's next instruction.
    pub pc: *const Op,
    pub slots: *mut Value,
    pub function: *const Function,
    pub callee: *const heap::Function,
    /// The method call, for `LinkKind::Method`.
    pub site: *const MethodSite,
}

/// Places on the value stack that a link takes.
pub(super) const LINK_PLACES: usize = size_of::<Link>().div_ceil(size_of::<Value>());

/// Where a run is: the frame on top and its next instruction.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub pc: *const Op,
    /// The first free place of the value stack.
    pub sp: *mut Value,
    pub slots: *mut Value,
    pub function: *const Function,
    /// The function object that runs.
    pub callee: *const heap::Function,
}

impl State {
    /// # Safety
    /// The state is that of a live frame.
    #[inline(always)]
    pub unsafe fn link(&self) -> *mut Link {
        // SAFETY: the link follows the slots.
        unsafe { self.slots.add((*self.function).slots as usize).cast() }
    }

    /// Where the frame's operands start.
    ///
    /// # Safety
    /// As for `link`.
    #[inline(always)]
    pub unsafe fn operands(&self) -> *mut Value {
        // SAFETY: the operands follow the link.
        unsafe { self.link().cast::<Value>().add(LINK_PLACES) }
    }

    /// The number of the instruction before the next one.
    unsafe fn instruction(&self) -> u32 {
        // SAFETY: the next instruction is one of the function's, and not its first.
        unsafe { (self.pc.offset_from_unsigned((*self.function).code.as_ptr()) - 1) as u32 }
    }
}

/// Whether a frame of this function fits above `slots` and on the call stack.
#[inline(always)]
pub(super) fn fits(ctx: &VMContext, function: &Function, slots: *mut Value) -> bool {
    let places = function.slots as usize + LINK_PLACES + function.max_stack as usize;
    let room = (ctx.stack.limit as usize).saturating_sub(slots as usize) / size_of::<Value>();
    places <= room && ctx.trace_top < ctx.trace_limit
}

/// Drops the values from `start` up to `end`.
///
/// # Safety
/// They are live, and nobody uses them again.
#[inline(always)]
pub(super) unsafe fn drop_range(start: *mut Value, end: *mut Value) {
    let mut place = start;
    while place < end {
        // SAFETY: the caller vouches for the range.
        unsafe {
            core::ptr::drop_in_place(place);
            place = place.add(1);
        }
    }
}

/// Drops a frame's slots and takes it off the call stack.
/// Gives its link.
///
/// # Safety
/// `state` is that of the frame on top, whose operands are gone.
#[inline(always)]
pub(super) unsafe fn leave(ctx: &mut VMContext, state: &State) -> *mut Link {
    // SAFETY: the frame is live and ends here.
    unsafe {
        let link = state.link();
        drop_range(state.slots, link.cast());
        if !(*state.function).info.flags.is_top_level {
            ctx.trace_top = ctx.trace_top.sub(1);
        }
        link
    }
}

/// Takes the pending error to its handler: gives the state to go on with, or
/// `None` if the run ends with the error.
///
/// # Safety
/// `state` is the run's, with exactly the live operands below `sp`.
#[cold]
#[inline(never)]
pub(super) unsafe fn unwind(ctx: &mut VMContext, mut state: State) -> Option<State> {
    loop {
        // SAFETY: the state is that of a live frame; frames are left one by one.
        unsafe {
            let id = (*state.function).info.id;
            let instruction = state.instruction();
            let position = ctx.program.program.position(id, instruction);
            catch::locate(ctx, position, ctx.trace_top);
            if ctx.exit_status.is_none() {
                if let Some(Handler { target, depth, .. }) =
                    ctx.program.program.handler(id, instruction)
                {
                    let operands = state.operands().add(depth as usize);
                    drop_range(operands, state.sp);
                    state.sp = operands;
                    state.pc = (*state.function).code.as_ptr().add(target as usize);
                    return Some(state);
                }
            }
            drop_range(state.operands(), state.sp);
            let link = leave(ctx, &state);
            drop_range((*link).result, state.slots);
            match (*link).kind {
                LinkKind::Entry | LinkKind::Generator => return None,
                LinkKind::Call | LinkKind::Method => state = caller(link),
            }
        }
    }
}

/// The state of the frame below, its operands ending where the result goes.
///
/// # Safety
/// `link` is that of the frame just left, which was called from another one.
#[inline(always)]
pub(super) unsafe fn caller(link: *mut Link) -> State {
    // SAFETY: the link lies on the stack, untouched since the frame was left.
    unsafe {
        State {
            pc: (*link).pc,
            sp: (*link).result,
            slots: (*link).slots,
            function: (*link).function,
            callee: (*link).callee,
        }
    }
}
