//! Built-ins that give an array or dict with something added or taken away.
//!
//! The function forms change in place if nobody else sees the value; the
//! method forms change their receiver.

use super::super::arguments::{check_count_inflected, check_depth, fail, whole_number};
use super::array_at;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict, Key, Ref};
use crate::semantics::compare::strict_same;
use crate::value::{Tag, Value};
use alloc::format;
use core::mem::take;

/// `push(arr, item)`
pub fn push(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    push_named(ctx, args, "push")
}

/// `append(arr, item)`
pub fn append(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    push_named(ctx, args, "append")
}

#[inline(always)]
fn push_named(ctx: &mut VMContext, args: &mut [Value], name: &str) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, name, 2)?;
    if args[0].tag() != Tag::Array {
        return fail(
            ctx,
            &format!("{name}() requires an array as the first argument"),
        );
    }
    check_depth(ctx, &args[1])?;
    let item = take(&mut args[1]);
    let mut array = take_array(&mut args[0], 4);
    array.get_mut().expect("unique").push(item);
    Ok(Value::from(array))
}

/// `arr.push(item)`
pub fn push_onto(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    push_in_place(ctx, target, args, push)
}

/// `arr.append(item)`
pub fn append_onto(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    push_in_place(ctx, target, args, append)
}

/// Pushes, or leaves it to the function to say what is wrong.
#[inline(always)]
fn push_in_place(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
    function: super::super::Function,
) -> Result<Value, Raised> {
    if let [item] = args
        && target.tag() == Tag::Array
    {
        check_depth(ctx, item)?;
        let item = take(item);
        target
            .object_mut::<Array>()
            .expect("the tag says so")
            .push(item);
        return Ok(target.clone());
    }
    super::super::update(function, ctx, target, args)
}

/// Takes an array out of its place for writing.  If others see it too, it is
/// a copy with room for `extra` more elements.
fn take_array(place: &mut Value, extra: usize) -> Ref<Array> {
    let array = take(place)
        .into_ref::<Array>()
        .expect("the caller checked the kind");
    if array.header().is_unique() {
        array
    } else {
        array.copy_range(0, array.len(), array.len() + extra)
    }
}

/// `pop(arr)`
pub fn pop(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "pop", 1)?;
    if args[0].tag() != Tag::Array {
        return fail(ctx, "pop() requires an array argument");
    }
    check_depth(ctx, &args[0])?;
    let mut array = take_array(&mut args[0], 0);
    let last = array.get_mut().expect("unique").pop();
    Ok(pair(Value::from(array), last.unwrap_or(Value::int(0))))
}

/// `arr.pop()`
pub fn pop_from(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    check_method_count(ctx, args, "pop", 0)?;
    let Some(array) = target.object_mut::<Array>() else {
        return fail(ctx, "pop() requires an array argument");
    };
    Ok(array.pop().unwrap_or(Value::NULL))
}

/// A count as [G] words it, the receiver included.
pub(in super::super) fn check_method_count(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    count: usize,
) -> Result<(), Raised> {
    if args.len() == count {
        return Ok(());
    }
    let noun = if count == 0 { "argument" } else { "arguments" };
    fail(
        ctx,
        &format!(
            "{name} expects {} {noun}, got {}",
            count + 1,
            args.len() + 1
        ),
    )
}

/// An array of two.
pub(in super::super) fn pair(first: Value, second: Value) -> Value {
    Value::from(Array::from_values([first, second].into_iter()))
}

/// `insert(arr, index, item)`
pub fn insert(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "insert", 3)?;
    let Some(array) = array_at(args, 0) else {
        return fail(ctx, "insert() requires 3 arguments: array, index, and item");
    };
    let Some(index) = whole_number(&args[1]) else {
        return fail(ctx, "insert() index must be a number");
    };
    let position = checked_position(ctx, "insert", index, array.len(), array.len() + 1)?;
    check_depth(ctx, &args[2])?;
    let item = take(&mut args[2]);
    let mut array = take_array(&mut args[0], 4);
    array.get_mut().expect("unique").insert(position, item);
    Ok(Value::from(array))
}

/// `remove_at(arr, index)`
pub fn remove_at(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "remove_at", 2)?;
    let position = removed_position(ctx, &args[0], &args[1])?;
    check_depth(ctx, &args[0])?;
    let mut array = take_array(&mut args[0], 0);
    let removed = array.get_mut().expect("unique").remove(position);
    Ok(pair(Value::from(array), removed))
}

/// `arr.remove_at(index)`
pub fn remove_at_from(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    check_method_count(ctx, args, "remove_at", 1)?;
    let position = removed_position(ctx, target, &args[0])?;
    Ok(target
        .object_mut::<Array>()
        .expect("checked")
        .remove(position))
}

