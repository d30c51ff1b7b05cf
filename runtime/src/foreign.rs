//! C functions that programs call: where they are, and how values go there and
//! back.
//!
//! Executables call them by their symbols; here is what the interpreter and the
//! JIT need, and what is too rare for machine code.

use crate::bytecode::{ForeignSite, ForeignType};
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::{Tag, Value};
use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};

/// What the arguments of a call point into.
#[derive(Default)]
struct Texts(Vec<CString>);

/// The address of a C function in this process, its library loaded for it;
/// null if there is none.
pub fn address(site: &ForeignSite) -> *const u8 {
    let Ok(symbol) = CString::new(&*site.symbol) else {
        return core::ptr::null();
    };
    // SAFETY: plain C calls with C strings; loading a library is what was
    // asked for.
    unsafe {
        let library = match &site.library {
            Some(library) => open(library),
            None => libc::RTLD_DEFAULT,
        };
        if library.is_null() && site.library.is_some() {
            return core::ptr::null();
        }
        libc::dlsym(library, symbol.as_ptr()).cast()
    }
}

/// Loads a shared library: by its path, or by its name as linkers have it.
///
/// # Safety
/// What the library does when it is loaded is the program's business.
unsafe fn open(library: &str) -> *mut libc::c_void {
    // SAFETY: see above.
    let load = |file: &str| match CString::new(file) {
        Ok(file) => unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) },
        Err(_) => core::ptr::null_mut(),
    };
    if is_file(library) {
        return load(library);
    }
    // Running systems have libraries by their versions only.
    let plain = core::iter::once(format!("lib{library}.so"));
    let versions = (0..=9)
        .rev()
        .map(|version| format!("lib{library}.so.{version}"));
    let mut found = plain.chain(versions).map(|file| load(&file));
    found
        .find(|handle| !handle.is_null())
        .unwrap_or(core::ptr::null_mut())
}

/// Whether a library is named by its file.
pub fn is_file(library: &str) -> bool {
    library.contains('/')
        || library.contains(".so")
        || library.ends_with(".a")
        || library.ends_with(".o")
}

/// The site with this number, which stays as long as the program runs.
fn site_of(ctx: &VMContext, site: u32) -> &'static ForeignSite {
    let site: *const ForeignSite = &raw const ctx.program.program.foreign_sites[site as usize];
    // SAFETY: the program outlives every call in it, and does not change.
    unsafe { &*site }
}

/// Turns a call's arguments into the words that C gets.  What they point into
/// is kept until the call is done.
pub fn words(
    ctx: &mut VMContext,
    site: u32,
    values: &[Value],
    words: &mut [u64],
) -> Result<(), Raised> {
    let site = site_of(ctx, site);
    for (index, (value, ty)) in values.iter().zip(&site.params).enumerate() {
        words[index] = match word(ctx, *ty, value) {
            Some(word) => word,
            None => return Err(refuse(ctx, site, index, value)),
        };
    }
    Ok(())
}

/// The word of an argument, if it can be one of this type.
fn word(ctx: &mut VMContext, ty: ForeignType, value: &Value) -> Option<u64> {
    match ty {
        ForeignType::Null => None,
        ForeignType::Bool => value.as_bool().map(u64::from),
        ForeignType::Float => value.as_number().map(f64::to_bits),
        ForeignType::F32 => value.as_number().map(|number| single(number as f32)),
        ForeignType::String if value.is_null() => Some(0),
        ForeignType::String => {
            let text = CString::new(value.as_str()?).ok()?;
            let address = text.as_ptr().addr() as u64;
            ctx.kept::<Texts>().0.push(text);
            Some(address)
        }
        _ => {
            let number = value.as_int()?;
            let (least, greatest) = ty.range()?;
            (least..=greatest)
                .contains(&number)
                .then_some(number as u64)
        }
    }
}

/// A `float` as it lies in a register for doubles.
fn single(number: f32) -> u64 {
    let bits = u64::from(number.to_bits());
    if cfg!(target_endian = "big") {
        bits << 32
    } else {
        // RISC-V wants the rest filled, others don't look at it.
        bits | 0xffff_ffff << 32
    }
}

/// Raises an error about an argument.
#[cold]
fn refuse(ctx: &mut VMContext, site: &ForeignSite, index: usize, value: &Value) -> Raised {
    end(ctx);
    let (name, number) = (&site.name, index + 1);
    let ty = site.params[index];
    let message = match (value.as_int(), value.tag()) {
        (Some(int), _) if ty.range().is_some() => {
            format!(
                "{name}: argument {number} does not fit into {}: {int}",
                ty.name()
            )
        }
        (_, Tag::String) if ty == ForeignType::String => {
            format!("{name}: argument {number} holds a NUL, which no string of C can")
        }
        _ => {
            let found = type_name(value);
            format!(
                "{name}: argument {number} must be {}, got {found}",
                ty.name()
            )
        }
    };
    ctx.raise(&message)
}

