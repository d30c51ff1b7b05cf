//! A host that makes a chunk of bytecode by hand, compiles it and calls it.
//!
//! Run with `cargo run --release --example library`.

use ruff_runtime::bytecode::Op;
use ruff_runtime::bytecode::builder::Builder;
use ruffc::vm::{Chunk, Error, VM, Value};
use std::hint::black_box;
use std::time::Instant;

const CALLS: u32 = 10_000;
/// Calls in a row, so that the loop around them counts little.
const IN_A_ROW: u32 = 10;
/// The best of some rounds: the first ones find cold caches.
const ROUNDS: usize = 20;

fn main() -> Result<(), Error> {
    let chunk = five_plus_three_times_two()?;

    let mut vm = VM::new();
    vm.set_jit_enabled(true);
    vm.set_jit_threshold(1);
    println!("5 + 3 * 2 = {:?}", vm.execute(&chunk)?);
    assert_eq!(vm.execute(&chunk)?, Value::Int(11));

    // The compiled form, called through a typed function pointer.
    let mut function = vm.compile_int_function::<0>(&chunk, chunk.main())?;
    let pointer = function.pointer();
    let compiled = nanoseconds_per_call(|| pointer.call([]));
    let compiled = compiled.map_err(|_| function.take_error())?;

    // The same in the interpreter.
    let mut interpreter = VM::new();
    interpreter.set_jit_enabled(false);
    let interpreted = interpreter.session(&chunk, |session| {
        nanoseconds_per_call(|| session.execute_int())
    })??;

    // What a call through a pointer costs on this machine at the least.
    let eleven: extern "C" fn() -> i64 = black_box(eleven);
    let floor = nanoseconds_per_call(|| Ok::<i64, Error>(eleven()))?;

    println!("host's own:  {floor:8.2} ns a call");
    println!("compiled:    {compiled:8.2} ns a call");
    println!("interpreted: {interpreted:8.2} ns a call");
    println!("ratio:       {:8.1}", interpreted / compiled);
    println!("{}", vm.jit_stats());
    Ok(())
}

extern "C" fn eleven() -> i64 {
    11
}

fn five_plus_three_times_two() -> Result<Chunk, Error> {
    let mut builder = Builder::new();
    let main = builder.main();
    let mut code = builder.code(main);
    code.op(Op::Int { value: 5 });
    code.op(Op::Int { value: 3 });
    code.op(Op::Int { value: 2 });
    code.op(Op::Multiply {});
    code.op(Op::Add {});
    code.op(Op::Return {});
    Chunk::new(builder.program)
}

/// How long a call takes that gives 11.
fn nanoseconds_per_call<E>(mut call: impl FnMut() -> Result<i64, E>) -> Result<f64, E> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut sum = 0;
        for _ in 0..CALLS / IN_A_ROW {
            for _ in 0..IN_A_ROW {
                sum += call()?;
            }
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        assert_eq!(sum, 11 * i64::from(CALLS));
    }
    Ok(best)
}
