//! Lines, functions and variables of a program, as one unit of DWARF.

use super::origin::{Trace, Visible};
use super::types::Types;
use crate::codegen::Source;
use crate::codegen::mirror::Mirror;
use crate::codegen::signature::{self, Class};
use crate::modules::Table;
use gimli::constants::*;
use gimli::write::{
    Address, AttributeValue, DwarfUnit, Expression, FileId, LineProgram, LineString, Range,
    RangeList, UnitEntryId,
};
use gimli::{Encoding, Format, LineEncoding, Register};
use ruff_runtime::bytecode::{Capture, FunctionId, Op, Position, Program, VarKind};
use ruff_runtime::context::GLOBALS_OFFSET;
use ruff_runtime::heap::closure::{CAPTURES_OFFSET, CELL_VALUE_OFFSET};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use target_lexicon::Architecture;

/// Machine code that is described.
pub struct Described<'a> {
    pub address: Address,
    pub size: u32,
    pub trace: &'a Trace,
}

/// A program's debug information while it is made.
struct Unit<'a> {
    source: Source<'a>,
    dwarf: DwarfUnit,
    types: Types,
    files: Vec<FileId>,
    /// What functions that were inlined have in common.
    inlined: FxHashMap<FunctionId, UnitEntryId>,
    /// The symbol of the table of a module's numbers.
    numbers: usize,
}

/// A function's code by where it comes from: for each scope, ranges of offsets
/// with the instruction, ascending.
struct Pieces(Vec<Vec<(u32, u32, u32)>>);

/// Describes machine code of a program.
pub fn unit(source: Source, functions: &[&Described]) -> DwarfUnit {
    Unit::new(source, functions).dwarf
}

impl<'a> Unit<'a> {
    fn new(source: Source<'a>, functions: &[&Described]) -> Unit<'a> {
        let encoding = Encoding {
            address_size: 8,
            format: Format::Dwarf32,
            version: 4,
        };
        let mut dwarf = DwarfUnit::new(encoding);
        let files = source.program.files.iter();
        let mut names: Vec<Vec<u8>> = files.map(|file| path(file)).collect();
        if names.is_empty() {
            names.push(path(""));
        }
        // A module is behind a script that only imports it.
        let main = names[usize::from(source.alone.is_some())].clone();
        let line_encoding = LineEncoding::default();
        // Paths are as the compiler was given them, so it does not matter for
        // the result where the program was compiled.
        let directory = LineString::String(b".".to_vec());
        let name = LineString::String(main.clone());
        let mut lines = LineProgram::new(encoding, line_encoding, directory, None, name, None);
        let directory = lines.default_directory();
        let files = names
            .into_iter()
            .map(|name| lines.add_file(LineString::String(name), directory, None))
            .collect();
        dwarf.unit.line_program = lines;
        let types = Types::new(&mut dwarf.unit, source);
        let mut unit = Unit {
            source,
            dwarf,
            types,
            files,
            inlined: FxHashMap::default(),
            numbers: functions.len(),
        };
        unit.root(main, functions);
        for function in functions {
            if !function.trace.origin.scopes().is_empty() {
                unit.lines(function);
                unit.function(function);
            }
        }
        unit
    }

    fn root(&mut self, name: Vec<u8>, functions: &[&Described]) {
        let ranges = functions.iter().flat_map(|function| {
            let range = Range::OffsetPair {
                begin: 0,
                end: function.size.into(),
            };
            let address = function.address;
            [Range::BaseAddress { address }, range]
        });
        let ranges = self.dwarf.unit.ranges.add(RangeList(ranges.collect()));
        let root = self.dwarf.unit.root();
        let producer = format!("ruffc {}", env!("CARGO_PKG_VERSION")).into_bytes();
        for (attribute, value) in [
            (DW_AT_producer, AttributeValue::String(producer)),
            // What gdb's expressions are written in.
            (DW_AT_language, AttributeValue::Language(DW_LANG_C99)),
            (DW_AT_name, AttributeValue::String(name)),
            (DW_AT_comp_dir, AttributeValue::String(b".".to_vec())),
            (DW_AT_low_pc, AttributeValue::Address(Address::Constant(0))),
            (DW_AT_ranges, AttributeValue::RangeListRef(ranges)),
            (DW_AT_stmt_list, AttributeValue::LineProgramRef),
        ] {
            self.dwarf.unit.get_mut(root).set(attribute, value);
        }
    }

    fn program(&self) -> &'a Program {
        self.source.program
    }

