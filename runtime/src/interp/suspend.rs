//! Functions that don't simply run when they are called: generators, whose
//! frames wait in their objects, and async functions.

use super::frame::{Link, LinkKind, push_frame};
use super::inst::Code;
use super::machine::{Machine, fits};
use super::run::run;
use super::{code_of, interpreter_of, machine_stack_is_low, tiering};
use crate::bytecode::Op;
use crate::call::{Resume, settle};
use crate::context::{TraceEntry, VMContext};
use crate::heap::{self, Generator, GeneratorState};
use crate::semantics::{call, streams};
use crate::value::{RAISED, RawValue, Value};

/// The `Entry` of generator functions: makes the generator.
///
/// # Safety
/// As for every `Entry`.
#[unsafe(export_name = "ruff_rt_interpret_generator")]
pub unsafe extern "C" fn interp_generator_entry(
    ctx: *mut VMContext,
    _trace: *mut TraceEntry,
    callee: *const heap::Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: as for every `Entry`; the arguments move into the frame.
    unsafe { Value::from(streams::make_generator(&*ctx, &*callee, args, resume)).into_raw() }
}

/// The `Entry` of async functions: runs the body and makes the promise.
///
/// # Safety
/// As for every `Entry`.
#[unsafe(export_name = "ruff_rt_interpret_async")]
pub unsafe extern "C" fn interp_async_entry(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    callee: *const heap::Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: passed on; the context is not in use meanwhile.
    unsafe {
        let result = settle(super::run_body(&mut *ctx, trace, callee, args));
        match streams::promise_of(&mut *ctx, result) {
            Ok(promise) => promise.into_raw(),
            Err(_) => RawValue::RAISED,
        }
    }
}

/// Goes on with an interpreted generator: its `Resume`.
///
/// # Safety
/// As for every `Resume`: the generator is suspended, and its caller keeps it alive.
unsafe extern "C" fn resume(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    generator: *mut Generator,
) -> RawValue {
    // SAFETY: the caller vouches for its arguments; the frame is built on the
    // free part of the value stack, whose room is checked.
    unsafe {
        let ctx = &mut *ctx;
        let callee = (*generator).function.as_ptr();
        let interpreter = interpreter_of(ctx);
        let code = code_of(ctx, interpreter, (*callee).info().id);
        if let Some(compiled) = tiering::replaced_resume(ctx, (*code).id) {
            hand_over(ctx, &*code, &mut *generator, compiled);
            return compiled(ctx, trace, generator);
        }
        ctx.trace_top = trace;
        let slots = ctx.stack.top;
        if !fits(ctx, &*code, slots) || machine_stack_is_low(ctx) {
            call::depth_exceeded(ctx, (*code).id);
            return RawValue::RAISED;
        }
        let mut machine = push_frame(ctx, code, callee, slots);
        let link = machine.link();
        (*link).kind = LinkKind::Generator;
        (*link).result = slots;
        (*link).generator = generator;
        let frame = Generator::frame_of(generator);
        let operands = (*generator).frame().len() - (*code).slots;
        core::ptr::copy_nonoverlapping(frame, slots, (*code).slots);
        core::ptr::copy_nonoverlapping(frame.add((*code).slots), machine.sp, operands);
        machine.sp = machine.sp.add(operands);
        machine.pc = (*code).insts.as_ptr().add((*generator).position);
        if (*generator).state == GeneratorState::Suspended {
            // What the `yield` evaluates to.
            machine.push(Value::NULL);
        }
        (*generator).state = GeneratorState::Running;
        let result = run(ctx, &machine);
        if result.tag == RAISED {
            (*generator).state = GeneratorState::Finished;
        }
        ctx.stack.top = slots;
        ctx.trace_top = trace;
        result
    }
}

/// Lets compiled code go on with a generator, whose frame both see alike; where
/// it waits is counted in `yield`s from now on.
fn hand_over(ctx: &VMContext, code: &Code, generator: &mut Generator, compiled: Resume) {
    generator.resume = compiled;
    if generator.state == GeneratorState::Suspended {
        let last = code.origins[generator.position - 1] as usize;
        let function = &ctx.program.program.functions[code.id as usize];
        let passed = function.code[..=last].iter();
        generator.position = passed.filter(|op| matches!(op, Op::Yield {})).count();
    }
}

/// Hands a value to the consumer: the frame goes back into its generator.
///
/// # Safety
/// The machine is that of a generator's frame, behind a `yield`.
#[inline(never)]
pub(super) unsafe fn suspend(ctx: &mut VMContext, machine: Machine, value: Value) -> RawValue {
    // SAFETY: the frame's values move into the object; the frame ends here.
    unsafe {
        let link: *mut Link = machine.link();
        let generator = &mut *(*link).generator;
        let (slots, operands) = ((*machine.code).slots, machine.operands());
        let operand_count = machine.sp.offset_from_unsigned(operands);
        let frame = Generator::frame_of(generator);
        core::ptr::copy_nonoverlapping(machine.slots, frame, slots);
        core::ptr::copy_nonoverlapping(operands, frame.add(slots), operand_count);
        generator.set_len(slots + operand_count);
        generator.position = machine
            .pc
            .offset_from_unsigned((*machine.code).insts.as_ptr());
        generator.state = GeneratorState::Suspended;
        ctx.trace_top = ctx.trace_top.sub(1);
        value.into_raw()
    }
}

/// Notes that a generator has come to its end; its frame was left.
///
/// # Safety
/// The link is that of the generator's frame.
pub(super) unsafe fn finish(link: *mut Link) -> RawValue {
    // SAFETY: the generator is kept alive by whoever asked for the value.
    unsafe { (*(*link).generator).state = GeneratorState::Finished };
    Value::UNSET.into_raw()
}
