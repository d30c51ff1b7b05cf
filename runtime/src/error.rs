//! Raised errors: what is pending while control looks for a handler.
//!
//! A function that fails leaves a `Pending` in the context and returns
//! `Raised`.  The first Ruff frame that sees it notes the position and the
//! active functions; `Catch` turns it into the Error struct of the reference,
//! section 8.1.

use crate::bytecode::{FunctionId, Position};
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// Exit status of a program that an error ended.
pub const STATUS_RUNTIME_ERROR: i32 = 4;
/// What is written when there is no memory to write more.
pub const OUT_OF_MEMORY_REPORT: &[u8] =
    b"[RUFVM001] [vm] Runtime Error: Out of memory\n  --> 0:0\n\n";

/// An error is pending in the context.  Carries nothing, so that
/// `Result<Value, Raised>` fits in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised;

/// An error on its way to a handler.
#[derive(Debug)]
pub struct Pending {
    /// What `e.message` will be.
    pub message: String,
    /// What was thrown; `Null` for runtime errors (their value is the message).
    pub thrown: Option<Value>,
    /// Where it was raised and the active functions, outermost first; `None`
    /// until the first Ruff frame has seen it.
    pub origin: Option<Origin>,
}

/// Where an error was raised.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `None` when unknown.
    pub position: Option<Position>,
    /// Outermost first; the top level is not in it.
    pub stack: Vec<FunctionId>,
}

impl core::fmt::Debug for Value {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{:?}({:#x})", self.tag(), self.payload())
    }
}
