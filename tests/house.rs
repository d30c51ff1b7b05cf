//! The rules of the house that the compiler doesn't know: who may import whom,
//! how long files get, where `unsafe` may stand and what must stand beside it.
//!
//! The tables say what holds; a change here is a decision, not a formality.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A part of the project: a crate's rooms, from the ground up.  A room may use
/// the rooms of lower floors and of its own.
struct House {
    /// Where its files are.
    folder: &'static str,
    floors: &'static [&'static [&'static str]],
    /// Uses that go up, with the reason why they must.
    exceptions: &'static [(&'static str, &'static str, &'static str)],
}

const COMPILER: House = House {
    folder: "src",
    floors: &[
        &["source"],
        &["diagnostic"],
        &["syntax"],
        &["resolve"],
        &["modules"],
        &["lower"],
        &["infer"],
        &["check", "interface"],
        &["codegen"],
        &["emit", "link", "bindgen"],
        &["toolchain", "explain"],
        &["vm"],
        &["driver"],
        &["cli"],
    ],
    exceptions: &[],
};

const RUNTIME: House = House {
    folder: "runtime/src",
    floors: &[
        &["platform"],
        &["value", "heap", "bytecode", "names"],
        &["sync"],
        &["error", "output", "loaded", "context", "call", "foreign"],
        &["threads"],
        &["semantics"],
        &["builtins"],
        &["interp"],
        &["start"],
        &["abi", "host"],
    ],
    exceptions: &[
        (
            "value",
            "builtins",
            "a built-in as a value points at its row",
        ),
        ("heap", "call", "a function object holds its entry"),
        (
            "context",
            "builtins",
            "generated code finds the rows through the context",
        ),
        (
            "loaded",
            "builtins",
            "a loaded program holds its built-ins' rows",
        ),
    ],
};

/// Which rooms of the runtime each room of the compiler may use, besides what
/// programs are made of: `bytecode`, `names` and what stands in their tables.
const RUNTIME_USERS: &[(&str, &[&str])] = &[
    ("resolve", &["bytecode", "names", "builtins"]),
    ("modules", &["bytecode", "names", "builtins"]),
    ("lower", &["bytecode", "names", "heap", "value", "builtins"]),
    ("infer", &["bytecode", "names", "heap", "value", "builtins"]),
    ("check", &["bytecode", "names", "builtins"]),
    ("interface", &["bytecode", "host"]),
    (
        "codegen",
        &[
            "bytecode", "names", "heap", "value", "builtins", "context", "abi", "host",
        ],
    ),
    (
        "emit",
        &[
            "bytecode", "names", "heap", "value", "builtins", "context", "call", "loaded",
            "interp", "abi", "host", "foreign",
        ],
    ),
    ("explain", &["bytecode", "value"]),
    ("link", &["foreign"]),
    ("bindgen", &["bytecode"]),
    (
        "vm",
        &[
            "bytecode", "names", "heap", "value", "builtins", "context", "call", "loaded",
            "interp", "start", "error", "output",
        ],
    ),
    (
        "driver",
        &[
            "bytecode", "names", "context", "loaded", "interp", "start", "output", "builtins",
        ],
    ),
];

/// Files that may be longer than `MOST_LINES`: tables.
const LONG_TABLES: &[&str] = &[];
const MOST_LINES: usize = 800;

/// Where `unsafe` may stand: rooms of the runtime, and files of the compiler.
const UNSAFE: &[&str] = &[
    "runtime/src/platform",
    "runtime/src/value",
    "runtime/src/heap",
    "runtime/src/call",
    "runtime/src/sync",
    "runtime/src/threads",
    "runtime/src/abi",
    "runtime/src/host",
    "runtime/src/foreign",
    "runtime/src/semantics",
    "runtime/src/interp",
    "runtime/src/builtins/system",
    "runtime/src/loaded",
    "runtime/src/output",
    "runtime/src/start",
    "runtime/src/context",
    "src/emit/jit",
];

