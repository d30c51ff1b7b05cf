//! From a program to a context that can run it.

use crate::emit::jit::{Jit, JitOptions, SharedStats};
use ruff_runtime::builtins;
use ruff_runtime::bytecode::Program;
use ruff_runtime::call::Entry;
use ruff_runtime::context::VMContext;
use ruff_runtime::interp;
use ruff_runtime::loaded::{LoadError, LoadedProgram};

/// Who runs a program in this process.
#[derive(Clone, Debug)]
pub enum Engine {
    Interpreter,
    /// The interpreter, and the JIT for what gets hot.
    Jit(JitOptions),
}

/// Makes a verified program ready to be interpreted.
///
/// # Errors
/// If it names a built-in that there is not, or two globals' names collide.
pub fn load(program: Program) -> Result<Box<LoadedProgram>, LoadError> {
    let entries: Vec<Entry> = program.functions.iter().map(interp::entry_for).collect();
    let builtin = |_, name: &str| builtins::find(name);
    LoadedProgram::load(Box::new(program), &builtin, &|func| entries[func as usize])
}

/// Lets an engine run the context's program; what the JIT does is added to `stats`.
pub fn attach(ctx: &mut VMContext, engine: Engine, stats: SharedStats) {
    ctx.tier = match engine {
        Engine::Interpreter => None,
        Engine::Jit(options) => Some(Box::new(Jit::new(options, stats))),
    };
}
