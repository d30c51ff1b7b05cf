//! Finding the shared libraries that a program is linked with.
//!
//! Only what a running system has is looked for: `libc.so.6`, not the `libc.so`
//! of a development package.  A file counts only if it is for the target's
//! machine, because 32-bit libraries share names and directories with it.

use super::LinkOptions;
use super::error::LinkError;
use super::targets::{self, LinuxTarget};
use ruff_runtime::foreign;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use target_lexicon::Triple;

/// The file of the shared library `name`.
pub fn find(
    name: &'static str,
    target: &Triple,
    linux: &LinuxTarget,
) -> Result<PathBuf, LinkError> {
    let directories = directories(target, linux);
    let is_usable = |path: &PathBuf| machine(path) == Some(linux.machine);
    if let Some(path) = directories
        .iter()
        .map(|directory| directory.join(name))
        .find(is_usable)
    {
        return Ok(path);
    }
    // Distributions with a layout of their own: where the loader looks, and
    // where it has found this very process's libraries.
    let elsewhere = if targets::is_host(target) {
        cached(name).into_iter().chain(mapped(name)).find(is_usable)
    } else {
        None
    };
    elsewhere.ok_or_else(|| LinkError::NoLibrary {
        name,
        target: target.to_string(),
        looked_in: directories,
    })
}

/// The file of a library that the program names: a file's name, or as linkers
/// have it.
pub fn foreign(
    name: &str,
    options: &LinkOptions,
    linux: &LinuxTarget,
) -> Result<PathBuf, LinkError> {
    if foreign::is_file(name) {
        let path = PathBuf::from(name);
        return match File::open(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(LinkError::Read(path, error)),
        };
    }
    let mut looked_in = options.foreign.directories.clone();
    // musl is linked in, and so is what is linked with it.
    let is_static = targets::is_musl(&options.target);
    looked_in.extend(match is_static {
        true => musl_directories(&options.target, linux),
        false => directories(&options.target, linux),
    });
    for folder in &looked_in {
        // What is for linking may be a script of GNU's; what is for running is not.
        let shared = |ending: &str| folder.join(format!("lib{name}.so{ending}"));
        let versions = (0..=9).rev().map(|version| shared(&format!(".{version}")));
        let mut files = std::iter::once(shared("")).chain(versions);
        let shared = files.find(|path| machine(path) == Some(linux.machine));
        if let Some(path) = shared.filter(|_| !is_static) {
            return Ok(path);
        }
        let archive = folder.join(format!("lib{name}.a"));
        if archive.is_file() {
            return Ok(archive);
        }
    }
    Err(LinkError::NoForeign {
        name: name.to_owned(),
        target: options.target.to_string(),
        looked_in,
    })
}

/// A file of musl's development package.
pub fn find_for_musl(
    name: &'static str,
    target: &Triple,
    linux: &LinuxTarget,
) -> Result<PathBuf, LinkError> {
    let directories = musl_directories(target, linux);
    let mut files = directories.iter().map(|directory| directory.join(name));
    let found = files.find(|path| path.is_file());
    found.ok_or_else(|| LinkError::NoLibrary {
        name,
        target: target.to_string(),
        looked_in: directories.clone(),
    })
}

/// The directories that musl's development packages are in.
fn musl_directories(target: &Triple, linux: &LinuxTarget) -> Vec<PathBuf> {
    let musl = linux.musl_name;
    let mut directories: Vec<PathBuf> = [
        format!("/usr/lib/{musl}"),
        format!("/usr/local/{musl}/lib"),
        format!("/usr/{musl}/lib"),
    ]
    .map(PathBuf::from)
    .into();
    if targets::is_host(target) {
        directories.extend(["/usr/lib", "/lib"].map(PathBuf::from));
    }
    directories
}

