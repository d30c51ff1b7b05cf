//! Built-ins that measure strings and cut them up.
//!
//! All positions count Unicode scalars.

use super::arguments::{check_count, fail, size_from, text_at, whole_number};
use super::arrays::{Collector, array_at};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::string::count_chars;
use crate::heap::{Ref, Str};
use crate::semantics::convert::{append_display, technical};
use crate::value::{Tag, Value};
use alloc::format;

pub mod casing;
pub mod making;
pub mod regex;

/// A part of `source` as a string of its own.
fn part_of(source: &Str, text: &str) -> Value {
    if text.len() == source.len() {
        return Value::from(Ref::from_borrowed(source));
    }
    let chars = if source.is_ascii() {
        text.len()
    } else {
        count_chars(text)
    };
    Value::from(Str::with_capacity(text, 0, chars))
}

/// The characters from `start` to before `end`, which lie in the string.
fn characters(ctx: &VMContext, source: &Str, start: usize, end: usize) -> Value {
    if source.is_ascii() {
        let text = &source.as_str()[start..end];
        if let [byte] = text.as_bytes() {
            return Value::from(ctx.program.ascii[*byte as usize].clone());
        }
        return part_of(source, text);
    }
    let offset = |position: usize| {
        if position == source.chars() {
            source.len()
        } else {
            source.offset_of_char(position)
        }
    };
    let (start_offset, end_offset) = (offset(start), offset(end));
    let text = &source.as_str()[start_offset..end_offset];
    Value::from(Str::with_capacity(text, 0, end - start))
}

/// `substring(value, start, end)`, `substr(value, start, end)`
pub fn substring(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "substring", 3)?;
    let Some(text) = text_at(args, 0) else {
        return fail(ctx, "substring() requires a string argument for value");
    };
    let (Some(start), Some(end)) = (whole_number(&args[1]), whole_number(&args[2])) else {
        return fail(ctx, "substring() start and end must be a number");
    };
    let end = size_from(end).min(text.chars());
    let start = size_from(start).min(end);
    Ok(characters(ctx, text, start, end))
}

/// `char_at(value, index)`
pub fn char_at(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let Some(text) = text_at(args, 0) else {
        return fail(ctx, "char_at() requires a string argument for value");
    };
    let Some(index) = args.get(1).and_then(whole_number) else {
        return fail(ctx, "char_at() index must be a number");
    };
    let start = size_from(index).min(text.chars());
    let end = (start + 1).min(text.chars());
    Ok(characters(ctx, text, start, end))
}

/// `is_empty(value)`
pub fn is_empty(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match text_at(args, 0) {
        Some(text) => Ok(Value::bool(text.is_empty())),
        None => fail(ctx, "is_empty() requires a string argument"),
    }
}

/// `count_chars(value)`
pub fn chars(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    match text_at(args, 0) {
        Some(text) => Ok(Value::int(text.chars() as i64)),
        None => fail(ctx, "count_chars() requires a string argument"),
    }
}

/// The string that `name(value)` was called with, when it must be the only
/// argument.
fn only_text<'a>(ctx: &mut VMContext, args: &'a [Value], name: &str) -> Result<&'a Str, Raised> {
    check_count(ctx, args, name, 1)?;
    first_text(ctx, args, name)
}

/// The string that `name(value)` was called with; further arguments are ignored.
fn first_text<'a>(ctx: &mut VMContext, args: &'a [Value], name: &str) -> Result<&'a Str, Raised> {
    match text_at(args, 0) {
        Some(text) => Ok(text),
        None => fail(ctx, &format!("{name}() requires a string argument")),
    }
}

/// `trim(value)`
pub fn trim(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = only_text(ctx, args, "trim")?;
    Ok(part_of(text, text.as_str().trim()))
}

/// `trim_start(value)`
pub fn trim_start(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = only_text(ctx, args, "trim_start")?;
    Ok(part_of(text, text.as_str().trim_start()))
}

/// `trim_end(value)`
pub fn trim_end(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = only_text(ctx, args, "trim_end")?;
    Ok(part_of(text, text.as_str().trim_end()))
}

/// `starts_with(value, prefix)`
pub fn starts_with(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "starts_with", 2)?;
    match (text_at(args, 0), text_at(args, 1)) {
        (Some(text), Some(prefix)) => {
            Ok(Value::bool(text.as_bytes().starts_with(prefix.as_bytes())))
        }
        _ => fail(
            ctx,
            "starts_with() requires string and prefix string arguments",
        ),
    }
}

/// `ends_with(value, suffix)`
pub fn ends_with(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "ends_with", 2)?;
    match (text_at(args, 0), text_at(args, 1)) {
        (Some(text), Some(suffix)) => Ok(Value::bool(text.as_bytes().ends_with(suffix.as_bytes()))),
        _ => fail(
            ctx,
            "ends_with() requires string and suffix string arguments",
        ),
    }
}

/// `split(value, delimiter)`
pub fn split(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "split", 2)?;
    let (Some(text), Some(delimiter)) = (text_at(args, 0), text_at(args, 1)) else {
        return fail(
            ctx,
            "split() requires string and delimiter string arguments",
        );
    };
    let mut pieces = Collector::new(0);
    if let [byte] = delimiter.as_bytes() {
        let mut start = 0;
        for end in memchr::memchr_iter(*byte, text.as_bytes()) {
            pieces.push(part_of(text, &text.as_str()[start..end]));
            start = end + 1;
        }
        pieces.push(part_of(text, &text.as_str()[start..]));
    } else if delimiter.is_empty() {
        for piece in text.as_str().split("") {
            pieces.push(part_of(text, piece));
        }
    } else {
        let mut start = 0;
        for end in memchr::memmem::find_iter(text.as_bytes(), delimiter.as_bytes()) {
            pieces.push(part_of(text, &text.as_str()[start..end]));
            start = end + delimiter.len();
        }
        pieces.push(part_of(text, &text.as_str()[start..]));
    }
    Ok(pieces.finish())
}

/// `lines(value)`
pub fn lines(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "lines")?;
    let mut lines = Collector::new(0);
    for line in text.as_str().lines() {
        lines.push(part_of(text, line));
    }
    Ok(lines.finish())
}

/// `words(value)`
pub fn words(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "words")?;
    let mut words = Collector::new(0);
    for word in text.as_str().split_whitespace() {
        words.push(part_of(text, word));
    }
    Ok(words.finish())
}

/// `join(values, separator)`
pub fn join(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "join", 2)?;
    let (Some(array), Some(separator)) = (array_at(args, 0), text_at(args, 1)) else {
        return fail(ctx, "join() requires array and separator string arguments");
    };
    let mut joined = Str::with_capacity("", separator.len() * array.len(), 0);
    for (index, value) in array.iter().enumerate() {
        if index > 0 {
            Str::append(&mut joined, separator.as_str(), separator.chars());
        }
        joined = match value.tag() {
            Tag::String | Tag::Int | Tag::Float | Tag::Bool => append_display(ctx, joined, &value),
            _ => {
                let form = technical(ctx, &value);
                Str::append(&mut joined, &form, count_chars(&form));
                joined
            }
        };
    }
    Ok(Value::from(joined))
}
