//! Where code lies in the processor's lines of instructions.
//!
//! A processor fetches, and remembers, instructions by lines of 64 bytes.  A loop of
//! a few instructions takes twice as long where the branch at its end lies in two of
//! them, and it depends on what is in front of a function whether it does.  So
//! functions with short loops begin with a line, or with some instructions that do
//! nothing in front, whichever is best for most of these loops.

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::OptLevel;
use target_lexicon::Architecture;

/// Bytes of a line.
const LINE: usize = 64;
/// Constants behind the code keep their alignment.
const STEP: usize = 16;
/// The longest loop that is looked at, in bytes.
const LONGEST: usize = 2 * LINE;
/// A jump on a condition, with a distance of 32 bits.
const BRANCH: usize = 6;
/// `nop dword [rax + rax + 0]`, in eight bytes.
const NOTHING: [u8; 8] = [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0];

/// How a function is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// What its address is a multiple of.
    pub alignment: u64,
    /// Bytes of instructions that do nothing, in front of the code.
    pub padding: usize,
}

/// The placement that suits the machine code, which must begin at a multiple of
/// `alignment` otherwise.
pub(super) fn placement(isa: &dyn TargetIsa, bytes: &[u8], alignment: u64) -> Placement {
    let usual = Placement {
        alignment,
        padding: 0,
    };
    let is_fast = isa.flags().opt_level() == OptLevel::Speed;
    if isa.triple().architecture != Architecture::X86_64 || !is_fast || alignment > STEP as u64 {
        return usual;
    }
    let loops = short_loops(bytes);
    if loops.is_empty() {
        return usual;
    }
    let paddings = (0..LINE).step_by(STEP);
    let cost = |padding: &usize| loops.iter().map(|one| one.cost(*padding)).sum::<usize>();
    Placement {
        alignment: LINE as u64,
        padding: paddings.min_by_key(cost).unwrap_or(0),
    }
}

/// Machine code behind so many bytes that do nothing.
pub(super) fn padded(bytes: Vec<u8>, padding: usize) -> Vec<u8> {
    if padding == 0 {
        return bytes;
    }
    let mut result = NOTHING.repeat(padding / NOTHING.len());
    result.extend(bytes);
    result
}

/// Where a loop's code begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loop {
    start: usize,
    end: usize,
}

impl Loop {
    /// What it costs to begin that far behind a line's begin.  The shorter a loop is,
    /// the more it matters.
    fn cost(self, padding: usize) -> usize {
        let line = |at: usize| (at + padding) / LINE;
        let size = self.end - self.start;
        let is_cut = line(self.end - BRANCH) != line(self.end - 1);
        let lines = line(self.end - 1) - line(self.start);
        let needed = (size - 1) / LINE;
        (4 * usize::from(is_cut) + (lines - needed)) * (LONGEST / size)
    }
}

/// What looks like a branch back to what is near.  It may be part of something else,
/// which does no harm.
fn short_loops(bytes: &[u8]) -> Vec<Loop> {
    let windows = bytes.windows(BRANCH).enumerate();
    let branches = windows.filter_map(|(at, window)| match *window {
        [0x0f, 0x80..=0x8f, a, b, c, d] => {
            let distance = i32::from_le_bytes([a, b, c, d]);
            let size = usize::try_from(distance.checked_neg()?).ok()?;
            let end = at + BRANCH;
            let start = end.checked_sub(size)?;
            (BRANCH < size && size <= LONGEST).then_some(Loop { start, end })
        }
        _ => None,
    });
    branches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code with a loop that begins and ends there.
    fn code_with_loop(start: usize, end: usize) -> Vec<u8> {
        let mut bytes = vec![0x90; end + 10];
        let distance = (start as i32 - end as i32).to_le_bytes();
        bytes[end - BRANCH..end - 4].copy_from_slice(&[0x0f, 0x8c]);
        bytes[end - 4..end].copy_from_slice(&distance);
        bytes
    }

    #[test]
    fn loops_are_found() {
        let found = short_loops(&code_with_loop(40, 70));
        assert_eq!(found, [Loop { start: 40, end: 70 }]);
        assert_eq!(short_loops(&code_with_loop(40, 400)), []);
        assert_eq!(short_loops(&[0x90; 100]), []);
    }

    #[test]
    fn a_branch_in_two_lines_costs_most() {
        let cut = Loop { start: 44, end: 68 };
        let costs: Vec<usize> = (0..LINE).step_by(STEP).map(|by| cut.cost(by)).collect();
        assert!(costs[1..].iter().all(|cost| *cost < costs[0]), "{costs:?}");
        assert_eq!(cut.cost(32), 0, "all of it is in one line");
    }

    #[test]
    fn padding_does_nothing() {
        assert_eq!(padded(vec![0xc3], 0), [0xc3]);
        let code = padded(vec![0xc3], 2 * STEP);
        assert_eq!(code.len(), 2 * STEP + 1);
        assert!(code.starts_with(&NOTHING));
    }
}
