//! What debuggers are told about a program: DWARF, made from what its machine
//! code remembers of the bytecode that it came from.
//!
//! `origin` follows instructions from bytecode to machine code, through the
//! inliner; `unit` writes down lines, functions and variables, `types` what
//! values look like, `unwind` how to get from a frame to its caller.  Nothing
//! here changes what the code does.

mod origin;
mod types;
mod unit;
mod unwind;

pub(super) mod section;

pub(super) use origin::{Inlined, Origin, Trace};
pub(super) use unit::{Described, unit};
pub(super) use unwind::frames;
