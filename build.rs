//! Builds the runtime archive for the target that `ruffc` is built for, and
//! leaves it, condensed, where `include_bytes!` finds it.
//!
//! The archive needs a profile of its own and must not see the flags that the
//! compiler is built with, so a nested cargo builds it, from the same workspace
//! and the same `Cargo.lock`.

use condense::Goal;
use std::env;
use std::error::Error;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

#[path = "src/link/condense.rs"]
mod condense;
#[path = "build/sources.rs"]
mod sources;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let target = variable("TARGET")?;
    for input in [
        "build.rs",
        "build",
        "src/link/condense.rs",
        "src/link/condense",
        "src/toolchain/build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "runtime/Cargo.toml",
        "runtime/src",
        "runtime/archive",
        "runtime/benches",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }

    let table = out.join("runtime_sources.rs");
    let fingerprint = sources::write(&root, &out, &table)?;
    println!("cargo::rustc-env=RUFFC_RUNTIME_SOURCES={}", table.display());
    println!("cargo::rustc-env=RUFFC_RUNTIME_FINGERPRINT={fingerprint}");

    let make = |goal| {
        let made = archive(&root, &out, &target, goal);
        made.map_err(|error| error.to_string())
    };
    // Most of the time goes into one thread's work for each.
    let (fast, small) = thread::scope(|scope| {
        let small = scope.spawn(|| make(Goal::Size));
        let fast = make(Goal::Speed);
        (fast, small.join())
    });
    let (fast, small) = (fast?, small.unwrap_or_else(|panic| resume_unwind(panic))?);
    println!("cargo::rustc-env=RUFFC_RUNTIME_ARCHIVE={}", fast.display());
    println!(
        "cargo::rustc-env=RUFFC_SMALL_RUNTIME_ARCHIVE={}",
        small.display()
    );
    println!("cargo::rustc-env=RUFFC_RUNTIME_TARGET={target}");
    Ok(())
}

/// Builds the archive and condenses it; gives where it is.
fn archive(root: &Path, out: &Path, target: &str, goal: Goal) -> Result<PathBuf, Box<dyn Error>> {
    let built = build_archive(root, out, target, goal)?;
    let archive = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    let condensed = condense::condense(&archive, goal)
        .map_err(|error| format!("{}: {error}", built.display()))?;
    let embedded = out.join(format!("lib{}.a", goal.profile()));
    fs::write(&embedded, condensed)?;
    Ok(embedded)
}

/// Runs the nested cargo and returns the path of the archive.
fn build_archive(
    root: &Path,
    out: &Path,
    target: &str,
    goal: Goal,
) -> Result<PathBuf, Box<dyn Error>> {
    let directory = shared_directory(out);
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .args(["build", "--locked", "--profile", goal.profile()])
        .args(goal.features())
        .args(["--package", "ruff-runtime-archive", "--target", target])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&directory)
        .current_dir(root);
    // What the outer build is told about itself would otherwise apply here too:
    // sanitizers and coverage in the runtime, clippy instead of rustc.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_about_the_outer_build) {
            cargo.env_remove(name);
        }
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(root)?);

    // Cargo shows a build script's output only if it fails, so that the nested
    // build's errors reach the user and its progress does not.
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("the runtime archive could not be built: {cargo:?}: {status}").into());
    }
    let name = if target.ends_with("-msvc") {
        "ruffrt.lib"
    } else {
        "libruffrt.a"
    };
    Ok(directory.join(target).join(goal.profile()).join(name))
}

/// Where the nested build keeps its files: once per target directory, so that
/// debug, release and clippy builds don't each build the runtime anew.
fn shared_directory(out: &Path) -> PathBuf {
    out.ancestors()
        .find(|ancestor| ancestor.join("CACHEDIR.TAG").is_file())
        .unwrap_or(out)
        .join("ruff-runtime")
}

fn is_about_the_outer_build(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
    ];
    const PREFIXES: &[&str] = &[
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_PROFILE_",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Flags that keep the directories of this machine out of panic messages, and
/// so out of every compiled program.
fn remapped_paths(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut flags = vec![format!("--remap-path-prefix={}=ruff", root.display())];
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => env::home_dir().map(|home| home.join(".cargo")),
    };
    if let Some(directory) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=cargo", directory.display()));
    }
    // The separator that cargo splits this variable at.
    Ok(flags.join("\x1f"))
}

fn variable(name: &str) -> Result<String, Box<dyn Error>> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}
