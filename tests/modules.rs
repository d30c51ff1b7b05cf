//! Modules that are compiled on their own: whoever uses them does what it does with
//! their sources, to the byte, on every engine; and what is wrong with them is said.

use object::{Object as _, ObjectSymbol as _};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const RUFFC: &str = env!("CARGO_BIN_EXE_ruffc");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A program whose modules use each other, its own functions and methods, and
/// fields that they know nothing of.
const PROGRAM: &[(&str, &str)] = &[
    (
        "shapes.ruff",
        r#"
export struct Point {
    x, y
    func move_by(self, dx) { self.x = self.x + dx  return self }
    func sum() { return x + y }
    func extra() { return added }
}
export func grow(thing) { mut t := thing  t.update(5)  return t }
export func inside(box) { mut b := box  b.thing.update(6)  return b }
export func twice(f, v) { return f(f(v)) }
func hidden(n) { if n == 0 { throw "deep" }  return hidden(n - 1) }
export func fail(n) { return hidden(n) }
export func point(n) { return Point { x: n, y: n * 2 } }
export func* count(n) { for i in range(n) { yield i * i } }
export async func later(n) { return n + 1 }
export mut total := 0
export func add(n) { total = total + n  return total }
export func make() { mut c := 0  return func() { c = c + 1  return c } }
let BASE := 100
export struct Named { name := "n${BASE}", list := [1], count
    func label(self) { return "${self.name}:${self.count}" }
    func fresh() { return Named { count: BASE } }
    func op_add(self, other) { return Named { count: self.count + other.count } }
}
export struct Odd { type, match_it
    func sum(self) { return self.type + self.match_it } }
export func destructured(a, b) { [x, y] := a  return x + y + b }
export enum Kind { Round, Square(n) }
export func name_of(kind) { match kind { case Kind::Round: { return "round" } case Kind::Square(n): { return n } } }
print("shapes runs")
"#,
    ),
    (
        "user.ruff",
        r#"
import shapes
from shapes import Point
export func origin() { return Point { x: 0, y: 0 } }
export func used(n) { return shapes.add(n) }
export func all() { return shapes }
"#,
    ),
    (
        "main.ruff",
        r#"
import user
import shapes
from shapes import Point, Kind, Named, Odd, grow, inside, twice, fail, count, later, make
struct Mine {
    n
    func update(self, by) { self.n = self.n + by }
}
struct Box { thing }
m := Mine { n: 1 }
print(grow(m).n, m.n, inside(Box { thing: m }).thing.n)
mut p := Point { x: 1, y: 2 }
p.move_by(10)
print(p.x, p.sum())
p.added = 7
print(p.extra(), p.x + p.added)
p.x = "text"
try { print(p.sum()) } except e { print(e.message) }
print(twice(func(v) { return v * 3 }, 5), map([1, 2], shapes.add))
o := user.origin()
print(o.x, o.y, shapes.add(2), user.used(3), user.all().add(4))
for i in count(4) { print(i) }
print(await later(4))
c := make()
c()
print(c(), shapes.point(4).sum(), p, Kind::Square(3), shapes.name_of(Kind::Round))
named := Named { count: 3 }
print(named.label(), named, Named { count: 4, name: "x" }, Named.fresh().label(), (named + named).count)
mut listed := named
listed.list = push(listed.list, 2)
print(listed.list, named.list)
try { print(Named { name: "only" }.count) } except e { print(e.message) }
print(Odd { type: 1, match_it: 2 }.sum(), shapes.destructured([1, 2], 3))
try { fail(2) } except e { print(e.message, e.stack) }
try { print(twice(1)) } except e { print(e.message) }
print(fail(3))
"#,
    ),
];

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("the folder can be written");
        }
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, line: &str) -> Outcome {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        outcome(Command::new(RUFFC).args(args).current_dir(self.0.path()))
    }

    /// Runs a command that has to succeed.
    fn make(&self, line: &str) {
        let made = self.run(line);
        assert_eq!(made.0, Some(0), "{line}: {}", made.2);
    }
}

