//! The lexer and parser against input that nobody would write.
//!
//! Nothing here says what a program means; that is what `cases` is for.  Here
//! no input may panic, take long, or be refused without a proper reason.

#[path = "hostile/front_end.rs"]
mod front_end;

use front_end::check;
use ruffc::diagnostic::{self, Diagnostic, Form};
use ruffc::source::{MAX_SOURCE_BYTES, SourceMap};
use ruffc::syntax;
use std::path::Path;
use std::time::{Duration, Instant};

const MEGABYTE: usize = MAX_SOURCE_BYTES as usize;

/// Long for a megabyte even in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The compiler runs on such a stack, which deep trees need to be dropped.
fn on_large_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 30);
    let worker = thread.spawn(test).expect("a thread can be started");
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}

fn check_quickly(text: &str) -> Vec<Diagnostic> {
    let start = Instant::now();
    let diagnostics = check(text);
    let start_of_text: String = text.chars().take(20).collect();
    assert!(
        start.elapsed() < PATIENCE,
        "{:?} for {start_of_text:?}",
        start.elapsed()
    );
    diagnostics
}

/// A small generator of the xorshift kind, so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Every Ruff program in the repository.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests"), root.join("examples")];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "ruff")
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}

const FRAGMENTS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "${",
    "\"",
    "'",
    "\\",
    ",",
    ";",
    ":",
    ":=",
    "=",
    "+=",
    "::",
    "->",
    "?",
    "?.",
    "...",
    "|",
    "|>",
    "-",
    "!",
    "\n",
    "\r",
    "\0",
    "/*",
    "*/",
    "//",
    "#",
    "fn",
    "func",
    "func*",
    "async",
    "if",
    "else",
    "for",
    "in",
    "match",
    "case",
    "default",
    "try",
    "except",
    "struct",
    "enum",
    "import",
    "from",
    "export",
    "as",
    "test",
    "yield",
    "throw",
    "await",
    "not",
    "self",
    "Ok",
    "None",
    "x",
    "é",
    "1",
    "9223372036854775808",
    "1.5",
    "\u{1F600}",
];

#[test]
fn fragments_in_any_order() {
    on_large_stack(|| {
        let mut random = Random(0x5eed);
        for _ in 0..4000 {
            let length = random.below(60);
            let separator = if random.below(2) == 0 { " " } else { "" };
            let words: Vec<_> = (0..length)
                .map(|_| FRAGMENTS[random.below(FRAGMENTS.len())])
                .collect();
            check(&words.join(separator));
        }
    });
}

#[test]
fn characters_in_any_order() {
    on_large_stack(|| {
        let mut random = Random(0xc4a5);
        for _ in 0..2000 {
            let length = random.below(80);
            let text: String = (0..length)
                .filter_map(|_| char::from_u32(random.below(0x180) as u32))
                .collect();
            check(&text);
        }
    });
}

#[test]
fn programs_with_parts_missing_or_added() {
    on_large_stack(|| {
        let corpus = corpus();
        let mut random = Random(0xb105);
        for _ in 0..3000 {
            let mut text = corpus[random.below(corpus.len())].clone();
            // A few very long cases would take most of the time.
            text.truncate(text.floor_char_boundary(4000));
            for _ in 0..=random.below(4) {
                mutate(&mut text, &mut random);
            }
            check(&text);
        }
    });
}

fn mutate(text: &mut String, random: &mut Random) {
    let start = text.floor_char_boundary(random.below(text.len() + 1));
    let end = text.ceil_char_boundary((start + random.below(12)).min(text.len()));
    match random.below(4) {
        0 => text.truncate(start),
        1 => text.replace_range(start..end, ""),
        2 => text.insert_str(start, FRAGMENTS[random.below(FRAGMENTS.len())]),
        _ => {
            let part = text[start..end].to_string();
            text.insert_str(random_boundary(text, random), &part);
        }
    }
}

fn random_boundary(text: &str, random: &mut Random) -> usize {
    text.floor_char_boundary(random.below(text.len() + 1))
}

#[test]
fn a_megabyte_of_one_thing() {
    on_large_stack(|| {
        for part in [
            "(", "{", "[", "\"", "'", "${", "\"${", "{}", "x ", "fn(x) {",
        ] {
            check_quickly(&part.repeat(MEGABYTE / part.len()));
        }
    });
}

/// Enough for a quadratic algorithm to be noticed.
#[test]
fn much_of_one_thing() {
    on_large_stack(|| {
        for part in FRAGMENTS.iter().chain(&[
            "\"${",
            "f(",
            "f[",
            "x.",
            "[x",
            "{x:",
            "if ",
            "if x {",
            "else if x {",
            "(((",
            "- ",
            "not ",
            "fn(",
            "fn(x) {",
            "func(",
            "func() {",
            "throw(",
            "throw (",
            "for ",
            "for x;",
            "match x { case ",
            "case [",
            "Ok(",
            "E::V(",
            "P { x: ",
            "x ?? ",
            "struct S {",
            "let [",
            "let x: a<",
            "let x: func(",
            "let x: int[]",
            "\"${\"}\"",
            "\\u{",
            "import a.",
            "f(x) {",
            "{ a } := ",
            "[a] := ",
            "yield ",
            "await ",
            "spawn {",
            "test \"\" {",
            ")(",
            "](",
            "}(",
            "({",
            "([",
            "({)",
            "x\n(",
            "\n)",
            "\n}",
            "{}",
            "()",
            "[]",
        ]) {
            let text = part.repeat(MEGABYTE / 8 / part.len());
            check_quickly(&text);
            check_quickly(&format!(
                "func f() {{ x := {}",
                &text[..text.floor_char_boundary(text.len() / 2)]
            ));
        }
    });
}

