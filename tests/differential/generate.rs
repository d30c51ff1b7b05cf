//! Random programs: valid, ending, and always the same for the same seed.
//!
//! They end because every loop counts with a variable that nothing else
//! changes, and because what a place costs is known when something is written
//! there.  Most operations make sense; a few don't, so that errors are raised
//! in all sorts of places, mostly inside of a `try`.

use crate::node::{Node, expression, statement};
use crate::types::Type;
use fastrand::Rng;

/// Statements that a program may execute, and a function.
const PROGRAM_COST: u64 = 6_000;
const FUNCTION_COST: u64 = 150;

pub struct Generator {
    pub(crate) random: Rng,
    pub(crate) scopes: Vec<Vec<Variable>>,
    pub(crate) functions: Vec<Function>,
    pub(crate) generators: Vec<String>,
    /// The fields of each struct, and the names of its methods.
    pub(crate) structs: Vec<Struct>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) names: usize,
    /// Loops around this place, up to the function.
    pub(crate) loops: u32,
    /// What the function around this place gives, if there is one.
    pub(crate) result: Option<Type>,
    pub(crate) is_generator: bool,
    /// How often this place is reached in one call of its function.
    pub(crate) weight: u64,
    pub(crate) cost: u64,
    pub(crate) limit: u64,
}

#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub ty: Type,
    /// Neither counters nor what `let` and `const` declare, for the most part.
    pub is_changed: bool,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub params: Vec<Type>,
    pub result: Type,
    pub cost: u64,
    pub is_async: bool,
}

