//! Calls of C functions: by their symbols, with arguments in machine words.
//!
//! Arguments whose types are known are turned into words here; of a call with
//! others the runtime does that for all.

use super::func::{Translator, trusted};
use super::names::Callee;
use super::signature::Class;
use super::stack::Entry;
use crate::infer;
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Endianness, InstBuilder, Signature, Type, Value, types};
use cranelift_codegen::isa::TargetIsa;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{ForeignSite, ForeignType};

/// How a type's values are passed.
fn word_type(ty: ForeignType) -> Type {
    match ty {
        ForeignType::Null
        | ForeignType::Int
        | ForeignType::U64
        | ForeignType::String
        | ForeignType::Pointer => types::I64,
        ForeignType::Bool | ForeignType::I8 | ForeignType::U8 => types::I8,
        ForeignType::I16 | ForeignType::U16 => types::I16,
        ForeignType::I32 | ForeignType::U32 => types::I32,
        ForeignType::Float => types::F64,
        ForeignType::F32 => types::F32,
    }
}

/// A word as C has it: callees may count on small ints being extended.
fn word(ty: ForeignType) -> AbiParam {
    let param = AbiParam::new(word_type(ty));
    match ty {
        ForeignType::I8 | ForeignType::I16 | ForeignType::I32 => param.sext(),
        ForeignType::Bool | ForeignType::U8 | ForeignType::U16 => param.uext(),
        // RISC-V extends even these by their sign, as Cranelift knows.
        ForeignType::U32 => param.uext(),
        _ => param,
    }
}

/// The signature of a C function.
pub fn signature(isa: &dyn TargetIsa, site: &ForeignSite) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature
        .params
        .extend(site.params.iter().map(|ty| word(*ty)));
    if site.result != ForeignType::Null {
        // What a small result's register holds besides it is not looked at.
        signature
            .returns
            .push(AbiParam::new(word_type(site.result)));
    }
    signature
}

/// Whether a value of this class can be turned into a word without the runtime.
fn is_plain(class: Class, ty: ForeignType) -> bool {
    match class {
        Class::Int => ty.range().is_some() || ty.is_float(),
        Class::Float => ty.is_float(),
        Class::Bool => ty == ForeignType::Bool,
        Class::Null
        | Class::Object(_)
        | Class::Character
        | Class::Record(_)
        | Class::Sum(_)
        | Class::Dynamic => false,
    }
}

impl Translator<'_, '_, '_> {
    pub fn call_foreign(&mut self, number: u32) {
        let site = &self.source.program.foreign_sites[number as usize];
        let first = self.stack.len() - site.params.len();
        let mut pairs = self.stack[first..].iter().zip(&site.params);
        let args = if pairs.all(|(entry, ty)| is_plain(entry.class, *ty)) {
            let entries = self.stack.split_off(first);
            let pairs = entries.into_iter().zip(&site.params).enumerate();
            pairs
                .map(|(index, (entry, ty))| self.plain_word(number, index, entry, *ty))
                .collect()
        } else {
            self.words_by_helper(number, site)
        };
        let callee = self.callee_ref(Callee::Foreign(number));
        let call = self.builder.ins().call(callee, &args);
        let result = self.builder.inst_results(call).first().copied();
        self.push_foreign(number, site, result);
    }

    /// The word of an argument of a fitting class.
    fn plain_word(&mut self, number: u32, index: usize, entry: Entry, ty: ForeignType) -> Value {
        if ty.is_float() {
            let double = self.as_float(entry);
            return match ty {
                ForeignType::F32 => self.builder.ins().fdemote(types::F32, double),
                _ => double,
            };
        }
        let value = entry.word();
        let narrow = word_type(ty);
        let range = ty.range().filter(|range| *range != (i64::MIN, i64::MAX));
        if let Some((least, greatest)) = range {
            let offset = self.builder.ins().iadd_imm_s(value, least.wrapping_neg());
            let most = self.iconst(greatest.wrapping_sub(least));
            let misfit = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThan, offset, most);
            let (raise, go_on) = (self.cold_block(), self.builder.create_block());
            self.builder.ins().brif(misfit, raise, &[], go_on, &[]);
            self.switch_sealed(raise);
            let (site, index) = (
                self.number(Table::ForeignSites, number),
                self.iconst(index as i64),
            );
            self.call_raising(Helper::ForeignRange, &[self.ctx, site, index, value]);
            self.switch_sealed(go_on);
        }
        match narrow {
            types::I64 => value,
            _ if ty == ForeignType::Bool => value,
            _ => self.builder.ins().ireduce(narrow, value),
        }
    }

    /// The words of all arguments, made by the runtime.
    fn words_by_helper(&mut self, number: u32, site: &ForeignSite) -> Vec<Value> {
        self.own_borrows_from_shared();
        let count = site.params.len();
        // The words lie behind the values.
        self.scratch(2 * count);
        let values = self.pop_to_memory(count);
        let words = self.builder.ins().iadd_imm_s(values, 16 * count as i64);
        let id = self.number(Table::ForeignSites, number);
        self.call_raising(Helper::ForeignWords, &[self.ctx, id, values, words]);
        let mut load = |(index, ty): (usize, &ForeignType)| {
            let offset = 8 * index as i32;
            // The lower part of a word lies behind the upper one on some machines.
            let narrow = word_type(*ty);
            let is_big = self.source.isa.endianness() == Endianness::Big;
            let lower = if is_big && !ty.is_float() {
                8 - narrow.bytes() as i32
            } else {
                0
            };
            self.builder
                .ins()
                .load(narrow, trusted(), words, offset + lower)
        };
        site.params.iter().enumerate().map(&mut load).collect()
    }

    /// Pushes what a C function gave.
    fn push_foreign(&mut self, number: u32, site: &ForeignSite, result: Option<Value>) {
        let Some(word) = result else {
            self.end_foreign(site);
            return self.push(Entry::null());
        };
        let builder = &mut self.builder;
        let entry = match site.result {
            ForeignType::Int | ForeignType::Pointer => Entry::int(word),
            ForeignType::I8 | ForeignType::I16 | ForeignType::I32 => {
                Entry::int(builder.ins().sextend(types::I64, word))
            }
            ForeignType::U8 | ForeignType::U16 | ForeignType::U32 => {
                Entry::int(builder.ins().uextend(types::I64, word))
            }
            ForeignType::Bool => Entry::bool(builder.ins().icmp_imm_u(IntCC::NotEqual, word, 0)),
            ForeignType::Float => Entry::float(word),
            ForeignType::F32 => Entry::float(builder.ins().fpromote(types::F64, word)),
            ForeignType::Null | ForeignType::U64 | ForeignType::String => {
                let id = self.number(Table::ForeignSites, number);
                let words = self.call_raising(Helper::ForeignResult, &[self.ctx, id, word]);
                return self.push_words(infer::foreign_result(site), &words);
            }
        };
        self.end_foreign(site);
        self.push(entry);
    }

    /// Lets go of what strings among the arguments were turned into.
    fn end_foreign(&mut self, site: &ForeignSite) {
        if site.params.contains(&ForeignType::String) {
            self.call_helper(Helper::ForeignEnd, &[self.ctx]);
        }
    }
}
