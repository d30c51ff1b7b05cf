//! JSON text to values, in one pass.
//!
//! Errors and where they are found are part of the reference (11.1): a fault
//! in a token that was begun is where reading stopped, a token that should
//! not be there is one further.

use super::super::super::arrays::Collector;
use crate::heap::string::{hash_text, same_bytes};
use crate::heap::{Dict, Ref, Str};
use crate::value::Value;
use alloc::string::String;

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
        forms: [const { None }; FORMS],
        scratch: String::new(),
        error: ParseError { what: "", read: 0 },
    };
    match parser.whole() {
        Ok(value) => Ok(Parsed {
            value,
            depth: parser.deepest,
        }),
        Err(Fault) => Err(parser.error),
    }
}

/// Entries that an object is given room for in advance at most.
const MAX_EXPECTED: usize = 64;
/// Keys that are remembered, so that objects share them.
const KEYS: usize = 64;
/// Levels at which the form of the object before is remembered.
const FORMS: usize = 8;

/// Parsing failed; the parser knows why.  Without that in it, a `Step` is
/// passed in registers.
pub(super) struct Fault;

pub(super) type Step<T> = Result<T, Fault>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    /// The next byte to read.
    pub(super) next: usize,
    /// The level of the deepest value so far; the root's is 0.
    deepest: usize,
    keys: [Option<Ref<Str>>; KEYS],
    /// The object of each level that ended last, if its keys are written as
    /// they are: the next one mostly has the same.
    forms: [Option<Ref<Dict>>; FORMS],
    /// Memory for a string with escapes.
    pub(super) scratch: String,
    error: ParseError,
}

