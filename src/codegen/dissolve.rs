//! Generators that a loop makes and nobody else sees: parts of the loop.
//!
//! `for x in numbers(10)` calls a generator function, and no other instruction
//! can get hold of what that makes.  So there need be no generator: its slots
//! are variables of the function with the loop, a `yield` goes on with the
//! loop's body, and the loop's next round goes on behind that `yield`.
//!
//! What a program can see stays as it is: the generator's function is on the
//! call stack while its body runs, and what the generator holds is given back
//! where the loop lets go of it.

mod find;

use super::decision::Decision;
use super::func::{self, Start, Translator};
use super::layout::{Layout, SlotSet};
use super::local::Home;
use super::signature::Class;
use super::stack::{Entry, Owner};
use super::{Debug, Unsupported};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use cranelift_frontend::{Switch, Variable};
pub(super) use find::{LoopOverCall, TO_NEXT, TO_START};
use find::{TO_HEAD, loops_over_calls};
use ruff_runtime::bytecode::{FunctionId, Op};

/// Instructions of a generator's body up to which it becomes part of a loop.
const LARGEST: usize = 200;
/// Instructions of generators' bodies that a function takes in: their variables
/// are known in each block of the loops, so what that costs grows faster.
const MOST_INSTRUCTIONS: usize = 600;
/// Generators that a loop asks through others.
const MOST_NESTED: usize = 4;
/// Loops of one function whose generators are parts of it, a bit each.
pub(super) const MOST_LOOPS: usize = u32::BITS as usize;

/// Comparisons that are quicker than a branch table.
const FEW: usize = 3;

/// A generator that is part of a function.
pub(super) struct Dissolved {
    func: FunctionId,
    /// Absent while its body is translated.
    layout: Option<Layout>,
    /// Where its slots are.
    homes: Vec<Home>,
    ever_held: SlotSet,
    /// Where its operands are while it waits.
    waiting: Vec<Home>,
    /// Which `yield` it waits at, if there are several.
    position: Option<Variable>,
    /// Where it and its callees are on the call stack.
    trace: Value,
    callee_trace: Value,
    /// Its beginning, and where it is asked again.
    first: Block,
    next: Block,
    pub frame_size: u32,
    /// The generators that it asks.
    inner: Vec<Dissolved>,
}

impl Dissolved {
    /// All homes that may hold something which is to be given back.
    fn holders(&self, all: &mut Vec<Home>) {
        let homes = self.homes.iter().chain(&self.waiting);
        all.extend(homes.copied().filter(|home| home.says_when_empty()));
        for inner in &self.inner {
            inner.holders(all);
        }
    }
}

/// The loop that a generator is part of, as its body knows it.
pub(super) struct Consumer {
    /// The loop's body, which gets a value in this class.
    element: Block,
    class: Class,
    /// Where the loop goes when the generator has come to its end.
    pub done: Block,
    /// Where an error of the generator goes.
    pub raised: Block,
    position: Option<Variable>,
    /// Where operands are while the generator waits.
    waiting: Vec<Home>,
}

