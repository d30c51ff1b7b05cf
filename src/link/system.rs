//! Linking by a program of this machine: a C compiler, which knows its system's
//! libraries and start-up code, or a linker.

use super::command::Command;
use super::content::Content;
use super::error::LinkError;
use super::{Libc, LinkOptions, Linked, Symbols, targets};
use ruff_runtime::foreign;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use target_lexicon::{OperatingSystem, Triple};
use tempfile::TempDir;

/// Links with the target's C compiler.
pub fn compiler(
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let program = find_compiler(&options.target)?;
    like_cc(program, object, runtime, options)
}

/// Links with `zig cc`.
pub fn zig(
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let mut program = process::Command::new("zig");
    program.args(["cc", "-target", &zig_target(&options.target)]);
    // Rust's own unwinder's names are in zig's libunwind.
    like_cc_with(program, object, runtime, options, &["-lunwind"])
}

/// Links with the program at `path`.
pub fn program(
    path: &Path,
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    // `ld`, `ld.lld`, `aarch64-linux-gnu-ld.bfd`, `mold`, `wild`.
    let last = name.rsplit('-').next().unwrap_or(name);
    let is_linker = ["ld", "mold", "wild", "gold"]
        .iter()
        .any(|known| last == *known || last.starts_with(&format!("{known}.")));
    if is_linker {
        like_ld(path, object, runtime, options)
    } else {
        like_cc(process::Command::new(path), object, runtime, options)
    }
}

/// The compiler that `CC` names, as for C; the machine's own for its own
/// programs; for other targets the cross compiler that the `cc` crate knows.
fn find_compiler(target: &Triple) -> Result<process::Command, LinkError> {
    if targets::is_host(target) && env::var_os("CC").is_none() {
        return Ok(process::Command::new("cc"));
    }
    let found = cc::Build::new()
        .cargo_metadata(false)
        .cargo_warnings(false)
        .cargo_output(false)
        .target(&target.to_string())
        .host(&target_lexicon::HOST.to_string())
        .opt_level(0)
        .try_get_compiler();
    match found {
        Ok(tool) => Ok(tool.to_command()),
        Err(error) => Err(LinkError::NoCompiler {
            target: target.to_string(),
            reason: error.to_string(),
        }),
    }
}

fn like_cc(
    program: process::Command,
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    like_cc_with(program, object, runtime, options, &[])
}

/// Runs `program` with the arguments of a C compiler.
fn like_cc_with(
    mut program: process::Command,
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
    extra: &[&str],
) -> Result<(Vec<u8>, Linked), LinkError> {
    let directory = temporary_directory()?;
    let output = directory.path().join("executable");
    program.arg("-o").arg(&output);
    let object = Content::Bytes(object.to_vec().into());
    program.arg(on_disk(&directory, "program.o", &object)?);
    program.arg(on_disk(&directory, "libruffrt.a", runtime)?);
    program.args(extra);
    for folder in &options.foreign.directories {
        program.arg("-L").arg(folder);
    }
    for name in &options.foreign.names {
        match foreign::is_file(name) {
            true => program.arg(name),
            false => program.arg(format!("-l{name}")),
        };
    }
    let target = &options.target;
    match (target.operating_system, options.libc) {
        (OperatingSystem::Windows, _) => {
            program.args(["-lws2_32", "-luserenv", "-lntdll", "-lbcrypt"]);
        }
        (OperatingSystem::Linux, Libc::Dynamic) => {
            program.args(["-pie", "-Wl,--as-needed", "-lm"]);
        }
        (OperatingSystem::Linux, Libc::Static) => {
            program.args(["-static-pie", "-lm"]);
        }
        _ => {}
    }
    if targets::is_elf(target) {
        program.args(["-Wl,-z,relro,-z,now,-z,noexecstack", "-Wl,--gc-sections"]);
    } else if target.binary_format == target_lexicon::BinaryFormat::Coff {
        program.arg("-Wl,--gc-sections");
    } else {
        program.arg("-Wl,-dead_strip");
    }
    if options.symbols == Symbols::Stripped {
        program.arg("-Wl,-s");
    }
    run(program, &output)
}

/// Runs the program at `path` with the arguments of GNU `ld`.
fn like_ld(
    path: &Path,
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let command = Command::new(object, runtime, options)?;
    let directory = temporary_directory()?;
    let output = directory.path().join("executable");
    let mut files = Vec::new();
    for input in &command.inputs {
        let file = on_disk(&directory, &input.name, &input.content)?;
        files.push((&*input.name, file));
    }
    let mut program = process::Command::new(path);
    program.arg("-o").arg(&output);
    for argument in &command.arguments {
        match files.iter().find(|(name, _)| name == argument) {
            Some((_, file)) => program.arg(file),
            None => program.arg(argument),
        };
    }
    run(program, &output)
}

/// Runs `program` and returns what it has written to `output`.
fn run(mut program: process::Command, output: &Path) -> Result<(Vec<u8>, Linked), LinkError> {
    let path = PathBuf::from(program.get_program());
    let result = program
        .stdin(process::Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LinkError::NoProgram(path.clone()),
            _ => LinkError::Start(path.clone(), error),
        })?;
    if !result.status.success() {
        // Some linkers complain on the one, some on the other.
        let mut text = result.stderr;
        text.extend(result.stdout);
        return Err(LinkError::Program {
            program: path,
            status: result.status,
            output: String::from_utf8_lossy(&text).into_owned(),
        });
    }
    let bytes = fs::read(output).map_err(|error| LinkError::Read(output.to_owned(), error))?;
    let linked = Linked {
        linker: path.display().to_string(),
        fallback: None,
    };
    Ok((bytes, linked))
}

fn temporary_directory() -> Result<TempDir, LinkError> {
    tempfile::Builder::new()
        .prefix("ruffc-")
        .tempdir()
        .map_err(|error| LinkError::Write(env::temp_dir(), error))
}

/// The file of `content`, written to `directory` if there is none.
fn on_disk(directory: &TempDir, name: &str, content: &Content) -> Result<PathBuf, LinkError> {
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::File(path) => return Ok(path.clone()),
    };
    let path = directory.path().join(name);
    match fs::write(&path, bytes) {
        Ok(()) => Ok(path),
        Err(error) => Err(LinkError::Write(path, error)),
    }
}

/// What zig calls `target`: no vendor, and `macos` for `darwin`.
fn zig_target(target: &Triple) -> String {
    let architecture = match target.architecture {
        target_lexicon::Architecture::Riscv64(_) => "riscv64".to_owned(),
        other => other.to_string(),
    };
    match target.operating_system {
        OperatingSystem::Darwin(_) | OperatingSystem::MacOSX(_) => format!("{architecture}-macos"),
        system => format!("{architecture}-{system}-{}", target.environment),
    }
}
