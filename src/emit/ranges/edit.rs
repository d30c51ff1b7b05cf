//! What is done about what is known.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    BlockCall, Function, Inst, InstBuilder, InstructionData, Opcode, Value, types,
};

/// Something that can be done in a better way.
pub enum Edit {
    /// A comparison of known outcome.
    Known(Inst, bool),
    /// An operation that does not overflow.
    Unchecked(Inst),
    /// One that overflows exactly if a comparison says so, which costs less than
    /// a flag that has to be made a value.
    Compared(Inst, Overflow),
    /// A signed division of what is not negative.
    Unsigned(Inst),
    /// A branch that always goes the same way.
    Always(Inst, BlockCall),
}

/// When an operation overflows.
#[derive(Clone, Copy)]
pub enum Overflow {
    /// If its result relates like this to one of its operands.
    ResultIs(IntCC, Value),
    /// If an operand is greater than this; neither is negative.
    Above(Value, i64),
}

/// Does it.
pub fn apply(function: &mut Function, edit: Edit) {
    match edit {
        Edit::Known(inst, outcome) => {
            function.replace(inst).iconst(types::I8, i64::from(outcome));
        }
        Edit::Unchecked(inst) => {
            operate(function, inst, |cursor, _| {
                cursor.ins().iconst(types::I8, 0)
            });
        }
        Edit::Compared(inst, overflow) => {
            operate(function, inst, |cursor, result| match overflow {
                Overflow::ResultIs(relation, operand) => {
                    cursor.ins().icmp(relation, result, operand)
                }
                Overflow::Above(operand, most) => {
                    let most = cursor.ins().iconst(types::I64, most);
                    cursor.ins().icmp(IntCC::UnsignedGreaterThan, operand, most)
                }
            });
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

/// Replaces an operation that tells of overflow by one that doesn't, and what
/// tells of overflow instead.
fn operate(
    function: &mut Function,
    inst: Inst,
    overflows: impl FnOnce(&mut FuncCursor, Value) -> Value,
) {
    let InstructionData::Binary {
        opcode,
        args: [left, right],
    } = function.dfg.insts[inst]
    else {
        return;
    };
    let [result, overflow] = *function.dfg.inst_results(inst) else {
        return;
    };
    let mut cursor = FuncCursor::new(function).at_inst(inst);
    cursor.use_srcloc(inst);
    let plain = match opcode {
        Opcode::SaddOverflow => cursor.ins().iadd(left, right),
        Opcode::SsubOverflow => cursor.ins().isub(left, right),
        _ => cursor.ins().imul(left, right),
    };
    let told = overflows(&mut cursor, plain);
    cursor.remove_inst();
    function.dfg.clear_results(inst);
    function.dfg.change_to_alias(result, plain);
    function.dfg.change_to_alias(overflow, told);
}

/// Removes what was loaded for comparisons that are not made any more; Cranelift
/// keeps loads.
pub fn remove_unused_loads(function: &mut Function) {
    function.dfg.resolve_all_aliases();
    let mut used: EntitySet<Value> = EntitySet::new();
    let mut loads: Vec<Inst> = Vec::new();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                used.insert(value);
            }
            if let InstructionData::Load {
                opcode: Opcode::Load,
                flags,
                ..
            } = function.dfg.insts[inst]
                && function.dfg.mem_flags[flags].notrap()
            {
                loads.push(inst);
            }
        }
    }
    for load in loads {
        if !used.contains(function.dfg.first_result(load)) {
            function.layout.remove_inst(load);
        }
    }
}
