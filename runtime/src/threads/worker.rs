//! Workers: the operating system's threads that blocks and tasks run on.
//!
//! A worker takes one job after the other.  Some dozen are at work at a time;
//! one that waits makes room for another, and jobs that nobody takes for a
//! while get workers of their own, so that no block can keep others from
//! running.  A worker that can't be started is no error: its job is taken when
//! another one has ended.

use super::parcel::Parcel;
use super::task::{self, Task};
use super::unpack;
use super::world::{News, Seat, State, World};
use super::{Here, Place};
use crate::call;
use crate::context::VMContext;
use crate::context::setup::{Stacks, stack_limit_here};
use crate::heap::{allocator, cycles};
use crate::loaded::LoadedProgram;
use crate::platform::{ENDED, Ending, Pages, Stack, Thread};
use crate::sync;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// Workers that are at work at a time before jobs have to wait for a while.
pub(super) const AT_ONCE: usize = 32;
/// Workers that stay when there is nothing to do.
const MOST_IDLE: usize = 32;
/// Workers that have ended, and whose stacks others may take.
const MOST_ENDED: usize = 32;
/// Milliseconds after which a job that nobody takes gets a worker of its own.
const PATIENCE: u64 = 10;
/// Address space of a worker's machine stack, and of its value stack.
const MACHINE_STACK: usize = 64 << 20;
const VALUE_STACK: usize = 64 << 20;
/// Machine stack of the thread that watches the queue; it only starts others.
const WATCHER_STACK: usize = 256 << 10;

/// A function with the variables that it sees, to be run on some thread.
pub(super) struct Job {
    pub parcel: Parcel,
    /// Whoever wants the result.
    pub task: Option<Arc<Task>>,
}

/// A worker that does nothing any more but end.
pub(super) struct Ended {
    thread: Thread,
    stack: Stack,
}

/// Puts a job on the queue, and sees to it that somebody takes it.
pub(super) fn start(world: &Arc<World>, job: Job) {
    let mut state = world.state.lock();
    state.live += 1;
    state.queue.push_back(job);
    hand_out(world, &mut state);
}

/// Finds or starts a worker for the oldest job on the queue, if there is one.
pub(super) fn hand_out(world: &Arc<World>, state: &mut State) {
    if state.queue.is_empty() || state.closed {
        return;
    }
    if let Some(seat) = state.idle.pop() {
        state.running += 1;
        return seat.tell(News::Look);
    }
    if state.running < AT_ONCE {
        start_worker(world, state);
    } else if !state.is_watched {
        state.is_watched = start_watcher(world);
    }
}

/// Starts a worker; false if there can't be one now.
fn start_worker(world: &Arc<World>, state: &mut State) -> bool {
    let stack = state.ended.pop_front().map(join);
    let Some(stack) = stack.or_else(|| Stack::new(MACHINE_STACK, Pages::Small)) else {
        return false;
    };
    let Some(stacks) = Stacks::reserve(VALUE_STACK) else {
        // SAFETY: no thread runs on it.
        unsafe { stack.unmap() };
        return false;
    };
    let start = Box::into_raw(Box::new(Start {
        world: world.clone(),
        stack,
        stacks,
    }));
    // SAFETY: the thread takes the box over, and leaves the stack to whoever
    // joins it; what never started is still ours.
    unsafe {
        let thread = Thread::start(&(*start).stack, run_worker, start.cast());
        let is_started = thread.map(Thread::forget).is_some();
        if is_started {
            state.running += 1;
            state.starting += 1;
        } else {
            let start = Box::from_raw(start);
            start.stacks.unmap();
            start.stack.unmap();
        }
        is_started
    }
}

/// What a worker starts with.
struct Start {
    world: Arc<World>,
    stack: Stack,
    stacks: Stacks,
}

impl Ended {
    /// Gives back what the worker leaves behind.
    pub fn clean_up(self) {
        // A thread can't wait for itself; it lets go of itself instead, and
        // its stack stays.
        if self.thread.is_current() {
            return self.thread.detach();
        }
        // SAFETY: the thread has ended.
        unsafe { join(self).unmap() };
    }
}

/// Waits until a worker that is ending has ended; gives its stack.
fn join(ended: Ended) -> Stack {
    ended.thread.join();
    ended.stack
}

/// The thread that sees to it that no job waits for ever behind others.
fn start_watcher(world: &Arc<World>) -> bool {
    let start = Box::into_raw(Box::new(world.clone()));
    // SAFETY: the thread takes the box over.
    unsafe {
        let is_started = Thread::start_detached(WATCHER_STACK, watch, start.cast());
        if !is_started {
            drop(Box::from_raw(start));
        }
        is_started
    }
}

