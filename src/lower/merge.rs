//! A compiled module's program becomes a part of another: its tables are
//! appended, and every number in it is replaced by what it is there.
//!
//! What both have in common is the importing program's: names and built-ins,
//! which are in a table once, the modules' rows, and the globals that exports
//! are handed over in.  The module's top level takes the place of the function
//! that stood for it.

use crate::modules::{Compiled, Part, Rows, Table};
use ruff_runtime::bytecode::{
    ArgKind, Function, FunctionId, GlobalId, MethodSite, ModuleInfo, Op, Path, Program, Step, Var,
    VarKind,
};
use ruff_runtime::names::NameId;
use rustc_hash::{FxHashMap, FxHashSet};

/// A module's place in the program that it becomes a part of.
#[derive(Default)]
pub(super) struct Place {
    /// Its file.
    pub file: u32,
    /// The rows of its modules: its own, then those that it imports.
    pub modules: Vec<u32>,
    /// The globals of exports: the number in its program, and the one here.
    pub exports: Vec<(GlobalId, GlobalId)>,
    /// Functions that are exported, likewise.
    pub functions: Vec<(FunctionId, FunctionId, Origin)>,
    /// Declarations of structs that are exported, likewise.
    pub structs: Vec<(u32, u32, Origin)>,
}

/// Whose an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The module's: it takes the place of what stood for it.
    Own,
    /// That of a module which it imports, and which brings it itself.
    Imported,
}

/// Where the texts are in a program's tables that hold each once.
pub(super) struct Texts {
    names: FxHashMap<Box<str>, u32>,
    builtins: FxHashMap<Box<str>, u32>,
}

impl Texts {
    pub fn of(program: &Program) -> Texts {
        let numbered = |table: &[Box<str>]| {
            let rows = (0..).zip(table);
            rows.map(|(number, text)| (text.clone(), number)).collect()
        };
        Texts {
            names: numbered(&program.names),
            builtins: numbered(&program.builtins),
        }
    }
}

/// Puts a verified module's program into another one, whose texts are known; says
/// what has become of it there.
pub(super) fn merge(
    into: &mut Program,
    texts: &mut Texts,
    compiled: &Compiled,
    place: &Place,
) -> Part {
    let from = &compiled.program;
    let map = Map::new(into, texts, from, place);
    let names =
        |names: &[NameId]| -> Vec<NameId> { names.iter().map(|name| map.name(*name)).collect() };
    into.constants.extend(from.constants.iter().cloned());
    // Beside it there are only files that stood for others.
    let own_file = from.files.get(1).cloned().unwrap_or_default();
    into.files[place.file as usize] = own_file;
    into.foreign_sites
        .extend(from.foreign_sites.iter().cloned());
    into.paths
        .extend(from.paths.iter().map(|path| map.path(path)));
    for site in &from.call_sites {
        let mut site = site.clone();
        map.args(&mut site.args);
        into.call_sites.push(site);
    }
    into.method_sites
        .extend(from.method_sites.iter().map(|site| map.method_site(site)));
    for site in &from.builtin_sites {
        let mut site = site.clone();
        site.builtin = map.builtins[site.builtin as usize];
        site.place = map.path(&site.place);
        into.builtin_sites.push(site);
    }
    for site in &from.struct_sites {
        let mut site = site.clone();
        site.name = map.name(site.name);
        site.fields = names(&site.fields);
        site.declaration = site
            .declaration
            .map(|number| map.structs[number as usize].0);
        into.struct_sites.push(site);
    }
    for site in &from.variant_sites {
        let mut site = site.clone();
        site.enum_name = site.enum_name.map(|text| map.constants + text);
        site.name = site.name.map(|text| map.constants + text);
        into.variant_sites.push(site);
    }
    into.name_lists
        .extend(from.name_lists.iter().map(|list| names(list)));
    for (declaration, (number, origin)) in from.structs.iter().zip(&map.structs) {
        if *origin == Origin::Imported {
            continue;
        }
        let mut declaration = declaration.clone();
        declaration.name = map.name(declaration.name);
        declaration.fields = names(&declaration.fields);
        for (name, func) in &mut declaration.methods {
            (*name, *func) = (map.name(*name), map.function(*func));
        }
        for (_, func) in &mut declaration.defaults {
            *func = map.function(*func);
        }
        put(&mut into.structs, *number, declaration);
    }
    for (function, id) in from.functions.iter().zip(&map.functions) {
        // The function that stands for an imported module is that module's.
        if let Some(id) = *id {
            put(&mut into.functions, id, map.made(function, id));
        }
    }
    let own = &mut into.modules[place.modules[0] as usize];
    own.unsure = map.unsure(&from.modules[0]);
    let own = (0..).zip(&map.functions);
    Part {
        name: compiled.name.clone(),
        numbers: Rows::all(from)
            .map(|(table, number)| map.number(table, number))
            .collect(),
        functions: own
            .filter_map(|(func, here)| Some((func, (*here)?)))
            .collect(),
    }
}

