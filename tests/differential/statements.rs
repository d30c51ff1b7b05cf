//! Random statements.

use crate::generate::{Generator, Variable};
use crate::node::{Node, expression, statement};
use crate::types::Type;

impl Generator {
    /// A few statements.
    pub fn statements(&mut self, depth: u32) -> Vec<Node> {
        let count = self.random.u32(1..4);
        (0..count).map(|_| self.statement(depth)).collect()
    }

    /// A block with a scope of its own.
    pub fn block(&mut self, depth: u32) -> Node {
        Node::block(self.scoped(|generator| generator.statements(depth)))
    }

    pub fn statement(&mut self, depth: u32) -> Node {
        if !self.pay(1) {
            return self.print(1);
        }
        let is_nested = depth > 0 && self.limit - self.cost > 20 * self.weight;
        let depth = depth.saturating_sub(1);
        match self.random.u32(0..100) {
            0..=11 => {
                let ty = self.any_type();
                self.declaration(&ty, 2)
            }
            12..=26 => self.assignment(2),
            27..=38 => self.change(2),
            39..=46 => self.print(2),
            47..=49 => self.copy(),
            50..=52 => self.destructuring(),
            53..=54 => self.call_statement(),
            55..=58 => self.leave(),
            59..=66 if is_nested => self.condition(depth),
            67..=77 if is_nested => self.repetition(depth),
            78..=84 if is_nested => self.attempt(depth),
            85..=90 if is_nested => self.matching(depth),
            91..=93 if is_nested => self.local_function(depth),
            94..=95 if is_nested => self.kernel(),
            96..=97 if is_nested && self.pay(60) => self.shape(),
            98 if is_nested => statement![self.block(depth)],
            _ => self.assignment(2),
        }
    }

    pub fn declaration(&mut self, ty: &Type, depth: u32) -> Node {
        let value = self.expression(ty, depth);
        let name = self.name("v");
        let keyword = match self.random.u32(0..10) {
            0 => "let ",
            1 => "const ",
            2..=4 => "mut ",
            _ => "",
        };
        let is_changed = !matches!(keyword, "let " | "const ") || self.chance(10);
        self.know(&name, ty, is_changed);
        statement![keyword, name, " := ", value]
    }

    pub fn print(&mut self, depth: u32) -> Node {
        let ty = self.any_type();
        let value = self.expression(&ty, depth);
        if self.chance(30) {
            let other = self.leaf(&Type::Any);
            return statement!["print(", value, ", ", other, ")"];
        }
        statement!["print(", value, ")"]
    }

    /// A new value for a variable, now and then of another type.
    pub fn assignment(&mut self, depth: u32) -> Node {
        let Some(target) = self.variable(&|variable| variable.is_changed) else {
            return self.print(depth);
        };
        let name = &target.name;
        if target.ty.is_number() && self.chance(50) {
            let operator = self.pick(&[" += ", " -= ", " *= ", " += ", " /= ", " %= "]);
            let value = self.expression(&target.ty, depth);
            return statement![name, operator, value];
        }
        if target.ty == Type::Text && self.chance(40) {
            let value = self.pick(&["\"x\"", "\"é\"", "\"12\""]);
            return statement![name, " += ", value];
        }
        let ty = match self.random.u32(0..100) {
            // Texts that are added to themselves in a loop have no end.
            0..=4 if matches!(target.ty, Type::Struct(_)) => Type::Int,
            0..=4 => self.scalar_type(),
            5..=8 if target.ty == Type::Int => Type::Float,
            _ => target.ty.clone(),
        };
        let value = self.expression(&ty, depth);
        statement![name, " = ", value]
    }

    /// A change inside of what a variable holds.
    pub fn change(&mut self, depth: u32) -> Node {
        let found = self.variable(&|variable| {
            variable.is_changed
                && matches!(
                    variable.ty,
                    Type::Array(_) | Type::Dict(_) | Type::Struct(_)
                )
        });
        let Some(found) = found else {
            return self.assignment(depth);
        };
        self.change_of(&expression![&found.name], &found.ty, depth)
    }

