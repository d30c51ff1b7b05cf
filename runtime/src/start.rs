//! A program's beginning and end: its context, its stack, its last words.
//!
//! Standard output is flushed whatever happens, and whatever the program
//! allocated is given back.  Deep recursion needs a deep stack, so `main` runs
//! on a thread of its own with a large one; the heap goes there and back.

use crate::call;
use crate::context::{Capabilities, MAX_CALL_DEPTH, TraceEntry, VMContext};
use crate::error::Raised;
use crate::heap::{self, allocator, cycles};
use crate::loaded::LoadedProgram;
use crate::output::{Output, write_all};
use crate::semantics::catch;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::size_of;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Exit status of a program that an error ended.
pub const STATUS_RUNTIME_ERROR: i32 = 4;
/// Exit status when the runtime itself can't go on.
pub const STATUS_INTERNAL: i32 = 6;

/// Address space of the machine stack that a program runs on.
const MACHINE_STACK: usize = 512 << 20;
/// Machine stack that helpers may use without asking: writing and comparing
/// values takes a few hundred bytes for each of at most 4,096 levels.
const STACK_MARGIN: usize = 2 << 20;
/// Address space of the value stack.
const VALUE_STACK: usize = 256 << 20;
/// Entries at the end of the call stack that top levels may still need.
const SPARE_TRACE: usize = 64;

impl VMContext {
    /// A context that is ready to run a program, with standard output
    /// buffered by line if it is a terminal.
    pub fn new(program: Box<LoadedProgram>) -> Box<VMContext> {
        let trace_size =
            ((MAX_CALL_DEPTH + SPARE_TRACE) * size_of::<TraceEntry>()).next_multiple_of(4096);
        let stacks = reserve(trace_size + VALUE_STACK);
        let trace_base: *mut TraceEntry = stacks.cast();
        // SAFETY: both lie within the range just reserved.
        let (trace_limit, base, limit) = unsafe {
            let base: *mut Value = stacks.add(trace_size).cast();
            (
                trace_base.add(MAX_CALL_DEPTH),
                base,
                base.add(VALUE_STACK / size_of::<Value>()),
            )
        };
        let mut globals: Vec<Value> = Vec::new();
        globals.resize_with(program.program.globals.len(), || Value::UNSET);
        // SAFETY: asks about a file descriptor.
        let is_terminal = unsafe { libc::isatty(1) == 1 };
        Box::new(VMContext {
            globals: Box::into_raw(globals.into_boxed_slice()).cast(),
            constants: program.constants.as_ptr(),
            functions: program.functions.as_ptr(),
            site_shapes: program.site_shapes.as_ptr(),
            declared_shapes: program.declared_shapes.as_ptr(),
            builtins: program.builtins.as_ptr(),
            ascii: program.ascii.as_ptr(),
            trace_top: trace_base,
            trace_limit,
            stack_limit: stack_limit_here(),
            self_result: Value::UNSET,
            trace_base,
            pending: None,
            stack: call::ValueStack {
                base,
                top: base,
                limit,
            },
            variables: program.variables.clone(),
            host_variables: Vec::new(),
            program,
            output: Output::new(is_terminal),
            args: Vec::new(),
            capabilities: Capabilities::ALL,
            exit_status: None,
            kept: Vec::new(),
            tier: None,
            heat: Vec::new(),
            interpreter: None,
        })
    }

    /// Runs the program's top level; gives its value.
    ///
    /// # Errors
    /// If an error stays uncaught, which is then pending, or if the program
    /// ended itself (`exit_status`).
    pub fn run(&mut self) -> Result<Value, Raised> {
        self.stack_limit = stack_limit_here();
        let main = self.program.program.main as usize;
        let Some(function) = self.program.functions[main].to_ref::<heap::Function>() else {
            return Err(self.raise("the program has no top level"));
        };
        let trace = self.trace_base;
        call::enter(self, trace, &function, &mut [])
    }
}

