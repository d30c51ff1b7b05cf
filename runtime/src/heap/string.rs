//! Strings: UTF-8 text inline behind the length, with its count of Unicode
//! scalars, its hash once asked for, and room to grow.
//!
//! Text is ASCII exactly when `chars == len`, which makes indexing O(1).  Other
//! text gets a table of places once it is indexed; see `landmarks`.

pub mod block;
mod landmarks;

use super::{Header, IMMORTAL, Object, Ref, allocator};
use crate::value::Tag;
use core::mem::size_of;
use core::sync::atomic::{AtomicU64, Ordering};

/// A string object; the text's bytes follow it.  There is room for a word of
/// text at least, and the bytes of that word behind a shorter text are zero, so
/// short texts are the same if their lengths and first words are.
#[repr(C)]
pub struct Str {
    header: Header,
    /// Bytes of text.
    len: usize,
    /// Bytes there is room for.
    capacity: usize,
    /// Unicode scalars in the text.
    chars: usize,
    /// The text's `hash_text`; 0 while nobody has asked; or, with the highest
    /// bit set, the address of `Landmarks`.  Literals are shared by threads,
    /// hence atomic.
    hash: AtomicU64,
}

/// Bytes before the text.
pub const TEXT_OFFSET: usize = size_of::<Str>();
/// Where generated code finds the length in bytes.
pub const LEN_OFFSET: usize = core::mem::offset_of!(Str, len);
/// Where generated code finds the number of Unicode scalars.
pub const CHARS_OFFSET: usize = core::mem::offset_of!(Str, chars);

/// Where generated code finds the number of bytes there is room for.
pub const CAPACITY_OFFSET: usize = core::mem::offset_of!(Str, capacity);
/// Where generated code finds the hash, which changing the text makes unknown (0),
/// unless it is negative: then it is not one.
pub const HASH_OFFSET: usize = core::mem::offset_of!(Str, hash);

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Str {
    const TAG: Tag = Tag::String;

    #[inline]
    unsafe fn destroy(object: *mut Str) {
        // SAFETY: dead, and allocated with this size.
        unsafe {
            if landmarks::is_address((*object).hash.load(Ordering::Relaxed)) {
                landmarks::free(&(*object).hash);
            }
            allocator::free(object.cast(), TEXT_OFFSET + (*object).capacity)
        }
    }
}

/// The hash of a string's text: never 0, and the highest bit is clear.  The
/// same in the compiler and in programs, so that literals can carry it.
#[inline]
pub fn hash_text(text: &[u8]) -> u64 {
    // Folded multiplication in the manner of wyhash: strong enough against
    // accidents and a few cycles for short keys, which two words that may
    // overlap cover.
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    #[inline(always)]
    fn fold(a: u64, b: u64) -> u64 {
        let product = (a as u128).wrapping_mul(b as u128);
        (product as u64) ^ ((product >> 64) as u64)
    }
    let len = text.len();
    let mut state = A;
    let (first, last) = if len > 16 {
        let mut rest = text;
        while let Some((pair, more)) = rest.split_first_chunk::<16>()
            && !more.is_empty()
        {
            state = fold(word_at(pair, 0) ^ B, word_at(pair, 8) ^ state);
            rest = more;
        }
        (word_at(text, len - 16), word_at(text, len - 8))
    } else if len >= 8 {
        (word_at(text, 0), word_at(text, len - 8))
    } else if len >= 4 {
        (half_word_at(text, 0), half_word_at(text, len - 4))
    } else if len > 0 {
        let ends = (text[0] as u64) | (text[len - 1] as u64) << 8;
        (ends | (text[len / 2] as u64) << 16, 0)
    } else {
        (0, 0)
    };
    let mixed = fold(first ^ B, last ^ state);
    let hash = fold(mixed ^ A, len as u64 ^ B) & !landmarks::ADDRESS_BIT;
    if hash == 0 { 1 } else { hash }
}

/// The eight bytes from `start` on, which are in bounds.
#[inline(always)]
fn word_at(bytes: &[u8], start: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[start..start + 8]);
    u64::from_le_bytes(word)
}

/// The four bytes from `start` on, which are in bounds.
#[inline(always)]
fn half_word_at(bytes: &[u8], start: usize) -> u64 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[start..start + 4]);
    u32::from_le_bytes(word) as u64
}

