//! Expressions.

use super::Lowerer;
use super::inspect;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{Op, StructSite, VariantSite};
use ruff_runtime::heap::VariantKind;
use rustc_hash::FxHashMap;

impl<'a> Lowerer<'a> {
    /// Pushes the value of an expression.
    pub(super) fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Literal(literal) => self.constant(literal),
            ExprKind::Interpolated(pieces) => self.interpolated(expr, pieces),
            ExprKind::Name(name) => self.read(name, expr.span.start),
            ExprKind::Array(elements) => self.array(expr, elements),
            ExprKind::Dict(entries) => self.dict(expr, entries),
            ExprKind::StructLiteral { name, fields } => self.struct_literal(name, fields),
            ExprKind::Tag {
                enum_name,
                variant,
                args,
            } => {
                self.variant(enum_name, variant, args.as_deref().unwrap_or_default());
            }
            ExprKind::Wrap { wrapper, value } => {
                self.expr(value);
                let kind = match wrapper {
                    Wrapper::Ok => VariantKind::Ok,
                    Wrapper::Err => VariantKind::Err,
                    Wrapper::Some => VariantKind::Some,
                };
                self.make_variant(kind, None, 1);
            }
            ExprKind::None => self.make_variant(VariantKind::None, None, 0),
            ExprKind::Func(func) => self.literal(func),
            ExprKind::If(branch) => self.if_expression(branch),
            ExprKind::Spawn(block) => {
                self.at(expr.span.start);
                self.spawn(block);
            }
            ExprKind::Yield(value) => {
                self.value_or_null(value.as_deref());
                self.at(expr.span.start);
                self.emit(Op::Yield {});
            }
            ExprKind::Throw(operand) => self.throw(expr, operand),
            ExprKind::Unary { operator, operand } => self.unary(expr, *operator, operand),
            ExprKind::Await(value) => {
                self.expr(value);
                self.at(expr.span.start);
                self.emit(Op::Await {});
            }
            ExprKind::Binary { .. } => self.binary(expr),
            ExprKind::And(..) | ExprKind::Or(..) => self.logic(expr),
            ExprKind::Not(value) => {
                self.expr(value);
                self.emit(Op::Falsy {});
            }
            ExprKind::Coalesce(..) => self.coalesce(expr),
            ExprKind::Pipe(value, function) => self.pipe(value, function),
            ExprKind::Call { callee, args } => self.call(callee, None, args),
            ExprKind::MethodCall {
                receiver,
                method,
                args,
                optional,
            } => {
                self.method_call(receiver, method, None, args, *optional);
            }
            ExprKind::Field {
                object,
                field,
                optional,
            } => self.field(object, field, *optional),
            ExprKind::Index { object, index } => {
                self.expr(object);
                self.expr(index);
                self.at(self.operator_at(object));
                self.emit(Op::Index {});
            }
            ExprKind::Try(value) => self.unwrapped(expr, value),
            ExprKind::Paren(value) => self.expr(value),
        }
    }

    fn value_or_null(&mut self, value: Option<&'a Expr>) {
        match value {
            Some(value) => self.expr(value),
            None => self.emit(Op::Null {}),
        }
    }

    pub(super) fn constant(&mut self, literal: &Literal) {
        let op = match literal {
            Literal::Null => Op::Null {},
            Literal::Bool(true) => Op::True {},
            Literal::Bool(false) => Op::False {},
            Literal::Int(value) => match i32::try_from(*value) {
                Ok(value) => Op::Int { value },
                Err(_) => Op::Constant {
                    index: self.tables.int(*value),
                },
            },
            Literal::Float(value) => Op::Constant {
                index: self.tables.float(*value),
            },
            Literal::Str(text) => Op::Constant {
                index: self.tables.text(text),
            },
        };
        self.emit(op);
    }

    pub(super) fn text(&mut self, text: &str) {
        let index = self.tables.text(text);
        self.emit(Op::Constant { index });
    }

    fn interpolated(&mut self, expr: &Expr, pieces: &'a [Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.text(text),
                Piece::Value(value) => self.expr(value),
            }
        }
        self.at(expr.span.start);
        self.emit(Op::Interpolate {
            count: pieces.len() as u32,
        });
    }

    fn array(&mut self, expr: &Expr, elements: &'a [Element]) {
        let is_one = |element: &&Element| matches!(element, Element::One(_));
        let count = elements.iter().take_while(is_one).count();
        for element in &elements[..count] {
            let Element::One(value) = element else {
                continue;
            };
            self.expr(value);
        }
        self.at(expr.span.start);
        self.emit(Op::MakeArray {
            count: count as u32,
        });
        for element in &elements[count..] {
            match element {
                Element::One(value) => {
                    self.expr(value);
                    self.at(value.span.start);
                    self.emit(Op::ArrayPush {});
                }
                Element::Spread(value) => {
                    self.expr(value);
                    self.at(value.span.start);
                    self.emit(Op::ArrayExtend {});
                }
            }
        }
    }

    fn dict(&mut self, expr: &Expr, entries: &'a [Entry]) {
        let is_pair = |entry: &&Entry| matches!(entry, Entry::Pair { .. });
        let count = entries.iter().take_while(is_pair).count();
        for entry in &entries[..count] {
            let Entry::Pair { key, value } = entry else {
                continue;
            };
            self.key(key);
            self.expr(value);
        }
        self.at(expr.span.start);
        self.emit(Op::MakeDict {
            count: count as u32,
        });
        for entry in &entries[count..] {
            match entry {
                Entry::Pair { key, value } => {
                    self.key(key);
                    self.expr(value);
                    self.at(value.span.start);
                    self.emit(Op::DictInsert {});
                }
                Entry::Spread(value) => {
                    self.expr(value);
                    self.at(value.span.start);
                    self.emit(Op::DictExtend {});
                }
            }
        }
    }

    /// A bare identifier is the variable's value if one is visible, and
    /// otherwise its spelling.
    fn key(&mut self, key: &'a Key) {
        match key {
            Key::Name(name) => {
                let used = self.use_at(name.span.start);
                self.at(name.span.start);
                self.for_candidates(
                    used,
                    &mut |lowerer, variable| lowerer.load(variable),
                    &mut |lowerer| lowerer.text(&name.text),
                );
            }
            Key::Word(name) => self.text(&name.text),
            Key::Computed(key) => self.expr(key),
        }
    }

    fn struct_literal(&mut self, name: &'a Name, fields: &'a [(Name, Expr)]) {
        let resolved = self.resolved;
        let used = self.use_at(name.span.start);
        let candidates = resolved.candidates(used);
        let declared = match *candidates {
            [variable] => {
                let row = &resolved.variables[variable];
                row.declared_by.or(row.imported_struct)
            }
            _ => None,
        };
        let has_def = !candidates.is_empty();
        if has_def {
            self.for_candidates(
                used,
                &mut |lowerer, variable| lowerer.load(variable),
                &mut |lowerer| lowerer.emit(Op::Null {}),
            );
        }
        // Of fields with one name the last one counts.
        let last: FxHashMap<_, _> = fields
            .iter()
            .map(|(field, _)| (&*field.text, field.span))
            .collect();
        let mut names = Vec::new();
        for (field, value) in fields {
            self.expr(value);
            if last[&*field.text] == field.span {
                names.push(self.tables.name(&field.text));
            } else {
                self.emit(Op::Pop {});
            }
        }
        self.at(name.span.start);
        let name = self.tables.name(&name.text);
        let site = self.tables.program.struct_sites.len() as u32;
        self.tables.program.struct_sites.push(StructSite {
            name,
            fields: names,
            has_def,
            declaration: None,
        });
        self.undeclared.extend(declared.map(|hoist| (site, hoist)));
        self.emit(Op::MakeStruct { site });
    }

    fn variant(&mut self, enum_name: &Name, variant: &Name, args: &'a [Arg]) {
        for arg in args {
            if let Arg::One(value) = arg {
                self.expr(value);
            }
        }
        self.at(enum_name.span.start);
        let kind = variant_kind(Some(&enum_name.text), &variant.text);
        self.make_variant(kind, Some((enum_name, variant)), args.len() as u32);
    }

    fn make_variant(&mut self, kind: VariantKind, names: Option<(&Name, &Name)>, count: u32) {
        let names = names.filter(|_| kind == VariantKind::Tagged);
        let site = VariantSite {
            kind,
            enum_name: names.map(|(enum_name, _)| self.tables.text(&enum_name.text)),
            name: names.map(|(_, name)| self.tables.text(&name.text)),
        };
        let site = self.tables.variant_site(site);
        self.emit(Op::MakeVariant { site, count });
    }

    /// A loop needs an empty operand stack, so what is on it moves to hidden
    /// locals while an expression with a loop in it is computed.
    fn if_expression(&mut self, branch: &'a If) {
        let depth = self.frame.depth;
        if depth == 0 || !inspect::has_loop(branch) {
            return self.branch_value(branch);
        }
        let first = self.hidden(depth);
        for slot in (first..first + depth).rev() {
            self.emit(Op::StoreLocal { slot });
        }
        self.branch_value(branch);
        let result = self.hidden(1);
        self.emit(Op::StoreLocal { slot: result });
        for slot in (first..first + depth).chain([result]) {
            self.emit(Op::LoadLocal { slot });
        }
    }

    fn throw(&mut self, expr: &Expr, operand: &'a ThrowOperand) {
        if let ThrowOperand::One(value) = operand {
            self.expr(value);
        }
        self.at(expr.span.start);
        self.emit(Op::Throw {});
        self.emit(Op::Null {});
    }

    fn field(&mut self, object: &'a Expr, field: &Name, optional: bool) {
        if !optional && let Some((unit, number)) = self.member_of_module(object, field) {
            return self.load_export(unit, number);
        }
        self.expr(object);
        let name = self.tables.name(&field.text);
        self.at(field.span.start);
        if !optional {
            return self.emit(Op::Field { name });
        }
        let end = self.label();
        self.jump(Op::JumpIfNull { to: 0 }, end);
        self.emit(Op::OptionalField { name });
        self.bind(end);
    }

    /// `e?`: what cannot be unwrapped is returned.
    fn unwrapped(&mut self, expr: &Expr, value: &'a Expr) {
        self.expr(value);
        let go_on = self.label();
        self.at(expr.span.end.saturating_sub(1));
        self.jump(Op::JumpIfUnwrapped { to: 0 }, go_on);
        self.emit_return();
        self.frame.depth += 1;
        self.bind(go_on);
    }
}

