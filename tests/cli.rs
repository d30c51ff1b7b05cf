//! The command line: what commands print, where, and how they end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with programs, in which commands run.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (name, text) in files {
            let path = folder.path().join(name);
            let around = path.parent().expect("a file is in a folder");
            fs::create_dir_all(around).expect("the folder can be made");
            fs::write(path, text).expect("the folder can be written");
        }
        Folder(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, line: &str) -> Outcome {
        let args = line.split_whitespace();
        self.execute(env!("CARGO_BIN_EXE_ruffc"), args)
    }

    fn execute(
        &self,
        program: impl AsRef<OsStr>,
        args: impl Iterator<Item = impl AsRef<OsStr>>,
    ) -> Outcome {
        let output = Command::new(program)
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .env_remove("RUST_BACKTRACE")
            .output()
            .expect("the program can be started");
        Outcome::from(output)
    }
}

#[derive(Debug)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        Outcome {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    #[track_caller]
    fn ends_with(self, status: i32) -> Outcome {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }

    #[track_caller]
    fn prints(self, stdout: &str) -> Outcome {
        assert_eq!(self.stdout, stdout, "{self:?}");
        self
    }

    #[track_caller]
    fn says(self, stderr: &str) -> Outcome {
        assert!(self.stderr.contains(stderr), "{self:?}");
        self
    }
}

const HELLO: (&str, &str) = ("hello.ruff", "print(\"hello\")\n");
const ARGS: (&str, &str) = ("args.ruff", "for a in args() { print(a) }\n");
const WRONG: (&str, &str) = ("wrong.ruff", "print(1\n");
const REFUSED: (&str, &str) = ("refused.ruff", "break\n");

#[test]
fn help_is_worth_reading() {
    let folder = Folder::new(&[]);
    let help = folder.run("--help").ends_with(0);
    for expected in [
        "build",
        "run",
        "test",
        "check",
        "explain",
        "emit",
        "Examples:",
        "Exit status",
    ] {
        assert!(help.stdout.contains(expected), "{expected}: {help:?}");
    }
    for command in ["build", "run", "test", "check", "explain", "emit"] {
        let help = folder.run(&format!("{command} --help")).ends_with(0);
        assert!(help.stdout.contains("Usage:"), "{help:?}");
    }
    folder.run("").ends_with(2).says("Usage:");
}

#[test]
fn the_version_names_target_and_code_generator() {
    let version = Folder::new(&[]).run("--version").ends_with(0);
    assert!(version.stdout.starts_with("ruffc 0."), "{version:?}");
    assert!(version.stdout.contains("Cranelift 0."), "{version:?}");
    assert!(
        version.stdout.contains(std::env::consts::ARCH),
        "{version:?}"
    );
}

#[test]
fn wrong_command_lines_are_refused() {
    let folder = Folder::new(&[HELLO]);
    for line in [
        "nonsense",
        "run",
        "build --no-such-flag hello.ruff",
        "build --emit nothing hello.ruff",
        "build -O9 hello.ruff",
        "build --target nowhere hello.ruff",
        "build --emit staticlib -o - hello.ruff",
        "build --emit cdylib -o - hello.ruff",
        "emit hello.ruff",
        "run --engine fast hello.ruff",
        "run --jit-threshold many hello.ruff",
    ] {
        let outcome = folder.run(line).ends_with(2);
        assert!(outcome.stderr.contains("error:"), "{line}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{line}");
    }
}

#[test]
fn programs_run() {
    let folder = Folder::new(&[HELLO, ARGS]);
    for engine in ["", "--engine auto", "--engine jit", "--engine interp"] {
        let outcome = folder.run(&format!("run {engine} hello.ruff"));
        let outcome = outcome.ends_with(0).prints("hello\n");
        assert_eq!(outcome.stderr, "");
    }
    folder.run("hello.ruff").ends_with(0).prints("hello\n");
    for line in ["run args.ruff", "args.ruff", "run args.ruff --"] {
        let outcome = folder.run(&format!("{line} one --two -v"));
        outcome.ends_with(0).prints("one\n--two\n-v\n");
    }
}

