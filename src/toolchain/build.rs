//! `ruffc target add`: builds the runtime for a target from the sources that
//! this compiler carries, and keeps it where linking finds it.
//!
//! cargo does the work and shows its progress on standard error.  What is
//! built depends on these sources and the compiler alone: the user's flags for
//! other projects are left out, except what they say of the compiler itself.

use super::compiler::{self, Compiler, Library, ToolchainError};
use crate::link::{self, Goal};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use target_lexicon::Triple;

/// Paths below the workspace, and texts.
const SOURCES: &[(&str, &str)] = include!(env!("RUFFC_RUNTIME_SOURCES"));

/// A runtime that is there now.
#[derive(Clone, Debug)]
pub struct Added {
    pub path: PathBuf,
    pub bytes: u64,
    /// Whether it was there before.
    pub was_there: bool,
}

/// Builds the runtime for `target` unless it is there; `progress` hears what
/// is done.
///
/// # Errors
/// If something is missing, with what to do about it.
pub fn add(
    target: &Triple,
    goal: Goal,
    mut progress: impl FnMut(&str),
) -> Result<Added, ToolchainError> {
    let name = target.to_string();
    if link::target_row(target).is_none() {
        return Err(ToolchainError::UnknownTarget(name));
    }
    let path = link::cached_runtime(&name, goal).ok_or(ToolchainError::NoCache)?;
    if let Ok(metadata) = fs::metadata(&path) {
        let bytes = metadata.len();
        return Ok(Added {
            path,
            bytes,
            was_there: true,
        });
    }
    let compiler = compiler::find(&name)?;
    progress(&format!(
        "building the runtime for {name} with {}{}",
        compiler.version,
        match compiler.library {
            Library::Ready => "",
            Library::Sources(_) => ", and the standard library from its sources",
        }
    ));
    let workspace = workspace(&path)?;
    // One directory for each runtime, so that two can be added at a time.
    let directory = workspace.join("target").join(&name).join(goal.profile());
    let built = run_cargo(&compiler, &name, goal, &workspace, &directory)?;
    let archive = fs::read(&built).map_err(|error| ToolchainError::File(built, error))?;
    let condensed = link::condense(&archive, goal).map_err(ToolchainError::Condense)?;
    install(&path, &condensed)?;
    // What cargo has left is a hundred times as large as the runtime.
    let _ = fs::remove_dir_all(directory);
    Ok(Added {
        path,
        bytes: condensed.len() as u64,
        was_there: false,
    })
}

/// Writes the sources beside the runtimes; gives the directory.
fn workspace(runtime: &Path) -> Result<PathBuf, ToolchainError> {
    let runtimes = runtime.ancestors().nth(2).unwrap_or(runtime);
    let workspace = runtimes.join("source");
    for (name, text) in SOURCES {
        let path = workspace.join(name);
        let parent = path.parent().unwrap_or(&workspace);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|error| ToolchainError::File(path, error))?;
    }
    Ok(workspace)
}

/// Runs cargo; gives the archive.
fn run_cargo(
    compiler: &Compiler,
    target: &str,
    goal: Goal,
    workspace: &Path,
    directory: &Path,
) -> Result<PathBuf, ToolchainError> {
    // Not `--locked`: the lock file names the compiler's packages as well, and
    // cargo takes out what is not needed.  What it keeps, it keeps as it is.
    let mut cargo = Command::new(&compiler.cargo);
    cargo
        .args(["build", "--profile", goal.profile()])
        .args(goal.features())
        .args(["--package", "ruff-runtime-archive", "--target", target])
        .arg("--target-dir")
        .arg(directory)
        .current_dir(workspace)
        .stdin(Stdio::null());
    for name in [
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
        "RUSTFLAGS",
    ] {
        cargo.env_remove(name);
    }
    cargo.env("RUSTC", &compiler.rustc);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(compiler, workspace));
    if let Library::Sources(_) = compiler.library {
        // Building the library is a feature that only nightly compilers admit.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    let status = cargo.status().map_err(|_| ToolchainError::NoCargo)?;
    if !status.success() {
        return Err(ToolchainError::Cargo(status));
    }
    let built = directory.join(target).join(goal.profile());
    Ok(built.join(link::ARCHIVE))
}

/// The user's flags, and those that keep this machine's directories out of
/// programs.
fn flags(compiler: &Compiler, workspace: &Path) -> String {
    let mut flags = compiler::user_flags();
    let mut remap = |from: &Path, to: &str| {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    };
    remap(workspace, "ruff");
    remap(&compiler.sysroot, "rust");
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = cargo_home.or_else(|| Some(env::home_dir()?.join(".cargo"))) {
        remap(&home, "cargo");
    }
    // The separator that cargo splits the variable at.
    flags.join("\x1f")
}

/// Puts the runtime in place, whole or not at all.
fn install(path: &Path, archive: &[u8]) -> Result<(), ToolchainError> {
    let failed = |error| ToolchainError::File(path.to_owned(), error);
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The process's mask takes away what its user does not want.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory).map_err(failed)?;
    std::io::Write::write_all(&mut file, archive).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_a_workspace() {
        let text = |name: &str| {
            let found = SOURCES.iter().find(|(file, _)| *file == name);
            found
                .map(|(_, text)| *text)
                .expect("a file of the workspace")
        };
        let manifest = text("Cargo.toml");
        assert!(manifest.contains("[profile.runtime]"), "{manifest}");
        assert!(!manifest.contains("cranelift"), "{manifest}");
        let lock = text("Cargo.lock");
        assert!(lock.contains("name = \"hashbrown\""), "{lock}");
        assert!(text("runtime/src/lib.rs").contains("pub mod abi;"));
    }
}
