//! One program on all engines, in this process.
//!
//! Executables are other processes, so they are asked less often.  Besides
//! what can be seen, objects that are left are counted.

use ruff_runtime::context::VMContext;
use ruff_runtime::start;
use ruffc::driver::{self, Build, Fallbacks, Kind, Linking, Log, Role, Sink, Wanted};
use ruffc::emit::{Bodies, Effort, Memory, Options, TargetOptions};
use ruffc::link::{Goal, Libc, Linker, Symbols};
use ruffc::source::SourceMap;
use ruffc::vm::{self, Chunk, Engine, Error, JitOptions, RuntimeError, Session};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;

/// What the engines make of a program.
pub enum Verdict {
    /// The same.
    Alike,
    /// It is not valid, for this reason.
    Refused(String),
    /// Something else, namely this.
    Different(String),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    stdout: String,
    stderr: String,
    status: i32,
}

const NAME: &str = "program.ruff";

/// Runs a program on the engines, in `folder` also as an executable.
pub fn judge(text: &str, folder: Option<&Path>) -> Verdict {
    let chunk = match Chunk::compile(NAME, text) {
        Ok(chunk) => chunk,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let mut report = String::new();
    let expected = in_process(&chunk, Engine::Interpreter, "interpreter", &mut report);
    // How well the code generator optimises is not what is tested.
    for (threshold, effort) in [(1, Effort::Full), (3, Effort::Quick)] {
        let mut options = JitOptions {
            threshold,
            ..JitOptions::default()
        };
        options.target.verify = folder.is_some();
        options.target.effort = effort;
        let name = format!("jit after {threshold}");
        let outcome = in_process(&chunk, Engine::Jit(options), &name, &mut report);
        compare(&expected, &outcome, &name, &mut report);
    }
    if let Some(folder) = folder {
        match executable(text, folder) {
            Ok(outcome) => compare(&expected, &outcome, "executable", &mut report),
            Err(failure) => report.push_str(&format!("the executable: {failure}\n")),
        }
    }
    if report.is_empty() {
        Verdict::Alike
    } else {
        Verdict::Different(report)
    }
}

fn in_process(chunk: &Chunk, engine: Engine, name: &str, report: &mut String) -> Outcome {
    let mut outcome = None;
    start::on_large_stack(&mut || {
        let before = start::live_blocks();
        outcome = Some(run(chunk, engine.clone()));
        let left = start::live_blocks().wrapping_sub(before);
        if left != 0 {
            report.push_str(&format!("{name}: {left} blocks of memory are left\n"));
        }
    });
    outcome.expect("the program was run")
}

fn run(chunk: &Chunk, engine: Engine) -> Outcome {
    let stdout = Rc::new(RefCell::new(Vec::new()));
    let loaded = vm::load(chunk.program().clone()).expect("its built-ins exist");
    let mut ctx = VMContext::new(loaded);
    vm::attach(&mut ctx, engine, Default::default());
    let written = stdout.clone();
    ctx.output.redirect = Some(Box::new(move |bytes| {
        written.borrow_mut().extend_from_slice(bytes);
    }));
    let result = Session::new(&mut ctx).execute();
    ctx.output.flush();
    drop(ctx);
    let (stderr, status) = match result {
        Ok(_) => (String::new(), 0),
        Err(Error::Exited(status)) => (String::new(), status),
        Err(Error::Raised(error)) => (described(&error), driver::STATUS_RUNTIME_ERROR),
        Err(error) => (error.to_string(), -1),
    };
    let stdout = String::from_utf8_lossy(&stdout.borrow()).into_owned();
    Outcome {
        stdout,
        stderr,
        status,
    }
}

/// An uncaught error as programs report it.
fn described(error: &RuntimeError) -> String {
    let mut text = format!("[RUFVM001] [vm] Runtime Error: {}\n", error.message);
    let (file, line, column) = error.place.clone().unwrap_or_default();
    text.push_str(&format!("  --> {file}:{line}:{column}\n"));
    if !error.stack.is_empty() {
        text.push_str("\nCall stack:\n");
        for (index, name) in error.stack.iter().enumerate() {
            text.push_str(&format!("  {index} at {name}\n"));
        }
    }
    text.push('\n');
    text
}

/// Builds the program, and runs it.
fn executable(text: &str, folder: &Path) -> Result<Outcome, String> {
    let (input, output) = (folder.join(NAME), folder.join("program"));
    std::fs::write(&input, text).map_err(|error| error.to_string())?;
    let host = env!("RUFFC_RUNTIME_TARGET")
        .parse()
        .expect("the host's name is known");
    let request = Build {
        input,
        with: Vec::new(),
        name: None,
        role: Role::Program,
        wanted: vec![Wanted {
            kind: Kind::Exe,
            sink: Sink::File(output.clone()),
        }],
        code: Options {
            target: TargetOptions {
                verify: true,
                ..TargetOptions::new(host)
            },
            bodies: Bodies::Compiled,
            memory: Memory::Checked,
        },
        fallbacks: Fallbacks::Refused,
        linking: Linking {
            linker: Linker::Auto,
            goal: Goal::Speed,
            runtime: None,
            libc: Libc::Dynamic,
            symbols: Symbols::Stripped,
            directories: Vec::new(),
        },
        wants_shares: false,
    };
    driver::build(&request, &mut SourceMap::new(), &mut Log::new(false))
        .map_err(|failure| format!("{failure:?}"))?;
    let run = Command::new(&output)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let status = run.status.code().ok_or_else(|| run.status.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Outcome {
        stdout: text(&run.stdout),
        // The file was named with its folder.
        stderr: text(&run.stderr).replace(&format!("{}/", folder.display()), ""),
        status,
    })
}

fn compare(expected: &Outcome, found: &Outcome, name: &str, report: &mut String) {
    let parts = [
        ("output", &expected.stdout, &found.stdout),
        ("error", &expected.stderr, &found.stderr),
    ];
    for (part, expected, found) in parts {
        if expected == found {
            continue;
        }
        let (one, other): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
        let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let line = |lines: &[&str]| lines.get(same).copied().unwrap_or("(nothing)").to_owned();
        let (one, other) = (line(&one), line(&other));
        let _ = writeln!(
            report,
            "{name}: {part} line {}:\n  -{one}\n  +{other}",
            same + 1
        );
    }
    if expected.status != found.status {
        let (one, other) = (expected.status, found.status);
        let _ = writeln!(report, "{name}: status {other}, not {one}");
    }
}
