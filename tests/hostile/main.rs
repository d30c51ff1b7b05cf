//! Input that nobody would write: damaged bytecode, damaged modules, damaged documents.
//!
//! What must hold for any input stands in the other files; `fuzz/` feeds the
//! same functions.  Here they get what random changes, always the same ones,
//! make of good input.  Texts for the parser are in `tests/front_end.rs`.

mod bytecode;
mod formats;

use bytecode::Fate;
use fastrand::Rng;
use ruff_runtime::bytecode::{encode, verify};
use ruffc::lower;
use ruffc::modules::{self, Compiled};
use ruffc::resolve::Role;
use ruffc::source::SourceMap;
use ruffc::syntax::{self, ast};
use ruffc::vm::Chunk;
use std::sync::Arc;

/// Programs without loops that use all sorts of instructions.
const PROGRAMS: &[&str] = &[
    "func add(a, b) { return a + b }
     mut x := add(1, 2.5)
     x *= -3
     print(x, x < 2 && !(x == 1), \"a${x}b\"[0], 7 % 2 / 1)",
    "func pair() { mut n := 0 return {\"inc\": func(d) { n += d return n }, \"get\": func() { return n }} }
     p := pair()
     p.inc(2)
     q := p
     q.k = [p.get(), ...[1, 2], {\"a\": 1, ...{\"b\": 2}}]
     q.k[3].b += 1
     q[\"k\"].push(5)
     print(q.k, q?.none ?? 3, len(q.k), q.k.pop())",
    "struct P { x := 1 y := [1]
         func op_add(self, o) { return P { x: self.x + o.x } }
         func move(self, d) { self.x += d self.y[0] = d return self.x } }
     mut a := P { x: 2 }
     b := a + a
     a.move(3)
     print(a, b == a, a.y, map([1, 2], func(v) { return v + a.x }))
     [c, ...d] := [b, a, 1]
     {x: e, ...f} := a
     print(c, d, e, f)",
    "func find(k) {
         v := match_it(k)
         return Ok(v?)
     }
     func match_it(k) {
         match k {
             case 1 | 2: { found := Some(k) }
             case [a, ...r] if a > 0: { found := Err(r) }
             case {k: Some(n)}: { found := Ok(n) }
             case n if n == \"s\": { throw(\"no \" + n) }
             default: { found := None }
         }
         return found
     }
     print(find(1), find([1, 2]), find({\"k\": Some(4)}), find(5))
     try { find(\"s\") } except e { print(e.message, e.stack) }
     try { print([1][3]) } except { print(\"out\") }",
    "func* numbers(n) { try { yield n yield [n] } except e { yield e } yield n + 1 }
     g := numbers(3)
     print(g.next(), g.next(), g.next(), g.next())
     print(numbers(1).map(func(x) { return [x] }).collect())
     async func later(v) { return v * 2 }
     print(await later(4), [3, 1, 2] |> sort, if len(\"é\") > 0 { \"y\" } else { \"n\" })
     enum E { A, B }
     let k := E::A(1, \"s\")
     print(k, k == E::B, type(k), -9223372036854775808 + 1)
     print(9223372036854775807 + 1)",
];

#[test]
fn damaged_bytecode() {
    let originals: Vec<Vec<u8>> = PROGRAMS
        .iter()
        .map(|text| {
            let chunk = Chunk::compile("test.ruff", text).expect("it is valid");
            encode::encode(chunk.program())
        })
        .collect();
    for bytes in &originals {
        assert_eq!(bytecode::check(bytes), Fate::Run, "as it was made");
    }
    let mut random = Rng::with_seed(0x5eed);
    let mut fates = [0; 4];
    for round in 0..8_000 {
        let mut bytes = originals[round % originals.len()].clone();
        for _ in 0..random.usize(1..4) {
            // The first bytes say that it is a program.
            damage(&mut bytes, 8, &mut random);
        }
        fates[bytecode::check(&bytes) as usize] += 1;
    }
    // If little came far, little was tested.
    let [undecodable, invalid, _, run] = fates;
    assert!(undecodable > 500 && invalid > 500 && run > 500, "{fates:?}");
}

/// A module that uses all sorts of tables, and exports all sorts of things.
const MODULE: &str = "
export struct P { x := 1 y := [1]
    func op_add(self, o) { return P { x: self.x + o.x } }
    func move(self, d) { self.x += d self.y[0] = d return self.x }
    func sum() { return x + added } }
mut count := 0
export func add(n) { count += n q.k[0].b += 1 return [count, P { x: n }] }
mut q := {k: [{b: 1}]}
export func pair() { mut n := 0 return func(d) { n += d return n } }
export func* numbers(n) { yield n yield [n, ...[n]] }
export enum E { A, B }
export func of(e) { match e { case E::A: { return 1 } case {k: v}: { return add(v = 2) } default: { return 2.5 } } }
export mut last := null
if count > 3 { return }
export late := of(E::B)
";

fn parse(name: &str, text: &str, sources: &mut SourceMap) -> ast::Program {
    let file = sources.add(name, text);
    syntax::parse(sources, file).expect("it parses")
}

#[test]
fn damaged_modules() {
    let mut sources = SourceMap::new();
    let module = parse("shapes.ruff", MODULE, &mut sources);
    let graph = modules::load_alone("shapes", module, &[], &mut sources);
    let mut compiled = lower::lower_alone(graph.expect("it is a module"), &sources);
    verify::verify(&mut compiled.program).expect("what was lowered is valid");
    let original = compiled.encode();
    assert_eq!(Compiled::decode(&original).as_ref(), Ok(&compiled));

    let mut random = Rng::with_seed(0x30d5);
    let mut read = 0;
    for _ in 0..6_000 {
        let mut bytes = original.clone();
        for _ in 0..random.usize(1..3) {
            damage(&mut bytes, Compiled::SEAL, &mut random);
        }
        let sealed = Compiled::seal(&bytes[Compiled::SEAL..]);
        let Ok(damaged) = Compiled::decode(&sealed) else {
            continue;
        };
        read += 1;
        let mut sources = SourceMap::new();
        let text = "import shapes\nfrom shapes import add\nprint(add(1), shapes)\n";
        let script = Arc::new(parse("main.ruff", text, &mut sources));
        let ready = [Arc::new(damaged)];
        let graph = modules::load_as(Role::Program, script, &[], &ready, &mut sources);
        // Imports of its own may be missing.
        if let Ok(graph) = graph {
            let mut program = lower::lower(graph, &sources);
            let _ = verify::verify(&mut program);
        }
    }
    assert!(read > 500, "{read}");
}

/// Documents in the formats that are read.
const DOCUMENTS: &[&str] = &[
    r#"{"a": [1, -2.5e3, true, null, "x\u00e9\ud83d\ude00\n"], "b": {"c": {}}, "d": 1e400, "e": []}"#,
    r#"[[[[0.1, 9223372036854775807, -9223372036854775808, 9223372036854775808]]], "\"\\\/", -0]"#,
    "title = \"t\"\n[a.b]\nn = 0x1f\nf = 1_000.5\nt = 1979-05-27T07:32:00Z\nl = [1, [\"x\", 2]]\n[[c]]\nk = '''raw\n'''\n[[c]]\ninline = {x = 1, y.z = true}\ninf = -inf\n",
    "a: 1\nb:\n  - x\n  - {c: [1, 2.5, ~], d: \"q\\t\"}\n  - |\n    text\n    more\nc: &anchor {k: v}\nd: *anchor\n? e\n: !!str 5\nf: 0o17\ng: .inf\n",
    "- 1\n- - two\n  - 'it''s'\n-\n  k: >-\n    folded\n    line\n---\n...\n",
    "name,n,\"q,\"\"x\"\"\"\nada,1,\"two\nlines\"\nbob,,x\n\"\",1.5,true\n",
];

#[test]
fn damaged_documents() {
    for document in DOCUMENTS {
        assert!(formats::check(document) > 0, "{document}");
    }
    let mut random = Rng::with_seed(0xd0c5);
    let mut read = 0;
    for round in 0..6_000 {
        let mut bytes = DOCUMENTS[round % DOCUMENTS.len()].as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            damage(&mut bytes, 0, &mut random);
        }
        read += formats::check(&String::from_utf8_lossy(&bytes));
    }
    assert!(read > 3_000, "{read}");
}

/// Changes bytes from `start` on.
fn damage(bytes: &mut Vec<u8>, start: usize, random: &mut Rng) {
    if bytes.len() <= start + 1 {
        return;
    }
    let at = random.usize(start..bytes.len());
    let end = (at + random.usize(1..8)).min(bytes.len());
    let to = random.usize(start..bytes.len());
    match random.usize(0..8) {
        0 => bytes.truncate(at),
        1 => bytes[at] = random.u8(..),
        2 => bytes[at] ^= 1 << random.u32(0..8),
        3 => bytes[at] = bytes[at].wrapping_add(1),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(to..to, copy);
        }
        6 => bytes.swap(at, to),
        _ => bytes[at] = bytes[to],
    }
}
