//! What linking needs to know of each target, in one table.

use target_lexicon::{Architecture, BinaryFormat, Environment, OperatingSystem, Triple};

/// A target whose executables the in-process linker writes.
pub struct LinuxTarget {
    /// The architecture, as triples and ELF headers know it.
    pub architecture: Architecture,
    pub machine: u16,
    /// What `-m` calls it.
    pub emulation: &'static str,
    /// Where the target's dynamic loader is, on every distribution that keeps
    /// to the ABI documents.
    pub loader: &'static str,
    /// Debian's name of it, which is part of directories' names.
    pub gnu_name: &'static str,
}

impl LinuxTarget {
    /// The loader as a library, which some programs refer to.
    pub fn loader_name(&self) -> &'static str {
        self.loader.rsplit('/').next().unwrap_or(self.loader)
    }
}

const GLIBC: &[LinuxTarget] = &[
    LinuxTarget {
        architecture: Architecture::X86_64,
        machine: object::elf::EM_X86_64,
        emulation: "elf_x86_64",
        loader: "/lib64/ld-linux-x86-64.so.2",
        gnu_name: "x86_64-linux-gnu",
    },
    LinuxTarget {
        architecture: Architecture::Aarch64(target_lexicon::Aarch64Architecture::Aarch64),
        machine: object::elf::EM_AARCH64,
        emulation: "aarch64linux",
        loader: "/lib/ld-linux-aarch64.so.1",
        gnu_name: "aarch64-linux-gnu",
    },
    LinuxTarget {
        architecture: Architecture::Riscv64(target_lexicon::Riscv64Architecture::Riscv64gc),
        machine: object::elf::EM_RISCV,
        emulation: "elf64lriscv",
        loader: "/lib/ld-linux-riscv64-lp64d.so.1",
        gnu_name: "riscv64-linux-gnu",
    },
];

/// The row of `target`, if the in-process linker can make its executables.
pub fn linux(target: &Triple) -> Option<&'static LinuxTarget> {
    let is_glibc = target.operating_system == OperatingSystem::Linux
        && matches!(target.environment, Environment::Gnu | Environment::Unknown);
    GLIBC
        .iter()
        .find(|row| is_glibc && row.architecture == target.architecture)
}

/// Whether a program built for `target` runs on this machine's own system, so
/// that its libraries and its C compiler are the right ones.
pub fn is_host(target: &Triple) -> bool {
    let host = target_lexicon::HOST;
    target.architecture == host.architecture
        && target.operating_system == host.operating_system
        && target.environment == host.environment
}

/// Whether `target`'s executables are ELF files.
pub fn is_elf(target: &Triple) -> bool {
    target.binary_format == BinaryFormat::Elf
}
