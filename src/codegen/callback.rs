//! `map`, `filter`, `reduce` and the like with a known function, as loops in place.

use super::decision::Decision;
use super::flat::Form;
use super::func::Translator;
use super::place::has_no_depth;
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use crate::infer::{Callback, CallbackKind, Tags, Type, callback_of_call};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::TRACE_LIMIT_OFFSET;
use ruff_runtime::heap::Elements;
use ruff_runtime::value::Tag;

/// The elements that a loop goes over.
struct Source {
    ty: Type,
    class: Class,
    elements: Form,
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
        let Some(elements) = self.viewed_form(array.ty) else {
            return false;
        };
        let result = self.source.facts.functions[callback.func as usize].result;
        let is_too_deep = callback.kind == CallbackKind::Map && !self.is_shallow(result, 0);
        if result.is_none() || is_too_deep || array.class != Class::Object(Tag::Array) {
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
            class: match elements {
                Form::Flat(fields) => Class::Record(fields),
                Form::Of(_) => Class::of(operands[0].contents()),
            },
            elements,
            data: self.array_data(array),
            len: self.array_len(array),
        };
        let words = match callback.kind {
            CallbackKind::Map => self.map_in_place(callback.func, &source),
            CallbackKind::Filter => self.filter_in_place(callback.func, &source),
            CallbackKind::Reduce => self.reduce_in_place(callback.func, &source, first, class),
            CallbackKind::Any => self.search_in_place(callback.func, &source, true),
            CallbackKind::All => self.search_in_place(callback.func, &source, false),
            CallbackKind::Find => self.find_in_place(callback.func, &source, class),
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

    /// Whether a value of this type has few levels of containers for sure, so that
    /// no limit is reached where it is put into another one.
    fn is_shallow(&self, ty: Type, above: usize) -> bool {
        const MOST_LEVELS: usize = 3;
        if has_no_depth(ty) {
            return true;
        }
        let ty = ty.without(Tags::UNCOUNTED.union(Tags::STRING));
        let facts = self.source.facts;
        match ty.declaration() {
            _ if above == MOST_LEVELS => false,
            Some(declaration) if ty.is(Tags::STRUCT) => {
                let known = &facts.structs[declaration as usize];
                let mut fields = known.fields.iter();
                known.is_regular && fields.all(|field| self.is_shallow(*field, above + 1))
            }
            _ => ty.is(Tags::ARRAY) && self.is_shallow(ty.contents(), above + 1),
        }
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
        let form = match class {
            Class::Int | Class::Float | Class::Bool => class.tag().map(Elements::for_tag),
            _ => None,
        };
        let ty = self.source.facts.functions[func as usize].result;
        let flat = self.flat_fields(ty).map(Form::Flat);
        let Some(form) = form.map(Form::Of).or(flat) else {
            return self.collect_in_place(source, &mut |this, element| {
                let result = this.call_back(func, vec![element]);
                this.push(result);
                this.extend_by(Helper::ArrayPush);
            });
        };
        let result = self.new_array(form, source.len);
        let data = self.array_data(result);
        let (body, after, number) = self.begin_loop(source, &[], &[]);
        let element = self.element(source, number);
        let made = self.call_back(func, vec![element]);
        let offset = self.element_offset(number, form);
        let address = self.builder.ins().iadd(data, offset);
        self.store_element_at(form, made, address);
        self.end_loop((body, after), source, number, &[]);
        self.finish_array(result, source.len)
    }

    fn filter_in_place(&mut self, func: FunctionId, source: &Source) -> Vec<Value> {
        if source.elements == Form::Of(Elements::Values) {
            return self.collect_in_place(source, &mut |this, element| {
                let is_kept = this.is_true_of(func, element);
                let (kept, done) = (this.builder.create_block(), this.builder.create_block());
                let result = this.builder.append_block_param(done, types::I64);
                let before = this.stack[this.stack.len() - 1];
                let unchanged = [BlockArg::Value(before.word())];
                this.builder
                    .ins()
                    .brif(is_kept, kept, &[], done, &unchanged);
                this.switch_sealed(kept);
                let element = this.own(element);
                this.push(element);
                this.extend_by(Helper::ArrayPush);
                let grown = this.pop().word();
                this.jump_with(done, &[grown]);
                this.switch_sealed(done);
                this.push(Entry::owned(before.ty, before.class, &[result]));
            });
        }
        let result = self.new_array(source.elements, source.len);
        let data = self.array_data(result);
        let zero = self.iconst(0);
        let (body, after, number) = self.begin_loop(source, &[types::I64], &[zero]);
        let count = self.builder.block_params(body)[1];
        let element = self.element(source, number);
        let is_kept = self.is_true_of(func, element);
        // Stored in any case: the next one overwrites what is not kept.
        let offset = self.element_offset(count, source.elements);
        let address = self.builder.ins().iadd(data, offset);
        self.store_element_at(source.elements, element, address);
        let kept = self.builder.ins().uextend(types::I64, is_kept);
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
        let total = self.call_back(func, vec![total, element]);
        let total = self.in_class(total, class);
        self.end_loop((body, after), source, number, &total);
        self.builder.block_params(after).to_vec()
    }

    /// Collects objects: `add` is given each element and pushes what it wants to the
    /// array on top of the operands.
    fn collect_in_place(
        &mut self,
        source: &Source,
        add: &mut dyn FnMut(&mut Self, Entry),
    ) -> Vec<Value> {
        let zero = self.iconst(0);
        let array = self.new_array(Form::Of(Elements::Values), zero);
        let empty = self.pop();
        let (body, after, number) = self.begin_loop(source, &[types::I64], &[array]);
        let array = self.builder.block_params(body)[1];
        self.push(Entry::owned(empty.ty, empty.class, &[array]));
        let element = self.element(source, number);
        add(self, element);
        let array = self.pop().word();
        self.end_loop((body, after), source, number, &[array]);
        vec![self.builder.block_params(after)[0]]
    }

    /// Whether the function is true of some element, or not of one.
    fn search_in_place(&mut self, func: FunctionId, source: &Source, is_any: bool) -> Vec<Value> {
        let found = self.builder.create_block();
        let result = self.builder.append_block_param(found, types::I8);
        let (body, after, number) = self.begin_loop(source, &[], &[]);
        let element = self.element(source, number);
        let is_true = self.is_true_of(func, element);
        let go_on = self.builder.create_block();
        let answer = [BlockArg::Value(is_true)];
        match is_any {
            true => self.builder.ins().brif(is_true, found, &answer, go_on, &[]),
            false => self.builder.ins().brif(is_true, go_on, &[], found, &answer),
        };
        self.switch_sealed(go_on);
        self.end_loop((body, after), source, number, &[]);
        let otherwise = self.builder.ins().iconst(types::I8, i64::from(!is_any));
        self.jump_with(found, &[otherwise]);
        self.switch_sealed(found);
        vec![result]
    }

    /// The first element that the function is true of, in a class, or 0.
    fn find_in_place(&mut self, func: FunctionId, source: &Source, class: Class) -> Vec<Value> {
        let out = self.builder.create_block();
        for word in class.words().iter() {
            self.builder.append_block_param(out, *word);
        }
        let (body, after, number) = self.begin_loop(source, &[], &[]);
        let element = self.element(source, number);
        let is_true = self.is_true_of(func, element);
        let (found, go_on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_true, found, &[], go_on, &[]);
        self.switch_sealed(found);
        let words = self.owned_in_class(element, class);
        self.jump_with(out, &words);
        self.switch_sealed(go_on);
        self.end_loop((body, after), source, number, &[]);
        let zero = self.iconst(0);
        let words = self.in_class(Entry::int(zero), class);
        self.jump_with(out, &words);
        self.switch_sealed(out);
        self.builder.block_params(out).to_vec()
    }

    /// Whether the function gives something truthy for an element.
    fn is_true_of(&mut self, func: FunctionId, element: Entry) -> Value {
        let result = self.call_back(func, vec![element]);
        let is_true = self.truthiness(result);
        self.release_entry(result);
        is_true
    }

    /// Writes an element of a flat array.
    fn store_element_at(&mut self, form: Form, element: Entry, address: Value) {
        match form {
            Form::Flat(fields) => {
                let words = self.in_class(element, Class::Record(fields));
                self.store_flat(fields, &words, address);
            }
            Form::Of(elements) => {
                let flags = self.of_elements(elements);
                self.builder.ins().store(flags, element.word(), address, 0);
            }
        }
    }

    /// An empty flat array with room, as an operand on top.
    fn new_array(&mut self, form: Form, room: Value) -> Value {
        let array = match form {
            Form::Flat(fields) => self.new_structs(fields, room),
            Form::Of(elements) => {
                let kind = self.iconst(elements as u8 as i64);
                self.call_helper(Helper::NewArray, &[kind, room])[0]
            }
        };
        let ty = Type::of(Tags::ARRAY);
        self.push(Entry::owned(ty, Class::Object(Tag::Array), &[array]));
        array
    }

    /// Takes the array off the operands again, with its elements.
    fn finish_array(&mut self, array: Value, len: Value) -> Vec<Value> {
        self.set_array_len(array, len);
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

    /// Calls a function with the operand above the arguments as its object.
    fn call_back(&mut self, func: FunctionId, args: Vec<Entry>) -> Entry {
        let mut words = vec![self.ctx, self.callee_trace];
        if !self.source.program.functions[func as usize]
            .captures
            .is_empty()
        {
            words.push(self.callback_object());
        }
        for (param, arg) in args.into_iter().enumerate() {
            debug_assert!(!self.source.borrows(func, param), "it is a value");
            let class = self.source.param_class(func, param);
            words.extend(self.owned_in_class(arg, class));
        }
        let words = self.call_body(func, &words).0;
        let facts = self.source.facts;
        let result = facts.functions[func as usize].result;
        Entry::owned(result, signature::result_class(facts, func), &words)
    }

    /// The function object: the operand that `MakeClosure` left.
    fn callback_object(&self) -> Value {
        let is_function = |entry: &&Entry| entry.class == Class::Object(Tag::Function);
        let object = self.stack.iter().rev().find(is_function);
        object.expect("the callback is an operand").word()
    }
}
