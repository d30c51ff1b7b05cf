//! Locks and waiting, over the operating system's.
//!
//! Only what threads of a program share is behind these; a value is never, for
//! values belong to one thread.

use crate::platform::{self, RawCondition, RawMutex};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// A value that one thread at a time may use.  It must stay where it is while
/// the lock is held, which the borrow of the guard sees to.
pub struct Mutex<T> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: a guard, which is the way to the value, exists on one thread at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}
// SAFETY: a mutex that moves is not locked, and an unlocked one is plain data.
unsafe impl<T: Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            raw: RawMutex::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody else uses the value.  Whoever holds the guard must
    /// not ask again.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.raw.lock();
        Guard { mutex: self }
    }

    /// The value, when nobody else can ask for it any more.
    pub fn into_inner(mut self) -> T
    where
        T: Default,
    {
        core::mem::take(self.value.get_mut())
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

/// The use of a mutex's value; it ends when this is dropped.
pub struct Guard<'a, T> {
    mutex: &'a Mutex<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and the guard is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this thread took the lock.
        unsafe { self.mutex.raw.unlock() };
    }
}

/// Where threads wait for a change of what a mutex guards.
pub struct Condition {
    raw: RawCondition,
}

// SAFETY: conditions are made to be shared.
unsafe impl Sync for Condition {}
// SAFETY: a condition that moves has no waiters, and is plain data.
unsafe impl Send for Condition {}

impl Condition {
    /// A condition whose waiters look at the clock that never goes back.
    pub fn new() -> Condition {
        Condition {
            raw: RawCondition::new(),
        }
    }

    /// Lets others use the value until somebody wakes this thread, or until
    /// the monotonic clock shows `until` (nanoseconds).  It may also just wake.
    pub fn wait<T>(&self, guard: &mut Guard<'_, T>, until: Option<u64>) {
        // SAFETY: this thread holds the lock, as its guard shows.
        unsafe { self.raw.wait(&guard.mutex.raw, until) };
    }

    /// Wakes a thread that waits here.
    pub fn wake(&self) {
        self.raw.wake();
    }
}

impl Default for Condition {
    fn default() -> Condition {
        Condition::new()
    }
}

/// Nanoseconds on the clock that never goes back.
pub fn now() -> u64 {
    platform::monotonic_time()
}

/// The time so many milliseconds from now.
pub fn after(milliseconds: u64) -> u64 {
    now().saturating_add(milliseconds.saturating_mul(1_000_000))
}

/// Suspends the thread until the monotonic clock shows `until`.
pub fn sleep_until(until: u64) {
    loop {
        let left = until.saturating_sub(now());
        if left == 0 {
            return;
        }
        // Interrupted or not, the clock is asked again.
        platform::sleep(left);
    }
}
