//! Settling promises: looking whether there is an outcome, and waiting for it.
//!
//! Nobody works for timers and combinators: what has become of them follows
//! from the clock and from what they are made of, whenever somebody asks.

use super::wait::{settlements, wait_for_change};
use super::{task, unpack_one};
use crate::context::{MAX_CALL_DEPTH, VMContext};
use crate::error::{self, Raised};
use crate::heap::{Array, Outcome, Pending, Promise, Ref, State, Str};
use crate::sync;
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How far a promise is.
enum Look {
    /// When it was settled.
    Settled(u64),
    /// When it is worth looking again, besides when a task has ended.
    Pending(Option<u64>),
}

/// The result of a promise, waiting for it; other values are their own results.
///
/// # Errors
/// If the promise is rejected, and if the program has ended meanwhile.
pub fn resolve(ctx: &mut VMContext, value: Value) -> Result<Value, Raised> {
    let Some(promise) = value.to_ref::<Promise>() else {
        return Ok(value);
    };
    wait(ctx, &promise)?;
    let outcome = match &*promise.state.borrow() {
        State::Settled { outcome, .. } => outcome.clone(),
        State::Pending(_) => unreachable!("waited for its outcome"),
    };
    match outcome {
        Outcome::Fulfilled(value) => Ok(value),
        Outcome::Rejected {
            message,
            thrown,
            by_builtin,
        } => {
            let message = if by_builtin {
                format!("Promise rejected: {message}")
            } else {
                message
            };
            ctx.pending = Some(error::Pending {
                message: Str::new(&message),
                thrown,
                origin: None,
            });
            Err(Raised)
        }
    }
}

fn wait(ctx: &mut VMContext, promise: &Promise) -> Result<(), Raised> {
    loop {
        let seen = settlements(ctx);
        let Look::Pending(until) = look(ctx, promise)? else {
            return Ok(());
        };
        if !wait_for_change(ctx, seen, until)? {
            // Everybody waits for everybody else.
            settle(
                promise,
                Outcome::Rejected {
                    message: "Promise never resolved (channel closed)".into(),
                    thrown: None,
                    by_builtin: false,
                },
                0,
            );
        }
    }
}

fn settle(promise: &Promise, outcome: Outcome, at: u64) {
    // What the promise held is dropped last: it can be anything.
    let old = promise.state.replace(State::Settled { outcome, at });
    drop(old);
}

fn rejected(message: String) -> Outcome {
    Outcome::Rejected {
        message,
        thrown: None,
        by_builtin: true,
    }
}

/// Looks how far a promise is; settles it if there is an outcome.
fn look(ctx: &mut VMContext, promise: &Promise) -> Result<Look, Raised> {
    // Promises of promises can be nested to any depth, and each takes some stack.
    let here = 0u8;
    if (&raw const here as usize) < ctx.stack_limit {
        let message =
            format!("Maximum call stack depth of {MAX_CALL_DEPTH} exceeded while calling await");
        return Err(ctx.raise(&message));
    }
    let found = match &*promise.state.borrow() {
        State::Settled { at, .. } => return Ok(Look::Settled(*at)),
        State::Pending(pending) => look_at_pending(ctx, pending)?,
    };
    Ok(match found {
        Ok((outcome, at)) => {
            settle(promise, outcome, at);
            Look::Settled(at)
        }
        Err(until) => Look::Pending(until),
    })
}

/// An outcome and its time, or when it is worth looking again.
type Found = Result<(Outcome, u64), Option<u64>>;

fn look_at_pending(ctx: &mut VMContext, pending: &Pending) -> Result<Found, Raised> {
    Ok(match pending {
        Pending::Timer(at) if sync::now() >= *at => Ok((Outcome::Fulfilled(Value::NULL), *at)),
        Pending::Timer(at) => Err(Some(*at)),
        Pending::Timeout {
            inner,
            at,
            milliseconds,
        } => look_at_timeout(ctx, inner, *at, *milliseconds)?,
        Pending::All { values, keeps } => look_at_all(ctx, values, *keeps)?,
        Pending::Task(shared) => match task::of_promise(shared).end() {
            None => Err(None),
            Some(end) => Ok(match &end.result {
                Ok(parcel) => (Outcome::Fulfilled(unpack_one(ctx, parcel)), end.at),
                Err(message) => (rejected(message.clone()), end.at),
            }),
        },
    })
}

