//! Loops whose slow paths lie around them, and whose first round is peeled off.
//!
//! A slow path comes back to the fast one, and may have changed anything on its
//! way: where the elements of an array are, the array itself, its length.  So
//! within a loop nothing of that is known to stay as it is, and it moves from one
//! parameter of a block to the next for the sake of what never happens.  Here, what
//! is executed behind a slow path is duplicated, up to the end of the round; from
//! there control comes back to the loop through its entry.  The loop itself is left
//! with nothing but its fast paths, and what these do not change is the same in
//! every round.
//!
//! The first round is peeled off as well.  The loop then begins behind a round in
//! which no slow path was taken, so what does not change in the loop need not be
//! asked again in it, and what was loaded need not be loaded again, as long as
//! nothing stores there.  Finding that out is left to other passes: all that they
//! need is that the first round dominates the loop.
//!
//! Both are done to loops that have no other one within their fast paths.

mod checks;
mod gate;
mod invariants;
mod repair;

use super::phis::remove_redundant_params;
use super::simplify::Flow;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, Function, Inst, InstructionData, Opcode, Value,
};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use gate::Gate;
use invariants::{Peeled, take_from_first_round};
use repair::Repair;
use rustc_hash::{FxHashMap, FxHashSet};
use std::iter::successors;

/// Instructions of a loop's fast paths up to which this is done: all of them may come
/// to be there three times.
const MOST_IN_LOOP: usize = 400;
/// Instructions of a function up to which this is done at all.
const MOST_IN_FUNCTION: usize = 20_000;

/// Does both where it is worth it.  It is known which blocks are cold.  Takes how
/// control flows in the function, and gives how it does then.  There are no aliases, before
/// and after.
pub(super) fn peel_loops(function: &mut Function, flow: Flow) -> Flow {
    if function.dfg.num_insts() > MOST_IN_FUNCTION {
        return flow;
    }
    let mut loops = LoopAnalysis::new();
    loops.compute(function, &flow.graph, &flow.dominators);
    if loops.loops().next().is_none() {
        return flow;
    }
    let mut copies = Copies::default();
    let mut gates = Vec::new();
    for body in innermost(function, &flow, &loops) {
        if let Some(plan) = Plan::of(function, &flow, &body) {
            gates.extend(copies.split(function, &flow, &body, &plan));
        }
    }
    if copies.of.is_empty() {
        return flow;
    }
    let flow = Repair::of(function, &copies).run(function);
    remove_redundant_params(function);
    take_from_first_round(function, &flow, &copies.peeled);
    split_cold_edges(function);
    if !gates.is_empty() {
        for gate in gates {
            gate.use_or_remove(function, &flow);
        }
        remove_redundant_params(function);
    }
    Flow::of(function)
}

/// A loop with its blocks.
struct Body {
    header: Block,
    /// In an order of execution.
    blocks: Vec<Block>,
    all: FxHashSet<Block>,
}

/// The loops that have no other one on their fast paths.
fn innermost(function: &Function, flow: &Flow, loops: &LoopAnalysis) -> Vec<Body> {
    let is_hot = |looped: &Loop| !function.layout.is_cold(loops.loop_header(*looped));
    let around_others: FxHashSet<Loop> = loops
        .loops()
        .filter(is_hot)
        .filter_map(|looped| loops.loop_parent(looped))
        .collect();
    let mut bodies: FxHashMap<Loop, Vec<Block>> = FxHashMap::default();
    for block in flow.dominators.cfg_rpo() {
        let around = successors(loops.innermost_loop(*block), |inner| {
            loops.loop_parent(*inner)
        });
        let hot = around.into_iter().find(is_hot);
        if let Some(looped) = hot.filter(|looped| !around_others.contains(looped)) {
            bodies.entry(looped).or_default().push(*block);
        }
    }
    let mut bodies: Vec<(Loop, Vec<Block>)> = bodies.into_iter().collect();
    bodies.sort_unstable_by_key(|(looped, _)| looped.as_u32());
    let body = |(looped, blocks): (Loop, Vec<Block>)| Body {
        header: loops.loop_header(looped),
        all: blocks.iter().copied().collect(),
        blocks,
    };
    bodies.into_iter().map(body).collect()
}

/// What is duplicated of a loop.
struct Plan {
    /// The fast paths: what leads from the header to it without a cold block.
    fast: Vec<Block>,
    /// Those of them that slow paths lead to.
    behind_slow: FxHashSet<Block>,
}

