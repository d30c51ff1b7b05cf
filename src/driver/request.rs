//! What can be asked of the driver.

use crate::emit;
use crate::link::{Libc, Linker, Symbols};
use crate::vm::Engine;
use std::ffi::OsString;
use std::path::PathBuf;

/// Make something of a program.
#[derive(Clone, Debug)]
pub struct Build {
    pub input: PathBuf,
    pub wanted: Vec<Wanted>,
    pub code: emit::Options,
    pub fallbacks: Fallbacks,
    pub linking: Linking,
}

impl Build {
    pub(super) fn sink(&self, kind: Kind) -> Option<&Sink> {
        self.wanted
            .iter()
            .find(|wanted| wanted.kind == kind)
            .map(|wanted| &wanted.sink)
    }

    /// Whether nothing is wanted that takes this stage.
    pub(super) fn ends_before(&self, kind: Kind) -> bool {
        self.wanted.iter().all(|wanted| wanted.kind < kind)
    }
}

/// Something to be made, and where it goes.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: Kind,
    pub sink: Sink,
}

/// What a program can be turned into, in the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Tokens,
    /// The syntax tree.
    Ast,
    Bytecode,
    /// Cranelift IR before optimisation.
    Clif,
    /// Machine code as text.
    Asm,
    /// A relocatable object file.
    Obj,
    /// An executable.
    Exe,
}

/// Where a result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    StandardOutput,
    File(PathBuf),
}

/// What becomes of functions that can't be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallbacks {
    /// They stay bytecode.
    Allowed,
    /// The program is refused.
    Refused,
}

/// How an executable is linked.
#[derive(Clone, Debug)]
pub struct Linking {
    pub linker: Linker,
    /// Instead of the runtime that is looked for.
    pub runtime: Option<PathBuf>,
    pub libc: Libc,
    pub symbols: Symbols,
}

/// Run a program in this process.
#[derive(Clone, Debug)]
pub struct Run {
    pub input: PathBuf,
    pub args: Vec<String>,
    pub engine: Engine,
}

/// Run a program for another target, as an executable.
#[derive(Clone, Debug)]
pub struct RunElsewhere {
    pub input: PathBuf,
    pub args: Vec<OsString>,
    pub code: emit::Options,
    pub linking: Linking,
}

/// Run the tests of a program.
#[derive(Clone, Debug)]
pub struct Test {
    pub input: PathBuf,
    /// Only those whose name, or that of a group around them, contains this.
    pub filter: Option<String>,
    pub engine: Engine,
    /// Keep what is printed for the result instead of printing it.
    pub keeps_output: bool,
}

/// Tell how a program becomes code.
#[derive(Clone, Debug)]
pub struct Explain {
    pub input: PathBuf,
    pub code: emit::Options,
}

/// Look for errors in a program.
#[derive(Clone, Debug)]
pub struct Check {
    pub input: PathBuf,
}
