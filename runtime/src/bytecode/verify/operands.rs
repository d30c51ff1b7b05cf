//! The operands of each instruction: they name what is there, and what is
//! there is of the right kind.  Also where control may go.
//!
//! Every instruction is checked, also those that are never reached.

use super::captures::CaptureKind;
use super::tables::{check_name, check_text};
use super::{Bodies, Body, Fault, VerifyError, require};
use crate::bytecode::{Capture, Function, Op, Path, Var, VarKind};
use alloc::vec::Vec;

/// Which handler an error in an instruction goes to.
pub(super) struct Handlers {
    /// By instruction; empty if the function has no handlers.
    owner: Vec<u32>,
}

const NO_HANDLER: u32 = u32::MAX;

impl Handlers {
    /// The index of the innermost handler around an instruction.
    pub(super) fn around(&self, pc: usize) -> Option<usize> {
        let owner = *self.owner.get(pc)?;
        (owner != NO_HANDLER).then_some(owner as usize)
    }
}

pub(super) fn check(body: &Body<'_>) -> Result<(), VerifyError> {
    let mut loops = LoopNumbers::new(body.function);
    for (pc, op) in body.code().iter().enumerate() {
        check_op(body, op)
            .and_then(|()| check_control(body, pc, op))
            .and_then(|()| loops.note(op))
            .map_err(|fault| body.fault_at(pc, fault))?;
    }
    let ends = body.code().last().is_some_and(Op::ends);
    require(ends, Fault::NoEnd)
        .and_then(|()| loops.finish())
        .map_err(|fault| body.fault(fault))
}

/// Checks the handler table and finds each instruction's handler.
pub(super) fn handlers(body: &Body<'_>) -> Result<Handlers, VerifyError> {
    let code = body.code();
    let handlers = &body.function.handlers;
    if handlers.is_empty() {
        return Ok(Handlers { owner: Vec::new() });
    }
    let mut owner = alloc::vec![NO_HANDLER; code.len()];
    // Ranges nest, and the innermost handler comes first: it claims what nobody
    // has claimed.  `next` leads past what is claimed, so nested ranges are not
    // walked again and again.
    let mut next: Vec<u32> = (0..=code.len() as u32).collect();
    for (index, handler) in handlers.iter().enumerate() {
        let range = handler.start as usize..handler.end as usize;
        let target = handler.target as usize;
        let valid = range.start < range.end
            && range.end <= code.len()
            && matches!(code.get(target), Some(Op::Catch {}))
            && !range.contains(&target);
        require(valid, Fault::Handler).map_err(|fault| body.fault(fault))?;
        let mut pc = unclaimed(&mut next, handler.start);
        while pc < handler.end {
            owner[pc as usize] = index as u32;
            next[pc as usize] = pc + 1;
            pc = unclaimed(&mut next, pc);
        }
    }
    Ok(Handlers { owner })
}

/// The first instruction from `pc` on that no handler has claimed.
fn unclaimed(next: &mut [u32], mut pc: u32) -> u32 {
    while next[pc as usize] != pc {
        let beyond = next[next[pc as usize] as usize];
        next[pc as usize] = beyond;
        pc = beyond;
    }
    pc
}

struct LoopNumbers {
    seen: Vec<bool>,
    /// More loops are announced than there are instructions.
    excess: bool,
}

impl LoopNumbers {
    fn new(function: &Function) -> LoopNumbers {
        let loops = (function.loops as usize).min(function.code.len());
        let excess = loops < function.loops as usize;
        LoopNumbers {
            seen: alloc::vec![false; loops],
            excess,
        }
    }

    fn note(&mut self, op: &Op) -> Result<(), Fault> {
        let Op::LoopHead { number } = *op else {
            return Ok(());
        };
        let seen = self
            .seen
            .get_mut(number as usize)
            .ok_or(Fault::LoopNumber)?;
        require(!core::mem::replace(seen, true), Fault::LoopNumber)
    }

    fn finish(&self) -> Result<(), Fault> {
        require(
            !self.excess && self.seen.iter().all(|seen| *seen),
            Fault::LoopNumber,
        )
    }
}

