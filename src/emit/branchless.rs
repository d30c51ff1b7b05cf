//! Choices between values, without a branch.
//!
//! `if x < least { least = x }` decides between two values that are both there
//! already.  A branch costs nothing while the processor guesses right, and some
//! fifteen cycles otherwise; selecting one of the values always costs one or
//! two.  So where both arms of a branch do next to nothing and meet again, what
//! they do is done in any case, and their results are selected.
//!
//! What an address is made of is another matter, if memory decides about it: the
//! steps of a binary search would each wait for the load of the one before,
//! while a processor that guesses half of them right loads ahead.
//!
//! Nor is the largest or smallest int that a loop has seen selected: each round would wait
//! for the one before, although there is a new one ever more rarely.
//!
//! Of floats, the smaller or larger of two is selected, which is one instruction.
//!
//! An arm may check an overflow: what was computed in vain must not raise, so
//! the check then asks for the branch's condition as well.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::instructions::BlockArg;
use cranelift_codegen::ir::{
    Block, BlockCall, Function, Inst, InstBuilder, InstructionData, Opcode, Value, types,
};
use cranelift_codegen::traversals::Dfs;
use rustc_hash::{FxHashMap, FxHashSet};

/// Instructions that are done in vain at most.
const MOST_INSTRUCTIONS: usize = 4;
/// Values that one branch decides about at most.
const MOST_VALUES: usize = 2;

/// Replaces branches that only choose.
pub(super) fn select_values(function: &mut Function) {
    let graph = ControlFlowGraph::with_function(function);
    let mut ways_in: FxHashMap<Block, usize> = function
        .layout
        .blocks()
        .map(|block| (block, graph.pred_iter(block).count()))
        .collect();
    // Most functions have no such branch.
    let mut looked_up: Option<(Sources, FxHashSet<Value>)> = None;
    // Inner choices first: they may leave an arm of an outer one.
    let order: Vec<Block> = Dfs::new().post_order_iter(function).collect();
    for block in order {
        if function.layout.is_cold(block) {
            continue;
        }
        let Some(choice) = choice(function, &ways_in, block) else {
            continue;
        };
        let (sources, addresses) = looked_up.get_or_insert_with(|| {
            let sources = Sources::of(function);
            let addresses = addresses(function, &sources);
            (sources, addresses)
        });
        let makes_address = sources.is_from_memory(function, choice.condition)
            && choice
                .decided(function)
                .any(|value| addresses.contains(&value));
        if !makes_address && !keeps_extreme(function, sources, &choice) {
            replace(function, &mut ways_in, block, &choice);
        }
    }
}

/// One way from a branch to where both ways meet.
struct Arm {
    /// Its blocks; none if the branch itself leads there.
    blocks: Vec<Block>,
    /// What it does.
    insts: Vec<Inst>,
    /// Of these, how many come before the check, and the check: its condition
    /// and where it leads if that holds.
    check: Option<(usize, Value, BlockCall)>,
    /// Where it leads, and with what.
    end: BlockCall,
}

/// A branch that only chooses.
struct Choice {
    branch: Inst,
    condition: Value,
    arms: [Arm; 2],
    meeting: Block,
}

impl Choice {
    /// The parameters of the meeting point that the branch decides about.
    fn decided<'a>(&'a self, function: &'a Function) -> impl Iterator<Item = Value> + 'a {
        let [one, other] = &self.arms;
        let pool = &function.dfg.value_lists;
        let pairs = one.end.args(pool).zip(other.end.args(pool));
        let params = function.dfg.block_params(self.meeting);
        let decided = pairs.zip(params).filter(|((one, other), _)| one != other);
        decided.map(|(_, param)| *param)
    }
}

/// What the parameters of blocks can be.
struct Sources(FxHashMap<Value, Vec<Value>>);

