//! Sections of constants that linkers merge, split into one section for each
//! constant.
//!
//! The compiler gives every function and most data a section of their own, so
//! that a linker can leave out what a program does not reach.  Constants that
//! may be merged, texts above all, share one instead: whoever reaches one of them
//! gets the texts of the whole runtime.  Optimised code holds each only once, so
//! nothing is lost by giving up the merging.
//!
//! Sections and symbols keep their places, but for the global symbols, before
//! which the new local ones have to stand.

use object::elf::{self, FileHeader64, Rela64, SectionHeader64, Sym64};
use object::pod;
use object::read::elf::{FileHeader as _, Rela as _, SectionHeader as _, Sym as _};
use object::{Endianness, SectionIndex, U16, U32, U64};
use std::borrow::Cow;
use std::collections::HashMap;

/// A constant.
struct Piece {
    /// Where it is in the section that it was in.
    start: u64,
    size: u64,
    /// Its own section and the number of that one's symbol, if something refers
    /// to it.
    own: Option<(u16, u32)>,
}

/// What becomes of an object.
struct Split {
    endian: Endianness,
    /// By the section that they were in.
    pieces: HashMap<SectionIndex, Vec<Piece>>,
    headers: Vec<SectionHeader64<Endianness>>,
    first_global: u32,
    /// The symbols of new sections, which come before the global ones.
    symbols: Vec<Sym64<Endianness>>,
}

/// `object` with its constants apart.  What is not a 64-bit ELF object, or too
/// unusual, stays as it is.
///
/// # Errors
/// If it is malformed.
pub fn split(object: &[u8]) -> object::Result<Cow<'_, [u8]>> {
    Ok(match try_split(object)? {
        Some(split) => Cow::Owned(split),
        None => Cow::Borrowed(object),
    })
}

fn try_split(object: &[u8]) -> object::Result<Option<Vec<u8>>> {
    let Ok(header) = FileHeader64::<Endianness>::parse(object) else {
        return Ok(None);
    };
    let endian = header.endian()?;
    let sections = header.sections(endian, object)?;
    let symbols = sections.symbols(endian, object, elf::SHT_SYMTAB)?;
    let is_odd = |kind| matches!(kind, elf::SHT_REL | elf::SHT_SYMTAB_SHNDX);
    if symbols.is_empty() || sections.iter().any(|one| is_odd(one.sh_type(endian))) {
        return Ok(None);
    }
    let mut split = Split {
        endian,
        pieces: HashMap::new(),
        headers: sections.iter().copied().collect(),
        first_global: sections.section(symbols.section())?.sh_info(endian),
        symbols: Vec::new(),
    };
    for (index, section) in sections.enumerate() {
        let data = section.data(endian, object)?;
        if let Some(pieces) = pieces(endian, section, data) {
            split.pieces.insert(index, pieces);
        }
    }
    if split.pieces.is_empty() || split.first_global as usize > symbols.len() {
        return Ok(None);
    }

    // A name leads to its constant; a section's symbol, with an offset, to any.
    let mut table: Vec<Sym64<Endianness>> = symbols.iter().copied().collect();
    for (index, symbol) in symbols.enumerate() {
        let section = symbols.symbol_section(endian, symbol, index)?;
        let Some(section) = section.filter(|section| split.pieces.contains_key(section)) else {
            continue;
        };
        if symbol.st_type() != elf::STT_SECTION {
            let Some((number, _, offset)) = split.place(section, symbol.st_value(endian)) else {
                return Ok(None);
            };
            table[index.0].st_shndx.set(endian, number);
            table[index.0].st_value.set(endian, offset);
        }
    }
    let mut moved: Vec<(usize, Rela64<Endianness>)> = Vec::new();
    let mut to_globals: Vec<(usize, Rela64<Endianness>)> = Vec::new();
    for section in sections.iter() {
        let Some((relocations, _)) = section.rela(endian, object)? else {
            continue;
        };
        let places = (section.sh_offset(endian) as usize..).step_by(RELOCATION);
        for (at, relocation) in places.zip(relocations) {
            let Some(index) = relocation.symbol(endian, false) else {
                continue;
            };
            if index.0 >= split.first_global as usize {
                to_globals.push((at, *relocation));
                continue;
            }
            let symbol = symbols.symbol(index)?;
            let section = symbols.symbol_section(endian, symbol, index)?;
            let section = section.filter(|section| split.pieces.contains_key(section));
            if let Some(section) = section
                && symbol.st_type() == elf::STT_SECTION
            {
                let addend = u64::try_from(relocation.r_addend(endian)).ok();
                let Some((_, symbol, offset)) =
                    addend.and_then(|addend| split.place(section, addend))
                else {
                    return Ok(None);
                };
                let mut relocation = *relocation;
                let kind = relocation.r_type(endian, false);
                relocation.set_r_info(endian, false, symbol, kind);
                relocation.r_addend.set(endian, offset as i64);
                moved.push((at, relocation));
            }
        }
    }
    if split.headers.len() >= usize::from(elf::SHN_LORESERVE) {
        return Ok(None);
    }

    let added = split.symbols.len() as u32;
    for (_, relocation) in &mut to_globals {
        let symbol = relocation.r_sym(endian, false) + added;
        let kind = relocation.r_type(endian, false);
        relocation.set_r_info(endian, false, symbol, kind);
    }
    let mut written = object.to_vec();
    for (at, relocation) in moved.iter().chain(&to_globals) {
        written[*at..at + RELOCATION].copy_from_slice(pod::bytes_of(relocation));
    }
    let globals = table.split_off(split.first_global as usize);
    table.append(&mut split.symbols);
    table.extend(globals);
    Ok(Some(split.finish(
        written,
        symbols.section(),
        &table,
        added,
    )))
}

