//! What a plain scalar stands for: YAML's core schema, with binary ints.

use crate::value::Value;

/// The meaning of a text without quotes.
pub enum Plain {
    /// Null, a bool, an int or a float.
    Value(Value),
    /// An int that is too large even for an unsigned word.
    TooLarge,
    /// Just a string.
    Text,
}

/// Decides what a plain scalar is.
pub fn resolve(text: &str) -> Plain {
    match text {
        "" | "null" | "Null" | "NULL" | "~" => return Plain::Value(Value::NULL),
        "true" | "True" | "TRUE" => return Plain::Value(Value::TRUE),
        "false" | "False" | "FALSE" => return Plain::Value(Value::FALSE),
        _ => {}
    }
    if has_idle_zero(text) {
        return Plain::Text;
    }
    resolve_int(text)
        .or_else(|| resolve_float(text))
        .unwrap_or(Plain::Text)
}

/// Digits with a zero before them are no number.
fn has_idle_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn resolve_int(text: &str) -> Option<Plain> {
    let (is_negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let radixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed = radixes
        .into_iter()
        .find_map(|(prefix, radix)| Some((magnitude.strip_prefix(prefix)?, radix)));
    let (digits, radix) = prefixed.unwrap_or((magnitude, 10));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let Ok(magnitude) = u64::from_str_radix(digits, radix) else {
        return Some(Plain::TooLarge);
    };
    let number = if is_negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    Some(match number {
        Some(number) => Plain::Value(Value::int(number)),
        None if is_negative => Plain::TooLarge,
        None => Plain::Value(Value::float(magnitude as f64)),
    })
}

fn resolve_float(text: &str) -> Option<Plain> {
    let unsigned = match text.strip_prefix('+') {
        Some(rest) if rest.starts_with(['+', '-']) => return None,
        Some(rest) => rest,
        None => text,
    };
    let number = match unsigned {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        // Other spellings of what is not finite are strings.
        _ => unsigned
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())?,
    };
    Some(Plain::Value(Value::float(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match resolve(text) {
            Plain::Value(value) => crate::semantics::convert::type_name(&value),
            Plain::TooLarge => "too large",
            Plain::Text => "text",
        }
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for text in [
            "yes",
            "017",
            "2024-01-01",
            "nan",
            "inf",
            "1_000",
            "0x",
            "+-1",
            "-",
            "1e999",
        ] {
            assert_eq!(kind(text), "text", "{text}");
        }
        for text in ["1", "-1", "+1", "0x1f", "-0o17", "0b101", "0"] {
            assert_eq!(kind(text), "int", "{text}");
        }
        for text in [
            "1.5",
            ".5",
            "1e3",
            ".inf",
            "-.INF",
            ".nan",
            "9223372036854775808",
        ] {
            assert_eq!(kind(text), "float", "{text}");
        }
        assert_eq!(kind("99999999999999999999"), "too large");
        assert_eq!((kind("~"), kind("TRUE")), ("null", "bool"));
    }
}
