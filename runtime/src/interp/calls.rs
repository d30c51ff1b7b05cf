//! Calls that leave the interpreter's loop, and method calls, most of which
//! go on in it.

use super::frame::drop_range;
use super::inst::{Code, Invocation};
use super::machine::{Machine, fits};
use super::{Interpreter, enterable, interpreter_of};
use crate::bytecode::{FunctionId, MethodSite};
use crate::call as calling;
use crate::context::{LoopEntry, VMContext};
use crate::heap::{self, Record, StructDef};
use crate::names::NameId;
use crate::semantics::{R, call, place};
use crate::value::{RawValue, Value};
use core::cell::Cell;

/// Calls a value with the arguments above it; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, with callee and arguments on top.
#[inline(never)]
pub(super) unsafe fn call_value(ctx: &mut VMContext, machine: &mut Machine, argc: u32) -> bool {
    ctx.stack.top = machine.sp;
    // SAFETY: the caller vouches for the values; they are dropped once.
    unsafe {
        let called = machine.replace(argc + 1, |values| {
            let (callee, args) = values.split_first_mut().expect("the callee is among them");
            calling::call(ctx, callee, args)
        });
        called.is_ok()
    }
}

/// Calls a built-in; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, with the arguments on top.
#[inline(never)]
pub(super) unsafe fn call_builtin(
    ctx: &mut VMContext,
    machine: &mut Machine,
    builtin: u32,
    argc: u32,
) -> bool {
    ctx.stack.top = machine.sp;
    let function = ctx.program.builtins[builtin as usize].function;
    // SAFETY: the caller vouches for the values.
    unsafe { machine.replace(argc, |args| function(ctx, args)).is_ok() }
}

/// Calls a value with spread or named arguments.
///
/// # Safety
/// The machine is that of a live frame, with callee and arguments on top.
pub(super) unsafe fn call_with(ctx: &mut VMContext, machine: &mut Machine, site: u32) -> R<()> {
    let site = &raw const ctx.program.program.call_sites[site as usize];
    // SAFETY: the caller vouches for the values; the program outlives the run.
    unsafe {
        let site = &*site;
        machine.replace(site.args.len() as u32 + 1, |values| {
            let (callee, args) = values.split_first_mut().expect("the callee is among them");
            call::call_with(ctx, site, callee, args)
        })
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
/// It is a live value, with the arguments above it; the interpreter is the
/// context's.
#[inline(always)]
pub(super) unsafe fn prepare(
    ctx: &VMContext,
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
        match frame_for(ctx, interpreter, info.id, args) {
            Some(code) => Prepared::Frame(code, object),
            None => Prepared::Entry(object),
        }
    }
}

/// The code of a function whose frame can be put above its arguments, to go on
/// in the loop.
///
/// # Safety
/// The interpreter is the context's, and the function exists.
#[inline(always)]
pub(super) unsafe fn frame_for(
    ctx: &VMContext,
    interpreter: *mut Interpreter,
    func: FunctionId,
    args: *mut Value,
) -> Option<*const Code> {
    // SAFETY: as above.
    unsafe {
        let mut code = *(*interpreter).enterable.as_ptr().add(func as usize);
        if code.is_null() {
            code = enterable(ctx, interpreter, func);
            if code.is_null() {
                return None;
            }
        }
        fits(ctx, &*code, args).then_some(code)
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

/// What a method call finds on the stack: from the receiver to the end.
#[derive(Clone, Copy)]
struct Operands {
    start: *mut Value,
    indexes: *mut Value,
    args: *mut Value,
}

/// Calls a method.
///
/// # Safety
/// The machine is that of a live frame, with what the site takes on top.
#[inline(never)]
pub(super) unsafe fn method(
    ctx: &mut VMContext,
    invocation: &Invocation,
    machine: Machine,
) -> Called {
    ctx.stack.top = machine.sp;
    // SAFETY: the verifier has counted the operands; the site outlives the run.
    unsafe {
        let site = &*invocation.site;
        let args = machine.sp.sub(invocation.argc as usize);
        let indexes = args.sub(invocation.index_count as usize);
        let start = indexes.sub(invocation.has_receiver as usize);
        let operands = Operands {
            start,
            indexes,
            args,
        };
        if invocation.is_plain
            && let Some(called) = interpreted_method(ctx, invocation, machine, operands)
        {
            return called;
        }
        let receiver = invocation.has_receiver.then(|| start.read());
        let root = site
            .place
            .as_ref()
            .map(|path| machine.variable(ctx, path.root));
        let result = call::call_method(
            ctx,
            site,
            root,
            receiver,
            core::slice::from_raw_parts_mut(indexes, invocation.index_count as usize),
            core::slice::from_raw_parts_mut(args, invocation.argc as usize),
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
    invocation: &Invocation,
    machine: Machine,
    Operands {
        start,
        indexes,
        args,
    }: Operands,
) -> Option<Called> {
    // SAFETY: as for `method`.
    unsafe {
        let site = &*invocation.site;
        let index_count = invocation.index_count as usize;
        let read;
        let receiver: &Value = if invocation.has_receiver {
            &*start
        } else if let Some(variable) = invocation.variable {
            &*machine.variable(ctx, variable)
        } else {
            read = receiver_at(ctx, site, machine, indexes)?;
            &read
        };
        let def = receiver.as_object::<Record>()?.def()?;
        let method = find_method(def, site.name, &invocation.hint)?;
        let object: *const heap::Function = method.as_object::<heap::Function>()?;
        let info = (*object).info();
        if info.arity() != invocation.argc as usize {
            return None;
        }
        // A function object that nothing else may keep alive lies below the slots.
        let kept = (!(*object.cast::<heap::Header>()).is_immortal()).then(|| method.clone());
        let slots = start.add(index_count + kept.is_some() as usize);
        let interpreter = interpreter_of(ctx);
        let target = frame_for(ctx, interpreter, info.id, slots)?;
        let receiver = match &site.place {
            _ if invocation.has_receiver => start.read(),
            Some(path) if site.take && info.flags.changes_self => {
                let root = machine.variable(ctx, path.root);
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
        if args != slots.add(1) {
            core::ptr::copy(args, slots.add(1), invocation.argc as usize);
        }
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

/// The receiver at a place that is more than a variable.  An error comes up
/// again where it is reported.
///
/// # Safety
/// As for `method`.
unsafe fn receiver_at(
    ctx: &mut VMContext,
    site: &MethodSite,
    machine: Machine,
    indexes: *mut Value,
) -> Option<Value> {
    let path = site.place.as_ref()?;
    // SAFETY: as for `method`.
    unsafe {
        let root = machine.variable(ctx, path.root);
        let indexes = core::slice::from_raw_parts(indexes, path.indexes() as usize);
        let read = place::read_path(ctx, root, path, indexes);
        if read.is_err() {
            ctx.pending = None;
        }
        read.ok()
    }
}

/// The method of a declaration, looked for first where it was last.
#[inline(always)]
fn find_method<'a>(def: &'a StructDef, name: NameId, hint: &Cell<u32>) -> Option<&'a Value> {
    if let Some((known, method)) = def.methods.get(hint.get() as usize)
        && *known == name
    {
        return Some(method);
    }
    let position = def.methods.iter().position(|(known, _)| *known == name)?;
    hint.set(position as u32);
    Some(&def.methods[position].1)
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
        let root = machine.variable(ctx, path.root);
        let indexes = core::slice::from_raw_parts(machine.sp, path.indexes() as usize);
        call::store_receiver(ctx, site, root, indexes, changed)
    }
}
