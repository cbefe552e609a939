//! Lists of threads: which ones, in which order, and page by page.

use crate::id::ThreadId;
use crate::path::AbsPath;
use crate::thread::ThreadRecord;
use crate::time::UnixMillis;
use std::fmt;
use std::str::FromStr;

/// Which threads are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadFilter {
    /// Put away or not.
    pub kept: Kept,
    /// Only those whose workspace is this directory.
    pub cwd: Option<AbsPath>,
    /// Only those in whose name, preview or prompts every one of these words occurs, in any case and as a part of another word too.
    /// Empty: all. Words past [`ThreadFilter::MOST_WORDS`] do not count.
    pub search: String,
    /// What makes one thread newer than another.
    pub newest: Newest,
    /// Only those after this place in the list.
    pub after: Option<ThreadCursor>,
    /// At most this many, and never more than [`ThreadFilter::MOST`].
    pub limit: u32,
}

impl ThreadFilter {
    /// The longest page, in threads.
    pub const MOST: u32 = 1000;

    /// The most words that are searched for.
    pub const MOST_WORDS: usize = 8;

    /// The newest threads of all, put away or not, by when they began.
    #[must_use]
    pub fn all(limit: u32) -> Self {
        Self { kept: Kept::All, limit, ..Self::default() }
    }
}

/// Threads in use, threads put away, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    /// Those in use.
    #[default]
    Active,
    /// Those put away.
    Archived,
    /// Both.
    All,
}

/// What makes one thread newer than another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Newest {
    /// When it began. A page never shows a thread twice.
    #[default]
    Created,
    /// When something was last stored in it. A thread that works meanwhile moves to the front, and may be missed by later pages.
    Updated,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadPage {
    /// The threads, newest first.
    pub threads: Vec<ThreadRecord>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<ThreadCursor>,
}

/// A place in a list: after this thread. Its text, `MILLISECONDS.THREAD`, is for clients to carry back unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadCursor {
    /// The moment by which the thread is ordered.
    pub at: UnixMillis,
    /// The thread, which orders those of the same moment.
    pub thread: ThreadId,
}

impl fmt::Display for ThreadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.0, self.thread)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cursor; use the one that came with the page before, unchanged")]
pub struct NoCursor(String);

impl FromStr for ThreadCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let parsed = text.split_once('.').and_then(|(at, thread)| {
            // One text for one place: no sign, no leading zero.
            let millis: u64 = at.parse().ok()?;
            (millis.to_string() == at).then_some(())?;
            Some(Self { at: UnixMillis(millis), thread: thread.parse().ok()? })
        });
        parsed.ok_or_else(|| NoCursor(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_from_its_text() {
        let cursor = ThreadCursor { at: UnixMillis(1_700_000_000_000), thread: ThreadId::from_u128(7) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", ".", "1", "1.x", "-1.00000000-0000-0000-0000-000000000007", "01.00000000-0000-0000-0000-000000000007"] {
            assert!(text.parse::<ThreadCursor>().is_err(), "{text}");
        }
    }
}
