//! Views of rows: the elements of an array within an array.
//!
//! Where a loop indexes `m[i][j]` and changes neither `m` itself nor `i`, the row
//! `m[i]` is in the same place all the time, as the elements of `m` are; it is
//! looked up once before the loop.  Whatever may move a row does it by a change
//! of `m`, and so sets the views of its rows anew.

use super::flat::Form;
use super::func::Translator;
use super::local::Home;
use super::signature::Class;
use super::stack::{Entry, Owner};
use super::view::{View, user_of, viewed_elements};
use crate::infer::{FunctionFacts, Tags, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use cranelift_frontend::Variable;
use ruff_runtime::bytecode::{Function, Op, Path, Program, Step, VarKind};
use ruff_runtime::heap::Elements;
use ruff_runtime::value::Tag;
use rustc_hash::FxHashMap;

/// An element of the array in one slot, at the position that another slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row {
    pub root: u32,
    pub index: u32,
}

/// A row's view.
#[derive(Clone, Copy)]
pub(super) struct RowView {
    /// The row itself; null where its length is 0.
    object: Variable,
    view: View,
}

/// The views of rows in a function.
#[derive(Default)]
pub(super) struct Rows {
    views: FxHashMap<Row, RowView>,
    /// Ends of the regions around the present instruction.
    active: FxHashMap<Row, u32>,
    /// The rows that nobody else can come to own in a region around it.
    kept: FxHashMap<Row, u32>,
    /// The rows that were read, by the values that they are.
    read: FxHashMap<Value, Row>,
}

impl Rows {
    /// Takes account of reaching the instruction `pc`, in order.
    pub fn step(&mut self, pc: u32) {
        self.active.retain(|_, end| *end >= pc);
        self.kept.retain(|_, end| *end >= pc);
    }

    /// Takes account of reaching a region.
    pub fn activate(&mut self, rows: &[(Row, bool)], end: u32) {
        for (row, is_kept) in rows {
            self.active.insert(*row, end);
            if *is_kept {
                self.kept.insert(*row, end);
            }
        }
    }

    fn of_root(&self, root: u32) -> Vec<Row> {
        let mut rows: Vec<Row> = self.active.keys().copied().collect();
        rows.retain(|row| row.root == root);
        rows.sort_unstable();
        rows
    }
}

/// Whether a row holds elements of one kind, and its position is an int.
pub(super) fn is_row(facts: &FunctionFacts, row: &Row) -> bool {
    let rows = facts.slots[row.root as usize].without(Tags::UNSET);
    rows.is(Tags::ARRAY)
        && viewed_elements(rows.contents()).is_some()
        && facts.slots[row.index as usize].is(Tags::INT)
}

/// The row that a `LoadLocal` begins to read an element of: an index that is a
/// variable, and another one.
pub(super) fn row_read(program: &Program, function: &Function, load: u32) -> Option<Row> {
    let code = &function.code[load as usize..];
    let [
        Op::LoadLocal { slot: root },
        Op::LoadLocal { slot: index },
        Op::Index {},
        ..,
    ] = *code
    else {
        return None;
    };
    let (at, above) = user_of(program, function, load + 2)?;
    let is_indexed = above == 1 && matches!(function.code[at as usize], Op::Index {});
    is_indexed.then_some(Row { root, index })
}

/// Whether what a `LoadLocal` begins to read is an element of an element, or
/// something about it; then nobody comes to own the element.
pub(super) fn is_read_through(program: &Program, function: &Function, load: u32) -> bool {
    let Some((index, _)) = user_of(program, function, load) else {
        return false;
    };
    match user_of(program, function, index).map(|(at, above)| (function.code[at as usize], above)) {
        Some((Op::Index {}, 1)) => true,
        Some((Op::CallBuiltin { builtin, argc: 1 }, 0)) => {
            &*program.builtins[builtin as usize] == "len"
        }
        _ => false,
    }
}

