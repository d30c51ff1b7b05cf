//! C functions around exported ones.
//!
//! A function whose arguments and result are numbers and bools is called
//! directly: its C function enters the context, calls the body, and stores the
//! result.  Any other hands its arguments to the runtime, as words.

use super::Source;
use super::names::Callee;
use super::signature::{self, Class};
use crate::interface::{CType, Exported};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, Block, ExtFuncData, ExternalName, InstBuilder, MemFlagsData, StackSlotData,
    StackSlotKind, Type, Value, types,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use ruff_runtime::abi::Helper;
use ruff_runtime::context::TRACE_TOP_OFFSET;
use ruff_runtime::host::Status;
use ruff_runtime::host::context::{STACK_LOW_OFFSET, STACK_SIZE_OFFSET, VM_OFFSET};
use ruff_runtime::value::{RAISED, Tag};

/// The words that C passes for a parameter.
fn words(ty: CType) -> &'static [Type] {
    match ty {
        CType::Null => &[],
        CType::Bool => &[types::I8],
        CType::Int | CType::Value | CType::Struct(_) => &[types::I64],
        CType::Float => &[types::F64],
        CType::String | CType::Ints | CType::Floats => &[types::I64; 2],
    }
}

/// Whether nothing has to be made of the arguments, nor of the result.
fn is_plain(source: Source, exported: &Exported) -> bool {
    let flags = source.program.functions[exported.func as usize].info.flags;
    let is_scalar = |ty: &CType| matches!(ty, CType::Bool | CType::Int | CType::Float);
    let result = signature::result_class(source.facts, exported.func);
    let fits = matches!(
        (exported.result, result),
        (CType::Null, Class::Null)
            | (CType::Bool, Class::Bool)
            | (CType::Int, Class::Int)
            | (CType::Float, Class::Float | Class::Int)
    );
    let mut classes = (0..exported.params.len())
        .map(|index| Class::of(source.facts.param(exported.func, index)))
        .zip(&exported.params);
    let taken = |(class, ty): (Class, &CType)| match class {
        Class::Dynamic => true,
        Class::Bool => *ty == CType::Bool,
        Class::Int => *ty == CType::Int,
        Class::Float => *ty == CType::Float,
        Class::Null | Class::Object(_) | Class::Character | Class::Record(_) | Class::Sum(_) => {
            false
        }
    };
    let is_call = !flags.is_generator && !flags.is_async;
    is_call && fits && exported.params.iter().all(is_scalar) && classes.all(taken)
}

/// The C function of the exported one with this number.
pub fn translate(source: Source, number: u32) -> ir::Function {
    let library = source.library.expect("only libraries export");
    let exported = &library.functions[number as usize];
    // Nobody calls it from here.
    let mut result = ir::Function::with_name_signature(
        ir::UserFuncName::default(),
        signature(source.isa, exported),
    );
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut result, &mut context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params = builder.block_params(entry).to_vec();
    let mut face = Face {
        builder: &mut builder,
        source,
        exported,
        params,
    };
    if is_plain(source, exported) {
        face.call_body();
    } else {
        face.call_runtime(number);
    }
    builder.seal_all_blocks();
    builder.finalize(source.isa.frontend_config());
    result
}

/// Context, arguments, place of the result; a status.
pub fn signature(isa: &dyn TargetIsa, exported: &Exported) -> ir::Signature {
    let mut signature = ir::Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(types::I64));
    let params = exported.params.iter().flat_map(|ty| words(*ty));
    signature
        .params
        .extend(params.map(|word| AbiParam::new(*word)));
    if exported.result != CType::Null {
        signature.params.push(AbiParam::new(types::I64));
    }
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// A C function that is being made.
struct Face<'a, 'b> {
    builder: &'a mut FunctionBuilder<'b>,
    source: Source<'a>,
    exported: &'a Exported,
    /// The context, the arguments, the place of the result.
    params: Vec<Value>,
}

impl Face<'_, '_> {
    fn call(&mut self, callee: Callee, args: &[Value]) -> Vec<Value> {
        let signature = match callee {
            Callee::Helper(helper) => signature::helper(self.source.isa, helper),
            _ => signature::direct(self.source, self.exported.func),
        };
        let name = self
            .builder
            .func
            .declare_imported_user_function(callee.external_name());
        let signature = self.builder.import_signature(signature);
        let callee = self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        let call = self.builder.ins().call(callee, args);
        self.builder.inst_results(call).to_vec()
    }

    /// Returns the status that a helper gives, as C has it.
    fn return_status(&mut self, helper: Helper, args: &[Value]) {
        let status = self.call(Callee::Helper(helper), args)[0];
        let status = self.builder.ins().ireduce(types::I32, status);
        self.builder.ins().return_(&[status]);
    }

