//! Primary expressions: literals, names, and what begins with a word of its own.

use super::{Header, Parsed, Parser};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::limit;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};
use std::sync::Arc;

impl Parser {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::Identifier(name) => return self.name_expression(name.clone()),
            TokenKind::Keyword(keyword) => return self.keyword_expression(*keyword),
            TokenKind::Int(value) => {
                let literal = Literal::Int(self.int(*value)?);
                self.bump();
                ExprKind::Literal(literal)
            }
            TokenKind::Float(value) => {
                let literal = Literal::Float(*value);
                self.bump();
                ExprKind::Literal(literal)
            }
            TokenKind::Str(text) => {
                let literal = Literal::Str(text.clone());
                self.bump();
                ExprKind::Literal(literal)
            }
            TokenKind::StringStart => ExprKind::Interpolated(self.pieces()?),
            TokenKind::Punctuation(Punctuation::LeftParen) => self.parenthesized()?,
            TokenKind::Punctuation(Punctuation::LeftBracket) => self.array()?,
            TokenKind::Punctuation(Punctuation::LeftBrace) => self.dictionary()?,
            _ => return Err(self.error_here("Expected expression")),
        };
        Ok(Expr {
            kind,
            span: self.since(start),
        })
    }

    /// The lexer lets 2⁶³ through after any `-`, even one that subtracts.
    pub(super) fn int(&mut self, value: u64) -> Parsed<i64> {
        i64::try_from(value).map_err(|_| {
            let message = format!("Numeric literal overflow: {value}");
            self.report(Diagnostic::error(Code::NumberOverflow, self.span()).message(message))
        })
    }

    fn name_expression(&mut self, name: Arc<str>) -> Parsed<Expr> {
        let start = self.span();
        let kind = if *name == *"fn" && self.is_fn_keyword() {
            return self.func_literal();
        } else if self.ahead(1).is_operator(Operator::ColonColon) {
            self.tag()?
        } else if let Some(wrapper) = wrapper(&name) {
            self.wrap(wrapper, &name)?
        } else if *name == *"None" {
            self.bump();
            ExprKind::None
        } else if self.is_struct_literal() {
            self.struct_literal()?
        } else {
            self.bump();
            ExprKind::Name(name)
        };
        Ok(Expr {
            kind,
            span: self.since(start),
        })
    }

    fn keyword_expression(&mut self, keyword: Keyword) -> Parsed<Expr> {
        let start = self.span();
        let kind = match keyword {
            Keyword::True => self.word_literal(Literal::Bool(true)),
            Keyword::False => self.word_literal(Literal::Bool(false)),
            Keyword::Null => self.word_literal(Literal::Null),
            Keyword::SelfWord => {
                self.bump();
                ExprKind::Name(keyword.text().into())
            }
            Keyword::Func | Keyword::Async => return self.func_literal(),
            Keyword::If => ExprKind::If(Box::new(self.nested("if expression", Self::if_chain)?)),
            Keyword::Spawn => {
                self.bump();
                ExprKind::Spawn(self.block("spawn block")?)
            }
            Keyword::Yield => self.yield_expression()?,
            Keyword::Throw => self.throw_expression()?,
            _ => return Err(self.error_here("Expected expression")),
        };
        Ok(Expr {
            kind,
            span: self.since(start),
        })
    }

    fn word_literal(&mut self, literal: Literal) -> ExprKind {
        self.bump();
        ExprKind::Literal(literal)
    }

    fn yield_expression(&mut self) -> Parsed<ExprKind> {
        if let Some(has_yield) = self.yields.last_mut() {
            *has_yield = true;
        }
        self.nested("yield expression", |parser| {
            parser.bump();
            let has_operand = parser.has_operand();
            let value = if has_operand {
                Some(Box::new(parser.expression()?))
            } else {
                None
            };
            Ok(ExprKind::Yield(value))
        })
    }

    fn throw_expression(&mut self) -> Parsed<ExprKind> {
        self.nested("throw expression", |parser| {
            parser.bump();
            if !parser.has_operand() {
                return Err(parser.error_here("Expected expression"));
            }
            if !parser.is_argument_list() {
                let value = Box::new(parser.expression()?);
                return Ok(ExprKind::Throw(ThrowOperand::One(value)));
            }
            let mut args = parser.arguments("function call arguments")?;
            let operand = match (args.pop(), args.is_empty()) {
                (Some(Arg::One(value)), true) => ThrowOperand::One(Box::new(value)),
                _ => ThrowOperand::Malformed,
            };
            Ok(ExprKind::Throw(operand))
        })
    }

    /// Whether the parentheses here can only be an argument list, not an
    /// expression that happens to be in parentheses.
    fn is_argument_list(&self) -> bool {
        let Some(closing) = self
            .partner(self.position)
            .filter(|_| self.at(Punctuation::LeftParen))
        else {
            return false;
        };
        let first = self.ahead(1);
        let mut index = self.position + 1;
        let mut is_list = index == closing
            || first.is_operator(Operator::Ellipsis)
            || first.is_word() && self.ahead(2).is_operator(Operator::Equal);
        while index < closing && !is_list {
            is_list = self.tokens[index].is_punctuation(Punctuation::Comma);
            index = self.partner(index).unwrap_or(index) + 1;
        }
        is_list
    }
}

