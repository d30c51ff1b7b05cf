//! What translated functions call, by number: a callee is a namespace and an
//! index until `emit` turns it into a symbol.

use cranelift_codegen::ir::UserExternalName;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::FunctionId;

/// Something that generated code calls, or takes the address of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function's body.
    Direct(FunctionId),
    /// A function's body, by a call that is not replaced by it.
    Apart(FunctionId),
    /// A function's generic entry.
    Generic(FunctionId),
    Helper(Helper),
    /// The stub of a helper that changes no register.
    Cold(Helper),
    /// The C function of a site.
    Foreign(u32),
    /// The table of a module's numbers, which the program defines.
    Numbers,
}

const DIRECT: u32 = 1;
const GENERIC: u32 = 2;
const HELPER: u32 = 3;
const COLD: u32 = 4;
const FOREIGN: u32 = 5;
const NUMBERS: u32 = 6;
const APART: u32 = 7;

impl Callee {
    /// The name in IR.
    pub fn external_name(self) -> UserExternalName {
        match self {
            Callee::Direct(func) => UserExternalName::new(DIRECT, func),
            Callee::Apart(func) => UserExternalName::new(APART, func),
            Callee::Generic(func) => UserExternalName::new(GENERIC, func),
            Callee::Helper(helper) => UserExternalName::new(HELPER, helper as u32),
            Callee::Cold(helper) => UserExternalName::new(COLD, helper as u32),
            Callee::Foreign(site) => UserExternalName::new(FOREIGN, site),
            Callee::Numbers => UserExternalName::new(NUMBERS, 0),
        }
    }

    /// The callee that a name in IR stands for.
    ///
    /// # Panics
    /// If the name is not one of `external_name`'s.
    pub fn from_external_name(name: &UserExternalName) -> Callee {
        match name.namespace {
            DIRECT => Callee::Direct(name.index),
            APART => Callee::Apart(name.index),
            GENERIC => Callee::Generic(name.index),
            HELPER => Callee::Helper(Helper::ALL[name.index as usize]),
            COLD => Callee::Cold(Helper::ALL[name.index as usize]),
            FOREIGN => Callee::Foreign(name.index),
            NUMBERS => Callee::Numbers,
            other => panic!("no callee lives in namespace {other}"),
        }
    }
}
