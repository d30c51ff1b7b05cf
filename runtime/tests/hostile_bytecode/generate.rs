//! Random programs in bytecode: most of them valid, all of them strange.
//!
//! Statements leave the operand stack as they found it and expressions add one
//! operand, so that most programs pass the verifier; what then may still be
//! wrong with types is the engines' affair, which is what is tested.

mod expressions;
mod statements;

use ruff_runtime::bytecode::builder::{Builder, Code};
use ruff_runtime::bytecode::*;
use ruff_runtime::heap::VariantKind;
use ruff_runtime::names::NameId;

/// A sequence of numbers that a seed fixes.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit.max(1)
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

const BUILTINS: [(&str, u32); 24] = [
    ("len", 1),
    ("push", 2),
    ("pop", 1),
    ("insert", 3),
    ("remove", 2),
    ("map", 2),
    ("filter", 2),
    ("reduce", 3),
    ("keys", 1),
    ("items", 1),
    ("merge", 2),
    ("get", 3),
    ("sort", 1),
    ("reverse", 1),
    ("concat", 2),
    ("slice", 3),
    ("join", 2),
    ("split", 2),
    ("to_string", 1),
    ("to_upper", 1),
    ("index_of", 2),
    ("sqrt", 1),
    ("print", 2),
    ("type", 1),
];

const METHODS: [&str; 8] = [
    "push", "pop", "sum", "grow", "len", "field", "nothing", "next",
];

/// What every program has: the numbers of its functions and tables.
struct World {
    plain: FunctionId,
    /// The body of the one module.
    module: FunctionId,
    by_cell: FunctionId,
    by_value: FunctionId,
    methods: [FunctionId; 3],
    fields: [NameId; 3],
    constants: u32,
}

/// A function that is being written.
struct Body {
    /// Plain slots, which always hold a value between statements.
    plain: u32,
    /// Slots that hold cells.
    cells: u32,
    /// The first slot that is free for loops.
    next_hidden: u32,
    /// What it captures: one cell, one value, or nothing.
    captures: Option<Capture>,
    changes_self: bool,
}

pub fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let mut builder = Builder::new();
    let world = declare(&mut builder);
    let kinds = [
        (builder.main(), 0, None, false),
        (world.plain, 2, None, false),
        (world.module, 0, None, false),
        (world.by_cell, 1, Some(Capture::Cell(3)), false),
        (world.by_value, 1, Some(Capture::Value(0)), false),
        (world.methods[0], 1, None, false),
        (world.methods[1], 1, None, true),
        (world.methods[2], 2, None, false),
    ];
    for (func, params, captures, changes_self) in kinds {
        let mut writer = Writer {
            random: &mut random,
            builder: &mut builder,
            world: &world,
            func,
            body: Body {
                plain: 3,
                cells: 1,
                next_hidden: 4,
                captures,
                changes_self,
            },
            budget: 150,
        };
        writer.function(params);
    }
    builder.program
}

fn declare(builder: &mut Builder) -> World {
    let plain = builder.function("plain", &["a", "b"]);
    let module = builder.function("<module>", &[]);
    builder.code(module).flags().is_top_level = true;
    let by_cell = builder.function("<lambda>", &["a"]);
    let by_value = builder.function("<lambda>", &["a"]);
    let sum = builder.function("Point.sum", &["self"]);
    let grow = builder.function("Point.grow", &["self"]);
    let add = builder.function("Point.op_add", &["self", "other"]);
    for method in [sum, grow, add] {
        builder.code(method).flags().is_method = true;
    }
    builder.code(grow).flags().changes_self = true;
    let fields = ["x", "y", "z"].map(|field| builder.name(field));
    let point = builder.name("Point");
    let methods = [("sum", sum), ("grow", grow), ("op_add", add)];
    let methods = methods
        .map(|(name, func)| (builder.name(name), func))
        .to_vec();
    builder.program.structs.push(StructInfo {
        name: point,
        fields: fields[..2].to_vec(),
        methods,
        defaults: vec![],
    });
    builder.program.struct_sites = vec![
        StructSite {
            name: point,
            fields: fields[..2].to_vec(),
            has_def: true,
            declaration: Some(0),
        },
        StructSite {
            name: point,
            fields: fields[1..].to_vec(),
            has_def: true,
            declaration: None,
        },
        StructSite {
            name: point,
            fields: vec![fields[2]],
            has_def: false,
            declaration: None,
        },
    ];
    builder.program.name_lists = vec![vec![], vec![fields[0]]];
    for constant in [
        Constant::Int(i64::MAX),
        Constant::Int(7),
        Constant::Float(0.5),
        Constant::Float(f64::NAN),
        Constant::Str("".into()),
        Constant::Str("x".into()),
        Constant::Str("a b c".into()),
        Constant::Str("größe→🦀".into()),
    ] {
        builder.constant(constant);
    }
    builder.program.variant_sites = vec![
        VariantSite {
            kind: VariantKind::Ok,
            enum_name: None,
            name: None,
        },
        VariantSite {
            kind: VariantKind::Err,
            enum_name: None,
            name: None,
        },
        VariantSite {
            kind: VariantKind::Some,
            enum_name: None,
            name: None,
        },
        VariantSite {
            kind: VariantKind::Tagged,
            enum_name: Some(5),
            name: Some(6),
        },
    ];
    builder.global("first");
    builder.global("second");
    // Statements don't know of the third: only a module that ends as it should
    // leaves its state to be read.
    let unsure = vec![(fields[0], 0)];
    builder.program.modules = vec![ModuleInfo {
        name: builder.name("module"),
        body: module,
        state: builder.global("module"),
        unsure,
    }];
    for (name, _) in BUILTINS {
        builder.builtin(name);
    }
    for name in METHODS {
        builder.name(name);
    }
    let constants = builder.program.constants.len() as u32;
    World {
        plain,
        module,
        by_cell,
        by_value,
        methods: [sum, grow, add],
        fields,
        constants,
    }
}

