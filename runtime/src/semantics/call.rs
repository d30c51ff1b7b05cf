//! Calls with spread and named arguments, and method calls.
//!
//! What a method's name means depends on the receiver (reference, 9.2 and
//! builtins-core 19.1); `resolve` decides it for every engine.

use super::R;
use super::arith::is_same_word;
use super::index::{no_fields, record_field};
use super::place::{edit_or_replace, read_path, store_path};
use super::streams;
pub use super::streams::await_value;
use crate::bytecode::{ArgKind, CallSite, FunctionId, FunctionInfo, MethodSite, Path};
use crate::call::{self, NOT_CALLABLE};
use crate::context::{MAX_CALL_DEPTH, VMContext};
use crate::error::Raised;
use crate::heap::{Array, BoundMethod, Dict, Function, Key, Record, StructDef};
use crate::loaded::MethodForm;
use crate::names::{COLLECT, NameId};
use crate::threads;
use crate::value::{Tag, Value};
use alloc::format;
use alloc::vec::Vec;

/// Calls a value with spread or named arguments; `values` holds one per
/// argument as written and is taken.
pub fn call_with(
    ctx: &mut VMContext,
    site: &CallSite,
    callee: &Value,
    values: &mut [Value],
) -> R<Value> {
    let mut args = Arguments::collect(ctx, &site.args, values)?;
    args.bind_for(ctx, callee)?;
    call::call(ctx, callee, &mut args.positional)
}

/// The arguments of one call, spreads resolved.
struct Arguments {
    positional: Vec<Value>,
    named: Vec<(NameId, Value)>,
}

impl Arguments {
    fn collect(ctx: &mut VMContext, kinds: &[ArgKind], values: &mut [Value]) -> R<Arguments> {
        let mut args = Arguments {
            positional: Vec::with_capacity(values.len()),
            named: Vec::new(),
        };
        for (kind, value) in kinds.iter().zip(values) {
            let value = core::mem::take(value);
            match kind {
                ArgKind::One => args.positional.push(value),
                ArgKind::Named(name) => args.named.push((*name, value)),
                ArgKind::Spread => match value.as_object::<Array>() {
                    Some(array) => args.positional.extend(array.iter()),
                    None => return Err(ctx.raise(super::make::ONLY_ARRAYS)),
                },
            }
        }
        Ok(args)
    }

    /// Turns named arguments into positional ones, as the callee takes them.
    fn bind_for(&mut self, ctx: &mut VMContext, callee: &Value) -> R<()> {
        if self.named.is_empty() {
            return Ok(());
        }
        let method = callee
            .as_object::<BoundMethod>()
            .map_or(callee, |bound| &bound.method);
        match method.as_object::<Function>() {
            Some(function) => self.bind(ctx, function.info()),
            None => {
                self.append_named(ctx);
                Ok(())
            }
        }
    }

    /// Puts named arguments where the function's parameters are; positional
    /// ones fill the others in order.
    fn bind(&mut self, ctx: &mut VMContext, info: &FunctionInfo) -> R<()> {
        let params = &info.params[info.flags.is_method as usize..];
        let mut places: Vec<Option<Value>> = params.iter().map(|_| None).collect();
        let given = self.positional.len() + self.named.len();
        for (name, value) in self.named.drain(..) {
            match params.iter().position(|param| *param == name) {
                Some(position) => places[position] = Some(value),
                None => {
                    let message = format!(
                        "{} has no parameter named '{}'",
                        info.name,
                        ctx.program.name(name)
                    );
                    return Err(ctx.raise(&message));
                }
            }
        }
        if given != params.len() {
            return Err(wrong_count(ctx, info, given));
        }
        let mut positional = self.positional.drain(..);
        let bound: Vec<Value> = places
            .into_iter()
            .filter_map(|place| place.or_else(|| positional.next()))
            .collect();
        drop(positional);
        self.positional = bound;
        Ok(())
    }

    /// Passes named arguments to a built-in: the name and the value.
    fn append_named(&mut self, ctx: &VMContext) {
        for (name, value) in self.named.drain(..) {
            self.positional
                .push(Value::from(ctx.program.names[name as usize].clone()));
            self.positional.push(value);
        }
    }
}

#[cold]
fn wrong_count(ctx: &mut VMContext, info: &FunctionInfo, given: usize) -> Raised {
    let message = format!(
        "{} expects {} arguments, got {given}",
        info.name,
        info.arity()
    );
    ctx.raise(&message)
}

