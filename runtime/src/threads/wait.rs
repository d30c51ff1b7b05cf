//! Waiting for time to pass and for tasks to end.

use super::world::{For, News};
use super::{ended, known_place};
use crate::context::VMContext;
use crate::error::Raised;
use crate::sync;
use core::sync::atomic::Ordering;

/// Suspends this thread, and no other, until the monotonic clock shows `until`.
///
/// # Errors
/// If the program ends meanwhile.
pub fn sleep(ctx: &mut VMContext, until: u64) -> Result<(), Raised> {
    let Some(place) = known_place(ctx) else {
        sync::sleep_until(until);
        return Ok(());
    };
    let world = &place.world;
    let mut state = world.state.lock();
    loop {
        if let Some(status) = state.end_status() {
            return Err(ended(ctx, status));
        }
        let news = world.wait(&mut state, &place.seat, For::Time, Some(until));
        if news.is_none() {
            return Ok(());
        }
    }
}

/// How many tasks have ended so far.
pub(super) fn settlements(ctx: &mut VMContext) -> u64 {
    known_place(ctx).map_or(0, |place| place.world.settlements.load(Ordering::Acquire))
}

/// Waits until more tasks have ended than were `seen`, or until that time.
/// False if neither will ever happen.
pub(super) fn wait_for_change(
    ctx: &mut VMContext,
    seen: u64,
    until: Option<u64>,
) -> Result<bool, Raised> {
    let Some(place) = known_place(ctx) else {
        return Ok(match until {
            Some(until) => {
                sync::sleep_until(until);
                true
            }
            None => false,
        });
    };
    let mut state = place.world.state.lock();
    if let Some(status) = state.end_status() {
        return Err(ended(ctx, status));
    }
    if place.world.settlements.load(Ordering::Acquire) != seen {
        return Ok(true);
    }
    let world = &place.world;
    let news = world.wait(&mut state, &place.seat, For::Task, until);
    // Even if what it waited for is there: whoever is woken to end must end.
    if let Some(status) = state.end_status() {
        return Err(ended(ctx, status));
    }
    Ok(news != Some(News::GiveUp))
}
