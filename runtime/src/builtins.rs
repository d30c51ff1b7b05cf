//! The built-in functions: one table row each.
//!
//! `table` lists them all; a family of built-ins is a module below.  Generated
//! code refers to a row by its symbol `ruff_builtin_<name>`, so a program
//! carries only the built-ins that it names.  `find` and `all` reach every
//! row: they are for compilers and for engines that load any program, and
//! nothing else in the runtime may call them.
//!
//! A function borrows its arguments and takes out what it needs.  When it
//! fails, the first argument is still in its place, whatever it is: that is
//! how `xs = push(xs, x)` can hand over the only reference to `xs`.

use crate::context::VMContext;
use crate::error::Raised;
use crate::value::Value;

pub mod arg_parser;
pub mod arguments;
pub mod arrays;
pub mod collections;
pub mod concurrency;
pub mod dicts;
pub mod encoding;
pub mod errors;
pub mod formats;
pub mod hashing;
pub mod math;
pub mod printing;
pub mod process;
pub mod random;
pub mod records;
pub mod shared;
pub mod system;
pub mod table;
pub mod text;
pub mod time;
pub mod types;

pub use table::{all, find};

/// What a built-in does, as far as compilers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// May call functions that it was given.
    pub runs_code: bool,
    /// The same arguments always give the same result or the same error, and
    /// nothing else happens.
    pub pure: bool,
}

/// How many arguments a built-in takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    pub min: u8,
    /// `ANY_NUMBER` when there is no limit.
    pub max: u8,
}

/// `Arity::max` of a built-in without a limit.
pub const ANY_NUMBER: u8 = u8::MAX;

/// What a built-in executes.
pub type Function = fn(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised>;

/// What the method form of a built-in executes that changes its receiver.
pub type Mutation =
    fn(ctx: &mut VMContext, target: &mut Value, args: &mut [Value]) -> Result<Value, Raised>;

/// A built-in function's table row.
#[repr(C)]
pub struct Builtin {
    /// Takes what it needs out of `args`; the caller drops the rest.
    pub function: Function,
    /// The in-place form: changes `target` and leaves it as it was on an error.
    /// Its result is the method form's (`pop` gives the element).
    pub mutate: Option<Mutation>,
    pub name: &'static str,
    pub effects: Effects,
    pub arity: Arity,
    /// Not a name that programs see; reached through a method form.
    pub hidden: bool,
}

impl Builtin {
    /// `target = builtin(target, args…)`; see `replace`.
    pub fn replace(
        &self,
        ctx: &mut VMContext,
        target: &mut Value,
        args: &mut [Value],
    ) -> Result<(), Raised> {
        debug_assert!(
            !self.effects.runs_code,
            "{} would find its target unset",
            self.name
        );
        replace(self.function, ctx, target, args)
    }
}

/// `target = function(target, args…)`, in place where nobody else sees the old
/// value.  On an error the target keeps it.
///
/// Not for a function that runs code: while it is at work, the target is unset.
pub fn replace(
    function: Function,
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<(), Raised> {
    const FEW: usize = 4;
    if args.len() >= FEW {
        let mut all = alloc::vec::Vec::with_capacity(args.len() + 1);
        all.push(target.take());
        all.extend(args.iter_mut().map(core::mem::take));
        return replace_first(function, ctx, target, &mut all);
    }
    let mut all = [Value::NULL; FEW];
    let all = &mut all[..args.len() + 1];
    all[0] = target.take();
    for (place, arg) in all[1..].iter_mut().zip(args) {
        *place = core::mem::take(arg);
    }
    replace_first(function, ctx, target, all)
}

#[inline]
fn replace_first(
    function: Function,
    ctx: &mut VMContext,
    target: &mut Value,
    all: &mut [Value],
) -> Result<(), Raised> {
    match function(ctx, all) {
        Ok(value) => {
            *target = value;
            Ok(())
        }
        Err(raised) => {
            *target = core::mem::take(&mut all[0]);
            Err(raised)
        }
    }
}

/// The method form that replaces its receiver by what `function` makes of it,
/// and gives the new receiver.
pub fn update(
    function: Function,
    ctx: &mut VMContext,
    target: &mut Value,
    args: &mut [Value],
) -> Result<Value, Raised> {
    replace(function, ctx, target, args)?;
    Ok(target.clone())
}

impl core::fmt::Debug for Builtin {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(self.name)
    }
}

/// The built-in values that are no functions.
pub const CONSTANTS: &[(&str, f64)] = &[("PI", core::f64::consts::PI), ("E", core::f64::consts::E)];

#[cfg(test)]
mod tests;
