//! A library's face: the descriptor that contexts are made of, and the C
//! functions around exported ones.
//!
//! A function whose arguments and result are numbers and bools is called
//! directly: its C function enters the context, calls the body, and stores the
//! result.  Any other hands its arguments to the runtime, as words.

use super::EmitError;
use super::image::{define_data, described, write_pointer};
use crate::codegen::Source;
use crate::codegen::signature::{self, Class};
use crate::interface::{CType, Exported, Exports};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Function, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Type,
    Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module};
use ruff_runtime::context::TRACE_TOP_OFFSET;
use ruff_runtime::host::{HOST_VERSION, api, context};
use ruff_runtime::value::{RAISED, Tag};

/// Defines everything that C sees of a library.  `header` is its image's,
/// `direct` are the functions' bodies or their shims.
pub(super) fn define(
    module: &mut dyn Module,
    source: Source,
    exports: &Exports,
    header: DataDescription,
    direct: &[Option<FuncId>],
) -> Result<(), EmitError> {
    let library = define_library(module, exports, header)?;
    define_getter(module, &exports.library, library)?;
    let runtime = Runtime::declare(module)?;
    for (number, exported) in exports.functions.iter().enumerate() {
        let body = direct[exported.func as usize];
        let plain = body.filter(|_| is_plain(source, exported));
        define_function(module, source, exported, number, plain, &runtime)?;
    }
    Ok(())
}

/// What C functions call.
struct Runtime {
    enter: FuncId,
    failed: FuncId,
    call: FuncId,
}

impl Runtime {
    fn declare(module: &mut dyn Module) -> Result<Runtime, EmitError> {
        let mut declare = |symbol: &str, params: &[Type], result: Type| {
            let mut signature = module.make_signature();
            signature
                .params
                .extend(params.iter().map(|word| AbiParam::new(*word)));
            signature.returns.push(AbiParam::new(result));
            module.declare_function(symbol, Linkage::Import, &signature)
        };
        Ok(Runtime {
            enter: declare(context::ENTER_SYMBOL, &[types::I64], types::I64)?,
            failed: declare(context::FAILED_SYMBOL, &[types::I64], types::I32)?,
            call: declare(context::CALL_SYMBOL, &[types::I64; 4], types::I32)?,
        })
    }
}

/// The descriptor: `host::context::Library`.
fn define_library(
    module: &mut dyn Module,
    exports: &Exports,
    header: DataDescription,
) -> Result<DataId, EmitError> {
    let rows = define_rows(module, exports)?;
    let mut library = header;
    library.set_align(8);
    for (symbol, offset) in [
        (context::API_SYMBOL, context::LIBRARY_API),
        (api::ABI_SYMBOL, context::LIBRARY_ABI),
    ] {
        let id = module.declare_data(symbol, Linkage::Import, false, false)?;
        let reference = module.declare_data_in_data(id, &mut library);
        library.write_data_addr(offset as u32, reference, 0);
    }
    let reference = module.declare_data_in_data(rows, &mut library);
    library.write_data_addr(context::LIBRARY_EXPORTS as u32, reference, 0);
    define_data(module, "ruff.library", library)
}

/// The numbers of a descriptor, around the image's header.
pub(super) fn library_bytes(module: &dyn Module, exports: &Exports, header: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; context::LIBRARY_SIZE];
    bytes[context::LIBRARY_HEADER..][..header.len()].copy_from_slice(header);
    let count = exports.functions.len() as u64;
    write_pointer(
        module,
        &mut bytes,
        context::LIBRARY_VERSION,
        HOST_VERSION.into(),
    );
    write_pointer(module, &mut bytes, context::LIBRARY_EXPORT_COUNT, count);
    bytes
}

/// The table of exported functions: `host::context::Export`s.
fn define_rows(module: &mut dyn Module, exports: &Exports) -> Result<DataId, EmitError> {
    let functions = &exports.functions;
    let mut bytes = vec![0; context::EXPORT_SIZE * functions.len().max(1)];
    let mut pointers = Vec::new();
    for (number, exported) in functions.iter().enumerate() {
        let at = number * context::EXPORT_SIZE;
        for (offset, value) in [
            (context::EXPORT_NAME_LEN, exported.name.len() as u64),
            (
                context::EXPORT_SIGNATURE_LEN,
                exported.signature.len() as u64,
            ),
            (context::EXPORT_FUNC, exported.func.into()),
        ] {
            write_pointer(module, &mut bytes, at + offset, value);
        }
        let name = described(exported.name.clone().into_bytes());
        let name = define_data(module, &format!("ruff.export{number}.name"), name)?;
        pointers.push((at + context::EXPORT_NAME, name));
        let signature = described(exported.signature.clone());
        let symbol = format!("ruff.export{number}.signature");
        let signature = define_data(module, &symbol, signature)?;
        pointers.push((at + context::EXPORT_SIGNATURE, signature));
    }
    let mut rows = described(bytes);
    for (offset, data) in pointers {
        let reference = module.declare_data_in_data(data, &mut rows);
        rows.write_data_addr(offset as u32, reference, 0);
    }
    define_data(module, "ruff.exports", rows)
}

