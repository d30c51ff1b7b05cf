//! Statements: which one it is, blocks, bindings and assignments.

use super::{Header, Parsed, Parser};
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
        if self.at_word("extern") && self.is_foreign_declaration() {
            return Some(self.foreign_declaration());
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

    pub(super) fn is_destructuring(&self) -> bool {
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
    pub(super) fn binding(&mut self, kind: BindingKind) -> Parsed<StmtKind> {
        self.bump();
        let pattern = self.pattern("Invalid assignment target")?;
        self.binding_value(kind, pattern, "let")
    }

    pub(super) fn constant(&mut self) -> Parsed<StmtKind> {
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

    pub(super) fn destructure(&mut self) -> Parsed<StmtKind> {
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
    pub(super) fn simple_statement(&mut self) -> Parsed<StmtKind> {
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
