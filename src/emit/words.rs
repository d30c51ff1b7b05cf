//! Results that are returned in memory.
//!
//! The runtime's functions return a value as a C struct of two words.  Most
//! conventions have registers for it; on s390x and on Windows the caller passes
//! the address of room for it instead.  Code is translated as if registers were
//! always used, and here made to fit.
//!
//! Between generated functions, structs are returned as their fields.  On x86-64 there
//! are registers for two ints and two floats; Cranelift would return more in memory as
//! well, but copy them to where it spills them by eight bytes and read sixteen there,
//! which waits for the memory.  So they are read by what needs them.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    self, AbiParam, ArgumentPurpose, Inst, InstBuilder, MemFlagsData, Opcode, SigRef, Signature,
    StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use rustc_hash::FxHashMap;
use target_lexicon::Architecture;

/// Bytes of a result.
const WORD: usize = 8;
/// Registers for results on x86-64, of either kind.
const REGISTERS: usize = 2;

/// Lets a function, and the calls in it, return in memory what there are no registers
/// for, by C's convention and by ours.
pub(super) fn return_in_memory(function: &mut ir::Function, isa: &dyn TargetIsa) {
    let signatures: FxHashMap<SigRef, Vec<usize>> = function
        .dfg
        .signatures
        .iter()
        .map(|(reference, signature)| (reference, in_memory(signature, isa)))
        .filter(|(_, moved)| !moved.is_empty())
        .collect();
    for (signature, moved) in &signatures {
        change(&mut function.dfg.signatures[*signature], moved);
    }
    let calls: Vec<(Inst, SigRef)> = instructions(function)
        .filter_map(|inst| Some((inst, function.dfg.call_signature(inst)?)))
        .filter(|(_, signature)| signatures.contains_key(signature))
        .collect();
    if let Some(most) = calls.iter().map(|(_, used)| signatures[used].len()).max() {
        let size = (most * WORD) as u32;
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let room = function.create_sized_stack_slot(room);
        for (call, signature) in calls {
            pass_room(function, call, room, &signatures[&signature]);
        }
    }
    let moved = in_memory(&function.signature, isa);
    if !moved.is_empty() {
        change(&mut function.signature, &moved);
        use_callers_room(function, &moved);
    }
}

/// Which of a function's results are returned in memory.
fn in_memory(signature: &Signature, isa: &dyn TargetIsa) -> Vec<usize> {
    let architecture = isa.triple().architecture;
    let convention = isa.default_call_conv();
    let results = signature.returns.iter().enumerate();
    if signature.call_conv == CallConv::Fast && architecture == Architecture::X86_64 {
        let mut registers = [0; 2];
        let mut has_no_register = |result: &AbiParam| {
            let used = &mut registers[usize::from(result.value_type.is_float())];
            *used += 1;
            *used > REGISTERS
        };
        return results
            .filter(|(_, result)| has_no_register(result))
            .map(|(position, _)| position)
            .collect();
    }
    let has_registers =
        architecture != Architecture::S390x && convention != CallConv::WindowsFastcall;
    match signature.call_conv == convention && signature.returns.len() == 2 && !has_registers {
        true => vec![0, 1],
        false => Vec::new(),
    }
}

fn change(signature: &mut Signature, moved: &[usize]) {
    for position in moved.iter().rev() {
        signature.returns.remove(*position);
    }
    let room = match signature.call_conv {
        CallConv::Fast => AbiParam::new(types::I64),
        _ => AbiParam::special(types::I64, ArgumentPurpose::StructReturn),
    };
    signature.params.insert(0, room);
}

fn instructions(function: &ir::Function) -> impl Iterator<Item = Inst> {
    let blocks = function.layout.blocks();
    blocks.flat_map(|block| function.layout.block_insts(block))
}

/// Passes the room's address to a call and reads results from there.
fn pass_room(function: &mut ir::Function, call: Inst, room: StackSlot, moved: &[usize]) {
    let results: Vec<Value> = function.dfg.inst_results(call).to_vec();
    let kinds: Vec<ir::Type> = moved
        .iter()
        .map(|position| function.dfg.value_type(results[*position]))
        .collect();
    let mut args: Vec<Value> = function.dfg.inst_args(call).to_vec();
    let data = function.dfg.insts[call];
    let mut cursor = FuncCursor::new(function).at_inst(call);
    cursor.use_srcloc(call);
    let address = cursor.ins().stack_addr(types::I64, room, 0);
    let now = match data {
        ir::InstructionData::CallIndirect { sig_ref, .. } => {
            let target = args.remove(0);
            args.insert(0, address);
            cursor.ins().call_indirect(sig_ref, target, &args)
        }
        ir::InstructionData::Call { func_ref, .. } => {
            args.insert(0, address);
            cursor.ins().call(func_ref, &args)
        }
        _ => unreachable!("nothing else is called by such a signature"),
    };
    let flags = MemFlagsData::trusted();
    let loaded: Vec<Value> = kinds
        .iter()
        .zip((0..).step_by(WORD))
        .map(|(kind, offset)| cursor.ins().load(*kind, flags, address, offset))
        .collect();
    cursor.remove_inst();
    let mut kept = function.dfg.inst_results(now).to_vec().into_iter();
    let mut loaded = loaded.into_iter();
    function.dfg.clear_results(call);
    for (position, result) in results.into_iter().enumerate() {
        let from = match moved.contains(&position) {
            true => loaded.next(),
            false => kept.next(),
        };
        let from = from.expect("each result is in a register or in memory");
        function.dfg.change_to_alias(result, from);
    }
}

/// Writes results to where the caller wants them.
fn use_callers_room(function: &mut ir::Function, moved: &[usize]) {
    let entry = function
        .layout
        .entry_block()
        .expect("every function has code");
    let params: Vec<Value> = function.dfg.block_params(entry).to_vec();
    function.dfg.detach_block_params(entry);
    let room = function.dfg.append_block_param(entry, types::I64);
    for param in params {
        function.dfg.attach_block_param(entry, param);
    }
    let returns: Vec<Inst> = instructions(function)
        .filter(|inst| function.dfg.insts[*inst].opcode() == Opcode::Return)
        .collect();
    for inst in returns {
        let words: Vec<Value> = function.dfg.inst_args(inst).to_vec();
        let mut cursor = FuncCursor::new(function).at_inst(inst);
        cursor.use_srcloc(inst);
        for (position, offset) in moved.iter().zip((0..).step_by(WORD)) {
            let flags = MemFlagsData::trusted();
            cursor.ins().store(flags, words[*position], room, offset);
        }
        let kept = words.iter().enumerate();
        let kept = kept.filter(|(position, _)| !moved.contains(position));
        let kept: Vec<Value> = kept.map(|(_, word)| *word).collect();
        cursor.ins().return_(&kept);
        cursor.remove_inst();
    }
}
