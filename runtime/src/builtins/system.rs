//! What built-ins ask the operating system and the C library for, made safe.
//!
//! No built-in calls C anywhere else.

use crate::platform;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

pub use crate::platform::{monotonic_time, read_input, unix_time};

/// The C library's mathematics; `core` has none.
pub mod c {
    // # Safety
    // Plain functions of numbers, declared as the C standard has them.
    unsafe extern "C" {
        pub safe fn floor(x: f64) -> f64;
        pub safe fn ceil(x: f64) -> f64;
        pub safe fn round(x: f64) -> f64;
        #[cfg(not(target_arch = "x86_64"))]
        pub safe fn sqrt(x: f64) -> f64;
        pub safe fn sin(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn pow(x: f64, y: f64) -> f64;
    }
}

/// The square root; machines have an instruction for it.
#[inline]
pub fn square_root(number: f64) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_mm_cvtsd_f64, _mm_set_sd, _mm_sqrt_pd};
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set_sd(number))) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    c::sqrt(number)
}

/// Bytes that nobody can foresee.
pub fn random_bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    assert!(
        platform::random_bytes(&mut bytes),
        "the operating system gives random bytes"
    );
    bytes
}

/// A value of which a process has only one, and which one thread at a time
/// may use.  It is held so briefly, or fought over so rarely, that waiting
/// for it is giving way.
pub struct Lock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` gives the value to one thread at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Lock<T> {
        Lock {
            held: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Uses the value.  The use must not ask for the same lock again.
    pub fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> R {
        while self
            .held
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            platform::give_way();
        }
        // SAFETY: the flag was taken here, so nobody else has the value.
        let result = action(unsafe { &mut *self.value.get() });
        self.held.store(false, Ordering::Release);
        result
    }
}
