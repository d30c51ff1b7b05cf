//! From names to variables.
//!
//! The reference (section 6) looks a name up at run time, from the innermost
//! scope outward, and takes the first scope that holds it *now*.  Here every
//! use of a name gets the list of variables that may hold it, innermost first;
//! all but the last may be unset at that point.  Nearly always the list has
//! one certain entry, and nothing is left to do at run time.
//!
//! `record` walks each file's tree once and writes one tape of scoping events
//! per function; everything after it reads tapes, not trees:
//! `reach` finds how early each function can be called, `bind` decides what
//! every name means, `capture` decides where every variable lives, and `link`
//! what is known of imported names.
//!
//! All files of a program are resolved together, since what an instance's
//! methods may do has to be known wherever it goes.
//!
//! Built-ins are not variables and do not appear here: a use without
//! candidates may mean one.

mod bind;
mod capture;
mod check;
mod index;
mod link;
mod reach;
mod receiver;
mod record;
mod tape;
mod test;

pub use index::{
    FunctionIndex, HoistIndex, ImportIndex, ScopeIndex, Symbol, UnitIndex, VariableIndex,
};
pub use test::{Test, tests};

use crate::diagnostic::Diagnostic;
use crate::syntax::ast;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What every name of a program means.
#[derive(Debug, Default)]
pub struct Resolved {
    pub functions: Vec<Function>,
    pub scopes: Vec<Scope>,
    pub variables: Vec<Variable>,
    pub hoists: Vec<Hoist>,
    /// The files; the script is the first.
    pub units: Vec<Unit>,
    pub imports: Vec<Import>,
    /// Spellings by `Symbol`.
    pub symbols: Vec<Arc<str>>,
    /// The top-level variables that functions share, in order of first use.
    pub globals: Vec<VariableIndex>,
    /// Candidates of all uses; each `Use` names a part of it.
    candidates: Vec<VariableIndex>,
    foreign: FxHashMap<(FunctionIndex, VariableIndex), Access>,
    /// What imports set variables to.
    imported: FxHashMap<VariableIndex, Vec<(ImportIndex, Imported)>>,
    /// Names of methods that may change their receiver.
    changing: FxHashSet<Arc<str>>,
}

/// A place in a file's tree: the offset of a token, and which reading of the
/// source it belongs to.
///
/// What tests share (`test_setup`, `test_teardown`) is written once and is part
/// of every one of them, so each test is a copy of its own; all else is copy 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub copy: u32,
    pub offset: u32,
}

/// The file that the program starts with.
pub const SCRIPT: UnitIndex = UnitIndex(0);

/// A file: what its tokens stand for.
///
/// Uses, scopes and functions are found by the place of the token that
/// introduces them: the name itself, the `{`, the `func`.
#[derive(Debug)]
pub struct Unit {
    pub top_level: FunctionIndex,
    pub scope: ScopeIndex,
    /// What importers can have; the script's are nobody's business.
    pub exports: Vec<Export>,
    /// When a `return` or `?` may end it before its last statement, on the
    /// top level's tape.
    first_end: u32,
    uses: FxHashMap<Place, Use>,
    scope_at: FxHashMap<Place, ScopeIndex>,
    function_at: FxHashMap<Place, FunctionIndex>,
    hoist_at: FxHashMap<Place, HoistIndex>,
    import_at: FxHashMap<Place, ImportIndex>,
}

#[derive(Debug)]
pub struct Export {
    pub name: Symbol,
    /// What the name means when the module has finished; set once names are bound.
    pub used: Option<Use>,
    /// What it certainly is, if that is known before the program runs.
    pub known: Option<Known>,
    /// Somebody wants its value.
    pub is_wanted: bool,
    /// It is handed over between programs that were compiled apart.
    pub is_kept: bool,
}

impl Export {
    fn new(name: Symbol) -> Export {
        Export {
            name,
            used: None,
            known: None,
            is_wanted: false,
            is_kept: false,
        }
    }

    /// Whether it may be unset when its module has finished.
    pub fn is_unsure(&self) -> bool {
        self.known.is_none() && self.used.is_none_or(|used| !used.is_certain)
    }

    /// Whether its value must be kept for importers.
    pub fn needs_place(&self) -> bool {
        let is_function = matches!(self.known, Some(Known::Function(_)));
        self.is_kept || self.is_wanted && !is_function || self.is_unsure()
    }
}

/// A declaration that is certainly behind an exported or imported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A function that captures nothing.
    Function(FunctionIndex),
    Struct(HoistIndex),
}

