//! The context: everything that running code of one thread needs to find.
//! A thread that the program starts has one of its own.
//!
//! `repr(C)`, since generated code reads and writes the fields up to
//! `pending` at fixed offsets.  The rest is for the runtime alone.

pub mod setup;

use crate::bytecode::{FunctionId, Program};
use crate::error::{Pending, RecentStacks};
use crate::loaded::LoadedProgram;
use crate::names::NameTable;
use crate::sync::Mutex;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicUsize};

/// One active function: its `FunctionId`.  The entries from the context's
/// first one to the current function's are the call stack.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct TraceEntry(pub FunctionId);

/// Nested calls that a program may make.
///
/// The reference asks for 5,000 and recommends 10,000; this is higher so that
/// a recursion to exactly 10,000 with a helper below it still works.
pub const MAX_CALL_DEPTH: usize = 12_000;

/// The state of one running program on one thread.
#[repr(C)]
pub struct VMContext {
    /// The variables that functions share with the top level.
    pub globals: *mut Value,
    /// The constant table; immortal objects.
    pub constants: *const Value,
    /// The function objects of functions that capture nothing, by `FunctionId`;
    /// `Null` for the others.  Immortal objects.
    pub functions: *const Value,
    /// Shapes of the struct sites whose declaration is known, by site; null for others.
    pub site_shapes: *const *const crate::heap::Shape,
    /// Shapes of the declarations' own fields, by declaration.
    pub declared_shapes: *const *const crate::heap::Shape,
    /// Table rows of the built-ins that the program names, by `BuiltinId`.
    pub builtins: *const &'static crate::builtins::Builtin,
    /// The one-character strings of ASCII, by character.  Immortal objects.
    pub ascii: *const crate::heap::Ref<crate::heap::Str>,
    /// Where the entry of the next call goes.  Generated code stores it before
    /// it calls a helper that may run Ruff code or look at the call stack.
    pub trace_top: *mut TraceEntry,
    /// The first entry that may not be written.
    pub trace_limit: *mut TraceEntry,
    /// The lowest address that the machine stack may reach.
    pub stack_limit: usize,
    /// The final `self` of the method that just returned, if it changed it.
    pub self_result: Value,
    /// What a helper that is called through a stub takes, then what it gave.
    pub cold_words: [u64; COLD_WORDS],
    /// The error on its way to a handler.
    pub pending: Option<Pending>,

    /// The first entry of the call stack.
    pub trace_base: *mut TraceEntry,
    /// With which functions active errors were raised.
    pub recent_stacks: RecentStacks,
    /// The operand stack of the interpreter and of the C interface.
    pub stack: crate::call::ValueStack,
    /// Variables that are found by name: globals and those that hosts define.
    pub variables: NameTable,
    /// What `variables`' slots from `globals.len()` on hold.
    pub host_variables: Vec<Value>,
    /// The program that runs.
    pub program: Box<LoadedProgram>,
    /// Standard output, buffered.
    pub output: crate::output::Output,
    /// The script's arguments.
    pub args: Vec<String>,
    /// What a restricted program may do.
    pub capabilities: Capabilities,
    /// Set by `exit`: the status that the process ends with.
    pub exit_status: Option<i32>,
    /// The process ends with this program, and is its own.
    pub owns_process: bool,
    /// Where the program's other threads count what they leave, if somebody checks.
    pub threads_memory: Option<Arc<ThreadsMemory>>,
    /// Values of declarations that capture nothing, by declaration, for instances
    /// that generated code makes; as far as they were asked for.
    pub closed_defs: Vec<Option<crate::heap::Ref<crate::heap::StructDef>>>,
    /// What built-ins keep between calls, one value of each type.
    pub kept: Vec<Box<dyn Any>>,
    /// What the JIT hangs on; the interpreter asks it about hot code.
    pub tier: Option<Box<dyn Tier>>,
    /// How hot each function is, while there is a tier.
    pub heat: Vec<Heat>,
    /// What the interpreter keeps between runs, once there was one.
    pub interpreter: Option<Kept>,
}

/// Something that an engine keeps in the context, of a type that only it knows.
pub struct Kept {
    pub pointer: *mut (),
    /// Frees it.
    pub free: unsafe fn(*mut ()),
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: whoever made it brought the function that fits.
        unsafe { (self.free)(self.pointer) }
    }
}

/// How often an interpreted function was called and its loops passed.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    /// For a generator function, how often its generators were asked.
    pub calls: u32,
    /// The compiled code of its generators once there is some.
    pub resume: Option<crate::call::Resume>,
    /// By loop number; empty until one is passed.
    pub loops: Vec<LoopHeat>,
}

