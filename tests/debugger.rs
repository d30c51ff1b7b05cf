//! Debuggers find their way in executables: gdb, when there is one, and whoever
//! reads DWARF.
//!
//! A machine without gdb may do without its part; where `RUFF_REQUIRE_GDB` is
//! set, that is a failure.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use gimli::{EndianSlice, RunTimeEndian};
use object::{Object as _, ObjectSection as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PROGRAM: &str = r#"struct Point { x: int, y: float, name }

mut counter := 0

func bump(by) {
    counter += by
    return counter
}

func add(a, b) {
    let sum := a + b
    return sum
}

func fib(n) {
    if n < 2 {
        return n
    }
    let left := fib(n - 1)
    let right := fib(n - 2)
    return add(left, right)
}

func show(flag, half, text, numbers, mixed, table, point, result, nothing) {
    mut inside := 1
    let grow := func(k) {
        inside += k
        return inside
    }
    grow(4)
    bump(2)
    print(flag, half, text, numbers, mixed, table, point, result, nothing)
    return grow(1)
}

let place := Point { x: 1, y: 2.5, name: "p" }
print(fib(4))
print(show(true, 0.5, "grün", [1, 2], [1, "two", [3.5]], {"a": 1, "b": []}, place, Ok("fine"), null))
for i in [1, 2] {
    let twice := i * 2
    print(twice)
}
"#;

/// Structs that variables hold as their fields, and a generator that would be
/// part of its loop.
const TAKEN_APART: &str = r#"struct Vec {
    x: float,
    hits: int,
    is_far: bool,
    note,
    func grow(self, by) {
        self.x += by
        self.hits += 1
        return self.hits
    }
}

func numbers(upto) {
    mut n := 0
    while n < upto {
        let square := n * n
        yield square
        n += 1
    }
}

func joined(v, other) {
    let both := Vec { x: v.x + other.x, hits: v.hits, is_far: true, note: null }
    print(both.x)
    return both.x
}

func work() {
    mut p := Vec { x: 0.5, hits: 0, is_far: false, note: null }
    for k in [1, 2, 3] {
        p.x = p.x + 1.0
        p.hits += k
        p.grow(0.25)
    }
    mut total := 0
    for n in numbers(4) {
        total += n
    }
    return joined(p, Vec { x: 8.0, hits: 7, is_far: true, note: 3 }) + total
}
print(work())
"#;

/// A program made with `-g` in a folder of its own.
fn build(directory: &TempDir, level: &str) -> PathBuf {
    build_of(PROGRAM, directory, level)
}

fn build_of(program: &str, directory: &TempDir, level: &str) -> PathBuf {
    let source = directory.path().join("app.ruff");
    std::fs::write(&source, program).expect("the folder is ours");
    let status = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["build", "-g", level, "app.ruff", "-o", "app"])
        .current_dir(directory.path())
        .status();
    assert!(status.expect("ruffc starts").success());
    directory.path().join("app")
}

fn has_gdb() -> bool {
    let found = Command::new("gdb").arg("--version").output().is_ok();
    let is_required = std::env::var_os("RUFF_REQUIRE_GDB").is_some();
    assert!(found || !is_required, "there is no gdb, but there must be");
    found
}

/// What gdb says to commands, with its printers for Ruff.
fn gdb(directory: &TempDir, program: &[&str], commands: &[&str]) -> String {
    let script = directory.path().join("commands.gdb");
    let printers = directory.path().join("printers.py");
    let output = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["gdb-printers", "-o"])
        .arg(&printers)
        .status();
    assert!(output.expect("ruffc starts").success());
    let first = [
        "set pagination off",
        "set width 0",
        "set confirm off",
        "set debuginfod enabled off",
        "source printers.py",
    ];
    let lines: Vec<&str> = first.iter().chain(commands).copied().collect();
    std::fs::write(&script, lines.join("\n")).expect("the folder is ours");
    let output = Command::new("gdb")
        .args(["-nx", "-batch", "-x", "commands.gdb", "--args"])
        .args(program)
        .current_dir(directory.path())
        .output()
        .expect("gdb starts");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// Checks that the texts come in this order, each in a line of its own.
