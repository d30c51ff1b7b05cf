//! Instructions as the interpreter runs them.
//!
//! Each is an `Op`, or one of the combinations below, which stand for a few
//! `Op`s that often come together: operands that would only pass over the
//! stack are named by the instruction that uses them.  Jump targets are
//! distances, so nothing but the next instruction's address is needed.

use crate::bytecode::{FunctionId, MethodSite, Op, Operator, Var};
use crate::for_each_op;
use crate::heap::Shape;
use crate::names::NameId;
use alloc::boxed::Box;
use core::cell::Cell;

/// An operand that an instruction names: a local, which may be emptied by the
/// use, a constant, or a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand(pub u32);

impl Operand {
    const MOVES: u32 = 1 << 30;
    const CONSTANT: u32 = 2 << 30;
    const GLOBAL: u32 = 3 << 30;
    /// Numbers must be below this.
    pub const LIMIT: u32 = 1 << 30;

    pub const fn local(slot: u32) -> Operand {
        Operand(slot)
    }

    pub const fn last_use(slot: u32) -> Operand {
        Operand(slot | Operand::MOVES)
    }

    pub const fn constant(index: u32) -> Operand {
        Operand(index | Operand::CONSTANT)
    }

    pub const fn global(number: u32) -> Operand {
        Operand(number | Operand::GLOBAL)
    }

    #[inline(always)]
    pub const fn is_local(self) -> bool {
        self.0 < Operand::CONSTANT
    }

    /// Whether it is a global, if it is no local.
    #[inline(always)]
    pub const fn is_global(self) -> bool {
        self.0 >= Operand::GLOBAL
    }

    #[inline(always)]
    pub const fn moves(self) -> bool {
        self.0 >> 30 == Operand::MOVES >> 30
    }

    #[inline(always)]
    pub const fn number(self) -> usize {
        (self.0 & (Operand::LIMIT - 1)) as usize
    }
}

/// Where an instruction's result goes: a slot, or `PUSH`.
pub type Target = u32;