/// Puts a row into a table, at its end or where another one stood for it.
fn put<T>(table: &mut Vec<T>, number: u32, row: T) {
    match table.get_mut(number as usize) {
        Some(stub) => *stub = row,
        None => table.push(row),
    }
}

/// What nobody takes from these globals is not put there: exported functions that
/// are only called directly are no values then, and can't be called by anyone else.
pub(super) fn drop_unread(program: &mut Program, exports: &[GlobalId]) {
    let mut unread: FxHashSet<GlobalId> = exports.iter().copied().collect();
    let roots = program.changed_places().map(|path| path.root);
    let ops = program.functions.iter().flat_map(|function| &function.code);
    let used = ops.filter_map(|op| match *op {
        Op::LoadGlobal { global } => Some(Var::new(VarKind::Global, global)),
        Op::JumpIfUnset { var, .. } | Op::Update { var, .. } | Op::UpdateFrom { var, .. } => {
            Some(var)
        }
        _ => None,
    });
    for var in roots
        .chain(used)
        .filter(|var| var.kind() == VarKind::Global)
    {
        unread.remove(&var.number());
    }
    for function in &mut program.functions {
        for at in 1..function.code.len() {
            if let (Op::Function { .. }, Op::StoreGlobal { global }) =
                (function.code[at - 1], function.code[at])
                && unread.contains(&global)
            {
                function.code[at - 1] = Op::Null {};
            }
        }
    }
}

/// What each number of the module's program is in the other one.
struct Map {
    names: Vec<NameId>,
    builtins: Vec<u32>,
    globals: Vec<GlobalId>,
    /// `None` for what the other program has its own function for.
    functions: Vec<Option<FunctionId>>,
    /// What such functions are there.
    known_functions: FxHashMap<FunctionId, FunctionId>,
    modules: Vec<u32>,
    structs: Vec<(u32, Origin)>,
    // Those of other tables grow by as much as there was before.
    constants: u32,
    /// The module's file.
    file: u32,
    paths: u32,
    call_sites: u32,
    method_sites: u32,
    builtin_sites: u32,
    struct_sites: u32,
    variant_sites: u32,
    foreign_sites: u32,
    name_lists: u32,
}

impl Map {
    /// Numbers everything; takes in names, built-ins and globals.
    fn new(into: &mut Program, texts: &mut Texts, from: &Program, place: &Place) -> Map {
        let names = shared(&mut into.names, &mut texts.names, &from.names);
        let builtins = shared(&mut into.builtins, &mut texts.builtins, &from.builtins);
        let mut known: FxHashMap<GlobalId, GlobalId> = place.exports.iter().copied().collect();
        for (module, number) in from.modules.iter().zip(&place.modules) {
            known.insert(module.state, into.modules[*number as usize].state);
        }
        let mut globals = Vec::with_capacity(from.globals.len());
        for (global, name) in (0..).zip(&from.globals) {
            globals.push(*known.entry(global).or_insert_with(|| {
                into.globals.push(names[*name as usize]);
                into.globals.len() as GlobalId - 1
            }));
        }
        // A script's top level imports nothing any more, nor does anybody call it.
        let mut known_functions = FxHashMap::default();
        known_functions.insert(from.main, into.main);
        for (module, number) in from.modules.iter().zip(&place.modules).skip(1) {
            known_functions.insert(module.body, into.modules[*number as usize].body);
        }
        let mut own = FxHashMap::default();
        for (func, here, origin) in &place.functions {
            match origin {
                Origin::Own => own.insert(*func, *here),
                Origin::Imported => known_functions.insert(*func, *here),
            };
        }
        let body = into.modules[place.modules[0] as usize].body;
        own.insert(from.modules[0].body, body);
        let mut next = into.functions.len() as FunctionId;
        let functions = (0..from.functions.len() as FunctionId).map(|func| {
            if let Some(here) = own.get(&func) {
                return Some(*here);
            }
            if known_functions.contains_key(&func) {
                return None;
            }
            next += 1;
            Some(next - 1)
        });
        let known_structs = place.structs.iter();
        let known_structs: FxHashMap<u32, (u32, Origin)> = known_structs
            .map(|(number, here, origin)| (*number, (*here, *origin)))
            .collect();
        let mut next_struct = into.structs.len() as u32;
        let structs = (0..from.structs.len() as u32).map(|number| {
            known_structs.get(&number).copied().unwrap_or_else(|| {
                next_struct += 1;
                (next_struct - 1, Origin::Own)
            })
        });
        Map {
            functions: functions.collect(),
            names,
            builtins,
            globals,
            known_functions,
            modules: place.modules.clone(),
            constants: into.constants.len() as u32,
            structs: structs.collect(),
            file: place.file,
            paths: into.paths.len() as u32,
            call_sites: into.call_sites.len() as u32,
            method_sites: into.method_sites.len() as u32,
            builtin_sites: into.builtin_sites.len() as u32,
            struct_sites: into.struct_sites.len() as u32,
            variant_sites: into.variant_sites.len() as u32,
            foreign_sites: into.foreign_sites.len() as u32,
            name_lists: into.name_lists.len() as u32,
        }
    }

