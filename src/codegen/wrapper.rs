//! Bridges between the two conventions: arguments in registers by class, and
//! arguments in memory as values.

use super::Source;
use super::names::Callee;
use super::number;
use super::record;
use super::signature::{self, Class, Fields, MOST_WORDS, Sum};
use super::sum::{counted_parts, load_sum, making_object};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, BlockArg, ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData, StackSlotData,
    StackSlotKind, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::{FUNCTIONS_OFFSET, SELF_RESULT_OFFSET};
use ruff_runtime::heap::closure::ENTRY_OFFSET;
use ruff_runtime::heap::string::TEXT_OFFSET;
use ruff_runtime::value::{FIRST_COUNTED, RAISED, Tag};

/// `call::Entry` for a translated function.
pub fn generic_entry(source: Source, func: FunctionId) -> ir::Function {
    let name = ir::UserFuncName::User(Callee::Generic(func).external_name());
    let mut result = ir::Function::with_name_signature(name, signature::generic(source.isa));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params: Vec<Value> = builder.block_params(entry).to_vec();
    let flags = source.program.functions[func as usize].info.flags;
    let mut bridge = Bridge {
        source,
        func,
        builder,
        params,
    };
    let (tag, payload) = if flags.is_generator {
        bridge.make_generator()
    } else {
        let (tag, payload) = bridge.call_body();
        if flags.is_async {
            bridge.make_promise(tag, payload)
        } else {
            (tag, payload)
        }
    };
    bridge.builder.ins().return_(&[tag, payload]);
    bridge.builder.seal_all_blocks();
    bridge.builder.finalize(source.isa.frontend_config());
    result
}

/// A generic entry while it is made; `params` are `call::Entry`'s.
struct Bridge<'a, 'b> {
    source: Source<'a>,
    func: FunctionId,
    builder: FunctionBuilder<'b>,
    params: Vec<Value>,
}

