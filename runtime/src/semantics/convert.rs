//! Values as truth, as text and as type names.
//!
//! Writing recurses once per level of a value, of which there are at most
//! 4,096; each level's frame is small.

use super::R;
use super::arith::append_text;
pub use super::float_text::write_float;
use crate::context::VMContext;
use crate::heap::string::count_chars;
use crate::heap::{
    Array, BoundMethod, Bytes, Dict, Function, Queue, Record, Ref, Set, Stack, Str, Variant,
    VariantKind,
};
use crate::names::VALUE;
use crate::value::{Tag, Value};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Write;

/// What conditions ask.
#[inline]
pub fn truthy(value: &Value) -> bool {
    match value.tag() {
        Tag::Bool | Tag::Int => value.payload() != 0,
        Tag::Null | Tag::Unset => false,
        Tag::Float => f64::from_bits(value.payload()) != 0.0,
        Tag::String => !value.as_object::<Str>().is_some_and(Str::is_empty),
        Tag::Array => !value.as_object::<Array>().is_some_and(Array::is_empty),
        Tag::Dict => !value.as_object::<Dict>().is_some_and(Dict::is_empty),
        _ => true,
    }
}

/// What `type(v)` gives.
pub fn type_name(value: &Value) -> &'static str {
    match value.tag() {
        Tag::Null | Tag::Unset => "null",
        Tag::Bool => "bool",
        Tag::Int => "int",
        Tag::Float => "float",
        Tag::String => "string",
        Tag::Array => "array",
        Tag::Dict => "dict",
        Tag::Struct => "struct",
        Tag::Builtin | Tag::Function | Tag::BoundMethod => "function",
        Tag::Variant => match value.as_object::<Variant>().map(Variant::kind) {
            Some(VariantKind::Ok | VariantKind::Err) => "result",
            Some(VariantKind::Some | VariantKind::None) => "option",
            _ => "tagged",
        },
        Tag::StructDef => "structdef",
        Tag::EnumDef => "enum",
        Tag::Generator => "generator",
        Tag::Iterator => "iterator",
        Tag::Promise => "promise",
        Tag::Channel => "channel",
        Tag::TaskHandle => "taskhandle",
        Tag::Bytes => "bytes",
        Tag::Set => "set",
        Tag::Queue => "queue",
        Tag::Stack => "stack",
        Tag::Cell => unreachable!("a cell is never a program's value"),
    }
}

/// The type's name in error messages (reference, 3.1).
pub fn message_type_name(value: &Value) -> &'static str {
    match value.tag() {
        Tag::Null | Tag::Unset => "null",
        Tag::Bool => "bool",
        Tag::Int => "int",
        Tag::Float => "float",
        Tag::String => "string",
        Tag::Array => "array",
        Tag::Dict => "dict",
        Tag::Struct => "struct",
        Tag::Function | Tag::BoundMethod => "function",
        Tag::Builtin => "native_function",
        _ => "value",
    }
}

/// The display form as a string of its own.
pub fn to_display_string(ctx: &VMContext, value: &Value) -> String {
    let mut out = String::new();
    display(ctx, value, &mut out);
    out
}

/// Joins the display forms of the values.
pub fn interpolate(ctx: &mut VMContext, values: &mut [Value]) -> R<Value> {
    // Text that starts with a string nobody else needs is appended to it.
    let (first, rest) = match values.split_first_mut() {
        Some((first, rest)) if first.tag() == Tag::String => (first.take(), rest),
        _ => (Value::string(""), values),
    };
    let Ok(mut text) = first.into_ref::<Str>() else {
        unreachable!("both are strings");
    };
    for value in rest {
        text = append_display(ctx, text, value);
    }
    Ok(Value::from(text))
}

/// A text followed by a value's display form; in place if nobody else sees it.
pub fn append_display(ctx: &VMContext, text: Ref<Str>, value: &Value) -> Ref<Str> {
    if let Some(more) = value.as_object::<Str>() {
        return append_text(text, more);
    }
    let mut text = if text.header().is_unique() {
        text
    } else {
        Str::with_capacity(text.as_str(), text.len() + 16, text.chars())
    };
    if let Some(number) = value.as_int() {
        let mut digits = [0; 20];
        let digits = int_text(number, &mut digits);
        Str::append(&mut text, digits, digits.len());
        return text;
    }
    let form = to_display_string(ctx, value);
    Str::append(&mut text, &form, count_chars(&form));
    text
}

