//! Calls that leave the interpreter's loop, and method calls, most of which
//! go on in it.

use super::frame::drop_range;
use super::inst::Code;
use super::machine::{Machine, fits};
use super::{Interpreter, code_of, tiering};
use crate::bytecode::{ArgKind, MethodSite, Path};
use crate::call as calling;
use crate::context::{LoopEntry, VMContext};
use crate::heap::{self, Record};
use crate::semantics::{R, call, place};
use crate::value::{RawValue, Value};

/// Calls the value at `callee` with the `argc` values above it; all are gone
/// afterwards.
///
/// # Safety
/// They are live values on top of the stack.
#[inline(never)]
pub(super) unsafe fn call_value(ctx: &mut VMContext, callee: *mut Value, argc: usize) -> R<Value> {
    // SAFETY: the caller vouches for the values; they are dropped once.
    unsafe {
        let args = callee.add(1);
        let result = calling::call(ctx, &*callee, core::slice::from_raw_parts_mut(args, argc));
        drop_range(callee, args.add(argc));
        result
    }
}

/// How a value is called.
pub(super) enum Prepared {
    /// In a frame of the interpreter.
    Frame(*const Code, *const heap::Function),
    /// Through its entry, with the arguments as they are.
    Entry(*const heap::Function),
    /// In some other way, or not at all.
    Other,
}

/// Decides how the value at `callee` is called.
///
/// # Safety
/// It is a live value, with the arguments above it.
#[inline(always)]
pub(super) unsafe fn prepare(
    ctx: &mut VMContext,
    interpreter: *mut Interpreter,
    callee: *mut Value,
    args: *mut Value,
    argc: u32,
) -> Prepared {
    // SAFETY: as above.
    unsafe {
        let Some(object) = (*callee).as_object::<heap::Function>() else {
            return Prepared::Other;
        };
        let info = object.info();
        if info.params.len() != argc as usize || info.flags.is_method {
            return Prepared::Other;
        }
        if !tiering::is_interpreted(ctx, object, info.id) {
            return Prepared::Entry(object);
        }
        let code = code_of(ctx, interpreter, info.id);
        if fits(ctx, &*code, args) {
            Prepared::Frame(code, object)
        } else {
            Prepared::Entry(object)
        }
    }
}

/// Calls a function object through its entry, with the arguments that it has
/// parameters for on top of the stack.
///
/// # Safety
/// They are live values, given up; `end` is the stack's end.
#[inline(always)]
pub(super) unsafe fn call_entry(
    ctx: &mut VMContext,
    object: &heap::Function,
    args: *mut Value,
    end: *mut Value,
) -> RawValue {
    ctx.stack.top = end;
    let trace = ctx.trace_top;
    // SAFETY: as the entry asks.
    let result = unsafe { (object.entry())(ctx, trace, object, args) };
    ctx.trace_top = trace;
    result
}

/// Lets compiled code finish a frame from a loop's head on; its slots are
/// empty afterwards.
///
/// # Safety
/// The machine's frame is at that loop's head and has no operands.
#[inline(never)]
pub(super) unsafe fn finish_loop(
    ctx: &mut VMContext,
    entry: LoopEntry,
    machine: Machine,
) -> RawValue {
    // SAFETY: the entry takes the slots over and leaves nothing in them.
    unsafe {
        ctx.stack.top = machine.sp;
        let trace = ctx.trace_top;
        let own = trace.sub(!(*machine.code).is_top_level as usize);
        let result = entry(ctx, own, machine.callee, machine.slots);
        ctx.trace_top = trace;
        let mut place = machine.slots;
        while place < machine.link().cast() {
            place.write(Value::UNSET);
            place = place.add(1);
        }
        result
    }
}

/// The next int of the range in three hidden locals.
///
/// # Safety
/// `RangeStart` has filled them.
#[inline(always)]
pub(super) unsafe fn next_in_range(range: *mut Value) -> Option<i64> {
    // SAFETY: three ints.
    unsafe {
        let number = (*range).payload() as i64;
        let (end, step) = (
            (*range.add(1)).payload() as i64,
            (*range.add(2)).payload() as i64,
        );
        let is_inside = if step > 0 { number < end } else { number > end };
        is_inside.then(|| {
            // Beyond the last int is beyond any end.
            range.write(Value::int(number.saturating_add(step)));
            number
        })
    }
}

/// Raises the error for an instruction about modules, which can't be run yet.
#[cold]
pub(super) fn refuse_module(ctx: &mut VMContext, number: u32) {
    ctx.raise(&alloc::format!("Modules are not supported yet ({number})"));
}

/// How a method call goes on.
pub(super) enum Called {
    /// It is done; the stack ends at `start` before the result is pushed.
    Done { result: R<Value>, start: *mut Value },
    /// In a frame of the interpreter, whose arguments are in `slots`.
    Frame {
        target: *const Code,
        object: *const heap::Function,
        slots: *mut Value,
        result: *mut Value,
    },
}

