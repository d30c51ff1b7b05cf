//! `ruffc test`: every file's tests, one file after the other, and how their
//! results are shown.
//!
//! What is written for one file is the reference's (section 13); several files
//! get a heading each and a summary.

use super::arguments::{ColorChoice, ReportFlags, Test};
use super::{engine, print};
use crate::diagnostic::{self, Form, json_string};
use crate::driver::{self, Ending, Failure, Found, Log, Outcome, Tested};
use crate::source::SourceMap;
use crate::vm::JitOptions;
use std::fmt::Write;
use std::time::Duration;

/// The status when tests failed.
const STATUS_FAILED: i32 = 1;
/// The status when there is nothing to test.
const STATUS_NO_TESTS: i32 = 4;

const WIDTH: usize = 60;

/// A file's name and what became of its tests.
struct Report {
    name: String,
    result: Result<Tested, Failure>,
    sources: SourceMap,
}

/// Runs the tests that were asked for; gives the exit status.
pub fn execute(test: &Test, color: ColorChoice) -> i32 {
    let found = match driver::find_tests(&test.files) {
        Ok(found) => found,
        Err(failure) => {
            print::failure(&failure, &SourceMap::new(), color);
            return failure.exit_status();
        }
    };
    let is_single = matches!(&*found, [Found { is_named: true, .. }]);
    let mut reports = Vec::new();
    for file in &found {
        let heading =
            (!is_single && !test.json).then(|| format!("== {} ==\n", file.path.display()));
        if let Some(report) = run(test, file, heading.as_deref(), color) {
            reports.push(report);
        }
    }
    if test.json {
        print::to_standard_output(&json(&reports));
    } else if reports.is_empty() {
        print::to_standard_output(&nothing_found(test));
    } else if !is_single {
        print::to_standard_output(&summary(&reports, Paint::new(color)));
    }
    reports
        .iter()
        .map(Report::exit_status)
        .max()
        .unwrap_or(STATUS_NO_TESTS)
}

/// Tests one file and shows the results; `None` if a folder's file turns out
/// to have none of the tests that are wanted.
fn run(test: &Test, file: &Found, heading: Option<&str>, color: ColorChoice) -> Option<Report> {
    let mut log = Log::new(false);
    let mut report = Report {
        name: file.path.display().to_string(),
        result: Ok(Tested::default()),
        sources: SourceMap::new(),
    };
    let request = driver::Test {
        input: file.path.clone(),
        with: test.with.clone(),
        filter: test.filter.clone(),
        engine: engine(test.engine, JitOptions::default()),
        keeps_output: test.json,
    };
    let announce = || print::to_standard_output(heading.unwrap_or_default());
    report.result = driver::test(&request, announce, &mut report.sources, &mut log);
    let flags = ReportFlags {
        time: test.time,
        verbose: false,
    };
    print::log(&log, &flags, false);
    match &report.result {
        Ok(tested) if tested.is_idle() && !file.is_named => return None,
        Ok(tested) if !test.json => show(test, &report, tested, color),
        Ok(_) => {}
        Err(failure) if !test.json => {
            announce();
            print::failure(failure, &report.sources, color);
        }
        Err(_) => {}
    }
    Some(report)
}

fn show(test: &Test, report: &Report, tested: &Tested, color: ColorChoice) {
    match tested.ending {
        Ending::NoTests => {
            print::to_standard_output(&format!("No tests found in {}\n", report.name));
        }
        Ending::NoMatch => print::to_standard_output(&no_match(test, &report.name)),
        Ending::Stopped(status) => {
            if status != driver::STATUS_RUNTIME_ERROR {
                print::to_standard_error(&format!(
                    "No test was run: the top level of {} ended the program with exit({status})\n",
                    report.name
                ));
            }
        }
        Ending::Done => {
            print::to_standard_output(&results(tested, test.verbose, Paint::new(color)));
        }
    }
}

