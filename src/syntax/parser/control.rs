//! Control flow: conditions, loops, `try` and `return`.

use super::{Header, Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

impl Parser {
    /// An expression before the block of a statement.
    fn condition(&mut self) -> Parsed<Expr> {
        self.within(Header::Control, Self::expression)
    }

    /// `if` and all its `else if`, of which there may be very many.
    pub(super) fn if_chain(&mut self) -> Parsed<If> {
        let mut links: Vec<(Span, Expr, Block)> = Vec::new();
        let mut otherwise = None;
        loop {
            let start = self.bump();
            let condition = self.condition()?;
            let then = self.block("if block")?;
            links.push((start, condition, then));
            if !self.take_keyword(Keyword::Else) {
                break;
            }
            if !self.at_keyword(Keyword::If) {
                otherwise = Some(Else::Block(self.block("else block")?));
                break;
            }
        }
        let end = self.previous();
        let build = |(start, condition, then): (Span, Expr, Block), otherwise| If {
            span: start.to(end),
            condition,
            then,
            otherwise,
        };
        let first = links.remove(0);
        for link in links.into_iter().rev() {
            otherwise = Some(Else::If(Box::new(build(link, otherwise))));
        }
        Ok(build(first, otherwise))
    }

    pub(super) fn while_loop(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let condition = Some(self.condition()?);
        Ok(StmtKind::While {
            condition,
            body: self.block("while body")?,
        })
    }

    pub(super) fn plain_loop(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let condition = if self.take_keyword(Keyword::While) {
            Some(self.condition()?)
        } else {
            None
        };
        Ok(StmtKind::While {
            condition,
            body: self.block("loop body")?,
        })
    }

    pub(super) fn for_loop(&mut self) -> Parsed<StmtKind> {
        self.bump();
        if self.is_c_style_header() {
            return self.c_style_for();
        }
        let pattern = self.pattern("Expected loop variable name after 'for'")?;
        if !self.take_keyword(Keyword::In) {
            return Err(self.expected("'in' in for loop"));
        }
        let iterable = self.condition()?;
        Ok(StmtKind::For {
            pattern,
            iterable,
            body: self.block("for loop body")?,
        })
    }

    /// Decides by what follows the first word or bracket after `for`.
    fn is_c_style_header(&self) -> bool {
        let behind = match self.kind() {
            TokenKind::Punctuation(Punctuation::Semicolon)
            | TokenKind::Keyword(
                Keyword::Let | Keyword::Mut | Keyword::Const | Keyword::SelfWord,
            ) => return true,
            TokenKind::Identifier(_) => Some(self.ahead(1)),
            TokenKind::Punctuation(Punctuation::LeftBracket | Punctuation::LeftBrace) => {
                self.token_behind(self.position)
            }
            _ => None,
        };
        behind.is_some_and(|token| match token.kind {
            TokenKind::Punctuation(
                Punctuation::Semicolon
                | Punctuation::Dot
                | Punctuation::LeftParen
                | Punctuation::LeftBracket,
            ) => true,
            TokenKind::Operator(operator) => matches!(
                operator,
                Operator::ColonEqual
                    | Operator::Equal
                    | Operator::PlusEqual
                    | Operator::MinusEqual
                    | Operator::StarEqual
                    | Operator::SlashEqual
                    | Operator::PercentEqual
                    | Operator::QuestionDot
            ),
            _ => false,
        })
    }

    fn c_style_for(&mut self) -> Parsed<StmtKind> {
        let init = if self.at(Punctuation::Semicolon) {
            None
        } else {
            Some(self.header_statement()?)
        };
        self.expect(Punctuation::Semicolon, "after for loop initializer")?;
        let condition = if self.at(Punctuation::Semicolon) {
            None
        } else {
            Some(self.condition()?)
        };
        self.expect(Punctuation::Semicolon, "after for loop condition")?;
        let step = if self.at(Punctuation::LeftBrace) {
            None
        } else {
            Some(self.header_statement()?)
        };
        Ok(StmtKind::CFor {
            init,
            condition,
            step,
            body: self.block("for loop body")?,
        })
    }

    /// A binding, an assignment or an expression in the header of a `for`.
    fn header_statement(&mut self) -> Parsed<Box<Stmt>> {
        let start = self.span();
        let kind = self.within(Header::Control, |parser| match parser.kind() {
            TokenKind::Keyword(Keyword::Let) => parser.binding(BindingKind::Let),
            TokenKind::Keyword(Keyword::Mut) => parser.binding(BindingKind::Mut),
            TokenKind::Keyword(Keyword::Const) => parser.constant(),
            _ if parser.is_destructuring() => parser.destructure(),
            _ => parser.simple_statement(),
        })?;
        Ok(Box::new(Stmt {
            kind,
            span: self.since(start),
        }))
    }

    pub(super) fn try_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let body = self.block("try block")?;
        if !self.take_keyword(Keyword::Except) {
            return Err(self.expected("'except' after try block"));
        }
        let error = self.take_name();
        Ok(StmtKind::Try {
            body,
            error,
            handler: self.block("except block")?,
        })
    }

    pub(super) fn return_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let value = if self.has_operand() {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(StmtKind::Return(value))
    }

    /// Whether the operand of the word just taken follows; it must begin on
    /// the same line (rule N2 of the reference).
    pub(super) fn has_operand(&self) -> bool {
        !self.token().starts_line && self.can_start_expression()
    }
}
