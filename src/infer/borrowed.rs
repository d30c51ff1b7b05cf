//! Borrowed parameters: a function that only looks at what it is given leaves it
//! to its caller, and neither of them counts.
//!
//! A parameter is borrowed if its variable never changes, and if no last use of
//! it hands the value on to somebody who could do more with it by being its only
//! owner: keep it without counting, or change it in place.

use super::{Facts, Tags, Type, element_of, field_of, result_of_builtin};
use ruff_runtime::bytecode::{
    ArgKind, Capture, Function, FunctionId, MethodSite, Op, Path, Program, Step, Var, VarKind,
};
use rustc_hash::FxHashMap;

/// Functions with more instructions times slots borrow nothing.
const LARGEST: usize = 1 << 24;

/// A function's parameter.
type Param = (FunctionId, usize);

/// Finds the borrowed parameters of a program whose other facts are known.  Those
/// of `roots`, which others call too, are not borrowed.
pub(super) fn find(program: &Program, facts: &mut Facts, roots: &[FunctionId]) {
    let mut candidates = vec![Vec::new(); program.functions.len()];
    let as_values = used_as_values(program);
    for (func, candidates) in (0..).zip(&mut candidates) {
        if !as_values[func as usize] && !roots.contains(&func) {
            *candidates = unchanged(program, facts, func);
        }
    }
    // Who hands on what to a parameter as its last use.
    let mut handed_on: FxHashMap<Param, Vec<Param>> = FxHashMap::default();
    for func in 0..program.functions.len() as FunctionId {
        last_uses(program, facts, func, &mut candidates, &mut handed_on);
    }
    // Whoever hands on what it borrowed can only do so to those that borrow.
    let borrows = |candidates: &[Vec<bool>], (func, param): Param| {
        candidates[func as usize].get(param) == Some(&true)
    };
    let owned = handed_on.keys().filter(|to| !borrows(&candidates, **to));
    let mut owned: Vec<Param> = owned.copied().collect();
    while let Some(to) = owned.pop() {
        for from in handed_on.get(&to).into_iter().flatten() {
            if borrows(&candidates, *from) {
                candidates[from.0 as usize][from.1] = false;
                owned.push(*from);
            }
        }
    }
    for (known, borrows) in facts.functions.iter_mut().zip(candidates) {
        known.borrows = borrows;
    }
}

/// The functions that are values: called in the convention of values, whose
/// arguments belong to the callee.
fn used_as_values(program: &Program) -> Vec<bool> {
    let mut used = vec![false; program.functions.len()];
    for op in program.functions.iter().flat_map(|function| &function.code) {
        if let Op::Function { func } | Op::MakeClosure { func } = *op {
            used[func as usize] = true;
        }
    }
    // A struct makes function objects of its methods, which hardly anybody calls.
    for info in &program.structs {
        for (_, func) in &info.methods {
            used[*func as usize] = false;
        }
    }
    used
}

/// Which parameters may be objects and keep their value for good.
fn unchanged(program: &Program, facts: &Facts, func: FunctionId) -> Vec<bool> {
    let function = &program.functions[func as usize];
    let flags = function.info.flags;
    let is_plain = !flags.is_generator
        && !flags.is_async
        && !flags.is_top_level
        && function.captures.is_empty()
        && function.code.len().saturating_mul(function.slots as usize) <= LARGEST;
    let known = &facts.functions[func as usize];
    if !is_plain || known.escapes {
        return Vec::new();
    }
    let count = function.info.params.len();
    let mut unchanged: Vec<bool> = known.slots[..count]
        .iter()
        .map(|ty| ty.may_be_counted())
        .collect();
    for op in &function.code {
        for slot in changed_by(program, facts, &known.slots, op) {
            if let Some(unchanged) = unchanged.get_mut(slot as usize) {
                *unchanged = false;
            }
        }
    }
    unchanged
}

/// The slots that an instruction may give another value, empty or make a cell.
fn changed_by(program: &Program, facts: &Facts, slots: &[Type], op: &Op) -> Vec<u32> {
    let root = |path: &Path| local(path.root);
    match *op {
        Op::StoreLocal { slot } | Op::NewCell { slot } | Op::BoxLocal { slot } => vec![slot],
        Op::Update { var, .. } | Op::UpdateFrom { var, .. } | Op::JumpIfUnset { var, .. } => {
            local(var).into_iter().collect()
        }
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            root(&program.paths[path as usize]).into_iter().collect()
        }
        Op::Mutate { site } => root(&program.builtin_sites[site as usize].place)
            .into_iter()
            .collect(),
        Op::CallMethod { site } => {
            let site = &program.method_sites[site as usize];
            let place = site.place.as_ref();
            let place = place.filter(|place| !only_looks(program, facts, slots, site, place));
            place.and_then(root).into_iter().collect()
        }
        Op::MakeClosure { func } => {
            let captures = &program.functions[func as usize].captures;
            let cells = captures.iter().filter_map(|capture| match *capture {
                Capture::Cell(slot) => Some(slot),
                Capture::Value(_) | Capture::Outer(_) => None,
            });
            cells.collect()
        }
        _ => Vec::new(),
    }
}

