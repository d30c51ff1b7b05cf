//! The table of the C interface.
//!
//! Each row gives a field of the table and a C function that goes through the
//! table of whoever its first argument belongs to.  A C function that is given
//! a null pointer first does nothing and gives zero.

use super::callback::{self, Destroy, HostFunction};
use super::context::{self, HostContext, Library, Options, Write};
use super::values::{self, HostValue};
use super::{call, errors};
use core::ffi::{c_char, c_void};

/// Whatever an argument can be whose runtime is looked for: it begins with
/// the table's address.
///
/// # Safety
/// The first word is the address of a live table.
unsafe trait Rooted {}
// SAFETY: `repr(C)`, with the table first.
unsafe impl Rooted for HostContext {}
// SAFETY: `repr(C)`, with the table first.
unsafe impl Rooted for HostValue {}
// SAFETY: `repr(C)`, with the table first.
unsafe impl Rooted for Library {}

/// The table of an object's runtime; `None` for a null pointer.
///
/// # Safety
/// The object is live.
#[inline(always)]
unsafe fn table<T: Rooted>(object: *const T) -> Option<&'static Api> {
    // SAFETY: the caller vouches for the object, `Rooted` for its first word.
    unsafe { (!object.is_null()).then(|| &**object.cast::<*const Api>()) }
}

/// What a function gives that was called with nothing.
trait Nothing {
    const NOTHING: Self;
}
impl Nothing for () {
    const NOTHING: () = ();
}
impl Nothing for bool {
    const NOTHING: bool = false;
}
impl Nothing for i32 {
    const NOTHING: i32 = super::Status::Misuse as i32;
}
impl Nothing for u32 {
    const NOTHING: u32 = 0;
}
impl Nothing for usize {
    const NOTHING: usize = 0;
}
impl<T> Nothing for *const T {
    const NOTHING: *const T = core::ptr::null();
}
impl<T> Nothing for *mut T {
    const NOTHING: *mut T = core::ptr::null_mut();
}

