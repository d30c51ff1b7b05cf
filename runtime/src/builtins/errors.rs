//! Raising errors and asserting.

use super::arguments::{check_count, fail};
use crate::context::VMContext;
use crate::error::{Pending, Raised};
use crate::heap::{Array, Dict, Key, Str};
use crate::semantics::compare::same_value;
use crate::semantics::convert::{technical, truthy};
use crate::value::Value;
use alloc::format;

/// `error(message)`
pub fn error(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "error", 1)?;
    let (message, thrown) = match args[0].to_ref::<Str>() {
        Some(text) => (text, None),
        None => (Str::new(&technical(ctx, &args[0])), Some(args[0].clone())),
    };
    ctx.pending = Some(Pending {
        message,
        thrown,
        origin: None,
    });
    Err(Raised)
}

/// `assert(condition, message)`
pub fn assert(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (condition, message) = match args {
        [condition] => (condition, None),
        [condition, message] => (condition, message.as_str()),
        [] => return fail(ctx, "assert requires at least 1 argument: condition"),
        _ => {
            return fail(
                ctx,
                "assert() expects at most 2 arguments: condition, [message]",
            );
        }
    };
    if truthy(condition) {
        return Ok(Value::TRUE);
    }
    fail(ctx, message.unwrap_or("Assertion failed"))
}

/// `assert_equal(actual, expected)`
pub fn assert_equal(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [actual, expected] = args else {
        return fail(ctx, "assert_equal requires 2 arguments: actual, expected");
    };
    if same_value(actual, expected) {
        return Ok(Value::TRUE);
    }
    let (expected, actual) = (technical(ctx, expected), technical(ctx, actual));
    fail(
        ctx,
        &format!("Assertion failed: expected {expected}, got {actual}"),
    )
}

/// `assert_true(value)`
pub fn assert_true(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    assert_bool(ctx, args, "assert_true", true)
}

/// `assert_false(value)`
pub fn assert_false(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    assert_bool(ctx, args, "assert_false", false)
}

fn assert_bool(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    wanted: bool,
) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, &format!("{name} requires exactly 1 argument"));
    };
    match value.as_bool() {
        Some(value) if value == wanted => Ok(Value::TRUE),
        Some(value) => fail(
            ctx,
            &format!("Assertion failed: expected {wanted}, got {value}"),
        ),
        None => fail(ctx, &format!("{name} requires a boolean argument")),
    }
}

/// `assert_contains(collection, item)`
pub fn assert_contains(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [collection, item] = args else {
        return fail(
            ctx,
            "assert_contains requires 2 arguments: collection, item",
        );
    };
    let found = if let Some(array) = collection.as_object::<Array>() {
        array.iter().any(|element| same_value(&element, item))
    } else if let Some(text) = collection.as_str() {
        item.as_str().is_some_and(|item| text.contains(item))
    } else if let Some(dict) = collection.as_object::<Dict>() {
        Key::from_value(item).is_some_and(|key| dict.contains(key))
    } else {
        return fail(
            ctx,
            "assert_contains requires an array, string, or dict as first argument",
        );
    };
    if found {
        return Ok(Value::TRUE);
    }
    let (collection, item) = (technical(ctx, collection), technical(ctx, item));
    fail(
        ctx,
        &format!("Assertion failed: {collection} does not contain {item}"),
    )
}
