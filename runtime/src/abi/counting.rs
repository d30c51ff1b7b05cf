//! Counting: the out-of-line halves of what generated code does inline.

use crate::heap::{self, Header};
use crate::value::Value;

/// # Safety
/// `object` is null, or live and the caller gives up one count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_release(object: *mut Header) {
    if !object.is_null() {
        // SAFETY: passed on.
        unsafe { heap::release(object) }
    }
}

/// # Safety
/// The words are a live value's, and the caller gives it up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_release_value(tag: u64, payload: u64) {
    // SAFETY: passed on.
    drop(unsafe { super::owned(tag, payload) });
}

/// # Safety
/// `values` points at `count` live values, which the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ruff_rt_release_values(values: *mut Value, count: u64) {
    // SAFETY: the caller vouches for the range.
    unsafe { core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(values, count as usize)) }
}
