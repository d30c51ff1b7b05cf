//! What is linked, and how, in the terms of GNU `ld`: the one description that
//! the linker inside and linkers like it outside are given.

use super::condense::Goal;
use super::content::Content;
use super::error::LinkError;
use super::targets::{self, LinuxTarget};
use super::{Libc, LinkOptions, Symbols, libraries, startup};
use std::borrow::Cow;
use target_lexicon::Triple;

/// A linker's command line, with the inputs that it names.
pub struct Command {
    /// All but the program's name and the output.
    pub arguments: Vec<String>,
    pub inputs: Vec<Input>,
    /// The libraries that a program may turn out not to use.
    pub optional: Vec<&'static str>,
}

/// A file on the command line.
pub struct Input {
    /// What the arguments call it.
    pub name: Cow<'static, str>,
    pub content: Content,
}

impl Command {
    /// Links `object` and `runtime` into an executable for Linux.
    pub fn new(object: &[u8], runtime: &Content, options: &LinkOptions) -> Result<Self, LinkError> {
        let target = &options.target;
        let linux = targets::linux(target)
            .ok_or_else(|| LinkError::UnsupportedTarget(target.to_string()))?;
        if targets::is_musl(target) {
            return Self::with_musl(object, runtime, options, linux);
        }
        if options.libc == Libc::Static {
            return Err(LinkError::UnsupportedStatic);
        }
        let start = startup::object(linux).map_err(LinkError::Startup)?;
        let mut command = Self {
            arguments: flags(options, linux),
            inputs: Vec::new(),
            optional: vec!["libm.so.6", linux.loader_name()],
        };
        command.input("start.o", Content::Bytes(start.into()));
        command.program(object, runtime, options)?;
        command.foreign(options, linux)?;
        command.libraries(target, linux)?;
        Ok(command)
    }

    /// musl is linked in, and its own start-up code begins the program.
    fn with_musl(
        object: &[u8],
        runtime: &Content,
        options: &LinkOptions,
        linux: &LinuxTarget,
    ) -> Result<Self, LinkError> {
        let mut command = Self {
            arguments: flags(options, linux),
            inputs: Vec::new(),
            optional: Vec::new(),
        };
        let file = |name| libraries::find_for_musl(name, &options.target, linux);
        for name in ["rcrt1.o", "crti.o"] {
            command.input(name, Content::File(file(name)?));
        }
        command.program(object, runtime, options)?;
        command.foreign(options, linux)?;
        for name in ["libc.a", "crtn.o"] {
            command.input(name, Content::File(file(name)?));
        }
        Ok(command)
    }

    /// Links a shared library called `name` for Linux that shows what is public;
    /// its inputs are still to come.
    pub fn library(
        options: &LinkOptions,
        linux: &LinuxTarget,
        name: &str,
        public: &[&str],
    ) -> Self {
        let mut arguments: Vec<String> = ["-m", linux.emulation, "-shared", "-soname", name]
            .map(str::to_owned)
            .into();
        // What it shows is its own: another library's must not get in between.
        arguments.push("-Bsymbolic".to_owned());
        // Ends of threads are told to it, so it stays once it is loaded.
        arguments.extend(["-z", "nodelete"].map(str::to_owned));
        // Nothing inside may ask for them.
        arguments.extend(public.iter().map(|symbol| format!("--undefined={symbol}")));
        arguments.extend(common_flags(options));
        Self {
            arguments,
            inputs: Vec::new(),
            optional: vec!["libm.so.6", linux.loader_name()],
        }
    }

    /// What every program and every library consists of.
    pub fn program(
        &mut self,
        object: &[u8],
        runtime: &Content,
        options: &LinkOptions,
    ) -> Result<(), LinkError> {
        self.input("program.o", Content::Bytes(object.to_vec().into()));
        for (number, object) in options.objects.iter().enumerate() {
            self.input(
                format!("module{number}.o"),
                Content::Bytes(object.to_vec().into()),
            );
        }
        if let Some(unwinder) = startup::unwinder(options.target.architecture) {
            let unwinder = unwinder.map_err(LinkError::Startup)?;
            self.input("unwinder.o", Content::Bytes(unwinder.into()));
        }
        self.input("libruffrt.a", runtime.clone());
        Ok(())
    }

    /// Adds the system's libraries.
    pub fn libraries(&mut self, target: &Triple, linux: &LinuxTarget) -> Result<(), LinkError> {
        self.arguments.push("--as-needed".to_owned());
        for name in ["libc.so.6"].into_iter().chain(self.optional.clone()) {
            let path = libraries::find(name, target, linux)?;
            self.input(name, Content::File(path));
        }
        Ok(())
    }

    /// Adds the libraries that the program's C functions are in.
    pub fn foreign(&mut self, options: &LinkOptions, linux: &LinuxTarget) -> Result<(), LinkError> {
        for name in &options.foreign.names {
            // These are linked anyway.
            if !matches!(&**name, "c" | "m" | "pthread" | "dl") {
                let path = libraries::foreign(name, options, linux)?;
                self.input(path.to_string_lossy().into_owned(), Content::File(path));
            }
        }
        Ok(())
    }

    pub fn input(&mut self, name: impl Into<Cow<'static, str>>, content: Content) {
        let name = name.into();
        self.arguments.push(name.clone().into_owned());
        self.inputs.push(Input { name, content });
    }
}

fn flags(options: &LinkOptions, linux: &LinuxTarget) -> Vec<String> {
    let loader = libraries::loader(&options.target, linux);
    let mut flags = vec!["-m", linux.emulation, "-pie"];
    if targets::is_musl(&options.target) {
        flags.extend(["-static", "--no-dynamic-linker"]);
    } else {
        flags.extend(["-dynamic-linker", &loader]);
        if options.goal == Goal::Size {
            // A bit for a pointer instead of 24 bytes; it takes glibc 2.36.
            flags.extend(["-z", "pack-relative-relocs"]);
        }
    }
    let mut flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
    flags.extend(common_flags(options));
    flags
}

/// What holds for everything that is linked.
fn common_flags(options: &LinkOptions) -> Vec<String> {
    let mut flags = vec![
        "-z",
        "relro",
        "-z",
        "now",
        "-z",
        "noexecstack",
        "--gc-sections",
        "--eh-frame-hdr",
        "--hash-style=gnu",
        "--build-id=none",
    ];
    match options.symbols {
        Symbols::Stripped => flags.push("--strip-all"),
        Symbols::Kept => {}
    }
    flags.into_iter().map(str::to_owned).collect()
}
