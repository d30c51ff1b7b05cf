//! Instructions as they are emitted: labels, the operand stack's depth, slots
//! and source positions.

use super::Lowerer;
use crate::resolve::{FunctionIndex, VariableIndex};
use crate::source::SourceFile;
use ruff_runtime::bytecode::{Capture, Handler, Op, Position};
use ruff_runtime::names::NameId;

/// A function that is being lowered.
#[derive(Default)]
pub(super) struct Frame {
    pub function: FunctionIndex,
    pub code: Vec<Op>,
    pub captures: Vec<Capture>,
    pub handlers: Vec<Handler>,
    pub positions: Vec<(u32, Position)>,
    pub slot_names: Vec<NameId>,
    pub loop_heads: u32,
    /// Loops around this point, innermost last.
    pub loops: Vec<Loop>,
    /// The `self` that must be left for the caller.
    pub changed_self: Option<VariableIndex>,
    /// Operands on the stack.
    pub depth: u32,
    /// Where `return` goes in a module's top level, or in a part of a test.
    pub end: Option<Label>,
    /// Control does not get here.
    pub is_unreachable: bool,
    labels: Vec<LabelState>,
    /// The last instruction that something jumps to.
    last_target: Option<u32>,
    /// The offset in the source that the next instruction belongs to.
    offset: u32,
    noted: Option<u32>,
}

impl Frame {
    pub fn new(function: FunctionIndex) -> Frame {
        Frame {
            function,
            ..Frame::default()
        }
    }
}

pub(super) struct Loop {
    pub on_break: Label,
    pub on_continue: Label,
    /// Operands below those of the loop's body.
    pub depth: u32,
}

/// A place in the code that is not known yet when something jumps there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(u32);

#[derive(Default)]
struct LabelState {
    /// Jumps to it.
    jumps: Vec<u32>,
    /// The depth of the stack at it.
    depth: u32,
}

