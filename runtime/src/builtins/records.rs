//! Structs that built-ins make: their names may be new to the program.

use crate::context::VMContext;
use crate::heap::Record;
use crate::value::Value;

/// A struct with these fields and without declaration.
pub fn make_record<const COUNT: usize>(
    ctx: &mut VMContext,
    name: &str,
    fields: [(&str, Value); COUNT],
) -> Value {
    let name = ctx.program.intern(name);
    let names = fields
        .each_ref()
        .map(|(field, _)| ctx.program.intern(field));
    let mut record = ctx.program.new_record(name, &names);
    let target = record.get_mut().expect("just made");
    for (place, (_, value)) in fields.into_iter().enumerate() {
        target.note_depth(value.depth());
        target.fields_mut()[place] = value;
    }
    Value::from(record)
}

/// A struct's field, or null.
pub fn field(ctx: &VMContext, record: &Value, name: &str) -> Value {
    let field = ctx.program.find_name(name);
    let value = field.and_then(|field| record.as_object::<Record>()?.get(field));
    value.cloned().unwrap_or(Value::NULL)
}

/// The struct with a field that it has set to something else.
pub fn with_field(ctx: &VMContext, record: &Value, name: &str, value: Value) -> Value {
    let mut changed = record.clone();
    let field = ctx.program.find_name(name);
    if let Some(target) = changed.object_mut::<Record>()
        && let Some(position) = field.and_then(|field| target.shape().position(field))
    {
        target.note_depth(value.depth());
        target.fields_mut()[position] = value;
    }
    changed
}
