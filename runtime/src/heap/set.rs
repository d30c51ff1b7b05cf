//! Sets: insertion-ordered values with a hash index.
//!
//! What makes two values the same is the language's business, so whoever asks
//! brings the hash and the comparison.  Removed items leave a hole that the
//! next rebuild closes.

use super::{Duplicate, Header, Object, Ref, allocator};
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use core::mem::size_of;
use hashbrown::HashTable;

struct Item {
    hash: u64,
    /// `Unset` for a removed item.
    value: Value,
}

/// A set object.
#[repr(C)]
pub struct Set {
    header: Header,
    /// Items that are not removed.
    len: usize,
    items: Vec<Item>,
    /// Positions in `items`, by hash.
    index: HashTable<u32>,
}

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Set {
    const TAG: Tag = Tag::Set;

    unsafe fn destroy(object: *mut Set) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Set>());
        }
    }
}

impl Duplicate for Set {
    fn duplicate(&self) -> Ref<Set> {
        let copy = Set::with_capacity(self.len);
        // SAFETY: made here, so unique.
        let target = unsafe { &mut *copy.as_ptr() };
        for item in self.items.iter().filter(|item| !item.value.is_unset()) {
            target.insert(item.hash, item.value.clone());
        }
        copy
    }
}

impl Set {
    pub fn new() -> Ref<Set> {
        Set::with_capacity(0)
    }

    pub fn with_capacity(items: usize) -> Ref<Set> {
        let object: *mut Set = allocator::allocate(size_of::<Set>()).cast();
        let mut header = Header::new(Tag::Set);
        header.depth = 1;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Set {
                header,
                len: 0,
                items: Vec::with_capacity(items),
                index: HashTable::with_capacity(items),
            });
            Ref::from_raw(object)
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The position of an item with this hash that `same` accepts.
    pub fn find(&self, hash: u64, mut same: impl FnMut(&Value) -> bool) -> Option<usize> {
        let found = self.index.find(hash, |position| {
            let item = &self.items[*position as usize];
            item.hash == hash && same(&item.value)
        });
        found.map(|position| *position as usize)
    }

    /// Adds an item that is not in the set.
    pub fn insert(&mut self, hash: u64, value: Value) {
        assert!(
            self.items.len() < u32::MAX as usize,
            "a set of four thousand million items"
        );
        self.header.deepen(value.depth());
        let position = self.items.len() as u32;
        self.items.push(Item { hash, value });
        let items = &self.items;
        self.index
            .insert_unique(hash, position, |position| items[*position as usize].hash);
        self.len += 1;
    }

    /// Removes the item at a position that `find` gave.
    pub fn remove(&mut self, position: usize) -> Value {
        let item = &mut self.items[position];
        let (hash, value) = (item.hash, item.value.take());
        if let Ok(entry) = self
            .index
            .find_entry(hash, |known| *known as usize == position)
        {
            entry.remove();
        }
        self.len -= 1;
        if self.items.len() > 2 * self.len + 8 {
            self.rebuild();
        }
        value
    }

    /// Closes the holes.
    fn rebuild(&mut self) {
        self.items.retain(|item| !item.value.is_unset());
        self.index.clear();
        let items = &self.items;
        for (position, item) in items.iter().enumerate() {
            self.index
                .insert_unique(item.hash, position as u32, |position| {
                    items[*position as usize].hash
                });
        }
    }

    /// The items in insertion order.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.items
            .iter()
            .map(|item| &item.value)
            .filter(|value| !value.is_unset())
    }

    /// The items with their hashes.
    pub fn iter_hashed(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.items
            .iter()
            .filter(|item| !item.value.is_unset())
            .map(|item| (item.hash, &item.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(set: &Set, wanted: i64) -> Option<usize> {
        set.find(wanted as u64 % 3, |value| value.as_int() == Some(wanted))
    }

    #[test]
    fn items_are_found_and_removed_despite_equal_hashes() {
        let set = Set::new();
        // SAFETY: made here, so unique.
        let target = unsafe { &mut *set.as_ptr() };
        for number in 0..100 {
            assert_eq!(position(target, number), None);
            target.insert(number as u64 % 3, Value::int(number));
        }
        for number in (0..100).filter(|number| number % 10 != 0) {
            let found = position(target, number).expect("inserted above");
            assert_eq!(target.remove(found).as_int(), Some(number));
            assert_eq!(position(target, number), None);
        }
        let rest: Vec<_> = target.iter().filter_map(Value::as_int).collect();
        assert_eq!(rest, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert_eq!(target.len(), 10);
    }
}
