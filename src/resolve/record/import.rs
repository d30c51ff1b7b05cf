//! Imports and exports.

use super::{NEVER, Recorder};
use crate::resolve::index::{ImportIndex, Symbol};
use crate::resolve::tape::{Event, Mention};
use crate::resolve::{Export, FunctionKind, Import, ImportKind, Target};
use crate::syntax::ast::{self, *};

impl Recorder {
    pub(super) fn import(&mut self, import: &ast::Import, offset: u32) {
        if self.frame.is_dead {
            return;
        }
        let (path, kind) = match import {
            ast::Import::Module { path, alias, .. } => {
                let Some(name) = alias.as_ref().or(path.last()) else {
                    return;
                };
                (path, ImportKind::Module(self.intern(&name.text)))
            }
            ast::Import::Symbols { path, symbols, .. } => {
                let pairs = symbols
                    .iter()
                    .map(|(name, local)| (self.intern(&name.text), self.intern(&local.text)));
                (path, ImportKind::Symbols(pairs.collect()))
            }
        };
        let segments: Vec<&str> = path.iter().map(|segment| &*segment.text).collect();
        let index = ImportIndex(self.out.imports.len() as u32);
        self.out.imports.push(Import {
            unit: self.unit,
            path: segments.join("."),
            kind,
            // Until it is found.
            target: Target::Failed(Box::default()),
            bindings: Vec::new(),
        });
        let place = self.place_at(offset);
        self.names().import_at.insert(place, index);
        self.push(Event::Import(index));
    }

    /// Notes what the present file exports.
    pub(super) fn exports(&mut self, statements: &[Stmt]) {
        let mut names: Vec<Symbol> = Vec::new();
        for statement in statements {
            if let StmtKind::Export(exported) = &statement.kind {
                for_each_exported(&exported.kind, &mut |name| {
                    names.push(self.intern(name));
                });
            }
        }
        let mut seen = rustc_hash::FxHashSet::default();
        names.retain(|name| seen.insert(*name));
        self.names().exports = names.into_iter().map(Export::new).collect();
    }

    /// The present file has come to its end: its exports are read, and can be
    /// called from now on.
    pub(super) fn take_exports(&mut self) {
        let unit = self.unit;
        self.mention_exports();
        for number in 0..self.names().exports.len() as u32 {
            self.push(Event::Export { unit, number });
        }
    }

    /// Control may leave the function here.  If that ends a file, tests run and
    /// importers can call what it exports although the rest of it never runs.
    pub(super) fn may_end(&mut self) {
        let kind = self.out.functions[self.frame.function].kind;
        if kind == FunctionKind::TopLevel && self.names().first_end == NEVER {
            self.names().first_end = self.now();
            self.mention_exports();
        }
    }

    fn mention_exports(&mut self) {
        let (by, at) = (self.frame.function, self.now());
        let top_level = self.out.functions[by].scope;
        for number in 0..self.names().exports.len() {
            let name = self.names().exports[number].name;
            let Some(hoists) = self.visible.get(&name) else {
                continue;
            };
            for hoist in hoists {
                if self.out.hoists[*hoist].scope == top_level {
                    let hoist = *hoist;
                    self.out.mentions.push(Mention { hoist, by, at });
                }
            }
        }
    }
}

/// Calls `found` with every name that an exported statement binds.
fn for_each_exported(kind: &StmtKind, found: &mut impl FnMut(&std::sync::Arc<str>)) {
    match kind {
        StmtKind::Binding { pattern, .. } | StmtKind::Destructure { pattern, .. } => {
            super::pattern::for_each_name(pattern, &mut |name| found(&name.text));
        }
        StmtKind::Assign { place, .. } | StmtKind::CompoundAssign { place, .. } => {
            found(&place.root.text);
        }
        StmtKind::Func(func) => func.name.iter().for_each(|name| found(&name.text)),
        StmtKind::Struct(declaration) => found(&declaration.name.text),
        StmtKind::Enum(declaration) => found(&declaration.name.text),
        StmtKind::Expr(expr) => {
            if let ExprKind::Name(name) = &expr.kind {
                found(name);
            }
        }
        StmtKind::Import(_)
        | StmtKind::Export(_)
        | StmtKind::If(_)
        | StmtKind::While { .. }
        | StmtKind::For { .. }
        | StmtKind::CFor { .. }
        | StmtKind::Match(_)
        | StmtKind::Try { .. }
        | StmtKind::Return(_)
        | StmtKind::Break
        | StmtKind::Continue
        | StmtKind::Test(_)
        | StmtKind::Block(_) => {}
    }
}
