//! Code in memory: what is there, what calls what, and how more is added.

use super::gdb::{self, Placed, Registered};
use super::perf::PerfMap;
use super::{JitOptions, JitStats};
use crate::codegen::names::Callee;
use crate::codegen::{Debug, Source, signature};
use crate::emit::EmitError;
use crate::emit::compile::{Code, Compiler, Job, Listing, Refusal};
use crate::emit::debug::Described;
use crate::emit::symbol::Symbols;
use crate::emit::target::{self, Ending};
use crate::infer::{self, Facts};
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITMemoryProvider, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleError};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::foreign;
use rustc_hash::{FxHashMap, FxHashSet};
use std::mem::ManuallyDrop;

/// Address space for code.  It is one range, so that all of it is within reach
/// of a plain call; memory is only taken as it is used.
const CODE_SPACE: usize = 256 << 20;
/// Functions that are compiled because something hot calls them, at a time.
const CALLEE_BUDGET: usize = 64;

/// Why there is no code.
pub(super) enum Failure {
    Refused(Refusal),
    /// It was compiled, but there is no place for it.
    Module(EmitError),
    /// There was such a failure before.
    Broken,
}

impl From<ModuleError> for Failure {
    fn from(error: ModuleError) -> Failure {
        Failure::Module(error.into())
    }
}

/// What direct callers of a function reach.
#[derive(Clone, Copy)]
enum Direct {
    Nothing,
    /// Whatever its function object's entry is.
    Shim(FuncId),
    Body(FuncId),
}

pub(super) struct Machine {
    isa: OwnedTargetIsa,
    debug: Debug,
    facts: Facts,
    symbols: Symbols,
    /// Its memory is freed by hand: `JITModule` leaks it by default.
    module: ManuallyDrop<JITModule>,
    helpers: FxHashMap<Helper, FuncId>,
    /// Helpers' stubs.
    stubs: FxHashMap<Helper, FuncId>,
    direct: Vec<Direct>,
    entries: Vec<Option<FuncId>>,
    refused: Vec<Option<Refusal>>,
    /// Loops that somebody wanted; those without code were refused.
    loops: FxHashMap<(FunctionId, u32), Option<FuncId>>,
    /// C functions, by site, as far as code was to call them; `None` if they are
    /// not there.
    foreign: FxHashMap<u32, Option<FuncId>>,
    /// For declarations: nothing is called by its declared signature.
    signature: Signature,
    perf_map: Option<PerfMap>,
    /// What gdb knows of the code.
    registered: Vec<Registered>,
}

/// What the names of C functions begin with; their addresses follow.
const FOREIGN_PREFIX: &str = "ruff.foreign.";

impl Machine {
    pub fn new(program: &Program, options: &JitOptions) -> Result<Machine, EmitError> {
        let isa = target::isa(&options.target, Ending::Memory)?;
        let mut builder =
            JITBuilder::with_isa(isa.clone(), cranelift_module::default_libcall_names());
        builder.symbol_lookup_fn(Box::new(|symbol| {
            let address = symbol.strip_prefix(FOREIGN_PREFIX);
            if let Some(address) = address.and_then(|text| usize::from_str_radix(text, 16).ok()) {
                return Some(std::ptr::with_exposed_provenance(address));
            }
            Helper::ALL
                .iter()
                .find(|helper| helper.row().symbol == symbol)
                .map(|helper| helper.address())
        }));
        // Without the range, code may end up too far apart; that is an error
        // when it happens, not before.
        if let Some(memory) = code_memory() {
            builder.memory_provider(memory);
        }
        let count = program.functions.len();
        Ok(Machine {
            signature: signature::generic(&*isa),
            isa,
            debug: options.target.debug,
            facts: infer::infer(program),
            symbols: Symbols::new(program),
            module: ManuallyDrop::new(JITModule::new(builder)),
            helpers: FxHashMap::default(),
            stubs: FxHashMap::default(),
            foreign: FxHashMap::default(),
            direct: vec![Direct::Nothing; count],
            entries: vec![None; count],
            refused: vec![None; count],
            loops: FxHashMap::default(),
            perf_map: options.perf_map.then(PerfMap::open),
            registered: Vec::new(),
        })
    }

