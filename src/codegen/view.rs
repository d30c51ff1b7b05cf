//! Views: where the elements of an array are, looked up once before a loop.
//!
//! Arrays are values: one that a local variable holds can only change through
//! that variable.  A loop that neither replaces nor resizes it finds its
//! elements in the same place all the time.  Such an array's *view* is the
//! address of its elements and its length, in two variables of their own.  It
//! is set on the way into the loop, and again whenever something slow may have
//! moved the array.  Its length is zero if the elements are not of the kind that
//! is expected, so one comparison checks kind and bounds; what it refuses, the
//! helpers do.
//!
//! Where elements are stored, the array must be nobody else's.  In a loop that
//! only indexes it, it stays so; there a second length, which is zero if the
//! array has other owners, makes the same comparison check that as well.

use super::decision::Decision;
use super::flat::Form;
use super::func::{Start, Translator};
use super::layout::{Layout, SlotSet};
use super::local::Home;
use super::row_view::{Row, Rows, is_read_through, is_row, row_changed, row_read};
use super::signature::Class;
use super::stack::Entry;
use super::text_view::TextView;
use crate::infer::{FunctionFacts, Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::bytecode::forms::forms;
use ruff_runtime::bytecode::{
    Capture, Function, MethodSite, Op, Path, Program, Step, Var, VarKind,
};
use ruff_runtime::heap::Elements;
use ruff_runtime::value::Tag;
use rustc_hash::FxHashMap;

/// How far an operand's user is looked for.
const MOST_STEPS: usize = 200;
/// Loops within loops whose bodies are looked through.
const MOST_NESTED: usize = 16;
/// Rows that are viewed in one loop.
const MOST_ROWS: usize = 4;

/// A loop, and the slots that are viewed in it but not around it.
pub(super) struct Region {
    head: u32,
    /// The last jump back.
    end: u32,
    slots: Vec<u32>,
    /// Those of them that the loop only indexes, and stores into.
    kept: Vec<u32>,
    /// The rows that are viewed, and whether the loop also stores into them and
    /// lets nobody else have them.
    rows: Vec<(Row, bool)>,
}

/// A view's variables.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub slot: u32,
    pub data: Variable,
    /// The array's length, or 0 if its elements are of another kind.
    pub len: Variable,
    /// The length for stores: 0 as well if the array has other owners.  Only up
    /// to date while the view is `kept`.
    pub stored: Variable,
    pub elements: Form,
}

/// A view of an array that is to be changed in place.
#[derive(Clone, Copy)]
pub(super) struct StoreView {
    pub view: View,
    /// Whether finding an element there means that nobody else has the array.
    pub is_unique: bool,
}

/// The views of a function.
#[derive(Default)]
pub(super) struct Views {
    /// In the order of their heads.
    regions: Vec<Region>,
    /// Those of arrays and those of strings, by slot.
    views: FxHashMap<u32, View>,
    texts: FxHashMap<u32, TextView>,
    pub rows: Rows,
    /// Ends of the regions around the present instruction, by slot.
    active: FxHashMap<u32, u32>,
    /// The slots that are kept in a region around the present instruction.
    kept: FxHashMap<u32, u32>,
    next: usize,
}

impl Views {
    /// Whether any region keeps the slot.
    fn stores_into(&self, slot: u32) -> bool {
        self.regions
            .iter()
            .any(|region| region.kept.contains(&slot))
    }
}

