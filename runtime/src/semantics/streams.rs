//! Generators and iterators: drawing values, and their methods (reference,
//! section 11 and builtins-core 19.4).

use super::R;
use super::convert::truthy;
use super::make::check_depth;
use crate::call::{self, NOT_CALLABLE, Resume};
use crate::context::{MAX_CALL_DEPTH, VMContext};
use crate::heap::{
    Array, Channel, Function, Generator, GeneratorState, Lazy, Outcome, Promise, Ref, Stage,
    Variant, VariantKind,
};
use crate::names::{COLLECT, FILTER, MAP, NEXT, NameId, RECEIVE, SEND, SKIP, TAKE};
use crate::threads;
use crate::value::{Tag, Value};
use alloc::format;
use core::cell::Cell;

/// The next value of a generator or iterator; `None` at the end.
pub fn draw(ctx: &mut VMContext, source: &Value) -> R<Option<Value>> {
    match (source.to_ref::<Generator>(), source.to_ref::<Lazy>()) {
        (Some(generator), _) => resume(ctx, &generator),
        (_, Some(lazy)) => draw_lazily(ctx, &lazy),
        _ => Ok(None),
    }
}

/// A generator that a call of its function makes.
///
/// # Safety
/// `callee` is a generator function of the context's program, whose frames
/// `resume` goes on with; `args` are its parameters, which are given up.
pub unsafe fn make_generator(
    ctx: &VMContext,
    callee: &Function,
    args: *const Value,
    resume: Resume,
) -> Ref<Generator> {
    let info = callee.info();
    let function = &ctx.program.program.functions[info.id as usize];
    let (params, slots) = (info.params.len(), function.slots as usize);
    let room = slots + function.max_stack as usize;
    let generator = Generator::new(Ref::from_borrowed(callee), resume, room);
    // SAFETY: the arguments move into the frame, which has room for all slots;
    // nobody else knows the generator yet.
    unsafe {
        let frame = Generator::frame_of(generator.as_ptr());
        core::ptr::copy_nonoverlapping(args, frame, params);
        for slot in params..slots {
            frame.add(slot).write(Value::UNSET);
        }
        (*generator.as_ptr()).set_len(slots);
    }
    generator
}

/// Lets a generator run to its next `yield`.
fn resume(ctx: &mut VMContext, generator: &Ref<Generator>) -> R<Option<Value>> {
    match generator.state {
        GeneratorState::Finished => return Ok(None),
        GeneratorState::Running => return Err(ctx.raise("Generator is already running")),
        GeneratorState::Fresh | GeneratorState::Suspended => {}
    }
    let trace = ctx.trace_top;
    // SAFETY: the generator is kept alive by the reference; nobody else holds
    // one into it, since a running generator refuses to run.
    let result = unsafe { (generator.resume)(ctx, trace, generator.as_ptr()) };
    ctx.trace_top = trace;
    let value = call::settle(result)?;
    Ok((!value.is_unset()).then_some(value))
}

fn draw_lazily(ctx: &mut VMContext, lazy: &Lazy) -> R<Option<Value>> {
    if lazy.is_finished.get() {
        return Ok(None);
    }
    // A chain of iterators can be of any length, and each takes some stack.
    let here = 0u8;
    if (&raw const here as usize) < ctx.stack_limit {
        let message =
            format!("Maximum call stack depth of {MAX_CALL_DEPTH} exceeded while calling next");
        return Err(ctx.raise(&message));
    }
    let drawn = draw_stage(ctx, lazy);
    if !matches!(drawn, Ok(Some(_))) {
        lazy.is_finished.set(true);
    }
    drawn
}

