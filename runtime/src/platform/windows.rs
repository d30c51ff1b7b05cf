//! Windows: its own functions, and of the C library only memory.
//!
//! Text is UTF-8 in the runtime.  It goes to files and pipes as it is, and to
//! and from consoles as UTF-16, whatever code page they are set to.

use super::{Argument, Pages};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{
    CloseHandle, DUPLICATE_SAME_ACCESS, DuplicateHandle, FILETIME, HANDLE, HMODULE,
};
use windows_sys::Win32::Security::Authentication::Identity::RtlGenRandom;
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::Console::{
    GetConsoleMode, GetStdHandle, ReadConsoleW, STD_ERROR_HANDLE, STD_INPUT_HANDLE,
    STD_OUTPUT_HANDLE, WriteConsoleW,
};
use windows_sys::Win32::System::Environment::GetCommandLineW;
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};
use windows_sys::Win32::System::ProcessStatus::K32EnumProcessModules;
use windows_sys::Win32::System::SystemInformation::GetSystemTimePreciseAsFileTime;
use windows_sys::Win32::System::Threading::{
    AcquireSRWLockExclusive, CONDITION_VARIABLE, CONDITION_VARIABLE_INIT, CreateThread,
    ExitProcess, FlsAlloc, FlsSetValue, GetCurrentProcess, GetCurrentThread, GetCurrentThreadId,
    GetCurrentThreadStackLimits, GetThreadId, INFINITE, ReleaseSRWLockExclusive, SRWLOCK,
    SRWLOCK_INIT, STACK_SIZE_PARAM_IS_A_RESERVATION, Sleep, SleepConditionVariableSRW,
    SwitchToThread, TlsAlloc, TlsFree, TlsGetValue, TlsSetValue, WaitForSingleObject,
    WakeConditionVariable,
};
use windows_sys::Win32::UI::Shell::CommandLineToArgvW;

// ---- memory

/// Nothing has to be asked for here.
pub fn keep_freed_memory() {}

/// Fresh zeroed memory, of which only what is touched is really taken.
pub fn reserve(size: usize) -> Option<*mut u8> {
    // SAFETY: fresh pages.
    let range = unsafe { VirtualAlloc(null(), size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) };
    (!range.is_null()).then_some(range.cast())
}

/// Gives memory back.
///
/// # Safety
/// It came from `reserve` with this size, and is not used again.
pub unsafe fn release(base: *mut u8, _size: usize) {
    // SAFETY: the caller vouches for the pages.
    unsafe { VirtualFree(base.cast(), 0, MEM_RELEASE) };
}

/// A block with a larger alignment than `malloc`'s; null if there is none.
pub fn allocate_aligned(align: usize, size: usize) -> *mut u8 {
    // SAFETY: plain C allocation.
    unsafe { libc::aligned_malloc(size, align).cast() }
}

/// Gives a block back.
///
/// # Safety
/// It came from `allocate_aligned` and is not used again.
pub unsafe fn free_aligned(block: *mut u8) {
    // SAFETY: the caller vouches for the block.
    unsafe { libc::aligned_free(block.cast()) };
}

// ---- streams and the process

/// UTF-16 units that go to or come from a console at a time.
const CONSOLE_UNITS: usize = 2048;

/// Writes some of the bytes; `None` if the descriptor takes no more.
pub fn write(descriptor: i32, bytes: &[u8]) -> Option<usize> {
    let which = match descriptor {
        1 => STD_OUTPUT_HANDLE,
        _ => STD_ERROR_HANDLE,
    };
    // SAFETY: asks for a handle of this process.
    let handle = unsafe { GetStdHandle(which) };
    if is_console(handle)
        && let Some(written) = write_to_console(handle, bytes)
    {
        return Some(written);
    }
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut written = 0;
    // SAFETY: the pointer and length are a live slice's.
    let is_written = unsafe {
        WriteFile(handle, bytes.as_ptr(), length, &mut written, null_mut()) != 0 && written > 0
    };
    is_written.then_some(written as usize)
}