impl<'a, 'b> Translator<'a, 'b, '_> {
    // ---- before the function begins

    /// Decides which loops' generators become parts of this function.
    pub fn choose_parts(&mut self) {
        // Frames that exist already, or outlive a `yield`, keep their generators,
        // and debuggers want to see a generator's lines and variables.
        let has_frame = matches!(self.start, Start::Loop(_) | Start::Resume);
        let is_visible = self.source.debug == Debug::Variables;
        if has_frame || is_visible || self.tools.within.len() >= MOST_NESTED {
            return;
        }
        let program = self.source.program;
        let mut chosen = Vec::new();
        for found in loops_over_calls(program, self.function, &self.layout) {
            let size = program.functions[found.func as usize].code.len();
            let total = self.tools.dissolved_size + size;
            let fits = size <= LARGEST && total <= MOST_INSTRUCTIONS && chosen.len() < MOST_LOOPS;
            let is_known = !self.source.is_strange(found.func);
            if fits && is_known && !self.tools.within.contains(&found.func) {
                self.tools.dissolved_size = total;
                chosen.push(found);
            }
        }
        if !chosen.is_empty() {
            self.layout = func::plan(self.source, self.func, self.start, chosen);
        }
    }

    /// Makes what the chosen loops' generators need.
    pub fn make_parts(&mut self) {
        for part in 0..self.layout.parts.loops.len() {
            self.make_part(self.layout.parts.loops[part]);
        }
    }

    /// Gives the slots of a loop's generator homes in this function, all empty.
    fn make_part(&mut self, found: LoopOverCall) {
        let function = &self.source.program.functions[found.func as usize];
        let has_entry = self.start != Start::Dissolved && !self.function.info.flags.is_top_level;
        let trace = if has_entry {
            self.builder.ins().iadd_imm_s(self.trace, 4)
        } else {
            self.callee_trace
        };
        let yields = function.code.iter().filter(|op| **op == Op::Yield {});
        let mut part = Dissolved {
            func: found.func,
            layout: Some(func::plan(
                self.source,
                found.func,
                Start::Dissolved,
                Vec::new(),
            )),
            homes: Vec::new(),
            ever_held: SlotSet::new(function.slots),
            waiting: Vec::new(),
            position: (yields.count() > 1).then(|| self.declare_word(types::I64)),
            trace,
            callee_trace: self.builder.ins().iadd_imm_s(trace, 4),
            first: self.builder.create_block(),
            next: self.builder.create_block(),
            frame_size: 0,
            inner: Vec::new(),
        };
        part.waiting = self.inside(&mut part, |body| {
            body.make_homes();
            body.make_waiting_homes()
        });
        self.dissolved.push(part);
    }

    /// Lets a translator of a generator's body work in this function.
    fn inside<R>(
        &mut self,
        part: &mut Dissolved,
        work: impl FnOnce(&mut Translator<'a, 'b, '_>) -> R,
    ) -> R {
        let layout = part.layout.take();
        let mut body = Translator::new(
            self.source,
            self.builder,
            part.func,
            Start::Dissolved,
            layout.expect("a body is not within itself"),
            (self.ctx, part.trace),
        );
        body.tools = std::mem::take(&mut self.tools);
        body.tools.within.push(part.func);
        body.callee_trace = part.callee_trace;
        body.homes = std::mem::take(&mut part.homes);
        body.dissolved = std::mem::take(&mut part.inner);
        std::mem::swap(&mut body.ever_held, &mut part.ever_held);
        let result = work(&mut body);
        part.frame_size = body.frame_size();
        let mut tools = body.tools;
        (part.homes, part.inner) = (body.homes, body.dissolved);
        (part.ever_held, part.layout) = (body.ever_held, Some(body.layout));
        tools.within.pop();
        self.tools = tools;
        result
    }

    /// Homes for the operands that a generator's body has while it waits.
    fn make_waiting_homes(&mut self) -> Vec<Home> {
        let mut depth = 0;
        let mut most = 0;
        for (pc, op) in (0u32..).zip(&self.function.code) {
            if let Some(known) = self.layout.depths.get(&pc) {
                depth = *known;
            }
            let effect = op.effect(self.source.program);
            let below = depth.saturating_sub(effect.pops);
            if *op == (Op::Yield {}) {
                most = most.max(below);
            }
            depth = below + effect.pushes;
        }
        let mut home = || {
            let home = Home::Value {
                class: Class::Dynamic,
                first: self.declare_word(types::I64),
                second: self.declare_word(types::I64),
                counted: true,
            };
            self.empty_home(home);
            home
        };
        (0..most).map(|_| home()).collect()
    }

    // ---- in the loop's function

    /// The loop whose generator is a part of this function instead of being made
    /// by the call so many instructions before this one.
    pub fn dissolved_loop(&self, since: u32) -> Option<usize> {
        let call = self.pc.checked_sub(since)?;
        let mut loops = self.layout.parts.loops.iter();
        loops.position(|found| found.call == call)
    }

    /// Starts a loop: the arguments go to the generator's slots.
    pub fn start_dissolved(&mut self, index: usize) {
        let LoopOverCall { call, slot, func } = self.layout.parts.loops[index];
        self.record(Decision::Dissolved { callee: func });
        self.own_all();
        let args = std::mem::take(&mut self.stack);
        self.clear_loop(slot);
        for (param, arg) in args.into_iter().enumerate() {
            let home = self.dissolved[index].homes[param];
            self.fill_home(home, arg);
        }
        // As if it fell into the loop, which it enters behind its head.
        self.block_args(call + TO_HEAD);
        let first = self.dissolved[index].first;
        self.builder.ins().jump(first, &[]);
    }

    /// The head of a loop, and its generator: goes on with the loop's body.
    ///
    /// # Errors
    /// The first instruction of the generator that can't be translated.
    pub fn next_dissolved(&mut self, index: usize, to: u32) -> Result<(), Unsupported> {
        let mut parts = std::mem::take(&mut self.dissolved);
        let part = &mut parts[index];
        self.builder.ins().jump(part.next, &[]);
        let ty = self.source.facts.functions[part.func as usize].yields;
        let class = Class::of(ty);
        let [element, done] = [(); 2].map(|()| self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(element, *word);
        }
        let raised = self.cold_block();
        let consumer = Consumer {
            element,
            class,
            done,
            raised,
            position: part.position,
            waiting: part.waiting.clone(),
        };
        let (first, next) = (part.first, part.next);
        self.inside(part, |body| {
            body.consumer = Some(consumer);
            body.dissolved_body(first, next)
        })?;
        self.dissolved = parts;
        self.builder.switch_to_block(raised);
        self.unwind();
        self.builder.switch_to_block(done);
        self.jump_to(to);
        self.builder.switch_to_block(element);
        let words = self.builder.block_params(element).to_vec();
        self.push(Entry::owned(ty, class, &words));
        Ok(())
    }

    /// Gives back what the generators of the loops in a slot hold.
    pub fn release_parts(&mut self, slot: u32) {
        for part in self.parts_held(slot) {
            self.release_part(part);
        }
    }

    /// Gives back what a loop's generator holds.
    pub fn release_part(&mut self, part: usize) {
        for home in self.holders(part) {
            self.release_home(home, false);
        }
    }

    /// Notes that the generators of the loops in a slot hold nothing.
    pub fn empty_parts(&mut self, slot: u32) {
        for part in self.parts_held(slot) {
            self.empty_part(part);
        }
    }

    fn empty_part(&mut self, part: usize) {
        for home in self.holders(part) {
            self.empty_home(home);
        }
    }

    /// The loops in a slot whose generators may hold something here.
    fn parts_held(&self, slot: u32) -> Vec<usize> {
        let parts = &self.layout.parts;
        let held = |part: &usize| self.holding.maybe.contains(parts.place(*part));
        parts.in_slot(slot).filter(held).collect()
    }

    /// The parts that may hold something here, a bit each.
    pub fn parts_held_here(&self) -> u32 {
        let parts = &self.layout.parts;
        let held = |part: &usize| self.holding.maybe.contains(parts.place(*part));
        (0..parts.loops.len())
            .filter(held)
            .fold(0, |all, part| all | 1 << part)
    }

    fn holders(&self, part: usize) -> Vec<Home> {
        let mut all = Vec::new();
        self.dissolved[part].holders(&mut all);
        all
    }

    // ---- in the generator's body

    /// Translates the body, which begins in the block `first` and goes on in
    /// the block `next`.
    fn dissolved_body(&mut self, first: Block, next: Block) -> Result<(), Unsupported> {
        self.builder.switch_to_block(first);
        self.plan_views();
        self.check_depth();
        self.write_trace();
        self.start_views(0);
        let begin = self.block_at(0);
        self.builder.ins().jump(begin, &[]);

        self.builder.switch_to_block(next);
        self.write_trace();
        self.go_behind_yield();
        self.body()?;
        self.finish();
        Ok(())
    }

    /// Goes on behind the `yield` at which the generator waits.
    fn go_behind_yield(&mut self) {
        let numbered = (0u32..).zip(&self.function.code);
        let mut blocks: Vec<Block> = Vec::new();
        for (pc, _) in numbered.filter(|(_, op)| **op == Op::Yield {}) {
            let block = self.builder.create_block();
            self.resumptions.insert(pc, block);
            blocks.push(block);
        }
        let Some((last, others)) = blocks.split_last() else {
            // It never waits, so nobody asks it again.
            self.never();
            return;
        };
        let consumer = self.consumer.as_ref().expect("the loop that asks");
        if let Some(position) = consumer.position {
            let position = self.word_of(position);
            self.go_to_one_of(position, others, *last);
        } else {
            self.builder.ins().jump(*last, &[]);
        }
    }

    /// Goes to the block with this number, or to the last one behind them.
    fn go_to_one_of(&mut self, number: Value, blocks: &[Block], last: Block) {
        if blocks.len() > FEW {
            let mut switch = Switch::new();
            for (number, block) in blocks.iter().enumerate() {
                switch.set_entry(number as u128, *block);
            }
            switch.emit(self.builder, number, last);
            return;
        }
        for (wanted, block) in blocks.iter().enumerate() {
            let found = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::Equal, number, wanted as i64);
            let next = self.builder.create_block();
            self.builder.ins().brif(found, *block, &[], next, &[]);
            self.switch_sealed(next);
        }
        self.builder.ins().jump(last, &[]);
    }

    /// Hands the top to the loop's body; goes on here in its next round.
    pub fn yield_to_loop(&mut self) {
        self.own_all();
        let value = self.pop_owned();
        let consumer = self.consumer.take().expect("the loop that asks");
        for (entry, home) in self.stack.clone().into_iter().zip(&consumer.waiting) {
            self.fill_home(*home, entry);
        }
        if let Some(position) = consumer.position {
            let number = self.iconst(self.yields_before() as i64);
            self.set_word(position, number);
        }
        let words = self.in_class(value, consumer.class);
        let words: Vec<BlockArg> = words.into_iter().map(BlockArg::Value).collect();
        self.builder.ins().jump(consumer.element, &words);
        self.builder.switch_to_block(self.resumptions[&self.pc]);
        for (index, home) in consumer.waiting.iter().enumerate().take(self.stack.len()) {
            let Home::Value { first, second, .. } = *home else {
                unreachable!("operands wait as values");
            };
            let (tag, payload) = (self.word_of(first), self.word_of(second));
            let ty = self.stack[index].ty;
            self.stack[index] = self.entry_from_words(ty, tag, payload, Owner::Entry);
            self.empty_home(*home);
        }
        self.push(Entry::null());
        self.consumer = Some(consumer);
    }

    /// Leaves the body for good; what it held was given back.
    pub fn leave_dissolved(&mut self, to: Block) {
        for home in self.homes.clone() {
            self.empty_home(home);
        }
        for part in 0..self.dissolved.len() {
            self.empty_part(part);
        }
        self.builder.ins().jump(to, &[]);
    }
}
