//! Libraries and contexts: how a C program makes a program run in its process.

use super::api::{Api, ruff_rt_host_api};
use super::errors::HostError;
use super::values::HostValue;
use super::{HOST_VERSION, Status};
use crate::abi::entry::{self, ImageHeader};
use crate::context::setup::{stack_limit_in, stack_range};
use crate::context::{COLD_WORDS, COLD_WORDS_OFFSET, TraceEntry, VMContext};
use crate::heap::allocator::{self, Heap};
use crate::output::Redirect;
use crate::start;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ffi::{c_char, c_int, c_void};
use core::mem::offset_of;
use core::ptr::null_mut;

/// A compiled library, as the compiler emits it.
#[repr(C)]
pub struct Library {
    api: *const Api,
    /// `HOST_VERSION` of the compiler.
    version: u64,
    /// `api::ABI_SYMBOL`, for the linker.
    abi: *const u8,
    exports: *const Export,
    export_count: u64,
    header: ImageHeader,
}

/// An exported function of a library.
#[repr(C)]
pub struct Export {
    name: *const u8,
    name_len: u64,
    /// What C promises and is promised, see `signature`.
    signature: *const u8,
    signature_len: u64,
    pub func: u64,
}

/// Where the compiler puts the fields.
pub const LIBRARY_API: usize = offset_of!(Library, api);
pub const LIBRARY_VERSION: usize = offset_of!(Library, version);
pub const LIBRARY_ABI: usize = offset_of!(Library, abi);
pub const LIBRARY_EXPORTS: usize = offset_of!(Library, exports);
pub const LIBRARY_EXPORT_COUNT: usize = offset_of!(Library, export_count);
pub const LIBRARY_HEADER: usize = offset_of!(Library, header);
pub const LIBRARY_SIZE: usize = size_of::<Library>();
pub const EXPORT_NAME: usize = offset_of!(Export, name);
pub const EXPORT_NAME_LEN: usize = offset_of!(Export, name_len);
pub const EXPORT_SIGNATURE: usize = offset_of!(Export, signature);
pub const EXPORT_SIGNATURE_LEN: usize = offset_of!(Export, signature_len);
pub const EXPORT_FUNC: usize = offset_of!(Export, func);
pub const EXPORT_SIZE: usize = size_of::<Export>();

/// The table of the C interface.
pub const API_SYMBOL: &str = "ruff_rt_host_api";
/// Where exported functions find the program's context, and the stack.
pub const VM_OFFSET: usize = offset_of!(HostContext, vm);
pub const STACK_LOW_OFFSET: usize = offset_of!(HostContext, stack_low);
pub const STACK_SIZE_OFFSET: usize = offset_of!(HostContext, stack_size);

impl Library {
    /// The exported functions.
    pub fn exports(&self) -> &[Export] {
        // SAFETY: the compiler emitted that many.
        unsafe { core::slice::from_raw_parts(self.exports, self.export_count as usize) }
    }
}

impl Export {
    /// The function's name in the program.
    pub fn name(&self) -> &[u8] {
        // SAFETY: the compiler emitted that many bytes.
        unsafe { core::slice::from_raw_parts(self.name, self.name_len as usize) }
    }

    /// See `signature`.
    pub fn signature(&self) -> &[u8] {
        // SAFETY: the compiler emitted that many bytes.
        unsafe { core::slice::from_raw_parts(self.signature, self.signature_len as usize) }
    }
}

/// Takes output: `ruff_write`.
pub type Write = unsafe extern "C" fn(data: *mut c_void, text: *const u8, length: usize);

/// How a context begins: `ruff_options`.
#[repr(C)]
pub struct Options {
    output: Option<Write>,
    output_data: *mut c_void,
    arg_count: c_int,
    args: *const *const c_char,
}

/// One run of a library: `ruff_context`.
#[repr(C)]
pub struct HostContext {
    api: &'static Api,
    /// The program's own context; null if the library can't be loaded.
    pub vm: *mut VMContext,
    /// The memory of the program's values.
    heap: *mut Heap,
    /// The stack of the thread that uses the context.
    stack_low: usize,
    stack_size: usize,
    pub library: *const Library,
    /// The first of the values that C has.
    pub values: *mut HostValue,
    pub error: Option<Box<HostError>>,
    /// What the last call gave that its caller got pointers into.
    pub results: Vec<Value>,
    pub exit_status: i32,
    /// The top level has run.
    is_ready: bool,
    /// What helpers take and give that are called through stubs: in the C
    /// functions of exported ones this context is the first.
    cold_words: [u64; COLD_WORDS],
    pub callbacks: Vec<Box<super::callback::Callback>>,
}

