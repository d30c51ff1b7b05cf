//! Statements, and the patterns of bindings.

use super::{Lowerer, inspect};
use crate::resolve::VariableIndex;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::Op;

/// What becomes of the names in a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binds {
    /// They are declared in the current scope.
    Declared,
    /// They are assigned.
    Assigned,
}

impl<'a> Lowerer<'a> {
    pub(super) fn statements(&mut self, statements: &'a [Stmt]) {
        for (index, statement) in statements.iter().enumerate() {
            let next = statements.get(index + 1);
            if !next.is_some_and(|next| self.pop_and_store(statement, next)) {
                self.statement(statement);
            }
        }
    }

    pub(super) fn block(&mut self, block: &'a Block) {
        let scope = self.scope_at(block.span.start);
        self.enter_scope(scope, &block.statements);
        self.statements(&block.statements);
    }

    pub(super) fn statement(&mut self, statement: &'a Stmt) {
        self.at(statement.span.start);
        match &statement.kind {
            StmtKind::Binding { pattern, value, .. } => {
                self.bind_value(pattern, value, Binds::Declared)
            }
            StmtKind::Destructure { pattern, value } => {
                self.bind_value(pattern, value, Binds::Assigned)
            }
            StmtKind::Assign { place, value } => self.assign(place, value),
            StmtKind::CompoundAssign {
                place,
                operator,
                value,
            } => {
                self.compound_assign(place, *operator, value, statement.span.start);
            }
            StmtKind::Func(func) => self.declared_function(func),
            StmtKind::Struct(declaration) => self.declared_struct(declaration),
            StmtKind::Enum(declaration) => self.declaration(&declaration.name, None),
            StmtKind::Import(_) => self.import(statement.span.start),
            StmtKind::Export(inner) => self.statement(inner),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::While { condition, body } => self.while_loop(condition.as_ref(), body),
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => self.for_loop(pattern, iterable, body),
            StmtKind::CFor {
                init,
                condition,
                step,
                body,
            } => {
                let scope = self.scope_at(statement.span.start);
                self.enter_scope(scope, &[]);
                self.c_style_for(init.as_deref(), condition.as_ref(), step.as_deref(), body);
            }
            StmtKind::Match(matching) => self.matching(matching),
            StmtKind::Try {
                body,
                error,
                handler,
            } => self.try_except(body, error.as_ref(), handler),
            StmtKind::Return(value) => {
                match value {
                    Some(value) => self.expr(value),
                    None => self.emit(Op::Null {}),
                }
                self.emit_return();
            }
            StmtKind::Break => self.leave_loop(|innermost| innermost.on_break),
            StmtKind::Continue => self.leave_loop(|innermost| innermost.on_continue),
            // Tests are no part of a normal run.
            StmtKind::Test(_) => {}
            StmtKind::Block(block) => self.block(block),
            StmtKind::Expr(expr) => self.expr_statement(expr),
        }
    }

    fn expr_statement(&mut self, expr: &'a Expr) {
        self.expr(expr);
        self.emit(Op::Pop {});
    }

    fn bind_value(&mut self, pattern: &'a Pattern, value: &'a Expr, binds: Binds) {
        if !self.exchange(pattern, value, binds) {
            self.expr(value);
            self.bind_pattern(pattern, binds);
        }
    }

    /// `[a, b] := [b, a]` without making an array: possible if no assignment
    /// can fail or affect another one.
    fn exchange(&mut self, pattern: &'a Pattern, value: &'a Expr, binds: Binds) -> bool {
        let (PatternKind::Array { items, rest: None }, ExprKind::Array(elements)) =
            (&pattern.kind, &value.kind)
        else {
            return false;
        };
        if items.len() != elements.len()
            || !elements
                .iter()
                .all(|element| matches!(element, Element::One(_)))
        {
            return false;
        }
        for (index, item) in items.iter().enumerate() {
            let PatternKind::Name(name) = &item.kind else {
                return false;
            };
            let is_repeated = items[..index].iter().any(|earlier| match &earlier.kind {
                PatternKind::Name(earlier) => earlier.text == name.text,
                _ => false,
            });
            if is_repeated || !self.binds_surely(name, binds) || index >= MAX_EXCHANGED {
                return false;
            }
        }
        for element in elements {
            if let Element::One(value) = element {
                self.expr(value);
            }
        }
        for item in items.iter().rev() {
            self.bind_pattern(item, binds);
        }
        true
    }