impl Bridge<'_, '_> {
    fn import(&mut self, callee: Callee) -> FuncRef {
        let signature = match callee {
            Callee::Helper(helper) => signature::helper(self.source.isa, helper),
            _ => signature::direct(self.source, self.func),
        };
        let name = self
            .builder
            .func
            .declare_imported_user_function(callee.external_name());
        let signature = self.builder.import_signature(signature);
        self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: !matches!(callee, Callee::Helper(_)),
            patchable: false,
        })
    }

    fn call(&mut self, callee: Callee, args: &[Value]) -> Vec<Value> {
        let reference = self.import(callee);
        let call = self.builder.ins().call(reference, args);
        self.builder.inst_results(call).to_vec()
    }

    /// Calls the body with the arguments by class; gives tag and payload.
    fn call_body(&mut self) -> (Value, Value) {
        let function = &self.source.program.functions[self.func as usize];
        let mut args = vec![self.params[0], self.params[1]];
        if !function.captures.is_empty() {
            args.push(self.params[2]);
        }
        for param in 0..function.info.params.len() {
            args.extend(self.argument(param));
        }
        let borrowed = self.borrowed();
        let words = self.call(Callee::Direct(self.func), &args);
        for words in borrowed {
            self.call(Callee::Helper(Helper::ReleaseValue), &words);
        }
        let class = signature::result_class(self.source.facts, self.func);
        if let Some(fields) = self.self_fields() {
            let first = words.len() - Class::Record(fields).words().len();
            self.leave_self(fields, words[0], &words[first..]);
        }
        if class.is_apart() {
            return self.object_or_raised(class, words[0], &words[1..]);
        }
        let Some(tag) = class.tag() else {
            return (words[0], words[1]);
        };
        let builder = &mut self.builder;
        let tag = builder.ins().iconst(types::I64, tag as u64 as i64);
        let raised = builder
            .ins()
            .icmp_imm_u(IntCC::Equal, words[0], RAISED as i64);
        let tag = builder.ins().select(raised, words[0], tag);
        let payload = match class {
            Class::Null => builder.ins().iconst(types::I64, 0),
            Class::Float => builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), words[1]),
            _ => words[1],
        };
        (tag, payload)
    }

    /// The arguments that the body borrows, which are to be given back.
    fn borrowed(&mut self) -> Vec<[Value; 2]> {
        let function = &self.source.program.functions[self.func as usize];
        let params = 0..function.info.params.len();
        let borrowed = params.filter(|param| self.source.borrows(self.func, *param));
        let (args, flags) = (self.params[3], MemFlagsData::trusted());
        let builder = &mut self.builder;
        let words = borrowed.map(|param| {
            let offset = 16 * param as i32;
            [offset, offset + 8].map(|offset| builder.ins().load(types::I64, flags, args, offset))
        });
        words.collect()
    }

    fn self_fields(&self) -> Option<Fields> {
        signature::self_fields(self.source.program, self.source.facts, self.func)
    }

    /// An argument's words; what is taken apart is given back, unless it is
    /// borrowed.
    fn argument(&mut self, param: usize) -> Vec<Value> {
        let class = self.source.param_class(self.func, param);
        let offset = 16 * param as i32;
        if !class.is_apart() {
            return load(&mut self.builder, class, self.params[3], offset);
        }
        let flags = MemFlagsData::trusted();
        let object = self
            .builder
            .ins()
            .load(types::I64, flags, self.params[3], offset + 8);
        if let Class::Sum(sum) = class
            && self.source.borrows(self.func, param)
        {
            return load_sum(&mut self.builder, sum, object);
        }
        self.parts_of(class, object)
    }

    /// The words of an object that is given back.
    fn parts_of(&mut self, class: Class, object: Value) -> Vec<Value> {
        let words = match class {
            Class::Character => {
                let (flags, offset) = (MemFlagsData::trusted(), TEXT_OFFSET as i32);
                vec![self.builder.ins().load(types::I64, flags, object, offset)]
            }
            Class::Record(fields) => record::load_fields(&mut self.builder, fields, object),
            Class::Sum(sum) => {
                let words = load_sum(&mut self.builder, sum, object);
                self.retain_parts(sum, &words);
                words
            }
            _ => unreachable!("only some are taken apart"),
        };
        self.call(Callee::Helper(Helper::Release), &[object]);
        words
    }

    /// Counts what a variant's words hold.
    fn retain_parts(&mut self, sum: Sum, words: &[Value]) {
        for (tag, payload) in counted_parts(sum, words) {
            self.retain(tag, payload);
        }
    }

    /// An object of what is taken apart; it takes over what the words hold.
    fn whole(&mut self, class: Class, words: &[Value]) -> Value {
        match class {
            Class::Character => {
                let args = [self.params[0], words[0]];
                self.call(Callee::Helper(Helper::Character), &args)[0]
            }
            Class::Record(fields) => self.object(fields, words),
            Class::Sum(sum) => {
                let variants = &self.source.facts.variants;
                let (helper, args) =
                    making_object(&mut self.builder, variants, (sum, words), |builder| {
                        let size = 16 * MOST_WORDS as u32;
                        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
                        let room = builder.create_sized_stack_slot(room);
                        builder.ins().stack_addr(types::I64, room, 0)
                    });
                let [which, one, two] = args;
                let args = [self.params[0], which, one, two];
                self.call(Callee::Helper(helper), &args)[0]
            }
            _ => unreachable!("only some are taken apart"),
        }
    }

    /// A new object with these fields.
    fn object(&mut self, fields: Fields, words: &[Value]) -> Value {
        let builder = &mut self.builder;
        let declaration = number::number(self.source, builder, Table::Structs, fields.declaration);
        let helper = Callee::Helper(Helper::NewInstance);
        let object = self.call(helper, &[self.params[0], declaration])[0];
        record::store_fields(&mut self.builder, fields, words, object);
        object
    }

    /// A result as tag and payload, unless there is an error.
    fn object_or_raised(&mut self, class: Class, status: Value, words: &[Value]) -> (Value, Value) {
        let done = self.builder.create_block();
        for _ in 0..2 {
            self.builder.append_block_param(done, types::I64);
        }
        let (raised, returned) = self.raised_or_not(status);
        self.builder.switch_to_block(raised);
        let zero = self.builder.ins().iconst(types::I64, 0);
        let words_of_error = [BlockArg::Value(status), BlockArg::Value(zero)];
        self.builder.ins().jump(done, &words_of_error);
        self.builder.switch_to_block(returned);
        let object = self.whole(class, words);
        let tag = class.tag().expect("only dynamic values lack a tag");
        let tag = self.builder.ins().iconst(types::I64, tag as u64 as i64);
        let words_of_object = [BlockArg::Value(tag), BlockArg::Value(object)];
        self.builder.ins().jump(done, &words_of_object);
        self.builder.switch_to_block(done);
        let params = self.builder.block_params(done);
        (params[0], params[1])
    }

    /// Leaves the `self` that a method changed in the context, unless there is
    /// an error.
    fn leave_self(&mut self, fields: Fields, status: Value, words: &[Value]) {
        let done = self.builder.create_block();
        let (raised, returned) = self.raised_or_not(status);
        self.builder.switch_to_block(raised);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(returned);
        let place = SELF_RESULT_OFFSET as i32;
        let (ctx, flags) = (self.params[0], MemFlagsData::trusted());
        let old = [0, 8].map(|word| {
            self.builder
                .ins()
                .load(types::I64, flags, ctx, place + word)
        });
        self.call(Callee::Helper(Helper::ReleaseValue), &old);
        let object = self.object(fields, words);
        let tag = Tag::Struct as u64 as i64;
        let tag = self.builder.ins().iconst(types::I64, tag);
        self.builder.ins().store(flags, tag, ctx, place);
        self.builder.ins().store(flags, object, ctx, place + 8);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Blocks for a call that raised an error and for one that did not.
    fn raised_or_not(&mut self, status: Value) -> (ir::Block, ir::Block) {
        let (raised, returned) = (self.builder.create_block(), self.builder.create_block());
        let is_raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, status, RAISED as i64);
        self.builder
            .ins()
            .brif(is_raised, raised, &[], returned, &[]);
        (raised, returned)
    }

    /// The generator that will run the body.
    fn make_generator(&mut self) -> (Value, Value) {
        let body = self.import(Callee::Direct(self.func));
        let body = self.builder.ins().func_addr(types::I64, body);
        let args = [self.params[0], self.params[2], self.params[3], body];
        let words = self.call(Callee::Helper(Helper::MakeGenerator), &args);
        (words[0], words[1])
    }

    /// The promise of what the body gave.
    fn make_promise(&mut self, tag: Value, payload: Value) -> (Value, Value) {
        let args = [self.params[0], tag, payload];
        let words = self.call(Callee::Helper(Helper::MakePromise), &args);
        (words[0], words[1])
    }
}

