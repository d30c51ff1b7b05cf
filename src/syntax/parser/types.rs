//! Type annotations.

use super::{Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::{Type, TypeKind};
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

impl Parser {
    /// `: type`, if there is one.
    pub(super) fn annotation(&mut self) -> Parsed<Option<Type>> {
        if self.take(Punctuation::Colon) {
            self.type_union().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `-> type`, if there is one.
    pub(super) fn result_type(&mut self) -> Parsed<Option<Type>> {
        if self.take_operator(Operator::Arrow) {
            self.type_union().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn type_union(&mut self) -> Parsed<Type> {
        self.nested("type annotation", |parser| {
            let start = parser.span();
            let first = parser.type_one()?;
            if !parser.at_operator(Operator::Bar) {
                return Ok(first);
            }
            let mut members = vec![first];
            while parser.take_operator(Operator::Bar) {
                members.push(parser.type_one()?);
            }
            Ok(Type {
                kind: TypeKind::Union(members),
                span: parser.since(start),
            })
        })
    }

    fn type_one(&mut self) -> Parsed<Type> {
        let start = self.span();
        let is_function = self.at_keyword(Keyword::Func) || self.at_fn_type();
        let kind = if is_function {
            self.bump();
            self.function_type()?
        } else if self.take_keyword(Keyword::Null) {
            TypeKind::Null
        } else if let Some(name) = self.take_name() {
            TypeKind::Name(name.text)
        } else {
            return Err(self.expected("type annotation"));
        };
        let mut found = Type {
            kind,
            span: self.since(start),
        };
        loop {
            let (kind, end) = if let Some(end) = self.question_mark() {
                (TypeKind::Optional(Box::new(found)), end)
            } else if let Some(end) = self.empty_brackets() {
                (TypeKind::Array(Box::new(found)), end)
            } else if self.take_operator(Operator::Less) {
                let (args, end) = self.type_arguments()?;
                (
                    TypeKind::Generic {
                        base: Box::new(found),
                        args,
                    },
                    end,
                )
            } else {
                return Ok(found);
            };
            found = Type {
                kind,
                span: start.to(end),
            };
        }
    }

    fn at_fn_type(&self) -> bool {
        self.at_word("fn")
            && self.ahead(1).is_punctuation(Punctuation::LeftParen)
            && self
                .token_behind(self.position + 1)
                .is_some_and(|token| token.is_operator(Operator::Arrow))
    }

    fn function_type(&mut self) -> Parsed<TypeKind> {
        let mut params = Vec::new();
        if self.at(Punctuation::LeftParen) {
            let opening = self.bump();
            while !self.at(Punctuation::RightParen) {
                params.push(self.type_union()?);
                if !self.take(Punctuation::Comma) {
                    break;
                }
            }
            self.expect_close(Punctuation::RightParen, "function type", opening)?;
        }
        let result = self.result_type()?.map(Box::new);
        Ok(TypeKind::Func { params, result })
    }

    /// `?`, also as the first half of `??`.
    fn question_mark(&mut self) -> Option<Span> {
        if self.at_operator(Operator::Coalesce) {
            return Some(self.take_half(Operator::Question));
        }
        self.at_operator(Operator::Question).then(|| self.bump())
    }

    /// `[]`
    fn empty_brackets(&mut self) -> Option<Span> {
        let found = self.at(Punctuation::LeftBracket)
            && self.ahead(1).is_punctuation(Punctuation::RightBracket);
        found.then(|| {
            self.bump();
            self.bump()
        })
    }

    /// `type, … >` after a `<`; the `>` may be the first half of `>=`.
    fn type_arguments(&mut self) -> Parsed<(Vec<Type>, Span)> {
        let mut args = vec![self.type_union()?];
        while self.take(Punctuation::Comma) {
            args.push(self.type_union()?);
        }
        if self.at_operator(Operator::GreaterEqual) {
            Ok((args, self.take_half(Operator::Equal)))
        } else if self.at_operator(Operator::Greater) {
            Ok((args, self.bump()))
        } else {
            Err(self.expected("'>' to close type arguments"))
        }
    }

    /// Takes the first character of an operator of two, which the lexer could
    /// not know to be two operators, and leaves the second.
    fn take_half(&mut self, second: Operator) -> Span {
        let token = &mut self.tokens[self.position];
        let middle = token.span.start + 1;
        let first = Span {
            end: middle,
            ..token.span
        };
        token.kind = TokenKind::Operator(second);
        token.span.start = middle;
        first
    }
}
