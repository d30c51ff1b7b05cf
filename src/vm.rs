//! Running programs in this process: the interface for hosts.
//!
//! ```
//! use ruffc::vm::{Chunk, VM, Value};
//!
//! let chunk = Chunk::compile("sum.ruff", "
//!     func twice(n) { return n * 2 }
//!     mut total := 0
//!     for n in 1000 { total += twice(n) }
//!     return total
//! ")?;
//! let mut vm = VM::new();
//! vm.set_jit_enabled(true);
//! assert_eq!(vm.execute(&chunk)?, Value::Int(999_000));
//! assert!(vm.jit_stats().compiled_count > 0);
//! # Ok::<(), ruffc::vm::Error>(())
//! ```
//!
//! A chunk can also be made by hand, see `ruff_runtime::bytecode::builder`, and
//! a function of it called as machine code, see [`VM::compile_int_function`].
//!
//! What a program leaves behind is copied into [`Value`]s of the host, so
//! nothing here outlives its program.

mod chunk;
mod error;
mod load;
mod session;
mod typed;
mod value;

pub use chunk::Chunk;
pub use error::{Error, RuntimeError};
pub use load::{Engine, attach, load};
pub use session::{Session, Variables};
pub use typed::IntFunction;
pub use value::Value;

pub use crate::emit::jit::{CallRaised, DEFAULT_THRESHOLD, IntPointer, JitOptions, JitStats};

use crate::emit::jit::{SharedStats, locked};
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::VMContext;
use ruff_runtime::start;
use std::cell::RefCell;
use std::rc::Rc;

/// A virtual machine: settings that programs run with, and what was compiled.
///
/// Programs start in the interpreter; unless that is switched off, functions
/// and loops that get hot are compiled while they run.
pub struct VM {
    jit_enabled: bool,
    jit: JitOptions,
    stats: SharedStats,
    args: Vec<String>,
    output: Option<Rc<RefCell<OutputFunction>>>,
}

type OutputFunction = dyn FnMut(&[u8]);

impl Default for VM {
    fn default() -> VM {
        VM::new()
    }
}

impl VM {
    /// A machine that compiles hot code if this host has a code generator.
    pub fn new() -> VM {
        VM {
            jit_enabled: true,
            jit: JitOptions::default(),
            stats: SharedStats::default(),
            args: Vec::new(),
            output: None,
        }
    }

    /// Whether hot code is compiled.
    pub fn set_jit_enabled(&mut self, enabled: bool) {
        self.jit_enabled = enabled;
    }

    /// After how many calls or iterations code is hot; 1 compiles at once.
    pub fn set_jit_threshold(&mut self, threshold: u32) {
        self.jit.threshold = threshold;
    }

    /// What `args()` gives.
    pub fn set_args(&mut self, args: impl IntoIterator<Item = impl Into<String>>) {
        self.args = args.into_iter().map(Into::into).collect();
    }

    /// Where standard output goes instead of the process's.
    ///
    /// The function must not panic.
    pub fn set_output(&mut self, output: impl FnMut(&[u8]) + 'static) {
        self.output = Some(Rc::new(RefCell::new(output)));
    }

    /// What was compiled by this machine so far.
    pub fn jit_stats(&self) -> JitStats {
        locked(&self.stats).clone()
    }

    /// Runs a chunk's top level; gives what it returns.
    ///
    /// # Errors
    /// If the chunk names something that the runtime lacks, or if it raises an
    /// error that it does not catch, or ends itself with `exit`.
    pub fn execute(&mut self, chunk: impl AsRef<Chunk>) -> Result<Value, Error> {
        self.session(chunk.as_ref(), |session| session.execute())?
    }

    /// Loads a chunk and lets `action` run it as often as it likes.
    ///
    /// The action runs on a thread with a deep stack, while this one waits.
    ///
    /// # Errors
    /// If the chunk can't be loaded.
    pub fn session<T>(
        &mut self,
        chunk: &Chunk,
        action: impl FnOnce(&mut Session) -> T,
    ) -> Result<T, Error> {
        let loaded = load(chunk.program().clone())?;
        let mut parts = Some((loaded, action));
        let mut result = None;
        start::on_large_stack(&mut || {
            if let Some((loaded, action)) = parts.take() {
                let mut ctx = VMContext::new(loaded);
                self.prepare(&mut ctx);
                result = Some(action(&mut Session::new(&mut ctx)));
            }
        });
        Ok(result.expect("the action was run"))
    }

    /// Compiles a function from ints to an int, to be called directly.
    ///
    /// Its parameters must be known to be ints, from how the chunk itself calls
    /// it.
    ///
    /// # Errors
    /// If the chunk can't be loaded, or the function is not of that kind.
    pub fn compile_int_function<const PARAMETERS: usize>(
        &mut self,
        chunk: &Chunk,
        func: FunctionId,
    ) -> Result<IntFunction<PARAMETERS>, Error> {
        let mut ctx = VMContext::new(load(chunk.program().clone())?);
        self.prepare(&mut ctx);
        // Only compiled code calls others directly; what stays bytecode is interpreted.
        let function = IntFunction::compile(ctx, func, &self.jit)?;
        locked(&self.stats).add(function.stats());
        Ok(function)
    }

    fn prepare(&self, ctx: &mut VMContext) {
        ctx.args = self.args.clone();
        if self.jit_enabled {
            load::attach(ctx, Engine::Jit(self.jit.clone()), self.stats.clone());
        }
        if let Some(output) = &self.output {
            let output = output.clone();
            ctx.output.redirect = Some(Box::new(move |bytes| (output.borrow_mut())(bytes)));
        }
    }
}
