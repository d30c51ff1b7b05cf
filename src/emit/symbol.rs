//! What functions are called in symbol tables and listings.

use super::compile::Job;
use ruff_runtime::bytecode::Program;
use rustc_hash::FxHashMap;

/// The symbols of a program's functions.
pub(super) struct Symbols {
    names: Vec<String>,
}

impl Symbols {
    /// Functions are called as in the source, with their number where that
    /// does not say which one is meant.
    pub fn new(program: &Program) -> Symbols {
        let mut uses: FxHashMap<&str, u32> = FxHashMap::default();
        for function in &program.functions {
            *uses.entry(&function.info.name).or_default() += 1;
        }
        let name = |function: &ruff_runtime::bytecode::Function| {
            let info = &function.info;
            match uses[&*info.name] {
                1 => format!("ruff.{}", info.name),
                _ => format!("ruff.{}${}", info.name, info.id),
            }
        };
        Symbols {
            names: program.functions.iter().map(name).collect(),
        }
    }

    /// No identifier holds a `$`, so nothing that is added to a name makes it
    /// another function's.
    pub fn of(&self, job: Job) -> String {
        match job {
            Job::Body(func) => self.names[func as usize].clone(),
            Job::Entry(func) => format!("{}$entry", self.names[func as usize]),
            Job::Shim(func) => format!("{}$shim", self.names[func as usize]),
            Job::Typed(func) => format!("{}$typed", self.names[func as usize]),
            Job::Cold(helper) => format!("{}$cold", helper.row().symbol),
            Job::Export(number) => format!("export{number}"),
            Job::Loop(func, number) => format!("{}$loop{number}", self.names[func as usize]),
        }
    }
}
