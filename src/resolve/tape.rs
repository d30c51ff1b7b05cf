//! What happens to names in a function, in the order of the source.

use super::index::{FunctionIndex, HoistIndex, ImportIndex, ScopeIndex, Symbol, UnitIndex};
use super::{Function, Hoist, Import, Mutability, Scope, Unit};
use crate::diagnostic::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// One step of a tape.  `offset` is that of the name's token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// Enter a scope; its declarations are bound.
    Enter(ScopeIndex),
    Leave,
    /// A binding in the current scope.
    Declare(Declare),
    /// A plain assignment: updates a variable or creates one.
    Assign {
        name: Symbol,
        offset: u32,
        literal: Option<FunctionIndex>,
    },
    Read {
        name: Symbol,
        offset: u32,
    },
    /// A read of one member only: `x.member`.
    ReadMember {
        name: Symbol,
        offset: u32,
        member: Symbol,
    },
    /// A change of an existing variable: `x += e`, `x.f = e`.
    Modify {
        name: Symbol,
        offset: u32,
    },
    /// A method call on a place with this root, or on this very variable.
    MethodPlace {
        name: Symbol,
        offset: u32,
        method: Symbol,
        is_direct: bool,
    },
    /// The step of a C-style `for`, seen before the loop: it may already have
    /// created the variable when the condition and the body run.
    MayAssign {
        name: Symbol,
    },
    /// A function literal (or `spawn` block) becomes a value.
    Make(FunctionIndex),
    /// The statement of a `func`, `struct` or `enum`.
    Statement,
    /// A module is imported; what that gives becomes variables of the scope.
    Import(ImportIndex),
    /// A module has finished, and the value of its export is taken.
    Export {
        unit: UnitIndex,
        number: u32,
    },
    EnterMatch,
    EnterClause,
    /// `diverges`: control does not get from its end to the end of the match.
    LeaveClause {
        diverges: bool,
    },
    LeaveMatch {
        has_default: bool,
    },
    /// A part of a test, which `return` may leave early.
    EnterPart,
    LeavePart,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Declare {
    pub name: Symbol,
    pub offset: u32,
    pub mutability: Mutability,
    pub is_parameter: bool,
    /// With a keyword: the scope must not hold the name yet.
    pub is_checked: bool,
    /// The binding may be skipped (a name in one of several alternatives).
    pub may_be_skipped: bool,
    pub literal: Option<FunctionIndex>,
}

/// All tapes of a program's files and what else the recorder saw.
pub(super) struct Recording {
    pub functions: Vec<Function>,
    /// By function.
    pub tapes: Vec<Vec<Event>>,
    pub scopes: Vec<Scope>,
    pub hoists: Vec<Hoist>,
    pub symbols: Symbols,
    pub units: Vec<Unit>,
    pub imports: Vec<Import>,
    /// Who mentions which declaration, and when on its own tape.
    pub mentions: Vec<Mention>,
    /// Names that occur as fields of structs.
    pub field_names: FxHashSet<Symbol>,
    /// Methods that assign to `self` or through it.
    pub self_writers: FxHashSet<FunctionIndex>,
    /// Methods called on `self` or a place in it, with the calling method.
    pub self_calls: Vec<(FunctionIndex, Symbol)>,
    /// Names of methods that are called on places.
    pub called_on_places: FxHashSet<Symbol>,
    /// Methods by name.
    pub methods: Vec<(Symbol, FunctionIndex)>,
    pub diagnostics: Vec<Diagnostic>,
    /// Methods that may change their receiver: those of code that was compiled
    /// before; `receiver` adds the others.
    pub changing: FxHashSet<Symbol>,
    /// It becomes a part of programs that nobody knows yet.
    pub is_open: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Mention {
    pub hoist: HoistIndex,
    pub by: FunctionIndex,
    pub at: u32,
}

/// Spellings and their numbers.
#[derive(Default)]
pub(super) struct Symbols {
    pub texts: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, Symbol>,
}

impl Symbols {
    pub fn intern(&mut self, text: &Arc<str>) -> Symbol {
        if let Some(symbol) = self.numbers.get(text) {
            return *symbol;
        }
        let symbol = Symbol(self.texts.len() as u32);
        self.texts.push(text.clone());
        self.numbers.insert(text.clone(), symbol);
        symbol
    }
}
