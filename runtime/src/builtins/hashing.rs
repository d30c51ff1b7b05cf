//! Hashes of values, for the built-ins that look for duplicates.
//!
//! There are two ways to be the same: `identical` (what `unique` means) and
//! the language's `==` (what sets mean), under which an int meets a float and
//! floats very close to each other are one.  Each has its hash.

use crate::heap::{Array, Bytes, Dict, Key, Record, Str, Variant};
use crate::value::{Tag, Value};

/// Elements and levels of a container that its hash looks at.
const HASHED_ELEMENTS: usize = 8;
const HASHED_LEVELS: u32 = 3;

#[inline]
fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ word ^ 0x9e37_79b9_7f4a_7c15) as u128 * 0xe703_7ed1_a0b4_28db_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Equal for identical values.
pub fn identity_hash(value: &Value) -> u64 {
    hash_value(value, HASHED_LEVELS, &|number| fold(2, float_bits(number)))
}

/// The hashes under which values that are `==` to this one may be filed: the
/// first is its own.  There are two when it is a number next to a border
/// between two of the cells into which small numbers are sorted.
pub fn equality_hashes(value: &Value) -> (u64, Option<u64>) {
    let Some(number) = value.as_number() else {
        return (hash_value(value, HASHED_LEVELS, &coarse_number_hash), None);
    };
    if number.abs() >= 2.0 || number.is_nan() {
        return (coarse_number_hash(number), None);
    }
    let own = cell_of(number);
    let lower = cell_of(number - f64::EPSILON);
    let other = if lower != own {
        lower
    } else {
        cell_of(number + f64::EPSILON)
    };
    let hash = |cell: i64| fold(1, cell as u64);
    (hash(own), (other != own).then(|| hash(other)))
}

/// Numbers below 2 fall into cells much wider than the distance at which they
/// count as equal; beyond 2, only equal doubles are that close.
fn cell_of(number: f64) -> i64 {
    const CELLS_PER_UNIT: f64 = (1_u64 << 40) as f64;
    // The offset keeps whole numbers, which are common, away from the borders.
    ((number + 2.0) * CELLS_PER_UNIT + 0.5) as i64
}

/// A hash that all numbers have that are `==` to this one, even in containers.
fn coarse_number_hash(number: f64) -> u64 {
    if number.abs() < 2.0 {
        fold(2, 0)
    } else {
        fold(2, float_bits(number))
    }
}

/// Bits that are the same for all NaNs.
fn float_bits(number: f64) -> u64 {
    if number.is_nan() {
        f64::NAN.to_bits()
    } else {
        number.to_bits()
    }
}

fn hash_value(value: &Value, levels: u32, number_hash: &dyn Fn(f64) -> u64) -> u64 {
    let tag = value.tag() as u64;
    match value.tag() {
        Tag::Int | Tag::Float => number_hash(value.as_number().expect("the tag says so")),
        Tag::String => value.as_object::<Str>().map_or(0, Str::hash),
        Tag::Array => {
            let array = value.as_object::<Array>().expect("the tag says so");
            let mut state = fold(tag, array.len() as u64);
            if levels > 0 {
                for element in array.iter().take(HASHED_ELEMENTS) {
                    state = fold(state, hash_value(&element, levels - 1, number_hash));
                }
            }
            state
        }
        Tag::Dict => fold(tag, value.as_object::<Dict>().map_or(0, Dict::len) as u64),
        Tag::Struct => {
            let record = value.as_object::<Record>().expect("the tag says so");
            let mut state = fold(tag, record.shape().name as u64);
            if levels > 0 {
                for position in record.shape().sorted.iter().take(HASHED_ELEMENTS) {
                    let field = &record.fields()[*position as usize];
                    if !field.is_unset() {
                        state = fold(state, hash_value(field, levels - 1, number_hash));
                    }
                }
            }
            state
        }
        Tag::Variant => {
            let variant = value.as_object::<Variant>().expect("the tag says so");
            let mut state = fold(
                tag,
                crate::heap::string::hash_text(variant.name().as_bytes()),
            );
            if levels > 0 {
                for part in variant.payload().iter().take(HASHED_ELEMENTS) {
                    state = fold(state, hash_value(part, levels - 1, number_hash));
                }
            }
            state
        }
        Tag::Bytes => {
            let bytes = value.as_object::<Bytes>().expect("the tag says so");
            fold(tag, crate::heap::string::hash_text(bytes.as_slice()))
        }
        _ => fold(tag, value.payload()),
    }
}

