//! The shared store: values under names that all threads know.

use super::parcel::Parcel;
use super::{Place, pack, place, unpack_one};
use crate::context::VMContext;
use crate::sync::Mutex;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::sync::Arc;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// By name.
#[derive(Default)]
pub(super) struct Store(Mutex<HashMap<Box<str>, Arc<Parcel>, FxBuildHasher>>);

/// Keeps a copy of a value under a name.
pub fn set(ctx: &mut VMContext, key: &str, value: &Value) {
    let parcel = Arc::new(pack(ctx, value, &[]));
    let Place { world, .. } = place(ctx);
    let old = world.store.0.lock().insert(key.into(), parcel);
    drop(old);
}

/// A copy of the value under a name.
pub fn get(ctx: &mut VMContext, key: &str) -> Option<Value> {
    let Place { world, .. } = place(ctx);
    let parcel = world.store.0.lock().get(key).cloned()?;
    Some(unpack_one(ctx, &parcel))
}

/// Whether there is a value under a name.
pub fn has(ctx: &mut VMContext, key: &str) -> bool {
    place(ctx).world.store.0.lock().contains_key(key)
}

/// Forgets the value under a name; false if there is none.
pub fn delete(ctx: &mut VMContext, key: &str) -> bool {
    let old = place(ctx).world.store.0.lock().remove(key);
    old.is_some()
}

/// What an addition found under the name.
pub enum Added {
    /// The sum, which is there now.
    Sum(i64),
    /// The int that is still there, for the sum is none.
    Overflow(i64),
    NoInt,
    Nothing,
}

/// Adds to the int under a name, in one step for all threads.
pub fn add(ctx: &mut VMContext, key: &str, delta: i64) -> Added {
    let Place { world, .. } = place(ctx);
    let mut store = world.store.0.lock();
    let Some(parcel) = store.get_mut(key) else {
        return Added::Nothing;
    };
    let Some(number) = parcel.as_int() else {
        return Added::NoInt;
    };
    let Some(sum) = number.checked_add(delta) else {
        return Added::Overflow(number);
    };
    *parcel = Arc::new(Parcel::of_int(sum));
    Added::Sum(sum)
}
