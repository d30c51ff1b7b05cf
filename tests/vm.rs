//! The interface for hosts: running programs, compiling them, calling them.

use ruff_runtime::bytecode::Op;
use ruff_runtime::bytecode::builder::Builder;
use ruffc::vm::{Chunk, Error, VM, Value};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

fn chunk(text: &str) -> Chunk {
    Chunk::compile("test.ruff", text).expect("the program is right")
}

/// `5 + 3 * 2`, made by hand.
fn eleven() -> Chunk {
    let mut builder = Builder::new();
    let main = builder.main();
    let mut code = builder.code(main);
    for value in [5, 3, 2] {
        code.op(Op::Int { value });
    }
    code.op(Op::Multiply {});
    code.op(Op::Add {});
    code.op(Op::Return {});
    Chunk::new(builder.program).expect("the program is valid")
}

const HOT: &str = "
    func twice(n) { return n * 2 }
    mut total := 0
    for n in 1000 { total += twice(n) }
    return total
";

#[test]
fn a_chunk_of_a_file_finds_modules_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let text = "import util\nmut s := 0\nfor i in 300 { s += util.inc(i) }\nreturn [s, runs]\n";
    file("main.ruff", text);
    file(
        "util.ruff",
        "export runs := 1\nexport func inc(n) { return n + runs }\n",
    );
    let chunk = Chunk::load(folder.path().join("main.ruff")).unwrap();
    let mut vm = VM::new();
    let expected = Value::Array(vec![Value::Int(45_150), Value::Int(1)]);
    vm.session(&chunk, |session| {
        // A module runs once, however often its importer does.
        for _ in 0..2 {
            assert_eq!(session.execute().unwrap(), expected);
        }
    })
    .unwrap();
    let missing = Chunk::load(folder.path().join("nothing.ruff"));
    assert!(matches!(missing, Err(Error::Compile { .. })));
    let lost = Chunk::compile("text.ruff", "import surely_not_here").unwrap();
    let Err(Error::Raised(error)) = vm.execute(&lost) else {
        panic!("there is no such module");
    };
    assert!(
        error
            .message
            .starts_with("Module not found: surely_not_here;")
    );
    assert_eq!(error.place, Some(("text.ruff".to_owned(), 1, 1)));
}

#[test]
fn a_chunk_made_by_hand_runs_and_compiles() {
    let chunk = eleven();
    let mut vm = VM::new();
    vm.set_jit_enabled(true);
    vm.set_jit_threshold(1);
    assert_eq!(vm.execute(&chunk).unwrap(), Value::Int(11));
    assert_eq!(vm.jit_stats().compiled_count, 1);
    assert_eq!(vm.jit_stats().fallbacks.len(), 0);
    let mut function = vm.compile_int_function::<0>(&chunk, chunk.main()).unwrap();
    for _ in 0..10_000 {
        assert_eq!(function.call([]).unwrap(), 11);
    }
    assert_eq!(vm.jit_stats().compiled_count, 2);
    assert_eq!(vm.execute(chunk).unwrap(), Value::Int(11));
}

#[test]
fn hot_code_is_compiled_and_nothing_else() {
    let chunk = chunk(HOT);
    let mut vm = VM::new();
    vm.set_jit_enabled(true);
    assert_eq!(vm.execute(&chunk).unwrap(), Value::Int(999_000));
    let stats = vm.jit_stats();
    assert_eq!(stats.loop_count, 1, "{stats}");
    // The function may have become a part of the loop.
    assert!(stats.function_count <= 1, "{stats}");
    assert_eq!(stats.compiled_count, 1 + stats.function_count, "{stats}");
    assert!(
        stats.code_bytes > 0 && !stats.compile_time.is_zero(),
        "{stats}"
    );

    let mut vm = VM::new();
    vm.set_jit_threshold(100_000);
    assert_eq!(vm.execute(&chunk).unwrap(), Value::Int(999_000));
    assert_eq!(vm.jit_stats().compiled_count, 0);

    let mut vm = VM::new();
    vm.set_jit_enabled(false);
    vm.set_jit_threshold(1);
    assert_eq!(vm.execute(&chunk).unwrap(), Value::Int(999_000));
    assert_eq!(vm.jit_stats(), ruffc::vm::JitStats::default());
}

#[test]
fn a_function_is_compiled_once() {
    let chunk = chunk(
        "func f(n) { return n + 1 }\nlet g := f\nmut s := 0\nfor i in 500 { s = g(s) }\nreturn s",
    );
    let mut vm = VM::new();
    vm.set_jit_threshold(1);
    assert_eq!(vm.execute(&chunk).unwrap(), Value::Int(500));
    let stats = vm.jit_stats();
    assert!(stats.function_count <= 2, "{stats}");
    // A session keeps its code from one run to the next.
    let mut vm = VM::new();
    vm.session(&chunk, |session| {
        for _ in 0..200 {
            assert_eq!(session.execute().unwrap(), Value::Int(500));
        }
    })
    .unwrap();
    assert!(vm.jit_stats().compiled_count <= 3, "{}", vm.jit_stats());
}