extern "system" fn watch(start: *mut u8) -> Ending {
    // SAFETY: `start_watcher` hands the box over.
    let world = unsafe { Box::from_raw(start.cast::<Arc<World>>()) };
    let mut taken = None;
    loop {
        sync::sleep_until(sync::after(PATIENCE));
        let mut state = world.state.lock();
        if state.queue.is_empty() || state.closed {
            state.is_watched = false;
            return ENDED;
        }
        if taken == Some(state.taken) {
            // Those at work are not getting on.
            let left = state.queue.len().saturating_sub(state.starting);
            let wanted = left.min(state.running.max(1));
            for _ in 0..wanted {
                if !start_worker(&world, &mut state) {
                    break;
                }
            }
        }
        taken = Some(state.taken);
    }
}

extern "system" fn run_worker(start: *mut u8) -> Ending {
    // SAFETY: `start_worker` hands the box over.
    let Start {
        world,
        stack,
        stacks,
    } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    allocator::start_small();
    let mut ctx = new_context(&world, stacks);
    let seat = Arc::new(Seat::new(true));
    ctx.kept::<Here>().0 = Some(Place {
        world: world.clone(),
        seat: seat.clone(),
    });
    world.state.lock().starting -= 1;
    while let Some(job) = next_job(&world, &seat) {
        run(&mut ctx, job);
        world.state.lock().end_one();
    }
    drop(ctx);
    if let Some(memory) = &world.seed.threads_memory {
        memory
            .blocks_left
            .fetch_add(allocator::live_blocks(), Ordering::Relaxed);
    }
    // SAFETY: the context is gone, and with it all objects of this thread.
    unsafe { allocator::finish() };
    leave(&world, stack);
    ENDED
}

/// Puts this thread among the workers that have ended, in place of one that
/// ended before if there are too many.  Those there wait for nobody any more:
/// however many end at once, none waits for a chain of others.
fn leave(world: &World, stack: Stack) {
    let thread = Thread::current();
    loop {
        let mut state = world.state.lock();
        if state.ended.len() < MOST_ENDED {
            return state.end_worker(Ended { thread, stack });
        }
        let first = state.ended.pop_front();
        drop(state);
        if let Some(first) = first {
            first.clean_up();
        }
    }
}

fn new_context(world: &World, stacks: Stacks) -> Box<VMContext> {
    let seed = &world.seed;
    let program = LoadedProgram::of(seed.tables.clone(), seed.tier.is_some());
    let mut ctx = VMContext::with(program, world.output(), stacks);
    ctx.stack_limit = stack_limit_here();
    ctx.args = seed.args.clone();
    ctx.capabilities = seed.capabilities;
    if let Some(tier) = &seed.tier {
        ctx.tier = Some(tier.lock().share());
    }
    ctx
}

/// The next job, waiting for it for as long as that makes sense.
fn next_job(world: &Arc<World>, seat: &Arc<Seat>) -> Option<Job> {
    let mut state = world.state.lock();
    loop {
        if state.closed {
            state.running -= 1;
            return None;
        }
        if let Some(job) = state.queue.pop_front() {
            state.taken += 1;
            return Some(job);
        }
        state.running -= 1;
        if state.idle.len() >= MOST_IDLE {
            return None;
        }
        state.idle.push(seat.clone());
        while seat.take_news().is_none() {
            seat.condition.wait(&mut state, None);
        }
    }
}

/// Runs a job, and leaves nothing of it behind.
fn run(ctx: &mut VMContext, job: Job) {
    let (function, globals) = unpack(ctx, &job.parcel);
    drop(job.parcel);
    for (index, value) in globals.into_iter().enumerate() {
        // SAFETY: the job's program is the context's, so there are as many.
        unsafe { *ctx.globals.add(index) = value };
    }
    ctx.trace_top = ctx.trace_base;
    let result = call::call(ctx, &function, &mut []);
    drop(function);
    leave_if_asked(ctx);
    if let Some(task) = &job.task {
        task::finish(ctx, task, result);
        leave_if_asked(ctx);
    }
    ctx.pending = None;
    ctx.exit_status = None;
    ctx.self_result = Value::UNSET;
    for index in 0..ctx.program.program.globals.len() {
        // SAFETY: as above.
        drop(unsafe { (*ctx.globals.add(index)).take() });
    }
    cycles::collect_some();
}

/// Ends the program if the job has called `exit`.
fn leave_if_asked(ctx: &mut VMContext) {
    if let (Some(status), Some(place)) = (ctx.exit_status, super::known_place(ctx)) {
        place.world.exit(status);
    }
}
