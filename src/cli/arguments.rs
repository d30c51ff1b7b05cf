//! Commands and flags, each once, with their help.

use crate::driver::Kind;
use crate::emit;
use crate::link;
use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use target_lexicon::Triple;

/// The target that this compiler was built for.
pub const HOST: &str = env!("RUFFC_RUNTIME_TARGET");

const EXAMPLES: &str = "\
Examples:
  ruffc run hello.ruff                  run a program at once
  ruffc hello.ruff                      the same
  ruffc run hello.ruff one --two        with arguments, which `args()` gives
  ruffc build hello.ruff                make the executable `hello`
  ruffc build -o out/app app.ruff       make it somewhere else
  ruffc test app.ruff                   run the tests that a program holds
  ruffc check app.ruff                  look for errors without running anything
  ruffc explain app.ruff                say line by line what is fast, what is slow, and why
  ruffc emit bytecode app.ruff          show what the program is lowered to
  ruffc build -g -O0 app.ruff           make an executable for a debugger
  ruffc target list                     the targets that executables can be made for

Exit status: 0 success, 1 failed tests or denied warnings, 2 wrong command line, 3 syntax error, 4 error of the program,
5 a file cannot be read or written, 6 internal failure. `ruffc run` ends like the program.";

/// Compiles programs written in Ruff to native executables, or runs them.
#[derive(Debug, Parser)]
#[command(name = "ruffc", version = VERSION.as_str(), after_help = EXAMPLES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub struct CommandLine {
    /// When messages are coloured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    #[command(subcommand)]
    pub command: Command,
}

static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} ({HOST}, Cranelift {})",
        env!("CARGO_PKG_VERSION"),
        emit::CODE_GENERATOR_VERSION
    )
});

#[derive(Debug, Subcommand)]
pub enum Command {
    Build(Build),
    Run(Run),
    Test(Test),
    Check(Check),
    Explain(Explain),
    Emit(Emit),
    GdbPrinters(GdbPrinters),
    Bindgen(Bindgen),
    #[command(subcommand)]
    Target(Target),
}

/// Compile a program to an executable
///
/// The executable needs nothing of ruffc to run. It carries the parts of the runtime that the
/// program can reach. Functions that cannot be compiled yet stay bytecode inside it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ruffc build app.ruff                        make `app`
  ruffc build -o - --emit obj app.ruff        write the object file to standard output
  ruffc build --emit exe,asm app.ruff         make `app` and `app.s`
  ruffc build -g -O0 app.ruff                 make `app` for a debugger
  ruffc build --report app.ruff               make `app`, and say what is in it and how large
  ruffc build --emit staticlib,header rules.ruff
                                              make `librules.a` and `rules.h` for C programs
  ruffc build --emit module shapes.ruff       make `shapes.ruffmod`, which takes its source's place
  ruffc build --with shapes.ruffmod app.ruff  make `app`, which imports `shapes`, of it
  ruffc build --emit module,obj shapes.ruff   make `shapes.o` besides, with the module's machine code
  ruffc build --with shapes.ruffmod --with shapes.o app.ruff
                                              make `app` without compiling `shapes` again
  ruffc build --time -v app.ruff              say what is done and how long it takes
  ruffc build --target aarch64-unknown-linux-gnu app.ruff
                                              make an executable for another machine
  ruffc build --target x86_64-unknown-linux-musl app.ruff
                                              make one that runs on any Linux, without a libc

For another target, executables need its runtime, which is built once by `ruffc target add TARGET`;
a build never does that by itself, as it takes minutes, a Rust compiler and perhaps the network.
Looked for are, in this order, the file that `--runtime` names, TARGET/libruffrt.a in the directory
$RUFF_RUNTIME_DIR, the runtime inside ruffc (for its own target), and what `target add` has built.

Linkers are tried in this order: the one inside ruffc, for Linux where the target's libc is found;
the C compiler that CC_TARGET or TARGET_CC names (CC for this machine), or that is called like the
target (`aarch64-linux-gnu-gcc`); `zig cc`, also as Python's package `ziglang`.