#[track_caller]
fn assert_lines(text: &str, expected: &[&str]) {
    let mut lines = text.lines();
    for wanted in expected {
        assert!(
            lines.any(|line| line.contains(wanted)),
            "`{wanted}` is missing, or comes too early:\n{text}"
        );
    }
}

fn stops_at_lines_and_shows_variables(level: &str) {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    build(&directory, level);
    let commands = [
        "break app.ruff:16 if n == 1",
        "run",
        "print n",
        "backtrace",
        "delete",
        "break app.ruff:11",
        "continue",
        "info args",
        "up",
        "print left",
        "print right",
        "delete",
        "break app.ruff:31",
        "continue",
        "next",
        "info args",
        "print inside",
        "backtrace",
        "delete",
        "break app.ruff:6",
        "run",
        "print counter",
        "info args",
        "delete",
        "break app.ruff:41",
        "continue",
        "print i",
        "print twice",
        "delete",
        "break app.ruff:27",
        "run",
        "print inside",
        "print k",
        "up",
        "print inside",
    ];
    let text = gdb(&directory, &["./app"], &commands);
    assert_lines(
        &text,
        &[
            "16\t    if n < 2 {",
            "$1 = 1",
            "#0  fib (n=1) at app.ruff:16",
            "fib (n=2) at app.ruff:19",
            "fib (n=3) at app.ruff:19",
            "fib (n=4) at app.ruff:19",
            "<main> () at app.ruff:37",
            "11\t    let sum := a + b",
            "a = 1",
            "b = 0",
            "fib (n=2) at app.ruff:21",
            "$2 = 1",
            "$3 = 0",
            "31\t    bump(2)",
            "32\t    print(flag",
            "flag = true",
            "half = 0.5",
            "text = \"grün\"",
            "numbers = array of 2 = {1, 2}",
            "mixed = array of 3 = {1, \"two\", array of 1 = {3.5}}",
            "table = dict of 2 = {[\"a\"] = 1, [\"b\"] = array of 0}",
            "point = Point = {x = 1, y = 2.5, name = \"p\"}",
            "result = Ok = {0 = \"fine\"}",
            "nothing = null",
            "$4 = 5",
            "show (flag=true, half=0.5, text=\"grün\"",
            "<main> () at app.ruff:38",
            "6\t    counter += by",
            "$5 = 0",
            "by = 2",
            "41\t    print(twice)",
            "$6 = 1",
            "$7 = 2",
            "27\t        inside += k",
            "$8 = 1",
            "$9 = 4",
            "show (flag=true",
            "$10 = 1",
        ],
    );
}

#[test]
fn gdb_stops_at_lines_and_shows_variables_of_a_debug_build() {
    stops_at_lines_and_shows_variables("-O0");
}

#[test]
fn gdb_stops_at_lines_and_shows_variables_of_an_optimised_build() {
    stops_at_lines_and_shows_variables("-O");
}

fn shows_structs_and_generators(level: &str) {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    build_of(TAKEN_APART, &directory, level);
    let commands = [
        "break app.ruff:32",
        "run",
        "print p",
        "next",
        "print p",
        "next",
        "print p.hits",
        "delete",
        "break app.ruff:16 if n == 2",
        "continue",
        "info args",
        "print square",
        "next",
        "print square",
        "backtrace",
        "delete",
        "break app.ruff:23",
        "continue",
        "info args",
        "next",
        "print both",
        "up",
        "print total",
    ];
    let text = gdb(&directory, &["./app"], &commands);
    assert_lines(
        &text,
        &[
            "32\t        p.hits += k",
            "$1 = Vec = {x = 1.5, hits = 0, is_far = false, note = null}",
            "$2 = Vec = {x = 1.5, hits = 1, is_far = false, note = null}",
            "$3 = 2",
            "16\t        let square := n * n",
            "upto = 4",
            "$4 = 1",
            "$5 = 4",
            "#0  numbers (upto=4) at app.ruff:17",
            "work () at app.ruff:36",
            "<main> () at app.ruff:41",
            "23\t    let both",
            "v = Vec = {x = 4.25, hits = 9, is_far = false, note = null}",
            "other = Vec = {x = 8, hits = 7, is_far = true, note = 3}",
            "$6 = Vec = {x = 12.25, hits = 9, is_far = true, note = null}",
            "work () at app.ruff:39",
            "$7 = 14",
        ],
    );
}

