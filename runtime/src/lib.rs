//! What Ruff programs run on: values, heap, semantics, built-ins, bytecode,
//! interpreter, and the C interface of generated code.
//!
//! Rooms from the ground up; each may use the ones before it:
//! `platform` — the operating system; `value`, `heap`, `bytecode`, `names` — what there is;
//! `sync` — locks, for the little that threads share;
//! `error`, `output`, `loaded`, `context`, `call` — a running program;
//! `foreign` — C functions that it calls;
//! `threads` — what runs beside it, and what crosses over;
//! `semantics` — what every operator means, once;
//! `builtins` — the library; `interp` — the reference engine;
//! `abi` — what generated code calls;
//! `host` — what C programs call.
//!
//! The crate does without `std`, whose start-up and panic machinery would
//! cost every compiled program some 300 KB.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod abi;
pub mod builtins;
pub mod bytecode;
pub mod call;
pub mod context;
pub mod error;
pub mod foreign;
pub mod heap;
pub mod host;
pub mod interp;
pub mod loaded;
pub mod names;
pub mod output;
pub mod platform;
pub mod semantics;
pub mod start;
pub mod sync;
pub mod threads;
pub mod value;
