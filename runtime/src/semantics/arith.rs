//! `+ - * / %`, unary `-` and `!`, and compound assignment to a variable.

use super::R;
use super::convert::message_type_name;
use crate::bytecode::Operator;
use crate::call;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Function, Record, Ref, Str};
use crate::names::{NameId, OP_ADD, OP_DIV, OP_MOD, OP_MUL, OP_NEG, OP_NOT, OP_SUB};
use crate::value::{Tag, Value};
use alloc::format;

/// `left + right`
#[inline]
pub fn add(ctx: &mut VMContext, left: Value, right: Value) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return a
            .checked_add(b)
            .map(Value::int)
            .ok_or_else(|| overflow(ctx, a, Operator::Add, b));
    }
    if left.tag() == Tag::String && right.tag() == Tag::String {
        return Ok(concatenate(left, right));
    }
    match float_operands(&left, &right) {
        Some((a, b)) => Ok(Value::float(a + b)),
        None => overloaded(ctx, Operator::Add, left, right),
    }
}

/// `left - right`
#[inline]
pub fn subtract(ctx: &mut VMContext, left: Value, right: Value) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return a
            .checked_sub(b)
            .map(Value::int)
            .ok_or_else(|| overflow(ctx, a, Operator::Subtract, b));
    }
    match float_operands(&left, &right) {
        Some((a, b)) => Ok(Value::float(a - b)),
        None => overloaded(ctx, Operator::Subtract, left, right),
    }
}

/// `left * right`
#[inline]
pub fn multiply(ctx: &mut VMContext, left: Value, right: Value) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return a
            .checked_mul(b)
            .map(Value::int)
            .ok_or_else(|| overflow(ctx, a, Operator::Multiply, b));
    }
    match float_operands(&left, &right) {
        Some((a, b)) => Ok(Value::float(a * b)),
        None => overloaded(ctx, Operator::Multiply, left, right),
    }
}

/// `left / right`; ints truncate toward zero.
#[inline]
pub fn divide(ctx: &mut VMContext, left: Value, right: Value) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        if b == 0 {
            return Err(ctx.raise("Division by zero"));
        }
        return a
            .checked_div(b)
            .map(Value::int)
            .ok_or_else(|| overflow(ctx, a, Operator::Divide, b));
    }
    match float_operands(&left, &right) {
        Some((_, 0.0)) => Err(ctx.raise("Division by zero")),
        Some((a, b)) => Ok(Value::float(a / b)),
        None => overloaded(ctx, Operator::Divide, left, right),
    }
}

/// `left % right`; the sign is the dividend's.
#[inline]
pub fn remainder(ctx: &mut VMContext, left: Value, right: Value) -> R<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        if b == 0 {
            return Err(ctx.raise("Modulo by zero"));
        }
        return a
            .checked_rem(b)
            .map(Value::int)
            .ok_or_else(|| overflow(ctx, a, Operator::Remainder, b));
    }
    match float_operands(&left, &right) {
        Some((_, 0.0)) => Err(ctx.raise("Modulo by zero")),
        Some((a, b)) => Ok(Value::float(a % b)),
        None => overloaded(ctx, Operator::Remainder, left, right),
    }
}

/// `left operator right`
pub fn operate(ctx: &mut VMContext, operator: Operator, left: Value, right: Value) -> R<Value> {
    match operator {
        Operator::Add => add(ctx, left, right),
        Operator::Subtract => subtract(ctx, left, right),
        Operator::Multiply => multiply(ctx, left, right),
        Operator::Divide => divide(ctx, left, right),
        Operator::Remainder => remainder(ctx, left, right),
    }
}

/// Unary `-`
pub fn negate(ctx: &mut VMContext, value: Value) -> R<Value> {
    match (value.as_int(), value.as_float()) {
        (Some(number), _) => number.checked_neg().map(Value::int).ok_or_else(|| {
            let message = format!("Integer overflow: -({number})");
            ctx.raise(&message)
        }),
        (_, Some(number)) => Ok(Value::float(-number)),
        _ => overloaded_unary(ctx, '-', OP_NEG, value),
    }
}

/// Unary `!`: bools and overloads only.
pub fn not(ctx: &mut VMContext, value: Value) -> R<Value> {
    match value.as_bool() {
        Some(truth) => Ok(Value::bool(!truth)),
        None => overloaded_unary(ctx, '!', OP_NOT, value),
    }
}

/// `place operator= right`, in place where nobody else sees the old value.
/// On an error the place keeps it.
pub fn update(ctx: &mut VMContext, place: *mut Value, operator: Operator, right: Value) -> R<()> {
    // SAFETY: the place is valid (module comment); the reference ends before
    // any Ruff code can run.
    let left = unsafe { &mut *place };
    if operator == Operator::Add && left.tag() == Tag::String && right.tag() == Tag::String {
        // Strings can't fail and run nothing, so the place may be empty meanwhile.
        let text = left.take();
        *left = concatenate(text, right);
        return Ok(());
    }
    let left = left.clone();
    let result = operate(ctx, operator, left, right)?;
    // SAFETY: still valid, whatever an overload did to it.
    unsafe { *place = result };
    Ok(())
}

