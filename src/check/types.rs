//! Instructions that fail whenever they are executed, whatever the program does
//! before: no value that can be there is one that they accept.

use super::arity::wrong_count;
use crate::diagnostic::{Code, Diagnostic};
use crate::infer::{Facts, Tags, Type};
use crate::source::Span;
use ruff_runtime::bytecode::{ArgKind, FunctionId, MethodSite, Op, Operator, Program, Step, Var};
use ruff_runtime::bytecode::{Path, VarKind};
use ruff_runtime::names::NameId;

/// An instruction with what is known about it.
pub(super) struct Instruction<'a> {
    pub program: &'a Program,
    pub facts: &'a Facts,
    pub func: FunctionId,
    pub op: Op,
    /// The operands, the top last.
    pub stack: &'a [Type],
    pub span: Span,
}

/// Values that have no fields, and no methods but the built-in forms.
const WITHOUT_FIELDS: Tags = Tags::NULL
    .union(Tags::BOOL)
    .union(Tags::NUMBER)
    .union(Tags::STRING)
    .union(Tags::ARRAY)
    .union(Tags::FUNCTION);

/// Values that can't be called.
const NOT_CALLABLE: Tags = Tags::NULL
    .union(Tags::BOOL)
    .union(Tags::NUMBER)
    .union(Tags::STRING)
    .union(Tags::ARRAY)
    .union(Tags::DICT);

/// Values that can't be indexed.
const NOT_INDEXED: Tags = Tags::NULL
    .union(Tags::BOOL)
    .union(Tags::NUMBER)
    .union(Tags::FUNCTION)
    .union(Tags::VARIANT)
    .union(Tags::STRUCT);

/// Values that can't be gone over.
const NOT_ITERATED: Tags = Tags::NULL
    .union(Tags::BOOL)
    .union(Tags::STRUCT)
    .union(Tags::VARIANT);

pub(super) fn check(at: &Instruction) -> Option<Diagnostic> {
    match at.op {
        Op::Add {} => arithmetic(at, "+"),
        Op::Subtract {} => arithmetic(at, "-"),
        Op::Multiply {} => arithmetic(at, "*"),
        Op::Divide {} => arithmetic(at, "/"),
        Op::Remainder {} => arithmetic(at, "%"),
        Op::Update { var, operator } => {
            operation(at, sign(operator), variable(at, var)?, at.top(0)?)
        }
        Op::UpdateFrom { operator, .. } => operation(at, sign(operator), at.top(1)?, at.top(0)?),
        Op::Less {} => ordering(at, "<"),
        Op::LessEqual {} => ordering(at, "<="),
        Op::Greater {} => ordering(at, ">"),
        Op::GreaterEqual {} => ordering(at, ">="),
        Op::Negate {} => unary(at, "-", Tags::NUMBER),
        Op::Not {} => unary(at, "!", Tags::BOOL),
        Op::Call { argc } => called(at, at.top(argc as usize)?),
        Op::Index {} => indexed(at, at.top(1)?),
        Op::Field { name } => field(at, at.top(0)?, name),
        Op::IterStart { .. } => iterated(at, at.top(0)?),
        Op::CallMethod { site } => method(at, &at.program.method_sites[site as usize]),
        _ => None,
    }
}

impl Instruction<'_> {
    /// An operand, counted from the top; `None` if it never gets there.
    pub fn top(&self, below: usize) -> Option<Type> {
        let at = self.stack.len().checked_sub(below + 1)?;
        Some(self.stack[at]).filter(|known| !known.is_none())
    }

    fn warn(&self, code: Code, message: String) -> Option<Diagnostic> {
        Some(Diagnostic::warning(code, self.span).message(message))
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
    }
}

/// What a variable can hold when it is set.
fn variable(at: &Instruction, var: Var) -> Option<Type> {
    let facts = &at.facts.functions[at.func as usize];
    let number = var.number() as usize;
    let held = match var.kind() {
        VarKind::Local | VarKind::Cell => facts.slots[number],
        // Known only when everything is.
        VarKind::Capture => *facts.captures.get(number)?,
        VarKind::Global => at.facts.globals[number],
    };
    Some(held.without(Tags::UNSET)).filter(|held| !held.is_none())
}

/// Whether some pair of values is accepted; structs may overload.
fn accepts(left: Type, right: Type, strings: bool) -> bool {
    let numbers = left.may_be(Tags::NUMBER) && right.may_be(Tags::NUMBER);
    let texts = strings && left.may_be(Tags::STRING) && right.may_be(Tags::STRING);
    numbers || texts || left.may_be(Tags::STRUCT)
}

fn arithmetic(at: &Instruction, sign: &str) -> Option<Diagnostic> {
    operation(at, sign, at.top(1)?, at.top(0)?)
}

fn operation(at: &Instruction, sign: &str, left: Type, right: Type) -> Option<Diagnostic> {
    if accepts(left, right, sign == "+") {
        return None;
    }
    let (left, right) = (described(left), described(right));
    let message = format!("Binary operation '{sign}' with incompatible types: {left} and {right}");
    at.warn(Code::OperandType, message)
}

fn ordering(at: &Instruction, sign: &str) -> Option<Diagnostic> {
    let (left, right) = (at.top(1)?, at.top(0)?);
    if accepts(left, right, true) {
        return None;
    }
    let (left, right) = (described(left), described(right));
    let message = format!("Comparison '{sign}' between incompatible types: {left} and {right}");
    at.warn(Code::OperandType, message)
}

