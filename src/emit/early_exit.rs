//! What a function does before it may return at once.
//!
//! Of the calls that a tree-recursive function makes, half or more return from the
//! test that it begins with.  Where such a call stays a call, the test is made in
//! front of it: a function that does nothing but test, and calls the other one if
//! there is more to do, is inlined there in its place.

use crate::codegen::names::Callee;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    Block, ExtFuncData, ExternalName, Function, Inst, InstBuilder, InstructionData, Opcode, Value,
};
use ruff_runtime::bytecode::{FunctionId, Op, Program};
use rustc_hash::FxHashSet;

/// Calls of itself from which on a function's recursion is that of a tree.
const BRANCHES: usize = 2;
/// Instructions of a test, all blocks on the way to it included.
const LONGEST: usize = 40;

/// Whether a function calls itself so often that half of the calls end at once.
pub(super) fn is_tree_recursive(program: &Program, func: FunctionId) -> bool {
    let code = &program.functions[func as usize].code;
    let calls_itself =
        |op: &&Op| matches!(op, Op::CallFunction { func: callee, .. } if *callee == func);
    code.iter().filter(calls_itself).count() >= BRANCHES
}

/// The test that a function's body begins with, and a call of the function behind it;
/// `None` if it does not begin with one.
pub(super) fn test_and_call(body: &Function, func: FunctionId) -> Option<Function> {
    let begin = Beginning::of(body)?;
    let mut function = body.clone();
    function.dfg.resolve_all_aliases();
    let mut blocks: Vec<Block> = function.layout.blocks().collect();
    blocks.retain(|block| !begin.blocks.contains(block));
    for block in blocks {
        while let Some(last) = function.layout.last_inst(block) {
            function.layout.remove_inst(last);
        }
        if block != begin.rest {
            function.layout.remove_block(block);
        }
    }
    let entry = function.layout.entry_block()?;
    let args: Vec<Value> = function.dfg.block_params(entry).to_vec();
    let signature = function.signature.clone();
    let signature = function.import_signature(signature);
    let name = Callee::Apart(func).external_name();
    let name = function.declare_imported_user_function(name);
    let callee = function.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    });
    let mut cursor = FuncCursor::new(&mut function).at_bottom(begin.rest);
    let call = cursor.ins().call(callee, &args);
    let results = cursor.func.dfg.inst_results(call).to_vec();
    cursor.ins().return_(&results);
    // Nothing lies there: what uses them is gone.
    function.sized_stack_slots.clear();
    Some(function)
}

/// The blocks of a function up to where it goes on behind its tests.
struct Beginning {
    blocks: FxHashSet<Block>,
    /// Where it goes on.
    rest: Block,
}

impl Beginning {
    fn of(body: &Function) -> Option<Beginning> {
        let entry = body.layout.entry_block()?;
        // The place in the call stack, where the function notes its number.
        let noted = *body.dfg.block_params(entry).get(1)?;
        let mut blocks = FxHashSet::default();
        let mut count = 0;
        let mut is_simple = |block: Block| {
            let insts = body.layout.block_insts(block);
            insts.into_iter().all(|inst| {
                count += 1;
                count <= LONGEST && is_harmless(body, inst, noted)
            })
        };
        let mut rest = entry;
        let mut has_test = false;
        loop {
            if blocks.contains(&rest) || !is_simple(rest) {
                break;
            }
            let last = body.layout.last_inst(rest)?;
            let pool = &body.dfg.value_lists;
            let next = match body.dfg.insts[last] {
                InstructionData::Jump { destination, .. } => destination.block(pool),
                InstructionData::Brif {
                    blocks: [one, other],
                    ..
                } => {
                    let [one, other] = [one, other].map(|call| call.block(pool));
                    let is_cold = |block: Block| body.layout.is_cold(block);
                    match (is_cold(one), is_cold(other)) {
                        (true, false) if returns(body, one) => {
                            blocks.insert(one);
                            other
                        }
                        (false, false) => {
                            let mut exits = |first, second| {
                                let way = way_out(body, first, &mut is_simple)?;
                                blocks.extend(way);
                                Some(second)
                            };
                            let Some(next) = exits(one, other).or_else(|| exits(other, one)) else {
                                break;
                            };
                            has_test = true;
                            next
                        }
                        _ => break,
                    }
                }
                _ => break,
            };
            blocks.insert(rest);
            rest = next;
        }
        (has_test && !blocks.contains(&rest)).then_some(Beginning { blocks, rest })
    }
}

/// Whether an instruction may be executed once more.
fn is_harmless(body: &Function, inst: Inst, noted: Value) -> bool {
    let data = &body.dfg.insts[inst];
    match *data {
        InstructionData::Store { args, .. } => body.dfg.resolve_aliases(args[1]) == noted,
        _ => {
            let opcode = data.opcode();
            !opcode.is_call() && !opcode.can_store() && opcode != Opcode::StackAddr
        }
    }
}

fn returns(body: &Function, block: Block) -> bool {
    let last = body.layout.last_inst(block);
    let is_return = |inst| body.dfg.insts[inst].opcode() == Opcode::Return;
    let mut insts = body.layout.block_insts(block);
    last.is_some_and(is_return)
        && !insts.any(|inst| body.dfg.insts[inst].opcode() == Opcode::StackAddr)
}

/// The blocks from one to the function's end, if there is a straight way.
fn way_out(
    body: &Function,
    from: Block,
    is_simple: &mut dyn FnMut(Block) -> bool,
) -> Option<Vec<Block>> {
    let mut way = Vec::new();
    let mut block = from;
    loop {
        if way.contains(&block) || !is_simple(block) {
            return None;
        }
        way.push(block);
        let last = body.layout.last_inst(block)?;
        match body.dfg.insts[last] {
            InstructionData::Jump { destination, .. } => {
                block = destination.block(&body.dfg.value_lists);
            }
            ref data if data.opcode() == Opcode::Return => return Some(way),
            _ => return None,
        }
    }
}
