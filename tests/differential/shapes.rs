//! More shapes in which engines are likely to differ: variables that are not
//! set yet or that closures share, loops over nested data, structs and texts,
//! ways out of a `try`, counters at the ends of the range.

use crate::generate::Generator;
use crate::node::{Node, expression, statement};
use crate::types::Type;

impl Generator {
    /// One of the shapes.
    pub fn shape(&mut self) -> Node {
        match self.random.u32(0..13) {
            0 => self.late_variable(),
            1 => self.shadowed_variable(),
            2 => self.shared_variable(),
            3 => self.closures_of_a_loop(),
            4 => self.matrix(),
            5 => self.records(),
            6 => self.dict_in_a_loop(),
            7 => self.text_in_a_loop(),
            8 => self.ways_out(),
            9 => self.extreme_counter(),
            10 => self.backwards(),
            11 => self.interleaved_generators(),
            _ => self.changing_types(),
        }
    }

    /// A `try` that shows the error.
    fn tried(&mut self, statements: Vec<Node>) -> Node {
        statement![
            "try ",
            Node::block(statements),
            " except e { print(e.message) }"
        ]
    }

    /// A function mentions a variable that is set later, or never.
    fn late_variable(&mut self) -> Node {
        let (function, name, counter) = (self.name("h"), self.name("v"), self.name("c"));
        let ty = self.scalar_type();
        let value = self.expression(&ty, 1);
        let other = self.expression(&ty, 1);
        let use_it = match self.chance(50) {
            true => statement!["return ", &name],
            false => statement![&name, " = ", other, " return ", &name],
        };
        let call = statement!["print(", &function, "())"];
        let once = self.pick(&["0", "1", "2"]);
        let set = statement![
            "if ",
            &counter,
            " >= ",
            once,
            " ",
            Node::block(vec![statement!["print(", &name, ")"]])
        ];
        let early = self.tried(vec![call.clone()]);
        let late = self.tried(vec![set, call]);
        let body = vec![
            statement!["func ", &function, "() ", Node::block(vec![use_it])],
            early,
            statement![self.pick(&["", "mut ", "let "]), &name, " := ", value],
            late,
        ];
        statement!["for ", &counter, " in 3 ", Node::block(body)]
    }

    /// A block declares what it used before from around it.
    fn shadowed_variable(&mut self) -> Node {
        let Some(outer) = self.variable(&|variable| !variable.name.contains('.')) else {
            return self.late_variable();
        };
        let (function, counter) = (self.name("h"), self.name("c"));
        let ty = self.any_type();
        let value = self.expression(&ty, 1);
        let name = &outer.name;
        let shown = statement!["print(", name, ", ", &function, "())"];
        let declared = statement![self.pick(&["mut ", "let "]), name, " := ", value];
        let change = self.tried(vec![statement![name, " = ", name, " + 1"]]);
        let declared = match self.chance(30) {
            true => statement!["if ", &counter, " == 1 ", Node::block(vec![declared])],
            false => declared,
        };
        let body = vec![
            statement!["func ", &function, "() { return ", name, " }"],
            shown.clone(),
            declared,
            shown.clone(),
            change,
            shown,
        ];
        statement!["for ", counter, " in 3 ", Node::block(body)]
    }

    /// Two closures and a loop share a variable.
    fn shared_variable(&mut self) -> Node {
        let (make, both, param, counter) = (
            self.name("m"),
            self.name("v"),
            self.name("p"),
            self.name("c"),
        );
        let ty = self.scalar_type();
        let start = self.literal(&ty);
        let step = self.literal(&ty);
        let inside = self.chance(50);
        let loops = statement![
            "for ",
            &counter,
            " in 4 ",
            Node::block(vec![statement![&param, " = ", &param, " + ", step.clone()]])
        ];
        let mut body = vec![statement![
            "inc := func(d) { ",
            &param,
            " = ",
            &param,
            " + d return ",
            &param,
            " }"
        ]];
        if inside {
            body.push(loops);
        }
        body.push(statement![
            "return {\"inc\": inc, \"get\": func() { return ",
            &param,
            " }}"
        ]);
        let strange = self.literal(&Type::Any);
        let used = vec![
            statement!["print(", &both, ".inc(", step, "), ", &both, ".get())"],
            statement![
                "if ",
                &counter,
                " == 2 ",
                Node::block(vec![statement!["print(", &both, ".inc(", strange, "))"]])
            ],
        ];
        let loops = statement!["for ", &counter, " in 4 ", Node::block(used)];
        let tried = self.tried(vec![loops]);
        Node::sequence(vec![
            statement!["func ", &make, "(", &param, ") ", Node::block(body)],
            self.tried(vec![
                statement![&both, " := ", &make, "(", start, ")"],
                tried,
                statement!["print(", &both, ".get())"],
            ]),
        ])
    }

