//! Expressions: operators, calls, indexes and fields.
//!
//! Operator levels are numbers, tightest highest; `binary` climbs them.  Its
//! loop, and the one in `postfix`, keep long chains off the machine stack.

use super::{Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

const PIPE: u8 = 1;
const COALESCE: u8 = 2;
const OR: u8 = 3;
const AND: u8 = 4;
const NOT: u8 = 5;
const EQUALITY: u8 = 6;
const COMPARISON: u8 = 7;
const TERM: u8 = 8;
const FACTOR: u8 = 9;

#[derive(Clone, Copy)]
enum Infix {
    Pipe,
    Coalesce,
    Or,
    And,
    Binary(BinaryOp),
}

impl Infix {
    fn level(self) -> u8 {
        match self {
            Self::Pipe => PIPE,
            Self::Coalesce => COALESCE,
            Self::Or => OR,
            Self::And => AND,
            Self::Binary(operator) => match operator {
                BinaryOp::Equal | BinaryOp::NotEqual => EQUALITY,
                BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual => COMPARISON,
                BinaryOp::Add | BinaryOp::Subtract => TERM,
                BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => FACTOR,
            },
        }
    }

    fn combine(self, left: Box<Expr>, right: Box<Expr>) -> ExprKind {
        match self {
            Self::Pipe => ExprKind::Pipe(left, right),
            Self::Coalesce => ExprKind::Coalesce(left, right),
            Self::Or => ExprKind::Or(left, right),
            Self::And => ExprKind::And(left, right),
            Self::Binary(operator) => ExprKind::Binary {
                operator,
                left,
                right,
            },
        }
    }
}

fn infix(kind: &TokenKind) -> Option<Infix> {
    let operator = match kind {
        TokenKind::Keyword(Keyword::Or) => return Some(Infix::Or),
        TokenKind::Keyword(Keyword::And) => return Some(Infix::And),
        TokenKind::Operator(operator) => operator,
        _ => return None,
    };
    Some(match operator {
        Operator::Pipe => Infix::Pipe,
        Operator::Coalesce => Infix::Coalesce,
        Operator::OrOr => Infix::Or,
        Operator::AndAnd => Infix::And,
        Operator::EqualEqual => Infix::Binary(BinaryOp::Equal),
        Operator::BangEqual => Infix::Binary(BinaryOp::NotEqual),
        Operator::Less => Infix::Binary(BinaryOp::Less),
        Operator::LessEqual => Infix::Binary(BinaryOp::LessEqual),
        Operator::Greater => Infix::Binary(BinaryOp::Greater),
        Operator::GreaterEqual => Infix::Binary(BinaryOp::GreaterEqual),
        Operator::Plus => Infix::Binary(BinaryOp::Add),
        Operator::Minus => Infix::Binary(BinaryOp::Subtract),
        Operator::Star => Infix::Binary(BinaryOp::Multiply),
        Operator::Slash => Infix::Binary(BinaryOp::Divide),
        Operator::Percent => Infix::Binary(BinaryOp::Remainder),
        _ => return None,
    })
}

/// Operators.
impl Parser {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.binary(PIPE)
    }

    /// An expression of operators at `floor` or tighter.
    fn binary(&mut self, floor: u8) -> Parsed<Expr> {
        let mut left = if floor <= NOT && self.at_keyword(Keyword::Not) {
            self.negation()?
        } else {
            self.unary()?
        };
        while let Some(infix) = infix(self.kind())
            && infix.level() >= floor
        {
            self.bump();
            let right = self.binary(infix.level() + 1)?;
            let span = left.span.to(right.span);
            left = Expr {
                kind: infix.combine(Box::new(left), Box::new(right)),
                span,
            };
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed<Expr> {
        self.prefix(
            "'not' expression",
            |parser| parser.binary(NOT),
            ExprKind::Not,
        )
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let negate = |operand| ExprKind::Unary {
            operator: UnaryOp::Negate,
            operand,
        };
        let not = |operand| ExprKind::Unary {
            operator: UnaryOp::Not,
            operand,
        };
        match self.kind() {
            TokenKind::Operator(Operator::Minus) if self.is_smallest_int() => {
                let start = self.bump();
                let span = start.to(self.bump());
                self.postfix(Expr {
                    kind: ExprKind::Literal(Literal::Int(i64::MIN)),
                    span,
                })
            }
            TokenKind::Operator(Operator::Minus) => {
                self.prefix("unary expression", Self::unary, negate)
            }
            TokenKind::Operator(Operator::Bang) => {
                self.prefix("unary expression", Self::unary, not)
            }
            TokenKind::Keyword(Keyword::Await) => {
                self.prefix("await expression", Self::unary, ExprKind::Await)
            }
            _ => {
                let primary = self.primary()?;
                self.postfix(primary)
            }
        }
    }

    fn prefix(
        &mut self,
        what: &str,
        operand: impl FnOnce(&mut Self) -> Parsed<Expr>,
        wrap: impl FnOnce(Box<Expr>) -> ExprKind,
    ) -> Parsed<Expr> {
        self.nested(what, |parser| {
            let start = parser.bump();
            let operand = operand(parser)?;
            let span = start.to(operand.span);
            Ok(Expr {
                kind: wrap(Box::new(operand)),
                span,
            })
        })
    }

    /// The digits of 2⁶³ right after a `-`.
    pub(super) fn is_smallest_int(&self) -> bool {
        let digits = self.ahead(1);
        digits.kind == TokenKind::Int(1 << 63) && digits.span.start == self.span().end
    }
}

/// What follows a primary expression.
impl Parser {
    /// Calls, indexes, fields and `?`, from left to right.
    fn postfix(&mut self, primary: Expr) -> Parsed<Expr> {
        let mut expr = primary;
        loop {
            let start = expr.span;
            let kind = if self.continues_with(Punctuation::LeftParen) {
                let args = self.arguments("function call arguments")?;
                self.embeds.extend(embed(&expr, &args));
                ExprKind::Call {
                    callee: Box::new(expr),
                    args,
                }
            } else if self.continues_with(Punctuation::LeftBracket) {
                let index = self.index()?;
                ExprKind::Index {
                    object: Box::new(expr),
                    index: Box::new(index),
                }
            } else if self.at(Punctuation::Dot) || self.at_operator(Operator::QuestionDot) {
                self.member(expr)?
            } else if self.take_operator(Operator::Question) {
                ExprKind::Try(Box::new(expr))
            } else {
                return Ok(expr);
            };
            expr = Expr {
                kind,
                span: self.since(start),
            };
        }
    }

    fn index(&mut self) -> Parsed<Expr> {
        self.bracketed("index expression", |parser| {
            let opening = parser.bump();
            let index = parser.expression()?;
            parser.expect_close(Punctuation::RightBracket, "index expression", opening)?;
            Ok(index)
        })
    }

    /// `.name` or `?.name`, and the arguments if it is a call.
    fn member(&mut self, object: Expr) -> Parsed<ExprKind> {
        let optional = self.at_operator(Operator::QuestionDot);
        let dot = self.bump();
        let Some(name) = self.take_any_word() else {
            return Err(self.missing_name(dot, "a field or method name belongs after this"));
        };
        let object = Box::new(object);
        if !self.continues_with(Punctuation::LeftParen) {
            return Ok(ExprKind::Field {
                object,
                field: name,
                optional,
            });
        }
        let args = self.arguments("method call arguments")?;
        Ok(ExprKind::MethodCall {
            receiver: object,
            method: name,
            args,
            optional,
        })
    }

    pub(super) fn missing_name(&mut self, sign: Span, hint: &str) -> super::Reported {
        let diagnostic = self.syntax_error("Expected expression").note(sign, hint);
        self.report(diagnostic)
    }

    /// `(…)` after what is called; `what` is how messages call it.
    pub(super) fn arguments(&mut self, what: &str) -> Parsed<Vec<Arg>> {
        self.bracketed(what, |parser| {
            let opening = parser.bump();
            let mut args = Vec::new();
            while !parser.at(Punctuation::RightParen) {
                args.push(parser.argument()?);
                if !parser.take(Punctuation::Comma) {
                    break;
                }
            }
            parser.expect_close(Punctuation::RightParen, what, opening)?;
            Ok(args)
        })
    }

    fn argument(&mut self) -> Parsed<Arg> {
        if self.take_operator(Operator::Ellipsis) {
            return Ok(Arg::Spread(self.expression()?));
        }
        if self.ahead(1).is_operator(Operator::Equal)
            && let Some(name) = self.take_any_word()
        {
            self.bump();
            return Ok(Arg::Named(name, self.expression()?));
        }
        Ok(Arg::One(self.expression()?))
    }
}

/// The call as one that takes a file or a folder in.
fn embed(callee: &Expr, args: &[Arg]) -> Option<Embed> {
    let (ExprKind::Name(name), [Arg::One(path)]) = (&callee.kind, args) else {
        return None;
    };
    let ExprKind::Literal(Literal::Str(text)) = &path.kind else {
        return None;
    };
    let is_folder = match &**name {
        "embed_file" => false,
        "embed_dir" => true,
        _ => return None,
    };
    Some(Embed {
        offset: callee.span.start,
        is_folder,
        path: text.clone(),
        path_span: path.span,
    })
}
