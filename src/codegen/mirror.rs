//! Variables as debuggers see them: each has a mirror in the frame, which is
//! written whenever the variable changes and never read.
//!
//! A register holds a variable only as long as somebody needs it, and what the
//! code generator says about registers is wrong where a variable gets a constant.
//! A mirror is right everywhere.  It costs a store for each change, and nothing
//! where nobody asked for debug information.

use super::Debug;
use super::func::{Start, Translator};
use super::local::Home;
use super::memory::Part;
use super::record;
use super::signature::{Class, Fields};
use cranelift_codegen::ir::{
    InstBuilder, SourceLoc, StackSlot, StackSlotData, StackSlotKey, StackSlotKind, Value, types,
};
use cranelift_frontend::Variable;
use ruff_runtime::value::Tag;

/// What a mirror shows.  It is the key of its stack slot, and so it is still
/// known when machine code has been made, wherever that was inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// The variable in a slot, in the class of its type; a struct taken apart has
    /// 16 bytes for each field.
    Typed { slot: u32 },
    /// The variable in a slot as a whole value.
    Dynamic { slot: u32 },
    /// The cell of the variable in a slot.
    Cell { slot: u32 },
    /// The function object that is running.
    Callee,
    /// What the program runs in.
    Context,
}

/// Where the number of the slot begins in a key.
const SLOT_SHIFT: u32 = 8;

impl Mirror {
    fn key(self) -> StackSlotKey {
        let (kind, slot) = match self {
            Mirror::Typed { slot } => (0, slot),
            Mirror::Dynamic { slot } => (1, slot),
            Mirror::Cell { slot } => (2, slot),
            Mirror::Callee => (3, 0),
            Mirror::Context => (4, 0),
        };
        StackSlotKey::new(u64::from(slot) << SLOT_SHIFT | kind)
    }

    /// The mirror with this key: nothing else has keys.
    pub fn from_key(key: StackSlotKey) -> Mirror {
        let slot = (key.bits() >> SLOT_SHIFT) as u32;
        match key.bits() & ((1 << SLOT_SHIFT) - 1) {
            0 => Mirror::Typed { slot },
            1 => Mirror::Dynamic { slot },
            2 => Mirror::Cell { slot },
            3 => Mirror::Callee,
            _ => Mirror::Context,
        }
    }
}

/// Where the words of a class begin in a field's mirror, which is laid out as a
/// value is.
pub fn value_offset(class: Class) -> i32 {
    match class {
        Class::Int | Class::Float | Class::Bool => 8,
        Class::Null
        | Class::Dynamic
        | Class::Object(_)
        | Class::Character
        | Class::Record(_)
        | Class::Sum(_) => 0,
    }
}

/// The mirrors of a function's variables.
#[derive(Default)]
pub(super) struct Mirrors {
    /// By slot; empty if nobody wants any.
    slots: Vec<Option<StackSlot>>,
}

