//! Declarations of C functions: each is a function that calls it.

use super::Lowerer;
use crate::syntax::ast::{Foreign, Func, Type, TypeKind};
use ruff_runtime::bytecode::{ForeignSite, ForeignType, Op};

impl Lowerer<'_> {
    /// The body of a declaration: hands the parameters on, returns the result.
    pub(super) fn foreign(&mut self, func: &Func, declared: &Foreign) {
        let name = func.name.as_ref().map_or("", |name| &name.text);
        let site = ForeignSite {
            name: name.into(),
            symbol: declared.symbol.as_deref().unwrap_or(name).into(),
            library: declared.library.as_deref().map(Into::into),
            params: func
                .params
                .iter()
                .map(|param| of(param.annotation.as_ref()))
                .collect(),
            result: of(func.result.as_ref()),
        };
        let sites = &mut self.tables.program.foreign_sites;
        let number = sites.len() as u32;
        sites.push(site);
        for slot in 0..func.params.len() as u32 {
            self.emit(Op::LoadLocal { slot });
        }
        self.emit(Op::CallForeign { site: number });
        self.emit(Op::Return {});
    }
}

/// The C type of an annotation, which `resolve` has found to name one.
fn of(annotation: Option<&Type>) -> ForeignType {
    match annotation.map(|ty| &ty.kind) {
        Some(TypeKind::Name(name)) => ForeignType::named(name).unwrap_or(ForeignType::Null),
        _ => ForeignType::Null,
    }
}
