//! The built-in functions: one table row each.
//!
//! Generated code refers to a row by its symbol `ruff_builtin_<name>`, so a
//! program carries only the built-ins that it names.

use crate::context::VMContext;
use crate::error::Raised;
use crate::value::Value;

/// What a built-in does, as far as compilers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// May call functions that it was given.
    pub runs_code: bool,
    /// The same arguments always give the same result, and nothing else happens.
    pub pure: bool,
}

/// A built-in function's table row.
#[repr(C)]
pub struct Builtin {
    /// Takes what it needs out of `args`; the caller drops the rest.
    pub function: fn(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised>,
    /// The in-place form: changes `target` and leaves it as it was on an error.
    /// Its result is the method form's (`pop` gives the element).
    pub mutate: Option<fn(ctx: &mut VMContext, target: &mut Value, args: &mut [Value]) -> Result<Value, Raised>>,
    pub name: &'static str,
    pub effects: Effects,
}

impl core::fmt::Debug for Builtin {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(self.name)
    }
}
