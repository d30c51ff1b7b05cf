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
mod variable;

use crate::diagnostic::Diagnostic;
use crate::resolve::{self, FunctionIndex, HoistIndex, Options, Resolved};
use crate::source::SourceMap;
use crate::syntax::ast;
use emit::{Frame, Lines};
use function::Waiting;
use ruff_runtime::bytecode::{FunctionId, Program};
use rustc_hash::FxHashMap;
use tables::Tables;

/// Lowers a program, or says what it may not do although it parses.
pub fn lower(program: &ast::Program, sources: &SourceMap) -> Result<Program, Vec<Diagnostic>> {
    let resolved = resolve::resolve(program, Options::default())?;
    let file = sources.file(program.span.file);
    let (ids, indexes) = number_functions(&resolved);
    let mut lowerer = Lowerer {
        ids,
        indexes,
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
    while let Some(waiting) = lowerer.waiting.pop() {
        lowerer.function(waiting);
    }
    let mut program = lowerer.tables.program;
    ownership::find_last_uses(&mut program);
    Ok(program)
}

struct Lowerer<'a> {
    resolved: &'a Resolved,
    tables: Tables,
    lines: Lines<'a>,
    /// The function that is being lowered.
    frame: Frame,
    /// Numbers of functions; dead ones have none.
    ids: Vec<Option<FunctionId>>,
    /// The other way round.
    indexes: Vec<FunctionIndex>,
    /// Slots of variables in their functions.
    slots: Vec<u32>,
    /// Numbers of struct declarations.
    declarations: FxHashMap<HoistIndex, u32>,
    /// Functions whose makers were lowered.
    waiting: Vec<Waiting<'a>>,
}

const NO_SLOT: u32 = u32::MAX;

fn number_functions(resolved: &Resolved) -> (Vec<Option<FunctionId>>, Vec<FunctionIndex>) {
    let mut ids = vec![None; resolved.functions.len()];
    let mut indexes = Vec::new();
    for (index, function) in resolved.functions.iter().enumerate() {
        if !function.is_dead {
            ids[index] = Some(indexes.len() as FunctionId);
            indexes.push(FunctionIndex(index as u32));
        }
    }
    (ids, indexes)
}

impl Lowerer<'_> {
    /// The number of a function that is not dead.
    fn id(&self, function: FunctionIndex) -> FunctionId {
        self.ids[function.0 as usize].expect("only functions that can run are made")
    }

    fn globals(&mut self) {
        self.tables
            .program
            .functions
            .resize_with(self.indexes.len(), Default::default);
        for variable in &self.resolved.globals {
            let name = self.resolved.text(self.resolved.variables[*variable].name);
            let name = self.tables.name(name);
            let global = self.tables.program.globals.len() as u32;
            self.tables.program.globals.push(name);
            self.slots[variable.0 as usize] = global;
        }
    }
}
