//! Branches on overflow.
//!
//! Cranelift makes a value of whether an operation overflowed, and looks at that value
//! then: `seto dl; test dl, dl; jne`.  On x86-64, one instruction branches on the flag
//! itself.  What it is shorter by are prefixes that mean nothing, so nothing moves.

use super::ranges::is_checked;
use cranelift_codegen::ir::{Function, Inst, InstructionData, Value};
use cranelift_codegen::isa::TargetIsa;
use rustc_hash::FxHashSet;
use target_lexicon::Architecture;

/// The first bytes of `seto`, behind a prefix that says which registers are meant.
const SET_IF_OVERFLOW: [u8; 2] = [0x0f, 0x90];
/// The first byte of `test` of two bytes.
const TEST: u8 = 0x84;
/// `jne` and `je`, with a distance of 32 bits, and `jo` and `jno`.
const BRANCHES: [([u8; 2], [u8; 2]); 2] =
    [([0x0f, 0x85], [0x0f, 0x80]), ([0x0f, 0x84], [0x0f, 0x81])];
/// A segment's prefix, which branches do not heed (Intel SDM, volume 2, section 2.1.1).
const PREFIX: u8 = 0x2e;
/// `xchg ax, ax`, where more prefixes would be too many for some decoders.
const NOTHING: [u8; 2] = [0x66, 0x90];
/// Prefixes of one instruction at most.
const MOST_PREFIXES: usize = 5;

/// Lets a function's machine code branch on the processor's flag, where nothing but one
/// branch looks at whether an operation overflowed.
pub(super) fn branch_on_flag(isa: &dyn TargetIsa, function: &Function, code: &mut [u8]) {
    if isa.triple().architecture != Architecture::X86_64 {
        return;
    }
    let found = Sequence::all(code);
    if found.is_empty() || !only_branches_look(function) || may_be_in_constant(function) {
        return;
    }
    for sequence in found {
        sequence.replace(code);
    }
}

/// Where `seto; test; jne` or `je` lies in code.
struct Sequence {
    start: usize,
    /// Where the branch begins.
    branch: usize,
    /// What the branch becomes.
    on_flag: [u8; 2],
}

impl Sequence {
    fn all(code: &[u8]) -> Vec<Sequence> {
        let pairs = code.windows(SET_IF_OVERFLOW.len()).enumerate();
        let sets = pairs.filter(|(_, pair)| *pair == SET_IF_OVERFLOW);
        // A prefix may precede it.
        let starts = sets.flat_map(|(at, _)| [at.checked_sub(1), Some(at)]);
        let found = starts
            .flatten()
            .filter_map(|start| Sequence::at(code, start));
        found.collect()
    }

    fn at(code: &[u8], start: usize) -> Option<Sequence> {
        let (before, code) = code.split_at_checked(start)?;
        // The register's number, and what precedes both instructions.
        let (set, test): (&[u8], &[u8]) = match *code.first()? {
            // What could be a prefix may be one, so that another register is meant.
            0x0f if before.last().is_none_or(|byte| byte & 0xf0 != 0x40) => (&[], &[]),
            0x40 => (&[0x40], &[0x40]),
            0x41 => (&[0x41], &[0x45]),
            _ => return None,
        };
        let rest = code.strip_prefix(set)?.strip_prefix(&SET_IF_OVERFLOW)?;
        let (register, rest) = rest.split_first()?;
        let register = register.checked_sub(0xc0).filter(|number| *number < 8)?;
        let operands = 0xc0 | register << 3 | register;
        let rest = rest.strip_prefix(test)?.strip_prefix(&[TEST, operands])?;
        let (_, on_flag) = BRANCHES.iter().find(|(from, _)| rest.starts_with(from))?;
        Some(Sequence {
            start,
            branch: start + code.len() - rest.len(),
            on_flag: *on_flag,
        })
    }

    fn replace(&self, code: &mut [u8]) {
        code[self.branch..][..self.on_flag.len()].copy_from_slice(&self.on_flag);
        let mut filler = &mut code[self.start..self.branch];
        if filler.len() > MOST_PREFIXES {
            filler[..NOTHING.len()].copy_from_slice(&NOTHING);
            filler = &mut filler[NOTHING.len()..];
        }
        filler.fill(PREFIX);
    }
}

