//! Classes of values and the signatures that follow from them.
//!
//! A class says which machine words a value of some type takes: an int is one
//! `i64`, a float one `f64`, an object of a known kind one pointer, and only a
//! value of unknown kind is two words, tag and payload.

use super::Source;
use crate::infer::{Facts, Tags, Type};
use cranelift_codegen::ir::{self, AbiParam, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use ruff_runtime::abi::{Helper, Returns, Word};
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::value::{FIRST_COUNTED, Tag};
use std::ops::{Deref, Range};

/// Words that a struct or variant taken apart has at most.
pub const MOST_WORDS: usize = 8;

/// The words of a class.
#[derive(Clone, Copy)]
pub struct Words {
    types: [ir::Type; MOST_WORDS],
    count: usize,
}

impl Words {
    fn of(classes: impl Iterator<Item = Class>) -> Words {
        let mut words = Words {
            types: [types::I64; MOST_WORDS],
            count: 0,
        };
        for class in classes {
            for word in class.words().iter() {
                words.types[words.count] = *word;
                words.count += 1;
            }
        }
        words
    }

    fn just(list: &[ir::Type]) -> Words {
        let mut types = [types::I64; MOST_WORDS];
        types[..list.len()].copy_from_slice(list);
        Words {
            types,
            count: list.len(),
        }
    }
}

impl Deref for Words {
    type Target = [ir::Type];

    fn deref(&self) -> &[ir::Type] {
        &self.types[..self.count]
    }
}

/// The fields of a struct that is held as its fields: none is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    pub declaration: u32,
    classes: [Plain; MOST_WORDS],
    count: u8,
}

/// How a field is held that is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Null,
    Int,
    Float,
    Bool,
    /// One of several of these.
    Mixed,
}

impl Fields {
    /// The fields of a regular struct, if they are few and plain.
    fn of(facts: &Facts, declaration: u32) -> Option<Fields> {
        let known = &facts.structs[declaration as usize];
        if !known.is_regular || !known.is_closed || known.fields.len() > MOST_WORDS {
            return None;
        }
        let mut fields = Fields {
            declaration,
            classes: [Plain::Null; MOST_WORDS],
            count: known.fields.len() as u8,
        };
        let mut words = 0;
        for (place, ty) in fields.classes.iter_mut().zip(&known.fields) {
            *place = match Class::of(*ty) {
                Class::Null => Plain::Null,
                Class::Int => Plain::Int,
                Class::Float => Plain::Float,
                Class::Bool => Plain::Bool,
                Class::Dynamic if !ty.is_none() && !ty.may_be_counted() => Plain::Mixed,
                _ => return None,
            };
            words += Class::of(*ty).words().len();
        }
        (1..=MOST_WORDS).contains(&words).then_some(fields)
    }

    /// The fields' classes, in order.
    pub fn classes(self) -> impl Iterator<Item = Class> {
        let classes = self.classes.into_iter().take(self.count.into());
        classes.map(|plain| match plain {
            Plain::Null => Class::Null,
            Plain::Int => Class::Int,
            Plain::Float => Class::Float,
            Plain::Bool => Class::Bool,
            Plain::Mixed => Class::Dynamic,
        })
    }

    /// Where a field's words are among those of the struct.
    pub fn words_of(self, position: usize) -> Range<usize> {
        let widths = self.classes().map(|class| class.words().len());
        let start = widths.take(position).sum();
        let class = self.classes().nth(position).expect("a field of the struct");
        start..start + class.words().len()
    }
}

/// A variant that is held as which one it is and what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The parts, and the enum's number as their declaration.
    parts: Fields,
    /// Whether some part may be an object.
    pub is_counted: bool,
}

impl Sum {
    /// The variants of an enum, if what they carry is little.
    fn of(facts: &Facts, number: u32) -> Option<Sum> {
        let known = facts.variants.parts(number)?;
        if known.len() > MOST_WORDS {
            return None;
        }
        let mut parts = Fields {
            declaration: number,
            classes: [Plain::Null; MOST_WORDS],
            count: known.len() as u8,
        };
        let mut words = 1;
        for (place, ty) in parts.classes.iter_mut().zip(known) {
            *place = match Class::of(*ty) {
                Class::Null => Plain::Null,
                Class::Int => Plain::Int,
                Class::Float => Plain::Float,
                Class::Bool => Plain::Bool,
                _ => Plain::Mixed,
            };
        }
        let widths = parts.classes().map(|class| class.words().len());
        words += widths.sum::<usize>();
        let is_counted = known.iter().any(|ty| ty.may_be_counted());
        (words <= MOST_WORDS).then_some(Sum { parts, is_counted })
    }

