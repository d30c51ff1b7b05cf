//! Statements: blocks, bindings, assignments and control flow.
//!
//! Declarations are in `item`, the parts of `match` in `pattern`.

use super::{Header, Parsed, Parser};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::limit;
use crate::syntax::token::{Keyword, Operator, Punctuation, TokenKind};

/// Sequences of statements.
impl Parser {
    pub(super) fn program(&mut self) -> Vec<Stmt> {
        let mut body = Vec::new();
        while !self.at_end() && !self.is_done {
            self.statements(&mut body);
            if self.at(Punctuation::RightBrace) {
                // After an error this is most likely its other half.
                if self.diagnostics.is_empty() {
                    self.error_here("Invalid statement");
                }
                self.bump();
            }
        }
        body
    }

    /// Statements up to a `}` or the end.  Each error costs one statement.
    fn statements(&mut self, into: &mut Vec<Stmt>) {
        loop {
            while self.take(Punctuation::Semicolon) {}
            if self.is_done || self.at_end() || self.at(Punctuation::RightBrace) {
                return;
            }
            let start = self.position;
            match self.statement() {
                Ok(statement) => {
                    self.is_lost = false;
                    into.push(statement);
                }
                Err(_) => self.recover(start),
            }
        }
    }

    /// `{ … }`; `what` is how messages call it.
    pub(super) fn block(&mut self, what: &str) -> Parsed<Block> {
        let opening = self.span();
        if !self.at(Punctuation::LeftBrace) {
            return Err(self.expected(&format!("'{{' to start {what}")));
        }
        if self.block_depth == limit::BLOCK_DEPTH {
            return Err(self.too_deep("block", limit::BLOCK_DEPTH, what));
        }
        self.bump();
        self.block_depth += 1;
        let mut statements = Vec::new();
        self.within(Header::None, |parser| {
            parser.statements(&mut statements);
            Ok(())
        })?;
        self.block_depth -= 1;
        let closing = self.expect_close(Punctuation::RightBrace, what, opening)?;
        Ok(Block {
            statements,
            span: opening.to(closing),
        })
    }
}

impl Parser {
    pub(super) fn statement(&mut self) -> Parsed<Stmt> {
        let start = self.span();
        let kind = self.statement_kind()?;
        Ok(Stmt {
            kind,
            span: self.since(start),
        })
    }

    fn statement_kind(&mut self) -> Parsed<StmtKind> {
        match self.kind() {
            TokenKind::Keyword(keyword) => self.keyword_statement(*keyword),
            TokenKind::Identifier(_) => match self.contextual_statement() {
                Some(statement) => statement,
                None => self.simple_statement(),
            },
            TokenKind::Punctuation(Punctuation::LeftBracket) if self.is_destructuring() => {
                self.destructure()
            }
            TokenKind::Punctuation(Punctuation::LeftBrace) => self.brace_statement(),
            _ => self.simple_statement(),
        }
    }

    fn keyword_statement(&mut self, keyword: Keyword) -> Parsed<StmtKind> {
        match keyword {
            Keyword::Let => self.binding(BindingKind::Let),
            Keyword::Mut => self.binding(BindingKind::Mut),
            Keyword::Const => self.constant(),
            Keyword::Func if !self.is_function_literal(1) => self.func_declaration(),
            Keyword::Async if self.is_async_declaration() => self.func_declaration(),
            Keyword::Struct => self.struct_declaration(),
            Keyword::Enum => self.enum_declaration(),
            Keyword::Import => self.import(),
            Keyword::From => self.symbol_import(),
            Keyword::Export => self.export(),
            Keyword::If => Ok(StmtKind::If(Box::new(self.if_chain()?))),
            Keyword::While => self.while_loop(),
            Keyword::Loop => self.plain_loop(),
            Keyword::For => self.for_loop(),
            Keyword::Match => self.match_statement(),
            Keyword::Try => self.try_statement(),
            Keyword::Return => self.return_statement(),
            Keyword::Break => {
                self.bump();
                Ok(StmtKind::Break)
            }
            Keyword::Continue => {
                self.bump();
                Ok(StmtKind::Continue)
            }
            _ => self.simple_statement(),
        }
    }

    /// Statements that begin with a word that is a name anywhere else.
    fn contextual_statement(&mut self) -> Option<Parsed<StmtKind>> {
        if self.at_word("fn") && self.is_fn_keyword() && self.ahead(1).is_name() {
            return Some(self.func_declaration());
        }
        self.test_declaration()
    }

    /// A destructuring, a dictionary or a block: the three readings of `{` at
    /// the start of a statement (reference, 2.3).
    fn brace_statement(&mut self) -> Parsed<StmtKind> {
        if self.is_destructuring() {
            self.destructure()
        } else if self.is_dictionary() {
            self.simple_statement()
        } else {
            Ok(StmtKind::Block(self.block("block")?))
        }
    }

    fn is_destructuring(&self) -> bool {
        self.token_behind(self.position).is_some_and(|token| {
            token.is_operator(Operator::ColonEqual) || token.is_operator(Operator::Equal)
        })
    }

