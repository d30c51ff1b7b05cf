//! A verified program, ready to be run any number of times.

use super::Error;
use crate::lower;
use crate::source::SourceMap;
use crate::syntax;
use ruff_runtime::bytecode::{FunctionId, Program, verify};

/// A verified program.
#[derive(Clone, Debug)]
pub struct Chunk {
    program: Program,
}

impl AsRef<Chunk> for Chunk {
    fn as_ref(&self) -> &Chunk {
        self
    }
}

impl Chunk {
    /// Compiles source text to bytecode.  Messages call it `name`.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn compile(name: &str, text: &str) -> Result<Chunk, Error> {
        let mut sources = SourceMap::new();
        let file = sources.add(name, text);
        let lowered = syntax::parse(&sources, file).and_then(|tree| lower::lower(&tree, &sources));
        match lowered {
            Ok(program) => Chunk::new(program),
            Err(diagnostics) => Err(Error::compile(&diagnostics, &sources)),
        }
    }

    /// Takes a program that was made by hand.
    ///
    /// # Errors
    /// If the program is not valid.
    pub fn new(mut program: Program) -> Result<Chunk, Error> {
        verify::verify(&mut program)?;
        Ok(Chunk { program })
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The function that is the top level.
    pub fn main(&self) -> FunctionId {
        self.program.main
    }

    /// The first function with that name.
    pub fn function(&self, name: &str) -> Option<FunctionId> {
        let found = self
            .program
            .functions
            .iter()
            .find(|function| function.info.name == name);
        found.map(|function| function.info.id)
    }
}
