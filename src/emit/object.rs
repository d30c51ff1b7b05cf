//! The ending in a file: a whole program as a relocatable object.
//!
//! It defines `main(argc, argv)`, or what C sees of a library, and imports what it uses and nothing else:
//! helpers of the table, rows of built-ins, the start of the runtime, and the
//! interpreter only if a function stays bytecode.
//!
//! Everything is position independent; tables of pointers are in data that is
//! read-only after relocation.

use super::compile::{Code, Job, Listing, Work};
use super::debug::{self, Described};
use super::export;
use super::image;
use super::module::{self, OwnCode};
use super::program::{self, Body, Parts};
use super::symbol::Symbols;
use super::target::{Ending, Isas};
use super::{EmitError, Fallback, Options};
use crate::codegen::names::Callee;
use crate::codegen::{self, Source, signature};
use crate::infer::Facts;
use crate::interface::Exports;
use crate::modules::{Identity, Symbol};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::{FuncId, Linkage, Module};
use cranelift_object::{ObjectBuilder, ObjectModule};
use gimli::write::Address;
use ruff_runtime::abi::Helper;
use ruff_runtime::bytecode::{FunctionId, Program};
use ruff_runtime::host::context;
use std::collections::BTreeMap;
use target_lexicon::BinaryFormat;

/// An object file and how it came about.
#[derive(Debug)]
pub struct Object {
    pub bytes: Vec<u8>,
    /// The functions that stay bytecode, in order.
    pub fallbacks: Vec<Fallback>,
    /// How many functions became machine code.
    pub compiled_count: usize,
    /// The size of their machine code.
    pub code_size: usize,
    /// What compiling them took.
    pub work: Work,
}

/// Makes the object file of a verified program, or of a library that shows
/// these functions.  The code of these modules is in objects of their own.
///
/// # Errors
/// If there is no code generator for the target, or a built-in is unknown.
pub fn object(
    program: &Program,
    facts: &Facts,
    library: Option<&Exports>,
    modules: &[OwnCode],
    options: &Options,
) -> Result<Object, EmitError> {
    let isas = Isas::new(&options.target, Ending::Object)?;
    let source = Source {
        program,
        facts,
        isa: &*isas.usual,
        isa_for_large: &*isas.for_large,
        rare: None,
        debug: options.target.debug,
        library,
        alone: None,
        recorder: None,
    };
    let elsewhere = module::elsewhere(program, modules);
    let is_elsewhere = |func: FunctionId| elsewhere[func as usize].is_some();
    let parts = program::compile(
        source,
        isas.for_rare.as_deref(),
        options.bodies,
        Listing::None,
        &is_elsewhere,
    );

    let names = Names {
        object: &object_name(program),
        elsewhere: &elsewhere,
        alone: None,
    };
    let mut writer = Writer::new(isas.usual.clone(), program, library, &parts, &names)?;
    writer.define_code(&parts)?;
    module::define_numbers(&mut writer.module, modules)?;
    let (module, entries) = (&mut writer.module, &writer.entries);
    let embed = |module: &dyn Module, header: &[u8]| match library {
        Some(exports) => {
            let library = export::library_bytes(module, exports, header);
            (library, context::LIBRARY_HEADER)
        }
        None => (header.to_vec(), 0),
    };
    let header = image::define(module, program, &parts, entries, embed)?;
    match library {
        Some(exports) => export::define(module, exports, header)?,
        None => image::define_main(module, header, options.memory)?,
    }
    writer.finish(source, parts)
}

/// What symbols are called that other objects know.
pub(super) struct Names<'a> {
    /// The object itself.
    pub object: &'a str,
    /// The entries of functions that other objects have, by function.
    pub elsewhere: &'a [Option<String>],
    /// Whose module it is, if it is one that is compiled alone.
    pub alone: Option<&'a Identity>,
}

/// The module that is being filled.
pub(super) struct Writer {
    pub module: ObjectModule,
    helpers: BTreeMap<u32, FuncId>,
    /// C functions, by site.
    foreign: BTreeMap<u32, FuncId>,
    /// Helpers' stubs.
    stubs: BTreeMap<u32, FuncId>,
    /// The table of a module's numbers.
    numbers: Option<FuncId>,
    /// What direct callers of a function call: its body or its shim.
    direct: Vec<Option<FuncId>>,
    /// What goes into the table of entries.
    entries: Vec<Option<FuncId>>,
    /// The C functions of exported ones.
    exports: Vec<FuncId>,
    compiled_count: usize,
    code_size: usize,
}

