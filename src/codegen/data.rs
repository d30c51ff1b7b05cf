//! Making values: the parts go to a helper in memory.

use super::decision::Decision;
use super::func::Translator;
use super::func::trusted;
use super::place::has_no_depth;
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Capture, StructSite};
use ruff_runtime::heap::VariantKind;
use ruff_runtime::heap::record::{DECLARATION_OFFSET, FIELDS_OFFSET};
use ruff_runtime::heap::variant::PAYLOAD_OFFSET;
use ruff_runtime::value::Tag;

impl Translator<'_, '_, '_> {
    pub fn make_array(&mut self, count: u32) {
        self.record(Decision::Makes);
        let mut contents = Type::NONE;
        for entry in &self.stack[self.stack.len() - count as usize..] {
            contents.join(entry.ty);
        }
        if self.make_flat_array(count as usize, contents) {
            return;
        }
        let values = self.pop_to_memory(count as usize);
        let count = self.iconst(i64::from(count));
        let words = self.call_raising(Helper::MakeArray, &[self.ctx, values, count]);
        self.push_words(Type::array_of(contents), &words);
    }

    /// `ArrayPush`, `ArrayExtend`, `DictExtend`: container below, addition on top.
    pub fn extend_by(&mut self, helper: Helper) {
        let addition = self.pop_owned();
        let container = self.pop_owned();
        let mut ty = container.ty;
        let contents = if helper == Helper::ArrayPush {
            addition.ty
        } else {
            addition.ty.contents()
        };
        ty.join_contents(1, contents);
        let (container_tag, container_word) = self.both_words(container);
        let (tag, payload) = self.both_words(addition);
        let words = self.call_raising(
            helper,
            &[self.ctx, container_tag, container_word, tag, payload],
        );
        self.push_words(ty, &words);
    }

    pub fn make_dict(&mut self, count: u32) {
        self.record(Decision::Makes);
        let mut contents = Type::NONE;
        let first = self.stack.len() - 2 * count as usize;
        for value in self.stack[first..].iter().skip(1).step_by(2) {
            contents.join(value.ty);
        }
        let values = self.pop_to_memory(2 * count as usize);
        let count = self.iconst(i64::from(count));
        let words = self.call_raising(Helper::MakeDict, &[self.ctx, values, count]);
        self.push_words(Type::container(Tags::DICT, contents), &words);
    }

    pub fn dict_insert(&mut self) {
        let mut ty = self.stack[self.stack.len() - 3].ty;
        ty.join_contents(1, self.stack[self.stack.len() - 1].ty);
        let values = self.pop_to_memory(3);
        let words = self.call_raising(Helper::DictInsert, &[self.ctx, values]);
        self.push_words(ty, &words);
    }

    pub fn make_struct(&mut self, number: u32) {
        let site = &self.source.program.struct_sites[number as usize];
        if self.make_words(site) {
            self.record(Decision::TakesApart);
            return;
        }
        self.record(Decision::Makes);
        self.own_borrows_from_shared();
        if let Some((declaration, order)) = self.flat_instance(site) {
            self.make_flat_struct(number, declaration, &order);
            return;
        }
        self.make_struct_by_helper(number);
    }

    fn make_struct_by_helper(&mut self, number: u32) {
        let site = &self.source.program.struct_sites[number as usize];
        let values = self.pop_to_memory(site.pops() as usize);
        let id = self.number(Table::StructSites, number);
        let words = self.call_raising(Helper::MakeStruct, &[self.ctx, id, values]);
        let ty = site
            .declaration
            .map_or(Type::of(Tags::STRUCT), Type::instance);
        self.push_words(ty, &words);
    }

    /// Whether a literal gives each declared field a scalar, a string or a struct
    /// of such fields, so that its depth is known: the
    /// declaration, and for each field where in the literal its value is.
    fn flat_instance(&self, site: &StructSite) -> Option<(u32, Vec<usize>)> {
        let declaration = site.declaration.filter(|_| site.has_def)?;
        let fields = &self.source.program.structs[declaration as usize].fields;
        if fields.len() != site.fields.len() {
            return None;
        }
        let first = self.stack.len() - site.fields.len();
        let facts = self.source.facts;
        let flat = |entry: &Entry| {
            let class = signature::class_of(facts, entry.ty);
            has_no_depth(entry.ty) || matches!(class, Class::Record(_))
        };
        let is_def = self.stack[first - 1].class == Class::Object(Tag::StructDef);
        if !is_def || !self.stack[first..].iter().all(flat) {
            return None;
        }
        let at = |field| site.fields.iter().position(|given| given == field);
        let order: Option<Vec<usize>> = fields.iter().map(at).collect();
        Some((declaration, order?))
    }

    /// Allocates the instance and writes its fields in place.
    fn make_flat_struct(&mut self, number: u32, declaration: u32, order: &[usize]) {
        let first = self.stack.len() - order.len();
        self.make_objects(order.len());
        for at in first - 1..self.stack.len() {
            self.stack[at] = self.own(self.stack[at]);
        }
        let contains = |entry: &Entry| !has_no_depth(entry.ty);
        let depth = 1 + i64::from(self.stack[first..].iter().any(contains));
        let def = self.stack[first - 1].word();
        let held = self
            .builder
            .ins()
            .load(types::I32, trusted(), def, DECLARATION_OFFSET as i32);
        let known = match self.source.alone {
            None => {
                let declaration = i64::from(declaration);
                self.builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, held, declaration)
            }
            Some(_) => {
                let declaration = self.number_as(types::I32, Table::Structs, declaration);
                self.builder.ins().icmp(IntCC::Equal, held, declaration)
            }
        };
        let (fast, slow) = (self.builder.create_block(), self.cold_block());
        let done = self.builder.create_block();
        let result = self.builder.append_block_param(done, types::I64);
        self.builder.ins().brif(known, fast, &[], slow, &[]);
        self.switch_sealed(fast);
        let shape = self.declared_shape(declaration);
        let depth = self.iconst(depth);
        let record = self.call_helper(Helper::NewRecord, &[shape, def, depth])[0];
        for (field, at) in order.iter().enumerate() {
            let offset = (FIELDS_OFFSET + 16 * field) as i32;
            self.store_value(self.stack[first + at], record, offset);
        }
        self.builder.ins().jump(done, &[BlockArg::Value(record)]);
        self.switch_sealed(slow);
        self.make_struct_by_helper(number);
        let made = self.pop();
        let object = self.payload_word(made);
        self.builder.ins().jump(done, &[BlockArg::Value(object)]);
        self.switch_sealed(done);
        let ty = Type::instance(declaration);
        self.push(Entry::owned(ty, Class::Object(Tag::Struct), &[result]));
    }

    pub fn make_variant(&mut self, site: u32, count: u32) {
        if self.make_sum(site, count) {
            return;
        }
        self.make_variants_whole(count as usize);
        self.record(Decision::Makes);
        let mut contents = Type::NONE;
        for entry in &self.stack[self.stack.len() - count as usize..] {
            contents.join(entry.ty);
        }
        let kind = self.source.program.variant_sites[site as usize].kind;
        let takes = match kind {
            VariantKind::Ok | VariantKind::Err | VariantKind::Some => Some(1),
            VariantKind::None => Some(0),
            VariantKind::Tagged => None,
        };
        if takes == Some(count) && (count == 0 || has_no_depth(contents)) {
            self.make_wrapper(site, count, contents);
            return;
        }
        let ty = self.source.facts.variants.made_at(site, contents);
        self.make_variant_by_helper(site, count, ty);
    }

    /// Makes a variant as an object; an error if it would be too deep.
    pub fn make_variant_by_helper(&mut self, site: u32, count: u32, ty: Type) {
        let values = self.pop_to_memory(count as usize);
        let site = self.number(Table::VariantSites, site);
        let count = self.iconst(i64::from(count));
        let words = self.call_raising(Helper::MakeVariant, &[self.ctx, site, values, count]);
        self.push_words(ty, &words);
    }

    /// Makes `Ok`, `Err`, `Some` or `None`, and writes its payload in place.
    fn make_wrapper(&mut self, site: u32, count: u32, contents: Type) {
        let first = self.stack.len() - count as usize;
        let payload: Vec<Entry> = (first..self.stack.len())
            .map(|index| self.own(self.stack[index]))
            .collect();
        self.stack.truncate(first);
        let kind = self.source.program.variant_sites[site as usize].kind;
        let kind = self.iconst(kind as u8 as i64);
        let count = self.iconst(i64::from(count));
        let variant = self.call_helper(Helper::NewWrapper, &[kind, count])[0];
        for (index, entry) in payload.into_iter().enumerate() {
            self.store_value(entry, variant, (PAYLOAD_OFFSET + 16 * index) as i32);
        }
        let ty = self.source.facts.variants.made_at(site, contents);
        self.push(Entry::owned(ty, Class::Object(Tag::Variant), &[variant]));
    }

    pub fn make_closure(&mut self, func: u32) {
        self.record(Decision::Makes);
        let captures = &self.source.program.functions[func as usize].captures;
        let address = self.scratch(captures.len());
        for (index, capture) in captures.iter().enumerate() {
            let offset = 16 * index as i32;
            match *capture {
                Capture::Cell(slot) => {
                    let cell = self.cell(slot);
                    self.retain_object(cell);
                    let tag = self.tag_word(Tag::Cell);
                    self.builder
                        .ins()
                        .store(super::func::trusted(), tag, address, offset);
                    self.builder
                        .ins()
                        .store(super::func::trusted(), cell, address, offset + 8);
                }
                Capture::Value(slot) => {
                    let entry = self.read_slot(slot, Owner::Slot(slot));
                    let entry = self.own(entry);
                    self.store_value(entry, address, offset);
                }
                Capture::Outer(outer) => {
                    let callee = self
                        .callee
                        .expect("a function with captures gets its object");
                    let from =
                        ruff_runtime::heap::closure::CAPTURES_OFFSET as i32 + 16 * outer as i32;
                    let entry = self.load_value(Type::ANY, callee, from, Owner::Function);
                    let entry = self.own(entry);
                    self.store_value(entry, address, offset);
                }
            }
        }
        let id = self.number(Table::Functions, func);
        let count = self.iconst(captures.len() as i64);
        let words = self.call_helper(Helper::MakeClosure, &[self.ctx, id, address, count]);
        self.push_words(Type::function(func), &words);
    }

    pub fn make_struct_def(&mut self, declaration: u32) {
        let pops = self.source.program.structs[declaration as usize].pops();
        let values = self.pop_to_memory(pops as usize);
        let id = self.number(Table::Structs, declaration);
        let words = self.call_helper(Helper::MakeStructDef, &[self.ctx, id, values]);
        self.push_words(Type::of(Tags::STRUCT_DEF), &words);
    }

    pub fn make_enum_def(&mut self, name: u32) {
        let id = self.number(Table::Names, name);
        let words = self.call_helper(Helper::MakeEnumDef, &[self.ctx, id]);
        self.push_words(Type::of(Tags::ENUM_DEF), &words);
    }

    pub fn interpolate(&mut self, count: u32) {
        self.record(Decision::Makes);
        let values = self.pop_to_memory(count as usize);
        let count = self.iconst(i64::from(count));
        let words = self.call_raising(Helper::Interpolate, &[self.ctx, values, count]);
        self.push_words(Type::of(Tags::STRING), &words);
    }

    /// A loaded word of the machine's integer type.
    pub fn load_word(
        &mut self,
        address: cranelift_codegen::ir::Value,
        offset: usize,
    ) -> cranelift_codegen::ir::Value {
        self.builder
            .ins()
            .load(types::I64, super::func::trusted(), address, offset as i32)
    }
}
