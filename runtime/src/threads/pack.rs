//! Packing: from a thread's values to a parcel.
//!
//! Works off a list instead of calling itself, for chains of closures can be
//! of any length.  What several values share is packed once.

use super::parcel::{Item, Items, Name, Node, Parcel, Shape, Stage, State};
use super::unpack::StructDefs;
use crate::context::VMContext;
use crate::heap::{
    self, Array, BoundMethod, Bytes, CellObject, Channel, Dict, Elements, EnumDef, Function,
    Generator, GeneratorState, Header, Lazy, Outcome, Pending, Promise, Queue, Record, Ref, Set,
    Stack, Str, StructDef, TaskHandle, Variant,
};
use crate::names::NameId;
use crate::value::{Tag, Value};
use alloc::vec::Vec;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Copies values into a parcel.
pub fn pack(ctx: &mut VMContext, first: &Value, rest: &[Value]) -> Parcel {
    let mut packer = Packer {
        ctx,
        numbers: HashMap::default(),
        nodes: Vec::new(),
        shells: Vec::new(),
        open: Vec::new(),
    };
    packer.survey(first);
    rest.iter().for_each(|value| packer.survey(value));
    packer.fill_shells();
    Parcel {
        first: packer.item(first),
        rest: rest.iter().map(|value| packer.item(value)).collect(),
        nodes: packer.nodes,
    }
}

struct Packer<'a> {
    ctx: &'a mut VMContext,
    /// The node of each object that was met; `ENTERED` while its parts are packed.
    numbers: HashMap<*const Header, u32, FxBuildHasher>,
    nodes: Vec<Node>,
    /// Cells and generators: numbered at once, their contents packed last.
    shells: Vec<(u32, Value)>,
    open: Vec<Step>,
}

const ENTERED: u32 = u32::MAX;

enum Step {
    Enter(Value),
    Leave(Value),
}

