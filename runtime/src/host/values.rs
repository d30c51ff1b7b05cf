//! Values that C has: counted handles of a context.
//!
//! A handle owns a value.  Values have no identity, so changing what a handle
//! owns changes nothing else.  Handles that C forgets to release go with their
//! context.

use super::Status;
use super::api::{Api, ruff_rt_host_api};
use super::context::{HostContext, ruff_rt_host_enter};
use super::signature::{self, Refusal, slice};
use crate::heap::dict::Key;
use crate::heap::{Array, Dict, Record, Ref, Set, Str};
use crate::semantics::convert::{key_string, to_display_string};
use crate::semantics::make;
use crate::value::{Tag, Value};
use alloc::boxed::Box;
use core::ptr::null_mut;

/// A handle: `ruff_value`.
#[repr(C)]
pub struct HostValue {
    api: &'static Api,
    host: *mut HostContext,
    count: usize,
    pub value: Value,
    previous: *mut HostValue,
    next: *mut HostValue,
}

/// A handle that owns `value`.
///
/// # Safety
/// `host` is live and attached.
pub unsafe fn handle(host: *mut HostContext, value: Value) -> *mut HostValue {
    // SAFETY: the caller vouches for the context; its chain is whole.
    unsafe {
        let next = (*host).values;
        let made = Box::into_raw(Box::new(HostValue {
            api: &ruff_rt_host_api,
            host,
            count: 1,
            value,
            previous: null_mut(),
            next,
        }));
        if let Some(next) = next.as_mut() {
            next.previous = made;
        }
        (*host).values = made;
        made
    }
}

/// Frees a context's handles.
///
/// # Safety
/// They are a whole chain, and nobody uses them any more.
pub unsafe fn free_all(mut first: *mut HostValue) {
    while !first.is_null() {
        // SAFETY: the caller vouches for the chain.
        unsafe {
            let next = (*first).next;
            drop(Box::from_raw(first));
            first = next;
        }
    }
}

/// The value that C gives a context.
///
/// # Safety
/// `value` is null or a live handle.
pub unsafe fn given(host: *mut HostContext, value: *const HostValue) -> Result<Value, Refusal> {
    // SAFETY: the caller vouches for the handle.
    unsafe {
        match value.as_ref() {
            None => Ok(Value::NULL),
            Some(handle) if core::ptr::eq(handle.host, host) => Ok(handle.value.clone()),
            Some(_) => Err(Refusal::Mismatch(
                "a value belongs to another context".into(),
            )),
        }
    }
}

/// Makes a handle of a value that is made when the context is attached.
///
/// # Safety
/// `host` is live.
unsafe fn made(host: *mut HostContext, make: impl FnOnce() -> Option<Value>) -> *mut HostValue {
    // SAFETY: the caller vouches for the context.
    unsafe {
        if ruff_rt_host_enter(host).is_null() {
            return null_mut();
        }
        match make() {
            Some(value) => handle(host, value),
            None => null_mut(),
        }
    }
}

/// Makes a handle of something in another one's value.
///
/// # Safety
/// `value` is live.
unsafe fn found(
    value: *const HostValue,
    find: impl FnOnce(&Value) -> Option<Value>,
) -> *mut HostValue {
    // SAFETY: the caller vouches for the handle.
    unsafe { made((*value).host, || find(&(*value).value)) }
}