/// Writes the text that the bytes begin with; `None` if they begin with none.
fn write_to_console(handle: HANDLE, bytes: &[u8]) -> Option<usize> {
    // No character takes more units than bytes.
    let part = &bytes[..bytes.len().min(CONSOLE_UNITS)];
    let text = part.utf8_chunks().next()?.valid();
    let mut units = [0u16; CONSOLE_UNITS];
    let mut count = 0;
    for unit in text.encode_utf16() {
        units[count] = unit;
        count += 1;
    }
    let mut written = 0;
    // SAFETY: so many units are there.
    let is_written = count > 0
        && unsafe {
            WriteConsoleW(
                handle,
                units.as_ptr().cast(),
                count as u32,
                &mut written,
                null(),
            ) != 0
        };
    is_written.then_some(text.len())
}

/// Reads from standard input; gives the number of bytes, 0 at the end or if
/// it can't be read.
pub fn read_input(buffer: &mut [u8]) -> usize {
    // SAFETY: asks for a handle of this process.
    let handle = unsafe { GetStdHandle(STD_INPUT_HANDLE) };
    if is_console(handle) {
        return read_console(handle, buffer);
    }
    let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    let mut got = 0;
    // SAFETY: the buffer is live and that long.
    let is_read =
        unsafe { ReadFile(handle, buffer.as_mut_ptr(), length, &mut got, null_mut()) != 0 };
    if is_read { got as usize } else { 0 }
}

/// Reads a line or a part of one.
fn read_console(handle: HANDLE, buffer: &mut [u8]) -> usize {
    const END_OF_FILE: u16 = 0x1a;
    let mut units = [0u16; CONSOLE_UNITS];
    // One unit becomes three bytes at most; one is kept for the second half of
    // a pair.
    let room = (buffer.len() / 3).min(CONSOLE_UNITS).saturating_sub(1);
    let mut count = read_units(handle, &mut units[..room]);
    if count > 0 && (0xd800..0xdc00).contains(&units[count - 1]) {
        count += read_units(handle, &mut units[count..count + 1]);
    }
    if units[..count].first() == Some(&END_OF_FILE) {
        return 0;
    }
    let mut length = 0;
    for letter in char::decode_utf16(units[..count].iter().copied()) {
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        length += letter.encode_utf8(&mut buffer[length..]).len();
    }
    length
}

fn read_units(handle: HANDLE, units: &mut [u16]) -> usize {
    let mut got = 0;
    // SAFETY: the buffer is live and that long.
    let is_read = unsafe {
        ReadConsoleW(
            handle,
            units.as_mut_ptr().cast(),
            units.len() as u32,
            &mut got,
            null(),
        ) != 0
    };
    if is_read { got as usize } else { 0 }
}

fn is_console(handle: HANDLE) -> bool {
    let mut mode = 0;
    // SAFETY: asks about a handle; what is no console is refused.
    unsafe { GetConsoleMode(handle, &mut mode) != 0 }
}

/// Whether somebody is watching standard output.
pub fn output_is_terminal() -> bool {
    // SAFETY: asks for a handle of this process.
    is_console(unsafe { GetStdHandle(STD_OUTPUT_HANDLE) })
}

/// Ends the process at once, with nothing cleaned up.
pub fn exit(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { ExitProcess(status as u32) }
}

/// Nothing is to be done: writing to a closed pipe fails.
pub fn end_on_closed_pipe() {}

/// The command line's arguments, without the program's name.  C's are in the
/// code page of the day, so the system is asked instead.
///
/// # Safety
/// None here; elsewhere the C strings are used.
pub unsafe fn arguments(_argc: i32, _argv: *const *const u8) -> Vec<String> {
    // SAFETY: the system's list holds as many strings as it says, each ended
    // by a zero.
    unsafe {
        let mut count = 0;
        let list = CommandLineToArgvW(GetCommandLineW(), &mut count);
        if list.is_null() {
            return Vec::new();
        }
        let count = usize::try_from(count).unwrap_or(0);
        (1..count).map(|index| text(*list.add(index))).collect()
    }
}

