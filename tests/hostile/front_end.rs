//! Any text for the lexer and the parser.

use ruffc::diagnostic::{self, Diagnostic, Form};
use ruffc::source::SourceMap;
use ruffc::syntax;

/// Parses a text, checks what every outcome must fulfil, and returns the
/// diagnostics.
pub fn check(text: &str) -> Vec<Diagnostic> {
    let mut sources = SourceMap::new();
    let file = sources.add("test.ruff", text);
    let Err(diagnostics) = syntax::parse(&sources, file) else {
        return Vec::new();
    };
    assert!(
        !diagnostics.is_empty(),
        "refused without a reason: {text:?}"
    );
    assert!(diagnostics.len() <= syntax::limit::DIAGNOSTICS);
    let starts: Vec<u32> = diagnostics
        .iter()
        .map(|found| found.span.expect("it has a place").start)
        .collect();
    assert!(starts.is_sorted(), "out of order: {text:?}");
    for found in &diagnostics {
        assert_eq!(found.exit_status(), 3);
        assert!(!found.message.contains('\n'), "{}", found.message);
        diagnostic::text(found, &sources, Form::Snippet);
        diagnostic::json(found, &sources);
    }
    diagnostics
}