#[test]
fn statuses_say_what_happened() {
    let folder = Folder::new(&[
        HELLO,
        WRONG,
        REFUSED,
        ("exit.ruff", "print(\"out\")\nexit(7)\n"),
        ("throw.ruff", "print(\"out\")\nthrow \"no\"\n"),
    ]);
    folder.run("run exit.ruff").ends_with(7).prints("out\n");
    let thrown = folder.run("run throw.ruff").ends_with(4).prints("out\n");
    thrown.says("[RUFVM001] [vm] Runtime Error: no\n  --> throw.ruff:2:1\n");
    for command in ["run", "build", "check", "emit asm"] {
        let wrong = folder.run(&format!("{command} wrong.ruff")).ends_with(3);
        wrong
            .says("[RUFPARSE001] [parser] error: ")
            .says("--> wrong.ruff:");
        let refused = folder.run(&format!("{command} refused.ruff")).ends_with(4);
        refused.says("[RUFVM001] [vm] error: Compilation error: ");
        let missing = folder.run(&format!("{command} missing.ruff")).ends_with(5);
        missing.says("[RUFCLI001] [cli] error: Failed to read .ruff file 'missing.ruff': ");
    }
    folder
        .run("build hello.ruff -o no/such/folder")
        .ends_with(5);
    folder
        .run("emit asm hello.ruff -o no/such/folder")
        .ends_with(5);
}

#[test]
fn warnings_are_told_and_change_nothing() {
    let folder = Folder::new(&[("warned.ruff", "x := 1 + \"a\"\nprint(y)\n")]);
    let warned = folder.run("check warned.ruff").ends_with(0);
    warned
        .says(
            "[RUFCHECK011] [check] warning: Unused variable 'x'\n  --> warned.ruff:1:1\n\
             [RUFCHECK006] [check] warning: Binary operation '+' with incompatible types: int and \
             string\n  --> warned.ruff:1:8\n\
             [RUFCHECK008] [check] warning: Undefined variable 'y'\n  --> warned.ruff:2:7\n",
        )
        .prints("check passed: warned.ruff\n");
    folder
        .run("check --deny-warnings warned.ruff")
        .ends_with(1)
        .prints("");
    let json = folder.run("check --json warned.ruff").ends_with(0);
    assert_eq!(json.stdout.lines().count(), 3, "{json:?}");
    assert!(
        json.stdout
            .starts_with("{\"code\":\"RUFCHECK011\",\"stage\":\"check\",\"severity\":\"warning\""),
        "{json:?}"
    );
    // A run says nothing of the kind.
    let run = folder.run("run warned.ruff").ends_with(4);
    assert!(!run.stderr.contains("warning"), "{run:?}");
}

#[test]
fn fallbacks_are_explained() {
    let folder = Folder::new(&[
        HELLO,
        WRONG,
        ("f.ruff", "func f() { return 1 }\nprint(f())\n"),
    ]);
    folder
        .run("explain --fallbacks hello.ruff f.ruff")
        .ends_with(0)
        .says("no fallbacks: hello.ruff\nno fallbacks: f.ruff\n")
        .prints("");
    let kept = folder
        .run("explain --fallbacks --bytecode-only f.ruff")
        .ends_with(0);
    assert!(
        kept.stdout
            .contains("function `f` (f.ruff:1:12) stays bytecode, as was asked for\n"),
        "{kept:?}"
    );
    folder.run("explain --fallbacks wrong.ruff").ends_with(3);
    folder.run("explain --fallbacks --json f.ruff").ends_with(2);
}

