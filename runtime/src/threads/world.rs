//! The world of a program's threads: who is alive, who waits, what is to run.
//!
//! One lock guards it all.  The order in which locks are taken is: the world's
//! state; then a channel's or a task's, or the output's, one of them at a time.

use super::lines::{Lines, SharedLines, keep_for_the_end};
use super::worker::{AT_ONCE, Ended, Job};
use crate::context::{Capabilities, ThreadsMemory, Tier, VMContext};
use crate::loaded::Tables;
use crate::output::Output;
use crate::platform;
use crate::sync::{self, Condition, Guard, Mutex};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::take;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// What the threads of a program have in common.
pub(super) struct World {
    pub state: Mutex<State>,
    /// How often a task has ended so far.
    pub settlements: AtomicU64,
    pub store: super::store::Store,
    /// The channels and tasks that there are.
    pub holders: super::holders::Holders,
    pub pool_size: AtomicUsize,
    pub seed: Seed,
    /// Where the program's first thread waits.
    first: Arc<Seat>,
    lines: Mutex<Option<Arc<Mutex<Lines>>>>,
}

/// What a new thread's context is made of.
pub(super) struct Seed {
    pub tables: Arc<Tables>,
    pub args: Vec<String>,
    pub capabilities: Capabilities,
    /// The first thread's compiler, to be shared.
    pub tier: Option<Mutex<Box<dyn Tier + Send>>>,
    /// `exit` ends the process.
    pub owns_process: bool,
    /// Where threads count what they leave, if somebody checks.
    pub threads_memory: Option<Arc<ThreadsMemory>>,
}

pub(super) struct State {
    /// The program's first thread, and the blocks and tasks that have not ended.
    pub live: usize,
    /// Those that wait for something that only another thread can bring.
    stuck: Vec<Arc<Seat>>,
    /// Those that wait for some time at most.
    timed: Vec<Arc<Seat>>,
    /// Those among both that wait for a task to end.
    awaiting: Vec<Arc<Seat>>,
    /// Blocks and tasks that no thread has taken yet.
    pub queue: VecDeque<Job>,
    /// Threads that wait for work.
    pub idle: Vec<Arc<Seat>>,
    /// Threads for blocks and tasks that are at work, and don't wait.
    pub running: usize,
    /// Those among them that have just been started, and take no job yet.
    pub starting: usize,
    /// Jobs that were taken so far.
    pub taken: u64,
    /// Somebody looks after jobs that nobody takes.
    pub is_watched: bool,
    /// The one that ended first comes first.
    pub ended: VecDeque<Ended>,
    /// The program has ended.
    pub closed: bool,
    /// The status that a thread ended the program with.
    pub exit_status: Option<i32>,
}

/// Where one thread waits.  Its fields change under the world's lock only.
pub(super) struct Seat {
    pub condition: Condition,
    /// Not the program's first thread.
    pub is_worker: bool,
    news: AtomicU8,
    is_waiting: AtomicBool,
    /// What it waits for, as a number.
    waits_for: AtomicU8,
    /// It waits for some time at most.
    is_timed: AtomicBool,
    /// Its place among those that wait like it, stuck or timed.
    place: AtomicUsize,
}

/// Why a thread was woken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Something has changed.
    Look = 1,
    /// What it waits for can't happen.
    GiveUp = 2,
}

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Message = 0,
    /// The end of any task.
    Task = 1,
    /// Nothing but the end of the time.
    Time = 2,
}

impl Seat {
    pub fn new(is_worker: bool) -> Seat {
        Seat {
            condition: Condition::new(),
            is_worker,
            news: AtomicU8::new(0),
            is_waiting: AtomicBool::new(false),
            waits_for: AtomicU8::new(0),
            is_timed: AtomicBool::new(false),
            place: AtomicUsize::new(0),
        }
    }

    fn waits_for(&self, what: For) -> bool {
        self.waits_for.load(Ordering::Relaxed) == what as u8
    }

    pub fn take_news(&self) -> Option<News> {
        match self.news.swap(0, Ordering::Relaxed) {
            0 => None,
            1 => Some(News::Look),
            _ => Some(News::GiveUp),
        }
    }

    pub fn tell(&self, news: News) {
        self.news.store(news as u8, Ordering::Relaxed);
        self.condition.wake();
    }
}

