//! Values as hosts see them: copies, without ties to the program.

use ruff_runtime::heap::{Array, Dict};
use ruff_runtime::value::{self, Tag};

/// A copy of a program's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    /// In insertion order; keys are ints or strings.
    Dict(Vec<(Value, Value)>),
    /// Something that means nothing outside its program.
    Other(Tag),
}

impl Value {
    pub(super) fn copied(value: &value::Value) -> Value {
        match value.tag() {
            Tag::Unset | Tag::Null => Value::Null,
            Tag::Bool => Value::Bool(value.as_bool().unwrap_or_default()),
            Tag::Int => Value::Int(value.as_int().unwrap_or_default()),
            Tag::Float => Value::Float(value.as_float().unwrap_or_default()),
            Tag::String => Value::String(value.as_str().unwrap_or_default().to_owned()),
            other => {
                if let Some(array) = value.as_object::<Array>() {
                    Value::Array(
                        array
                            .iter()
                            .map(|element| Value::copied(&element))
                            .collect(),
                    )
                } else if let Some(dict) = value.as_object::<Dict>() {
                    let entries = dict.iter();
                    Value::Dict(
                        entries
                            .map(|(key, value)| (Value::copied(key), Value::copied(value)))
                            .collect(),
                    )
                } else {
                    Value::Other(other)
                }
            }
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}
