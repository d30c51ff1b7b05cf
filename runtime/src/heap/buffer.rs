//! A growing row of items in the thread's own memory.

use super::allocator;
use core::mem::{align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// A `Vec` whose memory comes from the thread's heap: small ones are made and
/// freed in a few instructions.
pub struct Buffer<T> {
    first: NonNull<T>,
    len: usize,
    capacity: usize,
}

impl<T> Default for Buffer<T> {
    fn default() -> Buffer<T> {
        let () = Buffer::<T>::FITS;
        Buffer {
            first: NonNull::dangling(),
            len: 0,
            capacity: 0,
        }
    }
}

impl<T> Buffer<T> {
    /// Where debuggers find the address of the first element.
    pub const FIRST_OFFSET: usize = core::mem::offset_of!(Buffer<T>, first);

    const FITS: () = assert!(size_of::<T>() > 0 && align_of::<T>() <= 16);

    /// With room for `capacity` items to begin with.
    #[inline]
    pub fn with_capacity(capacity: usize) -> Buffer<T> {
        let mut buffer = Buffer::default();
        if capacity > 0 {
            buffer.resize_to(capacity);
        }
        buffer
    }

    #[inline(always)]
    pub fn push(&mut self, item: T) {
        if self.len == self.capacity {
            self.grow();
        }
        // SAFETY: there is room for one more.
        unsafe { self.first.add(self.len).write(item) };
        self.len += 1;
    }

    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the last item; it is not counted any more.
        Some(unsafe { self.first.add(self.len).read() })
    }

    /// Drops all items; the memory stays.
    pub fn clear(&mut self) {
        let items = core::ptr::from_mut::<[T]>(self);
        self.len = 0;
        // SAFETY: they are not counted any more.
        unsafe { core::ptr::drop_in_place(items) };
    }

    /// Keeps the items that `is_wanted`, in their order.
    pub fn retain(&mut self, is_wanted: impl Fn(&T) -> bool) {
        let mut kept = 0;
        for position in 0..self.len {
            if is_wanted(&self[position]) {
                self.swap(kept, position);
                kept += 1;
            }
        }
        while self.len > kept {
            self.pop();
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.resize_to((self.capacity * 2).max(4));
    }

    /// Makes room for `capacity` items, which is more than there is.
    fn resize_to(&mut self, capacity: usize) {
        let Some(size) = capacity.checked_mul(size_of::<T>()) else {
            allocator::out_of_memory(usize::MAX);
        };
        // SAFETY: the block came from here with the size that its capacity says.
        let block = unsafe {
            if self.capacity == 0 {
                allocator::allocate(size)
            } else {
                allocator::reallocate(
                    self.first.as_ptr().cast(),
                    self.capacity * size_of::<T>(),
                    size,
                )
            }
        };
        // SAFETY: the allocator gives no null pointers.
        self.first = unsafe { NonNull::new_unchecked(block.cast()) };
        self.capacity = capacity;
    }
}

impl<T: Copy> Buffer<T> {
    /// A buffer of `len` times the same.
    pub fn filled(item: T, len: usize) -> Buffer<T> {
        let mut buffer = Buffer::with_capacity(len);
        for position in 0..len {
            // SAFETY: there is room for that many.
            unsafe { buffer.first.add(position).write(item) };
        }
        buffer.len = len;
        buffer
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: that many items are there.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: that many items are there, borrowed through `&mut self`.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Buffer<T> {
    #[inline]
    fn drop(&mut self) {
        if self.capacity > 0 {
            self.clear();
            // SAFETY: the block came from the allocator with that size.
            unsafe {
                allocator::free(self.first.as_ptr().cast(), self.capacity * size_of::<T>());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;
    use alloc::vec::Vec;

    #[test]
    fn behaves_like_a_vec_and_drops_each_item_once() {
        let token = Rc::new(());
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for number in 0..100 {
            buffer.push((number, token.clone()));
            expected.push(number);
        }
        buffer.retain(|(number, _)| number % 3 != 1);
        expected.retain(|number| number % 3 != 1);
        assert_eq!(buffer.pop().map(|(number, _)| number), expected.pop());
        let numbers: Vec<i32> = buffer.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, expected);
        assert_eq!(Rc::strong_count(&token), 1 + expected.len());
        drop(buffer);
        assert_eq!(Rc::strong_count(&token), 1);
        assert_eq!(*Buffer::filled(7_u64, 3), [7; 3]);
    }
}