The same program gives the same bytes, whatever the directory, if ruffc, the target's runtime and
libc, and the linker are the same.")]
pub struct Build {
    /// The program
    pub file: PathBuf,
    /// A compiled module that the program imports, as `--emit module` makes it, or the object with its
    /// code, as `--emit module,obj` makes it besides; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Where the result goes; `-` is standard output [default: the program's name without `.ruff`]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What is made, one or more of these
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        default_value = "exe"
    )]
    pub emit: Vec<KindName>,
    /// Compile a library: what it exports can be called from C, and it has no `main`
    ///
    /// Goes without saying when a library, a header or a file for pkg-config is made.
    #[arg(long)]
    pub library: bool,
    /// As what a module that is made is imported, with dots [default: the name of its file]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub code: CodeFlags,
    /// Refuse the program if a function of it would stay bytecode
    #[arg(long)]
    pub no_fallback: bool,
    /// Who links: `auto`, `wild` (the linker inside), `cc`, `zig`, or the path of a linker or C compiler
    #[arg(
        long,
        value_name = "LINKER",
        default_value = "auto",
        env = "RUFF_LINKER"
    )]
    pub linker: String,
    /// Where libraries are looked for that `extern` functions are in
    #[arg(short = 'L', value_name = "FOLDER")]
    pub directories: Vec<PathBuf>,
    /// The runtime to link with, instead of the one that is looked for
    #[arg(long, value_name = "ARCHIVE")]
    pub runtime: Option<PathBuf>,
    /// Link the C library in as well, so that the executable needs no other file; musl's always is
    #[arg(long = "static")]
    pub is_static: bool,
    /// Make an executable for debuggers and profilers: with symbols and frames, and `lines`, which
    /// change nothing, or `variables` as well, which are kept in memory for it [`-g` alone: variables]
    #[arg(short = 'g', long, value_name = "WHAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "variables")]
    pub debug: Option<DebugChoice>,
    /// Make the executable as small as possible, rather than fast
    ///
    /// Its runtime has its own archive, which `ruffc target add --size` makes for other targets.
    #[arg(long)]
    pub size: bool,
    /// Say what the bytes of the executable are for
    #[arg(long = "report")]
    pub wants_shares: bool,
    /// Leave symbols out of the executable, as is done without `-g` anyway
    #[arg(long, conflicts_with = "debug")]
    pub strip: bool,
    #[command(flatten)]
    pub report: ReportFlags,
}

/// Run a program at once
///
/// Programs start in the interpreter; functions and loops that get hot are compiled while they run.
/// Everything after the file belongs to the program.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ruffc run app.ruff one --two            `args()` gives [\"one\", \"--two\"]
  ruffc run --stats app.ruff              say what was compiled, on standard error
  ruffc run --engine interp app.ruff      compile nothing
  ruffc run --jit-threshold 1 app.ruff    compile everything at once
  perf record ruffc run --perf-map app.ruff
                                          let perf name compiled code
  gdb --args ruffc run -g app.ruff        let gdb stop in compiled code
  ruffc run --target s390x-linux-gnu app.ruff
                                          build an executable for another machine and run it by an
                                          emulator: qemu's user mode (QEMU_LD_PREFIX says where the
                                          libc is), or wine")]
pub struct Run {
    /// A compiled module that the program imports, as `--emit module` makes it; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Who runs the program
    #[arg(long, default_value = "auto")]
    pub engine: EngineChoice,
    /// Calls or iterations after which code is compiled
    #[arg(long, value_name = "N", default_value_t = crate::vm::DEFAULT_THRESHOLD)]
    pub jit_threshold: u32,
    /// Say on standard error what was compiled
    #[arg(long)]
    pub stats: bool,
    /// Let gdb know of compiled code: its frames and its `lines`, or `variables` as well
    /// [`-g` alone: variables]
    #[arg(short = 'g', long, value_name = "WHAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "variables")]
    pub debug: Option<DebugChoice>,
    /// Write a map of compiled code for perf: `perf-PID.map` in the folder for temporary files
    #[arg(long)]
    pub perf_map: bool,
    /// Let the code generator check the code it is given
    #[arg(long, hide = true)]
    pub verify: bool,
    /// End with status 6 if memory is left in use in the end
    #[arg(long, hide = true)]
    pub check_memory: bool,
    /// Run it as an executable for another target
    #[arg(long, value_name = "TRIPLE", value_parser = target, conflicts_with_all = ["engine", "jit_threshold", "stats", "perf_map"])]
    pub target: Option<Triple>,
    #[command(flatten)]
    pub report: ReportFlags,
    /// The program
    pub file: PathBuf,
    /// Arguments for the program
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENT"
    )]
    pub args: Vec<OsString>,
}

