//! Bytecode to Cranelift IR, one function at a time.
//!
//! The translator never learns whether its result becomes an object file or
//! runs in this process: it yields IR whose callees are named in the spaces of
//! `names`, and `emit` gives those names meaning.  So functions are translated
//! and compiled independently of each other, in threads if one likes.
//!
//! Invariant: the program has passed `bytecode::verify`, and the facts are its
//! own; stack depths, jump targets and types are trusted here.

mod arith;
mod call;
mod callback;
mod callee;
mod character;
mod compare;
mod control;
mod count;
mod data;
pub mod decision;
mod dict;
mod dissolve;
mod export;
mod field;
mod flat;
mod foreign;
mod func;
mod grow;
mod index;
mod inline;
mod iterate;
mod layout;
mod local;
pub(crate) mod memory;
pub mod mirror;
mod mutate;
pub mod names;
mod number;
mod pattern;
mod place;
mod record;
mod row_view;
pub mod signature;
mod stack;
mod store;
mod sum;
mod suspend;
mod text;
mod text_view;
mod unwind;
mod view;
mod walk;
mod words;
mod wrapper;

use crate::infer::Facts;
use crate::interface::{Exported, Exports};
use crate::modules::{Rows, Strangers, Table};
use cranelift_codegen::ir;
use cranelift_codegen::isa::TargetIsa;
use decision::Recorder;
use ruff_runtime::bytecode::{FunctionId, Op, Program};
use signature::Class;

/// Why a function stays bytecode.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsupported {
    /// The instruction that can't be translated.
    pub op: Op,
    pub why: &'static str,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.op.name(), self.why)
    }
}

/// What a translation starts from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub program: &'a Program,
    pub facts: &'a Facts,
    pub isa: &'a dyn TargetIsa,
    /// The same, with a register allocator that can do with large functions.
    pub isa_for_large: &'a dyn TargetIsa,
    /// What is made quickly; `None` where all is to be made alike.
    pub rare: Option<Rare<'a>>,
    pub debug: Debug,
    /// What C sees of it, if it is a library, which runs on its host's stack.
    pub library: Option<&'a Exports>,
    /// What is special about it, if it is a module for many programs.
    pub alone: Option<&'a Alone<'a>>,
    /// Where decisions are written down, if somebody wants to be told.
    pub recorder: Option<&'a Recorder>,
}

/// Functions that hardly run, so that the best code for them is what is soon made.
#[derive(Clone, Copy)]
pub struct Rare<'a> {
    /// By function, whether it is one.
    pub functions: &'a [bool],
    pub isa: &'a dyn TargetIsa,
}

/// A module that becomes machine code before the programs are known that it
/// will be a part of.
pub struct Alone<'a> {
    /// The rows of its tables, whose numbers are looked up.
    pub rows: Rows,
    /// What stands for others in its program.
    pub strangers: &'a Strangers,
}

impl Alone<'_> {
    /// Where a row's number is in the table in which code looks it up.
    pub fn offset(&self, table: Table, number: u32) -> i32 {
        4 * self.rows.place(table, number) as i32
    }
}

/// What debuggers are told about code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Debug {
    #[default]
    Nothing,
    /// Lines, functions and frames, which change nothing.
    Lines,
    /// Variables as well: their mirrors are kept up to date.
    Variables,
}

impl<'a> Source<'a> {
    /// Whether the code may run on a stack of which it knows nothing.
    fn is_hosted(self) -> bool {
        self.library.is_some() || self.alone.is_some()
    }

    /// The code generator for a function that hardly runs; `None` for all others.
    pub fn isa_for_rare(self, func: FunctionId) -> Option<&'a dyn TargetIsa> {
        let is_rare = |rare: &Rare| rare.functions[func as usize];
        self.rare.filter(is_rare).map(|rare| rare.isa)
    }

    /// Whether a function only stands for another module's.
    pub fn is_strange(self, func: FunctionId) -> bool {
        let alone = self.alone;
        alone.is_some_and(|alone| alone.strangers.functions[func as usize])
    }

    /// The class of a function's parameter.
    fn param_class(self, func: FunctionId, param: usize) -> signature::Class {
        signature::class_of(self.facts, self.facts.param(func, param))
    }

    /// Whether a body leaves an argument to whoever calls it.
    fn borrows(self, func: FunctionId, param: usize) -> bool {
        let is_object = match self.param_class(func, param) {
            Class::Object(_) | Class::Dynamic => true,
            Class::Sum(sum) => {
                let carried = self.facts.param(func, param).contents();
                sum.is_counted && carried.may_be_counted()
            }
            Class::Null
            | Class::Int
            | Class::Float
            | Class::Bool
            | Class::Character
            | Class::Record(_) => false,
        };
        is_object && self.facts.is_borrowed(func, param)
    }
}

/// Translates a function's body, with the signature of `signature::direct`.
///
/// # Errors
/// The first instruction that can't be translated.
pub fn translate(source: Source, func: FunctionId) -> Result<ir::Function, Unsupported> {
    let is_generator = source.program.functions[func as usize]
        .info
        .flags
        .is_generator;
    let start = if is_generator {
        func::Start::Resume
    } else {
        func::Start::Call
    };
    func::translate(source, func, start)
}

/// Translates a function for a frame of the interpreter that continues at the
/// `LoopHead` with this number; the signature is `signature::generic`'s, with
/// the frame's slots in place of the arguments.
///
/// # Errors
/// The first instruction that can't be translated.
pub fn translate_loop(
    source: Source,
    func: FunctionId,
    number: u32,
) -> Result<ir::Function, Unsupported> {
    func::translate(source, func, func::Start::Loop(number))
}

/// Makes the generic entry of a translated function: arguments in memory, the
/// result in two words.
pub fn generic_entry(source: Source, func: FunctionId) -> ir::Function {
    wrapper::generic_entry(source, func)
}

/// Makes what direct callers of a function kept as bytecode jump to: it goes
/// through the function object's entry.
pub fn bytecode_shim(source: Source, func: FunctionId) -> ir::Function {
    wrapper::bytecode_shim(source, func)
}

/// Makes the C function of the exported one with this number.
pub fn export(source: Source, number: u32) -> ir::Function {
    export::translate(source, number)
}

/// The signature of an exported function in C.
pub fn exported_signature(isa: &dyn TargetIsa, exported: &Exported) -> ir::Signature {
    export::signature(isa, exported)
}
