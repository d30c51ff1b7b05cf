//! Holders: channels and tasks, which can hold each other and themselves.
//!
//! They are counted, and a channel that was sent through itself would never be
//! freed by that.  So a program's world knows all of them, and takes away what
//! they hold when nobody runs the program any more.  Until then such a channel
//! stays, even if no variable leads to it.

use crate::sync::Mutex;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::mem::take;

/// Something that holds parcels.
pub(super) trait Holder: Any + Send + Sync {
    /// Frees the parcels.
    fn clear(&self);
}

/// All holders of a program that may be alive.
#[derive(Default)]
pub(super) struct Holders(Mutex<Vec<Weak<dyn Holder>>>);

/// Holders from which on it is worth looking which are gone.
const MANY: usize = 64;

impl Holders {
    pub fn add(&self, holder: &Arc<impl Holder>) {
        let holder = Arc::downgrade(holder);
        let mut known = self.0.lock();
        if known.len() == known.capacity() {
            known.retain(|one| one.strong_count() > 0);
            // As many can be added as there are before this is done again.
            let room = known.len().max(MANY);
            known.reserve(room);
        }
        known.push(holder);
    }

    /// Clears all holders, and forgets them.  Gives them, for a look whether
    /// they go when the handles to them do.
    pub fn clear(&self) -> Vec<Weak<dyn Any + Send + Sync>> {
        let known = take(&mut *self.0.lock());
        for holder in known.iter().filter_map(Weak::upgrade) {
            holder.clear();
        }
        known.into_iter().map(|holder| holder as _).collect()
    }
}