    /// What a row's number is there.
    fn number(&self, table: Table, number: u32) -> u32 {
        match table {
            Table::Names => self.name(number),
            Table::Constants => self.constants + number,
            Table::Builtins => self.builtins[number as usize],
            Table::Functions => self.function(number),
            Table::Structs => self.structs[number as usize].0,
            Table::Globals => self.global(number),
            Table::Paths => self.paths + number,
            Table::CallSites => self.call_sites + number,
            Table::MethodSites => self.method_sites + number,
            Table::BuiltinSites => self.builtin_sites + number,
            Table::StructSites => self.struct_sites + number,
            Table::VariantSites => self.variant_sites + number,
            Table::ForeignSites => self.foreign_sites + number,
            Table::NameLists => self.name_lists + number,
            Table::Modules => self.modules[number as usize],
        }
    }

    fn name(&self, name: NameId) -> NameId {
        self.names[name as usize]
    }

    fn function(&self, func: FunctionId) -> FunctionId {
        match self.functions[func as usize] {
            Some(func) => func,
            None => self.known_functions[&func],
        }
    }

    fn global(&self, global: GlobalId) -> GlobalId {
        self.globals[global as usize]
    }

    fn variable(&self, var: Var) -> Var {
        match var.kind() {
            VarKind::Global => Var::new(VarKind::Global, self.global(var.number())),
            VarKind::Local | VarKind::Cell | VarKind::Capture => var,
        }
    }

    fn path(&self, path: &Path) -> Path {
        let step = |step: &Step| match *step {
            Step::Field(name) => Step::Field(self.name(name)),
            Step::Index => Step::Index,
        };
        Path {
            root: self.variable(path.root),
            name: self.name(path.name),
            steps: path.steps.iter().map(step).collect(),
        }
    }

    fn args(&self, args: &mut [ArgKind]) {
        for arg in args {
            if let ArgKind::Named(name) = arg {
                *name = self.name(*name);
            }
        }
    }

    fn method_site(&self, site: &MethodSite) -> MethodSite {
        let mut args = site.args.clone();
        self.args(&mut args);
        MethodSite {
            name: self.name(site.name),
            args,
            place: site.place.as_ref().map(|path| self.path(path)),
            immutable: site.immutable.map(|text| self.constants + text),
            ..*site
        }
    }

    fn unsure(&self, module: &ModuleInfo) -> Vec<(NameId, GlobalId)> {
        let unsure = module.unsure.iter();
        unsure
            .map(|(name, global)| (self.name(*name), self.global(*global)))
            .collect()
    }

    /// The function with its new number.
    fn made(&self, function: &Function, id: FunctionId) -> Function {
        let mut made = function.clone();
        made.info.id = id;
        for name in made.info.params.iter_mut().chain(&mut made.slot_names) {
            *name = self.name(*name);
        }
        for (_, position) in &mut made.positions {
            position.file = self.file;
        }
        for op in &mut made.code {
            self.op(op);
        }
        made
    }

