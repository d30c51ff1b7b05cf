//! Executables for release: the same bytes wherever they are built, files of
//! the right kind for every target that is ready, and messages that say what to
//! do where one is not.  `programs` runs them.

use object::{Architecture, BinaryFormat, Object as _, ObjectSymbol as _};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const RUFFC: &str = env!("CARGO_BIN_EXE_ruffc");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

const TARGETS: &[(&str, BinaryFormat, Architecture)] = &[
    (
        "x86_64-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::X86_64,
    ),
    (
        "aarch64-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::Aarch64,
    ),
    (
        "riscv64gc-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::Riscv64,
    ),
    (
        "s390x-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::S390x,
    ),
    (
        "x86_64-unknown-linux-musl",
        BinaryFormat::Elf,
        Architecture::X86_64,
    ),
    (
        "aarch64-unknown-linux-musl",
        BinaryFormat::Elf,
        Architecture::Aarch64,
    ),
    (
        "x86_64-pc-windows-gnu",
        BinaryFormat::Pe,
        Architecture::X86_64,
    ),
    (
        "x86_64-apple-darwin",
        BinaryFormat::MachO,
        Architecture::X86_64,
    ),
    (
        "aarch64-apple-darwin",
        BinaryFormat::MachO,
        Architecture::Aarch64,
    ),
];

fn ruffc(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(RUFFC)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("ruffc starts")
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn fails_with(output: &Output, status: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{error}");
    error
}

/// The examples' sources in a folder of their own.
fn examples() -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut names = Vec::new();
    for entry in fs::read_dir(EXAMPLES).expect("the examples") {
        let path = entry.expect("an example").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ruff")
        {
            let name = path.file_name().expect("a name").to_string_lossy();
            fs::copy(&path, folder.path().join(&*name)).expect("a copy");
            names.push(name.into_owned());
        }
    }
    names.sort();
    (folder, names)
}

#[test]
fn builds_in_different_folders_are_the_same_bytes() {
    let ((one, names), (other, _)) = (examples(), examples());
    assert!(names.len() > 10);
    for name in &names {
        let build = |folder: &TempDir, input: &str| {
            succeeds(&ruffc(folder.path(), &["build", "-o", "out", input]));
            fs::read(folder.path().join("out")).expect("the executable")
        };
        let reference = build(&one, name);
        assert!(build(&other, name) == reference, "{name}");
        // Named from the root, the folder is in the command line as well.
        let input = other.path().join(name);
        let input = input.to_str().expect("a name that is text");
        assert!(build(&other, input) == reference, "{input}");
        let size = reference.len();
        println!("{name}: {size} bytes, the same from two folders");
    }
}

#[test]
fn executables_go_to_standard_output_as_well() {
    let (folder, _) = examples();
    succeeds(&ruffc(folder.path(), &["build", "-o", "out", "hello.ruff"]));
    let output = ruffc(
        folder.path(),
        &["build", "--strip", "-o", "-", "hello.ruff"],
    );
    let written = fs::read(folder.path().join("out")).expect("the executable");
    assert!(output.stdout == written);
}

#[test]
fn every_target_is_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = succeeds(&ruffc(folder.path(), &["target", "list"]));
    assert_eq!(list.lines().count(), 1 + TARGETS.len(), "{list}");
    for (target, ..) in TARGETS {
        assert!(list.lines().any(|row| row.starts_with(target)), "{list}");
    }
}

/// A `ruffc` that finds nothing: no runtime, no Rust compiler, no emulator.
fn alone(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(RUFFC)
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder)
        .env("PATH", folder)
        .env_remove("RUSTC")
        .env_remove("CARGO")
        .env_remove("RUFF_RUNTIME_DIR")
        .output()
        .expect("ruffc starts")
}

#[test]
fn executables_are_made_where_there_is_nothing_else() {
    let (folder, _) = examples();
    let folder = folder.path();
    for flags in [&[][..], &["--size"]] {
        let build = [&["build", "-o", "out"], flags, &["hello.ruff"]].concat();
        succeeds(&alone(folder, &build));
        let mut program = Command::new(folder.join("out"));
        let output = program.env_clear().output().expect("the program starts");
        assert_eq!(succeeds(&output), "Hello, world!\n");
    }
}

