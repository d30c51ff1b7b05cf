//! Dicts: insertion-ordered entries with an open-addressed index.
//!
//! A key is a string, or the decimal text of an `i64`, which is kept as the
//! int.  So `d[5]` and `d["5"]` meet in one entry, whichever way it was made.
//! Removed entries leave a hole that the next rebuild closes.

use super::buffer::Buffer;
use super::{Duplicate, Header, Object, Ref, Str, allocator};
use crate::value::{Tag, Value};
use core::mem::{offset_of, size_of};

/// A key to look up, without owning it.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// The decimal text of this number.
    Int(i64),
    /// Any other text.
    Text(&'a Str),
}

impl<'a> Key<'a> {
    /// The key that a string is: its number if it is canonical decimal text.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "nothing is parsed that could fail"
    )]
    pub fn from_str(text: &'a Str) -> Key<'a> {
        match canonical_int(text.as_bytes()) {
            Some(number) => Key::Int(number),
            None => Key::Text(text),
        }
    }

    /// The key that a value is, if it can be one.
    #[inline]
    pub fn from_value(value: &'a Value) -> Option<Key<'a>> {
        match value.as_int() {
            Some(number) => Some(Key::Int(number)),
            None => value.as_object::<Str>().map(Key::from_str),
        }
    }

    /// The key of an entry, as a dict holds it.
    #[inline]
    pub fn from_held(held: &'a Value) -> Key<'a> {
        match (held.as_int(), held.as_object::<Str>()) {
            (Some(number), _) => Key::Int(number),
            (_, Some(text)) => Key::Text(text),
            _ => unreachable!("a dict key is an int or a string"),
        }
    }

    #[inline(always)]
    fn hash(self) -> u64 {
        match self {
            Key::Int(number) => hash_int(number),
            Key::Text(text) => text.hash(),
        }
    }
}

#[inline(always)]
fn hash_int(number: i64) -> u64 {
    let product = (number as u64 ^ 0x9e37_79b9_7f4a_7c15) as u128 * 0xe703_7ed1_a0b4_28db_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// The number whose decimal text, as `to_string` writes it, this is.
#[inline]
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    let first = *text.first()?;
    if text.len() == 1 {
        return first.is_ascii_digit().then(|| i64::from(first - b'0'));
    }
    if !(first.is_ascii_digit() || first == b'-') || text.len() > 20 {
        return None;
    }
    let digits = if first == b'-' { &text[1..] } else { text };
    let leading_zero = digits.first() == Some(&b'0') && (digits.len() > 1 || first == b'-');
    if digits.is_empty() || leading_zero || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

struct Entry {
    /// A string or an int; `Unset` for a removed entry.
    key: Value,
    value: Value,
}

/// A dict object.  `header.flags` bit 0 says that it is int-keyed.
#[repr(C)]
pub struct Dict {
    header: Header,
    /// Entries that are not removed.
    len: usize,
    entries: Buffer<Entry>,
    /// Half of a hash and an entry's position plus one; 0 is free.  A power
    /// of two long, at most three quarters full, and empty while the dict is
    /// small enough to be searched from end to end.
    index: Buffer<u64>,
}

/// Where debuggers find the number of entries that are not removed.
pub const LEN_OFFSET: usize = offset_of!(Dict, len);
/// Where debuggers find the address of the first entry.
pub const ENTRIES_OFFSET: usize = offset_of!(Dict, entries) + Buffer::<Entry>::FIRST_OFFSET;
/// Where debuggers find the key and the value of an entry.
pub const ENTRY_OFFSETS: [usize; 2] = [offset_of!(Entry, key), offset_of!(Entry, value)];
/// Bytes from entry to entry.
pub const ENTRY_SIZE: usize = size_of::<Entry>();

const INT_KEYED: u8 = 1;
/// Up to this many entries are searched one by one.
const UNINDEXED: usize = 8;

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Dict {
    const TAG: Tag = Tag::Dict;

    unsafe fn destroy(object: *mut Dict) {
        // SAFETY: dead; dropped once, then freed.
        unsafe {
            core::ptr::drop_in_place(object);
            allocator::free(object.cast(), size_of::<Dict>());
        }
    }
}

impl Duplicate for Dict {
    fn duplicate(&self) -> Ref<Dict> {
        let copy = Dict::with_capacity(self.len);
        // SAFETY: made here, so unique.
        let target = unsafe { &mut *copy.as_ptr() };
        target.header.flags = self.header.flags;
        target.header.depth = self.header.depth;
        for entry in self.entries.iter().filter(|entry| !entry.key.is_unset()) {
            target.entries.push(Entry {
                key: entry.key.clone(),
                value: entry.value.clone(),
            });
        }
        target.len = self.len;
        if self.len > UNINDEXED {
            target.rebuild_index();
        }
        copy
    }
}

impl Dict {
    pub fn new() -> Ref<Dict> {
        Dict::with_capacity(0)
    }

    pub fn with_capacity(entries: usize) -> Ref<Dict> {
        let object: *mut Dict = allocator::allocate(size_of::<Dict>()).cast();
        let mut header = Header::new(Tag::Dict);
        header.depth = 1;
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Dict {
                header,
                len: 0,
                entries: Buffer::with_capacity(entries),
                index: Buffer::default(),
            });
            Ref::from_raw(object)
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether every key so far was inserted through an int (reference, 7).
    pub fn is_int_keyed(&self) -> bool {
        self.header.flags & INT_KEYED != 0 && self.len > 0
    }

    #[inline]
    pub fn get(&self, key: Key) -> Option<&Value> {
        let position = self.find(key)?;
        Some(&self.entries[position].value)
    }

    #[inline]
    pub fn contains(&self, key: Key) -> bool {
        self.find(key).is_some()
    }

    /// Where the value of `key` lives, for changes in place.
    #[inline]
    pub fn place(&mut self, key: Key) -> Option<&mut Value> {
        let position = self.find(key)?;
        Some(&mut self.entries[position].value)
    }

    /// Takes account of a value changed through `place`.
    pub fn note_depth(&mut self, depth: usize) {
        self.header.deepen(depth);
    }

    /// Sets the value of a key given as an int.
    pub fn insert_int(&mut self, key: i64, value: Value) {
        if self.len == 0 {
            self.header.flags |= INT_KEYED;
        }
        self.insert_key(Key::Int(key), value);
    }

    /// Sets the value of a key given as a string.
    #[inline]
    pub fn insert_str(&mut self, key: &Str, value: Value) {
        let key = Key::from_str(key);
        if self.len == 0 || matches!(key, Key::Text(_)) {
            self.header.flags &= !INT_KEYED;
        }
        self.insert_key(key, value);
    }

    /// Adds an entry behind the others.  The key is not in the dict yet, and
    /// not a number's text: another dict holds it as a string.
    #[inline]
    pub fn append(&mut self, key: &Str, value: Value) {
        debug_assert!(
            matches!(Key::from_str(key), Key::Text(key) if self.find(Key::Text(key)).is_none())
        );
        self.header.deepen(value.depth());
        self.header.flags &= !INT_KEYED;
        self.push_entry(Key::Text(key), value);
    }

    /// The key of the entry at `position`, if it is a string; for dicts that
    /// nothing was removed from.
    #[inline]
    pub fn held_text(&self, position: usize) -> Option<&Str> {
        self.entries.get(position)?.key.as_object()
    }

    /// Whether both dicts certainly have the same keys in the same order: the
    /// very same strings, and nothing was removed.
    pub fn has_keys_of(&self, other: &Dict) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .entries
                .iter()
                .zip(other.entries.iter())
                .all(|(own, other)| {
                    own.key.tag() == Tag::String
                        && own.key.tag() == other.key.tag()
                        && own.key.payload() == other.key.payload()
                })
    }

    /// Sets a key the way `source` holds it: as spreads and copies do.
    pub fn insert_from(&mut self, source: &Dict, key: &Value, value: Value) {
        match (key.as_int(), key.as_object::<Str>()) {
            (Some(number), _) => self.insert_held_int(number, source.is_int_keyed(), value),
            (_, Some(text)) => self.insert_str(text, value),
            _ => unreachable!("a dict key is an int or a string"),
        }
    }

    /// Sets a key that a dict holds as an int, given as an int or as text.
    pub fn insert_held_int(&mut self, key: i64, is_int_keyed: bool, value: Value) {
        if is_int_keyed {
            return self.insert_int(key, value);
        }
        if self.len == 0 {
            self.header.flags &= !INT_KEYED;
        }
        self.insert_key(Key::Int(key), value);
    }

    #[inline]
    fn insert_key(&mut self, key: Key, value: Value) {
        self.header.deepen(value.depth());
        if let Some(position) = self.find(key) {
            // The old value is dropped last: it can be anything.
            let old = core::mem::replace(&mut self.entries[position].value, value);
            drop(old);
            return;
        }
        self.push_entry(key, value);
    }

    /// Adds an entry with a key that is not there.
    #[inline]
    fn push_entry(&mut self, key: Key, value: Value) {
        let owned = match key {
            Key::Int(number) => Value::int(number),
            Key::Text(text) => Value::from(Ref::from_borrowed(text)),
        };
        self.entries.push(Entry { key: owned, value });
        self.len += 1;
        let position = self.entries.len() - 1;
        if self.index.is_empty() {
            if self.entries.len() > UNINDEXED {
                self.rebuild();
            }
        } else if self.entries.len() * 4 > self.index.len() * 3 {
            self.rebuild();
        } else {
            self.index_entry(key.hash(), position);
        }
    }

    /// Removes a key; gives its value.
    pub fn remove(&mut self, key: Key) -> Option<Value> {
        let position = self.find(key)?;
        let entry = &mut self.entries[position];
        let old_key = entry.key.take();
        let value = entry.value.take();
        self.len -= 1;
        drop(old_key);
        if self.len == 0 {
            self.entries.clear();
            self.index.clear();
        } else if position + 1 == self.entries.len() && self.index.is_empty() {
            self.entries.pop();
        } else if self.entries.len() > 2 * self.len + UNINDEXED {
            self.rebuild();
        }
        Some(value)
    }

    /// The entries in insertion order; keys are strings or ints.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.entries
            .iter()
            .filter(|entry| !entry.key.is_unset())
            .map(|entry| (&entry.key, &entry.value))
    }

    /// The entry at or after `position` in insertion order, with the position
    /// after it: how loops walk a dict that cannot change meanwhile.
    pub fn next_entry(&self, position: usize) -> Option<(&Value, &Value, usize)> {
        let mut position = position;
        while let Some(entry) = self.entries.get(position) {
            position += 1;
            if !entry.key.is_unset() {
                return Some((&entry.key, &entry.value, position));
            }
        }
        None
    }

    #[inline]
    fn find(&self, key: Key) -> Option<usize> {
        match key {
            Key::Int(number) => {
                self.search(|| hash_int(number), |held| held.as_int() == Some(number))
            }
            Key::Text(text) => self.search(
                || text.hash(),
                |held| {
                    held.as_object::<Str>()
                        .is_some_and(|held| held.has_text_of(text))
                },
            ),
        }
    }

    /// The position of the entry with a key that is the wanted one.
    #[inline(always)]
    fn search(&self, hash: impl Fn() -> u64, is_wanted: impl Fn(&Value) -> bool) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|entry| is_wanted(&entry.key));
        }
        let hash = hash();
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            // SAFETY: the index is a power of two long.
            let found = unsafe { *self.index.get_unchecked(slot) };
            if found == 0 {
                return None;
            }
            if (found ^ hash) >> 32 == 0 {
                let position = (found as u32 - 1) as usize;
                // SAFETY: the index holds positions of entries; both are made
                // anew before entries are moved or dropped.
                let entry = unsafe { self.entries.get_unchecked(position) };
                if is_wanted(&entry.key) {
                    return Some(position);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn index_entry(&mut self, hash: u64, position: usize) {
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        while self.index[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.index[slot] = (hash >> 32 << 32) | (position as u64 + 1);
    }

    /// Closes the holes and makes the index anew, with room to grow.
    #[cold]
    fn rebuild(&mut self) {
        self.entries.retain(|entry| !entry.key.is_unset());
        self.rebuild_index();
    }

    fn rebuild_index(&mut self) {
        if self.entries.len() <= UNINDEXED {
            self.index.clear();
            return;
        }
        assert!(
            self.entries.len() < u32::MAX as usize,
            "a dict of four thousand million entries"
        );
        let size = (self.entries.len() * 2).next_power_of_two();
        self.index = Buffer::filled(0, size);
        for position in 0..self.entries.len() {
            let hash = match (
                self.entries[position].key.as_int(),
                self.entries[position].key.as_object::<Str>(),
            ) {
                (Some(number), _) => hash_int(number),
                (_, Some(text)) => text.hash(),
                _ => unreachable!("holes were closed"),
            };
            self.index_entry(hash, position);
        }
    }
}
