//! How deep the operand stack is before each instruction: the same on every
//! way there.
//!
//! Assumes that operands are valid, since effects index the tables.

use super::operands::Handlers;
use super::{Body, Fault, VerifyError, require};
use alloc::vec::Vec;

/// The depth before each instruction.
pub(super) struct Depths {
    before: Vec<u32>,
    /// The most operands at any time.
    pub deepest: u32,
}

const UNREACHED: u32 = u32::MAX;

impl Depths {
    /// The depth before an instruction that can be reached.
    pub(super) fn before(&self, pc: usize) -> u32 {
        self.before[pc]
    }
}

pub(super) fn measure(body: &Body<'_>, handlers: &Handlers) -> Result<Depths, VerifyError> {
    let mut depths = Depths {
        before: alloc::vec![UNREACHED; body.code().len()],
        deepest: 0,
    };
    let mut waiting = alloc::vec![0usize];
    depths.before[0] = 0;
    // Each instruction is walked once: it waits, or is fallen into, only when
    // its depth becomes known.
    while let Some(start) = waiting.pop() {
        let mut next = Some(start);
        while let Some(pc) = next {
            next = depths
                .step(body, handlers, pc, &mut waiting)
                .map_err(|fault| body.fault_at(pc, fault))?;
        }
    }
    Ok(depths)
}

impl Depths {
    /// Notes where control goes from an instruction; gives the next one if it
    /// is fallen into for the first time.
    fn step(
        &mut self,
        body: &Body<'_>,
        handlers: &Handlers,
        pc: usize,
        waiting: &mut Vec<usize>,
    ) -> Result<Option<usize>, Fault> {
        let op = &body.code()[pc];
        let effect = op.effect(body.program);
        let rest = self.before[pc]
            .checked_sub(effect.pops)
            .ok_or(Fault::StackUnderflow)?;
        if op.raises()
            && let Some(index) = handlers.around(pc)
        {
            let handler = &body.function.handlers[index];
            require(handler.depth <= rest, Fault::HandlerDepth)?;
            waiting.extend(self.reach(handler.target as usize, handler.depth)?);
        }
        if let Some(to) = op.target() {
            waiting.extend(self.reach(to as usize, rest + effect.pushes_at_target)?);
        }
        self.deepest = self.deepest.max(rest + effect.pushes);
        if op.ends() {
            return Ok(None);
        }
        self.reach(pc + 1, rest + effect.pushes)
    }

    /// Gives the instruction back if it was not reached before.
    fn reach(&mut self, pc: usize, depth: u32) -> Result<Option<usize>, Fault> {
        let known = &mut self.before[pc];
        if *known == UNREACHED {
            *known = depth;
            return Ok(Some(pc));
        }
        require(*known == depth, Fault::StackMismatch)?;
        Ok(None)
    }
}
