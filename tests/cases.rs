//! The cases in `tests/cases`: programs that hold what they expect.
//!
//! A folder is a stage, and every `.ruff` file in it a test.  To add a stage,
//! add a row to `STAGES`.  `RUFF_BLESS=1 cargo test --test cases` rewrites the
//! expectations; read the difference like code.
//!
//! Lines with expectations are removed before the program is compiled, so
//! they never disturb it, not even inside a string that is left open:
//!
//! * `//= …` lines at the end of a file are a dump;
//! * `//~ …` lines pin a diagnostic to the line above them.  Carets mark what
//!   its span covers; `@3` stands for column 3 where carets have no room, and
//!   `@eof` for the end of the file, behind the last line end.

use libtest_mimic::{Arguments, Failed, Trial};
use ruff_runtime::bytecode::disasm::disassemble;
use ruff_runtime::bytecode::verify::verify;
use ruffc::diagnostic::{self, Diagnostic, Form};
use ruffc::emit::{self, Bodies, Memory, Options, TargetOptions};
use ruffc::explain::{Colours, Explanation, Extent};
use ruffc::source::{FileId, SourceMap};
use ruffc::{check, explain, infer, lower, modules, resolve, syntax};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use target_lexicon::Triple;

struct Stage {
    folder: &'static str,
    check: Check,
}

#[derive(Clone, Copy)]
enum Check {
    /// Compares a dump with the `//=` lines.
    Dump(fn(&mut SourceMap, FileId) -> Result<String, Vec<Diagnostic>>),
    /// Compares diagnostics with the `//~` lines.
    Pinned(fn(&mut SourceMap, FileId) -> Vec<Diagnostic>),
}

const STAGES: &[Stage] = &[
    Stage {
        folder: "tokens",
        check: Check::Dump(tokens),
    },
    Stage {
        folder: "ast",
        check: Check::Dump(ast),
    },
    Stage {
        folder: "bytecode",
        check: Check::Dump(bytecode),
    },
    Stage {
        folder: "clif",
        check: Check::Dump(clif),
    },
    Stage {
        folder: "explain",
        check: Check::Dump(explained),
    },
    Stage {
        folder: "explain_json",
        check: Check::Dump(explained_as_json),
    },
    Stage {
        folder: "diagnostics",
        check: Check::Pinned(diagnostics),
    },
    Stage {
        folder: "check",
        check: Check::Pinned(warnings),
    },
];

/// A longer span is marked only in part.
const MOST_CARETS: u32 = 40;

fn tokens(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let (tokens, diagnostics) = syntax::tokens(sources, file);
    if diagnostics.is_empty() {
        Ok(syntax::dump::tokens(&tokens, sources))
    } else {
        Err(diagnostics)
    }
}

fn ast(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    syntax::parse(sources, file).map(|program| syntax::dump::tree(&program))
}

fn bytecode(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let tree = syntax::parse(sources, file)?;
    let graph = modules::load(Arc::new(tree), &[], sources)?;
    let mut program = lower::lower(graph, sources);
    verify(&mut program).expect("what was lowered is valid");
    Ok(disassemble(&program))
}

/// Before optimisation, for one target on all machines.
fn clif(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let tree = syntax::parse(sources, file)?;
    let graph = modules::load(Arc::new(tree), &[], sources)?;
    let mut program = lower::lower(graph, sources);
    verify(&mut program).expect("what was lowered is valid");
    let options = options_for_all_machines();
    let facts = infer::infer(&program);
    let listing = emit::clif(&program, &facts, None, &options).expect("the target is supported");
    Ok(declared_functions(&listing))
}

fn options_for_all_machines() -> Options {
    let triple = Triple::from_str("x86_64-unknown-linux-gnu").expect("a well-known target");
    Options {
        target: TargetOptions {
            verify: true,
            ..TargetOptions::new(triple)
        },
        bodies: Bodies::Compiled,
        memory: Memory::Trusted,
    }
}

fn explained(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let explanation = explanation(sources, file)?;
    Ok(explain::text(
        &explanation,
        sources,
        Extent::Often,
        Colours::Off,
    ))
}

/// One note a line.
fn explained_as_json(sources: &mut SourceMap, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let json = explain::json(&explanation(sources, file)?);
    Ok(json.replace("{\"file\":", "\n{\"file\":"))
}

fn explanation(sources: &mut SourceMap, file: FileId) -> Result<Explanation, Vec<Diagnostic>> {
    let tree = syntax::parse(sources, file)?;
    let graph = modules::load(Arc::new(tree), &[], sources)?;
    let mut program = lower::lower(graph, sources);
    verify(&mut program).expect("what was lowered is valid");
    let facts = infer::infer(&program);
    let options = options_for_all_machines();
    let decided = emit::decisions(&program, &facts, &options).expect("the target is supported");
    Ok(explain::explain(&program, &decided, sources))
}

/// The listed bodies of functions that the program declares.
fn declared_functions(listing: &str) -> String {
    let mut is_wanted = false;
    let mut wanted = String::new();
    for line in listing.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("; ruff.") {
            is_wanted = !name.starts_with('<') && !name.contains('$');
        }
        if is_wanted {
            wanted.push_str(line);
        }
    }
    wanted
}

