//! TOML: `parse_toml` and `to_toml`.

use super::super::arguments::fail;
use super::super::arrays::Collector;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Dict, Str};
use crate::semantics::convert::technical;
use crate::value::Value;
use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

mod write;

/// `parse_toml(text)`
pub fn parse_toml(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = match args {
        [text] => text.as_str(),
        _ => None,
    };
    let Some(text) = text else {
        return fail(ctx, "parse_toml requires a string argument");
    };
    let parsed = match DeTable::parse(text) {
        Ok(table) => table_value(text, table.get_ref()),
        Err(mut error) => {
            error.set_input(Some(text));
            Err(String::from(error.to_string().trim_end()))
        }
    };
    match parsed {
        Ok(value) => Ok(value),
        Err(message) => fail(ctx, &format!("TOML parse error: {message}")),
    }
}

fn table_value(text: &str, table: &DeTable) -> Result<Value, String> {
    // The parser sorts by key; the order of the document is that of positions.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut dict = Dict::with_capacity(entries.len());
    let target = dict.get_mut().expect("just made");
    for (key, value) in entries {
        target.insert_str(&Str::new(key.get_ref()), value_of(text, value)?);
    }
    Ok(Value::from(dict))
}

fn value_of(text: &str, value: &Spanned<DeValue>) -> Result<Value, String> {
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::string(text),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::int(number),
            Err(_) => return Err(too_large(text, value.span().start)),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::float(number),
            Err(_) => return Err(too_large(text, value.span().start)),
        },
        DeValue::Boolean(value) => Value::bool(*value),
        DeValue::Datetime(moment) => Value::string(&moment.to_string()),
        DeValue::Array(array) => {
            let mut elements = Collector::new(array.len());
            for element in array {
                elements.push(value_of(text, element)?);
            }
            elements.finish()
        }
        DeValue::Table(table) => table_value(text, table)?,
    })
}

fn too_large(text: &str, position: usize) -> String {
    let before = &text[..position];
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|character| *character != '\n')
        .count()
        + 1;
    format!("TOML parse error at line {line}, column {column}\nnumber out of range")
}

/// `to_toml(value)`
pub fn to_toml(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_toml requires a value argument");
    };
    if let Some(foreign) = write::unwritable(value) {
        let form = technical(ctx, &foreign);
        return fail(ctx, &format!("Cannot convert {form} to TOML"));
    }
    match value.as_object::<Dict>() {
        Some(root) => Ok(Value::string(&write::write(root))),
        None => fail(ctx, "TOML serialization error: unsupported rust type"),
    }
}
