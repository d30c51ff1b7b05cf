//! The program's tables while they grow, and what is known of built-ins.

use ruff_runtime::builtins;
use ruff_runtime::bytecode::forms::forms;
use ruff_runtime::bytecode::{
    ArgKind, BuiltinId, CallSite, Constant, GlobalId, Path, Program, VariantSite,
};
use ruff_runtime::names::{NameId, WELL_KNOWN};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

pub(super) struct Tables {
    pub program: Program,
    names: FxHashMap<Box<str>, NameId>,
    texts: FxHashMap<Box<str>, u32>,
    ints: FxHashMap<i64, u32>,
    floats: FxHashMap<u64, u32>,
    builtins: FxHashMap<Box<str>, BuiltinId>,
    /// What was asked for in the runtime's table.
    known: FxHashMap<Box<str>, Option<Known>>,
}

/// A built-in of the runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub name: &'static str,
    /// May call functions that it was given.
    pub runs_code: bool,
    pub is_pure: bool,
}

/// Built-ins that give back the changed form of their first argument, so that
/// `x = f(x, …)` is worth doing in place.
const IN_PLACE: &[&str] = &[
    "push",
    "append",
    "insert",
    "remove",
    "clear",
    "concat",
    "sort",
    "reverse",
    "merge",
    "update",
    "set_add",
    "set_remove",
    "queue_enqueue",
    "stack_push",
];

impl Tables {
    pub fn new<'a>(files: impl Iterator<Item = &'a str>) -> Tables {
        let mut tables = Tables {
            program: Program {
                files: files.map(Box::from).collect(),
                ..Program::default()
            },
            names: FxHashMap::default(),
            texts: FxHashMap::default(),
            ints: FxHashMap::default(),
            floats: FxHashMap::default(),
            builtins: FxHashMap::default(),
            known: FxHashMap::default(),
        };
        for name in WELL_KNOWN {
            tables.name(name);
        }
        tables
    }

    pub fn name(&mut self, text: &str) -> NameId {
        if let Some(name) = self.names.get(text) {
            return *name;
        }
        let name = self.program.names.len() as NameId;
        self.program.names.push(text.into());
        self.names.insert(text.into(), name);
        name
    }

    pub fn text(&mut self, text: &str) -> u32 {
        if let Some(index) = self.texts.get(text) {
            return *index;
        }
        let index = self.constant(Constant::Str(text.into()));
        self.texts.insert(text.into(), index);
        index
    }

    pub fn int(&mut self, value: i64) -> u32 {
        match self.ints.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                *place.insert(push(&mut self.program.constants, Constant::Int(value)))
            }
        }
    }

    pub fn float(&mut self, value: f64) -> u32 {
        match self.floats.entry(value.to_bits()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                *place.insert(push(&mut self.program.constants, Constant::Float(value)))
            }
        }
    }

    fn constant(&mut self, constant: Constant) -> u32 {
        push(&mut self.program.constants, constant)
    }

    /// A new global.
    pub fn global(&mut self, name: NameId) -> GlobalId {
        push(&mut self.program.globals, name)
    }

    pub fn path(&mut self, path: Path) -> u32 {
        push(&mut self.program.paths, path)
    }

    pub fn call_site(&mut self, args: Vec<ArgKind>) -> u32 {
        push(&mut self.program.call_sites, CallSite { args })
    }

    pub fn variant_site(&mut self, site: VariantSite) -> u32 {
        match self
            .program
            .variant_sites
            .iter()
            .take(SEARCHED)
            .position(|known| *known == site)
        {
            Some(index) => index as u32,
            None => push(&mut self.program.variant_sites, site),
        }
    }

    /// What the runtime knows of a built-in that programs can name.
    pub fn known(&mut self, name: &str) -> Option<Known> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let found = builtins::find(name);
        let known = found
            .filter(|builtin| !builtin.hidden)
            .map(|builtin| Known {
                name: builtin.name,
                runs_code: builtin.effects.runs_code,
                is_pure: builtin.effects.pure,
            });
        self.known.insert(name.into(), known);
        known
    }

    /// Whether `x = name(x, …)` is worth doing in place.
    pub fn works_in_place(&mut self, name: &str) -> bool {
        IN_PLACE.contains(&name) && self.known(name).is_some_and(|known| !known.runs_code)
    }

    /// The number of a built-in that the program refers to.
    pub fn builtin(&mut self, name: &str) -> BuiltinId {
        if let Some(builtin) = self.builtins.get(name) {
            return *builtin;
        }
        let builtin = push(&mut self.program.builtins, Box::from(name));
        self.builtins.insert(name.into(), builtin);
        builtin
    }

    /// A method that is called by this name may turn out to be a method form
    /// of a built-in, so the program must carry that built-in.
    pub fn method(&mut self, name: &str) -> NameId {
        for form in forms(name) {
            if builtins::find(form.builtin).is_some() {
                self.builtin(form.builtin);
            }
        }
        self.name(name)
    }

    /// The value of a built-in that is no function.
    pub fn builtin_constant(&self, name: &str) -> Option<f64> {
        builtins::CONSTANTS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

/// Sites that are searched for an equal one; programs with more than these
/// have some twice.
const SEARCHED: usize = 64;

fn push<T>(table: &mut Vec<T>, row: T) -> u32 {
    let index = table.len() as u32;
    table.push(row);
    index
}
