//! Strings: UTF-8 text inline behind the length, with its count of Unicode
//! scalars, its hash once asked for, and room to grow.
//!
//! Text is ASCII exactly when `chars == len`, which makes indexing O(1).

use super::{Header, IMMORTAL, Object, Ref, allocator};
use crate::value::Tag;
use core::cell::Cell;
use core::mem::size_of;

/// A string object; the text's bytes follow it.
#[repr(C)]
pub struct Str {
    header: Header,
    /// Bytes of text.
    len: usize,
    /// Bytes there is room for.
    capacity: usize,
    /// Unicode scalars in the text.
    chars: usize,
    /// The text's `hash_text`, or 0 while nobody has asked.
    hash: Cell<u64>,
}

/// Bytes before the text.
pub const TEXT_OFFSET: usize = size_of::<Str>();
/// Where generated code finds the length in bytes.
pub const LEN_OFFSET: usize = core::mem::offset_of!(Str, len);
/// Where generated code finds the number of Unicode scalars.
pub const CHARS_OFFSET: usize = core::mem::offset_of!(Str, chars);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Str {
    const TAG: Tag = Tag::String;

    #[inline]
    unsafe fn destroy(object: *mut Str) {
        // SAFETY: dead, and allocated with this size.
        unsafe { allocator::free(object.cast(), TEXT_OFFSET + (*object).capacity) }
    }
}

/// The hash of a string's text, never 0.  The same in the compiler and in
/// programs, so that literals can carry it.
#[inline]
pub fn hash_text(text: &[u8]) -> u64 {
    // Folded multiplication over 8-byte words, in the manner of wyhash:
    // strong enough against accidents and a few cycles for short keys.
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    #[inline(always)]
    fn fold(a: u64, b: u64) -> u64 {
        let product = (a as u128).wrapping_mul(b as u128);
        (product as u64) ^ ((product >> 64) as u64)
    }
    let mut state = A ^ (text.len() as u64);
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = fold(state ^ u64::from_le_bytes(word), B);
    }
    let rest = chunks.remainder();
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    let hash = fold(state ^ u64::from_le_bytes(word), A ^ B);
    if hash == 0 { 1 } else { hash }
}

/// Unicode scalars in valid UTF-8: the bytes that don't continue a character.
pub fn count_chars(text: &str) -> usize {
    text.as_bytes()
        .iter()
        .filter(|byte| (**byte as i8) >= -64)
        .count()
}

impl Str {
    /// A string with this text.
    #[inline]
    pub fn new(text: &str) -> Ref<Str> {
        Str::with_capacity(text, text.len(), count_chars(text))
    }

    /// A string of `left` and `right`.
    pub fn concat(left: &Str, right: &Str) -> Ref<Str> {
        let len = left.len + right.len;
        // SAFETY: both parts are valid UTF-8 and there is room for both.
        unsafe {
            let string = Str::allocate(len);
            core::ptr::copy_nonoverlapping(left.text(), text_of(string), left.len);
            core::ptr::copy_nonoverlapping(right.text(), text_of(string).add(left.len), right.len);
            (*string).len = len;
            (*string).chars = left.chars + right.chars;
            Ref::from_raw(string)
        }
    }

    /// A string with this text, `chars` scalars long, with room for
    /// `capacity` bytes (at least the text's own).
    #[inline]
    pub fn with_capacity(text: &str, capacity: usize, chars: usize) -> Ref<Str> {
        // SAFETY: there is room for the text.
        unsafe {
            let string = Str::allocate(capacity.max(text.len()));
            core::ptr::copy_nonoverlapping(text.as_ptr(), text_of(string), text.len());
            (*string).len = text.len();
            (*string).chars = chars;
            Ref::from_raw(string)
        }
    }

    /// An immortal string, its hash computed: what literals are.
    pub fn immortal(text: &str) -> Ref<Str> {
        let string = Str::new(text);
        string.hash();
        string.header.count.set(IMMORTAL);
        string
    }

    /// Frees an immortal string when its image is unloaded.
    ///
    /// # Safety
    /// Nobody uses the string again.
    pub unsafe fn free_immortal(string: Ref<Str>) {
        string.header.count.set(1);
    }

