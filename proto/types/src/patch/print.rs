//! Writes a patch in its grammar: the inverse of reading.

use super::pairing::{Step, steps};
use super::parse::{ADD, BEGIN, DELETE, END, END_OF_FILE, MOVE, UPDATE};
use super::{Chunk, FileHunk, Patch};
use std::fmt;

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{BEGIN}")?;
        self.hunks.iter().try_for_each(|hunk| hunk.fmt(f))?;
        writeln!(f, "{END}")
    }
}

impl fmt::Display for FileHunk {
    /// The grammar has no way to write content without a final newline; such content is written as if it had one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { path, content } => {
                writeln!(f, "{ADD} {path}")?;
                content.split_terminator('\n').try_for_each(|line| writeln!(f, "+{line}"))
            }
            Self::Delete { path } => writeln!(f, "{DELETE} {path}"),
            Self::Update { path, moved_to, chunks } => {
                writeln!(f, "{UPDATE} {path}")?;
                moved_to.iter().try_for_each(|to| writeln!(f, "{MOVE} {to}"))?;
                chunks.iter().try_for_each(|chunk| chunk.fmt(f))
            }
        }
    }
}

impl fmt::Display for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.context {
            Some(context) => writeln!(f, "@@ {context}")?,
            None => writeln!(f, "@@")?,
        }
        let (mut old, mut new) = (self.old.iter(), self.new.iter());
        for step in steps(&self.old, &self.new) {
            let (sign, line) = match step {
                Step::Keep => (' ', old.next().and_then(|_| new.next())),
                Step::Remove => ('-', old.next()),
                Step::Insert => ('+', new.next()),
            };
            line.iter().try_for_each(|line| writeln!(f, "{sign}{line}"))?;
        }
        if self.at_end_of_file { writeln!(f, "{END_OF_FILE}") } else { Ok(()) }
    }
}