impl Translator<'_, '_, '_> {
    /// Says which instruction the IR that follows is made for.  A dissolved
    /// generator's is made for the loop that it is in.
    pub fn note_place(&mut self, pc: u32) {
        if self.source.debug != Debug::Nothing && self.start != Start::Dissolved {
            self.builder.set_srcloc(SourceLoc::new(pc));
        }
    }

    /// Says that the IR that follows is made for none.
    pub fn note_no_place(&mut self) {
        if self.start != Start::Dissolved {
            self.builder.set_srcloc(SourceLoc::default());
        }
    }

    /// Makes the mirrors, before anything is stored in the homes.
    pub fn make_mirrors(&mut self) {
        if self.source.debug != Debug::Variables {
            return;
        }
        for slot in 0..self.homes.len() as u32 {
            let mirror = match self.homes[slot as usize] {
                _ if !self.has_name(slot) => None,
                Home::Value {
                    class: Class::Dynamic,
                    ..
                } => Some(Mirror::Dynamic { slot }),
                Home::Value { .. } | Home::Record { .. } => Some(Mirror::Typed { slot }),
                Home::Cell { .. } => Some(Mirror::Cell { slot }),
                // Where variables are shown, variants are objects.
                Home::Sum { .. } | Home::Memory { .. } | Home::Number { .. } | Home::Nowhere => {
                    None
                }
            };
            let fields = match self.homes[slot as usize] {
                Home::Record { fields, .. } => fields.classes().count(),
                _ => 1,
            };
            let memory = mirror.map(|mirror| self.mirror(mirror, 16 * fields as u32));
            self.mirrors.slots.push(memory);
            if let Some(memory) = memory {
                self.empty_mirror(slot, memory);
            }
        }
    }

    /// Shows a variable that was not set yet; parameters are there at once.
    fn empty_mirror(&mut self, slot: u32, memory: StackSlot) {
        let is_param = slot < self.function.info.params.len() as u32;
        let zero = self.iconst(0);
        let Home::Record { fields, .. } = self.homes[slot as usize] else {
            if !is_param {
                self.write_mirror(memory, 0, zero);
            }
            return;
        };
        for (class, offset) in fields.classes().zip((0..).step_by(16)) {
            if class == Class::Null {
                let null = self.tag_word(Tag::Null);
                self.write_mirror(memory, offset, null);
            } else if !is_param {
                self.write_mirror(memory, offset + value_offset(class), zero);
            }
        }
    }

    /// Shows what globals and captured variables are found through.
    pub fn mirror_surroundings(&mut self) {
        if self.source.debug != Debug::Variables {
            return;
        }
        let memory = self.mirror(Mirror::Context, 8);
        self.write_mirror(memory, 0, self.ctx);
        if let Some(callee) = self.callee
            && !self.function.captures.is_empty()
        {
            let memory = self.mirror(Mirror::Callee, 8);
            self.write_mirror(memory, 0, callee);
        }
    }

    /// Shows the new words of a slot.
    pub fn update_mirror(&mut self, slot: u32, words: &[Value]) {
        if let Some(Some(memory)) = self.mirrors.slots.get(slot as usize).copied() {
            for (word, offset) in words.iter().zip([0, 8]) {
                self.write_mirror(memory, offset, *word);
            }
        }
    }

    /// Shows what a slot holds now.
    pub fn mirror_slot(&mut self, slot: u32) {
        if !matches!(self.mirrors.slots.get(slot as usize), Some(Some(_))) {
            return;
        }
        let words = match self.homes[slot as usize] {
            Home::Value {
                class: Class::Dynamic,
                first,
                second,
                ..
            } => vec![self.word_of(first), self.word_of(second)],
            Home::Value { first, .. } | Home::Cell { variable: first } => {
                vec![self.word_of(first)]
            }
            Home::Record { fields, first } => return self.mirror_fields(slot, fields, first),
            Home::Sum { .. } | Home::Memory { .. } | Home::Number { .. } | Home::Nowhere => return,
        };
        self.update_mirror(slot, &words);
    }

    /// Shows the fields of a struct taken apart.
    fn mirror_fields(&mut self, slot: u32, fields: Fields, first: Variable) {
        let Some(Some(memory)) = self.mirrors.slots.get(slot as usize).copied() else {
            return;
        };
        let words: Vec<Value> = record::variables(fields, first)
            .map(|variable| self.builder.use_var(variable))
            .collect();
        for (position, class) in fields.classes().enumerate() {
            let first = 16 * position as i32 + value_offset(class);
            let words = &words[fields.words_of(position)];
            for (word, offset) in words.iter().zip([first, first + 8]) {
                self.write_mirror(memory, offset, *word);
            }
        }
    }

    fn mirror(&mut self, mirror: Mirror, size: u32) -> StackSlot {
        let mut data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        data.key = Some(mirror.key());
        self.builder.create_sized_stack_slot(data)
    }

    fn write_mirror(&mut self, memory: StackSlot, offset: i32, word: Value) {
        let flags = Part::Mirrors.flags(self.builder.func);
        let address = self.builder.ins().stack_addr(types::I64, memory, offset);
        self.builder.ins().store(flags, word, address, 0);
    }

    fn has_name(&self, slot: u32) -> bool {
        let name = self.function.slot_names.get(slot as usize);
        name.is_some_and(|name| !self.source.program.names[*name as usize].is_empty())
    }
}
