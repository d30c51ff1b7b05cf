//! From a C header to declarations of its functions.
//!
//! The machine's C compiler expands the header; what it declares is read here.
//! A function that `extern func` can't declare becomes a comment that says why.

mod types;

use lang_c::ast::{Declaration, DeclaratorKind, Ellipsis, ExternalDeclaration};
use lang_c::ast::{Declarator, DerivedDeclarator};
use lang_c::driver::{Config, parse_preprocessed};
use lang_c::loc::get_location_for_offset;
use ruff_runtime::bytecode::{ForeignSite, ForeignType};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use types::Types;

/// What is wanted of a header.
#[derive(Clone, Debug)]
pub struct Options {
    pub header: PathBuf,
    /// The library that the functions are in.
    pub library: Option<String>,
    /// Where the header's own headers are looked for.
    pub include: Vec<PathBuf>,
    /// The C compiler that expands the header.
    pub compiler: String,
}

/// Why there are no declarations.
#[derive(Debug)]
pub enum BindgenError {
    /// The compiler could not be started.
    Compiler(String, io::Error),
    /// It did not accept the header, saying this.
    Header(String),
    /// What it gave is no C that is known here.
    Syntax { file: String, line: usize },
}

impl fmt::Display for BindgenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindgenError::Compiler(name, error) => {
                write!(out, "the C compiler `{name}` can't be started: {error}")
            }
            BindgenError::Header(said) => {
                write!(
                    out,
                    "the C compiler does not accept the header:\n{}",
                    said.trim_end()
                )
            }
            BindgenError::Syntax { file, line } => {
                write!(out, "{file}:{line}: this is not understood")
            }
        }
    }
}

impl std::error::Error for BindgenError {}

/// Declarations of the functions that a header itself declares, as Ruff source.
///
/// # Errors
/// If the header can't be read or is not understood.
pub fn declarations(options: &Options) -> Result<String, BindgenError> {
    let expanded = expand(options)?;
    let parsed = parse_preprocessed(&Config::default(), expanded).map_err(|error| {
        let (place, _) = error.get_location();
        BindgenError::Syntax {
            file: place.file.to_owned(),
            line: place.line,
        }
    })?;
    let mut types = Types::default();
    let mut out = format!(
        "# The functions of {}, declared by `ruffc bindgen`.\n\n",
        options
            .header
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    );
    let mut seen = Vec::new();
    for declaration in parsed.unit.0 {
        let ExternalDeclaration::Declaration(declared) = declaration.node else {
            continue;
        };
        types.learn(&declared.node);
        let (place, _) = get_location_for_offset(&parsed.source, declared.span.start);
        if Path::new(place.file) != options.header {
            continue;
        }
        for (name, result) in functions(&declared.node, &types, options.library.as_deref()) {
            if !seen.contains(&name) {
                out.push_str(&line(&name, result));
                seen.push(name);
            }
        }
    }
    Ok(out)
}

