//! The state of a run that should live in registers, and what instructions do
//! to it.
//!
//! Everything that takes a `&mut Machine` is inlined into the loop: if its
//! address ever left it, the state would live in memory.  Cold code gets
//! copies and gives back results.

use super::frame::drop_range;
use super::inst::{Code, Inst, Operand, Target};
use crate::bytecode::{Operator, Var, VarKind};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{self, CellObject, Str};
use crate::semantics::convert::truthy;
use crate::semantics::{R, arith};
use crate::value::{RAISED, RawValue, Value};
use core::mem::size_of;

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
    pub constants: *const Value,
    pub globals: *mut Value,
}

impl Machine {
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

    /// Replaces the topmost values by what is made of them; false if that raised.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn replace(
        &mut self,
        count: u32,
        make: impl FnOnce(&mut [Value]) -> R<Value>,
    ) -> bool {
        // SAFETY: verified; the values are dropped once.
        unsafe {
            let values = self.sp.sub(count as usize);
            let result = make(core::slice::from_raw_parts_mut(values, count as usize));
            drop_range(values, self.sp);
            self.sp = values;
            match result {
                Ok(value) => {
                    self.push(value);
                    true
                }
                Err(Raised) => false,
            }
        }
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
                *self.slots.add(to as usize) = value;
            }
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

    /// Where a named operand lies.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn named(&self, operand: Operand) -> *mut Value {
        let base = if operand.is_local() {
            self.slots
        } else if operand.is_global() {
            self.globals
        } else {
            self.constants.cast_mut()
        };
        // SAFETY: verified.
        unsafe { base.add(operand.number()) }
    }

    /// An owned copy of a named operand, or the operand itself at its last use.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn take_named(&self, operand: Operand) -> Value {
        // SAFETY: verified.
        unsafe {
            let place = self.named(operand);
            if operand.moves() {
                (*place).take()
            } else {
                (*place).clone()
            }
        }
    }

    /// The truth of a named operand.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn truth_of(&self, operand: Operand) -> bool {
        // SAFETY: verified.
        unsafe {
            if operand.moves() {
                truthy(&self.take_named(operand))
            } else {
                truthy(&*self.named(operand))
            }
        }
    }

    /// Empties a scalar operand after its last use.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn done_with_scalar(&self, operand: Operand) {
        if operand.moves() {
            // SAFETY: verified; a scalar needs no drop.
            unsafe { self.named(operand).write(Value::UNSET) };
        }
    }

    /// The place of a variable.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn variable(&self, var: Var) -> *mut Value {
        let number = var.number() as usize;
        // SAFETY: verified: the slot exists and holds a cell where one is needed.
        unsafe {
            match var.kind() {
                VarKind::Local => self.slots.add(number),
                VarKind::Cell => cell_place(self.slots.add(number)),
                VarKind::Capture => cell_place(self.capture(number)),
                VarKind::Global => self.globals.add(number),
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

/// An operand of an arithmetic instruction.
pub(super) trait Source: Copy {
    /// Values that it takes off the stack.
    const POPS: usize;

    /// The operand, owned; called once, before it is popped.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    unsafe fn take(self, machine: &Machine) -> Value;

    /// # Safety
    /// As for `take`.
    unsafe fn int(self, machine: &Machine) -> Option<i64>;

    /// # Safety
    /// As for `take`.
    unsafe fn float(self, machine: &Machine) -> Option<f64>;

    /// Called instead of `take` for a scalar that was read.
    ///
    /// # Safety
    /// As for `take`.
    unsafe fn done(self, machine: &Machine);
}

/// The stack's value this many places below its end.
#[derive(Clone, Copy)]
pub(super) struct Top(pub usize);

impl Source for Top {
    const POPS: usize = 1;
    #[inline(always)]
    unsafe fn take(self, machine: &Machine) -> Value {
        // SAFETY: verified; it is popped and not used again.
        unsafe { machine.sp.sub(self.0).read() }
    }
    #[inline(always)]
    unsafe fn int(self, machine: &Machine) -> Option<i64> {
        // SAFETY: verified.
        unsafe { (*machine.sp.sub(self.0)).as_int() }
    }
    #[inline(always)]
    unsafe fn float(self, machine: &Machine) -> Option<f64> {
        // SAFETY: verified.
        unsafe { (*machine.sp.sub(self.0)).as_float() }
    }
    #[inline(always)]
    unsafe fn done(self, _machine: &Machine) {}
}

impl Source for Operand {
    const POPS: usize = 0;
    #[inline(always)]
    unsafe fn take(self, machine: &Machine) -> Value {
        // SAFETY: verified.
        unsafe { machine.take_named(self) }
    }
    #[inline(always)]
    unsafe fn int(self, machine: &Machine) -> Option<i64> {
        // SAFETY: verified.
        unsafe { (*machine.named(self)).as_int() }
    }
    #[inline(always)]
    unsafe fn float(self, machine: &Machine) -> Option<f64> {
        // SAFETY: verified.
        unsafe { (*machine.named(self)).as_float() }
    }
    #[inline(always)]
    unsafe fn done(self, machine: &Machine) {
        // SAFETY: verified.
        unsafe { machine.done_with_scalar(self) }
    }
}

impl Source for i32 {
    const POPS: usize = 0;
    #[inline(always)]
    unsafe fn take(self, _machine: &Machine) -> Value {
        Value::int(self as i64)
    }
    #[inline(always)]
    unsafe fn int(self, _machine: &Machine) -> Option<i64> {
        Some(self as i64)
    }
    #[inline(always)]
    unsafe fn float(self, _machine: &Machine) -> Option<f64> {
        None
    }
    #[inline(always)]
    unsafe fn done(self, _machine: &Machine) {}
}

/// `left operator right`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn arithmetic<L: Source, R: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    (left, right): (L, R),
    to: Target,
    operator: Operator,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let scalar = if let (Some(a), Some(b)) = (left.int(machine), right.int(machine)) {
            match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                Operator::Remainder => a.checked_rem(b),
            }
            .map(Value::int)
        } else if let (Some(a), Some(b)) = (left.float(machine), right.float(machine)) {
            match operator {
                Operator::Add => Some(Value::float(a + b)),
                Operator::Subtract => Some(Value::float(a - b)),
                Operator::Multiply => Some(Value::float(a * b)),
                Operator::Divide if b != 0.0 => Some(Value::float(a / b)),
                Operator::Divide | Operator::Remainder => None,
            }
        } else {
            None
        };
        if let Some(result) = scalar {
            left.done(machine);
            right.done(machine);
            machine.sp = machine.sp.sub(L::POPS + R::POPS);
            machine.deliver(result, to);
            return true;
        }
        let (left, right) = (
            left.take(machine).into_raw(),
            right.take(machine).into_raw(),
        );
        machine.sp = machine.sp.sub(L::POPS + R::POPS);
        ctx.stack.top = machine.sp;
        let result = operate(ctx, operator, left, right);
        if result.tag == RAISED {
            return false;
        }
        machine.deliver(Value::from_raw(result), to);
        true
    }
}

