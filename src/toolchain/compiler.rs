//! Which Rust compiler builds a runtime, and what of the standard library it
//! has for the target.
//!
//! Asked are the one that `RUSTC` names, or else all that `PATH` leads to: a
//! distribution's compiler may have what a user's own lacks.

use crate::link;
use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The oldest release that the runtime can be built with.
const OLDEST: (u32, u32) = (1, 95);

/// Why a runtime could not be built.
#[derive(Debug)]
pub enum ToolchainError {
    /// Executables can't be made for such a target.
    UnknownTarget(String),
    /// There is no directory to keep a runtime in.
    NoCache,
    /// No compiler can build for the target; these were asked.
    NoCompiler {
        target: String,
        asked: Vec<String>,
    },
    NoCargo,
    /// cargo has said why.
    Cargo(ExitStatus),
    Condense(link::CondenseError),
    File(PathBuf, io::Error),
}

impl fmt::Display for ToolchainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTarget(target) => write!(
                f,
                "executables cannot be made for `{target}`; `ruffc target list` shows the targets"
            ),
            Self::NoCache => write!(
                f,
                "there is no directory for the runtime; set HOME or XDG_CACHE_HOME"
            ),
            Self::NoCompiler { target, asked } => no_compiler(f, target, asked),
            Self::NoCargo => write!(
                f,
                "cargo was not found; install Rust (https://rustup.rs), or set CARGO"
            ),
            Self::Cargo(status) => {
                write!(f, "the runtime could not be built: cargo failed ({status})")
            }
            Self::Condense(error) => write!(f, "the runtime that was built is of no use: {error}"),
            Self::File(path, error) => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

fn no_compiler(f: &mut fmt::Formatter<'_>, target: &str, asked: &[String]) -> fmt::Result {
    let (major, minor) = OLDEST;
    writeln!(
        f,
        "no Rust compiler here can build the runtime for `{target}`"
    )?;
    for one in asked {
        writeln!(f, "  {one}")?;
    }
    write!(
        f,
        "  It takes Rust {major}.{minor} or newer with the target's standard library or the library's sources:\n\
         \x20   rustup target add {target}                        with rustup\n\
         \x20   rustup component add rust-src                     or, for targets without a ready one\n\
         \x20   apt-get install rustc-web cargo-web rust-web-src  on Debian\n\
         \x20 then `ruffc target add {target}` again. RUSTC and CARGO choose the compiler."
    )
}

impl std::error::Error for ToolchainError {}

/// What there is of the standard library for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// It is ready.
    Ready,
    /// It is built along with the runtime, from these sources.
    Sources(PathBuf),
}

/// A compiler that can build the runtime for a target.
#[derive(Debug)]
pub struct Compiler {
    pub rustc: PathBuf,
    pub cargo: PathBuf,
    /// As it calls itself.
    pub version: String,
    pub sysroot: PathBuf,
    pub library: Library,
}

/// The best compiler for a target: one that has its library ready, or else
/// one that can build it.
pub fn find(target: &str) -> Result<Compiler, ToolchainError> {
    let mut asked = Vec::new();
    let mut found = Vec::new();
    for rustc in candidates() {
        match ask(&rustc, target) {
            Ok(compiler) => found.push(compiler),
            Err(reason) => asked.push(format!("`{}`: {reason}", rustc.display())),
        }
    }
    if found.is_empty() {
        let target = target.to_owned();
        return Err(ToolchainError::NoCompiler { target, asked });
    }
    let ready = found.iter().position(|one| one.library == Library::Ready);
    let (rustc, version, sysroot, library) = {
        let best = found.swap_remove(ready.unwrap_or(0));
        (best.rustc, best.version, best.sysroot, best.library)
    };
    let cargo = find_cargo(&rustc).ok_or(ToolchainError::NoCargo)?;
    Ok(Compiler {
        rustc,
        cargo,
        version,
        sysroot,
        library,
    })
}

/// What a compiler says of itself.
struct Answer {
    rustc: PathBuf,
    version: String,
    sysroot: PathBuf,
    library: Library,
}

fn candidates() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("RUSTC").filter(|name| !name.is_empty()) {
        return vec![PathBuf::from(named)];
    }
    let directories = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    for directory in env::split_paths(&directories) {
        let path = directory.join(format!("rustc{}", env::consts::EXE_SUFFIX));
        if path.is_file() && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// Asks a compiler what it has for a target.
///
/// # Errors
/// Why it is of no use, for people.
fn ask(rustc: &Path, target: &str) -> Result<Answer, String> {
    let version = printed(rustc, &["--version"]).ok_or("it does not run")?;
    if release(&version).is_none_or(|release| release < OLDEST) {
        return Err(format!("it is {version}"));
    }
    let sysroot = printed(rustc, &["--print", "sysroot"]).ok_or("it has no sysroot")?;
    let sysroot = PathBuf::from(sysroot);
    let directory = printed(rustc, &["--target", target, "--print", "target-libdir"])
        .ok_or("it does not know the target")?;
    let sources = sysroot.join("lib/rustlib/src/rust/library");
    let library = if has_library(Path::new(&directory)) {
        Library::Ready
    } else if sources.join("std/Cargo.toml").is_file() {
        Library::Sources(sources)
    } else {
        return Err(format!(
            "{version} has neither the target's standard library nor the library's sources"
        ));
    };
    Ok(Answer {
        rustc: rustc.to_owned(),
        version,
        sysroot,
        library,
    })
}

/// What a compiler prints, if it succeeds, for the flags that it will be used
/// with.
fn printed(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(rustc)
        .args(arguments)
        .args(user_flags())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The flags that the user has for Rust's compiler, which may lead to a
/// library elsewhere.
pub fn user_flags() -> Vec<String> {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// `rustc 1.96.0 (…)` is 1.96.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(' ').nth(1)?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

fn has_library(directory: &Path) -> bool {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
}

/// The cargo that the user names, or the one beside the compiler, or any.
fn find_cargo(rustc: &Path) -> Option<PathBuf> {
    if let Some(named) = env::var_os("CARGO").filter(|name| !name.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let beside = rustc.with_file_name(format!("cargo{}", env::consts::EXE_SUFFIX));
    if beside.is_file() {
        return Some(beside);
    }
    link::on_path("cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read() {
        assert_eq!(
            release("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some((1, 96))
        );
        assert_eq!(release("rustc 1.97.0-nightly"), Some((1, 97)));
        assert_eq!(release("gcc 12"), None);
        assert!(release("rustc 1.63.0").is_some_and(|old| old < OLDEST));
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let error = ToolchainError::NoCompiler {
            target: "s390x-unknown-linux-gnu".to_owned(),
            asked: vec!["`/usr/bin/rustc`: it is rustc 1.63.0".to_owned()],
        };
        let text = error.to_string();
        assert!(text.contains("it is rustc 1.63.0"), "{text}");
        assert!(
            text.contains("rustup target add s390x-unknown-linux-gnu"),
            "{text}"
        );
    }
}
