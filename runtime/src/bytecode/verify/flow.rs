//! What slots and operands hold, on every way to every instruction.
//!
//! The states are joined where ways meet and followed until nothing changes.
//! Ways meet only at targets of jumps and handlers, so only these keep one.
//!
//! Assumes that operands are valid and the stack's depth is known.

use super::depth::Depths;
use super::frame::Frame;
use super::kinds::{Kinds, State};
use super::operands::Handlers;
use super::{Body, VerifyError};
use crate::bytecode::Op;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

pub(super) fn check(
    body: &Body<'_>,
    handlers: &Handlers,
    depths: &Depths,
) -> Result<(), VerifyError> {
    let mut flow = Flow {
        body,
        handlers,
        depths,
        joint: joints(body),
        states: Vec::new(),
        waiting: BinaryHeap::new(),
    };
    let joints = flow
        .joint
        .iter()
        .filter(|joint| **joint != NO_JOINT)
        .count();
    flow.states.resize_with(joints, || None);
    flow.arrive(0, &flow.entry_state());
    // The earliest first, so that inner loops settle before what follows them.
    while let Some(Reverse(start)) = flow.waiting.pop() {
        flow.follow(start as usize)?;
    }
    Ok(())
}

const NO_JOINT: u32 = u32::MAX;

/// Numbers the instructions that control can reach in more than one way.
fn joints(body: &Body<'_>) -> Vec<u32> {
    let mut joint = alloc::vec![NO_JOINT; body.code().len()];
    joint[0] = 0;
    let targets = body.code().iter().filter_map(Op::target);
    let handlers = body.function.handlers.iter().map(|handler| handler.target);
    for target in targets.chain(handlers) {
        joint[target as usize] = 0;
    }
    let used = joint.iter_mut().filter(|place| **place != NO_JOINT);
    used.zip(0..).for_each(|(place, number)| *place = number);
    joint
}

/// What is known where ways meet.
struct Joint {
    state: State,
    /// It changed and is to be followed.
    waits: bool,
}

struct Flow<'a> {
    body: &'a Body<'a>,
    handlers: &'a Handlers,
    depths: &'a Depths,
    /// By instruction: its number among the joints.
    joint: Vec<u32>,
    /// By joint; `None` until it is reached.
    states: Vec<Option<Joint>>,
    waiting: BinaryHeap<Reverse<u32>>,
}

impl Flow<'_> {
    /// Parameters hold values, other slots nothing.
    fn entry_state(&self) -> State {
        let slots = self.body.function.slots as usize;
        let mut state = State::new(self.self_place() + 1, Kinds::UNSET);
        for slot in 0..self.body.function.info.params.len() {
            state.set(slot, Kinds::PLAIN);
        }
        // Places of operands that are not there don't matter; equal ones are shared.
        for operand in 0..self.depths.deepest as usize {
            state.set(slots + operand, Kinds::PLAIN);
        }
        state
    }

    /// Beside slots and operands: whether the changed `self` was left for the caller.
    fn self_place(&self) -> usize {
        self.body.function.slots as usize + self.depths.deepest as usize
    }

    /// Joins a state into that of a joint.
    fn arrive(&mut self, pc: usize, state: &State) {
        let joint = &mut self.states[self.joint[pc] as usize];
        let changed = match joint {
            Some(joint) => joint.state.join(state) && !core::mem::replace(&mut joint.waits, true),
            None => {
                *joint = Some(Joint {
                    state: state.clone(),
                    waits: true,
                });
                true
            }
        };
        if changed {
            self.waiting.push(Reverse(pc as u32));
        }
    }

    /// Follows control from a joint to where it ends or meets the next one.
    fn follow(&mut self, start: usize) -> Result<(), VerifyError> {
        let Some(joint) = &mut self.states[self.joint[start] as usize] else {
            return Ok(());
        };
        joint.waits = false;
        let state = joint.state.clone();
        let mut frame = Frame {
            body: self.body,
            state,
            depth: 0,
            self_place: self.self_place(),
        };
        let mut pc = start;
        loop {
            frame.depth = self.depths.before(pc) as usize;
            let op = &self.body.code()[pc];
            if op.raises()
                && let Some(index) = self.handlers.around(pc)
            {
                let target = self.body.function.handlers[index].target;
                let state = frame.after_error(op);
                self.arrive(target as usize, &state);
            }
            frame
                .apply(op)
                .map_err(|fault| self.body.fault_at(pc, fault))?;
            if let Some(to) = op.target() {
                let state = frame.at_target(op);
                self.arrive(to as usize, &state);
            }
            if op.ends() {
                return Ok(());
            }
            pc += 1;
            if self.joint[pc] != NO_JOINT {
                self.arrive(pc, &frame.state);
                return Ok(());
            }
        }
    }
}
