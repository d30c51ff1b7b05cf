//! What became of a program, line by line, and what would make it faster.
//!
//! This room only reads: decisions were recorded where they were taken, types
//! are those that inference found.  Here they get a place in the source, words,
//! and a heat, which says how much something costs where it stands.

mod code;
mod heat;
mod hints;
mod html;
mod json;
mod notes;
mod text;
mod words;

pub use html::html;
pub use json::json;
pub use text::{Colours, text};

use crate::codegen::decision::Decision;
use crate::emit::{Decided, Fallback};
use crate::infer::{self, Facts, Type};
use crate::source::SourceMap;
use ruff_runtime::bytecode::{FunctionId, Program};
use rustc_hash::{FxHashMap, FxHashSet};

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    // What is fast, in the order in which it is told.
    Specialised,
    Unboxed,
    InRegisters,
    Inlined,
    Dissolved,
    LoopInPlace,
    Hoisted,
    InPlace,
    Direct,
    Native,
    // What is slow.
    Bytecode,
    Dynamic,
    Boxed,
    Allocated,
    Copied,
    InMemory,
    // What costs a little wherever it stands.
    Called,
    Counted,
}

/// How a kind of note is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Fast,
    Plain,
    Slow,
}

impl Kind {
    /// All kinds, in the order in which they are told.
    pub const ALL: [Kind; 18] = [
        Kind::Specialised,
        Kind::Unboxed,
        Kind::InRegisters,
        Kind::Inlined,
        Kind::Dissolved,
        Kind::LoopInPlace,
        Kind::Hoisted,
        Kind::InPlace,
        Kind::Direct,
        Kind::Native,
        Kind::Bytecode,
        Kind::Dynamic,
        Kind::Boxed,
        Kind::Allocated,
        Kind::Copied,
        Kind::InMemory,
        Kind::Called,
        Kind::Counted,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Specialised => "specialised",
            Kind::Unboxed => "unboxed",
            Kind::InRegisters => "in registers",
            Kind::Inlined => "inlined",
            Kind::Dissolved => "dissolved",
            Kind::LoopInPlace => "loop in place",
            Kind::Hoisted => "hoisted",
            Kind::InPlace => "in place",
            Kind::Direct => "direct call",
            Kind::Native => "native",
            Kind::Bytecode => "bytecode",
            Kind::Dynamic => "dynamic",
            Kind::Boxed => "boxed",
            Kind::Allocated => "allocated",
            Kind::Copied => "copied",
            Kind::Counted => "counted",
            Kind::InMemory => "in memory",
            Kind::Called => "called",
        }
    }

    /// What that means.
    pub fn meaning(self) -> &'static str {
        match self {
            Kind::Specialised => "the function is made for just these kinds of values",
            Kind::Unboxed => "numbers and bools in registers, without a word for their kind",
            Kind::InRegisters => "a struct is its fields, each in a register: there is no object",
            Kind::Inlined => "there is no call: the code stands here",
            Kind::Dissolved => "a generator is part of the loop that asks it",
            Kind::LoopInPlace => "the loop of map, filter or reduce is made here",
            Kind::Hoisted => "looked up once before the loop: where elements are, and how many",
            Kind::InPlace => "changed where it is, as long as nobody else has it",
            Kind::Direct => "called by name, with arguments in registers",
            Kind::Native => "elements and fields are found without a call",
            Kind::Bytecode => "the interpreter runs the function",
            Kind::Dynamic => "what is to be done depends on kinds that are only known at run time",
            Kind::Boxed => "a variable's value is two words, one of them for its kind",
            Kind::Allocated => "an object is made each time",
            Kind::Copied => "arrays, dicts and structs are values: a change copies what two have",
            Kind::InMemory => "functions share the variable, so it can't be in a register",
            Kind::Called => "the runtime's function does it, with operands in memory",
            Kind::Counted => "one more owner is noted",
        }
    }

    /// How it is told.
    pub fn tone(self) -> Tone {
        match self {
            Kind::Called | Kind::Counted => Tone::Plain,
            _ if self.cost() == 0 => Tone::Fast,
            _ => Tone::Slow,
        }
    }

    /// What it costs whenever control comes by; nothing if it is fast.
    fn cost(self) -> u32 {
        match self {
            Kind::Specialised
            | Kind::Unboxed
            | Kind::InRegisters
            | Kind::Inlined
            | Kind::Dissolved
            | Kind::LoopInPlace
            | Kind::Hoisted
            | Kind::InPlace
            | Kind::Direct
            | Kind::Native => 0,
            Kind::Bytecode => 40,
            Kind::Dynamic => 10,
            Kind::Allocated => 8,
            Kind::Copied => 8,
            Kind::Boxed => 3,
            Kind::InMemory | Kind::Called | Kind::Counted => 1,
        }
    }

    /// Whether it is worth telling wherever it stands.
    fn is_always_told(self) -> bool {
        matches!(
            self,
            Kind::Bytecode
                | Kind::Specialised
                | Kind::Dissolved
                | Kind::Hoisted
                | Kind::LoopInPlace
        )
    }
}

