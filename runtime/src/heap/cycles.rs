//! Cycles: finding the garbage that counting can't free.
//!
//! Values can't contain themselves, so a cycle always runs through an object
//! that is changed after others refer to it: a captured variable, a generator.
//! These are the roots; they are chained per thread.
//!
//! `collect` deletes on trial: it counts, for everything that can be reached
//! from the roots, the references from inside.  Whatever has more owners than
//! that is alive, with all it reaches; the rest is garbage.  Counts are exact
//! at any time, so it may run wherever a root is made.

use super::{
    Array, BoundMethod, CellObject, Dict, Function, Generator, Header, Lazy, Object, Promise,
    Queue, Record, Set, Stack, StructDef, Variant, allocator, release, retain,
};
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Roots that may exist before cycles are looked for the first time.
pub(super) const FIRST_THRESHOLD: usize = 10_000;

/// What every object starts with that can close a cycle.
#[repr(C)]
pub struct Root {
    header: Header,
    previous: *mut Root,
    next: *mut Root,
}

impl Root {
    /// The start of a new object of this kind, to be linked once it is written.
    pub const fn new(tag: Tag) -> Root {
        Root {
            header: Header::new(tag),
            previous: core::ptr::null_mut(),
            next: core::ptr::null_mut(),
        }
    }
}

/// Puts a new object on its thread's chain.
///
/// # Safety
/// The object is live and on no chain.
pub(super) unsafe fn link(object: *mut Root) {
    let heap = allocator::current();
    // SAFETY: the chain only holds live objects of this thread.
    unsafe {
        (*object).next = (*heap).roots;
        if !(*object).next.is_null() {
            (*(*object).next).previous = object;
        }
        (*heap).roots = object;
        (*heap).root_count += 1;
    }
}

/// Takes a dying object off its thread's chain.
///
/// # Safety
/// The object is on the chain.
pub(super) unsafe fn unlink(object: *mut Root) {
    let heap = allocator::current();
    // SAFETY: as for `link`.
    unsafe {
        let (previous, next) = ((*object).previous, (*object).next);
        if previous.is_null() {
            (*heap).roots = next;
        } else {
            (*previous).next = next;
        }
        if !next.is_null() {
            (*next).previous = previous;
        }
        (*heap).root_count -= 1;
    }
}

/// Collects cycles if there are many roots.  Called before a root is made.
#[inline]
pub(super) fn make_room() {
    let heap = allocator::current();
    // SAFETY: the thread's heap is only touched by its thread.
    unsafe {
        if (*heap).root_count >= (*heap).root_threshold {
            collect();
            (*heap).root_threshold = (2 * (*heap).root_count).max(FIRST_THRESHOLD);
        }
    }
}

/// Collects cycles if there is anything that could close one.
pub fn collect_some() {
    // SAFETY: the thread's heap is only touched by its thread.
    if unsafe { (*allocator::current()).root_count } > 0 {
        collect();
    }
}

/// What is known of an object while cycles are looked for.
#[derive(Clone, Copy, Default)]
struct Found {
    /// References from objects that were found.
    inner: i32,
    alive: bool,
}

type Table = HashMap<*mut Header, Found, FxBuildHasher>;

/// Frees everything that only cycles keep alive.
#[cold]
#[inline(never)]
pub fn collect() {
    let mut roots = Vec::new();
    // SAFETY: the chain holds live objects of this thread; nothing is freed
    // before the survey is complete.
    unsafe {
        let mut root = (*allocator::current()).roots;
        while !root.is_null() {
            roots.push(root.cast::<Header>());
            root = (*root).next;
        }
        let table = survey(&roots);
        roots.retain(|root| !table[root].alive);
        for root in &roots {
            retain(*root);
        }
        // Emptying the roots breaks every cycle; what hangs on them is freed
        // by counting.
        let mut contents: Vec<Value> = Vec::new();
        for root in &roots {
            contents.append(&mut empty(*root));
        }
        drop(contents);
        for root in roots {
            release(root);
        }
    }
}

/// Finds out what is alive among all that can be reached from the roots.
///
/// # Safety
/// The roots are live.
unsafe fn survey(roots: &[*mut Header]) -> Table {
    let mut table = Table::default();
    let mut open: Vec<*mut Header> = roots.to_vec();
    table.extend(roots.iter().map(|root| (*root, Found::default())));
    // SAFETY: everything reachable from live objects is live.
    unsafe {
        while let Some(object) = open.pop() {
            each_child(object, &mut |child| {
                let known = table.entry(child).or_insert_with(|| {
                    open.push(child);
                    Found::default()
                });
                known.inner += 1;
            });
        }
        for (object, found) in &mut table {
            if (**object).count.get() != found.inner {
                found.alive = true;
                open.push(*object);
            }
        }
        while let Some(object) = open.pop() {
            each_child(object, &mut |child| {
                if let Some(found) = table.get_mut(&child).filter(|found| !found.alive) {
                    found.alive = true;
                    open.push(child);
                }
            });
        }
    }
    table
}

