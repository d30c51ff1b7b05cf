//! Calls: direct ones with typed signatures, methods known before the program
//! runs, and everything else by helper.  Calls of values are in `callee`.

use super::Source;
use super::decision::Decision;
use super::func::{Translator, trusted};
use super::names::Callee;
use super::signature::{self, Class};
use super::stack::{Entry, Owner};
use crate::infer::{CALLABLE, Tags, Type, result_of_builtin};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::forms::forms;
use ruff_runtime::bytecode::{ArgKind, FunctionId, MethodSite, Path, VarKind};
use ruff_runtime::context::SELF_RESULT_OFFSET;
use ruff_runtime::names::NameId;
use ruff_runtime::value::{RAISED, Tag};

impl Translator<'_, '_, '_> {
    pub fn call_function(&mut self, func: FunctionId, argc: u32) {
        let flags = self.source.program.functions[func as usize].info.flags;
        if flags.is_generator || flags.is_async {
            if flags.is_generator {
                self.record(Decision::MakesGenerator { callee: func });
            }
            self.call_by_object(func, argc);
        } else {
            self.call_direct(func, argc as usize, None);
        }
    }

    /// Calls a function's body with the top `argc` operands; `receiver` comes
    /// before them and is owned.
    ///
    /// Gives the words of the `self` that a method leaves, if they are returned.
    pub fn call_direct(
        &mut self,
        func: FunctionId,
        argc: usize,
        receiver: Option<Entry>,
    ) -> Vec<Value> {
        self.record(Decision::Direct { callee: func });
        self.call_with_operands(Callee::Direct(func), func, argc, None, receiver)
    }

    /// The same by a name of the body, for a function that may have captures, which are
    /// in `object`.
    pub fn call_with_operands(
        &mut self,
        callee: Callee,
        func: FunctionId,
        argc: usize,
        object: Option<Value>,
        receiver: Option<Entry>,
    ) -> Vec<Value> {
        self.own_borrows_from_shared();
        let first = self.stack.len() - argc;
        let flags = self.source.program.functions[func as usize].info.flags;
        let mut given = Vec::with_capacity(argc + 1);
        let operands = self.stack[first..].to_vec();
        for (param, entry) in receiver.into_iter().chain(operands).enumerate() {
            // What an operand borrows from may belong to the receiver, which is
            // changed.
            given.push(match receiver.is_some() && flags.changes_self {
                true if param > 0 => self.own(entry),
                _ => entry,
            });
        }
        self.stack.truncate(first);
        let mut args = vec![self.ctx, self.callee_trace];
        args.extend(object);
        for (param, entry) in given.into_iter().enumerate() {
            args.extend(self.argument(func, param, entry));
        }
        let (words, receiver) = self.call_body_as(callee, func, &args);
        // What the callee borrowed and nobody else keeps.
        for entry in self.stack.split_off(first) {
            self.release_entry(entry);
        }
        let ty = self.source.facts.functions[func as usize].result;
        let class = signature::result_class(self.source.facts, func);
        self.push(Entry::owned(ty, class, &words));
        receiver
    }

    /// The words of an argument.  The callee takes it over, unless it borrows it:
    /// then the operand stack keeps it, if nothing else does.
    fn argument(&mut self, func: FunctionId, param: usize, entry: Entry) -> Vec<Value> {
        let class = self.source.param_class(func, param);
        if !self.source.borrows(func, param) {
            return self.owned_in_class(entry, class);
        }
        let is_new = match entry.class {
            Class::Record(_) | Class::Character => true,
            Class::Sum(_) => entry.class != class,
            _ => false,
        };
        let words = self.in_class(entry, class);
        if entry.owner == Owner::Entry || is_new {
            self.push(Entry::owned(entry.ty, class, &words));
        }
        words
    }

    /// Calls a body with all its arguments; gives its result in its class, and
    /// the words of the `self` that is returned with it.
    pub fn call_body(&mut self, func: FunctionId, args: &[Value]) -> (Vec<Value>, Vec<Value>) {
        self.call_body_as(Callee::Direct(func), func, args)
    }

    fn call_body_as(
        &mut self,
        callee: Callee,
        func: FunctionId,
        args: &[Value],
    ) -> (Vec<Value>, Vec<Value>) {
        let reference = self.callee_ref(callee);
        let call = self.builder.ins().call(reference, args);
        let results = self.builder.inst_results(call).to_vec();
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, results[0], RAISED as i64);
        self.raise_if(raised);
        let class = signature::result_class(self.source.facts, func);
        // A dynamic result's tag is the status.
        let first = usize::from(class != Class::Dynamic);
        let (words, receiver) = results[first..].split_at(class.words().len());
        let words = match class {
            Class::Bool => vec![self.builder.ins().ireduce(types::I8, words[0])],
            _ => words.to_vec(),
        };
        (words, receiver.to_vec())
    }

    /// Parameters of a function, the receiver included.
    pub fn param_count(&self, func: FunctionId) -> usize {
        self.source.program.functions[func as usize]
            .info
            .params
            .len()
    }

    /// The method that a call on an instance of `declaration` surely reaches,
    /// if it can be called directly.
    pub fn devirtualised(&self, declaration: u32, name: NameId) -> Option<FunctionId> {
        let func = self.source.facts.method(declaration, name)?;
        let function = &self.source.program.functions[func as usize];
        let flags = function.info.flags;
        let direct = function.captures.is_empty() && !flags.is_generator && !flags.is_async;
        direct.then_some(func)
    }

    pub fn call_builtin(&mut self, builtin: u32, argc: u32) {
        if self.inline_builtin(builtin, argc) {
            self.record(Decision::InlineBuiltin);
            return;
        }
        if self.inline_callback(builtin, argc) {
            return;
        }
        self.record(Decision::CallsBuiltin);
        self.own_borrows_from_shared();
        let first = self.stack.len() - argc as usize;
        let types: Vec<Type> = self.stack[first..].iter().map(|entry| entry.ty).collect();
        let words = self.builtin_words(builtin, argc);
        let name = &self.source.program.builtins[builtin as usize];
        self.push_words(result_of_builtin(name, &types), &words);
    }

    /// Calls a built-in, which takes its operands over.
    pub fn builtin_words(&mut self, builtin: u32, argc: u32) -> Vec<Value> {
        let args = self.pop_to_memory(argc as usize);
        let id = self.number(Table::Builtins, builtin);
        let count = self.iconst(i64::from(argc));
        self.call_raising(Helper::CallBuiltin, &[self.ctx, id, args, count])
    }

    pub fn call_with(&mut self, site: u32) {
        self.record(Decision::CallsValue);
        self.own_borrows_from_shared();
        let count = self.source.program.call_sites[site as usize].args.len() + 1;
        let values = self.pop_to_memory(count);
        let site = self.number(Table::CallSites, site);
        let words = self.call_raising(Helper::CallWith, &[self.ctx, site, values]);
        self.push_words(Type::ANY, &words);
    }

    pub fn call_method(&mut self, number: u32) {
        let site = &self.source.program.method_sites[number as usize];
        let pops = site.pops(self.source.program) as usize;
        if site.place.as_ref().is_some_and(|path| path.indexes() > 0) {
            self.make_variants_whole(pops);
            self.make_characters_whole(pops);
        }
        if self.call_method_directly(number, site) {
            return;
        }
        self.make_variants_whole(pops);
        self.make_characters_whole(pops);
        if self.call_as_function(site)
            || self.change_by_method(number, site)
            || self.take_out_by_method(number, site)
        {
            return;
        }
        self.record(Decision::ByRuntime);
        self.own_borrows_from_shared();
        self.call_method_by_helper(number, site);
    }

    /// Calls whatever the method is then.
    pub fn call_method_by_helper(&mut self, number: u32, site: &MethodSite) {
        let count = site.pops(self.source.program) as usize;
        let ty = self.method_result(site);
        let values = self.pop_to_memory(count);
        let root = match &site.place {
            Some(path) => self.place_for_helper(path.root, 0),
            None => self.iconst(0),
        };
        let id = self.number(Table::MethodSites, number);
        let words = self.call_helper(Helper::CallMethod, &[self.ctx, id, root, values]);
        if let Some(path) = &site.place {
            self.reload_place(path.root, 0);
        }
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, words[0], RAISED as i64);
        self.raise_if(raised);
        self.push_words(ty, &words);
    }

    /// What a method call gives: known where only one kind of receiver is
    /// possible and its method is.
    fn method_result(&self, site: &MethodSite) -> Type {
        let receiver = self.receiver_type(site);
        if let Some(declaration) = receiver.declaration().filter(|_| receiver.is(Tags::STRUCT))
            && let Some(func) = self.source.facts.method(declaration, site.name)
        {
            let flags = self.source.program.functions[func as usize].info.flags;
            if !flags.is_generator && !flags.is_async {
                return self.source.facts.functions[func as usize].result;
            }
        }
        Type::ANY
    }

    fn receiver_type(&self, site: &MethodSite) -> Type {
        let pops = site.pops(self.source.program) as usize;
        let mut ty = Type::NONE;
        if site.place.is_none() || site.early {
            ty.join(self.stack[self.stack.len() - pops].ty);
        }
        if let Some(path) = &site.place
            && path.steps.is_empty()
        {
            ty.join(match path.root.kind() {
                VarKind::Local | VarKind::Cell => {
                    self.slot_type(path.root.number()).without(Tags::UNSET)
                }
                VarKind::Capture => self.capture_type(path.root.number()),
                VarKind::Global => {
                    self.source.facts.globals[path.root.number() as usize].without(Tags::UNSET)
                }
            });
        } else if let Some(path) = &site.place {
            ty.join(self.path_type(path));
        }
        ty
    }

    /// Calls a method whose function is known; false if it isn't.
    fn call_method_directly(&mut self, number: u32, site: &MethodSite) -> bool {
        let receiver = self.receiver_type(site);
        if !receiver.is(Tags::STRUCT)
            || site.early
            || site.args.iter().any(|arg| *arg != ArgKind::One)
        {
            return false;
        }
        let Some(declaration) = receiver.declaration() else {
            return false;
        };
        let Some(func) = self.devirtualised(declaration, site.name) else {
            return false;
        };
        if self.param_count(func) != site.args.len() + 1 {
            return false;
        }
        let changes_self = self.source.program.functions[func as usize]
            .info
            .flags
            .changes_self;
        let argc = site.args.len();
        let Some(path) = &site.place else {
            // The receiver is below the arguments: it is simply the first one.
            self.call_direct(func, argc + 1, None);
            return true;
        };
        if changes_self && site.immutable.is_some() {
            return false;
        }
        if !path.steps.is_empty() {
            return if changes_self {
                self.change_behind_fields(number, site, func)
            } else {
                self.call_on_place(path, func, argc)
            };
        }
        self.own_borrows_from_shared();
        let receiver = self.receiver_for_call(site, path, changes_self);
        let words = self.call_direct(func, argc, Some(receiver));
        if changes_self {
            self.store_self_back(func, path, &words);
        }
        true
    }

    /// Calls a method of a built-in kind of value as the built-in that it stands
    /// for; false if it isn't known, or changes its receiver.
    fn call_as_function(&mut self, site: &MethodSite) -> bool {
        let program = self.source.program;
        let receiver = self.receiver_type(site);
        let indexes = site.place.as_ref().map_or(0, Path::indexes) as usize;
        let is_plain = site.args.iter().all(|arg| *arg == ArgKind::One);
        let (true, Some(tag)) = (is_plain, receiver.tags().single()) else {
            return false;
        };
        // A struct that the library made is not told from others.
        if tag == Tag::Struct || tag == Tag::Dict && receiver.contents().may_be(CALLABLE) {
            return false;
        }
        let mut forms = forms(&program.names[site.name as usize]);
        let Some(form) = forms.find(|form| form.receiver == tag && !form.mutates) else {
            return false;
        };
        let mut builtins = (0..).zip(&program.builtins);
        let Some((builtin, _)) = builtins.find(|(_, name)| ***name == *form.builtin) else {
            return false;
        };
        let first = self.stack.len() - site.args.len();
        match &site.place {
            Some(_) if site.early && indexes > 0 => return false,
            Some(path) if !site.early => {
                let receiver = match path.steps.is_empty() {
                    true => Some(self.variable(path.root)),
                    false => self.read_behind_fields(path, first - indexes),
                };
                let Some(receiver) = receiver else {
                    return false;
                };
                self.stack.drain(first - indexes..first);
                self.stack.insert(first - indexes, receiver);
            }
            _ => {}
        }
        if tag == Tag::Dict {
            self.refuse_entry(site);
        }
        self.call_builtin(builtin, site.args.len() as u32 + 1);
        true
    }

    /// Raises an error if the receiver below the arguments, a dict, has an entry of
    /// the method's name: that would be called, but is no function.
    fn refuse_entry(&mut self, site: &MethodSite) {
        self.own_borrows_from_shared();
        let receiver = self.stack[self.stack.len() - site.args.len() - 1];
        let name = self.number(Table::Names, site.name);
        let dict = self.payload_word(receiver);
        let found = self.call_helper(Helper::DictHasName, &[self.ctx, dict, name])[0];
        let (cold, go_on) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(found, cold, &[], go_on, &[]);
        self.switch_sealed(cold);
        let values = self.scratch(1);
        self.store_value(Entry::null(), values, 0);
        let none = self.iconst(0);
        self.call_raising(Helper::Call, &[self.ctx, values, none]);
        self.never();
        self.switch_sealed(go_on);
    }

    /// Calls a method on what is at a place, which stays as it is; false if the
    /// way there is not known.
    fn call_on_place(&mut self, path: &Path, func: FunctionId, argc: usize) -> bool {
        let indexes = path.indexes() as usize;
        let first = self.stack.len() - argc - indexes;
        let Some(receiver) = self.read_behind_fields(path, first) else {
            return false;
        };
        let class = self.source.param_class(func, 0);
        let words = self.owned_in_class(receiver, class);
        let receiver = Entry::owned(receiver.ty, class, &words);
        self.stack.drain(first..first + indexes);
        self.call_direct(func, argc, Some(receiver));
        true
    }

    /// The receiver as an owned argument: moved out of its variable where the
    /// method changes it and nobody can look meanwhile.
    fn receiver_for_call(&mut self, site: &MethodSite, path: &Path, changes_self: bool) -> Entry {
        match path.root.kind() {
            VarKind::Local => {
                let slot = path.root.number();
                if changes_self && site.take {
                    self.own_borrows_from_slot(slot);
                    let entry = self.read_slot(slot, Owner::Entry);
                    self.empty_slot(slot);
                    self.holding.empty(slot);
                    return entry;
                }
                let entry = self.read_slot(slot, Owner::Slot(slot));
                self.own(entry)
            }
            _ => {
                let (place, ty) = self.shared_place(path.root);
                let entry = self.load_value(ty, place, 0, Owner::Shared);
                self.own(entry)
            }
        }
    }

    /// The final `self` that a method left in the context.
    pub fn take_self_result(&mut self, ty: Type) -> Entry {
        let ctx = self.ctx;
        let unset = self.tag_word(Tag::Unset);
        let entry = self.load_value(ty, ctx, SELF_RESULT_OFFSET as i32, Owner::Entry);
        self.builder
            .ins()
            .store(trusted(), unset, ctx, SELF_RESULT_OFFSET as i32);
        entry
    }

    /// Stores the final `self` of the method that just returned: these words, or
    /// what the context holds.
    fn store_self_back(&mut self, func: FunctionId, path: &Path, words: &[Value]) {
        let Source { program, facts, .. } = self.source;
        let ty = facts.functions[func as usize].self_result;
        let entry = match signature::self_fields(program, facts, func) {
            Some(fields) => Entry::owned(ty, Class::Record(fields), words),
            None => self.take_self_result(ty),
        };
        self.push(entry);
        match path.root.kind() {
            VarKind::Local => {
                self.store_local(path.root.number());
                self.holding.store(path.root.number());
            }
            _ => self.store_shared(path.root),
        }
    }
}
