//! The dispatch over instructions, and control flow.

use super::compare::Comparison;
use super::decision::Decision;
use super::dissolve::{TO_NEXT, TO_START};
use super::func::{Start, Translator, trusted};
use super::signature::{self, Class, Fields, Sum};
use super::stack::{Entry, Owner};
use super::{Source, Unsupported};
use crate::infer::{Tags, Type, VariantFacts};
use crate::modules::Table;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, TrapCode, Value, types};
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Constant, Op, Operator, Var, VarKind};
use ruff_runtime::context::{
    BUILTINS_OFFSET, CONSTANTS_OFFSET, FUNCTIONS_OFFSET, SELF_RESULT_OFFSET,
};
use ruff_runtime::heap::VariantKind;
use ruff_runtime::heap::variant::{KIND_OFFSET, PAYLOAD_OFFSET};
use ruff_runtime::value::Tag;

/// The bits that `Ok` and `Some` have not, of all kinds of variants.
const NO_UNWRAPPED: i64 = {
    let (err, tagged) = (VariantKind::Err as i64, VariantKind::Tagged as i64);
    let (ok, some, none) = (
        VariantKind::Ok as i64,
        VariantKind::Some as i64,
        VariantKind::None as i64,
    );
    let bits = (err | tagged | none) & !(ok | some);
    assert!(err & bits != 0 && tagged & bits != 0 && none & bits != 0);
    bits
};

