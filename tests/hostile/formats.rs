//! Any text for the readers of JSON, TOML, YAML and CSV.

use ruff_runtime::builtins;
use ruff_runtime::context::VMContext;
use ruff_runtime::start;
use ruff_runtime::value::Value;
use ruffc::vm::{self, Chunk};

const FORMATS: [(&str, &str); 4] = [
    ("parse_json", "to_json"),
    ("parse_toml", "to_toml"),
    ("parse_yaml", "to_yaml"),
    ("parse_csv", "to_csv"),
];

/// Reads a text in each format; what was read is written, read and written
/// again, which must give the same text.  Gives how often something was read.
pub fn check(text: &str) -> usize {
    let before = start::live_blocks();
    let nothing = Chunk::compile("test.ruff", "").expect("it is valid");
    let loaded = vm::load(nothing.program().clone()).expect("it names nothing");
    let mut ctx = VMContext::new(loaded);
    let mut read = 0;
    for (parse, write) in FORMATS {
        let Ok(value) = call(&mut ctx, parse, Value::string(text)) else {
            continue;
        };
        read += 1;
        // Not everything can be written in every format.
        let Ok(written) = call(&mut ctx, write, value) else {
            continue;
        };
        let again = call(&mut ctx, parse, written.clone())
            .and_then(|value| call(&mut ctx, write, value))
            .unwrap_or_else(|message| panic!("{parse} refuses {:?}: {message}", written.as_str()));
        assert_eq!(again.as_str(), written.as_str(), "{write} of {text:?}");
    }
    drop(ctx);
    assert_eq!(start::live_blocks(), before, "memory is left by {text:?}");
    read
}

/// A built-in's result or its message.
fn call(ctx: &mut VMContext, name: &str, argument: Value) -> Result<Value, String> {
    let row = builtins::find(name).expect("it is in the table");
    match (row.function)(ctx, &mut [argument]) {
        Ok(value) => Ok(value),
        Err(_) => {
            let pending = ctx.pending.take().expect("an error is pending");
            assert!(
                !pending.message.as_str().is_empty(),
                "{name} gives no reason"
            );
            Err(pending.message.as_str().to_owned())
        }
    }
}