/// Targets lie in the code; backward jumps and loop heads belong together; a
/// `Catch` is reached by errors alone.
fn check_control(body: &Body<'_>, pc: usize, op: &Op) -> Result<(), Fault> {
    if let Op::Catch {} = op {
        let falls_in = pc
            .checked_sub(1)
            .is_none_or(|before| !body.code()[before].ends());
        require(!falls_in, Fault::StrayCatch)?;
    }
    let Some(to) = op.target() else {
        return Ok(());
    };
    let target = body.code().get(to as usize).ok_or(Fault::Target)?;
    require(!matches!(target, Op::Catch {}), Fault::StrayCatch)?;
    let backward = to as usize <= pc;
    require(
        backward == matches!(target, Op::LoopHead { .. }),
        Fault::BackwardTarget,
    )
}

/// One arm per instruction, so that a new one can't go unchecked.
fn check_op(body: &Body<'_>, op: &Op) -> Result<(), Fault> {
    let program = body.program;
    match *op {
        Op::Null {} | Op::True {} | Op::False {} | Op::Int { .. } | Op::Pop {} | Op::Dup {} => {
            Ok(())
        }
        // Whoever calls a function directly has no function object at hand.
        Op::Callee {} => require(!body.function.captures.is_empty(), Fault::NoCallee),
        Op::Constant { index } => below(index, program.constants.len(), Fault::Constant),
        Op::Function { func } => plain_callee(body, func).map(|_| ()),
        Op::Builtin { builtin } => below(builtin, program.builtins.len(), Fault::Builtin),

        Op::LoadLocal { slot }
        | Op::MoveLocal { slot }
        | Op::StoreLocal { slot }
        | Op::ClearLocal { slot }
        | Op::NewCell { slot }
        | Op::BoxLocal { slot }
        | Op::LoadCell { slot }
        | Op::StoreCell { slot } => slots(body, slot, 1),
        Op::LoadCapture { index } => capture(body, index, CaptureKind::Value),
        Op::LoadCaptureCell { index } | Op::StoreCaptureCell { index } => {
            capture(body, index, CaptureKind::Cell)
        }
        Op::LoadGlobal { global } | Op::StoreGlobal { global } => {
            below(global, program.globals.len(), Fault::Global)
        }
        Op::JumpIfUnset { var: place, to: _ } => var(body, place),
        Op::Update {
            var: place,
            operator: _,
        }
        | Op::UpdateFrom {
            var: place,
            operator: _,
        } => var(body, place),

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
        | Op::Not {}
        | Op::Truthy {}
        | Op::Falsy {}
        | Op::SameValue {} => Ok(()),

        // `check_control` looks at targets and at catches, `LoopNumbers` at heads.
        Op::Jump { to: _ }
        | Op::JumpIfFalse { to: _ }
        | Op::JumpIfTrue { to: _ }
        | Op::JumpIfNotNull { to: _ }
        | Op::JumpIfNull { to: _ }
        | Op::JumpIfUnwrapped { to: _ }
        | Op::LoopHead { number: _ }
        | Op::Return {}
        | Op::Throw {}
        | Op::Catch {} => Ok(()),
        Op::StoreSelfResult {} => require(
            body.function.info.flags.changes_self,
            Fault::NotAChangingMethod,
        ),

        Op::Call { argc } => operands(body, argc),
        Op::CallFunction { func, argc } => {
            let callee = plain_callee(body, func)?;
            require(
                argc as usize == callee.info.params.len(),
                Fault::ArgumentCount,
            )?;
            operands(body, argc)
        }
        Op::CallBuiltin { builtin, argc } => {
            below(builtin, program.builtins.len(), Fault::Builtin)?;
            operands(body, argc)
        }
        Op::CallWith { site } => below(site, program.call_sites.len(), Fault::Site),
        Op::CallMethod { site } => {
            let site = program.method_sites.get(site as usize).ok_or(Fault::Site)?;
            site.place
                .as_ref()
                .map_or(Ok(()), |place| var(body, place.root))
        }
        Op::Mutate { site } => {
            let site = program
                .builtin_sites
                .get(site as usize)
                .ok_or(Fault::Site)?;
            operands(body, site.argc)?;
            var(body, site.place.root)
        }

        Op::MakeArray { count } | Op::MakeDict { count } | Op::Interpolate { count } => {
            operands(body, count)
        }
        Op::ArrayPush {} | Op::ArrayExtend {} | Op::DictInsert {} | Op::DictExtend {} => Ok(()),
        Op::MakeStruct { site } => below(site, program.struct_sites.len(), Fault::Site),
        Op::MakeVariant { site, count } => {
            let site = program
                .variant_sites
                .get(site as usize)
                .ok_or(Fault::Site)?;
            // Without an enum's name, it is a test for any enum.
            require(
                site.name.is_some() == site.enum_name.is_some(),
                Fault::Variant,
            )?;
            operands(body, count)
        }
        Op::CallForeign { site } => below(site, program.foreign_sites.len(), Fault::Site),
        Op::MakeClosure { func } => closure(body, func),
        Op::MakeStructDef { declaration } => {
            below(declaration, program.structs.len(), Fault::Struct)
        }

        Op::Index {} => Ok(()),
        Op::Field { name }
        | Op::OptionalField { name }
        | Op::FieldOrUnset { name }
        | Op::FieldOrNull { name }
        | Op::MakeEnumDef { name }
        | Op::TestName { name }
        | Op::TestField { name } => check_name(program, name),
        Op::StorePath { path } | Op::ReadPath { path } | Op::StorePathUnder { path } => {
            var(body, self::path(body, path)?.root)
        }
        Op::UpdatePath { path, operator: _ } => var(body, self::path(body, path)?.root),

        Op::ElementOrNull { index: _ }
        | Op::ArrayRest { from: _ }
        | Op::TestArray { len: _ }
        | Op::TestArrayMin { len: _ } => Ok(()),
        Op::DictRest { list } => below(list, program.name_lists.len(), Fault::NameList),
        Op::TestVariant { site } | Op::VariantPayload { site, index: _ } => {
            below(site, program.variant_sites.len(), Fault::Site)
        }

        Op::IterStart { slot } | Op::IterNext { slot, to: _ } => slots(body, slot, 2),
        Op::RangeStart { slot, argc } => {
            operands(body, argc)?;
            slots(body, slot, 3)
        }
        Op::RangeNext { slot, to: _ } => slots(body, slot, 3),

        Op::Raise { message } => check_text(program, message),
        Op::Yield {} => require(body.function.info.flags.is_generator, Fault::NotAGenerator),
        Op::Await {} | Op::Spawn {} => Ok(()),
        Op::Import { module } => below(module, program.modules.len(), Fault::Module),
    }
}

