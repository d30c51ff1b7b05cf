//! From the syntax tree to bytecode: the one lowering that all engines share.
//!
//! Names were decided by `resolve`; here is what they and everything else
//! become.  Functions are lowered one after the other, outer ones first, so
//! that a closure finds the slots of the variables that it captures.
//!
//! Code that control cannot reach is never emitted.

mod assign;
mod call;
mod control;
mod emit;
mod expr;
mod function;
mod inspect;
mod matching;
mod ownership;
mod stmt;
mod tables;
mod test;
mod variable;

use crate::diagnostic::Diagnostic;
use crate::resolve::{
    self, FunctionIndex, HoistIndex, Place, Resolved, ScopeIndex, Test, Use, VariableIndex,
};
use crate::source::SourceMap;
use crate::syntax::ast;
use emit::{Frame, Lines};
use function::Waiting;
use ruff_runtime::bytecode::{FunctionId, Program};
use rustc_hash::FxHashMap;
use tables::Tables;

/// Lowers a program, or says what it may not do although it parses.
pub fn lower(program: &ast::Program, sources: &SourceMap) -> Result<Program, Vec<Diagnostic>> {
    lower_with_tests(program, &[], sources).map(|lowered| lowered.program)
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
}

/// Lowers a program and its tests, each of which becomes a function.
pub fn lower_with_tests(
    program: &ast::Program,
    tests: &[Test],
    sources: &SourceMap,
) -> Result<Lowered, Vec<Diagnostic>> {
    let resolved = resolve::resolve_with_tests(program, tests)?;
    let file = sources.file(program.span.file);
    let mut lowerer = Lowerer {
        ids: vec![None; resolved.functions.len()],
        slots: vec![NO_SLOT; resolved.variables.len()],
        declarations: FxHashMap::default(),
        waiting: Vec::new(),
        tables: Tables::new(file.name()),
        lines: Lines::new(file),
        frame: Frame::default(),
        resolved: &resolved,
    };
    lowerer.globals();
    lowerer.top_level(program);
    let tests = lowerer.tests(tests);
    while let Some(waiting) = lowerer.waiting.pop() {
        lowerer.function(waiting);
    }
    let (mut program, ids) = (lowerer.tables.program, lowerer.ids);
    ownership::find_last_uses(&mut program);
    Ok(Lowered {
        program,
        tests,
        resolved,
        ids,
    })
}

struct Lowerer<'a> {
    resolved: &'a Resolved,
    tables: Tables,
    lines: Lines<'a>,
    /// The function that is being lowered.
    frame: Frame,
    /// Numbers of functions, given when somebody refers to them.
    ids: Vec<Option<FunctionId>>,
    /// Slots of variables in their functions.
    slots: Vec<u32>,
    /// Numbers of struct declarations.
    declarations: FxHashMap<HoistIndex, u32>,
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

    /// A place in the copy of the source that is being lowered.
    fn place_at(&self, offset: u32) -> Place {
        let copy = self.resolved.functions[self.frame.function].copy;
        Place { copy, offset }
    }

    fn use_at(&self, offset: u32) -> Use {
        self.resolved.use_at(self.place_at(offset))
    }

    fn binding_at(&self, offset: u32) -> Option<VariableIndex> {
        self.resolved.binding_at(self.place_at(offset))
    }

    fn scope_at(&self, offset: u32) -> ScopeIndex {
        self.resolved.scope_at(self.place_at(offset))
    }

    fn function_at(&self, offset: u32) -> FunctionIndex {
        self.resolved.function_at(self.place_at(offset))
    }

    fn hoist_at(&self, offset: u32) -> HoistIndex {
        self.resolved.hoist_at(self.place_at(offset))
    }

    fn globals(&mut self) {
        for variable in &self.resolved.globals {
            let name = self.resolved.text(self.resolved.variables[*variable].name);
            let name = self.tables.name(name);
            let global = self.tables.program.globals.len() as u32;
            self.tables.program.globals.push(name);
            self.slots[variable.0 as usize] = global;
        }
    }
}
