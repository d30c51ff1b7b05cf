//! The pipeline, from a file to what is wanted of it, top to bottom.
//!
//! Each stage is a function from one value to the next; stages don't print,
//! and touch no files.  What the driver has to say goes into a `Log`, for
//! whoever asked for it.

mod elsewhere;
mod failure;
mod library;
mod log;
mod module;
mod output;
mod process;
mod request;
mod test;

pub use elsewhere::run_elsewhere;
pub use failure::Failure;
pub use log::Log;
pub use output::write;
pub use process::{end_on_closed_pipe, on_large_stack, report_panics};
pub use request::{
    Bindgen, Build, Check, Explain, Fallbacks, Kind, Linking, Role, Run, RunElsewhere, Sink, Test,
    Wanted,
};
pub use test::{Ending, Found, Outcome, Tested, find_tests, test};

use crate::bindgen;
use crate::check;
use crate::diagnostic::Diagnostic;
use crate::emit::Debug;
use crate::emit::jit::{SharedStats, locked};
use crate::emit::{self, Fallback, Memory, Object};
use crate::explain::{self, Explanation};
use crate::infer::{self, Facts};
use crate::interface::Exports;
use crate::link::{self, ForeignLibraries, LinkOptions};
use crate::lower::{self, Lowered};
use crate::modules;
use crate::resolve;
use crate::source::{FileId, SourceMap};
use crate::syntax;
use crate::vm;
use module::Given;
use ruff_runtime::bytecode::{Program, disasm, verify};
use ruff_runtime::context::VMContext;
use ruff_runtime::names::{NameCollision, NameHash, NameTable};
pub use ruff_runtime::start::STATUS_RUNTIME_ERROR;
use ruff_runtime::start::{self, MemoryCheck};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes everything that is wanted of a program.
///
/// # Errors
/// If the program is wrong, or a result can't be made or written.
pub fn build(request: &Build, sources: &mut SourceMap, log: &mut Log) -> Result<(), Failure> {
    let file = load(&request.input, sources, log)?;
    if let Some(sink) = request.sink(Kind::Tokens) {
        let (tokens, diagnostics) = log.stage("lex", || syntax::tokens(sources, file));
        refuse(diagnostics)?;
        output::write(sink, syntax::dump::tokens(&tokens, sources).as_bytes())?;
    }
    if request.ends_before(Kind::Ast) {
        return Ok(());
    }

    let tree = log.stage("parse", || syntax::parse(sources, file))?;
    if let Some(sink) = request.sink(Kind::Ast) {
        output::write(sink, syntax::dump::tree(&tree).as_bytes())?;
    }
    if let Some(sink) = request.sink(Kind::Module) {
        return module::build(request, sink, tree, sources, log);
    }
    match request.role() {
        Role::Program => build_program(request, tree, sources, log),
        Role::Library => library::build(request, tree, sources, log),
    }
}

