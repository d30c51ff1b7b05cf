//! What the program's variants carry, by the variants' numbers.
//!
//! Every value of an enum comes from a `MakeVariant` of the program, and nobody
//! changes a payload: what those are given is all that a payload can be.  That is
//! counted on only where a payload is read behind the test for its variant, as
//! patterns do; bytecode that comes from a file may do otherwise.

use super::exhausted::{Failed, failed_tests, may_change};
use super::readers::Known;
use super::{Analysis, Tags, Type};
use ruff_runtime::bytecode::{Function, FunctionId, Op, Program, VariantSite};
use ruff_runtime::heap::VariantKind;
use rustc_hash::FxHashMap;

/// Variants of an enum up to which they are taken apart.
const MOST_VARIANTS: usize = 16;

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
    /// The variants that `?` goes on with, `Ok` and `Some`, and those that it
    /// returns, `Err` and `None`.
    unwrapping: Vec<u32>,
    returning: Vec<u32>,
    /// Others make values of the same enums.
    is_open: bool,
    /// Where tests for variants have failed, by function and jump.
    failed: Vec<FxHashMap<u32, Failed>>,
    /// The number of each site's enum: `RESULT`, `OPTION`, or one of the program's.
    enums: Vec<u32>,
    /// The variants of each enum that are made, and how many values they carry.
    made: Vec<Vec<(u32, u32)>>,
    /// What each enum's variants carry at each position, if there are few and all
    /// of one variant carry as many values.
    parts: Vec<Option<Vec<Type>>>,
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

/// The number of each variant site's enum, and how many there are.
fn enums_of_sites(program: &Program) -> (Vec<u32>, usize) {
    let mut numbers = FxHashMap::default();
    let mut number = |site: &VariantSite| {
        match site.kind {
            VariantKind::Ok | VariantKind::Err => return VariantFacts::RESULT,
            VariantKind::Some | VariantKind::None => return VariantFacts::OPTION,
            VariantKind::Tagged => {}
        }
        let next = VariantFacts::OPTION + 1 + numbers.len() as u32;
        let name = site.enum_name.and_then(|name| program.text(name));
        *numbers.entry(name).or_insert(next)
    };
    let enums = program.variant_sites.iter().map(&mut number).collect();
    (enums, VariantFacts::OPTION as usize + 1 + numbers.len())
}

impl VariantFacts {
    /// The number of `Ok` and `Err`, as if of an enum.
    const RESULT: u32 = 0;
    /// The number of `Some` and `None`.
    const OPTION: u32 = 1;

    /// Whether a number is that of built-in variants: objects say by their kind which
    /// one they are.
    pub fn is_built_in(number: u32) -> bool {
        number <= Self::OPTION
    }