    /// Keeps the code for ever.
    pub fn leak(self) {
        std::mem::forget(self);
    }

    /// What is known of the program.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Compiles the job and what it needs; gives the code's address.
    pub fn compile(
        &mut self,
        program: &Program,
        job: Job,
        stats: &mut JitStats,
    ) -> Result<*const u8, Failure> {
        debug_assert_eq!(
            program.functions.len(),
            self.direct.len(),
            "one compiler serves one program"
        );
        if let Job::Entry(func) = job
            && let Some(id) = self.entries[func as usize]
        {
            return Ok(self.module.get_finalized_function(id));
        }
        if let Job::Loop(func, number) = job {
            // Another thread of the program may have come here before.
            match self.loops.get(&(func, number)) {
                Some(Some(id)) => return Ok(self.module.get_finalized_function(*id)),
                Some(None) => return Err(Failure::Broken),
                None => self.loops.insert((func, number), None),
            };
        }
        let codes = self.batch(program, job, stats).map_err(Failure::Refused)?;
        for (_, code) in &codes {
            self.find_foreign(program, code)?;
        }
        let mut ids = Vec::with_capacity(codes.len());
        for (job, _) in &codes {
            ids.push(self.declare(*job)?);
        }
        for ((job, code), id) in codes.iter().zip(&ids) {
            self.define(*id, code)?;
            stats.note_code(*job, code.bytes.len());
        }
        self.module.finalize_definitions()?;
        self.tell_tools(program, &codes, &ids);
        let wanted = codes
            .iter()
            .position(|(known, _)| *known == job)
            .expect("the job is in its batch");
        Ok(self.module.get_finalized_function(ids[wanted]))
    }

    /// The address of a function's body, if it was compiled.
    pub fn body(&self, func: FunctionId) -> Option<*const u8> {
        match self.direct[func as usize] {
            Direct::Body(id) => Some(self.module.get_finalized_function(id)),
            Direct::Nothing | Direct::Shim(_) => None,
        }
    }

    /// Lets tools outside know of new code, if they asked for it.
    fn tell_tools(&mut self, program: &Program, codes: &[(Job, Code)], ids: &[FuncId]) {
        let mut placed = Vec::new();
        for ((job, code), id) in codes.iter().zip(ids) {
            let name = self.symbols.of(*job);
            let address = self.module.get_finalized_function(*id) as u64;
            if let Some(map) = &mut self.perf_map {
                map.note(&name, address, code.bytes.len() as u64);
            }
            if let Some(trace) = &code.trace {
                let described = Described {
                    address: gimli::write::Address::Constant(address),
                    size: code.bytes.len() as u32,
                    trace,
                };
                placed.push(Placed {
                    name,
                    address,
                    described,
                });
            }
        }
        if !placed.is_empty() {
            let source = Source {
                program,
                facts: &self.facts,
                isa: &*self.isa,
                isa_for_large: &*self.isa,
                rare: None,
                debug: self.debug,
                library: None,
                alone: None,
                recorder: None,
            };
            self.registered.extend(gdb::register(source, &placed));
        }
    }

    /// The code for the job and for all that it needs and is not there.
    fn batch(
        &mut self,
        program: &Program,
        job: Job,
        stats: &mut JitStats,
    ) -> Result<Vec<(Job, Code)>, Refusal> {
        let source = Source {
            program,
            facts: &self.facts,
            isa: &*self.isa,
            isa_for_large: &*self.isa,
            rare: None,
            debug: self.debug,
            library: None,
            alone: None,
            recorder: None,
        };
        let mut batch = Batch {
            compiler: Compiler::new(source, Ending::Memory, Listing::None),
            direct: &self.direct,
            stubs: &self.stubs,
            added_stubs: FxHashSet::default(),
            refused: &mut self.refused,
            stats,
            added: FxHashSet::default(),
            codes: Vec::new(),
        };
        batch.add_wanted(job)?;
        batch.add_callees();
        Ok(batch.codes)
    }