    fn position(&self, func: FunctionId, pc: u32) -> Position {
        let known = self.program().position(func, pc);
        let position = known.unwrap_or_default();
        Position {
            file: position.file.min(self.files.len() as u32 - 1),
            ..position
        }
    }

    // ---- lines

    fn lines(&mut self, function: &Described) {
        let origin = &function.trace.origin;
        let start = (0, self.position(origin.scopes()[0].func, 0), true);
        let rows = function.trace.rows.iter().map(|row| {
            let (scope, pc) = origin.of_place(row.place);
            let func = origin.scopes()[scope].func;
            let is_statement = self.is_of_statement(func, pc);
            (row.offset, self.position(func, pc), is_statement)
        });
        let rows: Vec<(u32, Position, bool)> = [start].into_iter().chain(rows).collect();
        let lines = &mut self.dwarf.unit.line_program;
        lines.begin_sequence(Some(function.address));
        let mut last = (Position::default(), false);
        for (index, (offset, position, is_statement)) in rows.into_iter().enumerate() {
            let goes_on = (last.0.file, last.0.line) == (position.file, position.line)
                && (last.1 || !is_statement);
            // The second row ends the prologue, also where its line is the first's.
            if index > 1 && goes_on {
                continue;
            }
            last = (position, is_statement);
            let row = lines.row();
            row.address_offset = offset.into();
            row.file = self.files[position.file as usize];
            row.line = position.line.into();
            row.column = position.column.into();
            row.is_statement = is_statement;
            row.prologue_end = index == 1;
            lines.generate_row();
        }
        lines.end_sequence(function.size.into());
    }

    /// Whether somebody who stops at the line means this instruction.  What
    /// follows a loop cleans up, and has the line of its last statement only
    /// because it has none of its own.
    fn is_of_statement(&self, func: FunctionId, pc: u32) -> bool {
        let function = &self.program().functions[func as usize];
        let positions = &function.positions;
        let after = positions.partition_point(|(start, _)| *start <= pc);
        let start = after.checked_sub(1).map_or(0, |index| positions[index].0);
        let before = &function.code[start as usize..pc as usize];
        !before.iter().any(Op::ends)
    }

    // ---- functions

    fn function(&mut self, function: &Described) {
        let trace = function.trace;
        let pieces = Pieces::new(function);
        let scopes = trace.origin.scopes();
        let root = self.dwarf.unit.root();
        let own = self.declared(root, scopes[0].func);
        let mut frame = Expression::new();
        if let Some(register) = self.frame_register() {
            frame.op_breg(register, 0);
        }
        let size = u64::from(function.size);
        for (attribute, value) in [
            (DW_AT_low_pc, AttributeValue::Address(function.address)),
            (DW_AT_high_pc, AttributeValue::Udata(size)),
            (DW_AT_frame_base, AttributeValue::Exprloc(frame)),
        ] {
            self.dwarf.unit.get_mut(own).set(attribute, value);
        }
        let mut entries = vec![own];
        for (index, scope) in scopes.iter().enumerate().skip(1) {
            let call = scope.call.expect("what was inlined was called");
            let (caller, pc) = trace.origin.of_place(call);
            let parent = entries[caller];
            let ranges = pieces.ranges(index, |_| true);
            if ranges.is_empty() {
                // Nothing is left of it, and nothing shows it.
                entries.push(parent);
                continue;
            }
            let place = self.position(scopes[caller].func, pc);
            let entry = self.inlined(parent, scope.func, place);
            self.set_ranges(entry, function.address, &ranges);
            entries.push(entry);
            self.variables(function, &pieces, index, entry);
        }
        self.variables(function, &pieces, 0, own);
    }

