//! How often code may run: the loops around an instruction, and around the
//! calls of its function.

use super::MOST_LOOPS;
use crate::codegen::decision::{Decision, Record};
use crate::infer::Facts;
use ruff_runtime::bytecode::{Function, FunctionId, Op, Program};
use std::collections::BTreeMap;

/// Loops around instructions and functions.
pub struct Sites {
    /// Loops around the calls of each function; recursion counts as one.
    calls: Vec<u32>,
    /// Loops of the function around each instruction, by function.
    loops: Vec<Vec<u32>>,
}

/// A call: from where, of what, and how many loops are around it.
struct Call {
    from: FunctionId,
    to: FunctionId,
    loops: u32,
}

impl Sites {
    pub fn new(program: &Program, facts: &Facts, records: &[Record]) -> Sites {
        let mut sites = Sites {
            calls: vec![0; program.functions.len()],
            loops: program.functions.iter().map(loops_of).collect(),
        };
        let calls = sites.all_calls(program, facts, records);
        let recursive = recursive(program.functions.len(), &calls);
        for (func, recurs) in recursive.iter().enumerate() {
            // Who gets hold of a function may call it in a loop.
            let escapes = facts.functions[func].escapes;
            sites.calls[func] = u32::from(*recurs || escapes);
        }
        let own = sites.calls.clone();
        let mut changed = true;
        while changed {
            changed = false;
            for call in &calls {
                let around = sites.calls[call.from as usize] + call.loops;
                // Calls in a circle don't add up to loops within loops.
                let around = match call.from == call.to {
                    true => call.loops,
                    false => around,
                };
                let all = (around + own[call.to as usize] * u32::from(call.from != call.to))
                    .min(MOST_LOOPS);
                let known = &mut sites.calls[call.to as usize];
                changed |= *known < all;
                *known = all.max(*known);
            }
        }
        sites
    }

    fn all_calls(&self, program: &Program, facts: &Facts, records: &[Record]) -> Vec<Call> {
        let mut calls = Vec::new();
        for record in records {
            let (callee, more) = match record.decision {
                Decision::Direct { callee }
                | Decision::MakesGenerator { callee }
                | Decision::Dissolved { callee } => (callee, 0),
                Decision::LoopInPlace { callee } => (callee, 1),
                _ => continue,
            };
            calls.push(Call {
                from: record.func,
                to: callee,
                loops: self.within(record.func, record.pc) + more,
            });
        }
        // Methods that the runtime finds.
        for (from, function) in (0..).zip(&program.functions) {
            for (pc, op) in (0..).zip(&function.code) {
                let Op::CallMethod { site } = *op else {
                    continue;
                };
                let name = program.method_sites[site as usize].name;
                for (_, to) in facts.methods.get(&name).into_iter().flatten() {
                    let loops = self.within(from, pc);
                    calls.push(Call {
                        from,
                        to: *to,
                        loops,
                    });
                }
            }
        }
        calls
    }

    /// Loops of the function around an instruction.
    fn within(&self, func: FunctionId, pc: u32) -> u32 {
        self.loops[func as usize][pc as usize]
    }

    /// Loops around the calls of a function.
    pub fn calls(&self, func: FunctionId) -> u32 {
        self.calls[func as usize]
    }

    /// All loops around an instruction.
    pub fn around(&self, func: FunctionId, pc: u32) -> u32 {
        self.calls(func) + self.within(func, pc)
    }
}

/// The loops around each instruction; a loop goes from its head to the last
/// jump back.
fn loops_of(function: &Function) -> Vec<u32> {
    let mut ends: BTreeMap<u32, u32> = BTreeMap::new();
    for (pc, op) in (0u32..).zip(&function.code) {
        if let Op::LoopHead { .. } = op {
            ends.insert(pc, pc);
        }
        if let Some(end) = op.target().and_then(|head| ends.get_mut(&head)) {
            *end = (*end).max(pc);
        }
    }
    let mut changes = vec![0i32; function.code.len() + 1];
    for (head, end) in ends {
        changes[head as usize] += 1;
        changes[end as usize + 1] -= 1;
    }
    let mut depth = 0;
    let depths = changes.iter().take(function.code.len()).map(|change| {
        depth += change;
        depth as u32
    });
    depths.collect()
}

/// Which functions are entered again while they run: a search in depth that
/// comes back to where it is finds one of each circle.
fn recursive(count: usize, calls: &[Call]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut callees = vec![Vec::new(); count];
    for call in calls {
        callees[call.from as usize].push(call.to as usize);
    }
    let mut seen = vec![Seen::No; count];
    let mut found = vec![false; count];
    for start in 0..count {
        let mut way = vec![(start, 0)];
        while let Some((func, next)) = way.pop() {
            if next == 0 {
                if seen[func] != Seen::No {
                    continue;
                }
                seen[func] = Seen::Open;
            }
            let Some(callee) = callees[func].get(next).copied() else {
                seen[func] = Seen::Done;
                continue;
            };
            way.push((func, next + 1));
            match seen[callee] {
                Seen::No => way.push((callee, 0)),
                Seen::Open => found[callee] = true,
                Seen::Done => {}
            }
        }
    }
    found
}