macro_rules! define_insts {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        /// An instruction of the interpreter.  In the names of combinations
        /// `N` stands for a named operand, `S` for one on the stack and `I`
        /// for an int in the instruction.
        #[derive(Clone, Copy, Debug)]
        pub enum Inst {
            $($(#[$doc])* $name { $($operand: $type),* },)*

            AddSS { to: Target },
            AddSN { right: Operand, to: Target },
            AddSI { right: i32, to: Target },
            AddNN { left: Operand, right: Operand, to: Target },
            AddNI { left: Operand, right: i32, to: Target },
            SubtractSS { to: Target },
            SubtractSN { right: Operand, to: Target },
            SubtractSI { right: i32, to: Target },
            SubtractNN { left: Operand, right: Operand, to: Target },
            SubtractNI { left: Operand, right: i32, to: Target },
            MultiplySS { to: Target },
            MultiplySN { right: Operand, to: Target },
            MultiplySI { right: i32, to: Target },
            MultiplyNN { left: Operand, right: Operand, to: Target },
            MultiplyNI { left: Operand, right: i32, to: Target },
            DivideSS { to: Target },
            DivideSN { right: Operand, to: Target },
            DivideSI { right: i32, to: Target },
            DivideNN { left: Operand, right: Operand, to: Target },
            DivideNI { left: Operand, right: i32, to: Target },
            RemainderSS { to: Target },
            RemainderSN { right: Operand, to: Target },
            RemainderSI { right: i32, to: Target },
            RemainderNN { left: Operand, right: Operand, to: Target },
            RemainderNI { left: Operand, right: i32, to: Target },

            /// Jump unless `left < right`; likewise the following ones.
            UnlessLessSS { to: u32 },
            UnlessLessSN { right: Operand, to: u32 },
            UnlessLessSI { right: i32, to: u32 },
            UnlessLessNN { left: Operand, right: Operand, to: u32 },
            UnlessLessNI { left: Operand, right: i32, to: u32 },
            UnlessLessEqualSS { to: u32 },
            UnlessLessEqualSN { right: Operand, to: u32 },
            UnlessLessEqualSI { right: i32, to: u32 },
            UnlessLessEqualNN { left: Operand, right: Operand, to: u32 },
            UnlessLessEqualNI { left: Operand, right: i32, to: u32 },
            UnlessGreaterSS { to: u32 },
            UnlessGreaterSN { right: Operand, to: u32 },
            UnlessGreaterSI { right: i32, to: u32 },
            UnlessGreaterNN { left: Operand, right: Operand, to: u32 },
            UnlessGreaterNI { left: Operand, right: i32, to: u32 },
            UnlessGreaterEqualSS { to: u32 },
            UnlessGreaterEqualSN { right: Operand, to: u32 },
            UnlessGreaterEqualSI { right: i32, to: u32 },
            UnlessGreaterEqualNN { left: Operand, right: Operand, to: u32 },
            UnlessGreaterEqualNI { left: Operand, right: i32, to: u32 },
            UnlessEqualSS { to: u32 },
            UnlessEqualSN { right: Operand, to: u32 },
            UnlessEqualSI { right: i32, to: u32 },
            UnlessEqualNN { left: Operand, right: Operand, to: u32 },
            UnlessEqualNI { left: Operand, right: i32, to: u32 },
            UnlessNotEqualSS { to: u32 },
            UnlessNotEqualSN { right: Operand, to: u32 },
            UnlessNotEqualSI { right: i32, to: u32 },
            UnlessNotEqualNN { left: Operand, right: Operand, to: u32 },
            UnlessNotEqualNI { left: Operand, right: i32, to: u32 },

            /// Jump if `left < right`; likewise the following ones.
            IfLessSS { to: u32 },
            IfLessSN { right: Operand, to: u32 },
            IfLessSI { right: i32, to: u32 },
            IfLessNN { left: Operand, right: Operand, to: u32 },
            IfLessNI { left: Operand, right: i32, to: u32 },
            IfLessEqualSS { to: u32 },
            IfLessEqualSN { right: Operand, to: u32 },
            IfLessEqualSI { right: i32, to: u32 },
            IfLessEqualNN { left: Operand, right: Operand, to: u32 },
            IfLessEqualNI { left: Operand, right: i32, to: u32 },
            IfGreaterSS { to: u32 },
            IfGreaterSN { right: Operand, to: u32 },
            IfGreaterSI { right: i32, to: u32 },
            IfGreaterNN { left: Operand, right: Operand, to: u32 },
            IfGreaterNI { left: Operand, right: i32, to: u32 },
            IfGreaterEqualSS { to: u32 },
            IfGreaterEqualSN { right: Operand, to: u32 },
            IfGreaterEqualSI { right: i32, to: u32 },
            IfGreaterEqualNN { left: Operand, right: Operand, to: u32 },
            IfGreaterEqualNI { left: Operand, right: i32, to: u32 },
            IfEqualSS { to: u32 },
            IfEqualSN { right: Operand, to: u32 },
            IfEqualSI { right: i32, to: u32 },
            IfEqualNN { left: Operand, right: Operand, to: u32 },
            IfEqualNI { left: Operand, right: i32, to: u32 },
            IfNotEqualSS { to: u32 },
            IfNotEqualSN { right: Operand, to: u32 },
            IfNotEqualSI { right: i32, to: u32 },
            IfNotEqualNN { left: Operand, right: Operand, to: u32 },
            IfNotEqualNI { left: Operand, right: i32, to: u32 },

            /// Put an operand into a slot.
            Copy { from: Operand, to: Target },
            /// Put an int into a slot.
            CopyInt { value: i32, to: Target },
            /// Jump if the operand is falsy.
            JumpIfFalseN { operand: Operand, to: u32 },
            JumpIfTrueN { operand: Operand, to: u32 },
            /// Return an operand.
            ReturnN { operand: Operand },
            /// `variable operator= operand`
            UpdateN { var: Var, operator: Operator, operand: Operand },
            /// `variable operator= value`
            UpdateI { var: Var, operator: Operator, value: i32 },
            /// `slot += value`
            Increment { slot: u32, value: i32 },
            /// `object[index]`
            IndexSS { to: Target },
            IndexSN { index: Operand, to: Target },
            IndexNN { object: Operand, index: Operand, to: Target },
            IndexNI { object: Operand, index: i32, to: Target },
            /// `root[index] = value`, the value on the stack.
            StoreIndexS { root: Var },
            StoreIndexN { root: Var, index: Operand },
            StoreIndexNN { root: Var, index: Operand, value: Operand },
            /// `root[index] operator= right`, both on the stack.
            UpdateIndex { root: Var, operator: Operator, path: u32 },
            /// `object.name`, its place in the cache.
            FieldS { cache: u32, to: Target },
            FieldN { object: Operand, cache: u32, to: Target },
            /// `root.name = value`, the value on the stack.
            StoreField { root: Var, cache: u32, path: u32 },
            /// `root.name operator= right`, which is on the stack.
            UpdateField { root: Var, operator: Operator, path: u32 },
            /// `root = push(root, value)`, the value on the stack.
            Push { root: Var },
            PushN { root: Var, value: Operand },
            /// The next int into a slot.
            RangeNextTo { slot: u32, to: u32, target: Target },
            /// The next element into a slot.
            IterNextTo { slot: u32, to: u32, target: Target },
            /// Call a method.
            Invoke { invocation: u32 },
            /// `len(operand)`
            LenS { builtin: u32, to: Target },
            LenN { builtin: u32, operand: Operand, to: Target },
        }

        impl From<Op> for Inst {
            fn from(op: Op) -> Inst {
                match op {
                    $(Op::$name { $($operand),* } => Inst::$name { $($operand),* },)*
                }
            }
        }

        impl Inst {
            /// The jump target, if it has one.
            pub fn target(&self) -> Option<u32> {
                let mut copy = *self;
                copy.target_mut().map(|target| *target)
            }

            /// Changes the jump target, if it has one.
            pub fn set_target(&mut self, target: u32) {
                if let Some(place) = self.target_mut() {
                    *place = target;
                }
            }

            fn target_mut(&mut self) -> Option<&mut u32> {
                define_insts!(@jumps self
                    Jump JumpIfFalse JumpIfTrue JumpIfNotNull JumpIfNull JumpIfUnwrapped JumpIfUnset
                    IterNext RangeNext JumpIfFalseN JumpIfTrueN RangeNextTo IterNextTo UnlessLessSS
                    UnlessLessSN UnlessLessSI UnlessLessNN UnlessLessNI UnlessLessEqualSS
                    UnlessLessEqualSN UnlessLessEqualSI UnlessLessEqualNN UnlessLessEqualNI
                    UnlessGreaterSS UnlessGreaterSN UnlessGreaterSI UnlessGreaterNN UnlessGreaterNI
                    UnlessGreaterEqualSS UnlessGreaterEqualSN UnlessGreaterEqualSI
                    UnlessGreaterEqualNN UnlessGreaterEqualNI UnlessEqualSS UnlessEqualSN
                    UnlessEqualSI UnlessEqualNN UnlessEqualNI UnlessNotEqualSS UnlessNotEqualSN
                    UnlessNotEqualSI UnlessNotEqualNN UnlessNotEqualNI IfLessSS IfLessSN IfLessSI
                    IfLessNN IfLessNI IfLessEqualSS IfLessEqualSN IfLessEqualSI IfLessEqualNN
                    IfLessEqualNI IfGreaterSS IfGreaterSN IfGreaterSI IfGreaterNN IfGreaterNI
                    IfGreaterEqualSS IfGreaterEqualSN IfGreaterEqualSI IfGreaterEqualNN
                    IfGreaterEqualNI IfEqualSS IfEqualSN IfEqualSI IfEqualNN IfEqualNI IfNotEqualSS
                    IfNotEqualSN IfNotEqualSI IfNotEqualNN IfNotEqualNI)
            }
        }
    };
    (@jumps $self:ident $($name:ident)*) => {
        match $self {
            $(Inst::$name { to, .. } => Some(to),)*
            _ => None,
        }
    };
}
for_each_op!(define_insts, program);

const _: () = assert!(core::mem::size_of::<Inst>() == 16);

/// A function as the interpreter runs it.
pub struct Code {
    pub insts: Box<[Inst]>,
    /// For each instruction the number of the `Op` that may raise in it.
    pub origins: Box<[u32]>,
    /// Slots of a frame.
    pub slots: usize,
    pub params: usize,
    /// Places that a frame takes, operands included.
    pub places: usize,
    pub id: FunctionId,
    pub is_top_level: bool,
    pub changes_self: bool,
    /// Where fields were found last.
    pub caches: Box<[Cell<FieldCache>]>,
    /// What is known of its method calls.
    pub invocations: Box<[Invocation]>,
}

/// A method call, prepared.
pub struct Invocation {
    pub site: *const MethodSite,
    /// Where the method was found last in the declaration's list.
    pub hint: Cell<u32>,
    pub argc: u32,
    /// Indexes of the receiver's place.
    pub index_count: u32,
    /// The receiver lies below indexes and arguments.
    pub has_receiver: bool,
    /// The receiver's place, if that is a variable and the receiver is read now.
    pub variable: Option<Var>,
    /// No spread and no named arguments.
    pub is_plain: bool,
}

/// Where a field was found last.
#[derive(Clone, Copy, Debug)]
pub struct FieldCache {
    /// The shape that had it; null until one had.
    pub shape: *const Shape,
    pub position: u32,
    pub name: NameId,
}