/// Takes out what a root holds.
///
/// # Safety
/// The root is live, and nobody borrows its contents.
unsafe fn empty(root: *mut Header) -> Vec<Value> {
    // SAFETY: the kind says what the object is.
    unsafe {
        match (*root).kind {
            CELL => alloc::vec![(*(*root.cast::<CellObject>()).place()).take()],
            GENERATOR => (*root.cast::<Generator>()).finish(),
            kind => unreachable!("a root of kind {kind}"),
        }
    }
}

const CELL: u8 = Tag::Cell as u64 as u8;
const GENERATOR: u8 = Tag::Generator as u64 as u8;

/// Visits every counted reference that an object holds to one that may be
/// part of a cycle.
///
/// # Safety
/// The object is live.
unsafe fn each_child(object: *mut Header, visit: &mut dyn FnMut(*mut Header)) {
    const ARRAY: u8 = Array::TAG as u64 as u8;
    const DICT: u8 = Dict::TAG as u64 as u8;
    const STRUCT: u8 = Record::TAG as u64 as u8;
    const VARIANT: u8 = Variant::TAG as u64 as u8;
    const FUNCTION: u8 = Function::TAG as u64 as u8;
    const STRUCT_DEF: u8 = StructDef::TAG as u64 as u8;
    const BOUND_METHOD: u8 = BoundMethod::TAG as u64 as u8;
    const SET: u8 = Set::TAG as u64 as u8;
    const QUEUE: u8 = Queue::TAG as u64 as u8;
    const STACK: u8 = Stack::TAG as u64 as u8;
    const ITERATOR: u8 = Lazy::TAG as u64 as u8;
    const PROMISE: u8 = Promise::TAG as u64 as u8;
    let mut each = |value: &Value| {
        if may_be_in_cycle(value) {
            visit(value.payload() as *mut Header);
        }
    };
    // SAFETY: the kind says what the object is.
    unsafe {
        match (*object).kind {
            ARRAY => {
                let array = &*object.cast::<Array>();
                array.as_values().unwrap_or_default().iter().for_each(each);
                if let Some((def, ..)) = array.as_structs() {
                    visit(core::ptr::from_ref(def).cast_mut().cast());
                }
            }
            DICT => (*object.cast::<Dict>())
                .iter()
                .for_each(|(_, value)| each(value)),
            STRUCT => {
                let record = &*object.cast::<Record>();
                record.fields().iter().for_each(each);
                if let Some(def) = record.def() {
                    visit(core::ptr::from_ref(def).cast_mut().cast());
                }
            }
            VARIANT => (*object.cast::<Variant>()).payload().iter().for_each(each),
            FUNCTION => (*object.cast::<Function>())
                .captures()
                .iter()
                .for_each(each),
            STRUCT_DEF => {
                let def = &*object.cast::<StructDef>();
                def.methods.iter().for_each(|(_, method)| each(method));
                def.defaults.iter().for_each(|(_, default)| each(default));
            }
            BOUND_METHOD => {
                let bound = &*object.cast::<BoundMethod>();
                each(&bound.receiver);
                each(&bound.method);
            }
            SET => (*object.cast::<Set>()).iter().for_each(each),
            QUEUE => (*object.cast::<Queue>()).iter().for_each(each),
            STACK => (*object.cast::<Stack>()).iter().for_each(each),
            CELL => each((*object.cast::<CellObject>()).get()),
            GENERATOR => {
                let generator = &*object.cast::<Generator>();
                generator.frame().iter().for_each(&mut each);
                if !generator.function.header().is_immortal() {
                    visit(generator.function.as_ptr().cast());
                }
            }
            ITERATOR => {
                let lazy = &*object.cast::<Lazy>();
                each(&lazy.source);
                lazy.callback().into_iter().for_each(each);
            }
            PROMISE => (*object.cast::<Promise>()).each(each),
            // Strings and what else holds no values.
            _ => {}
        }
    }
}

/// Whether a value is an object that holds references and is counted.
fn may_be_in_cycle(value: &Value) -> bool {
    if !value.is_counted() || matches!(value.tag(), Tag::String | Tag::Bytes | Tag::EnumDef) {
        return false;
    }
    // SAFETY: a counted value's header is live.
    unsafe { !(*(value.payload() as *const Header)).is_immortal() }
}