/// The directories that distributions keep libraries in.
fn directories(target: &Triple, linux: &LinuxTarget) -> Vec<PathBuf> {
    let name = linux.gnu_name;
    let mut found = vec![
        PathBuf::from(format!("/lib/{name}")),
        PathBuf::from(format!("/usr/lib/{name}")),
    ];
    if targets::is_host(target) {
        found.extend(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(PathBuf::from));
    } else {
        // Debian's and Fedora's cross development packages.
        found.push(PathBuf::from(format!("/usr/{name}/lib")));
        found.push(PathBuf::from(format!("/usr/{name}/sys-root/lib64")));
        found.push(PathBuf::from(format!("/usr/{name}/sys-root/usr/lib64")));
    }
    found
}

/// The machine that the ELF file at `path` is for.
fn machine(path: &Path) -> Option<u16> {
    let mut header = [0; 20];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    let is_elf64_little = header.starts_with(b"\x7fELF\x02\x01");
    is_elf64_little.then(|| u16::from_le_bytes([header[18], header[19]]))
}

/// Where the loader's cache says that `name` is.
fn cached(name: &str) -> Vec<PathBuf> {
    fs::read("/etc/ld.so.cache")
        .ok()
        .and_then(|cache| cache_entries(&cache, name))
        .unwrap_or_default()
}

/// Reads glibc's cache format: a header of 48 bytes with the number of entries
/// at 20, entries of 24 bytes with the offsets of a name and a path at 4 and 8.
fn cache_entries(cache: &[u8], name: &str) -> Option<Vec<PathBuf>> {
    // Older systems put an older table in front of this one; there is no need
    // to read what such systems don't lack.
    if !cache.starts_with(b"glibc-ld.so.cache1.1") {
        return None;
    }
    let word = |at: usize| {
        let bytes = cache.get(at..at.checked_add(4)?)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize)
    };
    let text = |at: usize| {
        let rest = cache.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    };
    let mut found = Vec::new();
    for entry in 0..word(20)? {
        let at = 48 + entry * 24;
        if text(word(at + 4)?)? == name {
            found.push(PathBuf::from(text(word(at + 8)?)?));
        }
    }
    Some(found)
}

/// Where the library `name` of this process was loaded from.
fn mapped(name: &str) -> Vec<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines()
        .filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..])))
        .filter(|path| path.file_name().is_some_and(|file| file == name))
        .collect()
}

/// The dynamic loader that programs name: the one of the ABI, or on systems
/// that have none there, the one that this process was started with.
pub fn loader(target: &Triple, linux: &LinuxTarget) -> String {
    let standard = Path::new(linux.loader);
    if targets::is_host(target)
        && !standard.exists()
        && let Some(own) = standard
            .file_name()
            .and_then(|name| mapped(name.to_str()?).into_iter().next())
    {
        return own.to_string_lossy().into_owned();
    }
    linux.loader.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_read_and_a_damaged_one_is_not() {
        let mut cache = b"glibc-ld.so.cache1.1".to_vec();
        cache.extend(2u32.to_ne_bytes());
        cache.resize(48, 0);
        let strings = 48 + 2 * 24;
        for (name, path) in [(strings, strings + 7), (strings + 14, strings + 21)] {
            cache.extend(3u32.to_ne_bytes());
            cache.extend((name as u32).to_ne_bytes());
            cache.extend((path as u32).to_ne_bytes());
            cache.resize(cache.len() + 12, 0);
        }
        cache.extend(b"liba.1\0/x/a.1\0libb.1\0/x/b.1\0");

        assert_eq!(
            cache_entries(&cache, "libb.1"),
            Some(vec![PathBuf::from("/x/b.1")])
        );
        assert_eq!(cache_entries(&cache, "libc.1"), Some(vec![]));
        for length in 0..cache.len() {
            cache_entries(&cache[..length], "libc.1");
        }
    }

    #[test]
    fn this_process_finds_its_own_libc() {
        assert!(mapped("libc.so.6").iter().all(|path| path.is_absolute()));
    }
}
