//! Tests: each is a function that its runner calls when the top level has run.

use super::Lowerer;
use super::function::Body;
use crate::resolve::{Place, ScopeIndex, Test};
use crate::syntax::ast::Stmt;
use ruff_runtime::bytecode::{FunctionId, Op};
use ruff_runtime::names;

impl<'a> Lowerer<'a> {
    /// Has the tests lowered; gives their functions.
    pub(super) fn tests(&mut self, tests: &[Test<'a>]) -> Vec<FunctionId> {
        let mut functions = Vec::new();
        for (test, copy) in tests.iter().zip(1..) {
            let offset = test.body.span.start;
            let function = self.names.function_at(Place { copy, offset });
            functions.push(self.id(function));
            let name = format!("test \"{}\"", test.name);
            self.enqueue(function, name, Body::Test(test.clone()));
        }
        functions
    }

    /// Setup, body and teardown: an error in the first is marked as such, one
    /// in the last is ignored.
    pub(super) fn test_body(&mut self, scope: ScopeIndex, test: &Test<'a>) {
        let [setup, body, teardown] = test.blocks();
        self.enter_shared_scope(scope, &[setup, body, teardown]);
        if let Some(block) = test.setup {
            self.guarded(
                |lowerer| lowerer.part(setup),
                |lowerer| lowerer.throw_as_setup_failure(),
                block.span.start,
            );
        }
        self.part(body);
        if let Some(block) = test.teardown {
            self.guarded(
                |lowerer| lowerer.statements(teardown),
                |lowerer| lowerer.emit(Op::Pop {}),
                block.span.start,
            );
        }
        self.emit(Op::Null {});
        self.emit(Op::Return {});
    }

    /// A part that `return` ends, and not more than that.
    fn part(&mut self, statements: &'a [Stmt]) {
        let end = self.label();
        self.frame.end = Some(end);
        self.statements(statements);
        self.frame.end = None;
        self.bind(end);
    }

    /// Throws again what was caught, and says that it was the setup's error.
    fn throw_as_setup_failure(&mut self) {
        let caught = self.hidden(1);
        self.emit(Op::StoreLocal { slot: caught });
        let index = self.tables.text("Setup failed: ");
        self.emit(Op::Constant { index });
        self.emit(Op::LoadLocal { slot: caught });
        self.emit(Op::Field {
            name: names::MESSAGE,
        });
        self.emit(Op::Interpolate { count: 2 });
        self.emit(Op::Throw {});
    }
}