/// How often a loop was passed, and its compiled code once there is some.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopHeat {
    pub passes: u32,
    pub entry: Option<LoopEntry>,
}

/// What a restricted program may do (reference, builtins-core 1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub random: bool,
    pub clock: bool,
}

impl Capabilities {
    pub const ALL: Capabilities = Capabilities {
        random: true,
        clock: true,
    };
}

/// What a check of memory learns of a program's threads, besides the first.
#[derive(Default)]
pub struct ThreadsMemory {
    /// Blocks that those left in use which have ended.
    pub blocks_left: AtomicUsize,
    /// What threads shared, as far as somebody may still have it.
    pub holders: Mutex<Vec<Weak<dyn Any + Send + Sync>>>,
    /// Some did not end with the program, so there is no telling what they leave.
    pub at_work: AtomicBool,
}

/// A compiler that the interpreter reports hot code to.
pub trait Tier {
    /// A function was called for the `threshold`th time.  Gives its machine
    /// code's entry, if it could be compiled; all further calls go there.
    fn compile_function(
        &mut self,
        program: &Program,
        func: FunctionId,
    ) -> Option<crate::call::Entry>;

    /// Generators of a function were asked for the `threshold`th time.  Gives the
    /// function's entry, which makes compiled generators from now on, and the
    /// code that goes on with them, if it could be compiled.
    fn compile_generator(
        &mut self,
        program: &Program,
        func: FunctionId,
    ) -> Option<(crate::call::Entry, crate::call::Resume)>;

    /// A loop was passed for the `threshold`th time.  Gives the entry that
    /// continues a frame at that `LoopHead`, if it could be compiled.
    fn compile_loop(
        &mut self,
        program: &Program,
        func: FunctionId,
        number: u32,
    ) -> Option<LoopEntry>;

    /// Calls or iterations after which code is hot.
    fn threshold(&self) -> u32;

    /// The same compiler, with the same code, for another thread of the program.
    fn share(&self) -> Box<dyn Tier + Send>;
}

/// Continues a frame of the interpreter at a loop head: takes over the values
/// in `slots` and returns what the function returns.
pub type LoopEntry = unsafe extern "C" fn(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    callee: *const crate::heap::Function,
    slots: *mut Value,
) -> crate::value::RawValue;

/// Where generated code finds the fields it uses.
pub const GLOBALS_OFFSET: usize = offset_of!(VMContext, globals);
pub const CONSTANTS_OFFSET: usize = offset_of!(VMContext, constants);
pub const FUNCTIONS_OFFSET: usize = offset_of!(VMContext, functions);
pub const SITE_SHAPES_OFFSET: usize = offset_of!(VMContext, site_shapes);
pub const BUILTINS_OFFSET: usize = offset_of!(VMContext, builtins);
pub const DECLARED_SHAPES_OFFSET: usize = offset_of!(VMContext, declared_shapes);
pub const ASCII_OFFSET: usize = offset_of!(VMContext, ascii);
pub const TRACE_TOP_OFFSET: usize = offset_of!(VMContext, trace_top);
pub const TRACE_LIMIT_OFFSET: usize = offset_of!(VMContext, trace_limit);
pub const STACK_LIMIT_OFFSET: usize = offset_of!(VMContext, stack_limit);
pub const SELF_RESULT_OFFSET: usize = offset_of!(VMContext, self_result);
pub const COLD_WORDS_OFFSET: usize = offset_of!(VMContext, cold_words);
/// Of an error that is pending, a word that is zero while its origin is unknown.
pub const ORIGIN_OFFSET: usize = offset_of!(VMContext, pending);
/// Arguments that a helper has at most.
pub const COLD_WORDS: usize = 8;

impl VMContext {
    /// What a family of built-ins keeps between calls; made when first asked for.
    pub fn kept<T: Default + 'static>(&mut self) -> &mut T {
        let known = self.kept.iter().position(|value| value.is::<T>());
        let position = known.unwrap_or_else(|| {
            self.kept.push(Box::new(T::default()));
            self.kept.len() - 1
        });
        self.kept[position]
            .downcast_mut()
            .expect("found by its type")
    }

    /// The variables that functions share with the top level.
    pub fn global_values(&mut self) -> &mut [Value] {
        let count = self.program.program.globals.len();
        // SAFETY: the context owns that many values there, and is borrowed.
        unsafe { core::slice::from_raw_parts_mut(self.globals, count) }
    }

    /// Leaves a runtime error with this message pending.
    #[cold]
    pub fn raise(&mut self, message: &str) -> crate::error::Raised {
        self.pending = Some(Pending::new(message));
        crate::error::Raised
    }
}