/// What a method call finds on the stack: `start` to the end.
struct Operands {
    start: *mut Value,
    /// The receiver lies at `start`.
    has_receiver: bool,
    indexes: *mut Value,
    index_count: usize,
    args: *mut Value,
    argc: usize,
    root: Option<*mut Value>,
}

/// Calls a method.
///
/// # Safety
/// The machine is that of a live frame, with what the site takes on top.
#[inline(never)]
pub(super) unsafe fn method(
    ctx: &mut VMContext,
    interpreter: *mut Interpreter,
    site: &MethodSite,
    machine: Machine,
) -> Called {
    // SAFETY: the verifier has counted the operands.
    unsafe {
        let argc = site.args.len();
        let args = machine.sp.sub(argc);
        let index_count = site
            .place
            .as_ref()
            .map_or(0, |path| path.indexes() as usize);
        let indexes = args.sub(index_count);
        let has_receiver = site.place.is_none() || site.early;
        let start = indexes.sub(has_receiver as usize);
        let root = site.place.as_ref().map(|path| machine.variable(path.root));
        let operands = Operands {
            start,
            has_receiver,
            indexes,
            index_count,
            args,
            argc,
            root,
        };
        if let Some(called) = interpreted_method(ctx, interpreter, site, &operands) {
            return called;
        }
        let receiver = has_receiver.then(|| start.read());
        let result = call::call_method(
            ctx,
            site,
            root,
            receiver,
            core::slice::from_raw_parts_mut(indexes, index_count),
            core::slice::from_raw_parts_mut(args, argc),
        );
        drop_range(indexes, machine.sp);
        Called::Done { result, start }
    }
}

/// Prepares the frame for a struct's method that is interpreted, if this is
/// one and nothing is wrong with the call.
///
/// # Safety
/// As for `method`.
unsafe fn interpreted_method(
    ctx: &mut VMContext,
    interpreter: *mut Interpreter,
    site: &MethodSite,
    operands: &Operands,
) -> Option<Called> {
    // SAFETY: as for `method`.
    unsafe {
        let Operands {
            start,
            has_receiver,
            indexes,
            index_count,
            args,
            argc,
            root,
        } = *operands;
        let read;
        let receiver: &Value = match (&site.place, root) {
            _ if has_receiver => &*start,
            (Some(Path { steps, .. }), Some(root)) if steps.is_empty() => &*root,
            (Some(path), Some(root)) => {
                // An error here comes up again where it is reported.
                let indexes = core::slice::from_raw_parts(indexes, index_count);
                match place::read_path(ctx, root, path, indexes) {
                    Ok(value) => read = value,
                    Err(_) => {
                        ctx.pending = None;
                        return None;
                    }
                }
                &read
            }
            _ => return None,
        };
        let method = receiver.as_object::<Record>()?.def()?.method(site.name)?;
        let object: *const heap::Function = method.as_object::<heap::Function>()?;
        let info = (*object).info();
        if info.arity() != argc || !site.args.iter().all(|kind| *kind == ArgKind::One) {
            return None;
        }
        // A function object that nothing else may keep alive lies below the slots.
        let kept = (!(*object.cast::<heap::Header>()).is_immortal()).then(|| method.clone());
        let slots = start.add(index_count + kept.is_some() as usize);
        let target = code_of(ctx, interpreter, info.id);
        let changes_self = info.flags.changes_self;
        if !fits(ctx, &*target, slots) || !tiering::is_interpreted(ctx, &*object, info.id) {
            return None;
        }
        let receiver = match (&site.place, root) {
            _ if has_receiver => start.read(),
            (Some(path), Some(root)) if site.take && changes_self => {
                let indexes = core::slice::from_raw_parts(indexes, index_count);
                match call::take_receiver(ctx, root, path, indexes) {
                    Ok(receiver) => receiver,
                    Err(_) => unreachable!("the place was read before"),
                }
            }
            _ => receiver.clone(),
        };
        // Receiver, indexes and arguments change their order: indexes, then slots.
        core::ptr::copy(indexes, start, index_count);
        core::ptr::copy(args, slots.add(1), argc);
        slots.write(receiver);
        if let Some(kept) = kept {
            slots.sub(1).write(kept);
        }
        Some(Called::Frame {
            target,
            object,
            slots,
            result: start,
        })
    }
}

/// Stores the final `self` of a method back into its receiver's place; the
/// place's indexes lie where the machine's stack ends.
///
/// # Safety
/// The machine is the caller's, right after the method's frame was left.
#[inline(never)]
pub(super) unsafe fn store_self(ctx: &mut VMContext, site: &MethodSite, machine: Machine) -> R<()> {
    let changed = ctx.self_result.take();
    let Some(path) = &site.place else {
        return Ok(());
    };
    // SAFETY: the indexes are still there; no Ruff code runs.
    unsafe {
        let root = machine.variable(path.root);
        let indexes = core::slice::from_raw_parts(machine.sp, path.indexes() as usize);
        call::store_receiver(ctx, site, root, indexes, changed)
    }
}
