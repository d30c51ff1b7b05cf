//! Dicts with keys of known kinds: looked up by helpers that know what they get.

use super::func::Translator;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, element_of, result_of_builtin};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Path, Step};
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

    /// Sets a key, which stays whose it is, of a dict that is nobody else's to an
    /// owned value; goes to `slow` if that makes the dict deeper.
    pub fn store_entry(&mut self, dict: Value, key: Entry, value: Entry, slow: Block) {
        if !is_key(key) {
            let dead = self.builder.create_block();
            self.builder.ins().jump(slow, &[]);
            self.switch_sealed(dead);
            return;
        }
        self.expect_to_fit(value, dict, slow);
        let helper = match key.class {
            Class::Int => Helper::DictIntSet,
            _ => Helper::DictSet,
        };
        let (tag, payload) = self.both_words(value);
        self.call_helper(helper, &[dict, key.word(), tag, payload]);
    }

    /// `dict[key] = v` of a variable in place, while the dict is nobody else's and
    /// becomes no deeper; false if it is something else.
    pub fn store_in_dict(&mut self, number: u32, path: &Path, value_first: bool) -> bool {
        let first = self.stack.len() - path.indexes() as usize - 1;
        let [Step::Index] = path.steps[..] else {
            return false;
        };
        let (value_at, key_at) = match value_first {
            true => (first, first + 1),
            false => (first + 1, first),
        };
        if !self.root_type(path).is(Tags::DICT) || !is_key(self.stack[key_at]) {
            return false;
        }
        self.make_objects(2);
        self.own_before_change(path, 2);
        let (value, key) = (self.stack[value_at], self.stack[key_at]);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let root = self.variable(path.root);
        let dict = self.expect_tag(root, Tag::Dict, slow);
        self.expect_unique(dict, slow);
        self.store_entry(dict, key, value, slow);
        self.release_entry(key);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(slow);
        self.store_path_by_helper(number, path, value_first);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
        true
    }

    /// `get(dict, key, default)` and the like; false if it is not known what the
    /// operands are.
    pub fn get_of_dict(&mut self, name: &str, argc: usize) -> bool {
        let first = self.stack.len() - argc;
        let (dict, key) = (self.stack[first], self.stack[first + 1]);
        if dict.class != Class::Object(Tag::Dict) || !is_key(key) {
            return false;
        }
        let types: Vec<Type> = self.stack[first..].iter().map(|entry| entry.ty).collect();
        let ty = result_of_builtin(name, &types);
        let class = Class::of(ty);
        let default = self.stack.get(first + 2).copied();
        let default = default.unwrap_or_else(Entry::null);
        let [found, missing, done] = [(); 3].map(|()| self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let place = self.entry_place(dict.word(), key);
        self.builder.ins().brif(place, found, &[], missing, &[]);
        self.switch_sealed(found);
        let held = self.load_value(element_of(dict.ty), place, 0, Owner::Shared);
        let words = self.owned_in_class(held, class);
        self.release_entry(default);
        self.jump_with(done, &words);
        self.switch_sealed(missing);
        let words = self.owned_in_class(default, class);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.stack.truncate(first);
        self.release_entry(key);
        self.release_entry(dict);
        self.push(Entry::owned(ty, class, &words));
        true
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