/// Exit status, standard output, standard error.
type Outcome = (Option<i32>, String, String);

fn outcome(command: &mut Command) -> Outcome {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .expect("the program can be started");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn compiled_modules_take_their_sources_place() {
    let folder = Folder::new(PROGRAM);
    let expected = folder.run("run --engine interp --check-memory main.ruff");
    assert_eq!(expected.0, Some(4), "{}", expected.2);
    assert!(expected.2.contains("Runtime Error: deep"), "{}", expected.2);
    folder.make("build --emit module shapes.ruff");
    folder.make("build --emit module --with shapes.ruffmod user.ruff");
    for module in ["shapes.ruff", "user.ruff"] {
        fs::remove_file(folder.path(module)).expect("it is there");
    }
    let with = "--check-memory --with shapes.ruffmod --with user.ruffmod";
    for engine in ["--engine interp", "--engine jit --jit-threshold 1"] {
        let found = folder.run(&format!("run {engine} {with} main.ruff"));
        assert_eq!(found, expected, "{engine}");
    }
    for effort in ["", "-O0", "-g"] {
        folder.make(&format!("build {effort} {with} -o app main.ruff"));
        let found = outcome(&mut Command::new(folder.path("app")));
        assert_eq!(found, expected, "executable {effort}");
    }
}

#[test]
fn modules_with_objects_are_not_compiled_again() {
    let folder = Folder::new(PROGRAM);
    let expected = folder.run("run --engine interp --check-memory main.ruff");
    let with =
        "--check-memory --with shapes.ruffmod --with user.ruffmod --with user.o --with shapes.o";
    for effort in ["", "-O0", "-g", "--size", "--cpu native"] {
        folder.make(&format!("build {effort} --emit module,obj shapes.ruff"));
        let user = "--emit module,obj --with shapes.ruffmod --with shapes.o user.ruff";
        folder.make(&format!("build {effort} {user}"));
        // How programs are compiled is another matter.
        for effort in [effort, "", "-O0"] {
            let (status, _, told) =
                folder.run(&format!("build -v {effort} {with} -o app main.ruff"));
            assert_eq!(status, Some(0), "{told}");
            assert!(told.contains("3 functions compiled"), "{told}");
            let found = outcome(&mut Command::new(folder.path("app")));
            assert_eq!(found, expected, "executable {effort}");
        }
    }
    // Those who only need the bytecode take the same files.
    let found = folder.run(&format!("run {with} main.ruff"));
    assert_eq!(found, expected);
}

#[test]
fn modules_are_the_same_bytes_wherever_they_are_made() {
    let made = |folder: &Folder, input: &str| {
        folder.make(&format!("build --emit module,obj {input}"));
        fs::read(folder.path("shapes.ruffmod")).expect("it was made")
    };
    let (one, other) = (Folder::new(PROGRAM), Folder::new(PROGRAM));
    let whole = other.path("shapes.ruff").display().to_string();
    assert_eq!(made(&one, "shapes.ruff"), made(&other, &whole));
    let object = |folder: &Folder| fs::read(folder.path("shapes.o")).expect("it was made");
    assert_eq!(object(&one), object(&other));
}

/// Compiles what can be compiled on its own below a folder, whatever imports
/// what; gives the flags for using it, and for using its objects.
fn compile_all(folder: &str, root: &str, out: &Path) -> (Vec<String>, Vec<String>) {
    let mut left: Vec<PathBuf> = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "ruff") {
                left.push(path);
            }
        }
    }
    left.sort();
    let (mut with, mut objects): (Vec<String>, Vec<String>) = Default::default();
    let mut is_done = false;
    while !std::mem::replace(&mut is_done, true) {
        left.retain(|path| {
            let path = path.strip_prefix(ROOT).expect("it is below");
            let inner = path.strip_prefix(root).expect("it is below");
            let inner = inner.with_extension("").display().to_string();
            let name = inner.replace('/', ".");
            let file = out.join(format!("{name}.ruffmod")).display().to_string();
            let made = Command::new(RUFFC)
                .current_dir(ROOT)
                .args([
                    "build",
                    "--emit",
                    "module,obj",
                    "--name",
                    &name,
                    "-o",
                    &file,
                ])
                .args(&with)
                .arg(path)
                .output()
                .expect("ruffc can be started");
            let text = String::from_utf8_lossy(&made.stderr);
            assert!(!text.contains("panicked"), "{text}");
            let is_new = made.status.success();
            if is_new && !with.contains(&file) {
                let object = Path::new(&file).with_extension("o").display().to_string();
                objects.extend(["--with".to_owned(), object]);
                with.extend(["--with".to_owned(), file]);
                is_done = false;
            }
            !is_new
        });
    }
    (with, objects)
}