/// Chains that no nesting limit bounds must not use the machine stack.
#[test]
fn chains_as_long_as_a_file() {
    on_large_stack(|| {
        let fill = |start: &str, link: &str, end: &str| {
            let count = (MEGABYTE - start.len() - end.len()) / link.len();
            format!("{start}{}{end}", link.repeat(count))
        };
        for (start, link, end) in [
            ("x := 1", "+1", ""),
            ("x := a", ".b", ""),
            ("x := a", "[0]", ""),
            ("x := a", "()", ""),
            ("x := a", "?.b()", ""),
            ("x := a", "? ", ""),
            ("x := a", "|>f", ""),
            ("x := a", "??b", ""),
            ("x := a", " and b", ""),
            ("a", ".b", " = 1"),
            ("if a{}", "else if a{}", ""),
            ("x := if a{}", "else if a{}", ""),
            ("let x: int", "[]", " = 1"),
            ("let x: int", "?", " = 1"),
            ("let x: int", "|int", " = 1"),
            ("match x { case 1", "|1", " {} }"),
            ("import a", ".a", ""),
            ("", "f()\n", ""),
            ("", "x", ""),
            ("f(", "1,", ")"),
            ("x := \"", "${1}", "\""),
            ("enum E {", "A,", "}"),
            ("func f(", "a,", ") {}"),
        ] {
            let diagnostics = check_quickly(&fill(start, link, end));
            let is_long_name = link == "x";
            assert_eq!(diagnostics.is_empty(), !is_long_name, "{start}{link}{end}");
        }
    });
}

/// A span is right if the text it covers, parsed alone, is the same tree.
#[test]
fn statements_cover_their_text() {
    on_large_stack(|| {
        for text in corpus() {
            let mut sources = SourceMap::new();
            let file = sources.add("whole.ruff", text);
            let Ok(program) = syntax::parse(&sources, file) else {
                continue;
            };
            for statement in program.body {
                let part = sources.text(statement.span).to_string();
                let file = sources.add("part.ruff", part.as_str());
                let alone = syntax::parse(&sources, file).expect("a part of a program is one");
                let span = statement.span;
                let expected = syntax::ast::Program {
                    body: vec![statement],
                    embeds: Vec::new(),
                    span,
                };
                assert_eq!(
                    syntax::dump::tree(&alone),
                    syntax::dump::tree(&expected),
                    "{part}"
                );
            }
        }
    });
}

#[test]
fn long_chains_can_be_dumped() {
    on_large_stack(|| {
        let mut sources = SourceMap::new();
        let file = sources.add("test.ruff", format!("x := 1{}", "+1".repeat(100_000)));
        let program = syntax::parse(&sources, file).expect("it is a program");
        assert_eq!(syntax::dump::tree(&program).lines().count(), 200_003);
    });
}

#[test]
fn a_file_that_is_too_large() {
    let found = check(&" ".repeat(MEGABYTE + 1));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "Source size 1048577 bytes exceeds maximum allowed 1048576 bytes"
    );
    assert!(check(&" ".repeat(MEGABYTE)).is_empty());
}

/// Not a case because tools take a file with these bytes for a binary one.
#[test]
fn control_characters() {
    let found = check("a := \0\u{1}\u{b}\n# \0\n/* \0 */ b := '\0'\nc := \"\\\u{1b}\"");
    let shown: Vec<_> = found
        .iter()
        .map(|found| format!("{} {}", found.code.text(), found.message))
        .collect();
    let null_byte = "RUFLEX002 Null byte is not allowed in source";
    assert_eq!(
        shown,
        [
            null_byte,
            "RUFLEX001 Invalid character: '\\u{1}'",
            "RUFLEX001 Invalid character: '\\u{b}'",
            null_byte,
            null_byte,
            null_byte,
            "RUFLEX005 Invalid escape sequence: \\\\\\u{1b}",
        ]
    );
}

#[test]
fn a_file_that_does_not_end_with_a_line_end() {
    let mut sources = SourceMap::new();
    let file = sources.add("test.ruff", "print(1 + ");
    let found = syntax::parse(&sources, file).expect_err("it is not a program");
    assert_eq!(
        diagnostic::text(&found[0], &sources, Form::Plain)
            .lines()
            .take(2)
            .collect::<Vec<_>>(),
        [
            "[RUFPARSE001] [parser] error: Expected expression",
            "  --> test.ruff:1:11"
        ]
    );
}

#[test]
fn a_file_that_is_not_utf8() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("bad.ruff");
    std::fs::write(&path, b"x := \xff").expect("the file can be written");
    let error = SourceMap::new().load(&path).expect_err("it is not UTF-8");
    let found = Diagnostic::from(error);
    assert_eq!(found.exit_status(), 5);
    assert!(
        found
            .message
            .starts_with(&format!("Failed to read .ruff file '{}': ", path.display()))
    );
}