/// Same type and same content; ints and floats never coincide, NaN is itself.
pub fn identical(left: &Value, right: &Value) -> bool {
    if left.tag() != right.tag() {
        return false;
    }
    match left.tag() {
        Tag::Null => true,
        Tag::Float => left.as_float().map(float_bits) == right.as_float().map(float_bits),
        Tag::String => left.as_object::<Str>() == right.as_object::<Str>(),
        Tag::Array => both(left, right, |left: &Array, right: &Array| {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right.iter())
                    .all(|(left, right)| identical(&left, &right))
        }),
        Tag::Dict => both(left, right, identical_dicts),
        Tag::Struct => both(left, right, identical_records),
        Tag::Variant => both(left, right, |left: &Variant, right: &Variant| {
            left.kind() == right.kind()
                && left.enum_name() == right.enum_name()
                && left.name() == right.name()
                && left.payload().len() == right.payload().len()
                && left
                    .payload()
                    .iter()
                    .zip(right.payload())
                    .all(|(left, right)| identical(left, right))
        }),
        Tag::Bytes => both(left, right, |left: &Bytes, right: &Bytes| {
            left.as_slice() == right.as_slice()
        }),
        _ => left.payload() == right.payload(),
    }
}

fn both<T: crate::heap::Object>(
    left: &Value,
    right: &Value,
    same: impl Fn(&T, &T) -> bool,
) -> bool {
    match (left.as_object::<T>(), right.as_object::<T>()) {
        (Some(left), Some(right)) => core::ptr::eq(left, right) || same(left, right),
        _ => false,
    }
}

fn identical_dicts(left: &Dict, right: &Dict) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| {
            right
                .get(Key::from_held(key))
                .is_some_and(|other| identical(value, other))
        })
}

fn identical_records(left: &Record, right: &Record) -> bool {
    let present = |record: &Record| {
        record
            .fields()
            .iter()
            .filter(|field| !field.is_unset())
            .count()
    };
    left.shape().name == right.shape().name
        && present(left) == present(right)
        && left
            .shape()
            .fields
            .iter()
            .zip(left.fields())
            .all(|(name, value)| {
                value.is_unset()
                    || right
                        .get(*name)
                        .is_some_and(|other| identical(value, other))
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_equal_share_a_hash() {
        let close = [
            (0.1 + 0.2, 0.3),
            (1.0, 1.0 - f64::EPSILON / 2.0),
            (0.0, 1e-17),
            (-0.0, 0.0),
        ];
        for (left, right) in close {
            let (own, _) = equality_hashes(&Value::float(left));
            let (first, second) = equality_hashes(&Value::float(right));
            assert!(own == first || Some(own) == second, "{left} {right}");
        }
        assert_eq!(
            equality_hashes(&Value::int(7)),
            equality_hashes(&Value::float(7.0))
        );
        assert_ne!(
            identity_hash(&Value::string("7")),
            identity_hash(&Value::int(7))
        );
    }

    #[test]
    fn identical_values_have_one_type() {
        assert!(!identical(&Value::int(1), &Value::float(1.0)));
        assert!(identical(&Value::float(f64::NAN), &Value::float(f64::NAN)));
        assert!(!identical(&Value::float(0.0), &Value::float(-0.0)));
    }
}
