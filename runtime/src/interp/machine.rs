//! The state of a run, which should live in registers.
//!
//! The methods here are inlined into the loop.  If the machine's address ever
//! left it, the state would live in memory; so slow work is done on a copy
//! (`outside`), and nothing has to survive a call in a register.

use super::frame::drop_range;
use super::inst::{Code, Inst, Place, Target};
use crate::bytecode::{Var, VarKind};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{self, CellObject};
use crate::semantics::R;
use crate::value::Value;

/// The target of a result that is pushed.
pub const PUSH: Target = u32::MAX;

/// Where a run is: the frame on top and its next instruction.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    pub pc: *const Inst,
    /// The first free place of the value stack.
    pub sp: *mut Value,
    pub slots: *mut Value,
    pub code: *const Code,
    /// The function object that runs.
    pub callee: *const heap::Function,
}

impl Machine {
    /// The same as `outside` for what is not expected to happen.
    #[inline(always)]
    pub fn aside<T>(
        &mut self,
        ctx: &mut VMContext,
        work: impl FnOnce(&mut VMContext, &mut Machine) -> T,
    ) -> T {
        core::hint::cold_path();
        self.outside(ctx, work)
    }

    /// Lets a function that is not inlined work on the machine.
    #[inline(always)]
    pub fn outside<T>(
        &mut self,
        ctx: &mut VMContext,
        work: impl FnOnce(&mut VMContext, &mut Machine) -> T,
    ) -> T {
        let mut copy = *self;
        let result = work(ctx, &mut copy);
        *self = copy;
        result
    }

    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn push(&mut self, value: Value) {
        // SAFETY: the frame has room for its operands.
        unsafe {
            self.sp.write(value);
            self.sp = self.sp.add(1);
        }
    }

    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn pop(&mut self) -> Value {
        // SAFETY: verified.
        unsafe {
            self.sp = self.sp.sub(1);
            self.sp.read()
        }
    }

    /// Replaces the top by what is computed from it.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn map_top(&mut self, compute: impl FnOnce(&Value) -> Value) {
        // SAFETY: verified.
        unsafe {
            let top = self.pop();
            self.push(compute(&top));
        }
    }

    /// Replaces the top by whether it passes a test.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn test_top(&mut self, test: impl FnOnce(&Value) -> bool) {
        // SAFETY: verified.
        unsafe { self.map_top(|top| Value::bool(test(top))) };
    }

    /// Replaces the top by what is computed from it, owned.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn compute_top(&mut self, compute: impl FnOnce(Value) -> R<Value>) -> R<()> {
        // SAFETY: verified.
        unsafe {
            let top = self.pop();
            self.push(compute(top)?);
        }
        Ok(())
    }

    /// Gives the topmost values to a function; what it leaves is dropped.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn consume<T>(&mut self, count: u32, work: impl FnOnce(&mut [Value]) -> T) -> T {
        // SAFETY: verified; the values are dropped once.
        unsafe {
            let values = self.sp.sub(count as usize);
            let result = work(core::slice::from_raw_parts_mut(values, count as usize));
            drop_range(values, self.sp);
            self.sp = values;
            result
        }
    }

    /// Replaces the topmost values by what is made of them.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn replace(
        &mut self,
        count: u32,
        make: impl FnOnce(&mut [Value]) -> R<Value>,
    ) -> R<()> {
        // SAFETY: verified.
        unsafe {
            let value = self.consume(count, make)?;
            self.push(value);
        }
        Ok(())
    }

    /// Puts a result where it goes.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn deliver(&mut self, value: Value, to: Target) {
        // SAFETY: verified.
        unsafe {
            if to == PUSH {
                self.push(value);
            } else {
                *self.slot(to) = value;
            }
        }
    }

    /// Puts a result where it goes, unless it is an error: then false.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn deliver_result(&mut self, result: R<Value>, to: Target) -> bool {
        match result {
            Ok(value) => {
                // SAFETY: verified.
                unsafe { self.deliver(value, to) };
                true
            }
            Err(Raised) => false,
        }
    }

    /// Goes to the instruction at a distance from the one that is executed.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn jump(&mut self, distance: u32) {
        // SAFETY: targets are within the function.
        self.pc = unsafe { self.pc.offset(distance as i32 as isize) };
    }

    /// A slot by its place.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn slot(&self, place: Place) -> *mut Value {
        // SAFETY: verified.
        unsafe { self.slots.byte_add(place as usize) }
    }

    /// A copy of what a slot holds, or that itself at its last use.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn take_slot(&self, place: Place, moves: bool) -> Value {
        // SAFETY: verified.
        unsafe {
            let slot = self.slot(place);
            if moves {
                (*slot).take()
            } else {
                (*slot).clone()
            }
        }
    }

    /// The place of a variable.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn variable(&self, ctx: &VMContext, var: Var) -> *mut Value {
        let number = var.number() as usize;
        // SAFETY: verified: the slot exists and holds a cell where one is needed.
        unsafe {
            match var.kind() {
                VarKind::Local => self.slots.add(number),
                VarKind::Cell => cell_place(self.slots.add(number)),
                VarKind::Capture => cell_place(self.capture(number)),
                VarKind::Global => ctx.globals.add(number),
            }
        }
    }

    /// What the running function object has captured.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn capture(&self, index: usize) -> *const Value {
        // SAFETY: verified.
        unsafe { (*self.callee).captures().as_ptr().add(index) }
    }

    /// The way back from the frame on top.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn link(&self) -> *mut super::frame::Link {
        // SAFETY: the link follows the slots.
        unsafe { self.slots.add((*self.code).slots).cast() }
    }

    /// Where the frame's operands start.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn operands(&self) -> *mut Value {
        // SAFETY: the operands follow the link.
        unsafe { self.link().cast::<Value>().add(super::frame::LINK_PLACES) }
    }

    /// The number of the `Op` that the instruction before `pc` may raise in.
    ///
    /// # Safety
    /// The machine is that of a live frame, behind an instruction.
    pub unsafe fn instruction(&self) -> u32 {
        // SAFETY: `pc` is behind an instruction of the function.
        unsafe {
            let code = &*self.code;
            let index = self.pc.offset_from_unsigned(code.insts.as_ptr()) - 1;
            code.origins[index]
        }
    }
}

/// Where the variable in a cell lives.
///
/// # Safety
/// `holder` holds a cell.
#[inline(always)]
pub(super) unsafe fn cell_place(holder: *const Value) -> *mut Value {
    // SAFETY: the caller vouches for the cell.
    unsafe { (*((*holder).payload() as *const CellObject)).place() }
}

/// Whether a frame of this function fits above `slots` and on the call stack.
#[inline(always)]
pub(super) fn fits(ctx: &VMContext, code: &Code, slots: *mut Value) -> bool {
    (slots as usize).wrapping_add(code.size) <= ctx.stack.limit as usize
        && ctx.trace_top < ctx.trace_limit
}