impl Translator<'_, '_, '_> {
    /// Decides what is viewed where, and makes the variables, which start empty.
    pub fn plan_views(&mut self) {
        let facts = &self.source.facts.functions[self.func as usize];
        let is_borrowed = |slot| self.is_borrowed(slot);
        let program = self.source.program;
        let regions = plan(program, self.function, facts, &self.layout, &is_borrowed);
        for slot in regions.iter().flat_map(|region| &region.slots) {
            if self.views.views.contains_key(slot) || self.views.texts.contains_key(slot) {
                continue;
            }
            let Some(elements) = self.viewed_form(facts.slots[*slot as usize]) else {
                let view = self.new_text_view(*slot);
                self.views.texts.insert(*slot, view);
                continue;
            };
            let view = View {
                slot: *slot,
                data: self.declare_word(types::I64),
                len: self.declare_word(types::I64),
                stored: self.declare_word(types::I64),
                elements,
            };
            self.views.views.insert(*slot, view);
            self.clear_view(view);
        }
        for region in &regions {
            for slot in &region.slots {
                self.record_at(region.head, Decision::Hoisted { slot: *slot });
            }
            for (row, _) in &region.rows {
                self.declare_row(*row, facts);
            }
        }
        self.views.regions = regions;
    }

    /// Takes account of reaching the instruction `pc`, in order.
    pub fn step_views(&mut self, pc: u32) {
        let views = &mut self.views;
        views.active.retain(|_, end| *end >= pc);
        views.kept.retain(|_, end| *end >= pc);
        views.rows.step(pc);
        while let Some(region) = views.regions.get(views.next)
            && region.head <= pc
        {
            if region.end >= pc {
                let slots = region.slots.iter();
                views.active.extend(slots.map(|slot| (*slot, region.end)));
                let kept = region.kept.iter();
                views.kept.extend(kept.map(|slot| (*slot, region.end)));
                views.rows.activate(&region.rows, region.end);
            }
            views.next += 1;
        }
    }

    /// Sets the views of the loop that a jump to `to` enters.
    pub fn enter_views(&mut self, to: u32) {
        let regions = &self.views.regions;
        if let Ok(index) = regions.binary_search_by_key(&to, |region| region.head) {
            let region = &regions[index];
            let (slots, rows) = (region.slots.clone(), region.rows.clone());
            self.set_views(slots);
            self.set_rows(rows);
        }
    }

    /// Sets the views of all loops around `pc`, where the function is entered.
    pub fn start_views(&mut self, pc: u32) {
        let regions = self.views.regions.iter();
        let around = regions.filter(|region| (region.head..=region.end).contains(&pc));
        let (mut slots, mut rows) = (Vec::new(), Vec::new());
        for region in around {
            slots.extend_from_slice(&region.slots);
            rows.extend_from_slice(&region.rows);
        }
        self.set_views(slots);
        self.set_rows(rows);
    }

    fn set_views(&mut self, slots: Vec<u32>) {
        for slot in slots {
            match self.views.views.get(&slot) {
                Some(view) => self.set_view(*view),
                None => self.set_text_view(self.views.texts[&slot]),
            }
        }
    }

    /// The view of the array in a slot here.
    pub fn active_view(&self, slot: u32) -> Option<View> {
        let views = &self.views;
        let view = views.views.get(&slot).copied();
        view.filter(|_| views.active.contains_key(&slot))
    }

    /// The view of a slot, wherever it is set.
    pub fn planned_view(&self, slot: u32) -> Option<View> {
        self.views.views.get(&slot).copied()
    }

    /// The view of the string in a slot here.
    fn active_text_view(&self, slot: u32) -> Option<TextView> {
        let views = &self.views;
        let view = views.texts.get(&slot).copied();
        view.filter(|_| views.active.contains_key(&slot))
    }

    /// The view of the array that an entry is, if a slot with one holds it.
    pub fn view_of(&self, entry: Entry) -> Option<View> {
        match entry.whole_slot() {
            Some(slot) => self.active_view(slot),
            None => self.view_of_row(entry),
        }
    }

    /// The view of the string that an entry is, if a slot with one holds it.
    pub fn text_view(&self, entry: Entry) -> Option<TextView> {
        self.active_text_view(entry.whole_slot()?)
    }

    /// The view of the array that is the root of a path through which elements
    /// of this kind are changed.
    pub fn store_view(&self, path: &Path, elements: Option<Form>) -> Option<StoreView> {
        let view = self.view_of_root(path)?;
        let is_unique = self.views.kept.contains_key(&view.slot) && Some(view.elements) == elements;
        let len = if is_unique { view.stored } else { view.len };
        Some(StoreView {
            view: View { len, ..view },
            is_unique,
        })
    }

    /// The view of the array that is the root of a path.
    pub fn view_of_root(&self, path: &Path) -> Option<View> {
        match path.root.kind() {
            VarKind::Local => self.active_view(path.root.number()),
            _ => None,
        }
    }

    /// Takes account of a change of a slot's array or string.
    pub fn renew_view(&mut self, slot: u32) {
        if let Some(view) = self.active_view(slot) {
            self.set_view(view);
            self.renew_rows(slot);
        }
        if let Some(view) = self.active_text_view(slot) {
            self.set_text_view(view);
        }
    }

    /// Takes account of a slot's becoming empty.
    pub fn drop_view(&mut self, slot: u32) {
        if let Some(view) = self.active_view(slot) {
            self.clear_view(view);
            self.drop_rows(slot);
        }
        if let Some(view) = self.active_text_view(slot) {
            self.clear_text_view(view);
        }
    }

    fn clear_view(&mut self, view: View) {
        let zero = self.iconst(0);
        self.set_word(view.data, zero);
        self.set_word(view.len, zero);
        self.set_word(view.stored, zero);
    }

    fn set_view(&mut self, view: View) {
        let Home::Value { first, .. } = self.homes[view.slot as usize] else {
            unreachable!("only plain values are viewed");
        };
        let array = self.word_of(first);
        let zero = BlockArg::Value(self.iconst(0));
        // As the parameter of a block with two ways to it, the length is there
        // once and for all, and not computed anew wherever it is used.
        let done = self.builder.create_block();
        for _ in 0..3 {
            self.builder.append_block_param(done, types::I64);
        }
        if !self.surely_holds(view.slot) {
            let there = self.builder.create_block();
            self.builder
                .ins()
                .brif(array, there, &[], done, &[zero, zero, zero]);
            self.switch_sealed(there);
        }
        let is_expected = self.has_form(array, view.elements);
        let data = BlockArg::Value(self.array_data(array));
        let len = BlockArg::Value(self.array_len(array));
        if self.views.stores_into(view.slot) {
            let expected = self.builder.create_block();
            self.builder
                .ins()
                .brif(is_expected, expected, &[], done, &[data, zero, zero]);
            self.switch_sealed(expected);
            let count = self.load_count(array);
            let is_unique = self.builder.ins().icmp_imm_s(IntCC::Equal, count, 1);
            self.builder
                .ins()
                .brif(is_unique, done, &[data, len, len], done, &[data, len, zero]);
        } else {
            self.builder.ins().brif(
                is_expected,
                done,
                &[data, len, zero],
                done,
                &[data, zero, zero],
            );
        }
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.set_word(view.data, params[0]);
        self.set_word(view.len, params[1]);
        self.set_word(view.stored, params[2]);
    }

    /// The address of a viewed element; goes to `slow` if there is none.
    pub fn viewed_address(
        &mut self,
        view: View,
        position: Value,
        slow: cranelift_codegen::ir::Block,
    ) -> Value {
        let len = self.word_of(view.len);
        self.continue_if(IntCC::UnsignedLessThan, position, len, slow);
        let data = self.word_of(view.data);
        let offset = self.element_offset(position, view.elements);
        self.builder.ins().iadd(data, offset)
    }

    /// Loads a viewed element's words in their class.
    pub fn load_viewed(&mut self, class: Class, address: Value) -> Vec<Value> {
        if let Class::Record(fields) = class {
            return self.load_flat(fields, address);
        }
        let elements = class.tag().map_or(Elements::Values, Elements::for_tag);
        let flags = self.of_elements(elements);
        let mut load = |ty, offset| self.builder.ins().load(ty, flags, address, offset);
        match class {
            Class::Null => vec![],
            Class::Int => vec![load(types::I64, 0)],
            Class::Float => vec![load(types::F64, 0)],
            Class::Bool => vec![load(types::I8, 0)],
            Class::Object(_) => vec![load(types::I64, 8)],
            Class::Dynamic => vec![load(types::I64, 0), load(types::I64, 8)],
            Class::Character | Class::Record(_) | Class::Sum(_) => {
                unreachable!("arrays hold no such words")
            }
        }
    }

    /// How the elements of a viewed array lie, if it was made by code that knows
    /// what it holds.
    pub fn viewed_form(&self, ty: Type) -> Option<Form> {
        let elements = viewed_elements(ty)?;
        let fields = self.flat_fields(ty.contents());
        Some(fields.map_or(Form::Of(elements), Form::Flat))
    }
}