/// # Safety
/// The operands are given up.
#[cold]
#[inline(never)]
unsafe fn operate(
    ctx: &mut VMContext,
    operator: Operator,
    left: RawValue,
    right: RawValue,
) -> RawValue {
    // SAFETY: the caller gives both up.
    let (left, right) = unsafe { (Value::from_raw(left), Value::from_raw(right)) };
    match arith::operate(ctx, operator, left, right) {
        Ok(value) => value.into_raw(),
        Err(Raised) => RawValue::RAISED,
    }
}

/// A comparison: what it is on scalars, and on everything else.
pub(super) trait Comparison {
    fn ints(a: i64, b: i64) -> bool;
    fn floats(a: f64, b: f64) -> bool;
    /// What it is on strings, if it only asks whether they are the same.
    const SAME_TEXT: Option<bool>;
    /// The operation without the fast paths.
    const SLOW: fn(&mut VMContext, &Value, &Value) -> Result<Value, Raised>;
}

macro_rules! comparisons {
    ($($name:ident $operator:tt $slow:ident $same_text:expr, $floats:expr;)*) => {
        $(
            pub(super) struct $name;
            impl Comparison for $name {
                #[inline(always)]
                fn ints(a: i64, b: i64) -> bool {
                    a $operator b
                }
                #[inline(always)]
                fn floats(a: f64, b: f64) -> bool {
                    let floats: fn(f64, f64) -> bool = $floats;
                    floats(a, b)
                }
                const SAME_TEXT: Option<bool> = $same_text;
                const SLOW: fn(&mut VMContext, &Value, &Value) -> Result<Value, Raised> =
                    crate::semantics::compare::$slow;
            }
        )*
    };
}
comparisons! {
    Less < less None, |a, b| a < b;
    LessEqual <= less_equal None, |a, b| a <= b;
    Greater > greater None, |a, b| a > b;
    GreaterEqual >= greater_equal None, |a, b| a >= b;
    Equal == equal Some(true), crate::semantics::compare::same_float;
    NotEqual != not_equal Some(false), |a, b| !crate::semantics::compare::same_float(a, b);
}

/// What a comparison found.
pub(super) enum Outcome {
    Is(bool),
    /// An overload gave something else than a bool.
    Value(Value),
    Raised,
}

