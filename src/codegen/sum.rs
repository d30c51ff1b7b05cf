//! Variants taken apart.
//!
//! A variant has no identity either: which one it is and what it carries are words
//! of their own, and an object is made only where a value goes into memory or to a
//! helper.  What a struct's fields are not, a variant's payload can be: counted.
//! Whoever owns the words owns what they hold.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::local::Home;
use super::place::has_no_depth;
use super::signature::{self, Class, Sum};
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, VariantFacts};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::Op;
use ruff_runtime::heap::variant::{ID_OFFSET, KIND_OFFSET, LEN_OFFSET, PAYLOAD_OFFSET};
use ruff_runtime::heap::{MAX_DEPTH, VariantKind};
use ruff_runtime::value::Tag;

/// The words of a variant object; what they hold stays the object's.
///
/// What a variant does not carry is read from its header: nobody looks at that,
/// except for the tag, which says that nothing is there.
pub(super) fn load_sum(builder: &mut FunctionBuilder, sum: Sum, object: Value) -> Vec<Value> {
    let which = if VariantFacts::is_built_in(sum.number()) {
        builder
            .ins()
            .uload8(types::I64, trusted(), object, KIND_OFFSET as i32)
    } else {
        let id = builder
            .ins()
            .load(types::I32, trusted(), object, ID_OFFSET as i32);
        builder.ins().uextend(types::I64, id)
    };
    let mut words = vec![which];
    let len = builder
        .ins()
        .load(types::I32, trusted(), object, LEN_OFFSET as i32);
    for (position, class) in sum.classes().enumerate() {
        let there = IntCC::UnsignedGreaterThan;
        let there = builder.ins().icmp_imm_u(there, len, position as i64);
        let offset = (PAYLOAD_OFFSET + 16 * position) as i64;
        let place = builder.ins().iadd_imm_s(object, offset);
        let place = builder.ins().select(there, place, object);
        let mut load = |ty, offset| builder.ins().load(ty, trusted(), place, offset);
        match class {
            Class::Float => words.push(load(types::F64, 8)),
            Class::Int => words.push(load(types::I64, 8)),
            Class::Bool => {
                let word = load(types::I64, 8);
                words.push(builder.ins().ireduce(types::I8, word));
            }
            Class::Dynamic => {
                let (tag, payload) = (load(types::I64, 0), load(types::I64, 8));
                let unset = builder.ins().iconst(types::I64, Tag::Unset as u64 as i64);
                words.push(builder.ins().select(there, tag, unset));
                words.push(payload);
            }
            Class::Null
            | Class::Object(_)
            | Class::Character
            | Class::Record(_)
            | Class::Sum(_) => {}
        }
    }
    words
}

/// The words of a variant that carries nothing and owns nothing.
pub(super) fn empty_sum(builder: &mut FunctionBuilder, sum: Sum) -> Vec<Value> {
    let mut words = vec![builder.ins().iconst(types::I64, 0)];
    for class in sum.classes() {
        words.extend(empty_part(builder, class));
    }
    words
}

/// The words of a part that is not there.
fn empty_part(builder: &mut FunctionBuilder, class: Class) -> Vec<Value> {
    match class {
        Class::Float => vec![builder.ins().f64const(0.0)],
        Class::Int => vec![builder.ins().iconst(types::I64, 0)],
        Class::Bool => vec![builder.ins().iconst(types::I8, 0)],
        Class::Dynamic => {
            let unset = Tag::Unset as u64 as i64;
            [unset, 0]
                .map(|word| builder.ins().iconst(types::I64, word))
                .to_vec()
        }
        Class::Null | Class::Object(_) | Class::Character | Class::Record(_) | Class::Sum(_) => {
            vec![]
        }
    }
}

/// Tags and payloads of the parts that may be objects.
pub(super) fn counted_parts(sum: Sum, words: &[Value]) -> Vec<(Value, Value)> {
    let parts = counted_positions(sum).into_iter();
    parts
        .map(|position| {
            let first = sum.words_of(position).start;
            (words[first], words[first + 1])
        })
        .collect()
}

/// The positions of the parts that may be objects.
fn counted_positions(sum: Sum) -> Vec<usize> {
    let parts = sum.classes().enumerate();
    let counted = parts.filter(|(_, class)| *class == Class::Dynamic);
    counted.map(|(position, _)| position).collect()
}

/// A part as a value.
fn part_as_value(builder: &mut FunctionBuilder, class: Class, words: &[Value]) -> [Value; 2] {
    let mut word = |word| builder.ins().iconst(types::I64, word);
    let tag = match class.tag() {
        Some(tag) => word(tag as u64 as i64),
        None => return [words[0], words[1]],
    };
    let payload = match class {
        Class::Int => words[0],
        Class::Float => {
            let plain = MemFlagsData::new();
            builder.ins().bitcast(types::I64, plain, words[0])
        }
        Class::Bool => builder.ins().uextend(types::I64, words[0]),
        _ => word(0),
    };
    [tag, payload]
}