/// The kind of elements that an array certainly has, unless it is empty or was
/// made in some odd way; `None` if it may be no array, or have numbers of
/// different kinds.
pub(super) fn viewed_elements(ty: Type) -> Option<Elements> {
    if !ty.without(Tags::UNSET).is(Tags::ARRAY) {
        return None;
    }
    let contents = ty.contents();
    match Class::of(contents) {
        class @ (Class::Int | Class::Float | Class::Bool) => {
            Some(Elements::for_tag(class.tag().expect("a scalar class")))
        }
        _ if contents.may_be(Tags::NUMBER.union(Tags::BOOL)) => None,
        Class::Null => None,
        Class::Object(_) | Class::Dynamic | Class::Character | Class::Record(_) | Class::Sum(_) => {
            Some(Elements::Values)
        }
    }
}

/// Finds the loops and what can be viewed in them.
fn plan(
    program: &Program,
    function: &Function,
    facts: &FunctionFacts,
    layout: &Layout,
    is_borrowed: &dyn Fn(u32) -> bool,
) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    // The ends of the loops around, and of the regions around, by slot.
    let mut around: Vec<u32> = Vec::new();
    let mut viewed: FxHashMap<u32, u32> = FxHashMap::default();
    let mut viewed_rows: FxHashMap<Row, u32> = FxHashMap::default();
    let mut surely_kept: FxHashMap<u32, u32> = FxHashMap::default();
    let ends = loop_ends(function);
    for (head, op) in (0u32..).zip(&function.code) {
        if !matches!(op, Op::LoopHead { .. }) {
            continue;
        }
        let (Some(end), true) = (ends.get(&head).copied(), layout.holding.contains_key(&head))
        else {
            continue;
        };
        around.retain(|end| *end > head);
        viewed.retain(|_, end| *end > head);
        around.push(end);
        if around.len() > MOST_NESTED {
            continue;
        }
        let mut body = Body::new(function.slots);
        for pc in head..=end {
            body.step(program, function, facts, pc);
        }
        let can_be_viewed = |slot: &u32| {
            !body.changed.contains(*slot)
                && !viewed.contains_key(slot)
                && (is_borrowed(*slot) || layout.holding[&head].maybe.contains(*slot))
                && !layout.cells.contains(*slot)
                && !layout.asked.contains(*slot)
        };
        let of_kind = |slots: &[u32], is_kind: fn(Type) -> bool| -> Vec<u32> {
            let slots = slots
                .iter()
                .filter(|slot| is_kind(facts.slots[**slot as usize]));
            slots.copied().filter(can_be_viewed).collect()
        };
        let mut slots = of_kind(&body.indexed, |ty| {
            viewed_elements(ty).is_some() || is_text(ty)
        });
        slots.append(&mut of_kind(&body.compared, is_text));
        slots.sort_unstable();
        slots.dedup();
        viewed.extend(slots.iter().map(|slot| (*slot, end)));
        let is_kept = |slot: &u32| body.stored.contains(*slot) && !body.shared.contains(*slot);
        let kept: Vec<u32> = slots.iter().copied().filter(is_kept).collect();
        // Whether nobody else has the array is known where its view is set, and
        // only if nobody can come to have it in the loop around that.
        surely_kept.retain(|_, end| *end > head);
        surely_kept.extend(kept.iter().map(|slot| (*slot, end)));
        viewed_rows.retain(|_, end| *end > head);
        let can_be_row = |row: &Row| {
            viewed.contains_key(&row.root)
                && is_row(facts, row)
                && !body.changed.contains(row.root)
                && !body.changed.contains(row.index)
                && (is_borrowed(row.index) || layout.holding[&head].surely.contains(row.index))
                && !layout.cells.contains(row.index)
                && !viewed_rows.contains_key(row)
        };
        let mut rows: Vec<Row> = body.rows.iter().copied().filter(can_be_row).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.truncate(MOST_ROWS);
        viewed_rows.extend(rows.iter().map(|row| (*row, end)));
        let rows = rows.into_iter().map(|row| {
            let is_kept = surely_kept.contains_key(&row.root)
                && is_kept(&row.root)
                && !body.rows_shared.contains(row.root);
            (row, is_kept)
        });
        let rows: Vec<(Row, bool)> = rows.collect();
        if !slots.is_empty() || !rows.is_empty() {
            regions.push(Region {
                head,
                end,
                slots,
                kept,
                rows,
            });
        }
    }
    regions
}

