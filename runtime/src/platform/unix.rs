//! Unix: the C library's names for everything.

use super::{Argument, Pages};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_void};
use core::ptr::null_mut;

// ---- memory

/// Fresh zeroed memory, of which only what is touched is really taken.
pub fn reserve(size: usize) -> Option<*mut u8> {
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
    (range != libc::MAP_FAILED).then_some(range.cast())
}

/// Gives memory back.
///
/// # Safety
/// It came from `reserve` with this size, and is not used again.
pub unsafe fn release(base: *mut u8, size: usize) {
    // SAFETY: the caller vouches for the mapping.
    unsafe { libc::munmap(base.cast(), size) };
}

/// Lets the C library keep more of what is freed: by itself glibc gives the end
/// of its heap back from 128 KB on, and a program that takes and frees some
/// arrays in turn gets their pages anew each time.  It keeps as much as twice
/// the largest block that it had mapped and got back (mallopt(3), "dynamic mmap
/// threshold").
pub fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    {
        const KEPT: usize = 1 << 20;
        // SAFETY: plain C allocation; the block is never touched.
        unsafe { libc::free(core::hint::black_box(libc::malloc(KEPT))) };
    }
}

/// A block with a larger alignment than `malloc`'s; null if there is none.
pub fn allocate_aligned(align: usize, size: usize) -> *mut u8 {
    let mut block = null_mut();
    // SAFETY: writes to the variable, if it can.
    unsafe { libc::posix_memalign(&mut block, align, size) };
    block.cast()
}

/// Gives a block back.
///
/// # Safety
/// It came from `allocate_aligned` and is not used again.
pub unsafe fn free_aligned(block: *mut u8) {
    // SAFETY: the caller vouches for the block.
    unsafe { libc::free(block.cast()) };
}

/// The text in bytes, with U+FFFD for what is no UTF-8: `String::from_utf8_lossy`
/// in a third of its code, which every program that asks for its arguments has.
fn lossy(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    loop {
        let error = match core::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(core::str::from_utf8(valid).unwrap_or_default());
        text.push(char::REPLACEMENT_CHARACTER);
        let Some(wrong) = error.error_len() else {
            return text;
        };
        bytes = rest.get(wrong..).unwrap_or_default();
    }
}

// ---- streams and the process

/// Writes some of the bytes; `None` if the descriptor takes no more.
pub fn write(descriptor: i32, bytes: &[u8]) -> Option<usize> {
    loop {
        // SAFETY: the pointer and length are a live slice's.
        let written = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
        if let Ok(written) = usize::try_from(written) {
            return Some(written);
        }
        if error_number() != libc::EINTR {
            return None;
        }
    }
}

fn error_number() -> i32 {
    #[cfg(not(target_vendor = "apple"))]
    use libc::__errno_location as place;
    #[cfg(target_vendor = "apple")]
    use libc::__error as place;
    // SAFETY: reads the thread's error number.
    unsafe { *place() }
}

/// Reads from standard input; gives the number of bytes, 0 at the end or if
/// it can't be read.
pub fn read_input(buffer: &mut [u8]) -> usize {
    // SAFETY: the buffer is live and that long.
    let got = unsafe { libc::read(0, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(got).unwrap_or(0)
}

/// Whether somebody is watching standard output.
pub fn output_is_terminal() -> bool {
    // SAFETY: asks about a file descriptor.
    unsafe { libc::isatty(1) == 1 }
}

/// Ends the process at once, with nothing cleaned up.
pub fn exit(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}

/// Lets a closed pipe end the process, as it ends other command-line tools.
/// Rust programs start with the signal ignored.
pub fn end_on_closed_pipe() {
    // SAFETY: sets a signal's disposition to the default one.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
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
            lossy(text.to_bytes())
        })
        .collect()
}

