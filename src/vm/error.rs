//! What can go wrong when a host runs a program.

use crate::diagnostic::{self, Diagnostic, Form};
use crate::emit::jit::TypedError;
use crate::source::SourceMap;
use ruff_runtime::bytecode::verify::VerifyError;
use ruff_runtime::context::VMContext;
use ruff_runtime::loaded::LoadError;
use std::fmt;

/// Why there is no result.
#[derive(Debug)]
pub enum Error {
    /// The source text is wrong.
    Compile {
        diagnostics: Vec<Diagnostic>,
        /// The diagnostics with their places, as `ruffc` would print them.
        text: String,
    },
    /// The bytecode is not valid.
    Verify(VerifyError),
    /// The runtime can't load the program.
    Load(LoadError),
    /// The program raised an error and did not catch it.
    Raised(RuntimeError),
    /// The program ended itself with this status.
    Exited(i32),
    /// The function can't be called the way that was asked for.
    Typed(TypedError),
}

/// An error that a program raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    pub message: String,
    /// File, line and column, if they are known.
    pub place: Option<(String, u32, u32)>,
    /// The active functions, innermost first.
    pub stack: Vec<String>,
}

impl Error {
    pub(super) fn compile(diagnostics: &[Diagnostic], sources: &SourceMap) -> Error {
        let text = diagnostics
            .iter()
            .map(|one| diagnostic::text(one, sources, Form::Plain))
            .collect();
        Error::Compile {
            diagnostics: diagnostics.to_vec(),
            text,
        }
    }

    /// Why a context's program stopped.
    pub(super) fn stopped(ctx: &mut VMContext) -> Error {
        if let Some(status) = ctx.exit_status {
            return Error::Exited(status);
        }
        let Some(pending) = ctx.pending.take() else {
            return Error::Raised(RuntimeError {
                message: String::new(),
                place: None,
                stack: Vec::new(),
            });
        };
        let program = &ctx.program.program;
        let place = pending.position(program).map(|position| {
            let file = program
                .files
                .get(position.file as usize)
                .map_or("", |file| file);
            (file.to_owned(), position.line, position.column)
        });
        let name = |func: &u32| program.functions[*func as usize].info.name.clone();
        let stack = pending.functions().iter().rev().map(name).collect();
        Error::Raised(RuntimeError {
            message: pending.message.as_str().to_owned(),
            place,
            stack,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Compile { text, .. } => out.write_str(text.trim_end()),
            Error::Verify(error) => error.fmt(out),
            Error::Load(error) => error.fmt(out),
            Error::Raised(error) => error.fmt(out),
            Error::Exited(status) => write!(out, "the program ended with status {status}"),
            Error::Typed(error) => error.fmt(out),
        }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        match &self.place {
            Some((file, line, column)) => write!(out, " ({file}:{line}:{column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
impl std::error::Error for RuntimeError {}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Error {
        Error::Verify(error)
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Error {
        Error::Load(error)
    }
}

impl From<TypedError> for Error {
    fn from(error: TypedError) -> Error {
        Error::Typed(error)
    }
}
