//! From the syntax tree to bytecode: the one lowering that all engines share.
//!
//! Names were decided by `resolve`; here is what they and everything else
//! become.  Files are lowered one after the other, and so are their functions,
//! outer ones first, so that a closure finds the slots of the variables that
//! it captures.
//!
//! Code that control cannot reach is never emitted.

mod assign;
mod call;
mod control;
mod emit;
mod expr;
mod foreign;
mod function;
mod import;
mod inspect;
mod matching;
mod merge;
mod ownership;
mod stmt;
mod tables;
mod test;
mod variable;

use crate::modules::{Compiled, Export, Graph, Imported, KnownExport, Module, Part};
use crate::resolve::{
    self, FunctionIndex, HoistIndex, HoistItem, Place, Resolved, SCRIPT, ScopeIndex, Survey,
    Symbol, Test, Unit, UnitIndex, Use, VariableIndex,
};
use crate::source::SourceMap;
use emit::{Frame, Lines};
use function::Waiting;
use merge::Origin;
use ruff_runtime::bytecode::{FunctionId, GlobalId, Program};
use rustc_hash::FxHashMap;
use tables::Tables;

/// Lowers a script and the modules that it imports to one program.
pub fn lower(graph: Graph, sources: &SourceMap) -> Program {
    lower_with_tests(graph, &[], sources).program
}

/// A program and where its parts came from.
pub struct Lowered {
    pub program: Program,
    /// The functions of the tests, in order.  They expect that the top level
    /// has run, and give null or raise the error that the test fails with.
    pub tests: Vec<FunctionId>,
    pub resolved: Resolved,
    /// The number of every function that the program contains.
    pub ids: Vec<Option<FunctionId>>,
    /// The compiled modules in it.
    pub parts: Vec<Part>,
}

impl Lowered {
    /// The function that the script's declaration of a name is, if it captures
    /// nothing; `start` is where the name starts.
    pub fn declared_function(&self, start: u32) -> Option<FunctionId> {
        let place = Place {
            copy: 0,
            offset: start,
        };
        let hoist = self.resolved.units[SCRIPT].hoist_at(place);
        let HoistItem::Function(function) = self.resolved.hoists[hoist].item else {
            return None;
        };
        let row = &self.resolved.functions[function];
        let is_plain = row.captures.is_empty() && !row.is_dead;
        self.ids[function.0 as usize].filter(|_| is_plain)
    }
}

/// The same with the script's tests that the graph was loaded for, each of
/// which becomes a function.
pub fn lower_with_tests(graph: Graph, tests: &[Test], sources: &SourceMap) -> Lowered {
    let Graph { modules, survey } = graph;
    let (mut lowered, handed) = lower_sources(&modules, survey, tests, sources);
    if modules.iter().all(|module| module.compiled.is_none()) {
        return lowered;
    }
    let mut globals = Vec::new();
    let mut texts = merge::Texts::of(&lowered.program);
    for (unit, module) in (0..).map(UnitIndex).zip(&modules) {
        if let Some(compiled) = &module.compiled {
            let place = place_of(unit, compiled, &modules, &lowered, &handed);
            let part = merge::merge(&mut lowered.program, &mut texts, compiled, &place);
            lowered.parts.push(part);
            globals.extend(place.exports.iter().map(|(_, here)| *here));
        }
    }
    merge::drop_unread(&mut lowered.program, &globals);
    lowered
}

/// Lowers a module that was loaded alone.
pub fn lower_alone(graph: Graph, sources: &SourceMap) -> Compiled {
    let Graph { modules, survey } = graph;
    let (lowered, handed) = lower_sources(&modules, survey, &[], sources);
    let exports = |unit: UnitIndex| {
        let exports = (0..).zip(&lowered.resolved.units[unit].exports);
        let export = |(number, export): (u32, &resolve::Export)| Export {
            name: lowered.resolved.text(export.name).to_string(),
            global: handed.exports[&(unit, number)],
            known: known_export(&lowered, &handed, unit, export),
        };
        exports.map(export).collect()
    };
    let imports = (2..).map(UnitIndex).zip(&modules[2..]);
    let imported = |(unit, module): (UnitIndex, &Module)| Imported {
        name: module.name.clone(),
        exports: exports(unit),
    };
    Compiled {
        name: modules[1].name.clone(),
        exports: exports(UnitIndex(1)),
        imports: imports.map(imported).collect(),
        program: lowered.program,
    }
}

