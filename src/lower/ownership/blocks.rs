//! The basic blocks of a function.

use ruff_runtime::bytecode::{Function, Op};
use std::ops::Range;

/// "No handler."
pub(super) const NO_BLOCK: usize = usize::MAX;

pub(super) struct Blocks {
    /// First instructions, and the end of the code.
    starts: Vec<u32>,
    /// By instruction that starts a block.
    block_at: Vec<u32>,
    /// The block that errors in each block go to.
    handlers: Vec<usize>,
}

const NONE: u32 = u32::MAX;

impl Blocks {
    pub fn new(function: &Function, code: &[Op]) -> Blocks {
        let mut is_start = vec![false; code.len() + 1];
        is_start[0] = true;
        for (pc, op) in code.iter().enumerate() {
            if let Some(to) = op.target() {
                is_start[to as usize] = true;
                is_start[pc + 1] = true;
            }
            is_start[pc + 1] |= op.ends();
        }
        for handler in &function.handlers {
            is_start[handler.start as usize] = true;
            is_start[handler.end as usize] = true;
            is_start[handler.target as usize] = true;
        }
        is_start[code.len()] = true;
        let starts: Vec<u32> = (0..=code.len() as u32)
            .filter(|pc| is_start[*pc as usize])
            .collect();
        let mut block_at = vec![NONE; code.len() + 1];
        for (block, start) in starts.iter().enumerate() {
            block_at[*start as usize] = block as u32;
        }
        let mut blocks = Blocks {
            starts,
            block_at,
            handlers: Vec::new(),
        };
        blocks.handlers = blocks.find_handlers(function, code);
        blocks
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn range(&self, block: usize) -> Range<usize> {
        self.starts[block] as usize..self.starts[block + 1] as usize
    }

    pub fn handler(&self, block: usize) -> usize {
        self.handlers[block]
    }

    /// Blocks that control goes to without an error.
    pub fn successors(&self, block: usize, code: &[Op]) -> impl Iterator<Item = usize> + use<> {
        let last = &code[self.range(block).end - 1];
        let target = last.target().map(|to| self.block_at[to as usize] as usize);
        let next = (!last.ends()).then_some(block + 1);
        target.into_iter().chain(next)
    }

    pub fn predecessors(&self, code: &[Op]) -> Vec<Vec<u32>> {
        let mut predecessors = vec![Vec::new(); self.len()];
        for block in 0..self.len() {
            for next in self.successors(block, code) {
                predecessors[next].push(block as u32);
            }
            if self.handlers[block] != NO_BLOCK {
                predecessors[self.handlers[block]].push(block as u32);
            }
        }
        predecessors
    }

    /// Handlers come innermost first, so the first that covers a block is its own.
    fn find_handlers(&self, function: &Function, code: &[Op]) -> Vec<usize> {
        let mut handlers = vec![NO_BLOCK; self.len()];
        let mut is_covered = vec![false; self.len()];
        for handler in &function.handlers {
            let (first, end) = (
                self.block_at[handler.start as usize],
                self.block_at[handler.end as usize],
            );
            for block in first as usize..end as usize {
                if !std::mem::replace(&mut is_covered[block], true)
                    && code[self.range(block)].iter().any(Op::raises)
                {
                    handlers[block] = self.block_at[handler.target as usize] as usize;
                }
            }
        }
        handlers
    }
}
