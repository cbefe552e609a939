//! One write inside an open transaction: the checks and the rows.
//!
//! The checks stand in the same transaction as the rows, so that an owner who was overtaken between the two cannot slip one in.

use super::connection::Sql;
use super::fault::Fault;
use super::{append, delete, fork, thread_row};
use crate::rows::{NewRow, ThreadRow};
use capstan_types::id::{Epoch, ThreadId};
use capstan_types::thread::Upto;

/// Something to be written, in the store's form.
#[derive(Debug)]
pub(crate) enum Write {
    Create(Box<ThreadRow>),
    TakeOver { thread: ThreadId, seen: Epoch, owner: String },
    Rename { thread: ThreadId, fence: Epoch, name: Option<String> },
    Archive { thread: ThreadId, fence: Epoch, at: Option<i64> },
    Delete { thread: ThreadId, fence: Epoch, at: i64 },
    Fork { source: ThreadId, upto: Upto, row: Box<ThreadRow> },
    Append { thread: ThreadId, fence: Epoch, rows: Vec<NewRow>, at: i64 },
}

/// Carries out `write`; returns the epoch that the thread has now.
pub(crate) async fn apply(sql: &mut impl Sql, write: &Write) -> Result<Epoch, Fault> {
    match write {
        Write::Create(row) => thread_row::create(sql, row).await,
        Write::TakeOver { thread, seen, owner } => thread_row::take_over(sql, *thread, *seen, owner).await,
        Write::Rename { thread, fence, name } => thread_row::rename(sql, *thread, *fence, name.as_deref()).await,
        Write::Archive { thread, fence, at } => thread_row::archive(sql, *thread, *fence, *at).await,
        Write::Delete { thread, fence, at } => delete::delete(sql, *thread, *fence, *at).await,
        Write::Fork { source, upto, row } => fork::fork(sql, *source, *upto, row).await,
        Write::Append { thread, fence, rows, at } => append::append(sql, *thread, *fence, rows, *at).await,
    }
}
