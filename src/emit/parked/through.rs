//! Values that live through a loop which needs the registers.

use super::{Uses, home};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Block, Function, Inst, Type, Value};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
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
