//! The walk over everything that can run: the program, and every test with
//! what it shares with others.  What a later declaration replaces is left out.

use super::{Checked, place};
use crate::resolve::{Resolved, Unit};
use crate::source::Span;
use crate::syntax::ast::*;

/// Sees the parts of a program, outer ones first.  `copy` is that of the
/// source, see `resolve::Place`.
pub trait Visitor {
    /// A sequence of statements with a scope.
    fn block(&mut self, _statements: &[Stmt]) {}

    fn statement(&mut self, _statement: &Stmt, _copy: u32) {}

    fn expr(&mut self, _expr: &Expr, _copy: u32) {}

    /// A function of any kind that is written with parameters.
    fn func(&mut self, _func: &Func, _copy: u32) {}
}

pub fn walk(checked: &Checked, visitor: &mut dyn Visitor) {
    let mut walk = Walk {
        resolved: &checked.lowered.resolved,
        names: checked.names(),
        copy: 0,
        visitor,
    };
    walk.statements(&checked.tree.body);
    for (test, copy) in checked.tests.iter().zip(1..) {
        walk.copy = copy;
        for block in test.blocks() {
            walk.statements(block);
        }
    }
}

struct Walk<'w> {
    resolved: &'w Resolved,
    names: &'w Unit,
    copy: u32,
    visitor: &'w mut dyn Visitor,
}

impl Walk<'_> {
    fn statements(&mut self, statements: &[Stmt]) {
        self.visitor.block(statements);
        for statement in statements {
            self.statement(statement);
        }
    }

    fn block(&mut self, block: &Block) {
        self.statements(&block.statements);
    }

    fn statement(&mut self, statement: &Stmt) {
        self.visitor.statement(statement, self.copy);
        match &statement.kind {
            StmtKind::Binding { value, .. } | StmtKind::Destructure { value, .. } => {
                self.expr(value);
            }
            StmtKind::Assign { place, value } | StmtKind::CompoundAssign { place, value, .. } => {
                self.expr(value);
                for step in &place.steps {
                    if let PlaceStep::Index(index) = step {
                        self.expr(index);
                    }
                }
            }
            StmtKind::Func(func) => self.func(func),
            StmtKind::Struct(declaration) => self.declared_struct(declaration),
            StmtKind::Export(inner) => self.statement(inner),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::While { condition, body } => {
                condition.iter().for_each(|condition| self.expr(condition));
                self.block(body);
            }
            StmtKind::For { iterable, body, .. } => {
                self.expr(iterable);
                self.block(body);
            }
            StmtKind::CFor {
                init,
                condition,
                step,
                body,
            } => {
                init.iter().for_each(|init| self.statement(init));
                condition.iter().for_each(|condition| self.expr(condition));
                self.block(body);
                step.iter().for_each(|step| self.statement(step));
            }
            StmtKind::Match(matching) => self.matching(matching),
            StmtKind::Try { body, handler, .. } => {
                self.block(body);
                self.block(handler);
            }
            StmtKind::Return(value) => value.iter().for_each(|value| self.expr(value)),
            StmtKind::Block(block) => self.block(block),
            StmtKind::Expr(expr) => self.expr(expr),
            // Tests come after the program, one by one.
            StmtKind::Test(_)
            | StmtKind::Enum(_)
            | StmtKind::Import(_)
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }

    fn matching(&mut self, matching: &Match) {
        self.expr(&matching.subject);
        for clause in &matching.clauses {
            clause.guard.iter().for_each(|guard| self.expr(guard));
            self.block(&clause.body);
        }
        matching.default.iter().for_each(|block| self.block(block));
    }

    fn branch(&mut self, branch: &If) {
        let mut branch = branch;
        loop {
            self.expr(&branch.condition);
            self.block(&branch.then);
            match &branch.otherwise {
                Some(Else::If(next)) => branch = next,
                Some(Else::Block(block)) => return self.block(block),
                None => return,
            }
        }
    }

    fn is_dead(&self, span: Span) -> bool {
        let function = self.names.function_at(place(self.copy, span));
        self.resolved.functions[function].is_dead
    }

    fn func(&mut self, func: &Func) {
        if !self.is_dead(func.span) {
            self.visitor.func(func, self.copy);
            self.block(&func.body);
        }
    }

    fn declared_struct(&mut self, declaration: &StructDecl) {
        for method in &declaration.methods {
            self.func(method);
        }
        for field in &declaration.fields {
            if let Some(default) = &field.default
                && !self.is_dead(field.name.span)
            {
                self.expr(default);
            }
        }
    }

    /// Long chains lean to the left: their spine is walked, not recursed into.
    fn expr(&mut self, expr: &Expr) {
        let mut spine = Vec::new();
        let mut leftmost = expr;
        while let ExprKind::Binary { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right)
        | ExprKind::Coalesce(left, right)
        | ExprKind::Pipe(left, right) = &leftmost.kind
        {
            self.visitor.expr(leftmost, self.copy);
            spine.push(&**right);
            leftmost = left;
        }
        self.visitor.expr(leftmost, self.copy);
        self.parts(leftmost);
        for right in spine.into_iter().rev() {
            self.expr(right);
        }
    }

    /// The parts of an expression that is no such chain.
    fn parts(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::None | ExprKind::Name(_) => {}
            ExprKind::Interpolated(pieces) => {
                for piece in pieces {
                    if let Piece::Value(value) = piece {
                        self.expr(value);
                    }
                }
            }
            ExprKind::Array(elements) => {
                for Element::One(value) | Element::Spread(value) in elements {
                    self.expr(value);
                }
            }
            ExprKind::Dict(entries) => entries.iter().for_each(|entry| self.entry(entry)),
            ExprKind::StructLiteral { fields, .. } => {
                fields.iter().for_each(|(_, value)| self.expr(value));
            }
            ExprKind::Tag { args, .. } => args.iter().for_each(|args| self.args(args)),
            ExprKind::Func(func) => self.func(func),
            ExprKind::If(branch) => self.branch(branch),
            ExprKind::Spawn(block) => self.block(block),
            ExprKind::Yield(value) => value.iter().for_each(|value| self.expr(value)),
            ExprKind::Throw(ThrowOperand::One(value)) => self.expr(value),
            ExprKind::Throw(ThrowOperand::Malformed) => {}
            ExprKind::Wrap { value, .. }
            | ExprKind::Unary { operand: value, .. }
            | ExprKind::Await(value)
            | ExprKind::Not(value)
            | ExprKind::Try(value)
            | ExprKind::Paren(value) => self.expr(value),
            ExprKind::Binary { .. }
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::Pipe(..) => unreachable!("walked as a chain"),
            ExprKind::Call { callee, args } => {
                self.expr(callee);
                self.args(args);
            }
            ExprKind::MethodCall { receiver, args, .. } => {
                self.expr(receiver);
                self.args(args);
            }
            ExprKind::Field { object, .. } => self.expr(object),
            ExprKind::Index { object, index } => {
                self.expr(object);
                self.expr(index);
            }
        }
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Pair { key, value } => {
                if let Key::Computed(key) = key {
                    self.expr(key);
                }
                self.expr(value);
            }
            Entry::Spread(value) => self.expr(value),
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for Arg::One(value) | Arg::Spread(value) | Arg::Named(_, value) in args {
            self.expr(value);
        }
    }
}
