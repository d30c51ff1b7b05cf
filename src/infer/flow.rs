//! One function's abstract execution: operand types instruction by
//! instruction, with the effects on slots, globals, fields and callees.

mod calls;
mod paths;

use super::reach::Reach;
use super::readers::Known;
use super::state::{Point, State};
use super::transfer::{self, arithmetic, element_of, iterated, part_of_pair, way_from_pair};
use super::{Analysis, Facts, Tags, Type, Visit, builtins};
use ruff_runtime::bytecode::{Constant, FunctionId, Op, Operator};
use ruff_runtime::heap::VariantKind;
use ruff_runtime::names::{self, NameId};
use rustc_hash::FxHashMap;

/// Executes a function abstractly until its operand stacks are stable.
pub(super) fn analyse(analysis: &mut Analysis, func: FunctionId) {
    let code = &analysis.program.functions[func as usize].code;
    let mut flow = Flow {
        analysis,
        func,
        stack: Vec::new(),
        joined: FxHashMap::default(),
        reached: vec![false; code.len()],
        again: true,
        targets: targets(code),
        state: State::default(),
        taken: State::default(),
        states: FxHashMap::default(),
        points: FxHashMap::default(),
    };
    while std::mem::take(&mut flow.again) {
        flow.pass(&mut |_, _, _, _| {});
    }
    let facts = &mut flow.analysis.facts.functions[func as usize];
    facts.stacks = flow.joined;
    facts.states = flow.states;
    facts.points = flow.points;
}

/// Shows the instructions of a function whose facts are stable, those that
/// control may reach: an operand that can't be anything is never there.
pub(super) fn visit(analysis: &mut Analysis, func: FunctionId, visit: &mut Visit) {
    let program = analysis.program;
    let function = &program.functions[func as usize];
    let mut reach = Reach::new(function);
    let mut visit_reached = |facts: &Facts, func, pc: u32, stack: &[Type]| {
        let op = &function.code[pc as usize];
        let pops = op.effect(program).pops as usize;
        let operands = &stack[stack.len() - pops..];
        if reach.enter(pc) && !operands.iter().any(|operand| operand.is_none()) {
            visit(facts, func, pc, stack);
            reach.leave(op, pc);
        }
    };
    let joined = analysis.facts.functions[func as usize].stacks.clone();
    let states = analysis.facts.functions[func as usize].states.clone();
    let mut flow = Flow {
        analysis,
        func,
        stack: Vec::new(),
        joined,
        reached: vec![false; function.code.len()],
        again: false,
        targets: targets(&function.code),
        state: State::default(),
        taken: State::default(),
        states,
        points: FxHashMap::default(),
    };
    // What is reached from further down is known after a pass.
    flow.pass(&mut |_, _, _, _| {});
    flow.pass(&mut visit_reached);
}

pub(super) struct Flow<'b, 'a> {
    pub(super) analysis: &'b mut Analysis<'a>,
    pub(super) func: FunctionId,
    stack: Vec<Type>,
    /// Operand stacks at jump targets, where they are not empty.
    joined: FxHashMap<u32, Vec<Type>>,
    /// The instructions that jumps lead to.
    reached: Vec<bool>,
    /// A stack at an earlier instruction has grown, or less is known there.
    again: bool,
    /// What jumps lead to.
    pub(super) targets: Vec<bool>,
    /// What is known at the present instruction, and where a jump leads from it.
    pub(super) state: State,
    taken: State,
    /// What is known at jump targets.
    states: FxHashMap<u32, State>,
    points: FxHashMap<u32, Point>,
}

