//! Other targets than this machine's: what there is for them, the runtimes
//! that programs for them are linked with, and who runs such programs here.
//!
//! Linking itself is `link`'s; here is what has to be there before.

mod build;
mod compiler;
mod list;
mod runner;

pub use build::{Added, add};
pub use compiler::ToolchainError;
pub use list::{Report, report};
pub use runner::{NoRunner, Runner, runner};
