//! A process of its own that runs programs, since an engine may take its
//! process down.
//!
//! It is this very test started again; it is asked on standard input and
//! answers on standard output, each time with a line that gives a length and
//! then so many bytes.

use crate::judge::{Verdict, judge};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Set for a process that is to be a worker.
const ROLE: &str = "RUFF_DIFFERENTIAL_WORKER";
/// Seconds of work that a program may take on all engines together.
const PATIENCE: i64 = 20;
/// Seconds after which it waits for something, even on a busy machine.
const LONGEST: u32 = 600;

/// A worker, seen by those who ask it.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it writes to standard error, until it ends.
    last_words: Option<JoinHandle<io::Result<String>>>,
}

impl Worker {
    pub fn start() -> io::Result<Worker> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().expect("it is a pipe");
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut errors = child.stderr.take().expect("it is a pipe");
        // Read as they come: who writes more than a pipe holds waits for the reader.
        let last_words = thread::spawn(move || {
            let mut words = Vec::new();
            errors.read_to_end(&mut words)?;
            Ok(String::from_utf8_lossy(&words).into_owned())
        });
        Ok(Worker {
            child,
            input,
            output,
            last_words: Some(last_words),
        })
    }

    /// What the engines make of a program, some also of an executable.  A
    /// worker that does not survive it is replaced.
    pub fn ask(&mut self, text: &str, with_executable: bool) -> io::Result<Verdict> {
        let kind = if with_executable { 'x' } else { 'r' };
        let answer = send(&mut self.input, kind, text).and_then(|()| receive(&mut self.output));
        match answer {
            Ok(Some(('a', _))) => Ok(Verdict::Alike),
            Ok(Some(('r', reason))) => Ok(Verdict::Refused(reason)),
            Ok(Some((_, report))) => Ok(Verdict::Different(report)),
            Ok(None) | Err(_) => self.replace().map(Verdict::Different),
        }
    }

    /// Starts a new worker; tells how this one ended.
    fn replace(&mut self) -> io::Result<String> {
        let status = self.child.wait()?;
        let last_words = match self.last_words.take().map(JoinHandle::join) {
            Some(Ok(words)) => words?,
            Some(Err(_)) | None => String::new(),
        };
        *self = Worker::start()?;
        Ok(format!(
            "the engines' process ended: {status}\n{last_words}"
        ))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(to: &mut impl Write, kind: char, text: &str) -> io::Result<()> {
    write!(to, "{kind} {}\n{text}", text.len())?;
    to.flush()
}

/// A message; none at the end.
fn receive(from: &mut impl BufRead) -> io::Result<Option<(char, String)>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (kind, length) = line
        .trim_end()
        .split_once(' ')
        .ok_or(io::ErrorKind::InvalidData)?;
    let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Some((kind.chars().next().unwrap_or(' '), text)))
}

/// Programs that were begun and that were finished, for who watches the time.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static FINISHED: AtomicU64 = AtomicU64::new(0);

/// Works if this process is to be a worker; true once it is done.
pub fn is_worker() -> io::Result<bool> {
    if std::env::var_os(ROLE).is_none() {
        return Ok(false);
    }
    thread::spawn(watch);
    let folder = tempfile::tempdir()?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some((kind, text)) = receive(&mut input)? {
        BEGUN.fetch_add(1, Ordering::Relaxed);
        let folder = (kind == 'x').then_some(folder.path());
        match judge(&text, folder) {
            Verdict::Alike => send(&mut output, 'a', "")?,
            Verdict::Refused(reason) => send(&mut output, 'r', &reason)?,
            Verdict::Different(report) => send(&mut output, 'd', &report)?,
        }
        FINISHED.fetch_add(1, Ordering::Relaxed);
    }
    Ok(true)
}

/// Ends the process when a program takes too long.
fn watch() {
    let mut seconds = 0;
    let mut last = 0;
    let mut start = worked();
    loop {
        thread::sleep(Duration::from_secs(1));
        let begun = BEGUN.load(Ordering::Relaxed);
        if begun != last || FINISHED.load(Ordering::Relaxed) == begun {
            (last, seconds, start) = (begun, 0, worked());
            continue;
        }
        seconds += 1;
        if worked() - start > PATIENCE || seconds > LONGEST {
            eprintln!("a program does not come to an end");
            std::process::exit(1);
        }
    }
}

/// Seconds that this process has worked.
fn worked() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: fills the structure in.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec
}