impl Flow<'_, '_> {
    fn pass(&mut self, visit: &mut Visit) {
        let program = self.analysis.program;
        let function = &program.functions[self.func as usize];
        let mut handlers: FxHashMap<u32, u32> = FxHashMap::default();
        for handler in &function.handlers {
            handlers.insert(handler.target, handler.depth);
        }
        self.stack.clear();
        self.state = State::default();
        let mut reachable = true;
        for (pc, op) in function.code.iter().enumerate() {
            let pc = pc as u32;
            if !reachable && !self.reached[pc as usize] && !handlers.contains_key(&pc) {
                continue;
            }
            let falls_in = std::mem::replace(&mut reachable, true);
            if handlers.contains_key(&pc) {
                // Errors come from everywhere.
                self.state = State::default();
            }
            if self.targets[pc as usize] {
                if falls_in || handlers.contains_key(&pc) {
                    let state = std::mem::take(&mut self.state);
                    self.meet(pc, pc, &state);
                }
                self.state = self.states.get(&pc).cloned().unwrap_or_default();
            }
            reachable = falls_in;
            if let Some(known) = self.joined.get(&pc) {
                // Falling in from above joins what jumps brought.
                let known = known.clone();
                if reachable {
                    self.merge(pc, pc);
                }
                let joined = self.joined.get(&pc).cloned().unwrap_or(known);
                self.stack = joined;
                reachable = true;
            } else if let Some(depth) = handlers.get(&pc) {
                // What is below a handler can be anything: errors come from everywhere.
                self.stack = vec![Type::ANY; *depth as usize];
                reachable = true;
            } else if !reachable {
                // Jumps lead here with an empty stack.
                self.stack.clear();
                reachable = true;
            }
            visit(&self.analysis.facts, self.func, pc, &self.stack);
            let operands = [0, 1].map(|above| self.operand(above));
            let mut passed = None;
            if op.target().is_some() {
                let (taken, behind) = self.states_behind(pc, op, &operands);
                self.taken = taken;
                passed = Some(behind);
            }
            self.step(pc, op);
            match passed {
                Some(behind) => self.state = behind,
                None => self.learn(pc, op, &operands),
            }
            if op.ends() {
                reachable = false;
            } else if op.target().is_some() {
                // A block begins behind it.
                self.merge(pc, pc + 1);
            }
        }
    }

    /// Joins the present stack into the one at `target`.
    fn merge(&mut self, pc: u32, target: u32) {
        let is_new = !std::mem::replace(&mut self.reached[target as usize], true);
        self.again |= is_new && target < pc;
        let op = &self.analysis.program.functions[self.func as usize].code[pc as usize];
        if op.target() == Some(target) && target != pc {
            let taken = std::mem::take(&mut self.taken);
            self.meet(pc, target, &taken);
            self.taken = taken;
        }
        if self.stack.is_empty() {
            return;
        }
        let mut grew = false;
        match self.joined.get_mut(&target) {
            Some(known) => {
                for (known, more) in known.iter_mut().zip(&self.stack) {
                    grew |= known.join(*more);
                }
            }
            None => {
                self.joined.insert(target, self.stack.clone());
                grew = true;
            }
        }
        if grew && target < pc {
            self.again = true;
        }
    }

    /// Keeps what is known at a jump's target as well as at the jump.
    fn meet(&mut self, pc: u32, target: u32, state: &State) {
        let is_less = match self.states.get_mut(&target) {
            Some(known) => known.meet(state),
            None => {
                self.states.insert(target, state.clone());
                false
            }
        };
        self.again |= is_less && target < pc;
    }

    /// What a slot can hold at the present instruction.
    fn slot_here(&mut self, pc: u32, slot: u32) -> Type {
        let all = self.slot(slot);
        let excluded = self.state.excluded(slot);
        self.note(
            pc,
            Point {
                excluded,
                is_filled: false,
            },
        );
        all.without(excluded)
    }

    fn note(&mut self, pc: u32, point: Point) {
        if point != Point::default() {
            self.points.insert(pc, point);
        } else if !self.points.is_empty() {
            self.points.remove(&pc);
        }
    }

    /// An operand, counted from the top.
    fn operand(&self, above: usize) -> Type {
        let at = self.stack.len().checked_sub(above + 1);
        at.map_or(Type::ANY, |at| self.stack[at])
    }

    pub(super) fn pop(&mut self) -> Type {
        self.stack.pop().expect("the verifier checked stack depths")
    }

    /// Pops several, the deepest first.
    fn pop_many(&mut self, count: usize) -> Vec<Type> {
        self.stack.split_off(self.stack.len() - count)
    }

