//! What nodes keep of workspaces.

use super::{Malformed, nonempty, nonzero, parse};
use crate::wire::kept as wire;
use capstan_types::kept::{Gone, KeptWorkspace, SweepQuery, Swept};

impl From<KeptWorkspace> for wire::KeptWorkspace {
    fn from(kept: KeptWorkspace) -> Self {
        Self {
            thread_id: kept.thread.to_string(),
            path: kept.path.to_string(),
            source: kept.source,
            how: kept.how,
            revision: kept.revision.unwrap_or_default(),
            bytes: kept.bytes,
            more: kept.more,
            made_at_ms: kept.made_at_ms,
            used_at_ms: kept.used_at_ms,
            in_use: kept.in_use.unwrap_or_default(),
            broken: kept.broken.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::KeptWorkspace> for KeptWorkspace {
    type Error = Malformed;

    fn try_from(wire: wire::KeptWorkspace) -> Result<Self, Malformed> {
        Ok(Self {
            thread: parse("thread_id", &wire.thread_id)?,
            path: parse("path", &wire.path)?,
            source: wire.source,
            how: wire.how,
            revision: nonempty(wire.revision),
            bytes: wire.bytes,
            more: wire.more,
            made_at_ms: wire.made_at_ms,
            used_at_ms: wire.used_at_ms,
            in_use: nonempty(wire.in_use),
            broken: nonempty(wire.broken),
        })
    }
}

impl From<SweepQuery> for wire::SweepQuery {
    fn from(query: SweepQuery) -> Self {
        let SweepQuery { budget_bytes, idle_ms, dry_run } = query;
        Self { budget_bytes: budget_bytes.unwrap_or_default(), idle_ms: idle_ms.unwrap_or_default(), dry_run }
    }
}

impl From<wire::SweepQuery> for SweepQuery {
    fn from(wire: wire::SweepQuery) -> Self {
        Self { budget_bytes: nonzero(wire.budget_bytes), idle_ms: nonzero(wire.idle_ms), dry_run: wire.dry_run }
    }
}

impl From<Gone> for wire::Gone {
    fn from(gone: Gone) -> Self {
        let Gone { name, bytes, reason } = gone;
        Self { name, bytes, reason }
    }
}

impl From<wire::Gone> for Gone {
    fn from(wire: wire::Gone) -> Self {
        let wire::Gone { name, bytes, reason } = wire;
        Self { name, bytes, reason }
    }
}

impl From<Swept> for wire::Swept {
    fn from(swept: Swept) -> Self {
        let all = |gone: Vec<Gone>| gone.into_iter().map(Into::into).collect();
        Self { gone: all(swept.gone), stayed: all(swept.stayed) }
    }
}

impl From<wire::Swept> for Swept {
    fn from(wire: wire::Swept) -> Self {
        let all = |gone: Vec<wire::Gone>| gone.into_iter().map(Into::into).collect();
        Self { gone: all(wire.gone), stayed: all(wire.stayed) }
    }
}