/// Something about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which of the program's files.
    pub file: u32,
    pub line: u32,
    pub column: u32,
    /// The function that it stands in.
    pub function: String,
    pub kind: Kind,
    pub text: String,
    /// Why it is slow.
    pub why: Option<String>,
    /// What would make it fast.
    pub hint: Option<String>,
    /// Loops that it is in, those around calls of the function included.
    pub loops: u32,
}

/// Loops within loops that make a difference.
const MOST_LOOPS: u32 = 3;

impl Note {
    /// What it costs in all; several times more in each loop.
    pub fn cost(&self) -> u32 {
        self.kind.cost() * 8u32.pow(self.loops.min(MOST_LOOPS))
    }

    /// From 0, fast or of no account, to 4, where the time goes.
    pub fn heat(&self) -> u32 {
        match self.cost() {
            _ if self.kind.tone() != Tone::Slow => 0,
            _ if self.loops == 0 && self.kind != Kind::Bytecode => 0,
            0 => 0,
            1..=15 => 1,
            16..=99 => 2,
            100..=999 => 3,
            _ => 4,
        }
    }

    /// Whether it says something about where the time goes: what happens once
    /// does not.
    fn matters(&self) -> bool {
        self.loops > 0 || self.kind.is_always_told()
    }
}

/// Which notes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those about what may happen often.
    Often,
    Everything,
}

/// Something slow, and the lines where it is, its own the first.
#[derive(Clone, Debug)]
pub struct Worst<'a> {
    pub note: &'a Note,
    pub lines: Vec<u32>,
}

impl Worst<'_> {
    fn also(&mut self, line: u32) {
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// `, also in lines 4 and 7`, if there are others.
    fn others(&self) -> String {
        let mut others: Vec<u32> = self.lines[1..].to_vec();
        others.sort_unstable();
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        match others.len() {
            0 => String::new(),
            1 => format!(" (and in line {})", others[0]),
            _ => format!(" (and in lines {})", words::list(&others)),
        }
    }
}

/// What is slow about a line for one reason.
struct Group<'a> {
    note: &'a Note,
    /// What is slow: the texts of all notes.
    text: String,
    /// Absent if it was given before.
    hint: Option<&'a String>,
}

/// What is slow about a line, the worst first.
fn groups<'a>(notes: &[&'a Note]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    let slow = notes.iter().rev();
    for note in slow.filter(|note| note.kind.tone() == Tone::Slow) {
        let same = |group: &&mut Group| {
            let other = group.note;
            (other.kind, &other.why, &other.hint) == (note.kind, &note.why, &note.hint)
        };
        if let Some(group) = groups.iter_mut().find(same) {
            group.text.push_str("; ");
            group.text.push_str(&note.text);
            continue;
        }
        let hint = note.hint.as_ref();
        let is_known = groups.iter().any(|group| group.note.hint == note.hint);
        groups.push(Group {
            note,
            text: note.text.clone(),
            hint: hint.filter(|_| !is_known),
        });
    }
    groups
}

/// Everything there is to say about a program.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// By file, line, and within a line the worst last.
    pub notes: Vec<Note>,
    pub compiled: usize,
    /// Functions that stay bytecode.
    pub kept: usize,
    /// Functions that nothing can call.
    pub unused: usize,
    /// The names of the files, the script first.
    pub files: Vec<String>,
}

