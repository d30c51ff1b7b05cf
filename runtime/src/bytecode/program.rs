//! A program: its functions and the tables that their instructions index.

use super::foreign::ForeignSite;
use super::op::{Op, Var, VarKind};
use crate::heap::VariantKind;
use crate::names::NameId;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Index into `Program::functions`.
pub type FunctionId = u32;
/// Index into `Program::builtins`.
pub type BuiltinId = u32;
/// Index into `Program::globals`.
pub type GlobalId = u32;

/// Everything that the engines need to run a script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Identifiers: variables, fields, methods, struct names.  `NameId` indexes
    /// this table, and each spelling is in it once.
    pub names: Vec<Box<str>>,
    pub constants: Vec<Constant>,
    /// Names of the built-ins that the program refers to, method forms included.
    pub builtins: Vec<Box<str>>,
    pub functions: Vec<Function>,
    pub structs: Vec<StructInfo>,
    /// Names of the variables that functions share with the top level.
    pub globals: Vec<NameId>,
    pub paths: Vec<Path>,
    pub call_sites: Vec<CallSite>,
    pub method_sites: Vec<MethodSite>,
    pub builtin_sites: Vec<BuiltinSite>,
    pub struct_sites: Vec<StructSite>,
    pub variant_sites: Vec<VariantSite>,
    pub foreign_sites: Vec<ForeignSite>,
    /// For `DictRest`.
    pub name_lists: Vec<Vec<NameId>>,
    /// Display names of the source files.
    pub files: Vec<Box<str>>,
    pub modules: Vec<ModuleInfo>,
    /// The function that is the script's top level; it has no parameters.
    pub main: FunctionId,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    Int(i64),
    /// Compared by bits, so that tables can be compared.
    Float(f64),
    Str(Box<str>),
}

/// A function's code and what its callers must know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    pub info: FunctionInfo,
    /// Slots: parameters first, then variables and hidden locals.
    pub slots: u32,
    /// The deepest operand stack; filled in by the verifier.
    pub max_stack: u32,
    pub code: Vec<Op>,
    /// Where `MakeClosure` takes the captured values from.
    pub captures: Vec<Capture>,
    /// Innermost first.
    pub handlers: Vec<Handler>,
    /// Source positions by ascending first instruction; each holds up to the next.
    pub positions: Vec<(u32, Position)>,
    /// Names of slots, for debuggers and dumps; empty for hidden ones.
    pub slot_names: Vec<NameId>,
    /// Number of `LoopHead`s.
    pub loops: u32,
}

/// What callers must know of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionInfo {
    /// As messages and traces show it: `f`, `<lambda>`, `Struct.method`.
    pub name: String,
    pub id: FunctionId,
    /// Parameters in order, the receiver of a method included: it is first,
    /// and named `self` or, when the method has no `self`, not at all.
    pub params: Vec<NameId>,
    pub flags: FunctionFlags,
}

impl FunctionInfo {
    /// Parameters as callers count them: without the receiver.
    #[inline(always)]
    pub fn arity(&self) -> usize {
        self.params.len() - self.flags.is_method as usize
    }

    /// The number of arguments with which its entry may simply be called, plus
    /// one; 0 if there is more to a call, or if it has too many parameters.
    pub fn plain_call(&self) -> u8 {
        match self.flags.is_method || self.flags.changes_self {
            true => 0,
            false => u8::try_from(self.params.len() + 1).unwrap_or(0),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionFlags {
    /// The first parameter is the receiver.
    pub is_method: bool,
    /// A method without `self`: its receiver's fields are variables, and it
    /// may be called on the struct's name (the receiver is null then).
    pub is_static: bool,
    /// Leaves the final `self` for the caller to store back.
    pub changes_self: bool,
    pub is_generator: bool,
    pub is_async: bool,
    /// A top level (of the script or of a module).
    pub is_top_level: bool,
}

/// Where a captured value comes from when the function object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// The cell in the maker's slot: captured by reference.
    Cell(u32),
    /// The value in the maker's slot, which never changes any more.
    Value(u32),
    /// What the maker itself captured, cell or value.
    Outer(u32),
}

/// A protected range of instructions and where errors in it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// First instruction covered.
    pub start: u32,
    /// First instruction no longer covered.
    pub end: u32,
    /// A `Catch`.
    pub target: u32,
    /// Operands that stay on the stack when control gets there.
    pub depth: u32,
}

/// A place in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Index into `Program::files`.
    pub file: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// A struct declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructInfo {
    pub name: NameId,
    pub fields: Vec<NameId>,
    pub methods: Vec<(NameId, FunctionId)>,
    /// Declared fields (by position) that have a default, with its function.
    pub defaults: Vec<(u32, FunctionId)>,
}

/// A module, which runs when it is first imported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleInfo {
    /// As messages show it: `a.b.c`.
    pub name: NameId,
    /// Its top level.
    pub body: FunctionId,
    /// The global that says what became of it; only the runtime sets it.
    pub state: GlobalId,
    /// Exports that the top level may leave unset, with their globals.
    pub unsure: Vec<(NameId, GlobalId)>,
}

impl StructInfo {
    /// Values that `MakeStructDef` takes off the stack.
    pub fn pops(&self) -> u32 {
        (self.methods.len() + self.defaults.len()) as u32
    }
}

