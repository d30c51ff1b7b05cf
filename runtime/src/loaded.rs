//! A program made ready to run: literals as immortal objects, names as
//! strings, built-ins as table rows, functions as values.
//!
//! The tables outlive every object that points into them; the context drops
//! them last.

use crate::builtins::Builtin;
use crate::bytecode::forms::forms;
use crate::bytecode::{Constant, FunctionId, Program};
use crate::call::Entry;
use crate::heap::{Function, Record, Ref, Shape, Str};
use crate::names::{NameCollision, NameHash, NameId, NameTable, WELL_KNOWN};
use crate::value::{Tag, Value};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::null;

/// A program and what was made of it.
pub struct LoadedProgram {
    pub program: Box<Program>,
    /// The names as immortal strings, by `NameId`.
    pub names: Vec<Ref<Str>>,
    /// Immortal, by constant index.
    pub constants: Vec<Value>,
    /// By `BuiltinId`.
    pub builtins: Vec<&'static Builtin>,
    /// How each function is entered, by `FunctionId`.
    pub entries: Vec<Entry>,
    /// Immortal function objects of declared functions without captures.
    pub functions: Vec<Value>,
    /// All shapes; boxed, so that they stay where they are.
    #[expect(clippy::vec_box, reason = "shapes stay where they are")]
    shapes: Vec<Box<Shape>>,
    /// Shape of a declaration's own fields, by declaration.
    pub declared_shapes: Vec<*const Shape>,
    /// Shape of each struct site whose declaration is known, else null.
    pub site_shapes: Vec<*const Shape>,
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
}

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
        let names: Vec<Ref<Str>> = program
            .names
            .iter()
            .map(|name| Str::immortal(name))
            .collect();
        let constants = program
            .constants
            .iter()
            .map(|constant| match constant {
                Constant::Int(value) => Value::int(*value),
                Constant::Float(value) => Value::float(*value),
                Constant::Str(text) => Value::from(Str::immortal(text)),
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
            .map(|byte| Str::immortal((byte as char).encode_utf8(&mut [0; 4])))
            .collect();
        let entries: Vec<Entry> = (0..program.functions.len() as u32).map(entry).collect();
        let mut loaded = Box::new(LoadedProgram {
            program,
            names,
            constants,
            builtins,
            entries,
            functions: Vec::new(),
            shapes: Vec::new(),
            declared_shapes: Vec::new(),
            site_shapes: Vec::new(),
            site_is_direct: Vec::new(),
            error_shapes: [null(); 2],
            variables,
            ascii,
            method_forms: Vec::new(),
        });
        loaded.make_method_forms();
        loaded.make_functions();
        loaded.make_shapes();
        Ok(loaded)
    }

    fn make_method_forms(&mut self) {
        for site in &self.program.method_sites {
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

    fn make_functions(&mut self) {
        for (id, function) in self.program.functions.iter().enumerate() {
            let value = if function.captures.is_empty() {
                // SAFETY: the program is boxed and outlives its function objects.
                let object = unsafe {
                    Function::new(
                        self.entries[id],
                        &raw const function.info,
                        core::iter::empty(),
                    )
                };
                object.make_immortal();
                Value::from(object)
            } else {
                Value::NULL
            };
            self.functions.push(value);
        }
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
                self.shape(site.name, &fields)
            });
            // SAFETY: shapes live as long as `self`.
            let is_direct =
                unsafe { shape.as_ref() }.is_some_and(|shape| shape.fields == site.fields);
            self.site_shapes.push(shape);
            self.site_is_direct.push(is_direct);
        }
    }

    /// The shape with exactly these fields in this order; made if it is new.
    /// It lives as long as the loaded program.
    pub fn shape(&mut self, name: NameId, fields: &[NameId]) -> *const Shape {
        let known = self
            .shapes
            .iter()
            .find(|shape| shape.name == name && shape.fields == fields && !shape.is_error);
        match known {
            Some(shape) => &raw const **shape,
            None => self.make_shape(name, fields.to_vec(), false),
        }
    }

    /// The shape that extends `shape` by a field.
    pub fn extended_shape(&mut self, shape: &Shape, field: NameId) -> *const Shape {
        let mut fields = shape.fields.clone();
        fields.push(field);
        if shape.is_error {
            let known = self
                .shapes
                .iter()
                .find(|known| known.is_error && known.fields == fields);
            return match known {
                Some(known) => &raw const **known,
                None => self.make_shape(shape.name, fields, true),
            };
        }
        self.shape(shape.name, &fields)
    }

    fn make_shape(&mut self, name: NameId, fields: Vec<NameId>, is_error: bool) -> *const Shape {
        let mut sorted: Vec<u32> = (0..fields.len() as u32).collect();
        sorted.sort_by_key(|position| self.names[fields[*position as usize] as usize].as_str());
        self.shapes.push(Box::new(Shape {
            name,
            fields,
            sorted,
            is_error,
        }));
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

impl Drop for LoadedProgram {
    fn drop(&mut self) {
        // Literals are immortal while the program runs; here they end.
        for value in self.constants.iter().chain(&self.functions) {
            make_mortal(value);
        }
        for name in self.names.iter().chain(&self.ascii) {
            name.header().count.set(1);
        }
    }
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