/// Operators.
impl<'a> Lowerer<'a> {
    fn unary(&mut self, expr: &Expr, operator: UnaryOp, operand: &'a Expr) {
        match (operator, &operand.kind) {
            (UnaryOp::Negate, ExprKind::Literal(Literal::Int(value))) if *value != i64::MIN => {
                return self.constant(&Literal::Int(-value));
            }
            (UnaryOp::Negate, ExprKind::Literal(Literal::Float(value))) => {
                return self.constant(&Literal::Float(-value));
            }
            _ => {}
        }
        self.expr(operand);
        self.at(expr.span.start);
        match operator {
            UnaryOp::Negate => self.emit(Op::Negate {}),
            UnaryOp::Not => self.emit(Op::Not {}),
        }
    }

    /// A chain of operators leans to the left and may be very long: it is
    /// walked down and back, not recursed into.
    fn binary(&mut self, expr: &'a Expr) {
        let mut spine = Vec::new();
        let mut leftmost = expr;
        while let ExprKind::Binary {
            operator,
            left,
            right,
        } = &leftmost.kind
        {
            spine.push((*operator, &**left, &**right));
            leftmost = left;
        }
        self.expr(leftmost);
        for (operator, left, right) in spine.into_iter().rev() {
            self.expr(right);
            self.at(self.operator_at(left));
            self.emit(operation(operator));
        }
    }