    /// Whether the `{` here is followed by what begins a dictionary entry.
    fn is_dictionary(&self) -> bool {
        let first = self.ahead(1);
        let behind_first = match &first.kind {
            TokenKind::Punctuation(Punctuation::RightBrace)
            | TokenKind::Operator(Operator::Ellipsis) => return true,
            TokenKind::Identifier(_)
            | TokenKind::Keyword(_)
            | TokenKind::Str(_)
            | TokenKind::Int(_)
            | TokenKind::Float(_) => Some(self.ahead(2)),
            TokenKind::StringStart | TokenKind::Punctuation(Punctuation::LeftParen) => {
                self.token_behind(self.position + 1)
            }
            _ => None,
        };
        behind_first.is_some_and(|token| token.is_punctuation(Punctuation::Colon))
    }
}

/// Bindings and assignments.
impl Parser {
    fn binding(&mut self, kind: BindingKind) -> Parsed<StmtKind> {
        self.bump();
        let pattern = self.pattern("Invalid assignment target")?;
        self.binding_value(kind, pattern, "let")
    }

    fn constant(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let Some(name) = self.take_name() else {
            return Err(self.error_here("Expected constant name after 'const'"));
        };
        let pattern = Pattern {
            span: name.span,
            kind: PatternKind::Name(name),
        };
        self.binding_value(BindingKind::Const, pattern, "const")
    }

    fn binding_value(
        &mut self,
        kind: BindingKind,
        pattern: Pattern,
        word: &str,
    ) -> Parsed<StmtKind> {
        let annotation = self.annotation()?;
        if !self.take_binding_operator() {
            return Err(self.expected(&format!(
                "assignment operator (':=' or '=') in {word} declaration"
            )));
        }
        let value = self.assigned_value()?;
        Ok(StmtKind::Binding {
            kind,
            pattern,
            annotation,
            value,
        })
    }

    fn take_binding_operator(&mut self) -> bool {
        self.take_operator(Operator::ColonEqual) || self.take_operator(Operator::Equal)
    }

    fn destructure(&mut self) -> Parsed<StmtKind> {
        let pattern = self.pattern("Invalid assignment target")?;
        if !self.take_binding_operator() {
            return Err(self.error_here("Invalid assignment target"));
        }
        let value = self.assigned_value()?;
        Ok(StmtKind::Destructure { pattern, value })
    }

    /// The right side of an assignment, which ends the statement.
    fn assigned_value(&mut self) -> Parsed<Expr> {
        let value = self.expression()?;
        if self.assignment_operator().is_some() {
            return Err(self.error_here(
                "Chained assignment is not supported; \
                 split the assignment into separate statements",
            ));
        }
        Ok(value)
    }

    /// An expression or an assignment to one.
    fn simple_statement(&mut self) -> Parsed<StmtKind> {
        if !self.can_start_expression() {
            return Err(self.error_here("Invalid statement"));
        }
        let target = self.expression()?;
        let Some(assignment) = self.assignment_operator() else {
            return Ok(StmtKind::Expr(target));
        };
        let span = target.span;
        let Some(place) = place(target) else {
            return Err(self.error(span, "Invalid assignment target"));
        };
        self.bump();
        let value = self.assigned_value()?;
        Ok(match assignment {
            Assignment::Plain => StmtKind::Assign { place, value },
            Assignment::Compound(operator) => StmtKind::CompoundAssign {
                place,
                operator,
                value,
            },
        })
    }

    fn assignment_operator(&self) -> Option<Assignment> {
        let TokenKind::Operator(operator) = self.kind() else {
            return None;
        };
        Some(match operator {
            Operator::ColonEqual | Operator::Equal => Assignment::Plain,
            Operator::PlusEqual => Assignment::Compound(BinaryOp::Add),
            Operator::MinusEqual => Assignment::Compound(BinaryOp::Subtract),
            Operator::StarEqual => Assignment::Compound(BinaryOp::Multiply),
            Operator::SlashEqual => Assignment::Compound(BinaryOp::Divide),
            Operator::PercentEqual => Assignment::Compound(BinaryOp::Remainder),
            _ => return None,
        })
    }
}

enum Assignment {
    Plain,
    Compound(BinaryOp),
}

/// Reads an expression as a place; `None` if it is anything else.
fn place(target: Expr) -> Option<Place> {
    let span = target.span;
    let mut steps = Vec::new();
    let mut rest = target;
    loop {
        match rest.kind {
            ExprKind::Name(text) => {
                if is_constructor(&text) {
                    return None;
                }
                steps.reverse();
                return Some(Place {
                    root: Name {
                        text,
                        span: rest.span,
                    },
                    steps,
                    span,
                });
            }
            ExprKind::Field {
                object,
                field,
                optional: false,
            } => {
                steps.push(PlaceStep::Field(field));
                rest = *object;
            }
            ExprKind::Index { object, index } => {
                steps.push(PlaceStep::Index(*index));
                rest = *object;
            }
            _ => return None,
        }
    }
}

/// Names that cannot be variables.
pub(super) fn is_constructor(name: &str) -> bool {
    matches!(name, "Ok" | "Err" | "Some" | "None" | "Result" | "Option")
}

/// Control flow.
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

    fn while_loop(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let condition = Some(self.condition()?);
        Ok(StmtKind::While {
            condition,
            body: self.block("while body")?,
        })
    }

    fn plain_loop(&mut self) -> Parsed<StmtKind> {
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

    fn for_loop(&mut self) -> Parsed<StmtKind> {
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

    fn try_statement(&mut self) -> Parsed<StmtKind> {
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

    fn return_statement(&mut self) -> Parsed<StmtKind> {
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
