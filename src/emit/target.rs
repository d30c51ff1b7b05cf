//! What machine code is made for: architecture, processor, how much effort.

use crate::codegen::Debug;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use std::fmt;
use target_lexicon::{Architecture, BinaryFormat, Triple};

/// How much effort goes into the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// Quick to make, slower to run.
    Quick,
    #[default]
    Full,
    /// As good as it gets without being larger.
    Small,
}

/// Which processors the code must run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cpu {
    /// Every processor of the architecture.
    #[default]
    Baseline,
    /// This machine's, with all it can do.
    Native,
    /// One that Cranelift knows by name: `x86-64-v3`, `znver3`.
    Named(String),
}

/// What to make code for.
#[derive(Clone, Debug)]
pub struct TargetOptions {
    pub triple: Triple,
    pub cpu: Cpu,
    pub effort: Effort,
    pub debug: Debug,
    /// Let Cranelift check the IR that it is given.
    pub verify: bool,
}

impl TargetOptions {
    /// Full effort for every processor of the target.
    pub fn new(triple: Triple) -> TargetOptions {
        TargetOptions {
            triple,
            cpu: Cpu::Baseline,
            effort: Effort::Full,
            debug: Debug::Nothing,
            verify: cfg!(debug_assertions),
        }
    }

    /// Full effort for this machine alone.
    pub fn native() -> TargetOptions {
        TargetOptions {
            cpu: Cpu::Native,
            ..TargetOptions::new(Triple::host())
        }
    }
}

/// Where code ends up decides how it refers to other code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Anywhere; the linker puts it together with the runtime.
    Object,
    /// At a fixed place, perhaps far from the runtime.
    Memory,
}

/// Why there is no code for a target.
#[derive(Debug)]
pub enum TargetError {
    /// Cranelift makes no code for it.
    Unsupported(Triple),
    UnknownCpu {
        cpu: String,
        triple: Triple,
    },
    /// The processor of another architecture was asked for.
    NotNative(Triple),
    /// What this machine's processor can do is not known.
    UnknownHost(&'static str),
    /// A setting that Cranelift does not accept: this compiler's mistake.
    Setting(SetError),
    Settings(cranelift_codegen::CodegenError),
}

impl fmt::Display for TargetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Unsupported(triple) => {
                write!(out, "there is no code generator for `{triple}`")
            }
            TargetError::UnknownCpu { cpu, triple } => {
                write!(
                    out,
                    "`{cpu}` is not a processor of `{triple}` that the code generator knows"
                )
            }
            TargetError::NotNative(triple) => {
                write!(
                    out,
                    "this machine's processor was asked for, but the target is `{triple}`"
                )
            }
            TargetError::UnknownHost(reason) => {
                write!(out, "this machine's processor is not supported: {reason}")
            }
            TargetError::Setting(error) => {
                write!(out, "the code generator refused a setting: {error}")
            }
            TargetError::Settings(error) => {
                write!(out, "the code generator refused its settings: {error}")
            }
        }
    }
}

impl std::error::Error for TargetError {}

/// The code generator for a target.
pub(super) fn isa(options: &TargetOptions, ending: Ending) -> Result<OwnedTargetIsa, TargetError> {
    let allocator = match options.effort {
        Effort::Full | Effort::Small => "backtracking",
        Effort::Quick => "single_pass",
    };
    isa_with(options, ending, allocator)
}

/// The code generators for a target's functions.
pub(super) struct Isas {
    pub usual: OwnedTargetIsa,
    /// For functions that are too large for the quick register allocator.
    pub for_large: OwnedTargetIsa,
    /// For what hardly runs, where the usual one is not the quickest anyway.
    pub for_rare: Option<OwnedTargetIsa>,
}