fn expand(options: &Options) -> Result<String, BindgenError> {
    let mut compiler = Command::new(&options.compiler);
    // The language without the compiler's own extensions, which headers make use
    // of only where they are.
    compiler.args(["-E", "-std=c11", "-U__GNUC__"]);
    for folder in &options.include {
        compiler.arg("-I").arg(folder);
    }
    let output = compiler
        .arg(&options.header)
        .output()
        .map_err(|error| BindgenError::Compiler(options.compiler.clone(), error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BindgenError::Header(said));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

type Declared = Result<(ForeignSite, Vec<String>), String>;

/// The functions of a declaration: with their parameters' names, or why they
/// can't be declared.
fn functions(
    declaration: &Declaration,
    types: &Types,
    library: Option<&str>,
) -> Vec<(String, Declared)> {
    if types::is_static_or_typedef(declaration) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for declarator in &declaration.declarators {
        let declarator = &declarator.node.declarator.node;
        let DeclaratorKind::Identifier(name) = &declarator.kind.node else {
            continue;
        };
        if let Some(function) = function(declaration, declarator, types, library, &name.node.name) {
            found.push((name.node.name.clone(), function));
        }
    }
    found
}

/// A declarator of a function; `None` for one of something else.
fn function(
    declaration: &Declaration,
    declarator: &Declarator,
    types: &Types,
    library: Option<&str>,
    name: &str,
) -> Option<Declared> {
    let (last, pointers) = declarator.derived.split_last()?;
    let function = match &last.node {
        DerivedDeclarator::Function(function) => &function.node,
        // `f()` says nothing of its parameters; by what is common it has none.
        DerivedDeclarator::KRFunction(names) if names.is_empty() => {
            let result = types.of(&declaration.specifiers, pointers);
            return Some(
                result.map(|result| (site(name, library, Vec::new(), result), Vec::new())),
            );
        }
        _ => return None,
    };
    if function.ellipsis == Ellipsis::Some {
        return Some(Err("it takes any number of arguments".to_owned()));
    }
    let mut params = Vec::new();
    let mut names = Vec::new();
    for (number, param) in function.parameters.iter().enumerate() {
        let param = &param.node;
        let declarator = param.declarator.as_ref().map(|declarator| &declarator.node);
        let derived = declarator.map_or(&[][..], |declarator| &declarator.derived);
        let is_nested = declarator
            .is_some_and(|found| matches!(found.kind.node, DeclaratorKind::Declarator(_)));
        let ty = match is_nested {
            true => Ok(ForeignType::Pointer),
            false => types.of(&param.specifiers, derived),
        };
        match ty {
            // `(void)`
            Ok(ForeignType::Null) if function.parameters.len() == 1 => continue,
            Ok(ty) => params.push(ty),
            Err(reason) => return Some(Err(reason)),
        }
        let name = declarator.and_then(name_of);
        names.push(name.unwrap_or_else(|| format!("arg{}", number + 1)));
    }
    let result = match types.of(&declaration.specifiers, pointers) {
        Ok(result) => result,
        Err(reason) => return Some(Err(reason)),
    };
    let site = site(name, library, params, result);
    if !site.has_room() {
        return Some(Err("it has too many parameters".to_owned()));
    }
    Some(Ok((site, names)))
}

/// What a declarator gives a type, however deep inside.
fn name_of(declarator: &Declarator) -> Option<String> {
    match &declarator.kind.node {
        DeclaratorKind::Identifier(name) => Some(name.node.name.clone()),
        DeclaratorKind::Declarator(inner) => name_of(&inner.node),
        DeclaratorKind::Abstract => None,
    }
}

fn site(
    name: &str,
    library: Option<&str>,
    params: Vec<ForeignType>,
    result: ForeignType,
) -> ForeignSite {
    ForeignSite {
        name: name.into(),
        symbol: name.into(),
        library: library.map(Into::into),
        params,
        result,
    }
}

/// The line for a function.
fn line(name: &str, declared: Declared) -> String {
    let (site, names) = match declared {
        Ok(found) => found,
        Err(reason) => return format!("# {name}: {reason}\n"),
    };
    let params: Vec<String> = names
        .iter()
        .zip(&site.params)
        .map(|(name, ty)| format!("{}: {}", ruff_name(name), ty.name()))
        .collect();
    let library = site
        .library
        .as_ref()
        .map_or_else(String::new, |name| format!("\"{name}\" "));
    let symbol = match ruff_name(name) == name {
        true => String::new(),
        false => format!(" = \"{name}\""),
    };
    format!(
        "export extern {library}func {}({}) -> {}{symbol}\n",
        ruff_name(name),
        params.join(", "),
        site.result.name()
    )
}

/// A name that Ruff does not have for itself.
fn ruff_name(name: &str) -> String {
    match crate::syntax::is_reserved(name) {
        true => format!("{name}_"),
        false => name.to_owned(),
    }
}
