//! Values to YAML text, in block style.

use super::scalar::{Plain, resolve};
use crate::heap::{Array, Dict};
use crate::semantics::convert::{key_text, write_int};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

/// The text of a document, or the first part of the value that YAML can't hold.
pub fn write(value: &Value) -> Result<String, Value> {
    let mut out = String::new();
    write_node(value, 0, &mut out)?;
    if !out.ends_with('\n') {
        out.push('\n');
    }
    Ok(out)
}

/// Whether a value is written on lines of its own.
fn is_block(value: &Value) -> bool {
    value
        .as_object::<Array>()
        .is_some_and(|array| !array.is_empty())
        || value
            .as_object::<Dict>()
            .is_some_and(|dict| !dict.is_empty())
}

/// Writes a value whose lines, but for the first, are indented.
fn write_node(value: &Value, indent: usize, out: &mut String) -> Result<(), Value> {
    match value.tag() {
        Tag::Null => out.push_str("null"),
        Tag::Bool => out.push_str(if value.payload() != 0 {
            "true"
        } else {
            "false"
        }),
        Tag::Int => write_int(value.payload() as i64, out),
        Tag::Float => write_float(f64::from_bits(value.payload()), out),
        Tag::String => write_text(value.as_str().unwrap_or_default(), indent, out),
        Tag::Array => {
            return write_sequence(value.as_object().expect("the tag says so"), indent, out);
        }
        Tag::Dict => {
            return write_mapping(value.as_object().expect("the tag says so"), indent, out);
        }
        _ => return Err(value.clone()),
    }
    Ok(())
}

/// Starts the line of a further element.
fn next_line(index: usize, indent: usize, out: &mut String) {
    if index == 0 {
        return;
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    push_spaces(indent, out);
}

fn push_spaces(count: usize, out: &mut String) {
    out.extend(core::iter::repeat_n(' ', count));
}

fn write_sequence(array: &Array, indent: usize, out: &mut String) -> Result<(), Value> {
    if array.is_empty() {
        out.push_str("[]");
    }
    for (index, element) in array.iter().enumerate() {
        next_line(index, indent, out);
        out.push_str("- ");
        // A collection starts on this line; a block of text is indented from here.
        let below = if is_block(&element) {
            indent + 2
        } else {
            indent
        };
        write_node(&element, below, out)?;
    }
    Ok(())
}

fn write_mapping(dict: &Dict, indent: usize, out: &mut String) -> Result<(), Value> {
    if dict.is_empty() {
        out.push_str("{}");
    }
    for (index, (key, value)) in dict.iter().enumerate() {
        next_line(index, indent, out);
        write_key(&key_text(key), out);
        out.push(':');
        if !is_block(value) {
            out.push(' ');
            write_node(value, indent, out)?;
            continue;
        }
        // Sequences are not indented below their key.
        let below = if value.tag() == Tag::Array {
            indent
        } else {
            indent + 2
        };
        out.push('\n');
        push_spaces(below, out);
        write_node(value, below, out)?;
    }
    Ok(())
}

fn write_float(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str(".nan");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { ".inf" } else { "-.inf" });
    } else {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(number);
        match text.split_once('+') {
            Some((digits, exponent)) => {
                out.push_str(digits);
                out.push_str(exponent);
            }
            None => out.push_str(text),
        }
    }
}

fn write_key(key: &str, out: &mut String) {
    if needs_escapes(key) || key.contains('\n') {
        write_escaped(key, out);
    } else {
        write_line(key, out);
    }
}

fn write_text(text: &str, indent: usize, out: &mut String) {
    if needs_escapes(text) {
        write_escaped(text, out);
    } else if text.contains('\n') {
        write_literal(text, indent + 2, out);
    } else {
        write_line(text, out);
    }
}

/// Whether a string has something that only escapes can say.
fn needs_escapes(text: &str) -> bool {
    text.contains(" \n")
        || (text.contains('\n') && text.ends_with(' '))
        || text
            .chars()
            .any(|character| character != '\n' && !is_printable(character))
}

fn is_printable(character: char) -> bool {
    matches!(character,
        ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// A string of one line: plain, or in single quotes.
fn write_line(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

/// Whether a string means itself without quotes.
fn is_plain(text: &str) -> bool {
    const INDICATORS: &str = ",[]{}#&*!|>'\"%@`";
    let has_idle_zero = {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut characters = text.chars();
    let (first, second) = (characters.next().unwrap_or(' '), characters.next());
    if has_idle_zero || !matches!(resolve(text), Plain::Text) {
        return false;
    }
    let starts_indicated = INDICATORS.contains(first)
        || (matches!(first, '-' | '?' | ':') && matches!(second, None | Some(' ')))
        || text.starts_with("---")
        || text.starts_with("...")
        || text.starts_with(' ');
    let ends_indicated = text.ends_with(' ') || text.ends_with(':');
    !starts_indicated && !ends_indicated && !text.contains(": ") && !text.contains(" #")
}

/// A block of lines.
fn write_literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    let body = match text.strip_suffix('\n') {
        None => {
            out.push('-');
            text
        }
        Some(body) if body.ends_with('\n') || body.is_empty() => {
            out.push('+');
            body
        }
        Some(body) => body,
    };
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            push_spaces(indent, out);
            out.push_str(line);
        }
    }
    out.push('\n');
}

fn write_escaped(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            plain if is_printable(plain) => out.push(plain),
            other if (other as u32) < 0x100 => out.push_str(&format!("\\x{:02X}", other as u32)),
            other => out.push_str(&format!("\\u{:04X}", other as u32)),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        write_text(text, 0, &mut out);
        out
    }

    #[test]
    fn strings_are_quoted_when_they_must_be() {
        for text in [
            "yes",
            "nan",
            "2024-01-01",
            "a#b",
            "http://x",
            "it's",
            "-x",
            "007a",
        ] {
            assert_eq!(written(text), text);
        }
        for text in [
            "true", "1", "007", "~", "", "a: b", "- x", "#c", " lead", "trail ", "x:", "-",
        ] {
            assert_eq!(written(text), format!("'{text}'"));
        }
        assert_eq!(written("'x"), "'''x'");
        assert_eq!(written("a\tb"), "\"a\\tb\"");
        assert_eq!(written("a \nb"), "\"a \\nb\"");
    }

    #[test]
    fn lines_become_blocks() {
        assert_eq!(written("a\nb"), "|-\n  a\n  b\n");
        assert_eq!(written("a\nb\n"), "|\n  a\n  b\n");
        assert_eq!(written("a\n\n"), "|+\n  a\n\n");
        assert_eq!(written("\na"), "|2-\n\n  a\n");
    }
}