impl Sources {
    fn of(function: &Function) -> Sources {
        let dfg = &function.dfg;
        let mut sources: FxHashMap<Value, Vec<Value>> = FxHashMap::default();
        for block in function.layout.blocks() {
            let Some(last) = function.layout.last_inst(block) else {
                continue;
            };
            let calls = dfg.insts[last].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
            for call in calls {
                let params = dfg.block_params(call.block(&dfg.value_lists));
                for (param, arg) in params.iter().zip(call.args(&dfg.value_lists)) {
                    if let Some(value) = arg.as_value() {
                        sources.entry(*param).or_default().push(value);
                    }
                }
            }
        }
        Sources(sources)
    }

    /// Whether a condition compares what was just loaded.
    fn is_from_memory(&self, function: &Function, condition: Value) -> bool {
        let dfg = &function.dfg;
        let is_loaded = |value: &Value| {
            let inst = dfg.value_def(*value).inst();
            inst.is_some_and(|inst| dfg.insts[inst].opcode().can_load())
        };
        let Some(inst) = dfg.value_def(condition).inst() else {
            return false;
        };
        dfg.inst_args(inst).iter().any(|value| {
            is_loaded(value)
                || self
                    .0
                    .get(value)
                    .is_some_and(|sources| sources.iter().any(is_loaded))
        })
    }
}

/// Whether a choice keeps the larger or smaller of a value and what was kept in the
/// round before.
fn keeps_extreme(function: &Function, sources: &Sources, choice: &Choice) -> bool {
    let dfg = &function.dfg;
    let inst = dfg.value_def(choice.condition).inst();
    let Some(InstructionData::IntCompare { args, .. }) = inst.map(|inst| dfg.insts[inst]) else {
        return false;
    };
    let [one, other] = &choice.arms;
    let pool = &dfg.value_lists;
    let pairs = one.end.args(pool).zip(other.end.args(pool));
    let params = dfg.block_params(choice.meeting);
    pairs.zip(params).any(|((one, other), param)| {
        let (Some(one), Some(other)) = (one.as_value(), other.as_value()) else {
            return false;
        };
        let is_compared = args == [one, other] || args == [other, one];
        let is_kept = |value: Value| {
            let from = sources.0.get(&value);
            from.is_some_and(|from| from.contains(param))
        };
        is_compared && (is_kept(one) || is_kept(other))
    })
}

/// The values that addresses of loads are computed from.
fn addresses(function: &Function, sources: &Sources) -> FxHashSet<Value> {
    let dfg = &function.dfg;
    let mut found = FxHashSet::default();
    let mut rest: Vec<Value> = Vec::new();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            if dfg.insts[inst].opcode().can_load() {
                rest.extend(dfg.inst_args(inst).first());
            }
        }
    }
    while let Some(value) = rest.pop() {
        if !found.insert(value) {
            continue;
        }
        match dfg.value_def(value).inst() {
            Some(inst) if !dfg.insts[inst].opcode().can_load() => {
                rest.extend(dfg.inst_args(inst));
            }
            Some(_) => {}
            None => rest.extend(sources.0.get(&value).into_iter().flatten()),
        }
    }
    found
}

