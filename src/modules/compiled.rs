//! A module that was compiled on its own: its verified bytecode and its
//! interface, in a file that other programs use in place of its source.
//!
//! Nothing is trusted: any bytes give a compiled module or an error.  The
//! program in it is that of a script that does nothing but import the module:
//! the module is the first in its table of modules, and those that it imports
//! itself follow, with nothing but exports.

use crate::resolve::Survey;
use crate::source::SourceMap;
use crate::syntax::{self, ast};
use ruff_runtime::builtins;
use ruff_runtime::bytecode::{FunctionId, GlobalId, Program, Step, decode, encode, verify};
use ruff_runtime::names::NameId;
use rustc_hash::FxHashSet;
use std::fmt;

/// What the file starts with.
const MAGIC: &[u8; 8] = b"RuffMod\0";
/// Who made it: its meaning is that version's.  Bytecode has a fingerprint of
/// its own besides.
const MADE_BY: &str = concat!(env!("CARGO_PKG_VERSION"), "\n");

/// A module without its source.
#[derive(Debug, PartialEq)]
pub struct Compiled {
    /// As imports name it, with dots.
    pub name: String,
    pub exports: Vec<Export>,
    /// The modules that it imports, in the order of the program's table.
    pub imports: Vec<Imported>,
    pub program: Program,
}

/// A module that a compiled one imports.
#[derive(Debug, PartialEq)]
pub struct Imported {
    pub name: String,
    /// What it exported then.
    pub exports: Vec<Export>,
}

/// Something that a module exports.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub name: String,
    /// The global in which its value is left by the module.
    pub global: GlobalId,
    pub known: KnownExport,
}

/// What an export certainly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KnownExport {
    /// Whatever the module's top level computes.
    Value,
    /// A declared function of that name, which captures nothing.
    Function(FunctionId),
    /// The struct of that name with this declaration.
    Struct(u32),
}

/// Why bytes are no compiled module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is another kind of file.
    NoModule,
    /// Another version of the compiler made it.
    OtherVersion,
    /// Its bytes are not those that were written.
    Damaged(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoModule => out.write_str("this is no compiled module"),
            Fault::OtherVersion => {
                out.write_str("another version of ruffc made it; compile the module again")
            }
            Fault::Damaged(what) => write!(out, "the file is damaged: {what}"),
        }
    }
}

impl Compiled {
    /// Leaves to its value what can't be declared without its source: a struct
    /// with a field, or a function with a parameter, that goes by another name.
    pub fn forget_the_undeclarable(&mut self) {
        for export in &mut self.exports {
            if !is_valid(&stub_text(std::slice::from_ref(export), &self.program)) {
                export.known = KnownExport::Value;
            }
        }
    }

