//! The object that a program starts in: `_start`, made here, so that linking
//! needs no `crt1.o` and so no C development package.
//!
//! Another one defines the unwinder's entry points that a Rust runtime refers
//! to.  Ruff's runtime aborts on panic and never unwinds, so they have nothing
//! to do; with them here, programs need not load libgcc_s.

use super::targets::LinuxTarget;
use object::elf;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use target_lexicon::Architecture;

/// Machine code for one architecture.
struct Machine {
    architecture: object::Architecture,
    endianness: Endianness,
    /// Calls `__libc_start_main(main, argc, argv, 0, 0, rtld_fini, stack_end)`.
    start: &'static [u8],
    relocations: &'static [(u64, Target, u32, i64)],
    /// Returns 0.
    zero: &'static [u8],
    trap: &'static [u8],
}

/// What a relocation of `_start` refers to.
#[derive(Clone, Copy)]
enum Target {
    Main,
    LibcStartMain,
    /// The instruction at this offset, which holds the upper part of a pair.
    Upper(u64),
}

const X86_64: Machine = Machine {
    architecture: object::Architecture::X86_64,
    endianness: Endianness::Little,
    start: &[
        0x31, 0xed, // xor ebp, ebp
        0x49, 0x89, 0xd1, // mov r9, rdx
        0x5e, // pop rsi
        0x48, 0x89, 0xe2, // mov rdx, rsp
        0x48, 0x83, 0xe4, 0xf0, // and rsp, -16
        0x50, // push rax
        0x54, // push rsp
        0x45, 0x31, 0xc0, // xor r8d, r8d
        0x31, 0xc9, // xor ecx, ecx
        0x48, 0x8d, 0x3d, 0, 0, 0, 0, // lea rdi, [rip + main]
        0xff, 0x15, 0, 0, 0, 0, // call [rip + __libc_start_main@got]
        0x0f, 0x0b, // ud2
    ],
    relocations: &[
        (23, Target::Main, elf::R_X86_64_PC32, -4),
        (29, Target::LibcStartMain, elf::R_X86_64_GOTPCRELX, -4),
    ],
    zero: &[0x31, 0xc0, 0xc3],
    trap: &[0x0f, 0x0b],
};

const AARCH64: Machine = Machine {
    architecture: object::Architecture::Aarch64,
    endianness: Endianness::Little,
    start: &[
        0x1d, 0x00, 0x80, 0xd2, // mov x29, #0
        0x1e, 0x00, 0x80, 0xd2, // mov x30, #0
        0xe5, 0x03, 0x00, 0xaa, // mov x5, x0
        0xe1, 0x03, 0x40, 0xf9, // ldr x1, [sp]
        0xe2, 0x23, 0x00, 0x91, // add x2, sp, #8
        0xe6, 0x03, 0x00, 0x91, // mov x6, sp
        0x00, 0x00, 0x00, 0x90, // adrp x0, main
        0x00, 0x00, 0x00, 0x91, // add x0, x0, :lo12:main
        0x03, 0x00, 0x80, 0xd2, // mov x3, #0
        0x04, 0x00, 0x80, 0xd2, // mov x4, #0
        0x00, 0x00, 0x00, 0x94, // bl __libc_start_main
        0x20, 0x00, 0x20, 0xd4, // brk #1
    ],
    relocations: &[
        (24, Target::Main, elf::R_AARCH64_ADR_PREL_PG_HI21, 0),
        (28, Target::Main, elf::R_AARCH64_ADD_ABS_LO12_NC, 0),
        (40, Target::LibcStartMain, elf::R_AARCH64_CALL26, 0),
    ],
    zero: &[0x00, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6],
    trap: &[0x20, 0x00, 0x20, 0xd4],
};

const RISCV64: Machine = Machine {
    architecture: object::Architecture::Riscv64,
    endianness: Endianness::Little,
    start: &[
        0x93, 0x07, 0x05, 0x00, // mv a5, a0
        0x17, 0x05, 0x00, 0x00, // auipc a0, %pcrel_hi(main)
        0x13, 0x05, 0x05, 0x00, // addi a0, a0, %pcrel_lo
        0x83, 0x35, 0x01, 0x00, // ld a1, 0(sp)
        0x13, 0x06, 0x81, 0x00, // addi a2, sp, 8
        0x13, 0x71, 0x01, 0xff, // andi sp, sp, -16
        0x93, 0x06, 0x00, 0x00, // li a3, 0
        0x13, 0x07, 0x00, 0x00, // li a4, 0
        0x13, 0x08, 0x01, 0x00, // mv a6, sp
        0x97, 0x00, 0x00, 0x00, // call __libc_start_main
        0xe7, 0x80, 0x00, 0x00, //
        0x73, 0x00, 0x10, 0x00, // ebreak
    ],
    relocations: &[
        (4, Target::Main, elf::R_RISCV_PCREL_HI20, 0),
        (8, Target::Upper(4), elf::R_RISCV_PCREL_LO12_I, 0),
        (36, Target::LibcStartMain, elf::R_RISCV_CALL_PLT, 0),
    ],
    zero: &[0x13, 0x05, 0x00, 0x00, 0x67, 0x80, 0x00, 0x00],
    trap: &[0x73, 0x00, 0x10, 0x00],
};

/// Programs for it are linked by a C compiler, which has a `_start`.
const S390X: Machine = Machine {
    architecture: object::Architecture::S390x,
    endianness: Endianness::Big,
    start: &[],
    relocations: &[],
    zero: &[0xa7, 0x29, 0x00, 0x00, 0x07, 0xfe],
    trap: &[0x00, 0x00],
};

/// Walks the stack for a panic's message; here it finds no frame.
const BACKTRACE: &str = "_Unwind_Backtrace";

