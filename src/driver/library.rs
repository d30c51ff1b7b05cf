//! The pipeline for a library, from the parsed script on: the same stages, with
//! what C sees beside them.

use super::module::{self, Given};
use super::{
    Build, Failure, Kind, Log, Role, Sink, link_options, lower_as, output, tell, write_listings,
};
use crate::emit;
use crate::infer;
use crate::interface;
use crate::link::{self, LinkOptions};
use crate::source::SourceMap;
use crate::syntax::{self, ast};
use ruff_runtime::bytecode::{Program, disasm};
use std::sync::Arc;

/// Makes what is wanted of a library that is parsed.
pub(super) fn build(
    request: &Build,
    tree: ast::Program,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<(), Failure> {
    let file = tree.span.file;
    let stem = request.input.file_stem().unwrap_or_default();
    let interface = interface::of(&tree, &stem.to_string_lossy(), sources)?;
    if let Some(sink) = request.sink(Kind::Header) {
        output::write(sink, interface::header::text(&interface).as_bytes())?;
    }
    if let Some(sink) = request.sink(Kind::PkgConfig) {
        output::write(sink, interface::pkgconfig::text(&interface).as_bytes())?;
    }
    if request.ends_before(Kind::Bytecode) {
        return Ok(());
    }

    // What C makes structs by is part of the program.
    sources.append(file, &interface.makers());
    let tree = Arc::new(log.stage("parse", || syntax::parse(sources, file))?);
    let given = module::read_all(&request.with)?;
    let lowered = lower_as(Role::Library, tree, &[], &given, sources, log)?;
    let exports = interface.bind(&lowered)?;
    let own_code = given.own_code(&lowered.parts);
    let program = lowered.program;
    if let Some(sink) = request.sink(Kind::Bytecode) {
        output::write(sink, disasm::disassemble(&program).as_bytes())?;
    }
    if request.ends_before(Kind::Clif) {
        return Ok(());
    }

    let roots = exports.roots();
    let facts = log.stage("infer", || {
        super::shown(
            infer::infer_library(&program, &roots),
            request.code.target.debug,
        )
    });
    write_listings(request, &program, &facts, Some(&exports), log)?;
    if request.ends_before(Kind::Obj) {
        return Ok(());
    }

    let code = &request.code;
    let object = log.stage("compile", || {
        emit::object(&program, &facts, Some(&exports), &own_code, code)
    })?;
    log.share_out(object.work);
    given.refuse_other_machines(&object.bytes)?;
    tell(&object, &program, request, log)?;
    if let Some(sink) = request.sink(Kind::Obj) {
        output::write(sink, &object.bytes)?;
    }
    let public = interface::public_symbols();
    if let Some(sink) = request.sink(Kind::Staticlib) {
        let options = options(&program, &given, sink, request)?;
        log.stage("archive", || {
            link::staticlib(&object.bytes, public, &options)
        })?;
    }
    if let Some(sink) = request.sink(Kind::Cdylib) {
        let options = options(&program, &given, sink, request)?;
        log.stage("link", || link::cdylib(&object.bytes, public, &options))?;
    }
    if let Some(sink) = request.sink(Kind::Runtime) {
        let options = options(&program, &given, sink, request)?;
        log.stage("archive", || link::runtime_archive(public, &options))?;
    }
    Ok(())
}

fn options(
    program: &Program,
    given: &Given,
    sink: &Sink,
    request: &Build,
) -> Result<LinkOptions, Failure> {
    match sink {
        Sink::File(path) => Ok(LinkOptions {
            output: path.clone(),
            ..link_options(program, given, &request.linking, &request.code)
        }),
        Sink::StandardOutput => Err(Failure::refused(
            "a library can't be written to standard output".to_owned(),
        )),
    }
}
