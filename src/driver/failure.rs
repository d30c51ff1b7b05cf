//! Why a command was not carried out, and the exit status that this means.

use crate::bindgen::BindgenError;
use crate::diagnostic::{self, Code, Diagnostic, Form};
use crate::emit::EmitError;
use crate::link::LinkError;
use crate::source::SourceMap;
use crate::toolchain::{NoRunner, ToolchainError};
use ruff_runtime::loaded::LoadError;
use std::io;
use std::path::Path;

/// The status of a process that could not read or write a file.
const STATUS_FILE: i32 = 5;
/// The status of a process that failed through no fault of its user.
const STATUS_INTERNAL: i32 = 6;

#[derive(Debug)]
pub enum Failure {
    /// The program is wrong, or its file can't be read.
    Diagnostics(Vec<Diagnostic>),
    /// A result can't be written there.
    Write {
        name: String,
        error: io::Error,
    },
    Emit(EmitError),
    Link(LinkError),
    Bindgen(BindgenError),
    Toolchain(ToolchainError),
    /// Programs of the target can't be run on this machine.
    NoRunner(NoRunner),
    /// A program could not be started.
    Start {
        name: String,
        error: io::Error,
    },
}

impl Failure {
    /// A program that is refused although it parses.
    pub(super) fn refused(message: String) -> Failure {
        Failure::Diagnostics(vec![Failure::refusal(message)])
    }

    pub(super) fn refusal(message: String) -> Diagnostic {
        Diagnostic::error(Code::Compilation, None).message(message)
    }

    /// A folder that can't be read.
    pub(super) fn unreadable(folder: &Path, error: &io::Error) -> Failure {
        let message = format!("Failed to read folder '{}': {error}", folder.display());
        Failure::Diagnostics(vec![
            Diagnostic::error(Code::UnreadableFile, None).message(message),
        ])
    }

    /// A file that can't be read.
    pub(super) fn unreadable_file(file: &Path, error: &io::Error) -> Failure {
        let message = format!("Failed to read '{}': {error}", file.display());
        Failure::Diagnostics(vec![
            Diagnostic::error(Code::UnreadableFile, None).message(message),
        ])
    }

    /// The status that the process ends with.
    pub fn exit_status(&self) -> i32 {
        match self {
            Failure::Diagnostics(diagnostics) => diagnostics
                .iter()
                .map(Diagnostic::exit_status)
                .max()
                .unwrap_or_default(),
            Failure::Write { .. } => STATUS_FILE,
            // What was asked for can't be done: a file that this machine lacks.
            Failure::Emit(
                EmitError::Target(_) | EmitError::UnknownBuiltin(_) | EmitError::ForeignSymbol(_),
            ) => STATUS_FILE,
            Failure::Emit(EmitError::Module(_) | EmitError::Write(_) | EmitError::Debug(_)) => {
                STATUS_INTERNAL
            }
            Failure::Link(LinkError::Startup(_) | LinkError::Wild(_)) => STATUS_INTERNAL,
            Failure::Link(_)
            | Failure::Bindgen(_)
            | Failure::Toolchain(_)
            | Failure::NoRunner(_)
            | Failure::Start { .. } => STATUS_FILE,
        }
    }

    /// What is printed, each line ended.
    pub fn text(&self, sources: &SourceMap, form: Form) -> String {
        match self {
            Failure::Diagnostics(diagnostics) => diagnostics
                .iter()
                .map(|diagnostic| diagnostic::text(diagnostic, sources, form))
                .collect(),
            Failure::Write { name, error } => {
                cli_error(&format!("Failed to write '{name}': {error}"))
            }
            Failure::Emit(error) => cli_error(&error.to_string()),
            Failure::Link(error) => cli_error(&error.to_string()),
            Failure::Bindgen(error) => cli_error(&error.to_string()),
            Failure::Toolchain(error) => cli_error(&error.to_string()),
            Failure::NoRunner(error) => cli_error(&error.to_string()),
            Failure::Start { name, error } => {
                cli_error(&format!("Failed to start '{name}': {error}"))
            }
        }
    }
}

/// An error that no place in the program has to do with.
fn cli_error(message: &str) -> String {
    let diagnostic = Diagnostic::error(Code::UnreadableFile, None).message(message);
    diagnostic::text(&diagnostic, &SourceMap::new(), Form::Plain)
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Failure {
        Failure::Diagnostics(diagnostics)
    }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Failure {
        Failure::Emit(error)
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Failure {
        Failure::Link(error)
    }
}

impl From<BindgenError> for Failure {
    fn from(error: BindgenError) -> Failure {
        Failure::Bindgen(error)
    }
}

impl From<ToolchainError> for Failure {
    fn from(error: ToolchainError) -> Failure {
        Failure::Toolchain(error)
    }
}

impl From<NoRunner> for Failure {
    fn from(error: NoRunner) -> Failure {
        Failure::NoRunner(error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::refused(error.to_string())
    }
}
