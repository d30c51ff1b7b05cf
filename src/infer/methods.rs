//! What calls reach: functions by number, overloads and methods by name.

use super::flow::Flow;
use super::{Tags, Type, builtins};
use ruff_runtime::bytecode::{FunctionId, MethodSite};
use ruff_runtime::names::NameId;

/// What a method's name may lead to in a dict's entry.
pub const CALLABLE: Tags = Tags::FUNCTION
    .union(Tags::BUILTIN)
    .union(Tags::BOUND_METHOD);

impl Flow<'_, '_> {
    /// A call of a known function with these arguments.
    pub(super) fn call(&mut self, func: FunctionId, args: &[Type]) -> Type {
        for (param, arg) in args.iter().enumerate() {
            self.analysis.join_slot(func, param as u32, *arg);
        }
        self.analysis.follow_call(func);
        self.analysis.call_result(func)
    }

    /// The overloads of an operator that `left` may have.
    pub(super) fn overload(&mut self, method: NameId, left: Type, args: &[Type]) -> Type {
        let mut result = Type::NONE;
        if left.may_be(Tags::STRUCT) {
            for (declaration, func) in self.candidates(method, left) {
                result.join(self.call_with_receiver(func, Type::instance(declaration), Some(args)));
            }
        }
        if self.analysis.facts.may_be_strange(left) {
            result.join(Type::ANY);
        }
        result
    }

    /// The methods of that name on structs that `receiver` may be.
    fn candidates(&self, method: NameId, receiver: Type) -> Vec<(u32, FunctionId)> {
        let all = self
            .analysis
            .facts
            .methods
            .get(&method)
            .cloned()
            .unwrap_or_default();
        match receiver.declaration() {
            Some(known) => all
                .into_iter()
                .filter(|(declaration, _)| *declaration == known)
                .collect(),
            None => all,
        }
    }

    /// A call of a method; `None` for arguments that are spread or named.
    fn call_with_receiver(
        &mut self,
        func: FunctionId,
        receiver: Type,
        args: Option<&[Type]>,
    ) -> Type {
        let params = self.analysis.program.functions[func as usize]
            .info
            .params
            .len();
        for param in 0..params {
            let value = match (param, args) {
                (0, _) => receiver,
                (_, Some(args)) => match args.get(param - 1) {
                    Some(value) => *value,
                    // Too few arguments raise before the method runs.
                    None => break,
                },
                (_, None) => Type::ANY,
            };
            self.analysis.join_slot(func, param as u32, value);
        }
        self.analysis.follow_call(func);
        self.analysis.call_result(func)
    }

    /// Reads a field; a method read that way may be called by anyone.
    pub(super) fn read_field(&mut self, object: Type, name: NameId) -> Type {
        let mut result = self.analysis.field_of(object, name);
        if object.may_be(Tags::STRUCT.union(Tags::STRUCT_DEF)) {
            for (_, func) in self.candidates(name, object.without(Tags::STRUCT_DEF)) {
                self.analysis.escape(func);
                // Its results are not followed.
                self.analysis.values_are_out();
                result.join(Type::of(Tags::BOUND_METHOD.union(Tags::FUNCTION)));
            }
        }
        if self.analysis.facts.may_be_strange(object) {
            result.join(Type::ANY);
        }
        result
    }

    /// A method call with whatever `receiver` may be.
    pub(super) fn call_method(
        &mut self,
        site: &MethodSite,
        receiver: Type,
        args: Option<&[Type]>,
    ) -> Type {
        let mut result = Type::NONE;
        if receiver.may_be(Tags::STRUCT) {
            result.join(self.call_struct_method(site, receiver, args));
        }
        if receiver.may_be(Tags::STRUCT_DEF) {
            let all = self
                .analysis
                .facts
                .methods
                .get(&site.name)
                .cloned()
                .unwrap_or_default();
            for (_, func) in all {
                result.join(self.call_with_receiver(func, Type::of(Tags::NULL), args));
                // Called on the struct's name with a `self`: whatever comes first.
                let info = &self.analysis.program.functions[func as usize].info;
                if !info.flags.is_static {
                    self.analysis.escape(func);
                }
            }
        }
        if self.analysis.facts.may_be_strange(receiver) {
            result.join(Type::ANY);
            if let Some(place) = &site.place {
                self.join_path(place, Type::ANY);
            }
        }
        let scalars = Tags::NULL
            .union(Tags::BOOL)
            .union(Tags::NUMBER)
            .union(Tags::STRING);
        let plain = Tags::ARRAY.union(scalars);
        if receiver.may_be(plain) {
            result.join(self.call_builtin_form(site, receiver, args));
        }
        if receiver.may_be(Tags::DICT) {
            // An entry of that name is called first; it can be any function.
            let given = self.call_builtin_form(site, receiver, args);
            let is_plain = receiver.is(Tags::DICT) && !receiver.contents().may_be(CALLABLE);
            result.join(if is_plain { given } else { Type::ANY });
        }
        let known = plain
            .union(Tags::STRUCT)
            .union(Tags::STRUCT_DEF)
            .union(Tags::DICT)
            .union(Tags::UNSET);
        if receiver.tags().without(known) != Tags::EMPTY {
            result.join(Type::ANY);
        }
        result
    }

    fn call_struct_method(
        &mut self,
        site: &MethodSite,
        receiver: Type,
        args: Option<&[Type]>,
    ) -> Type {
        let mut result = Type::NONE;
        let candidates = self.candidates(site.name, receiver);
        let certain = receiver.declaration().is_some() && !candidates.is_empty();
        for (declaration, func) in candidates {
            result.join(self.call_with_receiver(func, Type::instance(declaration), args));
            if let Some(place) = &site.place
                && self.analysis.program.functions[func as usize]
                    .info
                    .flags
                    .changes_self
            {
                let after = self.analysis.facts.functions[func as usize].self_result;
                self.join_path(place, after);
            }
        }
        if !certain {
            // A callable field can be any function; a struct made by the
            // library may have methods of its own.
            result.join(Type::ANY);
        }
        result
    }

    fn call_builtin_form(
        &mut self,
        site: &MethodSite,
        receiver: Type,
        args: Option<&[Type]>,
    ) -> Type {
        let name = &self.analysis.program.names[site.name as usize];
        let receiver = receiver.without(Tags::STRUCT);
        if let Some(place) = &site.place {
            let after = match args {
                Some(args) => builtins::change_of_receiver(name, receiver, args),
                None => Type::ANY,
            };
            self.join_path(place, after);
        }
        let Some(args) = args else { return Type::ANY };
        if let Some(result) = builtins::result_of_change(name, receiver, args) {
            return result;
        }
        let mut all = vec![receiver];
        all.extend_from_slice(args);
        builtins::result_of_builtin(name, &all)
    }
}
