//! Durations and dates as text, and dates from text.

use super::super::arguments::fail;
use super::calendar::{Moment, days_to};
use super::check_capability;
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

/// `format_duration(ms)`
pub fn format_duration(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "format_duration")?;
    let [duration] = args else {
        let count = args.len();
        let message = format!("format_duration() expects 1 argument (milliseconds), got {count}");
        return fail(ctx, &message);
    };
    let Some(milliseconds) = duration.as_number() else {
        return fail(ctx, "format_duration requires a number argument");
    };
    let text = if milliseconds >= 1000.0 {
        format!("{:.2}s", milliseconds / 1000.0)
    } else if milliseconds >= 1.0 {
        format!("{milliseconds:.2}ms")
    } else if milliseconds >= 0.001 {
        format!("{:.2}\u{3bc}s", milliseconds * 1000.0)
    } else {
        format!("{:.0}ns", milliseconds * 1_000_000.0)
    };
    Ok(Value::string(&text))
}

/// Beyond this year either way, timestamps are refused.
const LAST_YEAR: i64 = 262_142;

/// `format_date(timestamp, format)`
pub fn format_date(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "format_date")?;
    let [timestamp, format] = args else {
        let count = args.len();
        let message = format!("format_date() expects 2 arguments (timestamp, format), got {count}");
        return fail(ctx, &message);
    };
    let Some(seconds) = timestamp.as_number() else {
        return fail(ctx, "format_date requires a number timestamp");
    };
    let Some(format) = format.as_str() else {
        return fail(
            ctx,
            "format_date requires timestamp (number) and format (string)",
        );
    };
    if !seconds.is_finite() {
        return Ok(Value::string(
            "Invalid timestamp: value must be a finite number",
        ));
    }
    let moment = match timestamp.tag() {
        Tag::Int => supported_moment(timestamp.payload() as i64),
        _ if seconds.abs() < 9.2e18 => supported_moment(seconds as i64),
        _ => None,
    };
    match moment {
        Some(moment) => Ok(Value::string(&fill(format, &moment))),
        None => Ok(Value::string(
            "Invalid timestamp: value is out of supported range",
        )),
    }
}

fn supported_moment(seconds: i64) -> Option<Moment> {
    // Far from the limits of the arithmetic, beyond every supported year.
    const FARTHEST: i64 = LAST_YEAR * 366 * 86_400;
    if !(-FARTHEST..=FARTHEST).contains(&seconds) {
        return None;
    }
    let moment = Moment::of(seconds);
    (-LAST_YEAR..=LAST_YEAR)
        .contains(&moment.year)
        .then_some(moment)
}

/// Replaces the tokens of a date format, one after the other.
pub(super) fn fill(format: &str, moment: &Moment) -> String {
    let year = match moment.year {
        0..=9999 => format!("{:04}", moment.year),
        other => format!("{other:+05}"),
    };
    let two_digits = |number: u32| format!("{number:02}");
    format
        .replace("YYYY", &year)
        .replace("MM", &two_digits(moment.month))
        .replace("DD", &two_digits(moment.day))
        .replace("HH", &two_digits(moment.hour))
        .replace("mm", &two_digits(moment.minute))
        .replace("ss", &two_digits(moment.second))
}

/// `parse_date(text, format)`
pub fn parse_date(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    const FORMAT: &str = "YYYY-MM-DD";
    check_capability(ctx, "parse_date")?;
    let [text, format] = args else {
        let message = format!(
            "parse_date() expects 2 arguments (date, format), got {}",
            args.len()
        );
        return fail(ctx, &message);
    };
    let (Some(text), Some(format)) = (text.as_str(), format.as_str()) else {
        return fail(ctx, "parse_date requires date string and format string");
    };
    if format != FORMAT {
        let message =
            format!("parse_date failed: unsupported format '{format}' (expected '{FORMAT}')");
        return fail(ctx, &message);
    }
    match parse_days(text) {
        Ok(days) => Ok(Value::float(days as f64 * 86_400.0)),
        Err(why) => {
            let message =
                format!("parse_date failed: '{text}' does not match format '{FORMAT}' ({why})");
            fail(ctx, &message)
        }
    }
}

