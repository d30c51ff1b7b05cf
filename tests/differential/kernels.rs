//! Shapes in which engines are likely to differ.
//!
//! A kernel is a loop over an array in which something happens once: what was
//! an int becomes a float or a text, the array is replaced, resized or copied,
//! an error is raised, an int overflows.  What a compiler may have decided
//! before the loop then no longer holds.

use crate::generate::Generator;
use crate::node::{Node, expression, statement};
use crate::types::Type;

/// The variables of a kernel.
struct Kernel {
    array: String,
    other: String,
    total: String,
    counter: String,
    element: Type,
    sum: Type,
}

impl Generator {
    /// Such a loop, alone or in a function that is called in several ways.
    pub fn kernel(&mut self) -> Node {
        let element = match self.random.u32(0..8) {
            0..=3 => Type::Int,
            4..=5 => Type::Float,
            _ => self.scalar_type(),
        };
        let sum = match self.random.u32(0..6) {
            0..=2 => Type::Int,
            3..=4 => Type::Float,
            _ => self.scalar_type(),
        };
        let kernel = Kernel {
            array: self.name("v"),
            other: self.name("v"),
            total: self.name("v"),
            counter: self.name("c"),
            element,
            sum,
        };
        match self.random.u32(0..3) {
            0 => self.kernel_function(&kernel),
            1 => {
                let loops = self.scoped(|generator| generator.kernel_loop(&kernel));
                let mut statements = self.kernel_start(&kernel);
                statements.push(self.guarded(loops));
                statements.push(shown(&kernel));
                statement![Node::block(statements)]
            }
            _ => {
                let mut statements = self.kernel_start(&kernel);
                let loops = self.scoped(|generator| {
                    generator.know_kernel(&kernel);
                    generator.kernel_loop(&kernel)
                });
                statements.push(self.guarded(loops));
                statements.push(shown(&kernel));
                Node::sequence(statements)
            }
        }
    }

    fn know_kernel(&mut self, kernel: &Kernel) {
        let array = Type::array(kernel.element.clone());
        self.know(&kernel.array, &array, true);
        self.know(&kernel.other, &array, true);
        self.know(&kernel.total, &kernel.sum, true);
    }

    /// The kernel's variables.
    fn kernel_start(&mut self, kernel: &Kernel) -> Vec<Node> {
        let (array, other) = (
            self.elements(&kernel.element),
            self.elements(&kernel.element),
        );
        let total = self.start_of_total(&kernel.sum);
        vec![
            statement![&kernel.array, " := ", array],
            statement![&kernel.other, " := ", other],
            statement![&kernel.total, " := ", total],
        ]
    }

    fn start_of_total(&mut self, ty: &Type) -> Node {
        match ty {
            Type::Int => expression![self.pick(&[
                "0",
                "1",
                "0",
                "9223372036854775800",
                "-9223372036854775800"
            ])],
            Type::Float => expression![self.pick(&["0.0", "-0.0", "1.5"])],
            Type::Text => expression!["\"\""],
            ty => self.literal(ty),
        }
    }

    /// An array literal that is not too short.
    fn elements(&mut self, element: &Type) -> Node {
        let count = self.random.usize(2..7);
        let mut parts: Vec<Node> = (0..count).map(|_| self.literal(element)).collect();
        if self.chance(10) {
            parts.push(self.literal(&Type::Any));
        }
        expression!["[", Node::list(parts), "]"]
    }

