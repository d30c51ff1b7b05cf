//! Places: reading, storing, and changing what lies at a variable's path.
//!
//! On the way to a place every level that others see too is copied, so all
//! changes happen in place and stay private (`Value::object_mut`).  Until the
//! last step nothing is changed that a program could notice.

use super::R;
use super::arith;
use super::index::{dict_field, field, index, missing_field, missing_key, position_of};
pub use super::make::MAX_DEPTH;
use super::make::{check_depth, insert};
use crate::bytecode::{BuiltinSite, Operator, Path, Step};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Dict, Elements, Header, Key, Record, Ref};
use crate::names::NameId;
use crate::value::{Tag, Value};
use alloc::vec::Vec;

const INVALID_INDEX: &str = "Invalid index assignment";
const NO_FIELDS: &str = "Cannot set field on non-struct value";
const DOING: &str = "storing into a container";

/// One step with its index, if it has one.
#[derive(Clone, Copy)]
enum Access<'a> {
    Field(NameId),
    Index(&'a Value),
}

/// The steps of a path with their indexes.
fn accesses<'a>(path: &'a Path, indexes: &'a [Value]) -> impl ExactSizeIterator<Item = Access<'a>> {
    let mut indexes = indexes.iter();
    path.steps.iter().map(move |step| match step {
        Step::Field(name) => Access::Field(*name),
        Step::Index => Access::Index(indexes.next().unwrap_or(&NO_INDEX)),
    })
}

/// Stands for an index that a caller forgot.
static NO_INDEX: Value = Value::NULL;

/// `place[index] = value` for a variable.
#[inline]
pub fn store_index(ctx: &mut VMContext, place: *mut Value, index: Value, value: Value) -> R<()> {
    // SAFETY: the place is valid, and no Ruff code runs here.
    let container = unsafe { &mut *place };
    if let Some(number) = index.as_int()
        && let Some(array) = container.object_mut::<Array>()
        && let Some(position) = super::index::position(number, array.len())
    {
        check_depth(ctx, 1, &value, DOING)?;
        array.set(position, value);
        return Ok(());
    }
    check_depth(ctx, 1, &value, DOING)?;
    store_step(ctx, container, Access::Index(&index), value)
}

/// `place = push(place, value)` for a variable.
pub fn push(ctx: &mut VMContext, place: *mut Value, value: Value) -> R<()> {
    check_depth(ctx, 1, &value, "appending to an array")?;
    // SAFETY: the place is valid, and no Ruff code runs here.
    match unsafe { (*place).object_mut::<Array>() } {
        Some(array) => {
            array.push(value);
            Ok(())
        }
        None => Err(ctx.raise("push() requires an array as the first argument")),
    }
}

/// Assigns through a path.
pub fn store_path(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &[Value],
    value: Value,
) -> R<()> {
    if let ([Step::Index], [index]) = (&path.steps[..], indexes) {
        // SAFETY: the root is valid, and no Ruff code runs here.
        let container = unsafe { &mut *root };
        if let Some(copy) = copy_with(container, index, &value) {
            *container = Value::from(copy);
            return Ok(());
        }
        check_depth(ctx, 1, &value, DOING)?;
        return store_step(ctx, container, Access::Index(index), value);
    }
    check_depth(ctx, path.steps.len(), &value, DOING)?;
    let (container, end, above) = walk(ctx, root, path, indexes)?;
    // SAFETY: `walk` gives a valid place, and no Ruff code runs here.
    let container = unsafe { &mut *container };
    match end {
        End::Root => {
            *container = value;
            return Ok(());
        }
        End::In(access) => store_step(ctx, container, access, value)?,
        End::InFlat(index, access) => {
            let mut value = Some(value);
            edit_flat(ctx, container, index, &mut |ctx, element| {
                store_step(ctx, element, access, value.take().unwrap_or(Value::NULL))
            })?;
        }
    }
    above.deepen(container.depth());
    Ok(())
}

/// The array that takes the place of one with other owners when an element is stored, if
/// that is a number or a bool among others of its kind.
#[inline]
fn copy_with(container: &Value, index: &Value, value: &Value) -> Option<Ref<Array>> {
    let array = container.as_object::<Array>()?;
    let position = super::index::position(index.as_int()?, array.len())?;
    if array.is_unique() {
        return None;
    }
    array.copy_with(position, value)
}

/// The containers above the last one, outermost first, whose depth must grow
/// with it.
struct Above {
    near: [*mut Header; 4],
    count: usize,
    far: Vec<*mut Header>,
}

impl Above {
    fn push(&mut self, container: &Value) {
        let header = container.payload() as *mut Header;
        match self.near.get_mut(self.count) {
            Some(place) => *place = header,
            None => self.far.push(header),
        }
        self.count += 1;
    }

