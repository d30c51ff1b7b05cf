//! States of variables, and their merging at the end of a `match`.

use crate::resolve::index::VariableIndex;
use rustc_hash::FxHashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Unset,
    Maybe,
    Set,
}

/// The matches around this moment, with a log of the state changes in them.
#[derive(Default)]
pub(super) struct Merges {
    matches: Vec<Match>,
    /// Variable and state before, since the outermost match.
    log: Vec<(VariableIndex, State)>,
}

#[derive(Default)]
struct Match {
    /// Where the log of the current clause starts.
    mark: usize,
    /// Clauses from whose end control goes on.
    ends: u32,
    /// Variables that clauses changed, in order, and how many left them set.
    order: Vec<VariableIndex>,
    sets: FxHashMap<VariableIndex, u32>,
}

impl Merges {
    pub fn enter_match(&mut self) {
        self.matches.push(Match::default());
    }

    pub fn enter_clause(&mut self) {
        let mark = self.log.len();
        self.innermost().mark = mark;
    }

    /// Notes a change, so that the next clause can start from the old state.
    pub fn changed(&mut self, variable: VariableIndex, old: State, new: State) {
        if old != new && !self.matches.is_empty() {
            self.log.push((variable, old));
        }
    }

    pub fn leave_clause(&mut self, diverges: bool, states: &mut [State]) {
        let mark = self.innermost().mark;
        let changes = self.log.split_off(mark);
        let innermost = self.innermost();
        innermost.ends += !diverges as u32;
        for (variable, old) in changes.into_iter().rev() {
            let state = &mut states[variable.0 as usize];
            let is_now_set = *state == State::Set && old != State::Set && !diverges;
            let order = &mut innermost.order;
            let sets = innermost.sets.entry(variable).or_insert_with(|| {
                order.push(variable);
                0
            });
            *sets += is_now_set as u32;
            *state = old;
        }
    }

    /// The states of the changed variables behind the match.
    pub fn leave_match(&mut self, has_default: bool) -> Vec<(VariableIndex, State)> {
        let finished = self.matches.pop().expect("a match was entered");
        let state_of = |variable: &VariableIndex| {
            if has_default && finished.ends > 0 && finished.sets[variable] >= finished.ends {
                State::Set
            } else {
                State::Maybe
            }
        };
        let merged = finished
            .order
            .iter()
            .map(|variable| (*variable, state_of(variable)))
            .collect();
        if self.matches.is_empty() {
            self.log.clear();
        }
        merged
    }

    fn innermost(&mut self) -> &mut Match {
        self.matches.last_mut().expect("clauses are inside a match")
    }
}
