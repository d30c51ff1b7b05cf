//! What a library shows to C: exported functions, and the structs that they
//! take and give, by their annotations.
//!
//! An annotation that has a C type is a promise of the caller's; whatever has
//! none crosses as a `ruff_value`.  C makes instances of structs by functions,
//! the makers, that are added to the program's source, so that an instance is
//! what the struct's literal makes it.

mod docs;
pub mod header;
pub mod names;
pub mod pkgconfig;
mod types;

use crate::diagnostic::{Code, Diagnostic};
use crate::infer::{Tags, Type};
use crate::lower::Lowered;
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{Func, Program as Tree, StmtKind};
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::host::api;
use ruff_runtime::host::signature::Kind;
use std::fmt::Write as _;

/// What a library shows.
#[derive(Debug)]
pub struct Interface {
    /// As C spells it.
    pub library: String,
    /// The script, as messages call it.
    pub script: String,
    pub functions: Vec<Function>,
    /// Each after those that it contains.
    pub structs: Vec<Struct>,
}

/// An exported function.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    /// What C calls it.
    pub symbol: String,
    pub params: Vec<Param>,
    pub result: CType,
    /// The comment above it.
    pub docs: Vec<String>,
    /// Where its name stands.
    span: Span,
}

#[derive(Debug)]
pub struct Param {
    /// As C spells it.
    pub name: String,
    pub ty: CType,
}

/// A struct whose fields all have C types.
#[derive(Debug)]
pub struct Struct {
    pub name: String,
    /// What C calls it, after `struct`.
    pub tag: String,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    /// As C spells it.
    pub c_name: String,
    pub ty: CType,
}

/// How values of a type cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CType {
    Null,
    Bool,
    Int,
    Float,
    String,
    Ints,
    Floats,
    /// A `ruff_value`: anything.
    Value,
    /// By its number.
    Struct(usize),
}

impl CType {
    fn kind(self) -> Kind {
        match self {
            CType::Null => Kind::Null,
            CType::Bool => Kind::Bool,
            CType::Int => Kind::Int,
            CType::Float => Kind::Float,
            CType::String => Kind::String,
            CType::Ints => Kind::Ints,
            CType::Floats => Kind::Floats,
            CType::Value => Kind::Value,
            CType::Struct(_) => Kind::Struct,
        }
    }

    /// What C's values of the type are to the program.
    fn inferred(self) -> Type {
        match self {
            CType::Null => Type::of(Tags::NULL),
            CType::Bool => Type::of(Tags::BOOL),
            CType::Int => Type::of(Tags::INT),
            CType::Float => Type::of(Tags::FLOAT),
            CType::String => Type::of(Tags::STRING),
            CType::Ints => Type::array_of(Type::of(Tags::INT)),
            CType::Floats => Type::array_of(Type::of(Tags::FLOAT)),
            CType::Value | CType::Struct(_) => Type::ANY,
        }
    }
}

/// The functions of a lowered library that C calls, for the stages after.
#[derive(Debug)]
pub struct Exports {
    pub library: String,
    pub functions: Vec<Exported>,
    /// The functions that make structs, with what they are given.
    makers: Vec<(FunctionId, Vec<Type>)>,
}

/// An exported function in its program.
#[derive(Debug)]
pub struct Exported {
    pub name: String,
    pub symbol: String,
    pub func: FunctionId,
    pub params: Vec<CType>,
    pub result: CType,
    /// The same for the runtime, see its `host::signature`.
    pub signature: Vec<u8>,
}

impl Exports {
    /// The functions that C or the runtime calls.
    pub fn functions(&self) -> Vec<FunctionId> {
        let exported = self.functions.iter().map(|function| function.func);
        exported
            .chain(self.makers.iter().map(|maker| maker.0))
            .collect()
    }

    /// What C calls, with the types of the arguments.
    pub fn roots(&self) -> Vec<(FunctionId, Vec<Type>)> {
        let given = |function: &Exported| {
            let params = function.params.iter().map(|ty| ty.inferred());
            (function.func, params.collect())
        };
        let exported = self.functions.iter().map(given);
        exported.chain(self.makers.iter().cloned()).collect()
    }
}

/// What a library called `library` shows whose script this is.
///
/// # Errors
/// If two things would have one name in C.
pub fn of(tree: &Tree, library: &str, sources: &SourceMap) -> Result<Interface, Vec<Diagnostic>> {
    let file = sources.file(tree.span.file);
    let mut interface = Interface {
        library: names::identifier(library),
        script: file.name().to_owned(),
        functions: Vec::new(),
        structs: Vec::new(),
    };
    let mut types = types::Types::new(tree, &interface.library);
    for statement in &tree.body {
        let StmtKind::Export(exported) = &statement.kind else {
            continue;
        };
        let StmtKind::Func(func) = &exported.kind else {
            continue;
        };
        let function = function(func, &interface.library, &mut types);
        let Some(mut function) = function else {
            continue;
        };
        function.docs = docs::above(file.text(), statement.span.start as usize);
        // Of functions with one name the last one counts.
        interface
            .functions
            .retain(|known| known.name != function.name);
        interface.functions.push(function);
    }
    interface.structs = types.structs;
    refuse_clashes(&interface)?;
    Ok(interface)
}

