//! Elements, fields and places from the interpreter's operands.

use super::frame::drop_range;
use super::inst::{FieldCache, Operand, Target};
use super::machine::Machine;
use crate::bytecode::{Operator, Path, Step, Var};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Elements, Record, Str};
use crate::semantics::{R, arith, index, place};
use crate::value::{RAISED, RawValue, Tag, Value};
use core::cell::Cell;

/// The element of an array or ASCII string at an index, if that is in bounds.
#[inline(always)]
fn element(ctx: &VMContext, object: &Value, index: Option<i64>) -> Option<Value> {
    let index = index? as usize;
    let Some(array) = object.as_object::<Array>() else {
        let text = object.as_object::<Str>()?;
        let byte = *text.as_bytes().get(index).filter(|_| text.is_ascii())?;
        return ctx
            .program
            .ascii
            .get(byte as usize)
            .map(|text| Value::from(text.clone()));
    };
    match array.elements() {
        Elements::Ints => array
            .as_ints()?
            .get(index)
            .map(|number| Value::int(*number)),
        Elements::Floats => array
            .as_floats()?
            .get(index)
            .map(|number| Value::float(*number)),
        Elements::Values => array.as_values()?.get(index).cloned(),
        Elements::Bools => (index < array.len()).then(|| array.get(index)),
    }
}

/// `object[index]` of named operands; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn index_named(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: Operand,
    key: Key,
    to: Target,
) -> bool {
    // SAFETY: verified; indexing runs no Ruff code, so operands can be looked
    // at where they are.
    unsafe {
        let place = machine.named(object);
        let result = match element(ctx, &*place, key.int(machine)) {
            Some(element) => element.into_raw(),
            None => key.with(machine, |key| index_slowly(ctx, &*place, key)),
        };
        if object.moves() {
            *place = Value::UNSET;
        }
        key.done(machine);
        if result.tag == RAISED {
            return false;
        }
        machine.deliver(Value::from_raw(result), to);
        true
    }
}

/// `object[index]`, the object on the stack below what the key pops.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn index_stack(
    ctx: &mut VMContext,
    machine: &mut Machine,
    key: Key,
    to: Target,
) -> bool {
    // SAFETY: verified; as for `index_named`.
    unsafe {
        let place = machine.sp.sub(1 + key.pops());
        let result = match element(ctx, &*place, key.int(machine)) {
            Some(element) => element.into_raw(),
            None => key.with(machine, |key| index_slowly(ctx, &*place, key)),
        };
        key.done(machine);
        machine.sp = place;
        core::ptr::drop_in_place(place);
        if result.tag == RAISED {
            return false;
        }
        machine.deliver(Value::from_raw(result), to);
        true
    }
}

#[inline(never)]
fn index_slowly(ctx: &mut VMContext, object: &Value, key: &Value) -> RawValue {
    raw(index::index(ctx, object, key))
}

fn raw(result: R<Value>) -> RawValue {
    match result {
        Ok(value) => value.into_raw(),
        Err(Raised) => RawValue::RAISED,
    }
}

/// The index of an access.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Stack,
    Named(Operand),
    Int(i32),
}

impl Key {
    #[inline(always)]
    fn pops(self) -> usize {
        matches!(self, Key::Stack) as usize
    }

    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    unsafe fn int(self, machine: &Machine) -> Option<i64> {
        // SAFETY: verified.
        unsafe {
            match self {
                Key::Stack => (*machine.sp.sub(1)).as_int(),
                Key::Named(operand) => (*machine.named(operand)).as_int(),
                Key::Int(number) => Some(number as i64),
            }
        }
    }

    /// Looks at the key.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    unsafe fn with<T>(self, machine: &Machine, action: impl FnOnce(&Value) -> T) -> T {
        // SAFETY: verified.
        unsafe {
            match self {
                Key::Stack => action(&*machine.sp.sub(1)),
                Key::Named(operand) => action(&*machine.named(operand)),
                Key::Int(number) => action(&Value::int(number as i64)),
            }
        }
    }

    /// Drops the key, but leaves it to the caller to cut the stack.
    ///
    /// # Safety
    /// The machine is that of a live frame, at a verified instruction.
    #[inline(always)]
    unsafe fn done(self, machine: &Machine) {
        // SAFETY: verified.
        unsafe {
            match self {
                Key::Stack => core::ptr::drop_in_place(machine.sp.sub(1)),
                Key::Named(operand) if operand.moves() => *machine.named(operand) = Value::UNSET,
                Key::Named(_) | Key::Int(_) => {}
            }
        }
    }
}

