//! Functions: declarations, methods and literals.

use super::{Header, Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::{Keyword, Operator, Punctuation, Token, TokenKind};
use std::sync::Arc;

/// How messages call the parts of a function.
struct Wording {
    before_params: &'static str,
    params: &'static str,
    body: &'static str,
}

const DECLARATION: Wording = Wording {
    before_params: "after function name",
    params: "function parameter list",
    body: "function body",
};

const LITERAL: Wording = Wording {
    before_params: "after 'func' in function expression",
    params: "function expression parameter list",
    body: "function expression body",
};

impl Parser {
    /// Whether `fn` here means `func` (reference, 2.3).
    pub(super) fn is_fn_keyword(&self) -> bool {
        let next = self.ahead(1);
        if next.starts_line {
            return false;
        }
        if next.is_name() {
            return true;
        }
        next.is_punctuation(Punctuation::LeftParen)
            && self.header == Header::None
            && self.token_behind(self.position + 1).is_some_and(|token| {
                !token.starts_line
                    && (token.is_punctuation(Punctuation::LeftBrace)
                        || token.is_operator(Operator::Arrow))
            })
    }

    /// Whether parameters follow `distance` tokens ahead, where a declaration
    /// would have a name.
    pub(super) fn is_function_literal(&self, distance: usize) -> bool {
        let star = usize::from(self.ahead(distance).is_operator(Operator::Star));
        self.ahead(distance + star)
            .is_punctuation(Punctuation::LeftParen)
    }

    /// Whether the `async` here begins a declaration.
    pub(super) fn is_async_declaration(&self) -> bool {
        let next = self.ahead(1);
        (next.is_keyword(Keyword::Func) || next.is_identifier("fn")) && !self.is_function_literal(2)
    }

    pub(super) fn func_declaration(&mut self) -> Parsed<StmtKind> {
        Ok(StmtKind::Func(self.func_with_name()?))
    }

    /// A declaration, at its `async`, `func` or `fn`.
    pub(super) fn func_with_name(&mut self) -> Parsed<Arc<Func>> {
        let start = self.span();
        let is_async = self.take_async()?;
        let has_star = self.take_operator(Operator::Star);
        let Some(name) = self.take_name() else {
            return Err(self.error_here("Expected function name after 'func'"));
        };
        self.func_rest(start, Some(name), is_async, has_star, &DECLARATION)
    }

    /// Whether the `extern` here begins the declaration of a C function.
    pub(super) fn is_foreign_declaration(&self) -> bool {
        let has_library = matches!(self.ahead(1).kind, TokenKind::Str(_));
        let ahead = 1 + usize::from(has_library);
        let begins = |token: &Token| token.is_keyword(Keyword::Func) || token.is_identifier("fn");
        (1..=ahead).all(|distance| !self.ahead(distance).starts_line)
            && begins(self.ahead(ahead))
            && self.ahead(ahead + 1).is_name()
    }

    /// `extern ["library"] func name(params) [-> type] [= "symbol"]`
    pub(super) fn foreign_declaration(&mut self) -> Parsed<StmtKind> {
        let start = self.bump();
        let library = self.take_text();
        self.bump();
        let name = self.take_name();
        let opening = self.expect(Punctuation::LeftParen, DECLARATION.before_params)?;
        let params = self.params()?;
        self.expect_close(Punctuation::RightParen, DECLARATION.params, opening)?;
        let result = self.result_type()?;
        let symbol = if self.take_operator(Operator::Equal) {
            let Some(symbol) = self.take_text() else {
                return Err(self.expected("the C function's name, in quotes"));
            };
            Some(symbol)
        } else {
            None
        };
        let span = self.since(start);
        let end = Span {
            start: span.end,
            ..span
        };
        Ok(StmtKind::Func(Arc::new(Func {
            name,
            params,
            result,
            body: Block {
                statements: Vec::new(),
                span: end,
            },
            foreign: Some(Foreign { library, symbol }),
            is_async: false,
            is_generator: false,
            span,
        })))
    }

    fn take_text(&mut self) -> Option<Arc<str>> {
        let TokenKind::Str(text) = self.kind() else {
            return None;
        };
        let text = text.clone();
        self.bump();
        Some(text)
    }

    /// A literal, at its `async`, `func` or `fn`.
    pub(super) fn func_literal(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let is_async = self.take_async()?;
        let has_star = self.take_operator(Operator::Star);
        let func = self.func_rest(start, None, is_async, has_star, &LITERAL)?;
        Ok(Expr {
            span: func.span,
            kind: ExprKind::Func(func),
        })
    }

    /// Takes `[async] func`.
    fn take_async(&mut self) -> Parsed<bool> {
        let is_async = self.take_keyword(Keyword::Async);
        if self.at_keyword(Keyword::Func) || self.at_word("fn") {
            self.bump();
            Ok(is_async)
        } else {
            Err(self.error_here("Expected 'func' after 'async'"))
        }
    }

    fn func_rest(
        &mut self,
        start: Span,
        name: Option<Name>,
        is_async: bool,
        has_star: bool,
        wording: &Wording,
    ) -> Parsed<Arc<Func>> {
        let opening = self.expect(Punctuation::LeftParen, wording.before_params)?;
        let params = self.params()?;
        self.expect_close(Punctuation::RightParen, wording.params, opening)?;
        let result = self.result_type()?;
        self.yields.push(false);
        let body = self.block(wording.body);
        let has_yield = self.yields.pop() == Some(true);
        let body = body?;
        let is_generator = has_star || has_yield;
        let span = start.to(body.span);
        Ok(Arc::new(Func {
            name,
            params,
            result,
            body,
            foreign: None,
            is_async,
            is_generator,
            span,
        }))
    }

    fn params(&mut self) -> Parsed<Vec<Param>> {
        let mut params = Vec::new();
        while let Some(name) = self.param_name() {
            let annotation = self.annotation()?;
            params.push(Param { name, annotation });
            if !self.take(Punctuation::Comma) {
                break;
            }
        }
        Ok(params)
    }

    fn param_name(&mut self) -> Option<Name> {
        match self.kind() {
            TokenKind::Keyword(Keyword::SelfWord) => self.take_any_word(),
            _ => self.take_name(),
        }
    }
}
