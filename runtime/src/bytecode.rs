//! The bytecode: what a program is between the front end and the engines.
//!
//! `op` is THE table of instructions; `program` is everything around the
//! code.  Nothing here executes anything.

pub mod builder;
pub mod decode;
pub mod disasm;
pub mod encode;
pub mod foreign;
pub mod forms;
pub mod op;
pub mod program;
pub mod verify;
mod wire;

#[cfg(test)]
mod tests;

pub use foreign::{ForeignSite, ForeignType};
pub use op::{Op, Operator, Var, VarKind};
pub use program::{
    ArgKind, BuiltinId, BuiltinSite, CallSite, Capture, Constant, Function, FunctionFlags,
    FunctionId, FunctionInfo, GlobalId, Handler, MethodSite, ModuleInfo, Path, Position, Program,
    Step, StructInfo, StructSite, VariantSite,
};