    /// The kernel as a function, which is called often and with several types.
    fn kernel_function(&mut self, kernel: &Kernel) -> Node {
        let name = self.name("k");
        let array = Type::array(kernel.element.clone());
        let params = [
            (&*kernel.array, array.clone()),
            (&*kernel.other, array),
            (&*kernel.total, kernel.sum.clone()),
        ];
        let (body, cost) = self.body(&params, &Type::Any, |generator| {
            generator.limit = 120;
            let loops = generator.kernel_loop(kernel);
            vec![
                loops,
                statement![
                    "return [",
                    &kernel.total,
                    ", ",
                    &kernel.array,
                    ", ",
                    &kernel.other,
                    "]"
                ],
            ]
        });
        let params = [&*kernel.array, &*kernel.other, &*kernel.total].join(", ");
        let mut statements = vec![statement!["func ", &name, "(", params, ") ", body]];
        for round in 0..self.random.u32(1..4) {
            let times: u32 = if self.chance(50) { 4 } else { 1 };
            if !self.pay(u64::from(times) * cost) {
                break;
            }
            let (element, sum) = match round {
                0 => (kernel.element.clone(), kernel.sum.clone()),
                _ => (self.scalar_type(), self.scalar_type()),
            };
            let (one, other) = (self.elements(&element), self.elements(&element));
            let total = self.start_of_total(&sum);
            let arguments = Node::list(vec![one, other, total]);
            let call = statement!["print(", &name, "(", arguments, "))"];
            let call = match times {
                1 => call,
                _ => statement!["for i in 4 ", Node::block(vec![call])],
            };
            statements.push(self.guarded(call));
        }
        Node::sequence(statements)
    }

    /// The statement in a `try`, mostly.
    fn guarded(&mut self, statement: Node) -> Node {
        match self.chance(85) {
            true => statement![
                "try ",
                Node::block(vec![statement]),
                " except e { print(e.message, e.line) }"
            ],
            false => statement,
        }
    }

    fn kernel_loop(&mut self, kernel: &Kernel) -> Node {
        let (array, counter) = (&kernel.array, &kernel.counter);
        let times = 7;
        let kind = self.random.u32(0..6);
        self.know(counter, &Type::Int, false);
        let end = match self.random.u32(0..4) {
            0..=1 => expression!["len(", array, ")"],
            2 => expression!["(len(", array, ") + ", self.pick(&["1", "-1"]), ")"],
            _ => expression![self.pick(&["3", "5", "8"])],
        };
        let body = self.looped(times, |generator| {
            let mut statements = Vec::new();
            // Elements that are pushed must not keep the loop going for ever.
            if kind >= 4 {
                let stop = statement!["break"];
                statements.push(statement![
                    "if ",
                    counter,
                    " > 12 ",
                    Node::block(vec![stop])
                ]);
            }
            for _ in 0..generator.random.u32(1..5) {
                let one = match generator.chance(35) {
                    true => generator.event(kernel),
                    false => generator.work(kernel),
                };
                statements.push(one);
            }
            // Nothing may skip the last step.
            if kind < 5 && generator.chance(25) {
                statements.push(generator.statement(1));
            }
            if kind == 5 {
                statements.push(statement![counter, " += 1"]);
            }
            statements
        });
        match kind {
            0..=1 => statement!["for ", counter, " in ", end, " ", body],
            2 => statement!["for ", counter, " in range(0, ", end, ") ", body],
            3 => statement!["for ", counter, " in ", end, " ", body],
            4 => statement![
                "for ", counter, " := 0; ", counter, " < ", end, "; ", counter, " += 1 ", body
            ],
            _ => Node::sequence(vec![
                statement![counter, " := 0"],
                statement!["while ", counter, " < ", end, " ", body],
            ]),
        }
    }

