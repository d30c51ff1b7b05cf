//! What is done about what is known.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    BlockCall, Function, Inst, InstBuilder, InstructionData, Opcode, types,
};

/// Something that can be done in a better way.
pub enum Edit {
    /// A comparison of known outcome.
    Known(Inst, bool),
    /// An operation that does not overflow.
    Unchecked(Inst),
    /// A signed division of what is not negative.
    Unsigned(Inst),
    /// A branch that always goes the same way.
    Always(Inst, BlockCall),
}

/// Does it.
pub fn apply(function: &mut Function, edit: Edit) {
    match edit {
        Edit::Known(inst, outcome) => {
            function.replace(inst).iconst(types::I8, i64::from(outcome));
        }
        Edit::Unchecked(inst) => {
            let InstructionData::Binary { opcode, args } = function.dfg.insts[inst] else {
                return;
            };
            let [result, overflow] = *function.dfg.inst_results(inst) else {
                return;
            };
            let mut cursor = FuncCursor::new(function).at_inst(inst);
            let [left, right] = args;
            let plain = match opcode {
                Opcode::SaddOverflow => cursor.ins().iadd(left, right),
                Opcode::SsubOverflow => cursor.ins().isub(left, right),
                _ => cursor.ins().imul(left, right),
            };
            let never = cursor.ins().iconst(types::I8, 0);
            cursor.remove_inst();
            function.dfg.clear_results(inst);
            function.dfg.change_to_alias(result, plain);
            function.dfg.change_to_alias(overflow, never);
        }
        Edit::Unsigned(inst) => {
            let InstructionData::Binary { opcode, args } = function.dfg.insts[inst] else {
                return;
            };
            let [left, right] = args;
            match opcode {
                Opcode::Sdiv => function.replace(inst).udiv(left, right),
                _ => function.replace(inst).urem(left, right),
            };
        }
        Edit::Always(inst, destination) => {
            function.dfg.insts[inst] = InstructionData::Jump {
                opcode: Opcode::Jump,
                destination,
            };
        }
    }
}
