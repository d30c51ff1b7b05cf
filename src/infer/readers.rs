//! Who looked at what: the functions that must be analysed again when a fact
//! changes, and no others.

use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::names::NameId;
use rustc_hash::FxHashMap;

/// A fact that the analysis of one function can change and another's look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Known {
    Global(u32),
    /// A function's slot, as a variable that others capture.
    Variable(FunctionId, u32),
    /// What a function gives: its result, what it yields, its `self`.
    Result(FunctionId),
    /// What is called as a value with so many arguments, and gives.
    Called(usize),
    /// The fields of that name, over all structs.
    Field(NameId),
    /// What is known about a declared struct.
    Struct(u32),
    /// What the values of a variant carry.
    Variant(u32),
}

/// The functions that looked at each fact since it last changed.
#[derive(Debug, Default)]
pub(super) struct Readers(FxHashMap<Known, Vec<FunctionId>>);

impl Readers {
    pub(super) fn note(&mut self, known: Known, reader: FunctionId) {
        let readers = self.0.entry(known).or_default();
        // One that looks often, as in a loop, is mostly the last one too.
        if readers.last() != Some(&reader) {
            readers.push(reader);
        }
    }

    /// Forgets the readers of a fact: those that look again are noted again.
    pub(super) fn take(&mut self, known: Known) -> Vec<FunctionId> {
        self.0.remove(&known).unwrap_or_default()
    }
}
