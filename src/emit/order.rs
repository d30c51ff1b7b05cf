//! Loops in one piece: the order in which branches name their targets.
//!
//! Cranelift lays blocks out in the reverse of a postorder, in which the target
//! that a branch names first comes last.  Its register allocator takes what lies
//! between a loop's head and the last jump back to it for the loop, and weighs
//! uses by that.  So what leaves a loop is named first, and comes behind it:
//! whatever lay in between would be taken for a part of the loop, or of one
//! loop more the more loops come before it.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData, Value, ValueDef};
use cranelift_codegen::loop_analysis::LoopAnalysis;

/// Lets every branch name first what leaves more loops.  The function's
/// analyses are up to date, and will be.
pub(super) fn keep_loops_together(context: &mut Context) {
    let (function, loops) = (&mut context.func, &context.loop_analysis);
    let mut turned = false;
    let mut next = function.layout.entry_block();
    while let Some(block) = next {
        next = function.layout.next_block(block);
        if loops.innermost_loop(block).is_none() {
            continue;
        }
        let Some(branch) = function.layout.last_inst(block) else {
            continue;
        };
        let InstructionData::Brif {
            arg,
            blocks: [first, second],
            ..
        } = function.dfg.insts[branch]
        else {
            continue;
        };
        let pool = &function.dfg.value_lists;
        let stays = |target: Block| shared_loops(loops, block, target);
        if stays(first.block(pool)) > stays(second.block(pool)) {
            turned |= turn(function, branch, arg);
        }
    }
    if turned {
        context.compute_cfg();
        context.compute_domtree();
    }
}

/// How many of the loops around a block are around the other, too.
fn shared_loops(loops: &LoopAnalysis, block: Block, other: Block) -> usize {
    std::iter::successors(loops.innermost_loop(block), |inner| {
        loops.loop_parent(*inner)
    })
    .filter(|around| loops.is_in_loop(other, *around))
    .count()
}

/// Lets a branch name its targets the other way round, under the opposite of
/// its condition; false if that would cost something.
fn turn(function: &mut Function, branch: Inst, condition: Value) -> bool {
    let data = match function.dfg.value_def(condition) {
        ValueDef::Result(inst, 0) => Some(function.dfg.insts[inst]),
        // Whether something overflows, which a branch finds in the flags.
        ValueDef::Result(..) => return false,
        ValueDef::Param(..) | ValueDef::Union(..) => None,
    };
    let mut cursor = FuncCursor::new(function).at_inst(branch);
    cursor.use_srcloc(branch);
    let opposite = match data {
        Some(InstructionData::IntCompare { cond, args, .. }) => {
            cursor.ins().icmp(cond.complement(), args[0], args[1])
        }
        Some(InstructionData::FloatCompare { cond, args, .. }) => {
            cursor.ins().fcmp(cond.complement(), args[0], args[1])
        }
        _ => cursor.ins().icmp_imm_u(IntCC::Equal, condition, 0),
    };
    let InstructionData::Brif { arg, blocks, .. } = &mut function.dfg.insts[branch] else {
        unreachable!("only branches are turned");
    };
    *arg = opposite;
    blocks.swap(0, 1);
    true
}
