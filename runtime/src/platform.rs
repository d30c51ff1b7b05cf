//! The operating system, as far as the runtime needs it, alike everywhere.
//!
//! There is one file for each family of systems, with the same items in it; no
//! other room knows which of them it runs on.  What is asked for here is little
//! and plain, and `std`'s larger versions of it stay out of programs.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

/// What is asked of a thread's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Whatever is fastest.
    Any,
    /// Small ones: there are many such threads, and most use little.
    Small,
}

impl Default for RawMutex {
    fn default() -> RawMutex {
        RawMutex::new()
    }
}

impl Default for RawCondition {
    fn default() -> RawCondition {
        RawCondition::new()
    }
}

/// Writes all bytes to a file descriptor, as far as it takes them.
pub fn write_all(descriptor: i32, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(written) = write(descriptor, rest) else {
            return;
        };
        rest = &rest[written..];
    }
}
