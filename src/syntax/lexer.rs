//! From characters to tokens.
//!
//! A string with interpolation is not one token: its text and the tokens of
//! its expressions follow each other between `StringStart` and `StringEnd`.
//! The stack `open` remembers which strings are waiting for a `}`.
//!
//! An error never ends the work; the text at fault is skipped or taken for
//! what it was probably meant to be.

mod number;
mod string;

use super::limit;
use super::token::{Keyword, LONGEST_SIGN, Operator, Punctuation, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use string::OpenString;

pub fn tokens(text: &str, file: FileId) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        text,
        file,
        position: 0,
        starts_line: true,
        tokens: Vec::new(),
        diagnostics: Vec::new(),
        open: Vec::new(),
        words: FxHashMap::default(),
    };
    while lexer.position < text.len() && lexer.diagnostics.len() < limit::DIAGNOSTICS {
        lexer.next();
    }
    lexer.finish();
    // A run of text is only known to be too long after errors inside it.
    lexer
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
    lexer.diagnostics.truncate(limit::DIAGNOSTICS);
    (lexer.tokens, lexer.diagnostics)
}

struct Lexer<'s> {
    text: &'s str,
    file: FileId,
    position: usize,
    /// A line end has been passed since the last token.
    starts_line: bool,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
    /// Strings whose interpolation is being scanned, outermost first.
    open: Vec<OpenString>,
    /// One allocation for each different word.
    words: FxHashMap<&'s str, Arc<str>>,
}

impl<'s> Lexer<'s> {
    /// Scans white space, a comment or a token.
    fn next(&mut self) {
        let start = self.position;
        let Some(character) = self.peek() else { return };
        match character {
            ' ' | '\t' => self.position += 1,
            '\n' | '\r' => {
                self.position += 1;
                self.starts_line = true;
            }
            '#' => self.line_comment(),
            '/' if self.rest().starts_with("//") => self.line_comment(),
            '/' if self.rest().starts_with("/*") => self.block_comment(),
            '"' | '\'' => self.string(),
            '0'..='9' => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            '\0' => self.null_byte(),
            _ => {
                if let Some((kind, length)) = sign(self.rest()) {
                    self.position += length;
                    self.sign(kind, start);
                } else {
                    self.position += character.len_utf8();
                    let shown = shown(character);
                    self.error(
                        Code::InvalidCharacter,
                        start,
                        format!("Invalid character: '{shown}'"),
                    );
                }
            }
        }
    }

    /// Ends the token list, and says what is still open.
    ///
    /// Of several open interpolations only the outermost is reported: once it
    /// is closed, the inner ones will be too or their error will be its own.
    fn finish(&mut self) {
        let outermost = self.open.first().map(|string| string.interpolation);
        if self.diagnostics.len() < limit::DIAGNOSTICS
            && let Some(interpolation) = outermost
        {
            let message = "Unterminated interpolated string expression";
            self.error_at(Code::Unterminated, interpolation, message.into());
        }
        let end = self.text.len();
        self.position = end;
        self.push(TokenKind::Eof, end);
    }

    fn rest(&self) -> &'s str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    /// Adds the token that began at `start` and ends here.
    fn push(&mut self, kind: TokenKind, start: usize) {
        let span = Span::new(self.file, start, self.position);
        self.tokens.push(Token {
            kind,
            span,
            starts_line: self.starts_line,
        });
        self.starts_line = false;
    }

    /// Reports what began at `start` and ends here.
    fn error(&mut self, code: Code, start: usize, message: String) {
        self.error_at(code, Span::new(self.file, start, self.position), message);
    }

    fn error_at(&mut self, code: Code, span: Span, message: String) {
        self.diagnostics
            .push(Diagnostic::error(code, span).message(message));
    }

    fn null_byte(&mut self) {
        let start = self.position;
        self.position += 1;
        self.error(
            Code::NullByte,
            start,
            "Null byte is not allowed in source".into(),
        );
    }

    fn line_comment(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\n' | b'\r' => break,
                0 => return self.null_byte_in_comment(),
                _ => self.position += 1,
            }
        }
    }

    /// Reports the first of them and leaves the rest of the line alone.
    fn null_byte_in_comment(&mut self) {
        self.null_byte();
        let rest = self.rest();
        self.position += rest.find(['\n', '\r']).unwrap_or(rest.len());
    }

    fn block_comment(&mut self) {
        let start = self.position;
        let Some(length) = self.rest()[2..].find("*/") else {
            self.position += 2;
            self.error(
                Code::UnterminatedComment,
                start,
                "Unterminated block comment".into(),
            );
            self.position = self.text.len();
            return;
        };
        let end = start + 2 + length + 2;
        let comment = &self.text[start..end];
        self.starts_line |= comment.contains(['\n', '\r']);
        if let Some(at) = comment.find('\0') {
            self.position = start + at;
            self.null_byte();
        }
        self.position = end;
    }

    fn word(&mut self) {
        let start = self.position;
        let text = word_prefix(self.rest());
        self.position += text.len();
        if let Some(keyword) = Keyword::from_text(text) {
            return self.push(TokenKind::Keyword(keyword), start);
        }
        let maximum = limit::IDENTIFIER_CHARACTERS;
        if text.chars().nth(maximum).is_some() {
            let message = format!("Identifier exceeds max length of {maximum} characters");
            self.error(Code::IdentifierTooLong, start, message);
        }
        let shared = self
            .words
            .entry(text)
            .or_insert_with(|| text.into())
            .clone();
        self.push(TokenKind::Identifier(shared), start);
    }

    /// Adds a sign, unless it is the brace that ends an interpolation.
    fn sign(&mut self, kind: TokenKind, start: usize) {
        if let (TokenKind::Punctuation(brace), Some(string)) = (&kind, self.open.last_mut()) {
            match brace {
                Punctuation::LeftBrace => string.braces += 1,
                Punctuation::RightBrace if string.braces == 0 => {
                    self.push(TokenKind::InterpolationEnd, start);
                    return self.resume_string();
                }
                Punctuation::RightBrace => string.braces -= 1,
                _ => {}
            }
        }
        self.push(kind, start);
    }
}

/// The longest sign that `rest` starts with, and its length.
fn sign(rest: &str) -> Option<(TokenKind, usize)> {
    (1..=LONGEST_SIGN).rev().find_map(|length| {
        let text = rest.get(..length)?;
        let kind = Operator::from_text(text)
            .map(TokenKind::Operator)
            .or_else(|| Punctuation::from_text(text).map(TokenKind::Punctuation))?;
        Some((kind, length))
    })
}

/// The part of `rest` that can belong to a word that has begun.
fn word_prefix(rest: &str) -> &str {
    let end = rest.find(|character: char| !(character.is_alphanumeric() || character == '_'));
    &rest[..end.unwrap_or(rest.len())]
}

/// A character as a message can show it, on one line.
fn shown(character: char) -> String {
    if character.is_control() {
        character.escape_debug().to_string()
    } else {
        character.to_string()
    }
}