    /// Enters the context; gives its program's own, and its place in the call
    /// stack.  Control goes to `failed` if that can't be done.
    fn enter(&mut self, failed: Block) -> (Value, Value) {
        let host = self.params[0];
        let trusted = MemFlagsData::trusted();
        let pointer = types::I64;
        let (given, missing) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(missing);
        self.builder.ins().brif(host, given, &[], missing, &[]);

        self.builder.switch_to_block(missing);
        let misuse = self.builder.ins().iconst(types::I32, Status::Misuse as i64);
        self.builder.ins().return_(&[misuse]);

        self.builder.switch_to_block(given);
        let stack = self.builder.ins().get_stack_pointer(pointer);
        let low = self
            .builder
            .ins()
            .load(pointer, trusted, host, STACK_LOW_OFFSET as i32);
        let size = self
            .builder
            .ins()
            .load(pointer, trusted, host, STACK_SIZE_OFFSET as i32);
        let height = self.builder.ins().isub(stack, low);
        let is_known = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, height, size);
        let (slowly, entered) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(slowly);
        self.builder.ins().brif(is_known, entered, &[], slowly, &[]);

        self.builder.switch_to_block(slowly);
        let trace = self.call(Callee::Helper(Helper::HostEnter), &[host])[0];
        self.builder.ins().brif(trace, entered, &[], failed, &[]);

        self.builder.switch_to_block(entered);
        let vm = self
            .builder
            .ins()
            .load(pointer, trusted, host, VM_OFFSET as i32);
        let trace = self
            .builder
            .ins()
            .load(pointer, trusted, vm, TRACE_TOP_OFFSET as i32);
        (vm, trace)
    }

    /// Enters the context, calls the body, stores the result.
    fn call_body(&mut self) {
        let failed = self.builder.create_block();
        self.builder.set_cold_block(failed);
        let (vm, trace) = self.enter(failed);
        let mut args = vec![vm, trace];
        for index in 0..self.exported.params.len() {
            self.push_argument(index, &mut args);
        }
        let results = self.call(Callee::Direct(self.exported.func), &args);
        // Where it called helpers, it has moved this.
        let trusted = MemFlagsData::trusted();
        self.builder
            .ins()
            .store(trusted, trace, vm, TRACE_TOP_OFFSET as i32);
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, results[0], RAISED as i64);
        let returned = self.builder.create_block();
        self.builder.ins().brif(raised, failed, &[], returned, &[]);

        self.builder.switch_to_block(returned);
        if self.exported.result != CType::Null {
            self.store_result(results[1]);
        }
        let ok = self.builder.ins().iconst(types::I32, 0);
        self.builder.ins().return_(&[ok]);

        self.builder.switch_to_block(failed);
        let host = self.params[0];
        self.return_status(Helper::HostFailed, &[host]);
    }

    /// An argument in the words of the body's parameter.
    fn push_argument(&mut self, index: usize, args: &mut Vec<Value>) {
        let class = Class::of(self.source.facts.param(self.exported.func, index));
        let ty = self.exported.params[index];
        let mut word = self.params[index + 1];
        if ty == CType::Bool {
            word = self.builder.ins().icmp_imm_u(IntCC::NotEqual, word, 0);
        }
        if class != Class::Dynamic {
            return args.push(word);
        }
        let (tag, payload) = match ty {
            CType::Bool => (Tag::Bool, self.builder.ins().uextend(types::I64, word)),
            CType::Float => {
                let bits = self
                    .builder
                    .ins()
                    .bitcast(types::I64, MemFlagsData::new(), word);
                (Tag::Float, bits)
            }
            _ => (Tag::Int, word),
        };
        args.push(self.builder.ins().iconst(types::I64, tag as u64 as i64));
        args.push(payload);
    }

    /// Stores what the body gave, unless C does not want it.
    fn store_result(&mut self, payload: Value) {
        let class = signature::result_class(self.source.facts, self.exported.func);
        let place = *self
            .params
            .last()
            .expect("the place of the result is a parameter");
        let (store, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(place, store, &[], done, &[]);
        self.builder.switch_to_block(store);
        let value = match (self.exported.result, class) {
            (CType::Float, Class::Int) => self.builder.ins().fcvt_from_sint(types::F64, payload),
            (CType::Bool, _) => self.builder.ins().ireduce(types::I8, payload),
            _ => payload,
        };
        self.builder
            .ins()
            .store(MemFlagsData::trusted(), value, place, 0);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Hands the arguments to the runtime.
    fn call_runtime(&mut self, number: u32) {
        let types = self.exported.params.iter().flat_map(|ty| words(*ty));
        let types: Vec<Type> = types.copied().collect();
        let size = 8 * types.len().max(1) as u32;
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let room = self.builder.create_sized_stack_slot(room);
        let room = self.builder.ins().stack_addr(types::I64, room, 0);
        for (index, ty) in types.iter().enumerate() {
            let mut word = self.params[index + 1];
            if *ty == types::I8 {
                word = self.builder.ins().uextend(types::I64, word);
            }
            let offset = 8 * index as i32;
            self.builder
                .ins()
                .store(MemFlagsData::trusted(), word, room, offset);
        }
        let result = match self.exported.result {
            CType::Null => self.builder.ins().iconst(types::I64, 0),
            _ => self.params[types.len() + 1],
        };
        let host = self.params[0];
        let number = self.builder.ins().iconst(types::I64, i64::from(number));
        self.return_status(Helper::HostCall, &[host, number, room, result]);
    }
}
