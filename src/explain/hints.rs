//! What would make slow things fast: one sentence that somebody can act upon.

use super::code::Variable;
use super::{Known, words};
use crate::infer::{Tags, Type};
use ruff_runtime::bytecode::Op;

/// For an operand of `op` whose kind is not known before the program runs.
pub fn of_operand(
    known: &Known,
    op: Op,
    ty: Type,
    name: &str,
    variable: Option<Variable>,
) -> String {
    let ty = ty.without(Tags::UNSET);
    if let Some(Variable::Slot(func, _)) = variable.filter(|one| known.is_open_param(*one)) {
        return match known.callbacks.get(&func) {
            Some(builtin) => format!("let the array that `{builtin}` gets hold values of one kind"),
            None => "call the function by its name only, or give it straight to `map`, `filter` or `reduce`".to_owned(),
        };
    }
    let otherwise = ty.without(Tags::NULL);
    let is_null_or_one = ty.may_be(Tags::NULL) && otherwise.tags().single().is_some();
    let kind = words::type_words(known.program, otherwise);
    if variable.is_none() && ty.is(Tags::NUMBER) {
        return format!("convert {name} with `to_int` or `to_float`");
    }
    if variable.is_none() && is_null_or_one {
        return format!("say at once what it is instead of null: `?? …` with another {kind}");
    }
    if ty.is(Tags::NUMBER) {
        return format!(
            "let {name} be one of them always: begin with `0.0` if it is to be a float, or convert what it gets with `to_int` or `to_float`"
        );
    }
    if is_null_or_one {
        return format!("let {name} never be null: begin with another value of its kind ({kind})");
    }
    let looks_inside = matches!(
        op,
        Op::Index {} | Op::Field { .. } | Op::OptionalField { .. } | Op::CallMethod { .. }
    );
    let is_anything = words::type_words(known.program, ty) == words::ANYTHING;
    if looks_inside {
        "use a declared struct for what is inside, instead of nested arrays or dicts".to_owned()
    } else if is_anything && matches!(op, Op::StoreLocal { .. } | Op::StoreCell { .. }) {
        format!("let {name} get values of one kind everywhere")
    } else if is_anything {
        format!(
            "convert {name} once where it comes in, with `to_int`, `to_float` or `to_string`, and go on with the result"
        )
    } else {
        format!("use a variable of its own for each kind of value that {name} gets")
    }
}

/// For a variable that a pattern takes out of an array.
pub fn of_pattern(ty: Type) -> String {
    match ty.without(Tags::NULL).tags().single() {
        Some(_) => "read the element by its index, `a[0]`, which can't be null".to_owned(),
        None => {
            "use a struct with a field for each, instead of an array of several kinds of values"
                .to_owned()
        }
    }
}

/// For an object that is made again and again.
pub fn of_making(op: Op) -> String {
    match op {
        Op::MakeArray { .. } => {
            "make it once before the loop and change it in place, or keep its elements in variables"
        }
        Op::MakeDict { .. } => {
            "use a struct, whose fields are at known places, or make it once before the loop"
        }
        Op::MakeClosure { .. } => {
            "declare the function before the loop, or give it straight to `map`, `filter` or `reduce`"
        }
        Op::MakeVariant { .. } => {
            "in inner loops, return the value itself, and null where there is none"
        }
        Op::Interpolate { .. } => "build text only where it is printed",
        _ => "append to one variable, `s += t`, which grows in place, or collect the parts and `join` them",
    }
    .to_owned()
}

/// For a text of several parts that is appended to another one.
pub fn of_appending() -> String {
    "append the parts one after the other, `s += a` and then `s += b`".to_owned()
}

/// Why a declared struct is not held in registers, and what would change that.
pub fn of_struct(known: &Known, declaration: u32) -> (String, String) {
    let info = &known.program.structs[declaration as usize];
    let name = &known.program.names[info.name as usize];
    let facts = &known.facts.structs[declaration as usize];
    if !facts.is_regular {
        return (
            format!("not every `{name}` has exactly the declared fields"),
            format!(
                "give all fields in each literal of `{name}` or give them defaults, and add no other field later"
            ),
        );
    }
    if !facts.is_closed {
        return (
            format!("methods of `{name}` use variables from around the declaration"),
            format!("declare `{name}` at the top level, and pass its methods what they need"),
        );
    }
    let counted = (0..info.fields.len()).find(|at| facts.fields[*at].may_be_counted());
    if let Some(at) = counted {
        let field = &known.program.names[info.fields[at] as usize];
        let kind = words::type_words(known.program, facts.fields[at]);
        return (
            format!("its field `{field}` ({kind}) is no number, bool or null"),
            format!("make it once and change its fields, or move `{field}` out of `{name}`"),
        );
    }
    (
        format!("`{name}` has more fields than registers are used for"),
        format!("divide `{name}` into smaller structs of at most 8 numbers"),
    )
}
