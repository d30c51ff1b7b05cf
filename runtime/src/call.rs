//! The one calling convention: jump through the function object's entry.
//!
//! Whoever executes a function — the interpreter, the JIT's code, code linked
//! into an executable — its function object carries an `Entry`.  So the
//! interpreter and generated code never import each other.

use crate::bytecode::FunctionFlags;
use crate::context::{TraceEntry, VMContext};
use crate::error::Raised;
use crate::heap::{BoundMethod, Function, Generator};
use crate::value::{RAISED, RawValue, Value};
use core::mem::ManuallyDrop;

/// The entry of a function object.
///
/// `trace` is where the function's own entry of the call stack goes; it must
/// be below `ctx.trace_limit` (the callee checks, and raises otherwise).
/// `args` are exactly as many values as the function has parameters, the
/// receiver of a method included; the callee takes them over.  The result is
/// owned by the caller, or `RawValue::RAISED` with an error pending.
pub type Entry = unsafe extern "C" fn(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    callee: *const Function,
    args: *mut Value,
) -> RawValue;

/// Goes on with a suspended generator to its next `yield`: gives what that
/// hands over, `Unset` if the generator came to its end, or `RAISED`.
/// `trace` is the first free entry of the call stack.
pub type Resume = unsafe extern "C" fn(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    generator: *mut Generator,
) -> RawValue;

/// Calls a function object with exactly the parameters it has; `trace` is the
/// first free entry of the call stack.
#[inline]
#[expect(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the call stack's first free entry is the context's own"
)]
pub fn enter(
    ctx: &mut VMContext,
    trace: *mut TraceEntry,
    callee: &Function,
    args: &mut [ManuallyDrop<Value>],
) -> Result<Value, Raised> {
    debug_assert_eq!(args.len(), callee.info().params.len());
    // SAFETY: the entry belongs to this function object; the arguments are
    // handed over (the caller's slice does not drop them).
    let result = unsafe { (callee.entry())(ctx, trace, callee, args.as_mut_ptr().cast()) };
    ctx.trace_top = trace;
    settle(result)
}

/// A callee's result as a `Result`.
#[inline(always)]
pub fn settle(result: RawValue) -> Result<Value, Raised> {
    if result.tag == RAISED {
        return Err(Raised);
    }
    // SAFETY: a callee's result is owned by the caller.
    Ok(unsafe { Value::from_raw(result) })
}

/// Calls any value with positional arguments, which are taken out of `args`.
/// Checks the number of arguments.
pub fn call(ctx: &mut VMContext, callee: &Value, args: &mut [Value]) -> Result<Value, Raised> {
    if let Some(function) = callee.as_object::<Function>() {
        return call_function(ctx, function, None, args);
    }
    if let Some(builtin) = callee.as_builtin() {
        return (builtin.function)(ctx, args);
    }
    if let Some(bound) = callee.as_object::<BoundMethod>() {
        let method = bound.method.clone();
        let Some(function) = method.as_object::<Function>() else {
            return call_bound(ctx, &bound.receiver, &method, args);
        };
        return call_function(ctx, function, Some(bound.receiver.clone()), args);
    }
    Err(ctx.raise(NOT_CALLABLE))
}

/// Calls a function of the host, which is a built-in that takes its receiver
/// as its first argument.
#[cold]
fn call_bound(
    ctx: &mut VMContext,
    receiver: &Value,
    method: &Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    let mut all = alloc::vec::Vec::with_capacity(args.len() + 1);
    all.push(receiver.clone());
    all.extend(args.iter_mut().map(core::mem::take));
    call(ctx, method, &mut all)
}

/// The message for a call of something that is no function.
pub const NOT_CALLABLE: &str = "Cannot call non-function; the value being called is not callable. Pass a function, closure, or imported callable value instead.";

/// Calls a function object, as a method when there is a receiver.  A method
/// without receiver is one called on its struct's name.  What it may have made
/// of its receiver is dropped.
pub fn call_function(
    ctx: &mut VMContext,
    function: &Function,
    receiver: Option<Value>,
    args: &mut [Value],
) -> Result<Value, Raised> {
    let result = call_keeping_self(ctx, function, receiver, args);
    if function.info().flags.changes_self {
        drop(ctx.self_result.take());
    }
    result
}

/// As `call_function` for a method whose final `self` the caller then takes
/// out of the context, if the method may change it.
pub fn call_method(
    ctx: &mut VMContext,
    function: &Function,
    receiver: Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    call_keeping_self(ctx, function, Some(receiver), args)
}

fn call_keeping_self(
    ctx: &mut VMContext,
    function: &Function,
    receiver: Option<Value>,
    args: &mut [Value],
) -> Result<Value, Raised> {
    let info = function.info();
    let FunctionFlags { is_method, .. } = info.flags;
    if args.len() != info.arity() {
        let message = alloc::format!(
            "{} expects {} arguments, got {}",
            info.name,
            info.arity(),
            args.len()
        );
        return Err(ctx.raise(&message));
    }
    // Most calls have few arguments; a fixed buffer keeps them off the heap.
    let trace = ctx.trace_top;
    let count = info.params.len();
    if count <= 8 {
        let mut buffer: [ManuallyDrop<Value>; 8] = [const { ManuallyDrop::new(Value::NULL) }; 8];
        fill(&mut buffer[..count], is_method, receiver, args);
        return enter(ctx, trace, function, &mut buffer[..count]);
    }
    let mut buffer = alloc::vec::Vec::new();
    buffer.resize_with(count, || ManuallyDrop::new(Value::NULL));
    fill(&mut buffer, is_method, receiver, args);
    enter(ctx, trace, function, &mut buffer)
}

fn fill(
    buffer: &mut [ManuallyDrop<Value>],
    is_method: bool,
    receiver: Option<Value>,
    args: &mut [Value],
) {
    let first = is_method as usize;
    if is_method {
        buffer[0] = ManuallyDrop::new(receiver.unwrap_or(Value::NULL));
    }
    for (place, arg) in buffer[first..].iter_mut().zip(args) {
        *place = ManuallyDrop::new(core::mem::take(arg));
    }
}

/// The operand stack of the interpreter: a fixed range of address space of
/// which only what is used takes memory.
pub struct ValueStack {
    pub base: *mut Value,
    /// The first free place.
    pub top: *mut Value,
    /// The first place that may not be written.
    pub limit: *mut Value,
}
