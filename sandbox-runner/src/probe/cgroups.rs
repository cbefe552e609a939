//! Which cgroup hierarchies a session could be bounded by: those in which a group can be made, below our own.

use crate::cgroup::{Places, sweep};
use std::fs;
use std::path::Path;

/// The writable hierarchies, as `v1:CONTROLLER` or `v2:FEATURE`. What dead holders have left in them is removed on the way.
pub(super) fn writable() -> Vec<String> {
    let places = Places::find();
    sweep(&places, usize::MAX);
    let version_1 = places.by_controller().filter(|(_, dir)| tried(dir, |_| true)).map(|(name, _)| format!("v1:{name}"));
    let mut names: Vec<String> = version_1.collect();
    if let Some((dir, controllers)) = places.unified() {
        let features = ["kill", "freeze"].into_iter();
        names.extend(features.filter(|name| tried(dir, |group| group.join(format!("cgroup.{name}")).exists())).map(version_2));
        if tried(dir, |_| true) {
            names.extend(controllers.into_iter().map(version_2));
        }
    }
    names.sort();
    names.dedup();
    names
}

fn version_2(name: &str) -> String {
    format!("v2:{name}")
}

/// Whether a group can be made in `place`, and is as it should be.
fn tried(place: &Path, fits: impl FnOnce(&Path) -> bool) -> bool {
    let trial = place.join(format!("capstan-probe-{}", std::process::id()));
    let made = fs::create_dir(&trial).is_ok();
    let fitting = made && fits(&trial);
    if made {
        let _ = fs::remove_dir(&trial);
    }
    fitting
}
