//! What contexts of a library are made of: its descriptor, and the C function
//! that gives it.

use super::EmitError;
use super::image::{define_data, described, write_pointer};
use crate::interface::Exports;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, DataId, Linkage, Module};
use ruff_runtime::host::{HOST_VERSION, api, context};

/// Defines the descriptor around an image's header, and what gives it to C.
pub(super) fn define(
    module: &mut dyn Module,
    exports: &Exports,
    header: DataDescription,
) -> Result<(), EmitError> {
    let library = define_library(module, exports, header)?;
    define_getter(module, &exports.library, library)
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
    let id = module.declare_function(&symbol, Linkage::Export, &signature)?;
    let mut function = Function::new();
    function.signature = signature;
    let library = module.declare_data_in_func(library, &mut function);
    let mut shared = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut shared);
    let block = builder.create_block();
    builder.switch_to_block(block);
    builder.seal_block(block);
    let library = builder.ins().symbol_value(pointer, library);
    builder.ins().return_(&[library]);
    builder.finalize(module.target_config());
    module.define_function(id, &mut Context::for_function(function))?;
    Ok(())
}
