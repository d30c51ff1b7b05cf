//! From instructions back to the source: the token that an instruction came from.

use super::Checked;
use crate::resolve::SCRIPT;
use crate::source::Span;
use crate::syntax;
use ruff_runtime::bytecode::{FunctionId, Program};
use rustc_hash::FxHashMap;

/// The tokens of the program by line and column.
pub struct Places(FxHashMap<(u32, u32), Span>);

impl Places {
    pub fn new(checked: &Checked) -> Places {
        let id = checked.tree.span.file;
        let file = checked.sources.file(id);
        let (tokens, _) = syntax::tokens(checked.sources, id);
        let mut places = FxHashMap::default();
        // Tokens are in order, so columns are counted on from the one before:
        // a line may be very long.
        let (mut offset, mut line, mut column) = (0, 1, 1);
        for token in tokens {
            let start = token.span.start;
            let here = file.line(start);
            if here != line {
                (offset, line, column) = (file.line_start(here), here, 1);
            }
            column += file.text()[offset as usize..start as usize].chars().count() as u32;
            offset = start;
            places.insert((line, column), token.span);
        }
        Places(places)
    }

    /// The token that an instruction of the script belongs to.
    pub fn of_instruction(&self, program: &Program, func: FunctionId, pc: u32) -> Option<Span> {
        let position = program.position(func, pc)?;
        let token = self.0.get(&(position.line, position.column));
        token.copied().filter(|_| position.file == SCRIPT.0)
    }
}