    /// A function's name and place.
    fn declared(&mut self, parent: UnitEntryId, func: FunctionId) -> UnitEntryId {
        let position = self.position(func, 0);
        let name = &self.program().functions[func as usize].info.name;
        let name = AttributeValue::String(name.clone().into_bytes());
        let file = AttributeValue::FileIndex(Some(self.files[position.file as usize]));
        let line = AttributeValue::Udata(position.line.into());
        let entry = self.dwarf.unit.add(parent, DW_TAG_subprogram);
        let attributes = self.dwarf.unit.get_mut(entry);
        attributes.set(DW_AT_name, name);
        attributes.set(DW_AT_decl_file, file);
        attributes.set(DW_AT_decl_line, line);
        entry
    }

    fn inlined(&mut self, parent: UnitEntryId, func: FunctionId, call: Position) -> UnitEntryId {
        let common = match self.inlined.get(&func) {
            Some(common) => *common,
            None => {
                let root = self.dwarf.unit.root();
                let common = self.declared(root, func);
                let inline = AttributeValue::Inline(DW_INL_inlined);
                self.dwarf.unit.get_mut(common).set(DW_AT_inline, inline);
                self.inlined.insert(func, common);
                common
            }
        };
        let file = AttributeValue::FileIndex(Some(self.files[call.file as usize]));
        let entry = self.dwarf.unit.add(parent, DW_TAG_inlined_subroutine);
        let attributes = self.dwarf.unit.get_mut(entry);
        attributes.set(DW_AT_abstract_origin, AttributeValue::UnitRef(common));
        attributes.set(DW_AT_call_file, file);
        attributes.set(DW_AT_call_line, AttributeValue::Udata(call.line.into()));
        entry
    }

    fn set_ranges(&mut self, entry: UnitEntryId, address: Address, ranges: &[(u32, u32)]) {
        let pairs = ranges.iter().map(|(begin, end)| Range::OffsetPair {
            begin: (*begin).into(),
            end: (*end).into(),
        });
        let list = [Range::BaseAddress { address }].into_iter().chain(pairs);
        let list = self.dwarf.unit.ranges.add(RangeList(list.collect()));
        let ranges = AttributeValue::RangeListRef(list);
        self.dwarf.unit.get_mut(entry).set(DW_AT_ranges, ranges);
    }

    /// What the frame pointer is called, where there is one.
    fn frame_register(&self) -> Option<Register> {
        match self.source.isa.triple().architecture {
            Architecture::X86_64 => Some(Register(6)),
            Architecture::Aarch64(_) => Some(Register(29)),
            Architecture::Riscv64(_) => Some(Register(8)),
            _ => None,
        }
    }

    // ---- variables

    fn variables(
        &mut self,
        function: &Described,
        pieces: &Pieces,
        scope: usize,
        entry: UnitEntryId,
    ) {
        if self.frame_register().is_none() {
            return;
        }
        let func = function.trace.origin.scopes()[scope].func;
        let mut visible: Vec<Visible> = function.trace.visible.clone();
        visible.retain(|one| one.scope == scope);
        let mut known = BTreeSet::new();
        for one in visible {
            match one.mirror {
                Mirror::Typed { slot } | Mirror::Dynamic { slot } | Mirror::Cell { slot } => {
                    let name = self.program().functions[func as usize].slot_names[slot as usize];
                    let mut parent = entry;
                    // Of variables with the same name, a block tells which is meant.
                    if !known.insert(name) {
                        let ranges = pieces.ranges(scope, self.life(func, slot));
                        if ranges.is_empty() {
                            continue;
                        }
                        parent = self.dwarf.unit.add(entry, DW_TAG_lexical_block);
                        self.set_ranges(parent, function.address, &ranges);
                    }
                    self.variable(parent, func, slot, one);
                }
                Mirror::Callee => self.captured(entry, func, one.offset),
                Mirror::Context => self.globals(entry, func, one.offset),
            }
        }
    }

