//! `== != < <= > >=` and the equalities that containers and built-ins use.

use super::R;
use super::arith::{call_overload, invalid_binary, overload};
use super::convert::truthy;
use crate::context::VMContext;
use crate::heap::{Array, Bytes, Dict, Elements, Key, Record, Str, Variant};
use crate::names::{NameId, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT, OP_NE};
use crate::value::{Tag, Value};
use core::cmp::Ordering;

/// `left == right`, a bool even if overloaded.
#[inline]
pub fn equal(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    match overload(left, OP_EQ) {
        Some(method) => {
            let result = call_overload(ctx, &method, left.clone(), &mut [right.clone()])?;
            Ok(Value::bool(truthy(&result)))
        }
        None => Ok(Value::bool(same_value(left, right))),
    }
}

/// `left != right`; without an overload of its own the opposite of `==`.
#[inline]
pub fn not_equal(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    match overload(left, OP_NE) {
        Some(method) => {
            let result = call_overload(ctx, &method, left.clone(), &mut [right.clone()])?;
            Ok(Value::bool(truthy(&result)))
        }
        None => Ok(Value::bool(
            equal(ctx, left, right)?.as_bool() == Some(false),
        )),
    }
}

/// `left < right`
#[inline]
pub fn less(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    ordered(ctx, left, right, "<", OP_LT, Ordering::is_lt)
}

/// `left <= right`
#[inline]
pub fn less_equal(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    ordered(ctx, left, right, "<=", OP_LE, Ordering::is_le)
}

/// `left > right`
#[inline]
pub fn greater(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    ordered(ctx, left, right, ">", OP_GT, Ordering::is_gt)
}

/// `left >= right`
#[inline]
pub fn greater_equal(ctx: &mut VMContext, left: &Value, right: &Value) -> R<Value> {
    ordered(ctx, left, right, ">=", OP_GE, Ordering::is_ge)
}

#[inline]
fn ordered(
    ctx: &mut VMContext,
    left: &Value,
    right: &Value,
    symbol: &str,
    method: NameId,
    holds: fn(Ordering) -> bool,
) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return Ok(Value::bool(holds(a.cmp(&b))));
    }
    if let (Some(a), Some(b)) = (left.as_number(), right.as_number()) {
        return Ok(Value::bool(a.partial_cmp(&b).is_some_and(holds)));
    }
    if let (Some(a), Some(b)) = (left.as_object::<Str>(), right.as_object::<Str>()) {
        // The order of UTF-8 bytes is that of code points.
        return Ok(Value::bool(holds(a.as_bytes().cmp(b.as_bytes()))));
    }
    match overload(left, method) {
        Some(method) => call_overload(ctx, &method, left.clone(), &mut [right.clone()]),
        None => Err(invalid_binary(ctx, left, symbol, right)),
    }
}

/// `==` on floats: an epsilon for finite ones.
#[inline]
pub fn same_float(left: f64, right: f64) -> bool {
    left == right || (left.is_finite() && right.is_finite() && (left - right).abs() < f64::EPSILON)
}

/// `==` as containers and patterns use it: structural, never an overload.
///
/// Recurses once per level of the value, of which there are at most 4,096.
#[inline]
pub fn same_value(left: &Value, right: &Value) -> bool {
    if left.tag() != right.tag() {
        return match (left.as_number(), right.as_number()) {
            (Some(a), Some(b)) => same_float(a, b),
            _ => false,
        };
    }
    match left.tag() {
        Tag::Unset | Tag::Null => true,
        Tag::Bool | Tag::Int | Tag::Builtin => left.payload() == right.payload(),
        Tag::Float => same_float(
            f64::from_bits(left.payload()),
            f64::from_bits(right.payload()),
        ),
        Tag::String => left.as_object::<Str>() == right.as_object::<Str>(),
        _ => same_object(left, right),
    }
}

#[inline(never)]
fn same_object(left: &Value, right: &Value) -> bool {
    match left.tag() {
        Tag::Array => both::<Array>(left, right, same_arrays),
        Tag::Dict => both::<Dict>(left, right, same_dicts),
        Tag::Struct => both::<Record>(left, right, same_records),
        Tag::Variant => both::<Variant>(left, right, same_variants),
        Tag::Bytes => both::<Bytes>(left, right, |left, right| {
            left.as_slice() == right.as_slice()
        }),
        Tag::Set | Tag::Queue | Tag::Stack => false,
        _ => left.payload() == right.payload(),
    }
}

#[inline(always)]
fn both<T: crate::heap::Object>(left: &Value, right: &Value, same: fn(&T, &T) -> bool) -> bool {
    match (left.as_object::<T>(), right.as_object::<T>()) {
        (Some(left), Some(right)) => same(left, right),
        _ => false,
    }
}

fn same_arrays(left: &Array, right: &Array) -> bool {
    if left.len() != right.len() {
        return false;
    }
    if let (Some(left), Some(right)) = (left.as_ints(), right.as_ints()) {
        return left == right;
    }
    if let (Some(left), Some(right)) = (left.as_values(), right.as_values()) {
        return left.iter().zip(right).all(|(a, b)| same_value(a, b));
    }
    if left.elements() != Elements::Values || right.elements() != Elements::Values {
        return left
            .iter()
            .zip(right.iter())
            .all(|(a, b)| same_value(&a, &b));
    }
    false
}

fn same_dicts(left: &Dict, right: &Dict) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| {
            right
                .get(Key::from_held(key))
                .is_some_and(|other| same_value(value, other))
        })
}

fn same_records(left: &Record, right: &Record) -> bool {
    if core::ptr::eq(left.shape(), right.shape()) {
        return left
            .fields()
            .iter()
            .zip(right.fields())
            .all(|(a, b)| same_value(a, b));
    }
    if left.shape().name != right.shape().name {
        return false;
    }
    let present = |record: &Record| {
        record
            .fields()
            .iter()
            .filter(|value| !value.is_unset())
            .count()
    };
    present(left) == present(right)
        && left
            .shape()
            .fields
            .iter()
            .zip(left.fields())
            .all(|(name, value)| {
                value.is_unset()
                    || right
                        .get(*name)
                        .is_some_and(|other| same_value(value, other))
            })
}

fn same_variants(left: &Variant, right: &Variant) -> bool {
    left.kind() == right.kind()
        && left.name() == right.name()
        && left.enum_name() == right.enum_name()
        && left.payload().len() == right.payload().len()
        && left
            .payload()
            .iter()
            .zip(right.payload())
            .all(|(a, b)| same_value(a, b))
}

/// Scalar-strict match (reference, builtins-core 1.7): the same scalar type
/// and exactly the same value.
pub fn strict_same(left: &Value, right: &Value) -> bool {
    if left.tag() != right.tag() {
        return false;
    }
    match left.tag() {
        Tag::Null => true,
        Tag::Bool | Tag::Int => left.payload() == right.payload(),
        Tag::Float => left.as_float() == right.as_float(),
        Tag::String => left.as_object::<Str>() == right.as_object::<Str>(),
        _ => false,
    }
}