/// Appends the display form (reference, section 7): what `print` shows.
pub fn display(ctx: &VMContext, value: &Value, out: &mut String) {
    match value.tag() {
        Tag::String => out.push_str(value.as_str().unwrap_or_default()),
        Tag::Int => write_int(value.payload() as i64, out),
        Tag::Float => write_float(f64::from_bits(value.payload()), out),
        Tag::Bool => out.push_str(if value.payload() != 0 {
            "true"
        } else {
            "false"
        }),
        Tag::Null | Tag::Unset => out.push_str("null"),
        _ => display_object(ctx, value, out),
    }
}

#[inline(never)]
fn display_object(ctx: &VMContext, value: &Value, out: &mut String) {
    if let Some(array) = value.as_object::<Array>() {
        out.push('[');
        display_elements(ctx, array, out);
        out.push(']');
    } else if let Some(dict) = value.as_object::<Dict>() {
        display_dict(ctx, dict, out);
    } else if let Some(record) = value.as_object::<Record>() {
        display_record(ctx, record, out);
    } else if let Some(variant) = value.as_object::<Variant>() {
        display_variant(ctx, variant, out);
    } else if let Some(builtin) = value.as_builtin() {
        out.push_str("<native function: ");
        out.push_str(builtin.name);
        out.push('>');
    } else if value.tag() == Tag::Iterator {
        out.push_str("<iterator>");
    } else {
        out.push_str("<unknown>");
    }
}

fn display_elements(ctx: &VMContext, array: &Array, out: &mut String) {
    if let Some(values) = array.as_values() {
        for (index, value) in values.iter().enumerate() {
            separate(index, out);
            display(ctx, value, out);
        }
        return;
    }
    for (index, value) in array.iter().enumerate() {
        separate(index, out);
        display(ctx, &value, out);
    }
}

fn display_dict(ctx: &VMContext, dict: &Dict, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in canonical_entries(dict).into_iter().enumerate() {
        separate(index, out);
        out.push('"');
        display(ctx, key, out);
        out.push_str("\": ");
        display(ctx, value, out);
    }
    out.push('}');
}

fn display_record(ctx: &VMContext, record: &Record, out: &mut String) {
    out.push_str(ctx.program.name(record.shape().name));
    out.push_str(" { ");
    let mut shown = 0;
    for (name, value) in sorted_fields(record) {
        if record.shape().is_error && name == VALUE {
            continue;
        }
        separate(shown, out);
        shown += 1;
        out.push_str(ctx.program.name(name));
        out.push_str(": ");
        display(ctx, value, out);
    }
    out.push_str(" }");
}

fn display_variant(ctx: &VMContext, variant: &Variant, out: &mut String) {
    if variant.kind() == VariantKind::Tagged {
        out.push_str(variant.enum_name());
        out.push_str("::");
    }
    out.push_str(variant.name());
    if variant.payload().is_empty() {
        return;
    }
    out.push('(');
    for (index, value) in variant.payload().iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        display(ctx, value, out);
    }
    out.push(')');
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push_str(", ");
    }
}

/// Appends an int in decimal.
pub fn write_int(number: i64, out: &mut String) {
    out.push_str(int_text(number, &mut [0; 20]));
}

/// An int in decimal, at the end of the buffer.
pub fn int_text(number: i64, digits: &mut [u8; 20]) -> &str {
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    core::str::from_utf8(&digits[start..]).unwrap_or_default()
}

/// Whether a dict's entries are in canonical order as they are; it may also
/// say no when they are.
pub fn is_canonical(dict: &Dict) -> bool {
    !dict.is_int_keyed()
        && dict.iter().map(|(key, _)| key.as_str()).is_sorted_by(
            |left, right| matches!((left, right), (Some(left), Some(right)) if left < right),
        )
        && dict
            .iter()
            .next()
            .is_none_or(|(key, _)| key.as_str().is_some())
}

