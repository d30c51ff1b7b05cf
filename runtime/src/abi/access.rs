//! Reading and writing parts of values.

use super::{borrowed, owned, status, words};
use crate::context::VMContext;
use crate::heap::{Dict, Key, Str};
use crate::semantics::{index, matching, place};
use crate::value::{RawValue, Value};

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_index(
    ctx: *mut VMContext,
    object_tag: u64,
    object: u64,
    index_tag: u64,
    index: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(index::index(
            &mut *ctx,
            &borrowed(object_tag, object),
            &borrowed(index_tag, index),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_field(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    name: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(index::field(
            &mut *ctx,
            &borrowed(tag, payload),
            name as u32,
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_optional_field(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    name: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { index::optional_field(&*ctx, &borrowed(tag, payload), name as u32).into_raw() }
}

/// # Safety
/// The operand is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_field_or_unset(tag: u64, payload: u64, name: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { index::field_or_unset(&borrowed(tag, payload), name as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_store_index(
    ctx: *mut VMContext,
    place: *mut Value,
    index_tag: u64,
    index: u64,
    tag: u64,
    payload: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        status(place::store_index(
            &mut *ctx,
            place,
            owned(index_tag, index),
            owned(tag, payload),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_store_path(
    ctx: *mut VMContext,
    root: *mut Value,
    path: u64,
    values: *mut Value,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let path = &(&(*program).paths)[path as usize];
        let count = path.indexes() as usize;
        let value = values.read();
        let indexes = core::slice::from_raw_parts_mut(values.add(1), count);
        let result = place::store_path(&mut *ctx, root, path, indexes, value);
        core::ptr::drop_in_place(indexes);
        status(result)
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_store_path_under(
    ctx: *mut VMContext,
    root: *mut Value,
    path: u64,
    values: *mut Value,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let path = &(&(*program).paths)[path as usize];
        let count = path.indexes() as usize;
        let value = values.add(count).read();
        let indexes = core::slice::from_raw_parts_mut(values, count);
        let result = place::store_path(&mut *ctx, root, path, indexes, value);
        core::ptr::drop_in_place(indexes);
        status(result)
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_read_path(
    ctx: *mut VMContext,
    root: *mut Value,
    path: u64,
    indexes: *mut Value,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let path = &(&(*program).paths)[path as usize];
        let count = path.indexes() as usize;
        words(place::read_path(
            &mut *ctx,
            root,
            path,
            core::slice::from_raw_parts(indexes, count),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_update_path(
    ctx: *mut VMContext,
    root: *mut Value,
    path: u64,
    operator: u64,
    values: *mut Value,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let path = &(&(*program).paths)[path as usize];
        let count = path.indexes() as usize;
        let right = values.add(count).read();
        let operator = crate::bytecode::Operator::ALL[operator as usize];
        let indexes = core::slice::from_raw_parts_mut(values, count);
        let result = place::update_path(&mut *ctx, root, path, indexes, operator, right);
        core::ptr::drop_in_place(indexes);
        status(result)
    }
}

/// # Safety
/// The operand is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_element_or_null(tag: u64, payload: u64, index: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::element_or_null(&borrowed(tag, payload), index as u32).into_raw() }
}

/// # Safety
/// The operand is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_array_rest(tag: u64, payload: u64, from: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::array_rest(&borrowed(tag, payload), from as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_field_or_null(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    name: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::field_or_null(&*ctx, &borrowed(tag, payload), name as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_rest(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    list: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::dict_rest(&*ctx, &borrowed(tag, payload), list as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_test_variant(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    site: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::test_variant(&*ctx, &borrowed(tag, payload), site as u32) as u64 }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_test_name(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    name: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::test_name(&*ctx, &borrowed(tag, payload), name as u32) as u64 }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_test_field(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
    name: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::test_field(&*ctx, &borrowed(tag, payload), name as u32) as u64 }
}

/// # Safety
/// The operand is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_variant_payload(tag: u64, payload: u64, index: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { matching::variant_payload(&borrowed(tag, payload), index as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_unwrapped(
    ctx: *mut VMContext,
    tag: u64,
    payload: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { words(matching::unwrapped(&mut *ctx, &borrowed(tag, payload))) }
}

/// # Safety
/// Both are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_place(dict: *mut Dict, key: *const Str) -> *mut Value {
    // SAFETY: the caller vouches for both; nobody else looks at the dict now.
    unsafe {
        match (*dict).place(Key::from_str(&*key)) {
            Some(place) => place,
            None => core::ptr::null_mut(),
        }
    }
}

/// # Safety
/// Dict and key are live, and the dict has one owner; the value is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_set(
    dict: *mut Dict,
    key: *const Str,
    tag: u64,
    payload: u64,
) {
    // SAFETY: the caller vouches for all; nobody else looks at the dict now.
    unsafe { (*dict).insert_str(&*key, owned(tag, payload)) };
}

/// # Safety
/// The dict is live and has one owner; the value is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_int_set(dict: *mut Dict, key: u64, tag: u64, payload: u64) {
    // SAFETY: the caller vouches for all; nobody else looks at the dict now.
    unsafe { (*dict).insert_int(key as i64, owned(tag, payload)) };
}

/// # Safety
/// Both are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_has(dict: *const Dict, key: *const Str) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe { (*dict).contains(Key::from_str(&*key)) as u64 }
}

/// # Safety
/// `ctx` is the current context, the name one of its program, and the dict is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_has_name(
    ctx: *mut VMContext,
    dict: *const Dict,
    name: u64,
) -> u64 {
    // SAFETY: the caller vouches for them.
    let (ctx, dict) = unsafe { (&*ctx, &*dict) };
    let key = Key::from_str(&ctx.program.names[name as usize]);
    u64::from(!dict.is_int_keyed() && dict.contains(key))
}

/// # Safety
/// The dict is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_int_place(dict: *mut Dict, key: u64) -> *mut Value {
    // SAFETY: the caller vouches for the dict; nobody else looks at it now.
    unsafe {
        match (*dict).place(Key::Int(key as i64)) {
            Some(place) => place,
            None => core::ptr::null_mut(),
        }
    }
}

/// # Safety
/// The dict is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_has_int(dict: *const Dict, key: u64) -> u64 {
    // SAFETY: the caller vouches for the dict.
    unsafe { (*dict).contains(Key::Int(key as i64)) as u64 }
}
