//! What a library's objects show to whatever they are linked with.
//!
//! A runtime is made of many objects that refer to each other by global
//! symbols, most of them named by rustc.  In a library only the C interface is
//! to be seen: everything else becomes hidden, which keeps it out of shared
//! libraries and executables' tables, and gets a name with the prefix that all
//! of Ruff's symbols have, so that it meets nothing of a host's, not even the
//! same standard library's.
//!
//! Symbols keep their indices and sections their places; new names go behind
//! the old ones.

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};
use std::collections::HashSet;

/// What every global symbol of a library begins with.
const PREFIX: &str = "ruff_";
/// What other names get in front of them.
const HIDDEN_PREFIX: &str = "ruff_rt_";

/// Names that one of some objects defines for the others.
#[derive(Default)]
pub struct Defined(HashSet<Vec<u8>>);

impl Defined {
    /// Takes an object's names in.
    pub fn add(&mut self, object: &[u8]) -> object::read::Result<()> {
        let header = FileHeader64::<Endianness>::parse(object)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, object)?;
        let symbols = sections.symbols(endian, object, elf::SHT_SYMTAB)?;
        for symbol in symbols.iter() {
            if is_global(symbol) && !symbol.is_undefined(endian) {
                self.0
                    .insert(symbol.name(endian, symbols.strings())?.to_vec());
            }
        }
        Ok(())
    }
}

fn is_global(symbol: &elf::Sym64<Endianness>) -> bool {
    symbol.st_bind() != elf::STB_LOCAL
}

/// The object with everything hidden that is not public, and renamed that is
/// not named like Ruff's.
pub fn localise(
    object: &[u8],
    defined: &Defined,
    public: &[&str],
) -> object::read::Result<Vec<u8>> {
    let header = FileHeader64::<Endianness>::parse(object)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, object)?;
    let symbols = sections.symbols(endian, object, elf::SHT_SYMTAB)?;
    if symbols.is_empty() {
        return Ok(object.to_vec());
    }
    let table = symbols.section();
    let strings = symbols.string_section();
    let mut names = sections.section(strings)?.data(endian, object)?.to_vec();
    let mut changed = Vec::new();
    for symbol in symbols.iter() {
        let mut symbol = *symbol;
        let name = symbol.name(endian, symbols.strings())?;
        if is_global(&symbol) && defined.0.contains(name) {
            let is_public = public.iter().any(|public| public.as_bytes() == name);
            if !is_public && !symbol.is_undefined(endian) {
                symbol.st_other = symbol.st_other & !3 | elf::STV_HIDDEN;
            }
            if !name.starts_with(PREFIX.as_bytes()) {
                symbol.st_name.set(endian, names.len() as u32);
                names.extend_from_slice(HIDDEN_PREFIX.as_bytes());
                names.extend_from_slice(name);
                names.push(0);
            }
        }
        changed.push(symbol);
    }

    let table_at = sections.section(table)?.sh_offset(endian) as usize;
    let headers_at = header.e_shoff(endian) as usize;
    let mut written = object.to_vec();
    let bytes = pod::bytes_of_slice(&changed);
    written[table_at..][..bytes.len()].copy_from_slice(bytes);
    let mut row = *sections.section(strings)?;
    row.sh_offset.set(endian, written.len() as u64);
    row.sh_size.set(endian, names.len() as u64);
    let row_at = headers_at + strings.0 * size_of::<elf::SectionHeader64<Endianness>>();
    let bytes = pod::bytes_of(&row);
    written[row_at..][..bytes.len()].copy_from_slice(bytes);
    written.extend_from_slice(&names);
    Ok(written)
}
