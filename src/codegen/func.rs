//! One function's translation: set-up, the walk over its instructions, calls
//! of helpers.

use super::dissolve::{Consumer, Dissolved, LoopOverCall};
use super::foreign;
use super::iterate::Rotated;
use super::layout::{self, Holding, Layout, SlotSet};
use super::local::Home;
use super::memory::Part;
use super::mirror::Mirrors;
use super::names::Callee;
use super::signature::{self, Class, MOST_WORDS};
use super::stack::{Entry, Owner};
use super::unwind::Way;
use super::view::{self, Views};
use super::walk::Walk;
use super::words::{self, Spilled};
use super::{Source, Unsupported};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, Block, BlockArg, ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData,
    StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use ruff_runtime::abi::{Helper, Raises, Returns};
use ruff_runtime::bytecode::{Function, FunctionId, Op};
use ruff_runtime::context::{STACK_LIMIT_OFFSET, TRACE_LIMIT_OFFSET, TRACE_TOP_OFFSET};
use ruff_runtime::value::{RAISED, Tag};
use rustc_hash::{FxHashMap, FxHashSet};

/// How the translated function is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From its beginning, with arguments in registers.
    Call,
    /// At a loop head, with the slots in memory.
    Loop(u32),
    /// A generator's body, from its beginning or behind the `yield` it waits at.
    Resume,
    /// A generator's body in the middle of the loop that asks it (`dissolve`).
    Dissolved,
}

/// Words of slots and operands from which on the machine stack is checked:
/// `MAX_CALL_DEPTH` smaller frames fit into the stack in any case.
const LARGE_FRAME: u32 = 1000;

/// The state of one translation.
pub(super) struct Translator<'a, 'b, 'c> {
    pub source: Source<'a>,
    pub builder: &'c mut FunctionBuilder<'b>,
    pub tools: Tools,
    pub func: FunctionId,
    pub function: &'a Function,
    pub start: Start,
    pub layout: Layout,
    pub ctx: Value,
    /// Where this function's own entry of the call stack is.
    pub trace: Value,
    /// Where its callees' entries go.
    pub callee_trace: Value,
    /// The function object, if it has captures.
    pub callee: Option<Value>,
    pub stack: Vec<Entry>,
    pub homes: Vec<Home>,
    pub mirrors: Mirrors,
    /// What the slots hold here.
    pub holding: Holding,
    pub views: Views,
    pub pc: u32,
    blocks: FxHashMap<u32, Block>,
    /// The loops over ranges and arrays that were begun, by their heads.
    pub rotated: FxHashMap<u32, Rotated>,
    /// The loops over arrays of one kind, by their slots.
    pub walks: FxHashMap<u32, Walk>,
    /// The slots of ranges that may have steps of their own, once looked for.
    pub stepping: Option<FxHashSet<u32>>,
    pub unwinders: FxHashMap<Way, Block>,
    /// The loops whose generators are parts of this function.
    pub dissolved: Vec<Dissolved>,
    /// The loop that this generator is a part of.
    pub consumer: Option<Consumer>,
    /// The generator whose body this is, and its frame.
    pub generator: Option<(Value, Value)>,
    /// Where a generator goes on behind each `yield`.
    pub resumptions: FxHashMap<u32, Block>,
    /// The words of the `self` that a method leaves for its caller.
    pub self_words: Vec<Variable>,
    /// Slots that were ever counted, for the way out after an error.
    pub ever_held: SlotSet,
}

/// What is the same for all bodies that are translated into one function.
#[derive(Default)]
pub(super) struct Tools {
    /// Which literal an SSA value is.
    pub literals: FxHashMap<Value, u32>,
    callees: FxHashMap<Callee, FuncRef>,
    /// Room for values that go to a helper in memory.
    scratch: Option<StackSlot>,
    scratch_size: u32,
    /// Room for a variable that a helper changes.
    places: Vec<StackSlot>,
    /// Room for what a variant carries, while it becomes an object.
    variant: Option<StackSlot>,
    /// The variables, if they are not in SSA.
    pub spilled: Option<Spilled>,
    /// The generators that the present body is in the middle of.
    pub within: Vec<FunctionId>,
    /// Instructions of generators' bodies that are parts of this function.
    pub dissolved_size: usize,
}

