//! The verifier: what it accepts, the engines may trust.
//!
//! The interpreter and the translator check neither operands nor stack depth
//! nor what a slot holds; their memory safety rests on this.  It says nothing
//! about what a program means: a verified program may still raise at once.
//!
//! Time and memory are linear in the size of the program, but for loops whose
//! heads must be looked at again, and whatever the program is, nothing here
//! recurses into it.

mod captures;
mod depth;
mod flow;
mod frame;
mod kinds;
mod operands;
mod tables;

#[cfg(test)]
mod tests;

use super::{Function, FunctionId, Op, Program};
use alloc::vec::Vec;
use captures::CaptureKinds;

/// Checks a whole program and fills in how deep each function's operand stack
/// gets.
///
/// # Errors
/// The first fault found, in the order of the functions.
pub fn verify(program: &mut Program) -> Result<(), VerifyError> {
    run(program, Bodies::Required)
}

/// The same for the image of an executable, in which functions that became
/// machine code have no body.
///
/// # Errors
/// As `verify`.
pub fn verify_image(program: &mut Program) -> Result<(), VerifyError> {
    run(program, Bodies::Optional)
}

/// Why a program is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The function at fault, unless it is one of the program's tables.
    pub function: Option<FunctionId>,
    /// The instruction at fault, if it is one, and its mnemonic.
    pub instruction: Option<(u32, &'static str)>,
    pub fault: Fault,
}

impl core::fmt::Display for VerifyError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("invalid bytecode: ")?;
        if let Some(function) = self.function {
            write!(out, "function {function}: ")?;
        }
        if let Some((pc, name)) = self.instruction {
            write!(out, "instruction {pc} {name}: ")?;
        }
        out.write_str(self.fault.text())
    }
}

impl core::error::Error for VerifyError {}

macro_rules! faults {
    ($($name:ident = $text:literal,)*) => {
        /// What can be wrong with a program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $(#[doc = $text] $name,)* }

        impl Fault {
            /// What is wrong, as a clause.
            pub const fn text(self) -> &'static str {
                match self { $(Fault::$name => $text,)* }
            }
        }
    };
}
faults! {
    WellKnownNames = "the table of names does not start with the well-known ones",
    DuplicateName = "a name is twice in its table",
    Main = "the main function must be a plain top level",
    FunctionNumber = "the function's number is not its place in the table",
    Flags = "the function's flags contradict each other or its parameters",
    TooManySlots = "the function has more slots than allowed, or fewer than parameters",
    TooManyNames = "there are more slot names than slots",
    Name = "there is no such name",
    Constant = "there is no such constant",
    NotText = "the constant is not a string",
    Function = "there is no such function",
    Builtin = "there is no such built-in",
    Global = "there is no such global",
    Slot = "there is no such slot",
    Capture = "there is no such captured variable",
    Path = "there is no such path",
    Site = "there is no such call site, method site or literal site",
    Struct = "there is no such struct declaration",
    NameList = "there is no such list of names",
    File = "there is no such source file",
    Module = "there is no such module",
    ModuleBody = "a module's body must be a plain top level",
    Positions = "the source positions are not in order",
    StructFields = "a struct's defaults do not fit its fields",
    StructMethod = "a struct's method is not a method",
    SiteStruct = "a struct literal and its declaration have different names",
    Variant = "a variant's names do not fit its kind",
    TakenPlace = "only a local may be emptied during a call",
    NoBody = "the function has no code",
    NoEnd = "control can run past the end of the code",
    Target = "the jump leaves the code",
    BackwardTarget = "a backward jump must lead to a loop head, and only such jumps may",
    LoopNumber = "the loop heads are not numbered one by one",
    Handler = "a handler's range or target is not valid",
    StrayCatch = "control can reach a `Catch` without an error",
    TooManyOperands = "more operands than the code can push",
    StackUnderflow = "too few operands on the stack",
    StackMismatch = "the stack's depth depends on the way taken",
    HandlerDepth = "the handler keeps operands that are not there",
    CalleeCaptures = "only a function without captures can be named directly",
    NoCallee = "only a function with captures can name its own function object",
    ArgumentCount = "not as many arguments as the function has parameters",
    CaptureKind = "a captured variable is by value in one place and by reference in another",
    CaptureSource = "nothing says what the captured variable is",
    NotAGenerator = "only a generator may yield",
    NotAChangingMethod = "only a method that changes `self` may store it",
    SelfNotStored = "the changed `self` is not stored on every way here",
    MaybeUnset = "a local is read that may be unset",
    NotAValue = "a slot is read as a plain value that may hold something else",
    NotACell = "a slot is read as a cell that may hold something else",
    NotAnIteration = "the slots may not hold the loop's iteration",
    UnsetOperand = "an unset variable is used as a value",
    NotAnArray = "the operand may not be an array",
    NotADict = "the operand may not be a dict",
}

/// Most slots that a function may have: more would not fit the stack anyway.
pub const MAX_SLOTS: u32 = 1 << 20;

/// Whether every function must have code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bodies {
    Required,
    Optional,
}

fn run(program: &mut Program, bodies: Bodies) -> Result<(), VerifyError> {
    tables::check(program)?;
    let captures = captures::resolve(program)?;
    let mut deepest = Vec::with_capacity(program.functions.len());
    for id in 0..program.functions.len() {
        let body = Body {
            program,
            id: id as FunctionId,
            function: &program.functions[id],
            captures: &captures,
            bodies,
        };
        deepest.push(check_function(&body)?);
    }
    for (function, max_stack) in program.functions.iter_mut().zip(deepest) {
        if !function.code.is_empty() {
            function.max_stack = max_stack;
        }
    }
    Ok(())
}

fn check_function(body: &Body<'_>) -> Result<u32, VerifyError> {
    if body.function.code.is_empty() {
        let absent = body.bodies == Bodies::Optional && body.function.handlers.is_empty();
        return if absent {
            Ok(0)
        } else {
            Err(body.fault(Fault::NoBody))
        };
    }
    // In this order: depths are computed with effects, which index the tables
    // that operands name; states of slots and operands need the depths.
    operands::check(body)?;
    let handlers = operands::handlers(body)?;
    let depths = depth::measure(body, &handlers)?;
    flow::check(body, &handlers, &depths)?;
    Ok(depths.deepest)
}

/// The function that is being checked, and around it.
struct Body<'a> {
    program: &'a Program,
    id: FunctionId,
    function: &'a Function,
    captures: &'a CaptureKinds,
    bodies: Bodies,
}

impl Body<'_> {
    fn code(&self) -> &[Op] {
        &self.function.code
    }

    /// A fault of the function as a whole.
    fn fault(&self, fault: Fault) -> VerifyError {
        VerifyError {
            function: Some(self.id),
            instruction: None,
            fault,
        }
    }

    /// A fault of one instruction.
    #[cold]
    fn fault_at(&self, pc: usize, fault: Fault) -> VerifyError {
        let name = self.code()[pc].name();
        VerifyError {
            function: Some(self.id),
            instruction: Some((pc as u32, name)),
            fault,
        }
    }
}

/// `Ok` if the condition holds.
fn require(condition: bool, fault: Fault) -> Result<(), Fault> {
    if condition { Ok(()) } else { Err(fault) }
}