fn unary(at: &Instruction, sign: &str, accepted: Tags) -> Option<Diagnostic> {
    let operand = at.top(0)?;
    if operand.may_be(accepted.union(Tags::STRUCT)) {
        return None;
    }
    let message = format!(
        "Unary operation '{sign}' with incompatible type: {}",
        described(operand)
    );
    at.warn(Code::OperandType, message)
}

fn called(at: &Instruction, callee: Type) -> Option<Diagnostic> {
    callee.is(NOT_CALLABLE).then_some(())?;
    at.warn(
        Code::OperandType,
        format!("Call of a value that is no function: {}", described(callee)),
    )
}

fn indexed(at: &Instruction, object: Type) -> Option<Diagnostic> {
    object.is(NOT_INDEXED).then_some(())?;
    at.warn(
        Code::OperandType,
        format!(
            "Index into a value that has no elements: {}",
            described(object)
        ),
    )
}

fn iterated(at: &Instruction, iterable: Type) -> Option<Diagnostic> {
    iterable.is(NOT_ITERATED).then_some(())?;
    at.warn(
        Code::OperandType,
        format!(
            "Loop over a value that has no elements: {}",
            described(iterable)
        ),
    )
}

fn field(at: &Instruction, object: Type, name: NameId) -> Option<Diagnostic> {
    let text = &at.program.names[name as usize];
    if object.is(WITHOUT_FIELDS) {
        let message = format!("No field '{text}' on a value of type {}", described(object));
        return at.warn(Code::UnknownMember, message);
    }
    let owner = instance(object)?;
    if has_method(at, owner, name) || may_have_field(at.program, owner, name) {
        return None;
    }
    let message = format!("Struct '{}' has no field '{text}'", struct_name(at, owner));
    at.warn(Code::UnknownMember, message)
}

fn method(at: &Instruction, site: &MethodSite) -> Option<Diagnostic> {
    let receiver = match &site.place {
        Some(place) if !site.early => path(at, place)?,
        Some(place) => at.top(site.args.len() + place.indexes() as usize)?,
        None => at.top(site.args.len())?,
    };
    let owner = instance(receiver)?;
    let text = &at.program.names[site.name as usize];
    let Some(func) = at.facts.method(owner, site.name) else {
        if may_have_field(at.program, owner, site.name) {
            return None;
        }
        let message = format!("Struct '{}' has no method '{text}'", struct_name(at, owner));
        return at.warn(Code::UnknownMember, message);
    };
    let arity = at.program.functions[func as usize].info.arity();
    let is_plain = site.args.iter().all(|arg| *arg == ArgKind::One);
    if !is_plain || arity == site.args.len() {
        return None;
    }
    let name = format!("{}.{text}", struct_name(at, owner));
    let expected = format!("{arity}-{arity}");
    Some(wrong_count(&name, &expected, site.args.len(), at.span))
}

/// What the place is, if it is a variable: what is further in may have changed.
fn path(at: &Instruction, place: &Path) -> Option<Type> {
    place.steps.is_empty().then_some(())?;
    variable(at, place.root)
}

/// The declaration of which a value certainly is an instance.
fn instance(value: Type) -> Option<u32> {
    value.is(Tags::STRUCT).then(|| value.declaration())?
}

fn struct_name<'a>(at: &Instruction<'a>, declaration: u32) -> &'a str {
    let name = at.program.structs[declaration as usize].name;
    &at.program.names[name as usize]
}

fn has_method(at: &Instruction, declaration: u32, name: NameId) -> bool {
    at.facts.method(declaration, name).is_some()
}

/// Whether an instance may have a field: declared, given in a literal, or put
/// there by an assignment to a field of that name, on whatever it is.
fn may_have_field(program: &Program, declaration: u32, name: NameId) -> bool {
    let in_literal = program.struct_sites.iter().any(|site| {
        site.declaration.is_none_or(|known| known == declaration) && site.fields.contains(&name)
    });
    let assigned = program.paths.iter().any(|path| {
        path.steps
            .iter()
            .any(|step| matches!(step, Step::Field(field) if *field == name))
    });
    program.structs[declaration as usize].fields.contains(&name) || in_literal || assigned
}

/// What a value can be, in the words of programs.
pub(super) fn described(value: Type) -> String {
    const WORDS: &[(Tags, &str)] = &[
        (Tags::INT, "int"),
        (Tags::FLOAT, "float"),
        (Tags::STRING, "string"),
        (Tags::BOOL, "bool"),
        (Tags::NULL, "null"),
        (Tags::ARRAY, "array"),
        (Tags::DICT, "dict"),
        (Tags::STRUCT, "struct"),
        (
            Tags::FUNCTION
                .union(Tags::BUILTIN)
                .union(Tags::BOUND_METHOD),
            "function",
        ),
        (Tags::VARIANT, "tagged"),
        (Tags::STRUCT_DEF, "structdef"),
        (Tags::ENUM_DEF, "enum"),
        (Tags::GENERATOR, "generator"),
        (Tags::ITERATOR, "iterator"),
        (Tags::PROMISE, "promise"),
        (Tags::BYTES, "bytes"),
    ];
    let words = WORDS
        .iter()
        .filter(|(tags, _)| value.may_be(*tags))
        .map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(" | ")
}