/// The last jump back to each loop head.
fn loop_ends(function: &Function) -> FxHashMap<u32, u32> {
    let mut ends = FxHashMap::default();
    for (pc, op) in (0u32..).zip(&function.code) {
        if let Some(head) = op.target().filter(|target| *target <= pc) {
            ends.insert(head, pc);
        }
    }
    ends
}

/// What a loop's body does to slots.
struct Body {
    indexed: Vec<u32>,
    /// Slots whose values are asked whether they equal others.
    compared: Vec<u32>,
    /// Elements that are indexed in turn.
    rows: Vec<Row>,
    /// Slots whose elements something else may come to own.
    rows_shared: SlotSet,
    changed: SlotSet,
    /// Slots whose elements are stored to.
    stored: SlotSet,
    /// Slots whose values something else may come to own.
    shared: SlotSet,
}

impl Body {
    fn new(slots: u32) -> Body {
        Body {
            indexed: Vec::new(),
            compared: Vec::new(),
            rows: Vec::new(),
            rows_shared: SlotSet::new(slots),
            changed: SlotSet::new(slots),
            stored: SlotSet::new(slots),
            shared: SlotSet::new(slots),
        }
    }

    fn step(&mut self, program: &Program, function: &Function, facts: &FunctionFacts, pc: u32) {
        match function.code[pc as usize] {
            Op::LoadLocal { slot } => match user(program, function, pc) {
                Some((Op::Index {}, 1)) => {
                    self.indexed.push(slot);
                    match row_read(program, function, pc) {
                        Some(row) => self.rows.push(row),
                        None if !is_read_through(program, function, pc) => {
                            self.rows_shared.insert(slot);
                        }
                        None => {}
                    }
                }
                Some((op, above)) if row_changed(program, &op, above).is_some() => {
                    let root = row_changed(program, &op, above).unwrap_or(slot);
                    self.rows.push(Row { root, index: slot });
                }
                Some((Op::CallBuiltin { builtin, argc: 1 }, 0))
                    if &*program.builtins[builtin as usize] == "len" => {}
                Some((Op::Equal {} | Op::NotEqual {}, _)) => {
                    self.compared.push(slot);
                    self.shared.insert(slot);
                }
                _ => self.shared.insert(slot),
            },
            Op::MakeClosure { func } => {
                for capture in &program.functions[func as usize].captures {
                    if let Capture::Value(slot) = *capture {
                        self.shared.insert(slot);
                    }
                }
            }
            // What is returned is of no use to the loop any more.
            Op::MoveLocal { .. }
                if matches!(function.code.get(pc as usize + 1), Some(Op::Return {})) => {}
            Op::StoreLocal { slot }
            | Op::MoveLocal { slot }
            | Op::ClearLocal { slot }
            | Op::NewCell { slot }
            | Op::BoxLocal { slot } => self.changed.insert(slot),
            Op::IterStart { slot } => (slot..slot + 2).for_each(|slot| self.changed.insert(slot)),
            Op::RangeStart { slot, .. } => {
                (slot..slot + 3).for_each(|slot| self.changed.insert(slot));
            }
            Op::Update { var, .. } | Op::UpdateFrom { var, .. } if var.kind() == VarKind::Local => {
                self.changed.insert(var.number());
            }
            Op::Mutate { site } => {
                self.change(&program.builtin_sites[site as usize].place);
            }
            Op::CallMethod { site } => {
                let site = &program.method_sites[site as usize];
                let gives_length = &*program.names[site.name as usize] == "len";
                match (&site.place, only_looks(program, facts, site)) {
                    (Some(place), false) => {
                        self.change(place);
                        // A built-in may give what it was called on.
                        if place.root.kind() == VarKind::Local && !gives_length {
                            self.rows_shared.insert(place.root.number());
                        }
                    }
                    (Some(place), true) if !gives_length => {
                        self.shared.insert(place.root.number());
                    }
                    _ => {}
                }
            }
            Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
                self.change(&program.paths[path as usize]);
            }
            _ => {}
        }
    }

    /// What lies behind an element changes without moving the elements; what
    /// copies the array first sets the view anew.
    fn change(&mut self, place: &Path) {
        if place.root.kind() != VarKind::Local {
            return;
        }
        match place.steps[..] {
            [Step::Index, ..] => {
                self.indexed.push(place.root.number());
                self.stored.insert(place.root.number());
            }
            _ => self.changed.insert(place.root.number()),
        }
    }
}

