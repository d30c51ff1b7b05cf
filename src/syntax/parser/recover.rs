//! Finding the way back after an error.
//!
//! The statement at fault is given up and the next one looked for.  The aim
//! is to report every real error and none that is only an echo: where the
//! end of the statement is a guess, errors are kept quiet until something
//! has parsed again.

use super::Parser;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

impl Parser {
    /// Moves from inside the statement that began at token `start` to where
    /// the next one may begin, or to the `}` that ends the block.
    pub(super) fn recover(&mut self, start: usize) {
        if self.is_done {
            return;
        }
        let closed = self.leave_brackets(start);
        let mut is_first = true;
        while !self.at_end() {
            if self.at(Punctuation::Semicolon) || self.at(Punctuation::RightBrace) {
                self.is_lost |= !closed;
                return;
            }
            let may_begin = self.token().starts_line && self.can_start_statement();
            // An error at the very start of a statement must not lead back to it.
            if may_begin && !(is_first && self.position == start) {
                self.is_lost = !closed || !self.clearly_starts_statement();
                return;
            }
            is_first = false;
            self.step_over();
        }
    }

    /// Leaves the outermost bracket that was opened since token `start` and
    /// is still open here.  False if some bracket since then is never closed,
    /// which makes every guess about the structure unsafe.
    fn leave_brackets(&mut self, start: usize) -> bool {
        let mut index = start;
        let mut closed = true;
        while index < self.position {
            if self.is_opening(index) {
                match self.partner(index) {
                    Some(partner) if partner >= self.position => {
                        self.position = partner;
                        self.bump();
                        return closed;
                    }
                    Some(partner) => index = partner,
                    None => closed = false,
                }
            }
            index += 1;
        }
        closed
    }

    /// Takes a token, or a bracket with all it holds.
    fn step_over(&mut self) {
        if self.is_opening(self.position)
            && let Some(partner) = self.partner(self.position)
        {
            self.position = partner;
        }
        self.bump();
    }

    pub(super) fn can_start_statement(&self) -> bool {
        use Keyword::*;
        match self.kind() {
            TokenKind::Keyword(keyword) => matches!(
                keyword,
                Let | Mut
                    | Const
                    | Func
                    | Return
                    | Enum
                    | Match
                    | If
                    | Loop
                    | While
                    | For
                    | Break
                    | Continue
                    | Try
                    | Import
                    | Export
                    | From
                    | Struct
                    | SelfWord
                    | Null
                    | Spawn
                    | Yield
                    | Async
                    | Await
                    | True
                    | False
                    | Throw
                    | Not
            ),
            _ => self.can_start_expression(),
        }
    }

    pub(super) fn can_start_expression(&self) -> bool {
        use Keyword::*;
        match self.kind() {
            TokenKind::Identifier(_)
            | TokenKind::Int(_)
            | TokenKind::Float(_)
            | TokenKind::Str(_)
            | TokenKind::StringStart => true,
            TokenKind::Keyword(keyword) => matches!(
                keyword,
                Func | If
                    | SelfWord
                    | Null
                    | Spawn
                    | Yield
                    | Async
                    | Await
                    | True
                    | False
                    | Throw
                    | Not
            ),
            TokenKind::Operator(operator) => {
                matches!(operator, Operator::Minus | Operator::Bang)
            }
            TokenKind::Punctuation(sign) => matches!(
                sign,
                Punctuation::LeftParen | Punctuation::LeftBrace | Punctuation::LeftBracket
            ),
            _ => false,
        }
    }

    /// Not a sign that could as well be the middle of an expression.
    fn clearly_starts_statement(&self) -> bool {
        !matches!(self.kind(), TokenKind::Operator(_))
    }
}
