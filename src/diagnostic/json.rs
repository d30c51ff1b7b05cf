//! Diagnostics as JSON, one object a line, for editors and other tools.

use super::Diagnostic;
use crate::source::{SourceMap, Span};
use std::fmt::Write;

/// One line, without the line end.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut out = String::from("{\"code\":");
    string(&mut out, diagnostic.code.text());
    out.push_str(",\"stage\":");
    string(&mut out, diagnostic.code.stage().label());
    out.push_str(",\"severity\":");
    string(&mut out, diagnostic.severity.word());
    out.push_str(",\"message\":");
    string(&mut out, &diagnostic.title());
    if let Some(span) = diagnostic.span {
        out.push(',');
        place(&mut out, span, sources);
    }
    out.push_str(",\"notes\":[");
    for (position, (span, text)) in diagnostic.notes.iter().enumerate() {
        out.push_str(if position == 0 { "{" } else { ",{" });
        out.push_str("\"message\":");
        string(&mut out, text);
        out.push(',');
        place(&mut out, *span, sources);
        out.push('}');
    }
    out.push(']');
    if let Some(advice) = diagnostic.advice() {
        out.push_str(",\"help\":");
        string(&mut out, advice);
    }
    out.push('}');
    out
}

fn place(out: &mut String, span: Span, sources: &SourceMap) {
    let start = sources.line_column(span);
    let end = sources.end_line_column(span);
    out.push_str("\"file\":");
    string(out, sources.file(span.file).name());
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        ",\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{}",
        start.line, start.column, end.line, end.column
    );
}

/// A string as JSON writes it.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn an_object_holds_places_and_escapes() {
        let mut sources = SourceMap::new();
        let file = sources.add("a\"b.ruff", "x\ny := 1");
        let diagnostic = Diagnostic::error(Code::Syntax, Span::new(file, 2, 3))
            .message("tab \t \u{1}")
            .note(Span::new(file, 0, 1), "here");
        assert_eq!(
            json(&diagnostic, &sources),
            "{\"code\":\"RUFPARSE001\",\"stage\":\"parser\",\"severity\":\"error\",\
             \"message\":\"tab \\t \\u0001\",\"file\":\"a\\\"b.ruff\",\"line\":2,\"column\":1,\
             \"end_line\":2,\"end_column\":2,\"notes\":[{\"message\":\"here\",\
             \"file\":\"a\\\"b.ruff\",\"line\":1,\"column\":1,\"end_line\":1,\"end_column\":2}],\
             \"help\":\"Fix the parse error and rerun Ruff.\"}"
        );
    }
}
