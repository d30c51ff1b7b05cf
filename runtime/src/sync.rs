//! Locks and waiting, over the C library's threads.
//!
//! Only what threads of a program share is behind these; a value is never, for
//! values belong to one thread.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// A value that one thread at a time may use.  It must stay where it is while
/// the lock is held, which the borrow of the guard sees to.
pub struct Mutex<T> {
    raw: UnsafeCell<libc::pthread_mutex_t>,
    value: UnsafeCell<T>,
}

// SAFETY: a guard, which is the way to the value, exists on one thread at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}
// SAFETY: a mutex that moves is not locked, and an unlocked one is plain data.
unsafe impl<T: Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            raw: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody else uses the value.  Whoever holds the guard must
    /// not ask again.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        // SAFETY: initialised, and it does not move while it is borrowed.
        unsafe { libc::pthread_mutex_lock(self.raw.get()) };
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

impl<T> Drop for Mutex<T> {
    fn drop(&mut self) {
        // SAFETY: nobody borrows it, so it is unlocked; it is not used again.
        unsafe { libc::pthread_mutex_destroy(self.raw.get()) };
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
        unsafe { libc::pthread_mutex_unlock(self.mutex.raw.get()) };
    }
}

/// Where threads wait for a change of what a mutex guards.
pub struct Condition {
    raw: UnsafeCell<libc::pthread_cond_t>,
}

// SAFETY: the C library's conditions are made to be shared.
unsafe impl Sync for Condition {}
// SAFETY: a condition that moves has no waiters, and is plain data.
unsafe impl Send for Condition {}

impl Condition {
    /// A condition whose waiters look at the clock that never goes back.
    pub fn new() -> Condition {
        // SAFETY: the attributes are initialised before they are used; a
        // condition is plain data until somebody waits.
        unsafe {
            let mut attributes: libc::pthread_condattr_t = core::mem::zeroed();
            let raw = UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER);
            libc::pthread_condattr_init(&mut attributes);
            libc::pthread_condattr_setclock(&mut attributes, libc::CLOCK_MONOTONIC);
            libc::pthread_cond_init(raw.get(), &attributes);
            libc::pthread_condattr_destroy(&mut attributes);
            Condition { raw }
        }
    }

    /// Lets others use the value until somebody wakes this thread, or until
    /// the monotonic clock shows `until` (nanoseconds).  It may also just wake.
    pub fn wait<T>(&self, guard: &mut Guard<'_, T>, until: Option<u64>) {
        let mutex = guard.mutex.raw.get();
        // SAFETY: this thread holds the lock, as its guard shows.
        unsafe {
            match until {
                None => libc::pthread_cond_wait(self.raw.get(), mutex),
                Some(until) => {
                    let time = timespec(until);
                    libc::pthread_cond_timedwait(self.raw.get(), mutex, &time)
                }
            };
        }
    }

    /// Wakes a thread that waits here.
    pub fn wake(&self) {
        // SAFETY: initialised.
        unsafe { libc::pthread_cond_signal(self.raw.get()) };
    }
}

impl Default for Condition {
    fn default() -> Condition {
        Condition::new()
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        // SAFETY: nobody borrows it, so nobody waits; it is not used again.
        unsafe { libc::pthread_cond_destroy(self.raw.get()) };
    }
}

/// Nanoseconds on the clock that never goes back.
pub fn now() -> u64 {
    let mut time = timespec(0);
    // SAFETY: writes to the variable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * NANOSECONDS + time.tv_nsec as u64
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
        // SAFETY: reads the variable; interrupted or not, the clock is asked again.
        unsafe { libc::nanosleep(&timespec(left), core::ptr::null_mut()) };
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (nanoseconds / NANOSECONDS) as libc::time_t,
        tv_nsec: (nanoseconds % NANOSECONDS) as _,
    }
}