fn below(index: u32, len: usize, fault: Fault) -> Result<(), Fault> {
    require((index as usize) < len, fault)
}

/// A number of operands that the stack could hold at all: every instruction
/// leaves at most one more than it found.  Sums of such numbers don't overflow.
fn operands(body: &Body<'_>, count: u32) -> Result<(), Fault> {
    require(count as usize <= body.code().len(), Fault::TooManyOperands)
}

fn slots(body: &Body<'_>, first: u32, count: u32) -> Result<(), Fault> {
    let end = first.checked_add(count).ok_or(Fault::Slot)?;
    require(end <= body.function.slots, Fault::Slot)
}

fn capture(body: &Body<'_>, index: u32, kind: CaptureKind) -> Result<(), Fault> {
    below(index, body.function.captures.len(), Fault::Capture)?;
    match body.captures.kind(body.id, index) {
        Some(known) => require(known == kind, Fault::CaptureKind),
        // In an image the makers may be machine code, which made it right.
        None => require(body.bodies == Bodies::Optional, Fault::CaptureSource),
    }
}

fn var(body: &Body<'_>, var: Var) -> Result<(), Fault> {
    match var.kind() {
        VarKind::Local | VarKind::Cell => slots(body, var.number(), 1),
        VarKind::Capture => capture(body, var.number(), CaptureKind::Cell),
        VarKind::Global => below(var.number(), body.program.globals.len(), Fault::Global),
    }
}

fn path<'a>(body: &Body<'a>, path: u32) -> Result<&'a Path, Fault> {
    body.program.paths.get(path as usize).ok_or(Fault::Path)
}

/// A function whose one object, or whose code, may be named directly.
fn plain_callee<'a>(body: &Body<'a>, func: u32) -> Result<&'a Function, Fault> {
    let callee = body
        .program
        .functions
        .get(func as usize)
        .ok_or(Fault::Function)?;
    require(callee.captures.is_empty(), Fault::CalleeCaptures)?;
    Ok(callee)
}

fn closure(body: &Body<'_>, func: u32) -> Result<(), Fault> {
    let made = body
        .program
        .functions
        .get(func as usize)
        .ok_or(Fault::Function)?;
    made.captures.iter().try_for_each(|capture| match *capture {
        Capture::Cell(slot) | Capture::Value(slot) => slots(body, slot, 1),
        Capture::Outer(index) => below(index, body.function.captures.len(), Fault::Capture),
    })
}
