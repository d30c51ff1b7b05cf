//! Where a module's file is: the roots that are searched, and their order.
//!
//! A file counts only if it really is below its root: a link that leads out
//! of it is refused, not followed.

use rustc_hash::FxHashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Names a root of `Roots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RootIndex(usize);

/// The folders in which modules are looked for.
pub(super) struct Roots {
    rows: Vec<Root>,
    by_real: FxHashMap<PathBuf, RootIndex>,
    /// The same for every import, in the order of the search.
    fixed: Vec<RootIndex>,
    /// Folders of modules that were loaded, in that order.
    loaded: Vec<RootIndex>,
}

struct Root {
    /// As messages show it.
    path: PathBuf,
    /// Without links.
    real: PathBuf,
}

/// A module's file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// As messages show it.
    pub path: PathBuf,
    /// Without links.
    pub real: PathBuf,
    pub root: RootIndex,
}

/// Why there is no file for a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Missing,
    Unsafe(&'static str),
}

impl Roots {
    /// The roots for a script, by its path if it is in a file.
    pub fn of(script: Option<&Path>) -> Roots {
        Roots::starting_at(Path::new(""), script)
    }

    /// The same with another working directory.
    fn starting_at(working: &Path, script: Option<&Path>) -> Roots {
        let mut roots = Roots {
            rows: Vec::new(),
            by_real: FxHashMap::default(),
            fixed: Vec::new(),
            loaded: Vec::new(),
        };
        let mut folders = vec![working.to_owned(), working.join("modules")];
        if let Some(folder) = script.and_then(Path::parent) {
            folders.push(folder.to_owned());
            folders.extend(around_source_folder(folder));
        }
        for folder in folders {
            if let Some(root) = roots.root(folder)
                && !roots.fixed.contains(&root)
            {
                roots.fixed.push(root);
            }
        }
        roots
    }

    /// Finds the file of the module with this dotted name; `first` is the root
    /// under which the importing module was found.
    pub fn find(&self, name: &str, first: Option<RootIndex>) -> Result<Found, Refusal> {
        // The grammar has no such names; this must hold whoever asks.
        let is_plain = |segment: &str| {
            !segment.is_empty() && !segment.contains(['/', '\\', ':', '\0']) && segment != ".."
        };
        if !name.split('.').all(is_plain) {
            return Err(Refusal::Unsafe(
                "a name may not be absolute or contain '..'",
            ));
        }
        let flat = format!("{name}.ruff");
        let nested = format!("{}.ruff", name.replace('.', "/"));
        let mut searched = Vec::new();
        for root in first.iter().chain(&self.fixed).chain(&self.loaded) {
            if searched.contains(root) {
                continue;
            }
            searched.push(*root);
            let Root { path, real } = &self.rows[root.0];
            for candidate in [&flat, &nested] {
                let file = real.join(candidate);
                if !file.is_file() {
                    continue;
                }
                let Ok(real_file) = fs::canonicalize(&file) else {
                    continue;
                };
                if !real_file.starts_with(real) {
                    return Err(Refusal::Unsafe("the file is outside of its root"));
                }
                return Ok(Found {
                    path: path.join(candidate),
                    real: real_file,
                    root: *root,
                });
            }
        }
        Err(Refusal::Missing)
    }

    /// Has the folder of a module's file searched too, after all others.
    pub fn note_loaded(&mut self, file: &Path) {
        let folder = file.parent().unwrap_or(Path::new(""));
        if let Some(root) = self.root(folder.to_owned())
            && !self.loaded.contains(&root)
        {
            self.loaded.push(root);
        }
    }

    /// The root for a folder, if it exists.
    fn root(&mut self, path: PathBuf) -> Option<RootIndex> {
        let here = Path::new(".");
        let folder = if path.as_os_str().is_empty() {
            here
        } else {
            &path
        };
        let real = fs::canonicalize(folder).ok().filter(|real| real.is_dir())?;
        if let Some(root) = self.by_real.get(&real) {
            return Some(*root);
        }
        let root = RootIndex(self.rows.len());
        self.by_real.insert(real.clone(), root);
        self.rows.push(Root { path, real });
        Some(root)
    }
}

/// The folder around one that is named `src`.
fn around_source_folder(folder: &Path) -> Option<PathBuf> {
    let is_source = |path: &Path| path.file_name().is_some_and(|name| name == "src");
    if is_source(folder) {
        return folder.parent().map(Path::to_owned);
    }
    let here = Path::new(".").join(folder);
    let real = fs::canonicalize(here).ok()?;
    is_source(&real).then(|| folder.join(".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        folder
    }

    fn found(roots: &Roots, name: &str, first: Option<RootIndex>) -> Result<PathBuf, Refusal> {
        roots.find(name, first).map(|found| found.path)
    }

    #[test]
    fn roots_are_searched_in_order_and_flat_files_first() {
        let folder = folder_with(&[
            "a.ruff",
            "modules/a.ruff",
            "modules/b.ruff",
            "app/src/b.ruff",
            "app/src/c.ruff",
            "app/c.ruff",
            "app/d.ruff",
            "x.y.ruff",
            "x/y.ruff",
            "x/z.ruff",
        ]);
        let path = folder.path();
        let mut roots = Roots::starting_at(path, Some(&path.join("app/src/main.ruff")));
        let expected = [
            ("a", "a.ruff"),
            ("b", "modules/b.ruff"),
            ("c", "app/src/c.ruff"),
            ("d", "app/d.ruff"),
            ("x.y", "x.y.ruff"),
            ("x.z", "x/z.ruff"),
        ];
        for (name, file) in expected {
            assert_eq!(found(&roots, name, None), Ok(path.join(file)), "{name}");
        }
        assert_eq!(found(&roots, "z", None), Err(Refusal::Missing));
        roots.note_loaded(&path.join("x/y.ruff"));
        let z = roots.find("z", None).expect("beside a loaded module");
        assert_eq!(z.path, path.join("x/z.ruff"));
        // The importing module's own root comes first.
        assert_eq!(found(&roots, "y", Some(z.root)), Ok(path.join("x/y.ruff")));
    }

    #[test]
    fn names_cannot_lead_out() {
        let folder = folder_with(&["a.ruff", "sub/main.ruff"]);
        let roots = Roots::starting_at(&folder.path().join("sub"), None);
        for name in ["..a", "", "a.", "/a", "../a", "a..b", "c:a"] {
            let refused = matches!(roots.find(name, None), Err(Refusal::Unsafe(_)));
            assert!(refused, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_may_stay_inside_but_not_lead_out() {
        let folder = folder_with(&["secret.ruff", "root/real.ruff", "other/deep.ruff"]);
        let path = folder.path();
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(path.join(to), path.join(at)).expect("linked");
        };
        link("root/real.ruff", "root/alias.ruff");
        link("secret.ruff", "root/stolen.ruff");
        link("other", "root/lib");
        link("nowhere.ruff", "root/dangling.ruff");
        let roots = Roots::starting_at(&path.join("root"), None);
        let alias = roots.find("alias", None).expect("inside");
        assert_eq!(
            Ok(alias.real),
            roots.find("real", None).map(|found| found.real)
        );
        let outside = Err(Refusal::Unsafe("the file is outside of its root"));
        assert_eq!(found(&roots, "stolen", None), outside);
        assert_eq!(found(&roots, "lib.deep", None), outside);
        assert_eq!(found(&roots, "dangling", None), Err(Refusal::Missing));
    }
}
