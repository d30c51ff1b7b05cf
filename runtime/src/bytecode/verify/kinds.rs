//! What slots and operands may hold: a set of kinds each, and the state of a
//! whole frame as a tree that shares what did not change.
//!
//! A frame can have thousands of slots, and a function thousands of places
//! where ways meet.  Neighbouring states hardly differ, so they share nodes:
//! a copy is one pointer, and joining two costs what they differ in.

use alloc::rc::Rc;

/// A set of kinds; a slot holds one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    /// A variable without a value.
    pub(super) const UNSET: Kinds = Kinds(1);
    /// Some value, nothing more known.
    pub(super) const PLAIN: Kinds = Kinds(1 << 1);
    pub(super) const ARRAY: Kinds = Kinds(1 << 2);
    pub(super) const DICT: Kinds = Kinds(1 << 3);
    /// Any value.
    pub(super) const VALUE: Kinds = Kinds(0b1110);
    pub(super) const CELL: Kinds = Kinds(1 << 4);
    /// The hidden locals of a loop over an iterable, in order.
    pub(super) const ITERATION: [Kinds; 2] = [Kinds(1 << 5), Kinds(1 << 6)];
    /// The hidden locals of a loop over a range, in order.
    pub(super) const RANGE: [Kinds; 3] = [Kinds(1 << 7), Kinds(1 << 8), Kinds(1 << 9)];

    pub(super) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// Whether it holds nothing but these.
    pub(super) const fn within(self, allowed: Kinds) -> bool {
        self.0 & !allowed.0 == 0
    }
}

const WIDTH: usize = 16;

#[derive(Clone)]
enum Node {
    Leaf(Rc<[Kinds; WIDTH]>),
    Branch(Rc<[Node; WIDTH]>),
}

/// The kinds of all places of a frame.
#[derive(Clone)]
pub(super) struct State {
    root: Node,
    /// Places below each child of the root; 1 if the root is a leaf.
    span: usize,
}

impl State {
    /// A state of at least `len` places, all alike.
    pub(super) fn new(len: usize, kinds: Kinds) -> State {
        let mut root = Node::Leaf(Rc::new([kinds; WIDTH]));
        let mut span = 1;
        while span * WIDTH < len {
            root = Node::Branch(Rc::new(core::array::from_fn(|_| root.clone())));
            span *= WIDTH;
        }
        State { root, span }
    }

    pub(super) fn get(&self, place: usize) -> Kinds {
        let mut node = &self.root;
        let mut span = self.span;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf[place % WIDTH],
                Node::Branch(children) => node = &children[place / span % WIDTH],
            }
            span /= WIDTH;
        }
    }

    pub(super) fn set(&mut self, place: usize, kinds: Kinds) {
        if self.get(place) == kinds {
            return;
        }
        let mut node = &mut self.root;
        let mut span = self.span;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    Rc::make_mut(leaf)[place % WIDTH] = kinds;
                    return;
                }
                Node::Branch(children) => {
                    node = &mut Rc::make_mut(children)[place / span % WIDTH];
                }
            }
            span /= WIDTH;
        }
    }

    /// Adds what the other state may hold; tells whether that changed anything.
    pub(super) fn join(&mut self, other: &State) -> bool {
        join(&mut self.root, &other.root)
    }
}

/// Recurses as deep as the tree is, which is five levels at most.
fn join(node: &mut Node, other: &Node) -> bool {
    match (node, other) {
        (Node::Leaf(leaf), Node::Leaf(other)) => {
            if Rc::ptr_eq(leaf, other)
                || other
                    .iter()
                    .zip(leaf.iter())
                    .all(|(new, old)| new.within(*old))
            {
                return false;
            }
            for (old, new) in Rc::make_mut(leaf).iter_mut().zip(other.iter()) {
                *old = old.or(*new);
            }
            true
        }
        (Node::Branch(children), Node::Branch(other)) => {
            let mut changed = false;
            for (index, other) in other.iter().enumerate() {
                // A shared child is looked at without copying its parent.
                let differs = !same(&children[index], other) && !includes(&children[index], other);
                changed |= differs && join(&mut Rc::make_mut(children)[index], other);
            }
            changed
        }
        // States of one function have one form.
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => false,
    }
}

fn same(node: &Node, other: &Node) -> bool {
    match (node, other) {
        (Node::Leaf(node), Node::Leaf(other)) => Rc::ptr_eq(node, other),
        (Node::Branch(node), Node::Branch(other)) => Rc::ptr_eq(node, other),
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => false,
    }
}

/// Whether `node` already has all kinds of `other`.
fn includes(node: &Node, other: &Node) -> bool {
    match (node, other) {
        (Node::Leaf(node), Node::Leaf(other)) => other
            .iter()
            .zip(node.iter())
            .all(|(new, old)| new.within(*old)),
        (Node::Branch(node), Node::Branch(other)) => node
            .iter()
            .zip(other.iter())
            .all(|(node, other)| same(node, other) || includes(node, other)),
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => false,
    }
}
