//! `sort` and `unique`.

use super::super::arguments::{check_count_inflected, fail};
use super::super::hashing::{identical, identity_hash};
use super::{Collector, array_at};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::Array;
use crate::value::{Tag, Value};
use core::cmp::Ordering;
use core::mem::take;
use hashbrown::HashTable;

/// `sort(arr)`
pub fn sort(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "sort", 1)?;
    if args[0].tag() != Tag::Array {
        return fail(ctx, "sort requires an array argument");
    }
    let mut target = take(&mut args[0]);
    let array = target.object_mut::<Array>().expect("the tag says so");
    if let Some(ints) = array.as_ints_mut() {
        ints.sort_unstable();
    } else if let Some(floats) = array.as_floats_mut() {
        sort_runs(
            floats,
            |number| !number.is_nan(),
            |left, right| left.partial_cmp(right).unwrap_or(Ordering::Equal),
        );
    } else if let Some(values) = array.as_values_mut() {
        sort_values(values);
    }
    Ok(target)
}

/// Sorts every run of elements that can be compared.
///
/// Insertion sort moves an element left while it is strictly smaller than its
/// neighbour, and what can't be compared counts as equal.  So nothing ever
/// passes an element of another sort: each run stays where it is.
fn sort_runs<T>(
    elements: &mut [T],
    comparable: impl Fn(&T) -> bool,
    compare: impl Fn(&T, &T) -> Ordering,
) {
    for run in elements.chunk_by_mut(|left, right| comparable(left) == comparable(right)) {
        if run.first().is_some_and(&comparable) {
            run.sort_by(&compare);
        }
    }
}

fn sort_values(values: &mut [Value]) {
    for run in values.chunk_by_mut(|left, right| sort_of(left) == sort_of(right)) {
        match run.first().map(sort_of) {
            Some(Sort::Number) => run.sort_by(compare_numbers),
            Some(Sort::Text) => run.sort_by(|left, right| left.as_str().cmp(&right.as_str())),
            _ => {}
        }
    }
}

#[derive(PartialEq, Eq)]
enum Sort {
    Number,
    Text,
    Other,
}

fn sort_of(value: &Value) -> Sort {
    match value.tag() {
        Tag::Int => Sort::Number,
        Tag::Float if value.as_float().is_some_and(f64::is_nan) => Sort::Other,
        Tag::Float => Sort::Number,
        Tag::String => Sort::Text,
        _ => Sort::Other,
    }
}

/// Compares numbers that are not NaN by their exact values, which makes the
/// order of ints and floats a total one.
fn compare_numbers(left: &Value, right: &Value) -> Ordering {
    match (left.as_int(), right.as_int()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_int_float(left, right.as_float().unwrap_or(0.0)),
        (None, Some(right)) => compare_int_float(right, left.as_float().unwrap_or(0.0)).reverse(),
        (None, None) => left
            .as_float()
            .partial_cmp(&right.as_float())
            .unwrap_or(Ordering::Equal),
    }
}

fn compare_int_float(int: i64, float: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float >= LIMIT {
        return Ordering::Less;
    }
    if float < -LIMIT {
        return Ordering::Greater;
    }
    // In range: cut off the fraction, which decides between equal whole parts.
    let whole = float as i64;
    let fraction = float - whole as f64;
    int.cmp(&whole)
        .then_with(|| 0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
}

/// `unique(arr)`
pub fn unique(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "unique", 1)?;
    let Some(array) = array_at(args, 0) else {
        return fail(ctx, "unique requires an array argument");
    };
    let mut seen: HashTable<usize> = HashTable::new();
    let mut kept = Collector::new(0);
    for index in 0..array.len() {
        let element = array.get(index);
        let hash = identity_hash(&element);
        if seen
            .find(hash, |known| identical(&array.get(*known), &element))
            .is_none()
        {
            seen.insert_unique(hash, index, |known| identity_hash(&array.get(*known)));
            kept.push_from(array, index);
        }
    }
    Ok(kept.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// What the reference prescribes, literally.
    fn insertion_sort(values: &mut [Value]) {
        for start in 1..values.len() {
            let mut index = start;
            while index > 0 && is_less(&values[index], &values[index - 1]) {
                values.swap(index, index - 1);
                index -= 1;
            }
        }
    }

    fn is_less(left: &Value, right: &Value) -> bool {
        match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left < right,
            _ => match (left.as_str(), right.as_str()) {
                (Some(left), Some(right)) => left < right,
                _ => false,
            },
        }
    }

    #[test]
    fn mixed_arrays_sort_as_by_insertion() {
        let mut state = 12345_u64;
        let mut random = move |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        for _ in 0..2000 {
            let mut values: Vec<Value> = (0..random(12))
                .map(|_| match random(6) {
                    0 | 1 => Value::int(random(5) as i64),
                    2 => Value::float(random(10) as f64 / 2.0),
                    3 => Value::string(["a", "b", "Z"][random(3) as usize]),
                    4 => Value::NULL,
                    _ => Value::float(f64::NAN),
                })
                .collect();
            let mut expected = values.clone();
            insertion_sort(&mut expected);
            sort_values(&mut values);
            let same = values
                .iter()
                .zip(&expected)
                .all(|(left, right)| identical(left, right));
            assert!(same, "{values:?} {expected:?}");
        }
    }

    #[test]
    fn ints_and_floats_compare_exactly() {
        assert_eq!(compare_int_float(3, 2.5), Ordering::Greater);
        assert_eq!(compare_int_float(-3, -2.5), Ordering::Less);
        assert_eq!(
            compare_int_float(i64::MAX, 9_223_372_036_854_775_808.0),
            Ordering::Less
        );
        assert_eq!(
            compare_int_float(i64::MIN, -9_223_372_036_854_775_808.0),
            Ordering::Equal
        );
        assert_eq!(
            compare_int_float((1 << 53) + 1, 9_007_199_254_740_992.0),
            Ordering::Greater
        );
    }
}
