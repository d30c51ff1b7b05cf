//! Programs made by hand: for hosts that have no source, for tests and examples.
//!
//! ```
//! use ruff_runtime::bytecode::{Op, builder::Builder};
//!
//! let mut builder = Builder::new();
//! let main = builder.main();
//! let mut code = builder.code(main);
//! code.op(Op::Int { value: 5 });
//! code.op(Op::Int { value: 3 });
//! code.op(Op::Int { value: 2 });
//! code.op(Op::Multiply {});
//! code.op(Op::Add {});
//! code.op(Op::Return {});
//! let program = builder.finish().expect("the program is valid");
//! assert_eq!(program.functions.len(), 1);
//! ```

use super::verify::{self, VerifyError};
use super::{
    BuiltinId, Capture, Constant, Function, FunctionFlags, FunctionId, FunctionInfo, GlobalId,
    Handler, Op, Position, Program,
};
use crate::names::{NameId, WELL_KNOWN};
use alloc::vec::Vec;

/// A program that is being made.
#[derive(Clone, Debug)]
pub struct Builder {
    /// What there is so far.  Tables without a method here are filled directly.
    pub program: Program,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// A program whose main function is empty.
    pub fn new() -> Builder {
        let program = Program {
            names: WELL_KNOWN.iter().map(|name| (*name).into()).collect(),
            files: alloc::vec!["<built>".into()],
            ..Program::default()
        };
        let mut builder = Builder { program };
        let main = builder.function("<main>", &[]);
        builder.program.functions[main as usize]
            .info
            .flags
            .is_top_level = true;
        builder.program.main = main;
        builder
    }

    /// The main function, which `new` has made.
    pub fn main(&self) -> FunctionId {
        self.program.main
    }

    /// Declares a function with one slot per parameter and no code.
    pub fn function(&mut self, name: &str, params: &[&str]) -> FunctionId {
        let id = self.program.functions.len() as FunctionId;
        let params: Vec<NameId> = params.iter().map(|param| self.name(param)).collect();
        self.program.functions.push(Function {
            slots: params.len() as u32,
            slot_names: params.clone(),
            info: FunctionInfo {
                name: name.into(),
                id,
                params,
                flags: FunctionFlags::default(),
            },
            ..Function::default()
        });
        id
    }

    /// The function's code, to be continued.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn code(&mut self, func: FunctionId) -> Code<'_> {
        Code {
            function: &mut self.program.functions[func as usize],
            labels: Vec::new(),
        }
    }

    /// The number of an identifier.
    pub fn name(&mut self, text: &str) -> NameId {
        find_or_push(
            &mut self.program.names,
            |known| **known == *text,
            || text.into(),
        )
    }

    /// The number of a built-in function.
    pub fn builtin(&mut self, name: &str) -> BuiltinId {
        find_or_push(
            &mut self.program.builtins,
            |known| **known == *name,
            || name.into(),
        )
    }

    /// The number of a global variable.
    pub fn global(&mut self, name: &str) -> GlobalId {
        let name = self.name(name);
        find_or_push(&mut self.program.globals, |known| *known == name, || name)
    }

    /// The index of a new constant.
    pub fn constant(&mut self, constant: Constant) -> u32 {
        find_or_push(&mut self.program.constants, |_| false, || constant)
    }

    /// The verified program.
    ///
    /// # Errors
    /// If the program is not valid.
    pub fn finish(mut self) -> Result<Program, VerifyError> {
        verify::verify(&mut self.program)?;
        Ok(self.program)
    }
}

fn find_or_push<T>(
    table: &mut Vec<T>,
    is_it: impl Fn(&T) -> bool,
    make: impl FnOnce() -> T,
) -> u32 {
    if let Some(index) = table.iter().position(is_it) {
        return index as u32;
    }
    table.push(make());
    table.len() as u32 - 1
}

/// A place in a function's code that jumps lead to.
#[derive(Clone, Copy, Debug)]
pub struct Label(usize);

/// The code of one function, written from front to back.
#[derive(Debug)]
pub struct Code<'a> {
    function: &'a mut Function,
    /// Jumps to each label.
    labels: Vec<Vec<usize>>,
}

impl Code<'_> {
    /// Appends an instruction; gives its index.
    pub fn op(&mut self, op: Op) -> u32 {
        self.function.code.push(op);
        self.here() - 1
    }

    /// The index of the next instruction.
    pub fn here(&self) -> u32 {
        self.function.code.len() as u32
    }

    /// A new slot, after all others.
    pub fn slot(&mut self) -> u32 {
        self.slots(1)
    }

    /// New slots one after the other; gives the first.
    pub fn slots(&mut self, count: u32) -> u32 {
        self.function.slots += count;
        self.function.slots - count
    }

    /// Appends the head of a loop; gives its index, for the jump back.
    pub fn loop_head(&mut self) -> u32 {
        let number = self.function.loops;
        self.function.loops += 1;
        self.op(Op::LoopHead { number })
    }

    /// A label that is bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(Vec::new());
        Label(self.labels.len() - 1)
    }

    /// Appends an instruction that jumps to a label, whatever target it has now.
    ///
    /// # Panics
    /// If the label is another `Code`'s.
    pub fn jump(&mut self, op: Op, label: Label) {
        let pc = self.op(op);
        self.labels[label.0].push(pc as usize);
    }

    /// Lets the jumps to a label so far lead to the next instruction.
    ///
    /// # Panics
    /// If one of them is no jump.
    pub fn bind(&mut self, label: Label) {
        let here = self.here();
        for pc in core::mem::take(&mut self.labels[label.0]) {
            self.function.code[pc].set_target(here);
        }
    }

    /// Adds a handler, after those that it encloses.
    pub fn handler(&mut self, handler: Handler) {
        self.function.handlers.push(handler);
    }

    /// Adds a captured variable; gives its index.
    pub fn capture(&mut self, capture: Capture) -> u32 {
        self.function.captures.push(capture);
        self.function.captures.len() as u32 - 1
    }

    /// Says where the next instructions come from.
    pub fn position(&mut self, position: Position) {
        let here = self.here();
        self.function.positions.push((here, position));
    }

    /// What the function is besides plain.
    pub fn flags(&mut self) -> &mut FunctionFlags {
        &mut self.function.info.flags
    }
}
