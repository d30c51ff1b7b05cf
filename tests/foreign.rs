//! Programs call C: declarations made of a header, a library linked in or
//! loaded, arguments that can't be right.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign");

/// Folders with the C library: `shared/libshapes.so` and `static/libshapes.a`.
static LIBRARIES: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = TempDir::new().expect("a folder");
    let path = |name: &str| directory.path().join(name);
    for folder in ["shared", "static"] {
        fs::create_dir(path(folder)).expect("a folder");
    }
    let source = format!("{SOURCES}/shapes.c");
    let flags = ["-Wall", "-Wextra", "-Werror", "-O1", "-fPIC"];
    let mut gcc = Command::new("gcc");
    gcc.args(flags)
        .args(["-shared", "-Wl,-soname,libshapes.so"])
        .arg(&source);
    run(gcc.arg("-o").arg(path("shared/libshapes.so")));
    run(Command::new("gcc")
        .args(flags)
        .args(["-c", &source, "-o"])
        .arg(path("shapes.o")));
    run(Command::new("ar")
        .arg("rcs")
        .arg(path("static/libshapes.a"))
        .arg(path("shapes.o")));
    directory
});

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn ruffc() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ruffc"))
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).expect("text")
}

fn expected() -> String {
    fs::read_to_string(format!("{SOURCES}/main.out")).expect("the expected output")
}

#[test]
fn a_header_becomes_declarations() {
    let header = format!("{SOURCES}/shapes.h");
    let written = text(run(ruffc().args(["bindgen", &header, "-l", "shapes"])));
    let expected = fs::read_to_string(format!("{SOURCES}/shapes.ruff")).expect("declarations");
    assert_eq!(written, expected);
}

#[test]
fn headers_of_the_system_are_understood() {
    for header in ["math.h", "stdlib.h", "string.h", "unistd.h"] {
        let path = format!("/usr/include/{header}");
        if !Path::new(&path).exists() {
            continue;
        }
        let written = text(run(ruffc().args(["bindgen", &path])));
        let declared = written
            .lines()
            .filter(|line| line.starts_with("export extern func"));
        // What <math.h> declares is in headers that it includes.
        assert!(
            declared.count() > 10 || header == "math.h",
            "{header}: {written}"
        );
    }
}

#[test]
fn executables_call_what_is_linked() {
    for (folder, linker) in [
        ("static", "wild"),
        ("shared", "wild"),
        ("static", "cc"),
        ("shared", "cc"),
    ] {
        let directory = TempDir::new().expect("a folder");
        let program = directory.path().join("program");
        let folder = LIBRARIES.path().join(folder);
        let mut build = ruffc();
        build
            .args(["build", "--no-fallback", "--linker", linker, "-L"])
            .arg(&folder);
        run(build
            .arg("-o")
            .arg(&program)
            .arg(format!("{SOURCES}/main.ruff")));
        let output = run(Command::new(&program).env("LD_LIBRARY_PATH", &folder));
        assert_eq!(text(output), expected(), "{folder:?}, {linker}");
    }
}

#[test]
fn the_engines_call_what_is_loaded() {
    for engine in [&["--engine", "interp"][..], &["--jit-threshold", "1"], &[]] {
        let mut command = ruffc();
        command.env("LD_LIBRARY_PATH", LIBRARIES.path().join("shared"));
        let output = run(command
            .arg("run")
            .args(engine)
            .arg(format!("{SOURCES}/main.ruff")));
        assert_eq!(text(output), expected(), "{engine:?}");
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    let source = "extern \"nowhere\" func nothing() -> int\ntry { nothing() } except e { print(e.message) }\n";
    let message = "the C function `nothing` was not found in `nowhere`\n";
    for engine in [&["--engine", "interp"][..], &["--jit-threshold", "1"]] {
        let output = with_source(source, |script| {
            let mut command = ruffc();
            command.arg("run").args(engine).arg(script);
            command
        });
        assert_eq!(text(output), message, "{engine:?}");
    }
    let output = with_source(source, |script| {
        let mut command = ruffc();
        command
            .args(["build", "--linker", "wild", "-o", "/dev/null"])
            .arg(script);
        command
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the library `nowhere`"), "{said}");
}

fn with_source(source: &str, command: impl Fn(&Path) -> Command) -> Output {
    let directory = TempDir::new().expect("a folder");
    let script = directory.path().join("script.ruff");
    fs::write(&script, source).expect("the source");
    command(&script).output().expect("it starts")
}

/// What `ruffc build` says of a program that it refuses.
fn refused(source: &str) -> String {
    let output = with_source(source, |script| {
        let mut command = ruffc();
        command.args(["build", "-o", "/dev/null"]).arg(script);
        command
    });
    assert_eq!(output.status.code(), Some(4), "{source}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_types_are_compile_errors() {
    for (source, message) in [
        (
            "extern func cos(x: float) -> float\nprint(cos(\"x\"))\n",
            "cos: argument 1 must be float",
        ),
        (
            "extern func abs(n: i32) -> i32\nfunc f(n) { return abs(n) }\nprint(f(1.5))\n",
            "abs: argument 1 must be i32",
        ),
        (
            "extern func puts(text: str) -> i32\n",
            "the parameter `text` of a C function needs a type of C",
        ),
        (
            "extern func puts(text) -> i32\n",
            "the parameter `text` of a C function needs a type of C",
        ),
        (
            "extern func time(now: pointer) -> Time\n",
            "the result of a C function needs a type of C",
        ),
        (
            "extern func f(a: int, b: int, c: int, d: int, e: int, f: int, g: int)\n",
            "at most 8 parameters that are floats and 6 others",
        ),
    ] {
        let said = refused(source);
        assert!(said.contains(message), "{source}{said}");
    }
}