    /// The first of `[rest, last] := pop(place)  place = rest`: the place is emptied
    /// first, so that the array is only held by who changes it.  False if it is
    /// something else.
    fn pop_and_store(&mut self, statement: &'a Stmt, next: &'a Stmt) -> bool {
        let (pattern, value, binds) = match &statement.kind {
            StmtKind::Binding { pattern, value, .. } => (pattern, value, Binds::Declared),
            StmtKind::Destructure { pattern, value } => (pattern, value, Binds::Assigned),
            _ => return false,
        };
        let StmtKind::Assign {
            place,
            value: stored,
        } = &next.kind
        else {
            return false;
        };
        let (PatternKind::Array { items, rest: None }, ExprKind::Call { callee, args }) =
            (&pattern.kind, &value.kind)
        else {
            return false;
        };
        let ([rest, last], [Arg::One(popped)]) = (&items[..], &args[..]) else {
            return false;
        };
        let (PatternKind::Name(rest), ExprKind::Name(stored)) = (&rest.kind, &stored.kind) else {
            return false;
        };
        let mut bound = vec![rest];
        match &last.kind {
            PatternKind::Name(last) => bound.push(last),
            PatternKind::Ignore => {}
            _ => return false,
        }
        let is_popped = match &callee.kind {
            ExprKind::Name(name) => self
                .builtin_named(name, callee.span.start)
                .is_some_and(|known| known.name == "pop"),
            _ => false,
        };
        let is_stored_at_once = *stored == rest.text
            && bound.iter().skip(1).all(|last| last.text != rest.text)
            && !place.steps.is_empty()
            && inspect::is_place(popped, place);
        if !is_popped || !is_stored_at_once {
            return false;
        }
        // Nothing may fail or look at the place before the array is stored.  (The pair
        // that `pop` makes is no deeper than what the place is in.)
        let root = self.use_at(place.root.span.start);
        let keeps_place = self.certain(root).is_some()
            && bound.iter().all(|name| name.text != place.root.text)
            && place.steps.iter().all(|step| match step {
                PlaceStep::Field(_) => true,
                // It is computed once more, when the place is empty.
                PlaceStep::Index(index) => match &index.kind {
                    ExprKind::Literal(_) => true,
                    ExprKind::Name(name) => {
                        *name != place.root.text && bound.iter().all(|bound| bound.text != *name)
                    }
                    _ => false,
                },
            });
        if !keeps_place || !bound.iter().all(|name| self.binds_surely(name, binds)) {
            return false;
        }
        self.at(statement.span.start);
        self.expr(popped);
        let is_other = self.label();
        self.emit(Op::Dup {});
        self.emit(Op::TestArrayMin { len: 0 });
        self.jump(Op::JumpIfFalse { to: 0 }, is_other);
        self.emit(Op::MakeArray { count: 0 });
        self.indexes(place);
        self.store_path(place);
        self.bind(is_other);
        let builtin = self.tables.builtin("pop");
        self.at(callee.span.start);
        self.emit(Op::CallBuiltin { builtin, argc: 1 });
        self.bind_pattern(pattern, binds);
        true
    }

    /// Whether binding a name cannot fail, and runs no code.
    fn binds_surely(&mut self, name: &Name, binds: Binds) -> bool {
        let used = self.use_at(name.span.start);
        match binds {
            Binds::Declared => self.resolved.candidates(used).is_empty(),
            Binds::Assigned => {
                let creates_it = |one: &VariableIndex| Some(*one) == used.creates;
                let candidates = self.resolved.candidates(used);
                let creates = used.creates.is_some() && candidates.iter().all(creates_it);
                creates || self.certain(used).is_some()
            }
        }
    }

    /// Pops a value and takes it apart.
    pub(super) fn bind_pattern(&mut self, pattern: &'a Pattern, binds: Binds) {
        match &pattern.kind {
            PatternKind::Name(name) => self.bind_name(name, binds),
            PatternKind::Ignore => self.emit(Op::Pop {}),
            PatternKind::Array { items, rest } => {
                for (index, item) in items.iter().enumerate() {
                    if matches!(item.kind, PatternKind::Ignore) {
                        continue;
                    }
                    self.emit(Op::Dup {});
                    self.emit(Op::ElementOrNull {
                        index: index as u32,
                    });
                    self.bind_pattern(item, binds);
                }
                match rest {
                    Some(rest) => {
                        self.emit(Op::ArrayRest {
                            from: items.len() as u32,
                        });
                        self.bind_name(rest, binds);
                    }
                    None => self.emit(Op::Pop {}),
                }
            }
            PatternKind::Dict { entries, rest } => {
                for entry in entries {
                    let name = self.tables.name(&entry.key.text);
                    self.emit(Op::Dup {});
                    self.emit(Op::FieldOrNull { name });
                    self.bind_pattern(&entry.pattern, binds);
                }
                match rest {
                    Some(rest) => {
                        let keys = entries.iter().map(|entry| &entry.key);
                        self.dict_rest(keys);
                        self.bind_name(rest, binds);
                    }
                    None => self.emit(Op::Pop {}),
                }
            }
        }
    }

    /// Replaces the top by a dict of the entries that are not named.
    pub(super) fn dict_rest<'n>(&mut self, keys: impl Iterator<Item = &'n Name>) {
        let names = keys.map(|key| self.tables.name(&key.text)).collect();
        let list = self.tables.program.name_lists.len() as u32;
        self.tables.program.name_lists.push(names);
        self.emit(Op::DictRest { list });
    }

    fn bind_name(&mut self, name: &Name, binds: Binds) {
        match binds {
            Binds::Declared => self.declare_name(name),
            Binds::Assigned => self.assign_name(name),
        }
    }
}

/// More names than this are not worth comparing with each other.
const MAX_EXCHANGED: usize = 16;
