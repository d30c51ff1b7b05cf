//! A runtime archive made small, right after cargo has built it.
//!
//! rustc's staticlib holds hundreds of members and the standard library's
//! debug information and bitcode; a program needs a few of the members and none
//! of the rest.  What is kept: the members reachable from `ruff_*` symbols,
//! without debug sections, and without the code that symbolises the backtrace
//! of a Rust panic.  That last part is two thirds of a small executable, it can
//! name nothing in a stripped one, and a panic's message does not need it.
//! Constants are taken apart (`pieces.rs`), so that a program gets those only
//! that it refers to.
//!
//! This file is compiled twice: into `build.rs`, for the host's archive, and
//! into `ruffc`, for the archives that it builds for other targets.  So it
//! knows nothing of either.
//!
//! Sections keep their indices: a dropped section stays as an empty one, so no
//! symbol, group or relocation has to be rewritten.

#[path = "condense/locations.rs"]
mod locations;
#[path = "condense/pieces.rs"]
mod pieces;

use ar_archive_writer::{
    ArchiveKind, DEFAULT_OBJECT_READER, NewArchiveMember, write_archive_to_stream,
};
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _, SymbolTable};
use object::{Endianness, Object as _, ObjectSymbol as _};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;

/// What programs are made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    #[default]
    Speed,
    /// As few bytes as possible: where the runtime is at fault, it stops without a
    /// message, and no debugger finds the way through its frames.
    Size,
}

impl Goal {
    /// cargo's profile for the runtime.
    pub fn profile(self) -> &'static str {
        match self {
            Goal::Speed => "runtime",
            Goal::Size => "runtime-small",
        }
    }

    /// What else cargo is told.
    pub fn features(self) -> &'static [&'static str] {
        match self {
            Goal::Speed => &[],
            Goal::Size => &["--features", "small"],
        }
    }
}

/// Why an archive could not be condensed.
#[derive(Debug)]
pub enum CondenseError {
    /// The archive or one of its members is not what it claims to be.
    Malformed(object::Error),
    /// No member defines a `ruff_*` symbol.
    NoRuntime,
    /// The condensed archive could not be written.
    Write(io::Error),
}

impl std::fmt::Display for CondenseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "malformed archive: {error}"),
            Self::NoRuntime => write!(f, "no member of the archive defines a `ruff_` symbol"),
            Self::Write(error) => write!(f, "cannot write the archive: {error}"),
        }
    }
}

impl std::error::Error for CondenseError {}

impl From<object::Error> for CondenseError {
    fn from(error: object::Error) -> Self {
        Self::Malformed(error)
    }
}

/// The part of `archive` that programs can need, as a deterministic archive
/// with a symbol index.  Archives of other formats than ELF stay as they are:
/// those for Windows hold import libraries, which depend on members' names.
pub fn condense(archive: &[u8], goal: Goal) -> Result<Vec<u8>, CondenseError> {
    let needed = needed_members(archive)?;
    if FileHeader64::<Endianness>::parse(needed[0]).is_err() {
        return Ok(archive.to_vec());
    }
    let mut kept = Vec::new();
    for member in needed {
        let mut member = pieces::split(member)?;
        if goal == Goal::Size {
            locations::share(member.to_mut())?;
        }
        kept.push(slim(&member, goal)?.into_owned());
    }
    // rustc's member names hold hashes; plain ones keep builds comparable.
    let members: Vec<NewArchiveMember> = (0..kept.len())
        .map(|i| NewArchiveMember::new(&kept[i], &DEFAULT_OBJECT_READER, format!("ruffrt{i}.o")))
        .collect();
    let mut written = io::Cursor::new(Vec::new());
    write_archive_to_stream(&mut written, &members, ArchiveKind::Gnu, false, None)
        .map_err(CondenseError::Write)?;
    Ok(written.into_inner())
}

