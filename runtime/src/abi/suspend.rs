//! Generators and async functions that were compiled.
//!
//! A generator's frame waits in its object: slots, then operands.  Generated
//! code takes the values out and puts them back by itself.

use crate::call::{Resume, settle};
use crate::context::VMContext;
use crate::heap::Function;
use crate::semantics::streams;
use crate::value::{RAISED, RawValue, Value};

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
        let resume: Resume = core::mem::transmute::<u64, Resume>(resume);
        Value::from(streams::make_generator(&*ctx, &*callee, args, resume)).into_raw()
    }
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