impl Plan {
    fn of(function: &Function, flow: &Flow, body: &Body) -> Option<Plan> {
        let is_cold = |block: Block| function.layout.is_cold(block);
        let follow = |from: Vec<Block>, goes_to: &dyn Fn(Block) -> bool| {
            let mut seen: FxHashSet<Block> = FxHashSet::default();
            let mut open = from;
            while let Some(block) = open.pop() {
                for next in flow.graph.succ_iter(block) {
                    let stays = next != body.header && body.all.contains(&next);
                    if stays && goes_to(next) && seen.insert(next) {
                        open.push(next);
                    }
                }
            }
            seen
        };
        let mut fast = follow(vec![body.header], &|block| !is_cold(block));
        fast.insert(body.header);
        let comes_round = |block: &Block| flow.graph.succ_iter(*block).any(|to| to == body.header);
        if !fast.iter().any(comes_round) {
            return None;
        }
        let slow: Vec<Block> = body
            .blocks
            .iter()
            .copied()
            .filter(|block| !fast.contains(block))
            .collect();
        let mut behind_slow = follow(slow, &|_| true);
        behind_slow.retain(|block| fast.contains(block));
        let loads = |block: &Block| {
            let mut insts = function.layout.block_insts(*block);
            insts.any(|inst| function.dfg.insts[inst].opcode() == Opcode::Load)
        };
        // A loop that neither has slow paths nor looks at memory gains nothing.
        if behind_slow.is_empty() && !fast.iter().any(loads) {
            return None;
        }
        let mut count = 0;
        for block in &fast {
            count += function.layout.block_insts(*block).count();
            let mut insts = function.layout.block_insts(*block);
            if insts.any(|inst| function.dfg.insts[inst].opcode().is_call()) {
                return None;
            }
            if !can_be_duplicated(function, *block) {
                return None;
            }
        }
        if count > MOST_IN_LOOP {
            return None;
        }
        Some(Plan {
            fast: body
                .blocks
                .iter()
                .copied()
                .filter(|block| fast.contains(block))
                .collect(),
            behind_slow,
        })
    }
}

fn can_be_duplicated(function: &Function, block: Block) -> bool {
    let last = function.layout.last_inst(block);
    last.is_some_and(|last| {
        matches!(
            function.dfg.insts[last].opcode(),
            Opcode::Jump | Opcode::Brif | Opcode::BrTable
        )
    })
}

/// The copies that were made.
#[derive(Default)]
struct Copies {
    /// By block, without the block itself.
    of: FxHashMap<Block, Vec<Copy>>,
    /// What a block is a copy of.
    original: FxHashMap<Block, Block>,
    /// The branches of copies that leave their loop, by where they lead.
    exits: FxHashMap<Block, Vec<Inst>>,
    /// The loops whose first rounds were peeled off.
    peeled: Vec<Peeled>,
}

/// A copy of a block, and what stands there for its values.
struct Copy {
    block: Block,
    values: FxHashMap<Value, Value>,
    /// What stores in the block, with what does in the copy.
    stores: Vec<(Inst, Inst)>,
}

impl Copies {
    /// Duplicates what is planned, and leads control through it.
    fn split(
        &mut self,
        function: &mut Function,
        flow: &Flow,
        body: &Body,
        plan: &Plan,
    ) -> Option<Gate> {
        let header = body.header;
        let outside = flow.graph.pred_iter(header);
        let outside = outside.filter(|way| !body.all.contains(&way.block));
        let mut entries: Vec<Inst> = outside.map(|way| way.inst).collect();
        // A loop before this one, of which there are copies now, may lead here at once.
        entries.extend(self.exits.remove(&header).unwrap_or_default());
        let peeled = self.copy(function, &plan.fast, false);
        let entry = peeled[&header];
        let behind: Vec<Block> = plan
            .fast
            .iter()
            .copied()
            .filter(|block| plan.behind_slow.contains(block))
            .collect();
        let behind = self.copy(function, &behind, true);
        for copy in peeled.values().chain(behind.values()) {
            self.note_exits(function, body, *copy);
        }
        for way in entries {
            redirect(function, way, |to| (to == header).then_some(entry));
        }
        let ends = |function: &Function, blocks: Vec<Block>| {
            let last = |block| function.layout.last_inst(block);
            blocks.into_iter().filter_map(last).collect::<Vec<Inst>>()
        };
        for way in ends(function, peeled.values().copied().collect()) {
            redirect(function, way, |to| {
                peeled.get(&to).copied().filter(|_| to != header)
            });
        }
        let slow = body.blocks.iter().copied();
        let slow = slow.filter(|block| !plan.fast.contains(block));
        for way in ends(function, slow.chain(behind.values().copied()).collect()) {
            redirect(function, way, |to| match to == header {
                true => Some(entry),
                false => behind.get(&to).copied(),
            });
        }
        let copies = plan.fast.iter().flat_map(|block| {
            let copies = self.of[block].iter();
            copies.filter(|copy| copy.block == peeled[block])
        });
        let first = copies.clone().flat_map(|copy| &copy.values);
        self.peeled.push(Peeled {
            header,
            blocks: plan.fast.clone(),
            first: first.map(|(value, copy)| (*value, *copy)).collect(),
            stores: copies.flat_map(|copy| copy.stores.clone()).collect(),
        });
        let peeled_ends = ends(function, peeled.values().copied().collect());
        Gate::before(function, header, &plan.fast, entry, &peeled_ends)
    }