/// Whether a method that is called on a local is a built-in that leaves it as it
/// is.
fn only_looks(program: &Program, facts: &FunctionFacts, site: &MethodSite) -> bool {
    let place = site.place.as_ref();
    let Some(place) = place.filter(|place| place.root.kind() == VarKind::Local) else {
        return false;
    };
    let ty = facts.slots[place.root.number() as usize].without(Tags::UNSET);
    let tag = ty.tags().single().filter(|_| place.steps.is_empty());
    let mut forms = forms(&program.names[site.name as usize]);
    forms.any(|form| Some(form.receiver) == tag && !form.mutates && tag != Some(Tag::Struct))
}

/// Whether a slot of such a type holds a string, if anything, and not just a
/// character.
fn is_text(ty: Type) -> bool {
    let ty = ty.without(Tags::UNSET);
    ty.is(Tags::STRING) && !ty.is(Tags::CHARACTER)
}

/// The instruction that takes the value which a `LoadLocal` loads, and how many
/// operands of it lie above, unless the way there is not straight.
fn user(program: &Program, function: &Function, load: u32) -> Option<(Op, u32)> {
    let (at, above) = user_of(program, function, load)?;
    Some((function.code[at as usize], above))
}

/// Where that instruction is, for the result of any instruction.
pub(super) fn user_of(program: &Program, function: &Function, made: u32) -> Option<(u32, u32)> {
    let loaded = match function.code[made as usize] {
        Op::LoadLocal { slot } => Some(slot),
        _ => None,
    };
    // Operands above the value.
    let mut above = 0;
    for (at, op) in (made + 1..)
        .zip(&function.code[made as usize + 1..])
        .take(MOST_STEPS)
    {
        let effect = op.effect(program);
        if effect.pops > above {
            return Some((at, above));
        }
        // A change of the value meanwhile makes the operand another owner of it.
        let changes_it = changed_root(program, op)
            .is_some_and(|root| root.kind() == VarKind::Local && Some(root.number()) == loaded);
        if op.ends() || op.target().is_some() || changes_it {
            return None;
        }
        above = above - effect.pops + effect.pushes;
    }
    None
}

/// The variable at the root of the place that an instruction changes.
fn changed_root(program: &Program, op: &Op) -> Option<Var> {
    match *op {
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            Some(program.paths[path as usize].root)
        }
        Op::Update { var, .. } | Op::UpdateFrom { var, .. } => Some(var),
        Op::Mutate { site } => Some(program.builtin_sites[site as usize].place.root),
        Op::CallMethod { site } => {
            let place = program.method_sites[site as usize].place.as_ref();
            place.map(|place| place.root)
        }
        _ => None,
    }
}

/// Whether a function can have views at all.
pub(super) fn has_views(start: Start) -> bool {
    // A generator's variables do not outlive a `yield`, so its views would have
    // to be looked up again behind each.
    !matches!(start, Start::Resume)
}