#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<(String, Type)>,
    pub methods: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Enum {
    pub name: String,
    /// What each variant carries.
    pub variants: Vec<(&'static str, Vec<Type>)>,
}

/// The program of a seed.
pub fn program(seed: u64) -> Node {
    let mut generator = Generator {
        random: Rng::with_seed(seed),
        scopes: vec![Vec::new()],
        functions: Vec::new(),
        generators: Vec::new(),
        structs: Vec::new(),
        enums: Vec::new(),
        names: 0,
        loops: 0,
        result: None,
        is_generator: false,
        weight: 1,
        cost: 0,
        limit: PROGRAM_COST,
    };
    let statements = generator.program();
    Node::sequence(statements)
}

impl Generator {
    fn program(&mut self) -> Vec<Node> {
        let mut statements = vec![
            "func clip(v) { return slice(v, 0, 6) }".into(),
            "func cut(s) { return substring(s, 0, 12) }".into(),
            "mut fuel := 200".into(),
            "func via(f, v) { fuel -= 1 if fuel < 0 { throw(\"no fuel\") } return f(v) }".into(),
        ];
        for _ in 0..self.random.u32(0..3) {
            statements.push(self.struct_declaration());
        }
        for _ in 0..self.random.u32(0..3) {
            statements.push(self.enum_declaration());
        }
        for _ in 0..self.random.u32(2..7) {
            let ty = self.any_type();
            let value = self.literal(&ty);
            let name = self.name("v");
            self.know(&name, &ty, true);
            statements.push(statement!["mut ", name, " := ", value]);
        }
        for _ in 0..self.random.u32(0..4) {
            let declaration = match self.random.u32(0..10) {
                0 => self.generator_function(),
                1 => self.recursive_function(),
                _ => self.function(),
            };
            statements.push(declaration);
        }
        for index in 0..self.functions.len() {
            statements.push(self.calls(index));
        }
        for _ in 0..self.random.u32(0..3) {
            let special = match self.chance(50) {
                true => self.kernel(),
                false => self.shape(),
            };
            statements.push(special);
        }
        for _ in 0..self.random.u32(2..8) {
            let one = match self.chance(50) {
                true => self.attempt(2),
                false => self.statement(3),
            };
            statements.push(one);
        }
        statements.push(self.last_words());
        statements
    }

    /// Calls of a function, some often enough to make it hot.
    fn calls(&mut self, index: usize) -> Node {
        let function = self.functions[index].clone();
        let mut statements = Vec::new();
        for round in 0..self.random.u32(0..4) {
            if !self.pay(4 * function.cost) {
                break;
            }
            let mut arguments = Vec::new();
            for param in &function.params {
                let ty = match round > 0 && self.chance(30) {
                    true => self.any_type(),
                    false => param.clone(),
                };
                arguments.push(self.expression(&ty, 1));
            }
            let start = if function.is_async { "await " } else { "" };
            let call = expression![start, &function.name, "(", Node::list(arguments), ")"];
            let call = statement!["print(", call, ")"];
            let tried = statement![
                "try ",
                Node::block(vec![call]),
                " except e { print(e.message) }"
            ];
            statements.push(match self.chance(40) {
                true => statement!["for i in 4 ", Node::block(vec![tried])],
                false => tried,
            });
        }
        Node::sequence(statements)
    }

    /// Shows what all variables hold in the end.
    fn last_words(&mut self) -> Node {
        let names: Vec<Node> = self.scopes[0]
            .iter()
            .map(|variable| expression![&variable.name])
            .collect();
        let shown = names.into_iter().map(|name| {
            statement![
                "try ",
                Node::block(vec![statement!["print(", name, ")"]]),
                " except e { print(e.message) }",
            ]
        });
        Node::sequence(shown.collect())
    }

    /// True so many times of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    pub fn pick<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.random.usize(0..options.len())]
    }

    /// A name that nothing else has.
    pub fn name(&mut self, start: &str) -> String {
        self.names += 1;
        format!("{start}{}", self.names)
    }

    /// Whether something that costs so much may be written here; it is paid then.
    pub fn pay(&mut self, cost: u64) -> bool {
        let cost = cost.saturating_mul(self.weight);
        let fits = self.cost.saturating_add(cost) <= self.limit;
        if fits {
            self.cost += cost;
        }
        fits
    }

    /// Makes a variable known in this scope.
    pub fn know(&mut self, name: &str, ty: &Type, is_changed: bool) {
        let variable = Variable {
            name: name.to_owned(),
            ty: ty.clone(),
            is_changed,
        };
        self.scopes
            .last_mut()
            .expect("the module's scope stays")
            .push(variable);
    }

    /// Runs an action in a scope of its own.
    pub fn scoped<T>(&mut self, action: impl FnOnce(&mut Generator) -> T) -> T {
        self.scopes.push(Vec::new());
        let result = action(self);
        self.scopes.pop();
        result
    }

    /// A visible variable that suits; the newest are the likeliest.
    pub fn variable(&mut self, suits: &dyn Fn(&Variable) -> bool) -> Option<Variable> {
        let found: Vec<&Variable> = self
            .scopes
            .iter()
            .flatten()
            .filter(|variable| suits(variable))
            .collect();
        if found.is_empty() {
            return None;
        }
        let one = self.random.usize(0..found.len());
        let other = self.random.usize(0..found.len());
        Some(found[one.max(other)].clone())
    }

    pub fn scalar_type(&mut self) -> Type {
        match self.random.u32(0..12) {
            0..=4 => Type::Int,
            5..=7 => Type::Float,
            8 => Type::Bool,
            9..=10 => Type::Text,
            _ => Type::Any,
        }
    }

    pub fn any_type(&mut self) -> Type {
        match self.random.u32(0..22) {
            0..=7 => self.scalar_type(),
            8..=10 => Type::array(Type::Int),
            11 => Type::array(Type::Float),
            12 => Type::array(self.scalar_type()),
            13 => Type::array(Type::array(self.scalar_type())),
            14 => Type::dict(self.scalar_type()),
            15 => Type::dict(Type::array(Type::Int)),
            16 if !self.structs.is_empty() => Type::array(self.struct_type()),
            17 if !self.structs.is_empty() => self.struct_type(),
            16..=17 => Type::option(self.scalar_type()),
            18 => Type::result(self.scalar_type()),
            19..=20 if !self.enums.is_empty() => self.enum_type(),
            19 => Type::option(Type::array(Type::Int)),
            20 => Type::result(Type::Text),
            _ => {
                let (parameter, result) = (self.scalar_type(), self.scalar_type());
                Type::function(parameter, result)
            }
        }
    }

    pub fn struct_type(&mut self) -> Type {
        Type::Struct(self.random.usize(0..self.structs.len()))
    }

    pub fn enum_type(&mut self) -> Type {
        Type::Enum(self.random.usize(0..self.enums.len()))
    }

    /// An enum; the variants of several have the same names.
    fn enum_declaration(&mut self) -> Node {
        let name = self.name("E");
        let mut variants = Vec::new();
        for variant in ["A", "B", "C", "D"]
            .into_iter()
            .take(self.random.usize(1..5))
        {
            let carried = (0..self.random.usize(0..4))
                .map(|_| match self.random.u32(0..10) {
                    0 => Type::array(Type::Int),
                    1 if !self.structs.is_empty() => self.struct_type(),
                    // Another one of these makes it a tree.
                    2 if !self.enums.is_empty() => self.enum_type(),
                    _ => self.scalar_type(),
                })
                .collect();
            variants.push((variant, carried));
        }
        let declared: Vec<&str> = variants.iter().map(|(variant, _)| *variant).collect();
        let declared = declared.join(", ");
        let declaration = statement!["enum ", &name, " { ", declared, " }"];
        self.enums.push(Enum { name, variants });
        declaration
    }

    fn struct_declaration(&mut self) -> Node {
        let name = self.name("S");
        let extra = match self.random.u32(0..4) {
            0 => Type::array(Type::Int),
            1 => Type::dict(Type::Int),
            2 => Type::Text,
            _ => Type::Any,
        };
        let number = if self.chance(50) {
            Type::Int
        } else {
            Type::Float
        };
        let fields = vec![
            ("n".to_owned(), Type::Int),
            ("x".to_owned(), number),
            ("more".to_owned(), extra),
        ];
        let mut methods = Vec::new();
        let mut members: Vec<Node> = Vec::new();
        for (field, ty) in &fields {
            let default = self.literal(ty);
            members.push(statement![field, " := ", default]);
        }
        for method in [
            "bump", "get", "op_add", "op_eq", "op_lt", "op_neg", "twice", "free",
        ] {
            if self.chance(40) {
                continue;
            }
            methods.push(method);
            members.push(self.method(method, &name, &fields));
        }
        self.structs.push(Struct {
            name: name.clone(),
            fields,
            methods,
        });
        statement!["struct ", &name, " ", Node::block(members)]
    }

    /// A method of a struct: what it is for is in its name.  It uses the fields
    /// of its receiver one by one, so that no method calls itself.
    fn method(&mut self, method: &str, name: &str, fields: &[(String, Type)]) -> Node {
        let params: &[&str] = match method {
            "bump" => &["self", "by"],
            "get" | "twice" | "op_neg" => &["self"],
            "op_add" | "op_eq" | "op_lt" => &["self", "o"],
            _ => &["by"],
        };
        let mut known = Vec::new();
        for param in params {
            match *param {
                "by" => known.push(("by".to_owned(), Type::Int)),
                object => known.extend(
                    fields
                        .iter()
                        .map(|(field, ty)| (format!("{object}.{field}"), ty.clone())),
                ),
            }
        }
        let known: Vec<(&str, Type)> = known
            .iter()
            .map(|(name, ty)| (&**name, ty.clone()))
            .collect();
        let (body, _) = self.body(&known, &Type::Int, |generator| {
            generator.method_body(method, name)
        });
        statement!["func ", method, "(", params.join(", "), ") ", body]
    }

    fn method_body(&mut self, method: &str, name: &str) -> Vec<Node> {
        let mut statements = Vec::new();
        if self.chance(30) {
            statements.push(self.statement(1));
        }
        let int = self.expression(&Type::Int, 2);
        statements.push(match method {
            "bump" => statement!["self.n += by self.x = self.x + ", int, " return self.n"],
            "twice" => statement!["self.bump(1) self.bump(2) return self.n"],
            "op_add" => statement!["return ", name, " { n: self.n + o.n, x: self.x }"],
            "op_neg" => statement!["return ", name, " { n: ", int, ", x: self.x }"],
            "op_eq" | "op_lt" => {
                let test = self.expression(&Type::Bool, 2);
                statement!["return ", test]
            }
            "free" => statement!["n += by return n"],
            _ => statement!["return ", int],
        });
        statements
    }

    /// The block of a function and its cost; what it captures is as around it.
    pub fn body(
        &mut self,
        params: &[(&str, Type)],
        result: &Type,
        action: impl FnOnce(&mut Generator) -> Vec<Node>,
    ) -> (Node, u64) {
        let limit = FUNCTION_COST.min(self.limit);
        let outer = (
            std::mem::take(&mut self.loops),
            self.result.replace(result.clone()),
            std::mem::take(&mut self.is_generator),
            std::mem::replace(&mut self.weight, 1),
            std::mem::take(&mut self.cost),
            std::mem::replace(&mut self.limit, limit),
        );
        let statements = self.scoped(|generator| {
            for (name, ty) in params {
                generator.know(name, ty, true);
            }
            action(generator)
        });
        let cost = self.cost + 1;
        (
            self.loops,
            self.result,
            self.is_generator,
            self.weight,
            self.cost,
            self.limit,
        ) = outer;
        (Node::block(statements), cost)
    }

    /// A function that is called with all kinds of arguments.
    fn function(&mut self) -> Node {
        let name = self.name("f");
        let params: Vec<(String, Type)> = (0..self.random.usize(0..4))
            .map(|_| (self.name("p"), self.any_type()))
            .collect();
        let result = self.any_type();
        let borrowed: Vec<(&str, Type)> = params
            .iter()
            .map(|(name, ty)| (&**name, ty.clone()))
            .collect();
        let (body, cost) = self.body(&borrowed, &result, |generator| {
            let count = generator.random.u32(0..4);
            let mut statements: Vec<Node> = (0..count).map(|_| generator.statement(2)).collect();
            let value = generator.expression(&result, 2);
            statements.push(statement!["return ", value]);
            statements
        });
        let is_async = self.chance(5);
        let names: Vec<&str> = borrowed.iter().map(|(name, _)| *name).collect();
        let start = if is_async { "async func " } else { "func " };
        let declaration = statement![start, &name, "(", names.join(", "), ") ", body];
        self.functions.push(Function {
            name,
            params: params.into_iter().map(|(_, ty)| ty).collect(),
            result,
            cost,
            is_async,
        });
        declaration
    }

    /// A function that calls itself, at most six levels deep.
    fn recursive_function(&mut self) -> Node {
        let (name, depth, extra) = (self.name("r"), self.name("d"), self.name("p"));
        let (ty, result) = (self.any_type(), self.scalar_type());
        self.know(&depth, &Type::Int, false);
        let params = [(&*extra, ty.clone())];
        let (body, cost) = self.body(&params, &result, |generator| {
            generator.limit = 30;
            let least = generator.expression(&result, 1);
            let mut statements = vec![statement![
                "if ",
                &depth,
                " <= 0 ",
                Node::block(vec![statement!["return ", least]])
            ]];
            if generator.chance(60) {
                statements.push(generator.statement(1));
            }
            for _ in 0..generator.random.u32(1..3) {
                let value = generator.expression(&ty, 1);
                let target = generator.name("v");
                let step = generator.pick(&["1", "1", "2"]);
                statements.push(statement![
                    &target, " := ", &name, "(", &depth, " - ", step, ", ", value, ")"
                ]);
                generator.know(&target, &result, true);
            }
            let value = generator.expression(&result, 2);
            statements.push(statement!["return ", value]);
            statements
        });
        self.scopes
            .last_mut()
            .expect("the module's scope stays")
            .pop();
        let wrapper = self.name("f");
        let levels = self.random.u32(2..6);
        self.functions.push(Function {
            name: wrapper.clone(),
            params: vec![ty],
            result,
            cost: cost << levels,
            is_async: false,
        });
        Node::sequence(vec![
            statement!["func ", &name, "(", &depth, ", ", &extra, ") ", body],
            statement![
                "func ",
                wrapper,
                "(v) { return ",
                &name,
                "(",
                levels.to_string(),
                ", v) }"
            ],
        ])
    }

    /// A generator function with one parameter, an int.
    fn generator_function(&mut self) -> Node {
        let (name, param) = (self.name("g"), self.name("p"));
        let params = [(&*param, Type::Int)];
        let (body, _) = self.body(&params, &Type::Int, |generator| {
            generator.is_generator = true;
            let count = generator.random.u32(1..4);
            let mut statements: Vec<Node> = (0..count).map(|_| generator.statement(2)).collect();
            let value = generator.expression(&Type::Int, 2);
            statements.push(statement!["yield ", value]);
            let counter = generator.name("c");
            let inner = generator.looped(4, |generator| {
                generator.know(&counter, &Type::Int, false);
                generator.statements(1)
            });
            statements.push(statement!["for ", &counter, " in 4 ", inner]);
            statements
        });
        self.generators.push(name.clone());
        statement!["func* ", name, "(", &param, ") ", body]
    }
}
