//! A program made ready to run: literals as immortal objects, names as
//! strings, built-ins as table rows, functions as values.
//!
//! The tables outlive every object that points into them; the context drops
//! them last.  What never changes once a program is loaded is `Tables`, which
//! the contexts of all its threads share; each context has its own
//! `LoadedProgram` around it.

use crate::builtins::Builtin;
use crate::bytecode::forms::forms;
use crate::bytecode::{Constant, FunctionId, Program};
use crate::call::Entry;
use crate::heap::{Function, Heap, LITERAL, Record, Ref, Shape, Str, allocator};
use crate::names::{NameCollision, NameHash, NameId, NameTable, WELL_KNOWN};
use crate::value::{Tag, Value};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use core::ptr::null;

/// A program as one context sees it.
pub struct LoadedProgram {
    /// The names as immortal strings, by `NameId`: the program's, then those
    /// that came up while it ran.
    pub names: Vec<Ref<Str>>,
    /// How each function is entered, by `FunctionId`.
    pub entries: Vec<Entry>,
    /// Immortal function objects of declared functions without captures.
    pub functions: Vec<Value>,
    /// Whether `functions` are this context's own, and not the tables'.
    owns_functions: bool,
    /// The shapes that came up while the program ran.
    #[expect(clippy::vec_box, reason = "shapes stay where they are")]
    shapes: Vec<Box<Shape>>,
    /// Last, for the others refer to it.
    tables: Arc<Tables>,
}

/// A program and what was made of it: nothing that changes any more.
pub struct Tables {
    pub program: Box<Program>,
    /// Immortal, by constant index.
    pub constants: Vec<Value>,
    /// By `BuiltinId`.
    pub builtins: Vec<&'static Builtin>,
    /// The program's own names.
    first_names: Vec<Ref<Str>>,
    /// How functions are entered at first.
    first_entries: Vec<Entry>,
    /// The function objects that all contexts may use whose functions are
    /// never compiled later.
    first_functions: Vec<Value>,
    #[expect(clippy::vec_box, reason = "shapes stay where they are")]
    first_shapes: Vec<Box<Shape>>,
    /// Shape of a declaration's own fields, by declaration.
    pub declared_shapes: Vec<*const Shape>,
    /// Shape of each struct site whose declaration is known, else null.
    pub site_shapes: Vec<*const Shape>,
    /// The numbers of the variants that variant sites make or test.
    pub variant_ids: Vec<u32>,
    /// Whether a struct site's values are exactly its shape's fields, in order.
    pub site_is_direct: Vec<bool>,
    /// The shape of caught errors without and with a `cause`.
    pub error_shapes: [*const Shape; 2],
    /// Global variables by name hash.
    pub variables: NameTable,
    /// One-character strings for ASCII, immortal: what indexing gives.
    pub ascii: Vec<Ref<Str>>,
    /// The method forms of built-ins that the program may call, sorted by key.
    method_forms: Vec<(u64, MethodForm)>,
    /// The heap that the literals are in.
    heap: *mut Heap,
}

// SAFETY: nothing in the tables changes.  Literals are immortal, so nobody
// counts their owners, and their hashes are computed.  An entry of a function
// object changes in contexts with a JIT only, and only in objects of their own
// or, in the first context of all, in these, which no other context then uses.
unsafe impl Sync for Tables {}
// SAFETY: as above; `drop` looks whose heap the literals are in.
unsafe impl Send for Tables {}

/// What a method's name means on a kind of receiver without methods of its own.
#[derive(Clone, Copy, Debug)]
pub struct MethodForm {
    pub builtin: &'static Builtin,
    /// Changes the receiver in place.
    pub mutates: bool,
}

/// Why a program can't be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The program names a built-in that this runtime lacks.
    UnknownBuiltin(Box<str>),
    Collision(NameCollision),
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            LoadError::UnknownBuiltin(name) => {
                write!(out, "this runtime has no built-in function `{name}`")
            }
            LoadError::Collision(collision) => collision.fmt(out),
        }
    }
}

