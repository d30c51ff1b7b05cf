//! Values that are certainly not of the annotated type.
//!
//! Annotations never have an effect, so they are no facts for `infer`; here
//! they meet what `infer` found.  Names of types are not resolved: one that is
//! none of the language's own matches anything.

use super::types::{Instruction, described};
use super::walk::{Visitor, walk};
use super::{Checked, place};
use crate::diagnostic::{Code, Diagnostic};
use crate::infer::{Tags, Type as Known};
use crate::resolve::VariableIndex;
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{FunctionId, Op};
use rustc_hash::FxHashMap;

/// The annotations of a program, by where values meet them.
#[derive(Default)]
pub(super) struct Annotated {
    /// Bindings and assignments, by the offset of the name.
    stores: FxHashMap<u32, Store>,
    params: FxHashMap<FunctionId, Vec<Option<Wanted>>>,
    results: FxHashMap<FunctionId, Wanted>,
}

/// A type as it is written, and the values that it stands for.
#[derive(Clone)]
struct Wanted {
    text: String,
    accepts: Tags,
}

struct Store {
    name: String,
    wanted: Wanted,
    is_constant: bool,
    is_assignment: bool,
}

pub(super) fn check(annotated: &Annotated, at: &Instruction) -> Vec<Diagnostic> {
    match at.op {
        Op::StoreLocal { .. }
        | Op::StoreCell { .. }
        | Op::StoreGlobal { .. }
        | Op::StoreCaptureCell { .. } => annotated.store(at).into_iter().collect(),
        Op::CallFunction { func, argc } => annotated.call(at, func, argc as usize),
        Op::Return {} => annotated.result(at).into_iter().collect(),
        _ => Vec::new(),
    }
}

impl Annotated {
    fn store(&self, at: &Instruction) -> Option<Diagnostic> {
        let store = self.stores.get(&at.span.start)?;
        let given = at.top(0).filter(|given| store.wanted.excludes(*given))?;
        let (name, wanted, given) = (&store.name, &store.wanted.text, described(given));
        let (code, message) = match (store.is_assignment, store.is_constant) {
            (true, _) => (
                Code::AssignmentType,
                format!(
                    "Type mismatch: cannot assign {given} to variable '{name}' of type {wanted}"
                ),
            ),
            (false, true) => (
                Code::BindingType,
                format!(
                    "Type mismatch: constant '{name}' declared as {wanted} but assigned {given}"
                ),
            ),
            (false, false) => (
                Code::BindingType,
                format!(
                    "Type mismatch: variable '{name}' declared as {wanted} but assigned {given}"
                ),
            ),
        };
        Some(Diagnostic::warning(code, at.span).message(message))
    }

    fn call(&self, at: &Instruction, func: FunctionId, argc: usize) -> Vec<Diagnostic> {
        let Some(params) = self.params.get(&func) else {
            return Vec::new();
        };
        let name = &at.program.functions[func as usize].info.name;
        let clash = |(index, wanted): (usize, &Option<Wanted>)| {
            let wanted = wanted.as_ref()?;
            let given = at.top(argc.checked_sub(index + 1)?)?;
            wanted.excludes(given).then(|| {
                let message = format!(
                    "Function '{name}' parameter {} expects {} but got {}",
                    index + 1,
                    wanted.text,
                    described(given)
                );
                Diagnostic::warning(Code::ArgumentType, at.span).message(message)
            })
        };
        params.iter().enumerate().filter_map(clash).collect()
    }

    /// Null is what a function gives that just ends, which it may never do.
    fn result(&self, at: &Instruction) -> Option<Diagnostic> {
        let wanted = self.results.get(&at.func)?;
        let given = at
            .top(0)
            .filter(|given| !given.is(Tags::NULL) && wanted.excludes(*given))?;
        let message = format!(
            "Return type mismatch: expected {} but got {}",
            wanted.text,
            described(given)
        );
        Some(Diagnostic::warning(Code::ReturnType, at.span).message(message))
    }
}

impl Wanted {
    fn new(annotation: &Type) -> Wanted {
        Wanted {
            text: written(annotation),
            accepts: accepted(annotation),
        }
    }

    /// Whether a value is certainly not of the type.
    fn excludes(&self, given: Known) -> bool {
        !given.may_be(self.accepts)
    }
}

/// Finds the annotations of a program.
pub(super) fn collect(checked: &Checked) -> Annotated {
    let mut collector = Collector {
        checked,
        variables: FxHashMap::default(),
        assigned: Vec::new(),
        out: Annotated::default(),
    };
    walk(checked, &mut collector);
    collector.assignments();
    collector.out
}

