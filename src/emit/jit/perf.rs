//! perf learns of code in memory: from a file that maps addresses to names, in
//! the folder where perf looks for it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::{env, process};

/// The map of this process.
pub(super) struct PerfMap(Option<File>);

impl PerfMap {
    /// Begins the map, or goes on with it.  Without a file, nothing is noted.
    pub fn open() -> PerfMap {
        let name = format!("perf-{}.map", process::id());
        let path = env::temp_dir().join(name);
        PerfMap(OpenOptions::new().create(true).append(true).open(path).ok())
    }

    /// Notes where code is.
    pub fn note(&mut self, name: &str, address: u64, size: u64) {
        if let Some(file) = &mut self.0 {
            // One write a line, since other threads' programs may have maps too.
            // What can't be written is a name less in a report.
            let _ = file.write_all(format!("{address:x} {size:x} {name}\n").as_bytes());
        }
    }
}
