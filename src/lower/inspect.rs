//! Questions about expressions: what they do besides giving a value.
//!
//! Everything here walks with a list of its own, since expressions may be
//! hundreds of thousands of levels deep.

use super::Lowerer;
use crate::resolve::Access;
use crate::syntax::ast::*;

/// The operands of a chain of `&&`, in order.
pub(super) fn operands_of_and(expr: &Expr) -> Vec<&Expr> {
    let mut operands = Vec::new();
    let mut rest = expr;
    while let ExprKind::And(left, right) = &rest.kind {
        operands.push(&**right);
        rest = left;
    }
    operands.push(rest);
    operands.reverse();
    operands
}

/// The operands of a chain of `||`, in order.
pub(super) fn operands_of_or(expr: &Expr) -> Vec<&Expr> {
    let mut operands = Vec::new();
    let mut rest = expr;
    while let ExprKind::Or(left, right) = &rest.kind {
        operands.push(&**right);
        rest = left;
    }
    operands.push(rest);
    operands.reverse();
    operands
}

/// Calls `found` with the operands that are evaluated with an expression;
/// blocks are not looked into.
fn for_each_child<'e>(expr: &'e Expr, found: &mut impl FnMut(&'e Expr)) {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Name(_)
        | ExprKind::None
        | ExprKind::Func(_)
        | ExprKind::If(_)
        | ExprKind::Spawn(_)
        | ExprKind::Yield(None)
        | ExprKind::Throw(ThrowOperand::Malformed) => {}
        ExprKind::Interpolated(pieces) => {
            for piece in pieces {
                if let Piece::Value(value) = piece {
                    found(value);
                }
            }
        }
        ExprKind::Array(elements) => {
            for Element::One(value) | Element::Spread(value) in elements {
                found(value);
            }
        }
        ExprKind::Dict(entries) => {
            for entry in entries {
                match entry {
                    Entry::Pair { key, value } => {
                        if let Key::Computed(key) = key {
                            found(key);
                        }
                        found(value);
                    }
                    Entry::Spread(value) => found(value),
                }
            }
        }
        ExprKind::StructLiteral { fields, .. } => fields.iter().for_each(|(_, value)| found(value)),
        ExprKind::Tag { args, .. } => children_of_args(args.as_deref().unwrap_or_default(), found),
        ExprKind::Wrap { value, .. }
        | ExprKind::Yield(Some(value))
        | ExprKind::Throw(ThrowOperand::One(value))
        | ExprKind::Unary { operand: value, .. }
        | ExprKind::Await(value)
        | ExprKind::Not(value)
        | ExprKind::Field { object: value, .. }
        | ExprKind::Try(value)
        | ExprKind::Paren(value) => found(value),
        ExprKind::Binary { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right)
        | ExprKind::Coalesce(left, right)
        | ExprKind::Pipe(left, right)
        | ExprKind::Index {
            object: left,
            index: right,
        } => {
            found(left);
            found(right);
        }
        ExprKind::Call { callee, args } => {
            found(callee);
            children_of_args(args, found);
        }
        ExprKind::MethodCall { receiver, args, .. } => {
            found(receiver);
            children_of_args(args, found);
        }
    }
}

fn children_of_args<'e>(args: &'e [Arg], found: &mut impl FnMut(&'e Expr)) {
    for Arg::One(value) | Arg::Spread(value) | Arg::Named(_, value) in args {
        found(value);
    }
}

/// Whether anything in an expression is so.
fn any(expr: &Expr, is_so: &mut impl FnMut(&Expr) -> bool) -> bool {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        if is_so(expr) {
            return true;
        }
        for_each_child(expr, &mut |child| waiting.push(child));
    }
    false
}

/// Few and simple enough instructions to have them twice.
pub(super) fn is_small(expr: &Expr) -> bool {
    let mut left = 24;
    !any(expr, &mut |part| {
        left -= 1;
        left == 0
            || matches!(
                part.kind,
                ExprKind::Func(_) | ExprKind::If(_) | ExprKind::Spawn(_)
            )
    })
}

