//! Sets, queues and stacks.
//!
//! They are lenient: what is not of the expected type counts as empty, so
//! nearly nothing here can fail.

use super::arguments::{check_depth, fail};
use super::arrays::change::pair;
use super::arrays::{Collector, array_at};
use super::hashing::equality_hashes;
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Array, Object, Queue, Set, Stack};
use crate::semantics::compare::same_value;
use crate::value::Value;
use alloc::format;
use core::mem::take;

fn object_at<T: Object>(args: &[Value], index: usize) -> Option<&T> {
    args.get(index).and_then(Value::as_object::<T>)
}

// ---- sets

/// `Set(items)`
pub fn set(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let items = match args {
        [] => return Ok(Value::from(Set::new())),
        [items] => items.as_object::<Array>(),
        _ => return fail(ctx, "Set constructor takes at most 1 argument"),
    };
    let Some(items) = items else {
        return fail(ctx, "Set constructor requires an array argument");
    };
    let mut set = Set::with_capacity(items.len());
    let target = set.get_mut().expect("just made");
    for item in items.iter() {
        add_item(target, item);
    }
    Ok(Value::from(set))
}

fn position_in(set: &Set, item: &Value) -> Option<usize> {
    let (own, other) = equality_hashes(item);
    let find = |hash| set.find(hash, |known| same_value(known, item));
    find(own).or_else(|| other.and_then(find))
}

fn add_item(set: &mut Set, item: Value) {
    if position_in(set, &item).is_none() {
        set.insert(equality_hashes(&item).0, item);
    }
}

fn set_of<'a>(items: impl Iterator<Item = &'a Value>) -> Value {
    let mut set = Set::new();
    let target = set.get_mut().expect("just made");
    for item in items {
        add_item(target, item.clone());
    }
    Value::from(set)
}

/// `set_add(s, item)`
pub fn set_add(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [set, item, ..] = args else {
        return Ok(Value::from(Set::new()));
    };
    check_depth(ctx, item)?;
    let Some(known) = set.as_object::<Set>() else {
        return Ok(Value::from(Set::new()));
    };
    // A set that has the item already is not copied.
    if position_in(known, item).is_some() {
        return Ok(take(set));
    }
    let mut set = take(set);
    add_item(set.object_mut::<Set>().expect("checked above"), take(item));
    Ok(set)
}

/// `set_has(s, item)`
pub fn set_has(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let found = match (object_at::<Set>(args, 0), args.get(1)) {
        (Some(set), Some(item)) => position_in(set, item).is_some(),
        _ => false,
    };
    Ok(Value::bool(found))
}

/// `set_remove(s, item)`
pub fn set_remove(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [set, item, ..] = args else {
        return Ok(Value::from(Set::new()));
    };
    let Some(known) = set.as_object::<Set>() else {
        return Ok(Value::from(Set::new()));
    };
    if position_in(known, item).is_none() {
        return Ok(take(set));
    }
    let mut set = take(set);
    let target = set.object_mut::<Set>().expect("checked above");
    // A copy may have closed holes, so the position is looked up in it.
    if let Some(position) = position_in(target, item) {
        drop(target.remove(position));
    }
    Ok(set)
}

/// `set_union(a, b)`
pub fn set_union(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let (Some(_), Some(second)) = (
        object_at::<Set>(args, 0),
        args.get(1).and_then(Value::to_ref::<Set>),
    ) else {
        return Ok(Value::from(Set::new()));
    };
    let mut union = take(&mut args[0]);
    let target = union.object_mut::<Set>().expect("checked above");
    for item in second.iter() {
        add_item(target, item.clone());
    }
    Ok(union)
}

/// `set_intersect(a, b)`
pub fn set_intersect(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(
        match (object_at::<Set>(args, 0), object_at::<Set>(args, 1)) {
            (Some(first), Some(second)) => set_of(
                first
                    .iter()
                    .filter(|item| position_in(second, item).is_some()),
            ),
            _ => Value::from(Set::new()),
        },
    )
}

/// `set_difference(a, b)`
pub fn set_difference(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(
        match (object_at::<Set>(args, 0), object_at::<Set>(args, 1)) {
            (Some(first), Some(second)) => set_of(
                first
                    .iter()
                    .filter(|item| position_in(second, item).is_none()),
            ),
            _ => Value::from(Set::new()),
        },
    )
}

/// `set_to_array(s)`
pub fn set_to_array(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(match object_at::<Set>(args, 0) {
        Some(set) => array_of(set.len(), set.iter()),
        None => Value::from(Array::new()),
    })
}

fn array_of<'a>(count: usize, items: impl Iterator<Item = &'a Value>) -> Value {
    let mut array = Collector::new(count);
    for item in items {
        array.push(item.clone());
    }
    array.finish()
}

// ---- queues

fn empty_queue() -> Value {
    Value::from(Queue::from_values(core::iter::empty()))
}