/// What is handed over between files.
struct Handed {
    /// The globals in which files leave the values of their exports.
    exports: FxHashMap<(UnitIndex, u32), GlobalId>,
    /// Numbers of struct declarations.
    declarations: FxHashMap<HoistIndex, u32>,
}

/// What a file's export certainly is, if the file declares it under that name.
fn known_export(
    lowered: &Lowered,
    handed: &Handed,
    unit: UnitIndex,
    export: &resolve::Export,
) -> KnownExport {
    let (resolved, program) = (&lowered.resolved, &lowered.program);
    let name = resolved.text(export.name);
    let known = match export.known {
        Some(resolve::Known::Function(function)) => {
            let row = &resolved.functions[function];
            let is_here = row.unit == unit && row.kind == resolve::FunctionKind::Declared;
            let number = lowered.ids[function.0 as usize].filter(|_| is_here);
            let has_name = |func: &FunctionId| {
                let function = &program.functions[*func as usize];
                function.info.name == **name && function.captures.is_empty()
            };
            number.filter(has_name).map(KnownExport::Function)
        }
        Some(resolve::Known::Struct(hoist)) => {
            let scope = resolved.hoists[hoist].scope;
            let function = resolved.scopes[scope].function;
            let is_here = resolved.functions[function].unit == unit;
            let number = handed.declarations.get(&hoist).filter(|_| is_here);
            let has_name = |number: &u32| {
                let info = &program.structs[*number as usize];
                *program.names[info.name as usize] == **name
            };
            number.copied().filter(has_name).map(KnownExport::Struct)
        }
        None => None,
    };
    known.unwrap_or(KnownExport::Value)
}

/// Where a compiled module goes in the program that lowering has made.
fn place_of(
    unit: UnitIndex,
    compiled: &Compiled,
    modules: &[Module],
    lowered: &Lowered,
    handed: &Handed,
) -> merge::Place {
    let unit_named = |name: &str| {
        let is_it = |module: &Module| module.compiled.is_some() && module.name == name;
        let found = modules.iter().position(is_it);
        UnitIndex(found.expect("what a compiled module imports was loaded") as u32)
    };
    let resolved = &lowered.resolved;
    let mut place = merge::Place {
        file: unit.0,
        ..merge::Place::default()
    };
    let mut add = |unit: UnitIndex, exports: &[Export], origin| {
        place.modules.push(unit.0 - 1);
        for export in exports {
            let number = resolved.export_named(unit, &export.name);
            let number = number.expect("what is exported was compared when it was loaded");
            let here = &resolved.units[unit].exports[number as usize];
            let global = handed.exports[&(unit, number)];
            place.exports.push((export.global, global));
            match (export.known, known_export(lowered, handed, unit, here)) {
                (KnownExport::Value, _) => {}
                (KnownExport::Function(func), KnownExport::Function(here)) => {
                    place.functions.push((func, here, origin));
                }
                (KnownExport::Struct(number), KnownExport::Struct(here)) => {
                    place.structs.push((number, here, origin));
                }
                (known, here) => unreachable!("{known:?} is resolved as {here:?}"),
            }
        }
    };
    add(unit, &compiled.exports, Origin::Own);
    for import in &compiled.imports {
        add(unit_named(&import.name), &import.exports, Origin::Imported);
    }
    place
}

/// Lowers what there are sources of.
fn lower_sources(
    modules: &[Module],
    survey: Survey,
    tests: &[Test],
    sources: &SourceMap,
) -> (Lowered, Handed) {
    let resolved = resolve::resolve(survey);
    let files: Vec<_> = modules
        .iter()
        .map(|module| sources.file(module.tree.span.file))
        .collect();
    let mut lowerer = Lowerer {
        ids: vec![None; resolved.functions.len()],
        slots: vec![NO_SLOT; resolved.variables.len()],
        declarations: FxHashMap::default(),
        undeclared: Vec::new(),
        exports: FxHashMap::default(),
        module_sites: FxHashMap::default(),
        waiting: Vec::new(),
        tables: Tables::new(files.iter().map(|file| file.name())),
        lines: files.iter().map(|file| Lines::new(file)).collect(),
        frame: Frame::default(),
        modules,
        names: &resolved.units[SCRIPT],
        resolved: &resolved,
    };
    // The script's top level has the first number.
    lowerer.tables.program.main = lowerer.id(resolved.units[SCRIPT].top_level);
    lowerer.globals();
    let mut test_functions = Vec::new();
    for unit in (0..modules.len() as u32).map(UnitIndex) {
        lowerer.top_level(unit);
        if unit == SCRIPT {
            test_functions = lowerer.tests(tests);
        }
        while let Some(waiting) = lowerer.waiting.pop() {
            lowerer.function(waiting);
        }
    }
    lowerer.declare_sites();
    let handed = Handed {
        exports: lowerer.exports,
        declarations: lowerer.declarations,
    };
    let (mut program, ids) = (lowerer.tables.program, lowerer.ids);
    ownership::find_last_uses(&mut program);
    let lowered = Lowered {
        program,
        tests: test_functions,
        resolved,
        ids,
        parts: Vec::new(),
    };
    (lowered, handed)
}