/// Calls a method.  `root` is the variable of the site's place; `receiver` was
/// read before the arguments were computed, or is no place at all; `indexes`
/// are the place's.  The arguments are taken.
pub fn call_method(
    ctx: &mut VMContext,
    site: &MethodSite,
    root: Option<*mut Value>,
    receiver: Option<Value>,
    indexes: &mut [Value],
    args: &mut [Value],
) -> R<Value> {
    let place = root
        .zip(site.place.as_ref())
        .map(|(root, path)| Place { root, path });
    let early = receiver.is_some();
    let receiver = match (receiver, &place) {
        (Some(receiver), _) => receiver,
        (None, Some(place)) => read_path(ctx, place.root, place.path, indexes)?,
        (None, None) => Value::NULL,
    };
    let target = resolve(ctx, &receiver, site.name)?;
    if site.args.iter().all(|kind| *kind == ArgKind::One) {
        return Call {
            site,
            place,
            early,
            indexes,
        }
        .run(ctx, target, receiver, args);
    }
    let mut collected = Arguments::collect(ctx, &site.args, args)?;
    match &target {
        Target::Method(callee) | Target::Static(callee) | Target::Function(callee) => {
            collected.bind_for(ctx, callee)?;
        }
        Target::Builtin(_) | Target::CollectArray | Target::Stream(_) => {
            collected.append_named(ctx);
        }
    }
    Call {
        site,
        place,
        early,
        indexes,
    }
    .run(ctx, target, receiver, &mut collected.positional)
}

/// Where a method's receiver is and where changes go.
struct Place<'a> {
    root: *mut Value,
    path: &'a Path,
}

/// What a method's name means on a receiver.
#[derive(Debug)]
pub enum Target {
    /// A method of the receiver's struct: called with the receiver.
    Method(Value),
    /// A static method, called on its struct's name.
    Static(Value),
    /// Something callable in a field or under a key: called without receiver.
    Function(Value),
    /// A built-in that has a method form on this kind of receiver.
    Builtin(MethodForm),
    /// `collect()` on an array: the array itself.
    CollectArray,
    /// A method of generators, iterators and channels.
    Stream(NameId),
}

/// Decides what `receiver.name(…)` calls.
pub fn resolve(ctx: &mut VMContext, receiver: &Value, name: NameId) -> R<Target> {
    if let Some(record) = receiver.as_object::<Record>() {
        if let Some(method) = record.def().and_then(|def| def.method(name)) {
            return Ok(Target::Method(method.clone()));
        }
        return match record_field(receiver, name) {
            Some(field) if is_callable(field) => Ok(Target::Function(field.clone())),
            // Structs that built-ins make have no declaration.
            _ => match ctx.program.method_form(name, Tag::Struct) {
                Some(form) if record.def().is_none() => Ok(Target::Builtin(form)),
                _ => Err(unknown_method(ctx, name)),
            },
        };
    }
    if let Some(def) = receiver.as_object::<StructDef>() {
        return match def.method(name) {
            Some(method) if is_static(method) => Ok(Target::Static(method.clone())),
            _ => Err(unknown_method(ctx, name)),
        };
    }
    if let Some(dict) = receiver.as_object::<Dict>() {
        let entry = dict
            .get(Key::from_str(&ctx.program.names[name as usize]))
            .cloned();
        if let Some(entry) = entry {
            return Ok(Target::Function(entry));
        }
    }
    let is_stream = match receiver.tag() {
        Tag::Generator | Tag::Iterator => streams::has_method(name),
        Tag::Channel => true,
        _ => false,
    };
    if is_stream {
        return Ok(Target::Stream(name));
    }
    if let Some(form) = ctx.program.method_form(name, receiver.tag()) {
        return Ok(Target::Builtin(form));
    }
    match receiver.tag() {
        Tag::Array if name == COLLECT => Ok(Target::CollectArray),
        Tag::Dict => Err(ctx.raise(NOT_CALLABLE)),
        _ if name == COLLECT => Err(ctx.raise("collect() expects an iterator or array")),
        _ => Err(no_fields(ctx, name)),
    }
}

fn is_callable(value: &Value) -> bool {
    matches!(value.tag(), Tag::Function | Tag::Builtin | Tag::BoundMethod)
}

fn is_static(method: &Value) -> bool {
    method
        .as_object::<Function>()
        .is_some_and(|function| function.info().flags.is_static)
}

#[cold]
fn unknown_method(ctx: &mut VMContext, name: NameId) -> Raised {
    let message = format!("Unknown method: {}", ctx.program.name(name));
    ctx.raise(&message)
}

/// One method call, its target known.
struct Call<'a> {
    site: &'a MethodSite,
    place: Option<Place<'a>>,
    /// The receiver was read before the arguments were computed.
    early: bool,
    indexes: &'a mut [Value],
}

