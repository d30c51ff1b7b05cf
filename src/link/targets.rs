//! What linking needs to know of each target, in one table.

use target_lexicon::{Architecture, BinaryFormat, Environment, OperatingSystem, Triple};

/// A target that executables can be made for.
#[derive(Debug)]
pub struct TargetRow {
    /// Rust's name of it, which is ours.
    pub triple: &'static str,
    /// Other names that people use.
    pub aliases: &'static [&'static str],
    /// C compilers that link for it from other machines.
    pub compilers: &'static [&'static str],
    /// Zig's name of it.  Macs say how old a system may be: as old as for Rust.
    pub zig: &'static str,
    /// Debian's packages with a C compiler or a C library for it.
    pub packages: &'static str,
}

/// All targets that executables can be made for.
pub const TARGETS: &[TargetRow] = &[
    TargetRow {
        triple: "x86_64-unknown-linux-gnu",
        aliases: &["x86_64-linux-gnu"],
        compilers: &["x86_64-linux-gnu-gcc"],
        zig: "x86_64-linux-gnu",
        packages: "gcc-x86-64-linux-gnu libc6-dev-amd64-cross",
    },
    TargetRow {
        triple: "aarch64-unknown-linux-gnu",
        aliases: &["aarch64-linux-gnu"],
        compilers: &["aarch64-linux-gnu-gcc"],
        zig: "aarch64-linux-gnu",
        packages: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    },
    TargetRow {
        triple: "riscv64gc-unknown-linux-gnu",
        aliases: &["riscv64-linux-gnu", "riscv64-unknown-linux-gnu"],
        compilers: &["riscv64-linux-gnu-gcc"],
        zig: "riscv64-linux-gnu",
        packages: "gcc-riscv64-linux-gnu libc6-dev-riscv64-cross",
    },
    TargetRow {
        triple: "s390x-unknown-linux-gnu",
        aliases: &["s390x-linux-gnu"],
        compilers: &["s390x-linux-gnu-gcc"],
        zig: "s390x-linux-gnu",
        packages: "gcc-s390x-linux-gnu libc6-dev-s390x-cross",
    },
    TargetRow {
        triple: "x86_64-unknown-linux-musl",
        aliases: &["x86_64-linux-musl"],
        compilers: &["x86_64-linux-musl-gcc"],
        zig: "x86_64-linux-musl",
        packages: "musl-dev",
    },
    TargetRow {
        triple: "aarch64-unknown-linux-musl",
        aliases: &["aarch64-linux-musl"],
        compilers: &["aarch64-linux-musl-gcc"],
        zig: "aarch64-linux-musl",
        packages: "musl-dev:arm64",
    },
    TargetRow {
        triple: "x86_64-pc-windows-gnu",
        aliases: &["x86_64-windows-gnu"],
        compilers: &["x86_64-w64-mingw32-gcc"],
        zig: "x86_64-windows-gnu",
        packages: "gcc-mingw-w64-x86-64",
    },
    TargetRow {
        triple: "x86_64-apple-darwin",
        aliases: &["x86_64-macos"],
        compilers: &[],
        zig: "x86_64-macos.10.12",
        packages: "",
    },
    TargetRow {
        triple: "aarch64-apple-darwin",
        aliases: &["aarch64-macos", "arm64-apple-darwin"],
        compilers: &[],
        zig: "aarch64-macos.11.0",
        packages: "",
    },
];

/// The target that a person calls `name`.
pub fn parse(name: &str) -> Option<Triple> {
    let row = TARGETS.iter().find(|row| row.aliases.contains(&name));
    row.map_or(name, |row| row.triple).parse().ok()
}

/// The row of `target`, if executables can be made for it.
pub fn row(target: &Triple) -> Option<&'static TargetRow> {
    let name = target.to_string();
    TARGETS.iter().find(|row| row.triple == name)
}

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
    /// Debian's names of it with glibc and with musl, which are parts of
    /// directories' names.
    pub gnu_name: &'static str,
    pub musl_name: &'static str,
}

impl LinuxTarget {
    /// The loader as a library, which some programs refer to.
    pub fn loader_name(&self) -> &'static str {
        self.loader.rsplit('/').next().unwrap_or(self.loader)
    }
}

const LINUX: &[LinuxTarget] = &[
    LinuxTarget {
        architecture: Architecture::X86_64,
        machine: object::elf::EM_X86_64,
        emulation: "elf_x86_64",
        loader: "/lib64/ld-linux-x86-64.so.2",
        gnu_name: "x86_64-linux-gnu",
        musl_name: "x86_64-linux-musl",
    },
    LinuxTarget {
        architecture: Architecture::Aarch64(target_lexicon::Aarch64Architecture::Aarch64),
        machine: object::elf::EM_AARCH64,
        emulation: "aarch64linux",
        loader: "/lib/ld-linux-aarch64.so.1",
        gnu_name: "aarch64-linux-gnu",
        musl_name: "aarch64-linux-musl",
    },
    LinuxTarget {
        architecture: Architecture::Riscv64(target_lexicon::Riscv64Architecture::Riscv64gc),
        machine: object::elf::EM_RISCV,
        emulation: "elf64lriscv",
        loader: "/lib/ld-linux-riscv64-lp64d.so.1",
        gnu_name: "riscv64-linux-gnu",
        musl_name: "riscv64-linux-musl",
    },
];

/// The row of `target`, if the in-process linker can make its executables.
pub fn linux(target: &Triple) -> Option<&'static LinuxTarget> {
    let is_known = target.operating_system == OperatingSystem::Linux
        && matches!(
            target.environment,
            Environment::Gnu | Environment::Musl | Environment::Unknown
        );
    LINUX
        .iter()
        .find(|row| is_known && row.architecture == target.architecture)
}

/// Whether `target`'s C library is musl, which is linked in.
pub fn is_musl(target: &Triple) -> bool {
    target.environment == Environment::Musl
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

/// Whether `target`'s executables run on Windows, and are named so.
pub fn is_windows(target: &Triple) -> bool {
    target.operating_system == OperatingSystem::Windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_target() {
        for row in TARGETS {
            for name in row.aliases.iter().chain([&row.triple]) {
                let target = parse(name).expect("a name of the table");
                assert_eq!(target.to_string(), row.triple);
                assert!(super::row(&target).is_some_and(|found| found.triple == row.triple));
            }
        }
        assert!(parse("no such target").is_none());
    }
}
