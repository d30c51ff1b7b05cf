//! `object[index]` and `object.name` as values; `place` is about changing them.

use super::R;
use super::convert::{write_float, write_int, write_quoted};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, BoundMethod, Bytes, Dict, Key, Record, Str};
use crate::names::{NameId, VALUE};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

/// `object[index]`
#[inline]
pub fn index(ctx: &mut VMContext, object: &Value, index: &Value) -> R<Value> {
    if let (Some(array), Some(number)) = (object.as_object::<Array>(), index.as_int())
        && let Some(position) = position(number, array.len())
    {
        return Ok(array.get(position));
    }
    match object.tag() {
        Tag::Array => index_array(ctx, object, index),
        Tag::String => index_string(ctx, object, index),
        Tag::Dict => index_dict(ctx, object, index),
        Tag::Bytes => index_bytes(ctx, object, index),
        _ => Err(ctx.raise(INVALID_INDEX)),
    }
}

const INVALID_INDEX: &str = "Invalid index operation";

/// Where an index points; negative ones count from the end.
#[inline(always)]
pub fn position(index: i64, len: usize) -> Option<usize> {
    if (index as u64) < len as u64 {
        return Some(index as usize);
    }
    let from_end = index.wrapping_add(len as i64);
    (index < 0 && from_end >= 0).then_some(from_end as usize)
}

/// Where an index value points in something of this length; `invalid` is the
/// message for an index that is no number.
pub(super) fn position_of(
    ctx: &mut VMContext,
    index: &Value,
    len: usize,
    invalid: &str,
) -> R<usize> {
    let number = match (index.as_int(), index.as_float()) {
        (Some(number), _) => Some(number),
        (_, Some(number)) if number.is_finite() => Some(number as i64),
        (_, Some(_)) => None,
        _ => return Err(ctx.raise(invalid)),
    };
    match number.and_then(|number| position(number, len)) {
        Some(position) => Ok(position),
        None => Err(out_of_bounds(ctx, number, index)),
    }
}

#[cold]
fn out_of_bounds(ctx: &mut VMContext, number: Option<i64>, index: &Value) -> Raised {
    let mut message = String::from("Index out of bounds: ");
    match number {
        Some(number) => write_int(number, &mut message),
        None => write_float(index.as_float().unwrap_or_default(), &mut message),
    }
    ctx.raise(&message)
}

fn index_array(ctx: &mut VMContext, object: &Value, index: &Value) -> R<Value> {
    let Some(array) = object.as_object::<Array>() else {
        return Ok(Value::NULL);
    };
    let position = position_of(ctx, index, array.len(), INVALID_INDEX)?;
    Ok(array.get(position))
}

fn index_bytes(ctx: &mut VMContext, object: &Value, index: &Value) -> R<Value> {
    let Some(bytes) = object.as_object::<Bytes>() else {
        return Ok(Value::NULL);
    };
    let position = position_of(ctx, index, bytes.len(), INVALID_INDEX)?;
    Ok(Value::int(bytes.as_slice()[position] as i64))
}

fn index_string(ctx: &mut VMContext, object: &Value, index: &Value) -> R<Value> {
    let Some(text) = object.as_object::<Str>() else {
        return Ok(Value::NULL);
    };
    let position = position_of(ctx, index, text.chars(), INVALID_INDEX)?;
    Ok(character(ctx, text, position))
}

/// The one-character string at a position, which is in bounds.
pub fn character(ctx: &VMContext, text: &Str, position: usize) -> Value {
    if text.is_ascii() {
        return ascii_string(ctx, text.as_bytes()[position]);
    }
    let start = text.offset_of_char(position);
    let character = text.as_str()[start..].chars().next().unwrap_or_default();
    character_string(ctx, character)
}

/// A one-character string.
pub fn character_string(ctx: &VMContext, character: char) -> Value {
    if character.is_ascii() {
        return ascii_string(ctx, character as u8);
    }
    Value::from(Str::with_capacity(character.encode_utf8(&mut [0; 4]), 0, 1))
}

