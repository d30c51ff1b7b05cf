//! The runtime as `libruffrt.a`.
//!
//! Everything is in `ruff_runtime`; naming it here is what brings its exported
//! symbols into the archive.

pub use ruff_runtime::*;
