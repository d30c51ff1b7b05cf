//! Two words as a result, where C returns them in memory.
//!
//! The runtime's functions return a value as a C struct of two words.  Most
//! conventions have registers for it; on s390x and on Windows the caller passes
//! the address of room for it instead.  Code is translated as if registers were
//! always used, and here made to fit.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    self, AbiParam, ArgumentPurpose, Inst, InstBuilder, MemFlagsData, Opcode, SigRef, Signature,
    StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use target_lexicon::Architecture;

/// Where the second word is, in bytes.
const SECOND: i32 = 8;

/// Lets a function, and the calls in it, keep to C's convention.
pub(super) fn return_in_memory(function: &mut ir::Function, isa: &dyn TargetIsa) {
    let is_needed = isa.triple().architecture == Architecture::S390x
        || isa.default_call_conv() == CallConv::WindowsFastcall;
    if !is_needed {
        return;
    }
    let convention = isa.default_call_conv();
    let signatures: Vec<SigRef> = function
        .dfg
        .signatures
        .iter()
        .filter(|(_, signature)| returns_two_words(signature, convention))
        .map(|(reference, _)| reference)
        .collect();
    for signature in &signatures {
        change(&mut function.dfg.signatures[*signature]);
    }
    let calls: Vec<Inst> = instructions(function, |function, inst| {
        let called = function.dfg.call_signature(inst);
        called.is_some_and(|signature| signatures.contains(&signature))
    });
    if !calls.is_empty() {
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, 16, 3);
        let room = function.create_sized_stack_slot(room);
        for call in calls {
            pass_room(function, call, room);
        }
    }
    if returns_two_words(&function.signature, convention) {
        change(&mut function.signature);
        use_callers_room(function);
    }
}

fn returns_two_words(signature: &Signature, convention: CallConv) -> bool {
    signature.call_conv == convention && signature.returns.len() == 2
}

fn change(signature: &mut Signature) {
    signature.returns.clear();
    let room = AbiParam::special(types::I64, ArgumentPurpose::StructReturn);
    signature.params.insert(0, room);
}

fn instructions(
    function: &ir::Function,
    is_wanted: impl Fn(&ir::Function, Inst) -> bool,
) -> Vec<Inst> {
    let blocks = function.layout.blocks();
    blocks
        .flat_map(|block| function.layout.block_insts(block))
        .filter(|inst| is_wanted(function, *inst))
        .collect()
}

/// Passes the room's address to a call and reads its results from there.
fn pass_room(function: &mut ir::Function, call: Inst, room: StackSlot) {
    let results: Vec<Value> = function.dfg.inst_results(call).to_vec();
    let kinds: Vec<ir::Type> = results
        .iter()
        .map(|result| function.dfg.value_type(*result))
        .collect();
    let mut args: Vec<Value> = function.dfg.inst_args(call).to_vec();
    let data = function.dfg.insts[call];
    let mut cursor = FuncCursor::new(function).at_inst(call);
    let address = cursor.ins().stack_addr(types::I64, room, 0);
    match data {
        ir::InstructionData::CallIndirect { sig_ref, .. } => {
            let target = args.remove(0);
            args.insert(0, address);
            cursor.ins().call_indirect(sig_ref, target, &args);
        }
        ir::InstructionData::Call { func_ref, .. } => {
            args.insert(0, address);
            cursor.ins().call(func_ref, &args);
        }
        _ => unreachable!("nothing else is called by a C signature"),
    }
    let flags = MemFlagsData::trusted();
    let loaded: Vec<Value> = kinds
        .iter()
        .zip([0, SECOND])
        .map(|(kind, offset)| cursor.ins().load(*kind, flags, address, offset))
        .collect();
    cursor.remove_inst();
    function.dfg.clear_results(call);
    for (result, loaded) in results.into_iter().zip(loaded) {
        function.dfg.change_to_alias(result, loaded);
    }
}

/// Writes results to where the caller wants them.
fn use_callers_room(function: &mut ir::Function) {
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
    let returns = instructions(function, |function, inst| {
        function.dfg.insts[inst].opcode() == Opcode::Return
    });
    for inst in returns {
        let words: Vec<Value> = function.dfg.inst_args(inst).to_vec();
        let mut cursor = FuncCursor::new(function).at_inst(inst);
        for (word, offset) in words.into_iter().zip([0, SECOND]) {
            cursor
                .ins()
                .store(MemFlagsData::trusted(), word, room, offset);
        }
        cursor.ins().return_(&[]);
        cursor.remove_inst();
    }
}
