//! Touched globals: those that a call of a function may read or change, by itself
//! or by what it calls in turn.
//!
//! While a function runs that does not touch a global, what the global holds can
//! be changed in place, as what a local holds can.

use super::values::never_calls;
use super::{Facts, Tags, Type, element_of, field_of};
use ruff_runtime::bytecode::{
    ArgKind, FunctionId, MethodSite, Op, Path, Program, Step, Var, VarKind,
};

/// More globals than this are as good as all.
const MOST: usize = 16;

/// What a function does itself.
#[derive(Default)]
struct Own {
    globals: Vec<u32>,
    calls: Vec<FunctionId>,
    /// It runs something that is not known.
    is_open: bool,
}

/// Finds the globals that the functions of a program touch whose types are known.
pub(super) fn find(program: &Program, facts: &mut Facts) {
    let operators = operators(program);
    let own: Vec<Own> = (0..program.functions.len() as FunctionId)
        .map(|func| Own::of(program, facts, &operators, func))
        .collect();
    let mut callers = vec![Vec::new(); own.len()];
    for (caller, own) in (0..).zip(&own) {
        for callee in &own.calls {
            callers[*callee as usize].push(caller);
        }
    }
    let mut touched: Vec<Option<Vec<u32>>> = own
        .into_iter()
        .map(|own| (!own.is_open && own.globals.len() <= MOST).then_some(own.globals))
        .collect();
    // What a function touches, its callers touch.
    let mut open: Vec<FunctionId> = (0..touched.len() as FunctionId).collect();
    while let Some(callee) = open.pop() {
        let more = touched[callee as usize].clone();
        for caller in &callers[callee as usize] {
            if join(&mut touched[*caller as usize], more.as_deref()) {
                open.push(*caller);
            }
        }
    }
    for (known, touched) in facts.functions.iter_mut().zip(touched) {
        known.touches = touched;
    }
}

/// Adds what a callee touches; true if that is more.
fn join(touched: &mut Option<Vec<u32>>, more: Option<&[u32]>) -> bool {
    let Some(known) = touched else { return false };
    let before = known.len();
    for global in more.unwrap_or_default() {
        if !known.contains(global) {
            known.push(*global);
        }
    }
    let grew = known.len() > before;
    if more.is_none() || known.len() > MOST {
        *touched = None;
        return true;
    }
    grew
}

/// The methods that operators may call.
fn operators(program: &Program) -> Vec<FunctionId> {
    let methods = program.structs.iter().flat_map(|info| &info.methods);
    methods
        .filter(|(name, _)| program.names[*name as usize].starts_with("op_"))
        .map(|(_, func)| *func)
        .collect()
}

impl Own {
    fn of(program: &Program, facts: &Facts, operators: &[FunctionId], func: FunctionId) -> Own {
        let function = &program.functions[func as usize];
        let flags = function.info.flags;
        let mut own = Own {
            is_open: flags.is_generator || flags.is_async || flags.is_top_level,
            ..Own::default()
        };
        for op in &function.code {
            if own.is_open {
                break;
            }
            own.add(program, facts, operators, func, op);
        }
        own
    }

