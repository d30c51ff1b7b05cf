//! Calls of values: of functions that are known, of one of a few, of any other.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::names::Callee;
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type, known_callee};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::FUNCTIONS_OFFSET;
use ruff_runtime::heap::closure::{ENTRY_OFFSET, ID_OFFSET, PLAIN_CALL_OFFSET};
use ruff_runtime::value::{RAISED, Tag};

/// So many functions are asked for, one after the other, where one of them is
/// called.
const MOST_CALLEES: usize = 6;
/// With more of them, their bodies would be too many in one place.
const MOST_INLINED: usize = 2;

impl Translator<'_, '_, '_> {
    pub fn call_value(&mut self, argc: u32) {
        let Translator { source, .. } = *self;
        let callee = self.stack[self.stack.len() - argc as usize - 1];
        let known = known_callee(source.program, callee.ty, argc as usize);
        if let Some(func) = known.filter(|func| source.facts.is_used(*func)) {
            self.record(Decision::Direct { callee: func });
            return match callee.class {
                Class::Object(Tag::Function) => self.call_known(Callee::Direct(func), func, argc),
                _ => self.call_one_of(&[func], true, argc),
            };
        }
        let callees = source.facts.callees(argc as usize).iter().copied();
        let callees: Vec<FunctionId> = callees.filter(|func| source.facts.is_used(*func)).collect();
        if callee.ty.is(Tags::FUNCTION) && (1..=MOST_CALLEES).contains(&callees.len()) {
            for callee in &callees {
                self.record(Decision::Direct { callee: *callee });
            }
            return self.call_one_of(&callees, false, argc);
        }
        self.record(Decision::CallsValue);
        let ty = match callee.ty.is(Tags::FUNCTION) {
            true => source.facts.called(argc as usize),
            false => Type::ANY,
        };
        self.call_operand(argc, ty);
    }

    /// Calls the body of a function, which is below the top `argc` operands.
    fn call_known(&mut self, body: Callee, func: FunctionId, argc: u32) {
        let callee = self.stack.len() - argc as usize - 1;
        self.own_borrows_from_shared();
        let has_captures = !self.source.program.functions[func as usize]
            .captures
            .is_empty();
        let object = has_captures.then(|| self.stack[callee].word());
        self.call_with_operands(body, func, argc as usize, object, None);
        let result = self.pop();
        let callee = self.pop();
        self.release_entry(callee);
        self.push(result);
    }

    /// Calls the operand below the top `argc`, which in most cases is one of some
    /// functions, or the only one if it is a function at all: their bodies are called,
    /// and everything else by the runtime.
    fn call_one_of(&mut self, callees: &[FunctionId], is_only: bool, argc: u32) {
        self.own_borrows_from_shared();
        let facts = self.source.facts;
        let below = self.stack.len() - argc as usize - 1;
        let callee = self.stack[below];
        let ty = match is_only {
            true => facts.functions[callees[0] as usize].result,
            false => facts.called(argc as usize),
        };
        let class = self.class_of(ty);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let before = self.stack.clone();
        let name = match callees.len() {
            0..=MOST_INLINED => Callee::Direct,
            _ => Callee::Apart,
        };
        if is_only {
            let has_tag = self.has_tag(callee, Tag::Function);
            let is_function = has_tag.unwrap_or_else(|| self.builder.ins().iconst(types::I8, 1));
            self.call_if(
                is_function,
                (name(callees[0]), callees[0]),
                argc,
                (class, done),
            );
        } else {
            let object = self.expect_tag(callee, Tag::Function, slow);
            let id = self
                .builder
                .ins()
                .load(types::I32, trusted(), object, ID_OFFSET as i32);
            for func in callees {
                let wanted = self.number_as(types::I32, Table::Functions, *func);
                let is_wanted = self.builder.ins().icmp(IntCC::Equal, id, wanted);
                self.call_if(is_wanted, (name(*func), *func), argc, (class, done));
            }
        }
        self.builder.ins().jump(slow, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.stack = before;
        self.call_operand(argc, ty);
        self.finish_call(class, done);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.push(Entry::owned(ty, class, &words));
    }

    /// Calls a function, if the operand below the top `argc` is that, and leaves with
    /// what it gives; goes on where it isn't, with the same operands.
    fn call_if(
        &mut self,
        is_wanted: Value,
        (body, func): (Callee, FunctionId),
        argc: u32,
        (class, done): (Class, Block),
    ) {
        let (this, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_wanted, this, &[], next, &[]);
        self.switch_sealed(this);
        let before = self.stack.clone();
        let below = self.stack.len() - argc as usize - 1;
        let callee = self.stack[below];
        let object = self.payload_word(callee);
        // What it has captured must not be looked for before the question.
        let nothing = self.iconst(0);
        let object = self
            .builder
            .ins()
            .select_spectre_guard(is_wanted, object, nothing);
        let class_of_object = Class::Object(Tag::Function);
        let ty = Type::function(func);
        self.stack[below] = Entry::borrowed(ty, class_of_object, &[object], callee.owner);
        self.call_known(body, func, argc);
        self.finish_call(class, done);
        self.stack = before;
        self.switch_sealed(next);
    }

    /// Leaves with the topmost operand as a call's result in its class.
    fn finish_call(&mut self, class: Class, done: Block) {
        let result = self.pop();
        let words = self.owned_in_class(result, class);
        self.jump_with(done, &words);
    }

    /// Calls the operand below the top `argc`; `ty` is what that gives.
    ///
    /// A function that takes so many arguments is entered at once, everything
    /// else is called by the runtime.
    fn call_operand(&mut self, argc: u32, ty: Type) {
        self.own_borrows_from_shared();
        let first = self.stack.len() - argc as usize;
        let callee = self.stack[first - 1];
        let values = self.scratch(argc as usize + 1);
        self.pop_to(values, 16, argc as usize);
        self.pop();
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        if callee.ty.may_be(Tags::FUNCTION) && argc < u32::from(u8::MAX) {
            let object = self.expect_tag(callee, Tag::Function, slow);
            let plain =
                self.builder
                    .ins()
                    .uload8(types::I64, trusted(), object, PLAIN_CALL_OFFSET as i32);
            let wanted = self.iconst(i64::from(argc) + 1);
            self.continue_if(IntCC::Equal, plain, wanted, slow);
            let words = self.enter_function(object, values);
            self.release_entry(callee);
            self.jump_with(done, &words);
        } else {
            self.builder.ins().jump(slow, &[]);
        }
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        if callee.owner != Owner::Entry {
            self.retain_entry(callee);
        }
        self.store_value(callee, values, 0);
        let count = self.iconst(i64::from(argc));
        let words = self.call_helper(Helper::Call, &[self.ctx, values, count]);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, words[0], RAISED as i64);
        self.raise_if(raised);
        self.push_words(ty, &words);
    }

    /// Jumps through a function object's entry, with the arguments behind the
    /// first of `values`.
    fn enter_function(&mut self, object: Value, values: Value) -> Vec<Value> {
        let entry = self.load_word(object, ENTRY_OFFSET);
        let args = self.builder.ins().iadd_imm_s(values, 16);
        let signature = signature::generic(self.source.isa);
        let signature = self.builder.import_signature(signature);
        let args = [self.ctx, self.callee_trace, object, args];
        let call = self.builder.ins().call_indirect(signature, entry, &args);
        self.builder.inst_results(call).to_vec()
    }

    /// Calls a declared function through its function object.
    pub fn call_by_object(&mut self, func: FunctionId, argc: u32) {
        let table = self.load_context_constant(FUNCTIONS_OFFSET);
        let (row, offset) = self.row(table, Table::Functions, func, (16, 8));
        let flags = trusted().with_readonly().with_can_move();
        let object = self.builder.ins().load(types::I64, flags, row, offset);
        let ty = Type::function(func);
        let entry = Entry::borrowed(ty, Class::Object(Tag::Function), &[object], Owner::Program);
        let position = self.stack.len() - argc as usize;
        self.stack.insert(position, entry);
        let ty = self.source.facts.call_result(self.source.program, func);
        self.call_operand(argc, ty);
    }
}
