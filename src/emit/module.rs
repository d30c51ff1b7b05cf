//! Modules that have objects of their own: how such an object is made, and what the
//! object of a program that uses it adds.
//!
//! A module's object defines its functions' generic entries, and looks the numbers
//! of its rows up in a table that each program defines.  Everything else between
//! the two goes through function objects, as it does between compiled functions and
//! those that stay bytecode.

use super::compile::Listing;
use super::image::{described, write_word};
use super::object::{Names, Writer};
use super::program;
use super::target::{Ending, Isas};
use super::{EmitError, Object, Options};
use crate::codegen::{Alone, Source};
use crate::infer::Facts;
use crate::modules::{Compiled, Identity, Part, Rows, Strangers, Symbol};
use cranelift_module::{DataDescription, Linkage, Module};
use ruff_runtime::abi::ABI_VERSION;
use ruff_runtime::bytecode::{FunctionId, Program};
use rustc_hash::FxHashSet;

/// What the code in objects agrees on; another version is another identity.
pub const OBJECT_VERSION: u32 = ABI_VERSION;

/// A compiled module whose machine code is in an object of its own.
#[derive(Clone, Debug)]
pub struct OwnCode {
    pub identity: Identity,
    /// The functions whose code is there, by the module's numbers.
    pub functions: Vec<FunctionId>,
    /// What became of the module in the program, if it is a part of it.
    pub part: Option<Part>,
}

/// Makes the object of a verified module, for programs that are not known yet.
///
/// # Errors
/// If there is no code generator for the target, or a built-in is unknown.
pub fn module_object(
    compiled: &Compiled,
    identity: &Identity,
    facts: &Facts,
    strangers: &Strangers,
    options: &Options,
) -> Result<Object, EmitError> {
    let isas = Isas::new(&options.target, Ending::Object)?;
    let program = &compiled.program;
    let alone = Alone {
        rows: Rows::of(program),
        strangers,
    };
    let source = Source {
        program,
        facts,
        isa: &*isas.usual,
        isa_for_large: &*isas.for_large,
        rare: None,
        debug: options.target.debug,
        library: None,
        alone: Some(&alone),
        recorder: None,
    };
    let is_strange = |func| source.is_strange(func);
    let parts = program::compile(
        source,
        isas.for_rare.as_deref(),
        options.bodies,
        Listing::None,
        &is_strange,
    );
    let names = Names {
        object: &identity.name,
        elsewhere: &vec![None; program.functions.len()],
        alone: Some(identity),
    };
    let mut writer = Writer::new(isas.usual.clone(), program, None, &parts, &names)?;
    writer.define_code(&parts)?;
    let mark = described(vec![0]);
    define(&mut writer.module, &identity.symbol(&Symbol::Mark), &mark)?;
    writer.finish(source, parts)
}

/// The entries of the functions that other objects have, by function.
pub(super) fn elsewhere(program: &Program, modules: &[OwnCode]) -> Vec<Option<String>> {
    let mut elsewhere = vec![None; program.functions.len()];
    for module in modules {
        let there: FxHashSet<FunctionId> = module.functions.iter().copied().collect();
        let own = module.part.iter().flat_map(|part| &part.functions);
        for (func, here) in own.filter(|(func, _)| there.contains(func)) {
            let symbol = module.identity.symbol(&Symbol::Entry(*func));
            elsewhere[*here as usize] = Some(symbol);
        }
    }
    elsewhere
}

/// Defines the tables in which the modules' objects look their numbers up.  That of
/// a module which the program does not use lets its object be linked, no more.
pub(super) fn define_numbers(
    module: &mut dyn Module,
    modules: &[OwnCode],
) -> Result<(), EmitError> {
    for OwnCode { identity, part, .. } in modules {
        let numbers = part.as_ref().map_or(&[][..], |part| &part.numbers);
        let mut bytes = vec![0; 4 * numbers.len().max(1)];
        for (at, number) in numbers.iter().enumerate() {
            write_word(module, &mut bytes, 4 * at, *number);
        }
        define(
            module,
            &identity.symbol(&Symbol::Numbers),
            &described(bytes),
        )?;
    }
    Ok(())
}

/// Defines data that other objects see.
fn define(module: &mut dyn Module, symbol: &str, data: &DataDescription) -> Result<(), EmitError> {
    let id = module.declare_data(symbol, Linkage::Hidden, false, false)?;
    module.define_data(id, data)?;
    Ok(())
}