fn no_match(test: &Test, name: &str) -> String {
    let filter = test.filter.as_deref().unwrap_or_default();
    format!("No tests match '{filter}' in {name}\n")
}

fn nothing_found(test: &Test) -> String {
    let names = test.files.iter().map(|path| path.display().to_string());
    let names = names.collect::<Vec<_>>().join(", ");
    match test.filter {
        Some(_) => no_match(test, &names),
        None => format!("No tests found in {names}\n"),
    }
}

impl Report {
    fn exit_status(&self) -> i32 {
        match &self.result {
            Err(failure) => failure.exit_status(),
            Ok(tested) => match tested.ending {
                Ending::NoTests | Ending::NoMatch => STATUS_NO_TESTS,
                Ending::Stopped(status) => status,
                Ending::Done if tested.failed() > 0 => STATUS_FAILED,
                Ending::Done => 0,
            },
        }
    }
}

/// How words are coloured, if they are.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn new(color: ColorChoice) -> Paint {
        Paint(print::colours_standard_output(color))
    }

    fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// The results of one file, as the reference words them.
fn results(tested: &Tested, is_verbose: bool, paint: Paint) -> String {
    let mut out = opening("Test Results");
    if is_verbose {
        for outcome in &tested.outcomes {
            let time = outcome.duration.as_millis();
            let (sign, name) = (mark(outcome.failure.is_none(), paint), &outcome.name);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "  {sign} {name} ({time}ms)");
            if let Some(message) = &outcome.failure {
                let _ = writeln!(out, "    Error: {message}");
            }
        }
    }
    out.push('\n');
    totals(
        &mut out,
        tested.outcomes.len(),
        tested.failed(),
        tested.duration,
    );
    out.push_str(&verdict(tested.failed(), paint));
    out
}

fn opening(title: &str) -> String {
    let line = "=".repeat(WIDTH);
    format!("\n{line}\n{title}\n{line}\n")
}

fn mark(is_good: bool, paint: Paint) -> String {
    match is_good {
        true => paint.good("✓"),
        false => paint.bad("✗"),
    }
}

fn totals(out: &mut String, total: usize, failed: usize, duration: Duration) {
    let passed = total - failed;
    let line = "=".repeat(WIDTH);
    let _ = write!(
        out,
        "Tests: {total} total, {passed} passed, {failed} failed\nTime:  {}ms\n{line}\n\n",
        duration.as_millis()
    );
}

fn verdict(failed: usize, paint: Paint) -> String {
    match failed {
        0 => paint.good("All tests passed! ✨") + "\n",
        _ => paint.bad(&format!("{failed} test(s) failed")) + "\n",
    }
}

/// All files, one line each, and what they come to.
fn summary(reports: &[Report], paint: Paint) -> String {
    let mut out = opening("All Files");
    for report in reports {
        let sign = mark(report.exit_status() == 0, paint);
        let _ = writeln!(out, "  {sign} {} ({})", report.name, in_short(report));
    }
    let sum = Sum::of(reports);
    let bad = reports.iter().filter(|one| one.exit_status() != 0).count();
    let _ = writeln!(
        out,
        "\nFiles: {} total, {} passed, {bad} failed",
        reports.len(),
        reports.len() - bad
    );
    totals(&mut out, sum.total, sum.failed, sum.duration);
    match (bad, sum.failed) {
        (0, _) => out.push_str(&verdict(0, paint)),
        (_, 0) => out.push_str(&(paint.bad(&format!("{bad} file(s) failed")) + "\n")),
        (_, failed) => out.push_str(&verdict(failed, paint)),
    }
    out
}

fn in_short(report: &Report) -> String {
    match &report.result {
        Err(_) => "refused".to_owned(),
        Ok(tested) => match tested.ending {
            Ending::NoTests => "no tests".to_owned(),
            Ending::NoMatch => "no test matches".to_owned(),
            Ending::Stopped(_) => "stopped before its tests".to_owned(),
            Ending::Done => match (tested.outcomes.len(), tested.failed()) {
                (total, 0) => format!("{total} passed"),
                (total, failed) => format!("{failed} of {total} failed"),
            },
        },
    }
}

