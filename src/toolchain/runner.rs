//! Who runs a target's programs on this machine.

use crate::link;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use target_lexicon::{Architecture, OperatingSystem, Triple};

/// Who runs programs of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The machine itself.
    Native,
    /// An emulator, with the arguments before the program.
    Emulator {
        program: PathBuf,
        arguments: Vec<String>,
    },
}

impl Runner {
    /// The command that runs `program`.
    pub fn command(&self, program: &Path) -> Command {
        match self {
            Self::Native => Command::new(program),
            Self::Emulator {
                program: emulator,
                arguments,
            } => {
                let mut command = Command::new(emulator);
                command.args(arguments).arg(program);
                // What wine says of itself is not the program's.
                if env::var_os("WINEDEBUG").is_none() {
                    command.env("WINEDEBUG", "-all");
                }
                command
            }
        }
    }

    /// As a person would name it.
    pub fn name(&self) -> String {
        match self {
            Self::Native => "natively".to_owned(),
            Self::Emulator { program, .. } => {
                let name = program.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
        }
    }
}

/// Nobody here runs programs of a target.
#[derive(Debug)]
pub struct NoRunner {
    pub target: String,
    /// The programs that would.
    pub looked_for: Vec<String>,
}

impl fmt::Display for NoRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "programs for `{}` cannot be run here", self.target)?;
        if !self.looked_for.is_empty() {
            write!(f, " (looked for `{}`)", self.looked_for.join("`, `"))?;
        }
        Ok(())
    }
}

impl std::error::Error for NoRunner {}

/// Who runs programs of `target` here.
///
/// # Errors
/// If nobody does.
pub fn runner(target: &Triple) -> Result<Runner, NoRunner> {
    let host = target_lexicon::HOST;
    let is_same_machine = target.architecture == host.architecture
        && target.operating_system == host.operating_system;
    // musl's programs carry their C library.
    if link::is_host(target) || (is_same_machine && link::is_musl(target)) {
        return Ok(Runner::Native);
    }
    let emulators = match target.operating_system {
        OperatingSystem::Windows => vec!["wine".to_owned(), "wine64".to_owned()],
        OperatingSystem::Linux if host.operating_system == OperatingSystem::Linux => {
            qemu(&target.architecture)
        }
        _ => Vec::new(),
    };
    match emulators.iter().find_map(|name| link::on_path(name)) {
        Some(program) => Ok(Runner::Emulator {
            program,
            arguments: arguments(target),
        }),
        None => Err(NoRunner {
            target: target.to_string(),
            looked_for: emulators,
        }),
    }
}

/// qemu's user mode, as it is called when it is linked dynamically or not.
fn qemu(architecture: &Architecture) -> Vec<String> {
    let name = match architecture {
        Architecture::Riscv64(_) => "riscv64".to_owned(),
        other => other.to_string(),
    };
    vec![format!("qemu-{name}"), format!("qemu-{name}-static")]
}

/// Where a cross compiler's packages keep the target's C library, unless the
/// user says where it is.
fn arguments(target: &Triple) -> Vec<String> {
    if target.operating_system != OperatingSystem::Linux || env::var_os("QEMU_LD_PREFIX").is_some()
    {
        return Vec::new();
    }
    let architecture = match target.architecture {
        Architecture::Riscv64(_) => "riscv64".to_owned(),
        other => other.to_string(),
    };
    let directory = format!("/usr/{architecture}-linux-gnu");
    match Path::new(&directory).is_dir() {
        true => vec!["-L".to_owned(), directory],
        false => Vec::new(),
    }
}
