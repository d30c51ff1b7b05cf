//! Strings in JSON text.

use super::parse::{Parser, Step};
use super::scan::find_special;
use crate::heap::string::count_chars;
use crate::heap::{Ref, Str};
use alloc::string::String;

const END_OF_INPUT: &str = "EOF while parsing a string";

impl<'a> Parser<'a> {
    /// The text of a string without escapes, read to behind its closing quote,
    /// and whether it is ASCII; `None`, and nothing read, if it has any or is
    /// faulty.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<(&'a str, bool)> {
        let (end, is_ascii) = find_special(self.bytes, self.next);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        let text = &self.text[self.next..end];
        self.next = end + 1;
        Some((text, is_ascii))
    }

    /// A string, from behind its opening to behind its closing quote.
    pub(super) fn string(&mut self) -> Step<Ref<Str>> {
        if let Some((text, is_ascii)) = self.plain_string() {
            let chars = if is_ascii {
                text.len()
            } else {
                count_chars(text)
            };
            return Ok(Str::with_capacity(text, text.len(), chars));
        }
        self.string_with_escapes()
    }

    fn string_with_escapes(&mut self) -> Step<Ref<Str>> {
        let mut out = core::mem::take(&mut self.scratch);
        out.clear();
        loop {
            let (end, _) = find_special(self.bytes, self.next);
            out.push_str(&self.text[self.next..end]);
            self.next = end;
            match self.peek() {
                Some(b'"') => {
                    self.next += 1;
                    let string = Str::new(&out);
                    self.scratch = out;
                    return Ok(string);
                }
                Some(b'\\') => {
                    self.next += 1;
                    self.escape(&mut out)?;
                }
                Some(_) => {
                    self.next += 1;
                    return self
                        .fault("control character (\\u0000-\\u001F) found while parsing a string");
                }
                None => return self.fault(END_OF_INPUT),
            }
        }
    }

    /// The next byte of an escape.
    fn escape_byte(&mut self) -> Step<u8> {
        let Some(byte) = self.peek() else {
            return self.fault(END_OF_INPUT);
        };
        self.next += 1;
        Ok(byte)
    }

    /// An escape, from behind its backslash.
    fn escape(&mut self, out: &mut String) -> Step<()> {
        let plain = match self.escape_byte()? {
            plain @ (b'"' | b'\\' | b'/') => plain as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode_escape()?,
            _ => return self.fault("invalid escape"),
        };
        out.push(plain);
        Ok(())
    }

    /// A character given by its number, or by a pair of surrogates.
    fn unicode_escape(&mut self) -> Step<char> {
        const LONE: &str = "lone leading surrogate in hex escape";
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first >= 0xdc00 {
            return self.fault(LONE);
        }
        for expected in [b'\\', b'u'] {
            if self.escape_byte()? != expected {
                return self.fault("unexpected end of hex escape");
            }
        }
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return self.fault(LONE);
        }
        let combined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        match char::from_u32(combined) {
            Some(character) => Ok(character),
            None => self.fault(LONE),
        }
    }

    fn four_digits(&mut self) -> Step<u32> {
        let Some(digits) = self.bytes.get(self.next..self.next + 4) else {
            self.next = self.bytes.len();
            return self.fault(END_OF_INPUT);
        };
        self.next += 4;
        let mut number = 0;
        for digit in digits {
            let Some(digit) = (*digit as char).to_digit(16) else {
                return self.fault("invalid escape");
            };
            number = number * 16 + digit;
        }
        Ok(number)
    }
}