    /// The bytes of the file: the same for the same module.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        write_text(&mut body, &self.name);
        write_exports(&mut body, &self.exports);
        write_number(&mut body, self.imports.len());
        for import in &self.imports {
            write_text(&mut body, &import.name);
            write_exports(&mut body, &import.exports);
        }
        body.extend(encode::encode(&self.program));
        Compiled::seal(&body)
    }

    /// The bytes of a file with this in it, whatever it is.
    pub fn seal(body: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(MADE_BY.as_bytes());
        bytes.extend(checksum(body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// How many bytes of a file come before what is in it.
    pub const SEAL: usize = MAGIC.len() + MADE_BY.len() + 8;

    /// The module that a file holds, verified.
    ///
    /// # Errors
    /// If it is another file, or made by another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<Compiled, Fault> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Fault::NoModule)?;
        let rest = rest.strip_prefix(MADE_BY.as_bytes());
        let rest = rest.ok_or(Fault::OtherVersion)?;
        let (sum, body) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        if u64::from_le_bytes(*sum) != checksum(body) {
            return Err(Fault::Damaged("its checksum is wrong".to_owned()));
        }
        let mut reader = Reader { rest: body };
        let name = reader.text()?;
        let exports = reader.exports()?;
        let count = reader.number()?;
        let mut imports = Vec::new();
        for _ in 0..count {
            imports.push(Imported {
                name: reader.text()?,
                exports: reader.exports()?,
            });
        }
        let program = decode::decode(reader.rest).map_err(|error| match error.fault {
            decode::DecodeFault::OtherVersion => Fault::OtherVersion,
            _ => Fault::Damaged(error.to_string()),
        })?;
        let mut compiled = Compiled {
            name,
            exports,
            imports,
            program,
        };
        compiled.verify()?;
        Ok(compiled)
    }

    /// Everything that users of a compiled module count on.
    fn verify(&mut self) -> Result<(), Fault> {
        verify::verify(&mut self.program).map_err(|error| Fault::Damaged(error.to_string()))?;
        let program = &self.program;
        if let Some(unknown) = program
            .builtins
            .iter()
            .find(|name| builtins::find(name).is_none())
        {
            let what = format!("there is no built-in function `{unknown}`");
            return Err(Fault::Damaged(what));
        }
        let all = || {
            let imports = self.imports.iter().map(|one| (&one.name, &one.exports));
            imports.chain([(&self.name, &self.exports)])
        };
        let exports = || all().flat_map(|(_, exports)| exports);
        let mut known = FxHashSet::default();
        let is_sound = program.modules.len() == 1 + self.imports.len()
            && all().all(|(name, exports)| is_module_name(name) && is_each_once(exports))
            && exports().all(|one| (one.global as usize) < program.globals.len())
            && exports().all(|one| one.known == KnownExport::Value || known.insert(one.known))
            && all().all(|(_, exports)| is_valid(&stub_text(exports, program)));
        match is_sound {
            true => Ok(()),
            false => Err(Fault::Damaged(
                "its interface is not its program's".to_owned(),
            )),
        }
    }

    /// A module that exports the same and does nothing else: what names are resolved
    /// against.
    pub fn stub(&self, sources: &mut SourceMap) -> ast::Program {
        let text = stub_text(&self.exports, &self.program).unwrap_or_default();
        // Messages are never about it, so it has no name.
        let file = sources.add("", text);
        syntax::parse(sources, file).expect("the text was parsed when the module was read")
    }

    /// Whether the module still exports what it did when this one was compiled.
    pub fn fits(&self, import: &Imported, now: &Compiled) -> bool {
        let then = stub_text(&import.exports, &self.program);
        then == stub_text(&now.exports, &now.program)
    }

    /// The names of methods that may change their receiver.
    pub fn changing_methods(&self) -> impl Iterator<Item = &str> {
        let program = &self.program;
        let methods = program.structs.iter().flat_map(|info| &info.methods);
        methods
            .filter(|(_, func)| program.functions[*func as usize].info.flags.changes_self)
            .map(|(name, _)| &*program.names[*name as usize])
    }

    /// The names that structs' fields have in it.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        let program = &self.program;
        let declared = program.structs.iter().flat_map(|info| &info.fields);
        let given = program.struct_sites.iter().flat_map(|site| &site.fields);
        let steps = program.changed_places().flat_map(|path| &path.steps);
        let stored = steps.filter_map(|step| match step {
            Step::Field(name) => Some(name),
            Step::Index => None,
        });
        declared
            .chain(given)
            .chain(stored)
            .map(|name| &*program.names[*name as usize])
    }
}

/// Whether an import can name a module so.
pub fn is_module_name(name: &str) -> bool {
    let mut sources = SourceMap::new();
    let file = sources.add("", format!("import {name}\n"));
    name.split('.').all(is_identifier) && syntax::parse(&sources, file).is_ok()
}

fn is_each_once(exports: &[Export]) -> bool {
    let mut names = FxHashSet::default();
    exports.iter().all(|one| names.insert(&one.name))
}

