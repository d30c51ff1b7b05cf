//! Compiled modules: how one is made, and how those are read that a program is
//! built with.

use super::{
    Build, Failure, Kind, Log, Sink, forget_folder, output, refuse, refuse_collisions, tell,
};
use crate::check;
use crate::emit::{self, OwnCode};
use crate::infer;
use crate::link;
use crate::lower;
use crate::modules::{self, Compiled, Identity, Part, Symbol};
use crate::source::SourceMap;
use crate::syntax::ast;
use ruff_runtime::bytecode::{FunctionId, disasm, verify};
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
    let ready = read_all(&request.with)?.ready;
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
    let bytes = compiled.encode();
    output::write(sink, &bytes)?;
    match request.sink(Kind::Obj) {
        Some(sink) => build_object(request, &compiled, &bytes, sink, log),
        None => Ok(()),
    }
}

/// Compiles the functions of a module, whose file has these bytes, to an object.
fn build_object(
    request: &Build,
    compiled: &Compiled,
    bytes: &[u8],
    sink: &Sink,
    log: &mut Log,
) -> Result<(), Failure> {
    let identity = identity(compiled, bytes);
    let strangers = compiled.strangers();
    let facts = log.stage("infer", || {
        infer::infer_module(&compiled.program, &strangers)
    });
    let object = log.stage("compile", || {
        emit::module_object(compiled, &identity, &facts, &strangers, &request.code)
    })?;
    log.share_out(object.work);
    tell(&object, &compiled.program, request, log)?;
    output::write(sink, &object.bytes)
}

fn identity(compiled: &Compiled, bytes: &[u8]) -> Identity {
    Identity::of(&compiled.name, bytes, emit::OBJECT_VERSION)
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

/// Compiled modules, and objects with the code of some of them.
#[derive(Default)]
pub(super) struct Given {
    pub ready: Vec<Arc<Compiled>>,
    natives: Vec<Native>,
}

/// An object with the code of a module.
struct Native {
    path: PathBuf,
    bytes: Arc<[u8]>,
    identity: Identity,
    /// The functions whose code it has.
    functions: Vec<FunctionId>,
}

impl Given {
    /// The modules that have code of their own, with what became of them in a program.
    pub fn own_code(&self, parts: &[Part]) -> Vec<OwnCode> {
        let natives = self.natives.iter();
        let own_code = natives.map(|native| OwnCode {
            identity: native.identity.clone(),
            functions: native.functions.clone(),
            part: parts
                .iter()
                .find(|part| part.name == native.identity.name)
                .cloned(),
        });
        own_code.collect()
    }

    /// The objects' bytes.
    pub fn objects(&self) -> Vec<Arc<[u8]>> {
        let natives = self.natives.iter();
        natives.map(|native| native.bytes.clone()).collect()
    }

    /// Refuses objects that are for another target than the program's.
    pub fn refuse_other_machines(&self, object: &[u8]) -> Result<(), Failure> {
        let other = |native: &&Native| !link::are_alike(&native.bytes, object);
        match self.natives.iter().find(other) {
            None => Ok(()),
            Some(native) => Err(Failure::refused(format!(
                "'{}' is for another target than the program",
                native.path.display()
            ))),
        }
    }
}

/// Reads compiled modules and their objects.
pub(super) fn read_all(files: &[PathBuf]) -> Result<Given, Failure> {
    let mut all: Vec<(Arc<Compiled>, &Path, Vec<u8>)> = Vec::new();
    let mut natives: Vec<Native> = Vec::new();
    for file in files {
        let bytes = fs::read(file).map_err(|error| Failure::unreadable_file(file, &error))?;
        if let Some(contents) = link::contents(&bytes) {
            natives.push(native(file, &contents.symbols, &bytes)?);
            continue;
        }
        let compiled = Compiled::decode(&bytes).map_err(|fault| {
            Failure::refused(format!(
                "Failed to read module '{}': {fault}",
                file.display()
            ))
        })?;
        if let Some((_, other, _)) = all.iter().find(|(known, ..)| known.name == compiled.name) {
            return Err(Failure::refused(format!(
                "two modules are called '{}': '{}' and '{}'",
                compiled.name,
                other.display(),
                file.display()
            )));
        }
        all.push((Arc::new(compiled), file, bytes));
    }
    for (at, native) in natives.iter().enumerate() {
        let (name, path) = (&native.identity.name, native.path.display());
        let same = |other: &&Native| other.identity.name == *name;
        if let Some(other) = natives[..at].iter().find(same) {
            return Err(Failure::refused(format!(
                "two objects have the code of module '{name}': '{}' and '{path}'",
                other.path.display(),
            )));
        }
        let module = all.iter().find(|(compiled, ..)| compiled.name == *name);
        let Some((compiled, file, bytes)) = module else {
            return Err(Failure::refused(format!(
                "'{path}' has the code of module '{name}', whose own file has to be given too"
            )));
        };
        if native.identity != identity(compiled, bytes) {
            return Err(Failure::refused(format!(
                "'{path}' was not made together with '{}': compile module '{name}' again, with \
                 `--emit module,obj`",
                file.display()
            )));
        }
        let strange = compiled.strangers().functions;
        let is_own = |func: &FunctionId| strange.get(*func as usize) == Some(&false);
        if !native.functions.iter().all(is_own) {
            return Err(Failure::refused(format!("the file '{path}' is damaged")));
        }
    }
    let ready = all.into_iter().map(|(compiled, ..)| compiled).collect();
    Ok(Given { ready, natives })
}

/// The module's object that a file is, by the symbols that it defines.
fn native(file: &Path, symbols: &[&str], bytes: &[u8]) -> Result<Native, Failure> {
    let known = symbols.iter().filter_map(|symbol| Identity::parse(symbol));
    let known: Vec<(Identity, Symbol)> = known.collect();
    let mark = known.iter().find(|(_, symbol)| *symbol == Symbol::Mark);
    let Some((identity, _)) = mark else {
        return Err(Failure::refused(format!(
            "'{}' has no module's code: `ruffc build --emit module,obj` makes such objects",
            file.display()
        )));
    };
    let functions = known.iter().filter_map(|(_, symbol)| match symbol {
        Symbol::Entry(func) => Some(*func),
        Symbol::Mark | Symbol::Numbers => None,
    });
    Ok(Native {
        path: file.to_owned(),
        bytes: bytes.into(),
        functions: functions.collect(),
        identity: identity.clone(),
    })
}