    fn push(&mut self, value: Type) {
        self.stack.push(value);
    }

    pub(super) fn slot(&self, slot: u32) -> Type {
        self.analysis.slot(self.func, slot).without(Tags::UNSET)
    }

    fn join_slot(&mut self, slot: u32, more: Type) {
        self.analysis.join_slot(self.func, slot, more);
    }

    fn step(&mut self, pc: u32, op: &Op) {
        let program = self.analysis.program;
        let function = &program.functions[self.func as usize];
        match *op {
            Op::Null {} => self.push(Type::of(Tags::NULL)),
            Op::True {} | Op::False {} => self.push(Type::of(Tags::BOOL)),
            Op::Int { .. } => self.push(Type::of(Tags::INT)),
            Op::Constant { index } => self.push(constant_type(&program.constants[index as usize])),
            // Methods and defaults have no name of their own: only their struct
            // declaration takes them.
            Op::Function { func } | Op::MakeClosure { func } => {
                if !self.analysis.struct_functions[func as usize] && !self.is_called_back(pc) {
                    self.analysis.becomes_value(func);
                }
                self.push(Type::function(func));
            }
            Op::Builtin { .. } => self.push(Type::of(Tags::BUILTIN)),
            Op::Callee {} => {
                self.analysis.becomes_value(self.func);
                self.push(Type::function(self.func));
            }
            Op::Pop {} => {
                self.pop();
            }
            Op::Dup {} => {
                let top = self.pop();
                self.push(top);
                self.push(top);
            }
            Op::LoadLocal { slot } | Op::MoveLocal { slot } => {
                let value = self.slot_here(pc, slot);
                self.push(value);
            }
            Op::LoadCell { slot } => {
                let value = self.slot(slot);
                self.push(value);
            }
            Op::StoreLocal { slot } | Op::StoreCell { slot } => {
                let value = self.pop();
                self.join_slot(slot, value);
            }
            Op::ClearLocal { .. }
            | Op::NewCell { .. }
            | Op::BoxLocal { .. }
            | Op::LoopHead { .. } => {}
            Op::LoadCapture { index } | Op::LoadCaptureCell { index } => {
                let value = self.analysis.capture(self.func, index as usize);
                self.push(value.without(Tags::UNSET));
            }
            Op::StoreCaptureCell { index } => {
                let value = self.pop();
                self.analysis.join_capture(self.func, index, value);
            }
            Op::LoadGlobal { global } => {
                let value = self.analysis.global(global);
                self.push(value.without(Tags::UNSET));
            }
            Op::StoreGlobal { global } => {
                let value = self.pop();
                self.analysis.join_global(global, value);
            }
            Op::Add {} => self.binary(Operator::Add),
            Op::Subtract {} => self.binary(Operator::Subtract),
            Op::Multiply {} => self.binary(Operator::Multiply),
            Op::Divide {} => self.binary(Operator::Divide),
            Op::Remainder {} => self.binary(Operator::Remainder),
            Op::Equal {} => self.equality(&[names::OP_EQ]),
            Op::NotEqual {} => self.equality(&[names::OP_NE, names::OP_EQ]),
            Op::Less {} => self.ordering(names::OP_LT),
            Op::LessEqual {} => self.ordering(names::OP_LE),
            Op::Greater {} => self.ordering(names::OP_GT),
            Op::GreaterEqual {} => self.ordering(names::OP_GE),
            Op::Negate {} => {
                let operand = self.pop();
                let mut result = Type::NONE;
                for tags in [Tags::INT, Tags::FLOAT] {
                    if operand.may_be(tags) {
                        result.join(Type::of(tags));
                    }
                }
                result.join(self.overload(names::OP_NEG, operand, &[]));
                self.push(result);
            }
            Op::Not {} => {
                let operand = self.pop();
                let mut result = Type::of(Tags::BOOL);
                result.join(self.overload(names::OP_NOT, operand, &[]));
                self.push(result);
            }
            Op::Truthy {} | Op::Falsy {} => {
                self.pop();
                self.push(Type::of(Tags::BOOL));
            }
            Op::SameValue {} => {
                self.pop_many(2);
                self.push(Type::of(Tags::BOOL));
            }
            Op::Update { var, operator } => {
                let right = self.pop();
                let left = self.variable(var).without(Tags::UNSET);
                let result = self.operate(operator, left, right);
                self.join_variable(var, result);
            }
            Op::UpdateFrom { var, operator } => {
                let right = self.pop();
                let old = self.pop();
                let result = self.operate(operator, old, right);
                self.join_variable(var, result);
            }
            Op::Return {} => {
                let value = self.pop();
                self.analysis.join_result(self.func, value);
            }
            Op::StoreSelfResult {} => {
                let value = self.pop();
                self.analysis.join_self_result(self.func, value);
            }
            Op::Jump { .. }
            | Op::JumpIfFalse { .. }
            | Op::JumpIfTrue { .. }
            | Op::JumpIfNotNull { .. }
            | Op::JumpIfNull { .. }
            | Op::JumpIfUnwrapped { .. }
            | Op::JumpIfUnset { .. } => self.jump(pc, op),
            Op::Call { argc } => {
                let args = self.pop_many(argc as usize);
                let callee = self.pop();
                let result = self.call_value(callee, &args);
                self.push(result);
            }
            Op::CallFunction { func, argc } => {
                let args = self.pop_many(argc as usize);
                let result = self.call(func, &args);
                self.push(result);
            }
            Op::CallBuiltin { builtin, argc } => {
                let callback = self.callback(pc);
                let args = self.pop_many(argc as usize);
                let result = match callback {
                    // It never gets that far, or not as far as is known yet.
                    Some(_) if args[0].is_none() => Type::NONE,
                    Some(callback) if args[0].is(Tags::ARRAY) => self.call_back(callback, &args),
                    _ => {
                        let name = &program.builtins[builtin as usize];
                        self.hands_to_builtin(name, &args);
                        builtins::result_of_builtin(name, &args)
                    }
                };
                self.push(result);
            }
            Op::CallWith { site } => {
                // Which argument is whose is not followed.
                self.analysis.values_are_out();
                let count = program.call_sites[site as usize].args.len();
                self.pop_many(count + 1);
                self.push(Type::ANY);
            }
            Op::CallMethod { site } => self.method_site(pc, site),
            Op::Mutate { site } => self.mutate(&program.builtin_sites[site as usize]),
            Op::MakeArray { count } => {
                let values = self.pop_many(count as usize);
                self.push(Type::array_of(join_all(&values)));
            }
            Op::ArrayPush {} => {
                let value = self.pop();
                let mut array = self.pop();
                array.join_contents(1, value);
                self.push(array);
            }
            Op::ArrayExtend {} | Op::DictExtend {} => {
                let other = self.pop();
                let mut target = self.pop();
                target.join_contents(1, other.contents());
                self.push(target);
            }
            Op::MakeDict { count } => {
                let pairs = self.pop_many(2 * count as usize);
                let values: Vec<Type> = pairs.into_iter().skip(1).step_by(2).collect();
                self.push(Type::container(Tags::DICT, join_all(&values)));
            }
            Op::DictInsert {} => {
                let value = self.pop();
                self.pop();
                let mut dict = self.pop();
                dict.join_contents(1, value);
                self.push(dict);
            }
            Op::CallForeign { site } => {
                let site = &program.foreign_sites[site as usize];
                let args = self.pop_many(site.params.len());
                self.analysis.hands_out(None, &args);
                self.push(super::foreign_result(site));
            }
            Op::MakeStruct { site } => self.make_struct(site),
            Op::MakeVariant { site, count } => {
                let payload = self.pop_many(count as usize);
                debug_assert!(
                    program.variant_sites[site as usize].kind != VariantKind::None || count == 0
                );
                self.analysis.note_variant(site, &payload);
                let variants = &self.analysis.facts.variants;
                self.push(variants.made_at(site, join_all(&payload)));
            }
            Op::MakeStructDef { declaration } => {
                let info = &program.structs[declaration as usize];
                self.pop_many(info.pops() as usize);
                for (field, func) in &info.defaults {
                    self.analysis.read(Known::Result(*func));
                    let result = self.analysis.facts.functions[*func as usize].result;
                    let name = info.fields[*field as usize];
                    let instance = Type::instance(declaration);
                    self.analysis.join_field_of(instance, name, 0, result);
                }
                self.push(Type::of(Tags::STRUCT_DEF));
            }
            Op::MakeEnumDef { .. } => self.push(Type::of(Tags::ENUM_DEF)),
            Op::Interpolate { count } => {
                self.pop_many(count as usize);
                self.push(Type::of(Tags::STRING));
            }
            Op::Index {} => {
                self.pop();
                let object = self.pop();
                self.push(element_of(object));
            }
            Op::Field { name } => {
                let object = self.pop();
                let result = self.read_field(object, name);
                self.push(result);
            }
            Op::OptionalField { name } | Op::FieldOrNull { name } => {
                let object = self.pop();
                let result = self.read_field(object, name);
                self.push(result.joined(Type::of(Tags::NULL)));
            }
            Op::FieldOrUnset { name } => {
                let object = self.pop();
                let result = self.read_field(object, name);
                self.push(result.joined(Type::of(Tags::UNSET)));
            }
            Op::StorePath { path } | Op::StorePathUnder { path } => {
                let path = &program.paths[path as usize];
                let mut values = self.pop_many(path.indexes() as usize + 1);
                let value = if matches!(op, Op::StorePath { .. }) {
                    values.swap_remove(0)
                } else {
                    self.last_of(values)
                };
                self.join_path(path, value);
            }
            Op::ReadPath { path } => {
                let value = self.path_type(&program.paths[path as usize]);
                self.push(value);
            }
            Op::UpdatePath { path, operator } => {
                let path = &program.paths[path as usize];
                let right = self.pop();
                self.pop_many(path.indexes() as usize);
                let left = self.path_type(path);
                let result = self.operate(operator, left, right);
                self.join_path(path, result);
            }
            Op::ElementOrNull { index }
                if way_from_pair(program, function, pc)
                    .is_some_and(|mut way| way.all(|pc| !self.joined.contains_key(&pc)))
                    && self.stack.last().is_some_and(|pair| pair.is(Tags::ARRAY)) =>
            {
                let pair = self.pop();
                self.push(part_of_pair(pair, index));
            }
            Op::ElementOrNull { .. } => {
                let object = self.pop();
                let element = if object.may_be(Tags::ARRAY) {
                    object.contents()
                } else {
                    Type::NONE
                };
                self.push(element.joined(Type::of(Tags::NULL)));
            }
            Op::ArrayRest { .. } => {
                let object = self.pop();
                self.push(Type::array_of(object.contents()));
            }
            Op::DictRest { .. } => {
                let object = self.pop();
                let contents = if object.may_be(Tags::STRUCT) {
                    Type::ANY
                } else {
                    object.contents()
                };
                self.push(Type::container(Tags::DICT, contents));
            }
            Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::TestVariant { .. }
            | Op::TestName { .. }
            | Op::TestField { .. } => {
                self.pop();
                self.push(Type::of(Tags::BOOL));
            }
            Op::VariantPayload { site, .. } => {
                let object = self.pop();
                self.analysis.read_variant(site);
                let variants = &self.analysis.facts.variants;
                let payload = variants.payload(self.func, pc, object.contents());
                self.push(payload.ty);
            }
            Op::IterStart { slot } => {
                let iterable = self.pop();
                self.join_slot(slot, iterable);
            }
            Op::IterNext { slot, to } => {
                self.merge(pc, to);
                let element = iterated(self.slot(slot));
                self.push(element);
            }
            Op::RangeStart { slot, argc } => {
                self.pop_many(argc as usize);
                for hidden in slot..slot + 3 {
                    self.join_slot(hidden, Type::of(Tags::INT));
                }
            }
            Op::RangeNext { to, .. } => {
                self.merge(pc, to);
                self.push(Type::of(Tags::INT));
            }
            Op::Throw {} => {
                self.pop();
            }
            Op::Raise { .. } => {}
            Op::Catch {} => self.push(Type::of(Tags::STRUCT)),
            Op::Yield {} => {
                let value = self.pop();
                self.analysis.join_yields(self.func, value);
                self.push(Type::of(Tags::NULL));
            }
            Op::Await {} => {
                self.pop();
                self.push(Type::ANY);
            }
            Op::Spawn {} => {
                self.pop();
            }
            // Its top level is analysed like everything else.
            Op::Import { .. } => {}
        }
    }