/// An import, wherever it stands.
#[derive(Debug)]
pub struct Import {
    /// The file that it is in.
    pub unit: UnitIndex,
    /// The module's name, with dots.
    pub path: String,
    kind: ImportKind,
    pub target: Target,
    /// The variables that it sets, in order.
    pub bindings: Vec<Binding>,
}

#[derive(Debug)]
enum ImportKind {
    /// All exports, and the module under this name.
    Module(Symbol),
    /// Pairs of exported and local name.
    Symbols(Vec<(Symbol, Symbol)>),
}

/// What an import leads to.
#[derive(Clone, Debug)]
pub enum Target {
    Unit(UnitIndex),
    /// To an error with this message, whenever it is executed.
    Failed(Box<str>),
}

#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub variable: VariableIndex,
    pub imported: Imported,
}

#[derive(Clone, Copy, Debug)]
pub enum Imported {
    /// The export with this number.
    Export(u32),
    /// The module itself.
    Module,
    /// Something that the module does not export.
    Missing(Symbol),
}

/// What a variable that only imports set certainly holds once it is set.
/// Then nobody reads it, but for the question whether it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// A function that captures nothing.
    Function(FunctionIndex),
    /// A module of which only exports are used.
    Module(UnitIndex),
}

/// What kind of code a function's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    TopLevel,
    /// `func name(…) {…}`
    Declared,
    Literal,
    /// A method; without `self` the receiver's fields are variables.
    Method {
        has_self: bool,
    },
    /// The expression that computes a field's default.
    Default,
    /// The block of a `spawn`.
    Spawn,
    /// A test: its setup, body and teardown, which share a scope.  A normal run
    /// does not contain it.
    Test,
}

#[derive(Debug)]
pub struct Function {
    pub kind: FunctionKind,
    /// The file that it is in.
    pub unit: UnitIndex,
    /// The copy of the source that it is in, see [`Place`].
    pub copy: u32,
    pub parent: Option<FunctionIndex>,
    /// The scope of the parameters and the body.
    pub scope: ScopeIndex,
    pub parameters: Vec<VariableIndex>,
    /// What it takes along when it is made, in order.
    pub captures: Vec<Captured>,
    /// Declared, and not asynchronous.
    pub can_be_called_directly: bool,
    /// A method that may change its receiver.
    pub changes_self: bool,
    /// Variables that start as fields of the receiver (methods without `self`).
    pub fields: Vec<VariableIndex>,
    /// Variables that start as copies of captured values (`spawn`):
    /// the original and the copy.
    pub snapshots: Vec<(VariableIndex, VariableIndex)>,
    /// It, or a function inside it, uses the variable that it is in.
    pub names_itself: bool,
    /// Holds the function itself for functions inside it.
    pub itself: Option<VariableIndex>,
    /// Cannot be reached: replaced by a later declaration, or a test.
    pub is_dead: bool,
    /// When its function value is made, on its parent's tape.
    made_at: (u32, u32),
    /// The earliest moment on its parent's tape at which it may be called.
    called_at: u32,
    captures_something: bool,
}

/// A captured variable and where the maker has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    pub variable: VariableIndex,
    pub source: CaptureSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureSource {
    /// A variable of the maker itself.
    Own,
    /// The maker's capture with this number.
    Outer(u32),
}

#[derive(Debug)]
pub struct Scope {
    pub parent: Option<ScopeIndex>,
    pub function: FunctionIndex,
    pub variables: Vec<VariableIndex>,
    pub hoists: Vec<HoistIndex>,
    /// Where a plain assignment creates a variable: itself, but for match clauses.
    creates_in: ScopeIndex,
    kind: ScopeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScopeKind {
    Plain,
    /// A file's own.
    Module,
    /// The receiver's fields, around a method without `self`.
    Fields,
    /// The outermost scope of a `spawn` block.
    Snapshot,
}

/// A `func`, `struct` or `enum` declaration.
#[derive(Debug)]
pub struct Hoist {
    pub name: Symbol,
    pub scope: ScopeIndex,
    pub item: HoistItem,
    /// Its value is needed before its statement is reached.
    pub at_entry: bool,
    /// A later declaration of the scope has the same name.
    pub is_replaced: bool,
    /// Set once names are bound.
    pub variable: Option<VariableIndex>,
    statement_at: u32,
    made_at: (u32, u32),
    /// The earliest moment at which it may be mentioned.
    mentioned_at: u32,
}

#[derive(Debug)]
pub enum HoistItem {
    Function(FunctionIndex),
    /// Methods and defaults.
    Struct(Vec<FunctionIndex>),
    Enum,
}

impl HoistItem {
    /// The functions that are made with the declaration.
    pub fn functions(&self) -> &[FunctionIndex] {
        match self {
            HoistItem::Function(function) => std::slice::from_ref(function),
            HoistItem::Struct(functions) => functions,
            HoistItem::Enum => &[],
        }
    }
}

/// Whether a variable may be assigned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    Mutable,
    Let,
    Const,
}

