//! From IR to machine code, in threads when there is enough to do.
//!
//! Functions are compiled independently of each other; what they call stays
//! named as `codegen` names it.  The result depends on the program alone, not
//! on how the work was shared out.

use super::branchless;
use super::cold;
use super::debug::{Origin, Trace};
use super::hoist::hoist;
use super::inlining::Inliner;
use super::leaf;
use super::order;
use super::overflow;
use super::parked;
use super::peel::peel_loops;
use super::placement::{Placement, padded, placement};
use super::ranges;
use super::simplify::{Flow, simplify};
use super::target::Ending;
use super::undo;
use super::words;
use crate::codegen::names::Callee;
use crate::codegen::{self, Debug, Source, Unsupported};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{self, ExternalName, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::loop_analysis::LoopAnalysis;
use cranelift_codegen::settings::OptLevel;
use cranelift_codegen::{CodegenError, CodegenResult, CompiledCode, Context};
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Instructions of bytecode that are worth a thread.
const THREAD_WORTH: usize = 1500;
/// Cranelift recurses little, but over the user's control flow.
const THREAD_STACK: usize = 64 << 20;

/// Blocks from which on the quick register allocator is no longer quick: it
/// looks at every way into a block for every value that lives there.
const LARGE: usize = 6000;

/// Something to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// A function's body.
    Body(FunctionId),
    /// The rest of a function's body from a loop's head on.
    Loop(FunctionId, u32),
    /// The generic entry of a function that has a compiled body.
    Entry(FunctionId),
    /// The stand-in for the body of a function that stays bytecode.
    Shim(FunctionId),
    /// A function's body once more, with the C calling convention.
    Typed(FunctionId),
    /// The stub of a helper that changes no register.
    Cold(Helper),
    /// The C function of an exported one.
    Export(u32),
}

/// How much is done for a function's code.
#[derive(Clone, Copy)]
enum Effort<'a> {
    /// The code is to be made quickly, with this code generator.
    Little(&'a dyn TargetIsa),
    /// All but what looks at other functions.
    NoInlining,
    All,
}

/// What is written down besides the machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Listing {
    #[default]
    None,
    Clif,
    Assembly,
}

/// Why a function stays bytecode.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    Unsupported(Unsupported),
    /// It is too large for the code generator.
    TooLarge,
    /// The code generator lacks something for this target.
    Lacking,
    /// A C function that it calls is not in this process.
    NoForeign,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unsupported(unsupported) => unsupported.fmt(out),
            Refusal::NoForeign => out.write_str("a C function that it calls was not found"),
            Refusal::TooLarge => out.write_str("too large for the code generator"),
            Refusal::Lacking => {
                out.write_str("the code generator lacks an instruction for this target")
            }
        }
    }
}

/// Machine code that does not know yet where its callees are.
pub(super) struct Code {
    pub bytes: Vec<u8>,
    pub alignment: u64,
    relocations: Vec<ModuleReloc>,
    pub listing: String,
    /// For debuggers, if there shall be any.
    pub trace: Option<Trace>,
}

impl Code {
    /// Everything that the code calls by name, once for each call.
    pub fn callees(&self) -> impl Iterator<Item = Callee> {
        self.relocations
            .iter()
            .filter_map(|relocation| callee(&relocation.name))
    }

    /// The relocations, with callees and the code itself as a module knows them.
    pub fn relocations(&self, own: FuncId, resolve: impl Fn(Callee) -> FuncId) -> Vec<ModuleReloc> {
        let resolved = |relocation: &ModuleReloc| {
            let name = match (&relocation.name, callee(&relocation.name)) {
                (_, Some(callee)) => resolve(callee).into(),
                (ModuleRelocTarget::FunctionOffset(_, offset), None) => {
                    ModuleRelocTarget::FunctionOffset(own, *offset)
                }
                (other, None) => other.clone(),
            };
            ModuleReloc {
                name,
                ..*relocation
            }
        };
        self.relocations.iter().map(resolved).collect()
    }
}

/// The same relocation in code that so many bytes were put in front of.
fn moved(relocation: ModuleReloc, by: u32) -> ModuleReloc {
    let name = match relocation.name {
        ModuleRelocTarget::FunctionOffset(func, offset) => {
            ModuleRelocTarget::FunctionOffset(func, offset + by)
        }
        other => other,
    };
    ModuleReloc {
        offset: relocation.offset + by,
        name,
        ..relocation
    }
}

