//! What says that a checkpoint is whole, and of what it is made: a blob of JSON that whoever has the packs brings it back by.

use super::{CheckpointName, WorkspaceSaved};
use crate::id::ThreadId;
use crate::path::AbsPath;
use crate::tree_document::{Skipped, StateTaken, TreeState};
use serde::{Deserialize, Serialize};

/// The form of records that is written. A later one is not read.
const VERSION: u32 = 1;

/// A checkpoint's record. It is written after everything that it names, so a checkpoint is whole when its record is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRecord {
    version: u32,
    /// Whose.
    pub thread: ThreadId,
    /// Among the checkpoints of its thread.
    pub name: CheckpointName,
    /// Where the workspace was.
    pub cwd: AbsPath,
    /// What it was.
    pub state: TreeState,
    /// The names of the packs that hold all of it: hashes.
    pub packs: Vec<String>,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many bytes had not been stored before.
    pub new_bytes: u64,
    /// What is no part of it although it should be.
    pub skipped: Skipped,
    /// Whether what git ignores is part of it.
    pub ignored: bool,
}

impl CheckpointRecord {
    /// The record of a state that was taken of the workspace at `cwd`.
    #[must_use]
    pub fn new(thread: ThreadId, name: CheckpointName, cwd: AbsPath, ignored: bool, taken: StateTaken) -> Self {
        let StateTaken { state, packs, files, bytes, new_bytes, skipped, .. } = taken;
        Self { version: VERSION, thread, name, cwd, state, packs, files, bytes, new_bytes, skipped, ignored }
    }

    /// What is told of it.
    #[must_use]
    pub fn saved(&self) -> WorkspaceSaved {
        let Self { files, bytes, new_bytes, skipped, .. } = self.clone();
        WorkspaceSaved { files, bytes, new_bytes, skipped, record: Some(Box::new(self.clone())) }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        // Nothing in it can fail to be written: it has texts and numbers only.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what was written elsewhere.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and what to do.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let broken = |error: serde_json::Error| format!("its record cannot be read ({error}); save it again");
        let Versioned { version } = serde_json::from_slice(text).map_err(broken)?;
        if version > VERSION {
            return Err(format!("its record has the form {version}, and this program reads up to {VERSION}; upgrade it"));
        }
        let record: Self = serde_json::from_slice(text).map_err(broken)?;
        if record.packs.iter().all(|pack| is_pack_name(pack)) { Ok(record) } else { Err("its record names no packs".to_owned()) }
    }

    /// The name of its blob.
    #[must_use]
    pub fn blob(&self) -> String {
        record_blob(self.thread, &self.name)
    }
}

/// The name of a record's blob.
#[must_use]
pub fn record_blob(thread: ThreadId, name: &CheckpointName) -> String {
    format!("checkpoints/{thread}/{name}.json")
}

/// The name of a pack's blob.
#[must_use]
pub fn pack_blob(pack: &str) -> String {
    format!("packs/{pack}.pack")
}

/// Whether a text can be the name of a pack, and nothing else.
#[must_use]
pub fn is_pack_name(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> CheckpointRecord {
        let taken = StateTaken {
            state: TreeState { size: 1, objects: vec!["a".repeat(64)], mode: 0o755 },
            packs: vec!["b".repeat(64)],
            new_packs: Vec::new(),
            files: 1,
            bytes: 2,
            new_bytes: 3,
            skipped: Skipped::default(),
        };
        CheckpointRecord::new(ThreadId::from_u128(7), "turn".parse().unwrap(), AbsPath::new("/w").unwrap(), true, taken)
    }

    #[test]
    fn a_record_is_read_back_and_a_broken_one_is_refused_in_words() {
        let text = record().text();
        assert_eq!(CheckpointRecord::parse(&text), Ok(record()));
        let broken = CheckpointRecord::parse(&text[..text.len() / 2]).unwrap_err();
        assert!(broken.contains("save it again"), "{broken}");
    }

    #[test]
    fn a_later_form_and_a_name_that_leads_elsewhere_are_refused_in_words() {
        let text = String::from_utf8(record().text()).unwrap();
        let later = CheckpointRecord::parse(text.replace("\"version\":1", "\"version\":2").as_bytes()).unwrap_err();
        assert_eq!(later, "its record has the form 2, and this program reads up to 1; upgrade it");
        let elsewhere = text.replace(&"b".repeat(64), "../../etc/passwd");
        assert_eq!(CheckpointRecord::parse(elsewhere.as_bytes()).unwrap_err(), "its record names no packs");
    }
}
