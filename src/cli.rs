//! The command line: what was asked for, and what is printed.
//!
//! `arguments` holds the commands and flags, each once, with their help; here
//! they become requests to the driver, and its results messages and statuses.

mod arguments;
mod print;
mod target;
mod test;

use crate::diagnostic::Diagnostic;
use crate::driver::{self, Failure, Fallbacks, Kind, Linking, Log, Role, Sink, Wanted};
use crate::emit::{self, Bodies, Cpu, Debug, Effort, Memory, TargetOptions};
use crate::explain::{self, Colours, Explanation, Extent};
use crate::link::{self, Goal, Libc, Linker, Symbols};
use crate::source::SourceMap;
use crate::vm::{Engine, JitOptions};
use arguments::{
    Bindgen, Build, Check, CodeFlags, ColorChoice, Command, CommandLine, DebugChoice, Emit,
    EngineChoice, Explain, KindName, Level, ReportFlags, Run, Target, Test,
};
use std::convert::Infallible;
use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use target_lexicon::Triple;

/// The status when something holds that was not to hold.
const STATUS_UNMET: i32 = 1;

/// The `ruffc` command.
pub fn main() -> ExitCode {
    driver::report_panics();
    driver::end_on_closed_pipe();
    let request = arguments::parse(env::args_os()).and_then(|line| Ok((request(&line)?, line)));
    let (request, line) = match request {
        Ok(both) => both,
        Err(error) => {
            // Where there is nobody to read it, there is nothing to be done.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    let status = driver::on_large_stack(|| execute(&request, &line));
    // As the system does it: only eight bits of a status are seen.
    ExitCode::from(status as u8)
}

enum Request {
    Build(driver::Build),
    Run(driver::Run),
    RunElsewhere(driver::RunElsewhere),
    Check(driver::Check),
    /// Several programs, each a request of its own.
    Test(Test),
    Explain(Explain),
    GdbPrinters(driver::Sink),
    Bindgen(driver::Bindgen),
    Target(Target),
}

/// Does what was asked for; gives the exit status.
fn execute(request: &Request, line: &CommandLine) -> i32 {
    let report = report_flags(line);
    let mut sources = SourceMap::new();
    let mut log = Log::new(report.verbose);
    let result = match request {
        Request::Build(build) => driver::build(build, &mut sources, &mut log).map(|()| 0),
        Request::Run(run) => driver::run(run, &mut sources, &mut log),
        Request::RunElsewhere(run) => driver::run_elsewhere(run, &mut sources, &mut log),
        Request::Check(check) => driver::check(check, &mut sources, &mut log)
            .map(|warnings| checked(&warnings, &sources, line)),
        Request::Bindgen(bindgen) => driver::bindgen(bindgen, &mut log).map(|()| 0),
        Request::Explain(explain) => explain_all(explain, line.color),
        Request::GdbPrinters(sink) => driver::gdb_printers(sink).map(|()| 0),
        Request::Test(test) => Ok(test::execute(test, line.color)),
        Request::Target(target) => target::execute(target),
    };
    let status = match &result {
        Ok(status) => *status,
        Err(failure) => failure.exit_status(),
    };
    match (&line.command, result) {
        (Command::Check(Check { json: true, .. }), Err(Failure::Diagnostics(diagnostics))) => {
            print::json(&diagnostics, &sources);
        }
        (_, Err(failure)) => print::failure(&failure, &sources, line.color),
        (_, Ok(_)) => {}
    }
    let wants_stats = matches!(&line.command, Command::Run(Run { stats: true, .. }));
    print::log(&log, &report, wants_stats);
    print::shares(log.shares());
    status
}

/// Shows what was found in a program that is valid; gives the exit status.
fn checked(warnings: &[Diagnostic], sources: &SourceMap, line: &CommandLine) -> i32 {
    let Command::Check(check) = &line.command else {
        return 0;
    };
    if check.json {
        print::json(warnings, sources);
    } else {
        print::diagnostics(warnings, sources, line.color);
    }
    let is_denied = check.deny_warnings && !warnings.is_empty();
    if !is_denied && !check.json {
        print::passed(&check.file);
    }
    if is_denied { STATUS_UNMET } else { 0 }
}

/// Tells about every file what was asked for.
fn explain_all(explain: &Explain, color: ColorChoice) -> Result<i32, Failure> {
    let mut status = 0;
    let mut whole = String::new();
    for file in &explain.files {
        let request = driver::Explain {
            input: file.clone(),
            with: explain.with.clone(),
            code: code_options(&explain.code),
        };
        let mut sources = SourceMap::new();
        let mut log = Log::new(false);
        let done = if explain.fallbacks {
            driver::fallbacks(&request, &mut sources, &mut log)
                .map(|fallbacks| print::fallbacks(file, &fallbacks))
        } else {
            driver::explain(&request, &mut sources, &mut log).map(|explanation| {
                whole.push_str(&explained(&explanation, &sources, explain, color))
            })
        };
        if let Err(failure) = done {
            print::failure(&failure, &sources, color);
            status = status.max(failure.exit_status());
        }
    }
    if !whole.is_empty() {
        driver::write(&sink_at(&explain.output), whole.as_bytes())?;
    }
    Ok(status)
}

/// An explanation in the form that was asked for.
fn explained(
    explanation: &Explanation,
    sources: &SourceMap,
    explain: &Explain,
    color: ColorChoice,
) -> String {
    let extent = match explain.all {
        true => Extent::Everything,
        false => Extent::Often,
    };
    let colours = match print::colours_standard_output(color)
        && sink_at(&explain.output) == Sink::StandardOutput
    {
        true => Colours::On,
        false => Colours::Off,
    };
    if explain.json {
        explain::json(explanation)
    } else if explain.html {
        explain::html(explanation, sources, extent)
    } else {
        explain::text(explanation, sources, extent, colours)
    }
}

/// A file, or standard output.
fn sink_at(path: &Path) -> Sink {
    match path == Path::new("-") {
        true => Sink::StandardOutput,
        false => Sink::File(path.to_owned()),
    }
}

fn report_flags(line: &CommandLine) -> ReportFlags {
    match line.command {
        Command::Build(Build { report, .. })
        | Command::Run(Run { report, .. })
        | Command::Check(Check { report, .. })
        | Command::Emit(Emit { report, .. }) => report,
        // Every file has a report of its own.
        Command::Test(_)
        | Command::Explain(_)
        | Command::GdbPrinters(_)
        | Command::Bindgen(_)
        | Command::Target(_) => ReportFlags::default(),
    }
}

/// What the driver is asked for.
fn request(line: &CommandLine) -> Result<Request, clap::Error> {
    Ok(match &line.command {
        Command::Build(build) => Request::Build(build_request(build)?),
        Command::Emit(emit) => Request::Build(emit_request(emit)?),
        Command::Run(run) => match &run.target {
            Some(target) => Request::RunElsewhere(elsewhere_request(run, target)),
            None => Request::Run(run_request(run)),
        },
        Command::Test(test) => Request::Test(test.clone()),
        Command::Explain(explain) if explain.html && explain.files.len() > 1 => {
            return Err(arguments::usage_error("a page is about one program"));
        }
        Command::Explain(explain) => Request::Explain(explain.clone()),
        Command::GdbPrinters(printers) => Request::GdbPrinters(sink_at(&printers.output)),
        Command::Bindgen(bindgen) => Request::Bindgen(bindgen_request(bindgen)),
        Command::Target(target) => Request::Target(target.clone()),
        Command::Check(check) => Request::Check(driver::Check {
            input: check.file.clone(),
            with: check.with.clone(),
        }),
    })
}

fn build_request(build: &Build) -> Result<driver::Build, clap::Error> {
    let base = build
        .output
        .clone()
        .unwrap_or_else(|| default_output(&build.file, build.code.target.as_ref()));
    let is_exact = build.output.is_some() && build.emit.len() == 1;
    let mut wanted = Vec::new();
    for kind in &build.emit {
        let path = match kind.0 {
            Kind::Exe => base.clone(),
            _ if is_exact => base.clone(),
            Kind::Runtime => base.with_file_name("libruffrt.a"),
            Kind::Staticlib | Kind::Cdylib => library_path(&base, kind.extension()),
            _ => base.with_extension(kind.extension()),
        };
        wanted.push(Wanted {
            kind: kind.0,
            sink: sink(*kind, path)?,
        });
    }
    let is_library = wanted.iter().any(|wanted| wanted.kind.is_of_library());
    if is_library && wanted.iter().any(|wanted| wanted.kind == Kind::Exe) {
        let message = "an executable and a library are made of different programs";
        return Err(arguments::usage_error(message));
    }
    let is_module = |wanted: &Wanted| wanted.kind == Kind::Module;
    let others = |wanted: &Wanted| {
        let is_later = wanted.kind > Kind::Module && wanted.kind != Kind::Obj;
        is_later || wanted.kind.is_of_library()
    };
    if wanted.iter().any(is_module) && wanted.iter().any(others) {
        let message = "a module is made on its own, or with what shows how it was made";
        return Err(arguments::usage_error(message));
    }
    if build.name.is_some() && !wanted.iter().any(is_module) {
        return Err(arguments::usage_error("`--name` is for `--emit module`"));
    }
    Ok(driver::Build {
        input: build.file.clone(),
        with: build.with.clone(),
        name: build.name.clone(),
        role: if build.library {
            Role::Library
        } else {
            Role::Program
        },
        wanted,
        code: emit::Options {
            target: TargetOptions {
                debug: debug(build.debug),
                effort: match build.code.level {
                    Level::Full if build.size => Effort::Small,
                    level => effort(level),
                },
                ..code_options(&build.code).target
            },
            ..code_options(&build.code)
        },
        fallbacks: if build.no_fallback {
            Fallbacks::Refused
        } else {
            Fallbacks::Allowed
        },
        wants_shares: build.wants_shares,
        linking: Linking {
            linker: build
                .linker
                .parse()
                .unwrap_or_else(|never: Infallible| match never {}),
            goal: goal(build.size),
            runtime: build.runtime.clone(),
            libc: if build.is_static {
                Libc::Static
            } else {
                Libc::Dynamic
            },
            symbols: symbols(build.debug),
            directories: build.directories.clone(),
        },
    })
}

fn emit_request(emit: &Emit) -> Result<driver::Build, clap::Error> {
    Ok(driver::Build {
        input: emit.file.clone(),
        with: emit.with.clone(),
        name: None,
        role: Role::Program,
        wanted: vec![Wanted {
            kind: emit.kind.0,
            sink: sink(emit.kind, emit.output.clone())?,
        }],
        code: code_options(&emit.code),
        fallbacks: Fallbacks::Allowed,
        wants_shares: false,
        linking: usual_linking(),
    })
}

fn bindgen_request(bindgen: &Bindgen) -> driver::Bindgen {
    driver::Bindgen {
        options: crate::bindgen::Options {
            header: bindgen.header.clone(),
            library: bindgen.library.clone(),
            include: bindgen.include.clone(),
            compiler: env::var("CC").unwrap_or_else(|_| "cc".to_owned()),
        },
        sink: sink_at(&bindgen.output),
    }
}

fn run_request(run: &Run) -> driver::Run {
    driver::Run {
        input: run.file.clone(),
        with: run.with.clone(),
        args: run
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect(),
        engine: run_engine(run),
        memory: memory(run.check_memory),
    }
}

fn elsewhere_request(run: &Run, target: &Triple) -> driver::RunElsewhere {
    let mut options = TargetOptions::new(target.clone());
    options.verify |= run.verify;
    options.debug = debug(run.debug);
    driver::RunElsewhere {
        input: run.file.clone(),
        with: run.with.clone(),
        args: run.args.clone(),
        code: emit::Options {
            target: options,
            bodies: Bodies::Compiled,
            memory: memory(run.check_memory),
        },
        linking: Linking {
            symbols: symbols(run.debug),
            ..usual_linking()
        },
    }
}

/// What programs are made for.
fn goal(is_size: bool) -> Goal {
    match is_size {
        true => Goal::Size,
        false => Goal::Speed,
    }
}

fn usual_linking() -> Linking {
    Linking {
        linker: Linker::Auto,
        goal: Goal::Speed,
        runtime: None,
        libc: Libc::Dynamic,
        symbols: Symbols::Stripped,
        directories: Vec::new(),
    }
}

fn memory(is_checked: bool) -> Memory {
    if is_checked {
        Memory::Checked
    } else {
        Memory::Trusted
    }
}

fn run_engine(run: &Run) -> Engine {
    let mut jit = JitOptions {
        threshold: run.jit_threshold,
        perf_map: run.perf_map,
        ..JitOptions::default()
    };
    jit.target.verify |= run.verify;
    jit.target.debug = debug(run.debug);
    engine(run.engine, jit)
}

/// Debug information is found by symbols.
fn symbols(choice: Option<DebugChoice>) -> Symbols {
    match choice {
        None => Symbols::Stripped,
        Some(_) => Symbols::Kept,
    }
}

fn debug(choice: Option<DebugChoice>) -> Debug {
    match choice {
        None => Debug::Nothing,
        Some(DebugChoice::Lines) => Debug::Lines,
        Some(DebugChoice::Variables) => Debug::Variables,
    }
}

fn engine(choice: EngineChoice, jit: JitOptions) -> Engine {
    match choice {
        EngineChoice::Interp => Engine::Interpreter,
        EngineChoice::Auto | EngineChoice::Jit => Engine::Jit(jit),
    }
}

/// `app.ruff` becomes `app`; a name without extension must not be replaced by
/// the result.
fn default_output(input: &Path, target: Option<&Triple>) -> PathBuf {
    let name = Path::new(input.file_name().unwrap_or_default());
    if target.map_or(cfg!(windows), link::is_windows) {
        return name.with_extension("exe");
    }
    match name.extension() {
        Some(_) => name.with_extension(""),
        None => name.with_extension("out"),
    }
}

/// `out/rules` becomes `out/librules.a`; a name that is a library's already
/// gets another ending at most.
fn library_path(base: &Path, extension: &str) -> PathBuf {
    if base
        .extension()
        .is_some_and(|known| known == "a" || known == "so")
    {
        return base.with_extension(extension);
    }
    let stem = base.file_name().unwrap_or_default().to_string_lossy();
    base.with_file_name(format!("lib{stem}.{extension}"))
}

fn sink(kind: KindName, path: PathBuf) -> Result<Sink, clap::Error> {
    if path != Path::new("-") {
        return Ok(Sink::File(path));
    }
    match kind.0 {
        Kind::Staticlib | Kind::Cdylib | Kind::Runtime => Err(arguments::usage_error(
            "a library can't be written to standard output",
        )),
        Kind::Exe | Kind::Obj | Kind::Module if io::stdout().is_terminal() => Err(
            arguments::usage_error("what is made is nothing for a terminal; name a file with `-o`"),
        ),
        _ => Ok(Sink::StandardOutput),
    }
}

fn code_options(flags: &CodeFlags) -> emit::Options {
    let target = TargetOptions::new(flags.target.clone().unwrap_or_else(host));
    let target = TargetOptions {
        cpu: match &*flags.cpu {
            "baseline" => Cpu::Baseline,
            "native" => Cpu::Native,
            name => Cpu::Named(name.to_owned()),
        },
        effort: effort(flags.level),
        verify: target.verify || flags.verify,
        ..target
    };
    emit::Options {
        target,
        bodies: if flags.bytecode_only {
            Bodies::Bytecode
        } else {
            Bodies::Compiled
        },
        memory: memory(flags.check_memory),
    }
}

fn effort(level: Level) -> Effort {
    match level {
        Level::Quick => Effort::Quick,
        Level::Full => Effort::Full,
    }
}

/// The target that this compiler was built for, and has a runtime for.
fn host() -> Triple {
    arguments::HOST.parse().unwrap_or_else(|_| Triple::host())
}