/// # Safety
/// The string is ended by a zero.
unsafe fn text(units: *const u16) -> String {
    let mut length = 0;
    // SAFETY: the caller vouches for the end.
    let units = unsafe {
        while *units.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(units, length)
    };
    String::from_utf16_lossy(units)
}

/// Fills the buffer with bytes that nobody can foresee; false if there are none.
pub fn random_bytes(buffer: &mut [u8]) -> bool {
    // SAFETY: the buffer is live and that long.
    unsafe { RtlGenRandom(buffer.as_mut_ptr().cast(), buffer.len() as u32) }
}

// ---- time

/// Nanoseconds since the Unix epoch.
pub fn unix_time() -> i128 {
    /// From the year 1601 to 1970, in the system's units of 100 ns.
    const EPOCH: i128 = 116_444_736_000_000_000;
    let mut time = FILETIME {
        dwLowDateTime: 0,
        dwHighDateTime: 0,
    };
    // SAFETY: writes to the variable.
    unsafe { GetSystemTimePreciseAsFileTime(&mut time) };
    let units = i128::from(time.dwHighDateTime) << 32 | i128::from(time.dwLowDateTime);
    (units - EPOCH) * 100
}

/// Nanoseconds on a clock that never goes back.
pub fn monotonic_time() -> u64 {
    let (mut count, mut frequency) = (0, 0);
    // SAFETY: writes to the variables; neither call fails.
    unsafe {
        QueryPerformanceCounter(&mut count);
        QueryPerformanceFrequency(&mut frequency);
    }
    (i128::from(count) * 1_000_000_000 / i128::from(frequency.max(1))) as u64
}

/// Suspends the thread for so many nanoseconds, in whole milliseconds.
pub fn sleep(nanoseconds: u64) {
    // SAFETY: asks the scheduler.
    unsafe { Sleep(milliseconds(nanoseconds)) };
}

/// Whole milliseconds, so that nobody wakes too early.
fn milliseconds(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds.div_ceil(1_000_000)).map_or(INFINITE - 1, |ms| ms.min(INFINITE - 1))
}

/// Gives the processor to another thread.
pub fn give_way() {
    // SAFETY: asks the scheduler.
    unsafe { SwitchToThread() };
}

// ---- threads

/// What a thread begins with, and what it leaves behind.
pub type Main = extern "system" fn(argument: *mut u8) -> Ending;
pub type Ending = u32;
/// What every thread's main function returns.
pub const ENDED: Ending = 0;

/// A machine stack: its size.  The system makes it with the thread.
pub struct Stack {
    size: usize,
}

impl Stack {
    /// A stack of `size` bytes of address space.
    pub fn new(size: usize, _pages: Pages) -> Option<Stack> {
        Some(Stack { size })
    }

    /// Gives the stack back.
    ///
    /// # Safety
    /// No thread runs on it any more.
    pub unsafe fn unmap(self) {}
}

/// A thread, as other threads know it.
pub struct Thread(HANDLE);

// SAFETY: a thread's handle may be used by any thread.
unsafe impl Send for Thread {}

impl Thread {
    /// Starts a thread on a stack; `None` if there can't be one.
    ///
    /// # Safety
    /// What the argument points at is the thread's until it has been joined.
    pub unsafe fn start(stack: &Stack, main: Main, argument: *mut u8) -> Option<Thread> {
        create(stack.size, main, argument)
    }

    /// Starts a thread that nobody waits for, with a stack of `size` bytes;
    /// false if there can't be one.
    ///
    /// # Safety
    /// What the argument points at is the thread's.
    pub unsafe fn start_detached(size: usize, main: Main, argument: *mut u8) -> bool {
        create(size, main, argument).map(Thread::detach).is_some()
    }

