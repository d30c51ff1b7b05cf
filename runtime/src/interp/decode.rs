//! `Op`s to `Inst`s: operands named where they are used, small sequences as one.
//!
//! What is combined must not be jumped into.  An instruction's origin is the
//! `Op` in it that may raise, of which there is at most one.

use super::combine::{Operands, arithmetic, comparison, moves};
use super::inst::{
    Code, FieldCache, Inst, Invocation, Local, NAMED, Operand, Place, Target, place,
};
use super::machine::PUSH;
use crate::bytecode::{ArgKind, Function, Op, Operator, Path, Program, Step, Var, VarKind};
use crate::names::NameId;
use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use core::mem::size_of;
use core::ptr::null;

/// Makes a function ready to be run.  `keep_loops` says that somebody wants to
/// hear of hot loops.
pub(super) fn decode(program: &Program, function: &Function, keep_loops: bool) -> Code {
    let mut decoder = Decoder {
        program,
        ops: &function.code,
        entered: entered(function),
        asked: asked(function),
        keep_loops,
        insts: Vec::with_capacity(function.code.len()),
        origins: Vec::with_capacity(function.code.len()),
        starts: vec![0; function.code.len()],
        caches: Vec::new(),
        invocations: Vec::new(),
        at: 0,
    };
    while decoder.at < function.code.len() {
        decoder.next();
    }
    decoder.resolve_jumps();
    let slots = function.slots as usize;
    Code {
        insts: decoder.insts.into_boxed_slice(),
        origins: decoder.origins.into_boxed_slice(),
        slots,
        params: function.info.params.len(),
        size: (slots + super::frame::LINK_PLACES + function.max_stack as usize)
            * size_of::<Value>(),
        id: function.info.id,
        is_top_level: function.info.flags.is_top_level,
        changes_self: function.info.flags.changes_self,
        caches: decoder.caches.into_boxed_slice(),
        invocations: decoder.invocations.into_boxed_slice(),
    }
}

/// Which instructions control enters other than from the one before.
fn entered(function: &Function) -> Vec<bool> {
    let mut entered = vec![false; function.code.len()];
    let targets = function.code.iter().filter_map(Op::target);
    for target in targets.chain(function.handlers.iter().map(|handler| handler.target)) {
        entered[target as usize] = true;
    }
    entered
}

fn asked(function: &Function) -> Vec<u32> {
    let asked = function.code.iter().filter_map(|op| match op {
        Op::JumpIfUnset { var, .. } if var.kind() == VarKind::Local => Some(var.number()),
        _ => None,
    });
    asked.collect()
}

struct Decoder<'a> {
    program: &'a Program,
    ops: &'a [Op],
    entered: Vec<bool>,
    /// Slots that are asked whether they are unset.
    asked: Vec<u32>,
    keep_loops: bool,
    insts: Vec<Inst>,
    origins: Vec<u32>,
    /// The instruction that each `Op` became (part of).
    starts: Vec<u32>,
    caches: Vec<Cell<FieldCache>>,
    invocations: Vec<Invocation>,
    /// The next `Op`.
    at: usize,
}

