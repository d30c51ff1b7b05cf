//! Any bytes for the decoder, the verifier and the interpreter.

#![no_main]

#[path = "../../tests/hostile/bytecode.rs"]
mod bytecode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bytecode::check(bytes);
});