    fn note_exits(&mut self, function: &Function, body: &Body, copy: Block) {
        let Some(last) = function.layout.last_inst(copy) else {
            return;
        };
        for target in function.block_successors(copy) {
            if !body.all.contains(&target) {
                self.exits.entry(target).or_default().push(last);
            }
        }
    }

    /// Copies blocks; the copies still lead where the originals do.
    fn copy(
        &mut self,
        function: &mut Function,
        blocks: &[Block],
        is_cold: bool,
    ) -> FxHashMap<Block, Block> {
        let mut made = FxHashMap::default();
        for block in blocks {
            let copy = copy_block(function, *block);
            if is_cold {
                function.layout.set_cold(copy.block);
            }
            made.insert(*block, copy.block);
            self.original.insert(copy.block, *block);
            self.of.entry(*block).or_default().push(copy);
        }
        made
    }
}

/// A block before a loop's header, which gives that what it is given.
fn entry_of(function: &mut Function, header: Block) -> Block {
    let entry = function.dfg.make_block();
    function.layout.insert_block(entry, header);
    let mut args: Vec<BlockArg> = Vec::new();
    for param in function.dfg.block_params(header).to_vec() {
        let ty = function.dfg.value_type(param);
        args.push(function.dfg.append_block_param(entry, ty).into());
    }
    let destination = BlockCall::new(header, args, &mut function.dfg.value_lists);
    let jump = function.dfg.make_inst(InstructionData::Jump {
        opcode: Opcode::Jump,
        destination,
    });
    function.layout.append_inst(jump, entry);
    entry
}

fn copy_block(function: &mut Function, block: Block) -> Copy {
    let copy = function.dfg.make_block();
    function.layout.insert_block_after(copy, block);
    let mut values: FxHashMap<Value, Value> = FxHashMap::default();
    for param in function.dfg.block_params(block).to_vec() {
        let ty = function.dfg.value_type(param);
        values.insert(param, function.dfg.append_block_param(copy, ty));
    }
    let mut stores = Vec::new();
    let insts: Vec<Inst> = function.layout.block_insts(block).collect();
    for inst in insts {
        let copied = function.dfg.clone_inst(inst);
        if function.dfg.insts[inst].opcode() == Opcode::Store {
            stores.push((inst, copied));
        }
        if let InstructionData::BranchTable { table, .. } = function.dfg.insts[inst] {
            let mut data = function.dfg.jump_tables[table].clone();
            for call in data.all_branches_mut() {
                *call = call.deep_clone(&mut function.dfg.value_lists);
            }
            let own = function.dfg.jump_tables.push(data);
            if let InstructionData::BranchTable { table, .. } = &mut function.dfg.insts[copied] {
                *table = own;
            }
        }
        let own = |value: Value| values.get(&value).copied().unwrap_or(value);
        function.dfg.map_inst_values(copied, own);
        function.layout.append_inst(copied, copy);
        let place = function.srcloc(inst);
        if !place.is_default() {
            function.set_srcloc(copied, place);
        }
        let results = function.dfg.inst_results(inst).to_vec();
        let copied = function.dfg.inst_results(copied).to_vec();
        values.extend(results.into_iter().zip(copied));
    }
    Copy {
        block: copy,
        values,
        stores,
    }
}

/// Lets a branch lead elsewhere.
fn redirect(function: &mut Function, branch: Inst, to: impl Fn(Block) -> Option<Block>) {
    let dfg = &mut function.dfg;
    let calls =
        dfg.insts[branch].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
    for call in calls {
        if let Some(block) = to(call.block(&dfg.value_lists)) {
            call.set_block(block, &mut dfg.value_lists);
        }
    }
}

/// Puts a cold block of its own on every way to a cold block that is given values
/// there: what only the cold block uses is then computed on that way.
fn split_cold_edges(function: &mut Function) {
    let blocks: Vec<Block> = function.layout.blocks().collect();
    for block in blocks {
        if function.layout.is_cold(block) {
            continue;
        }
        let Some(branch) = function.layout.last_inst(block) else {
            continue;
        };
        let InstructionData::Brif { blocks: calls, .. } = function.dfg.insts[branch] else {
            continue;
        };
        for (position, call) in calls.into_iter().enumerate() {
            let pool = &function.dfg.value_lists;
            if call.len(pool) == 0 || !function.layout.is_cold(call.block(pool)) {
                continue;
            }
            let between = function.dfg.make_block();
            function.layout.insert_block_after(between, block);
            function.layout.set_cold(between);
            let jump = function.dfg.make_inst(InstructionData::Jump {
                opcode: Opcode::Jump,
                destination: call,
            });
            function.layout.append_inst(jump, between);
            let to = BlockCall::new(between, [], &mut function.dfg.value_lists);
            if let InstructionData::Brif { blocks: calls, .. } = &mut function.dfg.insts[branch] {
                calls[position] = to;
            }
        }
    }
}
