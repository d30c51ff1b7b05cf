//! Types of values, and conversion from one to another.

use super::arguments::{check_count, fail};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Bytes};
use crate::semantics::convert::{to_display_string, truthy, type_name};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::vec::Vec;

/// `type(value)`, `type_of(value)`
pub fn type_of(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "type", 1)?;
    Ok(Value::string(type_name(&args[0])))
}

macro_rules! predicates {
    ($($name:ident => $tags:pat,)*) => { $(
        pub fn $name(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
            has_tag(ctx, args, stringify!($name), |tag| matches!(tag, $tags))
        }
    )* };
}
predicates! {
    is_int => Tag::Int,
    is_float => Tag::Float,
    is_string => Tag::String,
    is_bool => Tag::Bool,
    is_array => Tag::Array,
    is_dict => Tag::Dict,
    is_null => Tag::Null,
    is_function => Tag::Builtin | Tag::Function | Tag::BoundMethod,
}

fn has_tag(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    accepts: fn(Tag) -> bool,
) -> Result<Value, Raised> {
    match args {
        [] => Ok(Value::FALSE),
        [value] => Ok(Value::bool(accepts(value.tag()))),
        _ => fail(ctx, &format!("{name}() expects 1 argument")),
    }
}

/// `is_truthy(value)`
pub fn is_truthy(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "is_truthy", 1)?;
    Ok(Value::bool(truthy(&args[0])))
}

/// `to_int(value)`, `int(value)`
pub fn to_int(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_int() requires one argument");
    };
    match value.tag() {
        Tag::Int => Ok(value.clone()),
        Tag::Float => Ok(Value::int(value.as_float().expect("the tag says so") as i64)),
        Tag::Bool => Ok(Value::int(value.payload() as i64)),
        Tag::String => match parse_int_text(value.as_str().expect("the tag says so")) {
            Some(number) => Ok(Value::int(number)),
            None => cannot_convert(ctx, value, "int"),
        },
        _ => cannot_convert(ctx, value, "int"),
    }
}

/// `to_float(value)`, `float(value)`
pub fn to_float(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_float() requires one argument");
    };
    match value.tag() {
        Tag::Int | Tag::Float => Ok(Value::float(value.as_number().expect("the tag says so"))),
        Tag::Bool => Ok(Value::float(value.payload() as f64)),
        Tag::String => match parse_float_text(value.as_str().expect("the tag says so").trim()) {
            Some(number) => Ok(Value::float(number)),
            None => cannot_convert(ctx, value, "float"),
        },
        _ => cannot_convert(ctx, value, "float"),
    }
}

#[cold]
fn cannot_convert(ctx: &mut VMContext, value: &Value, wanted: &str) -> Result<Value, Raised> {
    let message = match value.tag() {
        Tag::String => format!(
            "Cannot convert '{}' to {wanted}",
            value.as_str().unwrap_or_default()
        ),
        Tag::Array => format!("Cannot convert array to {wanted}"),
        Tag::Dict => format!("Cannot convert dict to {wanted}"),
        Tag::Null => format!("Cannot convert null to {wanted}"),
        _ => format!("Cannot convert value to {wanted}"),
    };
    fail(ctx, &message)
}

/// `to_string(value)`, `str(value)`, `string(value)`
pub fn to_string(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_string() requires one argument");
    };
    if value.tag() == Tag::String {
        return Ok(value.clone());
    }
    Ok(Value::string(&to_display_string(ctx, value)))
}

/// `to_bool(value)`, `bool(value)`
pub fn to_bool(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_bool() requires one argument");
    };
    let result = match value.as_str() {
        Some(text) => !(text.is_empty() || text == "0" || text.eq_ignore_ascii_case("false")),
        None => truthy(value),
    };
    Ok(Value::bool(result))
}

/// `parse_int(text)`
pub fn parse_int(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "parse_int requires a string argument");
    };
    let Some(text) = value.as_str() else {
        return fail(ctx, "parse_int requires a string argument");
    };
    match parse_int_text(text) {
        Some(number) => Ok(Value::int(number)),
        None => fail(ctx, &format!("Cannot parse '{text}' as integer")),
    }
}

/// `parse_float(text)`
pub fn parse_float(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "parse_float requires a string argument");
    };
    let Some(text) = value.as_str() else {
        return fail(ctx, "parse_float requires a string argument");
    };
    match parse_float_text(text.trim()) {
        Some(number) => Ok(Value::float(number)),
        None => fail(ctx, &format!("Cannot parse '{text}' as float")),
    }
}

/// White space, an optional sign and decimal digits.
fn parse_int_text(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// The float that a text without white space around it spells.
pub fn parse_float_text(text: &str) -> Option<f64> {
    // Rust's grammar is the reference's.
    text.parse().ok()
}

/// `bytes(items)`
pub fn bytes(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "bytes() requires an array argument");
    };
    let Some(items) = value.as_object::<Array>() else {
        return fail(ctx, "bytes() requires an array argument");
    };
    let mut octets = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Some(number) = item.as_int() else {
            return fail(ctx, "bytes() requires an array of integers");
        };
        let Ok(octet) = u8::try_from(number) else {
            return fail(
                ctx,
                &format!("bytes() requires integers in range 0-255, got {number}"),
            );
        };
        octets.push(octet);
    }
    Ok(Value::from(Bytes::new(&octets)))
}
