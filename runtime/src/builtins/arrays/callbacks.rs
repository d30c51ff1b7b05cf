//! Built-ins that call a function for the elements of an array.
//!
//! The function is looked at once, before the first call.  Then every call of
//! a Ruff function goes straight to its entry.

use super::super::arguments::{check_count_inflected, check_depth, fail};
use super::{Collector, array_at};
use crate::call;
use crate::context::{TraceEntry, VMContext};
use crate::error::Raised;
use crate::heap::{Array, Function};
use crate::semantics::convert::truthy;
use crate::value::{Tag, Value};
use alloc::format;
use core::mem::{ManuallyDrop, take};

/// A function that is called again and again.
enum Callback<'a> {
    /// A Ruff function with as many parameters as it will get arguments.
    Direct {
        function: &'a Function,
        trace: *mut TraceEntry,
    },
    /// Anything else that can be called.
    Other(&'a Value),
}

impl<'a> Callback<'a> {
    /// For calls of `callee` with `count` arguments.
    fn new(ctx: &VMContext, callee: &'a Value, count: usize) -> Callback<'a> {
        match callee.as_object::<Function>() {
            Some(function)
                if !function.info().flags.is_method && function.info().arity() == count =>
            {
                Callback::Direct {
                    function,
                    trace: ctx.trace_top,
                }
            }
            _ => Callback::Other(callee),
        }
    }

    #[inline(always)]
    fn call<const COUNT: usize>(
        &self,
        ctx: &mut VMContext,
        args: [Value; COUNT],
    ) -> Result<Value, Raised> {
        match self {
            Callback::Direct { function, trace } => {
                let mut args = args.map(ManuallyDrop::new);
                call::enter(ctx, *trace, function, &mut args)
            }
            Callback::Other(callee) => {
                let mut args = args;
                call::call(ctx, callee, &mut args)
            }
        }
    }
}

fn is_function(value: &Value) -> bool {
    matches!(value.tag(), Tag::Function | Tag::Builtin | Tag::BoundMethod)
}

/// The array and the function that `name(arr, fn)` was called with.
fn array_and_callback<'a>(
    ctx: &mut VMContext,
    args: &'a [Value],
    name: &str,
) -> Result<(&'a Array, Callback<'a>), Raised> {
    check_count_inflected(ctx, args, name, 2)?;
    match array_at(args, 0) {
        Some(array) if is_function(&args[1]) => Ok((array, Callback::new(ctx, &args[1], 1))),
        _ => fail(ctx, &format!("{name} expects an array and a function")),
    }
}

/// `map(arr, fn)`
pub fn map(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, callback) = array_and_callback(ctx, args, "map")?;
    let mut results = Collector::new(array.len());
    for element in array.iter() {
        let result = callback.call(ctx, [element])?;
        check_depth(ctx, &result)?;
        results.push(result);
    }
    Ok(results.finish())
}

/// `filter(arr, fn)`
pub fn filter(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, callback) = array_and_callback(ctx, args, "filter")?;
    let mut kept = Collector::new(0);
    for (index, element) in array.iter().enumerate() {
        if truthy(&callback.call(ctx, [element])?) {
            kept.push_from(array, index);
        }
    }
    Ok(kept.finish())
}

/// `reduce(arr, initial, fn)`
pub fn reduce(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "reduce", 3)?;
    if array_at(args, 0).is_none() || !is_function(&args[2]) {
        return fail(
            ctx,
            "reduce expects an array, an initial value, and a function",
        );
    }
    // Handed over, so that the function may change it in place.
    let mut total = take(&mut args[1]);
    let array = array_at(args, 0).expect("checked above");
    let callback = Callback::new(ctx, &args[2], 2);
    for element in array.iter() {
        total = callback.call(ctx, [total, element])?;
    }
    Ok(total)
}

/// `find(arr, fn)`
pub fn find(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, callback) = array_and_callback(ctx, args, "find")?;
    for element in array.iter() {
        if truthy(&callback.call(ctx, [element.clone()])?) {
            return Ok(element);
        }
    }
    Ok(Value::int(0))
}

/// `any(arr, fn)`
pub fn any(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, callback) = array_and_callback(ctx, args, "any")?;
    for element in array.iter() {
        if truthy(&callback.call(ctx, [element])?) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

/// `all(arr, fn)`
pub fn all(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, callback) = array_and_callback(ctx, args, "all")?;
    for element in array.iter() {
        if !truthy(&callback.call(ctx, [element])?) {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}
