//! Threads: blocks that run beside the program, and what they share with it.
//!
//! A thread has a context and a heap of its own, so no value is ever seen by
//! two threads and nothing is counted atomically.  What crosses over is packed
//! into a `Parcel`, which belongs to neither side: a copy of data, of closures
//! with the variables they captured, and handles to what is shared by nature:
//! channels and tasks.
//!
//! The threads of one program meet in its `World`.  Nothing here is linked
//! into programs that have no channel, task or `spawn`.

pub mod channel;
mod holders;
mod lines;
mod pack;
pub mod parcel;
pub mod promise;
pub mod store;
pub mod task;
mod unpack;
mod wait;
mod worker;
mod world;

pub use pack::pack;
pub use unpack::{unpack, unpack_one};
pub use wait::sleep;

use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::Function;
use crate::value::Value;
use alloc::sync::Arc;
use parcel::Parcel;
use world::{Seat, World};

/// A thread's place among the others of its program; the context keeps it.
#[derive(Default)]
struct Here(Option<Place>);

#[derive(Clone)]
struct Place {
    world: Arc<World>,
    /// Where this thread waits.
    seat: Arc<Seat>,
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Some(Place { world, seat }) = &self.0
            && !seat.is_worker
        {
            world.close();
        }
    }
}

/// The thread's place, if the program has had anything to share yet.
fn known_place(ctx: &mut VMContext) -> Option<Place> {
    ctx.kept::<Here>().0.clone()
}

/// The thread's place.
fn place(ctx: &mut VMContext) -> Place {
    if let Some(place) = known_place(ctx) {
        return place;
    }
    let seat = Arc::new(Seat::new(false));
    let place = Place {
        world: Arc::new(World::new(ctx, seat.clone())),
        seat,
    };
    ctx.kept::<Here>().0 = Some(place.clone());
    place
}

/// Runs a function value without parameters on another thread, on copies of
/// what it captured and of the global variables.
pub fn spawn(ctx: &mut VMContext, function: &Value) {
    start(ctx, function, None);
}

fn start(ctx: &mut VMContext, function: &Value, task: Option<Arc<task::Task>>) {
    let place = place(ctx);
    place.world.share_output(ctx);
    let parcel = snapshot(ctx, function);
    worker::start(&place.world, worker::Job { parcel, task });
}

/// The function and the global variables.
fn snapshot(ctx: &mut VMContext, function: &Value) -> Parcel {
    let count = ctx.program.program.globals.len();
    // SAFETY: the context has that many; packing runs no code that sets them.
    let globals = unsafe { core::slice::from_raw_parts(ctx.globals, count) };
    pack(ctx, function, globals)
}

/// Whether a value can be run in the background.
pub fn can_run(value: &Value) -> bool {
    value.as_object::<Function>().is_some()
        || matches!(
            value.tag(),
            crate::value::Tag::BoundMethod | crate::value::Tag::Builtin
        )
}

/// Ends this thread's work because the program has ended: like `exit`, this
/// can't be caught.
fn ended(ctx: &mut VMContext, status: i32) -> Raised {
    ctx.exit_status = Some(status);
    ctx.raise("exit")
}
