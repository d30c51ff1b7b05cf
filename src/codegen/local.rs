//! Variables: slots in SSA or memory, cells, captures and globals.

use super::decision::Decision;
use super::func::{Start, Translator, trusted};
use super::record;
use super::signature::{Class, Fields, Sum};
use super::stack::{Entry, Owner};
use super::sum::{self, empty_sum};
use super::words::Room;
use crate::infer::{Point, Tags, Type};
use crate::modules::Table;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{Op, Var, VarKind};
use ruff_runtime::context::GLOBALS_OFFSET;
use ruff_runtime::heap::closure::{CAPTURES_OFFSET, CELL_VALUE_OFFSET};
use ruff_runtime::value::Tag;

/// Where a slot lives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
    /// A variable's value; `second` is the payload of a dynamic one (and else
    /// the same as `first`).  An empty object slot is a null pointer, an empty
    /// dynamic one has the tag `Unset`.
    Value {
        class: Class,
        first: Variable,
        second: Variable,
        counted: bool,
    },
    /// A struct taken apart: its words are variables from the first on.
    Record { fields: Fields, first: Variable },
    /// A variant taken apart: its words are variables from the first on.  An empty
    /// slot's counted parts have the tag `Unset`.
    Sum {
        sum: Sum,
        first: Variable,
        counted: bool,
    },
    /// A pointer to the variable's cell, or null.
    Cell { variable: Variable },
    /// One of the two hidden locals of a loop that the runtime drives.
    Memory { room: Room, part: u32 },
    /// A hidden local that is always an int.
    Number { variable: Variable },
    /// A hidden local of loops whose generators are dissolved.
    Nowhere,
}

impl Home {
    /// Whether something may have to be given back, and one can ask for it.
    pub fn says_when_empty(self) -> bool {
        match self {
            Home::Value { class, .. } => matches!(class, Class::Object(_) | Class::Dynamic),
            Home::Cell { .. } | Home::Memory { .. } => true,
            Home::Sum { counted, .. } => counted,
            Home::Record { .. } | Home::Number { .. } | Home::Nowhere => false,
        }
    }
}