/// What messages call the type of an argument.
fn type_name(value: &Value) -> &'static str {
    match value.tag() {
        Tag::Unset | Tag::Null => "null",
        Tag::Bool => "bool",
        Tag::Int => "int",
        Tag::Float => "float",
        Tag::String => "string",
        Tag::Array => "array",
        Tag::Dict => "dict",
        Tag::Struct => "struct",
        Tag::Function | Tag::Builtin | Tag::BoundMethod => "function",
        _ => "object",
    }
}

/// Raises an error about an int that does not fit.
#[cold]
pub fn out_of_range(ctx: &mut VMContext, site: u32, index: usize, number: i64) -> Raised {
    let site = site_of(ctx, site);
    refuse(ctx, site, index, &Value::int(number))
}

/// A call is done.
pub fn end(ctx: &mut VMContext) {
    ctx.kept::<Texts>().0.clear();
}

/// The value of a result; the call's texts are not needed any more.
pub fn result(ctx: &mut VMContext, site: u32, word: u64) -> Result<Value, Raised> {
    let result = value_of(ctx, site_of(ctx, site), word);
    // A function may give what it was given.
    end(ctx);
    result
}

fn value_of(ctx: &mut VMContext, site: &ForeignSite, word: u64) -> Result<Value, Raised> {
    Ok(match site.result {
        ForeignType::Null => Value::NULL,
        ForeignType::Bool => Value::bool(word & 0xff != 0),
        ForeignType::Int | ForeignType::Pointer => Value::int(word as i64),
        ForeignType::I8 => Value::int((word as i8).into()),
        ForeignType::I16 => Value::int((word as i16).into()),
        ForeignType::I32 => Value::int((word as i32).into()),
        ForeignType::U8 => Value::int((word as u8).into()),
        ForeignType::U16 => Value::int((word as u16).into()),
        ForeignType::U32 => Value::int((word as u32).into()),
        ForeignType::U64 => match i64::try_from(word) {
            Ok(number) => Value::int(number),
            Err(_) => {
                let message = format!("{}: the result does not fit into int: {word}", site.name);
                return Err(ctx.raise(&message));
            }
        },
        ForeignType::Float => Value::float(f64::from_bits(word)),
        ForeignType::F32 => {
            let bits = if cfg!(target_endian = "big") {
                word >> 32
            } else {
                word
            };
            Value::float(f32::from_bits(bits as u32).into())
        }
        ForeignType::String if word == 0 => Value::NULL,
        ForeignType::String => {
            // SAFETY: the declaration says that it is a C string.
            let text = unsafe { CStr::from_ptr(word as *const c_char) };
            Value::string(&String::from_utf8_lossy(text.to_bytes()))
        }
    })
}

/// The registers that arguments are passed in, whatever their order: every
/// convention here counts ints and floats apart.
type ForInt = unsafe extern "C" fn(
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
) -> u64;
type ForFloat = unsafe extern "C" fn(
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
) -> f64;

/// How many ints and floats this machine passes in registers, of those.
const REGISTERS: (usize, usize) = if cfg!(target_arch = "s390x") {
    (5, 4)
} else {
    (6, 8)
};

/// Calls a C function.
pub fn call(ctx: &mut VMContext, number: u32, values: &[Value]) -> Result<Value, Raised> {
    let site = site_of(ctx, number);
    let address = address(site);
    if address.is_null() {
        let message = match &site.library {
            Some(library) => {
                format!(
                    "the C function `{}` was not found in `{library}`",
                    site.symbol
                )
            }
            None => format!("the C function `{}` was not found", site.symbol),
        };
        return Err(ctx.raise(&message));
    }
    let mut all = alloc::vec![0; values.len()];
    words(ctx, number, values, &mut all)?;
    let (mut ints, mut floats) = ([0u64; 6], [0f64; 8]);
    let (mut int_count, mut float_count) = (0, 0);
    for (word, ty) in all.iter().zip(&site.params) {
        if ty.is_float() {
            floats[float_count] = f64::from_bits(*word);
            float_count += 1;
        } else {
            ints[int_count] = *word;
            int_count += 1;
        }
    }
    if int_count > REGISTERS.0 || float_count > REGISTERS.1 {
        return Err(ctx.raise("a C function has too many parameters for this machine"));
    }
    let ([a, b, c, d, e, f], [s, t, u, v, w, x, y, z]) = (ints, floats);
    // SAFETY: the program's declaration says what the function takes and gives;
    // the registers that it does not look at don't matter.
    let word = unsafe {
        if site.result.is_float() {
            let function: ForFloat = core::mem::transmute(address);
            function(a, b, c, d, e, f, s, t, u, v, w, x, y, z).to_bits()
        } else {
            let function: ForInt = core::mem::transmute(address);
            function(a, b, c, d, e, f, s, t, u, v, w, x, y, z)
        }
    };
    result(ctx, number, word)
}
