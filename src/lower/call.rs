//! Calls of functions and methods.

use super::assign::is_shared;
use super::variable::Certain;
use super::{Lowerer, inspect};
use crate::modules::Asset;
use crate::resolve::{FunctionIndex, Use, VariableIndex};
use crate::syntax::ast::*;
use ruff_runtime::bytecode::{ArgKind, MethodSite, Op, Path, Step, Var, VarKind};
use ruff_runtime::names::NameId;
use std::sync::Arc;

impl<'a> Lowerer<'a> {
    /// A call; `piped` is an argument in front of the others.
    pub(super) fn call(&mut self, callee: &'a Expr, piped: Option<&'a Expr>, args: &'a [Arg]) {
        let name = match &callee.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        };
        let argc = args.len() as u32 + piped.is_some() as u32;
        let is_plain = args.iter().all(|arg| matches!(arg, Arg::One(_)));
        if let Some(name) = name {
            if let Some(asset) = self.asset(callee.span.start) {
                self.at(callee.span.start);
                return self.embedded(asset);
            }
            if is_plain && let Some(known) = self.builtin_named(name, callee.span.start) {
                self.args(piped, args);
                let builtin = self.tables.builtin(known.name);
                self.at(callee.span.start);
                return self.emit(Op::CallBuiltin { builtin, argc });
            }
            if let Some(function) = self.function_named(callee.span.start)
                && self.call_declared(function, callee.span.start, piped, args)
            {
                return;
            }
        }
        self.expr(callee);
        self.call_value(callee.span.start, piped, args);
    }

    /// What a call stands for that takes files in.
    fn asset(&mut self, offset: u32) -> Option<&'a Asset> {
        let modules = self.modules;
        let asset = modules[self.unit().0 as usize].assets.get(&offset)?;
        let used = self.use_at(offset);
        self.resolved.candidates(used).is_empty().then_some(asset)
    }

    fn embedded(&mut self, asset: &Asset) {
        match asset {
            Asset::File(text) => self.text(text),
            Asset::Folder(files) => {
                for (name, text) in files {
                    self.text(name);
                    self.text(text);
                }
                let count = files.len() as u32;
                self.emit(Op::MakeDict { count });
            }
        }
    }

    /// A call of the value on top.
    fn call_value(&mut self, offset: u32, piped: Option<&'a Expr>, args: &'a [Arg]) {
        let is_plain = args.iter().all(|arg| matches!(arg, Arg::One(_)));
        let argc = args.len() as u32 + piped.is_some() as u32;
        let kinds = self.args(piped, args);
        self.at(offset);
        if is_plain {
            return self.emit(Op::Call { argc });
        }
        let site = self.tables.call_site(kinds);
        self.emit(Op::CallWith { site });
    }

    /// `m.f(…)` where `m` is certainly a module and `f` a function in it.
    fn call_of_module(
        &mut self,
        receiver: &'a Expr,
        method: &'a Name,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
    ) -> bool {
        let Some(function) = self.function_of_module(receiver, method) else {
            return false;
        };
        if !self.call_declared(function, method.span.start, piped, args) {
            let func = self.id(function);
            self.emit(Op::Function { func });
            self.call_value(method.span.start, piped, args);
        }
        true
    }

    /// The function that a name certainly means, if it captures nothing.
    fn function_named(&mut self, offset: u32) -> Option<FunctionIndex> {
        let used = self.use_at(offset);
        let [variable] = *self.resolved.candidates(used) else {
            return None;
        };
        let is_set = used.is_certain || self.var(variable).is_none();
        let function = self.resolved.only_function(variable).filter(|_| is_set)?;
        let known = &self.resolved.functions[function];
        known.captures.is_empty().then_some(function)
    }

    /// A direct call, if the arguments fit.
    fn call_declared(
        &mut self,
        function: FunctionIndex,
        offset: u32,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
    ) -> bool {
        let known = &self.resolved.functions[function];
        let argc = known.parameters.len();
        if !known.can_be_called_directly || argc != args.len() + piped.is_some() as usize {
            return false;
        }
        let Some(values) = self.in_order(function, piped, args) else {
            return false;
        };
        for value in values {
            self.expr(value);
        }
        self.at(offset);
        let func = self.id(function);
        self.emit(Op::CallFunction {
            func,
            argc: argc as u32,
        });
        true
    }

    /// Arguments in the order of the parameters, if evaluating them in that
    /// order is the same.
    fn in_order(
        &mut self,
        function: FunctionIndex,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
    ) -> Option<Vec<&'a Expr>> {
        let resolved = self.resolved;
        let parameters = &resolved.functions[function].parameters;
        let mut values: Vec<Option<&'a Expr>> = vec![None; parameters.len()];
        let mut moved = false;
        for (index, value) in piped.into_iter().enumerate() {
            values[index] = Some(value);
        }
        for (index, arg) in args.iter().enumerate() {
            let index = index + piped.is_some() as usize;
            let (target, value) = match arg {
                Arg::Spread(_) => return None,
                Arg::One(value) => (index, value),
                Arg::Named(name, value) => {
                    let is_named =
                        |parameter: &VariableIndex| *self.text_of(*parameter) == name.text;
                    (parameters.iter().position(is_named)?, value)
                }
            };
            moved |= target != index;
            if values[target].replace(value).is_some() {
                return None;
            }
        }
        let values: Vec<&'a Expr> = values.into_iter().collect::<Option<_>>()?;
        if moved && !values.iter().all(|value| self.is_pure(value)) {
            return None;
        }
        Some(values)
    }

    /// Pushes arguments; gives their kinds.
    fn args(&mut self, piped: Option<&'a Expr>, args: &'a [Arg]) -> Vec<ArgKind> {
        let mut kinds = Vec::with_capacity(args.len() + 1);
        if let Some(piped) = piped {
            self.expr(piped);
            kinds.push(ArgKind::One);
        }
        for arg in args {
            let (kind, value) = match arg {
                Arg::One(value) => (ArgKind::One, value),
                Arg::Spread(value) => (ArgKind::Spread, value),
                Arg::Named(name, value) => (ArgKind::Named(self.tables.name(&name.text)), value),
            };
            kinds.push(kind);
            self.expr(value);
        }
        kinds
    }
}