    /// Which instructions come between the first and the last that deal with a slot.
    fn life(&self, func: FunctionId, slot: u32) -> impl Fn(u32) -> bool + use<> {
        let code = &self.program().functions[func as usize].code;
        let deals = |op: &Op| match *op {
            Op::StoreLocal { slot: other }
            | Op::LoadLocal { slot: other }
            | Op::MoveLocal { slot: other }
            | Op::ClearLocal { slot: other }
            | Op::NewCell { slot: other }
            | Op::BoxLocal { slot: other } => other == slot,
            _ => false,
        };
        let first = code.iter().position(deals).unwrap_or(code.len()) as u32;
        let last = code.iter().rposition(deals).unwrap_or(0) as u32;
        move |pc| (first..=last).contains(&pc)
    }

    fn variable(&mut self, parent: UnitEntryId, func: FunctionId, slot: u32, one: Visible) {
        let function = &self.program().functions[func as usize];
        let facts = &self.source.facts.functions[func as usize];
        let tag = if (slot as usize) < function.info.params.len() {
            DW_TAG_formal_parameter
        } else {
            DW_TAG_variable
        };
        let mut place = Expression::new();
        let ty = match one.mirror {
            Mirror::Cell { .. } => {
                place.op_fbreg(one.offset);
                place.op_deref();
                place.op_plus_uconst(CELL_VALUE_OFFSET as u64);
                self.types.value()
            }
            Mirror::Typed { .. } => {
                let ty = facts.slots[slot as usize];
                // A generator's frame holds structs as objects.
                let class = match function.info.flags.is_generator {
                    true => Class::of(ty),
                    false => signature::class_of(self.source.facts, ty),
                };
                place = in_frame(class, one.offset);
                let unit = &mut self.dwarf.unit;
                self.types.of_variable(unit, self.source.program, class)
            }
            _ => {
                place.op_fbreg(one.offset);
                self.types.value()
            }
        };
        let name = function.slot_names[slot as usize];
        self.placed(parent, tag, name, ty, place);
    }

    fn placed(
        &mut self,
        parent: UnitEntryId,
        tag: DwTag,
        name: u32,
        ty: UnitEntryId,
        place: Expression,
    ) {
        let name = self.program().names[name as usize].as_bytes().to_vec();
        let entry = self.dwarf.unit.add(parent, tag);
        let attributes = self.dwarf.unit.get_mut(entry);
        attributes.set(DW_AT_name, AttributeValue::String(name));
        attributes.set(DW_AT_type, AttributeValue::UnitRef(ty));
        attributes.set(DW_AT_location, AttributeValue::Exprloc(place));
    }

    /// The globals that a function mentions.
    fn globals(&mut self, parent: UnitEntryId, func: FunctionId, context: i64) {
        let code = &self.program().functions[func as usize].code;
        let mentioned = code.iter().filter_map(|op| match *op {
            Op::LoadGlobal { global } | Op::StoreGlobal { global } => Some(global),
            Op::JumpIfUnset { var, .. } | Op::Update { var, .. } | Op::UpdateFrom { var, .. }
                if var.kind() == VarKind::Global =>
            {
                Some(var.number())
            }
            _ => None,
        });
        for global in mentioned.collect::<BTreeSet<u32>>() {
            let mut place = Expression::new();
            place.op_fbreg(context);
            place.op_deref();
            place.op_plus_uconst(GLOBALS_OFFSET as u64);
            place.op_deref();
            self.add_global(&mut place, global);
            let name = self.program().globals[global as usize];
            let ty = self.types.value();
            self.placed(parent, DW_TAG_variable, name, ty, place);
        }
    }

