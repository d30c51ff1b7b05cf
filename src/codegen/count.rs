//! Counting in generated code: inline while objects stay alive, a helper for
//! the last owner.  Where code is to be made quickly, or rarely runs, a helper
//! gives all counts back.

use super::func::Translator;
use super::layout::Holding;
use super::local::Home;
use super::signature::Class;
use super::stack::Entry;
use super::sum::{self, counted_parts};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_codegen::settings::OptLevel;
use ruff_runtime::abi::Helper;
use ruff_runtime::value::FIRST_COUNTED;

impl Translator<'_, '_, '_> {
    /// Takes a count of what an entry holds.
    pub fn retain_entry(&mut self, entry: Entry) {
        match entry.class {
            Class::Object(_) => self.retain_object(entry.word()),
            Class::Dynamic => {
                let (tag, payload) = entry.pair();
                self.retain_dynamic(tag, payload);
            }
            Class::Sum(sum) => {
                for (tag, payload) in counted_parts(sum, &entry.all_words()) {
                    self.retain_dynamic(tag, payload);
                }
            }
            Class::Null
            | Class::Int
            | Class::Float
            | Class::Bool
            | Class::Character
            | Class::Record(_) => {}
        }
    }

    /// Takes a count of an object, unless it is immortal.
    pub fn retain_object(&mut self, object: Value) {
        let count = self.load_count(object);
        let mortal = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedGreaterThanOrEqual, count, 0);
        let (bump, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(mortal, bump, &[], done, &[]);
        self.switch_sealed(bump);
        let more = self.builder.ins().iadd_imm_s(count, 1);
        self.store_count(object, more);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    fn retain_dynamic(&mut self, tag: Value, payload: Value) {
        let counted = self.builder.ins().icmp_imm_u(
            IntCC::UnsignedGreaterThanOrEqual,
            tag,
            FIRST_COUNTED as i64,
        );
        let (take, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(counted, take, &[], done, &[]);
        self.switch_sealed(take);
        self.retain_object(payload);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Gives back what an entry owns.
    pub fn release_entry(&mut self, entry: Entry) {
        if !entry.is_counted() {
            return;
        }
        match entry.class {
            Class::Object(_) => self.release_object(entry.word()),
            Class::Dynamic => {
                let (tag, payload) = entry.pair();
                self.release_dynamic(tag, payload);
            }
            Class::Sum(sum) => {
                for (tag, payload) in counted_parts(sum, &entry.all_words()) {
                    self.release_dynamic(tag, payload);
                }
            }
            Class::Null
            | Class::Int
            | Class::Float
            | Class::Bool
            | Class::Character
            | Class::Record(_) => {}
        }
    }

    /// Whether code for what is done here is to be short, whatever that costs.
    fn is_to_be_short(&self) -> bool {
        let is_cold = |block| self.builder.func.layout.is_cold(block);
        self.builder.current_block().is_some_and(is_cold)
            || self.source.isa.flags().opt_level() == OptLevel::None
            || self.source.isa_for_rare(self.func).is_some()
    }

    /// Gives a count of an object back.
    pub fn release_object(&mut self, object: Value) {
        if self.is_to_be_short() {
            self.call_helper(Helper::Release, &[object]);
            return;
        }
        let count = self.load_count(object);
        let last = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThanOrEqual, count, 1);
        let (free, lower, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        self.builder.ins().brif(last, free, &[], lower, &[]);
        self.switch_sealed(lower);
        let fewer = self.builder.ins().iadd_imm_s(count, -1);
        self.store_count(object, fewer);
        self.builder.ins().jump(done, &[]);
        // The last owner frees; immortal objects come here too and stay.
        self.switch_sealed(free);
        let owned = self.builder.create_block();
        let immortal = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.builder.ins().brif(immortal, done, &[], owned, &[]);
        self.switch_sealed(owned);
        self.call_helper(Helper::Release, &[object]);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    fn release_dynamic(&mut self, tag: Value, payload: Value) {
        if self.is_to_be_short() {
            self.call_helper(Helper::ReleaseValue, &[tag, payload]);
            return;
        }
        let counted = self.builder.ins().icmp_imm_u(
            IntCC::UnsignedGreaterThanOrEqual,
            tag,
            FIRST_COUNTED as i64,
        );
        let (give, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(counted, give, &[], done, &[]);
        self.switch_sealed(give);
        self.release_object(payload);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Gives back an object that may not be there.
    pub fn release_if_there(&mut self, object: Value) {
        if self.is_to_be_short() {
            self.call_helper(Helper::Release, &[object]);
            return;
        }
        let (give, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(object, give, &[], done, &[]);
        self.switch_sealed(give);
        self.release_object(object);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Gives back what the slots hold, on the way out.
    pub fn release_slots(&mut self, holding: &Holding) {
        for slot in 0..self.function.slots {
            if holding.maybe.contains(slot) {
                self.release_home(self.homes[slot as usize], holding.surely.contains(slot));
            }
        }
        for part in 0..self.dissolved.len() {
            if holding.maybe.contains(self.layout.parts.place(part)) {
                self.release_part(part);
            }
        }
    }

    /// Gives back what a slot holds; the slot is not emptied.
    pub fn release_slot(&mut self, slot: u32, surely: bool) {
        self.release_home(self.homes[slot as usize], surely);
        self.release_parts(slot);
    }

    /// Gives back what is in a home, which is not emptied.
    pub fn release_home(&mut self, home: Home, surely: bool) {
        match home {
            Home::Value {
                class: Class::Object(_),
                first,
                ..
            }
            | Home::Cell { variable: first } => {
                let object = self.word_of(first);
                if surely {
                    self.release_object(object)
                } else {
                    self.release_if_there(object)
                }
            }
            Home::Value {
                class: Class::Dynamic,
                first,
                second,
                counted: true,
            } => {
                let tag = self.word_of(first);
                let payload = self.word_of(second);
                self.release_dynamic(tag, payload);
            }
            Home::Sum {
                sum,
                first,
                counted: true,
            } => {
                let variables = sum::variables(sum, first);
                let words: Vec<Value> = variables.map(|word| self.word_of(word)).collect();
                for (tag, payload) in counted_parts(sum, &words) {
                    self.release_dynamic(tag, payload);
                }
            }
            Home::Memory { room, part: 0 } => {
                let address = self.address_in(room, 0);
                let two = self.iconst(2);
                self.call_helper(Helper::ReleaseValues, &[address, two]);
            }
            Home::Value { .. }
            | Home::Record { .. }
            | Home::Sum { .. }
            | Home::Memory { .. }
            | Home::Number { .. }
            | Home::Nowhere => {}
        }
    }
}