impl Explanation {
    /// What is slow and can be changed, the most important first.  Things that
    /// the same change helps are one.
    pub fn worst(&self) -> Vec<Worst<'_>> {
        let mut slow: Vec<&Note> = self
            .notes
            .iter()
            .filter(|note| note.heat() > 0 && (note.hint.is_some() || note.kind == Kind::Bytecode))
            .collect();
        slow.sort_by_key(|note| std::cmp::Reverse(note.cost()));
        let mut all: Vec<Worst> = Vec::new();
        let mut known: FxHashMap<_, usize> = FxHashMap::default();
        for note in slow {
            let action = note.hint.as_ref().or(note.why.as_ref());
            let key = (note.file, &note.function, action);
            match known.get(&key) {
                Some(index) => all[*index].also(note.line),
                None => {
                    known.insert(key, all.len());
                    let lines = vec![note.line];
                    all.push(Worst { note, lines });
                }
            }
        }
        all
    }

    /// How many lines have something slow in them that matters.
    fn slow_lines(&self) -> usize {
        let slow = self.notes.iter().filter(|note| note.heat() > 0);
        let lines: FxHashSet<(u32, u32)> = slow.map(|note| (note.file, note.line)).collect();
        lines.len()
    }

    /// The notes about a line.
    fn of_line(&self, file: u32, line: u32, extent: Extent) -> Vec<&Note> {
        let first = self
            .notes
            .partition_point(|note| (note.file, note.line) < (file, line));
        self.notes[first..]
            .iter()
            .take_while(|note| (note.file, note.line) == (file, line))
            .filter(|note| extent == Extent::Everything || note.matters())
            .collect()
    }

    /// How hot a line is.
    fn heat(&self, file: u32, line: u32) -> u32 {
        let notes = self.of_line(file, line, Extent::Everything);
        notes.iter().map(|note| note.heat()).max().unwrap_or(0)
    }
}

/// What the notes are made of.
struct Known<'a> {
    program: &'a Program,
    facts: Facts,
    /// Operand types where something was decided, by function and instruction.
    operands: FxHashMap<(FunctionId, u32), Vec<Type>>,
    /// What variables get where.
    sources: code::Sources<'a>,
    sites: heat::Sites,
    variables: code::Variables,
    /// Functions that go straight to a built-in that calls them, with its name.
    callbacks: FxHashMap<FunctionId, String>,
    /// Calls of built-ins whose loops are made in place.
    loops: FxHashSet<(FunctionId, u32)>,
    text: &'a SourceMap,
}

/// Explains a program by what was decided about it.
pub fn explain(program: &Program, decided: &Decided, sources: &SourceMap) -> Explanation {
    let mut operands = FxHashMap::default();
    let wanted: FxHashSet<(FunctionId, u32)> = decided
        .records
        .iter()
        .map(|record| (record.func, record.pc))
        .collect();
    let mut stores = code::Sources::new(program, &decided.records);
    let facts = infer::walk(program, &mut |_, func, pc, stack| {
        if wanted.contains(&(func, pc)) {
            operands.insert((func, pc), stack.to_vec());
        }
        stores.see(func, pc, stack);
    });
    let sites = heat::Sites::new(program, &facts, &decided.records);
    let known = Known {
        program,
        variables: code::Variables::new(program, &sites),
        sites,
        callbacks: code::callbacks(program),
        loops: decided
            .records
            .iter()
            .filter(|record| matches!(record.decision, Decision::LoopInPlace { .. }))
            .map(|record| (record.func, record.pc))
            .collect(),
        facts,
        operands,
        sources: stores,
        text: sources,
    };
    let mut notes = notes::all(&known, &decided.records);
    notes.extend(decided.fallbacks.iter().map(|kept| bytecode(&known, kept)));
    let place = |note: &Note| (note.file, note.line, note.cost(), note.kind);
    notes.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.text.cmp(&b.text)));
    notes.dedup_by(|a, b| (place(a), &a.text) == (place(b), &b.text));
    let used = decided.used.iter().filter(|used| **used).count();
    Explanation {
        notes,
        compiled: used - decided.fallbacks.len(),
        kept: decided.fallbacks.len(),
        unused: decided.used.len() - used,
        files: program.files.iter().map(ToString::to_string).collect(),
    }
}

/// A function that the interpreter runs.
fn bytecode(known: &Known, kept: &Fallback) -> Note {
    let (file, line, column) = known.header(kept.function);
    let name = &known.program.functions[kept.function as usize].info.name;
    Note {
        file,
        line,
        column,
        function: name.clone(),
        kind: Kind::Bytecode,
        text: format!("the interpreter runs {}", words::function(name)),
        why: Some(match &kept.reason {
            Some(reason) => reason.to_string(),
            None => "`--bytecode-only` asks for it".to_owned(),
        }),
        hint: None,
        loops: known.sites.calls(kept.function),
    }
}
