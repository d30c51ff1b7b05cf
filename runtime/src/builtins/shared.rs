//! The shared store.

use super::arguments::fail;
use crate::context::VMContext;
use crate::error::Raised;
use crate::semantics::arith;
use crate::threads::store::{self, Added};
use crate::value::Value;
use alloc::format;
use alloc::string::String;

/// The key among `COUNT` arguments.
fn key<const COUNT: usize>(
    ctx: &mut VMContext,
    args: &[Value],
    name: &str,
    wanted: &str,
) -> Result<String, Raised> {
    if args.len() != COUNT {
        return fail(ctx, &format!("{name} requires {wanted}"));
    }
    match args[0].as_str() {
        Some(key) => Ok(key.into()),
        None => fail(ctx, &format!("{name} key must be a string")),
    }
}

/// `shared_set(key, value)`
pub fn set(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = key::<2>(ctx, args, "shared_set", "(key, value) arguments")?;
    store::set(ctx, &key, &args[1]);
    Ok(Value::TRUE)
}

/// `shared_get(key)`
pub fn get(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = key::<1>(ctx, args, "shared_get", "one key argument")?;
    match store::get(ctx, &key) {
        Some(value) => Ok(value),
        None => fail(ctx, &format!("shared_get key '{key}' not found")),
    }
}

/// `shared_has(key)`
pub fn has(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = key::<1>(ctx, args, "shared_has", "one key argument")?;
    Ok(Value::bool(store::has(ctx, &key)))
}

/// `shared_delete(key)`
pub fn delete(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = key::<1>(ctx, args, "shared_delete", "one key argument")?;
    Ok(Value::bool(store::delete(ctx, &key)))
}

/// `shared_add_int(key, delta)`
pub fn add_int(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let key = key::<2>(ctx, args, "shared_add_int", "(key, delta) arguments")?;
    let Some(delta) = args[1].as_int() else {
        return fail(ctx, "shared_add_int delta must be an int");
    };
    match store::add(ctx, &key, delta) {
        Added::Sum(sum) => Ok(Value::int(sum)),
        // The error is that of the operator.
        Added::Overflow(number) => arith::add(ctx, Value::int(number), Value::int(delta)),
        Added::NoInt => fail(
            ctx,
            &format!("shared_add_int requires key '{key}' to reference an int"),
        ),
        Added::Nothing => fail(ctx, &format!("shared_add_int key '{key}' not found")),
    }
}
