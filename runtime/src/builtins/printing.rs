//! What writes to the standard streams, and `format`.

use super::arguments::fail;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict};
use crate::output::write_all;
use crate::semantics::convert::{debug_form, display, technical};
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

/// `print(...)`, `println(...)`
pub fn print(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let line = line_of(ctx, args);
    ctx.output.write(&line);
    Ok(Value::NULL)
}

/// `eprint(...)`
pub fn eprint(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let line = line_of(ctx, args);
    // What was printed before comes first where both streams meet.
    ctx.output.flush();
    write_all(2, line.as_bytes());
    Ok(Value::NULL)
}

/// The display forms, separated by spaces, and a line feed.
fn line_of(ctx: &VMContext, args: &[Value]) -> String {
    let mut line = String::new();
    for (index, value) in args.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        display(ctx, value, &mut line);
    }
    line.push('\n');
    line
}

/// `debug(...)`
pub fn debug(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let mut line = String::from("[DEBUG] ");
    for (index, value) in args.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(&debug_form(ctx, value));
    }
    line.push('\n');
    ctx.output.write(&line);
    Ok(Value::NULL)
}

/// `format(template, ...)`
pub fn format(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [template, values @ ..] = args else {
        return fail(ctx, "format() requires at least 1 argument (template)");
    };
    let Some(template) = template.as_str() else {
        return fail(ctx, "format() first argument must be a string");
    };
    let mut out = String::with_capacity(template.len());
    let mut values = values.iter();
    let mut rest = template;
    while let Some(percent) = rest.find('%') {
        out.push_str(&rest[..percent]);
        let directive = rest.as_bytes().get(percent + 1).copied();
        match directive {
            Some(b'%') => out.push('%'),
            Some(kind @ (b's' | b'd' | b'f')) => {
                let Some(value) = values.next() else {
                    let kind = kind as char;
                    return fail(
                        ctx,
                        &format!("format() missing argument for placeholder %{kind}"),
                    );
                };
                fill_placeholder(ctx, kind, value, &mut out)?;
            }
            _ => {
                // Not a placeholder: the percent sign stands for itself.
                out.push('%');
                rest = &rest[percent + 1..];
                continue;
            }
        }
        rest = &rest[percent + 2..];
    }
    out.push_str(rest);
    Ok(Value::string(&out))
}

fn fill_placeholder(
    ctx: &mut VMContext,
    kind: u8,
    value: &Value,
    out: &mut String,
) -> Result<(), Raised> {
    match (kind, value.tag()) {
        (b's', _) => placeholder_text(ctx, value, out),
        (b'd', Tag::Int) => display(ctx, value, out),
        (b'd', Tag::Bool) => out.push(if value.payload() != 0 { '1' } else { '0' }),
        (b'd', Tag::Float) => {
            let number = value.as_float().expect("the tag says so");
            display(ctx, &Value::int(number as i64), out);
        }
        (b'f', Tag::Int | Tag::Float) => {
            let number = value.as_number().expect("the tag says so");
            display(ctx, &Value::float(number), out);
        }
        _ => {
            let (kind, got) = (kind as char, technical(ctx, value));
            return fail(
                ctx,
                &format!("format() %{kind} requires numeric argument, got {got}"),
            );
        }
    }
    Ok(())
}

fn placeholder_text(ctx: &VMContext, value: &Value, out: &mut String) {
    match value.tag() {
        Tag::String | Tag::Int | Tag::Float | Tag::Bool | Tag::Null => display(ctx, value, out),
        _ if value.as_object::<Array>().is_some() => out.push_str("[Array]"),
        _ if value.as_object::<Dict>().is_some() => out.push_str("{Dict}"),
        _ => out.push_str(&technical(ctx, value)),
    }
}
