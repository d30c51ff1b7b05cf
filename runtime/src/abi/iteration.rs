//! Loops over values.

use super::{owned, status};
use crate::context::VMContext;
use crate::semantics::iterate;
use crate::value::{RawValue, Value};

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_iter_start(
    ctx: *mut VMContext,
    slots: *mut Value,
    tag: u64,
    payload: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        match iterate::iter_start(&mut *ctx, owned(tag, payload)) {
            Ok((source, position)) => {
                slots.write(source);
                slots.add(1).write(position);
                0
            }
            Err(raised) => status(Err(raised)),
        }
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_iter_next(ctx: *mut VMContext, slots: *mut Value) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        match iterate::iter_next(&mut *ctx, &mut *slots, &mut *slots.add(1)) {
            Ok(Some(element)) => element.into_raw(),
            Ok(None) => Value::UNSET.into_raw(),
            Err(_) => RawValue::RAISED,
        }
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_range_start(
    ctx: *mut VMContext,
    out: *mut i64,
    args: *mut Value,
    argc: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let args = core::slice::from_raw_parts_mut(args, argc as usize);
        let result = iterate::range_start(&mut *ctx, args);
        core::ptr::drop_in_place(args);
        match result {
            Ok(range) => {
                for (position, word) in range.into_iter().enumerate() {
                    out.add(position).write(word);
                }
                0
            }
            Err(raised) => status(Err(raised)),
        }
    }
}
