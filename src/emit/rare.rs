//! Functions that hardly run.
//!
//! The top level of a script or of a module runs once, and what it calls outside of loops
//! runs as often as it is called there.  Making the code of such a function better takes
//! longer than running it as it is.

use crate::codegen::Source;
use crate::infer::mentioned_function;
use ruff_runtime::bytecode::{Function, FunctionId, Op};

/// Runs of a function up to which it hardly runs.
const FEW: usize = 16;

/// For each function, whether it has no loop and is known to run a few times at most.
pub(super) fn hardly_run(source: Source) -> Vec<bool> {
    let functions = &source.program.functions;
    let mut callees = Callees::of(source);
    let mut hardly_run = vec![false; functions.len()];
    let mut open: Vec<(FunctionId, usize)> = functions
        .iter()
        .filter(|function| function.info.flags.is_top_level)
        .map(|function| (function.info.id, 1))
        .collect();
    while let Some((func, runs)) = open.pop() {
        let function = &functions[func as usize];
        if runs > FEW || has_loops(function) {
            continue;
        }
        hardly_run[func as usize] = true;
        for callee in called(function) {
            if let Some(runs) = callees.call(callee, runs) {
                open.push((callee, runs));
            }
        }
    }
    hardly_run
}

/// What is known of the functions that are only called by their names.
struct Callees {
    /// For each function, the calls of it that are still to be counted; `None` if others
    /// may call it.
    open: Vec<Option<usize>>,
    /// For each function, the runs that were counted.
    runs: Vec<usize>,
}

impl Callees {
    fn of(source: Source) -> Callees {
        let program = source.program;
        let mut open: Vec<Option<usize>> = program
            .functions
            .iter()
            .map(|function| {
                let flags = function.info.flags;
                let is_resumed = flags.is_generator || flags.is_async;
                let is_plain = !flags.is_method && !flags.is_top_level && !is_resumed;
                (is_plain && source.alone.is_none()).then_some(0)
            })
            .collect();
        for root in source
            .library
            .map_or(Vec::new(), |exports| exports.functions())
        {
            open[root as usize] = None;
        }
        for declaration in &program.structs {
            let methods = declaration.methods.iter().map(|(_, func)| func);
            let defaults = declaration.defaults.iter().map(|(_, func)| func);
            for func in methods.chain(defaults) {
                open[*func as usize] = None;
            }
        }
        for function in &program.functions {
            if !source.facts.is_used(function.info.id) {
                continue;
            }
            for op in &function.code {
                let Some(func) = mentioned_function(op) else {
                    continue;
                };
                let calls = &mut open[func as usize];
                *calls = match op {
                    Op::CallFunction { .. } => calls.map(|calls| calls + 1),
                    _ => None,
                };
            }
        }
        Callees {
            runs: vec![0; open.len()],
            open,
        }
    }

    /// Counts one call of a function that is made so many times; gives how often the function
    /// runs once all calls of it are counted.
    fn call(&mut self, func: FunctionId, runs: usize) -> Option<usize> {
        let open = self.open[func as usize].as_mut()?;
        *open -= 1;
        let all = &mut self.runs[func as usize];
        *all += runs;
        (*open == 0).then_some(*all)
    }
}

/// The functions that a function calls by their names, once for each call.
fn called(function: &Function) -> impl Iterator<Item = FunctionId> {
    function.code.iter().filter_map(|op| match op {
        Op::CallFunction { func, .. } => Some(*func),
        _ => None,
    })
}

/// Whether control ever comes back to an instruction.
fn has_loops(function: &Function) -> bool {
    let mut code = (0..).zip(&function.code);
    code.any(|(pc, op)| op.target().is_some_and(|target| target <= pc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::Debug;
    use crate::emit::lowered;
    use crate::emit::target::{self, Ending, TargetOptions};
    use crate::infer;

    /// The names of the functions that hardly run.
    fn names(text: &str) -> Vec<String> {
        let program = lowered(text);
        let facts = infer::infer(&program);
        let triple = "x86_64-unknown-linux-gnu".parse().expect("a target");
        let options = TargetOptions::new(triple);
        let isa = target::isa(&options, Ending::Object).expect("there is a code generator");
        let source = Source {
            program: &program,
            facts: &facts,
            isa: &*isa,
            isa_for_large: &*isa,
            rare: None,
            debug: Debug::Nothing,
            library: None,
            alone: None,
            recorder: None,
        };
        let rare = hardly_run(source).into_iter().zip(&program.functions);
        let rare = rare.filter(|(is_rare, _)| *is_rare);
        rare.map(|(_, function)| function.info.name.clone())
            .collect()
    }

    #[test]
    fn what_is_called_outside_of_loops_hardly_runs() {
        let text = "func inner(x) { return x + 1 }\n\
                    func outer(x) { return inner(x) + inner(x + 1) }\n\
                    print(outer(1), outer(2))\n";
        assert_eq!(names(text), ["<main>", "inner", "outer"]);
    }

    #[test]
    fn loops_and_recursion_may_run_often() {
        let text = "func in_loop(x) { return x + 1 }\n\
                    func looping(n) { mut s := 0\n for i in range(n) { s += in_loop(i) }\n return s }\n\
                    func fact(n) { if n < 2 { return 1 }\n return n * fact(n - 1) }\n\
                    func value(x) { return x }\n\
                    struct S { x: int\n func method(self) { return self.x } }\n\
                    print(looping(3), fact(3), map([1], value), S { x: 1 }.method())\n";
        assert_eq!(names(text), ["<main>"]);
    }

    #[test]
    fn calls_add_up() {
        let mut text = String::from("func f0(x) { return x }\n");
        for k in 1..8 {
            let last = k - 1;
            text += &format!("func f{k}(x) {{ return f{last}(x) + f{last}(x) }}\n");
        }
        text += "print(f7(1))\n";
        assert_eq!(names(&text), ["<main>", "f3", "f4", "f5", "f6", "f7"]);
    }
}