impl Lowerer<'_> {
    /// From here on, instructions belong to this place in the source.
    pub(super) fn at(&mut self, offset: u32) {
        self.frame.offset = offset;
    }

    pub(super) fn emit(&mut self, op: Op) {
        let effect = op.effect(&self.tables.program);
        if self.frame.is_unreachable {
            // Nobody will care; it must only not run away.
            self.frame.depth = (self.frame.depth + effect.pushes).saturating_sub(effect.pops);
            return;
        }
        self.frame.depth = self.frame.depth + effect.pushes - effect.pops;
        self.note_position();
        self.frame.code.push(op);
        self.frame.is_unreachable = op.ends();
    }

    fn note_position(&mut self) {
        if self.frame.noted == Some(self.frame.offset) {
            return;
        }
        self.frame.noted = Some(self.frame.offset);
        let file = self.unit().0;
        let mut position = self.lines[file as usize].position(self.frame.offset);
        position.file = file;
        let pc = self.frame.code.len() as u32;
        if self
            .frame
            .positions
            .last()
            .is_none_or(|(_, last)| *last != position)
        {
            self.frame.positions.push((pc, position));
        }
    }

    pub(super) fn label(&mut self) -> Label {
        self.frame.labels.push(LabelState::default());
        Label(self.frame.labels.len() as u32 - 1)
    }

    /// Emits an instruction that may jump forward to a label.
    pub(super) fn jump(&mut self, op: Op, to: Label) {
        let effect = op.effect(&self.tables.program);
        if !self.frame.is_unreachable {
            let label = &mut self.frame.labels[to.0 as usize];
            label.depth = self.frame.depth + effect.pushes_at_target - effect.pops;
            label.jumps.push(self.frame.code.len() as u32);
        }
        self.emit(op);
    }

    /// Puts a label here.
    pub(super) fn bind(&mut self, label: Label) {
        let mut state = std::mem::take(&mut self.frame.labels[label.0 as usize]);
        if self.drop_jump_to_next(&state) {
            state.jumps.pop();
        }
        if state.jumps.is_empty() {
            return;
        }
        let here = self.frame.code.len() as u32;
        debug_assert!(self.frame.is_unreachable || self.frame.depth == state.depth);
        for jump in state.jumps {
            self.frame.code[jump as usize].set_target(here);
        }
        self.frame.depth = state.depth;
        self.frame.is_unreachable = false;
        self.frame.last_target = Some(here);
        // The ways that meet here come from different places.
        self.frame.noted = None;
    }

    /// Takes back a jump to the label that would lead to what comes next anyway.
    fn drop_jump_to_next(&mut self, label: &LabelState) -> bool {
        let here = self.frame.code.len() as u32;
        let is_last = label.jumps.last().is_some_and(|jump| *jump + 1 == here);
        let is_plain = matches!(self.frame.code.last(), Some(Op::Jump { .. }));
        if !is_last || !is_plain || self.frame.last_target == Some(here) {
            return false;
        }
        self.frame.code.pop();
        let is_of_jump = |(pc, _): &(u32, Position)| *pc + 1 == here;
        if self.frame.positions.last().is_some_and(is_of_jump) {
            self.frame.positions.pop();
        }
        self.frame.depth = label.depth;
        self.frame.is_unreachable = false;
        self.frame.noted = None;
        true
    }

    /// Emits the head of a loop; gives its place for jumps back.
    pub(super) fn loop_head(&mut self) -> u32 {
        if self.frame.last_target == Some(self.frame.code.len() as u32) {
            // Only jumps from inside the loop may lead to its head.
            self.emit(Op::Null {});
            self.emit(Op::Pop {});
        }
        let head = self.frame.code.len() as u32;
        if !self.frame.is_unreachable {
            let number = self.frame.loop_heads;
            self.frame.loop_heads += 1;
            self.emit(Op::LoopHead { number });
        }
        head
    }

    pub(super) fn slot(&mut self, name: NameId) -> u32 {
        self.frame.slot_names.push(name);
        self.frame.slot_names.len() as u32 - 1
    }

    /// The first of `count` adjacent slots without a name.
    pub(super) fn hidden(&mut self, count: u32) -> u32 {
        let name = self.tables.name("");
        let first = self.slot(name);
        for _ in 1..count {
            self.slot(name);
        }
        first
    }

    /// Raises a runtime error where a value was wanted.
    pub(super) fn raise_for_value(&mut self, message: &str) {
        self.raise(message);
        self.emit(Op::Null {});
    }

    pub(super) fn raise(&mut self, message: &str) {
        let message = self.tables.text(message);
        self.emit(Op::Raise { message });
    }
}

/// Finds lines and columns in a file.
pub(super) struct Lines<'a> {
    file: &'a SourceFile,
    /// Characters before every `STRIDE`th byte.
    characters: Vec<u32>,
}

/// Counting characters from the start of a long line would take too long.
const STRIDE: usize = 64;

impl<'a> Lines<'a> {
    pub fn new(file: &'a SourceFile) -> Lines<'a> {
        let mut total = 0;
        let mut characters = vec![0];
        for chunk in file.text().as_bytes().chunks(STRIDE) {
            total += count_characters(chunk);
            characters.push(total);
        }
        Lines { file, characters }
    }

    pub fn position(&self, offset: u32) -> Position {
        let line = self.file.line(offset);
        let column = self.before(offset) - self.before(self.file.line_start(line)) + 1;
        Position {
            file: 0,
            line,
            column,
        }
    }

    /// Characters before a byte.
    fn before(&self, offset: u32) -> u32 {
        let offset = offset as usize;
        let start = offset / STRIDE * STRIDE;
        self.characters[offset / STRIDE]
            + count_characters(&self.file.text().as_bytes()[start..offset])
    }

    /// The first token at or behind an offset.
    pub fn token_after(&self, offset: u32) -> u32 {
        let text = self.file.text().as_bytes();
        let mut at = offset as usize;
        loop {
            match &text[at.min(text.len())..] {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => at += 1,
                [b'#', ..] | [b'/', b'/', ..] => {
                    at += text[at..]
                        .iter()
                        .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
                        .count();
                }
                [b'/', b'*', rest @ ..] => {
                    let len = rest
                        .windows(2)
                        .position(|pair| pair == b"*/")
                        .unwrap_or(rest.len());
                    at += len + 4;
                }
                _ => return at.min(text.len()) as u32,
            }
        }
    }
}

/// Bytes that start a character.
fn count_characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u32
}