fn removed_position(ctx: &mut VMContext, target: &Value, index: &Value) -> Result<usize, Raised> {
    let Some(array) = target.as_object::<Array>() else {
        return fail(ctx, "remove_at() requires 2 arguments: array and index");
    };
    let Some(index) = whole_number(index) else {
        return fail(ctx, "remove_at() index must be a number");
    };
    checked_position(ctx, "remove_at", index, array.len(), array.len())
}

/// An index as a position below `limit`.
fn checked_position(
    ctx: &mut VMContext,
    name: &str,
    index: i64,
    len: usize,
    limit: usize,
) -> Result<usize, Raised> {
    match usize::try_from(index) {
        Ok(position) if position < limit => Ok(position),
        _ => fail(
            ctx,
            &format!("{name}() index {index} out of bounds for array of length {len}"),
        ),
    }
}

const REMOVE_MESSAGE: &str =
    "remove() requires an array or dictionary-like value with a valid key/item";

/// `remove(arr, item)`, `remove(d, key)`
pub fn remove(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "remove", 2)?;
    if let Some(array) = array_at(args, 0) {
        let found = position_of(array, &args[1]);
        let Some(position) = found else {
            return Ok(take(&mut args[0]));
        };
        let mut array = take_array(&mut args[0], 0);
        drop(array.get_mut().expect("unique").remove(position));
        return Ok(Value::from(array));
    }
    if args[0].tag() != Tag::Dict || Key::from_value(&args[1]).is_none() {
        return fail(ctx, REMOVE_MESSAGE);
    }
    check_depth(ctx, &args[0])?;
    let mut target = take(&mut args[0]);
    let removed = remove_key(&mut target, &args[1]);
    Ok(pair(target, removed.unwrap_or(Value::int(0))))
}

/// `arr.remove(item)`, `d.remove(key)`
pub fn remove_from(
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    if target.tag() == Tag::Array {
        return super::super::update(remove, ctx, target, args);
    }
    check_method_count(ctx, args, "remove", 1)?;
    if target.tag() != Tag::Dict || Key::from_value(&args[0]).is_none() {
        return fail(ctx, REMOVE_MESSAGE);
    }
    Ok(remove_key(target, &args[0]).unwrap_or(Value::NULL))
}

/// Removes a dict's entry; a dict that lacks it is not copied.
fn remove_key(target: &mut Value, key: &Value) -> Option<Value> {
    let key = Key::from_value(key)?;
    if !target.as_object::<Dict>()?.contains(key) {
        return None;
    }
    target.object_mut::<Dict>()?.remove(key)
}

/// The position of the first element that is the same scalar as `item`.
pub(in super::super) fn position_of(array: &Array, item: &Value) -> Option<usize> {
    match (array.as_ints(), array.as_floats(), array.as_values()) {
        (Some(ints), ..) => {
            let wanted = item.as_int()?;
            ints.iter().position(|number| *number == wanted)
        }
        (_, Some(floats), _) => {
            let wanted = item.as_float()?;
            floats.iter().position(|number| *number == wanted)
        }
        (.., Some(values)) => values.iter().position(|value| strict_same(value, item)),
        _ => array.iter().position(|value| strict_same(&value, item)),
    }
}

/// `clear(value)`
pub fn clear(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "clear", 1)?;
    match args[0].tag() {
        Tag::Array => {
            let old = take(&mut args[0])
                .into_ref::<Array>()
                .expect("the tag says so");
            let mut array = old;
            match array.get_mut() {
                Some(unique) => unique.clear(),
                None => array = Array::new(),
            }
            Ok(Value::from(array))
        }
        Tag::Dict => Ok(Value::from(Dict::new())),
        _ => fail(ctx, "clear() requires an array or dict argument"),
    }
}

/// `concat(a, b)`
pub fn concat(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "concat", 2)?;
    let (Some(_), Some(second)) = (array_at(args, 0), args[1].to_ref::<Array>()) else {
        return fail(ctx, "concat() requires two array arguments");
    };
    // Given up here so that nobody but the callee's own reference is left.
    args[1] = Value::NULL;
    let mut first = take_array(&mut args[0], second.len());
    first.get_mut().expect("unique").extend(&second);
    Ok(Value::from(first))
}

/// `reverse(arr)`
pub fn reverse(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "reverse", 1)?;
    if args[0].tag() != Tag::Array {
        return fail(ctx, "reverse requires an array argument");
    }
    let mut array = take_array(&mut args[0], 0);
    let target = array.get_mut().expect("unique");
    if let Some(values) = target.as_values_mut() {
        values.reverse();
    } else if let Some(ints) = target.as_ints_mut() {
        ints.reverse();
    } else if let Some(floats) = target.as_floats_mut() {
        floats.reverse();
    } else if target.reverse_structs() {
        return Ok(Value::from(array));
    } else {
        return Ok(Value::from(Array::from_values(array.iter().rev())));
    }
    Ok(Value::from(array))
}
