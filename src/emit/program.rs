//! A whole program as machine code: which functions are needed, which of them
//! stay bytecode, and what glue that takes.

use super::compile::{self, Code, Job, Listing, Refusal, Work};
use super::rare;
use super::target::{Ending, Isas};
use super::{EmitError, Fallback, Options};
use crate::codegen::decision::{Record, Recorder};
use crate::codegen::names::Callee;
use crate::codegen::{Debug, Rare, Source};
use crate::infer::Facts;
use crate::infer::mentioned_function;
use crate::interface::Exports;
use cranelift_codegen::isa::TargetIsa;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{FunctionId, Op, Program};

/// Which functions become machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// All that can.
    #[default]
    Compiled,
    /// None: the interpreter runs everything.  For comparisons and tests.
    Bytecode,
}

/// What became of a function.
pub(super) enum Body {
    Compiled(Code),
    /// It stays bytecode, for this reason unless that was asked for.
    Kept(Option<Refusal>),
    /// Another object has its code.
    Elsewhere,
    /// Nothing can ever call it.
    Unused,
}

/// The parts of a program, by function.
pub(super) struct Parts {
    pub bodies: Vec<Body>,
    /// Generic entries of compiled functions that are called as values.
    pub entries: Vec<Option<Code>>,
    /// What compiled functions call in place of functions that stay bytecode.
    pub shims: Vec<Option<Code>>,
    /// The C functions of exported ones, in order.
    pub exports: Vec<Code>,
    /// Stubs of helpers, in the order of the table.
    pub stubs: Vec<(Helper, Code)>,
    pub work: Work,
}

/// What was decided about a program's functions.
#[derive(Debug)]
pub struct Decided {
    pub records: Vec<Record>,
    /// The functions that stay bytecode, in order.
    pub fallbacks: Vec<Fallback>,
    /// Whether each function is compiled or kept at all, since something may call it.
    pub used: Vec<bool>,
}

/// Compiles a program for the sake of what is decided on the way.
///
/// # Errors
/// If there is no code generator for the target.
pub fn decisions(
    program: &Program,
    facts: &Facts,
    options: &Options,
) -> Result<Decided, EmitError> {
    let isas = Isas::new(&options.target, Ending::Object)?;
    let recorder = Recorder::default();
    let source = Source {
        program,
        facts,
        isa: &*isas.usual,
        isa_for_large: &*isas.for_large,
        rare: None,
        // Lines say which call is inlined, and change nothing.
        debug: Debug::Lines,
        library: None,
        alone: None,
        recorder: Some(&recorder),
    };
    let parts = compile(
        source,
        isas.for_rare.as_deref(),
        options.bodies,
        Listing::None,
        &|_| false,
    );
    let is_used = |body: &Body| !matches!(body, Body::Unused);
    Ok(Decided {
        fallbacks: super::fallbacks(&parts),
        used: parts.bodies.iter().map(is_used).collect(),
        records: recorder.into_records(),
    })
}

/// Compiles what a program needs, but for functions that are elsewhere; what hardly runs
/// with a code generator of its own, if there is one.
pub(super) fn compile(
    source: Source,
    isa_for_rare: Option<&dyn TargetIsa>,
    bodies: Bodies,
    listing: Listing,
    is_elsewhere: &dyn Fn(FunctionId) -> bool,
) -> Parts {
    let functions = isa_for_rare.map_or(Vec::new(), |_| rare::hardly_run(source));
    let functions = &functions;
    let source = Source {
        rare: isa_for_rare.map(|isa| Rare { functions, isa }),
        ..source
    };
    let program = source.program;
    let roots = source.library.map_or(Vec::new(), Exports::functions);
    let needs: Vec<Need> = (0..program.functions.len() as FunctionId)
        .map(
            |func| match (source.facts.is_used(func), is_elsewhere(func)) {
                (false, _) => Need::Nothing,
                (true, true) => Need::Elsewhere,
                (true, false) => Need::Code,
            },
        )
        .collect();
    let mut work = Work::default();
    let bodies = compile_bodies(source, bodies, listing, &needs, &mut work);

    let (entries, shims) = needed_glue(source, &bodies, &roots);
    let mut jobs: Vec<Job> = entries.iter().map(|func| Job::Entry(*func)).collect();
    jobs.extend(shims.iter().map(|func| Job::Shim(*func)));
    let exported = source.library.map_or(0, |library| library.functions.len());
    jobs.extend((0..exported as u32).map(Job::Export));
    let mut parts = Parts {
        bodies,
        entries: program.functions.iter().map(|_| None).collect(),
        shims: program.functions.iter().map(|_| None).collect(),
        exports: Vec::new(),
        stubs: Vec::new(),
        work,
    };
    for (job, result) in jobs
        .iter()
        .zip(compile::compile_all(source, listing, &jobs, &mut work))
    {
        let code = result.unwrap_or_else(|refusal| panic!("{job:?}: {refusal}"));
        match *job {
            Job::Entry(func) => parts.entries[func as usize] = Some(code),
            Job::Shim(func) => parts.shims[func as usize] = Some(code),
            Job::Export(_) => parts.exports.push(code),
            Job::Body(_) | Job::Loop(..) | Job::Typed(_) | Job::Cold(_) => {
                unreachable!("not glue")
            }
        }
    }
    parts.stubs = needed_stubs(source, listing, &parts, &mut work);
    parts.work = work;
    parts
}

