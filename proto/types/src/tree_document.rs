//! What the runner's `tree` verb reads and prints, so that a node and its runner agree on it.
//!
//! The verb runs as the program of a session: one JSON document is its input, one line of JSON its output.

use crate::path::AbsPath;
use serde::{Deserialize, Serialize};

/// What is to be done: one JSON document on the verb's standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum TreeDocument {
    /// Take the state of a tree.
    Take {
        /// The tree's top.
        top: AbsPath,
        /// The directory of the packs that are there.
        store: AbsPath,
        /// The directory for the packs that are new. It exists.
        out: AbsPath,
        /// Where it is noted what was seen. It need not exist.
        seen: AbsPath,
        /// What is no part of the state.
        leave: Leave,
        /// How much it may hold.
        bounds: Bounds,
    },
    /// Put a state back.
    Put {
        /// The tree's top. It exists.
        top: AbsPath,
        /// The directory of the packs.
        store: AbsPath,
        /// What [`TreeDocument::Take`] noted of this tree. It need not exist.
        seen: AbsPath,
        /// What is not touched.
        leave: Leave,
        /// Which state. In an empty directory things get the times that they had, else those of now: programs that compare times, like make,
        /// must see that they have changed.
        state: TreeState,
    },
    /// Say what differs between two states.
    Compare {
        /// The directory of the packs.
        store: AbsPath,
        /// The earlier state.
        before: TreeState,
        /// The later one.
        after: TreeState,
        /// The most names.
        most: usize,
    },
}

/// The name of a state: all of it follows from this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeState {
    /// How many bytes the list of the top's entries has.
    pub size: u64,
    /// The objects of that list, in order: hashes, as hexadecimal digits.
    pub objects: Vec<String>,
    /// The permission bits of the top.
    pub mode: u16,
}

/// What became of it: one line of JSON on the verb's standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeResult {
    /// A state was taken.
    Taken(StateTaken),
    /// A state was put back.
    Put(StatePut),
    /// How two states differ.
    Compared(Vec<Difference>),
    /// It was not done, or not to its end: a sentence.
    Refused(String),
}

/// A state that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateTaken {
    /// Its name.
    pub state: TreeState,
    /// The names of the packs that hold all of it.
    pub packs: Vec<String>,
    /// Those of them that are new.
    pub new_packs: Vec<String>,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many bytes of it were not stored before.
    pub new_bytes: u64,
    /// What is no part of it although it should be.
    pub skipped: Skipped,
}

/// What was done to a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePut {
    /// How many names were made, written anew, removed or given other permissions.
    pub changed: u64,
    /// The first of them, from the top. Of a name that is no text, what is not is replaced.
    pub named: Vec<String>,
    /// What could not be brought back.
    pub skipped: Skipped,
}

/// Names that something could not be done with. All are counted, some are named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The first of them, from the top, each with a reason.
    pub named: Vec<(String, String)>,
}

impl Skipped {
    /// How many are named.
    const NAMED: usize = 20;

    /// Notes another one.
    pub fn note(&mut self, path: String, reason: impl Into<String>) {
        self.count += 1;
        if self.named.len() < Self::NAMED {
            self.named.push((path, reason.into()));
        }
    }
}

/// A name that is not the same in two states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// From the top. Of a name that is no text, what is not is replaced.
    pub path: String,
    /// In which way.
    pub differing: Differing,
}

/// In which way a name differs. A directory that came or went is named before what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differing {
    /// It is in the later state only.
    Added,
    /// It is in the earlier state only.
    Removed,
    /// Its content, its target or its kind is another.
    Changed,
    /// Only its permission bits are others.
    Mode,
}

/// What is left alone: it is neither taken into a state, nor changed or removed when one is put back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Leave {
    /// Whatever is called `.git`.
    pub git: bool,
    /// What the files `.gitignore` and `.git/info/exclude` of the tree name.
    pub ignored: bool,
    /// Paths from the top that are taken although they are ignored, each with a NUL behind it: what git tracks.
    pub tracked: Vec<u8>,
    /// Whatever `tracked` does not name, but for the directories on the way to what it does.
    pub unnamed: bool,
    /// Whatever is called `.git` at the top; this directory is taken in its place, whole.
    pub repository: Option<AbsPath>,
}

/// How much a state may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The most files. With more there is no state.
    pub files: u64,
    /// The most bytes of one file. A longer one is left out, and named.
    pub file_bytes: u64,
    /// The most bytes that are not stored already. With more there is no state.
    pub new_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { files: 2_000_000, file_bytes: 16 << 30, new_bytes: 64 << 30 }
    }
}