    /// Closures that keep what an iteration had.
    fn closures_of_a_loop(&mut self) -> Node {
        let (list, counter, inner, one) = (
            self.name("v"),
            self.name("c"),
            self.name("v"),
            self.name("v"),
        );
        let ty = self.scalar_type();
        let value = self.expression(&ty, 2);
        let body = self.looped(4, |generator| {
            generator.know(&counter, &Type::Int, false);
            generator.know(&inner, &ty, true);
            let change = generator.assignment(1);
            let result = generator.expression(&Type::Any, 1);
            vec![
                statement![&inner, " := ", value],
                statement![
                    &list,
                    " = push(",
                    &list,
                    ", func(x) ",
                    Node::block(vec![
                        statement![&inner, " = ", &inner, " + x"],
                        statement!["return [", &inner, ", ", &counter, ", ", result, "]"],
                    ]),
                    ")"
                ],
                change,
            ]
        });
        let argument = self.literal(&ty);
        let call = self.tried(vec![statement!["print(", &one, "(", argument, "))"]]);
        Node::sequence(vec![
            statement![&list, " := []"],
            self.tried(vec![statement!["for ", counter, " in 4 ", body]]),
            statement![
                "for ",
                &one,
                " in [...",
                &list,
                ", ...",
                &list,
                "] ",
                Node::block(vec![call])
            ],
        ])
    }

    /// Two loops over an array of arrays, whose rows are changed and replaced.
    fn matrix(&mut self) -> Node {
        let (matrix, row, i, j, total) = (
            self.name("v"),
            self.name("v"),
            self.name("c"),
            self.name("c"),
            self.name("v"),
        );
        let element = match self.chance(60) {
            true => Type::Int,
            false => self.scalar_type(),
        };
        let ty = Type::array(Type::array(element.clone()));
        let rows: Vec<Node> = (0..3)
            .map(|_| {
                let parts = (0..3).map(|_| self.literal(&element)).collect();
                expression!["[", Node::list(parts), "]"]
            })
            .collect();
        let inner = self.looped(16, |generator| {
            generator.know(&i, &Type::Int, false);
            generator.know(&j, &Type::Int, false);
            generator.know(&matrix, &ty, true);
            generator.know(&row, &Type::array(element.clone()), true);
            generator.know(&total, &element, true);
            let mut statements = Vec::new();
            for _ in 0..generator.random.u32(1..5) {
                let value = generator.leaf(&element);
                let operator = generator.pick(&[" + ", " - ", " * "]);
                let index = generator.pick(&["", " + 1", " - 1"]);
                let one = match generator.random.u32(0..12) {
                    0..=1 => statement![&total, " += ", &matrix, "[", &i, "][", &j, index, "]"],
                    2 => statement![
                        &matrix, "[", &i, "][", &j, "] = ", &matrix, "[", &j, "][", &i, "]",
                        operator, value
                    ],
                    3 => statement![&matrix, "[", &i, "][", &j, "] += ", value],
                    4 => statement![&row, "[", &j, "] = ", &matrix, "[", &i, "][", &j, "]"],
                    5 => statement![&matrix, "[", &i, "] = ", &row],
                    6 => statement![&row, " = ", &matrix, "[", &j, "]"],
                    7 => statement![&total, " = ", &total, operator, &row, "[", &j, index, "]"],
                    8 => statement![&row, "[", &j, index, "] = ", value],
                    9 => {
                        let event = generator.change_of(&expression![&matrix], &ty, 1);
                        statement!["if ", &j, " == 1 ", Node::block(vec![event])]
                    }
                    10 => statement![&matrix, "[", &i, "].push(", value, ")"],
                    _ => {
                        let event = statement![generator.pick(&["break", "continue"])];
                        statement!["if ", &j, " > ", &i, " ", Node::block(vec![event])]
                    }
                };
                statements.push(one);
            }
            statements
        });
        let start = self.literal(&element);
        let ends = self.pick(&["3", "len(", "4"]);
        let end = match ends {
            "len(" => expression!["len(", &matrix, "[", &i, "])"],
            end => expression![end],
        };
        let outer = statement!["for ", &j, " in ", end, " ", inner];
        let loops = statement![
            "for ",
            &i,
            " in len(",
            &matrix,
            ") ",
            Node::block(vec![outer])
        ];
        let body = vec![
            statement![&matrix, " := [", Node::list(rows), "]"],
            statement![&row, " := ", &matrix, "[1]"],
            statement![&total, " := ", start],
            self.tried(vec![loops]),
            statement!["print(", &total, ", ", &matrix, ", ", &row, ")"],
        ];
        statement![Node::block(body)]
    }

