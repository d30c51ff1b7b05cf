//! `map`, `filter` and `reduce` with a known function, as loops in place.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use super::view::viewed_elements;
use crate::infer::{Callback, CallbackKind, Tags, Type, callback_of_call};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::TRACE_LIMIT_OFFSET;
use ruff_runtime::heap::Elements;
use ruff_runtime::heap::array::{DATA_OFFSET, LEN_OFFSET};
use ruff_runtime::value::Tag;

/// The elements that a loop goes over.
struct Source {
    ty: Type,
    class: Class,
    elements: Elements,
    data: Value,
    len: Value,
}

impl Translator<'_, '_, '_> {
    /// Translates a call of a built-in that calls a known function; false if it
    /// has to be a call.
    pub fn inline_callback(&mut self, builtin: u32, argc: u32) -> bool {
        let Some(callback) = self.callback_here() else {
            return false;
        };
        let first = self.stack.len() - argc as usize;
        let array = self.stack[first];
        let Some(elements) = viewed_elements(array.ty) else {
            return false;
        };
        let result = self.source.facts.functions[callback.func as usize].result;
        let is_scalar = |class| matches!(class, Class::Int | Class::Float | Class::Bool);
        let is_simple = match callback.kind {
            CallbackKind::Map => is_scalar(Class::of(result)),
            CallbackKind::Filter => elements != Elements::Values && result.is(Tags::BOOL),
            CallbackKind::Reduce => !result.is_none(),
        };
        if !is_simple || array.class != Class::Object(Tag::Array) {
            return false;
        }
        self.record(Decision::LoopInPlace {
            callee: callback.func,
        });
        self.own_borrows_from_shared();
        let operands: Vec<_> = self.stack[first..].iter().map(|entry| entry.ty).collect();
        let ty = callback.result(&operands, result);
        let class = Class::of(ty);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let before = self.stack.clone();
        let array = array.word();
        self.expect_elements(array, elements, slow);
        // One look at the call stack's limit serves all calls.
        let limit = self.load_context(TRACE_LIMIT_OFFSET);
        self.continue_if(IntCC::UnsignedLessThan, self.callee_trace, limit, slow);
        let source = Source {
            ty: operands[0].contents(),
            class: Class::of(operands[0].contents()),
            elements,
            data: self.load_word(array, DATA_OFFSET),
            len: self.load_word(array, LEN_OFFSET),
        };
        let words = match callback.kind {
            CallbackKind::Map => self.map_in_place(callback.func, &source),
            CallbackKind::Filter => self.filter_in_place(callback.func, &source),
            CallbackKind::Reduce => self.reduce_in_place(callback.func, &source, first, class),
        };
        for index in first..first + argc as usize {
            self.release_entry(self.stack[index]);
        }
        self.jump_with(done, &words);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.stack = before;
        let words = self.builtin_words(builtin, argc);
        let words = self.narrowed(class, words[0], words[1]);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.push(Entry::owned(ty, class, &words));
        true
    }

    /// The known function that the present call of a built-in is given.
    fn callback_here(&self) -> Option<Callback> {
        if self.layout.leaders[self.pc as usize] {
            return None;
        }
        callback_of_call(self.source.program, self.function, self.pc)
    }

    fn map_in_place(&mut self, func: FunctionId, source: &Source) -> Vec<Value> {
        let class = signature::result_class(self.source.facts, func);
        let elements = Elements::for_tag(class.tag().expect("a scalar class"));
        let result = self.new_array(elements, source.len);
        let data = self.load_word(result, DATA_OFFSET);
        let (body, after, number) = self.begin_loop(source, &[], &[]);
        let element = self.element(source, number);
        let words = self.call_back(func, vec![element]);
        let offset = self.element_offset(number, elements);
        let address = self.builder.ins().iadd(data, offset);
        self.builder.ins().store(trusted(), words[0], address, 0);
        self.end_loop((body, after), source, number, &[]);
        self.finish_array(result, source.len)
    }

    fn filter_in_place(&mut self, func: FunctionId, source: &Source) -> Vec<Value> {
        let result = self.new_array(source.elements, source.len);
        let data = self.load_word(result, DATA_OFFSET);
        let zero = self.iconst(0);
        let (body, after, number) = self.begin_loop(source, &[types::I64], &[zero]);
        let count = self.builder.block_params(body)[1];
        let element = self.element(source, number);
        let words = self.call_back(func, vec![element]);
        // Stored in any case: the next one overwrites what is not kept.
        let offset = self.element_offset(count, source.elements);
        let address = self.builder.ins().iadd(data, offset);
        self.builder
            .ins()
            .store(trusted(), element.word(), address, 0);
        let kept = self.builder.ins().uextend(types::I64, words[0]);
        let count = self.builder.ins().iadd(count, kept);
        self.end_loop((body, after), source, number, &[count]);
        let count = self.builder.block_params(after)[0];
        self.finish_array(result, count)
    }

    fn reduce_in_place(
        &mut self,
        func: FunctionId,
        source: &Source,
        first: usize,
        class: Class,
    ) -> Vec<Value> {
        let initial = self.own(self.stack[first + 1]);
        // The total is no operand any more: each call takes it over.
        self.stack[first + 1] = Entry::null();
        let initial = self.in_class(initial, class);
        let (body, after, number) = self.begin_loop(source, &class.words(), &initial);
        let total = self.builder.block_params(body)[1..].to_vec();
        let element = self.element(source, number);
        let element = self.own(element);
        let facts = self.source.facts;
        let total = Entry::owned(facts.param(func, 0), class, &total);
        let words = self.call_back(func, vec![total, element]);
        let result = facts.functions[func as usize].result;
        let total = Entry::owned(result, signature::result_class(facts, func), &words);
        let total = self.in_class(total, class);
        self.end_loop((body, after), source, number, &total);
        self.builder.block_params(after).to_vec()
    }

    /// An empty flat array with room, as an operand on top.
    fn new_array(&mut self, elements: Elements, room: Value) -> Value {
        let kind = self.iconst(elements as u8 as i64);
        let array = self.call_helper(Helper::NewArray, &[kind, room])[0];
        let ty = Type::of(Tags::ARRAY);
        self.push(Entry::owned(ty, Class::Object(Tag::Array), &[array]));
        array
    }

    /// Takes the array off the operands again, with its elements.
    fn finish_array(&mut self, array: Value, len: Value) -> Vec<Value> {
        self.builder
            .ins()
            .store(trusted(), len, array, LEN_OFFSET as i32);
        self.pop();
        vec![array]
    }

    /// Begins a loop over the elements that carries some words, if there are
    /// elements; gives its body, which the present block is, the block behind it,
    /// and the element's number.
    fn begin_loop(
        &mut self,
        source: &Source,
        carried: &[cranelift_codegen::ir::Type],
        initial: &[Value],
    ) -> (Block, Block, Value) {
        let (body, after) = (self.builder.create_block(), self.builder.create_block());
        let number = self.builder.append_block_param(body, types::I64);
        for word in carried {
            self.builder.append_block_param(body, *word);
            self.builder.append_block_param(after, *word);
        }
        let zero = self.iconst(0);
        self.go_on_below(source, zero, initial, body, after);
        self.builder.switch_to_block(body);
        (body, after, number)
    }

    fn end_loop(
        &mut self,
        (body, after): (Block, Block),
        source: &Source,
        number: Value,
        carried: &[Value],
    ) {
        let next = self.builder.ins().iadd_imm_s(number, 1);
        self.go_on_below(source, next, carried, body, after);
        self.builder.seal_block(body);
        self.switch_sealed(after);
    }

    /// Goes to the loop's body if there is an element of that number, else behind
    /// it.
    fn go_on_below(
        &mut self,
        source: &Source,
        number: Value,
        carried: &[Value],
        body: Block,
        after: Block,
    ) {
        let out: Vec<BlockArg> = carried.iter().map(|word| BlockArg::Value(*word)).collect();
        let mut on = vec![BlockArg::Value(number)];
        on.extend_from_slice(&out);
        let more = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, number, source.len);
        self.builder.ins().brif(more, body, &on, after, &out);
    }

    /// An element, borrowed from its array.
    fn element(&mut self, source: &Source, number: Value) -> Entry {
        let offset = self.element_offset(number, source.elements);
        let address = self.builder.ins().iadd(source.data, offset);
        let words = self.load_viewed(source.class, address);
        Entry::borrowed(source.ty, source.class, &words, Owner::Shared)
    }

    /// Calls a function with the operand above the arguments as its object;
    /// gives its result's words in its class.
    fn call_back(&mut self, func: FunctionId, args: Vec<Entry>) -> Vec<Value> {
        let mut words = vec![self.ctx, self.callee_trace];
        if !self.source.program.functions[func as usize]
            .captures
            .is_empty()
        {
            words.push(self.callback_object());
        }
        for (param, arg) in args.into_iter().enumerate() {
            let class = self.source.param_class(func, param);
            words.extend(self.owned_in_class(arg, class));
        }
        self.call_body(func, &words).0
    }

    /// The function object: the operand that `MakeClosure` left.
    fn callback_object(&self) -> Value {
        let is_function = |entry: &&Entry| entry.class == Class::Object(Tag::Function);
        let object = self.stack.iter().rev().find(is_function);
        object.expect("the callback is an operand").word()
    }
}
