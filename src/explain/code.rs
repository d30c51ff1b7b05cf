//! What bytecode says about the source: which expression an operand is, where
//! a variable gets its values, where a function begins.

use super::heat::Sites;
use super::{Known, words};
use crate::codegen::decision::{Decision, Record};
use crate::infer::{Tags, Type, callback_of_call};
use ruff_runtime::bytecode::{FunctionId, Op, Path, Program, Step, Var, VarKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// Instructions that are looked back for an operand's origin.
const MOST_STEPS: usize = 60;
/// Expressions within expressions that are spelled out.
const MOST_DEPTH: usize = 4;
/// Places that are named for one variable.
const MOST_PLACES: usize = 3;

/// What variables get: the values' types and where they come from.
pub struct Sources<'a> {
    program: &'a Program,
    stores: FxHashMap<Variable, Vec<(Type, FunctionId, u32)>>,
    /// The functions that are called directly, by place.
    direct: FxHashMap<(FunctionId, u32), FunctionId>,
}

/// A variable of a function, or a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    Slot(FunctionId, u32),
    Global(u32),
}

impl<'a> Sources<'a> {
    pub fn new(program: &'a Program, records: &[Record]) -> Sources<'a> {
        let direct = records.iter().filter_map(|record| match record.decision {
            Decision::Direct { callee } => Some(((record.func, record.pc), callee)),
            _ => None,
        });
        Sources {
            program,
            stores: FxHashMap::default(),
            direct: direct.collect(),
        }
    }

    /// Looks at an instruction with its operands.
    pub fn see(&mut self, func: FunctionId, pc: u32, stack: &[Type]) {
        let variable = match self.program.functions[func as usize].code[pc as usize] {
            Op::StoreLocal { slot } | Op::StoreCell { slot } => Variable::Slot(func, slot),
            Op::StoreGlobal { global } => Variable::Global(global),
            Op::Update { var, .. } | Op::UpdateFrom { var, .. } => match var.kind() {
                VarKind::Local | VarKind::Cell => Variable::Slot(func, var.number()),
                VarKind::Global => Variable::Global(var.number()),
                VarKind::Capture => return,
            },
            _ => return self.see_call(func, pc, stack),
        };
        if let Some(top) = stack.last() {
            self.add(variable, *top, func, pc);
        }
    }

    /// The arguments of a call are what the callee's parameters get.
    fn see_call(&mut self, func: FunctionId, pc: u32, stack: &[Type]) {
        let Some(callee) = self.direct.get(&(func, pc)).copied() else {
            return;
        };
        let params = self.program.functions[callee as usize].info.params.len();
        let given = params.min(stack.len());
        for (param, ty) in (params - given..).zip(&stack[stack.len() - given..]) {
            self.add(Variable::Slot(callee, param as u32), *ty, func, pc);
        }
    }

    fn add(&mut self, variable: Variable, ty: Type, func: FunctionId, pc: u32) {
        self.stores
            .entry(variable)
            .or_default()
            .push((ty, func, pc));
    }
}

/// What becomes of slots.
#[derive(Default)]
pub struct Variables {
    /// Where one is first stored, and the most loops around a use of it.
    pub uses: FxHashMap<(FunctionId, u32), (u32, u32)>,
    /// Those whose value is changed in parts.
    pub changed: FxHashSet<(FunctionId, u32)>,
}

impl Variables {
    pub fn new(program: &Program, sites: &Sites) -> Variables {
        let mut variables = Variables::default();
        for (func, function) in (0..).zip(&program.functions) {
            for (pc, op) in (0..).zip(&function.code) {
                let loops = sites.around(func, pc);
                match *op {
                    Op::StoreLocal { slot } | Op::StoreCell { slot } => {
                        let known = variables.uses.entry((func, slot)).or_insert((pc, loops));
                        known.1 = known.1.max(loops);
                    }
                    Op::LoadLocal { slot } | Op::LoadCell { slot } => {
                        if let Some(known) = variables.uses.get_mut(&(func, slot)) {
                            known.1 = known.1.max(loops);
                        }
                    }
                    _ => {}
                }
                let place = changed_place(program, op);
                let is_own = |root: &Var| matches!(root.kind(), VarKind::Local | VarKind::Cell);
                if let Some(root) = place.map(|path| path.root).filter(is_own) {
                    variables.changed.insert((func, root.number()));
                }
            }
        }
        variables
    }
}

/// The place that an instruction changes in part.
fn changed_place<'a>(program: &'a Program, op: &Op) -> Option<&'a Path> {
    match *op {
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            Some(&program.paths[path as usize])
        }
        Op::Mutate { site } => Some(&program.builtin_sites[site as usize].place),
        Op::CallMethod { site } => program.method_sites[site as usize].place.as_ref(),
        _ => None,
    }
}

