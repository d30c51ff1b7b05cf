//! Values that live through a loop which needs the registers.

use super::{Uses, home};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Block, Function, Inst, Type, Value};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use cranelift_codegen::traversals::Dfs;
use rustc_hash::{FxHashMap, FxHashSet};

/// Registers for integers that a loop can work with, on the target that has the
/// fewest: those that no convention takes away, less some for what lives from
/// one instruction to the next.
const REGISTERS: usize = 11;
/// Steps along control flow that finding lives takes at most in a function, and
/// finding uses behind loops.
const MOST_STEPS: usize = 200_000;

/// A value's uses, and the blocks at whose beginning it is still needed.
#[derive(Default)]
pub(super) struct Life {
    pub users: FxHashMap<Block, Vec<Inst>>,
    pub live_in: FxHashSet<Block>,
}

/// The uses behind loops that are to read from memory.
pub(super) fn uses(function: &Function, cfg: &ControlFlowGraph, loops: &LoopAnalysis) -> Vec<Uses> {
    let around: FxHashSet<Loop> = loops
        .loops()
        .filter_map(|looped| loops.loop_parent(looped))
        .collect();
    let innermost: Vec<Loop> = loops
        .loops()
        .filter(|looped| !around.contains(looped))
        .collect();
    let headers = innermost.iter().map(|looped| loops.loop_header(*looped));
    if !needs_registers(function, cfg, headers) {
        return Vec::new();
    }
    // What is used where it is made does not matter for loops behind that.
    let lives = lives(function, cfg, |_, is_elsewhere| is_elsewhere);
    let live_at = live_at(
        innermost.iter().map(|looped| loops.loop_header(*looped)),
        &lives,
    );
    let mut parked: FxHashSet<(Value, Block)> = FxHashSet::default();
    let mut all = Vec::new();
    let mut steps = 0;
    for looped in innermost {
        let header = loops.loop_header(looped);
        let params = function.dfg.block_params(header);
        let is_int = |value: &Value| function.dfg.value_type(*value).is_int();
        let mut used = params.iter().filter(|value| is_int(value)).count();
        let mut unused = Vec::new();
        for value in live_at.get(&header).into_iter().flatten() {
            if !is_int(value) {
                continue;
            }
            let mut users = lives[value].users.keys();
            match users.any(|block| loops.is_in_loop(*block, looped)) {
                true => used += 1,
                false => unused.push(*value),
            }
        }
        if used + unused.len() <= REGISTERS {
            continue;
        }
        // Values that merely live through, with the work of reading them again.
        let mut waiting: Vec<(usize, Value, Vec<Block>)> = Vec::new();
        unused.sort_unstable();
        for value in unused {
            let life = &lives[&value];
            let reads = reads_behind(function, cfg, loops, looped, value, life, &mut steps);
            waiting.extend(reads.map(|(work, blocks)| (work, value, blocks)));
        }
        let too_many = (used + waiting.len()).saturating_sub(REGISTERS);
        waiting.sort_unstable_by_key(|(work, value, _)| (*work, *value));
        for (_, value, blocks) in waiting.into_iter().take(too_many) {
            for block in blocks {
                if parked.insert((value, block)) {
                    let users = lives[&value].users[&block].clone();
                    all.push(Uses {
                        value,
                        written: None,
                        users,
                    });
                }
            }
        }
    }
    all
}

/// Whether more ints may be alive in a round of some loop, by its header, than there are
/// registers.
fn needs_registers(
    function: &Function,
    cfg: &ControlFlowGraph,
    mut headers: impl Iterator<Item = Block>,
) -> bool {
    let Some(alive) = Alive::of(function, cfg) else {
        return true;
    };
    headers.any(|header| {
        let params = function.dfg.block_params(header).iter();
        let ints = params.filter(|value| function.dfg.value_type(**value).is_int());
        ints.count() + alive.count(header) > REGISTERS
    })
}

/// The ints that are needed at the beginning of blocks, of those that are used in another
/// block than where they are made: a bit each.
struct Alive {
    words: usize,
    bits: SecondaryMap<Block, Option<usize>>,
    all: Vec<u64>,
}