    /// Goes from the globals to this one.
    fn add_global(&self, place: &mut Expression, global: u32) {
        let Some(alone) = self.source.alone else {
            place.op_plus_uconst(16 * u64::from(global));
            return;
        };
        let entry = alone.offset(Table::Globals, global).into();
        place.op_addr(Address::Symbol {
            symbol: self.numbers,
            addend: entry,
        });
        place.op_deref_size(4);
        place.op_constu(16);
        place.op(DW_OP_mul);
        place.op(DW_OP_plus);
    }

    /// The variables that a function captures.
    fn captured(&mut self, parent: UnitEntryId, func: FunctionId, callee: i64) {
        let captures = self.program().functions[func as usize].captures.len();
        for index in 0..captures as u32 {
            let Some((name, is_cell)) = captured_variable(self.program(), func, index) else {
                continue;
            };
            let mut place = Expression::new();
            place.op_fbreg(callee);
            place.op_deref();
            place.op_plus_uconst(CAPTURES_OFFSET as u64 + 16 * u64::from(index));
            if is_cell {
                place.op_plus_uconst(8);
                place.op_deref();
                place.op_plus_uconst(CELL_VALUE_OFFSET as u64);
            }
            let ty = self.types.value();
            self.placed(parent, DW_TAG_variable, name, ty, place);
        }
    }
}

/// Where a mirror of a class is: what is always null is nowhere.
fn in_frame(class: Class, offset: i64) -> Expression {
    let mut place = Expression::new();
    match class {
        Class::Null => {
            for word in [ruff_runtime::value::Tag::Null as u64, 0] {
                place.op_constu(word);
                place.op(DW_OP_stack_value);
                place.op_piece(8);
            }
        }
        _ => place.op_fbreg(offset),
    }
    place
}

/// The name of a captured variable, and whether it is in a cell.
fn captured_variable(program: &Program, func: FunctionId, index: u32) -> Option<(u32, bool)> {
    let makes = |op: &Op| *op == Op::MakeClosure { func };
    let maker = program
        .functions
        .iter()
        .find(|function| function.code.iter().any(makes))?;
    let slot_name = |slot: u32| maker.slot_names.get(slot as usize).copied();
    match program.functions[func as usize].captures[index as usize] {
        Capture::Cell(slot) => Some((slot_name(slot)?, true)),
        Capture::Value(slot) => Some((slot_name(slot)?, false)),
        Capture::Outer(_) if maker.info.id == func => None,
        Capture::Outer(outer) => captured_variable(program, maker.info.id, outer),
    }
}

impl Pieces {
    fn new(function: &Described) -> Pieces {
        let (origin, rows) = (&function.trace.origin, &function.trace.rows);
        let mut pieces = vec![Vec::new(); origin.scopes().len()];
        let ends = rows.iter().skip(1).map(|row| row.offset);
        for (row, end) in rows.iter().zip(ends.chain([function.size])) {
            let mut place = Some(row.place);
            while let Some(here) = place {
                let (scope, pc) = origin.of_place(here);
                pieces[scope].push((row.offset, end, pc));
                place = origin.scopes()[scope].call;
            }
        }
        Pieces(pieces)
    }

    /// The ranges of a scope that come from instructions like this.
    fn ranges(&self, scope: usize, wanted: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (begin, end, pc) in &self.0[scope] {
            if !wanted(*pc) {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.1 == *begin => last.1 = *end,
                _ => ranges.push((*begin, *end)),
            }
        }
        ranges
    }
}

/// A file's name; DWARF knows neither empty names nor zero bytes.
fn path(file: &str) -> Vec<u8> {
    let name = file.replace('\0', "");
    if name.is_empty() {
        return b"<unknown>".to_vec();
    }
    name.into_bytes()
}