/// What a program needs of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// Its code is in another object.
    Elsewhere,
    Code,
}

fn compile_bodies(
    source: Source,
    choice: Bodies,
    listing: Listing,
    needs: &[Need],
    work: &mut Work,
) -> Vec<Body> {
    let jobs: Vec<Job> = match choice {
        Bodies::Compiled => (0..)
            .zip(needs)
            .filter(|(_, need)| **need == Need::Code)
            .map(|(func, _)| Job::Body(func))
            .collect(),
        Bodies::Bytecode => Vec::new(),
    };
    let mut results = compile::compile_all(source, listing, &jobs, work).into_iter();
    needs
        .iter()
        .map(|need| match (need, choice) {
            (Need::Nothing, _) => Body::Unused,
            (Need::Elsewhere, _) => Body::Elsewhere,
            (Need::Code, Bodies::Bytecode) => Body::Kept(None),
            (Need::Code, Bodies::Compiled) => {
                match results.next().expect("every needed function was a job") {
                    Ok(code) => Body::Compiled(code),
                    Err(refusal) => Body::Kept(Some(refusal)),
                }
            }
        })
        .collect()
}

/// The function whose object the code that is made of an instruction needs.
fn function_as_value(program: &Program, op: &Op) -> Option<FunctionId> {
    match *op {
        Op::Function { func } | Op::MakeClosure { func } => Some(func),
        Op::CallFunction { func, .. } => {
            let flags = program.functions[func as usize].info.flags;
            (flags.is_generator || flags.is_async).then_some(func)
        }
        _ => None,
    }
}

/// The stubs that the code calls.
fn needed_stubs(
    source: Source,
    listing: Listing,
    parts: &Parts,
    work: &mut Work,
) -> Vec<(Helper, Code)> {
    let mut used = vec![false; Helper::ALL.len()];
    for callee in parts.codes().flat_map(Code::callees) {
        if let Callee::Cold(helper) = callee {
            used[helper as usize] = true;
        }
    }
    let helpers = Helper::ALL.iter().copied();
    let helpers: Vec<Helper> = helpers.filter(|helper| used[*helper as usize]).collect();
    let jobs: Vec<Job> = helpers.iter().map(|helper| Job::Cold(*helper)).collect();
    let codes = compile::compile_all(source, listing, &jobs, work).into_iter();
    let codes = codes.map(|code| code.unwrap_or_else(|refusal| panic!("a stub: {refusal}")));
    helpers.into_iter().zip(codes).collect()
}

impl Parts {
    /// All code.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        let bodies = self.bodies.iter().filter_map(|body| match body {
            Body::Compiled(code) => Some(code),
            Body::Kept(_) | Body::Elsewhere | Body::Unused => None,
        });
        let glue = self.entries.iter().chain(&self.shims).flatten();
        bodies
            .chain(glue)
            .chain(&self.exports)
            .chain(self.stubs.iter().map(|(_, code)| code))
    }
}

/// The compiled functions that need a generic entry, and the functions without
/// code here that need a shim.  Roots are called from outside, directly and
/// through function objects.
fn needed_glue(
    source: Source,
    bodies: &[Body],
    roots: &[FunctionId],
) -> (Vec<FunctionId>, Vec<FunctionId>) {
    let program = source.program;
    // Nobody knows yet what will be asked of a module.
    let mut as_value = vec![source.alone.is_some(); bodies.len()];
    let mut directly = vec![false; bodies.len()];
    as_value[program.main as usize] = true;
    for root in roots {
        as_value[*root as usize] = true;
        directly[*root as usize] = true;
    }
    for declaration in &program.structs {
        for func in declaration
            .methods
            .iter()
            .map(|(_, func)| func)
            .chain(declaration.defaults.iter().map(|(_, func)| func))
        {
            as_value[*func as usize] = true;
        }
    }
    for (function, body) in program.functions.iter().zip(bodies) {
        match body {
            Body::Unused => continue,
            Body::Compiled(code) => {
                for callee in code.callees() {
                    match callee {
                        Callee::Direct(func) | Callee::Apart(func) => {
                            directly[func as usize] = true
                        }
                        Callee::Generic(func) => as_value[func as usize] = true,
                        Callee::Helper(_)
                        | Callee::Cold(_)
                        | Callee::Foreign(_)
                        | Callee::Numbers => {}
                    }
                }
            }
            // The interpreter calls everything through function objects, and other
            // objects may.
            Body::Kept(_) | Body::Elsewhere => {
                for func in function.code.iter().filter_map(mentioned_function) {
                    as_value[func as usize] = true;
                }
            }
        }
        let as_values = |op| function_as_value(program, op);
        for func in function.code.iter().filter_map(as_values) {
            as_value[func as usize] = true;
        }
        as_value[function.info.id as usize] |= function.info.flags.is_top_level;
    }
    let functions = || (0..).zip(bodies);
    let entries = functions()
        .filter(|(func, body)| matches!(body, Body::Compiled(_)) && as_value[*func as usize])
        .map(|(func, _)| func);
    let shims = functions()
        .filter(|(func, body)| {
            matches!(body, Body::Kept(_) | Body::Elsewhere) && directly[*func as usize]
        })
        .map(|(func, _)| func);
    (entries.collect(), shims.collect())
}
