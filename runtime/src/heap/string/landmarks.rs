//! Where characters are in text that is not ASCII: the place of every
//! `STRIDE`th one, so that finding any takes constant time.
//!
//! The table is made when a text is first indexed beyond its beginning, and
//! goes on with it when the text grows.  Its address stands where the hash of
//! the text stood, which is computed anew whenever somebody asks.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

/// Characters from one landmark to the next.
pub const STRIDE: usize = 32;
/// Says that a word is an address: no pointer of a process has this bit set.
pub const ADDRESS_BIT: u64 = 1 << 63;

/// Byte offsets of the characters `STRIDE`, `2 * STRIDE` and so on.
struct Landmarks {
    offsets: Vec<usize>,
}

/// Whether the word of a string that tells its hash is an address instead.
#[inline(always)]
pub fn is_address(word: u64) -> bool {
    word & ADDRESS_BIT != 0
}

fn pointer(word: u64) -> *mut Landmarks {
    core::ptr::with_exposed_provenance_mut((word & !ADDRESS_BIT) as usize)
}

/// The byte offset of the character `number * STRIDE`, which is in bounds;
/// `number` is not 0, and `word` is the string's own.
pub fn offset(word: &AtomicU64, text: &[u8], number: usize) -> usize {
    let known = word.load(Ordering::Acquire);
    if is_address(known) {
        // SAFETY: the string's own table, which lives as long as it.
        let table = unsafe { &*pointer(known) };
        if let Some(offset) = table.offsets.get(number - 1) {
            return *offset;
        }
        // SAFETY: the text has grown, so it belongs to this thread alone, and
        // the reference above is not used any more.
        return unsafe { extend(&mut *pointer(known), text, number) };
    }
    make(word, known, text, number)
}

#[cold]
#[inline(never)]
fn make(word: &AtomicU64, known: u64, text: &[u8], number: usize) -> usize {
    let mut table = Box::new(Landmarks {
        offsets: Vec::new(),
    });
    let offset = extend(&mut table, text, number);
    let address = Box::into_raw(table);
    let fresh = address.expose_provenance() as u64 | ADDRESS_BIT;
    if word
        .compare_exchange(known, fresh, Ordering::AcqRel, Ordering::Relaxed)
        .is_err()
    {
        // Another thread was faster with the same literal.
        // SAFETY: made above, and nobody has seen it.
        drop(unsafe { Box::from_raw(address) });
    }
    offset
}

/// Makes the table complete; gives the offset of a landmark.
#[cold]
#[inline(never)]
fn extend(table: &mut Landmarks, text: &[u8], number: usize) -> usize {
    let mut position = table.offsets.last().copied().unwrap_or(0);
    loop {
        position = skip_chars(text, position, STRIDE);
        if position == text.len() {
            break;
        }
        table.offsets.push(position);
    }
    table.offsets[number - 1]
}

/// Frees the table whose address `word` is.
///
/// # Safety
/// The string is dead, and `word` is an address.
#[cold]
#[inline(never)]
pub unsafe fn free(word: &AtomicU64) {
    // SAFETY: `make` made it, and the only string that knows it is dead.
    drop(unsafe { Box::from_raw(pointer(word.load(Ordering::Relaxed))) });
}

/// Where the character `count` characters behind the one at `start` begins;
/// the text's end if there are not so many.
pub fn skip_chars(text: &[u8], start: usize, count: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut position = start;
    let mut left = count;
    // Eight bytes at a time, while the character is not among them.
    while let Some(chunk) = text
        .get(position..)
        .and_then(|rest| rest.first_chunk::<8>())
    {
        let word = u64::from_ne_bytes(*chunk);
        let continuing = (word >> 7) & !(word >> 6) & ONES;
        let starting = 8 - (continuing.wrapping_mul(ONES) >> 56) as usize;
        if starting > left {
            break;
        }
        left -= starting;
        position += 8;
    }
    while let Some(byte) = text.get(position) {
        if (*byte as i8) >= -64 {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        position += 1;
    }
    position
}

#[cfg(test)]
mod tests {
    use crate::heap::Str;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn characters_are_found_in_any_order_and_while_the_text_grows() {
        let alphabet: Vec<char> = "aé日😀b\u{7f}ß".chars().collect();
        let mut text = String::new();
        let mut string = Str::new("");
        let mut seed = 7_usize;
        for round in 0..600 {
            seed = (seed * 3877 + 29573) % 139_968;
            let character = alphabet[seed % alphabet.len()];
            text.push(character);
            Str::append(&mut string, character.encode_utf8(&mut [0; 4]), 1);
            let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
            for index in [0, round, round / 2, seed % (round + 1)] {
                assert_eq!(
                    string.offset_of_char(index),
                    offsets[index],
                    "{round} {index}"
                );
            }
            assert_eq!(
                string.hash(),
                crate::heap::string::hash_text(text.as_bytes())
            );
        }
    }

    #[test]
    fn all_offsets_of_a_shared_text_are_right() {
        let text = "añ日b😀\n".repeat(100);
        let string = Str::immortal(&text);
        let hash = string.hash();
        let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
        for (index, offset) in offsets.iter().enumerate().rev() {
            assert_eq!(string.offset_of_char(index), *offset);
        }
        assert_eq!(string.hash(), hash);
        // SAFETY: nobody uses it again.
        unsafe { Str::free_immortal(string) };
    }
}
