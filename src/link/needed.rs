//! Leaving out libraries that a program names but does not use.
//!
//! libwild counts a library as needed when any input refers to it, also from
//! code that is then left out.  Loading one in vain costs a tenth of a hello
//! world's time.
//!
//! All symbols of glibc's libraries have versions, so a library that no version
//! is required of provides nothing.

use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{Dyn as _, FileHeader as _, SectionHeader as _};
use object::{Endianness, StringTable};

/// Removes from `executable` those libraries among `optional` that it has no
/// use for.
pub fn remove_unused(executable: &mut [u8], optional: &[&str]) -> object::read::Result<()> {
    let data = &*executable;
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let used = used_libraries(endian, data, &sections)?;

    let mut remaining = Vec::new();
    let mut place = None;
    for section in sections.iter() {
        let Some((entries, strings)) = section.dynamic(endian, data)? else {
            continue;
        };
        let strings = sections.strings(endian, data, strings)?;
        for entry in entries {
            if !is_unused(endian, entry, strings, optional, &used)? {
                remaining.push(*entry);
            }
        }
        place = section.file_range(endian);
    }
    let Some((start, length)) = place else {
        return Ok(());
    };
    let bytes = pod::bytes_of_slice(&remaining);
    let dynamic = &mut executable[start as usize..][..length as usize];
    // The end of the table is marked by zeros, one entry of them or more.
    dynamic.fill(0);
    dynamic[..bytes.len()].copy_from_slice(bytes);
    Ok(())
}

fn is_unused(
    endian: Endianness,
    entry: &elf::Dyn64<Endianness>,
    strings: StringTable<'_>,
    optional: &[&str],
    used: &[&[u8]],
) -> object::read::Result<bool> {
    if entry.tag(endian) != elf::DT_NEEDED {
        return Ok(false);
    }
    let name = entry.string(endian, strings)?;
    Ok(optional.iter().any(|library| library.as_bytes() == name) && !used.contains(&name))
}

/// The libraries that versions are required of.
fn used_libraries<'data>(
    endian: Endianness,
    data: &'data [u8],
    sections: &object::read::elf::SectionTable<'data, FileHeader64<Endianness>>,
) -> object::read::Result<Vec<&'data [u8]>> {
    let mut used = Vec::new();
    for section in sections.iter() {
        let Some((mut needs, strings)) = section.gnu_verneed(endian, data)? else {
            continue;
        };
        let strings = sections.strings(endian, data, strings)?;
        while let Some((need, _)) = needs.next()? {
            used.push(need.file(endian, strings)?);
        }
    }
    Ok(used)
}
