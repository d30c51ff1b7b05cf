//! Changing variables in place: compound assignment, stores through paths, and
//! built-ins applied to a place.

use super::arith::method_of;
use super::decision::Decision;
use super::func::{Translator, trusted};
use super::record::store_fields;
use super::signature::{Class, Fields};
use super::stack::{Entry, Owner};
use super::view::View;
use crate::infer::{Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{BuiltinSite, Operator, Path, Step, Var, VarKind};
use ruff_runtime::heap::array::{BUFFER_SIZE_OFFSET, LEN_OFFSET};
use ruff_runtime::heap::{DEPTH_OFFSET, Elements};
use ruff_runtime::value::{RAISED, Tag};

impl Translator<'_, '_, '_> {
    // ---- compound assignment to a variable

    pub fn update(&mut self, var: Var, operator: Operator) {
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

    // ---- stores through paths

    /// The value is below the indexes (`value_first`) or above them.
    pub fn store_path(&mut self, number: u32, value_first: bool) {
        let path = &self.source.program.paths[number as usize];
        if self.store_field_of_words(path) {
            self.record(Decision::FieldInRegister);
            return;
        }
        if path.steps.iter().all(|step| matches!(step, Step::Index)) && path.steps.len() <= 3 {
            self.store_element(number, path, value_first);
            return;
        }
        if self.store_behind_fields(number, path, value_first) {
            self.record(Decision::InPlace);
        } else {
            self.record(Decision::ByRuntime);
            self.store_path_by_helper(number, path, value_first);
        }
    }

    pub fn store_path_by_helper(&mut self, number: u32, path: &Path, value_first: bool) {
        let count = path.indexes() as usize + 1;
        let values = self.pop_to_memory(count);
        let place = self.place_for_helper(path.root, 0);
        let id = self.number(Table::Paths, number);
        let helper = if value_first {
            Helper::StorePath
        } else {
            Helper::StorePathUnder
        };
        let status = self.call_helper(helper, &[self.ctx, place, id, values])[0];
        self.reload_place(path.root, 0);
        self.raise_if(status);
    }

    /// `root[i] = v`, `root[i][j] = v`, …: in place while every level is
    /// nobody else's and the element fits.
    fn store_element(&mut self, number: u32, path: &Path, value_first: bool) {
        let steps = path.steps.len();
        let first = self.stack.len() - steps - 1;
        let value_at = if value_first { first } else { first + steps };
        let indexes_at = if value_first { first + 1 } else { first };
        self.take_apart_for(path, value_at);
        let fields = self.fields_in_place(path, value_at);
        if fields.is_none() {
            self.make_objects(steps + 1);
        }
        // From here on both paths see the same owners.
        for at in first..self.stack.len() {
            self.stack[at] = self.own(self.stack[at]);
        }
        match path.root.kind() {
            VarKind::Local => self.own_borrows_from_slot(path.root.number()),
            _ => self.own_borrows_from_shared(),
        }
        let root = self.variable(path.root);
        let value = self.stack[value_at];
        if !root.ty.may_be(Tags::ARRAY)
            || !root.ty.without(Tags::ARRAY).is_none() && root.class != Class::Dynamic
        {
            self.record(Decision::ByRuntime);
            self.store_path_by_helper(number, path, value_first);
            return;
        }
        self.record(match value.class {
            _ if fields.is_some() => Decision::InPlace,
            Class::Int | Class::Float | Class::Bool => Decision::InPlace,
            Class::Object(_) => Decision::InPlace,
            Class::Dynamic => Decision::AsksKind,
            Class::Null | Class::Record(_) => Decision::ByRuntime,
        });
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        if fields.is_none()
            && let Some(elements) = stored_elements(value.class)
            && let Some((row, view)) = self.row_to_change(path, elements)
        {
            let row = self.word_of(row);
            let position = self.stack[indexes_at + 1];
            let position = self.expect_tag(position, Tag::Int, slow);
            self.store_checked(row, Some(view), position, value, slow);
        } else {
            self.store_on_way(path, (root, indexes_at), value, fields, slow);
        }
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        self.store_path_by_helper(number, path, value_first);
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    /// Goes from the root, whose indexes are at that place among the operands, to
    /// the element and stores it; to `slow` where that can't be done in place.
    fn store_on_way(
        &mut self,
        path: &Path,
        (root, indexes_at): (Entry, usize),
        value: Entry,
        fields: Option<Fields>,
        slow: Block,
    ) {
        let steps = path.steps.len();
        let mut array = self.expect_tag(root, Tag::Array, slow);
        let elements = match value.class {
            _ if steps > 1 || fields.is_some() => Some(Elements::Values),
            class => stored_elements(class),
        };
        let view = self.view_for_store(path, elements, array, slow);
        for step in 0..steps {
            let index = self.stack[indexes_at + step];
            let position = self.expect_tag(index, Tag::Int, slow);
            let view = view.filter(|_| step == 0);
            if step + 1 < steps {
                let address = self.checked_address(array, view, position, Elements::Values, slow);
                let tag = self.builder.ins().load(types::I64, trusted(), address, 0);
                let is_array =
                    self.builder
                        .ins()
                        .icmp_imm_u(IntCC::Equal, tag, Tag::Array as u64 as i64);
                let next = self.builder.create_block();
                self.builder.ins().brif(is_array, next, &[], slow, &[]);
                self.switch_sealed(next);
                array = self.builder.ins().load(types::I64, trusted(), address, 8);
                self.expect_unique(array, slow);
            } else if let Some(fields) = fields {
                let address = self.checked_address(array, view, position, Elements::Values, slow);
                let held = self.load_word(address, 8);
                self.expect_unique(held, slow);
                let words = self.in_class(value, value.class);
                store_fields(self.builder, fields, &words, held);
            } else {
                self.store_checked(array, view, position, value, slow);
            }
        }
        if steps == 1 && path.root.kind() == VarKind::Local {
            // It may have been a row that was looked up.
            self.renew_rows(path.root.number());
        }
    }

    /// The fields of a value that is taken apart, if the place where it goes
    /// always holds such a struct: then that one is overwritten.
    pub fn fields_in_place(&self, path: &Path, value_at: usize) -> Option<Fields> {
        let Class::Record(fields) = self.stack[value_at].class else {
            return None;
        };
        let held = self.path_type(path);
        let is_same = held.is(Tags::STRUCT) && held.declaration() == Some(fields.declaration);
        is_same.then_some(fields)
    }

    /// Takes a struct apart that goes where the same fields can be overwritten:
    /// copies of numbers are better than an object with two owners, which would
    /// have to be copied as soon as one of them changes it.
    fn take_apart_for(&mut self, path: &Path, value_at: usize) {
        let value = self.stack[value_at];
        let held = self.path_type(path);
        if value.class != Class::Object(Tag::Struct)
            || !held.is(Tags::STRUCT)
            || held.declaration() != value.ty.declaration()
        {
            return;
        }
        let class = self.class_of(value.ty);
        if let Class::Record(_) = class {
            let words = self.in_class(value, class);
            self.stack[value_at] = Entry::owned(value.ty, class, &words);
        }
    }

    /// The view of the array, if there is one, through which an element of such
    /// a kind is changed.  Goes to `slow` if the array may have other owners, or
    /// will when no element is found.
    pub fn view_for_store(
        &mut self,
        path: &Path,
        elements: Option<Elements>,
        array: Value,
        slow: Block,
    ) -> Option<View> {
        let found = self.store_view(path, elements);
        if !found.is_some_and(|found| found.is_unique) {
            self.expect_unique(array, slow);
        }
        found.map(|found| found.view)
    }

    /// Goes to `slow` unless the object has just one owner.
    pub fn expect_unique(&mut self, object: Value, slow: Block) {
        let count = self.builder.ins().load(types::I32, trusted(), object, 0);
        let unique = self.builder.ins().icmp_imm_s(IntCC::Equal, count, 1);
        let next = self.builder.create_block();
        self.builder.ins().brif(unique, next, &[], slow, &[]);
        self.switch_sealed(next);
    }

    /// The address of an element; goes to `slow` if there is none, or if the
    /// array has another kind.
    pub fn checked_address(
        &mut self,
        array: Value,
        view: Option<View>,
        position: Value,
        elements: Elements,
        slow: Block,
    ) -> Value {
        match view.filter(|view| view.elements == elements) {
            Some(view) => self.viewed_address(view, position, slow),
            None => {
                self.check_bounds(array, position, slow);
                self.expect_elements(array, elements, slow);
                self.element_address(array, position, elements)
            }
        }
    }

    /// Stores an owned value into an element, if it is there, fits the array's
    /// kind and makes the array no deeper.
    pub fn store_checked(
        &mut self,
        array: Value,
        view: Option<View>,
        position: Value,
        value: Entry,
        slow: Block,
    ) {
        match value.class {
            Class::Int | Class::Float | Class::Bool => {
                let tag = value.class.tag().expect("a scalar class");
                let elements = Elements::for_tag(tag);
                let address = self.checked_address(array, view, position, elements, slow);
                self.builder
                    .ins()
                    .store(trusted(), value.word(), address, 0);
            }
            Class::Dynamic => {
                // Ints into flat int arrays; the rest is the helper's.
                let word = self.expect_tag(value, Tag::Int, slow);
                let address = self.checked_address(array, view, position, Elements::Ints, slow);
                self.builder.ins().store(trusted(), word, address, 0);
            }
            Class::Object(kind) => {
                let address = self.checked_address(array, view, position, Elements::Values, slow);
                if kind != Tag::String {
                    let depth = self.depth(value.word());
                    let allowed = self.depth(array);
                    self.continue_if(IntCC::UnsignedLessThan, depth, allowed, slow);
                }
                let old = self.load_value(Type::ANY, address, 0, Owner::Entry);
                self.store_value(value, address, 0);
                self.release_entry(old);
            }
            Class::Null | Class::Record(_) => {
                self.builder.ins().jump(slow, &[]);
                let dead = self.builder.create_block();
                self.switch_sealed(dead);
            }
        }
    }

    /// An upper bound of the levels of containers in an object.
    fn depth(&mut self, object: Value) -> Value {
        self.builder
            .ins()
            .uload16(types::I64, trusted(), object, DEPTH_OFFSET as i32)
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
        let view = self.view_for_store(path, Some(elements), array, slow);
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
        let old = self.builder.ins().load(machine, trusted(), address, 0);
        let old = if elements == Elements::Ints {
            Entry::int(old)
        } else {
            Entry::float(old)
        };
        let result = self.operate(operator, old, right, false);
        self.builder
            .ins()
            .store(trusted(), result.word(), address, 0);
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
        if matches!(&**name, "push" | "append")
            && !site.early
            && site.argc == 1
            && (site.place.steps.is_empty() || self.is_array_behind(&site.place))
        {
            self.push_element(number, site);
            return;
        }
        self.record(Decision::ByRuntime);
        self.mutate_by_helper(number, site);
    }

    fn mutate_by_helper(&mut self, number: u32, site: &BuiltinSite) {
        self.own_borrows_from_shared();
        let count = site.pops(self.source.program) as usize;
        let values = self.pop_to_memory(count);
        let place = self.place_for_helper(site.place.root, 0);
        let id = self.number(Table::BuiltinSites, number);
        let status = self.call_helper(Helper::Mutate, &[self.ctx, id, place, values])[0];
        self.reload_place(site.place.root, 0);
        self.raise_if(status);
    }

    /// `xs = push(xs, v)`: inline while there is room in a flat array of v's kind.
    fn push_element(&mut self, number: u32, site: &BuiltinSite) {
        let root = self.variable(site.place.root);
        let is_root = site.place.steps.is_empty();
        let indexes_at = self.stack.len() - 1 - site.place.indexes() as usize;
        self.own_before_change(&site.place, site.place.indexes() as usize + 1);
        let value = self.stack[self.stack.len() - 1];
        let flat = match value.class {
            Class::Int => Some(Elements::Ints),
            Class::Float => Some(Elements::Floats),
            Class::Bool => Some(Elements::Bools),
            _ => None,
        };
        let Some(elements) = flat.filter(|_| !is_root || root.ty.may_be(Tags::ARRAY)) else {
            if is_root && root.ty.is(Tags::ARRAY) {
                self.record(Decision::InPlace);
                self.push_by_helper(site);
            } else {
                self.record(Decision::ByRuntime);
                self.mutate_by_helper(number, site);
            }
            return;
        };
        self.record(Decision::InPlace);
        let root = self.variable(site.place.root);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let array = match self.array_behind(&site.place, indexes_at, slow) {
            Some(array) => array,
            None => {
                let array = self.expect_tag(root, Tag::Array, slow);
                self.expect_unique(array, slow);
                array
            }
        };
        self.expect_elements(array, elements, slow);
        let len = self.load_word(array, LEN_OFFSET);
        let more = self.builder.ins().iadd_imm_s(len, 1);
        let bytes = match elements.size() {
            1 => more,
            _ => self.builder.ins().ishl_imm_u(more, 3),
        };
        let room = self.load_word(array, BUFFER_SIZE_OFFSET);
        let fits = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThanOrEqual, bytes, room);
        let next = self.builder.create_block();
        self.builder.ins().brif(fits, next, &[], slow, &[]);
        self.switch_sealed(next);
        let address = self.element_address(array, len, elements);
        self.builder
            .ins()
            .store(trusted(), value.word(), address, 0);
        self.builder
            .ins()
            .store(trusted(), more, array, LEN_OFFSET as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        self.builder.seal_block(slow);
        if is_root {
            self.push_by_helper(site);
        } else {
            self.mutate_by_helper(number, site);
        }
        self.builder.ins().jump(done, &[]);
        self.switch_sealed(done);
    }

    fn push_by_helper(&mut self, site: &BuiltinSite) {
        let value = self.pop_owned();
        let (tag, payload) = self.both_words(value);
        let place = self.place_for_helper(site.place.root, 0);
        let status = self.call_helper(Helper::Push, &[self.ctx, place, tag, payload])[0];
        self.reload_place(site.place.root, 0);
        self.raise_if(status);
    }
}

/// The kind of elements that `store_checked` stores a value of this class into.
fn stored_elements(class: Class) -> Option<Elements> {
    match class {
        Class::Int | Class::Float | Class::Bool => class.tag().map(Elements::for_tag),
        Class::Dynamic => Some(Elements::Ints),
        Class::Object(_) => Some(Elements::Values),
        Class::Null | Class::Record(_) => None,
    }
}
