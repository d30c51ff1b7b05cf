//! Numbers: everything but the `bit_` family gives floats.

use super::arguments::{check_count, fail};
use super::system::{c, square_root};
use crate::context::VMContext;
use crate::error::Raised;
use crate::semantics::convert::technical;
use crate::value::Value;
use alloc::format;

/// The number that `name(value)` was called with.
#[inline(always)]
fn number_of(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<f64, Raised> {
    if let [value] = args
        && let Some(number) = value.as_number()
    {
        return Ok(number);
    }
    no_number(ctx, args, name)
}

#[cold]
#[inline(never)]
fn no_number(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<f64, Raised> {
    let [value] = args else {
        return fail(ctx, &format!("{name}() expects 1 argument"));
    };
    let got = technical(ctx, value);
    fail(
        ctx,
        &format!("{name}() expects numeric argument 'value' , got {got}"),
    )
}

macro_rules! functions {
    ($($name:ident = $function:path;)*) => { $(
        pub fn $name(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
            let number = number_of(ctx, args, stringify!($name))?;
            Ok(Value::float($function(number)))
        }
    )* };
}
functions! {
    abs = f64::abs;
    floor = c::floor;
    ceil = c::ceil;
    round = c::round;
    sin = c::sin;
    cos = c::cos;
    tan = c::tan;
    exp = c::exp;
}

/// `sqrt(value)`
pub fn sqrt(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let number = number_of(ctx, args, "sqrt")?;
    if number < 0.0 {
        return fail(ctx, "sqrt() domain error: value must be >= 0");
    }
    Ok(Value::float(square_root(number)))
}

/// `log(value)`
pub fn log(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let number = number_of(ctx, args, "log")?;
    if number <= 0.0 {
        return fail(ctx, "log() domain error: value must be > 0");
    }
    Ok(Value::float(c::log(number)))
}

fn two_numbers(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<(f64, f64), Raised> {
    let [first, second] = args else {
        return fail(ctx, &format!("{name}() expects 2 arguments"));
    };
    match (first.as_number(), second.as_number()) {
        (Some(first), Some(second)) => Ok((first, second)),
        _ => fail(ctx, &format!("{name}() expects numeric arguments")),
    }
}

/// `pow(a, b)`
pub fn pow(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (base, exponent) = two_numbers(ctx, args, "pow")?;
    Ok(Value::float(c::pow(base, exponent)))
}

/// `min(a, b)`
pub fn min(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (first, second) = two_numbers(ctx, args, "min")?;
    // Generated code does the same, down to the sign of zero.
    Ok(Value::float(match first.is_nan() || second < first {
        true => second,
        false => first,
    }))
}

/// `max(a, b)`
pub fn max(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (first, second) = two_numbers(ctx, args, "max")?;
    Ok(Value::float(match first.is_nan() || second > first {
        true => second,
        false => first,
    }))
}

fn int_of(ctx: &mut VMContext, value: &Value, name: &str, parameter: &str) -> Result<i64, Raised> {
    if let Some(number) = value.as_int() {
        return Ok(number);
    }
    let got = technical(ctx, value);
    fail(
        ctx,
        &format!("{name}() expects integer argument '{parameter}' , got {got}"),
    )
}

fn two_ints(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<(i64, i64), Raised> {
    check_count(ctx, args, name, 2)?;
    Ok((
        int_of(ctx, &args[0], name, "left")?,
        int_of(ctx, &args[1], name, "right")?,
    ))
}

/// `bit_and(left, right)`
pub fn bit_and(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (left, right) = two_ints(ctx, args, "bit_and")?;
    Ok(Value::int(left & right))
}

/// `bit_or(left, right)`
pub fn bit_or(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (left, right) = two_ints(ctx, args, "bit_or")?;
    Ok(Value::int(left | right))
}

/// `bit_xor(left, right)`
pub fn bit_xor(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (left, right) = two_ints(ctx, args, "bit_xor")?;
    Ok(Value::int(left ^ right))
}

/// `bit_not(value)`
pub fn bit_not(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "bit_not", 1)?;
    Ok(Value::int(!int_of(ctx, &args[0], "bit_not", "value")?))
}

/// `bit_shl(left, right)`
pub fn bit_shl(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (left, amount) = shift_arguments(ctx, args, "bit_shl")?;
    Ok(Value::int(left << amount))
}

/// `bit_shr(left, right)`
pub fn bit_shr(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (left, amount) = shift_arguments(ctx, args, "bit_shr")?;
    Ok(Value::int(left >> amount))
}

fn shift_arguments(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<(i64, u32), Raised> {
    let (left, amount) = two_ints(ctx, args, name)?;
    if !(0..64).contains(&amount) {
        return fail(
            ctx,
            &format!("{name}() expects a shift amount between 0 and 63"),
        );
    }
    Ok((left, amount as u32))
}
