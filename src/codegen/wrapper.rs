//! Bridges between the two conventions: arguments in registers by class, and
//! arguments in memory as values.

use super::Source;
use super::names::Callee;
use super::signature::{self, Class};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData, StackSlotData,
    StackSlotKind, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::context::FUNCTIONS_OFFSET;
use ruff_runtime::heap::closure::ENTRY_OFFSET;
use ruff_runtime::value::{RAISED, Tag};

/// `call::Entry` for a translated function.
pub fn generic_entry(source: Source, func: FunctionId) -> ir::Function {
    let name = ir::UserFuncName::User(Callee::Generic(func).external_name());
    let mut result = ir::Function::with_name_signature(name, signature::generic(source.isa));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
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
            let class = Class::of(self.source.facts.param(self.func, param));
            let offset = 16 * param as i32;
            args.extend(load(&mut self.builder, class, self.params[3], offset));
        }
        let words = self.call(Callee::Direct(self.func), &args);
        let class = signature::result_class(self.source.facts, self.func);
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
    builder.seal_block(entry);
    let params: Vec<Value> = builder.block_params(entry).to_vec();
    let function = &source.program.functions[func as usize];
    let flags = MemFlagsData::trusted();
    let count = function.info.params.len();
    let room = StackSlotData::new(StackSlotKind::ExplicitSlot, 16 * count.max(1) as u32, 4);
    let room = builder.create_sized_stack_slot(room);
    let args = builder.ins().stack_addr(types::I64, room, 0);
    let has_captures = !function.captures.is_empty();
    let mut rest = &params[2 + usize::from(has_captures)..];
    for param in 0..count {
        let class = Class::of(source.facts.param(func, param));
        let (mine, after) = rest.split_at(class.words().len());
        rest = after;
        let (tag, payload) = words(&mut builder, class, mine);
        builder.ins().store(flags, tag, args, 16 * param as i32);
        builder
            .ins()
            .store(flags, payload, args, 16 * param as i32 + 8);
    }
    let object = if has_captures {
        params[2]
    } else {
        let table = builder
            .ins()
            .load(types::I64, flags, params[0], FUNCTIONS_OFFSET as i32);
        builder
            .ins()
            .load(types::I64, flags, table, 16 * func as i32 + 8)
    };
    let target = builder
        .ins()
        .load(types::I64, flags, object, ENTRY_OFFSET as i32);
    let signature = builder.import_signature(signature::generic(source.isa));
    let call =
        builder
            .ins()
            .call_indirect(signature, target, &[params[0], params[1], object, args]);
    let results = builder.inst_results(call).to_vec();
    let class = signature::result_class(source.facts, func);
    let results = match class {
        Class::Null => vec![results[0]],
        Class::Float => {
            let payload = builder
                .ins()
                .bitcast(types::F64, MemFlagsData::new(), results[1]);
            vec![results[0], payload]
        }
        _ => results,
    };
    builder.ins().return_(&results);
    builder.finalize(source.isa.frontend_config());
    result
}

/// Tag and payload of words in a class.
fn words(builder: &mut FunctionBuilder, class: Class, words: &[Value]) -> (Value, Value) {
    let tag = |builder: &mut FunctionBuilder, tag: Tag| {
        builder.ins().iconst(types::I64, tag as u64 as i64)
    };
    match class {
        Class::Dynamic => (words[0], words[1]),
        Class::Null => (tag(builder, Tag::Null), builder.ins().iconst(types::I64, 0)),
        Class::Int => (tag(builder, Tag::Int), words[0]),
        Class::Float => {
            let payload = builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), words[0]);
            (tag(builder, Tag::Float), payload)
        }
        Class::Bool => {
            let payload = builder.ins().uextend(types::I64, words[0]);
            (tag(builder, Tag::Bool), payload)
        }
        Class::Object(kind) => (tag(builder, kind), words[0]),
    }
}
