//! C programs call Ruff: the examples in `examples/c`, built and run as their
//! users would, and what libraries show to whom they are linked with.
//!
//! What a machine lacks (valgrind, CMake) is not looked for on it; CI has all.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use object::{Object as _, ObjectSymbol as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/c");
const STRICT: &[&str] = &["-Wall", "-Wextra", "-Werror", "-Wpedantic", "-O2"];

/// The libraries of the examples, made once for all tests.
static LIBRARIES: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = TempDir::new().expect("a folder");
    for name in ["rules", "prices"] {
        let mut ruffc = Command::new(env!("CARGO_BIN_EXE_ruffc"));
        ruffc.args(["build", "--emit", "staticlib,cdylib,header,pkgconfig,obj"]);
        ruffc
            .arg("-o")
            .arg(directory.path().join(name))
            .arg(format!("{name}.ruff"));
        run(ruffc.current_dir(EXAMPLES));
    }
    directory
});

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn printed(program: &Path) -> String {
    text(run(&mut Command::new(program)))
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).expect("text")
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Compiles an example with a C or C++ compiler and links it with libraries.
fn compiled(
    compiler: &str,
    standard: &str,
    source: &str,
    libraries: &[&str],
) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a folder");
    let program = directory.path().join("program");
    let folder = LIBRARIES.path();
    let mut command = Command::new(compiler);
    command.args(STRICT).arg(standard).arg("-I").arg(folder);
    command
        .arg(format!("{EXAMPLES}/{source}"))
        .arg("-o")
        .arg(&program);
    command.args(libraries.iter().map(|library| folder.join(library)));
    command.args(["-lpthread", "-lm", "-Wl,--gc-sections"]);
    command.arg(format!("-Wl,-rpath,{}", folder.display()));
    run(&mut command);
    (directory, program)
}

fn expected(name: &str) -> String {
    fs::read_to_string(format!("{EXAMPLES}/{name}.out")).expect("the expected output")
}

/// Runs a program under valgrind: no error, no leak, the same output.
fn assert_clean(program: &Path, output: &str) {
    if !exists("valgrind") {
        return;
    }
    let mut valgrind = Command::new("valgrind");
    valgrind.args([
        "-q",
        "--leak-check=full",
        "--show-leak-kinds=definite,possible",
    ]);
    valgrind.args(["--errors-for-leak-kinds=definite", "--error-exitcode=9"]);
    assert_eq!(text(run(valgrind.arg(program))), output);
}

#[test]
fn a_c_program_asks_rules() {
    for library in ["librules.a", "librules.so"] {
        let (_directory, program) = compiled("gcc", "-std=c11", "rules.c", &[library]);
        let output = printed(&program);
        assert_eq!(output, expected("rules.c"), "{library}");
        assert_clean(&program, &output);
    }
}

#[test]
fn a_cpp_program_asks_rules() {
    let (_directory, program) = compiled("g++", "-std=c++17", "rules.cpp", &["librules.a"]);
    assert_eq!(printed(&program), expected("rules.cpp"));
}

#[test]
fn threads_have_contexts() {
    for library in ["librules.a", "librules.so"] {
        let (_directory, program) = compiled("gcc", "-std=c11", "threads.c", &[library]);
        let output = printed(&program);
        assert_eq!(output, expected("threads.c"), "{library}");
        assert_clean(&program, &output);
    }
}

#[test]
fn two_libraries_are_in_one_program() {
    for libraries in [
        ["librules.a", "libprices.a"],
        ["libprices.a", "librules.a"],
        ["librules.so", "libprices.so"],
        ["libprices.so", "librules.a"],
    ] {
        let (_directory, program) = compiled("gcc", "-std=c11", "two.c", &libraries);
        assert_eq!(printed(&program), expected("two.c"), "{libraries:?}");
    }
}

#[test]
fn a_python_program_asks_rules() {
    let library = LIBRARIES.path().join("librules.so");
    let script = format!("{EXAMPLES}/rules.py");
    let output = run(Command::new("python3").arg(script).arg(library));
    assert_eq!(text(output), expected("rules.py"));
}

