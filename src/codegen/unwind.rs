//! The ways that errors go: to a handler, or out of the function.

use super::dissolve::MOST_LOOPS;
use super::func::{Start, Translator};
use super::signature::{self, Class};
use crate::modules::Table;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::context::ORIGIN_OFFSET;
use ruff_runtime::value::RAISED;
use std::collections::BTreeMap;

/// A way that errors go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Way {
    /// The handler; `None` is out of the function.
    target: Option<u32>,
    /// Out of the function: the parts that may hold something, a bit each.
    parts: u32,
    /// Out of the function: how many slots, from the first on, may hold something.
    slots: u32,
}

impl Translator<'_, '_, '_> {
    /// Goes on only if `raised` is zero; otherwise gives back the operands that
    /// are owned here and goes to the handler, or out of the function.
    pub fn raise_if(&mut self, raised: Value) {
        let (cold, go_on) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(raised, cold, &[], go_on, &[]);
        self.switch_sealed(cold);
        self.unwind();
        self.switch_sealed(go_on);
    }

    /// The function and the instruction, as traces have them.
    fn place_here(&mut self) -> Value {
        if self.source.alone.is_none() {
            return self.iconst((i64::from(self.func) << 32) | i64::from(self.pc));
        }
        let func = self.number(Table::Functions, self.func);
        let func = self.builder.ins().ishl_imm_u(func, 32);
        self.builder.ins().bor_imm_u(func, i64::from(self.pc))
    }

    /// Gives back the operands and goes to the handler or out; an error is pending.
    pub fn unwind(&mut self) {
        let handler = self.source.program.handler(self.func, self.pc);
        let kept = handler.map_or(0, |handler| handler.depth as usize);
        for index in kept..self.stack.len() {
            self.release_entry(self.stack[index]);
        }
        let place = self.place_here();
        let mut args = vec![BlockArg::Value(place)];
        for index in 0..kept {
            let entry = self.own(self.stack[index]);
            args.extend(
                self.in_class(entry, Class::Dynamic)
                    .into_iter()
                    .map(BlockArg::Value),
            );
        }
        let way = match handler {
            Some(handler) => Way {
                target: Some(handler.target),
                parts: 0,
                slots: 0,
            },
            None => Way {
                target: None,
                parts: self.parts_held_here(),
                slots: self.slots_held_here(),
            },
        };
        let unwinder = self.unwinder(way, kept);
        self.builder.ins().jump(unwinder, &args);
    }

    fn unwinder(&mut self, way: Way, kept: usize) -> Block {
        if let Some(block) = self.unwinders.get(&way) {
            return *block;
        }
        let block = self.cold_block();
        for _ in 0..1 + 2 * kept {
            self.builder.append_block_param(block, types::I64);
        }
        self.unwinders.insert(way, block);
        block
    }

    /// How many slots, from the first on, may hold something while the present
    /// instruction is executed.
    fn slots_held_here(&self) -> u32 {
        let mut after = self.holding.clone();
        let op = &self.function.code[self.pc as usize];
        after.step(op, self.pc, &self.layout.parts);
        let last_before = self.holding.maybe.last_common(&self.ever_held);
        let last_after = after.maybe.last_common(&self.ever_held);
        last_before.max(last_after).map_or(0, |slot| slot + 1)
    }

    /// Emits the unwinders: to handlers, and out of the function.
    pub fn finish(&mut self) {
        let mut unwinders: Vec<(Way, Block)> = self.unwinders.drain().collect();
        unwinders.sort();
        let mut exits = BTreeMap::new();
        for (way, block) in unwinders {
            match way.target {
                Some(target) => self.go_to_handler(target, block),
                None if way.parts == 0 => {
                    exits.insert(way.slots, block);
                }
                None => self.give_parts_back(way, block, &mut exits),
            }
        }
        if let Some((slots, first)) = exits.pop_last() {
            self.leave_raised(slots, first, &exits);
        }
    }

    /// Notes the position and goes to the handler.
    fn go_to_handler(&mut self, target: u32, block: Block) {
        self.builder.switch_to_block(block);
        let params: Vec<Value> = self.builder.block_params(block).to_vec();
        self.locate(params[0]);
        let handler = self.block_at(target);
        let args = params[1..].iter().map(|value| BlockArg::Value(*value));
        let args: Vec<BlockArg> = args.collect();
        self.builder.ins().jump(handler, &args);
    }

    /// Gives back what the parts hold, then goes where the slots are given back.
    fn give_parts_back(&mut self, way: Way, block: Block, exits: &mut BTreeMap<u32, Block>) {
        self.builder.switch_to_block(block);
        let place = self.builder.block_params(block)[0];
        for part in (0..MOST_LOOPS).filter(|part| way.parts & 1 << part != 0) {
            self.release_part(part);
        }
        // With parts, a way comes behind the one without.
        let exit = *exits.entry(way.slots).or_insert_with(|| {
            let exit = self.builder.create_block();
            self.builder.set_cold_block(exit);
            self.builder.append_block_param(exit, types::I64);
            exit
        });
        self.builder.ins().jump(exit, &[BlockArg::Value(place)]);
    }

    /// Gives the slots back from the last to the first, and leaves: whoever
    /// knows that the last ones hold nothing comes in further down.
    fn leave_raised(&mut self, slots: u32, first: Block, others: &BTreeMap<u32, Block>) {
        self.builder.switch_to_block(first);
        let mut place = self.builder.block_params(first)[0];
        for slot in (0..=slots).rev() {
            // All slots before this one are still to be given back.
            if let Some(block) = others.get(&slot) {
                self.builder.ins().jump(*block, &[BlockArg::Value(place)]);
                self.builder.switch_to_block(*block);
                place = self.builder.block_params(*block)[0];
            }
            if let Some(slot) = slot.checked_sub(1)
                && self.ever_held.contains(slot)
            {
                self.release_home(self.homes[slot as usize], false);
            }
        }
        self.locate(place);
        self.return_raised();
    }

    /// Notes where the pending error was raised, unless a callee has done so.
    fn locate(&mut self, place: Value) {
        let origin = self.load_context(ORIGIN_OFFSET);
        let (unknown, known) = (self.cold_block(), self.cold_block());
        self.builder.ins().brif(origin, known, &[], unknown, &[]);
        self.builder.switch_to_block(unknown);
        self.call_helper(Helper::Locate, &[self.ctx, place, self.callee_trace]);
        self.builder.ins().jump(known, &[]);
        self.builder.switch_to_block(known);
    }

    /// Returns with an error pending.
    pub fn return_raised(&mut self) {
        if let Some(consumer) = &self.consumer {
            self.leave_dissolved(consumer.raised);
            return;
        }
        self.finish_generator();
        let raised = self.iconst(RAISED as i64);
        let zero = self.iconst(0);
        if self.start != Start::Call {
            self.builder.ins().return_(&[raised, zero]);
            return;
        }
        let mut results = vec![raised];
        for word in &signature::results(self.source, self.func)[1..] {
            results.push(match *word {
                types::F64 => self.builder.ins().f64const(0.0),
                types::I8 => self.builder.ins().iconst(types::I8, 0),
                _ => zero,
            });
        }
        self.builder.ins().return_(&results);
    }
}
