//! What is known about a verified program before it runs: a side table of
//! types, made by abstract interpretation of the bytecode to a fixed point.
//!
//! Slots, globals and captured variables have one type each, whatever the
//! control flow; parameters join the arguments of every call.  Functions that
//! escape as values may be called with anything.  The engines rely on these
//! facts for memory safety, so every way in which the runtime can call Ruff
//! code must be accounted for here.
//!
//! Invariant: the program has passed `bytecode::verify`.

mod borrowed;
mod builtins;
mod callback;
mod constants;
mod exhausted;
mod flow;
mod lattice;
mod methods;
mod open;
mod reach;
mod readers;
mod state;
mod structs;
mod touched;
mod transfer;
mod used;
mod values;
mod variants;

pub use builtins::result_of_builtin;
pub use callback::{Callback, CallbackKind, callback_of_call};
pub use lattice::{Level, Tags, Type};
pub use methods::CALLABLE;
pub use state::Point;
use state::State;
use structs::Declarations;
pub use structs::StructFacts;
pub use transfer::{arithmetic, element_of, field_of, iterated, part_of_pair, way_from_pair};
pub use used::mentioned_function;
pub use variants::VariantFacts;

use crate::modules::Strangers;
use readers::{Known, Readers};
use ruff_runtime::bytecode::{Capture, ForeignSite, ForeignType, FunctionId, Op, Program};
use ruff_runtime::names::{self, NameId};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
pub use values::known_callee;
use values::{Called, Values};

/// What is known about a program.
#[derive(Debug)]
pub struct Facts {
    pub functions: Vec<FunctionFacts>,
    pub globals: Vec<Type>,
    /// The instructions that push what globals always hold once they are set.
    constants: FxHashMap<u32, Op>,
    /// What a struct's field of that name can hold, over all structs.
    pub fields: FxHashMap<NameId, Type>,
    /// What is known about the declared structs, by declaration.
    pub structs: Vec<StructFacts>,
    /// What is known about the variants.
    pub variants: VariantFacts,
    /// Whether strings of one character are held as their bytes.
    pub holds_characters: bool,
    /// The positions of declared fields, by declaration and name.
    positions: FxHashMap<(u32, NameId), usize>,
    /// The structs that have a method of that name, with its function.
    pub methods: FxHashMap<NameId, Vec<(u32, FunctionId)>>,
    /// What is known of calls of functions that are values, by the number of
    /// arguments; nothing if others may call them.
    called: Vec<Called>,
    /// The functions that a run can reach.
    used: Vec<bool>,
    /// The declarations that stand for somebody else's, if there is more than
    /// what is known here.
    open: Option<Vec<bool>>,
}

/// What is known about one function.
#[derive(Clone, Debug, Default)]
pub struct FunctionFacts {
    /// What each slot can hold while it is set; for a cell's slot, the variable.
    pub slots: Vec<Type>,
    /// What each captured variable can hold.
    pub captures: Vec<Type>,
    pub result: Type,
    /// What a generator's `yield`s hand over.
    pub yields: Type,
    /// The `self` that a method leaves for its caller.
    pub self_result: Type,
    /// Operand types at jump targets where operands are on the stack.
    pub stacks: FxHashMap<u32, Vec<Type>>,
    /// What is known at jump targets, and where the instructions that load a local or
    /// take an element are, if it is something (`state`).
    states: FxHashMap<u32, State>,
    points: FxHashMap<u32, Point>,
    /// Somebody may call it without its being known here.
    pub escapes: bool,
    /// Which parameters its caller keeps (`borrowed`); none are if it is empty.
    pub borrows: Vec<bool>,
    /// The globals that it touches (`touched`); `None` if that is not known.
    pub touches: Option<Vec<u32>>,
}

impl Facts {
    /// What a parameter can hold.
    pub fn param(&self, func: FunctionId, index: usize) -> Type {
        self.functions[func as usize].slots[index]
    }

    /// Whether a caller keeps what it gives as a parameter, if that is counted.
    pub fn is_borrowed(&self, func: FunctionId, index: usize) -> bool {
        self.functions[func as usize].borrows.get(index) == Some(&true)
    }

    /// What is known at an instruction.
    pub fn point(&self, func: FunctionId, pc: u32) -> Point {
        let points = &self.functions[func as usize].points;
        points.get(&pc).copied().unwrap_or_default()
    }

    /// Whether a call of a function surely leaves a global alone.
    pub fn leaves_alone(&self, func: FunctionId, global: u32) -> bool {
        let touches = self.functions[func as usize].touches.as_ref();
        touches.is_some_and(|globals| !globals.contains(&global))
    }

