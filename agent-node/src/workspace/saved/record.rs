//! Records of checkpoints in the node's own directory.

use capstan_types::id::{SessionId, ThreadId};
use capstan_types::saved::CheckpointName;
use capstan_types::saved::record::CheckpointRecord;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The one that lies in `dir`. One that cannot be read is not there: it is saved again.
pub(super) fn read(dir: &Path, thread: ThreadId, name: &CheckpointName) -> Option<CheckpointRecord> {
    CheckpointRecord::parse(&fs::read(path(dir, thread, name)).ok()?).ok()
}

/// Written aside, brought to the disk and renamed: it is whole, or not there, however many write it at once. One that is there already stays.
pub(super) fn write(dir: &Path, record: &CheckpointRecord) -> io::Result<()> {
    if read(dir, record.thread, &record.name).as_ref() == Some(record) {
        return Ok(());
    }
    let path = path(dir, record.thread, &record.name);
    let above = path.parent().unwrap_or(dir);
    super::make_private(above)?;
    let aside = path.with_extension(format!("{}.new", SessionId::generate()));
    let mut file = File::create(&aside)?;
    file.write_all(&record.text())?;
    file.sync_all()?;
    fs::rename(&aside, &path).inspect_err(|_| drop(fs::remove_file(&aside)))?;
    File::open(above)?.sync_all()
}

fn path(dir: &Path, thread: ThreadId, name: &CheckpointName) -> PathBuf {
    dir.join("records").join(thread.to_string()).join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;
    use capstan_types::tree_document::{Skipped, StateTaken, TreeState};

    #[test]
    fn a_record_is_read_back_and_a_broken_one_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let state = TreeState { size: 1, objects: vec!["a".repeat(64)], mode: 0o755 };
        let skipped = Skipped::default();
        let taken = StateTaken { state, packs: Vec::new(), new_packs: Vec::new(), files: 1, bytes: 2, new_bytes: 3, skipped };
        let (thread, cwd) = (ThreadId::from_u128(7), AbsPath::new("/w").unwrap());
        let record = CheckpointRecord::new(thread, "turn".parse().unwrap(), cwd, true, taken);
        write(dir.path(), &record).unwrap();
        assert_eq!(read(dir.path(), thread, &record.name), Some(record.clone()));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (dir, mut record) = (dir.path(), record.clone());
                record.files = number;
                scope.spawn(move || write(dir, &record).unwrap());
            }
        });
        assert!(read(dir.path(), thread, &record.name).is_some_and(|found| found.files < 8));
        assert_eq!(fs::read_dir(path(dir.path(), thread, &record.name).parent().unwrap()).unwrap().count(), 1);
        let text = record.text();
        fs::write(path(dir.path(), thread, &record.name), &text[..text.len() / 2]).unwrap();
        assert_eq!(read(dir.path(), thread, &record.name), None);
    }
}
