//! From an object file to an executable.
//!
//! For Linux with glibc the linker runs inside this process and the start-up
//! code is made here, so a user needs neither a C compiler nor libc's headers,
//! only the libc that programs run with.  For everything else, and where that
//! libc can't be found, a C compiler links.
//!
//! The object defines `main(argc, argv)` and refers to the runtime by `ruff_*`
//! symbols.  What it means is no business of this room: any object that keeps
//! to this links.
//!
//! An output file appears whole or not at all, and two links of the same input
//! on the same machine give the same bytes.

mod error;
mod targets;

mod cache;
mod content;
mod runtime;
mod startup;

mod report;

mod command;
mod libraries;
mod needed;
mod system;
mod wild;

mod library;
mod localise;
mod objects;

mod condense;

pub use cache::{ARCHIVE, runtime as cached_runtime};
pub use condense::{CondenseError, Goal, condense};
pub use error::LinkError;
pub use library::{Public, cdylib, runtime_archive, staticlib};
pub use objects::{are_alike, contents};
pub use report::{Part, Share};
pub use runtime::{Place, place as runtime_place};
pub use system::on_path;
pub use targets::{
    TARGETS, TargetRow, is_host, is_musl, is_windows, parse as parse_target, row as target_row,
};

use command::Command;
use content::Content;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use target_lexicon::Triple;

/// How an executable is to be made.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    pub target: Triple,
    pub output: PathBuf,
    pub linker: Linker,
    /// What the program is made for, which decides about its runtime.
    pub goal: Goal,
    /// The runtime archive, if it is not to be looked for.
    pub runtime: Option<PathBuf>,
    pub libc: Libc,
    pub symbols: Symbols,
    /// What C functions of the program are in, see [`ForeignLibraries`].
    pub foreign: ForeignLibraries,
    /// Objects that are a part of the program besides its own.
    pub objects: Vec<Arc<[u8]>>,
}

/// Libraries besides the runtime and the C library.
#[derive(Clone, Debug, Default)]
pub struct ForeignLibraries {
    /// Names as linkers have them after `-l`, and files.
    pub names: Vec<String>,
    /// Where names are looked for first.
    pub directories: Vec<PathBuf>,
}

impl LinkOptions {
    /// What `ruffc build` does unless it is told otherwise.
    pub fn new(target: Triple, output: impl Into<PathBuf>) -> Self {
        Self {
            target,
            output: output.into(),
            linker: Linker::Auto,
            goal: Goal::Speed,
            runtime: None,
            libc: Libc::Dynamic,
            symbols: Symbols::Stripped,
            foreign: ForeignLibraries::default(),
            objects: Vec::new(),
        }
    }
}

/// Who links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linker {
    /// The one inside, or else the target's C compiler, or else zig.
    Auto,
    /// The one inside: libwild.
    Wild,
    /// The target's C compiler.
    Cc,
    /// `zig cc`, which has the C libraries of most targets with it.
    Zig,
    /// A program: used like `ld` if it is called so, otherwise like `cc`.
    Program(PathBuf),
}

impl FromStr for Linker {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            "wild" => Self::Wild,
            "cc" => Self::Cc,
            "zig" => Self::Zig,
            path => Self::Program(path.into()),
        })
    }
}

/// How a program comes by its C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    Dynamic,
    /// The executable needs no other file to run.
    Static,
}

/// Which symbols stay in the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// None; traces of Ruff errors have tables of their own.
    Stripped,
    /// All, and the program's debug information.
    Kept,
}

/// How an executable was made.
#[derive(Debug)]
pub struct Linked {
    /// The linker, as a person would name it.
    pub linker: String,
    /// Why it was not the linker inside, if that had been the first choice.
    pub fallback: Option<LinkError>,
}

/// Links `object` with the runtime and writes the executable.
pub fn executable(object: &[u8], options: &LinkOptions) -> Result<Linked, LinkError> {
    refuse_directory(&options.output)?;
    let (bytes, linked) = image(object, options)?;
    write_executable(&options.output, &bytes)?;
    Ok(linked)
}

/// What the bytes of the executable are for; they are those of one that has its
/// symbols, without the symbols if it is not to have any.
pub fn report(object: &[u8], options: &LinkOptions) -> Result<Vec<Share>, LinkError> {
    let with_symbols = LinkOptions {
        symbols: Symbols::Kept,
        ..options.clone()
    };
    let (bytes, _) = image(object, &with_symbols)?;
    let mut shares = report::shares(&bytes).map_err(LinkError::Report)?;
    if options.symbols == Symbols::Stripped {
        shares.retain(|share| !share.is_for_tools());
    }
    Ok(shares)
}

