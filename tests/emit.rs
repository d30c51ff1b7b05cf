//! What is in an object file, and what is not.

use object::read::{Object, ObjectSection, ObjectSymbol, RelocationTarget};
use object::{RelocationKind, SectionKind};
use ruff_runtime::abi::{Helper, entry};
use ruff_runtime::bytecode::{Program, verify};
use ruffc::emit::{self, Bodies, Memory, Options, TargetOptions};
use ruffc::source::SourceMap;
use ruffc::{infer, lower, modules, syntax};
use std::collections::BTreeSet;
use std::sync::Arc;
use target_lexicon::Triple;

/// Uses of most of what the language has.
const BROAD: &str = r#"
struct Point { x: int, y: int
    func op_add(self, other) { return Point { x: self.x + other.x, y: self.y + other.y } }
    func grow(self, by) { self.x += by }
}
func fib(n) { if n < 2 { return n }  return fib(n - 1) + fib(n - 2) }
func fails(n) { if n > 2 { throw "too much: ${n}" }  return n / 2.0 }
mut counts := {}
mut points := []
for word in ["a", "b", "a"] { counts[word] = (counts[word] ?? 0) + 1 }
for i in range(10) { points = push(points, Point { x: i, y: fib(i) }) }
mut total := Point { x: 0, y: 0 }
for p in points { total = total + p }
total.grow(3)
let scaled := map([1, 2, 3], func(n) { return n * total.x })
try { fails(7) } except e { print(e.message, scaled, counts) }
print(fails(1), total)
"#;

fn program(text: &str) -> Program {
    let mut sources = SourceMap::new();
    let file = sources.add("test.ruff", text);
    let tree = syntax::parse(&sources, file).expect("the program parses");
    let graph = modules::load(Arc::new(tree), &[], &mut sources).expect("the program is accepted");
    let mut program = lower::lower(graph, &sources);
    verify::verify(&mut program).expect("the program is valid");
    program
}

