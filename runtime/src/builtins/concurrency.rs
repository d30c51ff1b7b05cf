//! Promises, their combinators, and tasks.

use super::arguments::{check_none, fail};
use super::time::check_capability;
use crate::call;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Promise, TaskHandle};
use crate::threads::{self, promise, task};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::vec::Vec;

/// `async_sleep(milliseconds)`
pub fn async_sleep(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "async_sleep")?;
    let [milliseconds] = args else {
        let got = args.len();
        let message = format!("async_sleep() expects 1 argument (milliseconds), got {got}");
        return fail(ctx, &message);
    };
    match milliseconds.as_int() {
        None => fail(
            ctx,
            "async_sleep() requires an integer milliseconds argument",
        ),
        Some(milliseconds) if milliseconds < 0 => {
            let message =
                format!("async_sleep() requires non-negative milliseconds, got {milliseconds}");
            fail(ctx, &message)
        }
        Some(milliseconds) => Ok(promise::timer(milliseconds as u64)),
    }
}

/// `async_timeout(promise, timeout_ms)`
pub fn async_timeout(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "async_timeout")?;
    let [inner, milliseconds] = args else {
        let got = args.len();
        let message =
            format!("async_timeout() expects 2 arguments (promise, timeout_ms), got {got}");
        return fail(ctx, &message);
    };
    if inner.tag() != Tag::Promise {
        return fail(ctx, "async_timeout() requires a Promise as first argument");
    }
    match milliseconds.as_int() {
        None => fail(
            ctx,
            "async_timeout() requires an integer timeout_ms argument",
        ),
        Some(milliseconds) if milliseconds <= 0 => {
            let message =
                format!("async_timeout() requires positive timeout_ms, got {milliseconds}");
            fail(ctx, &message)
        }
        Some(milliseconds) => promise::timeout(ctx, inner.clone(), milliseconds),
    }
}

/// `promise_all(promises, concurrency)`, also `await_all` and `Promise.all`.
///
/// The work behind promises goes on whether somebody waits or not, so the
/// limit has nothing to limit.
pub fn promise_all(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (promises, limit) = match args {
        [promises] => (promises, None),
        [promises, limit] => (promises, Some(&*limit)),
        _ => {
            let message = format!("Promise.all expects 1 to 2 arguments, got {}", args.len());
            return fail(ctx, &message);
        }
    };
    let Some(promises) = promises.as_object::<Array>() else {
        return fail(ctx, "Promise.all() requires an array of promises");
    };
    check_limit(ctx, "Promise.all", limit)?;
    let promises: Vec<Value> = promises.iter().collect();
    let stranger = promises
        .iter()
        .position(|value| value.as_object::<Promise>().is_none());
    if let Some(index) = stranger {
        let message = format!("Promise.all() array element {index} is not a Promise");
        return fail(ctx, &message);
    }
    promise::all(ctx, promises, true)
}

fn check_limit(ctx: &mut VMContext, name: &str, limit: Option<&Value>) -> Result<(), Raised> {
    match limit.map(Value::as_int) {
        None => Ok(()),
        Some(None) => fail(
            ctx,
            &format!("{name}() optional concurrency_limit must be an integer"),
        ),
        Some(Some(limit)) if limit <= 0 => fail(
            ctx,
            &format!("{name}() concurrency_limit must be > 0, got {limit}"),
        ),
        Some(Some(_)) => Ok(()),
    }
}

/// `parallel_map(items, mapper, concurrency)`
pub fn parallel_map(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    map(ctx, args, "parallel_map", true)
}

/// `par_map(items, mapper, concurrency)`
pub fn par_map(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    map(ctx, args, "par_map", true)
}

/// `par_each(items, mapper, concurrency)`
pub fn par_each(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    map(ctx, args, "par_each", false)
}