/// `left comparison right`, the operands taken.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn compare<C: Comparison, L: Source, R: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    (left, right): (L, R),
) -> Outcome {
    // SAFETY: verified.
    unsafe {
        let truth = if let (Some(a), Some(b)) = (left.int(machine), right.int(machine)) {
            Some(C::ints(a, b))
        } else if let (Some(a), Some(b)) = (left.float(machine), right.float(machine)) {
            Some(C::floats(a, b))
        } else {
            None
        };
        if let Some(truth) = truth {
            left.done(machine);
            right.done(machine);
            machine.sp = machine.sp.sub(L::POPS + R::POPS);
            return Outcome::Is(truth);
        }
        let (left, right) = (left.take(machine), right.take(machine));
        machine.sp = machine.sp.sub(L::POPS + R::POPS);
        if let Some(wanted) = C::SAME_TEXT
            && let (Some(a), Some(b)) = (left.as_object::<Str>(), right.as_object::<Str>())
        {
            return Outcome::Is((a == b) == wanted);
        }
        let (left, right) = (left.into_raw(), right.into_raw());
        ctx.stack.top = machine.sp;
        let result = compare_slowly(ctx, C::SLOW, left, right);
        if result.tag == RAISED {
            Outcome::Raised
        } else {
            Outcome::Value(Value::from_raw(result))
        }
    }
}

/// # Safety
/// The operands are given up.
#[inline(never)]
unsafe fn compare_slowly(
    ctx: &mut VMContext,
    slow: fn(&mut VMContext, &Value, &Value) -> Result<Value, Raised>,
    left: RawValue,
    right: RawValue,
) -> RawValue {
    // SAFETY: the caller gives both up.
    let (left, right) = unsafe { (Value::from_raw(left), Value::from_raw(right)) };
    match slow(ctx, &left, &right) {
        Ok(value) => value.into_raw(),
        Err(Raised) => RawValue::RAISED,
    }
}

/// Jumps if `left comparison right` is what is `WANTED`; false if that raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn jump_if<const WANTED: bool, C: Comparison, L: Source, R: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    operands: (L, R),
    distance: u32,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let truth = match compare::<C, L, R>(ctx, machine, operands) {
            Outcome::Is(truth) => truth,
            Outcome::Value(value) => truthy(&value),
            Outcome::Raised => return false,
        };
        if truth == WANTED {
            machine.jump(distance);
        }
        true
    }
}

/// `place operator= right` on scalars of one type; false if that is not what
/// it is, and then nothing has happened.
///
/// # Safety
/// The place is a live variable.
#[inline(always)]
pub(super) unsafe fn update_scalar(place: *mut Value, operator: Operator, right: &Value) -> bool {
    // SAFETY: a scalar is replaced by one.
    unsafe {
        let result = if let (Some(a), Some(b)) = ((*place).as_int(), right.as_int()) {
            match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                Operator::Remainder => a.checked_rem(b),
            }
            .map(Value::int)
        } else if let (Some(a), Some(b)) = ((*place).as_float(), right.as_float()) {
            match operator {
                Operator::Add => Some(Value::float(a + b)),
                Operator::Subtract => Some(Value::float(a - b)),
                Operator::Multiply => Some(Value::float(a * b)),
                Operator::Divide if b != 0.0 => Some(Value::float(a / b)),
                Operator::Divide | Operator::Remainder => None,
            }
        } else {
            None
        };
        match result {
            Some(result) => {
                place.write(result);
                true
            }
            None => false,
        }
    }
}

/// `variable operator= right`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn update(
    ctx: &mut VMContext,
    machine: &Machine,
    var: Var,
    operator: Operator,
    right: Value,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let place = machine.variable(var);
        if update_scalar(place, operator, &right) {
            return true;
        }
        ctx.stack.top = machine.sp;
        update_slowly(ctx, place, operator, right.into_raw())
    }
}

/// # Safety
/// The place is a live variable; the operand is given up.
#[inline(never)]
unsafe fn update_slowly(
    ctx: &mut VMContext,
    place: *mut Value,
    operator: Operator,
    right: RawValue,
) -> bool {
    // SAFETY: the caller gives it up.
    let right = unsafe { Value::from_raw(right) };
    arith::update(ctx, place, operator, right).is_ok()
}

/// Whether a frame of this function fits above `slots` and on the call stack.
#[inline(always)]
pub(super) fn fits(ctx: &VMContext, code: &Code, slots: *mut Value) -> bool {
    let end = (slots as usize).saturating_add(code.places * size_of::<Value>());
    end <= ctx.stack.limit as usize && ctx.trace_top < ctx.trace_limit
}
