//! `Op`s to `Inst`s: operands named where they are used, small sequences as one.
//!
//! What is combined must not be jumped into.  An instruction's origin is the
//! `Op` in it that may raise, of which there is at most one.

use super::inst::{Code, FieldCache, Inst, Operand, Target};
use super::machine::PUSH;
use crate::bytecode::{Function, Op, Operator, Path, Program, Step, Var, VarKind};
use crate::names::NameId;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use core::ptr::null;

/// Makes a function ready to be run.  `keep_loops` says that somebody wants to
/// hear of hot loops.
pub(super) fn decode(program: &Program, function: &Function, keep_loops: bool) -> Code {
    let mut decoder = Decoder {
        program,
        ops: &function.code,
        entered: entered(function),
        keep_loops,
        insts: Vec::with_capacity(function.code.len()),
        origins: Vec::with_capacity(function.code.len()),
        starts: vec![0; function.code.len()],
        caches: Vec::new(),
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
        places: slots + super::frame::LINK_PLACES + function.max_stack as usize,
        id: function.info.id,
        is_top_level: function.info.flags.is_top_level,
        changes_self: function.info.flags.changes_self,
        caches: decoder.caches.into_boxed_slice(),
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

struct Decoder<'a> {
    program: &'a Program,
    ops: &'a [Op],
    entered: Vec<bool>,
    keep_loops: bool,
    insts: Vec<Inst>,
    origins: Vec<u32>,
    /// The instruction that each `Op` became (part of).
    starts: Vec<u32>,
    caches: Vec<Cell<FieldCache>>,
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
            Some(Op::StoreLocal { slot }) => (slot, count + 1),
            _ => (PUSH, count),
        }
    }

    fn next(&mut self) {
        let op = self.ops[self.at];
        if let Op::LoopHead { .. } = op {
            if !self.keep_loops {
                // Whatever jumps here goes on with what follows.
                self.starts[self.at] = self.insts.len() as u32;
                self.at += 1;
                return;
            }
        }
        if let Some(first) = named(op) {
            if let Some(second) = self.peek(1).and_then(named) {
                if self.after_two_named(first, second) {
                    return;
                }
            }
            if let Some(number) = self.peek(1).and_then(int) {
                if self.after_named_and_int(first, number) {
                    return;
                }
            }
            if self.after_named(first) {
                return;
            }
        }
        if let Some(number) = int(op) {
            if self.after_int(number) {
                return;
            }
        }
        self.plain(op);
    }

    fn after_two_named(&mut self, left: Operand, right: Operand) -> bool {
        let Some(op) = self.peek(2) else { return false };
        let (to, count) = self.target(3);
        let inst = match op {
            Op::Add {} => Inst::AddNN { left, right, to },
            Op::Subtract {} => Inst::SubtractNN { left, right, to },
            Op::Multiply {} => Inst::MultiplyNN { left, right, to },
            Op::Divide {} => Inst::DivideNN { left, right, to },
            Op::Remainder {} => Inst::RemainderNN { left, right, to },
            Op::Index {} => Inst::IndexNN {
                object: left,
                index: right,
                to,
            },
            Op::StorePath { path } => match self.single_index(path) {
                // The value lies below the index.
                Some(root) => {
                    self.emit(
                        Inst::StoreIndexNN {
                            root,
                            index: right,
                            value: left,
                        },
                        3,
                        2,
                    );
                    return true;
                }
                None => return false,
            },
            _ => {
                let Some(Op::JumpIfFalse { to }) = self.peek(3) else {
                    return false;
                };
                let inst = match op {
                    Op::Less {} => Inst::UnlessLessNN { left, right, to },
                    Op::LessEqual {} => Inst::UnlessLessEqualNN { left, right, to },
                    Op::Greater {} => Inst::UnlessGreaterNN { left, right, to },
                    Op::GreaterEqual {} => Inst::UnlessGreaterEqualNN { left, right, to },
                    Op::Equal {} => Inst::UnlessEqualNN { left, right, to },
                    Op::NotEqual {} => Inst::UnlessNotEqualNN { left, right, to },
                    _ => return false,
                };
                self.emit(inst, 4, 2);
                return true;
            }
        };
        self.emit(inst, count, 2);
        true
    }

    fn after_named_and_int(&mut self, left: Operand, right: i32) -> bool {
        let Some(op) = self.peek(2) else { return false };
        let (to, count) = self.target(3);
        let inst = match op {
            Op::Add {} => Inst::AddNI { left, right, to },
            Op::Subtract {} => Inst::SubtractNI { left, right, to },
            Op::Multiply {} => Inst::MultiplyNI { left, right, to },
            Op::Divide {} => Inst::DivideNI { left, right, to },
            Op::Remainder {} => Inst::RemainderNI { left, right, to },
            Op::Index {} => Inst::IndexNI {
                object: left,
                index: right,
                to,
            },
            _ => {
                let Some(Op::JumpIfFalse { to }) = self.peek(3) else {
                    return false;
                };
                let inst = match op {
                    Op::Less {} => Inst::UnlessLessNI { left, right, to },
                    Op::LessEqual {} => Inst::UnlessLessEqualNI { left, right, to },
                    Op::Greater {} => Inst::UnlessGreaterNI { left, right, to },
                    Op::GreaterEqual {} => Inst::UnlessGreaterEqualNI { left, right, to },
                    Op::Equal {} => Inst::UnlessEqualNI { left, right, to },
                    Op::NotEqual {} => Inst::UnlessNotEqualNI { left, right, to },
                    _ => return false,
                };
                self.emit(inst, 4, 2);
                return true;
            }
        };
        self.emit(inst, count, 2);
        true
    }

    fn after_named(&mut self, operand: Operand) -> bool {
        let Some(op) = self.peek(1) else { return false };
        let right = operand;
        let (to, count) = self.target(2);
        let inst = match op {
            Op::Add {} => Inst::AddSN { right, to },
            Op::Subtract {} => Inst::SubtractSN { right, to },
            Op::Multiply {} => Inst::MultiplySN { right, to },
            Op::Divide {} => Inst::DivideSN { right, to },
            Op::Remainder {} => Inst::RemainderSN { right, to },
            Op::Index {} => Inst::IndexSN { index: operand, to },
            Op::Field { name } => Inst::FieldN {
                object: operand,
                cache: self.cache(name),
                to,
            },
            Op::CallBuiltin { builtin, argc: 1 } if self.is_builtin(builtin, "len") => Inst::LenN {
                builtin,
                operand,
                to,
            },
            _ => return self.after_named_alone(operand, op),
        };
        self.emit(inst, count, 1);
        true
    }

    /// Combinations of a named operand with an `Op` that pushes nothing.
    fn after_named_alone(&mut self, operand: Operand, op: Op) -> bool {
        let inst = match op {
            Op::StoreLocal { slot } => Inst::Copy {
                from: operand,
                to: slot,
            },
            Op::Return {} => Inst::ReturnN { operand },
            Op::JumpIfFalse { to } => Inst::JumpIfFalseN { operand, to },
            Op::Update { var, operator } => Inst::UpdateN {
                var,
                operator,
                operand,
            },
            Op::StorePath { path } => match self.single_index(path) {
                Some(root) => Inst::StoreIndexN {
                    root,
                    index: operand,
                },
                None => return false,
            },
            Op::Mutate { site } => match self.plain_push(site) {
                Some(root) => Inst::PushN {
                    root,
                    value: operand,
                },
                None => return false,
            },
            _ => return self.comparison_with_named(operand, op),
        };
        self.emit(inst, 2, 1);
        true
    }

    fn comparison_with_named(&mut self, right: Operand, op: Op) -> bool {
        let Some(Op::JumpIfFalse { to }) = self.peek(2) else {
            return false;
        };
        let inst = match op {
            Op::Less {} => Inst::UnlessLessSN { right, to },
            Op::LessEqual {} => Inst::UnlessLessEqualSN { right, to },
            Op::Greater {} => Inst::UnlessGreaterSN { right, to },
            Op::GreaterEqual {} => Inst::UnlessGreaterEqualSN { right, to },
            Op::Equal {} => Inst::UnlessEqualSN { right, to },
            Op::NotEqual {} => Inst::UnlessNotEqualSN { right, to },
            _ => return false,
        };
        self.emit(inst, 3, 1);
        true
    }

    fn after_int(&mut self, right: i32) -> bool {
        let Some(op) = self.peek(1) else { return false };
        let (to, count) = self.target(2);
        let inst = match op {
            Op::Add {} => Inst::AddSI { right, to },
            Op::Subtract {} => Inst::SubtractSI { right, to },
            Op::Multiply {} => Inst::MultiplySI { right, to },
            Op::Divide {} => Inst::DivideSI { right, to },
            Op::Remainder {} => Inst::RemainderSI { right, to },
            Op::StoreLocal { slot } => {
                self.emit(
                    Inst::CopyInt {
                        value: right,
                        to: slot,
                    },
                    2,
                    1,
                );
                return true;
            }
            Op::Update {
                var,
                operator: Operator::Add,
            } if var.kind() == VarKind::Local => {
                self.emit(
                    Inst::Increment {
                        slot: var.number(),
                        value: right,
                    },
                    2,
                    1,
                );
                return true;
            }
            _ => {
                let Some(Op::JumpIfFalse { to }) = self.peek(2) else {
                    return false;
                };
                let inst = match op {
                    Op::Less {} => Inst::UnlessLessSI { right, to },
                    Op::LessEqual {} => Inst::UnlessLessEqualSI { right, to },
                    Op::Greater {} => Inst::UnlessGreaterSI { right, to },
                    Op::GreaterEqual {} => Inst::UnlessGreaterEqualSI { right, to },
                    Op::Equal {} => Inst::UnlessEqualSI { right, to },
                    Op::NotEqual {} => Inst::UnlessNotEqualSI { right, to },
                    _ => return false,
                };
                self.emit(inst, 3, 1);
                return true;
            }
        };
        self.emit(inst, count, 1);
        true
    }

    /// The `Op`s that take all their operands from the stack.
    fn plain(&mut self, op: Op) {
        let (to, count) = self.target(1);
        let inst = match op {
            Op::Add {} => Inst::AddSS { to },
            Op::Subtract {} => Inst::SubtractSS { to },
            Op::Multiply {} => Inst::MultiplySS { to },
            Op::Divide {} => Inst::DivideSS { to },
            Op::Remainder {} => Inst::RemainderSS { to },
            Op::Index {} => Inst::IndexSS { to },
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
        if let Some(Op::JumpIfFalse { to }) = self.peek(1) {
            let inst = match op {
                Op::Less {} => Some(Inst::UnlessLessSS { to }),
                Op::LessEqual {} => Some(Inst::UnlessLessEqualSS { to }),
                Op::Greater {} => Some(Inst::UnlessGreaterSS { to }),
                Op::GreaterEqual {} => Some(Inst::UnlessGreaterEqualSS { to }),
                Op::Equal {} => Some(Inst::UnlessEqualSS { to }),
                Op::NotEqual {} => Some(Inst::UnlessNotEqualSS { to }),
                _ => None,
            };
            if let Some(inst) = inst {
                return self.emit(inst, 2, 0);
            }
        }
        let inst = match op {
            Op::StorePath { path } => self
                .single_index(path)
                .map(|root| Inst::StoreIndexS { root })
                .or_else(|| {
                    let (root, name) = self.single_field(path)?;
                    Some(Inst::StoreField {
                        root,
                        cache: self.cache(name),
                        path,
                    })
                }),
            Op::UpdatePath { path, operator } => self
                .single_index(path)
                .map(|root| Inst::UpdateIndex {
                    root,
                    operator,
                    path,
                })
                .or_else(|| {
                    self.single_field(path).map(|(root, _)| Inst::UpdateField {
                        root,
                        operator,
                        path,
                    })
                }),
            Op::Mutate { site } => self.plain_push(site).map(|root| Inst::Push { root }),
            _ => None,
        };
        self.emit(inst.unwrap_or_else(|| Inst::from(op)), 1, 0);
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

/// The operand that an `Op` only pushes.
fn named(op: Op) -> Option<Operand> {
    match op {
        Op::LoadLocal { slot } if slot < Operand::LIMIT => Some(Operand::local(slot)),
        Op::MoveLocal { slot } if slot < Operand::LIMIT => Some(Operand::last_use(slot)),
        Op::Constant { index } if index < Operand::LIMIT => Some(Operand::constant(index)),
        _ => None,
    }
}

fn int(op: Op) -> Option<i32> {
    match op {
        Op::Int { value } => Some(value),
        _ => None,
    }
}