    /// The thread that asks.
    pub fn current() -> Thread {
        let mut handle = null_mut();
        // SAFETY: makes a handle that means this thread on every thread.
        unsafe {
            let process = GetCurrentProcess();
            DuplicateHandle(
                process,
                GetCurrentThread(),
                process,
                &mut handle,
                0,
                0,
                DUPLICATE_SAME_ACCESS,
            );
        }
        Thread(handle)
    }

    /// Whether this is the thread that asks.
    pub fn is_current(&self) -> bool {
        // SAFETY: asks for numbers.
        unsafe { GetThreadId(self.0) == GetCurrentThreadId() }
    }

    /// Waits until the thread, which is another one, has ended.
    pub fn join(self) {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0, INFINITE) };
        self.detach();
    }

    /// Leaves the thread to whoever knows it by its `current`.
    pub fn forget(self) {
        self.detach();
    }

    /// Lets the thread end without anybody waiting.
    pub fn detach(self) {
        // SAFETY: the handle is open, and not used again.
        unsafe { CloseHandle(self.0) };
    }
}

fn create(size: usize, main: Main, argument: *mut u8) -> Option<Thread> {
    // SAFETY: the main function differs from what the system declares in what
    // its argument points at.
    let handle = unsafe {
        let main: unsafe extern "system" fn(*mut core::ffi::c_void) -> u32 =
            core::mem::transmute::<Main, _>(main);
        CreateThread(
            null(),
            size,
            Some(main),
            argument.cast(),
            STACK_SIZE_PARAM_IS_A_RESERVATION,
            null_mut(),
        )
    };
    (!handle.is_null()).then_some(Thread(handle))
}

/// Where this thread's stack starts, and its size.
pub fn stack_range() -> Option<(usize, usize)> {
    let (mut lowest, mut highest) = (0, 0);
    // SAFETY: writes to the variables.
    unsafe { GetCurrentThreadStackLimits(&mut lowest, &mut highest) };
    Some((lowest, highest - lowest))
}

// ---- locks

/// A lock that must stay where it is while somebody holds or awaits it.
pub struct RawMutex(UnsafeCell<SRWLOCK>);

impl RawMutex {
    pub const fn new() -> RawMutex {
        RawMutex(UnsafeCell::new(SRWLOCK_INIT))
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub fn lock(&self) {
        // SAFETY: initialised, and it does not move while it is borrowed.
        unsafe { AcquireSRWLockExclusive(self.0.get()) };
    }

    /// # Safety
    /// This thread holds the lock.
    #[inline]
    pub unsafe fn unlock(&self) {
        // SAFETY: the caller vouches for it.
        unsafe { ReleaseSRWLockExclusive(self.0.get()) };
    }
}

/// Where threads wait that hold a lock.
pub struct RawCondition(UnsafeCell<CONDITION_VARIABLE>);

impl RawCondition {
    /// A condition whose waiters look at the clock that never goes back.
    pub fn new() -> RawCondition {
        RawCondition(UnsafeCell::new(CONDITION_VARIABLE_INIT))
    }

    /// Lets go of the lock until somebody wakes this thread, or until the
    /// monotonic clock shows `until`.  It may also just wake.
    ///
    /// # Safety
    /// This thread holds the lock.
    pub unsafe fn wait(&self, mutex: &RawMutex, until: Option<u64>) {
        let time = until.map_or(INFINITE, |until| {
            milliseconds(until.saturating_sub(monotonic_time()))
        });
        // SAFETY: initialised; the caller vouches for the lock.
        unsafe { SleepConditionVariableSRW(self.0.get(), mutex.0.get(), time, 0) };
    }

