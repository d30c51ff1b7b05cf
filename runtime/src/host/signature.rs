//! What an exported function takes and gives in C, and the way of values
//! across.
//!
//! A signature is a sequence of bytes: the number of parameters, the type of
//! each, the type of the result.  A type is a `Kind`, and for a struct three
//! numbers of four bytes (the function that makes an instance, the number of
//! fields, then for each field its name) with the fields' types between them.

use super::context::HostContext;
use super::values::{self, HostValue};
use crate::call;
use crate::error::Raised;
use crate::heap::{Array, Function, Record};
use crate::names::NameId;
use crate::semantics::convert::type_name;
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $name:literal;)*) => {
        /// A type in C.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind = $number,)*
        }

        impl Kind {
            fn of(byte: u8) -> Option<Kind> {
                match byte {
                    $($number => Some(Kind::$kind),)*
                    _ => None,
                }
            }

            /// As annotations have it.
            fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }
        }
    };
}
kinds! {
    /// No words.
    Null = 0, "null";
    Bool = 1, "bool";
    Int = 2, "int";
    Float = 3, "float";
    /// A pointer and a length in bytes.
    String = 4, "string";
    /// A pointer and a count.
    Ints = 5, "array<int>";
    Floats = 6, "array<float>";
    /// A `ruff_value`.
    Value = 7, "value";
    /// In an argument a pointer to it.
    Struct = 8, "struct";
}

/// A value that can't cross, and why.
pub enum Refusal {
    Raised,
    /// It has another type than was promised.
    Mismatch(String),
}

impl From<Raised> for Refusal {
    fn from(_: Raised) -> Refusal {
        Refusal::Raised
    }
}

