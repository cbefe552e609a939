//! What is known of the states of a workspace: what a turn changed, and what became of undoing it.

use bytes::Bytes;

/// What a turn changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// A unified diff, whole or cut.
    pub diff: String,
    /// How many bytes of it are left out.
    pub left_out_bytes: u64,
    /// How many files changed, those that are left out included.
    pub files: u64,
}

/// What a patch is that is sent in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchFacts {
    /// How long the whole patch is.
    pub bytes: u64,
    /// How many files it changes.
    pub files: u64,
    /// The commit on which the workspace stood where the patch begins, where there was one and it is known.
    pub base: Option<String>,
}

/// A piece of a patch: first what it is, and then its bytes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchPart {
    /// What it is.
    Facts(PatchFacts),
    /// The next bytes.
    Data(Bytes),
}

/// Names of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileNames {
    /// Some of them.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: u64,
}

/// What became of undoing a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// The workspace is as it was before the turn.
    Done {
        /// The name of the state that it had until then: undoing that brings it back.
        saved: String,
        /// The files that were changed.
        changed: FileNames,
        /// Whether some could not be brought back, because they may not be written.
        resisted: bool,
    },
    /// Nothing was done: these files have changed since the turn ended.
    ChangedSince(FileNames),
    /// Nothing was done: the turn's end was not seen, so nobody knows what has changed since.
    NeverEnded,
}

impl Changes {
    /// The diff, and where it is cut a line that says how much is missing.
    #[must_use]
    pub fn text(self) -> String {
        let Self { mut diff, left_out_bytes, files } = self;
        if left_out_bytes > 0 {
            diff.push_str(&format!("\n[{left_out_bytes} more bytes of the diff are not shown; {files} files changed in all]\n"));
        }
        diff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_that_is_cut_says_by_how_much() {
        let changes = |left_out_bytes| Changes { diff: "+x".into(), left_out_bytes, files: 3 };
        assert_eq!(changes(0).text(), "+x");
        assert_eq!(changes(7).text(), "+x\n[7 more bytes of the diff are not shown; 3 files changed in all]\n");
    }
}
