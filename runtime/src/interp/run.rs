//! The loop: an arm per instruction.
//!
//! Arms say what an instruction does with the stack; what it means is in
//! `machine`, `access`, `calls` and `semantics`.

use super::access::{self, Key};
use super::calls;
use super::frame::{LinkKind, caller, drop_range, leave, push_frame, unwind};
use super::inst::Inst;
use super::machine::{
    Equal, Greater, GreaterEqual, Less, LessEqual, Machine, NotEqual, Outcome, Top, arithmetic,
    cell_place, compare, fits, jump_if, update,
};
use super::{code_of, interpreter_of, suspend, tiering};
use crate::bytecode::{Operator, Program, Var, VarKind};
use crate::call::settle;
use crate::context::VMContext;
use crate::heap::{self, CellObject};
use crate::semantics::convert::{interpolate, truthy};
use crate::semantics::{arith, call, catch, compare::same_value, index, iterate, make, matching};
use crate::value::{RawValue, Value};
use core::ptr::null;

/// What a frame goes on with whose loop was finished by compiled code.
static RETURN: Inst = Inst::Return {};

/// Runs the frame of `start` and what it calls; gives the result of the
/// function whose link ends the run.
///
/// # Safety
/// The machine is that of a frame just built, whose link is filled.
#[inline(never)]
pub(super) unsafe fn run(ctx: &mut VMContext, start: &Machine) -> RawValue {
    // SAFETY: the frame is live; this holds for the whole function, by the
    // module's invariant: every access below is to a slot, operand, table row
    // or instruction that the verifier has accepted.
    unsafe {
        // A copy of its own, whose fields can live in registers.
        let mut m = *start;
        let interpreter = interpreter_of(ctx);
        let program: *const Program = &raw const *ctx.program.program;

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
                // Does what may fail; an error leaves the loop.
                macro_rules! check {
                    ($done:expr) => {
                        if !$done {
                            break 'execute;
                        }
                    };
                }
                macro_rules! math {
                    ($operator:ident, $operands:expr, $to:expr) => {
                        check!(arithmetic(ctx, &mut m, $operands, $to, Operator::$operator))
                    };
                }
                macro_rules! unless {
                    ($comparison:ident, $operands:expr, $to:expr) => {
                        check!(jump_if::<false, $comparison, _, _>(
                            ctx, &mut m, $operands, $to
                        ))
                    };
                }
                macro_rules! when {
                    ($comparison:ident, $operands:expr, $to:expr) => {
                        check!(jump_if::<true, $comparison, _, _>(
                            ctx, &mut m, $operands, $to
                        ))
                    };
                }
                macro_rules! comparison {
                    ($comparison:ident) => {
                        match compare::<$comparison, _, _>(ctx, &mut m, (Top(2), Top(1))) {
                            Outcome::Is(truth) => m.push(Value::bool(truth)),
                            Outcome::Value(value) => m.push(value),
                            Outcome::Raised => break 'execute,
                        }
                    };
                }
                // Goes on in the frame of an interpreted function.
                macro_rules! enter {
                    ($target:expr, $object:expr, $args:expr, $result:expr, $kind:expr, $site:expr) => {{
                        let frame = push_frame(ctx, $target, $object, $args);
                        let link = frame.link();
                        (*link).kind = $kind;
                        (*link).result = $result;
                        (*link).pc = m.pc;
                        (*link).slots = m.slots;
                        (*link).code = m.code;
                        (*link).callee = m.callee;
                        (*link).site = $site;
                        m = frame;
                    }};
                }
                // Returns to where the frame's link leads.
                macro_rules! give_back {
                    ($result:expr) => {{
                        let result = $result;
                        let (slots, changes_self) = (m.slots, (*m.code).changes_self);
                        let link = leave(ctx, &m);
                        match (*link).kind {
                            LinkKind::Call => {
                                drop_range((*link).result, slots);
                                m = caller(ctx, link);
                                m.push(result);
                            }
                            LinkKind::Method => {
                                let site = (*link).site;
                                m = caller(ctx, link);
                                // Below the slots lie the indexes of the receiver's place.
                                let stored =
                                    !changes_self || calls::store_self(ctx, &*site, m).is_ok();
                                drop_range(m.sp, slots);
                                if !stored {
                                    drop(result);
                                    break 'execute;
                                }
                                m.push(result);
                            }
                            LinkKind::Entry => return result.into_raw(),
                            LinkKind::Generator => {
                                {
                                    drop(result);
                                    return suspend::finish(link);
                                };
                            }
                        }
                    }};
                }

                let inst = *m.pc;
                m.pc = m.pc.add(1);
                match inst {
                    Inst::Null {} => m.push(Value::NULL),
                    Inst::True {} => m.push(Value::TRUE),
                    Inst::False {} => m.push(Value::FALSE),
                    Inst::Int { value } => m.push(Value::int(value as i64)),
                    Inst::Constant { index } => m.push((*m.constants.add(index as usize)).clone()),
                    Inst::Function { func } => m.push((*ctx.functions.add(func as usize)).clone()),
                    Inst::Builtin { builtin } => {
                        m.push(Value::builtin(ctx.program.builtins[builtin as usize]))
                    }

                    Inst::Pop {} => drop(m.pop()),
                    Inst::Dup {} => m.push((*m.sp.sub(1)).clone()),

                    Inst::LoadLocal { slot } => m.push((*m.slots.add(slot as usize)).clone()),
                    Inst::MoveLocal { slot } => m.push((*m.slots.add(slot as usize)).take()),
                    Inst::StoreLocal { slot } => *m.slots.add(slot as usize) = m.pop(),
                    Inst::ClearLocal { slot } => *m.slots.add(slot as usize) = Value::UNSET,
                    Inst::NewCell { slot } => {
                        *m.slots.add(slot as usize) = Value::from(CellObject::new(Value::UNSET))
                    }
                    Inst::BoxLocal { slot } => {
                        let value = (*m.slots.add(slot as usize)).take();
                        m.slots
                            .add(slot as usize)
                            .write(Value::from(CellObject::new(value)));
                    }
                    Inst::LoadCell { slot } => {
                        m.push((*cell_place(m.slots.add(slot as usize))).clone())
                    }
                    Inst::StoreCell { slot } => *cell_place(m.slots.add(slot as usize)) = m.pop(),
                    Inst::LoadCapture { index } => m.push((*m.capture(index as usize)).clone()),
                    Inst::LoadCaptureCell { index } => {
                        m.push((*cell_place(m.capture(index as usize))).clone())
                    }
                    Inst::StoreCaptureCell { index } => {
                        *cell_place(m.capture(index as usize)) = m.pop()
                    }
                    Inst::Callee {} => m.push(Value::from(heap::Ref::from_borrowed(&*m.callee))),
                    Inst::LoadGlobal { global } => {
                        m.push((*ctx.globals.add(global as usize)).clone())
                    }
                    Inst::StoreGlobal { global } => *ctx.globals.add(global as usize) = m.pop(),
                    Inst::JumpIfUnset { var, to } => {
                        if (*m.variable(var)).is_unset() {
                            m.jump(to);
                        }
                    }

                    // The decoder has put others in their place.
                    Inst::Add {}
                    | Inst::Subtract {}
                    | Inst::Multiply {}
                    | Inst::Divide {}
                    | Inst::Remainder {}
                    | Inst::Index {} => unreachable!("decoded with its operands"),
                    Inst::Field { name: number } | Inst::CallMethod { site: number } => {
                        unreachable!("{number} was decoded with its cache")
                    }
                    Inst::AddSS { to } => math!(Add, (Top(2), Top(1)), to),
                    Inst::AddSN { right, to } => math!(Add, (Top(1), right), to),
                    Inst::AddSI { right, to } => math!(Add, (Top(1), right), to),
                    Inst::AddNN { left, right, to } => math!(Add, (left, right), to),
                    Inst::AddNI { left, right, to } => math!(Add, (left, right), to),
                    Inst::SubtractSS { to } => math!(Subtract, (Top(2), Top(1)), to),
                    Inst::SubtractSN { right, to } => math!(Subtract, (Top(1), right), to),
                    Inst::SubtractSI { right, to } => math!(Subtract, (Top(1), right), to),
                    Inst::SubtractNN { left, right, to } => math!(Subtract, (left, right), to),
                    Inst::SubtractNI { left, right, to } => math!(Subtract, (left, right), to),
                    Inst::MultiplySS { to } => math!(Multiply, (Top(2), Top(1)), to),
                    Inst::MultiplySN { right, to } => math!(Multiply, (Top(1), right), to),
                    Inst::MultiplySI { right, to } => math!(Multiply, (Top(1), right), to),
                    Inst::MultiplyNN { left, right, to } => math!(Multiply, (left, right), to),
                    Inst::MultiplyNI { left, right, to } => math!(Multiply, (left, right), to),
                    Inst::DivideSS { to } => math!(Divide, (Top(2), Top(1)), to),
                    Inst::DivideSN { right, to } => math!(Divide, (Top(1), right), to),
                    Inst::DivideSI { right, to } => math!(Divide, (Top(1), right), to),
                    Inst::DivideNN { left, right, to } => math!(Divide, (left, right), to),
                    Inst::DivideNI { left, right, to } => math!(Divide, (left, right), to),
                    Inst::RemainderSS { to } => math!(Remainder, (Top(2), Top(1)), to),
                    Inst::RemainderSN { right, to } => math!(Remainder, (Top(1), right), to),
                    Inst::RemainderSI { right, to } => math!(Remainder, (Top(1), right), to),
                    Inst::RemainderNN { left, right, to } => math!(Remainder, (left, right), to),
                    Inst::RemainderNI { left, right, to } => math!(Remainder, (left, right), to),
                    Inst::Equal {} => comparison!(Equal),
                    Inst::NotEqual {} => comparison!(NotEqual),
                    Inst::Less {} => comparison!(Less),
                    Inst::LessEqual {} => comparison!(LessEqual),
                    Inst::Greater {} => comparison!(Greater),
                    Inst::GreaterEqual {} => comparison!(GreaterEqual),
                    Inst::UnlessLessSS { to } => unless!(Less, (Top(2), Top(1)), to),
                    Inst::UnlessLessSN { right, to } => unless!(Less, (Top(1), right), to),
                    Inst::UnlessLessSI { right, to } => unless!(Less, (Top(1), right), to),
                    Inst::UnlessLessNN { left, right, to } => unless!(Less, (left, right), to),
                    Inst::UnlessLessNI { left, right, to } => unless!(Less, (left, right), to),
                    Inst::UnlessLessEqualSS { to } => unless!(LessEqual, (Top(2), Top(1)), to),
                    Inst::UnlessLessEqualSN { right, to } => {
                        unless!(LessEqual, (Top(1), right), to)
                    }
                    Inst::UnlessLessEqualSI { right, to } => {
                        unless!(LessEqual, (Top(1), right), to)
                    }
                    Inst::UnlessLessEqualNN { left, right, to } => {
                        unless!(LessEqual, (left, right), to)
                    }
                    Inst::UnlessLessEqualNI { left, right, to } => {
                        unless!(LessEqual, (left, right), to)
                    }
                    Inst::UnlessGreaterSS { to } => unless!(Greater, (Top(2), Top(1)), to),
                    Inst::UnlessGreaterSN { right, to } => unless!(Greater, (Top(1), right), to),
                    Inst::UnlessGreaterSI { right, to } => unless!(Greater, (Top(1), right), to),
                    Inst::UnlessGreaterNN { left, right, to } => {
                        unless!(Greater, (left, right), to)
                    }
                    Inst::UnlessGreaterNI { left, right, to } => {
                        unless!(Greater, (left, right), to)
                    }
                    Inst::UnlessGreaterEqualSS { to } => {
                        unless!(GreaterEqual, (Top(2), Top(1)), to)
                    }
                    Inst::UnlessGreaterEqualSN { right, to } => {
                        unless!(GreaterEqual, (Top(1), right), to)
                    }
                    Inst::UnlessGreaterEqualSI { right, to } => {
                        unless!(GreaterEqual, (Top(1), right), to)
                    }
                    Inst::UnlessGreaterEqualNN { left, right, to } => {
                        unless!(GreaterEqual, (left, right), to)
                    }
                    Inst::UnlessGreaterEqualNI { left, right, to } => {
                        unless!(GreaterEqual, (left, right), to)
                    }
                    Inst::UnlessEqualSS { to } => unless!(Equal, (Top(2), Top(1)), to),
                    Inst::UnlessEqualSN { right, to } => unless!(Equal, (Top(1), right), to),
                    Inst::UnlessEqualSI { right, to } => unless!(Equal, (Top(1), right), to),
                    Inst::UnlessEqualNN { left, right, to } => unless!(Equal, (left, right), to),
                    Inst::UnlessEqualNI { left, right, to } => unless!(Equal, (left, right), to),
                    Inst::UnlessNotEqualSS { to } => unless!(NotEqual, (Top(2), Top(1)), to),
                    Inst::UnlessNotEqualSN { right, to } => unless!(NotEqual, (Top(1), right), to),
                    Inst::UnlessNotEqualSI { right, to } => unless!(NotEqual, (Top(1), right), to),
                    Inst::UnlessNotEqualNN { left, right, to } => {
                        unless!(NotEqual, (left, right), to)
                    }
                    Inst::UnlessNotEqualNI { left, right, to } => {
                        unless!(NotEqual, (left, right), to)
                    }
                    Inst::IfLessSS { to } => when!(Less, (Top(2), Top(1)), to),
                    Inst::IfLessSN { right, to } => when!(Less, (Top(1), right), to),
                    Inst::IfLessSI { right, to } => when!(Less, (Top(1), right), to),
                    Inst::IfLessNN { left, right, to } => when!(Less, (left, right), to),
                    Inst::IfLessNI { left, right, to } => when!(Less, (left, right), to),
                    Inst::IfLessEqualSS { to } => when!(LessEqual, (Top(2), Top(1)), to),
                    Inst::IfLessEqualSN { right, to } => when!(LessEqual, (Top(1), right), to),
                    Inst::IfLessEqualSI { right, to } => when!(LessEqual, (Top(1), right), to),
                    Inst::IfLessEqualNN { left, right, to } => when!(LessEqual, (left, right), to),
                    Inst::IfLessEqualNI { left, right, to } => when!(LessEqual, (left, right), to),
                    Inst::IfGreaterSS { to } => when!(Greater, (Top(2), Top(1)), to),
                    Inst::IfGreaterSN { right, to } => when!(Greater, (Top(1), right), to),
                    Inst::IfGreaterSI { right, to } => when!(Greater, (Top(1), right), to),
                    Inst::IfGreaterNN { left, right, to } => when!(Greater, (left, right), to),
                    Inst::IfGreaterNI { left, right, to } => when!(Greater, (left, right), to),
                    Inst::IfGreaterEqualSS { to } => when!(GreaterEqual, (Top(2), Top(1)), to),
                    Inst::IfGreaterEqualSN { right, to } => {
                        when!(GreaterEqual, (Top(1), right), to)
                    }
                    Inst::IfGreaterEqualSI { right, to } => {
                        when!(GreaterEqual, (Top(1), right), to)
                    }
                    Inst::IfGreaterEqualNN { left, right, to } => {
                        when!(GreaterEqual, (left, right), to)
                    }
                    Inst::IfGreaterEqualNI { left, right, to } => {
                        when!(GreaterEqual, (left, right), to)
                    }
                    Inst::IfEqualSS { to } => when!(Equal, (Top(2), Top(1)), to),
                    Inst::IfEqualSN { right, to } => when!(Equal, (Top(1), right), to),
                    Inst::IfEqualSI { right, to } => when!(Equal, (Top(1), right), to),
                    Inst::IfEqualNN { left, right, to } => when!(Equal, (left, right), to),
                    Inst::IfEqualNI { left, right, to } => when!(Equal, (left, right), to),
                    Inst::IfNotEqualSS { to } => when!(NotEqual, (Top(2), Top(1)), to),
                    Inst::IfNotEqualSN { right, to } => when!(NotEqual, (Top(1), right), to),
                    Inst::IfNotEqualSI { right, to } => when!(NotEqual, (Top(1), right), to),
                    Inst::IfNotEqualNN { left, right, to } => when!(NotEqual, (left, right), to),
                    Inst::IfNotEqualNI { left, right, to } => when!(NotEqual, (left, right), to),
                    Inst::Negate {} => {
                        let value = m.pop();
                        ctx.stack.top = m.sp;
                        m.push(attempt!(arith::negate(ctx, value)));
                    }
                    Inst::Not {} => {
                        let value = m.pop();
                        ctx.stack.top = m.sp;
                        m.push(attempt!(arith::not(ctx, value)));
                    }
                    Inst::Truthy {} => m.test_top(truthy),
                    Inst::Falsy {} => m.test_top(|top| !truthy(top)),
                    Inst::SameValue {} => {
                        let (right, left) = (m.pop(), m.pop());
                        m.push(Value::bool(same_value(&left, &right)));
                    }
                    Inst::Update { var, operator } => {
                        let right = m.pop();
                        check!(update(ctx, &m, var, operator, right));
                    }
                    Inst::UpdateN {
                        var,
                        operator,
                        operand,
                    } => {
                        let right = m.take_named(operand);
                        check!(update(ctx, &m, var, operator, right));
                    }
                    Inst::UpdateI {
                        var,
                        operator,
                        value,
                    } => {
                        check!(update(ctx, &m, var, operator, Value::int(value as i64)));
                    }
                    Inst::Increment { slot, value } => {
                        let var = Var::new(VarKind::Local, slot);
                        check!(update(
                            ctx,
                            &m,
                            var,
                            Operator::Add,
                            Value::int(value as i64)
                        ));
                    }
                    Inst::UpdateFrom { var, operator } => {
                        let (right, old) = (m.pop(), m.pop());
                        ctx.stack.top = m.sp;
                        let place = m.variable(var);
                        attempt!(arith::update_from(ctx, place, operator, old, right));
                    }

                    Inst::Jump { to } => m.jump(to),
                    Inst::JumpIfFalse { to } => {
                        if !truthy(&m.pop()) {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfTrue { to } => {
                        if truthy(&m.pop()) {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfFalseN { operand, to } => {
                        if !m.truth_of(operand) {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfTrueN { operand, to } => {
                        if m.truth_of(operand) {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfNotNull { to } => {
                        if (*m.sp.sub(1)).is_null() {
                            m.sp = m.sp.sub(1);
                        } else {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfNull { to } => {
                        if (*m.sp.sub(1)).is_null() {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfUnwrapped { to } => {
                        let found = attempt!(matching::unwrapped(ctx, &*m.sp.sub(1)));
                        if !found.is_unset() {
                            *m.sp.sub(1) = found;
                            m.jump(to);
                        }
                    }
                    Inst::LoopHead { number } => {
                        if m.sp == m.operands()
                            && let Some(entry) = tiering::hot_loop(ctx, (*m.code).id, number)
                        {
                            let result = calls::finish_loop(ctx, entry, m);
                            let result = attempt!(settle(result));
                            m.push(result);
                            // The result leaves the frame like any other.
                            m.pc = &raw const RETURN;
                        }
                    }
                    Inst::Return {} => give_back!(m.pop()),
                    Inst::ReturnN { operand } => give_back!(m.take_named(operand)),
                    Inst::StoreSelfResult {} => ctx.self_result = m.pop(),

                    Inst::Call { argc } => {
                        let args = m.sp.sub(argc as usize);
                        let callee = args.sub(1);
                        match calls::prepare(ctx, interpreter, callee, args, argc) {
                            calls::Prepared::Frame(code, object) => {
                                enter!(code, object, args, callee, LinkKind::Call, null());
                            }
                            calls::Prepared::Entry(object) => {
                                let result = calls::call_entry(ctx, &*object, args, m.sp);
                                m.sp = args;
                                *callee = attempt!(settle(result));
                            }
                            calls::Prepared::Other => {
                                ctx.stack.top = m.sp;
                                let result = calls::call_value(ctx, callee, argc as usize);
                                m.sp = callee;
                                m.push(attempt!(result));
                            }
                        }
                    }
                    Inst::CallFunction { func, argc } => {
                        let args = m.sp.sub(argc as usize);
                        let object =
                            (*ctx.functions.add(func as usize)).payload() as *const heap::Function;
                        if tiering::is_interpreted(ctx, &*object, func) {
                            let code = code_of(ctx, interpreter, func);
                            if fits(ctx, &*code, args) {
                                enter!(code, object, args, args, LinkKind::Call, null());
                                continue 'execute;
                            }
                        }
                        let result = calls::call_entry(ctx, &*object, args, m.sp);
                        m.sp = args;
                        m.push(attempt!(settle(result)));
                    }
                    Inst::CallBuiltin { builtin, argc } => {
                        ctx.stack.top = m.sp;
                        let function =
                            (*ctx.program.builtins.as_ptr().add(builtin as usize)).function;
                        check!(m.replace(argc, |args| function(ctx, args)));
                    }
                    Inst::LenS { builtin, to } => {
                        let value = m.pop();
                        check!(access::length(ctx, &mut m, builtin, value, to));
                    }
                    Inst::LenN {
                        builtin,
                        operand,
                        to,
                    } => {
                        check!(access::length_named(ctx, &mut m, builtin, operand, to));
                    }
                    Inst::CallWith { site } => {
                        ctx.stack.top = m.sp;
                        let site = &*(*program).call_sites.as_ptr().add(site as usize);
                        let values = m.sp.sub(site.args.len());
                        let callee = values.sub(1);
                        let slice = core::slice::from_raw_parts_mut(values, site.args.len());
                        let result = call::call_with(ctx, site, &*callee, slice);
                        drop_range(callee, m.sp);
                        m.sp = callee;
                        m.push(attempt!(result));
                    }
                    Inst::Invoke { invocation } => {
                        ctx.stack.top = m.sp;
                        let invocation = (*m.code).invocations.as_ptr().add(invocation as usize);
                        match calls::method(ctx, interpreter, &*invocation, m) {
                            calls::Called::Done { result, start } => {
                                m.sp = start;
                                m.push(attempt!(result));
                            }
                            calls::Called::Frame {
                                target,
                                object,
                                slots: args,
                                result,
                            } => {
                                let site = (*invocation).site;
                                enter!(target, object, args, result, LinkKind::Method, site);
                            }
                        }
                    }
                    Inst::Mutate { site } => {
                        ctx.stack.top = m.sp;
                        let (result, start) = access::mutate(ctx, site, m);
                        m.sp = start;
                        attempt!(result);
                    }
                    Inst::Push { root } => {
                        let value = m.pop();
                        check!(access::push_element(ctx, &mut m, root, value));
                    }
                    Inst::PushN { root, value } => {
                        let value = m.take_named(value);
                        check!(access::push_element(ctx, &mut m, root, value));
                    }

                    Inst::MakeArray { count } => {
                        check!(m.replace(count, |values| make::array(ctx, values)));
                    }
                    Inst::ArrayPush {} => {
                        let (element, array) = (m.pop(), m.pop());
                        m.push(attempt!(make::array_push(ctx, array, element)));
                    }
                    Inst::ArrayExtend {} => {
                        let (more, array) = (m.pop(), m.pop());
                        m.push(attempt!(make::array_extend(ctx, array, more)));
                    }
                    Inst::MakeDict { count } => {
                        check!(m.replace(2 * count, |values| make::dict(ctx, values)));
                    }
                    Inst::DictInsert {} => {
                        let (value, key, dict) = (m.pop(), m.pop(), m.pop());
                        m.push(attempt!(make::dict_insert(ctx, dict, key, value)));
                    }
                    Inst::DictExtend {} => {
                        let (more, dict) = (m.pop(), m.pop());
                        m.push(attempt!(make::dict_extend(ctx, dict, more)));
                    }
                    Inst::MakeStruct { site } => {
                        ctx.stack.top = m.sp;
                        let count = (*(*program).struct_sites.as_ptr().add(site as usize)).pops();
                        check!(m.replace(count, |values| make::structure(ctx, site, values)));
                    }
                    Inst::MakeVariant { site, count } => {
                        check!(m.replace(count, |values| make::variant(ctx, site, values)));
                    }
                    Inst::MakeClosure { func } => {
                        let mut captures = make::captures(ctx, func, m.slots, m.callee);
                        m.push(make::closure(ctx, func, &mut captures));
                    }
                    Inst::MakeStructDef { declaration } => {
                        let count = (*(*program).structs.as_ptr().add(declaration as usize)).pops();
                        let def =
                            |values: &mut [Value]| Ok(make::struct_def(ctx, declaration, values));
                        check!(m.replace(count, def));
                    }
                    Inst::MakeEnumDef { name } => m.push(make::enum_def(ctx, name)),
                    Inst::Interpolate { count } => {
                        check!(m.replace(count, |values| interpolate(ctx, values)));
                    }

                    Inst::IndexSS { to } => {
                        check!(access::index_stack(ctx, &mut m, Key::Stack, to))
                    }
                    Inst::IndexSN { index, to } => {
                        check!(access::index_stack(ctx, &mut m, Key::Named(index), to))
                    }
                    Inst::IndexNN { object, index, to } => {
                        check!(access::index_named(
                            ctx,
                            &mut m,
                            object,
                            Key::Named(index),
                            to
                        ));
                    }
                    Inst::IndexNI { object, index, to } => {
                        check!(access::index_named(
                            ctx,
                            &mut m,
                            object,
                            Key::Int(index),
                            to
                        ));
                    }
                    Inst::FieldS { cache, to } => {
                        check!(access::field_stack(ctx, &mut m, cache, to))
                    }
                    Inst::FieldN { object, cache, to } => {
                        check!(access::field_named(ctx, &mut m, object, cache, to));
                    }
                    Inst::OptionalField { name } => {
                        m.map_top(|top| index::optional_field(ctx, top, name));
                    }
                    Inst::FieldOrUnset { name } => {
                        m.map_top(|top| index::field_or_unset(top, name));
                    }
                    Inst::StorePath { path } => {
                        let (result, start) = access::store_path(ctx, path, m);
                        m.sp = start;
                        attempt!(result);
                    }
                    Inst::StoreIndexS { root } => {
                        let (key, value) = (m.pop(), m.pop());
                        check!(access::store_element(ctx, &mut m, root, key, value));
                    }
                    Inst::StoreIndexN { root, index } => {
                        let (key, value) = (m.take_named(index), m.pop());
                        check!(access::store_element(ctx, &mut m, root, key, value));
                    }
                    Inst::StoreIndexNN { root, index, value } => {
                        let (value, key) = (m.take_named(value), m.take_named(index));
                        check!(access::store_element(ctx, &mut m, root, key, value));
                    }
                    Inst::StoreField { root, cache, path } => {
                        check!(access::store_field(ctx, &mut m, root, cache, path));
                    }
                    Inst::ReadPath { path } => {
                        let value = attempt!(access::read_path(ctx, path, m));
                        m.push(value);
                    }
                    Inst::StorePathUnder { path } => {
                        let (result, start) = access::store_path_under(ctx, path, m);
                        m.sp = start;
                        attempt!(result);
                    }
                    Inst::UpdatePath { path, operator } => {
                        ctx.stack.top = m.sp;
                        let (result, start) = access::update_path(ctx, path, operator, m);
                        m.sp = start;
                        attempt!(result);
                    }
                    Inst::UpdateIndex {
                        root,
                        operator,
                        path,
                    } => {
                        ctx.stack.top = m.sp;
                        m.sp = m.sp.sub(2);
                        let root = m.variable(root);
                        check!(access::update_element(ctx, root, path, operator, m.sp));
                    }
                    Inst::UpdateField {
                        root,
                        operator,
                        path,
                    } => {
                        let right = m.pop();
                        ctx.stack.top = m.sp;
                        let root = m.variable(root);
                        check!(access::update_field(ctx, root, path, operator, right));
                    }

                    Inst::ElementOrNull { index } => {
                        m.map_top(|top| matching::element_or_null(top, index));
                    }
                    Inst::ArrayRest { from } => m.map_top(|top| matching::array_rest(top, from)),
                    Inst::FieldOrNull { name } => {
                        m.map_top(|top| matching::field_or_null(ctx, top, name));
                    }
                    Inst::DictRest { list } => {
                        m.map_top(|top| matching::dict_rest(ctx, top, list));
                    }
                    Inst::TestArray { len } => m.test_top(|top| matching::test_array(top, len)),
                    Inst::TestArrayMin { len } => {
                        m.test_top(|top| matching::test_array_min(top, len));
                    }
                    Inst::TestVariant { site } => {
                        m.test_top(|top| matching::test_variant(ctx, top, site));
                    }
                    Inst::TestName { name } => {
                        m.test_top(|top| matching::test_name(ctx, top, name));
                    }
                    Inst::TestField { name } => {
                        m.test_top(|top| matching::test_field(ctx, top, name));
                    }
                    Inst::VariantPayload { index } => {
                        m.map_top(|top| matching::variant_payload(top, index));
                    }

                    Inst::IterStart { slot } => {
                        let iterable = m.pop();
                        ctx.stack.top = m.sp;
                        let (source, position) = attempt!(iterate::iter_start(ctx, iterable));
                        *m.slots.add(slot as usize) = source;
                        *m.slots.add(slot as usize + 1) = position;
                    }
                    Inst::IterNext { slot, to } => {
                        ctx.stack.top = m.sp;
                        let source = m.slots.add(slot as usize);
                        match attempt!(iterate::iter_next(ctx, &mut *source, &mut *source.add(1))) {
                            Some(element) => m.push(element),
                            None => m.jump(to),
                        }
                    }
                    Inst::IterNextTo { slot, to, target } => {
                        ctx.stack.top = m.sp;
                        let source = m.slots.add(slot as usize);
                        match attempt!(iterate::iter_next(ctx, &mut *source, &mut *source.add(1))) {
                            Some(element) => *m.slots.add(target as usize) = element,
                            None => m.jump(to),
                        }
                    }
                    Inst::RangeStart { slot, argc } => {
                        let args = m.sp.sub(argc as usize);
                        let slice = core::slice::from_raw_parts_mut(args, argc as usize);
                        let result = iterate::range_start(ctx, slice);
                        drop_range(args, m.sp);
                        m.sp = args;
                        for (offset, number) in attempt!(result).into_iter().enumerate() {
                            *m.slots.add(slot as usize + offset) = Value::int(number);
                        }
                    }
                    Inst::RangeNext { slot, to } => {
                        match calls::next_in_range(m.slots.add(slot as usize)) {
                            Some(number) => m.push(Value::int(number)),
                            None => m.jump(to),
                        }
                    }
                    Inst::RangeNextTo { slot, to, target } => {
                        match calls::next_in_range(m.slots.add(slot as usize)) {
                            Some(number) => *m.slots.add(target as usize) = Value::int(number),
                            None => m.jump(to),
                        }
                    }
                    Inst::Copy { from, to } => {
                        let value = m.take_named(from);
                        *m.slots.add(to as usize) = value;
                    }
                    Inst::CopyInt { value, to } => {
                        *m.slots.add(to as usize) = Value::int(value as i64)
                    }

                    Inst::Throw {} => {
                        let value = m.pop();
                        catch::throw(ctx, value);
                        break 'execute;
                    }
                    Inst::Raise { message } => {
                        let text = (*m.constants.add(message as usize)).clone();
                        ctx.raise(text.as_str().unwrap_or_default());
                        break 'execute;
                    }
                    Inst::Catch {} => m.push(attempt!(catch::catch(ctx))),

                    Inst::Yield {} => {
                        let value = m.pop();
                        return suspend::suspend(ctx, m, value);
                    }
                    Inst::Await {} => {
                        let value = m.pop();
                        ctx.stack.top = m.sp;
                        m.push(attempt!(call::await_value(ctx, value)));
                    }
                    Inst::Spawn {} => {
                        let function = m.pop();
                        attempt!(call::spawn(ctx, function));
                    }

                    Inst::Import { module: number }
                    | Inst::ImportedName { name: number }
                    | Inst::Export { name: number } => {
                        calls::refuse_module(ctx, number);
                        break 'execute;
                    }
                }
            }
            match unwind(ctx, m) {
                Some(machine) => m = machine,
                None => return RawValue::RAISED,
            }
        }
    }
}
