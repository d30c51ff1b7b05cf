//! What can go wrong in linking, said so that the reader knows what to do.

use super::condense::Goal;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why no executable was made.
#[derive(Debug)]
pub enum LinkError {
    /// The output's name is a directory's.
    OutputIsDirectory(PathBuf),
    /// The output could not be written.
    Write(PathBuf, io::Error),
    /// A file that is needed could not be read.
    Read(PathBuf, io::Error),
    /// There is no runtime for the target in any of these places.
    NoRuntime {
        target: String,
        goal: Goal,
        looked_in: Vec<PathBuf>,
    },
    /// The linker inside does not know the target.
    UnsupportedTarget(String),
    /// The linker inside makes no static executables.
    UnsupportedStatic,
    /// A library of the target is in none of these directories.
    NoLibrary {
        name: &'static str,
        target: String,
        looked_in: Vec<PathBuf>,
    },
    /// A library that the program names is in none of these directories.
    NoForeign {
        name: String,
        target: String,
        looked_in: Vec<PathBuf>,
    },
    /// Libraries are not made for the target.
    UnsupportedLibrary(String),
    /// The runtime's archive is not what it claims to be.
    Runtime(object::read::Error),
    /// An archive could not be put together.
    Archive(io::Error),
    /// The start-up code could not be put into an object.
    Startup(object::write::Error),
    /// The executable could not be read again to be reported on.
    Report(object::Error),
    /// The linker inside gave up.
    Wild(String),
    /// No such program.
    NoProgram(PathBuf),
    /// There is no C compiler for the target; these were looked for.
    NoCompiler {
        target: String,
        looked_for: Vec<&'static str>,
        packages: &'static str,
    },
    /// There is no zig.
    NoZig,
    /// A program could not be started.
    Start(PathBuf, io::Error),
    /// A program ran and failed, saying this.
    Program {
        program: PathBuf,
        status: std::process::ExitStatus,
        output: String,
    },
    /// One linker after the other could not; why, in that order.
    NoLinker(Vec<LinkError>),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputIsDirectory(path) => {
                write!(f, "the output `{}` is a directory", path.display())
            }
            Self::Write(path, error) => write!(f, "cannot write `{}`: {error}", path.display()),
            Self::Read(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::NoRuntime {
                target,
                goal,
                looked_in,
            } => {
                let (kind, flag) = match goal {
                    Goal::Speed => ("", ""),
                    Goal::Size => ("small ", "--size "),
                };
                write!(f, "there is no {kind}Ruff runtime for `{target}`")?;
                list(f, looked_in)?;
                write!(
                    f,
                    "; build it with `ruffc target add {flag}{target}`, or name one with `--runtime FILE`"
                )
            }
            Self::UnsupportedTarget(target) => {
                write!(f, "the built-in linker cannot link for `{target}`")
            }
            Self::UnsupportedStatic => {
                write!(f, "the built-in linker cannot make static executables")
            }
            Self::NoForeign {
                name,
                target,
                looked_in,
            } => {
                write!(f, "the library `{name}` for `{target}` was not found")?;
                list(f, looked_in)?;
                write!(f, "; name its folder with `-L FOLDER`")
            }
            Self::UnsupportedLibrary(target) => {
                write!(f, "libraries for `{target}` can't be made, only objects")
            }
            Self::Runtime(error) => write!(f, "the runtime's archive is malformed: {error}"),
            Self::Archive(error) => write!(f, "cannot make the archive: {error}"),
            Self::NoLibrary {
                name,
                target,
                looked_in,
            } => {
                write!(f, "`{name}` for `{target}` was not found")?;
                list(f, looked_in)
            }
            Self::Startup(error) => write!(f, "cannot make the start-up object: {error}"),
            Self::Report(error) => write!(f, "cannot tell what the bytes are for: {error}"),
            Self::Wild(message) => write!(f, "the built-in linker failed: {message}"),
            Self::NoProgram(program) => {
                write!(f, "the linker `{}` was not found", program.display())
            }
            Self::NoCompiler {
                target,
                looked_for,
                packages,
            } => {
                write!(f, "no C compiler for `{target}` was found to link with")?;
                if !looked_for.is_empty() {
                    write!(f, " (looked for `{}`)", looked_for.join("`, `"))?;
                }
                if !packages.is_empty() {
                    write!(f, "; Debian has `{packages}`")?;
                }
                Ok(())
            }
            Self::NoZig => write!(
                f,
                "zig was found neither as `zig` nor as Python's `ziglang` (`pip install ziglang`)"
            ),
            Self::Start(program, error) => {
                write!(f, "cannot start `{}`: {error}", program.display())
            }
            Self::Program {
                program,
                status,
                output,
            } => {
                write!(f, "`{}` failed ({status})", program.display())?;
                match output.trim() {
                    "" => Ok(()),
                    text => write!(f, ":\n{text}"),
                }
            }
            Self::NoLinker(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(Self::to_string).collect();
                write!(f, "{}", reasons.join("; "))
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, looked_in: &[PathBuf]) -> fmt::Result {
    let names: Vec<_> = looked_in.iter().map(|path| name(path)).collect();
    match names.is_empty() {
        true => Ok(()),
        false => write!(f, " (looked in {})", names.join(", ")),
    }
}

fn name(path: &Path) -> String {
    format!("`{}`", path.display())
}

impl std::error::Error for LinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write(_, error) | Self::Read(_, error) | Self::Start(_, error) => Some(error),
            Self::Startup(error) => Some(error),
            Self::Report(error) => Some(error),
            Self::Runtime(error) => Some(error),
            Self::Archive(error) => Some(error),
            _ => None,
        }
    }
}
