//! Views of strings: length and first word, looked up once before a loop.
//!
//! A string in a slot that the loop doesn't change is the same text all the
//! time.  `view` decides where there are such views, and when they are set.

use super::func::Translator;
use super::local::Home;
use super::stack::Entry;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::heap::string::{CHARS_OFFSET, LEN_OFFSET, TEXT_OFFSET};

/// A view's variables.
#[derive(Clone, Copy)]
pub(super) struct TextView {
    slot: u32,
    /// Bytes of text.
    len: Variable,
    /// The first eight bytes, zero behind the text's end.
    word: Variable,
    /// The length if the text is ASCII, and so indexed by byte; else 0.
    pub indexable: Variable,
}

impl Translator<'_, '_, '_> {
    /// A view of the string in a slot, which starts empty.
    pub fn new_text_view(&mut self, slot: u32) -> TextView {
        let view = TextView {
            slot,
            len: self.declare_word(types::I64),
            word: self.declare_word(types::I64),
            indexable: self.declare_word(types::I64),
        };
        self.clear_text_view(view);
        view
    }

    pub fn clear_text_view(&mut self, view: TextView) {
        let zero = self.iconst(0);
        for word in [view.len, view.word, view.indexable] {
            self.set_word(word, zero);
        }
    }

    pub fn set_text_view(&mut self, view: TextView) {
        let Home::Value { first, .. } = self.homes[view.slot as usize] else {
            unreachable!("only plain values are viewed");
        };
        let object = self.word_of(first);
        let zero = BlockArg::Value(self.iconst(0));
        // Parameters of a block with several ways to it, so that they are there
        // once and for all.
        let done = self.builder.create_block();
        for _ in 0..3 {
            self.builder.append_block_param(done, types::I64);
        }
        if !self.surely_holds(view.slot) {
            let there = self.builder.create_block();
            self.builder
                .ins()
                .brif(object, there, &[], done, &[zero, zero, zero]);
            self.switch_sealed(there);
        }
        let len = self.load_length(object, LEN_OFFSET);
        let chars = self.load_length(object, CHARS_OFFSET);
        let is_ascii = self.builder.ins().icmp(IntCC::Equal, chars, len);
        let len = BlockArg::Value(len);
        let word = BlockArg::Value(self.load_word(object, TEXT_OFFSET));
        self.builder
            .ins()
            .brif(is_ascii, done, &[len, word, len], done, &[len, word, zero]);
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.set_word(view.len, params[0]);
        self.set_word(view.word, params[1]);
        self.set_word(view.indexable, params[2]);
    }

    /// The length of a string and its first word.
    pub fn text_head(&mut self, text: Entry) -> (Value, Value) {
        match self.text_view(text) {
            Some(view) => (self.word_of(view.len), self.word_of(view.word)),
            None => (
                self.load_length(text.word(), LEN_OFFSET),
                self.load_word(text.word(), TEXT_OFFSET),
            ),
        }
    }
}