/// The words of a value in memory that is known to have a class.
fn load(builder: &mut FunctionBuilder, class: Class, address: Value, offset: i32) -> Vec<Value> {
    let flags = MemFlagsData::trusted();
    let payload = builder.ins().load(types::I64, flags, address, offset + 8);
    match class {
        Class::Null => vec![],
        Class::Int | Class::Object(_) => vec![payload],
        Class::Float => vec![
            builder
                .ins()
                .bitcast(types::F64, MemFlagsData::new(), payload),
        ],
        Class::Bool => vec![builder.ins().ireduce(types::I8, payload)],
        Class::Character | Class::Record(_) | Class::Sum(_) => {
            unreachable!("memory holds objects")
        }
        Class::Dynamic => vec![
            builder.ins().load(types::I64, flags, address, offset),
            payload,
        ],
    }
}

/// What direct callers of a function kept as bytecode jump to.
pub fn bytecode_shim(source: Source, func: FunctionId) -> ir::Function {
    let name = ir::UserFuncName::User(Callee::Direct(func).external_name());
    let mut result = ir::Function::with_name_signature(name, signature::direct(source, func));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params: Vec<Value> = builder.block_params(entry).to_vec();
    let mut bridge = Bridge {
        source,
        func,
        builder,
        params,
    };
    let results = bridge.call_entry();
    bridge.builder.ins().return_(&results);
    bridge.builder.seal_all_blocks();
    bridge.builder.finalize(source.isa.frontend_config());
    result
}

