//! Expressions.

use super::{Recorder, ScopeKind};
use crate::resolve::FunctionKind;
use crate::resolve::check;
use crate::resolve::tape::Event;
use crate::source::Span;
use crate::syntax::ast::*;
use std::sync::Arc;

impl Recorder {
    pub(super) fn expr(&mut self, expr: &Expr) {
        // Long chains lean to the left: their spine is walked, not recursed into.
        let mut spine = Vec::new();
        let mut leftmost = expr;
        while let ExprKind::Binary { left, right, .. }
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right)
        | ExprKind::Coalesce(left, right)
        | ExprKind::Pipe(left, right) = &leftmost.kind
        {
            spine.push(&**right);
            leftmost = left;
        }
        self.operand(leftmost);
        for right in spine.into_iter().rev() {
            self.expr(right);
        }
    }

    fn operand(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::None => {}
            ExprKind::Interpolated(pieces) => {
                for piece in pieces {
                    if let Piece::Value(value) = piece {
                        self.expr(value);
                    }
                }
            }
            ExprKind::Name(name) => self.read(name, expr.span),
            ExprKind::Array(elements) => {
                for Element::One(value) | Element::Spread(value) in elements {
                    self.expr(value);
                }
            }
            ExprKind::Dict(entries) => entries.iter().for_each(|entry| self.entry(entry)),
            ExprKind::StructLiteral { name, fields } => self.struct_literal(name, fields),
            ExprKind::Tag {
                enum_name,
                variant,
                args,
            } => {
                self.variant(expr.span, enum_name, variant, args.as_deref());
            }
            ExprKind::Wrap { value, .. } => self.expr(value),
            ExprKind::Func(func) => {
                let function = self.func(func, FunctionKind::Literal);
                self.push(Event::Make(function));
            }
            ExprKind::If(branch) => self.branch(branch),
            ExprKind::Spawn(block) => self.spawn(block),
            ExprKind::Yield(value) => self.yielding(expr.span, value.as_deref()),
            ExprKind::Throw(operand) => self.throw(expr.span, operand),
            ExprKind::Unary { operand, .. } | ExprKind::Await(operand) | ExprKind::Not(operand) => {
                self.expr(operand);
            }
            ExprKind::Binary { .. }
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::Pipe(..) => self.expr(expr),
            ExprKind::Call { callee, args } => {
                self.expr(callee);
                self.args(args);
            }
            ExprKind::MethodCall {
                receiver,
                method,
                args,
                optional,
            } => {
                self.receiver(receiver, &method.text, *optional);
                self.args(args);
            }
            ExprKind::Field {
                object,
                field,
                optional,
            } => match &object.kind {
                ExprKind::Name(name) if !optional => self.member(name, object.span, field),
                _ => self.expr(object),
            },
            ExprKind::Index { object, index } => {
                self.expr(object);
                self.expr(index);
            }
            ExprKind::Try(value) => {
                self.expr(value);
                self.may_end();
            }
            ExprKind::Paren(value) => self.expr(value),
        }
    }

    fn member(&mut self, name: &Arc<str>, span: Span, member: &Name) {
        let name = self.mention(name);
        let member = self.intern(&member.text);
        self.push(Event::ReadMember {
            name,
            offset: span.start,
            member,
        });
    }

    fn args(&mut self, args: &[Arg]) {
        for Arg::One(value) | Arg::Spread(value) | Arg::Named(_, value) in args {
            self.expr(value);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Pair { key, value } => {
                match key {
                    Key::Name(name) => self.read(&name.text, name.span),
                    Key::Word(_) => {}
                    Key::Computed(key) => self.expr(key),
                }
                self.expr(value);
            }
            Entry::Spread(value) => self.expr(value),
        }
    }

    fn struct_literal(&mut self, name: &Name, fields: &[(Name, Expr)]) {
        self.read(&name.text, name.span);
        for (field, value) in fields {
            let field = self.intern(&field.text);
            self.out.field_names.insert(field);
            self.expr(value);
        }
    }

    fn variant(&mut self, span: Span, enum_name: &Name, variant: &Name, args: Option<&[Arg]>) {
        if let Some(message) = check::variant(&enum_name.text, &variant.text, args) {
            self.error(span, message);
        }
        self.args(args.unwrap_or_default());
    }

    fn spawn(&mut self, block: &Block) {
        let function = self.function(FunctionKind::Spawn, block.span.start, false, |recorder| {
            recorder.body(&[], block, ScopeKind::Snapshot);
        });
        self.push(Event::Make(function));
    }

    fn yielding(&mut self, span: Span, value: Option<&Expr>) {
        if !self.frame.is_generator {
            self.error(span, "Yield can only be used inside generator functions");
        }
        if let Some(value) = value {
            self.expr(value);
        }
    }

    fn throw(&mut self, span: Span, operand: &ThrowOperand) {
        match operand {
            ThrowOperand::One(value) => self.expr(value),
            ThrowOperand::Malformed => self.error(span, "throw() requires exactly one argument"),
        }
    }

    /// The receiver of a method call, which may be a place that the method changes.
    fn receiver(&mut self, receiver: &Expr, method: &Arc<str>, is_optional: bool) {
        if !is_place(receiver) {
            return self.expr(receiver);
        }
        let method = self.intern(method);
        self.out.called_on_places.insert(method);
        let is_direct = !is_optional && matches!(receiver.kind, ExprKind::Name(_));
        self.place(receiver, &mut |recorder, root, span| {
            if **root == *"self"
                && let Some(caller) = recorder.frame.method
            {
                recorder.out.self_calls.push((caller, method));
            }
            let name = recorder.mention(root);
            recorder.push(Event::MethodPlace {
                name,
                offset: span.start,
                method,
                is_direct,
            });
        });
    }

    fn place(&mut self, expr: &Expr, root: &mut dyn FnMut(&mut Recorder, &Arc<str>, Span)) {
        match &expr.kind {
            ExprKind::Field { object, .. } => self.place(object, root),
            ExprKind::Index { object, index } => {
                self.place(object, root);
                self.expr(index);
            }
            ExprKind::Name(name) => root(self, name, expr.span),
            _ => {}
        }
    }
}

/// Whether an expression is a variable and a chain of steps into it.
fn is_place(expr: &Expr) -> bool {
    let mut expr = expr;
    loop {
        match &expr.kind {
            ExprKind::Name(_) => return true,
            ExprKind::Field {
                object,
                optional: false,
                ..
            }
            | ExprKind::Index { object, .. } => expr = object,
            _ => return false,
        }
    }
}