/// `place = old operator right`, in place as for `update` if the place still
/// holds `old`.
pub fn update_from(
    ctx: &mut VMContext,
    place: *mut Value,
    operator: Operator,
    old: Value,
    right: Value,
) -> R<()> {
    // SAFETY: the place is valid, and nothing runs while it is looked at.
    if unsafe { is_same_word(&*place, &old) } {
        drop(old);
        return update(ctx, place, operator, right);
    }
    let result = operate(ctx, operator, old, right)?;
    // SAFETY: as above.
    unsafe { *place = result };
    Ok(())
}

/// Whether two values are the very same words: the same scalar or object.
#[inline]
pub fn is_same_word(left: &Value, right: &Value) -> bool {
    left.tag() == right.tag() && left.payload() == right.payload()
}

/// The operands as floats, if both are numbers.
#[inline]
fn float_operands(left: &Value, right: &Value) -> Option<(f64, f64)> {
    Some((left.as_number()?, right.as_number()?))
}

/// The text of two strings.
#[inline]
fn concatenate(left: Value, right: Value) -> Value {
    let (Ok(text), Some(more)) = (left.into_ref::<Str>(), right.as_object::<Str>()) else {
        unreachable!("both operands were tested to be strings");
    };
    Value::from(append_text(text, more))
}

/// The text of two strings, appended to the left one if nobody else sees it.
#[inline]
pub fn append_text(mut text: Ref<Str>, more: &Str) -> Ref<Str> {
    if text.header().is_unique() {
        Str::append(&mut text, more.as_str(), more.chars());
        return text;
    }
    join_text(&text, more)
}

/// The same for a text that is likely to grow on: there is room for a word behind what
/// is appended, which generated code appends by itself.
#[inline]
pub fn grow_text(mut text: Ref<Str>, more: &Str) -> Ref<Str> {
    const WORD: usize = 8;
    /// A text that is no longer is copied rather than shared.
    const SHORT: usize = 32;
    if !text.header().is_unique() {
        if more.is_empty() || text.is_empty() && more.len() > SHORT {
            return join_text(&text, more);
        }
        let room = text.len() + more.len() + WORD;
        text = Str::with_capacity(text.as_str(), room, text.chars());
    }
    Str::reserve(&mut text, more.len() + WORD);
    Str::append(&mut text, more.as_str(), more.chars());
    text
}

/// The text of two strings; one of them as it is if the other is empty.
#[inline]
pub fn join_text(left: &Str, right: &Str) -> Ref<Str> {
    if right.is_empty() {
        return Ref::from_borrowed(left);
    }
    if left.is_empty() {
        return Ref::from_borrowed(right);
    }
    Str::concat(left, right)
}

/// How an operator is written.
pub const fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
    }
}

const fn overload_name(operator: Operator) -> NameId {
    match operator {
        Operator::Add => OP_ADD,
        Operator::Subtract => OP_SUB,
        Operator::Multiply => OP_MUL,
        Operator::Divide => OP_DIV,
        Operator::Remainder => OP_MOD,
    }
}

#[cold]
fn overflow(ctx: &mut VMContext, left: i64, operator: Operator, right: i64) -> Raised {
    let message = format!("Integer overflow: {left} {} {right}", symbol(operator));
    ctx.raise(&message)
}

/// The method by which a struct's declaration overloads an operator.
pub(super) fn overload(value: &Value, method: NameId) -> Option<Value> {
    value.as_object::<Record>()?.def()?.method(method).cloned()
}

/// Calls an overload's method.
pub(super) fn call_overload(
    ctx: &mut VMContext,
    method: &Value,
    receiver: Value,
    args: &mut [Value],
) -> R<Value> {
    match method.as_object::<Function>() {
        Some(function) => call::call_function(ctx, function, Some(receiver), args),
        None => Err(ctx.raise(call::NOT_CALLABLE)),
    }
}

#[inline(never)]
fn overloaded(ctx: &mut VMContext, operator: Operator, left: Value, right: Value) -> R<Value> {
    match overload(&left, overload_name(operator)) {
        Some(method) => call_overload(ctx, &method, left, &mut [right]),
        None => Err(invalid_binary(ctx, &left, symbol(operator), &right)),
    }
}

#[cold]
pub(super) fn invalid_binary(
    ctx: &mut VMContext,
    left: &Value,
    symbol: &str,
    right: &Value,
) -> Raised {
    let message = format!(
        "Invalid binary operation: {} {symbol} {}",
        message_type_name(left),
        message_type_name(right)
    );
    ctx.raise(&message)
}

#[inline(never)]
fn overloaded_unary(ctx: &mut VMContext, symbol: char, method: NameId, value: Value) -> R<Value> {
    match overload(&value, method) {
        Some(method) => call_overload(ctx, &method, value, &mut []),
        None => {
            let message = format!(
                "Invalid unary operation: {symbol} {}",
                message_type_name(&value)
            );
            Err(ctx.raise(&message))
        }
    }
}
