//! What can be asked of the driver.

use crate::bindgen;
use crate::emit;
use crate::link::{Goal, Libc, Linker, Symbols};
pub use crate::resolve::Role;
use crate::vm::Engine;
use std::ffi::OsString;
use std::path::PathBuf;

/// Make something of a program.
#[derive(Clone, Debug)]
pub struct Build {
    pub input: PathBuf,
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
    /// What it is if nothing that is wanted says so.
    pub role: Role,
    pub wanted: Vec<Wanted>,
    /// As what a module is imported, if not by its file's name.
    pub name: Option<String>,
    pub code: emit::Options,
    pub fallbacks: Fallbacks,
    pub linking: Linking,
    /// Find out what the bytes of the executable are for.
    pub wants_shares: bool,
}

impl Build {
    pub(super) fn sink(&self, kind: Kind) -> Option<&Sink> {
        self.wanted
            .iter()
            .find(|wanted| wanted.kind == kind)
            .map(|wanted| &wanted.sink)
    }

    /// What becomes of the script.
    pub(super) fn role(&self) -> Role {
        match self.wanted.iter().any(|wanted| wanted.kind.is_of_library()) {
            true => Role::Library,
            false => self.role,
        }
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
    /// A library's header for C.
    Header,
    /// What `pkg-config` is told of a library.
    PkgConfig,
    Bytecode,
    /// A module, compiled on its own.
    Module,
    /// Cranelift IR before optimisation.
    Clif,
    /// Machine code as text.
    Asm,
    /// A relocatable object file.
    Obj,
    /// An executable.
    Exe,
    /// A library in an archive.
    Staticlib,
    /// A shared library.
    Cdylib,
    /// The runtime that objects of libraries are linked with.
    Runtime,
}

impl Kind {
    /// Whether it is made of a library only.
    pub fn is_of_library(self) -> bool {
        matches!(
            self,
            Kind::Header | Kind::PkgConfig | Kind::Staticlib | Kind::Cdylib | Kind::Runtime
        )
    }
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
    /// What the program is made for, which decides about its runtime.
    pub goal: Goal,
    /// Instead of the runtime that is looked for.
    pub runtime: Option<PathBuf>,
    pub libc: Libc,
    pub symbols: Symbols,
    /// Where libraries that the program names are looked for first.
    pub directories: Vec<PathBuf>,
}

/// Declare the functions of a C header.
#[derive(Clone, Debug)]
pub struct Bindgen {
    pub options: bindgen::Options,
    pub sink: Sink,
}

/// Run a program in this process.
#[derive(Clone, Debug)]
pub struct Run {
    pub input: PathBuf,
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
    pub args: Vec<String>,
    pub engine: Engine,
    pub memory: emit::Memory,
}

/// Run a program for another target, as an executable.
#[derive(Clone, Debug)]
pub struct RunElsewhere {
    pub input: PathBuf,
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
    pub args: Vec<OsString>,
    pub code: emit::Options,
    pub linking: Linking,
}

/// Run the tests of a program.
#[derive(Clone, Debug)]
pub struct Test {
    pub input: PathBuf,
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
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
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
    pub code: emit::Options,
}

/// Look for errors in a program.
#[derive(Clone, Debug)]
pub struct Check {
    pub input: PathBuf,
    /// Files of compiled modules.
    pub with: Vec<PathBuf>,
}
