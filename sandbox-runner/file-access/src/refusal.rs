//! What the system refuses, in sentences.

use capstan_types::files::path::FilePath;
use capstan_types::files::report::{FilesRefusal, Why};
use rustix::io::Errno;
use std::io;

/// What came of something that can be refused.
pub(crate) type Answer<T> = Result<T, FilesRefusal>;

/// A refusal.
pub(crate) fn refusal(why: Why, said: impl Into<String>) -> FilesRefusal {
    FilesRefusal { why, said: said.into() }
}

/// Why nothing could be `done` with `path`: `read`, `written`.
pub(crate) fn refused(path: &FilePath, done: &str, error: &io::Error) -> FilesRefusal {
    let errno = Errno::from_io_error(error);
    let (why, reason) = match errno {
        Some(Errno::NOENT) => (Why::Missing, "there is no such file".to_owned()),
        Some(Errno::XDEV) => (Why::Outside, "a link leads out of the workspace".to_owned()),
        Some(Errno::LOOP) => (Why::Outside, "its links lead in a circle, or it is being replaced now".to_owned()),
        Some(Errno::NOTDIR) => (Why::Kind, "a step of the path is not a directory".to_owned()),
        Some(Errno::ISDIR) => (Why::Kind, "it is a directory".to_owned()),
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => (Why::Denied, format!("it may not be {done}")),
        Some(Errno::NAMETOOLONG) => (Why::Question, "a name in it is too long".to_owned()),
        Some(Errno::EXIST) => (Why::Changed, "something is there by now".to_owned()),
        Some(Errno::NOSPC | Errno::DQUOT) => (Why::Host, "the disk is full".to_owned()),
        _ => (Why::Host, error.to_string()),
    };
    refusal(why, format!("`{path}` cannot be {done}: {reason}"))
}
