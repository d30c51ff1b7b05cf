//! Linking inside this process, by libwild.
//!
//! Its file system is ours: what we made is handed over from memory, and the
//! output stays in memory until it is complete.

use super::command::Command;
use super::content::Content;
use super::error::LinkError;
use libwild::error::Result as WildResult;
use libwild::{FileSystem, FileType, InputFileData, OsFileSystem, OutputFileData, OutputOptions};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const OUTPUT: &str = "executable";

/// Carries out `command` and returns the executable.
pub fn link(command: Command) -> Result<Vec<u8>, LinkError> {
    let files = Files {
        inputs: command
            .inputs
            .into_iter()
            .map(|input| (PathBuf::from(&*input.name), Arc::new(input.content)))
            .collect(),
        output: Output::default(),
    };
    let output = files.output.clone();
    // On a thread of its own, for two reasons: a fault of the linker must not
    // take the compiler down, and the thread pool stays with its thread.
    let result = thread::scope(|scope| scope.spawn(|| run(&command.arguments, files)).join());
    match result {
        Ok(result) => result.map_err(|error| LinkError::Wild(error.to_string()))?,
        Err(_) => return Err(LinkError::Wild("it panicked".to_owned())),
    }
    let bytes = output
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    bytes.ok_or_else(|| LinkError::Wild("it wrote no output".to_owned()))
}

fn run(arguments: &[String], files: Files) -> WildResult {
    let fixed = ["ld", "--no-fork", "--no-identity-comment", "-o", OUTPUT];
    let all = || {
        fixed
            .into_iter()
            .chain(arguments.iter().map(String::as_str))
    };
    let mut parsed = libwild::Args::new(all)?;
    // Its warnings are about inputs that are all ours.
    parsed.on_warning(Box::new(|_| {}));
    parsed.parse(all)?;
    // A program and its runtime are so little work for a linker that handing it
    // to other threads takes longer than doing it.
    let _pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build()?;
    let linker = libwild::Linker::with_file_system(files);
    linker.run(&parsed)?;
    Ok(())
}

/// The files that the linker sees.
struct Files {
    inputs: HashMap<PathBuf, Arc<Content>>,
    output: Output,
}

/// The executable, once it is complete.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Option<Vec<u8>>>>);

type Mapped = <OsFileSystem as FileSystem>::Input;

enum OpenInput {
    Memory(Arc<Content>),
    Mapped(Mapped),
}

impl std::fmt::Debug for OpenInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenInput")
    }
}

impl InputFileData for OpenInput {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Memory(content) => match &**content {
                Content::Bytes(bytes) => bytes,
                Content::File(_) => &[],
            },
            Self::Mapped(file) => file.bytes(),
        }
    }

    fn verify_unchanged(&self) -> io::Result<bool> {
        match self {
            Self::Memory(_) => Ok(true),
            Self::Mapped(file) => file.verify_unchanged(),
        }
    }
}

struct OpenOutput {
    bytes: Vec<u8>,
    output: Output,
}

impl OutputFileData for OpenOutput {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn finish(self) -> WildResult {
        let mut output = self.output.0.lock().unwrap_or_else(PoisonError::into_inner);
        *output = Some(self.bytes);
        Ok(())
    }
}

impl FileSystem for Files {
    type Input = OpenInput;
    type Output = OpenOutput;

    fn open_input(
        &self,
        path: &Path,
        prepopulate_maps: bool,
    ) -> WildResult<(OpenInput, Option<Arc<File>>)> {
        let content = self.inputs.get(path).ok_or_else(|| not_found(path))?;
        match &**content {
            Content::Bytes(_) => Ok((OpenInput::Memory(Arc::clone(content)), None)),
            Content::File(real) => {
                let (file, handle) = OsFileSystem::new().open_input(real, prepopulate_maps)?;
                Ok((OpenInput::Mapped(file), handle))
            }
        }
    }

    fn file_type(&self, path: &Path) -> WildResult<FileType> {
        match self.inputs.contains_key(path) {
            true => Ok(FileType::File),
            false => Err(not_found(path).into()),
        }
    }

    fn canonicalize(&self, path: &Path) -> WildResult<PathBuf> {
        Ok(path.to_owned())
    }

    fn remove_file(&self, path: &Path) -> WildResult<()> {
        Err(not_found(path).into())
    }

    fn rename_file(&self, path: &Path, _new_path: &Path) -> WildResult<()> {
        Err(not_found(path).into())
    }

    fn create_output(&self, _path: Arc<Path>, options: OutputOptions) -> WildResult<OpenOutput> {
        Ok(OpenOutput {
            bytes: vec![0; usize::try_from(options.size)?],
            output: self.output.clone(),
        })
    }

    /// Nothing we ask for has an auxiliary output.
    fn write_auxiliary(&self, path: &Path, _bytes: &[u8]) -> WildResult {
        Err(not_found(path).into())
    }
}

fn not_found(path: &Path) -> io::Error {
    let text: Cow<'_, str> = path.to_string_lossy();
    io::Error::new(io::ErrorKind::NotFound, format!("no input `{text}`"))
}