fn callee(name: &ModuleRelocTarget) -> Option<Callee> {
    match *name {
        ModuleRelocTarget::User { namespace, index } => Some(Callee::from_external_name(
            &UserExternalName::new(namespace, index),
        )),
        _ => None,
    }
}

/// Whether control ever comes back to a block of the function.
fn has_loops(function: &ir::Function) -> bool {
    let flow = Flow::of(function);
    let mut loops = LoopAnalysis::new();
    loops.compute(function, &flow.graph, &flow.dominators);
    loops.loops().next().is_some()
}

/// Compiles one function after the other and keeps what they can share.
pub(super) struct Compiler<'a> {
    source: Source<'a>,
    ending: Ending,
    listing: Listing,
    context: Context,
    /// What the register allocator keeps between functions.
    registers: regalloc2::Ctx,
    /// Absent when code is to be made quickly.
    inliner: Option<Inliner<'a>>,
}

impl<'a> Compiler<'a> {
    pub fn new(source: Source<'a>, ending: Ending, listing: Listing) -> Compiler<'a> {
        Compiler {
            source,
            ending,
            listing,
            context: Context::new(),
            registers: regalloc2::Ctx::default(),
            inliner: (source.isa.flags().opt_level() == OptLevel::Speed)
                .then(|| Inliner::new(source)),
        }
    }

    /// # Errors
    /// If the function has to stay bytecode.
    ///
    /// # Panics
    /// If the IR is wrong, which is this compiler's mistake.
    pub fn compile(&mut self, job: Job) -> Result<Code, Refusal> {
        let function = self.translate(job).map_err(Refusal::Unsupported)?;
        self.context.clear();
        self.context.func = function;
        self.context.set_disasm(self.listing == Listing::Assembly);
        let listing_before = match self.listing {
            Listing::Clif => Some(self.context.func.display().to_string()),
            Listing::None | Listing::Assembly => None,
        };
        let mut origin = self.origin(job);
        let effort = self.effort(job);
        if let Some(inliner) = &mut self.inliner
            && matches!(effort, Effort::All)
        {
            inliner.expand(&mut self.context, origin.as_mut());
            let flow = simplify(&mut self.context);
            hoist(&mut self.context.func);
            cold::spread_coldness(&mut self.context.func, &flow.graph);
            let flow = peel_loops(&mut self.context.func, flow);
            ranges::use_ranges(&mut self.context.func, &flow);
            branchless::select_values(&mut self.context.func);
            if cold::has_stubs(self.source.isa) {
                cold::use_stubs(&mut self.context);
            }
        }
        words::return_in_memory(&mut self.context.func, self.source.isa);
        self.place_callees();
        let mut listing = listing_before.unwrap_or_default();
        let code = match self.machine_code(effort) {
            Ok(code) => code,
            Err(CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge) => {
                return Err(Refusal::TooLarge);
            }
            Err(CodegenError::Unsupported(_)) => return Err(Refusal::Lacking),
            Err(error) => panic!("{job:?}: {error:?}\n{}", self.context.func.display()),
        };
        if let Some(assembly) = &code.vcode {
            listing.clone_from(assembly);
        }
        // The function that offsets in itself refer to has no number yet.
        let own = FuncId::from_u32(0);
        let function = &self.context.func;
        let isa = self.source.isa;
        let is_for_debuggers = self.source.debug != Debug::Nothing;
        let usual = Placement {
            alignment: code.buffer.alignment.into(),
            padding: 0,
        };
        // Debuggers want every frame, and the code where they are told that it is.
        let (mut bytes, placement) = match is_for_debuggers {
            true => (code.buffer.data().to_vec(), usual),
            false => {
                let bytes = leaf::machine_code(isa, function, &code);
                let placement = placement(isa, &bytes, usual.alignment);
                (padded(bytes, placement.padding), placement)
            }
        };
        if !matches!(effort, Effort::Little(_)) {
            overflow::branch_on_flag(isa, function, &mut bytes);
        }
        let relocation = |relocation| {
            let relocation = ModuleReloc::from_mach_reloc(relocation, function, own);
            moved(relocation, placement.padding as u32)
        };
        Ok(Code {
            bytes,
            trace: is_for_debuggers.then(|| Trace::new(self.source, &code, origin)),
            alignment: placement.alignment,
            relocations: code.buffer.relocs().iter().map(relocation).collect(),
            listing,
        })
    }

    /// Where the job's code comes from, if somebody wants to know and it comes
    /// from the source at all.
    fn origin(&self, job: Job) -> Option<Origin> {
        match job {
            Job::Body(func) | Job::Loop(func, _) | Job::Typed(func)
                if self.source.debug != Debug::Nothing =>
            {
                let instructions = self.source.program.functions[func as usize].code.len();
                Some(Origin::new(func, instructions))
            }
            _ => None,
        }
    }

    /// How much effort the code of the function at hand is worth.
    fn effort(&self, job: Job) -> Effort<'a> {
        if self.inliner.is_none() {
            return Effort::Little(self.source.isa);
        }
        match job {
            Job::Body(func) => match self.source.isa_for_rare(func) {
                // A built-in's loop may have become part of the function.
                Some(isa) if !has_loops(&self.context.func) => Effort::Little(isa),
                _ => Effort::All,
            },
            Job::Loop(..) | Job::Typed(_) | Job::Export(_) => Effort::All,
            Job::Entry(_) | Job::Shim(_) | Job::Cold(_) => Effort::NoInlining,
        }
    }

