//! Branches, loops and `try`.

use super::Lowerer;
use super::emit::{Label, Loop};
use super::inspect;
use super::stmt::Binds;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{Handler, Op};

impl<'a> Lowerer<'a> {
    pub(super) fn branch(&mut self, branch: &'a If) {
        let end = self.label();
        let mut branch = branch;
        loop {
            if self.leaves_loop(branch) {
                break;
            }
            let otherwise = self.label();
            self.jump_unless(&branch.condition, otherwise);
            self.block(&branch.then);
            match &branch.otherwise {
                None => {
                    self.bind(otherwise);
                    break;
                }
                Some(next) => {
                    self.jump(Op::Jump { to: 0 }, end);
                    self.bind(otherwise);
                    match next {
                        Else::If(next) => branch = next,
                        Else::Block(block) => {
                            self.block(block);
                            break;
                        }
                    }
                }
            }
        }
        self.bind(end);
    }

    /// `if c { break }` and `if c { continue }` are one jump.
    fn leaves_loop(&mut self, branch: &'a If) -> bool {
        let ([statement], None, Some(innermost)) = (
            &*branch.then.statements,
            &branch.otherwise,
            self.frame.loops.last(),
        ) else {
            return false;
        };
        let target = match statement.kind {
            StmtKind::Break => innermost.on_break,
            StmtKind::Continue => innermost.on_continue,
            _ => return false,
        };
        let fits = self.frame.depth == innermost.depth;
        if fits {
            self.jump_if(&branch.condition, target);
        }
        fits
    }

    /// Pushes the value of the block that is chosen.
    pub(super) fn branch_value(&mut self, branch: &'a If) {
        let end = self.label();
        let mut branch = branch;
        loop {
            let otherwise = self.label();
            self.jump_unless(&branch.condition, otherwise);
            let depth = self.frame.depth;
            self.block_value(&branch.then);
            self.jump(Op::Jump { to: 0 }, end);
            self.frame.depth = depth;
            self.bind(otherwise);
            match &branch.otherwise {
                None => {
                    self.emit(Op::Null {});
                    break;
                }
                Some(Else::If(next)) => branch = next,
                Some(Else::Block(block)) => {
                    self.block_value(block);
                    break;
                }
            }
        }
        self.bind(end);
    }

    fn block_value(&mut self, block: &'a Block) {
        let scope = self.names.scope_at(block.span.start);
        self.enter_scope(scope, &block.statements);
        let Some((last, before)) = block.statements.split_last() else {
            return self.emit(Op::Null {});
        };
        self.statements(before);
        match &last.kind {
            StmtKind::Expr(value) => {
                self.at(last.span.start);
                self.expr(value);
            }
            StmtKind::If(branch) => self.branch_value(branch),
            _ => {
                self.statement(last);
                self.emit(Op::Null {});
            }
        }
    }

    /// Jumps if the condition is falsy.
    pub(super) fn jump_unless(&mut self, condition: &'a Expr, to: Label) {
        match &condition.kind {
            ExprKind::Paren(inner) => self.jump_unless(inner, to),
            ExprKind::Not(inner) => self.jump_if(inner, to),
            ExprKind::And(..) => {
                for operand in inspect::operands_of_and(condition) {
                    self.jump_unless(operand, to);
                }
            }
            ExprKind::Or(..) => {
                let operands = inspect::operands_of_or(condition);
                let holds = self.label();
                let (last, before) = operands.split_last().expect("a chain has operands");
                for operand in before {
                    self.jump_if(operand, holds);
                }
                self.jump_unless(last, to);
                self.bind(holds);
            }
            ExprKind::Literal(Literal::Bool(true)) => {}
            ExprKind::Literal(Literal::Bool(false)) => self.jump(Op::Jump { to: 0 }, to),
            _ => {
                self.expr(condition);
                self.jump(Op::JumpIfFalse { to: 0 }, to);
            }
        }
    }

