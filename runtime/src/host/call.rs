//! Calls from C into a program.

use super::Status;
use super::context::{Export, HostContext, attach, ruff_rt_host_enter, run};
use super::errors;
use super::signature::{Reader, Refusal};
use super::values::{self, HostValue};
use crate::call;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Function, Ref};
use crate::value::Value;
use alloc::format;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};

/// What an exported function gives whose program could not be entered, or has
/// raised an error or ended itself: the error is the context's from then on.
///
/// # Safety
/// `host` is null or live.
#[cold]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_host_failed(host: *mut HostContext) -> u64 {
    // SAFETY: the caller vouches for the context.
    unsafe { failed(host) as u64 }
}

/// The same, with the status as C has it.
///
/// # Safety
/// As above.
pub unsafe fn failed(host: *mut HostContext) -> i32 {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let Some(ctx) = host.as_ref().and_then(|host| host.vm.as_mut()) else {
            return Status::Misuse as i32;
        };
        if ctx.exit_status.is_none() && ctx.pending.is_none() {
            return Status::Misuse as i32;
        }
        ctx.self_result = Value::UNSET;
        ctx.output.flush();
        let pending = ctx.pending.take();
        if let Some(status) = ctx.exit_status.take() {
            (*host).exit_status = status;
            let message = format!("the program ended itself with status {status}");
            return errors::keep(host, Status::Exited, &message);
        }
        match pending {
            Some(pending) => errors::keep_raised(host, ctx, pending),
            None => Status::Misuse as i32,
        }
    }
}

/// Calls the exported function with this number.  `words` are its arguments as
/// C passed them, the result goes to `result` unless that is null.
///
/// # Safety
/// `host` is live, and the words and the place fit the function's signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_host_call(
    host: *mut HostContext,
    number: u64,
    words: *const u64,
    result: *mut u8,
) -> u64 {
    // SAFETY: the caller vouches for its arguments.
    unsafe {
        if ruff_rt_host_enter(host).is_null() {
            return Status::Misuse as u64;
        }
        let export = &(&*(*host).library).exports()[number as usize];
        (*host).results.clear();
        let mut words = words;
        let outcome = carry_out(
            host,
            export,
            |reader| reader.argument(host, &mut words),
            |reader, value| match result.is_null() {
                true => Ok(()),
                false => reader.store(host, value, result),
            },
        );
        settle(host, export, outcome) as u64
    }
}

/// `ruff_call_named`: calls an exported function, checking its arguments.
///
/// # Safety
/// `host`, the name and the handles are live.
pub unsafe extern "C" fn named(
    host: *mut HostContext,
    name: *const c_char,
    args: *const *const HostValue,
    count: usize,
    result: *mut *mut HostValue,
) -> i32 {
    // SAFETY: the caller vouches for its arguments.
    unsafe {
        if ruff_rt_host_enter(host).is_null() {
            return Status::Misuse as i32;
        }
        let name = if name.is_null() {
            c""
        } else {
            CStr::from_ptr(name)
        };
        let exports = (&*(*host).library).exports();
        let Some(export) = exports
            .iter()
            .find(|export| export.name() == name.to_bytes())
        else {
            let message = format!(
                "the library exports no function `{}`",
                name.to_string_lossy()
            );
            return errors::keep(host, Status::Misuse, &message);
        };
        let expected = Reader::new(export.signature()).byte() as usize;
        if count != expected {
            let message = format!(
                "{} expects {expected} arguments, got {count}",
                name.to_string_lossy()
            );
            return errors::keep(host, Status::Misuse, &message);
        }
        let mut next = args;
        let outcome = carry_out(
            host,
            export,
            |reader| {
                let value = values::given(host, *next)?;
                next = next.add(1);
                reader.accept(value)
            },
            |_, value| {
                give(host, value, result);
                Ok(())
            },
        );
        settle(host, export, outcome)
    }
}

/// `ruff_call`: calls a function value.
///
/// # Safety
/// `host` and the handles are live.
pub unsafe extern "C" fn value(
    host: *mut HostContext,
    function: *const HostValue,
    args: *const *const HostValue,
    count: usize,
    result: *mut *mut HostValue,
) -> i32 {
    // SAFETY: the caller vouches for its arguments.
    unsafe {
        if ruff_rt_host_enter(host).is_null() {
            return Status::Misuse as i32;
        }
        let all = values::given(host, function).and_then(|function| {
            let args: Result<Vec<Value>, Refusal> = (0..count)
                .map(|index| values::given(host, *args.add(index)))
                .collect();
            Ok((function, args?))
        });
        let (function, mut args) = match all {
            Ok(all) => all,
            Err(_) => {
                let message = "a value belongs to another context";
                return errors::keep(host, Status::Misuse, message);
            }
        };
        let outcome = guarded(host, |ctx| call::call(ctx, &function, &mut args));
        match outcome {
            Ok(value) => {
                give(host, value, result);
                Status::Ok as i32
            }
            Err(Raised) => failed(host),
        }
    }
}

/// Gives C a handle of a result, if it wants one.
///
/// # Safety
/// `host` is live and attached, `result` null or writable.
unsafe fn give(host: *mut HostContext, value: Value, result: *mut *mut HostValue) {
    // SAFETY: the caller vouches for both.
    unsafe {
        if !result.is_null() {
            *result = values::handle(host, value);
        }
    }
}

/// Calls an exported function: takes each argument by its type, and hands the
/// result on with its type.
///
/// # Safety
/// `host` is live and attached.
unsafe fn carry_out<'e>(
    host: *mut HostContext,
    export: &'e Export,
    mut argument: impl FnMut(&mut Reader<'e>) -> Result<Value, Refusal>,
    finish: impl FnOnce(&mut Reader<'e>, Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut reader = Reader::new(export.signature());
    let count = reader.byte() as usize;
    let mut args = Vec::with_capacity(count);
    for index in 1..=count {
        let value = argument(&mut reader).map_err(|refusal| match refusal {
            Refusal::Mismatch(message) => Refusal::Mismatch(format!("argument {index}: {message}")),
            raised => raised,
        })?;
        args.push(value);
    }
    // SAFETY: the caller vouches for the context.
    let value = unsafe {
        let functions = &(&*(*host).vm).program.functions;
        let function: Option<Ref<Function>> = functions[export.func as usize].to_ref();
        let function = function.expect("an exported function captures nothing");
        guarded(host, |ctx| {
            call::call_function(ctx, &function, None, &mut args)
        })?
    };
    finish(&mut reader, value)
}

/// Runs code of the program, and leaves the call stack as it was.
///
/// # Safety
/// `host` is live and attached.
unsafe fn guarded<T>(
    host: *mut HostContext,
    action: impl FnOnce(&mut VMContext) -> Result<T, Raised>,
) -> Result<T, Raised> {
    // SAFETY: the caller vouches for the context.
    unsafe {
        let ctx = &mut *(*host).vm;
        let trace = ctx.trace_top;
        let result = run(ctx, action);
        ctx.trace_top = trace;
        attach(host);
        result
    }
}

/// The status of a call.
///
/// # Safety
/// `host` is live and attached.
unsafe fn settle(host: *mut HostContext, export: &Export, outcome: Result<(), Refusal>) -> i32 {
    // SAFETY: the caller vouches for the context.
    unsafe {
        match outcome {
            Ok(()) => Status::Ok as i32,
            Err(Refusal::Raised) => failed(host),
            Err(Refusal::Mismatch(message)) => {
                let name = core::str::from_utf8(export.name()).unwrap_or_default();
                errors::keep(host, Status::Mismatch, &format!("{name}: {message}"))
            }
        }
    }
}
