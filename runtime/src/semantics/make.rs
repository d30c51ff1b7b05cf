//! Making arrays, dicts, structs, variants, closures and declarations' values.

use super::R;
use crate::bytecode::{Capture, VariantSite};
use crate::call;
use crate::context::VMContext;
use crate::heap::array::flat::Layout;
use crate::heap::{
    Array, Dict, Elements, EnumDef, Function, Header, Queue, Record, Ref, Set, Shape, Stack, Str,
    StructDef, Variant, VariantKind,
};
use crate::names::NameId;
use crate::value::Value;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

pub use crate::heap::MAX_DEPTH;

/// Raises if `value` below `above` levels of containers would be too deep.
#[inline]
pub fn check_depth(ctx: &mut VMContext, above: usize, value: &Value, doing: &str) -> R<()> {
    if above + value.depth() <= MAX_DEPTH {
        Ok(())
    } else {
        check_exact_depth(ctx, above, value, doing)
    }
}

#[cold]
#[inline(never)]
fn check_exact_depth(ctx: &mut VMContext, above: usize, value: &Value, doing: &str) -> R<()> {
    let depth = exact_depth(value, &mut BTreeMap::new());
    if above + depth <= MAX_DEPTH {
        return Ok(());
    }
    let message = format!("Maximum data nesting depth of {MAX_DEPTH} exceeded while {doing}");
    Err(ctx.raise(&message))
}

/// The levels of a value; corrects the headers' upper bounds on the way.
/// `known` keeps shared parts from being visited once per path to them.
fn exact_depth(value: &Value, known: &mut BTreeMap<u64, u16>) -> usize {
    if value.depth() == 0 {
        return 0;
    }
    if let Some(depth) = known.get(&value.payload()) {
        return *depth as usize;
    }
    // Structs that lie flat are one level, even when there are none any more.
    let is_flat = |array: &Array| array.elements() == Elements::Structs;
    let mut below = usize::from(value.as_object::<Array>().is_some_and(is_flat));
    let mut visit = |child: &Value| below = below.max(exact_depth(child, known));
    if let Some(values) = value.as_object::<Array>().and_then(Array::as_values) {
        values.iter().for_each(&mut visit);
    } else if let Some(dict) = value.as_object::<Dict>() {
        dict.iter().for_each(|(_, child)| visit(child));
    } else if let Some(record) = value.as_object::<Record>() {
        record.fields().iter().for_each(&mut visit);
    } else if let Some(variant) = value.as_object::<Variant>() {
        variant.payload().iter().for_each(&mut visit);
    } else if let Some(set) = value.as_object::<Set>() {
        set.iter().for_each(&mut visit);
    } else if let Some(queue) = value.as_object::<Queue>() {
        queue.iter().for_each(&mut visit);
    } else if let Some(stack) = value.as_object::<Stack>() {
        stack.iter().for_each(&mut visit);
    }
    let depth = (below + 1) as u16;
    known.insert(value.payload(), depth);
    let header = value.payload() as *mut Header;
    // SAFETY: a counted value's header is live, and nobody holds a reference
    // to this field.  Literals may lie in read-only memory, but their depth is
    // exact from the start.
    unsafe {
        if (*header).depth != depth {
            (*header).depth = depth;
        }
    }
    depth as usize
}

/// An array of these values, which are taken.
pub fn array(ctx: &mut VMContext, values: &mut [Value]) -> R<Value> {
    let depth = values.iter().map(Value::depth).max().unwrap_or(0);
    if depth >= MAX_DEPTH {
        for value in values.iter() {
            check_depth(ctx, 1, value, "creating an array")?;
        }
    }
    Ok(Value::from(Array::from_taken(values, depth)))
}

/// An array with one element more; in place if nobody else sees it.
pub fn array_push(ctx: &mut VMContext, mut array: Value, element: Value) -> R<Value> {
    check_depth(ctx, 1, &element, "creating an array")?;
    if let Some(target) = array.object_mut::<Array>() {
        target.push(element);
    }
    Ok(array)
}

/// `[...a, ...b]`: the array `a` with the elements of `b` at its end.
pub fn array_extend(ctx: &mut VMContext, mut array: Value, more: Value) -> R<Value> {
    let Some(source) = more.as_object::<Array>() else {
        return Err(ctx.raise(ONLY_ARRAYS));
    };
    if let Some(target) = array.object_mut::<Array>() {
        target.reserve(source.len());
        target.extend(source);
    }
    Ok(array)
}

pub(super) const ONLY_ARRAYS: &str = "Can only spread arrays";

/// A dict of these keys and values in turn, which are taken.
pub fn dict(ctx: &mut VMContext, pairs: &mut [Value]) -> R<Value> {
    let mut dict = Value::from(Dict::with_capacity(pairs.len() / 2));
    for pair in pairs.chunks_exact_mut(2) {
        dict = dict_insert(ctx, dict, pair[0].take(), core::mem::take(&mut pair[1]))?;
    }
    Ok(dict)
}

