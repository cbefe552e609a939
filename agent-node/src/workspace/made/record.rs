//! What says that a workspace is whole, and what it is.

use super::Filled;
use crate::workspace::layers::RECORD;
use capstan_types::id::ThreadId;
use capstan_types::source::{MakeWorkspace, WorkspaceSource};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The form of records that this node writes. A later one is not read.
const VERSION: u32 = 1;

/// The name of the record, in the directory of its thread.
pub(super) const NAME: &str = RECORD;

/// A workspace that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    pub(crate) thread: ThreadId,
    pub(crate) source: WorkspaceSource,
    /// How its files came there, in one word.
    pub(crate) how: String,
    /// The commit that was checked out.
    pub(crate) revision: Option<String>,
    pub(crate) fetched_bytes: u64,
    pub(crate) reused_mirror: bool,
    /// What its layer lies over; `None` when it is no layer.
    #[serde(default)]
    pub(crate) base: Option<PathBuf>,
    /// The most bytes that it may take.
    pub(crate) quota_bytes: Option<u64>,
    /// When, in milliseconds since 1970 by the node's clock.
    pub(crate) made_at_ms: u64,
}

impl Record {
    pub(super) fn new(make: &MakeWorkspace, filled: Filled) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Filled { how, revision, fetched_bytes, reused_mirror, base } = filled;
        Self {
            version: VERSION,
            thread: make.authority.thread,
            source: make.source.clone(),
            how,
            revision,
            fetched_bytes,
            reused_mirror,
            base,
            quota_bytes: make.quota_bytes,
            made_at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The one that lies in `dir`; none when there is no such directory. An error is the rest of a sentence.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read(dir.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("has a record that cannot be read: {error}")),
        };
        let record: Self =
            serde_json::from_slice(&text).map_err(|error| format!("has a record that cannot be understood: {error}"))?;
        match record.version {
            VERSION => Ok(Some(record)),
            other => Err(format!("has a record of the form {other}, and this node reads {VERSION}; upgrade the node")),
        }
    }

    /// Brings it to the disk.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut file = File::create(dir.join(NAME))?;
        file.write_all(&serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        file.sync_all()
    }
}