    /// As `Context::compile`, with passes of our own behind the optimiser.
    fn machine_code(&mut self, effort: Effort<'a>) -> CodegenResult<CompiledCode> {
        let context = &mut self.context;
        let (isa, is_quick) = match effort {
            Effort::Little(isa) => (isa, true),
            Effort::NoInlining | Effort::All => (self.source.isa, false),
        };
        context.verify_if(isa)?;
        context.optimize(isa, &mut ControlPlane::default())?;
        let is_large = context.func.dfg.num_blocks() > LARGE;
        if !is_quick {
            cold::sink(&mut context.func);
            cold::share_sums(context);
            undo::compute_back(context);
        }
        if !is_quick || is_large {
            // Cranelift's optimiser may have taken some away.
            context.compute_loop_analysis();
        }
        if !is_quick {
            parked::park(context);
        }
        if !is_quick || is_large {
            order::keep_loops_together(context);
        }
        context.verify_if(isa)?;
        let allocating = if is_large {
            self.source.isa_for_large
        } else {
            isa
        };
        let code = allocating.compile_function(
            &context.func,
            &context.domtree,
            &mut self.registers,
            context.want_disasm,
            &mut ControlPlane::default(),
        )?;
        Ok(code.apply_params(&context.func.params))
    }

    fn translate(&self, job: Job) -> Result<ir::Function, Unsupported> {
        match job {
            Job::Body(func) => {
                let inliner = self.inliner.as_ref();
                match inliner.and_then(|inliner| inliner.translated(func)) {
                    Some(body) => Ok(body.clone()),
                    None => codegen::translate(self.source, func),
                }
            }
            Job::Loop(func, number) => codegen::translate_loop(self.source, func, number),
            Job::Entry(func) => Ok(codegen::generic_entry(self.source, func)),
            Job::Shim(func) => Ok(codegen::bytecode_shim(self.source, func)),
            Job::Cold(helper) => Ok(cold::stub(self.source.isa, helper)),
            Job::Export(number) => Ok(codegen::export(self.source, number)),
            Job::Typed(func) => {
                let mut function = codegen::translate(self.source, func)?;
                function.signature.call_conv = self.source.isa.default_call_conv();
                Ok(function)
            }
        }
    }

    /// Says which callees are near: reached by a plain call.  In an executable
    /// all are; in memory the runtime may be anywhere.
    fn place_callees(&mut self) {
        let function = &mut self.context.func;
        let names = function.params.user_named_funcs();
        for callee in function.stencil.dfg.ext_funcs.values_mut() {
            if let ExternalName::User(name) = callee.name {
                let is_elsewhere = matches!(
                    Callee::from_external_name(&names[name]),
                    Callee::Helper(_) | Callee::Foreign(_)
                );
                callee.colocated = self.ending == Ending::Object || !is_elsewhere;
            }
        }
    }
}

/// How much work it was, and who did it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// The most threads that worked at once.
    pub threads: usize,
    /// What they took together, waiting for a processor included.
    pub time: Duration,
}

impl Work {
    fn add(&mut self, threads: usize, time: Duration) {
        self.threads = self.threads.max(threads);
        self.time += time;
    }
}

