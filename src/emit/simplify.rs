//! What inlining leaves behind, and Cranelift does not see.
//!
//! An inlined callee gives its status to the block behind the call, which looks
//! whether it is the mark of an error.  Where the callee raised one, that is
//! known: such a jump goes on to where it would be sent.  Then, mostly, the
//! other jumps are known not to have failed, and nobody needs to look.
//!
//! An operation that tells of overflow has two results, so Cranelift neither
//! notices that it was done before nor that it succeeded then.

use super::phis::remove_redundant_params;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::instructions::BlockArg;
use cranelift_codegen::ir::{
    Block, BlockCall, Function, Inst, InstBuilder, InstructionData, Opcode, Value, types,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// Simplifies a function, before Cranelift's own optimiser does; gives how control
/// flows in it then.  It has no aliases any more.
pub(super) fn simplify(context: &mut Context) -> Flow {
    context.func.dfg.resolve_all_aliases();
    remove_redundant_params(&mut context.func);
    let flow = Flow::of(&context.func);
    let flow = match thread_known_jumps(&mut context.func, &flow) {
        true => {
            remove_redundant_params(&mut context.func);
            Flow::of(&context.func)
        }
        false => flow,
    };
    share_checked_operations(&mut context.func, &flow);
    flow
}

/// How control flows in a function.
pub(super) struct Flow {
    pub graph: ControlFlowGraph,
    pub dominators: DominatorTree,
}

impl Flow {
    pub fn of(function: &Function) -> Flow {
        let graph = ControlFlowGraph::with_function(function);
        let dominators = DominatorTree::with_function(function, &graph);
        Flow { graph, dominators }
    }

    fn has_one_way_in(&self, block: Block) -> bool {
        self.graph.pred_iter(block).count() == 1
    }
}

/// A block that does nothing but look at one of its parameters.
struct Switch {
    block: Block,
    /// The parameter's position.
    param: usize,
    /// What the parameter is compared with.
    constant: i64,
    /// Where control goes if they are equal, and if not.
    targets: [BlockCall; 2],
}

/// Lets jumps of which it is known where they will be sent go there; false if there are
/// none.
fn thread_known_jumps(function: &mut Function, flow: &Flow) -> bool {
    let switches: Vec<Switch> = function
        .layout
        .blocks()
        .filter_map(|block| switch(function, block))
        .collect();
    if switches.is_empty() {
        return false;
    }
    let users = users_elsewhere(function, &switches);
    let mut has_changed = false;
    for switch in switches {
        let used_in = users.get(&switch.block).map_or(&[][..], Vec::as_slice);
        for (target, other) in [(0, 1), (1, 0)] {
            let rest = switch.targets[other].block(&function.dfg.value_lists);
            // What the block defines must still have been computed wherever it
            // is used: behind the other way only, which leads through the block.
            let stays_defined = flow.has_one_way_in(rest)
                && used_in
                    .iter()
                    .all(|user| flow.dominators.block_dominates(rest, *user));
            if stays_defined || used_in.is_empty() {
                has_changed |= thread(function, flow, &switch, target);
            }
        }
    }
    has_changed
}

/// What a block is if it is a switch.
fn switch(function: &Function, block: Block) -> Option<Switch> {
    let last = function.layout.last_inst(block)?;
    let InstructionData::Brif {
        arg: condition,
        blocks: targets,
        ..
    } = function.dfg.insts[last]
    else {
        return None;
    };
    let pool = &function.dfg.value_lists;
    if targets[0].block(pool) == targets[1].block(pool) {
        return None;
    }
    let is_idle = |inst: Inst| {
        matches!(
            function.dfg.insts[inst].opcode(),
            Opcode::Iconst | Opcode::Icmp
        ) || inst == last
    };
    if !function.layout.block_insts(block).all(is_idle) {
        return None;
    }
    let compare = function.dfg.value_def(condition).inst()?;
    let InstructionData::IntCompare {
        cond: IntCC::Equal,
        args: [left, right],
        ..
    } = function.dfg.insts[compare]
    else {
        return None;
    };
    let mut params = function.dfg.block_params(block).iter();
    Some(Switch {
        block,
        param: params.position(|param| *param == left)?,
        constant: constant(function, right)?,
        targets,
    })
}

fn constant(function: &Function, value: Value) -> Option<i64> {
    match function.dfg.insts[function.dfg.value_def(value).inst()?] {
        InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => Some(imm.bits()),
        _ => None,
    }
}

/// For each switch, the other blocks that use what is defined in it.
fn users_elsewhere(function: &Function, switches: &[Switch]) -> FxHashMap<Block, Vec<Block>> {
    let mut defined_in: FxHashMap<Value, Block> = FxHashMap::default();
    for switch in switches {
        let params = function.dfg.block_params(switch.block).iter();
        let results = function
            .layout
            .block_insts(switch.block)
            .flat_map(|inst| function.dfg.inst_results(inst));
        defined_in.extend(params.chain(results).map(|value| (*value, switch.block)));
    }
    let mut users: FxHashMap<Block, Vec<Block>> = FxHashMap::default();
    for block in function.layout.blocks() {
        let mut seen: FxHashSet<Block> = FxHashSet::default();
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                if let Some(definer) = defined_in.get(&value)
                    && *definer != block
                    && seen.insert(*definer)
                {
                    users.entry(*definer).or_default().push(block);
                }
            }
        }
    }
    users
}

