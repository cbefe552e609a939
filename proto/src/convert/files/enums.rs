//! The words of files. One that is not set is the usual one; one that nobody knows is an error.

use crate::convert::Malformed;
use crate::wire::files as wire;
use capstan_types::files::document::{Case, LeaveOut, Order, Tell};
use capstan_types::files::report::{Change, FileKind, Stopped};

/// Reads a word by its number.
pub(super) fn word<W: TryFrom<i32>, T>(
    field: &'static str,
    number: i32,
    read: impl FnOnce(W) -> Option<T>,
) -> Result<T, Malformed> {
    W::try_from(number).ok().and_then(read).ok_or_else(|| Malformed::new(field, format!("{number} means nothing here")))
}

pub(super) const fn leave(word: LeaveOut) -> wire::LeaveOut {
    match word {
        LeaveOut::Ignored => wire::LeaveOut::Ignored,
        LeaveOut::Nothing => wire::LeaveOut::Nothing,
    }
}

pub(super) fn leave_read(number: i32) -> Result<LeaveOut, Malformed> {
    word("query.leave", number, |word| {
        Some(match word {
            wire::LeaveOut::Unspecified | wire::LeaveOut::Ignored => LeaveOut::Ignored,
            wire::LeaveOut::Nothing => LeaveOut::Nothing,
        })
    })
}

pub(super) const fn order(word: Order) -> wire::Order {
    match word {
        Order::Sorted => wire::Order::Sorted,
        Order::AsFound => wire::Order::AsFound,
    }
}

pub(super) fn order_read(number: i32) -> Result<Order, Malformed> {
    word("query.order", number, |word| {
        Some(match word {
            wire::Order::Unspecified | wire::Order::Sorted => Order::Sorted,
            wire::Order::AsFound => Order::AsFound,
        })
    })
}

pub(super) const fn case(word: Case) -> wire::Case {
    match word {
        Case::Sensitive => wire::Case::Sensitive,
        Case::Insensitive => wire::Case::Insensitive,
        Case::Smart => wire::Case::Smart,
    }
}

pub(super) fn case_read(number: i32) -> Result<Case, Malformed> {
    word("query.case", number, |word| {
        Some(match word {
            wire::Case::Unspecified | wire::Case::Sensitive => Case::Sensitive,
            wire::Case::Insensitive => Case::Insensitive,
            wire::Case::Smart => Case::Smart,
        })
    })
}

pub(super) const fn tell(word: Tell) -> wire::Tell {
    match word {
        Tell::Lines => wire::Tell::Lines,
        Tell::Files => wire::Tell::Files,
        Tell::Counts => wire::Tell::Counts,
    }
}

pub(super) fn tell_read(number: i32) -> Result<Tell, Malformed> {
    word("query.tell", number, |word| {
        Some(match word {
            wire::Tell::Unspecified | wire::Tell::Lines => Tell::Lines,
            wire::Tell::Files => Tell::Files,
            wire::Tell::Counts => Tell::Counts,
        })
    })
}

pub(super) const fn kind(word: FileKind) -> wire::FileKind {
    match word {
        FileKind::File => wire::FileKind::File,
        FileKind::Directory => wire::FileKind::Directory,
        FileKind::Link => wire::FileKind::Link,
        FileKind::Pipe => wire::FileKind::Pipe,
        FileKind::Socket => wire::FileKind::Socket,
        FileKind::Device => wire::FileKind::Device,
    }
}

pub(super) fn kind_read(number: i32) -> Result<FileKind, Malformed> {
    word("facts.kind", number, |word| {
        Some(match word {
            wire::FileKind::Unspecified => return None,
            wire::FileKind::File => FileKind::File,
            wire::FileKind::Directory => FileKind::Directory,
            wire::FileKind::Link => FileKind::Link,
            wire::FileKind::Pipe => FileKind::Pipe,
            wire::FileKind::Socket => FileKind::Socket,
            wire::FileKind::Device => FileKind::Device,
        })
    })
}

pub(super) const fn stopped(word: Option<Stopped>) -> wire::Stopped {
    match word {
        None => wire::Stopped::Unspecified,
        Some(Stopped::Limit) => wire::Stopped::Limit,
        Some(Stopped::Bytes) => wire::Stopped::Bytes,
        Some(Stopped::Time) => wire::Stopped::Time,
        Some(Stopped::Depth) => wire::Stopped::Depth,
    }
}

pub(super) fn stopped_read(number: i32) -> Result<Option<Stopped>, Malformed> {
    word("done.stopped", number, |word| {
        Some(match word {
            wire::Stopped::Unspecified => None,
            wire::Stopped::Limit => Some(Stopped::Limit),
            wire::Stopped::Bytes => Some(Stopped::Bytes),
            wire::Stopped::Time => Some(Stopped::Time),
            wire::Stopped::Depth => Some(Stopped::Depth),
        })
    })
}

pub(super) const fn change(word: Change) -> wire::Change {
    match word {
        Change::Made => wire::Change::Made,
        Change::Altered => wire::Change::Altered,
        Change::Removed => wire::Change::Removed,
    }
}

pub(super) fn change_read(number: i32) -> Result<Change, Malformed> {
    word("changes.change", number, |word| {
        Some(match word {
            wire::Change::Unspecified => return None,
            wire::Change::Made => Change::Made,
            wire::Change::Altered => Change::Altered,
            wire::Change::Removed => Change::Removed,
        })
    })
}
