//! Changing variables in place: compound assignment, and built-ins applied to a
//! place.

use super::arith::method_of;
use super::decision::Decision;
use super::func::{Translator, trusted};
use super::grow::Change;
use super::signature::Class;
use super::stack::{Entry, Owner};
use crate::infer::{Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{
    ArgKind, BuiltinSite, MethodSite, Operator, Path, Step, Var, VarKind,
};
use ruff_runtime::heap::Elements;
use ruff_runtime::value::{RAISED, Tag};

impl Translator<'_, '_, '_> {
    // ---- compound assignment to a variable

    pub fn update(&mut self, var: Var, operator: Operator) {
        if !self.is_text_variable(var) {
            self.make_characters_whole(1);
        }
        let right = self.stack[self.stack.len() - 1];
        let left = self.variable(var);
        let plain = |entry: Entry| entry.ty.is(Tags::NUMBER);
        if plain(left) && plain(right) {
            let left = self.variable(var);
            let result = self.operate(operator, left, right, false);
            self.pop();
            self.push(result);
            self.store_variable(var);
            return;
        }
        if self.append_to_variable(var, operator) {
            self.record(Decision::InPlace);
            return;
        }
        if let Some(declaration) = left.ty.declaration().filter(|_| self.is(left, Tag::Struct))
            && let Some(func) = self.devirtualised(declaration, method_of(operator))
            && self.param_count(func) == 2
        {
            let right = self.pop_owned();
            let left = self.variable(var);
            let left = self.own(left);
            self.push(left);
            self.push(right);
            self.call_direct(func, 2, None);
            self.store_variable(var);
            return;
        }
        self.own_borrows_from_shared();
        let right = self.pop_owned();
        if left.ty.may_be(Tags::INT) && right.ty.may_be(Tags::INT) && left.class == Class::Dynamic {
            self.record(Decision::AsksKind);
            self.update_dynamic(var, operator, right);
        } else {
            self.record(Decision::ByRuntime);
            self.update_by_helper(var, operator, right);
        }
    }

    /// Ints inline, the rest by helper, of a variable of any kind.
    fn update_dynamic(&mut self, var: Var, operator: Operator, right: Entry) {
        if var.kind() == VarKind::Local {
            self.own_borrows_from_slot(var.number());
        }
        let left = self.variable(var);
        let both = self.both_have(left, right, Tag::Int);
        let (ints, others, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        self.builder.ins().brif(both, ints, &[], others, &[]);
        self.switch_sealed(ints);
        let (a, b) = (self.payload_word(left), self.payload_word(right));
        let result = self.int_arithmetic(operator, a, b);
        self.overwrite_moved(var, Entry::int(result));
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(others);
        self.update_by_helper(var, operator, right);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    fn update_by_helper(&mut self, var: Var, operator: Operator, right: Entry) {
        let (tag, payload) = self.both_words(right);
        let place = self.place_for_helper(var, 0);
        let operator = self.iconst(operator as u32 as i64);
        let status =
            self.call_helper(Helper::Update, &[self.ctx, place, operator, tag, payload])[0];
        self.reload_place(var, 0);
        self.raise_if(status);
    }

    pub fn update_from(&mut self, var: Var, operator: Operator) {
        if !self.is_text_variable(var) {
            self.make_characters_whole(2);
        }
        let right = self.stack[self.stack.len() - 1];
        let old = self.stack[self.stack.len() - 2];
        if old.ty.is(Tags::NUMBER) && right.ty.is(Tags::NUMBER) {
            let result = self.operate(operator, old, right, true);
            self.stack.truncate(self.stack.len() - 2);
            self.push(result);
            self.store_variable(var);
            return;
        }
        // What still borrows from the variable is what the variable holds.
        if var.kind() == VarKind::Local && old.owner == Owner::Slot(var.number()) {
            self.stack.remove(self.stack.len() - 2);
            if self.append_to_variable(var, operator) {
                self.record(Decision::InPlace);
                return;
            }
            self.stack.insert(self.stack.len() - 1, old);
        }
        self.record(Decision::ByRuntime);
        self.own_borrows_from_shared();
        let right = self.pop_owned();
        let old = self.pop_owned();
        let (tag, payload) = self.both_words(right);
        let (old_tag, old_word) = self.both_words(old);
        let place = self.place_for_helper(var, 0);
        let operator = self.iconst(operator as u32 as i64);
        let args = [self.ctx, place, operator, old_tag, old_word, tag, payload];
        let status = self.call_helper(Helper::UpdateFrom, &args)[0];
        self.reload_place(var, 0);
        self.raise_if(status);
    }

    /// A variable's value, borrowed.
    pub fn variable(&mut self, var: Var) -> Entry {
        match var.kind() {
            VarKind::Local => self.read_slot(var.number(), Owner::Slot(var.number())),
            _ => {
                let (place, ty) = self.shared_place(var);
                self.load_value(ty, place, 0, Owner::Shared)
            }
        }
    }

    /// Pops into a variable.
    pub fn store_variable(&mut self, var: Var) {
        match var.kind() {
            VarKind::Local => self.store_local(var.number()),
            _ => self.store_shared(var),
        }
    }

    /// Overwrites a variable that holds a scalar, or something that was taken
    /// from it.
    pub fn overwrite_moved(&mut self, var: Var, entry: Entry) {
        match var.kind() {
            VarKind::Local => {
                let holding = self.holding.clone();
                // What it held is no object, or is gone: nothing to give back.
                self.holding.maybe.remove(var.number());
                self.replace_slot(var.number(), entry);
                self.holding = holding;
            }
            _ => {
                let (place, _) = self.shared_place(var);
                self.store_value(entry, place, 0);
            }
        }
    }

    pub fn read_path(&mut self, number: u32) {
        let path = &self.source.program.paths[number as usize];
        let count = path.indexes() as usize;
        let indexes = self.scratch(count);
        let first = self.stack.len() - count;
        for index in 0..count {
            self.store_value(self.stack[first + index], indexes, 16 * index as i32);
        }
        let ty = self.path_type(path);
        let place = self.place_for_helper(path.root, 0);
        let id = self.number(Table::Paths, number);
        let words = self.call_helper(Helper::ReadPath, &[self.ctx, place, id, indexes]);
        self.forget_place(path.root, 0);
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, words[0], RAISED as i64);
        self.raise_if(raised);
        self.push_words(ty, &words);
    }

    pub fn path_type(&self, path: &Path) -> Type {
        let mut current = match path.root.kind() {
            VarKind::Local | VarKind::Cell => {
                self.slot_type(path.root.number()).without(Tags::UNSET)
            }
            VarKind::Capture => self.capture_type(path.root.number()),
            VarKind::Global => {
                self.source.facts.globals[path.root.number() as usize].without(Tags::UNSET)
            }
        };
        for step in &path.steps {
            current = match step {
                Step::Index => crate::infer::element_of(current),
                Step::Field(name) => crate::infer::field_of(self.source.facts, current, *name),
            };
        }
        current
    }

    pub fn update_path(&mut self, number: u32, operator: Operator) {
        let path = &self.source.program.paths[number as usize];
        if self.update_field_of_words(path, operator) {
            self.record(Decision::FieldInRegister);
            return;
        }
        self.make_objects(path.indexes() as usize + 1);
        if self.update_behind_fields(number, path, operator) {
            self.record(Decision::InPlace);
            return;
        }
        if let Some((element, decision)) = self.simple_element(path) {
            self.record(decision);
            self.update_element(number, path, operator, element);
            return;
        }
        if self.is_count_in_dict(path) {
            self.record(Decision::InPlace);
            self.update_entry(number, path, operator);
            return;
        }
        self.record(Decision::ByRuntime);
        self.update_path_by_helper(number, path, operator);
    }

    /// Whether `d[k] op= n` looks up a key of known kind and works on an int.
    fn is_count_in_dict(&self, path: &Path) -> bool {
        let [Step::Index] = path.steps[..] else {
            return false;
        };
        let root = Path {
            steps: Vec::new(),
            ..path.clone()
        };
        let ty = self.path_type(&root);
        let key = self.stack[self.stack.len() - 2];
        let right = self.stack[self.stack.len() - 1];
        ty.is(Tags::DICT)
            && ty.contents().may_be(Tags::INT)
            && super::dict::is_key(key)
            && right.class == Class::Int
    }

    /// `d[k] op= n` in place, while the dict is nobody else's and holds an int.
    fn update_entry(&mut self, number: u32, path: &Path, operator: Operator) {
        if path.root.kind() == VarKind::Local {
            self.own_borrows_from_slot(path.root.number());
        }
        self.own_borrows_from_shared();
        let key = self.stack[self.stack.len() - 2];
        let right = self.stack[self.stack.len() - 1];
        let root = self.variable(path.root);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let dict = self.expect_tag(root, Tag::Dict, slow);
        self.expect_unique(dict, slow);
        let place = self.entry_place(dict, key);
        let there = self.builder.create_block();
        self.builder.ins().brif(place, there, &[], slow, &[]);
        self.switch_sealed(there);
        let held = self.load_value(Type::ANY, place, 0, Owner::Shared);
        let old = self.expect_tag(held, Tag::Int, slow);
        let result = self.int_arithmetic(operator, old, right.word());
        self.builder.ins().store(trusted(), result, place, 8);
        self.release_entry(key);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.update_path_by_helper(number, path, operator);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    pub fn update_path_by_helper(&mut self, number: u32, path: &Path, operator: Operator) {
        self.own_borrows_from_shared();
        let values = self.pop_to_memory(path.indexes() as usize + 1);
        let place = self.place_for_helper(path.root, 0);
        let id = self.number(Table::Paths, number);
        let operator = self.iconst(operator as u32 as i64);
        let status =
            self.call_helper(Helper::UpdatePath, &[self.ctx, place, id, operator, values])[0];
        self.reload_place(path.root, 0);
        self.raise_if(status);
    }

    /// Whether `root[i] op= b` may work on a flat array of ints or floats: its kind,
    /// and whether that is known before.
    fn simple_element(&self, path: &Path) -> Option<(Elements, Decision)> {
        let right = self.stack[self.stack.len() - 1];
        if path.steps.len() != 1 || !matches!(path.steps[0], Step::Index) {
            return None;
        }
        let root = Path {
            steps: Vec::new(),
            ..path.clone()
        };
        let contents = self.path_type(&root);
        let is_array = contents.is(Tags::ARRAY);
        let of_any_class = Class::of(contents) == Class::Dynamic && contents.may_be(Tags::ARRAY);
        if !is_array && !of_any_class {
            return None;
        }
        let held = contents.contents();
        match (Class::of(held), right.class) {
            (Class::Int, Class::Int) if is_array => Some((Elements::Ints, Decision::InPlace)),
            (Class::Float, Class::Float | Class::Int) if is_array => {
                Some((Elements::Floats, Decision::InPlace))
            }
            (_, Class::Float) if held.may_be(Tags::FLOAT) => {
                Some((Elements::Floats, Decision::AsksKind))
            }
            (_, Class::Int | Class::Dynamic)
                if held.may_be(Tags::INT) && right.ty.may_be(Tags::INT) =>
            {
                Some((Elements::Ints, Decision::AsksKind))
            }
            _ => None,
        }
    }

    fn update_element(&mut self, number: u32, path: &Path, operator: Operator, elements: Elements) {
        let index = self.stack[self.stack.len() - 2];
        if path.root.kind() == VarKind::Local {
            self.own_borrows_from_slot(path.root.number());
        }
        self.own_borrows_from_shared();
        let right = self.stack[self.stack.len() - 1];
        let root = self.variable(path.root);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let array = self.expect_tag(root, Tag::Array, slow);
        let view = self.view_for_store(path, Some(elements.into()), array, slow);
        let position = self.expect_tag(index, Tag::Int, slow);
        let right = match elements {
            Elements::Ints => Entry::int(self.expect_tag(right, Tag::Int, slow)),
            _ => right,
        };
        let address = self.checked_address(array, view, position, elements, slow);
        let machine = if elements == Elements::Ints {
            types::I64
        } else {
            types::F64
        };
        let flags = self.of_elements(elements);
        let old = self.builder.ins().load(machine, flags, address, 0);
        let old = if elements == Elements::Ints {
            Entry::int(old)
        } else {
            Entry::float(old)
        };
        let result = self.operate(operator, old, right, false);
        self.builder.ins().store(flags, result.word(), address, 0);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.update_path_by_helper(number, path, operator);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    // ---- built-ins applied to a place

    pub fn mutate(&mut self, number: u32) {
        let site = &self.source.program.builtin_sites[number as usize];
        let name = &self.source.program.builtins[site.builtin as usize];
        let is_push = matches!(&**name, "push" | "append") && site.argc == 1;
        if is_push
            && site.early
            && self.root_type(&site.place).is(Tags::ARRAY)
            && self.forget_early(&site.place, 1)
        {
            self.push_element(&site.place, Change::Builtin(number, site));
            return;
        }
        if is_push
            && !site.early
            && (site.place.steps.is_empty() || self.is_array_behind(&site.place))
        {
            self.push_element(&site.place, Change::Builtin(number, site));
            return;
        }
        self.record(Decision::ByRuntime);
        self.mutate_by_helper(number, site);
    }

    pub fn mutate_by_helper(&mut self, number: u32, site: &BuiltinSite) {
        self.own_borrows_from_shared();
        let count = site.pops(self.source.program) as usize;
        let values = self.pop_to_memory(count);
        let place = self.place_for_helper(site.place.root, 0);
        let id = self.number(Table::BuiltinSites, number);
        let status = self.call_helper(Helper::Mutate, &[self.ctx, id, place, values])[0];
        self.reload_place(site.place.root, 0);
        self.raise_if(status);
    }

    /// `d.remove(k)`, `xs.remove_at(i)` at a place that is known, by the built-in
    /// itself; false if it is something else.  Nothing becomes deeper by it.
    pub fn take_out_by_method(&mut self, number: u32, site: &MethodSite) -> bool {
        let Some(path) = &site.place else {
            return false;
        };
        let program = self.source.program;
        let name = &*program.names[site.name as usize];
        let receiver = self.path_type(path);
        let kind = match name {
            "remove" if receiver.is(Tags::DICT) => Tag::Dict,
            "remove_at" if receiver.is(Tags::ARRAY) => Tag::Array,
            _ => return false,
        };
        let is_plain = site.args.len() == 1 && site.args[0] == ArgKind::One;
        if !is_plain || site.early || site.immutable.is_some() {
            return false;
        }
        let mut builtins = (0..).zip(&program.builtins);
        let builtin = builtins.find(|(_, builtin)| &***builtin == name);
        let way = self.way_through(path);
        let (Some((builtin, _)), true) = (builtin, way.is_some() || path.steps.is_empty()) else {
            return false;
        };
        self.record(Decision::InPlace);
        let operands = site.pops(program) as usize;
        self.own_before_change(path, operands);
        let at = self.stack.len() - operands;
        let before = self.stack.clone();
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let class = Class::Dynamic;
        for word in class.words().iter() {
            self.builder.append_block_param(done, *word);
        }
        let (target, offset, held) = match &way {
            Some(way) => {
                let (address, offset) = self.place_at(path, way, at, slow);
                let held = self.load_value(receiver, address, offset, Owner::Shared);
                (Some(address), offset, held)
            }
            None => (None, 0, self.variable(path.root)),
        };
        let object = self.expect_tag(held, kind, slow);
        if kind == Tag::Dict {
            let name = self.number(Table::Names, site.name);
            let found = self.call_helper(Helper::DictHasName, &[self.ctx, object, name])[0];
            let none = self.builder.create_block();
            self.builder.ins().brif(found, slow, &[], none, &[]);
            self.switch_sealed(none);
        }
        let args = self.pop_to_memory(1);
        let target = match target {
            Some(address) => self.builder.ins().iadd_imm_s(address, i64::from(offset)),
            None => self.place_for_helper(path.root, 0),
        };
        let id = self.number(Table::Builtins, builtin);
        let words = self.call_helper(Helper::ChangeByBuiltin, &[self.ctx, id, target, args]);
        match &way {
            Some(_) => self.renew_rows_of(path),
            None => self.reload_place(path.root, 0),
        }
        let raised = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, words[0], RAISED as i64);
        self.raise_if(raised);
        self.release_keys_to(path, at);
        self.jump_with(done, &words);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.stack = before;
        self.call_method_by_helper(number, site);
        let result = self.pop();
        let words = self.in_class(result, class);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.stack.truncate(at);
        self.push(Entry::owned(Type::ANY, class, &words));
        true
    }
}
