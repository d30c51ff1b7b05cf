//! The operating system, as far as the runtime needs it, alike everywhere.
//!
//! There is one file for each family of systems, with the same items in it; no
//! other room knows which of them it runs on.  What is asked for here is little
//! and plain, and `std`'s larger versions of it stay out of programs.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

/// What is asked of a thread's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Whatever is fastest.
    Any,
    /// Small ones: there are many such threads, and most use little.
    Small,
}

/// An argument of a C function, by the kind of register that it goes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    Int(u64),
    Float(f64),
}

impl Default for RawMutex {
    fn default() -> RawMutex {
        RawMutex::new()
    }
}

impl Default for RawCondition {
    fn default() -> RawCondition {
        RawCondition::new()
    }
}

/// Writes all bytes to a file descriptor, as far as it takes them.
pub fn write_all(descriptor: i32, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(written) = write(descriptor, rest) else {
            return;
        };
        rest = &rest[written..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::ffi::CString;
    use alloc::string::String;

    /// A digit of the result for each argument.
    extern "C" fn mixed(a: f64, b: u64, c: f64, d: u64, e: u64, f: f64, g: u64, h: f64) -> f64 {
        let floats = a + c * 100.0 + f * 100_000.0 + h * 10_000_000.0;
        floats + (b * 10 + d * 1000 + e * 10_000 + g * 1_000_000) as f64
    }

    extern "C" fn difference(a: u64, b: f64) -> i64 {
        a as i64 - b as i64
    }

    #[test]
    fn arguments_reach_c_functions_in_their_order() {
        use Argument::{Float, Int};
        let arguments = [
            Float(1.0),
            Int(2),
            Float(3.0),
            Int(4),
            Int(5),
            Float(6.0),
            Int(7),
            Float(8.0),
        ];
        // As of other C functions, nothing is known of them where they are called.
        let mixed = core::hint::black_box(mixed as *const u8);
        let difference = core::hint::black_box(difference as *const u8);
        // SAFETY: the functions take these arguments.
        unsafe {
            let word = call(mixed, &arguments, true);
            assert_eq!(word.map(f64::from_bits), Some(87_654_321.0));
            let word = call(difference, &[Int(3), Float(5.0)], false);
            assert_eq!(word, Some(-2i64 as u64));
            assert_eq!(call(difference, &[Int(0); 15], false), None);
        }
    }

    #[test]
    fn libraries_are_found_by_their_names() {
        let mut files = library_files("m");
        // SAFETY: the C library's part for numbers does nothing by itself.
        let load = |file: String| unsafe { load_library(&CString::new(file).ok()?) };
        let library = files.find_map(load).expect("the library");
        assert!(!symbol(library, c"cos").is_null());
        assert!(symbol(library, c"no such function").is_null());
        assert!(!symbol(PROCESS, c"malloc").is_null());
    }

    #[test]
    fn the_end_of_a_thread_is_told() {
        use core::sync::atomic::{AtomicU32, Ordering};
        static ENDED: AtomicU32 = AtomicU32::new(0);
        unsafe extern "C" fn ended(_: *mut core::ffi::c_void) {
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
        let ends = EndOfThread::new(ended).expect("a key");
        let here = thread_id();
        let other = std::thread::spawn(move || {
            ends.await_this();
            thread_id() != here
        });
        assert!(other.join().expect("the thread ends"));
        std::thread::spawn(|| ()).join().expect("the thread ends");
        assert_eq!(ENDED.load(Ordering::SeqCst), 1);
    }
}
