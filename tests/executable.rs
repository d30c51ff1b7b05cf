//! Executables as they are shipped: hardened, and no byte that nobody knows.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, elf};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Elf = elf::FileHeader64<Endianness>;

/// Builds an example; gives the executable and what was printed.
fn build(example: &str, flags: &[&str]) -> (Vec<u8>, String) {
    let directory = tempfile::tempdir().expect("a folder");
    let output = directory.path().join(example);
    let printed = build_file(&source(example), flags, &output);
    (std::fs::read(output).expect("the executable"), printed)
}

fn source(example: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    examples.join(example).with_extension("ruff")
}

fn build_file(source: &Path, flags: &[&str], output: &Path) -> String {
    let built = Command::new(env!("CARGO_BIN_EXE_ruffc"))
        .arg("build")
        .args(flags)
        .arg(source)
        .arg("-o")
        .arg(output)
        .output()
        .expect("ruffc starts");
    assert!(built.status.success(), "{built:?}");
    String::from_utf8(built.stdout).expect("text")
}

/// The names of all examples.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).expect("the examples");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "ruff")
        })
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// What `checksec` looks for; the sizes are printed besides.
#[test]
fn executables_are_hardened() {
    let examples = examples();
    assert!(examples.len() > 10, "{examples:?}");
    let ways: [&[&str]; 4] = [&[], &["-O0"], &["-g"], &["--size"]];
    for example in &examples {
        for flags in ways {
            let (bytes, _) = build(example, flags);
            let what = [&[example.as_str()], flags].concat().join(" ");
            assert_hardened(&bytes, &what);
            let size = bytes.len();
            println!("{what}: {size} bytes; PIE, full RELRO, NX, no text relocations, no RPATH");
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

#[test]
fn a_small_program_is_small() {
    for (flags, most) in [(&[][..], 350_000), (&["--size"], 80_000)] {
        let (bytes, _) = build("hello", flags);
        let size = bytes.len();
        println!("hello {flags:?}: {size} bytes, at most {most} are allowed");
        assert!(size <= most, "{size} bytes of hello with {flags:?}");
    }
}

/// Errors, traces and limits are those of every other program.
#[test]
fn small_programs_do_what_others_do() {
    const PROGRAMS: &[(&str, &str)] = &[
        ("depth", "func f(n) { return f(n + 1) + 1 }\nprint(f(0))"),
        (
            "uncaught",
            "func g(xs) { return xs[7] }\nprint(\"before\")\nprint(g([1, 2]))",
        ),
        (
            "values",
            "let d := {\"b\": 1.5, 3: [null, true, 1.0 / 3.0, 0.1 + 0.2], \"a\": {2: \"x\", 1: Ok(7)}}\n\
             print(d, keys(d), to_json(d), \"a b\".split(\" \"))",
        ),
    ];
    let directory = tempfile::tempdir().expect("a folder");
    let mut sources = ["hello", "errors", "bank", "text_tools", "pipeline"]
        .map(source)
        .to_vec();
    for (name, text) in PROGRAMS {
        let path = directory.path().join(name).with_extension("ruff");
        std::fs::write(&path, text).expect("the folder is ours");
        sources.push(path);
    }
    for source in sources {
        let outputs = [&[][..], &["--size"]].map(|flags| {
            let output = directory.path().join("program");
            build_file(&source, flags, &output);
            let output: Output = Command::new(output).output().expect("it starts");
            output
        });
        assert_eq!(outputs[0], outputs[1], "{}", source.display());
    }
}