/// `Queue(items)`
pub fn queue(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(match array_at(args, 0) {
        Some(items) => Value::from(Queue::from_values(items.iter())),
        None => empty_queue(),
    })
}

/// `queue_enqueue(q, item)`
pub fn queue_enqueue(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [queue, item, ..] = args else {
        return Ok(empty_queue());
    };
    check_depth(ctx, item)?;
    let mut queue = take(queue);
    match queue.object_mut::<Queue>() {
        Some(target) => target.push(take(item)),
        None => queue = empty_queue(),
    }
    Ok(queue)
}

/// `queue_dequeue(q)`
pub fn queue_dequeue(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    if let Some(queue) = args.first() {
        check_depth(ctx, queue)?;
    }
    let mut queue = args.first_mut().map(take).unwrap_or(Value::NULL);
    let Some(target) = queue.object_mut::<Queue>() else {
        return Ok(pair(empty_queue(), Value::NULL));
    };
    let front = target.pop().unwrap_or(Value::NULL);
    Ok(pair(queue, front))
}

/// `queue.dequeue()`
pub fn queue_dequeue_from(
    _: &mut VMContext,
    target: &mut Value,
    _: &mut [Value],
) -> Result<Value, Raised> {
    let front = target.object_mut::<Queue>().and_then(Queue::pop);
    Ok(front.unwrap_or(Value::NULL))
}

/// `queue_peek(q)`
pub fn queue_peek(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let front = object_at::<Queue>(args, 0).and_then(Queue::front);
    Ok(front.cloned().unwrap_or(Value::NULL))
}

/// `queue_is_empty(q)`
pub fn queue_is_empty(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(Value::bool(
        object_at::<Queue>(args, 0).is_none_or(Queue::is_empty),
    ))
}

/// `queue_size(q)`
pub fn queue_size(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let size = object_at::<Queue>(args, 0).map(Queue::len);
    size_of(ctx, args.len(), size, "queue", "Queue")
}

/// `queue_to_array(q)`
pub fn queue_to_array(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(match object_at::<Queue>(args, 0) {
        Some(queue) => array_of(queue.len(), queue.iter()),
        None => Value::from(Array::new()),
    })
}

fn size_of(
    ctx: &mut VMContext,
    count: usize,
    size: Option<usize>,
    kind: &str,
    title: &str,
) -> Result<Value, Raised> {
    if count != 1 {
        return fail(
            ctx,
            &format!("{kind}_size expects 1 argument ({kind}), got {count}"),
        );
    }
    match size {
        Some(size) => Ok(Value::int(size as i64)),
        None => fail(ctx, &format!("{kind}_size requires a {title} argument")),
    }
}

// ---- stacks

fn empty_stack() -> Value {
    Value::from(Stack::from_values(core::iter::empty()))
}

/// `Stack(items)`
pub fn stack(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(match array_at(args, 0) {
        Some(items) => Value::from(Stack::from_values(items.iter())),
        None => empty_stack(),
    })
}

/// `stack_push(s, item)`
pub fn stack_push(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let [stack, item, ..] = args else {
        return Ok(empty_stack());
    };
    check_depth(ctx, item)?;
    let mut stack = take(stack);
    match stack.object_mut::<Stack>() {
        Some(target) => target.push(take(item)),
        None => stack = empty_stack(),
    }
    Ok(stack)
}

/// `stack_pop(s)`
pub fn stack_pop(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    if let Some(stack) = args.first() {
        check_depth(ctx, stack)?;
    }
    let mut stack = args.first_mut().map(take).unwrap_or(Value::NULL);
    let Some(target) = stack.object_mut::<Stack>() else {
        return Ok(pair(empty_stack(), Value::NULL));
    };
    let top = target.pop().unwrap_or(Value::NULL);
    Ok(pair(stack, top))
}

/// `stack.pop()`
pub fn stack_pop_from(
    _: &mut VMContext,
    target: &mut Value,
    _: &mut [Value],
) -> Result<Value, Raised> {
    let top = target.object_mut::<Stack>().and_then(Stack::pop);
    Ok(top.unwrap_or(Value::NULL))
}

/// `stack_peek(s)`
pub fn stack_peek(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let top = object_at::<Stack>(args, 0).and_then(Stack::top);
    Ok(top.cloned().unwrap_or(Value::NULL))
}

/// `stack_is_empty(s)`
pub fn stack_is_empty(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(Value::bool(
        object_at::<Stack>(args, 0).is_none_or(Stack::is_empty),
    ))
}

/// `stack_size(s)`
pub fn stack_size(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let size = object_at::<Stack>(args, 0).map(Stack::len);
    size_of(ctx, args.len(), size, "stack", "Stack")
}

/// `stack_to_array(s)`
pub fn stack_to_array(_: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    Ok(match object_at::<Stack>(args, 0) {
        Some(stack) => array_of(stack.len(), stack.iter()),
        None => Value::from(Array::new()),
    })
}
