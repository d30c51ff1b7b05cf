//! What the program's variants carry, by the variants' numbers.
//!
//! Every value of an enum comes from a `MakeVariant` of the program, and nobody
//! changes a payload: what those are given is all that a payload can be.  That is
//! counted on only where a payload is read behind the test for its variant, as
//! patterns do; bytecode that comes from a file may do otherwise.

use super::readers::Known;
use super::{Analysis, Tags, Type};
use ruff_runtime::bytecode::{Function, FunctionId, Op, Program};
use ruff_runtime::heap::VariantKind;
use rustc_hash::FxHashMap;

/// What is known about the variants that sites make or test.
#[derive(Debug)]
pub struct VariantFacts {
    /// The variants that each site stands for: several if it tests for a name in
    /// any enum.
    of_site: Vec<Vec<u32>>,
    kinds: Vec<VariantKind>,
    /// What each variant's values carry at each position.
    payloads: Vec<Vec<Type>>,
    /// How many values all values of a variant surely carry; `None` if there are
    /// no such values.
    counts: Vec<Option<u32>>,
    /// The reads of payloads behind the test of the same variable, with its site.
    tested: FxHashMap<(FunctionId, u32), (u32, u32)>,
    /// The variants that `?` goes on with: `Ok` and `Some`.
    unwrapping: Vec<u32>,
    /// Others make values of the same enums.
    is_open: bool,
}

/// What is known of a payload that an instruction reads.
#[derive(Clone, Copy, Debug)]
pub struct Payload {
    pub ty: Type,
    /// Whether it is there for sure.
    pub is_there: bool,
    /// Whether it is read from a variant for sure.
    pub is_tested: bool,
}

/// Instructions of bytecode behind a test that are looked at.
const MOST_STEPS: usize = 1000;

/// The reads of payloads of a function that come behind the test of the variable
/// they read from, and nothing else leads there.
fn tested_reads(function: &Function) -> Vec<(u32, (u32, u32))> {
    let code = &function.code;
    let mut targets = vec![false; code.len() + 1];
    for target in code.iter().filter_map(Op::target) {
        targets[target as usize] = true;
    }
    for handler in &function.handlers {
        targets[handler.target as usize] = true;
    }
    let mut reads = Vec::new();
    for (at, window) in code.windows(3).enumerate() {
        let [
            Op::LoadLocal { slot } | Op::MoveLocal { slot },
            Op::TestVariant { site },
            Op::JumpIfFalse { .. },
        ] = *window
        else {
            continue;
        };
        if targets[at + 1] || targets[at + 2] {
            continue;
        }
        for pc in (at + 3..code.len()).take(MOST_STEPS) {
            if targets[pc] {
                break;
            }
            if let Op::VariantPayload { site: read, index } = code[pc]
                && read == site
                && matches!(
                    code[pc - 1],
                    Op::LoadLocal { slot: from } | Op::MoveLocal { slot: from } if from == slot
                )
                && pc > at + 3
            {
                reads.push((pc as u32, (site, index)));
            }
            if code[pc].ends() || may_change(&code[pc], slot) {
                break;
            }
        }
    }
    reads
}

