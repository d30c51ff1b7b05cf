//! The clocks.

use super::arguments::{check_none, fail, whole_number};
use super::system::{monotonic_time, unix_time};
use crate::context::VMContext;
use crate::error::Raised;
use crate::sync::after;
use crate::threads;
use crate::value::Value;
use alloc::format;
use core::sync::atomic::{AtomicU64, Ordering};

pub mod calendar;
pub mod format;

/// Raises unless the program may look at the clock.
pub fn check_capability(ctx: &mut VMContext, name: &str) -> Result<(), Raised> {
    if ctx.capabilities.clock {
        return Ok(());
    }
    let message = format!("Capability denied: clock required for {name}; rerun with --allow-clock");
    fail(ctx, &message)
}

/// Checks that `name()` may be called, and is called without arguments.
fn check_call(ctx: &mut VMContext, args: &[Value], name: &str) -> Result<(), Raised> {
    check_capability(ctx, name)?;
    check_none(ctx, args, name)
}

/// `now()`
pub fn now(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_call(ctx, args, "now")?;
    Ok(Value::float(unix_time().div_euclid(1_000_000_000) as f64))
}

/// `now_unix()`, `now_utc_seconds()`
pub fn now_unix(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_call(ctx, args, "now_unix")?;
    Ok(Value::int(unix_time().div_euclid(1_000_000_000) as i64))
}

/// `now_utc()`
pub fn now_utc(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_call(ctx, args, "now_utc")?;
    let moment = calendar::Moment::of(unix_time().div_euclid(1_000_000_000) as i64);
    Ok(Value::string(&format::fill(
        "YYYY-MM-DDTHH:mm:ssZ",
        &moment,
    )))
}

/// `current_timestamp()`, `time()`
pub fn current_timestamp(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_call(ctx, args, "current_timestamp")?;
    Ok(Value::int(unix_time().div_euclid(1_000_000) as i64))
}

/// `sleep(milliseconds)`
pub fn sleep(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "sleep")?;
    let [milliseconds] = args else {
        return fail(ctx, "sleep() expects 1 argument");
    };
    if milliseconds.as_number().is_some_and(|number| number < 0.0) {
        return fail(ctx, "sleep() requires non-negative milliseconds");
    }
    let Some(milliseconds) = whole_number(milliseconds) else {
        return fail(ctx, "sleep() requires a number argument");
    };
    threads::sleep(ctx, after(milliseconds as u64))?;
    Ok(Value::int(0))
}

/// Nanoseconds since the first call for the same `origin`.
fn since_first_call(origin: &AtomicU64) -> u64 {
    let now = monotonic_time().max(1);
    match origin.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => 0,
        Err(first) => now.saturating_sub(first),
    }
}

/// `performance_now()`
pub fn performance_now(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    static ORIGIN: AtomicU64 = AtomicU64::new(0);
    check_call(ctx, args, "performance_now")?;
    Ok(Value::float(since_first_call(&ORIGIN) as f64 / 1e6))
}

/// `time_us()`
pub fn time_us(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    static ORIGIN: AtomicU64 = AtomicU64::new(0);
    check_call(ctx, args, "time_us")?;
    Ok(Value::float((since_first_call(&ORIGIN) / 1000) as f64))
}

/// `time_ns()`
pub fn time_ns(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    static ORIGIN: AtomicU64 = AtomicU64::new(0);
    check_call(ctx, args, "time_ns")?;
    Ok(Value::float(since_first_call(&ORIGIN) as f64))
}

/// `elapsed(start, end)`
pub fn elapsed(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "elapsed")?;
    let [start, end] = args else {
        let message = format!(
            "elapsed() expects 2 arguments (start, end), got {}",
            args.len()
        );
        return fail(ctx, &message);
    };
    match (start.as_number(), end.as_number()) {
        (Some(start), Some(end)) => Ok(Value::float(end - start)),
        _ => fail(ctx, "elapsed requires number arguments"),
    }
}
