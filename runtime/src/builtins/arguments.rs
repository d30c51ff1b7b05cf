//! Arguments: counting them and reading numbers out of them.
//!
//! The wordings for a wrong count are those of the reference, 1.3; its code
//! letter is given with each.

use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Dict, Str};
use crate::value::{Tag, Value};
use alloc::format;

/// Leaves an error with this message pending.
#[cold]
#[inline(never)]
pub fn fail<T>(ctx: &mut VMContext, message: &str) -> Result<T, Raised> {
    Err(ctx.raise(message))
}

/// [P]: `NAME expects N arguments, got M`.
#[inline]
pub fn check_count(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    count: usize,
) -> Result<(), Raised> {
    if args.len() == count {
        Ok(())
    } else {
        wrong_count(ctx, args.len(), name, count, "arguments")
    }
}

/// [G]: as [P], but `1 argument`.
#[inline]
pub fn check_count_inflected(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    count: usize,
) -> Result<(), Raised> {
    if args.len() == count {
        return Ok(());
    }
    let noun = if count == 1 { "argument" } else { "arguments" };
    wrong_count(ctx, args.len(), name, count, noun)
}

/// [Z]: `NAME() expects 0 arguments, got M`.
#[inline]
pub fn check_none(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<(), Raised> {
    if args.is_empty() {
        return Ok(());
    }
    fail(
        ctx,
        &format!("{name}() expects 0 arguments, got {}", args.len()),
    )
}

#[cold]
#[inline(never)]
fn wrong_count(
    ctx: &mut VMContext,
    got: usize,
    name: &str,
    count: usize,
    noun: &str,
) -> Result<(), Raised> {
    fail(ctx, &format!("{name} expects {count} {noun}, got {got}"))
}

/// An index, count or size: floats are cut off toward zero and at the limits
/// of an int, NaN is 0.
#[inline]
pub fn whole_number(value: &Value) -> Option<i64> {
    match value.tag() {
        Tag::Int => value.as_int(),
        Tag::Float => value.as_float().map(|number| number as i64),
        _ => None,
    }
}

/// A number of elements or characters: negative ones are 0.
#[inline]
pub fn size_from(number: i64) -> usize {
    usize::try_from(number).unwrap_or(if number < 0 { 0 } else { usize::MAX })
}

/// The text of the argument at `index`, if there is one and it is a string.
#[inline]
pub fn text_at(args: &[Value], index: usize) -> Option<&Str> {
    args.get(index).and_then(Value::as_object::<Str>)
}

/// Sets a key given as a string or an int.
pub fn insert_key(dict: &mut Dict, key: &Value, value: Value) {
    match (key.as_int(), key.as_object::<Str>()) {
        (Some(number), _) => dict.insert_int(number, value),
        (_, Some(text)) => dict.insert_str(text, value),
        _ => {}
    }
}

/// Refuses to put a value into a container that would get too deep.
#[inline]
pub fn check_depth(ctx: &mut VMContext, value: &Value) -> Result<(), Raised> {
    crate::semantics::make::check_depth(ctx, 1, value, "building a value")
}
