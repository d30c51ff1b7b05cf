//! Operands that cold blocks compute back from results.
//!
//! A loop's sum or counter is one value before it is added to, and another one then.
//! What an overflow leads to wants the one before, so both are alive when that is asked,
//! each round needs a move, and mostly a jump that is only there for the move.  A cold
//! block can as well take away again what was added: that is right even if the addition
//! overflowed.  Then the addition can be done in place.

use super::phis::destinations;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    Block, BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef, types,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// A loop's variable, which a round adds to.
struct Carried {
    /// The addition or subtraction, and its result.
    operation: Inst,
    result: Value,
    other: Value,
    is_sum: bool,
}

/// Lets cold blocks compute loops' variables back.  The function was just optimised, so
/// its dominators and loops are known, and has no aliases.
pub(super) fn compute_back(context: &mut Context) {
    let dominators = &context.domtree;
    let loops = &context.loop_analysis;
    let function = &mut context.func;
    let mut carried: FxHashMap<Value, Carried> = FxHashMap::default();
    for looped in loops.loops() {
        let header = loops.loop_header(looped);
        if !function.layout.is_cold(header) {
            let latches = context.cfg.pred_iter(header).map(|way| way.block);
            let is_latch = |block: &Block| dominators.block_dominates(header, *block);
            for latch in latches.filter(is_latch) {
                find_carried(function, header, latch, &mut carried);
            }
        }
    }
    if carried.is_empty() {
        return;
    }
    let (uses, needed) = uses_behind(function, &carried, |one, other| {
        dominators.block_dominates(one, other)
    });
    for (block, mut variables) in uses {
        variables.retain(|variable| !needed.contains(variable));
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        let mut before: FxHashMap<Value, Value> = FxHashMap::default();
        let mut cursor = FuncCursor::new(function).at_first_insertion_point(block);
        for variable in variables {
            let found = &carried[&variable];
            let value = match found.is_sum {
                true => cursor.ins().isub(found.result, found.other),
                false => cursor.ins().iadd(found.result, found.other),
            };
            before.insert(variable, value);
        }
        for inst in insts {
            let now = |value: Value| before.get(&value).copied().unwrap_or(value);
            function.dfg.map_inst_values(inst, now);
        }
    }
    for (variable, carried) in carried {
        put_first(function, carried.operation, variable);
    }
}

/// Finds the header's parameters to which a round that ends with this latch adds.
fn find_carried(
    function: &Function,
    header: Block,
    latch: Block,
    carried: &mut FxHashMap<Value, Carried>,
) {
    let dfg = &function.dfg;
    let Some(branch) = function.layout.last_inst(latch) else {
        return;
    };
    for call in destinations(function, branch) {
        if call.block(&dfg.value_lists) != header {
            continue;
        }
        let params = dfg.block_params(header).iter();
        for (variable, arg) in params.zip(call.args(&dfg.value_lists)) {
            let BlockArg::Value(result) = arg else {
                continue;
            };
            let ValueDef::Result(operation, 0) = dfg.value_def(result) else {
                continue;
            };
            let InstructionData::Binary {
                opcode,
                args: [left, right],
            } = dfg.insts[operation]
            else {
                continue;
            };
            let is_sum = match opcode {
                Opcode::Iadd | Opcode::SaddOverflow => true,
                Opcode::Isub | Opcode::SsubOverflow => false,
                _ => continue,
            };
            let other = match (left == *variable, right == *variable) {
                (true, false) => right,
                (false, true) if is_sum => left,
                _ => continue,
            };
            if dfg.value_type(result) == types::I64 {
                let found = Carried {
                    operation,
                    result,
                    other,
                    is_sum,
                };
                carried.insert(*variable, found);
            }
        }
    }
}