/// A dict's entries in the order of display, `keys` and JSON (reference, 7).
pub fn canonical_entries(dict: &Dict) -> Vec<(&Value, &Value)> {
    let mut entries: Vec<(&Value, &Value)> = dict.iter().collect();
    // No two keys have the same text.
    match (cfg!(feature = "small"), dict.is_int_keyed()) {
        (true, true) => return merged(entries, |a, b| a.as_int() <= b.as_int()),
        (true, false) => return merged(entries, |a, b| compare_texts(a, b).is_le()),
        (false, true) => entries.sort_unstable_by_key(|(key, _)| key.as_int()),
        (false, false) => entries.sort_unstable_by(|(a, _), (b, _)| compare_texts(a, b)),
    }
    entries
}

/// Entries by ascending keys: merged from runs of one, two, four and so on.  Every
/// program that prints sorts dicts, and `core`'s sort is ten times as much code.
fn merged<'a>(
    mut entries: Vec<(&'a Value, &'a Value)>,
    in_order: fn(&Value, &Value) -> bool,
) -> Vec<(&'a Value, &'a Value)> {
    if entries.is_sorted_by(|(a, _), (b, _)| in_order(a, b)) {
        return entries;
    }
    let mut merged = Vec::with_capacity(entries.len());
    let mut run = 1;
    while run < entries.len() {
        merged.clear();
        for both in entries.chunks(2 * run) {
            let (mut left, mut right) = both.split_at(run.min(both.len()));
            while let ([first, ..], [second, ..]) = (left, right) {
                let from = match in_order(first.0, second.0) {
                    true => &mut left,
                    false => &mut right,
                };
                merged.extend(from.split_off_first().copied());
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        core::mem::swap(&mut entries, &mut merged);
        run *= 2;
    }
    entries
}

/// The order of keys' texts.
fn compare_texts(a: &Value, b: &Value) -> Ordering {
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return a.cmp(b);
    }
    let mut digits = [[0; 20]; 2];
    let [a_digits, b_digits] = &mut digits;
    text_of_key(a, a_digits).cmp(text_of_key(b, b_digits))
}

fn text_of_key<'a>(key: &'a Value, digits: &'a mut [u8; 20]) -> &'a str {
    match key.as_int() {
        Some(number) => int_text(number, digits),
        None => key.as_str().unwrap_or_default(),
    }
}

/// The text of a key as dicts hold it.
pub fn key_text(key: &Value) -> String {
    text_of_key(key, &mut [0; 20]).to_owned()
}

/// A key as dicts hold it, as the string that programs see.
pub fn key_string(key: &Value) -> Value {
    match key.as_int() {
        Some(_) => Value::string(&key_text(key)),
        None => key.clone(),
    }
}

/// A struct's present fields, sorted by name.
pub fn sorted_fields(record: &Record) -> impl Iterator<Item = (u32, &Value)> {
    let shape = record.shape();
    shape
        .sorted
        .iter()
        .map(|position| {
            (
                shape.fields[*position as usize],
                &record.fields()[*position as usize],
            )
        })
        .filter(|(_, value)| !value.is_unset())
}

/// The technical form (reference, 8.1 and builtins-core 1.4), as error
/// messages show values.
pub fn technical(ctx: &VMContext, value: &Value) -> String {
    let mut out = String::new();
    write_technical(ctx, value, &mut out);
    out
}

fn write_technical(ctx: &VMContext, value: &Value, out: &mut String) {
    if write_scalar(ctx, value, out) {
        return;
    }
    if let Some(text) = value.as_str() {
        out.push_str("Str(");
        write_quoted(text, out);
        out.push(')');
    } else if let Some(array) = value.as_object::<Array>() {
        let _ = write!(out, "Array[{}]", array.len());
    } else if let Some(dict) = value.as_object::<Dict>() {
        let _ = write!(out, "Dict{{{} keys}}", dict.len());
    } else if let Some(record) = value.as_object::<Record>() {
        let _ = write!(
            out,
            "Struct {{ name: \"{}\", fields: {{",
            ctx.program.name(record.shape().name)
        );
        for (index, (name, field)) in sorted_fields(record).enumerate() {
            separate(index, out);
            let _ = write!(out, "\"{}\": ", ctx.program.name(name));
            write_technical(ctx, field, out);
        }
        out.push_str("} }");
    } else if let Some(payload) = wrapped(value) {
        out.push_str(payload.0);
        out.push('(');
        write_technical(ctx, payload.1, out);
        out.push(')');
    } else if value.tag() == Tag::Channel {
        out.push_str("Channel");
    } else if let Some(bytes) = value.as_object::<Bytes>() {
        let _ = write!(out, "Bytes({} bytes)", bytes.len());
    } else if let Some(set) = value.as_object::<Set>() {
        let _ = write!(out, "Set{{{} items}}", set.len());
    } else if let Some(queue) = value.as_object::<Queue>() {
        let _ = write!(out, "Queue({} items)", queue.len());
    } else if let Some(stack) = value.as_object::<Stack>() {
        let _ = write!(out, "Stack({} items)", stack.len());
    } else {
        display(ctx, value, out);
    }
}

/// The debug form (reference, builtins-core 1.6): containers fully expanded.
pub fn debug_form(ctx: &VMContext, value: &Value) -> String {
    let mut out = String::new();
    write_debug(ctx, value, &mut out);
    out
}

fn write_debug(ctx: &VMContext, value: &Value, out: &mut String) {
    if write_scalar(ctx, value, out) {
        return;
    }
    if let Some(text) = value.as_str() {
        let _ = write!(out, "String(\"{text}\")");
    } else if let Some(array) = value.as_object::<Array>() {
        out.push_str("Array[");
        for (index, element) in array.iter().enumerate() {
            separate(index, out);
            write_debug(ctx, &element, out);
        }
        out.push(']');
    } else if let Some(dict) = value.as_object::<Dict>() {
        out.push_str("Dict{");
        for (index, (key, element)) in canonical_entries(dict).into_iter().enumerate() {
            separate(index, out);
            display(ctx, key, out);
            out.push_str(": ");
            write_debug(ctx, element, out);
        }
        out.push('}');
    } else if let Some(record) = value.as_object::<Record>() {
        let _ = write!(out, "Struct({})", ctx.program.name(record.shape().name));
    } else if let Some(payload) = wrapped(value) {
        out.push_str(payload.0);
        out.push('(');
        write_debug(ctx, payload.1, out);
        out.push(')');
    } else if let Some(set) = value.as_object::<Set>() {
        write_debug_items(ctx, "Set{", set.iter(), '}', out);
    } else if let Some(queue) = value.as_object::<Queue>() {
        write_debug_items(ctx, "Queue[", queue.iter(), ']', out);
    } else if let Some(stack) = value.as_object::<Stack>() {
        write_debug_items(ctx, "Stack[", stack.iter(), ']', out);
    } else {
        write_technical(ctx, value, out);
    }
}

fn write_debug_items<'a>(
    ctx: &VMContext,
    start: &str,
    items: impl Iterator<Item = &'a Value>,
    end: char,
    out: &mut String,
) {
    out.push_str(start);
    for (index, item) in items.enumerate() {
        separate(index, out);
        write_debug(ctx, item, out);
    }
    out.push(end);
}

