//! Words for types and names.

use crate::infer::{Tags, Type};
use ruff_runtime::bytecode::Program;
use ruff_runtime::value::Tag;

/// Kinds that are named one by one; more of them are anything.
const MOST_KINDS: usize = 4;

/// What a value can be: `int`, `array of float`, `int or null`, `anything`.
pub fn type_words(program: &Program, ty: Type) -> String {
    kinds(program, ty, 0)
}

fn kinds(program: &Program, ty: Type, depth: usize) -> String {
    let ty = ty.without(Tags::UNSET);
    let names: Vec<String> = KINDS
        .iter()
        .filter(|(tag, _)| ty.may_be(Tags::one(*tag)))
        .map(|(tag, name)| match tag {
            Tag::Struct => structure(program, ty),
            Tag::Array | Tag::Dict if depth < 2 => {
                // Of one that is among others, the contents are anybody's.
                let contents = ty.contents();
                let inner = kinds(program, contents, depth + 1);
                match ty.tags().single() {
                    Some(_) if !contents.is_none() && inner != ANYTHING => {
                        format!("{name} of {inner}")
                    }
                    _ => (*name).to_owned(),
                }
            }
            _ => (*name).to_owned(),
        })
        .collect();
    match &names[..] {
        [] if ty.is_none() => "nothing".to_owned(),
        [] => ANYTHING.to_owned(),
        [one] => one.clone(),
        [most @ .., last] if names.len() <= MOST_KINDS => {
            format!("{} or {last}", most.join(", "))
        }
        _ => ANYTHING.to_owned(),
    }
}

/// What is said of a value that can be of many kinds.
pub const ANYTHING: &str = "anything";

const KINDS: &[(Tag, &str)] = &[
    (Tag::Int, "int"),
    (Tag::Float, "float"),
    (Tag::Bool, "bool"),
    (Tag::String, "string"),
    (Tag::Array, "array"),
    (Tag::Dict, "dict"),
    (Tag::Struct, "struct"),
    (Tag::Variant, "variant"),
    (Tag::Function, "function"),
    (Tag::Builtin, "built-in"),
    (Tag::BoundMethod, "method"),
    (Tag::Generator, "generator"),
    (Tag::Promise, "promise"),
    (Tag::Bytes, "bytes"),
    (Tag::Null, "null"),
];

fn structure(program: &Program, ty: Type) -> String {
    match ty.declaration() {
        Some(declaration) => {
            let name = program.structs[declaration as usize].name;
            program.names[name as usize].to_string()
        }
        None => "struct".to_owned(),
    }
}

/// How a function is called in a sentence.
pub fn function(name: &str) -> String {
    match name {
        "<lambda>" => "the function here".to_owned(),
        _ if name.starts_with('<') => "the top level".to_owned(),
        _ => format!("`{name}`"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
