//! Arithmetic, comparison and compound assignment: inlined for scalars of one
//! type, outside for the rest.

use super::inst::{Place, Target};
use super::machine::Machine;
use crate::bytecode::Operator;
use crate::context::VMContext;
use crate::heap::Str;
use crate::semantics::compare::{self, same_float};
use crate::semantics::convert::truthy;
use crate::semantics::{R, arith};
use crate::value::Value;

/// An operand of an instruction.
pub(super) trait Source: Copy {
    /// Values that it takes off the stack.
    const POPS: usize;

    /// The operand, owned; called once, before it is popped.  A scalar that was
    /// looked at need not be taken.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    unsafe fn take(self, ctx: &VMContext, machine: &Machine) -> Value;

    /// Whether the operand stays where it is, and nothing has to be dropped.
    #[inline(always)]
    fn stays(self) -> bool {
        Self::POPS == 0
    }

    /// Looks at the operand where it is.
    ///
    /// # Safety
    /// As for `take`.
    unsafe fn look<T>(
        self,
        ctx: &VMContext,
        machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T;

    /// # Safety
    /// As for `take`.
    #[inline(always)]
    unsafe fn int(self, ctx: &VMContext, machine: &Machine) -> Option<i64> {
        // SAFETY: passed on.
        unsafe { self.look(ctx, machine, Value::as_int) }
    }

    /// # Safety
    /// As for `take`.
    #[inline(always)]
    unsafe fn float(self, ctx: &VMContext, machine: &Machine) -> Option<f64> {
        // SAFETY: passed on.
        unsafe { self.look(ctx, machine, Value::as_float) }
    }
}

/// The stack's value this many places below its end.
#[derive(Clone, Copy)]
pub(super) struct Top(pub usize);

impl Source for Top {
    const POPS: usize = 1;
    #[inline(always)]
    unsafe fn take(self, _ctx: &VMContext, machine: &Machine) -> Value {
        // SAFETY: verified; it is popped and not used again.
        unsafe { machine.sp.sub(self.0).read() }
    }
    #[inline(always)]
    unsafe fn look<T>(
        self,
        _ctx: &VMContext,
        machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T {
        // SAFETY: verified.
        look(unsafe { &*machine.sp.sub(self.0) })
    }
}

/// What a slot holds; emptied by `take` at its last use.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    place: Place,
    moves: bool,
}

/// The first local of an instruction.
#[inline(always)]
pub(super) fn first(place: Place, moves: u8) -> Slot {
    Slot {
        place,
        moves: moves & 1 != 0,
    }
}

/// The second local of an instruction, or the only one on the right.
#[inline(always)]
pub(super) fn second(place: Place, moves: u8) -> Slot {
    Slot {
        place,
        moves: moves & 2 != 0,
    }
}

impl Slot {
    /// Its truth.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    pub unsafe fn truth(self, machine: &Machine) -> bool {
        // SAFETY: verified.
        unsafe {
            if self.moves {
                truthy(&machine.take_slot(self.place, true))
            } else {
                truthy(&*machine.slot(self.place))
            }
        }
    }

    #[inline(always)]
    pub fn is_last_use(self) -> bool {
        self.moves
    }
}

