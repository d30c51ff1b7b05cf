//! Which functions a run of the program can reach.

use ruff_runtime::bytecode::{FunctionId, Op, Program};

/// The functions that a run can reach, beginning with the program's own and with
/// `roots`.  Structs' functions and modules' top levels always count: the runtime
/// finds them by itself.
pub(super) fn find(program: &Program, roots: &[FunctionId]) -> Vec<bool> {
    let mut used = vec![false; program.functions.len()];
    let mut waiting = vec![program.main];
    waiting.extend(roots);
    for declaration in &program.structs {
        waiting.extend(declaration.methods.iter().map(|(_, func)| *func));
        waiting.extend(declaration.defaults.iter().map(|(_, func)| *func));
    }
    waiting.extend(
        (0..)
            .zip(&program.functions)
            .filter(|(_, f)| f.info.flags.is_top_level)
            .map(|(func, _)| func),
    );
    while let Some(func) = waiting.pop() {
        if !std::mem::replace(&mut used[func as usize], true) {
            waiting.extend(
                program.functions[func as usize]
                    .code
                    .iter()
                    .filter_map(mentioned_function),
            );
        }
    }
    used
}

/// The function that an instruction names.
pub fn mentioned_function(op: &Op) -> Option<FunctionId> {
    match *op {
        Op::Function { func } | Op::MakeClosure { func } | Op::CallFunction { func, .. } => {
            Some(func)
        }
        _ => None,
    }
}
