//! What the node's made workspaces take of its disk, and how they go.
//!
//! Invariant: a directory that a thread uses in place is never touched, and of made workspaces none that is in use, unless a person names it and
//! says so. What goes is renamed among the scratch files first, so that whatever ends the node in the middle leaves a workspace whole, or gone.

mod evict;
mod in_use;
mod measure;

use crate::error::NodeError;
use crate::journal::Journal;
use crate::workspace::made::{MadeWorkspaces, Record};
use capstan_types::id::ThreadId;
use capstan_types::kept::{Gone, KeptWorkspace, SweepQuery, Swept};
use capstan_types::path::AbsPath;
use evict::{Held, evict};
use in_use::Users;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most workspaces that are told of.
const MOST_TOLD: usize = 10_000;

/// What lies among the workspaces without a record is left alone for so long: it may be one that is just being put there.
const YOUNG: Duration = Duration::from_secs(3600);

/// The node's made workspaces as its disk has them. All of it blocks.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    made: MadeWorkspaces,
    journal: Journal,
}

impl Disk {
    pub(crate) const fn new(made: MadeWorkspaces, journal: Journal) -> Self {
        Self { made, journal }
    }

    /// The workspaces, oldest first.
    pub(crate) fn list(&self) -> Vec<KeptWorkspace> {
        let users = Users::now(&self.journal);
        let mut kept: Vec<_> =
            self.made.threads().into_iter().take(MOST_TOLD).filter_map(|thread| self.look(thread, &users)).collect();
        kept.sort_by_key(|kept| (kept.made_at_ms, kept.thread));
        kept
    }

    /// Removes a workspace.
    pub(crate) fn remove(&self, thread: ThreadId, force: bool) -> Result<Gone, NodeError> {
        let kept = self.look(thread, &Users::now(&self.journal)).ok_or(NodeError::NoMade(thread))?;
        if let Some(user) = kept.in_use.filter(|_| !force) {
            return Err(NodeError::MadeInUse { thread, user });
        }
        self.put_away(thread).map_err(NodeError::Unknown)?;
        Ok(Gone { name: thread.to_string(), bytes: kept.bytes, reason: "it was named".to_owned() })
    }

    /// Removes what nobody needs, and what the query names.
    pub(crate) fn sweep(&self, query: SweepQuery) -> Swept {
        let mut swept = self.sweep_strays(query.dry_run);
        let kept = self.list();
        let held = kept.iter().map(|kept| Held {
            thread: kept.thread,
            bytes: kept.bytes,
            used_at_ms: kept.used_at_ms,
            is_free: kept.in_use.is_none() && kept.broken.is_none(),
        });
        for (thread, reason) in evict(&held.collect::<Vec<_>>(), &query, now_ms()) {
            let bytes = kept.iter().find(|kept| kept.thread == thread).map_or(0, |kept| kept.bytes);
            let gone = Gone { name: thread.to_string(), bytes, reason: reason.to_owned() };
            self.go(&mut swept, gone, query.dry_run, || {
                // Somebody may have begun to use it while the others were measured.
                match Users::now(&self.journal).of(thread, &self.made.directory(thread)) {
                    Some(user) => Err(format!("it is used by {user}")),
                    None => self.put_away(thread),
                }
            });
        }
        swept
    }

    /// Removes what lies among the workspaces and is none.
    pub(crate) fn sweep_strays(&self, dry_run: bool) -> Swept {
        let mut swept = Swept::default();
        for name in self.made.strays() {
            let place = self.made.place().join(&name);
            let is_old = age(&place).is_some_and(|age| age > YOUNG);
            let is_stray = name.parse::<ThreadId>().map_or(true, |thread| matches!(self.made.record(thread), Ok(None)));
            if is_old && is_stray {
                let gone =
                    Gone { bytes: measure::measure(&place).bytes, name: name.clone(), reason: "it has no record".to_owned() };
                self.go(&mut swept, gone, dry_run, || self.made.put_away(&name));
            }
        }
        swept
    }

    fn go(&self, swept: &mut Swept, gone: Gone, dry_run: bool, remove: impl FnOnce() -> Result<(), String>) {
        match if dry_run { Ok(()) } else { remove() } {
            Ok(()) => {
                tracing::info!(name = gone.name, bytes = gone.bytes, reason = gone.reason, dry_run, "a workspace is removed");
                swept.gone.push(gone);
            }
            Err(reason) => swept.stayed.push(Gone { reason, ..gone }),
        }
    }

    fn look(&self, thread: ThreadId, users: &Users) -> Option<KeptWorkspace> {
        let path = self.made.directory(thread);
        let size = measure::measure(&path);
        let (record, broken) = match self.made.record(thread) {
            Ok(Some(record)) => (Some(record), None),
            // Made at this moment, or cut off: a sweep judges that.
            Ok(None) => return None,
            Err(error) => (None, Some(error.to_string())),
        };
        let told = |read: fn(&Record) -> String| record.as_ref().map(read).unwrap_or_default();
        let made_at_ms = record.as_ref().map_or(0, |record| record.made_at_ms);
        Some(KeptWorkspace {
            thread,
            source: told(|record| record.source.to_string()),
            how: told(|record| record.how.clone()),
            revision: record.as_ref().and_then(|record| record.revision.clone()),
            bytes: size.bytes,
            more: size.more,
            made_at_ms,
            used_at_ms: self.made.used_at_ms(thread).unwrap_or(made_at_ms).max(made_at_ms),
            in_use: users.of(thread, &path),
            broken,
            path: AbsPath::new(&path).ok()?,
        })
    }

    fn put_away(&self, thread: ThreadId) -> Result<(), String> {
        self.made.put_away(&thread.to_string())
    }
}

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::symlink_metadata(path).ok()?.modified().ok()?).ok()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
