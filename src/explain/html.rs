//! An explanation as a page: one file that needs nothing else, with lines in
//! the colours of what they cost.

use super::{Explanation, Extent, Kind, Note, Tone, text};
use crate::source::SourceMap;
use std::borrow::Cow;
use std::fmt::Write;

/// Things that are slow, in the summary.
const MOST_WORST: usize = 20;

/// The explanation as a page.
pub fn html(explanation: &Explanation, sources: &SourceMap, extent: Extent) -> String {
    let script = explanation.files.first().map_or("", |name| name);
    let script = escaped(script);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{script} explained</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n\
         <h1>{script}</h1>\n<p class=\"dim\">{}</p>\n",
        include_str!("page.css"),
        escaped(&explanation.sum())
    );
    worst(&mut out, explanation);
    out.push_str(
        "<p class=\"legend dim\">A line's colour says what it costs: \
         <span class=\"h1\">little</span><span class=\"h2\">some</span>\
         <span class=\"h3\">much</span><span class=\"h4\">most</span></p>\n",
    );
    for (number, name) in (0..).zip(&explanation.files) {
        let Some(file) = sources.named(name) else {
            continue;
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<h2>{}</h2>\n<table>", escaped(name));
        for (index, source) in (1..).zip(file.text().lines()) {
            row(&mut out, explanation, (number, index), source, extent);
        }
        out.push_str("</table>\n");
    }
    legend(&mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Text between tags or quotes.
fn escaped(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || is_refused(c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            control if is_refused(control) => out.push(char::REPLACEMENT_CHARACTER),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Characters that no page may hold.
fn is_refused(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

/// The same with what stands between backticks as code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let _ = match index % 2 {
            0 => write!(out, "{}", escaped(part)),
            _ => write!(out, "<code>{}</code>", escaped(part)),
        };
    }
    out
}

fn worst(out: &mut String, explanation: &Explanation) {
    let worst = explanation.worst();
    if worst.is_empty() {
        out.push_str("<p>Nothing in its loops is slow that could be changed.</p>\n");
        return;
    }
    out.push_str("<h2>What costs most</h2>\n<ol class=\"worst\">\n");
    for one in worst.iter().take(MOST_WORST) {
        let note = one.note;
        let place = format!("{}:{}", explanation.files[note.file as usize], note.line);
        let _ = writeln!(
            out,
            "<li class=\"h{}\"><a href=\"#{}\">{}</a> {}: {}{}",
            note.heat(),
            anchor(note.file, note.line),
            escaped(&place),
            kind(note.kind),
            prose(&note.text),
            one.others()
        );
        details(out, note, note.hint.as_ref());
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n");
    if worst.len() > MOST_WORST {
        let more = worst.len() - MOST_WORST;
        let _ = writeln!(out, "<p class=\"dim\">and {more} more below</p>");
    }
}

/// The reason and the hint of a note.
fn details(out: &mut String, note: &Note, hint: Option<&String>) {
    if let Some(why) = &note.why {
        let _ = writeln!(out, "<p class=\"dim\">because {}</p>", prose(why));
    }
    if let Some(hint) = hint {
        let _ = writeln!(out, "<p class=\"hint\">{}</p>", prose(hint));
    }
}

fn anchor(file: u32, line: u32) -> String {
    format!("f{file}l{line}")
}

/// A line of the source; what is to be said about it can be folded out, and is
/// where it is slow.
fn row(
    out: &mut String,
    explanation: &Explanation,
    (file, number): (u32, u32),
    source: &str,
    extent: Extent,
) {
    let heat = explanation.heat(file, number);
    let _ = write!(
        out,
        "<tr id=\"{}\" class=\"h{heat}\"><td class=\"n\">{number}</td><td class=\"s\">{}",
        anchor(file, number),
        escaped(source)
    );
    let notes = explanation.of_line(file, number, extent);
    if !notes.is_empty() {
        folded(out, &notes, heat);
    }
    out.push_str("</td></tr>\n");
}

fn folded(out: &mut String, notes: &[&Note], heat: u32) {
    let groups = super::groups(notes);
    let told = |note: &&&Note| groups.is_empty() || note.kind.tone() == Tone::Slow;
    let mut kinds: Vec<Kind> = notes.iter().filter(told).map(|note| note.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let words: Vec<&str> = kinds.into_iter().map(Kind::word).collect();
    let _ = write!(
        out,
        "<details{}><summary{}>{}</summary>",
        if heat > 1 { " open=\"open\"" } else { "" },
        if groups.is_empty() {
            " class=\"fast\""
        } else {
            ""
        },
        words.join(", ")
    );
    for group in groups {
        let _ = writeln!(
            out,
            "<p>{}: {}</p>",
            kind(group.note.kind),
            prose(&group.text)
        );
        details(out, group.note, group.hint);
    }
    for (tone, class) in [(Tone::Fast, "fast"), (Tone::Plain, "dim")] {
        let told = text::in_a_line(notes, tone);
        if !told.is_empty() {
            let _ = writeln!(out, "<p class=\"{class}\">{}</p>", prose(&told));
        }
    }
    out.push_str("</details>");
}

/// A kind's word, which says what it means when one points at it.
fn kind(kind: Kind) -> String {
    format!(
        "<abbr class=\"kind\" title=\"{}\">{}</abbr>",
        escaped(kind.meaning()),
        kind.word()
    )
}

/// What the words mean.
fn legend(out: &mut String) {
    out.push_str("<h2>Words</h2>\n<dl>\n");
    for one in Kind::ALL {
        let (word, meaning) = (one.word(), escaped(one.meaning()));
        let _ = writeln!(out, "<dt>{word}</dt><dd>{meaning}</dd>");
    }
    out.push_str("</dl>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escaped("a < b && c > \"d\""),
            "a &lt; b &amp;&amp; c &gt; &quot;d&quot;"
        );
        assert_eq!(escaped("plain"), "plain");
        assert_eq!(escaped("\u{1}\t"), "\u{fffd}\t");
        assert_eq!(prose("`a<b>` is it"), "<code>a&lt;b&gt;</code> is it");
    }
}
