//! Strings in JSON text.

use super::parse::{ParseError, Parser};
use crate::heap::{Ref, Str};
use alloc::string::String;

const END_OF_INPUT: &str = "EOF while parsing a string";

/// Marks the bytes of a word that end or escape a string, or may not be in
/// one: the lowest mark is exact, those above may be wrong.
#[inline(always)]
fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // A byte is less than `n` exactly if subtracting `n` borrows (and it was
    // below 0x80); it equals `n` exactly if their difference is less than 1.
    let less = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    (less(word, 0x20) | less(quote, 1) | less(backslash, 1)) & HIGHS
}

/// Where the next quote, backslash or control character is, from a position on.
#[inline]
pub(super) fn find_special(bytes: &[u8], from: usize) -> usize {
    let mut position = from;
    while let Some(chunk) = bytes
        .get(position..)
        .and_then(|rest| rest.first_chunk::<8>())
    {
        let marks = marks(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return position + marks.trailing_zeros() as usize / 8;
        }
        position += 8;
    }
    let marks = marks(last_word(&bytes[position..]));
    position + (marks.trailing_zeros() as usize / 8).min(bytes.len() - position)
}

/// Fewer than eight bytes as a word; what is not there is marked or not.
#[inline(always)]
fn last_word(rest: &[u8]) -> u64 {
    let len = rest.len();
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return first as u64 | (last as u64) << (8 * (len - 4));
    }
    if len == 0 {
        return 0;
    }
    let byte = |index: usize| (rest[index] as u64) << (8 * index);
    byte(0) | byte(len / 2) | byte(len - 1)
}

impl<'a> Parser<'a> {
    /// The text of a string without escapes, read to behind its closing quote;
    /// `None`, and nothing read, if it has any or is faulty.
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        let end = find_special(self.bytes, self.next);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        let text = &self.text[self.next..end];
        self.next = end + 1;
        Some(text)
    }

    /// A string, from behind its opening to behind its closing quote.
    pub(super) fn string(&mut self) -> Result<Ref<Str>, ParseError> {
        if let Some(text) = self.plain_string() {
            return Ok(Str::new(text));
        }
        let mut out = String::new();
        loop {
            let end = find_special(self.bytes, self.next);
            out.push_str(&self.text[self.next..end]);
            self.next = end;
            match self.peek() {
                Some(b'"') => {
                    self.next += 1;
                    return Ok(Str::new(&out));
                }
                Some(b'\\') => {
                    self.next += 1;
                    self.escape(&mut out)?;
                }
                Some(_) => {
                    self.next += 1;
                    return Err(self.fault(
                        "control character (\\u0000-\\u001F) found while parsing a string",
                    ));
                }
                None => return Err(self.fault(END_OF_INPUT)),
            }
        }
    }

    /// The next byte of an escape.
    fn escape_byte(&mut self) -> Result<u8, ParseError> {
        let Some(byte) = self.peek() else {
            return Err(self.fault(END_OF_INPUT));
        };
        self.next += 1;
        Ok(byte)
    }

    /// An escape, from behind its backslash.
    fn escape(&mut self, out: &mut String) -> Result<(), ParseError> {
        let plain = match self.escape_byte()? {
            plain @ (b'"' | b'\\' | b'/') => plain as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode_escape()?,
            _ => return Err(self.fault("invalid escape")),
        };
        out.push(plain);
        Ok(())
    }

    /// A character given by its number, or by a pair of surrogates.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        const LONE: &str = "lone leading surrogate in hex escape";
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first >= 0xdc00 {
            return Err(self.fault(LONE));
        }
        for expected in [b'\\', b'u'] {
            if self.escape_byte()? != expected {
                return Err(self.fault("unexpected end of hex escape"));
            }
        }
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.fault(LONE));
        }
        let combined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(combined).ok_or_else(|| self.fault(LONE))
    }

    fn four_digits(&mut self) -> Result<u32, ParseError> {
        let Some(digits) = self.bytes.get(self.next..self.next + 4) else {
            self.next = self.bytes.len();
            return Err(self.fault(END_OF_INPUT));
        };
        self.next += 4;
        let mut number = 0;
        for digit in digits {
            let Some(digit) = (*digit as char).to_digit(16) else {
                return Err(self.fault("invalid escape"));
            };
            number = number * 16 + digit;
        }
        Ok(number)
    }
}
