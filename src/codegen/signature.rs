//! Classes of values and the signatures that follow from them.
//!
//! A class says which machine words a value of some type takes: an int is one
//! `i64`, a float one `f64`, an object of a known kind one pointer, and only a
//! value of unknown kind is two words, tag and payload.

use super::Source;
use crate::infer::{Facts, Type};
use cranelift_codegen::ir::{AbiParam, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use ruff_runtime::abi::{Helper, Returns, Word};
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::value::{FIRST_COUNTED, Tag};

/// How values of a type are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Always null: no words.
    Null,
    Int,
    Float,
    /// An `i8`, 0 or 1.
    Bool,
    /// A pointer to an object of this kind.
    Object(Tag),
    /// Tag and payload.
    Dynamic,
}

impl Class {
    pub fn of(ty: Type) -> Class {
        match ty.tags().single() {
            Some(Tag::Null) => Class::Null,
            Some(Tag::Int) => Class::Int,
            Some(Tag::Float) => Class::Float,
            Some(Tag::Bool) => Class::Bool,
            Some(tag) if tag as u64 >= FIRST_COUNTED => Class::Object(tag),
            _ => Class::Dynamic,
        }
    }

    /// The machine types of its words.
    pub fn words(self) -> &'static [cranelift_codegen::ir::Type] {
        match self {
            Class::Null => &[],
            Class::Int | Class::Object(_) => &[types::I64],
            Class::Float => &[types::F64],
            Class::Bool => &[types::I8],
            Class::Dynamic => &[types::I64, types::I64],
        }
    }

    /// The tag, if it is known.
    pub fn tag(self) -> Option<Tag> {
        match self {
            Class::Null => Some(Tag::Null),
            Class::Int => Some(Tag::Int),
            Class::Float => Some(Tag::Float),
            Class::Bool => Some(Tag::Bool),
            Class::Object(tag) => Some(tag),
            Class::Dynamic => None,
        }
    }
}

/// The class of a function's result.
pub fn result_class(facts: &Facts, func: FunctionId) -> Class {
    Class::of(facts.functions[func as usize].result)
}

/// The signature of a function's body: context, place in the call stack, the
/// function object if it has captures, then the parameters by class.  It
/// returns a status or tag word (`RAISED` after an error) and the payload.
pub fn direct(source: Source, func: FunctionId) -> Signature {
    let Source {
        program,
        facts,
        isa,
        library: _,
    } = source;
    let function = &program.functions[func as usize];
    if function.info.flags.is_generator {
        return resume(isa);
    }
    let mut signature = Signature::new(CallConv::Fast);
    signature.params.extend([AbiParam::new(types::I64); 2]);
    if !function.captures.is_empty() {
        signature.params.push(AbiParam::new(types::I64));
    }
    for param in 0..function.info.params.len() {
        let class = Class::of(facts.param(func, param));
        signature
            .params
            .extend(class.words().iter().map(|word| AbiParam::new(*word)));
    }
    signature.returns.push(AbiParam::new(types::I64));
    match result_class(facts, func) {
        Class::Null => {}
        Class::Float => signature.returns.push(AbiParam::new(types::F64)),
        Class::Int | Class::Bool | Class::Object(_) | Class::Dynamic => {
            signature.returns.push(AbiParam::new(types::I64));
        }
    }
    signature
}

/// The signature of `call::Entry` and of `context::LoopEntry`.
pub fn generic(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 4]);
    signature.returns.extend([AbiParam::new(types::I64); 2]);
    signature
}

/// The signature of `call::Resume`, which is that of a generator's body.
fn resume(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 3]);
    signature.returns.extend([AbiParam::new(types::I64); 2]);
    signature
}

/// A helper's signature.
pub fn helper(isa: &dyn TargetIsa, helper: Helper) -> Signature {
    let row = helper.row();
    let mut signature = Signature::new(isa.default_call_conv());
    signature
        .params
        .extend(row.params.iter().map(|word| match word {
            Word::Int => AbiParam::new(types::I64),
            Word::Float => AbiParam::new(types::F64),
        }));
    match row.returns {
        Returns::Nothing => {}
        Returns::Word => signature.returns.push(AbiParam::new(types::I64)),
        Returns::Float => signature.returns.push(AbiParam::new(types::F64)),
        Returns::Value => signature.returns.extend([AbiParam::new(types::I64); 2]),
    }
    signature
}
