//! The interpreter: one exhaustive `match`, the reference for all engines.
//!
//! Operands live on the context's value stack; a call of one interpreted
//! function by another pushes a frame there and goes on in the same loop.
//! The arms hold the fast paths for scalars and flat arrays; everything else
//! is a call into `semantics`.
//!
//! Invariant: the program has passed `bytecode::verify`.  Stack depths, slot
//! numbers, jump targets and what slots hold are trusted here, not checked:
//! a frame's room is checked once, when it is entered.

mod access;
mod calls;
mod frame;
mod tiering;

use crate::bytecode::{Function, FunctionFlags, MethodSite, Op, Operator, Program, Var, VarKind};
use crate::call::{Entry, settle};
use crate::context::{TraceEntry, VMContext};
use crate::heap::{self, Array, CellObject};
use crate::semantics::convert::truthy;
use crate::semantics::{arith, call, catch, compare, index, iterate, make, matching};
use crate::value::{RawValue, Value};
use frame::{LINK_PLACES, Link, LinkKind, State, caller, drop_range, fits, leave, unwind};

/// How a function kept as bytecode is entered: calls run its body,
/// make its generator, or make its promise.
pub fn entry_for(function: &Function) -> Entry {
    let FunctionFlags {
        is_generator,
        is_async,
        ..
    } = function.info.flags;
    match (is_generator, is_async) {
        (true, _) => calls::interp_generator_entry,
        (_, true) => calls::interp_async_entry,
        _ => interp_entry,
    }
}

/// Runs an interpreted function: the `Entry` of its function objects.
///
/// # Safety
/// As for every `Entry`: the context is live, `trace` lies on its call stack,
/// `callee` is a live function object whose code is bytecode of the context's
/// program, and `args` are as many values as it has parameters, given up.
#[unsafe(export_name = "ruff_rt_interpret")]
pub unsafe extern "C" fn interp_entry(
    ctx: *mut VMContext,
    trace: *mut TraceEntry,
    callee: *const heap::Function,
    args: *mut Value,
) -> RawValue {
    // SAFETY: the caller vouches for its arguments; the function's frame is
    // built on the free part of the value stack, whose room is checked.
    unsafe {
        let ctx = &mut *ctx;
        let id = (*callee).info().id;
        if let Some(compiled) = tiering::replaced_entry(ctx, id) {
            return compiled(ctx, trace, callee, args);
        }
        let function: *const Function = &raw const ctx.program.program.functions[id as usize];
        let params = (*function).info.params.len();
        ctx.trace_top = trace;
        let slots = ctx.stack.top;
        if !fits(ctx, &*function, slots) || machine_stack_is_low(ctx) {
            drop_range(args, args.add(params));
            call::depth_exceeded(ctx, id);
            return RawValue::RAISED;
        }
        core::ptr::copy(args, slots, params);
        let state = push_frame(ctx, &*function, callee, slots);
        (*state.link()).kind = LinkKind::Entry;
        (*state.link()).result = slots;
        let result = run(ctx, state);
        ctx.stack.top = slots;
        ctx.trace_top = trace;
        result
    }
}

/// Whether the machine stack is nearly used up.
#[inline(always)]
fn machine_stack_is_low(ctx: &VMContext) -> bool {
    let here = 0u8;
    (&raw const here as usize) < ctx.stack_limit
}

/// Builds a frame above the arguments in `slots`, which fits, and notes the
/// function on the call stack.  The caller fills the link.
///
/// # Safety
/// `slots` hold the function's arguments on the value stack, and nothing above
/// them is live.
#[inline(always)]
unsafe fn push_frame(
    ctx: &mut VMContext,
    function: &Function,
    callee: *const heap::Function,
    slots: *mut Value,
) -> State {
    // SAFETY: the caller has checked the room.
    unsafe {
        let end = slots.add(function.slots as usize);
        let mut place = slots.add(function.info.params.len());
        while place < end {
            place.write(Value::UNSET);
            place = place.add(1);
        }
        if !function.info.flags.is_top_level {
            ctx.trace_top.write(TraceEntry(function.info.id));
            ctx.trace_top = ctx.trace_top.add(1);
        }
        State {
            pc: function.code.as_ptr(),
            sp: end.add(LINK_PLACES),
            slots,
            function,
            callee,
        }
    }
}

