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
use crate::value::Value;
use alloc::boxed::Box;
use core::cell::Cell;
use core::mem::size_of;

/// Where a value lies in its table: bytes from the start, so that no address
/// needs more than an addition.
pub type Place = u32;

/// Where an instruction's result goes: the place of a slot, or `PUSH`.
pub type Target = u32;

/// Slots and constants from this number on are not named by instructions.
pub const NAMED: u32 = (1 << 28) - 1;

/// The place of a slot, constant or global.
pub const fn place(number: u32) -> Place {
    number * size_of::<Value>() as u32
}

/// An operand that an instruction names, of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    Local(Local),
    Constant(Place),
    Global(Place),
}

/// A local, which the use may empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    pub slot: u32,
    pub moves: bool,
}

impl Local {
    pub const fn place(self) -> Place {
        place(self.slot)
    }
}

macro_rules! define_insts {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        /// An instruction of the interpreter.  In the names of combinations
        /// `S` stands for an operand on the stack, `N` for a named local, `I`
        /// for an int in the instruction and `K` for a constant.  `moves` has a
        /// bit for each local, left to right: it is emptied unless it holds a
        /// scalar, which nobody looks at any more.
        #[derive(Clone, Copy, Debug)]
        #[expect(dead_code, reason = "some operands are for compilers only")]
        pub enum Inst {
            $($(#[$doc])* $name { $($operand: $type),* },)*

            AddSS { to: Target },
            AddSN { moves: u8, right: Place, to: Target },
            AddSI { right: i32, to: Target },
            AddSK { right: Place, to: Target },
            AddNN { moves: u8, left: Place, right: Place, to: Target },
            AddNI { moves: u8, left: Place, right: i32, to: Target },
            AddNK { moves: u8, left: Place, right: Place, to: Target },
            SubtractSS { to: Target },
            SubtractSN { moves: u8, right: Place, to: Target },
            SubtractSI { right: i32, to: Target },
            SubtractSK { right: Place, to: Target },
            SubtractNN { moves: u8, left: Place, right: Place, to: Target },
            SubtractNI { moves: u8, left: Place, right: i32, to: Target },
            SubtractNK { moves: u8, left: Place, right: Place, to: Target },
            MultiplySS { to: Target },
            MultiplySN { moves: u8, right: Place, to: Target },
            MultiplySI { right: i32, to: Target },
            MultiplySK { right: Place, to: Target },
            MultiplyNN { moves: u8, left: Place, right: Place, to: Target },
            MultiplyNI { moves: u8, left: Place, right: i32, to: Target },
            MultiplyNK { moves: u8, left: Place, right: Place, to: Target },
            DivideSS { to: Target },
            DivideSN { moves: u8, right: Place, to: Target },
            DivideSI { right: i32, to: Target },
            DivideSK { right: Place, to: Target },
            DivideNN { moves: u8, left: Place, right: Place, to: Target },
            DivideNI { moves: u8, left: Place, right: i32, to: Target },
            DivideNK { moves: u8, left: Place, right: Place, to: Target },
            RemainderSS { to: Target },
            RemainderSN { moves: u8, right: Place, to: Target },
            RemainderSI { right: i32, to: Target },
            RemainderSK { right: Place, to: Target },
            RemainderNN { moves: u8, left: Place, right: Place, to: Target },
            RemainderNI { moves: u8, left: Place, right: i32, to: Target },
            RemainderNK { moves: u8, left: Place, right: Place, to: Target },

            /// Jump unless `left < right`; likewise the following ones.
            UnlessLessSS { to: u32 },
            UnlessLessSN { moves: u8, right: Place, to: u32 },
            UnlessLessSI { right: i32, to: u32 },
            UnlessLessSK { right: Place, to: u32 },
            UnlessLessNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessLessNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessLessNK { moves: u8, left: Place, right: Place, to: u32 },
            UnlessLessEqualSS { to: u32 },
            UnlessLessEqualSN { moves: u8, right: Place, to: u32 },
            UnlessLessEqualSI { right: i32, to: u32 },
            UnlessLessEqualSK { right: Place, to: u32 },
            UnlessLessEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessLessEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessLessEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            UnlessGreaterSS { to: u32 },
            UnlessGreaterSN { moves: u8, right: Place, to: u32 },
            UnlessGreaterSI { right: i32, to: u32 },
            UnlessGreaterSK { right: Place, to: u32 },
            UnlessGreaterNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessGreaterNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessGreaterNK { moves: u8, left: Place, right: Place, to: u32 },
            UnlessGreaterEqualSS { to: u32 },
            UnlessGreaterEqualSN { moves: u8, right: Place, to: u32 },
            UnlessGreaterEqualSI { right: i32, to: u32 },
            UnlessGreaterEqualSK { right: Place, to: u32 },
            UnlessGreaterEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessGreaterEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessGreaterEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            UnlessEqualSS { to: u32 },
            UnlessEqualSN { moves: u8, right: Place, to: u32 },
            UnlessEqualSI { right: i32, to: u32 },
            UnlessEqualSK { right: Place, to: u32 },
            UnlessEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            UnlessNotEqualSS { to: u32 },
            UnlessNotEqualSN { moves: u8, right: Place, to: u32 },
            UnlessNotEqualSI { right: i32, to: u32 },
            UnlessNotEqualSK { right: Place, to: u32 },
            UnlessNotEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            UnlessNotEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            UnlessNotEqualNK { moves: u8, left: Place, right: Place, to: u32 },

            /// Jump if `left < right`; likewise the following ones.
            IfLessSS { to: u32 },
            IfLessSN { moves: u8, right: Place, to: u32 },
            IfLessSI { right: i32, to: u32 },
            IfLessSK { right: Place, to: u32 },
            IfLessNN { moves: u8, left: Place, right: Place, to: u32 },
            IfLessNI { moves: u8, left: Place, right: i32, to: u32 },
            IfLessNK { moves: u8, left: Place, right: Place, to: u32 },
            IfLessEqualSS { to: u32 },
            IfLessEqualSN { moves: u8, right: Place, to: u32 },
            IfLessEqualSI { right: i32, to: u32 },
            IfLessEqualSK { right: Place, to: u32 },
            IfLessEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            IfLessEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            IfLessEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            IfGreaterSS { to: u32 },
            IfGreaterSN { moves: u8, right: Place, to: u32 },
            IfGreaterSI { right: i32, to: u32 },
            IfGreaterSK { right: Place, to: u32 },
            IfGreaterNN { moves: u8, left: Place, right: Place, to: u32 },
            IfGreaterNI { moves: u8, left: Place, right: i32, to: u32 },
            IfGreaterNK { moves: u8, left: Place, right: Place, to: u32 },
            IfGreaterEqualSS { to: u32 },
            IfGreaterEqualSN { moves: u8, right: Place, to: u32 },
            IfGreaterEqualSI { right: i32, to: u32 },
            IfGreaterEqualSK { right: Place, to: u32 },
            IfGreaterEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            IfGreaterEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            IfGreaterEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            IfEqualSS { to: u32 },
            IfEqualSN { moves: u8, right: Place, to: u32 },
            IfEqualSI { right: i32, to: u32 },
            IfEqualSK { right: Place, to: u32 },
            IfEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            IfEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            IfEqualNK { moves: u8, left: Place, right: Place, to: u32 },
            IfNotEqualSS { to: u32 },
            IfNotEqualSN { moves: u8, right: Place, to: u32 },
            IfNotEqualSI { right: i32, to: u32 },
            IfNotEqualSK { right: Place, to: u32 },
            IfNotEqualNN { moves: u8, left: Place, right: Place, to: u32 },
            IfNotEqualNI { moves: u8, left: Place, right: i32, to: u32 },
            IfNotEqualNK { moves: u8, left: Place, right: Place, to: u32 },

            /// Put an operand into a slot.
            Copy { from: Place, to: Target },
            /// The same at its last use.
            Move { from: Place, to: Target },
            /// Put a constant into a slot.
            CopyConstant { from: Place, to: Target },
            /// Put an int into a slot.
            CopyInt { value: i32, to: Target },
            /// Jump if the operand is falsy.
            JumpIfFalseN { moves: u8, operand: Place, to: u32 },
            JumpIfTrueN { moves: u8, operand: Place, to: u32 },
            /// Return an operand.
            ReturnN { moves: u8, operand: Place },
            ReturnConstant { operand: Place },
            /// `variable operator= operand`
            UpdateN { moves: u8, var: Var, operator: Operator, operand: Place },
            UpdateI { var: Var, operator: Operator, value: i32 },
            /// `slot += value`
            Increment { place: Place, value: i32 },
            /// `object[index]`; `G` stands for a global.
            IndexSS { to: Target },
            IndexSN { moves: u8, index: Place, to: Target },
            IndexNN { moves: u8, object: Place, index: Place, to: Target },
            IndexNI { moves: u8, object: Place, index: i32, to: Target },
            IndexGN { moves: u8, object: Place, index: Place, to: Target },
            /// `root[index] = value`, the value on the stack.
            StoreIndexS { root: Var },
            StoreIndexN { moves: u8, root: Var, index: Place },
            StoreIndexNN { moves: u8, root: Var, value: Place, index: Place },
            /// `root[index] operator= right`, both on the stack.
            UpdateIndex { root: Var, operator: Operator, path: u32 },
            /// `object.name`, its place in the cache.
            FieldS { cache: u32, to: Target },
            FieldN { moves: u8, object: Place, cache: u32, to: Target },
            /// `root.name = value`, the value on the stack.
            StoreField { root: Var, cache: u32, path: u32 },
            /// `root.name operator= right`, which is on the stack.
            UpdateField { root: Var, operator: Operator, path: u32 },
            /// `root = push(root, value)`
            Push { root: Var },
            PushN { moves: u8, root: Var, value: Place },
            /// The next int into a slot.
            RangeNextTo { slot: u32, to: u32, target: Target },
            /// The next element into a slot.
            IterNextTo { slot: u32, to: u32, target: Target },
            /// Call a method.
            Invoke { invocation: u32 },
            /// `len(operand)`
            LenS { builtin: u32, to: Target },
            LenN { moves: u8, builtin: u32, operand: Place, to: Target },
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
                    UnlessLessSN UnlessLessSI UnlessLessSK UnlessLessNN UnlessLessNI UnlessLessNK
                    UnlessLessEqualSS UnlessLessEqualSN UnlessLessEqualSI UnlessLessEqualSK
                    UnlessLessEqualNN UnlessLessEqualNI UnlessLessEqualNK UnlessGreaterSS
                    UnlessGreaterSN UnlessGreaterSI UnlessGreaterSK UnlessGreaterNN UnlessGreaterNI
                    UnlessGreaterNK UnlessGreaterEqualSS UnlessGreaterEqualSN UnlessGreaterEqualSI
                    UnlessGreaterEqualSK UnlessGreaterEqualNN UnlessGreaterEqualNI
                    UnlessGreaterEqualNK UnlessEqualSS UnlessEqualSN UnlessEqualSI UnlessEqualSK
                    UnlessEqualNN UnlessEqualNI UnlessEqualNK UnlessNotEqualSS UnlessNotEqualSN
                    UnlessNotEqualSI UnlessNotEqualSK UnlessNotEqualNN UnlessNotEqualNI
                    UnlessNotEqualNK IfLessSS IfLessSN IfLessSI IfLessSK IfLessNN IfLessNI IfLessNK
                    IfLessEqualSS IfLessEqualSN IfLessEqualSI IfLessEqualSK IfLessEqualNN
                    IfLessEqualNI IfLessEqualNK IfGreaterSS IfGreaterSN IfGreaterSI IfGreaterSK
                    IfGreaterNN IfGreaterNI IfGreaterNK IfGreaterEqualSS IfGreaterEqualSN
                    IfGreaterEqualSI IfGreaterEqualSK IfGreaterEqualNN IfGreaterEqualNI
                    IfGreaterEqualNK IfEqualSS IfEqualSN IfEqualSI IfEqualSK IfEqualNN IfEqualNI
                    IfEqualNK IfNotEqualSS IfNotEqualSN IfNotEqualSI IfNotEqualSK IfNotEqualNN
                    IfNotEqualNI IfNotEqualNK)
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
    /// Bytes that a frame takes, operands included.
    pub size: usize,
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
