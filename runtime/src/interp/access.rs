//! The interpreter's way to places: roots and indexes from its stack.

use super::frame::{State, drop_range};
use super::variable;
use crate::bytecode::{Operator, Path, Step};
use crate::context::VMContext;
use crate::heap::{Array, Elements};
use crate::semantics::{R, place};
use crate::value::Value;

/// The element at an index in bounds.
#[inline(always)]
pub(super) fn element(array: &Array, index: usize) -> Value {
    match array.elements() {
        Elements::Ints => array
            .as_ints()
            .map_or(Value::NULL, |ints| Value::int(ints[index])),
        _ => array.get(index),
    }
}

/// A path of the program with the variable it starts from.
///
/// # Safety
/// The state is that of a live frame.
#[inline(always)]
unsafe fn root_of(ctx: &VMContext, path: u32, state: &State) -> (*const Path, *mut Value) {
    let path = &raw const ctx.program.program.paths[path as usize];
    // SAFETY: the program outlives the run; the path was verified.
    unsafe { (path, variable(ctx, state.slots, state.callee, (*path).root)) }
}

/// `StorePath`: the value below the indexes.  Gives the stack's new end.
///
/// # Safety
/// The state is that of a live frame, with what the instruction takes on top.
#[inline]
pub(super) unsafe fn store_path(
    ctx: &mut VMContext,
    path: u32,
    state: &State,
) -> (R<()>, *mut Value) {
    // SAFETY: the verifier has counted the indexes; they are dropped once.
    unsafe {
        let (path, root) = root_of(ctx, path, state);
        if let [Step::Index] = (&(*path).steps)[..] {
            let start = state.sp.sub(2);
            return (
                place::store_index(ctx, root, start.add(1).read(), start.read()),
                start,
            );
        }
        let count = (*path).indexes() as usize;
        let indexes = state.sp.sub(count);
        let start = indexes.sub(1);
        let slice = core::slice::from_raw_parts_mut(indexes, count);
        let result = place::store_path(ctx, root, &*path, slice, start.read());
        drop_range(indexes, state.sp);
        (result, start)
    }
}

/// `StorePathUnder`: the value above the indexes.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn store_path_under(
    ctx: &mut VMContext,
    path: u32,
    state: &State,
) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, state);
        let count = (*path).indexes() as usize;
        let value = state.sp.sub(1);
        let start = value.sub(count);
        let slice = core::slice::from_raw_parts_mut(start, count);
        let result = place::store_path(ctx, root, &*path, slice, value.read());
        drop_range(start, value);
        (result, start)
    }
}

/// `ReadPath`: the indexes stay.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn read_path(ctx: &mut VMContext, path: u32, state: &State) -> R<Value> {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, state);
        let count = (*path).indexes() as usize;
        place::read_path(
            ctx,
            root,
            &*path,
            core::slice::from_raw_parts(state.sp.sub(count), count),
        )
    }
}

/// `UpdatePath`: the right operand above the indexes.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn update_path(
    ctx: &mut VMContext,
    path: u32,
    operator: Operator,
    state: &State,
) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, state);
        let count = (*path).indexes() as usize;
        let right = state.sp.sub(1);
        let start = right.sub(count);
        let slice = core::slice::from_raw_parts_mut(start, count);
        let result = place::update_path(ctx, root, &*path, slice, operator, right.read());
        drop_range(start, right);
        (result, start)
    }
}

/// `Mutate`.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn mutate(ctx: &mut VMContext, site: u32, state: &State) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`; the program outlives the run.
    unsafe {
        let site = &raw const ctx.program.program.builtin_sites[site as usize];
        let root = variable(ctx, state.slots, state.callee, (*site).place.root);
        let argc = (*site).argc as usize;
        let args = state.sp.sub(argc);
        let count = (*site).place.indexes() as usize;
        let indexes = args.sub(count);
        let (start, old) = match (*site).early {
            true => (indexes.sub(1), Some(indexes.sub(1).read())),
            false => (indexes, None),
        };
        let result = place::mutate(
            ctx,
            root,
            &*site,
            old,
            core::slice::from_raw_parts_mut(indexes, count),
            core::slice::from_raw_parts_mut(args, argc),
        );
        drop_range(indexes, state.sp);
        (result, start)
    }
}
