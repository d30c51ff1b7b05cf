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

/// The words that are in memory, by their variables.
pub(super) struct Spilled {
    room: StackSlot,
    words: FxHashMap<u32, (ir::Type, i32)>,
}

/// Room for a function's variables, if they are to be in memory.
pub(super) fn room(
    source: Source,
    builder: &mut FunctionBuilder,
    func: FunctionId,
) -> Option<Spilled> {
    let function = &source.program.functions[func as usize];
    let is_large = function.code.len() * function.slots as usize >= LARGE;
    is_large.then(|| Spilled {
        // It grows with every word that is declared.
        room: builder.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            0,
            3,
        )),
        words: FxHashMap::default(),
    })
}

impl Translator<'_, '_, '_> {
    pub fn declare_word(&mut self, ty: ir::Type) -> Variable {
        let variable = self.builder.declare_var(ty);
        if let Some(spilled) = &mut self.tools.spilled {
            let room = &mut self.builder.func.sized_stack_slots[spilled.room];
            spilled
                .words
                .insert(variable.as_u32(), (ty, room.size as i32));
            room.size += 8;
        }
        variable
    }

    /// What a word is at present.
    pub fn word_of(&mut self, variable: Variable) -> Value {
        let Some((room, ty, offset)) = self.spilled(variable) else {
            return self.builder.use_var(variable);
        };
        let address = self.builder.ins().stack_addr(types::I64, room, offset);
        self.builder.ins().load(ty, trusted(), address, 0)
    }

    pub fn set_word(&mut self, variable: Variable, value: Value) {
        let Some((room, _, offset)) = self.spilled(variable) else {
            return self.builder.def_var(variable, value);
        };
        let address = self.builder.ins().stack_addr(types::I64, room, offset);
        self.builder.ins().store(trusted(), value, address, 0);
    }

    fn spilled(&self, variable: Variable) -> Option<(StackSlot, ir::Type, i32)> {
        let spilled = self.tools.spilled.as_ref()?;
        let (ty, offset) = spilled.words[&variable.as_u32()];
        Some((spilled.room, ty, offset))
    }
}
