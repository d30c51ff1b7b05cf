//! What happened: stages with their times, and remarks.

use crate::emit::Work;
use crate::emit::jit::JitStats;
use crate::link::Share;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A record of one command, for `--time`, `--verbose` and `--stats`.
#[derive(Debug)]
pub struct Log {
    start: Instant,
    stages: Vec<Stage>,
    notes: Vec<String>,
    stats: Option<JitStats>,
    shares: Vec<Share>,
    keeps_notes: bool,
}

/// A stage's time.
#[derive(Debug)]
struct Stage {
    name: &'static str,
    time: Duration,
    /// What was done in threads.
    work: Option<Work>,
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
        self.stages.push(Stage {
            name,
            time: start.elapsed(),
            work: None,
        });
        result
    }

    /// Notes how the work of the last stage was shared out.
    pub(super) fn share_out(&mut self, work: Work) {
        if let Some(stage) = self.stages.last_mut() {
            stage.work = Some(work);
        }
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
        for stage in &self.stages {
            row(&mut out, stage.name, stage.time, stage.work);
        }
        row(&mut out, "total", self.start.elapsed(), None);
        out
    }
}

fn row(out: &mut String, name: &str, time: Duration, work: Option<Work>) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let threads = match work {
        Some(Work { threads, time }) if threads > 1 => {
            format!("  ({:.3} ms of work in {threads} threads)", ms(time))
        }
        _ => String::new(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name:10} {:10.3} ms{threads}", ms(time));
}
