//! What is known of imported names before the program runs.
//!
//! An import sets a variable to what a module exports.  Where that is always
//! the same function, calls can be direct; where only exports of a module are
//! used, nobody needs the module as a value.  What remains are the exports
//! whose values have to be kept for importers.

use super::bind::MemberUse;
use super::index::{Symbol, UnitIndex, VariableIndex};
use super::{Alias, HoistItem, Imported, Known, Resolved, Target};
use rustc_hash::{FxHashMap, FxHashSet};

pub(super) fn link(resolved: &mut Resolved, member_uses: &[MemberUse]) {
    if resolved.imports.is_empty() {
        return;
    }
    let mut known = KnownExports::default();
    for unit in 0..resolved.units.len() as u32 {
        let unit = UnitIndex(unit);
        for number in 0..resolved.units[unit].exports.len() as u32 {
            let found = known.find(resolved, unit, number);
            resolved.units[unit].exports[number as usize].known = found;
        }
    }
    find_aliases(resolved, member_uses);
    find_wanted(resolved, member_uses);
}

/// What exports certainly are, as far as it was asked for.
#[derive(Default)]
struct KnownExports(FxHashMap<(UnitIndex, u32), Option<Known>>);

impl KnownExports {
    /// What an export certainly is, through any number of modules that pass it on.
    fn find(&mut self, resolved: &Resolved, unit: UnitIndex, number: u32) -> Option<Known> {
        let mut passed_on = Vec::new();
        let mut next = Some((unit, number));
        let mut found = None;
        while let Some(export) = next {
            if let Some(known) = self.0.get(&export) {
                found = *known;
                break;
            }
            // Modules that pass a name on in a circle never get to it.
            self.0.insert(export, None);
            passed_on.push(export);
            (found, next) = known_here(resolved, export);
        }
        for export in passed_on {
            self.0.insert(export, found);
        }
        found
    }
}

/// What an export certainly is, or the export that it passes on.
fn known_here(
    resolved: &Resolved,
    (unit, number): (UnitIndex, u32),
) -> (Option<Known>, Option<(UnitIndex, u32)>) {
    let export = &resolved.units[unit].exports[number as usize];
    let Some(used) = export.used else {
        return (None, None);
    };
    let [variable] = *resolved.candidates(used) else {
        return (None, None);
    };
    // A declaration is there wherever the module ends.
    match resolved.variables[variable].declared_by {
        Some(hoist) => match resolved.hoists[hoist].item {
            HoistItem::Function(_) => {}
            HoistItem::Struct(_) => return (Some(Known::Struct(hoist)), None),
            HoistItem::Enum => return (None, None),
        },
        None if !used.is_certain => return (None, None),
        None => {}
    }
    match resolved.only_function(variable) {
        Some(function) => {
            let is_plain = resolved.functions[function].captures.is_empty();
            (is_plain.then_some(Known::Function(function)), None)
        }
        None => (None, source(resolved, variable)),
    }
}

/// The export that is a variable's only value.
fn source(resolved: &Resolved, variable: VariableIndex) -> Option<(UnitIndex, u32)> {
    only_import(resolved, variable, |unit, imported| match imported {
        Imported::Export(number) => Some((unit, number)),
        Imported::Module | Imported::Missing(_) => None,
    })
}

/// The module that is a variable's only value.
fn module_of(resolved: &Resolved, variable: VariableIndex) -> Option<UnitIndex> {
    only_import(resolved, variable, |unit, imported| match imported {
        Imported::Module => Some(unit),
        Imported::Export(_) | Imported::Missing(_) => None,
    })
}

