//! The tests of a program, as its runner sees them.

use crate::syntax::ast::{Block, Program, Stmt, StmtKind, TestDecl};
use std::sync::Arc;

/// One test with what belongs to it: three blocks that share a scope.
#[derive(Clone, Debug)]
pub struct Test<'a> {
    pub name: &'a Arc<str>,
    /// The groups around it, outermost first.
    pub groups: Vec<&'a Arc<str>>,
    /// The statement.
    pub statement: &'a Stmt,
    pub setup: Option<&'a Block>,
    pub body: &'a Block,
    pub teardown: Option<&'a Block>,
}

impl<'a> Test<'a> {
    /// The statements of setup, body and teardown.
    pub fn blocks(&self) -> [&'a [Stmt]; 3] {
        let statements =
            |block: Option<&'a Block>| block.map_or(&[][..], |block| &block.statements);
        [
            statements(self.setup),
            &self.body.statements,
            statements(self.teardown),
        ]
    }
}

/// The tests of a program in the order of the source, those in groups too.
/// The last setup and the last teardown belong to all of them.
pub fn tests(program: &Program) -> Vec<Test<'_>> {
    let mut found = Found::default();
    found.statements(&program.body, &[]);
    for test in &mut found.tests {
        test.setup = found.setup;
        test.teardown = found.teardown;
    }
    found.tests
}

#[derive(Default)]
struct Found<'a> {
    tests: Vec<Test<'a>>,
    setup: Option<&'a Block>,
    teardown: Option<&'a Block>,
}

impl<'a> Found<'a> {
    fn statements(&mut self, statements: &'a [Stmt], groups: &[&'a Arc<str>]) {
        for statement in statements {
            let StmtKind::Test(test) = &statement.kind else {
                continue;
            };
            match test {
                TestDecl::Test { name, body } => self.tests.push(Test {
                    name,
                    groups: groups.to_vec(),
                    statement,
                    setup: None,
                    body,
                    teardown: None,
                }),
                TestDecl::Group { name, body } => {
                    let inside = [groups, &[name]].concat();
                    self.statements(&body.statements, &inside);
                }
                TestDecl::Setup(body) => self.setup = Some(body),
                TestDecl::Teardown(body) => self.teardown = Some(body),
            }
        }
    }
}
