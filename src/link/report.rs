//! What the bytes of an executable are for, told from its sections and symbols.
//!
//! It knows whose code something is by its symbol alone: functions of the program
//! are called `ruff.…`, and the names of Rust's functions say which crate and
//! which module they are from.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, elf};
use std::collections::BTreeMap;

/// What some bytes are for: a part of the executable, and what in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    pub part: Part,
    pub name: String,
    pub bytes: u64,
}

/// How the symbols of a file are called here.
const SYMBOLS: &str = "symbols";
const DEBUG_INFORMATION: &str = "debug information";

impl Share {
    /// Whether only debuggers and the like read it.
    pub(super) fn is_for_tools(&self) -> bool {
        self.part == Part::Tables && [SYMBOLS, DEBUG_INFORMATION].contains(&&*self.name)
    }
}

/// A part of an executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The program: its functions and its data.
    Program,
    /// Ruff's runtime, by room.
    Runtime,
    /// Rust's libraries and what the runtime is built on, by crate.
    Libraries,
    /// What the loader, debuggers and the unwinder read, by section.
    Tables,
}

impl Part {
    /// All parts, in order.
    pub const ALL: [Part; 4] = [Part::Program, Part::Runtime, Part::Libraries, Part::Tables];

    pub fn name(self) -> &'static str {
        match self {
            Part::Program => "program",
            Part::Runtime => "runtime",
            Part::Libraries => "libraries",
            Part::Tables => "tables",
        }
    }
}

/// The shares of an executable that has its symbols, the largest of a part
/// first; together they are as large as its file.
///
/// # Errors
/// If it is malformed.
pub fn shares(executable: &[u8]) -> object::Result<Vec<Share>> {
    let file = object::File::parse(executable)?;
    let mut known: BTreeMap<(Part, String), u64> = BTreeMap::new();
    let mut total = 0;
    for section in file.sections() {
        let size = section.file_range().map_or(0, |(_, size)| size);
        let name = section.name().unwrap_or_default();
        let mut named = 0;
        if is_loaded(section.flags()) {
            for (owner, bytes) in owners(&file, &section) {
                named += bytes;
                *known.entry(owner).or_default() += bytes;
            }
        }
        let rest = size.saturating_sub(named);
        *known.entry(unnamed(name)).or_default() += rest;
        total += size.max(named);
    }
    let headers = (executable.len() as u64).saturating_sub(total);
    let gaps = (Part::Tables, "headers and gaps".to_owned());
    *known.entry(gaps).or_default() += headers;
    let shares = known
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|((part, name), bytes)| Share { part, name, bytes });
    let mut shares: Vec<Share> = shares.collect();
    shares.sort_by_key(|share| (share.part, u64::MAX - share.bytes));
    Ok(shares)
}

fn is_loaded(flags: SectionFlags) -> bool {
    match flags {
        SectionFlags::Elf { sh_flags } => sh_flags & u64::from(elf::SHF_ALLOC) != 0,
        _ => true,
    }
}

/// Who owns the bytes of a section that have a symbol.
fn owners(file: &object::File, section: &object::Section) -> Vec<((Part, String), u64)> {
    if section.file_range().is_none_or(|(_, size)| size == 0) {
        return Vec::new();
    }
    let mut symbols: Vec<(u64, u64, &str)> = file
        .symbols()
        .filter(|symbol| symbol.section_index() == Some(section.index()) && symbol.size() > 0)
        .filter_map(|symbol| Some((symbol.address(), symbol.size(), symbol.name().ok()?)))
        .collect();
    symbols.sort_unstable();
    let mut owners = Vec::new();
    let mut end = 0;
    for (address, size, name) in symbols {
        // Several symbols may name the same bytes.
        let start = address.max(end);
        end = end.max(address + size);
        if end > start {
            owners.push((owner(name), end - start));
        }
    }
    owners
}

/// Whose the bytes of a symbol are.
fn owner(symbol: &str) -> (Part, String) {
    if let Some(name) = symbol.strip_prefix("ruff.") {
        let (name, glue) = name.split_once('$').unwrap_or((name, ""));
        let is_data = ["image", "entries", "builtins", "header"].contains(&name);
        return (
            Part::Program,
            match (is_data, glue) {
                (true, _) => format!("data: {name}"),
                (false, _) => format!("function {name}"),
            },
        );
    }
    if symbol.ends_with("$cold") {
        return (Part::Program, "ways to helpers".to_owned());
    }
    if symbol == "main" || symbol == "_start" {
        return (Part::Program, "start".to_owned());
    }
    if symbol.starts_with("ruff_builtin_") {
        return (Part::Runtime, "builtins".to_owned());
    }
    if symbol.starts_with("ruff_") {
        return (Part::Runtime, "abi".to_owned());
    }
    let demangled = format!("{:#}", rustc_demangle::demangle(symbol));
    match path_in(&demangled) {
        Some(("ruff_runtime", room)) => (Part::Runtime, room.to_owned()),
        Some((name, _)) => (Part::Libraries, name.to_owned()),
        None => (Part::Libraries, "other".to_owned()),
    }
}

/// The crate and the module that a demangled name begins with; of an
/// implementation, those of the type, or else of the trait, that is the runtime's.
fn path_in(name: &str) -> Option<(&str, &str)> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    if let Some(at) = name.find("ruff_runtime::") {
        let rest = &name[at + "ruff_runtime::".len()..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        return Some(("ruff_runtime", &rest[..end]));
    }
    let (before, _) = name.split_once("::")?;
    let start = before.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
    let known = &before[start..];
    (!known.is_empty()).then_some((known, ""))
}

/// What a section's bytes without a symbol are.
fn unnamed(section: &str) -> (Part, String) {
    match section {
        ".text" => (Part::Libraries, "code without a name".to_owned()),
        ".rodata" | ".data" | ".data.rel.ro" => {
            (Part::Runtime, format!("constants and texts ({section})"))
        }
        name if name.starts_with(".debug") => (Part::Tables, DEBUG_INFORMATION.to_owned()),
        ".symtab" | ".strtab" => (Part::Tables, SYMBOLS.to_owned()),
        name => (Part::Tables, name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_say_whose_they_are() {
        for (symbol, part, name) in [
            ("ruff.fib", Part::Program, "function fib"),
            ("ruff.fib$entry", Part::Program, "function fib"),
            ("ruff.image", Part::Program, "data: image"),
            ("ruff_rt_add$cold", Part::Program, "ways to helpers"),
            ("ruff_rt_add", Part::Runtime, "abi"),
            (
                "_ZN12ruff_runtime4heap5array5Array4push17h0123456789abcdefE",
                Part::Runtime,
                "heap",
            ),
            (
                "_ZN70_$LT$ruff_runtime..heap..string..Str$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
                Part::Runtime,
                "heap",
            ),
            (
                "_ZN4core3fmt5write17h0123456789abcdefE",
                Part::Libraries,
                "core",
            ),
            ("memcpy", Part::Libraries, "other"),
        ] {
            assert_eq!(owner(symbol), (part, name.to_owned()), "{symbol}");
        }
    }
}