#[test]
fn functions_of_ints_are_called_directly() {
    let chunk = chunk(
        "
        func gcd(a, b) { if b == 0 { return a }  return gcd(b, a % b) }
        func deep(n) { if n == 0 { return 0 }  return 1 + deep(n - 1) }
        print(gcd(48, 36), deep(3))
    ",
    );
    let mut vm = VM::new();
    let mut gcd = vm
        .compile_int_function::<2>(&chunk, chunk.function("gcd").unwrap())
        .unwrap();
    assert_eq!(gcd.call([1071, 462]).unwrap(), 21);
    let mut deep = vm
        .compile_int_function::<1>(&chunk, chunk.function("deep").unwrap())
        .unwrap();
    assert_eq!(deep.call([50]).unwrap(), 50);
    // The caller's stack is what it is; running out of it is an error.
    let Err(Error::Raised(_)) = deep.call([i64::MAX]) else {
        panic!("the recursion is endless")
    };
    assert_eq!(deep.call([51]).unwrap(), 51);

    let Err(Error::Typed(_)) = vm.compile_int_function::<1>(&chunk, chunk.function("gcd").unwrap())
    else {
        panic!("it has two parameters");
    };
    let Err(Error::Typed(_)) = vm.compile_int_function::<0>(&chunk, chunk.main()) else {
        panic!("it returns null");
    };
}

#[test]
fn errors_are_values() {
    let mut vm = VM::new();
    let Err(Error::Compile { diagnostics, text }) = Chunk::compile("a.ruff", "print(") else {
        panic!()
    };
    assert_eq!(diagnostics.len(), 1);
    assert!(text.contains("--> a.ruff:1:"), "{text}");

    let thrown = chunk("func f() { throw \"no\" }\nf()");
    for threshold in [1, 100] {
        vm.set_jit_threshold(threshold);
        let Err(Error::Raised(error)) = vm.execute(&thrown) else {
            panic!()
        };
        assert_eq!(error.message, "no");
        assert_eq!(error.place, Some(("test.ruff".to_owned(), 1, 12)));
        assert_eq!(error.stack, ["f"]);
    }
    let Err(Error::Exited(3)) = vm.execute(chunk("exit(3)")) else {
        panic!()
    };

    let mut builder = Builder::new();
    let main = builder.main();
    builder.code(main).op(Op::Add {});
    let Err(Error::Verify(_)) = Chunk::new(builder.program) else {
        panic!()
    };
}

#[test]
fn results_are_copies() {
    let mut vm = VM::new();
    let result = vm
        .execute(chunk(
            "return [1, 2.5, \"é\", null, true, {\"k\": [1]}, print]",
        ))
        .unwrap();
    let Value::Array(elements) = result else {
        panic!("{result:?}")
    };
    assert_eq!(
        elements[..5],
        [
            Value::Int(1),
            Value::Float(2.5),
            Value::String("é".to_owned()),
            Value::Null,
            Value::Bool(true),
        ]
    );
    let entry = (
        Value::String("k".to_owned()),
        Value::Array(vec![Value::Int(1)]),
    );
    assert_eq!(elements[5], Value::Dict(vec![entry]));
    assert!(matches!(elements[6], Value::Other(_)));
}

#[test]
fn output_and_arguments_are_the_hosts() {
    let printed = Rc::new(RefCell::new(String::new()));
    let mut vm = VM::new();
    vm.set_args(["one", "two"]);
    vm.set_output({
        let printed = Rc::clone(&printed);
        move |bytes| {
            printed
                .borrow_mut()
                .push_str(&String::from_utf8_lossy(bytes))
        }
    });
    vm.execute(chunk("print(args())")).unwrap();
    assert_eq!(*printed.borrow(), "[one, two]\n");
}

#[test]
fn deep_recursion_is_an_error_of_the_program() {
    let endless =
        chunk("func f(n) { return 1 + f(n + 1) }\ntry { f(0) } except e { return \"caught\" }");
    for (enabled, threshold) in [(false, 1), (true, 1), (true, 100)] {
        let mut vm = VM::new();
        vm.set_jit_enabled(enabled);
        vm.set_jit_threshold(threshold);
        assert_eq!(vm.execute(&endless).unwrap().as_str(), Some("caught"));
    }
}

#[test]
fn an_exit_elsewhere_wakes_a_first_thread_that_sleeps() {
    let start = Instant::now();
    for waits in ["sleep(600000)", "await async_sleep(600000)"] {
        let program = chunk(&format!("spawn {{ sleep(20); exit(3) }}\n{waits}"));
        assert!(matches!(VM::new().execute(program), Err(Error::Exited(3))));
    }
    assert!(start.elapsed() < Duration::from_secs(300));
}