#[test]
fn make_and_cmake_build_the_examples() {
    let directory = TempDir::new().expect("a folder");
    let ruffc = format!("RUFFC={}", env!("CARGO_BIN_EXE_ruffc"));
    let out = directory.path().join("make");
    let mut make = Command::new("make");
    make.args(["-C", EXAMPLES, &ruffc])
        .arg(format!("OUT={}", out.display()));
    run(&mut make);
    assert_eq!(printed(&out.join("rules")), expected("rules.c"));
    assert_eq!(printed(&out.join("two")), expected("two.c"));
    if !exists("cmake") {
        return;
    }
    let out = directory.path().join("cmake");
    let mut cmake = Command::new("cmake");
    run(cmake
        .args(["-S", EXAMPLES, &format!("-D{ruffc}"), "-B"])
        .arg(&out));
    run(Command::new("cmake").arg("--build").arg(&out));
    assert_eq!(printed(&out.join("rules")), expected("rules.cpp"));
}

#[test]
fn pkg_config_knows_the_library() {
    if !exists("pkg-config") {
        return;
    }
    let mut command = Command::new("pkg-config");
    command.args(["--cflags", "--libs", "--static", "rules"]);
    let flags = text(run(command.env("PKG_CONFIG_PATH", LIBRARIES.path())));
    let folder = LIBRARIES.path().display();
    for flag in [
        format!("-I{folder}"),
        format!("-L{folder}"),
        "-lrules".to_owned(),
    ] {
        assert!(
            flags.split_whitespace().any(|found| found == flag),
            "{flags}"
        );
    }
}

/// The names that an object file defines for others.
fn shown(file: &object::File) -> Vec<String> {
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let shown = symbols.filter(|symbol| symbol.is_definition() && symbol.is_global());
    shown
        .map(|symbol| symbol.name().expect("a name").to_owned())
        .collect()
}

#[test]
fn only_names_of_ruff_are_shown() {
    let bytes = fs::read(LIBRARIES.path().join("librules.so")).expect("the library");
    let library = object::File::parse(&*bytes).expect("a library");
    let names = shown(&library);
    assert!(names.iter().any(|name| name == "ruff_rules_add"));
    assert!(names.iter().any(|name| name == "ruff_context_new"));
    for name in &names {
        let is_public = name.starts_with("ruff_") && !name.starts_with("ruff_rt_");
        assert!(is_public, "{name} is shown");
    }

    let bytes = fs::read(LIBRARIES.path().join("librules.a")).expect("the archive");
    let archive = object::read::archive::ArchiveFile::parse(&*bytes).expect("an archive");
    for member in archive.members() {
        let data = member
            .and_then(|member| member.data(&*bytes))
            .expect("a member");
        for name in shown(&object::File::parse(data).expect("an object")) {
            assert!(name.starts_with("ruff_"), "{name} is shown");
        }
    }
}

/// Calls `add` as often as it is told.
const CALLS: &str = r#"
#include "rules.h"
#include <stdlib.h>

int main(int count_of_arguments, char **arguments) {
    int64_t count = count_of_arguments > 1 ? atoll(arguments[1]) : 0;
    int64_t sum = 0;
    ruff_context *context = NULL;
    if (ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, NULL, &context) != RUFF_OK)
        return 1;
    for (int64_t number = 0; number < count; number++)
        ruff_rules_add(context, number, 1, &sum);
    ruff_context_free(context);
    return sum == count ? 0 : 1;
}
"#;

/// Instructions that a call of `add` may take, with the loop around it: a few
/// nanoseconds.
const MOST_INSTRUCTIONS: u64 = 60;