/// Makes what is wanted of a program that is parsed.
fn build_program(
    request: &Build,
    tree: syntax::ast::Program,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<(), Failure> {
    if request.ends_before(Kind::Bytecode) {
        return Ok(());
    }
    let given = module::read_all(&request.with)?;
    let lowered = lower_as(Role::Program, Arc::new(tree), &[], &given, sources, log)?;
    let mut program = lowered.program;
    if let Some(sink) = request.sink(Kind::Bytecode) {
        output::write(sink, disasm::disassemble(&program).as_bytes())?;
    }
    if request.ends_before(Kind::Clif) {
        return Ok(());
    }

    forget_folder(&mut program, &request.input);
    let facts = log.stage("infer", || {
        shown(infer::infer(&program), request.code.target.debug)
    });
    write_listings(request, &program, &facts, None, log)?;
    if request.ends_before(Kind::Obj) {
        return Ok(());
    }

    let own_code = given.own_code(&lowered.parts);
    let object = log.stage("compile", || {
        emit::object(&program, &facts, None, &own_code, &request.code)
    })?;
    log.share_out(object.work);
    given.refuse_other_machines(&object.bytes)?;
    tell(&object, &program, request, log)?;
    if let Some(sink) = request.sink(Kind::Obj) {
        output::write(sink, &object.bytes)?;
    }
    match request.sink(Kind::Exe) {
        Some(sink) => link(&object, &program, &given, sink, request, log),
        None => Ok(()),
    }
}

/// Writes the code as text, if that is wanted.
fn write_listings(
    request: &Build,
    program: &Program,
    facts: &Facts,
    library: Option<&Exports>,
    log: &mut Log,
) -> Result<(), Failure> {
    if let Some(sink) = request.sink(Kind::Clif) {
        let clif = log.stage("clif", || {
            emit::clif(program, facts, library, &request.code)
        })?;
        output::write(sink, clif.as_bytes())?;
    }
    if let Some(sink) = request.sink(Kind::Asm) {
        let assembly = log.stage("asm", || {
            emit::assembly(program, facts, library, &request.code)
        })?;
        output::write(sink, assembly.as_bytes())?;
    }
    Ok(())
}

/// Writes declarations of the functions of a C header.
///
/// # Errors
/// If the header is not understood, or the result can't be written.
pub fn bindgen(request: &Bindgen, log: &mut Log) -> Result<(), Failure> {
    let text = log.stage("bindgen", || bindgen::declarations(&request.options))?;
    output::write(&request.sink, text.as_bytes())
}

/// Runs a program in this process; gives its exit status.
///
/// # Errors
/// If the program is wrong.  What goes wrong while it runs, it reports itself.
pub fn run(request: &Run, sources: &mut SourceMap, log: &mut Log) -> Result<i32, Failure> {
    let program = program(&request.input, &request.with, sources, log)?;
    let check = match request.memory {
        Memory::Trusted => None,
        Memory::Checked => Some(MemoryCheck::start()),
    };
    let loaded = log.stage("prepare", || vm::load(program))?;
    let mut ctx = VMContext::new(loaded);
    ctx.args = request.args.clone();
    let stats = SharedStats::default();
    vm::attach(&mut ctx, request.engine.clone(), stats.clone());
    if let Some(check) = &check {
        check.attach(&mut ctx);
    }
    let status = log.stage("run", || start::run_and_report(&mut ctx));
    log.stage("clean up", || drop(ctx));
    log.keep_stats(locked(&stats).clone());
    Ok(match check {
        Some(check) => check.finish(status),
        None => status,
    })
}

/// Looks for errors in a program, tests included; gives warnings.
///
/// # Errors
/// If there are any errors.
pub fn check(
    request: &Check,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Vec<Diagnostic>, Failure> {
    let file = load(&request.input, sources, log)?;
    let tree = Arc::new(log.stage("parse", || syntax::parse(sources, file))?);
    let tests = resolve::tests(&tree);
    let lowered = lower_with_tests(tree.clone(), &tests, &request.with, sources, log)?;
    Ok(log.stage("check", || {
        check::warnings(&tree, &tests, &lowered, sources)
    }))
}

/// Writes the script by which gdb shows values.
///
/// # Errors
/// If it can't be written.
pub fn gdb_printers(sink: &Sink) -> Result<(), Failure> {
    output::write(sink, emit::GDB_PRINTERS.as_bytes())
}

/// Which functions of a program stay bytecode, with their places and the reasons.
///
/// # Errors
/// If the program is wrong.
pub fn fallbacks(
    request: &Explain,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Vec<String>, Failure> {
    let program = program(&request.input, &request.with, sources, log)?;
    let facts = log.stage("infer", || {
        shown(infer::infer(&program), request.code.target.debug)
    });
    let object = log.stage("compile", || {
        emit::object(&program, &facts, None, &[], &request.code)
    })?;
    let fallbacks = object.fallbacks.iter();
    Ok(fallbacks.map(|one| described(&program, one)).collect())
}

/// What becomes of a program, line by line.
///
/// # Errors
/// If the program is wrong.
pub fn explain(
    request: &Explain,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Explanation, Failure> {
    let program = program(&request.input, &request.with, sources, log)?;
    let facts = log.stage("infer", || {
        shown(infer::infer(&program), request.code.target.debug)
    });
    let decided = log.stage("compile", || {
        emit::decisions(&program, &facts, &request.code)
    })?;
    Ok(log.stage("explain", || explain::explain(&program, &decided, sources)))
}

/// The facts of a program of which debuggers are shown so much.
fn shown(mut facts: Facts, debug: Debug) -> Facts {
    if debug == Debug::Variables {
        facts.variants.keep_whole();
        facts.holds_characters = false;
    }
    facts
}

/// From a file to a verified program.
fn program(
    input: &Path,
    with: &[PathBuf],
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Program, Failure> {
    let file = load(input, sources, log)?;
    let tree = log.stage("parse", || syntax::parse(sources, file))?;
    lower(tree, with, sources, log)
}

fn load(input: &Path, sources: &mut SourceMap, log: &mut Log) -> Result<FileId, Failure> {
    let file = log.stage("load", || sources.load(input));
    file.map_err(|error| Failure::Diagnostics(vec![error.into()]))
}

fn lower(
    script: syntax::ast::Program,
    with: &[PathBuf],
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Program, Failure> {
    let given = module::read_all(with)?;
    lower_as(Role::Program, Arc::new(script), &[], &given, sources, log)
        .map(|lowered| lowered.program)
}

/// A verified program, with its tests.
fn lower_with_tests(
    script: Arc<syntax::ast::Program>,
    tests: &[resolve::Test],
    with: &[PathBuf],
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Lowered, Failure> {
    let given = module::read_all(with)?;
    lower_as(Role::Program, script, tests, &given, sources, log)
}

/// The same of a script with another role, with compiled modules.
fn lower_as(
    role: Role,
    script: Arc<syntax::ast::Program>,
    tests: &[resolve::Test],
    given: &Given,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<Lowered, Failure> {
    let graph = log.stage("import", || {
        modules::load_as(role, script, tests, &given.ready, sources).map_err(Failure::from)
    })?;
    let mut lowered = log.stage("lower", || lower::lower_with_tests(graph, tests, sources));
    let program = &mut lowered.program;
    refuse_collisions(program)?;
    if let Err(error) = log.stage("verify", || verify::verify(program)) {
        if !given.ready.is_empty() {
            // Each of them is valid, but not with these others.
            return Err(Failure::refused(format!(
                "a compiled module is damaged: {error}"
            )));
        }
        panic!("lowering made {error}\n{}", disasm::disassemble(program));
    }
    refuse(check::foreign_calls(program, sources))?;
    Ok(lowered)
}

/// Names a script's files as they stand to it, if it was named from the root:
/// what is made of it says nothing about where that was.
fn forget_folder(program: &mut Program, script: &Path) {
    let Some(folder) = script.parent().filter(|_| script.is_absolute()) else {
        return;
    };
    for file in &mut program.files {
        let path = Path::new(&**file);
        let own = path.strip_prefix(folder).ok();
        let elsewhere = path.file_name().map(Path::new);
        if let Some(name) = own.or(elsewhere) {
            *file = name.to_string_lossy().into();
        }
    }
}

fn refuse(diagnostics: Vec<Diagnostic>) -> Result<(), Failure> {
    match diagnostics.is_empty() {
        true => Ok(()),
        false => Err(Failure::Diagnostics(diagnostics)),
    }
}

/// Variables that programs share, those of compiled modules included, are found
/// by the hash of their name.
fn refuse_collisions(program: &Program) -> Result<(), Failure> {
    find_collision(program, NameHash::of)
        .map_err(|collision| Failure::refused(collision.to_string()))
}

/// Two variables of different names that `hash` does not tell apart.
fn find_collision(program: &Program, hash: impl Fn(&str) -> NameHash) -> Result<(), NameCollision> {
    let mut table = NameTable::default();
    for (slot, name) in (0..).zip(&program.globals) {
        let name = &program.names[*name as usize];
        table.insert(hash(name), name, slot)?;
    }
    Ok(())
}

/// Tells what came of compiling; refuses functions that stay bytecode if they
/// are not allowed.
fn tell(object: &Object, program: &Program, request: &Build, log: &mut Log) -> Result<(), Failure> {
    log.note(|| {
        format!(
            "{} functions compiled to {} bytes",
            object.compiled_count, object.code_size
        )
    });
    let fallbacks: Vec<String> = object
        .fallbacks
        .iter()
        .map(|fallback| described(program, fallback))
        .collect();
    match request.fallbacks {
        Fallbacks::Refused if !fallbacks.is_empty() => {
            let diagnostics = fallbacks.into_iter().map(Failure::refusal);
            return Err(Failure::Diagnostics(diagnostics.collect()));
        }
        Fallbacks::Refused | Fallbacks::Allowed => {}
    }
    for fallback in fallbacks {
        log.note(|| fallback);
    }
    Ok(())
}

/// Which function stays bytecode, and why.
fn described(program: &Program, fallback: &Fallback) -> String {
    let name = &program.functions[fallback.function as usize].info.name;
    let place = program
        .position(fallback.function, 0)
        .map_or_else(String::new, |position| {
            let file = program
                .files
                .get(position.file as usize)
                .map_or("", |file| file);
            format!(" ({file}:{}:{})", position.line, position.column)
        });
    match &fallback.reason {
        Some(reason) => format!("function `{name}`{place} stays bytecode: {reason}"),
        None => format!("function `{name}`{place} stays bytecode, as was asked for"),
    }
}

fn link(
    object: &Object,
    program: &Program,
    given: &Given,
    sink: &Sink,
    request: &Build,
    log: &mut Log,
) -> Result<(), Failure> {
    let mut options = link_options(program, given, &request.linking, &request.code);
    let linked = match sink {
        Sink::File(path) => {
            options.output.clone_from(path);
            log.stage("link", || link::executable(&object.bytes, &options))?
        }
        Sink::StandardOutput => {
            let (bytes, linked) = log.stage("link", || link::image(&object.bytes, &options))?;
            output::write(sink, &bytes)?;
            linked
        }
    };
    log.note(|| format!("linked by {}", linked.linker));
    if let Some(reason) = &linked.fallback {
        log.note(|| format!("not by the linker inside: {reason}"));
    }
    if request.wants_shares {
        let shares = log.stage("report", || link::report(&object.bytes, &options))?;
        log.keep_shares(shares);
    }
    Ok(())
}

/// How a program is linked; where it goes is not said.
fn link_options(
    program: &Program,
    given: &Given,
    linking: &Linking,
    code: &emit::Options,
) -> LinkOptions {
    let Linking {
        linker,
        goal,
        runtime,
        libc,
        symbols,
        directories,
    } = linking.clone();
    let mut names: Vec<String> = Vec::new();
    for library in program
        .foreign_sites
        .iter()
        .filter_map(|site| site.library.as_deref())
    {
        if names.iter().all(|known| known != library) {
            names.push(library.to_owned());
        }
    }
    LinkOptions {
        linker,
        goal,
        runtime,
        libc,
        symbols,
        foreign: ForeignLibraries { names, directories },
        objects: given.objects(),
        ..LinkOptions::new(code.target.triple.clone(), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script and a module that was compiled apart, as one program.
    fn program() -> Program {
        let mut sources = SourceMap::new();
        let mut parse = |name: &str, text: &str| {
            let file = sources.add(name, text);
            syntax::parse(&sources, file).expect("it parses")
        };
        let script =
            "import counter\nmut seen := 0\nfunc note() { seen += counter.add(1) }\nnote()\n";
        let script = Arc::new(parse("main.ruff", script));
        let module = "mut count := 0\nexport func add(n) { count += n  return count }\n";
        let module = parse("counter.ruff", module);
        let alone = modules::load_alone("counter", module, &[], &mut sources);
        let mut compiled = lower::lower_alone(alone.expect("it is a module"), &sources);
        verify::verify(&mut compiled.program).expect("what was lowered is valid");
        let compiled = modules::Compiled::decode(&compiled.encode());
        let ready = [Arc::new(compiled.expect("what was encoded can be decoded"))];
        let graph = modules::load_as(Role::Program, script, &[], &ready, &mut sources);
        lower::lower(graph.expect("nothing is wrong with the script"), &sources)
    }

    #[test]
    fn variables_of_programs_that_are_put_together_may_not_collide() {
        let mut program = program();
        verify::verify(&mut program).expect("what was put together is valid");
        assert_eq!(find_collision(&program, NameHash::of), Ok(()));
        let weak = |name: &str| match name {
            "seen" | "counter.count" => NameHash(7),
            name => NameHash::of(name),
        };
        let collision = find_collision(&program, weak).expect_err("they have one hash");
        let text = collision.to_string();
        assert!(
            text.contains("`seen`") && text.contains("`counter.count`"),
            "{text}"
        );
    }
}
