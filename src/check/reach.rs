//! Code that control never gets to.
//!
//! Only what follows from the shape of the program: a statement behind one that
//! always leaves.  Declarations there are no such code, they are bound on entry.

use super::Checked;
use super::walk::{Visitor, walk};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::*;

pub(super) fn check(checked: &Checked, found: &mut Vec<Diagnostic>) {
    groups(&checked.tree.body, found);
    walk(checked, &mut Reach { found });
}

/// A group only groups: its other statements never run.
fn groups(statements: &[Stmt], found: &mut Vec<Diagnostic>) {
    for statement in statements {
        let StmtKind::Test(TestDecl::Group { body, .. }) = &statement.kind else {
            continue;
        };
        for inner in &body.statements {
            if !matches!(inner.kind, StmtKind::Test(_)) {
                found.push(
                    unreachable(inner.span)
                        .help("A test_group only groups tests; nothing else in it is executed."),
                );
            }
        }
        groups(&body.statements, found);
    }
}

struct Reach<'a> {
    found: &'a mut Vec<Diagnostic>,
}

impl Visitor for Reach<'_> {
    fn block(&mut self, statements: &[Stmt]) {
        let Some(last) = statements.iter().position(leaves) else {
            return;
        };
        let behind = &statements[last + 1..];
        if let Some(first) = behind.iter().find(|statement| !is_declaration(statement)) {
            self.found.push(
                unreachable(first.span)
                    .note(statements[last].span, "control never gets behind this"),
            );
        }
    }

    fn statement(&mut self, statement: &Stmt, _copy: u32) {
        if let StmtKind::Match(matching) = &statement.kind {
            self.clauses(matching);
        }
    }
}

impl Reach<'_> {
    /// Clauses behind one that always matches.
    fn clauses(&mut self, matching: &Match) {
        let is_catch_all = |clause: &Clause| {
            clause.guard.is_none()
                && clause
                    .patterns
                    .iter()
                    .any(|pattern| matches!(pattern.kind, CasePatternKind::Any))
        };
        let Some(last) = matching.clauses.iter().position(is_catch_all) else {
            return;
        };
        let behind = matching.clauses.get(last + 1);
        if let Some(pattern) = behind.and_then(|clause| clause.patterns.first()) {
            let note = "this matches everything";
            self.found.push(
                unreachable(pattern.span).note(matching.clauses[last].patterns[0].span, note),
            );
        }
    }
}

fn unreachable(span: Span) -> Diagnostic {
    Diagnostic::warning(Code::Unreachable, span).message("Unreachable code")
}

fn is_declaration(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::Func(_) | StmtKind::Struct(_) | StmtKind::Enum(_) | StmtKind::Test(_) => true,
        StmtKind::Export(inner) => is_declaration(inner),
        _ => false,
    }
}

/// Whether control never gets to the end of a statement.
fn leaves(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Expr(expr) => matches!(expr.kind, ExprKind::Throw(_)),
        StmtKind::Block(block) => block.statements.iter().any(leaves),
        StmtKind::If(branch) => branch_leaves(branch),
        StmtKind::Try { body, handler, .. } => {
            body.statements.iter().any(leaves) && handler.statements.iter().any(leaves)
        }
        StmtKind::While { condition, body } => {
            condition.as_ref().is_none_or(is_true) && !body.statements.iter().any(has_break)
        }
        StmtKind::Match(matching) => {
            let all = matching.clauses.iter().map(|clause| &clause.body);
            matching.default.as_ref().is_some_and(|default| {
                all.chain([default])
                    .all(|block| block.statements.iter().any(leaves))
            })
        }
        _ => false,
    }
}

fn branch_leaves(branch: &If) -> bool {
    let mut branch = branch;
    loop {
        if !branch.then.statements.iter().any(leaves) {
            return false;
        }
        match &branch.otherwise {
            Some(Else::If(next)) => branch = next,
            Some(Else::Block(block)) => return block.statements.iter().any(leaves),
            None => return false,
        }
    }
}

fn is_true(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Literal(Literal::Bool(value)) => *value,
        ExprKind::Paren(inner) => is_true(inner),
        _ => false,
    }
}

/// Whether a statement of a loop's body may leave the loop, going by what is
/// written: an `if` that is an expression may hide a `break`.
fn has_break(statement: &Stmt) -> bool {
    let any = |block: &Block| block.statements.iter().any(has_break);
    match &statement.kind {
        StmtKind::Break => true,
        StmtKind::Block(block) => any(block),
        StmtKind::If(branch) => branch_has_break(branch),
        StmtKind::Try { body, handler, .. } => any(body) || any(handler),
        StmtKind::Match(matching) => {
            let mut bodies = matching.clauses.iter().map(|clause| &clause.body);
            bodies.any(any) || matching.default.as_ref().is_some_and(any)
        }
        // A loop of its own; what it breaks is itself.
        StmtKind::While { .. } | StmtKind::For { .. } | StmtKind::CFor { .. } => false,
        StmtKind::Return(None)
        | StmtKind::Continue
        | StmtKind::Func(_)
        | StmtKind::Struct(_)
        | StmtKind::Enum(_)
        | StmtKind::Import(_)
        | StmtKind::Test(_) => false,
        StmtKind::Expr(value)
        | StmtKind::Return(Some(value))
        | StmtKind::Binding { value, .. }
        | StmtKind::Destructure { value, .. }
        | StmtKind::Assign { value, .. }
        | StmtKind::CompoundAssign { value, .. } => may_hide_break(value),
        StmtKind::Export(inner) => has_break(inner),
    }
}

fn branch_has_break(branch: &If) -> bool {
    let mut branch = branch;
    loop {
        if branch.then.statements.iter().any(has_break) || may_hide_break(&branch.condition) {
            return true;
        }
        match &branch.otherwise {
            Some(Else::If(next)) => branch = next,
            Some(Else::Block(block)) => return block.statements.iter().any(has_break),
            None => return false,
        }
    }
}

/// Only an expression with statements in it can: anything that is not plainly
/// without them counts.
fn may_hide_break(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::None | ExprKind::Func(_) => false,
        ExprKind::Unary { operand, .. } | ExprKind::Await(operand) | ExprKind::Not(operand) => {
            may_hide_break(operand)
        }
        ExprKind::Yield(value) => value.as_deref().is_some_and(may_hide_break),
        ExprKind::Paren(inner) | ExprKind::Try(inner) => may_hide_break(inner),
        ExprKind::Field { object, .. } => may_hide_break(object),
        ExprKind::Call { callee, args } => may_hide_break(callee) || any_arg(args),
        ExprKind::MethodCall { receiver, args, .. } => may_hide_break(receiver) || any_arg(args),
        _ => true,
    }
}

fn any_arg(args: &[Arg]) -> bool {
    args.iter().any(|arg| match arg {
        Arg::One(value) | Arg::Spread(value) | Arg::Named(_, value) => may_hide_break(value),
    })
}
