//! What the encoder and the decoder agree on: the numbers of instructions, the
//! forms of operands, and the marks around a program.
//!
//! All of it follows from the table of instructions.  Change the table, and
//! programs that were encoded before are refused, not misread.

use super::{Op, Operator, Var};

/// What an encoded program starts with, before the fingerprint.
pub(super) const MAGIC: [u8; 4] = *b"Ruff";

/// Raised when the encoding of anything but instructions changes.
const VERSION: u32 = 2;

/// How an operand is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// There is none.
    Nothing,
    Number,
    /// Small values of either sign.
    Signed,
    /// Relative to the instruction.
    Target,
    /// Kind and number.
    Variable,
}

/// An operand as one word.
trait Operand: Sized {
    const FORM: Form;
    fn to_word(self) -> u32;
    /// `None` if the word stands for nothing.
    fn from_word(word: u32) -> Option<Self>;
}

impl Operand for u32 {
    const FORM: Form = Form::Number;

    fn to_word(self) -> u32 {
        self
    }

    fn from_word(word: u32) -> Option<u32> {
        Some(word)
    }
}

impl Operand for i32 {
    const FORM: Form = Form::Signed;

    fn to_word(self) -> u32 {
        self as u32
    }

    fn from_word(word: u32) -> Option<i32> {
        Some(word as i32)
    }
}

impl Operand for Var {
    const FORM: Form = Form::Variable;

    fn to_word(self) -> u32 {
        self.0
    }

    fn from_word(word: u32) -> Option<Var> {
        Some(Var(word))
    }
}

impl Operand for Operator {
    const FORM: Form = Form::Number;

    fn to_word(self) -> u32 {
        self as u32
    }

    fn from_word(word: u32) -> Option<Operator> {
        Operator::ALL.get(word as usize).copied()
    }
}

macro_rules! define_wire {
    (($program:ident) $($(#[$doc:meta])* $name:ident { $($operand:ident: $type:ty),* } ($($effect:tt)*) [$($property:ident)*];)*) => {
        /// The instructions without operands, numbered in the order of the table.
        #[repr(u8)]
        #[derive(Clone, Copy)]
        enum Number { $($name,)* }

        /// How each instruction's operands are written, by its number.
        pub(super) const FORMS: &[[Form; 2]] = &[
            $(define_wire!(@both $(define_wire!(@form $operand $type)),*),)*
        ];

        /// The table's rows as text: names and operands, nothing else.
        const ROWS: &str = concat!($(stringify!($name), $(" ", stringify!($operand), ":", stringify!($type),)* ";",)*);

        /// The instruction's number and its operands, as many as it has forms.
        pub(super) fn split(op: &Op) -> (u8, [u32; 2]) {
            match *op {
                $(Op::$name { $($operand),* } => {
                    (Number::$name as u8, define_wire!(@words $($operand)*))
                })*
            }
        }

        /// The instruction with that number and those operands.
        #[expect(non_upper_case_globals, reason = "the numbers are named like the instructions")]
        pub(super) fn join(number: u8, words: [u32; 2]) -> Option<Op> {
            $(const $name: u8 = Number::$name as u8;)*
            Some(match number {
                $($name => define_wire!(@join $name words $($operand)*),)*
                _ => return None,
            })
        }
    };
    (@both) => { [Form::Nothing, Form::Nothing] };
    (@both $a:expr) => { [$a, Form::Nothing] };
    (@both $a:expr, $b:expr) => { [$a, $b] };
    // A jump's target is told by its operand's name.
    (@form to $type:ty) => { Form::Target };
    (@form $operand:ident $type:ty) => { <$type as Operand>::FORM };
    (@words) => { [0, 0] };
    (@words $a:ident) => { [$a.to_word(), 0] };
    (@words $a:ident $b:ident) => { [$a.to_word(), $b.to_word()] };
    (@join $name:ident $words:ident) => { Op::$name {} };
    (@join $name:ident $words:ident $a:ident) => {
        Op::$name { $a: Operand::from_word($words[0])? }
    };
    (@join $name:ident $words:ident $a:ident $b:ident) => {
        Op::$name {
            $a: Operand::from_word($words[0])?,
            $b: Operand::from_word($words[1])?,
        }
    };
}
crate::for_each_op!(define_wire, program);

/// A hash of the version and of the table's rows.
pub(super) const FINGERPRINT: u32 = {
    let rows = ROWS.as_bytes();
    // FNV-1a, since it can be computed here.
    let mut hash = 0x811c_9dc5u32 ^ VERSION;
    let mut index = 0;
    while index < rows.len() {
        hash = (hash ^ rows[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
};

/// How a captured variable's source is marked.
pub(super) const CAPTURE_CELL: u32 = 0;
pub(super) const CAPTURE_VALUE: u32 = 1;
pub(super) const CAPTURE_OUTER: u32 = 2;

/// Bits of a function's first byte.
pub(super) mod function_bits {
    pub const METHOD: u8 = 1;
    pub const STATIC: u8 = 1 << 1;
    pub const CHANGES_SELF: u8 = 1 << 2;
    pub const GENERATOR: u8 = 1 << 3;
    pub const ASYNC: u8 = 1 << 4;
    pub const TOP_LEVEL: u8 = 1 << 5;
    pub const BODY: u8 = 1 << 6;
    pub const ALL: u8 = (1 << 7) - 1;
}

/// Bits of a method site's first byte.
pub(super) mod method_bits {
    pub const PLACE: u8 = 1;
    pub const EARLY: u8 = 1 << 1;
    pub const TAKE: u8 = 1 << 2;
    pub const IMMUTABLE: u8 = 1 << 3;
    pub const ALL: u8 = (1 << 4) - 1;
}

/// A number of either sign as one without: small ones stay small.
pub(super) const fn fold(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of `fold`.
pub(super) const fn unfold(word: u64) -> i64 {
    (word >> 1) as i64 ^ -((word & 1) as i64)
}
