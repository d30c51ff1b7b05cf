//! A compiled function as a typed function of the host.

use super::machine::{Failure, Machine};
use super::{JitOptions, JitStats};
use crate::codegen::signature::{self, Class};
use crate::emit::EmitError;
use crate::emit::compile::{Job, Refusal};
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::context::{TraceEntry, VMContext};
use ruff_runtime::value::{RAISED, RawValue};
use std::fmt;
use std::marker::PhantomData;
use std::mem::transmute;
use std::time::Instant;

/// Machine stack that a call may need: a frame without large ones, which check
/// the stack by themselves.
const STACK_PER_CALL: usize = 16 << 10;

/// Why a function has no typed form.
#[derive(Debug)]
pub enum TypedError {
    /// It has another number of parameters.
    ParameterCount {
        expected: usize,
        found: usize,
    },
    /// A parameter that is not known to be an int.
    Parameter(usize),
    /// A result that is not known to be an int.
    Result,
    /// It captures variables, or makes a generator or a promise.
    NotPlain,
    Refused(Refusal),
    Emit(EmitError),
}

impl fmt::Display for TypedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TypedError::ParameterCount { expected, found } => {
                write!(out, "the function has {found} parameters, not {expected}")
            }
            TypedError::Parameter(index) => {
                write!(out, "parameter {index} is not known to be an int")
            }
            TypedError::Result => out.write_str("the result is not known to be an int"),
            TypedError::NotPlain => out.write_str("the function is not a plain one"),
            TypedError::Refused(refusal) => write!(out, "the function stays bytecode: {refusal}"),
            TypedError::Emit(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for TypedError {}

/// A compiled function from ints to an int, called directly.
pub struct IntFunction<const PARAMETERS: usize> {
    code: *const u8,
    /// What the code runs in.
    ctx: Box<VMContext>,
    /// Where the code is.
    _machine: Machine,
    stats: JitStats,
}

/// An error was raised and is pending in the function's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRaised;

type Call0 = unsafe extern "C" fn(*mut VMContext, *mut TraceEntry) -> RawValue;
type Call1 = unsafe extern "C" fn(*mut VMContext, *mut TraceEntry, i64) -> RawValue;
type Call2 = unsafe extern "C" fn(*mut VMContext, *mut TraceEntry, i64, i64) -> RawValue;
type Call3 = unsafe extern "C" fn(*mut VMContext, *mut TraceEntry, i64, i64, i64) -> RawValue;
type Call4 = unsafe extern "C" fn(*mut VMContext, *mut TraceEntry, i64, i64, i64, i64) -> RawValue;

impl<const PARAMETERS: usize> IntFunction<PARAMETERS> {
    const IS_SUPPORTED: () = assert!(
        PARAMETERS <= 4,
        "typed functions have at most four parameters"
    );

    /// Compiles a function of the context's program.
    ///
    /// # Errors
    /// If it is not known to take and give ints, or can't be compiled.
    pub fn compile(
        mut ctx: Box<VMContext>,
        func: FunctionId,
        options: &JitOptions,
    ) -> Result<Self, TypedError> {
        const { Self::IS_SUPPORTED };
        let program = &ctx.program.program;
        let mut machine = Machine::new(program, options).map_err(TypedError::Emit)?;
        check::<PARAMETERS>(program, &machine, func)?;
        let mut stats = JitStats::default();
        let start = Instant::now();
        let code = machine
            .compile(program, Job::Typed(func), &mut stats)
            .map_err(|failure| match failure {
                Failure::Refused(refusal) => TypedError::Refused(refusal),
                Failure::Module(error) => TypedError::Emit(error),
                Failure::Broken => unreachable!("the machine is new"),
            })?;
        stats.compile_time = start.elapsed();
        limit_depth(&mut ctx);
        Ok(IntFunction {
            code,
            ctx,
            _machine: machine,
            stats,
        })
    }

    /// Calls the function.
    ///
    /// # Errors
    /// If it raises an error, which is then pending in the context.
    #[inline]
    pub fn call(&mut self, args: [i64; PARAMETERS]) -> Result<i64, CallRaised> {
        self.pointer().call(args)
    }

    /// The function as a pointer, for many calls.
    #[inline]
    pub fn pointer(&mut self) -> IntPointer<'_, PARAMETERS> {
        IntPointer {
            code: self.code,
            trace: self.ctx.trace_base,
            ctx: &mut *self.ctx,
            function: PhantomData,
        }
    }

    /// The address of the machine code: an `extern "C"` function of a context,
    /// a place in its call stack and the ints.
    pub fn address(&self) -> *const u8 {
        self.code
    }

    /// What it took to compile the function.
    pub fn stats(&self) -> &JitStats {
        &self.stats
    }

    /// The context that the function runs in.
    pub(crate) fn context(&mut self) -> &mut VMContext {
        &mut self.ctx
    }
}

