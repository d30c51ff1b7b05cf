//! Any text for the readers of JSON, TOML, YAML and CSV.

#![no_main]

#[path = "../../tests/hostile/formats.rs"]
mod formats;

libfuzzer_sys::fuzz_target!(|text: &str| {
    formats::check(text);
});
