//! From an object file to a library that C programs are linked with: an
//! archive, or a shared library.
//!
//! Either carries the runtime.  Several archives in one program share the
//! runtime of the first, as linkers take what they miss from whichever archive
//! has it; several shared libraries have one each, and show nothing of it but
//! the C interface.

use super::command::Command;
use super::content::Content;
use super::localise::{self, Defined};
use super::{LinkError, LinkOptions, needed, runtime, targets, wild, write_executable};
use ar_archive_writer::{
    ArchiveKind, DEFAULT_OBJECT_READER, NewArchiveMember, write_archive_to_stream,
};
use object::read::archive::ArchiveFile;
use std::fs;
use std::io;

/// What a library shows besides its own functions: the C interface.
pub type Public<'a> = &'a [&'a str];

/// Writes an archive of the object and the runtime.
pub fn staticlib(object: &[u8], public: Public, options: &LinkOptions) -> Result<(), LinkError> {
    super::refuse_directory(&options.output)?;
    refuse_target(options)?;
    let runtime = read(&runtime::archive(options)?)?;
    let archive = with_objects(object, &runtime, public, options)?;
    super::write_file(&options.output, &archive)
}

/// Writes the runtime alone, for the objects of several libraries.
pub fn runtime_archive(public: Public, options: &LinkOptions) -> Result<(), LinkError> {
    super::refuse_directory(&options.output)?;
    refuse_target(options)?;
    let runtime = read(&runtime::archive(options)?)?;
    let archive = archive(&localised(&members(&runtime)?, public)?)?;
    super::write_file(&options.output, &archive)
}

/// Links the object and the runtime to a shared library.
pub fn cdylib(object: &[u8], public: Public, options: &LinkOptions) -> Result<(), LinkError> {
    super::refuse_directory(&options.output)?;
    refuse_target(options)?;
    let linux = targets::linux(&options.target)
        // A shared library with a musl of its own would be none.
        .filter(|_| !targets::is_musl(&options.target))
        .ok_or_else(|| LinkError::UnsupportedTarget(options.target.to_string()))?;
    let runtime = read(&runtime::archive(options)?)?;
    let runtime = archive(&localised(&members(&runtime)?, public)?)?;
    let name = options.output.file_name().unwrap_or_default();
    let mut command = Command::library(options, linux, &name.to_string_lossy(), public);
    command.program(object, &Content::Bytes(runtime.into()), options)?;
    command.foreign(options, linux)?;
    command.libraries(&options.target, linux)?;
    let optional = command.optional.clone();
    let mut bytes = wild::link(command)?;
    needed::remove_unused(&mut bytes, &optional)
        .map_err(|error| LinkError::Wild(format!("its output is malformed: {error}")))?;
    write_executable(&options.output, &bytes)
}

fn refuse_target(options: &LinkOptions) -> Result<(), LinkError> {
    match targets::is_elf(&options.target) {
        true => Ok(()),
        false => Err(LinkError::UnsupportedLibrary(options.target.to_string())),
    }
}

fn read(content: &Content) -> Result<Vec<u8>, LinkError> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.to_vec()),
        Content::File(path) => fs::read(path).map_err(|error| LinkError::Read(path.clone(), error)),
    }
}

/// An archive of the objects and a runtime.
fn with_objects(
    object: &[u8],
    runtime: &[u8],
    public: Public,
    options: &LinkOptions,
) -> Result<Vec<u8>, LinkError> {
    let mut all = vec![object.to_vec()];
    all.extend(options.objects.iter().map(|object| object.to_vec()));
    all.extend(localised(&members(runtime)?, public)?);
    archive(&all)
}

fn members(archive: &[u8]) -> Result<Vec<&[u8]>, LinkError> {
    let parsed = ArchiveFile::parse(archive).map_err(LinkError::Runtime)?;
    let members = parsed.members();
    let members = members.map(|member| member.and_then(|member| member.data(archive)));
    members
        .collect::<Result<_, _>>()
        .map_err(LinkError::Runtime)
}

fn localised(members: &[&[u8]], public: Public) -> Result<Vec<Vec<u8>>, LinkError> {
    let mut defined = Defined::default();
    for member in members {
        defined.add(member).map_err(LinkError::Runtime)?;
    }
    let localised = members
        .iter()
        .map(|member| localise::localise(member, &defined, public));
    localised
        .collect::<Result<_, _>>()
        .map_err(LinkError::Runtime)
}

fn archive(objects: &[Vec<u8>]) -> Result<Vec<u8>, LinkError> {
    let member = |(number, object)| {
        let name = format!("ruff{number}.o");
        NewArchiveMember::new(object, &DEFAULT_OBJECT_READER, name)
    };
    let members: Vec<NewArchiveMember> = objects.iter().enumerate().map(member).collect();
    let mut written = io::Cursor::new(Vec::new());
    write_archive_to_stream(&mut written, &members, ArchiveKind::Gnu, false, None)
        .map_err(LinkError::Archive)?;
    Ok(written.into_inner())
}