/// Whether two texts of the same length are the same.  Most texts are short,
/// and then comparing is quicker than calling something that compares.
#[inline(always)]
pub(crate) fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    let len = left.len();
    debug_assert_eq!(len, right.len());
    match len {
        0 => true,
        1..=3 => {
            left[0] == right[0]
                && left[len / 2] == right[len / 2]
                && left[len - 1] == right[len - 1]
        }
        4..=7 => {
            half_word_at(left, 0) == half_word_at(right, 0)
                && half_word_at(left, len - 4) == half_word_at(right, len - 4)
        }
        8..=16 => {
            word_at(left, 0) == word_at(right, 0)
                && word_at(left, len - 8) == word_at(right, len - 8)
        }
        _ => left == right,
    }
}

/// Copies `len` bytes.  Short texts are copied here: a call would take longer.
///
/// # Safety
/// As for `copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy_text(from: *const u8, to: *mut u8, len: usize) {
    /// Copies the first and the last bytes, which meet or overlap.
    ///
    /// # Safety
    /// As above, and `len` is between once and twice the size of `T`.
    #[inline(always)]
    unsafe fn both_ends<T>(from: *const u8, to: *mut u8, len: usize) {
        let last = len - size_of::<T>();
        // SAFETY: within the `len` bytes; the caller vouches for those.
        unsafe {
            let first_part: T = from.cast::<T>().read_unaligned();
            let last_part: T = from.add(last).cast::<T>().read_unaligned();
            to.cast::<T>().write_unaligned(first_part);
            to.add(last).cast::<T>().write_unaligned(last_part);
        }
    }
    // SAFETY: the caller vouches for the bytes; the sizes fit the arms.
    unsafe {
        match len {
            0 => {}
            1 => to.write(from.read()),
            2..=3 => both_ends::<[u8; 2]>(from, to, len),
            4..=7 => both_ends::<[u8; 4]>(from, to, len),
            8..=16 => both_ends::<[u8; 8]>(from, to, len),
            17..=32 => both_ends::<[u8; 16]>(from, to, len),
            _ => core::ptr::copy_nonoverlapping(from, to, len),
        }
    }
}

/// Unicode scalars in valid UTF-8: the bytes that don't continue a character.
#[inline]
pub fn count_chars(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    count_in_long(text.as_bytes())
}

fn count_in_long(text: &[u8]) -> usize {
    // Sums of bytes, which the compiler makes vectors of.
    let starts = |chunk: &[u8]| -> u8 {
        chunk
            .iter()
            .map(|byte| ((*byte as i8) >= -64) as u8)
            .sum::<u8>()
    };
    text.chunks(255).map(|chunk| starts(chunk) as usize).sum()
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
            copy_text(left.text(), text_of(string), left.len);
            copy_text(right.text(), text_of(string).add(left.len), right.len);
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
            copy_text(text.as_ptr(), text_of(string), text.len());
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
        const { assert!(!TEXT_OFFSET.is_multiple_of(16) && TEXT_OFFSET.is_multiple_of(8)) };
        // The block is a whole number of grains: use all of it, a word of text
        // at least.
        let size = (TEXT_OFFSET + capacity).next_multiple_of(16);
        let string: *mut Str = allocator::allocate(size).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            string.write(Str {
                header: Header::new(Tag::String),
                len: 0,
                capacity: size - TEXT_OFFSET,
                chars: 0,
                hash: AtomicU64::new(0),
            });
            text_of(string).cast::<u64>().write(0);
        }
        string
    }

    /// The first eight bytes of text, zero behind its end.
    #[inline(always)]
    fn first_word(&self) -> u64 {
        // SAFETY: every string has room for a word of text, all of it written.
        unsafe { self.text().cast::<u64>().read() }
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
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        let known = self.hash.load(Ordering::Relaxed);
        if known != 0 && !landmarks::is_address(known) {
            return known;
        }
        self.compute_hash(known)
    }

    fn compute_hash(&self, known: u64) -> u64 {
        let hash = hash_text(self.as_bytes());
        if known == 0 {
            // Whoever else stores something here stores something as good.
            self.hash.store(hash, Ordering::Relaxed);
        }
        hash
    }

    /// Whether two strings have the same text.
    #[inline(always)]
    pub fn has_text_of(&self, other: &Str) -> bool {
        core::ptr::eq(self, other)
            || (self.len == other.len
                && self.first_word() == other.first_word()
                && (self.len <= 8 || same_bytes(self.as_bytes(), other.as_bytes())))
    }

    /// The byte where a text first occurs in this one.
    #[inline]
    pub fn find(&self, needle: &Str) -> Option<usize> {
        match needle.as_bytes() {
            // Setting up a search for one byte would take longer than the search.
            [byte] => memchr::memchr(*byte, self.as_bytes()),
            bytes => memchr::memmem::find(self.as_bytes(), bytes),
        }
    }

    /// The character at which a text first occurs in this one.
    pub fn index_of(&self, needle: &Str) -> Option<usize> {
        let offset = self.find(needle)?;
        Some(match self.is_ascii() {
            true => offset,
            false => count_chars(&self.as_str()[..offset]),
        })
    }

    /// The byte where the character at `char_index`, which is in bounds, starts.
    #[inline]
    pub fn offset_of_char(&self, char_index: usize) -> usize {
        if self.is_ascii() {
            return char_index;
        }
        let (start, skipped) = if char_index < landmarks::STRIDE {
            (0, char_index)
        } else {
            let number = char_index / landmarks::STRIDE;
            let start = landmarks::offset(&self.hash, self.as_bytes(), number);
            (start, char_index % landmarks::STRIDE)
        };
        landmarks::skip_chars(self.as_bytes(), start, skipped)
    }

    /// Makes room for so many bytes behind the text of a string that nobody else sees;
    /// the object may move.
    #[inline]
    pub fn reserve(this: &mut Ref<Str>, more: usize) {
        debug_assert!(this.header.is_unique());
        let string = this.as_ptr();
        // SAFETY: unique; `from_raw` takes over the count that `this` had.
        unsafe {
            let needed = (*string).len + more;
            if needed > (*string).capacity {
                core::ptr::write(this, Ref::from_raw(grow(string, needed)));
            }
        }
    }

    /// Appends to a string that nobody else sees; the object may move.
    #[inline]
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
            copy_text(
                text.as_ptr(),
                text_of(string).add((*string).len),
                text.len(),
            );
            (*string).len = needed;
            (*string).chars += chars;
            // What is known of the places in the text stays true.
            let known = (*string).hash.get_mut();
            if !landmarks::is_address(*known) {
                *known = 0;
            }
            core::ptr::write(this, Ref::from_raw(string));
        }
    }
}