    /// An empty string object with room for `capacity` bytes.
    #[inline]
    fn allocate(capacity: usize) -> *mut Str {
        // The block is a whole number of grains: use all of it.
        let size = (TEXT_OFFSET + capacity).next_multiple_of(16);
        let string: *mut Str = allocator::allocate(size).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            string.write(Str {
                header: Header::new(Tag::String),
                len: 0,
                capacity: size - TEXT_OFFSET,
                chars: 0,
                hash: Cell::new(0),
            });
        }
        string
    }

    #[inline(always)]
    fn text(&self) -> *const u8 {
        // SAFETY: the text follows the object.
        unsafe { core::ptr::from_ref(self).cast::<u8>().add(TEXT_OFFSET) }
    }

    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes of text follow the object.
        unsafe {
            core::slice::from_raw_parts(text_of(core::ptr::from_ref(self).cast_mut()), self.len)
        }
    }

    #[inline(always)]
    pub fn as_str(&self) -> &str {
        // SAFETY: only whole `str`s are ever stored.
        unsafe { core::str::from_utf8_unchecked(self.as_bytes()) }
    }

    /// Bytes of text.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Unicode scalars in the text.
    #[inline(always)]
    pub fn chars(&self) -> usize {
        self.chars
    }

    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.chars == self.len
    }

    /// The text's hash; computed once.
    #[inline]
    pub fn hash(&self) -> u64 {
        let known = self.hash.get();
        if known != 0 {
            return known;
        }
        let hash = hash_text(self.as_bytes());
        self.hash.set(hash);
        hash
    }

    /// Appends to a string that nobody else sees; the object may move.
    pub fn append(this: &mut Ref<Str>, text: &str, chars: usize) {
        debug_assert!(this.header.is_unique());
        let string = this.as_ptr();
        // SAFETY: unique; `grow` makes room; `from_raw`/`into_raw` keep the count.
        unsafe {
            let needed = (*string).len + text.len();
            let string = if needed > (*string).capacity {
                grow(string, needed)
            } else {
                string
            };
            core::ptr::copy_nonoverlapping(
                text.as_ptr(),
                text_of(string).add((*string).len),
                text.len(),
            );
            (*string).len = needed;
            (*string).chars += chars;
            (*string).hash.set(0);
            core::ptr::write(this, Ref::from_raw(string));
        }
    }
}

/// Where the last indexed character of a string that is not ASCII was found,
/// so that walking it by index takes constant time per step.
///
/// It owns the string: while it does, the string can't be freed or changed
/// behind its back.
#[derive(Default)]
pub struct Cursor {
    string: Option<Ref<Str>>,
    char_index: usize,
    byte_index: usize,
}

impl Cursor {
    /// The byte where the character at `char_index`, which is in bounds, starts.
    pub fn seek(&mut self, string: &Str, char_index: usize) -> usize {
        if !self
            .string
            .as_deref()
            .is_some_and(|held| core::ptr::eq(held, string))
        {
            *self = Cursor {
                string: Some(Ref::from_borrowed(string)),
                char_index: 0,
                byte_index: 0,
            };
        }
        if char_index < self.char_index / 2 {
            (self.char_index, self.byte_index) = (0, 0);
        }
        let bytes = string.as_bytes();
        let starts_character = |byte: u8| (byte as i8) >= -64;
        while self.char_index < char_index {
            self.byte_index += 1;
            while !starts_character(bytes[self.byte_index]) {
                self.byte_index += 1;
            }
            self.char_index += 1;
        }
        while self.char_index > char_index {
            self.byte_index -= 1;
            while !starts_character(bytes[self.byte_index]) {
                self.byte_index -= 1;
            }
            self.char_index -= 1;
        }
        self.byte_index
    }

    /// Lets go of a string that is about to be changed.
    pub fn forget(&mut self, string: &Str) {
        if self
            .string
            .as_deref()
            .is_some_and(|held| core::ptr::eq(held, string))
        {
            self.string = None;
        }
    }
}

impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        if core::ptr::eq(self, other) {
            return true;
        }
        // Most different texts differ in length or in the first byte.
        let (a, b) = (self.as_bytes(), other.as_bytes());
        a.len() == b.len() && a.first() == b.first() && (a.len() < 2 || a == b)
    }
}

#[inline(always)]
fn text_of(string: *mut Str) -> *mut u8 {
    // SAFETY: the text follows the object.
    unsafe { string.cast::<u8>().add(TEXT_OFFSET) }
}

/// Moves a unique string to a block with room for `needed` bytes and more.
///
/// # Safety
/// `string` is live and unique; the old pointer is not used again.
#[cold]
unsafe fn grow(string: *mut Str, needed: usize) -> *mut Str {
    // SAFETY: the caller vouches for the string; sizes as in `allocate`.
    unsafe {
        let old_size = TEXT_OFFSET + (*string).capacity;
        let size = (TEXT_OFFSET + needed.max((*string).capacity * 2)).next_multiple_of(16);
        let moved: *mut Str = allocator::reallocate(string.cast(), old_size, size).cast();
        (*moved).capacity = size - TEXT_OFFSET;
        moved
    }
}
