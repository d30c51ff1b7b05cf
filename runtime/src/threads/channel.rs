//! Channels: queues of parcels that any thread may add to and take from.

use super::holders::Holder;
use super::parcel::Parcel;
use super::world::{For, News, Seat};
use super::{ended, known_place, pack, place, unpack_one};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Channel, Ref, Shared};
use crate::sync::Mutex;
use crate::value::Value;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::mem::take;

#[derive(Default)]
struct Queue {
    messages: VecDeque<Parcel>,
    /// Threads that wait for a message, the one that waits longest first.
    waiting: VecDeque<Arc<Seat>>,
}

impl Holder for Mutex<Queue> {
    fn clear(&self) {
        // They may be the last to hold this channel.
        let messages = take(&mut self.lock().messages);
        drop(messages);
    }
}

/// An empty channel.
pub fn new(ctx: &mut VMContext) -> Ref<Channel> {
    let queue = Arc::new(Mutex::new(Queue::default()));
    place(ctx).world.holders.add(&queue);
    Channel::new(queue)
}

/// The queue behind a channel.
fn queue_of(channel: &Channel) -> &Mutex<Queue> {
    channel
        .shared
        .downcast_ref()
        .expect("channels are made with a queue")
}

/// Puts a copy of a value behind those that wait.
pub fn send(ctx: &mut VMContext, channel: &Channel, value: &Value) {
    let parcel = pack(ctx, value, &[]);
    let waiting = {
        let mut queue = queue_of(channel).lock();
        queue.messages.push_back(parcel);
        queue.waiting.pop_front()
    };
    if let (Some(seat), Some(place)) = (waiting, known_place(ctx)) {
        place.world.state.lock().wake(&seat, News::Look);
    }
}

/// Takes the value that has waited longest; waits for one if there is none.
/// `None` if nobody can ever send one.
pub fn receive(ctx: &mut VMContext, channel: &Channel) -> Result<Option<Value>, Raised> {
    let queue = queue_of(channel);
    let first = queue.lock().messages.pop_front();
    if let Some(parcel) = first {
        return Ok(Some(unpack_one(ctx, &parcel)));
    }
    let Some(place) = known_place(ctx) else {
        // No other thread was ever started.
        return Ok(None);
    };
    let mut state = place.world.state.lock();
    loop {
        if let Some(status) = state.end_status() {
            return Err(ended(ctx, status));
        }
        let first = {
            let mut queue = queue.lock();
            let first = queue.messages.pop_front();
            if first.is_none() {
                queue.waiting.push_back(place.seat.clone());
            }
            first
        };
        if let Some(parcel) = first {
            drop(state);
            return Ok(Some(unpack_one(ctx, &parcel)));
        }
        let world = &place.world;
        let news = world.wait(&mut state, &place.seat, For::Message, None);
        if news == Some(News::GiveUp) {
            drop(state);
            let last = {
                let mut queue = queue.lock();
                queue.waiting.retain(|seat| !Arc::ptr_eq(seat, &place.seat));
                // Whoever was told the same may have sent something since.
                queue.messages.pop_front()
            };
            return Ok(last.map(|parcel| unpack_one(ctx, &parcel)));
        }
    }
}

/// The messages of a channel that nobody has a handle to any more; the handle
/// itself if it is none of a channel, and `None` if others have handles.
pub(super) fn last_messages(shared: Shared) -> Result<Option<VecDeque<Parcel>>, Shared> {
    let queue = shared.downcast::<Mutex<Queue>>()?;
    Ok(Arc::into_inner(queue).map(|queue| queue.into_inner().messages))
}