    /// A loop over an array of structs, one of which may be something else.
    fn records(&mut self) -> Node {
        if self.structs.is_empty() {
            return self.matrix();
        }
        let Type::Struct(index) = self.struct_type() else {
            return self.matrix();
        };
        let own = Type::Struct(index);
        let (list, counter, total, one) = (
            self.name("v"),
            self.name("c"),
            self.name("v"),
            self.name("v"),
        );
        let parts: Vec<Node> = (0..self.random.u32(2..5))
            .map(|_| self.literal(&own))
            .collect();
        let start = self.literal(&Type::Int);
        let body = self.looped(5, |generator| {
            generator.know(&counter, &Type::Int, false);
            generator.know(&list, &Type::array(own.clone()), true);
            generator.know(&one, &own, true);
            let mut statements = vec![statement![&one, " := ", &list, "[", &counter, "]"]];
            for _ in 0..generator.random.u32(1..6) {
                let operator = generator.pick(&[" += ", " -= ", " *= "]);
                let value = generator.expression(&Type::Int, 1);
                let field = generator.pick(&[".n", ".x", ".n", ".lost"]);
                let step = match generator.random.u32(0..12) {
                    0..=1 => statement![&list, "[", &counter, "]", field, operator, value],
                    2 => statement![&total, " = ", &total, " + ", &one, field],
                    3 => statement![&total, " += ", &list, "[", &counter, "]", field],
                    4 => statement![&one, field, operator, value],
                    5 => statement![&list, "[", &counter, "] = ", &one, " + ", &one],
                    6 => statement![&list, "[", &counter, "].bump(", value, ")"],
                    7 => statement![&one, ".twice()"],
                    8 => statement![
                        "print(", &one, " == ", &list, "[", &counter, "], ", &one, ")"
                    ],
                    9 => {
                        let other = generator.pick(&["7", "{n: 1}", "Other { n: 1, x: 2 }"]);
                        let event = statement![&list, "[", &counter, "] = ", other];
                        statement!["if ", &counter, " == 1 ", Node::block(vec![event])]
                    }
                    10 => statement![&one, ".extra = ", value],
                    _ => generator.change_of(&expression![&one], &own, 1),
                };
                statements.push(step);
            }
            statements
        });
        let body = vec![
            statement![&list, " := [", Node::list(parts), "]"],
            statement![&total, " := ", start],
            self.tried(vec![statement![
                "for ", &counter, " in len(", &list, ") ", body
            ]]),
            statement!["print(", &total, ", ", &list, ")"],
        ];
        statement![Node::block(body)]
    }

