//! Regular expressions.
//!
//! A pattern that is not valid matches nothing; that is the reference's way.

use super::super::arguments::{fail, text_at};
use super::super::arrays::Collector;
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::Value;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use regex::Regex;

/// Patterns that were used last, newest at the end; `None` for invalid ones.
#[derive(Default)]
struct Compiled {
    patterns: Vec<(String, Option<Rc<Regex>>)>,
}

/// Patterns that stay compiled.
const KEPT_PATTERNS: usize = 32;

/// The compiled pattern; `None` if it is invalid.
fn compile(ctx: &mut VMContext, pattern: &str) -> Option<Rc<Regex>> {
    let known = ctx.kept::<Compiled>();
    let found = known.patterns.iter().rposition(|(text, _)| text == pattern);
    if let Some(position) = found {
        return known.patterns[position].1.clone();
    }
    let regex = Regex::new(pattern).ok().map(Rc::new);
    if known.patterns.len() == KEPT_PATTERNS {
        known.patterns.remove(0);
    }
    known.patterns.push((String::from(pattern), regex.clone()));
    regex
}

/// `regex_match(text, pattern)`
pub fn regex_match(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(pattern)) = (text_at(args, 0), text_at(args, 1)) else {
        return fail(
            ctx,
            "regex_match requires two string arguments (text, pattern)",
        );
    };
    let regex = compile(ctx, pattern.as_str());
    Ok(Value::bool(
        regex.is_some_and(|regex| regex.is_match(text.as_str())),
    ))
}

/// `regex_find_all(text, pattern)`
pub fn regex_find_all(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(pattern)) = (text_at(args, 0), text_at(args, 1)) else {
        return fail(
            ctx,
            "regex_find_all requires two string arguments (text, pattern)",
        );
    };
    let mut found = Collector::new(0);
    if let Some(regex) = compile(ctx, pattern.as_str()) {
        for part in regex.find_iter(text.as_str()) {
            found.push(Value::string(part.as_str()));
        }
    }
    Ok(found.finish())
}

/// `regex_replace(text, pattern, replacement)`
pub fn regex_replace(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(pattern), Some(replacement)) =
        (text_at(args, 0), text_at(args, 1), text_at(args, 2))
    else {
        let message = "regex_replace requires three string arguments (text, pattern, replacement)";
        return fail(ctx, message);
    };
    let Some(regex) = compile(ctx, pattern.as_str()) else {
        return Ok(args[0].clone());
    };
    Ok(Value::string(
        &regex.replace_all(text.as_str(), replacement.as_str()),
    ))
}

/// `regex_split(text, pattern)`
pub fn regex_split(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(text), Some(pattern)) = (text_at(args, 0), text_at(args, 1)) else {
        return fail(
            ctx,
            "regex_split requires two string arguments (text, pattern)",
        );
    };
    let mut pieces = Collector::new(0);
    match compile(ctx, pattern.as_str()) {
        Some(regex) => {
            for piece in regex.split(text.as_str()) {
                pieces.push(Value::string(piece));
            }
        }
        None => pieces.push(args[0].clone()),
    }
    Ok(pieces.finish())
}
