//! Handles: channels and tasks, which threads share.
//!
//! The object belongs to one thread, like every object; what it stands for is
//! counted atomically, and is `threads`' business.

use super::{Header, Object, Ref, allocator};
use crate::value::Tag;
use alloc::sync::Arc;
use core::any::Any;
use core::mem::size_of;

/// What threads share.
pub type Shared = Arc<dyn Any + Send + Sync>;

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $tag:ident) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            header: Header,
            pub shared: Shared,
        }

        // SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
        unsafe impl Object for $name {
            const TAG: Tag = Tag::$tag;

            unsafe fn destroy(object: *mut $name) {
                // SAFETY: dead; dropped once, then freed.
                unsafe {
                    core::ptr::drop_in_place(object);
                    allocator::free(object.cast(), size_of::<$name>());
                }
            }
        }

        impl $name {
            /// A handle to what others may have handles to as well.
            pub fn new(shared: Shared) -> Ref<$name> {
                let object: *mut $name = allocator::allocate(size_of::<$name>()).cast();
                // SAFETY: fresh memory of that size.
                unsafe {
                    object.write($name {
                        header: Header::new(Tag::$tag),
                        shared,
                    });
                    Ref::from_raw(object)
                }
            }
        }
    };
}

handle!(
    /// A channel object.
    Channel,
    Channel
);
handle!(
    /// A function that runs in the background.
    TaskHandle,
    TaskHandle
);
