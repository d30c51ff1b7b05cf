//! Where a compiled program starts: from the image in its data to its exit.

use crate::builtins::Builtin;
use crate::bytecode::{FunctionId, decode};
use crate::call::Entry;
use crate::loaded::LoadedProgram;
use crate::start;
use alloc::boxed::Box;

/// What the compiler puts into an executable for `ruff_rt_main`.
#[repr(C)]
pub struct ImageHeader {
    /// `ABI_VERSION` of the compiler.
    abi_version: u64,
    /// The encoded program; functions that were compiled have no code in it.
    image: *const u8,
    image_len: u64,
    /// The entry of each function; the interpreter's for functions kept as bytecode.
    entries: *const Entry,
    /// The rows of the built-ins that the program names, in its order.
    builtins: *const &'static Builtin,
}

/// Runs the program in `header` and gives the exit status.
///
/// # Safety
/// `header` is what the compiler emitted; `argv` holds `argc` C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_main(header: *const ImageHeader, argc: i32, argv: *const *const u8) -> i32 {
    // SAFETY: the compiler emitted what the header says; see `ImageHeader`.
    unsafe {
        if (*header).abi_version != super::ABI_VERSION as u64 {
            start::fail("this program was compiled for another version of the Ruff runtime");
        }
        let bytes = core::slice::from_raw_parts((*header).image, (*header).image_len as usize);
        let Ok(program) = decode::decode(bytes) else {
            start::fail("this program's image is damaged");
        };
        let builtin = |index: usize, _: &str| Some(*(*header).builtins.add(index));
        let entry = |id: FunctionId| *(*header).entries.add(id as usize);
        match LoadedProgram::load(Box::new(program), &builtin, &entry) {
            Ok(loaded) => start::run_to_exit_status(loaded, start::arguments(argc, argv)),
            Err(error) => start::fail(&alloc::format!("{error}")),
        }
    }
}
