//! Raising, locating, catching and reporting errors (reference, section 8).

use super::R;
use super::convert::{technical, to_display_string};
use crate::bytecode::FunctionId;
use crate::context::{TraceEntry, VMContext};
use crate::error::{Origin, Pending, Raised};
use crate::heap::{Array, Record, Ref, Str};
use crate::names::{CAUSE, MESSAGE, STACK};
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Raises a value.
#[cold]
pub fn throw(ctx: &mut VMContext, value: Value) -> Raised {
    let message = match value.as_object::<Record>() {
        Some(record) => match record.get(MESSAGE).and_then(Value::to_ref::<Str>) {
            Some(text) => text,
            None => Str::new(&format!("{} error", ctx.program.name(record.shape().name))),
        },
        None => match value.to_ref::<Str>() {
            Some(text) => text,
            None => Str::new(&technical(ctx, &value)),
        },
    };
    ctx.pending = Some(Pending {
        message,
        thrown: Some(value),
        origin: None,
    });
    Raised
}

/// Notes at which instruction of a function the pending error was raised and
/// which functions are active, unless a frame further in has done so.  `trace`
/// is the first free entry of the call stack, as the frame that sees the error
/// has it.
#[cold]
pub fn locate(ctx: &mut VMContext, place: (FunctionId, u32), trace: *mut TraceEntry) {
    let base = ctx.trace_base;
    let Some(pending) = &mut ctx.pending else {
        return;
    };
    if pending.origin.is_some() {
        return;
    }
    // SAFETY: the entries from the base to the first free one are written, and
    // an entry is a `FunctionId`.
    let active = unsafe {
        core::slice::from_raw_parts(base.cast::<FunctionId>(), trace.offset_from_unsigned(base))
    };
    let stack = ctx.recent_stacks.of(active);
    pending.origin = Some(Origin { place, stack });
}

/// Takes the pending error as an Error struct.  `exit` can't be caught and
/// stays pending.
pub fn catch(ctx: &mut VMContext) -> R<Value> {
    if ctx.exit_status.is_some() {
        return Err(Raised);
    }
    let Some(pending) = ctx.pending.take() else {
        return Ok(Value::NULL);
    };
    let Pending {
        message,
        thrown,
        origin,
    } = pending;
    let record = thrown.as_ref().and_then(Value::as_object::<Record>);
    if record.is_some_and(|record| record.shape().is_error) {
        return Ok(thrown.unwrap_or_default());
    }
    let cause = record.and_then(|record| record.get(CAUSE)).cloned();
    let stack = match &origin {
        Some(origin) => {
            let names = &origin.stack.names;
            names
                .get_or_init(|| function_names(ctx, &origin.stack.functions))
                .clone()
        }
        None => function_names(ctx, &[]),
    };
    let message = Value::from(message);
    let value = thrown.unwrap_or_else(|| message.clone());
    // The fields of `error_shapes`, in order.
    let mut fields = [
        // Recorded outputs of programs that print whole errors show no line;
        // the report of an uncaught error is where lines help.
        Value::int(0),
        message,
        Value::from(stack),
        value,
        Value::UNSET,
    ];
    let [without_cause, with_cause] = ctx.program.error_shapes;
    // SAFETY: the program's shapes outlive their instances, and have these fields.
    let error = unsafe {
        match cause {
            None => Record::from_values(without_cause, None, &mut fields[..4]),
            Some(cause) => {
                fields[4] = cause;
                Record::from_values(with_cause, None, &mut fields)
            }
        }
    };
    Ok(Value::from(error))
}

/// Whether a value is what `except` binds, and not merely a struct like it.
fn is_caught_error(value: &Value) -> bool {
    value
        .as_object::<Record>()
        .is_some_and(|record| record.shape().is_error)
}

fn function_names(ctx: &VMContext, functions: &[FunctionId]) -> Ref<Array> {
    let mut names: Vec<(FunctionId, Value)> = Vec::new();
    let values: Vec<Value> = functions
        .iter()
        .map(|id| {
            // A deep recursion names few functions over and over.
            if let Some((_, name)) = names.iter().rev().take(8).find(|(known, _)| known == id) {
                return name.clone();
            }
            let name = Value::string(&ctx.program.program.functions[*id as usize].info.name);
            names.push((*id, name.clone()));
            name
        })
        .collect();
    Array::from_values(values.into_iter())
}

/// The report of the pending error as an uncaught one.
pub fn report(ctx: &VMContext, pending: &Pending) -> String {
    let mut report = format!(
        "[RUFVM001] [vm] Runtime Error: {}\n",
        pending.message.as_str()
    );
    let position = pending.position(&ctx.program.program);
    let _ = match position {
        Some(position) => {
            let file = ctx
                .program
                .program
                .files
                .get(position.file as usize)
                .map_or("", |file| file);
            writeln!(report, "  --> {file}:{}:{}", position.line, position.column)
        }
        None => writeln!(report, "  --> 0:0"),
    };
    let names = active_names(ctx, pending);
    if !names.is_empty() {
        report.push_str("\nCall stack:\n");
        for (index, name) in names.iter().rev().enumerate() {
            let _ = writeln!(report, "  {index} at {name}");
        }
    }
    report.push('\n');
    report
}

/// The names of the functions that were active, outermost first.
pub fn active_names(ctx: &VMContext, pending: &Pending) -> Vec<String> {
    // A caught error that was thrown again keeps its own stack.
    if let Some(error) = pending
        .thrown
        .as_ref()
        .filter(|value| is_caught_error(value))
    {
        let stack = error
            .as_object::<Record>()
            .and_then(|record| record.get(STACK)?.as_object::<Array>());
        return stack.map_or(Vec::new(), |names| {
            names
                .iter()
                .map(|name| to_display_string(ctx, &name))
                .collect()
        });
    }
    pending
        .functions()
        .iter()
        .map(|id| {
            ctx.program.program.functions[*id as usize]
                .info
                .name
                .clone()
        })
        .collect()
}