impl Packer<'_> {
    /// Packs all objects that a value reaches.
    fn survey(&mut self, value: &Value) {
        self.enter_later(value);
        while let Some(step) = self.open.pop() {
            match step {
                Step::Enter(value) => self.enter(value),
                Step::Leave(value) => {
                    let node = self.node(&value);
                    self.number(&value, node);
                }
            }
        }
    }

    fn enter_later(&mut self, value: &Value) {
        if object_of(value).is_some_and(|object| !self.numbers.contains_key(&object)) {
            self.open.push(Step::Enter(value.clone()));
        }
    }

    fn enter(&mut self, value: Value) {
        let Some(object) = object_of(&value) else {
            return;
        };
        if self.numbers.contains_key(&object) {
            return;
        }
        if matches!(value.tag(), Tag::Cell | Tag::Generator) {
            let number = self.number(&value, Node::Cell(Item::Scalar(Value::UNSET.into_raw())));
            self.enter_parts(&value);
            self.shells.push((number, value));
        } else {
            self.numbers.insert(object, ENTERED);
            self.open.push(Step::Leave(value.clone()));
            self.enter_parts(&value);
        }
    }

    fn number(&mut self, value: &Value, node: Node) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(node);
        self.numbers
            .insert(value.payload() as *const Header, number);
        number
    }

    /// Puts what an object consists of on the list.
    fn enter_parts(&mut self, value: &Value) {
        let mut parts = Vec::new();
        each_part(value, &mut |part| {
            if object_of(part).is_some() {
                parts.push(part.clone());
            }
        });
        parts.iter().for_each(|part| self.enter_later(part));
    }

    fn fill_shells(&mut self) {
        for (number, value) in core::mem::take(&mut self.shells) {
            self.nodes[number as usize] = self.node(&value);
        }
    }

    /// A value whose object, if it is one, was packed.
    fn item(&self, value: &Value) -> Item {
        let Some(object) = object_of(value) else {
            if let Some(text) = value.as_object::<Str>() {
                return Item::Literal(text);
            }
            // Uncounted, so the copy owns nothing.
            return Item::Scalar(value.clone().into_raw());
        };
        Item::Node(self.numbers[&object])
    }

    fn items<'v>(&self, values: impl IntoIterator<Item = &'v Value>) -> Items {
        values.into_iter().map(|value| self.item(value)).collect()
    }

    fn text(&self, text: &Ref<Str>) -> Item {
        self.item(&Value::from(text.clone()))
    }

    fn name(&self, name: NameId) -> Name {
        if self.ctx.program.is_first_name(name) {
            Name::First(name)
        } else {
            Name::Later(self.ctx.program.name(name).into())
        }
    }

    fn shape(&self, shape: &heap::Shape) -> Shape {
        if shape.is_everywhere {
            return Shape::Everywhere(shape);
        }
        Shape::Later {
            name: self.name(shape.name),
            fields: shape.fields.iter().map(|field| self.name(*field)).collect(),
            is_error: shape.is_error,
        }
    }

    /// The node of an object whose parts were packed.
    fn node(&mut self, value: &Value) -> Node {
        if let Some(text) = value.as_object::<Str>() {
            Node::Text(text.as_str().into())
        } else if let Some(array) = value.as_object::<Array>() {
            self.array(array)
        } else if let Some(dict) = value.as_object::<Dict>() {
            Node::Dict {
                is_int_keyed: dict.is_int_keyed(),
                entries: dict
                    .iter()
                    .map(|(key, value)| (self.item(key), self.item(value)))
                    .collect(),
            }
        } else if let Some(record) = value.as_object::<Record>() {
            Node::Record {
                shape: self.shape(record.shape()),
                def: record
                    .def()
                    .map(|def| self.item(&Value::from(Ref::from_borrowed(def)))),
                fields: self.items(record.fields()),
            }
        } else if let Some(variant) = value.as_object::<Variant>() {
            Node::Variant {
                kind: variant.kind(),
                id: variant.id(),
                names: variant
                    .names()
                    .map(|(of, name)| (self.text(of), self.text(name))),
                payload: self.items(variant.payload()),
            }
        } else if let Some(function) = value.as_object::<Function>() {
            Node::Function {
                func: function.info().id,
                captures: self.items(function.captures()),
            }
        } else if let Some(def) = value.to_ref::<StructDef>() {
            self.struct_def(def)
        } else {
            self.reference(value)
        }
    }

    fn array(&self, array: &Array) -> Node {
        match array.elements() {
            Elements::Ints => Node::Ints(array.as_ints().unwrap_or_default().into()),
            Elements::Floats => Node::Floats(array.as_floats().unwrap_or_default().into()),
            Elements::Bools => Node::Bools(array.as_bools().unwrap_or_default().into()),
            Elements::Values => Node::Values(self.items(array.as_values().unwrap_or_default())),
            Elements::Structs => match array.as_structs() {
                Some((def, layout, words)) => Node::Structs {
                    shape: self.shape(layout.shape()),
                    def: self.item(&Value::from(Ref::from_borrowed(def))),
                    tags: layout.to_bytes(),
                    words: words.into(),
                },
                None => unreachable!("flat structs have a layout"),
            },
        }
    }

    fn struct_def(&mut self, def: Ref<StructDef>) -> Node {
        let node = Node::StructDef {
            name: self.name(def.name),
            declaration: def.declaration,
            methods: def
                .methods
                .iter()
                .map(|(name, method)| (self.name(*name), self.item(method)))
                .collect(),
            defaults: def
                .defaults
                .iter()
                .map(|(field, default)| (*field, self.item(default)))
                .collect(),
        };
        // What comes back is then of this very declaration.
        self.ctx.kept::<StructDefs>().note(def);
        node
    }

    /// The node of an object of the rarer kinds.
    fn reference(&self, value: &Value) -> Node {
        if let Some(cell) = value.as_object::<CellObject>() {
            Node::Cell(self.item(cell.get()))
        } else if let Some(generator) = value.as_object::<Generator>() {
            self.generator(generator)
        } else if let Some(lazy) = value.as_object::<Lazy>() {
            Node::Iterator {
                source: self.item(&lazy.source),
                stage: match &lazy.stage {
                    heap::Stage::Map(function) => Stage::Map(self.item(function)),
                    heap::Stage::Filter(function) => Stage::Filter(self.item(function)),
                    heap::Stage::Take(left) => Stage::Take(left.get()),
                    heap::Stage::Skip(left) => Stage::Skip(left.get()),
                },
                is_finished: lazy.is_finished.get(),
            }
        } else if let Some(promise) = value.as_object::<Promise>() {
            Node::Promise(self.promise(promise))
        } else if let Some(channel) = value.as_object::<Channel>() {
            Node::Channel(channel.shared.clone())
        } else if let Some(task) = value.as_object::<TaskHandle>() {
            Node::Task(task.shared.clone())
        } else if let Some(bound) = value.as_object::<BoundMethod>() {
            Node::BoundMethod(self.item(&bound.receiver), self.item(&bound.method))
        } else if let Some(def) = value.as_object::<EnumDef>() {
            Node::EnumDef(self.text(&def.name))
        } else if let Some(bytes) = value.as_object::<Bytes>() {
            Node::Bytes(bytes.as_slice().into())
        } else if let Some(set) = value.as_object::<Set>() {
            Node::Set(
                set.iter_hashed()
                    .map(|(hash, item)| (hash, self.item(item)))
                    .collect(),
            )
        } else if let Some(queue) = value.as_object::<Queue>() {
            Node::Queue(self.items(queue.iter()))
        } else if let Some(stack) = value.as_object::<Stack>() {
            Node::Stack(self.items(stack.iter()))
        } else {
            unreachable!("a value of unknown kind {:?}", value.tag())
        }
    }

    /// A generator that is at work can't be copied in the middle; its copy is
    /// at its end.
    fn generator(&self, generator: &Generator) -> Node {
        let state = match generator.state {
            GeneratorState::Running => GeneratorState::Finished,
            state => state,
        };
        Node::Generator {
            resume: generator.resume,
            state,
            position: generator.position,
            function: self.item(&Value::from(generator.function.clone())),
            frame: self.items(generator.frame()),
            room: generator.room(),
        }
    }

    fn promise(&self, promise: &Promise) -> State {
        match &*promise.state.borrow() {
            heap::State::Settled { outcome, at } => match outcome {
                Outcome::Fulfilled(value) => State::Fulfilled(self.item(value), *at),
                Outcome::Rejected {
                    message,
                    thrown,
                    by_builtin,
                } => State::Rejected {
                    message: message.clone(),
                    thrown: thrown.as_ref().map(|value| self.item(value)),
                    by_builtin: *by_builtin,
                    at: *at,
                },
            },
            heap::State::Pending(pending) => match pending {
                Pending::Timer(at) => State::Timer(*at),
                Pending::Timeout {
                    inner,
                    at,
                    milliseconds,
                } => State::Timeout {
                    inner: self.item(inner),
                    at: *at,
                    milliseconds: *milliseconds,
                },
                Pending::All { values, keeps } => State::All {
                    values: self.items(values),
                    keeps: *keeps,
                },
                Pending::Task(task) => State::Task(task.clone()),
            },
        }
    }
}

