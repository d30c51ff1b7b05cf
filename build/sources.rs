//! The runtime's sources, as `ruffc` carries them to build the runtime for
//! other targets: a workspace of their own, with the locked versions.
//!
//! They become a Rust table of paths and texts, and their hash names the
//! runtimes that are built from them.

use std::collections::{BTreeMap, hash_map::DefaultHasher};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The tables of the manifest that say how the runtime is built.
const TABLES: &[&str] = &[
    "[workspace]",
    "[workspace.package]",
    "[profile.release]",
    "[profile.runtime]",
    "[profile.runtime-small]",
];

/// What else a finished runtime depends on.
const BUILDERS: &[&str] = &[
    "src/link/condense.rs",
    "src/link/condense/locations.rs",
    "src/link/condense/pieces.rs",
    "src/toolchain/build.rs",
];

/// Writes the table to `table`; gives the fingerprint.
pub fn write(root: &Path, out: &Path, table: &Path) -> Result<String> {
    let manifest = out.join("workspace.toml");
    fs::write(&manifest, own_tables(&read(&root.join("Cargo.toml"))?))?;
    let mut files = BTreeMap::from([
        ("Cargo.toml".to_owned(), manifest),
        // It names more than is needed; cargo takes that out by itself.
        ("Cargo.lock".to_owned(), root.join("Cargo.lock")),
    ]);
    // What the manifest names must be there, whether it is built or not.
    let parts = [
        "runtime/Cargo.toml",
        "runtime/src",
        "runtime/archive",
        "runtime/benches",
    ];
    for part in parts {
        collect(root, &root.join(part), &mut files)?;
    }
    let mut hasher = DefaultHasher::new();
    let mut text = String::from("&[\n");
    for (name, path) in &files {
        (name, read(path)?).hash(&mut hasher);
        writeln!(text, "    ({name:?}, include_str!({path:?})),")?;
    }
    text.push_str("]\n");
    fs::write(table, text)?;
    for builder in BUILDERS {
        read(&root.join(builder))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The manifest without what concerns the compiler.
fn own_tables(manifest: &str) -> String {
    let mut is_kept = false;
    let mut kept = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_kept = TABLES.contains(&line);
        }
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// All files at or below a path, by their names from the root.
fn collect(root: &Path, path: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(root, &entry?.path(), files)?;
        }
        return Ok(());
    }
    let name: Vec<_> = path.strip_prefix(root)?.iter().collect();
    let name = name.join("/".as_ref()).to_string_lossy().into_owned();
    files.insert(name, path.to_owned());
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