/// The members that define a `ruff_*` symbol and all that they refer to.
fn needed_members(archive: &[u8]) -> Result<Vec<&[u8]>, CondenseError> {
    let parsed = ArchiveFile::parse(archive)?;
    let mut members = Vec::new();
    let mut references = Vec::new();
    let mut definer = HashMap::new();
    let mut pending = Vec::new();
    for member in parsed.members() {
        let data = member?.data(archive)?;
        // rustc adds a member of its own metadata, which is no object.
        let Ok(object) = object::File::parse(data) else {
            continue;
        };
        let mut wanted = Vec::new();
        for symbol in object.symbols().filter(|symbol| symbol.is_global()) {
            let name = symbol.name_bytes()?;
            if symbol.is_undefined() {
                wanted.push(name);
                continue;
            }
            definer.entry(name).or_insert(members.len());
            let plain = name.strip_prefix(b"_").unwrap_or(name);
            if plain.starts_with(b"ruff_") && pending.last() != Some(&members.len()) {
                pending.push(members.len());
            }
        }
        members.push(data);
        references.push(wanted);
    }
    if pending.is_empty() {
        return Err(CondenseError::NoRuntime);
    }
    // In a set by index, so that the order is the archive's.
    let mut needed = BTreeSet::new();
    while let Some(member) = pending.pop() {
        if needed.insert(member) {
            let next = references[member]
                .iter()
                .filter_map(|name| definer.get(name));
            pending.extend(next.copied());
        }
    }
    Ok(needed.into_iter().map(|member| members[member]).collect())
}

/// `object` without debug sections, bitcode and panic backtraces; for the sake of
/// size, without panics' messages and tables for unwinding as well.  Other formats
/// than 64-bit ELF are left alone.
fn slim(object: &[u8], goal: Goal) -> Result<Cow<'_, [u8]>, CondenseError> {
    let Ok(header) = FileHeader64::<Endianness>::parse(object) else {
        return Ok(Cow::Borrowed(object));
    };
    let endian = header.endian()?;
    let sections = header.sections(endian, object)?;
    let symbols = sections.symbols(endian, object, elf::SHT_SYMTAB)?;
    let stubs = stubs(endian, header.e_machine(endian), &symbols, goal)?;

    // A relocation section goes with the section that it applies to.
    let mut dropped = HashSet::new();
    for (index, section) in sections.enumerate() {
        let name = sections.section_name(endian, section)?;
        let is_loaded = section.sh_flags(endian) & u64::from(elf::SHF_ALLOC) != 0;
        let is_for_tools = name.starts_with(b".debug_") || name.starts_with(b".llvm");
        let is_for_unwinding = name == b".eh_frame" || name.starts_with(b".gcc_except_table");
        if !is_loaded && is_for_tools || goal == Goal::Size && is_for_unwinding {
            dropped.insert(index);
        }
    }
    for (index, section) in sections.enumerate() {
        let applies_to = object::SectionIndex(section.sh_info(endian) as usize);
        if section.sh_type(endian) == elf::SHT_RELA
            && (dropped.contains(&applies_to) || stubs.contains_key(&applies_to))
        {
            dropped.insert(index);
        }
    }

    let mut written = pod::bytes_of(header).to_vec();
    let mut headers = Vec::new();
    for (index, section) in sections.enumerate() {
        let mut rewritten = *section;
        if matches!(section.sh_type(endian), elf::SHT_NULL | elf::SHT_NOBITS) {
            // Nothing in the file; the null section's fields have other uses.
        } else if dropped.contains(&index) {
            // Nameless, or linkers' plugins would look for bitcode in it, and
            // flagless, as an empty section can't be a compressed one.
            rewritten.sh_name.set(endian, 0);
            rewritten.sh_flags.set(endian, 0);
            rewritten.sh_size.set(endian, 0);
            rewritten.sh_offset.set(endian, written.len() as u64);
        } else {
            let data = section.data(endian, object)?;
            let alignment = section.sh_addralign(endian).max(1) as usize;
            written.resize(written.len().next_multiple_of(alignment), 0);
            rewritten.sh_offset.set(endian, written.len() as u64);
            match stubs.get(&index) {
                Some(stub) => {
                    written.extend_from_slice(stub);
                    // Zeros trap, and keep the length that `.eh_frame` states.
                    written.resize(written.len() + data.len() - stub.len(), 0);
                }
                None => written.extend_from_slice(data),
            }
        }
        headers.push(rewritten);
    }
    written.resize(written.len().next_multiple_of(8), 0);
    let headers_at = written.len() as u64;
    written.extend_from_slice(pod::bytes_of_slice(&headers));
    let (header, _) = pod::from_bytes_mut::<FileHeader64<Endianness>>(&mut written)
        .map_err(|()| CondenseError::NoRuntime)?;
    header.e_shoff.set(endian, headers_at);
    Ok(Cow::Owned(written))
}

