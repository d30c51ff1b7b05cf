//! What a program that parses may still not do (reference, section 16.3).

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Arg, Func};
use crate::syntax::limit;
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
