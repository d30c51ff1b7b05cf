//! What the numbers of a compiled module's rows are in a program.
//!
//! Machine code of a module is made before the program is known that the module
//! becomes a part of.  So it looks its numbers up in a table that the program's
//! object defines: one word for each row of the module's own tables, in the order
//! that `Rows` gives.

use super::Compiled;
use ruff_runtime::bytecode::{FunctionId, Program};

/// Declares the tables of a program that instructions number.
macro_rules! tables {
    ($($table:ident = $field:ident),* $(,)?) => {
        /// A table of a program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Table {
            $(#[doc = concat!("`Program::", stringify!($field), "`")] $table,)*
        }

        impl Table {
            /// All of them, in order.
            pub const ALL: &[Table] = &[$(Table::$table),*];

            /// How many rows it has in a program.
            fn len(self, program: &Program) -> usize {
                match self {
                    $(Table::$table => program.$field.len(),)*
                }
            }
        }
    };
}

tables! {
    Names = names,
    Constants = constants,
    Builtins = builtins,
    Functions = functions,
    Structs = structs,
    Globals = globals,
    Paths = paths,
    CallSites = call_sites,
    MethodSites = method_sites,
    BuiltinSites = builtin_sites,
    StructSites = struct_sites,
    VariantSites = variant_sites,
    ForeignSites = foreign_sites,
    NameLists = name_lists,
    Modules = modules,
}

/// The rows of a program's tables, one after the other.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Where each table begins.
    starts: Vec<usize>,
}

impl Rows {
    /// Those of this program.
    pub fn of(program: &Program) -> Rows {
        let mut count = 0;
        let starts = Table::ALL.iter().map(|table| {
            let start = count;
            count += table.len(program);
            start
        });
        Rows {
            starts: starts.collect(),
        }
    }

    /// The place of a table's row among all.
    pub fn place(&self, table: Table, number: u32) -> usize {
        self.starts[table as usize] + number as usize
    }

    /// All of them, in order.
    pub fn all(program: &Program) -> impl Iterator<Item = (Table, u32)> {
        let tables = Table::ALL.iter();
        tables.flat_map(|table| (0..table.len(program) as u32).map(|number| (*table, number)))
    }
}

/// A compiled module's part in a program.
#[derive(Clone, Debug)]
pub struct Part {
    /// The module's name.
    pub name: String,
    /// For each row of the module's tables, its number in the program.
    pub numbers: Vec<u32>,
    /// The functions that are the module's own, by its numbers: those of which it
    /// brings the code.
    pub functions: Vec<(FunctionId, FunctionId)>,
}

/// By what the objects of a module and of programs find each other.
///
/// Names hold the module's name and a hash of the file that the object was made
/// with: an object that belongs to another compilation does not link, and the
/// linker's message says what is missing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The module's name.
    pub name: String,
    hash: String,
}

/// What a module's object defines, or misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// Something that tells whose object it is.
    Mark,
    /// The table of its numbers, which a program's object defines.
    Numbers,
    /// How a function of the module is entered.
    Entry(FunctionId),
}

/// What all these symbols start with.
const PREFIX: &str = "ruff_module.";

impl Identity {
    /// That of a module which is encoded like this, for code of a certain version.
    pub fn of(name: &str, bytes: &[u8], version: u32) -> Identity {
        let hash = super::compiled::hash(version.into(), bytes);
        Identity {
            name: name.to_owned(),
            hash: format!("{hash:016x}"),
        }
    }

    /// The name of one of these symbols.
    pub fn symbol(&self, symbol: &Symbol) -> String {
        let Identity { name, hash } = self;
        match symbol {
            Symbol::Mark => format!("{PREFIX}{name}.{hash}.object"),
            Symbol::Numbers => format!("{PREFIX}{name}.{hash}.numbers"),
            Symbol::Entry(func) => format!("{PREFIX}{name}.{hash}.{func}"),
        }
    }

    /// The module and the symbol that such a name stands for.
    pub fn parse(text: &str) -> Option<(Identity, Symbol)> {
        let mut parts = text.strip_prefix(PREFIX)?.rsplitn(3, '.');
        let (symbol, hash, name) = (parts.next()?, parts.next()?, parts.next()?);
        let symbol = match symbol {
            "object" => Symbol::Mark,
            "numbers" => Symbol::Numbers,
            func => Symbol::Entry(func.parse().ok()?),
        };
        let (name, hash) = (name.to_owned(), hash.to_owned());
        Some((Identity { name, hash }, symbol))
    }
}

impl Compiled {
    /// What is known of the others that a module's machine code meets.
    pub fn strangers(&self) -> Strangers {
        let program = &self.program;
        let mut strangers = Strangers {
            functions: vec![false; program.functions.len()],
            structs: vec![false; program.structs.len()],
            globals: Vec::new(),
        };
        strangers.functions[program.main as usize] = true;
        for module in &program.modules[1..] {
            strangers.functions[module.body as usize] = true;
        }
        for export in self.imports.iter().flat_map(|import| &import.exports) {
            strangers.globals.push(export.global);
            match export.known {
                super::KnownExport::Value => {}
                super::KnownExport::Function(func) => strangers.functions[func as usize] = true,
                super::KnownExport::Struct(number) => strangers.structs[number as usize] = true,
            }
        }
        strangers
            .globals
            .extend(self.exports.iter().map(|one| one.global));
        strangers
    }
}

/// What is in a compiled module's program only to stand for others, and what
/// others share with it.
#[derive(Clone, Debug)]
pub struct Strangers {
    /// Which functions are somebody else's.
    pub functions: Vec<bool>,
    /// Which declarations of structs are.
    pub structs: Vec<bool>,
    /// The globals in which values are handed over.
    pub globals: Vec<u32>,
}