/// The variables that cold blocks behind what is added to them use, by block, and those
/// that others need behind it.
fn uses_behind(
    function: &Function,
    carried: &FxHashMap<Value, Carried>,
    dominates: impl Fn(Block, Block) -> bool,
) -> (Vec<(Block, Vec<Value>)>, FxHashSet<Value>) {
    let mut uses = Vec::new();
    let mut needed: FxHashSet<Value> = FxHashSet::default();
    for block in function.layout.blocks() {
        let is_cold = function.layout.is_cold(block);
        let mut seen: FxHashSet<Inst> = FxHashSet::default();
        let mut here: Vec<Value> = Vec::new();
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                let Some(found) = carried.get(&value) else {
                    continue;
                };
                if found.operation == inst {
                    seen.insert(inst);
                    continue;
                }
                let home = function.layout.inst_block(found.operation);
                let is_behind = match home == Some(block) {
                    true => seen.contains(&found.operation),
                    false => home.is_some_and(|home| dominates(home, block)),
                };
                if is_behind && (!is_cold || home == Some(block)) {
                    needed.insert(value);
                } else if is_behind && !here.contains(&value) {
                    here.push(value);
                }
            }
        }
        if !here.is_empty() {
            uses.push((block, here));
        }
    }
    (uses, needed)
}

/// Lets a value be the first operand, which is the one that machine code overwrites.
fn put_first(function: &mut Function, operation: Inst, value: Value) {
    if let InstructionData::Binary {
        opcode: Opcode::Iadd | Opcode::SaddOverflow,
        args,
    } = &mut function.dfg.insts[operation]
        && args[1] == value
    {
        args.swap(0, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::condcodes::IntCC;
    use cranelift_codegen::ir::{AbiParam, UserFuncName};
    use cranelift_codegen::isa::CallConv;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    /// A loop that adds its parameter to a sum, and returns the sum from a cold block if
    /// that overflows; or else the sum before the last addition, if somebody asks for it.
    fn loop_with_sum(asks_for_it: bool) -> (Context, Block) {
        let mut context = Context::new();
        context.func.signature.call_conv = CallConv::Fast;
        context.func.signature.params = vec![AbiParam::new(types::I64)];
        context.func.signature.returns = vec![AbiParam::new(types::I64)];
        context.func.name = UserFuncName::user(0, 0);
        let mut shared = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut shared);
        let [entry, head, failed, latch, behind] = [0; 5].map(|_| builder.create_block());
        builder.append_block_params_for_function_params(entry);
        let added = builder.block_params(entry)[0];
        builder.switch_to_block(entry);
        let zero = builder.ins().iconst(types::I64, 0);
        builder.ins().jump(head, &[zero.into()]);
        let sum = builder.append_block_param(head, types::I64);
        builder.switch_to_block(head);
        let (next, overflows) = builder.ins().sadd_overflow(added, sum);
        builder.ins().brif(overflows, failed, &[], latch, &[]);
        builder.set_cold_block(failed);
        builder.switch_to_block(failed);
        builder.ins().return_(&[sum]);
        builder.switch_to_block(latch);
        let goes_on = builder.ins().icmp_imm_s(IntCC::SignedLessThan, next, 1000);
        builder
            .ins()
            .brif(goes_on, head, &[next.into()], behind, &[]);
        builder.switch_to_block(behind);
        builder
            .ins()
            .return_(&[if asks_for_it { sum } else { next }]);
        builder.seal_all_blocks();
        builder.finalize(cranelift_codegen::isa::TargetFrontendConfig {
            default_call_conv: CallConv::SystemV,
            pointer_width: target_lexicon::PointerWidth::U64,
            page_size_align_log2: 12,
        });
        context.compute_cfg();
        context.compute_domtree();
        context.compute_loop_analysis();
        compute_back(&mut context);
        (context, failed)
    }

    fn opcodes(context: &Context, block: Block) -> Vec<Opcode> {
        let insts = context.func.layout.block_insts(block);
        insts
            .map(|inst| context.func.dfg.insts[inst].opcode())
            .collect()
    }

    #[test]
    fn a_cold_block_takes_away_what_was_added() {
        let (context, failed) = loop_with_sum(false);
        assert_eq!(opcodes(&context, failed), [Opcode::Isub, Opcode::Return]);
    }

    #[test]
    fn what_is_needed_anyway_is_kept() {
        let (context, failed) = loop_with_sum(true);
        assert_eq!(opcodes(&context, failed), [Opcode::Return]);
    }
}
