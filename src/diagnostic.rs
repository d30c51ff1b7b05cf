//! What the compiler has to say about a program: a code, a message, a place.
//!
//! A diagnostic is a value.  Stages return it, the driver prints it; `text`
//! and `json` turn it into the forms a reader or a tool wants.  Errors of a
//! *running* program are not diagnostics.

mod code;
mod json;
mod text;

pub use code::{Code, Stage};
pub use json::{json, string as json_string};
pub use text::{Form, text};

use crate::source::{LoadError, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    /// The word in front of the message.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// Without the prefix that some codes put in front of it.
    pub message: String,
    pub span: Option<Span>,
    /// Other places that explain the first one.
    pub notes: Vec<(Span, String)>,
    /// Instead of the advice that belongs to the code.
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: Code, span: impl Into<Option<Span>>) -> Self {
        Self::new(code, Severity::Error, span.into())
    }

    pub fn warning(code: Code, span: impl Into<Option<Span>>) -> Self {
        Self::new(code, Severity::Warning, span.into())
    }

    fn new(code: Code, severity: Severity, span: Option<Span>) -> Self {
        Self {
            code,
            severity,
            message: String::new(),
            span,
            notes: Vec::new(),
            help: None,
        }
    }

    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message as it is shown, prefix included.
    pub fn title(&self) -> String {
        format!("{}{}", self.code.prefix(), self.message)
    }

    /// The advice to show: its own, or that of its code.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref().or(self.code.stage().help())
    }

    /// What the process should end with when this is why it ends.
    pub fn exit_status(&self) -> i32 {
        match self.severity {
            Severity::Error => self.code.stage().exit_status(),
            Severity::Warning => 0,
        }
    }
}

impl From<LoadError> for Diagnostic {
    fn from(error: LoadError) -> Self {
        Diagnostic::error(Code::UnreadableFile, None).message(error.to_string())
    }
}