/// What else of the unwinder's interface the standard library refers to.
const UNWINDER: &[&str] = &[
    "_Unwind_DeleteException",
    "_Unwind_FindEnclosingFunction",
    "_Unwind_GetCFA",
    "_Unwind_GetDataRelBase",
    "_Unwind_GetGR",
    "_Unwind_GetIP",
    "_Unwind_GetIPInfo",
    "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart",
    "_Unwind_GetTextRelBase",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_SetGR",
    "_Unwind_SetIP",
];

/// The start-up object of `target`.
pub fn object(target: &LinuxTarget) -> object::write::Result<Vec<u8>> {
    let machine = match target.machine {
        elf::EM_AARCH64 => &AARCH64,
        elf::EM_RISCV => &RISCV64,
        _ => &X86_64,
    };
    let mut object = new_object(machine);
    add_start(&mut object, machine)?;
    object.write()
}

/// The unwinder's object for an ELF target; `None` if its machine is unknown.
pub fn unwinder(architecture: Architecture) -> Option<object::write::Result<Vec<u8>>> {
    let machine = match architecture {
        Architecture::X86_64 => &X86_64,
        Architecture::Aarch64(_) => &AARCH64,
        Architecture::Riscv64(_) => &RISCV64,
        Architecture::S390x => &S390X,
        _ => return None,
    };
    let mut object = new_object(machine);
    add_unwinder(&mut object, machine);
    Some(object.write())
}

fn new_object(machine: &Machine) -> Object<'static> {
    let mut object = Object::new(BinaryFormat::Elf, machine.architecture, machine.endianness);
    if machine.architecture == object::Architecture::Riscv64 {
        // Compressed instructions and the double-float calling convention, as
        // all that it is linked with has been compiled for.
        object.flags = object::FileFlags::Elf {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_flags: elf::EF_RISCV_RVC | elf::EF_RISCV_FLOAT_ABI_DOUBLE,
        };
    }
    // Its presence says that the stack need not be executable.
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object
}

fn add_start(object: &mut Object<'_>, machine: &Machine) -> object::write::Result<()> {
    let section = add_text(object, "start");
    let at = object.append_section_data(section, machine.start, 16);
    object.add_symbol(function("_start", SymbolSection::Section(section), at));
    let main = object.add_symbol(function("main", SymbolSection::Undefined, 0));
    let libc = object.add_symbol(function("__libc_start_main", SymbolSection::Undefined, 0));
    for &(offset, target, r_type, addend) in machine.relocations {
        let symbol = match target {
            Target::Main => main,
            Target::LibcStartMain => libc,
            Target::Upper(upper) => add_label(object, section, at + upper),
        };
        let flags = RelocationFlags::Elf { r_type };
        object.add_relocation(
            section,
            Relocation {
                offset: at + offset,
                symbol,
                addend,
                flags,
            },
        )?;
    }
    Ok(())
}

fn add_unwinder(object: &mut Object<'_>, machine: &Machine) {
    let section = add_text(object, "unwind");
    let zero = object.append_section_data(section, machine.zero, 16);
    let trap = object.append_section_data(section, machine.trap, 16);
    let others = UNWINDER.iter().map(|name| (*name, trap));
    for (name, at) in [(BACKTRACE, zero)].into_iter().chain(others) {
        let mut symbol = function(name, SymbolSection::Section(section), at);
        // Hidden from shared libraries, which may well unwind.
        symbol.scope = SymbolScope::Linkage;
        object.add_symbol(symbol);
    }
}

fn add_text(object: &mut Object<'_>, name: &str) -> SectionId {
    let name = format!(".text.{name}").into_bytes();
    object.add_section(Vec::new(), name, SectionKind::Text)
}

fn function(name: &str, section: SymbolSection, value: u64) -> Symbol {
    Symbol {
        name: name.as_bytes().to_vec(),
        value,
        size: 0,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section,
        flags: SymbolFlags::None,
    }
}

fn add_label(object: &mut Object<'_>, section: SectionId, value: u64) -> SymbolId {
    object.add_symbol(Symbol {
        name: b".Lupper".to_vec(),
        kind: SymbolKind::Label,
        scope: SymbolScope::Compilation,
        ..function("", SymbolSection::Section(section), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::targets;
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget};

    /// What `_start` of `triple` refers to, in the order of its relocations.
    fn references(triple: &str) -> Vec<String> {
        let triple = triple.parse().expect("the test's own triple");
        let target = targets::linux(&triple).expect("a target of the table");
        let bytes = object(target).expect("an object");
        let file = object::File::parse(&*bytes).expect("a well-formed object");
        assert_eq!(
            file.symbols()
                .filter(|symbol| symbol.is_undefined())
                .count(),
            2
        );
        let text = file.section_by_name(".text.start").expect("its code");
        text.relocations()
            .map(|(offset, relocation)| {
                assert!(offset + 4 <= text.size());
                let RelocationTarget::Symbol(index) = relocation.target() else {
                    panic!("a relocation without a symbol");
                };
                let symbol = file.symbol_by_index(index).expect("its symbol");
                symbol.name().expect("its name").to_owned()
            })
            .collect()
    }

    #[test]
    fn starts_in_main_by_way_of_libc() {
        let start = ["main", "__libc_start_main"];
        assert_eq!(references("x86_64-unknown-linux-gnu"), start);
        let upper_and_lower = ["main", "main", "__libc_start_main"];
        assert_eq!(references("aarch64-unknown-linux-gnu"), upper_and_lower);
        let label = ["main", ".Lupper", "__libc_start_main"];
        assert_eq!(references("riscv64gc-unknown-linux-gnu"), label);
    }
}
