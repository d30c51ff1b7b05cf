//! Built-ins on dicts.
//!
//! Most of them are lenient: what is no dict counts as an empty one.

use super::arguments::{check_count, check_depth, fail};
use super::arrays::Collector;
use super::arrays::change::pair;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict, Key, Str};
use crate::semantics::convert::{canonical_entries, key_string, to_display_string};
use crate::value::{Tag, Value};
use core::mem::take;

fn dict_at(args: &[Value], index: usize) -> Option<&Dict> {
    args.get(index).and_then(Value::as_object::<Dict>)
}

/// `dict()`
pub fn dict(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "dict", 0)?;
    Ok(Value::from(Dict::new()))
}

/// `keys(d)`
pub fn keys(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(collect_entries(args, |key, _| key_string(key)))
}

/// `values(d)`
pub fn values(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(collect_entries(args, |_, value| value.clone()))
}

/// `items(d)`
pub fn items(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    if let Some(dict) = args.first() {
        check_depth(ctx, dict)?;
    }
    Ok(collect_entries(args, |key, value| {
        pair(key_string(key), value.clone())
    }))
}

fn collect_entries(args: &[Value], element: impl Fn(&Value, &Value) -> Value) -> Value {
    let Some(dict) = dict_at(args, 0) else {
        return Value::from(Array::new());
    };
    let mut elements = Collector::new(dict.len());
    for (key, value) in canonical_entries(dict) {
        elements.push(element(key, value));
    }
    elements.finish()
}

/// `has_key(d, key)`
pub fn has_key(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = args.get(1).and_then(Key::from_value);
    let found = match (dict_at(args, 0), key) {
        (Some(dict), Some(key)) => dict.contains(key),
        _ => false,
    };
    // The reference gives an int here.
    Ok(Value::int(found as i64))
}

/// `get(d, key, default)`
pub fn get(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = args.get(1).and_then(Key::from_value);
    let (Some(dict), Some(key)) = (dict_at(args, 0), key) else {
        return Ok(Value::NULL);
    };
    let found = dict.get(key).or(args.get(2));
    Ok(found.cloned().unwrap_or(Value::NULL))
}

/// `get_default(d, key, default)`
pub fn get_default(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = args.get(1).and_then(Key::from_value);
    match (dict_at(args, 0), key, args.get(2)) {
        (Some(dict), Some(key), Some(default)) => Ok(dict.get(key).unwrap_or(default).clone()),
        _ => fail(
            ctx,
            "get_default() requires 3 arguments: dict, key, default_value",
        ),
    }
}

/// `merge(a, b)`, `update(a, b)`
pub fn merge(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(_), Some(second)) = (
        dict_at(args, 0),
        args.get(1).and_then(Value::to_ref::<Dict>),
    ) else {
        return Ok(Value::from(Dict::new()));
    };
    let mut merged = take(&mut args[0]);
    let target = merged.object_mut::<Dict>().expect("checked above");
    for (key, value) in second.iter() {
        target.insert_from(&second, key, value.clone());
    }
    Ok(merged)
}

/// `invert(d)`
pub fn invert(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let Some(dict) = dict_at(args, 0) else {
        return fail(ctx, "invert() requires a dict argument");
    };
    let mut inverted = Dict::with_capacity(dict.len());
    let target = inverted.get_mut().expect("just made");
    for (key, value) in canonical_entries(dict) {
        match value.tag() {
            Tag::String => {
                let text = value.as_object::<Str>().expect("the tag says so");
                target.insert_str(text, key_string(key));
            }
            Tag::Int | Tag::Float | Tag::Bool => {
                let text = Str::new(&to_display_string(ctx, value));
                target.insert_str(&text, key_string(key));
            }
            _ => {}
        }
    }
    Ok(Value::from(inverted))
}

/// A dict under construction.
pub(super) fn dict_of<const COUNT: usize>(entries: [(&str, Value); COUNT]) -> Value {
    let mut dict = Dict::with_capacity(COUNT);
    let target = dict.get_mut().expect("just made");
    for (key, value) in entries {
        target.insert_str(&Str::new(key), value);
    }
    Value::from(dict)
}
