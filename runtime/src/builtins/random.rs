//! Random numbers: from the operating system, or a sequence fixed by a seed.
//!
//! Both are a ChaCha12 stream; what differs is where its key comes from.  The
//! seeded sequence is part of the reference (8.1), down to how many words each
//! function draws.

use super::arguments::{check_none, fail, whole_number};
use super::arrays::array_at;
use super::system::{self, Lock};
use crate::context::VMContext;
use crate::error::Raised;
use crate::value::{Tag, Value};
use alloc::format;
use alloc::string::String;

/// Where the process's random numbers come from.
struct Source {
    /// Made from operating-system randomness when first needed.
    system: Option<Stream>,
    /// In use since `set_random_seed`.
    seeded: Option<Stream>,
}

static SOURCE: Lock<Source> = Lock::new(Source {
    system: None,
    seeded: None,
});

/// Raises unless the program may use randomness.
pub(super) fn check_capability(ctx: &mut VMContext, name: &str) -> Result<(), Raised> {
    if ctx.capabilities.random {
        return Ok(());
    }
    let message =
        format!("Capability denied: random required for {name}; rerun with --allow-random");
    fail(ctx, &message)
}

/// Draws from the seeded stream if there is one.
fn draw<R>(action: impl FnOnce(&mut Stream) -> R) -> R {
    SOURCE.with(|source| match &mut source.seeded {
        Some(stream) => action(stream),
        None => action(source.system.get_or_insert_with(Stream::from_system)),
    })
}

/// Random bytes that no seed affects.
pub fn system_bytes(bytes: &mut [u8]) {
    SOURCE.with(|source| {
        let stream = source.system.get_or_insert_with(Stream::from_system);
        for chunk in bytes.chunks_mut(8) {
            let word = stream.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    });
}

/// `random()`
pub fn random(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "random")?;
    check_none(ctx, args, "random")?;
    Ok(Value::float(draw(Stream::next_fraction)))
}

/// `random_int(min, max)`
pub fn random_int(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "random_int")?;
    let [min, max] = args else {
        let message = format!(
            "random_int() expects 2 arguments (min, max), got {}",
            args.len()
        );
        return fail(ctx, &message);
    };
    let (Some(min), Some(max)) = (min.as_number(), max.as_number()) else {
        return fail(ctx, "random_int requires number arguments");
    };
    // The reference passes both through floats.
    let (min, max) = (min as i64, max as i64);
    if min > max {
        return fail(ctx, "random_int requires min <= max");
    }
    Ok(Value::int(draw(|stream| stream.next_between(min, max))))
}

/// `random_choice(arr)`
pub fn random_choice(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "random_choice")?;
    if args.len() != 1 {
        let message = format!(
            "random_choice() expects 1 argument (array), got {}",
            args.len()
        );
        return fail(ctx, &message);
    }
    let Some(array) = array_at(args, 0) else {
        return fail(ctx, "random_choice requires an array argument");
    };
    if array.is_empty() {
        return Ok(Value::int(0));
    }
    let index = draw(|stream| stream.next_between(0, array.len() as i64 - 1));
    Ok(array.get(index as usize))
}

/// `random_id(length)`
pub fn random_id(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    check_capability(ctx, "random_id")?;
    let [length] = args else {
        let message = format!(
            "random_id() expects 1 argument (length), got {}",
            args.len()
        );
        return fail(ctx, &message);
    };
    let Some(length) = length.as_int() else {
        return fail(ctx, "random_id requires an integer length argument");
    };
    if length < 0 {
        return fail(ctx, "random_id length must be >= 0");
    }
    let last = ALPHABET.len() as i64 - 1;
    let id: String = draw(|stream| {
        (0..length)
            .map(|_| ALPHABET[stream.next_between(0, last) as usize] as char)
            .collect()
    });
    Ok(Value::string(&id))
}

/// `uuid_v4()`
pub fn uuid_v4(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "uuid_v4")?;
    check_none(ctx, args, "uuid_v4")?;
    let mut bytes = [0; 16];
    system_bytes(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    // Version 4, variant 1.
    let number = (number & !(0xf << 76) | (4 << 76)) & !(3 << 62) | (2 << 62);
    let digits = format!("{number:032x}");
    let groups = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    Ok(Value::string(&groups.join("-")))
}

/// `set_random_seed(seed)`
pub fn set_random_seed(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "set_random_seed")?;
    let [seed] = args else {
        let message = format!(
            "set_random_seed() expects 1 argument (seed), got {}",
            args.len()
        );
        return fail(ctx, &message);
    };
    let seed = match seed.tag() {
        Tag::Float => seed.as_float().expect("the tag says so") as u64,
        _ => match whole_number(seed) {
            Some(number) => number as u64,
            None => return fail(ctx, "set_random_seed requires a number argument"),
        },
    };
    SOURCE.with(|source| source.seeded = Some(Stream::from_seed(seed)));
    Ok(Value::NULL)
}

