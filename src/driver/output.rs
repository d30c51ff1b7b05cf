//! Results on their way out.

use super::{Failure, Sink};
use std::fs;
use std::io::{self, Write};

/// Writes a whole result.
pub fn write(sink: &Sink, bytes: &[u8]) -> Result<(), Failure> {
    let (name, written) = match sink {
        Sink::StandardOutput => ("standard output".to_owned(), to_standard_output(bytes)),
        Sink::File(path) => (path.display().to_string(), fs::write(path, bytes)),
    };
    written.map_err(|error| Failure::Write { name, error })
}

fn to_standard_output(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}