/// `root[key] = value`; the stack is already cut.  False if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn store_element(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    key: Value,
    value: Value,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let root = machine.variable(root);
        if let (Some(index), Some(array)) = (key.as_int(), (*root).object_mut::<Array>()) {
            let index = index as usize;
            // Flat arrays take what fits without further ado.
            match array.elements() {
                Elements::Ints => {
                    if let (Some(number), Some(ints)) = (value.as_int(), array.as_ints_mut())
                        && let Some(place) = ints.get_mut(index)
                    {
                        *place = number;
                        return true;
                    }
                }
                Elements::Floats => {
                    if let (Some(number), Some(floats)) = (value.as_float(), array.as_floats_mut())
                        && let Some(place) = floats.get_mut(index)
                    {
                        *place = number;
                        return true;
                    }
                }
                Elements::Values | Elements::Bools => {
                    if index < array.len() && value.depth() < place::MAX_DEPTH {
                        array.set(index, value);
                        return true;
                    }
                }
            }
        }
        store_slowly(ctx, root, key.into_raw(), value.into_raw())
    }
}

/// # Safety
/// The root is a live variable; the operands are given up.
#[inline(never)]
unsafe fn store_slowly(
    ctx: &mut VMContext,
    root: *mut Value,
    key: RawValue,
    value: RawValue,
) -> bool {
    // SAFETY: the caller gives both up.
    let (key, value) = unsafe { (Value::from_raw(key), Value::from_raw(value)) };
    place::store_index(ctx, root, key, value).is_ok()
}

/// `root[index] operator= right`, both on the stack, which is cut at `start`.
///
/// # Safety
/// The root is a live variable; index and right operand lie at `start`.
#[inline(never)]
pub(super) unsafe fn update_element(
    ctx: &mut VMContext,
    root: *mut Value,
    path: u32,
    operator: Operator,
    start: *mut Value,
) -> bool {
    // SAFETY: as above; the program outlives the run.
    unsafe {
        let right = start.add(1).read();
        if let (Some(index), Some(array)) = ((*start).as_int(), (*root).object_mut::<Array>()) {
            let index = index as usize;
            if let (Some(ints), Some(number)) = (array.as_ints_mut(), right.as_int()) {
                let result = ints.get(index).and_then(|old| match operator {
                    Operator::Add => old.checked_add(number),
                    Operator::Subtract => old.checked_sub(number),
                    Operator::Multiply => old.checked_mul(number),
                    Operator::Divide => old.checked_div(number),
                    Operator::Remainder => old.checked_rem(number),
                });
                if let Some(result) = result {
                    ints[index] = result;
                    return true;
                }
            } else if let (Some(floats), Some(number)) = (array.as_floats_mut(), right.as_float()) {
                let result = floats.get(index).and_then(|old| match operator {
                    Operator::Add => Some(old + number),
                    Operator::Subtract => Some(old - number),
                    Operator::Multiply => Some(old * number),
                    Operator::Divide if number != 0.0 => Some(old / number),
                    Operator::Divide | Operator::Remainder => None,
                });
                if let Some(result) = result {
                    floats[index] = result;
                    return true;
                }
            }
        }
        let path = &raw const ctx.program.program.paths[path as usize];
        let indexes = core::slice::from_raw_parts_mut(start, 1);
        let result = place::update_path(ctx, root, &*path, indexes, operator, right);
        core::ptr::drop_in_place(start);
        result.is_ok()
    }
}

/// A field that lies where the cache says.
#[inline(always)]
fn cached_field(object: &Value, cache: &Cell<FieldCache>) -> Option<Value> {
    let record = object.as_object::<Record>()?;
    let FieldCache {
        shape, position, ..
    } = cache.get();
    if !core::ptr::eq(record.shape(), shape) {
        return None;
    }
    let value = &record.fields()[position as usize];
    (!value.is_unset()).then(|| value.clone())
}

/// `object.name` of a named operand; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn field_named(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: Operand,
    cache: u32,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let cache = (*machine.code).caches.as_ptr().add(cache as usize);
        let place = machine.named(object);
        let result = match cached_field(&*place, &*cache) {
            Some(value) => value.into_raw(),
            None => field_slowly(ctx, &*place, &*cache),
        };
        if object.moves() {
            *place = Value::UNSET;
        }
        if result.tag == RAISED {
            return false;
        }
        machine.deliver(Value::from_raw(result), to);
        true
    }
}