/// Compiles all jobs; the results are in their order.
pub(super) fn compile_all(
    source: Source,
    listing: Listing,
    jobs: &[Job],
    work: &mut Work,
) -> Vec<Result<Code, Refusal>> {
    let threads = threads_for(source, jobs);
    compile_in(threads, source, listing, jobs, work)
}

/// The same in so many threads.
fn compile_in(
    threads: usize,
    source: Source,
    listing: Listing,
    jobs: &[Job],
    work: &mut Work,
) -> Vec<Result<Code, Refusal>> {
    // Each thread takes the next job until none is left, the largest first, so
    // that no large one is left when the other threads have nothing to do.
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(size(source, &jobs[*index])));
    let next = AtomicUsize::new(0);
    let take = || {
        let start = Instant::now();
        let mut compiler = Compiler::new(source, Ending::Object, listing);
        let mut done = Vec::new();
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*index, compiler.compile(jobs[*index])));
        }
        (done, start.elapsed())
    };
    let mut results: Vec<Option<Result<Code, Refusal>>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let start = || {
            std::thread::Builder::new()
                .stack_size(THREAD_STACK)
                .spawn_scoped(scope, take)
                .ok()
        };
        let helpers: Vec<_> = (1..threads).filter_map(|_| start()).collect();
        let count = 1 + helpers.len();
        let mut place = |(done, time)| {
            let done: Vec<(usize, Result<Code, Refusal>)> = done;
            work.add(count, time);
            for (index, result) in done {
                results[index] = Some(result);
            }
        };
        place(take());
        for helper in helpers {
            match helper.join() {
                Ok(done) => place(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    results
        .into_iter()
        .map(|result| result.expect("every job was taken by a thread"))
        .collect()
}

/// Instructions of bytecode, or about what other jobs are worth.
fn size(source: Source, job: &Job) -> usize {
    match job {
        Job::Body(func) | Job::Loop(func, _) | Job::Typed(func) => {
            source.program.functions[*func as usize].code.len()
        }
        Job::Entry(_) | Job::Shim(_) | Job::Cold(_) | Job::Export(_) => 10,
    }
}

fn threads_for(source: Source, jobs: &[Job]) -> usize {
    let instructions: usize = jobs.iter().map(|job| size(source, job)).sum();
    let useful = (instructions / THREAD_WORTH).min(jobs.len());
    if useful <= 1 {
        // Asking how many processors there are takes longer than a small program.
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |processors| processors.get().min(useful))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{lowered, target};
    use crate::infer;
    use ruff_runtime::bytecode::Program;

    /// Functions of different sizes that call each other, small and large.
    fn program() -> Program {
        let mut text = String::from("func f0(n) { return n + 1 }\n");
        for k in 1..40 {
            let body = "    if n > 3 { s += n * 2 } else { s -= n }\n".repeat(k % 7);
            let last = k - 1;
            text.push_str(&format!(
                "func f{k}(n) {{\n    mut s := f{last}(n)\n{body}    return s + {k}.5\n}}\n"
            ));
        }
        text.push_str("print(f39(4))\n");
        lowered(&text)
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let program = program();
        let facts = infer::infer(&program);
        let triple = "x86_64-unknown-linux-gnu".parse().expect("a target");
        let options = target::TargetOptions::new(triple);
        let isa = target::isa(&options, Ending::Object).expect("there is a code generator");
        let source = Source {
            program: &program,
            facts: &facts,
            isa: &*isa,
            isa_for_large: &*isa,
            rare: None,
            debug: Debug::Nothing,
            library: None,
            alone: None,
            recorder: None,
        };
        let jobs: Vec<Job> = (0..program.functions.len() as u32).map(Job::Body).collect();
        let compiled = |threads| -> Vec<(Vec<u8>, String)> {
            let mut work = Work::default();
            let codes = compile_in(threads, source, Listing::Clif, &jobs, &mut work);
            assert_eq!(work.threads, threads);
            let code = |code: Result<Code, Refusal>| code.expect("everything is compiled");
            let codes = codes.into_iter().map(code);
            let shown = |code: Code| {
                let places = code.relocations.iter().map(|one| one.offset);
                let callees: Vec<Callee> = code.callees().collect();
                let listing = format!(
                    "{}{:?}{callees:?}",
                    code.listing,
                    places.collect::<Vec<_>>()
                );
                (code.bytes, listing)
            };
            codes.map(shown).collect()
        };
        let alone = compiled(1);
        for threads in [2, 5] {
            assert!(compiled(threads) == alone, "{threads} threads");
        }
    }
}
