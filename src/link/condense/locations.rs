//! The places in Rust's source that panics name, all made one: where a panic has
//! no message, nobody reads them, and each is 24 bytes and a relocation, besides
//! the name of its file.

use object::elf::{self, FileHeader64, Rela64, SectionHeader64};
use object::pod;
use object::read::elf::{FileHeader as _, Rela as _, SectionHeader as _, Sym as _};
use object::{Endianness, SectionIndex, SymbolIndex};
use std::collections::{HashMap, HashSet};

const RELOCATION: usize = size_of::<Rela64<Endianness>>();

/// Lets all that refers to such a place refer to the first one, in an object whose
/// constants are apart.  Other formats than 64-bit ELF stay as they are.
///
/// # Errors
/// If the object is malformed.
pub fn share(object: &mut [u8]) -> object::Result<()> {
    for (at, relocation) in redirected(object)? {
        object[at..at + RELOCATION].copy_from_slice(pod::bytes_of(&relocation));
    }
    Ok(())
}

/// The relocations that change, and where they are.
fn redirected(object: &[u8]) -> object::Result<Vec<(usize, Rela64<Endianness>)>> {
    let Ok(header) = FileHeader64::<Endianness>::parse(object) else {
        return Ok(Vec::new());
    };
    let endian = header.endian()?;
    let sections = header.sections(endian, object)?;
    let symbols = sections.symbols(endian, object, elf::SHT_SYMTAB)?;
    // Where a relocation leads that names the beginning of something local.
    let target = |relocation: &Rela64<Endianness>| -> object::Result<Option<SectionIndex>> {
        let Some(index) = relocation.symbol(endian, false) else {
            return Ok(None);
        };
        let symbol = symbols.symbol(index)?;
        match symbol.st_bind() == elf::STB_LOCAL && symbol.st_value(endian) == 0 {
            true => symbols.symbol_section(endian, symbol, index),
            false => Ok(None),
        }
    };

    let mut first = None;
    let mut places = HashSet::new();
    for section in sections.iter() {
        let Some(([relocation], _)) = section.rela(endian, object)? else {
            continue;
        };
        let of = SectionIndex(section.sh_info(endian) as usize);
        let Some(file) = target(relocation)? else {
            continue;
        };
        let is_whole = relocation.r_offset(endian) == 0 && relocation.r_addend(endian) == 0;
        let name = sections.section(file)?.data(endian, object)?;
        let holder = sections.section(of)?;
        if is_whole && is_place(endian, holder, holder.data(endian, object)?, name) {
            first.get_or_insert(of);
            places.insert(of);
        }
    }
    let mut names = HashMap::new();
    for (index, symbol) in symbols.enumerate() {
        if symbol.st_type() == elf::STT_SECTION
            && let Some(section) = symbols.symbol_section(endian, symbol, index)?
        {
            names.insert(section, index);
        }
    }
    let Some(SymbolIndex(shared)) = first.and_then(|first| names.get(&first)) else {
        return Ok(Vec::new());
    };

    let mut changed = Vec::new();
    for section in sections.iter() {
        let Some((relocations, _)) = section.rela(endian, object)? else {
            continue;
        };
        let at = (section.sh_offset(endian) as usize..).step_by(RELOCATION);
        for (at, relocation) in at.zip(relocations) {
            if target(relocation)?.is_some_and(|section| places.contains(&section)) {
                let mut relocation = *relocation;
                let kind = relocation.r_type(endian, false);
                relocation.set_r_info(endian, false, *shared as u32, kind);
                changed.push((at, relocation));
            }
        }
    }
    Ok(changed)
}

/// Whether a section is a place and nothing else: a pointer to the name of a file
/// of Rust's, the name's length, a line and a column.
fn is_place(
    endian: Endianness,
    section: &SectionHeader64<Endianness>,
    data: &[u8],
    name: &[u8],
) -> bool {
    let name = name.strip_suffix(b"\0").unwrap_or(name);
    let flags = section.sh_flags(endian);
    let is_code = flags & u64::from(elf::SHF_EXECINSTR) != 0;
    let length = data.get(8..16).and_then(|word| word.try_into().ok());
    let length = length.map(|word| match endian {
        Endianness::Little => u64::from_le_bytes(word),
        Endianness::Big => u64::from_be_bytes(word),
    });
    !is_code && data.len() == 24 && name.ends_with(b".rs") && length == Some(name.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object, Relocation, SectionId, SymbolId};
    use object::{
        Architecture, BinaryFormat, Object as _, ObjectSection as _, RelocationFlags,
        RelocationTarget, SectionKind,
    };

    fn refer(object: &mut Object<'_>, section: SectionId, offset: u64, symbol: SymbolId) {
        let relocation = Relocation {
            offset,
            symbol,
            addend: 0,
            flags: RelocationFlags::Elf {
                r_type: elf::R_X86_64_64,
            },
        };
        let added = object.add_relocation(section, relocation);
        added.expect("a relocation that ELF has");
    }

    /// A section that points to a name of so many bytes.
    fn place(object: &mut Object<'_>, name: &[u8], length: u64) -> SymbolId {
        let kind = SectionKind::ReadOnlyData;
        let text = object.add_section(Vec::new(), b".rodata.name".to_vec(), kind);
        object.append_section_data(text, name, 1);
        let text = object.section_symbol(text);
        let kind = SectionKind::ReadOnlyDataWithRel;
        let section = object.add_section(Vec::new(), b".data.rel.ro.place".to_vec(), kind);
        let mut data = [0; 24];
        data[8..16].copy_from_slice(&length.to_le_bytes());
        object.append_section_data(section, &data, 8);
        refer(object, section, 0, text);
        object.section_symbol(section)
    }

    #[test]
    fn places_become_one_and_nothing_else_does() {
        let endian = object::Endianness::Little;
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, endian);
        let places = [
            place(&mut object, b"src/a.rs\0", 8),
            place(&mut object, b"src/other.rs\0", 12),
            // A text that is no file's, and a part of one.
            place(&mut object, b"src/a.txt\0", 9),
            place(&mut object, b"src/a.rs\0", 5),
        ];
        let code = object.add_section(Vec::new(), b".text.f".to_vec(), SectionKind::Text);
        object.append_section_data(code, &[0; 32], 8);
        for (offset, symbol) in (0..).step_by(8).zip(places) {
            refer(&mut object, code, offset, symbol);
        }
        let mut bytes = object.write().expect("an object");
        let targets = |bytes: &[u8]| -> Vec<RelocationTarget> {
            let file = object::File::parse(bytes).expect("an object");
            let code = file.section_by_name(".text.f").expect("the code");
            code.relocations().map(|(_, one)| one.target()).collect()
        };
        let before = targets(&bytes);
        share(&mut bytes).expect("well-formed");
        assert_eq!(
            targets(&bytes),
            [before[0], before[0], before[2], before[3]]
        );
    }
}
