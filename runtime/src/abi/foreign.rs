//! Calls of C functions.

use super::{status, words};
use crate::context::VMContext;
use crate::foreign;
use crate::value::{RawValue, Value};

/// # Safety
/// `ctx` is the live context; there are as many live values, given up, and as
/// much room for words as the site has parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_foreign_words(
    ctx: *mut VMContext,
    site: u64,
    values: *mut Value,
    words: *mut u64,
) -> u64 {
    // SAFETY: the caller vouches for its arguments.
    unsafe {
        let ctx = &mut *ctx;
        let site = site as u32;
        let count = ctx.program.program.foreign_sites[site as usize]
            .params
            .len();
        let words = core::slice::from_raw_parts_mut(words, count);
        let result = foreign::words(ctx, site, core::slice::from_raw_parts(values, count), words);
        core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(values, count));
        status(result)
    }
}

/// # Safety
/// `ctx` is the live context.
#[cold]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_foreign_range(
    ctx: *mut VMContext,
    site: u64,
    index: u64,
    number: u64,
) {
    // SAFETY: the caller vouches for the context.
    let ctx = unsafe { &mut *ctx };
    foreign::out_of_range(ctx, site as u32, index as usize, number as i64);
}

/// # Safety
/// `ctx` is the live context; the word is what the site's function gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_foreign_result(
    ctx: *mut VMContext,
    site: u64,
    word: u64,
) -> RawValue {
    // SAFETY: the caller vouches for the context.
    let ctx = unsafe { &mut *ctx };
    words(foreign::result(ctx, site as u32, word))
}

/// # Safety
/// `ctx` is the live context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_foreign_end(ctx: *mut VMContext) {
    // SAFETY: the caller vouches for the context.
    foreign::end(unsafe { &mut *ctx });
}