/// Whether a branch at the end of the same block, and nothing else, looks at each value
/// that says whether an operation overflowed.
fn only_branches_look(function: &Function) -> bool {
    let dfg = &function.dfg;
    let mut flags: FxHashSet<Value> = FxHashSet::default();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            if !is_checked(dfg.insts[inst].opcode()) {
                continue;
            }
            let flag = dfg.inst_results(inst)[1];
            let last = function.layout.last_inst(block);
            match last.map(|last| dfg.insts[last]) {
                Some(InstructionData::Brif { arg, .. }) if dfg.resolve_aliases(arg) == flag => {
                    flags.insert(flag);
                }
                _ => return false,
            }
        }
    }
    let mut seen: FxHashSet<Value> = FxHashSet::default();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            let mut values = dfg
                .inst_values(inst)
                .map(|value| dfg.resolve_aliases(value));
            // The branch is one use.
            if values.any(|value| flags.contains(&value) && !seen.insert(value)) {
                return false;
            }
        }
    }
    true
}

/// Whether a constant of the function may look like the instructions: then it could be
/// the constant that is found in the code.
fn may_be_in_constant(function: &Function) -> bool {
    let has = |bytes: &[u8]| {
        let mut pairs = bytes.windows(SET_IF_OVERFLOW.len());
        pairs.any(|pair| pair == SET_IF_OVERFLOW)
    };
    let blocks = function.layout.blocks();
    let mut insts = blocks.flat_map(|block| function.layout.block_insts(block));
    let is_in_inst = |inst: Inst| match function.dfg.insts[inst] {
        InstructionData::UnaryImm { imm, .. } => has(&imm.bits().to_le_bytes()),
        InstructionData::UnaryIeee64 { imm, .. } => has(&imm.bits().to_le_bytes()),
        InstructionData::UnaryIeee32 { imm, .. } => has(&imm.bits().to_le_bytes()),
        _ => false,
    };
    insts.any(is_in_inst)
        || function
            .dfg
            .constants
            .iter()
            .any(|(_, constant)| has(constant.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(code: &[u8]) -> Vec<u8> {
        let mut code = code.to_vec();
        for sequence in Sequence::all(&code) {
            sequence.replace(&mut code);
        }
        code
    }

    #[test]
    fn one_instruction_branches() {
        // seto dl; test dl, dl; jne +16
        let code = [0x0f, 0x90, 0xc2, 0x84, 0xd2, 0x0f, 0x85, 0x10, 0, 0, 0];
        let expected = [0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0f, 0x80, 0x10, 0, 0, 0];
        assert_eq!(replaced(&code), expected);
        // The same of r9b, and je.
        let code = [0x41, 0x0f, 0x90, 0xc1, 0x45, 0x84, 0xc9, 0x0f, 0x84];
        let expected = [0x66, 0x90, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0f, 0x81];
        assert_eq!(replaced(&code), expected);
        // And of dil.
        let code = [0x40, 0x0f, 0x90, 0xc7, 0x40, 0x84, 0xff, 0x0f, 0x85];
        assert_eq!(replaced(&code)[7..], [0x0f, 0x80]);
    }

    #[test]
    fn what_is_looked_at_elsewhere_stays() {
        for code in [
            // Another register is tested.
            &[0x0f, 0x90, 0xc2, 0x84, 0xc0, 0x0f, 0x85][..],
            &[0x41, 0x0f, 0x90, 0xc2, 0x84, 0xd2, 0x0f, 0x85],
            // It is stored.
            &[0x0f, 0x90, 0x02, 0x84, 0xd2, 0x0f, 0x85],
            // No branch, or another one.
            &[0x0f, 0x90, 0xc2, 0x84, 0xd2, 0x0f, 0x94],
            &[0x0f, 0x90, 0xc2, 0x84, 0xd2],
            &[0x0f, 0x90],
        ] {
            assert_eq!(replaced(code), code);
        }
    }
}
