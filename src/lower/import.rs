//! Imports and exports.
//!
//! A module's top level is a function that `Import` runs unless that was done.
//! At its end it puts the values of its exports into globals, and whoever
//! imports takes them from there.  A module as a value is a struct of its
//! exports, made only where somebody wants it.

use super::Lowerer;
use crate::resolve::{Alias, Binding, FunctionIndex, Imported, Known, SCRIPT, Target, UnitIndex};
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{ModuleInfo, Op, StructSite};

impl<'a> Lowerer<'a> {
    /// Fills the table of modules, and finds places for their exports.
    pub(super) fn module_table(&mut self) {
        for unit in (1..self.modules.len() as u32).map(UnitIndex) {
            let resolved = self.resolved;
            let text = &self.modules[unit.0 as usize].name;
            let name = self.tables.name(text);
            let state_name = self.tables.name(&format!("<{text}>"));
            let state = self.tables.global(state_name);
            let mut unsure = Vec::new();
            for (export, number) in resolved.units[unit].exports.iter().zip(0..) {
                if !export.needs_place() {
                    continue;
                }
                let global = self.global(unit, export.name);
                self.exports.insert((unit, number), global);
                if export.is_unsure() {
                    let name = self.tables.name(resolved.text(export.name));
                    unsure.push((name, global));
                }
            }
            let body = self.id(resolved.units[unit].top_level);
            self.tables.program.modules.push(ModuleInfo {
                name,
                body,
                state,
                unsure,
            });
        }
    }

    /// The statement that starts at `offset`.
    pub(super) fn import(&mut self, offset: u32) {
        let resolved = self.resolved;
        let import = &resolved.imports[self.names.import_at(self.place_at(offset))];
        let unit = match &import.target {
            Target::Failed(message) => return self.raise(message),
            Target::Unit(unit) => *unit,
        };
        debug_assert_ne!(unit, SCRIPT, "a script that is imported is a module too");
        self.emit(Op::Import { module: unit.0 - 1 });
        for Binding { variable, imported } in &import.bindings {
            if let Imported::Missing(name) = imported {
                let name = resolved.text(*name);
                return self.raise(&format!(
                    "Symbol '{name}' not found in module '{}'",
                    import.path
                ));
            }
            let row = &resolved.variables[*variable];
            if !row.is_used || self.frame.is_unreachable {
                continue;
            }
            match (row.alias, imported) {
                // It only has to be set.
                (Some(_), _) => self.emit(Op::Null {}),
                (None, Imported::Export(number)) => self.load_export(unit, *number),
                (None, Imported::Module | Imported::Missing(_)) => self.module_value(unit),
            }
            self.store(*variable);
        }
    }

    /// Pushes the value of an export of a module that has finished.
    pub(super) fn load_export(&mut self, unit: UnitIndex, number: u32) {
        let export = &self.resolved.units[unit].exports[number as usize];
        let op = match export.known {
            Some(Known::Function(function)) => Op::Function {
                func: self.id(function),
            },
            Some(Known::Struct(_)) | None => Op::LoadGlobal {
                global: self.exports[&(unit, number)],
            },
        };
        self.emit(op);
    }

    /// Pushes a module that has finished: a struct of its exports.
    fn module_value(&mut self, unit: UnitIndex) {
        let exports = &self.resolved.units[unit].exports;
        for number in 0..exports.len() as u32 {
            self.load_export(unit, number);
        }
        let site = match self.module_sites.get(&unit) {
            Some(site) => *site,
            None => {
                let fields = exports
                    .iter()
                    .map(|export| self.tables.name(self.resolved.text(export.name)))
                    .collect();
                let name = self.tables.name(&self.modules[unit.0 as usize].name);
                let sites = &mut self.tables.program.struct_sites;
                sites.push(StructSite {
                    name,
                    fields,
                    has_def: false,
                    declaration: None,
                });
                let site = sites.len() as u32 - 1;
                self.module_sites.insert(unit, site);
                site
            }
        };
        self.emit(Op::MakeStruct { site });
    }

    /// The end of a module: keeps the values of its exports.
    pub(super) fn take_exports(&mut self, unit: UnitIndex) {
        let resolved = self.resolved;
        for (export, number) in resolved.units[unit].exports.iter().zip(0..) {
            let (Some(global), Some(used)) = (self.exports.get(&(unit, number)), export.used)
            else {
                continue;
            };
            let store = Op::StoreGlobal { global: *global };
            let name = resolved.text(export.name);
            self.for_candidates(
                used,
                &mut |lowerer, variable| {
                    lowerer.load(variable);
                    lowerer.emit(store);
                },
                &mut |lowerer| {
                    // Without a value, the import will say so.
                    if lowerer.is_builtin_value(name) {
                        lowerer.read_builtin(name);
                        lowerer.emit(store);
                    }
                },
            );
        }
    }

    /// The export that `object.field` certainly is.
    pub(super) fn member_of_module(
        &mut self,
        object: &Expr,
        field: &Name,
    ) -> Option<(UnitIndex, u32)> {
        let ExprKind::Name(_) = &object.kind else {
            return None;
        };
        let used = self.use_at(object.span.start);
        let [variable] = *self.resolved.candidates(used) else {
            return None;
        };
        let Some(Alias::Module(unit)) = self.resolved.variables[variable].alias else {
            return None;
        };
        let number = self.resolved.export_named(unit, &field.text);
        Some((
            unit,
            number.expect("it is no alias if another member is used"),
        ))
    }

    /// The function that a method call on `object` certainly calls.
    pub(super) fn function_of_module(
        &mut self,
        object: &Expr,
        method: &Name,
    ) -> Option<FunctionIndex> {
        let (unit, number) = self.member_of_module(object, method)?;
        match self.resolved.units[unit].exports[number as usize].known {
            Some(Known::Function(function)) => Some(function),
            Some(Known::Struct(_)) | None => None,
        }
    }
}
