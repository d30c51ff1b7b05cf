//! Functions that call nothing need no frame.
//!
//! Cranelift sets up a frame in every x86-64 function.  In a small function
//! that is called often, pushing and popping the frame pointer is most of the
//! work, and each call waits for the one before: what it pushes was just popped.

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::{self, Opcode, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use target_lexicon::Architecture;

/// `push rbp; mov rbp, rsp`.
const PROLOGUE: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];
/// `nop dword [rax]`: as long, so that nothing else moves.
const NOTHING: [u8; 4] = [0x0f, 0x1f, 0x40, 0x00];
/// `mov rsp, rbp; pop rbp; ret`.
const EPILOGUE: [u8; 5] = [0x48, 0x89, 0xec, 0x5d, 0xc3];
/// `ret`, and what is never reached.
const RETURN: [u8; 5] = [0xc3, 0xcc, 0xcc, 0xcc, 0xcc];

/// Parameters that come in registers, of either kind.
const INT_REGISTERS: usize = 6;
const FLOAT_REGISTERS: usize = 8;
/// Results that go to registers, of either kind.
const RESULT_REGISTERS: usize = 2;

/// The function's machine code, without a frame if it needs none.
pub(super) fn machine_code(
    isa: &dyn TargetIsa,
    function: &ir::Function,
    code: &CompiledCode,
) -> Vec<u8> {
    let mut bytes = code.buffer.data().to_vec();
    if isa.triple().architecture == Architecture::X86_64
        && let Some(returns) = returns_of_leaf(function)
        && uses_no_stack(function, code)
    {
        remove_frame(&mut bytes, returns);
    }
    bytes
}

/// How many instructions return, if the function calls nothing.
fn returns_of_leaf(function: &ir::Function) -> Option<usize> {
    let mut returns = 0;
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            match function.dfg.insts[inst].opcode() {
                Opcode::Return => returns += 1,
                Opcode::GetFramePointer | Opcode::GetReturnAddress => return None,
                opcode if opcode.is_call() => return None,
                _ => {}
            }
        }
    }
    Some(returns)
}

/// Whether nothing lies in the frame, or is reached through it.
fn uses_no_stack(function: &ir::Function, code: &CompiledCode) -> bool {
    let params = &function.signature.params;
    let floats = params
        .iter()
        .filter(|param| param.value_type == types::F64)
        .count();
    function.signature.call_conv != CallConv::WindowsFastcall
        && params.len() - floats + hidden_params(function) <= INT_REGISTERS
        && floats <= FLOAT_REGISTERS
        // A call that Cranelift adds, for lack of an instruction, has a relocation.
        && code.buffer.relocs().is_empty()
        && code
            .buffer
            .frame_layout()
            .is_some_and(|frame| frame.frame_to_fp_offset == 0)
}

/// One if results that have no register go to memory that the caller names.
fn hidden_params(function: &ir::Function) -> usize {
    let returns = &function.signature.returns;
    let is_float = |value: &&ir::AbiParam| value.value_type == types::F64;
    let floats = returns.iter().filter(is_float).count();
    usize::from(floats > RESULT_REGISTERS || returns.len() - floats > RESULT_REGISTERS)
}

/// Takes the frame out, if the code is certainly what it looks like: as many
/// places look like an epilogue as there are.
fn remove_frame(bytes: &mut [u8], returns: usize) {
    let epilogues: Vec<usize> = bytes
        .windows(EPILOGUE.len())
        .enumerate()
        .filter(|(_, window)| *window == EPILOGUE)
        .map(|(at, _)| at)
        .collect();
    if !bytes.starts_with(&PROLOGUE) || epilogues.len() != returns {
        return;
    }
    bytes[..PROLOGUE.len()].copy_from_slice(&NOTHING);
    for at in epilogues {
        bytes[at..at + EPILOGUE.len()].copy_from_slice(&RETURN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_only_with_all_of_its_ends() {
        let with_frame = [&PROLOGUE[..], &[0x90], &EPILOGUE, &[0x90], &EPILOGUE].concat();
        let without = [&NOTHING[..], &[0x90], &RETURN, &[0x90], &RETURN].concat();
        let mut bytes = with_frame.clone();
        remove_frame(&mut bytes, 2);
        assert_eq!(bytes, without);

        // One of them may be a constant.
        let mut bytes = with_frame.clone();
        remove_frame(&mut bytes, 1);
        assert_eq!(bytes, with_frame);

        let mut bytes = with_frame[1..].to_vec();
        remove_frame(&mut bytes, 2);
        assert_eq!(bytes, with_frame[1..]);
    }
}
