//! Threads as they are listed, and which of them are.

use super::client_thread::settings;
use super::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::id::{Epoch, EventSeq};
use capstan_types::thread::listing::{Kept, Newest, ThreadFilter, ThreadPage};
use capstan_types::thread::{Parent, ThreadCost, ThreadRecord};
use capstan_types::time::UnixMillis;

/// Threads in a list when nobody names a limit.
const LIST_DEFAULT: u32 = 50;

impl From<ThreadRecord> for wire::Thread {
    fn from(thread: ThreadRecord) -> Self {
        let parent = |parent: Parent| wire::Parent {
            thread_id: parent.thread.to_string(),
            seq: parent.seq.0,
            turn_id: parent.turn.map(|turn| turn.to_string()).unwrap_or_default(),
        };
        Self {
            thread_id: thread.id.to_string(),
            settings: Some(thread.settings.into()),
            created_at_ms: thread.created_at.0,
            updated_at_ms: thread.updated_at.0,
            preview: thread.preview,
            epoch: thread.epoch.0,
            owner: thread.owner,
            name: thread.name.unwrap_or_default(),
            archived_at_ms: thread.archived_at.map(|at| at.0),
            parent: thread.parent.map(parent),
            usage: Some(thread.spent.usage.into()),
            micro_usd: thread.spent.micro_usd,
        }
    }
}

impl TryFrom<wire::Thread> for ThreadRecord {
    type Error = Malformed;

    fn try_from(wire: wire::Thread) -> Result<Self, Malformed> {
        let parent = |parent: wire::Parent| {
            Ok::<_, Malformed>(Parent {
                thread: parse("parent.thread_id", &parent.thread_id)?,
                seq: EventSeq(parent.seq),
                turn: nonempty(parent.turn_id).map(|turn| parse("parent.turn_id", &turn)).transpose()?,
            })
        };
        Ok(Self {
            id: parse("thread_id", &wire.thread_id)?,
            owner: wire.owner,
            epoch: Epoch(wire.epoch),
            settings: settings(wire.settings)?,
            created_at: UnixMillis(wire.created_at_ms),
            updated_at: UnixMillis(wire.updated_at_ms),
            preview: wire.preview,
            name: nonempty(wire.name),
            archived_at: wire.archived_at_ms.map(UnixMillis),
            parent: wire.parent.map(parent).transpose()?,
            spent: ThreadCost { usage: wire.usage.unwrap_or_default().into(), micro_usd: wire.micro_usd },
        })
    }
}

/// The thread that an answer must hold.
///
/// # Errors
/// A thread that is missing or malformed.
pub fn thread(wire: Option<wire::Thread>) -> Result<ThreadRecord, Malformed> {
    wire.ok_or_else(|| Malformed::missing("thread"))?.try_into()
}

impl From<ThreadFilter> for wire::ListRequest {
    fn from(filter: ThreadFilter) -> Self {
        let kept = match filter.kept {
            Kept::Active => wire::Kept::Active,
            Kept::Archived => wire::Kept::Archived,
            Kept::All => wire::Kept::All,
        };
        Self {
            limit: filter.limit,
            kept: kept.into(),
            cwd: filter.cwd.map(Into::into).unwrap_or_default(),
            search: filter.search,
            cursor: filter.after.map(|after| after.to_string()).unwrap_or_default(),
            by_update: filter.newest == Newest::Updated,
        }
    }
}

impl TryFrom<wire::ListRequest> for ThreadFilter {
    type Error = Malformed;

    fn try_from(wire: wire::ListRequest) -> Result<Self, Malformed> {
        let kept = match wire.kept() {
            wire::Kept::Unspecified | wire::Kept::Active => Kept::Active,
            wire::Kept::Archived => Kept::Archived,
            wire::Kept::All => Kept::All,
        };
        Ok(Self {
            kept,
            cwd: nonempty(wire.cwd).map(|cwd| parse("cwd", &cwd)).transpose()?,
            search: wire.search,
            newest: if wire.by_update { Newest::Updated } else { Newest::Created },
            after: nonempty(wire.cursor).map(|cursor| parse("cursor", &cursor)).transpose()?,
            limit: if wire.limit == 0 { LIST_DEFAULT } else { wire.limit.min(Self::MOST) },
        })
    }
}

impl From<ThreadPage> for wire::ListResponse {
    fn from(page: ThreadPage) -> Self {
        Self {
            threads: page.threads.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::ListResponse> for ThreadPage {
    type Error = Malformed;

    fn try_from(wire: wire::ListResponse) -> Result<Self, Malformed> {
        Ok(Self {
            threads: wire.threads.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            next: nonempty(wire.next_cursor).map(|next| parse("next_cursor", &next)).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::ThreadId;
    use capstan_types::thread::listing::ThreadCursor;

    #[test]
    fn a_filter_comes_back_as_it_was() {
        let whole = ThreadFilter {
            kept: Kept::Archived,
            cwd: Some(capstan_types::path::AbsPath::new("/w").unwrap()),
            search: "two words".into(),
            newest: Newest::Updated,
            after: Some(ThreadCursor { at: UnixMillis(7), thread: ThreadId::from_u128(8) }),
            limit: 3,
        };
        for filter in [whole, ThreadFilter::all(5), ThreadFilter { limit: 1, ..ThreadFilter::default() }] {
            assert_eq!(ThreadFilter::try_from(wire::ListRequest::from(filter.clone())).unwrap(), filter);
        }
    }

    #[test]
    fn a_list_has_a_limit_and_a_cursor_that_is_none_is_refused() {
        assert_eq!(ThreadFilter::try_from(wire::ListRequest::default()).unwrap().limit, LIST_DEFAULT);
        let many = wire::ListRequest { limit: u32::MAX, ..Default::default() };
        assert_eq!(ThreadFilter::try_from(many).unwrap().limit, ThreadFilter::MOST);
        let bad = wire::ListRequest { cursor: "x".into(), ..Default::default() };
        assert!(ThreadFilter::try_from(bad).unwrap_err().to_string().contains("is not a cursor"));
    }
}
