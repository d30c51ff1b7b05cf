//! Which loops make the generator that they ask, so that nobody else sees it.
//!
//! What counts is the code as it is, not how it came about: bytecode may be
//! anything that the verifier lets through.

use crate::codegen::layout::Layout;
use ruff_runtime::bytecode::{Function, FunctionId, Op, Program};
use std::ops::Range;

/// Instructions from the call to the loop's `IterStart`, head and `IterNext`.
pub const TO_START: u32 = 1;
pub const TO_HEAD: u32 = 2;
pub const TO_NEXT: u32 = 3;

/// A loop over a generator that the instruction before it makes.
#[derive(Clone, Copy, Debug)]
pub struct LoopOverCall {
    /// The call that makes the generator.
    pub call: u32,
    pub func: FunctionId,
    /// The hidden local that would hold it.
    pub slot: u32,
}

/// Finds the loops of a function over generators that nobody else sees.
pub fn loops_over_calls(
    program: &Program,
    function: &Function,
    layout: &Layout,
) -> Vec<LoopOverCall> {
    (0..function.code.len() as u32)
        .filter_map(|call| loop_over_call(program, function, layout, call))
        .collect()
}

fn loop_over_call(
    program: &Program,
    function: &Function,
    layout: &Layout,
    call: u32,
) -> Option<LoopOverCall> {
    let Op::CallFunction { func, .. } = function.code[call as usize] else {
        return None;
    };
    let flags = program.functions[func as usize].info.flags;
    let rest = function.code.get(call as usize + 1..)?;
    let [
        Op::IterStart { slot },
        Op::LoopHead { .. },
        Op::IterNext { slot: asked, to },
        ..,
    ] = *rest
    else {
        return None;
    };
    let head = call + TO_HEAD;
    let is_plain = flags.is_generator
        && !flags.is_async
        && slot == asked
        && to > call + TO_NEXT
        && !layout.leaders[call as usize + 1]
        // Operands below the loop would have to wait with the generator.
        && layout.depths.get(&head) == Some(&0);
    let found = LoopOverCall { call, func, slot };
    (is_plain && is_closed(function, head..to, slot)).then_some(found)
}

/// Whether a loop is entered at its head and nowhere else, goes back there only
/// while its generator waits, and keeps that generator until it is left.
fn is_closed(function: &Function, region: Range<u32>, slot: u32) -> bool {
    let enters = |from: u32, to: u32| region.contains(&to) && !region.contains(&from);
    let keeps = |pc: u32, op: &Op| match *op {
        // It would be another generator's loop from there on.
        Op::IterStart { slot: other } => !region.contains(&pc) || other.abs_diff(slot) > 1,
        _ => op.target().is_none_or(|to| !enters(pc, to)),
    };
    let next = region.start + (TO_NEXT - TO_HEAD);
    (0u32..).zip(&function.code).all(|(pc, op)| keeps(pc, op))
        // An error of the generator leaves the loop, whose body catches its own.
        && function.handlers.iter().all(|handler| {
            !region.contains(&handler.target)
                || (handler.start > next && handler.end <= region.end)
        })
}