    /// Wakes a thread that waits here.
    pub fn wake(&self) {
        // SAFETY: initialised.
        unsafe { WakeConditionVariable(self.0.get()) };
    }
}

// ---- one pointer per thread

/// A key for a pointer that every thread has its own of, null at first.
pub type Key = u32;

/// A new key; `None` if there are no more.
pub fn new_key() -> Option<Key> {
    // SAFETY: asks for a number.
    let key = unsafe { TlsAlloc() };
    (key != u32::MAX).then_some(key)
}

/// # Safety
/// The key was made by `new_key`, and nobody uses it.
pub unsafe fn delete_key(key: Key) {
    // SAFETY: the caller vouches for the key.
    unsafe { TlsFree(key) };
}

/// # Safety
/// The key was made by `new_key`.
#[inline]
pub unsafe fn key_value(key: Key) -> *mut u8 {
    // SAFETY: the caller vouches for the key.
    unsafe { TlsGetValue(key).cast() }
}

/// # Safety
/// The key was made by `new_key`.
#[inline]
pub unsafe fn set_key_value(key: Key, pointer: *mut u8) {
    // SAFETY: the caller vouches for the key.
    unsafe { TlsSetValue(key, pointer.cast()) };
}

// ---- the ends of threads

/// What a running thread is called.
pub type ThreadId = u32;

/// This thread's name.
pub fn thread_id() -> ThreadId {
    // SAFETY: asks for a number.
    unsafe { GetCurrentThreadId() }
}

/// Tells when threads end that ask for it.
#[derive(Clone, Copy)]
pub struct EndOfThread(u32);

impl EndOfThread {
    /// `ended` will be called on such threads; `None` if there are no more keys.
    pub fn new(ended: unsafe extern "C" fn(*mut c_void)) -> Option<EndOfThread> {
        // SAFETY: on machines with 64 bits there is one calling convention, and
        // what the argument points at may be changed or not.
        let key = unsafe {
            let ended: unsafe extern "system" fn(*const c_void) =
                core::mem::transmute::<unsafe extern "C" fn(*mut c_void), _>(ended);
            FlsAlloc(Some(ended))
        };
        (key != u32::MAX).then_some(EndOfThread(key))
    }

    /// Has the end of this thread told.
    pub fn await_this(self) {
        // Any value that is not null does.
        let value = core::ptr::dangling::<c_void>();
        // SAFETY: nobody reads what the value points at.
        unsafe { FlsSetValue(self.0, value) };
    }
}

// ---- C functions

/// A shared library that is loaded.
#[derive(Clone, Copy)]
pub struct Library(HMODULE);

/// What this process consists of, whatever library it is in.
pub const PROCESS: Library = Library(null_mut());

/// The files that a library may be in that linkers call `name`.
pub fn library_files(name: &str) -> impl Iterator<Item = String> {
    // What Unix has in a library for itself is a part of the C library here.
    let name = if matches!(name, "c" | "m") {
        "msvcrt"
    } else {
        name
    };
    [format!("{name}.dll"), format!("lib{name}.dll")].into_iter()
}

/// Loads a shared library.
///
/// # Safety
/// What it does when it is loaded is the caller's business.
pub unsafe fn load_library(file: &CStr) -> Option<Library> {
    let file = file.to_str().ok()?.encode_utf16().chain([0]);
    let file: Vec<u16> = file.collect();
    // SAFETY: the text ends with a NUL.
    let library = unsafe { LoadLibraryW(file.as_ptr()) };
    (!library.is_null()).then_some(Library(library))
}

/// The address of what a library calls `symbol`; null if it has none.
pub fn symbol(library: Library, symbol: &CStr) -> *const u8 {
    let find = |module| {
        // SAFETY: the module stays loaded, and the text ends with a NUL.
        let found = unsafe { GetProcAddress(module, symbol.as_ptr().cast()) };
        found.map_or(null(), |function| function as *const u8)
    };
    if !library.0.is_null() {
        return find(library.0);
    }
    // Modules in the order in which they were loaded, as elsewhere.
    let mut modules = [null_mut(); 512];
    let mut size = 0;
    let room = size_of_val(&modules) as u32;
    // SAFETY: writes no more than there is room for.
    unsafe { K32EnumProcessModules(GetCurrentProcess(), modules.as_mut_ptr(), room, &mut size) };
    let count = size.min(room) as usize / size_of::<HMODULE>();
    let mut found = modules[..count].iter().map(|module| find(*module));
    found.find(|address| !address.is_null()).unwrap_or(null())
}

/// How many arguments a call has room for.
const MOST_ARGUMENTS: usize = 14;

/// What a register holds.
trait Register: Copy {
    fn of(word: u64) -> Self;
    fn word(self) -> u64;
}

impl Register for u64 {
    fn of(word: u64) -> u64 {
        word
    }
    fn word(self) -> u64 {
        self
    }
}

impl Register for f64 {
    fn of(word: u64) -> f64 {
        f64::from_bits(word)
    }
    fn word(self) -> u64 {
        self.to_bits()
    }
}

/// Arguments go by their positions: the first four are in registers of their
/// kind, all others in memory whatever their kind.
type Convention<A, B, C, D, R> =
    unsafe extern "C" fn(A, B, C, D, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64) -> R;

/// A call whose arguments' kinds are being found out.
struct Call {
    function: *const u8,
    words: [u64; MOST_ARGUMENTS],
    are_floats: [bool; 4],
}

impl Call {
    /// # Safety
    /// As for `call` below.
    unsafe fn give<R: Register>(&self) -> u64 {
        // SAFETY: the caller vouches for the function.
        unsafe {
            match self.are_floats[0] {
                true => self.first::<f64, R>(),
                false => self.first::<u64, R>(),
            }
        }
    }