/// The object that has to be packed, if a value is one.
fn object_of(value: &Value) -> Option<*const Header> {
    if !value.is_counted() {
        return None;
    }
    let object = value.payload() as *const Header;
    // SAFETY: a counted value's header is live.
    let is_literal = unsafe { (*object).is_literal() };
    (!is_literal).then_some(object)
}

/// Visits the values that an object consists of.
fn each_part(value: &Value, visit: &mut dyn FnMut(&Value)) {
    if let Some(array) = value.as_object::<Array>() {
        array
            .as_values()
            .unwrap_or_default()
            .iter()
            .for_each(&mut *visit);
        if let Some((def, ..)) = array.as_structs() {
            visit(&Value::from(Ref::from_borrowed(def)));
        }
    } else if let Some(dict) = value.as_object::<Dict>() {
        dict.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        });
    } else if let Some(record) = value.as_object::<Record>() {
        record.fields().iter().for_each(&mut *visit);
        if let Some(def) = record.def() {
            visit(&Value::from(Ref::from_borrowed(def)));
        }
    } else if let Some(variant) = value.as_object::<Variant>() {
        variant.payload().iter().for_each(&mut *visit);
        if let Some((of, name)) = variant.names() {
            visit(&Value::from(of.clone()));
            visit(&Value::from(name.clone()));
        }
    } else if let Some(function) = value.as_object::<Function>() {
        function.captures().iter().for_each(visit);
    } else if let Some(def) = value.as_object::<StructDef>() {
        def.methods.iter().for_each(|(_, method)| visit(method));
        def.defaults.iter().for_each(|(_, default)| visit(default));
    } else if let Some(def) = value.as_object::<EnumDef>() {
        visit(&Value::from(def.name.clone()));
    } else if let Some(bound) = value.as_object::<BoundMethod>() {
        visit(&bound.receiver);
        visit(&bound.method);
    } else if let Some(generator) = value.as_object::<Generator>() {
        visit(&Value::from(generator.function.clone()));
        generator.frame().iter().for_each(visit);
    } else if let Some(lazy) = value.as_object::<Lazy>() {
        visit(&lazy.source);
        lazy.callback().into_iter().for_each(visit);
    } else if let Some(promise) = value.as_object::<Promise>() {
        promise.each(visit);
    } else if let Some(set) = value.as_object::<Set>() {
        set.iter().for_each(visit);
    } else if let Some(queue) = value.as_object::<Queue>() {
        queue.iter().for_each(visit);
    } else if let Some(stack) = value.as_object::<Stack>() {
        stack.iter().for_each(visit);
    } else if let Some(cell) = value.as_object::<CellObject>() {
        visit(cell.get());
    }
}
