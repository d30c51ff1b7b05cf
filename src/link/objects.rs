//! Object files that somebody else made.

use object::{BinaryFormat, Object as _, ObjectSymbol as _};

/// What an object file says about itself.
pub struct Contents<'a> {
    /// The symbols that it defines and shows to others.
    pub symbols: Vec<&'a str>,
    machine: Machine,
}

/// What code is made for, as far as files tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Machine {
    format: BinaryFormat,
    architecture: object::Architecture,
    is_little_endian: bool,
}

/// Looks into a file; `None` if it is no object file.
pub fn contents<'a>(bytes: &'a [u8]) -> Option<Contents<'a>> {
    let file = object::File::parse(bytes).ok()?;
    let format = file.format();
    let shown = file
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global());
    let names = shown.filter_map(|symbol| symbol.name().ok());
    let as_written = |name: &'a str| match format {
        BinaryFormat::MachO => name.strip_prefix('_').unwrap_or(name),
        _ => name,
    };
    Some(Contents {
        symbols: names.map(as_written).collect(),
        machine: Machine {
            format,
            architecture: file.architecture(),
            is_little_endian: file.is_little_endian(),
        },
    })
}

/// Whether two object files are for the same kind of machine.
pub fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let machine = |bytes| contents(bytes).map(|contents| contents.machine);
    machine(one) == machine(other)
}