/// The receiver of a method that may change it.
struct Receiver<'a> {
    name: &'a Arc<str>,
    used: Use,
    offset: u32,
    steps: Vec<ReceiverStep<'a>>,
}

enum ReceiverStep<'a> {
    Field(NameId, u32),
    Index(&'a Expr, u32),
    /// An index that was computed already.
    Slot(u32, u32),
}

/// Method calls.
impl<'a> Lowerer<'a> {
    pub(super) fn method_call(
        &mut self,
        receiver: &'a Expr,
        method: &'a Name,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
        optional: bool,
    ) {
        if self.call_of_namespace(receiver, method, piped, args) {
            return;
        }
        if !optional && self.call_of_module(receiver, method, piped, args) {
            return;
        }
        if self.resolved.changes_receiver(&method.text)
            && let Some(receiver) = self.receiver(receiver)
        {
            return self.call_on_place(receiver, method, piped, args, optional);
        }
        let end = self.label();
        self.expr(receiver);
        if optional {
            self.jump(Op::JumpIfNull { to: 0 }, end);
        }
        let kinds = self.args(piped, args);
        self.at(method.span.start);
        self.emit_method(method, kinds, None, false, None);
        self.bind(end);
    }

    /// A built-in with a dot in its name, like `Promise.all`.
    fn call_of_namespace(
        &mut self,
        receiver: &'a Expr,
        method: &Name,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
    ) -> bool {
        let ExprKind::Name(name) = &receiver.kind else {
            return false;
        };
        let used = self.use_at(receiver.span.start);
        if !self.resolved.candidates(used).is_empty()
            || !args.iter().all(|arg| matches!(arg, Arg::One(_)))
        {
            return false;
        }
        let Some(known) = self.tables.known(&format!("{name}.{}", method.text)) else {
            return false;
        };
        self.args(piped, args);
        let builtin = self.tables.builtin(known.name);
        self.at(method.span.start);
        self.emit(Op::CallBuiltin {
            builtin,
            argc: args.len() as u32 + piped.is_some() as u32,
        });
        true
    }