fn choice(function: &Function, ways_in: &FxHashMap<Block, usize>, block: Block) -> Option<Choice> {
    let branch = function.layout.last_inst(block)?;
    let InstructionData::Brif { arg, blocks, .. } = function.dfg.insts[branch] else {
        return None;
    };
    let pool = &function.dfg.value_lists;
    if blocks[0].block(pool) == blocks[1].block(pool) {
        // Its values are to be computed here, and not anew wherever they are used.
        return None;
    }
    let [first, second] = blocks.map(|call| arm(function, ways_in, call));
    let (mut first, mut second) = (first?, second?);
    // Where the branch itself leads to the meeting point, the arm that was
    // followed beyond it was followed too far.
    let ends = |arm: &Arm| arm.end.block(pool);
    if ends(&first) != ends(&second) {
        if blocks[0].block(pool) == ends(&second) {
            first = Arm::direct(blocks[0]);
        } else if blocks[1].block(pool) == ends(&first) {
            second = Arm::direct(blocks[1]);
        } else {
            return None;
        }
    }
    let meeting = ends(&first);
    let is_cheap = first.insts.len() + second.insts.len() <= MOST_INSTRUCTIONS;
    let checks = first.check.iter().count() + second.check.iter().count();
    if !is_cheap || checks > 1 || meeting == block {
        return None;
    }
    let mut decided = 0;
    for (one, other) in first.end.args(pool).zip(second.end.args(pool)) {
        let (one, other) = (one.as_value()?, other.as_value()?);
        if one == other {
            continue;
        }
        decided += 1;
        let is_int = function.dfg.value_type(one).is_int();
        if !is_int && smaller(function, arg, one, other).is_none() {
            return None;
        }
    }
    (decided <= MOST_VALUES).then_some(Choice {
        branch,
        condition: arg,
        arms: [first, second],
        meeting,
    })
}

/// The operands of "less" that are asked whether the one float or the other is
/// smaller, or larger: processors have an instruction for that.
fn smaller(
    function: &Function,
    condition: Value,
    one: Value,
    other: Value,
) -> Option<(Value, Value)> {
    let inst = function.dfg.value_def(condition).inst()?;
    let InstructionData::FloatCompare { cond, args, .. } = function.dfg.insts[inst] else {
        return None;
    };
    let [left, right] = args;
    let is_about_both = (left, right) == (one, other) || (left, right) == (other, one);
    match cond {
        FloatCC::LessThan if is_about_both => Some((left, right)),
        FloatCC::GreaterThan if is_about_both => Some((right, left)),
        _ => None,
    }
}

impl Arm {
    fn direct(end: BlockCall) -> Arm {
        Arm {
            blocks: Vec::new(),
            insts: Vec::new(),
            check: None,
            end,
        }
    }
}

/// Follows a way as far as it does nothing that must not be done in vain.
fn arm(function: &Function, ways_in: &FxHashMap<Block, usize>, start: BlockCall) -> Option<Arm> {
    let dfg = &function.dfg;
    let pool = &dfg.value_lists;
    let mut arm = Arm::direct(start);
    loop {
        let block = arm.end.block(pool);
        let is_own = ways_in.get(&block) == Some(&1)
            && dfg.block_params(block).is_empty()
            && !function.layout.is_cold(block);
        if !is_own {
            return Some(arm);
        }
        let last = function.layout.last_inst(block)?;
        let before = arm.insts.len();
        for inst in function.layout.block_insts(block) {
            if inst != last && !is_harmless(function, inst) {
                arm.insts.truncate(before);
                return Some(arm);
            }
            if inst != last {
                arm.insts.push(inst);
            }
        }
        match dfg.insts[last] {
            InstructionData::Jump { destination, .. } => arm.end = destination,
            InstructionData::Brif {
                arg: condition,
                blocks: [failed, succeeded],
                ..
            } if arm.check.is_none()
                && function.layout.is_cold(failed.block(pool))
                && failed.block(pool) != succeeded.block(pool)
                && is_zero_or_one(function, condition) =>
            {
                arm.check = Some((arm.insts.len(), condition, failed));
                arm.end = succeeded;
            }
            _ => {
                arm.insts.truncate(before);
                return Some(arm);
            }
        }
        arm.blocks.push(block);
    }
}

/// Whether a condition is surely 0 or 1, so that it can be joined with another.
fn is_zero_or_one(function: &Function, condition: Value) -> bool {
    let Some(inst) = function.dfg.value_def(condition).inst() else {
        return false;
    };
    match function.dfg.insts[inst].opcode() {
        Opcode::Icmp | Opcode::Fcmp => true,
        Opcode::SaddOverflow | Opcode::SsubOverflow | Opcode::SmulOverflow => {
            function.dfg.value_type(condition) == types::I8
        }
        _ => false,
    }
}

