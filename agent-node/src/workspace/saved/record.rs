//! What says that a checkpoint is whole, and of what it is made.

use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use capstan_types::saved::{CheckpointName, WorkspaceSaved};
use capstan_types::tree_document::{Skipped, StateTaken, TreeState};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The form of records that this node writes. A later one is not read.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    pub(super) thread: ThreadId,
    pub(super) name: CheckpointName,
    /// Where the workspace was.
    pub(super) cwd: AbsPath,
    pub(super) state: TreeState,
    /// All that is needed.
    pub(super) packs: Vec<String>,
    files: u64,
    bytes: u64,
    new_bytes: u64,
    skipped: Skipped,
    ignored: bool,
}

impl Record {
    pub(super) fn new(thread: ThreadId, name: CheckpointName, cwd: AbsPath, ignored: bool, taken: StateTaken) -> Self {
        let StateTaken { state, packs, files, bytes, new_bytes, skipped, .. } = taken;
        Self { version: VERSION, thread, name, cwd, state, packs, files, bytes, new_bytes, skipped, ignored }
    }

    /// Whether what git ignores is part of it.
    pub(super) const fn ignored(&self) -> bool {
        self.ignored
    }

    pub(super) fn saved(&self) -> WorkspaceSaved {
        let Self { files, bytes, new_bytes, skipped, .. } = self;
        WorkspaceSaved { files: *files, bytes: *bytes, new_bytes: *new_bytes, skipped: skipped.clone() }
    }

    pub(super) fn text(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    /// Reads what a node has written. An error is a sentence.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let broken = |error: serde_json::Error| format!("its record cannot be read ({error}); save it again");
        let Versioned { version } = serde_json::from_slice(text).map_err(broken)?;
        if version > VERSION {
            return Err(format!("its record has the form {version}, and this node reads up to {VERSION}; upgrade the node"));
        }
        let record: Self = serde_json::from_slice(text).map_err(broken)?;
        if record.packs.iter().all(|pack| is_hash(pack)) { Ok(record) } else { Err("its record names no packs".to_owned()) }
    }

    /// The one that lies in `dir`. One that cannot be read is not there: it is saved again.
    pub(super) fn read(dir: &Path, thread: ThreadId, name: &CheckpointName) -> Option<Self> {
        Self::parse(&fs::read(path(dir, thread, name)).ok()?).ok()
    }

    /// Written aside, brought to the disk and renamed: it is whole, or not there.
    pub(super) fn write(&self, dir: &Path, text: &[u8]) -> io::Result<()> {
        let path = path(dir, self.thread, &self.name);
        let above = path.parent().unwrap_or(dir);
        super::make_private(above)?;
        let aside = path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&aside, &path)?;
        File::open(above)?.sync_all()
    }

    /// The name of its blob.
    pub(super) fn blob(&self) -> String {
        blob(self.thread, &self.name)
    }
}

/// The name of a record's blob.
pub(super) fn blob(thread: ThreadId, name: &CheckpointName) -> String {
    format!("checkpoints/{thread}/{name}.json")
}

fn path(dir: &Path, thread: ThreadId, name: &CheckpointName) -> PathBuf {
    dir.join("records").join(thread.to_string()).join(format!("{name}.json"))
}

/// Whether a text can be the name of a pack, and nothing else.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> Record {
        let taken = StateTaken {
            state: TreeState { size: 1, objects: vec!["a".repeat(64)], mode: 0o755 },
            packs: vec!["b".repeat(64)],
            new_packs: Vec::new(),
            files: 1,
            bytes: 2,
            new_bytes: 3,
            skipped: Skipped::default(),
        };
        Record::new(ThreadId::from_u128(7), name.parse().unwrap(), AbsPath::new("/w").unwrap(), true, taken)
    }

    #[test]
    fn a_record_is_read_back_and_a_broken_one_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let record = record("turn");
        let text = record.text().unwrap();
        record.write(dir.path(), &text).unwrap();
        let read = || Record::read(dir.path(), record.thread, &record.name);
        assert_eq!(read(), Some(record.clone()));
        fs::write(path(dir.path(), record.thread, &record.name), &text[..text.len() / 2]).unwrap();
        assert_eq!(read(), None);
    }

    #[test]
    fn a_later_form_and_a_name_that_leads_elsewhere_are_refused_in_words() {
        let text = String::from_utf8(record("turn").text().unwrap()).unwrap();
        let later = Record::parse(text.replace("\"version\":1", "\"version\":2").as_bytes()).unwrap_err();
        assert_eq!(later, "its record has the form 2, and this node reads up to 1; upgrade the node");
        let elsewhere = text.replace(&"b".repeat(64), "../../etc/passwd");
        assert_eq!(Record::parse(elsewhere.as_bytes()).unwrap_err(), "its record names no packs");
    }
}
