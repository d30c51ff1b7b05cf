//! Dicts with keys of known kinds: looked up by helpers that know what they get.

use super::func::Translator;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::element_of;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::value::Tag;

/// Whether an operand is a key for sure.
pub(super) fn is_key(entry: Entry) -> bool {
    matches!(entry.class, Class::Int | Class::Object(Tag::String))
}

impl Translator<'_, '_, '_> {
    /// Where the value of a key lives in a dict; null if there is none.
    pub fn entry_place(&mut self, dict: Value, key: Entry) -> Value {
        let helper = match key.class {
            Class::Int => Helper::DictIntPlace,
            _ => Helper::DictPlace,
        };
        self.call_helper(helper, &[dict, key.word()])[0]
    }

    /// `dict[key]`
    pub fn index_dict(&mut self, dict: Entry, key: Entry) {
        let ty = element_of(dict.ty);
        let (slow, found, done) = (
            self.cold_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        let place = self.entry_place(dict.word(), key);
        self.builder.ins().brif(place, found, &[], slow, &[]);
        self.switch_sealed(found);
        let held = self.load_value(ty, place, 0, Owner::Shared);
        let held = self.own(held);
        let (tag, payload) = self.both_words(held);
        self.builder
            .ins()
            .jump(done, &[BlockArg::Value(tag), BlockArg::Value(payload)]);
        // The helper raises the error.
        self.switch_sealed(slow);
        let words = self.index_words(dict, key);
        self.builder.ins().jump(
            done,
            &[BlockArg::Value(words[0]), BlockArg::Value(words[1])],
        );
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.stack.truncate(self.stack.len() - 2);
        self.release_entry(key);
        self.release_entry(dict);
        let entry = self.entry_from_words(ty, params[0], params[1], Owner::Entry);
        self.push(entry);
    }
}
