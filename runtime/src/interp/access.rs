//! Elements, fields and simple places: inlined for what lies flat or where it
//! was last, outside for the rest.  Longer paths are in `paths`.

use super::inst::{FieldCache, Target};
use super::machine::Machine;
use super::operate::{Slot, Source, Top, update_float, update_int};
use crate::bytecode::{Operator, Step, Var};
use crate::context::VMContext;
use crate::heap::{Array, Elements, Record, Str};
use crate::semantics::{arith, index, place};
use crate::value::{Tag, Value};
use core::cell::Cell;
use core::mem::ManuallyDrop;

/// The element of an array at an index, if that is in bounds.
#[inline(always)]
fn element(object: &Value, index: Option<i64>) -> Option<Value> {
    let array = object.as_object::<Array>()?;
    let index = index? as usize;
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
        Elements::Bools => array
            .as_bools()?
            .get(index)
            .map(|truth| Value::bool(*truth != 0)),
        Elements::Structs => (index < array.len()).then(|| array.get(index)),
    }
}

/// The character of an ASCII string at an index, if that is in bounds.
#[inline(always)]
fn ascii_character(ctx: &VMContext, object: &Value, index: Option<i64>) -> Option<Value> {
    let text = object.as_object::<Str>()?;
    let byte = *text
        .as_bytes()
        .get(index? as usize)
        .filter(|_| text.is_ascii())?;
    ctx.program
        .ascii
        .get(byte as usize)
        .map(|text| Value::from(text.clone()))
}

/// `object[key]` of a named object; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn index_named<O: Source, K: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: O,
    is_last_use: bool,
    key: K,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if !is_last_use {
            let key = key.int(ctx, machine);
            let found = object.look(ctx, machine, |object| {
                element(object, key).or_else(|| ascii_character(ctx, object, key))
            });
            if let Some(found) = found {
                machine.sp = machine.sp.sub(K::POPS);
                machine.deliver(found, to);
                return true;
            }
        }
        machine.aside(ctx, |ctx, machine| {
            index_slowly(ctx, machine, object, key, to)
        })
    }
}

/// `object[key]` of an object on the stack, below what the key pops; false if
/// it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn index_stack<K: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    key: K,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let place = machine.sp.sub(1 + K::POPS);
        if let Some(element) = element(&*place, key.int(ctx, machine)) {
            machine.sp = place;
            core::ptr::drop_in_place(place);
            machine.deliver(element, to);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            index_slowly(ctx, machine, Top(1 + K::POPS), key, to)
        })
    }
}

/// # Safety
/// As for `index_named`.
#[inline(never)]
unsafe fn index_slowly<O: Source, K: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: O,
    key: K,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if object.stays() && key.stays() {
            // Indexing runs no Ruff code, so both can be looked at where they are.
            let object = object.look(ctx, machine, core::ptr::from_ref);
            let key = key.look(ctx, machine, |key| ManuallyDrop::new(core::ptr::read(key)));
            let result = index::index(ctx, &*object, &key);
            return machine.deliver_result(result, to);
        }
        let number = key.int(ctx, machine);
        let (object, key) = (object.take(ctx, machine), key.take(ctx, machine));
        machine.sp = machine.sp.sub(O::POPS + K::POPS);
        let result = match ascii_character(ctx, &object, number) {
            Some(character) => Ok(character),
            None => index::index(ctx, &object, &key),
        };
        machine.deliver_result(result, to)
    }
}

/// `root[key] = value`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn store_element<V: Source, K: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    value: V,
    key: K,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let root = machine.variable(ctx, root);
        if let (Some(index), Some(array)) = (key.int(ctx, machine), (*root).as_object::<Array>())
            && array.is_unique()
        {
            let index = index as usize;
            // Nobody else sees the array, and nothing below looks at the root.
            let array = (*root)
                .object_mut_unchecked::<Array>()
                .expect("tested by tag");
            let stored = match array.elements() {
                Elements::Ints => value
                    .int(ctx, machine)
                    .zip(array.as_ints_mut().and_then(|ints| ints.get_mut(index)))
                    .map(|(number, place)| *place = number),
                Elements::Floats => value
                    .float(ctx, machine)
                    .zip(
                        array
                            .as_floats_mut()
                            .and_then(|floats| floats.get_mut(index)),
                    )
                    .map(|(number, place)| *place = number),
                Elements::Bools => value
                    .look(ctx, machine, Value::as_bool)
                    .zip(array.as_bools_mut().and_then(|bools| bools.get_mut(index)))
                    .map(|(truth, place)| *place = truth as u8),
                Elements::Values | Elements::Structs => None,
            };
            if stored.is_some() {
                machine.sp = machine.sp.sub(V::POPS + K::POPS);
                return true;
            }
        }
        machine.aside(ctx, |ctx, machine| {
            store_slowly(ctx, machine, root, value, key)
        })
    }
}

/// # Safety
/// As for `store_element`; the root is a live variable.
#[inline(never)]
unsafe fn store_slowly<V: Source, K: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: *mut Value,
    value: V,
    key: K,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let (value, key) = (value.take(ctx, machine), key.take(ctx, machine));
        machine.sp = machine.sp.sub(V::POPS + K::POPS);
        place::store_index(ctx, root, key, value).is_ok()
    }
}

