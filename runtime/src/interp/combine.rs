//! The combinations of binary operators with operands.

use super::inst::{Inst, Local, Place, Target};
use crate::bytecode::Op;

/// Calls `$then!` with every operator and its combinations, in the order of
/// `Operands`, and then with what else it is given.
macro_rules! for_each_binary {
    ($then:ident; $($more:tt)*) => {
        $then! {
            math {
                Add: AddSS AddSN AddSI AddSK AddNN AddNI AddNK;
                Subtract: SubtractSS SubtractSN SubtractSI SubtractSK SubtractNN SubtractNI SubtractNK;
                Multiply: MultiplySS MultiplySN MultiplySI MultiplySK MultiplyNN MultiplyNI MultiplyNK;
                Divide: DivideSS DivideSN DivideSI DivideSK DivideNN DivideNI DivideNK;
                Remainder: RemainderSS RemainderSN RemainderSI RemainderSK RemainderNN RemainderNI RemainderNK;
            }
            unless {
                Less: UnlessLessSS UnlessLessSN UnlessLessSI UnlessLessSK
                    UnlessLessNN UnlessLessNI UnlessLessNK;
                LessEqual: UnlessLessEqualSS UnlessLessEqualSN UnlessLessEqualSI UnlessLessEqualSK
                    UnlessLessEqualNN UnlessLessEqualNI UnlessLessEqualNK;
                Greater: UnlessGreaterSS UnlessGreaterSN UnlessGreaterSI UnlessGreaterSK
                    UnlessGreaterNN UnlessGreaterNI UnlessGreaterNK;
                GreaterEqual: UnlessGreaterEqualSS UnlessGreaterEqualSN UnlessGreaterEqualSI UnlessGreaterEqualSK
                    UnlessGreaterEqualNN UnlessGreaterEqualNI UnlessGreaterEqualNK;
                Equal: UnlessEqualSS UnlessEqualSN UnlessEqualSI UnlessEqualSK
                    UnlessEqualNN UnlessEqualNI UnlessEqualNK;
                NotEqual: UnlessNotEqualSS UnlessNotEqualSN UnlessNotEqualSI UnlessNotEqualSK
                    UnlessNotEqualNN UnlessNotEqualNI UnlessNotEqualNK;
            }
            when {
                Less: IfLessSS IfLessSN IfLessSI IfLessSK
                    IfLessNN IfLessNI IfLessNK;
                LessEqual: IfLessEqualSS IfLessEqualSN IfLessEqualSI IfLessEqualSK
                    IfLessEqualNN IfLessEqualNI IfLessEqualNK;
                Greater: IfGreaterSS IfGreaterSN IfGreaterSI IfGreaterSK
                    IfGreaterNN IfGreaterNI IfGreaterNK;
                GreaterEqual: IfGreaterEqualSS IfGreaterEqualSN IfGreaterEqualSI IfGreaterEqualSK
                    IfGreaterEqualNN IfGreaterEqualNI IfGreaterEqualNK;
                Equal: IfEqualSS IfEqualSN IfEqualSI IfEqualSK
                    IfEqualNN IfEqualNI IfEqualNK;
                NotEqual: IfNotEqualSS IfNotEqualSN IfNotEqualSI IfNotEqualSK
                    IfNotEqualNN IfNotEqualNI IfNotEqualNK;
            }
            $($more)*
        }
    };
}
pub(super) use for_each_binary;

/// Where a binary operator finds its operands; letters as in `Inst`'s names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operands {
    SS,
    SN(Local),
    SI(i32),
    SK(Place),
    NN(Local, Local),
    NI(Local, i32),
    NK(Local, Place),
}

/// The `moves` of an instruction.
pub(super) fn moves(left: Option<Local>, right: Option<Local>) -> u8 {
    let bit = |local: Option<Local>, bit| {
        if local.is_some_and(|local| local.moves) {
            bit
        } else {
            0
        }
    };
    bit(left, 1) | bit(right, 2)
}

/// The function that gives an operator with these operands as one instruction.
macro_rules! define_combination {
    ($name:ident { $($op:ident: $ss:ident $sn:ident $si:ident $sk:ident $nn:ident $ni:ident $nk:ident;)* }) => {
        fn $name(op: Op, operands: Operands, to: u32) -> Option<Inst> {
            Some(match (op, operands) {
                $(
                    (Op::$op {}, Operands::SS) => Inst::$ss { to },
                    (Op::$op {}, Operands::SN(right)) => {
                        Inst::$sn { moves: moves(None, Some(right)), right: right.place(), to }
                    }
                    (Op::$op {}, Operands::SI(right)) => Inst::$si { right, to },
                    (Op::$op {}, Operands::SK(right)) => Inst::$sk { right, to },
                    (Op::$op {}, Operands::NN(left, right)) => {
                        let moves = moves(Some(left), Some(right));
                        Inst::$nn { moves, left: left.place(), right: right.place(), to }
                    }
                    (Op::$op {}, Operands::NI(left, right)) => {
                        Inst::$ni { moves: moves(Some(left), None), left: left.place(), right, to }
                    }
                    (Op::$op {}, Operands::NK(left, right)) => {
                        Inst::$nk { moves: moves(Some(left), None), left: left.place(), right, to }
                    }
                )*
                _ => return None,
            })
        }
    };
}
macro_rules! define_combinations {
    (math $math:tt unless $unless:tt when $when:tt) => {
        define_combination!(math $math);
        define_combination!(unless $unless);
        define_combination!(when $when);
    };
}
for_each_binary!(define_combinations;);

/// An arithmetic `Op` with these operands.
pub(super) fn arithmetic(op: Op, operands: Operands, to: Target) -> Option<Inst> {
    math(op, operands, to)
}

/// A comparing `Op` with these operands and the conditional jump behind it.
pub(super) fn comparison(op: Op, operands: Operands, jump: Op) -> Option<Inst> {
    match jump {
        Op::JumpIfFalse { to } => unless(op, operands, to),
        Op::JumpIfTrue { to } => when(op, operands, to),
        _ => None,
    }
}
