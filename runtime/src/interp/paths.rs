//! Places with any path: their roots and indexes from the interpreter's stack.

use super::frame::drop_range;
use super::machine::Machine;
use crate::bytecode::{Operator, Path};
use crate::context::VMContext;
use crate::semantics::{R, place};
use crate::value::Value;

/// A path of the program with the variable it starts from.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
unsafe fn root_of(ctx: &VMContext, path: u32, machine: &Machine) -> (*const Path, *mut Value) {
    let path = &raw const ctx.program.program.paths[path as usize];
    // SAFETY: the program outlives the run; the path was verified.
    unsafe { (path, machine.variable(ctx, (*path).root)) }
}

/// `StorePath`: the value below the indexes.
///
/// # Safety
/// The machine is that of a live frame, with what the instruction takes on top.
pub(super) unsafe fn store_path(ctx: &mut VMContext, machine: &mut Machine, path: u32) -> R<()> {
    // SAFETY: the verifier has counted the indexes; they are dropped once.
    unsafe {
        let (path, root) = root_of(ctx, path, machine);
        let count = (*path).indexes() as usize;
        let end = machine.sp;
        let indexes = end.sub(count);
        machine.sp = indexes.sub(1);
        let slice = core::slice::from_raw_parts(indexes, count);
        let result = place::store_path(ctx, root, &*path, slice, machine.sp.read());
        drop_range(indexes, end);
        result
    }
}

/// `StorePathUnder`: the value above the indexes.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn store_path_under(
    ctx: &mut VMContext,
    machine: &mut Machine,
    path: u32,
) -> R<()> {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, machine);
        let count = (*path).indexes() as usize;
        let value = machine.sp.sub(1);
        machine.sp = value.sub(count);
        let slice = core::slice::from_raw_parts(machine.sp, count);
        let result = place::store_path(ctx, root, &*path, slice, value.read());
        drop_range(machine.sp, value);
        result
    }
}

/// `ReadPath`: the indexes stay.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn read_path(ctx: &mut VMContext, machine: &Machine, path: u32) -> R<Value> {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, machine);
        let count = (*path).indexes() as usize;
        let indexes = core::slice::from_raw_parts(machine.sp.sub(count), count);
        place::read_path(ctx, root, &*path, indexes)
    }
}

/// `UpdatePath`: the right operand above the indexes.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn update_path(
    ctx: &mut VMContext,
    machine: &mut Machine,
    path: u32,
    operator: Operator,
) -> R<()> {
    // SAFETY: as for `store_path`.
    unsafe {
        ctx.stack.top = machine.sp;
        let (path, root) = root_of(ctx, path, machine);
        let count = (*path).indexes() as usize;
        let right = machine.sp.sub(1);
        machine.sp = right.sub(count);
        let slice = core::slice::from_raw_parts_mut(machine.sp, count);
        let result = place::update_path(ctx, root, &*path, slice, operator, right.read());
        drop_range(machine.sp, right);
        result
    }
}

/// `Mutate`.
///
/// # Safety
/// As for `store_path`.
pub(super) unsafe fn mutate(ctx: &mut VMContext, machine: &mut Machine, site: u32) -> R<()> {
    // SAFETY: as for `store_path`; the program outlives the run.
    unsafe {
        ctx.stack.top = machine.sp;
        let site = &raw const ctx.program.program.builtin_sites[site as usize];
        let root = machine.variable(ctx, (*site).place.root);
        let argc = (*site).argc as usize;
        let end = machine.sp;
        let args = end.sub(argc);
        let count = (*site).place.indexes() as usize;
        let indexes = args.sub(count);
        machine.sp = indexes;
        let old = (*site).early.then(|| machine.pop());
        let result = place::mutate(
            ctx,
            root,
            &*site,
            old,
            core::slice::from_raw_parts_mut(indexes, count),
            core::slice::from_raw_parts_mut(args, argc),
        );
        drop_range(indexes, end);
        result
    }
}