/// `root[index] operator= right`, both on the stack; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn update_element(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    path: u32,
    operator: Operator,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let root = machine.variable(ctx, root);
        let (index, right) = (machine.sp.sub(2), machine.sp.sub(1));
        if let (Some(index), Some(array)) = ((*index).as_int(), (*root).as_object::<Array>())
            && array.is_unique()
        {
            let index = index as usize;
            // Nobody else sees the array, and nothing below looks at the root.
            let array = (*root)
                .object_mut_unchecked::<Array>()
                .expect("tested by tag");
            let done = if let (Some(floats), Some(number)) =
                (array.as_floats_mut(), (*right).as_float())
            {
                floats
                    .get_mut(index)
                    .is_some_and(|old| update_float(old, operator, number))
            } else if let (Some(ints), Some(number)) = (array.as_ints_mut(), (*right).as_int()) {
                ints.get_mut(index)
                    .is_some_and(|old| update_int(old, operator, number))
            } else {
                false
            };
            if done {
                machine.sp = machine.sp.sub(2);
                return true;
            }
        }
        machine.aside(ctx, |ctx, machine| {
            update_slowly(ctx, machine, root, path, operator)
        })
    }
}

/// # Safety
/// As for `update_element`; the root is a live variable.
#[inline(never)]
unsafe fn update_slowly(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: *mut Value,
    path: u32,
    operator: Operator,
) -> bool {
    ctx.stack.top = machine.sp;
    // SAFETY: verified; the program outlives the run.
    unsafe {
        let (right, index) = (machine.pop(), machine.pop());
        let path = &raw const ctx.program.program.paths[path as usize];
        place::update_path(ctx, root, &*path, &mut [index], operator, right).is_ok()
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

/// A cache of the running function.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
unsafe fn cache_of(machine: &Machine, cache: u32) -> *const Cell<FieldCache> {
    // SAFETY: the decoder made as many as it numbered.
    unsafe { (*machine.code).caches.as_ptr().add(cache as usize) }
}

/// `object.name` of a local; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn field_named(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: Slot,
    cache: u32,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let found = object.look(ctx, machine, |object| {
            cached_field(object, &*cache_of(machine, cache))
        });
        if let Some(value) = found {
            if object.is_last_use() {
                drop(object.take(ctx, machine));
            }
            machine.deliver(value, to);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            field_slowly(ctx, machine, object, cache, to)
        })
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
        let place = machine.sp.sub(1);
        if let Some(value) = cached_field(&*place, &*cache_of(machine, cache)) {
            machine.sp = place;
            core::ptr::drop_in_place(place);
            machine.deliver(value, to);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            field_slowly(ctx, machine, Top(1), cache, to)
        })
    }
}

/// # Safety
/// As for `field_named`.
#[inline(never)]
unsafe fn field_slowly<O: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    object: O,
    cache: u32,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let object = object.take(ctx, machine);
        machine.sp = machine.sp.sub(O::POPS);
        let cache = &*cache_of(machine, cache);
        note_field(&object, cache);
        let result = index::field(ctx, &object, cache.get().name);
        machine.deliver_result(result, to)
    }
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

/// `root.name = value`, the value on the stack; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(never)]
pub(super) unsafe fn store_field(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    cache: u32,
    path: u32,
) -> bool {
    // SAFETY: verified; the program outlives the run.
    unsafe {
        let value = machine.pop();
        let root = machine.variable(ctx, root);
        let cache = &*cache_of(machine, cache);
        let FieldCache {
            shape, position, ..
        } = cache.get();
        if let Some(record) = (*root).object_mut::<Record>()
            && core::ptr::eq(record.shape(), shape)
            && value.depth() < place::MAX_DEPTH
        {
            record.note_depth(value.depth());
            record.fields_mut()[position as usize] = value;
            return true;
        }
        note_field(&*root, cache);
        let path = &raw const ctx.program.program.paths[path as usize];
        place::store_path(ctx, root, &*path, &[], value).is_ok()
    }
}

/// `root.name operator= right`, the operand on the stack; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(never)]
pub(super) unsafe fn update_field(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    path: u32,
    operator: Operator,
) -> bool {
    // SAFETY: verified; the program outlives the run.
    unsafe {
        let right = machine.pop();
        ctx.stack.top = machine.sp;
        let root = machine.variable(ctx, root);
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
#[inline(never)]
pub(super) unsafe fn push_element<V: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    root: Var,
    value: V,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let value = value.take(ctx, machine);
        machine.sp = machine.sp.sub(V::POPS);
        let root = machine.variable(ctx, root);
        if let Some(array) = (*root).object_mut::<Array>()
            && value.depth() < place::MAX_DEPTH
        {
            array.push(value);
            return true;
        }
        place::push(ctx, root, value).is_ok()
    }
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

/// `len(operand)`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(always)]
pub(super) unsafe fn length_named(
    ctx: &mut VMContext,
    machine: &mut Machine,
    builtin: u32,
    operand: Slot,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        if !operand.is_last_use()
            && let Some(length) = operand.look(ctx, machine, known_length)
        {
            machine.deliver(length, to);
            return true;
        }
        machine.aside(ctx, |ctx, machine| {
            length(ctx, machine, builtin, operand, to)
        })
    }
}

/// `len(value)`; false if it raised.
///
/// # Safety
/// The machine is that of a live frame, at a verified instruction.
#[inline(never)]
pub(super) unsafe fn length<V: Source>(
    ctx: &mut VMContext,
    machine: &mut Machine,
    builtin: u32,
    value: V,
    to: Target,
) -> bool {
    // SAFETY: verified.
    unsafe {
        let value = value.take(ctx, machine);
        machine.sp = machine.sp.sub(V::POPS);
        ctx.stack.top = machine.sp;
        let function = ctx.program.builtins[builtin as usize].function;
        let result = function(ctx, &mut [value]);
        machine.deliver_result(result, to)
    }
}
