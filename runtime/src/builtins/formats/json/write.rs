//! Values to JSON text.

use super::MAX_DEPTH;
use super::text::find_special;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::string::TextBuilder;
use crate::heap::{Array, Dict};
use crate::semantics::convert::{
    canonical_entries, int_text, is_canonical, key_text, technical, write_float as write_plain,
};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No white space at all.
    Compact,
    /// Two spaces per level, one element per line.
    Pretty,
}

/// The JSON text of a value.
pub fn write(ctx: &mut VMContext, value: &Value, style: Style) -> Result<Value, Raised> {
    let mut writer = Writer {
        ctx,
        style,
        out: TextBuilder::new(64),
    };
    writer.value(value, 0)?;
    Ok(Value::from(writer.out.finish()))
}

struct Writer<'a> {
    ctx: &'a mut VMContext,
    style: Style,
    out: TextBuilder,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) -> Result<(), Raised> {
        if level > MAX_DEPTH {
            let message = format!("JSON value exceeds maximum nesting depth of {MAX_DEPTH}");
            return Err(self.ctx.raise(&message));
        }
        match value.tag() {
            Tag::Null => self.out.push_str("null"),
            Tag::Bool => self.out.push_str(if value.payload() != 0 {
                "true"
            } else {
                "false"
            }),
            Tag::Int => self
                .out
                .push_str(int_text(value.payload() as i64, &mut [0; 20])),
            Tag::Float => return self.float(f64::from_bits(value.payload())),
            Tag::String => write_text(value.as_str().unwrap_or_default(), &mut self.out),
            Tag::Array => {
                return self.array(value.as_object().expect("the tag says so"), level);
            }
            Tag::Dict => return self.dict(value.as_object().expect("the tag says so"), level),
            _ => {
                let form = technical(self.ctx, value);
                return Err(self.ctx.raise(&format!("Cannot convert {form} to JSON")));
            }
        }
        Ok(())
    }

    fn float(&mut self, number: f64) -> Result<(), Raised> {
        if number.is_finite() {
            self.out.push_str(zmij::Buffer::new().format_finite(number));
            return Ok(());
        }
        let mut form = String::new();
        write_plain(number, &mut form);
        Err(self
            .ctx
            .raise(&format!("Cannot convert non-finite float {form} to JSON")))
    }

    fn array(&mut self, array: &Array, level: usize) -> Result<(), Raised> {
        self.out.push_ascii(b'[');
        if let Some(values) = array.as_values() {
            for (index, element) in values.iter().enumerate() {
                self.separate(index, level + 1);
                self.value(element, level + 1)?;
            }
        } else {
            for (index, element) in array.iter().enumerate() {
                self.separate(index, level + 1);
                self.value(&element, level + 1)?;
            }
        }
        self.close(array.is_empty(), b']', level);
        Ok(())
    }

    fn dict(&mut self, dict: &Dict, level: usize) -> Result<(), Raised> {
        self.out.push_ascii(b'{');
        if is_canonical(dict) {
            for (index, entry) in dict.iter().enumerate() {
                self.entry(index, entry, level + 1)?;
            }
        } else {
            for (index, entry) in canonical_entries(dict).into_iter().enumerate() {
                self.entry(index, entry, level + 1)?;
            }
        }
        self.close(dict.is_empty(), b'}', level);
        Ok(())
    }

    fn entry(
        &mut self,
        index: usize,
        (key, value): (&Value, &Value),
        level: usize,
    ) -> Result<(), Raised> {
        self.separate(index, level);
        match key.as_str() {
            Some(text) => write_text(text, &mut self.out),
            None => write_text(&key_text(key), &mut self.out),
        }
        self.out.push_ascii(b':');
        if self.style == Style::Pretty {
            self.out.push_ascii(b' ');
        }
        self.value(value, level)
    }

    #[inline]
    fn separate(&mut self, index: usize, level: usize) {
        if index > 0 {
            self.out.push_ascii(b',');
        }
        self.new_line(level);
    }

    fn close(&mut self, is_empty: bool, bracket: u8, level: usize) {
        if !is_empty {
            self.new_line(level);
        }
        self.out.push_ascii(bracket);
    }

    fn new_line(&mut self, level: usize) {
        if self.style == Style::Pretty {
            self.out.push_ascii(b'\n');
            for _ in 0..level {
                self.out.push_str("  ");
            }
        }
    }
}

/// Appends a finite float: plain, with a point, unless it is very large or
/// very small.
pub fn write_float(number: f64, out: &mut String) {
    out.push_str(zmij::Buffer::new().format_finite(number));
}

/// Appends a quoted and escaped string.
fn write_text(text: &str, out: &mut TextBuilder) {
    out.push_ascii(b'"');
    let mut start = 0;
    loop {
        let special = find_special(text.as_bytes(), start);
        out.push_str(&text[start..special]);
        let Some(byte) = text.as_bytes().get(special) else {
            break;
        };
        write_escape(*byte, out);
        start = special + 1;
    }
    out.push_ascii(b'"');
}

fn write_escape(byte: u8, out: &mut TextBuilder) {
    let letter = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x8 => b'b',
        0xc => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.push_str(&format!("\\u{byte:04x}"));
            return;
        }
    };
    out.push_ascii(b'\\');
    out.push_ascii(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_plain_within_limits() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.00001, "0.00001"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e-6, "1e-6"),
            (0.1 + 0.2, "0.30000000000000004"),
        ];
        for (number, expected) in cases {
            let mut text = String::new();
            write_float(number, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn strings_are_escaped() {
        let mut text = TextBuilder::new(0);
        write_text("a\"\\\n\u{1}é/", &mut text);
        assert_eq!(text.finish().as_str(), "\"a\\\"\\\\\\n\\u0001é/\"");
    }
}
