//! Channels: values that wait in a queue for whoever receives them.

use super::cycles::{self, Root};
use super::{Object, Ref, allocator};
use crate::value::{Tag, Value};
use alloc::collections::VecDeque;
use core::cell::RefCell;
use core::mem::size_of;

/// A channel object; a reference by nature, so that a send is seen by all.
#[repr(C)]
pub struct Channel {
    root: Root,
    waiting: RefCell<VecDeque<Value>>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Channel {
    const TAG: Tag = Tag::Channel;

    unsafe fn destroy(object: *mut Channel) {
        // SAFETY: dead; it is unlinked, dropped once, then freed.
        unsafe {
            cycles::unlink(object.cast());
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Channel>());
        }
    }
}

impl Channel {
    /// An empty channel.
    pub fn new() -> Ref<Channel> {
        cycles::make_room();
        // SAFETY: fresh memory of that size, linked into the thread's chain.
        unsafe {
            let object: *mut Channel = allocator::allocate(size_of::<Channel>()).cast();
            object.write(Channel {
                root: Root::new(Tag::Channel),
                waiting: RefCell::new(VecDeque::new()),
            });
            cycles::link(object.cast());
            Ref::from_raw(object)
        }
    }

    /// Puts a value behind those that wait.
    pub fn send(&self, value: Value) {
        self.waiting.borrow_mut().push_back(value);
    }

    /// Takes the value that has waited longest.
    pub fn receive(&self) -> Option<Value> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Visits the values that wait.
    pub fn each(&self, visit: impl FnMut(&Value)) {
        self.waiting.borrow().iter().for_each(visit);
    }
}
