//! What a loop does not work with waits in memory.
//!
//! The register allocator weighs uses by how deep in loops they are, cold blocks
//! or not.  So the array that an error message would need occupies a register
//! all through a loop, and what the loop works with moves to and fro.  A value
//! from outside a loop that only cold blocks inside use is written to the frame
//! where it is made, and those blocks read it there.
//!
//! Nor does the allocator take a value that is merely used behind a loop out of
//! the way before the loop: where registers run out, it moves it within.  So in
//! loops that need more registers than there are, such values are written to the
//! frame too, and what lies behind the loop reads them there.
//!
//! And it takes the values that a variable has one after the other for one, which it
//! keeps in memory as a whole where one of them lives through a call that changes all
//! registers for floats.  So what a loop has computed waits in memory behind it.

mod floats;
mod through;

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::{
    Block, Function, Inst, InstBuilder, MemFlagsData, Opcode, StackSlot, StackSlotData,
    StackSlotKind, Type, Value, ValueDef, types,
};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use rustc_hash::{FxHashMap, FxHashSet};

/// Values of one function that wait in memory at most.
const MOST_PARKED: usize = 64;

/// Lets values wait in memory.  The function was just optimised, so its dominators are
/// known, and has no aliases; its loops are known, too.
pub(super) fn park(context: &mut Context) {
    let (function, loops) = (&mut context.func, &context.loop_analysis);
    if loops.loops().next().is_none() {
        return;
    }
    let mut parked = Parked::default();
    for uses in cold_uses(function, loops) {
        parked.park(function, &uses);
    }
    for uses in through::uses(function, &context.cfg, loops) {
        parked.park(function, &uses);
    }
    let flow = (&context.cfg, &context.domtree);
    for uses in floats::uses(function, flow, loops) {
        parked.park(function, &uses);
    }
}

/// A block's uses of a value.
struct Uses {
    value: Value,
    /// The block at whose beginning it is written, if that is not where it is made.
    written: Option<Block>,
    /// In their order.
    users: Vec<Inst>,
}

/// The values that wait, and where, by the block that writes them if that is not
/// where they are made.
#[derive(Default)]
struct Parked(FxHashMap<(Value, Option<Block>), StackSlot>);

impl Parked {
    /// Lets a value's users in a block read it from memory.
    fn park(&mut self, function: &mut Function, uses: &Uses) {
        let slots = &mut self.0;
        let place = (uses.value, uses.written);
        if slots.len() == MOST_PARKED && !slots.contains_key(&place) {
            return;
        }
        let ty = function.dfg.value_type(uses.value);
        let slot = *slots
            .entry(place)
            .or_insert_with(|| write(function, place, ty));
        let Some(first) = uses.users.first() else {
            return;
        };
        let mut cursor = FuncCursor::new(function).at_inst(*first);
        let address = cursor.ins().stack_addr(types::I64, slot, 0);
        let read = cursor.ins().load(ty, MemFlagsData::trusted(), address, 0);
        for user in &uses.users {
            function.dfg.map_inst_values(
                *user,
                |used| {
                    if used == uses.value { read } else { used }
                },
            );
        }
    }
}

/// What cold blocks in loops use of what comes from outside the loop and nothing
/// else in it uses.
fn cold_uses(function: &Function, loops: &LoopAnalysis) -> Vec<Uses> {
    let candidates = used_cold(function, loops);
    if candidates.is_empty() {
        return Vec::new();
    }
    let mut used_hot: FxHashSet<(Value, Loop)> = FxHashSet::default();
    for block in function.layout.blocks() {
        if loops.innermost_loop(block).is_none() || function.layout.is_cold(block) {
            continue;
        }
        let around = loops_around(loops, block);
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                if !candidates.contains(value) {
                    continue;
                }
                let home = home(function, value);
                let outside = around
                    .iter()
                    .filter(|around| home.is_some_and(|home| !loops.is_in_loop(home, **around)));
                used_hot.extend(outside.map(|around| (value, *around)));
            }
        }
    }
    let mut uses = Vec::new();
    for block in function.layout.blocks() {
        let Some(innermost) = loops.innermost_loop(block) else {
            continue;
        };
        if !function.layout.is_cold(block) {
            continue;
        }
        let mut in_block: Vec<Uses> = Vec::new();
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                if !candidates.contains(value)
                    || used_hot.contains(&(value, innermost))
                    || !can_wait(function, loops, value, innermost)
                {
                    continue;
                }
                match in_block.iter_mut().find(|uses| uses.value == value) {
                    Some(uses) if uses.users.last() == Some(&inst) => {}
                    Some(uses) => uses.users.push(inst),
                    None => in_block.push(Uses {
                        value,
                        written: None,
                        users: vec![inst],
                    }),
                }
            }
        }
        uses.append(&mut in_block);
    }
    uses
}

/// What cold blocks in loops use of what is made outside.
fn used_cold(function: &Function, loops: &LoopAnalysis) -> EntitySet<Value> {
    let mut used = EntitySet::new();
    for block in function.layout.blocks() {
        let Some(innermost) = loops.innermost_loop(block) else {
            continue;
        };
        if !function.layout.is_cold(block) {
            continue;
        }
        let insts = function.layout.block_insts(block);
        let values = insts.flat_map(|inst| function.dfg.inst_values(inst));
        for value in values {
            if can_wait(function, loops, value, innermost) {
                used.insert(value);
            }
        }
    }
    used
}

/// The loops that a block is in, the innermost first.
pub(super) fn loops_around(loops: &LoopAnalysis, block: Block) -> Vec<Loop> {
    std::iter::successors(loops.innermost_loop(block), |inner| {
        loops.loop_parent(*inner)
    })
    .collect()
}

/// Whether a value is made outside the loop, and is not simply made anew.
fn can_wait(function: &Function, loops: &LoopAnalysis, value: Value, inner: Loop) -> bool {
    home(function, value).is_some_and(|block| !loops.is_in_loop(block, inner))
}

/// The block where a value is made that can be written to memory, and is not
/// simply made anew.
fn home(function: &Function, value: Value) -> Option<Block> {
    let ty = function.dfg.value_type(value);
    if !(ty.is_int() && ty.bits() <= 64 || ty == types::F64) {
        return None;
    }
    match function.dfg.value_def(value) {
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Result(inst, _) => {
            let is_cheap = matches!(
                function.dfg.insts[inst].opcode(),
                Opcode::Iconst | Opcode::StackAddr | Opcode::F64const
            );
            function.layout.inst_block(inst).filter(|_| !is_cheap)
        }
        ValueDef::Union(..) => None,
    }
}

/// Writes a value into a slot of its own as soon as it is there, or in a block.
fn write(function: &mut Function, (value, block): (Value, Option<Block>), ty: Type) -> StackSlot {
    let slot = function.create_sized_stack_slot(StackSlotData::new(
        StackSlotKind::ExplicitSlot,
        ty.bytes(),
        ty.bytes().trailing_zeros() as u8,
    ));
    let cursor = FuncCursor::new(function);
    let mut cursor = match (block, cursor.func.dfg.value_def(value)) {
        (Some(block), _) | (None, ValueDef::Param(block, _)) => {
            cursor.at_first_insertion_point(block)
        }
        (None, ValueDef::Result(inst, _)) => cursor.after_inst(inst),
        (None, ValueDef::Union(..)) => unreachable!("an optimised function has no unions"),
    };
    let address = cursor.ins().stack_addr(types::I64, slot, 0);
    cursor
        .ins()
        .store(MemFlagsData::trusted(), value, address, 0);
    slot
}
