//! Calls that generated code can't make directly.

use super::{owned, status, words};
use crate::call;
use crate::context::VMContext;
use crate::heap::Array;
use crate::semantics;
use crate::value::{RawValue, Value};

/// # Safety
/// `ctx` is the live context; `values` points at the callee and `argc`
/// arguments, all live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_call(
    ctx: *mut VMContext,
    values: *mut Value,
    argc: u64,
) -> RawValue {
    // SAFETY: the caller passes its own context and values; what the callee
    // leaves is dropped here.
    unsafe {
        let callee = values.read();
        let args = core::slice::from_raw_parts_mut(values.add(1), argc as usize);
        let result = call::call(&mut *ctx, &callee, args);
        core::ptr::drop_in_place(args);
        words(result)
    }
}

/// # Safety
/// As for `ruff_rt_call`, with as many values as the site has arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_call_with(
    ctx: *mut VMContext,
    site: u64,
    values: *mut Value,
) -> RawValue {
    // SAFETY: as for `ruff_rt_call`; the program outlives the call.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let site = &(&(*program).call_sites)[site as usize];
        let callee = values.read();
        let args = core::slice::from_raw_parts_mut(values.add(1), site.args.len());
        let result = semantics::call::call_with(&mut *ctx, site, &callee, args);
        core::ptr::drop_in_place(args);
        words(result)
    }
}

/// # Safety
/// `ctx` is the live context; `args` points at `argc` live values, given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_call_builtin(
    ctx: *mut VMContext,
    builtin: u64,
    args: *mut Value,
    argc: u64,
) -> RawValue {
    // SAFETY: as for `ruff_rt_call`.
    unsafe {
        let args = core::slice::from_raw_parts_mut(args, argc as usize);
        let function = (&(&*ctx).program.builtins)[builtin as usize].function;
        let result = function(&mut *ctx, args);
        core::ptr::drop_in_place(args);
        words(result)
    }
}

/// # Safety
/// `ctx` is the live context; `root` is the site's variable or null when the
/// site has no place; `values` is what the site takes, live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_call_method(
    ctx: *mut VMContext,
    site: u64,
    root: *mut Value,
    values: *mut Value,
) -> RawValue {
    // SAFETY: as for `ruff_rt_call`; the program outlives the call.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let site = &(&(*program).method_sites)[site as usize];
        let mut next = values;
        let receiver = (site.place.is_none() || site.early).then(|| {
            next = values.add(1);
            values.read()
        });
        let index_count = site
            .place
            .as_ref()
            .map_or(0, |place| place.indexes() as usize);
        let indexes = core::slice::from_raw_parts_mut(next, index_count);
        let args = core::slice::from_raw_parts_mut(next.add(index_count), site.args.len());
        let root = (!root.is_null()).then_some(root);
        let result = semantics::call::call_method(&mut *ctx, site, root, receiver, indexes, args);
        core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
            next,
            index_count + site.args.len(),
        ));
        words(result)
    }
}

/// # Safety
/// `ctx` is the live context; `root` is the variable of the site's place; `indexes`
/// is as many live values as the place has; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_store_receiver(
    ctx: *mut VMContext,
    site: u64,
    root: *mut Value,
    indexes: *mut Value,
    tag: u64,
    payload: u64,
) -> u64 {
    // SAFETY: as for `ruff_rt_call_method`.
    unsafe {
        let changed = owned(tag, payload);
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let site = &(&(*program).method_sites)[site as usize];
        let count = site.place.as_ref().map_or(0, |place| place.indexes());
        let indexes = core::slice::from_raw_parts(indexes, count as usize);
        let result = semantics::call::store_receiver(&mut *ctx, site, root, indexes, changed);
        status(result)
    }
}

/// # Safety
/// `ctx` is the live context; `place` holds a live value that nobody else looks at
/// meanwhile; `argument` is live and given up.  The built-in has a form that changes
/// its receiver and runs no code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_change_by_builtin(
    ctx: *mut VMContext,
    builtin: u64,
    place: *mut Value,
    argument: *mut Value,
) -> RawValue {
    // SAFETY: the caller passes its own context, place and value.
    unsafe {
        let builtin = (&(&*ctx).program.builtins)[builtin as usize];
        let change = builtin.mutate.expect("it changes its receiver");
        let args = core::slice::from_raw_parts_mut(argument, 1);
        let result = change(&mut *ctx, &mut *place, args);
        core::ptr::drop_in_place(args);
        words(result)
    }
}

/// # Safety
/// As for `ruff_rt_call_method`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_mutate(
    ctx: *mut VMContext,
    site: u64,
    root: *mut Value,
    values: *mut Value,
) -> u64 {
    // SAFETY: as for `ruff_rt_call_method`.
    unsafe {
        let program: *const crate::bytecode::Program = &raw const *(&*ctx).program.program;
        let site = &(&(*program).builtin_sites)[site as usize];
        let mut next = values;
        let old = site.early.then(|| {
            next = values.add(1);
            values.read()
        });
        let index_count = site.place.indexes() as usize;
        let indexes = core::slice::from_raw_parts_mut(next, index_count);
        let args = core::slice::from_raw_parts_mut(next.add(index_count), site.argc as usize);
        let result = semantics::place::mutate(&mut *ctx, root, site, old, indexes, args);
        core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
            next,
            index_count + site.argc as usize,
        ));
        status(result)
    }
}

/// # Safety
/// `ctx` is the live context, `place` a live variable; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_push(
    ctx: *mut VMContext,
    place: *mut Value,
    tag: u64,
    payload: u64,
) -> u64 {
    // SAFETY: the caller passes its own context, variable and value; nothing
    // below runs code that could see the variable.
    unsafe {
        let value = owned(tag, payload);
        let too_deep = value.depth() >= semantics::place::MAX_DEPTH;
        match (*place).object_mut::<Array>() {
            Some(array) if !too_deep => {
                array.push(value);
                0
            }
            _ => status(semantics::place::push(&mut *ctx, place, value)),
        }
    }
}

/// # Safety
/// `ctx` is the live context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_depth_exceeded(ctx: *mut VMContext, func: u64) {
    // SAFETY: the caller passes its own context.
    unsafe {
        let _ = semantics::call::depth_exceeded(&mut *ctx, func as u32);
    }
}

/// # Safety
/// `ctx` is the live context; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_await(ctx: *mut VMContext, tag: u64, payload: u64) -> RawValue {
    // SAFETY: the caller passes its own context and value.
    unsafe { words(semantics::call::await_value(&mut *ctx, owned(tag, payload))) }
}

/// # Safety
/// `ctx` is the live context; the value is live and given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_spawn(ctx: *mut VMContext, tag: u64, payload: u64) -> u64 {
    // SAFETY: the caller passes its own context and value.
    unsafe { status(semantics::call::spawn(&mut *ctx, owned(tag, payload))) }
}

/// # Safety
/// `ctx` is the live context; its program has that module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_import(ctx: *mut VMContext, module: u64) -> u64 {
    // SAFETY: the caller passes its own context.
    unsafe { status(semantics::modules::import(&mut *ctx, module as u32)) }
}
