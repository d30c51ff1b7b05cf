//! The tree, one node a line, parts indented below their node.

mod expr;
mod pattern;

use crate::syntax::ast::*;

/// Indentation stops growing here; a chain of a hundred thousand operators
/// would otherwise be mostly spaces.
const DEEPEST_INDENT: usize = 60;

pub fn tree(program: &Program) -> String {
    let mut dump = Dump {
        out: String::new(),
        depth: 0,
    };
    dump.statements(&program.body);
    dump.out
}

struct Dump {
    out: String,
    depth: usize,
}

impl Dump {
    fn line(&mut self, text: impl AsRef<str>) {
        let depth = self.depth.min(DEEPEST_INDENT);
        self.out.extend(std::iter::repeat_n("  ", depth));
        if self.depth > DEEPEST_INDENT {
            self.out.push_str(&format!("({}) ", self.depth));
        }
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    fn below(&mut self, parts: impl FnOnce(&mut Self)) {
        self.depth += 1;
        parts(self);
        self.depth -= 1;
    }

    /// A node and its parts.
    fn node(&mut self, text: impl AsRef<str>, parts: impl FnOnce(&mut Self)) {
        self.line(text);
        self.below(parts);
    }

    fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn block(&mut self, label: &str, block: &Block) {
        self.node(label, |dump| dump.statements(&block.statements));
    }

    fn statement(&mut self, statement: &Stmt) {
        match &statement.kind {
            StmtKind::Binding {
                kind,
                pattern,
                annotation,
                value,
            } => {
                self.binding(*kind, pattern, annotation.as_ref(), value);
            }
            StmtKind::Destructure { pattern, value } => self.node("destructure", |dump| {
                dump.pattern(pattern);
                dump.expr(value);
            }),
            StmtKind::Assign { place, value } => self.assignment("assign", place, value),
            StmtKind::CompoundAssign {
                place,
                operator,
                value,
            } => {
                self.assignment(&format!("assign {}", expr::sign(*operator)), place, value);
            }
            StmtKind::Func(func) => self.func(func),
            StmtKind::Struct(declaration) => self.struct_declaration(declaration),
            StmtKind::Enum(declaration) => {
                let variants = joined(&declaration.variants, ", ");
                self.line(format!("enum {}: {variants}", declaration.name.text));
            }
            StmtKind::Import(import) => self.import(import),
            StmtKind::Export(exported) => self.node("export", |dump| dump.statement(exported)),
            StmtKind::If(chain) => self.if_chain(chain),
            StmtKind::While { condition, body } => self.while_loop(condition.as_ref(), body),
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => self.node("for", |dump| {
                dump.pattern(pattern);
                dump.node("in", |dump| dump.expr(iterable));
                dump.block("do", body);
            }),
            StmtKind::CFor {
                init,
                condition,
                step,
                body,
            } => self.node("for", |dump| {
                dump.optional("init", init.as_deref(), Self::statement);
                dump.optional("while", condition.as_ref(), Self::expr);
                dump.optional("step", step.as_deref(), Self::statement);
                dump.block("do", body);
            }),
            StmtKind::Match(found) => self.match_statement(found),
            StmtKind::Try {
                body,
                error,
                handler,
            } => {
                self.block("try", body);
                let name = error
                    .as_ref()
                    .map_or(String::new(), |name| format!(" {}", name.text));
                self.block(&format!("except{name}"), handler);
            }
            StmtKind::Return(value) => {
                self.node("return", |dump| {
                    value.iter().for_each(|value| dump.expr(value))
                });
            }
            StmtKind::Break => self.line("break"),
            StmtKind::Continue => self.line("continue"),
            StmtKind::Test(test) => self.test(test),
            StmtKind::Block(block) => self.block("block", block),
            StmtKind::Expr(value) => self.expr(value),
        }
    }

    fn optional<T>(&mut self, label: &str, part: Option<T>, show: impl FnOnce(&mut Self, T)) {
        if let Some(part) = part {
            self.node(label, |dump| show(dump, part));
        }
    }

    fn binding(
        &mut self,
        kind: BindingKind,
        pattern: &Pattern,
        annotation: Option<&Type>,
        value: &Expr,
    ) {
        let word = match kind {
            BindingKind::Let => "let",
            BindingKind::Mut => "mut",
            BindingKind::Const => "const",
        };
        self.node(format!("{word}{}", annotated(annotation)), |dump| {
            dump.pattern(pattern);
            dump.expr(value);
        });
    }

    fn assignment(&mut self, label: &str, place: &Place, value: &Expr) {
        self.node(label, |dump| {
            dump.node(format!("place {}", place.root.text), |dump| {
                for step in &place.steps {
                    match step {
                        PlaceStep::Field(name) => dump.line(format!(".{}", name.text)),
                        PlaceStep::Index(index) => dump.node("[]", |dump| dump.expr(index)),
                    }
                }
            });
            dump.expr(value);
        });
    }

    fn func(&mut self, func: &Func) {
        let (modifier, symbol) = match &func.foreign {
            Some(Foreign { library, symbol }) => {
                let quoted = |text: &str| format!("{text:?} ");
                let library = library.as_deref().map_or_else(String::new, quoted);
                let symbol = symbol.as_deref();
                let symbol = symbol.map_or_else(String::new, |text| format!(" = {text:?}"));
                (format!("extern {library}"), symbol)
            }
            None if func.is_async => ("async ".to_owned(), String::new()),
            None => Default::default(),
        };
        let star = if func.is_generator { "*" } else { "" };
        let name = func
            .name
            .as_ref()
            .map_or(String::new(), |name| format!(" {}", name.text));
        let params: Vec<_> = func
            .params
            .iter()
            .map(|param| {
                format!(
                    "{}{}",
                    param.name.text,
                    annotated(param.annotation.as_ref())
                )
            })
            .collect();
        let result = func
            .result
            .as_ref()
            .map_or(String::new(), |result| format!(" -> {}", type_text(result)));
        let params = params.join(", ");
        let head = format!("{modifier}func{star}{name}({params}){result}{symbol}");
        self.block(&head, &func.body);
    }

    fn struct_declaration(&mut self, declaration: &StructDecl) {
        self.node(format!("struct {}", declaration.name.text), |dump| {
            for field in &declaration.fields {
                let annotation = annotated(field.annotation.as_ref());
                dump.node(format!("field {}{annotation}", field.name.text), |dump| {
                    field.default.iter().for_each(|default| dump.expr(default));
                });
            }
            declaration
                .methods
                .iter()
                .for_each(|method| dump.func(method));
        });
    }

    fn import(&mut self, import: &Import) {
        match import {
            Import::Module { path, alias, .. } => {
                let alias = alias
                    .as_ref()
                    .map_or(String::new(), |n| format!(" as {}", n.text));
                self.line(format!("import {}{alias}", joined(path, ".")));
            }
            Import::Symbols { path, symbols, .. } => {
                self.node(format!("from {} import", joined(path, ".")), |dump| {
                    for (exported, local) in symbols {
                        dump.line(format!("{} as {}", exported.text, local.text));
                    }
                });
            }
        }
    }

    /// A loop, because a chain can be very long.
    fn if_chain(&mut self, chain: &If) {
        let mut link = chain;
        let mut label = "if";
        loop {
            self.node(label, |dump| {
                dump.expr(&link.condition);
                dump.block("then", &link.then);
            });
            match &link.otherwise {
                Some(Else::If(next)) => (link, label) = (next, "else if"),
                Some(Else::Block(block)) => return self.block("else", block),
                None => return,
            }
        }
    }

    fn while_loop(&mut self, condition: Option<&Expr>, body: &Block) {
        match condition {
            Some(condition) => self.node("while", |dump| {
                dump.expr(condition);
                dump.block("do", body);
            }),
            None => self.block("loop", body),
        }
    }

    fn match_statement(&mut self, found: &Match) {
        self.node("match", |dump| {
            dump.expr(&found.subject);
            for clause in &found.clauses {
                dump.node("case", |dump| {
                    clause
                        .patterns
                        .iter()
                        .for_each(|pattern| dump.case_pattern(pattern));
                    dump.optional("if", clause.guard.as_ref(), Self::expr);
                    dump.block("do", &clause.body);
                });
            }
            found
                .default
                .iter()
                .for_each(|block| dump.block("default", block));
        });
    }

    fn test(&mut self, test: &TestDecl) {
        match test {
            TestDecl::Test { name, body } => self.block(&format!("test {name:?}"), body),
            TestDecl::Group { name, body } => self.block(&format!("test_group {name:?}"), body),
            TestDecl::Setup(body) => self.block("test_setup", body),
            TestDecl::Teardown(body) => self.block("test_teardown", body),
        }
    }
}

fn joined(names: &[Name], separator: &str) -> String {
    names
        .iter()
        .map(|name| &*name.text)
        .collect::<Vec<_>>()
        .join(separator)
}

fn annotated(annotation: Option<&Type>) -> String {
    annotation.map_or(String::new(), |annotation| {
        format!(": {}", type_text(annotation))
    })
}

fn type_text(found: &Type) -> String {
    let all = |types: &[Type], separator: &str| {
        types
            .iter()
            .map(type_text)
            .collect::<Vec<_>>()
            .join(separator)
    };
    match &found.kind {
        TypeKind::Name(name) => name.to_string(),
        TypeKind::Null => "null".into(),
        TypeKind::Func { params, result } => {
            let result = result
                .as_ref()
                .map_or(String::new(), |r| format!(" -> {}", type_text(r)));
            format!("(func({}){result})", all(params, ", "))
        }
        TypeKind::Optional(base) => format!("{}?", type_text(base)),
        TypeKind::Array(base) => format!("{}[]", type_text(base)),
        TypeKind::Generic { base, args } => format!("{}<{}>", type_text(base), all(args, ", ")),
        TypeKind::Union(members) => format!("({})", all(members, " | ")),
    }
}