impl Call<'_> {
    fn run(
        mut self,
        ctx: &mut VMContext,
        target: Target,
        receiver: Value,
        args: &mut [Value],
    ) -> R<Value> {
        match target {
            Target::Method(method) => self.call_method(ctx, &method, receiver, args),
            Target::Static(method) => call::call(ctx, &method, args),
            Target::Function(function) => call::call(ctx, &function, args),
            Target::Builtin(form) => self.call_builtin(ctx, form, receiver, args),
            Target::Stream(name) => streams::call_method(ctx, receiver, name, args),
            Target::CollectArray if args.is_empty() => Ok(receiver),
            Target::CollectArray => {
                let message = format!("collect expects 1 arguments, got {}", args.len() + 1);
                Err(ctx.raise(&message))
            }
        }
    }

    fn call_method(
        &mut self,
        ctx: &mut VMContext,
        method: &Value,
        receiver: Value,
        args: &mut [Value],
    ) -> R<Value> {
        let Some(function) = method.as_object::<Function>() else {
            return Err(ctx.raise(NOT_CALLABLE));
        };
        let info = function.info();
        if args.len() != info.arity() {
            return Err(wrong_count(ctx, info, args.len()));
        }
        let mut receiver = receiver;
        if info.flags.changes_self
            && !self.early
            && self.site.take
            && let Some(place) = &self.place
        {
            drop(receiver);
            receiver = take_receiver(ctx, place.root, place.path, self.indexes)?;
        }
        let result = call::call_method(ctx, function, receiver, args)?;
        if info.flags.changes_self {
            let changed = ctx.self_result.take();
            if let Some(place) = &self.place {
                store_receiver(ctx, self.site, place.root, self.indexes, changed)?;
            }
        }
        Ok(result)
    }

    fn call_builtin(
        &mut self,
        ctx: &mut VMContext,
        form: MethodForm,
        mut receiver: Value,
        args: &mut [Value],
    ) -> R<Value> {
        let mutate = form.builtin.mutate.filter(|_| form.mutates);
        let Some(mutate) = mutate else {
            return with_receiver(receiver, args, |args| (form.builtin.function)(ctx, args));
        };
        let Some(place) = &self.place else {
            return mutate(ctx, &mut receiver, args);
        };
        if let Some(message) = self.site.immutable {
            return Err(raise_constant(ctx, message));
        }
        let old = self.early.then_some(receiver);
        edit_or_replace(
            ctx,
            place.root,
            place.path,
            self.indexes,
            old,
            &mut |ctx, place| mutate(ctx, place, args),
        )
    }
}

/// Moves the receiver out of its place for the time of a call.
pub fn take_receiver(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &[Value],
) -> R<Value> {
    if path.steps.is_empty() {
        // SAFETY: the root is a live variable; nobody looks at it meanwhile
        // (`MethodSite::take`).
        return Ok(unsafe { core::mem::take(&mut *root) });
    }
    super::place::edit_path(ctx, root, path, indexes, &mut |_, place| {
        Ok(core::mem::take(place))
    })
}

/// Stores a method's final `self` back into the receiver's place.
pub fn store_receiver(
    ctx: &mut VMContext,
    site: &MethodSite,
    root: *mut Value,
    indexes: &[Value],
    changed: Value,
) -> R<()> {
    let Some(path) = &site.place else {
        return Ok(());
    };
    if let Some(message) = site.immutable {
        // A method that happened to change nothing may be called.
        let unchanged =
            read_path(ctx, root, path, indexes).is_ok_and(|now| is_same_word(&now, &changed));
        if unchanged {
            return Ok(());
        }
        return Err(raise_constant(ctx, message));
    }
    store_path(ctx, root, path, indexes, changed)
}

#[cold]
fn raise_constant(ctx: &mut VMContext, message: u32) -> Raised {
    let message = ctx.program.constants[message as usize].clone();
    ctx.raise(message.as_str().unwrap_or_default())
}

/// Runs `action` on the receiver followed by the arguments, which are taken.
fn with_receiver<T>(
    receiver: Value,
    args: &mut [Value],
    action: impl FnOnce(&mut [Value]) -> T,
) -> T {
    const NEAR: usize = 4;
    if args.len() < NEAR {
        let mut all: [Value; NEAR] = [receiver, Value::NULL, Value::NULL, Value::NULL];
        for (place, arg) in all[1..].iter_mut().zip(args.iter_mut()) {
            *place = core::mem::take(arg);
        }
        return action(&mut all[..=args.len()]);
    }
    let mut all = Vec::with_capacity(args.len() + 1);
    all.push(receiver);
    all.extend(args.iter_mut().map(core::mem::take));
    action(&mut all)
}

/// Raises the error for a function that would be nested too deep.
#[cold]
pub fn depth_exceeded(ctx: &mut VMContext, func: FunctionId) -> Raised {
    let message = format!(
        "Maximum call stack depth of {MAX_CALL_DEPTH} exceeded while calling {}",
        ctx.program.program.functions[func as usize].info.name
    );
    ctx.raise(&message)
}

/// Runs a function value without parameters on another thread.
pub fn spawn(ctx: &mut VMContext, function: Value) -> R<()> {
    threads::spawn(ctx, &function);
    Ok(())
}