impl Drop for VMContext {
    fn drop(&mut self) {
        self.output.flush();
        self.pending = None;
        self.self_result = Value::UNSET;
        self.host_variables.clear();
        let count = self.program.program.globals.len();
        // SAFETY: `new` made the globals and the stacks; nobody runs any more.
        unsafe {
            let mut place = self.stack.base;
            while place < self.stack.top {
                core::ptr::drop_in_place(place);
                place = place.add(1);
            }
            drop(Box::from_raw(core::ptr::slice_from_raw_parts_mut(
                self.globals,
                count,
            )));
            cycles::collect();
            let size = self.stack.limit as usize - self.trace_base as usize;
            libc::munmap(self.trace_base.cast(), size);
        }
    }
}

/// A range of address space of which only what is touched takes memory.
fn reserve(size: usize) -> *mut u8 {
    // SAFETY: a fresh private mapping.
    let range = unsafe {
        libc::mmap(
            null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if range == libc::MAP_FAILED {
        allocator::out_of_memory(size);
    }
    range.cast()
}

/// The lowest address that this thread's stack may reach.
fn stack_limit_here() -> usize {
    let (lowest, size) = stack_range();
    lowest + STACK_MARGIN.min(size / 2)
}

/// Where this thread's stack starts, and its size.
#[cfg(target_os = "linux")]
fn stack_range() -> (usize, usize) {
    // SAFETY: asks the C library about this thread.
    unsafe {
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        let (mut lowest, mut size) = (null_mut(), 0);
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) == 0 {
            libc::pthread_attr_getstack(&attributes, &mut lowest, &mut size);
            libc::pthread_attr_destroy(&mut attributes);
            return (lowest as usize, size);
        }
    }
    guessed_stack_range()
}

/// Where this thread's stack starts, and its size.
#[cfg(target_vendor = "apple")]
fn stack_range() -> (usize, usize) {
    // SAFETY: asks the C library about this thread.
    unsafe {
        let this = libc::pthread_self();
        let size = libc::pthread_get_stacksize_np(this);
        (libc::pthread_get_stackaddr_np(this) as usize - size, size)
    }
}

/// Where this thread's stack starts, and its size.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn stack_range() -> (usize, usize) {
    guessed_stack_range()
}

/// A stack of one megabyte, of which little is used: what is common at least.
#[cfg(not(target_vendor = "apple"))]
fn guessed_stack_range() -> (usize, usize) {
    const SIZE: usize = 1 << 20;
    let here = 0u8;
    (
        (&raw const here as usize).saturating_sub(SIZE * 7 / 8),
        SIZE,
    )
}

/// Runs a program to its end and gives its exit status.  Reports an uncaught
/// error, and frees everything.
pub fn run_to_exit_status(program: Box<LoadedProgram>, args: Vec<String>) -> i32 {
    let mut status = STATUS_INTERNAL;
    let mut parts = Some((program, args));
    on_large_stack(&mut || {
        if let Some((program, args)) = parts.take() {
            let mut ctx = VMContext::new(program);
            ctx.args = args;
            status = run_and_report(&mut ctx);
        }
    });
    status
}

/// Runs a context's program; reports an uncaught error.  Gives the exit status.
pub fn run_and_report(ctx: &mut VMContext) -> i32 {
    let outer = RUNNING.swap(ctx, Ordering::Relaxed);
    allocator::OUT_OF_MEMORY.store(
        out_of_memory as fn(usize) -> ! as *mut (),
        Ordering::Relaxed,
    );
    let result = ctx.run();
    let status = match (ctx.exit_status, result) {
        (Some(status), _) => status,
        (None, Ok(_)) => 0,
        (None, Err(Raised)) => {
            ctx.output.flush();
            if let Some(pending) = ctx.pending.take() {
                write_all(2, catch::report(ctx, &pending).as_bytes());
            }
            STATUS_RUNTIME_ERROR
        }
    };
    ctx.output.flush();
    RUNNING.store(outer, Ordering::Relaxed);
    status
}