    fn add(
        &mut self,
        program: &Program,
        facts: &Facts,
        operators: &[FunctionId],
        func: FunctionId,
        op: &Op,
    ) {
        let slots = &facts.functions[func as usize].slots;
        match *op {
            Op::LoadGlobal { global } | Op::StoreGlobal { global } => self.touch(global),
            Op::JumpIfUnset { var, .. } => self.touch_root(var),
            Op::Add {}
            | Op::Subtract {}
            | Op::Multiply {}
            | Op::Divide {}
            | Op::Remainder {}
            | Op::Equal {}
            | Op::NotEqual {}
            | Op::Less {}
            | Op::LessEqual {}
            | Op::Greater {}
            | Op::GreaterEqual {}
            | Op::Negate {}
            | Op::Not {} => self.calls.extend(operators),
            Op::Update { var, .. } | Op::UpdateFrom { var, .. } => {
                self.touch_root(var);
                self.calls.extend(operators);
            }
            Op::UpdatePath { path, .. } => {
                self.touch_root(program.paths[path as usize].root);
                self.calls.extend(operators);
            }
            Op::StorePath { path } | Op::StorePathUnder { path } | Op::ReadPath { path } => {
                self.touch_root(program.paths[path as usize].root);
            }
            Op::CallFunction { func, .. } => self.calls.push(func),
            Op::CallBuiltin { builtin, .. } => {
                self.is_open |= !never_calls(&program.builtins[builtin as usize]);
            }
            Op::Mutate { site } => {
                let site = &program.builtin_sites[site as usize];
                self.touch_root(site.place.root);
                self.is_open |= !never_calls(&program.builtins[site.builtin as usize]);
            }
            Op::CallMethod { site } => {
                let site = &program.method_sites[site as usize];
                self.call_method(program, facts, slots, site);
            }
            Op::MakeStruct { site } => match program.struct_sites[site as usize].declaration {
                Some(declaration) => {
                    let defaults = &program.structs[declaration as usize].defaults;
                    self.calls.extend(defaults.iter().map(|(_, func)| *func));
                }
                None => self.is_open = true,
            },
            Op::IterStart { slot } | Op::IterNext { slot, .. } => {
                let plain = Tags::ARRAY
                    .union(Tags::DICT)
                    .union(Tags::STRING)
                    .union(Tags::UNSET);
                self.is_open |= !slots[slot as usize].is(plain);
            }
            Op::Call { .. }
            | Op::CallForeign { .. }
            | Op::CallWith { .. }
            | Op::Yield {}
            | Op::Await {}
            | Op::Spawn {}
            | Op::Import { .. } => self.is_open = true,
            Op::Null {}
            | Op::True {}
            | Op::False {}
            | Op::Int { .. }
            | Op::Constant { .. }
            | Op::Function { .. }
            | Op::Builtin { .. }
            | Op::Callee {}
            | Op::Pop {}
            | Op::Dup {}
            | Op::LoadLocal { .. }
            | Op::MoveLocal { .. }
            | Op::StoreLocal { .. }
            | Op::ClearLocal { .. }
            | Op::NewCell { .. }
            | Op::BoxLocal { .. }
            | Op::LoadCell { .. }
            | Op::StoreCell { .. }
            | Op::LoadCapture { .. }
            | Op::LoadCaptureCell { .. }
            | Op::StoreCaptureCell { .. }
            | Op::Truthy {}
            | Op::Falsy {}
            | Op::SameValue {}
            | Op::Jump { .. }
            | Op::JumpIfFalse { .. }
            | Op::JumpIfTrue { .. }
            | Op::JumpIfNotNull { .. }
            | Op::JumpIfNull { .. }
            | Op::JumpIfUnwrapped { .. }
            | Op::LoopHead { .. }
            | Op::Return {}
            | Op::StoreSelfResult {}
            | Op::MakeArray { .. }
            | Op::ArrayPush {}
            | Op::ArrayExtend {}
            | Op::MakeDict { .. }
            | Op::DictInsert {}
            | Op::DictExtend {}
            | Op::MakeVariant { .. }
            | Op::MakeClosure { .. }
            | Op::MakeStructDef { .. }
            | Op::MakeEnumDef { .. }
            | Op::Interpolate { .. }
            | Op::Index {}
            | Op::Field { .. }
            | Op::OptionalField { .. }
            | Op::FieldOrUnset { .. }
            | Op::ElementOrNull { .. }
            | Op::ArrayRest { .. }
            | Op::FieldOrNull { .. }
            | Op::DictRest { .. }
            | Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::TestVariant { .. }
            | Op::TestName { .. }
            | Op::TestField { .. }
            | Op::VariantPayload { .. }
            | Op::RangeStart { .. }
            | Op::RangeNext { .. }
            | Op::Throw {}
            | Op::Raise { .. }
            | Op::Catch {} => {}
        }
    }

    fn touch(&mut self, global: u32) {
        if !self.globals.contains(&global) {
            self.globals.push(global);
        }
        self.is_open |= self.globals.len() > MOST;
    }

    fn touch_root(&mut self, var: Var) {
        if var.kind() == VarKind::Global {
            self.touch(var.number());
        }
    }

    fn call_method(&mut self, program: &Program, facts: &Facts, slots: &[Type], site: &MethodSite) {
        let receiver = site
            .place
            .as_ref()
            .map_or(Type::ANY, |place| place_type(facts, slots, place));
        if let Some(place) = &site.place {
            self.touch_root(place.root);
        }
        let is_plain = site.args.iter().all(|arg| *arg == ArgKind::One);
        let declaration = receiver.declaration().filter(|_| receiver.is(Tags::STRUCT));
        let method = declaration.and_then(|known| facts.method(known, site.name));
        let built_in = Tags::ARRAY.union(Tags::STRING).union(Tags::NUMBER);
        // What a dict holds under the method's name would be called.
        let is_built_in = receiver.is(built_in)
            || receiver.is(Tags::DICT) && receiver.contents().is(Tags::NUMBER);
        match method {
            Some(func) if is_plain => self.calls.push(func),
            _ => {
                let name = &program.names[site.name as usize];
                self.is_open |= !(is_plain && is_built_in && never_calls(name));
            }
        }
    }
}

/// What a place holds, if its root is a local or a global.
fn place_type(facts: &Facts, slots: &[Type], place: &Path) -> Type {
    let root = match place.root.kind() {
        VarKind::Local => slots[place.root.number() as usize],
        VarKind::Global => facts.globals[place.root.number() as usize],
        VarKind::Cell | VarKind::Capture => Type::ANY,
    };
    let root = root.without(Tags::UNSET);
    place.steps.iter().fold(root, |ty, step| match step {
        Step::Index => element_of(ty),
        Step::Field(name) => field_of(facts, ty, *name),
    })
}
