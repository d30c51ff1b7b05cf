//! Tasks: functions in the background whose result somebody may ask for.

use super::holders::Holder;
use super::parcel::Parcel;
use super::{can_run, place, promise};
use crate::context::VMContext;
use crate::error::Raised;
use crate::heap::{Outcome, Pending, Promise, Ref, Shared, TaskHandle};
use crate::sync::{self, Mutex};
use crate::value::Value;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// The pool's size before a program sets it.
pub(super) const FIRST_POOL_SIZE: usize = 256;

/// A function in the background.
#[derive(Default)]
pub(super) struct Task(Mutex<Progress>);

#[derive(Default)]
struct Progress {
    end: Option<Arc<End>>,
    claim: Claim,
}

/// How a task ended.
pub(super) struct End {
    pub result: Result<Parcel, String>,
    /// When that was.
    pub at: u64,
}

/// What was done with the result.
#[derive(Clone, Copy, Default)]
enum Claim {
    #[default]
    Free,
    Awaited,
    Cancelled,
}

impl Task {
    /// How the task ended, if it has.
    pub fn end(&self) -> Option<Arc<End>> {
        self.0.lock().end.clone()
    }

    fn of(shared: &Shared) -> &Task {
        shared
            .downcast_ref()
            .expect("task handles are made with a task")
    }
}

impl Holder for Task {
    fn clear(&self) {
        // It may be the last to hold this task.
        let end = self.0.lock().end.take();
        drop(end);
    }
}

/// The result of a task that nobody has a handle to any more, if it has one.
pub(super) fn last_result(shared: Shared) -> Option<Parcel> {
    let task = Arc::into_inner(shared.downcast::<Task>().ok()?)?;
    let end = Arc::into_inner(task.0.into_inner().end?)?;
    end.result.ok()
}

/// The task behind a promise.
pub(super) fn of_promise(shared: &Shared) -> &Task {
    Task::of(shared)
}

/// Runs a function without arguments in the background.  `None` if the value
/// is no function.
pub fn spawn(ctx: &mut VMContext, function: &Value) -> Option<Ref<TaskHandle>> {
    if !can_run(function) {
        return None;
    }
    let task = Arc::new(Task::default());
    place(ctx).world.holders.add(&task);
    super::start(ctx, function, Some(task.clone()));
    Some(TaskHandle::new(task))
}

/// Notes the result of a task, or the message of the error that ended it.
pub(super) fn finish(ctx: &mut VMContext, task: &Task, result: Result<Value, Raised>) {
    let result = match result.and_then(|value| promise::resolve(ctx, value)) {
        Ok(value) => Ok(super::pack(ctx, &value, &[])),
        Err(Raised) => Err(ctx
            .pending
            .take()
            .map_or(String::new(), |pending| pending.message.as_str().into())),
    };
    let end = End {
        result,
        at: sync::now(),
    };
    task.0.lock().end = Some(Arc::new(end));
    place(ctx).world.note_settlement();
}

/// The promise of a task's result, for the first who asks.
pub fn promise_of(handle: &TaskHandle) -> Ref<Promise> {
    let mut progress = Task::of(&handle.shared).0.lock();
    let refusal = match progress.claim {
        Claim::Free => {
            progress.claim = Claim::Awaited;
            return Promise::pending(Pending::Task(handle.shared.clone()));
        }
        Claim::Awaited => "Task handle already consumed",
        Claim::Cancelled => "Task was cancelled",
    };
    Promise::settled(Outcome::Rejected {
        message: refusal.into(),
        thrown: None,
        by_builtin: true,
    })
}

/// Gives a task's result up; false if that, or the opposite, was done before.
pub fn cancel(handle: &TaskHandle) -> bool {
    let mut progress = Task::of(&handle.shared).0.lock();
    let is_free = matches!(progress.claim, Claim::Free);
    if is_free {
        progress.claim = Claim::Cancelled;
    }
    is_free
}

/// How many operations combinators keep in flight unless told otherwise.
pub fn pool_size(ctx: &mut VMContext) -> usize {
    place(ctx).world.pool_size.load(Ordering::Relaxed)
}

/// Sets the pool's size; gives the one before.
pub fn set_pool_size(ctx: &mut VMContext, size: usize) -> usize {
    place(ctx).world.pool_size.swap(size, Ordering::Relaxed)
}
