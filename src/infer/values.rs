//! Functions that are values: called by whatever gets hold of them.
//!
//! As long as only the program's own calls can get hold of them, each takes what
//! some call with so many arguments gives, and such a call gives what one of them
//! does.  As soon as somebody else might call one, all may be called with anything.

use super::callback::{Callback, CallbackKind};
use super::flow::Flow;
use super::readers::Known;
use super::{Analysis, Tags, Type};
use ruff_runtime::bytecode::{FunctionId, MethodSite, Program};

/// What is known of the functions that take one number of arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct Arity {
    functions: Vec<FunctionId>,
    /// What calls give.
    args: Vec<Type>,
    /// What the functions give.
    result: Type,
}

/// What is known of calls of functions that are values, by the number of arguments.
#[derive(Clone, Debug)]
pub(super) struct Called {
    /// Those that run at once.
    pub functions: Vec<FunctionId>,
    /// What any of them gives, or a generator or promise that a call makes.
    pub result: Type,
}

/// The functions that are values.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// By the number of arguments.
    arities: Vec<Arity>,
    /// Whether each function is one of them.
    known: Vec<bool>,
    /// Somebody else may call them.
    are_out: bool,
}

/// Built-ins that never call a function, whatever they are given.
const NEVER_CALLS: &[&str] = &[
    "abs",
    "append",
    "ceil",
    "chunk",
    "clear",
    "concat",
    "contains",
    "enumerate",
    "flatten",
    "float",
    "floor",
    "get",
    "get_default",
    "has_key",
    "index_of",
    "insert",
    "int",
    "items",
    "join",
    "keys",
    "len",
    "max",
    "min",
    "pop",
    "print",
    "println",
    "push",
    "range",
    "remove",
    "remove_at",
    "reverse",
    "round",
    "skip",
    "slice",
    "sort",
    "split",
    "sqrt",
    "string",
    "sum",
    "take",
    "to_float",
    "to_int",
    "to_string",
    "type",
    "unique",
    "values",
    "zip",
];

/// Whether a built-in, or a method form of one, surely calls no function.
pub(super) fn never_calls(name: &str) -> bool {
    NEVER_CALLS.contains(&name)
}

/// The function that a call of a value with so many arguments enters, if it enters
/// one at all.
pub fn known_callee(program: &Program, callee: Type, argc: usize) -> Option<FunctionId> {
    let func = callee.func().filter(|func| takes(program, *func, argc))?;
    let is_function = !callee.without(Tags::FUNCTION).may_be(CALLS_OTHERWISE);
    is_function.then_some(func)
}

/// Whether a function runs when it is called with so many arguments.
fn takes(program: &Program, func: FunctionId, argc: usize) -> bool {
    let info = &program.functions[func as usize].info;
    let flags = info.flags;
    let runs = !flags.is_method && !flags.is_generator && !flags.is_async && !flags.changes_self;
    runs && info.params.len() == argc
}

/// What a call does not refuse, besides functions.
const CALLS_OTHERWISE: Tags = Tags(
    Tags::ALL.0 & !(Tags::NULL.0 | Tags::BOOL.0 | Tags::NUMBER.0 | Tags::STRING.0 | Tags::ARRAY.0),
);