/// Links `object` with the runtime and gives the executable's bytes.
pub fn image(object: &[u8], options: &LinkOptions) -> Result<(Vec<u8>, Linked), LinkError> {
    let runtime = runtime::archive(options)?;

    match &options.linker {
        Linker::Auto => match in_process(object, &runtime, options) {
            Ok(made) => Ok(made),
            Err(reason) => outside(object, &runtime, options, reason),
        },
        Linker::Wild => in_process(object, &runtime, options),
        Linker::Cc => system::compiler(object, &runtime, options),
        Linker::Zig => system::zig(object, &runtime, options),
        Linker::Program(path) => system::program(path, object, &runtime, options),
    }
}

/// Links with whatever this machine has, as the linker inside cannot.
fn outside(
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
    reason: LinkError,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let made = match system::compiler(object, runtime, options) {
        // Whether zig is there is not asked before it is needed: asking Python
        // takes longer than linking.
        Err(error @ (LinkError::NoCompiler { .. } | LinkError::NoProgram(_))) => {
            match system::zig(object, runtime, options) {
                Err(no_zig @ LinkError::NoZig) => {
                    return Err(LinkError::NoLinker(vec![reason, error, no_zig]));
                }
                made => made,
            }
        }
        made => made,
    };
    match made {
        Ok((bytes, linked)) => {
            let fallback = Some(reason);
            Ok((bytes, Linked { fallback, ..linked }))
        }
        Err(error) => Err(LinkError::NoLinker(vec![reason, error])),
    }
}

/// The linkers that this machine has for a target, the preferred one first.
pub fn linkers(target: &Triple) -> Vec<String> {
    let mut found = Vec::new();
    let nothing = Content::Bytes((&[][..]).into());
    if Command::new(&[], &nothing, &LinkOptions::new(target.clone(), "")).is_ok() {
        found.push("wild".to_owned());
    }
    if let Ok(compiler) = system::find_compiler(target) {
        let program = Path::new(compiler.get_program());
        let name = program.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        if program.is_absolute() || system::on_path(&name).is_some() {
            found.push(name);
        }
    }
    if targets::row(target).is_some() && system::find_zig().is_ok() {
        found.push("zig".to_owned());
    }
    found
}

fn in_process(
    object: &[u8],
    runtime: &Content,
    options: &LinkOptions,
) -> Result<(Vec<u8>, Linked), LinkError> {
    let command = Command::new(object, runtime, options)?;
    let optional = command.optional.clone();
    let mut bytes = wild::link(command)?;
    needed::remove_unused(&mut bytes, &optional)
        .map_err(|error| LinkError::Wild(format!("its output is malformed: {error}")))?;
    let linked = Linked {
        linker: "wild".to_owned(),
        fallback: None,
    };
    Ok((bytes, linked))
}

/// Linking takes time; a mistake this common is told before it.
fn refuse_directory(output: &Path) -> Result<(), LinkError> {
    if output.is_dir() || output.file_name().is_none() {
        return Err(LinkError::OutputIsDirectory(output.to_owned()));
    }
    Ok(())
}

/// Writes `bytes` as a program that everyone may run, by way of a temporary
/// file beside it: a program that is running is replaced, not changed.
fn write_executable(output: &Path, bytes: &[u8]) -> Result<(), LinkError> {
    write_with_mode(output, bytes, 0o777)
}

/// Writes `bytes` as a file that everyone may read, in the same way.
fn write_file(output: &Path, bytes: &[u8]) -> Result<(), LinkError> {
    write_with_mode(output, bytes, 0o666)
}

fn write_with_mode(output: &Path, bytes: &[u8], mode: u32) -> Result<(), LinkError> {
    let failed = |error| LinkError::Write(output.to_owned(), error);
    // A device or a pipe has to be written to, not replaced.
    if fs::metadata(output).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(output, bytes).map_err(failed);
    }
    let directory = match output.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // First, so that a missing one is not reported by the temporary file's name.
    fs::metadata(directory).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ruffc-");
    #[cfg(not(unix))]
    let _ = mode;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The process's mask takes away what its user does not want.
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let mut file = builder.tempfile_in(directory).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(output).map_err(|error| failed(error.error))?;
    Ok(())
}