    /// Declares what the job defines, and lets direct callers find it.
    fn declare(&mut self, job: Job) -> Result<FuncId, ModuleError> {
        let id =
            self.module
                .declare_function(&self.symbols.of(job), Linkage::Local, &self.signature)?;
        match job {
            Job::Body(func) => self.direct[func as usize] = Direct::Body(id),
            Job::Shim(func) => self.direct[func as usize] = Direct::Shim(id),
            Job::Entry(func) => self.entries[func as usize] = Some(id),
            Job::Loop(func, number) => {
                self.loops.insert((func, number), Some(id));
            }
            Job::Cold(helper) => {
                self.stubs.insert(helper, id);
            }
            Job::Typed(_) | Job::Export(_) => {}
        }
        Ok(id)
    }

    /// Finds the C functions that the code calls.
    fn find_foreign(&mut self, program: &Program, code: &Code) -> Result<(), Failure> {
        for callee in code.callees() {
            let Callee::Foreign(site) = callee else {
                continue;
            };
            let found = match self.foreign.get(&site) {
                Some(known) => *known,
                None => {
                    let address = foreign::address(&program.foreign_sites[site as usize]);
                    let symbol = format!("{FOREIGN_PREFIX}{:x}", address.expose_provenance());
                    let declare = || {
                        self.module
                            .declare_function(&symbol, Linkage::Import, &self.signature)
                    };
                    (!address.is_null()).then(declare).transpose()?
                }
            };
            self.foreign.insert(site, found);
            if found.is_none() {
                return Err(Failure::Refused(Refusal::NoForeign));
            }
        }
        Ok(())
    }

    fn define(&mut self, id: FuncId, code: &Code) -> Result<(), ModuleError> {
        for callee in code.callees() {
            if let Callee::Helper(helper) = callee
                && !self.helpers.contains_key(&helper)
            {
                let symbol = helper.row().symbol;
                let declared =
                    self.module
                        .declare_function(symbol, Linkage::Import, &self.signature)?;
                self.helpers.insert(helper, declared);
            }
        }
        let relocations = code.relocations(id, |callee| match callee {
            Callee::Helper(helper) => self.helpers[&helper],
            Callee::Cold(helper) => self.stubs[&helper],
            Callee::Foreign(site) => self.foreign[&site].expect("other code was refused"),
            Callee::Numbers => unreachable!("no module is compiled alone here"),
            Callee::Generic(func) => {
                self.entries[func as usize].expect("nothing calls entries by name")
            }
            Callee::Direct(func) | Callee::Apart(func) => match self.direct[func as usize] {
                Direct::Shim(id) | Direct::Body(id) => id,
                Direct::Nothing => unreachable!("the batch holds all callees"),
            },
        });
        self.module
            .define_function_bytes(id, code.alignment, &code.bytes, &relocations)
    }
}

#[cfg(all(unix, target_arch = "x86_64"))]
fn code_memory() -> Option<Box<dyn JITMemoryProvider + Send>> {
    let memory = super::memory::NearMemory::new(CODE_SPACE).ok()?;
    Some(Box::new(memory))
}

#[cfg(not(all(unix, target_arch = "x86_64")))]
fn code_memory() -> Option<Box<dyn JITMemoryProvider + Send>> {
    let memory = cranelift_jit::ArenaMemoryProvider::new_with_size(CODE_SPACE).ok()?;
    Some(Box::new(memory))
}

