//! Queues: values that leave in the order they came.

use super::{Duplicate, Header, Object, Ref, allocator};
use crate::value::{Tag, Value};
use alloc::collections::VecDeque;
use core::mem::size_of;

/// A queue object, its front first.
#[repr(C)]
pub struct Queue {
    header: Header,
    items: VecDeque<Value>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Queue {
    const TAG: Tag = Tag::Queue;

    unsafe fn destroy(object: *mut Queue) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Queue>());
        }
    }
}

impl Duplicate for Queue {
    fn duplicate(&self) -> Ref<Queue> {
        Queue::make(self.items.clone(), self.header.depth)
    }
}

impl Queue {
    /// A queue of these values, the front first.
    pub fn from_values(values: impl Iterator<Item = Value>) -> Ref<Queue> {
        let mut depth = 1;
        let items = values
            .inspect(|value| depth = depth.max(value.depth() + 1))
            .collect();
        Queue::make(items, depth.min(u16::MAX as usize) as u16)
    }

    fn make(items: VecDeque<Value>, depth: u16) -> Ref<Queue> {
        let object: *mut Queue = allocator::allocate(size_of::<Queue>()).cast();
        let mut header = Header::new(Tag::Queue);
        header.depth = depth;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Queue { header, items });
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
    pub fn front(&self) -> Option<&Value> {
        self.items.front()
    }

    /// Adds a value at the back.
    pub fn push(&mut self, value: Value) {
        self.header.deepen(value.depth());
        self.items.push_back(value);
    }

    /// Removes the value at the front.
    pub fn pop(&mut self) -> Option<Value> {
        self.items.pop_front()
    }

    /// The values, the front first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.items.iter()
    }
}
