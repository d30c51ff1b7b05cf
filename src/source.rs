//! Source files: their text, and places in it.
//!
//! A place is a [`Span`]: two byte offsets and a file.  Lines and columns are
//! computed only when a message is printed.  Nothing here knows the language
//! beyond its line ends and the size a file may have.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A larger file is refused by the parser, so its text is not even kept.
pub const MAX_SOURCE_BYTES: u64 = 1_048_576;

/// Names a file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// The bytes `start..end` of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        // The text of a file is at most `MAX_SOURCE_BYTES` long.
        Self {
            file,
            start: start as u32,
            end: end as u32,
        }
    }

    /// From the start of this span to the end of `last`.
    pub fn to(self, last: Span) -> Self {
        Self {
            end: last.end.max(self.start),
            ..self
        }
    }
}

/// A place for people: both count from one, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    pub line: u32,
    pub column: u32,
}

/// One file, as it was when it was read.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    path: Option<PathBuf>,
    /// Without a byte-order mark; empty when the file is too large.
    text: String,
    byte_count: u64,
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(name: String, path: Option<PathBuf>, mut text: String, byte_count: u64) -> Self {
        if byte_count > MAX_SOURCE_BYTES {
            text = String::new();
        } else if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let line_starts = line_starts(&text);
        Self {
            name,
            path,
            text,
            byte_count,
            line_starts,
        }
    }

    /// How messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the file was read, unless its text came from memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The size of the file itself, byte-order mark included.
    pub fn byte_count(&self) -> u64 {
        self.byte_count
    }

    /// The line that holds the byte at `offset`, counted from one.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|start| *start <= offset) as u32
    }

    /// The text of a line (counted from one) without its line end.
    pub fn line_text(&self, line: u32) -> &str {
        let start = self.line_starts[line as usize - 1] as usize;
        let end = self
            .line_starts
            .get(line as usize)
            .map_or(self.text.len(), |end| *end as usize);
        self.text[start..end].trim_end_matches(['\r', '\n'])
    }

    /// The offset at which a line (counted from one) begins.
    pub fn line_start(&self, line: u32) -> u32 {
        self.line_starts[line as usize - 1]
    }

    fn line_column(&self, offset: u32) -> LineColumn {
        let line = self.line(offset);
        let rest = &self.text[self.line_start(line) as usize..];
        let width = (offset - self.line_start(line)) as usize;
        let before = rest
            .char_indices()
            .take_while(|(at, _)| *at < width)
            .count();
        LineColumn {
            line,
            column: before as u32 + 1,
        }
    }
}

/// Lines end with LF, CRLF or a lone CR.
fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends_line = match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends_line {
            starts.push(at as u32 + 1);
        }
    }
    starts
}

/// All files of one compilation.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file.  One that is too large is accepted here and refused by
    /// the parser, which can say so with a diagnostic.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<FileId, LoadError> {
        let path = path.as_ref();
        self.load_as(path, path.display().to_string())
    }

    /// The same under another name than its path.
    pub fn load_as(&mut self, path: &Path, name: String) -> Result<FileId, LoadError> {
        let failure = |reason: String| LoadError {
            path: name.clone(),
            reason,
        };
        let (bytes, byte_count) = read(path).map_err(|error| failure(error.to_string()))?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // The part that was read may end within a character.
            Err(_) if byte_count > MAX_SOURCE_BYTES => String::new(),
            Err(_) => return Err(failure("stream did not contain valid UTF-8".into())),
        };
        Ok(self.push(SourceFile::new(
            name,
            Some(path.to_owned()),
            text,
            byte_count,
        )))
    }

    /// Adds text that is not in a file, under the name messages will show.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let byte_count = text.len() as u64;
        self.push(SourceFile::new(name.into(), None, text, byte_count))
    }

    fn push(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// Puts more text at the end of a file.
    pub fn append(&mut self, file: FileId, text: &str) {
        let file = &mut self.files[file.0 as usize];
        file.text.push_str(text);
        file.line_starts = line_starts(&file.text);
    }

    pub fn file(&self, file: FileId) -> &SourceFile {
        &self.files[file.0 as usize]
    }

    /// The file that messages call by this name.
    pub fn named(&self, name: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The character at a line and a column of the file with this name.
    pub fn span_at(&self, name: &str, line: u32, column: u32) -> Option<Span> {
        let number = self.files.iter().position(|file| file.name == name)?;
        let file = &self.files[number];
        let start = file.line_start(line) as usize;
        let rest = file.text[start..].char_indices().nth(column as usize - 1);
        let (before, letter) = rest?;
        let at = start + before;
        Some(Span::new(FileId(number as u32), at, at + letter.len_utf8()))
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// Where a span starts.
    pub fn line_column(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.start)
    }

    /// Where a span ends.
    pub fn end_line_column(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.end)
    }
}

/// The bytes of a file and its size, which differ when the file is too large:
/// no more is read than it takes to know that.
fn read(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE_BYTES + 1).read_to_end(&mut bytes)?;
    let count = bytes.len() as u64;
    let byte_count = if count > MAX_SOURCE_BYTES {
        size.max(count)
    } else {
        count
    };
    Ok((bytes, byte_count))
}

/// A file that cannot be read, or is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub path: String,
    pub reason: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Failed to read .ruff file '{}': {}",
            self.path, self.reason
        )
    }
}

impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, offset: usize) -> (u32, u32) {
        let mut sources = SourceMap::new();
        let file = sources.add("test.ruff", text);
        let at = sources.line_column(Span::new(file, offset, offset));
        (at.line, at.column)
    }

    #[test]
    fn lines_end_in_three_ways() {
        let text = "a\nb\r\nc\rd\n";
        let places: Vec<_> = [0, 1, 2, 5, 7, text.len()]
            .iter()
            .map(|offset| place(text, *offset))
            .collect();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (5, 1)]);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(place("é = ü + x", "é = ü + ".len()), (1, 9));
        assert_eq!(place("\u{feff}x", 0), (1, 1));
    }

    #[test]
    fn a_missing_file_is_an_error_value() {
        let error = SourceMap::new()
            .load("no/such/file.ruff")
            .expect_err("there is no such file");
        assert!(
            error
                .to_string()
                .starts_with("Failed to read .ruff file 'no/such/file.ruff': ")
        );
    }

    #[test]
    fn an_oversized_text_is_not_kept() {
        let mut sources = SourceMap::new();
        let file = sources.add("big.ruff", " ".repeat(MAX_SOURCE_BYTES as usize + 1));
        assert_eq!(sources.file(file).byte_count(), MAX_SOURCE_BYTES + 1);
        assert_eq!(sources.file(file).text(), "");
    }
}
