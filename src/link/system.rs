//! Linking by a program of this machine: a C compiler, which knows its system's
//! libraries and start-up code, or a linker.

use super::command::Command;
use super::content::Content;
use super::error::LinkError;
use super::{Libc, LinkOptions, Linked, Symbols, startup, targets};
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
    let mut program = find_compiler(&options.target)?;
    if targets::is_windows(&options.target) {
        // The time of the link would be in the executable.
        program.arg("-Wl,--no-insert-timestamp");
    }
    like_cc(program, object, runtime, options)
}

/// Links with `zig cc`.
pub fn zig(
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let mut program = find_zig()?;
    program.args(["-target", &zig_target(&options.target)]);
    let (bytes, linked) = like_cc(program, object, runtime, options)?;
    // Not Python's name.
    let linker = "zig".to_owned();
    Ok((bytes, Linked { linker, ..linked }))
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

/// The compiler that `CC_target`, `TARGET_CC` or `CC` names, as for C; the
/// machine's own for its own programs; for other targets a cross compiler.
pub fn find_compiler(target: &Triple) -> Result<process::Command, LinkError> {
    let name = target.to_string();
    let is_host = targets::is_host(target);
    let variables = [
        format!("CC_{name}"),
        format!("CC_{}", name.replace('-', "_")),
        if is_host { "HOST_CC" } else { "TARGET_CC" }.to_owned(),
    ];
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if variables.iter().any(|name| is_set(name)) || (is_host && is_set("CC")) {
        return named_compiler(&name);
    }
    if is_host {
        return Ok(process::Command::new("cc"));
    }
    let row = targets::row(target);
    let mut looked_for: Vec<&'static str> = row.map_or(&[][..], |row| row.compilers).to_vec();
    // Debian's wrapper around the machine's own compiler.
    if targets::is_musl(target) && target.architecture == target_lexicon::HOST.architecture {
        looked_for.push("musl-gcc");
    }
    match looked_for.iter().find_map(|name| on_path(name)) {
        Some(path) => Ok(process::Command::new(path)),
        None => Err(LinkError::NoCompiler {
            target: name,
            looked_for,
            packages: row.map_or("", |row| row.packages),
        }),
    }
}

/// The compiler in the variables that the `cc` crate knows, with its arguments.
fn named_compiler(target: &str) -> Result<process::Command, LinkError> {
    let found = cc::Build::new()
        .cargo_metadata(false)
        .cargo_warnings(false)
        .cargo_output(false)
        .target(target)
        .host(&target_lexicon::HOST.to_string())
        .opt_level(0)
        .try_get_compiler();
    match found {
        Ok(tool) => Ok(tool.to_command()),
        Err(_) => Err(LinkError::NoCompiler {
            target: target.to_owned(),
            looked_for: Vec::new(),
            packages: "",
        }),
    }
}

/// `zig cc`, by itself or as a package of Python's.
pub fn find_zig() -> Result<process::Command, LinkError> {
    if let Some(zig) = on_path("zig") {
        let mut command = process::Command::new(zig);
        command.arg("cc");
        return Ok(command);
    }
    let python = ["python3", "python"].iter().find_map(|name| on_path(name));
    let python = python.ok_or(LinkError::NoZig)?;
    let has_zig = process::Command::new(&python)
        .args(["-c", "import ziglang"])
        .stderr(process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_zig {
        return Err(LinkError::NoZig);
    }
    let mut command = process::Command::new(python);
    command.args(["-m", "ziglang", "cc"]);
    Ok(command)
}

/// The program of this name in the directories of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let directories = env::var_os("PATH")?;
    env::split_paths(&directories)
        .map(|directory| directory.join(&file))
        .find(|path| path.is_file())
}

/// Runs `program` with the arguments of a C compiler.
fn like_cc(
    mut program: process::Command,
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let directory = temporary_directory()?;
    let mut output = directory.path().join("executable");
    if targets::is_windows(&options.target) {
        // gcc would add it.
        output.set_extension("exe");
    }
    program.arg("-o").arg(&output);
    let object = Content::Bytes(object.to_vec().into());
    program.arg(on_disk(&directory, "program.o", &object)?);
    for (number, object) in options.objects.iter().enumerate() {
        let object = Content::Bytes(object.to_vec().into());
        program.arg(on_disk(&directory, &format!("module{number}.o"), &object)?);
    }
    let target = &options.target;
    let is_musl = targets::is_musl(target);
    let libc = if is_musl { Libc::Static } else { options.libc };
    // A static glibc brings libgcc's, from which parts can't be taken out.
    let is_unwinder_missing = targets::is_elf(target) && (is_musl || libc == Libc::Dynamic);
    if is_unwinder_missing && let Some(unwinder) = startup::unwinder(target.architecture) {
        let unwinder = Content::Bytes(unwinder.map_err(LinkError::Startup)?.into());
        program.arg(on_disk(&directory, "unwinder.o", &unwinder)?);
    }
    program.arg(on_disk(&directory, "libruffrt.a", runtime)?);
    for folder in &options.foreign.directories {
        program.arg("-L").arg(folder);
    }
    for name in &options.foreign.names {
        match foreign::is_file(name) {
            true => program.arg(name),
            false => program.arg(format!("-l{name}")),
        };
    }
    match (target.operating_system, libc) {
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

/// What zig calls `target`.
fn zig_target(target: &Triple) -> String {
    match targets::row(target) {
        Some(row) => row.zig.to_owned(),
        None => target.to_string(),
    }
}