fn options(triple: &str, bodies: Bodies) -> Options {
    let triple: Triple = triple.parse().expect("the target exists");
    let mut target = TargetOptions::new(triple);
    target.verify = true;
    Options {
        target,
        bodies,
        memory: Memory::Trusted,
    }
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn object(program: &Program, options: &Options) -> emit::Object {
    emit::object(program, &infer::infer(program), None, &[], options)
        .expect("the program can be compiled")
}

fn imports(bytes: &[u8]) -> BTreeSet<String> {
    let file = object::File::parse(bytes).expect("it is an object file");
    let undefined = file.symbols().filter(|symbol| symbol.is_undefined());
    let names = undefined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn an_object_imports_what_it_uses_and_nothing_else() {
    let program = program(BROAD);
    let object = object(&program, &options(TARGET, Bodies::Compiled));
    assert_eq!(object.fallbacks, []);
    let mut allowed: BTreeSet<String> = program
        .builtins
        .iter()
        .map(|name| format!("ruff_builtin_{name}"))
        .collect();
    let imported = imports(&object.bytes);
    assert!(allowed.is_subset(&imported), "{imported:?}");
    allowed.insert(entry::MAIN_SYMBOL.to_owned());
    allowed.extend(
        Helper::ALL
            .iter()
            .map(|helper| helper.row().symbol.to_owned()),
    );
    assert_eq!(imported.difference(&allowed).next(), None);
}

#[test]
fn the_interpreter_comes_along_only_for_bytecode() {
    let program = program(BROAD);
    let compiled = object(&program, &options(TARGET, Bodies::Compiled));
    assert!(!imports(&compiled.bytes).contains(entry::INTERPRET_SYMBOL));
    let kept = object(&program, &options(TARGET, Bodies::Bytecode));
    let expected: BTreeSet<String> = program
        .builtins
        .iter()
        .map(|name| format!("ruff_builtin_{name}"))
        .chain([
            entry::MAIN_SYMBOL.to_owned(),
            entry::INTERPRET_SYMBOL.to_owned(),
        ])
        .collect();
    assert_eq!(imports(&kept.bytes), expected);
    assert_eq!(kept.compiled_count, 0);
}

#[test]
fn functions_that_nothing_calls_are_left_out() {
    let with = program("func unused(n) { return n * 3 }\nprint(1)\n");
    let object = object(&with, &options(TARGET, Bodies::Compiled));
    assert_eq!(object.compiled_count, 1, "only the top level");
}

#[test]
fn code_and_constants_need_no_relocation_at_start() {
    let object = object(&program(BROAD), &options(TARGET, Bodies::Compiled));
    let file = object::File::parse(&*object.bytes).expect("it is an object file");
    for section in file.sections() {
        let is_absolute = section
            .relocations()
            .any(|(_, relocation)| relocation.kind() == RelocationKind::Absolute);
        let name = section.name().unwrap_or_default();
        assert!(!is_absolute || name == ".data.rel.ro", "{name}");
    }
    let functions = file
        .sections()
        .filter(|section| section.kind() == SectionKind::Text);
    assert!(
        functions.count() > 5,
        "each function has a section of its own"
    );
}

#[test]
fn symbols_are_the_names_of_functions() {
    let object = object(&program(BROAD), &options(TARGET, Bodies::Compiled));
    let file = object::File::parse(&*object.bytes).expect("it is an object file");
    let defined: BTreeSet<&str> = file
        .symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    for expected in ["main", "ruff.fib", "ruff.fails", "ruff.Point.op_add"] {
        assert!(defined.contains(expected), "{expected}: {defined:?}");
    }
    let exported: Vec<&str> = file
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    assert_eq!(exported, ["main"]);
}

/// Enough functions that several threads compile them.
fn large_program() -> Program {
    let mut text = String::new();
    for number in 0..300 {
        text.push_str(&format!(
            "func f{number}(a, b) {{ mut s := 0\n for i in range(a) {{ s += i * {number} - b }}\n \
             if s > b {{ return s }} return [s, b, \"{number}\"] }}\n"
        ));
        text.push_str(&format!("print(f{number}({number}, 2))\n"));
    }
    program(&text)
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let program = large_program();
    let one = object(&program, &options(TARGET, Bodies::Compiled));
    assert_eq!(one.compiled_count, 301);
    for _ in 0..3 {
        let other = object(&program, &options(TARGET, Bodies::Compiled));
        assert!(one.bytes == other.bytes);
    }
}

#[test]
fn objects_are_made_for_every_target() {
    let program = program(BROAD);
    for triple in [
        "aarch64-unknown-linux-gnu",
        "riscv64gc-unknown-linux-gnu",
        "s390x-unknown-linux-gnu",
        "x86_64-pc-windows-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "aarch64-unknown-linux-musl",
        "x86_64-unknown-freebsd",
        "riscv64gc-unknown-none-elf",
        "aarch64-unknown-none",
    ] {
        let object = object(&program, &options(triple, Bodies::Compiled));
        let file = object::File::parse(&*object.bytes);
        let file = file.unwrap_or_else(|error| panic!("{triple}: {error}"));
        let relocated = file.sections().flat_map(|section| section.relocations());
        let targets =
            relocated.filter(|(_, one)| matches!(one.target(), RelocationTarget::Symbol(_)));
        assert!(targets.count() > 10, "{triple}");
    }
}

#[test]
fn targets_without_objects_are_refused() {
    let program = program(BROAD);
    for triple in [
        "armv7-unknown-linux-gnueabihf",
        "aarch64-pc-windows-msvc",
        "aarch64_be-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu_ilp32",
        "riscv64imac-unknown-none-elf",
        "riscv64gc-apple-darwin",
        "s390x-apple-darwin",
        "x86_64-unknown-linux-gnux32",
        "x86_64-unknown-none-wasm",
    ] {
        let facts = infer::infer(&program);
        let made = emit::object(
            &program,
            &facts,
            None,
            &[],
            &options(triple, Bodies::Compiled),
        );
        let error = made.expect_err("there is no code generator");
        assert!(error.to_string().contains(triple), "{error}");
    }
}

#[test]
fn listings_name_what_is_called() {
    let program = program(BROAD);
    let facts = infer::infer(&program);
    let options = options(TARGET, Bodies::Compiled);
    let clif = emit::clif(&program, &facts, None, &options).expect("the program can be compiled");
    assert!(clif.contains("; ruff.fib\n"), "{clif}");
    assert!(clif.contains("ruff_rt_"), "{clif}");
    let assembly =
        emit::assembly(&program, &facts, None, &options).expect("the program can be compiled");
    assert!(assembly.contains("retq"), "{assembly}");
}
