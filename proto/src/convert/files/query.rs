//! What is asked. Numbers are brought into their bounds here.

use super::enums::{case, case_read, leave, leave_read, order, order_read, tell, tell_read};
use super::{path, usual};
use crate::convert::Malformed;
use crate::wire::files as wire;
use bytes::Bytes;
use capstan_types::files::document::{
    Expect, ListQuery, MOST_AROUND, MOST_DEPTH, MOST_HITS, MOST_LISTED, MOST_PATTERN, MOST_READ, MOST_SEARCHING_MS, MOST_WRITTEN,
    Order, ReadQuery, SearchQuery, WatchQuery, WriteQuery,
};

const USUAL_READ: u64 = 1 << 20;
const USUAL_LISTED: u64 = 1000;
const USUAL_HITS: u64 = 1000;
const USUAL_FILE_BYTES: u64 = 64 << 20;
const USUAL_SEARCHING_MS: u64 = 30_000;

/// The permission bits that can be given.
const MODE_BITS: u32 = 0o777;

impl From<&ReadQuery> for wire::ReadQuery {
    fn from(query: &ReadQuery) -> Self {
        let &ReadQuery { ref path, offset, length, hash } = query;
        Self { path: Bytes::copy_from_slice(path.as_bytes()), offset, length, hash }
    }
}

impl TryFrom<wire::ReadQuery> for ReadQuery {
    type Error = Malformed;

    fn try_from(wire: wire::ReadQuery) -> Result<Self, Malformed> {
        let length = usual(wire.length, USUAL_READ, MOST_READ);
        Ok(Self { path: path("query.path", &wire.path)?, offset: wire.offset, length, hash: wire.hash })
    }
}

impl From<&ListQuery> for wire::ListQuery {
    fn from(query: &ListQuery) -> Self {
        Self {
            path: Bytes::copy_from_slice(query.path.as_bytes()),
            depth: query.depth.into(),
            leave: leave(query.leave).into(),
            order: order(query.order).into(),
            limit: query.limit,
            after: query.after.as_ref().map(|after| Bytes::copy_from_slice(after.as_bytes())).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::ListQuery> for ListQuery {
    type Error = Malformed;

    fn try_from(wire: wire::ListQuery) -> Result<Self, Malformed> {
        let order = order_read(wire.order)?;
        let after = if wire.after.is_empty() { None } else { Some(path("query.after", &wire.after)?) };
        if after.is_some() && order == Order::AsFound {
            return Err(Malformed::new("query.after", "only a sorted list can go on where another one ended"));
        }
        Ok(Self {
            path: path("query.path", &wire.path)?,
            depth: u16::try_from(wire.depth).unwrap_or(MOST_DEPTH).clamp(1, MOST_DEPTH),
            leave: leave_read(wire.leave)?,
            order,
            limit: usual(wire.limit, USUAL_LISTED, MOST_LISTED),
            after,
        })
    }
}

impl From<&SearchQuery> for wire::SearchQuery {
    fn from(query: &SearchQuery) -> Self {
        Self {
            path: Bytes::copy_from_slice(query.path.as_bytes()),
            pattern: query.pattern.clone(),
            fixed: query.fixed,
            case: case(query.case).into(),
            globs: query.globs.clone(),
            leave: leave(query.leave).into(),
            tell: tell(query.tell).into(),
            before: query.before.into(),
            after: query.after.into(),
            limit: query.limit,
            file_bytes: query.file_bytes,
            time_ms: query.time_ms,
        }
    }
}

impl TryFrom<wire::SearchQuery> for SearchQuery {
    type Error = Malformed;

    fn try_from(wire: wire::SearchQuery) -> Result<Self, Malformed> {
        if wire.pattern.is_empty() || wire.pattern.len() > MOST_PATTERN {
            return Err(Malformed::new("query.pattern", format!("give 1 to {MOST_PATTERN} bytes")));
        }
        let around = |lines: u32| u16::try_from(lines).unwrap_or(MOST_AROUND).min(MOST_AROUND);
        Ok(Self {
            path: path("query.path", &wire.path)?,
            pattern: wire.pattern,
            fixed: wire.fixed,
            case: case_read(wire.case)?,
            globs: wire.globs,
            leave: leave_read(wire.leave)?,
            tell: tell_read(wire.tell)?,
            before: around(wire.before),
            after: around(wire.after),
            limit: usual(wire.limit, USUAL_HITS, MOST_HITS),
            file_bytes: usual(wire.file_bytes, USUAL_FILE_BYTES, u64::MAX),
            time_ms: usual(wire.time_ms, USUAL_SEARCHING_MS, MOST_SEARCHING_MS),
        })
    }
}

/// What is written, with the bytes.
impl From<(&WriteQuery, Bytes)> for wire::WriteQuery {
    fn from((query, data): (&WriteQuery, Bytes)) -> Self {
        use wire::write_query::Expect as E;
        let expect = match &query.expect {
            Expect::Absent => E::Absent(true),
            Expect::Hash(hash) => E::Hash(hash.clone()),
            Expect::Anything => E::Anything(true),
        };
        Self {
            path: Bytes::copy_from_slice(query.path.as_bytes()),
            data,
            mode: query.mode.unwrap_or_default().into(),
            parents: query.parents,
            expect: Some(expect),
        }
    }
}

impl TryFrom<wire::WriteQuery> for (WriteQuery, Bytes) {
    type Error = Malformed;

    fn try_from(wire: wire::WriteQuery) -> Result<Self, Malformed> {
        use wire::write_query::Expect as E;
        let length = wire.data.len() as u64;
        if length > MOST_WRITTEN {
            return Err(Malformed::new("query.data", format!("at most {MOST_WRITTEN} bytes are written at once")));
        }
        let expect = match wire.expect {
            Some(E::Absent(true)) => Expect::Absent,
            Some(E::Anything(true)) => Expect::Anything,
            Some(E::Hash(hash)) => Expect::Hash(digits(hash)?),
            Some(E::Absent(false) | E::Anything(false)) | None => return Err(Malformed::missing("query.expect")),
        };
        // A word of 9 bits fits.
        let mode = u16::try_from(wire.mode & MODE_BITS).ok().filter(|mode| *mode != 0);
        let path = path("query.path", &wire.path)?;
        Ok((WriteQuery { path, expect, mode, parents: wire.parents, length }, wire.data))
    }
}

fn digits(hash: String) -> Result<String, Malformed> {
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hash { Ok(hash) } else { Err(Malformed::new("query.hash", "it is not a SHA-256: 64 digits, 0 to 9 and a to f")) }
}

impl From<&WatchQuery> for wire::WatchQuery {
    fn from(query: &WatchQuery) -> Self {
        let &WatchQuery { ref path, leave: left, settle_ms, directories } = query;
        Self { path: Bytes::copy_from_slice(path.as_bytes()), leave: leave(left).into(), settle_ms, directories }
    }
}

impl TryFrom<wire::WatchQuery> for WatchQuery {
    type Error = Malformed;

    fn try_from(wire: wire::WatchQuery) -> Result<Self, Malformed> {
        Ok(Self {
            path: path("query.path", &wire.path)?,
            leave: leave_read(wire.leave)?,
            settle_ms: usual(wire.settle_ms, Self::SETTLE_MS, Self::MOST_SETTLE_MS),
            directories: usual(wire.directories, Self::USUAL, Self::MOST),
        })
    }
}