#[test]
fn what_is_missing_is_named_with_the_way_to_get_it() {
    let (folder, _) = examples();
    let folder = folder.path();
    let target = "aarch64-unknown-linux-gnu";
    let error = fails_with(
        &alone(folder, &["build", "--target", target, "hello.ruff"]),
        5,
    );
    assert!(
        error.contains("`ruffc target add aarch64-unknown-linux-gnu`"),
        "{error}"
    );
    let error = fails_with(&alone(folder, &["target", "add", target]), 5);
    assert!(
        error.contains("rustup target add aarch64-unknown-linux-gnu"),
        "{error}"
    );
    let error = fails_with(&alone(folder, &["target", "add", "wasm32-wasip1"]), 5);
    assert!(error.contains("`ruffc target list`"), "{error}");
    let error = fails_with(
        &alone(
            folder,
            &["run", "--target", "s390x-linux-gnu", "hello.ruff"],
        ),
        5,
    );
    assert!(error.contains("`qemu-s390x`"), "{error}");
    fails_with(
        &alone(folder, &["build", "--target", "nowhere", "hello.ruff"]),
        2,
    );
}

#[test]
fn a_runtime_of_the_users_own_is_used() {
    let (folder, _) = examples();
    let named = folder.path().join("runtimes/aarch64-unknown-linux-gnu");
    fs::create_dir_all(&named).expect("a folder");
    fs::write(named.join("libruffrt.a"), "no archive").expect("a file");
    let output = Command::new(RUFFC)
        .args([
            "build",
            "--target",
            "aarch64-linux-gnu",
            "--linker",
            "wild",
            "hello.ruff",
        ])
        .current_dir(folder.path())
        .env("RUFF_RUNTIME_DIR", folder.path().join("runtimes"))
        .output()
        .expect("ruffc starts");
    // It was found, and is what it is.
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && !error.contains("no Ruff runtime"),
        "{error}"
    );
}

/// Stubs that save all registers would save those that RISC-V's processors may lack.
#[test]
fn no_stub_saves_registers_that_a_processor_lacks() {
    let (folder, _) = examples();
    let stubs = |target: &str| {
        let build = ["build", "--emit", "obj", "--target", target, "-o", "out.o"];
        succeeds(&ruffc(
            folder.path(),
            &[&build[..], &["bank.ruff"]].concat(),
        ));
        let bytes = fs::read(folder.path().join("out.o")).expect("the object");
        let file = object::File::parse(&*bytes).expect("an object");
        let names = file.symbols().filter_map(|symbol| symbol.name().ok());
        names.filter(|name| name.ends_with("$cold")).count()
    };
    assert!(stubs("x86_64-unknown-linux-gnu") > 0);
    assert_eq!(stubs("riscv64gc-unknown-linux-gnu"), 0);
}

#[test]
fn executables_for_every_ready_target_are_well_formed() {
    let (folder, _) = examples();
    let list = succeeds(&ruffc(folder.path(), &["target", "list"]));
    for (target, format, architecture) in TARGETS {
        let row = list
            .lines()
            .find(|row| row.starts_with(target))
            .unwrap_or_default();
        if row.contains("`ruffc target add`") || row.contains("none found") {
            continue;
        }
        for example in ["hello.ruff", "errors.ruff"] {
            let build = ["build", "--target", target, "-o", "out", example];
            succeeds(&ruffc(folder.path(), &build));
            let bytes = fs::read(folder.path().join("out")).expect("the executable");
            let file = object::File::parse(&*bytes).expect("a file of some kind");
            assert_eq!(
                (file.format(), file.architecture()),
                (*format, *architecture)
            );
            assert!(file.entry() != 0, "{target}");
            // Linkers for other formats leave little out.
            if *format == BinaryFormat::Elf {
                assert!(bytes.len() < 1_200_000, "{target}: {} bytes", bytes.len());
            }
            let imports = file.imports().expect("a table of imports");
            let foreign = imports
                .iter()
                .find(|import| import.name().starts_with(b"ruff_"));
            assert!(foreign.is_none(), "{target}");
            // Twice the same.
            succeeds(&ruffc(folder.path(), &build));
            let again = fs::read(folder.path().join("out")).expect("the executable");
            assert!(again == bytes, "{target}");
        }
    }
}
