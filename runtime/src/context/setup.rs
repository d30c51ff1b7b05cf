//! A context's beginning and end: its stacks, its variables.

use super::{COLD_WORDS, Capabilities, MAX_CALL_DEPTH, TraceEntry, VMContext};
use crate::call;
use crate::error::RecentStacks;
use crate::heap::{allocator, cycles};
use crate::loaded::LoadedProgram;
use crate::output::Output;
use crate::platform;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::size_of;

/// Machine stack that helpers may use without asking: writing and comparing
/// values takes a few hundred bytes for each of at most 4,096 levels.
const STACK_MARGIN: usize = 2 << 20;
/// Address space of the value stack.
const VALUE_STACK: usize = 256 << 20;
/// Entries at the end of the call stack that top levels may still need.
const SPARE_TRACE: usize = 64;
/// Bytes of the call stack, whole pages.
const TRACE_SIZE: usize =
    ((MAX_CALL_DEPTH + SPARE_TRACE) * size_of::<TraceEntry>()).next_multiple_of(1 << 16);

impl VMContext {
    /// A context that is ready to run a program, with standard output
    /// buffered by line if it is a terminal.
    pub fn new(program: Box<LoadedProgram>) -> Box<VMContext> {
        let is_terminal = platform::output_is_terminal();
        let Some(stacks) = Stacks::reserve(VALUE_STACK) else {
            allocator::out_of_memory(VALUE_STACK);
        };
        VMContext::with(program, Output::new(is_terminal), stacks)
    }

    /// A context that writes to `output` and has these stacks.
    pub fn with(program: Box<LoadedProgram>, output: Output, stacks: Stacks) -> Box<VMContext> {
        let trace_base: *mut TraceEntry = stacks.base.cast();
        // SAFETY: all of it lies within the range that was reserved.
        let (trace_limit, base, limit) = unsafe {
            (
                trace_base.add(MAX_CALL_DEPTH),
                stacks.base.add(TRACE_SIZE).cast(),
                stacks.base.add(stacks.size).cast(),
            )
        };
        let mut globals: Vec<Value> = Vec::new();
        globals.resize_with(program.program.globals.len(), || Value::UNSET);
        Box::new(VMContext {
            globals: Box::into_raw(globals.into_boxed_slice()).cast(),
            constants: program.constants.as_ptr(),
            functions: program.functions.as_ptr(),
            site_shapes: program.site_shapes.as_ptr(),
            declared_shapes: program.declared_shapes.as_ptr(),
            builtins: program.builtins.as_ptr(),
            ascii: program.ascii.as_ptr(),
            trace_top: trace_base,
            trace_limit,
            stack_limit: stack_limit_here(),
            self_result: Value::UNSET,
            cold_words: [0; COLD_WORDS],
            trace_base,
            pending: None,
            recent_stacks: RecentStacks::default(),
            stack: call::ValueStack {
                base,
                top: base,
                limit,
            },
            variables: program.variables.clone(),
            host_variables: Vec::new(),
            program,
            output,
            args: Vec::new(),
            capabilities: Capabilities::ALL,
            exit_status: None,
            owns_process: false,
            threads_memory: None,
            closed_defs: Vec::new(),
            kept: Vec::new(),
            tier: None,
            heat: Vec::new(),
            interpreter: None,
        })
    }
}

impl Drop for VMContext {
    fn drop(&mut self) {
        self.output.flush();
        self.pending = None;
        self.recent_stacks.clear();
        self.self_result = Value::UNSET;
        self.host_variables.clear();
        self.closed_defs.clear();
        self.kept.clear();
        let count = self.program.program.globals.len();
        // SAFETY: `new` made the globals and the stacks; nobody runs any more.
        unsafe {
            let mut place = self.stack.base;
            while place < self.stack.top {
                core::ptr::drop_in_place(place);
                place = place.add(1);
            }
            drop(Box::from_raw(core::ptr::slice_from_raw_parts_mut(
                self.globals,
                count,
            )));
            cycles::collect();
            let size = self.stack.limit as usize - self.trace_base as usize;
            platform::release(self.trace_base.cast(), size);
        }
    }
}

/// Address space for a call stack and a value stack, of which only what is
/// touched takes memory.
pub struct Stacks {
    base: *mut u8,
    size: usize,
}

// SAFETY: the mapping belongs to whoever has this.
unsafe impl Send for Stacks {}

impl Stacks {
    /// Stacks with so many bytes for values; `None` if there is no room.
    pub fn reserve(value_stack: usize) -> Option<Stacks> {
        let size = TRACE_SIZE + value_stack;
        let base = platform::reserve(size)?;
        Some(Stacks { base, size })
    }

    /// Gives stacks back that no context has.
    pub fn unmap(self) {
        // SAFETY: nobody else has the mapping.
        unsafe { platform::release(self.base, self.size) };
    }
}

/// The lowest address that this thread's stack may reach.
pub fn stack_limit_here() -> usize {
    let (lowest, size) = stack_range();
    stack_limit_in(lowest, size)
}

/// The lowest address that may be reached of a stack.
pub fn stack_limit_in(lowest: usize, size: usize) -> usize {
    lowest + STACK_MARGIN.min(size / 2)
}

/// Where this thread's stack starts, and its size.
pub fn stack_range() -> (usize, usize) {
    platform::stack_range().unwrap_or_else(guessed_stack_range)
}

/// A stack of one megabyte, of which little is used: what is common at least.
fn guessed_stack_range() -> (usize, usize) {
    const SIZE: usize = 1 << 20;
    let here = 0u8;
    (
        (&raw const here as usize).saturating_sub(SIZE * 7 / 8),
        SIZE,
    )
}
