//! The combinations of operators with operands, as tables.

use super::inst::{Inst, Operand, Target};
use crate::bytecode::Op;

/// Where a binary operator finds its operands; letters as in `Inst`'s names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operands {
    SS,
    SN(Operand),
    SI(i32),
    NN(Operand, Operand),
    NI(Operand, i32),
}

/// An arithmetic `Op` with these operands.
pub(super) fn arithmetic(op: Op, operands: Operands, to: Target) -> Option<Inst> {
    Some(match (op, operands) {
        (Op::Add {}, Operands::SS) => Inst::AddSS { to },
        (Op::Add {}, Operands::SN(right)) => Inst::AddSN { right, to },
        (Op::Add {}, Operands::SI(right)) => Inst::AddSI { right, to },
        (Op::Add {}, Operands::NN(left, right)) => Inst::AddNN { left, right, to },
        (Op::Add {}, Operands::NI(left, right)) => Inst::AddNI { left, right, to },
        (Op::Subtract {}, Operands::SS) => Inst::SubtractSS { to },
        (Op::Subtract {}, Operands::SN(right)) => Inst::SubtractSN { right, to },
        (Op::Subtract {}, Operands::SI(right)) => Inst::SubtractSI { right, to },
        (Op::Subtract {}, Operands::NN(left, right)) => Inst::SubtractNN { left, right, to },
        (Op::Subtract {}, Operands::NI(left, right)) => Inst::SubtractNI { left, right, to },
        (Op::Multiply {}, Operands::SS) => Inst::MultiplySS { to },
        (Op::Multiply {}, Operands::SN(right)) => Inst::MultiplySN { right, to },
        (Op::Multiply {}, Operands::SI(right)) => Inst::MultiplySI { right, to },
        (Op::Multiply {}, Operands::NN(left, right)) => Inst::MultiplyNN { left, right, to },
        (Op::Multiply {}, Operands::NI(left, right)) => Inst::MultiplyNI { left, right, to },
        (Op::Divide {}, Operands::SS) => Inst::DivideSS { to },
        (Op::Divide {}, Operands::SN(right)) => Inst::DivideSN { right, to },
        (Op::Divide {}, Operands::SI(right)) => Inst::DivideSI { right, to },
        (Op::Divide {}, Operands::NN(left, right)) => Inst::DivideNN { left, right, to },
        (Op::Divide {}, Operands::NI(left, right)) => Inst::DivideNI { left, right, to },
        (Op::Remainder {}, Operands::SS) => Inst::RemainderSS { to },
        (Op::Remainder {}, Operands::SN(right)) => Inst::RemainderSN { right, to },
        (Op::Remainder {}, Operands::SI(right)) => Inst::RemainderSI { right, to },
        (Op::Remainder {}, Operands::NN(left, right)) => Inst::RemainderNN { left, right, to },
        (Op::Remainder {}, Operands::NI(left, right)) => Inst::RemainderNI { left, right, to },
        _ => return None,
    })
}

/// A comparing `Op` with these operands and the conditional jump behind it.
pub(super) fn comparison(op: Op, operands: Operands, jump: Op) -> Option<Inst> {
    match jump {
        Op::JumpIfFalse { to } => unless(op, operands, to),
        Op::JumpIfTrue { to } => when(op, operands, to),
        _ => None,
    }
}

fn unless(op: Op, operands: Operands, to: u32) -> Option<Inst> {
    Some(match (op, operands) {
        (Op::Less {}, Operands::SS) => Inst::UnlessLessSS { to },
        (Op::Less {}, Operands::SN(right)) => Inst::UnlessLessSN { right, to },
        (Op::Less {}, Operands::SI(right)) => Inst::UnlessLessSI { right, to },
        (Op::Less {}, Operands::NN(left, right)) => Inst::UnlessLessNN { left, right, to },
        (Op::Less {}, Operands::NI(left, right)) => Inst::UnlessLessNI { left, right, to },
        (Op::LessEqual {}, Operands::SS) => Inst::UnlessLessEqualSS { to },
        (Op::LessEqual {}, Operands::SN(right)) => Inst::UnlessLessEqualSN { right, to },
        (Op::LessEqual {}, Operands::SI(right)) => Inst::UnlessLessEqualSI { right, to },
        (Op::LessEqual {}, Operands::NN(left, right)) => {
            Inst::UnlessLessEqualNN { left, right, to }
        }
        (Op::LessEqual {}, Operands::NI(left, right)) => {
            Inst::UnlessLessEqualNI { left, right, to }
        }
        (Op::Greater {}, Operands::SS) => Inst::UnlessGreaterSS { to },
        (Op::Greater {}, Operands::SN(right)) => Inst::UnlessGreaterSN { right, to },
        (Op::Greater {}, Operands::SI(right)) => Inst::UnlessGreaterSI { right, to },
        (Op::Greater {}, Operands::NN(left, right)) => Inst::UnlessGreaterNN { left, right, to },
        (Op::Greater {}, Operands::NI(left, right)) => Inst::UnlessGreaterNI { left, right, to },
        (Op::GreaterEqual {}, Operands::SS) => Inst::UnlessGreaterEqualSS { to },
        (Op::GreaterEqual {}, Operands::SN(right)) => Inst::UnlessGreaterEqualSN { right, to },
        (Op::GreaterEqual {}, Operands::SI(right)) => Inst::UnlessGreaterEqualSI { right, to },
        (Op::GreaterEqual {}, Operands::NN(left, right)) => {
            Inst::UnlessGreaterEqualNN { left, right, to }
        }
        (Op::GreaterEqual {}, Operands::NI(left, right)) => {
            Inst::UnlessGreaterEqualNI { left, right, to }
        }
        (Op::Equal {}, Operands::SS) => Inst::UnlessEqualSS { to },
        (Op::Equal {}, Operands::SN(right)) => Inst::UnlessEqualSN { right, to },
        (Op::Equal {}, Operands::SI(right)) => Inst::UnlessEqualSI { right, to },
        (Op::Equal {}, Operands::NN(left, right)) => Inst::UnlessEqualNN { left, right, to },
        (Op::Equal {}, Operands::NI(left, right)) => Inst::UnlessEqualNI { left, right, to },
        (Op::NotEqual {}, Operands::SS) => Inst::UnlessNotEqualSS { to },
        (Op::NotEqual {}, Operands::SN(right)) => Inst::UnlessNotEqualSN { right, to },
        (Op::NotEqual {}, Operands::SI(right)) => Inst::UnlessNotEqualSI { right, to },
        (Op::NotEqual {}, Operands::NN(left, right)) => Inst::UnlessNotEqualNN { left, right, to },
        (Op::NotEqual {}, Operands::NI(left, right)) => Inst::UnlessNotEqualNI { left, right, to },
        _ => return None,
    })
}

