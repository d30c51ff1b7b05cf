//! Last uses: which loads may take the value out of its local.
//!
//! A value that only one owner has is changed in place, so it matters that a
//! local lets go of its value when nobody will look at it again: `x = f(x)`
//! then hands over the only reference.  This is liveness over the finished
//! code, with an edge from every instruction that may raise to its handler.
//!
//! Invariant: a slot that ever holds a cell, or belongs to a loop's hidden
//! state, is left alone.

mod blocks;
mod slots;

use blocks::{Blocks, NO_BLOCK};
use ruff_runtime::bytecode::{Capture, Function, MethodSite, Op, Path, Program, VarKind};
use slots::{Interest, Row, Rows};

/// Turns the last load of each value into a move, and marks the method calls
/// whose receiver may leave its place.
pub(super) fn find_last_uses(program: &mut Program) {
    for index in 0..program.functions.len() {
        let mut code = std::mem::take(&mut program.functions[index].code);
        let taken = rewrite(program, &program.functions[index], &mut code);
        program.functions[index].code = code;
        for site in taken {
            program.method_sites[site as usize].take = true;
        }
    }
}

/// What an instruction does with a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    Uses,
    Sets,
}

/// Calls `touched` with the locals whose values an instruction uses or sets;
/// the hidden locals of loops don't count.
fn for_each_local(program: &Program, op: &Op, touched: &mut impl FnMut(u32, Touch)) {
    let mut root = |path: &Path| {
        if path.root.kind() == VarKind::Local {
            touched(path.root.number(), Touch::Uses);
        }
    };
    match *op {
        Op::LoadLocal { slot } | Op::MoveLocal { slot } => touched(slot, Touch::Uses),
        Op::StoreLocal { slot } | Op::ClearLocal { slot } => touched(slot, Touch::Sets),
        Op::JumpIfUnset { var, .. } | Op::Update { var, .. } | Op::UpdateFrom { var, .. }
            if var.kind() == VarKind::Local =>
        {
            touched(var.number(), Touch::Uses);
        }
        Op::StorePath { path }
        | Op::ReadPath { path }
        | Op::StorePathUnder { path }
        | Op::UpdatePath { path, .. } => root(&program.paths[path as usize]),
        Op::CallMethod { site } => {
            if let Some(place) = &program.method_sites[site as usize].place {
                root(place);
            }
        }
        Op::Mutate { site } => root(&program.builtin_sites[site as usize].place),
        Op::MakeClosure { func } => {
            for capture in &program.functions[func as usize].captures {
                if let Capture::Value(slot) = *capture {
                    touched(slot, Touch::Uses);
                }
            }
        }
        _ => {}
    }
}

/// Rewrites a function's code; gives the method sites whose receiver may be taken.
fn rewrite(program: &Program, function: &Function, code: &mut [Op]) -> Vec<u32> {
    let blocks = Blocks::new(function, code);
    let interest = Interest::new(program, function.slots, code, &blocks);
    let rows = needed_at_starts(program, code, &blocks, &interest);
    let mut needed = Needed {
        row: Row::new(&rows),
        here: vec![false; interest.slots()],
        interest: &interest,
    };
    let mut taken = Vec::new();
    for block in 0..blocks.len() {
        needed.row.clear();
        for next in blocks.successors(block, code) {
            needed.row.join(&rows, next);
        }
        let handler = blocks.handler(block);
        let after_error = |slot| {
            let number = interest.number(slot);
            handler != NO_BLOCK && number.is_some_and(|number| rows.has(handler, number))
        };
        for pc in blocks.range(block).rev() {
            let op = code[pc];
            match op {
                Op::LoadLocal { slot }
                    if interest.is_plain(slot) && !needed.has(slot) && !after_error(slot) =>
                {
                    code[pc] = Op::MoveLocal { slot };
                }
                Op::CallMethod { site } => {
                    let receiver = takeable(&program.method_sites[site as usize], &interest);
                    if receiver.is_some_and(|slot| !after_error(slot)) {
                        taken.push(site);
                    }
                }
                _ => {}
            }
            for_each_local(program, &op, &mut |slot, touch| needed.touch(slot, touch));
        }
    }
    taken
}

/// The local that a call may empty if nobody needs it after an error.
fn takeable(site: &MethodSite, interest: &Interest) -> Option<u32> {
    let root = site.place.as_ref()?.root;
    let is_plain = root.kind() == VarKind::Local && interest.is_plain(root.number());
    (is_plain && site.immutable.is_none() && !site.early).then(|| root.number())
}

/// The locals that are needed at some point of a block.
struct Needed<'a> {
    row: Row,
    /// By slot: those that are known in this block only.  None of them is
    /// needed before it is set, so at the start of a block nothing is left.
    here: Vec<bool>,
    interest: &'a Interest,
}

impl Needed<'_> {
    fn has(&self, slot: u32) -> bool {
        match self.interest.number(slot) {
            Some(number) => self.row.has(number),
            None => self.here[slot as usize],
        }
    }

    fn touch(&mut self, slot: u32, touch: Touch) {
        match self.interest.number(slot) {
            Some(number) => self.row.touch(number, touch),
            None => self.here[slot as usize] = touch == Touch::Uses,
        }
    }
}

/// What is needed at the start of each block, found by going round until
/// nothing changes.
fn needed_at_starts(program: &Program, code: &[Op], blocks: &Blocks, interest: &Interest) -> Rows {
    let mut rows = Rows::new(blocks.len(), interest);
    if rows.is_empty() {
        return rows;
    }
    let touches: Vec<_> = (0..blocks.len())
        .map(|block| touches(program, code, blocks, block, interest))
        .collect();
    let predecessors = blocks.predecessors(code);
    let mut waits = vec![true; blocks.len()];
    // The last block first: what is needed flows backward.
    let mut waiting: Vec<u32> = (0..blocks.len() as u32).collect();
    let mut row = Row::new(&rows);
    while let Some(block) = waiting.pop() {
        let block = block as usize;
        waits[block] = false;
        row.clear();
        for next in blocks.successors(block, code) {
            row.join(&rows, next);
        }
        for (number, touch) in &touches[block] {
            row.touch(*number, *touch);
        }
        if blocks.handler(block) != NO_BLOCK {
            row.join(&rows, blocks.handler(block));
        }
        if rows.grow(block, &row) {
            for before in &predecessors[block] {
                if !std::mem::replace(&mut waits[*before as usize], true) {
                    waiting.push(*before);
                }
            }
        }
    }
    rows
}

/// What a block does with numbered locals, last things first.
fn touches(
    program: &Program,
    code: &[Op],
    blocks: &Blocks,
    block: usize,
    interest: &Interest,
) -> Vec<(u32, Touch)> {
    let mut touches = Vec::new();
    for op in code[blocks.range(block)].iter().rev() {
        for_each_local(program, op, &mut |slot, touch| {
            if let Some(number) = interest.number(slot) {
                touches.push((number, touch));
            }
        });
    }
    touches
}
