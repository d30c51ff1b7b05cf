//! Functions as values, captured variables, and bound methods.
//!
//! A captured variable lives in a `CellObject` that the enclosing function and
//! all closures share.  Cells can close a cycle; see `cycles`.

use super::cycles::{self, Root};
use super::{Header, Object, Ref, allocator};
use crate::bytecode::{FunctionId, FunctionInfo};
use crate::call::Entry;
use crate::value::{Tag, Value};
use core::cell::{Cell, UnsafeCell};
use core::mem::{offset_of, size_of};

/// A function value; `captured` values follow it.  `header.flags` is its
/// `FunctionInfo::plain_call`.
#[repr(C)]
pub struct Function {
    header: Header,
    /// What a call jumps to, whoever executes the function.
    entry: Cell<Entry>,
    /// What is known of the function; outlives every function object.
    info: *const FunctionInfo,
    captured: u32,
    /// Its number, which `info` says as well.
    id: FunctionId,
}

/// Where generated code finds the entry of a function object.
pub const ENTRY_OFFSET: usize = offset_of!(Function, entry);
/// Where generated code finds the static description of a function object.
pub const INFO_OFFSET: usize = offset_of!(Function, info);
/// Where generated code finds the function's number in the program.
pub const ID_OFFSET: usize = offset_of!(Function, id);
/// Where generated code finds the number of arguments that a function object
/// may be entered with at once, plus one.
pub const PLAIN_CALL_OFFSET: usize = offset_of!(Header, flags);
/// Where the captured values start.
pub const CAPTURES_OFFSET: usize = size_of::<Function>();

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Function {
    const TAG: Tag = Tag::Function;

    unsafe fn destroy(object: *mut Function) {
        // SAFETY: dead; the captures are dropped once, then the memory is freed.
        unsafe {
            let captured = (*object).captured as usize;
            core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
                captures_of(object),
                captured,
            ));
            allocator::free(
                object.cast(),
                CAPTURES_OFFSET + captured * size_of::<Value>(),
            );
        }
    }
}

impl Function {
    /// A function object that owns the given captured values (cells, or the
    /// values of variables that never change).
    ///
    /// # Safety
    /// `info` outlives the object; `entry` executes that very function.
    pub unsafe fn new(
        entry: Entry,
        info: *const FunctionInfo,
        captures: impl ExactSizeIterator<Item = Value>,
    ) -> Ref<Function> {
        let captured = captures.len();
        let object: *mut Function =
            allocator::allocate(CAPTURES_OFFSET + captured * size_of::<Value>()).cast();
        let mut header = Header::new(Tag::Function);
        // SAFETY: fresh memory of that size; the caller vouches for `info`.
        unsafe {
            header.flags = (*info).plain_call();
            object.write(Function {
                header,
                entry: Cell::new(entry),
                info,
                captured: u32::try_from(captured).expect("the verifier limits captures"),
                id: (*info).id,
            });
            for (index, value) in captures.enumerate() {
                captures_of(object).add(index).write(value);
            }
            Ref::from_raw(object)
        }
    }

    #[inline(always)]
    pub fn entry(&self) -> Entry {
        self.entry.get()
    }

    /// Lets calls go to other code from now on.
    ///
    /// # Safety
    /// The entry executes the same function.
    pub unsafe fn set_entry(&self, entry: Entry) {
        self.entry.set(entry);
    }

    #[inline(always)]
    pub fn info(&self) -> &FunctionInfo {
        // SAFETY: `info` outlives the object.
        unsafe { &*self.info }
    }

    #[inline(always)]
    pub fn captures(&self) -> &[Value] {
        // SAFETY: `captured` values follow the object.
        unsafe {
            core::slice::from_raw_parts(
                captures_of(core::ptr::from_ref(self).cast_mut()),
                self.captured as usize,
            )
        }
    }
}

#[inline(always)]
fn captures_of(object: *mut Function) -> *mut Value {
    // SAFETY: the captures follow the object.
    unsafe { object.cast::<u8>().add(CAPTURES_OFFSET).cast() }
}

/// A variable shared by closures.
#[repr(C)]
pub struct CellObject {
    root: Root,
    value: UnsafeCell<Value>,
}

/// Where generated code finds a cell's value.
pub const CELL_VALUE_OFFSET: usize = offset_of!(CellObject, value);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for CellObject {
    const TAG: Tag = Tag::Cell;

    unsafe fn destroy(object: *mut CellObject) {
        // SAFETY: dead; it is unlinked from the chain that it is on.
        unsafe {
            cycles::unlink(object.cast());
            core::ptr::drop_in_place(&raw mut (*object).value);
            allocator::free(object.cast(), size_of::<CellObject>());
        }
    }
}

impl CellObject {
    /// A cell that holds `value`.
    pub fn new(value: Value) -> Ref<CellObject> {
        cycles::make_room();
        // SAFETY: fresh memory of that size, linked into the thread's chain.
        unsafe {
            let object: *mut CellObject = allocator::allocate(size_of::<CellObject>()).cast();
            object.write(CellObject {
                root: Root::new(Tag::Cell),
                value: UnsafeCell::new(value),
            });
            cycles::link(object.cast());
            Ref::from_raw(object)
        }
    }

    /// The variable's value, `Unset` included.
    #[inline(always)]
    pub fn get(&self) -> &Value {
        // SAFETY: writers go through `place` and hold no reference meanwhile.
        unsafe { &*self.value.get() }
    }

    /// Where the value lives; shared by all owners of the cell.
    #[inline(always)]
    pub fn place(&self) -> *mut Value {
        self.value.get()
    }
}

/// `o.m` without a call: the method with its receiver.
#[repr(C)]
pub struct BoundMethod {
    header: Header,
    pub receiver: Value,
    pub method: Value,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for BoundMethod {
    const TAG: Tag = Tag::BoundMethod;

    unsafe fn destroy(object: *mut BoundMethod) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<BoundMethod>());
        }
    }
}

impl BoundMethod {
    pub fn new(receiver: Value, method: Value) -> Ref<BoundMethod> {
        let object: *mut BoundMethod = allocator::allocate(size_of::<BoundMethod>()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(BoundMethod {
                header: Header::new(Tag::BoundMethod),
                receiver,
                method,
            });
            Ref::from_raw(object)
        }
    }
}
