//! Built-ins that make longer strings of shorter ones, and the like.

use super::super::arguments::{check_count, fail, size_from, text_at, whole_number};
use super::super::dicts::dict_of;
use super::{characters, first_text};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::string::TextBuilder;
use crate::heap::{Array, Str, allocator};
use crate::value::Value;
use alloc::format;
use alloc::string::String;

/// `replace(value, from, to)`
pub fn replace(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "replace", 3)?;
    replace_str(ctx, args)
}

/// `replace_str(value, from, to)`
pub fn replace_str(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(from), Some(to)) = (text_at(args, 0), text_at(args, 1), text_at(args, 2))
    else {
        return fail(
            ctx,
            "replace() requires string, from-string, and to-string arguments",
        );
    };
    if from.is_empty() {
        return Ok(Value::string(&text.as_str().replace("", to.as_str())));
    }
    let mut places = memchr::memmem::find_iter(text.as_bytes(), from.as_bytes());
    let Some(first) = places.next() else {
        return Ok(args[0].clone());
    };
    let mut replaced = TextBuilder::new(text.len());
    let mut start = 0;
    for place in core::iter::once(first).chain(places) {
        replaced.push_str(&text.as_str()[start..place]);
        replaced.push_str(to.as_str());
        start = place + from.len();
    }
    replaced.push_str(&text.as_str()[start..]);
    Ok(Value::from(replaced.finish()))
}

/// `repeat(value, count)`
pub fn repeat(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_count(ctx, args, "repeat", 2)?;
    let Some(text) = text_at(args, 0) else {
        return fail(ctx, "repeat() requires a string argument for value");
    };
    let Some(count) = whole_number(&args[1]) else {
        return fail(ctx, "repeat() count must be a number");
    };
    let count = size_from(count);
    let mut repeated = Str::with_capacity("", total_size(text.len(), count, 0), 0);
    if text.is_empty() {
        return Ok(Value::from(repeated));
    }
    for _ in 0..count {
        Str::append(&mut repeated, text.as_str(), text.chars());
    }
    Ok(Value::from(repeated))
}

/// Bytes of `count` pieces and something more; ends the process if that is
/// beyond any memory.
fn total_size(piece: usize, count: usize, more: usize) -> usize {
    let total = piece
        .checked_mul(count)
        .and_then(|size| size.checked_add(more));
    match total {
        Some(size) if size <= isize::MAX as usize / 2 => size,
        _ => allocator::out_of_memory(usize::MAX),
    }
}

/// `pad_left(value, width, pad)`, `pad_start(value, width, pad)`
pub fn pad_left(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    pad(ctx, args, "pad_left", Side::Left)
}

/// `pad_right(value, width, pad)`, `pad_end(value, width, pad)`
pub fn pad_right(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    pad(ctx, args, "pad_right", Side::Right)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn pad(ctx: &mut VMContext, args: &mut [Value], name: &str, side: Side) -> Result<Value, Raised> {
    check_count(ctx, args, name, 3)?;
    let (Some(text), Some(pad)) = (text_at(args, 0), text_at(args, 2)) else {
        return fail(
            ctx,
            &format!("{name}() requires 3 arguments: string, width, char"),
        );
    };
    let Some(width) = whole_number(&args[1]) else {
        return fail(ctx, &format!("{name}() width must be a number"));
    };
    let missing = size_from(width).saturating_sub(text.chars());
    if missing == 0 {
        return Ok(args[0].clone());
    }
    let pad = pad.as_str().chars().next().unwrap_or(' ');
    let mut buffer = [0; 4];
    let pad: &str = pad.encode_utf8(&mut buffer);
    let mut padded = Str::with_capacity("", total_size(pad.len(), missing, text.len()), 0);
    if side == Side::Right {
        Str::append(&mut padded, text.as_str(), text.chars());
    }
    for _ in 0..missing {
        Str::append(&mut padded, pad, 1);
    }
    if side == Side::Left {
        Str::append(&mut padded, text.as_str(), text.chars());
    }
    Ok(Value::from(padded))
}

/// `str_reverse(value)`
pub fn str_reverse(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = first_text(ctx, args, "str_reverse")?;
    let reversed: String = text.as_str().chars().rev().collect();
    Ok(Value::from(Str::with_capacity(&reversed, 0, text.chars())))
}

/// `truncate(value, max, suffix)`
pub fn truncate(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(max), Some(suffix)) = (text_at(args, 0), args.get(1), text_at(args, 2))
    else {
        return fail(
            ctx,
            "truncate() requires 3 arguments: string, length, suffix",
        );
    };
    let Some(max) = whole_number(max) else {
        return fail(ctx, "truncate() length must be a number");
    };
    if max < 0 || text.chars() <= size_from(max) {
        return Ok(args[0].clone());
    }
    let kept = size_from(max).saturating_sub(suffix.chars());
    let start = characters(ctx, text, 0, kept);
    let mut out = String::from(start.as_str().unwrap_or_default());
    out.push_str(suffix.as_str());
    Ok(Value::string(&out))
}

/// `ssg_render_pages(pages)`
pub fn ssg_render_pages(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [pages] = args else {
        return fail(
            ctx,
            &format!(
                "ssg_render_pages() expects 1 argument (array of source pages), got {}",
                args.len()
            ),
        );
    };
    let Some(pages) = pages.as_object::<Array>() else {
        return fail(
            ctx,
            "ssg_render_pages() requires an array of source page strings",
        );
    };
    let mut rendered = Array::new();
    let mut checksum = 0;
    for (index, page) in pages.iter().enumerate() {
        let Some(body) = page.as_str() else {
            let message =
                format!("ssg_render_pages() source page at index {index} must be a string");
            return fail(ctx, &message);
        };
        let html =
            format!("<html><body><h1>Post {index}</h1><article>{body}</article></body></html>");
        checksum += html.len() as i64;
        rendered
            .get_mut()
            .expect("just made")
            .push(Value::string(&html));
    }
    Ok(dict_of([
        ("checksum", Value::int(checksum)),
        ("pages", Value::from(rendered)),
    ]))
}

/// `ssg_build_output_paths(dir, count, ext)`
pub fn ssg_build_output_paths(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    const NAME: &str = "ssg_build_output_paths()";
    if args.len() != 2 && args.len() != 3 {
        let message = format!(
            "{NAME} expects 2 or 3 arguments (output_dir, file_count, optional extension), got {}",
            args.len()
        );
        return fail(ctx, &message);
    }
    let Some(directory) = args[0].as_str() else {
        return fail(ctx, &format!("{NAME} output_dir must be a string"));
    };
    let Some(count) = args[1].as_int() else {
        return fail(ctx, &format!("{NAME} file_count must be an integer"));
    };
    if count < 0 {
        return fail(ctx, &format!("{NAME} file_count must be >= 0, got {count}"));
    }
    let extension = match args.get(2).map(Value::as_str) {
        None => ".html",
        Some(Some(extension)) => extension,
        Some(None) => {
            return fail(ctx, &format!("{NAME} optional extension must be a string"));
        }
    };
    let mut paths = Array::new();
    for index in 0..count {
        let path = Value::string(&format!("{directory}/post_{index}{extension}"));
        paths.get_mut().expect("just made").push(path);
    }
    Ok(Value::from(paths))
}
