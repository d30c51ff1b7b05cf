//! Functions that are given straight to a built-in which calls them for the
//! elements of an array: nobody else gets hold of them there, so what they are
//! called with is known.

use super::{Tags, Type};
use ruff_runtime::bytecode::{ArgKind, Function, FunctionId, Op, Program};

/// What a built-in does with a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackKind {
    /// `map(array, f)`
    Map,
    /// `filter(array, f)`
    Filter,
    /// `reduce(array, initial, f)`
    Reduce,
    /// `any(array, f)`
    Any,
    /// `all(array, f)`
    All,
    /// `find(array, f)`
    Find,
}

/// A function that a built-in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    pub kind: CallbackKind,
    pub func: FunctionId,
}

/// The function that the call of a built-in at `pc`, or of its method form if the
/// receiver is an array, is given as its last operand, if that was made by the
/// instruction before.  The caller knows that
/// no jump leads to `pc`.
pub fn callback_of_call(program: &Program, function: &Function, pc: u32) -> Option<Callback> {
    let (name, argc) = match *function.code.get(pc as usize)? {
        Op::CallBuiltin { builtin, argc } => (&program.builtins[builtin as usize], argc),
        Op::CallMethod { site } => {
            let site = &program.method_sites[site as usize];
            if site.args.iter().any(|arg| *arg != ArgKind::One) {
                return None;
            }
            // The receiver comes first.
            let name = &program.names[site.name as usize];
            (name, site.args.len() as u32 + 1)
        }
        _ => return None,
    };
    let (Op::MakeClosure { func } | Op::Function { func }) =
        *function.code.get(pc.checked_sub(1)? as usize)?
    else {
        return None;
    };
    let kind = CallbackKind::of(name, argc as usize)?;
    let info = &program.functions[func as usize].info;
    let is_plain = !info.flags.is_method && !info.flags.is_generator && !info.flags.is_async;
    let gets = if kind == CallbackKind::Reduce { 2 } else { 1 };
    (is_plain && info.params.len() == gets).then_some(Callback { kind, func })
}

impl CallbackKind {
    /// What a built-in does that is called with so many arguments.
    pub fn of(name: &str, argc: usize) -> Option<CallbackKind> {
        match (name, argc) {
            ("map", 2) => Some(CallbackKind::Map),
            ("filter", 2) => Some(CallbackKind::Filter),
            ("reduce", 3) => Some(CallbackKind::Reduce),
            ("any", 2) => Some(CallbackKind::Any),
            ("all", 2) => Some(CallbackKind::All),
            ("find", 2) => Some(CallbackKind::Find),
            _ => None,
        }
    }
}

impl Callback {
    /// What the built-in gives for operands of these types, where the function
    /// gives `result`.
    pub fn result(self, operands: &[Type], result: Type) -> Type {
        match self.kind {
            CallbackKind::Map => Type::array_of(result),
            CallbackKind::Filter => Type::array_of(operands[0].contents()),
            CallbackKind::Reduce => operands[1].joined(result),
            CallbackKind::Any | CallbackKind::All => Type::of(Tags::BOOL),
            // 0 if there is none.
            CallbackKind::Find => operands[0].contents().joined(Type::of(Tags::INT)),
        }
    }

    /// Where the array is among the operands, counted from the function down.
    pub fn array_below(self) -> usize {
        match self.kind {
            CallbackKind::Reduce => 2,
            _ => 1,
        }
    }

    /// What the function is called with, the first being the total so far if
    /// there is one.
    pub fn arguments(self, operands: &[Type], result: Type) -> Vec<Type> {
        let element = operands[0].contents();
        match self.kind {
            CallbackKind::Reduce => vec![operands[1].joined(result), element],
            _ => vec![element],
        }
    }
}
