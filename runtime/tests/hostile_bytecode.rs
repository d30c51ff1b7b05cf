//! Whatever the verifier accepts, the interpreter runs without harm.
//!
//! Random programs, half of them changed at random places, are verified, run
//! and freed.  Each batch runs in a process of its own: a crash ends that
//! process, and the test names the seed.  To look at one program, run the test
//! `batch` with `RUFF_HOSTILE=<seed>,1`; `RUFF_HOSTILE_SHOW=1` prints it first.
//! `RUFF_HOSTILE_PROGRAMS` sets how many are run.

#[path = "hostile_bytecode/generate.rs"]
mod generate;

use generate::Random;
use ruff_runtime::builtins;
use ruff_runtime::bytecode::disasm::disassemble;
use ruff_runtime::bytecode::verify::verify;
use ruff_runtime::bytecode::{FunctionId, Op, Program};
use ruff_runtime::call::{Entry, Resume};
use ruff_runtime::context::{LoopEntry, Tier, VMContext};
use ruff_runtime::heap::allocator;
use ruff_runtime::interp::entry_for;
use ruff_runtime::loaded::LoadedProgram;
use ruff_runtime::start;
use std::env;
use std::process::Command;

/// Programs that are run, and how many of them by one process at most.
const PROGRAMS: u64 = 3000;
const BATCH: u64 = 100;

/// A process that ends itself because something takes too long says so by this.
const IMPATIENT: i32 = 77;

#[test]
fn verified_programs_do_no_harm() {
    let mut failures = Vec::new();
    let programs = env::var("RUFF_HOSTILE_PROGRAMS")
        .ok()
        .and_then(|count| count.parse().ok());
    let mut next = 0;
    while next < programs.unwrap_or(PROGRAMS) {
        let (ended, last) = run_batch(next, BATCH);
        if ended == Ended::Badly {
            failures.push(last);
        }
        next = last + 1;
    }
    assert!(
        failures.is_empty(),
        "seeds of harmful programs: {failures:?}"
    );
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
}

/// Runs programs in another process until one of them ends it; gives how that
/// was and the last program's seed.
fn run_batch(first: u64, count: u64) -> (Ended, u64) {
    let test = env::current_exe().expect("a test has a file");
    let output = Command::new(test)
        .args(["batch", "--exact", "--nocapture"])
        .env("RUFF_HOSTILE", format!("{first},{count}"))
        .output()
        .expect("a test can be started");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let mut started = stdout.lines().filter_map(|line| line.strip_prefix(STARTED));
    let last = started
        .next_back()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(first);
    let well = output.status.success() || output.status.code() == Some(IMPATIENT);
    if !well {
        eprintln!(
            "{last}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    (if well { Ended::Well } else { Ended::Badly }, last)
}

/// What a process writes before each program, followed by its seed.
const STARTED: &str = "program ";

/// Does nothing unless it is told which programs to run.
#[test]
fn batch() {
    let Ok(range) = env::var("RUFF_HOSTILE") else {
        return;
    };
    let mut numbers = range
        .split(',')
        .map(|number| number.parse::<u64>().expect("a number"));
    let (first, count) = (
        numbers.next().expect("a seed"),
        numbers.next().expect("a count"),
    );
    let mut verified = 0;
    for seed in first..first + count {
        println!("{STARTED}{seed}");
        verified += u64::from(check(seed));
    }
    assert!(
        count < BATCH || verified > count / 3,
        "only {verified} of {count} programs are valid"
    );
}

/// Whether the program is valid; runs it if so.
fn check(seed: u64) -> bool {
    let mut program = generate::program(seed);
    let mut random = Random::new(!seed);
    if seed % 2 == 1 {
        (0..=random.below(3)).for_each(|_| mutate(&mut random, &mut program));
    }
    if env::var_os("RUFF_HOSTILE_SHOW").is_some() {
        println!("{}", disassemble(&program));
    }
    if let Err(error) = verify(&mut program) {
        assert!(seed % 2 == 1, "{seed}: {error}\n{}", disassemble(&program));
        return false;
    }
    start::on_large_stack(&mut || run(program.clone()));
    true
}

fn run(program: Program) {
    let entries: Vec<Entry> = program.functions.iter().map(entry_for).collect();
    let before = allocator::live_blocks();
    let loaded = LoadedProgram::load(Box::new(program), &|_, name| builtins::find(name), &|id| {
        entries[id as usize]
    })
    .expect("the built-ins are there");
    let mut ctx = VMContext::new(loaded);
    ctx.output.redirect = Some(Box::new(|_| {}));
    ctx.tier = Some(Box::new(Impatient));
    let _ = ctx.run();
    drop(ctx);
    let left = allocator::live_blocks().saturating_sub(before);
    assert!(left == 0, "{left} blocks that nothing frees");
}

/// Ends the process when something takes too long, which is no harm.
struct Impatient;

impl Tier for Impatient {
    fn compile_function(&mut self, _: &Program, _: FunctionId) -> Option<Entry> {
        std::process::exit(IMPATIENT)
    }

    fn compile_generator(&mut self, _: &Program, _: FunctionId) -> Option<(Entry, Resume)> {
        std::process::exit(IMPATIENT)
    }

    fn compile_loop(&mut self, _: &Program, _: FunctionId, _: u32) -> Option<LoopEntry> {
        std::process::exit(IMPATIENT)
    }

    fn threshold(&self) -> u32 {
        2_000
    }

    fn share(&self) -> Box<dyn Tier + Send> {
        Box::new(Impatient)
    }
}

/// Changes one instruction of the program: what it does, where it is, or one
/// of its operands.
fn mutate(random: &mut Random, program: &mut Program) {
    let func = random.below(program.functions.len());
    let other = random.below(program.functions.len());
    let from = program.functions[other].code.clone();
    let code = &mut program.functions[func].code;
    let at = random.below(code.len());
    match random.below(4) {
        0 => code[at] = from[random.below(from.len())],
        1 => {
            let second = random.below(code.len());
            code.swap(at, second);
        }
        2 => {
            code[at] = *[
                Op::Pop {},
                Op::Dup {},
                Op::Null {},
                Op::Return {},
                Op::ClearLocal { slot: 1 },
            ]
            .get(random.below(5))
            .unwrap_or(&Op::Null {});
        }
        _ => {
            let slot = random.below(8) as u32;
            code[at] = *[
                Op::LoadLocal { slot },
                Op::MoveLocal { slot },
                Op::StoreLocal { slot },
                Op::LoadCell { slot },
                Op::NewCell { slot },
                Op::BoxLocal { slot },
            ]
            .get(random.below(6))
            .unwrap_or(&Op::Null {});
        }
    }
}