fn diagnostics(sources: &mut SourceMap, file: FileId) -> Vec<Diagnostic> {
    let graph =
        syntax::parse(sources, file).and_then(|tree| modules::load(Arc::new(tree), &[], sources));
    graph.err().unwrap_or_default()
}

fn warnings(sources: &mut SourceMap, file: FileId) -> Vec<Diagnostic> {
    let tree = syntax::parse(sources, file).expect("the program parses");
    let tree = Arc::new(tree);
    let tests = resolve::tests(&tree);
    let graph = modules::load(tree.clone(), &tests, sources).expect("the program is right");
    let mut lowered = lower::lower_with_tests(graph, &tests, sources);
    verify(&mut lowered.program).expect("what was lowered is valid");
    check::warnings(&tree, &tests, &lowered, sources)
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = STAGES.iter().flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(stage: &Stage) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(stage.folder);
    let entries = std::fs::read_dir(&folder).expect("every stage has a folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "ruff")
        })
        .collect();
    paths.sort();
    let trial = |path: PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let check = stage.check;
        Trial::test(format!("{}::{stem}", stage.folder), move || {
            on_large_stack(path, check)
        })
    };
    paths.into_iter().map(trial).collect()
}

/// The compiler expects the stack that the driver gives it.
fn on_large_stack(path: PathBuf, check: Check) -> Result<(), Failed> {
    let thread = std::thread::Builder::new().stack_size(1 << 30);
    let worker = thread
        .spawn(move || run(&path, check))
        .map_err(Failed::from)?;
    worker.join().map_err(|_| Failed::from("panicked"))?
}

fn run(path: &Path, check: Check) -> Result<(), Failed> {
    let expected = std::fs::read_to_string(path)?;
    let program = without_expectations(&expected);
    let mut sources = SourceMap::new();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = sources.add(name, program.as_str());
    let actual = match check {
        Check::Dump(dump) => match dump(&mut sources, file) {
            Ok(text) => with_dump(&program, &text),
            Err(diagnostics) => with_dump(&program, &report(&diagnostics, &sources)),
        },
        Check::Pinned(diagnose) => with_pins(&program, &diagnose(&mut sources, file), &sources),
    };
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("RUFF_BLESS").is_some() {
        return Ok(std::fs::write(path, actual)?);
    }
    Err(difference(&expected, &actual).into())
}

fn without_expectations(text: &str) -> String {
    let is_program = |line: &&str| !line.starts_with("//=") && !line.starts_with("//~");
    let mut program: String = text.split_inclusive('\n').filter(is_program).collect();
    // The empty line before a dump belongs to it.
    if text.contains("\n\n//=") {
        program.truncate(program.trim_end_matches('\n').len());
        program.push('\n');
    }
    program
}

fn report(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    diagnostics
        .iter()
        .map(|found| diagnostic::text(found, sources, Form::Plain))
        .collect()
}

fn with_dump(program: &str, dump: &str) -> String {
    let mut out = format!("{program}\n");
    for line in dump.lines() {
        let line = format!("//= {line}");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn with_pins(program: &str, diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = program.split_inclusive('\n').collect();
    for (index, line) in lines.iter().enumerate() {
        out.push_str(line);
        let number = index as u32 + 1;
        let is_last = index + 1 == lines.len();
        for found in diagnostics {
            let at = found.span.map_or(1, |span| sources.line_column(span).line);
            if at == number || is_last && at > number {
                out.push_str(&pin(found, number, sources));
            }
        }
    }
    out
}

/// The line that pins a diagnostic below line `number`.
fn pin(found: &Diagnostic, number: u32, sources: &SourceMap) -> String {
    let message = format!(
        "{}[{}]: {}",
        found.severity.word(),
        found.code.text(),
        found.title()
    );
    let Some(span) = found.span else {
        return format!("//~ {message}\n");
    };
    let start = sources.line_column(span);
    let end = sources.end_line_column(span);
    if start.line > number {
        return format!("//~ @eof {message}\n");
    }
    // Carets cannot stand where `//~` itself stands.
    if start.column < 5 {
        return format!("//~ @{} {message}\n", start.column);
    }
    let covered = if end.line == start.line {
        end.column - start.column
    } else {
        1
    };
    let width = covered.clamp(1, MOST_CARETS);
    let gap = " ".repeat(start.column as usize - 4);
    format!("//~{gap}{} {message}\n", "^".repeat(width as usize))
}

fn difference(expected: &str, actual: &str) -> String {
    let mut out = String::from("the outcome differs (RUFF_BLESS=1 accepts it):\n");
    let first = expected
        .lines()
        .zip(actual.lines())
        .take_while(|(left, right)| left == right);
    let common = first.count();
    for (sign, text) in [('-', expected), ('+', actual)] {
        for line in text.lines().skip(common).take(20) {
            let _ = writeln!(out, "{sign} {line}");
        }
    }
    out
}
