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
    pub builtin: &'static str,
    /// Changes the receiver in place (`Builtin::mutate`).
    pub mutates: bool,
}

/// Built-ins that have forms of one kind.
struct Row {
    receiver: Tag,
    /// What the method's name lacks of the built-in's.
    prefix: &'static str,
    mutates: bool,
    /// The built-ins' names, in one text, as every program that calls a method
    /// holds them.
    builtins: &'static str,
}

/// A row of forms that are named like their built-ins.
const fn same(receiver: Tag, builtins: &'static str) -> Row {
    prefixed(receiver, "", builtins)
}

const fn prefixed(receiver: Tag, prefix: &'static str, builtins: &'static str) -> Row {
    Row {
        receiver,
        prefix,
        mutates: false,
        builtins,
    }
}

/// A row of forms that change their receiver.
const fn mutating(receiver: Tag, prefix: &'static str, builtins: &'static str) -> Row {
    Row {
        mutates: true,
        ..prefixed(receiver, prefix, builtins)
    }
}

const ROWS: &[Row] = &[
    same(
        Tag::String,
        "len is_empty count_chars upper to_upper lower to_lower capitalize trim trim_start trim_end \
         contains starts_with ends_with index_of replace replace_str split substring substr char_at \
         repeat pad_left pad_right pad_start pad_end lines words str_reverse slugify truncate \
         to_camel_case to_snake_case to_kebab_case to_int to_float to_bool to_string",
    ),
    same(
        Tag::Array,
        "map filter reduce take skip zip enumerate flatten chunk len contains index_of slice concat \
         join find any all sort reverse unique sum windows to_string",
    ),
    same(
        Tag::Dict,
        "len keys values items has_key contains get get_default merge invert to_string",
    ),
    same(Tag::Bytes, "len slice"),
    same(Tag::Int, SCALAR),
    same(Tag::Float, SCALAR),
    same(Tag::Bool, SCALAR),
    same(Tag::Null, SCALAR),
    same(Tag::Set, "len"),
    same(Tag::Queue, "len"),
    same(Tag::Stack, "len"),
    // Of the structs that built-ins make.
    prefixed(
        Tag::Struct,
        "arg_parser_",
        "arg_parser_add_argument arg_parser_parse arg_parser_help",
    ),
    prefixed(
        Tag::Set,
        "set_",
        "set_has set_union set_intersect set_difference set_to_array",
    ),
    prefixed(
        Tag::Queue,
        "queue_",
        "queue_size queue_peek queue_is_empty queue_to_array",
    ),
    prefixed(
        Tag::Stack,
        "stack_",
        "stack_size stack_peek stack_is_empty stack_to_array",
    ),
    mutating(
        Tag::Array,
        "",
        "push append insert remove clear pop remove_at",
    ),
    mutating(Tag::Dict, "", "update clear remove"),
    mutating(Tag::Set, "set_", "set_add set_remove"),
    mutating(Tag::Queue, "queue_", "queue_enqueue queue_dequeue"),
    mutating(Tag::Stack, "stack_", "stack_push stack_pop"),
];

const SCALAR: &str = "to_string to_int to_float to_bool";

/// Forms of arrays that other receivers have too: their built-ins then say
/// what they expect (reference, builtins-core 19.1).
const ARRAY_ONLY: &str = "map filter reduce take skip zip enumerate flatten chunk";

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

/// The forms that a method's name may stand for, over all receivers.
pub fn forms(method: &str) -> impl Iterator<Item = Form> + '_ {
    let array_only = NO_ARRAYS.iter().map(|receiver| same(*receiver, ARRAY_ONLY));
    let rows = ROWS.iter().map(|row| Row { ..*row }).chain(array_only);
    rows.filter_map(move |row| {
        let mut builtins = row.builtins.split(' ');
        let builtin = builtins.find(|name| name.strip_prefix(row.prefix) == Some(method))?;
        Some(Form {
            receiver: row.receiver,
            builtin,
            mutates: row.mutates,
        })
    })
}