/// The payload of `Ok`, `Err` or `Some`, with the name.
fn wrapped(value: &Value) -> Option<(&'static str, &Value)> {
    let variant = value.as_object::<Variant>()?;
    match variant.kind() {
        VariantKind::Ok | VariantKind::Err | VariantKind::Some => {
            Some((variant.kind().name(), variant.payload().first()?))
        }
        VariantKind::None | VariantKind::Tagged => None,
    }
}

/// What the technical and the debug form have in common.
fn write_scalar(ctx: &VMContext, value: &Value, out: &mut String) -> bool {
    let name = match value.tag() {
        Tag::Null | Tag::Unset => {
            out.push_str("Null");
            return true;
        }
        Tag::Int => "Int",
        Tag::Float => "Float",
        Tag::Bool => "Bool",
        Tag::Builtin => "NativeFunction",
        Tag::Function | Tag::BoundMethod => "Function",
        _ => return false,
    };
    out.push_str(name);
    out.push('(');
    match value.tag() {
        Tag::Builtin => out.push_str(value.as_builtin().map_or("", |builtin| builtin.name)),
        Tag::Function | Tag::BoundMethod => out.push_str(function_name(value)),
        _ => display(ctx, value, out),
    }
    out.push(')');
    true
}

fn function_name(value: &Value) -> &str {
    if let Some(bound) = value.as_object::<BoundMethod>() {
        return function_name(&bound.method);
    }
    value
        .as_object::<Function>()
        .map_or("", |function| &function.info().name)
}

/// Appends text in double quotes, escaped.
pub fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", control as u32);
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}
