//! Running modules when they are first imported (reference, section 10).
//!
//! What became of a module stands in a global of its own: unset before it is
//! imported, then one of the values below.  So it goes wherever globals go.

use super::R;
use super::call::depth_exceeded;
use crate::call;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Function, Str};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Its top level is running.
const RUNNING: Value = Value::NULL;
/// It has finished, and its exports are there.
const FINISHED: Value = Value::TRUE;
// A string is the message of its failure.

/// The modules that are running on this thread, the outermost first.
#[derive(Default)]
struct Importing(Vec<u32>);

/// Runs a module unless that was done.
///
/// # Errors
/// If it fails, or has failed before, or is running.
pub fn import(ctx: &mut VMContext, module: u32) -> R<()> {
    let state = state(ctx, module);
    match state.tag() {
        Tag::Unset => run(ctx, module),
        Tag::Null => Err(circular(ctx, module)),
        Tag::String => {
            let message = state.clone();
            Err(ctx.raise(message.as_str().unwrap_or_default()))
        }
        _ => Ok(()),
    }
}

fn state(ctx: &mut VMContext, module: u32) -> &mut Value {
    let global = ctx.program.program.modules[module as usize].state;
    // SAFETY: the verifier checked that there is such a global.
    unsafe { &mut *ctx.globals.add(global as usize) }
}

fn name(ctx: &VMContext, module: u32) -> &str {
    let module = &ctx.program.program.modules[module as usize];
    ctx.program.name(module.name)
}

#[cold]
fn run(ctx: &mut VMContext, module: u32) -> R<()> {
    let body = ctx.program.program.modules[module as usize].body;
    let here = 0u8;
    if (&raw const here as usize) < ctx.stack_limit {
        return Err(depth_exceeded(ctx, body));
    }
    let Some(function) = ctx.program.functions[body as usize].to_ref::<Function>() else {
        return Err(ctx.raise("the module has no top level"));
    };
    *state(ctx, module) = RUNNING;
    ctx.kept::<Importing>().0.push(module);
    let trace = ctx.trace_top;
    let result = call::enter(ctx, trace, &function, &mut []);
    ctx.kept::<Importing>().0.pop();
    let result = match result {
        Ok(_) => check_exports(ctx, module),
        Err(Raised) if ctx.exit_status.is_some() => {
            // The program ends; nothing is to be remembered.
            *state(ctx, module) = Value::UNSET;
            return Err(Raised);
        }
        Err(Raised) => {
            explain(ctx, module);
            Err(Raised)
        }
    };
    *state(ctx, module) = match (&result, &ctx.pending) {
        (Err(Raised), Some(pending)) => Value::from(pending.message.clone()),
        _ => FINISHED,
    };
    result
}

/// Says of the pending error which module it comes from.  Where it was raised
/// stays as it is.
fn explain(ctx: &mut VMContext, module: u32) {
    let Some(mut pending) = ctx.pending.take() else {
        return;
    };
    let name = name(ctx, module);
    pending.message = Str::new(&format!(
        "Failed to evaluate module '{name}': {}",
        pending.message.as_str()
    ));
    pending.thrown = None;
    ctx.pending = Some(pending);
}

/// A module that has ended early may owe some of its exports.
fn check_exports(ctx: &mut VMContext, module: u32) -> R<()> {
    let info = &ctx.program.program.modules[module as usize];
    // SAFETY: the verifier checked that there are such globals.
    let is_unset = |global: u32| unsafe { (*ctx.globals.add(global as usize)).is_unset() };
    let missing = info.unsure.iter().find(|(_, global)| is_unset(*global));
    let Some((symbol, _)) = missing else {
        return Ok(());
    };
    let message = format!(
        "Exported symbol '{}' was not defined in module '{}'",
        ctx.program.name(*symbol),
        name(ctx, module)
    );
    Err(ctx.raise(&message))
}

#[cold]
fn circular(ctx: &mut VMContext, module: u32) -> Raised {
    let running = core::mem::take(&mut ctx.kept::<Importing>().0);
    let mut message = String::from("Circular import detected: ");
    let start = running.iter().position(|known| *known == module);
    // One that is running on another thread has spawned this one.
    let elsewhere = start.is_none().then_some(&module);
    for known in elsewhere.into_iter().chain(&running[start.unwrap_or(0)..]) {
        message.push_str(name(ctx, *known));
        message.push_str(" -> ");
    }
    message.push_str(name(ctx, module));
    ctx.kept::<Importing>().0 = running;
    ctx.raise(&message)
}