/// `object.name` of the top; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn field_stack(
    ctx: &mut VMContext,
    machine: &mut Machine,
    cache: u32,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let cache = (*machine.code).caches.as_ptr().add(cache as usize);
        let object = machine.pop();
        let result = match cached_field(&object, &*cache) {
            Some(value) => value.into_raw(),
            None => field_slowly(ctx, &object, &*cache),
        };
        drop(object);
        if result.tag == RAISED {
            return false;
        }
        machine.deliver(Value::from_raw(result), to);
        true
    }
}

#[inline(never)]
fn field_slowly(ctx: &mut VMContext, object: &Value, cache: &Cell<FieldCache>) -> RawValue {
    note_field(object, cache);
    raw(index::field(ctx, object, cache.get().name))
}

/// Lets the cache point at the field in this struct's shape, if it is one.
fn note_field(object: &Value, cache: &Cell<FieldCache>) {
    let Some(record) = object.as_object::<Record>() else {
        return;
    };
    let name = cache.get().name;
    if let Some(position) = record.shape().position(name) {
        cache.set(FieldCache {
            shape: record.shape(),
            position: position as u32,
            name,
        });
    }
}

/// `root.name = value`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn store_field(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    cache: u32,
    path: u32,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let value = machine.pop();
        let root = machine.variable(root);
        let cache = (*machine.code).caches.as_ptr().add(cache as usize);
        let FieldCache {
            shape, position, ..
        } = (*cache).get();
        if let Some(record) = (*root).object_mut::<Record>()
            && core::ptr::eq(record.shape(), shape)
            && value.depth() < place::MAX_DEPTH
        {
            record.note_depth(value.depth());
            record.fields_mut()[position as usize] = value;
            return true;
        }
        store_field_slowly(ctx, root, &*cache, path, value.into_raw())
    }
}

/// # Safety
/// The root is a live variable; the value is given up.
#[inline(never)]
unsafe fn store_field_slowly(
    ctx: &mut VMContext,
    root: *mut Value,
    cache: &Cell<FieldCache>,
    path: u32,
    value: RawValue,
) -> bool {
    // SAFETY: as above; the program outlives the run.
    unsafe {
        note_field(&*root, cache);
        let path = &raw const ctx.program.program.paths[path as usize];
        place::store_path(ctx, root, &*path, &[], Value::from_raw(value)).is_ok()
    }
}

/// `root.name operator= right`; false if it raised.
///
/// # Safety
/// The root is a live variable.
#[inline(never)]
pub(super) unsafe fn update_field(
    ctx: &mut VMContext,
    root: *mut Value,
    path: u32,
    operator: Operator,
    right: Value,
) -> bool {
    // SAFETY: as above; the program outlives the run.
    unsafe {
        let path = &raw const ctx.program.program.paths[path as usize];
        if let ([Step::Field(name)], Some(record)) =
            (&(&(*path).steps)[..], (*root).object_mut::<Record>())
            && let Some(position) = record.shape().position(*name)
        {
            let field = &mut record.fields_mut()[position];
            if !field.is_unset() && field.tag() != Tag::Struct {
                return arith::update(ctx, field, operator, right).is_ok();
            }
        }
        place::update_path(ctx, root, &*path, &mut [], operator, right).is_ok()
    }
}

/// `root = push(root, value)`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn push_element(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    value: Value,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let root = machine.variable(root);
        if let Some(array) = (*root).object_mut::<Array>()
            && value.depth() < place::MAX_DEPTH
        {
            array.push(value);
            return true;
        }
        push_slowly(ctx, root, value.into_raw())
    }
}

/// # Safety
/// The root is a live variable; the value is given up.
#[cold]
#[inline(never)]
unsafe fn push_slowly(ctx: &mut VMContext, root: *mut Value, value: RawValue) -> bool {
    // SAFETY: the caller gives it up.
    place::push(ctx, root, unsafe { Value::from_raw(value) }).is_ok()
}

/// The length of what has one without asking the built-in.
#[inline(always)]
fn known_length(value: &Value) -> Option<Value> {
    if let Some(array) = value.as_object::<Array>() {
        return Some(Value::int(array.len() as i64));
    }
    value
        .as_object::<Str>()
        .map(|text| Value::int(text.chars() as i64))
}

/// `len(value)`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn length(
    ctx: &mut VMContext,
    machine: &mut Machine,
    builtin: u32,
    value: Value,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if let Some(length) = known_length(&value) {
            drop(value);
            machine.deliver(length, to);
            return true;
        }
        ctx.stack.top = machine.sp;
        match call_builtin(ctx, builtin, value) {
            Ok(length) => {
                machine.deliver(length, to);
                true
            }
            Err(Raised) => false,
        }
    }
}

