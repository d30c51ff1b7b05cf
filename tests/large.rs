//! Large programs: functions whose variables are in memory, and code that
//! grows no faster than its source.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const RUFFC: &str = env!("CARGO_BIN_EXE_ruffc");

/// A function with so many variables of every kind that they are in memory.
fn long_function(rounds: usize) -> String {
    let mut text = String::from(
        "struct Point { x: float  y: float  func shift(self, by) { self.x += by  return self.x } }\n\
         func* pairs(n) { for i in n { yield [i, \"p${i}\"] } }\n\
         func fails(n) { if n % 3 == 0 { throw(\"no ${n}\") }  return \"s${n}\" }\n\
         func work(first) {\n    mut total := 0\n    mut text := \"\"\n    mut kept := []\n",
    );
    for at in 0..rounds {
        write!(
            text,
            "    a{at} := [first, {at}, total % 7]
    mut p{at} := Point {{ x: 1.5, y: {at}.25 }}
    d{at} := {{\"k\": a{at}, \"n\": {at}}}
    for e in a{at} {{ total += e }}
    for i in {at} % 4 {{ total += i  if i == 2 {{ break }} }}
    for [i, s] in pairs(2) {{ total += i  text = s }}
    p{at}.shift({at}.5)
    add{at} := func(n) {{ total += n  return p{at}.x }}
    try {{ text = fails({at}) + text }} except e {{ kept = push(kept, e.message) }}
    if {at} % 2 == 0 {{ kept = push(kept, add{at}({at})) }}
    match d{at}[\"n\"] {{ case 5: {{ text = text + \"five\" }} default: {{ total -= 1 }} }}
"
        )
        .unwrap();
    }
    text.push_str("    a0[0] = 9\n    for n in pairs(3) { kept = push(kept, n) }\n");
    for at in 0..rounds {
        writeln!(
            text,
            "    total += len(a{at}) + d{at}.n\n    text = text + \"${{p{at}.y}}\""
        )
        .unwrap();
    }
    text.push_str("    if first > 1 { throw(\"${total} ${len(text)}\") }\n");
    text.push_str("    return [total, len(text), len(kept), kept, a0]\n}\n");
    text.push_str("print(work(1))\ntry { work(2) } except e { print(e.message, e.stack) }\n");
    text
}

fn ruffc(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(RUFFC);
    let output = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn variables_in_memory_are_as_good_as_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("long.ruff"), long_function(80)).unwrap();
    let run = |engine: &[&str]| {
        let arguments = [&["run", "--check-memory"], engine, &["long.ruff"]].concat();
        ruffc(folder, &arguments)
    };
    let expected = run(&["--engine", "interp"]);
    assert!(
        expected.starts_with("[") && expected.ends_with(" [work]\n"),
        "{expected}"
    );
    assert_eq!(run(&["--engine", "jit", "--jit-threshold", "1"]), expected);
    ruffc(
        folder,
        &[
            "build",
            "--no-fallback",
            "--check-memory",
            "long.ruff",
            "-o",
            "long",
        ],
    );
    let output = Command::new(folder.join("long")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// The size of a program's object file.
fn size(text: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.ruff"), text).unwrap();
    ruffc(folder.path(), &["emit", "obj", "main.ruff", "-o", "main.o"]);
    fs::metadata(folder.path().join("main.o")).unwrap().len()
}

fn repeated(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn code_grows_with_its_source() {
    let declared = |n| {
        repeated(n, |at| {
            format!("struct S{at} {{ a }}\nprint(S{at} {{ a: {at} }}.a)\n")
        })
    };
    let closures = |n| {
        let made = repeated(n, |at| format!("c{at} := func(x) {{ t += x }}\n"));
        let called = repeated(n, |at| format!("c{at}({at})\n"));
        format!("mut t := 0\n{made}{called}print(t)\n")
    };
    let replaced = |n| {
        let made = repeated(n, |at| format!("mut v{at} := \"{at}\"\n"));
        let changed = repeated(n, |at| format!("v{at} = trim(v{at} + \" \")\n"));
        format!(
            "{made}{changed}{}",
            repeated(n, |at| format!("print(v{at})\n"))
        )
    };
    let programs: [&dyn Fn(usize) -> String; 3] = [&declared, &closures, &replaced];
    for program in programs {
        let (once, twice) = (size(&program(400)), size(&program(800)));
        assert!(twice < once * 23 / 10, "{once} bytes, then {twice}");
    }
}