impl World {
    /// A world with one thread, the context's, and where that one waits.
    pub fn new(ctx: &mut VMContext, first: Arc<Seat>) -> World {
        World {
            state: Mutex::new(State {
                live: 1,
                stuck: Vec::new(),
                timed: Vec::new(),
                awaiting: Vec::new(),
                queue: VecDeque::new(),
                idle: Vec::new(),
                running: 0,
                starting: 0,
                taken: 0,
                is_watched: false,
                ended: VecDeque::new(),
                closed: false,
                exit_status: None,
            }),
            settlements: AtomicU64::new(0),
            store: Default::default(),
            holders: Default::default(),
            pool_size: AtomicUsize::new(super::task::FIRST_POOL_SIZE),
            seed: Seed {
                tables: ctx.program.tables().clone(),
                args: ctx.args.clone(),
                capabilities: ctx.capabilities,
                tier: ctx.tier.as_ref().map(|tier| Mutex::new(tier.share())),
                owns_process: ctx.owns_process,
                threads_memory: ctx.threads_memory.clone(),
            },
            first,
            lines: Mutex::new(None),
        }
    }

    /// Lets the context's output go where all threads' output goes.
    pub fn share_output(&self, ctx: &mut VMContext) {
        if ctx.output.shared.is_some() {
            return;
        }
        ctx.output.flush();
        let lines = Lines::new(ctx.output.line_buffered, ctx.output.redirect.is_some());
        if self.seed.owns_process {
            keep_for_the_end(&lines);
        }
        *self.lines.lock() = Some(lines.clone());
        ctx.output.shared = Some(Box::new(SharedLines(lines)));
    }

    /// The output of another thread than the first.
    pub fn output(&self) -> Output {
        let mut output = Output::new(false);
        if let Some(lines) = &*self.lines.lock() {
            output.shared = Some(Box::new(SharedLines(lines.clone())));
        }
        output
    }

    /// Waits as one of the program's threads, until woken or until that time,
    /// if there is one.  The program has not ended.
    pub fn wait(
        self: &Arc<World>,
        state: &mut Guard<'_, State>,
        seat: &Arc<Seat>,
        what: For,
        until: Option<u64>,
    ) -> Option<News> {
        debug_assert!(state.end_status().is_none(), "nobody would wake it");
        seat.is_waiting.store(true, Ordering::Relaxed);
        seat.waits_for.store(what as u8, Ordering::Relaxed);
        state.running -= seat.is_worker as usize;
        seat.is_timed.store(until.is_some(), Ordering::Relaxed);
        let others = state.waiting_like(seat);
        seat.place.store(others.len(), Ordering::Relaxed);
        others.push(seat.clone());
        if what == For::Task {
            state.awaiting.push(seat.clone());
        }
        super::worker::hand_out(self, state);
        if state.nobody_can_help() {
            // The last one to wait is the first to be told.
            match what {
                For::Message => state.wake(seat, News::GiveUp),
                For::Task | For::Time => state.resolve(),
            }
        }
        loop {
            if let Some(news) = seat.take_news() {
                return Some(news);
            }
            if until.is_some_and(|until| sync::now() >= until) {
                state.stop_waiting(seat);
                return None;
            }
            seat.condition.wait(state, until);
        }
    }

    /// Notes that a task has an outcome.
    pub fn note_settlement(&self) {
        self.settlements.fetch_add(1, Ordering::Release);
        let mut state = self.state.lock();
        for seat in take(&mut state.awaiting) {
            state.wake(&seat, News::Look);
        }
    }

    /// Ends the program from another thread than the first.
    pub fn exit(&self, status: i32) {
        let mut state = self.state.lock();
        if state.end_status().is_some() {
            // Another thread was quicker.
            return;
        }
        if self.seed.owns_process {
            let lines = self.lines.lock();
            if let Some(lines) = &*lines {
                // Nobody prints any more: the lock is kept to the end.
                core::mem::forget({
                    let mut lines = lines.lock();
                    lines.close();
                    lines
                });
            }
            platform::exit(status)
        }
        state.exit_status = Some(status);
        state.wake(&self.first, News::Look);
        state.begin_to_end();
    }

    /// Ends the program's first thread.  Of the others, those that run in a
    /// host's process end when they wait the next time, and so do those whose
    /// memory is checked, which this thread waits for.
    pub fn close(self: &Arc<World>) {
        let mut state = self.state.lock();
        if let Some(lines) = &*self.lines.lock() {
            lines.lock().close();
        }
        state.closed = true;
        let memory = &self.seed.threads_memory;
        if self.seed.owns_process && memory.is_none() {
            return;
        }
        let jobs = take(&mut state.queue);
        for seat in take(&mut state.idle) {
            state.running += 1;
            seat.tell(News::Look);
        }
        state.begin_to_end();
        drop(state);
        drop(jobs);
        if let Some(memory) = memory {
            memory
                .at_work
                .store(!self.is_left_soon(), Ordering::Relaxed);
        }
    }