/// A signature that is being read.
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    fn number(&mut self) -> u32 {
        let bytes = [self.byte(), self.byte(), self.byte(), self.byte()];
        u32::from_le_bytes(bytes)
    }

    fn kind(&mut self) -> Kind {
        Kind::of(self.byte()).unwrap_or(Kind::Value)
    }

    /// Passes a type over.
    fn skip(&mut self) {
        if self.kind() == Kind::Struct {
            self.number();
            for _ in 0..self.number() {
                self.number();
                self.skip();
            }
        }
    }

    /// The value of an argument in words; `words` is moved behind it.
    ///
    /// # Safety
    /// The words are what C passed for a parameter of this type.
    pub unsafe fn argument(
        &mut self,
        host: *mut HostContext,
        words: &mut *const u64,
    ) -> Result<Value, Refusal> {
        // SAFETY: the caller vouches for the words.
        unsafe {
            let mut next = || {
                let word = **words;
                *words = words.add(1);
                word
            };
            Ok(match self.kind() {
                Kind::Null => Value::NULL,
                Kind::Bool => Value::bool(next() & 0xff != 0),
                Kind::Int => Value::int(next() as i64),
                Kind::Float => Value::float(f64::from_bits(next())),
                Kind::String => text(next() as *const u8, next() as usize)?,
                Kind::Ints => Array::from_ints(slice(next() as *const i64, next() as usize)).into(),
                Kind::Floats => {
                    Array::from_floats(slice(next() as *const f64, next() as usize)).into()
                }
                Kind::Value => values::given(host, next() as *const HostValue)?,
                Kind::Struct => self.instance(host, next() as *const u8)?,
            })
        }
    }

    /// The instance that a C struct stands for.
    ///
    /// # Safety
    /// `place` points at one of this type.
    unsafe fn instance(
        &mut self,
        host: *mut HostContext,
        place: *const u8,
    ) -> Result<Value, Refusal> {
        if place.is_null() {
            return Err(Refusal::Mismatch(
                "a struct is missing: its pointer is null".into(),
            ));
        }
        let (maker, count) = (self.number(), self.number());
        let mut layout = Layout::default();
        let mut fields = Vec::with_capacity(count as usize);
        for _ in 0..count {
            self.number();
            // SAFETY: the caller vouches for the struct, whose layout this follows.
            fields.push(unsafe { self.loaded(host, place, &mut layout)? });
        }
        // SAFETY: the context is live and attached.
        let ctx = unsafe { &mut *(*host).vm };
        let function = ctx.program.functions[maker as usize].to_ref::<Function>();
        let function = function.expect("a maker captures nothing");
        Ok(call::call_function(ctx, &function, None, &mut fields)?)
    }

    /// A field's value.
    ///
    /// # Safety
    /// As for `instance`.
    unsafe fn loaded(
        &mut self,
        host: *mut HostContext,
        place: *const u8,
        layout: &mut Layout,
    ) -> Result<Value, Refusal> {
        let mut ahead = Reader::new(self.bytes);
        let offset = layout.place(&mut ahead);
        // SAFETY: the caller vouches for the struct.
        unsafe {
            let field = place.add(offset);
            match Kind::of(self.bytes[0]) {
                Some(Kind::Struct) => {
                    self.byte();
                    self.instance(host, field)
                }
                Some(Kind::Bool) => {
                    self.byte();
                    Ok(Value::bool(*field != 0))
                }
                _ => self.argument(host, &mut field.cast::<u64>()),
            }
        }
    }

    /// Stores a result where C wants it; what it points into is kept.
    ///
    /// # Safety
    /// `place` points at room for this type.
    pub unsafe fn store(
        &mut self,
        host: *mut HostContext,
        value: Value,
        place: *mut u8,
    ) -> Result<(), Refusal> {
        let kind = self.kind();
        let mismatch = |value: &Value| {
            Refusal::Mismatch(format!(
                "the declaration promises {}, but the value is {}",
                kind.name(),
                type_name(value)
            ))
        };
        // SAFETY: the caller vouches for the place; the context is live.
        unsafe {
            let pair = place.cast::<u64>();
            match kind {
                Kind::Null if value.is_null() => {}
                Kind::Bool => *place = value.as_bool().ok_or_else(|| mismatch(&value))?.into(),
                Kind::Int => {
                    *place.cast() = value.as_int().ok_or_else(|| mismatch(&value))?;
                }
                Kind::Float => {
                    *place.cast() = value.as_number().ok_or_else(|| mismatch(&value))?;
                }
                Kind::Value => *place.cast() = values::handle(host, value),
                Kind::Struct => return self.store_fields(host, value, place),
                Kind::String => {
                    let text = value.as_str().ok_or_else(|| mismatch(&value))?;
                    (*pair, *pair.add(1)) = (text.as_ptr() as u64, text.len() as u64);
                    (*host).results.push(value);
                }
                Kind::Ints | Kind::Floats => {
                    let array = value.as_object::<Array>().ok_or_else(|| mismatch(&value))?;
                    let found = match kind {
                        _ if array.is_empty() => Some(8 as *const u8),
                        Kind::Ints => array.as_ints().map(|ints| ints.as_ptr().cast()),
                        _ => array.as_floats().map(|floats| floats.as_ptr().cast()),
                    };
                    let data = found.ok_or_else(|| mismatch(&value))?;
                    (*pair, *pair.add(1)) = (data as u64, array.len() as u64);
                    (*host).results.push(value);
                }
                Kind::Null => return Err(mismatch(&value)),
            }
        }
        Ok(())
    }

    /// Stores an instance as a C struct.
    ///
    /// # Safety
    /// As for `store`.
    unsafe fn store_fields(
        &mut self,
        host: *mut HostContext,
        value: Value,
        place: *mut u8,
    ) -> Result<(), Refusal> {
        let (_, count) = (self.number(), self.number());
        let Some(record) = value.as_object::<Record>() else {
            return Err(Refusal::Mismatch(format!(
                "the declaration promises a struct, but the value is {}",
                type_name(&value)
            )));
        };
        let mut layout = Layout::default();
        for _ in 0..count {
            let name: NameId = self.number();
            let offset = layout.place(&mut Reader::new(self.bytes));
            let field = record.get(name).cloned();
            // SAFETY: the context is live.
            let name = || unsafe { &*(*host).vm }.program.name(name);
            let field = field.ok_or_else(|| {
                Refusal::Mismatch(format!("the struct has no field `{}`", name()))
            })?;
            // SAFETY: the caller vouches for the place, whose layout this follows.
            unsafe { self.store(host, field, place.add(offset))? };
        }
        Ok(())
    }

    /// Whether a value may be an argument of this type; an int becomes a float
    /// where one is expected.
    pub fn accept(&mut self, value: Value) -> Result<Value, Refusal> {
        let before = Reader::new(self.bytes);
        self.skip();
        let kind = { before }.kind();
        let array = |wanted: fn(&Array) -> bool| value.as_object::<Array>().is_some_and(wanted);
        let fits = match kind {
            Kind::Null => value.is_null(),
            Kind::Bool => value.as_bool().is_some(),
            Kind::Int => value.as_int().is_some(),
            Kind::Float => value.as_number().is_some(),
            Kind::String => value.as_str().is_some(),
            Kind::Ints => array(|array| array.is_empty() || array.as_ints().is_some()),
            Kind::Floats => array(|array| array.is_empty() || array.as_floats().is_some()),
            Kind::Struct => value.as_object::<Record>().is_some(),
            Kind::Value => true,
        };
        if !fits {
            return Err(Refusal::Mismatch(format!(
                "the parameter is declared as {}, but the argument is {}",
                kind.name(),
                type_name(&value)
            )));
        }
        match (kind, value.as_number()) {
            (Kind::Float, Some(number)) => Ok(Value::float(number)),
            // An empty array has no elements of the wrong kind, but it may be
            // of another kind itself.
            (Kind::Ints, _) if value.as_object::<Array>().is_some_and(Array::is_empty) => {
                Ok(Array::from_ints(&[]).into())
            }
            (Kind::Floats, _) if value.as_object::<Array>().is_some_and(Array::is_empty) => {
                Ok(Array::from_floats(&[]).into())
            }
            _ => Ok(value),
        }
    }
}