/// A dict with a key set; in place if nobody else sees it.
pub fn dict_insert(ctx: &mut VMContext, mut dict: Value, key: Value, value: Value) -> R<Value> {
    check_depth(ctx, 1, &value, "creating a dict")?;
    if !insert(&mut dict, &key, value) {
        return Err(ctx.raise("Dict keys must be strings"));
    }
    Ok(dict)
}

/// Sets a key of a dict; false if the key can't be one.
pub(super) fn insert(dict: &mut Value, key: &Value, value: Value) -> bool {
    let Some(target) = dict.object_mut::<Dict>() else {
        return false;
    };
    match (key.as_int(), key.as_object::<Str>()) {
        (Some(number), _) => target.insert_int(number, value),
        (_, Some(text)) => target.insert_str(text, value),
        _ => return false,
    }
    true
}

/// `{...a, ...b}`: the dict `a` with all keys of `b` set.
pub fn dict_extend(ctx: &mut VMContext, mut dict: Value, more: Value) -> R<Value> {
    let Some(source) = more.as_object::<Dict>() else {
        return Err(ctx.raise("Can only spread dicts"));
    };
    if let Some(target) = dict.object_mut::<Dict>() {
        for (key, value) in source.iter() {
            target.insert_from(source, key, value.clone());
        }
    }
    Ok(dict)
}

/// `Name { field: value, … }`.  The values are taken: the declaration's first
/// if the site has one, then the fields'.
pub fn structure(ctx: &mut VMContext, site: u32, values: &mut [Value]) -> R<Value> {
    let plan = &ctx.program.program.struct_sites[site as usize];
    let (name, known, has_def) = (plan.name, plan.declaration, plan.has_def);
    let (def, values) = values.split_at_mut(has_def as usize);
    let def = def
        .first_mut()
        .and_then(|value| value.take().into_ref::<StructDef>().ok());
    let known_shape = ctx.program.site_shapes[site as usize];
    let shape = match &def {
        Some(def) if Some(def.declaration) == known && !known_shape.is_null() => known_shape,
        _ => shape_of(ctx, site, name, def.as_deref()),
    };
    for value in values.iter() {
        check_depth(ctx, 1, value, "creating a struct")?;
    }
    if core::ptr::eq(shape, known_shape) && ctx.program.site_is_direct[site as usize] {
        // SAFETY: the site has a value for each of the shape's fields.
        return Ok(Value::from(unsafe {
            Record::from_values(shape, def, values)
        }));
    }
    // SAFETY: shapes live as long as the loaded program, which outlives instances.
    let (mut record, shape) = unsafe { (Record::unset(shape, def.clone()), &*shape) };
    let Some(target) = record.get_mut() else {
        unreachable!("made here, so unique")
    };
    let plan = &ctx.program.program.struct_sites[site as usize];
    for (field, value) in plan.fields.iter().zip(values) {
        let position = shape.position(*field);
        set_field(target, position, core::mem::take(value));
    }
    match def {
        Some(def) if !def.defaults.is_empty() => set_defaults(ctx, record, &def),
        _ => Ok(Value::from(record)),
    }
}

fn set_field(record: &mut Record, position: Option<usize>, value: Value) {
    record.note_depth(value.depth());
    if let Some(position) = position {
        record.fields_mut()[position] = value;
    }
}

/// Computes the defaults of the fields that are still absent, in their order.
fn set_defaults(ctx: &mut VMContext, mut record: Ref<Record>, def: &StructDef) -> R<Value> {
    for (position, default) in &def.defaults {
        if !record.fields()[*position as usize].is_unset() {
            continue;
        }
        let value = call::call(ctx, default, &mut [])?;
        check_depth(ctx, 1, &value, "creating a struct")?;
        let Some(target) = record.get_mut() else {
            unreachable!("nobody else has seen it yet")
        };
        set_field(target, Some(*position as usize), value);
    }
    Ok(Value::from(record))
}

/// The shape of a literal whose declaration is only known now, or that has none.
fn shape_of(ctx: &mut VMContext, site: u32, name: NameId, def: Option<&StructDef>) -> *const Shape {
    let program = &ctx.program.program;
    let mut fields = Vec::new();
    if let Some(def) = def {
        fields.extend_from_slice(&program.structs[def.declaration as usize].fields);
    }
    for field in &program.struct_sites[site as usize].fields {
        if !fields.contains(field) {
            fields.push(*field);
        }
    }
    ctx.program.shape(def.map_or(name, |def| def.name), &fields)
}