/// `clear_random_seed()`
pub fn clear_random_seed(ctx: &mut VMContext, args: &mut [Value]) -> Result<Value, Raised> {
    check_capability(ctx, "clear_random_seed")?;
    check_none(ctx, args, "clear_random_seed")?;
    SOURCE.with(|source| source.seeded = None);
    Ok(Value::NULL)
}

/// The output of ChaCha with 12 rounds under one key.
struct Stream {
    key: [u32; 8],
    /// The number of the next block.
    counter: u64,
    block: [u32; 16],
    /// Words of the block that were used.
    used: usize,
}

impl Stream {
    fn new(key: [u32; 8]) -> Stream {
        Stream {
            key,
            counter: 0,
            block: [0; 16],
            used: 16,
        }
    }

    /// A stream that nobody can foresee.
    fn from_system() -> Stream {
        let bytes: [u8; 32] = system::random_bytes();
        Stream::new(core::array::from_fn(|word| {
            let mut four = [0; 4];
            four.copy_from_slice(&bytes[word * 4..word * 4 + 4]);
            u32::from_le_bytes(four)
        }))
    }

    fn from_seed(seed: u64) -> Stream {
        let mut state = seed;
        Stream::new(core::array::from_fn(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(11_634_580_027_462_260_723);
            let mixed = (((state >> 18) ^ state) >> 27) as u32;
            mixed.rotate_right((state >> 59) as u32)
        }))
    }

    fn next_u32(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.block = chacha_block(&self.key, self.counter);
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    fn next_u64(&mut self) -> u64 {
        let low = self.next_u32() as u64;
        low | (self.next_u32() as u64) << 32
    }

    /// At least 0 and less than 1.
    fn next_fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// From `low` to `high`, both included.
    fn next_between(&mut self, low: i64, high: i64) -> i64 {
        let count = (high as u64).wrapping_sub(low as u64).wrapping_add(1);
        if count == 0 {
            return self.next_u64() as i64;
        }
        let zone = (count << count.leading_zeros()).wrapping_sub(1);
        loop {
            let product = self.next_u64() as u128 * count as u128;
            if product as u64 <= zone {
                return low.wrapping_add((product >> 64) as i64);
            }
        }
    }
}

fn chacha_block(key: &[u32; 8], counter: u64) -> [u32; 16] {
    let mut start = [0; 16];
    // "expand 32-byte k"
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    start[4..12].copy_from_slice(key);
    start[12] = counter as u32;
    start[13] = (counter >> 32) as u32;
    let mut state = start;
    const DOUBLE_ROUNDS: usize = 6;
    for _ in 0..DOUBLE_ROUNDS {
        for column in 0..4 {
            quarter_round(&mut state, [column, column + 4, column + 8, column + 12]);
        }
        for column in 0..4 {
            let diagonal = |row: usize| row * 4 + (column + row) % 4;
            quarter_round(
                &mut state,
                [diagonal(0), diagonal(1), diagonal(2), diagonal(3)],
            );
        }
    }
    core::array::from_fn(|index| state[index].wrapping_add(start[index]))
}

fn quarter_round(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (rotate_d, rotate_b) in [(16, 12), (8, 7)] {
        state[a] = state[a].wrapping_add(state[b]);
        state[d] = (state[d] ^ state[a]).rotate_left(rotate_d);
        state[c] = state[c].wrapping_add(state[d]);
        state[b] = (state[b] ^ state[c]).rotate_left(rotate_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn seeded_streams_give_the_numbers_of_the_reference() {
        let mut stream = Stream::from_seed(42);
        assert_eq!(stream.next_fraction(), 0.5265574090027738);
        assert_eq!(stream.next_fraction(), 0.5427252099031439);
        assert_eq!(
            (stream.next_between(1, 100), stream.next_between(1, 100)),
            (64, 41)
        );
        let mut stream = Stream::from_seed(1);
        let dice: Vec<i64> = (0..5).map(|_| stream.next_between(1, 6)).collect();
        assert_eq!(dice, [5, 3, 2, 2, 3]);
        for (seed, expected) in [(0, 732), (-1, 62), (2, 298)] {
            assert_eq!(
                Stream::from_seed(seed as i64 as u64).next_between(1, 1000),
                expected
            );
        }
    }

    #[test]
    fn the_whole_range_of_ints_can_be_drawn() {
        let mut stream = Stream::from_seed(7);
        let drawn = (0..64).map(|_| stream.next_between(i64::MIN, i64::MAX));
        assert!(drawn.collect::<Vec<_>>().iter().any(|number| *number < 0));
    }
}