/// Fills the buffer with bytes that nobody can foresee; false if there are none.
pub fn random_bytes(buffer: &mut [u8]) -> bool {
    // SAFETY: the buffer is live and that long.
    unsafe {
        #[cfg(target_os = "linux")]
        {
            libc::getrandom(buffer.as_mut_ptr().cast(), buffer.len(), 0) == buffer.len() as isize
        }
        #[cfg(not(target_os = "linux"))]
        {
            libc::getentropy(buffer.as_mut_ptr().cast(), buffer.len()) == 0
        }
    }
}

// ---- time

/// Nanoseconds since the Unix epoch.
pub fn unix_time() -> i128 {
    read_clock(libc::CLOCK_REALTIME)
}

/// Nanoseconds on a clock that never goes back.
pub fn monotonic_time() -> u64 {
    read_clock(libc::CLOCK_MONOTONIC) as u64
}

fn read_clock(clock: libc::clockid_t) -> i128 {
    let mut time = timespec(0);
    // SAFETY: writes to the variable.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as i128 * NANOSECONDS as i128 + time.tv_nsec as i128
}

/// Suspends the thread for so many nanoseconds, or until a signal comes.
pub fn sleep(nanoseconds: u64) {
    // SAFETY: reads the variable.
    unsafe { libc::nanosleep(&timespec(nanoseconds), null_mut()) };
}

/// Gives the processor to another thread.
pub fn give_way() {
    // SAFETY: asks the scheduler.
    unsafe { libc::sched_yield() };
}

const NANOSECONDS: u64 = 1_000_000_000;

fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (nanoseconds / NANOSECONDS) as _,
        tv_nsec: (nanoseconds % NANOSECONDS) as _,
    }
}

// ---- threads

/// What a thread begins with, and what it leaves behind.
pub type Main = extern "system" fn(argument: *mut u8) -> Ending;
pub type Ending = *mut u8;
/// What every thread's main function returns.
pub const ENDED: Ending = null_mut();

/// A machine stack: a mapping whose lowest page can't be touched.
pub struct Stack {
    base: *mut u8,
    size: usize,
}

// SAFETY: the mapping belongs to whoever has this.
unsafe impl Send for Stack {}

impl Stack {
    /// A stack of `size` bytes of address space; `None` if there is no room.
    pub fn new(size: usize, pages: Pages) -> Option<Stack> {
        let base = reserve(size)?;
        // SAFETY: changes our own mapping.
        unsafe {
            libc::mprotect(base.cast(), page_size(), libc::PROT_NONE);
            #[cfg(target_os = "linux")]
            if pages == Pages::Small {
                libc::madvise(base.cast(), size, libc::MADV_NOHUGEPAGE);
            }
            #[cfg(not(target_os = "linux"))]
            let _ = pages;
        }
        Some(Stack { base, size })
    }

    /// Gives the stack back.
    ///
    /// # Safety
    /// No thread runs on it any more.
    pub unsafe fn unmap(self) {
        // SAFETY: nobody else has the mapping.
        unsafe { release(self.base, self.size) };
    }
}