/// A variable and a chain of steps into its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub root: Var,
    /// The root variable's name.
    pub name: NameId,
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Field(NameId),
    /// The next index on the stack, the first step's deepest.
    Index,
}

impl Path {
    /// Indexes on the stack.
    pub fn indexes(&self) -> u32 {
        self.steps
            .iter()
            .filter(|step| matches!(step, Step::Index))
            .count() as u32
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    One,
    /// `...e`
    Spread,
    /// `name=e`
    Named(NameId),
}

/// A call with spread or named arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallSite {
    pub args: Vec<ArgKind>,
}

/// A method call.  On the stack, from the bottom: the receiver's value (unless
/// there is a place that is read late), the indexes of the place, the arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodSite {
    pub name: NameId,
    pub args: Vec<ArgKind>,
    /// The receiver, if it is a place that changes are stored back to.
    pub place: Option<Path>,
    /// The receiver was read before the arguments were computed, since they
    /// might change it; otherwise the call reads it from the place.
    pub early: bool,
    /// The place may be emptied during the call: it is a local that nobody
    /// sees before the value is stored back, even if an error is raised.
    pub take: bool,
    /// The message to raise instead of storing back: the root is immutable.
    pub immutable: Option<u32>,
}

impl MethodSite {
    /// Values that the call takes off the stack.
    pub fn pops(&self, _program: &Program) -> u32 {
        let receiver = (self.place.is_none() || self.early) as u32;
        receiver + self.place.as_ref().map_or(0, Path::indexes) + self.args.len() as u32
    }
}

/// `place = builtin(place, args…)`.  On the stack, from the bottom: the place's
/// old value (when `early`), the indexes of the place, the arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltinSite {
    pub builtin: BuiltinId,
    pub place: Path,
    /// Arguments besides the place.
    pub argc: u32,
    /// The place was read before the arguments were computed, since they might
    /// change it.  If it still holds the same object, the change is in place.
    pub early: bool,
}

impl BuiltinSite {
    /// Values that the instruction takes off the stack.
    pub fn pops(&self, _program: &Program) -> u32 {
        self.early as u32 + self.place.indexes() + self.argc
    }
}

/// A struct literal.  On the stack: the declaration's value (when `has_def`;
/// any value that is no `StructDef` counts as none), then the fields' values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructSite {
    pub name: NameId,
    /// In the order written.
    pub fields: Vec<NameId>,
    pub has_def: bool,
    /// The declaration, when it is known before the program runs.
    pub declaration: Option<u32>,
}

impl StructSite {
    /// Values that `MakeStruct` takes off the stack.
    pub fn pops(&self) -> u32 {
        self.has_def as u32 + self.fields.len() as u32
    }
}

/// A variant that is made or tested.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantSite {
    pub kind: VariantKind,
    /// Constant index of the enum's name (`Tagged` only); in a test, `None`
    /// matches any enum.
    pub enum_name: Option<u32>,
    /// Constant index of the variant's name (`Tagged` only).
    pub name: Option<u32>,
}

impl Program {
    /// The text of a string constant.
    pub fn text(&self, constant: u32) -> Option<&str> {
        match self.constants.get(constant as usize)? {
            Constant::Str(text) => Some(text),
            Constant::Int(_) | Constant::Float(_) => None,
        }
    }

    /// A number for each variant site: that of the first site with the same enum's
    /// and variant's names.  Values made by sites of one number are of one variant.
    pub fn variant_ids(&self) -> Vec<u32> {
        let mut first = HashMap::with_hasher(FxBuildHasher);
        let sites = (0..).zip(&self.variant_sites);
        sites
            .map(|(number, site)| {
                let names = [site.enum_name, site.name].map(|name| self.text(name?));
                *first.entry((site.kind as u8, names)).or_insert(number)
            })
            .collect()
    }

    /// Whether two variant sites have the same variant's name.
    pub fn have_same_name(&self, one: u32, other: u32) -> bool {
        let [one, other] = [one, other].map(|number| &self.variant_sites[number as usize]);
        let text = |name: Option<u32>| name.and_then(|name| self.text(name));
        one.kind == other.kind && text(one.name) == text(other.name)
    }

    /// All paths to places that the program changes.
    pub fn changed_places(&self) -> impl Iterator<Item = &Path> {
        let methods = self.method_sites.iter();
        let of_methods = methods.filter_map(|site| site.place.as_ref());
        let of_builtins = self.builtin_sites.iter().map(|site| &site.place);
        self.paths.iter().chain(of_methods).chain(of_builtins)
    }

    /// The position of an instruction, if one is known.
    pub fn position(&self, func: FunctionId, pc: u32) -> Option<Position> {
        let positions = &self.functions[func as usize].positions;
        let after = positions.partition_point(|(start, _)| *start <= pc);
        Some(positions[after.checked_sub(1)?].1)
    }

    /// The handler for an error raised by an instruction.
    pub fn handler(&self, func: FunctionId, pc: u32) -> Option<Handler> {
        self.functions[func as usize]
            .handlers
            .iter()
            .find(|handler| handler.start <= pc && pc < handler.end)
            .copied()
    }
}

/// The slot of a local or cell variable.
pub fn slot_of(var: Var) -> Option<u32> {
    matches!(var.kind(), VarKind::Local | VarKind::Cell).then(|| var.number())
}
