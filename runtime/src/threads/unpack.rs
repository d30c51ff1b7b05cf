//! Unpacking: from a parcel to values of this thread.

use super::parcel::{Item, Name, Node, Parcel, Shape, Stage, State};
use crate::context::VMContext;
use crate::heap::array::flat::Layout;
use crate::heap::{
    self, Array, BoundMethod, Bytes, CellObject, Channel, Dict, EnumDef, Function, Generator,
    GeneratorState, Lazy, Outcome, Pending, Promise, Queue, Record, Ref, Set, Stack, Str,
    StructDef, TaskHandle, Variant,
};
use crate::names::NameId;
use crate::value::Value;
use alloc::vec::Vec;
use core::cell::Cell;

/// The values in a parcel.
pub fn unpack(ctx: &mut VMContext, parcel: &Parcel) -> (Value, Vec<Value>) {
    let mut unpacker = Unpacker {
        ctx,
        made: Vec::with_capacity(parcel.nodes.len()),
    };
    for node in &parcel.nodes {
        let value = unpacker.make(node);
        unpacker.made.push(value);
    }
    for (index, node) in parcel.nodes.iter().enumerate() {
        unpacker.fill(index, node);
    }
    let first = unpacker.value(&parcel.first);
    (first, unpacker.values(&parcel.rest))
}

/// The first value in a parcel.
pub fn unpack_one(ctx: &mut VMContext, parcel: &Parcel) -> Value {
    unpack(ctx, parcel).0
}

/// The declarations that came over, so that each is there once.  Only those
/// whose methods captured nothing: such a one is like any other of its kind.
#[derive(Default)]
pub(super) struct StructDefs(Vec<Ref<StructDef>>);

impl StructDefs {
    /// Takes notice of a declaration; gives the one that is like it.
    pub fn note(&mut self, def: Ref<StructDef>) -> Ref<StructDef> {
        let methods = def.methods.iter().map(|(_, method)| method);
        let mut functions = methods.chain(def.defaults.iter().map(|(_, default)| default));
        let is_plain = functions.all(|function| {
            function
                .as_object::<Function>()
                .is_some_and(|function| function.captures().is_empty())
        });
        if !is_plain {
            return def;
        }
        let known = self.0.iter().find(|known| {
            known.declaration == def.declaration && known.methods.len() == def.methods.len()
        });
        match known {
            Some(known) => known.clone(),
            None => {
                self.0.push(def.clone());
                def
            }
        }
    }
}

struct Unpacker<'a> {
    ctx: &'a mut VMContext,
    /// By number.
    made: Vec<Value>,
}

