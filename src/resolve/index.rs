//! Numbers of the things that the resolver keeps in tables.

use std::ops::{Index, IndexMut};

macro_rules! indexes {
    ($($(#[$doc:meta])* $name:ident => $($row:path)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        $(
            impl Index<$name> for Vec<$row> {
                type Output = $row;
                fn index(&self, index: $name) -> &$row {
                    &self[index.0 as usize]
                }
            }

            impl IndexMut<$name> for Vec<$row> {
                fn index_mut(&mut self, index: $name) -> &mut $row {
                    &mut self[index.0 as usize]
                }
            }
        )?
    )*};
}

indexes! {
    /// A spelling.
    Symbol =>;
    FunctionIndex => super::Function;
    ScopeIndex => super::Scope;
    VariableIndex => super::Variable;
    HoistIndex => super::Hoist;
    /// A file: the script is the first, modules follow.
    UnitIndex => super::Unit;
    ImportIndex => super::Import;
}
