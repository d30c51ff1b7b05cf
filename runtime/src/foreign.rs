//! C functions that programs call: where they are, and how values go there and
//! back.
//!
//! Executables call them by their symbols; here is what the interpreter and the
//! JIT need, and what is too rare for machine code.

use crate::bytecode::{ForeignSite, ForeignType};
use crate::context::VMContext;
use crate::error::Raised;
use crate::platform::{self, Argument};
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
    let library = match &site.library {
        Some(library) => open(library),
        None => Some(platform::PROCESS),
    };
    library.map_or(core::ptr::null(), |library| {
        platform::symbol(library, &symbol)
    })
}

/// Loads a shared library: by its path, or by its name as linkers have it.
fn open(library: &str) -> Option<platform::Library> {
    // SAFETY: what the library does when it is loaded is what the program
    // wants of it.
    let load = |file: &str| unsafe { platform::load_library(&CString::new(file).ok()?) };
    if is_file(library) {
        return load(library);
    }
    platform::library_files(library).find_map(|file| load(&file))
}

/// Whether a library is named by its file.
pub fn is_file(library: &str) -> bool {
    let endings = [".a", ".o", ".dylib", ".dll"];
    library.contains(['/', '\\'])
        || library.contains(".so")
        || endings.iter().any(|ending| library.ends_with(ending))
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
    let arguments = all.iter().zip(&site.params).map(|(word, ty)| match ty {
        ty if ty.is_float() => Argument::Float(f64::from_bits(*word)),
        // RISC-V extends even these by their sign.
        ForeignType::U32 if cfg!(target_arch = "riscv64") => {
            Argument::Int(i64::from(*word as i32) as u64)
        }
        _ => Argument::Int(*word),
    });
    let arguments: Vec<Argument> = arguments.collect();
    // SAFETY: the program's declaration says what the function takes and gives.
    match unsafe { platform::call(address, &arguments, site.result.is_float()) } {
        Some(word) => result(ctx, number, word),
        None => {
            end(ctx);
            Err(ctx.raise("a C function has too many parameters for this machine"))
        }
    }
}
