//! What compilers rely on: changes happen in place where nobody else sees
//! them, and a built-in that fails leaves its first argument where it was.

use super::{Builtin, all, find};
use crate::bytecode::Op;
use crate::bytecode::builder::Builder;
use crate::context::{TraceEntry, VMContext};
use crate::heap::{Array, Dict, Function, Str};
use crate::loaded::LoadedProgram;
use crate::semantics::convert::to_display_string;
use crate::value::{RawValue, Value};
use std::boxed::Box;
use std::string::String;
use std::vec;

/// The entry of the program's only function.
unsafe extern "C" fn never_called(
    _: *mut VMContext,
    _: *mut TraceEntry,
    _: *const Function,
    _: *mut Value,
) -> RawValue {
    unreachable!("only built-ins are called")
}

/// A context of a program that does nothing.
pub fn context() -> Box<VMContext> {
    let mut builder = Builder::new();
    let main = builder.main();
    let mut code = builder.code(main);
    code.op(Op::Null {});
    code.op(Op::Return {});
    drop(code);
    let program = Box::new(builder.finish().expect("the program is valid"));
    let loaded = LoadedProgram::load(program, &|_, name| find(name), &|_| never_called);
    VMContext::new(loaded.expect("nothing collides"))
}

fn row(name: &str) -> &'static Builtin {
    find(name).unwrap_or_else(|| panic!("{name} has no row"))
}

/// Calls a built-in; gives the display form of its result or the error.
fn call(ctx: &mut VMContext, name: &str, args: &mut [Value]) -> Result<String, String> {
    match (row(name).function)(ctx, args) {
        Ok(value) => Ok(to_display_string(ctx, &value)),
        Err(_) => Err(message(ctx)),
    }
}

fn message(ctx: &mut VMContext) -> String {
    let pending = ctx.pending.take().expect("an error is pending");
    pending.message.as_str().into()
}

fn ints(numbers: &[i64]) -> Value {
    Value::from(Array::from_ints(numbers))
}

fn dict(entries: &[(&str, i64)]) -> Value {
    let mut dict = Dict::new();
    for (key, value) in entries {
        dict.get_mut()
            .unwrap()
            .insert_str(&Str::new(key), Value::int(*value));
    }
    Value::from(dict)
}

#[test]
fn what_nobody_else_sees_is_changed_in_place() {
    let ctx = &mut *context();
    let mut array = ints(&[3, 1, 2]);
    let object = array.payload();
    for (name, args) in [
        ("push", vec![Value::int(4)]),
        ("insert", vec![Value::int(0), Value::int(9)]),
        ("remove", vec![Value::int(1)]),
        ("sort", vec![]),
        ("reverse", vec![]),
        ("concat", vec![ints(&[7])]),
    ] {
        let mut args = args;
        row(name).replace(ctx, &mut array, &mut args).unwrap();
        assert_eq!(array.payload(), object, "{name}");
    }
    assert_eq!(to_display_string(ctx, &array), "[9, 4, 3, 2, 7]");

    let mut target = dict(&[("a", 1)]);
    let object = target.payload();
    row("merge")
        .replace(ctx, &mut target, &mut [dict(&[("b", 2)])])
        .unwrap();
    assert_eq!(
        (target.payload(), to_display_string(ctx, &target).as_str()),
        (object, "{\"a\": 1, \"b\": 2}")
    );
}

#[test]
fn what_others_see_is_copied_first() {
    let ctx = &mut *context();
    let array = ints(&[1, 2]);
    for (name, expected) in [
        ("push", "[1, 2, 5]"),
        ("remove", "[1, 2]"),
        ("concat", "[1, 2, 5]"),
    ] {
        let second = if name == "concat" {
            ints(&[5])
        } else {
            Value::int(5)
        };
        assert_eq!(
            call(ctx, name, &mut [array.clone(), second]).as_deref(),
            Ok(expected),
            "{name}"
        );
        assert_eq!(to_display_string(ctx, &array), "[1, 2]", "{name}");
    }
    assert_eq!(
        call(ctx, "concat", &mut [array.clone(), array.clone()]).as_deref(),
        Ok("[1, 2, 1, 2]")
    );
    assert_eq!(
        call(ctx, "pop", &mut [array.clone()]).as_deref(),
        Ok("[[1], 2]")
    );
    assert_eq!(to_display_string(ctx, &array), "[1, 2]");
}

#[test]
fn a_failing_call_leaves_its_first_argument_in_place() {
    let ctx = &mut *context();
    let samples = [
        ints(&[1, 2, 3]),
        dict(&[("a", 1)]),
        Value::string("text"),
        Value::NULL,
        Value::int(7),
        (row("Set").function)(ctx, &mut [ints(&[1])]).unwrap(),
        (row("Queue").function)(ctx, &mut [ints(&[1])]).unwrap(),
        (row("Stack").function)(ctx, &mut [ints(&[1])]).unwrap(),
    ];
    // These do something to the process, or wait for it.
    let skipped = ["exit", "input", "print", "println", "eprint", "debug"];
    for row in all().iter().filter(|row| !skipped.contains(&row.name)) {
        for first in &samples {
            for count in 0..3 {
                for further in [Value::NULL, Value::int(99), Value::string("x"), ints(&[])] {
                    let mut args = vec![further; count + 1];
                    args[0] = first.clone();
                    if (row.function)(ctx, &mut args).is_err() {
                        ctx.pending = None;
                        let kept =
                            args[0].tag() == first.tag() && args[0].payload() == first.payload();
                        assert!(kept, "{} lost its first argument", row.name);
                    }
                }
            }
        }
    }
}

#[test]
fn mutating_methods_change_their_receiver_or_nothing() {
    let ctx = &mut *context();
    let mut array = ints(&[1, 2, 3]);
    let mutate = |name: &str| row(name).mutate.expect("it has that form");
    let popped = mutate("pop")(ctx, &mut array, &mut []).unwrap();
    assert_eq!(
        (popped.as_int(), to_display_string(ctx, &array).as_str()),
        (Some(3), "[1, 2]")
    );
    let pushed = mutate("push")(ctx, &mut array, &mut [Value::string("x")]).unwrap();
    assert_eq!(to_display_string(ctx, &pushed), "[1, 2, x]");
    assert!(mutate("remove_at")(ctx, &mut array, &mut [Value::int(5)]).is_err());
    assert_eq!(
        message(ctx),
        "remove_at() index 5 out of bounds for array of length 3"
    );
    assert!(mutate("push")(ctx, &mut array, &mut []).is_err());
    assert_eq!(message(ctx), "push expects 2 arguments, got 1");
    assert_eq!(to_display_string(ctx, &array), "[1, 2, x]");

    let mut target = dict(&[("a", 1)]);
    let removed = mutate("remove")(ctx, &mut target, &mut [Value::string("a")]).unwrap();
    assert_eq!(
        (removed.as_int(), to_display_string(ctx, &target).as_str()),
        (Some(1), "{}")
    );
    let missing = mutate("remove")(ctx, &mut target, &mut [Value::string("a")]).unwrap();
    assert!(missing.is_null());
}

#[test]
fn restricted_programs_are_told_what_they_lack() {
    let ctx = &mut *context();
    ctx.capabilities.random = false;
    ctx.capabilities.clock = false;
    assert_eq!(
        call(ctx, "random_int", &mut []),
        Err("Capability denied: random required for random_int; rerun with --allow-random".into())
    );
    assert_eq!(
        call(ctx, "now_utc_seconds", &mut []),
        Err("Capability denied: clock required for now_unix; rerun with --allow-clock".into())
    );
}
