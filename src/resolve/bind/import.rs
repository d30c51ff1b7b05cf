//! What imports bind, and what exports mean.

use super::merge::State;
use super::{Binder, MemberUse};
use crate::resolve::index::{ImportIndex, Symbol, UnitIndex, VariableIndex};
use crate::resolve::record::NEVER;
use crate::resolve::{Binding, ImportKind, Imported, Mutability, Place, Target, Use};

impl Binder {
    pub(super) fn import(&mut self, index: ImportIndex) {
        let import = &self.out.imports[index];
        let exports = match import.target {
            Target::Unit(unit) => &self.out.units[unit].exports[..],
            Target::Failed(_) => &[],
        };
        let export = |name: Symbol| exports.iter().position(|export| export.name == name);
        let mut wanted: Vec<(Symbol, Imported)> = Vec::new();
        match &import.kind {
            ImportKind::Module(local) => {
                let all = exports.iter().zip(0..);
                wanted.extend(all.map(|(export, number)| (export.name, Imported::Export(number))));
                if export(*local).is_none() {
                    wanted.push((*local, Imported::Module));
                }
            }
            ImportKind::Symbols(symbols) => {
                let bound = |(name, local): &(Symbol, Symbol)| match export(*name) {
                    Some(number) => (*local, Imported::Export(number as u32)),
                    None => (*local, Imported::Missing(*name)),
                };
                wanted.extend(symbols.iter().map(bound));
            }
        }
        let bindings = wanted
            .into_iter()
            .map(|(name, imported)| Binding {
                variable: self.bind_imported(name, index, imported),
                imported,
            })
            .collect();
        self.out.imports[index].bindings = bindings;
    }

    /// The variable that an import sets.  It replaces whatever its scope holds
    /// under that name, so from now on it is found before an immutable one.
    fn bind_imported(
        &mut self,
        name: Symbol,
        import: ImportIndex,
        imported: Imported,
    ) -> VariableIndex {
        let variable = self.variable(self.scope, name, Mutability::Mutable);
        if let Some(held) = self.holds.get_mut(&(self.scope, name)) {
            held.retain(|one| *one != variable);
            held.insert(0, variable);
        }
        let row = &mut self.out.variables[variable];
        row.writes += 1;
        row.literal = None;
        row.is_module |= matches!(imported, Imported::Module);
        let known = self.out.imported.entry(variable).or_default();
        known.push((import, imported));
        self.set_state(variable, State::Set);
        variable
    }

    /// What an export means when its module has finished.
    pub(super) fn export(&mut self, unit: UnitIndex, number: u32) {
        let name = self.out.units[unit].exports[number as usize].name;
        let (mut found, mut is_certain) = self.lookup(name);
        if self.out.units[unit].first_end != NEVER {
            // At an early end other variables may be set than at the last one.
            is_certain = false;
            found = self
                .holds
                .get(&(self.scope, name))
                .cloned()
                .unwrap_or_default();
            for variable in &found {
                self.note_use(*variable, State::Maybe);
            }
        }
        self.note_value_use(&found);
        let start = self.out.candidates.len() as u32;
        let count = found.len() as u32;
        self.out.candidates.extend(found);
        self.out.units[unit].exports[number as usize].used = Some(Use {
            start,
            count,
            is_certain,
            creates: None,
        });
    }

    /// A use of one member of a variable, which needs no module as a value if
    /// that is what the variable certainly holds.
    pub(super) fn note_member_use(
        &mut self,
        found: &[VariableIndex],
        offset: u32,
        member: Symbol,
        is_called: bool,
    ) {
        let row = &self.out.functions[self.current];
        let (unit, copy) = (row.unit, row.copy);
        let place = Place { copy, offset };
        match *found {
            [variable] if self.out.units[unit].use_at(place).is_certain => {
                if self.out.variables[variable].is_module {
                    self.member_uses.push(MemberUse {
                        variable,
                        member,
                        is_called,
                    });
                }
            }
            _ => self.note_value_use(found),
        }
    }
}
