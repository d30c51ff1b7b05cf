//! Frames of the interpreter, and how an error leaves them.
//!
//! A frame lies on the value stack: its slots, which start with the arguments
//! as the caller pushed them; the `Link` back to the caller; its operands.
//! The caller's operands lie right below, so a call copies nothing.

use super::inst::{Code, Inst};
use super::machine::Machine;
use crate::bytecode::{Handler, MethodSite};
use crate::context::{TraceEntry, VMContext};
use crate::heap;
use crate::semantics::catch;
use crate::value::Value;
use core::mem::{self, size_of};

/// How a frame came to be, which says what its end means.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    /// Called from the frame below.
    Call,
    /// A method called from the frame below, whose final `self` is stored back.
    Method,
    /// Entered from outside: the run ends with it.
    Entry,
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
    pub pc: *const Inst,
    pub slots: *mut Value,
    pub code: *const Code,
    pub callee: *const heap::Function,
    /// The method call, for `LinkKind::Method`.
    pub site: *const MethodSite,
    /// The generator, for `LinkKind::Generator`.
    pub generator: *mut heap::Generator,
}

/// Places on the value stack that a link takes.
pub(super) const LINK_PLACES: usize = size_of::<Link>().div_ceil(size_of::<Value>());

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

/// Builds a frame above the arguments in `slots`, which fits, and notes the
/// function on the call stack.  The caller fills the link.
///
/// # Safety
/// `slots` hold the function's arguments on the value stack, and nothing above
/// them is live.
#[inline(always)]
pub(super) unsafe fn push_frame(
    ctx: &mut VMContext,
    code: *const Code,
    callee: *const heap::Function,
    slots: *mut Value,
) -> Machine {
    // SAFETY: the caller has checked the room.
    unsafe {
        let Code {
            insts,
            slots: count,
            params,
            id,
            is_top_level,
            ..
        } = &*code;
        let end = slots.add(*count);
        let mut place = slots.add(*params);
        while place < end {
            place.write(Value::UNSET);
            place = place.add(1);
        }
        if !is_top_level {
            ctx.trace_top.write(TraceEntry(*id));
            ctx.trace_top = ctx.trace_top.add(1);
        }
        Machine {
            pc: insts.as_ptr(),
            sp: end.add(LINK_PLACES),
            slots,
            code,
            callee,
        }
    }
}

/// Drops a frame's slots and takes it off the call stack.  Gives its link.
///
/// # Safety
/// The machine's frame is the one on top, and its operands are gone.
#[inline(always)]
pub(super) unsafe fn leave(ctx: &mut VMContext, machine: &Machine) -> *mut Link {
    // SAFETY: the frame is live and ends here.
    unsafe {
        let link = machine.link();
        drop_range(machine.slots, link.cast());
        if !(*machine.code).is_top_level {
            ctx.trace_top = ctx.trace_top.sub(1);
        }
        link
    }
}

/// The machine of the frame below, its operands ending where the result goes.
///
/// # Safety
/// `link` is that of the frame just left, which was called from another one.
#[inline(always)]
pub(super) unsafe fn caller(link: *mut Link) -> Machine {
    // SAFETY: the link lies on the stack, untouched since the frame was left.
    unsafe {
        Machine {
            pc: (*link).pc,
            sp: (*link).result,
            slots: (*link).slots,
            code: (*link).code,
            callee: (*link).callee,
        }
    }
}

/// Takes the pending error to its handler: gives the machine to go on with, or
/// `None` if the run ends with the error.  With `has_ended` the error has left
/// the frame already.
///
/// # Safety
/// The machine is the run's, with exactly the live operands below `sp`.
#[cold]
#[inline(never)]
pub(super) unsafe fn unwind(
    ctx: &mut VMContext,
    mut machine: Machine,
    mut has_ended: bool,
) -> Option<Machine> {
    loop {
        // SAFETY: the machine is that of a live frame; frames are left one by one.
        unsafe {
            if !mem::take(&mut has_ended)
                && let Some(handled) = handle(ctx, machine)
            {
                return Some(handled);
            }
            drop_range(machine.operands(), machine.sp);
            let link = leave(ctx, &machine);
            drop_range((*link).result, machine.slots);
            match (*link).kind {
                LinkKind::Entry | LinkKind::Generator => return None,
                LinkKind::Call | LinkKind::Method => machine = caller(link),
            }
        }
    }
}

/// The machine at the handler of the pending error in its frame, if there is one.
///
/// # Safety
/// As for `unwind`.
unsafe fn handle(ctx: &mut VMContext, mut machine: Machine) -> Option<Machine> {
    // SAFETY: the machine is that of a live frame.
    unsafe {
        let id = (*machine.code).id;
        let instruction = machine.instruction();
        catch::locate(ctx, (id, instruction), ctx.trace_top);
        let Handler { target, depth, .. } = handler(ctx, id, instruction)?;
        let operands = machine.operands().add(depth as usize);
        drop_range(operands, machine.sp);
        machine.sp = operands;
        let code = &*machine.code;
        // Handlers start an instruction of their own: a `Catch`.
        let start = code.origins.partition_point(|origin| *origin < target);
        machine.pc = code.insts.as_ptr().add(start);
        Some(machine)
    }
}

/// The handler of an error, unless it is one that can't be caught.
fn handler(ctx: &VMContext, func: u32, instruction: u32) -> Option<Handler> {
    if ctx.exit_status.is_some() {
        return None;
    }
    ctx.program.program.handler(func, instruction)
}