/// Run the tests that programs hold
///
/// A program's top level is run once. Then every `test "name" { … }` is run, also those in
/// `test_group`s, each with the program's variables as the top level has left them, and between
/// the last `test_setup` and `test_teardown` of the program. A test fails if it raises an error.
#[derive(Args, Clone, Debug)]
#[command(
    alias = "test-run",
    after_help = "\
Examples:
  ruffc test app.ruff                     the tests of one program
  ruffc test -v app.ruff                  each test with its time, and why it failed
  ruffc test tests                        of every program below `tests` that has some
  ruffc test --filter parse src tests     those with `parse` in their name or a group's
  ruffc test --json app.ruff              results for tools

Exit status: 0 if all tests passed, 1 if some failed, 3 if a program is wrong, 4 if its top level
fails or if there is no test, 5 if a file cannot be read; of several files, the highest.

With `--json`, one object is written when everything has run:
  files        array, in the order in which they were tested, of
    file         the path
    result       \"passed\", \"failed\", \"no_tests\", \"no_match\" (of the filter),
                 \"stopped\" (its top level failed, or ended the program), \"refused\" (it is wrong)
    exit_status  what testing this file alone would end with
    output       what its top level printed, if it was run
    tests        array, in the order of the source, of
      name, groups (array, outermost first), line, result (\"passed\" or \"failed\"), duration_ms,
      error (the message, if it failed), output (what it printed)
    diagnostics  array, as from `ruffc check --json`
  total, passed, failed, duration_ms      of all tests"
)]
pub struct Test {
    /// Programs, and folders that are searched for programs with tests
    #[arg(required = true, value_name = "FILE-OR-DIR")]
    pub files: Vec<PathBuf>,
    /// A compiled module that the program imports, as `--emit module` makes it; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Show every test with its time, and the error of those that failed
    #[arg(short, long)]
    pub verbose: bool,
    /// Run only tests with this in their name, or in the name of a group around them
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Who runs the tests
    #[arg(long, default_value = "auto")]
    pub engine: EngineChoice,
    /// Print the results as one JSON object; what the tests print goes into it
    #[arg(long)]
    pub json: bool,
    /// Say on standard error how long each stage took
    #[arg(long)]
    pub time: bool,
}

/// Look for errors in a program without running it
///
/// A program without errors passes. Warnings are about what is certainly so: names that nothing
/// defines, calls with the wrong number of arguments, values of the wrong type, fields and methods
/// that a struct lacks, code that is never reached, variables that are never read (unless their
/// name starts with `_`), variants that a `match` forgets. They don't change the exit status.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ruffc check app.ruff                    warnings on standard error, then `check passed: app.ruff`
  ruffc check --deny-warnings app.ruff    end with 1 if there is a warning
  ruffc check --json app.ruff             one JSON object a line on standard output: code, stage,
                                          severity, message, file, line, column, end_line,
                                          end_column, notes (array), help

Exit status: 0 without errors, 1 if warnings were denied, 3 syntax error, 4 other error of the
program, 5 the file cannot be read.")]
pub struct Check {
    /// The program
    pub file: PathBuf,
    /// A compiled module that the program imports, as `--emit module` makes it; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Print each diagnostic as a JSON object on a line of its own, on standard output
    #[arg(long)]
    pub json: bool,
    /// End with status 1 if there are warnings
    #[arg(long)]
    pub deny_warnings: bool,
    #[command(flatten)]
    pub report: ReportFlags,
}