    /// Replaces what the operands of an instruction number.
    fn op(&self, op: &mut Op) {
        match op {
            Op::Constant { index } => *index += self.constants,
            Op::Raise { message } => *message += self.constants,
            Op::Function { func } | Op::CallFunction { func, .. } | Op::MakeClosure { func } => {
                *func = self.function(*func);
            }
            Op::Builtin { builtin } | Op::CallBuiltin { builtin, .. } => {
                *builtin = self.builtins[*builtin as usize];
            }
            Op::LoadGlobal { global } | Op::StoreGlobal { global } => {
                *global = self.global(*global);
            }
            Op::JumpIfUnset { var, .. } | Op::Update { var, .. } | Op::UpdateFrom { var, .. } => {
                *var = self.variable(*var);
            }
            Op::CallForeign { site } => *site += self.foreign_sites,
            Op::CallWith { site } => *site += self.call_sites,
            Op::CallMethod { site } => *site += self.method_sites,
            Op::Mutate { site } => *site += self.builtin_sites,
            Op::MakeStruct { site } => *site += self.struct_sites,
            Op::MakeVariant { site, .. }
            | Op::TestVariant { site }
            | Op::VariantPayload { site, .. } => *site += self.variant_sites,
            Op::MakeStructDef { declaration } => {
                *declaration = self.structs[*declaration as usize].0;
            }
            Op::MakeEnumDef { name }
            | Op::Field { name }
            | Op::OptionalField { name }
            | Op::FieldOrUnset { name }
            | Op::FieldOrNull { name }
            | Op::TestName { name }
            | Op::TestField { name } => *name = self.name(*name),
            Op::StorePath { path }
            | Op::ReadPath { path }
            | Op::StorePathUnder { path }
            | Op::UpdatePath { path, .. } => *path += self.paths,
            Op::DictRest { list } => *list += self.name_lists,
            Op::Import { module } => *module = self.modules[*module as usize],
            Op::Null {}
            | Op::True {}
            | Op::False {}
            | Op::Int { .. }
            | Op::Callee {}
            | Op::Pop {}
            | Op::Dup {}
            | Op::LoadLocal { .. }
            | Op::MoveLocal { .. }
            | Op::StoreLocal { .. }
            | Op::ClearLocal { .. }
            | Op::NewCell { .. }
            | Op::BoxLocal { .. }
            | Op::LoadCell { .. }
            | Op::StoreCell { .. }
            | Op::LoadCapture { .. }
            | Op::LoadCaptureCell { .. }
            | Op::StoreCaptureCell { .. }
            | Op::Add {}
            | Op::Subtract {}
            | Op::Multiply {}
            | Op::Divide {}
            | Op::Remainder {}
            | Op::Equal {}
            | Op::NotEqual {}
            | Op::Less {}
            | Op::LessEqual {}
            | Op::Greater {}
            | Op::GreaterEqual {}
            | Op::Negate {}
            | Op::Not {}
            | Op::Truthy {}
            | Op::Falsy {}
            | Op::SameValue {}
            | Op::Jump { .. }
            | Op::JumpIfFalse { .. }
            | Op::JumpIfTrue { .. }
            | Op::JumpIfNotNull { .. }
            | Op::JumpIfNull { .. }
            | Op::JumpIfUnwrapped { .. }
            | Op::LoopHead { .. }
            | Op::Return {}
            | Op::StoreSelfResult {}
            | Op::Call { .. }
            | Op::MakeArray { .. }
            | Op::ArrayPush {}
            | Op::ArrayExtend {}
            | Op::MakeDict { .. }
            | Op::DictInsert {}
            | Op::DictExtend {}
            | Op::Interpolate { .. }
            | Op::Index {}
            | Op::ElementOrNull { .. }
            | Op::ArrayRest { .. }
            | Op::TestArray { .. }
            | Op::TestArrayMin { .. }
            | Op::IterStart { .. }
            | Op::IterNext { .. }
            | Op::RangeStart { .. }
            | Op::RangeNext { .. }
            | Op::Throw {}
            | Op::Catch {}
            | Op::Yield {}
            | Op::Await {}
            | Op::Spawn {} => {}
        }
    }
}

/// Takes into a table of texts what it lacks; gives the texts' numbers there.
fn shared(
    into: &mut Vec<Box<str>>,
    known: &mut FxHashMap<Box<str>, u32>,
    from: &[Box<str>],
) -> Vec<u32> {
    let numbers = from.iter().map(|text| match known.get(text) {
        Some(number) => *number,
        None => {
            let number = into.len() as u32;
            into.push(text.clone());
            known.insert(text.clone(), number);
            number
        }
    });
    numbers.collect()
}
