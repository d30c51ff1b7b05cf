//! SSA after blocks were duplicated: a use may see what several copies define.

use super::Copies;
use crate::emit::simplify::Flow;
use cranelift_codegen::ir::{Block, Function, Inst, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known of the copies, and done about them.
pub(super) struct Repair<'a> {
    copies: &'a Copies,
    flow: Flow,
    /// The blocks just behind those that a block dominates.
    frontiers: FxHashMap<Block, Vec<Block>>,
    /// The blocks that need a parameter for what a block and its copies define.
    joins: FxHashMap<Block, FxHashSet<Block>>,
    /// The block that defines a value which has copies.
    home: FxHashMap<Value, Block>,
    /// What a value is where a block begins.
    at: FxHashMap<(Block, Value), Value>,
    /// The parameters that were made, with what they stand for.
    made: Vec<(Block, Value)>,
}

impl<'a> Repair<'a> {
    pub fn of(function: &Function, copies: &'a Copies) -> Repair<'a> {
        let flow = Flow::of(function);
        let mut frontiers: FxHashMap<Block, Vec<Block>> = FxHashMap::default();
        for block in flow.dominators.cfg_rpo() {
            if flow.graph.pred_iter(*block).nth(1).is_none() {
                continue;
            }
            let parent = flow.dominators.idom(*block);
            for way in flow.graph.pred_iter(*block) {
                let mut before = Some(way.block);
                while before != parent
                    && let Some(runner) = before
                {
                    if !flow.dominators.is_reachable(runner) {
                        break;
                    }
                    let frontier = frontiers.entry(runner).or_default();
                    if frontier.last() != Some(block) {
                        frontier.push(*block);
                    }
                    before = flow.dominators.idom(runner);
                }
            }
        }
        let mut home = FxHashMap::default();
        for block in copies.of.keys() {
            home.extend(
                function
                    .dfg
                    .block_params(*block)
                    .iter()
                    .map(|value| (*value, *block)),
            );
            for inst in function.layout.block_insts(*block) {
                let results = function.dfg.inst_results(inst).iter();
                home.extend(results.map(|value| (*value, *block)));
            }
        }
        Repair {
            copies,
            flow,
            frontiers,
            joins: FxHashMap::default(),
            home,
            at: FxHashMap::default(),
            made: Vec::new(),
        }
    }

    /// Does it; gives how control flows.
    pub fn run(mut self, function: &mut Function) -> Flow {
        let blocks: Vec<Block> = function.layout.blocks().collect();
        for block in blocks {
            if !self.flow.dominators.is_reachable(block) {
                continue;
            }
            let insts: Vec<Inst> = function.layout.block_insts(block).collect();
            for inst in insts {
                let is_repaired = |value: &Value| self.home.contains_key(value);
                let used: Vec<Value> = function.dfg.inst_values(inst).filter(is_repaired).collect();
                if used.is_empty() {
                    continue;
                }
                let now: FxHashMap<Value, Value> = used
                    .into_iter()
                    .map(|value| (value, self.value_in(function, block, value)))
                    .collect();
                let changed = |value: Value| now.get(&value).copied().unwrap_or(value);
                function.dfg.map_inst_values(inst, changed);
            }
        }
        // In their order, since that is the parameters' order.
        let mut next = 0;
        while let Some((block, value)) = self.made.get(next).copied() {
            next += 1;
            let ways: Vec<(Block, Inst)> = self
                .flow
                .graph
                .pred_iter(block)
                .map(|way| (way.block, way.inst))
                .collect();
            for (before, branch) in ways {
                // What nothing leads to any more may pass anything.
                let given = match self.flow.dominators.is_reachable(before) {
                    true => self.value_in(function, before, value),
                    false => value,
                };
                let dfg = &mut function.dfg;
                let calls = dfg.insts[branch]
                    .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
                for call in calls {
                    if call.block(&dfg.value_lists) == block {
                        call.append_argument(given, &mut dfg.value_lists);
                    }
                }
            }
        }
        self.flow
    }

    /// What a value is in a block, behind what the block itself defines.
    fn value_in(&mut self, function: &mut Function, block: Block, value: Value) -> Value {
        let home = self.home[&value];
        let mut seen = Vec::new();
        let mut at = block;
        let found = loop {
            if at == home {
                break value;
            }
            if self.copies.original.get(&at) == Some(&home) {
                let copies = self.copies.of[&home].iter();
                let copy = copies
                    .into_iter()
                    .find(|copy| copy.block == at)
                    .expect("a copy knows what it is of");
                break copy.values[&value];
            }
            if let Some(known) = self.at.get(&(at, value)) {
                break *known;
            }
            seen.push(at);
            if self.joins(home).contains(&at) {
                let ty = function.dfg.value_type(value);
                let param = function.dfg.append_block_param(at, ty);
                self.made.push((at, value));
                break param;
            }
            at = self
                .flow
                .dominators
                .idom(at)
                .expect("a definition or one of its copies is on every way to a use");
        };
        for block in seen {
            self.at.insert((block, value), found);
        }
        found
    }

    /// The iterated dominance frontier of a block and its copies.
    fn joins(&mut self, home: Block) -> &FxHashSet<Block> {
        self.joins.entry(home).or_insert_with(|| {
            let mut open = vec![home];
            open.extend(self.copies.of[&home].iter().map(|copy| copy.block));
            let mut joins: FxHashSet<Block> = FxHashSet::default();
            while let Some(block) = open.pop() {
                for join in self.frontiers.get(&block).into_iter().flatten() {
                    if joins.insert(*join) {
                        open.push(*join);
                    }
                }
            }
            joins
        })
    }
}