impl Decoder<'_> {
    /// The `Op` this many after the next one, if control reaches it only from there.
    fn peek(&self, ahead: usize) -> Option<Op> {
        let position = self.at + ahead;
        if (self.at + 1..=position).any(|position| self.entered.get(position) != Some(&false)) {
            return None;
        }
        self.ops.get(position).copied()
    }

    /// Appends an instruction for the next `count` `Op`s, of which the one at
    /// `raising` may raise.
    fn emit(&mut self, inst: Inst, count: usize, raising: usize) {
        let number = self.insts.len() as u32;
        self.starts[self.at..self.at + count].fill(number);
        self.insts.push(inst);
        self.origins.push((self.at + raising) as u32);
        self.at += count;
    }

    /// The target of a result after `count` `Op`s: a slot if it is stored at
    /// once; and the number of `Op`s with that store.
    fn target(&self, count: usize) -> (Target, usize) {
        match self.peek(count) {
            Some(Op::StoreLocal { slot }) if slot < NAMED => (place(slot), count + 1),
            _ => (PUSH, count),
        }
    }

    fn next(&mut self) {
        let op = self.ops[self.at];
        if let Op::LoopHead { .. } = op
            && !self.keep_loops
        {
            // Whatever jumps here goes on with what follows.
            self.starts[self.at] = self.insts.len() as u32;
            self.at += 1;
            return;
        }
        let done = match self.named(op) {
            Some(Operand::Local(left)) => self.after_local(left),
            Some(Operand::Constant(constant)) => self.after_constant(constant),
            Some(Operand::Global(global)) => self.after_global(global),
            None => match int(op) {
                Some(number) => self.after_int(number),
                None => self.binary(0, Operands::SS),
            },
        };
        if !done {
            self.plain(op);
        }
    }

    /// The operand that an `Op` only pushes.
    fn named(&self, op: Op) -> Option<Operand> {
        match op {
            Op::LoadLocal { slot } if slot < NAMED => {
                Some(Operand::Local(Local { slot, moves: false }))
            }
            // A slot that is asked whether it is unset must really be emptied.
            Op::MoveLocal { slot } if slot < NAMED && !self.asked.contains(&slot) => {
                Some(Operand::Local(Local { slot, moves: true }))
            }
            Op::Constant { index } if index < NAMED => Some(Operand::Constant(place(index))),
            Op::LoadGlobal { global } if global < NAMED => Some(Operand::Global(place(global))),
            _ => None,
        }
    }

    fn after_local(&mut self, left: Local) -> bool {
        let second = self.peek(1);
        let operands = match second.and_then(|op| self.named(op)) {
            Some(Operand::Local(right)) => Some(Operands::NN(left, right)),
            Some(Operand::Constant(right)) => Some(Operands::NK(left, right)),
            Some(Operand::Global(_)) => None,
            None => second.and_then(int).map(|right| Operands::NI(left, right)),
        };
        if let Some(operands) = operands
            && self.binary(2, operands)
        {
            return true;
        }
        if let Some(Operands::NN(value, index)) = operands
            && self.store_two(value, index)
        {
            return true;
        }
        self.binary(1, Operands::SN(left)) || self.local_before(left)
    }

    fn after_constant(&mut self, constant: Place) -> bool {
        if self.binary(1, Operands::SK(constant)) {
            return true;
        }
        let inst = match self.peek(1) {
            Some(Op::StoreLocal { slot }) if slot < NAMED => Inst::CopyConstant {
                from: constant,
                to: place(slot),
            },
            Some(Op::Return {}) => Inst::ReturnConstant { operand: constant },
            _ => return false,
        };
        self.emit(inst, 2, 1);
        true
    }

    fn after_global(&mut self, global: Place) -> bool {
        let index = self.peek(1).and_then(|op| self.named(op));
        let (Some(Operand::Local(index)), Some(Op::Index {})) = (index, self.peek(2)) else {
            return false;
        };
        let (to, count) = self.target(3);
        let moves = moves(None, Some(index));
        self.emit(
            Inst::IndexGN {
                moves,
                object: global,
                index: index.place(),
                to,
            },
            count,
            2,
        );
        true
    }

    /// A binary operator this many `Op`s ahead, which come to these operands.
    fn binary(&mut self, ahead: usize, operands: Operands) -> bool {
        let op = if ahead == 0 {
            Some(self.ops[self.at])
        } else {
            self.peek(ahead)
        };
        let Some(op) = op else { return false };
        let (to, count) = self.target(ahead + 1);
        let inst = arithmetic(op, operands, to).or_else(|| index(op, operands, to));
        if let Some(inst) = inst {
            self.emit(inst, count, ahead);
            return true;
        }
        let jump = self.peek(ahead + 1);
        match jump.and_then(|jump| comparison(op, operands, jump)) {
            Some(inst) => {
                self.emit(inst, ahead + 2, ahead);
                true
            }
            None => false,
        }
    }

    /// `root[index] = value`: the value lies below the index.
    fn store_two(&mut self, value: Local, index: Local) -> bool {
        let Some(Op::StorePath { path }) = self.peek(2) else {
            return false;
        };
        let Some(root) = self.single_index(path) else {
            return false;
        };
        let moves = moves(Some(value), Some(index));
        self.emit(
            Inst::StoreIndexNN {
                moves,
                root,
                value: value.place(),
                index: index.place(),
            },
            3,
            2,
        );
        true
    }

    /// A local before an `Op` that is no binary operator.
    fn local_before(&mut self, local: Local) -> bool {
        let Some(op) = self.peek(1) else { return false };
        let (operand, moves) = (local.place(), moves(Some(local), None));
        let (to, count) = self.target(2);
        let inst = match op {
            Op::Field { name } => Inst::FieldN {
                moves,
                object: operand,
                cache: self.cache(name),
                to,
            },
            Op::CallBuiltin { builtin, argc: 1 } if self.is_builtin(builtin, "len") => Inst::LenN {
                moves,
                builtin,
                operand,
                to,
            },
            _ => {
                return match self.local_consumed(local, op) {
                    Some(inst) => {
                        self.emit(inst, 2, 1);
                        true
                    }
                    None => false,
                };
            }
        };
        self.emit(inst, count, 1);
        true
    }

    /// A local before an `Op` that pushes nothing.
    fn local_consumed(&self, local: Local, op: Op) -> Option<Inst> {
        let (operand, moves) = (local.place(), moves(Some(local), None));
        match op {
            Op::StoreLocal { slot } if slot >= NAMED => None,
            Op::StoreLocal { slot } if local.moves => Some(Inst::Move {
                from: operand,
                to: place(slot),
            }),
            Op::StoreLocal { slot } => Some(Inst::Copy {
                from: operand,
                to: place(slot),
            }),
            Op::Return {} => Some(Inst::ReturnN { moves, operand }),
            Op::JumpIfFalse { to } => Some(Inst::JumpIfFalseN { moves, operand, to }),
            Op::JumpIfTrue { to } => Some(Inst::JumpIfTrueN { moves, operand, to }),
            Op::Update { var, operator } => Some(Inst::UpdateN {
                moves,
                var,
                operator,
                operand,
            }),
            Op::StorePath { path } => self.single_index(path).map(|root| Inst::StoreIndexN {
                moves,
                root,
                index: operand,
            }),
            Op::Mutate { site } => self.plain_push(site).map(|root| Inst::PushN {
                moves,
                root,
                value: operand,
            }),
            _ => None,
        }
    }

    fn after_int(&mut self, number: i32) -> bool {
        if self.binary(1, Operands::SI(number)) {
            return true;
        }
        let inst = match self.peek(1) {
            Some(Op::StoreLocal { slot }) if slot < NAMED => Inst::CopyInt {
                value: number,
                to: place(slot),
            },
            Some(Op::Update {
                var,
                operator: Operator::Add,
            }) if var.kind() == VarKind::Local && var.number() < NAMED => Inst::Increment {
                place: place(var.number()),
                value: number,
            },
            Some(Op::Update { var, operator }) => Inst::UpdateI {
                var,
                operator,
                value: number,
            },
            _ => return false,
        };
        self.emit(inst, 2, 1);
        true
    }

    /// The `Op`s that take all their operands from the stack.
    fn plain(&mut self, op: Op) {
        let (to, count) = self.target(1);
        let inst = match op {
            Op::Field { name } => Inst::FieldS {
                cache: self.cache(name),
                to,
            },
            Op::CallBuiltin { builtin, argc: 1 } if self.is_builtin(builtin, "len") => {
                Inst::LenS { builtin, to }
            }
            Op::RangeNext { slot, to: end } if to != PUSH => Inst::RangeNextTo {
                slot,
                to: end,
                target: to,
            },
            Op::IterNext { slot, to: end } if to != PUSH => Inst::IterNextTo {
                slot,
                to: end,
                target: to,
            },
            _ => return self.alone(op),
        };
        self.emit(inst, count, 0);
    }

    fn alone(&mut self, op: Op) {
        let inst = match op {
            Op::StorePath { path } => self.store(path),
            Op::UpdatePath { path, operator } => self.update(path, operator),
            Op::CallMethod { site } => Some(self.invocation(site)),
            Op::Mutate { site } => self.plain_push(site).map(|root| Inst::Push { root }),
            _ => None,
        };
        self.emit(inst.unwrap_or_else(|| Inst::from(op)), 1, 0);
    }

    fn store(&mut self, path: u32) -> Option<Inst> {
        if let Some(root) = self.single_index(path) {
            return Some(Inst::StoreIndexS { root });
        }
        let (root, name) = self.single_field(path)?;
        Some(Inst::StoreField {
            root,
            cache: self.cache(name),
            path,
        })
    }

    fn update(&mut self, path: u32, operator: Operator) -> Option<Inst> {
        if let Some(root) = self.single_index(path) {
            return Some(Inst::UpdateIndex {
                root,
                operator,
                path,
            });
        }
        let (root, _) = self.single_field(path)?;
        Some(Inst::UpdateField {
            root,
            operator,
            path,
        })
    }

    fn invocation(&mut self, site: u32) -> Inst {
        let site = &self.program.method_sites[site as usize];
        let is_early = site.place.is_none() || site.early;
        let place = site.place.as_ref();
        self.invocations.push(Invocation {
            site,
            hint: Cell::new(0),
            argc: site.args.len() as u32,
            index_count: place.map_or(0, Path::indexes),
            has_receiver: is_early,
            variable: place
                .filter(|path| !is_early && path.steps.is_empty())
                .map(|path| path.root),
            is_plain: site.args.iter().all(|kind| *kind == ArgKind::One),
        });
        Inst::Invoke {
            invocation: self.invocations.len() as u32 - 1,
        }
    }

    /// The root of a path that is one index.
    fn single_index(&self, path: u32) -> Option<Var> {
        let Path { root, steps, .. } = &self.program.paths[path as usize];
        matches!(steps[..], [Step::Index]).then_some(*root)
    }

    /// The root and the name of a path that is one field.
    fn single_field(&self, path: u32) -> Option<(Var, NameId)> {
        let Path { root, steps, .. } = &self.program.paths[path as usize];
        match steps[..] {
            [Step::Field(name)] => Some((*root, name)),
            _ => None,
        }
    }

    /// The variable of `x = push(x, value)`.
    fn plain_push(&self, site: u32) -> Option<Var> {
        let site = &self.program.builtin_sites[site as usize];
        let is_plain = site.place.steps.is_empty() && site.argc == 1 && !site.early;
        (is_plain && self.is_builtin(site.builtin, "push")).then_some(site.place.root)
    }

    fn is_builtin(&self, builtin: u32, name: &str) -> bool {
        &*self.program.builtins[builtin as usize] == name
    }

    fn cache(&mut self, name: NameId) -> u32 {
        self.caches.push(Cell::new(FieldCache {
            shape: null(),
            position: 0,
            name,
        }));
        self.caches.len() as u32 - 1
    }

    /// Turns jump targets from `Op` numbers into distances from the
    /// instruction after the jump.
    fn resolve_jumps(&mut self) {
        for (index, inst) in self.insts.iter_mut().enumerate() {
            let Some(target) = inst.target() else {
                continue;
            };
            let distance = self.starts[target as usize] as i64 - (index as i64 + 1);
            inst.set_target(distance as i32 as u32);
        }
    }
}

/// `object[index]` with these operands.
fn index(op: Op, operands: Operands, to: Target) -> Option<Inst> {
    let Op::Index {} = op else { return None };
    match operands {
        Operands::SS => Some(Inst::IndexSS { to }),
        Operands::SN(index) => Some(Inst::IndexSN {
            moves: moves(None, Some(index)),
            index: index.place(),
            to,
        }),
        Operands::NN(object, index) => Some(Inst::IndexNN {
            moves: moves(Some(object), Some(index)),
            object: object.place(),
            index: index.place(),
            to,
        }),
        Operands::NI(object, index) => Some(Inst::IndexNI {
            moves: moves(Some(object), None),
            object: object.place(),
            index,
            to,
        }),
        Operands::SI(_) | Operands::SK(_) | Operands::NK(..) => None,
    }
}

fn int(op: Op) -> Option<i32> {
    match op {
        Op::Int { value } => Some(value),
        _ => None,
    }
}
