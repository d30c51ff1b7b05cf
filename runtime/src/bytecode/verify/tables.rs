//! The program's tables: every number in them names something that is there.
//!
//! What an instruction's operands say is checked function by function; so is
//! the root of a path, whose meaning depends on the function that uses it.

use super::{Fault, MAX_SLOTS, VerifyError, require};
use crate::bytecode::{
    ArgKind, Constant, ForeignType, Function, FunctionId, GlobalId, MethodSite, ModuleInfo, Path,
    Program, Step, StructInfo, StructSite, VariantSite,
};
use crate::heap::VariantKind;
use crate::names::{NameId, WELL_KNOWN};
use alloc::boxed::Box;
use alloc::vec::Vec;

pub(super) fn check(program: &Program) -> Result<(), VerifyError> {
    check_tables(program).map_err(|fault| VerifyError {
        function: None,
        instruction: None,
        fault,
    })?;
    for (id, function) in program.functions.iter().enumerate() {
        check_function(program, id, function).map_err(|fault| VerifyError {
            function: Some(id as u32),
            instruction: None,
            fault,
        })?;
    }
    Ok(())
}

fn check_tables(program: &Program) -> Result<(), Fault> {
    check_names(&program.names)?;
    for name in &program.globals {
        check_name(program, *name)?;
    }
    for declaration in &program.structs {
        check_struct(program, declaration)?;
    }
    for path in &program.paths {
        check_path(program, path)?;
    }
    for site in &program.call_sites {
        check_args(program, &site.args)?;
    }
    for site in &program.method_sites {
        check_method_site(program, site)?;
    }
    for site in &program.builtin_sites {
        require(
            (site.builtin as usize) < program.builtins.len(),
            Fault::Builtin,
        )?;
        check_path(program, &site.place)?;
    }
    for site in &program.struct_sites {
        check_struct_site(program, site)?;
    }
    for site in &program.variant_sites {
        check_variant_site(program, site)?;
    }
    for site in &program.foreign_sites {
        let has_null = site.params.contains(&ForeignType::Null);
        require(site.has_room() && !has_null, Fault::Site)?;
    }
    for list in &program.name_lists {
        list.iter()
            .try_for_each(|name| check_name(program, *name))?;
    }
    for module in &program.modules {
        check_module(program, module)?;
    }
    check_top_level(program, program.main, Fault::Main)
}

fn check_names(names: &[Box<str>]) -> Result<(), Fault> {
    let starts_well = names.len() >= WELL_KNOWN.len()
        && names
            .iter()
            .zip(WELL_KNOWN)
            .all(|(name, known)| **name == **known);
    require(starts_well, Fault::WellKnownNames)?;
    let mut sorted: Vec<&str> = names.iter().map(|name| &**name).collect();
    sorted.sort_unstable();
    require(
        sorted.windows(2).all(|pair| pair[0] != pair[1]),
        Fault::DuplicateName,
    )
}

fn check_module(program: &Program, module: &ModuleInfo) -> Result<(), Fault> {
    check_name(program, module.name)?;
    check_top_level(program, module.body, Fault::ModuleBody)?;
    let check_global =
        |global: GlobalId| require((global as usize) < program.globals.len(), Fault::Global);
    check_global(module.state)?;
    module.unsure.iter().try_for_each(|(name, global)| {
        check_name(program, *name)?;
        check_global(*global)
    })
}

fn check_top_level(program: &Program, func: FunctionId, fault: Fault) -> Result<(), Fault> {
    let function = program.functions.get(func as usize).ok_or(fault)?;
    let flags = function.info.flags;
    require(
        flags.is_top_level && !flags.is_generator && !flags.is_async,
        fault,
    )
}

fn check_struct(program: &Program, declaration: &StructInfo) -> Result<(), Fault> {
    check_name(program, declaration.name)?;
    check_fields(program, &declaration.fields)?;
    for (name, func) in &declaration.methods {
        check_name(program, *name)?;
        let method = program
            .functions
            .get(*func as usize)
            .ok_or(Fault::Function)?;
        require(method.info.flags.is_method, Fault::StructMethod)?;
    }
    for (position, func) in &declaration.defaults {
        require(
            (*position as usize) < declaration.fields.len(),
            Fault::StructFields,
        )?;
        require((*func as usize) < program.functions.len(), Fault::Function)?;
    }
    let ascending = declaration
        .defaults
        .windows(2)
        .all(|pair| pair[0].0 < pair[1].0);
    require(ascending, Fault::StructFields)
}