    /// What such a loop does all the time.
    fn work(&mut self, kernel: &Kernel) -> Node {
        let Kernel {
            array,
            other,
            total,
            counter,
            ..
        } = kernel;
        let operator = self.pick(&[" + ", " - ", " * ", " + "]);
        let index = match self.random.u32(0..10) {
            0 => expression!["(", counter, " + 1)"],
            1 => expression!["(", counter, " - 1)"],
            2 => expression!["((", counter, " + 2) % len(", array, "))"],
            3 => expression!["(-", counter, ")"],
            _ => expression![counter],
        };
        match self.random.u32(0..12) {
            0..=2 if kernel.sum != Type::Text => statement![total, " += ", array, "[", index, "]"],
            3 if kernel.sum != Type::Text => {
                statement![total, " = ", total, operator, array, "[", index, "]"]
            }
            4..=5 => {
                let value = self.leaf(&kernel.element);
                statement![
                    array, "[", index, "] = ", array, "[", counter, "]", operator, value
                ]
            }
            6 if kernel.sum != Type::Text => {
                let operator = self.pick(&[" += ", " -= ", " *= "]);
                statement![array, "[", index, "]", operator, total]
            }
            7 => statement![array, "[", counter, "] = ", other, "[", index, "]"],
            8 => statement![other, "[", index, "] = ", array, "[", counter, "]"],
            9 => {
                let value = self.expression(&kernel.sum, 2);
                statement![total, " = ", value]
            }
            10 if kernel.element.is_number() => {
                let last = statement![array, "[", index, "] = ", array, "[", counter, "]"];
                statement![
                    "if ",
                    array,
                    "[",
                    counter,
                    "] > ",
                    array,
                    "[0] ",
                    Node::block(vec![last])
                ]
            }
            _ => {
                let value = self.expression(&kernel.element, 2);
                statement![array, "[", index, "] = ", value]
            }
        }
    }

    /// What happens once, and makes everything different.
    fn event(&mut self, kernel: &Kernel) -> Node {
        let Kernel {
            array,
            other,
            total,
            counter,
            ..
        } = kernel;
        let once = self.pick(&["1", "2", "3", "4", "0"]);
        let event = match self.random.u32(0..20) {
            0 => {
                let value = self.literal(&kernel.element);
                statement![array, ".push(", value, ")"]
            }
            1 => statement![array, ".pop()"],
            2 => statement![array, " = ", other],
            3 => {
                let array_again = self.elements(&kernel.element);
                statement![array, " = ", array_again]
            }
            4 => statement![
                array,
                "[",
                counter,
                "] = ",
                self.pick(&["0.5", "\"s\"", "true"])
            ],
            5 => statement![array, "[0] = ", self.pick(&["1.5", "\"t\"", "null", "7"])],
            6 => statement![
                total,
                " = ",
                self.pick(&["0.5", "\"s\"", "1", "null", "true"])
            ],
            7 => statement!["throw(\"event\")"],
            8 => statement!["break"],
            9 => statement![total, " = 9223372036854775807"],
            10 => statement![array, " = []"],
            11 => {
                let copy = self.name("v");
                Node::sequence(vec![
                    statement![&copy, " := ", array],
                    statement![array, "[0] = ", array, "[1]"],
                    statement!["print(", &copy, ", ", array, ")"],
                ])
            }
            12 => statement!["print(", total, ", ", array, ")"],
            13 => statement![other, " = ", array],
            14 => {
                let function = self.name("h");
                let change =
                    self.change_of(&expression![array], &Type::array(kernel.element.clone()), 1);
                Node::sequence(vec![
                    statement![&function, " := func() ", Node::block(vec![change])],
                    statement![&function, "()"],
                ])
            }
            15 => statement![array, " = clip([...", array, ", ...", other, "])"],
            16 => statement![
                array,
                " = map(",
                array,
                ", func(x) { return x + ",
                total,
                " })"
            ],
            17 => {
                let bad = self.pick(&[" / 0", " + \"s\"", " - null", " % 0"]);
                let name = if self.chance(50) { total } else { counter };
                let failing = statement!["print(", name, bad, ")"];
                statement![
                    "try ",
                    Node::block(vec![failing]),
                    " except e { print(e.message) }"
                ]
            }
            18 => statement!["[", array, ", ", other, "] := [", other, ", ", array, "]"],
            _ => self.change_of(&expression![array], &Type::array(kernel.element.clone()), 2),
        };
        statement!["if ", counter, " == ", once, " ", Node::block(vec![event])]
    }
}

/// Shows what a kernel has left.
fn shown(kernel: &Kernel) -> Node {
    statement![
        "print(",
        &kernel.total,
        ", ",
        &kernel.array,
        ", ",
        &kernel.other,
        ")"
    ]
}