/// Memory that nothing but this instruction's operands can reach and that is
/// always there: no trap, aligned.
pub(super) fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

pub(super) fn translate(
    source: Source,
    func: FunctionId,
    start: Start,
) -> Result<ir::Function, Unsupported> {
    let function = &source.program.functions[func as usize];
    let is_generator = function.info.flags.is_generator;
    let refused = |why| {
        let op = function.code.first().copied().unwrap_or(Op::Null {});
        Err(Unsupported { op, why })
    };
    if is_generator && start != Start::Resume {
        return refused("an interpreted generator stays interpreted");
    }
    if source.is_strange(func) {
        return refused("it stands for another module's function");
    }
    let signature = match start {
        Start::Call | Start::Resume | Start::Dissolved => signature::direct(source, func),
        Start::Loop(_) => signature::generic(source.isa),
    };
    let mut result = ir::Function::with_name_signature(
        ir::UserFuncName::User(Callee::Direct(func).external_name()),
        signature,
    );
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params = builder.block_params(entry).to_vec();
    let places = (params[0], params[1]);
    let layout = plan(source, func, start, Vec::new());
    let mut translator = Translator::new(source, &mut builder, func, start, layout, places);
    translator.tools.spilled = words::memory(source, translator.builder, func);
    translator.enter(&params);
    translator.body()?;
    translator.finish();
    builder.seal_all_blocks();
    builder.finalize(source.isa.frontend_config());
    Ok(result)
}

impl<'a, 'b, 'c> Translator<'a, 'b, 'c> {
    /// Prepares the translation of a function that is entered with this context
    /// and this place in the call stack.
    pub fn new(
        source: Source<'a>,
        builder: &'c mut FunctionBuilder<'b>,
        func: FunctionId,
        start: Start,
        layout: Layout,
        (ctx, trace): (Value, Value),
    ) -> Self {
        let function = &source.program.functions[func as usize];
        Translator {
            source,
            builder,
            tools: Tools::default(),
            func,
            function,
            start,
            layout,
            ctx,
            trace,
            callee_trace: trace,
            callee: None,
            stack: Vec::new(),
            homes: Vec::new(),
            mirrors: Mirrors::default(),
            holding: at_start(source, func, start),
            views: Views::default(),
            pc: first_instruction(function, start),
            blocks: FxHashMap::default(),
            rotated: FxHashMap::default(),
            walks: FxHashMap::default(),
            stepping: None,
            unwinders: FxHashMap::default(),
            dissolved: Vec::new(),
            consumer: None,
            generator: None,
            resumptions: FxHashMap::default(),
            self_words: Vec::new(),
            ever_held: SlotSet::new(function.slots),
        }
    }

    /// The prologue: the call stack, the limits, the parameters.
    fn enter(&mut self, params: &[Value]) {
        self.make_homes();
        if view::has_views(self.start) {
            self.plan_views();
        }
        match self.start {
            Start::Call => {
                let first = if self.function.captures.is_empty() {
                    2
                } else {
                    self.callee = Some(params[2]);
                    3
                };
                self.receive_params(&params[first..]);
                self.check_depth();
            }
            Start::Loop(_) => {
                self.callee = Some(params[2]);
                self.receive_slots(params[3]);
            }
            Start::Resume => return self.enter_generator(params[2]),
            Start::Dissolved => unreachable!("it is not entered by a call"),
        }
        self.mirror_surroundings();
        self.enter_trace();
        self.start_views(self.pc);
        let first = self.block_at(self.pc);
        self.builder.ins().jump(first, &[]);
    }

    /// Puts the function on the call stack.
    pub fn enter_trace(&mut self) {
        if !self.function.info.flags.is_top_level {
            self.write_trace();
            self.callee_trace = self.builder.ins().iadd_imm_s(self.trace, 4);
        }
    }

