//! Making arrays, dicts, structs, variants and functions.

use super::{owned, words};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, CellObject, Elements, Record, Ref, Variant, VariantKind};
use crate::semantics::index::character_string;
use crate::semantics::make;
use crate::value::{RawValue, Value};

/// What `make` makes of values that are given up; if it fails, it may have left
/// some of them.
///
/// # Safety
/// `values` points at `count` live values.
unsafe fn taking(
    values: *mut Value,
    count: usize,
    make: impl FnOnce(&mut [Value]) -> Result<Value, Raised>,
) -> RawValue {
    // SAFETY: the caller vouches for the values; what was taken left null behind.
    unsafe {
        let values = core::slice::from_raw_parts_mut(values, count);
        let result = make(values);
        if result.is_err() {
            core::ptr::drop_in_place(values);
        }
        words(result)
    }
}

/// # Safety
/// `elements` is the number of a flat kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_array(elements: u64, room: u64) -> u64 {
    let elements = [Elements::Ints, Elements::Floats, Elements::Bools]
        .into_iter()
        .find(|flat| *flat as u64 == elements)
        .unwrap_or(Elements::Values);
    Ref::into_raw(Array::with_capacity(elements, room as usize)) as u64
}

/// # Safety
/// `ctx` is the live context, and the declaration's methods and defaults capture
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_structs(
    ctx: *mut VMContext,
    declaration: u64,
    tags: u64,
    room: u64,
) -> u64 {
    // SAFETY: the caller passes its own context.
    let ctx = unsafe { &mut *ctx };
    Ref::into_raw(make::structs(ctx, declaration as u32, tags, room as usize)) as u64
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_array(
    ctx: *mut VMContext,
    values: *mut Value,
    count: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        taking(values, count as usize, |values| {
            make::array(&mut *ctx, values)
        })
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_array_push(
    ctx: *mut VMContext,
    array_tag: u64,
    array: u64,
    tag: u64,
    payload: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(make::array_push(
            &mut *ctx,
            owned(array_tag, array),
            owned(tag, payload),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_array_extend(
    ctx: *mut VMContext,
    array_tag: u64,
    array: u64,
    tag: u64,
    payload: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(make::array_extend(
            &mut *ctx,
            owned(array_tag, array),
            owned(tag, payload),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_dict(
    ctx: *mut VMContext,
    values: *mut Value,
    count: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        taking(values, 2 * count as usize, |values| {
            make::dict(&mut *ctx, values)
        })
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_insert(ctx: *mut VMContext, values: *mut Value) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(make::dict_insert(
            &mut *ctx,
            values.read(),
            values.add(1).read(),
            values.add(2).read(),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_dict_extend(
    ctx: *mut VMContext,
    dict_tag: u64,
    dict: u64,
    tag: u64,
    payload: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        words(make::dict_extend(
            &mut *ctx,
            owned(dict_tag, dict),
            owned(tag, payload),
        ))
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_struct(
    ctx: *mut VMContext,
    site: u64,
    values: *mut Value,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let count = (&(&*ctx).program.program.struct_sites)[site as usize].pops() as usize;
        taking(values, count, |values| {
            make::structure(&mut *ctx, site as u32, values)
        })
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_variant(
    ctx: *mut VMContext,
    site: u64,
    values: *mut Value,
    count: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        taking(values, count as usize, |values| {
            make::variant(&mut *ctx, site as u32, values)
        })
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_closure(
    ctx: *mut VMContext,
    func: u64,
    captures: *mut Value,
    count: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        make::closure(
            &*ctx,
            func as u32,
            core::slice::from_raw_parts_mut(captures, count as usize),
        )
        .into_raw()
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_struct_def(
    ctx: *mut VMContext,
    declaration: u64,
    values: *mut Value,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let count = (&(&*ctx).program.program.structs)[declaration as usize].pops() as usize;
        make::struct_def(
            &*ctx,
            declaration as u32,
            core::slice::from_raw_parts_mut(values, count),
        )
        .into_raw()
    }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_make_enum_def(ctx: *mut VMContext, name: u64) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { make::enum_def(&*ctx, name as u32).into_raw() }
}

/// # Safety
/// `ctx` is the live context; operands are live, and given up where the table says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_interpolate(
    ctx: *mut VMContext,
    values: *mut Value,
    count: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and live operands.
    unsafe {
        let values = core::slice::from_raw_parts_mut(values, count as usize);
        let result = crate::semantics::convert::interpolate(&mut *ctx, values);
        core::ptr::drop_in_place(values);
        words(result)
    }
}

/// # Safety
/// The value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_cell(tag: u64, payload: u64) -> u64 {
    // SAFETY: the caller passes its own context and live operands.
    unsafe { Ref::into_raw(CellObject::new(owned(tag, payload))) as u64 }
}

/// # Safety
/// `shape` is a shape of the running program, `def` a live struct declaration
/// that is given up; the fields are written before anything else happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_record(shape: u64, def: u64, depth: u64) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe {
        let def = Ref::from_raw(def as *mut crate::heap::StructDef);
        Record::unfilled(shape as *const crate::heap::Shape, def, depth as u16) as u64
    }
}

/// # Safety
/// `ctx` is the live context, and the declaration's methods and defaults capture
/// nothing; the fields are written before anything else happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_instance(ctx: *mut VMContext, declaration: u64) -> u64 {
    // SAFETY: the caller passes its own context; shapes live as long as the program.
    unsafe {
        let ctx = &mut *ctx;
        let def = make::closed_def(ctx, declaration as u32);
        let shape = *ctx.declared_shapes.add(declaration as usize);
        Record::unfilled(shape, def, 1) as u64
    }
}

/// # Safety
/// `ctx` is the live context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_character(ctx: *mut VMContext, bytes: u64) -> u64 {
    let bytes = bytes.to_ne_bytes();
    let text = core::str::from_utf8(&bytes).unwrap_or_default();
    let character = text.chars().next().unwrap_or_default();
    // SAFETY: the caller passes its own context.
    let ctx = unsafe { &*ctx };
    character_string(ctx, character).into_raw().payload
}

/// # Safety
/// `kind` is the number of a built-in variant, and the payload a live value that is
/// given up; for `None` it is no object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_wrap(_: *mut VMContext, kind: u64, tag: u64, payload: u64) -> u64 {
    let kinds = [VariantKind::Ok, VariantKind::Err, VariantKind::Some];
    let variant = match kinds.into_iter().find(|known| *known as u64 == kind) {
        // SAFETY: the caller gives the payload up.
        Some(kind) => Variant::wrap(kind, unsafe { owned(tag, payload) }),
        None => Variant::none(),
    };
    Ref::into_raw(variant) as u64
}

/// # Safety
/// `ctx` is the live context, `id` the number of a variant of its program, and
/// `values` points at `count` live values, which are given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_variant(
    ctx: *mut VMContext,
    id: u64,
    values: *mut Value,
    count: u64,
) -> u64 {
    // SAFETY: the caller passes its own context and live values.
    unsafe {
        let values = core::slice::from_raw_parts_mut(values, count as usize);
        Ref::into_raw(make::tagged(&*ctx, id as u32, values)) as u64
    }
}

/// # Safety
/// `kind` is the number of a built-in variant; the payload is written before
/// anything else happens, and is no container.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_new_wrapper(kind: u64, count: u64) -> u64 {
    let kinds = [VariantKind::Ok, VariantKind::Err, VariantKind::Some];
    let kind = kinds.into_iter().find(|known| *known as u64 == kind);
    let kind = kind.unwrap_or(VariantKind::None);
    Variant::unfilled(kind, count as usize) as u64
}