struct Writer<'a> {
    random: &'a mut Random,
    builder: &'a mut Builder,
    world: &'a World,
    func: FunctionId,
    body: Body,
    /// Expressions and statements that may still be written.
    budget: u32,
}

impl Writer<'_> {
    /// Runs `write` on the function's code; labels live as long as it does.
    fn code<T>(&mut self, write: impl FnOnce(&mut Code<'_>) -> T) -> T {
        write(&mut self.builder.code(self.func))
    }

    fn op(&mut self, op: Op) {
        self.code(|code| {
            code.op(op);
        });
    }

    fn here(&mut self) -> u32 {
        self.code(|code| code.here())
    }

    /// Appends a jump whose target is set by `land`.
    fn jump(&mut self, op: Op) -> usize {
        self.code(|code| code.op(op)) as usize
    }

    /// Lets a jump lead to the next instruction.
    fn land(&mut self, jump: usize) {
        let here = self.here();
        self.builder.program.functions[self.func as usize].code[jump].set_target(here);
    }

    fn function(&mut self, params: u32) {
        let Body {
            plain,
            cells,
            captures,
            ..
        } = self.body;
        self.code(|code| {
            code.slots(plain + cells - params);
            if let Some(capture) = captures {
                code.capture(capture);
            }
        });
        // Expressions may use all of them, so all of them are set first.
        for slot in params..plain {
            let index = self.random.below(self.world.constants as usize) as u32;
            self.op(Op::Constant { index });
            self.op(Op::StoreLocal { slot });
        }
        for slot in plain..plain + cells {
            self.op(Op::NewCell { slot });
            self.op(Op::Null {});
            self.op(Op::StoreCell { slot });
        }
        self.statements(5);
        self.finish();
    }

    /// Returns a value, and `self` where it is due.
    fn finish(&mut self) {
        if self.body.changes_self {
            self.op(Op::LoadLocal { slot: 0 });
            self.op(Op::StoreSelfResult {});
            self.op(Op::Null {});
        } else {
            self.expression(2);
        }
        self.op(Op::Return {});
    }

    fn statements(&mut self, most: usize) {
        for _ in 0..=self.random.below(most) {
            self.statement();
        }
    }

    fn slot(&mut self) -> u32 {
        self.random.below(self.body.plain as usize) as u32
    }

    fn cell(&mut self) -> u32 {
        self.body.plain + self.random.below(self.body.cells as usize) as u32
    }

    fn var(&mut self) -> Var {
        match self.random.below(4) {
            0 => Var::new(VarKind::Cell, self.cell()),
            1 => Var::new(VarKind::Global, self.random.below(2) as u32),
            2 if matches!(self.body.captures, Some(Capture::Cell(_))) => {
                Var::new(VarKind::Capture, 0)
            }
            _ => Var::new(VarKind::Local, self.slot()),
        }
    }

    fn operator(&mut self) -> Operator {
        *self.random.pick(&Operator::ALL)
    }

    /// A path; its indexes are still to be pushed.
    fn path(&mut self) -> Path {
        let mut steps = Vec::new();
        for _ in 0..self.random.below(3) {
            if self.random.one_in(2) {
                steps.push(Step::Index);
            } else {
                steps.push(Step::Field(*self.random.pick(&self.world.fields)));
            }
        }
        Path {
            root: self.var(),
            name: self.world.fields[0],
            steps,
        }
    }

    fn add_path(&mut self, path: Path) -> u32 {
        self.builder.program.paths.push(path);
        self.builder.program.paths.len() as u32 - 1
    }

    fn expressions(&mut self, count: u32, depth: u32) {
        (0..count).for_each(|_| self.expression(depth));
    }
}
