//! Forgets checkpoints whose time is over, packs that no record names, and what was cut off.

use capstan_types::saved::record::CheckpointRecord;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a checkpoint is kept on the node. What lies beyond the node is not touched.
const KEPT_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// What is younger may belong to a state that is just being taken.
const YOUNG: Duration = Duration::from_secs(3600);

/// Sweeps the directory of a node's checkpoints. Nodes that share it may do so at once.
pub(super) fn sweep(dir: &Path) {
    let now = SystemTime::now();
    let older = |path: &PathBuf, age: Duration| {
        let changed = fs::symlink_metadata(path).and_then(|found| found.modified());
        changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|since| since > age))
    };
    let mut named = BTreeSet::new();
    for thread in entries(&dir.join("records")) {
        for path in entries(&thread) {
            match fs::read(&path).map_err(|error| error.to_string()).and_then(|text| CheckpointRecord::parse(&text)) {
                Ok(record) if !older(&path, KEPT_FOR) => named.extend(record.packs),
                Ok(_) => remove(&path),
                Err(_) if older(&path, YOUNG) => remove(&path),
                Err(_) => {}
            }
        }
        // Only where nothing is left in it.
        let _ = fs::remove_dir(&thread);
    }
    let is_named = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| named.contains(stem));
    let over = entries(&dir.join("packs")).into_iter().filter(|path| !is_named(path) && older(path, YOUNG));
    over.chain(entries(&dir.join("new")).into_iter().filter(|path| older(path, YOUNG)))
        .chain(entries(&dir.join("seen")).into_iter().filter(|path| older(path, KEPT_FOR)))
        .for_each(|path| remove(&path));
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed {
        tracing::warn!(path = %path.display(), %error, "what no checkpoint needs could not be removed; it is tried again within the hour");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::ThreadId;
    use capstan_types::path::AbsPath;
    use capstan_types::tree_document::{Skipped, StateTaken, TreeState};

    #[test]
    fn what_a_living_checkpoint_names_stays_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let packs: Vec<String> = ["a", "b", "c", "d"].map(|letter| letter.repeat(64)).to_vec();
        let record = |name: &str, pack: &str| {
            let state = TreeState { size: 0, objects: Vec::new(), mode: 0 };
            let skipped = Skipped::default();
            let packs = vec![pack.to_owned()];
            let taken = StateTaken { state, packs, new_packs: Vec::new(), files: 0, bytes: 0, new_bytes: 0, skipped };
            let record =
                CheckpointRecord::new(ThreadId::from_u128(1), name.parse().unwrap(), AbsPath::new("/w").unwrap(), false, taken);
            crate::workspace::saved::record::write(dir.path(), &record).unwrap();
        };
        record("living", &packs[0]);
        record("over", &packs[1]);
        fs::create_dir(dir.path().join("packs")).unwrap();
        let path = |pack: &str| dir.path().join(format!("packs/{pack}.pack"));
        let age = |path: &Path, seconds| {
            let then = SystemTime::now() - Duration::from_secs(seconds);
            fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        };
        for pack in &packs {
            fs::write(path(pack), "x").unwrap();
            age(&path(pack), 4000);
        }
        age(&path(&packs[3]), 10);
        age(&dir.path().join("records").join(ThreadId::from_u128(1).to_string()).join("over.json"), 15 * 24 * 3600);
        sweep(dir.path());
        let stays: Vec<bool> = packs.iter().map(|pack| path(pack).exists()).collect();
        assert_eq!(stays, [true, false, false, true], "named, of one that is over, unnamed, and too young to judge");
    }
}