    /// Waits until no thread but this one has a share of the world, which is
    /// the last that each of them gives up; false if some keep it.
    fn is_left_soon(self: &Arc<World>) -> bool {
        let (mut left, mut until) = (usize::MAX, 0);
        loop {
            let shares = Arc::strong_count(self);
            if shares == 1 {
                return true;
            }
            // As long as they end, one after the other, it is no matter how
            // many they are.
            if shares < left {
                (left, until) = (shares, sync::after(LONGEST_END));
            } else if sync::now() >= until {
                return false;
            }
            sync::sleep_until(sync::after(1));
        }
    }
}

/// Milliseconds after which a thread that has not ended is taken for one that
/// won't, if no other has ended meanwhile.
const LONGEST_END: u64 = 3000;

impl Drop for World {
    fn drop(&mut self) {
        for ended in self.state.lock().ended.drain(..) {
            ended.clean_up();
        }
        let holders = self.holders.clear();
        if let Some(memory) = &self.seed.threads_memory {
            *memory.holders.lock() = holders;
        }
    }
}

impl State {
    /// Whether every thread that is alive waits for another one, or for a
    /// worker that can't be started.
    fn nobody_can_help(&self) -> bool {
        let is_stalled = self.running == 0 && self.stuck.len() + self.queue.len() == self.live;
        !self.stuck.is_empty() && (self.stuck.len() == self.live || is_stalled)
    }

    /// The status that the program has ended with, if it has.
    pub fn end_status(&self) -> Option<i32> {
        self.exit_status.or(self.closed.then_some(0))
    }

    /// A block or task has ended.
    pub fn end_one(&mut self) {
        self.live -= 1;
        if self.nobody_can_help() {
            self.resolve();
        }
        // Its worker may stay, as long as the first thread does.
        if self.exit_status.is_some() && !self.closed {
            self.wake_to_end();
        }
    }

    /// A worker has ended; it needs the state no more.
    pub fn end_worker(&mut self, ended: Ended) {
        self.ended.push_back(ended);
        if self.closed {
            self.wake_to_end();
        }
    }

    /// Tells one of the threads that nobody will help: rather one that
    /// receives, which is a way to end, and rather not the first.
    fn resolve(&mut self) {
        let rank = |seat: &Arc<Seat>| {
            let receives = seat.waits_for(For::Message);
            match (receives, seat.is_worker) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            }
        };
        let newest_first = self.stuck.iter().rev();
        let best = newest_first.clone().find(|seat| rank(seat) == 0);
        let best = best.or_else(|| newest_first.min_by_key(|seat| rank(seat)));
        if let Some(seat) = best.cloned() {
            self.wake(&seat, News::GiveUp);
        }
    }

    /// Wakes a thread, if it waits.
    pub fn wake(&mut self, seat: &Arc<Seat>, news: News) {
        if self.stop_waiting(seat) {
            seat.tell(news);
        }
    }

    fn stop_waiting(&mut self, seat: &Arc<Seat>) -> bool {
        if !seat.is_waiting.swap(false, Ordering::Relaxed) {
            return false;
        }
        self.running += seat.is_worker as usize;
        // There may be many: the last one takes its place.
        let place = seat.place.load(Ordering::Relaxed);
        let others = self.waiting_like(seat);
        others.swap_remove(place);
        if let Some(moved) = others.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
        if seat.waits_for(For::Task) {
            self.awaiting.retain(|other| !Arc::ptr_eq(other, seat));
        }
        true
    }

    /// Those that wait like a seat: stuck, or for some time at most.
    fn waiting_like(&mut self, seat: &Seat) -> &mut Vec<Arc<Seat>> {
        match seat.is_timed.load(Ordering::Relaxed) {
            true => &mut self.timed,
            false => &mut self.stuck,
        }
    }

    /// Lets those that wait end, now that the program has: some at first, and
    /// one more whenever one has ended, for there may be very many.  None waits
    /// anew, and whoever is woken does nothing but end, so that all get to it.
    fn begin_to_end(&mut self) {
        // No end of a task shall wake them all.
        self.awaiting.clear();
        for _ in 0..AT_ONCE {
            self.wake_to_end();
        }
    }

    fn wake_to_end(&mut self) {
        if let Some(seat) = self.stuck.last().or(self.timed.last()).cloned() {
            self.wake(&seat, News::Look);
        }
    }
}