/// A source file: its path from the root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines with their numbers from 1; those that are nothing but a comment
    /// are empty.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().zip(1..).map(|(line, number)| {
            let code = if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            };
            (number, code)
        })
    }

    /// The same without the tests at the file's end.
    fn code_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self
            .text
            .find("#[cfg(test)]\nmod ")
            .unwrap_or(self.text.len());
        let last = self.text[..tests].lines().count();
        self.code().take_while(move |(number, _)| *number <= last)
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs")
            || self.path.starts_with("tests/")
            || self.path.contains("/tests/")
    }
}

/// All files with the extension below a folder, sorted by path.
fn sources(folder: &str, extensions: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&Path::new(ROOT).join(folder), &mut files);
    files.sort();
    files
        .into_iter()
        .filter(|file| {
            extensions.iter().any(|wanted| {
                file.extension()
                    .is_some_and(|extension| extension == *wanted)
            })
        })
        .map(|file| {
            let bytes =
                fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let path = file
                .strip_prefix(ROOT)
                .expect("found below the root")
                .display()
                .to_string();
            Source {
                path,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                collect(&path, files);
            }
        } else {
            files.push(path);
        }
    }
}

fn rust_sources() -> Vec<Source> {
    let mut found = sources("src", &["rs"]);
    found.extend(sources("runtime", &["rs"]));
    found.extend(sources("tests", &["rs"]));
    found.extend(sources("benches", &["rs"]));
    found
}

fn assert_none(rule: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}

/// The room that a file belongs to: its first name below the crate's folder.
fn room<'a>(house: &House, path: &'a str) -> &'a str {
    let inside = path[house.folder.len()..].trim_start_matches('/');
    let first = inside.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs")
}

