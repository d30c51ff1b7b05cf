//! From tokens to the tree: recursive descent, one file per family.
//!
//! This file holds what the families share: looking at tokens, reporting,
//! nesting limits, and finding the way back after an error.
//!
//! Recursion follows nesting only, which is limited.  Chains (`a + b + …`,
//! `a.b.c…`, `else if …`) can be as long as a file and are loops.

mod brackets;
mod control;
mod expr;
mod func;
mod item;
mod literal;
mod pattern;
mod recover;
mod stmt;
mod types;

use super::ast::{Embed, Name, Program};
use super::limit;
use super::token::{Keyword, Operator, Punctuation, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use std::sync::Arc;

/// Expects `tokens` to end with `Eof`, as the lexer makes them.
pub fn parse(tokens: Vec<Token>, whole: Span) -> Result<Program, Vec<Diagnostic>> {
    let partners = brackets::partners(&tokens);
    let mut parser = Parser {
        tokens,
        partners,
        position: 0,
        diagnostics: Vec::new(),
        expression_depth: 0,
        block_depth: 0,
        header: Header::None,
        yields: Vec::new(),
        embeds: Vec::new(),
        is_lost: false,
        is_done: false,
    };
    let body = parser.program();
    if parser.diagnostics.is_empty() {
        Ok(Program {
            body,
            embeds: parser.embeds,
            span: whole,
        })
    } else {
        parser
            .diagnostics
            .sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
        Err(parser.diagnostics)
    }
}

/// What a parse function returns when it cannot go on; the reason is already
/// among the diagnostics.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// Whether a `{` after an expression begins the body of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    /// Not in a header, or inside brackets there.
    None,
    /// After `if`, `while`, `for` or in a guard.
    Control,
    /// After `match`.
    Match,
}

struct Parser {
    tokens: Vec<Token>,
    /// For each opening bracket its closing one, see `brackets`.
    partners: Vec<u32>,
    position: usize,
    diagnostics: Vec<Diagnostic>,
    expression_depth: usize,
    block_depth: usize,
    header: Header,
    /// One entry for each function around this place: has it a `yield`?
    yields: Vec<bool>,
    embeds: Vec<Embed>,
    /// After an error, until a place is reached that can be trusted: further
    /// errors are probably its consequences and are not reported.
    is_lost: bool,
    /// Nothing after this place can be made sense of.
    is_done: bool,
}

/// Looking at tokens and taking them.
impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.position]
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// The token `distance` ahead; `Eof` goes on for ever.
    fn ahead(&self, distance: usize) -> &Token {
        self.tokens
            .get(self.position + distance)
            .unwrap_or(&self.tokens[self.tokens.len() - 1])
    }

    /// Takes a token and returns its place.
    fn bump(&mut self) -> Span {
        let span = self.span();
        if self.position + 1 < self.tokens.len() {
            self.position += 1;
        }
        span
    }

    /// The place of the token taken last.
    fn previous(&self) -> Span {
        self.tokens[self.position.saturating_sub(1)].span
    }

    /// From `start` to the token taken last.
    fn since(&self, start: Span) -> Span {
        start.to(self.previous())
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.token().is_keyword(keyword)
    }

    fn at_operator(&self, operator: Operator) -> bool {
        self.token().is_operator(operator)
    }

    fn at(&self, sign: Punctuation) -> bool {
        self.token().is_punctuation(sign)
    }

    fn at_end(&self) -> bool {
        matches!(self.kind(), TokenKind::Eof)
    }

    /// Whether an identifier with this spelling is next.
    fn at_word(&self, word: &str) -> bool {
        self.token().is_identifier(word)
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.bump();
        }
        found
    }

    fn take_operator(&mut self, operator: Operator) -> bool {
        let found = self.at_operator(operator);
        if found {
            self.bump();
        }
        found
    }

    fn take(&mut self, sign: Punctuation) -> bool {
        let found = self.at(sign);
        if found {
            self.bump();
        }
        found
    }

    /// Takes an identifier.
    fn take_name(&mut self) -> Option<Name> {
        let TokenKind::Identifier(text) = self.kind() else {
            return None;
        };
        let text = text.clone();
        Some(Name {
            text,
            span: self.bump(),
        })
    }

    /// Takes an identifier or any reserved word, as a name.
    fn take_any_word(&mut self) -> Option<Name> {
        let text = self.token().word()?;
        Some(Name {
            text,
            span: self.bump(),
        })
    }

    /// A bracket, which must be on the same line, that continues what is
    /// before it (rule N1 of the reference).
    fn continues_with(&self, bracket: Punctuation) -> bool {
        self.at(bracket) && !self.token().starts_line
    }
}