    /// A change inside of a place of this type.
    pub fn change_of(&mut self, place: &Node, ty: &Type, depth: u32) -> Node {
        let place = place.clone();
        match ty {
            Type::Array(element) => match self.random.u32(0..16) {
                0..=5 => {
                    let index = self.index(1);
                    self.change_of(&expression![place, "[", index, "]"], element, depth)
                }
                6..=7 => {
                    let value = self.expression(element, depth);
                    statement![place.clone(), " = clip(push(", place, ", ", value, "))"]
                }
                8 => {
                    let value = self.expression(element, depth);
                    let longer = statement![place.clone(), ".push(", value, ")"];
                    Node::sequence(vec![longer, keep_short(&place)])
                }
                9 => statement![place, ".pop()"],
                10 => {
                    let index = self.index(1);
                    statement![place, ".remove_at(", index, ")"]
                }
                11 => {
                    let (index, value) = (self.index(1), self.expression(element, depth));
                    let longer = statement![place.clone(), ".insert(", index, ", ", value, ")"];
                    Node::sequence(vec![longer, keep_short(&place)])
                }
                12..=13 => {
                    let (rest, last) = (self.name("v"), self.name("v"));
                    self.know(&last, element, true);
                    let popped =
                        statement!["[", &rest, ", ", &last, "] := pop(", place.clone(), ")"];
                    let stored = statement![place, " = ", &rest];
                    Node::sequence(vec![popped, stored])
                }
                14 => {
                    let start = self.pick(&["0", "1", "2"]);
                    statement![place.clone(), " = slice(", place, ", ", start, ", 6)"]
                }
                _ => {
                    let value = self.expression(ty, depth);
                    statement![place, " = ", value]
                }
            },
            Type::Dict(element) => {
                let by_number = self.chance(30);
                let key = self.key(by_number);
                match self.random.u32(0..6) {
                    0..=3 => self.change_of(&expression![place, "[", key, "]"], element, depth),
                    4 => self.change_of(&expression![place, ".k"], element, depth),
                    _ => statement![place, ".remove(", key, ")"],
                }
            }
            Type::Struct(index) => {
                let fields = self.structs[*index].fields.clone();
                let (field, ty) = &fields[self.random.usize(0..fields.len())];
                if self.chance(20) && self.pay(40) {
                    let by = self.expression(&Type::Int, 1);
                    return statement![place, ".bump(", by, ")"];
                }
                self.change_of(&expression![place, ".", field], ty, depth)
            }
            ty => {
                let operator = match ty.is_number() && self.chance(50) {
                    true => self.pick(&[" += ", " -= ", " *= "]),
                    false => " = ",
                };
                let value = match self.chance(6) {
                    true => self.leaf(&Type::Any),
                    false => self.expression(ty, depth),
                };
                statement![place, operator, value]
            }
        }
    }

    /// A copy of a variable, one of the two changed, and both shown.
    fn copy(&mut self) -> Node {
        let found = self.variable(&|variable| {
            matches!(
                variable.ty,
                Type::Array(_) | Type::Dict(_) | Type::Struct(_)
            )
        });
        let Some(found) = found else {
            return self.print(1);
        };
        let name = self.name("v");
        self.know(&name, &found.ty, true);
        let changed = match found.is_changed && self.chance(50) {
            true => &found.name,
            false => &name,
        };
        let change = self.change_of(&expression![changed], &found.ty, 1);
        Node::sequence(vec![
            statement![&name, " := ", &found.name],
            change,
            statement!["print(", &name, ", ", &found.name, ")"],
        ])
    }