#[test]
fn gdb_shows_structs_and_generators_of_a_debug_build() {
    shows_structs_and_generators("-O0");
}

#[test]
fn gdb_shows_structs_and_generators_of_an_optimised_build() {
    shows_structs_and_generators("-O");
}

#[test]
fn gdb_stops_in_code_that_was_compiled_while_it_runs() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    let source = directory.path().join("app.ruff");
    std::fs::write(source, PROGRAM).expect("the folder is ours");
    let commands = [
        "set breakpoint pending on",
        "break app.ruff:16 if n == 1",
        "run",
        "backtrace",
        "delete",
        "break app.ruff:31",
        "continue",
        "next",
        "info args",
    ];
    let ruffc = env!("CARGO_BIN_EXE_ruffc");
    let run = [ruffc, "run", "-g", "--jit-threshold", "1", "app.ruff"];
    let text = gdb(&directory, &run, &commands);
    assert_lines(
        &text,
        &[
            "#0  fib (n=1) at app.ruff:16",
            "fib (n=4) at app.ruff:19",
            "<main> () at app.ruff:37",
            "31\t    bump(2)",
            "32\t    print(flag",
            "text = \"grün\"",
            "point = Point = {x = 1, y = 2.5, name = \"p\"}",
        ],
    );
}

/// A module that has an object of its own.
const SHAPES: &str = r#"mut made := 0
export struct Box { width, height }
export func make(size) {
    made += 1
    let box := Box { width: size, height: size + 1 }
    return box
}
"#;

#[test]
fn gdb_stops_in_code_of_a_module_with_an_object() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    let script = "mut first := 7\nfunc show() { return first }\nimport shapes\n\
                  print(show(), shapes.make(3), shapes.make(4))\n";
    for (name, text) in [("shapes.ruff", SHAPES), ("app.ruff", script)] {
        std::fs::write(directory.path().join(name), text).expect("the folder is ours");
    }
    for line in [
        "build -g -O0 --emit module,obj shapes.ruff",
        "build -g -O0 --with shapes.ruffmod --with shapes.o -o app app.ruff",
    ] {
        let status = Command::new(env!("CARGO_BIN_EXE_ruffc"))
            .args(line.split(' '))
            .current_dir(directory.path())
            .status();
        assert!(status.expect("ruffc starts").success());
    }
    let commands = [
        "break shapes.ruff:5",
        "run",
        "continue",
        "backtrace",
        "info args",
        "next",
        "info locals",
    ];
    let text = gdb(&directory, &["./app"], &commands);
    assert_lines(
        &text,
        &[
            "#0  make (size=4) at shapes.ruff:5",
            "<main> () at app.ruff:4",
            "size = 4",
            "6\t    return box",
            "box = Box = {width = 4, height = 5}",
            "shapes.made = 2",
        ],
    );
}

