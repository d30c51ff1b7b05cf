//! Built-ins that make arrays of parts of other arrays.

use super::super::arguments::{
    check_count, check_count_inflected, check_depth, fail, size_from, whole_number,
};
use super::change::{pair, position_of};
use super::{Collector, array_at};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Bytes, Dict, Key, Str};
use crate::value::{Tag, Value};
use alloc::format;

/// `slice(value, start, end)`
pub fn slice(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "slice", 3)?;
    let Some(start) = slice_bound(&args[1]) else {
        return fail(ctx, "slice() start must be a number");
    };
    let Some(end) = slice_bound(&args[2]) else {
        return fail(ctx, "slice() end must be a number");
    };
    if let Some(array) = array_at(args, 0) {
        let (start, end) = clamp_range(start, end, array.len());
        return Ok(Value::from(array.copy_range(start, end, end - start)));
    }
    if let Some(bytes) = args[0].as_object::<Bytes>() {
        let (start, end) = clamp_range(start, end, bytes.len());
        return Ok(Value::from(Bytes::new(&bytes.as_slice()[start..end])));
    }
    fail(
        ctx,
        "slice() requires array or bytes and numeric start/end arguments",
    )
}

/// A bound: a number that is finite.
fn slice_bound(value: &Value) -> Option<i64> {
    if value.as_float().is_some_and(|number| !number.is_finite()) {
        return None;
    }
    whole_number(value)
}

/// Negative bounds count from the end; then both are moved into the array.
fn clamp_range(start: i64, end: i64, len: usize) -> (usize, usize) {
    let position = |bound: i64| {
        let from_start = if bound < 0 {
            bound.saturating_add(len as i64)
        } else {
            bound
        };
        size_from(from_start).min(len)
    };
    let start = position(start);
    (start, position(end).max(start))
}

/// `take(arr, n)`
pub fn take(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, count) = array_and_count(ctx, args, "take", "count")?;
    let count = size_from(count).min(array.len());
    Ok(Value::from(array.copy_range(0, count, count)))
}

/// `skip(arr, n)`
pub fn skip(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, count) = array_and_count(ctx, args, "skip", "count")?;
    let count = size_from(count).min(array.len());
    Ok(Value::from(array.copy_range(count, array.len(), 0)))
}

/// `chunk(arr, size)`
pub fn chunk(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, size) = array_and_count(ctx, args, "chunk", "size")?;
    check_depth(ctx, &args[0])?;
    if size <= 0 {
        return Ok(Value::from(Array::from_values(core::iter::once(
            args[0].clone(),
        ))));
    }
    let size = size_from(size);
    let mut chunks = Collector::new(array.len().div_ceil(size));
    let mut start = 0;
    while start < array.len() {
        let end = start.saturating_add(size).min(array.len());
        chunks.push(Value::from(array.copy_range(start, end, 0)));
        start = end;
    }
    Ok(chunks.finish())
}

/// `windows(arr, size)`
pub fn windows(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (array, size) = array_and_count(ctx, args, "windows", "size")?;
    check_depth(ctx, &args[0])?;
    let size = size_from(size);
    if size == 0 || size > array.len() {
        return Ok(Value::from(Array::new()));
    }
    let count = array.len() - size + 1;
    let mut windows = Collector::new(count);
    for start in 0..count {
        windows.push(Value::from(array.copy_range(start, start + size, 0)));
    }
    Ok(windows.finish())
}

fn array_and_count<'a>(
    ctx: &mut VMContext,
    args: &'a [Value],
    name: &str,
    what: &str,
) -> Result<(&'a Array, i64), Raised> {
    check_count_inflected(ctx, args, name, 2)?;
    let Some(array) = array_at(args, 0) else {
        return fail(
            ctx,
            &format!("{name}() requires 2 arguments: array and {what}"),
        );
    };
    match whole_number(&args[1]) {
        Some(count) => Ok((array, count)),
        None => fail(ctx, &format!("{name}() {what} must be a number")),
    }
}

/// `flatten(arr)`
pub fn flatten(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "flatten", 1)?;
    let Some(array) = array_at(args, 0) else {
        return fail(ctx, "flatten() requires an array argument");
    };
    let Some(values) = array.as_values() else {
        return Ok(args[0].clone());
    };
    let inner_len = |value: &Value| value.as_object::<Array>().map_or(1, Array::len);
    let mut flat = Collector::new(values.iter().map(inner_len).sum());
    for value in values {
        match value.as_object::<Array>() {
            Some(inner) => inner.iter().for_each(|element| flat.push(element)),
            None => flat.push(value.clone()),
        }
    }
    Ok(flat.finish())
}

/// `zip(a, b)`
pub fn zip(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "zip", 2)?;
    let (Some(first), Some(second)) = (array_at(args, 0), array_at(args, 1)) else {
        return fail(ctx, "zip() requires 2 array arguments");
    };
    check_depth(ctx, &args[0])?;
    check_depth(ctx, &args[1])?;
    let mut pairs = Collector::new(first.len().min(second.len()));
    for (left, right) in first.iter().zip(second.iter()) {
        pairs.push(pair(left, right));
    }
    Ok(pairs.finish())
}

/// `enumerate(arr)`
pub fn enumerate(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "enumerate", 1)?;
    let Some(array) = array_at(args, 0) else {
        return fail(ctx, "enumerate() requires an array argument");
    };
    check_depth(ctx, &args[0])?;
    let mut pairs = Collector::new(array.len());
    for (index, value) in array.iter().enumerate() {
        pairs.push(pair(Value::int(index as i64), value));
    }
    Ok(pairs.finish())
}

/// `contains(value, needle)`
pub fn contains(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    const WRONG_NEEDLE: &str = "contains() requires two arguments: string/array and substring/item";
    check_count(ctx, args, "contains", 2)?;
    let (value, needle) = (&args[0], &args[1]);
    match value.tag() {
        Tag::String => match (value.as_object::<Str>(), needle.as_object::<Str>()) {
            // The reference gives ints here, and bools below.
            (Some(text), Some(needle)) => Ok(Value::int(text.find(needle).is_some() as i64)),
            _ => fail(ctx, WRONG_NEEDLE),
        },
        Tag::Array => {
            let array = value.as_object::<Array>().expect("the tag says so");
            Ok(Value::bool(position_of(array, needle).is_some()))
        }
        Tag::Dict => match (value.as_object::<Dict>(), Key::from_value(needle)) {
            (Some(dict), Some(key)) => Ok(Value::bool(dict.contains(key))),
            _ => fail(ctx, WRONG_NEEDLE),
        },
        _ => fail(
            ctx,
            "contains() first argument must be a string, array, or dictionary",
        ),
    }
}

/// `index_of(value, needle)`
pub fn index_of(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "index_of", 2)?;
    let (value, needle) = (&args[0], &args[1]);
    let position = match value.tag() {
        Tag::String => {
            let Some(needle) = needle.as_object::<Str>() else {
                return fail(
                    ctx,
                    "index_of() requires two arguments: string/array and substring/item",
                );
            };
            let text = value.as_object::<Str>().expect("the tag says so");
            text.index_of(needle)
        }
        Tag::Array => position_of(value.as_object::<Array>().expect("the tag says so"), needle),
        _ => return fail(ctx, "index_of() first argument must be a string or array"),
    };
    Ok(Value::int(position.map_or(-1, |position| position as i64)))
}
