//! Files that a program takes in when it is made: what calls of `embed_file` and
//! `embed_dir` stand for.
//!
//! Paths are relative to the folder of the file that names them.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Embed, Program};
use rustc_hash::FxHashMap;
use std::fs;
use std::io;
use std::path::Path;

/// What a call stands for.
pub enum Asset {
    File(Box<str>),
    /// The files below a folder: paths in it, with slashes, and contents, sorted.
    Folder(Vec<(Box<str>, Box<str>)>),
}

/// Assets by where the calls begin.
pub type Assets = FxHashMap<u32, Asset>;

/// Reads what a file's calls stand for.
///
/// # Errors
/// Each file that can't be read.
pub(super) fn load(tree: &Program, file: Option<&Path>) -> Result<Assets, Vec<Diagnostic>> {
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let mut assets = Assets::default();
    let mut diagnostics = Vec::new();
    for embed in &tree.embeds {
        match read(embed, &folder.join(&*embed.path)) {
            Ok(asset) => {
                assets.insert(embed.offset, asset);
            }
            Err(error) => {
                let message = format!("Failed to embed '{}': {error}", embed.path);
                let diagnostic = Diagnostic::error(Code::UnreadableFile, Some(embed.path_span));
                diagnostics.push(diagnostic.message(message));
            }
        }
    }
    match diagnostics.is_empty() {
        true => Ok(assets),
        false => Err(diagnostics),
    }
}

fn read(embed: &Embed, path: &Path) -> io::Result<Asset> {
    if !embed.is_folder {
        return Ok(Asset::File(fs::read_to_string(path)?.into()));
    }
    let mut files = Vec::new();
    // Folders in folders wait in a list, since they may be nested deeply.
    let mut waiting = vec![(path.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "a file's name is not text")
            })?;
            let name = format!("{prefix}{name}");
            // A link is not followed: it might lead in a circle.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push((entry.path(), name + "/"));
            } else if kind.is_file() {
                let text = fs::read_to_string(entry.path())
                    .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
                files.push((name.into(), text.into()));
            }
        }
    }
    files.sort();
    Ok(Asset::Folder(files))
}
