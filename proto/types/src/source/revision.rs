//! The name of a revision: a branch, a tag, a commit or a ref, and nothing that git would calculate with.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest, in bytes.
const LONGEST: usize = 256;

/// The name of a branch or tag, a whole name below `refs/`, or the hash of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Revision(String);

/// A text that names no revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no revision; use a branch, a tag, a commit or a name below refs/, without blanks, `..`, `~`, `^` or `:`")]
pub struct RevisionError(String);

impl Revision {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the whole hash of a commit: 40 or 64 hexadecimal digits.
    #[must_use]
    pub fn is_hash(&self) -> bool {
        matches!(self.0.len(), 40 | 64) && self.is_hexadecimal()
    }

    /// Whether it may be the beginning of a hash: at least 7 hexadecimal digits.
    #[must_use]
    pub fn may_be_short_hash(&self) -> bool {
        (7..64).contains(&self.0.len()) && self.is_hexadecimal()
    }

    fn is_hexadecimal(&self) -> bool {
        self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        let is_strange = |char: char| char.is_control() || char.is_whitespace() || "~^:?*[\\\"'`<>|&;$(){}".contains(char);
        let is_step = |step: &str| !step.is_empty() && !step.starts_with(['.', '-']) && !step.ends_with(".lock");
        let fits = (1..=LONGEST).contains(&text.len())
            && !text.chars().any(is_strange)
            && !text.contains("..")
            && !text.ends_with('.')
            && text != "@"
            && text.split('/').all(is_step);
        if fits { Ok(Self(text.to_owned())) } else { Err(RevisionError(text.escape_debug().take(80).collect())) }
    }
}

impl TryFrom<String> for Revision {
    type Error = RevisionError;

    fn try_from(text: String) -> Result<Self, RevisionError> {
        text.parse()
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_revision_is_a_name_or_a_hash() {
        for text in ["main", "feature/x-1", "v1.2.3", "refs/pull/7/head", "HEAD", &"a1".repeat(20), "release@2"] {
            assert_eq!(text.parse::<Revision>().unwrap().as_str(), text);
        }
        for text in
            ["", "-x", "a/-x", "a..b", "a~1", "a^{tree}", "a:b", "a b", "@", "@{-1}", "/a", "a/", "a//b", "x.lock", ".x", "a\n"]
        {
            assert!(text.parse::<Revision>().is_err(), "{text:?}");
        }
        let hash: Revision = "0a".repeat(20).parse().unwrap();
        assert!(hash.is_hash() && hash.may_be_short_hash());
        assert!(!"cafe".parse::<Revision>().unwrap().may_be_short_hash());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_no_option_and_no_expression(text in "[-a-z0-9./~^:@{} \n]{0,12}") {
            if let Ok(revision) = text.parse::<Revision>() {
                let text = revision.as_str();
                let is_strange = text.contains(['~', '^', ':', '{', ' ', '\n']);
                prop_assert!(!text.starts_with('-') && !text.contains("..") && !is_strange);
            }
        }
    }
}
