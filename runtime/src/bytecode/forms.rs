//! Which built-ins have a method form: `v.m(args…)` for `m(v, args…)`.
//!
//! The lowering lists the built-ins that a method's name may stand for in
//! the program's table; running code finds them there by receiver and name.

use crate::value::Tag;

/// A method form of a built-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The kind of receiver that has it.
    pub receiver: Tag,
    pub method: &'static str,
    pub builtin: &'static str,
    /// Changes the receiver in place (`Builtin::mutate`).
    pub mutates: bool,
}

/// Forms named like their built-in, by receiver.
const SAME_NAME: &[(Tag, &[&str])] = &[
    (
        Tag::String,
        &[
            "len",
            "is_empty",
            "count_chars",
            "upper",
            "to_upper",
            "lower",
            "to_lower",
            "capitalize",
            "trim",
            "trim_start",
            "trim_end",
            "contains",
            "starts_with",
            "ends_with",
            "index_of",
            "replace",
            "replace_str",
            "split",
            "substring",
            "substr",
            "char_at",
            "repeat",
            "pad_left",
            "pad_right",
            "pad_start",
            "pad_end",
            "lines",
            "words",
            "str_reverse",
            "slugify",
            "truncate",
            "to_camel_case",
            "to_snake_case",
            "to_kebab_case",
            "to_int",
            "to_float",
            "to_bool",
            "to_string",
        ],
    ),
    (
        Tag::Array,
        &[
            "map",
            "filter",
            "reduce",
            "take",
            "skip",
            "zip",
            "enumerate",
            "flatten",
            "chunk",
            "len",
            "contains",
            "index_of",
            "slice",
            "concat",
            "join",
            "find",
            "any",
            "all",
            "sort",
            "reverse",
            "unique",
            "sum",
            "windows",
            "to_string",
        ],
    ),
    (
        Tag::Dict,
        &[
            "len",
            "keys",
            "values",
            "items",
            "has_key",
            "contains",
            "get",
            "get_default",
            "merge",
            "invert",
            "to_string",
        ],
    ),
    (Tag::Bytes, &["len", "slice"]),
    (Tag::Int, SCALAR),
    (Tag::Float, SCALAR),
    (Tag::Bool, SCALAR),
    (Tag::Null, SCALAR),
    (Tag::Set, &["len"]),
    (Tag::Queue, &["len"]),
    (Tag::Stack, &["len"]),
];

const SCALAR: &[&str] = &["to_string", "to_int", "to_float", "to_bool"];

/// Forms of arrays that other receivers have too: their built-ins then say
/// what they expect (reference, builtins-core 19.1).
const ARRAY_ONLY: &[&str] = &[
    "map",
    "filter",
    "reduce",
    "take",
    "skip",
    "zip",
    "enumerate",
    "flatten",
    "chunk",
];

/// The receivers that have the forms of `ARRAY_ONLY`, arrays aside.
const NO_ARRAYS: &[Tag] = &[
    Tag::Null,
    Tag::Bool,
    Tag::Int,
    Tag::Float,
    Tag::Builtin,
    Tag::String,
    Tag::Dict,
    Tag::Variant,
    Tag::Function,
    Tag::BoundMethod,
    Tag::Bytes,
    Tag::Set,
    Tag::Queue,
    Tag::Stack,
];

/// Forms with another name than their built-in, by receiver.  A struct's are
/// those of the structs that built-ins make.
const PREFIXED: &[(Tag, &str, &str)] = &[
    (Tag::Struct, "add_argument", "arg_parser_add_argument"),
    (Tag::Struct, "parse", "arg_parser_parse"),
    (Tag::Struct, "help", "arg_parser_help"),
    (Tag::Set, "has", "set_has"),
    (Tag::Set, "union", "set_union"),
    (Tag::Set, "intersect", "set_intersect"),
    (Tag::Set, "difference", "set_difference"),
    (Tag::Set, "to_array", "set_to_array"),
    (Tag::Queue, "size", "queue_size"),
    (Tag::Queue, "peek", "queue_peek"),
    (Tag::Queue, "is_empty", "queue_is_empty"),
    (Tag::Queue, "to_array", "queue_to_array"),
    (Tag::Stack, "size", "stack_size"),
    (Tag::Stack, "peek", "stack_peek"),
    (Tag::Stack, "is_empty", "stack_is_empty"),
    (Tag::Stack, "to_array", "stack_to_array"),
];

/// Forms that change their receiver.
const MUTATING: &[(Tag, &str, &str)] = &[
    (Tag::Array, "push", "push"),
    (Tag::Array, "append", "append"),
    (Tag::Array, "insert", "insert"),
    (Tag::Array, "remove", "remove"),
    (Tag::Array, "clear", "clear"),
    (Tag::Array, "pop", "pop"),
    (Tag::Array, "remove_at", "remove_at"),
    (Tag::Dict, "update", "update"),
    (Tag::Dict, "clear", "clear"),
    (Tag::Dict, "remove", "remove"),
    (Tag::Set, "add", "set_add"),
    (Tag::Set, "remove", "set_remove"),
    (Tag::Queue, "enqueue", "queue_enqueue"),
    (Tag::Queue, "dequeue", "queue_dequeue"),
    (Tag::Stack, "push", "stack_push"),
    (Tag::Stack, "pop", "stack_pop"),
];

/// The forms that a method's name may stand for, over all receivers.
pub fn forms(method: &str) -> impl Iterator<Item = Form> + '_ {
    let same = SAME_NAME.iter().flat_map(move |(receiver, names)| {
        names
            .iter()
            .filter(move |name| **name == method)
            .map(move |name| Form {
                receiver: *receiver,
                method: name,
                builtin: name,
                mutates: false,
            })
    });
    let prefixed = PREFIXED
        .iter()
        .map(|row| (row, false))
        .chain(MUTATING.iter().map(|row| (row, true)));
    let array_only = ARRAY_ONLY
        .iter()
        .filter(move |name| **name == method)
        .flat_map(|name| {
            NO_ARRAYS.iter().map(move |receiver| Form {
                receiver: *receiver,
                method: name,
                builtin: name,
                mutates: false,
            })
        });
    let prefixed = prefixed
        .filter(move |(row, _)| row.1 == method)
        .map(|(row, mutates)| Form {
            receiver: row.0,
            method: row.1,
            builtin: row.2,
            mutates,
        });
    same.chain(array_only).chain(prefixed)
}
