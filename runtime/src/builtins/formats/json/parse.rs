//! JSON text to values, in one pass.
//!
//! Errors and where they are found are part of the reference (11.1): a fault
//! in a token that was begun is where reading stopped, a token that should
//! not be there is one further.

use super::super::super::arrays::Collector;
use crate::heap::string::hash_text;
use crate::heap::{Dict, Ref, Str};
use crate::value::Value;

/// Nested brackets at which parsing gives up.
const MAX_BRACKETS: usize = 128;

/// What went wrong, and how much of the text was read then.
#[derive(Debug, PartialEq, Eq)]
pub struct ParseError {
    pub what: &'static str,
    pub read: usize,
}

impl ParseError {
    /// The line from 1, and the bytes of it that were read.
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        let read = &text.as_bytes()[..self.read];
        let line_start = memchr::memrchr(b'\n', read).map_or(0, |end| end + 1);
        let line = memchr::memchr_iter(b'\n', read).count() + 1;
        (line, self.read - line_start)
    }
}

/// A value, and how many levels below it something was found.
pub struct Parsed {
    pub value: Value,
    pub depth: usize,
}

/// Parses a whole text.
pub fn parse(text: &str) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        next: 0,
        deepest: 0,
        keys: [const { None }; KEYS],
        entries: 0,
    };
    let value = parser.value(0)?;
    if parser.peek_token().is_some() {
        return Err(parser.unexpected("trailing characters"));
    }
    Ok(Parsed {
        value,
        depth: parser.deepest,
    })
}

