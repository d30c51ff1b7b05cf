//! A program's beginning and end: its context, its stack, its last words.
//!
//! Standard output is flushed whatever happens, and whatever the program
//! allocated is given back.  Deep recursion needs a deep stack, so `main` runs
//! on a thread of its own with a large one; the heap goes there and back.

use crate::call;
use crate::context::setup::stack_limit_here;
use crate::context::{ThreadsMemory, VMContext};
use crate::error::{OUT_OF_MEMORY_REPORT, Raised};
use crate::heap::{self, allocator};
use crate::loaded::LoadedProgram;
use crate::platform::{self, ENDED, Ending, Pages, Stack, Thread, write_all};
use crate::semantics::catch;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

pub use crate::error::STATUS_RUNTIME_ERROR;
pub use crate::heap::allocator::live_blocks;
pub use crate::platform::{arguments, end_on_closed_pipe};

/// Exit status when the runtime itself can't go on.
pub const STATUS_INTERNAL: i32 = 6;

/// Address space of the machine stack that a program runs on.
const MACHINE_STACK: usize = 512 << 20;

impl VMContext {
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

/// A check that a program frees everything that it allocates, on all threads.
pub struct MemoryCheck {
    /// Blocks that the first thread's heap had in use.
    before: usize,
    threads: Arc<ThreadsMemory>,
}

impl MemoryCheck {
    /// Begins a check, on the heap that the program will be loaded into.
    pub fn start() -> MemoryCheck {
        MemoryCheck {
            before: live_blocks(),
            threads: Arc::default(),
        }
    }

    /// Lets the program's threads count for the check: to be called before it runs.
    pub fn attach(&self, ctx: &mut VMContext) {
        ctx.threads_memory = Some(self.threads.clone());
    }

    /// Ends the check, on the heap that it began on, when the program's context
    /// is gone.  Gives the exit status, which is another one than the program's
    /// if something is left.
    ///
    /// What threads that did not end hold is not known.  That is no error, but said.
    pub fn finish(self, status: i32) -> i32 {
        if self.threads.at_work.load(Ordering::Relaxed) {
            write_all(2, STILL_AT_WORK.as_bytes());
            return status;
        }
        let elsewhere = self.threads.blocks_left.load(Ordering::Relaxed);
        let blocks = live_blocks()
            .wrapping_sub(self.before)
            .wrapping_add(elsewhere);
        let holders = self.threads.holders.lock();
        let holders = holders.iter().filter(|one| one.strong_count() > 0).count();
        if (blocks, holders) == (0, 0) {
            return status;
        }
        let message = match blocks {
            0 => alloc::format!("error: {holders} channels or tasks are left\n"),
            _ => alloc::format!("error: {blocks} blocks of memory are left\n"),
        };
        write_all(2, message.as_bytes());
        STATUS_INTERNAL
    }
}

/// Says that there was nothing to check.
pub const STILL_AT_WORK: &str = "note: memory is not checked, for threads are still at work\n";

/// Runs a program to its end; gives the exit status.  Reports an uncaught
/// error, and frees everything.
pub fn run_to_end(
    program: Box<LoadedProgram>,
    args: Vec<String>,
    check: Option<&MemoryCheck>,
) -> i32 {
    let mut status = STATUS_INTERNAL;
    let mut parts = Some((program, args));
    on_large_stack(&mut || {
        if let Some((program, args)) = parts.take() {
            let mut ctx = VMContext::new(program);
            ctx.args = args;
            if let Some(check) = check {
                check.attach(&mut ctx);
            }
            status = run_and_report(&mut ctx);
        }
    });
    status
}

/// Runs a context's program; gives the exit status.  Reports an uncaught error.
pub fn run_and_report(ctx: &mut VMContext) -> i32 {
    ctx.owns_process = true;
    guard_output(ctx, |ctx| {
        let result = ctx.run();
        report(ctx, result.map(drop))
    })
}

/// Lets code of a context run; should memory run out, its output is not lost.
pub fn guard_output<T>(ctx: &mut VMContext, action: impl FnOnce(&mut VMContext) -> T) -> T {
    let outer = RUNNING.swap(ctx, Ordering::Relaxed);
    allocator::OUT_OF_MEMORY.store(
        out_of_memory as fn(usize) -> ! as *mut (),
        Ordering::Relaxed,
    );
    let result = action(ctx);
    ctx.output.flush();
    RUNNING.store(outer, Ordering::Relaxed);
    result
}

/// Reports an uncaught error; gives the exit status.
fn report(ctx: &mut VMContext, result: Result<(), Raised>) -> i32 {
    match (ctx.exit_status, result) {
        (Some(status), _) => status,
        (None, Ok(_)) => 0,
        (None, Err(Raised)) => {
            ctx.output.flush();
            if let Some(pending) = ctx.pending.take() {
                write_all(2, catch::report(ctx, &pending).as_bytes());
            }
            STATUS_RUNTIME_ERROR
        }
    }
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
    }
    write_all(2, OUT_OF_MEMORY_REPORT);
    platform::exit(STATUS_RUNTIME_ERROR)
}

/// Ends the process because the program can't even be started.
pub fn fail(message: &str) -> ! {
    write_all(2, b"error: ");
    write_all(2, message.as_bytes());
    write_all(2, b"\n");
    platform::exit(STATUS_INTERNAL)
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
    let Some(stack) = Stack::new(size, Pages::Any) else {
        return false;
    };
    // SAFETY: the stack and the job outlive the thread, which is joined.
    let thread = unsafe { Thread::start(&stack, run_job, (&raw mut *job).cast()) };
    let is_started = thread.map(Thread::join).is_some();
    // SAFETY: the thread has ended, or never was.
    unsafe { stack.unmap() };
    is_started
}

/// The thread's main function.
extern "system" fn run_job(job: *mut u8) -> Ending {
    // SAFETY: `run_on_thread` passes a job that outlives this thread and is
    // not touched meanwhile; its heap is lent by a thread that waits.
    unsafe {
        let job: *mut Job = job.cast();
        allocator::lend((*job).heap);
        ((*job).action)();
        allocator::lend(null_mut());
    }
    ENDED
}
