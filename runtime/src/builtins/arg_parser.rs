//! `arg_parser()` and the methods of the struct that it makes.
//!
//! The parser is an ordinary struct: its definitions are an array of dicts in
//! the field `_args`, which programs can look at.

use super::arguments::{check_none, fail};
use super::dicts::dict_of;
use super::records::{field, make_record, with_field};
use super::types::parse_float_text;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict, Record, Str};
use crate::semantics::convert::key_text;
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const STRUCT: &str = "ArgParser";
const DEFINITIONS: &str = "_args";
const APP_NAME: &str = "_app_name";
const DESCRIPTION: &str = "_description";

/// `arg_parser()`
pub fn arg_parser(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_none(ctx, args, "arg_parser")?;
    let fields = [
        (DEFINITIONS, Value::from(Array::new())),
        (APP_NAME, Value::string("")),
        (DESCRIPTION, Value::string("")),
    ];
    Ok(make_record(ctx, STRUCT, fields))
}

/// The receiver and the further arguments, if the receiver is a parser.
fn receiver<'a>(
    ctx: &mut VMContext,
    args: &'a [Value],
    method: &str,
) -> Result<(&'a Value, &'a [Value]), Raised> {
    if let Some((parser, rest)) = args.split_first()
        && let Some(record) = parser.as_object::<Record>()
        && ctx.program.name(record.shape().name) == STRUCT
    {
        return Ok((parser, rest));
    }
    fail(ctx, &format!("Unknown method: {method}"))
}

/// `p.add_argument(long, [short], key, value, …)`
pub fn add_argument(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (parser, rest) = receiver(ctx, args, "add_argument")?;
    let Some((long, mut rest)) = rest.split_first() else {
        return fail(ctx, "add_argument requires at least a long argument name");
    };
    let long = if long.as_str().is_some() {
        long.clone()
    } else {
        Value::string("")
    };
    let mut definition = dict_of([
        ("long", long),
        ("type", Value::string("string")),
        ("required", Value::FALSE),
    ]);
    let dict = definition.object_mut::<Dict>().expect("just made");
    if let Some((short, after)) = rest.split_first()
        && short.as_str().is_some_and(|text| text.starts_with('-'))
    {
        dict.insert_str(&Str::new("short"), short.clone());
        rest = after;
    }
    for pair in rest.chunks_exact(2) {
        let (Some(key), value) = (pair[0].as_object::<Str>(), &pair[1]) else {
            continue;
        };
        let accepted = match key.as_str() {
            "short" | "type" | "help" | "default" => value.as_str().is_some(),
            "required" => value.as_bool().is_some(),
            _ => false,
        };
        if accepted {
            dict.insert_str(key, value.clone());
        }
    }
    let mut definitions = field(ctx, parser, DEFINITIONS);
    match definitions.object_mut::<Array>() {
        Some(array) => array.push(definition),
        None => definitions = Value::from(Array::from_values([definition].into_iter())),
    }
    Ok(with_field(ctx, parser, DEFINITIONS, definitions))
}

/// One definition, read out of its dict.
struct Definition {
    long: String,
    short: Option<String>,
    kind: String,
    required: bool,
    help: String,
    default: Option<String>,
}

fn definitions(ctx: &VMContext, parser: &Value) -> Vec<Definition> {
    let value = field(ctx, parser, DEFINITIONS);
    let Some(array) = value.as_object::<Array>() else {
        return Vec::new();
    };
    array
        .iter()
        .filter_map(|definition| read_definition(definition.as_object()?))
        .collect()
}

fn read_definition(dict: &Dict) -> Option<Definition> {
    let mut definition = Definition {
        long: String::new(),
        short: None,
        kind: String::from("string"),
        required: false,
        help: String::new(),
        default: None,
    };
    for (key, value) in dict.iter() {
        let text = || value.as_str().map(String::from);
        match key_text(key).as_str() {
            "long" => definition.long = text()?,
            "short" => definition.short = text(),
            "type" => definition.kind = text()?,
            "required" => definition.required = value.as_bool()?,
            "help" => definition.help = text()?,
            "default" => definition.default = text(),
            _ => {}
        }
    }
    Some(definition)
}

impl Definition {
    /// The key of the option's value in the result.
    fn key(&self) -> &str {
        let mut name = self.long.as_str();
        while let Some(rest) = name.strip_prefix("--") {
            name = rest;
        }
        name
    }

    fn matches(&self, token: &str) -> bool {
        self.long == token || self.short.as_deref() == Some(token)
    }

    /// The value of an option that was not given.
    fn default_value(&self) -> Value {
        match (self.kind.as_str(), &self.default) {
            ("bool", default) => Value::bool(default.as_deref() == Some("true")),
            (_, None) => Value::NULL,
            ("int", Some(text)) => Value::int(text.parse().unwrap_or(0)),
            ("float", Some(text)) => Value::float(parse_float_text(text).unwrap_or(0.0)),
            (_, Some(text)) => Value::string(text),
        }
    }
}