impl Source for Slot {
    const POPS: usize = 0;
    #[inline(always)]
    fn stays(self) -> bool {
        !self.moves
    }
    #[inline(always)]
    unsafe fn take(self, _ctx: &VMContext, machine: &Machine) -> Value {
        // SAFETY: verified.
        unsafe { machine.take_slot(self.place, self.moves) }
    }
    #[inline(always)]
    unsafe fn look<T>(
        self,
        _ctx: &VMContext,
        machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T {
        // SAFETY: verified.
        look(unsafe { &*machine.slot(self.place) })
    }
}

/// A constant by its place.
#[derive(Clone, Copy)]
pub(super) struct Constant(pub Place);

impl Source for Constant {
    const POPS: usize = 0;
    #[inline(always)]
    unsafe fn take(self, ctx: &VMContext, _machine: &Machine) -> Value {
        // SAFETY: verified.
        unsafe { (*ctx.constants.byte_add(self.0 as usize)).clone() }
    }
    #[inline(always)]
    unsafe fn look<T>(
        self,
        ctx: &VMContext,
        _machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T {
        // SAFETY: verified.
        look(unsafe { &*ctx.constants.byte_add(self.0 as usize) })
    }
}

/// A global by its place.
#[derive(Clone, Copy)]
pub(super) struct Global(pub Place);

impl Source for Global {
    const POPS: usize = 0;
    #[inline(always)]
    unsafe fn take(self, ctx: &VMContext, _machine: &Machine) -> Value {
        // SAFETY: verified.
        unsafe { (*ctx.globals.byte_add(self.0 as usize)).clone() }
    }
    #[inline(always)]
    unsafe fn look<T>(
        self,
        ctx: &VMContext,
        _machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T {
        // SAFETY: verified.
        look(unsafe { &*ctx.globals.byte_add(self.0 as usize) })
    }
}

impl Source for i32 {
    const POPS: usize = 0;
    #[inline(always)]
    unsafe fn take(self, _ctx: &VMContext, _machine: &Machine) -> Value {
        Value::int(self as i64)
    }
    #[inline(always)]
    unsafe fn look<T>(
        self,
        _ctx: &VMContext,
        _machine: &Machine,
        look: impl FnOnce(&Value) -> T,
    ) -> T {
        look(&Value::int(self as i64))
    }
}

/// An operator on two ints, if that neither overflows nor divides by zero.
#[inline(always)]
fn on_ints(operator: Operator, a: i64, b: i64) -> Option<i64> {
    match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
    }
}

/// An operator on two floats, if that is simple and does not divide by zero.
#[inline(always)]
fn on_floats(operator: Operator, a: f64, b: f64) -> Option<f64> {
    match operator {
        Operator::Add => Some(a + b),
        Operator::Subtract => Some(a - b),
        Operator::Multiply => Some(a * b),
        Operator::Divide if b != 0.0 => Some(a / b),
        Operator::Divide | Operator::Remainder => None,
    }
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
        let ints = (left.int(ctx, machine), right.int(ctx, machine));
        let scalar = if let (Some(a), Some(b)) = ints {
            on_ints(operator, a, b).map(Value::int)
        } else {
            let floats = (left.float(ctx, machine), right.float(ctx, machine));
            match floats {
                (Some(a), Some(b)) => on_floats(operator, a, b).map(Value::float),
                _ => None,
            }
        };
        if let Some(result) = scalar {
            machine.sp = machine.sp.sub(L::POPS + R::POPS);
            machine.deliver(result, to);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            arithmetic_slowly(ctx, machine, left, right, to, operator)
        })
    }
}

/// # Safety
/// As for `arithmetic`.
#[inline(never)]
unsafe fn arithmetic_slowly<L: Source, R: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    left: L,
    right: R,
    to: Target,
    operator: Operator,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let (left, right) = (left.take(ctx, machine), right.take(ctx, machine));
        machine.sp = machine.sp.sub(L::POPS + R::POPS);
        ctx.stack.top = machine.sp;
        let result = arith::operate(ctx, operator, left, right);
        machine.deliver_result(result, to)
    }
}

/// A comparison: what it is on scalars, and on everything else.
pub(super) trait Comparison {
    fn ints(a: i64, b: i64) -> bool;
    fn floats(a: f64, b: f64) -> bool;
    /// What it is on strings, if it only asks whether they are the same.
    const SAME_TEXT: Option<bool>;
    /// The operation without the fast paths.
    const SLOW: Slow;
}

/// A comparison on any values.
type Slow = fn(&mut VMContext, &Value, &Value) -> R<Value>;

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
                const SLOW: Slow = compare::$slow;
            }
        )*
    };
}
comparisons! {
    Less < less None, |a, b| a < b;
    LessEqual <= less_equal None, |a, b| a <= b;
    Greater > greater None, |a, b| a > b;
    GreaterEqual >= greater_equal None, |a, b| a >= b;
    Equal == equal Some(true), same_float;
    NotEqual != not_equal Some(false), |a, b| !same_float(a, b);
}

/// What a comparison of scalars found, the operands done with.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
unsafe fn compare_scalars<C: Comparison, L: Source, R: Source>(
    ctx: &VMContext,
    machine: &mut Machine,
    left: L,
    right: R,
) -> Option<bool> {
    // SAFETY: verified.
    unsafe {
        let truth = match (left.int(ctx, machine), right.int(ctx, machine)) {
            (Some(a), Some(b)) => C::ints(a, b),
            _ => match (left.float(ctx, machine), right.float(ctx, machine)) {
                (Some(a), Some(b)) => C::floats(a, b),
                _ => return compare_texts::<C, L, R>(ctx, machine, left, right),
            },
        };
        machine.sp = machine.sp.sub(L::POPS + R::POPS);
        Some(truth)
    }
}