impl Translator<'_, '_, '_> {
    /// Gives every slot a home, and the empty ones their empty value.
    pub fn make_homes(&mut self) {
        self.choose_parts();
        let mut hidden: Vec<Option<Home>> = vec![None; self.function.slots as usize];
        for found in &self.layout.parts.loops {
            hidden[found.slot as usize..][..2].fill(Some(Home::Nowhere));
        }
        for (pc, op) in (0u32..).zip(&self.function.code) {
            match *op {
                Op::IterStart { slot }
                    if self.layout.parts.starting_at(pc).is_none()
                        && !matches!(hidden[slot as usize], Some(Home::Memory { .. })) =>
                {
                    let room = self.room_for_two();
                    for part in 0..2 {
                        hidden[(slot + part) as usize] = Some(Home::Memory { room, part });
                    }
                    self.plan_walk(slot);
                }
                Op::RangeStart { slot, .. } if hidden[slot as usize].is_none() => {
                    for part in 0..3 {
                        let variable = self.declare_word(types::I64);
                        hidden[(slot + part) as usize] = Some(Home::Number { variable });
                    }
                }
                _ => {}
            }
        }
        for (slot, hidden) in hidden.into_iter().enumerate() {
            let home = hidden.unwrap_or_else(|| self.home_of(slot as u32));
            self.record_home(slot as u32, home);
            self.homes.push(home);
        }
        self.make_mirrors();
        self.empty_homes();
        self.make_parts();
    }

    /// Gives a variable's home new words.
    pub fn define(&mut self, slot: u32, words: &[Value]) {
        self.define_home(self.homes[slot as usize], words);
        self.update_mirror(slot, words);
    }

    fn define_home(&mut self, home: Home, words: &[Value]) {
        let variables = match home {
            Home::Value { first, second, .. } => [first, second],
            Home::Cell { variable } | Home::Number { variable } => [variable, variable],
            Home::Record { .. } | Home::Sum { .. } | Home::Memory { .. } | Home::Nowhere => {
                unreachable!("one or two words define a value")
            }
        };
        for (variable, word) in variables.into_iter().zip(words) {
            self.set_word(variable, *word);
        }
    }

    fn home_of(&mut self, slot: u32) -> Home {
        if self.layout.cells.contains(slot) {
            return Home::Cell {
                variable: self.declare_word(types::I64),
            };
        }
        let ty = self.slot_type(slot);
        let class = if self.layout.asked.contains(slot) {
            Class::Dynamic
        } else {
            self.class_of(ty)
        };
        match class {
            Class::Record(fields) => {
                let first = self.declare_words(class);
                return Home::Record { fields, first };
            }
            Class::Sum(sum) => {
                return Home::Sum {
                    sum,
                    first: self.declare_words(class),
                    counted: sum.is_counted && ty.contents().may_be_counted(),
                };
            }
            _ => {}
        }
        let words = class.words();
        let first = self.declare_word(words.first().copied().unwrap_or(types::I64));
        let second = if class == Class::Dynamic {
            self.declare_word(types::I64)
        } else {
            first
        };
        let counted = ty.may_be_counted();
        Home::Value {
            class,
            first,
            second,
            counted,
        }
    }

    /// Declares a variable for each word of a class, one after the other.
    fn declare_words(&mut self, class: Class) -> Variable {
        let words = class.words();
        let mut declared = words.iter().map(|word| self.declare_word(*word));
        let first = declared.next().expect("a class with words");
        declared.for_each(drop);
        first
    }

    /// Counted slots must say that they are empty before something is stored.
    fn empty_homes(&mut self) {
        for slot in 0..self.homes.len() {
            let home = self.homes[slot];
            self.empty_home(home);
            if home.says_when_empty() {
                self.mirror_slot(slot as u32);
                if !self.is_borrowed(slot as u32) {
                    self.ever_held.insert(slot as u32);
                }
            }
        }
    }

    /// Marks a slot as holding nothing, without giving anything back.
    pub fn empty_slot(&mut self, slot: u32) {
        self.drop_view(slot);
        let home = self.homes[slot as usize];
        self.empty_home(home);
        if home.says_when_empty() {
            self.mirror_slot(slot);
        }
        self.empty_parts(slot);
    }

    /// Marks a home as holding nothing.
    pub fn empty_home(&mut self, home: Home) {
        match home {
            Home::Value {
                class: Class::Object(_),
                ..
            }
            | Home::Cell { .. } => {
                let null = self.iconst(0);
                self.define_home(home, &[null]);
            }
            Home::Value {
                class: Class::Dynamic,
                ..
            } => {
                let unset = self.tag_word(Tag::Unset);
                let zero = self.iconst(0);
                self.define_home(home, &[unset, zero]);
            }
            Home::Memory { room, part } => {
                self.mark_unset(room, part);
            }
            Home::Sum { sum, first, .. } => {
                let words = empty_sum(self.builder, sum);
                for (variable, word) in sum::variables(sum, first).zip(words) {
                    self.set_word(variable, word);
                }
            }
            Home::Value { .. } | Home::Record { .. } | Home::Number { .. } | Home::Nowhere => {}
        }
    }

    fn mark_unset(&mut self, room: Room, part: u32) {
        let unset = self.tag_word(Tag::Unset);
        let address = self.address_in(room, 16 * part as i32);
        self.builder.ins().store(trusted(), unset, address, 0);
    }

    /// Puts the arguments into the parameters' slots.
    pub fn receive_params(&mut self, words: &[Value]) {
        let mut rest = words;
        for param in 0..self.function.info.params.len() {
            let ty = self.source.facts.param(self.func, param);
            let class = self.class_of(ty);
            let (mine, after) = rest.split_at(class.words().len());
            rest = after;
            let entry = Entry::owned(ty, class, mine);
            self.define_param(param as u32, entry);
        }
    }

    fn define_param(&mut self, slot: u32, entry: Entry) {
        self.fill_home(self.homes[slot as usize], entry);
        self.mirror_slot(slot);
    }

    /// Puts an owned entry into a home that holds nothing.
    pub fn fill_home(&mut self, home: Home, entry: Entry) {
        match home {
            Home::Value { class, .. } => {
                let words = self.in_class(entry, class);
                self.define_home(home, &words);
            }
            Home::Record { fields, first } => {
                let words = self.in_class(entry, Class::Record(fields));
                self.define_words(fields, first, words);
            }
            Home::Sum { sum, first, .. } => {
                let words = self.in_class(entry, Class::Sum(sum));
                for (variable, word) in sum::variables(sum, first).zip(words) {
                    self.set_word(variable, word);
                }
            }
            // `BoxLocal` comes first for a captured parameter: until then the
            // slot's plain value waits in memory of its own.
            Home::Cell { .. } => {
                let (tag, payload) = self.both_words(entry);
                let cell = self.call_helper(Helper::NewCell, &[tag, payload]);
                self.define_home(home, &cell);
            }
            Home::Memory { .. } | Home::Number { .. } | Home::Nowhere => {
                unreachable!("parameters are variables")
            }
        }
    }

    fn define_words(&mut self, fields: Fields, first: Variable, words: Vec<Value>) {
        for (variable, word) in record::variables(fields, first).zip(words) {
            self.set_word(variable, word);
        }
    }

    /// Gives a slot that is a struct taken apart its new words.
    fn define_record(&mut self, slot: u32, fields: Fields, first: Variable, words: Vec<Value>) {
        self.define_words(fields, first, words);
        self.mirror_slot(slot);
    }

    /// Takes a struct apart that is in memory, if there is one.
    fn take_apart(&mut self, slot: u32, address: Value, offset: i32) {
        let Home::Record { fields, first } = self.homes[slot as usize] else {
            unreachable!("only such homes hold structs taken apart");
        };
        let value = self.load_value(Type::ANY, address, offset, Owner::Entry);
        let (tag, object) = value.pair();
        let there = self.builder.ins().icmp_imm_u(
            cranelift_codegen::ir::condcodes::IntCC::Equal,
            tag,
            Tag::Struct as u64 as i64,
        );
        let (take, done) = (self.builder.create_block(), self.builder.create_block());
        let class = Class::Record(fields);
        let mut old = Vec::new();
        for (variable, word) in record::variables(fields, first).zip(class.words().iter()) {
            self.builder.append_block_param(done, *word);
            old.push(BlockArg::Value(self.word_of(variable)));
        }
        self.builder.ins().brif(there, take, &[], done, &old);
        self.switch_sealed(take);
        let words = record::load_fields(self.builder, fields, object);
        self.release_object(object);
        self.jump_with(done, &words);
        self.switch_sealed(done);
        let words = self.builder.block_params(done).to_vec();
        self.define_record(slot, fields, first, words);
    }

    /// Takes over the slots of an interpreter's frame.
    pub fn receive_slots(&mut self, slots: Value) {
        for slot in 0..self.function.slots {
            let offset = 16 * slot as i32;
            match self.homes[slot as usize] {
                Home::Value {
                    class: Class::Character,
                    ..
                } => self.take_character(slot, slots, offset),
                Home::Value { class, .. } => {
                    let value = self.load_value(Type::ANY, slots, offset, Owner::Entry);
                    let (tag, payload) = value.pair();
                    let words = self.narrowed(class, tag, payload);
                    self.define(slot, &words);
                }
                Home::Record { .. } => self.take_apart(slot, slots, offset),
                Home::Sum { .. } => self.take_variant_apart(slot, slots, offset),
                Home::Cell { .. } | Home::Number { .. } => {
                    let payload = self
                        .builder
                        .ins()
                        .load(types::I64, trusted(), slots, offset + 8);
                    self.define(slot, &[payload]);
                }
                Home::Memory { room, part } => {
                    for word in [0, 8] {
                        let value =
                            self.builder
                                .ins()
                                .load(types::I64, trusted(), slots, offset + word);
                        let address = self.address_in(room, 16 * part as i32 + word);
                        self.builder.ins().store(trusted(), value, address, 0);
                    }
                    if part == 1 {
                        self.resume_walk(slot - 1);
                    }
                }
                Home::Nowhere => unreachable!("a frame that exists keeps its generators"),
            }
        }
    }

    /// Takes a character from memory, if there is one.
    fn take_character(&mut self, slot: u32, address: Value, offset: i32) {
        let Home::Value { first, .. } = self.homes[slot as usize] else {
            unreachable!("only such homes hold characters");
        };
        let value = self.load_value(Type::ANY, address, offset, Owner::Entry);
        let ((tag, string), old) = (value.pair(), self.word_of(first));
        let bytes = self.character_in(tag, string, old);
        self.define(slot, &[bytes]);
    }

    /// Whether a slot is a parameter whose value the caller keeps: it holds that
    /// from beginning to end, and gives nothing back.
    pub fn is_borrowed(&self, slot: u32) -> bool {
        self.start == Start::Call && self.source.borrows(self.func, slot as usize)
    }

    /// Whether a slot holds something here in any case.
    pub fn surely_holds(&self, slot: u32) -> bool {
        self.holding.surely.contains(slot) || self.is_borrowed(slot)
    }

    /// What a slot can hold while it is set.
    pub fn slot_type(&self, slot: u32) -> Type {
        self.source.facts.functions[self.func as usize].slots[slot as usize]
    }

    pub fn load_local(&mut self, slot: u32) {
        let entry = self.read_slot(slot, Owner::Slot(slot)).whole();
        let entry = self.less_what_is_excluded(entry);
        self.push(entry);
    }

    /// A loaded local as what it can be at this instruction, which may be less than
    /// what its slot can hold.
    fn less_what_is_excluded(&mut self, entry: Entry) -> Entry {
        let excluded = self.point().excluded;
        let ty = entry.ty.without(excluded);
        if entry.class != Class::Dynamic || ty == entry.ty || ty.is_none() {
            return entry;
        }
        let class = Class::of(ty);
        let words = self.in_class(entry, class);
        Entry::borrowed(ty, class, &words, entry.owner)
    }

    /// What is known at this instruction.
    pub fn point(&self) -> Point {
        self.source.facts.point(self.func, self.pc)
    }

    /// A slot's value without counting.
    pub fn read_slot(&mut self, slot: u32, owner: Owner) -> Entry {
        if let Home::Record { fields, first } = self.homes[slot as usize] {
            return self.read_words(slot, fields, first);
        }
        if let Home::Sum { .. } = self.homes[slot as usize] {
            return self.read_sum(slot, owner);
        }
        let Home::Value {
            class,
            first,
            second,
            ..
        } = self.homes[slot as usize]
        else {
            unreachable!("the verifier keeps plain values and cells apart");
        };
        // While it is loaded it is set, whatever the class allows for.
        let ty = self.slot_type(slot).without(Tags::UNSET);
        let words: Vec<Value> = [first, second]
            .into_iter()
            .take(class.words().len())
            .map(|variable| self.word_of(variable))
            .collect();
        let entry = Entry::borrowed(ty, class, &words, owner);
        let narrow = Class::of(ty);
        if class == Class::Dynamic && narrow != Class::Dynamic {
            let words = self.in_class(entry, narrow);
            return Entry::borrowed(ty, narrow, &words, owner);
        }
        entry
    }

    fn read_words(&mut self, slot: u32, fields: Fields, first: Variable) -> Entry {
        let ty = self.slot_type(slot).without(Tags::UNSET);
        let words: Vec<Value> = record::variables(fields, first)
            .map(|variable| self.word_of(variable))
            .collect();
        Entry::owned(ty, Class::Record(fields), &words)
    }

    pub fn move_local(&mut self, slot: u32) {
        if self.is_borrowed(slot) {
            return self.load_local(slot);
        }
        self.own_borrows_from_slot(slot);
        let entry = self.read_slot(slot, Owner::Entry);
        self.empty_slot(slot);
        let entry = self.less_what_is_excluded(entry);
        self.push(entry);
    }

    pub fn store_local(&mut self, slot: u32) {
        if let Home::Record { fields, first } = self.homes[slot as usize] {
            let entry = self.pop();
            let words = self.in_class(entry, Class::Record(fields));
            self.define_record(slot, fields, first, words);
            return;
        }
        let entry = match self.homes[slot as usize] {
            Home::Value {
                class: class @ Class::Character,
                ..
            } => {
                let entry = self.pop();
                let words = self.in_class(entry, class);
                Entry::owned(entry.ty, class, &words)
            }
            Home::Sum { sum, .. } => {
                let (entry, class) = (self.pop(), Class::Sum(sum));
                let words = self.owned_in_class(entry, class);
                Entry::owned(entry.ty, class, &words)
            }
            _ => self.pop_owned(),
        };
        self.own_borrows_from_slot(slot);
        self.replace_slot(slot, entry);
    }

    /// Stores an owned entry; the old value is given back after that, since
    /// nothing must see a slot that holds what is gone.
    pub fn replace_slot(&mut self, slot: u32, entry: Entry) {
        if let Home::Record { fields, first } = self.homes[slot as usize] {
            let words = self.in_class(entry, Class::Record(fields));
            self.define_record(slot, fields, first, words);
            return;
        }
        if let Home::Sum { sum, counted, .. } = self.homes[slot as usize] {
            let holds = counted && self.holding.maybe.contains(slot);
            let old = holds.then(|| self.read_sum(slot, Owner::Entry));
            let words = self.in_class(entry, Class::Sum(sum));
            self.define_sum(slot, &words);
            if let Some(old) = old {
                self.release_entry(old);
            }
            return;
        }
        let Home::Value {
            class,
            first,
            second,
            counted,
        } = self.homes[slot as usize]
        else {
            unreachable!("the verifier keeps plain values and cells apart");
        };
        let old: Option<Entry> = (counted && self.holding.maybe.contains(slot)).then(|| {
            let words: Vec<Value> = [first, second]
                .into_iter()
                .take(class.words().len())
                .map(|variable| self.word_of(variable))
                .collect();
            Entry::owned(Type::ANY, class, &words)
        });
        let words = self.in_class(entry, class);
        self.define(slot, &words);
        self.renew_view(slot);
        if let Some(old) = old {
            match old.class {
                Class::Object(_) if !self.holding.surely.contains(slot) => {
                    self.release_if_there(old.word())
                }
                _ => self.release_entry(old),
            }
        }
    }

    pub fn clear_local(&mut self, slot: u32) {
        self.own_borrows_from_slot(slot);
        if self.holding.maybe.contains(slot) {
            let surely = self.holding.surely.contains(slot);
            self.release_slot_alone(slot, surely);
        }
        self.empty_slot(slot);
    }

    /// As `release_slot`; a hidden pair is given back one by one.
    fn release_slot_alone(&mut self, slot: u32, surely: bool) {
        if let Home::Memory { room, part } = self.homes[slot as usize] {
            let address = self.address_in(room, 16 * part as i32);
            let one = self.iconst(1);
            self.call_helper(Helper::ReleaseValues, &[address, one]);
            self.release_parts(slot);
            return;
        }
        self.release_slot(slot, surely);
    }

    // ---- cells and captures

    pub fn new_cell(&mut self, slot: u32) {
        self.clear_local(slot);
        let unset = self.tag_word(Tag::Unset);
        let zero = self.iconst(0);
        self.put_cell(slot, unset, zero);
    }

    fn put_cell(&mut self, slot: u32, tag: Value, payload: Value) {
        let cell = self.call_helper(Helper::NewCell, &[tag, payload]);
        self.define(slot, &cell);
    }

    /// The cell in a slot.
    pub fn cell(&mut self, slot: u32) -> Value {
        let Home::Cell { variable } = self.homes[slot as usize] else {
            unreachable!("the verifier keeps plain values and cells apart");
        };
        self.word_of(variable)
    }

    /// Where the captured values of this function start.
    fn captured(&mut self, index: u32) -> (Value, i32) {
        let callee = self
            .callee
            .expect("a function with captures gets its object");
        (callee, CAPTURES_OFFSET as i32 + 16 * index as i32)
    }

    fn captured_cell(&mut self, index: u32) -> Value {
        let (callee, offset) = self.captured(index);
        self.builder
            .ins()
            .load(types::I64, trusted(), callee, offset + 8)
    }

    pub fn capture_type(&self, index: u32) -> Type {
        self.source.facts.functions[self.func as usize].captures[index as usize]
            .without(Tags::UNSET)
    }

    pub fn load_capture(&mut self, index: u32) {
        let (callee, offset) = self.captured(index);
        let ty = self.capture_type(index);
        let entry = self.load_value(ty, callee, offset, Owner::Function);
        self.push(entry);
    }

    /// The address of a variable that lives in memory, and its type.
    pub fn shared_place(&mut self, var: Var) -> (Value, Type) {
        match var.kind() {
            VarKind::Global => {
                let globals = self.load_context_constant(GLOBALS_OFFSET);
                let (row, offset) = self.row(globals, Table::Globals, var.number(), (16, 0));
                let place = self.builder.ins().iadd_imm_s(row, i64::from(offset));
                (
                    place,
                    self.source.facts.globals[var.number() as usize].without(Tags::UNSET),
                )
            }
            VarKind::Cell => {
                let cell = self.cell(var.number());
                let place = self
                    .builder
                    .ins()
                    .iadd_imm_s(cell, CELL_VALUE_OFFSET as i64);
                (place, self.slot_type(var.number()).without(Tags::UNSET))
            }
            VarKind::Capture => {
                let cell = self.captured_cell(var.number());
                let place = self
                    .builder
                    .ins()
                    .iadd_imm_s(cell, CELL_VALUE_OFFSET as i64);
                (place, self.capture_type(var.number()))
            }
            VarKind::Local => unreachable!("locals are not in memory"),
        }
    }

    pub fn load_shared(&mut self, var: Var) {
        self.record(Decision::InMemory);
        let (place, ty) = self.shared_place(var);
        let entry = self.load_value(ty, place, 0, Owner::Shared);
        self.push(entry);
    }

    pub fn store_shared(&mut self, var: Var) {
        self.record(Decision::InMemory);
        let entry = self.pop_owned();
        self.own_borrows_from_shared();
        let (place, ty) = self.shared_place(var);
        let counted = ty.may_be_counted();
        let old = counted.then(|| self.load_value(Type::ANY, place, 0, Owner::Entry));
        self.store_value(entry, place, 0);
        if let Some(old) = old {
            self.release_entry(old);
        }
    }

    /// Whether a variable is unset, as a condition.
    pub fn is_unset(&mut self, var: Var) -> Value {
        let tag = match var.kind() {
            VarKind::Local => {
                let Home::Value { first, .. } = self.homes[var.number() as usize] else {
                    unreachable!("the verifier keeps plain values and cells apart");
                };
                self.word_of(first)
            }
            _ => {
                let (place, _) = self.shared_place(var);
                self.builder.ins().load(types::I64, trusted(), place, 0)
            }
        };
        self.builder.ins().icmp_imm_u(
            cranelift_codegen::ir::condcodes::IntCC::Equal,
            tag,
            Tag::Unset as u64 as i64,
        )
    }

    /// Makes a variable's place addressable for a helper that changes it: the
    /// address, and for a local what must be read back afterwards.
    pub fn place_for_helper(&mut self, var: Var, which: usize) -> Value {
        match var.kind() {
            VarKind::Local => {
                self.own_borrows_from_slot(var.number());
                let entry = self.whole_slot(var.number());
                let place = self.place_slot(which);
                self.store_value(entry, place, 0);
                place
            }
            _ => {
                self.own_borrows_from_shared();
                self.shared_place(var).0
            }
        }
    }

    /// Takes a local back from memory after a helper changed it.
    pub fn reload_place(&mut self, var: Var, which: usize) {
        if var.kind() != VarKind::Local {
            return;
        }
        if let Home::Record { .. } = self.homes[var.number() as usize] {
            let place = self.place_slot(which);
            self.take_apart(var.number(), place, 0);
            return;
        }
        if let Home::Sum { .. } = self.homes[var.number() as usize] {
            let place = self.place_slot(which);
            self.take_variant_apart(var.number(), place, 0);
            return;
        }
        let Home::Value { class, .. } = self.homes[var.number() as usize] else {
            unreachable!("the verifier keeps plain values and cells apart");
        };
        let place = self.place_slot(which);
        if let Class::Character = class {
            return self.take_character(var.number(), place, 0);
        }
        let entry = self.load_value(Type::ANY, place, 0, Owner::Entry);
        let (tag, payload) = entry.pair();
        let words = self.narrowed(class, tag, payload);
        self.define(var.number(), &words);
        self.renew_view(var.number());
    }

    /// Gives back what was made for a helper that only looked at a variable.
    pub fn forget_place(&mut self, var: Var, which: usize) {
        if var.kind() == VarKind::Local
            && let Home::Record { .. }
            | Home::Sum { .. }
            | Home::Value {
                class: Class::Character,
                ..
            } = self.homes[var.number() as usize]
        {
            self.reload_place(var, which);
        }
    }

    /// A slot in its home's own class.
    fn whole_slot(&mut self, slot: u32) -> Entry {
        if let Home::Record { fields, first } = self.homes[slot as usize] {
            return self.read_words(slot, fields, first);
        }
        if let Home::Sum { .. } = self.homes[slot as usize] {
            // The object takes over what the slot holds, until that is read back.
            return self.read_sum(slot, Owner::Entry);
        }
        let Home::Value {
            class,
            first,
            second,
            ..
        } = self.homes[slot as usize]
        else {
            unreachable!("the verifier keeps plain values and cells apart");
        };
        let words: Vec<Value> = [first, second]
            .into_iter()
            .take(class.words().len())
            .map(|variable| self.word_of(variable))
            .collect();
        Entry::borrowed(self.slot_type(slot), class, &words, Owner::Slot(slot))
    }
}