impl Writer {
    /// Declares everything that the parts define or use, in an order that only
    /// the program decides.
    pub fn new(
        isa: OwnedTargetIsa,
        program: &Program,
        exports: Option<&Exports>,
        parts: &Parts,
        names: &Names,
    ) -> Result<Writer, EmitError> {
        let is_for_debuggers = isa.flags().unwind_info();
        let mut builder =
            ObjectBuilder::new(isa, names.object, cranelift_module::default_libcall_names())?;
        // The linker drops sections that nothing needs, but not what debug
        // information says about them.
        builder.per_function_section(!is_for_debuggers);
        let mut module = ObjectModule::new(builder);
        let mut helpers = BTreeMap::new();
        for helper in used_helpers(parts) {
            let signature = signature::helper(module.isa(), helper);
            let id = module.declare_function(helper.row().symbol, Linkage::Import, &signature)?;
            helpers.insert(helper as u32, id);
        }
        let mut writer = Writer {
            module,
            helpers,
            foreign: BTreeMap::new(),
            stubs: BTreeMap::new(),
            numbers: None,
            direct: Vec::new(),
            entries: Vec::new(),
            exports: Vec::new(),
            compiled_count: 0,
            code_size: 0,
        };
        writer.declare_functions(program, parts, names)?;
        writer.declare_foreign(program, parts)?;
        for exported in exports.iter().flat_map(|exports| &exports.functions) {
            let signature = codegen::exported_signature(writer.module.isa(), exported);
            let symbol = &exported.symbol;
            let id = writer
                .module
                .declare_function(symbol, Linkage::Export, &signature)?;
            writer.exports.push(id);
        }
        Ok(writer)
    }

    fn declare_functions(
        &mut self,
        program: &Program,
        parts: &Parts,
        names: &Names,
    ) -> Result<(), EmitError> {
        let symbols = Symbols::new(program);
        if let Some(identity) = names.alone {
            let signature = signature::generic(self.module.isa());
            let symbol = identity.symbol(&Symbol::Numbers);
            let id = self
                .module
                .declare_function(&symbol, Linkage::Import, &signature)?;
            self.numbers = Some(id);
        }
        for (func, body) in (0..).zip(&parts.bodies) {
            let function = &program.functions[func as usize];
            let (direct, entry) = match body {
                Body::Compiled(_) => {
                    let has_entry = parts.entries[func as usize].is_some();
                    let entry = || match names.alone {
                        Some(identity) => (identity.symbol(&Symbol::Entry(func)), Linkage::Hidden),
                        None => (symbols.of(Job::Entry(func)), Linkage::Local),
                    };
                    (Some(symbols.of(Job::Body(func))), has_entry.then(entry))
                }
                Body::Kept(_) | Body::Elsewhere => {
                    let shim = parts.shims[func as usize]
                        .is_some()
                        .then(|| symbols.of(Job::Shim(func)));
                    let entry = match &names.elsewhere[func as usize] {
                        Some(symbol) => symbol.clone(),
                        None => image::interpreter_symbol(function).to_owned(),
                    };
                    // A module has no table of entries.
                    let is_whole = names.alone.is_none();
                    (shim, is_whole.then_some((entry, Linkage::Import)))
                }
                Body::Unused => (None, None),
            };
            // What is declared here is only defined and pointed at, never called
            // from IR that is still to be compiled, so any signature will do.
            let signature = signature::generic(self.module.isa());
            let direct = direct.map(|symbol| {
                self.module
                    .declare_function(&symbol, Linkage::Local, &signature)
            });
            let entry = entry.map(|(symbol, linkage)| {
                self.module.declare_function(&symbol, linkage, &signature)
            });
            self.direct.push(direct.transpose()?);
            self.entries.push(entry.transpose()?);
        }
        for (helper, _) in &parts.stubs {
            let symbol = symbols.of(Job::Cold(*helper));
            let signature = signature::generic(self.module.isa());
            let id = self
                .module
                .declare_function(&symbol, Linkage::Local, &signature)?;
            self.stubs.insert(*helper as u32, id);
        }
        Ok(())
    }

    /// Declares the C functions that the code calls.
    fn declare_foreign(&mut self, program: &Program, parts: &Parts) -> Result<(), EmitError> {
        // Nothing is called by its declared signature.
        let signature = signature::generic(self.module.isa());
        for callee in parts.codes().flat_map(Code::callees) {
            if let Callee::Foreign(site) = callee {
                let symbol = &program.foreign_sites[site as usize].symbol;
                let id = self
                    .module
                    .declare_function(symbol, Linkage::Import, &signature);
                let id = id.map_err(|_| EmitError::ForeignSymbol(symbol.clone()))?;
                self.foreign.insert(site, id);
            }
        }
        Ok(())
    }

