//! Whether a session may be started, by what was measured last. Pure.

use super::watermarks::{Watermarks, cost};
use capstan_types::load::{Resource, Room};
use capstan_types::path::AbsPath;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What there is of each resource that could be read.
pub(super) type Rooms = BTreeMap<Resource, Room>;

/// When to ask again at the least pressure, and at the highest, before the jitter of up to half as much more.
const SOONEST: Duration = Duration::from_millis(500);
const LATEST: Duration = Duration::from_secs(8);

/// One resource of which there is too little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) resource: Resource,
    free: u64,
    total: u64,
    kept: u64,
    /// Of which workspace's disk, if of one.
    workspace: Option<AbsPath>,
}

impl Short {
    /// The same for a start in `cwd`: names it, if its disk is what is short.
    pub(super) fn in_workspace(self, cwd: &AbsPath) -> Self {
        let workspace = (self.resource == Resource::WorkspaceDisk).then(|| cwd.clone());
        Self { workspace, ..self }
    }
}

/// The answer to a start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Admit,
    Refuse { short: Short, retry_after: Duration },
}

/// What is short now, when that was short before: what has become short stays so until there is clearly enough again.
pub(super) fn observe(before: &BTreeSet<Resource>, rooms: &Rooms, marks: &Watermarks) -> BTreeSet<Resource> {
    let short = |resource: Resource, room: Room| match before.contains(&resource) {
        true => room.free < marks.admit_from(resource, room),
        false => room.free < marks.refuse_below(resource, room),
    };
    rooms.iter().filter(|(resource, room)| short(**resource, **room)).map(|(resource, _)| *resource).collect()
}

/// Whether one more session may be started. `admitted` were since `rooms` was measured; `dice` is any number.
pub(super) fn decide(rooms: &Rooms, short: &BTreeSet<Resource>, marks: &Watermarks, admitted: u64, dice: u64) -> Verdict {
    let tightest = rooms.iter().filter_map(|(resource, room)| {
        let free = room.free.saturating_sub(cost(*resource).saturating_mul(admitted));
        let kept = marks.refuse_below(*resource, *room);
        let refused = short.contains(resource) || free < kept;
        let short = Short { resource: *resource, free, total: room.total, kept, workspace: None };
        refused.then_some((short, marks.admit_from(*resource, *room)))
    });
    match tightest.max_by_key(|(short, enough)| pressure(short.free, *enough)) {
        Some((short, enough)) => Verdict::Refuse { retry_after: retry_after(pressure(short.free, enough), dice), short },
        None => Verdict::Admit,
    }
}

/// How far the free part is below what would be enough, in thousandths.
fn pressure(free: u64, enough: u64) -> u64 {
    let lacking = u128::from(enough.saturating_sub(free)) * 1000 / u128::from(enough.max(1));
    u64::try_from(lacking).unwrap_or(1000)
}

/// Longer with the pressure, and never the same for all who ask.
fn retry_after(pressure: u64, dice: u64) -> Duration {
    let base = SOONEST + (LATEST - SOONEST) * u32::try_from(pressure.min(1000)).unwrap_or(1000) / 1000;
    base + base / 2 * u32::try_from(dice % 1000).unwrap_or_default() / 1000
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.resource {
            Resource::Memory => "memory",
            Resource::Disk => "space on the disk that holds its state",
            Resource::WorkspaceDisk => "space on the disk that holds the workspace",
            Resource::Inodes => "files on the disk that holds its state",
            Resource::Descriptors => "descriptors",
            Resource::Processes => "processes",
            Resource::Terminals => "terminals",
        };
        let [free, total, kept] = [self.free, self.total, self.kept].map(|count| Count(count, self.resource.in_bytes()));
        let named = self.workspace.as_ref().map(|workspace| format!(" `{workspace}`")).unwrap_or_default();
        write!(
            f,
            "this node is short of {what}{named}: {free} of {total} are free, and it keeps {kept} of them; nothing was started"
        )
    }
}

/// A number, or a number of bytes in whole units.
struct Count(u64, bool);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(count, false) => write!(f, "{count}"),
            Self(bytes, true) if bytes >= 10 << 30 => write!(f, "{} GiB", bytes >> 30),
            Self(bytes, true) if bytes >= 10 << 20 => write!(f, "{} MiB", bytes >> 20),
            Self(bytes, true) => write!(f, "{} KiB", bytes >> 10),
        }
    }
}

#[cfg(test)]
mod tests;