fn when(op: Op, operands: Operands, to: u32) -> Option<Inst> {
    Some(match (op, operands) {
        (Op::Less {}, Operands::SS) => Inst::IfLessSS { to },
        (Op::Less {}, Operands::SN(right)) => Inst::IfLessSN { right, to },
        (Op::Less {}, Operands::SI(right)) => Inst::IfLessSI { right, to },
        (Op::Less {}, Operands::NN(left, right)) => Inst::IfLessNN { left, right, to },
        (Op::Less {}, Operands::NI(left, right)) => Inst::IfLessNI { left, right, to },
        (Op::LessEqual {}, Operands::SS) => Inst::IfLessEqualSS { to },
        (Op::LessEqual {}, Operands::SN(right)) => Inst::IfLessEqualSN { right, to },
        (Op::LessEqual {}, Operands::SI(right)) => Inst::IfLessEqualSI { right, to },
        (Op::LessEqual {}, Operands::NN(left, right)) => Inst::IfLessEqualNN { left, right, to },
        (Op::LessEqual {}, Operands::NI(left, right)) => Inst::IfLessEqualNI { left, right, to },
        (Op::Greater {}, Operands::SS) => Inst::IfGreaterSS { to },
        (Op::Greater {}, Operands::SN(right)) => Inst::IfGreaterSN { right, to },
        (Op::Greater {}, Operands::SI(right)) => Inst::IfGreaterSI { right, to },
        (Op::Greater {}, Operands::NN(left, right)) => Inst::IfGreaterNN { left, right, to },
        (Op::Greater {}, Operands::NI(left, right)) => Inst::IfGreaterNI { left, right, to },
        (Op::GreaterEqual {}, Operands::SS) => Inst::IfGreaterEqualSS { to },
        (Op::GreaterEqual {}, Operands::SN(right)) => Inst::IfGreaterEqualSN { right, to },
        (Op::GreaterEqual {}, Operands::SI(right)) => Inst::IfGreaterEqualSI { right, to },
        (Op::GreaterEqual {}, Operands::NN(left, right)) => {
            Inst::IfGreaterEqualNN { left, right, to }
        }
        (Op::GreaterEqual {}, Operands::NI(left, right)) => {
            Inst::IfGreaterEqualNI { left, right, to }
        }
        (Op::Equal {}, Operands::SS) => Inst::IfEqualSS { to },
        (Op::Equal {}, Operands::SN(right)) => Inst::IfEqualSN { right, to },
        (Op::Equal {}, Operands::SI(right)) => Inst::IfEqualSI { right, to },
        (Op::Equal {}, Operands::NN(left, right)) => Inst::IfEqualNN { left, right, to },
        (Op::Equal {}, Operands::NI(left, right)) => Inst::IfEqualNI { left, right, to },
        (Op::NotEqual {}, Operands::SS) => Inst::IfNotEqualSS { to },
        (Op::NotEqual {}, Operands::SN(right)) => Inst::IfNotEqualSN { right, to },
        (Op::NotEqual {}, Operands::SI(right)) => Inst::IfNotEqualSI { right, to },
        (Op::NotEqual {}, Operands::NN(left, right)) => Inst::IfNotEqualNN { left, right, to },
        (Op::NotEqual {}, Operands::NI(left, right)) => Inst::IfNotEqualNI { left, right, to },
        _ => return None,
    })
}
