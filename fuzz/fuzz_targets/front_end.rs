//! Any text for the lexer and the parser.

#![no_main]

#[path = "../../tests/hostile/front_end.rs"]
mod front_end;

libfuzzer_sys::fuzz_target!(|text: &str| {
    front_end::check(text);
});