fn check_fields(program: &Program, fields: &[NameId]) -> Result<(), Fault> {
    fields
        .iter()
        .try_for_each(|name| check_name(program, *name))?;
    let mut sorted = Vec::from(fields);
    sorted.sort_unstable();
    require(
        sorted.windows(2).all(|pair| pair[0] != pair[1]),
        Fault::DuplicateName,
    )
}

fn check_path(program: &Program, path: &Path) -> Result<(), Fault> {
    check_name(program, path.name)?;
    path.steps.iter().try_for_each(|step| match step {
        Step::Field(name) => check_name(program, *name),
        Step::Index => Ok(()),
    })
}

fn check_args(program: &Program, args: &[ArgKind]) -> Result<(), Fault> {
    args.iter().try_for_each(|arg| match arg {
        ArgKind::One | ArgKind::Spread => Ok(()),
        ArgKind::Named(name) => check_name(program, *name),
    })
}

fn check_method_site(program: &Program, site: &MethodSite) -> Result<(), Fault> {
    check_name(program, site.name)?;
    check_args(program, &site.args)?;
    if let Some(place) = &site.place {
        check_path(program, place)?;
    }
    if let Some(message) = site.immutable {
        check_text(program, message)?;
    }
    let takes_local = site
        .place
        .as_ref()
        .is_some_and(|place| place.root.kind() == crate::bytecode::VarKind::Local);
    require(!site.take || takes_local, Fault::TakenPlace)
}

fn check_struct_site(program: &Program, site: &StructSite) -> Result<(), Fault> {
    check_name(program, site.name)?;
    check_fields(program, &site.fields)?;
    let Some(declaration) = site.declaration else {
        return Ok(());
    };
    let declaration = program
        .structs
        .get(declaration as usize)
        .ok_or(Fault::Struct)?;
    require(declaration.name == site.name, Fault::SiteStruct)
}

fn check_variant_site(program: &Program, site: &VariantSite) -> Result<(), Fault> {
    if site.kind != VariantKind::Tagged {
        return require(
            site.name.is_none() && site.enum_name.is_none(),
            Fault::Variant,
        );
    }
    check_text(program, site.name.ok_or(Fault::Variant)?)?;
    site.enum_name
        .map_or(Ok(()), |name| check_text(program, name))
}

fn check_function(program: &Program, id: usize, function: &Function) -> Result<(), Fault> {
    let info = &function.info;
    require(info.id as usize == id, Fault::FunctionNumber)?;
    info.params
        .iter()
        .try_for_each(|name| check_name(program, *name))?;
    let flags = info.flags;
    let method_only = flags.is_static || flags.changes_self;
    require(!method_only || flags.is_method, Fault::Flags)?;
    require(!flags.is_method || !info.params.is_empty(), Fault::Flags)?;
    let bare = info.params.is_empty() && function.captures.is_empty();
    require(
        !flags.is_top_level || (bare && !flags.is_method),
        Fault::Flags,
    )?;
    let fits = info.params.len() <= function.slots as usize && function.slots <= MAX_SLOTS;
    require(fits, Fault::TooManySlots)?;
    require(
        function.slot_names.len() <= function.slots as usize,
        Fault::TooManyNames,
    )?;
    function
        .slot_names
        .iter()
        .try_for_each(|name| check_name(program, *name))?;
    for (_, position) in &function.positions {
        require((position.file as usize) < program.files.len(), Fault::File)?;
    }
    let ascending = function
        .positions
        .windows(2)
        .all(|pair| pair[0].0 <= pair[1].0);
    require(ascending, Fault::Positions)
}

pub(super) fn check_name(program: &Program, name: NameId) -> Result<(), Fault> {
    require((name as usize) < program.names.len(), Fault::Name)
}

/// The constant is there and is a string.
pub(super) fn check_text(program: &Program, constant: u32) -> Result<(), Fault> {
    match program.constants.get(constant as usize) {
        Some(Constant::Str(_)) => Ok(()),
        Some(Constant::Int(_) | Constant::Float(_)) => Err(Fault::NotText),
        None => Err(Fault::Constant),
    }
}
