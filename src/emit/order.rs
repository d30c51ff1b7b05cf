//! Loops in one piece: the order in which branches name their targets.
//!
//! Cranelift lays blocks out in the reverse of a postorder, in which the target
//! that a branch names first comes last.  Its register allocator takes what lies
//! between a loop's head and the last jump back to it for the loop, and weighs
//! uses by that.  So what leaves a loop is named first, and comes behind it:
//! whatever lay in between would be taken for a part of the loop, or of one
//! loop more the more loops come before it.

use super::parked::loops_around;
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
    let around = loops_around(loops, block);
    let shared = around
        .iter()
        .filter(|inner| loops.is_in_loop(other, **inner));
    shared.count()
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

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::types;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    /// A loop whose head names its body first, and what follows it second.
    fn loop_with_code_behind() -> (Context, [Block; 3]) {
        let mut context = Context::new();
        let mut shared = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut shared);
        let [entry, head, body, behind] = [0; 4].map(|_| builder.create_block());
        builder.switch_to_block(entry);
        let zero = builder.ins().iconst(types::I64, 0);
        builder.ins().jump(head, &[zero.into()]);
        let counter = builder.append_block_param(head, types::I64);
        builder.switch_to_block(head);
        let goes_on = builder.ins().icmp_imm_s(IntCC::SignedLessThan, counter, 10);
        builder.ins().brif(goes_on, body, &[], behind, &[]);
        builder.switch_to_block(body);
        let next = builder.ins().iadd_imm_s(counter, 1);
        builder.ins().jump(head, &[next.into()]);
        builder.switch_to_block(behind);
        builder.ins().return_(&[]);
        builder.seal_all_blocks();
        builder.finalize(cranelift_codegen::isa::TargetFrontendConfig {
            default_call_conv: cranelift_codegen::isa::CallConv::SystemV,
            pointer_width: target_lexicon::PointerWidth::U64,
            page_size_align_log2: 12,
        });
        (context, [head, body, behind])
    }

    #[test]
    fn what_follows_a_loop_lies_behind_it() {
        let (mut context, [head, body, behind]) = loop_with_code_behind();
        context.compute_cfg();
        context.compute_domtree();
        context.compute_loop_analysis();
        let place = |context: &Context, block| {
            let mut order = context.domtree.cfg_rpo();
            order.position(|other| *other == block)
        };
        assert!(place(&context, body) > place(&context, behind));
        keep_loops_together(&mut context);
        assert!(place(&context, head) < place(&context, body));
        assert!(place(&context, body) < place(&context, behind));
        let branch = context.func.layout.last_inst(head).expect("it branches");
        let InstructionData::Brif { arg, .. } = context.func.dfg.insts[branch] else {
            panic!("no branch");
        };
        let ValueDef::Result(condition, 0) = context.func.dfg.value_def(arg) else {
            panic!("no condition");
        };
        let condition = context.func.dfg.insts[condition].cond_code();
        assert_eq!(condition, Some(IntCC::SignedGreaterThanOrEqual));
    }
}