/// The variable and the steps of an expression that is a place.
pub(super) fn place_root(expr: &Expr) -> Option<(&std::sync::Arc<str>, u32)> {
    let mut expr = expr;
    loop {
        match &expr.kind {
            ExprKind::Name(name) => return Some((name, expr.span.start)),
            ExprKind::Field {
                object,
                optional: false,
                ..
            }
            | ExprKind::Index { object, .. } => expr = object,
            _ => return None,
        }
    }
}

/// Whether a loop is in a branch (but not in a function in it).
pub(super) fn has_loop(branch: &If) -> bool {
    let mut search = Search {
        blocks: Vec::new(),
        exprs: vec![&branch.condition],
    };
    search.branch(branch);
    while let Some(block) = search.blocks.pop() {
        for statement in &block.statements {
            if search.statement(statement) {
                return true;
            }
        }
        while let Some(expr) = search.exprs.pop() {
            if let ExprKind::If(branch) = &expr.kind {
                search.branch(branch);
            }
            for_each_child(expr, &mut |child| search.exprs.push(child));
        }
    }
    false
}

/// What `has_loop` still has to look at.
struct Search<'e> {
    blocks: Vec<&'e Block>,
    exprs: Vec<&'e Expr>,
}

impl<'e> Search<'e> {
    fn branch(&mut self, branch: &'e If) {
        let mut branch = branch;
        loop {
            self.exprs.push(&branch.condition);
            self.blocks.push(&branch.then);
            match &branch.otherwise {
                Some(Else::If(next)) => branch = next,
                Some(Else::Block(block)) => return self.blocks.push(block),
                None => return,
            }
        }
    }

    /// Whether a statement is a loop; what is in it is noted.
    fn statement(&mut self, statement: &'e Stmt) -> bool {
        match &statement.kind {
            StmtKind::While { .. } | StmtKind::For { .. } | StmtKind::CFor { .. } => return true,
            StmtKind::Binding { value, .. }
            | StmtKind::Destructure { value, .. }
            | StmtKind::Return(Some(value))
            | StmtKind::Expr(value) => self.exprs.push(value),
            StmtKind::Assign { place, value } | StmtKind::CompoundAssign { place, value, .. } => {
                self.exprs.push(value);
                for step in &place.steps {
                    if let PlaceStep::Index(index) = step {
                        self.exprs.push(index);
                    }
                }
            }
            StmtKind::Export(inner) => return self.statement(inner),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::Match(matching) => {
                self.exprs.push(&matching.subject);
                self.exprs.extend(
                    matching
                        .clauses
                        .iter()
                        .filter_map(|clause| clause.guard.as_ref()),
                );
                self.blocks
                    .extend(matching.clauses.iter().map(|clause| &clause.body));
                self.blocks.extend(&matching.default);
            }
            StmtKind::Try { body, handler, .. } => self.blocks.extend([body, handler]),
            StmtKind::Block(block) => self.blocks.push(block),
            StmtKind::Func(_)
            | StmtKind::Struct(_)
            | StmtKind::Enum(_)
            | StmtKind::Import(_)
            | StmtKind::Return(None)
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Test(_) => {}
        }
        false
    }
}

/// The names in an expression, with their offsets.
pub(super) fn names_in(expr: &Expr) -> Vec<(&std::sync::Arc<str>, u32)> {
    let mut names = Vec::new();
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        if let ExprKind::Name(name) = &expr.kind {
            names.push((name, expr.span.start));
        }
        for_each_child(expr, &mut |child| waiting.push(child));
    }
    names
}

