//! What is the same in every round of a loop, taken from the peeled one.

use crate::emit::simplify::Flow;
use cranelift_codegen::ir::{AliasRegion, Block, Function, Inst, InstructionData, Opcode, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// A loop whose first round was peeled off.
pub(super) struct Peeled {
    pub header: Block,
    /// Its blocks, in an order of execution.
    pub blocks: Vec<Block>,
    /// What its values are in the peeled round.
    pub first: FxHashMap<Value, Value>,
}

/// Lets what the rounds of loops would compute or load alike be what the peeled round
/// did.  The function has no aliases.
pub(super) fn take_from_first_round(function: &mut Function, flow: &Flow, loops: &[Peeled]) {
    let mut taken: FxHashMap<Value, Value> = FxHashMap::default();
    for peeled in loops {
        find(function, flow, peeled, &mut taken);
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
    let latches: Vec<Block> = flow
        .graph
        .pred_iter(peeled.header)
        .map(|way| way.block)
        .filter(|block| flow.dominators.block_dominates(peeled.header, *block))
        .collect();
    let stored = stored_parts(function, &peeled.blocks);
    for block in &peeled.blocks {
        // What is not executed in every round may not have been in the first one.
        let is_in_every_round = latches
            .iter()
            .all(|latch| flow.dominators.block_dominates(*block, *latch));
        if !is_in_every_round {
            continue;
        }
        for inst in function.layout.block_insts(*block) {
            let results = function.dfg.inst_results(inst);
            if !results.is_empty()
                && gives_the_same(function, inst, &stored)
                && let Some(first) = results
                    .iter()
                    .map(|result| peeled.first.get(result).copied())
                    .collect::<Option<Vec<Value>>>()
                && has_operands_of(function, inst, first[0], taken)
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

/// Whether an instruction of a loop has the operands that its copy in the peeled round
/// has, which made a value.  That the loop does not change them is not enough: what goes
/// round may be the same in all rounds but the first one.
fn has_operands_of(
    function: &Function,
    inst: Inst,
    copy: Value,
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
    let Some(copy) = dfg.value_def(copy).inst() else {
        return false;
    };
    let mut operands = dfg.inst_values(inst).zip(dfg.inst_values(copy));
    operands.all(|(value, first)| is_same(value, first))
}

/// The parts of memory that blocks store to.
fn stored_parts(function: &Function, blocks: &[Block]) -> FxHashSet<Option<AliasRegion>> {
    let mut stored = FxHashSet::default();
    for block in blocks {
        for inst in function.layout.block_insts(*block) {
            let data = &function.dfg.insts[inst];
            if data.opcode().can_store() {
                let flags = data.memflags();
                let part = flags.map(|flags| function.dfg.mem_flags[flags].alias_region());
                stored.insert(part.flatten());
            }
        }
    }
    stored
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