impl Translator<'_, '_, '_> {
    /// Translates one instruction.
    pub fn op(&mut self, op: Op) -> Result<(), Unsupported> {
        if Self::looks_at_objects(op) {
            self.make_objects(op.effect(self.source.program).pops as usize);
        }
        if !Self::takes_sums(op) {
            self.make_variants_whole(op.effect(self.source.program).pops as usize);
        }
        if matches!(op, Op::Add {}) && self.append_first_part() {
            self.record(Decision::Text);
            return Ok(());
        }
        if !Self::takes_characters(op) {
            self.make_characters_whole(op.effect(self.source.program).pops as usize);
        }
        match op {
            Op::Null {} => self.push(Entry::null()),
            Op::True {} => self.push_bool(true),
            Op::False {} => self.push_bool(false),
            Op::Int { value } => self.push_int(i64::from(value)),
            Op::Constant { index } => self.constant(index),
            Op::Function { func } => self.function_value(func),
            Op::Builtin { builtin } => self.builtin_value(builtin),
            Op::Callee {} => self.own_function(),
            Op::Pop {} => self.drop_top(),
            Op::Dup {} => self.duplicate(),
            Op::LoadLocal { slot } => self.load_local(slot),
            Op::MoveLocal { slot } => self.move_local(slot),
            Op::StoreLocal { slot } => self.store_local(slot),
            Op::ClearLocal { slot } => self.clear_local(slot),
            Op::NewCell { slot } => self.new_cell(slot),
            // A captured parameter went into its cell on entry.
            Op::BoxLocal { .. } => {}
            Op::LoadCell { slot } => self.load_shared(Var::new(VarKind::Cell, slot)),
            Op::StoreCell { slot } => self.store_shared(Var::new(VarKind::Cell, slot)),
            Op::LoadCapture { index } => self.load_capture(index),
            Op::LoadCaptureCell { index } => self.load_shared(Var::new(VarKind::Capture, index)),
            Op::StoreCaptureCell { index } => self.store_shared(Var::new(VarKind::Capture, index)),
            Op::LoadGlobal { global } => match self.source.facts.constant(global) {
                Some(push) => return self.op(push),
                None => self.load_shared(Var::new(VarKind::Global, global)),
            },
            Op::StoreGlobal { global } => self.store_shared(Var::new(VarKind::Global, global)),
            Op::JumpIfUnset { var, to } => self.jump_if_unset(var, to),
            Op::Add {} => self.binary(Operator::Add),
            Op::Subtract {} => self.binary(Operator::Subtract),
            Op::Multiply {} => self.binary(Operator::Multiply),
            Op::Divide {} => self.binary(Operator::Divide),
            Op::Remainder {} => self.binary(Operator::Remainder),
            Op::Equal {} => self.compare(Comparison::Equal),
            Op::NotEqual {} => self.compare(Comparison::NotEqual),
            Op::Less {} => self.compare(Comparison::Less),
            Op::LessEqual {} => self.compare(Comparison::LessEqual),
            Op::Greater {} => self.compare(Comparison::Greater),
            Op::GreaterEqual {} => self.compare(Comparison::GreaterEqual),
            Op::Negate {} => self.negate(),
            Op::Not {} => self.not(),
            Op::Truthy {} => self.truthy(false),
            Op::Falsy {} => self.truthy(true),
            Op::SameValue {} => self.same_value(),
            Op::Update { var, operator } => self.update(var, operator),
            Op::UpdateFrom { var, operator } => self.update_from(var, operator),
            Op::Jump { to } => self.jump_back(to),
            Op::JumpIfFalse { to } => self.jump_if(to, false),
            Op::JumpIfTrue { to } => self.jump_if(to, true),
            Op::JumpIfNotNull { to } => self.jump_if_not_null(to),
            Op::JumpIfNull { to } => self.jump_if_null(to),
            Op::JumpIfUnwrapped { to } => self.jump_if_unwrapped(to),
            Op::LoopHead { .. } => {}
            Op::Return {} => self.return_top(),
            Op::StoreSelfResult {} => self.store_self_result(),
            Op::Call { argc } => self.call_value(argc),
            Op::CallFunction { func, argc } => {
                if self.dissolved_loop(0).is_none() {
                    self.call_function(func, argc);
                }
            }
            Op::CallBuiltin { builtin, argc } => self.call_builtin(builtin, argc),
            Op::CallWith { site } => self.call_with(site),
            Op::CallMethod { site } => self.call_method(site),
            Op::Mutate { site } => self.mutate(site),
            Op::MakeArray { count } => self.make_array(count),
            Op::ArrayPush {} => self.extend_by(Helper::ArrayPush),
            Op::ArrayExtend {} => self.extend_by(Helper::ArrayExtend),
            Op::MakeDict { count } => self.make_dict(count),
            Op::DictInsert {} => self.dict_insert(),
            Op::DictExtend {} => self.extend_by(Helper::DictExtend),
            Op::MakeStruct { site } => self.make_struct(site),
            Op::MakeVariant { site, count } => self.make_variant(site, count),
            Op::CallForeign { site } => self.call_foreign(site),
            Op::MakeClosure { func } => self.make_closure(func),
            Op::MakeStructDef { declaration } => self.make_struct_def(declaration),
            Op::MakeEnumDef { name } => self.make_enum_def(name),
            Op::Interpolate { count } => self.interpolate(count),
            Op::Index {} => self.index(),
            Op::Field { name } => self.field(name),
            Op::OptionalField { name } => self.optional_field(name),
            Op::FieldOrUnset { name } => self.field_or_unset(name),
            Op::StorePath { path } => self.store_path(path, true),
            Op::ReadPath { path } => self.read_path(path),
            Op::StorePathUnder { path } => self.store_path(path, false),
            Op::UpdatePath { path, operator } => self.update_path(path, operator),
            Op::ElementOrNull { index } => self.element_or_null(index),
            Op::ArrayRest { from } => self.array_rest(from),
            Op::FieldOrNull { name } => self.field_or_null(name),
            Op::DictRest { list } => self.dict_rest(list),
            Op::TestArray { len } => self.test_array(len, IntCC::Equal),
            Op::TestArrayMin { len } => self.test_array(len, IntCC::UnsignedGreaterThanOrEqual),
            Op::TestVariant { site } => self.test_variant(site),
            Op::TestName { name } => self.test(Helper::TestName, Table::Names, name),
            Op::TestField { name } => self.test(Helper::TestField, Table::Names, name),
            Op::VariantPayload { index, .. } => self.variant_payload(index),
            Op::IterStart { slot } => match self.dissolved_loop(TO_START) {
                Some(index) => self.start_dissolved(index),
                None => self.iter_start(slot),
            },
            Op::IterNext { slot, to } => match self.dissolved_loop(TO_NEXT) {
                Some(index) => self.next_dissolved(index, to)?,
                None => self.iter_next(slot, to),
            },
            Op::RangeStart { slot, argc } => self.range_start(slot, argc),
            Op::RangeNext { slot, to } => self.range_next(slot, to),
            Op::Throw {} => self.throw(),
            Op::Raise { message } => self.raise(message),
            Op::Catch {} => self.catch(),
            Op::Await {} => self.await_top(),
            Op::Spawn {} => self.spawn(),
            Op::Yield {} => match self.consumer {
                Some(_) => self.yield_to_loop(),
                None => self.yield_top(),
            },
            Op::Import { module } => self.import(module),
        }
        Ok(())
    }

    // ---- constants and the operand stack

    pub fn push_bool(&mut self, value: bool) {
        let word = self.builder.ins().iconst(types::I8, i64::from(value));
        self.push(Entry::bool(word));
    }

    pub fn push_int(&mut self, value: i64) {
        let word = self.iconst(value);
        self.push(Entry::int(word));
    }

    fn constant(&mut self, index: u32) {
        match &self.source.program.constants[index as usize] {
            Constant::Int(value) => self.push_int(*value),
            Constant::Float(value) => {
                let word = self.builder.ins().f64const(*value);
                self.push(Entry::float(word));
            }
            Constant::Str(text) => {
                let table = self.load_context_constant(CONSTANTS_OFFSET);
                let object = self.table_payload(table, Table::Constants, index);
                self.tools.literals.insert(object, index);
                let ty = match text.chars().count() {
                    1 => Type::of(Tags::CHARACTER),
                    _ => Type::of(Tags::STRING),
                };
                self.push(Entry::borrowed(
                    ty,
                    Class::Object(Tag::String),
                    &[object],
                    Owner::Program,
                ));
            }
        }
    }

    /// The payload of a value in a table that never changes.
    fn table_payload(&mut self, rows: Value, table: Table, index: u32) -> Value {
        let (row, offset) = self.row(rows, table, index, (16, 8));
        let flags = super::func::trusted().with_readonly().with_can_move();
        self.builder.ins().load(types::I64, flags, row, offset)
    }

    fn function_value(&mut self, func: u32) {
        let table = self.load_context_constant(FUNCTIONS_OFFSET);
        let object = self.table_payload(table, Table::Functions, func);
        let ty = Type::function(func);
        self.push(Entry::borrowed(
            ty,
            Class::Object(Tag::Function),
            &[object],
            Owner::Program,
        ));
    }

    fn builtin_value(&mut self, builtin: u32) {
        let table = self.load_context_constant(BUILTINS_OFFSET);
        let (row, offset) = self.row(table, Table::Builtins, builtin, (8, 0));
        let flags = super::func::trusted().with_readonly().with_can_move();
        let row = self.builder.ins().load(types::I64, flags, row, offset);
        let tag = self.tag_word(Tag::Builtin);
        self.push(Entry::owned(
            Type::of(Tags::BUILTIN),
            Class::Dynamic,
            &[tag, row],
        ));
    }

    fn own_function(&mut self) {
        let callee = self
            .callee
            .expect("a function that names itself gets its object");
        let ty = Type::function(self.func);
        self.push(Entry::borrowed(
            ty,
            Class::Object(Tag::Function),
            &[callee],
            Owner::Function,
        ));
    }

    fn drop_top(&mut self) {
        let entry = self.pop();
        self.release_entry(entry);
    }

    fn duplicate(&mut self) {
        // The copy needs a count of its own if the top has one.
        let top = self.pop();
        if top.is_counted() {
            self.retain_entry(top);
        }
        self.push(top);
        self.push(top);
    }

    // ---- jumps

    fn jump_if_unset(&mut self, var: Var, to: u32) {
        let unset = self.is_unset(var);
        self.branch(unset, to);
    }

    /// Jumps to a leader if the condition holds; goes on otherwise.
    pub fn branch(&mut self, condition: Value, to: u32) {
        let args = self.block_args(to);
        let target = self.block_at(to);
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, target, &args, next, &[]);
        self.switch_sealed(next);
    }

    fn jump_if(&mut self, to: u32, when: bool) {
        let operand = self.pop();
        let facts = self.source.facts;
        let slots = &facts.functions[self.func as usize].slots;
        if facts.variants.is_exhausted(self.func, self.pc, slots) {
            return;
        }
        let truth = self.truthiness(operand);
        self.release_entry(operand);
        let args = self.block_args(to);
        let target = self.block_at(to);
        let next = self.builder.create_block();
        if when {
            self.builder.ins().brif(truth, target, &args, next, &[]);
        } else {
            self.builder.ins().brif(truth, next, &[], target, &args);
        }
        self.switch_sealed(next);
    }

    fn is_null(&mut self, entry: Entry) -> Value {
        match entry.class {
            Class::Null => self.builder.ins().iconst(types::I8, 1),
            Class::Dynamic => {
                self.builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, entry.pair().0, Tag::Null as u64 as i64)
            }
            _ => self.builder.ins().iconst(types::I8, 0),
        }
    }

    fn jump_if_not_null(&mut self, to: u32) {
        let entry = self.pop_owned();
        self.push(entry);
        let null = self.is_null(entry);
        let (there, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(null, next, &[], there, &[]);
        // Only what is not null can be taken apart for the target.
        self.switch_sealed(there);
        let before = self.stack.clone();
        self.jump_to(to);
        self.switch_sealed(next);
        self.stack = before;
        // It is null here: nothing to give back.
        self.pop();
    }

    fn jump_if_null(&mut self, to: u32) {
        let entry = self.pop_owned();
        self.push(entry);
        if entry.class.is_apart() {
            // Never null; an object that is made for the jump would be lost.
            return;
        }
        let null = self.is_null(entry);
        self.branch(null, to);
        let entry = self.pop();
        let ty = entry.ty.without(Tags::NULL);
        let class = Class::of(ty);
        let words = self.in_class(entry, class);
        self.push(Entry::owned(ty, class, &words));
    }

    /// `Ok`/`Some`: the payload goes along to the target; `Err`/`None` stay.
    fn jump_if_unwrapped(&mut self, to: u32) {
        if let Class::Sum(sum) = self.stack[self.stack.len() - 1].class {
            if VariantFacts::is_built_in(sum.number()) {
                return self.unwrap_sum(sum, to);
            }
            self.make_variants_whole(1);
        }
        let entry = self.pop_owned();
        self.push(entry);
        let before = self.stack.clone();
        let (slow, next) = (self.cold_block(), self.builder.create_block());
        let (unwrapped, rest) = (self.builder.create_block(), self.builder.create_block());
        let object = self.expect_tag(entry, Tag::Variant, slow);
        let kind = self
            .builder
            .ins()
            .uload8(types::I32, trusted(), object, KIND_OFFSET as i32);
        let other = self.builder.ins().band_imm_u(kind, NO_UNWRAPPED);
        self.builder.ins().brif(other, rest, &[], unwrapped, &[]);
        self.switch_sealed(unwrapped);
        let ty = self.source.facts.variants.unwrapped(entry.ty.contents());
        let payload = self.load_value(ty, object, PAYLOAD_OFFSET as i32, Owner::Shared);
        let payload = self.own(payload);
        self.pop();
        self.push(payload);
        self.release_entry(entry);
        self.jump_to(to);
        self.switch_sealed(rest);
        self.stack = before;
        let tagged = VariantKind::Tagged as u8 as i64;
        let tagged = self.builder.ins().icmp_imm_u(IntCC::Equal, kind, tagged);
        self.builder.ins().brif(tagged, slow, &[], next, &[]);
        // Anything else is an error.
        self.switch_sealed(slow);
        let (tag, payload) = self.both_words(entry);
        self.call_raising(Helper::Unwrapped, &[self.ctx, tag, payload]);
        self.builder.ins().jump(next, &[]);
        self.switch_sealed(next);
        self.pop();
        let variant = entry.ty.without(Tags(!Tags::VARIANT.0));
        let ty = self.source.facts.variants.returned(variant);
        let class = Class::Object(Tag::Variant);
        let words = self.in_class(entry, class);
        self.push(Entry::owned(ty, class, &words));
    }

    /// The same for one of the built-in variants that is taken apart.
    fn unwrap_sum(&mut self, sum: Sum, to: u32) {
        let entry = self.pop_owned();
        let (unwrapped, rest) = (self.builder.create_block(), self.builder.create_block());
        let kind = entry.all_words()[0];
        let other = self.builder.ins().band_imm_u(kind, NO_UNWRAPPED);
        self.builder.ins().brif(other, rest, &[], unwrapped, &[]);
        self.switch_sealed(unwrapped);
        let before = self.stack.clone();
        let ty = self.source.facts.variants.unwrapped(entry.ty.contents());
        let payload = self.part_of_sum(sum, entry, 0, ty);
        self.push(payload);
        self.jump_to(to);
        self.switch_sealed(rest);
        self.stack = before;
        let ty = self.source.facts.variants.returned(entry.ty);
        self.push(Entry::owned(ty, entry.class, &entry.all_words()));
    }

    /// Ends a block that control never reaches.
    pub fn never(&mut self) {
        self.builder.ins().trap(TrapCode::unwrap_user(1));
    }

    // ---- leaving

    fn return_top(&mut self) {
        let entry = self.pop();
        let entry = if self.start == Start::Call {
            let class = signature::result_class(self.source.facts, self.func);
            let words = self.owned_in_class(entry, class);
            Entry::owned(entry.ty, class, &words)
        } else {
            self.own(entry)
        };
        // A `?` in the middle of an expression leaves its other operands behind.
        for rest in std::mem::take(&mut self.stack) {
            self.release_entry(rest);
        }
        let holding = self.holding.clone();
        self.release_slots(&holding);
        self.return_entry(entry);
    }

    fn return_entry(&mut self, entry: Entry) {
        if let Some(consumer) = &self.consumer {
            let done = consumer.done;
            self.release_entry(entry);
            self.leave_dissolved(done);
            return;
        }
        if self.start == Start::Resume {
            self.return_from_generator(entry);
            return;
        }
        if self.start != Start::Call {
            let (tag, payload) = self.both_words(entry);
            self.builder.ins().return_(&[tag, payload]);
            return;
        }
        let class = signature::result_class(self.source.facts, self.func);
        let words = self.in_class(entry, class);
        let mut results = match class {
            Class::Dynamic => words,
            Class::Bool => {
                let word = self.builder.ins().uextend(types::I64, words[0]);
                vec![self.iconst(0), word]
            }
            _ => {
                let mut results = vec![self.iconst(0)];
                results.extend(words);
                results
            }
        };
        if let Some(fields) = self.returned_self() {
            for variable in self.self_variables(fields) {
                results.push(self.word_of(variable));
            }
        }
        self.builder.ins().return_(&results);
    }

    /// The fields of the `self` that is returned with the result.
    fn returned_self(&self) -> Option<Fields> {
        let Source { program, facts, .. } = self.source;
        signature::self_fields(program, facts, self.func).filter(|_| self.start == Start::Call)
    }

    fn store_self_result(&mut self) {
        if let Some(fields) = self.returned_self() {
            let entry = self.pop();
            let words = self.in_class(entry, Class::Record(fields));
            self.set_self(fields, words);
            return;
        }
        let entry = self.pop_owned();
        let ctx = self.ctx;
        let old = self.load_value(Type::ANY, ctx, SELF_RESULT_OFFSET as i32, Owner::Entry);
        self.store_value(entry, ctx, SELF_RESULT_OFFSET as i32);
        self.release_entry(old);
    }

    // ---- errors

    fn throw(&mut self) {
        let entry = self.pop_owned();
        let (tag, payload) = self.both_words(entry);
        self.call_raising(Helper::Throw, &[self.ctx, tag, payload]);
    }

    fn raise(&mut self, message: u32) {
        let message = self.number(Table::Constants, message);
        self.call_raising(Helper::Raise, &[self.ctx, message]);
    }

    fn catch(&mut self) {
        let words = self.call_raising(Helper::Catch, &[self.ctx]);
        self.push_words(Type::of(Tags::STRUCT), &words);
    }

    fn await_top(&mut self) {
        self.own_borrows_from_shared();
        let entry = self.pop_owned();
        let (tag, payload) = self.both_words(entry);
        let words = self.call_raising(Helper::Await, &[self.ctx, tag, payload]);
        self.push_words(Type::ANY, &words);
    }

    fn import(&mut self, module: u32) {
        self.own_borrows_from_shared();
        let module = self.number(Table::Modules, module);
        self.call_raising(Helper::Import, &[self.ctx, module]);
    }

    fn spawn(&mut self) {
        let entry = self.pop_owned();
        let (tag, payload) = self.both_words(entry);
        self.call_raising(Helper::Spawn, &[self.ctx, tag, payload]);
    }
}
