//! C functions as values of a program.
//!
//! To the program such a function is a built-in that is bound to a receiver,
//! which says which C function is meant.

use super::Status;
use super::context::{HostContext, Link, attach, ruff_rt_host_enter};
use super::errors;
use super::values::{self, HostValue};
use crate::builtins::{ANY_NUMBER, Arity, Builtin, Effects};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::BoundMethod;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr::null_mut;

/// A C function that a program can call: `ruff_function`.
pub type HostFunction = unsafe extern "C" fn(
    host: *mut HostContext,
    data: *mut c_void,
    args: *const *const HostValue,
    count: usize,
    result: *mut *mut HostValue,
) -> i32;

/// Frees a C function's data: `ruff_destroy`.
pub type Destroy = unsafe extern "C" fn(data: *mut c_void);

/// A C function and what belongs to it.
pub struct Callback {
    function: HostFunction,
    data: *mut c_void,
    destroy: Option<Destroy>,
}

impl Callback {
    /// Tells C that the function is not called any more.
    pub fn destroy(&self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the host vouches for its function.
            unsafe { destroy(self.data) }
        }
    }
}

/// What a program calls in place of a C function.
static CALL: Builtin = Builtin {
    function: call,
    mutate: None,
    name: "C function",
    effects: Effects {
        runs_code: true,
        pure: false,
    },
    arity: Arity {
        min: 0,
        max: ANY_NUMBER,
    },
    hidden: true,
};

/// `ruff_value_function`
///
/// # Safety
/// `host` is live; the function may be called with `data` as long as it is.
pub unsafe extern "C" fn function(
    host: *mut HostContext,
    function: Option<HostFunction>,
    data: *mut c_void,
    destroy: Option<Destroy>,
) -> *mut HostValue {
    let Some(function) = function else {
        return null_mut();
    };
    // SAFETY: the caller vouches for the context.
    unsafe {
        if ruff_rt_host_enter(host).is_null() {
            return null_mut();
        }
        let callback = Box::new(Callback {
            function,
            data,
            destroy,
        });
        let address = Value::int((&raw const *callback).addr() as i64);
        (*host).callbacks.push(callback);
        let value = BoundMethod::new(address, Value::builtin(&CALL));
        values::handle(host, value.into())
    }
}

/// Calls the C function that the first argument says.
fn call(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let host = ctx.kept::<Link>().0;
    let [receiver, args @ ..] = args else {
        return Err(ctx.raise("a C function was lost"));
    };
    if host.is_null() {
        return Err(ctx.raise("a C function can only be called on its context's own thread"));
    }
    let address = receiver.as_int().unwrap_or_default() as usize;
    // SAFETY: the context whose program runs here is live; its functions stay
    // where they are as long as it is.
    unsafe {
        let known = (*host).callbacks.iter();
        let Some(callback) = known
            .map(|callback| &raw const **callback)
            .find(|callback| callback.addr() == address)
        else {
            return Err(ctx.raise("a C function belongs to another context"));
        };
        let handles: Vec<*const HostValue> = args
            .iter_mut()
            .map(|value| values::handle(host, core::mem::take(value)).cast_const())
            .collect();
        let mut result: *mut HostValue = null_mut();
        let Callback { function, data, .. } = *callback;
        let trace = ctx.trace_top;
        let status = function(host, data, handles.as_ptr(), handles.len(), &mut result);
        // It may have called into another context.
        attach(host);
        ctx.trace_top = trace;
        for handle in handles {
            values::release(handle.cast_mut());
        }
        let value = values::given(host, result);
        if !result.is_null() {
            values::release(result);
        }
        if status != Status::Ok as i32 {
            errors::raise_again(host, ctx, status);
            return Err(Raised);
        }
        value.map_err(|_| ctx.raise("a C function gave a value of another context"))
    }
}
