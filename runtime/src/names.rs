//! Names as numbers: the program's identifiers, and variables found by hash.
//!
//! A global that crosses separately compiled code is found by the 64-bit hash
//! of its name.  Two names with one hash would silently share a variable, so
//! the table refuses the second one.

use crate::heap::string::hash_text;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Index into a program's table of names.
pub type NameId = u32;

macro_rules! well_known {
    ($($constant:ident = $text:literal,)*) => {
        /// Names that the runtime itself asks for.  Every program's table of
        /// names starts with them, so their numbers are fixed.
        pub const WELL_KNOWN: &[&str] = &[$($text),*];
        well_known!(@number 0; $($constant)*);
    };
    (@number $number:expr; $first:ident $($rest:ident)*) => {
        pub const $first: NameId = $number;
        well_known!(@number $number + 1; $($rest)*);
    };
    (@number $number:expr;) => {};
}
well_known! {
    SELF = "self",
    ERROR = "Error",
    MESSAGE = "message",
    STACK = "stack",
    LINE = "line",
    CAUSE = "cause",
    VALUE = "value",
    OP_ADD = "op_add",
    OP_SUB = "op_sub",
    OP_MUL = "op_mul",
    OP_DIV = "op_div",
    OP_MOD = "op_mod",
    OP_EQ = "op_eq",
    OP_NE = "op_ne",
    OP_LT = "op_lt",
    OP_LE = "op_le",
    OP_GT = "op_gt",
    OP_GE = "op_ge",
    OP_NEG = "op_neg",
    OP_NOT = "op_not",
    NEXT = "next",
    MAP = "map",
    FILTER = "filter",
    TAKE = "take",
    SKIP = "skip",
    COLLECT = "collect",
    SEND = "send",
    RECEIVE = "receive",
}

/// The 64-bit hash by which a variable is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameHash(pub u64);

impl NameHash {
    pub fn of(name: &str) -> NameHash {
        NameHash(hash_text(name.as_bytes()))
    }
}

/// Two different names have the same hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCollision {
    pub hash: NameHash,
    pub first: Box<str>,
    pub second: Box<str>,
}

impl core::fmt::Display for NameCollision {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            out,
            "the names `{}` and `{}` have the same hash {:#018x}; rename one of them",
            self.first, self.second, self.hash.0
        )
    }
}

impl core::error::Error for NameCollision {}

/// From name hash to slot, sorted by hash.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    rows: Vec<(NameHash, Box<str>, u32)>,
}

impl NameTable {
    /// Adds a name, or finds it; gives its slot.
    ///
    /// # Errors
    /// If another name has the same hash.
    pub fn insert(&mut self, hash: NameHash, name: &str, slot: u32) -> Result<u32, NameCollision> {
        match self.rows.binary_search_by_key(&hash, |row| row.0) {
            Ok(index) if &*self.rows[index].1 == name => Ok(self.rows[index].2),
            Ok(index) => Err(NameCollision {
                hash,
                first: self.rows[index].1.clone(),
                second: name.into(),
            }),
            Err(index) => {
                self.rows.insert(index, (hash, name.into(), slot));
                Ok(slot)
            }
        }
    }

    /// The slot of the name with this hash.
    pub fn slot(&self, hash: NameHash) -> Option<u32> {
        self.rows
            .binary_search_by_key(&hash, |row| row.0)
            .ok()
            .map(|index| self.rows[index].2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_collision_is_reported_by_name() {
        let mut table = NameTable::default();
        let hash = NameHash::of("total");
        assert_eq!(table.insert(hash, "total", 3), Ok(3));
        assert_eq!(table.insert(hash, "total", 9), Ok(3));
        let collision = table.insert(hash, "count", 4).unwrap_err();
        assert_eq!((&*collision.first, &*collision.second), ("total", "count"));
        assert_eq!(table.slot(hash), Some(3));
    }
}