struct Sum {
    total: usize,
    failed: usize,
    duration: Duration,
}

impl Sum {
    fn of(reports: &[Report]) -> Sum {
        let mut sum = Sum {
            total: 0,
            failed: 0,
            duration: Duration::ZERO,
        };
        for tested in reports.iter().filter_map(|one| one.result.as_ref().ok()) {
            sum.total += tested.outcomes.len();
            sum.failed += tested.failed();
            sum.duration += tested.duration;
        }
        sum
    }
}

/// Everything as one JSON object on one line; `ruffc test --help` says what is in it.
fn json(reports: &[Report]) -> String {
    let sum = Sum::of(reports);
    let mut out = String::from("{\"files\":[");
    for (position, report) in reports.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        file_as_json(&mut out, report);
    }
    let _ = writeln!(
        out,
        "],\"total\":{},\"passed\":{},\"failed\":{},\"duration_ms\":{}}}",
        sum.total,
        sum.total - sum.failed,
        sum.failed,
        sum.duration.as_millis()
    );
    out
}

fn file_as_json(out: &mut String, report: &Report) {
    out.push_str("{\"file\":");
    json_string(out, &report.name);
    let result = match &report.result {
        Err(_) => "refused",
        Ok(tested) => match tested.ending {
            Ending::NoTests => "no_tests",
            Ending::NoMatch => "no_match",
            Ending::Stopped(_) => "stopped",
            Ending::Done if tested.failed() > 0 => "failed",
            Ending::Done => "passed",
        },
    };
    let status = report.exit_status();
    let _ = write!(out, ",\"result\":\"{result}\",\"exit_status\":{status}");
    match &report.result {
        Ok(tested) => {
            text_member(out, "output", tested.output.as_deref());
            out.push_str(",\"tests\":[");
            for (position, outcome) in tested.outcomes.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                outcome_as_json(out, outcome);
            }
            out.push_str("],\"diagnostics\":[]}");
        }
        Err(failure) => {
            out.push_str(",\"tests\":[],\"diagnostics\":[");
            diagnostics_as_json(out, failure, &report.sources);
            out.push_str("]}");
        }
    }
}

fn diagnostics_as_json(out: &mut String, failure: &Failure, sources: &SourceMap) {
    match failure {
        Failure::Diagnostics(diagnostics) => {
            let objects = diagnostics
                .iter()
                .map(|diagnostic| diagnostic::json(diagnostic, sources));
            out.push_str(&objects.collect::<Vec<_>>().join(","));
        }
        Failure::Write { .. }
        | Failure::Emit(_)
        | Failure::Link(_)
        | Failure::Bindgen(_)
        | Failure::Toolchain(_)
        | Failure::NoRunner(_)
        | Failure::Start { .. } => {
            out.push_str("{\"message\":");
            json_string(out, failure.text(sources, Form::Plain).trim_end());
            out.push('}');
        }
    }
}

fn outcome_as_json(out: &mut String, outcome: &Outcome) {
    out.push_str("{\"name\":");
    json_string(out, &outcome.name);
    out.push_str(",\"groups\":[");
    for (position, group) in outcome.groups.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        json_string(out, group);
    }
    let result = match outcome.failure {
        None => "passed",
        Some(_) => "failed",
    };
    let _ = write!(
        out,
        "],\"line\":{},\"result\":\"{result}\",\"duration_ms\":{}",
        outcome.line,
        outcome.duration.as_millis()
    );
    text_member(out, "error", outcome.failure.as_deref());
    text_member(out, "output", outcome.output.as_deref());
    out.push('}');
}

fn text_member(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        let _ = write!(out, ",\"{name}\":");
        json_string(out, text);
    }
}