/// `len(operand)`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn length_named(
    ctx: &mut VMContext,
    machine: &mut Machine,
    builtin: u32,
    operand: Operand,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if !operand.moves()
            && let Some(length) = known_length(&*machine.named(operand))
        {
            machine.deliver(length, to);
            return true;
        }
        let value = machine.take_named(operand);
        length(ctx, machine, builtin, value, to)
    }
}

/// Calls a built-in with one argument.
#[inline(never)]
fn call_builtin(ctx: &mut VMContext, builtin: u32, arg: Value) -> R<Value> {
    let function = ctx.program.builtins[builtin as usize].function;
    function(ctx, &mut [arg])
}

/// A path of the program with the variable it starts from.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
unsafe fn root_of(ctx: &VMContext, path: u32, machine: &Machine) -> (*const Path, *mut Value) {
    let path = &raw const ctx.program.program.paths[path as usize];
    // SAFETY: the program outlives the run; the path was verified.
    unsafe { (path, machine.variable((*path).root)) }
}

/// `StorePath`: the value below the indexes.  Gives the stack's new end.
///
/// # Safety
/// The machine is that of a live frame, with what the instruction takes on top.
#[inline(never)]
pub(super) unsafe fn store_path(
    ctx: &mut VMContext,
    path: u32,
    machine: Machine,
) -> (R<()>, *mut Value) {
    // SAFETY: the verifier has counted the indexes; they are dropped once.
    unsafe {
        let (path, root) = root_of(ctx, path, &machine);
        let count = (*path).indexes() as usize;
        let indexes = machine.sp.sub(count);
        let start = indexes.sub(1);
        let slice = core::slice::from_raw_parts_mut(indexes, count);
        let result = place::store_path(ctx, root, &*path, slice, start.read());
        drop_range(indexes, machine.sp);
        (result, start)
    }
}

/// `StorePathUnder`: the value above the indexes.
///
/// # Safety
/// As for `store_path`.
#[inline(never)]
pub(super) unsafe fn store_path_under(
    ctx: &mut VMContext,
    path: u32,
    machine: Machine,
) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, &machine);
        let count = (*path).indexes() as usize;
        let value = machine.sp.sub(1);
        let start = value.sub(count);
        let slice = core::slice::from_raw_parts_mut(start, count);
        let result = place::store_path(ctx, root, &*path, slice, value.read());
        drop_range(start, value);
        (result, start)
    }
}

/// `ReadPath`: the indexes stay.
///
/// # Safety
/// As for `store_path`.
#[inline(never)]
pub(super) unsafe fn read_path(ctx: &mut VMContext, path: u32, machine: Machine) -> R<Value> {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, &machine);
        let count = (*path).indexes() as usize;
        place::read_path(
            ctx,
            root,
            &*path,
            core::slice::from_raw_parts(machine.sp.sub(count), count),
        )
    }
}

/// `UpdatePath`: the right operand above the indexes.
///
/// # Safety
/// As for `store_path`.
#[inline(never)]
pub(super) unsafe fn update_path(
    ctx: &mut VMContext,
    path: u32,
    operator: Operator,
    machine: Machine,
) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`.
    unsafe {
        let (path, root) = root_of(ctx, path, &machine);
        let count = (*path).indexes() as usize;
        let right = machine.sp.sub(1);
        let start = right.sub(count);
        let slice = core::slice::from_raw_parts_mut(start, count);
        let result = place::update_path(ctx, root, &*path, slice, operator, right.read());
        drop_range(start, right);
        (result, start)
    }
}

/// `Mutate`.
///
/// # Safety
/// As for `store_path`.
#[inline(never)]
pub(super) unsafe fn mutate(
    ctx: &mut VMContext,
    site: u32,
    machine: Machine,
) -> (R<()>, *mut Value) {
    // SAFETY: as for `store_path`; the program outlives the run.
    unsafe {
        let site = &raw const ctx.program.program.builtin_sites[site as usize];
        let root = machine.variable((*site).place.root);
        let argc = (*site).argc as usize;
        let args = machine.sp.sub(argc);
        let count = (*site).place.indexes() as usize;
        let indexes = args.sub(count);
        let (start, old) = match (*site).early {
            true => (indexes.sub(1), Some(indexes.sub(1).read())),
            false => (indexes, None),
        };
        let result = place::mutate(
            ctx,
            root,
            &*site,
            old,
            core::slice::from_raw_parts_mut(indexes, count),
            core::slice::from_raw_parts_mut(args, argc),
        );
        drop_range(indexes, machine.sp);
        (result, start)
    }
}