#[test]
fn programs_are_explained() {
    let looped = "mut sum := 0\nfor i in 10 { sum += 0.5 }\nprint(sum)\n";
    let folder = Folder::new(&[HELLO, WRONG, ("loop.ruff", looped)]);
    let plain = folder.run("explain loop.ruff hello.ruff").ends_with(0);
    for expected in [
        "What costs most:\n  loop.ruff:2: dynamic: ",
        "hint: let `sum` be one of them always",
        "    2 ! | for i in 10 { sum += 0.5 }\n",
        "hello.ruff: 1 function compiled; 0 lines with something slow in a loop\n",
    ] {
        assert!(plain.stdout.contains(expected), "{expected}: {plain:?}");
    }
    assert!(!plain.stdout.contains('\x1b'), "{plain:?}");
    let coloured = folder.run("--color always explain loop.ruff").ends_with(0);
    assert!(
        coloured.stdout.contains("\x1b[33m! \x1b[0m| for"),
        "{coloured:?}"
    );
    // What runs once is told about only on demand.
    assert!(!plain.stdout.contains("built-in `print`"), "{plain:?}");
    let all = folder.run("explain --all hello.ruff").ends_with(0);
    assert!(all.stdout.contains("called: built-in `print`"), "{all:?}");
    let kept = folder.run("explain --bytecode-only loop.ruff").ends_with(0);
    assert!(
        kept.stdout
            .contains("- bytecode: the interpreter runs the top level\n"),
        "{kept:?}"
    );

    folder
        .run("explain --json -o all.json loop.ruff hello.ruff")
        .ends_with(0)
        .prints("");
    let json = fs::read_to_string(folder.path().join("all.json")).expect("it was written");
    assert_eq!(json.lines().count(), 2, "{json}");
    assert!(json.starts_with(
        "{\"files\":[\"loop.ruff\"],\"compiled\":1,\"kept\":0,\"unused\":0,\"notes\":[{"
    ));
    folder.run("explain wrong.ruff").ends_with(3);
    folder
        .run("explain --html loop.ruff hello.ruff")
        .ends_with(2);
}

#[test]
fn no_benchmark_has_a_fallback() {
    // Those among the tests' programs are built with `--no-fallback`.
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ruffc"));
    command.args(["explain", "--fallbacks"]);
    let mut count = 0;
    for folder in fs::read_dir(&programs).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap();
        let program = folder.join(name).with_extension("ruff");
        if program.exists() {
            command.arg(program);
            count += 1;
        }
    }
    assert!(count >= 20, "{count} benchmarks");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{told}"
    );
    assert_eq!(told.matches("no fallbacks: ").count(), count, "{told}");
}

#[test]
fn check_says_so_when_nothing_is_wrong() {
    let folder = Folder::new(&[HELLO, WRONG]);
    let passed = folder.run("check hello.ruff").ends_with(0);
    passed.prints("check passed: hello.ruff\n");
    folder
        .run("check --json hello.ruff")
        .ends_with(0)
        .prints("");
    let wrong = folder.run("check --json wrong.ruff").ends_with(3);
    assert!(
        wrong.stdout.starts_with("{\"code\":\"RUFPARSE001\""),
        "{wrong:?}"
    );
    assert!(wrong.stdout.ends_with("}\n"), "{wrong:?}");
    assert_eq!(wrong.stderr, "");
}

#[test]
fn executables_are_built_beside_the_command() {
    let folder = Folder::new(&[HELLO, ARGS]);
    folder.run("build hello.ruff").ends_with(0).prints("");
    let hello = folder.execute(folder.path().join("hello"), [""; 0].iter());
    hello.ends_with(0).prints("hello\n");
    for flags in [
        "-O",
        "-O0",
        "-O3",
        "--cpu native",
        "--verify -g",
        "--bytecode-only",
    ] {
        folder
            .run(&format!("build {flags} args.ruff -o program"))
            .ends_with(0);
        let program = folder.execute(folder.path().join("program"), ["a", "-b"].iter());
        program.ends_with(0).prints("a\n-b\n");
    }
}