/// As `compare_scalars`, for strings that are only asked whether they are the
/// same and that lie where they can stay.
///
/// # Safety
/// As for `compare_scalars`.
#[inline(always)]
unsafe fn compare_texts<C: Comparison, L: Source, R: Source>(
    ctx: &VMContext,
    machine: &mut Machine,
    left: L,
    right: R,
) -> Option<bool> {
    let wanted = C::SAME_TEXT?;
    if !left.stays() || !right.stays() {
        return None;
    }
    // SAFETY: verified.
    let same = unsafe {
        left.look(ctx, machine, |left| {
            right.look(ctx, machine, |right| same_text_at_sight(left, right))
        })
    };
    Some(same? == wanted)
}

/// Pushes `left comparison right`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn comparison<C: Comparison>(ctx: &mut VMContext, machine: &mut Machine) -> bool {
    // SAFETY: verified.
    unsafe {
        if let Some(truth) = compare_scalars::<C, _, _>(ctx, machine, Top(2), Top(1)) {
            machine.push(Value::bool(truth));
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            let result = compare_slowly(ctx, machine, Top(2), Top(1), C::SLOW, C::SAME_TEXT);
            machine.deliver_result(result, super::machine::PUSH)
        })
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
    (left, right): (L, R),
    distance: u32,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if let Some(truth) = compare_scalars::<C, L, R>(ctx, machine, left, right) {
            if truth == WANTED {
                machine.jump(distance);
            }
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            match compare_slowly(ctx, machine, left, right, C::SLOW, C::SAME_TEXT) {
                Ok(value) => {
                    if truthy(&value) == WANTED {
                        machine.jump(distance);
                    }
                    true
                }
                Err(_) => false,
            }
        })
    }
}

/// Whether two strings have the same text, if that is plain to see.
#[inline(always)]
fn same_text_at_sight(left: &Value, right: &Value) -> Option<bool> {
    let (left, right) = (left.as_object::<Str>()?, right.as_object::<Str>()?);
    if core::ptr::eq(left, right) {
        return Some(true);
    }
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() || left.first() != right.first() {
        return Some(false);
    }
    (left.len() < 2).then_some(true)
}

/// # Safety
/// As for `comparison`.
#[inline(never)]
unsafe fn compare_slowly<L: Source, R: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    left: L,
    right: R,
    slow: Slow,
    same_text: Option<bool>,
) -> Result<Value, crate::error::Raised> {
    // SAFETY: verified.
    unsafe {
        let (left, right) = (left.take(ctx, machine), right.take(ctx, machine));
        machine.sp = machine.sp.sub(L::POPS + R::POPS);
        if let Some(wanted) = same_text
            && let (Some(a), Some(b)) = (left.as_object::<Str>(), right.as_object::<Str>())
        {
            return Ok(Value::bool((a == b) == wanted));
        }
        ctx.stack.top = machine.sp;
        slow(ctx, &left, &right)
    }
}

/// `variable operator= right`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction, and the
/// place that of a live variable.
#[inline(always)]
pub(super) unsafe fn update<S: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    place: *mut Value,
    operator: Operator,
    right: S,
) -> bool {
    // SAFETY: verified; a scalar is replaced by one.
    unsafe {
        let result = match ((*place).as_int(), right.int(ctx, machine)) {
            (Some(a), Some(b)) => on_ints(operator, a, b).map(Value::int),
            _ => match ((*place).as_float(), right.float(ctx, machine)) {
                (Some(a), Some(b)) => on_floats(operator, a, b).map(Value::float),
                _ => None,
            },
        };
        if let Some(result) = result {
            machine.sp = machine.sp.sub(S::POPS);
            place.write(result);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            update_slowly(ctx, machine, place, operator, right)
        })
    }
}

/// # Safety
/// As for `update`; the place is a live variable.
#[inline(never)]
unsafe fn update_slowly<S: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    place: *mut Value,
    operator: Operator,
    right: S,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let right = right.take(ctx, machine);
        machine.sp = machine.sp.sub(S::POPS);
        ctx.stack.top = machine.sp;
        arith::update(ctx, place, operator, right).is_ok()
    }
}

/// `old operator right` for an element of a flat array of ints.
#[inline(always)]
pub(super) fn update_int(old: &mut i64, operator: Operator, right: i64) -> bool {
    match on_ints(operator, *old, right) {
        Some(result) => {
            *old = result;
            true
        }
        None => false,
    }
}

/// `old operator right` for an element of a flat array of floats.
#[inline(always)]
pub(super) fn update_float(old: &mut f64, operator: Operator, right: f64) -> bool {
    match on_floats(operator, *old, right) {
        Some(result) => {
            *old = result;
            true
        }
        None => false,
    }
}
