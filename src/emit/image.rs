//! The data of an executable: the encoded program, the tables that lead from
//! it to code and built-ins, and the `main` that hands them to the runtime.

use super::program::{Body, Parts};
use super::{EmitError, Memory};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Endianness, Function, InstBuilder, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module};
use ruff_runtime::abi::{ABI_VERSION, entry};
use ruff_runtime::builtins;
use ruff_runtime::bytecode::{self, FunctionFlags, Program, encode};

/// The size of a pointer on every target that there is.
const POINTER: usize = 8;
/// The size of a variant's number.
const WORD: usize = 4;

/// The symbol that runs a function kept as bytecode.
pub(super) fn interpreter_symbol(function: &bytecode::Function) -> &'static str {
    let FunctionFlags {
        is_generator,
        is_async,
        ..
    } = function.info.flags;
    match (is_generator, is_async) {
        (true, _) => entry::INTERPRET_GENERATOR_SYMBOL,
        (_, true) => entry::INTERPRET_ASYNC_SYMBOL,
        _ => entry::INTERPRET_SYMBOL,
    }
}

/// Defines the data; gives the header that leads to all of it, to be defined
/// as it is or as a part of something at that offset.
pub(super) fn define(
    module: &mut dyn Module,
    program: &Program,
    parts: &Parts,
    entries: &[Option<FuncId>],
    embed: impl FnOnce(&dyn Module, &[u8]) -> (Vec<u8>, usize),
) -> Result<DataDescription, EmitError> {
    let keep_body = |func: u32| matches!(parts.bodies[func as usize], Body::Kept(_));
    let bytes = encode::encode_for_image(program, &keep_body);
    let image_len = bytes.len() as u64;
    let image = define_data(module, "ruff.image", described(bytes))?;

    let mut table = described(vec![0; POINTER * entries.len().max(1)]);
    for (index, id) in entries.iter().enumerate() {
        if let Some(id) = id {
            let reference = module.declare_func_in_data(*id, &mut table);
            table.write_function_addr((index * POINTER) as u32, reference);
        }
    }
    let entries = define_data(module, "ruff.entries", table)?;

    let mut table = described(vec![0; POINTER * program.builtins.len().max(1)]);
    for (index, name) in program.builtins.iter().enumerate() {
        if builtins::find(name).is_none() {
            return Err(EmitError::UnknownBuiltin(name.clone()));
        }
        let row = module.declare_data(
            &format!("ruff_builtin_{name}"),
            Linkage::Import,
            false,
            false,
        )?;
        let reference = module.declare_data_in_data(row, &mut table);
        table.write_data_addr((index * POINTER) as u32, reference, 0);
    }
    let builtins = define_data(module, "ruff.builtins", table)?;

    let ids = program.variant_ids();
    let mut numbers = vec![0; WORD * ids.len().max(1)];
    for (index, id) in ids.into_iter().enumerate() {
        write_word(module, &mut numbers, index * WORD, id);
    }
    let variants = define_data(module, "ruff.variants", described(numbers))?;

    let mut header = vec![0; entry::HEADER_SIZE];
    write_pointer(
        module,
        &mut header,
        entry::ABI_VERSION_OFFSET,
        ABI_VERSION.into(),
    );
    write_pointer(module, &mut header, entry::IMAGE_LEN_OFFSET, image_len);
    let (header, start) = embed(module, &header);
    let mut header = described(header);
    for (offset, data) in [
        (entry::IMAGE_OFFSET, image),
        (entry::ENTRIES_OFFSET, entries),
        (entry::BUILTINS_OFFSET, builtins),
        (entry::VARIANTS_OFFSET, variants),
    ] {
        let reference = module.declare_data_in_data(data, &mut header);
        header.write_data_addr((start + offset) as u32, reference, 0);
    }
    Ok(header)
}

/// Writes a word the size of a pointer as the target has it.
pub(super) fn write_pointer(module: &dyn Module, bytes: &mut [u8], offset: usize, value: u64) {
    let value = match module.isa().endianness() {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    };
    bytes[offset..offset + value.len()].copy_from_slice(&value);
}

/// Writes a word of 32 bits as the target has it.
pub(super) fn write_word(module: &dyn Module, bytes: &mut [u8], offset: usize, value: u32) {
    let value = match module.isa().endianness() {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    };
    bytes[offset..offset + value.len()].copy_from_slice(&value);
}

pub(super) fn described(bytes: Vec<u8>) -> DataDescription {
    let mut data = DataDescription::new();
    data.define(bytes.into_boxed_slice());
    data.set_align(POINTER as u64);
    data
}

pub(super) fn define_data(
    module: &mut dyn Module,
    symbol: &str,
    data: DataDescription,
) -> Result<DataId, EmitError> {
    let id = module.declare_data(symbol, Linkage::Local, false, false)?;
    module.define_data(id, &data)?;
    Ok(id)
}

/// Defines C's `main`, which hands the header and its own arguments on and
/// returns the exit status.
pub(super) fn define_main(
    module: &mut dyn Module,
    header: DataDescription,
    memory: Memory,
) -> Result<(), EmitError> {
    let header = define_data(module, "ruff.header", header)?;
    let pointer = module.target_config().pointer_type();
    let mut start = module.make_signature();
    start.params.extend([
        AbiParam::new(pointer),
        AbiParam::new(types::I32),
        AbiParam::new(pointer),
    ]);
    start.returns.push(AbiParam::new(types::I32));
    let symbol = match memory {
        Memory::Trusted => entry::MAIN_SYMBOL,
        Memory::Checked => entry::CHECKED_MAIN_SYMBOL,
    };
    let start = module.declare_function(symbol, Linkage::Import, &start)?;
    let mut signature = module.make_signature();
    signature
        .params
        .extend([AbiParam::new(types::I32), AbiParam::new(pointer)]);
    signature.returns.push(AbiParam::new(types::I32));
    let main = module.declare_function("main", Linkage::Export, &signature)?;

    let mut function = Function::new();
    function.signature = signature;
    let start = module.declare_func_in_func(start, &mut function);
    function.dfg.ext_funcs[start].colocated = true;
    let header = module.declare_data_in_func(header, &mut function);
    let mut shared = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut shared);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    builder.seal_block(block);
    let (argc, argv) = (
        builder.block_params(block)[0],
        builder.block_params(block)[1],
    );
    let header = builder.ins().symbol_value(pointer, header);
    let call = builder.ins().call(start, &[header, argc, argv]);
    let status = builder.inst_results(call)[0];
    builder.ins().return_(&[status]);
    builder.finalize(module.target_config());
    module.define_function(main, &mut Context::for_function(function))?;
    Ok(())
}
