//! Hot code: counting calls and loops, and handing them to the compiler that
//! the context has (`Tier`), if any.

use super::interp_entry;
use crate::bytecode::FunctionId;
use crate::call::{Entry, Resume};
use crate::context::{Heat, LoopEntry, LoopHeat, VMContext};
use crate::heap::Function;

/// A count that stands for "could not be compiled: don't ask again".
const COLD_FOR_EVER: u32 = u32::MAX;

fn is_interpreters(entry: Entry) -> bool {
    core::ptr::fn_addr_eq(entry, interp_entry as Entry)
}

/// Whether a function is the interpreter's for good: it has no other entry, and
/// its calls are not counted (any more).
pub(super) fn is_settled(ctx: &VMContext, func: FunctionId) -> bool {
    let heat = ctx.heat.get(func as usize);
    is_interpreters(ctx.program.entries[func as usize])
        && (ctx.tier.is_none() || heat.is_some_and(|heat| heat.calls == COLD_FOR_EVER))
}

/// The compiled code of a function that the interpreter was asked to run.
/// Counts the call.
#[inline]
pub(super) fn replaced_entry(ctx: &mut VMContext, func: FunctionId) -> Option<Entry> {
    ctx.tier.as_ref()?;
    let known = ctx.program.entries[func as usize];
    if !is_interpreters(known) {
        return Some(known);
    }
    let threshold = ctx
        .tier
        .as_ref()
        .map_or(COLD_FOR_EVER, |tier| tier.threshold());
    let heat = heat_of(ctx, func);
    if heat.calls == COLD_FOR_EVER {
        return None;
    }
    heat.calls += 1;
    if heat.calls < threshold {
        None
    } else {
        compile_function(ctx, func)
    }
}

#[cold]
fn compile_function(ctx: &mut VMContext, func: FunctionId) -> Option<Entry> {
    // The tier is out of the context while it looks at the program.
    let mut tier = ctx.tier.take()?;
    let compiled = tier.compile_function(&ctx.program.program, func);
    ctx.tier = Some(tier);
    let Some(entry) = compiled else {
        heat_of(ctx, func).calls = COLD_FOR_EVER;
        return None;
    };
    replace_entry(ctx, func, entry);
    Some(entry)
}

/// Lets calls of a function go to its compiled code.
fn replace_entry(ctx: &mut VMContext, func: FunctionId, entry: Entry) {
    ctx.program.entries[func as usize] = entry;
    if let Some(object) = ctx.program.functions[func as usize].as_object::<Function>() {
        // SAFETY: the entry executes the same function.
        unsafe { object.set_entry(entry) };
    }
}

/// The compiled code that goes on with an interpreted generator of a function.
/// Counts that it was asked.
#[inline]
pub(super) fn replaced_resume(ctx: &mut VMContext, func: FunctionId) -> Option<Resume> {
    let threshold = ctx.tier.as_ref()?.threshold();
    let heat = heat_of(ctx, func);
    if heat.resume.is_some() || heat.calls == COLD_FOR_EVER {
        return heat.resume;
    }
    heat.calls += 1;
    if heat.calls < threshold {
        None
    } else {
        compile_generator(ctx, func)
    }
}

#[cold]
fn compile_generator(ctx: &mut VMContext, func: FunctionId) -> Option<Resume> {
    let mut tier = ctx.tier.take()?;
    let compiled = tier.compile_generator(&ctx.program.program, func);
    ctx.tier = Some(tier);
    heat_of(ctx, func).calls = COLD_FOR_EVER;
    let (entry, resume) = compiled?;
    heat_of(ctx, func).resume = Some(resume);
    replace_entry(ctx, func, entry);
    Some(resume)
}

/// The compiled code that goes on with a frame at a loop head.  Counts the pass.
pub(super) fn hot_loop(ctx: &mut VMContext, func: FunctionId, number: u32) -> Option<LoopEntry> {
    let threshold = ctx
        .tier
        .as_ref()
        .map_or(COLD_FOR_EVER, |tier| tier.threshold());
    let loops = ctx.program.program.functions[func as usize].loops as usize;
    let heat = heat_of(ctx, func);
    if heat.loops.is_empty() {
        heat.loops.resize(loops, LoopHeat::default());
    }
    let place = &mut heat.loops[number as usize];
    if place.entry.is_some() || place.passes == COLD_FOR_EVER {
        return place.entry;
    }
    place.passes += 1;
    if place.passes < threshold {
        None
    } else {
        compile_loop(ctx, func, number)
    }
}

#[cold]
fn compile_loop(ctx: &mut VMContext, func: FunctionId, number: u32) -> Option<LoopEntry> {
    let mut tier = ctx.tier.take()?;
    let compiled = tier.compile_loop(&ctx.program.program, func, number);
    ctx.tier = Some(tier);
    let place = &mut heat_of(ctx, func).loops[number as usize];
    place.passes = COLD_FOR_EVER;
    place.entry = compiled;
    compiled
}

fn heat_of(ctx: &mut VMContext, func: FunctionId) -> &mut Heat {
    if ctx.heat.is_empty() {
        ctx.heat
            .resize_with(ctx.program.program.functions.len(), Heat::default);
    }
    &mut ctx.heat[func as usize]
}
