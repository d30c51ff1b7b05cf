//! The modules that a script imports, and those that they import: found, read,
//! parsed and checked, each once.
//!
//! An import takes effect when it is executed, so nothing that is wrong with a
//! module is an error here.  It becomes the message that the import raises.
//! Modules are looked for where they are found at run time too, but all of
//! them at once: in the order of the source, as if every import were executed
//! where it stands.

mod assets;
mod compiled;
mod find;
mod numbers;

pub use assets::{Asset, Assets};
pub use compiled::{Compiled, Export, Fault, Imported, KnownExport, is_module_name};
pub use numbers::{Identity, Part, Rows, Strangers, Symbol, Table};

use crate::diagnostic::{Code, Diagnostic, Stage};
use crate::resolve::{ImportIndex, Role, Survey, Target, Test, UnitIndex};
use crate::source::SourceMap;
use crate::syntax::{self, ast};
use find::{Found, Refusal, RootIndex, Roots};
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A script and all modules that it may import, their names surveyed.
pub struct Graph {
    /// By `UnitIndex`; the script is the first.
    pub modules: Vec<Module>,
    pub survey: Survey,
}

/// A file of a program.
pub struct Module {
    /// As its first import names it, with dots; empty for the script.
    pub name: String,
    pub tree: Arc<ast::Program>,
    pub assets: Assets,
    /// What it is in truth, if its source is not there: the tree only exports.
    pub compiled: Option<Arc<Compiled>>,
}

/// Modules that stand ready without their sources.
pub type Ready = [Arc<Compiled>];

/// Loads what a script imports, and those of its tests that are to be part of
/// the program.
///
/// # Errors
/// If the script itself may not be run although it parses.
pub fn load(
    script: Arc<ast::Program>,
    tests: &[Test],
    sources: &mut SourceMap,
) -> Result<Graph, Vec<Diagnostic>> {
    load_as(Role::Program, script, tests, &[], sources)
}

/// The same for a script with another role, and with modules that are `ready`,
/// which come before those that there are sources of.
///
/// # Errors
/// As `load`; if modules that are ready don't fit together.
pub fn load_as(
    role: Role,
    script: Arc<ast::Program>,
    tests: &[Test],
    ready: &Ready,
    sources: &mut SourceMap,
) -> Result<Graph, Vec<Diagnostic>> {
    let path = sources.file(script.span.file).path();
    let assets = assets::load(&script, path)?;
    let mut survey = Survey::of(role);
    let (unit, imports) = survey.add(&script, tests)?;
    let mut loader = Loader {
        ready,
        is_alone: false,
        ready_units: FxHashMap::default(),
        refused: Vec::new(),
        roots: Roots::of(sources.file(script.span.file).path()),
        graph: Graph {
            modules: vec![Module {
                name: String::new(),
                tree: script,
                assets,
                compiled: None,
            }],
            survey,
        },
        found_under: vec![None],
        known: FxHashMap::default(),
    };
    loader.load_all(unit, imports, sources)?;
    Ok(loader.graph)
}

/// Loads a module that is compiled on its own, as a script that does nothing but
/// import it under this name would.  What it imports itself must be `ready`.
///
/// # Errors
/// If the module may not be run although it parses, or imports one that is not
/// ready.
pub fn load_alone(
    name: &str,
    module: ast::Program,
    ready: &Ready,
    sources: &mut SourceMap,
) -> Result<Graph, Vec<Diagnostic>> {
    let path = sources.file(module.span.file).path().map(PathBuf::from);
    let assets = assets::load(&module, path.as_deref())?;
    let file = sources.add("", format!("import {name}\n"));
    let script = syntax::parse(sources, file)?;
    let mut survey = Survey::default();
    survey.open();
    let (_, import) = survey.add(&script, &[])?;
    let (unit, imports) = survey.add(&module, &[])?;
    survey.keep_exports(unit);
    for import in import {
        survey.set_target(import, Target::Unit(unit));
    }
    let row = |name: &str, tree, assets| Module {
        name: name.to_owned(),
        tree: Arc::new(tree),
        assets,
        compiled: None,
    };
    let mut loader = Loader {
        ready,
        is_alone: true,
        ready_units: FxHashMap::default(),
        refused: Vec::new(),
        roots: Roots::of(path.as_deref()),
        graph: Graph {
            modules: vec![
                row("", script, Assets::default()),
                row(name, module, assets),
            ],
            survey,
        },
        found_under: vec![None, None],
        known: FxHashMap::default(),
    };
    loader.load_all(unit, imports, sources)?;
    Ok(loader.graph)
}