/// A pointer to a compiled function, together with what it runs in.  Unlike the
/// function itself it fits into registers.
#[derive(Clone, Copy)]
pub struct IntPointer<'a, const PARAMETERS: usize> {
    code: *const u8,
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    function: PhantomData<&'a mut IntFunction<PARAMETERS>>,
}

impl<const PARAMETERS: usize> IntPointer<'_, PARAMETERS> {
    /// Calls the function.
    ///
    /// # Errors
    /// If it raises an error, which is then pending in the function's context.
    #[inline(always)]
    pub fn call(self, args: [i64; PARAMETERS]) -> Result<i64, CallRaised> {
        let IntPointer {
            code, ctx, trace, ..
        } = self;
        let arg = |index: usize| args[index];
        // SAFETY: the code was compiled from a function with this many ints as
        // parameters and no captures, for C's calling convention; its context
        // and the machine that holds it live as long as the function that this
        // borrows, and nobody else uses the context meanwhile.
        let result = unsafe {
            match PARAMETERS {
                0 => transmute::<*const u8, Call0>(code)(ctx, trace),
                1 => transmute::<*const u8, Call1>(code)(ctx, trace, arg(0)),
                2 => transmute::<*const u8, Call2>(code)(ctx, trace, arg(0), arg(1)),
                3 => transmute::<*const u8, Call3>(code)(ctx, trace, arg(0), arg(1), arg(2)),
                _ => {
                    transmute::<*const u8, Call4>(code)(ctx, trace, arg(0), arg(1), arg(2), arg(3))
                }
            }
        };
        match result.tag {
            RAISED => Err(CallRaised),
            _ => Ok(result.payload as i64),
        }
    }
}

/// Checks that a function takes and gives ints in registers.
fn check<const PARAMETERS: usize>(
    program: &Program,
    machine: &Machine,
    func: FunctionId,
) -> Result<(), TypedError> {
    let function = &program.functions[func as usize];
    let flags = function.info.flags;
    if !function.captures.is_empty() || flags.is_generator || flags.is_async || flags.is_method {
        return Err(TypedError::NotPlain);
    }
    let found = function.info.params.len();
    if found != PARAMETERS {
        return Err(TypedError::ParameterCount {
            expected: PARAMETERS,
            found,
        });
    }
    let facts = machine.facts();
    let is_int = |index: &usize| Class::of(facts.param(func, *index)) == Class::Int;
    if let Some(index) = (0..PARAMETERS).find(|index| !is_int(index)) {
        return Err(TypedError::Parameter(index));
    }
    match signature::result_class(facts, func) {
        Class::Int => Ok(()),
        _ => Err(TypedError::Result),
    }
}

/// Lets calls nest only as deep as this thread's stack allows.
fn limit_depth(ctx: &mut VMContext) {
    let here = (&raw const ctx).addr();
    let depth = here.saturating_sub(ctx.stack_limit) / STACK_PER_CALL;
    let limit = ctx.trace_base.wrapping_add(depth);
    ctx.trace_limit = ctx.trace_limit.min(limit);
}