fn page_size() -> usize {
    // SAFETY: asks for a constant of the system.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// A thread, as other threads know it.
pub struct Thread(libc::pthread_t);

// SAFETY: a thread's name may be used by any thread.
unsafe impl Send for Thread {}

impl Thread {
    /// Starts a thread on a stack; `None` if there can't be one.
    ///
    /// # Safety
    /// The stack is the thread's until it has been joined, and so is what the
    /// argument points at.
    pub unsafe fn start(stack: &Stack, main: Main, argument: *mut u8) -> Option<Thread> {
        // SAFETY: the caller vouches for the stack.
        create(main, argument, |attributes| unsafe {
            pthread_attr_setstack(attributes, stack.base.cast(), stack.size) == 0
        })
    }

    /// Starts a thread that nobody waits for, with a stack of its own of
    /// `size` bytes; false if there can't be one.
    ///
    /// # Safety
    /// What the argument points at is the thread's.
    pub unsafe fn start_detached(size: usize, main: Main, argument: *mut u8) -> bool {
        // SAFETY: the attributes are initialised.
        let thread = create(main, argument, |attributes| unsafe {
            libc::pthread_attr_setstacksize(attributes, size);
            libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) == 0
        });
        thread.is_some()
    }

    /// The thread that asks.
    pub fn current() -> Thread {
        // SAFETY: asks for this thread's name.
        Thread(unsafe { libc::pthread_self() })
    }

    /// Whether this is the thread that asks.
    pub fn is_current(&self) -> bool {
        // SAFETY: compares two names.
        unsafe { libc::pthread_equal(self.0, libc::pthread_self()) != 0 }
    }

    /// Waits until the thread, which is another one, has ended.
    pub fn join(self) {
        // SAFETY: a thread that was started to be joined, once.
        unsafe { libc::pthread_join(self.0, null_mut()) };
    }

    /// Leaves the thread to whoever knows it by its `current`.
    pub fn forget(self) {}

    /// Lets the thread end without anybody waiting.
    pub fn detach(self) {
        // SAFETY: as above.
        unsafe { libc::pthread_detach(self.0) };
    }
}

fn create(
    main: Main,
    argument: *mut u8,
    set: impl FnOnce(*mut libc::pthread_attr_t) -> bool,
) -> Option<Thread> {
    // SAFETY: the attributes are initialised before they are used.  The main
    // function differs from what C declares in what its pointers point at.
    unsafe {
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        let mut thread: libc::pthread_t = core::mem::zeroed();
        if libc::pthread_attr_init(&mut attributes) != 0 {
            return None;
        }
        let main: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void =
            core::mem::transmute::<Main, _>(main);
        let is_started = set(&mut attributes)
            && libc::pthread_create(&mut thread, &attributes, main, argument.cast()) == 0;
        libc::pthread_attr_destroy(&mut attributes);
        is_started.then_some(Thread(thread))
    }
}

#[cfg(not(target_vendor = "apple"))]
use libc::pthread_attr_setstack;

// # Safety
// As for Linux's; declared as in Apple's header, which `libc` has not all of.
#[cfg(target_vendor = "apple")]
unsafe extern "C" {
    fn pthread_attr_setstack(
        attributes: *mut libc::pthread_attr_t,
        lowest: *mut libc::c_void,
        size: usize,
    ) -> i32;
    fn pthread_cond_timedwait_relative_np(
        condition: *mut libc::pthread_cond_t,
        mutex: *mut libc::pthread_mutex_t,
        time: *const libc::timespec,
    ) -> i32;
}

/// Where this thread's stack starts, and its size.
pub fn stack_range() -> Option<(usize, usize)> {
    // SAFETY: asks the C library about this thread.
    #[cfg(target_os = "linux")]
    unsafe {
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        let (mut lowest, mut size) = (null_mut(), 0);
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        libc::pthread_attr_getstack(&attributes, &mut lowest, &mut size);
        libc::pthread_attr_destroy(&mut attributes);
        Some((lowest as usize, size))
    }
    // SAFETY: as above.
    #[cfg(target_vendor = "apple")]
    unsafe {
        let this = libc::pthread_self();
        let size = libc::pthread_get_stacksize_np(this);
        Some((libc::pthread_get_stackaddr_np(this) as usize - size, size))
    }
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    None
}

// ---- locks

/// A lock that must stay where it is while somebody holds or awaits it.
pub struct RawMutex(UnsafeCell<libc::pthread_mutex_t>);