#[test]
fn programs_do_the_same_with_all_modules_compiled() {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let root = "tests/programs/modules";
    let (with, objects) = compile_all("tests/programs/modules/lib", root, out.path());
    assert!(with.len() > 30, "most modules can be compiled: {with:?}");
    let mut programs: Vec<PathBuf> = fs::read_dir(Path::new(ROOT).join(root))
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "ruff"))
        .collect();
    programs.sort();
    assert!(programs.len() > 10);
    for program in programs {
        let program = program.strip_prefix(ROOT).expect("it is below");
        let run = |flags: &[&str], with: &[String]| {
            let mut command = Command::new(RUFFC);
            command.current_dir(ROOT).arg("run").args(flags).args(with);
            outcome(command.arg("--check-memory").arg(program))
        };
        let expected = run(&["--engine", "interp"], &[]);
        let flags = ["--engine", "jit", "--jit-threshold", "1"];
        for flags in [&["--engine", "interp"][..], &flags] {
            let found = run(flags, &with);
            assert_eq!(found, expected, "{}", program.display());
        }
        let app = out.path().join("app");
        for objects in [&[][..], &objects] {
            let mut build = Command::new(RUFFC);
            build
                .current_dir(ROOT)
                .args(["build", "--check-memory", "-o"]);
            let made = outcome(build.arg(&app).args(&with).args(objects).arg(program));
            assert_eq!(made.0, Some(0), "{}", made.2);
            let found = outcome(Command::new(&app).current_dir(ROOT));
            assert_eq!(
                found,
                expected,
                "{} as an executable with {} objects",
                program.display(),
                objects.len() / 2
            );
        }
    }
}

/// A program with something in each of its tables, so that no row of a module keeps
/// its number.
const AROUND: &str = r#"
struct Around { one, two
    func op_add(self, other) { return "more" }
    func change(self) { self.one = 1  return self.two } }
enum Way { Here, There(n) }
mut shared := 17
func note(a, b) { shared = shared + a  return "noted ${b}" }
func* some(n) { yield n  yield n + 1 }
func all() {
    mut around := Around { one: 1, two: [1, "two", 3.5] }
    around.two[1] = "x"
    around.change()
    match Way::There(4) { case Way::Here: { return 1 } case Way::There(n): { shared = n } }
    mut list := map([1, 2, 3], func(x) { return x + shared })
    list = push(list, 5)
    for x in some(2) { note(x, {"key": 1}["key"]) }
    try { error("mine") } except e { note(1, e.message) }
    return note(2, len(list))
}
all()
import inner
"#;

