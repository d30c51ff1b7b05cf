//! Random expressions.

use crate::generate::Generator;
use crate::node::{Node, expression};
use crate::types::Type;

const INTS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "7", "10", "100", "-1", "-2", "-3", "0", "1", "2", "3",
];
const LARGE_INTS: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775800",
    "4294967296",
    "3037000500",
    "9007199254740993",
    "-2147483648",
    "1000000007",
];
const FLOATS: &[&str] = &[
    "0.0",
    "-0.0",
    "0.5",
    "1.0",
    "1.5",
    "2.0",
    "-2.5",
    "0.1",
    "3.75",
    "100.25",
    "1000000.0",
    "9007199254740993.0",
    "9223372036854775807.0",
    "0.0000001",
    "(1000000.0 * 1000000.0)",
];
const TEXTS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"abc\"",
    "\"ab,c\"",
    "\"é\"",
    "\"日本\"",
    "\"x1\"",
    "\"12\"",
    "\"1.5\"",
    "\"Ünï\"",
    "\"Hello World\"",
    "\" pad \"",
    "\"n\"",
    "\"0\"",
];

impl Generator {
    /// An expression that mostly gives a value of this type.
    pub fn expression(&mut self, ty: &Type, depth: u32) -> Node {
        if self.chance(2) {
            let other = self.scalar_type();
            return self.leaf(&other);
        }
        if depth == 0 || self.chance(25) {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        if self.chance(6)
            && let Some(call) = self.call(&|result| ty.accepts(result), depth)
        {
            return call;
        }
        if self.chance(4) {
            let (test, yes) = (
                self.expression(&Type::Bool, depth),
                self.expression(ty, depth),
            );
            let no = self.expression(ty, depth);
            return expression!["(if ", test, " { ", yes, " } else { ", no, " })"];
        }
        let is_declared = matches!(
            ty,
            Type::Struct(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_)
        );
        if is_declared && self.chance(12) {
            return self.or_else(ty, depth);
        }
        if self.chance(8)
            && let Some(part) = self.part(ty, depth)
        {
            return part;
        }
        match ty {
            Type::Int => self.int(depth),
            Type::Float => self.float(depth),
            Type::Bool => self.bool(depth),
            Type::Text => self.text(depth),
            Type::Any => {
                let other = self.scalar_type();
                self.expression(&other, depth)
            }
            Type::Array(element) => self.array(element, depth),
            Type::Dict(element) => self.dict(element, depth),
            Type::Struct(index) => self.instance(*index, depth),
            Type::Enum(index) => self.enum_value(*index, depth),
            Type::Option(inner) => {
                let value = self.expression(inner, depth);
                expression!["Some(", value, ")"]
            }
            Type::Result(inner) => {
                let value = self.expression(inner, depth);
                let tag = self.pick(&["Ok(", "Ok(", "Err("]);
                expression![tag, value, ")"]
            }
            Type::Function(parameter, result) => self.closure(&[(**parameter).clone()], result),
        }
    }

    /// A variant of an enum, now and then with something more or less.
    fn enum_value(&mut self, index: usize, depth: u32) -> Node {
        let found = self.enums[index].clone();
        let (variant, mut carried) =
            found.variants[self.random.usize(0..found.variants.len())].clone();
        if self.chance(3) {
            carried.push(Type::Int);
        }
        let mut parts: Vec<Node> = Vec::new();
        for ty in &carried {
            let ty = if self.chance(3) { &Type::Any } else { ty };
            parts.push(self.expression(ty, depth));
        }
        let name = format!("{}::{variant}", found.name);
        match parts.is_empty() {
            true => expression![name],
            false => expression![name, "(", Node::list(parts), ")"],
        }
    }

    /// What may be null, and what is taken then.
    fn or_else(&mut self, ty: &Type, depth: u32) -> Node {
        let test = self.expression(&Type::Bool, depth);
        let (value, other) = (self.expression(ty, depth), self.expression(ty, depth));
        let first = match self.random.u32(0..6) {
            0 => expression!["null"],
            1 => expression![value],
            2 => expression!["(if ", test, " { null } else { ", value, " })"],
            _ => expression!["(if ", test, " { ", value, " } else { null })"],
        };
        expression!["(", first, " ?? ", other, ")"]
    }

    /// A variable or a literal.
    pub fn leaf(&mut self, ty: &Type) -> Node {
        if self.chance(75)
            && let Some(found) = self.variable(&|variable| ty.accepts(&variable.ty))
        {
            return expression![found.name];
        }
        self.literal(ty)
    }

    pub fn literal(&mut self, ty: &Type) -> Node {
        match ty {
            Type::Int if self.chance(12) => expression![self.pick(LARGE_INTS)],
            Type::Int => expression![self.pick(INTS)],
            Type::Float => expression![self.pick(FLOATS)],
            Type::Bool => expression![self.pick(&["true", "false"])],
            Type::Text => expression![self.pick(TEXTS)],
            Type::Any => {
                if self.chance(15) {
                    return expression!["null"];
                }
                let other = self.scalar_type();
                match other {
                    Type::Any => self.literal(&Type::array(Type::Int)),
                    other => self.literal(&other),
                }
            }
            Type::Array(element) => {
                let count = self.random.usize(0..6);
                let parts = (0..count).map(|_| self.literal(element)).collect();
                expression!["[", Node::list(parts), "]"]
            }
            Type::Dict(element) => {
                let by_number = self.chance(30);
                let count = self.random.usize(0..4);
                let parts = (0..count)
                    .map(|_| {
                        let key = self.key(by_number);
                        let value = self.literal(element);
                        expression![key, ": ", value]
                    })
                    .collect();
                expression!["{", Node::list(parts), "}"]
            }
            Type::Struct(index) => self.instance(*index, 0),
            Type::Enum(index) => self.enum_value(*index, 0),
            Type::Option(inner) => {
                if self.chance(30) {
                    return expression!["None"];
                }
                let value = self.literal(inner);
                expression!["Some(", value, ")"]
            }
            Type::Result(inner) => {
                let value = self.literal(inner);
                let tag = self.pick(&["Ok(", "Err("]);
                expression![tag, value, ")"]
            }
            Type::Function(parameter, result) => self.closure(&[(**parameter).clone()], result),
        }
    }

    pub fn key(&mut self, by_number: bool) -> Node {
        if by_number {
            return expression![self.pick(&["0", "1", "2", "10"])];
        }
        expression![self.pick(&["\"a\"", "\"b\"", "\"k\"", "\"1\"", "\"é\""])]
    }

    /// An index that is mostly within bounds.
    pub fn index(&mut self, depth: u32) -> Node {
        match self.random.u32(0..10) {
            0..=3 => expression![self.pick(&["0", "1", "2", "-1", "-2", "3", "0", "1"])],
            4..=7 => {
                let found = self.variable(&|variable| {
                    variable.ty == Type::Int && variable.name.starts_with('c')
                });
                match found {
                    Some(counter) => expression![counter.name],
                    None => expression![self.pick(&["0", "1", "-1"])],
                }
            }
            8 => self.leaf(&Type::Int),
            _ => self.expression(&Type::Int, depth),
        }
    }

    /// An element of an array or dict, a field, or what an option holds.
    fn part(&mut self, ty: &Type, depth: u32) -> Option<Node> {
        let found = self.variable(&|variable| match &variable.ty {
            Type::Array(element) | Type::Dict(element) | Type::Option(element) => {
                ty.accepts(element)
            }
            Type::Struct(_) => ty.is_number(),
            _ => false,
        })?;
        let name = found.name;
        Some(match found.ty {
            Type::Array(_) => {
                let index = self.index(depth);
                expression![name, "[", index, "]"]
            }
            Type::Dict(_) => {
                let by_number = self.chance(20);
                let key = self.key(by_number);
                let other = self.leaf(ty);
                match self.random.u32(0..4) {
                    0 => expression![name, "[", key, "]"],
                    1 => expression!["(", name, ".a ?? ", other, ")"],
                    2 => expression!["get(", name, ", ", key, ", ", other, ")"],
                    _ => expression!["(", name, "?.k ?? ", other, ")"],
                }
            }
            Type::Struct(_) => {
                let field = if *ty == Type::Int { ".n" } else { ".x" };
                expression![name, field]
            }
            _ => {
                let mapped = self.leaf(ty);
                expression![
                    "(if ",
                    &name,
                    " == None { ",
                    mapped,
                    " } else { ",
                    &name,
                    "? })"
                ]
            }
        })
    }

    /// A call of a function whose result suits.
    pub fn call(&mut self, suits: &dyn Fn(&Type) -> bool, depth: u32) -> Option<Node> {
        let found =
            (0..self.functions.len()).find(|index| suits(&self.functions[*index].result))?;
        let found = self.functions[self.random.usize(found..self.functions.len())].clone();
        if !suits(&found.result) || !self.pay(found.cost) {
            return None;
        }
        let mut arguments = Vec::new();
        for param in &found.params {
            // Now and then something else than it was written for.
            let other = if self.chance(15) {
                self.scalar_type()
            } else {
                param.clone()
            };
            arguments.push(self.expression(&other, depth));
        }
        let start = if found.is_async { "(await " } else { "" };
        let end = if found.is_async { "))" } else { ")" };
        Some(expression![
            start,
            found.name,
            "(",
            Node::list(arguments),
            end
        ])
    }

    fn int(&mut self, depth: u32) -> Node {
        match self.random.u32(0..24) {
            0..=11 => {
                let operator = self.pick(&[" + ", " - ", " * ", " / ", " % ", " + ", " - "]);
                let (one, other) = (
                    self.expression(&Type::Int, depth),
                    self.expression(&Type::Int, depth),
                );
                expression!["(", one, operator, other, ")"]
            }
            12 => {
                let value = self.expression(&Type::Int, depth);
                expression!["(-", value, ")"]
            }
            13..=14 => {
                let ty = match self.random.u32(0..3) {
                    0 => Type::Text,
                    1 => Type::dict(Type::Int),
                    _ => Type::array(self.scalar_type()),
                };
                let value = self.expression(&ty, depth);
                expression!["len(", value, ")"]
            }
            15 => {
                let value = self.expression(&Type::array(Type::Int), depth);
                expression!["sum(", value, ")"]
            }
            16 => {
                let value = self.expression(&Type::array(Type::Int), depth);
                let first = self.leaf(&Type::Int);
                let function = self.closure(&[Type::Int, Type::Int], &Type::Int);
                if !self.pay(6) {
                    return self.leaf(&Type::Int);
                }
                match self.chance(50) {
                    true => expression!["reduce(", value, ", ", first, ", ", function, ")"],
                    false => expression![value, ".reduce(", first, ", ", function, ")"],
                }
            }
            17 => {
                let (one, other) = (
                    self.expression(&Type::Int, depth),
                    self.expression(&Type::Int, depth),
                );
                let name = self.pick(&["min(", "max(", "bit_and(", "bit_or(", "bit_xor("]);
                expression![name, one, ", ", other, ")"]
            }
            18 => {
                let value = self.expression(&Type::Float, depth);
                let name = self.pick(&["to_int(", "floor(", "round(", "ceil("]);
                expression![name, value, ")"]
            }
            19 => {
                let value = self.expression(&Type::Int, depth);
                expression!["abs(", value, ")"]
            }
            20 => {
                let (one, other) = (
                    self.expression(&Type::Text, depth),
                    self.expression(&Type::Text, depth),
                );
                expression!["index_of(", one, ", ", other, ")"]
            }
            21 => self.applied(&Type::Int, depth),
            22 => self.method_call(depth),
            _ => {
                let value = self.leaf(&Type::Int);
                let other = self.expression(&Type::Int, depth);
                expression!["(", value, " ?? ", other, ")"]
            }
        }
    }

    /// A call of a function in a variable, or of a literal at once.
    pub fn applied(&mut self, ty: &Type, depth: u32) -> Node {
        let found = self
            .variable(
                &|variable| matches!(&variable.ty, Type::Function(_, result) if **result == *ty),
            )
            .or_else(|| self.variable(&|variable| matches!(variable.ty, Type::Function(..))));
        let Some(found) = found else {
            return self.leaf(ty);
        };
        let Type::Function(parameter, _) = &found.ty else {
            return self.leaf(ty);
        };
        if !self.pay(8) {
            return self.leaf(ty);
        }
        let argument = self.expression(parameter, depth);
        // Functions may call each other in circles, so within them somebody counts.
        match self.random.u32(0..5) {
            _ if self.result.is_some() => {
                expression!["via(", &found.name, ", ", argument, ")"]
            }
            0..=1 => expression!["(", argument, " |> ", &found.name, ")"],
            _ => expression![&found.name, "(", argument, ")"],
        }
    }

    fn method_call(&mut self, depth: u32) -> Node {
        let found = self.variable(&|variable| matches!(variable.ty, Type::Struct(_)));
        let Some(found) = found else {
            return self.leaf(&Type::Int);
        };
        if !self.pay(40) {
            return self.leaf(&Type::Int);
        }
        let by = self.expression(&Type::Int, depth);
        match self.random.u32(0..5) {
            0..=1 => expression![&found.name, ".bump(", by, ")"],
            2 => expression![&found.name, ".twice()"],
            3 => expression![&found.name, ".free(", by, ")"],
            _ => expression![&found.name, ".get()"],
        }
    }

    fn float(&mut self, depth: u32) -> Node {
        match self.random.u32(0..10) {
            0..=5 => {
                let operator = self.pick(&[" + ", " - ", " * ", " / ", " % "]);
                let other = match self.chance(30) {
                    true => Type::Int,
                    false => Type::Float,
                };
                let (one, two) = (
                    self.expression(&Type::Float, depth),
                    self.expression(&other, depth),
                );
                match self.chance(50) {
                    true => expression!["(", one, operator, two, ")"],
                    false => expression!["(", two, operator, one, ")"],
                }
            }
            6 => {
                let value = self.expression(&Type::Float, depth);
                let name = self.pick(&["(-", "sqrt(", "abs(", "sin("]);
                expression![name, value, ")"]
            }
            7 => {
                let value = self.expression(&Type::Int, depth);
                expression!["to_float(", value, ")"]
            }
            8 => {
                let (one, two) = (
                    self.expression(&Type::Float, depth),
                    self.expression(&Type::Int, depth),
                );
                let name = self.pick(&["min(", "max(", "pow("]);
                expression![name, one, ", ", two, ")"]
            }
            _ => self.applied(&Type::Float, depth),
        }
    }

    fn bool(&mut self, depth: u32) -> Node {
        match self.random.u32(0..12) {
            0..=4 => {
                let ty = match self.random.u32(0..6) {
                    0..=2 => Type::Int,
                    3..=4 => Type::Float,
                    _ => Type::Text,
                };
                let other = match self.chance(20) && ty != Type::Text {
                    true => Type::Float,
                    false => ty.clone(),
                };
                let operator = self.pick(&[" < ", " <= ", " > ", " >= "]);
                let (one, two) = (self.expression(&ty, depth), self.expression(&other, depth));
                expression!["(", one, operator, two, ")"]
            }
            5..=6 => {
                let ty = self.any_type();
                let operator = self.pick(&[" == ", " != "]);
                let (one, two) = (self.expression(&ty, depth), self.expression(&ty, depth));
                expression!["(", one, operator, two, ")"]
            }
            7 => {
                let value = self.expression(&Type::Bool, depth);
                let start = self.pick(&["(!", "(not "]);
                expression![start, value, ")"]
            }
            8..=9 => {
                let operator = self.pick(&[" && ", " || ", " and ", " or "]);
                let ty = match self.chance(75) {
                    true => Type::Bool,
                    false => self.scalar_type(),
                };
                let (one, two) = (
                    self.expression(&ty, depth),
                    self.expression(&Type::Bool, depth),
                );
                expression!["(", one, operator, two, ")"]
            }
            10 => {
                let value = self.expression(&Type::Any, depth);
                let name = self.pick(&["is_int(", "is_string(", "is_array(", "is_null("]);
                expression![name, value, ")"]
            }
            _ => {
                let element = self.scalar_type();
                let array = self.expression(&Type::array(element.clone()), depth);
                let value = self.expression(&element, depth);
                expression!["contains(", array, ", ", value, ")"]
            }
        }
    }

    fn text(&mut self, depth: u32) -> Node {
        match self.random.u32(0..14) {
            0..=2 => {
                let ty = self.any_type();
                let value = self.expression(&ty, depth);
                expression!["cut(\"${", value, "}\")"]
            }
            3..=4 => {
                let value = self.expression(&Type::Text, depth);
                let short = self.pick(&["\"-\"", "\"é\"", "\"ab\""]);
                expression!["cut(", value, " + ", short, ")"]
            }
            5 => {
                let (one, two) = (
                    self.expression(&Type::Text, depth),
                    self.expression(&Type::Text, depth),
                );
                expression!["cut(", one, " + ", two, ")"]
            }
            6 => {
                let ty = self.any_type();
                let value = self.expression(&ty, depth);
                let name = self.pick(&["type(", "type_of("]);
                expression![name, value, ")"]
            }
            7..=8 => {
                let value = self.expression(&Type::Text, depth);
                let index = self.index(depth);
                expression![value, "[", index, "]"]
            }
            9 => {
                let value = self.expression(&Type::Text, depth);
                let method = self.pick(&["to_upper()", "to_lower()", "trim()", "capitalize()"]);
                expression![value, ".", method]
            }
            10 => {
                let value = self.expression(&Type::Text, depth);
                let count = self.pick(&["0", "1", "2", "3"]);
                expression!["cut(repeat(", value, ", ", count, "))"]
            }
            11 => {
                let value = self.expression(&Type::array(Type::Text), depth);
                expression!["cut(join(", value, ", \",\"))"]
            }
            12 => {
                let ty = self.scalar_type();
                let value = self.expression(&ty, depth);
                expression!["cut(to_string(", value, "))"]
            }
            _ => self.applied(&Type::Text, depth),
        }
    }

    fn array(&mut self, element: &Type, depth: u32) -> Node {
        let own = Type::array(element.clone());
        match self.random.u32(0..14) {
            0..=2 => {
                let count = self.random.usize(0..5);
                let parts = (0..count)
                    .map(|_| self.expression(element, depth))
                    .collect();
                expression!["[", Node::list(parts), "]"]
            }
            3 => {
                let (array, value) = (
                    self.expression(&own, depth),
                    self.expression(element, depth),
                );
                expression!["clip(push(", array, ", ", value, "))"]
            }
            4 => {
                let (array, value) = (
                    self.expression(&own, depth),
                    self.expression(element, depth),
                );
                match self.chance(50) {
                    true => expression!["clip([", value, ", ...", array, "])"],
                    false => expression!["clip([...", array, ", ", value, "])"],
                }
            }
            5..=6 => {
                let from = match self.chance(70) {
                    true => element.clone(),
                    false => self.scalar_type(),
                };
                if !self.pay(10) {
                    return self.leaf(&own);
                }
                let array = self.expression(&Type::array(from.clone()), depth);
                let function = self.closure(&[from], element);
                match self.chance(50) {
                    true => expression!["map(", array, ", ", function, ")"],
                    false => expression![array, ".map(", function, ")"],
                }
            }
            7 => {
                if !self.pay(10) {
                    return self.leaf(&own);
                }
                let array = self.expression(&own, depth);
                let function = self.closure(std::slice::from_ref(element), &Type::Bool);
                expression!["filter(", array, ", ", function, ")"]
            }
            8 => {
                let array = self.expression(&own, depth);
                let name = self.pick(&["sort(", "reverse(", "unique(", "reverse("]);
                expression![name, array, ")"]
            }
            9 => {
                let array = self.expression(&own, depth);
                let (from, to) = (self.index(depth), self.index(depth));
                expression!["slice(", array, ", ", from, ", ", to, ")"]
            }
            10 => {
                let (one, two) = (self.expression(&own, depth), self.expression(&own, depth));
                expression!["clip(concat(", one, ", ", two, "))"]
            }
            11 if *element == Type::Int => {
                let ends = self.pick(&["3", "0, 4", "5, 0, -2", "1, 6"]);
                expression!["range(", ends, ")"]
            }
            11 if *element == Type::Text => {
                let value = self.expression(&Type::Text, depth);
                expression!["split(", value, ", \",\")"]
            }
            12 if *element == Type::Int && !self.generators.is_empty() => {
                if !self.pay(200) {
                    return self.leaf(&own);
                }
                let index = self.random.usize(0..self.generators.len());
                let name = self.generators[index].clone();
                let value = self.expression(&Type::Int, depth);
                expression![name, "(", value, ").take(4).collect()"]
            }
            _ => self.leaf(&own),
        }
    }

    fn dict(&mut self, element: &Type, depth: u32) -> Node {
        let own = Type::dict(element.clone());
        match self.random.u32(0..4) {
            0..=1 => {
                let by_number = self.chance(30);
                let count = self.random.usize(0..4);
                let parts = (0..count)
                    .map(|_| {
                        let key = self.key(by_number);
                        let value = self.expression(element, depth);
                        expression![key, ": ", value]
                    })
                    .collect();
                expression!["{", Node::list(parts), "}"]
            }
            2 => {
                let (rest, value) = (
                    self.expression(&own, depth),
                    self.expression(element, depth),
                );
                expression!["{...", rest, ", \"k\": ", value, "}"]
            }
            _ => {
                let (one, two) = (self.expression(&own, depth), self.expression(&own, depth));
                expression!["merge(", one, ", ", two, ")"]
            }
        }
    }

    fn instance(&mut self, index: usize, depth: u32) -> Node {
        let known = self.structs[index].clone();
        if depth > 0 && self.chance(40) {
            let own = Type::Struct(index);
            let (one, two) = (self.expression(&own, depth - 1), self.leaf(&own));
            return match self.chance(70) && known.methods.contains(&"op_add") {
                true => expression!["(", one, " + ", two, ")"],
                false => expression!["(-", one, ")"],
            };
        }
        let mut parts = Vec::new();
        for (field, ty) in &known.fields {
            if self.chance(70) {
                let value = match depth {
                    0 => self.literal(ty),
                    _ => self.expression(ty, depth - 1),
                };
                parts.push(expression![field, ": ", value]);
            }
        }
        if parts.is_empty() {
            parts.push(expression!["n: 1"]);
        }
        expression![known.name, " { ", Node::list(parts), " }"]
    }

    /// A function literal; its body is short and calls nothing that is long.
    pub fn closure(&mut self, params: &[Type], result: &Type) -> Node {
        let named: Vec<(String, Type)> = params
            .iter()
            .map(|ty| (self.name("a"), ty.clone()))
            .collect();
        let borrowed: Vec<(&str, Type)> = named
            .iter()
            .map(|(name, ty)| (&**name, ty.clone()))
            .collect();
        let (body, _) = self.body(&borrowed, result, |generator| {
            generator.limit = 8;
            let mut statements = Vec::new();
            if generator.chance(30) {
                statements.push(generator.assignment(1));
            }
            if generator.chance(10) {
                statements.push(generator.statement(1));
            }
            let value = generator.expression(result, 1);
            statements.push(crate::node::statement!["return ", value]);
            statements
        });
        let names: Vec<&str> = borrowed.iter().map(|(name, _)| *name).collect();
        expression!["func(", names.join(", "), ") ", body]
    }
}
