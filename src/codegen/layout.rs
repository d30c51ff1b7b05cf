//! What must be known of a function's code before it is translated: blocks,
//! operand depths, and which slots may hold something where.

use super::dissolve::{LoopOverCall, MOST_LOOPS, TO_NEXT, TO_START};
use ruff_runtime::bytecode::{Function, Op, Program, VarKind};
use rustc_hash::FxHashMap;

/// A set of slots, and behind them of the loops whose generators are parts of
/// the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotSet(Vec<u64>);

impl SlotSet {
    pub fn new(slots: u32) -> SlotSet {
        SlotSet(vec![0; SlotSet::words(slots)])
    }

    pub fn full(slots: u32) -> SlotSet {
        SlotSet(vec![u64::MAX; SlotSet::words(slots)])
    }

    fn words(slots: u32) -> usize {
        (slots as usize + MOST_LOOPS).div_ceil(64)
    }

    pub fn insert(&mut self, slot: u32) {
        self.0[slot as usize / 64] |= 1 << (slot % 64);
    }

    pub fn remove(&mut self, slot: u32) {
        self.0[slot as usize / 64] &= !(1 << (slot % 64));
    }

    pub fn contains(&self, slot: u32) -> bool {
        self.0[slot as usize / 64] & (1 << (slot % 64)) != 0
    }

    /// The last slot that is in both.
    pub fn last_common(&self, other: &SlotSet) -> Option<u32> {
        (0..self.0.len()).rev().find_map(|index| {
            let common = self.0[index] & other.0[index];
            common.checked_ilog2().map(|bit| 64 * index as u32 + bit)
        })
    }

    fn union(&mut self, other: &SlotSet) -> bool {
        let mut changed = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            changed |= *more & !*word != 0;
            *word |= more;
        }
        changed
    }

    fn intersect(&mut self, other: &SlotSet) -> bool {
        let mut changed = false;
        for (word, keep) in self.0.iter_mut().zip(&other.0) {
            changed |= *word & !keep != 0;
            *word &= keep;
        }
        changed
    }
}

/// What slots hold on entry to a block.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Slots that hold something on some path.
    pub maybe: SlotSet,
    /// Slots that hold something on every path.
    pub surely: SlotSet,
}

impl Holding {
    pub fn store(&mut self, slot: u32) {
        self.maybe.insert(slot);
        self.surely.insert(slot);
    }

    pub fn empty(&mut self, slot: u32) {
        self.maybe.remove(slot);
        self.surely.remove(slot);
    }

    /// Takes account of the instruction at `pc`.
    pub fn step(&mut self, op: &Op, pc: u32, parts: &Parts) {
        match *op {
            Op::ClearLocal { slot } => self.empty_parts(slot, parts),
            Op::IterStart { slot } => {
                self.empty_parts(slot, parts);
                if let Some(part) = parts.starting_at(pc) {
                    self.store(parts.place(part));
                }
            }
            _ => {}
        }
        match *op {
            Op::StoreLocal { slot } | Op::NewCell { slot } | Op::BoxLocal { slot } => {
                self.store(slot)
            }
            Op::MoveLocal { slot } | Op::ClearLocal { slot } => self.empty(slot),
            Op::IterStart { slot } => {
                self.store(slot);
                self.store(slot + 1);
            }
            Op::RangeStart { slot, .. } => (slot..slot + 3).for_each(|slot| self.store(slot)),
            _ => {}
        }
    }

    /// The hidden local in this slot is given back.
    fn empty_parts(&mut self, slot: u32, parts: &Parts) {
        for part in parts.in_slot(slot) {
            self.empty(parts.place(part));
        }
    }
}

/// The loops whose generators are parts of the function (`dissolve`).
#[derive(Debug, Default)]
pub struct Parts {
    pub loops: Vec<LoopOverCall>,
    /// The slots of the function.
    pub slots: u32,
}

impl Parts {
    /// Where a slot set has a loop: it is in the set while its generator may
    /// hold something.
    pub fn place(&self, part: usize) -> u32 {
        self.slots + part as u32
    }

    /// The loops whose hidden local this is.
    pub fn in_slot(&self, slot: u32) -> impl Iterator<Item = usize> {
        let numbered = self.loops.iter().enumerate();
        numbered.filter_map(move |(part, found)| (found.slot == slot).then_some(part))
    }

    pub fn starting_at(&self, pc: u32) -> Option<usize> {
        let mut loops = self.loops.iter();
        loops.position(|found| found.call + TO_START == pc)
    }

    /// The loop whose generator comes to its end when this instruction jumps.
    fn ending_at(&self, pc: u32) -> Option<usize> {
        let mut loops = self.loops.iter();
        loops.position(|found| found.call + TO_NEXT == pc)
    }
}

