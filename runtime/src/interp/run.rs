//! The loop: an arm per instruction.
//!
//! What is run all the time is inlined here; what an instruction means is in
//! `operate`, `access`, `calls` and `rare`.

use super::access;
use super::calls::{self, Called, Prepared};
use super::combine::for_each_binary;
use super::frame::{LinkKind, caller, drop_range, leave, push_frame, unwind};
use super::inst::Inst;
use super::machine::{Machine, cell_place};
use super::operate::{
    Constant, Equal, Global, Greater, GreaterEqual, Less, LessEqual, NotEqual, Top, arithmetic,
    comparison, first, jump_if, second, update,
};
use super::{interpreter_of, rare, suspend, tiering};
use crate::bytecode::Operator;
use crate::call::settle;
use crate::context::VMContext;
use crate::heap;
use crate::semantics::convert::truthy;
use crate::semantics::iterate;
use crate::value::{RawValue, Value};

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
                // The same for a function that is not inlined.
                macro_rules! outside {
                    ($module:ident::$function:ident($($operand:expr),*)) => {
                        check!(m.outside(ctx, |ctx, m| $module::$function(ctx, m $(, $operand)*)))
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
                // Goes on in the frame of an interpreted function.
                macro_rules! enter {
                    ($target:expr, $object:expr, $args:expr, $result:expr, $kind:expr) => {{
                        let frame = push_frame(ctx, $target, $object, $args);
                        let link = frame.link();
                        (*link).kind = $kind;
                        (*link).result = $result;
                        (*link).pc = m.pc;
                        (*link).slots = m.slots;
                        (*link).code = m.code;
                        (*link).callee = m.callee;
                        m = frame;
                    }};
                }
                // Returns to where the frame's link leads.
                macro_rules! give_back {
                    ($result:expr) => {{
                        let result = $result;
                        // What `return` or `?` leaves behind in the middle of an expression.
                        drop_range(m.operands(), m.sp);
                        let (slots, changes_self) = (m.slots, (*m.code).changes_self);
                        let link = leave(ctx, &m);
                        match (*link).kind {
                            LinkKind::Call => {
                                drop_range((*link).result, slots);
                                m = caller(link);
                                m.push(result);
                            }
                            LinkKind::Method => {
                                let site = (*link).site;
                                m = caller(link);
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
                                drop(result);
                                return suspend::finish(link);
                            }
                        }
                    }};
                }

                // Arms read their operands where they are: a copy of the whole
                // instruction would occupy the registers that the machine needs.
                let inst = m.pc;
                m.pc = inst.add(1);
                // The match, with the arms of binary operators and then all others.
                macro_rules! dispatch {
                    (
                        math { $($mo:ident: $mss:ident $msn:ident $msi:ident $msk:ident $mnn:ident $mni:ident $mnk:ident;)* }
                        unless { $($uo:ident: $uss:ident $usn:ident $usi:ident $usk:ident $unn:ident $uni:ident $unk:ident;)* }
                        when { $($wo:ident: $wss:ident $wsn:ident $wsi:ident $wsk:ident $wnn:ident $wni:ident $wnk:ident;)* }
                        $($rest:tt)*
                    ) => {
                        match *inst {
                            $(
                                Inst::$mss { to } => math!($mo, (Top(2), Top(1)), to),
                                Inst::$msn { moves, right, to } => math!($mo, (Top(1), second(right, moves)), to),
                                Inst::$msi { right, to } => math!($mo, (Top(1), right), to),
                                Inst::$msk { right, to } => math!($mo, (Top(1), Constant(right)), to),
                                Inst::$mnn { moves, left, right, to } => math!($mo, (first(left, moves), second(right, moves)), to),
                                Inst::$mni { moves, left, right, to } => math!($mo, (first(left, moves), right), to),
                                Inst::$mnk { moves, left, right, to } => math!($mo, (first(left, moves), Constant(right)), to),
                            )*
                            $(
                                Inst::$uss { to } => unless!($uo, (Top(2), Top(1)), to),
                                Inst::$usn { moves, right, to } => unless!($uo, (Top(1), second(right, moves)), to),
                                Inst::$usi { right, to } => unless!($uo, (Top(1), right), to),
                                Inst::$usk { right, to } => unless!($uo, (Top(1), Constant(right)), to),
                                Inst::$unn { moves, left, right, to } => unless!($uo, (first(left, moves), second(right, moves)), to),
                                Inst::$uni { moves, left, right, to } => unless!($uo, (first(left, moves), right), to),
                                Inst::$unk { moves, left, right, to } => unless!($uo, (first(left, moves), Constant(right)), to),
                            )*
                            $(
                                Inst::$wss { to } => when!($wo, (Top(2), Top(1)), to),
                                Inst::$wsn { moves, right, to } => when!($wo, (Top(1), second(right, moves)), to),
                                Inst::$wsi { right, to } => when!($wo, (Top(1), right), to),
                                Inst::$wsk { right, to } => when!($wo, (Top(1), Constant(right)), to),
                                Inst::$wnn { moves, left, right, to } => when!($wo, (first(left, moves), second(right, moves)), to),
                                Inst::$wni { moves, left, right, to } => when!($wo, (first(left, moves), right), to),
                                Inst::$wnk { moves, left, right, to } => when!($wo, (first(left, moves), Constant(right)), to),
                            )*
                            $($rest)*
                        }
                    };
                }

                for_each_binary! { dispatch;
                    Inst::Null {} => m.push(Value::NULL),
                    Inst::True {} => m.push(Value::TRUE),
                    Inst::False {} => m.push(Value::FALSE),
                    Inst::Int { value } => m.push(Value::int(value as i64)),
                    Inst::Constant { index } => {
                        m.push((*ctx.constants.add(index as usize)).clone())
                    }
                    Inst::Pop {} => drop(m.pop()),
                    Inst::Dup {} => m.push((*m.sp.sub(1)).clone()),
                    Inst::LoadLocal { slot } => m.push((*m.slots.add(slot as usize)).clone()),
                    Inst::MoveLocal { slot } => m.push((*m.slots.add(slot as usize)).take()),
                    Inst::StoreLocal { slot } => *m.slots.add(slot as usize) = m.pop(),
                    Inst::ClearLocal { slot } => *m.slots.add(slot as usize) = Value::UNSET,
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
                    Inst::LoadGlobal { global } => {
                        m.push((*ctx.globals.add(global as usize)).clone())
                    }
                    Inst::StoreGlobal { global } => *ctx.globals.add(global as usize) = m.pop(),
                    Inst::Copy { from, to } => *m.slot(to) = m.take_slot(from, false),
                    Inst::Move { from, to } => *m.slot(to) = m.take_slot(from, true),
                    Inst::CopyConstant { from, to } => {
                        *m.slot(to) = (*ctx.constants.byte_add(from as usize)).clone();
                    }
                    Inst::CopyInt { value, to } => *m.slot(to) = Value::int(value as i64),

                    Inst::Update { var, operator } => {
                        let place = m.variable(ctx, var);
                        check!(update(ctx, &mut m, place, operator, Top(1)));
                    }
                    Inst::UpdateN {
                        moves,
                        var,
                        operator,
                        operand,
                    } => {
                        let place = m.variable(ctx, var);
                        check!(update(ctx, &mut m, place, operator, first(operand, moves)));
                    }
                    Inst::UpdateI {
                        var,
                        operator,
                        value,
                    } => {
                        let place = m.variable(ctx, var);
                        check!(update(ctx, &mut m, place, operator, value));
                    }
                    Inst::Increment { place, value } => {
                        let place = m.slot(place);
                        check!(update(ctx, &mut m, place, Operator::Add, value));
                    }

                    Inst::Equal {} => check!(comparison::<Equal>(ctx, &mut m)),
                    Inst::NotEqual {} => check!(comparison::<NotEqual>(ctx, &mut m)),
                    Inst::Less {} => check!(comparison::<Less>(ctx, &mut m)),
                    Inst::LessEqual {} => check!(comparison::<LessEqual>(ctx, &mut m)),
                    Inst::Greater {} => check!(comparison::<Greater>(ctx, &mut m)),
                    Inst::GreaterEqual {} => check!(comparison::<GreaterEqual>(ctx, &mut m)),
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
                    Inst::JumpIfFalseN { moves, operand, to } => {
                        if !first(operand, moves).truth(&m) {
                            m.jump(to);
                        }
                    }
                    Inst::JumpIfTrueN { moves, operand, to } => {
                        if first(operand, moves).truth(&m) {
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
                    Inst::JumpIfUnset { var, to } => {
                        if (*m.variable(ctx, var)).is_unset() {
                            m.jump(to);
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
                            Some(number) => *m.slot(target) = Value::int(number),
                            None => m.jump(to),
                        }
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
                            Some(element) => *m.slot(target) = element,
                            None => m.jump(to),
                        }
                    }
                    Inst::LoopHead { number } => {
                        if m.sp == m.operands()
                            && let Some(entry) = tiering::hot_loop(ctx, (*m.code).id, number)
                        {
                            let result = calls::finish_loop(ctx, entry, m);
                            // The frame has ended: a result leaves it like any
                            // other, and no handler in it sees an error.
                            m.pc = &raw const RETURN;
                            m.push(attempt!(settle(result)));
                        }
                    }
                    Inst::Return {} => give_back!(m.pop()),
                    Inst::ReturnN { moves, operand } => {
                        give_back!(m.take_slot(operand, moves != 0))
                    }
                    Inst::ReturnConstant { operand } => {
                        give_back!((*ctx.constants.byte_add(operand as usize)).clone())
                    }

                    Inst::Call { argc } => {
                        let args = m.sp.sub(argc as usize);
                        let callee = args.sub(1);
                        match calls::prepare(ctx, interpreter, callee, args, argc) {
                            Prepared::Frame(code, object) => {
                                enter!(code, object, args, callee, LinkKind::Call);
                            }
                            Prepared::Entry(object) => {
                                let result = calls::call_entry(ctx, &*object, args, m.sp);
                                m.sp = args;
                                *callee = attempt!(settle(result));
                            }
                            Prepared::Other => outside!(calls::call_value(argc)),
                        }
                    }
                    Inst::CallFunction { func, argc } => {
                        let args = m.sp.sub(argc as usize);
                        let object =
                            (*ctx.functions.add(func as usize)).payload() as *const heap::Function;
                        if let Some(code) = calls::frame_for(ctx, interpreter, func, args) {
                            enter!(code, object, args, args, LinkKind::Call);
                            continue 'execute;
                        }
                        let result = calls::call_entry(ctx, &*object, args, m.sp);
                        m.sp = args;
                        m.push(attempt!(settle(result)));
                    }
                    Inst::CallBuiltin { builtin, argc } => {
                        outside!(calls::call_builtin(builtin, argc))
                    }
                    Inst::Invoke { invocation } => {
                        let invocation = (*m.code).invocations.as_ptr().add(invocation as usize);
                        match calls::method(ctx, &*invocation, m) {
                            Called::Done { result, start } => {
                                m.sp = start;
                                m.push(attempt!(result));
                            }
                            Called::Frame {
                                target,
                                object,
                                slots,
                                result,
                            } => {
                                let site = (*invocation).site;
                                enter!(target, object, slots, result, LinkKind::Method);
                                (*m.link()).site = site;
                            }
                        }
                    }

                    Inst::IndexSS { to } => check!(access::index_stack(ctx, &mut m, Top(1), to)),
                    Inst::IndexSN { moves, index, to } => {
                        check!(access::index_stack(ctx, &mut m, second(index, moves), to));
                    }
                    Inst::IndexNN {
                        moves,
                        object,
                        index,
                        to,
                    } => {
                        let (object, index) = (first(object, moves), second(index, moves));
                        check!(access::index_named(
                            ctx,
                            &mut m,
                            object,
                            moves & 1 != 0,
                            index,
                            to
                        ));
                    }
                    Inst::IndexNI {
                        moves,
                        object,
                        index,
                        to,
                    } => {
                        let object = first(object, moves);
                        check!(access::index_named(
                            ctx,
                            &mut m,
                            object,
                            moves & 1 != 0,
                            index,
                            to
                        ));
                    }
                    Inst::IndexGN {
                        moves,
                        object,
                        index,
                        to,
                    } => {
                        let (object, index) = (Global(object), second(index, moves));
                        check!(access::index_named(ctx, &mut m, object, false, index, to));
                    }
                    Inst::FieldS { cache, to } => {
                        check!(access::field_stack(ctx, &mut m, cache, to))
                    }
                    Inst::FieldN {
                        moves,
                        object,
                        cache,
                        to,
                    } => {
                        check!(access::field_named(
                            ctx,
                            &mut m,
                            first(object, moves),
                            cache,
                            to
                        ));
                    }
                    Inst::StoreIndexS { root } => {
                        check!(access::store_element(ctx, &mut m, root, Top(2), Top(1)));
                    }
                    Inst::StoreIndexN { moves, root, index } => {
                        check!(access::store_element(
                            ctx,
                            &mut m,
                            root,
                            Top(1),
                            first(index, moves)
                        ));
                    }
                    Inst::StoreIndexNN {
                        moves,
                        root,
                        value,
                        index,
                    } => {
                        let (value, index) = (first(value, moves), second(index, moves));
                        check!(access::store_element(ctx, &mut m, root, value, index));
                    }
                    Inst::StoreField { root, cache, path } => {
                        outside!(access::store_field(root, cache, path))
                    }
                    Inst::UpdateIndex {
                        root,
                        operator,
                        path,
                    } => {
                        check!(access::update_element(ctx, &mut m, root, path, operator));
                    }
                    Inst::UpdateField {
                        root,
                        operator,
                        path,
                    } => {
                        outside!(access::update_field(root, path, operator));
                    }
                    Inst::Push { root } => outside!(access::push_element(root, Top(1))),
                    Inst::PushN { moves, root, value } => {
                        outside!(access::push_element(root, first(value, moves)));
                    }
                    Inst::LenS { builtin, to } => outside!(access::length(builtin, Top(1), to)),
                    Inst::LenN {
                        moves,
                        builtin,
                        operand,
                        to,
                    } => {
                        check!(access::length_named(
                            ctx,
                            &mut m,
                            builtin,
                            first(operand, moves),
                            to
                        ));
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

                    Inst::Function { .. }
                    | Inst::Builtin { .. }
                    | Inst::NewCell { .. }
                    | Inst::BoxLocal { .. }
                    | Inst::Callee { .. }
                    | Inst::Negate { .. }
                    | Inst::Not { .. }
                    | Inst::Truthy { .. }
                    | Inst::Falsy { .. }
                    | Inst::SameValue { .. }
                    | Inst::UpdateFrom { .. }
                    | Inst::JumpIfUnwrapped { .. }
                    | Inst::StoreSelfResult { .. }
                    | Inst::CallWith { .. }
                    | Inst::Mutate { .. }
                    | Inst::MakeArray { .. }
                    | Inst::ArrayPush { .. }
                    | Inst::ArrayExtend { .. }
                    | Inst::MakeDict { .. }
                    | Inst::DictInsert { .. }
                    | Inst::DictExtend { .. }
                    | Inst::MakeStruct { .. }
                    | Inst::MakeVariant { .. }
                    | Inst::CallForeign { .. }
                    | Inst::MakeClosure { .. }
                    | Inst::MakeStructDef { .. }
                    | Inst::MakeEnumDef { .. }
                    | Inst::Interpolate { .. }
                    | Inst::OptionalField { .. }
                    | Inst::FieldOrUnset { .. }
                    | Inst::StorePath { .. }
                    | Inst::ReadPath { .. }
                    | Inst::StorePathUnder { .. }
                    | Inst::UpdatePath { .. }
                    | Inst::ElementOrNull { .. }
                    | Inst::ArrayRest { .. }
                    | Inst::FieldOrNull { .. }
                    | Inst::DictRest { .. }
                    | Inst::TestArray { .. }
                    | Inst::TestArrayMin { .. }
                    | Inst::TestVariant { .. }
                    | Inst::TestName { .. }
                    | Inst::TestField { .. }
                    | Inst::VariantPayload { .. }
                    | Inst::IterStart { .. }
                    | Inst::RangeStart { .. }
                    | Inst::Throw { .. }
                    | Inst::Raise { .. }
                    | Inst::Catch { .. }
                    | Inst::Yield { .. }
                    | Inst::Await { .. }
                    | Inst::Spawn { .. }
                    | Inst::Import { .. } => {
                        match m.outside(ctx, |ctx, m| rare::execute(ctx, m, &*inst)) {
                            Ok(None) => {}
                            Ok(Some(result)) => return result,
                            Err(_) => break 'execute,
                        }
                    }
                }
            }
            match unwind(ctx, m, m.pc == &raw const RETURN) {
                Some(machine) => m = machine,
                None => return RawValue::RAISED,
            }
        }
    }
}
