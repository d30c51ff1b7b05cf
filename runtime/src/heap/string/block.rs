//! Sixteen bytes of text, looked at together.

/// What the bytes of a block are, a bit for each.
#[derive(Clone, Copy)]
pub struct Marks {
    /// The bytes that were looked for; only the lowest bit is exact.
    pub found: u32,
    /// The bytes that are not ASCII.
    pub wide: u32,
}

/// Looks for control characters and two other ASCII characters among the eight
/// bytes of `low`, which come first, and of `high`, both little-endian.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn mark_controls_and(characters: [u8; 2], low: u64, high: u64) -> Marks {
    use core::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    // SAFETY: every x86_64 has SSE2, and nothing else is asked for.
    unsafe {
        let block = _mm_set_epi64x(high as i64, low as i64);
        let last_control = _mm_set1_epi8(0x1f);
        let control = _mm_cmpeq_epi8(_mm_max_epu8(block, last_control), last_control);
        let first = _mm_cmpeq_epi8(block, _mm_set1_epi8(characters[0] as i8));
        let second = _mm_cmpeq_epi8(block, _mm_set1_epi8(characters[1] as i8));
        let found = _mm_or_si128(control, _mm_or_si128(first, second));
        Marks {
            found: _mm_movemask_epi8(found) as u32,
            wide: _mm_movemask_epi8(block) as u32,
        }
    }
}

/// Looks for control characters and two other ASCII characters among the eight
/// bytes of `low`, which come first, and of `high`, both little-endian.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn mark_controls_and(characters: [u8; 2], low: u64, high: u64) -> Marks {
    in_words(characters, low, high)
}

/// The same with plain arithmetic.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
fn in_words(characters: [u8; 2], low: u64, high: u64) -> Marks {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // The highest bit of each byte, together in one byte.
    let gather = |word: u64| ((word & HIGHS) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let both = |low: u64, high: u64| (gather(low) | gather(high) << 8) as u32;
    // A byte is less than `n` exactly if subtracting `n` borrows (and it was
    // below 0x80); it equals `n` exactly if their difference is less than 1.
    // A borrow may mark the bytes above too.
    let less = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let found = |word: u64| {
        let first = word ^ (ONES * characters[0] as u64);
        let second = word ^ (ONES * characters[1] as u64);
        less(word, 0x20) | less(first, 1) | less(second, 1)
    };
    Marks {
        found: both(found(low), found(high)),
        wide: both(low, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_byte_first() {
        let mut seed = 1_u64;
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let low = seed ^ seed >> 31;
            let high = low.rotate_left(23) ^ 0x2122_5c1f_2000_7f80;
            let quick = mark_controls_and([b'"', b'\\'], low, high);
            let plain = in_words([b'"', b'\\'], low, high);
            assert_eq!(quick.found.trailing_zeros(), plain.found.trailing_zeros());
            assert_eq!(quick.wide, plain.wide);
        }
    }
}
