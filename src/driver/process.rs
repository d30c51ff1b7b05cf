//! The process that a command runs in.

use ruff_runtime::start;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::thread;

/// The status of a process that failed through no fault of its user.
const STATUS_INTERNAL: i32 = 6;

/// Stack sizes to try.  The compiler follows the nesting of the program, which
/// is limited but may be deep; only what is used takes memory.
const STACK_SIZES: [usize; 3] = [1 << 30, 256 << 20, 64 << 20];

/// Runs an action with a stack that no program exhausts.
pub fn on_large_stack<T: Send>(action: impl Fn() -> T + Sync) -> T {
    for size in STACK_SIZES {
        let outcome = thread::scope(|scope| {
            let started = thread::Builder::new()
                .stack_size(size)
                .spawn_scoped(scope, &action);
            started.ok().map(thread::ScopedJoinHandle::join)
        });
        match outcome {
            Some(Ok(result)) => return result,
            Some(Err(cause)) => panic::resume_unwind(cause),
            // There is no room for a stack of this size.
            None => {}
        }
    }
    action()
}

/// Lets a panic end the process with a message that asks for a report.
pub fn report_panics() {
    panic::set_hook(Box::new(|info| {
        eprintln!("internal error: {info}");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            eprintln!("{backtrace}");
        }
        eprintln!(
            "This is a mistake in ruffc {}, not in your program.",
            env!("CARGO_PKG_VERSION")
        );
        eprintln!("Please report it, with the command and the program that led to it.");
        std::process::exit(STATUS_INTERNAL);
    }));
}

/// Lets a closed pipe end the process, as it ends other command-line tools.
pub fn end_on_closed_pipe() {
    #[cfg(unix)]
    start::end_on_closed_pipe();
}
