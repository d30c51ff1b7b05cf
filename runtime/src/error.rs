//! Raised errors: what is pending while control looks for a handler.
//!
//! A function that fails leaves a `Pending` in the context and returns
//! `Raised`.  The first Ruff frame that sees it notes the place and the
//! active functions; `Catch` turns it into the Error struct of the reference,
//! section 8.1.  Positions and names are looked up when somebody asks.

use crate::bytecode::{FunctionId, Position, Program};
use crate::heap::{Array, Ref, Str};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::OnceCell;
use core::mem::size_of;

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
#[repr(C)]
pub struct Pending {
    /// Where it was raised and the active functions; `None` until the first
    /// Ruff frame has seen it.
    pub origin: Option<Origin>,
    /// What `e.message` will be.
    pub message: Ref<Str>,
    /// What was thrown; `None` for runtime errors (their value is the message).
    pub thrown: Option<Value>,
}

/// Where an error was raised.
#[repr(C)]
pub struct Origin {
    pub stack: Rc<CallStack>,
    /// The function that was executed, and which of its instructions.
    pub place: (FunctionId, u32),
}

// Generated code looks at the first word of a pending error, which is zero
// while its origin is unknown.
const _: () = assert!(size_of::<Option<Pending>>() == size_of::<Pending>());
const _: () = assert!(size_of::<Option<Origin>>() == size_of::<Origin>());

impl Pending {
    /// A runtime error.
    pub fn new(message: &str) -> Pending {
        Pending {
            message: Str::new(message),
            thrown: None,
            origin: None,
        }
    }

    /// Where the program raised it, if that is known.
    pub fn position(&self, program: &Program) -> Option<Position> {
        let (func, pc) = self.origin.as_ref()?.place;
        program.position(func, pc)
    }

    /// The functions that were active, outermost first.
    pub fn functions(&self) -> &[FunctionId] {
        self.origin
            .as_ref()
            .map_or(&[], |origin| &origin.stack.functions)
    }
}

/// The functions that are active at some time.
pub struct CallStack {
    /// Outermost first; the top level is not in it.
    pub functions: Box<[FunctionId]>,
    /// Their names, once an error with this stack was caught.
    pub names: OnceCell<Ref<Array>>,
}

/// Call stacks that errors were raised with.  Most errors of a program are
/// raised at few places, with the same functions active; they share one.
#[derive(Default)]
pub struct RecentStacks([Option<Rc<CallStack>>; RecentStacks::MOST]);

impl RecentStacks {
    const MOST: usize = 8;

    /// The stack of these functions.
    pub fn of(&mut self, functions: &[FunctionId]) -> Rc<CallStack> {
        let innermost = functions.last().map_or(0, |id| *id as usize);
        let recent = &mut self.0[innermost.wrapping_add(functions.len()) % Self::MOST];
        if let Some(stack) = recent
            && *stack.functions == *functions
        {
            return stack.clone();
        }
        let stack = Rc::new(CallStack {
            functions: functions.into(),
            names: OnceCell::new(),
        });
        *recent = Some(stack.clone());
        stack
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0 = Default::default();
    }
}

impl core::fmt::Debug for Value {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{:?}({:#x})", self.tag(), self.payload())
    }
}