    /// The enum's number.
    pub fn number(self) -> u32 {
        self.parts.declaration
    }

    /// The parts' classes, in order: what is counted is dynamic, and unset where
    /// a variant does not carry it.
    pub fn classes(self) -> impl Iterator<Item = Class> {
        self.parts.classes()
    }

    /// Where a part's words are among those of the variant.
    pub fn words_of(self, position: usize) -> Range<usize> {
        let words = self.parts.words_of(position);
        words.start + 1..words.end + 1
    }
}

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
    /// A string of one character: its bytes in an `i64` (`character`).
    Character,
    /// A struct taken apart: its fields, one after the other.
    Record(Fields),
    /// A variant taken apart: which one it is, then what it carries.
    Sum(Sum),
}

impl Class {
    /// Whether it holds something as its parts that is an object in memory.
    pub fn is_apart(self) -> bool {
        matches!(self, Class::Record(_) | Class::Sum(_) | Class::Character)
    }

    /// The class of a value of this type as an object or scalar; `class_of` knows
    /// what is taken apart instead.
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
    pub fn words(self) -> Words {
        match self {
            Class::Null => Words::just(&[]),
            Class::Int | Class::Object(_) | Class::Character => Words::just(&[types::I64]),
            Class::Float => Words::just(&[types::F64]),
            Class::Bool => Words::just(&[types::I8]),
            Class::Dynamic => Words::just(&[types::I64, types::I64]),
            Class::Record(fields) => Words::of(fields.classes()),
            Class::Sum(sum) => Words::of(std::iter::once(Class::Int).chain(sum.classes())),
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
            Class::Character => Some(Tag::String),
            Class::Record(_) => Some(Tag::Struct),
            Class::Sum(_) => Some(Tag::Variant),
            Class::Dynamic => None,
        }
    }
}

/// The class in which variables, parameters and results of a type are held.
pub fn class_of(facts: &Facts, ty: Type) -> Class {
    if let Some(declaration) = ty.declaration().filter(|_| ty.is(Tags::STRUCT))
        && let Some(fields) = Fields::of(facts, declaration)
    {
        return Class::Record(fields);
    }
    if let Some(number) = ty.enum_number().filter(|_| ty.is(Tags::VARIANT))
        && let Some(sum) = Sum::of(facts, number)
    {
        return Class::Sum(sum);
    }
    if ty.is(Tags::CHARACTER) && facts.holds_characters {
        return Class::Character;
    }
    Class::of(ty)
}

/// The class of a function's result.
pub fn result_class(facts: &Facts, func: FunctionId) -> Class {
    class_of(facts, facts.functions[func as usize].result)
}

/// The fields of the `self` that a method leaves for its caller, if that is
/// returned with the result.
pub fn self_fields(program: &Program, facts: &Facts, func: FunctionId) -> Option<Fields> {
    let flags = program.functions[func as usize].info.flags;
    match class_of(facts, facts.functions[func as usize].self_result) {
        Class::Record(fields) if flags.changes_self => Some(fields),
        _ => None,
    }
}

/// The signature of a function's body: context, place in the call stack, the
/// function object if it has captures, then the parameters by class.  It
/// returns a status or tag word (`RAISED` after an error) and the payload, then
/// the `self` that a method has changed, if that is a struct taken apart.
pub fn direct(source: Source, func: FunctionId) -> Signature {
    let Source {
        program,
        facts,
        isa,
        ..
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
        let class = class_of(facts, facts.param(func, param));
        signature
            .params
            .extend(class.words().iter().map(|word| AbiParam::new(*word)));
    }
    let results = results(source, func);
    signature
        .returns
        .extend(results.into_iter().map(AbiParam::new));
    signature
}

/// The words that a function's body returns.
pub fn results(source: Source, func: FunctionId) -> Vec<ir::Type> {
    let mut results = vec![types::I64];
    match result_class(source.facts, func) {
        Class::Null => {}
        Class::Float => results.push(types::F64),
        Class::Int | Class::Bool | Class::Object(_) | Class::Dynamic | Class::Character => {
            results.push(types::I64);
        }
        class @ (Class::Record(_) | Class::Sum(_)) => results.extend_from_slice(&class.words()),
    }
    if let Some(fields) = self_fields(source.program, source.facts, func) {
        results.extend_from_slice(&Class::Record(fields).words());
    }
    results
}

/// The signature of `call::Entry` and of `context::LoopEntry`.
pub fn generic(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 4]);
    signature.returns.extend([AbiParam::new(types::I64); 2]);
    signature
}

/// The signature of `call::Resume`, which is that of a generator's body.
pub fn resume(isa: &dyn TargetIsa) -> Signature {
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