/// Constructors.
impl Parser {
    /// `E::V` or `E::V(…)`
    fn tag(&mut self) -> Parsed<ExprKind> {
        let Some(enum_name) = self.take_name() else {
            return Err(self.error_here("Expected expression"));
        };
        let sign = self.bump();
        let Some(variant) = self.take_name() else {
            return Err(self.missing_name(sign, "a variant name belongs after this"));
        };
        let args = if self.continues_with(Punctuation::LeftParen) {
            Some(self.arguments("tag expression arguments")?)
        } else {
            None
        };
        Ok(ExprKind::Tag {
            enum_name,
            variant,
            args,
        })
    }

    /// `Ok(e)`, `Err(e)`, `Some(e)`
    fn wrap(&mut self, wrapper: Wrapper, name: &str) -> Parsed<ExprKind> {
        self.bump();
        if !self.at(Punctuation::LeftParen) {
            return Err(self.error_here(format!("Expected '(' after '{name}'")));
        }
        let what = format!("{name}(...)");
        self.bracketed(&what, |parser| {
            let opening = parser.bump();
            let value = Box::new(parser.expression()?);
            parser.expect_close(Punctuation::RightParen, &what, opening)?;
            Ok(ExprKind::Wrap { wrapper, value })
        })
    }

    /// Whether the name here and the `{` behind it begin a struct literal
    /// (reference, 2.3).
    pub(super) fn is_struct_literal(&self) -> bool {
        let brace = self.ahead(1);
        if brace.starts_line || !brace.is_punctuation(Punctuation::LeftBrace) {
            return false;
        }
        let first = self.ahead(2);
        if first.is_punctuation(Punctuation::RightBrace) {
            return self.header == Header::None;
        }
        let begins_clause = first.is_keyword(Keyword::Case) || first.is_identifier("default");
        first.is_word()
            && self.ahead(3).is_punctuation(Punctuation::Colon)
            && !(begins_clause && self.header == Header::Match)
    }

    fn struct_literal(&mut self) -> Parsed<ExprKind> {
        let Some(name) = self.take_name() else {
            return Err(self.error_here("Expected expression"));
        };
        self.bracketed("struct literal", |parser| {
            let opening = parser.bump();
            let mut fields = Vec::new();
            while parser.ahead(1).is_punctuation(Punctuation::Colon)
                && let Some(field) = parser.take_any_word()
            {
                parser.bump();
                fields.push((field, parser.expression()?));
                if !parser.take(Punctuation::Comma) {
                    break;
                }
            }
            parser.expect_close(Punctuation::RightBrace, "struct literal", opening)?;
            Ok(ExprKind::StructLiteral { name, fields })
        })
    }
}

