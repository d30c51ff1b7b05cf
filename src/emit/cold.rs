//! What rarely runs must not cost anything where the work is done.
//!
//! Slow paths call helpers, and a call changes most registers.  The values of a
//! loop around it would have to live in memory, although the call never happens.
//! So helpers that are called from cold blocks are called through a stub that
//! changes no register.  It takes what the helper takes, and gives its results,
//! in the context: an argument in a register would be one more place where a
//! loop's values have to be for the sake of what never happens.
//!
//! Addresses that only cold blocks use are computed there: hoisted out of a
//! loop, each would occupy a register all through it.

use crate::codegen::names::Callee;
use crate::codegen::signature;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{
    self, AbiParam, Block, ExtFuncData, ExternalName, FuncRef, Inst, InstBuilder, MemFlagsData,
    Opcode, Signature, Value, ValueDef, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use ruff_runtime::abi::Helper;
use ruff_runtime::context::{COLD_WORDS, COLD_WORDS_OFFSET};
use rustc_hash::FxHashMap;
use target_lexicon::Architecture;

/// Where an argument or a result is in the context, in bytes.
fn word(index: usize) -> i32 {
    assert!(index < COLD_WORDS, "a helper with more arguments");
    (COLD_WORDS_OFFSET + 8 * index) as i32
}

/// What a stub takes: the context.
fn stub_signature() -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    signature.params.push(AbiParam::new(types::I64));
    signature
}

/// The stub of a helper.
pub(super) fn stub(isa: &dyn TargetIsa, helper: Helper) -> ir::Function {
    let name = ir::UserFuncName::User(Callee::Cold(helper).external_name());
    let mut result = ir::Function::with_name_signature(name, stub_signature());
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let ctx = builder.block_params(entry)[0];
    let signature = signature::helper(isa, helper);
    let params: Vec<Value> = (0..)
        .zip(&signature.params)
        .map(|(index, param)| {
            let flags = MemFlagsData::trusted();
            builder
                .ins()
                .load(param.value_type, flags, ctx, word(index))
        })
        .collect();
    let signature = builder.import_signature(signature);
    let name = builder
        .func
        .declare_imported_user_function(Callee::Helper(helper).external_name());
    let callee = builder.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: false,
        patchable: false,
    });
    let call = builder.ins().call(callee, &params);
    let results: Vec<Value> = builder.inst_results(call).to_vec();
    for (index, result) in (0..).zip(results) {
        let flags = MemFlagsData::trusted();
        builder.ins().store(flags, result, ctx, word(index));
    }
    builder.ins().return_(&[]);
    builder.finalize(isa.frontend_config());
    result
}

/// Whether stubs run on every processor of the target: on RISC-V, Cranelift saves
/// vector registers in them, which few have.
pub(super) fn has_stubs(isa: &dyn TargetIsa) -> bool {
    !matches!(isa.triple().architecture, Architecture::Riscv64(_))
}

/// Lets helpers be called through their stubs where that is rare.  `context`
/// holds a function whose first parameter is the context.
pub(super) fn use_stubs(context: &mut Context) {
    context.compute_cfg();
    spread_coldness(&mut context.func, &context.cfg);
    let function = &mut context.func;
    let Some(entry) = function.layout.entry_block() else {
        return;
    };
    let ctx = function.dfg.block_params(entry)[0];
    let mut stubs: FxHashMap<FuncRef, FuncRef> = FxHashMap::default();
    for (inst, callee) in cold_calls(function) {
        let Some(helper) = helper_of(function, callee) else {
            continue;
        };
        let stub = *stubs
            .entry(callee)
            .or_insert_with(|| import_stub(function, helper));
        call_stub(function, inst, stub, ctx);
    }
}

