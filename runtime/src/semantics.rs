//! What every operator means, once, for all engines.
//!
//! The interpreter's arms and generated code's helpers both call these
//! functions.  Generated code may inline a case it has proved; every other
//! case comes here.  Operators can run Ruff code (`op_add`, defaults of struct
//! fields, callbacks), so this stands above `call`.
//!
//! Operands that are owned (`Value`) may be changed in place when nobody else
//! sees them.  Functions that take a `*mut Value` change a variable: the
//! pointer must stay valid while Ruff code runs, as those of slots, cells and
//! globals do.

#![expect(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "a variable is a pointer that stays valid, see above"
)]

use crate::error::Raised;

pub mod arith;
pub mod call;
pub mod catch;
pub mod compare;
pub mod convert;
mod float_text;
pub mod index;
pub mod iterate;
pub mod make;
pub mod matching;
pub mod modules;
pub mod place;
pub mod streams;

/// A result that may be a pending error.
pub type R<T> = Result<T, Raised>;
