//! The `ruffc` compiler as a library: from Ruff source to native code.
//!
//! The rooms in the order in which a program goes through them; each may use
//! the ones before it, and no room calls back up:
//! `source`, `diagnostic` — texts, and what is said about them;
//! `syntax`, `resolve`, `modules`, `lower` — from texts to bytecode;
//! `infer`, `check`, `codegen` — from bytecode to facts, warnings, Cranelift's IR;
//! `emit`, `link` — from there to an object, to memory, to an executable;
//! `explain` — what was decided on the way, for people;
//! `vm` — running programs in this process;
//! `driver`, `cli` — the pipeline, and the command line in front of it.

pub mod source;

pub mod diagnostic;

pub mod syntax;

pub mod resolve;

pub mod modules;

pub mod lower;

pub mod infer;

pub mod check;
pub mod interface;

pub mod codegen;

pub mod emit;
pub mod link;

pub mod bindgen;

pub mod toolchain;

pub mod explain;

pub mod vm;

pub mod driver;

pub mod cli;

pub use vm::VM;
