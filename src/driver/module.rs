//! Compiled modules: how one is made, and how those are read that a program is
//! built with.

use super::{Build, Failure, Kind, Log, Sink, forget_folder, output, refuse, refuse_collisions};
use crate::check;
use crate::lower;
use crate::modules::{self, Compiled};
use crate::source::SourceMap;
use crate::syntax::ast;
use ruff_runtime::bytecode::{disasm, verify};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Compiles a module on its own.
pub(super) fn build(
    request: &Build,
    sink: &Sink,
    tree: ast::Program,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<(), Failure> {
    let name = module_name(request)?;
    let ready = read_all(&request.with)?;
    if ready.iter().any(|ready| ready.name == name) {
        return Err(Failure::refused(format!(
            "module '{name}' can't be built with a module of the same name"
        )));
    }
    let graph = log.stage("import", || {
        modules::load_alone(&name, tree, &ready, sources)
    })?;
    let mut compiled = log.stage("lower", || lower::lower_alone(graph, sources));
    let program = &mut compiled.program;
    refuse_collisions(program)?;
    if let Err(error) = log.stage("verify", || verify::verify(program)) {
        panic!("lowering made {error}\n{}", disasm::disassemble(program));
    }
    refuse(check::foreign_calls(program, sources))?;
    forget_folder(program, &request.input);
    compiled.forget_the_undeclarable();
    if let Some(sink) = request.sink(Kind::Bytecode) {
        output::write(sink, disasm::disassemble(&compiled.program).as_bytes())?;
    }
    output::write(sink, &compiled.encode())
}

/// As what the module is imported.
fn module_name(request: &Build) -> Result<String, Failure> {
    let stem = request.input.file_stem().unwrap_or_default();
    let of_file = || stem.to_string_lossy().into_owned();
    let name = request.name.clone().unwrap_or_else(of_file);
    match modules::is_module_name(&name) {
        true => Ok(name),
        false => Err(Failure::refused(format!(
            "nobody can import a module that is called '{name}': say with `--name` what it is \
             imported as"
        ))),
    }
}

/// Reads compiled modules.
pub(super) fn read_all(files: &[PathBuf]) -> Result<Vec<Arc<Compiled>>, Failure> {
    let mut all: Vec<(Arc<Compiled>, &Path)> = Vec::new();
    for file in files {
        let bytes = fs::read(file).map_err(|error| Failure::unreadable_file(file, &error))?;
        let compiled = Compiled::decode(&bytes).map_err(|fault| {
            Failure::refused(format!(
                "Failed to read module '{}': {fault}",
                file.display()
            ))
        })?;
        if let Some((_, other)) = all.iter().find(|(known, _)| known.name == compiled.name) {
            return Err(Failure::refused(format!(
                "two modules are called '{}': '{}' and '{}'",
                compiled.name,
                other.display(),
                file.display()
            )));
        }
        all.push((Arc::new(compiled), file));
    }
    Ok(all.into_iter().map(|(compiled, _)| compiled).collect())
}
