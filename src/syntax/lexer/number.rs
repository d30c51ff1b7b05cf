//! Numeric literals: decimal ints, and floats with digits on both sides.

use super::{Lexer, word_prefix};
use crate::diagnostic::Code;
use crate::syntax::limit;
use crate::syntax::token::{Operator, Token, TokenKind};

/// The smallest int has no positive counterpart, so its digits are allowed
/// where a `-` stands directly before them.
const SMALLEST_INT_DIGITS: u64 = 1 << 63;

impl Lexer<'_> {
    pub(super) fn number(&mut self) {
        let start = self.position;
        self.digits();
        let is_float =
            self.byte(0) == Some(b'.') && self.byte(1).is_some_and(|byte| byte.is_ascii_digit());
        if is_float {
            self.position += 1;
            self.digits();
        }
        let digits_end = self.position;
        self.position += word_prefix(self.rest()).len();

        let text = &self.text[start..self.position];
        let kind = if self.position > digits_end {
            let message = format!("Malformed numeric literal: {text}");
            self.error(Code::MalformedNumber, start, message);
            None
        } else if text.len() > limit::NUMBER_CHARACTERS {
            let maximum = limit::NUMBER_CHARACTERS;
            let message = format!("Numeric literal exceeds max length of {maximum} characters");
            self.error(Code::NumberTooLong, start, message);
            None
        } else {
            let kind = if is_float {
                float(text)
            } else {
                self.int(text, start)
            };
            if kind.is_none() {
                let message = format!("Numeric literal overflow: {text}");
                self.error(Code::NumberOverflow, start, message);
            }
            kind
        };
        self.push(kind.unwrap_or(TokenKind::Int(0)), start);
    }

    fn digits(&mut self) {
        while self.byte(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
    }

    fn int(&self, text: &str, start: usize) -> Option<TokenKind> {
        let value: u64 = text.parse().ok()?;
        let in_range = value < SMALLEST_INT_DIGITS
            || value == SMALLEST_INT_DIGITS && self.follows_minus(start);
        in_range.then_some(TokenKind::Int(value))
    }

    /// Whether a `-` ends at `start`.  If it turns out to be a subtraction,
    /// the parser refuses the number after all.
    fn follows_minus(&self, start: usize) -> bool {
        self.tokens.last().is_some_and(|Token { kind, span, .. }| {
            *kind == TokenKind::Operator(Operator::Minus) && span.end as usize == start
        })
    }
}

fn float(text: &str) -> Option<TokenKind> {
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(TokenKind::Float(value))
}
