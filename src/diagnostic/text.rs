//! Diagnostics as text for a terminal or a log.
//!
//! The lines that scripts and tests match (title, place, help) are written
//! here and are the same in every form; only the picture of the source below
//! them is left to `annotate-snippets`.

use super::{Diagnostic, Severity};
use crate::source::{SourceMap, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Title, place, help; notes as one line each.
    Plain,
    /// Plain, and the source with the places marked.
    Snippet,
    /// The same, coloured.
    Colour,
}

/// A line longer than this is shown from somewhere near the marked place.
const WIDEST_LINE: usize = 160;
/// How much of a long line is shown before the marked place.
const LEAD: usize = 40;

/// The whole report, each line ended.
pub fn text(diagnostic: &Diagnostic, sources: &SourceMap, form: Form) -> String {
    let mut out = format!(
        "[{}] [{}] {}: {}\n",
        diagnostic.code.text(),
        diagnostic.code.stage().label(),
        diagnostic.severity.word(),
        diagnostic.title()
    );
    // Writing to a string cannot fail.
    if let Some(span) = diagnostic.span {
        let _ = writeln!(out, "  --> {}", place(span, sources));
    }
    if let Some(advice) = diagnostic.advice() {
        let _ = writeln!(out, "  = help: {advice}");
    }
    match form {
        Form::Plain => {
            for (span, text) in &diagnostic.notes {
                let _ = writeln!(out, "  = note: {text} ({})", place(*span, sources));
            }
        }
        Form::Snippet => picture(&mut out, diagnostic, sources, &Renderer::plain()),
        Form::Colour => picture(&mut out, diagnostic, sources, &Renderer::styled()),
    }
    out
}

fn place(span: Span, sources: &SourceMap) -> String {
    let at = sources.line_column(span);
    format!(
        "{}:{}:{}",
        sources.file(span.file).name(),
        at.line,
        at.column
    )
}

fn picture(out: &mut String, diagnostic: &Diagnostic, sources: &SourceMap, renderer: &Renderer) {
    let Some(span) = diagnostic.span else { return };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut report = vec![Group::with_level(level).element(marked_line(span, sources))];
    for (span, text) in &diagnostic.notes {
        let title = Level::NOTE.secondary_title(text.as_str());
        let snippet = marked_line(*span, sources).path(sources.file(span.file).name());
        report.push(title.element(snippet));
    }
    out.push_str(renderer.render(&report).trim_end_matches('\n'));
    out.push('\n');
}

/// The line on which a span starts, with what the span covers of it marked.
///
/// A source may be one line of a megabyte, so only a window of it is handed on.
fn marked_line(span: Span, sources: &SourceMap) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let file = sources.file(span.file);
    let line = file.line(span.start);
    let text = file.line_text(line);
    let line_start = file.line_start(line);
    let start = text.floor_char_boundary((span.start - line_start) as usize);
    let end = text
        .ceil_char_boundary((span.end - line_start) as usize)
        .max(start);

    let from = if text.len() > WIDEST_LINE {
        text.floor_char_boundary(start.saturating_sub(LEAD))
    } else {
        0
    };
    let to = text.ceil_char_boundary((from + WIDEST_LINE).min(text.len()));
    let (start, end) = (start - from, end.min(to) - from);
    Snippet::source(&text[from..to])
        .line_start(line as usize)
        .annotation(AnnotationKind::Primary.span(start..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn report(text_of_file: &str, start: usize, end: usize, form: Form) -> String {
        let mut sources = SourceMap::new();
        let file = sources.add("file.ruff", text_of_file);
        let diagnostic = Diagnostic::error(Code::Syntax, Span::new(file, start, end))
            .message("Invalid statement")
            .note(Span::new(file, 0, 1), "opened here");
        text(&diagnostic, &sources, form)
    }

    #[test]
    fn the_plain_form_is_the_documented_one() {
        assert_eq!(
            report("{\n  )\n", 4, 5, Form::Plain),
            "[RUFPARSE001] [parser] error: Invalid statement\n  --> file.ruff:2:3\n  \
             = help: Fix the parse error and rerun Ruff.\n  = note: opened here (file.ruff:1:1)\n"
        );
    }

    #[test]
    fn the_snippet_follows_the_documented_lines() {
        let shown = report("{\n  )\n", 4, 5, Form::Snippet);
        let (documented, picture) = shown.split_at(shown.find("rerun Ruff.\n").unwrap() + 12);
        assert!(documented.starts_with("[RUFPARSE001] [parser] error: Invalid statement\n"));
        assert!(picture.contains("2 |   )\n"), "{picture}");
        assert!(picture.contains("^"), "{picture}");
        assert!(picture.contains("opened here"), "{picture}");
    }

    #[test]
    fn any_place_can_be_shown() {
        let long = format!("{}é\n", "ü".repeat(5000));
        for offset in (0..long.len()).filter(|offset| long.is_char_boundary(*offset)) {
            report(&long, offset, long.len(), Form::Snippet);
        }
        report("", 0, 0, Form::Colour);
        report("a\r\nb\rc", 1, 4, Form::Snippet);
    }

    #[test]
    fn a_compilation_error_says_so() {
        let diagnostic = Diagnostic::error(Code::Compilation, None).message("no");
        assert_eq!(
            text(&diagnostic, &SourceMap::new(), Form::Snippet),
            "[RUFVM001] [vm] error: Compilation error: no\n"
        );
        assert_eq!(diagnostic.exit_status(), 4);
    }
}
