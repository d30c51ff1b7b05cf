//! A module that becomes machine code before the program around it is known.
//!
//! Others may call what they get hold of, with anything; have structs, methods
//! and overloads of their own; and do with fields of this module's structs what
//! they like.  What no value leads to is the module's own: its variables, its
//! captured variables, functions that it calls and never hands out.
//!
//! A value that comes from elsewhere may be anything, whatever its way was.  So one
//! that is known to be an instance of a struct of this module has been in nobody
//! else's hands: values have no identity, and what others do with theirs does not
//! change it.  That makes structs regular as they are in a whole program.  There, a
//! method's `self` is an instance whatever the receiver was taken for, so a store to
//! a field of any struct counts for all; here it may be anything, as others call
//! methods too, and such stores count for none.

use super::{Analysis, Facts, Tags, Type};
use crate::modules::Strangers;
use ruff_runtime::bytecode::FunctionId;
use ruff_runtime::names::NameId;

impl Facts {
    /// Whether a struct that may be `object` may have a method of that name.
    pub fn may_be_method(&self, object: Type, name: NameId) -> bool {
        let Some(strange) = &self.open else {
            return self.methods.contains_key(&name);
        };
        match object.declaration() {
            Some(declaration) if !strange[declaration as usize] => {
                self.method(declaration, name).is_some()
            }
            _ => true,
        }
    }

    /// Whether others have a part in the program that are not known.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether `object` may be a struct that is declared somewhere else.
    pub(super) fn may_be_strange(&self, object: Type) -> bool {
        let Some(strange) = &self.open else {
            return false;
        };
        let declaration = object.declaration().filter(|_| object.is(Tags::STRUCT));
        object.may_be(Tags::STRUCT.union(Tags::STRUCT_DEF))
            && declaration.is_none_or(|known| strange[known as usize])
    }
}

impl Analysis<'_> {
    /// Takes account of everything that others may do.
    pub(super) fn open_up(&mut self, strangers: &Strangers) {
        self.values_are_out();
        self.facts.open = Some(strangers.structs.clone());
        self.facts.variants.open_up();
        let anything = Type::ANY.joined(Type::of(Tags::UNSET));
        for name in 0..self.program.names.len() as NameId {
            self.join_field(name, Type::ANY);
        }
        let declared = self.program.structs.iter().zip(&strangers.structs);
        for (facts, (info, is_strange)) in self.facts.structs.iter_mut().zip(declared) {
            // Methods take any `self`: what was taken apart would have to be put
            // together for each call.
            facts.is_closed &= !is_strange && info.methods.is_empty();
            if *is_strange {
                facts.is_regular = false;
                facts.fields.fill(Type::ANY);
            }
        }
        for global in &strangers.globals {
            self.join_global(*global, anything);
        }
        let of_structs = (0..).zip(self.struct_functions.clone());
        for (func, _) in of_structs.filter(|(_, is_one)| *is_one) {
            self.escape(func);
        }
        let strange = (0..).zip(&strangers.functions);
        for (func, _) in strange.filter(|(_, is_one)| **is_one) {
            self.is_unknown(func);
        }
    }

    /// What a function takes and gives may be anything.
    fn is_unknown(&mut self, func: FunctionId) {
        self.escape(func);
        self.join_result(func, Type::ANY);
        self.join_yields(func, Type::ANY);
        self.join_self_result(func, Type::ANY);
    }
}