    /// Takes account of the last container's new depth.
    #[inline]
    fn deepen(&self, mut depth: usize) {
        let near = &self.near[..self.count.min(self.near.len())];
        for header in self.far.iter().rev().chain(near.iter().rev()) {
            // SAFETY: the containers are live and were made unique by `walk`.
            unsafe {
                (**header).deepen(depth);
                depth = (**header).depth as usize;
            }
        }
    }
}

/// What is left to do at the end of a walk.
#[derive(Clone, Copy)]
enum End<'a> {
    /// There are no steps: the root itself is meant.
    Root,
    /// The last step.
    In(Access<'a>),
    /// The last two, since the structs in this array lie flat: an index and a step
    /// in the struct.
    InFlat(&'a Value, Access<'a>),
}

/// Goes down to the container that the last step is about; gives it with what is
/// left to do.
#[inline]
fn walk<'a>(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &'a Path,
    indexes: &'a [Value],
) -> R<(*mut Value, End<'a>, Above)> {
    let mut above = Above {
        near: [core::ptr::null_mut(); 4],
        count: 0,
        far: Vec::new(),
    };
    let mut place = root;
    let mut accesses = accesses(path, indexes);
    let Some(mut access) = accesses.next() else {
        return Ok((place, End::Root, above));
    };
    while let Some(next) = accesses.next() {
        // SAFETY: the root is valid; `descend` gives a place in a container
        // that is unique and that nothing else touches before the last step.
        let container = unsafe { &mut *place };
        if let Access::Index(index) = access
            && is_flat(container)
            && accesses.len() == 0
        {
            return Ok((place, End::InFlat(index, next), above));
        }
        place = descend(ctx, container, access, next)?;
        above.push(container);
        access = next;
    }
    Ok((place, End::In(access), above))
}

/// Whether a value is an array in which structs lie flat.
fn is_flat(value: &Value) -> bool {
    let array = value.as_object::<Array>();
    array.is_some_and(|array| array.elements() == Elements::Structs)
}

/// Changes a copy of a flat struct, which is put in its place afterwards.
fn edit_flat<T>(
    ctx: &mut VMContext,
    container: &mut Value,
    index: &Value,
    action: &mut dyn FnMut(&mut VMContext, &mut Value) -> R<T>,
) -> R<T> {
    let Some(array) = container.object_mut::<Array>() else {
        unreachable!("only an array holds flat structs")
    };
    let position = position_of(ctx, index, array.len(), INVALID_INDEX)?;
    let mut element = array.get(position);
    let result = action(ctx, &mut element)?;
    array.set(position, element);
    Ok(result)
}

/// The place one step below a container; `next` is the step after it.
fn descend(
    ctx: &mut VMContext,
    container: &mut Value,
    access: Access,
    next: Access,
) -> R<*mut Value> {
    match (container.tag(), access) {
        (Tag::Array, Access::Index(index)) => {
            let Some(array) = container.object_mut::<Array>() else {
                unreachable!("tested by tag")
            };
            let position = position_of(ctx, index, array.len(), INVALID_INDEX)?;
            if !matches!(array.elements(), Elements::Values | Elements::Structs) {
                // The array holds scalars: the next step is going to fail.
                return Err(not_a_container(ctx, next));
            }
            Ok(array.place(position))
        }
        (Tag::Dict, Access::Index(index)) => {
            let Some(dict) = container.object_mut::<Dict>() else {
                unreachable!("tested by tag")
            };
            let Some(key) = Key::from_value(index) else {
                return Err(ctx.raise(INVALID_INDEX));
            };
            match dict.place(key) {
                Some(place) => Ok(place),
                None => Err(missing_key(ctx, index)),
            }
        }
        (Tag::Dict, Access::Field(name)) => {
            let text = ctx.program.names[name as usize].clone();
            let Some(dict) = container.object_mut::<Dict>() else {
                unreachable!("tested by tag")
            };
            match dict.place(Key::from_str(&text)) {
                Some(place) => Ok(place),
                None => Err(missing_key(ctx, &Value::from(text))),
            }
        }
        (Tag::Struct, Access::Field(name)) => {
            let Some(record) = container.object_mut::<Record>() else {
                unreachable!("tested by tag")
            };
            match record.shape().position(name) {
                Some(position) if !record.fields()[position].is_unset() => {
                    Ok(&mut record.fields_mut()[position])
                }
                _ => Err(missing_field(ctx, name)),
            }
        }
        (_, access) => Err(not_a_container(ctx, access)),
    }
}

#[cold]
fn not_a_container(ctx: &mut VMContext, access: Access) -> Raised {
    ctx.raise(match access {
        Access::Field(_) => NO_FIELDS,
        Access::Index(_) => INVALID_INDEX,
    })
}

