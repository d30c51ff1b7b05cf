//! Every program, on every engine: the same output, errors and exit status.
//!
//! A program is a `.ruff` file below `tests/programs` or `examples`.  Beside it
//! stand `<name>.out`, the exact standard output; where needed `.rc`, the exit
//! status, and `.err`, a part of standard error; `.args`, one argument a line;
//! `.in`, standard input.  Folders named `lib` hold modules, not programs.
//!
//! A program that ends with memory in use fails as well, on any of its threads;
//! and so does one whose threads go on when it has ended, for these can't be
//! checked.
//!
//! Executables for other targets run as well, where `ruffc target list` shows
//! their runtimes as ready: all programs for the first of `ELSEWHERE`, a few for
//! the others.  Targets that `RUFF_REQUIRE_TARGETS` names must be ready.
//!
//! What does not work yet is listed in `tests/programs/pending.txt`.  A pending
//! program that passes is a failure, so the list can only become shorter.

use libtest_mimic::{Arguments, Failed, Trial};
use ruff_runtime::start::STILL_AT_WORK;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const RUFFC: &str = env!("CARGO_BIN_EXE_ruffc");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How long a process may take, and how much longer if it is emulated.
const TIMEOUT: Duration = Duration::from_secs(60);
const EMULATION: u32 = 6;
/// How much of a process's output is read.
const OUTPUT_LIMIT: u64 = 16 << 20;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test runs several processes, some of which use threads themselves.
    arguments.test_threads.get_or_insert(2);
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("the programs could not be listed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> io::Result<Vec<Trial>> {
    let root = Path::new(ROOT);
    let mut programs = BTreeMap::new();
    find_programs(&root.join("tests/programs"), "", &mut programs)?;
    find_programs(&root.join("examples"), "examples/", &mut programs)?;
    let mut pending = read_pending(&root.join("tests/programs/pending.txt"))?;
    let mut trials = trials_elsewhere(&programs)?;
    for (name, path) in programs {
        let trial = match pending.remove(&name) {
            Some(reason) => {
                Trial::test(name, move || check_pending(&path, &reason)).with_kind("pending")
            }
            None => Trial::test(name, move || check(&path)),
        };
        trials.push(trial);
    }
    trials.push(Trial::test("pending programs exist", move || {
        let missing: Vec<String> = pending.into_keys().collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing.join(", ").into())
        }
    }));
    Ok(trials)
}

/// Other targets, with the programs that are run for them; without any, all.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("aarch64-unknown-linux-gnu", &[]),
    ("riscv64gc-unknown-linux-gnu", FEW),
    ("s390x-unknown-linux-gnu", FEW),
    ("x86_64-unknown-linux-musl", FEW),
    ("aarch64-unknown-linux-musl", FEW),
    ("x86_64-pc-windows-gnu", FEW),
];

/// A program of each kind: output, numbers, text, memory, errors with traces,
/// generators, threads, input and arguments.
const FEW: &[&str] = &[
    "examples/",
    "core/bytes",
    "core/hashes",
    "core/input",
    "core/json",
    "core/random",
    "language/err_",
    "language/gen_",
    "language/values",
    "runtime/",
    "system/",
];

/// What an emulator can't do: Wine has no room for 10,000 threads at once, each of
/// which takes handles and a stack of its own.
const NOT_THERE: &[(&str, &str)] = &[("x86_64-pc-windows-gnu", "runtime/threads_asleep")];

fn trials_elsewhere(programs: &BTreeMap<String, PathBuf>) -> io::Result<Vec<Trial>> {
    let list = Command::new(RUFFC).args(["target", "list"]).output()?;
    let list = text(&list.stdout);
    let required = std::env::var("RUFF_REQUIRE_TARGETS").unwrap_or_default();
    let mut trials = Vec::new();
    for (target, few) in ELSEWHERE {
        let row = list.lines().find(|row| row.starts_with(target));
        // A heading, then what there is for each target.
        let is_ready = row.is_some_and(|row| {
            let cells: Vec<&str> = row.split("  ").filter(|cell| !cell.is_empty()).collect();
            let has = |cell: usize, nothing: &str| !cells[cell].trim().starts_with(nothing);
            has(2, "no") && has(3, "none") && has(4, "no")
        });
        let is_required = required.split_whitespace().any(|name| name == *target);
        if is_required && !is_ready {
            let found = row.unwrap_or_default().to_owned();
            let trial = Trial::test(format!("{target}: is ready"), || Err(found.into()));
            trials.push(trial);
        }
        if !is_ready {
            continue;
        }
        for (name, path) in programs {
            let is_there = !NOT_THERE.contains(&(*target, name));
            if is_there && (few.is_empty() || few.iter().any(|start| name.starts_with(start))) {
                let (target, path) = (*target, path.clone());
                let check = move || check_elsewhere(&path, target);
                trials.push(Trial::test(format!("{target}: {name}"), check));
            }
        }
    }
    Ok(trials)
}

