//! An explanation for a terminal: what costs most, then the source with notes.

use super::{Explanation, Extent, Kind, Note, Tone};
use crate::source::SourceMap;
use std::fmt::Write;

/// Things that are slow, in the summary.
const MOST_WORST: usize = 10;

/// Colours of the terminal.
struct Paint {
    fast: &'static str,
    slow: [&'static str; 5],
    dim: &'static str,
    strong: &'static str,
    end: &'static str,
}

const PLAIN: Paint = Paint {
    fast: "",
    slow: [""; 5],
    dim: "",
    strong: "",
    end: "",
};

const COLOURED: Paint = Paint {
    fast: "\x1b[32m",
    slow: ["\x1b[2m", "\x1b[33m", "\x1b[33m", "\x1b[31m", "\x1b[1;31m"],
    dim: "\x1b[2m",
    strong: "\x1b[1m",
    end: "\x1b[0m",
};

/// Whether there are colours where the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    On,
    Off,
}

/// The explanation as text.
pub fn text(
    explanation: &Explanation,
    sources: &SourceMap,
    extent: Extent,
    colours: Colours,
) -> String {
    let paint = match colours {
        Colours::On => &COLOURED,
        Colours::Off => &PLAIN,
    };
    let mut out = String::new();
    summary(&mut out, explanation, paint);
    for (number, name) in (0..).zip(&explanation.files) {
        let Some(file) = sources.named(name) else {
            continue;
        };
        if explanation.files.len() > 1 {
            line(&mut out, &format!("\n{}{name}{}", paint.strong, paint.end));
        } else {
            out.push('\n');
        }
        for (index, source) in (1..).zip(file.text().lines()) {
            annotated(
                &mut out,
                explanation,
                (number, index),
                source,
                extent,
                paint,
            );
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn summary(out: &mut String, explanation: &Explanation, paint: &Paint) {
    let script = explanation.files.first().map_or("", |name| name);
    line(
        out,
        &format!(
            "{}{script}{}: {}",
            paint.strong,
            paint.end,
            explanation.sum()
        ),
    );
    let worst = explanation.worst();
    if worst.is_empty() {
        return line(out, "Nothing in its loops is slow that could be changed.");
    }
    line(out, "\nWhat costs most:");
    for one in worst.iter().take(MOST_WORST) {
        let note = one.note;
        let place = format!("{}:{}", explanation.files[note.file as usize], note.line);
        let colour = paint.slow[note.heat() as usize];
        line(
            out,
            &format!(
                "  {colour}{place}: {}{}: {}{}",
                note.kind.word(),
                paint.end,
                note.text,
                one.others()
            ),
        );
        details(out, note, note.hint.as_ref(), "      ", paint);
    }
    if worst.len() > MOST_WORST {
        line(
            out,
            &format!("  and {} more below", worst.len() - MOST_WORST),
        );
    }
}

/// The reason and the hint of a note.
fn details(out: &mut String, note: &Note, hint: Option<&String>, indent: &str, paint: &Paint) {
    if let Some(why) = &note.why {
        let why = format!("{indent}{}because {why}{}", paint.dim, paint.end);
        line(out, &why);
    }
    if let Some(hint) = hint {
        line(out, &format!("{indent}hint: {hint}"));
    }
}

/// A line of the source and what is to be said about it.
fn annotated(
    out: &mut String,
    explanation: &Explanation,
    (file, number): (u32, u32),
    source: &str,
    extent: Extent,
    paint: &Paint,
) {
    let heat = explanation.heat(file, number) as usize;
    let mark = ["  ", "! ", "! ", "!!", "!!"][heat];
    let colour = if heat > 0 { paint.slow[heat] } else { "" };
    let end = if heat > 0 { paint.end } else { "" };
    line(out, &format!("{number:>5} {colour}{mark}{end}| {source}"));
    let notes = explanation.of_line(file, number, extent);
    for (tone, mark, colour) in [(Tone::Fast, '+', paint.fast), (Tone::Plain, '.', paint.dim)] {
        let told = in_a_line(&notes, tone);
        if !told.is_empty() {
            line(
                out,
                &format!("        |   {colour}{mark} {told}{}", paint.end),
            );
        }
    }
    for group in super::groups(&notes) {
        let colour = paint.slow[group.note.heat() as usize];
        let word = group.note.kind.word();
        line(
            out,
            &format!("        |   {colour}- {word}{}: {}", paint.end, group.text),
        );
        details(out, group.note, group.hint, "        |       ", paint);
    }
}

/// Everything about a line that is told in this tone, in one line.
pub fn in_a_line(notes: &[&Note], tone: Tone) -> String {
    let mut told: Vec<&&Note> = notes
        .iter()
        .filter(|note| note.kind.tone() == tone)
        .collect();
    told.sort_by_key(|note| note.kind);
    let mut out = String::new();
    let mut last: Option<Kind> = None;
    for note in told {
        // Writing to a string cannot fail.
        let _ = match last {
            Some(kind) if kind == note.kind => write!(out, ", {}", note.text),
            Some(_) => write!(out, "; {}: {}", note.kind.word(), note.text),
            None => write!(out, "{}: {}", note.kind.word(), note.text),
        };
        last = Some(note.kind);
    }
    out
}

impl Explanation {
    /// The program in a sentence.
    pub(super) fn sum(&self) -> String {
        let plural = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        let mut out = format!("{} compiled", plural(self.compiled, "function"));
        if self.kept > 0 {
            let _ = write!(out, ", {} left to the interpreter", self.kept);
        }
        if self.unused > 0 {
            let _ = write!(out, ", {} never called", self.unused);
        }
        let slow = plural(self.slow_lines(), "line");
        let _ = write!(out, "; {slow} with something slow in a loop");
        out
    }
}