impl Alive {
    /// `None` if finding out would take too long.
    fn of(function: &Function, cfg: &ControlFlowGraph) -> Option<Alive> {
        let order: Vec<Block> = Dfs::new().post_order_iter(function).collect();
        let mut homes: SecondaryMap<Value, Option<Option<Block>>> = SecondaryMap::new();
        let mut numbers: SecondaryMap<Value, Option<u32>> = SecondaryMap::new();
        let mut numbered: Vec<Block> = Vec::new();
        let mut uses: Vec<(usize, u32)> = Vec::new();
        for (place, block) in order.iter().enumerate() {
            for inst in function.layout.block_insts(*block) {
                for value in function.dfg.inst_values(inst) {
                    let home = *homes[value].get_or_insert_with(|| {
                        let is_int = function.dfg.value_type(value).is_int();
                        home(function, value).filter(|_| is_int)
                    });
                    let Some(home) = home.filter(|home| home != block) else {
                        continue;
                    };
                    let number = *numbers[value].get_or_insert_with(|| {
                        numbered.push(home);
                        numbered.len() as u32 - 1
                    });
                    uses.push((place, number));
                }
            }
        }
        let words = numbered.len().div_ceil(64);
        if words * order.len() > MOST_STEPS {
            return None;
        }
        let mut places: SecondaryMap<Block, Option<usize>> = SecondaryMap::new();
        for (place, block) in order.iter().enumerate() {
            places[*block] = Some(place * words);
        }
        let mut used = vec![0; words * order.len()];
        for (place, number) in uses {
            used[place * words + number as usize / 64] |= 1 << (number % 64);
        }
        let mut made = vec![0; words * order.len()];
        for (number, home) in numbered.iter().enumerate() {
            if let Some(first) = places[*home] {
                made[first + number / 64] |= 1 << (number % 64);
            }
        }
        let mut all = used;
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for (place, block) in order.iter().enumerate() {
                let first = place * words;
                for next in cfg.succ_iter(*block) {
                    let Some(from) = places[next] else { continue };
                    for word in 0..words {
                        let passed = all[from + word] & !made[first + word];
                        let added = passed & !all[first + word];
                        all[first + word] |= added;
                        has_changed |= added != 0;
                    }
                }
            }
        }
        Some(Alive {
            words,
            bits: places,
            all,
        })
    }

    fn count(&self, block: Block) -> usize {
        let first = self.bits[block];
        let bits = first.map(|first| &self.all[first..first + self.words]);
        let ones = bits.into_iter().flatten().map(|word| word.count_ones());
        ones.sum::<u32>() as usize
    }
}

/// The values that are still needed at the beginning of each of some blocks.
fn live_at(
    blocks: impl Iterator<Item = Block>,
    lives: &FxHashMap<Value, Life>,
) -> FxHashMap<Block, Vec<Value>> {
    let mut values: FxHashMap<Block, Vec<Value>> = blocks.map(|block| (block, vec![])).collect();
    for (value, life) in lives {
        for block in &life.live_in {
            if let Some(values) = values.get_mut(block) {
                values.push(*value);
            }
        }
    }
    values
}

/// The lives of the function's values, as far as they are worth parking, and as far as
/// uses count: of values of a type, in another block than where they are made or not.
pub(super) fn lives(
    function: &Function,
    cfg: &ControlFlowGraph,
    counts: impl Fn(Type, bool) -> bool,
) -> FxHashMap<Value, Life> {
    let mut lives: FxHashMap<Value, Life> = FxHashMap::default();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                let Some(home) = home(function, value) else {
                    continue;
                };
                if !counts(function.dfg.value_type(value), home != block) {
                    continue;
                }
                let life = lives.entry(value).or_default();
                let users = life.users.entry(block).or_default();
                if users.last() != Some(&inst) {
                    users.push(inst);
                }
            }
        }
    }
    let mut steps = 0;
    for (value, life) in &mut lives {
        let home = home(function, *value);
        let mut ahead: Vec<Block> = life.users.keys().copied().collect();
        while let Some(block) = ahead.pop() {
            if Some(block) != home && life.live_in.insert(block) {
                steps += 1;
                if steps > MOST_STEPS {
                    return FxHashMap::default();
                }
                ahead.extend(cfg.pred_iter(block).map(|pred| pred.block));
            }
        }
    }
    lives
}

/// The blocks behind a loop that use a value, and the work of writing it and
/// reading it there; `None` if that is no less work than the loop's, or if too
/// many steps were taken to find out.
fn reads_behind(
    function: &Function,
    cfg: &ControlFlowGraph,
    loops: &LoopAnalysis,
    looped: Loop,
    value: Value,
    life: &Life,
    steps: &mut usize,
) -> Option<(usize, Vec<Block>)> {
    let header = loops.loop_header(looped);
    let mut seen: FxHashSet<Block> = FxHashSet::default();
    let mut ahead = vec![header];
    let mut reads = Vec::new();
    while let Some(block) = ahead.pop() {
        if !life.live_in.contains(&block) || !seen.insert(block) {
            continue;
        }
        *steps += 1;
        if *steps > MOST_STEPS {
            return None;
        }
        if life.users.contains_key(&block) {
            reads.push(block);
        }
        ahead.extend(cfg.succ_iter(block));
    }
    let level = |block: Block| loops.loop_level(block).level();
    let written = level(home(function, value)?);
    let deepest = reads.iter().map(|block| level(*block)).max()?;
    if written.max(deepest) >= level(header) {
        return None;
    }
    let work = |level: usize| 10_usize.saturating_pow(level as u32);
    let work = work(written) + reads.iter().map(|block| work(level(*block))).sum::<usize>();
    Some((work, reads))
}
