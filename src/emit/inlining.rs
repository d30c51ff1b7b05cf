//! Which calls are replaced by the callee's body before machine code is made.
//!
//! A body in IR carries its own depth check and entry of the call stack, so
//! errors and traces stay as they are.  Small functions are worth their room
//! anywhere; a function that calls itself is worth a second round, which
//! halves the number of its real calls again (a third one has been measured
//! to be slower).

use super::debug::{Inlined, Origin};
use crate::codegen::names::Callee;
use crate::codegen::{self, Source};
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{self, ExternalName};
use ruff_runtime::bytecode::FunctionId;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// Instructions of bytecode up to which a function is inlined.
const SMALL: usize = 48;
/// Instructions of bytecode up to which it is inlined into what was inlined.
const TINY: usize = 32;
/// Instructions of IR up to which it is small: generators that are part of it
/// don't show in its bytecode.
const MAX_BODY: usize = 1000;
/// Instructions of IR from which on a function takes nothing more in.
const MAX_CALLER: usize = 4000;

/// Bodies to inline, translated once each.
pub(super) struct Inliner<'a> {
    source: Source<'a>,
    bodies: FxHashMap<FunctionId, Option<ir::Function>>,
}

impl<'a> Inliner<'a> {
    pub fn new(source: Source<'a>) -> Inliner<'a> {
        Inliner {
            source,
            bodies: FxHashMap::default(),
        }
    }

    /// Inlines into a body that was just translated; `origin` then knows where
    /// all of it comes from.
    pub fn expand(
        &mut self,
        context: &mut cranelift_codegen::Context,
        mut origin: Option<&mut Origin>,
    ) {
        for limit in [SMALL, TINY] {
            let mut round = Round {
                inliner: self,
                limit,
                done: Vec::new(),
            };
            // What fails here fails in the same way when the body is compiled.
            if !context.inline(&mut round).unwrap_or(false) {
                return;
            }
            let done = round.done;
            if let Some(origin) = &mut origin {
                self.follow(context, origin, &done);
            }
        }
    }

    fn follow(
        &self,
        context: &mut cranelift_codegen::Context,
        origin: &mut Origin,
        done: &[Inlined],
    ) {
        for inlined in done {
            let instructions = self.source.program.functions[inlined.func as usize]
                .code
                .len();
            if let Some(Some(body)) = self.bodies.get(&inlined.func) {
                origin.follow(&mut context.func, inlined, body, instructions);
            }
        }
    }

    fn is_candidate(&self, func: FunctionId, limit: usize) -> bool {
        let function = &self.source.program.functions[func as usize];
        function.code.len() <= limit && !function.info.flags.is_top_level
    }
}

struct Round<'b, 'a> {
    inliner: &'b mut Inliner<'a>,
    limit: usize,
    /// The calls that were replaced, in order.
    done: Vec<Inlined>,
}

impl Inline for Round<'_, '_> {
    fn inline(
        &mut self,
        caller: &ir::Function,
        call: ir::Inst,
        _opcode: ir::Opcode,
        callee: ir::FuncRef,
        _args: &[ir::Value],
    ) -> InlineCommand<'_> {
        let ExternalName::User(name) = caller.dfg.ext_funcs[callee].name else {
            return InlineCommand::KeepCall;
        };
        let name = &caller.params.user_named_funcs()[name];
        let Callee::Direct(func) = Callee::from_external_name(name) else {
            return InlineCommand::KeepCall;
        };
        if caller.dfg.num_insts() > MAX_CALLER || !self.inliner.is_candidate(func, self.limit) {
            return InlineCommand::KeepCall;
        }
        let source = self.inliner.source;
        let body = self
            .inliner
            .bodies
            .entry(func)
            .or_insert_with(|| codegen::translate(source, func).ok())
            .as_ref()
            .filter(|body| body.dfg.num_insts() <= MAX_BODY);
        match body {
            Some(body) => {
                self.done.push(Inlined::new(func, caller, call));
                InlineCommand::Inline {
                    callee: Cow::Borrowed(body),
                    visit_callee: false,
                }
            }
            None => InlineCommand::KeepCall,
        }
    }
}
