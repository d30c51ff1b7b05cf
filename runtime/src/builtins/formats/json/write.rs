//! Values to JSON text.

use super::MAX_DEPTH;
use super::scan::{find_special, has_special};
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

/// The JSON text of a value, without any white space, or, if it is `PRETTY`,
/// with one element per line and two spaces per level.
pub fn write<const PRETTY: bool>(ctx: &mut VMContext, value: &Value) -> Result<Value, Raised> {
    let mut writer = Writer::<PRETTY> {
        ctx,
        out: TextBuilder::new(64),
        canonical: None,
    };
    writer.value(value, 0)?;
    Ok(Value::from(writer.out.finish()))
}

struct Writer<'a, const PRETTY: bool> {
    ctx: &'a mut VMContext,
    out: TextBuilder,
    /// A dict that was found to be in canonical order.
    canonical: Option<&'a Dict>,
}

impl<'a, const PRETTY: bool> Writer<'a, PRETTY> {
    #[inline(always)]
    fn value(&mut self, value: &'a Value, level: usize) -> Result<(), Raised> {
        match value.tag() {
            Tag::String => {
                self.check(level)?;
                write_text(
                    [b'"'],
                    value.as_str().unwrap_or_default(),
                    [b'"'],
                    &mut self.out,
                );
                Ok(())
            }
            Tag::Array => {
                self.check(level)?;
                self.array(value.as_object().expect("the tag says so"), level)
            }
            Tag::Dict => {
                self.check(level)?;
                self.dict(value.as_object().expect("the tag says so"), level)
            }
            _ => self.plain(value, level),
        }
    }

    /// Nothing may be deeper than this.
    #[inline(always)]
    fn check(&mut self, level: usize) -> Result<(), Raised> {
        if level > MAX_DEPTH {
            let message = format!("JSON value exceeds maximum nesting depth of {MAX_DEPTH}");
            return Err(self.ctx.raise(&message));
        }
        Ok(())
    }

    /// A value that has no parts.
    #[inline(never)]
    fn plain(&mut self, value: &Value, level: usize) -> Result<(), Raised> {
        self.check(level)?;
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

    #[inline(never)]
    fn array(&mut self, array: &'a Array, level: usize) -> Result<(), Raised> {
        self.out.push_ascii(b'[');
        if let Some(values) = array.as_values() {
            for (index, element) in values.iter().enumerate() {
                self.separate(index, level + 1);
                self.value(element, level + 1)?;
            }
        } else {
            for (index, element) in array.iter().enumerate() {
                self.separate(index, level + 1);
                self.plain(&element, level + 1)?;
            }
        }
        self.close(array.is_empty(), b']', level);
        Ok(())
    }

    #[inline(never)]
    fn dict(&mut self, dict: &'a Dict, level: usize) -> Result<(), Raised> {
        self.out.push_ascii(b'{');
        if self.is_canonical(dict) {
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

    /// Whether a dict's entries are in canonical order, which is quickly told
    /// if it has the keys of a dict before.
    fn is_canonical(&mut self, dict: &'a Dict) -> bool {
        if self.canonical.is_some_and(|known| known.has_keys_of(dict)) {
            return true;
        }
        let is_canonical = is_canonical(dict);
        if is_canonical {
            self.canonical = Some(dict);
        }
        is_canonical
    }

    fn entry(
        &mut self,
        index: usize,
        (key, value): (&Value, &'a Value),
        level: usize,
    ) -> Result<(), Raised> {
        let number;
        let text = match key.as_str() {
            Some(text) => text,
            None => {
                number = key_text(key);
                &number
            }
        };
        if PRETTY {
            self.separate(index, level);
            write_text([b'"'], text, [b'"', b':', b' '], &mut self.out);
        } else if index == 0 {
            write_text([b'"'], text, [b'"', b':'], &mut self.out);
        } else {
            write_text([b',', b'"'], text, [b'"', b':'], &mut self.out);
        }
        self.value(value, level)
    }

    #[inline(always)]
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

    #[inline(always)]
    fn new_line(&mut self, level: usize) {
        if PRETTY {
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

/// Appends an escaped string between ASCII characters, its quotes among them.
#[inline(always)]
fn write_text<const BEFORE: usize, const AFTER: usize>(
    before: [u8; BEFORE],
    text: &str,
    after: [u8; AFTER],
    out: &mut TextBuilder,
) {
    if has_special(text.as_bytes()) {
        out.push_framed(before, "", []);
        write_escaped(text, out);
        out.push_framed([], "", after);
    } else {
        out.push_framed(before, text, after);
    }
}

/// Appends a text with its special characters escaped.
fn write_escaped(text: &str, out: &mut TextBuilder) {
    let mut start = 0;
    loop {
        let (special, _) = find_special(text.as_bytes(), start);
        out.push_str(&text[start..special]);
        let Some(byte) = text.as_bytes().get(special) else {
            return;
        };
        write_escape(*byte, out);
        start = special + 1;
    }
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
        write_text([b'"'], "a\"\\\n\u{1}é/", [b'"'], &mut text);
        assert_eq!(text.finish().as_str(), "\"a\\\"\\\\\\n\\u0001é/\"");
    }
}