/// A block is cold if every way to it is.
pub(super) fn spread_coldness(function: &mut ir::Function, cfg: &ControlFlowGraph) {
    let layout = &mut function.layout;
    let mut waiting: Vec<Block> = layout
        .blocks()
        .filter(|block| layout.is_cold(*block))
        .collect();
    while let Some(cold) = waiting.pop() {
        for block in cfg.succ_iter(cold) {
            if !layout.is_cold(block)
                && cfg
                    .pred_iter(block)
                    .all(|before| layout.is_cold(before.block))
            {
                layout.set_cold(block);
                waiting.push(block);
            }
        }
    }
}

fn cold_calls(function: &ir::Function) -> Vec<(Inst, FuncRef)> {
    let mut calls = Vec::new();
    for block in function.layout.blocks() {
        if !function.layout.is_cold(block) {
            continue;
        }
        for inst in function.layout.block_insts(block) {
            if let ir::InstructionData::Call { func_ref, .. } = function.dfg.insts[inst] {
                calls.push((inst, func_ref));
            }
        }
    }
    calls
}

fn helper_of(function: &ir::Function, callee: FuncRef) -> Option<Helper> {
    let ExternalName::User(name) = function.dfg.ext_funcs[callee].name else {
        return None;
    };
    match Callee::from_external_name(&function.params.user_named_funcs()[name]) {
        Callee::Helper(helper) => Some(helper),
        Callee::Direct(_)
        | Callee::Apart(_)
        | Callee::Generic(_)
        | Callee::Cold(_)
        | Callee::Foreign(_)
        | Callee::Numbers => None,
    }
}

fn import_stub(function: &mut ir::Function, helper: Helper) -> FuncRef {
    let signature = function.import_signature(stub_signature());
    let name = function.declare_imported_user_function(Callee::Cold(helper).external_name());
    function.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    })
}

/// Replaces a call by one of a stub.
fn call_stub(function: &mut ir::Function, inst: Inst, stub: FuncRef, ctx: Value) {
    let args: Vec<Value> = function.dfg.inst_args(inst).to_vec();
    let results: Vec<Value> = function.dfg.inst_results(inst).to_vec();
    let mut cursor = FuncCursor::new(function).at_inst(inst);
    cursor.use_srcloc(inst);
    let flags = MemFlagsData::trusted();
    for (index, arg) in (0..).zip(args) {
        cursor.ins().store(flags, arg, ctx, word(index));
    }
    cursor.ins().call(stub, &[ctx]);
    let mut loaded = Vec::new();
    for (index, result) in (0..).zip(&results) {
        let ty = cursor.func.dfg.value_type(*result);
        loaded.push(cursor.ins().load(ty, flags, ctx, word(index)));
    }
    cursor.remove_inst();
    function.dfg.clear_results(inst);
    for (result, loaded) in results.into_iter().zip(loaded) {
        function.dfg.change_to_alias(result, loaded);
    }
}

/// Moves addresses that only cold blocks use into them.  The function has no
/// aliases.
pub(super) fn sink(function: &mut ir::Function) {
    let blocks: Vec<Block> = function.layout.blocks().collect();
    let mut addresses: Vec<(Inst, Value)> = Vec::new();
    let mut users: FxHashMap<Value, Vec<Inst>> = FxHashMap::default();
    for block in blocks
        .iter()
        .filter(|block| !function.layout.is_cold(**block))
    {
        for inst in function.layout.block_insts(*block) {
            if function.dfg.insts[inst].opcode() == Opcode::StackAddr {
                let result = function.dfg.first_result(inst);
                addresses.push((inst, result));
                users.insert(result, Vec::new());
            }
        }
    }
    if addresses.is_empty() {
        return;
    }
    for block in blocks {
        let is_cold = function.layout.is_cold(block);
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                if is_cold {
                    if let Some(users) = users.get_mut(&value) {
                        users.push(inst);
                    }
                } else {
                    users.remove(&value);
                }
            }
        }
    }
    for (inst, result) in addresses {
        if let Some(users) = users.get(&result).filter(|users| !users.is_empty()) {
            sink_one(function, inst, result, users);
        }
    }
}