    /// Writes the function's number to its entry of the call stack.
    pub fn write_trace(&mut self) {
        let id = self.number_as(types::I32, Table::Functions, self.func);
        let flags = Part::Trace.flags(self.builder.func);
        self.builder.ins().store(flags, id, self.trace, 0);
    }

    /// Raises an error if this call is nested too deep.  It counts as raised
    /// by the caller, whose frame notes the position.
    pub fn check_depth(&mut self) {
        if self.function.info.flags.is_top_level {
            return;
        }
        let limit = self.load_context(TRACE_LIMIT_OFFSET);
        let mut too_deep =
            self.builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThanOrEqual, self.trace, limit);
        if self.frame_size() > LARGE_FRAME || self.source.is_hosted() {
            let stack = self.builder.ins().get_stack_pointer(types::I64);
            let limit = self.load_context(STACK_LIMIT_OFFSET);
            let low = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThan, stack, limit);
            too_deep = self.builder.ins().bor(too_deep, low);
        }
        let (raise, go_on) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(too_deep, raise, &[], go_on, &[]);
        self.switch_sealed(raise);
        let id = self.number(Table::Functions, self.func);
        self.call_helper(Helper::DepthExceeded, &[self.ctx, id]);
        if let Some(consumer) = &self.consumer {
            // The loop has the generator, and with it the arguments.
            self.builder.ins().jump(consumer.raised, &[]);
        } else {
            let holding = self.holding.clone();
            self.release_slots(&holding);
            self.return_raised();
        }
        self.switch_sealed(go_on);
    }

    /// Words of slots and operands.
    pub fn frame_size(&self) -> u32 {
        let dissolved: u32 = self.dissolved.iter().map(|part| part.frame_size).sum();
        self.function.slots + self.function.max_stack + dissolved
    }

    /// The walk over the instructions.
    pub fn body(&mut self) -> Result<(), Unsupported> {
        for pc in self.pc_order() {
            self.pc = pc;
            self.step_views(pc);
            if self.layout.leaders[pc as usize] {
                self.start_block(pc);
            }
            if self.builder.is_unreachable() || self.ended() {
                continue;
            }
            let op = self.function.code[pc as usize];
            self.note_place(pc);
            self.op(op)?;
            self.holding.step(&op, pc, &self.layout.parts);
        }
        self.note_no_place();
        Ok(())
    }

    /// All instructions, in order.
    fn pc_order(&self) -> std::ops::Range<u32> {
        0..self.function.code.len() as u32
    }

    /// Whether the present block has its last instruction.
    pub fn ended(&self) -> bool {
        self.builder.current_block().is_none_or(|block| {
            self.builder
                .func
                .layout
                .last_inst(block)
                .is_some_and(|last| self.builder.func.dfg.insts[last].opcode().is_terminator())
        })
    }

    fn start_block(&mut self, pc: u32) {
        let reachable = self.layout.holding.contains_key(&pc);
        if !self.ended() {
            if reachable {
                self.jump_to(pc);
            } else {
                self.never();
            }
        }
        if !reachable {
            return;
        }
        let block = self.block_at(pc);
        self.builder.switch_to_block(block);
        self.holding = self.layout.holding[&pc].clone();
        let params: Vec<Value> = self.builder.block_params(block).to_vec();
        self.stack = self.entries_at(pc, &params);
    }

    /// The block of a leader; its parameters are the operands there.
    pub fn block_at(&mut self, pc: u32) -> Block {
        if let Some(block) = self.blocks.get(&pc) {
            return *block;
        }
        let block = self.builder.create_block();
        for class in self.classes_at(pc) {
            for word in class.words().iter() {
                self.builder.append_block_param(block, *word);
            }
        }
        self.blocks.insert(pc, block);
        block
    }

    /// Classes of the operands on entry to a leader.
    fn classes_at(&self, pc: u32) -> Vec<Class> {
        let depth = self.layout.depths.get(&pc).copied().unwrap_or(0) as usize;
        match self.source.facts.functions[self.func as usize]
            .stacks
            .get(&pc)
        {
            Some(types) if types.len() == depth => {
                types.iter().map(|ty| self.class_of(*ty)).collect()
            }
            _ => vec![Class::Dynamic; depth],
        }
    }

    fn entries_at(&self, pc: u32, params: &[Value]) -> Vec<Entry> {
        let types = self.source.facts.functions[self.func as usize]
            .stacks
            .get(&pc);
        let mut rest = params;
        let mut entries = Vec::new();
        for (index, class) in self.classes_at(pc).into_iter().enumerate() {
            let (words, after) = rest.split_at(class.words().len());
            rest = after;
            let ty = types
                .and_then(|types| types.get(index))
                .copied()
                .unwrap_or(crate::infer::Type::ANY);
            entries.push(Entry::owned(ty, class, words));
        }
        entries
    }

    /// Jumps to a leader with the operands that it expects.
    pub fn jump_to(&mut self, pc: u32) {
        let block = self.block_at(pc);
        let args = self.block_args(pc);
        self.builder.ins().jump(block, &args);
    }

    /// The operands for a leader, owned and in its classes.
    pub fn block_args(&mut self, pc: u32) -> Vec<BlockArg> {
        let classes = self.classes_at(pc);
        debug_assert_eq!(classes.len(), self.stack.len(), "operand depth at {pc}");
        let mut args = Vec::new();
        for (index, class) in classes.into_iter().enumerate() {
            if !class.is_apart() {
                // One object for both ways, if there are two.
                self.make_whole(index);
            }
            let mut entry = self.stack[index];
            if class.is_apart() {
                let words = self.in_class(entry, class);
                let owner = match class {
                    Class::Sum(_) => entry.owner,
                    _ => Owner::Entry,
                };
                entry = Entry::borrowed(entry.ty, class, &words, owner);
            }
            let entry = self.own(entry);
            self.stack[index] = entry;
            args.extend(self.in_class(entry, class).into_iter().map(BlockArg::Value));
        }
        // Behind the operands, which may have become owners of what is viewed.
        if pc >= self.pc {
            self.enter_views(pc);
        }
        args
    }

    // ---- calls of helpers

    /// A callee's reference in this function.
    pub fn callee_ref(&mut self, callee: Callee) -> FuncRef {
        if let Some(known) = self.tools.callees.get(&callee) {
            return *known;
        }
        let signature = match callee {
            Callee::Direct(func) | Callee::Apart(func) => signature::direct(self.source, func),
            Callee::Generic(_) | Callee::Numbers => signature::generic(self.source.isa),
            Callee::Helper(helper) => signature::helper(self.source.isa, helper),
            Callee::Foreign(site) => {
                let site = &self.source.program.foreign_sites[site as usize];
                foreign::signature(self.source.isa, site)
            }
            Callee::Cold(_) => unreachable!("`emit` alone uses stubs"),
        };
        let signature = self.builder.import_signature(signature);
        let name = self
            .builder
            .func
            .declare_imported_user_function(callee.external_name());
        let reference = self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: !matches!(callee, Callee::Helper(_) | Callee::Foreign(_)),
            patchable: false,
        });
        self.tools.callees.insert(callee, reference);
        reference
    }

    /// Calls a helper without asking whether it raised.
    pub fn call_helper(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        if helper.row().runs_code {
            self.builder.ins().store(
                trusted(),
                self.callee_trace,
                self.ctx,
                TRACE_TOP_OFFSET as i32,
            );
        }
        let reference = self.callee_ref(Callee::Helper(helper));
        let call = self.builder.ins().call(reference, args);
        self.builder.inst_results(call).to_vec()
    }

    /// Calls a helper; an error in it goes to the handler or out.  The
    /// operands that the helper takes over must be off the stack by now.  If it
    /// may run code, nothing on the stack may borrow from shared variables any
    /// more; that is seen to before paths divide, not here.
    pub fn call_raising(&mut self, helper: Helper, args: &[Value]) -> Vec<Value> {
        let row = helper.row();
        let results = self.call_helper(helper, args);
        match (row.raises, row.returns) {
            (Raises::Never, _) => {}
            (Raises::Sometimes, Returns::Value) => {
                let raised = self
                    .builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, results[0], RAISED as i64);
                self.raise_if(raised);
            }
            (Raises::Sometimes, _) => self.raise_if(results[0]),
            (Raises::Always, _) => self.unwind(),
        }
        results
    }

    // ---- small tools

    pub fn iconst(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(types::I64, value)
    }

    pub fn tag_word(&mut self, tag: Tag) -> Value {
        self.iconst(tag as u64 as i64)
    }

    /// A word of the context that code may change.
    pub fn load_context(&mut self, offset: usize) -> Value {
        self.builder
            .ins()
            .load(types::I64, trusted(), self.ctx, offset as i32)
    }

    /// A word of the context that never changes while the program runs.
    pub fn load_context_constant(&mut self, offset: usize) -> Value {
        let flags = trusted().with_readonly().with_can_move();
        self.builder
            .ins()
            .load(types::I64, flags, self.ctx, offset as i32)
    }

    pub fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// Goes on in a block that nobody will jump to any more.
    pub fn switch_sealed(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    /// The address of room for `count` values in memory.
    pub fn scratch(&mut self, count: usize) -> Value {
        let size = (count.max(1) * 16) as u32;
        let slot = match self.tools.scratch {
            Some(slot) if self.tools.scratch_size >= size => slot,
            _ => {
                let slot = self.builder.create_sized_stack_slot(StackSlotData::new(
                    StackSlotKind::ExplicitSlot,
                    size,
                    4,
                ));
                self.tools.scratch = Some(slot);
                self.tools.scratch_size = size;
                slot
            }
        };
        self.builder.ins().stack_addr(types::I64, slot, 0)
    }

    /// Room for the parts of one variant.
    pub fn variant_room(&mut self) -> StackSlot {
        *self.tools.variant.get_or_insert_with(|| {
            let size = 16 * MOST_WORDS as u32;
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
            self.builder.create_sized_stack_slot(data)
        })
    }

    /// The address of room for one variable; `which` tells several apart.
    pub fn place_slot(&mut self, which: usize) -> Value {
        while self.tools.places.len() <= which {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 16, 4);
            let slot = self.builder.create_sized_stack_slot(data);
            self.tools.places.push(slot);
        }
        let slot = self.tools.places[which];
        self.builder.ins().stack_addr(types::I64, slot, 0)
    }
}