impl core::error::Error for LoadError {}

impl LoadedProgram {
    /// Makes a verified program ready to run.  `builtin` finds a built-in's row
    /// by its position in the program's table; `entry` says how a function is
    /// entered.
    ///
    /// # Errors
    /// If a built-in is missing or two globals' names collide.
    pub fn load(
        program: Box<Program>,
        builtin: &dyn Fn(usize, &str) -> Option<&'static Builtin>,
        entry: &dyn Fn(FunctionId) -> Entry,
    ) -> Result<Box<LoadedProgram>, LoadError> {
        let variant_ids = program.variant_ids();
        LoadedProgram::load_numbered(program, variant_ids, builtin, entry)
    }

    /// The same for a program of which somebody knows `Program::variant_ids`.
    ///
    /// # Errors
    /// As for `load`.
    pub fn load_numbered(
        program: Box<Program>,
        variant_ids: Vec<u32>,
        builtin: &dyn Fn(usize, &str) -> Option<&'static Builtin>,
        entry: &dyn Fn(FunctionId) -> Entry,
    ) -> Result<Box<LoadedProgram>, LoadError> {
        let first_names: Vec<Ref<Str>> = program.names.iter().map(|name| literal(name)).collect();
        let constants = program
            .constants
            .iter()
            .map(|constant| match constant {
                Constant::Int(value) => Value::int(*value),
                Constant::Float(value) => Value::float(*value),
                Constant::Str(text) => Value::from(literal(text)),
            })
            .collect();
        let mut builtins = Vec::with_capacity(program.builtins.len());
        for (index, name) in program.builtins.iter().enumerate() {
            builtins
                .push(builtin(index, name).ok_or_else(|| LoadError::UnknownBuiltin(name.clone()))?);
        }
        let mut variables = NameTable::default();
        for (slot, name) in program.globals.iter().enumerate() {
            let text = &program.names[*name as usize];
            variables
                .insert(NameHash::of(text), text, slot as u32)
                .map_err(LoadError::Collision)?;
        }
        let ascii = (0u8..128)
            .map(|byte| literal((byte as char).encode_utf8(&mut [0; 4])))
            .collect();
        let first_entries: Vec<Entry> = (0..program.functions.len() as u32).map(entry).collect();
        let mut tables = Tables {
            program,
            constants,
            builtins,
            first_names,
            first_entries,
            first_functions: Vec::new(),
            first_shapes: Vec::new(),
            declared_shapes: Vec::new(),
            site_shapes: Vec::new(),
            variant_ids,
            site_is_direct: Vec::new(),
            error_shapes: [null(); 2],
            variables,
            ascii,
            method_forms: Vec::new(),
            heap: allocator::current(),
        };
        tables.make_method_forms();
        tables.first_functions = make_functions(&tables.program, &tables.first_entries);
        tables.make_shapes();
        Ok(LoadedProgram::of(Arc::new(tables), false))
    }

    /// A program that was loaded before, for another context; with function
    /// objects of its own if a JIT may change where their calls go.
    pub fn of(tables: Arc<Tables>, owns_functions: bool) -> Box<LoadedProgram> {
        Box::new(LoadedProgram {
            names: tables.first_names.clone(),
            entries: tables.first_entries.clone(),
            functions: if owns_functions {
                make_functions(&tables.program, &tables.first_entries)
            } else {
                tables.first_functions.clone()
            },
            owns_functions,
            shapes: Vec::new(),
            tables,
        })
    }

    /// What all contexts of the program share.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// The shape with exactly these fields in this order; made if it is new.
    /// It lives as long as the loaded program.
    pub fn shape(&mut self, name: NameId, fields: &[NameId]) -> *const Shape {
        self.find_or_make_shape(name, fields, false)
    }