/// Takes sums of counters and constants from the blocks around where cold blocks would compute
/// them once more, as Cranelift's optimiser makes them do: they would keep the loop
/// around from using the register of what the sum is made of.  The function was just
/// optimised, so its dominators and loops are known, and has no aliases.
pub(super) fn share_sums(context: &mut Context) {
    let (function, dominators) = (&mut context.func, &context.domtree);
    let loops = &context.loop_analysis;
    if loops.loops().next().is_none() {
        return;
    }
    let mut known: FxHashMap<(Value, i64), Vec<(Block, Value)>> = FxHashMap::default();
    let mut shared: FxHashMap<Value, Value> = FxHashMap::default();
    for block in dominators.cfg_rpo().copied() {
        let is_cold = function.layout.is_cold(block);
        for inst in function.layout.block_insts(block) {
            let Some(sum) = sum_with_constant(function, inst) else {
                continue;
            };
            let result = function.dfg.first_result(inst);
            if !is_cold {
                // A counter is another one in the next round; what it was is of no more use.
                let is_counter = match function.dfg.value_def(sum.0) {
                    ValueDef::Param(home, _) => loops.is_loop_header(home).is_some(),
                    _ => false,
                };
                if !is_counter {
                    continue;
                }
                known.entry(sum).or_default().push((block, result));
                continue;
            }
            let before = known.get(&sum).into_iter().flatten().rev();
            let mut before = before.filter(|(home, _)| dominators.block_dominates(*home, block));
            if let Some((_, value)) = before.next() {
                shared.insert(result, *value);
            }
        }
    }
    if shared.is_empty() {
        return;
    }
    // What lies behind a cold block need not be cold itself.
    let blocks: Vec<Block> = function.layout.blocks().collect();
    for block in blocks {
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        for inst in insts {
            let taken = |value: Value| shared.get(&value).copied().unwrap_or(value);
            function.dfg.map_inst_values(inst, taken);
            let results = function.dfg.inst_results(inst);
            if results
                .first()
                .is_some_and(|result| shared.contains_key(result))
            {
                function.layout.remove_inst(inst);
            }
        }
    }
}

/// What an instruction adds, if that is a value and a constant.
fn sum_with_constant(function: &ir::Function, inst: Inst) -> Option<(Value, i64)> {
    let ir::InstructionData::Binary {
        opcode: Opcode::Iadd,
        args: [left, right],
    } = function.dfg.insts[inst]
    else {
        return None;
    };
    let constant = |value: Value| match function.dfg.insts[function.dfg.value_def(value).inst()?] {
        ir::InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => Some(imm.bits()),
        _ => None,
    };
    match (constant(left), constant(right)) {
        (None, Some(added)) => Some((left, added)),
        (Some(added), None) => Some((right, added)),
        _ => None,
    }
}

/// Computes a value anew in each of the cold blocks that use it.
fn sink_one(function: &mut ir::Function, inst: Inst, result: Value, uses: &[Inst]) {
    let mut copies: FxHashMap<Block, Value> = FxHashMap::default();
    for user in uses {
        let block = function
            .layout
            .inst_block(*user)
            .expect("an instruction that was found in a block");
        let copy = match copies.get(&block) {
            Some(copy) => *copy,
            None => {
                let data = function.dfg.insts[inst];
                let copy = function.dfg.make_inst(data);
                let ty = function.dfg.value_type(result);
                function.dfg.make_inst_results(copy, ty);
                // Users come in the order of the block.
                function.layout.insert_inst(copy, *user);
                let value = function.dfg.first_result(copy);
                copies.insert(block, value);
                value
            }
        };
        function
            .dfg
            .map_inst_values(*user, |value| if value == result { copy } else { value });
    }
    function.layout.remove_inst(inst);
}
