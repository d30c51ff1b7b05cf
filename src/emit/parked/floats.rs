//! Floats that a loop computes and that live through calls elsewhere.

use super::through::{Life, lives};
use super::{Uses, home, loops_around};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::loop_analysis::LoopAnalysis;
use rustc_hash::{FxHashMap, FxHashSet};

/// The uses behind calls that are to read from memory.
pub(super) fn uses(
    function: &Function,
    (cfg, dominators): (&ControlFlowGraph, &DominatorTree),
    loops: &LoopAnalysis,
) -> Vec<Uses> {
    let calls = calls(function);
    let webs = Webs::of(function);
    let looped = webs.in_loops(function, loops, &calls);
    if calls.is_empty() || looped.is_empty() {
        return Vec::new();
    }
    let lives = lives(function, cfg, |ty, _| ty == types::F64);
    let mut values: Vec<Value> = lives.keys().copied().collect();
    values.retain(|value| looped.contains(&webs.root(*value)));
    values.sort_unstable();
    let level = |block: Block| loops.loop_level(block).level();
    let mut all = Vec::new();
    for value in values {
        let (Some(home), life) = (home(function, value), &lives[&value]) else {
            continue;
        };
        let place = Place {
            function,
            value,
            home,
            life,
        };
        if !calls
            .iter()
            .any(|(block, calls)| place.lives_through(cfg, *block, calls))
        {
            continue;
        }
        let mut blocks: Vec<Block> = life.users.keys().copied().collect();
        blocks.sort_unstable();
        let mut behind = Vec::new();
        for block in blocks {
            let least = level(block);
            // Where it is written: as far up as that is not done more often than it is
            // read.
            let mut written = block;
            let mut above = Some(block);
            while let Some(before) = above
                && before != home
            {
                if level(before) <= least {
                    written = before;
                }
                above = dominators.idom(before);
            }
            let written = match level(home) <= least {
                true => None,
                false => Some(written),
            };
            let users = place.behind_calls(block, written.unwrap_or(home), &calls);
            if !users.is_empty() {
                behind.push((
                    least,
                    Uses {
                        value,
                        written,
                        users,
                    },
                ));
            }
        }
        // Reading it in each round would cost more than it gains.
        if behind.iter().all(|(least, _)| *least <= level(home)) {
            all.extend(behind.into_iter().map(|(_, uses)| uses));
        }
    }
    all
}

/// The calls that change registers, by block.
fn calls(function: &Function) -> FxHashMap<Block, Vec<Inst>> {
    let mut calls: FxHashMap<Block, Vec<Inst>> = FxHashMap::default();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            let convention = match function.dfg.insts[inst] {
                InstructionData::Call { func_ref, .. } => {
                    let signature = function.dfg.ext_funcs[func_ref].signature;
                    function.dfg.signatures[signature].call_conv
                }
                ref data if data.opcode().is_call() => CallConv::Fast,
                _ => continue,
            };
            if convention != CallConv::PreserveAll {
                calls.entry(block).or_default().push(inst);
            }
        }
    }
    calls
}

/// Floats that are passed on as one another.
struct Webs {
    parents: FxHashMap<Value, Value>,
}

impl Webs {
    fn of(function: &Function) -> Webs {
        let mut webs = Webs {
            parents: FxHashMap::default(),
        };
        for block in function.layout.blocks() {
            let Some(last) = function.layout.last_inst(block) else {
                continue;
            };
            let dfg = &function.dfg;
            let calls = dfg.insts[last].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
            for call in calls {
                let params = dfg.block_params(call.block(&dfg.value_lists));
                for (param, arg) in params.iter().zip(call.args(&dfg.value_lists)) {
                    if dfg.value_type(*param) == types::F64
                        && let Some(arg) = arg.as_value()
                    {
                        webs.join(*param, arg);
                    }
                }
            }
        }
        webs
    }

    fn root(&self, value: Value) -> Value {
        let mut root = value;
        while let Some(parent) = self.parents.get(&root) {
            root = *parent;
        }
        root
    }

    fn join(&mut self, one: Value, other: Value) {
        let root = self.root(other);
        for mut value in [one, other] {
            // Whatever is on the way need not be gone through again.
            while value != root
                && let Some(parent) = self.parents.insert(value, root)
            {
                value = parent;
            }
        }
    }

    /// Those that loops without calls carry from round to round, by their roots.
    fn in_loops(
        &self,
        function: &Function,
        loops: &LoopAnalysis,
        calls: &FxHashMap<Block, Vec<Inst>>,
    ) -> FxHashSet<Value> {
        let calling = calls.keys().flat_map(|block| loops_around(loops, *block));
        let calling: FxHashSet<_> = calling.collect();
        let quiet = loops.loops().filter(|looped| !calling.contains(looped));
        let params = quiet.flat_map(|looped| function.dfg.block_params(loops.loop_header(looped)));
        params
            .filter(|param| function.dfg.value_type(**param) == types::F64)
            .map(|param| self.root(*param))
            .collect()
    }
}

/// A value and where it lives.
struct Place<'a> {
    function: &'a Function,
    value: Value,
    home: Block,
    life: &'a Life,
}

impl Place<'_> {
    /// Whether it is needed behind a call in the block.
    fn lives_through(&self, cfg: &ControlFlowGraph, block: Block, calls: &[Inst]) -> bool {
        let layout = &self.function.layout;
        let is_before = |call: &Inst| match self.function.dfg.value_def(self.value).inst() {
            Some(made) if block == self.home => layout.pp_cmp(made, *call).is_lt(),
            _ => true,
        };
        let Some(call) = calls.iter().find(|call| is_before(call)) else {
            return false;
        };
        if block != self.home && !self.life.live_in.contains(&block) {
            return false;
        }
        let is_later = |user: &Inst| layout.pp_cmp(*user, *call).is_gt();
        let mut users = self.life.users.get(&block).into_iter().flatten();
        let mut next = cfg.succ_iter(block);
        users.any(is_later) || next.any(|next| self.life.live_in.contains(&next))
    }

    /// Its users in a block that may come behind a call, if it is written in
    /// `written`.
    fn behind_calls(
        &self,
        block: Block,
        written: Block,
        calls: &FxHashMap<Block, Vec<Inst>>,
    ) -> Vec<Inst> {
        let users = &self.life.users[&block];
        if block != written {
            return users.clone();
        }
        let layout = &self.function.layout;
        let made = self.function.dfg.value_def(self.value).inst();
        let made = made.filter(|_| block == self.home);
        let mut calls = calls.get(&block).into_iter().flatten();
        let is_behind = |call: &&Inst| made.is_none_or(|made| layout.pp_cmp(made, **call).is_lt());
        let Some(call) = calls.find(is_behind) else {
            return Vec::new();
        };
        let later = users.iter().copied();
        later
            .filter(|user| layout.pp_cmp(*user, *call).is_gt())
            .collect()
    }
}