/// What a program is asked to do as a module of another one, if it can be one.
fn as_a_module(program: &Path) {
    let folder = Folder::new(&[("main.ruff", AROUND)]);
    fs::copy(program, folder.path("inner.ruff")).expect("it can be copied");
    let (status, _, text) = folder.run("build --emit module,obj inner.ruff");
    assert!(!text.contains("panicked"), "{}: {text}", program.display());
    if status != Some(0) {
        return;
    }
    let expected = folder.run("run --engine interp main.ruff");
    folder.make("build --with inner.ruffmod --with inner.o -o app main.ruff");
    let mut app = Command::new(folder.path("app"));
    let found = outcome(app.current_dir(folder.path("")));
    assert_eq!(found, expected, "{}", program.display());
}

#[test]
fn programs_do_the_same_as_modules_with_objects() {
    let programs = fs::read_dir(Path::new(ROOT).join("tests/programs/language"));
    let programs: Vec<PathBuf> = programs
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "ruff"))
        .collect();
    assert!(programs.len() > 100);
    std::thread::scope(|scope| {
        for share in programs.chunks(programs.len().div_ceil(2)) {
            scope.spawn(|| share.iter().for_each(|program| as_a_module(program)));
        }
    });
}

#[test]
fn what_is_wrong_with_modules_is_said() {
    let folder = Folder::new(PROGRAM);
    let refused = |line: &str, status: i32, message: &str| {
        let (found, _, text) = folder.run(line);
        assert_eq!(found, Some(status), "{line}: {text}");
        assert_eq!(text.matches(message).count(), 1, "{line}: {text}");
    };
    refused(
        "build --emit module user.ruff",
        4,
        "module 'user' imports 'shapes', which has to be compiled first: give its file with `--with`",
    );
    folder.make("build --emit module shapes.ruff");
    folder.make("build --emit module --with shapes.ruffmod user.ruff");
    refused(
        "run --with user.ruffmod main.ruff",
        4,
        "module 'user' is compiled and imports 'shapes', which has to be compiled too",
    );
    refused(
        "run --with user.ruffmod --with ./user.ruffmod main.ruff",
        4,
        "two modules are called 'user': 'user.ruffmod' and './user.ruffmod'",
    );
    refused(
        "run --with main.ruff main.ruff",
        4,
        "this is no compiled module",
    );
    refused(
        "run --with nowhere.ruffmod main.ruff",
        5,
        "Failed to read 'nowhere.ruffmod'",
    );
    refused(
        "build --emit module --with shapes.ruffmod shapes.ruff",
        4,
        "module 'shapes' can't be built with a module of the same name",
    );
    refused(
        "build --emit module --name if.then shapes.ruff",
        4,
        "nobody can import a module that is called 'if.then'",
    );
    refused(
        "build --name a.b shapes.ruff",
        2,
        "`--name` is for `--emit module`",
    );
    refused(
        "build --emit module,exe shapes.ruff",
        2,
        "a module is made on its own",
    );

    // A module that counts on what another one exported before.
    fs::write(folder.path("shapes.ruff"), "export one := 1\n").expect("written");
    folder.make("build --emit module shapes.ruff");
    refused(
        "run --with shapes.ruffmod --with user.ruffmod main.ruff",
        4,
        "module 'user' was compiled when 'shapes' exported something else: compile it again",
    );
    fs::write(folder.path("alone.ruff"), "import alone\nexport one := 1\n").expect("written");
    refused(
        "build --emit module alone.ruff",
        4,
        "module 'alone' imports itself",
    );
    // What a module does not export is missed as it is in one that has a source.
    fs::write(folder.path("main.ruff"), "from shapes import two\n").expect("written");
    let expected = folder.run("run main.ruff");
    assert!(
        expected.2.contains("Symbol 'two' not found"),
        "{expected:?}"
    );
    assert_eq!(folder.run("run --with shapes.ruffmod main.ruff"), expected);
}