impl Analysis<'_> {
    /// A function has become a value.
    pub(super) fn becomes_value(&mut self, func: FunctionId) {
        let info = &self.program.functions[func as usize].info;
        let arity = info.params.len();
        if self.values.are_out || info.flags.is_method {
            return self.escape(func);
        }
        let values = &mut self.values;
        values.known.resize(self.program.functions.len(), false);
        if std::mem::replace(&mut values.known[func as usize], true) {
            return;
        }
        let known = values.of_arity(arity);
        known.functions.push(func);
        let args = known.args.clone();
        for (param, arg) in (0..).zip(args) {
            self.join_slot(func, param, arg);
        }
        let result = self.facts.call_result(self.program, func);
        self.values.of_arity(arity).result.join(result);
        self.has_changed(Known::Called(arity));
    }

    /// Some value is called with these arguments; what that gives if it is a
    /// function.
    pub(super) fn call_values(&mut self, args: &[Type]) -> Type {
        self.read(Known::Called(args.len()));
        if self.values.are_out {
            return Type::ANY;
        }
        let known = self.values.of_arity(args.len());
        let mut grew = false;
        for (known, more) in known.args.iter_mut().zip(args) {
            grew |= known.join(*more);
        }
        let result = known.result;
        if grew {
            let (functions, args) = (known.functions.clone(), known.args.clone());
            for func in functions {
                for (param, arg) in (0..).zip(&args) {
                    self.join_slot(func, param, *arg);
                }
            }
        }
        result
    }

    /// A built-in calls a value for an array's elements.
    pub(super) fn call_values_for(&mut self, kind: CallbackKind, operands: &[Type]) {
        // What the function gives only matters for a total.
        let callback = Callback { kind, func: 0 };
        let known = match kind {
            CallbackKind::Reduce => self.call_values(&[Type::NONE, Type::NONE]),
            _ => Type::NONE,
        };
        let mut args = callback.arguments(operands, known);
        if !operands[0].is(Tags::ARRAY) {
            args.fill(Type::ANY);
        }
        self.call_values(&args);
    }

    /// A function gives more.
    pub(super) fn value_gives(&mut self, func: FunctionId) {
        if self.values.known.get(func as usize) != Some(&true) {
            return;
        }
        let arity = self.program.functions[func as usize].info.params.len();
        let result = self.facts.call_result(self.program, func);
        if self.values.of_arity(arity).result.join(result) {
            self.has_changed(Known::Called(arity));
        }
    }

    /// A built-in of that name, or something else that is not followed, gets these
    /// values.
    pub(super) fn hands_out(&mut self, name: Option<&str>, values: &[Type]) {
        let calls = !name.is_some_and(never_calls);
        if calls && values.iter().any(|value| value.may_hold(Tags::FUNCTION)) {
            self.values_are_out();
        }
    }

    /// Somebody else may call every function that is a value.
    pub(super) fn values_are_out(&mut self) {
        if std::mem::replace(&mut self.values.are_out, true) {
            return;
        }
        for arity in 0..self.values.arities.len() {
            for func in self.values.arities[arity].functions.clone() {
                self.escape(func);
            }
            self.has_changed(Known::Called(arity));
        }
    }
}

impl Flow<'_, '_> {
    /// A call of a value.
    pub(super) fn call_value(&mut self, callee: Type, args: &[Type]) -> Type {
        if callee.is_none() {
            return Type::NONE;
        }
        if let Some(func) = known_callee(self.analysis.program, callee, args.len()) {
            return self.call(func, args);
        }
        let result = self.analysis.call_values(args);
        if callee.is(Tags::FUNCTION) {
            return result;
        }
        // The library's functions may call what they are given.
        self.analysis.hands_out(None, args);
        Type::ANY
    }

    /// A built-in, or a method form of one with the receiver first, gets values.
    pub(super) fn hands_to_builtin(&mut self, name: &str, args: &[Type]) {
        match CallbackKind::of(name, args.len()) {
            Some(kind) => self.analysis.call_values_for(kind, args),
            None => self.analysis.hands_out(Some(name), args),
        }
    }

    /// A method call may be one of a function that a struct or a dict holds, or of
    /// the library, which may call what it is given.
    pub(super) fn call_what_is_held(
        &mut self,
        site: &MethodSite,
        receiver: Type,
        args: &[Type],
        plain: bool,
    ) {
        if receiver.is_none() {
            return;
        }
        let name = &self.analysis.program.names[site.name as usize];
        let declaration = receiver.declaration().filter(|_| receiver.is(Tags::STRUCT));
        let facts = &self.analysis.facts;
        if declaration.is_some_and(|known| facts.method(known, site.name).is_some()) {
            return;
        }
        if !plain {
            return self.analysis.values_are_out();
        }
        let scalars = Tags::NULL
            .union(Tags::BOOL)
            .union(Tags::NUMBER)
            .union(Tags::STRING);
        if receiver.is(scalars.union(Tags::ARRAY)) {
            let all = [&[receiver], args].concat();
            return self.hands_to_builtin(name, &all);
        }
        self.analysis.call_values(args);
        self.analysis.hands_out(None, args);
    }
}

impl Values {
    /// What is known of calls, by the number of arguments.
    pub(super) fn called(self, program: &Program) -> Vec<Called> {
        if self.are_out {
            return Vec::new();
        }
        let arities = self.arities.into_iter().enumerate();
        let called = arities.map(|(argc, mut known)| {
            known.functions.retain(|func| takes(program, *func, argc));
            Called {
                functions: known.functions,
                result: known.result,
            }
        });
        called.collect()
    }

    fn of_arity(&mut self, arity: usize) -> &mut Arity {
        if self.arities.len() <= arity {
            self.arities.resize_with(arity + 1, Arity::default);
        }
        let known = &mut self.arities[arity];
        known.args.resize(arity, Type::NONE);
        known
    }
}
