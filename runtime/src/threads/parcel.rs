//! Parcels: values on their way between threads.
//!
//! A parcel holds no object of any thread's heap.  Its nodes are numbered so
//! that a node's parts come before it, except for the contents of cells and
//! generators, through which a value can reach itself.

use super::{channel, task};
use crate::bytecode::FunctionId;
use crate::call::Resume;
use crate::heap::{self, GeneratorState, Shared, VariantKind};
use crate::names::NameId;
use crate::value::RawValue;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Some values, ready to be unpacked by any thread of the program, any number
/// of times.
pub struct Parcel {
    pub(super) first: Item,
    pub(super) rest: Vec<Item>,
    pub(super) nodes: Vec<Node>,
}

// SAFETY: the pointers in it are to literals and shapes that all threads of
// the program may use, and that outlive its world.
unsafe impl Send for Parcel {}
// SAFETY: as above; nothing in a parcel changes.
unsafe impl Sync for Parcel {}

impl Parcel {
    /// A parcel with an int.
    pub fn of_int(number: i64) -> Parcel {
        Parcel {
            first: Item::Scalar(crate::value::Value::int(number).into_raw()),
            rest: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// The first value, if it is an int.
    pub fn as_int(&self) -> Option<i64> {
        match &self.first {
            Item::Scalar(raw) if raw.tag == crate::value::Tag::Int as u64 => {
                Some(raw.payload as i64)
            }
            _ => None,
        }
    }
}

impl Drop for Parcel {
    /// A message may be the last to hold a channel, whose messages hold
    /// channels, and so on: that is worked off one by one, for it may go deep.
    fn drop(&mut self) {
        let mut open = Vec::new();
        self.take_handles(&mut open);
        while let Some(shared) = open.pop() {
            let messages = match channel::last_messages(shared) {
                Ok(messages) => messages.unwrap_or_default(),
                Err(task) => task::last_result(task).into_iter().collect(),
            };
            for mut parcel in messages {
                parcel.take_handles(&mut open);
            }
        }
    }
}

impl Parcel {
    fn take_handles(&mut self, into: &mut Vec<Shared>) {
        for node in &mut self.nodes {
            if matches!(
                node,
                Node::Channel(_) | Node::Task(_) | Node::Promise(State::Task(_))
            ) {
                let nothing = Node::Cell(Item::Scalar(crate::value::Value::UNSET.into_raw()));
                if let Node::Channel(shared)
                | Node::Task(shared)
                | Node::Promise(State::Task(shared)) = core::mem::replace(node, nothing)
                {
                    into.push(shared);
                }
            }
        }
    }
}

/// A value in a parcel.
#[derive(Clone, Copy)]
pub(super) enum Item {
    /// What is no object.
    Scalar(RawValue),
    /// A string that all threads may use.
    Literal(*const heap::Str),
    /// By number.
    Node(u32),
}

pub(super) type Items = Box<[Item]>;

/// An object in a parcel.
pub(super) enum Node {
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Ints(Box<[i64]>),
    Floats(Box<[f64]>),
    Bools(Box<[u8]>),
    Values(Items),
    /// Structs that lie flat: the tags and the words of their fields.
    Structs {
        shape: Shape,
        def: Item,
        tags: u64,
        words: Box<[u64]>,
    },
    Dict {
        is_int_keyed: bool,
        entries: Box<[(Item, Item)]>,
    },
    Record {
        shape: Shape,
        def: Option<Item>,
        fields: Items,
    },
    Variant {
        kind: VariantKind,
        id: u32,
        names: Option<(Item, Item)>,
        payload: Items,
    },
    Function {
        func: FunctionId,
        captures: Items,
    },
    StructDef {
        name: Name,
        declaration: u32,
        methods: Box<[(Name, Item)]>,
        defaults: Box<[(u32, Item)]>,
    },
    EnumDef(Item),
    BoundMethod(Item, Item),
    Generator {
        resume: Resume,
        state: GeneratorState,
        position: usize,
        function: Item,
        frame: Items,
        /// Values that the frame has room for, which engines rely on.
        room: usize,
    },
    Iterator {
        source: Item,
        stage: Stage,
        is_finished: bool,
    },
    Promise(State),
    Channel(Shared),
    Task(Shared),
    /// With their hashes.
    Set(Box<[(u64, Item)]>),
    Queue(Items),
    Stack(Items),
    Cell(Item),
}

/// A name: by number if every thread knows it.
pub(super) enum Name {
    First(NameId),
    Later(Box<str>),
}

/// A shape: by address if every thread knows it there.
pub(super) enum Shape {
    Everywhere(*const heap::Shape),
    Later {
        name: Name,
        fields: Box<[Name]>,
        is_error: bool,
    },
}

pub(super) enum Stage {
    Map(Item),
    Filter(Item),
    Take(i64),
    Skip(i64),
}

/// How far the work behind a promise is.
pub(super) enum State {
    Fulfilled(Item, u64),
    Rejected {
        message: String,
        thrown: Option<Item>,
        by_builtin: bool,
        at: u64,
    },
    Timer(u64),
    Timeout {
        inner: Item,
        at: u64,
        milliseconds: i64,
    },
    All {
        values: Items,
        keeps: bool,
    },
    Task(Shared),
}
