//! The interpreter: one exhaustive `match`, the reference for all engines.
//!
//! A function is decoded when it is first called (`decode`).  Operands live on
//! the context's value stack; a call of one interpreted function by another
//! pushes a frame there and goes on in the same loop.  The arms hold the fast
//! paths for scalars and flat arrays; everything else is a call into
//! `semantics`.
//!
//! Invariant: the program has passed `bytecode::verify`.  Stack depths, slot
//! numbers, jump targets and what slots hold are trusted here, not checked:
//! a frame's room is checked once, when it is entered.

mod access;
mod calls;
mod combine;
mod decode;
mod frame;
mod inst;
mod machine;
mod operate;
mod paths;
mod rare;
mod run;
mod suspend;
mod tiering;

use crate::bytecode::{Function, FunctionFlags, FunctionId};
use crate::call::Entry;
use crate::context::{Kept, TraceEntry, VMContext};
use crate::heap;
use crate::semantics::call;
use crate::value::{RawValue, Value};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::null;
use frame::{LinkKind, drop_range, push_frame};
use inst::Code;
use machine::fits;
use run::run;

/// How a function kept as bytecode is entered: calls run its body,
/// make its generator, or make its promise.
pub fn entry_for(function: &Function) -> Entry {
    let FunctionFlags {
        is_generator,
        is_async,
        ..
    } = function.info.flags;
    match (is_generator, is_async) {
        (true, _) => suspend::interp_generator_entry,
        (_, true) => suspend::interp_async_entry,
        _ => interp_entry,
    }
}

/// Runs an interpreted function: the `Entry` of its function objects.
///
/// # Safety
/// As for every `Entry`: the context is live, `trace` lies on its call stack,
/// `callee` is a live function object whose code is bytecode of the context's
/// program, and `args` are as many values as it has parameters, given up.
#[unsafe(export_name = "ruff_rt_interpret")]
pub unsafe extern "C" fn interp_entry(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    callee: *const heap::Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: passed on; the context is not in use meanwhile.
    unsafe {
        let ctx = &mut *ctx;
        match tiering::replaced_entry(ctx, (*callee).info().id) {
            Some(compiled) => {
                // The next call goes there directly.
                (*callee).set_entry(compiled);
                compiled(ctx, trace, callee, args)
            }
            None => run_body(ctx, trace, callee, args),
        }
    }
}

/// Runs a function's body, whatever kind of function it is.
///
/// # Safety
/// As for `interp_entry`.
unsafe fn run_body(
    ctx: &mut VMContext,
    trace: *mut TraceEntry,
    callee: *const heap::Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: the caller vouches for its arguments; the function's frame is
    // built on the free part of the value stack, whose room is checked.
    unsafe {
        let id = (*callee).info().id;
        let interpreter = interpreter_of(ctx);
        let code = code_of(ctx, interpreter, id);
        let params = (*code).params;
        ctx.trace_top = trace;
        let slots = ctx.stack.top;
        if !fits(ctx, &*code, slots) || machine_stack_is_low(ctx) {
            drop_range(args, args.add(params));
            call::depth_exceeded(ctx, id);
            return RawValue::RAISED;
        }
        core::ptr::copy(args, slots, params);
        let machine = push_frame(ctx, code, callee, slots);
        (*machine.link()).kind = LinkKind::Entry;
        (*machine.link()).result = slots;
        let result = run(ctx, &machine);
        ctx.stack.top = slots;
        ctx.trace_top = trace;
        result
    }
}

/// Whether the machine stack is nearly used up.
#[inline(always)]
fn machine_stack_is_low(ctx: &VMContext) -> bool {
    let here = 0u8;
    (&raw const here as usize) < ctx.stack_limit
}

/// The functions decoded so far.
pub(crate) struct Interpreter {
    /// By function: the code of those whose calls go on in the loop.  Null for
    /// functions that are not decoded, are still counted, or are others'.
    enterable: Box<[*const Code]>,
    /// By function; null for those that were not called yet.
    decoded: Box<[*const Code]>,
    #[expect(clippy::vec_box, reason = "the codes stay where they are")]
    owned: Vec<Box<Code>>,
}

/// What the interpreter keeps in the context.
#[inline(always)]
fn interpreter_of(ctx: &mut VMContext) -> *mut Interpreter {
    match &ctx.interpreter {
        Some(kept) => kept.pointer.cast(),
        None => start_interpreter(ctx),
    }
}

#[cold]
#[inline(never)]
fn start_interpreter(ctx: &mut VMContext) -> *mut Interpreter {
    let functions = ctx.program.program.functions.len();
    let interpreter = Box::into_raw(Box::new(Interpreter {
        enterable: alloc::vec![null(); functions].into_boxed_slice(),
        decoded: alloc::vec![null(); functions].into_boxed_slice(),
        owned: Vec::new(),
    }));
    ctx.interpreter = Some(Kept {
        pointer: interpreter.cast(),
        free: free_interpreter,
    });
    interpreter
}

/// # Safety
/// `interpreter` came from `start_interpreter`, and nothing runs any more.
unsafe fn free_interpreter(interpreter: *mut ()) {
    // SAFETY: it was a box, and nobody uses it again.
    drop(unsafe { Box::from_raw(interpreter.cast::<Interpreter>()) });
}

/// A function's code, decoded.
///
/// # Safety
/// The interpreter is the context's.
#[inline(always)]
unsafe fn code_of(ctx: &VMContext, interpreter: *mut Interpreter, func: FunctionId) -> *const Code {
    // SAFETY: function numbers are verified; no reference into the interpreter
    // is held elsewhere.
    unsafe {
        let known = *(*interpreter).decoded.as_ptr().add(func as usize);
        if known.is_null() {
            decode_now(ctx, &mut *interpreter, func)
        } else {
            known
        }
    }
}

#[cold]
#[inline(never)]
fn decode_now(ctx: &VMContext, interpreter: &mut Interpreter, func: FunctionId) -> *const Code {
    let program = &*ctx.program.program;
    let code = Box::new(decode::decode(
        program,
        &program.functions[func as usize],
        ctx.tier.is_some(),
    ));
    let decoded: *const Code = &raw const *code;
    interpreter.owned.push(code);
    interpreter.decoded[func as usize] = decoded;
    decoded
}

/// The code of a function that is not known to be enterable, if it is: it is
/// the interpreter's, and nobody wants its calls to be counted.
///
/// # Safety
/// The interpreter is the context's.
#[cold]
#[inline(never)]
unsafe fn enterable(
    ctx: &VMContext,
    interpreter: *mut Interpreter,
    func: FunctionId,
) -> *const Code {
    if !tiering::is_settled(ctx, func) {
        return null();
    }
    // SAFETY: as for `code_of`.
    unsafe {
        let code = code_of(ctx, interpreter, func);
        (&mut *interpreter).enterable[func as usize] = code;
        code
    }
}
