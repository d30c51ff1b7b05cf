//! Where a `match` has asked for every variant that there is: what comes behind
//! the last test that fails is never executed.

use ruff_runtime::bytecode::{Function, Op};
use rustc_hash::{FxHashMap, FxHashSet};

/// Tests of one variable that are followed.
const MOST_TESTS: usize = 16;

/// A jump of which it is known which tests of a variable have failed if it is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    pub slot: u32,
    /// The variant sites that were tested for.
    pub sites: Vec<u32>,
}

impl Failed {
    /// What has failed on each of two ways.
    fn on_both(self, other: &Failed) -> Option<Failed> {
        let sites = self.sites.into_iter();
        let sites: Vec<u32> = sites.filter(|site| other.sites.contains(site)).collect();
        (self.slot == other.slot && !sites.is_empty()).then_some(Failed { sites, ..self })
    }

    /// The same with one more test of a variable.
    fn and(known: Option<&Failed>, slot: u32, site: u32) -> Option<Failed> {
        let known = known.filter(|known| known.slot == slot);
        let mut sites = known.map_or(Vec::new(), |known| known.sites.clone());
        sites.push(site);
        (sites.len() <= MOST_TESTS).then_some(Failed { slot, sites })
    }
}

/// Finds what has failed where each `JumpIfFalse` of a function jumps, in one way
/// down.
pub fn failed_tests(function: &Function) -> FxHashMap<u32, Failed> {
    let code = &function.code;
    let mut found = FxHashMap::default();
    if !code.iter().any(|op| matches!(op, Op::TestVariant { .. })) {
        return found;
    }
    let numbered = || (0u32..).zip(code);
    let mut targets: FxHashSet<u32> = code.iter().filter_map(Op::target).collect();
    // Where something else leads than what was seen on the way down.
    let backward = numbered().filter(|(pc, op)| op.target().is_some_and(|to| to <= *pc));
    let backward = backward.filter_map(|(_, op)| op.target());
    let handlers = function.handlers.iter().map(|handler| handler.target);
    let unknown: FxHashSet<u32> = backward.chain(handlers).collect();
    targets.extend(&unknown);
    let mut arriving: FxHashMap<u32, Option<Failed>> = FxHashMap::default();
    let mut failed: Option<Failed> = None;
    let mut falls_in = true;
    for (pc, op) in numbered() {
        failed = match arriving.remove(&pc) {
            _ if unknown.contains(&pc) => None,
            Some(jumped) if falls_in => failed.zip(jumped).and_then(|(a, b)| a.on_both(&b)),
            Some(jumped) => jumped,
            None => failed.filter(|_| falls_in),
        };
        let in_a_row = !targets.contains(&pc) && !targets.contains(&pc.wrapping_sub(1));
        let test = in_a_row.then(|| test_before(code, pc)).flatten();
        if let (Op::JumpIfFalse { to }, Some((slot, site))) = (op, test)
            && *to > pc
        {
            let jumped = Failed::and(failed.as_ref(), slot, site);
            arrive(&mut arriving, *to, jumped.clone());
            found.extend(jumped.map(|jumped| (pc, jumped)));
        }
        let is_test = test.is_some() && matches!(op, Op::JumpIfFalse { .. });
        failed = failed.filter(|known| !may_change(op, known.slot));
        if let Some(to) = op.target().filter(|_| !is_test) {
            arrive(&mut arriving, to, failed.clone());
        }
        falls_in = !op.ends();
    }
    found
}

fn arrive(arriving: &mut FxHashMap<u32, Option<Failed>>, to: u32, failed: Option<Failed>) {
    let known = arriving.remove(&to);
    let both = match known {
        Some(known) => known.zip(failed).and_then(|(a, b)| a.on_both(&b)),
        None => failed,
    };
    arriving.insert(to, both);
}

/// The variable and the site of a test whose result an instruction takes.
fn test_before(code: &[Op], pc: u32) -> Option<(u32, u32)> {
    match *code.get(pc.checked_sub(2)? as usize..pc as usize)? {
        [
            Op::LoadLocal { slot } | Op::MoveLocal { slot },
            Op::TestVariant { site },
        ] => Some((slot, site)),
        _ => None,
    }
}

/// Whether an instruction may store something in a slot.
pub fn may_change(op: &Op, slot: u32) -> bool {
    match *op {
        Op::StoreLocal { slot: stored } => stored == slot,
        // Reads, tests and ways out of a pattern.
        Op::LoadLocal { .. }
        | Op::MoveLocal { .. }
        | Op::TestVariant { .. }
        | Op::VariantPayload { .. }
        | Op::JumpIfFalse { .. }
        | Op::SameValue {}
        | Op::Int { .. }
        | Op::Constant { .. }
        | Op::Null {}
        | Op::True {}
        | Op::False {} => false,
        _ => true,
    }
}
