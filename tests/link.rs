//! Objects become executables.
//!
//! The objects are made here, with Cranelift, so that nothing of the compiler
//! but the linking is tested, and no C compiler is needed.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use cranelift_codegen::ir::{AbiParam, InstBuilder as _, types};
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module as _};
use cranelift_object::{ObjectBuilder, ObjectModule};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};
use ruffc::link::{self, LinkError, LinkOptions, Linker, Symbols};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

type Elf = elf::FileHeader64<Endianness>;

/// An object that defines `name(number) = number + added`, or, with a callee,
/// `callee(number) + added`.
fn object(name: &str, added: i64, callee: Option<&str>) -> Vec<u8> {
    let mut flags = settings::builder();
    flags.set("is_pic", "true").unwrap();
    let isa = cranelift_native::builder()
        .unwrap()
        .finish(settings::Flags::new(flags))
        .unwrap();
    let names = cranelift_module::default_libcall_names();
    let mut module = ObjectModule::new(ObjectBuilder::new(isa, name, names).unwrap());
    let function = declare(&mut module, name, Linkage::Export);
    let callee = callee.map(|callee| declare(&mut module, callee, Linkage::Import));

    let mut context = module.make_context();
    let signature = module.declarations().get_function_decl(function);
    context.func.signature = signature.signature.clone();
    let mut functions = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut functions);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    builder.seal_block(block);
    let mut value = builder.block_params(block)[0];
    if let Some(callee) = callee {
        let callee = module.declare_func_in_func(callee, builder.func);
        let call = builder.ins().call(callee, &[value]);
        value = builder.inst_results(call)[0];
    }
    let added = builder.ins().iconst(types::I64, added);
    let sum = builder.ins().iadd(value, added);
    builder.ins().return_(&[sum]);
    builder.finalize(module.target_config());
    module.define_function(function, &mut context).unwrap();
    module.finish().emit().unwrap()
}

fn declare(module: &mut ObjectModule, name: &str, linkage: Linkage) -> FuncId {
    let mut signature = module.make_signature();
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I64));
    module.declare_function(name, linkage, &signature).unwrap()
}

fn options(directory: &TempDir, name: &str) -> LinkOptions {
    LinkOptions::new(target_lexicon::HOST, directory.path().join(name))
}

/// Links a program that exits with the number of its arguments plus 40.
fn program(directory: &TempDir, change: impl FnOnce(&mut LinkOptions)) -> Vec<u8> {
    let mut options = options(directory, "program");
    change(&mut options);
    link::executable(&object("main", 40, None), &options).expect("it links");
    std::fs::read(&options.output).expect("the executable")
}

fn exit_code(program: &Path, arguments: &[&str]) -> Option<i32> {
    Command::new(program)
        .args(arguments)
        .status()
        .expect("it starts")
        .code()
}

#[test]
fn a_program_gets_its_arguments_and_returns_its_code() {
    let directory = TempDir::new().unwrap();
    program(&directory, |_| {});
    let path = directory.path().join("program");
    assert_eq!(exit_code(&path, &[]), Some(41));
    assert_eq!(exit_code(&path, &["a", "b"]), Some(43));
}

#[test]
fn the_runtime_is_linked_when_it_is_referred_to() {
    let directory = TempDir::new().unwrap();
    let archive = directory.path().join("libruffrt.a");
    let runtime = object("ruff_answer", 2, Some("ruff_more"));
    let more = object("ruff_more", 1, None);
    std::fs::write(&archive, archive_of(&[runtime, more])).unwrap();

    let mut options = options(&directory, "program");
    options.runtime = Some(archive);
    link::executable(&object("main", 40, Some("ruff_answer")), &options).expect("it links");
    assert_eq!(exit_code(&options.output, &[]), Some(44));
}

fn archive_of(objects: &[Vec<u8>]) -> Vec<u8> {
    use ar_archive_writer::{ArchiveKind, DEFAULT_OBJECT_READER, NewArchiveMember};
    let members: Vec<_> = objects
        .iter()
        .map(|object| NewArchiveMember::new(object, &DEFAULT_OBJECT_READER, "m.o".to_owned()))
        .collect();
    let mut written = std::io::Cursor::new(Vec::new());
    ar_archive_writer::write_archive_to_stream(
        &mut written,
        &members,
        ArchiveKind::Gnu,
        false,
        None,
    )
    .unwrap();
    written.into_inner()
}

#[test]
fn executables_are_hardened() {
    let directory = TempDir::new().unwrap();
    let bytes = program(&directory, |options| options.linker = Linker::Wild);
    let header = Elf::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    // Position independent.
    assert_eq!(header.e_type(endian), elf::ET_DYN);

    let segments = header.program_headers(endian, &*bytes).unwrap();
    let is_writable_code = |flags| flags & elf::PF_W != 0 && flags & elf::PF_X != 0;
    assert!(
        !segments
            .iter()
            .any(|segment| is_writable_code(segment.p_flags(endian)))
    );
    let of_type = |p_type| {
        segments
            .iter()
            .find(|segment| segment.p_type(endian) == p_type)
    };
    let stack = of_type(elf::PT_GNU_STACK).expect("a word about the stack");
    assert_eq!(stack.p_flags(endian) & elf::PF_X, 0);
    // What the loader writes can't be written again.
    assert!(of_type(elf::PT_GNU_RELRO).is_some());
    assert_eq!(dynamic(&bytes, elf::DT_TEXTREL), []);
    let flags = dynamic(&bytes, elf::DT_FLAGS_1)[0];
    assert_ne!(flags & u64::from(elf::DF_1_NOW), 0);
}