/// Reporting.
impl Parser {
    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        let is_wanted = !self.is_lost && !self.is_done;
        if is_wanted && self.diagnostics.len() < limit::DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
        if self.diagnostics.len() == limit::DIAGNOSTICS || self.at_end() {
            self.is_done = true;
        }
        Reported
    }

    fn error(&mut self, span: Span, message: impl Into<String>) -> Reported {
        self.report(Diagnostic::error(Code::Syntax, span).message(message))
    }

    /// A diagnostic about the next token, not yet reported.
    fn syntax_error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::Syntax, self.span()).message(message)
    }

    /// Reports the next token.
    fn error_here(&mut self, message: impl Into<String>) -> Reported {
        self.error(self.span(), message)
    }

    /// Reports the next token: `Expected <what> but found <it>`.
    fn expected(&mut self, what: &str) -> Reported {
        let message = format!("Expected {what} but found {}", self.kind());
        self.error_here(message)
    }

    /// Takes a sign or says `Expected '<sign>' <context> but found …`.
    fn expect(&mut self, sign: Punctuation, context: &str) -> Parsed<Span> {
        if self.at(sign) {
            return Ok(self.bump());
        }
        Err(self.expected(&format!("'{}' {context}", sign.text())))
    }

    /// Takes the bracket that closes the one at `opening`.
    fn expect_close(&mut self, sign: Punctuation, context: &str, opening: Span) -> Parsed<Span> {
        if self.at(sign) {
            return Ok(self.bump());
        }
        let message = format!(
            "Expected '{}' to close {context} but found {}",
            sign.text(),
            self.kind()
        );
        let diagnostic = self.syntax_error(message).note(opening, "opened here");
        Err(self.report(diagnostic))
    }
}

/// Nesting.
impl Parser {
    /// Parses one level deeper, inside brackets, where no header is near.
    fn bracketed<T>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        self.nested(what, |parser| parser.within(Header::None, parse))
    }

    /// Parses one level deeper.  `what` is named if that is too deep.
    fn nested<T>(&mut self, what: &str, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let maximum = limit::EXPRESSION_DEPTH;
        if self.expression_depth == maximum {
            return Err(self.too_deep("expression", maximum, what));
        }
        self.expression_depth += 1;
        let result = parse(self);
        self.expression_depth -= 1;
        result
    }

    /// What lies inside something that is too deep is not looked at.
    fn too_deep(&mut self, kind: &str, maximum: usize, what: &str) -> Reported {
        let reported = self.error_here(format!(
            "Maximum {kind} nesting depth of {maximum} exceeded while parsing {what}"
        ));
        self.is_done = true;
        reported
    }

    fn within<T>(
        &mut self,
        header: Header,
        parse: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.header, header);
        let result = parse(self);
        self.header = outer;
        result
    }
}

impl Token {
    fn is_keyword(&self, keyword: Keyword) -> bool {
        self.kind == TokenKind::Keyword(keyword)
    }

    fn is_operator(&self, operator: Operator) -> bool {
        self.kind == TokenKind::Operator(operator)
    }

    fn is_punctuation(&self, sign: Punctuation) -> bool {
        self.kind == TokenKind::Punctuation(sign)
    }

    fn is_identifier(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Identifier(text) if **text == *word)
    }

    fn is_name(&self) -> bool {
        matches!(self.kind, TokenKind::Identifier(_))
    }

    /// An identifier or reserved word, which is a name in some positions.
    fn word(&self) -> Option<Arc<str>> {
        match &self.kind {
            TokenKind::Identifier(text) => Some(text.clone()),
            TokenKind::Keyword(keyword) => Some(keyword.text().into()),
            _ => None,
        }
    }

    fn is_word(&self) -> bool {
        matches!(self.kind, TokenKind::Identifier(_) | TokenKind::Keyword(_))
    }
}