    fn logic(&mut self, expr: &'a Expr) {
        let (fails, end) = (self.label(), self.label());
        self.jump_unless(expr, fails);
        self.emit(Op::True {});
        self.jump(Op::Jump { to: 0 }, end);
        self.frame.depth -= 1;
        self.bind(fails);
        self.emit(Op::False {});
        self.bind(end);
    }

    fn coalesce(&mut self, expr: &'a Expr) {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let ExprKind::Coalesce(left, right) = &rest.kind {
            operands.push(&**right);
            rest = left;
        }
        let end = self.label();
        self.expr(rest);
        for operand in operands.into_iter().rev() {
            self.jump(Op::JumpIfNotNull { to: 0 }, end);
            self.expr(operand);
        }
        self.bind(end);
    }

    /// `v |> f` is `f(v)`, and `v |> f(x)` is `f(v, x)`.
    fn pipe(&mut self, value: &'a Expr, function: &'a Expr) {
        match &function.kind {
            ExprKind::Call { callee, args } => self.call(callee, Some(value), args),
            ExprKind::MethodCall {
                receiver,
                method,
                args,
                optional,
            } => {
                self.method_call(receiver, method, Some(value), args, *optional);
            }
            _ => self.call(function, Some(value), &[]),
        }
    }
}

/// Which variant a name in an expression or pattern means.
pub(super) fn variant_kind(enum_name: Option<&str>, variant: &str) -> VariantKind {
    match (enum_name, variant) {
        (None | Some("Result"), "Ok") => VariantKind::Ok,
        (None | Some("Result"), "Err") => VariantKind::Err,
        (None | Some("Option"), "Some") => VariantKind::Some,
        (None | Some("Option"), "None") => VariantKind::None,
        _ => VariantKind::Tagged,
    }
}

fn operation(operator: BinaryOp) -> Op {
    match operator {
        BinaryOp::Add => Op::Add {},
        BinaryOp::Subtract => Op::Subtract {},
        BinaryOp::Multiply => Op::Multiply {},
        BinaryOp::Divide => Op::Divide {},
        BinaryOp::Remainder => Op::Remainder {},
        BinaryOp::Equal => Op::Equal {},
        BinaryOp::NotEqual => Op::NotEqual {},
        BinaryOp::Less => Op::Less {},
        BinaryOp::LessEqual => Op::LessEqual {},
        BinaryOp::Greater => Op::Greater {},
        BinaryOp::GreaterEqual => Op::GreaterEqual {},
    }
}
