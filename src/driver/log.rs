//! What happened: stages with their times, and remarks.

use crate::emit::jit::JitStats;
use crate::link::Share;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A record of one command, for `--time`, `--verbose` and `--stats`.
#[derive(Debug)]
pub struct Log {
    start: Instant,
    stages: Vec<(&'static str, Duration)>,
    notes: Vec<String>,
    stats: Option<JitStats>,
    shares: Vec<Share>,
    keeps_notes: bool,
}

impl Log {
    /// An empty log; notes are only made if somebody wants them.
    pub fn new(keeps_notes: bool) -> Log {
        Log {
            start: Instant::now(),
            stages: Vec::new(),
            notes: Vec::new(),
            stats: None,
            shares: Vec::new(),
            keeps_notes,
        }
    }

    /// Does a stage's work and notes how long it took.
    pub(super) fn stage<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.stages.push((name, start.elapsed()));
        result
    }

    pub(super) fn note(&mut self, note: impl FnOnce() -> String) {
        if self.keeps_notes {
            self.notes.push(note());
        }
    }

    pub(super) fn keep_stats(&mut self, stats: JitStats) {
        self.stats = Some(stats);
    }

    pub(super) fn keep_shares(&mut self, shares: Vec<Share>) {
        self.shares = shares;
    }

    /// What the executable's bytes are for, if that was asked for.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the JIT did, if a program was run.
    pub fn stats(&self) -> Option<&JitStats> {
        self.stats.as_ref()
    }

    /// The stages as a table, the whole command last.
    pub fn times(&self) -> String {
        let mut out = String::new();
        for (name, duration) in &self.stages {
            row(&mut out, name, *duration);
        }
        row(&mut out, "total", self.start.elapsed());
        out
    }
}

fn row(out: &mut String, name: &str, duration: Duration) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name:10} {:10.3} ms", duration.as_secs_f64() * 1e3);
}