    fn destructuring(&mut self) -> Node {
        let ty = self.scalar_type();
        if self.chance(30) {
            let suits = |variable: &Variable| {
                variable.is_changed && variable.ty == ty && !variable.name.contains('.')
            };
            let (one, two) = (self.variable(&suits), self.variable(&suits));
            if let (Some(one), Some(two)) = (one, two) {
                let (one, two) = (one.name, two.name);
                return statement!["[", &one, ", ", &two, "] := [", &two, ", ", &one, "]"];
            }
        }
        let keyword = self.pick(&["", "let ", "mut "]);
        let is_changed = keyword != "let ";
        let (one, two, rest) = (self.name("v"), self.name("v"), self.name("v"));
        if self.chance(30) {
            let value = self.expression(&Type::dict(ty.clone()), 1);
            self.know(&one, &ty, is_changed);
            self.know(&rest, &Type::dict(ty), is_changed);
            return statement![keyword, "{k: ", one, ", ...", rest, "} := ", value];
        }
        let value = self.expression(&Type::array(ty.clone()), 2);
        self.know(&one, &ty, is_changed);
        self.know(&two, &ty, is_changed);
        self.know(&rest, &Type::array(ty), is_changed);
        statement![keyword, "[", one, ", ", two, ", ...", rest, "] := ", value]
    }

    fn call_statement(&mut self) -> Node {
        let ty = self.scalar_type();
        if self.chance(40) {
            let value = self.applied(&ty, 2);
            return statement!["print(", value, ")"];
        }
        match self.call(&|_| true, 2) {
            Some(call) => statement!["print(", call, ")"],
            None => self.change(2),
        }
    }

    /// A way out of what is around.
    fn leave(&mut self) -> Node {
        let test = self.expression(&Type::Bool, 1);
        let way = match self.random.u32(0..10) {
            0..=2 if self.loops > 0 => statement!["break"],
            3..=5 if self.loops > 0 => statement!["continue"],
            6 | 7 if self.is_generator => {
                let value = self.expression(&Type::Int, 1);
                return statement!["yield ", value];
            }
            6..=7 => match self.result.clone() {
                Some(ty) => {
                    let value = self.expression(&ty, 1);
                    statement!["return ", value]
                }
                None => self.print(1),
            },
            8 => {
                let value = self.expression(&Type::Text, 1);
                statement!["throw(", value, ")"]
            }
            _ => {
                let value = self.expression(&Type::result(Type::Int), 1);
                match self.result {
                    Some(_) => statement![value, "?"],
                    None => statement!["throw \"t\""],
                }
            }
        };
        statement!["if ", test, " ", Node::block(vec![way])]
    }

    fn condition(&mut self, depth: u32) -> Node {
        let test = match self.chance(80) {
            true => self.expression(&Type::Bool, 2),
            false => self.leaf(&Type::Any),
        };
        let then = self.block(depth);
        match self.random.u32(0..3) {
            0 => statement!["if ", test, " ", then],
            1 => {
                let otherwise = self.block(depth);
                statement!["if ", test, " ", then, " else ", otherwise]
            }
            _ => {
                let (second, block) = (self.expression(&Type::Bool, 1), self.block(depth));
                let otherwise = self.block(depth);
                statement![
                    "if ",
                    test,
                    " ",
                    then,
                    " else if ",
                    second,
                    " ",
                    block,
                    " else ",
                    otherwise
                ]
            }
        }
    }

    /// The block of a loop that is passed so many times.
    pub fn looped(&mut self, times: u64, action: impl FnOnce(&mut Generator) -> Vec<Node>) -> Node {
        self.loops += 1;
        self.weight *= times;
        let statements = self.scoped(action);
        self.weight /= times;
        self.loops -= 1;
        Node::block(statements)
    }

