//! Numbers in JSON text.

use super::parse::{ParseError, Parser};
use crate::value::Value;

const END_OF_INPUT: &str = "EOF while parsing a value";
const INVALID: &str = "invalid number";
const OUT_OF_RANGE: &str = "number out of range";

impl Parser<'_> {
    /// A number, from behind its minus sign if it is negative.
    pub(super) fn number(&mut self, negative: bool) -> Result<Value, ParseError> {
        let start = self.next - negative as usize;
        let Some(first) = self.peek() else {
            return Err(self.fault(END_OF_INPUT));
        };
        self.next += 1;
        let mut magnitude = Some(0_u64);
        match first {
            b'0' => {
                if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    return Err(self.unexpected(INVALID));
                }
            }
            b'1'..=b'9' => {
                magnitude = Some((first - b'0') as u64);
                while let Some(digit @ b'0'..=b'9') = self.peek() {
                    magnitude = magnitude
                        .and_then(|number| number.checked_mul(10))
                        .and_then(|number| number.checked_add((digit - b'0') as u64));
                    self.next += 1;
                }
            }
            _ => return Err(self.fault(INVALID)),
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            self.fraction()?;
            let digits = &self.bytes[start..self.next];
            let is_zero = digits.iter().all(|byte| !matches!(byte, b'1'..=b'9'));
            self.exponent(is_zero)?;
        } else if let Some(magnitude) = magnitude
            && let Some(int) = signed(magnitude, negative)
        {
            return Ok(Value::int(int));
        }
        // The grammar was checked, so this can't fail.
        let number: f64 = self.text[start..self.next].parse().unwrap_or(f64::INFINITY);
        if number.is_infinite() {
            return Err(self.fault(OUT_OF_RANGE));
        }
        Ok(Value::float(number))
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.next;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.next += 1;
        }
        self.next - start
    }

    fn fraction(&mut self) -> Result<(), ParseError> {
        if self.peek() != Some(b'.') {
            return Ok(());
        }
        self.next += 1;
        if self.skip_digits() > 0 {
            return Ok(());
        }
        Err(self.unexpected(if self.peek().is_some() {
            INVALID
        } else {
            END_OF_INPUT
        }))
    }

    fn exponent(&mut self, is_zero: bool) -> Result<(), ParseError> {
        if !matches!(self.peek(), Some(b'e' | b'E')) {
            return Ok(());
        }
        self.next += 1;
        let sign = self.peek().filter(|byte| matches!(byte, b'+' | b'-'));
        self.next += sign.is_some() as usize;
        let Some(first) = self.peek() else {
            return Err(self.fault(END_OF_INPUT));
        };
        self.next += 1;
        if !first.is_ascii_digit() {
            return Err(self.fault(INVALID));
        }
        let mut exponent = Some((first - b'0') as i32);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.next += 1;
            exponent = exponent
                .and_then(|number| number.checked_mul(10))
                .and_then(|number| number.checked_add((digit - b'0') as i32));
            if exponent.is_none() && !is_zero && sign != Some(b'-') {
                return Err(self.fault(OUT_OF_RANGE));
            }
        }
        Ok(())
    }
}

/// The int with this magnitude; negative zero is a float.
fn signed(magnitude: u64, negative: bool) -> Option<i64> {
    if !negative {
        return i64::try_from(magnitude).ok();
    }
    (magnitude > 0)
        .then(|| 0_i64.checked_sub_unsigned(magnitude))
        .flatten()
}