/// Plans the translation of a function with these loops' generators as parts.
pub(super) fn plan(
    source: Source,
    func: FunctionId,
    start: Start,
    loops: Vec<LoopOverCall>,
) -> Layout {
    let function = &source.program.functions[func as usize];
    let (first, holding) = (
        first_instruction(function, start),
        at_start(source, func, start),
    );
    layout::plan(source.program, function, first, holding, loops)
}

fn first_instruction(function: &Function, start: Start) -> u32 {
    let Start::Loop(number) = start else {
        return 0;
    };
    let mut code = function.code.iter();
    code.position(|op| *op == Op::LoopHead { number })
        .expect("the verifier numbers loop heads") as u32
}

/// What the slots hold when the function is entered.
fn at_start(source: Source, func: FunctionId, start: Start) -> Holding {
    let function = &source.program.functions[func as usize];
    let mut holding = Holding {
        maybe: SlotSet::new(function.slots),
        surely: SlotSet::new(function.slots),
    };
    match start {
        Start::Call | Start::Resume | Start::Dissolved => {
            for param in 0..function.info.params.len() {
                if !source.borrows(func, param) {
                    holding.store(param as u32);
                }
            }
        }
        Start::Loop(_) => holding.maybe = SlotSet::full(function.slots),
    }
    holding
}
