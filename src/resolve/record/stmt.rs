//! Statements.

use super::{Recorder, ScopeKind};
use crate::resolve::index::FunctionIndex;
use crate::resolve::tape::Event;
use crate::resolve::{FunctionKind, HoistItem, Mutability, Test};
use crate::source::Span;
use crate::syntax::ast::*;

impl Recorder {
    pub(super) fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match &statement.kind {
            StmtKind::Binding {
                kind,
                pattern,
                value,
                ..
            } => self.binding(*kind, pattern, value),
            StmtKind::Destructure { pattern, value } => {
                self.expr(value);
                self.assign_pattern(pattern);
            }
            StmtKind::Assign { place, value } => self.assign(place, value),
            StmtKind::CompoundAssign { place, value, .. } => {
                self.place_steps(place);
                self.modify(place);
                self.expr(value);
            }
            StmtKind::Func(func) => self.declared_function(func),
            StmtKind::Struct(declaration) => self.declared_struct(declaration),
            StmtKind::Enum(declaration) => self.declared(&declaration.name, HoistItem::Enum),
            StmtKind::Import(import) => self.import(import, statement.span.start),
            StmtKind::Export(inner) => self.statement(inner),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::While { condition, body } => {
                if let Some(condition) = condition {
                    self.expr(condition);
                }
                self.loop_body(body);
            }
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => {
                self.expr(iterable);
                self.for_body(pattern, body);
            }
            StmtKind::CFor {
                init,
                condition,
                step,
                body,
            } => {
                self.enter(Some(statement.span.start), ScopeKind::Plain, &[]);
                self.c_style_for(init.as_deref(), condition.as_ref(), step.as_deref(), body);
                self.leave(&[]);
            }
            StmtKind::Match(matching) => self.matching(matching),
            StmtKind::Try {
                body,
                error,
                handler,
            } => self.try_except(body, error.as_ref(), handler),
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
                self.may_end();
            }
            StmtKind::Break => self.leaving_loop(statement.span, "break"),
            StmtKind::Continue => self.leaving_loop(statement.span, "continue"),
            StmtKind::Test(test) => self.test(test),
            StmtKind::Block(block) => self.block(block),
            StmtKind::Expr(expr) => self.expr(expr),
        }
    }

    fn leaving_loop(&mut self, span: Span, word: &str) {
        if self.frame.loops == 0 {
            self.error(span, format!("{word} can only be used inside a loop"));
        }
    }

    fn binding(&mut self, kind: BindingKind, pattern: &Pattern, value: &Expr) {
        let mutability = match kind {
            BindingKind::Let => Mutability::Let,
            BindingKind::Mut => Mutability::Mutable,
            BindingKind::Const => Mutability::Const,
        };
        let literal = self.value(value);
        match &pattern.kind {
            PatternKind::Name(name) => self.declare_literal(name, mutability, true, literal),
            _ => self.declare_pattern(pattern, mutability, true),
        }
    }

    /// Records an expression; gives the function if it is just a literal of one.
    fn value(&mut self, value: &Expr) -> Option<FunctionIndex> {
        self.expr(value);
        match &value.kind {
            ExprKind::Func(func) => {
                let place = self.place_at(func.span.start);
                Some(self.names().function_at(place))
            }
            _ => None,
        }
    }

    fn assign(&mut self, place: &Place, value: &Expr) {
        let literal = self.value(value);
        if !place.steps.is_empty() {
            self.place_steps(place);
            self.modify(place);
            return;
        }
        self.note_self_write(place);
        let name = self.mention(&place.root.text);
        self.push(Event::Assign {
            name,
            offset: place.root.span.start,
            literal,
        });
    }

    fn modify(&mut self, place: &Place) {
        self.note_self_write(place);
        let name = self.mention(&place.root.text);
        self.push(Event::Modify {
            name,
            offset: place.root.span.start,
        });
    }

    fn note_self_write(&mut self, place: &Place) {
        if *place.root.text == *"self"
            && let Some(method) = self.frame.method
        {
            self.out.self_writers.insert(method);
        }
    }

    fn place_steps(&mut self, place: &Place) {
        for step in &place.steps {
            match step {
                PlaceStep::Field(name) => {
                    let field = self.intern(&name.text);
                    self.out.field_names.insert(field);
                }
                PlaceStep::Index(index) => self.expr(index),
            }
        }
    }

    pub(super) fn branch(&mut self, branch: &If) {
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

    fn loop_body(&mut self, body: &Block) {
        self.frame.loops += 1;
        self.block(body);
        self.frame.loops -= 1;
    }

    /// The variables of the pattern share the scope of the body.
    fn for_body(&mut self, pattern: &Pattern, body: &Block) {
        self.frame.loops += 1;
        self.enter(Some(body.span.start), ScopeKind::Plain, &body.statements);
        self.declare_pattern(pattern, Mutability::Mutable, false);
        self.statements(&body.statements);
        self.leave(&body.statements);
        self.frame.loops -= 1;
    }

    fn c_style_for(
        &mut self,
        init: Option<&Stmt>,
        condition: Option<&Expr>,
        step: Option<&Stmt>,
        body: &Block,
    ) {
        if let Some(init) = init {
            self.statement(init);
        }
        match step.map(|step| &step.kind) {
            Some(StmtKind::Assign { place, .. }) if place.steps.is_empty() => {
                let name = self.intern(&place.root.text);
                self.push(Event::MayAssign { name });
            }
            Some(StmtKind::Binding { pattern, .. } | StmtKind::Destructure { pattern, .. }) => {
                self.may_assign_pattern(pattern);
            }
            _ => {}
        }
        if let Some(condition) = condition {
            self.expr(condition);
        }
        self.loop_body(body);
        if let Some(step) = step {
            self.statement(step);
        }
    }

    fn matching(&mut self, matching: &Match) {
        self.expr(&matching.subject);
        self.push(Event::EnterMatch);
        for clause in &matching.clauses {
            self.enter_clause(&clause.body);
            self.case_patterns(&clause.patterns, clause.guard.is_some());
            if let Some(guard) = &clause.guard {
                self.expr(guard);
            }
            self.leave_clause(&clause.body);
        }
        if let Some(default) = &matching.default {
            self.enter_clause(default);
            self.leave_clause(default);
        }
        self.push(Event::LeaveMatch {
            has_default: matching.default.is_some(),
        });
    }

    fn enter_clause(&mut self, body: &Block) {
        let around = self.frame.scope.expect("a match is in some scope");
        self.push(Event::EnterClause);
        let scope = self.enter(Some(body.span.start), ScopeKind::Plain, &body.statements);
        self.out.scopes[scope].creates_in = self.out.scopes[around].creates_in;
    }

    fn leave_clause(&mut self, body: &Block) {
        self.statements(&body.statements);
        self.leave(&body.statements);
        let diverges = matches!(
            body.statements.last().map(|last| &last.kind),
            Some(StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue)
                | Some(StmtKind::Expr(Expr {
                    kind: ExprKind::Throw(_),
                    ..
                }))
        );
        self.push(Event::LeaveClause { diverges });
    }

    fn try_except(&mut self, body: &Block, error: Option<&Name>, handler: &Block) {
        self.block(body);
        self.enter(
            Some(handler.span.start),
            ScopeKind::Plain,
            &handler.statements,
        );
        if let Some(error) = error {
            self.declare(error, Mutability::Mutable, false);
        }
        self.statements(&handler.statements);
        self.leave(&handler.statements);
    }

    fn test(&mut self, test: &TestDecl) {
        let body = match test {
            TestDecl::Test { body, .. } | TestDecl::Setup(body) | TestDecl::Teardown(body) => body,
            TestDecl::Group { body, .. } => body,
        };
        let was_dead = self.frame.is_dead;
        // A normal run does not contain it, but it is checked like everything else.
        self.frame.is_dead = true;
        self.function(FunctionKind::Test, body.span.start, false, |recorder| {
            recorder.body(&[], body, ScopeKind::Plain);
        });
        self.frame.is_dead = was_dead;
    }

    /// Records a test as it runs: the parts are one function, with one scope.
    pub(super) fn live_test(&mut self, test: &Test, copy: u32) {
        let was_copy = std::mem::replace(&mut self.frame.copy, copy);
        let key = test.body.span.start;
        let function = self.function(FunctionKind::Test, key, false, |recorder| {
            let blocks = test.blocks();
            let scope = recorder.enter_shared(Some(key), ScopeKind::Plain, &blocks);
            recorder.out.functions[recorder.frame.function].scope = scope;
            for block in &blocks {
                recorder.push(Event::EnterPart);
                recorder.statements(block);
                recorder.push(Event::LeavePart);
            }
            recorder.leave_shared(&blocks);
        });
        self.frame.copy = was_copy;
        self.push(Event::Make(function));
    }
}