macro_rules! makers {
    ($($(#[$doc:meta])* $name:ident($($param:ident: $type:ty),*) => $value:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// The context is live; pointers have as many elements as are said.
            pub unsafe extern "C" fn $name(host: *mut HostContext $(, $param: $type)*) -> *mut HostValue {
                // SAFETY: the caller vouches for the context and its pointers.
                unsafe { made(host, || $value) }
            }
        )*
    };
}
makers! {
    /// `ruff_value_null`
    null() => Some(Value::NULL);
    /// `ruff_value_bool`
    bool(value: bool) => Some(Value::bool(value));
    /// `ruff_value_int`
    int(value: i64) => Some(Value::int(value));
    /// `ruff_value_float`
    float(value: f64) => Some(Value::float(value));
    /// `ruff_value_string`: null if it is not UTF-8.
    string(text: *const u8, length: usize) => signature::text(text, length).ok();
    /// `ruff_value_ints`
    ints(values: *const i64, count: usize) => Some(Array::from_ints(slice(values, count)).into());
    /// `ruff_value_floats`
    floats(values: *const f64, count: usize) => Some(Array::from_floats(slice(values, count)).into());
    /// `ruff_value_array`
    array() => Some(Array::new().into());
    /// `ruff_value_dict`
    dict() => Some(Dict::new().into());
}

/// `ruff_value_retain`
///
/// # Safety
/// `value` is live.
pub unsafe extern "C" fn retain(value: *mut HostValue) -> *mut HostValue {
    // SAFETY: the caller vouches for the handle.
    unsafe { (*value).count += 1 };
    value
}

/// `ruff_value_release`
///
/// # Safety
/// `value` is live, and the caller has retained or made it.
pub unsafe extern "C" fn release(value: *mut HostValue) {
    // SAFETY: the caller vouches for the handle.
    unsafe {
        (*value).count -= 1;
        if (*value).count > 0 {
            return;
        }
        let host = (*value).host;
        // What the value owns goes back to its context's heap.
        super::context::attach(host);
        let HostValue { previous, next, .. } = *value;
        match previous.as_mut() {
            Some(previous) => previous.next = next,
            None => (*host).values = next,
        }
        if let Some(next) = next.as_mut() {
            next.previous = previous;
        }
        drop(Box::from_raw(value));
    }
}

/// `ruff_value_kind`
///
/// # Safety
/// `value` is live.
pub unsafe extern "C" fn kind(value: *const HostValue) -> i32 {
    // SAFETY: the caller vouches for the handle.
    match unsafe { (*value).value.tag() } {
        Tag::Unset | Tag::Null => 0,
        Tag::Bool => 1,
        Tag::Int => 2,
        Tag::Float => 3,
        Tag::String => 4,
        Tag::Array => 5,
        Tag::Dict => 6,
        Tag::Struct => 7,
        Tag::Function | Tag::Builtin | Tag::BoundMethod => 8,
        _ => 9,
    }
}

/// Stores what is there; whether anything is.
///
/// # Safety
/// `result` is null or has room.
unsafe fn store<T>(value: Option<T>, result: *mut T) -> bool {
    match value {
        Some(value) if !result.is_null() => {
            // SAFETY: the caller vouches for the place.
            unsafe { *result = value };
            true
        }
        Some(_) => true,
        None => false,
    }
}

/// `ruff_value_to_bool`
///
/// # Safety
/// `value` is live, `result` null or writable.
pub unsafe extern "C" fn to_bool(value: *const HostValue, result: *mut bool) -> bool {
    // SAFETY: the caller vouches for both.
    unsafe { store((*value).value.as_bool(), result) }
}

/// `ruff_value_to_int`
///
/// # Safety
/// `value` is live, `result` null or writable.
pub unsafe extern "C" fn to_int(value: *const HostValue, result: *mut i64) -> bool {
    // SAFETY: the caller vouches for both.
    unsafe { store((*value).value.as_int(), result) }
}

/// `ruff_value_to_float`: ints too.
///
/// # Safety
/// `value` is live, `result` null or writable.
pub unsafe extern "C" fn to_float(value: *const HostValue, result: *mut f64) -> bool {
    // SAFETY: the caller vouches for both.
    unsafe { store((*value).value.as_number(), result) }
}

/// A pointer to elements and their number, if there are any to be had.
///
/// # Safety
/// `count` is null or writable.
unsafe fn elements<T>(found: Option<&[T]>, count: *mut usize) -> *const T {
    // SAFETY: the caller vouches for the place.
    unsafe { store(Some(found.map_or(0, <[T]>::len)), count) };
    found.map_or(core::ptr::null(), <[T]>::as_ptr)
}

/// `ruff_value_to_string`: the bytes, valid as long as the handle's value.
///
/// # Safety
/// `value` is live, `length` null or writable.
pub unsafe extern "C" fn to_string(value: *const HostValue, length: *mut usize) -> *const u8 {
    // SAFETY: the caller vouches for both.
    unsafe { elements((*value).value.as_str().map(str::as_bytes), length) }
}

/// `ruff_value_to_ints`
///
/// # Safety
/// `value` is live, `count` null or writable.
pub unsafe extern "C" fn to_ints(value: *const HostValue, count: *mut usize) -> *const i64 {
    // SAFETY: the caller vouches for both.
    unsafe {
        let array = (*value).value.as_object::<Array>();
        elements(array.and_then(Array::as_ints), count)
    }
}

/// `ruff_value_to_floats`
///
/// # Safety
/// `value` is live, `count` null or writable.
pub unsafe extern "C" fn to_floats(value: *const HostValue, count: *mut usize) -> *const f64 {
    // SAFETY: the caller vouches for both.
    unsafe {
        let array = (*value).value.as_object::<Array>();
        elements(array.and_then(Array::as_floats), count)
    }
}

/// `ruff_value_text`: the display form, as `print` writes it.
///
/// # Safety
/// `value` is live.
pub unsafe extern "C" fn text(value: *const HostValue) -> *mut HostValue {
    // SAFETY: the caller vouches for the handle, whose context is live.
    unsafe {
        let ctx = (*(*value).host).vm;
        found(value, |value| {
            Some(Value::string(&to_display_string(&*ctx, value)))
        })
    }
}

/// `ruff_value_length`: bytes, elements, entries or fields.
///
/// # Safety
/// `value` is live.
pub unsafe extern "C" fn length(value: *const HostValue) -> usize {
    // SAFETY: the caller vouches for the handle.
    let value = unsafe { &(*value).value };
    if let Some(text) = value.as_str() {
        text.len()
    } else if let Some(array) = value.as_object::<Array>() {
        array.len()
    } else if let Some(dict) = value.as_object::<Dict>() {
        dict.len()
    } else if let Some(record) = value.as_object::<Record>() {
        record.fields().len()
    } else {
        value.as_object::<Set>().map_or(0, Set::len)
    }
}

/// `ruff_array_get`
///
/// # Safety
/// `array` is live.
pub unsafe extern "C" fn array_get(array: *const HostValue, index: usize) -> *mut HostValue {
    let element = |value: &Value| {
        let array = value.as_object::<Array>()?;
        (index < array.len()).then(|| array.get(index))
    };
    // SAFETY: the caller vouches for the handle.
    unsafe { found(array, element) }
}

/// Changes a handle's container to hold something more; whether that worked.
///
/// # Safety
/// Both handles are live.
unsafe fn change(
    target: *mut HostValue,
    more: *const HostValue,
    store: impl FnOnce(&mut Value, Value) -> bool,
) -> bool {
    // SAFETY: the caller vouches for the handles, whose context is live.
    unsafe {
        let host = (*target).host;
        if ruff_rt_host_enter(host).is_null() {
            return false;
        }
        let Ok(more) = given(host, more) else {
            super::errors::keep(host, Status::Misuse, "a value belongs to another context");
            return false;
        };
        if make::check_depth(&mut *(*host).vm, 1, &more, "storing a value").is_err() {
            super::call::failed(host);
            return false;
        }
        store(&mut (*target).value, more)
    }
}

/// `ruff_array_push`
///
/// # Safety
/// Both handles are live.
pub unsafe extern "C" fn array_push(array: *mut HostValue, element: *const HostValue) -> bool {
    let push = |target: &mut Value, element| match target.object_mut::<Array>() {
        Some(array) => {
            array.push(element);
            true
        }
        None => false,
    };
    // SAFETY: the caller vouches for the handles.
    unsafe { change(array, element, push) }
}

/// `ruff_dict_get`
///
/// # Safety
/// `dict` is live, and the key has so many bytes.
pub unsafe extern "C" fn dict_get(
    dict: *const HostValue,
    key: *const u8,
    length: usize,
) -> *mut HostValue {
    let entry = |value: &Value| {
        // SAFETY: the caller vouches for the key.
        let key = unsafe { signature::text(key, length) }.ok()?;
        let dict = value.as_object::<Dict>()?;
        dict.get(Key::from_value(&key)?).cloned()
    };
    // SAFETY: the caller vouches for the handle.
    unsafe { found(dict, entry) }
}

/// `ruff_dict_set`
///
/// # Safety
/// Both handles are live, and the key has so many bytes.
pub unsafe extern "C" fn dict_set(
    dict: *mut HostValue,
    key: *const u8,
    length: usize,
    value: *const HostValue,
) -> bool {
    let insert = |target: &mut Value, value| {
        // SAFETY: the caller vouches for the key.
        let Ok(key) = (unsafe { signature::text(key, length) }) else {
            return false;
        };
        match (target.object_mut::<Dict>(), key.as_object::<Str>()) {
            (Some(dict), Some(key)) => {
                dict.insert_str(key, value);
                true
            }
            _ => false,
        }
    };
    // SAFETY: the caller vouches for the handles.
    unsafe { change(dict, value, insert) }
}

/// `ruff_dict_entry`
///
/// # Safety
/// `dict` is live, and the places are null or writable.
pub unsafe extern "C" fn dict_entry(
    dict: *const HostValue,
    index: usize,
    key: *mut *mut HostValue,
    value: *mut *mut HostValue,
) -> bool {
    // SAFETY: the caller vouches for the handle and the places.
    unsafe {
        let host = (*dict).host;
        let entries = (*dict).value.as_object::<Dict>();
        let Some((found_key, found)) = entries.and_then(|dict| dict.iter().nth(index)) else {
            return false;
        };
        if ruff_rt_host_enter(host).is_null() {
            return false;
        }
        if !key.is_null() {
            *key = handle(host, key_string(found_key));
        }
        if !value.is_null() {
            *value = handle(host, found.clone());
        }
        true
    }
}

/// `ruff_field`
///
/// # Safety
/// `record` is live, and the name has so many bytes.
pub unsafe extern "C" fn field(
    record: *const HostValue,
    name: *const u8,
    length: usize,
) -> *mut HostValue {
    // SAFETY: the caller vouches for the handle and the name.
    unsafe {
        let wanted = slice(name, length);
        let program = &(&*(*(*record).host).vm).program;
        found(record, |value| {
            let record: Ref<Record> = value.to_ref()?;
            let names = &record.shape().fields;
            let of = |name: &&u32| -> bool {
                let text: &Str = &program.names[**name as usize];
                text.as_bytes() == wanted
            };
            record.get(*names.iter().find(of)?).cloned()
        })
    }
}