/// A variant with these values, which are taken, as payload.
pub fn variant(ctx: &mut VMContext, site: u32, payload: &mut [Value]) -> R<Value> {
    for value in payload.iter() {
        check_depth(ctx, 1, value, "creating an enum value")?;
    }
    Ok(Value::from(
        match ctx.program.program.variant_sites[site as usize].kind {
            VariantKind::None => Variant::none(),
            VariantKind::Tagged => tagged(ctx, site, payload),
            wrapper => {
                let first = payload.first_mut().map(core::mem::take);
                Variant::wrap(wrapper, first.unwrap_or(Value::NULL))
            }
        },
    ))
}

/// A value of an enum of which it is known that it is not too deep; takes the
/// payload.
pub fn tagged(ctx: &VMContext, site: u32, payload: &mut [Value]) -> Ref<Variant> {
    let VariantSite {
        enum_name, name, ..
    } = ctx.program.program.variant_sites[site as usize];
    Variant::tagged(
        constant_text(ctx, enum_name),
        constant_text(ctx, name),
        ctx.program.variant_ids[site as usize],
        payload.iter_mut().map(core::mem::take),
    )
}

fn constant_text(ctx: &VMContext, constant: Option<u32>) -> Ref<Str> {
    constant
        .and_then(|index| ctx.program.constants[index as usize].to_ref::<Str>())
        .unwrap_or_else(|| Str::new(""))
}

/// A function object with these captured values, which are taken.
pub fn closure(ctx: &VMContext, func: u32, captures: &mut [Value]) -> Value {
    let function = &ctx.program.program.functions[func as usize];
    let captures = captures.iter_mut().map(core::mem::take);
    // SAFETY: the program outlives its function objects.
    Value::from(unsafe {
        Function::new(
            ctx.program.entries[func as usize],
            &raw const function.info,
            captures,
        )
    })
}

/// Copies of what a new closure captures of its maker.
///
/// # Safety
/// `slots` are the maker's, and `maker` is the function object it runs as, if
/// it captured anything.
pub unsafe fn captures(
    ctx: &VMContext,
    func: u32,
    slots: *const Value,
    maker: *const Function,
) -> Vec<Value> {
    let captures = &ctx.program.program.functions[func as usize].captures;
    // SAFETY: the caller vouches for the slots and the maker; the verifier has
    // checked the numbers.
    let copy = |capture: &Capture| unsafe {
        match *capture {
            Capture::Cell(slot) | Capture::Value(slot) => (*slots.add(slot as usize)).clone(),
            Capture::Outer(index) => (*maker).captures()[index as usize].clone(),
        }
    };
    captures.iter().map(copy).collect()
}

/// A struct declaration's value of its methods' and its defaults' function
/// values, which are taken.
pub fn struct_def(ctx: &VMContext, declaration: u32, values: &mut [Value]) -> Value {
    let info = &ctx.program.program.structs[declaration as usize];
    let (methods, defaults) = values.split_at_mut(info.methods.len());
    let methods = info
        .methods
        .iter()
        .zip(methods)
        .map(|((name, _), value)| (*name, core::mem::take(value)));
    let defaults = info
        .defaults
        .iter()
        .zip(defaults)
        .map(|((position, _), value)| (*position, core::mem::take(value)));
    Value::from(StructDef::new(
        info.name,
        declaration,
        methods.collect(),
        defaults.collect(),
    ))
}

/// The value of a declaration whose methods and defaults capture nothing, so
/// that all its values are alike.
#[inline]
pub fn closed_def(ctx: &mut VMContext, declaration: u32) -> Ref<StructDef> {
    match ctx.closed_defs.get(declaration as usize) {
        Some(Some(def)) => def.clone(),
        _ => make_closed_def(ctx, declaration),
    }
}

#[cold]
#[inline(never)]
fn make_closed_def(ctx: &mut VMContext, declaration: u32) -> Ref<StructDef> {
    let info = &ctx.program.program.structs[declaration as usize];
    let function = |func: u32| ctx.program.functions[func as usize].clone();
    let methods = info.methods.iter();
    let defaults = info.defaults.iter();
    let def = StructDef::new(
        info.name,
        declaration,
        methods
            .map(|(name, func)| (*name, function(*func)))
            .collect(),
        defaults.map(|(at, func)| (*at, function(*func))).collect(),
    );
    let count = ctx.program.program.structs.len();
    ctx.closed_defs.resize(count, None);
    ctx.closed_defs[declaration as usize] = Some(def.clone());
    def
}

/// An empty array with room for flat structs of a declaration that captures nothing,
/// whose fields have these tags.
pub fn structs(ctx: &mut VMContext, declaration: u32, tags: u64, room: usize) -> Ref<Array> {
    let shape = ctx.program.declared_shapes[declaration as usize];
    let layout = Layout::from_bytes(shape, tags).expect("the compiler knows that they are plain");
    Array::of_structs(closed_def(ctx, declaration), layout, room)
}

/// An enum declaration's value.
pub fn enum_def(ctx: &VMContext, name: NameId) -> Value {
    Value::from(EnumDef::new(ctx.program.names[name as usize].clone()))
}