    fn last_of(&self, mut values: Vec<Type>) -> Type {
        values.pop().expect("a stored value")
    }

    fn jump(&mut self, pc: u32, op: &Op) {
        let to = op.target().expect("a jump");
        match op {
            Op::Jump { .. } | Op::JumpIfUnset { .. } => self.merge(pc, to),
            Op::JumpIfFalse { .. } | Op::JumpIfTrue { .. } => {
                self.pop();
                let facts = &self.analysis.facts;
                let slots = &facts.functions[self.func as usize].slots;
                if !facts.variants.is_exhausted(self.func, pc, slots) {
                    self.merge(pc, to);
                }
            }
            Op::JumpIfNotNull { .. } => {
                let top = self.pop();
                self.push(top.without(Tags::NULL));
                self.merge(pc, to);
                self.pop();
            }
            Op::JumpIfNull { .. } => {
                let top = self.pop();
                self.push(Type::of(Tags::NULL));
                self.merge(pc, to);
                self.pop();
                self.push(top.without(Tags::NULL));
            }
            Op::JumpIfUnwrapped { .. } => {
                let top = self.pop();
                self.analysis.read_unwrapped();
                let unwrapped = self.analysis.facts.variants.unwrapped(top.contents());
                self.push(unwrapped);
                self.merge(pc, to);
                self.pop();
                let variant = top.without(Tags(!Tags::VARIANT.0));
                let returned = self.analysis.facts.variants.returned(variant);
                self.push(returned);
            }
            _ => unreachable!("{} is no plain jump", op.name()),
        }
    }