#[test]
fn perf_finds_the_names_of_code_that_was_compiled_while_it_runs() {
    let directory = tempfile::tempdir().expect("a folder");
    let source = directory.path().join("app.ruff");
    std::fs::write(source, PROGRAM).expect("the folder is ours");
    let child = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["run", "--perf-map", "--jit-threshold", "1", "app.ruff"])
        .current_dir(directory.path())
        .env("TMPDIR", directory.path())
        .stdout(std::process::Stdio::null())
        .spawn();
    let mut child = child.expect("ruffc starts");
    assert!(child.wait().expect("it ends").success());
    let map = directory.path().join(format!("perf-{}.map", child.id()));
    let map = std::fs::read_to_string(map).expect("a map");
    let mut names = BTreeSet::new();
    for line in map.lines() {
        let mut words = line.splitn(3, ' ');
        let mut number = || u64::from_str_radix(words.next().unwrap_or(""), 16);
        let (address, size) = (number(), number());
        assert!(
            address.is_ok_and(|at| at > 0) && size.is_ok_and(|size| size > 0),
            "{line}"
        );
        names.insert(words.next().expect("a name"));
    }
    assert!(
        names.contains("ruff.fib") && names.contains("ruff.<main>"),
        "{names:?}"
    );
}

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// Reads all of an executable's debug information; the lines of its tables and
/// the names of its functions and variables.
fn described(program: &Path) -> (BTreeSet<u64>, BTreeSet<String>) {
    let bytes = std::fs::read(program).expect("the executable");
    let file = object::File::parse(&*bytes).expect("a well-formed executable");
    let section = |id: gimli::SectionId| -> Result<Slice, gimli::Error> {
        let data = file.section_by_name(id.name());
        let data = data.map_or(&[][..], |section| section.data().expect("its bytes"));
        Ok(EndianSlice::new(data, RunTimeEndian::Little))
    };
    let dwarf = gimli::Dwarf::load(section).expect("sections");
    let (mut lines, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut headers = dwarf.units();
    while let Some(header) = headers.next().expect("a unit") {
        let unit = dwarf.unit(header).expect("a unit");
        let program = unit.line_program.clone().expect("lines");
        let mut rows = program.rows();
        while let Some((_, row)) = rows.next_row().expect("a row") {
            lines.extend(row.line().map(u64::from));
        }
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs().expect("an entry") {
            let mut ranges = dwarf.die_ranges(&unit, entry).expect("ranges");
            while let Some(range) = ranges.next().expect("a range") {
                assert!(range.begin < range.end, "{range:?} of {:?}", entry.tag());
            }
            let tag = entry.tag();
            let is_named = [
                gimli::DW_TAG_subprogram,
                gimli::DW_TAG_variable,
                gimli::DW_TAG_formal_parameter,
            ];
            if is_named.contains(&tag)
                && let Some(name) = entry.attr_value(gimli::DW_AT_name)
            {
                let name = dwarf.attr_string(&unit, name).expect("a name");
                names.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    (lines, names)
}

#[test]
fn debug_information_is_well_formed_and_names_what_there_is() {
    for level in ["-O0", "-O"] {
        let directory = tempfile::tempdir().expect("a folder");
        let (lines, names) = described(&build(&directory, level));
        for line in [6, 7, 12, 16, 17, 19, 20, 21, 27, 32, 37] {
            assert!(
                lines.contains(&line),
                "{level}: no line {line} in {lines:?}"
            );
        }
        let expected = "bump by counter fib n left right show flag point inside grow";
        for name in expected.split(' ') {
            assert!(names.contains(name), "{level}: no {name} in {names:?}");
        }
    }
}

#[test]
fn what_is_not_for_debuggers_holds_nothing_for_them() {
    let directory = tempfile::tempdir().expect("a folder");
    std::fs::write(directory.path().join("app.ruff"), PROGRAM).expect("the folder is ours");
    let status = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["build", "app.ruff", "-o", "app"])
        .current_dir(directory.path())
        .status();
    assert!(status.expect("ruffc starts").success());
    let bytes = std::fs::read(directory.path().join("app")).expect("the executable");
    let file = object::File::parse(&*bytes).expect("a well-formed executable");
    let names = file.sections().filter_map(|section| section.name().ok());
    let debug: Vec<&str> = names.filter(|name| name.starts_with(".debug")).collect();
    assert_eq!(debug, [""; 0]);
}