macro_rules! api {
    ($($(#[$doc:meta])* $symbol:ident = $module:ident::$function:ident($first:ident: $first_type:ty $(, $param:ident: $type:ty)*) $(-> $result:ty)?;)*) => {
        /// The functions of one runtime.  Rows are added at the end.
        #[repr(C)]
        pub struct Api {
            $($(#[$doc])* $symbol: unsafe extern "C" fn($first_type $(, $type)*) $(-> $result)?,)*
        }

        /// This runtime's functions; libraries point at it.
        #[unsafe(no_mangle)]
        pub static ruff_rt_host_api: Api = Api { $($symbol: $module::$function,)* };

        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As C has it: pointers are what their types say, or null where
            /// the header allows it.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $symbol($first: $first_type $(, $param: $type)*) $(-> $result)? {
                // SAFETY: handed on; see above.
                unsafe {
                    match table($first) {
                        Some(api) => (api.$symbol)($first $(, $param)*),
                        None => <api!(@result $($result)?) as Nothing>::NOTHING,
                    }
                }
            }
        )*

        /// The symbols of the C interface, without those of libraries.
        pub const SYMBOLS: &[&str] = &["ruff_abi_version", $(stringify!($symbol)),*];
    };
    (@result) => { () };
    (@result $result:ty) => { $result };
}

/// The version of the C interface that this runtime has.
#[unsafe(no_mangle)]
pub extern "C" fn ruff_abi_version() -> u32 {
    super::HOST_VERSION
}

/// What objects for this version of the runtime refer to, so that they can't be
/// linked with another one.  The number is `abi::ABI_VERSION`.
#[unsafe(no_mangle)]
pub static ruff_rt_abi_13: u8 = 0;

/// The name of the symbol above.
pub const ABI_SYMBOL: &str = "ruff_rt_abi_13";

api! {
    ruff_context_new = context::new(library: *const Library, version: u32, options: *const Options, context: *mut *mut HostContext) -> i32;
    ruff_context_free = context::free(context: *mut HostContext);
    ruff_context_output = context::set_output(context: *mut HostContext, write: Option<Write>, data: *mut c_void);
    ruff_exit_status = errors::exit_status(context: *mut HostContext) -> i32;

    ruff_error_message = errors::message(context: *mut HostContext) -> *const c_char;
    ruff_error_code = errors::code(context: *mut HostContext) -> *const c_char;
    ruff_error_report = errors::report(context: *mut HostContext) -> *const c_char;
    ruff_error_file = errors::file(context: *mut HostContext) -> *const c_char;
    ruff_error_line = errors::line(context: *mut HostContext) -> u32;
    ruff_error_column = errors::column(context: *mut HostContext) -> u32;
    ruff_error_frames = errors::frame_count(context: *mut HostContext) -> usize;
    ruff_error_frame = errors::frame(context: *mut HostContext, index: usize) -> *const c_char;
    ruff_error_value = errors::value(context: *mut HostContext) -> *mut HostValue;
    ruff_raise = errors::raise(context: *mut HostContext, message: *const c_char) -> i32;

    ruff_value_null = values::null(context: *mut HostContext) -> *mut HostValue;
    ruff_value_bool = values::bool(context: *mut HostContext, value: bool) -> *mut HostValue;
    ruff_value_int = values::int(context: *mut HostContext, value: i64) -> *mut HostValue;
    ruff_value_float = values::float(context: *mut HostContext, value: f64) -> *mut HostValue;
    ruff_value_string = values::string(context: *mut HostContext, text: *const u8, length: usize) -> *mut HostValue;
    ruff_value_ints = values::ints(context: *mut HostContext, values: *const i64, count: usize) -> *mut HostValue;
    ruff_value_floats = values::floats(context: *mut HostContext, values: *const f64, count: usize) -> *mut HostValue;
    ruff_value_array = values::array(context: *mut HostContext) -> *mut HostValue;
    ruff_value_dict = values::dict(context: *mut HostContext) -> *mut HostValue;
    ruff_value_function = callback::function(context: *mut HostContext, function: Option<HostFunction>, data: *mut c_void, destroy: Option<Destroy>) -> *mut HostValue;
    ruff_value_retain = values::retain(value: *mut HostValue) -> *mut HostValue;
    ruff_value_release = values::release(value: *mut HostValue);

    ruff_value_kind = values::kind(value: *const HostValue) -> i32;
    ruff_value_to_bool = values::to_bool(value: *const HostValue, result: *mut bool) -> bool;
    ruff_value_to_int = values::to_int(value: *const HostValue, result: *mut i64) -> bool;
    ruff_value_to_float = values::to_float(value: *const HostValue, result: *mut f64) -> bool;
    ruff_value_to_string = values::to_string(value: *const HostValue, length: *mut usize) -> *const u8;
    ruff_value_to_ints = values::to_ints(value: *const HostValue, count: *mut usize) -> *const i64;
    ruff_value_to_floats = values::to_floats(value: *const HostValue, count: *mut usize) -> *const f64;
    ruff_value_text = values::text(value: *const HostValue) -> *mut HostValue;
    ruff_value_length = values::length(value: *const HostValue) -> usize;
    ruff_array_get = values::array_get(array: *const HostValue, index: usize) -> *mut HostValue;
    ruff_array_push = values::array_push(array: *mut HostValue, element: *const HostValue) -> bool;
    ruff_dict_get = values::dict_get(dict: *const HostValue, key: *const u8, length: usize) -> *mut HostValue;
    ruff_dict_set = values::dict_set(dict: *mut HostValue, key: *const u8, length: usize, value: *const HostValue) -> bool;
    ruff_dict_entry = values::dict_entry(dict: *const HostValue, index: usize, key: *mut *mut HostValue, value: *mut *mut HostValue) -> bool;
    ruff_field = values::field(record: *const HostValue, name: *const u8, length: usize) -> *mut HostValue;

    ruff_call = call::value(context: *mut HostContext, function: *const HostValue, args: *const *const HostValue, count: usize, result: *mut *mut HostValue) -> i32;
    ruff_call_named = call::named(context: *mut HostContext, name: *const c_char, args: *const *const HostValue, count: usize, result: *mut *mut HostValue) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_symbol_names_the_version() {
        let expected = alloc::format!("ruff_rt_abi_{}", crate::abi::ABI_VERSION);
        assert_eq!(ABI_SYMBOL, expected);
    }
}
