//! What is known about each declared struct: what its fields hold, and whether
//! its instances all look alike.

use super::readers::Known;
use super::{Analysis, Facts, Tags, Type, transfer};
use ruff_runtime::bytecode::{Program, StructSite};
use ruff_runtime::names::NameId;
use rustc_hash::FxHashMap;

/// What is known about a declared struct.
#[derive(Clone, Debug, Default)]
pub struct StructFacts {
    /// What its declared fields hold, as long as it is regular.
    pub fields: Vec<Type>,
    /// Every instance has exactly the declared fields, all of them set.
    pub is_regular: bool,
    /// Its methods and defaults capture nothing, so that it makes no difference
    /// which evaluation of the declaration an instance comes from.
    pub is_closed: bool,
}

/// What is known before anything was seen that says otherwise.
pub(super) fn at_first(program: &Program) -> Vec<StructFacts> {
    let captures_nothing = |func: u32| program.functions[func as usize].captures.is_empty();
    // One declaration that was written down in several places has several
    // numbers, and a literal may know another one than its value has.
    let mut numbers: FxHashMap<(NameId, &[NameId]), u32> = FxHashMap::default();
    for info in &program.structs {
        *numbers.entry((info.name, &info.fields)).or_default() += 1;
    }
    let facts = program.structs.iter().map(|info| {
        let methods = info.methods.iter().map(|(_, func)| *func);
        let defaults = info.defaults.iter().map(|(_, func)| *func);
        StructFacts {
            fields: vec![Type::NONE; info.fields.len()],
            is_regular: numbers[&(info.name, &info.fields[..])] == 1,
            is_closed: methods.chain(defaults).all(captures_nothing),
        }
    });
    facts.collect()
}

/// Where the declarations have their fields.
pub(super) fn positions(program: &Program) -> FxHashMap<(u32, NameId), usize> {
    let mut positions = FxHashMap::default();
    for (declaration, info) in (0u32..).zip(&program.structs) {
        for (position, name) in info.fields.iter().enumerate() {
            positions.insert((declaration, *name), position);
        }
    }
    positions
}

impl Facts {
    /// What a field of that name can hold in a struct that may be `object`.
    pub fn field_of(&self, object: Type, name: NameId) -> Type {
        let known = object.declaration().and_then(|declaration| {
            let position = self.position(declaration, name)?;
            Some(self.structs[declaration as usize].fields[position])
        });
        known.unwrap_or_else(|| self.field(name))
    }

    /// Where a field is in each instance of a regular struct.
    pub fn position(&self, declaration: u32, name: NameId) -> Option<usize> {
        let is_regular = self.structs[declaration as usize].is_regular;
        let positions = self.positions.get(&(declaration, name));
        positions.copied().filter(|_| is_regular)
    }
}

/// The declared structs as a whole.
#[derive(Debug)]
pub(super) struct Declarations {
    /// Those that have a field of that name.
    with_field: FxHashMap<NameId, Vec<u32>>,
    /// Those that are regular as far as is known.
    regular: Vec<u32>,
    /// What was stored to fields of that name, so many levels down, in structs
    /// of which nobody knows which they are.
    stored_anywhere: FxHashMap<(NameId, usize), Type>,
}

impl Declarations {
    pub(super) fn new(program: &Program) -> Declarations {
        let mut with_field: FxHashMap<NameId, Vec<u32>> = FxHashMap::default();
        for (declaration, info) in (0..).zip(&program.structs) {
            for name in &info.fields {
                with_field.entry(*name).or_default().push(declaration);
            }
        }
        Declarations {
            with_field,
            regular: (0..program.structs.len() as u32).collect(),
            stored_anywhere: FxHashMap::default(),
        }
    }
}

