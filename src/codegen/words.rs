//! The words that variables consist of: values in SSA, but memory where a
//! function is so large that following every variable through every block
//! would cost the square of its length.

use super::Source;
use super::func::{Translator, trusted};
use cranelift_codegen::ir::{
    self, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use ruff_runtime::bytecode::FunctionId;
use rustc_hash::FxHashMap;

/// Instructions times slots from which on variables are in memory.
const LARGE: usize = 1 << 20;

/// The memory that a large function's variables are in.
pub(super) struct Spilled {
    slot: StackSlot,
    /// Where it is: one value for all variables, as there are so many.
    address: Value,
    /// The words that are in it, by their variables.
    words: FxHashMap<u32, (ir::Type, i32)>,
}

/// Room for a loop's hidden pair of values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room {
    Own(StackSlot),
    /// Among all other variables.
    Shared(i32),
}

/// Memory for a function's variables, if they are not to be in SSA.  It grows
/// with every variable.
pub(super) fn memory(
    source: Source,
    builder: &mut FunctionBuilder,
    func: FunctionId,
) -> Option<Spilled> {
    let function = &source.program.functions[func as usize];
    let is_large = function.code.len() * function.slots as usize >= LARGE;
    is_large.then(|| {
        let slot = new_slot(builder, 0);
        Spilled {
            slot,
            address: builder.ins().stack_addr(types::I64, slot, 0),
            words: FxHashMap::default(),
        }
    })
}

fn new_slot(builder: &mut FunctionBuilder, size: u32) -> StackSlot {
    let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
    builder.create_sized_stack_slot(data)
}

impl Translator<'_, '_, '_> {
    pub fn declare_word(&mut self, ty: ir::Type) -> Variable {
        let variable = self.builder.declare_var(ty);
        if let Some(spilled) = &mut self.tools.spilled {
            let slot = &mut self.builder.func.sized_stack_slots[spilled.slot];
            let offset = slot.size as i32;
            slot.size += 8;
            spilled.words.insert(variable.as_u32(), (ty, offset));
        }
        variable
    }

    /// What a word is at present.
    pub fn word_of(&mut self, variable: Variable) -> Value {
        match self.spilled(variable) {
            Some((address, ty, offset)) => self.builder.ins().load(ty, trusted(), address, offset),
            None => self.builder.use_var(variable),
        }
    }

    pub fn set_word(&mut self, variable: Variable, value: Value) {
        match self.spilled(variable) {
            Some((address, _, offset)) => {
                self.builder.ins().store(trusted(), value, address, offset);
            }
            None => self.builder.def_var(variable, value),
        }
    }

    fn spilled(&self, variable: Variable) -> Option<(Value, ir::Type, i32)> {
        let spilled = self.tools.spilled.as_ref()?;
        let (ty, offset) = spilled.words[&variable.as_u32()];
        Some((spilled.address, ty, offset))
    }

    pub fn room_for_two(&mut self) -> Room {
        match &self.tools.spilled {
            Some(spilled) => {
                let slot = &mut self.builder.func.sized_stack_slots[spilled.slot];
                let offset = slot.size.next_multiple_of(16);
                slot.size = offset + 32;
                Room::Shared(offset as i32)
            }
            None => Room::Own(new_slot(self.builder, 32)),
        }
    }

    /// An address in a loop's room.
    pub fn address_in(&mut self, room: Room, offset: i32) -> Value {
        match (room, &self.tools.spilled) {
            (Room::Own(slot), _) => self.builder.ins().stack_addr(types::I64, slot, offset),
            (Room::Shared(start), Some(spilled)) => {
                let offset = i64::from(start + offset);
                self.builder.ins().iadd_imm_s(spilled.address, offset)
            }
            (Room::Shared(_), None) => unreachable!("it is in the memory of all variables"),
        }
    }
}
