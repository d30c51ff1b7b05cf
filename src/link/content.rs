//! What a linker reads: bytes that are in memory already, or a file.

use std::borrow::Cow;
use std::path::PathBuf;

#[derive(Clone)]
pub enum Content {
    Bytes(Cow<'static, [u8]>),
    File(PathBuf),
}