#[test]
fn a_module_needs_only_what_it_imports_itself() {
    let folder = Folder::new(&[
        ("a.ruff", "export func one() { return 1 }\n"),
        (
            "b.ruff",
            "import a\nexport func two() { return a.one() + 1 }\n",
        ),
        (
            "c.ruff",
            "import b\nexport func three() { return b.two() + 1 }\n",
        ),
        (
            "main.ruff",
            "import c\nimport a\nprint(c.three(), a.one())\n",
        ),
    ]);
    folder.make("build --emit module a.ruff");
    folder.make("build --emit module --with a.ruffmod b.ruff");
    folder.make("build --emit module --with b.ruffmod c.ruff");
    let found = folder.run("run --with a.ruffmod --with b.ruffmod --with c.ruffmod main.ruff");
    assert_eq!(found.1, "3 1\n", "{}", found.2);
}

#[test]
fn damaged_modules_are_refused() {
    let folder = Folder::new(PROGRAM);
    folder.make("build --emit module shapes.ruff");
    let whole = fs::read(folder.path("shapes.ruffmod")).expect("it was made");
    for at in [30, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x21;
        fs::write(folder.path("shapes.ruffmod"), &bytes).expect("written");
        let (status, _, text) = folder.run("run --with shapes.ruffmod main.ruff");
        assert_eq!(status, Some(4), "{text}");
        assert!(text.contains("the file is damaged"), "{text}");
    }
    // The version of the compiler comes first.
    let mut bytes = whole.clone();
    bytes[9] = b'x';
    fs::write(folder.path("shapes.ruffmod"), &bytes).expect("written");
    let (_, _, text) = folder.run("run --with shapes.ruffmod main.ruff");
    assert!(text.contains("another version of ruffc made it"), "{text}");
}

#[test]
fn programs_are_explained_and_checked_without_the_source() {
    let folder = Folder::new(PROGRAM);
    folder.make("build --emit module shapes.ruff");
    folder.make("build --emit module --with shapes.ruffmod user.ruff");
    let with = "--with shapes.ruffmod --with user.ruffmod";
    for command in ["check", "explain", "explain --all", "explain --fallbacks"] {
        let expected = folder.run(&format!("{command} main.ruff"));
        let found = folder.run(&format!("{command} {with} main.ruff"));
        assert_eq!(found.0, expected.0, "{command}: {}", found.2);
        // What is said of the program's own file is the same.
        let own = |text: &str| text.split("\nshapes.ruff\n").next().map(str::to_owned);
        let own = |text: &str| own(text)?.split("\nuser.ruff\n").next().map(str::to_owned);
        let own = |text: &str| {
            own(text)?
                .split_once("\nmain.ruff\n")
                .map(|(_, own)| own.trim().to_owned())
        };
        assert_eq!(own(&found.1), own(&expected.1), "{command}");
        assert_eq!(found.2, expected.2, "{command}");
    }
    let expected = folder.run("test main.ruff");
    assert_eq!(folder.run(&format!("test {with} main.ruff")).0, expected.0);
}

#[test]
fn libraries_for_c_may_use_compiled_modules() {
    let folder = Folder::new(PROGRAM);
    fs::write(
        folder.path("rules.ruff"),
        "import shapes\nexport func area(a: int, b: int) -> int { return shapes.add(a * b) }\n",
    )
    .expect("written");
    folder.make("build --emit module shapes.ruff");
    fs::remove_file(folder.path("shapes.ruff")).expect("it is there");
    folder.make("build --emit staticlib,header,obj --with shapes.ruffmod rules.ruff");
    for made in ["librules.a", "rules.h", "rules.o"] {
        assert!(folder.path(made).exists(), "{made}");
    }
}