/// Tell how programs become code
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ruffc explain app.ruff                  what costs most, then the source with notes: `+` what is
                                          fast, `-` what is slow, why, and what would make it fast
  ruffc explain --html -o app.html app.ruff
                                          the same as a page, with lines in the colours of their cost
  ruffc explain --json app.ruff           for tools: one object with `files`, the numbers of functions
                                          `compiled`, `kept` as bytecode and `unused`, and all `notes`:
                                          file, line, column, function, kind, slow, heat (0 to 4),
                                          loops around it, text, and perhaps why and hint
  ruffc explain --fallbacks app.ruff      one line for each function that stays bytecode: its name,
                                          its place and the reason; if there is none, nothing but
                                          a remark on standard error")]
pub struct Explain {
    /// A compiled module that the program imports, as `--emit module` makes it; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Say which functions would stay bytecode in an executable, and why
    #[arg(long, conflicts_with_all = ["json", "html", "all", "output"])]
    pub fallbacks: bool,
    /// Print everything as JSON, one object for each program
    #[arg(long, conflicts_with_all = ["html", "all"])]
    pub json: bool,
    /// Make a page that needs nothing else
    #[arg(long)]
    pub html: bool,
    /// Tell about code that runs only once, too
    #[arg(long)]
    pub all: bool,
    /// Where it goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// The programs
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub code: CodeFlags,
}

/// Show a stage of a program's compilation
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ruffc emit ast app.ruff                 the syntax tree
  ruffc emit asm -O0 app.ruff             the machine code without optimisation
  ruffc emit obj -o app.o app.ruff        the object file")]
pub struct Emit {
    /// What to show
    pub kind: KindName,
    /// The program
    pub file: PathBuf,
    /// A compiled module that the program imports, as `--emit module` makes it; again for others
    #[arg(long, value_name = "MODULE")]
    pub with: Vec<PathBuf>,
    /// Where it goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    #[command(flatten)]
    pub code: CodeFlags,
    #[command(flatten)]
    pub report: ReportFlags,
}

/// Write the script by which gdb shows Ruff values
///
/// Programs for debuggers are made with `ruffc build -g`; `-O0` besides keeps them closest to their
/// source.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ruffc gdb-printers -o ruff.py           write the script
  gdb -x ruff.py app                      use it for a program made with `-g`")]
pub struct GdbPrinters {
    /// Where it goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// Declare the functions of a C header, for a program to call
///
/// The machine's C compiler (or the one that CC names) expands the header. What is written are
/// `extern func` declarations of the functions that the header itself declares, to be imported as
/// a module or copied; of those that can't be declared, comments that say why.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ruffc bindgen zlib.h -l z -o zlib.ruff      declare zlib's functions, which are in `libz`
  ruffc bindgen -I include shapes.h           on standard output; other headers are in `include`

Types: int (int64_t), i8 i16 i32 u8 u16 u32 u64, float (double), f32 (float), bool,
string (const char *), pointer (any other pointer, an int to the program), null (void).")]
pub struct Bindgen {
    /// The header
    pub header: PathBuf,
    /// The library that the functions are in, as linkers have it, or its file
    #[arg(short, long, value_name = "LIBRARY")]
    pub library: Option<String>,
    /// Where other headers are looked for
    #[arg(short = 'I', value_name = "FOLDER")]
    pub include: Vec<PathBuf>,
    /// Where it goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// Show targets, or get ready to make executables for one
#[derive(Clone, Debug, Subcommand)]
pub enum Target {
    /// Show what this machine has for each target
    ///
    /// Object files are made for all of them without anything else. An executable needs the runtime
    /// for its target and a linker, and can be run here if this machine or an emulator does that.
    List,
    Add(TargetAdd),
}

/// Build the runtime for targets, once
///
/// The sources are inside ruffc. What is built is kept in the user's directory for caches
/// ($XDG_CACHE_HOME or ~/.cache on Linux) for this version of ruffc, and found by `ruffc build`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ruffc target add aarch64-unknown-linux-gnu
  RUSTC=/usr/bin/rustc ruffc target add s390x-unknown-linux-gnu x86_64-pc-windows-gnu

It takes a Rust compiler with the target's standard library (`rustup target add TARGET`), or with
the sources of that library (`rustup component add rust-src`, or Debian's rust-web-src), which is
then built as well. The compilers on PATH are asked, or the one that RUSTC names; CARGO names cargo.
Crates that cargo has already are not fetched again, so it works offline once it has worked.")]
pub struct TargetAdd {
    /// The targets, as `ruffc target list` shows them
    #[arg(required = true, value_name = "TRIPLE", value_parser = target)]
    pub targets: Vec<Triple>,
    /// The runtime for `ruffc build --size`
    #[arg(long)]
    pub size: bool,
}

/// How code is made.
#[derive(Args, Clone, Debug)]
pub struct CodeFlags {
    /// How much effort goes into the code: `-O0` compiles quickly, `-O` makes the best code
    #[arg(
        short = 'O',
        value_name = "LEVEL",
        default_value = "2",
        hide_default_value = true
    )]
    pub level: Level,
    /// Which processors the code must run on: `baseline`, `native` (this machine's), or a name such as `x86-64-v3`
    #[arg(long, default_value = "baseline")]
    pub cpu: String,
    /// The target, by Rust's name or a shorter one: `aarch64-linux-gnu`, `x86_64-windows-gnu` [default: this machine's]
    #[arg(long, value_name = "TRIPLE", value_parser = target)]
    pub target: Option<Triple>,
    /// Keep every function bytecode
    #[arg(long, hide = true)]
    pub bytecode_only: bool,
    /// Let the code generator check the code it is given
    #[arg(long, hide = true)]
    pub verify: bool,
    /// Let the program end with status 6 if it leaves memory in use
    #[arg(long, hide = true)]
    pub check_memory: bool,
}

/// What is told besides the result.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct ReportFlags {
    /// Say on standard error how long each stage took
    #[arg(long)]
    pub time: bool,
    /// Say on standard error what is done
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// The interpreter and, where there is one, the JIT
    Auto,
    /// The interpreter and the JIT
    Jit,
    /// The interpreter alone
    Interp,
}

