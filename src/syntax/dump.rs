//! Tokens and trees as text, for `--emit tokens`, `--emit ast` and tests.
//!
//! The text is stable and made for people; nothing reads it back.

mod tree;

pub use tree::tree;

use super::token::{Token, TokenKind};
use crate::source::SourceMap;
use std::fmt::Write;

/// One line for each token: its place and what it is.
pub fn tokens(tokens: &[Token], sources: &SourceMap) -> String {
    let mut out = String::new();
    for token in tokens {
        let at = sources.line_column(token.span);
        let place = format!("{}:{}", at.line, at.column);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{place:7} {}", description(&token.kind));
    }
    out
}

fn description(kind: &TokenKind) -> String {
    match kind {
        TokenKind::StringStart => "StringStart".into(),
        TokenKind::StringText(text) => format!("StringText({text:?})"),
        TokenKind::InterpolationStart => "InterpolationStart".into(),
        TokenKind::InterpolationEnd => "InterpolationEnd".into(),
        TokenKind::StringEnd => "StringEnd".into(),
        shown_as_in_messages => shown_as_in_messages.to_string(),
    }
}
