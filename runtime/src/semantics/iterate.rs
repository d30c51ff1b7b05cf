//! Loops: what `for` walks over, and `range` without its array.
//!
//! A loop's state is two hidden locals: the source, which the loop owns so
//! that nothing can change it meanwhile, and a position in it.

use super::R;
use super::convert::key_string;
use super::index::character_string;
use crate::call;
use crate::context::VMContext;
use crate::heap::{Array, Bytes, Dict, Function, Set, Str};
use crate::value::{Tag, Value};

const NOT_ITERABLE: &str = "Cannot iterate over non-iterable type";

/// Prepares a loop over a value: gives source and position.
pub fn iter_start(ctx: &mut VMContext, iterable: Value) -> R<(Value, Value)> {
    let source = match iterable.tag() {
        Tag::Int | Tag::Array | Tag::String | Tag::Dict | Tag::Set | Tag::Bytes => iterable,
        Tag::Float => Value::int(iterable.as_float().unwrap_or_default() as i64),
        Tag::Generator | Tag::Iterator => iterable,
        Tag::Function if is_plain_generator(&iterable) => call::call(ctx, &iterable, &mut [])?,
        _ => return Err(ctx.raise(NOT_ITERABLE)),
    };
    Ok((source, Value::int(0)))
}

/// Whether it is a generator function without parameters.
fn is_plain_generator(value: &Value) -> bool {
    value.as_object::<Function>().is_some_and(|function| {
        let info = function.info();
        info.flags.is_generator && info.params.is_empty()
    })
}

/// The next element, or `None` at the end; then the source is let go.
#[inline]
pub fn iter_next(
    ctx: &mut VMContext,
    source: &mut Value,
    position: &mut Value,
) -> R<Option<Value>> {
    let index = position.payload() as usize;
    if let Some(array) = source.as_object::<Array>() {
        if index < array.len() {
            *position = Value::int(index as i64 + 1);
            return Ok(Some(array.get(index)));
        }
    } else if let Some(end) = source.as_int() {
        if (index as i64) < end {
            *position = Value::int(index as i64 + 1);
            return Ok(Some(Value::int(index as i64)));
        }
    } else if let Some((element, next)) = next_element(ctx, source, index)? {
        *position = Value::int(next as i64);
        return Ok(Some(element));
    }
    *source = Value::NULL;
    Ok(None)
}

#[inline(never)]
fn next_element(ctx: &mut VMContext, source: &Value, position: usize) -> R<Option<(Value, usize)>> {
    if let Some(text) = source.as_object::<Str>() {
        let Some(character) = text.as_str()[position..].chars().next() else {
            return Ok(None);
        };
        return Ok(Some((
            character_string(ctx, character),
            position + character.len_utf8(),
        )));
    }
    if let Some(dict) = source.as_object::<Dict>() {
        return Ok(dict
            .next_entry(position)
            .map(|(key, _, next)| (key_string(key), next)));
    }
    if let Some(set) = source.as_object::<Set>() {
        return Ok(set
            .iter()
            .nth(position)
            .map(|item| (item.clone(), position + 1)));
    }
    if let Some(bytes) = source.as_object::<Bytes>() {
        return Ok(bytes
            .as_slice()
            .get(position)
            .map(|byte| (Value::int(*byte as i64), position + 1)));
    }
    Ok(super::streams::draw(ctx, source)?.map(|value| (value, 0)))
}

/// Checks `range`'s arguments: gives the first int, the end and the step.
pub fn range_start(ctx: &mut VMContext, args: &mut [Value]) -> R<[i64; 3]> {
    if args.is_empty() || args.len() > 3 {
        return Err(ctx.raise("range() requires 1, 2, or 3 arguments"));
    }
    let mut numbers = [0, 0, 1];
    for (number, arg) in numbers.iter_mut().zip(args.iter()) {
        *number = match (arg.as_int(), arg.as_float()) {
            (Some(int), _) => int,
            (_, Some(float)) => float as i64,
            _ => return Err(ctx.raise("range() requires numeric arguments")),
        };
    }
    if args.len() == 1 {
        numbers = [0, numbers[0], 1];
    }
    if numbers[2] == 0 {
        return Err(ctx.raise("range() step cannot be zero"));
    }
    Ok(numbers)
}
