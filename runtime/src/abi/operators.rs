//! Operators: what generated code calls when its inline paths give up.

use super::{borrowed, owned, status, words};
use crate::bytecode::Operator;
use crate::context::VMContext;
use crate::heap::{Ref, Str};
use crate::semantics::{arith, compare, convert};
use crate::value::{RawValue, Value};

macro_rules! arithmetic {
    ($($symbol:ident = $function:ident;)*) => {$(
        /// # Safety
        /// `ctx` is the live context; the operands are live and given up.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $symbol(
            ctx: *mut VMContext,
            left_tag: u64,
            left: u64,
            right_tag: u64,
            right: u64,
        ) -> RawValue {
            // SAFETY: the caller passes its own context and its operands.
            unsafe { words(arith::$function(&mut *ctx, owned(left_tag, left), owned(right_tag, right))) }
        }
    )*};
}
arithmetic! {
    ruff_rt_add = add;
    ruff_rt_subtract = subtract;
    ruff_rt_multiply = multiply;
    ruff_rt_divide = divide;
    ruff_rt_remainder = remainder;
}

macro_rules! comparison {
    ($($symbol:ident = $function:ident;)*) => {$(
        /// # Safety
        /// `ctx` is the live context; the operands are live.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $symbol(
            ctx: *mut VMContext,
            left_tag: u64,
            left: u64,
            right_tag: u64,
            right: u64,
        ) -> RawValue {
            // SAFETY: the caller passes its own context and its operands.
            unsafe { words(compare::$function(&mut *ctx, &borrowed(left_tag, left), &borrowed(right_tag, right))) }
        }
    )*};
}
comparison! {
    ruff_rt_equal = equal;
    ruff_rt_not_equal = not_equal;
    ruff_rt_less = less;
    ruff_rt_less_equal = less_equal;
    ruff_rt_greater = greater;
    ruff_rt_greater_equal = greater_equal;
}

/// # Safety
/// `ctx` is the live context; the operand is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_negate(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue {
    // SAFETY: the caller passes its own context and its operand.
    unsafe { words(arith::negate(&mut *ctx, owned(tag, payload))) }
}

/// # Safety
/// `ctx` is the live context; the operand is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_not(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue {
    // SAFETY: the caller passes its own context and its operand.
    unsafe { words(arith::not(&mut *ctx, owned(tag, payload))) }
}

/// # Safety
/// The operand is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_truthy(tag: u64, payload: u64) -> u64 {
    // SAFETY: the caller vouches for the operand.
    let value = unsafe { borrowed(tag, payload) };
    convert::truthy(&value) as u64
}

/// # Safety
/// The operands are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_same_value(
    left_tag: u64,
    left: u64,
    right_tag: u64,
    right: u64,
) -> u64 {
    // SAFETY: the caller vouches for the operands.
    unsafe { compare::same_value(&borrowed(left_tag, left), &borrowed(right_tag, right)) as u64 }
}

/// # Safety
/// Both words point at live strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_same_text(left: u64, right: u64) -> u64 {
    // SAFETY: the caller vouches for the operands.
    unsafe { (*(left as *const crate::heap::Str) == *(right as *const crate::heap::Str)) as u64 }
}

/// # Safety
/// Both are live strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_index_of_text(text: *const Str, needle: *const Str) -> u64 {
    // SAFETY: the caller vouches for the operands.
    let found = unsafe { (*text).index_of(&*needle) };
    found.map_or(u64::MAX, |position| position as u64)
}

/// # Safety
/// Both are live strings; `left` is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_append_text(left: *mut Str, right: *const Str) -> *mut Str {
    // SAFETY: the caller vouches for the operands.
    unsafe { Ref::into_raw(arith::append_text(Ref::from_raw(left), &*right)) }
}

/// # Safety
/// Both are live strings; `left` is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_grow_text(left: *mut Str, right: *const Str) -> *mut Str {
    // SAFETY: the caller vouches for the operands.
    unsafe { Ref::into_raw(arith::grow_text(Ref::from_raw(left), &*right)) }
}

#[unsafe(no_mangle)]
pub extern "C" fn ruff_rt_int_text(number: i64) -> *mut Str {
    let mut digits = [0; 20];
    let text = convert::int_text(number, &mut digits);
    Ref::into_raw(Str::with_capacity(text, text.len(), text.len()))
}

/// # Safety
/// Both are live strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_join_texts(left: *const Str, right: *const Str) -> *mut Str {
    // SAFETY: the caller vouches for the operands.
    unsafe { Ref::into_raw(arith::join_text(&*left, &*right)) }
}

// # Safety
// The C library's own, for any two floats.
unsafe extern "C" {
    fn fmod(left: f64, right: f64) -> f64;
}

/// # Safety
/// None beyond the convention.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_float_remainder(left: f64, right: f64) -> f64 {
    // SAFETY: a pure C function.
    unsafe { fmod(left, right) }
}

/// # Safety
/// `ctx` is the live context, `place` a live variable, `operator` an
/// `Operator`; the operand is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_update(
    ctx: *mut VMContext,
    place: *mut Value,
    operator: u64,
    tag: u64,
    payload: u64,
) -> u64 {
    let operator = Operator::ALL[operator as usize];
    // SAFETY: the caller passes its own context, variable and operand.
    unsafe {
        status(arith::update(
            &mut *ctx,
            place,
            operator,
            owned(tag, payload),
        ))
    }
}

/// # Safety
/// As for `ruff_rt_update`; `old` is live and given up too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_update_from(
    ctx: *mut VMContext,
    place: *mut Value,
    operator: u64,
    old_tag: u64,
    old: u64,
    tag: u64,
    payload: u64,
) -> u64 {
    let operator = Operator::ALL[operator as usize];
    // SAFETY: the caller passes its own context, variable and operands.
    unsafe {
        status(arith::update_from(
            &mut *ctx,
            place,
            operator,
            owned(old_tag, old),
            owned(tag, payload),
        ))
    }
}
