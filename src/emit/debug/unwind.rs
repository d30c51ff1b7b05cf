//! How to get from a frame to its caller's.

use super::unit::Described;
use cranelift_codegen::isa::TargetIsa;
use gimli::write::FrameTable;

/// The frames of functions; `None` if there is no description for the target.
pub fn frames(isa: &dyn TargetIsa, functions: &[&Described]) -> Option<FrameTable> {
    with_encoding(isa, functions, gimli::DwEhPe(0))
}

/// As `frames`, for `.eh_frame`: addresses are relative to where they stand, so
/// that the loader has nothing to do.
pub fn relative_frames(isa: &dyn TargetIsa, functions: &[&Described]) -> Option<FrameTable> {
    let encoding = gimli::DW_EH_PE_pcrel | gimli::DW_EH_PE_sdata4;
    with_encoding(isa, functions, encoding)
}

fn with_encoding(
    isa: &dyn TargetIsa,
    functions: &[&Described],
    encoding: gimli::DwEhPe,
) -> Option<FrameTable> {
    let mut cie = isa.create_systemv_cie()?;
    cie.fde_address_encoding = encoding;
    let mut table = FrameTable::default();
    let cie = table.add_cie(cie);
    for function in functions {
        if let Some(unwind) = &function.trace.unwind {
            table.add_fde(cie, unwind.to_fde(function.address));
        }
    }
    Some(table)
}