    /// Jumps if the condition is truthy.
    pub(super) fn jump_if(&mut self, condition: &'a Expr, to: Label) {
        match &condition.kind {
            ExprKind::Paren(inner) => self.jump_if(inner, to),
            ExprKind::Not(inner) => self.jump_unless(inner, to),
            ExprKind::Or(..) => {
                for operand in inspect::operands_of_or(condition) {
                    self.jump_if(operand, to);
                }
            }
            ExprKind::And(..) => {
                let operands = inspect::operands_of_and(condition);
                let fails = self.label();
                let (last, before) = operands.split_last().expect("a chain has operands");
                for operand in before {
                    self.jump_unless(operand, fails);
                }
                self.jump_if(last, to);
                self.bind(fails);
            }
            ExprKind::Literal(Literal::Bool(true)) => self.jump(Op::Jump { to: 0 }, to),
            ExprKind::Literal(Literal::Bool(false)) => {}
            _ => {
                self.expr(condition);
                self.jump(Op::JumpIfTrue { to: 0 }, to);
            }
        }
    }
}

/// Loops.
impl<'a> Lowerer<'a> {
    fn enter_loop(&mut self) -> (Label, Label) {
        let (on_break, on_continue) = (self.label(), self.label());
        let depth = self.frame.depth;
        self.frame.loops.push(Loop {
            on_break,
            on_continue,
            depth,
        });
        (on_break, on_continue)
    }

    pub(super) fn leave_loop(&mut self, target: fn(&Loop) -> Label) {
        let innermost = self
            .frame
            .loops
            .last()
            .expect("the resolver refuses others");
        let (to, depth) = (target(innermost), innermost.depth);
        let before = self.frame.depth;
        while self.frame.depth > depth {
            self.emit(Op::Pop {});
        }
        self.jump(Op::Jump { to: 0 }, to);
        self.frame.depth = before;
    }

    pub(super) fn while_loop(&mut self, condition: Option<&'a Expr>, body: &'a Block) {
        self.looping(condition, body, None);
    }

    pub(super) fn c_style_for(
        &mut self,
        init: Option<&'a Stmt>,
        condition: Option<&'a Expr>,
        step: Option<&'a Stmt>,
        body: &'a Block,
    ) {
        if let Some(init) = init {
            self.statement(init);
        }
        self.looping(condition, body, step);
    }

    /// A loop with its test at the bottom, and a copy of it in front; or at the
    /// top if it is too large for that.
    fn looping(&mut self, condition: Option<&'a Expr>, body: &'a Block, step: Option<&'a Stmt>) {
        let (on_break, on_continue) = self.enter_loop();
        let condition = condition.filter(|condition| !is_true(condition));
        let is_twice = condition.is_some_and(inspect::is_small);
        let at_top = condition.filter(|_| !is_twice);
        if let Some(condition) = condition.filter(|_| is_twice) {
            self.jump_unless(condition, on_break);
        }
        let head = self.loop_head();
        if let Some(condition) = at_top {
            self.jump_unless(condition, on_break);
        }
        self.block(body);
        self.bind(on_continue);
        if let Some(step) = step {
            self.statement(step);
        }
        match condition.filter(|_| is_twice) {
            Some(condition) => self.jump_back_if(condition, head),
            None => self.emit(Op::Jump { to: head }),
        }
        self.frame.loops.pop();
        self.bind(on_break);
    }

    fn jump_back_if(&mut self, condition: &'a Expr, head: u32) {
        let exit = self.label();
        let operands = inspect::operands_of_and(condition);
        let (last, before) = operands.split_last().expect("a chain has operands");
        for operand in before {
            self.jump_unless(operand, exit);
        }
        match &last.kind {
            ExprKind::Not(inner) if !matches!(inner.kind, ExprKind::And(..) | ExprKind::Or(..)) => {
                self.expr(inner);
                self.emit(Op::JumpIfFalse { to: head });
            }
            _ => {
                self.expr(last);
                self.emit(Op::JumpIfTrue { to: head });
            }
        }
        self.bind(exit);
    }

