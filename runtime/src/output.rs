//! Standard output: buffered unless it is a terminal, flushed whatever happens.

use alloc::vec::Vec;

pub use crate::platform::write_all;

/// Takes output that a host wants for itself.
pub type Redirect = alloc::boxed::Box<dyn FnMut(&[u8])>;

/// Output that the threads of a program share.
pub trait Shared {
    /// Writes text, all at once.
    fn write(&self, text: &str);
    /// Hands everything on; to `redirect` if the thread has one.
    fn flush(&self, redirect: Option<&mut Redirect>);
}

/// Where `print` writes.
pub struct Output {
    /// Takes everything once the program has threads.
    pub shared: Option<alloc::boxed::Box<dyn Shared>>,
    buffer: Vec<u8>,
    /// Flush after every line: somebody is watching.
    pub line_buffered: bool,
    /// Takes the bytes instead of file descriptor 1, when a host redirects output.
    pub redirect: Option<Redirect>,
}

/// Bytes that are collected before they are written.
pub const BUFFER_SIZE: usize = 32 * 1024;

impl Output {
    pub fn new(line_buffered: bool) -> Output {
        Output {
            shared: None,
            buffer: Vec::new(),
            line_buffered,
            redirect: None,
        }
    }

    /// Writes text.
    pub fn write(&mut self, text: &str) {
        if let Some(shared) = &self.shared {
            return shared.write(text);
        }
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(BUFFER_SIZE);
        }
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER_SIZE || (self.line_buffered && text.ends_with('\n')) {
            self.flush();
        }
    }

    /// Hands everything on.  A closed pipe ends the process, as it ends other
    /// command-line tools; other failures are ignored.
    pub fn flush(&mut self) {
        if let Some(shared) = &self.shared {
            return shared.flush(self.redirect.as_mut());
        }
        if let Some(redirect) = &mut self.redirect {
            redirect(&self.buffer);
        } else {
            write_all(1, &self.buffer);
        }
        self.buffer.clear();
    }
}