/// The context whose output is flushed when memory runs out.
static RUNNING: AtomicPtr<VMContext> = AtomicPtr::new(null_mut());

/// Ends the process for want of memory, with the output that there was.
fn out_of_memory(_size: usize) -> ! {
    let ctx = RUNNING.swap(null_mut(), Ordering::Relaxed);
    // SAFETY: the context runs, further down on this stack; flushing does not
    // allocate, and nothing happens after it.
    unsafe {
        if !ctx.is_null() {
            (*ctx).output.flush();
        }
        write_all(
            2,
            b"[RUFVM001] [vm] Runtime Error: Out of memory\n  --> 0:0\n\n",
        );
        libc::_exit(STATUS_RUNTIME_ERROR)
    }
}

/// Lets a closed pipe end the process, as it ends other command-line tools.
/// Rust programs start with the signal ignored.
#[cfg(unix)]
pub fn end_on_closed_pipe() {
    // SAFETY: sets a signal's disposition to the default one.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Ends the process because the program can't even be started.
pub fn fail(message: &str) -> ! {
    write_all(2, b"error: ");
    write_all(2, message.as_bytes());
    write_all(2, b"\n");
    // SAFETY: ends the process.
    unsafe { libc::_exit(STATUS_INTERNAL) }
}

/// The command line's arguments, without the program's name.
///
/// # Safety
/// `argv` points at `argc` C strings.
pub unsafe fn arguments(argc: i32, argv: *const *const u8) -> Vec<String> {
    let count = usize::try_from(argc).unwrap_or(0);
    (1..count)
        .map(|index| {
            // SAFETY: the caller vouches for the strings.
            let text = unsafe { core::ffi::CStr::from_ptr((*argv.add(index)).cast()) };
            String::from_utf8_lossy(text.to_bytes()).into_owned()
        })
        .collect()
}

/// What the thread with the large stack is handed.
struct Job<'a> {
    action: &'a mut dyn FnMut(),
    heap: *mut allocator::Heap,
}

/// Runs `action` on a thread with a large stack, and waits for it; on this
/// thread if there can't be one.  The thread uses this thread's heap.
pub fn on_large_stack(action: &mut dyn FnMut()) {
    let mut job = Job {
        action,
        heap: allocator::current(),
    };
    let mut size = MACHINE_STACK;
    while size >= 16 << 20 {
        if run_on_thread(&mut job, size) {
            return;
        }
        size /= 2;
    }
    (job.action)();
}

/// Runs the job on a thread with a stack of this size; false if there can't be one.
fn run_on_thread(job: &mut Job, size: usize) -> bool {
    // SAFETY: the mapping is the thread's stack until it has ended; the job
    // outlives the thread, which is joined.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let stack = libc::mmap(
            null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        );
        if stack == libc::MAP_FAILED {
            return false;
        }
        // The lowest page stays out of reach: whoever gets there is stopped.
        libc::mprotect(stack, 4096, libc::PROT_NONE);
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        let mut thread = core::mem::zeroed();
        let started = libc::pthread_attr_init(&mut attributes) == 0
            && libc::pthread_attr_setstack(&mut attributes, stack, size) == 0
            && libc::pthread_create(&mut thread, &attributes, run_job, (&raw mut *job).cast()) == 0;
        if started {
            libc::pthread_join(thread, null_mut());
        }
        libc::pthread_attr_destroy(&mut attributes);
        libc::munmap(stack, size);
        started
    }
}

/// The thread's main function.
extern "C" fn run_job(job: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `run_on_thread` passes a job that outlives this thread and is
    // not touched meanwhile; its heap is lent by a thread that waits.
    unsafe {
        let job: *mut Job = job.cast();
        allocator::lend((*job).heap);
        ((*job).action)();
        allocator::lend(null_mut());
    }
    null_mut()
}
