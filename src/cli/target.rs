//! `ruffc target`: what there is for targets, and making it.

use super::arguments::{Target, TargetAdd};
use super::{goal, print};
use crate::driver::Failure;
use crate::link::Place;
use crate::toolchain::{self, Report};

/// Does what was asked for; gives the exit status.
pub fn execute(target: &Target) -> Result<i32, Failure> {
    match target {
        Target::List => print::to_standard_output(&table(&toolchain::report())),
        Target::Add(add) => self::add(add)?,
    }
    Ok(0)
}

fn add(add: &TargetAdd) -> Result<(), Failure> {
    let goal = goal(add.size);
    for target in &add.targets {
        let progress = |text: &str| print::to_standard_error(&format!("{text}\n"));
        let added = toolchain::add(target, goal, progress)?;
        let kilobytes = added.bytes.div_ceil(1000);
        let path = added.path.display();
        let what = if added.was_there {
            "was ready"
        } else {
            "is ready"
        };
        print::to_standard_output(&format!(
            "the runtime for {target} {what}: {path} ({kilobytes} kB)\n"
        ));
    }
    Ok(())
}

/// The reports as lines below a heading.
fn table(reports: &[Report]) -> String {
    let heading = ["target", "object", "runtime", "linker", "runs here"].map(str::to_owned);
    let mut rows = vec![heading];
    rows.extend(reports.iter().map(row));
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(report: &Report) -> [String; 5] {
    let runtime = match &report.runtime {
        Some(Place::Embedded) => "inside ruffc".to_owned(),
        Some(Place::Named(_)) => "in $RUFF_RUNTIME_DIR".to_owned(),
        Some(Place::Cached(_)) => "ready".to_owned(),
        None => "no: `ruffc target add`".to_owned(),
    };
    let linkers = match report.linkers.is_empty() {
        true => "none found".to_owned(),
        false => report.linkers.join(", "),
    };
    let runner = report.runner.clone().unwrap_or_else(|| "no".to_owned());
    // Cranelift has a code generator for every row of the table.
    let object = "yes".to_owned();
    [report.target.to_owned(), object, runtime, linkers, runner]
}
