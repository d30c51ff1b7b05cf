//! A program's beginning and end: its context, its stack, its last words.
//!
//! Standard output is flushed whatever happens, and whatever the program
//! allocated is given back.  Deep recursion needs a deep stack, so `main` runs
//! on a thread of its own with a large one; the heap goes there and back.

use crate::call;
use crate::context::VMContext;
use crate::context::setup::stack_limit_here;
use crate::error::{OUT_OF_MEMORY_REPORT, Raised};
use crate::heap::{self, allocator};
use crate::loaded::LoadedProgram;
use crate::platform::{self, ENDED, Ending, Pages, Stack, Thread, write_all};
use crate::semantics::catch;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::String;
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

/// How a program has ended.
pub struct End {
    pub status: i32,
    /// Threads of the program may still be at work.
    pub had_threads: bool,
}

/// Runs a program to its end.  Reports an uncaught error, and frees everything.
pub fn run_to_end(program: Box<LoadedProgram>, args: Vec<String>) -> End {
    let mut end = End {
        status: STATUS_INTERNAL,
        had_threads: false,
    };
    let mut parts = Some((program, args));
    on_large_stack(&mut || {
        if let Some((program, args)) = parts.take() {
            let mut ctx = VMContext::new(program);
            ctx.args = args;
            end = run_and_report(&mut ctx);
        }
    });
    end
}

/// Checks that a program that has ended has freed everything: this thread's
/// memory in use must be what it was `before`.  Gives the exit status; it is
/// another one, with a message, if something is left.
///
/// Threads that are still at work keep what they share with the first one, so
/// after them there is nothing to check.
pub fn check_memory(end: &End, before: usize) -> i32 {
    let left = live_blocks().wrapping_sub(before);
    if end.had_threads || left == 0 {
        return end.status;
    }
    let message = alloc::format!("error: {left} blocks of memory are left\n");
    write_all(2, message.as_bytes());
    STATUS_INTERNAL
}

/// Runs a context's program; reports an uncaught error.
pub fn run_and_report(ctx: &mut VMContext) -> End {
    ctx.owns_process = true;
    let status = guard_output(ctx, |ctx| {
        let result = ctx.run();
        report(ctx, result.map(drop))
    });
    End {
        status,
        had_threads: ctx.output.shared.is_some(),
    }
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