    pub fn repetition(&mut self, depth: u32) -> Node {
        let times = self.random.u64(2..7);
        let counter = self.name("c");
        let most = times.to_string();
        match self.random.u32(0..12) {
            0..=2 => {
                let body = self.looped(times, |generator| {
                    generator.know(&counter, &Type::Int, false);
                    generator.statements(depth)
                });
                statement!["for ", counter, " in ", most, " ", body]
            }
            3..=4 => {
                let element = self.scalar_type();
                let array = self.expression(&Type::array(element.clone()), 2);
                let name = self.name("v");
                self.visits(&counter, &name, &element, array, depth)
            }
            5 => {
                let (ty, element) = match self.chance(50) {
                    true => (Type::Text, Type::Text),
                    false => (Type::dict(Type::Int), Type::Text),
                };
                let value = self.expression(&ty, 2);
                let name = self.name("v");
                self.visits(&counter, &name, &element, value, depth)
            }
            6 => {
                let body = self.looped(times, |generator| {
                    generator.know(&counter, &Type::Int, false);
                    generator.statements(depth)
                });
                let step = self.pick(&["1", "1", "2"]);
                statement![
                    "for ", &counter, " := 0; ", &counter, " < ", most, "; ", &counter, " += ",
                    step, " ", body
                ]
            }
            7 if !self.generators.is_empty() && self.pay(200) => {
                let index = self.random.usize(0..self.generators.len());
                let source = self.generators[index].clone();
                let value = self.expression(&Type::Int, 1);
                let name = self.name("v");
                let body = self.looped(8, |generator| {
                    generator.know(&name, &Type::Int, true);
                    generator.statements(depth)
                });
                statement!["for ", name, " in ", source, "(", value, ") ", body]
            }
            kind => {
                self.know(&counter, &Type::Int, false);
                let step = self.pick(&["1", "1", "1", "2", "0.5"]);
                let test = self.expression(&Type::Bool, 1);
                let body = self.looped(times * 2, |generator| {
                    let mut statements = vec![statement![&counter, " += ", step]];
                    statements.extend(generator.statements(depth));
                    statements
                });
                let start = statement!["mut ", &counter, " := 0"];
                let header = match kind {
                    8 => statement!["loop while ", &counter, " < ", most, " ", body],
                    9 => statement!["while ", &counter, " < ", most, " && ", test, " ", body],
                    _ => statement!["while ", &counter, " < ", most, " ", body],
                };
                Node::sequence(vec![start, header])
            }
        }
    }

    /// A loop over the elements of a value.  It may be a huge number as well,
    /// so the loop counts its turns.
    fn visits(
        &mut self,
        counter: &str,
        name: &str,
        element: &Type,
        value: Node,
        depth: u32,
    ) -> Node {
        let body = self.looped(6, |generator| {
            generator.know(name, element, true);
            let mut statements = vec![statement![counter, " += 1 if ", counter, " > 20 { break }"]];
            statements.extend(generator.statements(depth));
            statements
        });
        let start = statement!["mut ", counter, " := 0"];
        Node::sequence(vec![
            start,
            statement!["for ", name, " in ", value, " ", body],
        ])
    }

    pub fn attempt(&mut self, depth: u32) -> Node {
        let body = self.block(depth);
        let name = self.name("e");
        let shown = self.pick(&[".message)", ".message)", ".line)", ".stack)"]);
        let handler = self.scoped(|generator| {
            let mut statements = vec![statement!["print(", &name, shown]];
            if generator.chance(40) {
                statements.push(generator.statement(depth));
            }
            statements
        });
        statement!["try ", body, " except ", name, " ", Node::block(handler)]
    }