/// The name of what a program can be turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindName(pub Kind);

impl ValueEnum for KindName {
    fn value_variants<'a>() -> &'a [KindName] {
        &[
            KindName(Kind::Exe),
            KindName(Kind::Staticlib),
            KindName(Kind::Cdylib),
            KindName(Kind::Header),
            KindName(Kind::PkgConfig),
            KindName(Kind::Runtime),
            KindName(Kind::Module),
            KindName(Kind::Obj),
            KindName(Kind::Asm),
            KindName(Kind::Clif),
            KindName(Kind::Bytecode),
            KindName(Kind::Ast),
            KindName(Kind::Tokens),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self.0 {
            Kind::Exe => ("exe", "An executable"),
            Kind::Staticlib => ("staticlib", "A library for C programs, `lib….a`"),
            Kind::Cdylib => ("cdylib", "A shared library for C programs, `lib….so`"),
            Kind::Header => ("header", "The C header of a library"),
            Kind::PkgConfig => ("pkgconfig", "A library's file for pkg-config"),
            Kind::Runtime => (
                "runtime",
                "The runtime, `libruffrt.a`, for objects that a C compiler links",
            ),
            Kind::Module => (
                "module",
                "A module without its source, for other programs to be built or run with",
            ),
            Kind::Obj => (
                "obj",
                "A relocatable object file: the program's, or with `module` the module's",
            ),
            Kind::Asm => ("asm", "Machine code as text"),
            Kind::Clif => ("clif", "The code generator's input, before optimisation"),
            Kind::Bytecode => ("bytecode", "What the program is lowered to"),
            Kind::Ast => ("ast", "The syntax tree"),
            Kind::Tokens => ("tokens", "The tokens"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl KindName {
    /// What the name of a file with this ends with.
    pub fn extension(self) -> &'static str {
        match self.0 {
            Kind::Exe => "",
            Kind::Staticlib => "a",
            Kind::Cdylib => "so",
            Kind::Header => "h",
            Kind::PkgConfig => "pc",
            Kind::Runtime => "a",
            Kind::Module => "ruffmod",
            Kind::Obj => "o",
            Kind::Asm => "s",
            Kind::Clif => "clif",
            Kind::Bytecode => "bytecode",
            Kind::Ast => "ast",
            Kind::Tokens => "tokens",
        }
    }
}

/// What debuggers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DebugChoice {
    Lines,
    Variables,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Quick,
    Full,
}

impl ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Level] {
        &[Level::Quick, Level::Full]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Level::Quick => PossibleValue::new("0"),
            Level::Full => PossibleValue::new("2").aliases(["1", "3"]),
        })
    }
}

