//! The header of a library, for C and C++.
//!
//! It stands alone: the part that all libraries share is in each header, and
//! counts once.

use super::{CType, Function, Interface, Struct};
use std::fmt::Write as _;

/// What all headers share.
const COMMON: &str = include_str!("header/common.h");

/// The text of the header.
pub fn text(interface: &Interface) -> String {
    let library = &interface.library;
    let guard = format!("RUFF_LIBRARY_{}_H", library.to_ascii_uppercase());
    let mut out = format!(
        "/* {library}: a library written in Ruff, made from {script} by ruffc.\n * Made anew with every build; changes get lost.\n */\n#ifndef {guard}\n#define {guard}\n\n",
        script = interface.script,
    );
    out.push_str(COMMON);
    out.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    let _ = write!(
        out,
        "\n/* The library, for `ruff_context_new`. */\nRUFF_API const ruff_library *ruff_library_{library}(void);\n"
    );
    for row in &interface.structs {
        structure(&mut out, interface, row);
    }
    for row in &interface.functions {
        function(&mut out, interface, row);
    }
    let _ = write!(
        out,
        "\n#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {guard} */\n"
    );
    out
}

fn structure(out: &mut String, interface: &Interface, row: &Struct) {
    let _ = writeln!(out, "\n/* `{}` */\nstruct {} {{", row.name, row.tag);
    for field in &row.fields {
        let _ = writeln!(out, "    {};", declared(interface, field.ty, &field.c_name));
    }
    out.push_str("};\n");
}

fn function(out: &mut String, interface: &Interface, row: &Function) {
    let _ = writeln!(out, "\n/* `{}`", row.name);
    for line in &row.docs {
        let _ = writeln!(out, " *{}{line}", if line.is_empty() { "" } else { " " });
    }
    out.push_str(" */\n");
    let mut params = vec!["ruff_context *context".to_owned()];
    for param in &row.params {
        parameter(interface, param.ty, &param.name, &mut params);
    }
    match row.result {
        CType::Null => {}
        CType::Value => params.push("ruff_value **result".to_owned()),
        ty => params.push(declared(interface, ty, "*result")),
    }
    let _ = writeln!(
        out,
        "RUFF_API ruff_status {}({});",
        row.symbol,
        params.join(", ")
    );
}

/// A declaration of something with a type, as a field or behind a pointer.
fn declared(interface: &Interface, ty: CType, name: &str) -> String {
    match ty {
        CType::Null => format!("char {name}"),
        CType::Bool => format!("bool {name}"),
        CType::Int => format!("int64_t {name}"),
        CType::Float => format!("double {name}"),
        CType::String => format!("ruff_string {name}"),
        CType::Ints => format!("ruff_ints {name}"),
        CType::Floats => format!("ruff_floats {name}"),
        CType::Value => format!("ruff_value *{name}"),
        CType::Struct(number) => format!("struct {} {name}", interface.structs[number].tag),
    }
}

fn parameter(interface: &Interface, ty: CType, name: &str, params: &mut Vec<String>) {
    let slice = |element: &str| {
        [
            format!("const {element} *{name}"),
            format!("size_t {name}_length"),
        ]
    };
    match ty {
        CType::Null => {}
        CType::String => params.extend(slice("char")),
        CType::Ints => params.extend(slice("int64_t")),
        CType::Floats => params.extend(slice("double")),
        CType::Value => params.push(format!("const ruff_value *{name}")),
        CType::Struct(number) => {
            params.push(format!(
                "const struct {} *{name}",
                interface.structs[number].tag
            ));
        }
        CType::Bool | CType::Int | CType::Float => params.push(declared(interface, ty, name)),
    }
}