/// Whether two expressions certainly give the same value, if nothing changes
/// between them: made of names, literals, operators and accesses alike.
pub(super) fn is_same(left: &Expr, right: &Expr) -> bool {
    let mut waiting = vec![(left, right)];
    while let Some((left, right)) = waiting.pop() {
        match (&left.kind, &right.kind) {
            (ExprKind::Literal(Literal::Int(left)), ExprKind::Literal(Literal::Int(right)))
                if left == right => {}
            (ExprKind::Literal(Literal::Str(left)), ExprKind::Literal(Literal::Str(right)))
                if left == right => {}
            (ExprKind::Name(left), ExprKind::Name(right)) if left == right => {}
            (ExprKind::Paren(left), ExprKind::Paren(right)) => waiting.push((left, right)),
            (
                ExprKind::Binary {
                    operator,
                    left: a,
                    right: b,
                },
                ExprKind::Binary {
                    operator: same,
                    left: c,
                    right: d,
                },
            ) if operator == same => {
                waiting.push((a, c));
                waiting.push((b, d));
            }
            (
                ExprKind::Index {
                    object: a,
                    index: b,
                },
                ExprKind::Index {
                    object: c,
                    index: d,
                },
            ) => {
                waiting.push((a, c));
                waiting.push((b, d));
            }
            (
                ExprKind::Field {
                    object: a,
                    field,
                    optional: false,
                },
                ExprKind::Field {
                    object: b,
                    field: same,
                    optional: false,
                },
            ) if field.text == same.text => waiting.push((a, b)),
            _ => return false,
        }
    }
    true
}

/// Whether an expression is the place: the same root and steps.
pub(super) fn is_place(expr: &Expr, place: &Place) -> bool {
    let mut expr = expr;
    for step in place.steps.iter().rev() {
        match (step, &expr.kind) {
            (
                PlaceStep::Field(name),
                ExprKind::Field {
                    object,
                    field,
                    optional: false,
                },
            ) if name.text == field.text => {
                expr = object;
            }
            (PlaceStep::Index(left), ExprKind::Index { object, index }) if is_same(left, index) => {
                expr = object
            }
            _ => return false,
        }
    }
    matches!(&expr.kind, ExprKind::Name(name) if *name == place.root.text)
}

impl Lowerer<'_> {
    /// Whether evaluating an expression does nothing but give a value or raise.
    /// (An overloaded operator could do anything; the order of such effects
    /// and of an error beside them is not worth the price.)
    pub(super) fn is_pure(&mut self, expr: &Expr) -> bool {
        !any(expr, &mut |part| match &part.kind {
            ExprKind::StructLiteral { .. }
            | ExprKind::If(_)
            | ExprKind::Spawn(_)
            | ExprKind::Yield(_)
            | ExprKind::Throw(_)
            | ExprKind::Await(_)
            | ExprKind::Pipe(..)
            | ExprKind::MethodCall { .. }
            | ExprKind::Try(_) => true,
            ExprKind::Call { callee, .. } => {
                !self.is_call_of_builtin(callee, |known| known.is_pure)
            }
            _ => false,
        })
    }

    fn is_call_of_builtin(
        &mut self,
        callee: &Expr,
        accepts: fn(&super::tables::Known) -> bool,
    ) -> bool {
        match &callee.kind {
            ExprKind::Name(name) => self
                .builtin_named(name, callee.span.start)
                .is_some_and(|known| accepts(&known)),
            _ => false,
        }
    }

    /// Whether calls of other functions may change what a name means.
    pub(super) fn is_seen_by_others(&mut self, offset: u32) -> bool {
        let used = self.names.use_at(offset);
        match *self.resolved.candidates(used) {
            [] => false,
            [variable] => {
                matches!(
                    self.access(variable),
                    Access::Cell | Access::CapturedCell(_) | Access::Global
                )
            }
            _ => true,
        }
    }

    /// Whether evaluating an expression may change the variable with this name;
    /// `is_shared`: other functions see the variable too.
    pub(super) fn may_change(&mut self, expr: &Expr, name: &str, is_shared: bool) -> bool {
        any(expr, &mut |part| match &part.kind {
            ExprKind::If(_) => true,
            ExprKind::Spawn(_) | ExprKind::Func(_) => false,
            ExprKind::StructLiteral { .. }
            | ExprKind::Yield(_)
            | ExprKind::Await(_)
            | ExprKind::Pipe(..) => is_shared,
            ExprKind::Call { callee, .. } => {
                is_shared && !self.is_call_of_builtin(callee, |known| !known.runs_code)
            }
            ExprKind::MethodCall {
                receiver, method, ..
            } => {
                is_shared
                    || self.resolved.changes_receiver(&method.text)
                        && place_root(receiver).is_some_and(|(root, _)| **root == *name)
            }
            _ => false,
        })
    }
}