/// A string under construction.
pub struct TextBuilder {
    /// Nobody else has it; its characters are counted at the end.
    string: Ref<Str>,
}

impl TextBuilder {
    /// With room for `capacity` bytes to begin with.
    pub fn new(capacity: usize) -> TextBuilder {
        TextBuilder {
            string: Str::with_capacity("", capacity, 0),
        }
    }

    #[inline]
    pub fn push_str(&mut self, text: &str) {
        Str::append(&mut self.string, text, 0);
    }

    /// Appends an ASCII character.
    #[inline]
    pub fn push_ascii(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii());
        let string = self.string.as_ptr();
        // SAFETY: nobody else has the string; there is room for the byte,
        // which is a character.
        unsafe {
            if (*string).len < (*string).capacity {
                text_of(string).add((*string).len).write(byte);
                (*string).len += 1;
                return;
            }
        }
        self.push_str(char::from(byte).encode_utf8(&mut [0; 4]));
    }

    /// Appends a text between ASCII characters.
    #[inline(always)]
    pub fn push_framed<const BEFORE: usize, const AFTER: usize>(
        &mut self,
        before: [u8; BEFORE],
        text: &str,
        after: [u8; AFTER],
    ) {
        debug_assert!(before.is_ascii() && after.is_ascii());
        let string = self.string.as_ptr();
        // SAFETY: nobody else has the string; there is room for the bytes,
        // which are whole characters; `grow`'s result replaces what it moved.
        unsafe {
            let needed = (*string).len + text.len() + BEFORE + AFTER;
            let string = if needed > (*string).capacity {
                let moved = grow(string, needed);
                core::ptr::write(&mut self.string, Ref::from_raw(moved));
                moved
            } else {
                string
            };
            let end = text_of(string).add((*string).len);
            end.cast::<[u8; BEFORE]>().write_unaligned(before);
            let end = end.add(BEFORE);
            copy_text(text.as_ptr(), end, text.len());
            let end = end.add(text.len());
            end.cast::<[u8; AFTER]>().write_unaligned(after);
            (*string).len = needed;
        }
    }

    pub fn finish(self) -> Ref<Str> {
        let chars = count_chars(self.string.as_str());
        // SAFETY: nobody else has the string.
        unsafe { (*self.string.as_ptr()).chars = chars };
        self.string
    }
}

impl core::fmt::Write for TextBuilder {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        self.has_text_of(other)
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
#[inline(never)]
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