/// The plan of a function's code.
pub struct Layout {
    /// Whether an instruction starts a block.
    pub leaders: Vec<bool>,
    /// Operand depth at each reachable leader.
    pub depths: FxHashMap<u32, u32>,
    /// What slots hold at each reachable leader; empty if the function is too
    /// large to follow (then everything may hold something).
    pub holding: FxHashMap<u32, Holding>,
    /// Slots that `JumpIfUnset` asks about.
    pub asked: SlotSet,
    /// Slots that hold cells.
    pub cells: SlotSet,
    pub parts: Parts,
}

/// Slots times blocks above which the sets are not worth their memory.
const MAX_SET_BITS: usize = 1 << 28;

/// Plans the translation of a function that is entered at `start`.
pub fn plan(
    program: &Program,
    function: &Function,
    start: u32,
    at_start: Holding,
    loops: Vec<LoopOverCall>,
) -> Layout {
    let count = function.code.len();
    let mut leaders = vec![false; count + 1];
    leaders[start as usize] = true;
    let mut asked = SlotSet::new(function.slots);
    let mut cells = SlotSet::new(function.slots);
    for (pc, op) in function.code.iter().enumerate() {
        if let Some(target) = op.target() {
            leaders[target as usize] = true;
            leaders[pc + 1] = true;
        }
        if op.ends() {
            leaders[pc + 1] = true;
        }
        match *op {
            Op::NewCell { slot } | Op::BoxLocal { slot } => cells.insert(slot),
            Op::JumpIfUnset { var, .. } if var.kind() == VarKind::Local => {
                asked.insert(var.number())
            }
            Op::LoopHead { .. } => leaders[pc] = true,
            _ => {}
        }
    }
    for handler in &function.handlers {
        leaders[handler.target as usize] = true;
    }
    let blocks = leaders.iter().filter(|leader| **leader).count();
    let follow = blocks * function.slots as usize <= MAX_SET_BITS;
    let mut layout = Layout {
        leaders,
        depths: FxHashMap::default(),
        holding: FxHashMap::default(),
        asked,
        cells,
        parts: Parts {
            loops,
            slots: function.slots,
        },
    };
    flow(program, function, start, at_start, follow, &mut layout);
    layout
}

fn flow(
    program: &Program,
    function: &Function,
    start: u32,
    at_start: Holding,
    follow: bool,
    layout: &mut Layout,
) {
    let mut work = vec![start];
    layout.depths.insert(start, 0);
    layout.holding.insert(start, at_start);
    while let Some(leader) = work.pop() {
        let mut depth = layout.depths[&leader];
        let mut holding = layout.holding[&leader].clone();
        let mut pc = leader;
        loop {
            let op = &function.code[pc as usize];
            if op.raises() {
                // Handlers see what the slots held before and after.
                for handler in &function.handlers {
                    if handler.start <= pc && pc < handler.end {
                        let mut seen = holding.clone();
                        if let Some(slot) = taken(program, op) {
                            seen.surely.remove(slot);
                        }
                        reach(layout, &mut work, handler.target, handler.depth, &seen);
                        seen.step(op, pc, &layout.parts);
                        reach(layout, &mut work, handler.target, handler.depth, &seen);
                        break;
                    }
                }
            }
            if follow {
                holding.step(op, pc, &layout.parts);
            }
            let effect = op.effect(program);
            if let Some(target) = op.target() {
                let depth = depth - effect.pops + effect.pushes_at_target;
                match layout.parts.ending_at(pc) {
                    Some(part) => {
                        let mut there = holding.clone();
                        there.empty(layout.parts.place(part));
                        reach(layout, &mut work, target, depth, &there);
                    }
                    None => reach(layout, &mut work, target, depth, &holding),
                }
            }
            if op.ends() {
                break;
            }
            depth = depth - effect.pops + effect.pushes;
            pc += 1;
            if layout.leaders[pc as usize] {
                reach(layout, &mut work, pc, depth, &holding);
                break;
            }
        }
    }
    if !follow {
        let all = Holding {
            maybe: SlotSet::full(function.slots),
            surely: SlotSet::new(function.slots),
        };
        for holding in layout.holding.values_mut() {
            *holding = all.clone();
        }
    }
}

/// The slot that is empty while a method call changes what it held.
fn taken(program: &Program, op: &Op) -> Option<u32> {
    let Op::CallMethod { site } = *op else {
        return None;
    };
    let site = &program.method_sites[site as usize];
    let root = site.place.as_ref()?.root;
    (site.take && root.kind() == VarKind::Local).then(|| root.number())
}

fn reach(layout: &mut Layout, work: &mut Vec<u32>, target: u32, depth: u32, holding: &Holding) {
    layout.depths.insert(target, depth);
    match layout.holding.get_mut(&target) {
        Some(known) => {
            let grew = known.maybe.union(&holding.maybe);
            if known.surely.intersect(&holding.surely) || grew {
                work.push(target);
            }
        }
        None => {
            layout.holding.insert(target, holding.clone());
            work.push(target);
        }
    }
}