#[test]
fn every_stage_can_be_shown() {
    let folder = Folder::new(&[HELLO]);
    for (kind, expected) in [
        ("tokens", "Identifier"),
        ("ast", "print"),
        ("bytecode", "CallBuiltin"),
        ("clif", "block0"),
        ("asm", "ruff.<main>"),
    ] {
        let outcome = folder.run(&format!("emit {kind} hello.ruff")).ends_with(0);
        assert!(outcome.stdout.contains(expected), "{kind}: {outcome:?}");
    }
    folder
        .run("build --emit exe,obj,asm,bytecode hello.ruff -o out")
        .ends_with(0);
    for name in ["out", "out.o", "out.s", "out.bytecode"] {
        let size = fs::metadata(folder.path().join(name)).map(|metadata| metadata.len());
        assert!(size.is_ok_and(|size| size > 0), "{name}");
    }
    folder.run("emit obj hello.ruff -o object").ends_with(0);
    assert_eq!(
        fs::read(folder.path().join("object")).ok(),
        fs::read(folder.path().join("out.o")).ok()
    );
}

#[test]
fn reports_go_to_standard_error() {
    let loops = (
        "loops.ruff",
        "func f(n) { return n + 1 }\nmut s := 0\nfor i in 1000 { s = f(s) }\nprint(s)\n",
    );
    let folder = Folder::new(&[loops]);
    let outcome = folder
        .run("run --stats --time loops.ruff")
        .ends_with(0)
        .prints("1000\n");
    outcome
        .says("loops compiled: 1\n")
        .says("run ")
        .says("total ");
    let outcome = folder
        .run("run --stats --engine interp loops.ruff")
        .ends_with(0);
    outcome.says("functions compiled: 0\n");
    let outcome = folder
        .run("build --time -v loops.ruff")
        .ends_with(0)
        .prints("");
    outcome
        .says("functions compiled to")
        .says("compile ")
        .says("link ");
}

#[test]
fn functions_that_are_large_work_without_optimisation() {
    let statements = (0..3000).map(|k| {
        format!(
            "if n % 7 == {} {{ s += n + {k} }} else {{ n += 1 }}\n",
            k % 5
        )
    });
    let text: String = statements.collect();
    let folder = Folder::new(&[(
        "large.ruff",
        &format!("mut n := 0\nmut s := 0\n{text}print(n, s)\n"),
    )]);
    let expected = folder.run("run --engine interp large.ruff").ends_with(0);
    folder.run("build -O0 -o large large.ruff").ends_with(0);
    let program = folder.path().join("large");
    let outcome = folder
        .execute(program, std::iter::empty::<&str>())
        .ends_with(0);
    outcome.prints(&expected.stdout);
}

#[test]
fn large_programs_are_compiled_in_threads() {
    let functions =
        (0..400).map(|k| format!("func f{k}(n) {{ return n * {k} + n % 7 }}\nprint(f{k}(2))\n"));
    let text: String = functions.collect();
    let folder = Folder::new(&[("large.ruff", &text)]);
    let outcome = folder.run("build --time large.ruff").ends_with(0);
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    match processors {
        1 => assert!(!outcome.stderr.contains("threads"), "{outcome:?}"),
        _ => drop(outcome.says(" ms of work in ").says(" threads)\n")),
    }
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let folder = Folder::new(&[WRONG]);
    assert!(!folder.run("check wrong.ruff").stderr.contains('\x1b'));
    assert!(
        folder
            .run("--color always check wrong.ruff")
            .stderr
            .contains('\x1b')
    );
}