    fn binary(&mut self, operator: Operator) {
        let right = self.pop();
        let left = self.pop();
        let result = self.operate(operator, left, right);
        self.push(result);
    }

    fn operate(&mut self, operator: Operator, left: Type, right: Type) -> Type {
        let overloaded = self.overload(transfer::overload_of(operator), left, &[right]);
        arithmetic(operator, left, right).joined(overloaded)
    }

    fn equality(&mut self, methods: &[NameId]) {
        let right = self.pop();
        let left = self.pop();
        for method in methods {
            self.overload(*method, left, &[right]);
        }
        self.push(Type::of(Tags::BOOL));
    }

    fn ordering(&mut self, method: NameId) {
        let right = self.pop();
        let left = self.pop();
        let result = self.overload(method, left, &[right]);
        self.push(result.joined(Type::of(Tags::BOOL)));
    }

    fn make_struct(&mut self, site: u32) {
        let program = self.analysis.program;
        let site = &program.struct_sites[site as usize];
        let values = self.pop_many(site.pops() as usize);
        let (def, values) = values.split_at(site.has_def as usize);
        self.analysis.note_instance(site, def.first(), values);
        self.push(
            site.declaration
                .map_or(Type::of(Tags::STRUCT), Type::instance),
        );
    }
}

/// Whether a jump leads to an instruction, for all of them.
pub(super) fn targets(code: &[Op]) -> Vec<bool> {
    let mut targets = vec![false; code.len()];
    for target in code.iter().filter_map(Op::target) {
        targets[target as usize] = true;
    }
    targets
}

fn join_all(types: &[Type]) -> Type {
    types.iter().fold(Type::NONE, |all, more| all.joined(*more))
}

fn constant_type(constant: &Constant) -> Type {
    match constant {
        Constant::Int(_) => Type::of(Tags::INT),
        Constant::Float(_) => Type::of(Tags::FLOAT),
        Constant::Str(text) if text.chars().count() == 1 => Type::of(Tags::CHARACTER),
        Constant::Str(_) => Type::of(Tags::STRING),
    }
}
