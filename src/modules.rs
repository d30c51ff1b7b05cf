//! The modules that a script imports, and those that they import: found, read,
//! parsed and checked, each once.
//!
//! An import takes effect when it is executed, so nothing that is wrong with a
//! module is an error here.  It becomes the message that the import raises.
//! Modules are looked for where they are found at run time too, but all of
//! them at once: in the order of the source, as if every import were executed
//! where it stands.

mod assets;
mod find;

pub use assets::{Asset, Assets};

use crate::diagnostic::{Diagnostic, Stage};
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
}

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
    load_as(Role::Program, script, tests, sources)
}

/// The same for a script with another role.
///
/// # Errors
/// As `load`.
pub fn load_as(
    role: Role,
    script: Arc<ast::Program>,
    tests: &[Test],
    sources: &mut SourceMap,
) -> Result<Graph, Vec<Diagnostic>> {
    let path = sources.file(script.span.file).path();
    let assets = assets::load(&script, path)?;
    let mut survey = Survey::of(role);
    let (unit, imports) = survey.add(&script, tests)?;
    let mut loader = Loader {
        roots: Roots::of(sources.file(script.span.file).path()),
        graph: Graph {
            modules: vec![Module {
                name: String::new(),
                tree: script,
                assets,
            }],
            survey,
        },
        found_under: vec![None],
        known: FxHashMap::default(),
    };
    // Modules can be nested deeply, so what is half done waits in a list.
    let mut waiting = vec![(unit, imports.into_iter())];
    while let Some((unit, imports)) = waiting.last_mut() {
        match imports.next() {
            Some(import) => {
                let unit = *unit;
                if let Some((unit, imports)) = loader.import(unit, import, sources) {
                    waiting.push((unit, imports.into_iter()));
                }
            }
            None => {
                waiting.pop();
            }
        }
    }
    Ok(loader.graph)
}

struct Loader {
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

impl Loader {
    /// Finds out what an import leads to.  Gives a module that is new, with its
    /// own imports.
    fn import(
        &mut self,
        importer: UnitIndex,
        import: ImportIndex,
        sources: &mut SourceMap,
    ) -> Option<(UnitIndex, Vec<ImportIndex>)> {
        let name = self.graph.survey.path(import).to_owned();
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