fn target(name: &str) -> Result<Triple, UnknownTarget> {
    link::parse_target(name).ok_or(UnknownTarget)
}

#[derive(Debug)]
struct UnknownTarget;

impl fmt::Display for UnknownTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("this is not the name of a target")
    }
}

impl std::error::Error for UnknownTarget {}

/// A mistake in a command line that its parts don't show.
pub fn usage_error(message: &str) -> clap::Error {
    CommandLine::command().error(ErrorKind::ValueValidation, message)
}

/// What a command line asks for.
///
/// # Errors
/// If it is wrong, or asks for help; the error knows how to print itself and
/// which status to end with.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(completed(args.into_iter().collect()))
}

/// The command line with what may be left out: `run` before a file, and the
/// level after `-O`.
fn completed(mut args: Vec<OsString>) -> Vec<OsString> {
    let Some(first) = first_positional(&args) else {
        return args;
    };
    if looks_like_file(&args[first]) {
        args.insert(first, "run".into());
    } else if args[first] != "run" {
        // What follows `run FILE` is the program's, so it is left alone.
        for index in first..args.len() {
            let is_level = |arg: &OsString| arg.as_encoded_bytes().iter().all(u8::is_ascii_digit);
            if args[index] == "-O" && !args.get(index + 1).is_some_and(is_level) {
                args[index] = "-O2".into();
            }
        }
    }
    args
}

/// The position of the first argument that is no flag, nor a flag's value.
fn first_positional(args: &[OsString]) -> Option<usize> {
    let mut index = 1;
    while let Some(arg) = args.get(index) {
        if arg == "--color" {
            index += 2;
        } else if arg.as_encoded_bytes().starts_with(b"-") {
            index += 1;
        } else {
            return Some(index);
        }
    }
    None
}

/// No command has a name like this.
fn looks_like_file(arg: &OsStr) -> bool {
    let path = Path::new(arg);
    path.extension().is_some() || path.components().count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> CommandLine {
        parse(line.split(' ').map(OsString::from)).expect("the command line is right")
    }

    #[test]
    fn the_declarations_are_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn everything_after_the_file_is_the_programs() {
        for line in [
            "ruffc run --stats a.ruff -x --stats y",
            "ruffc run --stats a.ruff -- -x --stats y",
        ] {
            let Command::Run(run) = parsed(line).command else {
                panic!("{line}")
            };
            assert!(run.stats);
            assert_eq!(run.args, ["-x", "--stats", "y"], "{line}");
        }
        let Command::Run(run) = parsed("ruffc run a.ruff 10").command else {
            panic!()
        };
        assert!(!run.stats);
        assert_eq!(run.args, ["10"]);
    }

    #[test]
    fn a_file_alone_is_run() {
        let line = parsed("ruffc --color never a.ruff -O b");
        assert_eq!(line.color, ColorChoice::Never);
        let Command::Run(run) = line.command else {
            panic!()
        };
        assert_eq!(run.file, Path::new("a.ruff"));
        assert_eq!(run.args, ["-O", "b"]);
    }

    #[test]
    fn the_level_may_be_left_out() {
        for (line, level) in [
            ("ruffc build -O a.ruff", Level::Full),
            ("ruffc build a.ruff", Level::Full),
            ("ruffc build -O0 a.ruff", Level::Quick),
            ("ruffc build -O 0 a.ruff", Level::Quick),
            ("ruffc build -O3 a.ruff", Level::Full),
        ] {
            let Command::Build(build) = parsed(line).command else {
                panic!("{line}")
            };
            assert_eq!(build.code.level, level, "{line}");
            assert_eq!(build.file, Path::new("a.ruff"), "{line}");
        }
    }

    #[test]
    fn kinds_are_a_list() {
        let Command::Build(build) = parsed("ruffc build --emit exe,asm --emit clif a.ruff").command
        else {
            panic!()
        };
        assert_eq!(build.emit, [Kind::Exe, Kind::Asm, Kind::Clif].map(KindName));
    }
}