impl Bridge<'_, '_> {
    /// Calls the function object's entry with the arguments in memory; gives
    /// the results as the body would.
    fn call_entry(&mut self) -> Vec<Value> {
        let function = &self.source.program.functions[self.func as usize];
        let flags = MemFlagsData::trusted();
        let count = function.info.params.len();
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, 16 * count.max(1) as u32, 4);
        let room = self.builder.create_sized_stack_slot(room);
        let args = self.builder.ins().stack_addr(types::I64, room, 0);
        let has_captures = !function.captures.is_empty();
        let words = self.params[2 + usize::from(has_captures)..].to_vec();
        let mut rest = &words[..];
        for param in 0..count {
            let class = self.source.param_class(self.func, param);
            let (mine, after) = rest.split_at(class.words().len());
            rest = after;
            let borrows = self.source.borrows(self.func, param);
            if let Class::Sum(sum) = class
                && borrows
            {
                self.retain_parts(sum, mine);
            }
            let (tag, payload) = self.pair(class, mine);
            if borrows && !matches!(class, Class::Sum(_)) {
                self.retain(tag, payload);
            }
            let place = 16 * param as i32;
            self.builder.ins().store(flags, tag, args, place);
            self.builder.ins().store(flags, payload, args, place + 8);
        }
        let (ctx, trace) = (self.params[0], self.params[1]);
        let builder = &mut self.builder;
        let load = |builder: &mut FunctionBuilder, address, offset| {
            builder.ins().load(types::I64, flags, address, offset)
        };
        let object = if has_captures {
            self.params[2]
        } else {
            let table = load(builder, ctx, FUNCTIONS_OFFSET as i32);
            let row = (Table::Functions, self.func);
            let (row, offset) = number::row(self.source, builder, table, row, (16, 8));
            load(builder, row, offset)
        };
        let target = load(builder, object, ENTRY_OFFSET as i32);
        let signature = self
            .builder
            .import_signature(signature::generic(self.source.isa));
        let call = self
            .builder
            .ins()
            .call_indirect(signature, target, &[ctx, trace, object, args]);
        let words = self.builder.inst_results(call).to_vec();
        self.results(words[0], words[1])
    }

    /// Takes a count of a value, for a callee that takes it over.
    fn retain(&mut self, tag: Value, object: Value) {
        let [is_object, is_mortal, done] = [(); 3].map(|()| self.builder.create_block());
        let flags = MemFlagsData::trusted();
        let least = FIRST_COUNTED as i64;
        let counted = IntCC::UnsignedGreaterThanOrEqual;
        let counted = self.builder.ins().icmp_imm_u(counted, tag, least);
        self.builder.ins().brif(counted, is_object, &[], done, &[]);
        self.builder.switch_to_block(is_object);
        let count = self.builder.ins().load(types::I32, flags, object, 0);
        let mortal = IntCC::SignedGreaterThanOrEqual;
        let mortal = self.builder.ins().icmp_imm_s(mortal, count, 0);
        self.builder.ins().brif(mortal, is_mortal, &[], done, &[]);
        self.builder.switch_to_block(is_mortal);
        let more = self.builder.ins().iadd_imm_s(count, 1);
        self.builder.ins().store(flags, more, object, 0);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// What a body returns, from an entry's result.
    fn results(&mut self, tag: Value, payload: Value) -> Vec<Value> {
        let class = signature::result_class(self.source.facts, self.func);
        let mut results = match class {
            Class::Null => vec![tag],
            Class::Float => {
                let plain = MemFlagsData::new();
                vec![tag, self.builder.ins().bitcast(types::F64, plain, payload)]
            }
            Class::Character | Class::Record(_) | Class::Sum(_) => {
                let words = self.taken_apart(class, tag, payload);
                [vec![tag], words].concat()
            }
            Class::Int | Class::Bool | Class::Object(_) | Class::Dynamic => vec![tag, payload],
        };
        if let Some(fields) = self.self_fields() {
            let (ctx, place) = (self.params[0], SELF_RESULT_OFFSET as i32);
            let flags = MemFlagsData::trusted();
            let words = [0, 8].map(|word| {
                self.builder
                    .ins()
                    .load(types::I64, flags, ctx, place + word)
            });
            let unset = Tag::Unset as u64 as i64;
            let unset = self.builder.ins().iconst(types::I64, unset);
            self.builder.ins().store(flags, unset, ctx, place);
            let class = Class::Record(fields);
            results.extend(self.taken_apart(class, words[0], words[1]));
        }
        results
    }

    /// The words of a value, if it is of that class, which is given back; else zeros.
    fn taken_apart(&mut self, class: Class, tag: Value, object: Value) -> Vec<Value> {
        let (take, done) = (self.builder.create_block(), self.builder.create_block());
        let mut zeros = Vec::new();
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
            zeros.push(BlockArg::Value(match *word {
                types::F64 => self.builder.ins().f64const(0.0),
                word => self.builder.ins().iconst(word, 0),
            }));
        }
        let wanted = class.tag().expect("only dynamic values lack a tag");
        let wanted = wanted as u64 as i64;
        let there = self.builder.ins().icmp_imm_u(IntCC::Equal, tag, wanted);
        self.builder.ins().brif(there, take, &[], done, &zeros);
        self.builder.switch_to_block(take);
        let words = self.parts_of(class, object);
        let words: Vec<BlockArg> = words.into_iter().map(BlockArg::Value).collect();
        self.builder.ins().jump(done, &words);
        self.builder.switch_to_block(done);
        self.builder.block_params(done).to_vec()
    }

    /// Tag and payload of words in a class.
    fn pair(&mut self, class: Class, words: &[Value]) -> (Value, Value) {
        if let Class::Dynamic = class {
            return (words[0], words[1]);
        }
        let tag = class.tag().expect("only dynamic values lack a tag");
        let payload = match class {
            Class::Null => self.builder.ins().iconst(types::I64, 0),
            Class::Float => {
                let plain = MemFlagsData::new();
                self.builder.ins().bitcast(types::I64, plain, words[0])
            }
            Class::Bool => self.builder.ins().uextend(types::I64, words[0]),
            Class::Character | Class::Record(_) | Class::Sum(_) => self.whole(class, words),
            Class::Int | Class::Object(_) | Class::Dynamic => words[0],
        };
        let tag = self.builder.ins().iconst(types::I64, tag as u64 as i64);
        (tag, payload)
    }
}
