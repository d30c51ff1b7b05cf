//! Executables as they are shipped: hardened, and no byte that nobody knows.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, elf};
use std::path::Path;
use std::process::Command;

type Elf = elf::FileHeader64<Endianness>;

/// Builds an example; gives the executable and what was printed.
fn build(example: &str, flags: &[&str]) -> (Vec<u8>, String) {
    let directory = tempfile::tempdir().expect("a folder");
    let output = directory.path().join(example);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let built = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .arg("build")
        .args(flags)
        .arg(source.join(example).with_extension("ruff"))
        .arg("-o")
        .arg(&output)
        .output()
        .expect("ruffc starts");
    assert!(built.status.success(), "{built:?}");
    let printed = String::from_utf8(built.stdout).expect("text");
    (std::fs::read(output).expect("the executable"), printed)
}

/// What `checksec` looks for.
#[test]
fn executables_are_hardened() {
    let ways: [&[&str]; 3] = [&[], &["-O0"], &["-g"]];
    for flags in ways {
        for example in ["hello", "bank", "text_tools"] {
            let (bytes, _) = build(example, flags);
            assert_hardened(&bytes, &format!("{example} {flags:?}"));
        }
    }
}

fn assert_hardened(bytes: &[u8], what: &str) {
    let header = Elf::parse(bytes).expect("an executable");
    let endian = header.endian().expect("an order of bytes");
    assert_eq!(header.e_type(endian), elf::ET_DYN, "{what}: not PIE");
    let segments = header.program_headers(endian, bytes).expect("segments");
    let flags_of = |wanted: u32| {
        let mut of_type = segments.iter();
        let found = of_type.find(|segment| segment.p_type(endian) == wanted);
        found.map(|segment| segment.p_flags(endian))
    };
    let stack = flags_of(elf::PT_GNU_STACK);
    assert_eq!(
        stack.map(|flags| flags & elf::PF_X),
        Some(0),
        "{what}: the stack is executable"
    );
    assert!(flags_of(elf::PT_GNU_RELRO).is_some(), "{what}: no RELRO");
    let both = elf::PF_W | elf::PF_X;
    let mut loaded = segments.iter();
    let writable_code = loaded.any(|segment| segment.p_flags(endian) & both == both);
    assert!(!writable_code, "{what}: code can be written");

    let sections = header.sections(endian, bytes).expect("sections");
    let dynamic = sections.dynamic(endian, bytes).expect("sections");
    let (dynamic, _) = dynamic.expect("a dynamic section");
    let mut flags = [0, 0];
    for entry in dynamic {
        match entry.tag(endian) {
            elf::DT_TEXTREL => panic!("{what}: relocations in the text"),
            elf::DT_RPATH | elf::DT_RUNPATH => panic!("{what}: a search path"),
            elf::DT_FLAGS => flags[0] = entry.val(endian),
            elf::DT_FLAGS_1 => flags[1] = entry.val(endian),
            _ => {}
        }
    }
    assert_eq!(flags[0] & u64::from(elf::DF_TEXTREL), 0, "{what}");
    let is_now =
        flags[0] & u64::from(elf::DF_BIND_NOW) != 0 || flags[1] & u64::from(elf::DF_1_NOW) != 0;
    assert!(is_now, "{what}: RELRO is not full");
    for section in sections.iter() {
        let both = u64::from(elf::SHF_WRITE | elf::SHF_EXECINSTR);
        assert_ne!(section.sh_flags(endian) & both, both, "{what}");
    }
}

#[test]
fn a_report_accounts_for_the_bytes() {
    for flags in [&["--report"][..], &["--report", "-g"]] {
        let (bytes, report) = build("bank", flags);
        let rows: Vec<(u64, &str)> = report
            .lines()
            .map(|line| {
                let (number, name) = line.trim_start().split_once("  ").expect("two columns");
                (number.parse().expect("a number"), name)
            })
            .collect();
        let sum = |is_part: bool| -> u64 {
            let rows = rows.iter().filter(|(_, name)| *name != "all");
            let rows = rows.filter(|(_, name)| name.starts_with(' ') != is_part);
            rows.map(|(bytes, _)| bytes).sum()
        };
        let (all, _) = rows.last().expect("rows");
        assert_eq!((sum(true), sum(false)), (*all, *all), "{report}");
        // Without symbols, fewer names of sections are in the file.
        let size = bytes.len() as u64;
        assert!(all.abs_diff(size) < 1000, "{size} bytes, but: {report}");
        for part in ["program", "runtime", "libraries", "tables"] {
            assert!(rows.iter().any(|(_, name)| *name == part), "{report}");
        }
        for name in ["  function <main>", "  heap", "  core"] {
            assert!(
                rows.iter().any(|(_, known)| *known == name),
                "{name}: {report}"
            );
        }
        let has_debug = rows.iter().any(|(_, name)| *name == "  debug information");
        assert_eq!(has_debug, flags.contains(&"-g"), "{report}");
    }
}