fn draw_stage(ctx: &mut VMContext, lazy: &Lazy) -> R<Option<Value>> {
    match &lazy.stage {
        Stage::Map(function) => {
            let Some(value) = draw(ctx, &lazy.source)? else {
                return Ok(None);
            };
            call::call(ctx, function, &mut [value]).map(Some)
        }
        Stage::Filter(function) => {
            while let Some(value) = draw(ctx, &lazy.source)? {
                if truthy(&call::call(ctx, function, &mut [value.clone()])?) {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        }
        Stage::Take(left) => {
            if left.get() <= 0 {
                return Ok(None);
            }
            left.set(left.get() - 1);
            draw(ctx, &lazy.source)
        }
        Stage::Skip(left) => {
            while left.get() > 0 {
                left.set(left.get() - 1);
                if draw(ctx, &lazy.source)?.is_none() {
                    return Ok(None);
                }
            }
            draw(ctx, &lazy.source)
        }
    }
}

/// Whether generators and iterators have a method of this name.
pub fn has_method(name: NameId) -> bool {
    matches!(name, NEXT | MAP | FILTER | TAKE | SKIP | COLLECT)
}

/// Calls a method of a channel.
fn call_channel(
    ctx: &mut VMContext,
    channel: &Channel,
    name: NameId,
    args: &mut [Value],
) -> R<Value> {
    let expected = match name {
        SEND => 1,
        RECEIVE => 0,
        _ => {
            let message = format!("Channel has no method '{}'", ctx.program.name(name));
            return Err(ctx.raise(&message));
        }
    };
    if args.len() != expected {
        let message = format!(
            "Channel.{} expects {expected} arguments, got {}",
            ctx.program.name(name),
            args.len()
        );
        return Err(ctx.raise(&message));
    }
    if name == SEND {
        threads::channel::send(ctx, channel, &args[0]);
        return Ok(Value::TRUE);
    }
    let received = threads::channel::receive(ctx, channel)?;
    Ok(received.unwrap_or(Value::NULL))
}

/// Calls a method of a channel, or of a generator or iterator, which `has_method`.
pub fn call_method(
    ctx: &mut VMContext,
    receiver: Value,
    name: NameId,
    args: &mut [Value],
) -> R<Value> {
    if let Some(channel) = receiver.as_object::<Channel>() {
        return call_channel(ctx, channel, name, args);
    }
    let expected = if matches!(name, NEXT | COLLECT) { 0 } else { 1 };
    if args.len() != expected {
        // The receiver counts as an argument.
        let message = format!(
            "{} expects {} arguments, got {}",
            ctx.program.name(name),
            expected + 1,
            args.len() + 1
        );
        return Err(ctx.raise(&message));
    }
    match name {
        NEXT => next(ctx, &receiver),
        COLLECT => collect(ctx, &receiver),
        _ => {
            let stage = stage(ctx, name, core::mem::take(&mut args[0]))?;
            Ok(Value::from(Lazy::new(receiver, stage)))
        }
    }
}

/// `next()`: a generator's value or null; an iterator's `Some` or `None`.
fn next(ctx: &mut VMContext, source: &Value) -> R<Value> {
    let drawn = draw(ctx, source)?;
    Ok(match (source.tag(), drawn) {
        (Tag::Generator, drawn) => drawn.unwrap_or(Value::NULL),
        (_, None) => Value::from(Variant::none()),
        (_, Some(value)) => {
            check_depth(ctx, 1, &value, "creating an enum value")?;
            Value::from(Variant::wrap(VariantKind::Some, value))
        }
    })
}

/// `collect()`: an array of what is left.
fn collect(ctx: &mut VMContext, source: &Value) -> R<Value> {
    let mut values = Array::new();
    while let Some(value) = draw(ctx, source)? {
        check_depth(ctx, 1, &value, "creating an array")?;
        let Some(target) = values.get_mut() else {
            unreachable!("nobody else sees it")
        };
        target.push(value);
    }
    Ok(Value::from(values))
}

fn stage(ctx: &mut VMContext, name: NameId, argument: Value) -> R<Stage> {
    if matches!(name, MAP | FILTER) {
        return match argument.tag() {
            Tag::Function | Tag::Builtin | Tag::BoundMethod if name == MAP => {
                Ok(Stage::Map(argument))
            }
            Tag::Function | Tag::Builtin | Tag::BoundMethod => Ok(Stage::Filter(argument)),
            _ => Err(ctx.raise(NOT_CALLABLE)),
        };
    }
    let count = match (argument.as_int(), argument.as_float()) {
        (Some(count), _) => Cell::new(count),
        (_, Some(count)) => Cell::new(count as i64),
        _ => {
            let message = format!("{}() count must be a number", ctx.program.name(name));
            return Err(ctx.raise(&message));
        }
    };
    Ok(if name == TAKE {
        Stage::Take(count)
    } else {
        Stage::Skip(count)
    })
}

/// The promise of an async function whose body has run.  `exit` is no result.
pub fn promise_of(ctx: &mut VMContext, result: R<Value>) -> R<Value> {
    let outcome = match result {
        Ok(value) => Outcome::Fulfilled(value),
        Err(raised) if ctx.exit_status.is_some() => return Err(raised),
        Err(raised) => {
            let Some(pending) = ctx.pending.take() else {
                return Err(raised);
            };
            Outcome::Rejected {
                message: pending.message.as_str().into(),
                thrown: pending.thrown,
                by_builtin: false,
            }
        }
    };
    Ok(Value::from(Promise::settled(outcome)))
}

/// Waits for a promise; anything else stays as it is.
pub fn await_value(ctx: &mut VMContext, value: Value) -> R<Value> {
    threads::promise::resolve(ctx, value)
}
