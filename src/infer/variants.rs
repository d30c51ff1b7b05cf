//! What the program's variants carry, by the variants' numbers.
//!
//! Every value of an enum comes from a `MakeVariant` of the program, and nobody
//! changes a payload: what those are given is all that a payload can be.

use super::readers::Known;
use super::{Analysis, Tags, Type};
use ruff_runtime::bytecode::{Op, Program};
use ruff_runtime::heap::VariantKind;

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
        }
    }

    /// The numbers of the variants that a site stands for.
    pub fn of_site(&self, site: u32) -> &[u32] {
        &self.of_site[site as usize]
    }

    /// Whether everything that a site's test finds has a payload at a position.
    pub fn has_payload(&self, site: u32, index: u32) -> bool {
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

    /// The payload at a position, or null, of what a site's test found, whose
    /// contents are known.
    pub fn payload(&self, site: u32, index: u32, contents: Type) -> Type {
        let mut payload = contents;
        if self.kinds[site as usize] == VariantKind::Tagged {
            let mut given = Type::NONE;
            for id in self.of_site(site) {
                let payload = self.payloads[*id as usize].get(index as usize);
                given.join(payload.copied().unwrap_or(Type::NONE));
            }
            payload = contents.met(given);
        }
        if self.has_payload(site, index) {
            payload
        } else {
            payload.joined(Type::of(Tags::NULL))
        }
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

    /// Notes that what a site's variants carry is looked at.
    pub(super) fn read_variant(&mut self, site: u32) {
        for at in 0..self.facts.variants.of_site(site).len() {
            let id = self.facts.variants.of_site[site as usize][at];
            self.read(Known::Variant(id));
        }
    }
}
