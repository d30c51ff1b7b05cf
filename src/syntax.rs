//! From text to tree.
//!
//! The two halves are `lexer` and `parser`; both go on after an error and
//! return all they found.  Nothing is resolved here, and what needs more than
//! the grammar to be refused (a `break` outside a loop) is not refused here.

pub mod ast;
pub mod dump;
mod lexer;
mod parser;
pub mod token;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, MAX_SOURCE_BYTES, SourceMap, Span};
use token::Token;

/// How much a program may ask of an implementation (reference, section 15).
pub mod limit {
    pub const IDENTIFIER_CHARACTERS: usize = 256;
    pub const STRING_CHARACTERS: usize = 8192;
    pub const NUMBER_CHARACTERS: usize = 512;
    pub const EXPRESSION_DEPTH: usize = 256;
    pub const BLOCK_DEPTH: usize = 128;
    pub const LITERAL_ITEMS: usize = 4096;
    /// Errors shown for one file; the rest would only scroll them away.
    pub const DIAGNOSTICS: usize = 20;
}

/// Parses a file, or says everything that is wrong with it, in source order.
///
/// Lexical errors are reported alone: tokens that were guessed at would only
/// lead to parse errors that are not there.
pub fn parse(sources: &SourceMap, file: FileId) -> Result<ast::Program, Vec<Diagnostic>> {
    let (tokens, diagnostics) = tokens(sources, file);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let end = sources.file(file).text().len();
    parser::parse(tokens, Span::new(file, 0, end))
}

/// The tokens of a file, the last one `Eof`, and the lexical errors.
pub fn tokens(sources: &SourceMap, file: FileId) -> (Vec<Token>, Vec<Diagnostic>) {
    let source = sources.file(file);
    let (tokens, mut diagnostics) = lexer::tokens(source.text(), file);
    let size = source.byte_count();
    if size > MAX_SOURCE_BYTES {
        diagnostics.push(
            Diagnostic::error(Code::Syntax, Span::new(file, 0, 0)).message(format!(
                "Source size {size} bytes exceeds maximum allowed {MAX_SOURCE_BYTES} bytes"
            )),
        );
    }
    (tokens, diagnostics)
}

/// Whether a word can't be a name.
pub fn is_reserved(word: &str) -> bool {
    token::Keyword::from_text(word).is_some()
}