    /// A dict that is read and changed while its keys are walked over.
    fn dict_in_a_loop(&mut self) -> Node {
        let (dict, key, total) = (self.name("v"), self.name("v"), self.name("v"));
        let element = self.scalar_type();
        let start = self.literal(&Type::dict(element.clone()));
        let first = self.literal(&element);
        let body = self.looped(5, |generator| {
            generator.know(&key, &Type::Text, true);
            let mut statements = Vec::new();
            for _ in 0..generator.random.u32(1..5) {
                let value = generator.expression(&element, 1);
                let other = generator.chance(30);
                let other = generator.key(other);
                let step = match generator.random.u32(0..7) {
                    0 => statement![&dict, "[", &key, "] = ", value],
                    1 => statement![&dict, "[", &key, "] += ", value],
                    2 => statement![&total, " = ", &total, " + ", &dict, "[", &key, "]"],
                    3 => statement![&dict, "[", other, "] = ", &total],
                    4 => statement![&dict, ".remove(", other, ")"],
                    5 => statement![&total, " = get(", &dict, ", ", other, ", ", value, ")"],
                    _ => statement!["print(", &key, ", ", &dict, ")"],
                };
                statements.push(step);
            }
            statements
        });
        let keys = match self.chance(50) {
            true => expression![&dict],
            false => expression!["[\"a\", \"k\", 1, \"1\", \"b\", 2]"],
        };
        let body = vec![
            statement![&dict, " := ", start],
            statement![&total, " := ", first],
            self.tried(vec![statement!["for ", &key, " in ", keys, " ", body]]),
            statement!["print(", &total, ", ", &dict, ", keys(", &dict, "))"],
        ];
        statement![Node::block(body)]
    }

    /// A text that grows in a loop, and is looked at by index.
    fn text_in_a_loop(&mut self) -> Node {
        let (text, other, counter) = (self.name("v"), self.name("v"), self.name("c"));
        let start = self.literal(&Type::Text);
        let source = self.literal(&Type::Text);
        let body = self.looped(6, |generator| {
            generator.know(&counter, &Type::Int, false);
            generator.know(&text, &Type::Text, true);
            let mut statements = Vec::new();
            for _ in 0..generator.random.u32(1..5) {
                let short = generator.pick(&["\"-\"", "\"é\"", "\"\""]);
                let step = match generator.random.u32(0..9) {
                    0..=1 => statement![&text, " += ", &other, "[", &counter, "]"],
                    2 => statement![&text, " = ", &text, " + ", short],
                    3 => statement![&text, " = \"${", &text, "}${", &counter, "}\""],
                    4 => statement!["print(", &text, "[", &counter, "], ", &text, "[-1])"],
                    5 => statement!["print(", &other, "[", &counter, "] == ", short, ")"],
                    6 => statement![&text, " += ", short, " + ", &other, "[0]"],
                    7 => {
                        let event = statement![&text, " = ", generator.pick(&["5", "\"\"", "1.5"])];
                        statement!["if ", &counter, " == 2 ", Node::block(vec![event])]
                    }
                    _ => statement![
                        &other,
                        " = cut(",
                        &other,
                        ") + substring(",
                        &text,
                        ", 0, 2)"
                    ],
                };
                statements.push(step);
            }
            statements
        });
        let body = vec![
            statement![&text, " := ", start],
            statement![&other, " := ", source],
            self.tried(vec![statement!["for ", &counter, " in 5 ", body]]),
            statement!["print(", &text, ", ", &other, ", len(", &text, "))"],
        ];
        statement![Node::block(body)]
    }

    /// A function with loops and `try` in each other, and jumps out of them.
    fn ways_out(&mut self) -> Node {
        let (function, counter, inner, total) = (
            self.name("w"),
            self.name("c"),
            self.name("c"),
            self.name("v"),
        );
        let ty = self.scalar_type();
        let way = |generator: &mut Generator| {
            let value = generator.leaf(&ty);
            let way = match generator.random.u32(0..8) {
                0 => statement!["break"],
                1 => statement!["continue"],
                2 => statement!["return [", &total, ", ", &counter, "]"],
                3 => statement!["throw(\"t\")"],
                4 => statement![&total, " = ", &total, " + ", value],
                5 => statement![&total, " = ", value, " / 0"],
                6 => statement![&total, " = [", &counter, "][", &inner, "]"],
                _ => statement!["print(", &counter, ", ", &inner, ", ", &total, ")"],
            };
            let operator = generator.pick(&[" == ", " > ", " < "]);
            let which = generator.pick(&["p", "2", "1"]);
            let name = if generator.chance(50) {
                &counter
            } else {
                &inner
            };
            statement!["if ", name, operator, which, " ", Node::block(vec![way])]
        };
        let first = vec![way(self), way(self)];
        let second = vec![way(self), statement!["print(e.message)"], way(self)];
        let attempt = statement![
            "try ",
            Node::block(first),
            " except e ",
            Node::block(second)
        ];
        let again = match self.random.u32(0..3) {
            0 => statement!["try ", Node::block(vec![attempt]), " except e { throw(e) }"],
            1 => statement![
                "try ",
                Node::block(vec![attempt]),
                " except e { print(\"outer\", e.message) }"
            ],
            _ => attempt,
        };
        let (before, after) = (way(self), way(self));
        let innermost = statement![
            "for ",
            &inner,
            " in 3 ",
            Node::block(vec![before, again, after])
        ];
        let guard = statement![
            "try ",
            Node::block(vec![innermost]),
            " except e ",
            Node::block(vec![statement![&total, " = e.message"]])
        ];
        let start = self.literal(&ty);
        let middle = statement!["for ", &counter, " in 3 ", Node::block(vec![guard])];
        let body = vec![
            statement![&total, " := ", start],
            statement![&inner, " := 0"],
            middle,
            statement!["return ", &total],
        ];
        let call = self.tried(vec![statement!["print(", &function, "(i))"]]);
        Node::sequence(vec![
            statement!["func ", &function, "(p) ", Node::block(body)],
            statement!["for i in 4 ", Node::block(vec![call])],
        ])
    }

