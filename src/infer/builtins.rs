//! What the built-ins give, as far as it helps; anything not listed can give
//! anything.

use super::{Tags, Type};

/// What a built-in gives for arguments of these types, if it returns.
pub fn result_of_builtin(name: &str, args: &[Type]) -> Type {
    let first = args.first().copied().unwrap_or(Type::NONE);
    let second = args.get(1).copied().unwrap_or(Type::NONE);
    match name {
        "len" | "to_int" | "int" | "parse_int" | "has_key" | "count_chars" | "bit_and"
        | "bit_or" | "bit_xor" | "bit_not" | "bit_shl" | "bit_shr" | "index_of" | "queue_size"
        | "stack_size" => Type::of(Tags::INT),
        "to_float" | "float" | "parse_float" | "abs" | "floor" | "ceil" | "round" | "sin"
        | "cos" | "tan" | "exp" | "sqrt" | "log" | "pow" | "min" | "max" | "performance_now"
        | "time_us" | "time_ns" => Type::of(Tags::FLOAT),
        "to_string" | "string" | "str" | "type" | "type_of" | "substring" | "substr"
        | "to_upper" | "upper" | "to_lower" | "lower" | "capitalize" | "trim" | "trim_start"
        | "trim_end" | "char_at" | "replace" | "replace_str" | "join" | "repeat" | "pad_left"
        | "pad_right" | "pad_start" | "pad_end" | "str_reverse" | "format" | "input"
        | "to_json" => Type::of(Tags::STRING),
        "is_empty" | "starts_with" | "ends_with" | "to_bool" | "bool" | "any" | "all"
        | "is_int" | "is_float" | "is_string" | "is_bool" | "is_array" | "is_dict" | "is_null"
        | "is_function" => Type::of(Tags::BOOL),
        "contains" if first.is(Tags::STRING) => Type::of(Tags::INT),
        "contains" if first.is(Tags::ARRAY.union(Tags::DICT)) => Type::of(Tags::BOOL),
        "contains" => Type::of(Tags::INT.union(Tags::BOOL)),
        "print" | "println" | "eprint" | "debug" => Type::of(Tags::NULL),
        "args" | "split" | "lines" | "words" | "keys" => Type::array_of(Type::of(Tags::STRING)),
        "range" => Type::array_of(Type::of(Tags::INT)),
        "push" | "append" => {
            let mut result = first.without(Tags(!Tags::ARRAY.0));
            result.join_contents(1, second);
            result
        }
        "insert" => {
            let mut result = first.without(Tags(!Tags::ARRAY.0));
            result.join_contents(1, args.get(2).copied().unwrap_or(Type::ANY));
            result
        }
        // What is left, and what was taken out: 0 if there was nothing.
        "pop" | "remove_at" if first.is(Tags::ARRAY) => {
            let taken = first.contents().joined(Type::of(Tags::INT));
            Type::array_of(first.joined(taken))
        }
        "concat" => first.joined(second).without(Tags(!Tags::ARRAY.0)),
        "reverse" | "sort" | "take" | "skip" | "unique" | "remove_at_rest" => {
            first.without(Tags(!Tags::ARRAY.0))
        }
        "filter" => first.without(Tags(!Tags::ARRAY.0)),
        "slice" if first.is(Tags::ARRAY) => first,
        "values" if first.is(Tags::DICT) => Type::array_of(first.contents()),
        "find" if first.is(Tags::ARRAY) => first.contents().joined(Type::of(Tags::INT)),
        "map" => Type::array_of(Type::ANY),
        "sum" => Type::of(Tags::NUMBER),
        "get" | "get_default" => {
            let mut default = args.get(2).copied().unwrap_or(Type::of(Tags::NULL));
            // What is no key is not found, and not replaced either.
            let keys = Tags::INT.union(Tags::STRING);
            if name == "get" && second.tags().without(keys) != Tags::EMPTY {
                default.join(Type::of(Tags::NULL));
            }
            if first.is(Tags::DICT) {
                first.contents().joined(default)
            } else if first.is_none() {
                Type::NONE
            } else {
                Type::ANY
            }
        }
        "array" => Type::array_of(args.iter().fold(Type::NONE, |all, more| all.joined(*more))),
        "dict" => Type::container(Tags::DICT, Type::NONE),
        _ => Type::ANY,
    }
}

/// What a mutating method form gives, if there is one of that name.
pub fn result_of_change(name: &str, receiver: Type, args: &[Type]) -> Option<Type> {
    let is_array = receiver.is(Tags::ARRAY);
    match name {
        "push" | "append" | "insert" | "remove" | "clear" if is_array => {
            Some(change_of_receiver(name, receiver, args))
        }
        // Null if there is none.
        "pop" if is_array => Some(receiver.contents().joined(Type::of(Tags::NULL))),
        "remove_at" if is_array => Some(receiver.contents()),
        "push" | "append" | "insert" | "remove" | "clear" | "pop" | "remove_at" | "update" => {
            Some(Type::ANY)
        }
        _ => None,
    }
}

/// What a mutating method form adds to its receiver.
pub fn change_of_receiver(name: &str, receiver: Type, args: &[Type]) -> Type {
    let mut result = receiver;
    match name {
        "push" | "append" => result.join_contents(1, args.first().copied().unwrap_or(Type::ANY)),
        "insert" => result.join_contents(1, args.get(1).copied().unwrap_or(Type::ANY)),
        "update" => {
            result.join_contents(1, args.first().map_or(Type::ANY, |other| other.contents()));
        }
        // The others only take something away, or change opaque containers.
        _ => {}
    }
    result
}