    /// The shape that extends `shape` by a field.
    pub fn extended_shape(&mut self, shape: &Shape, field: NameId) -> *const Shape {
        let mut fields = shape.fields.to_vec();
        fields.push(field);
        self.find_or_make_shape(shape.name, &fields, shape.is_error)
    }

    /// As `shape`, also for the shapes of caught errors.
    pub fn find_or_make_shape(
        &mut self,
        name: NameId,
        fields: &[NameId],
        is_error: bool,
    ) -> *const Shape {
        let known = self.tables.first_shapes.iter().chain(&self.shapes);
        let known = known
            .filter(|shape| shape.is_error == is_error && *shape.fields == *fields)
            .find(|shape| is_error || shape.name == name);
        if let Some(known) = known {
            return &raw const **known;
        }
        let shape = make_shape(&self.names, name, fields.to_vec(), is_error, false);
        self.shapes.push(shape);
        let shape: &Shape = self.shapes.last().expect("just pushed");
        shape
    }

    /// A struct without declaration, its fields absent.
    pub fn new_record(&mut self, name: NameId, fields: &[NameId]) -> Ref<Record> {
        let shape = self.shape(name, fields);
        // SAFETY: shapes live as long as the loaded program, which outlives instances.
        unsafe { Record::unset(shape, None) }
    }

    /// The number of a name, which the program gets to know if it doesn't yet.
    pub fn intern(&mut self, text: &str) -> NameId {
        if let Some(known) = self.find_name(text) {
            return known;
        }
        self.names.push(Str::immortal(text));
        (self.names.len() - 1) as NameId
    }

    /// The text of a name.
    pub fn name(&self, name: NameId) -> &str {
        self.names[name as usize].as_str()
    }

    /// The number of a name that the program knows.
    pub fn find_name(&self, text: &str) -> Option<NameId> {
        self.names
            .iter()
            .position(|name| name.as_str() == text)
            .map(|index| index as NameId)
    }
}

impl Deref for LoadedProgram {
    type Target = Tables;

    #[inline(always)]
    fn deref(&self) -> &Tables {
        &self.tables
    }
}

impl Drop for LoadedProgram {
    fn drop(&mut self) {
        // Names are immortal while the program runs; here those end that came up later.
        for name in self.names.drain(self.tables.first_names.len()..) {
            name.header().count.set(1);
        }
        if self.owns_functions {
            self.functions.iter().for_each(make_mortal);
        }
    }
}

impl Tables {
    /// Whether a name is the program's own, so that every context knows it.
    pub fn is_first_name(&self, name: NameId) -> bool {
        (name as usize) < self.first_names.len()
    }

    fn make_method_forms(&mut self) {
        let mut names: Vec<NameId> = Vec::new();
        for site in &self.program.method_sites {
            // Looking through all forms is for each name, not for each site.
            if names.contains(&site.name) {
                continue;
            }
            names.push(site.name);
            for form in forms(&self.program.names[site.name as usize]) {
                let row = self
                    .program
                    .builtins
                    .iter()
                    .position(|name| &**name == form.builtin);
                let key = form_key(site.name, form.receiver);
                if let (Some(row), Err(place)) = (
                    row,
                    self.method_forms
                        .binary_search_by_key(&key, |(known, _)| *known),
                ) {
                    let form = MethodForm {
                        builtin: self.builtins[row],
                        mutates: form.mutates,
                    };
                    self.method_forms.insert(place, (key, form));
                }
            }
        }
    }

    /// What a method's name means on a kind of receiver, if the program's
    /// table of built-ins holds it.
    pub fn method_form(&self, method: NameId, receiver: Tag) -> Option<MethodForm> {
        let key = form_key(method, receiver);
        let place = self
            .method_forms
            .binary_search_by_key(&key, |(known, _)| *known)
            .ok()?;
        Some(self.method_forms[place].1)
    }

