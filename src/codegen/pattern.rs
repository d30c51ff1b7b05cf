//! Patterns: tests and parts.

use super::func::{Translator, trusted};
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, part_of_pair, way_from_pair};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::heap::VariantKind;
use ruff_runtime::heap::variant::{
    ID_OFFSET, KIND_OFFSET, LEN_OFFSET as PAYLOAD_LEN_OFFSET, PAYLOAD_OFFSET,
};
use ruff_runtime::names::NameId;
use ruff_runtime::value::Tag;

/// What a helper is told besides the value that it looks at.
enum Operand {
    Index(u32),
    /// The number of a row.
    Row(Table, u32),
}

impl Translator<'_, '_, '_> {
    /// Replaces the top by what a helper makes of it and of an operand.
    fn part(&mut self, helper: Helper, with_context: bool, operand: Operand, ty: Type) {
        let entry = self.pop();
        let (tag, payload) = self.both_words(entry);
        let operand = match operand {
            Operand::Index(index) => self.iconst(i64::from(index)),
            Operand::Row(table, number) => self.number(table, number),
        };
        let words = if with_context {
            self.call_helper(helper, &[self.ctx, tag, payload, operand])
        } else {
            self.call_helper(helper, &[tag, payload, operand])
        };
        self.release_entry(entry);
        self.push_words(ty, &words);
    }

    pub fn element_or_null(&mut self, index: u32) {
        let object = self.stack[self.stack.len() - 1].ty;
        let leaders = &self.layout.leaders;
        let is_pair = object.is(Tags::ARRAY)
            && way_from_pair(self.source.program, self.function, self.pc)
                .is_some_and(|mut way| way.all(|pc| !leaders[pc as usize]));
        let ty = if is_pair {
            part_of_pair(object, index)
        } else if object.may_be(Tags::ARRAY) {
            object.contents().joined(Type::of(Tags::NULL))
        } else {
            Type::of(Tags::NULL)
        };
        self.part(Helper::ElementOrNull, false, Operand::Index(index), ty);
    }

    pub fn array_rest(&mut self, from: u32) {
        let object = self.stack[self.stack.len() - 1].ty;
        self.part(
            Helper::ArrayRest,
            false,
            Operand::Index(from),
            Type::array_of(object.contents()),
        );
    }

    pub fn field_or_null(&mut self, name: NameId) {
        let object = self.stack[self.stack.len() - 1].ty;
        let is_method = self.source.facts.may_be_method(object, name);
        let ty = if is_method {
            Type::ANY
        } else {
            crate::infer::field_of(self.source.facts, object, name).joined(Type::of(Tags::NULL))
        };
        self.part(
            Helper::FieldOrNull,
            true,
            Operand::Row(Table::Names, name),
            ty,
        );
    }

    pub fn dict_rest(&mut self, list: u32) {
        let object = self.stack[self.stack.len() - 1].ty;
        let contents = if object.may_be(Tags::STRUCT) {
            Type::ANY
        } else {
            object.contents()
        };
        self.part(
            Helper::DictRest,
            true,
            Operand::Row(Table::NameLists, list),
            Type::container(Tags::DICT, contents),
        );
    }

    /// The payload at a position: read inline where it is there.
    pub fn variant_payload(&mut self, index: u32) {
        let entry = self.stack[self.stack.len() - 1];
        let variants = &self.source.facts.variants;
        let payload = variants.payload(self.func, self.pc, entry.ty.contents());
        let (ty, is_there) = (payload.ty, payload.is_there);
        if let Class::Sum(sum) = entry.class {
            // A test for a name in any enum may be for another one's.
            let has_part = (index as usize) < sum.classes().count();
            if payload.is_tested && is_there && has_part {
                self.pop();
                let part = self.part_of_sum(sum, entry, index as usize, ty);
                self.push(part);
                return;
            }
            self.make_variants_whole(1);
            return self.variant_payload(index);
        }
        // Where it is read behind its test, that found a variant.
        let is_object = match entry.class {
            Class::Object(tag) => tag == Tag::Variant,
            Class::Dynamic => payload.is_tested,
            _ => false,
        };
        if !is_object {
            self.part(Helper::VariantPayload, false, Operand::Index(index), ty);
            return;
        }
        self.pop();
        // What the variant alone owns must outlive it.
        let owner = match entry.owner {
            Owner::Entry => Owner::Shared,
            owner => owner,
        };
        let object = self.payload_word(entry);
        let offset = (PAYLOAD_OFFSET + 16 * index as usize) as i32;
        if is_there {
            let part = self.load_value(ty, object, offset, owner);
            self.push_part(entry, part);
            return;
        }
        let len = self
            .builder
            .ins()
            .load(types::I32, trusted(), object, PAYLOAD_LEN_OFFSET as i32);
        let there =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, len, i64::from(index));
        let (read, done) = (self.builder.create_block(), self.builder.create_block());
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        let (null, zero) = (self.tag_word(Tag::Null), self.iconst(0));
        self.builder.ins().brif(
            there,
            read,
            &[],
            done,
            &[BlockArg::Value(null), BlockArg::Value(zero)],
        );
        self.switch_sealed(read);
        let (tag, payload) = (
            self.load_word(object, offset as usize),
            self.load_word(object, offset as usize + 8),
        );
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        let part = self.entry_from_words(ty, params[0], params[1], owner);
        self.push_part(entry, part);
    }

    /// Pushes a part of an entry, which is given back.
    fn push_part(&mut self, whole: Entry, part: Entry) {
        let part = match whole.owner {
            Owner::Entry => self.own(part),
            _ => part,
        };
        self.release_entry(whole);
        self.push(part);
    }

    /// Whether it is a variant of a kind, or one with the names of an enum's: both
    /// are numbers.
    pub fn test_variant(&mut self, site: u32) {
        if self.source.alone.is_some() {
            // Which number a variant has is known to the program around; none is
            // taken apart.
            self.test(Helper::TestVariant, Table::VariantSites, site);
            return;
        }
        let top = self.stack[self.stack.len() - 1];
        if let Class::Sum(sum) = top.class {
            self.pop();
            let result = self.is_sum(sum, top.all_words()[0], site);
            self.release_entry(top);
            self.push(Entry::bool(result));
            return;
        }
        self.test_object(Tag::Variant, |translator, object| {
            translator.is_variant(object, site)
        });
    }

    /// Whether it is an object of a kind of which something else is so.
    fn test_object(&mut self, kind: Tag, is_so: impl FnOnce(&mut Self, Value) -> Value) {
        let entry = self.pop();
        let result = match entry.class {
            Class::Object(tag) if tag == kind => is_so(self, entry.word()),
            Class::Dynamic => {
                let (tag, object) = entry.pair();
                let is_kind = self
                    .builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, tag, kind as u64 as i64);
                let (ask, done) = (self.builder.create_block(), self.builder.create_block());
                let result = self.builder.append_block_param(done, types::I8);
                let no = self.builder.ins().iconst(types::I8, 0);
                self.builder
                    .ins()
                    .brif(is_kind, ask, &[], done, &[BlockArg::Value(no)]);
                self.switch_sealed(ask);
                let is_so = is_so(self, object);
                self.builder.ins().jump(done, &[BlockArg::Value(is_so)]);
                self.switch_sealed(done);
                result
            }
            _ => self.builder.ins().iconst(types::I8, 0),
        };
        self.release_entry(entry);
        self.push(Entry::bool(result));
    }

    /// Whether a variant is one that a site tests for.
    fn is_variant(&mut self, object: Value, site: u32) -> Value {
        let kind = self.source.program.variant_sites[site as usize].kind;
        if kind != VariantKind::Tagged {
            let held = self
                .builder
                .ins()
                .uload8(types::I32, trusted(), object, KIND_OFFSET as i32);
            return self
                .builder
                .ins()
                .icmp_imm_u(IntCC::Equal, held, kind as u8 as i64);
        }
        let held = self
            .builder
            .ins()
            .load(types::I32, trusted(), object, ID_OFFSET as i32);
        let mut result = None;
        for id in self.source.facts.variants.of_site(site) {
            let same = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::Equal, held, i64::from(*id));
            result = Some(match result {
                Some(before) => self.builder.ins().bor(before, same),
                None => same,
            });
        }
        // There may be no such variant.
        result.unwrap_or_else(|| self.builder.ins().iconst(types::I8, 0))
    }

    /// A test that a helper makes.
    pub fn test(&mut self, helper: Helper, table: Table, number: u32) {
        let entry = self.pop();
        let (tag, payload) = self.both_words(entry);
        let operand = self.number(table, number);
        let word = self.call_helper(helper, &[self.ctx, tag, payload, operand])[0];
        let result = self.builder.ins().ireduce(types::I8, word);
        self.release_entry(entry);
        self.push(Entry::bool(result));
    }

    /// Whether it is an array whose length compares so with `len`.
    pub fn test_array(&mut self, len: u32, condition: IntCC) {
        self.test_object(Tag::Array, |translator, array| {
            translator.length_is(array, len, condition)
        });
    }

    fn length_is(&mut self, array: Value, len: u32, condition: IntCC) -> Value {
        let held = self.array_len(array);
        self.builder
            .ins()
            .icmp_imm_u(condition, held, i64::from(len))
    }
}
