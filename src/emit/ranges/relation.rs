//! How two integers relate, as far as it is known.

use cranelift_codegen::ir::condcodes::IntCC;

/// How two different values may relate: one bit for equality and one for each
/// combination of the signed and the unsigned order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Relation(u8);

impl Relation {
    const EQUAL: u8 = 1;
    /// Signed less, unsigned less; signed less, unsigned greater; and so on.
    const LESS_LESS: u8 = 2;
    const LESS_GREATER: u8 = 4;
    const GREATER_LESS: u8 = 8;
    const GREATER_GREATER: u8 = 16;
    pub const ANY: Relation = Relation(31);
    /// The signed order and the unsigned order are the same.
    pub const ALIKE: Relation = Relation(Self::LESS_LESS | Self::GREATER_GREATER);
    /// They are not.
    pub const OPPOSED: Relation = Relation(Self::LESS_GREATER | Self::GREATER_LESS);

    pub fn of(condition: IntCC) -> Relation {
        let signed_less = Self::LESS_LESS | Self::LESS_GREATER;
        let signed_greater = Self::GREATER_LESS | Self::GREATER_GREATER;
        let less = Self::LESS_LESS | Self::GREATER_LESS;
        let greater = Self::LESS_GREATER | Self::GREATER_GREATER;
        Relation(match condition {
            IntCC::Equal => Self::EQUAL,
            IntCC::NotEqual => signed_less | signed_greater,
            IntCC::SignedLessThan => signed_less,
            IntCC::SignedLessThanOrEqual => signed_less | Self::EQUAL,
            IntCC::SignedGreaterThan => signed_greater,
            IntCC::SignedGreaterThanOrEqual => signed_greater | Self::EQUAL,
            IntCC::UnsignedLessThan => less,
            IntCC::UnsignedLessThanOrEqual => less | Self::EQUAL,
            IntCC::UnsignedGreaterThan => greater,
            IntCC::UnsignedGreaterThanOrEqual => greater | Self::EQUAL,
        })
    }

    pub fn both(self, other: Relation) -> Relation {
        Relation(self.0 & other.0)
    }

    /// Whether a condition holds, if that is known.
    pub fn decides(self, condition: IntCC) -> Option<bool> {
        let truth = Relation::of(condition).0;
        if self.0 & !truth == 0 {
            Some(true)
        } else if self.0 & truth == 0 {
            Some(false)
        } else {
            None
        }
    }

    /// The same, of the two values the other way round.
    pub fn turned(self) -> Relation {
        let swap = |one: u8, other: u8| match (self.0 & one != 0, self.0 & other != 0) {
            (true, true) => one | other,
            (true, false) => other,
            (false, true) => one,
            (false, false) => 0,
        };
        Relation(
            (self.0 & Self::EQUAL)
                | swap(Self::LESS_LESS, Self::GREATER_GREATER)
                | swap(Self::LESS_GREATER, Self::GREATER_LESS),
        )
    }

    /// What is left if this is not the case.
    pub fn without(self, excluded: Relation) -> Relation {
        Relation(self.0 & !excluded.0)
    }

    pub fn is_impossible(self) -> bool {
        self.0 == 0
    }
}