/// The words that follow each `prefix::` in a line; several if a group does.
fn used_rooms(line: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(prefix) {
        if line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &line[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut starts = true;
        for (index, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                _ if starts && !letter.is_whitespace() => {
                    found.extend(word(&group[index..]));
                    starts = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The text without comments, so that a group of imports is one line.
fn joined_code(source: &Source) -> String {
    source
        .code()
        .map(|(_, line)| line.split(" // ").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}

/// How many floors above the ground a room is; `None` for crate roots.
fn floor(house: &House, room: &str) -> Option<usize> {
    house.floors.iter().position(|floor| floor.contains(&room))
}

fn upward_imports(house: &House) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources(house.folder, &["rs"]) {
        let from = room(house, &source.path);
        if from == "lib" || from == "main" {
            continue;
        }
        let Some(own) = floor(house, from) else {
            violations.push(format!("{}: the room `{from}` is in no table", source.path));
            continue;
        };
        let code = joined_code(&source);
        let mut used = used_rooms(&code, "crate::");
        // From a room's own file, `super` is the crate.
        if source.path == format!("{}/{from}.rs", house.folder) {
            used.extend(used_rooms(&code, "super::"));
        }
        for to in used {
            let excepted = house
                .exceptions
                .iter()
                .any(|(one, other, _)| (*one, *other) == (from, to.as_str()));
            if floor(house, &to).is_some_and(|other| other > own) && !excepted {
                violations.push(format!("{}: `{from}` uses `{to}`", source.path));
            }
        }
    }
    violations.dedup();
    violations
}

#[test]
fn imports_point_down() {
    let mut violations = upward_imports(&COMPILER);
    violations.extend(upward_imports(&RUNTIME));
    assert_none("imports that point up", &violations);
}

#[test]
fn the_compiler_uses_the_runtime_where_it_may() {
    let mut violations = Vec::new();
    for source in sources(COMPILER.folder, &["rs"]) {
        let from = room(&COMPILER, &source.path);
        if from == "lib" || from == "main" {
            continue;
        }
        let allowed = RUNTIME_USERS
            .iter()
            .find(|(room, _)| *room == from)
            .map_or(&[][..], |(_, allowed)| allowed);
        for to in used_rooms(&joined_code(&source), "ruff_runtime::") {
            if !allowed.contains(&to.as_str()) {
                violations.push(format!(
                    "{}: `{from}` uses the runtime's `{to}`",
                    source.path
                ));
            }
        }
    }
    violations.dedup();
    assert_none(
        "rooms of the runtime that are not for everyone",
        &violations,
    );
}

#[test]
fn exceptions_are_needed() {
    let mut violations = Vec::new();
    for house in [&COMPILER, &RUNTIME] {
        for (from, to, _) in house.exceptions {
            let needed = sources(house.folder, &["rs"]).iter().any(|source| {
                room(house, &source.path) == *from
                    && used_rooms(&joined_code(source), "crate::")
                        .iter()
                        .any(|used| used == to)
            });
            if !needed {
                violations.push(format!("`{from}` uses `{to}`"));
            }
        }
    }
    for path in LONG_TABLES {
        let length =
            fs::read_to_string(Path::new(ROOT).join(path)).map_or(0, |text| text.lines().count());
        if length <= MOST_LINES {
            violations.push(format!("{path} may be long"));
        }
    }
    assert_none("exceptions that nothing needs", &violations);
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let mut violations = Vec::new();
    for source in rust_sources() {
        let lines = source.text.lines().count();
        if lines > MOST_LINES && !LONG_TABLES.contains(&source.path.as_str()) {
            violations.push(format!("{}: {lines} lines", source.path));
        }
        if !source.text.starts_with("//! ") {
            violations.push(format!(
                "{}: does not begin by saying what it is",
                source.path
            ));
        }
    }
    assert_none("files", &violations);
}

#[test]
fn unsafe_stays_where_it_belongs() {
    let mut violations = Vec::new();
    for source in rust_sources() {
        let allowed = UNSAFE.iter().any(|room| {
            source
                .path
                .strip_prefix(room)
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        if allowed || source.is_test() {
            continue;
        }
        for (number, line) in source.code_outside_tests() {
            if unsafe_keyword(line).is_some() {
                violations.push(format!("{}:{number}", source.path));
            }
        }
    }
    assert_none("`unsafe` outside its rooms", &violations);
}

/// What the runtime uses of the C library outside of `platform`: the same on
/// every system, where most other functions are not there on Windows.
const OF_THE_C_LIBRARY: &[&str] = &["malloc", "calloc", "realloc", "free", "abort"];

#[test]
fn the_systems_functions_are_called_in_one_place() {
    let mut violations = Vec::new();
    for source in sources("runtime/src", &["rs"]) {
        if room(&RUNTIME, &source.path) == "platform" {
            continue;
        }
        for (number, line) in source.code_outside_tests() {
            let mut calls = line.split("libc::").skip(1);
            let is_special = calls.any(|rest| {
                let name = rest
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next();
                !name.is_some_and(|name| OF_THE_C_LIBRARY.contains(&name))
            });
            if is_special {
                violations.push(format!("{}:{number}", source.path));
            }
        }
    }
    assert_none(
        "functions that not all systems have, outside of `platform`",
        &violations,
    );
}

#[test]
fn unsafe_is_argued() {
    let mut violations = Vec::new();
    for source in rust_sources() {
        if source.is_test() {
            continue;
        }
        let lines: Vec<&str> = source.text.lines().collect();
        for (number, line) in source.code_outside_tests() {
            let Some(rest) = unsafe_keyword(line) else {
                continue;
            };
            let index = number - 1;
            let argued = match rest.trim_start() {
                // A type or a bound, not a definition.
                rest if is_function_type(rest) => true,
                rest if rest.starts_with("fn ") || rest.starts_with("extern ") => {
                    in_trait_impl(&lines, index) || comment_above(&lines, index, "# Safety")
                }
                rest if rest.starts_with("trait ") => comment_above(&lines, index, "# Safety"),
                _ => comment_above(&lines, index, "SAFETY:"),
            };
            if !argued {
                violations.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none("`unsafe` without an argument", &violations);
}

/// What follows the keyword, if the line has it outside of a comment or string.
fn unsafe_keyword(line: &str) -> Option<&str> {
    let code = line.split("//").next().unwrap_or_default();
    let at = code.find("unsafe ")?;
    let before = &code[..at];
    let quoted = before.matches('"').count() % 2 == 1 || before.matches('`').count() % 2 == 1;
    let is_word = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    (is_word && !quoted).then(|| &code[at + "unsafe ".len()..])
}

/// `unsafe extern "C" fn(…)` or `unsafe fn(…)`: a type.
fn is_function_type(rest: &str) -> bool {
    rest.starts_with("fn(") || (rest.starts_with("extern ") && rest.contains(" fn("))
}

/// Whether the comment block above a line's statement holds the words.
fn comment_above(lines: &[&str], index: usize, words: &str) -> bool {
    let mut above = lines[..index]
        .iter()
        .rev()
        .map(|line| line.trim())
        .peekable();
    // The statement may have begun some lines before, and have attributes.
    while let Some(line) = above.peek() {
        if line.starts_with("//") {
            break;
        }
        if line.is_empty() || line.ends_with(';') || line.ends_with('}') {
            return false;
        }
        above.next();
    }
    above
        .take_while(|line| line.starts_with("//"))
        .any(|line| line.contains(words))
}

/// Whether a function belongs to the implementation of a trait, which says
/// what its callers owe.
fn in_trait_impl(lines: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[index]);
    let around = lines[..index]
        .iter()
        .rev()
        .find(|line| !line.trim().is_empty() && indent(line) < own);
    around.is_some_and(|line| line.contains("impl") && line.contains(" for "))
}

#[test]
fn nothing_is_unwrapped() {
    // In two parts, so that this line is not found.
    let unwrap = concat!(".unw", "rap()");
    let mut violations = Vec::new();
    for source in rust_sources() {
        if source.is_test() {
            continue;
        }
        for (number, line) in source.code_outside_tests() {
            if line.contains(unwrap) {
                violations.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none("unwrapped without saying why it is there", &violations);
}

#[test]
fn no_machine_is_named() {
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/tm", "p/"),
    ];
    let extensions = [
        "rs", "md", "toml", "ruff", "out", "err", "txt", "py", "sh", "yml", "c", "h", "json",
    ];
    let mut violations = Vec::new();
    for source in sources(".", &extensions) {
        for (line, number) in source.text.lines().zip(1..) {
            if paths.iter().any(|path| line.contains(path)) {
                violations.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none("paths of somebody's machine", &violations);
}

/// What the reference lists but programs can't call.
const INTERNAL: &[&str] = &["__vm_for_iterable"];

#[test]
fn every_built_in_is_used_by_a_program() {
    let mut words = std::collections::HashSet::new();
    let mut methods = std::collections::HashSet::new();
    let programs = sources("tests/programs", &["ruff"]);
    for source in programs.iter().chain(&sources("examples", &["ruff"])) {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        for piece in source.text.split(|character| !is_word(character)) {
            words.insert(piece.to_owned());
        }
        for call in source.text.split('.').skip(1) {
            let name: String = call.chars().take_while(|c| is_word(*c)).collect();
            if call[name.len()..].starts_with('(') {
                methods.insert(name);
            }
        }
    }
    let table = include_str!("spec/builtins-core.tsv");
    let names = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    let missing: Vec<String> = names
        .filter(|name| !INTERNAL.contains(name))
        .filter(|name| match name.split_once('.') {
            Some((_, method)) => !methods.contains(method),
            None => !words.contains(*name),
        })
        .map(str::to_owned)
        .collect();
    assert_none("built-ins without a program that shows them", &missing);
}