    pub(super) fn new(program: &Program) -> VariantFacts {
        let ids = program.variant_ids();
        let (enums, count) = enums_of_sites(program);
        let mut made_of = vec![Vec::new(); count];
        let mut counts: Vec<Option<u32>> = vec![None; ids.len()];
        for op in program.functions.iter().flat_map(|function| &function.code) {
            if let Op::MakeVariant { site, count } = *op {
                let known = &mut counts[ids[site as usize] as usize];
                if known.is_none() {
                    made_of[enums[site as usize] as usize].push((ids[site as usize], count));
                }
                *known = Some(known.map_or(count, |known| known.min(count)));
            }
        }
        let made: Vec<u32> = (0..)
            .zip(&counts)
            .filter(|(_, count)| count.is_some())
            .map(|(id, _)| id)
            .collect();
        let stands_for = |(number, site): (usize, &VariantSite)| {
            if site.kind == VariantKind::Tagged && site.enum_name.is_none() {
                let same = |id: &u32| program.have_same_name(*id, number as u32);
                made.iter().copied().filter(same).collect()
            } else {
                vec![ids[number]]
            }
        };
        let of_kinds = |kinds: [VariantKind; 2]| {
            let sites = program.variant_sites.iter().zip(&ids);
            let sites = sites.filter(|(site, _)| kinds.contains(&site.kind));
            let mut found: Vec<u32> = sites.map(|(_, id)| *id).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
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
            unwrapping: of_kinds([VariantKind::Ok, VariantKind::Some]),
            returning: of_kinds([VariantKind::Err, VariantKind::None]),
            is_open: false,
            failed: program.functions.iter().map(failed_tests).collect(),
            enums,
            made: made_of,
            parts: Vec::new(),
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

    /// What `?` returns of a variant.
    pub fn returned(&self, variant: Type) -> Type {
        let contents = variant.contents();
        match self.is_ours(contents) {
            true => variant.with_contents(contents.met(self.given(&self.returning, 0))),
            false => variant,
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

    /// The type of what a site makes, which carries `contents`.
    pub fn made_at(&self, site: u32, contents: Type) -> Type {
        Type::variant(self.enums[site as usize], contents)
    }

    /// The variants of one of the program's enums that are made, and how many values
    /// they carry.
    pub fn counts_of(&self, number: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.made[number as usize].iter().copied()
    }

    /// What an enum's variants carry at each position, if they are to be taken apart:
    /// a variant that carries less has nothing there.
    pub fn parts(&self, number: u32) -> Option<&[Type]> {
        self.parts.get(number as usize)?.as_deref()
    }

    /// Whether the failing test of a variable at a jump is the last one of those for
    /// all variants which that can be: the jump is never taken.
    pub fn is_exhausted(&self, func: FunctionId, pc: u32, slots: &[Type]) -> bool {
        let Some(failed) = self.failed[func as usize].get(&pc) else {
            return false;
        };
        let ty = slots[failed.slot as usize].without(Tags::UNSET);
        if ty.is_none() {
            // Nothing was ever stored.
            return true;
        }
        let Some(number) = ty.enum_number().filter(|_| ty.is(Tags::VARIANT)) else {
            return false;
        };
        let tested = |id: &u32| {
            let mut sites = failed.sites.iter();
            sites.any(|site| self.of_site(*site).contains(id))
        };
        !self.is_open && self.counts_of(number).all(|(id, _)| tested(&id))
    }

    /// Decides which enums' variants are taken apart.
    pub(super) fn take_apart(&mut self, program: &Program) {
        if self.is_open {
            return;
        }
        let mut is_even = vec![true; self.made.len()];
        for op in program.functions.iter().flat_map(|function| &function.code) {
            let Op::MakeVariant { site, count } = *op else {
                continue;
            };
            let number = self.enums[site as usize] as usize;
            let id = self.of_site[site as usize][0];
            is_even[number] &= self.made[number].contains(&(id, count));
        }
        let enums = (0..).zip(self.made.iter().zip(is_even));
        let parts = enums.map(|(number, (made, is_even))| match number {
            _ if Self::is_built_in(number) => Some(vec![Type::ANY]),
            _ if is_even && made.len() <= MOST_VARIANTS => self.parts_of(made),
            _ => None,
        });
        self.parts = parts.collect();
    }

    /// What these variants carry at each position, unless that may be variants
    /// again: trees would be made anew level by level.
    fn parts_of(&self, made: &[(u32, u32)]) -> Option<Vec<Type>> {
        let most = made.iter().map(|(_, count)| *count as usize).max()?;
        let mut parts = vec![Type::NONE; most];
        for (id, _) in made {
            for (part, given) in parts.iter_mut().zip(&self.payloads[*id as usize]) {
                part.join(*given);
            }
        }
        let is_flat = parts.iter().all(|part| !part.may_be(Tags::VARIANT));
        is_flat.then_some(parts)
    }

    /// Keeps all variants objects: for debuggers, which show variables as values.
    pub fn keep_whole(&mut self) {
        self.parts.clear();
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

    /// Notes that what `?` gives and returns is looked at.
    pub(super) fn read_unwrapped(&mut self) {
        let variants = &self.facts.variants;
        let ids = [&variants.unwrapping[..], &variants.returning].concat();
        for id in ids {
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