fn look_at_timeout(
    ctx: &mut VMContext,
    inner: &Value,
    limit: u64,
    milliseconds: i64,
) -> Result<Found, Raised> {
    let Some(inner) = inner.as_object::<Promise>() else {
        return Ok(Ok((Outcome::Fulfilled(inner.clone()), 0)));
    };
    Ok(match look(ctx, inner)? {
        Look::Settled(at) if at <= limit => match &*inner.state.borrow() {
            State::Settled {
                outcome: Outcome::Rejected { message, .. },
                ..
            } => Ok((rejected(format!("Promise rejected: {message}")), at)),
            State::Settled { outcome, .. } => Ok((outcome.clone(), at)),
            State::Pending(_) => unreachable!("it is settled"),
        },
        Look::Pending(until) if sync::now() < limit => {
            Err(Some(until.map_or(limit, |until| until.min(limit))))
        }
        _ => Ok((rejected(format!("Timeout after {milliseconds}ms")), limit)),
    })
}

fn look_at_all(ctx: &mut VMContext, values: &[Value], keeps: bool) -> Result<Found, Raised> {
    let (mut last, mut is_complete) = (0, true);
    let mut next: Option<u64> = None;
    for (index, value) in values.iter().enumerate() {
        let Some(promise) = value.as_object::<Promise>() else {
            continue;
        };
        match look(ctx, promise)? {
            Look::Settled(at) => {
                last = last.max(at);
                if let State::Settled {
                    outcome: Outcome::Rejected { message, .. },
                    ..
                } = &*promise.state.borrow()
                {
                    let message = format!("Promise {index} rejected: {message}");
                    return Ok(Ok((rejected(message), at)));
                }
            }
            Look::Pending(until) => {
                is_complete = false;
                next = [next, until].into_iter().flatten().min();
            }
        }
    }
    if !is_complete {
        return Ok(Err(next));
    }
    if !keeps {
        return Ok(Ok((Outcome::Fulfilled(Value::NULL), last)));
    }
    let mut results = Vec::with_capacity(values.len());
    for value in values {
        results.push(match value.as_object::<Promise>() {
            Some(promise) => match &*promise.state.borrow() {
                State::Settled {
                    outcome: Outcome::Fulfilled(result),
                    ..
                } => result.clone(),
                _ => unreachable!("all are fulfilled"),
            },
            None => value.clone(),
        });
    }
    let results = Array::from_values(results.into_iter());
    Ok(Ok((Outcome::Fulfilled(Value::from(results)), last)))
}

/// The promise of the results of all promises among the values; null instead
/// of the results if nobody `keeps` them.  It is settled at once if it can be.
///
/// # Errors
/// If the values are nested too deep.
pub fn all(ctx: &mut VMContext, values: Vec<Value>, keeps: bool) -> Result<Value, Raised> {
    settled_if_possible(ctx, Pending::All { values, keeps })
}

/// The promise of what becomes of another one within some milliseconds.
///
/// # Errors
/// If promises are nested too deep.
pub fn timeout(ctx: &mut VMContext, inner: Value, milliseconds: i64) -> Result<Value, Raised> {
    let at = sync::after(milliseconds.max(0) as u64);
    let pending = Pending::Timeout {
        inner,
        at,
        milliseconds,
    };
    settled_if_possible(ctx, pending)
}

/// The promise of null after some milliseconds.
pub fn timer(milliseconds: u64) -> Value {
    Value::from(Promise::pending(Pending::Timer(sync::after(milliseconds))))
}

fn settled_if_possible(ctx: &mut VMContext, pending: Pending) -> Result<Value, Raised> {
    let promise: Ref<Promise> = Promise::pending(pending);
    look(ctx, &promise)?;
    Ok(Value::from(promise))
}
