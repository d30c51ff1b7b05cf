//! An explanation for tools: one object, with every note.

use super::{Explanation, Note, Tone};
use crate::diagnostic::json_string;
use std::fmt::Write;

/// The explanation as JSON, on one line.
pub fn json(explanation: &Explanation) -> String {
    let mut out = String::from("{\"files\":[");
    for (position, name) in explanation.files.iter().enumerate() {
        separate(&mut out, position);
        json_string(&mut out, name);
    }
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "],\"compiled\":{},\"kept\":{},\"unused\":{},\"notes\":[",
        explanation.compiled, explanation.kept, explanation.unused
    );
    for (position, note) in explanation.notes.iter().enumerate() {
        separate(&mut out, position);
        object(&mut out, explanation, note);
    }
    out.push_str("]}\n");
    out
}

fn separate(out: &mut String, position: usize) {
    if position > 0 {
        out.push(',');
    }
}

fn object(out: &mut String, explanation: &Explanation, note: &Note) {
    out.push_str("{\"file\":");
    json_string(out, &explanation.files[note.file as usize]);
    let _ = write!(
        out,
        ",\"line\":{},\"column\":{},\"function\":",
        note.line, note.column
    );
    json_string(out, &note.function);
    let _ = write!(
        out,
        ",\"kind\":\"{}\",\"slow\":{},\"heat\":{},\"loops\":{},\"text\":",
        note.kind.word(),
        note.kind.tone() == Tone::Slow,
        note.heat(),
        note.loops
    );
    json_string(out, &note.text);
    for (name, text) in [("why", &note.why), ("hint", &note.hint)] {
        if let Some(text) = text {
            let _ = write!(out, ",\"{name}\":");
            json_string(out, text);
        }
    }
    out.push('}');
}
