//! Raising, locating, catching and reporting errors (reference, section 8).

use super::R;
use super::convert::{technical, to_display_string};
use crate::bytecode::{FunctionId, Position};
use crate::context::{TraceEntry, VMContext};
use crate::error::{Origin, Pending, Raised};
use crate::heap::{Array, Record, Ref};
use crate::names::{CAUSE, LINE, MESSAGE, STACK, VALUE};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Raises a value.
#[cold]
pub fn throw(ctx: &mut VMContext, value: Value) -> Raised {
    let message = match value.as_object::<Record>() {
        Some(record) => match record.get(MESSAGE).and_then(Value::as_str) {
            Some(text) => String::from(text),
            None => format!("{} error", ctx.program.name(record.shape().name)),
        },
        None => match value.as_str() {
            Some(text) => String::from(text),
            None => technical(ctx, &value),
        },
    };
    ctx.pending = Some(Box::new(Pending {
        message,
        thrown: Some(value),
        origin: None,
    }));
    Raised
}

/// Notes where the pending error was raised and which functions are active,
/// unless a frame further in has done so.  `trace` is the first free entry of
/// the call stack, as the frame that sees the error has it.
#[cold]
pub fn locate(ctx: &mut VMContext, position: Option<Position>, trace: *mut TraceEntry) {
    let base = ctx.trace_base;
    let Some(pending) = &mut ctx.pending else {
        return;
    };
    if pending.origin.is_some() {
        return;
    }
    // SAFETY: the entries from the base to the first free one are written.
    let active = unsafe { core::slice::from_raw_parts(base, trace.offset_from_unsigned(base)) };
    let stack = active.iter().map(|entry| entry.0).collect();
    pending.origin = Some(Origin { position, stack });
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
    } = *pending;
    if let Some(caught) = &thrown
        && is_caught_error(caught)
    {
        return Ok(thrown.unwrap_or_default());
    }
    let cause = thrown
        .as_ref()
        .and_then(|value| value.as_object::<Record>()?.get(CAUSE))
        .cloned();
    let shape = ctx.program.error_shapes[cause.is_some() as usize];
    // SAFETY: the program's shapes outlive its instances.
    let mut error = unsafe { Record::unset(shape, None) };
    let Some(target) = error.get_mut() else {
        unreachable!("made here, so unique")
    };
    let names = origin.map_or(Vec::new(), |origin| origin.stack);
    let stack = function_names(ctx, &names);
    let message = Value::string(&message);
    let value = thrown.unwrap_or_else(|| message.clone());
    for (field, content) in [
        // Recorded outputs of programs that print whole errors show no line;
        // the report of an uncaught error is where lines help.
        (LINE, Value::int(0)),
        (MESSAGE, message),
        (STACK, Value::from(stack)),
        (VALUE, value),
        (CAUSE, cause.unwrap_or(Value::UNSET)),
    ] {
        if let Some(position) = target.shape().position(field) {
            target.note_depth(content.depth());
            target.fields_mut()[position] = content;
        }
    }
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
    let mut report = format!("[RUFVM001] [vm] Runtime Error: {}\n", pending.message);
    let position = pending.origin.as_ref().and_then(|origin| origin.position);
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
    let functions = pending
        .origin
        .as_ref()
        .map_or(&[][..], |origin| &origin.stack);
    functions
        .iter()
        .map(|id| {
            ctx.program.program.functions[*id as usize]
                .info
                .name
                .clone()
        })
        .collect()
}
