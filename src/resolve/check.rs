//! What a program that parses may still not do (reference, section 16.3).

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Arg, Func, Type, TypeKind};
use crate::syntax::limit;
use ruff_runtime::bytecode::ForeignType;
use ruff_runtime::bytecode::foreign::{MOST_FLOATS, MOST_INTS};
use rustc_hash::FxHashSet;

pub(super) fn error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::Compilation, span).message(message)
}

/// In source order, and not more than a reader can use.
pub(super) fn report(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.map(|span| (span.start, span.end)));
    diagnostics.truncate(limit::DIAGNOSTICS);
    diagnostics
}

/// A parameter name that occurs twice.
pub(super) fn parameters(func: &Func, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = FxHashSet::default();
    for param in &func.params {
        if !seen.insert(&param.name.text) {
            let message = format!(
                "Duplicate declaration in the same scope: {}",
                param.name.text
            );
            diagnostics.push(error(param.name.span, message));
        }
    }
}

/// A C function's declaration: every type is one of C's.
pub(super) fn foreign(func: &Func, diagnostics: &mut Vec<Diagnostic>) {
    if func.foreign.is_none() {
        return;
    }
    let mut params = Vec::new();
    for param in &func.params {
        match foreign_type(param.annotation.as_ref()) {
            Some(ty) if ty != ForeignType::Null => params.push(ty),
            _ => {
                let name = &param.name.text;
                let message = format!("the parameter `{name}` of a C function needs a type of C");
                diagnostics.push(error(param.name.span, message).help(FOREIGN_TYPES));
            }
        }
    }
    if let Some(result) = &func.result
        && foreign_type(Some(result)).is_none()
    {
        let message = "the result of a C function needs a type of C";
        diagnostics.push(error(result.span, message).help(FOREIGN_TYPES));
    }
    let floats = params.iter().filter(|ty| ty.is_float()).count();
    if floats > MOST_FLOATS || params.len() - floats > MOST_INTS {
        let message = format!(
            "a C function has at most {MOST_FLOATS} parameters that are floats and {MOST_INTS} others"
        );
        diagnostics.push(error(func.span, message));
    }
}

const FOREIGN_TYPES: &str = "the types are int, i8, i16, i32, u8, u16, u32, u64, float, f32, bool, string, pointer, and null for results";

fn foreign_type(annotation: Option<&Type>) -> Option<ForeignType> {
    match &annotation?.kind {
        TypeKind::Name(name) => ForeignType::named(name),
        TypeKind::Null => Some(ForeignType::Null),
        _ => None,
    }
}

/// The number of payload values of the built-in variants in their long form.
pub(super) fn variant(enum_name: &str, variant: &str, args: Option<&[Arg]>) -> Option<String> {
    let is_one = matches!(args, Some([Arg::One(_)]));
    match (enum_name, variant) {
        ("Result", "Ok" | "Err") | ("Option", "Some") if !is_one => Some(format!(
            "{enum_name}::{variant}(...) requires exactly one argument"
        )),
        ("Option", "None") if args.is_some_and(|args| !args.is_empty()) => {
            Some("Option::None takes no arguments".into())
        }
        _ if args.is_some_and(|args| !args.iter().all(|arg| matches!(arg, Arg::One(_)))) => Some(
            format!("{enum_name}::{variant}(...) takes positional arguments only"),
        ),
        _ => None,
    }
}