fn wrapper(name: &str) -> Option<Wrapper> {
    Some(match name {
        "Ok" => Wrapper::Ok,
        "Err" => Wrapper::Err,
        "Some" => Wrapper::Some,
        _ => return None,
    })
}

/// Brackets and strings.
impl Parser {
    fn parenthesized(&mut self) -> Parsed<ExprKind> {
        let what = "parenthesized expression";
        self.bracketed(what, |parser| {
            let opening = parser.bump();
            let inner = Box::new(parser.expression()?);
            parser.expect_close(Punctuation::RightParen, what, opening)?;
            Ok(ExprKind::Paren(inner))
        })
    }

    fn array(&mut self) -> Parsed<ExprKind> {
        let maximum = limit::LITERAL_ITEMS;
        self.bracketed("array literal", |parser| {
            let opening = parser.bump();
            let mut elements = Vec::new();
            while !parser.at(Punctuation::RightBracket) {
                if elements.len() == maximum {
                    return Err(parser.error_here(format!(
                        "Array literal exceeds maximum element count of {maximum}"
                    )));
                }
                elements.push(if parser.take_operator(Operator::Ellipsis) {
                    Element::Spread(parser.expression()?)
                } else {
                    Element::One(parser.expression()?)
                });
                if !parser.take(Punctuation::Comma) {
                    break;
                }
            }
            parser.expect_close(Punctuation::RightBracket, "array literal", opening)?;
            Ok(ExprKind::Array(elements))
        })
    }

    fn dictionary(&mut self) -> Parsed<ExprKind> {
        let maximum = limit::LITERAL_ITEMS;
        self.bracketed("dictionary literal", |parser| {
            let opening = parser.bump();
            let mut entries = Vec::new();
            while !parser.at(Punctuation::RightBrace) {
                if entries.len() == maximum {
                    return Err(parser.error_here(format!(
                        "Dictionary literal exceeds maximum item count of {maximum}"
                    )));
                }
                entries.push(parser.entry()?);
                if !parser.take(Punctuation::Comma) {
                    break;
                }
            }
            parser.expect_close(Punctuation::RightBrace, "dictionary literal", opening)?;
            Ok(ExprKind::Dict(entries))
        })
    }

    fn entry(&mut self) -> Parsed<Entry> {
        if self.take_operator(Operator::Ellipsis) {
            return Ok(Entry::Spread(self.expression()?));
        }
        let is_name = self.token().is_name();
        let is_bare = self.ahead(1).is_punctuation(Punctuation::Colon);
        let key = match if is_bare { self.take_any_word() } else { None } {
            Some(name) if is_name => Key::Name(name),
            Some(word) => Key::Word(word),
            None => Key::Computed(self.expression()?),
        };
        if !self.take(Punctuation::Colon) {
            return Err(self.error_here("Expected ':' in dictionary literal"));
        }
        Ok(Entry::Pair {
            key,
            value: self.expression()?,
        })
    }

    /// The inside of a string with interpolation.
    fn pieces(&mut self) -> Parsed<Vec<Piece>> {
        let what = "interpolated string expression";
        self.bump();
        let mut pieces = Vec::new();
        loop {
            match self.kind() {
                TokenKind::StringText(text) => {
                    pieces.push(Piece::Text(text.clone()));
                    self.bump();
                }
                TokenKind::InterpolationStart => {
                    pieces.push(Piece::Value(self.bracketed(what, Self::interpolation)?));
                }
                TokenKind::StringEnd => {
                    self.bump();
                    return Ok(pieces);
                }
                _ => return Err(self.error_here("Invalid interpolated string expression")),
            }
        }
    }

    fn interpolation(&mut self) -> Parsed<Expr> {
        let opening: Span = self.bump();
        let value = self.expression()?;
        if *self.kind() != TokenKind::InterpolationEnd {
            let diagnostic = self
                .syntax_error("Invalid interpolated string expression")
                .note(opening, "opened here");
            return Err(self.report(diagnostic));
        }
        self.bump();
        Ok(value)
    }
}