/// The values of the entries of `tag` in the dynamic section.
fn dynamic(executable: &[u8], tag: i64) -> Vec<u64> {
    let header = Elf::parse(executable).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, executable).unwrap();
    let (entries, _) = sections.dynamic(endian, executable).unwrap().unwrap();
    let of_tag = entries.iter().filter(|entry| entry.tag(endian) == tag);
    of_tag.map(|entry| entry.val(endian)).collect()
}

#[test]
fn executables_are_small_and_need_only_libc() {
    let directory = TempDir::new().unwrap();
    let bytes = program(&directory, |options| options.linker = Linker::Wild);
    assert_eq!(dynamic(&bytes, elf::DT_NEEDED).len(), 1);
    let size = bytes.len();
    assert!(size < 8_000, "{size} bytes of a program that does nothing");
    let kept = program(&directory, |options| options.symbols = Symbols::Kept);
    assert!(!contains(&bytes, b"__libc_start_call_main") && !contains(&bytes, b"_start\0"));
    assert!(contains(&kept, b"_start\0"));
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    assert_eq!(program(&one, |_| {}), program(&two, |_| {}));
}

#[test]
fn everyone_may_run_what_was_linked() {
    let directory = TempDir::new().unwrap();
    program(&directory, |_| {});
    // The mask of whoever runs the tests is not known, but its owner may.
    let metadata = directory.path().join("program").metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o700, 0o700);
    assert_eq!(metadata.permissions().mode() & 0o022, 0);
}

#[test]
fn a_failed_link_leaves_the_old_output_alone() {
    let directory = TempDir::new().unwrap();
    let options = options(&directory, "program");
    std::fs::write(&options.output, "old").unwrap();
    let lacking = object("main", 0, Some("no_such_function"));
    let error = link::executable(&lacking, &options).expect_err("it can't link");
    assert!(error.to_string().contains("no_such_function"), "{error}");
    assert_eq!(std::fs::read(&options.output).unwrap(), b"old");
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_running_program_can_be_linked_again() {
    let directory = TempDir::new().unwrap();
    let mut options = options(&directory, "program");
    options.linker = Linker::Wild;
    let pause = object("main", 0, Some("sleep"));
    link::executable(&pause, &options).expect("it links");
    let mut running = Command::new(&options.output).spawn().expect("it starts");
    program(&directory, |_| {});
    assert_eq!(exit_code(&options.output, &[]), Some(41));
    running.wait().unwrap();
}

#[test]
fn an_output_that_cannot_be_is_refused() {
    let directory = TempDir::new().unwrap();
    let main = object("main", 0, None);
    let is_directory = link::executable(&main, &options(&directory, "."));
    assert!(matches!(is_directory, Err(LinkError::OutputIsDirectory(_))));
    let in_nothing = link::executable(&main, &options(&directory, "none/program"));
    let error = in_nothing.expect_err("there is no such directory");
    assert!(matches!(error, LinkError::Write(..)));
    assert!(
        error
            .to_string()
            .ends_with("none/program`: No such file or directory (os error 2)")
    );
}

#[test]
fn a_linker_that_is_not_there_is_named() {
    let directory = TempDir::new().unwrap();
    let mut options = options(&directory, "program");
    options.linker = "/no/such/linker".parse().unwrap();
    let error = link::executable(&object("main", 0, None), &options).expect_err("it can't");
    assert!(matches!(error, LinkError::NoProgram(_)));
    assert_eq!(
        error.to_string(),
        "the linker `/no/such/linker` was not found"
    );
}

#[test]
fn a_target_without_a_runtime_is_named() {
    // Some of them may have been added on this machine.
    let targets = [
        "s390x-unknown-linux-gnu",
        "riscv64gc-unknown-linux-gnu",
        "aarch64-unknown-linux-musl",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ];
    let is_named = |target: &&str| {
        let directory = TempDir::new().unwrap();
        let mut options = options(&directory, "program");
        options.target = target.parse().unwrap();
        let error = link::executable(&object("main", 0, None), &options).expect_err("it can't");
        let is_missing = matches!(error, LinkError::NoRuntime { .. });
        assert!(!is_missing || error.to_string().contains(target));
        is_missing
    };
    assert!(targets.iter().any(is_named), "all of them have runtimes");
}

/// Whoever builds this project has a C compiler, and with it `ld`.
#[test]
fn other_linkers_make_the_same_program() {
    for linker in ["cc", "ld"] {
        let directory = TempDir::new().unwrap();
        program(&directory, |options| {
            options.linker = linker.parse().unwrap()
        });
        let path = directory.path().join("program");
        assert_eq!(exit_code(&path, &["a"]), Some(42), "{linker}");
    }
}
