//! How to get from a frame to its caller's: `.eh_frame`.
//!
//! Addresses are relative to where they stand, so the loader has nothing to do
//! and the text stays as it is.

use super::unit::Described;
use cranelift_codegen::isa::TargetIsa;
use gimli::constants::{DW_EH_PE_pcrel, DW_EH_PE_sdata4};
use gimli::write::{EhFrame, FrameTable, Result, Writer};

/// Writes the section; whether there is anything in it.
pub fn write<W: Writer>(
    isa: &dyn TargetIsa,
    functions: &[Described],
    section: &mut EhFrame<W>,
) -> Result<bool> {
    let Some(mut cie) = isa.create_systemv_cie() else {
        return Ok(false);
    };
    cie.fde_address_encoding = DW_EH_PE_pcrel | DW_EH_PE_sdata4;
    let mut table = FrameTable::default();
    let cie = table.add_cie(cie);
    for function in functions {
        if let Some(unwind) = &function.trace.unwind {
            table.add_fde(cie, unwind.to_fde(function.address));
        }
    }
    table.write_eh_frame(section)?;
    Ok(table.fde_count() > 0)
}
