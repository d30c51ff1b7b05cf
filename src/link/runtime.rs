//! Which runtime archive a program is linked with.
//!
//! The first of: the one that the user names, the one in the directory that
//! `RUFF_RUNTIME_DIR` names, the one that this compiler carries for the target
//! that it was built for, the one that `ruffc target add` has built.

use super::LinkOptions;
use super::cache;
use super::condense::Goal;
use super::content::Content;
use super::error::LinkError;
use std::borrow::Cow;
use std::env;
use std::fs::File;
use std::path::PathBuf;
use target_lexicon::Triple;

/// `libruffrt.a`, as `condense` has left it.  It is not compressed: the linker
/// then reads the few pages that it needs straight from this executable, which
/// is faster by a third of a link than any decompression that was tried.
const EMBEDDED: &[u8] = include_bytes!(env!("RUFFC_RUNTIME_ARCHIVE"));
/// The one that is small instead of fast.
const EMBEDDED_SMALL: &[u8] = include_bytes!(env!("RUFFC_SMALL_RUNTIME_ARCHIVE"));
const EMBEDDED_TARGET: &str = env!("RUFFC_RUNTIME_TARGET");

/// Where a target's runtime is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the directory that the user names for it.
    Named(PathBuf),
    /// Inside this compiler.
    Embedded,
    /// Built by `ruffc target add`.
    Cached(PathBuf),
}

/// Where the runtime for `target` is, or the files that it could have been in.
pub fn place(target: &Triple, goal: Goal) -> Result<Place, Vec<PathBuf>> {
    let name = target.to_string();
    let mut looked_in = Vec::new();
    if let Some(directory) = env::var_os("RUFF_RUNTIME_DIR") {
        let path = PathBuf::from(directory)
            .join(&name)
            .join(cache::archive(goal));
        if path.is_file() {
            return Ok(Place::Named(path));
        }
        looked_in.push(path);
    }
    if name == EMBEDDED_TARGET {
        return Ok(Place::Embedded);
    }
    if let Some(path) = cache::runtime(&name, goal) {
        if path.is_file() {
            return Ok(Place::Cached(path));
        }
        looked_in.push(path);
    }
    Err(looked_in)
}

/// The runtime that is linked.
pub fn archive(options: &LinkOptions) -> Result<Content, LinkError> {
    if let Some(path) = &options.runtime {
        return readable(path.clone());
    }
    match place(&options.target, options.goal) {
        Ok(Place::Embedded) => Ok(Content::Bytes(Cow::Borrowed(match options.goal {
            Goal::Speed => EMBEDDED,
            Goal::Size => EMBEDDED_SMALL,
        }))),
        Ok(Place::Named(path) | Place::Cached(path)) => readable(path),
        Err(looked_in) => Err(LinkError::NoRuntime {
            target: options.target.to_string(),
            goal: options.goal,
            looked_in,
        }),
    }
}

/// The file at `path`, or why it can't be read, before a linker says less.
fn readable(path: PathBuf) -> Result<Content, LinkError> {
    match File::open(&path) {
        Ok(_) => Ok(Content::File(path)),
        Err(error) => Err(LinkError::Read(path, error)),
    }
}