const RELOCATION: usize = size_of::<Rela64<Endianness>>();

/// The constants of a section that linkers merge.
fn pieces(
    endian: Endianness,
    section: &SectionHeader64<Endianness>,
    data: &[u8],
) -> Option<Vec<Piece>> {
    let flags = section.sh_flags(endian);
    let has = |flag: u32| flags & u64::from(flag) != 0;
    let unit = section.sh_entsize(endian) as usize;
    let is_whole = unit > 0 && data.len().is_multiple_of(unit);
    if !has(elf::SHF_MERGE) || !has(elf::SHF_ALLOC) || data.is_empty() || !is_whole {
        return None;
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, one) in data.chunks(unit).enumerate() {
        let end = (index + 1) * unit;
        let is_last = end == data.len();
        if !has(elf::SHF_STRINGS) || is_last || one.iter().all(|byte| *byte == 0) {
            pieces.push(Piece {
                start: start as u64,
                size: (end - start) as u64,
                own: None,
            });
            start = end;
        }
    }
    Some(pieces)
}

impl Split {
    /// The section and the symbol of the constant with this byte of a section, and
    /// which of its bytes that is.
    fn place(&mut self, section: SectionIndex, offset: u64) -> Option<(u16, u32, u64)> {
        let pieces = self.pieces.get(&section)?;
        let after = pieces.partition_point(|piece| piece.start <= offset);
        let index = after.checked_sub(1)?;
        let piece = &pieces[index];
        let within = offset - piece.start;
        if within >= piece.size {
            return None;
        }
        let (number, symbol) = match piece.own {
            Some(own) => own,
            None => self.give_section(section, index),
        };
        Some((number, symbol, within))
    }

    fn give_section(&mut self, section: SectionIndex, index: usize) -> (u16, u32) {
        let endian = self.endian;
        let old = self.headers[section.0];
        let number = self.headers.len() as u16;
        let symbol = self.first_global + self.symbols.len() as u32;
        let Some(piece) = self.pieces.get_mut(&section).map(|all| &mut all[index]) else {
            return (number, symbol);
        };
        piece.own = Some((number, symbol));
        let alignment = match piece.start {
            0 => old.sh_addralign(endian),
            start => old.sh_addralign(endian).min(1 << start.trailing_zeros()),
        };
        self.headers.push(SectionHeader64 {
            sh_offset: U64::new(endian, old.sh_offset(endian) + piece.start),
            sh_size: U64::new(endian, piece.size),
            sh_addralign: U64::new(endian, alignment),
            ..unmerged(endian, old)
        });
        self.symbols.push(Sym64 {
            st_name: U32::new(endian, 0),
            st_info: elf::STT_SECTION,
            st_other: 0,
            st_shndx: U16::new(endian, number),
            st_value: U64::new(endian, 0),
            st_size: U64::new(endian, 0),
        });
        (number, symbol)
    }

