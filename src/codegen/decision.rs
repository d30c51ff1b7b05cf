//! What was decided while code was made, for whoever wants to be told.
//!
//! A decision is recorded where it is taken, so what is said about a program
//! can't disagree with its code.  Nothing here decides anything, and without a
//! recorder nothing is done.

use super::func::{Start, Translator};
use super::local::Home;
use super::signature::Class;
use ruff_runtime::bytecode::FunctionId;
use std::sync::{Mutex, PoisonError};

/// How a variable is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A number or bool in a register.
    Plain,
    /// A struct as its fields, each in a register of its own.
    Fields,
    /// A pointer to an object of known kind.
    Object,
    /// A value with its kind beside it, since that is not known.
    Tagged,
    /// In memory that closures share.
    Cell,
}

/// Why a call of a known function stays a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// The callee has too many instructions.
    Large,
    /// The caller has taken in as much as it may.
    FullCaller,
    /// The callee stays bytecode.
    Bytecode,
}

/// A decision about an instruction, or about a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    Held {
        slot: u32,
        form: Form,
    },
    /// Numbers are worked on in registers, and nothing is asked.
    Numbers,
    /// The code asks which kinds of numbers the operands are.
    AsksKind,
    /// The runtime does it with operands of any kind.
    ByRuntime,
    /// The runtime joins or compares strings, which both operands are.
    Text,
    /// Elements are where the look-up before the loop has found them.
    Viewed,
    /// An array's elements are looked up before the loop that begins here.
    Hoisted {
        slot: u32,
    },
    /// An element, character or entry is found without a call, or by one that
    /// knows what it gets.
    Element,
    /// A field is a register.
    FieldInRegister,
    /// A field is at a known place in its object.
    FieldInObject,
    /// A field is there if the object's shape is the declared one, which is asked.
    FieldIfShape,
    /// A place is changed where it is while nobody else has it.
    InPlace,
    /// A function is called by its name, with arguments in registers.
    Direct {
        callee: FunctionId,
    },
    /// The call is replaced by the callee's body.
    Inlined {
        callee: FunctionId,
    },
    Kept {
        callee: FunctionId,
        why: Kept,
    },
    /// A call of whatever a value turns out to be.
    CallsValue,
    /// A built-in that is a few instructions here.
    InlineBuiltin,
    /// A built-in that is called, with arguments in memory.
    CallsBuiltin,
    /// A built-in's loop over its callback is made here.
    LoopInPlace {
        callee: FunctionId,
    },
    /// An object is made.
    Makes,
    /// A struct or variant is made of registers alone.
    TakesApart,
    /// A struct or variant in registers becomes an object, since something needs one.
    MakesObject,
    /// An object gets one more owner.
    Shares,
    /// A loop's counter is a register.
    Counts,
    /// A loop takes elements or characters without a call.
    Iterates,
    /// A loop asks the runtime for each element.
    IteratesByRuntime,
    /// A loop's generator has become a part of the loop.
    Dissolved {
        callee: FunctionId,
    },
    /// A generator is an object, and its variables wait in its frame.
    MakesGenerator {
        callee: FunctionId,
    },
    /// A variable that functions share is read or written in memory.
    InMemory,
}

/// A decision and where it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub func: FunctionId,
    pub pc: u32,
    pub decision: Decision,
    /// It concerns a generator that is an object, not one that is part of a loop.
    pub is_resumed: bool,
}

/// Where decisions are written down, by all threads.
#[derive(Debug, Default)]
pub struct Recorder {
    records: Mutex<Vec<Record>>,
}

impl Recorder {
    pub fn record(&self, record: Record) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record);
    }

    /// All decisions by place.  Bodies are translated once for each thread that
    /// inlines them, always in the same way, so each decision is given once.
    pub fn into_records(self) -> Vec<Record> {
        let records = self.records.into_inner();
        let mut records = records.unwrap_or_else(PoisonError::into_inner);
        records.sort_unstable();
        records.dedup();
        records
    }
}

impl Translator<'_, '_, '_> {
    /// Records a decision about the present instruction, if somebody wants to
    /// know.  What is done where hardly ever anything is done is nothing to tell.
    pub fn record(&self, decision: Decision) {
        if self.source.recorder.is_some() && !self.is_in_cold_block() {
            self.record_at(self.pc, decision);
        }
    }

    /// The same about another instruction.
    pub fn record_at(&self, pc: u32, decision: Decision) {
        if let Some(recorder) = self.source.recorder {
            recorder.record(Record {
                func: self.func,
                pc,
                decision,
                is_resumed: self.start == Start::Resume,
            });
        }
    }

    fn is_in_cold_block(&self) -> bool {
        let block = self.builder.current_block();
        block.is_some_and(|block| self.builder.func.layout.is_cold(block))
    }

    /// Records how a variable is held.
    pub fn record_home(&self, slot: u32, home: Home) {
        let form = match home {
            Home::Value { class, .. } => match class {
                Class::Null | Class::Int | Class::Float | Class::Bool | Class::Character => {
                    Form::Plain
                }
                Class::Object(_) => Form::Object,
                Class::Dynamic => Form::Tagged,
                Class::Record(_) | Class::Sum(_) => Form::Fields,
            },
            Home::Record { .. } | Home::Sum { .. } => Form::Fields,
            Home::Cell { .. } => Form::Cell,
            Home::Memory { .. } | Home::Number { .. } | Home::Nowhere => return,
        };
        self.record_at(0, Decision::Held { slot, form });
    }
}