impl Parser<'_> {
    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.next).copied()
    }

    /// The first byte after white space.
    #[inline(always)]
    fn peek_token(&mut self) -> Option<u8> {
        match self.peek() {
            Some(b' ' | b'\n' | b'\t' | b'\r') => self.skip_white_space(),
            byte => byte,
        }
    }

    #[cold]
    #[inline(never)]
    fn skip_white_space(&mut self) -> Option<u8> {
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
    pub(super) fn fault<T>(&mut self, what: &'static str) -> Step<T> {
        self.error = ParseError {
            what,
            read: self.next,
        };
        Err(Fault)
    }

    /// Something is wrong with the byte that comes next.
    #[cold]
    pub(super) fn unexpected<T>(&mut self, what: &'static str) -> Step<T> {
        self.error = ParseError {
            what,
            read: self.bytes.len().min(self.next + 1),
        };
        Err(Fault)
    }

    fn whole(&mut self) -> Step<Value> {
        let value = self.value(0)?;
        if self.peek_token().is_some() {
            return self.unexpected("trailing characters");
        }
        Ok(value)
    }

    #[inline(always)]
    fn value(&mut self, level: usize) -> Step<Value> {
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
            Some(_) => self.unexpected("expected value"),
            None => self.unexpected("EOF while parsing a value"),
        }
    }

    #[inline(never)]
    fn word(&mut self, word: &[u8], value: Value) -> Step<Value> {
        for expected in word {
            let Some(byte) = self.peek() else {
                return self.fault("EOF while parsing a value");
            };
            self.next += 1;
            if byte != *expected {
                return self.fault("expected ident");
            }
        }
        Ok(value)
    }

    fn open(&mut self, level: usize) -> Step<()> {
        if level + 1 >= MAX_BRACKETS {
            return self.unexpected("recursion limit exceeded");
        }
        self.next += 1;
        Ok(())
    }

    #[inline(never)]
    fn array(&mut self, level: usize) -> Step<Value> {
        self.open(level)?;
        let mut elements = Collector::new(4);
        if self.peek_token() == Some(b']') {
            self.next += 1;
            return Ok(elements.finish());
        }
        if self.peek().is_none() {
            return self.unexpected("EOF while parsing a list");
        }
        self.deepest = self.deepest.max(level + 1);
        loop {
            elements.push(self.value(level + 1)?);
            match self.peek_token() {
                Some(b',') => self.next += 1,
                Some(b']') => {
                    self.next += 1;
                    return Ok(elements.finish());
                }
                Some(_) => return self.unexpected("expected `,` or `]`"),
                None => return self.unexpected("EOF while parsing a list"),
            }
            if self.peek_token() == Some(b']') {
                return self.unexpected("trailing comma");
            }
        }
    }

    #[inline(never)]
    fn object(&mut self, level: usize) -> Step<Value> {
        self.open(level)?;
        match self.peek_token() {
            Some(b'"') => {}
            Some(b'}') => {
                self.next += 1;
                return Ok(Value::from(Dict::new()));
            }
            Some(_) => return self.unexpected("key must be a string"),
            None => return self.unexpected("EOF while parsing an object"),
        }
        self.deepest = self.deepest.max(level + 1);
        let form = self.forms.get_mut(level).and_then(Option::take);
        let mut object = Dict::with_capacity(match &form {
            Some(form) => form.len().min(MAX_EXPECTED),
            None => 0,
        });
        let entries = object.get_mut().expect("nobody else has it yet");
        let mut follows_form = form.is_some();
        let mut has_plain_keys = true;
        loop {
            self.next += 1;
            let expected = match &form {
                Some(form) if follows_form => form.held_text(entries.len()),
                _ => None,
            };
            if let Some(key) = expected
                && self.skip_key(key)
            {
                let value = self.entry_value(level)?;
                entries.append(key, value);
            } else {
                follows_form = false;
                has_plain_keys &= self.other_entry(entries, level)?;
            }
            match self.peek_token() {
                Some(b',') => self.next += 1,
                Some(b'}') => break,
                Some(_) => return self.unexpected("expected `,` or `}`"),
                None => return self.unexpected("EOF while parsing an object"),
            }
            match self.peek_token() {
                Some(b'"') => {}
                Some(b'}') => return self.unexpected("trailing comma"),
                Some(_) => return self.unexpected("key must be a string"),
                None => return self.unexpected("EOF while parsing a value"),
            }
        }
        self.next += 1;
        if let Some(place) = self.forms.get_mut(level) {
            *place = match form {
                Some(form) if follows_form && form.len() == object.len() => Some(form),
                _ => has_plain_keys.then(|| object.clone()),
            };
        }
        Ok(Value::from(object))
    }

    /// Reads an entry into an object; gives whether its key is written as it is.
    #[inline(never)]
    fn other_entry(&mut self, entries: &mut Dict, level: usize) -> Step<bool> {
        let (key, is_plain) = self.key()?;
        let value = self.entry_value(level)?;
        entries.insert_str(&key, value);
        Ok(is_plain)
    }

    /// What stands behind an object's key.
    #[inline(always)]
    fn entry_value(&mut self, level: usize) -> Step<Value> {
        match self.peek_token() {
            Some(b':') => self.next += 1,
            Some(_) => return self.unexpected("expected `:`"),
            None => return self.unexpected("EOF while parsing an object"),
        }
        self.value(level + 1)
    }

    /// Goes behind the closing quote if this key comes next, written as it is.
    #[inline(always)]
    fn skip_key(&mut self, key: &Str) -> bool {
        let end = self.next + key.len();
        let comes = self.bytes.get(end) == Some(&b'"')
            && same_bytes(&self.bytes[self.next..end], key.as_bytes());
        if comes {
            self.next = end + 1;
        }
        comes
    }

    /// A key, the same string object as the last time if it is remembered,
    /// and whether it is written as it is.
    fn key(&mut self) -> Step<(Ref<Str>, bool)> {
        let Some((plain, _)) = self.plain_string() else {
            return Ok((self.string()?, false));
        };
        let slot = hash_text(plain.as_bytes()) as usize % KEYS;
        if let Some(known) = &self.keys[slot]
            && known.as_str() == plain
        {
            return Ok((known.clone(), true));
        }
        let key = Str::new(plain);
        self.keys[slot] = Some(key.clone());
        Ok((key, true))
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