#[test]
fn a_call_is_fast() {
    if !exists("valgrind") {
        return;
    }
    let folder = LIBRARIES.path();
    fs::write(folder.join("calls.c"), CALLS).expect("the source");
    let program = folder.join("calls");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-std=gnu11", "-I"])
        .arg(folder)
        .arg(folder.join("calls.c"));
    gcc.arg(folder.join("librules.a"))
        .args(["-lm", "-o"])
        .arg(&program);
    run(&mut gcc);
    let (few, many) = (100_000, 200_000);
    let more = instructions(&program, many) - instructions(&program, few);
    assert!(more <= MOST_INSTRUCTIONS * (many - few), "{more}");
}

/// The instructions that a program executes when it is given a number.
fn instructions(program: &Path, number: u64) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = run(valgrind.arg(program).arg(number.to_string()));
    let report = String::from_utf8_lossy(&output.stderr);
    let (_, count) = report.split_once("Collected : ").expect("a count");
    let digits = count.split_whitespace().next();
    digits.and_then(|it| it.parse().ok()).expect("a number")
}

/// Builds a library of this source; gives what `ruffc` says and the folder.
fn build(source: &str, emit: &str) -> (TempDir, Output) {
    let directory = TempDir::new().expect("a folder");
    let script = directory.path().join("lib.ruff");
    fs::write(&script, source).expect("the source");
    let output = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["build", "--emit", emit, "lib.ruff"])
        .current_dir(&directory)
        .output()
        .expect("it starts");
    (directory, output)
}

#[test]
fn names_that_c_can_not_tell_apart_are_refused() {
    let source = "export func café() {}\nexport func cafue9() {}\n";
    let (_directory, output) = build(source, "header");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4));
    assert!(
        message.contains("`café` and `cafue9` would both be `ruff_lib_cafue9`"),
        "{message}"
    );
}

/// Compiles and runs a C program that is linked with a library of this source.
fn with_library(source: &str, program: &str) -> Output {
    let (directory, output) = build(source, "staticlib,header");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = directory.path();
    fs::write(path.join("main.c"), program).expect("the source");
    let mut gcc = Command::new("gcc");
    gcc.args(STRICT)
        .args(["-std=c11", "main.c", "liblib.a", "-lm", "-o", "main"]);
    run(gcc.current_dir(path));
    Command::new(path.join("main")).output().expect("it starts")
}

#[test]
fn a_top_level_that_fails_leaves_its_error() {
    let program = r#"
        #include "lib.h"
        #include <stdio.h>
        int main(void) {
            ruff_context *context = NULL;
            int64_t number = 0;
            int status = ruff_context_new(ruff_library_lib(), RUFF_ABI_VERSION, NULL, &context);
            printf("%d %s (%u)\n", status, ruff_error_message(context), ruff_error_line(context));
            status = ruff_lib_one(context, &number);
            printf("%d %s\n", status, ruff_error_message(context));
            ruff_context_free(context);
            status = ruff_context_new(ruff_library_lib(), RUFF_ABI_VERSION + 1, NULL, &context);
            printf("%d\n", status);
            ruff_context_free(context);
            printf("%d\n", (int)ruff_lib_one(NULL, &number));
            return 0;
        }
    "#;
    let source = "export func one() -> int { return 1 }\n\nthrow \"not today\"\n";
    let output = with_library(source, program);
    assert_eq!(
        text(output),
        "1 not today (3)\n4 the context's program did not start\n5\n4\n"
    );
}

#[test]
fn what_a_library_exports_works_however_early_it_ends() {
    let program = r#"
        #include "lib.h"
        #include <stdio.h>
        int main(void) {
            ruff_context *context = NULL;
            ruff_value *value = NULL;
            int status = ruff_context_new(ruff_library_lib(), RUFF_ABI_VERSION, NULL, &context);
            printf("%d\n", status);
            status = ruff_lib_late(context, &value);
            printf("%d %s\n", status, ruff_error_message(context));
            ruff_context_free(context);
            return 0;
        }
    "#;
    let source =
        "if true { return }\nlate_value := [1]\nexport func late() { return late_value }\n";
    let output = with_library(source, program);
    assert_eq!(text(output), "0\n1 Undefined variable: late_value\n");
}
