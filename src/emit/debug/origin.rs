//! Where machine code comes from.
//!
//! While code is made, an instruction's source location is a *place*: the number
//! of an instruction of bytecode, counted through all bodies that the function is
//! made of.  The inliner copies instructions without their locations, so places
//! are put in again after each of its rounds.

use crate::codegen::Source;
use crate::codegen::mirror::Mirror;
use cranelift_codegen::CompiledCode;
use cranelift_codegen::entity::EntityRef as _;
use cranelift_codegen::ir::{self, Inst, SourceLoc, StackSlot};
use cranelift_codegen::isa::unwind::{UnwindInfo, systemv};
use cranelift_codegen::traversals::Dfs;
use ruff_runtime::bytecode::{FunctionId, Op, Program};

/// A body that a function's code is made of.
#[derive(Clone, Debug)]
pub struct Scope {
    pub func: FunctionId,
    /// The place of its first instruction.
    first_place: u32,
    /// Its first stack slot.
    first_slot: usize,
    /// The place of the call that it was inlined in place of, unless it is the
    /// function itself.
    pub call: Option<u32>,
}

/// The bodies that a function is made of: itself, then what was inlined.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    scopes: Vec<Scope>,
    places: u32,
}

/// A call that is about to be replaced by its callee's body.
pub struct Inlined {
    pub func: FunctionId,
    first_inst: usize,
    first_slot: usize,
    call: SourceLoc,
}

impl Inlined {
    pub fn new(func: FunctionId, caller: &ir::Function, call: Inst) -> Inlined {
        Inlined {
            func,
            first_inst: caller.dfg.num_insts(),
            first_slot: caller.sized_stack_slots.len(),
            call: caller.srcloc(call),
        }
    }
}

impl Origin {
    /// A function of this many instructions of bytecode.
    pub fn new(func: FunctionId, instructions: usize) -> Origin {
        let mut origin = Origin::default();
        origin.add(func, instructions, 0, None);
        origin
    }

    fn add(&mut self, func: FunctionId, instructions: usize, first_slot: usize, call: Option<u32>) {
        self.scopes.push(Scope {
            func,
            first_place: self.places,
            first_slot,
            call,
        });
        self.places += instructions as u32;
    }

    /// Puts the places into what was inlined: a copy of `body`.
    pub fn follow(
        &mut self,
        function: &mut ir::Function,
        inlined: &Inlined,
        body: &ir::Function,
        instructions: usize,
    ) {
        if inlined.call.is_default() {
            return;
        }
        let first = self.places;
        self.add(
            inlined.func,
            instructions,
            inlined.first_slot,
            Some(inlined.call.bits()),
        );
        // The inliner makes one instruction for each, in this order.
        let mut next = inlined.first_inst;
        for block in Dfs::new().pre_order_iter(body) {
            for inst in body.layout.block_insts(block) {
                let own = body.srcloc(inst);
                // The way in and out is the call's: a body begins when its
                // parameters are there.
                let place = if own.is_default() {
                    inlined.call
                } else {
                    SourceLoc::new(first + own.bits())
                };
                let copy = Inst::new(next);
                debug_assert!(
                    body.dfg.insts[inst].opcode().is_return()
                        || function.dfg.insts[copy].opcode() == body.dfg.insts[inst].opcode()
                );
                function.set_srcloc(copy, place);
                next += 1;
            }
        }
    }

    /// All scopes; a scope's number is its index.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The scope of a place, and the instruction there.
    pub fn of_place(&self, place: u32) -> (usize, u32) {
        let after = self
            .scopes
            .partition_point(|scope| scope.first_place <= place);
        let scope = after - 1;
        (scope, place - self.scopes[scope].first_place)
    }

    fn of_slot(&self, slot: usize) -> usize {
        self.scopes
            .partition_point(|scope| scope.first_slot <= slot)
            - 1
    }
}

/// From this offset on, code comes from a place.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub offset: u32,
    pub place: u32,
}

/// Something of a scope that is in the frame.
#[derive(Clone, Copy, Debug)]
pub struct Visible {
    pub scope: usize,
    pub mirror: Mirror,
    /// Where it is, in bytes from where the frame pointer points.
    pub offset: i64,
}

/// What machine code remembers.
pub struct Trace {
    pub origin: Origin,
    /// By ascending offset.
    pub rows: Vec<Row>,
    pub visible: Vec<Visible>,
    pub unwind: Option<systemv::UnwindInfo>,
}

impl Trace {
    /// What the code of a function remembers; glue comes from nowhere.
    pub fn new(source: Source, code: &CompiledCode, origin: Option<Origin>) -> Trace {
        let origin = origin.unwrap_or_default();
        let unwind = match code.create_unwind_info(source.isa) {
            Ok(Some(UnwindInfo::SystemV(unwind))) => Some(unwind),
            _ => None,
        };
        if origin.scopes.is_empty() {
            return Trace {
                origin,
                rows: Vec::new(),
                visible: Vec::new(),
                unwind,
            };
        }
        Trace {
            rows: rows(source.program, code, &origin),
            visible: visible(code, &origin),
            origin,
            unwind,
        }
    }
}

/// Literals are read where it suits the optimiser, so nobody is told that this is what
/// happens there.
fn rows(program: &Program, code: &CompiledCode, origin: &Origin) -> Vec<Row> {
    let is_literal = |place: u32| {
        let (scope, pc) = origin.of_place(place);
        let function = &program.functions[origin.scopes[scope].func as usize];
        let op = function.code.get(pc as usize);
        matches!(op, Some(Op::Constant { .. } | Op::Function { .. }))
    };
    let mut rows: Vec<Row> = Vec::new();
    for known in code.buffer.get_srclocs_sorted() {
        if known.loc.is_default() || known.start == known.end {
            continue;
        }
        let place = known.loc.bits();
        if is_literal(place) {
            continue;
        }
        if rows.last().is_none_or(|last| last.place != place) {
            rows.push(Row {
                offset: known.start,
                place,
            });
        }
    }
    rows
}

fn visible(code: &CompiledCode, origin: &Origin) -> Vec<Visible> {
    let Some(frame) = code.buffer.frame_layout() else {
        return Vec::new();
    };
    let slots = frame.stackslots.iter();
    let mirrors = slots.filter_map(|(slot, data): (StackSlot, _)| {
        Some(Visible {
            scope: origin.of_slot(slot.index()),
            mirror: Mirror::from_key(data.key?),
            offset: i64::from(data.offset) - i64::from(frame.frame_to_fp_offset),
        })
    });
    mirrors.collect()
}