/// Stores a value one step below a container.
fn store_step(ctx: &mut VMContext, container: &mut Value, access: Access, value: Value) -> R<()> {
    match (container.tag(), access) {
        (Tag::Array, Access::Index(index)) => {
            let Some(array) = container.object_mut::<Array>() else {
                unreachable!("tested by tag")
            };
            let position = position_of(ctx, index, array.len(), INVALID_INDEX)?;
            array.set(position, value);
        }
        (Tag::Dict, Access::Index(index)) => {
            if !insert(container, index, value) {
                return Err(ctx.raise(INVALID_INDEX));
            }
        }
        (Tag::Dict, Access::Field(name)) => {
            if let Some(dict) = container.object_mut::<Dict>() {
                dict.insert_str(&ctx.program.names[name as usize], value);
            }
        }
        (Tag::Struct, Access::Field(name)) => store_field(ctx, container, name, value),
        (_, access) => return Err(not_a_container(ctx, access)),
    }
    Ok(())
}

/// Stores a struct's field, which may be a new one.
fn store_field(ctx: &mut VMContext, container: &mut Value, name: NameId, value: Value) {
    let Some(record) = container.as_object::<Record>() else {
        return;
    };
    if let Some(position) = record.shape().position(name) {
        if let Some(record) = container.object_mut::<Record>() {
            record.note_depth(value.depth());
            record.fields_mut()[position] = value;
        }
        return;
    }
    let shape = ctx.program.extended_shape(record.shape(), name);
    // SAFETY: the shape has one field more and lives as long as the program.
    let extended = unsafe { record.extended(shape, value) };
    *container = Value::from(extended);
}

/// The value at a path.
pub fn read_path(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &[Value],
) -> R<Value> {
    // SAFETY: the root is valid, and no Ruff code runs here.
    let mut value = unsafe { &*root };
    // Elements of flat arrays exist as values only here.
    let mut element;
    let mut accesses = accesses(path, indexes).peekable();
    while let Some(access) = accesses.next() {
        if accesses.peek().is_none() {
            return match access {
                Access::Field(name) => field(ctx, value, name),
                Access::Index(key) => index(ctx, value, key),
            };
        }
        element = match (value.tag(), access) {
            (Tag::Dict, Access::Field(name)) => {
                let text = ctx.program.names[name as usize].clone();
                match value
                    .as_object::<Dict>()
                    .and_then(|dict| dict.get(Key::from_str(&text)))
                {
                    Some(held) => held.clone(),
                    None => return Err(missing_key(ctx, &Value::from(text))),
                }
            }
            (_, Access::Field(name)) => field(ctx, value, name)?,
            (_, Access::Index(key)) => index(ctx, value, key)?,
        };
        value = &element;
    }
    Ok(value.clone())
}

/// `place operator= right`, in place where nobody else sees the old value.
pub fn update_path(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &mut [Value],
    operator: Operator,
    right: Value,
) -> R<()> {
    // An overload runs Ruff code, so nothing may be borrowed or empty while it
    // does; then the right operand stays here.
    let mut right = Some(right);
    let edited = edit_path(ctx, root, path, indexes, &mut |ctx, place| {
        if place.tag() == Tag::Struct {
            return Ok(());
        }
        arith::update(ctx, place, operator, right.take().unwrap_or(Value::NULL))
    });
    if edited.is_err() {
        return Err(read_error_first(ctx, root, path, indexes));
    }
    let Some(right) = right else { return Ok(()) };
    let old = read_path(ctx, root, path, indexes)?;
    let new = arith::operate(ctx, operator, old, right)?;
    store_path(ctx, root, path, indexes, new)
}

/// The pending error of a compound assignment; reading the place comes before
/// writing it, so if that fails too, it is its error that counts.
#[cold]
fn read_error_first(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &[Value],
) -> Raised {
    let pending = ctx.pending.take();
    let writing_failed = pending
        .as_ref()
        .is_some_and(|error| [INVALID_INDEX, NO_FIELDS].contains(&error.message.as_str()));
    if !writing_failed || read_path(ctx, root, path, indexes).is_ok() {
        ctx.pending = pending;
    }
    Raised
}

/// Changes the value at a path in place.  `action` runs no Ruff code and
/// leaves the value as it was on an error.
pub(super) fn edit_path<T>(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &[Value],
    action: &mut dyn FnMut(&mut VMContext, &mut Value) -> R<T>,
) -> R<T> {
    let (container, end, above) = walk(ctx, root, path, indexes)?;
    // SAFETY: `walk` gives a valid place, and no Ruff code runs here.
    let container = unsafe { &mut *container };
    let result = match end {
        End::Root => return action(ctx, container),
        End::In(access) => edit_step(ctx, container, access, action)?,
        End::InFlat(index, access) => edit_flat(ctx, container, index, &mut |ctx, element| {
            edit_step(ctx, element, access, action)
        })?,
    };
    above.deepen(container.depth());
    Ok(result)
}

