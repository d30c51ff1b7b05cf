//! Debug information as sections of an object file.

use super::unit::{self, Described};
use super::unwind;
use crate::codegen::Source;
use crate::emit::EmitError;
use gimli::write::{EndianVec, RelocateWriter, Relocation, RelocationTarget, Sections};
use gimli::{RunTimeEndian, SectionId};
use object::write::{
    Object, SectionId as ObjectSection, StandardSection, StandardSegment, SymbolId,
};
use object::{RelocationEncoding, RelocationFlags, RelocationKind, SectionKind};

/// A section that remembers what the linker has to fill in.
#[derive(Clone)]
struct Linked {
    bytes: EndianVec<RunTimeEndian>,
    relocations: Vec<Relocation>,
}

impl RelocateWriter for Linked {
    type Writer = EndianVec<RunTimeEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}

/// Adds the debug information of functions to the object that defines them.  A
/// function's address is the index of its symbol in `symbols`, where that of the
/// table of a module's numbers comes behind them.
///
/// # Errors
/// If it can't be written: this compiler's mistake.
pub fn add(
    object: &mut Object,
    source: Source,
    functions: &[Described],
    symbols: &[SymbolId],
) -> Result<(), EmitError> {
    let endian = match source.isa.endianness() {
        cranelift_codegen::ir::Endianness::Little => RunTimeEndian::Little,
        cranelift_codegen::ir::Endianness::Big => RunTimeEndian::Big,
    };
    let mut sections = Sections::new(Linked {
        bytes: EndianVec::new(endian),
        relocations: Vec::new(),
    });
    let functions: Vec<&Described> = functions.iter().collect();
    unit::unit(source, &functions)
        .write(&mut sections)
        .map_err(EmitError::Debug)?;
    if let Some(frames) = unwind::relative_frames(source.isa, &functions) {
        frames
            .write_eh_frame(&mut sections.eh_frame)
            .map_err(EmitError::Debug)?;
    }

    let mut added: Vec<(SectionId, ObjectSection)> = Vec::new();
    let mut pending: Vec<(ObjectSection, Vec<Relocation>)> = Vec::new();
    sections.for_each_mut(|id, section| -> Result<(), EmitError> {
        if section.bytes.slice().is_empty() {
            return Ok(());
        }
        let in_object = match id {
            SectionId::EhFrame => object.section_id(StandardSection::EhFrame),
            _ => {
                let kind = match id {
                    SectionId::DebugStr | SectionId::DebugLineStr => SectionKind::DebugString,
                    _ => SectionKind::Debug,
                };
                let segment = object.segment_name(StandardSegment::Debug).to_vec();
                object.add_section(segment, id.name().as_bytes().to_vec(), kind)
            }
        };
        let alignment = if id == SectionId::EhFrame { 8 } else { 1 };
        object.append_section_data(in_object, section.bytes.slice(), alignment);
        added.push((id, in_object));
        pending.push((in_object, std::mem::take(&mut section.relocations)));
        Ok(())
    })?;
    for (section, relocations) in pending {
        for relocation in relocations {
            let symbol = match relocation.target {
                RelocationTarget::Symbol(index) => symbols[index],
                RelocationTarget::Section(id) => {
                    let target = added.iter().find(|(known, _)| *known == id);
                    let (_, target) = target.expect("nothing refers to an empty section");
                    object.section_symbol(*target)
                }
            };
            let kind = match relocation.eh_pe {
                Some(_) => RelocationKind::Relative,
                None => RelocationKind::Absolute,
            };
            let relocation = object::write::Relocation {
                offset: relocation.offset as u64,
                symbol,
                addend: relocation.addend,
                flags: RelocationFlags::Generic {
                    kind,
                    encoding: RelocationEncoding::Generic,
                    size: relocation.size * 8,
                },
            };
            object
                .add_relocation(section, relocation)
                .map_err(EmitError::Write)?;
        }
    }
    Ok(())
}
