//! Values to TOML text.

use crate::heap::{Array, Dict};
use crate::semantics::convert::{canonical_entries, key_text, write_float, write_int};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The first part of a value, in the order of writing, that TOML can't hold.
pub fn unwritable(value: &Value) -> Option<Value> {
    match value.tag() {
        Tag::Null | Tag::Bool | Tag::Int | Tag::Float | Tag::String => None,
        Tag::Array => {
            let array = value.as_object::<Array>().expect("the tag says so");
            array.iter().find_map(|element| unwritable(&element))
        }
        Tag::Dict => {
            let dict = value.as_object::<Dict>().expect("the tag says so");
            canonical_entries(dict)
                .into_iter()
                .find_map(|(_, value)| unwritable(value))
        }
        _ => Some(value.clone()),
    }
}

/// The text of a whole document.
pub fn write(root: &Dict) -> String {
    let mut out = String::new();
    write_table(root, &mut Vec::new(), &mut out);
    out
}

/// Whether a value gets a section of its own.
fn is_section(value: &Value) -> bool {
    value.tag() == Tag::Dict || table_array(value).is_some()
}

/// The array, if it is not empty and holds nothing but dicts.
fn table_array(value: &Value) -> Option<&Array> {
    let array = value.as_object::<Array>()?;
    let all_dicts = array.iter().all(|element| element.tag() == Tag::Dict);
    (all_dicts && !array.is_empty()).then_some(array)
}

/// Writes a table's plain values, then its sections.
fn write_table(table: &Dict, path: &mut Vec<String>, out: &mut String) {
    let entries = canonical_entries(table);
    for (key, value) in entries.iter().filter(|(_, value)| !is_section(value)) {
        write_key(&key_text(key), out);
        out.push_str(" = ");
        write_inline(value, out);
        out.push('\n');
    }
    for (key, value) in entries.iter().filter(|(_, value)| is_section(value)) {
        path.push(key_text(key));
        if let Some(dict) = value.as_object::<Dict>() {
            if needs_header(dict) {
                write_header("[", path, "]", out);
            }
            write_table(dict, path, out);
        } else if let Some(array) = table_array(value) {
            for element in array.iter() {
                write_header("[[", path, "]]", out);
                write_table(element.as_object().expect("checked above"), path, out);
            }
        }
        path.pop();
    }
}

/// A table whose sections name it need not be named itself.
fn needs_header(table: &Dict) -> bool {
    table.is_empty() || table.iter().any(|(_, value)| !is_section(value))
}

fn write_header(open: &str, path: &[String], close: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(open);
    for (index, key) in path.iter().enumerate() {
        if index > 0 {
            out.push('.');
        }
        write_key(key, out);
    }
    out.push_str(close);
    out.push('\n');
}

fn write_inline(value: &Value, out: &mut String) {
    match value.tag() {
        Tag::Bool => out.push_str(if value.payload() != 0 {
            "true"
        } else {
            "false"
        }),
        Tag::Int => write_int(value.payload() as i64, out),
        Tag::Float => write_decimal(f64::from_bits(value.payload()), out),
        Tag::String => write_text(value.as_str().unwrap_or_default(), out),
        Tag::Array => {
            out.push('[');
            let array = value.as_object::<Array>().expect("the tag says so");
            for (index, element) in array.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_inline(&element, out);
            }
            out.push(']');
        }
        Tag::Dict => write_inline_table(value.as_object().expect("the tag says so"), out),
        // Null is the empty string; all else was refused before.
        _ => out.push_str("\"\""),
    }
}

fn write_inline_table(table: &Dict, out: &mut String) {
    if table.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push_str("{ ");
    for (index, (key, value)) in canonical_entries(table).into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_key(&key_text(key), out);
        out.push_str(" = ");
        write_inline(value, out);
    }
    out.push_str(" }");
}

fn write_decimal(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str("nan");
        return;
    }
    let start = out.len();
    write_float(number, out);
    if number.is_finite() && !out[start..].contains('.') {
        out.push_str(".0");
    }
}

