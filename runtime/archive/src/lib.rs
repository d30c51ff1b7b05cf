//! The runtime as `libruffrt.a`.
//!
//! Everything is in `ruff_runtime`; naming it here is what brings its exported
//! symbols into the archive.

pub use ruff_runtime::*;

/// Rust's collections ask the C library, and a program that runs out of memory
/// in one of them still gets its output written.
#[global_allocator]
static MEMORY: ruff_runtime::heap::allocator::CLibrary = ruff_runtime::heap::allocator::CLibrary;