/// Declarations.
impl Recorder {
    fn declared(&mut self, name: &Name, item: HoistItem) {
        let place = self.place_at(name.span.start);
        let hoist = self.names().hoist_at(place);
        self.out.hoists[hoist].item = item;
        self.out.hoists[hoist].statement_at = self.now();
        self.push(Event::Statement);
    }

    /// Records what belongs to a declaration, dead if nobody can ever see it.
    fn within_declaration<T>(&mut self, name: &Name, record: impl FnOnce(&mut Self) -> T) -> T {
        let place = self.place_at(name.span.start);
        let hoist = self.names().hoist_at(place);
        let was_dead = self.frame.is_dead;
        self.frame.is_dead |= self.out.hoists[hoist].is_replaced;
        let result = record(self);
        self.frame.is_dead = was_dead;
        result
    }

    fn declared_function(&mut self, func: &Func) {
        let Some(name) = &func.name else { return };
        let function =
            self.within_declaration(name, |recorder| recorder.func(func, FunctionKind::Declared));
        self.declared(name, HoistItem::Function(function));
    }

    fn declared_struct(&mut self, declaration: &StructDecl) {
        let functions = self.within_declaration(&declaration.name, |recorder| {
            let methods = declaration
                .methods
                .iter()
                .map(|method| recorder.method(&declaration.name, method));
            let mut functions: Vec<FunctionIndex> = methods.collect();
            for field in &declaration.fields {
                let name = recorder.intern(&field.name.text);
                recorder.out.field_names.insert(name);
                if let Some(default) = &field.default {
                    functions.push(recorder.default_value(field, default));
                }
            }
            functions
        });
        self.declared(&declaration.name, HoistItem::Struct(functions));
    }

    fn method(&mut self, owner: &Name, method: &Func) -> FunctionIndex {
        let name = method.name.as_ref().map_or("<lambda>", |name| &name.text);
        if method.is_generator {
            let message = format!(
                "Generator methods are not supported for structs: {}.{name}",
                owner.text
            );
            self.error(
                method.name.as_ref().map_or(method.span, |name| name.span),
                message,
            );
        }
        let has_self = method
            .params
            .first()
            .is_some_and(|param| *param.name.text == *"self");
        let function = self.func(method, FunctionKind::Method { has_self });
        if let Some(name) = &method.name {
            let name = self.intern(&name.text);
            self.out.methods.push((name, function));
        }
        function
    }

    fn default_value(&mut self, field: &FieldDecl, default: &Expr) -> FunctionIndex {
        self.function(
            FunctionKind::Default,
            field.name.span.start,
            false,
            |recorder| {
                let scope = recorder.enter(None, ScopeKind::Plain, &[]);
                recorder.out.functions[recorder.frame.function].scope = scope;
                recorder.expr(default);
                recorder.leave(&[]);
            },
        )
    }
}
