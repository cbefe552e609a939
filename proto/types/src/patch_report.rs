//! What the runner's `patch` verb reads and prints, so that a node and its runner agree on it.
//!
//! The verb runs as the program of a session, inside that session's sandbox: the document is its input, the result its output.

use crate::item::FileChange;
use crate::path::AbsPath;
use serde::{Deserialize, Serialize};

/// A patch to apply: one JSON document on the verb's standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchDocument {
    /// The directory that relative paths in the patch start from.
    pub cwd: AbsPath,
    /// The patch, in the grammar of [`crate::patch`].
    pub patch: String,
    /// Apply nothing: undo what a program left that was killed in the middle of this patch, and say so as a refusal.
    #[serde(default)]
    pub undo_only: bool,
}

/// What became of a patch: one line of JSON on the verb's standard output. A patch is applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchResult {
    /// Every file was changed, in the order of the patch.
    Applied(Vec<FileChange>),
    /// No file was changed; a sentence for the model that says why, and what to do.
    Refused(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::FileChangeKind;

    #[test]
    fn a_result_has_the_form_that_the_node_reads() {
        let applied = PatchResult::Applied(vec![FileChange { path: "a".into(), kind: FileChangeKind::Add }]);
        let json = r#"{"applied":[{"path":"a","kind":"add"}]}"#;
        assert_eq!(serde_json::to_string(&applied).unwrap(), json);
        assert_eq!(serde_json::from_str::<PatchResult>(json).unwrap(), applied);
        let refused = PatchResult::Refused("no".into());
        assert_eq!(serde_json::to_string(&refused).unwrap(), r#"{"refused":"no"}"#);
    }
}
