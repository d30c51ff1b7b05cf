//! Loads of what never changes, before the loop.
//!
//! What a closure captured for good is read where it is used, and after inlining
//! that is in the middle of a loop.  Such loads are marked as reading what is
//! only read; they must not move to where the closure may be gone, which
//! Cranelift's optimiser would let them do, but may well be done before the loop:
//! an object that a loop reads from is there when it begins.

use super::parked::loops_around;
use super::simplify::Flow;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Value, ValueDef};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use rustc_hash::FxHashMap;

/// Moves loads of what never changes out of loops.  The function has no aliases.
pub(super) fn hoist(function: &mut Function) {
    let blocks: Vec<Block> = function.layout.blocks().collect();
    let has_source = |block: &Block| {
        let mut insts = function.layout.block_insts(*block);
        insts.any(|inst| source(function, inst).is_some())
    };
    if !blocks.iter().any(has_source) {
        return;
    }
    let flow = Flow::of(function);
    let mut loops = LoopAnalysis::new();
    loops.compute(function, &flow.graph, &flow.dominators);
    let entries: FxHashMap<Loop, Block> = loops
        .loops()
        .filter_map(|looped| Some((looped, only_way_in(&flow, &loops, looped)?)))
        .collect();
    for block in blocks {
        if loops.innermost_loop(block).is_none() || function.layout.is_cold(block) {
            continue;
        }
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        for inst in insts {
            if let Some(address) = source(function, inst)
                && let Some(before) = place(function, &loops, &entries, block, address)
                && let Some(last) = function.layout.last_inst(before)
            {
                function.layout.remove_inst(inst);
                function.layout.insert_inst(inst, last);
            }
        }
    }
}

/// The only block outside a loop that leads into it.
fn only_way_in(flow: &Flow, loops: &LoopAnalysis, looped: Loop) -> Option<Block> {
    let ways = flow.graph.pred_iter(loops.loop_header(looped));
    let mut outside = ways
        .map(|way| way.block)
        .filter(|block| !loops.is_in_loop(*block, looped));
    let before = outside.next()?;
    outside.next().is_none().then_some(before)
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
    entries: &FxHashMap<Loop, Block>,
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
        match entries.get(&looped) {
            Some(before) if !loops.is_in_loop(home, looped) => found = Some(*before),
            _ => break,
        }
    }
    found
}
