//! String literals, with and without interpolation.

use super::{Lexer, shown};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::limit;
use crate::syntax::token::TokenKind;

/// A string whose interpolation is being scanned.
pub(super) struct OpenString {
    quote: char,
    /// The opening quote.
    start: Span,
    /// The `${` that is open.
    pub interpolation: Span,
    /// Braces opened since, not yet closed.
    pub braces: usize,
}

/// Why a run of text ended.
enum RunEnd {
    Quote,
    Interpolation,
    EndOfFile,
    /// Enough errors have been found; the rest of the file is not looked at.
    GivenUp,
}

impl Lexer<'_> {
    /// Scans from an opening quote up to the end of the string or its first
    /// interpolation.
    pub(super) fn string(&mut self) {
        let start = self.position;
        let Some(quote) = self.peek() else { return };
        self.position += 1;
        let opening = Span::new(self.file, start, self.position);

        let (text, end) = self.run(quote, start);
        match end {
            RunEnd::Quote => {
                self.position += 1;
                self.push(TokenKind::Str(text.into()), start);
            }
            RunEnd::EndOfFile => self.unterminated(opening),
            RunEnd::GivenUp => {}
            RunEnd::Interpolation => {
                let text_end = std::mem::replace(&mut self.position, start + 1);
                self.push(TokenKind::StringStart, start);
                self.position = text_end;
                self.text_token(text, start + 1);
                self.open_interpolation(quote, opening);
            }
        }
    }

    /// Goes on with the innermost string after the `}` of its interpolation.
    pub(super) fn resume_string(&mut self) {
        let string = self
            .open
            .pop()
            .expect("an interpolation has just been closed");
        let start = self.position;
        let (text, end) = self.run(string.quote, start);
        self.text_token(text, start);
        match end {
            RunEnd::Quote => {
                self.position += 1;
                self.push(TokenKind::StringEnd, self.position - 1);
            }
            RunEnd::EndOfFile => self.unterminated(string.start),
            RunEnd::GivenUp => {}
            RunEnd::Interpolation => self.open_interpolation(string.quote, string.start),
        }
    }

    fn unterminated(&mut self, opening: Span) {
        self.error_at(
            Code::Unterminated,
            opening,
            "Unterminated string literal".into(),
        );
    }

    fn text_token(&mut self, text: String, start: usize) {
        if !text.is_empty() {
            self.push(TokenKind::StringText(text.into()), start);
        }
    }

    fn open_interpolation(&mut self, quote: char, start: Span) {
        let dollar = self.position;
        self.position += 2;
        self.push(TokenKind::InterpolationStart, dollar);
        let interpolation = Span::new(self.file, dollar, self.position);
        self.open.push(OpenString {
            quote,
            start,
            interpolation,
            braces: 0,
        });
    }

    /// Scans text up to the closing quote or `${`, which it leaves, and
    /// replaces the escapes in it.  A run that is too long is reported at
    /// `start`.
    fn run(&mut self, quote: char, start: usize) -> (String, RunEnd) {
        let mut text = String::new();
        let end = loop {
            let Some(character) = self.peek() else {
                break RunEnd::EndOfFile;
            };
            match character {
                _ if character == quote => break RunEnd::Quote,
                '$' if self.byte(1) == Some(b'{') => break RunEnd::Interpolation,
                '\\' => self.escape(&mut text),
                '\0' => self.null_byte(),
                '\r' if self.byte(1) == Some(b'\n') => self.position += 1,
                _ => {
                    text.push(character);
                    self.position += character.len_utf8();
                }
            }
            if self.diagnostics.len() >= limit::DIAGNOSTICS {
                self.position = self.text.len();
                break RunEnd::GivenUp;
            }
        };
        let maximum = limit::STRING_CHARACTERS;
        if text.chars().nth(maximum).is_some() {
            let message = format!("String literal exceeds max length of {maximum} characters");
            self.error(Code::StringTooLong, start, message);
        }
        (text, end)
    }

    fn escape(&mut self, text: &mut String) {
        let start = self.position;
        self.position += 1;
        // At the end of the file the open string is the error.
        let Some(character) = self.peek() else { return };
        self.position += character.len_utf8();
        let value = match character {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            '\\' | '"' | '\'' | '$' => Some(character),
            'u' => self.unicode_escape(),
            _ => None,
        };
        match value {
            Some(value) => text.push(value),
            None => {
                let message = format!("Invalid escape sequence: \\\\{}", shown(character));
                self.error(Code::InvalidEscape, start, message);
            }
        }
    }

    /// `{H…}` after `\u`: one to six hexadecimal digits of a scalar value.
    fn unicode_escape(&mut self) -> Option<char> {
        let digits = self.rest().strip_prefix('{')?;
        let length = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        if !(1..=6).contains(&length) || !digits[length..].starts_with('}') {
            return None;
        }
        let value = u32::from_str_radix(&digits[..length], 16).ok()?;
        self.position += length + 2;
        char::from_u32(value)
    }
}