/// Where the next field of a C struct is.
#[derive(Default)]
struct Layout {
    end: usize,
}

impl Layout {
    /// The offset of a field of the type that comes next.
    fn place(&mut self, reader: &mut Reader) -> usize {
        let (size, alignment) = size_of_type(reader);
        let offset = self.end.next_multiple_of(alignment);
        self.end = offset + size;
        offset
    }
}

/// A type's size and alignment in C.
fn size_of_type(reader: &mut Reader) -> (usize, usize) {
    match reader.kind() {
        Kind::Null => (0, 1),
        Kind::Bool => (1, 1),
        Kind::Int | Kind::Float | Kind::Value => (8, 8),
        Kind::String | Kind::Ints | Kind::Floats => (16, 8),
        Kind::Struct => {
            reader.number();
            let (mut layout, mut largest) = (Layout::default(), 1);
            for _ in 0..reader.number() {
                reader.number();
                largest = largest.max(size_of_type(&mut Reader::new(reader.bytes)).1);
                layout.place(reader);
            }
            (layout.end.next_multiple_of(largest), largest)
        }
    }
}

/// The string of C's bytes, which must be UTF-8.
///
/// # Safety
/// There are so many bytes.
pub unsafe fn text(bytes: *const u8, length: usize) -> Result<Value, Refusal> {
    // SAFETY: the caller vouches for the bytes.
    let bytes = unsafe { slice(bytes, length) };
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::string(text)),
        Err(_) => Err(Refusal::Mismatch("a string is not UTF-8".into())),
    }
}

/// C's slices, of which empty ones may be null.
///
/// # Safety
/// There are so many elements.
pub unsafe fn slice<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 || data.is_null() {
        return &[];
    }
    // SAFETY: the caller vouches for the elements.
    unsafe { core::slice::from_raw_parts(data, count) }
}
