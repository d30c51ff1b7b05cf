//! Any bytes for the decoder and the verifier; what they let pass runs.
//!
//! Only programs run that come to an end and touch nothing but themselves:
//! those without loops, threads and C functions, with pure built-ins.  Functions
//! that are called too often fail.

use ruff_runtime::builtins::{self, Builtin};
use ruff_runtime::bytecode::{FunctionId, Op, Program, decode, disasm, verify};
use ruff_runtime::call::{Entry, Resume};
use ruff_runtime::context::{LoopEntry, Tier, TraceEntry, VMContext};
use ruff_runtime::heap::Function;
use ruff_runtime::interp;
use ruff_runtime::loaded::LoadedProgram;
use ruff_runtime::start;
use ruff_runtime::value::{RawValue, Value};
use ruffc::vm::Session;

/// How far some bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Undecodable,
    Invalid,
    /// A program that had better not be run.
    Valid,
    Run,
}

/// Does with the bytes what is done with a program.
pub fn check(bytes: &[u8]) -> Fate {
    let Ok(mut program) = decode::decode(bytes) else {
        return Fate::Undecodable;
    };
    disasm::disassemble(&program);
    if verify::verify(&mut program).is_err() {
        return Fate::Invalid;
    }
    let is_contained = |op: &Op| !matches!(op, Op::Spawn { .. } | Op::CallForeign { .. });
    let may_run = program
        .functions
        .iter()
        .all(|function| function.loops == 0 && function.code.iter().all(is_contained));
    if !may_run {
        return Fate::Valid;
    }
    let mut fate = Fate::Valid;
    let mut parts = Some(program);
    start::on_large_stack(&mut || {
        if let Some(program) = parts.take() {
            fate = run(program);
        }
    });
    fate
}

fn run(program: Program) -> Fate {
    let before = start::live_blocks();
    let entries: Vec<Entry> = program.functions.iter().map(interp::entry_for).collect();
    let entry = |func: FunctionId| entries[func as usize];
    let Ok(loaded) = LoadedProgram::load(Box::new(program), &harmless, &entry) else {
        return Fate::Valid;
    };
    let mut ctx = VMContext::new(loaded);
    ctx.tier = Some(Box::new(Limit));
    ctx.output.redirect = Some(Box::new(|_| {}));
    // Whether it fails is its own business.
    let _ = Session::new(&mut ctx).execute();
    drop(ctx);
    assert_eq!(start::live_blocks(), before, "memory is left");
    Fate::Run
}

/// The built-in, if it only computes.
fn harmless(_: usize, name: &str) -> Option<&'static Builtin> {
    let row = builtins::find(name)?;
    // These can ask for all memory that there is.
    let is_greedy = ["repeat", "pad_", "range"]
        .iter()
        .any(|start| name.starts_with(start));
    let is_harmless = ["print", "map", "filter", "reduce"].contains(&name);
    (is_harmless || row.effects.pure && !is_greedy).then_some(row)
}

/// A compiler of functions that are called often: to code that fails.
struct Limit;

impl Tier for Limit {
    fn compile_function(&mut self, _: &Program, _: FunctionId) -> Option<Entry> {
        Some(called_too_often)
    }

    /// Generators stay the interpreter's.
    fn compile_generator(&mut self, _: &Program, _: FunctionId) -> Option<(Entry, Resume)> {
        None
    }

    fn compile_loop(&mut self, _: &Program, _: FunctionId, _: u32) -> Option<LoopEntry> {
        None
    }

    fn threshold(&self) -> u32 {
        60
    }

    fn share(&self) -> Box<dyn Tier + Send> {
        Box::new(Limit)
    }
}

unsafe extern "C" fn called_too_often(
    ctx: *mut VMContext,
    _: *mut TraceEntry,
    callee: *const Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: as for every `Entry`: all are live, and the arguments are given up.
    unsafe {
        let count = (*callee).info().params.len();
        std::ptr::drop_in_place(std::ptr::slice_from_raw_parts_mut(args, count));
        let _ = (*ctx).raise("called too often");
    }
    RawValue::RAISED
}