    /// What a call of a known function gives.
    pub fn call_result(&self, program: &Program, func: FunctionId) -> Type {
        let flags = program.functions[func as usize].info.flags;
        let facts = &self.functions[func as usize];
        if flags.is_generator {
            Type::container(Tags::GENERATOR, facts.yields)
        } else if flags.is_async {
            Type::of(Tags::PROMISE)
        } else {
            facts.result
        }
    }

    /// What a call of a function that is a value gives, with so many arguments.
    pub fn called(&self, argc: usize) -> Type {
        self.called
            .get(argc)
            .map_or(Type::ANY, |known| known.result)
    }

    /// The functions that a call of a value with so many arguments may run, unless it
    /// calls something else; empty if they are not known.
    pub fn callees(&self, argc: usize) -> &[FunctionId] {
        let known = self.called.get(argc);
        known.map_or(&[], |known| &known.functions)
    }

    /// The instruction that pushes what a global always holds once it is set.
    pub fn constant(&self, global: u32) -> Option<Op> {
        self.constants.get(&global).copied()
    }

    /// Whether a run of the program can reach a function.
    pub fn is_used(&self, func: FunctionId) -> bool {
        self.used.get(func as usize) == Some(&true)
    }

    /// What a field of that name can hold.
    pub fn field(&self, name: NameId) -> Type {
        self.fields.get(&name).copied().unwrap_or(Type::NONE)
    }

    /// The function that a method call on an instance of `declaration` reaches.
    pub fn method(&self, declaration: u32, name: NameId) -> Option<FunctionId> {
        let candidates = self.methods.get(&name)?;
        candidates
            .iter()
            .find(|(known, _)| *known == declaration)
            .map(|(_, func)| *func)
    }
}

/// Infers the facts of a verified program.
pub fn infer(program: &Program) -> Facts {
    let mut analysis = Analysis::new(program);
    analysis.run();
    let mut facts = analysis.facts;
    facts.constants = constants::find(program);
    facts.used = used::find(program, &[]);
    facts.variants.take_apart(program);
    borrowed::find(program, &mut facts, &[]);
    touched::find(program, &mut facts);
    facts
}

/// Infers the facts of a verified program some of whose functions are called
/// from outside, with arguments of these types.
pub fn infer_library(program: &Program, roots: &[(FunctionId, Vec<Type>)]) -> Facts {
    let mut analysis = Analysis::new(program);
    // The host calls what it gets hold of.
    analysis.values_are_out();
    for (func, params) in roots {
        for (slot, given) in (0..).zip(params) {
            analysis.join_slot(*func, slot, *given);
        }
    }
    analysis.run();
    let mut facts = analysis.facts;
    facts.constants = constants::find(program);
    facts.variants.take_apart(program);
    let roots: Vec<FunctionId> = roots.iter().map(|(func, _)| *func).collect();
    facts.used = used::find(program, &roots);
    borrowed::find(program, &mut facts, &roots);
    touched::find(program, &mut facts);
    facts
}

/// Infers the facts of a verified module that is compiled for itself: others call
/// what they get hold of, and do with its structs what they like.
pub fn infer_module(program: &Program, strangers: &Strangers) -> Facts {
    let mut analysis = Analysis::new(program);
    analysis.open_up(strangers);
    analysis.run();
    let mut facts = analysis.facts;
    facts.used = used::find(program, &[]);
    facts
}

/// Infers the facts of a verified program, and shows every instruction that
/// control may reach with the types of the operands that are on the stack then.
pub fn walk(program: &Program, visit: &mut Visit) -> Facts {
    let mut analysis = Analysis::new(program);
    analysis.run();
    for func in 0..program.functions.len() as FunctionId {
        flow::visit(&mut analysis, func, visit);
    }
    analysis.facts
}

/// Sees a function's instruction, with its operand stack.
pub type Visit<'v> = dyn FnMut(&Facts, FunctionId, u32, &[Type]) + 'v;

/// The facts on their way to the fixed point.
struct Analysis<'a> {
    program: &'a Program,
    facts: Facts,
    /// The function and slot behind each captured variable; `None` if it is
    /// not the same one at every place that makes the function.
    capture_owners: Vec<Vec<Option<(FunctionId, u32)>>>,
    /// Functions that are methods or defaults: made by `MakeClosure`, but only
    /// reached through their struct.
    struct_functions: Vec<bool>,
    declarations: Declarations,
    values: Values,
    /// The functions whose analysis looked at what has not changed since.
    readers: Readers,
    /// The functions that must be analysed, first come, first served.
    queue: VecDeque<FunctionId>,
    /// Those that are in the queue.
    dirty: Vec<bool>,
    /// Those that are being analysed, each called by the one before.
    active: Vec<FunctionId>,
}

