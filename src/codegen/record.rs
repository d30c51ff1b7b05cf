//! Structs taken apart.
//!
//! A struct has no identity, so one of a few plain fields is nothing but these
//! fields: variables, operands, arguments and results hold them as words of
//! their own, and an object is made only where a value goes into memory or to a
//! helper.  What comes from there stays an object until a variable takes it.

use super::decision::Decision;
use super::func::{Translator, trusted};
use super::local::Home;
use super::signature::{self, Class, Fields};
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Op, Operator, Path, Step, StructSite, VarKind};
use ruff_runtime::heap::record::FIELDS_OFFSET;
use ruff_runtime::names::NameId;

/// The words of an object's fields.
pub(super) fn load_fields(
    builder: &mut FunctionBuilder,
    fields: Fields,
    object: Value,
) -> Vec<Value> {
    let mut words = Vec::new();
    for (position, class) in fields.classes().enumerate() {
        let offset = (FIELDS_OFFSET + 16 * position) as i32;
        let mut load = |ty, offset| builder.ins().load(ty, trusted(), object, offset);
        match class {
            Class::Float => words.push(load(types::F64, offset + 8)),
            Class::Int => words.push(load(types::I64, offset + 8)),
            Class::Bool => {
                let word = load(types::I64, offset + 8);
                words.push(builder.ins().ireduce(types::I8, word));
            }
            Class::Null
            | Class::Object(_)
            | Class::Character
            | Class::Record(_)
            | Class::Sum(_) => {}
            Class::Dynamic => {
                words.extend([load(types::I64, offset), load(types::I64, offset + 8)])
            }
        }
    }
    words
}

/// Writes fields into a new object.
pub(super) fn store_fields(
    builder: &mut FunctionBuilder,
    fields: Fields,
    words: &[Value],
    object: Value,
) {
    for (position, class) in fields.classes().enumerate() {
        let offset = (FIELDS_OFFSET + 16 * position) as i32;
        let words = &words[fields.words_of(position)];
        let tag = match class.tag() {
            Some(tag) => builder.ins().iconst(types::I64, tag as u64 as i64),
            None => words[0],
        };
        let payload = match class {
            Class::Dynamic => words[1],
            Class::Bool => builder.ins().uextend(types::I64, words[0]),
            Class::Float => builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), words[0]),
            Class::Int => words[0],
            Class::Null
            | Class::Object(_)
            | Class::Character
            | Class::Record(_)
            | Class::Sum(_) => builder.ins().iconst(types::I64, 0),
        };
        builder.ins().store(trusted(), tag, object, offset);
        builder.ins().store(trusted(), payload, object, offset + 8);
    }
}

/// The variables of a struct's words, which are declared one after the other.
pub(super) fn variables(fields: Fields, first: Variable) -> impl Iterator<Item = Variable> {
    let count = Class::Record(fields).words().len() as u32;
    (first.as_u32()..first.as_u32() + count).map(Variable::from_u32)
}

