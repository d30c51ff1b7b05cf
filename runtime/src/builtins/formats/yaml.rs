//! YAML: `parse_yaml` and `to_yaml`.

use super::super::arguments::fail;
use crate::context::VMContext;
use crate::error::Raised;
use crate::semantics::convert::technical;
use crate::value::Value;
use alloc::format;

mod load;
mod scalar;
mod write;

/// `parse_yaml(text)`
pub fn parse_yaml(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let text = match args {
        [text] => text.as_str(),
        _ => None,
    };
    let Some(text) = text else {
        return fail(ctx, "parse_yaml requires a string argument");
    };
    match load::load(ctx, text) {
        Ok(value) => Ok(value),
        Err(message) => fail(ctx, &format!("YAML parse error: {message}")),
    }
}

/// `to_yaml(value)`
pub fn to_yaml(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [value] = args else {
        return fail(ctx, "to_yaml requires a value argument");
    };
    match write::write(value) {
        Ok(text) => Ok(Value::string(&text)),
        Err(foreign) => {
            let form = technical(ctx, &foreign);
            fail(ctx, &format!("Cannot convert {form} to YAML"))
        }
    }
}
