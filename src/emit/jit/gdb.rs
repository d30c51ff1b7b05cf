//! gdb learns of code in memory.
//!
//! The interface is gdb's: a list of object files in memory that is found by the
//! name of a variable, and a function in which gdb stops to read what is new.
//! An object file here holds no code, only says where it is, what it is called
//! and where it comes from.

use crate::codegen::Source;
use crate::emit::debug::{self, Described};
use cranelift_codegen::isa::TargetIsa;
use gimli::RunTimeEndian;
use gimli::write::{EndianVec, Sections};
use object::write::elf::{FileHeader, SectionHeader, SectionIndex, Sym, Writer};
use object::{Endianness, elf};
use std::ptr;
use std::sync::{Mutex, PoisonError};
use target_lexicon::Architecture;

/// An object file, as gdb knows it.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    file: *const u8,
    size: u64,
}

/// Where gdb begins to read.
#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// gdb knows it by this name.
#[unsafe(export_name = "__jit_debug_descriptor")]
static mut DESCRIPTOR: Descriptor = Descriptor {
    version: 1,
    action: 0,
    relevant: ptr::null_mut(),
    first: ptr::null_mut(),
};

/// gdb stops here, and knows it by this name.
#[unsafe(export_name = "__jit_debug_register_code")]
#[inline(never)]
extern "C" fn register_code() {
    // A function that does nothing might not be called.
    std::hint::black_box(&raw mut DESCRIPTOR);
}

/// Guards the list.
static LIST: Mutex<()> = Mutex::new(());

/// An object file that gdb knows as long as this lives.
pub(super) struct Registered {
    entry: *mut Entry,
    /// What the entry points to.
    _file: Vec<u8>,
}

impl Registered {
    fn new(file: Vec<u8>) -> Registered {
        let entry = Box::into_raw(Box::new(Entry {
            next: ptr::null_mut(),
            previous: ptr::null_mut(),
            file: file.as_ptr(),
            size: file.len() as u64,
        }));
        let _list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: whoever holds the lock owns the list; its entries live until
        // they are taken out, and the new one is ours.
        unsafe {
            (*entry).next = DESCRIPTOR.first;
            if !DESCRIPTOR.first.is_null() {
                (*DESCRIPTOR.first).previous = entry;
            }
            DESCRIPTOR.first = entry;
            DESCRIPTOR.relevant = entry;
            DESCRIPTOR.action = REGISTER;
        }
        register_code();
        Registered { entry, _file: file }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let _list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: whoever holds the lock owns the list; the entry is in it, and
        // after this nobody knows it any more.
        unsafe {
            let (next, previous) = ((*self.entry).next, (*self.entry).previous);
            match previous.is_null() {
                true => DESCRIPTOR.first = next,
                false => (*previous).next = next,
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            DESCRIPTOR.relevant = self.entry;
            DESCRIPTOR.action = UNREGISTER;
            register_code();
            drop(Box::from_raw(self.entry));
        }
    }
}

/// Code with the name and the address that it has in memory.
pub(super) struct Placed<'a> {
    pub name: String,
    pub address: u64,
    pub described: Described<'a>,
}

/// Tells gdb about code in memory, if it can be told.
pub(super) fn register(source: Source, code: &[Placed]) -> Option<Registered> {
    let described: Vec<&Described> = code.iter().map(|placed| &placed.described).collect();
    let endian = if cfg!(target_endian = "big") {
        RunTimeEndian::Big
    } else {
        RunTimeEndian::Little
    };
    let mut sections = Sections::new(EndianVec::new(endian));
    debug::unit(source, &described).write(&mut sections).ok()?;
    if let Some(table) = debug::frames(source.isa, &described) {
        table.write_debug_frame(&mut sections.debug_frame).ok()?;
    }
    let mut parts: Vec<(&str, Vec<u8>)> = Vec::new();
    let collected: Result<(), gimli::write::Error> = sections.for_each_mut(|id, section| {
        if !section.slice().is_empty() {
            parts.push((id.name(), section.slice().to_vec()));
        }
        Ok(())
    });
    collected.ok()?;
    Some(Registered::new(file(source.isa, code, &parts)?))
}

