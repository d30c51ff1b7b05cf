//! What the JIT has done.

use crate::emit::compile::Job;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the JIT has done so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JitStats {
    /// Pieces of code compiled: functions and loops.
    pub compiled_count: usize,
    pub function_count: usize,
    pub loop_count: usize,
    /// The size of the machine code, glue included.
    pub code_bytes: usize,
    pub compile_time: Duration,
    /// How often code had to stay bytecode, by reason.
    pub fallbacks: BTreeMap<String, usize>,
}

impl JitStats {
    pub(super) fn note_code(&mut self, job: Job, size: usize) {
        self.code_bytes += size;
        match job {
            Job::Body(_) | Job::Typed(_) => self.function_count += 1,
            Job::Loop(..) => self.loop_count += 1,
            Job::Entry(_) | Job::Shim(_) | Job::Cold(_) | Job::Export(_) => {}
        }
        self.compiled_count = self.function_count + self.loop_count;
    }

    /// Adds what another compiler has done.
    pub(crate) fn add(&mut self, other: &JitStats) {
        self.function_count += other.function_count;
        self.loop_count += other.loop_count;
        self.compiled_count += other.compiled_count;
        self.code_bytes += other.code_bytes;
        self.compile_time += other.compile_time;
        for (reason, count) in &other.fallbacks {
            *self.fallbacks.entry(reason.clone()).or_default() += count;
        }
    }

    pub(super) fn note_fallback(&mut self, reason: String) {
        *self.fallbacks.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for JitStats {
    /// One line each, for `--stats`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "functions compiled: {}", self.function_count)?;
        writeln!(out, "loops compiled: {}", self.loop_count)?;
        writeln!(out, "machine code: {} bytes", self.code_bytes)?;
        writeln!(
            out,
            "compile time: {:.3} ms",
            self.compile_time.as_secs_f64() * 1e3
        )?;
        writeln!(out, "fallbacks: {}", self.fallbacks.values().sum::<usize>())?;
        for (reason, count) in &self.fallbacks {
            writeln!(out, "  {count} x {reason}")?;
        }
        Ok(())
    }
}
