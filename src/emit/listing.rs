//! Intermediate and machine code as text, for people and tests.

use super::compile::{Code, Job, Listing};
use super::program::{self, Body, Parts};
use super::symbol::Symbols;
use super::target::{Ending, Isas};
use super::{EmitError, Options};
use crate::codegen::Source;
use crate::codegen::names::Callee;
use crate::infer::Facts;
use crate::interface::Exports;
use ruff_runtime::bytecode::Program;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A program's Cranelift IR, as it is before optimisation.
///
/// # Errors
/// As `object`.
pub fn clif(
    program: &Program,
    facts: &Facts,
    library: Option<&Exports>,
    options: &Options,
) -> Result<String, EmitError> {
    listing(program, facts, library, options, Listing::Clif)
}

/// A program's machine code as assembly.
///
/// # Errors
/// As `object`.
pub fn assembly(
    program: &Program,
    facts: &Facts,
    library: Option<&Exports>,
    options: &Options,
) -> Result<String, EmitError> {
    listing(program, facts, library, options, Listing::Assembly)
}

fn listing(
    program: &Program,
    facts: &Facts,
    library: Option<&Exports>,
    options: &Options,
    kind: Listing,
) -> Result<String, EmitError> {
    let isas = Isas::new(&options.target, Ending::Object)?;
    let source = Source {
        program,
        facts,
        isa: &*isas.usual,
        isa_for_large: &*isas.for_large,
        rare: None,
        debug: options.target.debug,
        library,
        alone: None,
        recorder: None,
    };
    let parts = program::compile(
        source,
        isas.for_rare.as_deref(),
        options.bodies,
        kind,
        &|_| false,
    );
    let symbols = Symbols::new(program);
    let mut out = String::new();
    for (job, code) in codes(&parts) {
        match code {
            Ok(code) => function(&mut out, &symbols, kind, job, code),
            // Writing to a string cannot fail.
            Err(reason) => drop(writeln!(
                out,
                "; {} stays bytecode: {reason}\n",
                symbols.of(job)
            )),
        }
    }
    Ok(out)
}

/// All code in order, and why there is none for a body.
fn codes(parts: &Parts) -> impl Iterator<Item = (Job, Result<&Code, String>)> {
    let functions = (0..).zip(&parts.bodies).flat_map(|(func, body)| {
        let own = match body {
            Body::Compiled(code) => Some(Ok(code)),
            Body::Kept(Some(refusal)) => Some(Err(refusal.to_string())),
            Body::Kept(None) => Some(Err("as was asked for".to_owned())),
            Body::Elsewhere | Body::Unused => None,
        };
        let entry = parts.entries[func as usize]
            .as_ref()
            .map(|code| (Job::Entry(func), Ok(code)));
        let shim = parts.shims[func as usize]
            .as_ref()
            .map(|code| (Job::Shim(func), Ok(code)));
        own.map(|own| (Job::Body(func), own))
            .into_iter()
            .chain(shim)
            .chain(entry)
    });
    let exports = (0..).zip(&parts.exports);
    let functions = functions.chain(exports.map(|(number, code)| (Job::Export(number), Ok(code))));
    let stubs = parts.stubs.iter();
    functions.chain(stubs.map(|(helper, code)| (Job::Cold(*helper), Ok(code))))
}

fn function(out: &mut String, symbols: &Symbols, kind: Listing, job: Job, code: &Code) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "; {}", symbols.of(job));
    let callees: BTreeSet<(u32, u32, String)> = code
        .callees()
        .map(|callee| {
            // The IR is shown as it is before calls go through stubs.
            let callee = match callee {
                Callee::Cold(helper) if kind == Listing::Clif => Callee::Helper(helper),
                other => other,
            };
            let name = callee.external_name();
            let symbol = match callee {
                Callee::Direct(func) | Callee::Apart(func) => symbols.of(Job::Body(func)),
                Callee::Generic(func) => symbols.of(Job::Entry(func)),
                Callee::Helper(helper) => helper.row().symbol.to_owned(),
                Callee::Foreign(site) => format!("foreign{site}"),
                Callee::Cold(helper) => symbols.of(Job::Cold(helper)),
                Callee::Numbers => "numbers".to_owned(),
            };
            (name.namespace, name.index, symbol)
        })
        .collect();
    for (namespace, index, symbol) in callees {
        let _ = writeln!(out, ";   u{namespace}:{index} is {symbol}");
    }
    let _ = writeln!(out, "{}\n", code.listing.trim_end());
}