fn function(func: &Func, library: &str, types: &mut types::Types) -> Option<Function> {
    let name = func.name.as_ref()?;
    let mut used = Vec::new();
    let params = func.params.iter().map(|param| Param {
        name: names::parameter(&param.name.text, &mut used),
        ty: types.of(param.annotation.as_ref()),
    });
    let params = params.collect();
    // What such a function gives is no value of its annotation.
    let is_plain = !func.is_async && !func.is_generator;
    let result = func.result.as_ref().filter(|_| is_plain);
    Some(Function {
        name: name.text.to_string(),
        symbol: format!("ruff_{library}_{}", names::identifier(&name.text)),
        params,
        result: types.of(result),
        docs: Vec::new(),
        span: name.span,
    })
}

/// The C functions that every library has.
pub fn public_symbols() -> &'static [&'static str] {
    api::SYMBOLS
}

/// Names of Ruff are told apart that C spells alike.
fn refuse_clashes(interface: &Interface) -> Result<(), Vec<Diagnostic>> {
    let mut refused = Vec::new();
    for (index, function) in interface.functions.iter().enumerate() {
        let symbol = &function.symbol;
        let other = interface.functions[..index]
            .iter()
            .find(|other| other.symbol == *symbol);
        let is_runtimes = api::SYMBOLS.contains(&symbol.as_str())
            || symbol.starts_with("ruff_rt_")
            || symbol.starts_with("ruff_builtin_")
            || symbol.starts_with("ruff_library_");
        let message = match other {
            Some(other) => format!(
                "the functions `{}` and `{}` would both be `{symbol}` in C; rename one of them",
                other.name, function.name
            ),
            None if is_runtimes => format!(
                "the function `{}` would be `{symbol}` in C, which is a name of the runtime; rename it, or the library",
                function.name
            ),
            None => continue,
        };
        refused.push(Diagnostic::error(Code::Compilation, function.span).message(message));
    }
    match refused.is_empty() {
        true => Ok(()),
        false => Err(refused),
    }
}

impl Interface {
    /// The source of the makers, to be added at the script's end.
    pub fn makers(&self) -> String {
        let mut text = String::from("\n");
        for row in &self.structs {
            let params: Vec<String> = (0..row.fields.len()).map(|at| format!("p{at}")).collect();
            let fields = row.fields.iter().zip(&params);
            let fields: Vec<String> = fields
                .map(|(field, param)| format!("{}: {param}", field.name))
                .collect();
            let _ = writeln!(
                text,
                "func {}({}) {{ return {} {{ {} }} }}",
                maker(row),
                params.join(", "),
                row.name,
                fields.join(", ")
            );
        }
        text
    }

    /// The functions in the lowered program.
    ///
    /// # Errors
    /// If a name is not a function that can be called without its surroundings.
    pub fn bind(&self, lowered: &Lowered) -> Result<Exports, Vec<Diagnostic>> {
        let program = &lowered.program;
        let mut refused = Vec::new();
        let mut functions = Vec::new();
        for function in &self.functions {
            let Some(func) = lowered.declared_function(function.span.start) else {
                let message = format!("`{}` can't be exported to C", function.name);
                refused.push(Diagnostic::error(Code::Compilation, function.span).message(message));
                continue;
            };
            functions.push(Exported {
                name: function.name.clone(),
                symbol: function.symbol.clone(),
                func,
                params: function.params.iter().map(|param| param.ty).collect(),
                result: function.result,
                signature: self.signature(function, program),
            });
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        let makers = self.structs.iter().map(|row| {
            let given = row.fields.iter().map(|field| field.ty.inferred());
            (self.maker_id(row, program), given.collect())
        });
        Ok(Exports {
            library: self.library.clone(),
            functions,
            makers: makers.collect(),
        })
    }

    fn signature(&self, function: &Function, program: &Program) -> Vec<u8> {
        let mut bytes = vec![function.params.len() as u8];
        for param in &function.params {
            self.encode(param.ty, program, &mut bytes);
        }
        self.encode(function.result, program, &mut bytes);
        bytes
    }

    fn encode(&self, ty: CType, program: &Program, bytes: &mut Vec<u8>) {
        bytes.push(ty.kind() as u8);
        let CType::Struct(number) = ty else {
            return;
        };
        let row = &self.structs[number];
        bytes.extend(self.maker_id(row, program).to_le_bytes());
        bytes.extend((row.fields.len() as u32).to_le_bytes());
        for field in &row.fields {
            let name = program.names.iter().position(|name| **name == *field.name);
            let name = name.expect("the maker names every field") as u32;
            bytes.extend(name.to_le_bytes());
            self.encode(field.ty, program, bytes);
        }
    }

    fn maker_id(&self, row: &Struct, program: &Program) -> FunctionId {
        let name = maker(row);
        let functions = program.functions.iter();
        let mut functions = functions.filter(|function| function.info.name == name);
        let found = functions.next().expect("the makers are in the source");
        found.info.id
    }
}

/// What the function is called that makes instances of a struct.
fn maker(row: &Struct) -> String {
    format!("ruff_make_{}", row.name)
}