fn edit_step<T>(
    ctx: &mut VMContext,
    container: &mut Value,
    access: Access,
    action: &mut dyn FnMut(&mut VMContext, &mut Value) -> R<T>,
) -> R<T> {
    match (container.tag(), access) {
        (Tag::Array, Access::Index(index)) => {
            let Some(array) = container.object_mut::<Array>() else {
                unreachable!("tested by tag")
            };
            let position = position_of(ctx, index, array.len(), INVALID_INDEX)?;
            if array.elements() != Elements::Values {
                return edit_flat(ctx, container, index, action);
            }
            let place = array.place(position);
            let result = action(ctx, place)?;
            let depth = place.depth();
            array.note_depth(depth);
            Ok(result)
        }
        (Tag::Dict, access) => edit_entry(ctx, container, access, action),
        (Tag::Struct, Access::Field(name)) => {
            let Some(record) = container.object_mut::<Record>() else {
                unreachable!("tested by tag")
            };
            match record.shape().position(name) {
                Some(position) if !record.fields()[position].is_unset() => {
                    let place = &mut record.fields_mut()[position];
                    let result = action(ctx, place)?;
                    let depth = place.depth();
                    record.note_depth(depth);
                    Ok(result)
                }
                // Something that is no field of its own (a method, a thrown
                // struct's field) is read; what becomes of it is a new field.
                _ => {
                    let mut value = field(ctx, container, name)?;
                    let result = action(ctx, &mut value)?;
                    store_field(ctx, container, name, value);
                    Ok(result)
                }
            }
        }
        (_, access) => Err(not_a_container(ctx, access)),
    }
}

fn edit_entry<T>(
    ctx: &mut VMContext,
    container: &mut Value,
    access: Access,
    action: &mut dyn FnMut(&mut VMContext, &mut Value) -> R<T>,
) -> R<T> {
    let name;
    let index = match access {
        Access::Index(index) => index,
        Access::Field(field) => {
            name = Value::from(ctx.program.names[field as usize].clone());
            &name
        }
    };
    let Some(dict) = container.object_mut::<Dict>() else {
        unreachable!("tested by tag")
    };
    let Some(key) = Key::from_value(index) else {
        return Err(ctx.raise(INVALID_INDEX));
    };
    if let Some(place) = dict.place(key) {
        let result = action(ctx, place)?;
        let depth = place.depth();
        dict.note_depth(depth);
        return Ok(result);
    }
    match access {
        Access::Index(index) => Err(missing_key(ctx, index)),
        Access::Field(name) => {
            // A missing key reads as null.
            let mut value = dict_field(ctx, dict, name);
            let result = action(ctx, &mut value)?;
            dict.insert_str(&ctx.program.names[name as usize], value);
            Ok(result)
        }
    }
}

/// `place = builtin(place, args…)`; the arguments are taken.
pub fn mutate(
    ctx: &mut VMContext,
    root: *mut Value,
    site: &BuiltinSite,
    old: Option<Value>,
    indexes: &mut [Value],
    args: &mut [Value],
) -> R<()> {
    let builtin = ctx.program.builtins[site.builtin as usize];
    let path = &site.place;
    if let (Some(mutate), false) = (builtin.mutate, builtin.effects.runs_code) {
        for arg in args.iter() {
            check_depth(ctx, path.steps.len() + 1, arg, DOING)?;
        }
        return edit_or_replace(ctx, root, path, indexes, old, &mut |ctx, place| {
            mutate(ctx, place, args).map(drop)
        });
    }
    let old = match old {
        Some(old) => old,
        None => read_path(ctx, root, path, indexes)?,
    };
    let mut all = Vec::with_capacity(args.len() + 1);
    all.push(old);
    all.extend(args.iter_mut().map(core::mem::take));
    let new = (builtin.function)(ctx, &mut all)?;
    store_path(ctx, root, path, indexes, new)
}

/// Changes the value at a path; if it was read before (`old`) and the place
/// now holds another one, changes `old` and stores that.
pub(super) fn edit_or_replace<T>(
    ctx: &mut VMContext,
    root: *mut Value,
    path: &Path,
    indexes: &mut [Value],
    old: Option<Value>,
    action: &mut dyn FnMut(&mut VMContext, &mut Value) -> R<T>,
) -> R<T> {
    let Some(mut old) = old else {
        return edit_path(ctx, root, path, indexes, action);
    };
    let unchanged = match read_path(ctx, root, path, indexes) {
        Ok(now) => arith::is_same_word(&now, &old),
        Err(_) => {
            ctx.pending = None;
            false
        }
    };
    if unchanged {
        drop(old);
        return edit_path(ctx, root, path, indexes, action);
    }
    let result = action(ctx, &mut old)?;
    store_path(ctx, root, path, indexes, old)?;
    Ok(result)
}