    /// A counter that comes to the ends of the range of ints.
    fn extreme_counter(&mut self) -> Node {
        let (counter, passes, total) = (self.name("c"), self.name("c"), self.name("v"));
        let (start, test, step) = match self.random.u32(0..6) {
            0 => ("9223372036854775804", " > 0", " += 1"),
            1 => ("9223372036854775800", " <= 9223372036854775807", " += 3"),
            2 => ("-9223372036854775805", " < 0", " -= 1"),
            3 => ("1", " != 0", " *= 1000000007"),
            4 => ("-9223372036854775800", " >= -9223372036854775808", " -= 2"),
            _ => ("9007199254740990.0", " < 9007199254741000", " += 1"),
        };
        let value = self.pick(&[" - 5", " / 3", " % 7", " + 0.5", " + 1"]);
        let body = vec![
            statement![&passes, " += 1"],
            statement!["if ", &passes, " > 20 { break }"],
            statement![&total, " = ", &counter, value],
        ];
        let header = match self.chance(50) {
            true => vec![statement![
                "for ",
                &counter,
                " := ",
                start,
                "; ",
                &counter,
                test,
                "; ",
                &counter,
                step,
                " ",
                Node::block(body)
            ]],
            false => {
                let mut body = body;
                body.push(statement![&counter, step]);
                vec![
                    statement!["mut ", &counter, " := ", start],
                    statement!["while ", &counter, test, " ", Node::block(body)],
                ]
            }
        };
        let guard = self.tried(header);
        Node::sequence(vec![
            statement![&passes, " := 0"],
            statement![&total, " := 0"],
            guard,
            statement!["print(", &passes, ", ", &total, ")"],
        ])
    }

    /// A loop that goes through an array from its end, or in steps.
    fn backwards(&mut self) -> Node {
        let (array, counter, total) = (self.name("v"), self.name("c"), self.name("v"));
        let element = match self.chance(50) {
            true => Type::Int,
            false => self.scalar_type(),
        };
        let parts: Vec<Node> = (0..self.random.u32(2..8))
            .map(|_| self.literal(&element))
            .collect();
        let (from, test, step) = match self.random.u32(0..5) {
            0 => ("len(#) - 1", " >= 0", " -= 1"),
            1 => ("len(#) - 1", " >= -1", " -= 1"),
            2 => ("len(#)", " > 0", " -= 2"),
            3 => ("0", " < len(#)", " += 2"),
            _ => ("1", " <= len(#)", " += 1"),
        };
        let fill = |text: &str| text.replace('#', &array);
        let work = self.looped(8, |generator| {
            generator.know(&counter, &Type::Int, false);
            let mut statements = Vec::new();
            for _ in 0..generator.random.u32(1..5) {
                let index = generator.pick(&["", " - 1", " + 1", " * 2", " / 2", " - 3"]);
                let value = generator.leaf(&element);
                statements.push(match generator.random.u32(0..6) {
                    0..=1 => statement![&total, " += ", &array, "[", &counter, index, "]"],
                    2 => statement![
                        &array, "[", &counter, "] = ", &array, "[", &counter, index, "]"
                    ],
                    3 => statement![&array, "[", &counter, index, "] = ", value],
                    4 => statement![&array, "[", &counter, "] += ", value],
                    _ => statement!["if ", &counter, " == 1 { ", &array, ".pop() }"],
                });
            }
            statements
        });
        let first = self.literal(&element);
        let loops = statement![
            "for ",
            &counter,
            " := ",
            fill(from),
            "; ",
            &counter,
            fill(test),
            "; ",
            &counter,
            step,
            " ",
            work
        ];
        let body = vec![
            statement![&array, " := [", Node::list(parts), "]"],
            statement![&total, " := ", first],
            self.tried(vec![loops]),
            statement!["print(", &total, ", ", &array, ")"],
        ];
        statement![Node::block(body)]
    }