/// Defines the function that gives C the descriptor.
fn define_getter(module: &mut dyn Module, name: &str, library: DataId) -> Result<(), EmitError> {
    let pointer = module.target_config().pointer_type();
    let mut signature = module.make_signature();
    signature.returns.push(AbiParam::new(pointer));
    let symbol = format!("ruff_library_{name}");
    define_c_function(module, &symbol, signature, |module, builder, _| {
        let library = module.declare_data_in_func(library, builder.func);
        let library = builder.ins().symbol_value(pointer, library);
        builder.ins().return_(&[library]);
    })
}

/// Defines an exported C function by what writes its body.
fn define_c_function(
    module: &mut dyn Module,
    symbol: &str,
    signature: Signature,
    write: impl FnOnce(&mut dyn Module, &mut FunctionBuilder, Vec<Value>),
) -> Result<(), EmitError> {
    let id = module.declare_function(symbol, Linkage::Export, &signature)?;
    let mut function = Function::new();
    function.signature = signature;
    let mut shared = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut shared);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params = builder.block_params(entry).to_vec();
    write(module, &mut builder, params);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    module.define_function(id, &mut Context::for_function(function))?;
    Ok(())
}

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
        Class::Null | Class::Object(_) => false,
    };
    let is_call = !flags.is_generator && !flags.is_async;
    is_call && fits && exported.params.iter().all(is_scalar) && classes.all(taken)
}

/// Defines the C function of an exported one.  `plain` is its body, if that is
/// called directly.
fn define_function(
    module: &mut dyn Module,
    source: Source,
    exported: &Exported,
    number: usize,
    plain: Option<FuncId>,
    runtime: &Runtime,
) -> Result<(), EmitError> {
    let mut c_signature = module.make_signature();
    c_signature.params.push(AbiParam::new(types::I64));
    let params = exported.params.iter().flat_map(|ty| words(*ty));
    // C passes a `bool` as a byte of which the rest may be anything.
    c_signature
        .params
        .extend(params.map(|word| AbiParam::new(*word)));
    if exported.result != CType::Null {
        c_signature.params.push(AbiParam::new(types::I64));
    }
    c_signature.returns.push(AbiParam::new(types::I32));
    define_c_function(
        module,
        &exported.symbol,
        c_signature,
        |module, builder, params| {
            let mut face = Face {
                module,
                builder,
                source,
                exported,
                params,
            };
            match plain {
                Some(body) => face.call_body(body, runtime),
                None => face.call_runtime(number, runtime),
            }
        },
    )
}

/// A C function that is being made.
struct Face<'a, 'b> {
    module: &'a mut dyn Module,
    builder: &'a mut FunctionBuilder<'b>,
    source: Source<'a>,
    exported: &'a Exported,
    /// The context, the arguments, the place of the result.
    params: Vec<Value>,
}

impl Face<'_, '_> {
    fn call(&mut self, callee: FuncId, args: &[Value]) -> Value {
        let callee = self.module.declare_func_in_func(callee, self.builder.func);
        // What is linked with it is near.
        self.builder.func.dfg.ext_funcs[callee].colocated = true;
        let call = self.builder.ins().call(callee, args);
        self.builder.inst_results(call)[0]
    }

    /// Enters the context, calls the body, stores the result.
    fn call_body(&mut self, body: FuncId, runtime: &Runtime) {
        let host = self.params[0];
        let trace = self.call(runtime.enter, &[host]);
        let (failed, go_on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(failed);
        self.builder.ins().brif(trace, go_on, &[], failed, &[]);

        self.builder.switch_to_block(go_on);
        let trusted = MemFlagsData::trusted();
        let vm = self
            .builder
            .ins()
            .load(types::I64, trusted, host, context::VM_OFFSET as i32);
        let mut args = vec![vm, trace];
        for index in 0..self.exported.params.len() {
            self.push_argument(index, &mut args);
        }
        let results = self.call_typed(body, &args);
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
        let status = self.call(runtime.failed, &[host]);
        self.builder.ins().return_(&[status]);
    }

    fn call_typed(&mut self, body: FuncId, args: &[Value]) -> Vec<Value> {
        let signature = signature::direct(self.source, self.exported.func);
        let callee = self.module.declare_func_in_func(body, self.builder.func);
        self.builder.func.dfg.ext_funcs[callee].colocated = true;
        // Bodies are declared without their signatures.
        let signature = self.builder.import_signature(signature);
        self.builder.func.dfg.ext_funcs[callee].signature = signature;
        let call = self.builder.ins().call(callee, args);
        self.builder.inst_results(call).to_vec()
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
    fn call_runtime(&mut self, number: usize, runtime: &Runtime) {
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
        let number = self.builder.ins().iconst(types::I64, number as i64);
        let status = self.call(runtime.call, &[host, number, room, result]);
        self.builder.ins().return_(&[status]);
    }
}