/// The place of a variable.
///
/// # Safety
/// The frame is live, and the variable one that the verifier has accepted.
#[inline(always)]
unsafe fn variable(
    ctx: &VMContext,
    slots: *mut Value,
    callee: *const heap::Function,
    var: Var,
) -> *mut Value {
    let number = var.number() as usize;
    // SAFETY: verified: the slot exists and holds a cell where one is needed.
    unsafe {
        match var.kind() {
            VarKind::Local => slots.add(number),
            VarKind::Cell => cell_place(slots.add(number)),
            VarKind::Capture => cell_place((*callee).captures().as_ptr().add(number)),
            VarKind::Global => ctx.globals.add(number),
        }
    }
}

/// Where the variable in a cell lives.
///
/// # Safety
/// `holder` holds a cell.
#[inline(always)]
unsafe fn cell_place(holder: *const Value) -> *mut Value {
    // SAFETY: the caller vouches for the cell.
    unsafe { (*((*holder).payload() as *const CellObject)).place() }
}

/// Pops two operands into a cold operation and pushes its result; false if it raised.
#[inline(never)]
unsafe fn binary(
    ctx: &mut VMContext,
    sp: *mut Value,
    operation: fn(&mut VMContext, Value, Value) -> Result<Value, crate::error::Raised>,
) -> bool {
    // SAFETY: two operands are on the stack; the result takes the lower one's place.
    unsafe {
        ctx.stack.top = sp;
        let (left, right) = (sp.sub(2).read(), sp.sub(1).read());
        match operation(ctx, left, right) {
            Ok(value) => {
                sp.sub(2).write(value);
                true
            }
            Err(_) => false,
        }
    }
}

/// As `binary` for operations that borrow their operands.
#[inline(never)]
unsafe fn binary_borrowed(
    ctx: &mut VMContext,
    sp: *mut Value,
    operation: fn(&mut VMContext, &Value, &Value) -> Result<Value, crate::error::Raised>,
) -> bool {
    // SAFETY: as for `binary`.
    unsafe {
        ctx.stack.top = sp;
        let (left, right) = (sp.sub(2).read(), sp.sub(1).read());
        match operation(ctx, &left, &right) {
            Ok(value) => {
                sp.sub(2).write(value);
                true
            }
            Err(_) => false,
        }
    }
}