    fn make_shapes(&mut self) {
        use crate::names::{CAUSE, ERROR, LINE, MESSAGE, STACK, VALUE};
        let without = self.make_shape(ERROR, alloc::vec![LINE, MESSAGE, STACK, VALUE], true);
        let with = self.make_shape(ERROR, alloc::vec![LINE, MESSAGE, STACK, VALUE, CAUSE], true);
        self.error_shapes = [without, with];
        for index in 0..self.program.structs.len() {
            let declaration = &self.program.structs[index];
            let (name, fields) = (declaration.name, declaration.fields.clone());
            let shape = self.make_shape(name, fields, false);
            self.declared_shapes.push(shape);
        }
        for index in 0..self.program.struct_sites.len() {
            let site = self.program.struct_sites[index].clone();
            let shape = site.declaration.map_or(null(), |declaration| {
                let mut fields = self.program.structs[declaration as usize].fields.clone();
                for field in &site.fields {
                    if !fields.contains(field) {
                        fields.push(*field);
                    }
                }
                self.make_shape(site.name, fields, false)
            });
            // SAFETY: shapes live as long as `self`.
            let is_direct =
                unsafe { shape.as_ref() }.is_some_and(|shape| *shape.fields == *site.fields);
            self.site_shapes.push(shape);
            self.site_is_direct.push(is_direct);
        }
    }

    fn make_shape(&mut self, name: NameId, fields: Vec<NameId>, is_error: bool) -> *const Shape {
        let known = self.first_shapes.iter().find(|shape| {
            shape.name == name && *shape.fields == *fields && shape.is_error == is_error
        });
        if let Some(known) = known {
            return &raw const **known;
        }
        let shape = make_shape(&self.first_names, name, fields, is_error, true);
        self.first_shapes.push(shape);
        let shape: &Shape = self.first_shapes.last().expect("just pushed");
        shape
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        // Literals are immortal while the program runs; here they end, unless
        // a thread outlived the one that they belong to.
        if !allocator::is_current(self.heap) {
            return;
        }
        self.constants.iter().for_each(make_mortal);
        self.first_functions.iter().for_each(make_mortal);
        for name in self.first_names.iter().chain(&self.ascii) {
            name.header().count.set(1);
        }
    }
}

/// An immortal string that all threads may use.
fn literal(text: &str) -> Ref<Str> {
    let string = Str::immortal(text);
    string.header().count.set(LITERAL);
    string
}

fn make_functions(program: &Program, entries: &[Entry]) -> Vec<Value> {
    let make = |(function, entry): (&crate::bytecode::Function, &Entry)| {
        if !function.captures.is_empty() {
            return Value::NULL;
        }
        // SAFETY: the program is boxed and outlives its function objects.
        let object =
            unsafe { Function::new(*entry, &raw const function.info, core::iter::empty()) };
        object.make_immortal();
        Value::from(object)
    };
    program.functions.iter().zip(entries).map(make).collect()
}

fn make_shape(
    names: &[Ref<Str>],
    name: NameId,
    fields: Vec<NameId>,
    is_error: bool,
    is_everywhere: bool,
) -> Box<Shape> {
    let name_at = |position: u32| names[fields[position as usize] as usize].as_str();
    // They are few: a whole sort would only make programs larger.
    let mut sorted: Vec<u32> = Vec::with_capacity(fields.len());
    for position in 0..fields.len() as u32 {
        let at = sorted.partition_point(|other| name_at(*other) <= name_at(position));
        sorted.insert(at, position);
    }
    Box::new(Shape {
        name,
        fields: fields.into(),
        sorted,
        is_error,
        is_everywhere,
    })
}

fn form_key(method: NameId, receiver: Tag) -> u64 {
    (method as u64) << 8 | receiver as u64
}

fn make_mortal(value: &Value) {
    if let Some(object) = value.as_object::<Str>() {
        let object = Ref::from_borrowed(object);
        object.header().count.set(2);
    } else if let Some(object) = value.as_object::<Function>() {
        let object = Ref::from_borrowed(object);
        object.header().count.set(2);
    }
}

const _: () = assert!(WELL_KNOWN.len() < 64);
