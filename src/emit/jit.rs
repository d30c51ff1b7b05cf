//! The ending in memory: hot functions and loops of a running program become
//! machine code in this process.
//!
//! Together with what was asked for, the functions are compiled that it calls
//! directly, as far as the budget goes; calls of the others go through shims,
//! which find whatever runs the function at that time.  Code that is once made
//! stays where it is until the `Jit` is dropped.
//!
//! One `Jit` serves one program; its threads share what it makes, one of them
//! compiling at a time.  Its facts are inferred when the first code
//! gets hot, so that programs that never do are not kept waiting.

mod gdb;
mod machine;
mod perf;

#[cfg(all(unix, target_arch = "x86_64"))]
mod memory;
mod stats;
mod typed;

pub use stats::JitStats;
pub use typed::{CallRaised, IntFunction, IntPointer, TypedError};

use super::compile::Job;
use super::target::{TargetError, TargetOptions};
use machine::{Failure, Machine};
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::call::{Entry, Resume};
use ruff_runtime::context::{LoopEntry, Tier};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Calls or iterations after which code is hot, unless somebody says otherwise.
pub const DEFAULT_THRESHOLD: u32 = 100;

/// How hot code is compiled.
#[derive(Clone, Debug)]
pub struct JitOptions {
    /// Calls or iterations after which code is hot; at least one.
    pub threshold: u32,
    pub target: TargetOptions,
    /// Let perf know what code is called.
    pub perf_map: bool,
}

impl Default for JitOptions {
    fn default() -> JitOptions {
        JitOptions {
            threshold: DEFAULT_THRESHOLD,
            target: TargetOptions::native(),
            perf_map: false,
        }
    }
}

/// The compiler of one running program's hot code.
pub struct Jit {
    options: JitOptions,
    stats: SharedStats,
    machine: Arc<Mutex<MachineState>>,
}

/// What was compiled, by all threads of a program.
pub type SharedStats = Arc<Mutex<JitStats>>;

/// The value behind a lock.  A panic ends the process, so there is no thread
/// that could find what another one has left half done.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum MachineState {
    /// Nothing was hot yet.
    Unmade,
    Made(Box<Machine>),
    /// There can't be any more code.
    Broken,
}

impl Jit {
    /// A compiler that adds what it does to `stats`.
    pub fn new(options: JitOptions, stats: SharedStats) -> Jit {
        Jit {
            options,
            stats,
            machine: Arc::new(Mutex::new(MachineState::Unmade)),
        }
    }

    /// Compiles the job and what it calls; gives the code's address.
    fn compile(&mut self, program: &Program, job: Job) -> Option<*const u8> {
        let mut state = locked(&self.machine);
        let mut stats = locked(&self.stats);
        let start = Instant::now();
        let result = state.compile(&self.options, program, job, &mut stats);
        stats.compile_time += start.elapsed();
        match result {
            Ok(address) => Some(address),
            Err(Failure::Refused(_) | Failure::Broken) => None,
            // A module that failed in the middle of its work is not asked again.
            Err(Failure::Module(error)) => {
                stats.note_fallback(error.to_string());
                if let MachineState::Made(machine) =
                    std::mem::replace(&mut *state, MachineState::Broken)
                {
                    // Code made before may still run.
                    machine.leak();
                }
                None
            }
        }
    }
}

impl MachineState {
    fn compile(
        &mut self,
        options: &JitOptions,
        program: &Program,
        job: Job,
        stats: &mut JitStats,
    ) -> Result<*const u8, Failure> {
        let machine = match self {
            MachineState::Made(machine) => machine,
            MachineState::Broken => return Err(Failure::Broken),
            MachineState::Unmade => {
                let made = Machine::new(program, options);
                // A host without code generator stays one.
                *self = MachineState::Broken;
                *self = MachineState::Made(Box::new(made.map_err(Failure::Module)?));
                return self.compile(options, program, job, stats);
            }
        };
        machine.compile(program, job, stats)
    }

    /// The address of a function's body, if it was compiled.
    fn body(&self, func: FunctionId) -> Option<*const u8> {
        match self {
            MachineState::Made(machine) => machine.body(func),
            MachineState::Unmade | MachineState::Broken => None,
        }
    }
}

impl Tier for Jit {
    fn compile_function(&mut self, program: &Program, func: FunctionId) -> Option<Entry> {
        let address = self.compile(program, Job::Entry(func))?;
        // SAFETY: the code was generated with the signature of `Entry` for this
        // very function, and lives as long as this compiler.
        Some(unsafe { std::mem::transmute::<*const u8, Entry>(address) })
    }

    fn compile_generator(
        &mut self,
        program: &Program,
        func: FunctionId,
    ) -> Option<(Entry, Resume)> {
        let entry = self.compile_function(program, func)?;
        let body = locked(&self.machine).body(func)?;
        // SAFETY: a generator's body was generated with the signature of `Resume`,
        // and lives as long as this compiler.
        let resume = unsafe { std::mem::transmute::<*const u8, Resume>(body) };
        Some((entry, resume))
    }

    fn compile_loop(
        &mut self,
        program: &Program,
        func: FunctionId,
        number: u32,
    ) -> Option<LoopEntry> {
        let address = self.compile(program, Job::Loop(func, number))?;
        // SAFETY: as above, with the signature of `LoopEntry`.
        Some(unsafe { std::mem::transmute::<*const u8, LoopEntry>(address) })
    }

    fn threshold(&self) -> u32 {
        self.options.threshold.max(1)
    }

    fn share(&self) -> Box<dyn Tier + Send> {
        Box::new(Jit {
            options: self.options.clone(),
            stats: Arc::clone(&self.stats),
            machine: Arc::clone(&self.machine),
        })
    }
}

/// Whether there is a code generator for this machine.
///
/// # Errors
/// If there is none.
pub fn is_available() -> Result<(), TargetError> {
    super::target::isa(&TargetOptions::native(), super::target::Ending::Memory).map(|_| ())
}