    /// The place that a receiver is, if it may be changed.
    fn receiver(&mut self, expr: &'a Expr) -> Option<Receiver<'a>> {
        let (name, offset) = inspect::place_root(expr)?;
        let used = self.use_at(offset);
        let resolved = self.resolved;
        let can_change = |lowerer: &mut Self, variable: VariableIndex| {
            resolved.variables[variable].declared_by.is_none() && lowerer.var(variable).is_some()
                || lowerer.immutable(variable, "mutate").is_some()
        };
        let candidates = resolved.candidates(used);
        if candidates.is_empty()
            || !candidates
                .iter()
                .all(|variable| can_change(self, *variable))
        {
            return None;
        }
        let mut steps = Vec::new();
        let mut rest = expr;
        loop {
            match &rest.kind {
                ExprKind::Field { object, field, .. } => {
                    steps.push(ReceiverStep::Field(
                        self.tables.name(&field.text),
                        field.span.start,
                    ));
                    rest = object;
                }
                ExprKind::Index { object, index } => {
                    steps.push(ReceiverStep::Index(index, self.operator_at(object)));
                    rest = object;
                }
                _ => break,
            }
        }
        steps.reverse();
        Some(Receiver {
            name,
            used,
            offset,
            steps,
        })
    }

    fn call_on_place(
        &mut self,
        mut receiver: Receiver<'a>,
        method: &'a Name,
        piped: Option<&'a Expr>,
        args: &'a [Arg],
        optional: bool,
    ) {
        let root = self.certain(receiver.used);
        let values = || {
            let of_arg = |arg: &'a Arg| match arg {
                Arg::One(value) | Arg::Spread(value) | Arg::Named(_, value) => value,
            };
            piped.into_iter().chain(args.iter().map(of_arg))
        };
        let indexes = receiver.steps.iter().filter_map(|step| match *step {
            ReceiverStep::Index(index, _) => Some(index),
            ReceiverStep::Field(..) | ReceiverStep::Slot(..) => None,
        });
        let early = match root {
            Some(root) => {
                let mut values = values().chain(indexes);
                values.any(|value| self.may_change(value, receiver.name, is_shared(root)))
            }
            None => true,
        };
        // Before its last step a place must exist, but an expression may give
        // null; and an index may do something between two steps.
        let last = receiver.steps.len().saturating_sub(1);
        let differs = receiver
            .steps
            .iter()
            .enumerate()
            .any(|(at, step)| match step {
                ReceiverStep::Index(index, _) => !self.is_pure(index),
                ReceiverStep::Field(..) => at < last,
                ReceiverStep::Slot(..) => false,
            });
        let end = self.label();
        let is_read = early || optional || differs;
        if is_read {
            self.read_receiver(&mut receiver);
        }
        if optional {
            self.jump(Op::JumpIfNull { to: 0 }, end);
        }
        if is_read && !early {
            self.emit(Op::Pop {});
        }
        self.receiver_indexes(&receiver);
        if let Some(Certain { var, .. }) = root
            && !is_read
            && !receiver.steps.is_empty()
            && !values().all(|value| self.is_pure(value))
        {
            // The receiver is computed before the arguments, errors included.
            let path = self.receiver_path(&receiver, var);
            let path = self.tables.path(path);
            self.at(method.span.start);
            self.emit(Op::ReadPath { path });
            self.emit(Op::Pop {});
        }
        let kinds = self.args(piped, args);
        self.at(method.span.start);
        self.call_on_candidates(&receiver, method, kinds, early);
        self.bind(end);
    }

