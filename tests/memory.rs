//! What checking a program's memory finds, on which threads, and when it says
//! that there was nothing to check.
//!
//! A program leaks where it calls `upper`, for which a leaking row is put.

use ruff_runtime::builtins::{self, Builtin};
use ruff_runtime::call::Entry;
use ruff_runtime::context::VMContext;
use ruff_runtime::error::Raised;
use ruff_runtime::interp;
use ruff_runtime::loaded::LoadedProgram;
use ruff_runtime::start::{self, MemoryCheck, STATUS_INTERNAL, STILL_AT_WORK};
use ruff_runtime::value::Value;
use ruffc::vm::Chunk;
use std::process::{Command, Output};

/// Gives its argument, and keeps it for ever.
fn leak(_ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    let value = args[0].take();
    std::mem::forget(value.clone());
    Ok(value)
}

/// Runs a program as hosts do, whose process goes on; gives the exit status.
fn run_in_host(ctx: &mut VMContext) -> i32 {
    let _ = ctx.run();
    ctx.exit_status.unwrap_or(0)
}

/// The exit status of a program whose memory is checked.
fn checked(text: &str, run: fn(&mut VMContext) -> i32) -> i32 {
    let chunk = Chunk::compile("test.ruff", text).expect("the program is right");
    let program = chunk.program().clone();
    let entries: Vec<Entry> = program.functions.iter().map(interp::entry_for).collect();
    let upper = builtins::find("upper").expect("there is such a built-in");
    let leaking: &'static Builtin = Box::leak(Box::new(Builtin {
        function: leak,
        ..*upper
    }));
    let builtin = |_, name: &str| match name {
        "upper" => Some(leaking),
        _ => builtins::find(name),
    };
    let mut status = None;
    start::on_large_stack(&mut || {
        let check = MemoryCheck::start();
        let entry = |func: u32| entries[func as usize];
        let loaded = LoadedProgram::load(Box::new(program.clone()), &builtin, &entry);
        let mut ctx = VMContext::new(loaded.expect("its built-ins exist"));
        check.attach(&mut ctx);
        let ended = run(&mut ctx);
        drop(ctx);
        status = Some(check.finish(ended));
    });
    status.expect("the program was run")
}

/// A program that leaves something on a thread, and the same without that.
fn finds(text: &str) {
    finds_where(start::run_and_report, text, 0);
}

/// The same, where such a program ends with `status`.
fn finds_where(run: fn(&mut VMContext) -> i32, text: &str, status: i32) {
    assert_eq!(checked(text, run), STATUS_INTERNAL, "{text}");
    let harmless = text.replace("upper(", "lower(");
    assert_ne!(harmless, text);
    assert_eq!(checked(&harmless, run), status, "{harmless}");
}

#[test]
fn what_the_first_thread_leaves_is_found() {
    finds("upper(to_string(1))");
    finds("spawn { 1 }\nupper(to_string(1))");
}

#[test]
fn what_a_thread_leaves_is_found() {
    finds("c := channel()\nspawn { upper(to_string(1)); c.send(1) }\nc.receive()");
    finds("await await_task(spawn_task(func() { return upper(to_string(1)) }))");
    // In a block that has not begun when the program ends, or waits then.
    finds(
        "c := channel()\nspawn { c.send(1); s := upper(to_string(1)); sleep(600000) }\nc.receive()\nsleep(50)",
    );
}

#[test]
fn one_of_many_threads_is_enough() {
    finds(
        "c := channel()
        for i in range(100) {
            spawn { if i == 70 { upper(to_string(i)) }; c.send(i); c.receive() }
        }
        for i in range(100) { c.receive() }",
    );
}

#[test]
fn all_of_many_threads_end_with_the_program() {
    let waits = [
        "sleep(600000)",
        "c.receive()",
        "await async_sleep(600000)",
        "await await_task(spawn_task(func() { sleep(600000) }))",
    ];
    for wait in waits {
        let text = format!(
            "c := channel()
            ready := channel()
            for i in range(500) {{
                spawn {{ if i == 70 {{ upper(to_string(i)) }}; ready.send(i); {wait} }}
            }}
            for i in range(500) {{ ready.receive() }}"
        );
        finds(&text);
        finds_where(run_in_host, &text, 0);
        let exits = format!("{text}\nspawn {{ exit(3) }}\nsleep(600000)");
        finds_where(run_in_host, &exits, 3);
    }
}

const AT_WORK: &str = "c := channel()
spawn { c.send(1); while true { } }
print(c.receive())
";

#[test]
fn threads_that_do_not_end_are_waited_for_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("busy.ruff"), AT_WORK).unwrap();
    let ruffc = |line: &str| -> Output {
        Command::new(env!("CARGO_BIN_EXE_ruffc"))
            .args(line.split(' '))
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let built = ruffc("build --check-memory -o busy busy.ruff");
    assert!(built.status.success(), "{built:?}");
    let executable = Command::new(folder.path().join("busy")).output().unwrap();
    for output in [ruffc("run --check-memory busy.ruff"), executable] {
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), STILL_AT_WORK);
    }
    // Nobody asks unless memory is checked.
    assert!(ruffc("run busy.ruff").stderr.is_empty());
}