struct Loader<'a> {
    ready: &'a Ready,
    /// What is imported must be ready.
    is_alone: bool,
    /// Modules that were ready and are parts of the program now, by name.
    ready_units: FxHashMap<String, UnitIndex>,
    /// What is wrong with modules that are ready, or should be.
    refused: Vec<Diagnostic>,
    roots: Roots,
    graph: Graph,
    /// The root under which each module was found.
    found_under: Vec<Option<RootIndex>>,
    /// What became of each file, by the root under which it was found.
    known: FxHashMap<(PathBuf, RootIndex), Outcome>,
}

#[derive(Clone)]
enum Outcome {
    Loaded(UnitIndex),
    Broken(Broken),
}

/// What is wrong with a module's file.
#[derive(Clone)]
struct Broken {
    /// What could not be done with it.
    action: &'static str,
    reason: String,
}

impl Loader<'_> {
    /// Loads what a file imports, and what that imports, and so on.
    fn load_all(
        &mut self,
        unit: UnitIndex,
        imports: Vec<ImportIndex>,
        sources: &mut SourceMap,
    ) -> Result<(), Vec<Diagnostic>> {
        // Modules can be nested deeply, so what is half done waits in a list.
        let mut waiting = vec![(unit, imports.into_iter())];
        while let Some((unit, imports)) = waiting.last_mut() {
            match imports.next() {
                Some(import) => {
                    let unit = *unit;
                    if let Some((unit, imports)) = self.import(unit, import, sources) {
                        waiting.push((unit, imports.into_iter()));
                    }
                }
                None => {
                    waiting.pop();
                }
            }
        }
        match self.refused.is_empty() {
            true => Ok(()),
            false => Err(std::mem::take(&mut self.refused)),
        }
    }

    /// Finds out what an import leads to.  Gives a module that is new, with its
    /// own imports.
    fn import(
        &mut self,
        importer: UnitIndex,
        import: ImportIndex,
        sources: &mut SourceMap,
    ) -> Option<(UnitIndex, Vec<ImportIndex>)> {
        let name = self.graph.survey.path(import).to_owned();
        let ready = self.ready.iter().find(|ready| ready.name == name);
        if let Some(ready) = ready.cloned() {
            let unit = self.import_ready(&ready, sources);
            self.graph.survey.set_target(import, Target::Unit(unit));
            return None;
        }
        if self.is_alone {
            self.refuse_source(&name);
            return None;
        }
        let root = self.found_under[importer.0 as usize];
        let mut new = None;
        let target = match self.roots.find(&name, root) {
            Ok(found) => {
                let key = (found.real.clone(), found.root);
                let outcome = match self.known.get(&key) {
                    Some(outcome) => outcome.clone(),
                    None => {
                        let (outcome, imports) = self.load(&name, &found, sources);
                        self.known.insert(key, outcome.clone());
                        new = imports;
                        outcome
                    }
                };
                match outcome {
                    Outcome::Loaded(unit) => Target::Unit(unit),
                    Outcome::Broken(Broken { action, reason }) => Target::Failed(
                        format!("Failed to {action} module '{name}': {reason}").into(),
                    ),
                }
            }
            Err(refusal) => Target::Failed(refused(&name, refusal).into()),
        };
        let unit = match target {
            Target::Unit(unit) => Some(unit),
            Target::Failed(_) => None,
        };
        self.graph.survey.set_target(import, target);
        unit.zip(new)
    }

    fn refuse(&mut self, message: String) {
        // Once, however many imports there are.
        if self.refused.iter().all(|known| known.message != message) {
            let diagnostic = Diagnostic::error(Code::Compilation, None).message(message);
            self.refused.push(diagnostic);
        }
    }

    /// A module that is compiled on its own imports a module that is not ready.
    fn refuse_source(&mut self, name: &str) {
        let own = &self.graph.modules[1].name;
        self.refuse(match own == name {
            true => format!("module '{own}' imports itself, so it can't be compiled on its own"),
            false => format!(
                "module '{own}' imports '{name}', which has to be compiled first: give its file \
                 with `--with`"
            ),
        });
    }

    /// Makes a module that is ready a part of the program, with those that it
    /// imports, unless they are that already.
    fn import_ready(&mut self, compiled: &Arc<Compiled>, sources: &mut SourceMap) -> UnitIndex {
        let mut waiting = vec![compiled.clone()];
        while let Some(compiled) = waiting.pop() {
            if self.ready_units.contains_key(&compiled.name) {
                continue;
            }
            self.add_ready(&compiled, sources);
            // What a module imports matters to whoever becomes a program.
            if self.is_alone {
                continue;
            }
            for import in &compiled.imports {
                let ready = self.ready.iter().find(|ready| ready.name == import.name);
                match ready.cloned() {
                    Some(ready) => {
                        self.expect_same_exports(&compiled, import, &ready);
                        waiting.push(ready);
                    }
                    None => self.refuse(format!(
                        "module '{}' is compiled and imports '{}', which has to be compiled \
                         too: give its file with `--with`",
                        compiled.name, import.name
                    )),
                }
            }
        }
        self.ready_units[&compiled.name]
    }

    fn add_ready(&mut self, compiled: &Arc<Compiled>, sources: &mut SourceMap) {
        let tree = compiled.stub(sources);
        let survey = &mut self.graph.survey;
        let added = survey.add(&tree, &[]);
        let (unit, _) = added.expect("nothing is wrong with a file that only exports");
        survey.keep_exports(unit);
        survey.note_compiled(compiled.field_names(), compiled.changing_methods());
        self.ready_units.insert(compiled.name.clone(), unit);
        self.found_under.push(None);
        self.graph.modules.push(Module {
            name: compiled.name.clone(),
            tree: Arc::new(tree),
            assets: Assets::default(),
            compiled: Some(compiled.clone()),
        });
    }

    /// A compiled importer counts on what the module exported then.
    fn expect_same_exports(&mut self, by: &Compiled, then: &Imported, now: &Compiled) {
        if !by.fits(then, now) {
            self.refuse(format!(
                "module '{}' was compiled when '{}' exported something else: compile it again",
                by.name, now.name
            ));
        }
    }

    fn load(
        &mut self,
        name: &str,
        found: &Found,
        sources: &mut SourceMap,
    ) -> (Outcome, Option<Vec<ImportIndex>>) {
        match self.parse(found, sources) {
            Ok((tree, assets, unit, imports)) => {
                self.graph.modules.push(Module {
                    name: name.to_owned(),
                    tree: Arc::new(tree),
                    assets,
                    compiled: None,
                });
                self.found_under.push(Some(found.root));
                self.roots.note_loaded(&found.path);
                (Outcome::Loaded(unit), Some(imports))
            }
            Err(broken) => (Outcome::Broken(broken), None),
        }
    }

    fn parse(
        &mut self,
        found: &Found,
        sources: &mut SourceMap,
    ) -> Result<(ast::Program, Assets, UnitIndex, Vec<ImportIndex>), Broken> {
        let name = found.path.display().to_string();
        let file = sources.load_as(&found.real, name).map_err(|error| Broken {
            action: "read",
            reason: error.reason,
        })?;
        let broken = |diagnostics: Vec<Diagnostic>| broken(&diagnostics, sources);
        let tree = syntax::parse(sources, file).map_err(broken)?;
        let assets = assets::load(&tree, Some(&found.real)).map_err(broken)?;
        let (unit, imports) = self.graph.survey.add(&tree, &[]).map_err(broken)?;
        Ok((tree, assets, unit, imports))
    }
}

fn broken(diagnostics: &[Diagnostic], sources: &SourceMap) -> Broken {
    let first = diagnostics.first();
    let is_lexical = first.is_some_and(|first| first.code.stage() == Stage::Lexer);
    Broken {
        action: if is_lexical { "tokenize" } else { "parse" },
        reason: first.map_or_else(String::new, |first| {
            let place = first.span.map(|span| sources.line_column(span));
            let (line, column) = place.map_or((1, 1), |place| (place.line, place.column));
            format!("{line}:{column}: {}", first.message)
        }),
    }
}

fn refused(name: &str, refusal: Refusal) -> String {
    match refusal {
        Refusal::Missing => format!(
            "Module not found: {name}; Check that '{name}' exists as a flat <module>.ruff file \
             or a nested src/... path under the package root, and confirm the import name \
             matches the on-disk layout."
        ),
        Refusal::Unsafe(reason) => format!("Unsafe module import '{name}': {reason}"),
    }
}