impl Analysis<'_> {
    /// What `object.name` gives as far as is known yet; methods aside.
    pub(super) fn field_of(&mut self, object: Type, name: NameId) -> Type {
        if object.may_be(Tags::STRUCT) {
            let declaration = object.declaration();
            if let Some(declaration) = declaration {
                self.read(Known::Struct(declaration));
            }
            if declaration.is_none_or(|known| self.facts.position(known, name).is_none()) {
                self.read(Known::Field(name));
            }
        }
        transfer::field_of(&self.facts, object, name)
    }

    /// Lets a field of what may be `object` hold more, `depth` levels down.  An
    /// instance without a field of that name gets one.
    pub(super) fn join_field_of(&mut self, object: Type, name: NameId, depth: usize, more: Type) {
        let mut known = self.facts.field(name);
        known.join_contents(depth, more);
        self.join_field(name, known);
        if !object.may_be(Tags::STRUCT) {
            return;
        }
        match object.declaration() {
            Some(declaration) => self.join_declared(declaration, name, depth, more),
            None if self.facts.is_open() => {}
            None => self.join_all_declared(name, depth, more),
        }
    }

    /// Lets the field of that name hold more in all structs.
    fn join_all_declared(&mut self, name: NameId, depth: usize, more: Type) {
        let stored = &mut self.declarations.stored_anywhere;
        if !stored.entry((name, depth)).or_default().join(more) {
            return;
        }
        let with_field = self.declarations.with_field.get(&name);
        for declaration in with_field.cloned().unwrap_or_default() {
            self.join_declared(declaration, name, depth, more);
        }
        if depth == 0 {
            for declaration in std::mem::take(&mut self.declarations.regular) {
                self.join_declared(declaration, name, depth, more);
                if self.facts.structs[declaration as usize].is_regular {
                    self.declarations.regular.push(declaration);
                }
            }
        }
    }

    fn join_declared(&mut self, declaration: u32, name: NameId, depth: usize, more: Type) {
        if !self.facts.structs[declaration as usize].is_regular {
            return;
        }
        let Some(position) = self.facts.position(declaration, name) else {
            // What lies in a field that is not there can't be changed.
            if depth == 0 && !more.is_none() {
                self.is_irregular(declaration);
            }
            return;
        };
        let known = &mut self.facts.structs[declaration as usize].fields[position];
        let before = *known;
        known.join_contents(depth, more);
        if *known != before {
            self.has_changed(Known::Struct(declaration));
        }
    }

    fn is_irregular(&mut self, declaration: u32) {
        let facts = &mut self.facts.structs[declaration as usize];
        if std::mem::take(&mut facts.is_regular) {
            self.has_changed(Known::Struct(declaration));
        }
    }

    /// Takes account of a struct literal: the declaration's value, if there is
    /// one, and the fields' values.
    pub(super) fn note_instance(&mut self, site: &StructSite, def: Option<&Type>, values: &[Type]) {
        for (field, value) in site.fields.iter().zip(values) {
            self.join_field(*field, *value);
        }
        let Some(def) = def else { return };
        if values.iter().any(|value| value.is_none()) || def.is_none() {
            // It is not known yet, or never happens.
            return;
        }
        let declarations = match site.declaration {
            Some(declaration) => declaration..declaration + 1,
            None => 0..self.facts.structs.len() as u32,
        };
        for declaration in declarations {
            let is_whole = self.gives_all(declaration, site) && def.is(Tags::STRUCT_DEF);
            for (field, value) in site.fields.iter().zip(values) {
                self.join_declared(declaration, *field, 0, *value);
            }
            if !is_whole {
                self.is_irregular(declaration);
            }
        }
    }

    /// Whether an instance made there has all declared fields.
    fn gives_all(&self, declaration: u32, site: &StructSite) -> bool {
        let info = &self.program.structs[declaration as usize];
        let has_default =
            |position: usize| info.defaults.iter().any(|(at, _)| *at as usize == position);
        (0..info.fields.len()).all(|at| site.fields.contains(&info.fields[at]) || has_default(at))
    }
}