const INVALID: &str = "input contains invalid characters";
const TOO_SHORT: &str = "premature end of input";
const TRAILING: &str = "trailing input";
const OUT_OF_RANGE: &str = "input is out of range";

/// Days from the Unix epoch to the date that a text names.
fn parse_days(text: &str) -> Result<i64, &'static str> {
    let mut rest = text.trim_start();
    let year = parse_year(&mut rest)?;
    skip_dash(&mut rest)?;
    let month = parse_two_digits(&mut rest, 12)?;
    skip_dash(&mut rest)?;
    let day = parse_two_digits(&mut rest, 31)?;
    if !rest.is_empty() {
        return Err(TRAILING);
    }
    days_to(year, month, day).ok_or(OUT_OF_RANGE)
}

/// A year: four digits at most, or any number of them behind a sign.
fn parse_year(rest: &mut &str) -> Result<i64, &'static str> {
    *rest = rest.trim_start();
    let (sign, limit) = match rest.as_bytes().first() {
        Some(b'-') => (-1, usize::MAX),
        Some(b'+') => (1, usize::MAX),
        _ => (1, 4),
    };
    if limit == usize::MAX {
        *rest = &rest[1..];
    }
    let digits = take_digits(rest, limit)?;
    let year: i64 = digits.parse().map_err(|_| OUT_OF_RANGE)?;
    if year > LAST_YEAR {
        return Err(OUT_OF_RANGE);
    }
    Ok(sign * year)
}

fn parse_two_digits(rest: &mut &str, max: u32) -> Result<u32, &'static str> {
    *rest = rest.trim_start();
    let number: u32 = take_digits(rest, 2)?.parse().map_err(|_| OUT_OF_RANGE)?;
    if number < 1 || number > max {
        Err(OUT_OF_RANGE)
    } else {
        Ok(number)
    }
}

/// One digit or more, `limit` at most.
fn take_digits<'a>(rest: &mut &'a str, limit: usize) -> Result<&'a str, &'static str> {
    let count = rest
        .bytes()
        .take(limit)
        .take_while(u8::is_ascii_digit)
        .count();
    if count == 0 {
        return Err(if rest.is_empty() { TOO_SHORT } else { INVALID });
    }
    let (digits, after) = rest.split_at(count);
    *rest = after;
    Ok(digits)
}

fn skip_dash(rest: &mut &str) -> Result<(), &'static str> {
    match rest.strip_prefix('-') {
        Some(after) => {
            *rest = after;
            Ok(())
        }
        None if rest.is_empty() => Err(TOO_SHORT),
        None => Err(INVALID),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_with_five_digits_are_signed() {
        let moment = Moment {
            year: 10_000,
            month: 1,
            day: 2,
            hour: 3,
            minute: 4,
            second: 5,
        };
        assert_eq!(
            fill("YYYY/MM/DD HH:mm:ss", &moment),
            "+10000/01/02 03:04:05"
        );
        assert_eq!(fill("YYYY", &Moment { year: -1, ..moment }), "-0001");
        assert_eq!(fill("summer", &moment), "su04er");
    }

    #[test]
    fn dates_are_parsed_or_refused_with_a_reason() {
        assert_eq!(parse_days("2024-2-3"), Ok(19_756));
        assert_eq!(parse_days("2024-13-01"), Err(OUT_OF_RANGE));
        assert_eq!(parse_days("2024-02-30"), Err(OUT_OF_RANGE));
        assert_eq!(parse_days("2024-02"), Err(TOO_SHORT));
        assert_eq!(parse_days("2024-02-03x"), Err(TRAILING));
        assert_eq!(parse_days("soon"), Err(INVALID));
    }
}