/// What a variable is set to, if only imports set it, and all to the same.
fn only_import<T: PartialEq>(
    resolved: &Resolved,
    variable: VariableIndex,
    wanted: impl Fn(UnitIndex, Imported) -> Option<T>,
) -> Option<T> {
    let imports = resolved.imported.get(&variable)?;
    if resolved.variables[variable].writes as usize != imports.len() {
        return None;
    }
    let mut found = imports.iter().map(|(import, imported)| {
        let Target::Unit(unit) = resolved.imports[*import].target else {
            return None;
        };
        wanted(unit, *imported)
    });
    let first = found.next()??;
    found
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

fn find_aliases(resolved: &mut Resolved, member_uses: &[MemberUse]) {
    let copied: FxHashSet<VariableIndex> = resolved
        .functions
        .iter()
        .flat_map(|function| function.snapshots.iter().map(|(original, _)| *original))
        .collect();
    let mut needs_value: FxHashSet<VariableIndex> = FxHashSet::default();
    for used in member_uses {
        let export = module_of(resolved, used.variable)
            .and_then(|unit| export_named(resolved, unit, used.member).map(|found| (unit, found)));
        let is_enough = export.is_some_and(|(unit, number)| {
            let known = resolved.units[unit].exports[number as usize].known;
            !used.is_called || matches!(known, Some(Known::Function(_)))
        });
        if !is_enough {
            needs_value.insert(used.variable);
        }
    }
    for index in 0..resolved.variables.len() as u32 {
        let variable = VariableIndex(index);
        let known = source(resolved, variable)
            .and_then(|(unit, number)| resolved.units[unit].exports[number as usize].known);
        let module = module_of(resolved, variable);
        let scope = resolved.variables[variable].scope;
        let is_global = resolved.is_module_scope(scope);
        let row = &mut resolved.variables[variable];
        // What a function captures is a value.
        let is_taken_along = !is_global && (row.is_captured || copied.contains(&variable));
        match known {
            Some(Known::Function(function)) if !is_taken_along => {
                row.alias = Some(Alias::Function(function));
            }
            Some(Known::Function(_)) => {}
            Some(Known::Struct(hoist)) => row.imported_struct = Some(hoist),
            None => {
                row.alias = module
                    .filter(|_| !row.is_value_used && !is_taken_along)
                    .filter(|_| !needs_value.contains(&variable))
                    .map(Alias::Module);
            }
        }
    }
}

fn export_named(resolved: &Resolved, unit: UnitIndex, name: Symbol) -> Option<u32> {
    let exports = &resolved.units[unit].exports;
    let found = exports.iter().position(|export| export.name == name);
    found.map(|number| number as u32)
}

/// Finds the exports whose values somebody wants.
fn find_wanted(resolved: &mut Resolved, member_uses: &[MemberUse]) {
    let mut wanted: Vec<(UnitIndex, u32)> = Vec::new();
    for import in &resolved.imports {
        let Target::Unit(unit) = import.target else {
            continue;
        };
        for binding in &import.bindings {
            let row = &resolved.variables[binding.variable];
            match binding.imported {
                _ if !row.is_used || row.alias.is_some() => {}
                Imported::Export(number) => wanted.push((unit, number)),
                Imported::Module => {
                    let count = resolved.units[unit].exports.len() as u32;
                    wanted.extend((0..count).map(|number| (unit, number)));
                }
                Imported::Missing(_) => {}
            }
        }
    }
    for used in member_uses {
        if let Some(Alias::Module(unit)) = resolved.variables[used.variable].alias {
            let number = export_named(resolved, unit, used.member);
            wanted.extend(number.map(|number| (unit, number)));
        }
    }
    for (unit, number) in wanted {
        resolved.units[unit].exports[number as usize].is_wanted = true;
    }
}

impl Resolved {
    /// The module that a variable holds once it is set, if it is that and
    /// nothing else.
    pub fn module_of(&self, variable: VariableIndex) -> Option<UnitIndex> {
        module_of(self, variable)
    }

    /// The number of a module's export.
    pub fn export_named(&self, unit: UnitIndex, name: &str) -> Option<u32> {
        let exports = &self.units[unit].exports;
        let found = exports
            .iter()
            .position(|export| **self.text(export.name) == *name);
        found.map(|number| number as u32)
    }
}