/// Sends the jumps to a switch of which it is known that they would take one
/// of its ways there at once; false if there are none.
fn thread(function: &mut Function, flow: &Flow, switch: &Switch, target: usize) -> bool {
    let mut has_changed = false;
    let onward = switch.targets[target];
    let jumps: Vec<Inst> = flow
        .graph
        .pred_iter(switch.block)
        .map(|before| before.inst)
        .collect();
    for jump in jumps {
        let mut data = function.dfg.insts[jump];
        let destinations: &mut [BlockCall] = match &mut data {
            InstructionData::Jump { destination, .. } => core::slice::from_mut(destination),
            InstructionData::Brif { blocks, .. } => blocks,
            _ => continue,
        };
        for destination in destinations {
            let pool = &function.dfg.value_lists;
            if destination.block(pool) != switch.block {
                continue;
            }
            let given: Vec<BlockArg> = destination.args(pool).collect();
            let Some(known) = given[switch.param]
                .as_value()
                .and_then(|value| constant(function, value))
            else {
                continue;
            };
            let is_way = (known == switch.constant) == (target == 0);
            if is_way && let Some(passed) = passed_on(function, switch, onward, &given) {
                let block = onward.block(&function.dfg.value_lists);
                *destination = BlockCall::new(block, passed, &mut function.dfg.value_lists);
                has_changed = true;
            }
        }
        function.dfg.insts[jump] = data;
    }
    has_changed
}

/// What a switch passes on to one of its targets, given what it is passed.
fn passed_on(
    function: &Function,
    switch: &Switch,
    onward: BlockCall,
    given: &[BlockArg],
) -> Option<Vec<BlockArg>> {
    let params = function.dfg.block_params(switch.block);
    let passed = |arg: BlockArg| {
        let value = arg.as_value()?;
        if let Some(position) = params.iter().position(|param| *param == value) {
            return Some(given[position]);
        }
        let definer = function.dfg.value_def(value).inst();
        let is_own =
            definer.is_some_and(|inst| function.layout.inst_block(inst) == Some(switch.block));
        (!is_own).then_some(arg)
    };
    onward.args(&function.dfg.value_lists).map(passed).collect()
}

/// Operations of the same kind on the same operands that were looked at.
const MOST_ALIKE: usize = 8;

fn share_checked_operations(function: &mut Function, flow: &Flow) {
    let mut has_changed = false;
    let mut known: FxHashMap<(Opcode, Value, Value), Vec<Inst>> = FxHashMap::default();
    let blocks: Vec<Block> = flow.dominators.cfg_rpo().copied().collect();
    for block in blocks {
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        for inst in insts {
            let Some(key) = checked_operation(function, inst) else {
                continue;
            };
            let alike = known.entry(key).or_default();
            let before = alike
                .iter()
                .copied()
                .find(|earlier| flow.dominators.dominates(*earlier, inst, &function.layout));
            match before {
                Some(earlier) => {
                    reuse(function, flow, earlier, inst);
                    has_changed = true;
                }
                None if alike.len() < MOST_ALIKE => alike.push(inst),
                None => {}
            }
        }
    }
    if has_changed {
        function.dfg.resolve_all_aliases();
    }
}

/// An operation that tells of overflow, with its operands in an order of
/// their own if that makes no difference.
fn checked_operation(function: &Function, inst: Inst) -> Option<(Opcode, Value, Value)> {
    let InstructionData::Binary { opcode, args } = function.dfg.insts[inst] else {
        return None;
    };
    let [left, right] = args.map(|value| function.dfg.resolve_aliases(value));
    match opcode {
        Opcode::SaddOverflow | Opcode::SmulOverflow => {
            Some((opcode, left.min(right), left.max(right)))
        }
        Opcode::SsubOverflow => Some((opcode, left, right)),
        _ => None,
    }
}

/// Lets the results of an operation that was done before stand for its own.
fn reuse(function: &mut Function, flow: &Flow, earlier: Inst, inst: Inst) {
    let [known_result, known_overflow] = *function.dfg.inst_results(earlier) else {
        return;
    };
    let [result, overflow] = *function.dfg.inst_results(inst) else {
        return;
    };
    let succeeded = succeeded_before(function, flow, earlier, inst);
    let mut cursor = FuncCursor::new(function).at_inst(inst);
    let overflowed = if succeeded {
        cursor.ins().iconst(types::I8, 0)
    } else {
        known_overflow
    };
    cursor.remove_inst();
    function.dfg.clear_results(inst);
    function.dfg.change_to_alias(result, known_result);
    function.dfg.change_to_alias(overflow, overflowed);
}

/// Whether control only gets to `inst` if `earlier` did not overflow.
fn succeeded_before(function: &Function, flow: &Flow, earlier: Inst, inst: Inst) -> bool {
    let (Some(block), Some(own_block)) = (
        function.layout.inst_block(earlier),
        function.layout.inst_block(inst),
    ) else {
        return false;
    };
    let Some(InstructionData::Brif { arg, blocks, .. }) = function
        .layout
        .last_inst(block)
        .map(|last| function.dfg.insts[last])
    else {
        return false;
    };
    let [_, overflow] = *function.dfg.inst_results(earlier) else {
        return false;
    };
    let [failed, succeeded] = blocks.map(|call| call.block(&function.dfg.value_lists));
    function.dfg.resolve_aliases(arg) == overflow
        && failed != succeeded
        && flow.has_one_way_in(succeeded)
        && flow.dominators.block_dominates(succeeded, own_block)
}
