//! What is the same in every round of a loop, taken from the peeled one.
//!
//! That is what is computed or loaded, and what is stored: where nothing else in the loop
//! stores, there still is what the peeled round has stored there.

use crate::emit::simplify::Flow;
use cranelift_codegen::ir::{AliasRegion, Block, Function, Inst, InstructionData, Opcode, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// A loop whose first round was peeled off.
pub(super) struct Peeled {
    pub header: Block,
    /// Its blocks, in an order of execution.
    pub blocks: Vec<Block>,
    /// What its values are in the peeled round.
    pub first: FxHashMap<Value, Value>,
    /// What stores in its blocks, with what does in the peeled round.
    pub stores: FxHashMap<Inst, Inst>,
}

/// Lets what the rounds of loops would compute or load alike be what the peeled round
/// did.  The function has no aliases.
pub(super) fn take_from_first_round(function: &mut Function, flow: &Flow, loops: &[Peeled]) {
    let mut taken: FxHashMap<Value, Value> = FxHashMap::default();
    let mut done = Vec::new();
    for peeled in loops {
        find(function, flow, peeled, &mut taken);
        done.extend(stores_done(function, flow, peeled, &taken));
    }
    for store in done {
        function.layout.remove_inst(store);
    }
    if taken.is_empty() {
        return;
    }
    let blocks: Vec<Block> = function.layout.blocks().collect();
    for block in blocks {
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        for inst in insts {
            let results = function.dfg.inst_results(inst);
            if results.iter().any(|result| taken.contains_key(result)) {
                function.layout.remove_inst(inst);
                continue;
            }
            let now = |value: Value| taken.get(&value).copied().unwrap_or(value);
            function.dfg.map_inst_values(inst, now);
        }
    }
}

fn find(function: &Function, flow: &Flow, peeled: &Peeled, taken: &mut FxHashMap<Value, Value>) {
    let stored: FxHashSet<Option<AliasRegion>> = storing(function, &peeled.blocks)
        .into_iter()
        .map(|store| stored_part(function, store))
        .collect();
    for block in blocks_of_every_round(flow, peeled) {
        for inst in function.layout.block_insts(block) {
            let results = function.dfg.inst_results(inst);
            if !results.is_empty()
                && gives_the_same(function, inst, &stored)
                && let Some(first) = results
                    .iter()
                    .map(|result| peeled.first.get(result).copied())
                    .collect::<Option<Vec<Value>>>()
                && let Some(copy) = function.dfg.value_def(first[0]).inst()
                && has_operands_of(function, inst, copy, taken)
            {
                debug_assert!(first.iter().all(|value| {
                    let made = function.dfg.value_def(*value).inst();
                    let home = made.and_then(|inst| function.layout.inst_block(inst));
                    home.is_some_and(|home| flow.dominators.block_dominates(home, peeled.header))
                }));
                taken.extend(results.iter().copied().zip(first));
            }
        }
    }
}

/// The blocks of a loop that are executed in every round, and so were in the first one.
fn blocks_of_every_round(flow: &Flow, peeled: &Peeled) -> Vec<Block> {
    let dominates = |one: Block, other: Block| flow.dominators.block_dominates(one, other);
    let before = flow.graph.pred_iter(peeled.header).map(|way| way.block);
    let latches: Vec<Block> = before
        .filter(|block| dominates(peeled.header, *block))
        .collect();
    let mut blocks = peeled.blocks.clone();
    blocks.retain(|block| latches.iter().all(|latch| dominates(*block, *latch)));
    blocks
}

/// The stores of a loop that only store what is there since the first round: nothing else
/// in the loop stores to their part of memory, or it does beside them.
fn stores_done(
    function: &Function,
    flow: &Flow,
    peeled: &Peeled,
    taken: &FxHashMap<Value, Value>,
) -> Vec<Inst> {
    let all = storing(function, &peeled.blocks);
    if !all.iter().all(|store| peeled.stores.contains_key(store)) {
        return Vec::new();
    }
    let blocks = blocks_of_every_round(flow, peeled);
    let is_done = |store: &Inst| {
        let home = function.layout.inst_block(*store);
        let others = || all.iter().filter(|other| *other != store);
        home.is_some_and(|home| blocks.contains(&home))
            && has_operands_of(function, *store, peeled.stores[store], taken)
            && others().all(|other| are_apart(function, peeled, *store, *other))
    };
    all.iter().copied().filter(is_done).collect()
}

/// Whether two stores of a loop surely do not overlap, in the peeled round either.
fn are_apart(function: &Function, peeled: &Peeled, one: Inst, other: Inst) -> bool {
    let (part, other_part) = (stored_part(function, one), stored_part(function, other));
    if part.is_some() && other_part.is_some() && part != other_part {
        return true;
    }
    let is_beside = |one: Inst, other: Inst| {
        let (base, bytes) = stored_bytes(function, one)?;
        let (other_base, other_bytes) = stored_bytes(function, other)?;
        let is_before = bytes.end <= other_bytes.start || other_bytes.end <= bytes.start;
        Some(base == other_base && is_before)
    };
    is_beside(one, other) == Some(true)
        && is_beside(peeled.stores[&one], peeled.stores[&other]) == Some(true)
}

/// Where a store stores: from an address on, and how far behind it.
fn stored_bytes(function: &Function, store: Inst) -> Option<(Value, Range<i64>)> {
    let dfg = &function.dfg;
    match dfg.insts[store] {
        InstructionData::Store {
            opcode: Opcode::Store,
            args: [value, base],
            offset,
            ..
        } => {
            let start = i64::from(offset);
            let size = i64::from(dfg.value_type(value).bytes());
            Some((base, start..start + size))
        }
        _ => None,
    }
}

/// Whether an instruction of a loop has the operands that its copy in the peeled round
/// has.  That the loop does not change them is not enough: what goes
/// round may be the same in all rounds but the first one.
fn has_operands_of(
    function: &Function,
    inst: Inst,
    copy: Inst,
    taken: &FxHashMap<Value, Value>,
) -> bool {
    let dfg = &function.dfg;
    let now = |value: Value| taken.get(&value).copied().unwrap_or(value);
    let constant = |value: Value| match dfg.insts[dfg.value_def(value).inst()?] {
        InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => Some((dfg.value_type(value), imm)),
        _ => None,
    };
    let is_same = |value: Value, first: Value| {
        let same_constant = || constant(value).is_some_and(|it| constant(first) == Some(it));
        now(value) == now(first) || same_constant()
    };
    let mut operands = dfg.inst_values(inst).zip(dfg.inst_values(copy));
    operands.all(|(value, first)| is_same(value, first))
}

/// What stores in blocks.
fn storing(function: &Function, blocks: &[Block]) -> Vec<Inst> {
    let insts = blocks
        .iter()
        .flat_map(|block| function.layout.block_insts(*block));
    insts
        .filter(|inst| function.dfg.insts[*inst].opcode().can_store())
        .collect()
}

/// The part of memory that an instruction stores to.
fn stored_part(function: &Function, store: Inst) -> Option<AliasRegion> {
    let flags = function.dfg.insts[store].memflags()?;
    function.dfg.mem_flags[flags].alias_region()
}

/// Whether an instruction gives the same in every round if its operands are the same.
/// Constants are made anew, which costs less than keeping them.
fn gives_the_same(
    function: &Function,
    inst: Inst,
    stored: &FxHashSet<Option<AliasRegion>>,
) -> bool {
    let data = &function.dfg.insts[inst];
    let opcode = data.opcode();
    match *data {
        InstructionData::Load { flags, .. } => {
            let flags = function.dfg.mem_flags[flags];
            flags.notrap() && !stored.contains(&flags.alias_region())
        }
        _ => {
            opcode != Opcode::Iconst
                && !opcode.is_terminator()
                && !opcode.is_call()
                && !opcode.can_load()
                && !opcode.can_store()
                && !opcode.can_trap()
                && !opcode.other_side_effects()
        }
    }
}