/// Entries that an object is given room for in advance at most.
const MAX_EXPECTED: usize = 64;
/// Keys that are remembered, so that objects of one form share them.
const KEYS: usize = 64;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    /// The next byte to read.
    pub(super) next: usize,
    /// The level of the deepest value so far; the root's is 0.
    deepest: usize,
    keys: [Option<Ref<Str>>; KEYS],
    /// Entries of the object that ended last.
    entries: usize,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.next).copied()
    }

    /// The first byte after white space.
    fn peek_token(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.next += 1;
        }
        None
    }

    /// Something is wrong with what was read.
    #[cold]
    pub(super) fn fault(&self, what: &'static str) -> ParseError {
        ParseError {
            what,
            read: self.next,
        }
    }

    /// Something is wrong with the byte that comes next.
    #[cold]
    pub(super) fn unexpected(&self, what: &'static str) -> ParseError {
        ParseError {
            what,
            read: self.bytes.len().min(self.next + 1),
        }
    }

    fn value(&mut self, level: usize) -> Result<Value, ParseError> {
        self.deepest = self.deepest.max(level);
        match self.peek_token() {
            Some(b'"') => {
                self.next += 1;
                Ok(Value::from(self.string()?))
            }
            Some(b'-') => {
                self.next += 1;
                self.number(true)
            }
            Some(b'0'..=b'9') => self.number(false),
            Some(b'[') => self.array(level),
            Some(b'{') => self.object(level),
            Some(b'n') => self.word(b"null", Value::NULL),
            Some(b't') => self.word(b"true", Value::TRUE),
            Some(b'f') => self.word(b"false", Value::FALSE),
            Some(_) => Err(self.unexpected("expected value")),
            None => Err(self.unexpected("EOF while parsing a value")),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, ParseError> {
        for expected in word {
            let Some(byte) = self.peek() else {
                return Err(self.fault("EOF while parsing a value"));
            };
            self.next += 1;
            if byte != *expected {
                return Err(self.fault("expected ident"));
            }
        }
        Ok(value)
    }

    fn open(&mut self, level: usize) -> Result<(), ParseError> {
        if level + 1 >= MAX_BRACKETS {
            return Err(self.unexpected("recursion limit exceeded"));
        }
        self.next += 1;
        Ok(())
    }

    fn array(&mut self, level: usize) -> Result<Value, ParseError> {
        self.open(level)?;
        let mut elements = Collector::new(4);
        let mut first = true;
        loop {
            match self.peek_token() {
                Some(b']') => {
                    self.next += 1;
                    return Ok(elements.finish());
                }
                Some(b',') if !first => {
                    self.next += 1;
                    match self.peek_token() {
                        Some(b']') => return Err(self.unexpected("trailing comma")),
                        Some(_) => {}
                        None => return Err(self.unexpected("EOF while parsing a value")),
                    }
                }
                Some(_) if first => {}
                Some(_) => return Err(self.unexpected("expected `,` or `]`")),
                None => return Err(self.unexpected("EOF while parsing a list")),
            }
            first = false;
            elements.push(self.value(level + 1)?);
        }
    }

    fn object(&mut self, level: usize) -> Result<Value, ParseError> {
        self.open(level)?;
        // Objects that follow each other are mostly of one form.
        let mut object = Dict::with_capacity(self.entries.min(MAX_EXPECTED));
        let mut first = true;
        loop {
            match self.peek_token() {
                Some(b'}') => {
                    self.next += 1;
                    self.entries = object.len();
                    return Ok(Value::from(object));
                }
                Some(b',') if !first => {
                    self.next += 1;
                    match self.peek_token() {
                        Some(b'"') => {}
                        Some(b'}') => return Err(self.unexpected("trailing comma")),
                        Some(_) => return Err(self.unexpected("key must be a string")),
                        None => return Err(self.unexpected("EOF while parsing a value")),
                    }
                }
                Some(b'"') if first => {}
                Some(_) if first => return Err(self.unexpected("key must be a string")),
                Some(_) => return Err(self.unexpected("expected `,` or `}`")),
                None => return Err(self.unexpected("EOF while parsing an object")),
            }
            first = false;
            self.next += 1;
            let key = self.key()?;
            match self.peek_token() {
                Some(b':') => self.next += 1,
                Some(_) => return Err(self.unexpected("expected `:`")),
                None => return Err(self.unexpected("EOF while parsing an object")),
            }
            let value = self.value(level + 1)?;
            object
                .get_mut()
                .expect("nobody else has it yet")
                .insert_str(&key, value);
        }
    }

    /// A key, the same string object as the last time if it is remembered.
    fn key(&mut self) -> Result<Ref<Str>, ParseError> {
        let Some(plain) = self.plain_string() else {
            return self.string();
        };
        let slot = hash_text(plain.as_bytes()) as usize % KEYS;
        if let Some(known) = &self.keys[slot]
            && known.as_str() == plain
        {
            return Ok(known.clone());
        }
        let key = Str::new(plain);
        self.keys[slot] = Some(key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> (&'static str, usize, usize) {
        let Err(error) = parse(text) else {
            panic!("{text} is valid")
        };
        let (line, column) = error.line_and_column(text);
        (error.what, line, column)
    }

    #[test]
    fn errors_are_found_where_the_reference_says() {
        assert_eq!(complaint(""), ("EOF while parsing a value", 1, 0));
        assert_eq!(complaint("{bad"), ("key must be a string", 1, 2));
        assert_eq!(complaint("{\"a\":}"), ("expected value", 1, 6));
        assert_eq!(complaint("[1,2,]"), ("trailing comma", 1, 6));
        assert_eq!(complaint("[1 2]"), ("expected `,` or `]`", 1, 4));
        assert_eq!(complaint("{\"a\" 1}"), ("expected `:`", 1, 6));
        assert_eq!(complaint("{\"a\":1} x"), ("trailing characters", 1, 9));
        assert_eq!(complaint("01"), ("invalid number", 1, 2));
        assert_eq!(complaint("\"abc"), ("EOF while parsing a string", 1, 4));
        assert_eq!(complaint("[1,\n2,\n x]"), ("expected value", 3, 2));
        assert_eq!(complaint("trux"), ("expected ident", 1, 4));
        assert_eq!(complaint("1e999"), ("number out of range", 1, 5));
        assert_eq!(complaint("1."), ("EOF while parsing a value", 1, 2));
        assert_eq!(complaint("-"), ("EOF while parsing a value", 1, 1));
        assert_eq!(complaint("\"\\q\""), ("invalid escape", 1, 3));
        assert_eq!(
            complaint("\"\\udc00\""),
            ("lone leading surrogate in hex escape", 1, 7)
        );
        let deep = "[".repeat(200);
        assert_eq!(complaint(&deep), ("recursion limit exceeded", 1, 128));
    }
}
