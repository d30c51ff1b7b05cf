//! Which calls are replaced by the callee's body before machine code is made.
//!
//! A body in IR carries its own depth check and entry of the call stack, so
//! errors and traces stay as they are.  Small functions are worth their room
//! anywhere; a function that calls itself is worth a second round, which
//! halves the number of its real calls again (a third one has been measured
//! to be slower).

use super::debug::{Inlined, Origin};
use crate::codegen::decision::{Decision, Kept, Record};
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

    /// Makes sure that there is a body to inline, or says why there won't be one.
    fn body(&mut self, caller: &ir::Function, func: FunctionId, limit: usize) -> Result<(), Kept> {
        let source = self.source;
        let function = &source.program.functions[func as usize];
        if function.code.len() > limit || function.info.flags.is_top_level {
            return Err(Kept::Large);
        }
        if caller.dfg.num_insts() > MAX_CALLER {
            return Err(Kept::FullCaller);
        }
        let translated = || codegen::translate(source, func).ok();
        match self.bodies.entry(func).or_insert_with(translated) {
            Some(body) if body.dfg.num_insts() <= MAX_BODY => Ok(()),
            Some(_) => Err(Kept::Large),
            None => Err(Kept::Bytecode),
        }
    }

    /// Records what becomes of a call that the caller itself makes, if somebody
    /// wants to know and its place is known.
    fn record(&self, caller: &ir::Function, call: ir::Inst, func: FunctionId, why: Option<Kept>) {
        let (Some(recorder), Some(name)) = (self.source.recorder, caller.name.get_user()) else {
            return;
        };
        let Callee::Direct(own) = Callee::from_external_name(name) else {
            return;
        };
        let place = caller.srcloc(call);
        let function = &self.source.program.functions[own as usize];
        if place.is_default() || place.bits() as usize >= function.code.len() {
            return;
        }
        let callee = func;
        recorder.record(Record {
            func: own,
            pc: place.bits(),
            decision: match why {
                None => Decision::Inlined { callee },
                Some(why) => Decision::Kept { callee, why },
            },
            is_resumed: function.info.flags.is_generator,
        });
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
        let why = self.inliner.body(caller, func, self.limit).err();
        self.inliner.record(caller, call, func, why);
        match (why, self.inliner.bodies.get(&func)) {
            (None, Some(Some(body))) => {
                self.done.push(Inlined::new(func, caller, call));
                InlineCommand::Inline {
                    callee: Cow::Borrowed(body),
                    visit_callee: false,
                }
            }
            _ => InlineCommand::KeepCall,
        }
    }
}