impl Unpacker<'_> {
    fn value(&self, item: &Item) -> Value {
        match item {
            // SAFETY: it is no object, so there is nothing to own.
            Item::Scalar(raw) => unsafe { Value::from_raw(*raw) },
            // SAFETY: literals live as long as the program's tables.
            Item::Literal(text) => Value::from(Ref::from_borrowed(unsafe { &**text })),
            Item::Node(number) => self.made[*number as usize].clone(),
        }
    }

    fn values(&self, items: &[Item]) -> Vec<Value> {
        items.iter().map(|item| self.value(item)).collect()
    }

    fn text(&self, item: &Item) -> Ref<Str> {
        self.value(item).into_ref().unwrap_or_else(|_| Str::new(""))
    }

    fn name(&mut self, name: &Name) -> NameId {
        match name {
            Name::First(name) => *name,
            Name::Later(text) => self.ctx.program.intern(text),
        }
    }

    /// The object of a node, its parts being made.
    fn make(&mut self, node: &Node) -> Value {
        match node {
            Node::Text(text) => Value::string(text),
            Node::Bytes(octets) => Value::from(Bytes::new(octets)),
            Node::Ints(ints) => Value::from(Array::from_ints(ints)),
            Node::Floats(floats) => Value::from(Array::from_floats(floats)),
            Node::Bools(bools) => Value::from(Array::from_bools(bools)),
            Node::Values(items) => {
                let values = items.iter().map(|item| self.value(item));
                Value::from(Array::unflattened(values))
            }
            Node::Structs {
                shape,
                def,
                tags,
                words,
            } => self.structs(shape, def, *tags, words),
            Node::Dict {
                is_int_keyed,
                entries,
            } => self.dict(*is_int_keyed, entries),
            Node::Record { shape, def, fields } => self.record(shape, def.as_ref(), fields),
            Node::Variant {
                kind,
                id,
                names,
                payload,
            } => {
                let (of, name) = names
                    .as_ref()
                    .map(|(of, name)| (self.text(of), self.text(name)))
                    .unzip();
                let payload = payload.iter().map(|item| self.value(item));
                Value::from(Variant::make(*kind, of, name, *id, payload))
            }
            Node::Function { func, captures } => self.function(*func, captures),
            Node::StructDef {
                name,
                declaration,
                methods,
                defaults,
            } => {
                let name = self.name(name);
                let methods = methods
                    .iter()
                    .map(|(name, method)| (self.name(name), self.value(method)))
                    .collect();
                let defaults = defaults
                    .iter()
                    .map(|(field, default)| (*field, self.value(default)))
                    .collect();
                let def = StructDef::new(name, *declaration, methods, defaults);
                Value::from(self.ctx.kept::<StructDefs>().note(def))
            }
            Node::EnumDef(name) => Value::from(EnumDef::new(self.text(name))),
            Node::BoundMethod(receiver, method) => {
                Value::from(BoundMethod::new(self.value(receiver), self.value(method)))
            }
            Node::Generator { resume, room, .. } => {
                // Which function it runs is filled in later.
                let main = self.ctx.program.program.main as usize;
                let main = self.ctx.program.functions[main].to_ref::<Function>();
                let main = main.expect("a top level captures nothing, so it has an object");
                Value::from(Generator::new(main, *resume, *room))
            }
            Node::Iterator {
                source,
                stage,
                is_finished,
            } => {
                let stage = match stage {
                    Stage::Map(function) => heap::Stage::Map(self.value(function)),
                    Stage::Filter(function) => heap::Stage::Filter(self.value(function)),
                    Stage::Take(left) => heap::Stage::Take(Cell::new(*left)),
                    Stage::Skip(left) => heap::Stage::Skip(Cell::new(*left)),
                };
                let lazy = Lazy::new(self.value(source), stage);
                lazy.is_finished.set(*is_finished);
                Value::from(lazy)
            }
            Node::Promise(state) => Value::from(Promise::new(self.promise(state))),
            Node::Channel(shared) => Value::from(Channel::new(shared.clone())),
            Node::Task(shared) => Value::from(TaskHandle::new(shared.clone())),
            Node::Set(items) => {
                let mut set = Set::with_capacity(items.len());
                let target = set.get_mut().expect("made here, so unique");
                for (hash, item) in items {
                    target.insert(*hash, self.value(item));
                }
                Value::from(set)
            }
            Node::Queue(items) => Value::from(Queue::from_values(
                items.iter().map(|item| self.value(item)),
            )),
            Node::Stack(items) => Value::from(Stack::from_values(
                items.iter().map(|item| self.value(item)),
            )),
            Node::Cell(_) => Value::from(CellObject::new(Value::UNSET)),
        }
    }

    fn dict(&mut self, is_int_keyed: bool, entries: &[(Item, Item)]) -> Value {
        let mut dict = Dict::with_capacity(entries.len());
        let target = dict.get_mut().expect("made here, so unique");
        for (key, value) in entries {
            let (key, value) = (self.value(key), self.value(value));
            match (key.as_int(), key.as_object::<Str>()) {
                (Some(number), _) => target.insert_held_int(number, is_int_keyed, value),
                (_, Some(text)) => target.insert_str(text, value),
                _ => unreachable!("a dict key is an int or a string"),
            }
        }
        Value::from(dict)
    }

    fn structs(&mut self, shape: &Shape, def: &Item, tags: u64, words: &[u64]) -> Value {
        let layout = Layout::from_bytes(self.shape(shape), tags);
        let def = self.value(def).into_ref::<StructDef>();
        match (def, layout) {
            (Ok(def), Some(layout)) => Value::from(Array::from_words(def, layout, words)),
            _ => unreachable!("flat structs have a layout"),
        }
    }

    fn shape(&mut self, shape: &Shape) -> *const heap::Shape {
        match shape {
            Shape::Everywhere(shape) => *shape,
            Shape::Later {
                name,
                fields,
                is_error,
            } => {
                let name = self.name(name);
                let fields: Vec<NameId> = fields.iter().map(|field| self.name(field)).collect();
                self.ctx
                    .program
                    .find_or_make_shape(name, &fields, *is_error)
            }
        }
    }

    fn record(&mut self, shape: &Shape, def: Option<&Item>, fields: &[Item]) -> Value {
        let shape = self.shape(shape);
        let def = def.and_then(|def| self.value(def).into_ref().ok());
        let mut values = self.values(fields);
        // SAFETY: the shape lives as long as the program, and has as many
        // fields as the record that was packed.
        Value::from(unsafe { Record::from_values(shape, def, &mut values) })
    }

    fn function(&self, func: u32, captures: &[Item]) -> Value {
        let program = &self.ctx.program;
        if captures.is_empty() && !program.functions[func as usize].is_null() {
            return program.functions[func as usize].clone();
        }
        let function = &program.program.functions[func as usize];
        let captures = captures.iter().map(|item| self.value(item));
        // SAFETY: the program outlives its function objects.
        Value::from(unsafe {
            Function::new(
                program.entries[func as usize],
                &raw const function.info,
                captures,
            )
        })
    }

    fn promise(&self, state: &State) -> heap::State {
        heap::State::Pending(match state {
            State::Fulfilled(value, at) => {
                return heap::State::Settled {
                    outcome: Outcome::Fulfilled(self.value(value)),
                    at: *at,
                };
            }
            State::Rejected {
                message,
                thrown,
                by_builtin,
                at,
            } => {
                return heap::State::Settled {
                    outcome: Outcome::Rejected {
                        message: message.clone(),
                        thrown: thrown.as_ref().map(|item| self.value(item)),
                        by_builtin: *by_builtin,
                    },
                    at: *at,
                };
            }
            State::Timer(at) => Pending::Timer(*at),
            State::Timeout {
                inner,
                at,
                milliseconds,
            } => Pending::Timeout {
                inner: self.value(inner),
                at: *at,
                milliseconds: *milliseconds,
            },
            State::All { values, keeps } => Pending::All {
                values: self.values(values),
                keeps: *keeps,
            },
            State::Task(task) => Pending::Task(task.clone()),
        })
    }

    /// Gives cells and generators their contents.
    fn fill(&mut self, index: usize, node: &Node) {
        match node {
            Node::Cell(item) => {
                let content = self.value(item);
                if let Some(cell) = self.made[index].as_object::<CellObject>() {
                    // SAFETY: the cell was made here; nobody borrows its value.
                    unsafe { cell.place().write(content) };
                }
            }
            Node::Generator {
                state,
                position,
                function,
                frame,
                ..
            } => {
                let function = self.value(function).into_ref::<Function>();
                let values: Vec<Value> = frame.iter().map(|item| self.value(item)).collect();
                // SAFETY: the generator was made here; nobody borrows its contents.
                let generator = unsafe { self.made[index].object_mut_unchecked::<Generator>() };
                let (Some(generator), Ok(function)) = (generator, function) else {
                    unreachable!("a generator runs a function")
                };
                generator.function = function;
                generator.fill(values);
                generator.position = *position;
                generator.state = *state;
                debug_assert!(generator.state != GeneratorState::Running);
            }
            _ => {}
        }
    }
}
