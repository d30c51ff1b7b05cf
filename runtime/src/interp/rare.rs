//! Instructions that no program spends its time on, or that spend theirs
//! elsewhere.

use super::inst::Inst;
use super::machine::Machine;
use super::{calls, paths, suspend};
use crate::context::VMContext;
use crate::foreign;
use crate::heap::{CellObject, Ref};
use crate::semantics::convert::{interpolate, truthy};
use crate::semantics::{R, arith, call, catch, compare, index, iterate, make, matching, modules};
use crate::value::{RawValue, Value};

/// Executes an instruction; gives what the run ends with, if it ends.
///
/// # Safety
/// The machine is that of a live frame, behind this instruction, which is not
/// one that the loop runs itself.
#[inline(never)]
pub(super) unsafe fn execute(
    ctx: &mut VMContext,
    m: &mut Machine,
    inst: &Inst,
) -> R<Option<RawValue>> {
    ctx.stack.top = m.sp;
    // SAFETY: verified.
    unsafe {
        match *inst {
            Inst::Function { func } => m.push((*ctx.functions.add(func as usize)).clone()),
            Inst::Builtin { builtin } => {
                m.push(Value::builtin(ctx.program.builtins[builtin as usize]))
            }
            Inst::NewCell { slot } => {
                *m.slots.add(slot as usize) = Value::from(CellObject::new(Value::UNSET));
            }
            Inst::BoxLocal { slot } => {
                let value = (*m.slots.add(slot as usize)).take();
                m.slots
                    .add(slot as usize)
                    .write(Value::from(CellObject::new(value)));
            }
            Inst::Callee {} => m.push(Value::from(Ref::from_borrowed(&*m.callee))),

            Inst::Negate {} => m.compute_top(|top| arith::negate(ctx, top))?,
            Inst::Not {} => m.compute_top(|top| arith::not(ctx, top))?,
            Inst::Truthy {} => m.test_top(truthy),
            Inst::Falsy {} => m.test_top(|top| !truthy(top)),
            Inst::SameValue {} => {
                let (right, left) = (m.pop(), m.pop());
                m.push(Value::bool(compare::same_value(&left, &right)));
            }
            Inst::UpdateFrom { var, operator } => {
                let (right, old) = (m.pop(), m.pop());
                let place = m.variable(ctx, var);
                arith::update_from(ctx, place, operator, old, right)?;
            }
            Inst::JumpIfUnwrapped { to } => {
                let found = matching::unwrapped(ctx, &*m.sp.sub(1))?;
                if !found.is_unset() {
                    *m.sp.sub(1) = found;
                    m.jump(to);
                }
            }
            Inst::StoreSelfResult {} => ctx.self_result = m.pop(),
            Inst::CallWith { site } => calls::call_with(ctx, m, site)?,
            Inst::Mutate { site } => paths::mutate(ctx, m, site)?,

            Inst::MakeArray { count } => m.replace(count, |values| make::array(ctx, values))?,
            Inst::ArrayPush {} => {
                let (element, array) = (m.pop(), m.pop());
                m.push(make::array_push(ctx, array, element)?);
            }
            Inst::ArrayExtend {} => {
                let (more, array) = (m.pop(), m.pop());
                m.push(make::array_extend(ctx, array, more)?);
            }
            Inst::MakeDict { count } => m.replace(2 * count, |values| make::dict(ctx, values))?,
            Inst::DictInsert {} => {
                let (value, key, dict) = (m.pop(), m.pop(), m.pop());
                m.push(make::dict_insert(ctx, dict, key, value)?);
            }
            Inst::DictExtend {} => {
                let (more, dict) = (m.pop(), m.pop());
                m.push(make::dict_extend(ctx, dict, more)?);
            }
            Inst::MakeStruct { site } => {
                let count = ctx.program.program.struct_sites[site as usize].pops();
                m.replace(count, |values| make::structure(ctx, site, values))?;
            }
            Inst::MakeVariant { site, count } => {
                m.replace(count, |values| make::variant(ctx, site, values))?
            }
            Inst::CallForeign { site } => {
                let count = ctx.program.program.foreign_sites[site as usize]
                    .params
                    .len();
                m.replace(count as u32, |values| foreign::call(ctx, site, values))?;
            }
            Inst::MakeClosure { func } => {
                let mut captures = make::captures(ctx, func, m.slots, m.callee);
                m.push(make::closure(ctx, func, &mut captures));
            }
            Inst::MakeStructDef { declaration } => {
                let count = ctx.program.program.structs[declaration as usize].pops();
                m.replace(count, |values| {
                    Ok(make::struct_def(ctx, declaration, values))
                })?;
            }
            Inst::MakeEnumDef { name } => m.push(make::enum_def(ctx, name)),
            Inst::Interpolate { count } => m.replace(count, |values| interpolate(ctx, values))?,

            Inst::OptionalField { name } => m.map_top(|top| index::optional_field(ctx, top, name)),
            Inst::FieldOrUnset { name } => m.map_top(|top| index::field_or_unset(top, name)),
            Inst::StorePath { path } => paths::store_path(ctx, m, path)?,
            Inst::ReadPath { path } => {
                let value = paths::read_path(ctx, m, path)?;
                m.push(value);
            }
            Inst::StorePathUnder { path } => paths::store_path_under(ctx, m, path)?,
            Inst::UpdatePath { path, operator } => paths::update_path(ctx, m, path, operator)?,

            Inst::ElementOrNull { index } => m.map_top(|top| matching::element_or_null(top, index)),
            Inst::ArrayRest { from } => m.map_top(|top| matching::array_rest(top, from)),
            Inst::FieldOrNull { name } => m.map_top(|top| matching::field_or_null(ctx, top, name)),
            Inst::DictRest { list } => m.map_top(|top| matching::dict_rest(ctx, top, list)),
            Inst::TestArray { len } => m.test_top(|top| matching::test_array(top, len)),
            Inst::TestArrayMin { len } => m.test_top(|top| matching::test_array_min(top, len)),
            Inst::TestVariant { site } => m.test_top(|top| matching::test_variant(ctx, top, site)),
            Inst::TestName { name } => m.test_top(|top| matching::test_name(ctx, top, name)),
            Inst::TestField { name } => m.test_top(|top| matching::test_field(ctx, top, name)),
            Inst::VariantPayload { index, .. } => {
                m.map_top(|top| matching::variant_payload(top, index))
            }

            Inst::IterStart { slot } => {
                let iterable = m.pop();
                let (source, position) = iterate::iter_start(ctx, iterable)?;
                *m.slots.add(slot as usize) = source;
                *m.slots.add(slot as usize + 1) = position;
            }
            Inst::RangeStart { slot, argc } => {
                let range = m.consume(argc, |args| iterate::range_start(ctx, args))?;
                for (offset, number) in range.into_iter().enumerate() {
                    *m.slots.add(slot as usize + offset) = Value::int(number);
                }
            }

            Inst::Throw {} => {
                let value = m.pop();
                return Err(catch::throw(ctx, value));
            }
            Inst::Raise { message } => {
                let text = (*ctx.constants.add(message as usize)).clone();
                return Err(ctx.raise(text.as_str().unwrap_or_default()));
            }
            Inst::Catch {} => m.push(catch::catch(ctx)?),
            Inst::Yield {} => {
                let value = m.pop();
                return Ok(Some(suspend::suspend(ctx, *m, value)));
            }
            Inst::Await {} => m.compute_top(|top| call::await_value(ctx, top))?,
            Inst::Spawn {} => {
                let function = m.pop();
                call::spawn(ctx, function)?;
            }
            Inst::Import { module } => modules::import(ctx, module)?,

            other => unreachable!("{other:?} is run by the loop"),
        }
    }
    Ok(None)
}
