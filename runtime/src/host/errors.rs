//! Why a call failed, for C: kept in the context until the next failure.

use super::Status;
use super::context::HostContext;
use super::values::{self, HostValue};
use crate::context::VMContext;
use crate::error::Pending;
use crate::semantics::catch;
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};
use core::ptr::{null, null_mut};

/// What C may ask about an error.
pub struct HostError {
    status: Status,
    message: CString,
    report: CString,
    file: CString,
    line: u32,
    column: u32,
    /// The active functions, innermost first.
    frames: Vec<CString>,
    /// What the program raised, to be raised again if a C function that it
    /// called says so.
    pending: Option<Pending>,
}

/// Text as C has it: up to its first NUL.
fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

/// Keeps an error that is not the program's.
///
/// # Safety
/// `host` is live.
pub unsafe fn keep(host: *mut HostContext, status: Status, message: &str) -> i32 {
    let error = HostError {
        status,
        message: c_string(message),
        report: c_string(&alloc::format!("error: {message}\n")),
        file: CString::default(),
        line: 0,
        column: 0,
        frames: Vec::new(),
        pending: None,
    };
    // SAFETY: the caller vouches for the context.
    unsafe { (*host).error = Some(Box::new(error)) };
    status as i32
}

/// Keeps an error that the program raised.
///
/// # Safety
/// `host` is live and attached.
pub unsafe fn keep_raised(host: *mut HostContext, ctx: &VMContext, pending: Pending) -> i32 {
    let position = pending.position(&ctx.program.program);
    let files = &ctx.program.program.files;
    let file = position.and_then(|position| files.get(position.file as usize));
    let names = catch::active_names(ctx, &pending);
    let error = HostError {
        status: Status::Raised,
        message: c_string(pending.message.as_str()),
        report: c_string(&catch::report(ctx, &pending)),
        file: c_string(file.map_or("", |file| file)),
        line: position.map_or(0, |position| position.line),
        column: position.map_or(0, |position| position.column),
        frames: names.iter().rev().map(|name| c_string(name)).collect(),
        pending: Some(pending),
    };
    // SAFETY: the caller vouches for the context.
    unsafe { (*host).error = Some(Box::new(error)) };
    Status::Raised as i32
}

/// Leaves the last error pending again, because a C function asks for it.
///
/// # Safety
/// `host` is live and attached, `ctx` is its program's.
pub unsafe fn raise_again(host: *mut HostContext, ctx: &mut VMContext, status: i32) {
    // SAFETY: the caller vouches for the context.
    let error = unsafe { (*host).error.take() };
    if status == Status::Exited as i32 {
        // SAFETY: as above.
        ctx.exit_status = Some(unsafe { (*host).exit_status });
    }
    let Some(error) = error else {
        ctx.raise("a C function failed");
        return;
    };
    let message = String::from_utf8_lossy(error.message.to_bytes()).into_owned();
    match error.pending {
        Some(pending) => ctx.pending = Some(pending),
        None => {
            ctx.raise(&message);
        }
    }
}

/// What the context's error says; `nothing` if there is none.
///
/// # Safety
/// `host` is live.
unsafe fn told<T>(host: *mut HostContext, nothing: T, tell: impl FnOnce(&HostError) -> T) -> T {
    // SAFETY: the caller vouches for the context.
    unsafe { (*host).error.as_deref().map_or(nothing, tell) }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = |$error:ident| $text:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// `host` is live.
            pub unsafe extern "C" fn $name(host: *mut HostContext) -> *const c_char {
                // SAFETY: the caller vouches for the context.
                unsafe { told(host, c"".as_ptr(), |$error| { let text: &CStr = $text; text.as_ptr() }) }
            }
        )*
    };
}
texts! {
    /// `ruff_error_message`
    message = |error| &error.message;
    /// `ruff_error_code`
    code = |error| match error.status {
        Status::Ok => c"",
        Status::Raised => c"RUFVM001",
        Status::Exited => c"RUFHOST001",
        Status::Mismatch => c"RUFHOST002",
        Status::Misuse => c"RUFHOST003",
        Status::Version => c"RUFHOST004",
    };
    /// `ruff_error_report`
    report = |error| &error.report;
    /// `ruff_error_file`
    file = |error| &error.file;
}

/// `ruff_error_line`
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn line(host: *mut HostContext) -> u32 {
    // SAFETY: the caller vouches for the context.
    unsafe { told(host, 0, |error| error.line) }
}

/// `ruff_error_column`
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn column(host: *mut HostContext) -> u32 {
    // SAFETY: the caller vouches for the context.
    unsafe { told(host, 0, |error| error.column) }
}

/// `ruff_error_frames`
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn frame_count(host: *mut HostContext) -> usize {
    // SAFETY: the caller vouches for the context.
    unsafe { told(host, 0, |error| error.frames.len()) }
}

/// `ruff_error_frame`
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn frame(host: *mut HostContext, index: usize) -> *const c_char {
    let name = |error: &HostError| error.frames.get(index).map_or(null(), |name| name.as_ptr());
    // SAFETY: the caller vouches for the context.
    unsafe { told(host, null(), name) }
}

/// `ruff_error_value`: what was thrown, a runtime error's message else.
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn value(host: *mut HostContext) -> *mut HostValue {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if super::context::ruff_rt_host_enter(host).is_null() {
            return null_mut();
        }
        let found = told(host, None, |error| {
            let pending = error.pending.as_ref()?;
            let thrown = pending.thrown.clone();
            Some(thrown.unwrap_or_else(|| Value::from(pending.message.clone())))
        });
        found.map_or(null_mut(), |value| values::handle(host, value))
    }
}

/// `ruff_exit_status`
///
/// # Safety
/// `host` is live.
pub unsafe extern "C" fn exit_status(host: *mut HostContext) -> i32 {
    // SAFETY: the caller vouches for the context.
    unsafe { (*host).exit_status }
}

/// `ruff_raise`
///
/// # Safety
/// `host` is live, `message` null or a C string.
pub unsafe extern "C" fn raise(host: *mut HostContext, message: *const c_char) -> i32 {
    let message = match message.is_null() {
        true => "a C function failed".to_owned(),
        // SAFETY: the caller vouches for the string.
        false => {
            String::from_utf8_lossy(unsafe { CStr::from_ptr(message) }.to_bytes()).into_owned()
        }
    };
    // SAFETY: the caller vouches for the context.
    unsafe { keep(host, Status::Raised, &message) }
}
