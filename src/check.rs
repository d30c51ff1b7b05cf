//! What `ruffc check` warns of in a program that is valid.
//!
//! A warning is about something that is certainly so: a name that nothing can
//! define, operands for which an operator always fails, code that nothing
//! reaches.  What may be right, somehow, is left alone; so is what only looks
//! unusual.
//!
//! Each pass is a file and knows nothing of the others.  Those that are about
//! names and structure walk the syntax tree (`walk`) and ask `resolve`; those
//! about types (`types`, `annotations`) are shown the bytecode with the
//! operand types that `infer` has found for the whole program.

mod annotations;
mod arity;
mod clauses;
mod exports;
mod foreign;
mod names;
mod places;
mod reach;
mod types;
mod unused;
mod walk;

pub use foreign::foreign_calls;

use crate::diagnostic::Diagnostic;
use crate::infer;
use crate::lower::Lowered;
use crate::resolve::{Place, SCRIPT, Test, Unit};
use crate::source::SourceMap;
use crate::syntax::ast;
use places::Places;

/// What the passes are given.
struct Checked<'a> {
    tree: &'a ast::Program,
    tests: &'a [Test<'a>],
    lowered: &'a Lowered,
    sources: &'a SourceMap,
}

impl<'a> Checked<'a> {
    /// What the tokens of the script stand for; modules are not checked.
    fn names(&self) -> &'a Unit {
        &self.lowered.resolved.units[SCRIPT]
    }
}

/// The warnings for a script in a verified program, in the order of the source.
pub fn warnings(
    tree: &ast::Program,
    tests: &[Test],
    lowered: &Lowered,
    sources: &SourceMap,
) -> Vec<Diagnostic> {
    let checked = Checked {
        tree,
        tests,
        lowered,
        sources,
    };
    let mut found = Vec::new();
    names::check(&checked, &mut found);
    exports::check(&checked, &mut found);
    arity::check(&checked, &mut found);
    reach::check(&checked, &mut found);
    clauses::check(&checked, &mut found);
    unused::check(&checked, &mut found);

    let places = Places::new(&checked);
    let annotated = annotations::collect(&checked);
    infer::walk(&lowered.program, &mut |facts, func, pc, stack| {
        if let Some(span) = places.of_instruction(&lowered.program, func, pc) {
            let instruction = types::Instruction {
                program: &lowered.program,
                facts,
                func,
                op: lowered.program.functions[func as usize].code[pc as usize],
                stack,
                span,
            };
            found.extend(types::check(&instruction));
            found.extend(annotations::check(&annotated, &instruction));
        }
    });
    in_order(found)
}

/// In the order of the source, each once: what tests share is part of them all.
fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by_key(|one| (one.span.map(|span| (span.start, span.end)), one.code.text()));
    found.dedup();
    found
}

/// A place in a copy of the source.
fn place(copy: u32, span: crate::source::Span) -> Place {
    Place {
        copy,
        offset: span.start,
    }
}
