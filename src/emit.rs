//! The two endings of a compilation: generated code becomes an object file, or
//! runs in this process.
//!
//! Both take the IR that `codegen` makes of a function and give its callees'
//! names a meaning: symbols in one, addresses in the other.  What the code does
//! is decided before it gets here.

#![expect(
    clippy::result_large_err,
    reason = "Cranelift's own errors are that large, and rare"
)]

mod symbol;
mod target;

mod compile;
mod debug;
mod program;
mod rare;

mod branchless;
mod cold;
mod early_exit;
mod export;
mod hoist;
mod image;
mod inlining;
mod leaf;
mod listing;
mod module;
mod object;
mod order;
mod overflow;
mod parked;
mod peel;

mod phis;
mod placement;
mod ranges;
mod simplify;
mod undo;
mod words;

pub mod jit;

pub use crate::codegen::Debug;
pub use compile::{Refusal, Work};
pub use listing::{assembly, clif};
pub use module::{OBJECT_VERSION, OwnCode, module_object};
pub use object::{Object, object};
pub use program::{Bodies, Decided, decisions};
pub use target::{Cpu, Effort, TargetError, TargetOptions};

use cranelift_module::ModuleError;
use program::{Body, Parts};
use ruff_runtime::bytecode::FunctionId;
use std::fmt;

/// The version of the code generator.
pub const CODE_GENERATOR_VERSION: &str = cranelift_object::VERSION;

/// A script that shows values of programs in gdb.
pub const GDB_PRINTERS: &str = include_str!("emit/debug/printers.py");

/// How a program becomes code.
#[derive(Clone, Debug)]
pub struct Options {
    pub target: TargetOptions,
    pub bodies: Bodies,
    pub memory: Memory,
}

/// Whether an executable looks in the end if it has freed everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It does not, and carries nothing for it.
    Trusted,
    /// It ends with another status if not: for tests.
    Checked,
}

/// A function that stays bytecode.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallback {
    pub function: FunctionId,
    /// `None` if it was asked for.
    pub reason: Option<Refusal>,
}

/// Why there is no code.
#[derive(Debug)]
pub enum EmitError {
    Target(TargetError),
    /// The program names a built-in that this runtime lacks.
    UnknownBuiltin(Box<str>),
    /// A C function's symbol is one of the program's own.
    ForeignSymbol(Box<str>),
    /// The code generator refused something: this compiler's mistake.
    Module(Box<ModuleError>),
    /// The object could not be put together: this compiler's mistake.
    Write(::object::write::Error),
    /// Debug information could not be made: this compiler's mistake.
    Debug(gimli::write::Error),
}

impl fmt::Display for EmitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmitError::Target(error) => error.fmt(out),
            EmitError::UnknownBuiltin(name) => {
                write!(out, "this runtime has no built-in function `{name}`")
            }
            EmitError::ForeignSymbol(symbol) => {
                write!(
                    out,
                    "`{symbol}` can't be declared as a C function: the runtime has a function of this name"
                )
            }
            EmitError::Module(error) => write!(out, "the code generator failed: {error}"),
            EmitError::Write(error) => write!(out, "the object file could not be made: {error}"),
            EmitError::Debug(error) => {
                write!(out, "the debug information could not be made: {error}")
            }
        }
    }
}

impl std::error::Error for EmitError {}

impl From<TargetError> for EmitError {
    fn from(error: TargetError) -> EmitError {
        EmitError::Target(error)
    }
}

impl From<ModuleError> for EmitError {
    fn from(error: ModuleError) -> EmitError {
        EmitError::Module(Box::new(error))
    }
}

/// The functions that stay bytecode, in order.
fn fallbacks(parts: &Parts) -> Vec<Fallback> {
    let kept = (0..)
        .zip(&parts.bodies)
        .filter_map(|(function, body)| match body {
            Body::Kept(reason) => Some(Fallback {
                function,
                reason: reason.clone(),
            }),
            Body::Compiled(_) | Body::Elsewhere | Body::Unused => None,
        });
    kept.collect()
}

/// The verified program of a text that imports nothing.
#[cfg(test)]
fn lowered(text: &str) -> ruff_runtime::bytecode::Program {
    let mut sources = crate::source::SourceMap::new();
    let file = sources.add("some.ruff", text.to_string());
    let tree = crate::syntax::parse(&sources, file).expect("the program parses");
    let graph = crate::modules::load(std::sync::Arc::new(tree), &[], &mut sources)
        .expect("there are no modules");
    let mut program = crate::lower::lower(graph, &sources);
    ruff_runtime::bytecode::verify::verify(&mut program).expect("what was lowered is valid");
    program
}