/// A C program with a library of Ruff's that uses a module's object, linked in all
/// the ways that there are.
#[cfg(target_os = "linux")]
#[test]
fn libraries_for_c_may_use_modules_with_objects() {
    let folder = Folder::new(PROGRAM);
    let write = |name: &str, text: &str| fs::write(folder.path(name), text).expect("written");
    write(
        "rules.ruff",
        "import shapes\nexport func area(a: int, b: int) -> int { return shapes.add(a * b) }\n\
         export func deep(n: int) -> int { return shapes.fail(n) }\n",
    );
    write(
        "main.c",
        r#"#include <stdio.h>
#include "rules.h"
int main(void) {
    ruff_context *context;
    int64_t area = 0;
    if (ruff_context_new(ruff_library_rules(), RUFF_ABI_VERSION, NULL, &context) != RUFF_OK) return 1;
    if (ruff_rules_area(context, 2, 3, &area) != RUFF_OK) return 2;
    if (ruff_rules_area(context, 4, 5, &area) != RUFF_OK) return 3;
    printf("%ld\n", (long)area);
    if (ruff_rules_deep(context, 2, &area) == RUFF_OK) return 4;
    fputs(ruff_error_report(context), stdout);
    ruff_context_free(context);
    return 0;
}
"#,
    );
    folder.make("build --emit module,obj shapes.ruff");
    fs::remove_file(folder.path("shapes.ruff")).expect("it is there");
    let with = "--with shapes.ruffmod --with shapes.o rules.ruff";
    folder.make(&format!(
        "build --emit staticlib,cdylib,header,obj,runtime {with}"
    ));
    let mut outcomes = Vec::new();
    for inputs in [
        &["librules.a"][..],
        &["librules.so", "-Wl,-rpath,."],
        &["rules.o", "shapes.o", "libruffrt.a"],
    ] {
        let made = outcome(
            Command::new("cc")
                .args(["-o", "program", "main.c"])
                .args(inputs)
                .args(["-lpthread", "-lm", "-Wl,--gc-sections"])
                .current_dir(folder.path("")),
        );
        assert_eq!(made.0, Some(0), "{inputs:?}: {}", made.2);
        let mut program = Command::new(folder.path("program"));
        outcomes.push(outcome(program.current_dir(folder.path(""))));
    }
    let (status, text, _) = &outcomes[0];
    assert_eq!(*status, Some(0), "{text}");
    assert!(text.starts_with("shapes runs\n26\n"), "{text}");
    assert!(text.contains("deep") && text.contains("hidden"), "{text}");
    assert!(
        outcomes.iter().all(|one| *one == outcomes[0]),
        "{outcomes:?}"
    );
}