// SAFETY: nothing in it belongs to a thread; one at a time may use it.
unsafe impl Send for Machine {}

impl Drop for Machine {
    fn drop(&mut self) {
        self.registered.clear();
        // SAFETY: the module is not used again; whoever owns the compiler has
        // finished running the program, so none of the code is running.
        unsafe { ManuallyDrop::take(&mut self.module).free_memory() };
    }
}

/// Code that is added at once.
struct Batch<'a> {
    compiler: Compiler<'a>,
    direct: &'a [Direct],
    stubs: &'a FxHashMap<Helper, FuncId>,
    added_stubs: FxHashSet<Helper>,
    refused: &'a mut [Option<Refusal>],
    stats: &'a mut JitStats,
    /// The functions that direct callers reach through this batch.
    added: FxHashSet<FunctionId>,
    codes: Vec<(Job, Code)>,
}

impl Batch<'_> {
    fn add_wanted(&mut self, job: Job) -> Result<(), Refusal> {
        match job {
            Job::Entry(func) => {
                if !matches!(self.direct[func as usize], Direct::Body(_)) {
                    self.add_body(func)?;
                }
                self.add(job)
            }
            Job::Loop(..)
            | Job::Typed(_)
            | Job::Body(_)
            | Job::Shim(_)
            | Job::Cold(_)
            | Job::Export(_) => self
                .add(job)
                .inspect_err(|refusal| self.stats.note_fallback(refusal.to_string())),
        }
    }

    /// Adds what the code in the batch calls, and what that calls, and so on.
    fn add_callees(&mut self) {
        let mut budget = CALLEE_BUDGET;
        let mut next = 0;
        while let Some((_, code)) = self.codes.get(next) {
            let called: Vec<FunctionId> = code.callees().filter_map(directly_called).collect();
            let stubs: Vec<Helper> = code.callees().filter_map(called_through_stub).collect();
            next += 1;
            for helper in stubs {
                if !self.stubs.contains_key(&helper) && self.added_stubs.insert(helper) {
                    self.add(Job::Cold(helper))
                        .expect("stubs can always be compiled");
                }
            }
            for func in called {
                let is_there = self.added.contains(&func)
                    || !matches!(self.direct[func as usize], Direct::Nothing);
                if is_there {
                    continue;
                }
                if budget > 0 {
                    budget -= 1;
                    if self.add_body(func).is_ok() {
                        continue;
                    }
                }
                self.add(Job::Shim(func))
                    .expect("shims can always be compiled");
                self.added.insert(func);
            }
        }
    }

    /// Adds a function's body, unless that was refused before.
    fn add_body(&mut self, func: FunctionId) -> Result<(), Refusal> {
        if let Some(refusal) = &self.refused[func as usize] {
            return Err(refusal.clone());
        }
        if let Err(refusal) = self.add(Job::Body(func)) {
            self.stats.note_fallback(refusal.to_string());
            self.refused[func as usize] = Some(refusal.clone());
            return Err(refusal);
        }
        self.added.insert(func);
        Ok(())
    }

    fn add(&mut self, job: Job) -> Result<(), Refusal> {
        let code = self.compiler.compile(job)?;
        self.codes.push((job, code));
        Ok(())
    }
}

fn directly_called(callee: Callee) -> Option<FunctionId> {
    match callee {
        Callee::Direct(func) | Callee::Apart(func) => Some(func),
        Callee::Generic(_)
        | Callee::Helper(_)
        | Callee::Cold(_)
        | Callee::Foreign(_)
        | Callee::Numbers => None,
    }
}

fn called_through_stub(callee: Callee) -> Option<Helper> {
    match callee {
        Callee::Cold(helper) => Some(helper),
        Callee::Generic(_)
        | Callee::Helper(_)
        | Callee::Direct(_)
        | Callee::Apart(_)
        | Callee::Foreign(_)
        | Callee::Numbers => None,
    }
}
