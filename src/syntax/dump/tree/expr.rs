//! Expressions.

use super::Dump;
use crate::syntax::ast::*;

impl Dump {
    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(value) => self.line(literal(value)),
            ExprKind::Interpolated(pieces) => self.node("interpolated", |dump| {
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => dump.line(format!("text {text:?}")),
                        Piece::Value(value) => dump.expr(value),
                    }
                }
            }),
            ExprKind::Name(name) => self.line(format!("name {name}")),
            ExprKind::Array(elements) => self.node("array", |dump| {
                for element in elements {
                    match element {
                        Element::One(value) => dump.expr(value),
                        Element::Spread(value) => dump.one("spread", value),
                    }
                }
            }),
            ExprKind::Dict(entries) => self.node("dict", |dump| {
                entries.iter().for_each(|entry| dump.entry(entry));
            }),
            ExprKind::StructLiteral { name, fields } => {
                self.node(format!("struct literal {}", name.text), |dump| {
                    for (field, value) in fields {
                        dump.one(format!("field {}", field.text), value);
                    }
                });
            }
            ExprKind::Tag {
                enum_name,
                variant,
                args,
            } => {
                let call = if args.is_some() { " call" } else { "" };
                self.node(
                    format!("tag {}::{}{call}", enum_name.text, variant.text),
                    |dump| {
                        args.iter().flatten().for_each(|arg| dump.arg(arg));
                    },
                );
            }
            ExprKind::Wrap { wrapper, value } => self.one(format!("{wrapper:?}"), value),
            ExprKind::None => self.line("None"),
            ExprKind::Func(func) => self.func(func),
            ExprKind::If(chain) => self.if_chain(chain),
            ExprKind::Spawn(body) => self.block("spawn", body),
            ExprKind::Yield(value) => {
                self.node("yield", |dump| {
                    value.iter().for_each(|value| dump.expr(value))
                });
            }
            ExprKind::Throw(ThrowOperand::One(value)) => self.one("throw", value),
            ExprKind::Throw(ThrowOperand::Malformed) => self.line("throw malformed"),
            ExprKind::Unary { operator, operand } => {
                let sign = match operator {
                    UnaryOp::Negate => "negate",
                    UnaryOp::Not => "!",
                };
                self.one(sign, operand);
            }
            ExprKind::Await(operand) => self.one("await", operand),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => self.two(sign(*operator), left, right),
            ExprKind::And(left, right) => self.two("and", left, right),
            ExprKind::Or(left, right) => self.two("or", left, right),
            ExprKind::Not(operand) => self.one("not", operand),
            ExprKind::Coalesce(left, right) => self.two("??", left, right),
            ExprKind::Pipe(left, right) => self.two("|>", left, right),
            ExprKind::Call { callee, args } => self.node("call", |dump| {
                dump.expr(callee);
                args.iter().for_each(|arg| dump.arg(arg));
            }),
            ExprKind::MethodCall {
                receiver,
                method,
                args,
                optional,
            } => {
                let dot = if *optional { "?." } else { "." };
                self.node(format!("method call {dot}{}", method.text), |dump| {
                    dump.expr(receiver);
                    args.iter().for_each(|arg| dump.arg(arg));
                });
            }
            ExprKind::Field {
                object,
                field,
                optional,
            } => {
                let dot = if *optional { "?." } else { "." };
                self.one(format!("field {dot}{}", field.text), object);
            }
            ExprKind::Index { object, index } => self.two("index", object, index),
            ExprKind::Try(operand) => self.one("try ?", operand),
            ExprKind::Paren(inner) => self.one("paren", inner),
        }
    }

    fn one(&mut self, label: impl AsRef<str>, part: &Expr) {
        self.node(label, |dump| dump.expr(part));
    }

    fn two(&mut self, label: &str, left: &Expr, right: &Expr) {
        self.node(label, |dump| {
            dump.expr(left);
            dump.expr(right);
        });
    }

    fn arg(&mut self, arg: &Arg) {
        match arg {
            Arg::One(value) => self.expr(value),
            Arg::Spread(value) => self.one("spread", value),
            Arg::Named(name, value) => self.one(format!("named {}", name.text), value),
        }
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Spread(value) => self.one("spread", value),
            Entry::Pair {
                key: Key::Name(name),
                value,
            } => {
                self.one(format!("key name {}", name.text), value);
            }
            Entry::Pair {
                key: Key::Word(word),
                value,
            } => {
                self.one(format!("key word {}", word.text), value);
            }
            Entry::Pair {
                key: Key::Computed(key),
                value,
            } => {
                self.two("key computed", key, value);
            }
        }
    }
}

pub(super) fn literal(value: &Literal) -> String {
    match value {
        Literal::Null => "null".into(),
        Literal::Bool(value) => format!("bool {value}"),
        Literal::Int(value) => format!("int {value}"),
        Literal::Float(value) => format!("float {value:?}"),
        Literal::Str(text) => format!("string {text:?}"),
    }
}

pub(super) fn sign(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
    }
}
