//! Globals that are set once, to a constant.
//!
//! Whoever loads a global knows that it was set, so it has that value then.

use super::flow::targets;
use ruff_runtime::bytecode::{Op, Path, Program, Var, VarKind};
use rustc_hash::FxHashMap;

/// What becomes of a global.
enum Stores {
    Constant(Op),
    Other,
}

/// The instructions that push the values of such globals.
pub(super) fn find(program: &Program) -> FxHashMap<u32, Op> {
    let mut stores: FxHashMap<u32, Stores> = FxHashMap::default();
    // Module states are the runtime's.
    for module in &program.modules {
        stores.insert(module.state, Stores::Other);
    }
    for function in &program.functions {
        let is_store = |op: &Op| matches!(op, Op::StoreGlobal { .. });
        let targets = match function.code.iter().any(is_store) {
            true => targets(&function.code),
            false => Vec::new(),
        };
        let mut before = None;
        for (pc, op) in function.code.iter().enumerate() {
            if let Op::StoreGlobal { global } = *op {
                let pushed = before.filter(|_| !targets[pc]);
                let store = pushed.map_or(Stores::Other, Stores::Constant);
                let known = stores.insert(global, store);
                if known.is_some() {
                    stores.insert(global, Stores::Other);
                }
            } else if let Some(global) = changed(program, op) {
                stores.insert(global, Stores::Other);
            }
            before = is_constant(op).then_some(*op);
        }
    }
    let constants = stores
        .into_iter()
        .filter_map(|(global, store)| match store {
            Stores::Constant(op) => Some((global, op)),
            Stores::Other => None,
        });
    constants.collect()
}

fn is_constant(op: &Op) -> bool {
    matches!(
        op,
        Op::Int { .. } | Op::Constant { .. } | Op::True {} | Op::False {}
    )
}

/// The global that an instruction changes otherwise than by `StoreGlobal`.
fn changed(program: &Program, op: &Op) -> Option<u32> {
    let root = |path: &Path| path.root;
    let var: Var = match *op {
        Op::Update { var, .. } | Op::UpdateFrom { var, .. } => var,
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            root(&program.paths[path as usize])
        }
        Op::Mutate { site } => root(&program.builtin_sites[site as usize].place),
        Op::CallMethod { site } => root(program.method_sites[site as usize].place.as_ref()?),
        _ => return None,
    };
    (var.kind() == VarKind::Global).then(|| var.number())
}