/// The call that makes the object of these words and takes over what they hold,
/// with what comes behind the context; an enum's parts go through `room`.
pub(super) fn making_object(
    builder: &mut FunctionBuilder,
    variants: &VariantFacts,
    (sum, words): (Sum, &[Value]),
    room: impl FnOnce(&mut FunctionBuilder) -> Value,
) -> (Helper, [Value; 3]) {
    let mut parts = Vec::new();
    for (position, class) in sum.classes().enumerate() {
        let words = &words[sum.words_of(position)];
        parts.push(part_as_value(builder, class, words));
    }
    let which = words[0];
    if VariantFacts::is_built_in(sum.number()) {
        let [tag, payload] = parts[0];
        return (Helper::Wrap, [which, tag, payload]);
    }
    let values = room(builder);
    for (word, value) in (0..).zip(parts.iter().flatten()) {
        builder.ins().store(trusted(), *value, values, 8 * word);
    }
    let mut count = builder.ins().iconst(types::I64, 0);
    for (id, carried) in variants.counts_of(sum.number()) {
        let equal = IntCC::Equal;
        let is_it = builder.ins().icmp_imm_u(equal, which, i64::from(id));
        let carried = builder.ins().iconst(types::I64, i64::from(carried));
        count = builder.ins().select(is_it, carried, count);
    }
    (Helper::NewVariant, [which, values, count])
}

/// The variables of a variant's words, which are declared one after the other.
pub(super) fn variables(sum: Sum, first: Variable) -> impl Iterator<Item = Variable> {
    let count = Class::Sum(sum).words().len() as u32;
    (first.as_u32()..first.as_u32() + count).map(Variable::from_u32)
}

