//! One function's abstract execution: operand types instruction by
//! instruction, with the effects on slots, globals, fields and callees.

use super::callback::{Callback, callback_of_call};
use super::reach::Reach;
use super::readers::Known;
use super::transfer::{self, arithmetic, element_of, iterated, part_of_pair, way_from_pair};
use super::{Analysis, Facts, Tags, Type, Visit, builtins};
use ruff_runtime::bytecode::{
    ArgKind, BuiltinSite, Constant, FunctionId, Op, Operator, Path, Step, Var, VarKind,
};
use ruff_runtime::heap::VariantKind;
use ruff_runtime::names::{self, NameId};
use rustc_hash::FxHashMap;

/// Executes a function abstractly until its operand stacks are stable.
pub(super) fn analyse(analysis: &mut Analysis, func: FunctionId) {
    let len = analysis.program.functions[func as usize].code.len();
    let mut flow = Flow {
        analysis,
        func,
        stack: Vec::new(),
        joined: FxHashMap::default(),
        reached: vec![false; len],
        again: true,
    };
    while std::mem::take(&mut flow.again) {
        flow.pass(&mut |_, _, _, _| {});
    }
    flow.analysis.facts.functions[func as usize].stacks = flow.joined;
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
    let mut flow = Flow {
        analysis,
        func,
        stack: Vec::new(),
        joined,
        reached: vec![false; function.code.len()],
        again: false,
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
    /// A stack at an earlier instruction has grown.
    again: bool,
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
        let mut reachable = true;
        for (pc, op) in function.code.iter().enumerate() {
            let pc = pc as u32;
            if !reachable && !self.reached[pc as usize] && !handlers.contains_key(&pc) {
                continue;
            }
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
            self.step(pc, op);
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

    fn slot(&self, slot: u32) -> Type {
        self.analysis.slot(self.func, slot).without(Tags::UNSET)
    }

    fn join_slot(&mut self, slot: u32, more: Type) {
        self.analysis.join_slot(self.func, slot, more);
    }

    fn variable(&mut self, var: Var) -> Type {
        match var.kind() {
            VarKind::Local | VarKind::Cell => self.slot(var.number()),
            VarKind::Capture => self.analysis.capture(self.func, var.number() as usize),
            VarKind::Global => self.analysis.global(var.number()),
        }
    }

    fn join_variable(&mut self, var: Var, more: Type) {
        match var.kind() {
            VarKind::Local | VarKind::Cell => self.join_slot(var.number(), more),
            VarKind::Capture => self.analysis.join_capture(self.func, var.number(), more),
            VarKind::Global => self.analysis.join_global(var.number(), more),
        }
    }

    /// What a path leads to.
    pub(super) fn path_type(&mut self, path: &Path) -> Type {
        let mut current = self.variable(path.root);
        for step in &path.steps {
            current = match step {
                Step::Index => element_of(current),
                Step::Field(name) => self.analysis.field_of(current, *name),
            };
        }
        current
    }

    /// Lets the place at the end of a path hold more.
    pub(super) fn join_path(&mut self, path: &Path, more: Type) {
        // Fields are followed by name; what lies behind the last field step is
        // a matter of that field's type, whatever the struct is.
        let mut current = self.variable(path.root);
        let mut field: Option<(Type, NameId)> = None;
        let mut depth = 0;
        for step in &path.steps {
            match step {
                Step::Index => {
                    depth += 1;
                    current = element_of(current);
                }
                Step::Field(name) => {
                    if current.may_be(Tags::DICT) {
                        // What lies behind a key of a dict is not followed any further.
                        self.join_at(path.root, field, depth + 1, Type::ANY);
                    }
                    field = Some((current, *name));
                    current = self.analysis.field_of(current, *name);
                    depth = 0;
                }
            }
        }
        self.join_at(path.root, field, depth, more);
    }

    fn join_at(&mut self, root: Var, field: Option<(Type, NameId)>, depth: usize, more: Type) {
        match field {
            Some((object, name)) => self.analysis.join_field_of(object, name, depth, more),
            None => {
                let mut known = self.variable(root);
                known.join_contents(depth, more);
                self.join_variable(root, known);
            }
        }
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
                self.push(Type::of(Tags::FUNCTION));
            }
            Op::Builtin { .. } => self.push(Type::of(Tags::BUILTIN)),
            Op::Callee {} => {
                self.analysis.becomes_value(self.func);
                self.push(Type::of(Tags::FUNCTION));
            }
            Op::Pop {} => {
                self.pop();
            }
            Op::Dup {} => {
                let top = self.pop();
                self.push(top);
                self.push(top);
            }
            Op::LoadLocal { slot } | Op::MoveLocal { slot } | Op::LoadCell { slot } => {
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
                let result = match callee.is_none() {
                    true => Type::NONE,
                    false => self.analysis.call_values(&args),
                };
                // The library's functions may call what they are given.
                if !callee.is(Tags::FUNCTION) {
                    self.analysis.hands_out(None, &args);
                }
                self.push(match callee.is(Tags::FUNCTION) {
                    true => result,
                    false => Type::ANY,
                });
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

    /// A call of a built-in that calls a known function for an array's elements.
    fn call_back(&mut self, callback: Callback, args: &[Type]) -> Type {
        let known = self.analysis.call_result(callback.func);
        let gets = callback.arguments(args, known);
        let gives = self.call(callback.func, &gets);
        callback.result(args, gives)
    }

    /// The known function that the call of a built-in at `pc` is given.
    fn callback(&self, pc: u32) -> Option<Callback> {
        let program = self.analysis.program;
        let function = &program.functions[self.func as usize];
        callback_of_call(program, function, pc).filter(|_| !self.joined.contains_key(&pc))
    }

    /// Whether the function that is made at `pc` goes to a built-in that calls
    /// it for an array's elements, and nowhere else.
    fn is_called_back(&mut self, pc: u32) -> bool {
        let Some(callback) = self.callback(pc + 1) else {
            return false;
        };
        let program = self.analysis.program;
        let array = match program.functions[self.func as usize].code[pc as usize + 1] {
            Op::CallMethod { site }
                if let Some(place) = &program.method_sites[site as usize].place =>
            {
                let site = &program.method_sites[site as usize];
                let mut receiver = self.path_type(place);
                if site.early {
                    // Below the indexes and the arguments, of which the function is
                    // still to come.
                    let pops = site.pops(program) as usize - 1;
                    receiver.join(self.stack[self.stack.len() - pops]);
                }
                receiver
            }
            _ => self.stack[self.stack.len() - callback.array_below()],
        };
        // What can't be anything yet may still turn out to be an array.
        array.is_none() || array.is(Tags::ARRAY)
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

    fn mutate(&mut self, site: &BuiltinSite) {
        let program = self.analysis.program;
        let args = self.pop_many(site.argc as usize);
        self.pop_many(site.place.indexes() as usize);
        let mut target = self.path_type(&site.place);
        if site.early {
            target.join(self.pop());
        }
        let mut all = vec![target];
        all.extend(args);
        self.hands_to_builtin(&program.builtins[site.builtin as usize], &all);
        let result = builtins::result_of_builtin(&program.builtins[site.builtin as usize], &all);
        self.join_path(&site.place, result);
    }

    fn method_site(&mut self, pc: u32, site: u32) {
        let program = self.analysis.program;
        let site = &program.method_sites[site as usize];
        let args = self.pop_many(site.args.len());
        self.pop_many(
            site.place
                .as_ref()
                .map_or(0, |place| place.indexes() as usize),
        );
        let mut receiver = site
            .place
            .as_ref()
            .map_or(Type::NONE, |place| self.path_type(place));
        if site.place.is_none() || site.early {
            receiver.join(self.pop());
        }
        if let Some(callback) = self.callback(pc)
            && receiver.is(Tags::ARRAY)
        {
            let operands = [&[receiver], &args[..]].concat();
            let result = self.call_back(callback, &operands);
            return self.push(result);
        }
        let plain = site.args.iter().all(|arg| *arg == ArgKind::One);
        self.call_what_is_held(site, receiver, &args, plain);
        let result = self.call_method(site, receiver, plain.then_some(&args[..]));
        self.push(result);
    }
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