struct Collector<'a> {
    checked: &'a Checked<'a>,
    /// Annotated variables.
    variables: FxHashMap<VariableIndex, Wanted>,
    /// Assignments to exactly one variable.
    assigned: Vec<(Name, VariableIndex)>,
    out: Annotated,
}

impl Visitor for Collector<'_> {
    fn statement(&mut self, statement: &Stmt, copy: u32) {
        let resolved = &self.checked.lowered.resolved;
        let names = self.checked.names();
        match &statement.kind {
            StmtKind::Binding {
                kind,
                pattern:
                    Pattern {
                        kind: PatternKind::Name(name),
                        ..
                    },
                annotation: Some(annotation),
                ..
            } => {
                let wanted = Wanted::new(annotation);
                if let Some(variable) = names.binding_at(place(copy, name.span)) {
                    self.variables.insert(variable, wanted.clone());
                }
                let store = Store {
                    name: name.text.to_string(),
                    wanted,
                    is_constant: *kind == BindingKind::Const,
                    is_assignment: false,
                };
                self.out.stores.insert(name.span.start, store);
            }
            StmtKind::Assign { place: target, .. } if target.steps.is_empty() => {
                let used = names.find_use(place(copy, target.root.span));
                if let Some([variable]) = used.map(|used| resolved.candidates(used)) {
                    self.assigned.push((target.root.clone(), *variable));
                }
            }
            _ => {}
        }
    }

    fn func(&mut self, func: &Func, copy: u32) {
        let function = self.checked.names().function_at(place(copy, func.span));
        let Some(id) = self.checked.lowered.ids[function.0 as usize] else {
            return;
        };
        let params = func.params.iter();
        let wanted = params.map(|param| param.annotation.as_ref().map(Wanted::new));
        self.out.params.insert(id, wanted.collect());
        if let Some(result) = func.result.as_ref().filter(|_| !func.is_generator) {
            self.out.results.insert(id, Wanted::new(result));
        }
    }
}

impl Collector<'_> {
    fn assignments(&mut self) {
        for (name, variable) in std::mem::take(&mut self.assigned) {
            if let Some(wanted) = self.variables.get(&variable) {
                let store = Store {
                    name: name.text.to_string(),
                    wanted: wanted.clone(),
                    is_constant: false,
                    is_assignment: true,
                };
                self.out.stores.entry(name.span.start).or_insert(store);
            }
        }
    }
}

const FUNCTIONS: Tags = Tags::FUNCTION
    .union(Tags::BUILTIN)
    .union(Tags::BOUND_METHOD);

/// The values that a type stands for; anything for a name that is not known.
fn accepted(annotation: &Type) -> Tags {
    match &annotation.kind {
        TypeKind::Name(name) => named(name),
        TypeKind::Null => Tags::NULL,
        TypeKind::Func { .. } => FUNCTIONS,
        // An `Option` may be meant.
        TypeKind::Optional(inner) => accepted(inner).union(Tags::NULL).union(Tags::VARIANT),
        TypeKind::Array(_) => Tags::ARRAY,
        TypeKind::Generic { base, .. } => accepted(base),
        TypeKind::Union(types) => types
            .iter()
            .fold(Tags::EMPTY, |all, one| all.union(accepted(one))),
    }
}

fn named(name: &str) -> Tags {
    match name {
        "int" => Tags::INT,
        // An int will do.
        "float" => Tags::NUMBER,
        "string" => Tags::STRING,
        "bool" => Tags::BOOL,
        "array" => Tags::ARRAY,
        "dict" => Tags::DICT,
        "function" => FUNCTIONS,
        _ => Tags::ALL,
    }
}

/// The type in one spelling.
fn written(annotation: &Type) -> String {
    let list = |types: &[Type], between: &str| {
        let texts = types.iter().map(written);
        texts.collect::<Vec<_>>().join(between)
    };
    match &annotation.kind {
        TypeKind::Name(name) => name.to_string(),
        TypeKind::Null => "null".to_owned(),
        TypeKind::Func { params, result } => {
            let result = result
                .as_deref()
                .map(|result| format!(" -> {}", written(result)));
            format!("func({}){}", list(params, ", "), result.unwrap_or_default())
        }
        TypeKind::Optional(inner) => format!("{}?", written(inner)),
        TypeKind::Array(inner) => format!("{}[]", written(inner)),
        TypeKind::Generic { base, args } => format!("{}<{}>", written(base), list(args, ", ")),
        TypeKind::Union(types) => list(types, " | "),
    }
}
