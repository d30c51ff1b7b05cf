//! Floats as text: the shortest digits that read back, never an exponent.
//!
//! `core` writes the same, but what it has for floats is twelve kilobytes in every
//! program that prints something.

use super::convert::int_text;
use alloc::string::String;

/// Appends a float.
pub fn write_float(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str("NaN");
        return;
    }
    if number.is_sign_negative() {
        out.push('-');
    }
    if number.is_infinite() {
        out.push_str("inf");
        return;
    }
    let (digits, exponent) = shortest(number.abs());
    let mut buffer = [0; 20];
    let text = int_text(digits as i64, &mut buffer);
    let before_point = text.len() as i32 + exponent;
    if exponent >= 0 {
        out.push_str(text);
        zeros(exponent, out);
    } else if before_point > 0 {
        let halves = text.split_at_checked(before_point as usize);
        let (whole, fraction) = halves.unwrap_or((text, ""));
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    } else {
        out.push_str("0.");
        zeros(-before_point, out);
        out.push_str(text);
    }
}

fn zeros(count: i32, out: &mut String) {
    (0..count).for_each(|_| out.push('0'));
}

/// The number with the fewest digits that reads back, and which power of ten it
/// is multiplied by: the nearest one, and of two that are as near the larger.
fn shortest(number: f64) -> (u64, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    let (mut digits, mut exponent) = (0, 0);
    let mut is_fraction = false;
    let (decimal, power) = text.split_once('e').unwrap_or((text, "0"));
    for digit in decimal.strip_suffix(".0").unwrap_or(decimal).bytes() {
        if digit == b'.' {
            is_fraction = true;
        } else {
            digits = 10 * digits + u64::from(digit - b'0');
            exponent -= i32::from(is_fraction);
        }
    }
    exponent += power.parse().unwrap_or(0);
    // Of two, that algorithm takes the even one.
    if is_half_above(number, digits, exponent) {
        digits += 1;
    }
    (digits, exponent)
}

/// Whether a number is in the middle between `digits` and `digits + 1`, times that
/// power of ten.
fn is_half_above(number: f64, digits: u64, exponent: i32) -> bool {
    let bits = number.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, binary) = match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        binary => (fraction | 1 << 52, binary - 1075),
    };
    let even = mantissa.trailing_zeros();
    // Twice the number is an odd one times a power of two; so is what it has to be.
    if mantissa == 0 || binary + even as i32 + 1 != exponent {
        return false;
    }
    let odd = u128::from(mantissa >> even);
    let wanted = 2 * u128::from(digits) + 1;
    let Some(fives) = 5_u128.checked_pow(exponent.unsigned_abs()) else {
        return false;
    };
    if exponent < 0 {
        odd.checked_mul(fives) == Some(wanted)
    } else {
        wanted.checked_mul(fives) == Some(odd)
    }
}

#[cfg(test)]
mod tests {
    use super::write_float;
    use alloc::{format, string::String, vec};

    #[test]
    fn floats_are_written_as_core_writes_them() {
        let mut floats = vec![0.0, 1.0, 0.1, 1e15, 1e16, 1e17, 12345678901234567.0];
        floats.extend([1e-5, 1.5e-7, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324]);
        floats.extend([f64::INFINITY, f64::NAN, 123456.789, 0.00001234, 2e23, 9e23]);
        let mut bits = 1_u64;
        for _ in 0..50_000 {
            bits = bits
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            floats.push(f64::from_bits(bits));
            // Those that programs have, too, and those between two decimals.
            floats.push((bits >> 40) as f64 / 1000.0);
            floats.push((bits >> 10) as f64 / 8.0);
            floats.push((bits >> 1) as f64 * (1 << (bits & 31)) as f64);
        }
        for float in floats.iter().flat_map(|float| [*float, -float]) {
            let mut text = String::new();
            write_float(float, &mut text);
            assert_eq!(text, format!("{float}"));
        }
    }
}
