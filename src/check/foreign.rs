//! Calls of C functions with arguments that can't be what is declared.  C would
//! make something of them, so these are errors.

use crate::diagnostic::{Code, Diagnostic};
use crate::infer::{self, Tags};
use crate::source::{SourceMap, Span};
use ruff_runtime::bytecode::{ForeignSite, FunctionId, Op, Program};

/// The errors in a verified program's calls, modules included.
pub fn foreign_calls(program: &Program, sources: &SourceMap) -> Vec<Diagnostic> {
    if program.foreign_sites.is_empty() {
        return Vec::new();
    }
    let declarations: Vec<Option<&ForeignSite>> = program
        .functions
        .iter()
        .map(|function| declared(program, &function.code))
        .collect();
    let mut found = Vec::new();
    infer::walk(program, &mut |_, func, pc, stack| {
        let op = program.functions[func as usize].code[pc as usize];
        let Op::CallFunction { func: callee, argc } = op else {
            return;
        };
        let Some(site) = declarations[callee as usize] else {
            return;
        };
        let args = &stack[stack.len() - argc as usize..];
        for (number, (arg, param)) in (1..).zip(args.iter().zip(&site.params)) {
            let given = arg.tags().without(Tags::UNSET);
            if given.0 == 0 || given.intersects(infer::foreign_param(*param)) {
                continue;
            }
            let message = format!(
                "{}: argument {number} must be {}, but it can't be one",
                site.name,
                param.name()
            );
            let span = place(program, sources, func, pc);
            found.push(Diagnostic::error(Code::Compilation, span).message(message));
        }
    });
    super::in_order(found)
}

/// The C function that a function is the declaration of.
fn declared<'p>(program: &'p Program, code: &[Op]) -> Option<&'p ForeignSite> {
    code.iter().find_map(|op| match *op {
        Op::CallForeign { site } => Some(&program.foreign_sites[site as usize]),
        _ => None,
    })
}

/// Where an instruction comes from.
fn place(program: &Program, sources: &SourceMap, func: FunctionId, pc: u32) -> Option<Span> {
    let position = program.position(func, pc)?;
    let name = program.files.get(position.file as usize)?;
    sources.span_at(name, position.line, position.column)
}