/// Calls that are followed while their caller is analysed.
const FOLLOWED_CALLS: usize = 32;

impl<'a> Analysis<'a> {
    fn new(program: &'a Program) -> Analysis<'a> {
        let count = program.functions.len();
        let functions = program
            .functions
            .iter()
            .map(|function| FunctionFacts {
                slots: vec![Type::NONE; function.slots as usize],
                captures: vec![Type::NONE; function.captures.len()],
                ..FunctionFacts::default()
            })
            .collect();
        let mut struct_functions = vec![false; count];
        let mut methods: FxHashMap<NameId, Vec<(u32, FunctionId)>> = FxHashMap::default();
        for (declaration, info) in program.structs.iter().enumerate() {
            for (name, func) in &info.methods {
                struct_functions[*func as usize] = true;
                methods
                    .entry(*name)
                    .or_default()
                    .push((declaration as u32, *func));
            }
            for (_, func) in &info.defaults {
                struct_functions[*func as usize] = true;
            }
        }
        // What the Error structs of handlers hold.
        let mut fields = FxHashMap::default();
        fields.insert(names::MESSAGE, Type::of(Tags::STRING));
        fields.insert(names::STACK, Type::array_of(Type::of(Tags::STRING)));
        fields.insert(names::LINE, Type::of(Tags::INT));
        fields.insert(names::CAUSE, Type::ANY);
        fields.insert(names::VALUE, Type::ANY);
        let mut globals = vec![Type::NONE; program.globals.len()];
        for module in &program.modules {
            // What the runtime notes there; anybody could read it.
            globals[module.state as usize] = Type::ANY;
        }
        let mut analysis = Analysis {
            program,
            facts: Facts {
                functions,
                globals,
                constants: FxHashMap::default(),
                fields,
                structs: structs::at_first(program),
                variants: VariantFacts::new(program),
                holds_characters: true,
                positions: structs::positions(program),
                methods,
                called: Vec::new(),
                used: Vec::new(),
                open: None,
            },
            capture_owners: program
                .functions
                .iter()
                .map(|f| vec![None; f.captures.len()])
                .collect(),
            struct_functions,
            declarations: Declarations::new(program),
            values: Values::default(),
            readers: Readers::default(),
            queue: (0..count as FunctionId).collect(),
            dirty: vec![true; count],
            active: Vec::new(),
        };
        if !program.modules.is_empty() {
            // What is known must not depend on whether a module was compiled with
            // the program or before it, and its exports are values in one of the two.
            analysis.values_are_out();
        }
        analysis.find_owners();
        analysis
    }

    /// Finds the variable behind each capture, outer functions first.
    fn find_owners(&mut self) {
        let mut makers: Vec<Vec<FunctionId>> = vec![Vec::new(); self.program.functions.len()];
        for (id, function) in (0..).zip(&self.program.functions) {
            for op in &function.code {
                if let Op::MakeClosure { func } = *op {
                    let makers = &mut makers[func as usize];
                    // One function's instructions come together.
                    if makers.last() != Some(&id) {
                        makers.push(id);
                    }
                }
            }
        }
        // A capture of a capture needs its maker's owners first; nesting is
        // shallow, so going round until nothing changes is fine.
        let mut changed = true;
        while changed {
            changed = false;
            for (func, makers) in makers.iter().enumerate() {
                let [maker] = makers[..] else { continue };
                for (index, capture) in self.program.functions[func].captures.iter().enumerate() {
                    let owner = match *capture {
                        Capture::Cell(slot) | Capture::Value(slot) => Some((maker, slot)),
                        Capture::Outer(outer) => {
                            self.capture_owners[maker as usize][outer as usize]
                        }
                    };
                    if owner != self.capture_owners[func][index] {
                        self.capture_owners[func][index] = owner;
                        changed = true;
                    }
                }
            }
        }
        // Variables that can't be followed can hold anything.
        for (func, makers) in makers.iter().enumerate() {
            if makers.len() <= 1 {
                continue;
            }
            for capture in &self.program.functions[func].captures {
                if let Capture::Cell(slot) | Capture::Value(slot) = *capture {
                    for maker in makers {
                        self.facts.functions[*maker as usize].slots[slot as usize] = Type::ANY;
                    }
                }
            }
        }
    }

    fn run(&mut self) {
        while let Some(func) = self.queue.pop_front() {
            self.settle(func);
        }
        self.facts.called = std::mem::take(&mut self.values).called(self.program);
        for func in 0..self.program.functions.len() {
            for index in 0..self.program.functions[func].captures.len() {
                self.facts.functions[func].captures[index] =
                    self.capture(func as FunctionId, index);
            }
        }
    }

    /// Analyses a function if something about it has changed.
    fn settle(&mut self, func: FunctionId) {
        if std::mem::take(&mut self.dirty[func as usize]) {
            self.active.push(func);
            flow::analyse(self, func);
            self.active.pop();
        }
    }

    /// Before a caller that is being analysed asks what a function gives: if
    /// nothing is known of it yet, going there first saves coming back.
    fn follow_call(&mut self, func: FunctionId) {
        let is_new = self.facts.functions[func as usize].result.is_none();
        if is_new && self.active.len() < FOLLOWED_CALLS && !self.active.contains(&func) {
            self.settle(func);
        }
    }

    /// Notes that the analysis of a function depends on a fact.
    fn read(&mut self, known: Known) {
        if let Some(reader) = self.active.last() {
            self.readers.note(known, *reader);
        }
    }

    /// Whoever looked at a fact must look again.
    fn has_changed(&mut self, known: Known) {
        for reader in self.readers.take(known) {
            self.is_dirty(reader);
        }
    }

    fn is_dirty(&mut self, func: FunctionId) {
        if !std::mem::replace(&mut self.dirty[func as usize], true) {
            self.queue.push_back(func);
        }
    }

    /// What a captured variable can hold.
    fn capture(&mut self, func: FunctionId, index: usize) -> Type {
        match self.capture_owners[func as usize][index] {
            Some((owner, slot)) => {
                self.read(Known::Variable(owner, slot));
                self.slot(owner, slot)
            }
            None => Type::ANY,
        }
    }

    fn slot(&self, func: FunctionId, slot: u32) -> Type {
        self.facts.functions[func as usize].slots[slot as usize]
    }

    /// What a global variable can hold.
    fn global(&mut self, global: u32) -> Type {
        self.read(Known::Global(global));
        self.facts.globals[global as usize]
    }

    /// Lets a slot hold more.  Closures that capture it learn of it too.
    fn join_slot(&mut self, func: FunctionId, slot: u32, more: Type) {
        if self.facts.functions[func as usize].slots[slot as usize].join(more) {
            self.is_dirty(func);
            self.has_changed(Known::Variable(func, slot));
        }
    }

    fn join_capture(&mut self, func: FunctionId, index: u32, more: Type) {
        if let Some((owner, slot)) = self.capture_owners[func as usize][index as usize] {
            self.join_slot(owner, slot, more);
        }
    }

    fn join_global(&mut self, global: u32, more: Type) {
        if self.facts.globals[global as usize].join(more) {
            self.has_changed(Known::Global(global));
        }
    }

    fn join_field(&mut self, name: NameId, more: Type) {
        if self.facts.fields.entry(name).or_default().join(more) {
            self.has_changed(Known::Field(name));
        }
    }

    fn join_result(&mut self, func: FunctionId, more: Type) {
        if self.facts.functions[func as usize].result.join(more) {
            self.has_changed(Known::Result(func));
            self.value_gives(func);
        }
    }

    fn join_yields(&mut self, func: FunctionId, more: Type) {
        if self.facts.functions[func as usize].yields.join(more) {
            self.has_changed(Known::Result(func));
            self.value_gives(func);
        }
    }

    fn join_self_result(&mut self, func: FunctionId, more: Type) {
        if self.facts.functions[func as usize].self_result.join(more) {
            self.has_changed(Known::Result(func));
        }
    }

    /// The function may be called by someone who is not known here.
    fn escape(&mut self, func: FunctionId) {
        if !std::mem::replace(&mut self.facts.functions[func as usize].escapes, true) {
            for param in 0..self.program.functions[func as usize].info.params.len() {
                self.join_slot(func, param as u32, Type::ANY);
            }
        }
    }

    /// What a call of a known function gives, as far as that is known yet.
    fn call_result(&mut self, func: FunctionId) -> Type {
        self.read(Known::Result(func));
        self.facts.call_result(self.program, func)
    }
}

/// What a C function gives.
pub fn foreign_result(site: &ForeignSite) -> Type {
    Type::of(match site.result {
        ForeignType::Null => Tags::NULL,
        ForeignType::Bool => Tags::BOOL,
        ForeignType::Float | ForeignType::F32 => Tags::FLOAT,
        ForeignType::String => Tags::STRING.union(Tags::NULL),
        _ => Tags::INT,
    })
}

/// What a C function's parameter takes.
pub fn foreign_param(ty: ForeignType) -> Tags {
    match ty {
        ForeignType::Null => Tags::NULL,
        ForeignType::Bool => Tags::BOOL,
        ForeignType::Float | ForeignType::F32 => Tags::NUMBER,
        ForeignType::String => Tags::STRING.union(Tags::NULL),
        _ => Tags::INT,
    }
}