// Stubs know only one place for words, whichever context they are given.
const _: () = assert!(offset_of!(HostContext, cold_words) == COLD_WORDS_OFFSET);

/// How a program's context leads to its host's.
pub struct Link(pub *mut HostContext);

impl Default for Link {
    fn default() -> Link {
        Link(null_mut())
    }
}

/// Lets the thread use the context.  Gives the first free entry of the call
/// stack; null if the context's program can't be called, with the reason as
/// its error.
///
/// C functions of exported ones look by themselves whether the stack is the
/// context's, and call this only if it is not.
///
/// # Safety
/// `host` is null or a live context that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_host_enter(host: *mut HostContext) -> *mut TraceEntry {
    let here = 0u8;
    let here = (&raw const here).addr();
    // SAFETY: the caller vouches for the context.
    unsafe {
        if let Some(known) = host.as_ref()
            && here.wrapping_sub(known.stack_low) < known.stack_size
        {
            return (*known.vm).trace_top;
        }
        enter_slowly(host)
    }
}

/// # Safety
/// As for `ruff_rt_host_enter`.
#[cold]
#[inline(never)]
unsafe fn enter_slowly(host: *mut HostContext) -> *mut TraceEntry {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if host.is_null() {
            return null_mut();
        }
        if !(*host).is_ready {
            let message = "the context's program did not start";
            super::errors::keep(host, Status::Misuse, message);
            return null_mut();
        }
        attach(host);
        (*(*host).vm).trace_top
    }
}

/// Makes the context the thread's: its heap is the thread's heap, and the
/// thread's stack is its stack.  Then no other context has that stack, and no
/// other thread's stack is the same while this one lives.
///
/// # Safety
/// `host` is live, with a program, and no other thread uses it.
pub unsafe fn attach(host: *mut HostContext) {
    let here = 0u8;
    let here = (&raw const here).addr();
    // SAFETY: a heap is only used by the thread that uses its context.
    unsafe {
        if here.wrapping_sub((*host).stack_low) < (*host).stack_size {
            return;
        }
        threads::take(host);
        allocator::replace((*host).heap);
        let (low, size) = stack_range();
        ((*host).stack_low, (*host).stack_size) = (low, size);
        (*(*host).vm).stack_limit = stack_limit_in(low, size);
    }
}

/// Which thread has which context.  Entries are few, and only looked at when a
/// context changes threads or a thread contexts.
mod threads {
    use super::HostContext;
    use crate::platform::{EndOfThread, ThreadId, thread_id};
    use crate::sync::Mutex;
    use alloc::vec::Vec;
    use core::ffi::c_void;
    use core::ptr::null_mut;

    struct State {
        /// Tells when a thread ends: another may get its stack.
        ends: Option<EndOfThread>,
        owners: Vec<(ThreadId, *mut HostContext)>,
    }

    // SAFETY: the contexts are only touched as far as `take` says.
    unsafe impl Send for State {}

    static STATE: Mutex<State> = Mutex::new(State {
        ends: None,
        owners: Vec::new(),
    });

    /// Notes that this thread has the context, and takes the stack from the one
    /// that it had.
    ///
    /// # Safety
    /// No other thread uses either.
    pub unsafe fn take(host: *mut HostContext) {
        let this = thread_id();
        let mut state = STATE.lock();
        state.owners.retain(|(thread, owned)| {
            if *thread == this && *owned != host {
                // SAFETY: it was this thread's, so nobody else uses it.
                unsafe { (**owned).stack_size = 0 };
            }
            *thread != this && *owned != host
        });
        state.owners.push((this, host));
        state.ends = state.ends.or_else(|| EndOfThread::new(ended));
        if let Some(ends) = state.ends {
            ends.await_this();
        }
    }

    /// Notes that a context is no thread's any more.
    pub fn leave(host: *mut HostContext) {
        STATE.lock().owners.retain(|(_, owned)| *owned != host);
    }

    /// A thread ends.
    extern "C" fn ended(_: *mut c_void) {
        crate::heap::allocator::replace(null_mut());
        let this = thread_id();
        STATE.lock().owners.retain(|(thread, owned)| {
            if *thread == this {
                // SAFETY: it is this thread's, so nobody else uses it.
                unsafe { (**owned).stack_size = 0 };
            }
            *thread != this
        });
    }
}

