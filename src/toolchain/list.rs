//! `ruffc target list`: what this machine has for each target.

use super::runner::runner;
use crate::link::{self, Place};
use target_lexicon::Triple;

/// What there is for a target.
#[derive(Clone, Debug)]
pub struct Report {
    pub target: &'static str,
    /// Where its runtime is, if it is ready.
    pub runtime: Option<Place>,
    /// The linkers for it, the preferred one first.
    pub linkers: Vec<String>,
    /// Who runs its programs here.
    pub runner: Option<String>,
}

/// What there is for every target that executables can be made for.
pub fn report() -> Vec<Report> {
    let rows = link::TARGETS.iter().filter_map(|row| {
        let target: Triple = row.triple.parse().ok()?;
        Some(Report {
            target: row.triple,
            runtime: link::runtime_place(&target, link::Goal::Speed).ok(),
            linkers: link::linkers(&target),
            runner: runner(&target).ok().map(|runner| runner.name()),
        })
    });
    rows.collect()
}
