//! Standard output of a program with threads: one buffer, whole lines.

use crate::heap::allocator;
use crate::output::{BUFFER_SIZE, Redirect, Shared, write_all};
use crate::platform;
use crate::sync::Mutex;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

/// What was printed and not written yet.
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Flush after every line: somebody is watching.
    line_buffered: bool,
    /// A host takes the bytes, on the program's first thread.
    for_host: bool,
    /// The program has ended; what is printed now is too late.
    closed: bool,
}

impl Lines {
    pub fn new(line_buffered: bool, for_host: bool) -> Arc<Mutex<Lines>> {
        Arc::new(Mutex::new(Lines {
            buffer: Vec::with_capacity(BUFFER_SIZE),
            line_buffered,
            for_host,
            closed: false,
        }))
    }

    fn write(&mut self, text: &str) {
        if self.closed {
            return;
        }
        // Nothing is allocated unless a host must be waited for.
        if !self.for_host && self.buffer.len() + text.len() > BUFFER_SIZE {
            self.flush();
            if text.len() > BUFFER_SIZE {
                return write_all(1, text.as_bytes());
            }
        }
        self.buffer.extend_from_slice(text.as_bytes());
        if self.line_buffered && text.ends_with('\n') {
            self.flush();
        }
    }

    /// Writes everything, unless that is the host's business.
    pub fn flush(&mut self) {
        if !self.for_host {
            write_all(1, &self.buffer);
            self.buffer.clear();
        }
    }

    /// Writes what there is, and nothing any more.
    pub fn close(&mut self) {
        self.flush();
        self.closed = true;
    }
}

/// What a context's output goes to once there are threads.
pub(super) struct SharedLines(pub Arc<Mutex<Lines>>);

impl Shared for SharedLines {
    fn write(&self, text: &str) {
        self.0.lock().write(text);
    }

    fn flush(&self, redirect: Option<&mut Redirect>) {
        let mut lines = self.0.lock();
        match redirect {
            Some(redirect) => {
                redirect(&lines.buffer);
                lines.buffer.clear();
            }
            None => lines.flush(),
        }
    }
}

/// The output of the process's program, for when memory runs out.
static PROCESS_LINES: AtomicPtr<Mutex<Lines>> = AtomicPtr::new(null_mut());

/// Lets the process end with all its output when memory runs out on any thread.
pub(super) fn keep_for_the_end(lines: &Arc<Mutex<Lines>>) {
    // Kept for ever: a thread may need it at any time.
    PROCESS_LINES.store(Arc::into_raw(lines.clone()).cast_mut(), Ordering::Release);
    allocator::OUT_OF_MEMORY.store(
        out_of_memory as fn(usize) -> ! as *mut (),
        Ordering::Release,
    );
}

fn out_of_memory(_size: usize) -> ! {
    // SAFETY: what is stored there lives for ever.
    if let Some(lines) = unsafe { PROCESS_LINES.load(Ordering::Acquire).as_ref() } {
        // Whoever holds the lock does not allocate, so this thread doesn't.
        let mut lines = lines.lock();
        lines.close();
    }
    write_all(2, crate::error::OUT_OF_MEMORY_REPORT);
    platform::exit(crate::error::STATUS_RUNTIME_ERROR)
}