#[test]
fn two_builds_are_the_same() {
    let program = "func f(n) { return n * 2 }\nlet g := func(x) { return x + f(x) }\nprint(g(4))\n";
    let program = &format!("{program}import b\nimport a.c\nprint(h(1), c.h(2), c)\n");
    let files = [
        ("app.ruff", &**program),
        ("b.ruff", "from a.c import h\nexport h\n"),
        (
            "a/c.ruff",
            "export K := 1\nexport func h(n) { return n + K }\n",
        ),
    ];
    let one = Folder::new(&files);
    let other = Folder::new(&files);
    for folder in [&one, &other] {
        folder.run("build --emit exe,obj app.ruff").ends_with(0);
    }
    for name in ["app", "app.o"] {
        let bytes = |folder: &Folder| fs::read(folder.path().join(name)).expect("it was built");
        assert_eq!(bytes(&one), bytes(&other), "{name}");
    }
}

const USES_MODULES: &[(&str, &str)] = &[
    (
        "app/src/main.ruff",
        "import tools.count\nfrom settings import limit\nprint(count(limit))\n\
         try { import broken } except e { print(e.message) }\n",
    ),
    (
        "app/src/tools/count.ruff",
        "export func count(n) { return 100 / n }\n",
    ),
    ("app/settings.ruff", "export limit := 5\n"),
    ("modules/broken.ruff", "x := )\n"),
];

#[test]
fn modules_are_found_around_the_script() {
    let folder = Folder::new(USES_MODULES);
    let expected = "20\nFailed to parse module 'broken': 1:6: Expected expression\n";
    for engine in ["interp", "jit --jit-threshold 1"] {
        let line = format!("run --engine {engine} app/src/main.ruff");
        folder.run(&line).ends_with(0).prints(expected);
    }
    folder
        .run("build --no-fallback -o program app/src/main.ruff")
        .ends_with(0);
    // What was built needs no sources any more.
    for name in ["app", "modules"] {
        fs::remove_dir_all(folder.path().join(name)).expect("removed");
    }
    folder
        .execute(folder.path().join("program"), [""; 0].iter())
        .ends_with(0)
        .prints(expected);
}

#[test]
fn what_is_wrong_with_a_module_does_not_stop_a_compilation() {
    let folder = Folder::new(&[
        ("main.ruff", "print(1)\nimport broken\n"),
        ("broken.ruff", "break\n"),
        ("wrong.ruff", "import broken\nbreak\n"),
    ]);
    folder
        .run("check main.ruff")
        .ends_with(0)
        .prints("check passed: main.ruff\n");
    folder
        .run("run main.ruff")
        .ends_with(4)
        .prints("1\n")
        .says("Failed to parse module 'broken': 1:1: break can only be used inside a loop");
    folder
        .run("check wrong.ruff")
        .ends_with(4)
        .says("wrong.ruff:2:1");
    folder.run("emit bytecode main.ruff").ends_with(0);
}

#[cfg(unix)]
#[test]
fn links_out_of_a_root_are_refused() {
    let folder = Folder::new(&[
        ("secret.ruff", "export x := 1\n"),
        (
            "app/main.ruff",
            "try { import stolen } except e { print(e.message) }\n",
        ),
    ]);
    let at = folder.path().join("app/stolen.ruff");
    std::os::unix::fs::symlink(folder.path().join("secret.ruff"), at).expect("linked");
    folder
        .run("run app/main.ruff")
        .ends_with(0)
        .prints("Unsafe module import 'stolen': the file is outside of its root\n");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_a_program() {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::new(&[("yes.ruff", "while true { print(\"yes\") }\n")]);
    folder.run("build yes.ruff").ends_with(0);
    let commands = [
        (env!("CARGO_BIN_EXE_ruffc").into(), vec!["run", "yes.ruff"]),
        (folder.path().join("yes"), vec![]),
    ];
    for (program, args) in commands {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut pipe = child.stdout.take().expect("it was asked for");
        pipe.read_exact(&mut [0; 4]).expect("it prints");
        drop(pipe);
        let status = child.wait().expect("it ends");
        const SIGPIPE: i32 = 13;
        assert_eq!(status.signal(), Some(SIGPIPE), "{status:?}");
    }
}
