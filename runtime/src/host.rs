//! What C programs call: libraries, contexts, values, errors.
//!
//! A library is a compiled program without a `main`; a context is one run of
//! it, with variables and a heap of its own.  `api` is the table of the
//! functions that the generated header declares; a context leads to the table
//! of the runtime that made it, so several libraries that each carry a runtime
//! can be used in one process, whichever of them the C program's calls reach.
//!
//! A thread has one heap at a time.  A call into a context makes that the
//! context's own, which costs a comparison when it is already.
//!
//! Nothing here is linked into executables.

pub mod api;
pub mod call;
mod callback;
pub mod context;
mod errors;
pub mod signature;
mod values;

pub use context::{Export, HostContext, Library};

/// The version of the C interface: of the functions' meanings, of the order of
/// the table and of what a library tells about itself.
pub const HOST_VERSION: u32 = 1;

/// How a call from C went: `ruff_status`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok = 0,
    /// The program raised an error.
    Raised = 1,
    /// The program called `exit`.
    Exited = 2,
    /// A value is not of the type that a declaration promises.
    Mismatch = 3,
    /// The call itself is wrong, or the context can't be used.
    Misuse = 4,
    /// The library was compiled for another version of the interface.
    Version = 5,
}