/// What the standard library does at a panic, and if an allocator has nothing to
/// give, which the runtime's never admits.
const FATAL: &[&[u8]] = &[b"rust_begin_unwind", b"default_alloc_error_hook"];

/// The sections of functions that have other code in their place: what prints a
/// panic's backtrace says that it has, and, for the sake of size, what deals with a
/// panic stops at once.
fn stubs(
    endian: Endianness,
    machine: u16,
    symbols: &SymbolTable<'_, FileHeader64<Endianness>>,
    goal: Goal,
) -> Result<HashMap<object::SectionIndex, &'static [u8]>, CondenseError> {
    let (done, stop): (&[u8], &[u8]) = match machine {
        elf::EM_X86_64 => (&[0x31, 0xc0, 0xc3], &[0x0f, 0x0b]),
        elf::EM_AARCH64 => (
            &[0x00, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6],
            &[0x00, 0x00, 0x20, 0xd4],
        ),
        elf::EM_RISCV => (
            &[0x13, 0x05, 0x00, 0x00, 0x67, 0x80, 0x00, 0x00],
            &[0x73, 0x00, 0x10, 0x00],
        ),
        elf::EM_S390 => (&[0xa7, 0x29, 0x00, 0x00, 0x07, 0xfe], &[0x00, 0x00]),
        _ => return Ok(HashMap::new()),
    };
    let mut found = HashMap::new();
    for (index, symbol) in symbols.enumerate() {
        let name = symbol.name(endian, symbols.strings())?;
        let stub = if contains(name, b"DisplayBacktrace") && contains(name, b"3fmt") {
            done
        } else if goal == Goal::Size && FATAL.iter().any(|fatal| contains(name, fatal)) {
            stop
        } else {
            continue;
        };
        if symbol.st_type() != elf::STT_FUNC || symbol.st_value(endian) != 0 {
            continue;
        }
        // Anything but a section of its own could hold other code as well.
        let large_enough = symbol.st_size(endian) >= stub.len() as u64;
        if let Some(section) = symbols.symbol_section(endian, symbol, index)?
            && large_enough
        {
            found.insert(section, stub);
        }
    }
    Ok(found)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object, Relocation, StandardSegment, Symbol, SymbolId, SymbolSection};
    use object::{
        Architecture, BinaryFormat, ObjectSection as _, RelocationFlags, SectionKind, SymbolFlags,
        SymbolKind, SymbolScope,
    };

    fn symbol(name: &str, section: SymbolSection, size: u64) -> Symbol {
        Symbol {
            name: name.into(),
            value: 0,
            size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Dynamic,
            weak: false,
            section,
            flags: SymbolFlags::None,
        }
    }

    /// An object that defines `name` as ten bytes of code that calls `callee`,
    /// with debug information.
    fn member(name: &str, callee: &str) -> Vec<u8> {
        let endian = object::Endianness::Little;
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, endian);
        let section = object.add_section(Vec::new(), b".text.f".to_vec(), SectionKind::Text);
        object.append_section_data(section, &[0x90; 10], 16);
        object.add_symbol(symbol(name, SymbolSection::Section(section), 10));
        let callee = object.add_symbol(symbol(callee, SymbolSection::Undefined, 0));
        let segment = object.segment_name(StandardSegment::Debug).to_vec();
        let debug = object.add_section(segment, b".debug_info".to_vec(), SectionKind::Debug);
        object.append_section_data(debug, &[7; 1000], 1);
        for section in [section, debug] {
            relocate(&mut object, section, callee);
        }
        object.write().expect("an object")
    }

    fn relocate(object: &mut Object<'_>, section: object::write::SectionId, symbol: SymbolId) {
        let relocation = Relocation {
            offset: 2,
            symbol,
            addend: -4,
            flags: RelocationFlags::Elf {
                r_type: elf::R_X86_64_PC32,
            },
        };
        object
            .add_relocation(section, relocation)
            .expect("a relocation that ELF has");
    }

    fn archive(objects: &[Vec<u8>]) -> Vec<u8> {
        let members: Vec<_> = objects
            .iter()
            .map(|object| NewArchiveMember::new(object, &DEFAULT_OBJECT_READER, "m.o".to_owned()))
            .collect();
        let mut written = io::Cursor::new(Vec::new());
        write_archive_to_stream(&mut written, &members, ArchiveKind::Gnu, false, None)
            .expect("an archive");
        written.into_inner()
    }

    /// Each member's defined function, code and number of code relocations.
    fn functions(archive: &[u8]) -> Vec<(String, Vec<u8>, usize)> {
        let parsed = ArchiveFile::parse(archive).expect("an archive");
        let mut found = Vec::new();
        for member in parsed.members() {
            let data = member.and_then(|member| member.data(archive));
            let object = object::File::parse(data.expect("a member")).expect("an object");
            assert!(object.section_by_name(".debug_info").is_none());
            let others = object.sections().filter(|section| section.name() == Ok(""));
            assert_eq!(others.map(|section| section.size()).sum::<u64>(), 0);
            let code = object.section_by_name(".text.f").expect("the code");
            let symbol = object.symbols().find(|symbol| symbol.is_definition());
            found.push((
                symbol
                    .and_then(|symbol| symbol.name().ok())
                    .unwrap_or_default()
                    .to_owned(),
                code.data().expect("the code").to_vec(),
                code.relocations().count(),
            ));
        }
        found
    }

    #[test]
    fn keeps_what_is_needed_without_debug_information() {
        let objects = [
            member("unrelated", "f"),
            member("f", "memcpy"),
            member("ruff_add", "f"),
        ];
        let condensed = condense(&archive(&objects), Goal::Speed).expect("a condensed archive");
        let code = vec![0x90; 10];
        let expected = [
            ("f".to_owned(), code.clone(), 1),
            ("ruff_add".to_owned(), code, 1),
        ];
        assert_eq!(functions(&condensed), expected);
        assert_eq!(
            condense(&archive(&objects), Goal::Speed).ok(),
            Some(condensed)
        );
    }

    #[test]
    fn cuts_out_the_printing_of_backtraces() {
        let printer = "_RNvXNv3std16DisplayBacktraceNt4core3fmt7Display3fmt";
        let objects = [member("ruff_add", printer), member(printer, "symbolise")];
        let condensed = condense(&archive(&objects), Goal::Speed).expect("a condensed archive");
        let stub = vec![0x31, 0xc0, 0xc3, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(functions(&condensed)[1], (printer.to_owned(), stub, 0));
    }

    #[test]
    fn small_programs_stop_at_a_panic() {
        let panics = "_RNvCsc7_7___rustc17rust_begin_unwind";
        let objects = [member("ruff_add", panics), member(panics, "print")];
        let small = condense(&archive(&objects), Goal::Size).expect("a condensed archive");
        let stub = vec![0x0f, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(functions(&small)[1], (panics.to_owned(), stub, 0));
        let usual = condense(&archive(&objects), Goal::Speed).expect("a condensed archive");
        assert_eq!(functions(&usual)[1].1, [0x90; 10]);
    }

    #[test]
    fn damaged_archives_are_errors() {
        assert!(matches!(
            condense(b"!<arch>\n", Goal::Speed),
            Err(CondenseError::NoRuntime)
        ));
        assert!(matches!(
            condense(b"", Goal::Speed),
            Err(CondenseError::Malformed(_))
        ));
        let whole = archive(&[member("ruff_add", "f")]);
        for length in (0..whole.len()).step_by(7) {
            // Whatever it says, it must not panic.
            let _ = condense(&whole[..length], Goal::Size);
        }
    }
}