    pub fn define_code(&mut self, parts: &Parts) -> Result<(), EmitError> {
        for func in 0..parts.bodies.len() {
            if let Body::Compiled(code) = &parts.bodies[func] {
                self.compiled_count += 1;
                self.code_size += code.bytes.len();
                self.define(self.direct[func], code)?;
            }
            if let Some(code) = &parts.shims[func] {
                self.define(self.direct[func], code)?;
            }
            if let Some(code) = &parts.entries[func] {
                self.define(self.entries[func], code)?;
            }
        }
        for (id, code) in self.exports.clone().into_iter().zip(&parts.exports) {
            self.define(Some(id), code)?;
        }
        for (helper, code) in &parts.stubs {
            self.define(self.stubs.get(&(*helper as u32)).copied(), code)?;
        }
        Ok(())
    }

    fn define(&mut self, id: Option<FuncId>, code: &Code) -> Result<(), EmitError> {
        let id = id.expect("everything that is defined was declared");
        let relocations = code.relocations(id, |callee| self.callee(callee));
        self.module
            .define_function_bytes(id, code.alignment, &code.bytes, &relocations)?;
        Ok(())
    }

    /// The object file of what was defined.
    pub fn finish(self, source: Source, parts: Parts) -> Result<Object, EmitError> {
        let (compiled_count, code_size) = (self.compiled_count, self.code_size);
        let described = self.described(&parts);
        let numbers = self.numbers;
        let mut product = self.module.finish();
        if !described.is_empty() {
            let (ids, functions): (Vec<FuncId>, Vec<Described>) = described.into_iter().unzip();
            let ids = ids.into_iter().chain(numbers);
            let symbols: Vec<_> = ids.map(|id| product.function_symbol(id)).collect();
            debug::section::add(&mut product.object, source, &functions, &symbols)?;
        }
        let bytes = product.emit().map_err(EmitError::Write)?;
        Ok(Object {
            bytes,
            fallbacks: super::fallbacks(&parts),
            compiled_count,
            code_size,
            work: parts.work,
        })
    }

    /// The code that debuggers are told about, in the order of its definition.
    fn described<'p>(&self, parts: &'p Parts) -> Vec<(FuncId, Described<'p>)> {
        // Other formats than ELF have other ways.
        if self.module.isa().triple().binary_format != BinaryFormat::Elf {
            return Vec::new();
        }
        let mut all = Vec::new();
        let mut add = |id: Option<FuncId>, code: &'p Code| {
            if let (Some(id), Some(trace)) = (id, &code.trace) {
                let symbol = all.len();
                let address = Address::Symbol { symbol, addend: 0 };
                let described = Described {
                    address,
                    size: code.bytes.len() as u32,
                    trace,
                };
                all.push((id, described));
            }
        };
        for (index, body) in parts.bodies.iter().enumerate() {
            if let Body::Compiled(code) = body {
                add(self.direct[index], code);
            }
            if let Some(code) = &parts.shims[index] {
                add(self.direct[index], code);
            }
            if let Some(code) = &parts.entries[index] {
                add(self.entries[index], code);
            }
        }
        for (helper, code) in &parts.stubs {
            let id = self.stubs.get(&(*helper as u32)).copied();
            add(id, code);
        }
        all
    }

    fn callee(&self, callee: Callee) -> FuncId {
        let declared = match callee {
            Callee::Helper(helper) => self.helpers.get(&(helper as u32)).copied(),
            Callee::Cold(helper) => self.stubs.get(&(helper as u32)).copied(),
            Callee::Direct(func) | Callee::Apart(func) => self.function(&self.direct, func),
            Callee::Generic(func) => self.function(&self.entries, func),
            Callee::Foreign(site) => self.foreign.get(&site).copied(),
            Callee::Numbers => self.numbers,
        };
        declared.unwrap_or_else(|| panic!("{callee:?} is called but not declared"))
    }

    fn function(&self, table: &[Option<FuncId>], func: FunctionId) -> Option<FuncId> {
        table[func as usize]
    }
}

/// The helpers that the code calls, in the order of the table.
fn used_helpers(parts: &Parts) -> impl Iterator<Item = Helper> {
    let mut used = vec![false; Helper::ALL.len()];
    for callee in parts.codes().flat_map(Code::callees) {
        if let Callee::Helper(helper) = callee {
            used[helper as usize] = true;
        }
    }
    Helper::ALL
        .iter()
        .copied()
        .filter(move |helper| used[*helper as usize])
}

/// How the object calls itself: like the script, without the folder that it
/// happens to be in.
fn object_name(program: &Program) -> String {
    let file = program.files.first().map_or("", |file| file);
    let name = std::path::Path::new(file).file_name().unwrap_or_default();
    name.to_string_lossy().replace('\0', "")
}