impl Translator<'_, '_, '_> {
    /// The class in which variables and operands at jumps hold a type.  What a
    /// generator holds goes to its frame as values again and again.
    pub fn class_of(&self, ty: Type) -> Class {
        if self.start == super::func::Start::Resume {
            return Class::of(ty);
        }
        signature::class_of(self.source.facts, ty)
    }

    /// Makes a struct literal of its fields alone; false if it has to be an object.
    pub fn make_words(&mut self, site: &StructSite) -> bool {
        let Some(declaration) = site.declaration.filter(|_| site.has_def) else {
            return false;
        };
        let ty = Type::instance(declaration);
        let Class::Record(fields) = signature::class_of(self.source.facts, ty) else {
            return false;
        };
        let names = &self.source.program.structs[declaration as usize].fields;
        let at = |field| site.fields.iter().position(|given| given == field);
        let Some(order) = names.iter().map(at).collect::<Option<Vec<usize>>>() else {
            // The others have defaults.
            return false;
        };
        let first = self.stack.len() - site.fields.len();
        let mut words = Vec::new();
        for (class, at) in fields.classes().zip(order) {
            words.extend(self.in_class(self.stack[first + at], class));
        }
        self.stack.truncate(first);
        let def = self.pop();
        self.release_entry(def);
        self.push(Entry::owned(ty, Class::Record(fields), &words));
        true
    }

    /// A new object of a struct that is taken apart.
    pub fn new_object(&mut self, fields: Fields, entry: Entry) -> Value {
        self.record(Decision::MakesObject);
        let words = self.in_class(entry, entry.class);
        let declaration = self.number(Table::Structs, fields.declaration);
        let object = self.call_helper(Helper::NewInstance, &[self.ctx, declaration])[0];
        store_fields(self.builder, fields, &words, object);
        object
    }

    /// Makes an operand an object if it is taken apart.
    pub fn make_whole(&mut self, index: usize) {
        let entry = self.stack[index];
        if entry.class.is_apart() {
            let object = self.payload_word(entry);
            let tag = entry.class.tag().expect("only dynamic values lack a tag");
            self.stack[index] = Entry::owned(entry.ty, Class::Object(tag), &[object]);
        }
    }

    /// Makes the top operands objects where they are structs or characters: for
    /// instructions that look at operands without taking them over.
    pub fn make_objects(&mut self, count: usize) {
        for index in self.stack.len() - count..self.stack.len() {
            if let Class::Record(_) | Class::Character = self.stack[index].class {
                self.make_whole(index);
            }
        }
    }

    /// Whether an instruction only looks at its operands, as objects.
    pub fn looks_at_objects(op: Op) -> bool {
        matches!(
            op,
            Op::Truthy {}
                | Op::Falsy {}
                | Op::Not {}
                | Op::Negate {}
                | Op::JumpIfFalse { .. }
                | Op::JumpIfTrue { .. }
                | Op::JumpIfUnwrapped { .. }
                | Op::Index {}
                | Op::OptionalField { .. }
                | Op::FieldOrUnset { .. }
                | Op::FieldOrNull { .. }
                | Op::ElementOrNull { .. }
                | Op::ArrayRest { .. }
                | Op::DictRest { .. }
                | Op::TestArray { .. }
                | Op::TestArrayMin { .. }
                | Op::TestVariant { .. }
                | Op::TestName { .. }
                | Op::TestField { .. }
                | Op::VariantPayload { .. }
                | Op::ReadPath { .. }
        )
    }

    // ---- `self` of methods that change it

    /// The variables of the `self` that is returned with the result.
    pub fn self_variables(&mut self, fields: Fields) -> Vec<Variable> {
        if self.self_words.is_empty() {
            let words = Class::Record(fields).words();
            let declared = words.iter().map(|word| self.declare_word(*word));
            self.self_words = declared.collect();
        }
        self.self_words.clone()
    }

    /// Sets the `self` that is returned with the result.
    pub fn set_self(&mut self, fields: Fields, words: Vec<Value>) {
        for (variable, word) in self.self_variables(fields).into_iter().zip(words) {
            self.set_word(variable, word);
        }
    }

    // ---- fields

    /// A field of a struct that is taken apart.
    pub fn field_of_words(&mut self, object: Entry, name: NameId) -> Option<Entry> {
        let Class::Record(fields) = object.class else {
            return None;
        };
        let position = self.source.facts.position(fields.declaration, name)?;
        let words = self.in_class(object, object.class);
        let class = fields.classes().nth(position)?;
        let ty = self.source.facts.structs[fields.declaration as usize].fields[position];
        Some(Entry::owned(ty, class, &words[fields.words_of(position)]))
    }

    /// The variables of the field at the end of a path, if its root is a local
    /// that is taken apart, with the field's present value.
    fn field_variables(&mut self, path: &Path) -> Option<(Entry, Vec<Variable>)> {
        let [Step::Field(name)] = path.steps[..] else {
            return None;
        };
        if path.root.kind() != VarKind::Local {
            return None;
        }
        let slot = path.root.number();
        let Home::Record { fields, first } = self.homes[slot as usize] else {
            return None;
        };
        let root = self.read_slot(slot, Owner::Slot(slot));
        let old = self.field_of_words(root, name)?;
        let position = self.source.facts.position(fields.declaration, name)?;
        let variables: Vec<Variable> = variables(fields, first).collect();
        Some((old, variables[fields.words_of(position)].to_vec()))
    }

    /// `root.f = v` for a local that is taken apart; false if it is none.
    pub fn store_field_of_words(&mut self, path: &Path) -> bool {
        let Some((old, variables)) = self.field_variables(path) else {
            return false;
        };
        let value = self.pop();
        let words = self.owned_in_class(value, old.class);
        for (variable, word) in variables.into_iter().zip(words) {
            self.set_word(variable, word);
        }
        self.mirror_slot(path.root.number());
        true
    }

    /// `root.f op= v` on numbers for a local that is taken apart; false if it
    /// is something else.
    pub fn update_field_of_words(&mut self, path: &Path, operator: Operator) -> bool {
        let right = self.stack[self.stack.len() - 1];
        if !right.ty.is(Tags::NUMBER) {
            return false;
        }
        let Some((old, variables)) = self.field_variables(path) else {
            return false;
        };
        if !old.ty.is(Tags::NUMBER) {
            return false;
        }
        let result = self.operate(operator, old, right, false);
        self.pop();
        let words = self.in_class(result, old.class);
        for (variable, word) in variables.into_iter().zip(words) {
            self.set_word(variable, word);
        }
        self.mirror_slot(path.root.number());
        true
    }
}