#[inline]
fn ascii_string(ctx: &VMContext, byte: u8) -> Value {
    Value::from(ctx.program.ascii[byte as usize].clone())
}

fn index_dict(ctx: &mut VMContext, object: &Value, index: &Value) -> R<Value> {
    let Some(dict) = object.as_object::<Dict>() else {
        return Ok(Value::NULL);
    };
    let Some(key) = Key::from_value(index) else {
        return Err(ctx.raise(INVALID_INDEX));
    };
    match dict.get(key) {
        Some(value) => Ok(value.clone()),
        None => Err(missing_key(ctx, index)),
    }
}

#[cold]
pub(super) fn missing_key(ctx: &mut VMContext, key: &Value) -> Raised {
    let mut message = String::from("Missing map key: ");
    match key.as_str() {
        Some(text) => write_quoted(text, &mut message),
        None => write_int(key.as_int().unwrap_or_default(), &mut message),
    }
    ctx.raise(&message)
}

/// `object.name`
#[inline]
pub fn field(ctx: &mut VMContext, object: &Value, name: NameId) -> R<Value> {
    if let Some(record) = object.as_object::<Record>() {
        if let Some(value) = record.get(name) {
            return Ok(value.clone());
        }
        return method_or_thrown_field(ctx, object, name);
    }
    match object.as_object::<Dict>() {
        Some(dict) => Ok(dict_field(ctx, dict, name)),
        None => Err(no_fields(ctx, name)),
    }
}

/// What `record.name` is when the struct has no such field.
#[inline(never)]
fn method_or_thrown_field(ctx: &mut VMContext, object: &Value, name: NameId) -> R<Value> {
    if let Some(method) = object
        .as_object::<Record>()
        .and_then(Record::def)
        .and_then(|def| def.method(name))
    {
        return Ok(Value::from(BoundMethod::new(
            object.clone(),
            method.clone(),
        )));
    }
    match record_field(object, name) {
        Some(value) => Ok(value.clone()),
        None => Err(missing_field(ctx, name)),
    }
}

/// A struct's field; a caught error also shows those of what was thrown.
pub(super) fn record_field(object: &Value, name: NameId) -> Option<&Value> {
    let record = object.as_object::<Record>()?;
    if let Some(value) = record.get(name) {
        return Some(value);
    }
    if record.shape().is_error {
        return record.get(VALUE)?.as_object::<Record>()?.get(name);
    }
    None
}

/// A dict's entry under a name, or null.
pub(super) fn dict_field(ctx: &VMContext, dict: &Dict, name: NameId) -> Value {
    let key = Key::from_str(&ctx.program.names[name as usize]);
    dict.get(key).cloned().unwrap_or(Value::NULL)
}

#[cold]
pub(super) fn missing_field(ctx: &mut VMContext, name: NameId) -> Raised {
    let message = format!("Field not found: {}", ctx.program.name(name));
    ctx.raise(&message)
}

/// The error for `.name` on something that has no fields.
#[cold]
pub(super) fn no_fields(ctx: &mut VMContext, name: NameId) -> Raised {
    let message = format!(
        "Cannot access field or method '{}' on non-struct value",
        ctx.program.name(name)
    );
    ctx.raise(&message)
}

/// `object?.name` of an object that is not null: null when there is none.
pub fn optional_field(ctx: &VMContext, object: &Value, name: NameId) -> Value {
    if let Some(dict) = object.as_object::<Dict>() {
        return dict_field(ctx, dict, name);
    }
    record_field(object, name).cloned().unwrap_or(Value::NULL)
}

/// A receiver's field as a variable: unset if it has none, or is no struct.
pub fn field_or_unset(object: &Value, name: NameId) -> Value {
    object
        .as_object::<Record>()
        .and_then(|record| record.get(name))
        .cloned()
        .unwrap_or(Value::UNSET)
}