/// Whether an instruction is cheap, has no effect and cannot fail.
fn is_harmless(function: &Function, inst: Inst) -> bool {
    let opcode = function.dfg.insts[inst].opcode();
    let is_int = |value: &Value| function.dfg.value_type(*value).is_int();
    matches!(
        opcode,
        Opcode::Iconst
            | Opcode::Iadd
            | Opcode::Isub
            | Opcode::Ineg
            | Opcode::Band
            | Opcode::Bor
            | Opcode::Bxor
            | Opcode::Icmp
            | Opcode::Select
            | Opcode::Uextend
            | Opcode::Sextend
            | Opcode::Ireduce
            | Opcode::SaddOverflow
            | Opcode::SsubOverflow
    ) && function.dfg.inst_results(inst).iter().all(is_int)
}

fn replace(
    function: &mut Function,
    ways_in: &mut FxHashMap<Block, usize>,
    block: Block,
    choice: &Choice,
) {
    function.layout.remove_inst(choice.branch);
    let mut end_of_block = block;
    for (arm, is_taken_if) in choice.arms.iter().zip([true, false]) {
        for position in 0..=arm.insts.len() {
            if let Some((before, condition, failed)) = arm.check
                && before == position
            {
                end_of_block = check(
                    function,
                    end_of_block,
                    choice,
                    is_taken_if,
                    condition,
                    failed,
                );
            }
            if let Some(inst) = arm.insts.get(position) {
                function.layout.remove_inst(*inst);
                function.layout.append_inst(*inst, end_of_block);
            }
        }
    }
    if end_of_block != block {
        ways_in.insert(end_of_block, 2);
    }
    for gone in choice.arms.iter().flat_map(|arm| &arm.blocks) {
        while let Some(inst) = function.layout.first_inst(*gone) {
            function.layout.remove_inst(inst);
        }
        function.layout.remove_block(*gone);
    }
    let pool = &function.dfg.value_lists;
    let [one, other] =
        [&choice.arms[0], &choice.arms[1]].map(|arm| arm.end.args(pool).collect::<Vec<BlockArg>>());
    let mut cursor = FuncCursor::new(function).at_bottom(end_of_block);
    let args: Vec<BlockArg> = one
        .into_iter()
        .zip(other)
        .map(|pair| match pair {
            (BlockArg::Value(one), BlockArg::Value(other)) if one != other => {
                let condition = match smaller(cursor.func, choice.condition, one, other) {
                    Some((left, right)) => cursor.ins().fcmp(FloatCC::LessThan, left, right),
                    None => choice.condition,
                };
                BlockArg::Value(cursor.ins().select(condition, one, other))
            }
            (same, _) => same,
        })
        .collect();
    cursor.ins().jump(choice.meeting, &args);
    *ways_in.entry(choice.meeting).or_default() -= 1;
}

/// Ends a block with an arm's check, which only counts if the arm is taken;
/// gives the block behind it.
fn check(
    function: &mut Function,
    block: Block,
    choice: &Choice,
    is_taken_if: bool,
    condition: Value,
    failed: BlockCall,
) -> Block {
    let (next, ask) = (function.dfg.make_block(), function.dfg.make_block());
    function.layout.insert_block_after(next, block);
    function.layout.insert_block_after(ask, next);
    function.layout.set_cold(ask);
    let args: Vec<BlockArg> = failed.args(&function.dfg.value_lists).collect();
    let failed = failed.block(&function.dfg.value_lists);
    let mut cursor = FuncCursor::new(function).at_bottom(block);
    cursor.ins().brif(condition, ask, &[], next, &[]);
    // What fails hardly ever is asked first, and then whether it matters.
    let mut cursor = FuncCursor::new(function).at_bottom(ask);
    if is_taken_if {
        cursor
            .ins()
            .brif(choice.condition, failed, &args, next, &[]);
    } else {
        cursor
            .ins()
            .brif(choice.condition, next, &[], failed, &args);
    }
    next
}
