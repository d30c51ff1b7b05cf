//! Stacks: values that leave in the opposite order.

use super::{Duplicate, Header, Object, Ref, allocator};
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use core::mem::size_of;

/// A stack object, its bottom first.
#[repr(C)]
pub struct Stack {
    header: Header,
    items: Vec<Value>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Stack {
    const TAG: Tag = Tag::Stack;

    unsafe fn destroy(object: *mut Stack) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Stack>());
        }
    }
}

impl Duplicate for Stack {
    fn duplicate(&self) -> Ref<Stack> {
        Stack::make(self.items.clone(), self.header.depth)
    }
}

impl Stack {
    /// A stack of these values, the bottom first.
    pub fn from_values(values: impl Iterator<Item = Value>) -> Ref<Stack> {
        let mut depth = 1;
        let items = values
            .inspect(|value| depth = depth.max(value.depth() + 1))
            .collect();
        Stack::make(items, depth.min(u16::MAX as usize) as u16)
    }

    fn make(items: Vec<Value>, depth: u16) -> Ref<Stack> {
        let object: *mut Stack = allocator::allocate(size_of::<Stack>()).cast();
        let mut header = Header::new(Tag::Stack);
        header.depth = depth;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Stack { header, items });
            Ref::from_raw(object)
        }
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value that leaves next.
    pub fn top(&self) -> Option<&Value> {
        self.items.last()
    }

    /// Puts a value on top.
    pub fn push(&mut self, value: Value) {
        self.header.deepen(value.depth());
        self.items.push(value);
    }

    /// Removes the value on top.
    pub fn pop(&mut self) -> Option<Value> {
        self.items.pop()
    }

    /// The values, the bottom first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.items.iter()
    }
}