    fn call_on_candidates(
        &mut self,
        receiver: &Receiver<'a>,
        method: &'a Name,
        kinds: Vec<ArgKind>,
        early: bool,
    ) {
        let indexes = receiver
            .steps
            .iter()
            .filter(|step| !matches!(step, ReceiverStep::Field(..)))
            .count();
        let operands = indexes + kinds.len() + early as usize;
        let offset = receiver.offset;
        self.for_candidates(
            receiver.used,
            &mut |lowerer, variable| {
                let immutable = lowerer
                    .immutable(variable, "mutate")
                    .map(|message| lowerer.tables.text(&message));
                let var = lowerer
                    .var(variable)
                    .unwrap_or_else(|| lowerer.copy_of(variable));
                let place = Some(lowerer.receiver_path(receiver, var));
                lowerer.at(method.span.start);
                lowerer.emit_method(method, kinds.clone(), place, early, immutable);
            },
            &mut |lowerer| {
                // Reading the receiver has already failed; this is never reached.
                lowerer.at(offset);
                lowerer.raise(&format!("Undefined variable: {}", receiver.name));
                (0..operands).for_each(|_| lowerer.emit(Op::Pop {}));
                lowerer.emit(Op::Null {});
            },
        );
    }

    /// A hidden local with the value of a variable that never changes.
    fn copy_of(&mut self, variable: VariableIndex) -> Var {
        let slot = self.hidden(1);
        self.load(variable);
        self.emit(Op::StoreLocal { slot });
        Var::new(VarKind::Local, slot)
    }

    /// Pushes the receiver's value; what its indexes are is kept.
    fn read_receiver(&mut self, receiver: &mut Receiver<'a>) {
        self.read(receiver.name, receiver.offset);
        for step in &mut receiver.steps {
            match *step {
                ReceiverStep::Field(name, at) => {
                    self.at(at);
                    self.emit(Op::Field { name });
                }
                ReceiverStep::Index(index, at) => {
                    self.expr(index);
                    if !matches!(index.kind, ExprKind::Literal(_)) {
                        let slot = self.hidden(1);
                        self.emit(Op::StoreLocal { slot });
                        self.emit(Op::LoadLocal { slot });
                        *step = ReceiverStep::Slot(slot, at);
                    }
                    self.at(at);
                    self.emit(Op::Index {});
                }
                ReceiverStep::Slot(slot, at) => {
                    self.emit(Op::LoadLocal { slot });
                    self.at(at);
                    self.emit(Op::Index {});
                }
            }
        }
    }

    fn receiver_indexes(&mut self, receiver: &Receiver<'a>) {
        for step in &receiver.steps {
            match *step {
                ReceiverStep::Field(..) => {}
                ReceiverStep::Index(index, _) => self.expr(index),
                ReceiverStep::Slot(slot, _) => self.emit(Op::LoadLocal { slot }),
            }
        }
    }

    fn receiver_path(
        &mut self,
        receiver: &Receiver<'a>,
        root: ruff_runtime::bytecode::Var,
    ) -> Path {
        let step = |step: &ReceiverStep<'a>| match *step {
            ReceiverStep::Field(name, _) => Step::Field(name),
            ReceiverStep::Index(..) | ReceiverStep::Slot(..) => Step::Index,
        };
        Path {
            root,
            name: self.tables.name(receiver.name),
            steps: receiver.steps.iter().map(step).collect(),
        }
    }

    fn emit_method(
        &mut self,
        method: &Name,
        args: Vec<ArgKind>,
        place: Option<Path>,
        early: bool,
        immutable: Option<u32>,
    ) {
        let name = self.tables.method(&method.text);
        let site = self.tables.program.method_sites.len() as u32;
        self.tables.program.method_sites.push(MethodSite {
            name,
            args,
            place,
            early,
            take: false,
            immutable,
        });
        self.emit(Op::CallMethod { site });
    }
}