    /// Two generators that are drawn from in turns, with a variable in common.
    fn interleaved_generators(&mut self) -> Node {
        let (function, one, other, shared) = (
            self.name("g"),
            self.name("v"),
            self.name("v"),
            self.name("v"),
        );
        let ty = self.scalar_type();
        let (start, step) = (self.literal(&ty), self.literal(&ty));
        let strange = self.literal(&Type::Any);
        let body = vec![
            statement!["own := p"],
            statement![
                "for i in 4 ",
                Node::block(vec![
                    statement![
                        "try ",
                        Node::block(vec![
                            statement!["own = own + ", step.clone()],
                            statement!["yield [own, ", &shared, ", i]"],
                            statement![&shared, " = ", &shared, " + own"],
                        ]),
                        " except e { yield e.message }"
                    ],
                    statement!["if i == 2 { own = ", strange, " }"],
                ])
            ],
        ];
        let turns = vec![
            statement!["print(", &one, ".next(), ", &other, ".next())"],
            statement!["if i == 1 { ", &shared, " = ", step, " }"],
        ];
        let end = match self.random.u32(0..3) {
            0 => statement!["for x in ", &one, " { print(x) break }"],
            1 => statement!["print(", &other, ".collect())"],
            _ => statement![
                "print(",
                &one,
                ".map(func(x) { return [x] }).take(2).collect())"
            ],
        };
        Node::sequence(vec![
            statement!["mut ", &shared, " := ", start.clone()],
            statement!["func* ", &function, "(p) ", Node::block(body)],
            statement!["mut ", &one, " := ", &function, "(", start, ")"],
            statement!["mut ", &other, " := ", &function, "(1)"],
            statement!["for i in 3 ", Node::block(turns)],
            self.tried(vec![end]),
            statement!["print(", &shared, ")"],
        ])
    }

    /// Variables that get another type with every pass.
    fn changing_types(&mut self) -> Node {
        let (one, other, counter) = (self.name("v"), self.name("v"), self.name("c"));
        let values: Vec<Node> = (0..4)
            .map(|_| {
                let ty = self.scalar_type();
                self.literal(&ty)
            })
            .collect();
        let first = self.literal(&Type::Int);
        let operator = self.pick(&[" + ", " - ", " * ", " / ", " % ", " == ", " < ", " ?? "]);
        let count = self.random.u32(1..3);
        let extra: Vec<Node> = self
            .looped(6, |generator| {
                generator.know(&one, &Type::Any, true);
                generator.know(&other, &Type::Any, true);
                (0..count).map(|_| generator.statement(1)).collect()
            })
            .parts();
        let mut body = vec![
            statement!["print(", &one, operator, &other, ", type(", &one, "))"],
            statement![&one, " = [", Node::list(values), "][", &counter, "]"],
            statement!["[", &one, ", ", &other, "] := [", &other, ", ", &one, "]"],
        ];
        let at = self.random.usize(0..=body.len());
        body.splice(at..at, extra);
        let body = match self.chance(50) {
            true => body,
            false => vec![self.tried(body)],
        };
        let loops = statement!["for ", &counter, " in 4 ", Node::block(body)];
        Node::sequence(vec![
            statement![&one, " := ", first],
            statement![&other, " := ", &one],
            self.tried(vec![loops]),
            statement!["print(", &one, ", ", &other, ")"],
        ])
    }
}
