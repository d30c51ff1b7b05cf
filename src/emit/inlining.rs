//! Which calls are replaced by the callee's body before machine code is made.
//!
//! A body in IR carries its own depth check and entry of the call stack, so
//! errors and traces stay as they are.  Small functions are worth their room
//! anywhere; a function that calls itself is worth a second round, which
//! halves the number of its real calls again (a third one has been measured
//! to be slower).

use super::debug::{Inlined, Origin};
use super::early_exit::{is_tree_recursive, test_and_call};
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
    /// The tests that functions begin with, with calls of these functions.
    tests: FxHashMap<FunctionId, Option<ir::Function>>,
}

impl<'a> Inliner<'a> {
    pub fn new(source: Source<'a>) -> Inliner<'a> {
        Inliner {
            source,
            bodies: FxHashMap::default(),
            tests: FxHashMap::default(),
        }
    }

    /// A function's body, if it was translated already.
    pub fn translated(&self, func: FunctionId) -> Option<&ir::Function> {
        self.bodies.get(&func)?.as_ref()
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
                break;
            }
            let done = round.done;
            if let Some(origin) = &mut origin {
                self.follow(context, origin, &done);
            }
        }
        // Debuggers are told of whole calls.
        if origin.is_none() {
            let _ = context.inline(&mut Tests { inliner: self });
        }
    }

    /// The test that a function begins with, if it is worth making where it is called.
    fn test(&mut self, func: FunctionId) -> Option<&ir::Function> {
        let source = self.source;
        let make = || {
            if !is_tree_recursive(source.program, func) {
                return None;
            }
            let known = self.bodies.get(&func).and_then(Option::as_ref);
            let translated = match known {
                Some(_) => None,
                None => codegen::translate(source, func).ok(),
            };
            test_and_call(known.or(translated.as_ref())?, func)
        };
        self.tests.entry(func).or_insert_with(make).as_ref()
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

/// Makes the tests that functions begin with where these are called.
struct Tests<'b, 'a> {
    inliner: &'b mut Inliner<'a>,
}

impl Inline for Tests<'_, '_> {
    fn inline(
        &mut self,
        caller: &ir::Function,
        call: ir::Inst,
        _opcode: ir::Opcode,
        callee: ir::FuncRef,
        _args: &[ir::Value],
    ) -> InlineCommand<'_> {
        let block = caller.layout.inst_block(call);
        let is_cold = block.is_none_or(|block| caller.layout.is_cold(block));
        match directly_called(caller, callee) {
            Some(func) if !is_cold && caller.dfg.num_insts() <= MAX_CALLER => {
                match self.inliner.test(func) {
                    Some(test) => InlineCommand::Inline {
                        callee: Cow::Borrowed(test),
                        visit_callee: false,
                    },
                    None => InlineCommand::KeepCall,
                }
            }
            _ => InlineCommand::KeepCall,
        }
    }
}

/// The function whose body a call is of.
fn directly_called(caller: &ir::Function, callee: ir::FuncRef) -> Option<FunctionId> {
    let ExternalName::User(name) = caller.dfg.ext_funcs[callee].name else {
        return None;
    };
    match Callee::from_external_name(&caller.params.user_named_funcs()[name]) {
        Callee::Direct(func) => Some(func),
        _ => None,
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
        let Some(func) = directly_called(caller, callee) else {
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