/// Calls the mapper for one element after the other: it may see and change
/// what it captured, and the first error is raised by the call itself.  What
/// takes time behind the promises that it returns goes on side by side.
fn map(ctx: &mut VMContext, args: &mut [Value], name: &str, keeps: bool) -> Result<Value, Raised> {
    let (items, mapper, limit) = match args {
        [items, mapper] => (&*items, &*mapper, None),
        [items, mapper, limit] => (&*items, &*mapper, Some(&*limit)),
        _ => {
            let message = format!("{name} expects 2 to 3 arguments, got {}", args.len());
            return fail(ctx, &message);
        }
    };
    let Some(items) = items.to_ref::<Array>() else {
        return fail(ctx, "parallel_map() first argument must be an array");
    };
    if !threads::can_run(mapper) {
        return fail(
            ctx,
            "parallel_map() second argument must be a callable function; pass a function, closure, or imported callable value instead of a literal",
        );
    }
    check_limit(ctx, "parallel_map", limit)?;
    check_elements(ctx, &items, mapper)?;
    let mut results = Vec::with_capacity(items.len());
    for item in items.iter() {
        match call::call(ctx, mapper, &mut [item]) {
            Ok(result) => results.push(result),
            Err(raised) => return Err(mapper_failed(ctx, mapper, raised)),
        }
    }
    promise::all(ctx, results, keeps)
}

/// The error of a mapper, told as the call's own unless it is a built-in's.
fn mapper_failed(ctx: &mut VMContext, mapper: &Value, raised: Raised) -> Raised {
    if mapper.as_builtin().is_some() || ctx.exit_status.is_some() {
        return raised;
    }
    match ctx.pending.take() {
        Some(pending) => {
            let message = format!(
                "parallel_map() mapper call failed: {}",
                pending.message.as_str()
            );
            ctx.raise(&message)
        }
        None => raised,
    }
}

/// Some built-ins look at all elements before they are called for any.
fn check_elements(ctx: &mut VMContext, items: &Array, mapper: &Value) -> Result<(), Raised> {
    let Some(builtin) = mapper.as_builtin() else {
        return Ok(());
    };
    let (accepted, wanted): (&[Tag], _) = match builtin.name {
        "len" => (&[Tag::String, Tag::Array, Tag::Dict], "string/array/dict"),
        "upper" | "to_upper" | "lower" | "to_lower" => (&[Tag::String], "string"),
        _ => return Ok(()),
    };
    if items.iter().all(|item| accepted.contains(&item.tag())) {
        return Ok(());
    }
    let message = format!(
        "parallel_map({}, ...) expects {wanted} elements",
        builtin.name
    );
    fail(ctx, &message)
}

/// `set_task_pool_size(size)`
pub fn set_task_pool_size(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [size] = args else {
        let got = args.len();
        let message = format!("set_task_pool_size() expects 1 argument (size), got {got}");
        return fail(ctx, &message);
    };
    match size.as_int() {
        None => fail(
            ctx,
            "set_task_pool_size() requires an integer size argument",
        ),
        Some(size) if size <= 0 => {
            let message = format!("set_task_pool_size() size must be > 0, got {size}");
            fail(ctx, &message)
        }
        Some(size) => Ok(Value::int(task::set_pool_size(ctx, size as usize) as i64)),
    }
}

/// `get_task_pool_size()`
pub fn get_task_pool_size(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_none(ctx, args, "get_task_pool_size")?;
    Ok(Value::int(task::pool_size(ctx) as i64))
}

/// `spawn_task(func)`
pub fn spawn_task(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [function] = args else {
        let got = args.len();
        let message = format!("spawn_task() expects 1 argument (async function), got {got}");
        return fail(ctx, &message);
    };
    match task::spawn(ctx, function) {
        Some(handle) => Ok(Value::from(handle)),
        None => fail(ctx, "spawn_task() requires an async function argument"),
    }
}

/// `await_task(task)`
pub fn await_task(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let handle = handle(ctx, args, "await_task")?;
    Ok(Value::from(task::promise_of(handle)))
}

/// `cancel_task(task)`
pub fn cancel_task(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let handle = handle(ctx, args, "cancel_task")?;
    Ok(Value::bool(task::cancel(handle)))
}

fn handle<'a>(
    ctx: &mut VMContext,
    args: &'a [Value],
    name: &str,
) -> Result<&'a TaskHandle, Raised> {
    let [handle] = args else {
        let got = args.len();
        let message = format!("{name}() expects 1 argument (task handle), got {got}");
        return fail(ctx, &message);
    };
    match handle.as_object::<TaskHandle>() {
        Some(handle) => Ok(handle),
        None => fail(ctx, &format!("{name}() requires a TaskHandle argument")),
    }
}