/// The source of a module that only exports; `None` if an export is not what it
/// is said to be.
fn stub_text(exports: &[Export], program: &Program) -> Option<String> {
    let mut text = String::new();
    let names = |names: &[NameId]| -> Option<String> {
        let names: Vec<&str> = names
            .iter()
            .map(|name| &*program.names[*name as usize])
            .collect();
        names
            .iter()
            .all(|name| is_identifier(name))
            .then(|| names.join(", "))
    };
    for Export { name, known, .. } in exports {
        if !is_identifier(name) {
            return None;
        }
        text.push_str(&match *known {
            KnownExport::Value => format!("export {name} := null\n"),
            KnownExport::Function(func) => {
                let function = program.functions.get(func as usize)?;
                let (info, flags) = (&function.info, function.info.flags);
                if flags.is_method
                    || flags.is_top_level
                    || !function.captures.is_empty()
                    || info.name != *name
                {
                    return None;
                }
                let params = names(&info.params)?;
                let prefix = if flags.is_async { "async " } else { "" };
                let star = if flags.is_generator { "*" } else { "" };
                format!("export {prefix}func{star} {name}({params}) {{ }}\n")
            }
            KnownExport::Struct(number) => {
                let info = program.structs.get(number as usize)?;
                if *program.names[info.name as usize] != **name {
                    return None;
                }
                format!("export struct {name} {{ {} }}\n", names(&info.fields)?)
            }
        });
    }
    Some(text)
}

/// Whether it is the source of a module.
fn is_valid(text: &Option<String>) -> bool {
    let Some(text) = text else { return false };
    let mut sources = SourceMap::new();
    let file = sources.add("", text.as_str());
    syntax::parse(&sources, file).is_ok_and(|tree| {
        let mut survey = Survey::default();
        let script = sources.add("", "");
        let script = syntax::parse(&sources, script);
        let taken = script.and_then(|script| survey.add(&script, &[]));
        taken.and_then(|_| survey.add(&tree, &[])).is_ok()
    })
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|next| next.is_alphanumeric() || next == '_')
}

fn cut_off() -> Fault {
    Fault::Damaged("it is cut off".to_owned())
}

fn checksum(bytes: &[u8]) -> u64 {
    hash(0, bytes)
}

/// FNV-1a: against accidents, not against anybody.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    bytes.iter().fold(start, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn write_number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u32).to_le_bytes());
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_number(out, text.len());
    out.extend(text.as_bytes());
}

fn write_exports(out: &mut Vec<u8>, exports: &[Export]) {
    write_number(out, exports.len());
    for export in exports {
        write_text(out, &export.name);
        write_number(out, export.global as usize);
        let (kind, number) = match export.known {
            KnownExport::Value => (0, 0),
            KnownExport::Function(func) => (1, func),
            KnownExport::Struct(number) => (2, number),
        };
        out.push(kind);
        write_number(out, number as usize);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn number(&mut self) -> Result<u32, Fault> {
        let (number, rest) = self.rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*number))
    }

    fn text(&mut self) -> Result<String, Fault> {
        let len = self.number()? as usize;
        let (text, rest) = self.rest.split_at_checked(len).ok_or_else(cut_off)?;
        self.rest = rest;
        let text = String::from_utf8(text.to_vec());
        text.map_err(|_| Fault::Damaged("a text is not valid UTF-8".to_owned()))
    }

    fn exports(&mut self) -> Result<Vec<Export>, Fault> {
        let count = self.number()?;
        let mut exports = Vec::new();
        for _ in 0..count {
            let (name, global) = (self.text()?, self.number()?);
            let (kind, rest) = self.rest.split_first().ok_or_else(cut_off)?;
            self.rest = rest;
            let number = self.number()?;
            let known = match *kind {
                0 => KnownExport::Value,
                1 => KnownExport::Function(number),
                2 => KnownExport::Struct(number),
                _ => return Err(Fault::Damaged("a mark has no meaning".to_owned())),
            };
            exports.push(Export {
                name,
                global,
                known,
            });
        }
        Ok(exports)
    }
}