impl RawMutex {
    pub const fn new() -> RawMutex {
        RawMutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER))
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub fn lock(&self) {
        // SAFETY: initialised, and it does not move while it is borrowed.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// # Safety
    /// This thread holds the lock.
    #[inline]
    pub unsafe fn unlock(&self) {
        // SAFETY: the caller vouches for it.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}

impl Drop for RawMutex {
    fn drop(&mut self) {
        // SAFETY: nobody borrows it, so it is unlocked; it is not used again.
        unsafe { libc::pthread_mutex_destroy(self.0.get()) };
    }
}

/// Where threads wait that hold a lock.
pub struct RawCondition(UnsafeCell<libc::pthread_cond_t>);

impl RawCondition {
    /// A condition whose waiters look at the clock that never goes back.
    pub fn new() -> RawCondition {
        let raw = UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER);
        // Apple's have no clock to choose: waiting there is for a time.
        // SAFETY: the attributes are initialised before they are used; a
        // condition is plain data until somebody waits.
        #[cfg(not(target_vendor = "apple"))]
        unsafe {
            let mut attributes: libc::pthread_condattr_t = core::mem::zeroed();
            libc::pthread_condattr_init(&mut attributes);
            libc::pthread_condattr_setclock(&mut attributes, libc::CLOCK_MONOTONIC);
            libc::pthread_cond_init(raw.get(), &attributes);
            libc::pthread_condattr_destroy(&mut attributes);
        }
        RawCondition(raw)
    }

    /// Lets go of the lock until somebody wakes this thread, or until the
    /// monotonic clock shows `until`.  It may also just wake.
    ///
    /// # Safety
    /// This thread holds the lock.
    pub unsafe fn wait(&self, mutex: &RawMutex, until: Option<u64>) {
        let (condition, mutex) = (self.0.get(), mutex.0.get());
        // SAFETY: initialised; the caller vouches for the lock.
        unsafe {
            match until {
                None => libc::pthread_cond_wait(condition, mutex),
                #[cfg(not(target_vendor = "apple"))]
                Some(until) => libc::pthread_cond_timedwait(condition, mutex, &timespec(until)),
                #[cfg(target_vendor = "apple")]
                Some(until) => {
                    let left = timespec(until.saturating_sub(monotonic_time()));
                    pthread_cond_timedwait_relative_np(condition, mutex, &left)
                }
            };
        }
    }

    /// Wakes a thread that waits here.
    pub fn wake(&self) {
        // SAFETY: initialised.
        unsafe { libc::pthread_cond_signal(self.0.get()) };
    }
}

impl Drop for RawCondition {
    fn drop(&mut self) {
        // SAFETY: nobody borrows it, so nobody waits; it is not used again.
        unsafe { libc::pthread_cond_destroy(self.0.get()) };
    }
}

// ---- one pointer per thread

/// A key for a pointer that every thread has its own of, null at first.
pub type Key = libc::pthread_key_t;

/// A new key; `None` if there are no more.
pub fn new_key() -> Option<Key> {
    let mut key: Key = 0;
    // SAFETY: writes to the variable.
    let is_made = unsafe { libc::pthread_key_create(&mut key, None) == 0 };
    is_made.then_some(key)
}

/// # Safety
/// The key was made by `new_key`, and nobody uses it.
pub unsafe fn delete_key(key: Key) {
    // SAFETY: the caller vouches for the key.
    unsafe { libc::pthread_key_delete(key) };
}

/// # Safety
/// The key was made by `new_key`.
#[inline]
pub unsafe fn key_value(key: Key) -> *mut u8 {
    // SAFETY: the caller vouches for the key.
    unsafe { libc::pthread_getspecific(key).cast() }
}

/// # Safety
/// The key was made by `new_key`.
#[inline]
pub unsafe fn set_key_value(key: Key, pointer: *mut u8) {
    // SAFETY: the caller vouches for the key.
    unsafe { libc::pthread_setspecific(key, pointer.cast()) };
}

// ---- the ends of threads

/// What a running thread is called.
pub type ThreadId = libc::pthread_t;

/// This thread's name.
pub fn thread_id() -> ThreadId {
    // SAFETY: asks for a name.
    unsafe { libc::pthread_self() }
}

/// Tells when threads end that ask for it.
#[derive(Clone, Copy)]
pub struct EndOfThread(libc::pthread_key_t);

impl EndOfThread {
    /// `ended` will be called on such threads; `None` if there are no more keys.
    pub fn new(ended: unsafe extern "C" fn(*mut c_void)) -> Option<EndOfThread> {
        let mut key = 0;
        // SAFETY: writes to the variable.
        let is_made = unsafe { libc::pthread_key_create(&mut key, Some(ended)) == 0 };
        is_made.then_some(EndOfThread(key))
    }

    /// Has the end of this thread told.
    pub fn await_this(self) {
        // Any value that is not null does.
        let value = core::ptr::dangling::<c_void>();
        // SAFETY: nobody reads what the value points at.
        unsafe { libc::pthread_setspecific(self.0, value) };
    }
}

// ---- C functions

/// A shared library that is loaded.
#[derive(Clone, Copy)]
pub struct Library(*mut c_void);

/// What this process consists of, whatever library it is in.
pub const PROCESS: Library = Library(libc::RTLD_DEFAULT);

/// The files that a library may be in that linkers call `name`.  Running
/// systems have libraries by their versions only.
pub fn library_files(name: &str) -> impl Iterator<Item = String> {
    let ending = if cfg!(target_vendor = "apple") {
        "dylib"
    } else {
        "so"
    };
    let plain = core::iter::once(format!("lib{name}.{ending}"));
    let versions = (0..=9).rev();
    plain.chain(versions.map(move |version| format!("lib{name}.so.{version}")))
}

/// Loads a shared library.
///
/// # Safety
/// What it does when it is loaded is the caller's business.
pub unsafe fn load_library(file: &CStr) -> Option<Library> {
    // SAFETY: a plain C call with a C string.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    (!library.is_null()).then_some(Library(library))
}

/// The address of what a library calls `symbol`; null if it has none.
pub fn symbol(library: Library, symbol: &CStr) -> *const u8 {
    // SAFETY: a plain C call with a C string; libraries stay loaded.
    unsafe { libc::dlsym(library.0, symbol.as_ptr()).cast() }
}

/// The registers that arguments are passed in, whatever their order: every
/// convention here counts ints and floats apart.
type Convention<R> =
    unsafe extern "C" fn(u64, u64, u64, u64, u64, u64, f64, f64, f64, f64, f64, f64, f64, f64) -> R;

/// How many ints and floats this machine passes in registers, of those.
const REGISTERS: (usize, usize) = if cfg!(target_arch = "s390x") {
    (5, 4)
} else {
    (6, 8)
};

/// Calls a C function; `None` if it has too many parameters.
///
/// # Safety
/// At the address is a function that takes such arguments.
pub unsafe fn call(function: *const u8, arguments: &[Argument], gives_float: bool) -> Option<u64> {
    let (mut ints, mut floats) = ([0; 6], [0.0; 8]);
    let (mut int_count, mut float_count) = (0, 0);
    for argument in arguments {
        match *argument {
            Argument::Int(word) => {
                *ints.get_mut(int_count)? = word;
                int_count += 1;
            }
            Argument::Float(number) => {
                *floats.get_mut(float_count)? = number;
                float_count += 1;
            }
        }
    }
    if int_count > REGISTERS.0 || float_count > REGISTERS.1 {
        return None;
    }
    let ([a, b, c, d, e, f], [s, t, u, v, w, x, y, z]) = (ints, floats);
    // SAFETY: the caller vouches for the function; the registers that it does
    // not look at don't matter.
    Some(unsafe {
        if gives_float {
            let function: Convention<f64> = core::mem::transmute(function);
            function(a, b, c, d, e, f, s, t, u, v, w, x, y, z).to_bits()
        } else {
            let function: Convention<u64> = core::mem::transmute(function);
            function(a, b, c, d, e, f, s, t, u, v, w, x, y, z)
        }
    })
}