impl Translator<'_, '_, '_> {
    /// Whether an instruction takes variants as they are; for any other, its
    /// operands are made objects first.
    pub fn takes_sums(op: Op) -> bool {
        matches!(
            op,
            Op::Pop {}
                | Op::Dup {}
                | Op::StoreLocal { .. }
                | Op::Return {}
                | Op::CallFunction { .. }
                | Op::CallMethod { .. }
                | Op::MakeVariant { .. }
                | Op::TestVariant { .. }
                | Op::VariantPayload { .. }
                | Op::JumpIfUnwrapped { .. }
                | Op::JumpIfNull { .. }
                | Op::JumpIfNotNull { .. }
        )
    }

    /// Makes the top operands objects where they are variants taken apart.
    pub fn make_variants_whole(&mut self, count: usize) {
        for index in self.stack.len() - count..self.stack.len() {
            if let Class::Sum(_) = self.stack[index].class {
                self.make_whole(index);
            }
        }
    }

    /// Makes a variant of its words alone; false if it has to be an object.
    pub fn make_sum(&mut self, site: u32, count: u32) -> bool {
        let facts = self.source.facts;
        let first = self.stack.len() - count as usize;
        let mut contents = Type::NONE;
        for entry in &self.stack[first..] {
            contents.join(entry.ty);
        }
        let ty = facts.variants.made_at(site, contents);
        let Class::Sum(sum) = self.class_of(ty) else {
            return false;
        };
        let kind = self.source.program.variant_sites[site as usize].kind;
        let (which, carried) = match kind {
            VariantKind::Tagged => (facts.variants.of_site(site)[0], count),
            VariantKind::None => (kind as u32, 0),
            VariantKind::Ok | VariantKind::Err | VariantKind::Some => (kind as u32, 1),
        };
        if carried != count {
            return false;
        }
        self.make_objects(count as usize);
        self.make_variants_whole(count as usize);
        for index in first..self.stack.len() {
            self.stack[index] = self.own(self.stack[index]);
        }
        let deep: Vec<Entry> = self.stack[first..]
            .iter()
            .copied()
            .filter(|entry| !has_no_depth(entry.ty))
            .collect();
        let class = Class::Sum(sum);
        let slow = (!deep.is_empty()).then(|| self.cold_block());
        for entry in deep {
            let limit = self.iconst(MAX_DEPTH as i64);
            self.expect_shallower(entry, limit, slow.expect("for what is deep"));
        }
        let mut words = vec![self.iconst(i64::from(which))];
        for (position, class) in sum.classes().enumerate() {
            match self.stack.get(first + position).copied() {
                Some(entry) => words.extend(self.in_class(entry, class)),
                None => words.extend(empty_part(self.builder, class)),
            }
        }
        if let Some(slow) = slow {
            let done = self.builder.create_block();
            for word in class.words().iter() {
                self.builder.append_block_param(done, *word);
            }
            self.jump_with(done, &words);
            self.switch_sealed(slow);
            // It may still not be too deep: bounds are only corrected there.
            self.make_variant_by_helper(site, count, ty);
            let made = self.pop();
            let made = self.in_class(made, class);
            self.jump_with(done, &made);
            self.switch_sealed(done);
            words = self.builder.block_params(done).to_vec();
        } else {
            self.stack.truncate(first);
        }
        self.push(Entry::owned(ty, class, &words));
        self.record(Decision::TakesApart);
        true
    }

    /// The object of a variant taken apart: it gets what the entry owned, or
    /// counts of its own.
    pub fn variant_object(&mut self, sum: Sum, entry: Entry) -> Value {
        self.record(Decision::MakesObject);
        let words = self.own(entry).all_words();
        let room = self.variant_room();
        let variants = &self.source.facts.variants;
        let (helper, [which, one, two]) =
            making_object(self.builder, variants, (sum, &words), |builder| {
                builder.ins().stack_addr(types::I64, room, 0)
            });
        self.call_helper(helper, &[self.ctx, which, one, two])[0]
    }

    /// A variant in an entry's words, which own what the entry owned.
    pub fn sum_words(&mut self, sum: Sum, entry: Entry) -> Vec<Value> {
        let object = self.payload_word(entry);
        let words = load_sum(self.builder, sum, object);
        if entry.is_counted() {
            let parts = Entry::owned(entry.ty, Class::Sum(sum), &words);
            self.retain_entry(parts);
            self.release_object(object);
        }
        words
    }

    /// Takes a variant apart that is in memory; if there is none, the slot holds
    /// nothing.
    pub fn take_variant_apart(&mut self, slot: u32, address: Value, offset: i32) {
        let Home::Sum { sum, .. } = self.homes[slot as usize] else {
            unreachable!("only such homes hold variants taken apart");
        };
        let value = self.load_value(Type::ANY, address, offset, Owner::Entry);
        let (tag, object) = value.pair();
        let there = Tag::Variant as u64 as i64;
        let there = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, there);
        let (take, done) = (self.builder.create_block(), self.builder.create_block());
        let class = Class::Sum(sum);
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let nothing = empty_sum(self.builder, sum);
        let nothing: Vec<BlockArg> = nothing.into_iter().map(BlockArg::Value).collect();
        self.builder.ins().brif(there, take, &[], done, &nothing);
        self.switch_sealed(take);
        let whole = Entry::owned(self.slot_type(slot), Class::Object(Tag::Variant), &[object]);
        let words = self.sum_words(sum, whole);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.define_sum(slot, &words);
    }

    /// Gives a slot that is a variant taken apart its new words.
    pub fn define_sum(&mut self, slot: u32, words: &[Value]) {
        let Home::Sum { sum, first, .. } = self.homes[slot as usize] else {
            unreachable!("only such homes hold variants taken apart");
        };
        for (variable, word) in variables(sum, first).zip(words) {
            self.set_word(variable, *word);
        }
    }

    /// What a slot's words are; they belong to the slot.
    pub fn read_sum(&mut self, slot: u32, owner: Owner) -> Entry {
        let Home::Sum { sum, first, .. } = self.homes[slot as usize] else {
            unreachable!("only such homes hold variants taken apart");
        };
        let words: Vec<Value> = variables(sum, first)
            .map(|variable| self.word_of(variable))
            .collect();
        let ty = self.slot_type(slot).without(Tags::UNSET);
        Entry::borrowed(ty, Class::Sum(sum), &words, owner)
    }

    // ---- patterns

    /// Whether a variant taken apart is one that a site tests for.
    pub fn is_sum(&mut self, sum: Sum, which: Value, site: u32) -> Value {
        let kind = self.source.program.variant_sites[site as usize].kind;
        let variants = &self.source.facts.variants;
        let number = sum.number();
        let wanted: Vec<u32> = match kind {
            VariantKind::Tagged => {
                let tested = variants.of_site(site);
                let ids = variants.counts_of(number).map(|(id, _)| id);
                ids.filter(|id| tested.contains(id)).collect()
            }
            _ if VariantFacts::is_built_in(number) => vec![kind as u32],
            _ => vec![],
        };
        let mut result = None;
        for wanted in wanted {
            let wanted = i64::from(wanted);
            let same = self.builder.ins().icmp_imm_u(IntCC::Equal, which, wanted);
            result = Some(match result {
                Some(before) => self.builder.ins().bor(before, same),
                None => same,
            });
        }
        result.unwrap_or_else(|| self.builder.ins().iconst(types::I8, 0))
    }

    /// A part of a variant taken apart, of which it is known that it is there; the
    /// rest is given back.
    pub fn part_of_sum(&mut self, sum: Sum, whole: Entry, position: usize, ty: Type) -> Entry {
        let words = whole.all_words();
        let class = sum.classes().nth(position).expect("a part that is there");
        let part = Entry::borrowed(ty, class, &words[sum.words_of(position)], whole.owner);
        if whole.is_counted() {
            for other in counted_positions(sum) {
                if other != position {
                    let words = &words[sum.words_of(other)];
                    self.release_entry(Entry::owned(Type::ANY, Class::Dynamic, words));
                }
            }
        }
        let class = signature::class_of(self.source.facts, ty);
        let class = match class {
            Class::Record(_) | Class::Sum(_) => Class::of(ty),
            class => class,
        };
        let words = self.in_class(part, class);
        Entry::borrowed(ty, class, &words, whole.owner)
    }
}
