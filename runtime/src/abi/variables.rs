//! Variables by name hash, and the operand stack: for hosts and for code that
//! was compiled separately.

use super::owned;
use crate::context::VMContext;
use crate::names::NameHash;
use crate::value::{RawValue, Value};

/// Where the variable with this name hash lives; null if there is none.
///
/// # Safety
/// `ctx` is the live context.
unsafe fn variable(ctx: *mut VMContext, hash: u64) -> *mut Value {
    // SAFETY: slots below the number of globals are in `globals`, the rest in
    // `host_variables`; both are as long as the table says.
    unsafe {
        let Some(slot) = (*ctx).variables.slot(NameHash(hash)) else {
            return core::ptr::null_mut();
        };
        let program = &(&*ctx).program.program;
        let globals = program.globals.len();
        match (slot as usize).checked_sub(globals) {
            None => (*ctx).globals.add(slot as usize),
            Some(host) => &raw mut (&mut (*ctx).host_variables)[host],
        }
    }
}

/// # Safety
/// `ctx` is the live context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_load_variable(ctx: *mut VMContext, hash: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let place = variable(ctx, hash);
        if place.is_null() {
            Value::UNSET.into_raw()
        } else {
            (*place).clone().into_raw()
        }
    }
}

/// # Safety
/// `ctx` is the live context; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_store_variable(
    ctx: *mut VMContext,
    hash: u64,
    tag: u64,
    payload: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let value = owned(tag, payload);
        let place = variable(ctx, hash);
        if place.is_null() {
            return 1;
        }
        *place = value;
        0
    }
}

/// # Safety
/// `ctx` is the live context; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_stack_push(ctx: *mut VMContext, tag: u64, payload: u64) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let value = owned(tag, payload);
        let stack = &mut (*ctx).stack;
        if stack.top == stack.limit {
            return 1;
        }
        stack.top.write(value);
        stack.top = stack.top.add(1);
        0
    }
}

/// # Safety
/// `ctx` is the live context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_stack_pop(ctx: *mut VMContext) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let stack = &mut (*ctx).stack;
        if stack.top == stack.base {
            return Value::UNSET.into_raw();
        }
        stack.top = stack.top.sub(1);
        stack.top.read().into_raw()
    }
}