#[derive(Debug)]
pub struct Variable {
    pub name: Symbol,
    pub scope: ScopeIndex,
    pub function: FunctionIndex,
    pub mutability: Mutability,
    pub storage: Storage,
    /// Some use finds it possibly unset, so entering its scope must unset it.
    pub may_be_unset: bool,
    /// Its only value is that of this declaration.
    pub declared_by: Option<HoistIndex>,
    /// Read or written by name anywhere.
    pub is_used: bool,
    writes: u32,
    /// When it is certainly set, on its function's tape.
    set_at: u32,
    /// When its only value is there to be captured.
    ready_at: (u32, u32),
    hoist: Option<HoistIndex>,
    literal: Option<FunctionIndex>,
    /// Some import sets it to a module.
    is_module: bool,
    /// Used in another way than by reading or calling one member.
    is_value_used: bool,
    is_captured: bool,
    pub alias: Option<Alias>,
    /// Its only value, known to be that of a struct's declaration elsewhere.
    pub imported_struct: Option<HoistIndex>,
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Local,
    Cell,
    Global,
    /// It is always that function, which captures nothing.
    Function(FunctionIndex),
}

/// How a function gets at a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Local,
    Cell,
    Global,
    Function(FunctionIndex),
    CapturedValue(u32),
    CapturedCell(u32),
    /// The variable holds the running function.
    Callee,
}

/// One use of a name.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    start: u32,
    count: u32,
    /// The last candidate is certainly set.
    pub is_certain: bool,
    /// What an assignment or declaration sets when no candidate is set.
    pub creates: Option<VariableIndex>,
}

/// What becomes of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Program,
    /// What it exports is called when it has ended, however early it did.
    Library,
}

/// The files of a program, while they are being found.
#[derive(Default)]
pub struct Survey {
    recorder: record::Recorder,
    /// Imports that were handed out.
    asked: usize,
}

impl Survey {
    /// An empty survey of a script with this role.
    pub fn of(role: Role) -> Survey {
        let mut survey = Survey::default();
        survey.recorder.role = role;
        survey
    }

    /// Takes a file in, the script first, with the tests that are to be part
    /// of the program.  Gives its number, and the imports in it in the order
    /// of the source, whose targets are to be set.
    ///
    /// # Errors
    /// If it may not be run although it parses (reference, section 16.3); then
    /// it counts as not taken in.
    pub fn add(
        &mut self,
        program: &ast::Program,
        tests: &[Test],
    ) -> Result<(UnitIndex, Vec<ImportIndex>), Vec<Diagnostic>> {
        let unit = self.recorder.unit(program, tests);
        let known = self.recorder.out.imports.len();
        let imports = std::mem::replace(&mut self.asked, known)..known;
        let imports = imports.map(|index| ImportIndex(index as u32));
        Ok((unit?, imports.collect()))
    }

    /// The name of the module that is to be imported.
    pub fn path(&self, import: ImportIndex) -> &str {
        &self.recorder.out.imports[import].path
    }

    pub fn set_target(&mut self, import: ImportIndex, target: Target) {
        self.recorder.out.imports[import].target = target;
    }

    /// Has all exports of a file kept where another program finds them.
    pub fn keep_exports(&mut self, unit: UnitIndex) {
        for export in &mut self.recorder.out.units[unit].exports {
            export.is_kept = true;
        }
    }

    /// Code that was compiled before is a part of the program: it has structs with
    /// fields of these names, and methods of these names that may change their receiver.
    pub fn note_compiled<'n>(
        &mut self,
        fields: impl Iterator<Item = &'n str>,
        changing: impl Iterator<Item = &'n str>,
    ) {
        let out = &mut self.recorder.out;
        for name in fields {
            let name = out.symbols.intern(&name.into());
            out.field_names.insert(name);
        }
        for name in changing {
            let name = out.symbols.intern(&name.into());
            out.changing.insert(name);
        }
    }

    /// The files will be parts of programs that nobody knows yet: any method may
    /// change its receiver there, and any name may be a field.
    pub fn open(&mut self) {
        self.recorder.out.is_open = true;
    }
}

