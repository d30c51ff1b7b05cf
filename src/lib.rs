//! The `ruffc` compiler as a library: from Ruff source to native code.
//!
//! The rooms in the order in which a program goes through them; each may use
//! the ones before it, and no room calls back up.

pub mod source;
pub mod diagnostic;
pub mod syntax;
pub mod link;
