//! Which methods may change their receiver.
//!
//! A method does if it assigns to `self` or through it, or calls on a place in
//! `self` a method whose name is that of one that does.  Going by names is
//! coarse and safe: nobody knows the receiver's struct yet.  In a module that is
//! compiled on its own, any method that is called on a place may be one.

use super::index::{FunctionIndex, Symbol};
use super::tape::Recording;
use ruff_runtime::bytecode::forms::forms;
use rustc_hash::{FxHashMap, FxHashSet};

/// Marks the methods, and collects the names of all that may change something.
pub(super) fn mark(recording: &mut Recording) {
    let symbols = &recording.symbols;
    let mut names: FxHashSet<Symbol> = recording
        .called_on_places
        .iter()
        .copied()
        .filter(|name| {
            recording.is_open || forms(&symbols.texts[name.0 as usize]).any(|form| form.mutates)
        })
        .chain(recording.changing.iter().copied())
        .collect();
    let mut callers: FxHashMap<Symbol, Vec<FunctionIndex>> = FxHashMap::default();
    for (caller, method) in &recording.self_calls {
        callers.entry(*method).or_default().push(*caller);
    }
    let name_of: FxHashMap<FunctionIndex, Symbol> = recording
        .methods
        .iter()
        .map(|(name, method)| (*method, *name))
        .collect();

    let mut work: Vec<FunctionIndex> = recording.self_writers.iter().copied().collect();
    for name in &names {
        work.extend(callers.get(name).into_iter().flatten());
    }
    while let Some(method) = work.pop() {
        if std::mem::replace(&mut recording.functions[method].changes_self, true) {
            continue;
        }
        let name = name_of[&method];
        if names.insert(name) {
            work.extend(callers.get(&name).into_iter().flatten());
        }
    }
    recording.changing = names;
}