fn local(var: Var) -> Option<u32> {
    (var.kind() == VarKind::Local).then(|| var.number())
}

/// Whether a method that is called on a place is known and leaves it as it is.
fn only_looks(
    program: &Program,
    facts: &Facts,
    slots: &[Type],
    site: &MethodSite,
    place: &Path,
) -> bool {
    let Some(root) = local(place.root) else {
        return true;
    };
    let receiver = place
        .steps
        .iter()
        .fold(slots[root as usize], |ty, step| match step {
            Step::Index => element_of(ty),
            Step::Field(name) => field_of(facts, ty, *name),
        });
    method_of(facts, receiver, site).is_some_and(|func| {
        let flags = program.functions[func as usize].info.flags;
        !flags.changes_self && !site.take
    })
}

/// The function that a method call surely reaches.
fn method_of(facts: &Facts, receiver: Type, site: &MethodSite) -> Option<FunctionId> {
    let receiver = receiver.without(Tags::UNSET);
    let declaration = receiver
        .declaration()
        .filter(|_| receiver.is(Tags::STRUCT))?;
    facts.method(declaration, site.name)
}

/// Takes parameters from the candidates whose last use is somebody's who gains by
/// owning them, and notes those that are handed on.
fn last_uses(
    program: &Program,
    facts: &Facts,
    func: FunctionId,
    candidates: &mut [Vec<bool>],
    handed_on: &mut FxHashMap<Param, Vec<Param>>,
) {
    let function = &program.functions[func as usize];
    for (pc, op) in function.code.iter().enumerate() {
        let Op::MoveLocal { slot } = *op else {
            continue;
        };
        if candidates[func as usize].get(slot as usize) != Some(&true) {
            continue;
        }
        let ty = facts.functions[func as usize].slots[slot as usize];
        match user(program, function, pc).map(|user| user.does(program, facts, ty)) {
            Some(Use::Looks) => {}
            Some(Use::HandsOn(callee, param)) => {
                let from = handed_on.entry((callee, param)).or_default();
                from.push((func, slot as usize));
            }
            Some(Use::Owns) | None => candidates[func as usize][slot as usize] = false,
        }
    }
}

/// What becomes of a value.
enum Use {
    Looks,
    /// It is a parameter of a known function.
    HandsOn(FunctionId, usize),
    Owns,
}

/// An instruction that pops a value, and which of its operands that is.
struct User<'a> {
    op: &'a Op,
    operand: usize,
}

/// The user of the value that the instruction at `pc` pushes, if that is found on
/// a straight line.
fn user<'a>(program: &Program, function: &'a Function, pc: usize) -> Option<User<'a>> {
    // The operands from the value to the top.
    let mut height = 1;
    for op in &function.code[pc + 1..] {
        let effect = op.effect(program);
        let pops = effect.pops as usize;
        if pops >= height {
            let operand = pops - height;
            return Some(User { op, operand });
        }
        if op.target().is_some() || op.ends() {
            return None;
        }
        height = height - pops + effect.pushes as usize;
    }
    None
}

impl User<'_> {
    /// What becomes of a value of this type.
    fn does(&self, program: &Program, facts: &Facts, ty: Type) -> Use {
        match *self.op {
            Op::Pop {}
            | Op::Equal {}
            | Op::NotEqual {}
            | Op::Less {}
            | Op::LessEqual {}
            | Op::Greater {}
            | Op::GreaterEqual {}
            | Op::SameValue {}
            | Op::Not {}
            | Op::Truthy {}
            | Op::Falsy {}
            | Op::JumpIfFalse { .. }
            | Op::JumpIfTrue { .. }
            | Op::Interpolate { .. }
            | Op::Index {}
            | Op::Field { .. }
            | Op::OptionalField { .. }
            | Op::FieldOrUnset { .. }
            | Op::ElementOrNull { .. }
            | Op::FieldOrNull { .. }
            | Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::TestVariant { .. }
            | Op::TestName { .. }
            | Op::TestField { .. }
            | Op::VariantPayload { .. } => Use::Looks,
            Op::CallFunction { func, .. } => Use::HandsOn(func, self.operand),
            Op::CallBuiltin { builtin, .. } => {
                let result = result_of_builtin(&program.builtins[builtin as usize], &[ty]);
                match result.is_none() || result.may_be_counted() {
                    true => Use::Owns,
                    false => Use::Looks,
                }
            }
            Op::CallMethod { site } => {
                let site = &program.method_sites[site as usize];
                let is_plain = site.args.iter().all(|arg| *arg == ArgKind::One);
                let is_receiver = self.operand == 0 && site.place.is_none();
                match method_of(facts, ty, site) {
                    Some(func) if is_plain && is_receiver => Use::HandsOn(func, 0),
                    _ => Use::Owns,
                }
            }
            _ => Use::Owns,
        }
    }
}