    pub(super) fn for_loop(&mut self, pattern: &'a Pattern, iterable: &'a Expr, body: &'a Block) {
        let source = match self.range_arguments(iterable) {
            Some(args) => {
                for arg in &args {
                    self.expr(arg);
                }
                self.at(iterable.span.start);
                let slot = self.hidden(3);
                self.emit(Op::RangeStart {
                    slot,
                    argc: args.len() as u32,
                });
                Source::Range(slot)
            }
            None => {
                self.expr(iterable);
                self.at(iterable.span.start);
                let slot = self.hidden(2);
                self.emit(Op::IterStart { slot });
                Source::Values(slot)
            }
        };
        let (on_break, on_continue) = self.enter_loop();
        let head = self.loop_head();
        let done = self.label();
        self.at(iterable.span.start);
        match source {
            Source::Range(slot) => self.jump(Op::RangeNext { slot, to: 0 }, done),
            Source::Values(slot) => self.jump(Op::IterNext { slot, to: 0 }, done),
        }
        let scope = self.names.scope_at(body.span.start);
        self.at(pattern.span.start);
        self.enter_scope(scope, &body.statements);
        self.bind_pattern(pattern, Binds::Declared);
        self.statements(&body.statements);
        self.bind(on_continue);
        self.emit(Op::Jump { to: head });
        self.frame.loops.pop();
        self.bind(on_break);
        self.bind(done);
        if let Source::Values(slot) = source {
            // Whoever else has the value may change it in place again.
            self.emit(Op::ClearLocal { slot });
        }
    }

    /// The arguments of a call of the built-in `range`, or what is like one.
    fn range_arguments(&mut self, iterable: &'a Expr) -> Option<Vec<&'a Expr>> {
        match &iterable.kind {
            ExprKind::Literal(Literal::Int(_)) => Some(vec![iterable]),
            ExprKind::Paren(inner) => self.range_arguments(inner),
            ExprKind::Call { callee, args } if (1..=3).contains(&args.len()) => {
                let ExprKind::Name(name) = &callee.kind else {
                    return None;
                };
                if **name != *"range"
                    || self.builtin_named(name, callee.span.start)?.name != "range"
                {
                    return None;
                }
                let value = |arg: &'a Arg| match arg {
                    Arg::One(value) => Some(value),
                    Arg::Spread(_) | Arg::Named(..) => None,
                };
                args.iter().map(value).collect()
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Source {
    Range(u32),
    Values(u32),
}

fn is_true(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Literal(Literal::Bool(value)) => *value,
        ExprKind::Paren(inner) => is_true(inner),
        _ => false,
    }
}

/// `try`.
impl<'a> Lowerer<'a> {
    pub(super) fn try_except(
        &mut self,
        body: &'a Block,
        error: Option<&'a Name>,
        handler: &'a Block,
    ) {
        let depth = self.frame.depth;
        let start = self.frame.code.len() as u32;
        let first_slot = self.frame.slot_names.len() as u32;
        self.block(body);
        let end = self.frame.code.len() as u32;
        let after = self.label();
        self.jump(Op::Jump { to: 0 }, after);
        let target = self.frame.code.len() as u32;
        self.frame.depth = depth;
        let raises = self.frame.code[start as usize..end as usize]
            .iter()
            .any(Op::raises);
        if raises {
            self.frame.handlers.push(Handler {
                start,
                end,
                target,
                depth,
            });
            self.frame.is_unreachable = false;
        }
        self.at(handler.span.start);
        self.emit(Op::Catch {});
        if raises {
            self.release_iterations(start, end, first_slot);
        }
        let scope = self.names.scope_at(handler.span.start);
        self.enter_scope(scope, &handler.statements);
        match error {
            Some(error) => self.declare_name(error),
            None => self.emit(Op::Pop {}),
        }
        self.statements(&handler.statements);
        self.bind(after);
    }

    /// Loops that an error has left no longer hold what they went over.
    fn release_iterations(&mut self, start: u32, end: u32, first_slot: u32) {
        let started = self.frame.code[start as usize..end as usize]
            .iter()
            .filter_map(|op| match *op {
                Op::IterStart { slot } if slot >= first_slot => Some(slot),
                _ => None,
            });
        for slot in started.collect::<Vec<_>>() {
            self.emit(Op::ClearLocal { slot });
        }
    }
}