/// Finds out what every name means.
pub fn resolve(survey: Survey) -> Resolved {
    let mut recording = survey.recorder.out;
    if recording.is_open {
        let all = 0..recording.symbols.texts.len() as u32;
        recording.field_names.extend(all.map(Symbol));
    }
    reach::reach(&mut recording);
    receiver::mark(&mut recording);
    let (mut resolved, uses) = bind::bind(recording);
    capture::place(&mut resolved, &uses.foreign);
    link::link(&mut resolved, &uses.members);
    resolved
}

impl Unit {
    fn new(top_level: FunctionIndex) -> Unit {
        Unit {
            top_level,
            scope: ScopeIndex(0),
            exports: Vec::new(),
            first_end: record::NEVER,
            uses: FxHashMap::default(),
            scope_at: FxHashMap::default(),
            function_at: FxHashMap::default(),
            hoist_at: FxHashMap::default(),
            import_at: FxHashMap::default(),
        }
    }

    /// The use of a name whose token starts there.
    pub fn use_at(&self, place: Place) -> Use {
        self.uses
            .get(&place)
            .copied()
            .expect("the recorder saw every name")
    }

    /// The use of a name whose token starts there, if it is one.
    pub fn find_use(&self, place: Place) -> Option<Use> {
        self.uses.get(&place).copied()
    }

    /// The variable that a name in a pattern binds, unless it only compares.
    pub fn binding_at(&self, place: Place) -> Option<VariableIndex> {
        self.uses.get(&place)?.creates
    }

    pub fn scope_at(&self, place: Place) -> ScopeIndex {
        self.scope_at
            .get(&place)
            .copied()
            .expect("the recorder saw every scope")
    }

    pub fn function_at(&self, place: Place) -> FunctionIndex {
        self.function_at
            .get(&place)
            .copied()
            .expect("the recorder saw every function")
    }

    pub fn hoist_at(&self, place: Place) -> HoistIndex {
        self.hoist_at
            .get(&place)
            .copied()
            .expect("the recorder saw every declaration")
    }

    /// The import whose statement starts there.
    pub fn import_at(&self, place: Place) -> ImportIndex {
        self.import_at
            .get(&place)
            .copied()
            .expect("the recorder saw every import")
    }
}

impl Resolved {
    /// The variables that may hold a name, innermost first.
    pub fn candidates(&self, used: Use) -> &[VariableIndex] {
        &self.candidates[used.start as usize..(used.start + used.count) as usize]
    }

    /// Whether a scope is a file's own.
    pub fn is_module_scope(&self, scope: ScopeIndex) -> bool {
        self.scopes[scope].kind == ScopeKind::Module
    }

    /// How `function` gets at a variable that one of its uses names.
    pub fn access(&self, function: FunctionIndex, variable: VariableIndex) -> Access {
        let known = &self.variables[variable];
        match known.storage {
            Storage::Global => Access::Global,
            Storage::Function(func) => Access::Function(func),
            Storage::Local if known.function == function => Access::Local,
            Storage::Cell if known.function == function => Access::Cell,
            Storage::Local | Storage::Cell => *self
                .foreign
                .get(&(function, variable))
                .expect("every captured variable has its place"),
        }
    }

    /// The one declaration that a variable always holds, if it is a function.
    pub fn declared_function(&self, variable: VariableIndex) -> Option<FunctionIndex> {
        match self.hoists[self.variables[variable].declared_by?].item {
            HoistItem::Function(function) => Some(function),
            HoistItem::Struct(_) | HoistItem::Enum => None,
        }
    }

    /// The one function, declared or literal, that a variable holds once it is set.
    pub fn only_function(&self, variable: VariableIndex) -> Option<FunctionIndex> {
        let row = &self.variables[variable];
        match row.alias {
            Some(Alias::Function(function)) => Some(function),
            Some(Alias::Module(_)) => None,
            None => row.literal.filter(|_| row.writes == 1),
        }
    }

    /// Whether a call of a method with this name may change its receiver.
    pub fn changes_receiver(&self, method: &str) -> bool {
        self.changing.contains(method)
    }

    pub fn text(&self, symbol: Symbol) -> &Arc<str> {
        &self.symbols[symbol.0 as usize]
    }

    /// Whether `inner` is `outer` or written inside it.
    fn is_within(&self, inner: FunctionIndex, outer: FunctionIndex) -> bool {
        let mut current = Some(inner);
        while let Some(function) = current {
            if function == outer {
                return true;
            }
            current = self.functions[function].parent;
        }
        false
    }
}
