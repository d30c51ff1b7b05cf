//! The core library beside the crates that a Rust program would use:
//! `cargo bench --package ruff-runtime`.  What counts is the ratio within a group.

use divan::{Bencher, black_box};
use hashbrown::HashMap;
use ruff_runtime::builtins::formats::json;
use ruff_runtime::builtins::table::find;
use ruff_runtime::bytecode::Op;
use ruff_runtime::bytecode::builder::Builder;
use ruff_runtime::context::{TraceEntry, VMContext};
use ruff_runtime::heap::{Dict, Function, Key, Ref, Str};
use ruff_runtime::loaded::LoadedProgram;
use ruff_runtime::value::{RawValue, Value};
use std::fmt::Write;

fn main() {
    divan::main();
}

/// The entry of the program's only function.
extern "C" fn never_called(
    _: *mut VMContext,
    _: *mut TraceEntry,
    _: *const Function,
    _: *mut Value,
) -> RawValue {
    unreachable!("only built-ins are called")
}

/// A context of a program that does nothing.
fn context() -> Box<VMContext> {
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

/// As much JSON as may be parsed at once: records of the usual kinds.
fn document() -> String {
    let mut text = String::from("[");
    for number in 0.. {
        let before = text.len();
        let comma = if number == 0 { "" } else { "," };
        let (price, tag) = (number as f64 * 0.37, number % 7);
        write!(
            text,
            "{comma}{{\"id\":{number},\"name\":\"item number {number}\",\"price\":{price:.2},\
             \"active\":{},\"note\":null,\"tags\":[\"t{tag}\",\"line\\nbreak\"],\
             \"size\":{{\"width\":{tag},\"height\":-{number}}}}}",
            number % 3 == 0
        )
        .expect("strings take anything");
        if text.len() >= 1_048_576 {
            text.truncate(before);
            break;
        }
    }
    text.push(']');
    text
}

mod parse_json {
    use super::*;

    #[divan::bench]
    fn ruff(bencher: Bencher) {
        let mut ctx = context();
        let text = Value::string(&document());
        bencher.bench_local(|| {
            let parsed = json::parse_json(&mut ctx, &mut [text.clone()]);
            assert!(parsed.is_ok());
        });
    }

    #[divan::bench]
    fn serde_json(bencher: Bencher) {
        let text = document();
        bencher.bench_local(|| {
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&text);
            assert!(parsed.is_ok());
        });
    }
}

mod to_json {
    use super::*;

    #[divan::bench]
    fn ruff(bencher: Bencher) {
        let mut ctx = context();
        let text = Value::string(&document());
        let Ok(value) = json::parse_json(&mut ctx, &mut [text]) else {
            panic!("a valid document")
        };
        bencher.bench_local(|| {
            let written = json::to_json(&mut ctx, &mut [value.clone()]);
            assert!(written.is_ok());
        });
    }

    #[divan::bench]
    fn serde_json(bencher: Bencher) {
        let value: serde_json::Value = serde_json::from_str(&document()).expect("a valid document");
        bencher.bench_local(|| black_box(value.to_string()));
    }
}

/// Keys of a table.
const KEYS: usize = 10_000;

fn texts() -> Vec<String> {
    (0..KEYS).map(|number| format!("key {number}")).collect()
}

mod table_set {
    use super::*;

    #[divan::bench]
    fn ruff(bencher: Bencher) {
        let keys: Vec<Ref<Str>> = texts().iter().map(|text| Str::new(text)).collect();
        bencher.bench_local(|| {
            let mut dict = Dict::new();
            let entries = dict.get_mut().expect("nobody else has it");
            for (number, key) in (0..).zip(&keys) {
                entries.insert_str(key, Value::int(number));
            }
            black_box(dict.len())
        });
    }

    #[divan::bench]
    fn hashbrown(bencher: Bencher) {
        let keys = texts();
        bencher.bench_local(|| {
            let mut table: HashMap<&str, i64> = HashMap::new();
            for (number, key) in (0..).zip(&keys) {
                table.insert(key, number);
            }
            black_box(table.len())
        });
    }
}

mod table_get {
    use super::*;

    #[divan::bench]
    fn ruff(bencher: Bencher) {
        let keys: Vec<Ref<Str>> = texts().iter().map(|text| Str::new(text)).collect();
        let mut dict = Dict::new();
        for (number, key) in (0..).zip(&keys) {
            let entries = dict.get_mut().expect("nobody else has it");
            entries.insert_str(key, Value::int(number));
        }
        bencher.bench_local(|| {
            let found = |key: &Ref<Str>| dict.get(Key::from_str(key)).and_then(Value::as_int);
            black_box(keys.iter().filter_map(found).sum::<i64>())
        });
    }

    #[divan::bench]
    fn hashbrown(bencher: Bencher) {
        let keys = texts();
        let table: HashMap<&str, i64> = keys.iter().map(String::as_str).zip(0..).collect();
        bencher.bench_local(|| {
            black_box(
                keys.iter()
                    .filter_map(|key| table.get(key.as_str()))
                    .sum::<i64>(),
            )
        });
    }
}
