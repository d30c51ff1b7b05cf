//! Where a compiled program starts: from the image in its data to its exit.

use crate::builtins::Builtin;
use crate::bytecode::{FunctionId, decode};
use crate::call::Entry;
use crate::context::{TraceEntry, VMContext};
use crate::heap::Function;
use crate::loaded::LoadedProgram;
use crate::platform;
use crate::start::{self, MemoryCheck};
use crate::value::{RawValue, Value};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use core::mem::offset_of;

/// What the compiler puts into an executable for `ruff_rt_main`.
#[repr(C)]
pub struct ImageHeader {
    /// `ABI_VERSION` of the compiler.
    abi_version: u64,
    /// The encoded program; functions that were compiled have no code in it.
    image: *const u8,
    image_len: u64,
    /// The entry of each function; the interpreter's for functions kept as
    /// bytecode, null for functions that are only called directly.
    entries: *const Option<Entry>,
    /// The rows of the built-ins that the program names, in its order.
    builtins: *const &'static Builtin,
    /// The numbers of the variants that the program's sites make or test.
    variants: *const u32,
}

/// Where the compiler puts the header's fields, and its size.
pub const ABI_VERSION_OFFSET: usize = offset_of!(ImageHeader, abi_version);
pub const IMAGE_OFFSET: usize = offset_of!(ImageHeader, image);
pub const IMAGE_LEN_OFFSET: usize = offset_of!(ImageHeader, image_len);
pub const ENTRIES_OFFSET: usize = offset_of!(ImageHeader, entries);
pub const BUILTINS_OFFSET: usize = offset_of!(ImageHeader, builtins);
pub const VARIANTS_OFFSET: usize = offset_of!(ImageHeader, variants);
pub const HEADER_SIZE: usize = size_of::<ImageHeader>();

/// The entries of functions kept as bytecode.  An object names the one it
/// needs; one that names none is linked without the interpreter.
pub const INTERPRET_SYMBOL: &str = "ruff_rt_interpret";
pub const INTERPRET_GENERATOR_SYMBOL: &str = "ruff_rt_interpret_generator";
pub const INTERPRET_ASYNC_SYMBOL: &str = "ruff_rt_interpret_async";

/// Runs a program: what an executable's `main` calls.
pub const MAIN_SYMBOL: &str = "ruff_rt_main";
/// The same for tests, with a check that nothing is left in the end.
pub const CHECKED_MAIN_SYMBOL: &str = "ruff_rt_checked_main";

/// Runs the program in `header` and gives the exit status.
///
/// # Safety
/// `header` is what the compiler emitted; `argv` holds `argc` C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_main(
    header: *const ImageHeader,
    argc: i32,
    argv: *const *const u8,
) -> i32 {
    // SAFETY: the caller vouches for the same.
    unsafe { run(header, argc, argv, None) }
}

/// Runs the program in `header` and gives the exit status, which is another one
/// if the program has left memory in use.
///
/// # Safety
/// As for `ruff_rt_main`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_checked_main(
    header: *const ImageHeader,
    argc: i32,
    argv: *const *const u8,
) -> i32 {
    let check = MemoryCheck::start();
    // SAFETY: the caller vouches for the same.
    let status = unsafe { run(header, argc, argv, Some(&check)) };
    check.finish(status)
}

/// # Safety
/// As for `ruff_rt_main`.
unsafe fn run(
    header: *const ImageHeader,
    argc: i32,
    argv: *const *const u8,
    check: Option<&MemoryCheck>,
) -> i32 {
    platform::keep_freed_memory();
    // SAFETY: the caller vouches for its arguments.
    unsafe {
        match load(header) {
            Ok(loaded) => start::run_to_end(loaded, start::arguments(argc, argv), check),
            Err(message) => start::fail(&message),
        }
    }
}

/// Makes the program in `header` ready to run; says why that can't be done.
///
/// # Safety
/// `header` is what the compiler emitted.
pub unsafe fn load(header: *const ImageHeader) -> Result<Box<LoadedProgram>, Cow<'static, str>> {
    // SAFETY: the compiler emitted what the header says; see `ImageHeader`.
    unsafe {
        if (*header).abi_version != super::ABI_VERSION as u64 {
            let message = "this program was compiled for another version of the Ruff runtime";
            return Err(message.into());
        }
        let bytes = core::slice::from_raw_parts((*header).image, (*header).image_len as usize);
        let Ok(program) = decode::decode(bytes) else {
            return Err("this program's image is damaged".into());
        };
        let builtin = |index: usize, _: &str| Some(*(*header).builtins.add(index));
        let entry = |id: FunctionId| (*(*header).entries.add(id as usize)).unwrap_or(no_entry);
        // Numbering them takes code that most programs do without.
        let variants = core::slice::from_raw_parts((*header).variants, program.variant_sites.len());
        LoadedProgram::load_numbered(Box::new(program), variants.to_vec(), &builtin, &entry)
            .map_err(|error| alloc::format!("{error}").into())
    }
}

/// Stands for the entry of a function that is never called through its
/// function object.
///
/// # Safety
/// As for every `Entry`.
unsafe extern "C" fn no_entry(
    _ctx: *mut VMContext,
    _trace: *mut TraceEntry,
    _callee: *const Function,
    _args: *mut Value,
) -> RawValue {
    start::fail("a function was called that this program's compiler took for uncalled")
}