/// Whether an instruction may store something in a slot.
fn may_change(op: &Op, slot: u32) -> bool {
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

impl VariantFacts {
    pub(super) fn new(program: &Program) -> VariantFacts {
        let ids = program.variant_ids();
        let mut counts: Vec<Option<u32>> = vec![None; ids.len()];
        for op in program.functions.iter().flat_map(|function| &function.code) {
            if let Op::MakeVariant { site, count } = *op {
                let known = &mut counts[ids[site as usize] as usize];
                *known = Some(known.map_or(count, |known| known.min(count)));
            }
        }
        let made: Vec<u32> = (0..)
            .zip(&counts)
            .filter(|(_, count)| count.is_some())
            .map(|(id, _)| id)
            .collect();
        let stands_for = |(number, site): (usize, &ruff_runtime::bytecode::VariantSite)| {
            if site.kind == VariantKind::Tagged && site.enum_name.is_none() {
                let same = |id: &u32| program.have_same_name(*id, number as u32);
                made.iter().copied().filter(same).collect()
            } else {
                vec![ids[number]]
            }
        };
        let mut unwrapping: Vec<u32> = (0..)
            .zip(&program.variant_sites)
            .filter(|(_, site)| matches!(site.kind, VariantKind::Ok | VariantKind::Some))
            .map(|(number, _): (usize, _)| ids[number])
            .collect();
        unwrapping.sort_unstable();
        unwrapping.dedup();
        VariantFacts {
            of_site: program
                .variant_sites
                .iter()
                .enumerate()
                .map(stands_for)
                .collect(),
            kinds: program.variant_sites.iter().map(|site| site.kind).collect(),
            payloads: vec![Vec::new(); ids.len()],
            counts,
            unwrapping,
            is_open: false,
            tested: (0..)
                .zip(&program.functions)
                .flat_map(|(func, function)| {
                    let reads = tested_reads(function).into_iter();
                    reads.map(move |(pc, read)| ((func, pc), read))
                })
                .collect(),
        }
    }

    /// The numbers of the variants that a site stands for.
    pub fn of_site(&self, site: u32) -> &[u32] {
        &self.of_site[site as usize]
    }

    /// Whether everything that a site's test finds has a payload at a position.
    fn has_payload(&self, site: u32, index: u32) -> bool {
        match self.kinds[site as usize] {
            VariantKind::Ok | VariantKind::Err | VariantKind::Some => index == 0,
            VariantKind::None => false,
            VariantKind::Tagged => {
                let counts = self
                    .of_site(site)
                    .iter()
                    .map(|id| self.counts[*id as usize]);
                let mut made = counts.flatten().peekable();
                made.peek().is_some() && made.all(|count| index < count)
            }
        }
    }

    /// What a `VariantPayload` gives, of something with these contents.
    pub fn payload(&self, func: FunctionId, pc: u32, contents: Type) -> Payload {
        let Some((site, index)) = self.tested.get(&(func, pc)).copied() else {
            return Payload {
                ty: contents.joined(Type::of(Tags::NULL)),
                is_there: false,
                is_tested: false,
            };
        };
        let mut ty = contents;
        if self.kinds[site as usize] == VariantKind::Tagged || self.is_ours(contents) {
            ty = contents.met(self.given(self.of_site(site), index));
        }
        let is_there = self.has_payload(site, index);
        if !is_there {
            ty = ty.joined(Type::of(Tags::NULL));
        }
        Payload {
            ty,
            is_there,
            is_tested: true,
        }
    }

    /// What `?` gives for something with these contents.
    pub fn unwrapped(&self, contents: Type) -> Type {
        match self.is_ours(contents) {
            true => contents.met(self.given(&self.unwrapping, 0)),
            false => contents,
        }
    }

    /// Whether a value with these contents, if it is a variant, was made by the
    /// program.  The library makes `Ok`, `Err`, `Some` and `None` as well, but what
    /// comes from there can hold anything.
    fn is_ours(&self, contents: Type) -> bool {
        !self.is_open && contents != Type::ANY
    }

    /// What those variants are given at a position.
    fn given(&self, ids: &[u32], index: u32) -> Type {
        let payloads = ids.iter().map(|id| &self.payloads[*id as usize]);
        let given = payloads.filter_map(|payload| payload.get(index as usize));
        given.fold(Type::NONE, |all, more| all.joined(*more))
    }

    /// Takes account of others who make values of the same enums.
    pub(super) fn open_up(&mut self) {
        self.tested.clear();
        self.is_open = true;
    }
}

impl Analysis<'_> {
    /// A value of a site's variant is made.
    pub(super) fn note_variant(&mut self, site: u32, payload: &[Type]) {
        let id = self.facts.variants.of_site[site as usize][0];
        let known = &mut self.facts.variants.payloads[id as usize];
        if known.len() < payload.len() {
            known.resize(payload.len(), Type::NONE);
        }
        let mut grew = false;
        for (known, more) in known.iter_mut().zip(payload) {
            grew |= known.join(*more);
        }
        if grew {
            self.has_changed(Known::Variant(id));
        }
    }

    /// Notes that what `?` gives is looked at.
    pub(super) fn read_unwrapped(&mut self) {
        for at in 0..self.facts.variants.unwrapping.len() {
            let id = self.facts.variants.unwrapping[at];
            self.read(Known::Variant(id));
        }
    }

    /// Notes that what a site's variants carry is looked at.
    pub(super) fn read_variant(&mut self, site: u32) {
        for at in 0..self.facts.variants.of_site(site).len() {
            let id = self.facts.variants.of_site[site as usize][at];
            self.read(Known::Variant(id));
        }
    }
}
