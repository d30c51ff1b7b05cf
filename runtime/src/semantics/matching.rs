//! What patterns ask of a value.  None of it can fail or run Ruff code.

use super::R;
use super::index::{dict_field, record_field};
use crate::context::VMContext;
use crate::heap::{Array, Dict, Key, Record, Variant, VariantKind};
use crate::names::NameId;
use crate::value::Value;

/// The element at a position, or null; anything but an array has none.
pub fn element_or_null(value: &Value, index: u32) -> Value {
    match value.as_object::<Array>() {
        Some(array) if (index as usize) < array.len() => array.get(index as usize),
        _ => Value::NULL,
    }
}

/// An array of the elements from a position on.
pub fn array_rest(value: &Value, from: u32) -> Value {
    Value::from(match value.as_object::<Array>() {
        Some(array) => array.copy_range((from as usize).min(array.len()), array.len(), 0),
        None => Array::new(),
    })
}

/// A dict's or struct's entry, or null.
pub fn field_or_null(ctx: &VMContext, value: &Value, name: NameId) -> Value {
    match value.as_object::<Dict>() {
        Some(dict) => dict_field(ctx, dict, name),
        None => record_field(value, name).cloned().unwrap_or(Value::NULL),
    }
}

/// A dict of the entries whose keys are not in the program's name list.
pub fn dict_rest(ctx: &VMContext, value: &Value, list: u32) -> Value {
    let named = &ctx.program.program.name_lists[list as usize];
    let rest = Dict::new();
    // SAFETY: made here, so nobody else sees it.
    let target = unsafe { &mut *rest.as_ptr() };
    if let Some(dict) = value.as_object::<Dict>() {
        for (key, element) in dict.iter() {
            let is_named = |name: &NameId| key.as_str() == Some(ctx.program.name(*name));
            if !named.iter().any(is_named) {
                target.insert_from(dict, key, element.clone());
            }
        }
    } else if let Some(record) = value.as_object::<Record>() {
        for (name, field) in record.shape().fields.iter().zip(record.fields()) {
            if !field.is_unset() && !named.contains(name) {
                target.insert_str(&ctx.program.names[*name as usize], field.clone());
            }
        }
    }
    Value::from(rest)
}

/// Whether it is an array of this length.
pub fn test_array(value: &Value, len: u32) -> bool {
    value
        .as_object::<Array>()
        .is_some_and(|array| array.len() == len as usize)
}

/// Whether it is an array of at least this length.
pub fn test_array_min(value: &Value, len: u32) -> bool {
    value
        .as_object::<Array>()
        .is_some_and(|array| array.len() >= len as usize)
}

/// Whether it is the variant of the program's variant site.
pub fn test_variant(ctx: &VMContext, value: &Value, site: u32) -> bool {
    let number = site as usize;
    let site = &ctx.program.program.variant_sites[number];
    let Some(variant) = value.as_object::<Variant>() else {
        return false;
    };
    if site.kind != VariantKind::Tagged {
        return variant.kind() == site.kind;
    }
    if site.enum_name.is_some() {
        return variant.id() == ctx.program.variant_ids[number];
    }
    // Of any enum: the name decides.
    let text_of = |constant: u32| {
        ctx.program.constants[constant as usize]
            .as_str()
            .unwrap_or_default()
    };
    variant.kind() == VariantKind::Tagged
        && site.name.is_none_or(|name| variant.name() == text_of(name))
}

/// Whether it is the string with this spelling, or an enum value with this variant.
pub fn test_name(ctx: &VMContext, value: &Value, name: NameId) -> bool {
    if let Some(variant) = value.as_object::<Variant>() {
        return variant.name() == ctx.program.name(name);
    }
    value.as_str() == Some(ctx.program.name(name))
}

/// Whether it is a dict or struct that has this entry.
pub fn test_field(ctx: &VMContext, value: &Value, name: NameId) -> bool {
    match value.as_object::<Dict>() {
        Some(dict) => dict.contains(Key::from_str(&ctx.program.names[name as usize])),
        None => record_field(value, name).is_some(),
    }
}

/// A variant's payload at a position, or null.
pub fn variant_payload(value: &Value, index: u32) -> Value {
    let payload = value
        .as_object::<Variant>()
        .map_or(&[][..], Variant::payload);
    payload.get(index as usize).cloned().unwrap_or(Value::NULL)
}

/// What `?` finds: the payload of `Ok` and `Some`; `Unset` for `Err` and
/// `None`, which the function then returns.
pub fn unwrapped(ctx: &mut VMContext, value: &Value) -> R<Value> {
    match value.as_object::<Variant>().map(Variant::kind) {
        Some(VariantKind::Ok | VariantKind::Some) => Ok(variant_payload(value, 0)),
        Some(VariantKind::Err | VariantKind::None) => Ok(Value::UNSET),
        Some(VariantKind::Tagged) | None => {
            Err(ctx.raise("Try operator requires Result or Option"))
        }
    }
}
