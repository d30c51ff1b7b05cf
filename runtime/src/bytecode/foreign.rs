//! C functions that a program calls, as its declarations have them.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A C function: what an `extern func` declares.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignSite {
    /// What the program calls it, for messages.
    pub name: Box<str>,
    /// What C calls it.
    pub symbol: Box<str>,
    /// The library that it is in, if it says so: a name as linkers have it after
    /// `-l`, or a file.
    pub library: Option<Box<str>>,
    pub params: Vec<ForeignType>,
    pub result: ForeignType,
}

/// The most parameters that are passed like ints, and like floats: what every
/// engine can pass.
pub const MOST_INTS: usize = 6;
pub const MOST_FLOATS: usize = 8;

macro_rules! foreign_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A type of C, as far as declarations can name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ForeignType {
            $($(#[$doc])* $name,)*
        }

        impl ForeignType {
            pub const ALL: &[ForeignType] = &[$(ForeignType::$name),*];

            /// As declarations write it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ForeignType::$name => $text,)*
                }
            }
        }
    };
}
foreign_types! {
    /// `void`, for results only.
    Null = "null";
    Bool = "bool";
    /// `int64_t`
    Int = "int";
    I8 = "i8";
    I16 = "i16";
    I32 = "i32";
    U8 = "u8";
    U16 = "u16";
    U32 = "u32";
    U64 = "u64";
    /// `double`
    Float = "float";
    F32 = "f32";
    /// `const char *`; null is null.
    String = "string";
    /// Any other pointer: an int to the program.
    Pointer = "pointer";
}

impl ForeignType {
    /// The type with this name.
    pub fn named(name: &str) -> Option<ForeignType> {
        ForeignType::ALL
            .iter()
            .copied()
            .find(|ty| ty.name() == name)
    }

    pub const fn is_float(self) -> bool {
        matches!(self, ForeignType::Float | ForeignType::F32)
    }

    /// The least and the greatest int that it can hold, if it is an int's.
    pub const fn range(self) -> Option<(i64, i64)> {
        match self {
            ForeignType::I8 => Some((i8::MIN as i64, i8::MAX as i64)),
            ForeignType::I16 => Some((i16::MIN as i64, i16::MAX as i64)),
            ForeignType::I32 => Some((i32::MIN as i64, i32::MAX as i64)),
            ForeignType::U8 => Some((0, u8::MAX as i64)),
            ForeignType::U16 => Some((0, u16::MAX as i64)),
            ForeignType::U32 => Some((0, u32::MAX as i64)),
            ForeignType::U64 => Some((0, i64::MAX)),
            ForeignType::Int | ForeignType::Pointer => Some((i64::MIN, i64::MAX)),
            ForeignType::Null
            | ForeignType::Bool
            | ForeignType::Float
            | ForeignType::F32
            | ForeignType::String => None,
        }
    }
}

impl ForeignSite {
    /// Whether every engine can pass so many arguments.
    pub fn has_room(&self) -> bool {
        let floats = self.params.iter().filter(|ty| ty.is_float()).count();
        floats <= MOST_FLOATS && self.params.len() - floats <= MOST_INTS
    }
}