impl Isas {
    pub fn new(options: &TargetOptions, ending: Ending) -> Result<Isas, TargetError> {
        let usual = isa(options, ending)?;
        let (for_large, for_rare) = match options.effort {
            Effort::Quick => (isa_with(options, ending, "backtracking")?, None),
            Effort::Small => (usual.clone(), None),
            Effort::Full => {
                let quick = TargetOptions {
                    effort: Effort::Quick,
                    ..options.clone()
                };
                (usual.clone(), Some(isa(&quick, ending)?))
            }
        };
        Ok(Isas {
            usual,
            for_large,
            for_rare,
        })
    }
}

fn isa_with(
    options: &TargetOptions,
    ending: Ending,
    allocator: &str,
) -> Result<OwnedTargetIsa, TargetError> {
    let mut flags = flags(options, ending).map_err(TargetError::Setting)?;
    flags
        .set("regalloc_algorithm", allocator)
        .map_err(TargetError::Setting)?;
    let flags = settings::Flags::new(flags);
    let unsupported = |_| TargetError::Unsupported(options.triple.clone());
    let mut triple = options.triple.clone();
    // Without an operating system, the usual format.
    if triple.binary_format == BinaryFormat::Unknown {
        triple.binary_format = BinaryFormat::Elf;
    }
    if !is_supported(&triple) {
        return Err(TargetError::Unsupported(options.triple.clone()));
    }
    let mut builder = isa::lookup(triple).map_err(unsupported)?;
    match &options.cpu {
        Cpu::Baseline => {}
        Cpu::Native if options.triple.architecture != Triple::host().architecture => {
            return Err(TargetError::NotNative(options.triple.clone()));
        }
        Cpu::Native => {
            cranelift_native::infer_native_flags(&mut builder).map_err(TargetError::UnknownHost)?
        }
        Cpu::Named(name) => builder.enable(name).map_err(|_| TargetError::UnknownCpu {
            cpu: name.clone(),
            triple: options.triple.clone(),
        })?,
    }
    builder.finish(flags).map_err(TargetError::Settings)
}

/// Whether Cranelift makes code and objects for a target.  Asked about others,
/// it would panic, or take them for their nearest relatives.
fn is_supported(triple: &Triple) -> bool {
    use target_lexicon::{Aarch64Architecture, PointerWidth, Riscv64Architecture};
    if triple.pointer_width() != Ok(PointerWidth::U64) {
        return false;
    }
    match triple.architecture {
        Architecture::X86_64 => matches!(
            triple.binary_format,
            BinaryFormat::Elf | BinaryFormat::Macho | BinaryFormat::Coff
        ),
        // Its objects for Windows lack relocations.
        Architecture::Aarch64(Aarch64Architecture::Aarch64) => matches!(
            triple.binary_format,
            BinaryFormat::Elf | BinaryFormat::Macho
        ),
        // The code has floating-point instructions.
        Architecture::Riscv64(kind) => {
            kind != Riscv64Architecture::Riscv64imac && triple.binary_format == BinaryFormat::Elf
        }
        Architecture::S390x => triple.binary_format == BinaryFormat::Elf,
        _ => false,
    }
}

fn flags(options: &TargetOptions, ending: Ending) -> Result<settings::Builder, SetError> {
    let mut flags = settings::builder();
    flags.set(
        "is_pic",
        if ending == Ending::Object {
            "true"
        } else {
            "false"
        },
    )?;
    flags.set(
        "enable_verifier",
        if options.verify { "true" } else { "false" },
    )?;
    // A frame larger than a page must not step over the stack's guard page.
    flags.set("enable_probestack", "true")?;
    // A struct that is taken apart may be more results than there are registers.
    flags.set("enable_multi_ret_implicit_sret", "true")?;
    flags.set("probestack_strategy", "inline")?;
    // Errors are statuses: nothing but a debugger unwinds generated code.
    flags.set(
        "unwind_info",
        match options.debug {
            Debug::Nothing => "false",
            Debug::Lines | Debug::Variables => "true",
        },
    )?;
    match options.effort {
        Effort::Full => flags.set("opt_level", "speed")?,
        Effort::Quick => flags.set("opt_level", "none")?,
        Effort::Small => flags.set("opt_level", "speed_and_size")?,
    }
    Ok(flags)
}
