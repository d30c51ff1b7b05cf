//! What instructions make of types: pure functions from operand types to
//! result types, shared by the analysis and by the translator.

use super::{Facts, Tags, Type};
use ruff_runtime::bytecode::{Function, Op, Operator, Program};
use ruff_runtime::names::{self, NameId};
use std::ops::Range;

/// What `left operator right` gives where no overload is involved.
pub fn arithmetic(operator: Operator, left: Type, right: Type) -> Type {
    let mut result = Type::NONE;
    if left.may_be(Tags::INT) && right.may_be(Tags::INT) {
        result.join(Type::of(Tags::INT));
    }
    let mixed = left.may_be(Tags::FLOAT) && right.may_be(Tags::NUMBER);
    if mixed || (left.may_be(Tags::NUMBER) && right.may_be(Tags::FLOAT)) {
        result.join(Type::of(Tags::FLOAT));
    }
    if operator == Operator::Add && left.may_be(Tags::STRING) && right.may_be(Tags::STRING) {
        result.join(Type::of(Tags::STRING));
    }
    result
}

/// The method that overloads a compound operator.
pub fn overload_of(operator: Operator) -> NameId {
    match operator {
        Operator::Add => names::OP_ADD,
        Operator::Subtract => names::OP_SUB,
        Operator::Multiply => names::OP_MUL,
        Operator::Divide => names::OP_DIV,
        Operator::Remainder => names::OP_MOD,
    }
}

/// What `object[index]` gives.
pub fn element_of(object: Type) -> Type {
    let mut result = Type::NONE;
    if object.may_be(Tags::ARRAY.union(Tags::DICT)) {
        result.join(object.contents());
    }
    if object.may_be(Tags::STRING) {
        result.join(Type::of(Tags::CHARACTER));
    }
    if object.may_be(Tags::BYTES) {
        result.join(Type::of(Tags::INT));
    }
    result
}

/// What `object.name` gives; methods aside.
pub fn field_of(facts: &Facts, object: Type, name: NameId) -> Type {
    let mut result = Type::NONE;
    if object.may_be(Tags::STRUCT) {
        result.join(facts.field_of(object, name));
    }
    if object.may_be(Tags::DICT) {
        result.join(object.contents());
        result.join(Type::of(Tags::NULL));
    }
    result
}

/// What a loop over the iterable yields.
pub fn iterated(iterable: Type) -> Type {
    let mut result = Type::NONE;
    if iterable.may_be(Tags::NUMBER.union(Tags::BYTES)) {
        result.join(Type::of(Tags::INT));
    }
    if iterable.may_be(Tags::ARRAY.union(Tags::GENERATOR)) {
        result.join(iterable.contents());
    }
    if iterable.may_be(Tags::STRING) {
        result.join(Type::of(Tags::CHARACTER));
    }
    if iterable.may_be(Tags::DICT) {
        result.join(Type::of(Tags::STRING));
    }
    let simple = Tags::NUMBER
        .union(Tags::BYTES)
        .union(Tags::ARRAY)
        .union(Tags::GENERATOR)
        .union(Tags::STRING)
        .union(Tags::DICT)
        .union(Tags::NULL)
        .union(Tags::BOOL)
        .union(Tags::STRUCT)
        .union(Tags::VARIANT)
        .union(Tags::UNSET);
    if !iterable.tags().without(simple).eq(&Tags::EMPTY) {
        return Type::ANY;
    }
    result
}

/// The instructions between a call that takes an element out of an array and one
/// that reads a part of its result, if the one at `pc` does: the result is never
/// a variable's then, and nothing but the call made it.
pub fn way_from_pair(program: &Program, function: &Function, pc: u32) -> Option<Range<u32>> {
    let code = &function.code;
    let back = |steps: u32| code.get(pc.checked_sub(steps)? as usize);
    let calls = match (code.get(pc as usize)?, back(1)?) {
        (Op::ElementOrNull { index: 0 }, Op::Dup {}) => 2,
        (Op::ElementOrNull { index: 1 }, Op::Dup {})
            if matches!(back(2)?, Op::StoreLocal { .. })
                && matches!(back(3)?, Op::ElementOrNull { index: 0 })
                && matches!(back(4)?, Op::Dup {}) =>
        {
            5
        }
        _ => return None,
    };
    let Op::CallBuiltin { builtin, .. } = *back(calls)? else {
        return None;
    };
    let name = &*program.builtins[builtin as usize];
    matches!(name, "pop" | "remove_at").then(|| pc - calls + 1..pc + 1)
}

/// The type of a part of what such a call gives: the array that is left, or the
/// element that was taken out.
pub fn part_of_pair(pair: Type, index: u32) -> Type {
    let part = pair.contents();
    let holds_arrays = part.contents().may_be(Tags::ARRAY);
    match index {
        0 => part.without(Tags(!Tags::ARRAY.0)),
        // Only the first part is an array, unless arrays are what is in it.
        _ if !holds_arrays => part.without(Tags::ARRAY),
        _ => part,
    }
}