/// The functions that go straight to a built-in which calls them.
pub fn callbacks(program: &Program) -> FxHashMap<FunctionId, String> {
    let mut found = FxHashMap::default();
    for function in &program.functions {
        for (pc, op) in (0..).zip(&function.code) {
            let name = match *op {
                Op::CallBuiltin { builtin, .. } => &program.builtins[builtin as usize],
                Op::CallMethod { site } => {
                    &program.names[program.method_sites[site as usize].name as usize]
                }
                _ => continue,
            };
            if let Some(callback) = callback_of_call(program, function, pc) {
                found.insert(callback.func, name.to_string());
            }
        }
    }
    found
}

impl Known<'_> {
    /// The variable behind a number; captured ones aren't followed.
    pub fn variable(&self, func: FunctionId, var: Var) -> Option<Variable> {
        match var.kind() {
            VarKind::Local | VarKind::Cell => Some(Variable::Slot(func, var.number())),
            VarKind::Global => Some(Variable::Global(var.number())),
            VarKind::Capture => None,
        }
    }

    /// What a variable can hold.
    pub fn type_of(&self, variable: Variable) -> Type {
        let ty = match variable {
            Variable::Slot(func, slot) => self.facts.functions[func as usize].slots[slot as usize],
            Variable::Global(global) => self.facts.globals[global as usize],
        };
        ty.without(Tags::UNSET)
    }

    /// How a variable is called.
    pub fn variable_name(&self, variable: Variable) -> Option<&str> {
        match variable {
            Variable::Slot(func, slot) => self.slot_name(func, slot),
            Variable::Global(global) => {
                let name = self.program.globals[global as usize];
                Some(&self.program.names[name as usize])
            }
        }
    }

    /// The line of an instruction.
    pub fn line(&self, func: FunctionId, pc: u32) -> u32 {
        self.program.position(func, pc).map_or(0, |at| at.line)
    }

    /// Where a function begins: the line that names it, as far as one can see.
    pub fn header(&self, func: FunctionId) -> (u32, u32, u32) {
        let info = &self.program.functions[func as usize].info;
        let Some(first) = self.program.position(func, 0) else {
            return (0, 1, 1);
        };
        let name = info.name.rsplit('.').next().unwrap_or_default();
        let is_named = !name.starts_with('<');
        let text = self.text.named(&self.program.files[first.file as usize]);
        for line in (1..=first.line).rev() {
            let Some(text) = text.map(|file| file.line_text(line)) else {
                break;
            };
            let declares = |text: &str| {
                text.split("func").skip(1).any(|rest| {
                    let rest = rest.trim_start_matches(['*', ' ']);
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    rest[..end.unwrap_or(rest.len())] == *name
                })
            };
            if is_named && declares(text) || !is_named && text.contains("func") {
                return (first.file, line, 1);
            }
            if info.flags.is_top_level {
                break;
            }
        }
        (first.file, first.line, first.column)
    }

    /// The name of a slot, unless it is hidden.
    pub fn slot_name(&self, func: FunctionId, slot: u32) -> Option<&str> {
        let names = &self.program.functions[func as usize].slot_names;
        let name = names.get(slot as usize)?;
        let name = &*self.program.names[*name as usize];
        let is_written = |c: char| c.is_alphabetic() || c == '_';
        name.starts_with(is_written).then_some(name)
    }

    /// How a place is written.
    pub fn path_text(&self, path: &Path) -> String {
        let mut out = self.program.names[path.name as usize].to_string();
        for step in &path.steps {
            match step {
                Step::Index => out.push_str("[…]"),
                Step::Field(name) => {
                    out.push('.');
                    out.push_str(&self.program.names[*name as usize]);
                }
            }
        }
        out
    }

    /// How an operand is written, `from_top` operands below the top of what an
    /// instruction finds; `None` if that can't be told in a few words.
    pub fn operand_text(&self, func: FunctionId, pc: u32, from_top: u32) -> Option<String> {
        self.expression(func, pc, from_top, MOST_DEPTH)
    }

    /// The instruction that made an operand, if nothing jumps in between.
    pub fn maker(&self, func: FunctionId, pc: u32, from_top: u32) -> Option<u32> {
        let code = &self.program.functions[func as usize].code;
        let mut below = from_top;
        for at in (0..pc).rev().take(MOST_STEPS) {
            let op = &code[at as usize];
            if op.target().is_some() || op.ends() {
                return None;
            }
            let effect = op.effect(self.program);
            if below < effect.pushes {
                return Some(at);
            }
            below = below - effect.pushes + effect.pops;
        }
        None
    }

    fn expression(&self, func: FunctionId, pc: u32, from_top: u32, depth: usize) -> Option<String> {
        let at = self.maker(func, pc, from_top)?;
        let depth = depth.checked_sub(1)?;
        let program = self.program;
        let name = |name: u32| &program.names[name as usize];
        let of = |below: u32| self.expression(func, at, below, depth);
        Some(match program.functions[func as usize].code[at as usize] {
            Op::LoadLocal { slot } | Op::MoveLocal { slot } | Op::LoadCell { slot } => {
                self.slot_name(func, slot)?.to_owned()
            }
            Op::LoadGlobal { global } => name(program.globals[global as usize]).to_string(),
            Op::Int { value } => value.to_string(),
            Op::Null {} => "null".to_owned(),
            Op::Field { name: field } => format!("{}.{}", of(0)?, name(field)),
            Op::Index {} => format!("{}[…]", of(1)?),
            Op::CallFunction { func, .. } => {
                format!("{}(…)", program.functions[func as usize].info.name)
            }
            Op::CallBuiltin { builtin, .. } => {
                format!("{}(…)", program.builtins[builtin as usize])
            }
            Op::CallMethod { site } => {
                format!("….{}(…)", name(program.method_sites[site as usize].name))
            }
            _ => return None,
        })
    }

    /// The variable that an operand is, if it is one.
    pub fn operand_variable(&self, func: FunctionId, pc: u32, from_top: u32) -> Option<Variable> {
        let at = self.maker(func, pc, from_top)?;
        match self.program.functions[func as usize].code[at as usize] {
            Op::LoadLocal { slot } | Op::MoveLocal { slot } | Op::LoadCell { slot } => {
                Some(Variable::Slot(func, slot))
            }
            Op::LoadGlobal { global } => Some(Variable::Global(global)),
            _ => None,
        }
    }

    /// Where a variable gets which kinds of values: `it gets int in line 3 and
    /// string in line 9`; `None` if that says nothing more than its type and the
    /// line where one is.
    pub fn kinds_by_place(&self, variable: Variable, ty: Type, here: u32) -> Option<String> {
        if let Variable::Slot(func, _) = variable
            && self.is_open_param(variable)
        {
            let name = words::function(&self.program.functions[func as usize].info.name);
            return Some(match self.callbacks.get(&func) {
                Some(builtin) => format!("`{builtin}` passes what is in its array"),
                None => format!("{name} is used as a value, so it may be called with anything"),
            });
        }
        let stores = self.sources.stores.get(&variable)?;
        let whole = words::type_words(self.program, ty);
        let mut seen = FxHashSet::default();
        let mut covered = Type::NONE;
        let mut parts = Vec::new();
        for (ty, func, pc) in stores {
            let kind = words::type_words(self.program, *ty);
            let line = self.line(*func, *pc);
            covered.join(*ty);
            if seen.insert(kind.clone()) {
                parts.push((kind, line));
            }
        }
        if let [(kind, line)] = &parts[..]
            && *kind == whole
        {
            return (*line != here).then(|| format!("it comes from line {line}"));
        }
        let missing = ty.without(Tags::UNSET).tags().without(covered.tags());
        parts.truncate(MOST_PLACES);
        let mut parts: Vec<String> = parts
            .into_iter()
            .map(|(kind, line)| format!("{kind} in line {line}"))
            .collect();
        if missing != Tags::EMPTY {
            parts.push("others elsewhere".to_owned());
        }
        (parts.len() > 1).then(|| format!("it gets {}", words::list(&parts)))
    }

    /// Whether it is a parameter of a function that anybody may call.
    pub fn is_open_param(&self, variable: Variable) -> bool {
        match variable {
            Variable::Slot(func, slot) => {
                self.facts.functions[func as usize].escapes
                    && (slot as usize) < self.program.functions[func as usize].info.params.len()
            }
            Variable::Global(_) => false,
        }
    }
}