#[test]
fn what_is_wrong_with_objects_is_said() {
    let folder = Folder::new(PROGRAM);
    let refused = |line: &str, message: &str| {
        let (found, _, text) = folder.run(line);
        assert_eq!(found, Some(4), "{line}: {text}");
        assert_eq!(text.matches(message).count(), 1, "{line}: {text}");
    };
    folder.make("build --emit module,obj shapes.ruff");
    folder.make("build --emit obj -o script.o shapes.ruff");
    refused(
        "build --with shapes.o main.ruff",
        "'shapes.o' has the code of module 'shapes', whose own file has to be given too",
    );
    refused(
        "build --with script.o main.ruff",
        "'script.o' has no module's code",
    );
    refused(
        "build --with shapes.ruffmod --with shapes.o --with ./shapes.o main.ruff",
        "two objects have the code of module 'shapes': 'shapes.o' and './shapes.o'",
    );
    fs::copy(folder.path("shapes.o"), folder.path("other.o")).expect("it can be copied");
    folder.make("build --emit module,obj --target s390x-unknown-linux-gnu shapes.ruff");
    refused(
        "build --with shapes.ruffmod --with shapes.o main.ruff",
        "'shapes.o' is for another target than the program",
    );
    // The module's file is the same for all targets.
    folder.make("build --with shapes.ruffmod --with other.o -o app main.ruff");

    // An object that was made of another version of the module.
    let text = fs::read_to_string(folder.path("shapes.ruff")).expect("it is there");
    let text = text.replace("\"deep\"", "\"deeper\"");
    fs::write(folder.path("shapes.ruff"), text).expect("written");
    folder.make("build --emit module shapes.ruff");
    for command in ["build", "build --emit obj", "run", "check"] {
        refused(
            &format!("{command} --with shapes.ruffmod --with other.o main.ruff"),
            "'other.o' was not made together with 'shapes.ruffmod': compile module 'shapes' again",
        );
    }
    let whole = fs::read(folder.path("other.o")).expect("it is there");
    fs::write(folder.path("other.o"), &whole[..whole.len() / 2]).expect("written");
    let (status, _, text) = folder.run("build --with shapes.ruffmod --with other.o main.ruff");
    assert_eq!(status, Some(4), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// The symbols by which objects of modules and of programs find each other: those that
/// a file defines, and those that it misses.
fn module_symbols(file: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let bytes = fs::read(file).expect("it was made");
    let file = object::File::parse(&*bytes).expect("it is an object file");
    let names = |is_wanted: fn(&object::Symbol) -> bool| {
        let symbols = file.symbols().filter(is_wanted);
        let names = symbols.map(|symbol| symbol.name().expect("it has a name").to_owned());
        names.filter(|name| name.contains("ruff_module.")).collect()
    };
    (
        names(|one| one.is_definition()),
        names(|one| one.is_undefined()),
    )
}

#[test]
fn objects_fit_together_in_every_format() {
    let folder = Folder::new(PROGRAM);
    for target in [
        "x86_64-unknown-linux-gnu",
        "s390x-unknown-linux-gnu",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-gnu",
    ] {
        folder.make(&format!(
            "build --target {target} --emit module,obj shapes.ruff"
        ));
        let with = "--with shapes.ruffmod --with shapes.o";
        folder.make(&format!(
            "build --target {target} {with} --emit obj main.ruff"
        ));
        let (module, of_program) = module_symbols(&folder.path("shapes.o"));
        let (program, of_module) = module_symbols(&folder.path("main.o"));
        assert!(of_module.len() > 10, "{target}");
        assert!(of_module.is_subset(&module), "{target}");
        assert_eq!(of_program, program, "{target}");
    }
}

/// A module that a program does not need may be given to it all the same.
#[test]
fn objects_that_nothing_needs_do_no_harm() {
    let folder = Folder::new(PROGRAM);
    folder.make("build --emit module,obj shapes.ruff");
    fs::write(folder.path("alone.ruff"), "print(1 + 2)\n").expect("written");
    folder.make("build --with shapes.ruffmod --with shapes.o -o app alone.ruff");
    let found = outcome(&mut Command::new(folder.path("app")));
    assert_eq!(found, (Some(0), "3\n".to_owned(), String::new()));
}

/// The example's Makefile compiles the modules, and needs no source of theirs then.
#[cfg(unix)]
#[test]
fn the_example_is_made_by_its_makefile() {
    let from = Path::new(ROOT).join("examples/modules");
    let folder = Folder::new(&[]);
    fs::create_dir(folder.path("lib")).expect("a folder can be made");
    for file in [
        "Makefile",
        "house.ruff",
        "lib/shapes.ruff",
        "lib/floor_plan.ruff",
    ] {
        fs::copy(from.join(file), folder.path(file)).expect("it can be copied");
    }
    let make = || {
        let mut make = Command::new("make");
        outcome(
            make.arg(format!("RUFFC={RUFFC}"))
                .current_dir(folder.path("")),
        )
    };
    let (status, _, text) = make();
    assert_eq!(status, Some(0), "{text}");
    let expected = fs::read_to_string(from.join("house.out")).expect("it is there");
    for program in ["build/house", "build/house-by-cc"] {
        let found = outcome(&mut Command::new(folder.path(program)));
        assert_eq!(found.1, expected, "{program}");
    }
    let (_, told, _) = make();
    assert!(told.contains("Nothing to be done"), "{told}");
    let line = "run --with build/lib.shapes.ruffmod --with build/lib.floor_plan.ruffmod house.ruff";
    fs::remove_dir_all(folder.path("lib")).expect("it is there");
    assert_eq!(folder.run(line).1, expected);
}