/// `ruff_context_new`.  A context is made even if its program fails, to hold
/// the error.
///
/// # Safety
/// `library` is what the compiler emitted; `options` is null or points at
/// options; the context goes to `result`.
pub unsafe extern "C" fn new(
    library: *const Library,
    version: u32,
    options: *const Options,
    result: *mut *mut HostContext,
) -> i32 {
    if result.is_null() {
        return Status::Misuse as i32;
    }
    // SAFETY: the caller vouches for its pointers.
    unsafe {
        // The context that the thread had must not go on with this one's heap.
        let outer = allocator::replace(null_mut());
        let host = Box::into_raw(Box::new(HostContext {
            api: &ruff_rt_host_api,
            vm: null_mut(),
            heap: allocator::current(),
            stack_low: 0,
            stack_size: 0,
            library,
            values: null_mut(),
            error: None,
            results: Vec::new(),
            exit_status: 0,
            is_ready: false,
            cold_words: [0; COLD_WORDS],
            callbacks: Vec::new(),
        }));
        *result = host;
        let status = if version != HOST_VERSION || (*library).version != u64::from(HOST_VERSION) {
            let message = format!(
                "versions of the C interface differ: the caller's header has {version}, the library {}, its runtime {HOST_VERSION}",
                (*library).version
            );
            super::errors::keep(host, Status::Version, &message)
        } else {
            start(host, options.as_ref())
        };
        if !(*host).is_ready {
            allocator::replace(outer);
        }
        status
    }
}

/// Loads the context's program and runs its top level.
///
/// # Safety
/// As for `new`; the context is new.
unsafe fn start(host: *mut HostContext, options: Option<&Options>) -> i32 {
    // SAFETY: the caller vouches for the context and the options.
    unsafe {
        let program = match entry::load(&raw const (*(*host).library).header) {
            Ok(program) => program,
            Err(message) => return super::errors::keep(host, Status::Version, &message),
        };
        let mut vm = VMContext::new(program);
        vm.kept::<Link>().0 = host;
        // Whoever is beside it in the process may write as well.
        vm.output.line_buffered = true;
        if let Some(options) = options {
            vm.args = (0..options.arg_count.max(0) as usize)
                .map(|index| {
                    let text = core::ffi::CStr::from_ptr(*options.args.add(index));
                    alloc::string::String::from_utf8_lossy(text.to_bytes()).into_owned()
                })
                .collect();
            vm.output.redirect = redirect(options.output, options.output_data);
        }
        (*host).vm = Box::into_raw(vm);
        attach(host);
        let ctx = &mut *(*host).vm;
        let result = ctx.run();
        if result.is_err() {
            let status = super::call::failed(host);
            // What the top level left behind is of no use.
            threads::leave(host);
            (*host).stack_size = 0;
            return status;
        }
        drop(result);
        (*host).is_ready = true;
        Status::Ok as i32
    }
}

/// `ruff_context_free`.
///
/// # Safety
/// `host` is null or a live context that is not running.
pub unsafe extern "C" fn free(host: *mut HostContext) {
    // SAFETY: the caller gives the context up.
    unsafe {
        let heap = (*host).heap;
        let outer = allocator::replace(heap);
        threads::leave(host);
        let mut host = Box::from_raw(host);
        host.results.clear();
        host.error = None;
        super::values::free_all(host.values);
        if !host.vm.is_null() {
            drop(Box::from_raw(host.vm));
        }
        for callback in core::mem::take(&mut host.callbacks) {
            callback.destroy();
        }
        allocator::finish();
        // The thread may have been another context's.
        allocator::replace(if outer == heap { null_mut() } else { outer });
    }
}

/// `ruff_context_output`.
///
/// # Safety
/// `host` is live; `write` may be called with `data` until it is replaced.
pub unsafe extern "C" fn set_output(
    host: *mut HostContext,
    write: Option<Write>,
    data: *mut c_void,
) {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if let Some(ctx) = (*host).vm.as_mut() {
            ctx.output.flush();
            ctx.output.redirect = redirect(write, data);
        }
    }
}

fn redirect(write: Option<Write>, data: *mut c_void) -> Option<Redirect> {
    let write = write?;
    let take = move |text: &[u8]| {
        if !text.is_empty() {
            // SAFETY: the host vouches for its function.
            unsafe { write(data, text.as_ptr(), text.len()) };
        }
    };
    Some(Box::new(take))
}

/// Lets code of the context's program run; what it printed is handed on.
pub fn run<T>(ctx: &mut VMContext, action: impl FnOnce(&mut VMContext) -> T) -> T {
    start::guard_output(ctx, action)
}