fn write_key(key: &str, out: &mut String) {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) {
        out.push_str(key);
        return;
    }
    match Traits::of(key) {
        traits if !traits.needs_escape && traits.quotes == 0 => write_basic(key, "\"", out),
        Traits {
            apostrophes: 0,
            has_newline: false,
            has_control: false,
            ..
        } => {
            write_raw(key, "'", false, out);
        }
        _ => write_basic(key, "\"", out),
    }
}

/// What decides how a string is quoted.
struct Traits {
    /// The longest run of `"`.
    quotes: usize,
    /// The longest run of `'`.
    apostrophes: usize,
    has_backslash: bool,
    has_newline: bool,
    /// A control character, tabs and newlines aside.
    has_control: bool,
    /// Any of the three above.
    needs_escape: bool,
}

impl Traits {
    fn of(text: &str) -> Traits {
        let has_backslash = text.contains('\\');
        let has_newline = text.contains('\n');
        let is_control = |byte: u8| (byte < 0x20 && byte != b'\t' && byte != b'\n') || byte == 0x7f;
        let has_control = text.bytes().any(is_control);
        Traits {
            quotes: longest_run(text, b'"'),
            apostrophes: longest_run(text, b'\''),
            has_backslash,
            has_newline,
            has_control,
            needs_escape: has_backslash || has_newline || has_control,
        }
    }
}

fn longest_run(text: &str, wanted: u8) -> usize {
    let runs = text.as_bytes().chunk_by(|left, right| left == right);
    runs.filter(|run| run[0] == wanted)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

fn write_text(text: &str, out: &mut String) {
    let traits = Traits::of(text);
    if traits.quotes == 0 && !traits.needs_escape {
        write_basic(text, "\"", out);
    } else if traits.apostrophes == 0 && !traits.has_newline && !traits.has_control {
        write_raw(text, "'", false, out);
    } else if !traits.has_backslash && !traits.has_control && traits.quotes <= 2 {
        write_basic(text, "\"\"\"", out);
    } else if !traits.has_control && traits.apostrophes <= 2 {
        write_raw(text, "'''", traits.has_newline, out);
    } else if traits.has_newline {
        write_basic(text, "\"\"\"", out);
    } else {
        write_basic(text, "\"", out);
    }
}

fn write_raw(text: &str, delimiter: &str, starts_on_new_line: bool, out: &mut String) {
    out.push_str(delimiter);
    if starts_on_new_line {
        out.push('\n');
    }
    out.push_str(text);
    out.push_str(delimiter);
}

/// A string with escapes; three quotes as delimiter make it a multi-line one.
fn write_basic(text: &str, delimiter: &str, out: &mut String) {
    let is_long = delimiter.len() > 1;
    out.push_str(delimiter);
    if is_long && text.contains('\n') {
        out.push('\n');
    }
    let mut quotes = 0;
    for character in text.chars() {
        quotes = if character == '"' { quotes + 1 } else { 0 };
        match character {
            '"' if is_long && quotes <= 2 => out.push('"'),
            '"' => {
                out.push_str("\\\"");
                quotes = 0;
            }
            '\\' => out.push_str("\\\\"),
            '\n' if is_long => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if (control as u32) < 0x20 || control == '\u{7f}' => {
                out.push_str(&format!("\\u{:04X}", control as u32));
            }
            plain => out.push(plain),
        }
    }
    out.push_str(delimiter);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        write_text(text, &mut out);
        out
    }

    #[test]
    fn strings_take_the_first_quotes_that_fit() {
        assert_eq!(quoted("plain\ttext"), "\"plain\\ttext\"");
        assert_eq!(quoted("say \"hi\""), "'say \"hi\"'");
        assert_eq!(quoted("x'y\"z"), "\"\"\"x'y\"z\"\"\"");
        assert_eq!(quoted("a\nb"), "\"\"\"\na\nb\"\"\"");
        assert_eq!(quoted("a\\\nb"), "'''\na\\\nb'''");
        assert_eq!(quoted("'\u{1}"), "\"'\\u0001\"");
    }
}