fn machine(isa: &dyn TargetIsa) -> Option<u16> {
    match isa.triple().architecture {
        Architecture::X86_64 => Some(elf::EM_X86_64),
        Architecture::Aarch64(_) => Some(elf::EM_AARCH64),
        Architecture::Riscv64(_) => Some(elf::EM_RISCV),
        Architecture::S390x => Some(elf::EM_S390),
        _ => None,
    }
}

/// An object file that says where code is.
fn file(isa: &dyn TargetIsa, code: &[Placed], parts: &[(&str, Vec<u8>)]) -> Option<Vec<u8>> {
    let machine = machine(isa)?;
    let start = code.iter().map(|placed| placed.address).min()?;
    let end = |placed: &Placed| placed.address + u64::from(placed.described.size);
    let end = code.iter().map(end).max()?;
    let endian = if cfg!(target_endian = "big") {
        Endianness::Big
    } else {
        Endianness::Little
    };
    let mut bytes = Vec::new();
    let mut out = Writer::new(endian, true, &mut bytes);

    // Everything has its place before anything is written.
    out.reserve_null_section_index();
    let text_name = out.add_section_name(b".text");
    let text = out.reserve_section_index();
    let part_names: Vec<_> = parts
        .iter()
        .map(|(name, _)| {
            out.reserve_section_index();
            out.add_section_name(name.as_bytes())
        })
        .collect();
    out.reserve_symtab_section_index();
    out.reserve_strtab_section_index();
    out.reserve_shstrtab_section_index();
    out.reserve_null_symbol_index();
    let symbol_names: Vec<_> = code
        .iter()
        .map(|placed| {
            out.reserve_symbol_index(Some(text));
            out.add_string(placed.name.as_bytes())
        })
        .collect();
    out.reserve_file_header();
    let offsets: Vec<usize> = parts
        .iter()
        .map(|(_, bytes)| out.reserve(bytes.len(), 1))
        .collect();
    out.reserve_symtab();
    out.reserve_strtab();
    out.reserve_shstrtab();
    out.reserve_section_headers();

    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_DYN,
        e_machine: machine,
        e_entry: 0,
        e_flags: 0,
    };
    out.write_file_header(&header).ok()?;
    for (_, bytes) in parts {
        out.write(bytes);
    }
    out.write_null_symbol();
    for (placed, name) in code.iter().zip(symbol_names) {
        out.write_symbol(&symbol(placed, name, text));
    }
    out.write_strtab();
    out.write_shstrtab();
    out.write_null_section_header();
    out.write_section_header(&SectionHeader {
        name: Some(text_name),
        sh_type: elf::SHT_NOBITS,
        sh_flags: u64::from(elf::SHF_ALLOC | elf::SHF_EXECINSTR),
        sh_addr: start,
        sh_offset: 0,
        sh_size: end - start,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: 16,
        sh_entsize: 0,
    });
    for (((_, bytes), name), offset) in parts.iter().zip(part_names).zip(offsets) {
        out.write_section_header(&SectionHeader {
            name: Some(name),
            sh_type: elf::SHT_PROGBITS,
            sh_flags: 0,
            sh_addr: 0,
            sh_offset: offset as u64,
            sh_size: bytes.len() as u64,
            sh_link: 0,
            sh_info: 0,
            sh_addralign: 1,
            sh_entsize: 0,
        });
    }
    out.write_symtab_section_header(1);
    out.write_strtab_section_header();
    out.write_shstrtab_section_header();
    Some(bytes)
}

fn symbol(placed: &Placed, name: object::write::StringId, text: SectionIndex) -> Sym {
    Sym {
        name: Some(name),
        section: Some(text),
        st_info: (elf::STB_GLOBAL << 4) | elf::STT_FUNC,
        st_other: elf::STV_DEFAULT,
        st_shndx: 0,
        st_value: placed.address,
        st_size: placed.described.size.into(),
    }
}
