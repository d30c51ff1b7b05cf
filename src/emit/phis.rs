//! Parameters of blocks that are always the same value.
//!
//! A variable's value is a parameter of every block that was begun before all
//! ways to it were known: the heads of the loops around, and what lies in them
//! where ways meet.  Mostly all of these ways bring one value, or the parameter
//! itself.  Cranelift sees that only if the value is no parameter in turn, which
//! it is in every loop within a loop.  Then the values of outer loops move from
//! parameter to parameter all through the inner ones, and neither they nor what
//! is computed from them is known to be the same.
//!
//! As long as loops have one way in, taking such parameters away one by one
//! leaves none that is not needed (Braun et al., "Simple and Efficient
//! Construction of Static Single Assignment Form", 2013, section 3.2).

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, Function, Inst, Value};
use rustc_hash::FxHashMap;

/// Takes away the parameters that are always the same value.  Aliases are
/// resolved, before and after.
pub(super) fn remove_redundant_params(function: &mut Function) {
    let mut params = Params::of(function);
    params.replace();
    if !params.replacements.is_empty() {
        params.rewrite(function);
    }
}

/// A parameter of a block.
struct Param {
    value: Value,
    /// The first of what the ways to its block bring.
    args: Link,
}

/// What one way to a block brings for one of its parameters.
struct Arg {
    /// The parameter's number.
    param: usize,
    /// `None` for what only a call's two endings bring.
    value: Option<Value>,
    /// The next one of the parameter.
    next: Link,
    /// The next one that brings the same value.
    next_alike: Link,
}

/// The number of an argument, if there is one.
type Link = Option<u32>;

/// The parameters of all blocks but the first.
struct Params {
    params: Vec<Param>,
    args: Vec<Arg>,
    /// The first of the arguments that bring a value.
    takers: SecondaryMap<Value, Link>,
    /// What stands for parameters that are not needed.
    replacements: FxHashMap<Value, Value>,
}

impl Params {
    fn of(function: &Function) -> Params {
        let mut params = Vec::new();
        let mut firsts: SecondaryMap<Block, Option<u32>> = SecondaryMap::new();
        for block in function.layout.blocks() {
            if Some(block) == function.layout.entry_block() {
                continue;
            }
            firsts[block] = Some(params.len() as u32);
            let values = function.dfg.block_params(block).iter();
            params.extend(values.map(|value| Param {
                value: *value,
                args: None,
            }));
        }
        let mut args: Vec<Arg> = Vec::new();
        let mut takers: SecondaryMap<Value, Link> = SecondaryMap::new();
        for block in function.layout.blocks() {
            let Some(last) = function.layout.last_inst(block) else {
                continue;
            };
            for call in destinations(function, last) {
                let pool = &function.dfg.value_lists;
                let Some(first) = firsts[call.block(pool)] else {
                    continue;
                };
                for (param, arg) in (first as usize..).zip(call.args(pool)) {
                    let link = Some(args.len() as u32);
                    let value = arg.as_value();
                    args.push(Arg {
                        param,
                        value,
                        next: std::mem::replace(&mut params[param].args, link),
                        next_alike: value
                            .and_then(|value| std::mem::replace(&mut takers[value], link)),
                    });
                }
            }
        }
        Params {
            params,
            args,
            takers,
            replacements: FxHashMap::default(),
        }
    }

    /// What stands for a value in the end.
    fn standing_for(&self, mut value: Value) -> Value {
        while let Some(replacement) = self.replacements.get(&value) {
            value = *replacement;
        }
        value
    }

    /// The only value that a parameter can be, if there is one.
    fn only_value(&self, param: &Param) -> Option<Value> {
        let mut only = None;
        let mut next = param.args;
        while let Some(arg) = next.map(|link| &self.args[link as usize]) {
            next = arg.next;
            let value = self.standing_for(arg.value?);
            if value == param.value || only == Some(value) {
                continue;
            }
            if only.replace(value).is_some() {
                return None;
            }
        }
        only
    }

    /// Finds what stands for what.
    fn replace(&mut self) {
        // The first ones last, which is where they are taken from.
        let mut open: Vec<usize> = (0..self.params.len()).rev().collect();
        while let Some(index) = open.pop() {
            let param = &self.params[index];
            let value = param.value;
            if self.replacements.contains_key(&value) {
                continue;
            }
            if let Some(only) = self.only_value(param) {
                self.replacements.insert(value, only);
                // Who takes the one takes the other now.
                let mut taker = self.takers[value].take();
                while let Some(link) = taker {
                    let arg = &mut self.args[link as usize];
                    open.push(arg.param);
                    let before = std::mem::replace(&mut self.takers[only], taker);
                    taker = std::mem::replace(&mut arg.next_alike, before);
                }
            }
        }
    }

    fn rewrite(&self, function: &mut Function) {
        let blocks: Vec<Block> = function.layout.blocks().collect();
        let mut removed: FxHashMap<Block, Vec<bool>> = FxHashMap::default();
        for block in &blocks {
            let values = function.dfg.block_params(*block);
            let is_removed = |value: &Value| self.replacements.contains_key(value);
            if values.iter().any(is_removed) {
                removed.insert(*block, values.iter().map(is_removed).collect());
            }
        }
        for block in &blocks {
            let Some(last) = function.layout.last_inst(*block) else {
                continue;
            };
            drop_args(function, last, &removed);
        }
        for block in &blocks {
            for value in function.dfg.block_params(*block).to_vec() {
                if self.replacements.contains_key(&value) {
                    function.dfg.remove_block_param(value);
                    let replacement = self.standing_for(value);
                    function.dfg.change_to_alias(value, replacement);
                }
            }
        }
        function.dfg.resolve_all_aliases();
    }
}

/// Where control may go from an instruction at the end of a block.
pub(super) fn destinations(function: &Function, last: Inst) -> &[BlockCall] {
    let data = &function.dfg.insts[last];
    data.branch_destination(&function.dfg.jump_tables, &function.dfg.exception_tables)
}

/// Passes parameters that are removed nothing any more.
fn drop_args(function: &mut Function, last: Inst, removed: &FxHashMap<Block, Vec<bool>>) {
    let dfg = &mut function.dfg;
    let calls =
        dfg.insts[last].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
    for call in calls {
        let Some(is_removed) = removed.get(&call.block(&dfg.value_lists)) else {
            continue;
        };
        let args = call.args(&dfg.value_lists).zip(is_removed);
        let kept: Vec<BlockArg> = args
            .filter_map(|(arg, is_removed)| (!is_removed).then_some(arg))
            .collect();
        call.clear(&mut dfg.value_lists);
        for arg in kept {
            call.append_argument(arg, &mut dfg.value_lists);
        }
    }
}