/// `p.parse()`
pub fn parse(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (parser, _) = receiver(ctx, args, "parse")?;
    let definitions = definitions(ctx, parser);
    match parse_tokens(&definitions, &ctx.args) {
        Ok(result) => Ok(result),
        Err(message) => fail(ctx, &message),
    }
}

fn parse_tokens(definitions: &[Definition], tokens: &[String]) -> Result<Value, String> {
    let mut result = Dict::with_capacity(definitions.len());
    let dict = result.get_mut().expect("just made");
    let mut positional = Array::new();
    let mut tokens = tokens.iter();
    while let Some(token) = tokens.next() {
        if !token.starts_with('-') {
            positional
                .get_mut()
                .expect("just made")
                .push(Value::string(token));
            continue;
        }
        let found = definitions
            .iter()
            .find(|definition| definition.matches(token));
        let definition = found.ok_or_else(|| format!("Unknown argument: {token}"))?;
        let value = option_value(definition, &mut tokens)?;
        dict.insert_str(&Str::new(definition.key()), value);
    }
    if !positional.is_empty() {
        dict.insert_str(&Str::new("_positional"), Value::from(positional));
    }
    for definition in definitions {
        let key = Str::new(definition.key());
        if dict.contains(crate::heap::Key::from_str(&key)) {
            continue;
        }
        if definition.required {
            return Err(format!("Required argument {} is missing", definition.long));
        }
        dict.insert_str(&key, definition.default_value());
    }
    Ok(Value::from(result))
}

/// The value of an option whose name was just read.
fn option_value<'a>(
    definition: &Definition,
    tokens: &mut impl Iterator<Item = &'a String>,
) -> Result<Value, String> {
    let long = &definition.long;
    let mut next = || {
        tokens
            .next()
            .ok_or_else(|| format!("Argument {long} requires a value"))
    };
    match definition.kind.as_str() {
        "bool" => Ok(Value::TRUE),
        "string" => Ok(Value::string(next()?)),
        "int" => {
            let text = next()?;
            text.parse()
                .map(Value::int)
                .map_err(|_| format!("Argument {long} requires an integer value, got: {text}"))
        }
        "float" => {
            let text = next()?;
            parse_float_text(text)
                .map(Value::float)
                .ok_or_else(|| format!("Argument {long} requires a float value, got: {text}"))
        }
        other => Err(format!("Unknown argument type: {other}")),
    }
}

/// `p.help()`
pub fn help(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (parser, _) = receiver(ctx, args, "help")?;
    let (name, description) = (
        field(ctx, parser, APP_NAME),
        field(ctx, parser, DESCRIPTION),
    );
    let mut out = format!(
        "{}\n\n{}\n\nOptions:\n",
        name.as_str().unwrap_or_default(),
        description.as_str().unwrap_or_default()
    );
    for definition in definitions(ctx, parser) {
        out.push_str(&help_of(&definition));
    }
    Ok(Value::string(&out))
}

fn help_of(definition: &Definition) -> String {
    let Definition {
        long, kind, help, ..
    } = definition;
    let mut out = match &definition.short {
        Some(short) => format!("  {short}, {long}"),
        None => format!("      {long}"),
    };
    if kind != "bool" {
        out.push_str(&format!(" <{kind}>"));
    }
    if definition.required {
        out.push_str(" (required)");
    }
    if let Some(default) = &definition.default {
        out.push_str(&format!(" [default: {default}]"));
    }
    out.push('\n');
    if !help.is_empty() {
        out.push_str(&format!("        {help}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(long: &str, short: Option<&str>, kind: &str) -> Definition {
        Definition {
            long: long.into(),
            short: short.map(String::from),
            kind: kind.into(),
            required: false,
            help: String::new(),
            default: None,
        }
    }

    fn parsed(tokens: &[&str]) -> Result<usize, String> {
        let definitions = [
            definition("--verbose", Some("-v"), "bool"),
            definition("--name", Some("-n"), "string"),
            definition("--port", None, "int"),
        ];
        let tokens: Vec<String> = tokens.iter().map(|token| String::from(*token)).collect();
        let result = parse_tokens(&definitions, &tokens)?;
        Ok(result.as_object::<Dict>().expect("a dict").len())
    }

    #[test]
    fn tokens_are_options_or_positional() {
        assert_eq!(parsed(&["-n", "bob", "-v", "file1", "file2"]), Ok(4));
        assert_eq!(parsed(&[]), Ok(3));
        assert_eq!(parsed(&["--nme"]), Err("Unknown argument: --nme".into()));
        assert_eq!(
            parsed(&["--name"]),
            Err("Argument --name requires a value".into())
        );
        assert_eq!(
            parsed(&["--port", "x"]),
            Err("Argument --port requires an integer value, got: x".into())
        );
    }
}
