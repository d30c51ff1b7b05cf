//! Where the runtimes are that this `ruffc` has built for other targets.
//!
//! A runtime belongs to the sources that it was built from: one that another
//! version has left is in another directory, and never found.

use super::condense::Goal;
use std::env;
use std::path::PathBuf;

/// Names everything that a runtime depends on; see `build/sources.rs`.
pub const FINGERPRINT: &str = env!("RUFFC_RUNTIME_FINGERPRINT");

/// What cargo calls a runtime archive, whatever the target and the goal.
pub const ARCHIVE: &str = "libruffrt.a";

/// What a runtime archive is called, whatever the target.
pub fn archive(goal: Goal) -> &'static str {
    match goal {
        Goal::Speed => ARCHIVE,
        Goal::Size => "libruffrt-small.a",
    }
}

/// The directory of everything that is kept between builds; none if the user
/// has no directory for such things.
pub fn directory() -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    let base = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let base = base.or_else(|| {
        if cfg!(windows) {
            return variable("LOCALAPPDATA");
        }
        let home = env::home_dir()?;
        Some(home.join(if cfg!(target_vendor = "apple") {
            "Library/Caches"
        } else {
            ".cache"
        }))
    });
    Some(base?.join("ruffc"))
}

/// Where the runtime for a target is, or would be.
pub fn runtime(target: &str, goal: Goal) -> Option<PathBuf> {
    let runtimes = directory()?.join("runtimes").join(FINGERPRINT);
    Some(runtimes.join(target).join(archive(goal)))
}