/// The slot at the root of a change of `root[i][j]`, if an operand with so many
/// others above it is the first index.
pub(super) fn row_changed(program: &Program, op: &Op, above: u32) -> Option<u32> {
    let (path, first) = match *op {
        Op::StorePath { path } | Op::StorePathUnder { path } | Op::UpdatePath { path, .. } => {
            // Of a store, the value may lie below the indexes.
            let value_above = !value_is_first(op);
            (path, 1 + u32::from(value_above))
        }
        _ => return None,
    };
    let path = &program.paths[path as usize];
    (above == first && is_row_path(path)).then(|| path.root.number())
}

/// Whether a store has its value below the indexes.
fn value_is_first(op: &Op) -> bool {
    matches!(op, Op::StorePath { .. })
}

fn is_row_path(path: &Path) -> bool {
    path.root.kind() == VarKind::Local && matches!(path.steps[..], [Step::Index, Step::Index])
}

impl Translator<'_, '_, '_> {
    /// Makes a row's variables, which start empty.
    pub fn declare_row(&mut self, row: Row, facts: &FunctionFacts) {
        if self.views.rows.views.contains_key(&row) {
            return;
        }
        let contents = facts.slots[row.root as usize].contents();
        let elements = self
            .viewed_form(contents)
            .expect("only arrays of one kind are rows");
        let view = RowView {
            object: self.declare_word(types::I64),
            view: View {
                slot: row.root,
                data: self.declare_word(types::I64),
                len: self.declare_word(types::I64),
                stored: self.declare_word(types::I64),
                elements,
            },
        };
        self.views.rows.views.insert(row, view);
        self.clear_row(row);
    }

    fn clear_row(&mut self, row: Row) {
        let zero = self.iconst(0);
        self.define_row(row, [zero; 4]);
    }

    /// The words are the object, its elements, and the two lengths.
    fn define_row(&mut self, row: Row, words: [Value; 4]) {
        let RowView { object, view } = self.views.rows.views[&row];
        for (variable, word) in [object, view.data, view.len, view.stored]
            .into_iter()
            .zip(words)
        {
            self.set_word(variable, word);
        }
    }

    /// Looks rows up; the views of their roots are set.
    pub fn set_rows(&mut self, rows: Vec<(Row, bool)>) {
        for (row, _) in rows {
            self.set_row(row);
        }
    }

    /// Takes account of a change of a slot's array.
    pub fn renew_rows(&mut self, slot: u32) {
        for row in self.views.rows.of_root(slot) {
            self.set_row(row);
        }
    }

    /// Takes account of a slot's becoming empty.
    pub fn drop_rows(&mut self, slot: u32) {
        for row in self.views.rows.of_root(slot) {
            self.clear_row(row);
        }
    }

    fn set_row(&mut self, row: Row) {
        let elements = self.views.rows.views[&row].view.elements;
        let (Some(root), Home::Value { first, .. }) =
            (self.planned_view(row.root), self.homes[row.index as usize])
        else {
            unreachable!("rows are planned for viewed arrays and plain ints");
        };
        let zero = BlockArg::Value(self.iconst(0));
        let done = self.builder.create_block();
        for _ in 0..4 {
            self.builder.append_block_param(done, types::I64);
        }
        let nothing = [zero; 4];
        let (position, len) = (self.word_of(first), self.word_of(root.len));
        let data = self.word_of(root.data);
        let is_there = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, position, len);
        let there = self.builder.create_block();
        self.builder
            .ins()
            .brif(is_there, there, &[], done, &nothing);
        self.switch_sealed(there);
        let offset = self.element_offset(position, Elements::Values);
        let address = self.builder.ins().iadd(data, offset);
        let tag = self.load_word(address, 0);
        let is_array = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, tag, Tag::Array as u64 as i64);
        let array = self.builder.create_block();
        self.builder
            .ins()
            .brif(is_array, array, &[], done, &nothing);
        self.switch_sealed(array);
        let object = self.load_word(address, 8);
        let is_expected = self.has_form(object, elements);
        let expected = self.builder.create_block();
        self.builder
            .ins()
            .brif(is_expected, expected, &[], done, &nothing);
        self.switch_sealed(expected);
        let data = BlockArg::Value(self.array_data(object));
        let len = BlockArg::Value(self.array_len(object));
        let count = self.load_count(object);
        let is_unique = self.builder.ins().icmp_imm_s(IntCC::Equal, count, 1);
        let object = BlockArg::Value(object);
        // The root must be nobody else's, either.
        let stored = self.word_of(root.stored);
        let is_own = self.builder.ins().icmp_imm_u(IntCC::NotEqual, stored, 0);
        let is_unique = self.builder.ins().band(is_unique, is_own);
        self.builder.ins().brif(
            is_unique,
            done,
            &[object, data, len, len],
            done,
            &[object, data, len, zero],
        );
        self.switch_sealed(done);
        let params = self.builder.block_params(done).to_vec();
        self.define_row(row, [params[0], params[1], params[2], params[3]]);
    }

    /// The row that the present `Index` gives, if it is viewed.
    pub fn row_here(&self) -> Option<Row> {
        let start = self.pc.checked_sub(2)?;
        let is_straight =
            !self.layout.leaders[self.pc as usize] && !self.layout.leaders[self.pc as usize - 1];
        let row = row_read(self.source.program, self.function, start).filter(|_| is_straight)?;
        self.views.rows.active.contains_key(&row).then_some(row)
    }

    /// Gives a viewed row in place of the array and the index on top, if they are
    /// known to be right, or goes on where they are; gives the block where both
    /// meet, whose parameter is the row.
    pub fn take_row(&mut self, row: Row) -> cranelift_codegen::ir::Block {
        let RowView { object, view } = self.views.rows.views[&row];
        let (object, len) = (self.word_of(object), self.word_of(view.len));
        let (other, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        self.builder
            .ins()
            .brif(len, done, &[BlockArg::Value(object)], other, &[]);
        self.switch_sealed(other);
        done
    }

    /// Pushes the row that the block's parameter is.
    pub fn push_row(&mut self, row: Row, ty: Type, value: Value) {
        self.views.rows.read.insert(value, row);
        self.push(Entry::borrowed(
            ty,
            Class::Object(Tag::Array),
            &[value],
            Owner::Slot(row.root),
        ));
    }

    /// The view of a row that was read.
    pub fn view_of_row(&self, entry: Entry) -> Option<View> {
        let Class::Object(Tag::Array) = entry.class else {
            return None;
        };
        let rows = &self.views.rows;
        let row = rows.read.get(&entry.word())?;
        let view = rows.views[row].view;
        rows.active.contains_key(row).then_some(view)
    }

    /// The row that the present instruction changes an element of, and its view
    /// for that, if it has such elements: finding one there means that nobody
    /// else has the row or the array around it.
    pub fn row_to_change(
        &self,
        path: &Path,
        elements: impl Into<Form>,
    ) -> Option<(Variable, View)> {
        let op = &self.function.code[self.pc as usize];
        let rows = &self.views.rows;
        let row = rows.kept.keys().find(|row| {
            is_row_path(path)
                && row.root == path.root.number()
                && self.first_index_is(op, row.index)
        })?;
        let RowView { object, view } = rows.views[row];
        let stored = View {
            len: view.stored,
            ..view
        };
        (view.elements == elements.into()).then_some((object, stored))
    }

    /// Whether a variable is the first index of the present change.
    fn first_index_is(&self, op: &Op, slot: u32) -> bool {
        let code = &self.function.code[..self.pc as usize];
        let loads = (0..self.pc).rev().take(MOST_BACK).filter(
            |pc| matches!(code[*pc as usize], Op::LoadLocal { slot: loaded } if loaded == slot),
        );
        for load in loads {
            if let Some((at, above)) = user_of(self.source.program, self.function, load)
                && at == self.pc
                && row_changed(self.source.program, op, above).is_some()
            {
                return !(load + 1..=self.pc).any(|pc| self.layout.leaders[pc as usize]);
            }
        }
        false
    }
}

/// How far before a change the load of its first index is looked for.
const MOST_BACK: usize = 64;