    /// Puts the new tables behind the old bytes.
    fn finish(
        mut self,
        mut written: Vec<u8>,
        symbols: SectionIndex,
        table: &[Sym64<Endianness>],
        added: u32,
    ) -> Vec<u8> {
        let endian = self.endian;
        for index in self.pieces.keys() {
            let header = &mut self.headers[index.0];
            *header = unmerged(endian, *header);
            header.sh_size.set(endian, 0);
        }
        for header in &mut self.headers {
            // Groups are named by a symbol.
            let symbol = header.sh_info(endian);
            if header.sh_type(endian) == elf::SHT_GROUP && symbol >= self.first_global {
                header.sh_info.set(endian, symbol + added);
            }
        }
        written.resize(written.len().next_multiple_of(8), 0);
        let header = &mut self.headers[symbols.0];
        header.sh_offset.set(endian, written.len() as u64);
        header.sh_size.set(endian, size_of_val(table) as u64);
        header.sh_info.set(endian, self.first_global + added);
        written.extend_from_slice(pod::bytes_of_slice(table));
        let headers_at = written.len() as u64;
        written.extend_from_slice(pod::bytes_of_slice(&self.headers));
        if let Ok((header, _)) = pod::from_bytes_mut::<FileHeader64<Endianness>>(&mut written) {
            header.e_shoff.set(endian, headers_at);
            header.e_shnum.set(endian, self.headers.len() as u16);
        }
        written
    }
}