/// Runs the frame of `state` and what it calls; gives the result of the
/// function whose link ends the run.
///
/// # Safety
/// The state is that of a frame just built, whose link is filled.
#[expect(clippy::cognitive_complexity, reason = "one arm per instruction")]
unsafe fn run(ctx: &mut VMContext, state: State) -> RawValue {
    let State {
        mut pc,
        mut sp,
        mut slots,
        mut function,
        mut callee,
    } = state;
    // SAFETY: the frame is live; this holds for the whole function, by the
    // module's invariant: every access below is to a slot, operand, table row
    // or instruction that the verifier has accepted.
    unsafe {
        let mut code = (*function).code.as_ptr();
        let program: *const Program = &raw const *ctx.program.program;

        macro_rules! push {
            ($value:expr) => {{
                sp.write($value);
                sp = sp.add(1);
            }};
        }
        macro_rules! pop {
            () => {{
                sp = sp.sub(1);
                sp.read()
            }};
        }
        // Replaces the top by what is computed from it.
        macro_rules! map_top {
            (|$top:ident| $result:expr) => {{
                let $top = sp.sub(1).read();
                let result = $result;
                drop($top);
                sp.sub(1).write(result);
            }};
        }
        macro_rules! state {
            () => {
                State {
                    pc,
                    sp,
                    slots,
                    function,
                    callee,
                }
            };
        }
        macro_rules! resume {
            ($state:expr) => {{
                let state = $state;
                pc = state.pc;
                sp = state.sp;
                slots = state.slots;
                function = state.function;
                callee = state.callee;
                code = (*function).code.as_ptr();
            }};
        }

        loop {
            // Leaving the inner loop means that an error is pending.
            'execute: loop {
                // Computes what may fail; an error leaves the loop.
                macro_rules! attempt {
                    ($result:expr) => {
                        match $result {
                            Ok(value) => value,
                            Err(_) => break 'execute,
                        }
                    };
                }
                macro_rules! arithmetic {
                    ($ints:ident, $float:tt, $slow:path) => {{
                        let (left, right) = (sp.sub(2), sp.sub(1));
                        if let (Some(a), Some(b)) = ((*left).as_int(), (*right).as_int()) {
                            if let Some(result) = a.$ints(b) {
                                left.write(Value::int(result));
                                sp = right;
                                continue 'execute;
                            }
                        } else if let (Some(a), Some(b)) = ((*left).as_float(), (*right).as_float()) {
                            left.write(Value::float(a $float b));
                            sp = right;
                            continue 'execute;
                        }
                        sp = left;
                        if !binary(ctx, sp.add(2), $slow) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }};
                }
                // A conditional jump right behind takes the truth without the
                // detour over the stack.
                macro_rules! truth {
                    ($truth:expr) => {{
                        let truth: bool = $truth;
                        match *pc {
                            Op::JumpIfFalse { to } => {
                                pc = if truth {
                                    pc.add(1)
                                } else {
                                    code.add(to as usize)
                                };
                            }
                            Op::JumpIfTrue { to } => {
                                pc = if truth {
                                    code.add(to as usize)
                                } else {
                                    pc.add(1)
                                };
                            }
                            _ => push!(Value::bool(truth)),
                        }
                    }};
                }
                macro_rules! comparison {
                    ($operator:tt, $slow:path) => {{
                        let (left, right) = (sp.sub(2), sp.sub(1));
                        if let (Some(a), Some(b)) = ((*left).as_int(), (*right).as_int()) {
                            sp = left;
                            truth!(a $operator b);
                            continue 'execute;
                        } else if let (Some(a), Some(b)) = ((*left).as_float(), (*right).as_float()) {
                            sp = left;
                            truth!(a $operator b);
                            continue 'execute;
                        }
                        sp = left;
                        if !binary_borrowed(ctx, sp.add(2), $slow) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }};
                }
                macro_rules! equality {
                    ($wanted:expr, $slow:path) => {{
                        let (left, right) = (sp.sub(2), sp.sub(1));
                        if let (Some(a), Some(b)) = ((*left).as_int(), (*right).as_int()) {
                            sp = left;
                            truth!((a == b) == $wanted);
                            continue 'execute;
                        }
                        sp = left;
                        if !binary_borrowed(ctx, sp.add(2), $slow) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }};
                }
                // Goes on in the frame of an interpreted function.
                macro_rules! enter {
                    ($target:expr, $object:expr, $args:expr, $result:expr, $kind:expr, $site:expr) => {{
                        let target: *const Function = $target;
                        let frame = push_frame(ctx, &*target, $object, $args);
                        let link = frame.link();
                        link.write(Link {
                            kind: $kind,
                            result: $result,
                            pc,
                            slots,
                            function,
                            callee,
                            site: $site,
                        });
                        resume!(frame);
                    }};
                }

                let op = *pc;
                pc = pc.add(1);
                match op {
                    Op::Null {} => push!(Value::NULL),
                    Op::True {} => push!(Value::TRUE),
                    Op::False {} => push!(Value::FALSE),
                    Op::Int { value } => push!(Value::int(value as i64)),
                    Op::Constant { index } => push!((*ctx.constants.add(index as usize)).clone()),
                    Op::Function { func } => push!((*ctx.functions.add(func as usize)).clone()),
                    Op::Builtin { builtin } => {
                        push!(Value::builtin(ctx.program.builtins[builtin as usize]));
                    }

                    Op::Pop {} => drop(pop!()),
                    Op::Dup {} => push!((*sp.sub(1)).clone()),

                    Op::LoadLocal { slot } => push!((*slots.add(slot as usize)).clone()),
                    Op::MoveLocal { slot } => push!((*slots.add(slot as usize)).take()),
                    Op::StoreLocal { slot } => *slots.add(slot as usize) = pop!(),
                    Op::ClearLocal { slot } => *slots.add(slot as usize) = Value::UNSET,
                    Op::NewCell { slot } => {
                        *slots.add(slot as usize) = Value::from(CellObject::new(Value::UNSET));
                    }
                    Op::BoxLocal { slot } => {
                        let value = (*slots.add(slot as usize)).take();
                        slots
                            .add(slot as usize)
                            .write(Value::from(CellObject::new(value)));
                    }
                    Op::LoadCell { slot } => push!((*cell_place(slots.add(slot as usize))).clone()),
                    Op::StoreCell { slot } => *cell_place(slots.add(slot as usize)) = pop!(),
                    Op::LoadCapture { index } => {
                        push!((*(*callee).captures().as_ptr().add(index as usize)).clone());
                    }
                    Op::LoadCaptureCell { index } => {
                        let cell = (*callee).captures().as_ptr().add(index as usize);
                        push!((*cell_place(cell)).clone());
                    }
                    Op::Callee {} => {
                        push!(Value::from(heap::Ref::from_borrowed(&*callee)));
                    }
                    Op::StoreCaptureCell { index } => {
                        let cell = (*callee).captures().as_ptr().add(index as usize);
                        *cell_place(cell) = pop!();
                    }
                    Op::LoadGlobal { global } => push!((*ctx.globals.add(global as usize)).clone()),
                    Op::StoreGlobal { global } => *ctx.globals.add(global as usize) = pop!(),
                    Op::JumpIfUnset { var, to } => {
                        if (*variable(ctx, slots, callee, var)).is_unset() {
                            pc = code.add(to as usize);
                        }
                    }

                    Op::Add {} => arithmetic!(checked_add, +, arith::add),
                    Op::Subtract {} => arithmetic!(checked_sub, -, arith::subtract),
                    Op::Multiply {} => arithmetic!(checked_mul, *, arith::multiply),
                    Op::Divide {} => {
                        let (left, right) = (sp.sub(2), sp.sub(1));
                        sp = left;
                        if let (Some(a), Some(b)) = ((*left).as_int(), (*right).as_int()) {
                            if let Some(result) = a.checked_div(b) {
                                push!(Value::int(result));
                                continue 'execute;
                            }
                        } else if let (Some(a), Some(b)) = ((*left).as_float(), (*right).as_float())
                        {
                            if b != 0.0 {
                                push!(Value::float(a / b));
                                continue 'execute;
                            }
                        }
                        if !binary(ctx, sp.add(2), arith::divide) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }
                    Op::Remainder {} => {
                        let (left, right) = (sp.sub(2), sp.sub(1));
                        sp = left;
                        if let (Some(a), Some(b)) = ((*left).as_int(), (*right).as_int()) {
                            if let Some(result) = a.checked_rem(b) {
                                push!(Value::int(result));
                                continue 'execute;
                            }
                        }
                        if !binary(ctx, sp.add(2), arith::remainder) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }
                    Op::Equal {} => equality!(true, compare::equal),
                    Op::NotEqual {} => equality!(false, compare::not_equal),
                    Op::Less {} => comparison!(<, compare::less),
                    Op::LessEqual {} => comparison!(<=, compare::less_equal),
                    Op::Greater {} => comparison!(>, compare::greater),
                    Op::GreaterEqual {} => comparison!(>=, compare::greater_equal),
                    Op::Negate {} => {
                        ctx.stack.top = sp;
                        let value = pop!();
                        push!(attempt!(arith::negate(ctx, value)));
                    }
                    Op::Not {} => {
                        ctx.stack.top = sp;
                        let value = pop!();
                        push!(attempt!(arith::not(ctx, value)));
                    }
                    Op::Truthy {} => map_top!(|top| Value::bool(truthy(&top))),
                    Op::Falsy {} => map_top!(|top| Value::bool(!truthy(&top))),
                    Op::SameValue {} => {
                        let right = pop!();
                        let left = pop!();
                        truth!(compare::same_value(&left, &right));
                    }
                    Op::Update { var, operator } => {
                        let place = variable(ctx, slots, callee, var);
                        if let (Some(a), Some(b)) = ((*place).as_int(), (*sp.sub(1)).as_int()) {
                            let result = match operator {
                                Operator::Add => a.checked_add(b),
                                Operator::Subtract => a.checked_sub(b),
                                Operator::Multiply => a.checked_mul(b),
                                Operator::Divide | Operator::Remainder => None,
                            };
                            if let Some(result) = result {
                                place.write(Value::int(result));
                                sp = sp.sub(1);
                                continue 'execute;
                            }
                        }
                        ctx.stack.top = sp;
                        let right = pop!();
                        attempt!(arith::update(ctx, place, operator, right));
                    }
                    Op::UpdateFrom { var, operator } => {
                        ctx.stack.top = sp;
                        let place = variable(ctx, slots, callee, var);
                        let right = pop!();
                        let old = pop!();
                        attempt!(arith::update_from(ctx, place, operator, old, right));
                    }

                    Op::Jump { to } => pc = code.add(to as usize),
                    Op::JumpIfFalse { to } => {
                        sp = sp.sub(1);
                        let truth = match (*sp).as_bool() {
                            Some(truth) => truth,
                            None => truthy(&sp.read()),
                        };
                        if !truth {
                            pc = code.add(to as usize);
                        }
                    }
                    Op::JumpIfTrue { to } => {
                        sp = sp.sub(1);
                        let truth = match (*sp).as_bool() {
                            Some(truth) => truth,
                            None => truthy(&sp.read()),
                        };
                        if truth {
                            pc = code.add(to as usize);
                        }
                    }
                    Op::JumpIfNotNull { to } => {
                        if (*sp.sub(1)).is_null() {
                            sp = sp.sub(1);
                        } else {
                            pc = code.add(to as usize);
                        }
                    }
                    Op::JumpIfNull { to } => {
                        if (*sp.sub(1)).is_null() {
                            pc = code.add(to as usize);
                        }
                    }
                    Op::JumpIfUnwrapped { to } => {
                        let found = attempt!(matching::unwrapped(ctx, &*sp.sub(1)));
                        if !found.is_unset() {
                            *sp.sub(1) = found;
                            pc = code.add(to as usize);
                        }
                    }
                    Op::LoopHead { number } => {
                        if ctx.tier.is_some() && sp == state!().operands() {
                            if let Some(entry) = tiering::hot_loop(ctx, (*function).info.id, number)
                            {
                                ctx.stack.top = sp;
                                let top_level = (*function).info.flags.is_top_level;
                                let own = ctx.trace_top.sub(!top_level as usize);
                                let result = entry(ctx, own, callee, slots);
                                ctx.trace_top = own.add(!top_level as usize);
                                // The slots were taken over and are empty now.
                                let mut place = slots;
                                while place < state!().link().cast() {
                                    place.write(Value::UNSET);
                                    place = place.add(1);
                                }
                                push!(attempt!(settle(result)));
                                // The result leaves the frame like any other.
                                pc = &raw const tiering::RETURN;
                            }
                        }
                    }
                    Op::Return {} => {
                        let result = pop!();
                        let link = leave(ctx, &state!());
                        match (*link).kind {
                            LinkKind::Call => {
                                drop_range((*link).result, slots);
                                resume!(caller(link));
                                push!(result);
                            }
                            LinkKind::Method => {
                                let changes_self = (*function).info.flags.changes_self;
                                let (site, end) = ((*link).site, slots);
                                resume!(caller(link));
                                // Below the slots lie the indexes of the receiver's place.
                                let stored = if changes_self {
                                    calls::store_self(ctx, &*site, &state!())
                                } else {
                                    Ok(())
                                };
                                drop_range(sp, end);
                                if stored.is_err() {
                                    drop(result);
                                    break 'execute;
                                }
                                push!(result);
                            }
                            LinkKind::Entry => return result.into_raw(),
                            LinkKind::Generator => {
                                return calls::finish_generator(ctx, link, result);
                            }
                        }
                    }
                    Op::StoreSelfResult {} => ctx.self_result = pop!(),

                    Op::Call { argc } => {
                        let args = sp.sub(argc as usize);
                        let object = args.sub(1);
                        if let Some(callable) = (*object).as_object::<heap::Function>() {
                            let info = callable.info();
                            if info.params.len() == argc as usize && !info.flags.is_method {
                                let target: *const Function =
                                    (*program).functions.as_ptr().add(info.id as usize);
                                if tiering::is_interpreted(ctx, callable, info.id) {
                                    if fits(ctx, &*target, args) {
                                        enter!(
                                            target,
                                            callable,
                                            args,
                                            object,
                                            LinkKind::Call,
                                            core::ptr::null()
                                        );
                                        continue 'execute;
                                    }
                                } else {
                                    ctx.stack.top = sp;
                                    let trace = ctx.trace_top;
                                    let result = (callable.entry())(ctx, trace, callable, args);
                                    ctx.trace_top = trace;
                                    sp = args;
                                    let result = attempt!(settle(result));
                                    *object = result;
                                    continue 'execute;
                                }
                            }
                        }
                        ctx.stack.top = sp;
                        let result = calls::call_value(ctx, object, argc as usize);
                        sp = object;
                        push!(attempt!(result));
                    }
                    Op::CallFunction { func, argc } => {
                        let args = sp.sub(argc as usize);
                        let object =
                            (*ctx.functions.add(func as usize)).payload() as *const heap::Function;
                        let target: *const Function =
                            (*program).functions.as_ptr().add(func as usize);
                        if tiering::is_interpreted(ctx, &*object, func) && fits(ctx, &*target, args)
                        {
                            enter!(
                                target,
                                object,
                                args,
                                args,
                                LinkKind::Call,
                                core::ptr::null()
                            );
                            continue 'execute;
                        }
                        ctx.stack.top = sp;
                        let trace = ctx.trace_top;
                        let result = ((*object).entry())(ctx, trace, object, args);
                        ctx.trace_top = trace;
                        sp = args;
                        push!(attempt!(settle(result)));
                    }
                    Op::CallBuiltin { builtin, argc } => {
                        ctx.stack.top = sp;
                        let args = sp.sub(argc as usize);
                        let function = ctx.program.builtins[builtin as usize].function;
                        let result =
                            function(ctx, core::slice::from_raw_parts_mut(args, argc as usize));
                        drop_range(args, sp);
                        sp = args;
                        push!(attempt!(result));
                    }
                    Op::CallWith { site } => {
                        ctx.stack.top = sp;
                        let site = &(&(*program).call_sites)[site as usize];
                        let values = sp.sub(site.args.len());
                        let callable = values.sub(1);
                        let slice = core::slice::from_raw_parts_mut(values, site.args.len());
                        let result = call::call_with(ctx, site, &*callable, slice);
                        drop_range(callable, sp);
                        sp = callable;
                        push!(attempt!(result));
                    }
                    Op::CallMethod { site } => {
                        ctx.stack.top = sp;
                        let site: *const MethodSite =
                            (*program).method_sites.as_ptr().add(site as usize);
                        match calls::method(ctx, &*site, &state!()) {
                            calls::Called::Done { result, start } => {
                                sp = start;
                                push!(attempt!(result));
                            }
                            calls::Called::Frame {
                                target,
                                object,
                                slots: args,
                                result,
                            } => {
                                enter!(target, object, args, result, LinkKind::Method, site);
                            }
                        }
                    }
                    Op::Mutate { site } => {
                        ctx.stack.top = sp;
                        let (result, start) = access::mutate(ctx, site, &state!());
                        sp = start;
                        attempt!(result);
                    }

                    Op::MakeArray { count } => {
                        let values = sp.sub(count as usize);
                        let slice = core::slice::from_raw_parts_mut(values, count as usize);
                        let result = make::array(ctx, slice);
                        drop_range(values, sp);
                        sp = values;
                        push!(attempt!(result));
                    }
                    Op::ArrayPush {} => {
                        let element = pop!();
                        let array = pop!();
                        push!(attempt!(make::array_push(ctx, array, element)));
                    }
                    Op::ArrayExtend {} => {
                        let more = pop!();
                        let array = pop!();
                        push!(attempt!(make::array_extend(ctx, array, more)));
                    }
                    Op::MakeDict { count } => {
                        let values = sp.sub(2 * count as usize);
                        let slice = core::slice::from_raw_parts_mut(values, 2 * count as usize);
                        let result = make::dict(ctx, slice);
                        drop_range(values, sp);
                        sp = values;
                        push!(attempt!(result));
                    }
                    Op::DictInsert {} => {
                        let value = pop!();
                        let key = pop!();
                        let dict = pop!();
                        push!(attempt!(make::dict_insert(ctx, dict, key, value)));
                    }
                    Op::DictExtend {} => {
                        let more = pop!();
                        let dict = pop!();
                        push!(attempt!(make::dict_extend(ctx, dict, more)));
                    }
                    Op::MakeStruct { site } => {
                        ctx.stack.top = sp;
                        let count = (&(*program).struct_sites)[site as usize].pops() as usize;
                        let values = sp.sub(count);
                        let result = make::structure(
                            ctx,
                            site,
                            core::slice::from_raw_parts_mut(values, count),
                        );
                        drop_range(values, sp);
                        sp = values;
                        push!(attempt!(result));
                    }
                    Op::MakeVariant { site, count } => {
                        let values = sp.sub(count as usize);
                        let slice = core::slice::from_raw_parts_mut(values, count as usize);
                        let result = make::variant(ctx, site, slice);
                        drop_range(values, sp);
                        sp = values;
                        push!(attempt!(result));
                    }
                    Op::MakeClosure { func } => {
                        let mut captures = make::captures(ctx, func, slots, callee);
                        push!(make::closure(ctx, func, &mut captures));
                    }
                    Op::MakeStructDef { declaration } => {
                        let count = (&(*program).structs)[declaration as usize].pops() as usize;
                        let values = sp.sub(count);
                        let result = make::struct_def(
                            ctx,
                            declaration,
                            core::slice::from_raw_parts_mut(values, count),
                        );
                        drop_range(values, sp);
                        sp = values;
                        push!(result);
                    }
                    Op::MakeEnumDef { name } => push!(make::enum_def(ctx, name)),
                    Op::Interpolate { count } => {
                        let values = sp.sub(count as usize);
                        let slice = core::slice::from_raw_parts(values, count as usize);
                        let result = crate::semantics::convert::interpolate(ctx, slice);
                        drop_range(values, sp);
                        sp = values;
                        push!(attempt!(result));
                    }

                    Op::Index {} => {
                        let (object, key) = (sp.sub(2), sp.sub(1));
                        if let (Some(array), Some(number)) =
                            ((*object).as_object::<Array>(), (*key).as_int())
                        {
                            if (number as u64) < array.len() as u64 {
                                let element = access::element(array, number as usize);
                                *object = element;
                                sp = key;
                                continue 'execute;
                            }
                        }
                        sp = object;
                        if !binary_borrowed(ctx, sp.add(2), index::index) {
                            break 'execute;
                        }
                        sp = sp.add(1);
                    }
                    Op::Field { name } => {
                        let object = pop!();
                        push!(attempt!(index::field(ctx, &object, name)));
                    }
                    Op::OptionalField { name } => {
                        map_top!(|top| index::optional_field(ctx, &top, name))
                    }
                    Op::FieldOrUnset { name } => map_top!(|top| index::field_or_unset(&top, name)),
                    Op::StorePath { path } => {
                        let (result, start) = access::store_path(ctx, path, &state!());
                        sp = start;
                        attempt!(result);
                    }
                    Op::ReadPath { path } => {
                        let value = attempt!(access::read_path(ctx, path, &state!()));
                        push!(value);
                    }
                    Op::StorePathUnder { path } => {
                        let (result, start) = access::store_path_under(ctx, path, &state!());
                        sp = start;
                        attempt!(result);
                    }
                    Op::UpdatePath { path, operator } => {
                        ctx.stack.top = sp;
                        let (result, start) = access::update_path(ctx, path, operator, &state!());
                        sp = start;
                        attempt!(result);
                    }

                    Op::ElementOrNull { index } => {
                        map_top!(|top| matching::element_or_null(&top, index))
                    }
                    Op::ArrayRest { from } => map_top!(|top| matching::array_rest(&top, from)),
                    Op::FieldOrNull { name } => {
                        map_top!(|top| matching::field_or_null(ctx, &top, name))
                    }
                    Op::DictRest { list } => map_top!(|top| matching::dict_rest(ctx, &top, list)),
                    Op::TestArray { len } => {
                        map_top!(|top| Value::bool(matching::test_array(&top, len)))
                    }
                    Op::TestArrayMin { len } => {
                        map_top!(|top| Value::bool(matching::test_array_min(&top, len)))
                    }
                    Op::TestVariant { site } => {
                        map_top!(|top| Value::bool(matching::test_variant(ctx, &top, site)))
                    }
                    Op::TestName { name } => {
                        map_top!(|top| Value::bool(matching::test_name(ctx, &top, name)))
                    }
                    Op::TestField { name } => {
                        map_top!(|top| Value::bool(matching::test_field(ctx, &top, name)))
                    }
                    Op::VariantPayload { index } => {
                        map_top!(|top| matching::variant_payload(&top, index))
                    }

                    Op::IterStart { slot } => {
                        ctx.stack.top = sp;
                        let iterable = pop!();
                        let (source, position) = attempt!(iterate::iter_start(ctx, iterable));
                        *slots.add(slot as usize) = source;
                        *slots.add(slot as usize + 1) = position;
                    }
                    Op::IterNext { slot, to } => {
                        ctx.stack.top = sp;
                        let source = slots.add(slot as usize);
                        match attempt!(iterate::iter_next(ctx, &mut *source, &mut *source.add(1))) {
                            Some(element) => push!(element),
                            None => pc = code.add(to as usize),
                        }
                    }
                    Op::RangeStart { slot, argc } => {
                        let args = sp.sub(argc as usize);
                        let slice = core::slice::from_raw_parts_mut(args, argc as usize);
                        let result = iterate::range_start(ctx, slice);
                        drop_range(args, sp);
                        sp = args;
                        for (offset, number) in attempt!(result).into_iter().enumerate() {
                            *slots.add(slot as usize + offset) = Value::int(number);
                        }
                    }
                    Op::RangeNext { slot, to } => {
                        let next = slots.add(slot as usize);
                        let (number, end) =
                            ((*next).payload() as i64, (*next.add(1)).payload() as i64);
                        let step = (*next.add(2)).payload() as i64;
                        if if step > 0 { number < end } else { number > end } {
                            next.write(Value::int(number.saturating_add(step)));
                            push!(Value::int(number));
                        } else {
                            pc = code.add(to as usize);
                        }
                    }

                    Op::Throw {} => {
                        let value = pop!();
                        catch::throw(ctx, value);
                        break 'execute;
                    }
                    Op::Raise { message } => {
                        let text = (*ctx.constants.add(message as usize)).clone();
                        ctx.raise(text.as_str().unwrap_or_default());
                        break 'execute;
                    }
                    Op::Catch {} => push!(attempt!(catch::catch(ctx))),

                    Op::Yield {} => {
                        let value = pop!();
                        return calls::suspend_generator(ctx, &state!(), value);
                    }
                    Op::Await {} => {
                        ctx.stack.top = sp;
                        let value = pop!();
                        push!(attempt!(call::await_value(ctx, value)));
                    }
                    Op::Spawn {} => {
                        let callable = pop!();
                        attempt!(call::spawn(ctx, callable));
                    }

                    Op::Import { .. } | Op::ImportedName { .. } | Op::Export { .. } => {
                        ctx.raise("modules are not available here");
                        break 'execute;
                    }
                }
            }
            match unwind(ctx, state!()) {
                Some(state) => resume!(state),
                None => return RawValue::RAISED,
            }
        }
    }
}
