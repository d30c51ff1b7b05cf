//! Which instructions of a function are executed at all, as far as jumps tell.

use ruff_runtime::bytecode::{Function, Op};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// Which instructions control may reach, found on one way down.
pub struct Reach {
    /// The ranges whose errors go to a handler, by its instruction.
    guarded: FxHashMap<u32, Vec<Range<usize>>>,
    /// Those that were executed.
    seen: Vec<bool>,
    targets: FxHashSet<u32>,
    /// The instruction before leads to this one.
    falls_in: bool,
}

impl Reach {
    /// At the beginning of a function.
    pub fn new(function: &Function) -> Reach {
        let mut guarded: FxHashMap<u32, Vec<Range<usize>>> = FxHashMap::default();
        for handler in &function.handlers {
            let range = handler.start as usize..handler.end as usize;
            guarded.entry(handler.target).or_default().push(range);
        }
        Reach {
            guarded,
            seen: vec![false; function.code.len()],
            targets: FxHashSet::default(),
            falls_in: true,
        }
    }

    /// Whether control gets to an instruction.
    pub fn enter(&mut self, pc: u32) -> bool {
        let mut guarded = self.guarded.get(&pc).into_iter().flatten();
        let is_caught = guarded.any(|range| self.seen[range.clone()].contains(&true));
        let falls_in = std::mem::take(&mut self.falls_in);
        falls_in || is_caught || self.targets.contains(&pc)
    }

    /// Notes where control goes from an instruction.
    pub fn leave(&mut self, op: &Op, pc: u32) {
        self.seen[pc as usize] = true;
        self.targets.extend(op.target());
        self.falls_in = !op.ends();
    }
}
