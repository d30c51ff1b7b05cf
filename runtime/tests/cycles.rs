//! What only cycles keep alive is found and freed.

use ruff_runtime::bytecode::FunctionInfo;
use ruff_runtime::call::Entry;
use ruff_runtime::context::{TraceEntry, VMContext};
use ruff_runtime::heap::cycles::collect;
use ruff_runtime::heap::{Array, CellObject, Function, Ref, Str, allocator};
use ruff_runtime::value::{RawValue, Value};

unsafe extern "C" fn never_called(
    _ctx: *mut VMContext,
    _trace: *mut TraceEntry,
    _callee: *const Function,
    _args: *mut Value,
) -> RawValue {
    RawValue::RAISED
}

/// A variable that holds a function which captures it, within an array.
fn knot(info: &FunctionInfo, text: &str) -> Ref<CellObject> {
    let cell = CellObject::new(Value::UNSET);
    let captures = vec![Value::from(cell.clone()), Value::from(Str::new(text))];
    // SAFETY: the description outlives the objects of these tests.
    let function = unsafe { Function::new(never_called as Entry, info, captures.into_iter()) };
    let array = Array::from_values(vec![Value::from(function)].into_iter());
    // SAFETY: nobody borrows the variable's value.
    unsafe { *cell.place() = Value::from(array) };
    cell
}

#[test]
fn knots_that_nobody_holds_are_freed() {
    let info = FunctionInfo::default();
    let before = allocator::live_blocks();
    for _ in 0..10 {
        drop(knot(&info, "some text"));
    }
    assert!(allocator::live_blocks() > before);
    collect();
    assert_eq!(allocator::live_blocks(), before);
}

#[test]
fn knots_that_somebody_holds_stay() {
    let info = FunctionInfo::default();
    let before = allocator::live_blocks();
    let held = knot(&info, "held");
    drop(knot(&info, "lost"));
    // What hangs on a living variable lives, other variables included.
    let outer = CellObject::new(Value::from(held));
    collect();
    let inner = outer.get().as_object::<CellObject>().expect("still there");
    let array = inner.get().as_object::<Array>().expect("still whole");
    assert_eq!(array.len(), 1);
    drop(outer);
    collect();
    assert_eq!(allocator::live_blocks(), before);
}

#[test]
fn many_variables_are_looked_through_by_themselves() {
    let info = FunctionInfo::default();
    let before = allocator::live_blocks();
    for _ in 0..10_000 {
        drop(knot(&info, "x"));
    }
    let some = allocator::live_blocks() - before;
    for _ in 0..90_000 {
        drop(knot(&info, "x"));
    }
    let many = allocator::live_blocks() - before;
    assert!(
        many < 2 * some,
        "{many} blocks after ten times what left {some}"
    );
    collect();
    assert_eq!(allocator::live_blocks(), before);
}
