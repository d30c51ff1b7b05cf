//! Numbers in JSON text.

use super::parse::{Parser, Step};
use crate::value::Value;

const END_OF_INPUT: &str = "EOF while parsing a value";
const INVALID: &str = "invalid number";
const OUT_OF_RANGE: &str = "number out of range";

impl Parser<'_> {
    /// A number, from behind its minus sign if it is negative.
    pub(super) fn number(&mut self, negative: bool) -> Step<Value> {
        let start = self.next - negative as usize;
        let Some(first) = self.peek() else {
            return self.fault(END_OF_INPUT);
        };
        self.next += 1;
        let mut magnitude = Magnitude::default();
        match first {
            b'0' => {
                if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    return self.unexpected(INVALID);
                }
            }
            b'1'..=b'9' => {
                magnitude.push(first);
                self.digits(&mut magnitude);
            }
            _ => return self.fault(INVALID),
        }
        let is_whole = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        if is_whole {
            if let Some(int) = magnitude.int(negative) {
                return Ok(Value::int(int));
            }
        } else {
            let places = self.fraction(&mut magnitude)?;
            if !matches!(self.peek(), Some(b'e' | b'E')) {
                if let Some(number) = magnitude.quotient(places) {
                    return Ok(Value::float(if negative { -number } else { number }));
                }
            } else {
                self.exponent(magnitude.is_zero())?;
            }
        }
        // The grammar was checked, so this can't fail.
        let number: f64 = self.text[start..self.next].parse().unwrap_or(f64::INFINITY);
        if number.is_infinite() {
            return self.fault(OUT_OF_RANGE);
        }
        Ok(Value::float(number))
    }

    /// Reads digits; gives how many there were.
    #[inline(always)]
    fn digits(&mut self, magnitude: &mut Magnitude) -> usize {
        let start = self.next;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude.push(digit);
            self.next += 1;
        }
        self.next - start
    }

    /// Reads a point and the digits behind it, if there is one; gives how
    /// many digits there were.
    fn fraction(&mut self, magnitude: &mut Magnitude) -> Step<usize> {
        if self.peek() != Some(b'.') {
            return Ok(0);
        }
        self.next += 1;
        match (self.digits(magnitude), self.peek()) {
            (0, Some(_)) => self.unexpected(INVALID),
            (0, None) => self.unexpected(END_OF_INPUT),
            (places, _) => Ok(places),
        }
    }

    fn exponent(&mut self, is_zero: bool) -> Step<()> {
        if !matches!(self.peek(), Some(b'e' | b'E')) {
            return Ok(());
        }
        self.next += 1;
        let sign = self.peek().filter(|byte| matches!(byte, b'+' | b'-'));
        self.next += sign.is_some() as usize;
        let Some(first) = self.peek() else {
            return self.fault(END_OF_INPUT);
        };
        self.next += 1;
        if !first.is_ascii_digit() {
            return self.fault(INVALID);
        }
        let mut exponent = Some((first - b'0') as i32);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.next += 1;
            exponent = exponent
                .and_then(|number| number.checked_mul(10))
                .and_then(|number| number.checked_add((digit - b'0') as i32));
            if exponent.is_none() && !is_zero && sign != Some(b'-') {
                return self.fault(OUT_OF_RANGE);
            }
        }
        Ok(())
    }
}

/// The digits of a number, without its sign, point and exponent.
#[derive(Default)]
struct Magnitude {
    /// The number that the digits are, until more come than fit.
    digits: u64,
    overflowed: bool,
}

impl Magnitude {
    #[inline(always)]
    fn push(&mut self, digit: u8) {
        if self.digits > u64::MAX / 10 - 1 {
            self.overflowed = true;
        } else {
            self.digits = self.digits * 10 + (digit - b'0') as u64;
        }
    }

    fn is_zero(&self) -> bool {
        self.digits == 0 && !self.overflowed
    }

    /// The int with this magnitude; negative zero is a float.
    fn int(&self, negative: bool) -> Option<i64> {
        if self.overflowed {
            return None;
        }
        if !negative {
            return i64::try_from(self.digits).ok();
        }
        (self.digits > 0)
            .then(|| 0_i64.checked_sub_unsigned(self.digits))
            .flatten()
    }

    /// The digits with a point before the last `places`, if dividing them is
    /// exact but for one rounding: both numbers are floats as they are.
    fn quotient(&self, places: usize) -> Option<f64> {
        const POWERS: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        let power = POWERS.get(places)?;
        (!self.overflowed && self.digits < 1 << 53).then(|| self.digits as f64 / power)
    }
}
