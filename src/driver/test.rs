//! Running the tests of programs (reference, section 13).
//!
//! What is printed of the results is the business of the command line; what the
//! programs themselves print comes out while they run, unless it is kept.

use super::{Failure, Log, Test, load, lower_with_tests};
use crate::emit::jit::{SharedStats, locked};
use crate::resolve;
use crate::source::SourceMap;
use crate::syntax::{self, token::TokenKind};
use crate::vm::{self, Error, Session};
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::VMContext;
use ruff_runtime::start;
use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of the tests of one program.
#[derive(Debug, Default)]
pub struct Tested {
    pub ending: Ending,
    /// In the order of the source.
    pub outcomes: Vec<Outcome>,
    /// How long the tests took together.
    pub duration: Duration,
    /// What the top level printed, if that is kept.
    pub output: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The program has no tests, and was not run.
    #[default]
    NoTests,
    /// It has, but none that were asked for, and was not run.
    NoMatch,
    /// The top level failed, or ended the process, with this status.
    Stopped(i32),
    /// Every test was run.
    Done,
}

/// What became of one test.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    /// The groups around it, outermost first.
    pub groups: Vec<String>,
    /// Where it stands, from 1.
    pub line: u32,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    pub duration: Duration,
    /// What it printed, if that is kept.
    pub output: Option<String>,
}

/// A file to be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// It was asked for by its name; others were found in a folder.
    pub is_named: bool,
}

/// Runs the tests of a program; calls `announce` before anything of it runs.
///
/// # Errors
/// If the program is wrong.  What goes wrong in its top level is reported as
/// when it is run.
pub fn test(
    request: &Test,
    announce: impl FnOnce(),
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Tested, Failure> {
    let file = load(&request.input, sources, log)?;
    let tree = Arc::new(log.stage("parse", || syntax::parse(sources, file))?);
    let mut tests = resolve::tests(&tree);
    let has_tests = !tests.is_empty();
    if let Some(filter) = &request.filter {
        tests.retain(|test| {
            test.name.contains(filter) || test.groups.iter().any(|group| group.contains(filter))
        });
    }
    let lowered = lower_with_tests(tree.clone(), &tests, &request.with, sources, log)?;
    if tests.is_empty() {
        return Ok(Tested::without_running(match has_tests {
            true => Ending::NoMatch,
            false => Ending::NoTests,
        }));
    }

    announce();
    let loaded = log.stage("prepare", || vm::load(lowered.program))?;
    let mut ctx = VMContext::new(loaded);
    let stats = SharedStats::default();
    vm::attach(&mut ctx, request.engine.clone(), stats.clone());
    let kept = request.keeps_output.then(Rc::default);
    if let Some(kept) = &kept {
        keep_output(&mut ctx, kept);
    }
    let status = log.stage("run", || start::run_and_report(&mut ctx));
    let mut tested = Tested::without_running(Ending::Done);
    tested.output = kept.as_deref().map(take_output);
    if status != 0 || ctx.exit_status.is_some() {
        tested.ending = Ending::Stopped(status);
        return Ok(tested);
    }
    log.stage("test", || {
        let start = Instant::now();
        let outcomes = run_all(&mut ctx, &lowered.tests, kept.as_deref());
        tested.duration = start.elapsed();
        for (test, outcome) in tests.iter().zip(outcomes) {
            tested.outcomes.push(Outcome {
                name: test.name.to_string(),
                groups: test.groups.iter().map(|name| name.to_string()).collect(),
                line: sources.line_column(test.statement.span).line,
                ..outcome
            });
        }
    });
    log.keep_stats(locked(&stats).clone());
    Ok(tested)
}

impl Tested {
    fn without_running(ending: Ending) -> Tested {
        Tested {
            ending,
            ..Tested::default()
        }
    }

    /// Whether there was nothing to be run.
    pub fn is_idle(&self) -> bool {
        matches!(self.ending, Ending::NoTests | Ending::NoMatch)
    }

    /// How many tests failed.
    pub fn failed(&self) -> usize {
        let failed = |outcome: &&Outcome| outcome.failure.is_some();
        self.outcomes.iter().filter(failed).count()
    }
}

/// Runs tests one after the other, each with the variables as the top level
/// has left them.  Names and places are not known here.
fn run_all(ctx: &mut VMContext, tests: &[FunctionId], kept: Option<&Kept>) -> Vec<Outcome> {
    let mut session = Session::new(ctx);
    let variables = session.variables();
    let mut outcomes = Vec::new();
    for test in tests {
        session.restore(&variables);
        let start = Instant::now();
        let result = session.test(*test);
        outcomes.push(Outcome {
            name: String::new(),
            groups: Vec::new(),
            line: 0,
            failure: result.err().map(|error| reason(&error)),
            duration: start.elapsed(),
            output: kept.map(take_output),
        });
    }
    // What the last test left behind is nobody's business.
    session.restore(&variables);
    outcomes
}

/// Why a test failed.
fn reason(error: &Error) -> String {
    match error {
        Error::Raised(error) => error.message.clone(),
        // `exit` ends a program; a test must not end the others with it.
        Error::Exited(status) => format!("The test ended the program with exit({status})"),
        Error::Compile { .. } | Error::Verify(_) | Error::Load(_) | Error::Typed(_) => {
            error.to_string()
        }
    }
}

/// Output that is kept instead of being printed.
type Kept = RefCell<Vec<u8>>;

fn keep_output(ctx: &mut VMContext, kept: &Rc<Kept>) {
    let kept = Rc::clone(kept);
    ctx.output.redirect = Some(Box::new(move |bytes| {
        kept.borrow_mut().extend_from_slice(bytes);
    }));
}

fn take_output(kept: &Kept) -> String {
    String::from_utf8_lossy(&std::mem::take(&mut *kept.borrow_mut())).into_owned()
}

/// The files to test: those that are named, and in folders that are named all
/// that seem to have tests, in the order of their paths.
///
/// # Errors
/// If a folder can't be read.
pub fn find_tests(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(Found {
                path: path.clone(),
                is_named: true,
            });
            continue;
        }
        let mut files = Vec::new();
        search(path, &mut files).map_err(|error| Failure::unreadable(path, &error))?;
        files.sort();
        found.extend(files.into_iter().map(|path| Found {
            path,
            is_named: false,
        }));
    }
    Ok(found)
}

/// Collects the files with tests below a folder.  What is hidden is left alone,
/// and links to folders are not followed: they might lead back.
fn search(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            search(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "ruff") && seems_to_have_tests(&path)
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a test is written somewhere in a file.  The file may be wrong
/// otherwise, which is worth saying only if it has tests.
fn seems_to_have_tests(path: &Path) -> bool {
    let mut sources = SourceMap::new();
    let Ok(file) = sources.load(path) else {
        return false;
    };
    let (tokens, _) = syntax::tokens(&sources, file);
    tokens.windows(2).any(|pair| match &pair[0].kind {
        TokenKind::Identifier(word) => {
            **word == *"test" && matches!(pair[1].kind, TokenKind::Str(_))
        }
        _ => false,
    })
}