    /// # Safety
    /// As for `call` below.
    unsafe fn first<A: Register, R: Register>(&self) -> u64 {
        // SAFETY: the caller vouches for the function.
        unsafe {
            match self.are_floats[1] {
                true => self.second::<A, f64, R>(),
                false => self.second::<A, u64, R>(),
            }
        }
    }

    /// # Safety
    /// As for `call` below.
    unsafe fn second<A: Register, B: Register, R: Register>(&self) -> u64 {
        // SAFETY: the caller vouches for the function.
        unsafe {
            match self.are_floats[2] {
                true => self.third::<A, B, f64, R>(),
                false => self.third::<A, B, u64, R>(),
            }
        }
    }

    /// # Safety
    /// As for `call` below.
    unsafe fn third<A: Register, B: Register, C: Register, R: Register>(&self) -> u64 {
        // SAFETY: the caller vouches for the function.
        unsafe {
            match self.are_floats[3] {
                true => self.call::<A, B, C, f64, R>(),
                false => self.call::<A, B, C, u64, R>(),
            }
        }
    }

    /// # Safety
    /// As for `call` below.
    unsafe fn call<A: Register, B: Register, C: Register, D: Register, R: Register>(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = self.words;
        let (a, b, c, d) = (A::of(a), B::of(b), C::of(c), D::of(d));
        // SAFETY: the caller vouches for the function; what it does not look at
        // doesn't matter.
        unsafe {
            let function: Convention<A, B, C, D, R> = core::mem::transmute(self.function);
            function(a, b, c, d, e, f, g, h, i, j, k, l, m, n).word()
        }
    }
}

/// Calls a C function; `None` if it has too many parameters.
///
/// # Safety
/// At the address is a function that takes such arguments.
pub unsafe fn call(function: *const u8, arguments: &[Argument], gives_float: bool) -> Option<u64> {
    let mut call = Call {
        function,
        words: [0; MOST_ARGUMENTS],
        are_floats: [false; 4],
    };
    for (index, argument) in arguments.iter().enumerate() {
        let (word, is_float) = match *argument {
            Argument::Int(word) => (word, false),
            Argument::Float(number) => (number.to_bits(), true),
        };
        *call.words.get_mut(index)? = word;
        if let Some(kind) = call.are_floats.get_mut(index) {
            *kind = is_float;
        }
    }
    // SAFETY: the caller vouches for the function.
    Some(unsafe {
        match gives_float {
            true => call.give::<f64>(),
            false => call.give::<u64>(),
        }
    })
}
