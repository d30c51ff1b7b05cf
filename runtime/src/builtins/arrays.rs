//! Built-ins that make and measure arrays.

use super::arguments::{check_count, check_count_inflected, fail, whole_number};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Bytes, Dict, Elements, Queue, Ref, Set, Stack, Str};
use crate::value::{Tag, Value};
use alloc::format;

pub mod callbacks;
pub mod change;
pub mod order;
pub mod views;

/// `array(...)`
pub fn array(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    for value in args.iter() {
        super::arguments::check_depth(ctx, value)?;
    }
    Ok(Value::from(Array::from_values(
        args.iter_mut().map(core::mem::take),
    )))
}

/// `len(value)`
pub fn len(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "len", 1)?;
    let value = &args[0];
    let len = match value.tag() {
        Tag::String => value.as_object::<Str>().map(Str::chars),
        Tag::Array => value.as_object::<Array>().map(Array::len),
        Tag::Dict => value.as_object::<Dict>().map(Dict::len),
        Tag::Bytes => value.as_object::<Bytes>().map(Bytes::len),
        Tag::Set => value.as_object::<Set>().map(Set::len),
        Tag::Queue => value.as_object::<Queue>().map(Queue::len),
        Tag::Stack => value.as_object::<Stack>().map(Stack::len),
        _ => None,
    };
    match len {
        Some(len) => Ok(Value::int(len as i64)),
        None => fail(
            ctx,
            "len() requires an array, dict, bytes, set, queue, stack, or string",
        ),
    }
}

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`
pub fn range(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (start, stop, step) = range_arguments(ctx, args)?;
    let count = range_count(start, stop, step);
    let mut array = Array::with_capacity(Elements::Ints, count);
    let target = array.get_mut().expect("just made");
    let mut number = start;
    for _ in 0..count {
        target.push(Value::int(number));
        number = number.wrapping_add(step);
    }
    Ok(Value::from(array))
}

/// Start, stop and step that the arguments of `range` mean.
pub fn range_arguments(ctx: &mut VMContext, args: &[Value]) -> Result<(i64, i64, i64), Raised> {
    if args.is_empty() || args.len() > 3 {
        return fail(ctx, "range() requires 1, 2, or 3 arguments");
    }
    let mut numbers = [0, 0, 1];
    let first = if args.len() == 1 { 1 } else { 0 };
    for (place, arg) in numbers[first..].iter_mut().zip(args) {
        let Some(number) = whole_number(arg) else {
            return fail(ctx, "range() requires numeric arguments");
        };
        *place = number;
    }
    let [start, stop, step] = numbers;
    if step == 0 {
        return fail(ctx, "range() step cannot be zero");
    }
    Ok((start, stop, step))
}

/// How many numbers there are from `start` on before `stop`.
fn range_count(start: i64, stop: i64, step: i64) -> usize {
    let forward = step > 0;
    if (forward && start >= stop) || (!forward && start <= stop) {
        return 0;
    }
    let distance = start.abs_diff(stop);
    distance.div_ceil(step.unsigned_abs()) as usize
}

/// `sum(arr)`
pub fn sum(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count_inflected(ctx, args, "sum", 1)?;
    let Some(array) = args[0].as_object::<Array>() else {
        return fail(ctx, "sum requires an array argument");
    };
    if let Some(ints) = array.as_ints() {
        return sum_ints(ctx, ints.iter().copied());
    }
    if let Some(floats) = array.as_floats()
        && !floats.is_empty()
    {
        return Ok(Value::float(
            floats.iter().fold(0.0, |total, number| total + number),
        ));
    }
    let mut total = Value::int(0);
    for element in array.iter() {
        total = match (total.as_int(), element.as_int(), element.as_number()) {
            (Some(total), Some(number), _) => sum_ints(ctx, [total, number].into_iter())?,
            (_, _, Some(number)) => {
                Value::float(total.as_number().expect("totals are numbers") + number)
            }
            _ => total,
        };
    }
    Ok(total)
}

fn sum_ints(ctx: &mut VMContext, numbers: impl Iterator<Item = i64>) -> Result<Value, Raised> {
    let mut total: i64 = 0;
    for number in numbers {
        total = match total.checked_add(number) {
            Some(total) => total,
            None => return fail(ctx, &format!("Integer overflow: {total} + {number}")),
        };
    }
    Ok(Value::int(total))
}

/// The array that a built-in got as its argument at `index`.
pub(super) fn array_at(args: &[Value], index: usize) -> Option<&Array> {
    args.get(index).and_then(Value::as_object::<Array>)
}

/// An array under construction that takes the kind of its first element.
pub(super) struct Collector {
    array: Option<Ref<Array>>,
    expected: usize,
}

impl Collector {
    /// For about `expected` elements.
    pub fn new(expected: usize) -> Collector {
        Collector {
            array: None,
            expected,
        }
    }

    #[inline]
    pub fn push(&mut self, value: Value) {
        let array = self.array.get_or_insert_with(|| {
            Array::with_capacity(Elements::for_tag(value.tag()), self.expected)
        });
        array.get_mut().expect("nobody else has it yet").push(value);
    }

    /// Takes an element of another array; it lies flat if it does there.
    pub fn push_from(&mut self, source: &Array, index: usize) {
        if source.elements() != Elements::Structs {
            return self.push(source.get(index));
        }
        let array = self
            .array
            .get_or_insert_with(|| source.copy_range(0, 0, self.expected));
        let array = array.get_mut().expect("nobody else has it yet");
        array.push_from(source, index);
    }

    pub fn finish(self) -> Value {
        Value::from(self.array.unwrap_or_else(Array::new))
    }
}
