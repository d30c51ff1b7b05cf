//! What people and tools get to see.

use super::arguments::{ColorChoice, ReportFlags};
use crate::diagnostic::{self, Diagnostic, Form};
use crate::driver::{Failure, Log};
use crate::link::{Part, Share};
use crate::source::SourceMap;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Prints why a command was not carried out.
pub fn failure(failure: &Failure, sources: &SourceMap, color: ColorChoice) {
    to_standard_error(&failure.text(sources, form(color)));
}

/// Prints diagnostics for people.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &SourceMap, color: ColorChoice) {
    let texts = diagnostics
        .iter()
        .map(|one| diagnostic::text(one, sources, form(color)));
    to_standard_error(&texts.collect::<String>());
}

/// Prints which functions stay bytecode.
pub fn fallbacks(file: &Path, fallbacks: &[String]) {
    if fallbacks.is_empty() {
        return to_standard_error(&format!("no fallbacks: {}\n", file.display()));
    }
    to_standard_output(&(fallbacks.join("\n") + "\n"));
}

/// Prints diagnostics for tools, on standard output.
pub fn json(diagnostics: &[Diagnostic], sources: &SourceMap) {
    let lines = diagnostics
        .iter()
        .map(|diagnostic| diagnostic::json(diagnostic, sources) + "\n");
    to_standard_output(&lines.collect::<String>());
}

/// Prints that there is nothing to be said against a program.
pub fn passed(file: &Path) {
    to_standard_output(&format!("check passed: {}\n", file.display()));
}

/// Prints what was asked for of the log.
pub fn log(log: &Log, flags: &ReportFlags, wants_stats: bool) {
    for note in log.notes() {
        to_standard_error(&format!("{note}\n"));
    }
    if let Some(stats) = log.stats().filter(|_| wants_stats) {
        to_standard_error(&stats.to_string());
    }
    if flags.time {
        to_standard_error(&log.times());
    }
}

/// Pictures are for people, and colours for terminals that show them.
fn form(color: ColorChoice) -> Form {
    let is_terminal = io::stderr().is_terminal();
    match color {
        ColorChoice::Always => Form::Colour,
        ColorChoice::Auto if is_terminal && terminal_has_colours() => Form::Colour,
        ColorChoice::Auto | ColorChoice::Never if is_terminal => Form::Snippet,
        ColorChoice::Auto | ColorChoice::Never => Form::Plain,
    }
}

/// Whether what goes to standard output is coloured.
pub fn colours_standard_output(color: ColorChoice) -> bool {
    match color {
        ColorChoice::Always => true,
        ColorChoice::Auto => io::stdout().is_terminal() && terminal_has_colours(),
        ColorChoice::Never => false,
    }
}

/// Prints what an executable's bytes are for: the parts, and what is in each.
pub fn shares(shares: &[Share]) {
    let sum = |shares: &[&Share]| shares.iter().map(|share| share.bytes).sum::<u64>();
    let mut text = String::new();
    for part in Part::ALL {
        let own: Vec<&Share> = shares.iter().filter(|share| share.part == part).collect();
        if own.is_empty() {
            continue;
        }
        text.push_str(&row(part.name(), sum(&own)));
        for share in own {
            text.push_str(&row(&format!("  {}", share.name), share.bytes));
        }
    }
    if !text.is_empty() {
        text.push_str(&row("all", sum(&shares.iter().collect::<Vec<_>>())));
        to_standard_output(&text);
    }
}

fn row(name: &str, bytes: u64) -> String {
    format!("{bytes:>9}  {name}\n")
}

fn terminal_has_colours() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|kind| kind != "dumb")
}

pub fn to_standard_error(text: &str) {
    // Where there is nobody to read it, there is nothing to be done.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

pub fn to_standard_output(text: &str) {
    let mut output = io::stdout().lock();
    // As above.
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
