//! How early each function can be called.
//!
//! A declared function is bound on entry to its scope, but nobody can call it
//! before it is first mentioned.  Whatever variable of an enclosing function is
//! set before that moment is set whenever the function runs, so its uses need
//! no check; and a function that is not mentioned before its own statement can
//! be made there, when the variables that it captures are set.
//!
//! A moment is an index into a tape, and always one on the tape of the function
//! around the declaration: mentions inside another function count from the
//! moment at which that one can be called.  Each function is visited once.

use super::FunctionKind;
use super::index::{FunctionIndex, HoistIndex};
use super::record::NEVER;
use super::tape::{Event, Recording};
use rustc_hash::FxHashMap;

pub(super) fn reach(recording: &mut Recording) {
    let mut moments = Moments::default();
    moments.literals(recording);
    moments.mentions(recording);
    moments.spread(recording);
    decide_where_made(recording);
}

#[derive(Default)]
struct Moments {
    /// Known moments: around which function, when, what.
    sources: Vec<(FunctionIndex, u32, Node)>,
    /// What the functions inside each function mention.
    inner: FxHashMap<FunctionIndex, Vec<HoistIndex>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Literal(FunctionIndex),
    Declaration(HoistIndex),
}

impl Moments {
    /// A literal can be called once it is made.
    fn literals(&mut self, recording: &mut Recording) {
        for (maker, tape) in recording.tapes.iter().enumerate() {
            for (at, event) in tape.iter().enumerate() {
                if let Event::Make(function) = *event {
                    // Tests run when the top level has ended, however it did.
                    let row = &recording.functions[function];
                    let at = match row.kind {
                        FunctionKind::Test => recording.units[row.unit].first_end.min(at as u32),
                        _ => at as u32,
                    };
                    recording.functions[function].made_at = (at, 0);
                    self.sources
                        .push((FunctionIndex(maker as u32), at, Node::Literal(function)));
                }
            }
        }
    }

    fn mentions(&mut self, recording: &Recording) {
        for mention in &recording.mentions {
            if recording.functions[mention.by].is_dead {
                continue;
            }
            let around = recording.scopes[recording.hoists[mention.hoist].scope].function;
            if mention.by == around {
                self.sources
                    .push((around, mention.at, Node::Declaration(mention.hoist)));
                continue;
            }
            let mut by = mention.by;
            while let Some(parent) = recording.functions[by]
                .parent
                .filter(|parent| *parent != around)
            {
                by = parent;
            }
            self.inner.entry(by).or_default().push(mention.hoist);
        }
    }

    /// From the earliest moment on: what is callable makes what it mentions callable.
    fn spread(&mut self, recording: &mut Recording) {
        self.sources.sort_unstable();
        let mut work = Vec::new();
        for (_, at, node) in std::mem::take(&mut self.sources) {
            match node {
                Node::Literal(function) => self.callable(recording, function, at, &mut work),
                Node::Declaration(hoist) => work.push(hoist),
            }
            while let Some(hoist) = work.pop() {
                if recording.hoists[hoist].mentioned_at != NEVER {
                    continue;
                }
                recording.hoists[hoist].mentioned_at = at;
                for function in recording.hoists[hoist].item.functions().to_vec() {
                    self.callable(recording, function, at, &mut work);
                }
            }
        }
    }

    fn callable(
        &mut self,
        recording: &mut Recording,
        function: FunctionIndex,
        at: u32,
        work: &mut Vec<HoistIndex>,
    ) {
        recording.functions[function].called_at = at;
        work.extend(self.inner.remove(&function).into_iter().flatten());
    }
}

fn decide_where_made(recording: &mut Recording) {
    for tape in &recording.tapes {
        for (at, event) in tape.iter().enumerate() {
            let Event::Enter(scope) = *event else {
                continue;
            };
            for (order, index) in recording.scopes[scope].hoists.iter().enumerate() {
                let hoist = &mut recording.hoists[*index];
                hoist.at_entry = hoist.mentioned_at <= hoist.statement_at;
                hoist.made_at = match hoist.at_entry {
                    true => (at as u32, order as u32),
                    false => (hoist.statement_at, 0),
                };
                for function in hoist.item.functions() {
                    recording.functions[*function].made_at = hoist.made_at;
                }
            }
        }
    }
}
