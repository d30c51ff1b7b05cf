//! JSON: `parse_json`, `to_json`, `to_json_pretty`.

use super::super::arguments::fail;
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::Value;
use alloc::format;

mod number;
mod parse;
mod scan;
mod text;
mod write;

pub use write::write_float;

/// Bytes of text that may be parsed.
const MAX_SIZE: usize = 1_048_576;
/// Levels that a value may be below the root.
const MAX_DEPTH: usize = 64;

/// `parse_json(text)`
pub fn parse_json(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = match args {
        [text] => text.as_str(),
        _ => None,
    };
    let Some(text) = text else {
        return fail(ctx, "parse_json requires a string argument");
    };
    if text.len() > MAX_SIZE {
        let message = format!("JSON input exceeds maximum input size of {MAX_SIZE} bytes");
        return fail(ctx, &message);
    }
    match parse::parse(text) {
        Ok(parsed) if parsed.depth <= MAX_DEPTH => Ok(parsed.value),
        Ok(_) => {
            let message = format!("JSON input exceeds maximum nesting depth of {MAX_DEPTH}");
            fail(ctx, &message)
        }
        Err(error) => {
            let (line, column) = error.line_and_column(text);
            let what = error.what;
            fail(
                ctx,
                &format!("JSON parse error: {what} at line {line} column {column}"),
            )
        }
    }
}

/// `to_json(value)`
pub fn to_json(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_json requires a value argument");
    };
    write::write::<false>(ctx, value)
}

/// `to_json_pretty(value)`
pub fn to_json_pretty(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_json_pretty requires a value argument");
    };
    write::write::<true>(ctx, value)
}
