//! Functions that are given straight to a built-in which calls them for the
//! elements of an array: nobody else gets hold of them there, so what they are
//! called with is known.

use super::Type;
use ruff_runtime::bytecode::{Function, FunctionId, Op, Program};

/// What a built-in does with a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackKind {
    /// `map(array, f)`
    Map,
    /// `filter(array, f)`
    Filter,
    /// `reduce(array, initial, f)`
    Reduce,
}

/// A function that a built-in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    pub kind: CallbackKind,
    pub func: FunctionId,
}

/// The function that the call of a built-in at `pc` is given as its last
/// operand, if that was made by the instruction before.  The caller knows that
/// no jump leads to `pc`.
pub fn callback_of_call(program: &Program, function: &Function, pc: u32) -> Option<Callback> {
    let Op::CallBuiltin { builtin, argc } = *function.code.get(pc as usize)? else {
        return None;
    };
    let (Op::MakeClosure { func } | Op::Function { func }) =
        *function.code.get(pc.checked_sub(1)? as usize)?
    else {
        return None;
    };
    let kind = match (&*program.builtins[builtin as usize], argc) {
        ("map", 2) => CallbackKind::Map,
        ("filter", 2) => CallbackKind::Filter,
        ("reduce", 3) => CallbackKind::Reduce,
        _ => return None,
    };
    let info = &program.functions[func as usize].info;
    let is_plain = !info.flags.is_method && !info.flags.is_generator && !info.flags.is_async;
    let gets = if kind == CallbackKind::Reduce { 2 } else { 1 };
    (is_plain && info.params.len() == gets).then_some(Callback { kind, func })
}

impl Callback {
    /// What the built-in gives for operands of these types, where the function
    /// gives `result`.
    pub fn result(self, operands: &[Type], result: Type) -> Type {
        match self.kind {
            CallbackKind::Map => Type::array_of(result),
            CallbackKind::Filter => Type::array_of(operands[0].contents()),
            CallbackKind::Reduce => operands[1].joined(result),
        }
    }

    /// What the function is called with, the first being the total so far if
    /// there is one.
    pub fn arguments(self, operands: &[Type], result: Type) -> Vec<Type> {
        let element = operands[0].contents();
        match self.kind {
            CallbackKind::Map | CallbackKind::Filter => vec![element],
            CallbackKind::Reduce => vec![operands[1].joined(result), element],
        }
    }
}
