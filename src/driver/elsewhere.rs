//! Running a program for another target: as an executable, by whoever runs
//! such on this machine.

use super::{Failure, Log, Role, RunElsewhere, link_options, load, lower_as, module};
use crate::emit;
use crate::infer;
use crate::link;
use crate::source::SourceMap;
use crate::syntax;
use crate::toolchain;
use std::process::ExitStatus;
use std::sync::Arc;

/// What the executable is called; messages don't name it.
const NAME: &str = "program";

/// Builds a program and runs it; gives its exit status.
///
/// # Errors
/// If the program is wrong, or can't be linked or run here.
pub fn run_elsewhere(
    request: &RunElsewhere,
    sources: &mut SourceMap,
    log: &mut Log,
) -> Result<i32, Failure> {
    let target = &request.code.target.triple;
    let runner = toolchain::runner(target)?;
    let given = module::read_all(&request.with)?;
    let file = load(&request.input, sources, log)?;
    let tree = Arc::new(log.stage("parse", || syntax::parse(sources, file))?);
    let lowered = lower_as(Role::Program, tree, &[], &given, sources, log)?;
    let own_code = given.own_code(&lowered.parts);
    let program = lowered.program;
    let facts = log.stage("infer", || {
        super::shown(infer::infer(&program), request.code.target.debug)
    });
    let object = log.stage("compile", || {
        emit::object(&program, &facts, None, &own_code, &request.code)
    })?;
    given.refuse_other_machines(&object.bytes)?;

    let folder = tempfile::Builder::new().prefix("ruffc-").tempdir();
    let folder = folder.map_err(|error| Failure::Write {
        name: std::env::temp_dir().display().to_string(),
        error,
    })?;
    let mut options = link_options(&program, &given, &request.linking, &request.code);
    options.output = folder.path().join(NAME);
    if link::is_windows(target) {
        options.output.set_extension("exe");
    }
    let linked = log.stage("link", || link::executable(&object.bytes, &options))?;
    log.note(|| format!("linked by {}, run by {}", linked.linker, runner.name()));

    let mut command = runner.command(&options.output);
    command.args(&request.args);
    let ended = log.stage("run", || command.status());
    ended.map(exit_status).map_err(|error| Failure::Start {
        name: command.get_program().to_string_lossy().into_owned(),
        error,
    })
}

/// As shells say it: a signal counts from 128 on.
fn exit_status(ended: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&ended) {
        return 128 + signal;
    }
    ended.code().unwrap_or(1)
}