/// Runs a program as an executable for another target, as expected and with
/// the interpreter's messages.
fn check_elsewhere(program: &Path, target: &'static str) -> Result<(), Failed> {
    let expected = Expected::read(program)?;
    let interpreted = ENGINES[0].run(program, &expected)?;
    let elsewhere = Engine {
        name: target,
        way: Way::Elsewhere,
    };
    let outcome = elsewhere.run(program, &expected)?;
    let mut failures = String::new();
    expected.compare(&outcome, target, &mut failures)?;
    let (one, other) = (text(&interpreted.stderr), text(&outcome.stderr));
    let other = without_emulators_own(&other);
    if one != other {
        writeln!(
            failures,
            "-- {target}: standard error is not the interpreter's"
        )?;
        writeln!(failures, "{}", difference(&one, &other))?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.into())
    }
}

/// Standard error without what Wine says of its own services, which may break under
/// load: a program that breaks ends otherwise as well.
fn without_emulators_own(stderr: &str) -> String {
    let lines = stderr.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("wine: ")).collect()
}

/// Collects the programs below a folder by their names, without extension.
fn find_programs(
    folder: &Path,
    prefix: &str,
    found: &mut BTreeMap<String, PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(stem) = path.file_stem().and_then(OsStr::to_str) else {
            continue;
        };
        if path.is_dir() && stem != "lib" {
            find_programs(&path, &format!("{prefix}{stem}/"), found)?;
        } else if path.extension() == Some(OsStr::new("ruff")) {
            found.insert(format!("{prefix}{stem}"), path);
        }
    }
    Ok(())
}

/// The pending programs with the reasons: `name: reason`, a line each.
fn read_pending(file: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(file)?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(": ") {
            Some((name, reason)) => Ok((name.to_owned(), reason.to_owned())),
            None => Err(io::Error::other(format!(
                "pending.txt: no reason given: {line}"
            ))),
        })
        .collect()
}

fn check_pending(program: &Path, reason: &str) -> Result<(), Failed> {
    match check(program) {
        Ok(()) => Err(format!(
            "it passes now; take it off the list of pending programs ({reason})"
        )
        .into()),
        Err(_) => Ok(()),
    }
}

/// The ways to run a program; the interpreter is the one others are compared with.
const ENGINES: [Engine; 4] = [
    Engine {
        name: "interpreter",
        way: Way::Run(&["--engine", "interp"]),
    },
    Engine {
        name: "jit at once",
        way: Way::Run(&["--engine", "jit", "--jit-threshold", "1"]),
    },
    Engine {
        name: "jit when hot",
        way: Way::Run(&["--engine", "jit", "--jit-threshold", "100"]),
    },
    Engine {
        name: "executable",
        way: Way::Executable,
    },
];

struct Engine {
    name: &'static str,
    way: Way,
}

enum Way {
    /// `ruffc run` with these flags.
    Run(&'static [&'static str]),
    /// An executable is built.
    Executable,
    /// An executable for the target of the engine's name, by `ruffc run`.
    Elsewhere,
}

fn check(program: &Path) -> Result<(), Failed> {
    let expected = Expected::read(program)?;
    let mut failures = String::new();
    let mut first: Option<Outcome> = None;
    for engine in &ENGINES {
        let outcome = engine.run(program, &expected)?;
        expected.compare(&outcome, engine.name, &mut failures)?;
        match &first {
            Some(first) if first.stderr != outcome.stderr => {
                let (one, other) = (text(&first.stderr), text(&outcome.stderr));
                writeln!(
                    failures,
                    "-- {}: standard error is not the interpreter's",
                    engine.name
                )?;
                writeln!(failures, "{}", difference(&one, &other))?;
            }
            Some(_) => {}
            None => first = Some(outcome),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.into())
    }
}

/// What stands beside a program.
struct Expected {
    stdout: Vec<u8>,
    stderr_part: Option<String>,
    status: i32,
    args: Vec<String>,
    stdin: Option<PathBuf>,
}

impl Expected {
    fn read(program: &Path) -> Result<Expected, Failed> {
        let beside =
            |extension: &str| Some(program.with_extension(extension)).filter(|path| path.is_file());
        let text = |extension: &str| beside(extension).map(fs::read_to_string).transpose();
        let out = beside("out").ok_or("there is no .out file")?;
        Ok(Expected {
            stdout: fs::read(out)?,
            stderr_part: text("err")?.map(|part| part.trim_end_matches('\n').to_owned()),
            status: text("rc")?.map_or(Ok(0), |status| status.trim().parse())?,
            args: text("args")?
                .map_or_else(Vec::new, |args| args.lines().map(str::to_owned).collect()),
            stdin: beside("in"),
        })
    }

