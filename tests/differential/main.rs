//! Random programs: all engines must make the same of each.
//!
//! A program follows from its seed.  Workers, processes of their own, run it
//! on the interpreter, on the JIT at two thresholds, and now and then as an
//! executable, and compare output, errors, exit status; memory that is left is
//! a difference too.  What was found is made smaller and kept in a file.
//!
//! `RUFF_DIFFERENTIAL_COUNT` says how many programs, `RUFF_DIFFERENTIAL_SEED`
//! the first seed.  With a count of 1, the program itself is shown.

mod expressions;
mod generate;
mod judge;
mod kernels;
mod node;
mod shapes;
mod shrink;
mod statements;
mod types;
mod worker;

use judge::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};
use node::{Kind, Node};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use worker::Worker;

/// Programs of a run, unless somebody says otherwise.
const COUNT: u64 = 2_000;
/// Programs of one trial.
const CHUNK: u64 = 250;
/// One program of so many is also built.
const BUILT: u64 = 12;
/// Finds after which a trial ends.
const MOST_FINDS: usize = 4;
/// Programs that making one smaller may try.
const BUDGET: usize = 1_500;

fn main() -> ExitCode {
    match worker::is_worker() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a worker lost its peer: {error}");
            return ExitCode::FAILURE;
        }
    }
    let first = number("RUFF_DIFFERENTIAL_SEED", 1);
    let count = number("RUFF_DIFFERENTIAL_COUNT", COUNT);
    let mut trials = vec![
        Trial::test("differences are seen", seen_differences),
        Trial::test("programs are made smaller", smaller_programs),
        Trial::test("programs show what the language has", varied_programs),
    ];
    for start in (first..first + count).step_by(CHUNK as usize) {
        let end = (start + CHUNK).min(first + count);
        let name = format!("seeds {start} to {}", end - 1);
        trials.push(Trial::test(name, move || check(start, end)));
    }
    if count == 1 {
        println!("{}", generate::program(first).text());
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |text| text.parse().expect("it is a number"))
}

/// Runs the programs of these seeds.
fn check(start: u64, end: u64) -> Result<(), Failed> {
    let mut worker = Worker::start()?;
    let mut finds = Vec::new();
    for seed in start..end {
        let program = generate::program(seed);
        let is_built = seed % BUILT == 0;
        let report = match worker.ask(&program.text(), is_built)? {
            Verdict::Alike => continue,
            Verdict::Refused(reason) => format!("the program is not valid: {reason}\n"),
            Verdict::Different(_) => reduced(seed, program, is_built, &mut worker)?,
        };
        finds.push(format!("-- seed {seed}\n{report}"));
        if finds.len() == MOST_FINDS {
            break;
        }
    }
    match finds.is_empty() {
        true => Ok(()),
        false => Err(finds.concat().into()),
    }
}

/// Makes a find smaller, keeps it in a file, and tells about it.
fn reduced(seed: u64, program: Node, is_built: bool, worker: &mut Worker) -> io::Result<String> {
    // An executable is slow to make, so it is only made if it takes one.
    let text = program.text();
    let takes_executable = is_built && !matches!(worker.ask(&text, false)?, Verdict::Different(_));
    let small = shrink::shrink(program, BUDGET, &mut |text| {
        matches!(
            worker.ask(text, takes_executable),
            Ok(Verdict::Different(_))
        )
    });
    let small = small.text();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{seed}.ruff"));
    std::fs::write(&file, &small)?;
    let report = match worker.ask(&small, takes_executable)? {
        Verdict::Different(report) => report,
        _ => "not seen again: it depends on something besides the program\n".to_owned(),
    };
    Ok(format!("{}:\n{small}\n{report}", file.display()))
}

/// A clock makes a difference, and too much memory ends the process; the next
/// program is judged all the same.
fn seen_differences() -> Result<(), Failed> {
    let mut worker = Worker::start()?;
    let judged = [
        ("print(1)", 'a'),
        ("print(time_ns())", 'd'),
        ("throw(time_ns())", 'd'),
        ("exit(time_ns() % 256)", 'd'),
        ("pad_left(\"a\", 9223372036854775807, \"0\")", 'd'),
        ("print(", 'r'),
        ("throw(\"the same\")", 'a'),
    ];
    for (text, expected) in judged {
        let verdict = match worker.ask(text, true)? {
            Verdict::Alike => 'a',
            Verdict::Refused(_) => 'r',
            Verdict::Different(_) => 'd',
        };
        if verdict != expected {
            return Err(format!("{text}: {verdict}, not {expected}").into());
        }
    }
    Ok(())
}

fn smaller_programs() -> Result<(), Failed> {
    for seed in 1..20 {
        let program = generate::program(seed);
        let small = shrink::shrink(program, 5_000, &mut |text| text.contains("except"));
        let text = small.text();
        if text.len() > 100 {
            return Err(format!("this could be smaller:\n{text}").into());
        }
        let Node::Tree(Kind::Sequence, _) = small else {
            return Err("a program is a sequence of statements".into());
        };
    }
    Ok(())
}

/// Words that some of the first programs should contain.
const SHOWN: &[&str] = &[
    "let ",
    "const ",
    "mut ",
    " += ",
    " %= ",
    "else if",
    "while ",
    "loop while",
    "break",
    "continue",
    "match ",
    " if n > ",
    "Ok(",
    "Err",
    "Some(",
    "None",
    "try ",
    "throw",
    "return ",
    "func* ",
    "yield ",
    "struct ",
    "op_add",
    "self.",
    ".bump(",
    "async ",
    "await ",
    "...",
    " ?? ",
    " |> ",
    "?.",
    "map(",
    "filter(",
    "reduce(",
    "sort(",
    ".push(",
    ".pop()",
    "${",
    "range(",
    "9223372036854775807",
    ") / ",
    ") % ",
    "r1",
    "] := [",
    "{k: ",
];

fn varied_programs() -> Result<(), Failed> {
    let mut missing = SHOWN.to_vec();
    for seed in 1..=200 {
        let text = generate::program(seed).text();
        if text != generate::program(seed).text() {
            return Err(format!("seed {seed} has more than one program").into());
        }
        missing.retain(|word| !text.contains(word));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("never seen: {missing:?}").into()),
    }
}