struct Lowerer<'a> {
    resolved: &'a Resolved,
    modules: &'a [Module],
    /// What the tokens of the file stand for that is being lowered.
    names: &'a Unit,
    tables: Tables,
    /// By file.
    lines: Vec<Lines<'a>>,
    /// The function that is being lowered.
    frame: Frame,
    /// Numbers of functions, given when somebody refers to them.
    ids: Vec<Option<FunctionId>>,
    /// Slots of variables in their functions.
    slots: Vec<u32>,
    /// Numbers of struct declarations.
    declarations: FxHashMap<HoistIndex, u32>,
    /// Struct sites whose declaration may be lowered later, in another file.
    undeclared: Vec<(u32, HoistIndex)>,
    /// The globals that keep the values of exports.
    exports: FxHashMap<(UnitIndex, u32), GlobalId>,
    /// The sites that make modules' values.
    module_sites: FxHashMap<UnitIndex, u32>,
    /// Functions whose makers were lowered.
    waiting: Vec<Waiting<'a>>,
}

const NO_SLOT: u32 = u32::MAX;

impl Lowerer<'_> {
    /// The number of a function that is lowered sooner or later.
    fn id(&mut self, function: FunctionIndex) -> FunctionId {
        let functions = &mut self.tables.program.functions;
        *self.ids[function.0 as usize].get_or_insert_with(|| {
            functions.push(Default::default());
            functions.len() as FunctionId - 1
        })
    }

    /// The present file.
    fn unit(&self) -> UnitIndex {
        self.resolved.functions[self.frame.function].unit
    }

    /// A place in the copy of the file that is being lowered.
    fn place_at(&self, offset: u32) -> Place {
        let copy = self.resolved.functions[self.frame.function].copy;
        Place { copy, offset }
    }

    fn use_at(&self, offset: u32) -> Use {
        self.names.use_at(self.place_at(offset))
    }

    fn binding_at(&self, offset: u32) -> Option<VariableIndex> {
        self.names.binding_at(self.place_at(offset))
    }

    fn scope_at(&self, offset: u32) -> ScopeIndex {
        self.names.scope_at(self.place_at(offset))
    }

    fn function_at(&self, offset: u32) -> FunctionIndex {
        self.names.function_at(self.place_at(offset))
    }

    fn hoist_at(&self, offset: u32) -> HoistIndex {
        self.names.hoist_at(self.place_at(offset))
    }

    fn globals(&mut self) {
        for variable in &self.resolved.globals {
            let row = &self.resolved.variables[*variable];
            let unit = self.resolved.functions[row.function].unit;
            self.slots[variable.0 as usize] = self.global(unit, row.name);
        }
        self.module_table();
    }

    /// A new global for a name in a file.
    fn global(&mut self, unit: UnitIndex, name: Symbol) -> GlobalId {
        let text = self.resolved.text(name);
        // Hosts find the script's variables by their names.
        let name = match unit.0 {
            0 => self.tables.name(text),
            number => {
                let module = &self.modules[number as usize].name;
                self.tables.name(&format!("{module}.{text}"))
            }
        };
        self.tables.global(name)
    }

    /// Names the declarations of the struct literals that came before them.
    fn declare_sites(&mut self) {
        let program = &mut self.tables.program;
        for (site, hoist) in &self.undeclared {
            let site = &mut program.struct_sites[*site as usize];
            let declaration = self.declarations.get(hoist).copied();
            site.declaration =
                declaration.filter(|number| program.structs[*number as usize].name == site.name);
        }
    }
}
