//! A verified program, ready to be run any number of times.

use super::Error;
use crate::lower;
use crate::modules;
use crate::source::{FileId, SourceMap};
use crate::syntax;
use ruff_runtime::bytecode::{FunctionId, Program, verify};
use std::path::Path;
use std::sync::Arc;

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
    /// Compiles source text to bytecode.  Messages call it `name`.  Modules that
    /// it imports are looked for in the working directory.
    ///
    /// # Errors
    /// Everything that is wrong with the text.  What is wrong with a module is
    /// an error of the import when it is executed.
    pub fn compile(name: &str, text: &str) -> Result<Chunk, Error> {
        let mut sources = SourceMap::new();
        let file = sources.add(name, text);
        Chunk::of_file(file, sources)
    }

    /// Compiles a script in a file; modules may be beside it.
    ///
    /// # Errors
    /// If the file can't be read, and as for `compile`.
    pub fn load(path: impl AsRef<Path>) -> Result<Chunk, Error> {
        let mut sources = SourceMap::new();
        match sources.load(path) {
            Ok(file) => Chunk::of_file(file, sources),
            Err(error) => Err(Error::compile(&[error.into()], &sources)),
        }
    }

    fn of_file(file: FileId, mut sources: SourceMap) -> Result<Chunk, Error> {
        let graph = syntax::parse(&sources, file)
            .and_then(|script| modules::load(Arc::new(script), &[], &mut sources));
        match graph {
            Ok(graph) => Chunk::new(lower::lower(graph, &sources)),
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
