//! Sets of locals.
//!
//! Most locals are known in one block only, and are set before they are used
//! there.  The others are numbered, and every block has a row of bits for
//! those of them that are needed at its start.

use super::blocks::Blocks;
use super::{Touch, for_each_local};
use ruff_runtime::bytecode::{Op, Program};

/// The locals of a function that are looked at.
pub(super) struct Interest {
    /// By slot: its number in rows, or one of the words below.
    numbers: Vec<u32>,
    /// Words in a row.
    words: usize,
}

/// Known in one block.
const ONE_BLOCK: u32 = u32::MAX;
/// Holds cells, or is a loop's.
const IGNORED: u32 = u32::MAX - 1;

impl Interest {
    pub fn new(program: &Program, slots: u32, code: &[Op], blocks: &Blocks) -> Interest {
        let mut numbers = vec![ONE_BLOCK; slots as usize];
        for op in code {
            match *op {
                Op::NewCell { slot } | Op::BoxLocal { slot } => numbers[slot as usize] = IGNORED,
                Op::IterStart { slot } => numbers[slot as usize..][..2].fill(IGNORED),
                Op::RangeStart { slot, .. } => numbers[slot as usize..][..3].fill(IGNORED),
                _ => {}
            }
        }
        let mut home = vec![usize::MAX; slots as usize];
        let mut count = 0;
        for block in 0..blocks.len() {
            for op in &code[blocks.range(block)] {
                for_each_local(program, op, &mut |slot, touch| {
                    let (number, home) = (&mut numbers[slot as usize], &mut home[slot as usize]);
                    let comes_from_elsewhere =
                        *home != block && (*home != usize::MAX || touch == Touch::Uses);
                    if *number == ONE_BLOCK && comes_from_elsewhere {
                        *number = count;
                        count += 1;
                    }
                    *home = block;
                });
            }
        }
        Interest {
            numbers,
            words: count.div_ceil(64) as usize,
        }
    }

    /// Whether the slot holds plain values.
    pub fn is_plain(&self, slot: u32) -> bool {
        self.numbers[slot as usize] != IGNORED
    }

    /// The number of a local that is known in several blocks.
    pub fn number(&self, slot: u32) -> Option<u32> {
        let number = self.numbers[slot as usize];
        (number < IGNORED).then_some(number)
    }

    pub fn slots(&self) -> usize {
        self.numbers.len()
    }
}

/// The numbered locals that are needed at the start of each block.
pub(super) struct Rows {
    words: usize,
    bits: Vec<u64>,
}

/// One row, not (yet) that of a block.
pub(super) struct Row(Vec<u64>);

impl Rows {
    pub fn new(blocks: usize, interest: &Interest) -> Rows {
        Rows {
            words: interest.words,
            bits: vec![0; blocks * interest.words],
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    pub fn has(&self, block: usize, number: u32) -> bool {
        self.bits[block * self.words + number as usize / 64] >> (number % 64) & 1 != 0
    }

    /// Adds a row to that of a block; tells whether that changed it.
    pub fn grow(&mut self, block: usize, row: &Row) -> bool {
        let mut changed = false;
        for (old, new) in self.bits[block * self.words..].iter_mut().zip(&row.0) {
            changed |= *new & !*old != 0;
            *old |= *new;
        }
        changed
    }
}

impl Row {
    pub fn new(rows: &Rows) -> Row {
        Row(vec![0; rows.words])
    }

    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Adds the row of a block.
    pub fn join(&mut self, rows: &Rows, block: usize) {
        for (word, other) in self.0.iter_mut().zip(&rows.bits[block * rows.words..]) {
            *word |= *other;
        }
    }

    pub fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] >> (number % 64) & 1 != 0
    }

    /// What is needed before something is done with a local.
    pub fn touch(&mut self, number: u32, touch: Touch) {
        let bit = 1 << (number % 64);
        match touch {
            Touch::Uses => self.0[number as usize / 64] |= bit,
            Touch::Sets => self.0[number as usize / 64] &= !bit,
        }
    }
}
