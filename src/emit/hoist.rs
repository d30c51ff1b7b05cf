//! Loads of what never changes, before the loop.
//!
//! What a closure captured for good is read where it is used, and after inlining
//! that is in the middle of a loop.  Such loads are marked as reading what is
//! only read; they must not move to where the closure may be gone, which
//! Cranelift's optimiser would let them do, but may well be done before the loop:
//! an object that a loop reads from is there when it begins.

use super::parked::loops_around;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Value, ValueDef};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};

/// Moves loads of what never changes out of loops.  The function has no aliases.
pub(super) fn hoist(context: &mut Context) {
    if !context.func.layout.blocks().any(|block| {
        let mut insts = context.func.layout.block_insts(block);
        insts.any(|inst| source(&context.func, inst).is_some())
    }) {
        return;
    }
    context.compute_cfg();
    context.compute_domtree();
    context.compute_loop_analysis();
    let loops = &context.loop_analysis;
    let entries: Vec<(Loop, Block)> = loops
        .loops()
        .filter_map(|looped| {
            let header = loops.loop_header(looped);
            let mut outside = context
                .cfg
                .pred_iter(header)
                .map(|pred| pred.block)
                .filter(|block| !loops.is_in_loop(*block, looped));
            let before = outside.next()?;
            outside.next().is_none().then_some((looped, before))
        })
        .collect();
    let blocks: Vec<Block> = context.func.layout.blocks().collect();
    for block in blocks {
        if loops.innermost_loop(block).is_none() || context.func.layout.is_cold(block) {
            continue;
        }
        let insts: Vec<Inst> = context.func.layout.block_insts(block).collect();
        for inst in insts {
            if let Some(address) = source(&context.func, inst)
                && let Some(before) = place(&context.func, loops, &entries, block, address)
                && let Some(last) = context.func.layout.last_inst(before)
            {
                context.func.layout.remove_inst(inst);
                context.func.layout.insert_inst(inst, last);
            }
        }
    }
}

/// The address that an instruction loads from, if what is there never changes.
fn source(function: &Function, inst: Inst) -> Option<Value> {
    match function.dfg.insts[inst] {
        InstructionData::Load { flags, arg, .. } => {
            let flags = function.dfg.mem_flags[flags];
            (flags.readonly() && flags.notrap() && !flags.can_move()).then_some(arg)
        }
        _ => None,
    }
}

/// The block before the outermost loop around `block` in which the address does
/// not change.
fn place(
    function: &Function,
    loops: &LoopAnalysis,
    entries: &[(Loop, Block)],
    block: Block,
    address: Value,
) -> Option<Block> {
    let home = match function.dfg.value_def(address) {
        ValueDef::Param(block, _) => block,
        ValueDef::Result(inst, _) => function.layout.inst_block(inst)?,
        ValueDef::Union(..) => return None,
    };
    let mut found = None;
    for looped in loops_around(loops, block) {
        let entry = entries.iter().find(|(entered, _)| *entered == looped);
        match entry {
            Some((_, before)) if !loops.is_in_loop(home, looped) => found = Some(*before),
            _ => break,
        }
    }
    found
}
