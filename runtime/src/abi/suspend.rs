//! Generators and async functions that were compiled.
//!
//! A generator's frame waits in its object: slots, then operands.  While it
//! runs the frame's memory stays there, but its values are the code's.

use crate::call::{Resume, settle};
use crate::context::VMContext;
use crate::heap::{Function, Generator, GeneratorState, Ref};
use crate::semantics::streams;
use crate::value::{RAISED, RawValue, Value};
use alloc::vec::Vec;

/// # Safety
/// `ctx` is the live context, `callee` a live generator function whose code
/// `resume` is; `args` are its parameters, which are given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_generator(
    ctx: *mut VMContext,
    callee: *const Function,
    args: *mut Value,
    resume: u64,
) -> RawValue {
    // SAFETY: the caller vouches for its arguments; they move into the frame.
    unsafe {
        let info = (*callee).info();
        let function = &(&(&*ctx).program.program.functions)[info.id as usize];
        let slots = function.slots as usize;
        let mut frame = Vec::with_capacity(slots + function.max_stack as usize);
        core::ptr::copy_nonoverlapping(args, frame.as_mut_ptr(), info.params.len());
        frame.set_len(info.params.len());
        frame.resize_with(slots, || Value::UNSET);
        let resume: Resume = core::mem::transmute::<u64, Resume>(resume);
        Value::from(Generator::new(Ref::from_borrowed(&*callee), resume, frame)).into_raw()
    }
}

/// # Safety
/// `generator` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_generator_position(generator: *mut Generator) -> u64 {
    // SAFETY: the caller vouches for the generator.
    unsafe { (*generator).position as u64 }
}

/// # Safety
/// `generator` is live and not running; the caller takes its frame's values over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_generator_frame(generator: *mut Generator) -> *mut Value {
    // SAFETY: the caller vouches for the generator; the values are its now.
    unsafe {
        (*generator).state = GeneratorState::Running;
        let frame = &mut (*generator).frame;
        frame.set_len(0);
        frame.as_mut_ptr()
    }
}

/// # Safety
/// `generator` is the running one; `count` values were written to its frame,
/// no more than it was made for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_generator_suspend(
    generator: *mut Generator,
    position: u64,
    count: u64,
) {
    // SAFETY: the caller vouches for the generator and for its frame.
    unsafe {
        (*generator).frame.set_len(count as usize);
        (*generator).position = position as usize;
        (*generator).state = GeneratorState::Suspended;
    }
}

/// # Safety
/// `generator` is the running one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_generator_finish(generator: *mut Generator) {
    // SAFETY: the caller vouches for the generator.
    unsafe { (*generator).state = GeneratorState::Finished };
}

/// # Safety
/// `ctx` is the live context; the words are a live value's, which is given up,
/// or say that an error is pending.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_promise(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and result.
    match streams::promise_of(unsafe { &mut *ctx }, settle(RawValue { tag, payload })) {
        Ok(promise) => promise.into_raw(),
        Err(_) => RawValue {
            tag: RAISED,
            payload: 0,
        },
    }
}