/// A section of which linkers merge nothing.
fn unmerged(
    endian: Endianness,
    mut header: SectionHeader64<Endianness>,
) -> SectionHeader64<Endianness> {
    let flags = header.sh_flags(endian) & !u64::from(elf::SHF_MERGE | elf::SHF_STRINGS);
    header.sh_flags.set(endian, flags);
    header.sh_entsize.set(endian, 0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object, Relocation, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, Object as _, ObjectSection as _, ObjectSymbol as _,
        RelocationFlags, RelocationTarget, SectionFlags, SectionKind, SymbolFlags, SymbolKind,
        SymbolScope,
    };

    /// An object with three texts and two constants of four bytes; its data refer
    /// to some of them, by name and by offset, and to a function elsewhere.
    fn with_constants(endian: object::Endianness, architecture: Architecture) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, architecture, endian);
        let kind = SectionKind::ReadOnlyString;
        let texts = object.add_section(Vec::new(), b".rodata.str1.1".to_vec(), kind);
        object.append_section_data(texts, b"one\0unused\0two\0", 1);
        let kind = SectionKind::ReadOnlyData;
        let numbers = object.add_section(Vec::new(), b".rodata.cst4".to_vec(), kind);
        object.append_section_data(numbers, b"aaaabbbb", 4);
        let sh_flags = u64::from(elf::SHF_ALLOC | elf::SHF_MERGE);
        object.section_mut(numbers).flags = SectionFlags::Elf { sh_flags };
        let data = object.add_section(Vec::new(), b".data.d".to_vec(), SectionKind::Data);
        object.append_section_data(data, &[0; 40], 8);
        let mut symbol = |name: &str, section, value, scope| {
            object.add_symbol(Symbol {
                name: name.into(),
                value,
                size: 0,
                kind: SymbolKind::Data,
                scope,
                weak: false,
                section,
                flags: SymbolFlags::None,
            })
        };
        let inside = SymbolScope::Compilation;
        let named = symbol("named", SymbolSection::Section(texts), 11, inside);
        let elsewhere = SymbolScope::Unknown;
        let other = symbol("elsewhere", SymbolSection::Undefined, 0, elsewhere);
        let texts = object.section_symbol(texts);
        let numbers = object.section_symbol(numbers);
        let targets = [
            (named, 0),
            (texts, 2),
            (texts, 11),
            (numbers, 4),
            (other, 7),
        ];
        for (index, (symbol, addend)) in targets.into_iter().enumerate() {
            let r_type = match architecture {
                Architecture::S390x => elf::R_390_64,
                _ => elf::R_X86_64_64,
            };
            let relocation = Relocation {
                offset: 8 * index as u64,
                symbol,
                addend,
                flags: RelocationFlags::Elf { r_type },
            };
            let added = object.add_relocation(data, relocation);
            added.expect("a relocation that ELF has");
        }
        let mut bytes = object.write().expect("an object");
        set_entry_size(&mut bytes, ".rodata.cst4", 4);
        bytes
    }

    fn set_entry_size(object: &mut [u8], name: &str, size: u64) {
        let file = object::File::parse(&*object).expect("an object");
        let index = file.section_by_name(name).expect("the section").index();
        let header = FileHeader64::<Endianness>::parse(&*object).expect("an object");
        let endian = header.endian().expect("its order of bytes");
        let at = header.e_shoff(endian) as usize;
        let headers = &mut object[at + index.0 * size_of::<SectionHeader64<Endianness>>()..];
        let (header, _) =
            pod::from_bytes_mut::<SectionHeader64<Endianness>>(headers).expect("its header");
        header.sh_entsize.set(endian, size);
    }

    /// What the data refer to: the bytes from there on in their section, or a name.
    fn referred_to(object: &[u8]) -> Vec<(String, i64)> {
        let file = object::File::parse(object).expect("an object");
        let data = file.section_by_name(".data.d").expect("the data");
        data.relocations()
            .map(|(_, relocation)| {
                let RelocationTarget::Symbol(index) = relocation.target() else {
                    panic!("a relocation without a symbol");
                };
                let symbol = file.symbol_by_index(index).expect("its symbol");
                let Some(section) = symbol.section_index() else {
                    return (symbol.name().expect("a name").into(), relocation.addend());
                };
                let section = file.section_by_index(section).expect("its section");
                let from = symbol.address() as usize + relocation.addend() as usize;
                let bytes = &section.data().expect("its bytes")[from..];
                (String::from_utf8_lossy(bytes).into_owned(), 0)
            })
            .collect()
    }

    #[test]
    fn each_constant_gets_a_section_of_its_own() {
        for (endian, architecture) in [
            (object::Endianness::Little, Architecture::X86_64),
            (object::Endianness::Big, Architecture::S390x),
        ] {
            let object = with_constants(endian, architecture);
            let split = split(&object).expect("well-formed");
            let expected = [
                ("two\0", 0),
                ("e\0", 0),
                ("two\0", 0),
                ("bbbb", 0),
                ("elsewhere", 7),
            ];
            let expected = expected.map(|(bytes, addend)| (bytes.to_owned(), addend));
            assert_eq!(referred_to(&split), expected);
            let file = object::File::parse(&*split).expect("an object");
            let constants = file
                .sections()
                .filter(|section| section.name().is_ok_and(|name| name.starts_with(".rodata")));
            let sizes: Vec<u64> = constants.map(|section| section.size()).collect();
            assert_eq!(sizes, [0, 0, 4, 4, 4], "the unused ones are in none");
        }
    }

    #[test]
    fn what_refers_to_no_constant_stays_as_it_is() {
        let mut object = with_constants(object::Endianness::Little, Architecture::X86_64);
        let file = object::File::parse(&*object).expect("an object");
        let relocations = file.section_by_name(".rela.data.d").expect("a section");
        let (at, _) = relocations.file_range().expect("its place");
        // The second one's addend: behind the section's end.
        let addend = at as usize + RELOCATION + 16;
        object[addend] = 0x7f;
        let split = split(&object).expect("well-formed");
        assert!(matches!(split, Cow::Borrowed(_)));
    }
}
