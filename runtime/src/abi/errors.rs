//! Raising, locating and catching errors.

use super::{owned, words};
use crate::bytecode::Constant;
use crate::context::{TraceEntry, VMContext};
use crate::semantics::catch;
use crate::value::RawValue;

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_throw(ctx: *mut VMContext, tag: u64, payload: u64) {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let _ = catch::throw(&mut *ctx, owned(tag, payload));
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_raise(ctx: *mut VMContext, message: u64) {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let text = match &(&(&*ctx).program.program.constants)[message as usize] {
            Constant::Str(text) => text.clone(),
            Constant::Int(_) | Constant::Float(_) => unreachable!("the verifier checks messages"),
        };
        let _ = (*ctx).raise(&text);
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_locate(ctx: *mut VMContext, place: u64, trace: *mut TraceEntry) {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let place = ((place >> 32) as u32, place as u32);
        catch::locate(&mut *ctx, place, trace);
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_catch(ctx: *mut VMContext) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { words(catch::catch(&mut *ctx)) }
}
