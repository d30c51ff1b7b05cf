//! Names of Ruff as C spells them.

/// Words that C or C++ has for itself, and those that headers give arguments.
const RESERVED: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "context",
    "continue",
    "co_await",
    "co_return",
    "co_yield",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "result",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    "size_t",
    "int64_t",
    "linux",
    "unix",
    "errno",
    "assert",
];

/// A name with every character that C might not know replaced by its number.
pub fn identifier(name: &str) -> String {
    let mut spelled = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            spelled.push(letter);
        } else if letter.is_ascii() {
            spelled.push('_');
        } else {
            spelled.push_str(&format!("u{:x}", letter as u32));
        }
    }
    spelled
}

/// A member's name.
pub fn member(name: &str) -> String {
    let mut spelled = identifier(name);
    if RESERVED.contains(&spelled.as_str()) {
        spelled.push('_');
    }
    spelled
}

/// A parameter's name, unlike the others'.
pub fn parameter(name: &str, used: &mut Vec<String>) -> String {
    let mut spelled = member(name);
    while used.contains(&spelled) {
        spelled.push('_');
    }
    used.push(spelled.clone());
    // So is the argument that goes with it.
    used.push(format!("{spelled}_length"));
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_c() {
        assert_eq!(identifier("café-1"), "cafue9_1");
        let mut used = Vec::new();
        let names = ["class", "x", "x_length", "result"].map(|name| parameter(name, &mut used));
        assert_eq!(names, ["class_", "x", "x_length_", "result_"]);
    }
}