    fn compare(
        &self,
        outcome: &Outcome,
        engine: &str,
        failures: &mut String,
    ) -> Result<(), std::fmt::Error> {
        let stderr = text(&outcome.stderr);
        if outcome.end != End::Status(self.status) {
            writeln!(
                failures,
                "-- {engine}: {}, not exit status {}",
                outcome.end.text(),
                self.status
            )?;
            writeln!(failures, "{stderr}")?;
        }
        if stderr.contains(STILL_AT_WORK) {
            writeln!(failures, "-- {engine}: memory was not checked")?;
        }
        if outcome.stdout != self.stdout {
            writeln!(failures, "-- {engine}: wrong output")?;
            writeln!(
                failures,
                "{}",
                difference(&text(&self.stdout), &text(&outcome.stdout))
            )?;
        }
        if let Some(part) = &self.stderr_part
            && !stderr.contains(part)
        {
            writeln!(failures, "-- {engine}: standard error lacks `{part}`")?;
            writeln!(failures, "{stderr}")?;
        }
        Ok(())
    }
}

impl Engine {
    /// Runs a program in its own folder, so that messages name files alike.
    fn run(&self, program: &Path, expected: &Expected) -> Result<Outcome, Failed> {
        let file = program.file_name().ok_or("a program has a name")?;
        let in_folder = |command: &mut Command| {
            command.current_dir(program.parent().unwrap_or(Path::new(".")));
        };
        let flags = match self.way {
            Way::Run(flags) => Some(flags.to_vec()),
            Way::Elsewhere => Some(vec!["--target", self.name]),
            Way::Executable => None,
        };
        if let Some(flags) = flags {
            let mut command = Command::new(RUFFC);
            command
                .args(["run", "--check-memory"])
                .args(flags)
                .arg(file)
                .arg("--")
                .args(&expected.args);
            in_folder(&mut command);
            let timeout = match self.way {
                Way::Elsewhere => TIMEOUT * EMULATION,
                Way::Run(_) | Way::Executable => TIMEOUT,
            };
            return Ok(run(command, expected.stdin.as_deref(), timeout)?);
        }
        let folder = tempfile::tempdir()?;
        let executable = folder.path().join("program");
        let mut build = Command::new(RUFFC);
        build
            .args(["build", "--no-fallback", "--check-memory", "-o"])
            .arg(&executable)
            .arg(file);
        in_folder(&mut build);
        let built = run(build, None, TIMEOUT)?;
        // A program that is refused is refused alike, whether built or run.
        if built.end != End::Status(0) {
            return Ok(built);
        }
        let mut command = Command::new(&executable);
        command.args(&expected.args);
        in_folder(&mut command);
        Ok(run(command, expected.stdin.as_deref(), TIMEOUT)?)
    }
}

/// What a process left behind.
struct Outcome {
    end: End,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Status(i32),
    Signal(i32),
    Timeout(Duration),
}

impl End {
    fn text(self) -> String {
        match self {
            End::Status(status) => format!("exit status {status}"),
            End::Signal(signal) => format!("killed by signal {signal}"),
            End::Timeout(time) => format!("still running after {} s", time.as_secs()),
        }
    }
}

fn run(mut command: Command, stdin: Option<&Path>, timeout: Duration) -> io::Result<Outcome> {
    command.stdin(match stdin {
        Some(file) => Stdio::from(fs::File::open(file)?),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = read_in_background(child.stdout.take());
    let stderr = read_in_background(child.stderr.take());
    let end = wait(&mut child, timeout)?;
    let stdout = stdout
        .join()
        .map_err(|_| io::Error::other("reading failed"))??;
    let stderr = stderr
        .join()
        .map_err(|_| io::Error::other("reading failed"))??;
    Ok(Outcome {
        end,
        stdout,
        stderr,
    })
}

fn read_in_background<T: Read + Send + 'static>(
    pipe: Option<T>,
) -> thread::JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            pipe.take(OUTPUT_LIMIT).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

fn wait(child: &mut Child, timeout: Duration) -> io::Result<End> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(end_of(status));
        }
        if start.elapsed() > timeout {
            child.kill()?;
            child.wait()?;
            return Ok(End::Timeout(timeout));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn end_of(status: ExitStatus) -> End {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Signal(signal);
    }
    End::Status(status.code().unwrap_or(-1))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first line in which two texts differ, with some lines around it.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let same = expected
        .iter()
        .zip(&found)
        .take_while(|(one, other)| one == other)
        .count();
    let mut shown = format!("first difference in line {}:\n", same + 1);
    let from = same.saturating_sub(2);
    expected[from..same]
        .iter()
        .for_each(|line| shown.push_str(&format!("   {line}\n")));
    expected[same..]
        .iter()
        .take(4)
        .for_each(|line| shown.push_str(&format!("  -{line}\n")));
    found[same..]
        .iter()
        .take(4)
        .for_each(|line| shown.push_str(&format!("  +{line}\n")));
    if same == expected.len() && same == found.len() {
        shown.push_str("  (only line ends differ)\n");
    }
    shown
}
