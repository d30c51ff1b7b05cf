//! Looking for what ends or escapes a string, sixteen bytes at a time.

use crate::heap::string::block::{Marks, mark_controls_and};

#[inline(always)]
fn marks(low: u64, high: u64) -> Marks {
    mark_controls_and([b'"', b'\\'], low, high)
}

#[inline(always)]
fn word_at(bytes: &[u8; 16], start: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[start..start + 8]);
    u64::from_le_bytes(word)
}

/// Where the next quote, backslash or control character is, from a position
/// on, and whether what is passed over is ASCII.
#[inline(always)]
pub(super) fn find_special(bytes: &[u8], from: usize) -> (usize, bool) {
    let mut position = from;
    let mut wide = 0;
    while let Some(block) = bytes
        .get(position..)
        .and_then(|rest| rest.first_chunk::<16>())
    {
        let marks = marks(word_at(block, 0), word_at(block, 8));
        if marks.found != 0 {
            let before = marks.found.trailing_zeros();
            wide |= marks.wide & ((1 << before) - 1);
            return (position + before as usize, wide == 0);
        }
        wide |= marks.wide;
        position += 16;
    }
    let (end, is_ascii) = find_in_tail(&bytes[position..]);
    (position + end, is_ascii && wide == 0)
}

/// As `find_special`, in fewer than 16 bytes.
fn find_in_tail(tail: &[u8]) -> (usize, bool) {
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let end = tail.iter().position(is_special).unwrap_or(tail.len());
    (end, tail[..end].is_ascii())
}

/// Whether a text has a quote, a backslash or a control character.
#[inline(always)]
pub(super) fn has_special(text: &[u8]) -> bool {
    let len = text.len();
    // Two parts that meet or overlap cover short texts.
    let (low, high) = if let (Some(first), Some(last)) =
        (text.first_chunk::<8>(), text.last_chunk::<8>())
    {
        if len > 16 {
            return find_special(text, 0).0 < len;
        }
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        let both = first as u64 | (last as u64) << 32;
        (both, both)
    } else if len > 0 {
        let [first, middle, last] = [text[0], text[len / 2], text[len - 1]];
        let bytes = [first, middle, last, last, last, last, last, last];
        let word = u64::from_le_bytes(bytes);
        (word, word)
    } else {
        return false;
    };
    marks(low, high).found != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn finds_what_a_search_byte_by_byte_finds() {
        let specials = [0, b'\n', 0x1f, b'"', b'\\'];
        let ordinary = [b' ', b'!', b'#', b'[', b']', b'a', 0x7f, 0x80, 0xa2, 0xff];
        for len in 0..50 {
            for filler in ordinary {
                let plain: Vec<u8> = (0..len).map(|_| filler).collect();
                assert_eq!(
                    find_special(&plain, 0),
                    (len, len == 0 || filler.is_ascii())
                );
                assert!(!has_special(&plain));
                for position in 0..len {
                    for special in specials {
                        let mut text = plain.clone();
                        text[position] = special;
                        let is_ascii = position == 0 || filler.is_ascii();
                        assert_eq!(find_special(&text, 0), (position, is_ascii));
                        assert!(has_special(&text));
                        if len > position + 1 {
                            text[len - 1] = special;
                        }
                        assert_eq!(find_special(&text, 0).0, position);
                    }
                }
            }
        }
    }
}
