//! Which runtime archive a program is linked with.
//!
//! The first of: the one that the user names, the one in the directory that
//! `RUFF_RUNTIME_DIR` names, the one that this compiler carries for the target
//! that it was built for.

use super::content::Content;
use super::error::LinkError;
use std::borrow::Cow;
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use target_lexicon::Triple;

/// `libruffrt.a`, as `condense` has left it.  It is not compressed: the linker
/// then reads the few pages that it needs straight from this executable, which
/// is faster by a third of a link than any decompression that was tried.
const EMBEDDED: &[u8] = include_bytes!(env!("RUFFC_RUNTIME_ARCHIVE"));
const EMBEDDED_TARGET: &str = env!("RUFFC_RUNTIME_TARGET");

/// The runtime for `target`.
pub fn archive(target: &Triple, chosen: Option<&Path>) -> Result<Content, LinkError> {
    if let Some(path) = chosen {
        return readable(path.to_owned());
    }
    let name = target.to_string();
    let mut looked_in = Vec::new();
    if let Some(directory) = env::var_os("RUFF_RUNTIME_DIR") {
        let path = PathBuf::from(directory).join(&name).join("libruffrt.a");
        if path.is_file() {
            return readable(path);
        }
        looked_in.push(path);
    }
    if name == EMBEDDED_TARGET {
        return Ok(Content::Bytes(Cow::Borrowed(EMBEDDED)));
    }
    Err(LinkError::NoRuntime {
        target: name,
        looked_in,
    })
}

/// The file at `path`, or why it can't be read, before a linker says less.
fn readable(path: PathBuf) -> Result<Content, LinkError> {
    match File::open(&path) {
        Ok(_) => Ok(Content::File(path)),
        Err(error) => Err(LinkError::Read(path, error)),
    }
}
