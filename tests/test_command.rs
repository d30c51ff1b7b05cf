//! `ruffc test` on the programs in `tests/tested`: exact output and status, on
//! the interpreter and on the JIT.
//!
//! A program or a folder has its expected output in `name.out`, further
//! arguments in `name.args` (one a line) and its exit status in `name.rc`.
//! Times are written as `0ms`.  `RUFF_BLESS=1` rewrites output and status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tested")
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .arg("test")
        .args(args)
        .current_dir(folder())
        .output()
        .expect("the program can be started")
}

/// The text with every time, `(12ms)` or `Time:  12ms`, made nothing.
fn without_times(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut out = String::new();
    for piece in text.split_inclusive("ms") {
        match piece.strip_suffix("ms") {
            Some(before) => {
                let kept = before.trim_end_matches(|one: char| one.is_ascii_digit());
                out.push_str(kept);
                out.push_str(if kept == before { "ms" } else { "0ms" });
            }
            None => out.push_str(piece),
        }
    }
    out
}

/// The programs and folders, by what names them on the command line.
fn subjects() -> Vec<String> {
    let mut subjects = Vec::new();
    for entry in fs::read_dir(folder()).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let is_subject = path.is_dir() || path.extension().is_some_and(|kind| kind == "ruff");
        if let Some(name) = path.file_name().filter(|_| is_subject) {
            subjects.push(name.to_string_lossy().into_owned());
        }
    }
    subjects.sort();
    subjects
}

#[test]
fn results_are_exact_on_every_engine() {
    let mut wrong = Vec::new();
    for subject in subjects() {
        let base = folder().join(&subject);
        let read = |kind: &str| fs::read_to_string(base.with_extension(kind));
        let extra = read("args").unwrap_or_default();
        for engine in ["interp", "jit"] {
            let mut args = vec!["-v", "--engine", engine];
            args.extend(extra.lines());
            args.push(&subject);
            let output = run(&args);
            let text = without_times(&output.stdout);
            let status = output.status.code().unwrap_or(-1);
            let expected_status = read("rc").map_or(0, |text| text.trim().parse().unwrap_or(-1));
            if text == read("out").unwrap_or_default() && status == expected_status {
                continue;
            }
            if std::env::var_os("RUFF_BLESS").is_some() {
                fs::write(base.with_extension("out"), &text).expect("it can be written");
                if status != 0 {
                    let status = format!("{status}\n");
                    fs::write(base.with_extension("rc"), status).expect("it can be written");
                }
            } else {
                wrong.push(format!("{subject} on {engine}: status {status}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_failures_of_the_top_level_are_reported() {
    let stopped = run(&["top_level_fails.ruff"]);
    let error = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(
        error,
        "[RUFVM001] [vm] Runtime Error: no start\n  --> top_level_fails.ruff:3:1\n\n"
    );
    let exited = run(&["top_level_exits.ruff"]);
    let error = String::from_utf8_lossy(&exited.stderr).into_owned();
    assert!(error.contains("No test was run"), "{error}");
    assert!(run(&["failures.ruff"]).stderr.is_empty());
}

#[test]
fn details_are_for_those_who_ask() {
    let output = run(&["shared_scope.ruff"]);
    let text = without_times(&output.stdout);
    assert!(!text.contains('✓') && !text.contains("Error: "), "{text}");
    assert!(
        text.contains("Tests: 10 total, 8 passed, 2 failed\nTime:  0ms\n"),
        "{text}"
    );
    assert!(text.ends_with("\n\n2 test(s) failed\n"), "{text}");
    let alias = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .args(["test-run", "hot.ruff"])
        .current_dir(folder())
        .output()
        .expect("the program can be started");
    assert!(String::from_utf8_lossy(&alias.stdout).ends_with("All tests passed! ✨\n"));
}

#[test]
fn nothing_to_test_is_a_failure() {
    let nothing = run(&["folder/no_tests.ruff"]);
    assert_eq!(nothing.status.code(), Some(4));
    assert_eq!(nothing.stdout, b"No tests found in folder/no_tests.ruff\n");
    let unmatched = run(&["--filter", "zzz", "hot.ruff"]);
    assert_eq!(unmatched.status.code(), Some(4));
    assert_eq!(unmatched.stdout, b"No tests match 'zzz' in hot.ruff\n");
    let missing = run(&["nowhere.ruff"]);
    assert_eq!(missing.status.code(), Some(5));
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn json_has_everything_in_order() {
    let output = run(&["--json", "isolation.ruff", "folder"]);
    assert_eq!(output.status.code(), Some(4));
    let text = without_durations(&String::from_utf8_lossy(&output.stdout));
    assert!(
        text.starts_with(
            "{\"files\":[{\"file\":\"isolation.ruff\",\"result\":\"failed\",\"exit_status\":1,\
         \"output\":\"the top level runs once\\n\",\"tests\":[{\"name\":\"a change is seen\",\
         \"groups\":[],\"line\":7,\"result\":\"passed\",\"duration_ms\":0,\"output\":\"\"}"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "{\"file\":\"folder/a_broken.ruff\",\"result\":\"refused\",\"exit_status\":3,\
         \"tests\":[],\"diagnostics\":[{\"code\":\"RUFPARSE001\""
        ),
        "{text}"
    );
    assert!(
        text.contains("\"result\":\"failed\",\"duration_ms\":0,\"error\":\"c\",\"output\":\"\"}"),
        "{text}"
    );
    assert!(
        text.ends_with("],\"total\":10,\"passed\":8,\"failed\":2,\"duration_ms\":0}\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}

fn without_durations(text: &str) -> String {
    let mut out = String::new();
    for (position, piece) in text.split("\"duration_ms\":").enumerate() {
        match position {
            0 => out.push_str(piece),
            _ => {
                out.push_str("\"duration_ms\":0");
                out.push_str(piece.trim_start_matches(|one: char| one.is_ascii_digit()));
            }
        }
    }
    out
}