    fn matching(&mut self, depth: u32) -> Node {
        let (ty, patterns): (Type, &[&str]) = match self.random.u32(0..6) {
            0 => (Type::Int, &["0", "1", "-1 | 2", "n if n > 3", "_"]),
            1 => (Type::Text, &["\"a\"", "\"b\" | \"abc\"", "abc", "_"]),
            2 => (
                Type::option(Type::Int),
                &["Some(1)", "Some(n) if n > 2", "Some(n)", "None", "Some"],
            ),
            3 => (
                Type::result(Type::Int),
                &["Ok(n)", "Err(n)", "Ok(_)", "Err"],
            ),
            4 => (
                Type::array(Type::Int),
                &["[]", "[n]", "[1, n]", "[n, ...m]", "[_, _]"],
            ),
            _ => (
                Type::dict(Type::Int),
                &["{k: n}", "{a: 1}", "{b: n, ...m}", "_"],
            ),
        };
        if self.chance(35) && !self.enums.is_empty() {
            return self.matching_of_enum(depth);
        }
        let value = self.expression(&ty, 2);
        let created = self.name("v");
        let count = self.random.u32(1..4);
        let mut clauses = Vec::new();
        for _ in 0..count {
            let pattern = self.pick(patterns);
            let body = self.scoped(|generator| {
                if pattern.contains('n') && !pattern.contains("None") {
                    generator.know("n", &Type::Int, true);
                }
                let mut statements = generator.statements(depth);
                if generator.chance(40) {
                    let value = generator.expression(&Type::Int, 1);
                    statements.push(statement![&created, " := ", value]);
                }
                statements
            });
            clauses.push(statement!["case ", pattern, ": ", Node::block(body)]);
        }
        if self.chance(60) {
            let body = self.block(depth);
            clauses.push(statement!["default: ", body]);
        }
        // A clause may have made it, or none.
        if self.chance(60) {
            self.know(&created, &Type::Int, true);
        }
        statement!["match ", value, " ", Node::block(clauses)]
    }

    /// A `match` that asks for most variants of an enum, or for all of them.
    fn matching_of_enum(&mut self, depth: u32) -> Node {
        let ty = self.enum_type();
        let Type::Enum(index) = ty else {
            unreachable!("an enum's type");
        };
        let value = self.expression(&ty, 2);
        let found = self.enums[index].clone();
        let result = self.name("v");
        let mut clauses = Vec::new();
        for (variant, carried) in &found.variants {
            if self.chance(10) {
                continue;
            }
            let parts: Vec<String> = carried.iter().map(|_| self.name("q")).collect();
            let mut patterns: Vec<Node> = parts.iter().map(Node::from).collect();
            if self.chance(20)
                && let Some(one) = patterns.first_mut()
            {
                *one = self.pick(&["1", "\"a\"", "_"]).into();
            }
            let name = match self.chance(15) {
                true => (*variant).to_owned(),
                false => format!("{}::{variant}", found.name),
            };
            let pattern = match patterns.is_empty() {
                true => expression![name],
                false => expression![name, "(", Node::list(patterns), ")"],
            };
            let mut used = Node::from("0");
            let body = self.scoped(|generator| {
                for (part, ty) in parts.iter().zip(carried).skip(1) {
                    generator.know(part, ty, true);
                    if generator.chance(50) {
                        used = expression!["print(", part, ")"];
                    }
                }
                let mut statements = generator.statements(depth);
                statements.push(statement![used.clone()]);
                let int = generator.expression(&Type::Int, 1);
                statements.push(statement![&result, " = ", int]);
                statements
            });
            clauses.push(statement!["case ", pattern, ": ", Node::block(body)]);
        }
        if self.chance(25) {
            let body = self.block(depth);
            clauses.push(statement!["default: ", body]);
        }
        self.know(&result, &Type::Int, true);
        statement![
            "mut ",
            &result,
            " := 0 match ",
            value,
            " ",
            Node::block(clauses)
        ]
    }

    /// A function of this block, which shares its variables.
    fn local_function(&mut self, depth: u32) -> Node {
        let (parameter, result) = (self.scalar_type(), self.scalar_type());
        let (name, param) = (self.name("h"), self.name("p"));
        let (body, _) = self.body(&[(&param, parameter.clone())], &result, |generator| {
            generator.limit = 8;
            let mut statements = vec![generator.assignment(1)];
            if depth > 0 && generator.chance(50) {
                statements.push(generator.statement(depth - 1));
            }
            let value = generator.expression(&result, 1);
            statements.push(statement!["return ", value]);
            statements
        });
        self.know(&name, &Type::function(parameter, result), false);
        statement!["func ", name, "(", param, ") ", body]
    }
}

/// Bounds an array that grew in place: in a function that is called for each
/// element it would double each time.
fn keep_short(place: &Node) -> Node {
    let cut = statement![place.clone(), " = clip(", place.clone(), ")"];
    statement!["if len(", place.clone(), ") > 12 { ", cut, " }"]
}
